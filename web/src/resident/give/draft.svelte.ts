/** What a person has entered so far. Kept on this device after each change, so that nothing is lost by a reload. */
import { bytes as sizeText } from "$lib/i18n/format";
import { t } from "$lib/i18n/index.svelte";
import type { Box } from "$lib/media/boxes";
import type { MediaCopy } from "$lib/media/convert";
import { deleteCopy, keepFile, openCopy } from "$lib/media/copies";
import type { Probe } from "$lib/media/probe";
import type { Range } from "$lib/media/trim";
import { asProblem, Problem } from "$lib/problem";
import { plainName, sanitise } from "$lib/seal/names";
import { deleteDraft, type Draft, type DraftClip, loadDraft, saveDraft } from "$lib/seal/store";
import type { Contact, SealClip } from "$lib/seal/types";

import type { Destination, Limits } from "./destination";
import { outside, rfc3339, type Span } from "./times";

export const STEPS = ["clips", "edit", "reach", "share", "send"] as const;
export type Step = (typeof STEPS)[number];
export type Reach = "anonymous" | "mailbox" | "named";
type Known = NonNullable<SealClip["known"]>;

/** How a clip is to be changed; empty means: as the camera made it. */
export interface Edit {
  range: Range | null;
  /** Cut to the exact moment by encoding the picture anew, instead of at the key frame before. */
  exact: boolean;
  boxes: Box[];
  mute: boolean;
  why: string;
}

/** What is kept of a clip besides what `DraftClip` names. */
interface Notes {
  edit: Edit;
  made: { edit: string; copy: Omit<MediaCopy, "file"> } | null;
  duration: number | null;
  original: string | null;
  /** The chosen file itself, where it is small enough to be kept. */
  stash: string | null;
}

const UNCHANGED: Edit = { range: null, exact: false, boxes: [], mute: false, why: "" };

/** One chosen clip. */
export class Clip {
  readonly id: string;
  readonly source: DraftClip["source"];
  /** The chosen file; none after a reload, until it is chosen again. */
  file = $state.raw<File | null>(null);
  probe = $state.raw<Probe | null>(null);
  thumb = $state<string | null>(null);
  /** When it began; `known` says where that is from. */
  start = $state.raw<Date | null>(null);
  known = $state<Known>("unknown");
  edit = $state<Edit>({ ...UNCHANGED });
  /** The changed copy, and the edit (as text) that it was made with. */
  copy = $state.raw<MediaCopy | null>(null);
  made = $state("");
  /** SHA-256 of the chosen file, once a copy was made of it. */
  original = $state<string | null>(null);
  /** Where the chosen file itself is kept, if it is. */
  stash: string | null = null;
  private lengthKept: number | null = null;

  constructor(id: string, source: DraftClip["source"]) {
    this.id = id;
    this.source = source;
  }

  /** Length of the chosen file in seconds. */
  get duration(): number | null {
    return this.probe?.duration ?? this.lengthKept;
  }

  /** Whether something is to be changed. */
  get changes(): boolean {
    const { range, boxes, mute } = this.edit;
    return range !== null || boxes.length > 0 || mute;
  }

  /** Whether the copy that is here is not the one that was asked for. */
  get pending(): boolean {
    return this.changes ? this.copy === null || this.made !== editKey(this.edit) : this.copy !== null;
  }

  /** What will be given: the changed copy, or the chosen file. */
  get given(): File | null {
    return this.changes && this.copy ? this.copy.file : this.file;
  }

  /** From when until when what is given shows something. */
  get span(): Span | null {
    if (!this.start) return null;
    const cut = this.changes ? (this.copy ?? (this.edit.range && { ...this.edit.range })) : null;
    const at = (seconds: number) => new Date((this.start?.getTime() ?? 0) + seconds * 1000);
    return { start: at(cut?.from ?? 0), end: at(cut?.until ?? this.duration ?? 0) };
  }

  /** Looks at the file: what it is, from when. */
  async look(file: File): Promise<void> {
    const { probe, thumbnail } = await reader();
    const found = await probe(file);
    this.file = file;
    this.probe = found;
    if (this.known === "unknown") {
      const length = (found.duration ?? 0) * 1000;
      this.start = found.created ?? new Date(file.lastModified - length);
      this.known = found.created ? "recording" : "file-time";
    }
    void thumbnail(file).then((picture) => (this.thumb = picture));
  }

  /** Keeps the file itself, if it is small; a reload then needs nothing. */
  async keep(): Promise<void> {
    if (this.file && !this.stash) this.stash = await keepFile(this.file);
  }

  /** Forgets all that lies on this device for it. The chosen file stays where it is. */
  async forget(): Promise<void> {
    if (this.thumb) URL.revokeObjectURL(this.thumb);
    await Promise.all([this.dropCopy(), deleteCopy(this.stash)]);
    this.stash = null;
  }

  /** Forgets the changed copy. */
  async dropCopy(): Promise<void> {
    const old = this.copy;
    this.copy = null;
    this.made = "";
    if (old) await deleteCopy(old.path);
  }

  /** Takes a copy that was made with the edit as it stands. */
  take(copy: MediaCopy, original: string): void {
    this.copy = copy;
    this.made = editKey(this.edit);
    this.original = original;
  }

  kept(): DraftClip {
    const notes: Notes = {
      edit: $state.snapshot(this.edit),
      made: this.copy?.path ? { edit: this.made, copy: without(this.copy) } : null,
      duration: this.duration,
      original: this.original,
      stash: this.stash,
    };
    return {
      id: this.id,
      source: { ...this.source },
      copy: this.copy?.path ?? undefined,
      name: this.source.name,
      from: this.start ? rfc3339(this.start) : undefined,
      known: this.known,
      notes,
    };
  }

  static async from(kept: DraftClip): Promise<Clip> {
    const clip = new Clip(kept.id, kept.source);
    const notes = kept.notes as Notes | undefined;
    clip.start = kept.from ? new Date(kept.from) : null;
    clip.known = kept.known ?? "unknown";
    if (!notes) return clip;
    clip.edit = notes.edit;
    clip.lengthKept = notes.duration;
    clip.original = notes.original;
    const file = notes.made && kept.copy ? await openCopy(kept.copy) : null;
    if (file && notes.made) {
      clip.copy = { ...notes.made.copy, file };
      clip.made = notes.made.edit;
    }
    const source = notes.stash ? await openCopy(notes.stash) : null;
    if (source?.size === kept.source.size) {
      clip.stash = notes.stash;
      const { name, modified } = kept.source;
      await clip.look(new File([source], name, { lastModified: modified })).catch(() => undefined);
    }
    return clip;
  }
}

function without({ path, extension, from, until, how }: MediaCopy): Omit<MediaCopy, "file"> {
  return { path, extension, from, until, how };
}

// The reason is told beside the copy, it doesn't change it.
function editKey(edit: Edit): string {
  return JSON.stringify({ ...edit, why: "", boxes: edit.boxes.map((box) => ({ ...box, id: "" })) });
}

/** What reads clips: too large to come before somebody chooses one. Loaded once; when that fails, again at the next try. */
export function reader(): Promise<typeof import("$lib/media/probe")> {
  return import("$lib/media/probe");
}

/** What a chosen file was refused for. */
export interface Refusal {
  name: string;
  problem: Problem;
}

/** The whole draft of one offer. */
export class GiveDraft {
  clips = $state<Clip[]>([]);
  reach = $state<Reach>("anonymous");
  /** Whether the agency may ask through the mailbox. */
  contact = $state<Required<Contact>>({ name: "", phone: "", email: "" });
  keepNames = $state(false);
  private saving: Promise<void> = Promise.resolve();

  constructor(
    readonly to: Destination,
    readonly limits: Limits,
  ) {}

  /** Clips that have to be chosen again after a reload. */
  get missing(): Clip[] {
    return this.clips.filter((clip) => !clip.given || (clip.pending && !clip.file));
  }

  get mailbox(): boolean {
    return this.reach !== "anonymous";
  }

  /** Who the resident is: only where they chose to say it. */
  get told(): Contact | null {
    if (this.reach !== "named") return null;
    const entries = Object.entries(this.contact).filter(([, text]) => text.trim() !== "");
    return entries.length > 0 ? Object.fromEntries(entries.map(([key, text]) => [key, text.trim()])) : null;
  }

  /** Adds files; each that can't be given is told with its reason. */
  async add(files: Iterable<File>): Promise<Refusal[]> {
    const refused: Refusal[] = [];
    for (const file of files) {
      try {
        await this.addOne(file);
      } catch (error) {
        refused.push({ name: file.name, problem: gone(error) });
      }
    }
    await this.save();
    return refused;
  }

  private async addOne(file: File): Promise<void> {
    if (file.size === 0) throw new Problem("give.refused.empty", "give.refused.empty.remedy");
    if (file.size > this.limits.clip_bytes)
      throw new Problem(t("give.refused.large", { size: sizeText(file.size), most: sizeText(this.limits.clip_bytes) }));
    const again = this.clips.find((clip) => !clip.file && same(clip.source, file));
    if (again) return again.look(file);
    if (this.clips.some((clip) => same(clip.source, file))) throw new Problem("give.refused.twice");
    if (this.clips.length >= this.limits.clips) throw new Problem(t("give.refused.many", { n: this.limits.clips }));
    const clip = new Clip(crypto.randomUUID(), { name: file.name, size: file.size, modified: file.lastModified });
    await clip.look(file);
    this.clips.push(clip);
    void clip.keep().then(() => (this.clips.includes(clip) ? this.save() : clip.forget()));
  }

  async remove(clip: Clip): Promise<void> {
    this.clips = this.clips.filter((each) => each !== clip);
    await clip.forget();
    await this.save();
  }

  /** The name under which the agency sees a clip. A changed clip's name says so. */
  nameOf(clip: Clip): string {
    const number = this.clips.indexOf(clip) + 1;
    const copy = clip.changes ? clip.copy : null;
    const original = copy ? `x.${copy.extension}` : clip.source.name;
    const plain = this.keepNames
      ? sanitise(withEnding(clip.source.name, copy?.extension))
      : plainName(number, original);
    const done = copy?.how.filter((how) => how !== "recoded" || copy.how.length === 1) ?? [];
    if (done.length === 0) return this.unique(plain, clip, number);
    const dot = plain.lastIndexOf(".");
    const [stem, ending] = dot > 0 ? [plain.slice(0, dot), plain.slice(dot)] : [plain, ""];
    return this.unique(sanitise(`${stem}-${done.join("-")}${ending}`), clip, number);
  }

  // Two cameras may name their files alike.
  private unique(name: string, clip: Clip, number: number): string {
    const earlier = this.clips.slice(0, this.clips.indexOf(clip));
    const taken =
      this.keepNames && earlier.some((each) => each.source.name.toLowerCase() === clip.source.name.toLowerCase());
    return taken ? sanitise(`${String(number).padStart(2, "0")}-${name}`) : name;
  }

  outside(clip: Clip): boolean {
    return outside(clip.span, this.to.frame);
  }

  /** The clips as they are sealed. */
  sealClips(): SealClip[] {
    return this.clips.map((clip) => {
      const file = clip.given;
      if (!file) throw new Problem("player.problem.gone", "player.problem.gone.remedy");
      const copy = clip.changes ? clip.copy : null;
      return {
        name: this.nameOf(clip),
        file,
        from: clip.span ? rfc3339(clip.span.start) : undefined,
        until: clip.span ? rfc3339(clip.span.end) : undefined,
        known: clip.known,
        outside: this.outside(clip),
        ...(copy
          ? {
              altered: {
                how: copy.how,
                why: clip.edit.why.trim() || undefined,
                original_sha256: clip.original ?? undefined,
              },
            }
          : {}),
      };
    });
  }

  /** Keeps the draft; one after the other, the latest wins. */
  save(): Promise<void> {
    const draft: Omit<Draft, "updated"> = {
      destination: this.to.id,
      clips: this.clips.map((clip) => clip.kept()),
      page: { reach: this.reach, contact: $state.snapshot(this.contact), keepNames: this.keepNames },
    };
    // A browser that keeps nothing (a private window) still gives; only a reload loses the draft then.
    this.saving = this.saving.then(() => saveDraft(draft)).catch(() => undefined);
    return this.saving;
  }

  async load(): Promise<void> {
    const draft = await loadDraft(this.to.id).catch(() => null);
    if (!draft) return;
    this.clips = await Promise.all(draft.clips.map((clip) => Clip.from(clip)));
    const page = draft.page as { reach?: Reach; contact?: Required<Contact>; keepNames?: boolean };
    this.reach = page.reach ?? "anonymous";
    this.contact = { ...this.contact, ...page.contact };
    this.keepNames = page.keepNames ?? false;
  }

  /** Forgets all that was entered and made here. The chosen files stay where they are. */
  async clear(): Promise<void> {
    await this.saving;
    const clips = this.clips;
    this.clips = [];
    for (const clip of clips) await clip.forget();
    await deleteDraft(this.to.id).catch(() => undefined);
  }
}

function same(source: DraftClip["source"], file: File): boolean {
  return source.name === file.name && source.size === file.size && source.modified === file.lastModified;
}

function withEnding(name: string, extension: string | undefined): string {
  if (!extension) return name;
  const dot = name.lastIndexOf(".");
  return `${dot > 0 ? name.slice(0, dot) : name}.${extension}`;
}

function gone(error: unknown): Problem {
  if (error instanceof DOMException && (error.name === "NotReadableError" || error.name === "NotFoundError"))
    return new Problem("player.problem.gone", "player.problem.gone.remedy");
  return asProblem(error);
}

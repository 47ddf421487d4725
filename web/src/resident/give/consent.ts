/**
 * The words under which a resident gives: exactly what the agency receives and what it does not. What the page shows and what
 * `consent.json` holds are made from the same lines, so they can't differ.
 */
import type { bytes as sizeText, duration as lengthText } from "$lib/i18n/format";
import type { t as sayText } from "$lib/i18n/index.svelte";
import type { Contact } from "$lib/seal/types";

/** A part of the consent: what it is about, and its points. A part without points is a plain sentence. */
export interface Part {
  title: string;
  points: string[];
}

/** What the consent says of a clip. */
export interface ClipFacts {
  /** The name that the agency sees. */
  name: string;
  bytes: number;
  /** Its time at the place in words; none if nobody knows. */
  when: string | null;
  known: "recording" | "file-time" | "told" | "unknown";
  outside: boolean;
  /** How it was changed here, and why. */
  how: ("trimmed" | "blurred" | "recoded" | "muted")[];
  why: string;
  /** Whether the original's SHA-256 goes along. */
  original: boolean;
}

/** All that the consent speaks of. */
export interface ConsentFacts {
  agency: { name: string; class: string };
  destination: string;
  /** The agency's code of its case; none for a portal. */
  code: string | null;
  clips: ClipFacts[];
  /** Whether clips go under the names of their files. */
  keepNames: boolean;
  mailbox: boolean;
  contact: Contact | null;
}

/** How the language's texts are made; handed in, so that this stays pure. */
export interface Words {
  say: typeof sayText;
  size: typeof sizeText;
  length: typeof lengthText;
}

/** The parts of the consent, in the order in which they are shown. */
export function consentParts(facts: ConsentFacts, { say, size }: Words): Part[] {
  const { agency, destination, code, contact } = facts;
  const who = [contact?.name, contact?.phone, contact?.email].map((text) => text?.trim()).filter(Boolean);
  const receives = [
    ...facts.clips.map((clip) => clipLine(clip, say, size)),
    ...facts.clips.filter((clip) => clip.how.length > 0).map((clip) => changeLine(clip, say)),
    say("give.consent.inside"),
    say("give.consent.papers"),
    ...(facts.mailbox ? [say("give.consent.mailbox")] : []),
    ...(who.length > 0 ? [say("give.consent.who", { who: who.join(", ") })] : []),
  ];
  const not = [
    ...(who.length > 0 ? [] : [say("give.consent.not.who")]),
    ...(facts.mailbox ? [] : [say("give.consent.not.mailbox")]),
    ...(facts.keepNames ? [] : [say("give.consent.not.names")]),
    say("give.consent.not.rest"),
  ];
  return [
    {
      title: say("give.consent.to", {
        agency: agency.name,
        class: say(`class.${agency.class}` as "class.other"),
        id: destination,
      }),
      points: [],
    },
    ...(code ? [{ title: say("give.consent.code", { code }), points: [] }] : []),
    { title: say("give.consent.receives"), points: receives },
    { title: say("give.consent.not"), points: not },
    { title: say("give.consent.sealed"), points: [] },
    { title: say("give.consent.withdraw"), points: [] },
  ];
}

/** The consent as lines, word for word as shown: `text` of `consent.json`. */
export function consentLines(parts: readonly Part[]): string[] {
  return parts.flatMap((part) => [part.title, ...part.points.map((point) => `  ${point}`)]);
}

function clipLine(clip: ClipFacts, say: Words["say"], size: Words["size"]): string {
  const told = {
    recording: "give.consent.when.recording",
    "file-time": "give.consent.when.file",
    told: "give.consent.when.told",
    unknown: "give.consent.when.unknown",
  } as const;
  const known = clip.when === null ? "unknown" : clip.known;
  const when = say(told[known], { when: clip.when ?? "" });
  const line = say("give.consent.clip", { name: clip.name, size: size(clip.bytes), when });
  return clip.outside ? say("give.consent.outside", { clip: line }) : line;
}

function changeLine(clip: ClipFacts, say: Words["say"]): string {
  const how = clip.how.map((each) => say(`give.how.${each}`)).join(", ");
  const why = clip.why.trim();
  const line = why
    ? say("give.consent.changed.why", { name: clip.name, how, why })
    : say("give.consent.changed", { name: clip.name, how });
  return clip.original ? `${line} ${say("give.consent.original")}` : line;
}

/** What a file is: whether it is a recording, how long, how large, from when, and what can be done with it here. */
import { ALL_FORMATS, BlobSource, CanvasSink, Input, type InputVideoTrack } from "mediabunny";

import { createdIn, plausible } from "./created";

/** When a clip begins and ends in the times of its file, in seconds: recorders may count from anywhere. */
export async function extent(input: Input): Promise<{ begin: number; end: number }> {
  const begin = Math.max(0, await input.getFirstTimestamp());
  const told = await input.getDurationFromMetadata();
  const end = told !== null && told > begin ? told : await input.computeDuration();
  return { begin, end: Math.max(begin, end) };
}

/** What was found out about a file. */
export interface Probe {
  /** What kind of file it seems to be; `unknown` may well be a recording that only its recorder's own player opens. */
  kind: "video" | "audio" | "picture" | "text" | "document" | "unknown";
  /** Whether this browser shows it. */
  playable: boolean;
  /** Whether it can be cut here without changing its picture. */
  cuttable: boolean;
  /** Whether its picture can be changed here: it can be read, decoded and encoded. */
  editable: boolean;
  /** Name of the container for people: `MP4`, `Matroska`, `AVI`; none if we don't know it. */
  container: string | null;
  /** Length in seconds. */
  duration: number | null;
  /** Size of the shown picture in pixels, after rotation. */
  width: number | null;
  height: number | null;
  /** By how much the shown picture is turned, in degrees. */
  rotation: number;
  /** When it began, as the recorder wrote. */
  created: Date | null;
  /** Codecs, as WebCodecs names them (`avc`, `hevc`, `aac`). */
  video: string | null;
  audio: string | null;
}

const NOTHING: Probe = {
  kind: "unknown",
  playable: false,
  cuttable: false,
  editable: false,
  container: null,
  duration: null,
  width: null,
  height: null,
  rotation: 0,
  created: null,
  video: null,
  audio: null,
};

/** Longest that a browser is waited for to say whether it plays a file, in milliseconds. */
const PATIENCE = 8000;

/** An input over a file, to be disposed by the caller. */
export function openInput(file: Blob): Input<BlobSource> {
  return new Input({ source: new BlobSource(file), formats: ALL_FORMATS });
}

/** Looks at a file. Never throws for what the file holds; an unreadable file (moved away) does throw. */
export async function probe(file: Blob): Promise<Probe> {
  // Throws NotReadableError when the file is gone; everything after is about its content.
  const head = new Uint8Array(await file.slice(0, 4096).arrayBuffer());
  const input = openInput(file);
  try {
    if (await input.canRead()) {
      const found = await read(input, file);
      if (found.video || found.audio) return found;
    }
  } catch {
    // Broken inside: it is treated as what we can't read.
  } finally {
    input.dispose();
  }
  const guess = guessKind(head);
  if (guess.kind === "text" || guess.kind === "document") return { ...NOTHING, ...guess };
  const shown = guess.kind === "picture" ? null : await tryPlaying(file);
  return { ...NOTHING, ...guess, ...(shown ?? {}) };
}

async function read(input: Input, file: Blob): Promise<Probe> {
  const [format, video, audio] = await Promise.all([
    input.getFormat(),
    input.getPrimaryVideoTrack(),
    input.getPrimaryAudioTrack(),
  ]);
  const { begin, end } = await extent(input);
  const duration = end - begin;
  const decodes = (await video?.canDecode()) ?? false;
  const shown = video ? await tryPlaying(file) : null;
  return {
    ...NOTHING,
    kind: video ? "video" : "audio",
    playable: shown !== null || decodes,
    cuttable: true,
    editable: decodes,
    container: format.name,
    duration: Number.isFinite(duration) && duration > 0 ? duration : (shown?.duration ?? null),
    width: (await video?.getDisplayWidth()) ?? null,
    height: (await video?.getDisplayHeight()) ?? null,
    rotation: (await video?.getRotation()) ?? 0,
    created: await recordedAt(input, file),
    video: (await video?.getCodec()) ?? null,
    audio: (await audio?.getCodec()) ?? null,
  };
}

/** Tags that hold a whole time: what phones and our own copies write. */
export const TIME_TAG = { iso: "com.apple.quicktime.creationdate", matroska: "DATE_RECORDED" } as const;

/** When the recording began, as its recorder wrote; none where it wrote nothing, or its clock was never set. */
export async function recordedAt(input: Input, file: Blob): Promise<Date | null> {
  const [tags, inside] = await Promise.all([input.getMetadataTags().catch(() => null), createdIn(file)]);
  // With its offset from UTC it is better than the container's own clock, where some write local time.
  const whole = tags?.raw?.[TIME_TAG.iso] ?? tags?.raw?.[TIME_TAG.matroska];
  const told = typeof whole === "string" ? plausible(new Date(whole)) : null;
  // Of other dates often only the day is true.
  return told ?? inside ?? (tags?.date ? plausible(tags.date) : null);
}

/** Whether the browser's own player takes it, and what it says then. */
function tryPlaying(file: Blob): Promise<Pick<Probe, "kind" | "playable" | "duration" | "width" | "height"> | null> {
  const element = document.createElement("video");
  const address = URL.createObjectURL(file);
  return new Promise<Awaited<ReturnType<typeof tryPlaying>>>((resolve) => {
    const timer = setTimeout(() => resolve(null), PATIENCE);
    element.onerror = () => {
      clearTimeout(timer);
      resolve(null);
    };
    element.onloadedmetadata = () => {
      clearTimeout(timer);
      const picture = element.videoWidth > 0;
      resolve({
        kind: picture ? "video" : "audio",
        playable: true,
        duration: Number.isFinite(element.duration) ? element.duration : null,
        width: picture ? element.videoWidth : null,
        height: picture ? element.videoHeight : null,
      });
    };
    element.preload = "metadata";
    element.muted = true;
    element.src = address;
  }).finally(() => {
    element.removeAttribute("src");
    element.load();
    URL.revokeObjectURL(address);
  });
}

const MAGIC: [RegExp, Probe["kind"], string | null][] = [
  [/^RIFF....AVI /s, "video", "AVI"],
  [/^\x30\x26\xb2\x75\x8e\x66\xcf\x11/, "video", "WMV"],
  [/^FLV\x01/, "video", "FLV"],
  [/^\x00\x00\x01[\xba\xb3]/, "video", "MPEG"],
  [/^(IMKH|DHAV|DHII|HKMI)/, "video", "DVR"],
  [/^(\xff\xd8\xff|\x89PNG|GIF8|RIFF....WEBP|....ftyp(heic|heix|mif1|avif))/s, "picture", null],
  [/^%PDF/, "document", "PDF"],
  [/^PK\x03\x04/, "document", "ZIP"],
  [/^\xd0\xcf\x11\xe0/, "document", null],
];

/** Guesses from a file's first bytes what it is. */
export function guessKind(head: Uint8Array): Pick<Probe, "kind" | "container"> {
  const text = Array.from(head.subarray(0, 32), (byte) => String.fromCharCode(byte)).join("");
  for (const [pattern, kind, container] of MAGIC) if (pattern.test(text)) return { kind, container };
  if (head.length > 0 && isText(head)) return { kind: "text", container: null };
  return { kind: "unknown", container: null };
}

function isText(head: Uint8Array): boolean {
  // The last character may be cut in two.
  const whole = head.subarray(0, Math.max(1, head.length - 3));
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(head.length >= 4096 ? whole : head);
    return [...text].every((sign) => sign >= " " || "\n\r\t\f".includes(sign));
  } catch {
    return false;
  }
}

/** A small picture of a clip, a tenth of the way in; none if it can't be decoded. Address of a blob, to be revoked. */
export async function thumbnail(file: Blob, width = 240): Promise<string | null> {
  const input = openInput(file);
  try {
    const track = await input.getPrimaryVideoTrack();
    if (!track || !(await track.canDecode())) return null;
    return await still(track, width);
  } catch {
    return null;
  } finally {
    input.dispose();
  }
}

async function still(track: InputVideoTrack, width: number): Promise<string | null> {
  const [first, length] = [await track.getFirstTimestamp(), await track.getDurationFromMetadata()];
  const sink = new CanvasSink(track, { width });
  const shot = await sink.getCanvas(first + Math.min(5, (length ?? 0) * 0.1));
  if (!shot) return null;
  const canvas = shot.canvas;
  const blob =
    canvas instanceof OffscreenCanvas
      ? await canvas.convertToBlob({ type: "image/jpeg", quality: 0.8 })
      : await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.8));
  return blob && URL.createObjectURL(blob);
}

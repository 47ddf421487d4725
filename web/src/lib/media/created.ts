/**
 * When a recorder says that a recording began. The library that reads our containers does not tell the two fields that
 * nearly every camera writes (ISO 14496-12 `mvhd`, Matroska `DateUTC`), so these two, and no others, are looked up here.
 */

/** Seconds from 1904, where ISO containers count from, to 1970. */
const ISO_EPOCH = 2_082_844_800;
/** Milliseconds of 2001, where Matroska counts from. */
const MATROSKA_EPOCH = Date.UTC(2001, 0, 1);
/** Recorders without a clock write the beginning of 1904 or 1970. */
const EARLIEST = Date.UTC(1971, 0, 1);
/** How much of a Matroska file is looked through, in bytes. */
const MATROSKA_HEAD = 256 * 1024;
/** Most boxes of an ISO file that are stepped over. */
const MOST_BOXES = 4096;

/** A time that a clock may have shown; none for a recorder whose clock was never set. */
export function plausible(at: Date, now = Date.now()): Date | null {
  const time = at.getTime();
  // A day of grace: recorders that write local time as if it were UTC may seem ahead.
  return Number.isFinite(time) && time > EARLIEST && time < now + 86_400_000 ? at : null;
}

/** The beginning that the container tells; none where it tells none. Never throws for what a file holds. */
export async function createdIn(file: Blob): Promise<Date | null> {
  try {
    const head = new DataView(await file.slice(0, 16).arrayBuffer());
    if (head.byteLength < 12) return null;
    if (head.getUint32(0) === 0x1a45dfa3) return await matroska(file);
    return await iso(file);
  } catch {
    return null;
  }
}

async function iso(file: Blob): Promise<Date | null> {
  const movie = await findBox(file, 0, file.size, "moov");
  const header = movie && (await findBox(file, movie.start, movie.end, "mvhd"));
  if (!header) return null;
  const view = new DataView(await file.slice(header.start, header.start + 12).arrayBuffer());
  const seconds = view.getUint8(0) === 1 ? Number(view.getBigUint64(4)) : view.getUint32(4);
  return plausible(new Date((seconds - ISO_EPOCH) * 1000));
}

async function findBox(file: Blob, from: number, until: number, name: string) {
  let at = from;
  for (let count = 0; count < MOST_BOXES && at + 8 <= until; count += 1) {
    const view = new DataView(await file.slice(at, at + 16).arrayBuffer());
    const type = String.fromCharCode(...new Uint8Array(view.buffer, 4, 4));
    if (!/^[\x20-\x7e\xa9]{4}$/.test(type)) return null;
    const short = view.getUint32(0);
    const [size, header] = short === 1 ? [Number(view.getBigUint64(8)), 16] : [short === 0 ? until - at : short, 8];
    if (size < header) return null;
    if (type === name) return { start: at + header, end: at + size };
    at += size;
  }
  return null;
}

// `44 61` is the element's id and `88` its length, which is always 8: a signed number of nanoseconds since 2001.
async function matroska(file: Blob): Promise<Date | null> {
  const bytes = new Uint8Array(await file.slice(0, MATROSKA_HEAD).arrayBuffer());
  const view = new DataView(bytes.buffer);
  for (let at = 0; at + 11 <= bytes.length; at += 1) {
    if (bytes[at] !== 0x44 || bytes[at + 1] !== 0x61 || bytes[at + 2] !== 0x88) continue;
    const date = plausible(new Date(MATROSKA_EPOCH + Number(view.getBigInt64(at + 3) / 1_000_000n)));
    if (date) return date;
  }
  return null;
}

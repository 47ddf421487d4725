/** The poster of a request: one page of PDF, made on the device. */
import { PageSizes, PDFDocument, type PDFFont, type PDFPage, rgb, StandardFonts } from "@cantoo/pdf-lib";

import type { Position, RequestBody } from "$lib/format/types";
import type { Language } from "$lib/i18n/index.svelte";
import { outlines } from "$lib/map/base";
import { areaSqMi, type Bounds, boundsOfAreas, centreOf, mercator, padded } from "$lib/map/geometry";
import { placesIn } from "$lib/map/places";
import { metresPerPixel, scaleBar } from "$lib/map/scale";

import { qr } from "./qr";
import { type Say, wordsIn } from "./words-in";

/** What a poster is made from. */
export interface PosterInput {
  body: RequestBody;
  /** The request's public address. */
  link: string;
  /** Where the area lies, in words. */
  where: string;
  /** Until when offers are taken, RFC 3339. */
  closes: string | null;
  /** Languages, the first one leads; one or two. */
  languages: Language[];
  paper: "letter" | "a4";
  miles: boolean;
}

/** The text has letters that the fonts of every PDF reader don't have; the page itself prints them. */
export class PosterLetters extends Error {}

const INK = rgb(0.1, 0.12, 0.14);
const QUIET = rgb(0.29, 0.32, 0.35);
const ACCENT = rgb(0.06, 0.36, 0.35);
const SOFT = rgb(0.89, 0.94, 0.94);
const LINE = rgb(0.72, 0.75, 0.77);
const MARGIN = 44;

/** Spaces that number and date formats use, and that the standard fonts lack. */
function plain(text: string): string {
  return text.replace(/[\u2000-\u200a\u202f]/g, " ").replace(/\u200b/g, "");
}

/** Whether a font has all letters of a text. */
function printable(font: PDFFont, text: string): boolean {
  const letters = new Set(font.getCharacterSet());
  return [...plain(text)].every((letter) => letters.has(letter.codePointAt(0) ?? 0));
}

/** Lines of at most `width` points. A word longer than a line is broken. */
export function wrap(text: string, font: Pick<PDFFont, "widthOfTextAtSize">, size: number, width: number): string[] {
  const lines: string[] = [];
  for (const paragraph of plain(text).split(/\r?\n/)) {
    let line = "";
    for (const word of paragraph.split(/\s+/).filter(Boolean)) {
      let rest = word;
      const with_ = line ? `${line} ${rest}` : rest;
      if (font.widthOfTextAtSize(with_, size) <= width) {
        line = with_;
        continue;
      }
      if (line) lines.push(line);
      while (font.widthOfTextAtSize(rest, size) > width) {
        let cut = rest.length - 1;
        while (cut > 1 && font.widthOfTextAtSize(rest.slice(0, cut), size) > width) cut -= 1;
        lines.push(rest.slice(0, cut));
        rest = rest.slice(cut);
      }
      line = rest;
    }
    lines.push(line);
  }
  return lines;
}

/** Draws from the top down. */
class Sheet {
  y: number;
  constructor(
    readonly page: PDFPage,
    readonly normal: PDFFont,
    readonly bold: PDFFont,
  ) {
    this.y = page.getHeight() - MARGIN;
  }

  get width(): number {
    return this.page.getWidth() - 2 * MARGIN;
  }

  /** Text in lines; returns how many lines did not fit `most`. */
  text(
    text: string,
    size: number,
    options: { bold?: boolean; color?: typeof INK; x?: number; width?: number; most?: number; gap?: number } = {},
  ): number {
    const font = options.bold ? this.bold : this.normal;
    const lines = wrap(text, font, size, options.width ?? this.width);
    const shown = lines.slice(0, options.most ?? lines.length);
    for (const line of shown) {
      this.y -= size * 1.05;
      this.page.drawText(line, { x: options.x ?? MARGIN, y: this.y, size, font, color: options.color ?? INK });
      this.y -= size * 0.27;
    }
    this.y -= options.gap ?? 0;
    return lines.length - shown.length;
  }
}

function head(sheet: Sheet, input: PosterInput, says: Say[]): void {
  const [say, other] = says as [Say, Say?];
  const { page } = sheet;
  page.drawRectangle({ x: 0, y: page.getHeight() - 14, width: page.getWidth(), height: 14, color: ACCENT });
  sheet.text(input.body.agency.name, 13, { bold: true, color: QUIET, gap: 2 });
  sheet.text(say("look.poster.title"), 34, { bold: true });
  if (other) sheet.text(other("look.poster.title"), 18, { color: QUIET });
  sheet.y -= 6;
}

function frameIn(language: Language, { start, end, zone }: RequestBody["time_frame"]): string {
  return new Intl.DateTimeFormat(language, {
    weekday: "long",
    year: "numeric",
    month: "long",
    day: "numeric",
    hour: "numeric",
    minute: "2-digit",
    timeZoneName: "short",
    timeZone: zone,
  }).formatRange(new Date(start), new Date(end));
}

function facts(sheet: Sheet, input: PosterInput, says: Say[]): void {
  const { body } = input;
  says.forEach((say, at) => {
    const language = input.languages[at] ?? "en";
    const main = at === 0;
    const color = main ? INK : QUIET;
    sheet.text(say(`incident.${body.incident}`), main ? 20 : 13, { bold: true, color: main ? ACCENT : QUIET });
    sheet.text(frameIn(language, body.time_frame), main ? 15 : 12, { bold: main, color });
    if (main) sheet.text(input.where, 15, { bold: true, gap: 4 });
  });
  sheet.y -= 4;
  const cut = sheet.text(body.details, body.details.length > 500 ? 12 : 14, { most: 9, gap: 2 });
  if (cut > 0) sheet.text((says[0] as Say)("look.poster.more"), 11, { color: QUIET });
  sheet.y -= 8;
}

function drawQr(page: PDFPage, text: string, x: number, y: number, side: number): void {
  const { size, rows } = qr(text);
  const unit = side / size;
  page.drawRectangle({ x, y, width: side, height: side, color: rgb(1, 1, 1), borderColor: LINE, borderWidth: 0.5 });
  rows.forEach((row, line) => {
    for (let from = 0; from < size;) {
      if (row[from] !== true) {
        from += 1;
        continue;
      }
      let to = from;
      while (row[to] === true) to += 1;
      // A hair more than a module, so that no white line shows between rows.
      page.drawRectangle({
        x: x + from * unit,
        y: y + side - (line + 1) * unit,
        width: (to - from) * unit,
        height: unit * 1.02,
        color: rgb(0, 0, 0),
      });
      from = to;
    }
  });
}

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A map of a box of the earth in a box of the page. */
function projection(view: Bounds, box: Box): { at: (point: Position) => [number, number]; world: number } {
  const [w, n] = mercator([view[0], view[3]]);
  const [e, s] = mercator([view[2], view[1]]);
  const world = Math.min(box.width / (e - w), box.height / (s - n));
  const [cx, cy] = [(w + e) / 2, (n + s) / 2];
  const at = (point: Position): [number, number] => {
    const [x, y] = mercator(point);
    return [box.x + box.width / 2 + (x - cx) * world, box.y + box.height / 2 - (y - cy) * world];
  };
  return { at, world };
}

/** The part of a segment inside a box (Liang and Barsky). */
export function clipped(
  [x1, y1]: [number, number],
  [x2, y2]: [number, number],
  box: Box,
): [[number, number], [number, number]] | undefined {
  let [from, to] = [0, 1];
  const [dx, dy] = [x2 - x1, y2 - y1];
  for (const [p, q] of [
    [-dx, x1 - box.x],
    [dx, box.x + box.width - x1],
    [-dy, y1 - box.y],
    [dy, box.y + box.height - y1],
  ] as const) {
    if (p === 0 && q < 0) return undefined;
    if (p === 0) continue;
    const r = q / p;
    if (p < 0) from = Math.max(from, r);
    else to = Math.min(to, r);
  }
  if (from > to) return undefined;
  return [
    [x1 + from * dx, y1 + from * dy],
    [x1 + to * dx, y1 + to * dy],
  ];
}

async function drawMap(sheet: Sheet, input: PosterInput, box: Box, say: Say): Promise<void> {
  const { page } = sheet;
  page.drawRectangle({ ...box, color: rgb(1, 1, 1), borderColor: LINE, borderWidth: 1 });
  const bounds = boundsOfAreas([input.body.area]) ?? [0, 0, 0, 0];
  const view = padded(bounds, 0.6, 9_000);
  const { at, world } = projection(view, box);
  const lines = await outlines(view, 2).catch(() => undefined);
  const segment = (from: Position, to: Position, thickness: number, color: typeof INK) => {
    const part = clipped(at(from), at(to), box);
    if (!part) return;
    const [[x1, y1], [x2, y2]] = part;
    page.drawLine({ start: { x: x1, y: y1 }, end: { x: x2, y: y2 }, thickness, color });
  };
  for (const { geometry, properties } of lines?.lines.features ?? [])
    for (const line of geometry.coordinates)
      for (let i = 0; i + 1 < line.length; i += 1)
        segment(line[i] as Position, line[i + 1] as Position, properties.rank === 3 ? 0.5 : 1, LINE);
  const ring = input.body.area.coordinates[0] ?? [];
  const path = ring.map((point, i) => {
    const [x, y] = at(point);
    return `${i === 0 ? "M" : "L"}${x.toFixed(2)} ${(-y).toFixed(2)}`;
  });
  page.drawSvgPath(`${path.join(" ")} Z`, { x: 0, y: 0, color: SOFT, borderColor: ACCENT, borderWidth: 2 });
  const heights = ring.map((point) => at(point)[1]);
  const half = (Math.max(...heights) - Math.min(...heights)) / 2;
  await towns(sheet, box, view, at, centreOf(input.body.area), half);
  const bar = scaleBar(metresPerPixel((view[1] + view[3]) / 2, world), box.width / 3, input.miles);
  const [x, y] = [box.x + 8, box.y + 10];
  page.drawLine({ start: { x, y }, end: { x: x + bar.pixels, y }, thickness: 1.5, color: INK });
  const unit = new Intl.NumberFormat(input.languages[0], { style: "unit", unit: bar.unit }).format(bar.value);
  page.drawText(plain(unit), { x, y: y + 4, size: 8, font: sheet.normal, color: INK });
  const size = say("look.poster.size", { size: areaSqMi(input.body.area).toFixed(2) });
  page.drawText(plain(size), { x: box.x + 8, y: box.y + box.height - 14, size: 8, font: sheet.normal, color: QUIET });
}

async function towns(
  sheet: Sheet,
  box: Box,
  view: Bounds,
  at: (point: Position) => [number, number],
  middle: Position,
  half: number,
): Promise<void> {
  const shown: [number, number][] = [];
  const [mx, my] = at(middle);
  for (const { name, point } of await placesIn(view, 20).catch(() => [])) {
    let [x, y] = at(point);
    // The town that the area lies in is named below the area, not under it.
    if (Math.abs(x - mx) < 50 && Math.abs(y - my) < half) [x, y] = [mx, my - half - 10];
    const text = printable(sheet.normal, name) ? plain(name) : "";
    const wide = text ? sheet.normal.widthOfTextAtSize(text, 9) / 2 : 0;
    const inside =
      x - wide > box.x + 4 && x + wide < box.x + box.width - 4 && y > box.y + 26 && y < box.y + box.height - 22;
    const free = shown.every(([ox, oy]) => Math.abs(ox - x) > 60 || Math.abs(oy - y) > 13);
    if (!text || !inside || !free || shown.length > 8) continue;
    shown.push([x, y]);
    sheet.page.drawText(text, { x: x - wide, y: y - 3, size: 9, font: sheet.normal, color: QUIET });
  }
}

function foot(sheet: Sheet, input: PosterInput, says: Say[]): void {
  const { body } = input;
  // What is left of the page decides how large its last part is.
  const k = Math.min(1.35, Math.max(0.85, (sheet.y - MARGIN) / (says.length > 1 ? 215 : 145)));
  for (const [at, say] of says.entries()) {
    const color = at === 0 ? INK : QUIET;
    sheet.text(say("look.poster.give"), (at === 0 ? 13 : 10) * k, { color, bold: at === 0 });
    sheet.text(say("look.poster.unseen"), (at === 0 ? 11 : 10) * k, { color });
    sheet.text(say("look.poster.check"), (at === 0 ? 11 : 10) * k, { color, gap: 5 * k });
  }
  const say = says[0] as Say;
  const contact = [body.contact.name, body.contact.phone, body.contact.email].filter(Boolean).join(" · ");
  sheet.text(say("look.poster.contact", { contact, code: body.code }), 12 * k, { bold: true });
  if (input.closes) {
    const until = new Intl.DateTimeFormat(input.languages[0], { dateStyle: "long", timeZone: body.time_frame.zone });
    sheet.text(say("look.poster.until", { day: until.format(new Date(input.closes)) }), 12 * k, { gap: 4 * k });
  }
  sheet.text(input.link, 9, { color: QUIET });
}

/** Makes the poster. Throws {@link PosterLetters} when a text needs letters outside the standard fonts. */
export async function makePoster(input: PosterInput): Promise<Uint8Array> {
  const document = await PDFDocument.create();
  const says = await Promise.all(input.languages.map(wordsIn));
  const say = says[0] as Say;
  const title = `${say("look.poster.title")} ${input.body.code}`;
  document.setTitle(title, { showInWindowTitleBar: true });
  document.setLanguage(input.languages[0] ?? "en");
  document.setCreator("Canvass");
  const [normal, bold] = await Promise.all([
    document.embedFont(StandardFonts.Helvetica),
    document.embedFont(StandardFonts.HelveticaBold),
  ]);
  const { agency, contact, code, details } = input.body;
  const texts = [agency.name, contact.name, contact.email ?? "", code, input.where, details.replace(/\s/g, " ")];
  if (!texts.every((text) => printable(normal, text))) throw new PosterLetters("letters outside the standard fonts");
  const sheet = new Sheet(document.addPage(input.paper === "letter" ? PageSizes.Letter : PageSizes.A4), normal, bold);
  head(sheet, input, says);
  facts(sheet, input, says);
  // Map and code side by side, as large as what is left allows.
  const side = Math.min((sheet.width - 16) / 2, Math.max(150, sheet.y - MARGIN - (says.length > 1 ? 235 : 165)));
  const y = sheet.y - side;
  await drawMap(sheet, input, { x: MARGIN, y, width: sheet.width - side - 16, height: side }, say);
  drawQr(sheet.page, input.link, MARGIN + sheet.width - side, y, side);
  sheet.y = y - 12;
  foot(sheet, input, says);
  return document.save();
}

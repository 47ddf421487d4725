/** What the draft form holds, and how it becomes a draft of the API and back. Times are local to the place's zone. */
import type { Polygon } from "$lib/format/types";

import type { DraftBody } from "./api";

/** The form's fields, as typed. */
export interface Form {
  code: string;
  incident: string;
  details: string;
  name: string;
  phone: string;
  email: string;
  area: Polygon | null;
  /** `2026-11-20T22:00`, local to the zone. */
  start: string;
  end: string;
  /** `-04:00`, where the clocks make a local time ambiguous and the member chose which is meant. */
  startOffset: string;
  endOffset: string;
  zone: string;
  languages: string[];
  activeDays: string;
  ownCase: boolean;
}

/** An empty form; the zone is this computer's when it is the name of a place. */
export function emptyForm(zone: string, language: string, activeDays: number): Form {
  return {
    code: "",
    incident: "",
    details: "",
    name: "",
    phone: "",
    email: "",
    area: null,
    start: "",
    end: "",
    startOffset: "",
    endOffset: "",
    zone: isPlace(zone) ? zone : "",
    languages: [language],
    activeDays: String(activeDays),
    ownCase: false,
  };
}

/** Whether a zone's name is that of a place; the server refuses the others, which know no clock changes. */
export function isPlace(zone: string): boolean {
  return zone.includes("/") && !zone.startsWith("Etc/");
}

/** The local time of a moment in a zone, `2026-11-20T22:00`, with seconds only when there are any. */
export function localTime(moment: string, zone: string): string {
  const date = new Date(moment);
  if (Number.isNaN(date.getTime())) return "";
  const parts = new Map(
    new Intl.DateTimeFormat("en-CA", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    })
      .formatToParts(date)
      .map((part) => [part.type, part.value]),
  );
  const get = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? "";
  const text = `${get("year")}-${get("month")}-${get("day")}T${get("hour")}:${get("minute")}`;
  return get("second") === "00" ? text : `${text}:${get("second")}`;
}

/** The offset that a zone keeps at a moment, `-05:00`. */
export function offsetAt(moment: string, zone: string): string {
  const part = new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" })
    .formatToParts(new Date(moment))
    .find((each) => each.type === "timeZoneName")?.value;
  return part === "GMT" ? "+00:00" : (part ?? "").replace("GMT", "");
}

function split(text: string, zone: string): [string, string] {
  const found = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2})?)(Z|[+-]\d{2}:\d{2})?$/i.exec(text.trim());
  if (!found?.[1]) return ["", ""];
  if (!found[2]) return [found[1], ""];
  try {
    return [localTime(text, zone), offsetAt(text, zone)];
  } catch {
    // A zone that is no zone: the text is shown as it stands.
    return [found[1], ""];
  }
}

/** The form of a stored draft. */
export function formOf(draft: DraftBody): Form {
  const [start, startOffset] = split(draft.start, draft.zone);
  const [end, endOffset] = split(draft.end, draft.zone);
  return {
    code: draft.code,
    incident: draft.incident,
    details: draft.details,
    name: draft.contact.name,
    phone: draft.contact.phone ?? "",
    email: draft.contact.email ?? "",
    area: draft.area,
    start,
    end,
    startOffset,
    endOffset,
    zone: draft.zone,
    languages: [...draft.languages],
    activeDays: String(draft.active_days),
    ownCase: draft.own_case,
  };
}

/** The draft of a form; incomplete fields are left as they are, for the check to name. */
export function draftOf(form: Form): Omit<DraftBody, "area" | "incident"> & { area: Polygon | null; incident: string } {
  const days = Number(form.activeDays);
  return {
    code: form.code.trim(),
    incident: form.incident,
    details: form.details.normalize("NFC").trim(),
    contact: {
      name: form.name.normalize("NFC").trim(),
      ...(form.phone.trim() ? { phone: form.phone.trim() } : {}),
      ...(form.email.trim() ? { email: form.email.trim() } : {}),
    },
    area: form.area,
    start: withOffset(form.start, form.startOffset),
    end: withOffset(form.end, form.endOffset),
    zone: form.zone,
    languages: form.languages,
    active_days: Number.isInteger(days) && days >= 0 ? days : 0,
    own_case: form.ownCase,
  };
}

function withOffset(local: string, offset: string): string {
  if (!local || !offset) return local;
  return `${local.length === 16 ? `${local}:00` : local}${offset}`;
}

/** What a draft must hold before it can be stored: the server keeps drafts with problems, but not without these. */
export function unstorable(form: Form): ("incident" | "area")[] {
  const missing: ("incident" | "area")[] = [];
  if (!form.incident) missing.push("incident");
  if (!form.area || (form.area.coordinates[0]?.length ?? 0) < 4) missing.push("area");
  return missing;
}

/** The readings between which the member must choose, when the clocks make a local time ambiguous. */
export function readings(remedy: string): string[] {
  return remedy.match(/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2})?[+-]\d{2}:\d{2}/g) ?? [];
}

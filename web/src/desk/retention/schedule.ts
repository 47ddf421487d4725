/** When things will be destroyed, grouped for reading. Pure. */

/** One entry of `GET /retention`. */
export interface Due {
  subject: string;
  what: string;
  due: string;
  held: boolean;
  reason: string;
  name?: string | null;
  case?: string | null;
  rule?: { field: string; days: number } | null;
  hold?: { id: string; subject: string; basis: string } | null;
}

/** The entries of one week. */
export interface Week {
  /** Its Monday at midnight, in the reader's own time. */
  start: Date;
  entries: Due[];
}

/** Monday at midnight before or at a moment, in local time. */
export function monday(at: Date): Date {
  const start = new Date(at);
  start.setHours(0, 0, 0, 0);
  start.setDate(start.getDate() - ((start.getDay() + 6) % 7));
  return start;
}

/** Groups by week, soonest first; what is past already comes in a group of its own, which has no week. */
export function byWeek(entries: readonly Due[], now: Date): { past: Due[]; weeks: Week[] } {
  const sorted = [...entries].sort((one, two) => one.due.localeCompare(two.due));
  const past = sorted.filter((entry) => new Date(entry.due) <= now);
  const weeks: Week[] = [];
  for (const entry of sorted.slice(past.length)) {
    const start = monday(new Date(entry.due));
    const last = weeks.at(-1);
    if (last?.start.getTime() === start.getTime()) last.entries.push(entry);
    else weeks.push({ start, entries: [entry] });
  }
  return { past, weeks };
}

/** Where the page of a subject lies; null where it has none. */
export function hrefOf(subject: string): string | null {
  const pages: Record<string, string> = { off: "inbox", itm: "items", cas: "cases", req: "requests" };
  const page = pages[subject.slice(0, 3)];
  return page ? `/desk/${page}/${subject}` : subject.startsWith("por_") ? "/desk/portals" : null;
}

/** The setting that decides about an entry, for servers that do not say it themselves. */
export function ruleOf(entry: Due, days: Partial<Record<string, number>>): { field: string; days: number } | null {
  if (entry.rule) return { ...entry.rule, field: entry.rule.field.replace(/^retention\./, "") };
  const fields: Record<string, string> = {
    item: "closed_case_days",
    mailbox: "mailbox_days",
    text: "draft_days",
    record: "record_days",
  };
  const envelope = entry.reason === "declined" ? "declined_days" : "untriaged_days";
  const field = entry.what === "envelope" ? envelope : fields[entry.what];
  const found = field ? days[field] : undefined;
  return field && found !== undefined ? { field, days: found } : null;
}

/** A length of time in the unit that people would use. */
export function span(seconds: number): { unit: "seconds" | "minutes" | "hours" | "days"; n: number } {
  if (seconds < 120) return { unit: "seconds", n: seconds };
  if (seconds < 7_200) return { unit: "minutes", n: Math.round(seconds / 60) };
  if (seconds < 172_800) return { unit: "hours", n: Math.round(seconds / 3_600) };
  return { unit: "days", n: Math.round(seconds / 86_400) };
}

/**
 * Purposes at the desk: what may be chosen, what a form lacks before it is sent, and what a member wrote last for each case or
 * request in this tab, which is offered again and never sent by itself.
 */
import { api, type Schemas } from "$lib/api/client";
import type { MessageKey } from "$lib/i18n/index.svelte";
import type { Purpose } from "$lib/purpose";

import { whenSessionEnds } from "../session/session.svelte";

export type Choices = Schemas["PurposeChoices"];
export type ClassChoice = Schemas["ClassChoice"];
export type FieldName = "class" | "offence" | "case" | "warrant" | "reason";

/** The fields in the order of the form. */
export const FIELDS: readonly FieldName[] = ["class", "offence", "case", "warrant", "reason"];

const PREFIX = "canvass.desk.purpose.";
const REASON_LEAST = 10;
const REASON_MOST = 500;

let loading: Promise<Choices> | undefined;

/** What may be chosen under the law of the member's agency; asked for once in a session. */
export function purposeChoices(): Promise<Choices> {
  loading ??= api
    .GET("/api/v1/purposes")
    .then(({ data }) => data as Choices)
    .catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
  return loading;
}

/** An empty purpose of a class. */
export function emptyPurpose(name: string): Purpose {
  return { class: name, offence: "none", case: null, reason: "", warrant: null };
}

const length = (text: string): number => [...text.trim()].length;

/** Whether a text may stand as a reason alone, which needs no class: 10 to 500 characters. */
export function isReason(text: string): boolean {
  return length(text) >= REASON_LEAST && length(text) <= REASON_MOST;
}

/** The purpose as it is sent: without what its class does not ask for. `warrant` when the act asks for one besides. */
export function tidy(purpose: Purpose, choices: Choices, warrant = false): Purpose {
  const chosen = choices.classes.find(({ id }) => id === purpose.class);
  return {
    class: purpose.class,
    offence: chosen?.offence ? purpose.offence : "none",
    case: purpose.case?.trim() || null,
    reason: purpose.reason.trim(),
    warrant: ((warrant || chosen?.warrant) && purpose.warrant?.trim()) || null,
  };
}

/** What is missing before the server need be asked. Whether a reason says something is for the server to judge. */
export function lacking(purpose: Purpose, choices: Choices, warrant = false): Partial<Record<FieldName, MessageKey>> {
  const chosen = choices.classes.find(({ id }) => id === purpose.class);
  const missing: Partial<Record<FieldName, MessageKey>> = {};
  if (!chosen) missing.class = "evidence.purpose.rule.class.missing";
  if (chosen?.offence && purpose.offence === "none") missing.offence = "evidence.purpose.rule.offence.missing";
  if (chosen?.case && !purpose.case?.trim()) missing.case = "evidence.purpose.rule.case.missing";
  if ((warrant || chosen?.warrant) && !purpose.warrant?.trim())
    missing.warrant = "evidence.purpose.rule.warrant.missing";
  if (length(purpose.reason) < choices.reason.least) missing.reason = "evidence.purpose.rule.reason.short";
  if (length(purpose.reason) > choices.reason.most) missing.reason = "evidence.purpose.rule.reason.long";
  return missing;
}

/**
 * What stands in a purpose for a case or request: the agency's code where it can be one, with a digit and three different
 * characters or more, else the id.
 */
export function caseCode(code: string | null | undefined, id: string): string {
  const said = [...(code ?? "")].filter((char) => /[\p{L}\p{N}]/u.test(char));
  const can = said.length >= 3 && said.some((char) => /\p{Nd}/u.test(char)) && new Set(said).size > 1;
  return code && can && [...code].length <= 64 ? code : id;
}

/** What was written last for this case or request. */
export function lastPurpose(scope: string): Purpose | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(PREFIX + scope) ?? "null") as Partial<Purpose> | null;
    return typeof kept?.reason === "string" && typeof kept.class === "string" && typeof kept.offence === "string"
      ? (kept as Purpose)
      : null;
  } catch {
    return null;
  }
}

/** Remembers a purpose for this tab. */
export function keepPurpose(scope: string, purpose: Purpose): void {
  try {
    sessionStorage.setItem(PREFIX + scope, JSON.stringify(purpose));
  } catch {
    // Storage may be off: nothing is offered next time then.
  }
}

whenSessionEnds(() => {
  loading = undefined;
  try {
    for (const name of Object.keys(sessionStorage)) if (name.startsWith(PREFIX)) sessionStorage.removeItem(name);
  } catch {
    // Nothing was kept then.
  }
});

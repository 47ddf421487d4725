/** What misuse detection found: calls, and what a finding says in words. */
import { api, type Schemas } from "$lib/api/client";
import { day } from "$lib/i18n/format";
import { hasText, t } from "$lib/i18n/index.svelte";

import { isId } from "../shell/links";
import type { Part } from "../shell/resource.svelte";

export type Finding = Schemas["Finding"];
export type FindingView = Schemas["FindingView"];
export type Act = FindingView["acts"][number];
/** What an answer may say. */
export const OUTCOMES = ["explained", "confirmed"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Findings in a state, or all, newest first, without those about the reader. */
export async function findings(state?: "open", after?: number, limit?: number): Promise<Part<Finding>> {
  const query = {
    ...(state ? { state } : {}),
    ...(after === undefined ? {} : { after }),
    ...(limit === undefined ? {} : { limit }),
  };
  const { data } = await api.GET("/api/v1/findings", { params: { query } });
  return (data ?? { items: [] }) as Part<Finding>;
}

/** A finding with the records of its acts. */
export async function finding(id: string): Promise<FindingView> {
  const { data } = await api.GET("/api/v1/findings/{finding}", { params: { path: { finding: id } } });
  return data as FindingView;
}

/** Answers for a finding. */
export async function handle(id: string, state: Outcome, answer: string): Promise<void> {
  const body = { state, answer };
  await api.POST("/api/v1/findings/{finding}/handle", { params: { path: { finding: id } }, body });
}

/** Why it was raised, as a sentence; a template that this page does not know is told by its numbers. */
export function whyOf({ template, numbers }: Finding["why"]): string {
  const key = `govern.finding.why.${template}`;
  if (hasText(key)) return t(key, numbers);
  return `${template}: ${Object.entries(numbers)
    .map(([name, number]) => `${name} ${number}`)
    .join(", ")}`;
}

/** Who acted, and on which days. */
export function whenOf({ first, last }: Pick<Finding, "first" | "last">, name: string): string {
  const days = { name, first: day(first), last: day(last) };
  return days.first === days.last ? t("govern.finding.of.day", days) : t("govern.finding.of", days);
}

/** Where the records of an act and others like it are read, which leaves a record itself. A plate is no id to look for. */
export function recordsOf({ action, subject }: Pick<Act, "action" | "subject">): string {
  const query = new URLSearchParams({ action, ...(isId(subject) ? { about: subject } : {}) });
  return `/desk/oversight?${query.toString()}`;
}

/** Whether somebody with the right may answer now: once, but overseers, who belong to no agency, anew. */
export function mayAnswer({ state }: Pick<Finding, "state">, agency: string | null): boolean {
  return state === "open" || agency === null;
}

/** The server's sentences about a draft, in the reader's language where we know the rule. */
import { currentLanguage, hasText, t } from "$lib/i18n/index.svelte";

interface Told {
  field: string;
  rule: string;
  message: string;
  remedy: string;
}

/** Rules of which the server speaks to programs; our text speaks to whoever fills in a form. */
const PLAINER = ["missing", "time", "zone"];

const capital = (text: string) => text.charAt(0).toLocaleUpperCase(currentLanguage()) + text.slice(1);

/** What is wrong and what to do. The server's English names the figures; other languages have a text for each rule. */
export function problemText(problem: Told): string {
  const key = `desk.problem.${problem.field.split(".")[0]}.${problem.rule}`;
  if ((currentLanguage() !== "en" || PLAINER.includes(problem.rule)) && hasText(key)) return t(key);
  return `${capital(problem.message)}. ${capital(problem.remedy)}.`;
}

/** A content rule in a few words. */
export function ruleTitle(rule: string, title?: string): string {
  const key = `desk.rule.${rule}`;
  return hasText(key) ? t(key) : (title ?? rule);
}

/** What a content rule found, and how to meet it. */
export function findingText(finding: Told): string {
  const key = `desk.rule.${finding.rule}.help`;
  if (currentLanguage() !== "en" && hasText(key)) return t(key);
  return `${capital(finding.message)}. ${capital(finding.remedy)}.`;
}

/** One finding for each rule and field, for telling; a rule that met several words is told once. */
export function byRule<T extends Told>(findings: readonly T[]): T[] {
  const seen = new Set<string>();
  return findings.filter(({ field, rule }) => !seen.has(`${field} ${rule}`) && seen.add(`${field} ${rule}`));
}

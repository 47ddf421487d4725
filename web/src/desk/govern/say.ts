/** Rules of sharing in words. */
import { t } from "$lib/i18n/index.svelte";

import type { SharingRule } from "./api";

/** Scopes as the server names them. */
export const SCOPES = ["named", "state", "distance", "compatible", "all"] as const;
export type Scope = (typeof SCOPES)[number];

/** What is shared. */
export function shared(rule: SharingRule, caseTitle?: string | null): string {
  if (rule.what.kind === "case")
    return caseTitle ? t("govern.sharing.case", { title: caseTitle }) : t("govern.sharing.case.hidden");
  const ids = rule.what.ids;
  return ids ? t("govern.sharing.cameras", { n: ids.length }) : t("govern.sharing.cameras.all");
}

/** With whom. */
export function withWhom(rule: SharingRule, names: string[]): string {
  const scope =
    rule.scope === "distance"
      ? t("govern.sharing.within", { n: rule.within_km })
      : t(`govern.scope.${rule.scope as Scope}`);
  if (names.length === 0) return scope;
  return rule.scope === "named" ? names.join(", ") : `${scope}; ${names.join(", ")}`;
}

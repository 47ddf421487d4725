/** Settings and their values in words. */
import { day, number, word } from "$lib/i18n/format";
import { hasText, t } from "$lib/i18n/index.svelte";
import type { SettingValue } from "$lib/format/transparency";

/** The text of a key made at run time; the word itself where there is none. */
export function named(group: string, name: string): string {
  const key = `policy.${group}.${name}`;
  return hasText(key) ? t(key) : name;
}

/** What a setting is. */
export function settingName(setting: string): string {
  return named("setting", setting);
}

const MINUTES = "ask.max_minutes";
const REQUESTS = "ask.requests_per_investigation";
const AREA = "ask.max_area_sq_mi";

/** A value of a setting, with its unit. */
export function settingValue(setting: string, value: SettingValue): string {
  if (typeof value === "boolean") return value ? t("common.yes") : t("common.no");
  if (typeof value === "number") {
    if (setting === MINUTES) return t("policy.value.minutes", { n: value });
    if (setting === REQUESTS) return t("policy.value.requests", { n: value });
    if (setting === AREA) return t("policy.value.area", { n: number(value, 3) });
    return t("policy.value.days", { n: value });
  }
  if (setting === "ask.classes") {
    const known = (each: string) => (hasText(`class.${each}`) ? word("class", each) : each);
    return value
      .split(",")
      .map((each) => known(each.trim().toLowerCase()))
      .join(", ");
  }
  return named("value", value);
}

/** A day in UTC, `2026-11-24`, as the reader writes it. */
export function utcDay(text: string): string {
  const at = new Date(`${text}T12:00:00Z`);
  return Number.isNaN(at.getTime()) ? text : day(at, "UTC");
}

/** Claims as a form holds them: a text for each setting, empty where nothing is claimed. */
import type { Claim, SettingValue } from "$lib/format/transparency";

/** Values of the settings that have a closed list of words. */
export const WORDS: Record<string, readonly string[]> = {
  "sharing.federal": ["none", "named"],
  "sharing.outside": ["none", "named", "state", "distance", "compatible", "all"],
};

/** A claim as the form shows it. */
export function textOf(value: SettingValue): string {
  return String(value);
}

/** What a form claims, by the form that each setting has in force. What is no number where one is due goes as a word: the server says so. */
export function claimsOf(
  texts: Record<string, string>,
  settings: readonly { setting: string; value: SettingValue }[],
): Claim[] {
  return settings.flatMap(({ setting, value }): Claim[] => {
    const text = (texts[setting] ?? "").trim();
    if (text === "") return [];
    if (typeof value === "boolean") return [{ setting, value: text === "true" }];
    const number = Number(text.replace(",", "."));
    if (typeof value === "number" && Number.isFinite(number)) return [{ setting, value: number }];
    return [{ setting, value: text }];
  });
}

/** Steps at the desk that several tests take. */
import { join } from "node:path";

import { expect, type Page, signIn } from "./fixtures";
import type { Person, Town } from "./town";

/** Signs a member in and goes to a page of the desk; the rail is there when it returns. */
export async function enter(page: Page, town: Town, who: string, path: string, heading: string | RegExp) {
  await signIn(page, town, who);
  await expect(page.getByRole("button", { name: "Sign out" })).toBeVisible();
  await page.goto(`${town.desk}${path}`);
  await expect(page.getByRole("heading", { level: 1, name: heading })).toBeVisible();
}

export const identityFile = (who: Person) => join(who.home, "keyring", "identity.txt");
export const signingFile = (who: Person) => join(who.home, "keyring", "agency-signing.key");

/** Gives the dialog of keys what it asks for; the page that waited goes on by itself. */
export async function giveIdentity(page: Page, who: Person): Promise<void> {
  const dialog = page.getByRole("dialog", { name: "Your keys in this tab" });
  await expect(dialog).toBeVisible();
  await dialog.locator("#identity-file").setInputFiles(identityFile(who));
  await expect(dialog).toBeHidden();
}

/** Opens the offer or item of the page for a reason; class and case are chosen already, and with the member's identity if the tab has none. */
export async function openWith(page: Page, who: Person, purpose: string, keyless = true): Promise<void> {
  await page.getByLabel("Why do you open this?").fill(purpose);
  await page.getByRole("button", { name: "Open", exact: true }).click();
  if (keyless) await giveIdentity(page, who);
  await expect(page.getByText("on record.").first()).toBeVisible({ timeout: 60_000 });
}

/** Fills a field that counts in local time of New Hampshire. */
export function local(milliseconds: number): string {
  const text = new Date(milliseconds).toLocaleString("sv-SE", { timeZone: "America/New_York" });
  return text.slice(0, 16).replace(" ", "T");
}

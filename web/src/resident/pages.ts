/** Which page an address names. Only `/`, `/r/<region>` and the eight plain paths ever reach the server; fragments don't. */
import type { Area } from "$lib/i18n/index.svelte";

export interface Page {
  /** Changes when the page has to be made anew. */
  key: string;
  load: () => Promise<{ default: unknown }>;
  /** The texts that it shows, besides the common ones; `pages.test.ts` looks that none is missing. */
  texts: readonly Area[];
  props: Record<string, string>;
}

const LOOK: readonly Area[] = ["look"];
const GIVE: readonly Area[] = ["give"];
const LEDGER: readonly Area[] = ["ledger"];
const TRANSPARENCY: readonly Area[] = ["ledger", "policy"];
const SEARCHED: readonly Area[] = ["searched", "ledger"];
const FOOTAGE: readonly Area[] = ["footage"];
const RULES: readonly Area[] = ["footage", "ledger"];
const NOTIFY: readonly Area[] = ["notify", "look"];

const page = (key: string, texts: Page["texts"], load: Page["load"], props: Page["props"] = {}): Page => ({
  key,
  texts,
  load,
  props,
});
const give = (region: string, id: string): Page =>
  page(`give/${id}`, GIVE, () => import("./give/Give.svelte"), { region, id });

export function pageFor(path: string, fragment: string): Page {
  const region = /^\/r\/([0-9a-f]{15})$/.exec(path)?.[1];
  const [first = "", second = ""] = fragment.split("/");
  if (region && /^req_[a-z2-7]{26}$/.test(first)) {
    if (second === "give") return give(region, first);
    return page(`request/${first}`, LOOK, () => import("./look/Request.svelte"), { region, id: first });
  }
  if (region) return page(`region/${region}`, LOOK, () => import("./look/Region.svelte"), { region });
  if (path === "/") {
    if (/^por_[a-z2-7]{26}$/.test(first)) {
      if (second === "give") return give("", first);
      return page(`portal/${first}`, LOOK, () => import("./look/Portal.svelte"), { id: first });
    }
    return page("home", LOOK, () => import("./look/Home.svelte"));
  }
  if (path === "/offer") return page("offer", GIVE, () => import("./give/MyOffer.svelte"), { secret: fragment });
  if (path === "/ledger") return page("ledger", TRANSPARENCY, () => import("./ledger/Transparency.svelte"));
  if (path === "/check") return page("check", LEDGER, () => import("./ledger/Check.svelte"));
  if (path === "/searched") return page("searched", SEARCHED, () => import("./searched/Searched.svelte"));
  if (path === "/footage/rules") return page("rules", RULES, () => import("./footage/Rules.svelte"));
  if (path === "/footage/error-rates") return page("rates", FOOTAGE, () => import("./footage/Rates.svelte"));
  if (path === "/notify") return page("notify", NOTIFY, () => import("./notify/Notify.svelte"), { link: fragment });
  return page("missing", [], () => import("./Missing.svelte"));
}

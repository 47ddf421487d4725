/** Which page an address names. Only `/`, `/r/<region>` and the five plain paths ever reach the server; fragments don't. */
export interface Page {
  /** Changes when the page has to be made anew. */
  key: string;
  load: () => Promise<{ default: unknown }>;
  props: Record<string, string>;
}

const page = (key: string, load: Page["load"], props: Record<string, string> = {}): Page => ({ key, load, props });

export function pageFor(path: string, fragment: string): Page {
  const region = /^\/r\/([0-9a-f]{15})$/.exec(path)?.[1];
  const [first = "", second = ""] = fragment.split("/");
  if (region && /^req_[a-z2-7]{26}$/.test(first)) {
    const props = { region, id: first };
    if (second === "give") return page(`give/${first}`, () => import("./give/Give.svelte"), props);
    return page(`request/${first}`, () => import("./look/Request.svelte"), props);
  }
  if (region) return page(`region/${region}`, () => import("./look/Region.svelte"), { region });
  if (path === "/") {
    if (/^por_[a-z2-7]{26}$/.test(first)) {
      if (second === "give")
        return page(`give/${first}`, () => import("./give/Give.svelte"), { region: "", id: first });
      return page(`portal/${first}`, () => import("./look/Portal.svelte"), { id: first });
    }
    return page("home", () => import("./look/Home.svelte"));
  }
  if (path === "/offer") return page("offer", () => import("./give/MyOffer.svelte"), { secret: fragment });
  if (path === "/ledger") return page("ledger", () => import("./ledger/Transparency.svelte"));
  if (path === "/check") return page("check", () => import("./ledger/Check.svelte"));
  if (path === "/notify") return page("notify", () => import("./notify/Notify.svelte"), { link: fragment });
  return page("missing", () => import("./Missing.svelte"));
}

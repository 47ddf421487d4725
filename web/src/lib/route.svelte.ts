/**
 * Where the reader is. The resident's pages keep everything but the coarse region in the fragment, which browsers never send;
 * the desk keeps filters in the query. Links are plain `<a href>`; this takes over clicks of the same origin.
 */
let path = $state(location.pathname);
let query = $state.raw(new URLSearchParams(location.search));
let fragment = $state(decode(location.hash));

function decode(hash: string): string {
  try {
    return decodeURIComponent(hash.replace(/^#/, ""));
  } catch {
    return "";
  }
}

function read(): void {
  path = location.pathname;
  query = new URLSearchParams(location.search);
  fragment = decode(location.hash);
}

export const route = {
  /** Path of the address, `/r/832ab…`. */
  get path() {
    return path;
  },
  /** Query of the address. */
  get query() {
    return query;
  },
  /** Fragment without `#`. */
  get fragment() {
    return fragment;
  },
};

let guard: (() => boolean) | undefined;

/** Asks before the reader leaves: `may` returns whether they may. One guard at a time; returns how to take it away. */
export function guardLeaving(may: () => boolean): () => void {
  guard = may;
  return () => {
    if (guard === may) guard = undefined;
  };
}

/** Goes to an address of this origin. `replace` leaves no step back. */
export function go(href: string, options: { replace?: boolean; keepFocus?: boolean } = {}): void {
  if (guard && !guard()) return;
  const url = new URL(href, location.href);
  history[options.replace ? "replaceState" : "pushState"](null, "", url);
  read();
  if (!options.keepFocus) {
    scrollTo(0, 0);
    focusHeading();
  }
}

/** Changes filters in the query without a step in the history. */
export function setQuery(changes: Record<string, string | null>): void {
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") next.delete(name);
    else next.set(name, value);
  }
  const text = next.toString();
  history.replaceState(null, "", text ? `${path}?${text}${location.hash}` : `${path}${location.hash}`);
  read();
}

/** Puts the focus on the page's heading, so that a screen reader begins there. */
export function focusHeading(): void {
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      const heading = document.querySelector<HTMLElement>("main h1");
      if (!heading) return;
      heading.tabIndex = -1;
      heading.focus({ preventScroll: true });
    }),
  );
}

/** Begins to listen to clicks and steps back. */
export function startRoutes(): void {
  addEventListener("popstate", () => {
    read();
    focusHeading();
  });
  document.addEventListener("click", (event) => {
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    const link = (event.target as Element | null)?.closest?.("a[href]");
    if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute("download")) return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || link.dataset.server !== undefined) return;
    // Anchors within the page ("skip to content") are the browser's.
    if (link.getAttribute("href")?.startsWith("#") && document.getElementById(url.hash.slice(1))) return;
    event.preventDefault();
    go(link.href);
  });
}

/** Which offers are being sent in this tab; apart from the courier, so that every page can tell without loading it. */
import { SvelteSet } from "svelte/reactivity";

/** Lookup ids. */
export const underway = new SvelteSet<string>();

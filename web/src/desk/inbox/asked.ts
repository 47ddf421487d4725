/** Questions that were asked from this tab. They are sealed to the resident, so nobody else here can read them again. */
import { whenSessionEnds } from "../session/session.svelte";

/** Texts by the question's id. */
export const askedHere = new Map<string, string>();

whenSessionEnds(() => askedHere.clear());

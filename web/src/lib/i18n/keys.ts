/** The areas of texts and their keys, from the English files: a key that is not there does not compile. */
import type common from "./en/common.json";
import type desk from "./en/desk.json";
import type evidence from "./en/evidence.json";
import type give from "./en/give.json";
import type ledger from "./en/ledger.json";
import type look from "./en/look.json";
import type notify from "./en/notify.json";

type All = typeof common & typeof look & typeof give & typeof ledger & typeof notify & typeof desk & typeof evidence;

/** Every key of a text. */
export type MessageKey = keyof All;

/**
 * Files of texts: `common` is shared; `look`, `give`, `ledger`, `notify` are the resident's; `desk` (requests, moderation, keys,
 * people) and `evidence` (inbox, cases, items) are the agency's.
 */
export type Area = "common" | "look" | "give" | "ledger" | "notify" | "desk" | "evidence";

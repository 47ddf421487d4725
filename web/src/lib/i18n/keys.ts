/** The areas of texts and their keys, from the English files: a key that is not there does not compile. */
import type common from "./en/common.json";
import type desk from "./en/desk.json";
import type evidence from "./en/evidence.json";
import type govern from "./en/govern.json";
import type footage from "./en/footage.json";
import type give from "./en/give.json";
import type ledger from "./en/ledger.json";
import type look from "./en/look.json";
import type moments from "./en/moments.json";
import type notify from "./en/notify.json";
import type plates from "./en/plates.json";
import type policy from "./en/policy.json";
import type searched from "./en/searched.json";

type All = typeof common &
  typeof look &
  typeof give &
  typeof ledger &
  typeof notify &
  typeof policy &
  typeof searched &
  typeof footage &
  typeof desk &
  typeof evidence &
  typeof govern &
  typeof moments &
  typeof plates;

/** Every key of a text. */
export type MessageKey = keyof All;

/**
 * Files of texts: `common` is shared; `look`, `give`, `ledger`, `notify`, `searched`, `footage` (rules and error rates of search) are the resident's; `desk` (requests,
 * moderation, keys, people), `evidence` (inbox, cases, items), `govern` (approvals, sharing) `plates` (cameras) and `moments` (search of footage) are the agency's; `policy`
 * (settings, texts of policy) is shown by both.
 */
export type Area =
  | "common"
  | "look"
  | "give"
  | "ledger"
  | "notify"
  | "searched"
  | "footage"
  | "policy"
  | "desk"
  | "evidence"
  | "govern"
  | "moments"
  | "plates";

/** What the readers of public files give: records, and whether what they claim holds. */
import type { DefectCode } from "./bytes";
import type { Decision, PortalBody, RequestBody, RequestState, Signed } from "./types";

/** `/feed/index.json`. */
export interface FeedIndex {
  regions: { region: string; requests: number; generated: string }[];
}

/** The key that signed, and where its entry stands. */
export interface CheckedKey {
  /** The key's short name, 16 hexadecimal digits. */
  id: string;
  /** Id of its agency. */
  agency: string;
  /** When the ledger says that it began to count. */
  firstSeen?: string;
}

/** A request, and whether what it claims holds. */
export interface CheckedRequest {
  id: string;
  state: RequestState;
  /** `null` once withheld by law, or refused. */
  body: RequestBody | null;
  signed: Signed<RequestBody> | null;
  decision: Decision;
  /** When it was published or refused. */
  at: string;
  /** Until when offers are taken. */
  closes: string | null;
  checked: boolean;
  /** Key of a text, if it does not hold: `ledger.defect.…`. */
  defect: string | null;
  key: CheckedKey;
  /** Ledger entries about it, oldest first. */
  entries: { index: number; leaf: string }[];
}

/** How many known witnesses cosigned the ledger's head, and how many are asked for. */
export interface Witnesses {
  have: number;
  need: number;
}

/** A region's requests, all checked. */
export interface CheckedRegion {
  region: string;
  generated: string;
  /** Whether nothing was found wrong. Of a bundle that is not sound, nothing should be answered. */
  sound: boolean;
  /** Keys of texts, `ledger.defect.…`. */
  defects: string[];
  witnesses: Witnesses;
  /** Entries of the requests ledger at the checkpoint. */
  size: number;
  requests: CheckedRequest[];
}

/** A portal, checked. */
export interface CheckedPortal {
  id: string;
  state: "open" | "closed";
  body: PortalBody;
  signed: Signed<PortalBody>;
  checked: boolean;
  defect: string | null;
  key: CheckedKey;
  witnesses: Witnesses;
  entries: { index: number; leaf: string }[];
}

/** Key of the text that says what is wrong. */
export function defectText(code: DefectCode): string {
  return `ledger.defect.${code}`;
}

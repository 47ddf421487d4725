/**
 * Reads the public files and checks all that they claim. Everyone who looks fetches the whole region; which request is then
 * read stays on the device.
 */
import type { Decision, PortalBody, RequestBody, RequestState, Signed, Site } from "./types";

export type { Site };

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

export declare function loadSite(): Promise<Site>;
export declare function loadIndex(): Promise<FeedIndex>;
export declare function loadRegion(region: string): Promise<CheckedRegion>;
export declare function loadRequest(id: string): Promise<CheckedRequest>;
export declare function loadPortal(id: string): Promise<CheckedPortal>;

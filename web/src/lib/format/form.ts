/** Whether what was read has the expected form, and nothing besides: room for a mark would tell one reader's copy from another's. */
import { FormatError } from "./bytes";
import { canonical } from "./jcs";
import type { OversightLeaf, RequestsLeaf } from "./types";

type Check = (value: unknown) => boolean;

const string: Check = (value) => typeof value === "string";
const matches =
  (pattern: RegExp): Check =>
  (value) =>
    typeof value === "string" && pattern.test(value);
const oneOf =
  (...words: unknown[]): Check =>
  (value) =>
    words.includes(value);
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const list =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
/** An object with these members and no others; names that end in `?` may be left out. */
function object(members: Record<string, Check>): Check {
  const wanted = Object.entries(members).map(([name, check]) => ({
    name: name.replace("?", ""),
    may: name.endsWith("?"),
    check,
  }));
  const names = new Set(wanted.map(({ name }) => name));
  return (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
    const members = value as Record<string, unknown>;
    return (
      Object.keys(members).every((name) => names.has(name)) &&
      wanted.every(({ name, may, check }) => (name in members ? check(members[name]) : may))
    );
  };
}

const count: Check = (value) => typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
const moment: Check = (value) =>
  matches(/^-?\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)(value) && !Number.isNaN(Date.parse(value as string));
const digest = matches(/^[0-9a-f]{64}$/);
const name = matches(/^[0-9a-f]{16}$/);
const id = (kind: string) => matches(new RegExp(`^${kind}_[a-z2-7]{26}$`));
const agencyClass = oneOf("municipal", "county", "state", "federal", "campus", "tribal", "other");
const agencyState = oneOf("registered", "verified", "suspended");
const requestState = oneOf("draft", "in-moderation", "published", "resolved", "expired", "withheld", "refused");

const position: Check = (value) =>
  Array.isArray(value) &&
  value.length === 2 &&
  value.every((each) => typeof each === "number") &&
  Math.abs(value[0] as number) <= 180 &&
  Math.abs(value[1] as number) <= 90;
const ring: Check = (value) => {
  if (!list(position)(value)) return false;
  const corners = value as [number, number][];
  const [first, last] = [corners[0], corners.at(-1)];
  return corners.length >= 4 && corners.length <= 501 && first?.[0] === last?.[0] && first?.[1] === last?.[1];
};
const area = object({
  type: oneOf("Polygon"),
  coordinates: (value) => list(ring)(value) && (value as unknown[]).length === 1,
});
const asker = object({ id: id("agy"), name: string, class: agencyClass });
const contact = object({ name: string, "phone?": string, "email?": string });
const zone: Check = (value) => {
  try {
    return typeof value === "string" && value !== "" && !!new Intl.DateTimeFormat("en", { timeZone: value });
  } catch {
    return false;
  }
};

const requestBody = object({
  v: oneOf(1),
  id: id("req"),
  agency: asker,
  code: string,
  incident: matches(/^[a-z-]+$/),
  details: string,
  contact,
  area,
  time_frame: object({ start: moment, end: moment, zone }),
  recipient: string,
  languages: list(string),
  active_days: count,
  created: moment,
});
const portalBody = object({
  v: oneOf(1),
  id: id("por"),
  agency: asker,
  details: string,
  contact,
  recipient: string,
  created: moment,
});
const signed = (body: Check) => object({ body, digest, key: name, signature: string });
const decision = object({
  request: id("req"),
  approved: oneOf(true, false),
  "rule?": string,
  reason: string,
  at: moment,
});
const proofs = list(object({ leaf: string, index: count, proof: string }));
const agency = object({
  id: id("agy"),
  name: string,
  class: agencyClass,
  subdivision: string,
  jurisdiction: area,
  state: agencyState,
  keys: list(
    object({
      id: name,
      public: string,
      added: moment,
      revoked: orNull(moment),
      endorsed_by: orNull(name),
      endorsement: orNull(string),
    }),
  ),
});
const entries = list(object({ index: count, "leaf?": string }));
const request = {
  id: id("req"),
  state: requestState,
  "request?": signed(requestBody),
  decision,
  at: moment,
  "closes?": moment,
};

/** The forms of the public files. */
export const FORMS = {
  bundle: object({
    v: oneOf(1),
    region: string,
    generated: moment,
    checkpoint: string,
    hashes: list(string),
    agencies: list(object({ agency, entries })),
    requests: list(object({ ...request, entries })),
  }),
  request: object({ ...request, proofs }),
  portal: object({ id: id("por"), state: oneOf("open", "closed"), portal: signed(portalBody), proofs }),
  agency: object({ agency, proofs }),
  publicAgency: agency,
} as const;

const LEAVES: Record<string, Check> = {
  "policy.set": object({ type: string, digest, at: moment }),
  "rules.set": object({ type: string, digest, at: moment }),
  "asked.key": object({ type: string, epoch: matches(/^\d{4}-Q[1-4]$/), public: string, at: moment }),
  "agency.state": object({
    type: string,
    agency: id("agy"),
    class: agencyClass,
    state: agencyState,
    digest,
    at: moment,
  }),
  "agency.key.added": object({
    type: string,
    agency: id("agy"),
    key: name,
    public: string,
    endorsed_by: orNull(name),
    endorsement: orNull(string),
    at: moment,
  }),
  "agency.key.revoked": object({ type: string, agency: id("agy"), key: name, at: moment }),
  "request.decided": object({
    type: string,
    request: id("req"),
    agency: id("agy"),
    approved: oneOf(true, false),
    digest,
    at: moment,
  }),
  "request.published": object({
    type: string,
    request: id("req"),
    agency: id("agy"),
    digest,
    key: name,
    at: moment,
    closes: moment,
  }),
  "request.state": object({
    type: string,
    request: id("req"),
    agency: id("agy"),
    state: requestState,
    "basis?": digest,
    at: moment,
  }),
  "portal.state": object({
    type: string,
    portal: id("por"),
    agency: id("agy"),
    state: oneOf("open", "closed"),
    digest,
    key: name,
    at: moment,
  }),
};

const action = matches(/^[a-z][a-z.-]*$/);
const OVERSIGHT = object({
  type: action,
  "agency?": id("agy"),
  subject: string,
  "actor?": id("psn"),
  "by?": id("agy"),
  "purpose?": matches(/^[a-z][a-z-]*$/),
  "refused?": action,
  hour: matches(/^\d{4}-\d\d-\d\dT\d\dZ$/),
  commitment: digest,
});

/** Reads JSON of a form; throws {@link FormatError}. */
export function readJson<T>(text: string, form: Check): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (!form(value)) throw new FormatError("form", "not of the expected form");
  return value as T;
}

function readLeaf(text: string, index: number, form: (value: Record<string, unknown>) => Check | undefined): unknown {
  const unknown = (what: string) => new FormatError("leaf", `ledger entry ${index}: ${what}`);
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw unknown("it is not JSON");
  }
  if (!form(value ?? {})?.(value)) throw unknown("its form is not known");
  if (canonical(value) !== text) throw unknown("it is not in canonical form");
  return value;
}

/** Reads an entry of the requests ledger; throws {@link FormatError}. */
export function readRequestsLeaf(text: string, index: number): RequestsLeaf {
  const form = ({ type }: Record<string, unknown>) =>
    typeof type === "string" && Object.hasOwn(LEAVES, type) ? LEAVES[type] : undefined;
  return readLeaf(text, index, form) as RequestsLeaf;
}

/** Reads an entry of the oversight ledger; throws {@link FormatError}. */
export function readOversightLeaf(text: string, index: number): OversightLeaf {
  return readLeaf(text, index, () => OVERSIGHT) as OversightLeaf;
}

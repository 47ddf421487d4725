/** Where an offer goes: a published request or an open portal, checked before anything is shown. */
import { problemOf } from "$lib/api/client";
import { loadPortal, loadRegion, loadRequest } from "$lib/format/feed";
import type { Asker, Contact, Policy, TimeFrame } from "$lib/format/types";
import { Problem } from "$lib/problem";
import type { Answered } from "$lib/seal/types";

/** A request or portal to which clips may be given. */
export interface Destination {
  id: string;
  kind: "request" | "portal";
  /** What the agency signed; goes into the envelope. */
  signed: Answered;
  agency: Asker;
  details: string;
  contact: Contact;
  code: string | null;
  frame: TimeFrame | null;
  /** IANA zone in which times are shown: the place's, or this device's for a portal. */
  zone: string;
  /** Until when offers are taken; none for a portal. */
  closes: string | null;
  recipient: string;
  /** The page that says all about it. */
  href: string;
}

/** Why nothing can be given, although what was asked is there. */
export class Shut extends Problem {}

/**
 * Reads and checks it. Of a request the whole region is read, as everybody does who looks.
 *
 * @throws Problem when it can't be reached or its proofs don't hold; {@link Shut} when it takes nothing any more
 */
export async function loadDestination(region: string, id: string): Promise<Destination> {
  return id.startsWith("por_") ? portal(id) : request(region, id);
}

async function request(region: string, id: string): Promise<Destination> {
  const bundle = region ? await loadRegion(region) : null;
  if (bundle && !bundle.sound) throw new Problem("give.problem.proof", "give.problem.proof.remedy");
  const found = bundle ? bundle.requests.find((each) => each.id === id) : await loadRequest(id);
  // What is resolved or expired leaves the feed; its own page still says so.
  if (!found) throw new Shut("give.problem.over", "give.problem.over.remedy");
  if (!found.checked) throw new Problem("give.problem.proof", "give.problem.proof.remedy");
  const { body, signed } = found;
  if (!body || !signed || found.state !== "published" || (found.closes && Date.parse(found.closes) <= Date.now()))
    throw new Shut("give.problem.over", "give.problem.over.remedy");
  return {
    id,
    kind: "request",
    signed,
    agency: body.agency,
    details: body.details,
    contact: body.contact,
    code: body.code,
    frame: body.time_frame,
    zone: body.time_frame.zone,
    closes: found.closes,
    recipient: body.recipient,
    href: region ? `/r/${region}#${id}` : "/",
  };
}

async function portal(id: string): Promise<Destination> {
  const found = await loadPortal(id);
  if (!found.checked) throw new Problem("give.problem.proof", "give.problem.proof.remedy");
  if (found.state !== "open") throw new Shut("give.problem.closed", "give.problem.closed.remedy");
  const { body, signed } = found;
  return {
    id,
    kind: "portal",
    signed,
    agency: body.agency,
    details: body.details,
    contact: body.contact,
    code: null,
    frame: null,
    zone: new Intl.DateTimeFormat().resolvedOptions().timeZone,
    closes: null,
    recipient: body.recipient,
    href: `/#${id}`,
  };
}

/** Limits of an offer. */
export type Limits = Policy["give"];
/** What is assumed while the policy can't be read; the server says no in any case. */
const USUAL: Limits = { clips: 25, clip_bytes: 60_000_000_000, invitation_days: 10, upload_hours: 48 };

/** The policy in force: limits of an offer, and how long it is kept. None of it is secret, everybody reads it. */
export async function loadPolicy(): Promise<{ give: Limits; retention: Policy["retention"] | null }> {
  try {
    const response = await fetch("/policy.json", { credentials: "omit" });
    if (!response.ok) throw await problemOf(response);
    const policy = (await response.json()) as Policy;
    return { give: policy.give, retention: policy.retention };
  } catch {
    return { give: USUAL, retention: null };
  }
}

/** The secret of a private invitation in an address: what comes after `…/give/`. */
export function invitationOf(fragment: string): string | null {
  const secret = fragment.split("/")[2] ?? "";
  return /^[a-z2-7]{32}$/.test(secret) ? secret : null;
}

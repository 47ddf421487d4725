/** What happens on this computer when a request is handed in: what the server wants signed is compared, then signed. */
import type { Schemas } from "$lib/api/client";
import { canonical } from "$lib/format/jcs";
import { CONTEXT, digestOf, type SigningKey } from "$lib/seal/keys";

import type { DraftBody, RequestView } from "./api";
import { momentOf } from "./times";

type RequestBody = Schemas["RequestBody"];

const same = (one: unknown, other: unknown) => canonical(one) === canonical(other);

/** Leaves out what is empty: the server writes an absent telephone as absent or as null. */
function plain(contact: DraftBody["contact"]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(contact).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

function sameMoment(draft: string, zone: string, at: string): boolean {
  const moment = momentOf(draft, zone);
  return moment !== null && moment.getTime() === new Date(at).getTime();
}

/** In what the body that the server wants signed differs from what was drafted. The server is not trusted with it. */
export function differences(body: RequestBody, request: RequestView, recipient: string): string[] {
  const { draft } = request;
  const checks: [boolean, string][] = [
    [body.v === 1, "v"],
    [body.id === request.id, "id"],
    [body.agency.id === request.agency, "agency"],
    [body.code.toUpperCase() === draft.code.trim().toUpperCase(), "code"],
    [body.incident === draft.incident, "incident"],
    [body.details === draft.details.trim(), "details"],
    [same(plain(body.contact as DraftBody["contact"]), plain(draft.contact)), "contact"],
    [same(body.area, draft.area), "area"],
    [body.time_frame.zone === draft.zone, "zone"],
    [sameMoment(draft.start, draft.zone, body.time_frame.start), "start"],
    [sameMoment(draft.end, draft.zone, body.time_frame.end), "end"],
    [same(body.languages, draft.languages), "languages"],
    [body.active_days === draft.active_days, "active_days"],
    [body.recipient === recipient, "recipient"],
  ];
  return checks.filter(([sound]) => !sound).map(([, field]) => field);
}

/** The body as a draft, for showing it as residents will read it. */
export function noticeOf(body: RequestBody) {
  return {
    code: body.code,
    incident: body.incident,
    details: body.details,
    contact: body.contact,
    area: body.area as DraftBody["area"],
    start: body.time_frame.start,
    end: body.time_frame.end,
    zone: body.time_frame.zone,
    languages: body.languages,
    activeDays: body.active_days,
  };
}

/** Signs a request's body. */
export function signRequest(body: RequestBody, key: SigningKey): Schemas["Submission"] {
  return { digest: digestOf(body), key: key.id, signature: key.sign(CONTEXT.request, body) };
}

import { expect, test } from "vitest";

import type { Schemas } from "$lib/api/client";
import { CONTEXTS, digestOf, verifies } from "$lib/format/jcs";
import { newSigningKey } from "$lib/seal/keys";

import type { RequestView } from "./api";
import { differences, signRequest } from "./signing";

const area = {
  type: "Polygon",
  coordinates: [
    [
      [0, 0],
      [0.01, 0],
      [0.01, 0.01],
      [0, 0],
    ],
  ],
};
const request = {
  id: "req_aaaaaaaaaaaaaaaaaaaaaaaaaa",
  agency: "agy_aaaaaaaaaaaaaaaaaaaaaaaaaa",
  draft: {
    code: " 26-ab1 ",
    incident: "burglary",
    details: "A garage was broken into. ",
    contact: { name: "Det. Ruiz", phone: "603-555-0100", email: null },
    area,
    start: "2026-11-20T22:00",
    end: "2026-11-21T02:00:00-05:00",
    zone: "America/New_York",
    languages: ["en"],
    active_days: 14,
    own_case: true,
  },
} as unknown as RequestView;
const body = {
  v: 1,
  id: request.id,
  agency: { id: request.agency, name: "Concord", class: "municipal" },
  code: "26-AB1",
  incident: "burglary",
  details: "A garage was broken into.",
  contact: { name: "Det. Ruiz", phone: "603-555-0100" },
  area,
  time_frame: { start: "2026-11-21T03:00:00Z", end: "2026-11-21T07:00:00Z", zone: "America/New_York" },
  recipient: "age1x",
  languages: ["en"],
  active_days: 14,
  created: "2026-11-22T00:00:00Z",
} as unknown as Schemas["RequestBody"];

test("a body that is the draft is signed; anyone can check the signature", () => {
  expect(differences(body, request, "age1x")).toEqual([]);
  const { key } = newSigningKey();
  const submission = signRequest(body, key);
  expect(submission.digest).toBe(digestOf(body));
  expect(verifies(key.public, CONTEXTS.request, body, submission.signature)).toBe(true);
  expect(verifies(key.public, CONTEXTS.request, { ...body, details: "Other." }, submission.signature)).toBe(false);
});

test("whatever the server changes is named", () => {
  const changed: [Partial<Record<keyof typeof body, unknown>>, string][] = [
    [{ details: "Everyone who marched." }, "details"],
    [{ recipient: "age1y" }, "recipient"],
    [{ contact: { name: "Det. Ruiz", phone: "603-555-0199" } }, "contact"],
    [
      {
        area: {
          ...area,
          coordinates: [
            [
              [0, 0],
              [1, 0],
              [1, 1],
              [0, 0],
            ],
          ],
        },
      },
      "area",
    ],
    [{ time_frame: { ...body.time_frame, start: "2026-11-21T02:00:00Z" } }, "start"],
    [{ time_frame: { ...body.time_frame, end: "2026-11-21T08:00:00Z" } }, "end"],
    [{ languages: ["es"] }, "languages"],
    [{ active_days: 15 }, "active_days"],
    [{ id: "req_bbbbbbbbbbbbbbbbbbbbbbbbbb" }, "id"],
  ];
  for (const [change, field] of changed)
    expect(differences({ ...body, ...change } as typeof body, request, "age1x")).toEqual([field]);
});

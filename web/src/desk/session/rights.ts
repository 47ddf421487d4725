/**
 * What a role may do, as `policies/roles.txt` says, for servers that do not list a member's rights with `GET /me`.
 * It only decides what is shown; the server decides what is done.
 */
const EVERY = [
  "agency.read",
  "request.read",
  "member.list",
  "audit.read",
  "system.read",
  "retention.read",
  "hold.list",
  "invitation.list",
] as const;
const WORK = [
  "key.put",
  "key.read",
  "key.rewrap",
  "member.recipient",
  "offer.list",
  "offer.open",
  "offer.report",
  "offer.triage",
  "offer.ask",
  "offer.annotate",
  "case.create",
  "case.read",
  "case.annotate",
  "case.change",
  "case.export",
  "item.list",
  "item.read",
  "item.annotate",
  "item.copy",
  "hold.place",
  "hold.list",
  "retention.read",
  "request.read",
  "agency.read",
  "member.list",
  "invitation.list",
];
const ASK = ["request.draft", "request.submit", "request.resolve", "invitation.create", "invitation.revoke"];
const CLOSE = ["offer.withdrawal", "case.close", "hold.release", "key.destroy", "agency.recovery.rehearse"];
const PEOPLE = [
  "agency.key.revoke",
  "member.add",
  "member.list",
  "member.change",
  "token.issue",
  "token.revoke",
  "agency.read",
];

const BY_ROLE: Record<string, readonly string[]> = {
  operator: [
    ...PEOPLE,
    "agency.register",
    "agency.verify",
    "agency.suspend",
    "request.withhold",
    "retention.read",
    "system.backup",
    "system.read",
    "policy.set",
  ],
  moderator: ["agency.read", "request.read", "request.moderate"],
  overseer: EVERY,
  investigator: [...WORK, ...ASK],
  supervisor: [...WORK, ...ASK, ...CLOSE, "portal.open", "portal.close", "audit.read"],
  custodian: [...WORK, ...CLOSE],
  administrator: [
    ...PEOPLE,
    "agency.key.add",
    "agency.recovery.set",
    "agency.recovery.rehearse",
    "member.recipient",
    "request.read",
    "key.put",
    "portal.open",
    "portal.close",
    "retention.read",
    "audit.read",
  ],
};

/** All actions that these roles allow. */
export function rightsOf(roles: readonly string[]): Set<string> {
  return new Set(roles.flatMap((role) => BY_ROLE[role] ?? []));
}

/** Ledger entries in plain words. */
import { hourOf } from "$lib/i18n/format";
import { currentLanguage, hasText, t } from "$lib/i18n/index.svelte";
import type { DefectCode } from "$lib/format/bytes";
import type { LedgerEntry } from "$lib/format/ledger";
import type { Log, OversightLeaf, PublicAgency } from "$lib/format/types";

/** The name of an agency; its id where it is not listed. */
export function agencyName(agencies: PublicAgency[], id: string | null | undefined): string {
  if (!id) return t("ledger.none");
  return agencies.find((agency) => agency.id === id)?.name ?? id;
}

/** Short name of a type of entry. */
export function typeName(type: string): string {
  const key = `ledger.type.${type}`;
  return hasText(key) ? t(key) : type;
}

/** The entry as a sentence. */
export function sentence(entry: LedgerEntry, agencies: PublicAgency[]): string {
  const { leaf } = entry;
  if (!leaf) return t("ledger.say.unknown");
  const agency = agencyName(agencies, "agency" in leaf ? leaf.agency : null);
  const key = `ledger.say.${leaf.type}`;
  const refused = "refused" in leaf && leaf.refused ? typeName(leaf.refused) : "";
  const values = {
    agency,
    by: "by" in leaf && leaf.by ? agencyName(agencies, leaf.by) : agency,
    refused,
    state: "state" in leaf ? leaf.state : "",
    approved: "approved" in leaf ? String(leaf.approved) : "",
  };
  return hasText(key) ? t(key, values) : t("ledger.say.other", { agency, type: typeName(leaf.type) });
}

/** Name of a class of purposes, `triage`; the word itself where it has none. */
export function purposeName(name: string): string {
  const key = `ledger.purpose.${name}`;
  return hasText(key) ? t(key) : name;
}

/** Name of a class of offences, `felony`; the word itself where it has none. */
export function offenceName(name: string): string {
  const key = `ledger.offence.${name}`;
  return hasText(key) ? t(key) : name;
}

/** What an entry of the oversight ledger tells besides; null for one of the requests ledger. */
export function oversight(entry: LedgerEntry): OversightLeaf | null {
  return entry.leaf && "commitment" in entry.leaf ? entry.leaf : null;
}

/** What an entry is about: an id. */
export function subject(entry: LedgerEntry): string | null {
  const { leaf } = entry;
  if (!leaf) return null;
  if ("subject" in leaf) return leaf.subject;
  if ("request" in leaf) return leaf.request;
  if ("portal" in leaf) return leaf.portal;
  if ("key" in leaf) return leaf.key;
  return "agency" in leaf ? (leaf.agency ?? null) : null;
}

/** When: a moment in the requests ledger, the beginning of an hour in the oversight ledger. */
export function moment(entry: LedgerEntry): Date | null {
  const { leaf } = entry;
  if (!leaf) return null;
  return "at" in leaf ? new Date(leaf.at) : hourOf(leaf.hour).from;
}

/** The time of day of an entry, as exact as its ledger gives it. */
export function timeOfDay(entry: LedgerEntry): string {
  const { leaf } = entry;
  if (!leaf) return "";
  const format = new Intl.DateTimeFormat(currentLanguage(), { hour: "numeric", minute: "2-digit" });
  if ("at" in leaf) return format.format(new Date(leaf.at));
  const { from, until } = hourOf(leaf.hour);
  return format.formatRange(from, until);
}

/** A month, `2026-11`, in words. */
export function monthName(month: string, style: "long" | "short" | "narrow" = "long"): string {
  const at = new Date(`${month}-15T12:00:00Z`);
  const options: Intl.DateTimeFormatOptions = style === "long" ? { month: "long", year: "numeric" } : { month: style };
  return new Intl.DateTimeFormat(currentLanguage(), { ...options, timeZone: "UTC" }).format(at);
}

/** What is wrong, in words. */
export function defect(code: DefectCode): string {
  return t(`ledger.defect.${code}`);
}

/** A list of words: "a, b and c". */
export function list(words: string[]): string {
  return new Intl.ListFormat(currentLanguage()).format(words);
}

/** The types of each ledger that have a name, for a filter. */
export const TYPES: Record<Log, string[]> = {
  requests: [
    "request.published",
    "request.decided",
    "request.state",
    "portal.state",
    "agency.state",
    "agency.key.added",
    "agency.key.revoked",
    "policy.set",
    "rules.set",
    "asked.key",
  ],
  oversight: [
    "access.refused",
    "offer.received",
    "offer.open",
    "offer.report",
    "offer.triage",
    "offer.ask",
    "mailbox.answer",
    "offer.withdrawn",
    "offer.withdrawal",
    "item.read",
    "footage.search",
    "footage.refused",
    "footage.index",
    "plate.search",
    "plate.history",
    "plate.convoy",
    "plate.multiplace",
    "plate.keep",
    "approval.ask",
    "approval.give",
    "approval.refuse",
    "approval.withdraw",
    "item.copy",
    "case.create",
    "case.change",
    "case.close",
    "case.export",
    "hold.place",
    "hold.release",
    "asked.seal",
    "asked.released",
    "erasure.ordered",
    "erasure.done",
    "record.forgotten",
    "reads.erased",
    "sightings.erased",
    "hotlist.add",
    "hotlist.approve",
    "hotlist.retire",
    "hotlist.erased",
    "alert.raised",
    "alert.confirm",
    "alert.dismiss",
    "alert.list",
    "alerts.erased",
    "webhook.add",
    "webhook.change",
    "webhook.remove",
    "webhook.off",
    "safelist.set",
    "safelist.add",
    "safelist.remove",
    "integrity.failed",
    "key.put",
    "key.read",
    "key.rewrap",
    "key.destroy",
    "request.submit",
    "request.moderate",
    "request.resolve",
    "request.withhold",
    "request.expired",
    "portal.open",
    "portal.close",
    "invitation.create",
    "invitation.revoke",
    "agency.verify",
    "agency.suspend",
    "agency.key.add",
    "agency.key.revoke",
    "agency.recovery.set",
    "agency.recovery.rehearse",
    "member.add",
    "member.change",
    "member.recipient",
    "token.issue",
    "token.revoke",
    "enrolment.create",
    "enrolment.revoke",
    "passkey.add",
    "passkey.remove",
    "account.bind",
    "account.remove",
    "session.end",
    "signin.locked",
    "audit.read",
    "disclosure.make",
    "camera.add",
    "camera.change",
    "camera.retire",
    "finding.raised",
    "finding.handle",
    "member.vehicle",
    "breakglass.begin",
    "breakglass.end",
    "operator.read",
    "operator.tool",
    "policy.propose",
    "policy.approve",
    "proposal.refuse",
    "proposal.withdraw",
    "proposal.expired",
    "share.propose",
    "share.offer",
    "share.accept",
    "share.end",
    "policytext.set",
    "contradiction.raised",
    "contradiction.cleared",
    "system.backup",
    "system.set-up",
  ],
};

/** Which page of the desk an address names, and which sections the rail shows. Filters live in the query. */
import BellRing from "@lucide/svelte/icons/bell-ring";
import Building from "@lucide/svelte/icons/building-2";
import CalendarClock from "@lucide/svelte/icons/calendar-clock";
import Camera from "@lucide/svelte/icons/camera";
import CheckCheck from "@lucide/svelte/icons/check-check";
import Clapperboard from "@lucide/svelte/icons/clapperboard";
import FileCheck from "@lucide/svelte/icons/file-check";
import Eye from "@lucide/svelte/icons/eye";
import FileText from "@lucide/svelte/icons/file-text";
import Folder from "@lucide/svelte/icons/folder";
import Gavel from "@lucide/svelte/icons/gavel";
import Inbox from "@lucide/svelte/icons/inbox";
import KeyRound from "@lucide/svelte/icons/key-round";
import ListChecks from "@lucide/svelte/icons/list-checks";
import Server from "@lucide/svelte/icons/server";
import ScrollText from "@lucide/svelte/icons/scroll-text";
import MailOpen from "@lucide/svelte/icons/mail-open";
import SearchIcon from "@lucide/svelte/icons/search";
import Share from "@lucide/svelte/icons/share-2";
import ScanSearch from "@lucide/svelte/icons/scan-search";
import ShieldCheck from "@lucide/svelte/icons/shield-check";
import Stamp from "@lucide/svelte/icons/stamp";
import Users from "@lucide/svelte/icons/users";
import Webhook from "@lucide/svelte/icons/webhook";
import type { Component } from "svelte";

import type { MessageKey } from "$lib/i18n/index.svelte";

/** A page: what loads it, and what the address says. */
export interface Page {
  /** Changes when the page has to be made anew. */
  key: string;
  /** The section of the rail that it belongs to. */
  section: string;
  load: () => Promise<{ default: unknown }>;
  props: Record<string, string>;
  /** The whole width, for pages with a map or a player. */
  wide?: boolean;
}

/** An entry of the rail. Who has none of the rights does not see it. */
export interface Section {
  href: string;
  text: MessageKey;
  icon: Component;
  rights: readonly string[];
  /** What of it waits for somebody, counted in the rail. */
  waits?: "approvals" | "notices" | "findings" | "searches";
}

export const SECTIONS: readonly Section[] = [
  { href: "/desk/moderation", text: "desk.nav.moderation", icon: Gavel, rights: ["request.moderate"] },
  { href: "/desk/requests", text: "desk.nav.requests", icon: FileText, rights: ["request.read"] },
  { href: "/desk/inbox", text: "desk.nav.inbox", icon: Inbox, rights: ["offer.list"] },
  { href: "/desk/cases", text: "desk.nav.cases", icon: Folder, rights: ["case.read"] },
  {
    href: "/desk/plates",
    text: "desk.nav.plates",
    icon: SearchIcon,
    rights: ["plate.search"],
    waits: "searches",
  },
  { href: "/desk/footage", text: "desk.nav.footage", icon: Clapperboard, rights: ["footage.search"] },
  { href: "/desk/alerts", text: "desk.nav.alerts", icon: BellRing, rights: ["alert.list"] },
  { href: "/desk/hotlists", text: "desk.nav.hotlists", icon: ListChecks, rights: ["hotlist.read"] },
  { href: "/desk/safelist", text: "desk.nav.safelist", icon: ShieldCheck, rights: ["safelist.read"] },
  { href: "/desk/webhooks", text: "desk.nav.webhooks", icon: Webhook, rights: ["webhook.list"] },
  { href: "/desk/cameras", text: "desk.nav.cameras", icon: Camera, rights: ["camera.list"] },
  { href: "/desk/retention", text: "desk.nav.retention", icon: CalendarClock, rights: ["retention.read"] },
  { href: "/desk/portals", text: "desk.nav.portals", icon: MailOpen, rights: ["invitation.list", "portal.open"] },
  { href: "/desk/people", text: "desk.nav.people", icon: Users, rights: ["member.list"] },
  { href: "/desk/keys", text: "desk.nav.keys", icon: KeyRound, rights: ["member.recipient", "agency.recovery.set"] },
  { href: "/desk/agencies", text: "desk.nav.agencies", icon: Building, rights: ["agency.register"] },
  {
    href: "/desk/approvals",
    text: "desk.nav.approvals",
    icon: CheckCheck,
    rights: ["proposal.read"],
    waits: "approvals",
  },
  { href: "/desk/sharing", text: "desk.nav.sharing", icon: Share, rights: ["share.read"] },
  { href: "/desk/oversight", text: "desk.nav.oversight", icon: Eye, rights: ["audit.read"], waits: "notices" },
  { href: "/desk/policy-text", text: "desk.nav.policytext", icon: ScrollText, rights: ["policytext.set"] },
  {
    href: "/desk/findings",
    text: "desk.nav.findings",
    icon: ScanSearch,
    rights: ["finding.read"],
    waits: "findings",
  },
  { href: "/desk/seals", text: "desk.nav.seals", icon: Stamp, rights: ["asked.seal.list"] },
  { href: "/desk/disclose", text: "desk.nav.disclose", icon: FileCheck, rights: ["disclosure.make"] },
  { href: "/desk/system", text: "desk.nav.system", icon: Server, rights: ["system.read"] },
];

const ID = "[a-z]{3}_[a-z2-7]{26}";

interface Row {
  pattern: RegExp;
  section: string;
  load: Page["load"];
  /** Name of the property that the part in the address becomes. */
  prop?: string;
  wide?: boolean;
}

const row = (path: string, section: string, load: Page["load"], prop?: string, wide?: boolean): Row => ({
  pattern: new RegExp(`^/desk/${path.replace("<id>", `(${ID})`)}$`),
  section,
  load,
  prop,
  wide,
});

const ROWS: readonly Row[] = [
  row("requests", "requests", () => import("./requests/Requests.svelte")),
  row("requests/new", "requests", () => import("./requests/Draft.svelte"), undefined, true),
  row("requests/<id>", "requests", () => import("./requests/Request.svelte"), "id"),
  row("requests/<id>/submit", "requests", () => import("./requests/Submit.svelte"), "id"),
  row("requests/<id>/edit", "requests", () => import("./requests/Draft.svelte"), "id", true),
  row("moderation", "moderation", () => import("./moderation/Queue.svelte")),
  row("moderation/past", "moderation", () => import("./moderation/Past.svelte")),
  row("moderation/<id>", "moderation", () => import("./moderation/Decide.svelte"), "id"),
  row("inbox", "inbox", () => import("./inbox/Inbox.svelte"), undefined, true),
  row("inbox/<id>", "inbox", () => import("./inbox/Offer.svelte"), "id", true),
  row("cases", "cases", () => import("./cases/Cases.svelte"), undefined, true),
  row("cases/<id>", "cases", () => import("./cases/Case.svelte"), "id", true),
  row("items/<id>", "cases", () => import("./items/Item.svelte"), "id", true),
  row("plates", "plates", () => import("./plates/Plates.svelte"), undefined, true),
  row("plates/company", "plates", () => import("./plates/Company.svelte"), undefined, true),
  row("plates/places", "plates", () => import("./plates/Places.svelte"), undefined, true),
  row("plates/approvals", "plates", () => import("./plates/PlateApprovals.svelte")),
  row("plates/approvals/<id>", "plates", () => import("./plates/PlateApproval.svelte"), "id", true),
  row("footage", "footage", () => import("./footage/Footage.svelte"), undefined, true),
  row("kept/<id>", "cases", () => import("./plates/Kept.svelte"), "id"),
  row("alerts", "alerts", () => import("./hotlists/Alerts.svelte")),
  row("alerts/<id>", "alerts", () => import("./hotlists/Alert.svelte"), "id"),
  row("webhooks", "webhooks", () => import("./told/Webhooks.svelte")),
  row("safelist", "safelist", () => import("./safelist/Safelist.svelte")),
  row("hotlists", "hotlists", () => import("./hotlists/Hotlists.svelte")),
  row("hotlists/new", "hotlists", () => import("./hotlists/NewHotlist.svelte")),
  row("hotlists/<id>", "hotlists", () => import("./hotlists/Hotlist.svelte"), "id"),
  row("cameras", "cameras", () => import("./cameras/Cameras.svelte")),
  row("retention", "retention", () => import("./retention/Retention.svelte")),
  row("portals", "portals", () => import("./portals/Portals.svelte")),
  row("people", "people", () => import("./people/People.svelte")),
  row("people/<id>", "people", () => import("./people/Member.svelte"), "id"),
  row("keys", "keys", () => import("./keys/Keys.svelte")),
  row("me", "", () => import("./signin/Mine.svelte")),
  row("agencies", "agencies", () => import("./oversight/Agencies.svelte")),
  row("agencies/<id>", "agencies", () => import("./oversight/Agency.svelte"), "id"),
  row("approvals", "approvals", () => import("./govern/Approvals.svelte")),
  row("approvals/<id>", "approvals", () => import("./govern/Proposal.svelte"), "id"),
  row("findings", "findings", () => import("./govern/Findings.svelte")),
  row("findings/<id>", "findings", () => import("./govern/Finding.svelte"), "id"),
  row("sharing", "sharing", () => import("./govern/Sharing.svelte")),
  row("oversight", "oversight", () => import("./oversight/Records.svelte")),
  row("policy-text", "policy-text", () => import("./policytext/PolicyText.svelte")),
  row("seals", "seals", () => import("./govern/Seals.svelte")),
  row("disclose", "disclose", () => import("./govern/Disclose.svelte")),
  row("system", "system", () => import("./oversight/System.svelte")),
];

/** The page at this path; a path that names none gives the page that says so. */
export function pageFor(path: string): Page {
  const plain = path.replace(/\/+$/, "");
  for (const { pattern, section, load, prop, wide } of ROWS) {
    const found = pattern.exec(plain);
    if (found) return { key: plain, section, load, wide, props: prop && found[1] ? { [prop]: found[1] } : {} };
  }
  return { key: plain, section: "", load: () => import("./shell/Missing.svelte"), props: {} };
}

/** Where somebody with these rights begins. */
export function homeFor(may: (action: string) => boolean): string {
  return SECTIONS.find((section) => section.rights.some(may))?.href ?? "/desk/requests";
}

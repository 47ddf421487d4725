/** How much waits for somebody, as the rail shows it. */
import { approvals } from "../plates/api";
import { session, whenSessionEnds } from "../session/session.svelte";
import { proposals, unseenNotices } from "./api";
import { findings } from "./findings";

/** What waits; others' proposals only, for one's own wait for others. */
export const waiting = $state({ approvals: 0, notices: 0, findings: 0, searches: 0 });

/** Not counted again within so many milliseconds. */
const PAUSE = 5_000;
let counted = 0;

/** Counts, unless it was counted a moment ago; `again` after a decision. Without an answer the count stays. */
export async function countWaiting(again = false): Promise<void> {
  const now = Date.now();
  if (!session.member || (!again && now - counted < PAUSE)) return;
  counted = now;
  try {
    if (session.may("proposal.refuse")) {
      const open = (await proposals("open")).items;
      waiting.approvals = open.filter((each) => each.by !== session.member?.id).length;
    }
    if (session.may("approval.give")) {
      const open = (await approvals("open")).items;
      waiting.searches = open.filter((each) => each.decides).length;
    }
    if (session.may("finding.read")) waiting.findings = (await findings("open", undefined, 200)).items.length;
    if (session.may("notice.read")) waiting.notices = (await unseenNotices()).length;
  } catch {
    counted = 0;
  }
}

whenSessionEnds(() => {
  counted = 0;
  waiting.approvals = 0;
  waiting.notices = 0;
  waiting.findings = 0;
  waiting.searches = 0;
});

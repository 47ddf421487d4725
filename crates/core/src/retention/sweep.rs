//! One pass over everything that is past its time.

use canvass_types::{
    Policy, RequestState, Time, canonical,
    leaf::{Log, RequestsLeaf},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::envelope_reason;
use crate::{
    App, CoreError,
    access::{Job, Target},
    custody::{Change, Kept, anchor},
    intake::claim,
    ports::{Query, Record, Records, RecordsExt, StoreError, Versioned},
    records::{
        AskedMark, AuditRecord, BreakGlass, Case, CourtSeal, Enrolment, Erasure, FederatedAccount, Finding,
        Invitation, Item, KeptReads, Lockout, Member, Offer, OversightNotice, Passkey, Proposal,
        ProposalState, Request, RequestKey, SearchApproval, Session, Setting, SharingRule, Token,
    },
};

/// Records read at a time.
const STEP: u32 = 200;

/// What one pass did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swept {
    /// Envelopes whose destruction it ordered.
    pub envelopes: u32,
    /// Items whose destruction it ordered.
    pub items: u32,
    /// Files of plate reads of closed cases that it destroyed.
    #[serde(default)]
    pub reads: u32,
    /// Requests that it ended.
    pub requests: u32,
    /// Drafts that it dropped.
    pub drafts: u32,
    /// Mailboxes that it dropped.
    pub mailboxes: u32,
    /// Records of actions that it dropped.
    pub audit: u32,
    /// Refused and withheld requests whose text it dropped.
    pub texts: u32,
    /// Tokens that it dropped.
    pub tokens: u32,
    /// Removed passkeys and federated accounts, ended sessions, used-up enrolments and old failures to sign in that it dropped.
    pub sign_ins: u32,
    /// Invitations that it dropped.
    pub invitations: u32,
    /// Cases that it removed, with their items, offers and custody.
    pub cases: u32,
    /// Offers of no case that it removed, with their custody.
    pub offers: u32,
    /// Findings that it dropped.
    #[serde(default)]
    pub findings: u32,
    /// Members whose name it dropped.
    pub members: u32,
    /// Proposals that it closed because nobody decided in time.
    pub proposals: u32,
    /// Decided proposals, searches that took a second person, rules of sharing that are over, and notices to overseers that
    /// it dropped.
    pub governance: u32,
    /// Marks of searches and ended orders of courts that it dropped.
    pub asked: u32,
    /// Orders of courts over marks that it ended.
    pub seals: u32,
    /// What it left because a hold keeps it.
    pub held: u32,
    /// What someone else changed at the same moment; the next pass looks at it again.
    pub conflicts: u32,
}

/// What became of one record.
pub(crate) enum Outcome {
    Done,
    Held,
    Left,
}

/// What a pass counts for one class.
#[derive(Default)]
struct Counts {
    done: u32,
    held: u32,
    conflicts: u32,
}

impl Swept {
    /// Whether the pass changed anything.
    #[must_use]
    pub fn any(&self) -> bool {
        let bytes = [self.envelopes, self.items, self.mailboxes, self.requests, self.drafts, self.audit];
        let rows = [self.texts, self.tokens, self.sign_ins, self.invitations, self.reads];
        let gone = [self.cases, self.offers, self.members, self.findings, self.proposals, self.governance];
        let asked = [self.asked, self.seals];
        bytes.iter().chain(&rows).chain(&gone).chain(&asked).any(|n| *n > 0)
    }

    fn add(&mut self, counts: &Counts) -> u32 {
        self.held = self.held.saturating_add(counts.held);
        self.conflicts = self.conflicts.saturating_add(counts.conflicts);
        counts.done
    }
}

/// A moment so many days ago.
pub(super) fn days_ago(now: Time, days: u32) -> Time {
    now.plus_seconds(i64::from(days).saturating_mul(-86_400))
}

/// Days within which an upload that began in time may still come.
fn upload_days(policy: &Policy) -> u32 {
    policy.give.upload_hours.div_ceil(24).saturating_add(1)
}

impl<R: Records> App<R> {
    /// One pass: orders the destruction of what is past its time, ends requests, drops drafts, mailboxes and records of
    /// actions, and removes what is on record of things long gone; at most `limit` of each class. A hold keeps all of what it covers. Doing it again changes nothing.
    ///
    /// # Errors
    /// The store's, for anything but a conflict.
    pub async fn sweep(&self, limit: u32) -> Result<Swept, CoreError> {
        let now = self.now();
        let retention = &self.policy().retention;
        let mut swept = Swept::default();
        let query = Query::<Offer>::new().due("due", now);
        swept.envelopes = swept.add(&self.pass(query, limit, |it| self.order_envelope(it, now)).await?);
        let query = Query::<Item>::new().due("due", now);
        swept.items = swept.add(&self.pass(query, limit, |it| self.order_item(it, now)).await?);
        let query = Query::<KeptReads>::new().due("due", now);
        let erase = |it| async move {
            self.erase_kept(it).await.map(|done| if done { Outcome::Done } else { Outcome::Held })
        };
        swept.reads = swept.add(&self.pass(query, limit, erase).await?);
        let query = Query::<Request>::new().with("state", RequestState::Published.as_str()).due("due", now);
        swept.requests = swept.add(&self.pass(query, limit, |it| self.expire(it, now)).await?);
        let old = days_ago(now, retention.draft_days);
        let query = Query::<Request>::new().with("state", RequestState::Draft.as_str()).due("due", old);
        swept.drafts = swept.add(&self.pass(query, limit, |it| self.drop_stale_draft(it)).await?);
        let query = Query::<Offer>::new().due("mailbox_due", now);
        swept.mailboxes = swept.add(&self.pass(query, limit, |it| self.drop_mailbox(it, now)).await?);
        let query = Query::<AuditRecord>::new().due("at", days_ago(now, retention.audit_days));
        swept.audit = swept.add(&self.pass(query, limit, |it| self.drop_audit(it)).await?);
        let query = Query::<BreakGlass>::new().due("ends", days_ago(now, retention.audit_days));
        swept.audit += swept.add(&self.pass(query, limit, |it| self.drop_shared(it)).await?);
        self.sweep_rows(&mut swept, now, limit).await?;
        Ok(swept)
    }

    /// What is on record after the bytes are gone.
    async fn sweep_rows(&self, swept: &mut Swept, now: Time, limit: u32) -> Result<(), CoreError> {
        let policy = self.policy();
        let retention = &policy.retention;
        let refused = Query::<Request>::new().with("state", RequestState::Refused.as_str());
        let refused = refused.due("due", days_ago(now, retention.draft_days));
        let withheld = Query::<Request>::new().with("state", RequestState::Withheld.as_str());
        let withheld = withheld.due("due", days_ago(now, retention.draft_days.max(upload_days(policy))));
        for query in [refused, withheld] {
            swept.texts += swept.add(&self.pass(query, limit, |it| self.forget_text(it)).await?);
        }
        let query = Query::<Token>::new().due("ends", days_ago(now, retention.token_days));
        swept.tokens = swept.add(&self.pass(query, limit, |it| self.drop_shared(it)).await?);
        swept.sign_ins = self.sweep_sign_ins(swept, days_ago(now, retention.token_days), limit).await?;
        let kept = retention.mailbox_days.max(upload_days(policy));
        let query = Query::<Invitation>::new().due("ends", days_ago(now, kept));
        swept.invitations = swept.add(&self.pass(query, limit, |it| self.drop_invitation(it)).await?);
        let old = days_ago(now, retention.record_days);
        let query = Query::<Case>::new().due("closed", old);
        swept.cases = swept.add(&self.pass(query, limit, |it| self.forget_case(it, old)).await?);
        let query = Query::<Offer>::new().due("ended", old);
        swept.offers = swept.add(&self.pass(query, limit, |it| self.forget_offer(it)).await?);
        let query = Query::<Finding>::new().due("ends", old);
        swept.findings = swept.add(&self.pass(query, limit, |it| self.drop_finding(it)).await?);
        let query = Query::<Member>::new().due("stopped", old);
        swept.members = swept.add(&self.pass(query, limit, |it| self.forget_name(it)).await?);
        let kept = days_ago(now, retention.audit_days);
        self.sweep_governance(swept, now, kept, limit).await?;
        self.sweep_asked(swept, now, limit).await
    }

    async fn sweep_governance(
        &self,
        swept: &mut Swept,
        now: Time,
        old: Time,
        limit: u32,
    ) -> Result<(), CoreError> {
        let query = Query::<Proposal>::new().with("state", ProposalState::Open.as_str()).due("ends", now);
        let close = |it| async move { self.expire_proposal(&it).await.map(|()| Outcome::Done) };
        swept.proposals = swept.add(&self.pass(query, limit, close).await?);
        let query = Query::<Proposal>::new().due("ends", old);
        let proposals = self.pass(query, limit, |it| self.drop_shared(it)).await?;
        let query = Query::<SharingRule>::new().due("ends", old);
        let rules = self.pass(query, limit, |it| self.drop_shared(it)).await?;
        let query = Query::<OversightNotice>::new().due("at", old);
        let notices = self.pass(query, limit, |it| self.drop_shared(it)).await?;
        let query = Query::<SearchApproval>::new().due("ends", old);
        let searches = self.pass(query, limit, |it| self.drop_shared(it)).await?;
        swept.governance = [proposals, rules, notices, searches].iter().map(|counts| swept.add(counts)).sum();
        Ok(())
    }

    /// Orders of courts that are over, and what the owners of plates could look at long enough.
    async fn sweep_asked(&self, swept: &mut Swept, now: Time, limit: u32) -> Result<(), CoreError> {
        let policy = self.policy();
        let query = Query::<CourtSeal>::new().due("due", now);
        swept.seals = swept.add(&self.pass(query, limit, |it| self.end_seal(it, now)).await?);
        let kept = days_ago(now, policy.asked.keep_days.saturating_add(1));
        let query = Query::<AskedMark>::new().due("day", kept);
        let marks = self.pass(query, limit, |it| self.drop_shared(it)).await?;
        let query = Query::<CourtSeal>::new().due("ended", days_ago(now, policy.retention.record_days));
        let seals = self.pass(query, limit, |it| self.drop_shared(it)).await?;
        swept.asked = swept.add(&marks) + swept.add(&seals);
        Ok(())
    }

    async fn sweep_sign_ins(&self, swept: &mut Swept, old: Time, limit: u32) -> Result<u32, CoreError> {
        let query = Query::<Passkey>::new().due("ends", old);
        let passkeys = self.pass(query, limit, |it| self.drop_shared(it)).await?;
        let query = Query::<FederatedAccount>::new().due("ends", old);
        let accounts = self.pass(query, limit, |it| self.drop_shared(it)).await?;
        let query = Query::<Session>::new().due("ends", old);
        let sessions = self.pass(query, limit, |it| self.drop_shared(it)).await?;
        let query = Query::<Enrolment>::new().due("ends", old);
        let enrolments = self.pass(query, limit, |it| self.drop_shared(it)).await?;
        let query = Query::<Lockout>::new().due("ends", old);
        let lockouts = self.pass(query, limit, |it| self.drop_shared(it)).await?;
        Ok([passkeys, accounts, sessions, enrolments, lockouts].iter().map(|counts| swept.add(counts)).sum())
    }

    /// Does one thing to each record that a query meets, until so many are done.
    async fn pass<T: Record, F>(
        &self,
        query: Query<T>,
        limit: u32,
        each: impl Fn(Versioned<T>) -> F + Send + Sync,
    ) -> Result<Counts, CoreError>
    where
        F: Future<Output = Result<Outcome, CoreError>> + Send,
    {
        let mut counts = Counts::default();
        let mut after = None;
        loop {
            let part = self.records().list(query.clone().after(after).limit(STEP)).await?;
            let end = part.len() < STEP as usize;
            for row in part {
                if counts.done >= limit {
                    return Ok(counts);
                }
                after = Some(row.sequence);
                match each(row).await {
                    Ok(Outcome::Done) => counts.done += 1,
                    Ok(Outcome::Held) => counts.held = counts.held.saturating_add(1),
                    Ok(Outcome::Left) => {}
                    Err(CoreError::Store(StoreError::Conflict { .. })) => {
                        counts.conflicts = counts.conflicts.saturating_add(1);
                    }
                    Err(error) => return Err(error),
                }
            }
            if end {
                return Ok(counts);
            }
        }
    }

    async fn order_envelope(&self, before: Versioned<Offer>, now: Time) -> Result<Outcome, CoreError> {
        let cover = self.offer_cover(&before.record).await?;
        if cover.hold.is_some() {
            return Ok(Outcome::Held);
        }
        let ordered = self.ordered(&before.record.envelope).await?.is_some();
        let offer = &before.record;
        let reason = envelope_reason(offer);
        let erasure = (!ordered)
            .then(|| self.new_erasure(&offer.agency, offer.id.as_str(), &offer.envelope, reason, now));
        let target = Target::of(&offer.agency, &offer.id).in_case(offer.case.clone());
        let mut change = Change::of(before);
        change.now.due = None;
        self.order(change, erasure, target, now, |changes| cover.guard(changes)).await
    }

    async fn order_item(&self, before: Versioned<Item>, now: Time) -> Result<Outcome, CoreError> {
        let cover = self.item_cover(&before.record).await?;
        if cover.hold.is_some() {
            return Ok(Outcome::Held);
        }
        let ordered = self.ordered(&before.record.sealed).await?.is_some();
        let item = &before.record;
        let erasure = (!ordered)
            .then(|| self.new_erasure(&item.agency, item.id.as_str(), &item.sealed, "closed-case", now));
        let target = Target::of(&item.agency, &item.id).in_case(Some(item.case.clone()));
        let mut change = Change::of(before);
        change.now.due = None;
        self.order(change, erasure, target, now, |changes| cover.guard(changes)).await
    }

    async fn order<T: Kept>(
        &self,
        mut change: Change<T>,
        erasure: Option<Erasure>,
        target: Target,
        now: Time,
        guard: impl FnOnce(crate::ports::Changeset) -> crate::ports::Changeset + Send,
    ) -> Result<Outcome, CoreError> {
        let Some(erasure) = erasure else {
            // It was ordered before; only the date was left.
            let housekeeping = self.system(Job::Housekeeping, target);
            housekeeping.keep(&change).commit(self.records()).await?;
            return Ok(Outcome::Left);
        };
        change.event(
            "erasure-ordered",
            None,
            now,
            json!({ "erasure": erasure.id, "reason": erasure.reason }),
        );
        let head = anchor(change.now.head());
        self.system(Job::ErasureOrdered, target)
            .detail(json!({ "erasure": erasure.id, "reason": erasure.reason, "custody": head }))
            .with(|changes| guard(changes.insert(&erasure)))
            .keep(&change)
            .commit(self.records())
            .await?;
        Ok(Outcome::Done)
    }

    async fn expire(&self, before: Versioned<Request>, now: Time) -> Result<Outcome, CoreError> {
        let mut request = before.record.clone();
        request.state = RequestState::Expired;
        request.ended = Some(now);
        request.unpublished = true;
        let leaf = RequestsLeaf::RequestState {
            request: request.id.clone(),
            agency: request.agency.clone(),
            state: RequestState::Expired,
            basis: None,
            at: now,
        };
        // A plain struct: its canonical JSON can always be written, and is UTF-8.
        let text = canonical(&leaf).ok().and_then(|text| String::from_utf8(text).ok()).unwrap_or_default();
        request.leaves.push(text);
        self.system(Job::RequestExpired, Target::of(&request.agency, &request.id))
            .detail(json!({ "closes": request.closes }))
            .with(|changes| changes.update(&before, &request).leaf(Log::Requests, &leaf))
            .commit(self.records())
            .await?;
        Ok(Outcome::Done)
    }

    async fn drop_stale_draft(&self, before: Versioned<Request>) -> Result<Outcome, CoreError> {
        let id = &before.record.id;
        let key: Option<Versioned<RequestKey>> = self.records().get(id.as_str()).await?;
        self.system(Job::Housekeeping, Target::of(&before.record.agency, id))
            .with(|changes| key.iter().fold(changes.delete(&before), |all, key| all.delete(key)))
            .commit(self.records())
            .await?;
        Ok(Outcome::Done)
    }

    async fn drop_mailbox(&self, before: Versioned<Offer>, now: Time) -> Result<Outcome, CoreError> {
        let cover = self.offer_cover(&before.record).await?;
        if cover.hold.is_some() {
            return Ok(Outcome::Held);
        }
        let claimed: Option<Versioned<Setting>> = self.records().get(&claim(&before.record.lookup)).await?;
        let target = Target::of(&before.record.agency, &before.record.id);
        let mut change = Change::of(before);
        change.now.questions.clear();
        change.now.mailbox = None;
        change.now.mailbox_due = None;
        change.event("mailbox-dropped", None, now, json!({}));
        self.system(Job::Housekeeping, target)
            .with(|changes| claimed.iter().fold(cover.guard(changes), |all, claimed| all.delete(claimed)))
            .keep(&change)
            .commit(self.records())
            .await?;
        Ok(Outcome::Done)
    }

    async fn drop_audit(&self, before: Versioned<AuditRecord>) -> Result<Outcome, CoreError> {
        let body = &before.record.body;
        let case = body.case.as_ref().map(|case| case.as_str());
        for subject in [Some(body.subject.as_str()), case].into_iter().flatten() {
            if self.active_hold(subject).await?.is_some() {
                return Ok(Outcome::Held);
            }
        }
        self.system(Job::Housekeeping, Target::shared(&body.id))
            .with(|changes| changes.delete(&before))
            .commit(self.records())
            .await?;
        Ok(Outcome::Done)
    }
}

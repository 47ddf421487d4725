//! Changes that take two people: one proposes, another approves. What a proposal would change is fixed when it is made;
//! who approves it approves exactly that, and only while what it rests on is still in force.

mod limits;
mod rules;
mod views;

use canvass_types::{AgencyId, Digest, MemberId, ProposalId, Role, Time};
use serde_json::json;

pub use limits::NewLimits;
pub use rules::{NewRules, RulesFault};
pub use views::{HotlistProposed, ProposalDetail, ProposalFilter, ProposalView, RightView};

use crate::{
    App, CoreError,
    access::{Action, Actor, Facts, Job, PolicyApprove, ProposalRefuse, ProposalWithdraw, Reach, Target},
    cases::load::every,
    error::{accept, check_text},
    ports::{Query, Records, RecordsExt, Versioned},
    records::{Decided, Member, Proposal, ProposalBody, ProposalState},
};

/// Days within which a proposal can be approved.
pub const DAYS: u32 = 14;
/// Lengths of a reason, in characters.
const REASON: std::ops::RangeInclusive<usize> = 10..=500;
/// Most members of one agency, or of the whole deployment, among whom a second person is looked for.
const MOST_MEMBERS: usize = 200_000;

/// Facts of one who approves what somebody proposed: another person's proposal counts as that person's approval.
pub(crate) fn second(actor: &Actor, proposal: &Proposal) -> Facts {
    let others = actor.member != proposal.by;
    Facts { others_proposal: others, approvals: u32::from(others), ..Facts::default() }
}

/// Refuses a proposal that nobody can decide on any more.
pub(crate) fn still_open(proposal: &Proposal, now: Time) -> Result<(), CoreError> {
    let what = match proposal.state {
        ProposalState::Open if now < proposal.expires => return Ok(()),
        ProposalState::Open | ProposalState::Expired => {
            format!("the proposal expired on {}", proposal.expires)
        }
        decided => format!("the proposal is {} already", decided.as_str()),
    };
    Err(CoreError::state(what, "see what is in force now, and propose anew if it is still wanted"))
}

/// The proposal as decided.
pub(crate) fn decided(
    proposal: &Proposal,
    state: ProposalState,
    by: Option<&MemberId>,
    at: Time,
    reason: Option<String>,
) -> Proposal {
    let mut after = proposal.clone();
    after.state = state;
    after.decided = Some(Decided { by: by.cloned(), at, reason });
    after
}

/// What of a proposal its record says.
pub(crate) fn particulars(proposal: &Proposal) -> serde_json::Value {
    json!({ "proposal": proposal.id, "kind": proposal.body.kind(), "digest": proposal.digest })
}

impl<R: Records> App<R> {
    /// A proposal that is to be made.
    pub(crate) fn new_proposal(
        &self,
        actor: &Actor,
        agency: Option<AgencyId>,
        body: ProposalBody,
        digest: Digest,
        reason: &str,
    ) -> Result<Proposal, CoreError> {
        let mut problems = Vec::new();
        check_text(&mut problems, "reason", reason, REASON);
        accept(problems)?;
        let now = self.now();
        Ok(Proposal {
            id: ProposalId::random(self.entropy()),
            agency,
            body,
            digest,
            by: actor.member.clone(),
            at: now,
            expires: now.plus_days(DAYS),
            reason: reason.trim().to_owned(),
            state: ProposalState::Open,
            decided: None,
        })
    }

    /// Refuses to propose what nobody else could approve.
    pub(crate) async fn needs_a_second<A: Action>(&self, actor: &Actor) -> Result<(), CoreError> {
        let policies = self.gate().policies();
        let reach = |role: &Role| policies.table().reach(A::NAME, *role) != Reach::Never;
        let query = match &actor.agency {
            Some(agency) => Query::<Member>::new().with("agency", agency),
            None => Query::new(),
        };
        let fits = |member: &Member| {
            member.agency == actor.agency
                && member.id != actor.member
                && member.active
                && member.roles.iter().any(reach)
        };
        let members = every(self.records(), query, MOST_MEMBERS).await?;
        if members.iter().any(|member| fits(&member.record)) {
            return Ok(());
        }
        let (what, remedy) = if actor.agency.is_none() {
            (
                "this takes two operators, and this Canvass has one: nobody could approve it",
                "add a second operator (`canvass member add --no-agency --role operator`), let them register their passkey or take \
                 their token, and propose again",
            )
        } else {
            (
                "this takes two people of the agency, and nobody else of it could approve",
                "add a second supervisor or administrator, and propose again",
            )
        };
        Err(CoreError::state(what, remedy))
    }

    pub(crate) async fn load_proposal(&self, id: &ProposalId) -> Result<Versioned<Proposal>, CoreError> {
        self.records().get(id.as_str()).await?.ok_or(CoreError::Hidden("proposal"))
    }

    /// Approves what somebody else proposed, which brings it into force.
    ///
    /// # Errors
    /// When the actor may not or proposed it themselves, it is decided or expired, or what it rests on has changed.
    pub async fn approve_proposal(&self, actor: &Actor, id: &ProposalId) -> Result<ProposalView, CoreError> {
        let before = self.load_proposal(id).await?;
        let done = match &before.record.body {
            ProposalBody::Limits { before: base, after } => {
                self.approve_limits(actor, &before, base, after).await
            }
            ProposalBody::Rules { base, files } => self.approve_rules(actor, &before, base, files).await,
            ProposalBody::SharingOffer { rule } => self.approve_offer(actor, &before, rule).await,
            ProposalBody::SharingAcceptance { rule } => self.approve_acceptance(actor, &before, rule).await,
            ProposalBody::Hotlist { list, version, base } => {
                self.approve_hotlist(actor, &before, (list, version, base.as_ref())).await
            }
        };
        if let Err(CoreError::Store(_)) = &done {
            // Whether it was stored is not known: what is stored counts, here as after a new start.
            self.load_policy().await?;
            self.reload_rules().await?;
            self.load_hotlists().await?;
        }
        done?;
        self.proposal_view(&self.load_proposal(id).await?.record).await
    }

    /// Asks whether the actor may approve this change of the whole deployment, and whether it can be approved.
    async fn may_approve(
        &self,
        actor: &Actor,
        proposal: &Proposal,
    ) -> Result<crate::access::Intent<PolicyApprove>, CoreError> {
        let target = Target::shared(&proposal.id).with(second(actor, proposal));
        let intent = self.allow::<PolicyApprove>(actor, target, None).await?;
        still_open(proposal, self.now())?;
        Ok(intent)
    }

    /// Refuses what somebody else proposed.
    ///
    /// # Errors
    /// When the actor may not or proposed it themselves, the reason is too short, or it is decided.
    pub async fn refuse_proposal(
        &self,
        actor: &Actor,
        id: &ProposalId,
        reason: &str,
    ) -> Result<ProposalView, CoreError> {
        let before = self.load_proposal(id).await?;
        let target = Target::maybe(before.record.agency.as_ref(), id);
        let intent = self.allow::<ProposalRefuse>(actor, target, None).await?;
        still_open(&before.record, self.now())?;
        if before.record.by == actor.member {
            return Err(CoreError::state("you proposed this yourself", "withdraw it instead"));
        }
        let mut problems = Vec::new();
        check_text(&mut problems, "reason", reason, REASON);
        accept(problems)?;
        let reason = Some(reason.trim().to_owned());
        let after = decided(&before.record, ProposalState::Refused, Some(&actor.member), self.now(), reason);
        let intent = intent.detail(particulars(&after)).with(|changes| changes.update(&before, &after));
        intent.commit(self.records()).await?;
        self.proposal_view(&after).await
    }

    /// Takes back what the actor proposed.
    ///
    /// # Errors
    /// When the actor may not, somebody else proposed it, or it is decided.
    pub async fn withdraw_proposal(&self, actor: &Actor, id: &ProposalId) -> Result<ProposalView, CoreError> {
        let before = self.load_proposal(id).await?;
        let target = Target::maybe(before.record.agency.as_ref(), id);
        let intent = self.allow::<ProposalWithdraw>(actor, target, None).await?;
        still_open(&before.record, self.now())?;
        if before.record.by != actor.member {
            return Err(CoreError::state("somebody else proposed this", "refuse it instead, with a reason"));
        }
        let after = decided(&before.record, ProposalState::Withdrawn, Some(&actor.member), self.now(), None);
        let intent = intent.detail(particulars(&after)).with(|changes| changes.update(&before, &after));
        intent.commit(self.records()).await?;
        self.proposal_view(&after).await
    }

    /// Closes a proposal that nobody decided on in time.
    pub(crate) async fn expire_proposal(&self, before: &Versioned<Proposal>) -> Result<(), CoreError> {
        let after = decided(&before.record, ProposalState::Expired, None, self.now(), None);
        let target = Target::maybe(before.record.agency.as_ref(), &before.record.id);
        self.system(Job::ProposalExpired, target)
            .detail(particulars(&after))
            .with(|changes| changes.update(before, &after))
            .commit(self.records())
            .await?;
        Ok(())
    }
}

/// What a proposal to change the whole deployment's policy rests on is no longer in force.
pub(crate) fn stale(what: &str) -> CoreError {
    CoreError::state(
        format!("{what} changed since this was proposed"),
        "withdraw or refuse it, see what is in force now, and propose anew on that",
    )
}

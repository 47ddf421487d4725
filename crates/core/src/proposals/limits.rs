//! Proposals to change limits and retentions.

use canvass_types::Policy;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ProposalView, particulars, stale};
use crate::{
    App, CoreError,
    access::{Actor, PolicyApprove, PolicyPropose, Target},
    policy::{check, policy_digest},
    ports::{Records, Versioned},
    records::{Proposal, ProposalBody, ProposalState},
};

/// Other limits and retentions that are to be proposed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLimits {
    /// The whole policy as it shall be.
    pub policy: Policy,
    /// Why, in words, 10 to 500 characters.
    pub reason: String,
}

impl<R: Records> App<R> {
    /// Proposes other limits and retentions. Nothing changes until another operator approves them.
    ///
    /// # Errors
    /// When the actor may not, nobody else could approve, a value is out of range, or nothing would change.
    pub async fn propose_limits(&self, actor: &Actor, wish: NewLimits) -> Result<ProposalView, CoreError> {
        let target = Target::shared("policy");
        let intent = self.allow::<PolicyPropose>(actor, target, None).await?;
        self.needs_a_second::<PolicyApprove>(actor).await?;
        check(&wish.policy)?;
        if wish.policy == *self.policy() {
            return Err(CoreError::field(
                "policy",
                "same",
                "these limits are in force already",
                "change a value, or leave it",
            ));
        }
        let digest = policy_digest(&wish.policy);
        let body =
            ProposalBody::Limits { before: Box::new(self.policy().clone()), after: Box::new(wish.policy) };
        let proposal = self.new_proposal(actor, None, body, digest, &wish.reason)?;
        let intent = intent.detail(particulars(&proposal)).with(|changes| changes.insert(&proposal));
        intent.commit(self.records()).await?;
        self.proposal_view(&proposal).await
    }

    pub(super) async fn approve_limits(
        &self,
        actor: &Actor,
        before: &Versioned<Proposal>,
        base: &Policy,
        after: &Policy,
    ) -> Result<(), CoreError> {
        let intent = self.may_approve(actor, &before.record).await?;
        let stored = self.stored_policy().await?;
        if stored.as_ref().map_or_else(|| self.policy().clone(), |(_, policy)| policy.clone()) != *base {
            return Err(stale("the policy"));
        }
        check(after)?;
        let approved =
            super::decided(&before.record, ProposalState::Approved, Some(&actor.member), self.now(), None);
        let notice = self.notice::<PolicyApprove>(None, None, &approved.id);
        let intent = intent.with(|changes| changes.update(before, &approved).insert(&notice));
        self.store_policy(intent, stored.map(|(row, _)| row), after.clone(), Some(&approved.id)).await
    }
}

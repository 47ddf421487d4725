//! The domain with what it works on.

use std::sync::Arc;

use canvass_types::{AgencyId, Clock, Entropy, MemberId, Policy, Time};

use crate::{
    CoreError,
    access::{Action, Actor, Denied, Gate, Intent, Job, System, Target},
    policy::Policies,
    ports::{Records, RecordsExt, Versioned},
    records::{Agency, Member},
    signin::SigningIn,
};

/// The domain with what it works on: records, rights, policy, time and chance. Each operation is one method.
pub struct App<R> {
    records: R,
    gate: Gate,
    policy: Policies,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    signing_in: SigningIn,
}

impl<R: Records> App<R> {
    /// Puts it together.
    pub fn new(
        records: R,
        gate: Gate,
        policy: Policy,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            records,
            gate,
            policy: Policies::new(policy),
            clock,
            entropy,
            signing_in: SigningIn::default(),
        }
    }

    /// The store.
    pub fn records(&self) -> &R {
        &self.records
    }

    /// Limits and retentions in force.
    pub fn policy(&self) -> &Policy {
        self.policy.current()
    }

    pub(crate) fn signing_in(&self) -> &SigningIn {
        &self.signing_in
    }

    pub(crate) fn policies(&self) -> &Policies {
        &self.policy
    }

    /// Rights in force.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// The present moment.
    pub fn now(&self) -> Time {
        Time::new(self.clock.now())
    }

    /// Where chance comes from.
    pub fn entropy(&self) -> &dyn Entropy {
        self.entropy.as_ref()
    }

    pub(crate) fn allow<A: Action>(
        &self,
        actor: &Actor,
        target: Target,
        purpose: Option<&str>,
    ) -> Result<Intent<A>, Denied> {
        self.gate.allow(actor, target, purpose, self.now(), self.entropy())
    }

    /// An action on what is the actor's own: their token, their recipient.
    pub(crate) fn own<A: Action>(&self, actor: &Actor, subject: impl ToString) -> Result<Intent<A>, Denied> {
        let target = Target { agency: actor.agency.clone(), subject: subject.to_string(), case: None };
        self.gate.own(actor, target, self.now(), self.entropy())
    }

    pub(crate) fn system(&self, job: Job, target: Target) -> Intent<System> {
        self.gate.system(job, target, self.now(), self.entropy())
    }

    pub(crate) async fn member(&self, id: &MemberId) -> Result<Versioned<Member>, CoreError> {
        self.records.get(id.as_str()).await?.ok_or(CoreError::Hidden("member"))
    }

    pub(crate) async fn agency(&self, id: &AgencyId) -> Result<Versioned<Agency>, CoreError> {
        self.records.get(id.as_str()).await?.ok_or(CoreError::Hidden("agency"))
    }
}

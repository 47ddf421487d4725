//! The domain with what it works on.

use std::sync::{Arc, OnceLock};

use canvass_types::{AgencyId, Clock, Entropy, MemberId, Policy, Purpose, Role, Time};

use crate::{
    CoreError,
    access::{Action, Actor, By, Gate, Intent, Job, System, Target, VeilKeys},
    alerts::webhooks::Inside,
    asked::AskedKeys,
    breakglass::LookedNow,
    derived::RootKey,
    hotlists::Hotlists,
    plates::Shown,
    policy::Policies,
    ports::{Records, RecordsExt, Versioned},
    records::{Agency, Member},
    safelist::Safelists,
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
    veil_keys: VeilKeys,
    looked: LookedNow,
    shown: Shown,
    footage_shown: Shown<String>,
    asked_keys: AskedKeys,
    watch: Hotlists,
    root_key: RootKey,
    safelists: Safelists,
    inside: OnceLock<Inside>,
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
            veil_keys: VeilKeys::default(),
            looked: LookedNow::default(),
            shown: Shown::default(),
            footage_shown: Shown::default(),
            asked_keys: AskedKeys::default(),
            watch: Hotlists::default(),
            root_key: RootKey::default(),
            safelists: Safelists::default(),
            inside: OnceLock::new(),
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

    pub(crate) fn looked(&self) -> &LookedNow {
        &self.looked
    }

    pub(crate) fn shown(&self) -> &Shown {
        &self.shown
    }

    /// Ids of sightings and items that searches of footage found, and who may fetch their pictures or sealed sightings.
    pub(crate) fn footage_shown(&self) -> &Shown<String> {
        &self.footage_shown
    }

    pub(crate) fn asked_keys(&self) -> &AskedKeys {
        &self.asked_keys
    }

    pub(crate) fn watch(&self) -> &Hotlists {
        &self.watch
    }

    pub(crate) fn safelists(&self) -> &Safelists {
        &self.safelists
    }

    pub(crate) fn root_key(&self) -> &RootKey {
        &self.root_key
    }

    /// Addresses of the operator's own network that webhooks may reach; none unless they were named.
    pub(crate) fn inside(&self) -> &Inside {
        self.inside.get_or_init(Inside::default)
    }

    pub(crate) fn set_inside(&self, inside: Inside) {
        let _ = self.inside.set(inside);
    }

    pub(crate) fn veil_keys(&self) -> &VeilKeys {
        &self.veil_keys
    }

    /// Asks the gate; what it refuses and would have entered in the ledger is entered as refused, before anybody is told.
    pub(crate) async fn allow<A: Action>(
        &self,
        actor: &Actor,
        target: Target,
        purpose: Option<&Purpose>,
    ) -> Result<Intent<A>, CoreError> {
        let veil = self.veil(Some(actor), &target).await?;
        let (now, entropy) = (self.now(), self.entropy());
        let denied = match self.gate.allow(actor, target.clone(), purpose, now, entropy) {
            Ok(intent) => return Ok(intent.veiled(veil)),
            Err(denied) => denied,
        };
        if let Some(refusal) = self.gate.refusal::<A>(actor, target, purpose, &denied, now, entropy) {
            refusal.veiled(veil).commit(&self.records).await?;
        }
        Err(denied.into())
    }

    /// An action on what is the actor's own: their token, their recipient.
    pub(crate) async fn own<A: Action>(
        &self,
        actor: &Actor,
        subject: impl ToString + Send,
    ) -> Result<Intent<A>, CoreError> {
        let target = Target::maybe(actor.agency.as_ref(), subject);
        let veil = self.veil(Some(actor), &target).await?;
        Ok(self.gate.own(actor, target, self.now(), self.entropy())?.veiled(veil))
    }

    /// A member who acts in these of their roles, as their agency stands now.
    pub(crate) async fn actor(&self, member: &Member, roles: Vec<Role>, by: By) -> Result<Actor, CoreError> {
        let agency = match &member.agency {
            Some(id) => Some(self.agency(id).await?.record),
            None => None,
        };
        Ok(Actor::new(member, agency.as_ref(), roles, by))
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

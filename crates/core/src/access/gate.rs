//! The gate: the one place where rights are decided, by the policies in force.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use canvass_policy::{
    DEFAULT, Facts, Party, PolicyErrors, PolicySet, PurposeProblem, Question, Reach, SharingFacts, Subject,
};
use canvass_types::{AgencyClass, AgencyId, Entropy, FieldProblem, Purpose, Role, Time};
use serde_json::json;

use super::{
    Action, Actor, By, Denied, HotlistAlert, Intent, Job, Mark, NAMES, REFUSED, System, Target, intent,
};
use crate::error::problem;

/// The one place where rights are decided.
#[derive(Debug)]
pub struct Gate {
    policies: RwLock<Arc<PolicySet>>,
}

/// The actions of `policies/step-up.txt`: a session takes them only when its passkey was used a moment ago.
fn step_ups() -> impl Iterator<Item = &'static str> {
    let lines = include_str!("../../../../policies/step-up.txt").lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#'))
}

pub(super) fn steps_up(action: &str) -> bool {
    step_ups().any(|each| each == action)
}

impl Gate {
    /// A gate that decides by these policies.
    pub fn new(policies: Arc<PolicySet>) -> Self {
        Self { policies: RwLock::new(policies) }
    }

    /// A gate that decides by the policies that ship with Canvass.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn shipped() -> Result<Self, PolicyErrors> {
        static SHIPPED: OnceLock<Arc<PolicySet>> = OnceLock::new();
        let set = match SHIPPED.get() {
            Some(set) => set,
            None => {
                let made = Arc::new(PolicySet::shipped()?);
                SHIPPED.get_or_init(|| made)
            }
        };
        Ok(Self::new(Arc::clone(set)))
    }

    /// The policies in force.
    pub fn policies(&self) -> Arc<PolicySet> {
        Arc::clone(&self.policies.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts other policies in force. What was decided before stays decided.
    pub(crate) fn replace(&self, policies: Arc<PolicySet>) {
        *self.policies.write().unwrap_or_else(PoisonError::into_inner) = policies;
    }

    /// Whether the actor may do this; leaves no mark, so only for what is neither evidence nor change.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn check<A: Action>(&self, actor: &Actor, target: &Target) -> Result<(), Denied> {
        self.decide(A::NAME, actor, target, None, Time::from_second(0))
    }

    /// The same at a moment, for what is shared between dates.
    pub(crate) fn check_at<A: Action>(
        &self,
        actor: &Actor,
        target: &Target,
        now: Time,
    ) -> Result<(), Denied> {
        self.decide(A::NAME, actor, target, None, now)
    }

    /// What the rules say of this, in words, also where [`Self::check_at`] would say that there is nothing: for what the actor
    /// knows of already because its owner shares it with them.
    pub(crate) fn because<A: Action>(&self, actor: &Actor, target: &Target, now: Time) -> Vec<String> {
        let policies = self.policies();
        policies.decide(&question(&policies, A::NAME, actor, target, None, now)).because
    }

    /// An agency under the profile of law of its state, as the policies in force have it.
    pub(crate) fn under_law(&self, party: Party) -> Party {
        under_law(&self.policies(), party)
    }

    /// Whether an owner's sharing lets an agency's investigator do this, once they supply what is asked for besides.
    pub(crate) fn lets_in(
        &self,
        action: &str,
        asking: &Party,
        owner: &Party,
        sharing: &SharingFacts,
        now: Time,
    ) -> bool {
        let facts = Facts { now: now.as_second(), sharing: Some(sharing.clone()), ..Facts::default() };
        let (roles, agency) = (vec![Role::Investigator], Some(asking.clone()));
        let subject = Subject { id: "investigator".into(), roles, agency };
        let question = Question { subject, action: action.to_owned(), owner: Some(owner.clone()), facts };
        let decision = self.policies().decide(&question);
        decision.allowed || !decision.needs.is_empty()
    }

    /// Whether a hotlist of an agency may alert on what a camera of this owner reads, under the owner's law and sharing.
    pub(crate) fn may_alert(&self, agency: &Party, owner: &Party, facts: Facts, now: Time) -> bool {
        let policies = self.policies();
        let agency = under_law(&policies, agency.clone());
        let subject = Subject { id: "hotlist".into(), roles: vec![Role::Investigator], agency: Some(agency) };
        let owner = Some(under_law(&policies, owner.clone()));
        let facts = Facts { now: now.as_second(), ..facts };
        policies.decide(&Question { subject, action: HotlistAlert::NAME.to_owned(), owner, facts }).allowed
    }

    fn decide(
        &self,
        action: &'static str,
        actor: &Actor,
        target: &Target,
        purpose: Option<&Purpose>,
        now: Time,
    ) -> Result<(), Denied> {
        // A machine's token knows of nothing but the one thing that it acts for.
        if actor.scope().is_some_and(|scope| scope != target.subject) {
            return Err(Denied::Hidden);
        }
        let policies = self.policies();
        let question = question(&policies, action, actor, target, purpose, now);
        let decision = policies.decide(&question);
        if decision.allowed {
            return Ok(());
        }
        let foreign = target.agency.is_some() && target.agency != actor.agency;
        // Who has no business with other agencies learns nothing of what they have.
        if foreign && decision.needs.is_empty() {
            return Err(Denied::Hidden);
        }
        if decision.is_nobodys() {
            return Err(Denied::Role { action, takes: policies.table().takes(action) });
        }
        let (rules, because, needs) = (decision.by, decision.because, decision.needs);
        Err(Denied::Rule { action, rules, because, needs })
    }

    /// Names of the actions that the actor may do, on matters of their own agency or of any.
    pub fn rights(&self, actor: &Actor) -> Vec<String> {
        let policies = self.policies();
        let may = |action: &&str| {
            actor.roles.iter().any(|role| match policies.table().reach(action, *role) {
                Reach::Any => true,
                Reach::Own => actor.agency.is_some(),
                Reach::Never => false,
            })
        };
        let mut rights: Vec<String> =
            NAMES.iter().copied().filter(|name| may(name)).map(str::to_owned).collect();
        rights.sort_unstable();
        rights
    }

    /// Decides, and begins the record.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn allow<A: Action>(
        &self,
        actor: &Actor,
        target: Target,
        purpose: Option<&Purpose>,
        now: Time,
        entropy: &dyn Entropy,
    ) -> Result<Intent<A>, Denied> {
        // Who may not do it in any case is told so before they are asked for a reason.
        let reason = Purpose::new("case-work", "");
        let asked = purpose.or(A::NEEDS_PURPOSE.then_some(&reason));
        self.decide(A::NAME, actor, &target, asked, now)?;
        actor.confirmed(A::NAME)?;
        let purpose = if A::NEEDS_PURPOSE {
            Some(self.purpose(A::NAME, actor, &target, purpose)?)
        } else {
            purpose.cloned()
        };
        let mark = self.mark(A::NAME);
        Ok(intent(A::NAME, Some(actor), target, purpose, mark, now, entropy))
    }

    /// Whether the purpose says enough, and nothing that the law of the owner or of the member's own agency forbids.
    fn purpose(
        &self,
        action: &'static str,
        actor: &Actor,
        target: &Target,
        purpose: Option<&Purpose>,
    ) -> Result<Purpose, Denied> {
        let Some(purpose) = purpose else {
            let message = "protected things are opened and searched only with a purpose";
            let remedy =
                "give its class, the reason in words and, where there is one, offence, case and warrant";
            return Err(Denied::Purpose {
                action,
                problems: vec![problem("purpose", "purpose.missing", message, remedy)],
            });
        };
        let trimmed = Purpose { reason: purpose.reason.trim().to_owned(), ..purpose.clone() };
        let policies = self.policies();
        let question = question(&policies, action, actor, target, Some(purpose), Time::from_second(0));
        let own = question.subject.agency.as_ref().map(|party| party.profile.clone());
        let mut profiles = vec![question.profile().to_owned()];
        profiles.extend(own.filter(|own| own != question.profile()));
        let mut problems: Vec<PurposeProblem> = Vec::new();
        for profile in &profiles {
            if let Err(found) = policies.check_purpose(&trimmed, profile) {
                problems.extend(found.into_iter().filter(|one| !problems.contains(one)).collect::<Vec<_>>());
            }
        }
        if problems.is_empty() {
            return Ok(trimmed);
        }
        let problems: Vec<FieldProblem> =
            problems.iter().map(|it| problem(&it.field, &it.rule, &it.message, &it.remedy)).collect();
        Err(Denied::Purpose { action, problems })
    }

    fn mark(&self, action: &str) -> Mark {
        if self.policies().table().ledgered(action) { Mark::Ledger } else { Mark::Record }
    }

    /// Begins the record that something protected was refused; none for what leaves no entry when it is done, and for a
    /// passkey that is only asked for.
    pub(crate) fn refusal<A: Action>(
        &self,
        actor: &Actor,
        target: Target,
        purpose: Option<&Purpose>,
        denied: &Denied,
        now: Time,
        entropy: &dyn Entropy,
    ) -> Option<Intent<System>> {
        if matches!(denied, Denied::StepUp { .. }) || self.mark(A::NAME) != Mark::Ledger {
            return None;
        }
        let begun = intent(REFUSED, Some(actor), target, purpose.cloned(), Mark::Ledger, now, entropy);
        Some(begun.detail(json!({ "action": A::NAME, "rules": denied.rules() })))
    }

    /// Begins the record that a member saw something.
    pub(crate) fn seen(
        &self,
        name: &str,
        actor: &Actor,
        target: Target,
        now: Time,
        entropy: &dyn Entropy,
    ) -> Intent<System> {
        intent(name, Some(actor), target, None, Mark::Ledger, now, entropy)
    }

    /// Begins the record of what came of an action that left an entry already.
    pub(crate) fn result(
        &self,
        name: &str,
        actor: &Actor,
        target: Target,
        now: Time,
        entropy: &dyn Entropy,
    ) -> Intent<System> {
        intent(name, Some(actor), target, None, Mark::Record, now, entropy)
    }

    /// Whether the actor may do this to what is their own, whatever their roles: machines have nothing of their own, and
    /// what is dangerous takes a fresh passkey.
    ///
    /// # Errors
    /// [`Denied`].
    pub(crate) fn check_own<A: Action>(&self, actor: &Actor) -> Result<(), Denied> {
        match actor.scope() {
            Some(_) => Err(Denied::Machine { action: A::NAME }),
            None => actor.confirmed(A::NAME),
        }
    }

    /// Begins the record of what a member does to what is their own.
    ///
    /// # Errors
    /// As [`Gate::check_own`].
    pub(crate) fn own<A: Action>(
        &self,
        actor: &Actor,
        target: Target,
        now: Time,
        entropy: &dyn Entropy,
    ) -> Result<Intent<A>, Denied> {
        self.check_own::<A>(actor)?;
        Ok(intent(A::NAME, Some(actor), target, None, self.mark(A::NAME), now, entropy))
    }

    /// Begins the record of a job of the server, or of a resident's message: no member acts.
    pub fn system(&self, job: Job, target: Target, now: Time, entropy: &dyn Entropy) -> Intent<System> {
        let mark = if job == Job::Housekeeping { Mark::None } else { Mark::Ledger };
        intent(job.name(), None, target, None, mark, now, entropy)
    }
}

impl Actor {
    /// Refuses a dangerous action to a session that has not confirmed itself by its passkey within the last minutes.
    fn confirmed(&self, action: &'static str) -> Result<(), Denied> {
        match self.by {
            By::Session { fresh: false, .. } if steps_up(action) => Err(Denied::StepUp { action }),
            _ => Ok(()),
        }
    }
}

fn question(
    policies: &PolicySet,
    action: &str,
    actor: &Actor,
    target: &Target,
    purpose: Option<&Purpose>,
    now: Time,
) -> Question {
    let own = actor.party.clone().map(|party| under_law(policies, party));
    let owner = target.agency.as_ref().map(|id| match (&target.owner, &own) {
        (Some(owner), _) => under_law(policies, owner.clone()),
        (None, Some(own)) if own.id == id.as_str() => own.clone(),
        // Another agency's, of which nothing is shared: what it is like decides nothing.
        (None, _) => stranger(id),
    });
    let mut facts = target.facts.clone();
    facts.now = now.as_second();
    if let Some(purpose) = purpose {
        facts.purpose.clone_from(&purpose.class);
        facts.offence.clone_from(&purpose.offence);
        facts.warrant |= purpose.warrant.as_ref().is_some_and(|number| !number.trim().is_empty());
    }
    Question {
        subject: Subject { id: actor.member.to_string(), roles: actor.roles.clone(), agency: own },
        action: action.to_owned(),
        owner,
        facts,
    }
}

fn under_law(policies: &PolicySet, party: Party) -> Party {
    let profile = policies.profile_for(&party.subdivision).map_or(DEFAULT, |profile| profile.id.as_str());
    Party { profile: profile.to_owned(), ..party }
}

fn stranger(id: &AgencyId) -> Party {
    Party::new(id.as_str(), AgencyClass::Other, "", DEFAULT)
}

#[cfg(test)]
mod tests {
    use canvass_types::{Role, SessionId};

    use super::{super::*, *};

    struct Zeros;
    impl Entropy for Zeros {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(0);
        }
    }

    fn actor(agency: Option<&str>, roles: &[Role]) -> Actor {
        Actor {
            member: "mbr_aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap(),
            agency: agency.map(|id| id.parse().unwrap()),
            party: agency.map(|id| Party::new(id, AgencyClass::Municipal, "US-NH", "")),
            roles: roles.to_vec(),
            by: By::Token { id: "tok_aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap(), scope: None },
        }
    }

    #[test]
    fn a_session_confirms_dangerous_actions_and_no_others() {
        let gate = Gate::shipped().unwrap();
        let mut who = actor(Some(OURS), &[Role::Custodian]);
        let key = || Target::of(&OURS.parse().unwrap(), "key");
        let now = Time::from_second(0);
        assert!(gate.allow::<KeyDestroy>(&who, key(), None, now, &Zeros).is_ok());
        let id: SessionId = "ses_aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap();
        who.by = By::Session { id: id.clone(), fresh: false };
        let denied = gate.allow::<KeyDestroy>(&who, key(), None, now, &Zeros).unwrap_err();
        assert_eq!(denied, Denied::StepUp { action: "key.destroy" });
        assert!(gate.refusal::<KeyDestroy>(&who, key(), None, &denied, now, &Zeros).is_none());
        assert!(gate.allow::<CaseCreate>(&who, key(), None, now, &Zeros).is_ok());
        // Who may not anyway is told so, and not to confirm.
        let denied =
            gate.allow::<SystemBackup>(&who, Target::shared("backup"), None, now, &Zeros).unwrap_err();
        assert!(matches!(denied, Denied::Role { .. }));
        who.by = By::Session { id, fresh: true };
        assert!(gate.allow::<KeyDestroy>(&who, key(), None, now, &Zeros).is_ok());
    }

    #[test]
    fn a_machines_token_acts_for_one_thing_alone() {
        let gate = Gate::shipped().unwrap();
        let mut who = actor(Some(OURS), &[Role::Custodian]);
        let scope = Some("camera-7".to_owned());
        who.by = By::Token { id: "tok_aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap(), scope };
        let of = |subject: &str| Target::of(&OURS.parse().unwrap(), subject);
        gate.check::<ItemList>(&who, &of("camera-7")).unwrap();
        assert_eq!(gate.check::<ItemList>(&who, &of("camera-8")).unwrap_err(), Denied::Hidden);
        assert_eq!(gate.check::<CaseRead>(&who, &of(OURS)).unwrap_err(), Denied::Hidden);
    }

    #[test]
    fn every_action_that_steps_up_is_one() {
        let named: Vec<&str> = step_ups().collect();
        assert!(named.len() > 10);
        for name in &named {
            assert!(NAMES.contains(name), "policies/step-up.txt: {name} is no action");
        }
        let due =
            ["key.destroy", "member.add", "member.change", "token.issue", "agency.key.add", "policy.approve"];
        let more = ["agency.key.revoke", "case.export", "hold.release", "request.withhold"];
        assert!(due.iter().chain(&more).all(|name| steps_up(name)));
    }

    const OURS: &str = "agy_aaaaaaaaaaaaaaaaaaaaaaaaaa";
    const THEIRS: &str = "agy_bbbbbbbbbbbbbbbbbbbbbbbbba";

    #[test]
    fn another_agencys_matter_does_not_exist_and_a_missing_role_is_named() {
        let gate = Gate::shipped().unwrap();
        let ours = Target::of(&OURS.parse().unwrap(), "itm");
        let theirs = Target::of(&THEIRS.parse().unwrap(), "itm");
        let investigator = actor(Some(OURS), &[Role::Investigator]);
        gate.check::<ItemList>(&investigator, &ours).unwrap();
        assert_eq!(gate.check::<ItemRead>(&investigator, &theirs).unwrap_err(), Denied::Hidden);
        let denied = gate.check::<CaseClose>(&investigator, &ours).unwrap_err();
        assert!(denied.to_string().contains("supervisor"), "{denied}");
        let operator = actor(None, &[Role::Operator]);
        assert!(gate.check::<ItemRead>(&operator, &ours).is_err());
        // Without a mark nothing protected is allowed, whatever the role.
        let lacking = gate.check::<ItemRead>(&investigator, &ours).unwrap_err();
        assert!(matches!(lacking, Denied::Rule { needs, .. } if needs == [Need::Purpose]));
    }

    fn refused(gate: &Gate, who: &Actor, purpose: Option<&Purpose>) -> Vec<String> {
        let target = Target::of(&OURS.parse().unwrap(), "itm");
        let now = Time::from_second(0);
        let denied = gate.allow::<ItemRead>(who, target.clone(), purpose, now, &Zeros).unwrap_err();
        let record = gate.refusal::<ItemRead>(who, target, purpose, &denied, now, &Zeros).unwrap();
        let leaf = record.leaf();
        assert_eq!((leaf.kind.as_str(), leaf.refused.as_deref()), (REFUSED, Some("item.read")));
        denied.rules()
    }

    #[test]
    fn evidence_needs_a_purpose_that_says_something_and_that_the_law_allows() {
        let gate = Gate::shipped().unwrap();
        let who = actor(Some(OURS), &[Role::Custodian]);
        assert_eq!(refused(&gate, &who, None), ["purpose.missing"]);
        let purpose = |class: &str, reason: &str| Purpose {
            case: Some("26-cr-77".into()),
            ..Purpose::new(class, reason)
        };
        let said = |class: &str, reason: &str| refused(&gate, &who, Some(&purpose(class, reason)));
        assert!(said("case-work", "").iter().all(|rule| rule.starts_with("reason.")));
        assert_eq!(said("case-work", "ongoing investigation of the case"), ["reason.boilerplate"]);
        assert_eq!(said("case-work", "find the undocumented family from Elm Street"), ["us-nh.words"]);
        let immigration = said("immigration", "removal of a person held in Concord");
        assert!(immigration.iter().all(|rule| rule.starts_with("second-person")), "{immigration:?}");
        assert!(
            said("protected-activity", "who marched on Main Street with the red banner")[0]
                .starts_with("never")
        );
        let good = purpose("case-work", "review for the robbery of the pharmacy on Elm Street");
        let target = Target::of(&OURS.parse().unwrap(), "itm");
        let intent = gate.allow::<ItemRead>(&who, target, Some(&good), Time::from_second(0), &Zeros).unwrap();
        assert_eq!(intent.leaf().purpose.as_deref(), Some("case-work"));
        assert_eq!(intent.record().purpose.as_ref(), Some(&good));
    }

    #[test]
    fn the_table_has_a_row_for_each_action() {
        let policies = Gate::shipped().unwrap().policies();
        for name in NAMES {
            assert!(
                policies.table().rows().any(|(action, _)| action == *name),
                "policies/roles.txt lacks {name}"
            );
        }
        let reviewed = policies.table().rows().filter(|(_, row)| row.at.0 == "roles.txt");
        for (action, _) in reviewed {
            assert!(NAMES.contains(&action), "policies/roles.txt: {action} is no action");
        }
        for action in ["offer.open", "item.read", "case.export", "key.read", "hold.release", "key.destroy"] {
            assert!(policies.table().ledgered(action), "{action}");
        }
    }
}

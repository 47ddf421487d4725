//! Who may do what, and the mark that doing it leaves.
//!
//! ```text
//! Actor ── Gate::allow::<A> ──► Intent<A> ── commit ──► Grant<A>
//!                 │ refused            │ the action's record, its ledger entry and
//!                 ▼                    │ everything it changes, in one commit
//!              Denied                  ▼
//! ```
//! A [`Grant`] can't be had in another way, and what gives out evidence takes one. So nothing protected is read before
//! its record is durable: code that skips this does not compile.

mod actions;
mod matrix;
mod tokens;

use std::marker::PhantomData;

use base64::{Engine, prelude::BASE64_STANDARD};
use canvass_types::{
    AgencyId, AuditId, CaseId, EnrolmentId, Entropy, MemberId, Role, SessionId, Time, TokenId,
    env::random,
    leaf::{Log, OversightLeaf, commitment},
};
use serde_json::Value;

pub use actions::*;
pub use matrix::{Matrix, MatrixError, Reach};
pub use tokens::{IssuedToken, NewToken, TokenView};

use crate::{
    custody::{Change, Kept},
    ports::{Changeset, Committed, Records, StoreError},
    records::{AuditBody, AuditRecord, SealedBlob},
};

/// Who is acting, as the sign-in found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The member.
    pub member: MemberId,
    /// Their agency.
    pub agency: Option<AgencyId>,
    /// Roles that this sign-in may use.
    pub roles: Vec<Role>,
    /// What they signed in by.
    pub by: By,
}

/// What an actor signed in by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// An API token.
    Token {
        /// Which.
        id: TokenId,
        /// The one thing that it acts for; none for a person's token.
        scope: Option<String>,
    },
    /// A session of the desk, opened by a passkey.
    Session {
        /// Which.
        id: SessionId,
        /// Whether the passkey was used within the last minutes, so that dangerous actions may be taken.
        fresh: bool,
    },
    /// An enrolment: it registers one passkey, and nothing else.
    Enrolment(EnrolmentId),
}

impl Actor {
    fn scope(&self) -> Option<&str> {
        match &self.by {
            By::Token { scope, .. } => scope.as_deref(),
            By::Session { .. } | By::Enrolment(_) => None,
        }
    }

    /// Refuses a dangerous action to a session that has not confirmed itself by its passkey within the last minutes.
    fn confirmed(&self, action: &'static str) -> Result<(), Denied> {
        match self.by {
            By::Session { fresh: false, .. } if steps_up(action) => Err(Denied::StepUp { action }),
            _ => Ok(()),
        }
    }
}

/// What is acted on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Whose it is.
    pub agency: Option<AgencyId>,
    /// Its id.
    pub subject: String,
    /// For which case.
    pub case: Option<CaseId>,
}

impl Target {
    /// Something of an agency.
    pub fn of(agency: &AgencyId, subject: impl ToString) -> Self {
        Self { agency: Some(agency.clone()), subject: subject.to_string(), case: None }
    }

    /// Something that belongs to no agency.
    pub fn shared(subject: impl ToString) -> Self {
        Self { agency: None, subject: subject.to_string(), case: None }
    }

    /// The same, for a case.
    #[must_use]
    pub fn in_case(mut self, case: Option<CaseId>) -> Self {
        self.case = case;
        self
    }
}

/// Why an action is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// None of the actor's roles may do this.
    #[error("{action}: your roles do not allow this; it takes one of: {takes}")]
    Role {
        /// The action.
        action: &'static str,
        /// Roles that may.
        takes: String,
    },
    /// It belongs to an agency that is not the actor's; to them it does not exist.
    #[error("not found")]
    Hidden,
    /// A session must be confirmed by the passkey first.
    #[error(
        "{action}: confirm with your passkey first; this action takes one that was used within the last 5 minutes"
    )]
    StepUp {
        /// The action.
        action: &'static str,
    },
    /// A machine's token has nothing of its own: it acts for one camera or feed.
    #[error("{action}: this token acts for one camera or feed alone; use a person's sign-in")]
    Machine {
        /// The action.
        action: &'static str,
    },
    /// The action needs a purpose with content.
    #[error("purpose: say in a few words (10 to 500 characters) why you do this; it is kept with the record")]
    Purpose,
}

/// An action that is allowed and not yet recorded, with the changes that it makes.
#[derive(Debug)]
#[must_use = "an intent does nothing until it is committed"]
pub struct Intent<A> {
    body: AuditBody,
    salt: [u8; 32],
    mark: Mark,
    blob: Option<SealedBlob>,
    changes: Changeset,
    action: PhantomData<fn() -> A>,
}

/// What an action leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// A record, and a ledger entry that commits to it.
    Ledger,
    /// A record.
    Record,
    /// Nothing: the server's own bookkeeping.
    None,
}

impl<A> Intent<A> {
    /// Particulars for the record: digests, counts, custody heads.
    pub fn detail(mut self, detail: Value) -> Self {
        self.body.detail = detail;
        self
    }

    /// Adds changes.
    pub fn with(mut self, change: impl FnOnce(Changeset) -> Changeset) -> Self {
        self.changes = change(self.changes);
        self
    }

    /// Writes a thing whose chain of custody grew. The record takes the moment of the newest event: one reading of the
    /// clock for both, so that no second passes between what was done and its record.
    pub(crate) fn keep<T: Kept>(mut self, change: &Change<T>) -> Self {
        if let Some(at) = change.moment() {
            self.body.at = at;
        }
        self.with(|changes| change.write(changes))
    }

    /// Sets the moment of the record, for an event that begins a chain.
    pub(crate) fn at(mut self, moment: Time) -> Self {
        self.body.at = moment;
        self
    }

    /// Names the sealed bytes that the grant will open.
    pub fn for_blob(mut self, blob: &SealedBlob) -> Self {
        self.blob = Some(blob.clone());
        self
    }

    /// The record as the ledger will commit to it.
    pub fn record(&self) -> &AuditBody {
        &self.body
    }

    /// Salt of the commitment, base64.
    pub fn salt(&self) -> String {
        BASE64_STANDARD.encode(self.salt)
    }

    /// The ledger entry that will commit to the record.
    pub fn leaf(&self) -> OversightLeaf {
        // The body is a plain struct: its canonical JSON can always be written.
        let canonical = canvass_types::canonical(&self.body).unwrap_or_default();
        OversightLeaf {
            kind: self.body.action.clone(),
            agency: self.body.agency.clone(),
            subject: self.body.subject.clone(),
            hour: self.body.at.hour(),
            commitment: commitment(&self.salt, &canonical),
        }
    }

    /// Commits record, ledger entry and changes, all or nothing.
    ///
    /// # Errors
    /// As the store's; nothing is stored then.
    pub async fn commit<R: Records>(self, records: &R) -> Result<Grant<A>, StoreError> {
        let leaf = self.leaf();
        let ledgered = self.mark == Mark::Ledger;
        let record = AuditRecord { salt: self.salt(), body: self.body, ledgered };
        let mut changes = self.changes;
        if self.mark != Mark::None {
            changes = changes.insert(&record);
        }
        if ledgered {
            changes = changes.leaf(Log::Oversight, &leaf);
        }
        let committed = records.commit(changes).await?;
        Ok(Grant { record, blob: self.blob, committed, action: PhantomData })
    }
}

/// Leave to do one action, once; proof that its record is durable.
#[derive(Debug)]
pub struct Grant<A> {
    record: AuditRecord,
    blob: Option<SealedBlob>,
    committed: Committed,
    action: PhantomData<fn() -> A>,
}

impl<A> Grant<A> {
    /// The record of the action.
    pub fn record(&self) -> &AuditBody {
        &self.record.body
    }

    /// Places that the ledger entries got.
    pub fn committed(&self) -> &Committed {
        &self.committed
    }
}

impl<A: ReadsEvidence> Grant<A> {
    /// The sealed bytes that may be read.
    pub fn blob(&self) -> Option<&SealedBlob> {
        self.blob.as_ref()
    }
}

/// The one place where rights are decided.
#[derive(Debug, Clone)]
pub struct Gate {
    matrix: Matrix,
}

/// The actions of `policies/step-up.txt`: a session takes them only when its passkey was used a moment ago.
fn step_ups() -> impl Iterator<Item = &'static str> {
    let lines = include_str!("../../../../policies/step-up.txt").lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn steps_up(action: &str) -> bool {
    step_ups().any(|each| each == action)
}

/// Shortest and longest purpose, in characters.
const PURPOSE: std::ops::RangeInclusive<usize> = 10..=500;

impl Gate {
    /// A gate that decides by this matrix.
    pub fn new(matrix: Matrix) -> Self {
        Self { matrix }
    }

    /// Whether the actor may do this; leaves no mark, so only for what is neither evidence nor change.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn check<A: Action>(&self, actor: &Actor, target: &Target) -> Result<(), Denied> {
        // A machine's token knows of nothing but the one thing that it acts for.
        if actor.scope().is_some_and(|scope| scope != target.subject) {
            return Err(Denied::Hidden);
        }
        let same = actor.agency.is_some() && actor.agency == target.agency;
        let reach = |role: &Role| self.matrix.reach(A::NAME, *role);
        if actor.roles.iter().any(|role| reach(role) == Reach::Any || (same && reach(role) == Reach::Own)) {
            return Ok(());
        }
        // Who has no business with other agencies learns nothing of what they have.
        if target.agency.is_some() && !same {
            return Err(Denied::Hidden);
        }
        Err(Denied::Role { action: A::NAME, takes: self.matrix.takes(A::NAME) })
    }

    /// Names of the actions that the actor may do, on matters of their own agency or of any.
    pub fn rights(&self, actor: &Actor) -> Vec<String> {
        let may = |action: &&str| {
            actor.roles.iter().any(|role| match self.matrix.reach(action, *role) {
                Reach::Any => true,
                Reach::Own => actor.agency.is_some(),
                Reach::Never => false,
            })
        };
        self.matrix.actions().filter(may).map(str::to_owned).collect()
    }

    /// Decides, and begins the record.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn allow<A: Action>(
        &self,
        actor: &Actor,
        target: Target,
        purpose: Option<&str>,
        now: Time,
        entropy: &dyn Entropy,
    ) -> Result<Intent<A>, Denied> {
        self.check::<A>(actor, &target)?;
        actor.confirmed(A::NAME)?;
        let purpose = purpose.map(str::trim).filter(|text| !text.is_empty());
        let enough = |text: &&str| PURPOSE.contains(&text.chars().count());
        if A::NEEDS_PURPOSE && purpose.filter(enough).is_none() {
            return Err(Denied::Purpose);
        }
        if purpose.is_some_and(|text| text.chars().count() > *PURPOSE.end()) {
            return Err(Denied::Purpose);
        }
        let mark = if self.matrix.ledgered(A::NAME) { Mark::Ledger } else { Mark::Record };
        Ok(intent(A::NAME, Some(actor.member.clone()), target, purpose, mark, now, entropy))
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
        let mark = if self.matrix.ledgered(A::NAME) { Mark::Ledger } else { Mark::Record };
        Ok(intent(A::NAME, Some(actor.member.clone()), target, None, mark, now, entropy))
    }

    /// Begins the record of a job of the server, or of a resident's message: no member acts.
    pub fn system(&self, job: Job, target: Target, now: Time, entropy: &dyn Entropy) -> Intent<System> {
        let mark = if job == Job::Housekeeping { Mark::None } else { Mark::Ledger };
        intent(job.name(), None, target, None, mark, now, entropy)
    }
}

fn intent<A>(
    action: &str,
    actor: Option<MemberId>,
    target: Target,
    purpose: Option<&str>,
    mark: Mark,
    now: Time,
    entropy: &dyn Entropy,
) -> Intent<A> {
    let body = AuditBody {
        v: 1,
        id: AuditId::random(entropy),
        action: action.to_owned(),
        agency: target.agency,
        subject: target.subject,
        actor,
        case: target.case,
        purpose: purpose.map(str::to_owned),
        detail: Value::Null,
        at: now,
    };
    Intent { body, salt: random(entropy), mark, blob: None, changes: Changeset::empty(), action: PhantomData }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            roles: roles.to_vec(),
            by: By::Token { id: "tok_aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap(), scope: None },
        }
    }

    #[test]
    fn a_session_confirms_dangerous_actions_and_no_others() {
        let gate = Gate::new(Matrix::shipped().unwrap());
        let mut who = actor(Some(OURS), &[Role::Custodian]);
        let key = || Target::of(&OURS.parse().unwrap(), "key");
        let now = Time::from_second(0);
        assert!(gate.allow::<KeyDestroy>(&who, key(), None, now, &Zeros).is_ok());
        let id: SessionId = "ses_aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap();
        who.by = By::Session { id: id.clone(), fresh: false };
        let denied = gate.allow::<KeyDestroy>(&who, key(), None, now, &Zeros).unwrap_err();
        assert_eq!(denied, Denied::StepUp { action: "key.destroy" });
        assert!(gate.allow::<CaseCreate>(&who, key(), None, now, &Zeros).is_ok());
        // Who may not anyway is told so, and not to confirm.
        let denied = gate.allow::<PolicySet>(&who, Target::shared("policy"), None, now, &Zeros).unwrap_err();
        assert!(matches!(denied, Denied::Role { .. }));
        who.by = By::Session { id, fresh: true };
        assert!(gate.allow::<KeyDestroy>(&who, key(), None, now, &Zeros).is_ok());
    }

    #[test]
    fn a_machines_token_acts_for_one_thing_alone() {
        let gate = Gate::new(Matrix::shipped().unwrap());
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
            ["key.destroy", "member.add", "member.change", "token.issue", "agency.key.add", "policy.set"];
        let more = ["agency.key.revoke", "case.export", "hold.release", "request.withhold"];
        assert!(due.iter().chain(&more).all(|name| steps_up(name)));
    }

    const OURS: &str = "agy_aaaaaaaaaaaaaaaaaaaaaaaaaa";
    const THEIRS: &str = "agy_bbbbbbbbbbbbbbbbbbbbbbbbba";

    #[test]
    fn another_agencys_matter_does_not_exist_and_a_missing_role_is_named() {
        let gate = Gate::new(Matrix::shipped().unwrap());
        let ours = Target::of(&OURS.parse().unwrap(), "itm");
        let theirs = Target::of(&THEIRS.parse().unwrap(), "itm");
        let investigator = actor(Some(OURS), &[Role::Investigator]);
        gate.check::<ItemRead>(&investigator, &ours).unwrap();
        assert_eq!(gate.check::<ItemRead>(&investigator, &theirs).unwrap_err(), Denied::Hidden);
        let denied = gate.check::<CaseClose>(&investigator, &ours).unwrap_err();
        assert!(denied.to_string().contains("supervisor"), "{denied}");
        let operator = actor(None, &[Role::Operator]);
        assert!(gate.check::<ItemRead>(&operator, &ours).is_err());
    }

    #[test]
    fn evidence_needs_a_purpose() {
        let gate = Gate::new(Matrix::shipped().unwrap());
        let target = || Target::of(&OURS.parse().unwrap(), "itm");
        let who = actor(Some(OURS), &[Role::Custodian]);
        for purpose in [None, Some(""), Some("case"), Some("         x        ")] {
            let refused = gate.allow::<ItemRead>(&who, target(), purpose, Time::from_second(0), &Zeros);
            assert_eq!(refused.unwrap_err(), Denied::Purpose);
        }
        let long = "x".repeat(501);
        assert!(gate.allow::<HoldPlace>(&who, target(), Some(&long), Time::from_second(0), &Zeros).is_err());
        let purpose = Some("review for the robbery on Elm Street");
        assert!(gate.allow::<ItemRead>(&who, target(), purpose, Time::from_second(0), &Zeros).is_ok());
    }
}

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
mod gate;
mod purposes;
mod tokens;
mod veil;

use std::marker::PhantomData;

use base64::{Engine, prelude::BASE64_STANDARD};
use canvass_types::{
    AgencyId, AuditId, CaseId, EnrolmentId, Entropy, FieldProblem, MemberId, Purpose, Role, SessionId, Time,
    TokenId,
    commitment::commitment,
    env::random,
    leaf::{Log, OversightLeaf, Pseudonym},
};
use serde_json::Value;

pub use actions::*;
/// Why rules of who may do what can't be used: everything that is wrong with them.
pub use canvass_policy::PolicyErrors as RulesError;
pub use canvass_policy::{Facts, Need, Party, Reach};
pub use gate::Gate;
pub(crate) use purposes::for_destination;
pub use purposes::{ClassChoice, OffenceChoice, PurposeChoices, ReasonLimits};
pub use tokens::{IssuedToken, NewToken, TokenView};
pub(crate) use veil::VeilKeys;

use crate::{
    custody::{Change, Kept},
    error::summary,
    ports::{Changeset, Records, StoreError},
    records::{Agency, AuditBody, AuditRecord, Member, SealedBlob},
};

/// Name of the record that something protected was refused.
pub const REFUSED: &str = "access.refused";

/// Who is acting, as the sign-in found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The member.
    pub member: MemberId,
    /// Their agency.
    pub agency: Option<AgencyId>,
    /// Their agency as the policies see it; none for operators, moderators and overseers.
    pub party: Option<Party>,
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
    /// A member who acts in these of their roles.
    pub fn new(member: &Member, agency: Option<&Agency>, roles: Vec<Role>, by: By) -> Self {
        Self {
            member: member.id.clone(),
            agency: member.agency.clone(),
            party: agency.map(party_of),
            roles,
            by,
        }
    }

    fn scope(&self) -> Option<&str> {
        match &self.by {
            By::Token { scope, .. } => scope.as_deref(),
            By::Session { .. } | By::Enrolment(_) => None,
        }
    }
}

/// Name of the record that an operator looked at something.
pub const OPERATOR_READ: &str = "operator.read";

/// An agency as the policies see it. Its profile of law is that of its state.
pub fn party_of(agency: &Agency) -> Party {
    Party {
        standing: agency.state,
        ..Party::new(agency.id.as_str(), agency.class, agency.subdivision.as_str(), "")
    }
}

/// What is acted on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Whose it is.
    pub agency: Option<AgencyId>,
    /// Its owner as the policies see it, where it may be another agency that shares it.
    pub owner: Option<Party>,
    /// Its id; for what has no random id, what it is: a plate. The ledger has a pseudonym for it then.
    pub subject: String,
    /// For which case.
    pub case: Option<CaseId>,
    /// What bears on the decision: scope, approvals, sharing. Purpose and moment are filled in by the gate.
    pub facts: Facts,
    /// Whether `subject` would tell who: the ledger has a pseudonym for it.
    pub veiled: bool,
}

impl Target {
    /// Something of an agency.
    pub fn of(agency: &AgencyId, subject: impl ToString) -> Self {
        Self::maybe(Some(agency), subject)
    }

    /// Something that belongs to no agency.
    pub fn shared(subject: impl ToString) -> Self {
        Self::maybe(None, subject)
    }

    /// Something of an agency, if it is any agency's.
    pub fn maybe(agency: Option<&AgencyId>, subject: impl ToString) -> Self {
        let subject = subject.to_string();
        let veiled = subject.parse::<MemberId>().is_ok();
        Self { agency: agency.cloned(), owner: None, subject, case: None, facts: Facts::default(), veiled }
    }

    /// The same, with what bears on the decision.
    #[must_use]
    pub fn with(mut self, facts: Facts) -> Self {
        self.facts = facts;
        self
    }

    /// The same, of an owner who may share it.
    #[must_use]
    pub fn owned(mut self, owner: Party) -> Self {
        self.owner = Some(owner);
        self
    }

    /// The same, for something whose `subject` would tell who: the ledger has a pseudonym for it.
    #[must_use]
    pub fn veiled(mut self) -> Self {
        self.veiled = true;
        self
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
    /// The purpose is missing, says nothing, or is one that the law forbids.
    #[error("{action}: the purpose can't be accepted: {}", summary(.problems))]
    Purpose {
        /// The action.
        action: &'static str,
        /// What is wrong with it.
        problems: Vec<FieldProblem>,
    },
    /// A rule forbids it.
    #[error("{action}: {}{}", .because.join(" "), lacking(.needs))]
    Rule {
        /// The action.
        action: &'static str,
        /// The rules, by id.
        rules: Vec<String>,
        /// What each of them says.
        because: Vec<String>,
        /// What is missing, when supplying it is all that it takes.
        needs: Vec<Need>,
    },
}

impl Denied {
    /// The rules that refused, for the record.
    pub fn rules(&self) -> Vec<String> {
        match self {
            Self::Role { .. } => vec!["roles.none".into()],
            Self::Hidden => vec!["roles.hidden".into()],
            Self::StepUp { .. } => vec!["step-up".into()],
            Self::Machine { .. } => vec!["machine".into()],
            Self::Purpose { problems, .. } => problems.iter().map(|each| each.rule.clone()).collect(),
            Self::Rule { rules, .. } => rules.clone(),
        }
    }
}

fn lacking(needs: &[Need]) -> String {
    if needs.is_empty() {
        return String::new();
    }
    let needs: Vec<&str> = needs.iter().map(|need| need.as_str()).collect();
    format!(" What is missing: {}.", needs.join(", "))
}

/// An action that is allowed and not yet recorded, with the changes that it makes.
#[derive(Debug)]
#[must_use = "an intent does nothing until it is committed"]
pub struct Intent<A> {
    body: AuditBody,
    veil: Veil,
    salt: [u8; 32],
    mark: Mark,
    blob: Option<SealedBlob>,
    changes: Changeset,
    action: PhantomData<fn() -> A>,
}

/// What the ledger says in place of what would tell who.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Veil {
    /// Of the member who acts.
    pub actor: Option<Pseudonym>,
    /// Of what it is done to.
    pub subject: Option<Pseudonym>,
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

    /// Salt of the commitment.
    pub(crate) fn raw_salt(&self) -> &[u8; 32] {
        &self.salt
    }

    /// Salt of the commitment, base64.
    pub fn salt(&self) -> String {
        BASE64_STANDARD.encode(self.salt)
    }

    /// Puts pseudonyms in place of what would tell who.
    pub(crate) fn veiled(mut self, veil: Veil) -> Self {
        self.veil = veil;
        self
    }

    /// The ledger entry that will commit to the record.
    pub fn leaf(&self) -> OversightLeaf {
        let body = &self.body;
        // The body is a plain struct: it can always be written.
        let record = serde_json::to_value(body).unwrap_or_default();
        let refused =
            (body.action == REFUSED).then(|| body.detail.get("action")?.as_str().map(str::to_owned));
        OversightLeaf {
            kind: body.action.clone(),
            agency: body.agency.clone(),
            subject: self.veil.subject.as_ref().map_or_else(|| body.subject.clone(), ToString::to_string),
            actor: self.veil.actor.clone(),
            by: body.actor_agency.clone().filter(|by| Some(by) != body.agency.as_ref()),
            purpose: body
                .purpose
                .as_ref()
                .map(|purpose| purpose.class.clone())
                .filter(|class| class != "none"),
            refused: refused.flatten(),
            hour: body.at.hour(),
            commitment: commitment(&self.salt, &record),
        }
    }

    /// Commits record, ledger entry and changes, all or nothing.
    ///
    /// # Errors
    /// As the store's; nothing is stored then.
    pub async fn commit<R: Records>(self, records: &R) -> Result<Grant<A>, StoreError> {
        let leaf = (self.mark == Mark::Ledger).then(|| self.leaf());
        let record = AuditRecord { salt: self.salt(), body: self.body, leaf };
        let mut changes = self.changes;
        if self.mark != Mark::None {
            changes = changes.insert(&record);
        }
        if let Some(leaf) = &record.leaf {
            changes = changes.leaf(Log::Oversight, leaf);
        }
        records.commit(changes).await?;
        Ok(Grant { record, blob: self.blob, action: PhantomData })
    }
}

/// Leave to do one action, once; proof that its record is durable.
#[derive(Debug)]
pub struct Grant<A> {
    record: AuditRecord,
    blob: Option<SealedBlob>,
    action: PhantomData<fn() -> A>,
}

impl<A> Grant<A> {
    /// The record of the action.
    pub fn record(&self) -> &AuditBody {
        &self.record.body
    }
}

impl<A: ReadsEvidence> Grant<A> {
    /// The sealed bytes that may be read.
    pub fn blob(&self) -> Option<&SealedBlob> {
        self.blob.as_ref()
    }
}

fn intent<A>(
    action: &str,
    actor: Option<&Actor>,
    target: Target,
    purpose: Option<Purpose>,
    mark: Mark,
    now: Time,
    entropy: &dyn Entropy,
) -> Intent<A> {
    let body = AuditBody {
        v: 2,
        id: AuditId::random(entropy),
        action: action.to_owned(),
        agency: target.agency,
        subject: target.subject,
        actor: actor.map(|actor| actor.member.clone()),
        actor_agency: actor.and_then(|actor| actor.agency.clone()),
        case: target.case,
        purpose,
        detail: Value::Null,
        at: now,
    };
    Intent {
        body,
        veil: Veil::default(),
        salt: random(entropy),
        mark,
        blob: None,
        changes: Changeset::empty(),
        action: PhantomData,
    }
}

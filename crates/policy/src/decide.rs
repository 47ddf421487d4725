//! Decisions.

use std::collections::{BTreeSet, HashMap};

use canvass_types::Digest;
use cedar_policy::{Authorizer, Entity, PolicySet as CedarSet, Schema};
use serde::{Deserialize, Serialize};

use crate::{
    frame::{Names, OfLaw},
    profile::Profile,
    purpose::{Purpose, PurposeProblem, Purposes},
    question::Question,
    rule::{Need, Rule},
    table::Table,
};

/// The answer to a [`Question`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Whether it may be done.
    pub allowed: bool,
    /// The rules that decided, by id.
    pub by: Vec<String>,
    /// What each of them says, in the same order.
    pub because: Vec<String>,
    /// What is missing, when supplying it is all that it takes. Empty when it is allowed, or refused for good.
    pub needs: Vec<Need>,
}

impl Decision {
    fn refused(by: &str, because: impl Into<String>) -> Self {
        Self { allowed: false, by: vec![by.to_owned()], because: vec![because.into()], needs: Vec::new() }
    }

    /// Whether no role of the member, and no sharing rule of the owner, permits it at all: to them the target does not exist.
    pub fn is_nobodys(&self) -> bool {
        self.by.iter().any(|id| id == NO_ROLE || id == NOT_SHARED)
    }
}

const NO_ROLE: &str = "roles.none";
const NOT_SHARED: &str = "sharing.none";

/// The policies that can bear on one action under one profile.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    action: Entity,
    all: CedarSet,
    permits: CedarSet,
    texts: BTreeSet<String>,
    /// Whether any of them reads the purpose, the sharing rule, the scope.
    pub reads: Reads,
}

/// Which facts the policies of an action read at all.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reads {
    pub purpose: bool,
    pub sharing: bool,
    pub scope: bool,
}

impl Rules {
    pub fn of(action: Entity) -> Self {
        Self {
            action,
            all: CedarSet::new(),
            permits: CedarSet::new(),
            texts: BTreeSet::new(),
            reads: Reads::default(),
        }
    }

    /// Adds a policy: as it is written, and as it is evaluated once the action is known.
    pub fn add(
        &mut self,
        rule: &Rule,
        policy: &cedar_policy::Policy,
        bare: &cedar_policy::Policy,
    ) -> Result<(), String> {
        let text = policy.to_string();
        self.reads.purpose |= text.contains("purpose");
        self.reads.sharing |= text.contains("sharing");
        self.reads.scope |= ["days", "cameras", "agencies"].iter().any(|word| text.contains(word));
        self.texts.insert(plain_policy(bare));
        if rule.permits {
            self.permits.add(bare.clone()).map_err(|error| error.to_string())?;
        }
        self.all.add(bare.clone()).map_err(|error| error.to_string())
    }

    /// Whether two sets hold the same policies, apart from the words that explain them.
    pub fn decides_as(&self, other: &Self) -> bool {
        self.texts == other.texts
    }

    /// Whether a policy that only one of the two sets holds asks who acts.
    pub fn differ_by_who(&self, other: &Self) -> bool {
        let asks = |text: &String| text.contains("principal.") || text.contains("Role::");
        self.texts.symmetric_difference(&other.texts).any(asks)
    }
}

/// A policy's text without the annotations that only explain; `@needs` decides, so it stays.
fn plain_policy(policy: &cedar_policy::Policy) -> String {
    let text = policy.to_string();
    let explains =
        |line: &&str| ["@id(", "@because(", "@law("].iter().any(|start| line.trim_start().starts_with(start));
    text.lines().filter(|line| !explains(line)).collect::<Vec<_>>().join("\n")
}

/// One profile with the rules that bind under it.
#[derive(Debug, Clone)]
pub(crate) struct Law {
    pub profile: Profile,
    pub rules: HashMap<String, Rules>,
    pub of_owner: OfLaw,
}

/// A checked set of policies. Made once; decisions parse nothing.
#[derive(Clone)]
pub struct PolicySet {
    digest: Digest,
    schema: Schema,
    table: Table,
    purposes: Purposes,
    laws: HashMap<String, Law>,
    rules: HashMap<String, Rule>,
    names: Names,
}

impl std::fmt::Debug for PolicySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PolicySet").field("version", &self.version()).finish_non_exhaustive()
    }
}

impl PolicySet {
    pub(crate) fn new(
        digest: Digest,
        schema: Schema,
        table: Table,
        purposes: Purposes,
        laws: HashMap<String, Law>,
        rules: HashMap<String, Rule>,
        names: Names,
    ) -> Self {
        Self { digest, schema, table, purposes, laws, rules, names }
    }

    /// SHA-256 of the canonical JSON (RFC 8785) of all files of the set: what a ledger entry names.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// A short name for the set: the first 12 hexadecimal digits of the digest.
    pub fn version(&self) -> String {
        let mut text = self.digest.to_string();
        text.truncate(12);
        text
    }

    /// The tables of roles, which people review.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The purposes, offence classes and reasons.
    pub fn purposes(&self) -> &Purposes {
        &self.purposes
    }

    /// A rule by its id, as a decision names it.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.get(id)
    }

    /// All rules, by id.
    pub fn rules(&self) -> Vec<&Rule> {
        let mut rules: Vec<&Rule> = self.rules.values().collect();
        rules.sort_by(|left, right| left.id.cmp(&right.id));
        rules
    }

    /// A profile by its id.
    pub fn profile(&self, id: &str) -> Option<&Profile> {
        self.laws.get(id).map(|law| &law.profile)
    }

    /// All profiles, by id.
    pub fn profiles(&self) -> Vec<&Profile> {
        let mut profiles: Vec<&Profile> = self.laws.values().map(|law| &law.profile).collect();
        profiles.sort_by(|left, right| left.id.cmp(&right.id));
        profiles
    }

    /// The profile of a state's agencies: `US-NH`; the default one when the state has none.
    pub fn profile_for(&self, subdivision: &str) -> Option<&Profile> {
        let of = |profile: &&Profile| profile.subdivisions.iter().any(|one| one == subdivision);
        self.profiles().into_iter().find(of).or_else(|| self.profile(crate::profile::DEFAULT))
    }

    pub(crate) fn rules_of(&self, profile: &str, action: &str) -> Option<&Rules> {
        self.laws.get(profile)?.rules.get(action)
    }

    /// Whether a purpose says enough, and nothing that a profile forbids.
    ///
    /// # Errors
    /// Everything that is wrong with it; a profile that does not exist is a problem of `purpose.profile`.
    pub fn check_purpose(&self, purpose: &Purpose, profile: &str) -> Result<(), Vec<PurposeProblem>> {
        let Some(profile) = self.profile(profile) else {
            return Err(vec![PurposeProblem {
                field: "purpose.profile".into(),
                rule: "profile.unknown".into(),
                message: format!("there is no profile {profile}"),
                remedy: "correct the agency's profile".into(),
            }]);
        };
        self.purposes.check(purpose, profile)
    }

    /// Whether a question has the form that the schema gives it.
    ///
    /// # Errors
    /// What the schema objects to.
    pub fn conforms(&self, question: &Question) -> Result<(), String> {
        let law = self.laws.get(question.profile()).ok_or("no such profile")?;
        let rules = law.rules.get(&question.action).ok_or("no such action")?;
        let framed = self.names.frame(question, &rules.action, &law.of_owner, Some(&self.schema));
        framed.map(|_| ()).map_err(|error| error.to_string())
    }

    /// Decides. What can't be decided is refused: an unknown action or profile, or a policy that fails on the facts.
    pub fn decide(&self, question: &Question) -> Decision {
        let Some(law) = self.laws.get(question.profile()) else {
            return Decision::refused(
                "policy.profile",
                format!("There is no profile {}.", question.profile()),
            );
        };
        let Some(rules) = law.rules.get(&question.action) else {
            return Decision::refused(
                "policy.action",
                format!("No rule knows the action {}.", question.action),
            );
        };
        let (request, entities) = match self.names.frame(question, &rules.action, &law.of_owner, None) {
            Ok(framed) => framed,
            Err(error) => return Decision::refused("policy.question", error.to_string()),
        };
        let authorizer = Authorizer::new();
        let response = authorizer.is_authorized(&request, &rules.all, &entities);
        // Cedar passes over a policy that fails. A prohibition that fails must not be passed over.
        if let Some(error) = response.diagnostics().errors().next() {
            return Decision::refused("policy.evaluation", error.to_string());
        }
        let fired: BTreeSet<String> = response.diagnostics().reason().map(ToString::to_string).collect();
        if response.decision() == cedar_policy::Decision::Allow {
            return self.explain(true, fired);
        }
        let permitted = authorizer.is_authorized(&request, &rules.permits, &entities);
        if permitted.decision() != cedar_policy::Decision::Allow {
            return self.not_permitted(question);
        }
        let (lacking, forbidding): (BTreeSet<_>, BTreeSet<_>) =
            fired.into_iter().partition(|id| self.rule(id).is_some_and(|rule| rule.needs.is_some()));
        match forbidding.is_empty() {
            true => self.explain(false, lacking),
            false => self.explain(false, forbidding),
        }
    }

    fn not_permitted(&self, question: &Question) -> Decision {
        let takes = self.table.takes(&question.action);
        let has_role =
            question.subject.roles.iter().any(|role| takes.split(", ").any(|one| one == role.as_str()));
        if question.is_foreign() && has_role {
            return Decision::refused(
                NOT_SHARED,
                "It belongs to another agency, which does not share it with yours.",
            );
        }
        let because = format!("None of your roles may do this; it takes one of: {takes}.");
        Decision::refused(NO_ROLE, because)
    }

    fn explain(&self, allowed: bool, ids: BTreeSet<String>) -> Decision {
        let rules: Vec<&Rule> = ids.iter().filter_map(|id| self.rule(id)).collect();
        let because = rules
            .iter()
            .map(|rule| match &rule.law {
                Some(law) => format!("{} ({law})", rule.because),
                None => rule.because.clone(),
            })
            .collect();
        let needs: BTreeSet<Need> = rules.iter().filter_map(|rule| rule.needs).collect();
        let needs = if rules.iter().all(|rule| rule.needs.is_some()) {
            needs.into_iter().collect()
        } else {
            Vec::new()
        };
        Decision { allowed, by: ids.into_iter().collect(), because, needs }
    }
}

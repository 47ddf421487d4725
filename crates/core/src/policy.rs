//! The policy in force: loaded at start, changed by two operators ([`crate::proposals`]), every change an entry of the requests ledger.

use std::sync::OnceLock;

use canvass_types::{
    Digest, Policy, ProposalId, canonical,
    leaf::{Log, RequestsLeaf},
};
use serde_json::json;

use crate::{
    App, CoreError,
    access::{Action, Actor, Intent, Job, Target},
    error::{accept, problem},
    ports::{Records, RecordsExt, StoreError, Versioned},
    records::Setting,
};

/// Name of the setting that holds the policy.
const SETTING: &str = "policy";
/// Name of the setting that names the rules in force: the digest of their files.
pub(crate) const RULES: &str = "rules";
/// Name of the setting that holds the canonical JSON of its ledger entry.
const LEAF: &str = "policy-leaf";

/// A policy, and the one that took its place. Who reads one keeps it to the end of what they do with it.
#[derive(Debug)]
pub(crate) struct Policies {
    policy: Policy,
    next: OnceLock<Box<Self>>,
}

impl Policies {
    pub fn new(policy: Policy) -> Self {
        Self { policy, next: OnceLock::new() }
    }

    fn last(&self) -> &Self {
        let mut link = self;
        while let Some(next) = link.next.get() {
            link = next;
        }
        link
    }

    /// The one in force.
    pub fn current(&self) -> &Policy {
        &self.last().policy
    }

    /// Puts another one in force.
    pub fn replace(&self, policy: Policy) {
        if *self.current() == policy {
            return;
        }
        let mut link = Box::new(Self::new(policy));
        while let Err(lost) = self.last().next.set(link) {
            link = lost;
        }
    }
}

/// SHA-256 of a policy's canonical JSON, as its ledger entry names it.
pub fn policy_digest(policy: &Policy) -> Digest {
    Digest::of(&canonical(policy).unwrap_or_default())
}

/// Refuses limits and retentions that are out of range.
pub(crate) fn check(policy: &Policy) -> Result<(), CoreError> {
    let mut problems = Vec::new();
    let ask = &policy.ask;
    let mut must = |holds: bool, field: &str, message: &str, remedy: &str| {
        if !holds {
            problems.push(problem(field, "range", message, remedy));
        }
    };
    must(!ask.classes.is_empty(), "ask.classes", "nobody could ask", "name at least one class");
    let areas = ask.min_area_sq_mi.is_finite()
        && ask.min_area_sq_mi > 0.0
        && ask.min_area_sq_mi <= ask.max_area_sq_mi;
    must(
        areas && ask.max_area_sq_mi <= 100.0,
        "ask.max_area_sq_mi",
        "the areas do not fit",
        "give 0 < smallest <= largest <= 100 square miles",
    );
    must(
        ask.min_minutes >= 1 && ask.min_minutes <= ask.max_minutes && ask.max_minutes <= 10_080,
        "ask.max_minutes",
        "the time frames do not fit",
        "give 1 <= shortest <= longest <= 10080 minutes",
    );
    must(
        (1..=3_650).contains(&ask.look_back_days),
        "ask.look_back_days",
        "it is out of range",
        "give 1 to 3650 days",
    );
    must((1..=365).contains(&ask.active_days), "ask.active_days", "it is out of range", "give 1 to 365 days");
    must(
        ask.min_details <= ask.max_details && ask.max_details <= 10_000,
        "ask.max_details",
        "the lengths do not fit",
        "give shortest <= longest <= 10000 characters",
    );
    must(
        (1..=100).contains(&ask.requests_per_investigation),
        "ask.requests_per_investigation",
        "it is out of range",
        "give 1 to 100",
    );
    must(
        (1..=1_000).contains(&policy.give.clips),
        "give.clips",
        "it is out of range",
        "give 1 to 1000 clips",
    );
    must(
        (1..=1_000_000_000_000).contains(&policy.give.clip_bytes),
        "give.clip_bytes",
        "it is out of range",
        "give 1 byte to 1 TB",
    );
    must(
        (1..=365).contains(&policy.give.invitation_days),
        "give.invitation_days",
        "it is out of range",
        "give 1 to 365 days",
    );
    must(
        (1..=720).contains(&policy.give.upload_hours),
        "give.upload_hours",
        "it is out of range",
        "give 1 to 720 hours",
    );
    check_kept(policy, &mut must);
    accept(problems)
}

/// The part of [`check`] that says how long things are kept.
fn check_kept(policy: &Policy, must: &mut impl FnMut(bool, &str, &str, &str)) {
    let keep = &policy.retention;
    for (field, days) in [
        ("retention.untriaged_days", keep.untriaged_days),
        ("retention.declined_days", keep.declined_days),
        ("retention.closed_case_days", keep.closed_case_days),
        ("retention.draft_days", keep.draft_days),
        ("retention.mailbox_days", keep.mailbox_days),
        ("retention.audit_days", keep.audit_days),
        ("retention.token_days", keep.token_days),
        ("retention.record_days", keep.record_days),
    ] {
        must((1..=36_500).contains(&days), field, "it is out of range", "give 1 to 36500 days");
    }
    let asked = &policy.asked;
    must(
        (1..=365).contains(&asked.delay_days),
        "asked.delay_days",
        "it is out of range",
        "give 1 to 365 days",
    );
    must(
        (60..=1_095).contains(&asked.keep_days) && asked.keep_days >= asked.delay_days.saturating_add(30),
        "asked.keep_days",
        "it is out of range, or the owner of a plate would have less than 30 days to look",
        "give 60 to 1095 days, and 30 more than asked.delay_days at least",
    );
}

impl<R: Records> App<R> {
    /// Brings the stored policy into force; `false` when none is stored yet.
    ///
    /// # Errors
    /// When the store does not answer or its policy can't be read.
    pub async fn load_policy(&self) -> Result<bool, CoreError> {
        let Some((_, policy)) = self.stored_policy().await? else { return Ok(false) };
        self.policies().replace(policy);
        Ok(true)
    }

    /// Stores the policy that a Canvass begins with, unless one is stored.
    ///
    /// # Errors
    /// When it is out of range, or the store does not answer.
    pub async fn set_up_policy(&self, policy: Policy) -> Result<(), CoreError> {
        if self.load_policy().await? {
            return Ok(());
        }
        check(&policy)?;
        let intent = self.system(Job::SetUp, Target::shared(SETTING));
        self.store_policy(intent, None, policy, None).await
    }

    /// Enters the rules in force in the requests ledger, when they are others than the last that were entered: a new
    /// version of the executable may ship new ones.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn note_rules(&self) -> Result<(), CoreError> {
        let digest = self.gate().policies().digest();
        let before = self.records().get::<Setting>(RULES).await?;
        let setting = Setting { name: RULES.to_owned(), value: digest.to_string().into() };
        if before.as_ref().is_some_and(|before| before.record == setting) {
            return Ok(());
        }
        let leaf = RequestsLeaf::RulesSet { digest, at: self.now() };
        let intent = self.system(Job::SetUp, Target::shared(RULES)).detail(json!({ "digest": digest }));
        let put = |changes: crate::ports::Changeset| match &before {
            Some(before) => changes.update(before, &setting),
            None => changes.insert(&setting),
        };
        intent.with(|changes| put(changes).leaf(Log::Requests, &leaf)).commit(self.records()).await?;
        Ok(())
    }

    /// The policy as it is stored, with its row.
    pub(crate) async fn stored_policy(&self) -> Result<Option<(Versioned<Setting>, Policy)>, CoreError> {
        let Some(stored) = self.records().get::<Setting>(SETTING).await? else { return Ok(None) };
        let policy =
            serde_json::from_value(stored.record.value.clone()).map_err(|error| StoreError::Corrupt {
                table: "settings",
                reason: format!("line {}, column {}", error.line(), error.column()),
            })?;
        Ok(Some((stored, policy)))
    }

    /// Stores a policy with its ledger entry and all that the intent changes, and brings it into force.
    pub(crate) async fn store_policy<A>(
        &self,
        intent: Intent<A>,
        before: Option<Versioned<Setting>>,
        policy: Policy,
        proposal: Option<&ProposalId>,
    ) -> Result<(), CoreError> {
        let digest = policy_digest(&policy);
        let leaf = RequestsLeaf::PolicySet { digest, at: self.now() };
        let setting =
            Setting { name: SETTING.to_owned(), value: serde_json::to_value(&policy).unwrap_or_default() };
        let entry = Setting { name: LEAF.to_owned(), value: crate::agencies::leaf_text(&leaf).into() };
        let old_entry = self.records().get::<Setting>(LEAF).await?;
        intent
            .detail(json!({ "digest": digest, "proposal": proposal }))
            .with(|changes| {
                let changes = match &before {
                    Some(before) => changes.update(before, &setting),
                    None => changes.insert(&setting),
                };
                let changes = match &old_entry {
                    Some(before) => changes.update(before, &entry),
                    None => changes.insert(&entry),
                };
                changes.leaf(Log::Requests, &leaf)
            })
            .commit(self.records())
            .await?;
        self.policies().replace(policy);
        Ok(())
    }

    /// Canonical JSON of the ledger entry of the policy in force.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn policy_leaf(&self) -> Result<Option<String>, CoreError> {
        let found = self.records().get::<Setting>(LEAF).await?;
        Ok(found.and_then(|found| found.record.value.as_str().map(str::to_owned)))
    }

    /// Asks whether the actor may do something that only the server's shell does, and records it: a backup.
    ///
    /// # Errors
    /// When the actor may not.
    pub async fn note_deed<A: Action>(&self, actor: &Actor, subject: &str) -> Result<(), CoreError> {
        self.allow::<A>(actor, Target::shared(subject), None).await?.commit(self.records()).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_policy_is_in_force_and_defaults_are_in_range() {
        let policies = Policies::new(Policy::default());
        check(policies.current()).unwrap();
        let mut other = Policy::default();
        other.ask.max_minutes = 60;
        let old = policies.current();
        policies.replace(other.clone());
        assert_eq!((old.ask.max_minutes, policies.current()), (720, &other));
        other.retention.audit_days = 0;
        other.ask.classes.clear();
        let Err(CoreError::Invalid(problems)) = check(&other) else { panic!() };
        assert_eq!(problems.len(), 2);
    }
}

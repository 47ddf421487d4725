//! Proposals to change the rules of who may do what, and the set of rules in force.

use std::{collections::BTreeMap, sync::Arc};

use canvass_policy::{
    Facts, PolicyError, PolicyErrors, PolicySet, Question, Subject, Table, Texts, roles_cedar, shipped_texts,
};
use canvass_types::{
    Digest, Role,
    leaf::{Log, RequestsLeaf},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{ProposalView, particulars, stale};
use crate::{
    App, CoreError,
    access::{Action, Actor, Job, NAMES, PolicyApprove, PolicyPropose, Target},
    error::{accept, problem},
    policy::RULES,
    ports::{Changeset, Records, RecordsExt, StoreError, Versioned},
    records::{ChangedFile, Proposal, ProposalBody, ProposalState, Setting},
};

/// Name of the setting that holds the files of the rules in force; absent while those that ship are.
const TEXTS: &str = "rules-texts";
/// Name of the file of rules that is generated from the tables of roles.
const GENERATED: &str = "roles.cedar";
/// Most bytes that all files of a set have together.
const MOST_BYTES: usize = 1_000_000;

/// Other rules that are to be proposed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRules {
    /// Files that shall change or come, by path below `policies/`, such as `caps.cedar`. `roles.cedar` is generated when it
    /// is not given.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Paths of files that shall go.
    #[serde(default)]
    pub remove: Vec<String>,
    /// Whether to begin with the set that ships with this version, instead of the one in force.
    #[serde(default)]
    pub shipped: bool,
    /// Why, in words, 10 to 500 characters.
    pub reason: String,
}

/// Why the rules of a Canvass can't be brought into force at its start.
#[derive(Debug, thiserror::Error)]
pub enum RulesFault {
    /// This version can't use them.
    #[error("the rules that are stored can't be used by this version of Canvass:\n{0}")]
    Unusable(PolicyErrors),
    /// The store's reason.
    #[error(transparent)]
    Core(#[from] CoreError),
}

/// The texts with line ends as `\n`, as the digest counts them.
fn plain(texts: &Texts) -> Texts {
    texts.iter().map(|(path, text)| (path.clone(), text.replace("\r\n", "\n"))).collect()
}

fn fault(file: &str, message: impl Into<String>, remedy: impl Into<String>) -> PolicyErrors {
    PolicyErrors(vec![PolicyError {
        file: file.to_owned(),
        line: None,
        message: message.into(),
        remedy: remedy.into(),
    }])
}

/// Reads a set and makes sure that this version can work under it: every action has a row, and two operators can still
/// change the rules.
fn usable(texts: &Texts) -> Result<PolicySet, PolicyErrors> {
    let set = PolicySet::load(texts)?;
    let lacks = |name: &&&str| !set.table().rows().any(|(action, _)| action == **name);
    let lacking: Vec<&str> = NAMES.iter().filter(lacks).copied().collect();
    if !lacking.is_empty() {
        let message = format!("has no row for {}", lacking.join(", "));
        return Err(fault(
            "roles.txt",
            message,
            "add a row for each of these actions, as the file that ships has it",
        ));
    }
    for action in [PolicyPropose::NAME, PolicyApprove::NAME] {
        let subject = Subject { id: "operator".into(), roles: vec![Role::Operator], agency: None };
        let facts = Facts { others_proposal: true, approvals: 1, ..Facts::default() };
        let question = Question { subject, action: action.into(), owner: None, facts };
        let decision = set.decide(&question);
        if !decision.allowed {
            let message = format!(
                "lets no operator do {action} ({}): nobody could change the rules again",
                decision.by.join(", ")
            );
            return Err(fault("roles.txt", message, "leave policy.propose and policy.approve to operators"));
        }
    }
    Ok(set)
}

fn refused(errors: &PolicyErrors) -> CoreError {
    let said = |error: &PolicyError| {
        let line = error.line.map(|line| format!(":{line}")).unwrap_or_default();
        let field = format!("files.{}{line}", error.file);
        problem(&field, "rules", &error.message, &error.remedy)
    };
    CoreError::Invalid(errors.0.iter().map(said).collect())
}

/// The files as a proposal would have them.
fn merged(base: &Texts, files: &BTreeMap<String, ChangedFile>) -> Texts {
    let mut texts = base.clone();
    for (path, file) in files {
        match &file.after {
            Some(text) => texts.insert(path.clone(), text.clone()),
            None => texts.remove(path),
        };
    }
    texts
}

/// The files as a wish would have them, `roles.cedar` generated anew unless it is given.
fn wished(current: &Texts, wish: &NewRules) -> Texts {
    let mut texts = if wish.shipped { plain(&shipped_texts()) } else { current.clone() };
    texts.retain(|path, _| !wish.remove.contains(path));
    texts.extend(plain(&wish.files));
    if !wish.files.contains_key(GENERATED)
        && let Ok(table) = Table::read(&texts)
    {
        texts.insert(GENERATED.to_owned(), roles_cedar(&table));
    }
    texts
}

fn changed(before: &Texts, after: &Texts) -> BTreeMap<String, ChangedFile> {
    let paths = before.keys().chain(after.keys());
    paths
        .filter(|path| before.get(*path) != after.get(*path))
        .map(|path| {
            let file = ChangedFile { before: before.get(path).cloned(), after: after.get(path).cloned() };
            (path.clone(), file)
        })
        .collect()
}

impl<R: Records> App<R> {
    /// The files of the rules in force, by path below `policies/`. Their canonical JSON is what the ledger's digest names.
    ///
    /// # Errors
    /// When the store does not answer, or what it holds can't be read.
    pub async fn rules(&self) -> Result<Texts, CoreError> {
        Ok(self.stored_rules().await?.map_or_else(|| plain(&shipped_texts()), |(_, texts)| texts))
    }

    async fn stored_rules(&self) -> Result<Option<(Versioned<Setting>, Texts)>, CoreError> {
        let Some(stored) = self.records().get::<Setting>(TEXTS).await? else { return Ok(None) };
        let texts =
            serde_json::from_value(stored.record.value.clone()).map_err(|error| StoreError::Corrupt {
                table: "settings",
                reason: format!("line {}, column {}", error.line(), error.column()),
            })?;
        Ok(Some((stored, texts)))
    }

    /// Brings the stored rules into force; those that ship stay when none are stored. Where this version can't use the
    /// stored ones, the files of `repair` take the place of theirs, and that is stored: it will stand in the ledger.
    ///
    /// # Errors
    /// [`RulesFault`].
    pub async fn load_rules(&self, repair: Option<&Texts>) -> Result<(), RulesFault> {
        let Some((row, texts)) = self.stored_rules().await? else { return Ok(()) };
        let set = match (usable(&texts), repair) {
            (Ok(set), _) => set,
            (Err(errors), None) => return Err(RulesFault::Unusable(errors)),
            (Err(_), Some(repair)) => {
                let wish = NewRules { files: repair.clone(), ..NewRules::default() };
                let mended = wished(&texts, &wish);
                let set = usable(&mended).map_err(RulesFault::Unusable)?;
                let setting = Setting { name: TEXTS.to_owned(), value: json!(mended) };
                self.system(Job::SetUp, Target::shared(TEXTS))
                    .detail(json!({ "digest": set.digest(), "files": repair.keys().collect::<Vec<_>>() }))
                    .with(|changes| changes.update(&row, &setting))
                    .commit(self.records())
                    .await
                    .map_err(CoreError::from)?;
                set
            }
        };
        self.gate().replace(Arc::new(set));
        Ok(())
    }

    /// Brings what is stored into force, after an answer of the store was lost.
    pub(super) async fn reload_rules(&self) -> Result<(), CoreError> {
        match self.load_rules(None).await {
            Ok(()) => Ok(()),
            Err(RulesFault::Core(error)) => Err(error),
            Err(RulesFault::Unusable(errors)) => Err(refused(&errors)),
        }
    }

    /// Proposes other rules. Nothing changes until another operator approves them.
    ///
    /// # Errors
    /// When the actor may not, nobody else could approve, the files can't be used (each mistake with file and line), or
    /// nothing would change.
    pub async fn propose_rules(&self, actor: &Actor, wish: NewRules) -> Result<ProposalView, CoreError> {
        let intent = self.allow::<PolicyPropose>(actor, Target::shared(RULES), None).await?;
        self.needs_a_second::<PolicyApprove>(actor).await?;
        let current = self.rules().await?;
        let gone = wish.remove.iter().find(|path| !wish.shipped && !current.contains_key(*path));
        if let Some(path) = gone {
            let message = format!("{path} is no file of the rules in force");
            accept(vec![problem("remove", "unknown", &message, "name files of /rules.json")])?;
        }
        let texts = wished(&current, &wish);
        if texts.iter().map(|(path, text)| path.len().saturating_add(text.len())).sum::<usize>() > MOST_BYTES
        {
            let message = format!("the files have more than {MOST_BYTES} bytes together");
            accept(vec![problem("files", "size", &message, "shorten them")])?;
        }
        let files = changed(&current, &texts);
        if files.is_empty() {
            let remedy = "change a file, or leave it";
            return Err(CoreError::field("files", "same", "these rules are in force already", remedy));
        }
        let set = usable(&texts).map_err(|errors| refused(&errors))?;
        let body = ProposalBody::Rules { base: self.gate().policies().digest(), files };
        let proposal = self.new_proposal(actor, None, body, set.digest(), &wish.reason)?;
        let intent = intent.detail(particulars(&proposal)).with(|changes| changes.insert(&proposal));
        intent.commit(self.records()).await?;
        self.proposal_view(&proposal).await
    }

    /// The set that a proposal would bring into force, when what it rests on still is.
    pub(super) async fn proposed_rules(
        &self,
        base: &Digest,
        files: &BTreeMap<String, ChangedFile>,
    ) -> Result<(Texts, PolicySet), CoreError> {
        if self.gate().policies().digest() != *base {
            return Err(stale("the rules"));
        }
        let texts = merged(&self.rules().await?, files);
        let set = usable(&texts).map_err(|errors| refused(&errors))?;
        Ok((texts, set))
    }

    pub(super) async fn approve_rules(
        &self,
        actor: &Actor,
        before: &Versioned<Proposal>,
        base: &Digest,
        files: &BTreeMap<String, ChangedFile>,
    ) -> Result<(), CoreError> {
        let intent = self.may_approve(actor, &before.record).await?;
        let stored = self.stored_rules().await?;
        let mark = self.records().get::<Setting>(RULES).await?;
        let (texts, set) = self.proposed_rules(base, files).await?;
        let (now, digest) = (self.now(), set.digest());
        let approved =
            super::decided(&before.record, ProposalState::Approved, Some(&actor.member), now, None);
        let setting = Setting { name: TEXTS.to_owned(), value: json!(texts) };
        let named = Setting { name: RULES.to_owned(), value: json!(digest) };
        let notice = self.notice::<PolicyApprove>(None, None, &approved.id);
        let put = |changes: Changeset, row: Option<&Versioned<Setting>>, setting: &Setting| match row {
            Some(row) => changes.update(row, setting),
            None => changes.insert(setting),
        };
        intent
            .detail(particulars(&approved))
            .with(|changes| {
                let changes = put(changes, stored.as_ref().map(|(row, _)| row), &setting);
                let changes = put(changes, mark.as_ref(), &named).update(before, &approved).insert(&notice);
                changes.leaf(Log::Requests, &RequestsLeaf::RulesSet { digest, at: now })
            })
            .commit(self.records())
            .await?;
        self.gate().replace(Arc::new(set));
        Ok(())
    }
}

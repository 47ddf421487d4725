//! Texts of policy: who publishes them, and the comparison of what they claim with what is in force.

use std::collections::{BTreeMap, BTreeSet};

use canvass_policy::{PolicySet, SharingScope};
use canvass_types::{AgencyClass, AgencyId, FieldProblem, Policy, Time};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{Hint, InForce, LiveSetting, SettingValue, hints::hints};
use crate::{
    App, CoreError,
    access::{Actor, Job, PolicyTextSet, Target},
    cases::load::up_to,
    error::{accept, check_text, problem},
    ports::{Expect, Query, Records, RecordsExt, StoreError, Versioned},
    records::{Agency, Claim, Contradiction, Language, PolicyText, SharingRule},
    sharing::{Standing, standing},
};

/// Longest text, characters.
pub const MOST_TEXT: usize = 20_000;
/// Most texts and agencies that are read.
pub(super) const MOST: usize = 20_000;

/// A text that is to be published in place of the one before in its language.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPolicyText {
    /// Its language.
    pub language: Language,
    /// The text, Markdown, 20 to 20,000 characters.
    pub markdown: String,
    /// What it claims of settings, each at most once.
    #[serde(default)]
    pub claims: Vec<Claim>,
}

/// A setting as it is in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LiveValue {
    /// Which setting.
    pub setting: LiveSetting,
    /// Its value.
    pub value: SettingValue,
}

/// A published text beside what is in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PolicyTextView {
    /// Its language.
    pub language: Language,
    /// The text, Markdown.
    pub markdown: String,
    /// What it claims of settings.
    pub claims: Vec<Claim>,
    /// When it was set.
    pub at: Time,
    /// SHA-256 of language, text and claims, as the record of setting it names it.
    pub digest: canvass_types::Digest,
    /// Claims that are not so, with the moment since when it is known.
    pub contradictions: Vec<Contradiction>,
    /// Numbers in the text that seem to say something else than what is in force.
    pub hints: Vec<Hint>,
}

/// The texts of one owner, and the settings that they may claim.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PolicyTexts {
    /// Whose; null for the whole deployment's.
    pub agency: Option<AgencyId>,
    /// One for each language in which there is one.
    pub texts: Vec<PolicyTextView>,
    /// Every setting that a text may claim, as it is in force.
    pub settings: Vec<LiveValue>,
}

/// What one comparison of all texts did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compared {
    /// Contradictions that came up.
    pub raised: u32,
    /// Contradictions that are gone.
    pub cleared: u32,
    /// Whether some were left to the next round, because a text changed at the same time.
    pub again: bool,
}

/// Rules of sharing in force, as texts are held against them.
#[derive(Debug, Clone, Default)]
pub(super) struct SharingInForce {
    /// By owner: the widest, and whether a federal agency is named.
    by_owner: BTreeMap<AgencyId, (SharingScope, bool)>,
}

impl SharingInForce {
    pub fn of<'a>(
        rules: impl IntoIterator<Item = &'a SharingRule>,
        federal: &BTreeSet<AgencyId>,
        now: Time,
    ) -> Self {
        let mut by_owner: BTreeMap<AgencyId, (SharingScope, bool)> = BTreeMap::new();
        for rule in rules.into_iter().filter(|rule| standing(rule, now) == Standing::InForce) {
            let names = !rule.named.is_disjoint(federal);
            let of = by_owner.entry(rule.owner.clone()).or_insert((rule.scope, names));
            *of = (wider(of.0, rule.scope), of.1 || names);
        }
        Self { by_owner }
    }

    /// What is in force for an agency, or, without one, for the whole deployment.
    pub fn view<'a>(
        &self,
        policy: &'a Policy,
        rules: &'a PolicySet,
        agency: Option<&'a Agency>,
    ) -> InForce<'a> {
        let of = |owner: &&AgencyId| agency.is_none_or(|agency| agency.id == **owner);
        let mut ours = self.by_owner.iter().filter(|(owner, _)| of(owner)).map(|(_, found)| *found);
        let first = ours.next();
        let all = first.map(|first| ours.fold(first, |one, two| (wider(one.0, two.0), one.1 || two.1)));
        InForce {
            policy,
            rules,
            subdivision: agency.map(|agency| agency.subdivision.as_str()),
            sharing: all.map(|(scope, _)| scope),
            federal: all.is_some_and(|(_, federal)| federal),
        }
    }
}

/// The wider of two scopes, in the order in which they are listed.
fn wider(one: SharingScope, two: SharingScope) -> SharingScope {
    let place = |scope| SharingScope::ALL.iter().position(|each| *each == scope);
    if place(one) >= place(two) { one } else { two }
}

/// Claims that are not so, each with the moment of the one that was known.
pub(super) fn contradictions(
    claims: &[Claim],
    known: &[Contradiction],
    live: &InForce<'_>,
    now: Time,
) -> Vec<Contradiction> {
    let differs = |claim: &Claim| {
        let value = live.value(claim.setting)?;
        let since = known.iter().find(|it| it.setting == claim.setting).map_or(now, |it| it.since);
        (!value.agrees(&claim.value)).then(|| Contradiction {
            setting: claim.setting,
            claimed: claim.value.clone(),
            live: value,
            since,
        })
    };
    claims.iter().filter_map(differs).collect()
}

fn check(new: &NewPolicyText, of_agency: bool) -> Result<(), CoreError> {
    let mut problems: Vec<FieldProblem> = Vec::new();
    check_text(&mut problems, "markdown", &new.markdown, 20..=MOST_TEXT);
    let mut seen = BTreeSet::new();
    for (at, claim) in new.claims.iter().enumerate() {
        if !seen.insert(claim.setting) {
            let (message, remedy) = ("the setting is claimed twice", "claim each setting once");
            problems.push(problem(&format!("claims[{at}].setting"), "twice", message, remedy));
        }
        problems.extend(claim.setting.check(&claim.value, &format!("claims[{at}].value"), of_agency));
    }
    accept(problems)
}

fn view(text: &PolicyText, live: &InForce<'_>, now: Time) -> PolicyTextView {
    PolicyTextView {
        language: text.language,
        markdown: text.markdown.clone(),
        claims: text.claims.clone(),
        at: text.at,
        digest: text.digest(),
        contradictions: contradictions(&text.claims, &text.contradictions, live, now),
        hints: hints(&text.markdown, text.language, |setting| live.value(setting)),
    }
}

/// All texts of one owner beside what is in force.
pub(super) fn texts_view(
    agency: Option<&AgencyId>,
    texts: &[PolicyText],
    live: &InForce<'_>,
    now: Time,
) -> PolicyTexts {
    let settings = LiveSetting::ALL.into_iter();
    let settings = settings.filter_map(|setting| Some(LiveValue { setting, value: live.value(setting)? }));
    let texts = texts.iter().filter(|text| text.agency.as_ref() == agency);
    PolicyTexts {
        agency: agency.cloned(),
        texts: texts.map(|text| view(text, live, now)).collect(),
        settings: settings.collect(),
    }
}

impl<R: Records> App<R> {
    /// Publishes a text of an agency, or of the whole deployment, in place of the one before in its language. A claim that
    /// is not so is no reason to refuse it: it is shown to everybody until the text or the setting changes.
    ///
    /// # Errors
    /// When the actor may not, there is no such agency, or a field is wrong.
    pub async fn set_policy_text(
        &self,
        actor: &Actor,
        agency: Option<&AgencyId>,
        new: NewPolicyText,
    ) -> Result<PolicyTexts, CoreError> {
        let subject = format!("policy-text/{}", new.language.as_str());
        let intent = self.allow::<PolicyTextSet>(actor, Target::maybe(agency, subject), None).await?;
        if let Some(agency) = agency {
            self.agency(agency).await?;
        }
        check(&new, agency.is_some())?;
        let key = PolicyText::key_of(agency, new.language);
        let before = self.records().get::<PolicyText>(&key).await?;
        let text = PolicyText {
            agency: agency.cloned(),
            language: new.language,
            markdown: new.markdown.replace("\r\n", "\n").trim().to_owned(),
            claims: new.claims,
            by: actor.member.clone(),
            at: self.now(),
            // What is known stays until the next comparison, so that its end is entered in the ledger too.
            contradictions: before.as_ref().map(|it| it.record.contradictions.clone()).unwrap_or_default(),
        };
        let expect = before.map_or(Expect::Absent, |it| Expect::Version(it.version));
        intent
            .detail(
                json!({ "language": text.language, "digest": text.digest(), "claims": text.claims.len() }),
            )
            .with(|changes| changes.put(&text, expect))
            .commit(self.records())
            .await?;
        self.policy_texts(agency).await
    }

    /// The texts of an agency, or of the whole deployment, beside what is in force. They are public.
    ///
    /// # Errors
    /// When there is no such agency, or the store does not answer.
    pub async fn policy_texts(&self, agency: Option<&AgencyId>) -> Result<PolicyTexts, CoreError> {
        let owner = match agency {
            Some(id) => Some(self.agency(id).await?.record),
            None => None,
        };
        let mut texts = Vec::new();
        for language in Language::ALL {
            let found = self.records().get::<PolicyText>(&PolicyText::key_of(agency, language)).await?;
            texts.extend(found.map(|found| found.record));
        }
        let (rules, sharing) = (self.gate().policies(), self.sharing_in_force().await?);
        let live = sharing.view(self.policy(), &rules, owner.as_ref());
        Ok(texts_view(agency, &texts, &live, self.now()))
    }

    pub(super) async fn sharing_in_force(&self) -> Result<SharingInForce, CoreError> {
        let rules = self.rules_of(Query::new().with("state", "active")).await?;
        let mut federal = BTreeSet::new();
        let named: BTreeSet<&AgencyId> = rules.iter().flat_map(|rule| &rule.named).collect();
        for id in named {
            let found: Option<Versioned<Agency>> = self.records().get(id.as_str()).await?;
            federal.extend(found.filter(|it| it.record.class == AgencyClass::Federal).map(|it| it.record.id));
        }
        Ok(SharingInForce::of(&rules, &federal, self.now()))
    }

    /// Holds every text against what is in force. A contradiction that came up is entered in the oversight ledger
    /// (`contradiction.raised`), and so is the end of one (`contradiction.cleared`). Doing it again changes nothing.
    ///
    /// # Errors
    /// The store's; the next round goes on where this one ended.
    pub async fn compare_texts(&self) -> Result<Compared, CoreError> {
        let mut compared = Compared::default();
        let texts = up_to(self.records(), Query::<PolicyText>::new(), MOST).await?;
        if texts.is_empty() {
            return Ok(compared);
        }
        let sharing = self.sharing_in_force().await?;
        for text in texts {
            let agency = match &text.record.agency {
                Some(id) => Some(self.agency(id).await?.record),
                None => None,
            };
            let rules = self.gate().policies();
            let live = sharing.view(self.policy(), &rules, agency.as_ref());
            match self.compare_text(text, &live, &mut compared).await {
                // Somebody set the text at the same moment: the next round compares theirs.
                Err(CoreError::Store(StoreError::Conflict { .. })) => compared.again = true,
                other => other?,
            }
        }
        Ok(compared)
    }

    async fn compare_text(
        &self,
        mut before: Versioned<PolicyText>,
        live: &InForce<'_>,
        compared: &mut Compared,
    ) -> Result<(), CoreError> {
        let known = before.record.contradictions.clone();
        let found = contradictions(&before.record.claims, &known, live, self.now());
        let has = |all: &[Contradiction], setting| all.iter().any(|it| it.setting == setting);
        for gone in known.iter().filter(|it| !has(&found, it.setting)) {
            let mut after = before.record.clone();
            after.contradictions.retain(|it| it.setting != gone.setting);
            before = self.enter(Job::ContradictionCleared, gone, before, after).await?;
            compared.cleared += 1;
        }
        for new in found.iter().filter(|it| !has(&known, it.setting)) {
            let mut after = before.record.clone();
            after.contradictions.push(new.clone());
            before = self.enter(Job::ContradictionRaised, new, before, after).await?;
            compared.raised += 1;
        }
        if before.record.contradictions == found {
            return Ok(());
        }
        // The same settings with other values, or in another order.
        let after = PolicyText { contradictions: found, ..before.record.clone() };
        let target = Target::maybe(after.agency.as_ref(), "policy-text");
        self.system(Job::Housekeeping, target)
            .with(|changes| changes.update(&before, &after))
            .commit(self.records())
            .await?;
        Ok(())
    }

    /// Enters one contradiction, or its end, with the text's new record.
    async fn enter(
        &self,
        job: Job,
        what: &Contradiction,
        before: Versioned<PolicyText>,
        after: PolicyText,
    ) -> Result<Versioned<PolicyText>, CoreError> {
        let detail = json!({
            "language": after.language,
            "text": after.digest(),
            "claimed": what.claimed,
            "live": what.live,
            "since": what.since,
        });
        self.system(job, Target::maybe(after.agency.as_ref(), what.setting))
            .detail(detail)
            .with(|changes| changes.update(&before, &after))
            .commit(self.records())
            .await?;
        Ok(Versioned { version: before.version + 1, record: after, ..before })
    }
}

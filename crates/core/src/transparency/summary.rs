//! The summary that everybody reads: who may do what, what is kept for how long, what is shared. It has no person in it,
//! and no moment finer than a day.

use std::collections::{BTreeMap, BTreeSet};

use canvass_policy::{DEFAULT, PolicySet, SharingScope};
use canvass_types::{AgencyClass, AgencyId, AgencyState, Digest, Policy, Role, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Hint, InForce, LiveSetting, SettingValue,
    alerting::HotlistShown,
    hints::hints,
    settings::plates_read,
    texts::{MOST, SharingInForce, contradictions},
};
use crate::{
    App, CoreError,
    access::{Job, Target},
    cases::load::every,
    plates::kept_seconds,
    policy::policy_digest,
    ports::{Expect, Query, Records, RecordsExt, StoreError},
    records::{Agency, Claim, Language, Member, PolicyText, Portal, Request, Setting, Shared, SharingRule},
    safelist::SafelistShown,
    sharing::{Standing, standing},
};

/// Name of the setting that remembers since when as many people have a role.
const ROLES: &str = "transparency-roles";
/// Whose people they are who belong to no agency, and whose text is the whole deployment's.
const DEPLOYMENT: &str = "deployment";
/// Most members, open requests and portals that are counted.
const MOST_COUNTED: usize = 1_000_000;

/// Classes of what is kept, and the setting that says how long; none for what stays for ever.
const KEPT: [(&str, Option<LiveSetting>); 11] = [
    ("untriaged-offer", Some(LiveSetting::UntriagedDays)),
    ("declined-clip", Some(LiveSetting::DeclinedDays)),
    ("case-item", Some(LiveSetting::ClosedCaseDays)),
    ("draft", Some(LiveSetting::DraftDays)),
    ("mailbox", Some(LiveSetting::MailboxDays)),
    ("action-record", Some(LiveSetting::AuditDays)),
    ("sign-in", Some(LiveSetting::TokenDays)),
    ("case-record", Some(LiveSetting::RecordDays)),
    ("search-mark", Some(LiveSetting::AskedKeepDays)),
    ("published-request", None),
    ("ledger-entry", None),
];

/// A class of data and how long it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Kept {
    /// Which, as `docs/ref/data-retention.md` tells in full.
    pub class: String,
    /// The setting that says how long; null for what stays for ever.
    pub setting: Option<LiveSetting>,
    /// Days.
    pub days: Option<u32>,
}

/// How many people have a role, and since which day as many as this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Counted {
    /// How many.
    pub count: u32,
    /// Since this day (UTC).
    pub since: String,
}

/// The same with the role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoleCount {
    /// Which role.
    pub role: Role,
    /// How many people have it.
    pub count: u32,
    /// Since this day (UTC).
    pub since: String,
}

/// People by whose they are (an agency's id, or `deployment`) and role.
pub type RoleCounts = BTreeMap<String, BTreeMap<Role, Counted>>;

/// The state law that an agency works under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LawShown {
    /// Name of the profile.
    pub profile: String,
    /// The state, for people; empty where no state's law is known here.
    pub title: String,
    /// How long the agency's plate reads are kept under it.
    pub reads: ReadsKept,
}

/// How long plate reads are kept, seconds from when they were seen. A hold delays it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReadsKept {
    /// Those that met no hotlist.
    pub seen_seconds: u64,
    /// Those that met one.
    pub hit_seconds: u64,
}

/// A rule of sharing in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SharingShown {
    /// `cameras` or `case`; which case is not said.
    pub what: String,
    /// How many cameras; null for all, and for a case.
    pub cameras: Option<u64>,
    /// With whom: `named`, `state`, `distance`, `compatible` or `all`.
    #[schema(value_type = String)]
    pub scope: SharingScope,
    /// How far the scope `distance` reaches, km.
    pub within_km: Option<u32>,
    /// Agencies named.
    pub named: Vec<AgencyId>,
    /// Agencies that accepted it.
    pub accepted: Vec<AgencyId>,
    /// First day (UTC).
    pub from: String,
    /// Day on which it ends (UTC).
    pub until: String,
}

/// A published text, without its words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TextShown {
    /// Its language.
    pub language: Language,
    /// Since which day it stands (UTC).
    pub since: String,
    /// SHA-256 of language, text and claims.
    pub digest: Digest,
    /// What it claims.
    pub claims: Vec<Claim>,
}

/// A claim of a text that is not so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OpenContradiction {
    /// Language of the text.
    pub language: Language,
    /// Which setting.
    pub setting: LiveSetting,
    /// What the text says.
    pub claimed: SettingValue,
    /// What is in force.
    pub live: SettingValue,
    /// Since which day it is known (UTC).
    pub since: String,
}

/// An agency, as everybody may know it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AgencyTransparency {
    /// Its id.
    pub id: AgencyId,
    /// Its name.
    pub name: String,
    /// Its class.
    pub class: AgencyClass,
    /// ISO 3166-2 code of its state.
    pub subdivision: String,
    /// Where it stands with the operator.
    pub state: AgencyState,
    /// The law that it works under.
    pub law: LawShown,
    /// Who has access, by role.
    pub members: Vec<RoleCount>,
    /// Signing keys that count, and the day of the last change.
    pub keys: Counted,
    /// Its open portals.
    pub portals: u32,
    /// Its open requests.
    pub requests: u32,
    /// What it shares now.
    pub sharing: Vec<SharingShown>,
    /// The texts that it published.
    pub texts: Vec<TextShown>,
    /// What of them is not so.
    pub contradictions: Vec<OpenContradiction>,
}

/// What belongs to no agency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeploymentTransparency {
    /// Operators, moderators and overseers.
    pub members: Vec<RoleCount>,
    /// The texts that the operator published.
    pub texts: Vec<TextShown>,
    /// What of them is not so.
    pub contradictions: Vec<OpenContradiction>,
}

/// The summary: `/transparency.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Transparency {
    /// Version of this form: 1.
    pub v: u32,
    /// Digest of the limits in force, as `policy.set` of the requests ledger names it.
    pub policy: Digest,
    /// Digest of the rules in force, as `rules.set` names it.
    pub rules: Digest,
    /// What is kept and for how long.
    pub kept: Vec<Kept>,
    /// Whether this version reads number plates; without that there is no hotlist either.
    pub plates: bool,
    /// Hotlists that alert.
    pub hotlists: Vec<HotlistShown>,
    /// Safelists in use, by agency.
    pub safelists: Vec<SafelistShown>,
    /// What belongs to no agency.
    pub deployment: DeploymentTransparency,
    /// All agencies, by id.
    pub agencies: Vec<AgencyTransparency>,
    /// Findings of misuse detection by rule and state.
    pub findings: BTreeMap<String, BTreeMap<String, u64>>,
}

/// What the summary is made of.
#[derive(Debug, Clone)]
pub struct Given<'a> {
    /// Limits and retentions.
    pub policy: &'a Policy,
    /// Rules of who may do what.
    pub rules: &'a PolicySet,
    /// All agencies.
    pub agencies: &'a [Agency],
    /// Their people.
    pub roles: &'a RoleCounts,
    /// Open requests by agency.
    pub requests: &'a BTreeMap<AgencyId, u32>,
    /// Open portals by agency.
    pub portals: &'a BTreeMap<AgencyId, u32>,
    /// Rules of sharing.
    pub sharing: &'a [SharingRule],
    /// Texts.
    pub texts: &'a [PolicyText],
    /// Hotlists that alert.
    pub hotlists: &'a [HotlistShown],
    /// Safelists in use.
    pub safelists: &'a [SafelistShown],
    /// Findings by rule and state.
    pub findings: &'a BTreeMap<String, BTreeMap<String, u64>>,
    /// The moment.
    pub now: Time,
}

/// Since when as many people have each role: what was remembered, brought up to the people there are now. What is seen for
/// the first time has the day on which the last of them came or left.
pub fn next_counts(known: &RoleCounts, members: &[Member], today: &str) -> RoleCounts {
    let mut counts: RoleCounts = BTreeMap::new();
    for member in members {
        let whose = member.agency.as_ref().map_or(DEPLOYMENT, AgencyId::as_str);
        let last = member.stopped.unwrap_or(member.added).day();
        for role in &member.roles {
            let one = counts.entry(whose.to_owned()).or_default().entry(*role);
            let one = one.or_insert(Counted { count: 0, since: String::new() });
            one.count += u32::from(member.active);
            one.since = last.clone().max(std::mem::take(&mut one.since));
        }
    }
    let today = |count| Counted { count, since: today.to_owned() };
    for (whose, roles) in known {
        let now = counts.entry(whose.clone()).or_default();
        for (role, before) in roles {
            let count = now.get(role).map_or(0, |one| one.count);
            let one = if count == before.count { before.clone() } else { today(count) };
            now.insert(*role, one);
        }
    }
    if !known.is_empty() {
        for (whose, roles) in &mut counts {
            for (role, one) in roles {
                if !known.get(whose).is_some_and(|known| known.contains_key(role)) {
                    *one = today(one.count);
                }
            }
        }
    }
    counts
}

fn people(roles: &RoleCounts, whose: &str) -> Vec<RoleCount> {
    let all = roles.get(whose).into_iter().flatten();
    all.map(|(role, one)| RoleCount { role: *role, count: one.count, since: one.since.clone() }).collect()
}

fn kept(live: &InForce<'_>) -> Vec<Kept> {
    let days = |setting: LiveSetting| match live.value(setting) {
        Some(SettingValue::Count(days)) => u32::try_from(days).ok(),
        _ => None,
    };
    let one = |(class, setting): (&str, Option<LiveSetting>)| Kept {
        class: class.to_owned(),
        setting,
        days: setting.and_then(days),
    };
    KEPT.into_iter().map(one).collect()
}

fn keys(agency: &Agency) -> Counted {
    let count = agency.keys.iter().filter(|key| key.revoked.is_none()).count();
    let last = agency.keys.iter().map(|key| key.revoked.unwrap_or(key.added)).max();
    Counted {
        count: u32::try_from(count).unwrap_or(u32::MAX),
        since: last.unwrap_or(agency.registered).day(),
    }
}

fn shown(rule: &SharingRule) -> SharingShown {
    let (what, cameras) = match &rule.what {
        Shared::Cameras { ids } => ("cameras", ids.as_ref().map(|ids| ids.len() as u64)),
        Shared::Case { .. } => ("case", None),
    };
    let accepted: BTreeSet<AgencyId> = rule.accepted.iter().map(|each| each.agency.clone()).collect();
    SharingShown {
        what: what.to_owned(),
        cameras,
        scope: rule.scope,
        within_km: (rule.scope == SharingScope::Distance).then_some(rule.within_km),
        named: rule.named.iter().cloned().collect(),
        accepted: accepted.into_iter().collect(),
        from: rule.from.day(),
        until: rule.until.day(),
    }
}

fn of_owner(
    given: &Given<'_>,
    owner: Option<&AgencyId>,
    live: &InForce<'_>,
) -> (Vec<TextShown>, Vec<OpenContradiction>) {
    let mut texts: Vec<&PolicyText> =
        given.texts.iter().filter(|text| text.agency.as_ref() == owner).collect();
    texts.sort_by_key(|text| text.language);
    let mut open = Vec::new();
    for text in &texts {
        let found = contradictions(&text.claims, &text.contradictions, live, given.now);
        open.extend(found.into_iter().map(|one| OpenContradiction {
            language: text.language,
            setting: one.setting,
            claimed: one.claimed,
            live: one.live,
            since: one.since.day(),
        }));
    }
    (texts.into_iter().map(text_shown).collect(), open)
}

fn text_shown(text: &PolicyText) -> TextShown {
    TextShown {
        language: text.language,
        since: text.at.day(),
        digest: text.digest(),
        claims: text.claims.clone(),
    }
}

fn agency(given: &Given<'_>, sharing: &SharingInForce, agency: &Agency) -> AgencyTransparency {
    let live = sharing.view(given.policy, given.rules, Some(agency));
    let (texts, contradictions) = of_owner(given, Some(&agency.id), &live);
    let profile = given.rules.profile_for(&agency.subdivision);
    let kept = |hit| profile.or_else(|| given.rules.profile(DEFAULT)).map_or(0, |law| kept_seconds(law, hit));
    let rules = given.sharing.iter().filter(|rule| rule.owner == agency.id);
    let mut shared: Vec<&SharingRule> =
        rules.filter(|rule| standing(rule, given.now) == Standing::InForce).collect();
    shared.sort_by(|a, b| a.id.cmp(&b.id));
    AgencyTransparency {
        id: agency.id.clone(),
        name: agency.name.clone(),
        class: agency.class,
        subdivision: agency.subdivision.clone(),
        state: agency.state,
        law: LawShown {
            profile: profile.map_or(DEFAULT, |profile| profile.id.as_str()).to_owned(),
            title: profile.map(|profile| profile.title.clone()).unwrap_or_default(),
            reads: ReadsKept { seen_seconds: kept(false), hit_seconds: kept(true) },
        },
        members: people(given.roles, agency.id.as_str()),
        keys: keys(agency),
        portals: given.portals.get(&agency.id).copied().unwrap_or(0),
        requests: given.requests.get(&agency.id).copied().unwrap_or(0),
        sharing: shared.into_iter().map(shown).collect(),
        texts,
        contradictions,
    }
}

fn federal(agencies: &[Agency]) -> BTreeSet<AgencyId> {
    let federal = agencies.iter().filter(|agency| agency.class == AgencyClass::Federal);
    federal.map(|agency| agency.id.clone()).collect()
}

/// The summary of what is given. The order in which records come does not show.
pub fn summarise(given: &Given<'_>) -> Transparency {
    let sharing = SharingInForce::of(given.sharing, &federal(given.agencies), given.now);
    let live = sharing.view(given.policy, given.rules, None);
    let (texts, open) = of_owner(given, None, &live);
    let mut agencies: Vec<&Agency> = given.agencies.iter().collect();
    agencies.sort_by(|a, b| a.id.cmp(&b.id));
    Transparency {
        v: 1,
        policy: policy_digest(given.policy),
        rules: given.rules.digest(),
        kept: kept(&live),
        plates: plates_read(),
        hotlists: given.hotlists.to_vec(),
        safelists: given.safelists.to_vec(),
        deployment: DeploymentTransparency {
            members: people(given.roles, DEPLOYMENT),
            texts,
            contradictions: open,
        },
        agencies: agencies.into_iter().map(|one| agency(given, &sharing, one)).collect(),
        findings: given.findings.clone(),
    }
}

/// A published text with its words: `/texts/<owner>.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PublicText {
    /// What the summary says of it.
    #[serde(flatten)]
    pub shown: TextShown,
    /// The text, Markdown.
    pub markdown: String,
    /// Numbers in the text that seem to say something else than what is in force.
    pub hints: Vec<Hint>,
}

/// Texts by the name of their file: an agency's id, or `deployment`.
fn public_texts<'a>(
    texts: &[PolicyText],
    agencies: &'a BTreeMap<AgencyId, Agency>,
    live: impl Fn(Option<&'a Agency>) -> InForce<'a>,
) -> BTreeMap<String, Vec<PublicText>> {
    let mut all: BTreeMap<String, Vec<PublicText>> = BTreeMap::new();
    for text in texts {
        let agency = text.agency.as_ref();
        let live = live(agency.and_then(|id| agencies.get(id)));
        let whose = agency.map_or(DEPLOYMENT, AgencyId::as_str).to_owned();
        all.entry(whose).or_default().push(PublicText {
            shown: text_shown(text),
            markdown: text.markdown.clone(),
            hints: hints(&text.markdown, text.language, |setting| live.value(setting)),
        });
    }
    for texts in all.values_mut() {
        texts.sort_by_key(|text| text.shown.language);
    }
    all
}

impl<R: Records> App<R> {
    /// The summary as it is now; remembers since when as many people have each role.
    ///
    /// # Errors
    /// The store's.
    pub async fn transparency(&self) -> Result<Transparency, CoreError> {
        let roles = self.role_counts().await?;
        let agencies = self.all(Query::<Agency>::new(), MOST).await?;
        let mut requests: BTreeMap<AgencyId, u32> = BTreeMap::new();
        for request in self.all(Query::<Request>::new().with("state", "published"), MOST_COUNTED).await? {
            *requests.entry(request.agency).or_default() += 1;
        }
        let mut portals: BTreeMap<AgencyId, u32> = BTreeMap::new();
        for portal in self.all(Query::<Portal>::new().with("state", "open"), MOST_COUNTED).await? {
            *portals.entry(portal.agency).or_default() += 1;
        }
        let rules = self.gate().policies();
        let given = Given {
            policy: self.policy(),
            rules: &rules,
            agencies: &agencies,
            roles: &roles,
            requests: &requests,
            portals: &portals,
            sharing: &self.rules_of(Query::new().with("state", "active")).await?,
            texts: &self.all(Query::<PolicyText>::new(), MOST).await?,
            hotlists: &self.hotlists_shown().await?,
            safelists: &self.safelists_shown().await?,
            findings: &self.finding_counts().await?,
            now: self.now(),
        };
        Ok(summarise(&given))
    }

    /// The texts with their words, by the name of their file: an agency's id, or `deployment`.
    ///
    /// # Errors
    /// The store's.
    pub async fn published_texts(&self) -> Result<BTreeMap<String, Vec<PublicText>>, CoreError> {
        let texts = self.all(Query::<PolicyText>::new(), MOST).await?;
        let mut agencies: BTreeMap<AgencyId, Agency> = BTreeMap::new();
        for id in texts.iter().filter_map(|text| text.agency.as_ref()) {
            if !agencies.contains_key(id) {
                agencies.insert(id.clone(), self.agency(id).await?.record);
            }
        }
        let (rules, sharing) = (self.gate().policies(), self.sharing_in_force().await?);
        Ok(public_texts(&texts, &agencies, |agency| sharing.view(self.policy(), &rules, agency)))
    }

    async fn all<T: crate::ports::Record>(&self, query: Query<T>, most: usize) -> Result<Vec<T>, CoreError> {
        // More than that is an error: a figure that is too low must not be shown as if it were whole.
        Ok(every(self.records(), query, most).await?.into_iter().map(|found| found.record).collect())
    }

    async fn role_counts(&self) -> Result<RoleCounts, CoreError> {
        let setting = self.records().get::<Setting>(ROLES).await?;
        let stored = setting.as_ref().map(|it| it.record.value.clone());
        let known: RoleCounts =
            stored.and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default();
        let members = self.all(Query::<Member>::new(), MOST_COUNTED).await?;
        let counts = next_counts(&known, &members, &self.now().day());
        if counts != known {
            let value = serde_json::to_value(&counts).unwrap_or_default();
            let record = Setting { name: ROLES.into(), value };
            let expect = setting.map_or(Expect::Absent, |it| Expect::Version(it.version));
            let intent = self.system(Job::Housekeeping, Target::shared(ROLES));
            match intent.with(|changes| changes.put(&record, expect)).commit(self.records()).await {
                // Another round remembered it at the same moment.
                Ok(_) | Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(counts)
    }
}

#[cfg(test)]
mod tests;

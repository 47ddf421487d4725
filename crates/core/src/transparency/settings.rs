//! Settings that can be read off what is in force, so that a published text can be held against them.

use canvass_policy::{PolicySet, Reach, SharingScope};
use canvass_types::{AgencyClass, FieldProblem, Policy, Role};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{access::NAMES, error::problem};

/// A setting that a text of policy may claim something of. The list is closed: each is computed, none is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub enum LiveSetting {
    /// Days that a sealed offer is kept while nobody has triaged it.
    #[serde(rename = "retention.untriaged_days")]
    UntriagedDays,
    /// Days that a declined clip is kept.
    #[serde(rename = "retention.declined_days")]
    DeclinedDays,
    /// Days that an item is kept after its case is closed.
    #[serde(rename = "retention.closed_case_days")]
    ClosedCaseDays,
    /// Days that a draft is kept.
    #[serde(rename = "retention.draft_days")]
    DraftDays,
    /// Days that the mailbox of an offer is kept after its end.
    #[serde(rename = "retention.mailbox_days")]
    MailboxDays,
    /// Days that the record of an action is kept.
    #[serde(rename = "retention.audit_days")]
    AuditDays,
    /// Days that an ended token or session is kept.
    #[serde(rename = "retention.token_days")]
    TokenDays,
    /// Days that what is on record of a case is kept after its bytes are gone.
    #[serde(rename = "retention.record_days")]
    RecordDays,
    /// Classes of agencies that may ask: words in their order, between commas.
    #[serde(rename = "ask.classes")]
    AskClasses,
    /// Requests that one investigation may have.
    #[serde(rename = "ask.requests_per_investigation")]
    RequestsPerInvestigation,
    /// Longest time frame of a request, minutes.
    #[serde(rename = "ask.max_minutes")]
    MaxMinutes,
    /// How far back a request may ask, days.
    #[serde(rename = "ask.look_back_days")]
    LookBackDays,
    /// Longest time that a request is open, days.
    #[serde(rename = "ask.active_days")]
    ActiveDays,
    /// Largest area of a request, square miles.
    #[serde(rename = "ask.max_area_sq_mi")]
    MaxArea,
    /// Whether every request is decided on by somebody who belongs to no agency.
    #[serde(rename = "ask.moderated")]
    Moderated,
    /// Days that a private invitation lives.
    #[serde(rename = "give.invitation_days")]
    InvitationDays,
    /// Days after a search before the owner of the plate can find it.
    #[serde(rename = "asked.delay_days")]
    AskedDelayDays,
    /// Days after a search until its mark for the owner of the plate is deleted.
    #[serde(rename = "asked.keep_days")]
    AskedKeepDays,
    /// Whether a rule of sharing in force names a federal agency: `none` or `named`.
    #[serde(rename = "sharing.federal")]
    SharingFederal,
    /// The widest rule of sharing in force: `none`, `named`, `state`, `distance`, `compatible` or `all`.
    #[serde(rename = "sharing.outside")]
    SharingOutside,
    /// The profile of state law that the agency works under.
    #[serde(rename = "law.profile")]
    LawProfile,
    /// Whether number plates are read.
    #[serde(rename = "plates.read")]
    PlatesRead,
}

/// A value of a setting: a number, yes or no, or a word.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SettingValue {
    /// Yes or no.
    Flag(bool),
    /// A whole number, in the setting's unit.
    Count(u64),
    /// A measure, in the setting's unit.
    Measure(f64),
    /// A word, or several between commas.
    Word(String),
}

/// Any of them: a whole number is a measure as well, so that `oneOf` would hold for none.
impl utoipa::PartialSchema for SettingValue {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::schema::AnyOfBuilder::new()
            .description(Some("A value of a setting: a number in the setting's unit, yes or no, or a word."))
            .item(bool::schema())
            .item(f64::schema())
            .item(String::schema())
            .into()
    }
}

impl ToSchema for SettingValue {}

impl SettingValue {
    fn word(text: impl Into<String>) -> Self {
        Self::Word(text.into())
    }

    /// Whether two values say the same: numbers by their size, words without case and outer space.
    pub fn agrees(&self, other: &Self) -> bool {
        match (self.measure(), other.measure()) {
            (Some(one), Some(two)) => (one - two).abs() < 1e-9,
            (None, None) => match (self, other) {
                (Self::Word(one), Self::Word(two)) => plain(one) == plain(two),
                _ => self == other,
            },
            _ => false,
        }
    }

    fn measure(&self) -> Option<f64> {
        match self {
            // Settings are far below 2^53.
            #[expect(clippy::cast_precision_loss, reason = "settings are small numbers")]
            Self::Count(count) => Some(*count as f64),
            Self::Measure(measure) => Some(*measure),
            Self::Flag(_) | Self::Word(_) => None,
        }
    }
}

impl std::fmt::Display for SettingValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Count(count) => write!(f, "{count}"),
            Self::Measure(measure) => write!(f, "{measure}"),
            Self::Word(word) => f.write_str(word),
        }
    }
}

/// Words in a fixed form: lower case, one space after each comma.
fn plain(text: &str) -> String {
    let parts: Vec<String> = text.split(',').map(|part| part.trim().to_lowercase()).collect();
    parts.join(", ")
}

/// Whether a word is the name of a class of agencies.
fn is_class(word: &str) -> bool {
    serde_json::from_value::<AgencyClass>(word.trim().to_lowercase().into()).is_ok()
}

/// Whether a word could be the name of a profile of law.
fn is_profile(word: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let word = word.trim();
    (1..=20).contains(&word.len()) && word.bytes().all(plain)
}

/// What a setting is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dimension {
    /// Days.
    Days,
    /// Minutes.
    Minutes,
    /// Requests.
    Requests,
    /// Square miles.
    SquareMiles,
}

impl LiveSetting {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::UntriagedDays,
        Self::DeclinedDays,
        Self::ClosedCaseDays,
        Self::DraftDays,
        Self::MailboxDays,
        Self::AuditDays,
        Self::TokenDays,
        Self::RecordDays,
        Self::AskClasses,
        Self::RequestsPerInvestigation,
        Self::MaxMinutes,
        Self::LookBackDays,
        Self::ActiveDays,
        Self::MaxArea,
        Self::Moderated,
        Self::InvitationDays,
        Self::AskedDelayDays,
        Self::AskedKeepDays,
        Self::SharingFederal,
        Self::SharingOutside,
        Self::LawProfile,
        Self::PlatesRead,
    ];

    /// Its name, where there is one that of the policy's field.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UntriagedDays => "retention.untriaged_days",
            Self::DeclinedDays => "retention.declined_days",
            Self::ClosedCaseDays => "retention.closed_case_days",
            Self::DraftDays => "retention.draft_days",
            Self::MailboxDays => "retention.mailbox_days",
            Self::AuditDays => "retention.audit_days",
            Self::TokenDays => "retention.token_days",
            Self::RecordDays => "retention.record_days",
            Self::AskClasses => "ask.classes",
            Self::RequestsPerInvestigation => "ask.requests_per_investigation",
            Self::MaxMinutes => "ask.max_minutes",
            Self::LookBackDays => "ask.look_back_days",
            Self::ActiveDays => "ask.active_days",
            Self::MaxArea => "ask.max_area_sq_mi",
            Self::Moderated => "ask.moderated",
            Self::InvitationDays => "give.invitation_days",
            Self::AskedDelayDays => "asked.delay_days",
            Self::AskedKeepDays => "asked.keep_days",
            Self::SharingFederal => "sharing.federal",
            Self::SharingOutside => "sharing.outside",
            Self::LawProfile => "law.profile",
            Self::PlatesRead => "plates.read",
        }
    }

    /// What it is counted in; none for what is no number.
    pub fn dimension(self) -> Option<Dimension> {
        match self {
            Self::RequestsPerInvestigation => Some(Dimension::Requests),
            Self::MaxMinutes => Some(Dimension::Minutes),
            Self::MaxArea => Some(Dimension::SquareMiles),
            Self::AskClasses
            | Self::Moderated
            | Self::SharingFederal
            | Self::SharingOutside
            | Self::LawProfile
            | Self::PlatesRead => None,
            _ => Some(Dimension::Days),
        }
    }

    /// What is wrong with a claim of it: a value of another form than the setting has.
    pub(crate) fn check(self, value: &SettingValue, field: &str, of_agency: bool) -> Option<FieldProblem> {
        let wrong = |message: &str, remedy: &str| Some(problem(field, "form", message, remedy));
        if self == Self::LawProfile && !of_agency {
            return wrong(
                "the deployment as a whole works under no one state's law",
                "claim law.profile in an agency's text",
            );
        }
        let words: &[&str] = match self {
            Self::Moderated | Self::PlatesRead => {
                return match value {
                    SettingValue::Flag(_) => None,
                    _ => wrong("the setting is yes or no", "write true or false"),
                };
            }
            Self::SharingFederal => &["none", "named"],
            Self::SharingOutside => &["none", "named", "state", "distance", "compatible", "all"],
            Self::AskClasses | Self::LawProfile => &[],
            _ => {
                return match value.measure() {
                    Some(number) if number.is_finite() && (0.0..=1e9).contains(&number) => None,
                    _ => wrong("the setting is a number", "write a number in the setting's unit"),
                };
            }
        };
        let SettingValue::Word(word) = value else { return wrong("the setting is a word", "write a word") };
        // No free text: what is claimed is public.
        match self {
            Self::AskClasses if word.split(',').all(is_class) => None,
            Self::AskClasses => {
                wrong("it is no list of classes", "write classes between commas: municipal, county")
            }
            Self::LawProfile if is_profile(word) => None,
            Self::LawProfile => wrong("it is no profile of law", "write one such as us-nh, or default"),
            _ if words.contains(&&*plain(word)) => None,
            _ => wrong("the setting has no such value", &format!("write {}", words.join(", "))),
        }
    }
}

impl std::fmt::Display for LiveSetting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for LiveSetting {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|each| each.as_str() == text).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|each| each.as_str()).collect();
            format!("{text} is no setting that a text can be held against: write one of {}", names.join(", "))
        })
    }
}

/// What is in force for one owner of a text.
#[derive(Debug, Clone)]
pub struct InForce<'a> {
    /// Limits and retentions.
    pub policy: &'a Policy,
    /// Rules of who may do what.
    pub rules: &'a PolicySet,
    /// ISO 3166-2 code of the agency's state; none for the whole deployment.
    pub subdivision: Option<&'a str>,
    /// The widest rule of sharing in force.
    pub sharing: Option<SharingScope>,
    /// Whether a rule of sharing in force names a federal agency.
    pub federal: bool,
}

/// Whether requests reach the public only through somebody who belongs to no agency.
fn moderated(rules: &PolicySet) -> bool {
    let reach = |role: &Role| rules.table().reach("request.moderate", *role);
    let of_agencies = Role::ALL.iter().filter(|role| role.of_agency());
    let others = Role::ALL.iter().filter(|role| !role.of_agency());
    of_agencies.into_iter().all(|role| reach(role) == Reach::Never)
        && others.into_iter().any(|role| reach(role) == Reach::Any)
}

/// Whether this version can read number plates at all.
pub(crate) fn plates_read() -> bool {
    NAMES.iter().any(|name| name.starts_with("plate.") || name.starts_with("hotlist."))
}

impl InForce<'_> {
    /// What a setting is; none where it says nothing of this owner.
    pub fn value(&self, setting: LiveSetting) -> Option<SettingValue> {
        let (ask, give, keep) = (&self.policy.ask, &self.policy.give, &self.policy.retention);
        let count = |number: u32| SettingValue::Count(number.into());
        Some(match setting {
            LiveSetting::UntriagedDays => count(keep.untriaged_days),
            LiveSetting::DeclinedDays => count(keep.declined_days),
            LiveSetting::ClosedCaseDays => count(keep.closed_case_days),
            LiveSetting::DraftDays => count(keep.draft_days),
            LiveSetting::MailboxDays => count(keep.mailbox_days),
            LiveSetting::AuditDays => count(keep.audit_days),
            LiveSetting::TokenDays => count(keep.token_days),
            LiveSetting::RecordDays => count(keep.record_days),
            LiveSetting::AskClasses => {
                let classes: Vec<&str> = ask.classes.iter().map(|class| class.as_str()).collect();
                SettingValue::word(classes.join(", "))
            }
            LiveSetting::RequestsPerInvestigation => count(ask.requests_per_investigation),
            LiveSetting::MaxMinutes => count(ask.max_minutes),
            LiveSetting::LookBackDays => count(ask.look_back_days),
            LiveSetting::ActiveDays => count(ask.active_days),
            LiveSetting::MaxArea => SettingValue::Measure(ask.max_area_sq_mi),
            LiveSetting::Moderated => SettingValue::Flag(moderated(self.rules)),
            LiveSetting::InvitationDays => count(give.invitation_days),
            LiveSetting::AskedDelayDays => count(self.policy.asked.delay_days),
            LiveSetting::AskedKeepDays => count(self.policy.asked.keep_days),
            LiveSetting::SharingFederal => SettingValue::word(if self.federal { "named" } else { "none" }),
            LiveSetting::SharingOutside => {
                SettingValue::word(self.sharing.map_or("none", SharingScope::as_str))
            }
            LiveSetting::LawProfile => {
                let profile = self.rules.profile_for(self.subdivision?);
                SettingValue::word(profile.map_or(canvass_policy::DEFAULT, |profile| profile.id.as_str()))
            }
            LiveSetting::PlatesRead => SettingValue::Flag(plates_read()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_has_one_name_that_serde_writes_too() {
        for setting in LiveSetting::ALL {
            assert_eq!(serde_json::to_value(setting).unwrap(), setting.as_str());
            assert_eq!(setting.as_str().parse(), Ok(setting));
        }
        assert!("retention.plates".parse::<LiveSetting>().unwrap_err().contains("ask.max_minutes"));
    }

    #[test]
    fn every_field_that_says_how_long_things_are_kept_is_a_setting_and_shows_its_value() {
        let (policy, rules) = (Policy::default(), PolicySet::shipped().unwrap());
        let live =
            InForce { policy: &policy, rules: &rules, subdivision: None, sharing: None, federal: false };
        let fields = serde_json::to_value(&policy).unwrap();
        for (part, limits) in fields.as_object().unwrap() {
            for (name, value) in limits.as_object().unwrap() {
                let found = format!("{part}.{name}").parse::<LiveSetting>();
                assert!(
                    found.is_ok() || !["retention", "asked"].contains(&part.as_str()),
                    "{name} can't be claimed"
                );
                if let (Ok(setting), true) = (found, value.is_number()) {
                    let claimed: SettingValue = serde_json::from_value(value.clone()).unwrap();
                    assert!(live.value(setting).unwrap().agrees(&claimed), "{setting}");
                    assert_eq!(setting.check(&claimed, "claims", false), None, "{setting}");
                }
            }
        }
    }

    #[test]
    fn values_agree_by_what_they_say_and_claims_have_the_settings_form() {
        let word = |text: &str| SettingValue::Word(text.into());
        assert!(word("Municipal,county ").agrees(&word("municipal, county")));
        assert!(SettingValue::Count(2).agrees(&SettingValue::Measure(2.0)));
        assert!(!SettingValue::Count(1).agrees(&SettingValue::Flag(true)));
        assert!(!word("90").agrees(&SettingValue::Count(90)));
        let wrong = |setting: LiveSetting, value: SettingValue| setting.check(&value, "f", true).is_some();
        assert!(wrong(LiveSetting::AuditDays, word("ninety")) && wrong(LiveSetting::Moderated, word("yes")));
        assert!(wrong(LiveSetting::SharingOutside, word("everyone")));
        assert!(wrong(LiveSetting::MaxArea, SettingValue::Measure(f64::NAN)));
        assert!(!wrong(LiveSetting::LawProfile, word("us-nh")));
        assert!(!wrong(LiveSetting::AskClasses, word("Municipal, county")));
        for name in ["Zebulon Quartermain", "municipal, Zebulon", ""] {
            assert!(wrong(LiveSetting::AskClasses, word(name)) && wrong(LiveSetting::LawProfile, word(name)));
        }
        assert!(LiveSetting::LawProfile.check(&word("us-nh"), "f", false).is_some());
    }

    #[test]
    fn law_sharing_and_moderation_are_read_off_what_is_in_force() {
        let (policy, rules) = (Policy::default(), PolicySet::shipped().unwrap());
        let of = |subdivision, sharing, federal| InForce {
            policy: &policy,
            rules: &rules,
            subdivision,
            sharing,
            federal,
        };
        let says = |live: &InForce<'_>, setting| live.value(setting).map(|value| value.to_string());
        let town = of(Some("US-NH"), Some(SharingScope::State), true);
        assert_eq!(says(&town, LiveSetting::LawProfile).as_deref(), Some("us-nh"));
        assert_eq!(says(&town, LiveSetting::SharingOutside).as_deref(), Some("state"));
        assert_eq!(says(&town, LiveSetting::SharingFederal).as_deref(), Some("named"));
        let all = of(None, None, false);
        assert_eq!(says(&all, LiveSetting::LawProfile), None);
        assert_eq!(says(&all, LiveSetting::SharingOutside).as_deref(), Some("none"));
        assert_eq!(says(&all, LiveSetting::AskClasses).as_deref(), Some("municipal, county"));
        assert_eq!(says(&all, LiveSetting::Moderated).as_deref(), Some("true"));
        assert_eq!(says(&all, LiveSetting::PlatesRead).as_deref(), Some("true"));
    }
}

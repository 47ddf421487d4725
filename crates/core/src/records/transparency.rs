//! Published texts of policy, and where they contradict what is in force.

use canvass_types::{AgencyId, Digest, MemberId, Time, canonical};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    ports::{Kind, Record},
    transparency::{LiveSetting, SettingValue},
};

/// The language of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    En,
    /// Spanish.
    Es,
}

impl Language {
    /// Both.
    pub const ALL: [Self; 2] = [Self::En, Self::Es];

    /// Its code (ISO 639-1).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Es => "es",
        }
    }
}

/// What a text says that a setting is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// Which setting.
    pub setting: LiveSetting,
    /// What it is said to be.
    pub value: SettingValue,
}

/// A claim that is not so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Contradiction {
    /// Which setting.
    pub setting: LiveSetting,
    /// What the text says.
    pub claimed: SettingValue,
    /// What is in force.
    pub live: SettingValue,
    /// Since when it is known; the ledger has the entry `contradiction.raised`.
    pub since: Time,
}

/// The policy as an agency, or the operator for the whole deployment, tells it to the public in one language.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicyText {
    /// Whose; none for the whole deployment's.
    pub agency: Option<AgencyId>,
    /// Its language.
    pub language: Language,
    /// The text, Markdown.
    pub markdown: String,
    /// What it claims of settings, each at most once.
    pub claims: Vec<Claim>,
    /// Who set it.
    pub by: MemberId,
    /// When.
    pub at: Time,
    /// Claims that are not so, as they were last compared. Nobody can take one out: what agrees again goes.
    #[serde(default)]
    pub contradictions: Vec<Contradiction>,
}

impl PolicyText {
    /// The key of whose and in which language.
    pub fn key_of(agency: Option<&AgencyId>, language: Language) -> String {
        let whose = agency.map_or("deployment", AgencyId::as_str);
        format!("{whose}/{}", language.as_str())
    }

    /// SHA-256 of the canonical JSON of language, text and claims: what the record of setting it names.
    pub fn digest(&self) -> Digest {
        let what = json!({ "language": self.language, "markdown": self.markdown, "claims": self.claims });
        Digest::of(&canonical(&what).unwrap_or_default())
    }
}
record!(
    PolicyText,
    PolicyText,
    |it| Self::key_of(it.agency.as_ref(), it.language),
    [it.agency.as_ref().map(ToString::to_string)]
);

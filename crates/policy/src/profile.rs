//! State-law profiles: what the law says, with its articles, and how far each could be checked.

use serde::{Deserialize, Serialize};

use crate::error::{PolicyError, line_at};

/// The profile of an agency whose state has no law of its own here.
pub const DEFAULT: &str = "default";

/// What one state's law asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Version of the form: 1.
    pub v: u32,
    /// Its name: that of its file.
    pub id: String,
    /// The state, for people.
    pub title: String,
    /// ISO 3166-2 codes of the states whose agencies work under it.
    pub subdivisions: Vec<String>,
    /// The articles, and the rule that carries each out.
    #[serde(default)]
    pub law: Vec<Law>,
    /// How long plate reads are kept.
    pub retention: ProfileRetention,
    /// Whom data may reach.
    pub sharing: ProfileSharing,
    /// Which hotlists may alert.
    #[serde(default)]
    pub hotlists: ProfileHotlists,
    /// For what it may be used.
    pub purposes: ProfilePurposes,
    /// What a record of access has to hold.
    pub log: LogFields,
    /// Reports that are due.
    #[serde(default)]
    pub report: Vec<Report>,
}

/// How far an article could be checked when the profile was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Checked {
    /// The words of the law were read.
    Text,
    /// A summary or a report of it was read.
    Report,
    /// Neither could be found.
    No,
}

/// One article of law.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Law {
    /// The rule that carries it out; a Cedar rule of that id repeats the citation as `@law`.
    pub rule: String,
    /// The citation.
    pub cite: String,
    /// What it says, in plain words.
    pub says: String,
    /// How far this was checked.
    pub checked: Checked,
    /// Where.
    pub source: String,
}

/// How long plate reads are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileRetention {
    /// A read that met no hotlist, seconds.
    pub non_hit_seconds: u64,
    /// A read that met one, days.
    pub hit_days: u32,
    /// The record of an access, days at least.
    pub access_log_days: u32,
}

/// Whom data may reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileSharing {
    /// Whether an agency of another state may be shared with at all.
    pub out_of_state: bool,
    /// Whether a federal agency may be, by name.
    pub federal: bool,
    /// Whether an agency from outside first signs a declaration.
    pub declaration: bool,
    /// Profiles that count as compatible with this one.
    pub compatible: Vec<String>,
}

/// Which hotlists may alert, beyond what holds everywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileHotlists {
    /// Whether a list for immigration enforcement that no judge ordered may. Off unless the law says so.
    #[serde(default)]
    pub administrative_immigration: bool,
}

/// For what data may be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfilePurposes {
    /// The only purposes; empty means all of `purposes.toml`.
    #[serde(default)]
    pub only: Vec<String>,
    /// Purposes that it forbids by name.
    #[serde(default)]
    pub forbidden: Vec<String>,
    /// Words that a reason may not hold.
    #[serde(default)]
    pub words: Vec<WordRule>,
}

/// Words that a reason may not hold, with the article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WordRule {
    /// Its id, beginning with the profile's.
    pub rule: String,
    /// The citation.
    pub law: String,
    /// What is wrong with such a reason.
    pub message: String,
    /// Words and turns of phrase: without case and accents; `word*` any ending; `=ICE` exactly so.
    pub words: Vec<String>,
}

/// What a record of access has to hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogFields {
    /// The fields.
    pub fields: Vec<LogField>,
}

/// A field of a record of access (California: Civil Code § 1798.90.52(a)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogField {
    /// Date and time.
    Time,
    /// The plate or other data that was searched for.
    Query,
    /// Who searched.
    Member,
    /// Their agency.
    Agency,
    /// The purpose.
    Purpose,
    /// The case.
    Case,
}

/// How often something is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Period {
    /// Every month.
    Month,
    /// Every quarter.
    Quarter,
    /// Every year.
    Year,
}

/// A report that is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// What is reported.
    pub name: String,
    /// The citation.
    pub cite: String,
    /// How often.
    pub every: Period,
    /// Days after the period in which it is made.
    pub due_days: u32,
    /// Days after it was made in which it is public.
    pub public_within_days: u32,
    /// How far the citation was checked.
    pub checked: Checked,
}

impl Profile {
    /// Reads `profiles/<id>.toml`.
    ///
    /// # Errors
    /// When the form, the version or the id is another, or a rule's id does not begin with the profile's.
    pub(crate) fn read(path: &str, text: &str) -> Result<Self, Vec<PolicyError>> {
        let profile: Self = from_toml(path, text)?;
        let mut errors = Vec::new();
        let mut fail = |needle: &str, message: String, remedy: &str| {
            let line = text.find(needle).map(|at| line_at(text, at));
            errors.push(PolicyError::new(path, line, message, remedy));
        };
        if profile.v != 1 {
            fail("v =", format!("version {} is not known", profile.v), "write v = 1");
        }
        let stem = stem(path);
        if profile.id != stem {
            fail("id =", format!("its id is {}", profile.id), "give it the name of its file");
        }
        let prefix = format!("{stem}.");
        let rules = profile.law.iter().map(|law| (&law.rule, &law.cite));
        for (rule, cite) in rules.chain(profile.purposes.words.iter().map(|words| (&words.rule, &words.law)))
        {
            if !rule.starts_with(&prefix) {
                fail(
                    rule,
                    format!("the rule {rule} has another profile's name"),
                    "begin it with the profile's id",
                );
            }
            if cite.trim().is_empty() {
                fail(rule, format!("the rule {rule} cites nothing"), "name the article of law");
            }
        }
        if !(1..=3_153_600_000).contains(&profile.retention.non_hit_seconds) {
            fail("non_hit_seconds", "non_hit_seconds is out of range".into(), "give 1 second to 100 years");
        }
        for days in [profile.retention.hit_days, profile.retention.access_log_days] {
            if !(1..=36_500).contains(&days) {
                fail("[retention]", format!("{days} days are out of range"), "give 1 to 36500 days");
            }
        }
        if errors.is_empty() { Ok(profile) } else { Err(errors) }
    }

    /// Whether the profile lets a purpose be followed at all.
    pub fn allows_purpose(&self, purpose: &str) -> bool {
        let only = &self.purposes.only;
        let listed = only.is_empty() || only.iter().any(|one| one == purpose);
        listed && !self.purposes.forbidden.iter().any(|one| one == purpose)
    }
}

/// A file's name without folder and ending.
pub(crate) fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split('.').next().unwrap_or(name)
}

/// Reads TOML; the error names the line.
pub(crate) fn from_toml<T: serde::de::DeserializeOwned>(
    path: &str,
    text: &str,
) -> Result<T, Vec<PolicyError>> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| line_at(text, span.start));
        vec![PolicyError::new(
            path,
            line,
            error.message().replace('\n', " "),
            "give the field as docs/ref/policy.md has it",
        )]
    })
}

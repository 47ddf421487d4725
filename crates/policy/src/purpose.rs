//! Purposes: why someone searches, in a form that says something, and what the law lets it be.

use std::collections::BTreeSet;

pub use canvass_types::Purpose;
use canvass_types::{CaseId, RequestId};
use serde::{Deserialize, Serialize};

use crate::{
    bundle::PURPOSES,
    error::{PolicyError, line_at},
    profile::{Profile, from_toml},
    words::{Pattern, Word, plain, repeats, words},
};

/// What is wrong with a purpose, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{field}: {message}; {remedy}")]
pub struct PurposeProblem {
    /// The field: `purpose.reason`.
    pub field: String,
    /// The rule: `reason.boilerplate`, or that of a profile.
    pub rule: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

/// A purpose that may be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PurposeClass {
    /// Its name.
    pub id: String,
    /// In English.
    pub en: String,
    /// In Spanish.
    pub es: String,
    /// Whether it needs an offence class other than `none`.
    #[serde(default)]
    pub offence: bool,
    /// Whether it needs a case.
    #[serde(default)]
    pub case: bool,
    /// Whether it needs a warrant's number.
    #[serde(default)]
    pub warrant: bool,
    /// Whether nobody may follow it; it is listed so that it can be refused by name.
    #[serde(default)]
    pub refused: bool,
}

/// A class of offence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offence {
    /// Its name.
    pub id: String,
    /// In English.
    pub en: String,
    /// In Spanish.
    pub es: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    v: u32,
    purpose: Vec<PurposeClass>,
    offence: Vec<Offence>,
    reason: ReasonForm,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReasonForm {
    least_characters: usize,
    most_characters: usize,
    words: usize,
    phrases: Vec<String>,
    boilerplate: Vec<String>,
    filler: Vec<String>,
}

/// The purposes, offence classes and reasons of one deployment: `purposes.toml`.
#[derive(Debug, Clone)]
pub struct Purposes {
    classes: Vec<PurposeClass>,
    offences: Vec<Offence>,
    least: usize,
    most: usize,
    content: usize,
    phrases: Vec<Pattern>,
    boilerplate: Vec<Pattern>,
    filler: BTreeSet<String>,
}

/// What to do about a pattern that has no word.
pub(crate) const PATTERN_REMEDY: &str = "write words, `word*` for any ending, or `=ICE` for exactly so";

/// Longest case code and warrant number, characters.
const LONGEST_CODE: usize = 64;

impl Purposes {
    /// Reads `purposes.toml`.
    pub(crate) fn read(text: &str) -> Result<Self, Vec<PolicyError>> {
        let form: Form = from_toml(PURPOSES, text)?;
        let mut errors = Vec::new();
        let mut fail = |needle: &str, message: String, remedy: &str| {
            let line = text.find(needle).map(|at| line_at(text, at));
            errors.push(PolicyError::new(PURPOSES, line, message, remedy));
        };
        if form.v != 1 {
            fail("v =", format!("version {} is not known", form.v), "write v = 1");
        }
        let mut seen = BTreeSet::from(["none"]);
        for class in &form.purpose {
            if !seen.insert(&class.id) {
                fail(
                    &class.id,
                    format!("the purpose {} stands twice or is reserved", class.id),
                    "give it another name",
                );
            }
        }
        let offences: BTreeSet<&str> = form.offence.iter().map(|offence| offence.id.as_str()).collect();
        if offences.len() != form.offence.len() || !offences.contains("none") {
            fail("[[offence]]", "offences repeat, or `none` is missing".into(), "list each once, and none");
        }
        let reason = &form.reason;
        if !(1..=20).contains(&reason.words) || reason.least_characters > reason.most_characters {
            fail(
                "[reason]",
                "the limits of a reason do not fit".into(),
                "give 1 to 20 words, least <= most characters",
            );
        }
        for text in reason.phrases.iter().chain(&reason.boilerplate) {
            if Pattern::parse(text).is_none() {
                fail(text, format!("`{text}` is no pattern of words"), PATTERN_REMEDY);
            }
        }
        let patterns =
            |lists: &[String]| lists.iter().filter_map(|text| Pattern::parse(text)).collect::<Vec<_>>();
        // The longest phrase first, so that a part of it is not taken out before the whole.
        let mut phrases = patterns(&reason.phrases);
        phrases.sort_by_key(|phrase| std::cmp::Reverse(phrase.text.len()));
        let read = Self {
            phrases,
            boilerplate: patterns(&reason.boilerplate),
            filler: reason.filler.iter().map(|word| plain(word)).collect(),
            least: reason.least_characters,
            most: reason.most_characters,
            content: reason.words,
            classes: form.purpose,
            offences: form.offence,
        };
        if errors.is_empty() { Ok(read) } else { Err(errors) }
    }

    /// The purposes, in the order of the file.
    pub fn classes(&self) -> &[PurposeClass] {
        &self.classes
    }

    /// The offence classes, from the gravest.
    pub fn offences(&self) -> &[Offence] {
        &self.offences
    }

    /// How long a reason is, in characters: at least, at most.
    pub fn reason_characters(&self) -> (usize, usize) {
        (self.least, self.most)
    }

    /// How many different words of a reason must say something.
    pub fn reason_words(&self) -> usize {
        self.content
    }

    /// Whether a purpose says enough, and nothing that the law of this profile forbids.
    ///
    /// # Errors
    /// Everything that is wrong with it at once, in the order of the fields.
    pub fn check(&self, purpose: &Purpose, profile: &Profile) -> Result<(), Vec<PurposeProblem>> {
        let mut problems = Vec::new();
        let class = self.check_class(purpose, profile, &mut problems);
        self.check_offence(purpose, class, &mut problems);
        check_codes(purpose, class, &mut problems);
        self.check_reason(purpose, &mut problems);
        check_words(purpose, profile, self.most, &mut problems);
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    fn check_class(
        &self,
        purpose: &Purpose,
        profile: &Profile,
        problems: &mut Vec<PurposeProblem>,
    ) -> Option<&PurposeClass> {
        let known = || {
            let may = |class: &&PurposeClass| !class.refused && profile.allows_purpose(&class.id);
            self.classes.iter().filter(may).map(|class| class.id.as_str()).collect::<Vec<_>>().join(", ")
        };
        let Some(class) = self.classes.iter().find(|class| class.id == purpose.class) else {
            let remedy = format!("choose one of {}", known());
            problems.push(problem("class", "class.unknown", "this purpose is not known", remedy));
            return None;
        };
        if class.refused {
            let message = format!("nobody may search to do this: {}", class.en);
            problems.push(problem("class", "class.refused", message, "do not search"));
        } else if !profile.allows_purpose(&class.id) {
            let message = format!("the law of {} does not allow this purpose: {}", profile.title, class.en);
            let rule = format!("{}.purposes", profile.id);
            problems.push(problem("class", &rule, message, format!("choose one of {}", known())));
        }
        Some(class)
    }

    fn check_offence(
        &self,
        purpose: &Purpose,
        class: Option<&PurposeClass>,
        problems: &mut Vec<PurposeProblem>,
    ) {
        let ids = || self.offences.iter().map(|offence| offence.id.as_str()).collect::<Vec<_>>().join(", ");
        if !self.offences.iter().any(|offence| offence.id == purpose.offence) {
            let remedy = format!("choose one of {}", ids());
            problems.push(problem(
                "offence",
                "offence.unknown",
                "this class of offence is not known",
                remedy,
            ));
        } else if purpose.offence == "none" && class.is_some_and(|class| class.offence) {
            let remedy = format!("choose one of {}", ids());
            problems.push(problem(
                "offence",
                "offence.missing",
                "this purpose needs a class of offence",
                remedy,
            ));
        }
    }

    fn check_reason(&self, purpose: &Purpose, problems: &mut Vec<PurposeProblem>) {
        let length = purpose.reason.trim().chars().count();
        if length > self.most {
            let message = format!("it has {length} characters, {} at most", self.most);
            problems.push(problem("reason", "reason.long", message, "say it in fewer words"));
            return;
        }
        let content = self.content_words(purpose);
        if content.len() < self.content {
            let found = match content.is_empty() {
                true => "it says nothing of this matter".to_owned(),
                false => format!("besides boiler-plate it says only: {}", content.join(", ")),
            };
            let remedy = format!(
                "say what happened and what this should show, for example: hit and run on Elm Street, looking for a blue \
                 pickup with front damage ({} such words at least)",
                self.content
            );
            problems.push(problem("reason", "reason.boilerplate", found, remedy));
        } else if length < self.least {
            let message = format!("it has {length} characters, {} at least", self.least);
            problems.push(problem(
                "reason",
                "reason.short",
                message,
                "say what happened and what this should show",
            ));
        }
    }

    /// The different words of a reason that say something, in its order: not boiler-plate, filler or numbers, not the
    /// name of the purpose, no code, and not a copy of the offence's description.
    pub fn content_words(&self, purpose: &Purpose) -> Vec<String> {
        let read: String = purpose.reason.trim().chars().take(self.most).collect();
        let mut rest = words(&read);
        for phrase in &self.phrases {
            phrase.remove(&mut rest);
        }
        let class = self.classes.iter().filter(|class| class.id == purpose.class);
        let offence = self.offences.iter().filter(|one| one.id == purpose.offence);
        let codes = [purpose.case.as_deref(), purpose.warrant.as_deref()];
        let named = plain_words(
            [purpose.class.as_str(), purpose.offence.as_str()]
                .into_iter()
                .chain(codes.into_iter().flatten())
                .chain(class.flat_map(|class| [class.en.as_str(), class.es.as_str()])),
        );
        let described = plain_words(offence.flat_map(|one| [one.en.as_str(), one.es.as_str()]));
        rest.retain(|word| !named.contains(&word.plain) && self.says_something(word));
        if rest.iter().all(|word| described.contains(&word.plain)) {
            return Vec::new();
        }
        let mut seen = BTreeSet::new();
        rest.into_iter().filter(|word| seen.insert(stemmed(&word.plain))).map(|word| word.plain).collect()
    }

    fn says_something(&self, word: &Word) -> bool {
        let letters = word.plain.chars().filter(|letter| letter.is_alphabetic()).count();
        letters >= 2
            && letters * 2 > word.plain.chars().count()
            && !repeats(&word.plain)
            && !self.filler.contains(&word.plain)
            && self.boilerplate.iter().all(|pattern| pattern.find(std::slice::from_ref(word)).is_none())
    }
}

fn plain_words<'a>(texts: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    texts.flat_map(words).map(|word| word.plain).collect()
}

// Singular and plural, and the commonest endings, count as one word: "steal, steals" says one thing.
fn stemmed(word: &str) -> String {
    for ending in ["es", "s"] {
        if let Some(stem) = word.strip_suffix(ending)
            && stem.chars().count() >= 4
        {
            return stem.to_owned();
        }
    }
    word.to_owned()
}

fn check_codes(purpose: &Purpose, class: Option<&PurposeClass>, problems: &mut Vec<PurposeProblem>) {
    let needs_case = class.is_some_and(|class| class.case);
    match purpose.case.as_deref().map(str::trim).filter(|code| !code.is_empty()) {
        None if needs_case => {
            problems.push(problem(
                "case",
                "case.missing",
                "this purpose needs a case",
                "name an open case that you work on",
            ));
        }
        Some(code) if !is_code(code) => {
            let message = "it is no code of a case";
            problems.push(problem(
                "case",
                "case.form",
                message,
                "give the agency's code, with its digits, 64 characters at most",
            ));
        }
        _ => {}
    }
    let needs_warrant = class.is_some_and(|class| class.warrant);
    match purpose.warrant.as_deref().map(str::trim).filter(|code| !code.is_empty()) {
        None if needs_warrant => {
            problems.push(problem(
                "warrant",
                "warrant.missing",
                "this purpose needs a warrant",
                "give the warrant's number",
            ));
        }
        Some(code) if !is_code(code) => {
            let message = "it is no number of a warrant";
            problems.push(problem(
                "warrant",
                "warrant.form",
                message,
                "give the number as the court wrote it, 64 characters at most",
            ));
        }
        _ => {}
    }
}

/// Whether a text can be a code of a case or a number of a warrant. Those of courts and agencies differ; each has a digit,
/// three characters that say something, and is short. An id of ours is one too.
pub fn is_code(code: &str) -> bool {
    if code.parse::<CaseId>().is_ok() || code.parse::<RequestId>().is_ok() {
        return true;
    }
    let said: Vec<char> = code.chars().filter(|one| one.is_alphanumeric()).collect();
    code.chars().count() <= LONGEST_CODE
        && !code.chars().any(char::is_control)
        && said.len() >= 3
        && said.iter().any(char::is_ascii_digit)
        && said.iter().collect::<BTreeSet<_>>().len() > 1
}

fn check_words(purpose: &Purpose, profile: &Profile, most: usize, problems: &mut Vec<PurposeProblem>) {
    // A reason beyond the limit is refused for its length.
    let read: String = purpose.reason.trim().chars().take(most).collect();
    let said = words(&read);
    for rule in &profile.purposes.words {
        let found = rule
            .words
            .iter()
            .filter_map(|text| Pattern::parse(text))
            .find(|pattern| pattern.find(&said).is_some());
        if let Some(pattern) = found {
            let message = format!("“{}” ({}): {}", pattern.text, rule.law, rule.message);
            let remedy = "do not search for this; if the word only names a place or thing, say it otherwise";
            problems.push(problem("reason", &rule.rule, message, remedy));
        }
    }
}

fn problem(field: &str, rule: &str, message: impl Into<String>, remedy: impl Into<String>) -> PurposeProblem {
    PurposeProblem {
        field: format!("purpose.{field}"),
        rule: rule.to_owned(),
        message: message.into(),
        remedy: remedy.into(),
    }
}

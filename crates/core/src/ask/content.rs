//! The content rules: words in a draft that a moderator has to weigh, found by a list that anyone can read.
//!
//! The rules are data (`policies/content-rules.toml`), compiled in and named by a digest. They are honest about what they
//! are: lists of words in English and Spanish. They miss what is said in other words and meet innocent ones; that is why
//! they never refuse by themselves.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use canvass_types::{Digest, FieldProblem, IncidentType, RequestDraft};
use serde::Deserialize;

use super::words::{Hit, Pattern, PatternError, Sets, Text};

const SOURCE: &str = include_str!("../../../../policies/content-rules.toml");
/// Findings of one rule in one field.
const MOST_FINDINGS: usize = 5;
/// Places of one finding that are told.
const MOST_PLACES: usize = 50;

static RULES: LazyLock<Result<RuleSet, RulesError>> = LazyLock::new(|| RuleSet::parse(SOURCE));

/// Why the content rules can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// Not TOML of the expected form.
    #[error("content rules: {0}; correct policies/content-rules.toml")]
    Form(String),
    /// A pattern.
    #[error("{0}")]
    Pattern(String),
}

impl From<PatternError> for RulesError {
    fn from(error: PatternError) -> Self {
        Self::Pattern(error.to_string())
    }
}

/// A content rule as the public knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its word, stable for programs; a refusal names it.
    pub id: String,
    /// What it says, for people.
    pub title: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    v: u32,
    sets: Sets,
    rule: Vec<RuleText>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleText {
    id: String,
    title: String,
    message: String,
    remedy: String,
    #[serde(default)]
    except_incidents: Vec<IncidentType>,
    group: Vec<GroupText>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupText {
    any: Vec<String>,
    #[serde(default)]
    ignore: Vec<String>,
    #[serde(default)]
    unless_sentence: Vec<String>,
    #[serde(default)]
    unless_text: Vec<String>,
}

struct RuleSet {
    rules: Vec<Compiled>,
    public: Vec<Rule>,
}

struct Compiled {
    text: RuleText,
    groups: Vec<Group>,
}

/// Words that a rule met, with all places where they stand.
struct Quote {
    words: String,
    hits: Vec<Hit>,
}

struct Group {
    any: Vec<Pattern>,
    ignore: Vec<Pattern>,
    unless_sentence: Vec<Pattern>,
    unless_text: Vec<Pattern>,
}

impl RuleSet {
    fn parse(source: &str) -> Result<Self, RulesError> {
        let file: File =
            toml::from_str(source).map_err(|error| RulesError::Form(error.message().to_owned()))?;
        if file.v != 1 {
            return Err(RulesError::Form(format!("version {} is not known", file.v)));
        }
        let all = |patterns: &[String]| {
            patterns.iter().map(|text| Pattern::parse(text, &file.sets)).collect::<Result<Vec<_>, _>>()
        };
        let mut rules = Vec::new();
        for text in file.rule {
            let mut groups = Vec::new();
            for group in &text.group {
                groups.push(Group {
                    any: all(&group.any)?,
                    ignore: all(&group.ignore)?,
                    unless_sentence: all(&group.unless_sentence)?,
                    unless_text: all(&group.unless_text)?,
                });
            }
            rules.push(Compiled { text, groups });
        }
        let public =
            rules.iter().map(|rule| Rule { id: rule.text.id.clone(), title: rule.text.title.clone() });
        Ok(Self { public: public.collect(), rules })
    }
}

/// All content rules, in the order of the file. (Empty only if the compiled-in file can't be read, and then
/// [`content`] fails too.)
pub fn rules() -> &'static [Rule] {
    RULES.as_ref().map_or(&[], |rules| rules.public.as_slice())
}

/// SHA-256 of the rules file, so that a decision can say which rules it was made under.
pub fn digest() -> Digest {
    Digest::of(SOURCE.as_bytes())
}

/// What the rules meet in the words of a draft: its details and the name of its contact.
///
/// # Errors
/// [`RulesError`] when the compiled-in rules can't be read; then nothing may be submitted.
pub fn content(draft: &RequestDraft) -> Result<Vec<FieldProblem>, RulesError> {
    let rules = RULES.as_ref().map_err(RulesError::clone)?;
    let mut findings = Vec::new();
    for (field, source) in [("details", &draft.details), ("contact.name", &draft.contact.name)] {
        let text = Text::read(source);
        let mut found = Vec::new();
        for rule in rules.rules.iter().filter(|rule| !rule.text.except_incidents.contains(&draft.incident)) {
            let mut quotes = Vec::new();
            for group in &rule.groups {
                group.find(&text, &mut quotes);
            }
            quotes.truncate(MOST_FINDINGS);
            found.extend(quotes.into_iter().map(|quote| (rule, quote)));
        }
        if found.is_empty() {
            continue;
        }
        let places = text.places();
        findings.extend(found.into_iter().map(|(rule, Quote { words, mut hits })| {
            hits.sort_unstable_by_key(|hit| (hit.first, hit.end));
            hits.dedup();
            FieldProblem {
                field: field.into(),
                rule: rule.text.id.clone(),
                message: rule.text.message.clone(),
                remedy: rule.text.remedy.clone(),
                matched: Some(words),
                ranges: hits.into_iter().filter_map(|hit| places.of(hit)).collect(),
            }
        }));
    }
    Ok(findings)
}

impl Group {
    fn find(&self, text: &Text<'_>, quotes: &mut Vec<Quote>) {
        let hits: Vec<_> = self.any.iter().flat_map(|pattern| pattern.hits(text, text.all())).collect();
        if hits.is_empty() || self.unless_text.iter().any(|pattern| pattern.is_in(text, text.all())) {
            return;
        }
        // Marks on words and an answer kept for each sentence: a text of nothing but hits must not cost its square.
        let mut innocent = vec![false; text.all().end];
        for span in self.ignore.iter().flat_map(|pattern| pattern.hits(text, text.all())) {
            innocent.iter_mut().take(span.end).skip(span.first).for_each(|word| *word = true);
        }
        let mut excused = BTreeMap::new();
        for hit in hits {
            if innocent.iter().take(hit.end).skip(hit.first).any(|word| *word) {
                continue;
            }
            let sentence = text.sentence(hit);
            let excused = excused
                .entry(sentence.first)
                .or_insert_with(|| self.unless_sentence.iter().any(|pattern| pattern.is_in(text, sentence)));
            if *excused {
                continue;
            }
            let words = text.quote(hit);
            match quotes.iter_mut().find(|quote| quote.words == words) {
                Some(known) if known.hits.len() < MOST_PLACES => known.hits.push(hit),
                Some(_) => {}
                None => quotes.push(Quote { words, hits: vec![hit] }),
            }
        }
    }
}

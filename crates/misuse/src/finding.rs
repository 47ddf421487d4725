//! What is raised.

use std::collections::{BTreeMap, BTreeSet};

use canvass_types::{Digest, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Act, act::DAY};

/// Which pattern was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// The same target again, and no case explains it.
    Repeat,
    /// A vehicle that is registered to the member.
    Own,
    /// Many acts at hours at which the member never works.
    Hours,
    /// The same reason for matters that have nothing in common.
    Reasons,
    /// Searches that find far less than those of colleagues.
    Hits,
}

impl Rule {
    /// All rules.
    pub const ALL: [Self; 5] = [Self::Repeat, Self::Own, Self::Hours, Self::Reasons, Self::Hits];

    /// The rule as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Repeat => "repeat",
            Self::Own => "own",
            Self::Hours => "hours",
            Self::Reasons => "reasons",
            Self::Hits => "hits",
        }
    }
}

impl std::str::FromStr for Rule {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|rule| rule.as_str() == text);
        known.ok_or_else(|| "not a rule: write repeat, own, hours, reasons or hits".into())
    }
}

/// Why a finding was raised: a sentence by its name, and its numbers. No word of anybody is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Why {
    /// Name of the sentence: `repeat.no-case`, `repeat.across-cases`, `own.vehicle`, `hours.burst`, `reasons.copied`, `hits.low`.
    pub template: String,
    /// Its numbers by name; rates are in percent.
    pub numbers: BTreeMap<String, u64>,
}

impl Why {
    pub(crate) fn new(template: &str, numbers: &[(&str, u64)]) -> Self {
        let numbers = numbers.iter().map(|(name, number)| ((*name).to_owned(), *number)).collect();
        Self { template: template.into(), numbers }
    }
}

/// A pattern that somebody must look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Digest of rule, agency, member, subject and period: the same pattern has the same id whenever it is looked for.
    pub id: Digest,
    /// Which pattern.
    pub rule: Rule,
    /// Whose acts they are.
    pub member: String,
    /// Ids of the acts, oldest first; the newest [`Finding::MOST_ACTS`] if there are more.
    pub acts: Vec<String>,
    /// How strong the pattern is, 50 (just at the limit) to 99.
    pub score: u8,
    /// When the first of the acts was.
    pub first: Time,
    /// When the last of them was.
    pub last: Time,
    /// Why it was raised.
    pub why: Why,
}

impl Finding {
    /// Most acts that a finding names.
    pub const MOST_ACTS: usize = 200;
}

/// Number of the period in which a moment lies.
pub(crate) fn period_of(at: Time, period_days: u32) -> i64 {
    at.as_second().div_euclid(DAY * i64::from(period_days.max(1)))
}

/// How far a number is beyond its limit: 50 at the limit, nearing 100.
pub(crate) fn score(strength: f64, limit: f64) -> u8 {
    let share = if strength + limit > 0.0 { strength / (strength + limit) } else { 0.5 };
    // 0 to 99 by the clamp.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=99 before")]
    let whole = (share * 100.0).round().clamp(0.0, 99.0) as u8;
    whole
}

/// Makes a finding of acts; none without any.
pub(crate) fn make(
    rule: Rule,
    agency: &str,
    (subject, period): (&str, i64),
    acts: &[&Act],
    score: u8,
    why: Why,
) -> Option<Finding> {
    let mut sorted: Vec<&Act> = acts.to_vec();
    sorted.sort_by(|left, right| (left.at, &left.id).cmp(&(right.at, &right.id)));
    sorted.dedup_by(|left, right| left.id == right.id);
    let (first, last) = (sorted.first()?, sorted.last()?);
    let parts = (rule.as_str(), agency, &first.member, subject, period);
    // A tuple of texts and a number can always be written.
    let mut bytes = b"canvass/finding/v1\n".to_vec();
    bytes.extend(canvass_types::canonical(&parts).unwrap_or_default());
    let skipped = sorted.len().saturating_sub(Finding::MOST_ACTS);
    Some(Finding {
        id: Digest::of(&bytes),
        rule,
        member: first.member.clone(),
        acts: sorted.iter().skip(skipped).map(|act| act.id.clone()).collect(),
        score,
        first: first.at,
        last: last.at,
        why,
    })
}

/// Collects what one rule sees of one subject in one period, which grows with the window that moves over the history.
#[derive(Debug)]
pub(crate) struct Seen<'a> {
    pub acts: BTreeSet<usize>,
    pub score: u8,
    pub why: Why,
    pub from: &'a [&'a Act],
}

impl Seen<'_> {
    pub fn finding(&self, rule: Rule, agency: &str, subject: &str, period: i64) -> Option<Finding> {
        let acts: Vec<&Act> = self.acts.iter().filter_map(|at| self.from.get(*at).copied()).collect();
        make(rule, agency, (subject, period), &acts, self.score, self.why.clone())
    }
}

//! What is looked at: acts, and what is known around them.

use std::collections::{BTreeMap, BTreeSet};

use canvass_types::Time;

/// Seconds of a day.
pub(crate) const DAY: i64 = 86_400;

/// One act of a member. Member, target and case are opaque: they are only compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// Id of its record.
    pub id: String,
    /// When.
    pub at: Time,
    /// Minutes by which the agency's clocks were ahead of UTC at that moment (negative in the Americas).
    pub offset: i32,
    /// Who.
    pub member: String,
    /// What was done: `plate.search`.
    pub action: String,
    /// To what: a pseudonym of a plate, an id.
    pub target: String,
    /// For which case, if any was named.
    pub case: Option<String>,
    /// The reason, in the member's words.
    pub reason: Option<String>,
    /// How much was found, for searches.
    pub hits: Option<u32>,
}

impl Act {
    fn local(&self) -> i64 {
        self.at.as_second().saturating_add(i64::from(self.offset).saturating_mul(60))
    }

    /// The day on the agency's calendar, counted from 1970.
    pub(crate) fn day(&self) -> i64 {
        self.local().div_euclid(DAY)
    }

    /// The hour on the agency's clocks, 0 to 23.
    pub(crate) fn hour(&self) -> u32 {
        u32::try_from(self.local().rem_euclid(DAY) / 3_600).unwrap_or(0)
    }

    /// The named case, unless it is empty.
    pub(crate) fn case(&self) -> Option<&str> {
        self.case.as_deref().map(str::trim).filter(|case| !case.is_empty())
    }
}

/// What is known around the acts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// Registered vehicles of each member, as targets.
    pub vehicles: BTreeMap<String, BTreeSet<String>>,
    /// Who is known to work on a case. A case that is not here tells nothing of anybody.
    pub works: BTreeMap<String, BTreeSet<String>>,
}

impl Context {
    /// Whether the case is known, and the member has no part in it.
    pub(crate) fn is_borrowed(&self, member: &str, case: &str) -> bool {
        self.works.get(case).is_some_and(|members| !members.contains(member))
    }
}

/// The history of one agency.
#[derive(Debug, Clone, Copy)]
pub struct History<'a> {
    /// Whose history it is; part of the ids of findings.
    pub agency: &'a str,
    /// The acts, in any order.
    pub acts: &'a [Act],
    /// What is known around them.
    pub context: &'a Context,
    /// Up to when the history is whole.
    pub until: Time,
}

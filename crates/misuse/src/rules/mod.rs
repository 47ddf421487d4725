//! The five rules, and what they share: who did what to which target for which case.

mod cases;
mod hits;
mod hours;
mod own;
mod reasons;
mod repeat;

use crate::{Act, Finding, History, Params};

/// Looks through a history with all rules. Findings are sorted by id; the same history gives the same.
pub fn detect(params: &Params, history: &History<'_>) -> Vec<Finding> {
    let mut acts: Vec<&Act> = history.acts.iter().filter(|act| act.at <= history.until).collect();
    acts.sort_by(|left, right| (left.at, &left.id).cmp(&(right.at, &right.id)));
    acts.dedup_by(|left, right| left.id == right.id);
    let cases = cases::Cases::of(&acts);
    let mut findings = repeat::find(params, history, &acts, &cases);
    findings.extend(own::find(params, history, &acts));
    findings.extend(hours::find(params, history, &acts));
    findings.extend(reasons::find(params, history, &acts, &cases));
    findings.extend(hits::find(params, history, &acts));
    findings.sort_by_key(|finding| finding.id);
    findings
}

/// The acts that a rule looks at.
fn of_actions<'a>(acts: &[&'a Act], actions: &[String]) -> Vec<&'a Act> {
    acts.iter().copied().filter(|act| actions.contains(&act.action)).collect()
}

/// A length as a number of a finding.
fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// A length as a number to reckon with; nothing here comes near the limit.
fn real(length: usize) -> f64 {
    f64::from(u32::try_from(length).unwrap_or(u32::MAX))
}

//! The same target again by the same member, and no case explains it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{cases::Cases, count, of_actions, real};
use crate::{
    Act, Finding, History, Params, Rule, Why,
    act::DAY,
    finding::{Seen, period_of, score},
    params::RepeatParams,
};

/// Most acts of one member on one target within a window that are compared; more are more of the same.
const MOST: usize = 300;

pub(super) fn find<'a>(
    params: &Params,
    history: &History<'_>,
    acts: &[&'a Act],
    cases: &Cases<'a>,
) -> Vec<Finding> {
    let rule = &params.repeat;
    let mut groups: BTreeMap<(&str, &str), Vec<&Act>> = BTreeMap::new();
    let mut lookers: HashMap<&str, Vec<&Act>> = HashMap::new();
    for act in of_actions(acts, &rule.actions) {
        groups.entry((&act.member, &act.target)).or_default().push(act);
        lookers.entry(&act.target).or_default().push(act);
    }
    let mut findings = Vec::new();
    for ((member, target), group) in groups {
        if group.len() < rule.least as usize {
            continue;
        }
        let mut seen: BTreeMap<i64, Seen<'_>> = BTreeMap::new();
        for (last, act) in group.iter().enumerate() {
            let from = act.at.plus_seconds(-DAY * i64::from(params.window_days));
            let begin = group.partition_point(|each| each.at < from).max((last + 1).saturating_sub(MOST));
            let window: Vec<(usize, &Act)> =
                group.iter().copied().enumerate().skip(begin).take(last + 1 - begin).collect();
            let Some(pattern) = judge(rule, history, cases, (member, target), &window) else { continue };
            let others = lookers.get(target).map_or(&[][..], Vec::as_slice);
            if colleagues(others, member, from, act) >= rule.colleagues as usize {
                continue;
            }
            let period = period_of(act.at, params.period_days);
            let entry = seen.entry(period).or_insert_with(|| Seen {
                acts: BTreeSet::new(),
                score: 0,
                why: pattern.why.clone(),
                from: &group,
            });
            entry.acts.extend(pattern.acts);
            if pattern.score >= entry.score {
                (entry.score, entry.why) = (pattern.score, pattern.why);
            }
        }
        findings.extend(
            seen.iter()
                .filter_map(|(period, seen)| seen.finding(Rule::Repeat, history.agency, target, *period)),
        );
    }
    findings
}

/// Other members who looked at the target in the window, or up to the moment of the act.
fn colleagues(others: &[&Act], member: &str, from: canvass_types::Time, act: &Act) -> usize {
    let near = others.iter().filter(|each| each.at >= from && each.at <= act.at && each.member != member);
    near.map(|each| each.member.as_str()).collect::<HashSet<_>>().len()
}

struct Pattern {
    acts: Vec<usize>,
    score: u8,
    why: Why,
}

fn judge<'a>(
    rule: &RepeatParams,
    history: &History<'_>,
    cases: &Cases<'a>,
    (member, target): (&str, &str),
    window: &[(usize, &'a Act)],
) -> Option<Pattern> {
    let own_case = |act: &'a Act| act.case().filter(|case| !history.context.is_borrowed(member, case));
    let named: BTreeSet<&'a str> = window.iter().filter_map(|(_, act)| own_case(act)).collect();
    let groups = cases.components(&named, (member, target), rule.shared_targets);
    let cased: Vec<&Act> = window.iter().map(|(_, act)| *act).filter(|act| own_case(act).is_some()).collect();
    let grace = DAY * i64::from(rule.grace_days);
    let near_a_case =
        |act: &Act| cased.iter().any(|other| (other.at.as_second() - act.at.as_second()).abs() <= grace);
    let mut excused = rule.grace_acts as usize * groups.len();
    let mut loose: Vec<(usize, &Act)> = Vec::new();
    for (at, act) in window.iter().filter(|(_, act)| own_case(act).is_none()) {
        if excused > 0 && act.case().is_none() && near_a_case(act) {
            excused -= 1;
        } else {
            loose.push((*at, act));
        }
    }
    // One case, however often, is an investigation; two that have nothing in common are two reasons for one interest.
    let apart = if groups.len() >= 2 { groups.len() } else { 0 };
    let unexplained = loose.len() + apart;
    let counted: Vec<(usize, &Act)> = if apart > 0 {
        window.iter().filter(|(_, act)| act.case().is_some()).copied().chain(loose.iter().copied()).collect()
    } else {
        loose.clone()
    };
    let days: BTreeSet<i64> = counted.iter().map(|(_, act)| act.day()).collect();
    if unexplained < rule.least as usize || days.len() < rule.least_days as usize {
        return None;
    }
    let template = if apart > loose.len() { "repeat.across-cases" } else { "repeat.no-case" };
    let numbers = [
        ("acts", count(counted.len())),
        ("unexplained", count(loose.len())),
        ("cases", count(apart)),
        ("days", count(days.len())),
    ];
    Some(Pattern {
        acts: counted.into_iter().map(|(at, _)| at).collect(),
        score: score(real(unexplained), f64::from(rule.least)),
        why: Why::new(template, &numbers),
    })
}

//! The same reason for matters that have nothing in common.

use std::collections::{BTreeMap, BTreeSet};

use super::{cases::Cases, count, of_actions, real};
use crate::{
    Act, Finding, History, Params, Rule, Why,
    finding::{make, period_of, score},
    text::{forms, groups, own_share, shingles, words},
};

struct Said<'a> {
    act: &'a Act,
    shingles: BTreeSet<String>,
}

pub(super) fn find<'a>(
    params: &Params,
    history: &History<'_>,
    acts: &[&'a Act],
    cases: &Cases<'a>,
) -> Vec<Finding> {
    let rule = &params.reasons;
    let said: Vec<Said<'a>> = of_actions(acts, &rule.actions)
        .into_iter()
        .filter_map(|act| {
            let shingles = shingles(&words(act.reason.as_deref()?), rule.shingle as usize);
            (!shingles.is_empty()).then_some(Said { act, shingles })
        })
        .collect();
    let forms = forms(said.iter().map(|one| (one.act.member.as_str(), &one.shingles)), rule.template_share);
    let mut members: BTreeMap<(&str, i64), Vec<&Said<'a>>> = BTreeMap::new();
    for one in said.iter().filter(|one| own_share(&one.shingles, &forms) >= rule.own_share.max(1)) {
        let period = period_of(one.act.at, params.period_days);
        members.entry((&one.act.member, period)).or_default().push(one);
    }
    let mut findings = Vec::new();
    for ((member, period), said) in members {
        let texts: Vec<&BTreeSet<String>> = said.iter().map(|one| &one.shingles).collect();
        for group in groups(&texts, &forms, rule.similar) {
            let acts: Vec<&'a Act> = group.iter().filter_map(|at| said.get(*at)).map(|one| one.act).collect();
            let matters = matters(&acts, member, cases, params.repeat.shared_targets);
            if matters < rule.least as usize {
                continue;
            }
            let numbers = [("acts", count(acts.len())), ("matters", count(matters))];
            let why = Why::new("reasons.copied", &numbers);
            // Named by its oldest act: the words themselves stay with the records.
            let subject = acts.first().map_or("", |act| act.id.as_str());
            let strength = score(real(matters), f64::from(rule.least));
            findings.extend(make(Rule::Reasons, history.agency, (subject, period), &acts, strength, why));
        }
    }
    findings
}

/// How many matters that have nothing in common: groups of cases, and, without a case, targets.
fn matters<'a>(acts: &[&'a Act], member: &str, cases: &Cases<'a>, own: u32) -> usize {
    let named: BTreeSet<&str> = acts.iter().filter_map(|act| act.case()).collect();
    let covered: BTreeSet<&str> =
        acts.iter().filter(|act| act.case().is_some()).map(|act| act.target.as_str()).collect();
    let loose: BTreeSet<&str> = acts
        .iter()
        .filter(|act| act.case().is_none() && !covered.contains(act.target.as_str()))
        .map(|act| act.target.as_str())
        .collect();
    let distinct = named.len().min(covered.len());
    cases.components(&named, (member, ""), own).len().min(distinct) + loose.len()
}

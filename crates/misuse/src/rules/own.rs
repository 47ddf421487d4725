//! Vehicles that are registered to the member.

use std::collections::BTreeMap;

use super::{count, of_actions, real};
use crate::{
    Act, Finding, History, Params, Rule, Why,
    finding::{make, period_of, score},
};

pub(super) fn find(params: &Params, history: &History<'_>, acts: &[&Act]) -> Vec<Finding> {
    let mut seen: BTreeMap<(&str, &str, i64), Vec<&Act>> = BTreeMap::new();
    for act in of_actions(acts, &params.own.actions) {
        let registered = history.context.vehicles.get(&act.member);
        if registered.is_some_and(|vehicles| vehicles.contains(&act.target)) {
            let period = period_of(act.at, params.period_days);
            seen.entry((&act.member, &act.target, period)).or_default().push(act);
        }
    }
    let finding = |((_, target, period), acts): (&(&str, &str, i64), &Vec<&Act>)| {
        let why = Why::new("own.vehicle", &[("acts", count(acts.len()))]);
        make(Rule::Own, history.agency, (target, *period), acts, score(real(acts.len()), 1.0), why)
    };
    seen.iter().filter_map(finding).collect()
}

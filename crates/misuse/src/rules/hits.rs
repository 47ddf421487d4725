//! Searches that find far less than those of colleagues.

use std::collections::BTreeMap;

use super::{count, of_actions};
use crate::{
    Act, Finding, History, Params, Rule, Why,
    act::DAY,
    finding::{make, period_of, score},
    params::HitsParams,
    stats::{beta_binomial_lower, fit, holm},
    text::percent,
};
use canvass_types::Time;

/// Targets that a member searched for; one that was found at last counts as found, however often it took.
#[derive(Debug, Default, Clone)]
struct Counts<'a> {
    found: u32,
    all: u32,
    searches: usize,
    targets: BTreeMap<&'a str, bool>,
    acts: Vec<&'a Act>,
}

impl<'a> Counts<'a> {
    /// Whether the member looks for many different targets, or comes back to few.
    fn is_wide(&self, rule: &HitsParams) -> bool {
        percent(self.targets.len(), self.searches) >= rule.many_targets
    }

    fn add(&mut self, act: &'a Act) {
        let found = self.targets.entry(&act.target).or_default();
        *found |= act.hits.unwrap_or(0) > 0;
        self.searches += 1;
        self.acts.push(act);
    }

    fn count(&mut self) {
        self.all = u32::try_from(self.targets.len()).unwrap_or(u32::MAX);
        self.found = u32::try_from(self.targets.values().filter(|found| **found).count()).unwrap_or(u32::MAX);
    }

    /// The searches for what was never found.
    fn vain(&self) -> Vec<&'a Act> {
        let vain = |act: &&&Act| self.targets.get(act.target.as_str()) == Some(&false);
        self.acts.iter().filter(vain).copied().collect()
    }
}

struct Test<'a> {
    period: i64,
    action: &'a str,
    counts: Counts<'a>,
    rate: f64,
    peers: f64,
    chance: f64,
}

pub(super) fn find(params: &Params, history: &History<'_>, acts: &[&Act]) -> Vec<Finding> {
    let acts = of_actions(acts, &params.hits.actions);
    let acts: Vec<&Act> = acts.into_iter().filter(|act| act.hits.is_some()).collect();
    let Some(first) = acts.first() else { return Vec::new() };
    let length = DAY * i64::from(params.period_days);
    // Whole periods alone: one test each, not one each time that somebody looks.
    let periods = period_of(first.at, params.period_days)..period_of(history.until, params.period_days);
    let mut findings = Vec::new();
    for period in periods {
        let end = Time::from_second((period + 1).saturating_mul(length));
        let begin = end.plus_seconds(-DAY * i64::from(params.window_days));
        let from = acts.partition_point(|act| act.at < begin);
        let window: Vec<&Act> = acts.iter().copied().skip(from).take_while(|act| act.at < end).collect();
        let tests = tests(&params.hits, &window, period);
        let chances: Vec<f64> = tests.iter().map(|test| test.chance).collect();
        let alpha = f64::from(params.hits.alpha_basis_points) / 10_000.0;
        let most = f64::from(params.hits.most_ratio) / 100.0;
        let holds = holm(&chances, alpha);
        let low = tests.iter().zip(holds).filter(|(test, holds)| *holds && test.rate <= most * test.peers);
        findings.extend(low.filter_map(|(test, _)| raise(history, test, alpha)));
    }
    findings
}

fn tests<'a>(rule: &HitsParams, window: &[&'a Act], period: i64) -> Vec<Test<'a>> {
    let mut actions: BTreeMap<&str, BTreeMap<&str, Counts<'a>>> = BTreeMap::new();
    for act in window {
        actions.entry(&act.action).or_default().entry(&act.member).or_default().add(act);
    }
    actions.values_mut().flat_map(BTreeMap::values_mut).for_each(Counts::count);
    let mut tests = Vec::new();
    for (action, members) in actions {
        for (member, counts) in members.iter().filter(|(_, counts)| counts.all >= rule.least) {
            let peers: Vec<(u32, u32)> = members
                .iter()
                .filter(|(other, peer)| {
                    *other != member
                        && peer.all >= rule.peer_least
                        && peer.is_wide(rule) == counts.is_wide(rule)
                })
                .map(|(_, counts)| (counts.found, counts.all))
                .collect();
            if peers.len() < rule.peers as usize {
                continue;
            }
            let Some((a, b)) = fit(&peers, f64::from(rule.dispersion_floor) / 1_000.0) else { continue };
            let chance = beta_binomial_lower(counts.found, counts.all, a, b);
            let rate = f64::from(counts.found) / f64::from(counts.all);
            tests.push(Test { period, action, counts: counts.clone(), rate, peers: a / (a + b), chance });
        }
    }
    tests
}

fn raise(history: &History<'_>, test: &Test<'_>, alpha: f64) -> Option<Finding> {
    let whole = |rate: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate is between 0 and 1"
        )]
        let percent = (rate.clamp(0.0, 1.0) * 100.0).round() as u64;
        percent
    };
    let numbers = [
        ("searches", count(test.counts.searches)),
        ("targets", u64::from(test.counts.all)),
        ("found", u64::from(test.counts.found)),
        ("rate", whole(test.rate)),
        ("peers", whole(test.peers)),
    ];
    let why = Why::new("hits.low", &numbers);
    // Decimal places of the chance, over those of the limit.
    let strength = score(-test.chance.max(1e-300).log10(), -alpha.log10());
    make(Rule::Hits, history.agency, (test.action, test.period), &test.counts.vain(), strength, why)
}

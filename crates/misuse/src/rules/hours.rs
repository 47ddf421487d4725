//! Many acts in one session at hours at which the member never works.

use std::collections::{BTreeMap, HashMap};

use super::{count, of_actions, real};
use crate::{
    Act, Finding, History, Params, Rule, Why,
    act::DAY,
    finding::{make, period_of, score},
    params::HoursParams,
    stats::modified_z,
    text::percent,
};

/// Which hours somebody was active in, by day: one bit for each hour.
type Days = BTreeMap<i64, u32>;

pub(super) fn find(params: &Params, history: &History<'_>, acts: &[&Act]) -> Vec<Finding> {
    let rule = &params.hours;
    let acts = of_actions(acts, &rule.actions);
    let mut members: BTreeMap<&str, Vec<&Act>> = BTreeMap::new();
    let mut by_case: HashMap<&str, Vec<&Act>> = HashMap::new();
    for act in acts {
        members.entry(&act.member).or_default().push(act);
        if let Some(case) = act.case() {
            by_case.entry(case).or_default().push(act);
        }
    }
    let days: BTreeMap<&str, Days> = members.iter().map(|(member, acts)| (*member, active(acts))).collect();
    let settled = history.until.plus_seconds(-DAY * i64::from(rule.settle_days));
    let mut findings = Vec::new();
    for (member, acts) in &members {
        let usual = Usual { rule, window: i64::from(params.window_days), own: days.get(member), all: &days };
        let sessions = sessions(acts, rule.gap_minutes);
        let odd: Vec<Vec<&Act>> = sessions.iter().map(|session| usual.odd(session)).collect();
        let sizes: Vec<f64> = odd.iter().map(|odd| real(odd.len())).collect();
        for (index, odd) in odd.iter().enumerate() {
            let alone: Vec<&Act> = odd.iter().copied().filter(|act| !together(act, &by_case, rule)).collect();
            let Some(first) = alone.first().filter(|first| first.at <= settled) else { continue };
            let others: Vec<f64> =
                sizes.iter().enumerate().filter(|(at, _)| *at != index).map(|(_, size)| *size).collect();
            let z = modified_z(real(alone.len()), &others);
            let limit = f64::from(rule.score_tenths) / 10.0;
            if alone.len() < rule.least as usize || z < limit || is_one_case(history, member, &alone) {
                continue;
            }
            let numbers = [
                ("acts", count(alone.len())),
                ("hour", u64::from(first.hour())),
                ("days", count(days.get(member).map_or(0, BTreeMap::len))),
            ];
            let why = Why::new("hours.burst", &numbers);
            // One finding for each night, not for each period: bursts are judged one by one.
            let subject = first.day().to_string();
            let period = period_of(first.at, params.period_days);
            findings.extend(make(
                Rule::Hours,
                history.agency,
                (&subject, period),
                &alone,
                score(z, limit),
                why,
            ));
        }
    }
    findings
}

fn active(acts: &[&Act]) -> Days {
    let mut days = Days::new();
    for act in acts {
        *days.entry(act.day()).or_default() |= 1 << act.hour();
    }
    days
}

/// Acts with no longer gap than this between them.
fn sessions<'a>(acts: &[&'a Act], gap_minutes: u32) -> Vec<Vec<&'a Act>> {
    let mut sessions: Vec<Vec<&Act>> = Vec::new();
    for act in acts {
        let near = |last: &Vec<&Act>| {
            last.last().is_some_and(|before| {
                act.at.as_second() - before.at.as_second() <= i64::from(gap_minutes) * 60
            })
        };
        match sessions.last_mut().filter(|last| near(last)) {
            Some(last) => last.push(act),
            None => sessions.push(vec![act]),
        }
    }
    sessions
}

/// Whether all is for one case in which the member has a known part: one detective, called out alone.
fn is_one_case(history: &History<'_>, member: &str, acts: &[&Act]) -> bool {
    let Some(case) = acts.first().and_then(|act| act.case()) else { return false };
    let known = history.context.works.get(case).is_some_and(|who| who.contains(member));
    known && acts.iter().all(|act| act.case() == Some(case))
}

/// Whether a colleague acts on the same case at about the same time.
fn together(act: &Act, by_case: &HashMap<&str, Vec<&Act>>, rule: &HoursParams) -> bool {
    let Some(others) = act.case().and_then(|case| by_case.get(case)) else { return false };
    let reach = i64::from(rule.together_hours) * 3_600;
    let begin = others.partition_point(|other| other.at < act.at.plus_seconds(-reach));
    let near = others.iter().skip(begin).take_while(|other| other.at <= act.at.plus_seconds(reach));
    near.into_iter().any(|other| other.member != act.member)
}

/// Which hours are usual to a member around a day.
struct Usual<'a> {
    rule: &'a HoursParams,
    window: i64,
    own: Option<&'a Days>,
    all: &'a BTreeMap<&'a str, Days>,
}

impl Usual<'_> {
    /// Acts of a session at hours that are not usual, seen from the other days.
    fn odd<'a>(&self, session: &[&'a Act]) -> Vec<&'a Act> {
        let (Some(first), Some(last)) = (session.first(), session.last()) else { return Vec::new() };
        let (first, last) = (first.day(), last.day());
        let mut known: HashMap<u32, bool> = HashMap::new();
        let mut is_usual = |hour: u32| *known.entry(hour).or_insert_with(|| self.is_usual(hour, first, last));
        session.iter().copied().filter(|act| !is_usual(act.hour())).collect()
    }

    fn is_usual(&self, hour: u32, first: i64, last: i64) -> bool {
        let around =
            [(hour + 23) % 24, hour, (hour + 1) % 24].iter().fold(0_u32, |mask, hour| mask | 1 << hour);
        let (active, days) = self.counted(self.own, around, (first, last), self.window);
        let (near, _) = self.counted(self.own, around, (first, last), i64::from(self.rule.near_days));
        if near >= self.rule.usual_near as usize {
            return true;
        }
        if days >= self.rule.baseline_days as usize {
            return percent(active, days) >= self.rule.usual_share;
        }
        let each = self.all.values().map(|days| self.counted(Some(days), around, (first, last), self.window));
        let (active, days) = each.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        percent(active, days) >= self.rule.usual_share
    }

    /// Days on which somebody was active in these hours, and on which they were active at all, without those of the session.
    fn counted(
        &self,
        days: Option<&Days>,
        hours: u32,
        (first, last): (i64, i64),
        reach: i64,
    ) -> (usize, usize) {
        let Some(days) = days else { return (0, 0) };
        let other = days.range(first - reach..=last + reach).filter(|(day, _)| !(first..=last).contains(day));
        other.fold((0, 0), |(active, all), (_, mask)| (active + usize::from(mask & hours != 0), all + 1))
    }
}

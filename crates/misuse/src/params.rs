//! The numbers of the rules: `policies/misuse.toml`, read and checked.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Why the file can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParamsError {
    /// It is no TOML of this form: a key is missing, unknown or of another type.
    #[error("misuse.toml: {0}; compare it with the one that ships with Canvass")]
    Form(String),
    /// A number is out of its range.
    #[error("misuse.toml: {field} is {value}; give {least} to {most}")]
    Range {
        /// Section and key.
        field: &'static str,
        /// What it says.
        value: u64,
        /// Least.
        least: u64,
        /// Most.
        most: u64,
    },
    /// A rule has no actions: it would be off, and there is no switch.
    #[error(
        "misuse.toml: {0}.actions is empty or repeats; a rule can't be turned off, name its actions once each"
    )]
    Actions(&'static str),
}

/// All numbers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    v: u32,
    /// Days that a pattern may reach back.
    pub window_days: u32,
    /// Days that one finding stands for.
    pub period_days: u32,
    /// The same target again.
    pub repeat: RepeatParams,
    /// Own vehicles.
    pub own: OwnParams,
    /// Off hours.
    pub hours: HoursParams,
    /// Copied reasons.
    pub reasons: ReasonsParams,
    /// Searches that find nothing.
    pub hits: HitsParams,
    /// IANA zone of each state, by ISO 3166-2 code.
    pub zones: BTreeMap<String, String>,
}

/// Numbers of the rule of repeated targets.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepeatParams {
    /// Actions that it looks at.
    pub actions: Vec<String>,
    /// Unexplained acts from which on it raises.
    pub least: u32,
    /// On so many days at least.
    pub least_days: u32,
    /// Other members who looked at the target, from which on it is nobody's private interest.
    pub colleagues: u32,
    /// Acts without a case that each case excuses.
    pub grace_acts: u32,
    /// Days around a case in which it excuses them.
    pub grace_days: u32,
    /// Other targets of the member alone that join two cases.
    pub shared_targets: u32,
}

/// Numbers of the rule of own vehicles.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnParams {
    /// Actions that it looks at.
    pub actions: Vec<String>,
}

/// Numbers of the rule of off hours.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoursParams {
    /// Actions that it looks at.
    pub actions: Vec<String>,
    /// Longest gap within a session, minutes.
    pub gap_minutes: u32,
    /// Acts at odd hours from which on it raises.
    pub least: u32,
    /// Percent of other days that make an hour usual.
    pub usual_share: u32,
    /// Other days nearby that make an hour usual.
    pub usual_near: u32,
    /// How near they are.
    pub near_days: u32,
    /// Active days from which on a member's own hours count.
    pub baseline_days: u32,
    /// Days until a session is judged.
    pub settle_days: u32,
    /// Least modified z-score, tenths.
    pub score_tenths: u32,
    /// Hours within which a colleague on the same case excuses an act.
    pub together_hours: u32,
}

/// Numbers of the rule of copied reasons.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReasonsParams {
    /// Actions that it looks at.
    pub actions: Vec<String>,
    /// Words in a shingle.
    pub shingle: u32,
    /// Least Jaccard index, percent.
    pub similar: u32,
    /// Unrelated matters from which on it raises.
    pub least: u32,
    /// Share of members that makes words a form of the agency, percent.
    pub template_share: u32,
    /// Share of a reason that must be the member's own, percent.
    pub own_share: u32,
}

/// Numbers of the rule of hit rates.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HitsParams {
    /// Actions that it looks at.
    pub actions: Vec<String>,
    /// Targets from which on a member is compared.
    pub least: u32,
    /// Colleagues that it takes.
    pub peers: u32,
    /// Targets from which on a colleague counts.
    pub peer_least: u32,
    /// Different targets in 100 searches that part the members who look for many from those who come back to few.
    pub many_targets: u32,
    /// Chance of a false finding in an agency and period, hundredths of a percent.
    pub alpha_basis_points: u32,
    /// Highest rate, percent of the peers'.
    pub most_ratio: u32,
    /// Least correlation within a member, thousandths.
    pub dispersion_floor: u32,
}

impl Params {
    /// Reads and checks the file.
    ///
    /// # Errors
    /// [`ParamsError`]: the first thing that is wrong.
    pub fn read(text: &str) -> Result<Self, ParamsError> {
        let params: Self = toml::from_str(text).map_err(|error| {
            let line = error
                .span()
                .map(|span| text.get(..span.start).map_or(1, |before| before.lines().count().max(1)));
            let place = line.map(|line| format!("line {line}: ")).unwrap_or_default();
            ParamsError::Form(format!("{place}{}", error.message()))
        })?;
        params.check()?;
        Ok(params)
    }

    /// The file that ships with Canvass.
    ///
    /// # Errors
    /// As [`Params::read`]; a test keeps it from happening.
    pub fn shipped() -> Result<Self, ParamsError> {
        Self::read(include_str!("../../../policies/misuse.toml"))
    }

    /// Names of all actions that some rule looks at, sorted.
    pub fn actions(&self) -> Vec<&str> {
        let mut all: Vec<&str> =
            self.lists().iter().flat_map(|(_, list)| list.iter().map(String::as_str)).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    fn lists(&self) -> [(&'static str, &Vec<String>); 5] {
        [
            ("repeat", &self.repeat.actions),
            ("own", &self.own.actions),
            ("hours", &self.hours.actions),
            ("reasons", &self.reasons.actions),
            ("hits", &self.hits.actions),
        ]
    }

    fn check(&self) -> Result<(), ParamsError> {
        for (name, list) in self.lists() {
            let mut sorted = list.clone();
            sorted.sort_unstable();
            sorted.dedup();
            if list.is_empty() || sorted.len() != list.len() {
                return Err(ParamsError::Actions(name));
            }
        }
        let (repeat, hours, reasons, hits) = (&self.repeat, &self.hours, &self.reasons, &self.hits);
        let ranges: [(&'static str, u32, u32, u32); 26] = [
            ("v", self.v, 1, 1),
            ("window_days", self.window_days, 14, 365),
            ("period_days", self.period_days, 7, 90),
            ("repeat.least", repeat.least, 2, 20),
            ("repeat.least_days", repeat.least_days, 1, 30),
            ("repeat.colleagues", repeat.colleagues, 1, 20),
            ("repeat.grace_acts", repeat.grace_acts, 0, 10),
            ("repeat.grace_days", repeat.grace_days, 0, 30),
            ("repeat.shared_targets", repeat.shared_targets, 1, 20),
            ("hours.gap_minutes", hours.gap_minutes, 10, 480),
            ("hours.least", hours.least, 3, 100),
            ("hours.usual_share", hours.usual_share, 1, 50),
            ("hours.usual_near", hours.usual_near, 1, 14),
            ("hours.near_days", hours.near_days, 1, 30),
            ("hours.baseline_days", hours.baseline_days, 5, 60),
            ("hours.settle_days", hours.settle_days, 0, 30),
            ("hours.score_tenths", hours.score_tenths, 20, 100),
            ("hours.together_hours", hours.together_hours, 0, 72),
            ("reasons.shingle", reasons.shingle, 1, 6),
            ("reasons.similar", reasons.similar, 50, 100),
            ("reasons.least", reasons.least, 3, 50),
            ("reasons.template_share", reasons.template_share, 5, 100),
            ("reasons.own_share", reasons.own_share, 0, 90),
            ("hits.least", hits.least, 10, 1_000),
            ("hits.peers", hits.peers, 3, 100),
            ("hits.peer_least", hits.peer_least, 1, 1_000),
        ];
        let more = [
            ("hits.many_targets", hits.many_targets, 1, 100),
            ("hits.alpha_basis_points", hits.alpha_basis_points, 1, 1_000),
            ("hits.most_ratio", hits.most_ratio, 10, 90),
            ("hits.dispersion_floor", hits.dispersion_floor, 0, 500),
        ];
        for (field, value, least, most) in ranges.into_iter().chain(more) {
            if !(least..=most).contains(&value) {
                let (value, least, most) = (value.into(), least.into(), most.into());
                return Err(ParamsError::Range { field, value, least, most });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &str = include_str!("../../../policies/misuse.toml");

    #[test]
    fn the_shipped_file_is_sound() {
        let params = Params::shipped().unwrap();
        assert!(params.actions().contains(&"offer.open") && params.actions().contains(&"audit.read"));
    }

    #[test]
    fn a_rule_can_be_neither_left_out_nor_turned_off() {
        let without = SHIPPED.replacen("[own]", "[owned]", 1);
        assert!(matches!(Params::read(&without), Err(ParamsError::Form(_))));
        let off = SHIPPED.replacen("[hours]", "[hours]\nenabled = false", 1);
        let error = Params::read(&off).unwrap_err().to_string();
        assert!(error.contains("enabled") && error.contains("line"), "{error}");
        let start = SHIPPED.find("[own]\nactions = [").unwrap();
        let end = start + SHIPPED[start..].find(']').unwrap() + 1;
        let end = end + SHIPPED[end..].find(']').unwrap() + 1;
        let none = format!("{}[own]\nactions = []{}", &SHIPPED[..start], &SHIPPED[end..]);
        assert_eq!(Params::read(&none), Err(ParamsError::Actions("own")));
    }

    #[test]
    fn a_number_that_would_blind_a_rule_is_refused() {
        for (from, field) in [
            ("least = 3\n", "repeat.least"),
            ("similar = 55", "reasons.similar"),
            ("most_ratio = 45", "hits.most_ratio"),
        ] {
            let key = from.split(' ').next().unwrap();
            let error = Params::read(&SHIPPED.replacen(from, &format!("{key} = 5000\n"), 1)).unwrap_err();
            assert!(error.to_string().contains(field), "{error}");
        }
    }
}

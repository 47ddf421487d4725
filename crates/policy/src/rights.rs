//! Rights as a whole: the reviewed matrix of everyone's rights, and whose rights a change alters.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Write as _},
};

use canvass_types::{AgencyClass, Role};
use serde::{Deserialize, Serialize};

use crate::{
    decide::{Decision, PolicySet, Reads},
    group::{Cell, GroupedRow, group},
    profile::DEFAULT,
    question::{Facts, Method, Party, Question, Subject},
    rule::Need,
    sharing::{SharingFacts, SharingScope},
};

/// The classes of agencies, in the order in which they are written.
const CLASSES: [AgencyClass; 7] = [
    AgencyClass::Municipal,
    AgencyClass::County,
    AgencyClass::State,
    AgencyClass::Federal,
    AgencyClass::Campus,
    AgencyClass::Tribal,
    AgencyClass::Other,
];

/// Whose the target is, seen from who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// The asking agency's own.
    Own,
    /// Another agency's, which shares it by this agency's name.
    Named,
    /// Another agency's of the same state, which shares it with all.
    InState,
    /// An agency's of another state, which shares it with all.
    OutOfState,
    /// Another agency's, which does not share it.
    Unshared,
}

impl Relation {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Own, Self::Named, Self::InState, Self::OutOfState, Self::Unshared];

    /// The word in the matrix.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Named => "named",
            Self::InState => "in-state",
            Self::OutOfState => "out-of-state",
            Self::Unshared => "unshared",
        }
    }
}

/// What a decision comes to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Refused for good.
    Refused,
    /// Refused until these are supplied.
    Needs(Vec<Need>),
    /// Allowed.
    Allowed,
}

impl Outcome {
    fn rank(&self) -> u8 {
        match self {
            Self::Refused => 0,
            Self::Needs(_) => 1,
            Self::Allowed => 2,
        }
    }
}

impl From<Decision> for Outcome {
    fn from(decision: Decision) -> Self {
        match (decision.allowed, decision.needs.is_empty()) {
            (true, _) => Self::Allowed,
            (false, true) => Self::Refused,
            (false, false) => Self::Needs(decision.needs),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("no"),
            Self::Allowed => f.write_str("yes"),
            Self::Needs(needs) => {
                let words: Vec<&str> = needs.iter().map(|need| need.as_str()).collect();
                write!(f, "with {}", words.join("+"))
            }
        }
    }
}

/// Whose right changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Who {
    /// Everyone with a role, in agencies of a class; without a class for roles outside agencies.
    Everyone {
        /// The role.
        role: Role,
        /// The class of agency.
        class: Option<AgencyClass>,
    },
    /// One member.
    Member {
        /// Their id.
        id: String,
    },
}

/// One right that a change of policy alters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RightChange {
    /// Whose.
    pub who: Who,
    /// To do what.
    pub action: String,
    /// For which purpose; none where no rule asks.
    pub purpose: Option<String>,
    /// Under which profile of law.
    pub profile: String,
    /// To whose data.
    pub relation: Relation,
    /// How wide a search, when the change only shows there: `felony, 60 days`.
    pub scope: Option<String>,
    /// What it comes to before.
    pub from: Outcome,
    /// What it comes to after.
    pub to: Outcome,
}

impl RightChange {
    /// Whether more becomes possible.
    pub fn gained(&self) -> bool {
        self.to.rank() > self.from.rank()
    }

    /// Whether less becomes possible.
    pub fn lost(&self) -> bool {
        self.to.rank() < self.from.rank()
    }
}

/// One point at which rights are looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Probe {
    role: Role,
    class: Option<AgencyClass>,
    action: String,
    purpose: Option<String>,
    profile: String,
}

fn home(set: &PolicySet, profile: &str) -> String {
    let first = set.profile(profile).and_then(|profile| profile.subdivisions.first().cloned());
    first.unwrap_or_else(|| "US-TX".to_owned())
}

/// The plain case of an action and purpose: a felony where an offence is asked for, an open case, seven days of ten cameras.
fn plain_facts(set: &PolicySet, action: &str, purpose: Option<&str>) -> Facts {
    let class = purpose.and_then(|id| set.purposes().classes().iter().find(|class| class.id == id));
    let test = purpose == Some("test");
    Facts {
        purpose: purpose.unwrap_or("none").to_owned(),
        offence: if class.is_some_and(|class| class.offence) { "felony" } else { "none" }.to_owned(),
        case_open: true,
        others_proposal: true,
        warrant: class.is_some_and(|class| class.warrant),
        cameras: 10,
        days: if test { 1 } else { 7 },
        agencies: 1,
        basis: if class.is_some_and(|class| class.warrant) { "judicial" } else { "agency" }.to_owned(),
        method: if action.starts_with("footage") { Method::Vehicle } else { Method::Plate },
        ..Facts::default()
    }
}

fn question(
    set: &PolicySet,
    subject: Subject,
    action: &str,
    facts: Facts,
    profile: &str,
    relation: Relation,
) -> Question {
    let at_home = home(set, profile);
    let owner = match (&subject.agency, relation) {
        (Some(party), Relation::Own) => party.clone(),
        _ => Party::new("theirs", AgencyClass::Municipal, at_home, profile),
    };
    let mut facts = facts;
    let scope = match relation {
        Relation::Named => Some(SharingScope::Named),
        Relation::InState | Relation::OutOfState => Some(SharingScope::All),
        Relation::Own | Relation::Unshared => None,
    };
    facts.sharing = scope.map(|scope| SharingFacts {
        scope,
        named: scope == SharingScope::Named,
        accepted: true,
        from: 0,
        until: i64::MAX,
        distance_km: None,
        within_km: 0,
    });
    Question { subject, action: action.to_owned(), owner: Some(owner), facts }
}

fn someone(set: &PolicySet, probe: &Probe, relation: Relation) -> Subject {
    let (subdivision, profile) = match relation {
        Relation::OutOfState => ("US-ZZ".to_owned(), DEFAULT),
        _ => (home(set, &probe.profile), probe.profile.as_str()),
    };
    let agency = probe.class.map(|class| Party::new("ours", class, subdivision, profile));
    Subject { id: "someone".into(), roles: vec![probe.role], agency }
}

fn relations(set: &PolicySet, profile: &str, action: &str, in_agency: bool) -> &'static [Relation] {
    let shares = set.rules_of(profile, action).is_some_and(|rules| rules.reads.sharing);
    match (in_agency, shares) {
        (true, true) => &Relation::ALL,
        (true, false) => &[Relation::Own, Relation::Unshared],
        (false, _) => &[Relation::Unshared],
    }
}

fn purposes(set: &PolicySet, reads: Reads) -> Vec<Option<String>> {
    if !reads.purpose {
        return vec![None];
    }
    set.purposes().classes().iter().map(|class| Some(class.id.clone())).collect()
}

fn role_classes() -> impl Iterator<Item = (Role, Option<AgencyClass>)> {
    Role::ALL.into_iter().flat_map(|role| {
        let classes: Vec<Option<AgencyClass>> =
            if role.of_agency() { CLASSES.map(Some).to_vec() } else { vec![None] };
        classes.into_iter().map(move |class| (role, class))
    })
}

fn probes(set: &PolicySet, bears: impl Fn(&str, &str) -> bool) -> Vec<Probe> {
    let mut probes = Vec::new();
    for profile in set.profiles() {
        for (action, _) in set.table().rows().filter(|(action, _)| bears(&profile.id, action)) {
            let reads = set.rules_of(&profile.id, action).map(|rules| rules.reads).unwrap_or_default();
            for purpose in purposes(set, reads) {
                probes.extend(role_classes().map(|(role, class)| Probe {
                    role,
                    class,
                    action: action.to_owned(),
                    purpose: purpose.clone(),
                    profile: profile.id.clone(),
                }));
            }
        }
    }
    probes
}

fn outcome(set: &PolicySet, probe: &Probe, relation: Relation, facts: Facts) -> Outcome {
    let subject = someone(set, probe, relation);
    set.decide(&question(set, subject, &probe.action, facts, &probe.profile, relation)).into()
}

const ALL_CLASSES: usize = 2;

/// The matrix of rights: role × class × action × purpose × profile, equal rows as one. What stands in no row is refused.
pub fn matrix(set: &PolicySet) -> String {
    let mut cells = Vec::new();
    let mut words: [BTreeSet<String>; 5] = Default::default();
    for probe in probes(set, |_, _| true) {
        let facts = plain_facts(set, &probe.action, probe.purpose.as_deref());
        let mut answers: BTreeMap<(u8, String), Vec<&str>> = BTreeMap::new();
        for relation in relations(set, &probe.profile, &probe.action, probe.class.is_some()) {
            let outcome = outcome(set, &probe, *relation, facts.clone());
            let word = if probe.class.is_some() { relation.as_str() } else { "any" };
            if outcome != Outcome::Refused {
                answers.entry((2 - outcome.rank(), outcome.to_string())).or_default().push(word);
            }
        }
        let says: Vec<String> = answers
            .into_iter()
            .map(|((_, outcome), whose)| format!("{}: {outcome}", whose.join(" ")))
            .collect();
        let at = vec![
            probe.action,
            probe.role.as_str().to_owned(),
            probe.class.map_or("-", AgencyClass::as_str).to_owned(),
            probe.purpose.unwrap_or_else(|| "-".to_owned()),
            probe.profile,
        ];
        for (known, word) in words.iter_mut().zip(&at) {
            known.insert(word.clone());
        }
        cells.push(Cell { at, says: says.join("; ") });
    }
    if let Some(classes) = words.get_mut(ALL_CLASSES) {
        classes.remove("-");
    }
    let rows = group(cells.into_iter().filter(|cell| !cell.says.is_empty()), &[4, 2, 3, 1, 0]);
    let order = orders(set);
    let mut text = String::from(
        "# Everyone's rights, generated from the policies: UPDATE=1 cargo test -p canvass-policy. A test compares it.\n\
         # actions | roles | classes of agency | purposes | profiles | what may be reached: how\n\
         # own: their own agency's. named: another's, shared by name. in-state, out-of-state: another's, shared with all. any: anyone's.\n\
         # The plain case: a felony where an offence is asked for, an open case, the warrant where one is asked for, seven days of ten\n\
         # cameras, no approval yet. `-`: no rule asks. What stands in no row is refused.\n",
    );
    for row in rows {
        let columns = row.at.iter().zip(&order).zip(&words);
        let columns: Vec<String> = columns.map(|((set, order), all)| listed(set, order, all)).collect();
        // Writing to a string can't fail.
        let _ = writeln!(text, "{} | {}", columns.join(" | "), row.says);
    }
    text
}

fn orders(set: &PolicySet) -> [Vec<String>; 5] {
    [
        set.table().rows().map(|(action, _)| action.to_owned()).collect(),
        Role::ALL.map(|role| role.as_str().to_owned()).to_vec(),
        CLASSES.map(|class| class.as_str().to_owned()).to_vec(),
        set.purposes().classes().iter().map(|class| class.id.clone()).collect(),
        set.profiles().into_iter().map(|profile| profile.id.clone()).collect(),
    ]
}

/// A set in its own order; `all`, or `all but` the few that are left out.
fn listed(words: &BTreeSet<String>, order: &[String], all: &BTreeSet<String>) -> String {
    let place = |word: &&String| order.iter().position(|one| one == *word);
    let mut sorted: Vec<&String> = words.iter().collect();
    sorted.sort_by_key(place);
    let left: Vec<&str> = order
        .iter()
        .filter(|word| all.contains(*word) && !words.contains(*word))
        .map(String::as_str)
        .collect();
    let whole = order.iter().filter(|word| all.contains(*word)).count();
    if words.contains("-") || words.len() <= 2 || left.len() * 2 >= whole {
        return sorted.iter().map(|word| word.as_str()).collect::<Vec<_>>().join(" ");
    }
    if left.is_empty() { "all".to_owned() } else { format!("all but {}", left.join(" ")) }
}

/// Scopes at which a cap or a need may lie.
const LADDERS: [(&str, &[u32]); 3] = [
    ("days", &[0, 1, 2, 7, 8, 10, 14, 15, 21, 22, 30, 31, 45, 60, 61, 90, 91, 180, 365, 730]),
    ("cameras", &[1, 10, 20, 21, 50, 51, 100, 101, 200, 201, 500, 501, 1_000, 10_000]),
    ("agencies", &[1, 2, 3, 5, 6, 10, 11, 20, 21, 50, 51, 100, 1_000]),
];

/// Whose rights change when `new` takes the place of `old`: everyone's by role and class, and those of the members given.
///
/// Rights are looked at in the plain case (as in the matrix) and, where rules read the scope, along ladders of days, cameras
/// and agencies for each offence class, with and without an approval and a warrant. On the ladders, roles and classes whose
/// plain case comes to the same are looked at once, unless a rule that changes asks who acts. A policy that changes nothing
/// but its words changes nobody's rights.
pub fn dry_run(old: &PolicySet, new: &PolicySet, members: &[Subject]) -> Vec<RightChange> {
    let mut changes = Vec::new();
    let differs = |profile: &str, action: &str| differ(old, new, profile, action);
    let mut seen = BTreeSet::new();
    let mut alike: BTreeMap<Alike, Vec<Probe>> = BTreeMap::new();
    for (at, set) in [new, old].into_iter().enumerate() {
        for probe in probes(set, differs).into_iter().filter(|probe| seen.insert(probe.clone())) {
            let facts = plain_facts(set, &probe.action, probe.purpose.as_deref());
            for relation in relations(set, &probe.profile, &probe.action, probe.class.is_some()) {
                changes.extend(change(old, new, &probe, *relation, &facts, None));
            }
            if reads_scope(set, &probe) {
                let plain = [old, new].map(|set| outcome(set, &probe, Relation::Own, facts.clone()));
                let who = differ_by_who(old, new, &probe).then_some((probe.role, probe.class));
                let key =
                    (at, probe.action.clone(), probe.purpose.clone(), probe.profile.clone(), plain, who);
                alike.entry(key).or_default().push(probe);
            }
        }
    }
    for ((at, _, _, _, plain, _), probes) in alike {
        if plain.iter().any(|outcome| *outcome != Outcome::Refused) {
            changes.extend(scope_changes(old, new, if at == 0 { new } else { old }, &probes));
        }
    }
    for member in members {
        changes.extend(member_changes(old, new, member));
    }
    changes
}

/// What must be equal for probes to be looked at once: which set knows them, action, purpose, profile, plain outcomes
/// before and after, and who acts, if that matters.
type Alike = (usize, String, Option<String>, String, [Outcome; 2], Option<(Role, Option<AgencyClass>)>);

fn reads_scope(set: &PolicySet, probe: &Probe) -> bool {
    let reads = set.rules_of(&probe.profile, &probe.action).is_some_and(|rules| rules.reads.scope);
    reads && probe.class.is_some() && matches!(probe.purpose.as_deref(), Some("crime" | "missing"))
}

fn differ_by_who(old: &PolicySet, new: &PolicySet, probe: &Probe) -> bool {
    let (profile, action) = (&probe.profile, &probe.action);
    match (old.rules_of(profile, action), new.rules_of(profile, action)) {
        (Some(old), Some(new)) => old.differ_by_who(new),
        _ => true,
    }
}

fn differ(old: &PolicySet, new: &PolicySet, profile: &str, action: &str) -> bool {
    let compatible = |set: &PolicySet| set.profile(profile).map(|profile| profile.sharing.compatible.clone());
    match (old.rules_of(profile, action), new.rules_of(profile, action)) {
        (Some(old_rules), Some(new_rules)) => {
            let catalogue = |set: &PolicySet| set.purposes().classes().to_vec();
            !old_rules.decides_as(new_rules)
                || compatible(old) != compatible(new)
                || catalogue(old) != catalogue(new)
        }
        (None, None) => false,
        _ => true,
    }
}

fn change(
    old: &PolicySet,
    new: &PolicySet,
    probe: &Probe,
    relation: Relation,
    facts: &Facts,
    scope: Option<String>,
) -> Option<RightChange> {
    let from = outcome(old, probe, relation, facts.clone());
    let to = outcome(new, probe, relation, facts.clone());
    (from != to).then(|| RightChange {
        who: Who::Everyone { role: probe.role, class: probe.class },
        action: probe.action.clone(),
        purpose: probe.purpose.clone(),
        profile: probe.profile.clone(),
        relation,
        scope,
        from,
        to,
    })
}

/// Where caps and needs of an own search move: for each offence and ladder the widest scope at which the two differ. The
/// probes are alike, so the first stands for all.
fn scope_changes(old: &PolicySet, new: &PolicySet, set: &PolicySet, probes: &[Probe]) -> Vec<RightChange> {
    let Some(first) = probes.first() else { return Vec::new() };
    let purpose = first.purpose.as_deref();
    let mut changes = Vec::new();
    for offence in set.purposes().offences() {
        if (offence.id == "none") != (purpose == Some("missing")) {
            continue;
        }
        for (approved, (axis, steps)) in
            [false, true].into_iter().flat_map(|approved| LADDERS.map(|one| (approved, one)))
        {
            let at = |step: u32| {
                let mut facts = plain_facts(set, &first.action, purpose);
                facts.offence.clone_from(&offence.id);
                facts.approvals = u32::from(approved);
                facts.warrant = approved;
                facts.hits_only = true;
                match axis {
                    "days" => facts.days = step,
                    "cameras" => facts.cameras = step,
                    _ => facts.agencies = step,
                }
                let approval = if approved { ", approved, with a warrant" } else { "" };
                let scope = format!("{}, {step} {axis}{approval}", offence.id);
                change(old, new, first, Relation::Own, &facts, Some(scope))
            };
            if let Some(found) = steps.iter().rev().find_map(|step| at(*step)) {
                let of = |probe: &Probe| Who::Everyone { role: probe.role, class: probe.class };
                changes.extend(probes.iter().map(|probe| RightChange { who: of(probe), ..found.clone() }));
            }
        }
    }
    changes
}

fn member_changes(old: &PolicySet, new: &PolicySet, member: &Subject) -> Vec<RightChange> {
    let profile = member.agency.as_ref().map_or(DEFAULT, |party| party.profile.as_str());
    let actions: BTreeSet<&str> =
        [old, new].iter().flat_map(|set| set.table().rows().map(|(action, _)| action)).collect();
    let mut changes = Vec::new();
    for action in actions.into_iter().filter(|action| differ(old, new, profile, action)) {
        let known = if new.rules_of(profile, action).is_some() { new } else { old };
        let reads = known.rules_of(profile, action).map(|rules| rules.reads).unwrap_or_default();
        for purpose in purposes(known, reads) {
            for relation in relations(known, profile, action, member.agency.is_some()) {
                // A member stays in their own state: what another state's owner shares is that state's matter.
                if *relation == Relation::OutOfState {
                    continue;
                }
                let facts = plain_facts(known, action, purpose.as_deref());
                let asked = question(known, member.clone(), action, facts, profile, *relation);
                let (from, to) = (Outcome::from(old.decide(&asked)), Outcome::from(new.decide(&asked)));
                if from != to {
                    changes.push(RightChange {
                        who: Who::Member { id: member.id.clone() },
                        action: action.to_owned(),
                        purpose: purpose.clone(),
                        profile: profile.to_owned(),
                        relation: *relation,
                        scope: None,
                        from,
                        to,
                    });
                }
            }
        }
    }
    changes
}

/// Changes as few lines: what is lost, what is gained, for whom.
pub fn summary(set: &PolicySet, changes: &[RightChange]) -> String {
    let mut cells = Vec::new();
    for change in changes {
        let (who, class) = match &change.who {
            Who::Everyone { role, class } => (role.as_str(), class.map_or("-", AgencyClass::as_str)),
            Who::Member { id } => (id.as_str(), "-"),
        };
        let sign = match (change.gained(), change.lost()) {
            (true, _) => "gained",
            (_, true) => "lost",
            _ => "changed",
        };
        let scope = change.scope.as_deref().map(|scope| format!(" ({scope})")).unwrap_or_default();
        let at = [&change.action, who, class, change.purpose.as_deref().unwrap_or("-"), &change.profile];
        let says = format!("{sign} {}{scope}: {} → {}", change.relation.as_str(), change.from, change.to);
        cells.push(Cell { at: at.map(str::to_owned).to_vec(), says });
    }
    let order = orders(set);
    let all = order.clone().map(|words| words.into_iter().collect::<BTreeSet<_>>());
    let mut rows: Vec<GroupedRow> = group(cells, &[4, 2, 3, 1, 0]);
    rows.sort_by(|left, right| (&left.says, &left.at).cmp(&(&right.says, &right.at)));
    let mut text = String::new();
    for row in rows {
        let columns = row.at.iter().zip(&order).zip(&all);
        let columns: Vec<String> = columns.map(|((words, order), all)| listed(words, order, all)).collect();
        // Writing to a string can't fail.
        let _ = writeln!(text, "{} | {}", row.says, columns.join(" | "));
    }
    text
}

//! A simulated agency of honest members: what makes honest work look odd is in here.
//!
//! Shifts (day, evening, night; some rotate weekly or every two weeks), overtime, call-outs of several and of one; detectives
//! with some cases at once and the same targets again; serial cases of one detective; a task force that looks at few targets
//! very often, with a case; hot plates that everybody looks for; lookups before a case is opened; a form of words that all
//! use, personal phrases, reasons that repeat within a case; cold cases and kinds of crime that find little.

use std::collections::{BTreeMap, BTreeSet};

use canvass_misuse::{Act, Context};
use canvass_types::Time;

use crate::chance::Chance;

pub const DAYS: i64 = 120;
/// 2026-03-02T00:00Z, a Monday; clocks change on the 8th.
pub const BEGIN: i64 = 1_772_409_600;
pub const SECONDS: i64 = 86_400;

#[derive(Clone, Copy, PartialEq)]
pub enum Work {
    Patrol,
    Detective,
    TaskForce,
    Cold,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Shift {
    Day,
    Evening,
    Night,
    Weekly,
    Fortnightly,
}

pub struct Person {
    pub name: String,
    pub work: Work,
    pub shift: Shift,
    pub volume: f64,
    pub rate: f64,
    pub phrase: usize,
    /// Share of acts in which the personal phrase stands alone with a detail.
    pub habit: f64,
    pub cases: Vec<String>,
}

pub struct World {
    pub chance: Chance,
    pub people: Vec<Person>,
    pub acts: Vec<Act>,
    pub context: Context,
    pub targets: BTreeMap<String, Vec<String>>,
    pub agency_form: String,
    next: u64,
}

const CRIMES: [&str; 14] = [
    "burglary",
    "robbery",
    "vehicle theft",
    "hit and run",
    "vandalism",
    "catalytic converter theft",
    "fraud",
    "arson",
    "assault",
    "stolen bicycle",
    "missing juvenile",
    "shots fired",
    "shoplifting",
    "trespass",
];
const STREETS: [&str; 24] = [
    "Elm Street",
    "Main Street",
    "Oak Avenue",
    "Mill Road",
    "River Street",
    "Church Street",
    "Park Avenue",
    "Depot Road",
    "School Street",
    "High Street",
    "Pleasant Street",
    "Union Avenue",
    "Hill Road",
    "Spring Street",
    "Center Street",
    "Lake Drive",
    "Court Street",
    "Bridge Street",
    "Summer Street",
    "Winter Street",
    "Franklin Street",
    "Cedar Lane",
    "Maple Street",
    "Ferry Road",
];
const DETAILS: [&str; 24] = [
    "red pickup with ladder rack",
    "white van, left tail light broken",
    "seen leaving by the witness",
    "partial plate from caller",
    "driver matched the store camera",
    "rental returned late",
    "two suspects, one limping",
    "same tool marks as last week",
    "owner reports it missing since Sunday",
    "followed the victim home",
    "paint transfer on the guard rail",
    "dark sedan without plates",
    "sold goods online",
    "fled toward the interstate",
    "abandoned behind the depot",
    "circled the block several times",
    "loaded copper pipe",
    "window smashed at the rear",
    "victim recognised the bumper sticker",
    "tow truck without markings",
    "delivery car at odd times",
    "trailer cut from its lock",
    "passenger threw a bag",
    "dashcam shows the impact",
];
const PHRASES: [&str; 12] = [
    "checking whereabouts of vehicle involved in",
    "attempt to locate for",
    "follow up on tip regarding",
    "need route of travel for",
    "confirming alibi in",
    "canvass results for",
    "looking for suspect car in",
    "verify statement of witness to",
    "possible involvement in",
    "looking into",
    "timeline for",
    "ID of car tied to",
];
const FORMS: [&str; 4] = [
    "Official investigation pursuant to general order 12, offence:",
    "Authorised law enforcement query under department policy, matter of",
    "Vehicle inquiry in support of active investigation of",
    "Investigative lead, approved by shift supervisor, concerning",
];

impl World {
    pub fn new(seed: u64) -> Self {
        let mut chance = Chance::of(seed);
        let size = chance.between(14, 44) as usize;
        let agency_form = (*chance.of_list(&FORMS)).to_owned();
        let mut people = Vec::new();
        for index in 0..size {
            let work = match chance.unit() {
                x if x < 0.55 => Work::Patrol,
                x if x < 0.85 => Work::Detective,
                x if x < 0.95 => Work::TaskForce,
                _ => Work::Cold,
            };
            let shift = match (work, chance.unit()) {
                (Work::Patrol, x) if x < 0.35 => Shift::Day,
                (Work::Patrol, x) if x < 0.6 => Shift::Evening,
                (Work::Patrol, x) if x < 0.8 => Shift::Night,
                (Work::Patrol, x) if x < 0.9 => Shift::Weekly,
                (Work::Patrol, _) => Shift::Fortnightly,
                (_, x) if x < 0.8 => Shift::Day,
                _ => Shift::Evening,
            };
            let mean = if work == Work::Cold { 0.2 } else { 0.4 };
            people.push(Person {
                name: format!("m{index}"),
                work,
                shift,
                volume: (1.0 + 0.5 * chance.normal()).clamp(0.3, 2.5),
                rate: chance.rate(mean, 0.35),
                phrase: chance.below(PHRASES.len()),
                habit: chance.unit() * 0.6,
                cases: Vec::new(),
            });
        }
        let context = Context::default();
        let mut world = Self {
            chance,
            people,
            acts: Vec::new(),
            context,
            targets: BTreeMap::new(),
            agency_form,
            next: 0,
        };
        world.vehicles();
        for day in 0..DAYS {
            world.call_outs(day);
            for who in 0..size {
                world.work(who, day);
            }
        }
        world
    }

    fn vehicles(&mut self) {
        for who in 0..self.people.len() {
            if self.chance.yes(0.7) {
                let own: BTreeSet<String> =
                    (0..self.chance.between(1, 2)).map(|n| format!("own-{who}-{n}")).collect();
                self.context.vehicles.insert(self.people[who].name.clone(), own);
            }
        }
    }

    pub fn plate(&mut self) -> String {
        // One in twenty is a plate that many look for.
        if self.chance.yes(0.05) {
            format!("hot-{}", self.chance.below(12))
        } else {
            format!("p{}", self.chance.below(60_000))
        }
    }

    pub fn open_case(&mut self, who: usize) -> String {
        self.next += 1;
        let case = format!("26-{:05}", self.next);
        self.context.works.entry(case.clone()).or_default().insert(self.people[who].name.clone());
        let count = self.chance.between(2, 9);
        let targets = (0..count).map(|_| self.plate()).collect();
        self.targets.insert(case.clone(), targets);
        case
    }

    /// A reason as this member writes it, for one matter.
    pub fn reason(&mut self, who: usize) -> String {
        let (crime, street, detail) =
            (*self.chance.of_list(&CRIMES), *self.chance.of_list(&STREETS), *self.chance.of_list(&DETAILS));
        let form = self.agency_form.clone();
        let person = &self.people[who];
        let (phrase, habit) = (PHRASES[person.phrase], person.habit);
        match self.chance.unit() {
            x if x < 0.25 => format!("{form} {crime} {street}, {detail}"),
            x if x < 0.3 => format!("{form} {crime}"),
            x if x < 0.3 + habit => format!("{phrase} {crime} on {street}, {detail}"),
            x if x < 0.97 => format!("{crime} {street}: {detail}"),
            _ => format!("{phrase} {crime}"),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "an act has these parts")]
    pub fn act(
        &mut self,
        who: usize,
        at: i64,
        action: &str,
        target: &str,
        case: Option<&str>,
        reason: &str,
        rate: f64,
    ) -> String {
        self.next += 1;
        let id = format!("a{}", self.next);
        let hits = u32::from(self.chance.yes(rate));
        // Five hours behind UTC, four from the 8th of March on.
        let offset = if at < BEGIN + 6 * SECONDS + 7 * 3_600 { -300 } else { -240 };
        self.acts.push(Act {
            id: id.clone(),
            at: Time::from_second(at),
            offset,
            member: self.people[who].name.clone(),
            action: action.into(),
            target: target.into(),
            case: case.map(str::to_owned),
            reason: Some(reason.to_owned()),
            hits: action.ends_with(".search").then_some(hits),
        });
        id
    }

    /// A moment of the day on the agency's clocks.
    pub fn moment(&mut self, day: i64, hour: f64) -> i64 {
        BEGIN + day * SECONDS + (hour * 3_600.0) as i64 + 4 * 3_600
    }

    /// First hour of the shift on a day; none when off.
    pub fn shift(&mut self, who: usize, day: i64) -> Option<f64> {
        let person = &self.people[who];
        let week = day.div_euclid(7);
        let shifts = [7.0, 15.0, 22.0];
        let begin = match person.shift {
            Shift::Day if person.work != Work::Patrol => 8.0,
            Shift::Day => 7.0,
            Shift::Evening => 15.0,
            Shift::Night => 22.0,
            Shift::Weekly => shifts[(week as usize + who) % 3],
            Shift::Fortnightly => shifts[(week as usize / 2 + who) % 3],
        };
        let off = if person.work == Work::Patrol { (day + who as i64) % 7 >= 5 } else { day % 7 >= 5 };
        (!off && !self.chance.yes(0.06)).then_some(begin)
    }

    fn work(&mut self, who: usize, day: i64) {
        let Some(begin) = self.shift(who, day) else { return };
        // Now and then somebody stays for hours to finish, or comes early.
        let length = if self.chance.yes(0.06) { 8.0 + 3.5 * self.chance.unit() } else { 8.3 };
        let volume = self.people[who].volume;
        match self.people[who].work {
            Work::Patrol => self.patrol(who, day, begin, length, 3.0 * volume),
            Work::Detective => self.detective(who, day, begin, length, 5.0 * volume, 4),
            Work::TaskForce => self.task_force(who, day, begin, length, 8.0 * volume),
            Work::Cold => self.detective(who, day, begin, length, 3.0 * volume, 2),
        }
    }

    fn patrol(&mut self, who: usize, day: i64, begin: f64, length: f64, mean: f64) {
        let rate = self.people[who].rate;
        for _ in 0..self.chance.poisson(mean) {
            let at = begin + length * self.chance.unit();
            let at = self.moment(day, at);
            let reason = self.reason(who);
            let target = self.plate();
            let cased = self.chance.yes(0.6);
            let case = cased.then(|| self.open_case(who));
            self.act(who, at, "plate.search", &target, case.as_deref(), &reason, rate);
            // A car that keeps coming to notice on the beat, before anybody opens a case.
            if self.chance.yes(0.02) {
                let again = at + self.chance.between(1_800, 6 * 3_600).min(3 * 3_600);
                self.act(who, again, "plate.search", &target, case.as_deref(), &reason, rate);
            }
        }
    }

    fn detective(&mut self, who: usize, day: i64, begin: f64, length: f64, mean: f64, open: usize) {
        while self.people[who].cases.len() < open {
            let case = self.open_case(who);
            // Serial cases: the same car as in the one before, and a second car too.
            if self.chance.yes(0.12)
                && let Some(before) = self.people[who].cases.last().cloned()
            {
                let shared: Vec<String> = self.targets[&before].iter().take(3).cloned().collect();
                self.targets.entry(case.clone()).or_default().extend(shared);
            }
            // A known offender, in cases that have nothing else in common.
            if self.chance.yes(0.05) {
                let known = format!("offender-{}", self.chance.below(40));
                self.targets.entry(case.clone()).or_default().push(known);
            }
            // Partners share most cases.
            if self.chance.yes(0.5) {
                let partner = self.chance.below(self.people.len());
                if self.people[partner].work == Work::Detective && partner != who {
                    self.context
                        .works
                        .entry(case.clone())
                        .or_default()
                        .insert(self.people[partner].name.clone());
                    self.people[partner].cases.push(case.clone());
                }
            }
            // Lookups before the case has a number.
            if self.chance.yes(0.3) {
                let target = self.targets[&case][0].clone();
                for _ in 0..self.chance.between(1, 2) {
                    let hour = begin + self.chance.unit();
                    let (at, reason) = (self.moment(day, hour), self.reason(who));
                    let rate = self.people[who].rate;
                    self.act(who, at, "plate.search", &target, None, &reason, rate);
                }
            }
            self.people[who].cases.push(case);
        }
        let rate = self.people[who].rate;
        for _ in 0..self.chance.poisson(mean) {
            let case = {
                let cases = self.people[who].cases.clone();
                self.chance.of_list(&cases).clone()
            };
            let target = {
                let targets = self.targets[&case].clone();
                self.chance.of_list(&targets).clone()
            };
            let hour = begin + length * self.chance.unit();
            let (at, reason) = (self.moment(day, hour), self.reason(who));
            let action = ["plate.search", "plate.search", "plate.history", "footage.search", "item.read"]
                [self.chance.below(5)];
            self.act(who, at, action, &target, Some(&case), &reason, rate);
        }
        if self.chance.yes(0.12) {
            self.people[who].cases.remove(0);
        }
    }

    fn task_force(&mut self, who: usize, day: i64, begin: f64, length: f64, mean: f64) {
        let rate = self.people[who].rate;
        let case = format!("TF-{}", day / 40);
        for person in &self.people {
            if person.work == Work::TaskForce {
                self.context.works.entry(case.clone()).or_default().insert(person.name.clone());
            }
        }
        for _ in 0..self.chance.poisson(mean) {
            let target = format!("tf-{}-{}", day / 40, self.chance.below(6));
            let hour = begin + length * self.chance.unit();
            let (at, reason) = (self.moment(day, hour), self.reason(who));
            self.act(who, at, "plate.search", &target, Some(&case), &reason, rate);
        }
    }

    /// Somebody is shot at three in the morning: several come in. Or one detective alone, which is rarer.
    fn call_outs(&mut self, day: i64) {
        let detectives: Vec<usize> =
            (0..self.people.len()).filter(|who| self.people[*who].work == Work::Detective).collect();
        if detectives.is_empty() || !self.chance.yes(0.05) {
            return;
        }
        let alone = self.chance.yes(0.1);
        let count = if alone { 1 } else { self.chance.between(2, 6) as usize };
        let lead = *self.chance.of_list(&detectives);
        let case = self.open_case(lead);
        let hour = 21.0 + 8.0 * self.chance.unit();
        for each in 0..count {
            let who = if each == 0 { lead } else { *self.chance.of_list(&detectives) };
            self.context.works.entry(case.clone()).or_default().insert(self.people[who].name.clone());
            let rate = self.people[who].rate;
            for _ in 0..self.chance.between(3, 14) {
                let target = {
                    let targets = self.targets[&case].clone();
                    self.chance.of_list(&targets).clone()
                };
                let at = hour + 2.5 * self.chance.unit();
                let (at, reason) = (self.moment(day, at), self.reason(who));
                self.act(who, at, "plate.search", &target, Some(&case), &reason, rate);
            }
        }
    }
}

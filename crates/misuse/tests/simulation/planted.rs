//! Misuse that is planted into an honest agency, of each kind and in three strengths; the third takes care.

use std::collections::BTreeSet;

use canvass_misuse::Rule;

use crate::{
    agency::{DAYS, Shift, Work, World},
    chance::Chance,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    Plain,
    Middling,
    Careful,
}

impl Strength {
    pub const ALL: [Self; 3] = [Self::Plain, Self::Middling, Self::Careful];
}

pub struct Planted {
    pub rule: Rule,
    pub strength: Strength,
    pub acts: BTreeSet<String>,
}

/// One of each kind, all by different members.
pub fn plant(world: &mut World, seed: u64) -> Vec<Planted> {
    let strength = Strength::ALL[(seed % 3) as usize];
    let mut taken = BTreeSet::new();
    let mut planted = Vec::new();
    for rule in Rule::ALL {
        let Some(who) = pick(world, rule, &taken) else { continue };
        taken.insert(who);
        let acts = match rule {
            Rule::Repeat => repeat(world, who, strength),
            Rule::Own => own(world, who, strength),
            Rule::Hours => hours(world, who, strength),
            Rule::Reasons => reasons(world, who, strength),
            Rule::Hits => hits(world, who, strength),
        };
        planted.push(Planted { rule, strength, acts });
    }
    planted
}

fn pick(world: &mut World, rule: Rule, taken: &BTreeSet<usize>) -> Option<usize> {
    let fits = |who: &usize| {
        let person = &world.people[*who];
        let patrol_or_detective = matches!(person.work, Work::Patrol | Work::Detective);
        match rule {
            // Whoever works at all hours has no odd ones.
            Rule::Hours => person.shift == Shift::Day,
            Rule::Hits => patrol_or_detective && person.volume > 0.7,
            Rule::Own => world.context.vehicles.contains_key(&person.name),
            Rule::Repeat | Rule::Reasons => patrol_or_detective,
        }
    };
    let able: Vec<usize> = (0..world.people.len()).filter(|who| !taken.contains(who)).filter(fits).collect();
    (!able.is_empty()).then(|| *world.chance.of_list(&able))
}

/// A moment within the member's shift.
fn on_shift(world: &mut World, who: usize, from: i64, to: i64) -> i64 {
    loop {
        let day = world.chance.between(from, to);
        if let Some(begin) = world.shift(who, day) {
            let hour = begin + 8.0 * world.chance.unit();
            return world.moment(day, hour);
        }
    }
}

/// A former partner's car: with no case; with cases of others; or, with care, under one of the member's own new cases each time.
fn repeat(world: &mut World, who: usize, strength: Strength) -> BTreeSet<String> {
    let target = "former-partner";
    let begin = world.chance.between(20, 50);
    let (count, days) = match strength {
        Strength::Plain => (12, 40),
        Strength::Middling => (6, 50),
        Strength::Careful => (world.chance.between(3, 5), 60),
    };
    let mut acts = BTreeSet::new();
    for _ in 0..count {
        let at = on_shift(world, who, begin, begin + days);
        let case = match strength {
            Strength::Plain => None,
            Strength::Middling => {
                let all: Vec<String> = world.targets.keys().cloned().collect();
                Some(world.chance.of_list(&all).clone())
            }
            Strength::Careful => Some(world.open_case(who)),
        };
        let reason = world.reason(who);
        acts.insert(world.act(who, at, "plate.search", target, case.as_deref(), &reason, 0.5));
    }
    acts
}

/// Who looks for me: the own car; with care only once, or one that is not registered.
fn own(world: &mut World, who: usize, strength: Strength) -> BTreeSet<String> {
    let known = world.context.vehicles[&world.people[who].name].clone();
    let registered = known.first().cloned().unwrap_or_default();
    let (count, target) = match strength {
        Strength::Plain => (4, registered),
        Strength::Middling => (1, registered),
        Strength::Careful => (2, if world.chance.yes(0.5) { registered } else { "spouse".to_owned() }),
    };
    let mut acts = BTreeSet::new();
    for _ in 0..count {
        let at = on_shift(world, who, 20, DAYS - 10);
        let case = world.open_case(who);
        let reason = world.reason(who);
        acts.insert(world.act(who, at, "plate.search", &target, Some(&case), &reason, 0.5));
    }
    acts
}

/// At home at night, many different cars.
fn hours(world: &mut World, who: usize, strength: Strength) -> BTreeSet<String> {
    let count = match strength {
        Strength::Plain => 16,
        Strength::Middling => 8,
        Strength::Careful => 5,
    };
    let (day, hour) = (world.chance.between(25, DAYS - 15), 24.0 + 3.0 * world.chance.unit());
    let mut acts = BTreeSet::new();
    for _ in 0..count {
        let at = hour + 1.2 * world.chance.unit();
        let at = world.moment(day, at);
        let (target, reason) = (world.plate(), world.reason(who));
        let case = world.chance.yes(0.5).then(|| world.open_case(who));
        acts.insert(world.act(who, at, "plate.search", &target, case.as_deref(), &reason, 0.3));
    }
    acts
}

/// One reason for everything; with care, a few words differ each time.
fn reasons(world: &mut World, who: usize, strength: Strength) -> BTreeSet<String> {
    let count = match strength {
        Strength::Plain => 24,
        Strength::Middling => 14,
        Strength::Careful => 12,
    };
    let begin = world.chance.between(20, 60);
    let swaps = ["area", "district", "sector", "neighborhood", "zone", "quarter"];
    let mut acts = BTreeSet::new();
    for number in 0..count {
        let at = on_shift(world, who, begin, begin + 25);
        let text = "vehicle of interest seen in the north end, checking where it has been";
        let reason = match strength {
            Strength::Plain => text.to_owned(),
            Strength::Middling => format!("{text} {}", if number % 3 == 0 { "lately" } else { "" }),
            Strength::Careful => {
                let word = world.chance.of_list(&swaps);
                text.replace("north end", &format!("north {word}"))
            }
        };
        let (target, case) = (world.plate(), world.open_case(who));
        let case = world.chance.yes(0.7).then_some(case);
        acts.insert(world.act(who, at, "plate.search", &target, case.as_deref(), &reason, 0.4));
    }
    acts
}

/// Fishing: many searches that find next to nothing, beside honest work.
fn hits(world: &mut World, who: usize, strength: Strength) -> BTreeSet<String> {
    let (count, rate) = match strength {
        Strength::Plain => (400, 0.02),
        Strength::Middling => (250, 0.04),
        Strength::Careful => (80, 0.08),
    };
    let mut acts = BTreeSet::new();
    for _ in 0..count {
        let at = on_shift(world, who, 5, DAYS - 5);
        let (target, reason) = (format!("fished-{}", world.chance.below(90_000)), world.reason(who));
        let case = world.open_case(who);
        acts.insert(world.act(who, at, "plate.search", &target, Some(&case), &reason, rate));
    }
    acts
}

/// An agency with everything planted.
pub fn world(seed: u64) -> (World, Vec<Planted>) {
    let mut world = World::new(seed);
    world.chance = Chance::of(seed ^ 0x5eed_0001);
    let planted = plant(&mut world, seed);
    (world, planted)
}

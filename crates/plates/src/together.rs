//! Who travelled together, and who was at several places: joins of passes, without a store and without a clock.

use std::collections::{HashMap, HashSet};

use crate::{PlateText, ReadId};

/// Most pairs of a pass and another one near it that a search for company compares.
pub const MOST_PAIRS: usize = 2_000_000;

/// A read, as far as joins look at it. Cameras and moments are numbers that the caller gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pass {
    /// Which read.
    pub id: ReadId,
    /// The plate.
    pub plate: PlateText,
    /// Which camera.
    pub camera: u32,
    /// When, in seconds.
    pub seen: i64,
}

/// That another plate passed a camera near a pass of the plate that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meeting {
    /// The pass of the plate that was asked for.
    pub own: ReadId,
    /// The other plate's nearest read.
    pub other: ReadId,
    /// The camera of both.
    pub camera: u32,
    /// Seconds from the one to the other; negative when the other plate came first.
    pub gap: i64,
}

/// A plate that passed cameras near the plate that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Companion {
    /// The plate.
    pub plate: PlateText,
    /// At how many different cameras.
    pub cameras: usize,
    /// How many passes: of both plates at least so many reads are part of a meeting.
    pub passes: usize,
    /// One for each pass of the plate that was asked for, in its order.
    pub meetings: Vec<Meeting>,
}

impl Companion {
    fn of(plate: PlateText, meetings: Vec<Meeting>) -> Self {
        let cameras: HashSet<u32> = meetings.iter().map(|meeting| meeting.camera).collect();
        let others: HashSet<ReadId> = meetings.iter().map(|meeting| meeting.other).collect();
        Self { plate, cameras: cameras.len(), passes: others.len().min(meetings.len()), meetings }
    }

    /// Seconds between the two on average, whole.
    #[must_use]
    pub fn apart(&self) -> u64 {
        let sum =
            self.meetings.iter().fold(0_u64, |sum, meeting| sum.saturating_add(meeting.gap.unsigned_abs()));
        sum / u64::try_from(self.meetings.len().max(1)).unwrap_or(1)
    }
}

/// More pairs than are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "more than {MOST_PAIRS} pairs of reads lie within the interval; take a shorter interval or window, or fewer cameras"
)]
pub struct ManyPairs;

/// The plates that passed the cameras of `own` within so many seconds of it, at `least` different cameras or more: those
/// at the most cameras first, then those with the most passes, then the nearest in time. Plates of `own` are no company.
///
/// # Errors
/// [`ManyPairs`].
pub fn convoy(own: &[Pass], others: &[Pass], within: i64, least: usize) -> Result<Vec<Companion>, ManyPairs> {
    let asked: HashSet<PlateText> = own.iter().map(|pass| pass.plate).collect();
    let mut by_camera: HashMap<u32, Vec<Pass>> = HashMap::new();
    for pass in others.iter().filter(|pass| !asked.contains(&pass.plate)) {
        by_camera.entry(pass.camera).or_default().push(*pass);
    }
    by_camera.values_mut().for_each(|passes| passes.sort_unstable_by_key(|pass| (pass.seen, pass.id)));
    let mut own = own.to_vec();
    own.sort_unstable_by_key(|pass| (pass.seen, pass.id));
    own.dedup_by_key(|pass| pass.id);
    let mut found: HashMap<PlateText, Vec<Meeting>> = HashMap::new();
    let mut pairs = 0_usize;
    for pass in &own {
        let Some(there) = by_camera.get(&pass.camera) else { continue };
        let (first, last) = (pass.seen.saturating_sub(within), pass.seen.saturating_add(within));
        let from = there.partition_point(|other| other.seen < first);
        for other in there.iter().skip(from).take_while(|other| other.seen <= last) {
            pairs += 1;
            if pairs > MOST_PAIRS {
                return Err(ManyPairs);
            }
            let gap = other.seen.saturating_sub(pass.seen);
            let meeting = Meeting { own: pass.id, other: other.id, camera: pass.camera, gap };
            let meetings = found.entry(other.plate).or_default();
            match meetings.last_mut() {
                // Passes come in the order of time: of two that are as near, the earlier one stays.
                Some(known) if known.own == pass.id => {
                    if gap.unsigned_abs() < known.gap.unsigned_abs() {
                        *known = meeting;
                    }
                }
                _ => meetings.push(meeting),
            }
        }
    }
    let mut companions: Vec<Companion> =
        found.into_iter().map(|(plate, meetings)| Companion::of(plate, meetings)).collect();
    companions.retain(|companion| companion.cameras >= least.max(1));
    let rank = |one: &Companion| {
        use std::cmp::Reverse;
        (Reverse(one.cameras), Reverse(one.passes), one.apart())
    };
    companions.sort_by(|one, two| {
        rank(one).cmp(&rank(two)).then_with(|| one.plate.as_bytes().cmp(two.plate.as_bytes()))
    });
    Ok(companions)
}

/// A plate that was at several places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visitor {
    /// The plate.
    pub plate: PlateText,
    /// At how many of the places.
    pub places: usize,
    /// At how many different cameras.
    pub cameras: usize,
    /// Its reads at each place, in the order of the places and of time.
    pub reads: Vec<Vec<ReadId>>,
}

impl Visitor {
    fn seen(&self) -> usize {
        self.reads.iter().map(Vec::len).sum()
    }
}

/// The plates that were at `least` of these places or more (32 places at most): those at the most places first, then those
/// at the most cameras, then those with the most reads. A read that lies in two places counts in both.
#[must_use]
pub fn at_places(places: &[Vec<Pass>], least: usize) -> Vec<Visitor> {
    let mut where_seen: HashMap<PlateText, u32> = HashMap::new();
    for (bit, passes) in (0..32_u32).zip(places) {
        for pass in passes {
            *where_seen.entry(pass.plate).or_default() |= 1 << bit;
        }
    }
    where_seen.retain(|_, mask| mask.count_ones() as usize >= least.max(1));
    let mut found: HashMap<PlateText, (HashSet<u32>, Vec<Vec<Pass>>)> = HashMap::new();
    for (at, passes) in places.iter().enumerate().take(32) {
        for pass in passes.iter().filter(|pass| where_seen.contains_key(&pass.plate)) {
            let (cameras, reads) =
                found.entry(pass.plate).or_insert_with(|| (HashSet::new(), vec![Vec::new(); places.len()]));
            cameras.insert(pass.camera);
            if let Some(reads) = reads.get_mut(at) {
                reads.push(*pass);
            }
        }
    }
    let mut visitors: Vec<Visitor> = found
        .into_iter()
        .map(|(plate, (cameras, reads))| Visitor {
            plate,
            places: reads.iter().filter(|reads| !reads.is_empty()).count(),
            cameras: cameras.len(),
            reads: reads.into_iter().map(in_order).collect(),
        })
        .collect();
    let rank = |one: &Visitor| {
        use std::cmp::Reverse;
        (Reverse(one.places), Reverse(one.cameras), Reverse(one.seen()))
    };
    visitors.sort_by(|one, two| {
        rank(one).cmp(&rank(two)).then_with(|| one.plate.as_bytes().cmp(two.plate.as_bytes()))
    });
    visitors
}

fn in_order(mut passes: Vec<Pass>) -> Vec<ReadId> {
    passes.sort_unstable_by_key(|pass| (pass.seen, pass.id));
    passes.dedup_by_key(|pass| pass.id);
    passes.into_iter().map(|pass| pass.id).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use canvass_types::CameraId;
    use proptest::prelude::*;

    use super::*;

    fn camera() -> CameraId {
        format!("cam_{}a", "a".repeat(25)).parse().unwrap()
    }

    fn pass(number: usize, plate: &str, camera_number: u32, seen: i64) -> Pass {
        let id = ReadId::derive(&camera(), &number.to_string());
        Pass { id, plate: PlateText::normalise(plate).unwrap(), camera: camera_number, seen }
    }

    /// Looks at every pair, plate by plate.
    fn slow_convoy(own: &[Pass], others: &[Pass], within: i64, least: usize) -> Vec<Companion> {
        let asked: BTreeSet<&str> = own.iter().map(|one| one.plate.as_str()).collect();
        let plates: BTreeMap<&str, PlateText> =
            others.iter().map(|one| (one.plate.as_str(), one.plate)).collect();
        let mut sorted = own.to_vec();
        sorted.sort_by_key(|one| (one.seen, one.id));
        let mut companions = Vec::new();
        for (name, plate) in plates {
            if asked.contains(name) {
                continue;
            }
            let mut meetings = Vec::new();
            for one in &sorted {
                let near = others
                    .iter()
                    .filter(|other| other.plate == plate && other.camera == one.camera)
                    .filter(|other| (other.seen - one.seen).abs() <= within)
                    .min_by_key(|other| ((other.seen - one.seen).abs(), other.seen, other.id));
                if let Some(other) = near {
                    let gap = other.seen - one.seen;
                    meetings.push(Meeting { own: one.id, other: other.id, camera: one.camera, gap });
                }
            }
            let cameras: BTreeSet<u32> = meetings.iter().map(|meeting| meeting.camera).collect();
            let others: BTreeSet<ReadId> = meetings.iter().map(|meeting| meeting.other).collect();
            if cameras.len() >= least.max(1) {
                let passes = meetings.len().min(others.len());
                companions.push(Companion { plate, cameras: cameras.len(), passes, meetings });
            }
        }
        companions
    }

    fn slow_places(places: &[Vec<Pass>], least: usize) -> BTreeMap<String, (usize, Vec<BTreeSet<ReadId>>)> {
        let plates: BTreeSet<String> =
            places.iter().flatten().map(|one| one.plate.as_str().to_owned()).collect();
        let mut found = BTreeMap::new();
        for plate in plates {
            let reads: Vec<BTreeSet<ReadId>> = places
                .iter()
                .map(|passes| {
                    passes.iter().filter(|one| one.plate.as_str() == plate).map(|one| one.id).collect()
                })
                .collect();
            let count = reads.iter().filter(|reads| !reads.is_empty()).count();
            if count >= least.max(1) {
                found.insert(plate, (count, reads));
            }
        }
        found
    }

    fn some_passes(plates: &'static [&'static str], most: usize) -> impl Strategy<Value = Vec<Pass>> {
        prop::collection::vec((prop::sample::select(plates), 0..4_u32, 0..200_i64, any::<u32>()), 0..most)
            .prop_map(|rows| {
                let one = |(plate, camera, seen, number): (&str, u32, i64, u32)| {
                    pass(number as usize, plate, camera, seen)
                };
                let mut seen = BTreeSet::new();
                rows.into_iter().map(one).filter(|one| seen.insert(one.id)).collect()
            })
    }

    proptest! {
        #[test]
        fn company_is_what_looking_at_every_pair_finds(
            own in some_passes(&["OWN1"], 12),
            others in some_passes(&["OWN1", "AAA1", "BBB2", "CCC3"], 60),
            within in 0..60_i64,
            least in 0..4_usize,
        ) {
            let found = convoy(&own, &others, within, least).unwrap();
            let mut by_plate = found.clone();
            by_plate.sort_by(|one, two| one.plate.as_bytes().cmp(two.plate.as_bytes()));
            prop_assert_eq!(by_plate, slow_convoy(&own, &others, within, least));
            for pair in found.windows(2) {
                let key = |one: &Companion| (one.cameras, one.passes, u64::MAX - one.apart());
                prop_assert!(key(&pair[0]) >= key(&pair[1]));
            }
        }

        #[test]
        fn visitors_are_what_looking_at_every_plate_finds(
            places in prop::collection::vec(some_passes(&["AAA1", "BBB2", "CCC3", "DDD4"], 20), 1..6),
            least in 0..6_usize,
        ) {
            let found = at_places(&places, least);
            let slow = slow_places(&places, least);
            prop_assert_eq!(found.len(), slow.len());
            for visitor in &found {
                let (count, reads) = &slow[visitor.plate.as_str()];
                prop_assert_eq!(visitor.places, *count);
                let sets: Vec<BTreeSet<ReadId>> =
                    visitor.reads.iter().map(|reads| reads.iter().copied().collect()).collect();
                prop_assert_eq!(&sets, reads);
            }
            for pair in found.windows(2) {
                let key = |one: &Visitor| (one.places, one.cameras, one.seen());
                prop_assert!(key(&pair[0]) >= key(&pair[1]));
            }
        }
    }

    #[test]
    fn more_pairs_than_are_compared_are_an_error_and_no_shorter_answer() {
        let own: Vec<Pass> = (0..1_500).map(|at| pass(at, "OWN1", 0, 0)).collect();
        let others: Vec<Pass> = (0..1_500).map(|at| pass(10_000 + at, "AAA1", 0, 0)).collect();
        assert_eq!(convoy(&own, &others, 10, 1), Err(ManyPairs));
        assert_eq!(convoy(&own, &others[..100], 10, 1).unwrap()[0].passes, 1);
    }
}

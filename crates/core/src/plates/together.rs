//! Company and several places: looked for through the one door, with bounded work and memory.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use canvass_plates::{
    Confidence, Match, PlatePattern, PlateText, Read, ReadId, ReadQuery,
    together::{Companion, Pass, Visitor, at_places, convoy},
};
use canvass_types::{AuditId, CameraId, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    FoundRead, Granted, LeftOut, Reads, SearchedOwner,
    question::{ConvoyTerms, PlacesTerms, perhaps_same},
};
use crate::{
    App, CoreError,
    access::{PlateConvoy, PlateMultiplace},
    ports::Records,
};

/// Most passes of the plate that a search for company follows.
const MOST_PASSES: usize = 500;
/// Most reads that a search for company, or one place, looks at.
const MOST_LOOKED: usize = 200_000;
/// Most meetings that are shown of one plate.
const MEETINGS_SHOWN: usize = 20;
/// Most reads that are shown of one plate at one place.
const READS_SHOWN: usize = 5;
/// Seconds of the longest window that a store is asked about without a plate.
const STRETCH: i64 = 48 * 3_600;

/// Leave to look for company, once.
#[derive(Debug)]
pub struct GrantedConvoy {
    pub(super) granted: Granted<PlateConvoy>,
    pub(super) terms: ConvoyTerms,
    pub(super) pattern: PlatePattern,
}

/// Leave to look who was at several places, once.
#[derive(Debug)]
pub struct GrantedPlaces {
    pub(super) granted: Granted<PlateMultiplace>,
    pub(super) terms: PlacesTerms,
    pub(super) confidence: Confidence,
    pub(super) vehicle: Option<canvass_plates::VehicleType>,
    pub(super) colour: Option<canvass_plates::Colour>,
}

/// Another plate that passed the same cameras.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CompanionFound {
    /// The plate, as it was read.
    pub plate: PlateText,
    /// At how many different cameras.
    pub cameras: u32,
    /// How many times.
    pub passes: u32,
    /// Seconds between the two on average.
    pub apart: u64,
    /// Whether it may be a misread of the plate that was asked for, and no other vehicle.
    pub perhaps_same: bool,
    /// The reads that show it, oldest first, 20 at most.
    pub meetings: Vec<MeetingFound>,
}

/// That a plate passed a camera near the one that was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MeetingFound {
    /// The read of the plate that was asked for; it is among `passes`.
    pub own: ReadId,
    /// Seconds from it to the other; negative when the other plate came first.
    pub gap: i64,
    /// The other plate's read.
    pub read: FoundRead,
}

/// Who travelled with a plate. That two vehicles passed the same cameras is no cause for anything by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConvoyFound {
    /// Reads of the plate that was asked for, oldest first, each labelled.
    pub passes: Vec<FoundRead>,
    /// Other plates: those at the most cameras first, then those with the most passes, then the nearest in time.
    pub companions: Vec<CompanionFound>,
    /// How many more plates there are.
    pub more: u32,
    /// How many reads were looked at.
    pub looked: u32,
    /// The search's first entry: by it what was found can be kept in the case.
    pub search: AuditId,
    /// Owners whose cameras were searched.
    pub searched: Vec<SearchedOwner>,
    /// Owners whose cameras were asked for and not searched.
    pub left_out: Vec<LeftOut>,
}

/// A plate that was at several places.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VisitorFound {
    /// The plate, as it was read.
    pub plate: PlateText,
    /// At how many of the places.
    pub places: u32,
    /// At how many different cameras.
    pub cameras: u32,
    /// What shows it, for each place that was asked for, in their order.
    pub at: Vec<AtPlace>,
}

/// Reads of a plate at one place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AtPlace {
    /// How many there are.
    pub count: u32,
    /// The first of them, 5 at most.
    pub reads: Vec<FoundRead>,
}

/// Who was at several places. That a vehicle was there is no cause for anything by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlacesFound {
    /// Plates: those at the most places first, then those at the most cameras, then those with the most reads.
    pub visitors: Vec<VisitorFound>,
    /// How many more plates there are.
    pub more: u32,
    /// How many reads of each place were looked at.
    pub looked: Vec<u32>,
    /// The search's first entry: by it what was found can be kept in the case.
    pub search: AuditId,
    /// Owners whose cameras were searched.
    pub searched: Vec<SearchedOwner>,
    /// Owners whose cameras were asked for and not searched.
    pub left_out: Vec<LeftOut>,
}

/// Company as the store has it.
#[derive(Debug)]
pub struct FoundConvoy {
    granted: Granted<PlateConvoy>,
    own: Vec<Match>,
    companions: Vec<(Companion, bool)>,
    reads: HashMap<ReadId, Read>,
    more: usize,
    looked: usize,
}

/// Visitors as the store has them.
#[derive(Debug)]
pub struct FoundPlaces {
    granted: Granted<PlateMultiplace>,
    visitors: Vec<Visitor>,
    reads: HashMap<ReadId, Read>,
    more: usize,
    looked: Vec<usize>,
}

fn count(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}

/// Numbers of cameras, as joins want them.
#[derive(Default)]
struct Numbers(BTreeMap<CameraId, u32>);

impl Numbers {
    fn of(&mut self, camera: &CameraId) -> u32 {
        if let Some(number) = self.0.get(camera) {
            return *number;
        }
        let next = count(self.0.len());
        self.0.insert(camera.clone(), next);
        next
    }

    fn pass(&mut self, read: &Read) -> Pass {
        Pass { id: read.id, plate: read.plate, camera: self.of(&read.camera), seen: read.seen.as_second() }
    }
}

/// Stretches of time around these moments, joined where they touch, none longer than a store answers.
fn around(mut moments: Vec<i64>, within: i64, (first, end): (i64, i64)) -> Vec<(i64, i64)> {
    moments.sort_unstable();
    let mut joined: Vec<(i64, i64)> = Vec::new();
    for moment in moments {
        let (from, until) =
            (moment.saturating_sub(within).max(first), (moment.saturating_add(within + 1)).min(end));
        match joined.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(until),
            _ => joined.push((from, until)),
        }
    }
    let mut short = Vec::with_capacity(joined.len());
    for (mut from, until) in joined {
        while until.saturating_sub(from) > STRETCH {
            short.push((from, from + STRETCH));
            from += STRETCH;
        }
        short.push((from, until));
    }
    short
}

/// What all reads of some cameras are asked by.
#[derive(Clone, Copy)]
struct Only {
    confidence: Confidence,
    vehicle: Option<canvass_plates::VehicleType>,
    colour: Option<canvass_plates::Colour>,
}

fn query(cameras: BTreeSet<CameraId>, (from, until): (i64, i64), only: Only, hits_only: bool) -> ReadQuery {
    ReadQuery {
        confidence: only.confidence,
        vehicle: only.vehicle,
        colour: only.colour,
        hits_only,
        ..ReadQuery::cameras(cameras, Time::from_second(from), Time::from_second(until))
    }
}

impl Reads {
    /// Looks for company as granted, once.
    ///
    /// # Errors
    /// [`CoreError::Invalid`] when there is more than can be looked at; [`CoreError::Reads`].
    pub fn convoy(&self, granted: GrantedConvoy) -> Result<FoundConvoy, CoreError> {
        let GrantedConvoy { granted, terms, pattern } = granted;
        let mut own: Vec<Match> = Vec::new();
        for query in granted.queries() {
            let left = MOST_PASSES.saturating_sub(own.len());
            if self.each(query, left, |found| own.push(found))?.is_none() {
                let message = format!("the plate was read more than {MOST_PASSES} times in this window");
                let remedy = "take a shorter window, or fewer cameras";
                return Err(CoreError::field("from", "many", &message, remedy));
            }
        }
        own.sort_by_key(|found| (found.read.seen, found.read.id));
        let mut numbers = Numbers::default();
        let passes: Vec<Pass> = own.iter().map(|found| numbers.pass(&found.read)).collect();
        let confidence = granted.queries().first().map_or(Confidence::FULL, |query| query.confidence);
        let only = Only { confidence, vehicle: None, colour: None };
        let others = self.near(&granted, &own, only, terms.within, &mut numbers)?;
        let companions = convoy(&passes, &others, terms.within, terms.least).map_err(|error| {
            let text = error.to_string();
            let (message, remedy) = text.split_once("; ").unwrap_or((&text, "take a shorter window"));
            CoreError::field("within", "pairs", message, remedy)
        })?;
        let more = companions.len().saturating_sub(terms.limit);
        let companions: Vec<(Companion, bool)> = companions
            .into_iter()
            .take(terms.limit)
            .map(|one| {
                let same = perhaps_same(&pattern, &one.plate);
                (one, same)
            })
            .collect();
        let wanted = companions.iter().map(|(one, _)| {
            (one.plate, one.meetings.iter().take(MEETINGS_SHOWN).map(|meeting| meeting.other).collect())
        });
        let reads = self.of_plates(&granted, only, wanted, &others)?;
        Ok(FoundConvoy { granted, own, companions, reads, more, looked: others.len() })
    }

    /// Everything that passed the cameras near these reads.
    fn near(
        &self,
        granted: &Granted<PlateConvoy>,
        own: &[Match],
        only: Only,
        within: i64,
        numbers: &mut Numbers,
    ) -> Result<Vec<Pass>, CoreError> {
        let Some(first) = granted.queries().first() else { return Ok(Vec::new()) };
        let window = (first.from.as_second(), first.until.as_second());
        let mut moments: BTreeMap<&CameraId, Vec<i64>> = BTreeMap::new();
        for found in own {
            moments.entry(&found.read.camera).or_default().push(found.read.seen.as_second());
        }
        let mut others: Vec<Pass> = Vec::new();
        for (camera, moments) in moments {
            let hits_only = granted.sets.get(&true).is_some_and(|set| set.contains(camera));
            for stretch in around(moments, within, window) {
                let query = query(BTreeSet::from([camera.clone()]), stretch, only, hits_only);
                let left = MOST_LOOKED.saturating_sub(others.len());
                if self.each(&query, left, |found| others.push(numbers.pass(&found.read)))?.is_none() {
                    let message = format!("more than {MOST_LOOKED} reads lie near this plate's passes");
                    let remedy = "take a shorter interval or window, or fewer cameras";
                    return Err(CoreError::field("within", "many", &message, remedy));
                }
            }
        }
        Ok(others)
    }

    /// Looks who was at several places as granted, once.
    ///
    /// # Errors
    /// [`CoreError::Invalid`] when a place has more reads than can be looked at; [`CoreError::Reads`].
    pub fn places(&self, granted: GrantedPlaces) -> Result<FoundPlaces, CoreError> {
        let GrantedPlaces { granted, terms, confidence, vehicle, colour } = granted;
        let only = Only { confidence, vehicle, colour };
        let mut numbers = Numbers::default();
        let mut places: Vec<Vec<Pass>> = Vec::with_capacity(terms.places.len());
        for (at, (place, cameras)) in terms.places.iter().zip(&granted.wishes).enumerate() {
            let field = format!("places.{at}.cameras");
            if cameras.is_empty() {
                let message = "no camera of this place may be searched";
                return Err(CoreError::field(&field, "none", message, "name others, or leave the place out"));
            }
            let window = (place.from.as_second(), place.until.as_second());
            let mut passes: Vec<Pass> = Vec::new();
            for (hits_only, set) in &granted.sets {
                let cameras: BTreeSet<CameraId> = cameras.intersection(set).cloned().collect();
                if cameras.is_empty() {
                    continue;
                }
                let left = MOST_LOOKED.saturating_sub(passes.len());
                let query = query(cameras, window, only, *hits_only);
                if self.each(&query, left, |found| passes.push(numbers.pass(&found.read)))?.is_none() {
                    let message = format!("this place has more than {MOST_LOOKED} reads in its window");
                    let remedy = "take a shorter window, or fewer cameras";
                    return Err(CoreError::field(&field, "many", &message, remedy));
                }
            }
            places.push(passes);
        }
        let mut visitors = at_places(&places, terms.least);
        let more = visitors.len().saturating_sub(terms.limit);
        visitors.truncate(terms.limit);
        let wanted = visitors.iter().map(|one| {
            let shown = one.reads.iter().flat_map(|reads| reads.iter().take(READS_SHOWN));
            (one.plate, shown.copied().collect())
        });
        let all: Vec<Pass> = places.iter().flatten().copied().collect();
        let reads = self.of_plates(&granted, only, wanted, &all)?;
        let looked = places.iter().map(Vec::len).collect();
        Ok(FoundPlaces { granted, visitors, reads, more, looked })
    }

    /// The reads of some plates that are to be shown, whole. They were looked at before, as `passes`.
    fn of_plates<A>(
        &self,
        granted: &Granted<A>,
        only: Only,
        wanted: impl Iterator<Item = (PlateText, BTreeSet<ReadId>)>,
        passes: &[Pass],
    ) -> Result<HashMap<ReadId, Read>, CoreError> {
        let wanted: Vec<(PlateText, BTreeSet<ReadId>)> = wanted.collect();
        let ids: BTreeSet<ReadId> = wanted.iter().flat_map(|(_, ids)| ids.iter().copied()).collect();
        let seen: HashMap<ReadId, i64> =
            passes.iter().filter(|pass| ids.contains(&pass.id)).map(|pass| (pass.id, pass.seen)).collect();
        let mut reads = HashMap::with_capacity(ids.len());
        for (plate, ids) in wanted {
            let moments = ids.iter().filter_map(|id| seen.get(id)).copied().collect();
            // One look for each second that holds such a read: a plate that stands before a camera has many more.
            for (from, until) in around(moments, 0, (i64::MIN, i64::MAX)) {
                for (hits_only, cameras) in &granted.sets {
                    let query = ReadQuery {
                        pattern: Some(PlatePattern::Exact(plate)),
                        ..query(cameras.clone(), (from, until), only, *hits_only)
                    };
                    self.each(&query, MOST_LOOKED, |found| {
                        if ids.contains(&found.read.id) {
                            reads.insert(found.read.id, found.read);
                        }
                    })?;
                }
            }
        }
        Ok(reads)
    }
}

/// A read that is as it was asked for.
fn exact(read: Read) -> Match {
    Match { read, label: canvass_plates::MatchLabel::Exact, differences: Vec::new() }
}

impl<R: Records> App<R> {
    /// What company was found, for people; and the record of how much it was.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn convoy_found(&self, found: FoundConvoy) -> Result<ConvoyFound, CoreError> {
        self.note_result(&found.granted, found.companions.len()).await?;
        let own = found.own.iter().map(|one| &one.read);
        self.note_pictures(&found.granted, found.reads.values().chain(own));
        Ok(found.told())
    }

    /// What visitors were found, for people; and the record of how many there were.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn places_found(&self, found: FoundPlaces) -> Result<PlacesFound, CoreError> {
        self.note_result(&found.granted, found.visitors.len()).await?;
        self.note_pictures(&found.granted, found.reads.values());
        Ok(found.told())
    }
}

impl FoundConvoy {
    /// For people.
    pub(super) fn told(self) -> ConvoyFound {
        let Self { granted, own, companions, reads, more, looked } = self;
        let met = |one: &Companion| {
            let shown = one.meetings.iter().take(MEETINGS_SHOWN);
            let told = shown.filter_map(|meeting| {
                let read = reads.get(&meeting.other)?.clone();
                Some(MeetingFound { own: meeting.own, gap: meeting.gap, read: granted.found(exact(read)) })
            });
            told.collect()
        };
        let companions = companions
            .iter()
            .map(|(one, perhaps_same)| CompanionFound {
                plate: one.plate,
                cameras: count(one.cameras),
                passes: count(one.passes),
                apart: one.apart(),
                perhaps_same: *perhaps_same,
                meetings: met(one),
            })
            .collect();
        let (searched, left_out) = granted.owners();
        ConvoyFound {
            passes: own.into_iter().map(|found| granted.found(found)).collect(),
            companions,
            more: count(more),
            looked: count(looked),
            search: granted.first.clone(),
            searched,
            left_out,
        }
    }
}

impl FoundPlaces {
    /// For people.
    pub(super) fn told(self) -> PlacesFound {
        let Self { granted, visitors, reads, more, looked } = self;
        let at = |ids: &Vec<ReadId>| AtPlace {
            count: count(ids.len()),
            reads: ids
                .iter()
                .take(READS_SHOWN)
                .filter_map(|id| Some(granted.found(exact(reads.get(id)?.clone()))))
                .collect(),
        };
        let visitors = visitors
            .iter()
            .map(|one| VisitorFound {
                plate: one.plate,
                places: count(one.places),
                cameras: count(one.cameras),
                at: one.reads.iter().map(at).collect(),
            })
            .collect();
        let (searched, left_out) = granted.owners();
        PlacesFound {
            visitors,
            more: count(more),
            looked: looked.into_iter().map(count).collect(),
            search: granted.first.clone(),
            searched,
            left_out,
        }
    }
}

impl ConvoyFound {
    /// All reads that it shows.
    pub(super) fn reads(&self) -> impl Iterator<Item = &FoundRead> {
        let meetings =
            self.companions.iter().flat_map(|one| one.meetings.iter().map(|meeting| &meeting.read));
        self.passes.iter().chain(meetings)
    }
}

impl PlacesFound {
    /// All reads that it shows.
    pub(super) fn reads(&self) -> impl Iterator<Item = &FoundRead> {
        self.visitors.iter().flat_map(|one| one.at.iter().flat_map(|at| &at.reads))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_join_where_they_touch_and_stay_inside_the_window() {
        assert_eq!(around(vec![100, 105, 300], 10, (0, 1_000)), [(90, 116), (290, 311)]);
        assert_eq!(around(vec![3, 998], 10, (0, 1_000)), [(0, 14), (988, 1_000)]);
        let parked: Vec<i64> = (0..400).map(|at| at * 900).collect();
        let stretches = around(parked, 900, (0, 360_000));
        assert!(stretches.iter().all(|(from, until)| until - from <= STRETCH));
        assert_eq!((stretches[0].0, stretches.last().unwrap().1), (0, 360_000));
        assert!(stretches.windows(2).all(|pair| pair[0].1 == pair[1].0));
    }
}

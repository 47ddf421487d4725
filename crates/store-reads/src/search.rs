//! Answers a query from segments and from what is in memory, newest first.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use canvass_plates::{
    Colour, Cursor, Match, MatchLabel, Page, PlatePattern, PlateText, ReadId, ReadQuery, StoreError, Token,
    VehicleType, Wildcard, compare, confusables,
};
use canvass_types::Time;
use memchr::memmem::Finder;
use rustc_hash::FxHashSet;

use crate::{
    cache::Cache,
    mem::Mem,
    pack::Column,
    row::{Names, Row},
    segment::{
        BLOCKS_AHEAD, Group, Kind, Near, ROWS, RowBlock, Segment, Sorted, Span, TIMES, joined, take_plate,
    },
};

/// Most segments that are looked through side by side, and hands that do it: they wait for the disk most of the time.
const TOGETHER: usize = 8;
const HANDS: usize = 4;
/// Blocks of plates that may be read for nothing, when the newest segment alone would have had all that is wanted.
const FOR_NOTHING: usize = 256;
/// Blocks of plates that tell how many of a segment's plates fit.
const ENOUGH: usize = 16;
/// Blocks of times for each plate that fits, from which on their times are read in long runs.
const SPARSE: usize = 4;

/// When a row was seen, which it is, and the place of its plate's group.
type Candidate = (i64, u32, usize);

/// What of a segment fits a pattern.
struct Found {
    groups: Vec<Group>,
    candidates: Vec<Candidate>,
}

/// Does the same with each segment, several at a time; the answers come in the order of the segments.
fn side_by_side<T: Send>(
    segments: &[&Segment],
    each: impl Fn(&Segment) -> Result<T, StoreError> + Sync,
) -> Result<Vec<T>, StoreError> {
    if let [one] = segments {
        return Ok(vec![each(one)?]);
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(segment) = segments.get(at) else { return done };
            done.push((at, each(segment)));
        }
    };
    let mut all = thread::scope(|scope| {
        // A thread that the system refuses leaves its share to the others.
        let hands: Vec<_> = (1..HANDS.min(segments.len()))
            .filter_map(|_| thread::Builder::new().spawn_scoped(scope, work).ok())
            .collect();
        let mut all = work();
        for hand in hands {
            all.extend(hand.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        all
    });
    all.sort_unstable_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, found)| found).collect()
}

/// A query, made ready for this store.
pub(crate) struct Search<'a> {
    query: &'a ReadQuery,
    from: i64,
    until: i64,
    confidence: u8,
    vehicle: u8,
    colour: u8,
    cameras: Option<FxHashSet<u32>>,
    cursor: Option<(i64, ReadId)>,
    top: BTreeMap<(i64, ReadId), Row>,
    near: Option<Near>,
}

impl<'a> Search<'a> {
    pub(crate) fn new(query: &'a ReadQuery, names: &Names) -> Self {
        let cameras = query.cameras.as_ref();
        Self {
            query,
            from: query.from.as_second(),
            until: query.until.as_second(),
            confidence: query.confidence.percent(),
            vehicle: VehicleType::number(query.vehicle),
            colour: Colour::number(query.colour),
            cameras: cameras.map(|all| all.iter().filter_map(|camera| names.known_camera(camera)).collect()),
            cursor: query.cursor.map(|cursor| (cursor.seen.as_second(), cursor.id)),
            top: BTreeMap::new(),
            near: match &query.pattern {
                Some(PlatePattern::Tolerant(plate)) => Some(Near::new(plate, confusables::standard())),
                _ => None,
            },
        }
    }

    /// Whether a read of that time can still be among the newest.
    #[inline]
    fn wants(&self, seen: i64) -> bool {
        seen >= self.from
            && seen < self.until
            && self.cursor.is_none_or(|(last, _)| seen <= last)
            && (self.top.len() <= self.query.limit
                || self.top.first_key_value().is_none_or(|(least, _)| seen >= least.0))
    }

    fn push(&mut self, row: Row) {
        let place = (row.seen, row.id);
        if self.cursor.is_some_and(|cursor| place >= cursor) {
            return;
        }
        self.top.insert(place, row);
        // One more than asked for tells whether there is a next page.
        if self.top.len() > self.query.limit + 1 {
            self.top.pop_first();
        }
    }

    /// Looks through rows that are in memory.
    pub(crate) fn memory(&mut self, mem: &Mem) {
        for (_, slice) in mem.slices() {
            match &self.query.pattern {
                None => slice.rows.iter().for_each(|row| self.row_in_memory(row)),
                Some(PlatePattern::Exact(plate)) => {
                    slice.of_plate(plate).for_each(|row| self.row_in_memory(row))
                }
                Some(pattern) => {
                    let fits = |plate: &&PlateText| match pattern {
                        PlatePattern::Exact(asked) => asked == *plate,
                        PlatePattern::Wildcard(asked) => asked.fits(plate.as_bytes()),
                        PlatePattern::Tolerant(_) => self.near.as_ref().is_some_and(|near| near.fits(plate)),
                    };
                    let plates: Vec<&PlateText> = slice.plates().filter(fits).collect();
                    let rows = plates.into_iter().flat_map(|plate| slice.of_plate(plate));
                    rows.for_each(|row| self.row_in_memory(row));
                }
            }
        }
    }

    fn row_in_memory(&mut self, row: &Row) {
        let fits = self.wants(row.seen)
            && row.confidence >= self.confidence
            && (self.vehicle == 0 || row.vehicle == self.vehicle)
            && (self.colour == 0 || row.colour == self.colour)
            && (row.hit || !self.query.hits_only)
            && self.cameras.as_ref().is_none_or(|cameras| cameras.contains(&row.camera));
        if fits {
            self.push(row.clone());
        }
    }

    /// Whether anything in this span of time can be among the newest.
    pub(crate) fn wants_span(&self, (first, last): (i64, i64)) -> bool {
        let newest =
            last.min(self.until.saturating_sub(1)).min(self.cursor.map_or(i64::MAX, |(last, _)| last));
        newest >= first && self.wants(newest)
    }

    fn wants_segment(&self, segment: &Segment) -> bool {
        self.wants_span(segment.about.seen)
            && self
                .cameras
                .as_ref()
                .is_none_or(|cameras| cameras.iter().any(|camera| segment.place_of(*camera).is_some()))
    }

    /// Looks through segments, the newest first.
    pub(crate) fn segments(&mut self, segments: &[Arc<Segment>], cache: &Cache) -> Result<(), StoreError> {
        if self.query.pattern.is_none() {
            return segments.iter().try_for_each(|segment| match self.wants_segment(segment) {
                true => self.by_camera(segment, cache),
                false => Ok(()),
            });
        }
        let (mut together, mut looked) = (self.at_first(segments, cache), 0);
        let mut rest = segments.iter().map(AsRef::as_ref);
        loop {
            let now: Vec<&Segment> =
                rest.by_ref().filter(|segment| self.wants_segment(segment)).take(together).collect();
            if now.is_empty() {
                return Ok(());
            }
            let find = |segment: &Segment| self.find(segment, cache);
            // What is in memory is found sooner than threads begin.
            let found = match now.iter().any(|segment| self.cold(segment, cache)) {
                true => side_by_side(&now, find)?,
                false => now.iter().map(|segment| find(segment)).collect::<Result<Vec<_>, _>>()?,
            };
            let mut missing = self.missing();
            for (segment, found) in now.iter().zip(&found) {
                missing -= self.rows_ahead(segment, cache, &found.candidates, missing);
            }
            for (segment, found) in now.iter().zip(found) {
                let plate = |_: u32, group: usize| {
                    let group =
                        found.groups.get(group).ok_or_else(|| segment.damaged("its plates differ"))?;
                    Ok(group.plate)
                };
                self.rows(segment, cache, &found.candidates, &plate)?;
            }
            looked += now.len();
            together = self.more(looked);
        }
    }

    /// How many segments are looked through at first: the newest alone, for what is in it may be all that is wanted,
    /// unless little has to be read of each.
    fn at_first(&self, segments: &[Arc<Segment>], cache: &Cache) -> usize {
        let newest = segments.iter().find(|segment| self.wants_segment(segment));
        let Some(newest) = newest.filter(|newest| self.cold(newest, cache)) else { return 1 };
        let blocks = match &self.query.pattern {
            Some(PlatePattern::Wildcard(asked)) => blocks_of(newest, asked).iter().map(Range::len).sum(),
            _ => 1,
        };
        (FOR_NOTHING / blocks.max(1)).clamp(1, TOGETHER)
    }

    /// Reads that the page still lacks, with the one that tells of a next page.
    fn missing(&self) -> usize {
        self.query.limit.saturating_add(1).saturating_sub(self.top.len())
    }

    /// Whether the first plates that can fit have to be read from the disk.
    fn cold(&self, segment: &Segment, cache: &Cache) -> bool {
        let from = match &self.query.pattern {
            None => return false,
            Some(PlatePattern::Exact(plate)) => Some(Sorted::of(plate)),
            Some(PlatePattern::Tolerant(_)) => self.near.as_ref().and_then(Near::first),
            Some(PlatePattern::Wildcard(asked)) => beginnings(asked).first().map(|(from, _)| *from),
        };
        let block = from.and_then(|from| segment.text_of(|(_, plate)| Sorted::of(plate) <= from));
        !segment.cached(cache, Kind::Text, block.unwrap_or(0))
    }

    /// How many more segments a page needs, as far as those that were looked through tell.
    fn more(&self, looked: usize) -> usize {
        match self.top.len() {
            0 => TOGETHER,
            found => self.missing().saturating_mul(looked).div_ceil(found).clamp(1, TOGETHER),
        }
    }

    /// Plates of a segment that fit, and their rows that are new enough, the newest first.
    fn find(&self, segment: &Segment, cache: &Cache) -> Result<Found, StoreError> {
        let groups = match &self.query.pattern {
            None => Vec::new(),
            Some(PlatePattern::Exact(plate)) => segment.exact(cache, plate)?.into_iter().collect(),
            Some(PlatePattern::Tolerant(_)) => match &self.near {
                Some(near) => segment.near(cache, near)?,
                None => Vec::new(),
            },
            Some(PlatePattern::Wildcard(wildcard)) => self::wildcard(segment, cache, wildcard)?,
        };
        let mut candidates = self.times(segment, cache, &groups)?;
        candidates.sort_unstable_by_key(|(seen, ..)| std::cmp::Reverse(*seen));
        Ok(Found { groups, candidates })
    }

    /// Rows of groups that are new enough, with their time and the place of their group.
    fn times(
        &self,
        segment: &Segment,
        cache: &Cache,
        groups: &[Group],
    ) -> Result<Vec<Candidate>, StoreError> {
        let mut candidates = Vec::new();
        let starts = || groups.iter().map(|group| group.start as usize);
        let mut blocks: Vec<usize> = starts().map(|row| row / TIMES).collect();
        blocks.dedup();
        let many = many(segment, groups);
        if blocks.len() > 1 {
            segment.ahead(cache, Kind::Times, blocks.into_iter());
        }
        if groups.len() <= self.missing() {
            // So few that all of their rows are most likely wanted.
            let mut blocks: Vec<usize> = starts().map(|row| row / ROWS).collect();
            blocks.dedup();
            segment.ahead(cache, Kind::Rows, blocks.into_iter());
        }
        let mut ahead = (0, Vec::new());
        let mut held: Option<(usize, Arc<[u8]>)> = None;
        for (place, group) in groups.iter().enumerate() {
            for row in group.start..group.start.saturating_add(group.rows) {
                let index = row as usize / TIMES;
                let block = match held.take() {
                    Some((at, block)) if at == index => block,
                    _ if many => {
                        if !(ahead.0..ahead.0 + ahead.1.len()).contains(&index) {
                            let until = segment.blocks(Kind::Times).min(index + BLOCKS_AHEAD);
                            ahead = (index, segment.block_run(cache, Kind::Times, index..until)?);
                        }
                        let block = ahead.1.get(index - ahead.0).cloned();
                        block.ok_or_else(|| segment.damaged("a row has no time"))?
                    }
                    _ => segment.block(cache, Kind::Times, index)?,
                };
                let column: Column<'_> = segment.times(&block, index)?;
                let seen = column.get(row as usize % TIMES);
                held = Some((index, block));
                if self.wants(seen) {
                    candidates.push((seen, row, place));
                } else if seen < self.from {
                    break;
                }
            }
        }
        Ok(candidates)
    }

    /// Tells the system which rows are about to be read, `most` at most; how many comes back.
    fn rows_ahead(&self, segment: &Segment, cache: &Cache, candidates: &[Candidate], most: usize) -> usize {
        let wanted = candidates.iter().take(most).filter(|(seen, ..)| self.wants(*seen));
        let mut blocks: Vec<usize> = wanted.map(|(_, row, _)| *row as usize / ROWS).collect();
        let told = blocks.len();
        blocks.sort_unstable();
        blocks.dedup();
        segment.ahead(cache, Kind::Rows, blocks.into_iter());
        told
    }

    /// Reads rows, the newest first, until no more are wanted.
    fn rows(
        &mut self,
        segment: &Segment,
        cache: &Cache,
        candidates: &[Candidate],
        plate: &dyn Fn(u32, usize) -> Result<PlateText, StoreError>,
    ) -> Result<(), StoreError> {
        let mut held: Option<(usize, Arc<[u8]>)> = None;
        for (seen, row, group) in candidates {
            if !self.wants(*seen) {
                break;
            }
            let (index, at) = (*row as usize / ROWS, *row as usize % ROWS);
            let bytes = match held.take() {
                Some((before, bytes)) if before == index => bytes,
                _ => segment.block(cache, Kind::Rows, index)?,
            };
            let block = segment.rows(&bytes, index)?;
            if at >= block.rows {
                return Err(segment.damaged("a row is missing"));
            }
            if self.passes(segment, &block, at) {
                self.push(segment.row(&block, at, plate(*row, *group)?, *seen)?);
            }
            held = Some((index, bytes));
        }
        Ok(())
    }

    fn passes(&self, segment: &Segment, block: &RowBlock<'_>, at: usize) -> bool {
        block.confidence.byte(at) >= self.confidence
            && (self.vehicle == 0 || block.vehicle.byte(at) == self.vehicle)
            && (self.colour == 0 || block.colour.byte(at) == self.colour)
            && (block.marks.byte(at) & 1 != 0 || !self.query.hits_only)
            && self.cameras.as_ref().is_none_or(|cameras| {
                let place = u32::try_from(block.camera.get(at)).ok();
                place.and_then(|place| segment.camera(place)).is_some_and(|camera| cameras.contains(&camera))
            })
    }

    /// All rows of the cameras.
    fn by_camera(&mut self, segment: &Segment, cache: &Cache) -> Result<(), StoreError> {
        let mut candidates = Vec::new();
        let cameras = self.cameras.iter().flatten().filter_map(|camera| segment.place_of(*camera));
        for place in cameras {
            segment.each_of_camera(cache, place, &mut |seen, row| {
                if self.wants(seen) {
                    candidates.push((seen, u32::try_from(row).unwrap_or(u32::MAX), 0));
                }
                seen >= self.from
            })?;
        }
        candidates.sort_unstable_by_key(|(seen, ..)| std::cmp::Reverse(*seen));
        let plate = |row: u32, _: usize| segment.plate_of(cache, row);
        self.rows(segment, cache, &candidates, &plate)
    }

    /// The page.
    pub(crate) fn page(self, names: &Names) -> Result<Page, StoreError> {
        let more = self.top.len() > self.query.limit;
        let mut matches = Vec::with_capacity(self.query.limit.min(self.top.len()));
        for row in self.top.into_values().rev().take(self.query.limit) {
            let broken = |_| StoreError::Damaged("row".to_owned(), "a value is none");
            let read = row.read(names).map_err(broken)?;
            let (label, differences) = match &self.query.pattern {
                None => (MatchLabel::Exact, Vec::new()),
                Some(pattern) => compare(pattern, &read.plate, confusables::standard())
                    .unwrap_or((MatchLabel::Exact, Vec::new())),
            };
            matches.push(Match { read, label, differences });
        }
        let next = matches
            .last()
            .filter(|_| more)
            .map(|last| Cursor { seen: Time::from_second(last.read.seen.as_second()), id: last.read.id });
        Ok(Page { matches, next })
    }
}

/// Where plates that fit a wildcard stand in the order: those that begin as it does up to its first `*`, each character
/// that may be any one asked for class by class.
fn beginnings(asked: &Wildcard) -> Vec<Span> {
    let head = asked.tokens().iter().take_while(|token| **token != Token::Run);
    Sorted::ranges(head.map(|token| {
        let choices: Vec<u8> = match token {
            Token::Character(fixed) => vec![*fixed],
            Token::One | Token::Run => (b'0'..=b'9').chain(b'A'..=b'Z').collect(),
        };
        choices.into_iter()
    }))
}

/// The blocks of a segment's plates in which these stand.
fn blocks_of(segment: &Segment, asked: &Wildcard) -> Vec<Range<usize>> {
    joined(beginnings(asked).into_iter().map(|span| segment.texts_in(span)).collect())
}

/// Whether a segment's plates are so many that their times are read in long runs.
fn many(segment: &Segment, groups: &[Group]) -> bool {
    groups.len() > segment.blocks(Kind::Times) / SPARSE
}

/// Plates that fit a wildcard: a look through the parts of the packed plates that its beginning leaves. One hand does it, for
/// blocks that others opened would stay in their parts of the memory, long after the cache let go of them.
fn wildcard(segment: &Segment, cache: &Cache, asked: &Wildcard) -> Result<Vec<Group>, StoreError> {
    let ranges = blocks_of(segment, asked);
    if ranges.len() > 1 {
        // All of them from the start: the disk is what is waited for.
        segment.ahead(cache, Kind::Text, ranges.iter().flat_map(Clone::clone));
    }
    let mut groups = Vec::new();
    for range in ranges {
        groups.append(&mut wildcard_in(segment, cache, asked, range)?);
    }
    Ok(groups)
}

/// The same in some of the blocks.
fn wildcard_in(
    segment: &Segment,
    cache: &Cache,
    asked: &Wildcard,
    range: Range<usize>,
) -> Result<Vec<Group>, StoreError> {
    let literal = asked.longest();
    let finder = (literal.len() > 1).then(|| Finder::new(&literal));
    let mut groups = Vec::new();
    let (times, texts) = (segment.blocks(Kind::Times), segment.blocks(Kind::Text).max(1));
    let (first, blocks) = (range.start, range.len());
    let mut told = false;
    segment.each_block(cache, Kind::Text, range, &mut |index, block| {
        let row = segment.about.texts.get(index).map_or(0, |(row, _)| *row);
        match &finder {
            Some(finder) => found_in(block, row, asked, finder, &mut groups),
            None => all_in(block, row, asked, &mut groups),
        }
        // Where most times will be wanted, the system fetches them while the rest of the plates is looked through.
        let looked = index + 1 - first;
        if !told && looked >= ENOUGH && groups.len() * texts / looked > times / SPARSE {
            segment.ahead(
                cache,
                Kind::Times,
                times * first / texts..(times * (first + blocks)).div_ceil(texts),
            );
            told = true;
        }
        Ok(())
    })?;
    Ok(groups)
}

fn all_in(block: &[u8], mut row: u32, asked: &Wildcard, groups: &mut Vec<Group>) {
    let mut rest = block;
    while let Some((plate, rows, behind)) = take_plate(rest) {
        if asked.fits(plate) {
            groups.extend(PlateText::from_bytes(plate).map(|plate| Group { plate, start: row, rows }));
        }
        row = row.wrapping_add(rows);
        rest = behind;
    }
}

/// The same by the places where the longest fixed part stands. Counts stand between the plates, so the way there is
/// only walked when something was found.
fn found_in(block: &[u8], mut row: u32, asked: &Wildcard, finder: &Finder<'_>, groups: &mut Vec<Group>) {
    let (mut rest, mut at) = (block, 0);
    for hit in finder.find_iter(block) {
        if hit < at {
            continue;
        }
        let start = block
            .get(..hit)
            .and_then(|head| head.iter().rposition(|byte| *byte >= 0x80))
            .map_or(0, |end| end + 1);
        let Some((plate, rows, behind)) = block.get(start..).and_then(take_plate) else { break };
        if !asked.fits(plate) {
            continue;
        }
        while at < start {
            let Some((_, rows, behind)) = take_plate(rest) else { return };
            row = row.wrapping_add(rows);
            rest = behind;
            at = block.len() - rest.len();
        }
        groups.extend(PlateText::from_bytes(plate).map(|plate| Group { plate, start: row, rows }));
        row = row.wrapping_add(rows);
        rest = behind;
        at = block.len() - rest.len();
    }
}

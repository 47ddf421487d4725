//! Goes through whole segments: to merge them, and to check them.

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc};

use canvass_plates::{PlateText, StoreError};

use super::{
    BLOCKS_AHEAD,
    format::{BY_CAMERA, Kind, ROWS, TIMES, bucket_bits, tag_of, take_end},
    order::Sorted,
    reader::{Plates, Segment},
};
use crate::{
    cache::Cache,
    pack::{Reader, packed, width_of},
    row::Row,
};

/// All rows of a segment, in order, past the cache.
pub(crate) struct Scan {
    segment: Arc<Segment>,
    row: usize,
    rows: (usize, Vec<Vec<u8>>),
    times: (usize, Vec<Vec<u8>>),
    texts: (usize, Vec<u8>),
    at_text: usize,
    group: Option<(PlateText, u32)>,
    decoded: std::vec::IntoIter<Row>,
}

impl Scan {
    pub(crate) fn new(segment: Arc<Segment>) -> Self {
        Self {
            segment,
            row: 0,
            rows: (0, Vec::new()),
            times: (0, Vec::new()),
            texts: (0, Vec::new()),
            at_text: 0,
            group: None,
            decoded: Vec::new().into_iter(),
        }
    }

    /// Reads ahead, so that `index` is among the blocks that are held.
    fn held(
        segment: &Segment,
        held: &mut (usize, Vec<Vec<u8>>),
        kind: Kind,
        index: usize,
    ) -> Result<(), StoreError> {
        if !(held.0..held.0 + held.1.len()).contains(&index) {
            let until = segment.blocks(kind).min(index + BLOCKS_AHEAD);
            *held = (index, segment.fetch(kind, index, until)?);
        }
        Ok(())
    }

    /// The plate of the row that comes next.
    fn plate(&mut self) -> Result<PlateText, StoreError> {
        let missing = |segment: &Segment| segment.damaged("a row has no plate");
        let row = u32::try_from(self.row).unwrap_or(u32::MAX);
        if let Some((plate, end)) = self.group
            && row < end
        {
            return Ok(plate);
        }
        loop {
            let rest = self.texts.1.get(self.at_text..).unwrap_or_default();
            if rest.is_empty() {
                let index = self.texts.0;
                let block = self.segment.fetch(Kind::Text, index, index + 1)?.pop();
                self.texts = (index + 1, block.ok_or_else(|| missing(&self.segment))?);
                self.at_text = 0;
                continue;
            }
            let start = self.group.map_or(0, |(_, end)| end);
            let mut plates = Plates::of(rest, start);
            let (plate, start, rows) = plates.next().ok_or_else(|| missing(&self.segment))?;
            let plate = PlateText::from_bytes(plate).ok_or_else(|| missing(&self.segment))?;
            if self.group.is_some_and(|(before, _)| Sorted::of(&before) >= Sorted::of(&plate)) {
                return Err(self.segment.damaged("its plates are out of order"));
            }
            self.at_text += rest.len() - plates.rest();
            self.group = Some((plate, start.saturating_add(rows)));
            return Ok(plate);
        }
    }

    fn decode(&mut self) -> Result<(), StoreError> {
        let index = self.row / ROWS;
        let segment = Arc::clone(&self.segment);
        Self::held(&segment, &mut self.rows, Kind::Rows, index)?;
        let bytes = self.rows.1.get_mut(index - self.rows.0).map(std::mem::take).unwrap_or_default();
        let block = segment.rows(&bytes, index)?;
        let mut decoded = Vec::with_capacity(block.rows);
        for at in 0..block.rows {
            let time = self.row / TIMES;
            Self::held(&segment, &mut self.times, Kind::Times, time)?;
            let times = self.times.1.get(time - self.times.0).map(Vec::as_slice).unwrap_or_default();
            let seen = segment.times(times, time)?.get(self.row % TIMES);
            let plate = self.plate()?;
            decoded.push(segment.row(&block, at, plate, seen)?);
            self.row += 1;
        }
        self.decoded = decoded.into_iter();
        Ok(())
    }
}

impl Iterator for Scan {
    type Item = Result<Row, StoreError>;
    fn next(&mut self) -> Option<Self::Item> {
        if let Some(row) = self.decoded.next() {
            return Some(Ok(row));
        }
        if self.row >= self.segment.about.rows as usize {
            return None;
        }
        if let Err(error) = self.decode() {
            self.row = usize::MAX;
            return Some(Err(error));
        }
        self.decoded.next().map(Ok)
    }
}

impl<'a> Plates<'a> {
    fn of(text: &'a [u8], row: u32) -> Self {
        Plates { text, row }
    }

    fn rest(&self) -> usize {
        self.text.len()
    }
}

/// A row that comes next in its segment, with its place in the order and the place of its segment.
struct Head(Row, Sorted, usize);

impl Head {
    fn new(row: Row, at: usize) -> Self {
        let sorted = Sorted::of(&row.plate);
        Self(row, sorted, at)
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Head {}
impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Head {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.1.cmp(&other.1).then_with(|| self.0.newer(&other.0))
    }
}

/// Rows of several segments in one order; what stands twice comes once.
pub(crate) fn merge(segments: &[Arc<Segment>]) -> impl Iterator<Item = Result<Row, StoreError>> {
    let mut scans: Vec<Scan> = segments.iter().map(|segment| Scan::new(Arc::clone(segment))).collect();
    let mut heap = BinaryHeap::new();
    let mut failed = None;
    for (at, scan) in scans.iter_mut().enumerate() {
        match scan.next() {
            Some(Ok(row)) => heap.push(Reverse(Head::new(row, at))),
            Some(Err(error)) => failed = Some(error),
            None => {}
        }
    }
    let mut last = None;
    std::iter::from_fn(move || {
        if let Some(error) = failed.take() {
            heap.clear();
            return Some(Err(error));
        }
        loop {
            let Reverse(Head(row, _, at)) = heap.pop()?;
            match scans.get_mut(at).and_then(Iterator::next) {
                Some(Ok(next)) => heap.push(Reverse(Head::new(next, at))),
                Some(Err(error)) => {
                    heap.clear();
                    return Some(Err(error));
                }
                None => {}
            }
            if last.replace((row.plate, row.id)) != Some((row.plate, row.id)) {
                return Some(Ok(row));
            }
        }
    })
}

impl Segment {
    /// Reads all of it and compares its parts with each other.
    pub(crate) fn check(self: &Arc<Self>, cache: &Cache) -> Result<(), StoreError> {
        let rows = self.about.rows as usize;
        let (mut ids, mut cameras) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        let mut ends = Vec::with_capacity(self.about.plates as usize);
        let mut before: Option<Row> = None;
        for row in Scan::new(Arc::clone(self)) {
            let row = row?;
            if before.as_ref().is_some_and(|before| before.order(&row).is_gt()) {
                return Err(self.damaged("its rows are out of order"));
            }
            if before.as_ref().is_none_or(|before| before.plate != row.plate) {
                ends.push(Sorted::from_end(&row.plate));
            }
            ids.push(row.id);
            cameras.push((row.camera, row.seen));
            before = Some(row);
        }
        if ids.len() != rows || ends.len() != self.about.plates as usize {
            return Err(self.damaged("its numbers differ"));
        }
        self.check_ends(ends)?;
        self.check_ids(cache, &ids)?;
        self.check_cameras(cache, &cameras)
    }

    fn check_ends(&self, mut ends: Vec<Sorted>) -> Result<(), StoreError> {
        let elsewhere = || self.damaged("its list by ends leads elsewhere");
        ends.sort_unstable();
        let mut ends = ends.into_iter();
        let firsts = &self.about.ends;
        if firsts.len() != self.blocks(Kind::Ends) {
            return Err(elsewhere());
        }
        for (index, first) in firsts.iter().enumerate() {
            let block = self.fetch(Kind::Ends, index, index + 1)?.pop().ok_or_else(elsewhere)?;
            let (mut held, mut rest, mut begins) = ([0; 16], block.as_slice(), true);
            while let Some((length, behind)) = take_end(rest, &mut held) {
                rest = behind;
                let plate = held.get(..length).and_then(PlateText::from_bytes).ok_or_else(elsewhere)?;
                if ends.next() != Some(Sorted::of(&plate)) || (begins && plate != *first) {
                    return Err(elsewhere());
                }
                begins = false;
            }
            if begins || !rest.is_empty() {
                return Err(elsewhere());
            }
        }
        if ends.next().is_none() { Ok(()) } else { Err(elsewhere()) }
    }

    fn check_ids(&self, cache: &Cache, ids: &[canvass_plates::ReadId]) -> Result<(), StoreError> {
        let mut order: Vec<_> = ids.iter().zip(0_usize..).collect();
        order.sort_unstable();
        let bits = bucket_bits(ids.len());
        for (place, (id, row)) in order.into_iter().enumerate() {
            let known =
                self.candidates(id).any(|each| each == place) && tag_of(id.as_bytes(), bits).0 < 1 << bits;
            if !known || self.row_by_id(cache, place)? != row {
                return Err(self.damaged("its ids lead elsewhere"));
            }
        }
        Ok(())
    }

    fn check_cameras(&self, cache: &Cache, cameras: &[(u32, i64)]) -> Result<(), StoreError> {
        let mut found = 0;
        for place in 0..self.about.cameras.len() {
            let place = u32::try_from(place).unwrap_or(u32::MAX);
            let camera = self.camera(place);
            let mut newest = i64::MAX;
            self.each_of_camera(cache, place, &mut |seen, row| {
                let fits = cameras.get(row).is_some_and(|each| (Some(each.0), each.1) == (camera, seen));
                found += usize::from(fits && seen <= newest);
                newest = seen;
                true
            })?;
        }
        if found == cameras.len() { Ok(()) } else { Err(self.damaged("its cameras lead elsewhere")) }
    }

    /// A camera's rows, newest first, until `each` wants no more.
    pub(crate) fn each_of_camera(
        &self,
        cache: &Cache,
        place: u32,
        each: &mut dyn FnMut(i64, usize) -> bool,
    ) -> Result<(), StoreError> {
        let broken = || self.damaged("a block is not what it should be");
        let bound = |place: usize| self.about.camera_starts.get(place).map(|start| *start as usize);
        let (start, end) =
            (bound(place as usize).ok_or_else(broken)?, bound(place as usize + 1).ok_or_else(broken)?);
        let width = width_of(u64::from(self.about.rows));
        let mut at = start;
        while at < end {
            let index = at / BY_CAMERA;
            let block = self.block(cache, Kind::ByCamera, index)?;
            let entries = (self.about.rows as usize).saturating_sub(index * BY_CAMERA).min(BY_CAMERA);
            let mut reader = Reader(&block);
            let mut seen = 0_i64;
            let mut times = Vec::with_capacity(entries);
            for _ in 0..entries {
                seen = seen.wrapping_sub(reader.signed().map_err(|_| broken())?);
                times.push(seen);
            }
            let until = end.min((index + 1) * BY_CAMERA);
            for (seen, place) in times.iter().zip(0_usize..).skip(at % BY_CAMERA).take(until - at) {
                let row = usize::try_from(packed(reader.0, width, place)).map_err(|_| broken())?;
                if !each(*seen, row) {
                    return Ok(());
                }
            }
            at = until;
        }
        Ok(())
    }
}

//! Reads that are in a log but in no segment yet.

use std::collections::hash_map::Entry;

use canvass_plates::{PlateText, ReadId, SliceName};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::row::Row;

/// The end of a chain.
const NONE: u32 = u32::MAX;

/// Rows of one slice, in the order in which they came, chained by plate.
#[derive(Default)]
pub(crate) struct MemSlice {
    pub rows: Vec<Row>,
    next: Vec<u32>,
    heads: FxHashMap<PlateText, u32>,
    kept: FxHashSet<ReadId>,
}

impl MemSlice {
    fn push(&mut self, row: Row) -> u32 {
        let at = u32::try_from(self.rows.len()).unwrap_or(NONE);
        let before = self.heads.insert(row.plate, at).unwrap_or(NONE);
        self.next.push(before);
        self.rows.push(row);
        at
    }

    /// Plates that occur, each once.
    pub(crate) fn plates(&self) -> impl Iterator<Item = &PlateText> {
        self.heads.keys()
    }

    /// Rows of one plate.
    pub(crate) fn of_plate(&self, plate: &PlateText) -> impl Iterator<Item = &Row> {
        let mut at = self.heads.get(plate).copied().unwrap_or(NONE);
        std::iter::from_fn(move || {
            let row = self.rows.get(at as usize)?;
            at = self.next.get(at as usize).copied().unwrap_or(NONE);
            Some(row)
        })
    }
}

#[derive(Clone, Copy)]
struct Place {
    slice: u32,
    row: u32,
}

/// Rows of all slices, and where each id is.
#[derive(Default)]
pub(crate) struct Mem {
    slices: Vec<(SliceName, MemSlice)>,
    numbers: FxHashMap<SliceName, u32>,
    ids: FxHashMap<ReadId, Place>,
    rows: usize,
}

impl Mem {
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn slices(&self) -> impl Iterator<Item = (&SliceName, &MemSlice)> {
        self.slices.iter().filter(|(_, slice)| !slice.rows.is_empty()).map(|(name, slice)| (name, slice))
    }

    pub(crate) fn slice(&self, name: &SliceName) -> Option<&MemSlice> {
        self.slices.get(*self.numbers.get(name)? as usize).map(|(_, slice)| slice)
    }

    pub(crate) fn contains(&self, id: &ReadId) -> bool {
        self.ids.contains_key(id)
    }

    /// Whether an id is in one slice.
    pub(crate) fn slice_contains(&self, name: &SliceName, id: &ReadId) -> bool {
        let Some(number) = self.numbers.get(name) else { return false };
        self.ids.get(id).is_some_and(|place| place.slice == *number)
            || self.slices.get(*number as usize).is_some_and(|(_, slice)| slice.kept.contains(id))
    }

    pub(crate) fn get(&self, id: &ReadId) -> Option<(&SliceName, &Row)> {
        let place = self.ids.get(id)?;
        let (name, slice) = self.slices.get(place.slice as usize)?;
        Some((name, slice.rows.get(place.row as usize)?))
    }

    pub(crate) fn insert(&mut self, name: &SliceName, row: Row) {
        let number = if let Some(number) = self.numbers.get(name) {
            *number
        } else {
            let number = u32::try_from(self.slices.len()).unwrap_or(NONE);
            self.slices.push((name.clone(), MemSlice::default()));
            self.numbers.insert(name.clone(), number);
            number
        };
        let Some((_, slice)) = self.slices.get_mut(number as usize) else { return };
        let id = row.id;
        let place = Place { slice: number, row: slice.push(row) };
        self.rows += 1;
        match self.ids.entry(id) {
            Entry::Occupied(_) => drop(slice.kept.insert(id)),
            Entry::Vacant(first) => drop(first.insert(place)),
        }
    }

    /// Forgets slices.
    pub(crate) fn erase(&mut self, gone: impl Fn(&SliceName) -> bool) {
        if !self.slices.iter().any(|(name, _)| gone(name)) {
            return;
        }
        let all = std::mem::take(self);
        for (name, slice) in all.slices {
            if !gone(&name) {
                for row in slice.rows {
                    self.insert(&name, row);
                }
            }
        }
    }

    /// Bytes that it holds, about.
    pub(crate) fn bytes(&self) -> u64 {
        (self.rows * (size_of::<Row>() + 80)) as u64
    }
}

//! Plates one edit away. One edit leaves either the first half of the asked plate as it is or the second, so that what can
//! match begins or ends as asked: a short stretch of the plates, or of the list by their ends. No more of a segment is read.

use std::ops::Range;

use canvass_plates::{PlateText, StoreError, confusables::Confusables};

use super::{
    BLOCKS_AHEAD,
    format::{Kind, take_end, take_plate},
    order::{Sorted, Span},
    reader::{Group, Segment},
};
use crate::{cache::Cache, tolerant::Tolerant};

/// Takes a block and its place.
type EachBlock<'a> = dyn FnMut(usize, &[u8]) -> Result<(), StoreError> + 'a;

/// A plate that is asked for with tolerance.
pub(crate) struct Near {
    forward: Tolerant,
    backward: Tolerant,
    begins: Vec<Span>,
    ends: Vec<Span>,
    /// What the first half must be, by place.
    half: Tolerant,
}

impl Near {
    pub(crate) fn new(asked: &PlateText, confusables: &Confusables) -> Self {
        let bytes = asked.as_bytes();
        let half = bytes.len() / 2;
        let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
        let choices = |bytes: &[u8], take: usize| {
            let classes: Vec<Vec<u8>> =
                bytes.iter().take(take).map(|byte| confusables.class(*byte).collect()).collect();
            Sorted::ranges(classes.into_iter().map(Vec::into_iter))
        };
        Self {
            forward: Tolerant::new(bytes, confusables),
            backward: Tolerant::new(&reversed, confusables),
            begins: choices(bytes, half),
            ends: choices(&reversed, bytes.len() - half),
            half: Tolerant::new(bytes.get(..half).unwrap_or_default(), confusables),
        }
    }
}

impl Near {
    /// Where plates that begin as asked begin.
    pub(crate) fn first(&self) -> Option<Sorted> {
        self.begins.first().map(|(from, _)| *from)
    }

    /// Whether a plate is the asked one but for one edit.
    pub(crate) fn fits(&self, plate: &PlateText) -> bool {
        self.forward.fits(plate.as_bytes())
    }
}

/// The blocks in which a range lies; `before` says how many begin before a place.
fn blocks_of(count: usize, before: impl Fn(Sorted) -> usize, (from, until): Span) -> Range<usize> {
    before(from).saturating_sub(1)..until.map_or(count, before)
}

/// Ranges of blocks in their order, none of them twice.
pub(crate) fn joined(mut all: Vec<Range<usize>>) -> Vec<Range<usize>> {
    all.sort_unstable_by_key(|range| range.start);
    let mut joined: Vec<Range<usize>> = Vec::with_capacity(all.len());
    for range in all {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

impl Segment {
    /// The plates that are asked for but for one edit, in the order of their rows.
    pub(crate) fn near(&self, cache: &Cache, asked: &Near) -> Result<Vec<Group>, StoreError> {
        let mut groups = Vec::new();
        let texts = &self.about.texts;
        for range in joined(asked.begins.iter().map(|span| self.texts_in(*span)).collect()) {
            self.each_block(cache, Kind::Text, range, &mut |index, block| {
                let mut row = texts.get(index).map_or(0, |(row, _)| *row);
                let mut rest = block;
                while let Some((plate, rows, behind)) = take_plate(rest) {
                    if asked.half.begins(plate) && asked.forward.fits(plate) {
                        groups.extend(PlateText::from_bytes(plate).map(|plate| Group {
                            plate,
                            start: row,
                            rows,
                        }));
                    }
                    row = row.wrapping_add(rows);
                    rest = behind;
                }
                Ok(())
            })?;
        }
        let ends = &self.about.ends;
        let before = |bound: Sorted| ends.partition_point(|plate| Sorted::of(plate) < bound);
        let mut others = Vec::new();
        for range in joined(asked.ends.iter().map(|span| blocks_of(ends.len(), before, *span)).collect()) {
            self.each_block(cache, Kind::Ends, range, &mut |_, block| {
                let (mut held, mut rest) = ([0; 16], block);
                while let Some((length, behind)) = take_end(rest, &mut held) {
                    rest = behind;
                    let reversed = held.get_mut(..length).unwrap_or_default();
                    if asked.backward.fits(reversed) {
                        let forward: Vec<u8> = reversed.iter().rev().copied().collect();
                        if !asked.half.begins(&forward) {
                            others.extend(PlateText::from_bytes(&forward));
                        }
                    }
                }
                if rest.is_empty() { Ok(()) } else { Err(self.damaged("its list by ends is none")) }
            })?;
        }
        for plate in others {
            groups.push(self.exact(cache, &plate)?.ok_or_else(|| self.damaged("its plates differ"))?);
        }
        groups.sort_unstable_by_key(|group| group.start);
        Ok(groups)
    }

    /// The blocks of plates in which a range lies.
    pub(crate) fn texts_in(&self, span: Span) -> Range<usize> {
        let texts = &self.about.texts;
        blocks_of(texts.len(), |bound| texts.partition_point(|(_, plate)| Sorted::of(plate) < bound), span)
    }

    /// Gives blocks that stand side by side to `each`, with their places.
    pub(crate) fn each_block(
        &self,
        cache: &Cache,
        kind: Kind,
        range: Range<usize>,
        each: &mut EachBlock<'_>,
    ) -> Result<(), StoreError> {
        if range.len() > 1 {
            self.ahead(cache, kind, range.clone());
        }
        for from in range.clone().step_by(BLOCKS_AHEAD) {
            let blocks = self.block_run(cache, kind, from..range.end.min(from + BLOCKS_AHEAD))?;
            for (block, index) in blocks.iter().zip(from..) {
                each(index, block)?;
            }
        }
        Ok(())
    }
}

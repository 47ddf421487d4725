//! Finds rows in a segment. What is held all the time is small: the description and the tags of the ids.

use std::{
    fs::File,
    num::NonZeroU64,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use canvass_plates::{PlateText, ReadId, SliceName, StoreError};
use rustc_hash::FxHashMap;

use super::format::{
    BY_ID, CHUNK, Description, FOOT, HEAD, Kind, MAGIC, ROWS, TIMES, bucket_bits, tag_of, take_plate,
};
use super::order::Sorted;
use crate::{
    cache::Cache,
    crypt::{Cipher, SliceKey},
    disk::failed,
    pack::{Broken, Column, Reader, packed, width_of},
    row::{Names, Row},
};

/// Bytes between two blocks that are rather fetched with them.
const GAP: u64 = 16 << 10;
/// Bytes of one advice: of a longer one, systems take the beginning only.
const ADVICE: u64 = 1 << 20;

/// The rows of one plate: they stand side by side, newest first.
#[derive(Clone, Copy)]
pub(crate) struct Group {
    pub plate: PlateText,
    pub start: u32,
    pub rows: u32,
}

/// A segment that is open.
pub(crate) struct Segment {
    /// Differs from that of any other segment since the store was opened.
    pub uid: u64,
    pub number: u64,
    pub slice: SliceName,
    pub path: PathBuf,
    pub about: Description,
    file: File,
    cipher: Cipher,
    cameras: Vec<u32>,
    places: FxHashMap<u32, u32>,
    regions: Vec<u32>,
    tags: Tags,
}

#[derive(Default)]
struct Tags {
    bits: u32,
    starts: Vec<u32>,
    tags: Vec<u16>,
}

/// The number of the slice that a file was written for.
pub(crate) fn slice_number(path: &Path) -> Option<u64> {
    let mut number = [0; 8];
    File::open(path).ok()?.read_exact_at(&mut number, HEAD - 8).ok()?;
    Some(u64::from_le_bytes(number))
}

impl Segment {
    /// Opens a segment.
    pub(crate) fn open(
        path: &Path,
        (uid, number): (u64, u64),
        slice: SliceName,
        key: &SliceKey,
        names: &Names,
    ) -> Result<Self, StoreError> {
        let damaged = |what| StoreError::Damaged(slice.to_string(), what);
        let file = File::open(path).map_err(failed("segment"))?;
        // What a search needs lies here and there: a system that reads on from there, by megabytes, reads for nothing.
        let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::Random);
        let length = file.metadata().map_err(failed("segment"))?.len();
        if length < HEAD + FOOT {
            return Err(damaged("a segment is cut off"));
        }
        let mut head = [0; HEAD as usize];
        file.read_exact_at(&mut head, 0).map_err(failed("segment"))?;
        let mut foot = [0; FOOT as usize];
        file.read_exact_at(&mut foot, length - FOOT).map_err(failed("segment"))?;
        let (mut reader, mut end) = (Reader(&head), Reader(&foot));
        let begins = reader.array::<8>().is_ok_and(|magic| &magic == MAGIC);
        let (Ok(id), Ok(size)) = (reader.array::<16>(), end.array::<4>().map(u32::from_le_bytes)) else {
            return Err(damaged("a segment has no head"));
        };
        if !begins || end.0 != MAGIC || u64::from(size) > length - HEAD - FOOT {
            return Err(damaged("a segment has no end"));
        }
        let mut bytes = vec![0; size as usize];
        file.read_exact_at(&mut bytes, length - FOOT - u64::from(size)).map_err(failed("segment"))?;
        let cipher = key.of_segment(&id).ok_or_else(|| damaged("a segment's key is none"))?;
        cipher
            .open(Kind::Description as u32, 0, &[], &mut bytes)
            .ok_or_else(|| damaged("a segment's description was changed"))?;
        let about = Description::take(&bytes).map_err(|_| damaged("a segment's description is none"))?;
        let cameras: Vec<u32> = about.cameras.iter().map(|camera| names.camera(camera)).collect();
        let places = cameras.iter().copied().zip(0..).collect();
        let regions = about.regions.iter().map(|region| names.region(Some(*region))).collect();
        let tags = Tags::default();
        let path = path.to_owned();
        let mut segment =
            Self { uid, number, slice, path, about, file, cipher, cameras, places, regions, tags };
        segment.tags = segment.load_tags()?;
        Ok(segment)
    }

    pub(crate) fn damaged(&self, what: &'static str) -> StoreError {
        StoreError::Damaged(self.slice.to_string(), what)
    }

    fn broken(&self) -> impl Fn(Broken) -> StoreError + '_ {
        |_| self.damaged("a block is not what it should be")
    }

    /// How many blocks of a kind there are.
    pub(crate) fn blocks(&self, kind: Kind) -> usize {
        self.about.blocks.get(kind as usize).map_or(0, super::format::Blocks::len)
    }

    /// Reads and opens blocks that stand side by side, with one access to the disk.
    pub(crate) fn fetch(&self, kind: Kind, from: usize, until: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        let blocks =
            self.about.blocks.get(kind as usize).ok_or_else(|| self.damaged("a block is missing"))?;
        let spans: Option<Vec<(u64, usize)>> = (from..until).map(|index| blocks.span(index)).collect();
        let spans = spans.ok_or_else(|| self.damaged("a block is missing"))?;
        let Some((start, _)) = spans.first().copied() else { return Ok(Vec::new()) };
        let mut all = vec![0; spans.iter().map(|(_, length)| length).sum()];
        self.file.read_exact_at(&mut all, start).map_err(failed("segment"))?;
        if let [(..)] = spans.as_slice() {
            self.opened(kind, from, &mut all)?;
            return Ok(vec![all]);
        }
        let mut rest = all.as_slice();
        spans
            .iter()
            .zip(from..)
            .map(|((_, length), index)| {
                let (block, behind) =
                    rest.split_at_checked(*length).ok_or_else(|| self.damaged("a block is missing"))?;
                rest = behind;
                let mut block = block.to_vec();
                self.opened(kind, index, &mut block)?;
                Ok(block)
            })
            .collect()
    }

    fn opened(&self, kind: Kind, index: usize, block: &mut Vec<u8>) -> Result<(), StoreError> {
        self.cipher
            .open(kind as u32, index as u64, &[], block)
            .ok_or_else(|| self.damaged("a block was changed"))
    }

    /// A block, from the cache where it is there.
    pub(crate) fn block(&self, cache: &Cache, kind: Kind, index: usize) -> Result<Arc<[u8]>, StoreError> {
        let place = u32::try_from(index).map_err(|_| self.damaged("a block is missing"))?;
        let key = (self.uid, kind as u8, place);
        if let Some(block) = cache.get(key) {
            return Ok(block);
        }
        let block =
            self.fetch(kind, index, index + 1)?.pop().ok_or_else(|| self.damaged("a block is missing"))?;
        let block: Arc<[u8]> = block.into();
        cache.put(key, Arc::clone(&block));
        Ok(block)
    }

    /// Blocks that stand side by side; what the cache lacks is read at once.
    pub(crate) fn block_run(
        &self,
        cache: &Cache,
        kind: Kind,
        run: std::ops::Range<usize>,
    ) -> Result<Vec<Arc<[u8]>>, StoreError> {
        let key = |index: usize| (self.uid, kind as u8, u32::try_from(index).unwrap_or(u32::MAX));
        let found: Vec<Option<Arc<[u8]>>> = run.clone().map(|index| cache.get(key(index))).collect();
        let first = found.iter().position(Option::is_none);
        let last = found.iter().rposition(Option::is_none);
        let (Some(first), Some(last)) = (first, last) else {
            return Ok(found.into_iter().flatten().collect());
        };
        let mut read = self.fetch(kind, run.start + first, run.start + last + 1)?.into_iter();
        let mut all = Vec::with_capacity(found.len());
        for (at, block) in found.into_iter().enumerate() {
            let fresh = if (first..=last).contains(&at) { read.next() } else { None };
            all.push(match (block, fresh) {
                (Some(block), _) => block,
                (None, Some(fresh)) => {
                    let block: Arc<[u8]> = fresh.into();
                    cache.put(key(run.start + at), Arc::clone(&block));
                    block
                }
                (None, None) => return Err(self.damaged("a block is missing")),
            });
        }
        Ok(all)
    }

    /// Whether a block is in the cache.
    pub(crate) fn cached(&self, cache: &Cache, kind: Kind, index: usize) -> bool {
        u32::try_from(index).is_ok_and(|place| cache.has((self.uid, kind as u8, place)))
    }

    /// Tells the system which blocks, in order, are about to be read: it fetches them side by side, where reading one after
    /// another waits for each. What the cache has is left out.
    pub(crate) fn ahead(&self, cache: &Cache, kind: Kind, blocks: impl Iterator<Item = usize>) {
        let Some(all) = self.about.blocks.get(kind as usize) else { return };
        let mut run: Option<(u64, u64)> = None;
        let tell = |(mut start, end): (u64, u64)| {
            while let Some(length) = NonZeroU64::new(end.saturating_sub(start).min(ADVICE)) {
                // Advice: a system that can't take it reads as well without.
                let _ = rustix::fs::fadvise(&self.file, start, Some(length), rustix::fs::Advice::WillNeed);
                start = start.saturating_add(ADVICE);
            }
        };
        let wanted = blocks.filter(|index| !self.cached(cache, kind, *index));
        for (start, length) in wanted.filter_map(|index| all.span(index)) {
            let end = start.saturating_add(length as u64);
            match &mut run {
                Some((_, until)) if start <= until.saturating_add(GAP) => *until = end,
                _ => run.replace((start, end)).into_iter().for_each(tell),
            }
        }
        run.into_iter().for_each(tell);
    }

    fn chunks(&self, kind: Kind) -> Result<Vec<u8>, StoreError> {
        let count = self.blocks(kind);
        let mut all = Vec::with_capacity(count * CHUNK);
        for from in (0..count).step_by(16) {
            for chunk in self.fetch(kind, from, count.min(from + 16))? {
                all.extend_from_slice(&chunk);
            }
        }
        all.shrink_to_fit();
        Ok(all)
    }

    fn load_tags(&self) -> Result<Tags, StoreError> {
        let rows = self.about.rows as usize;
        let bytes = self.chunks(Kind::Tags)?;
        let bits = bucket_bits(rows);
        let mut reader = Reader(&bytes);
        let mut starts = Vec::with_capacity((1 << bits) + 1);
        let mut sum = 0_u32;
        starts.push(0);
        for _ in 0..1_u64 << bits {
            let count = reader.varint().ok().and_then(|count| u32::try_from(count).ok());
            sum = count
                .and_then(|count| sum.checked_add(count))
                .ok_or_else(|| self.damaged("its tags are none"))?;
            starts.push(sum);
        }
        if reader.0.len() != rows * 2 || sum as usize != rows {
            return Err(self.damaged("its tags are none"));
        }
        let tags = reader.0.as_chunks::<2>().0.iter().map(|tag| u16::from_le_bytes(*tag)).collect();
        Ok(Tags { bits, starts, tags })
    }

    /// Places in the order of ids where an id can be: hardly ever one, unless it is there.
    #[inline]
    pub(crate) fn candidates(&self, id: &ReadId) -> impl Iterator<Item = usize> + '_ {
        let (bucket, tag) = tag_of(id.as_bytes(), self.tags.bits);
        let start = self.tags.starts.get(bucket).map_or(0, |start| *start as usize);
        let end = self.tags.starts.get(bucket + 1).map_or(0, |end| *end as usize);
        let tags = self.tags.tags.get(start..end).unwrap_or_default();
        tags.iter().zip(start..).filter(move |(each, _)| **each == tag).map(|(_, place)| place)
    }

    /// The row that stands at a place in the order of ids.
    pub(crate) fn row_by_id(&self, cache: &Cache, place: usize) -> Result<usize, StoreError> {
        let block = self.block(cache, Kind::ById, place / BY_ID)?;
        let width = width_of(u64::from(self.about.rows));
        usize::try_from(packed(&block, width, place % BY_ID))
            .map_err(|_| self.damaged("a block is not what it should be"))
    }

    /// The row of an id.
    pub(crate) fn find(&self, cache: &Cache, id: &ReadId) -> Result<Option<usize>, StoreError> {
        for place in self.candidates(id) {
            let row = self.row_by_id(cache, place)?;
            let block = self.block(cache, Kind::Rows, row / ROWS)?;
            if self.rows(&block, row / ROWS)?.id(row % ROWS).map_err(self.broken())? == *id {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// The columns of a block of rows.
    pub(crate) fn rows<'a>(&self, block: &'a [u8], index: usize) -> Result<RowBlock<'a>, StoreError> {
        let rows = (self.about.rows as usize).saturating_sub(index * ROWS).min(ROWS);
        RowBlock::parse(block, rows).map_err(self.broken())
    }

    /// When a row was seen.
    pub(crate) fn seen(&self, cache: &Cache, row: usize) -> Result<i64, StoreError> {
        let block = self.block(cache, Kind::Times, row / TIMES)?;
        Ok(self.times(&block, row / TIMES)?.get(row % TIMES))
    }

    /// A block of times.
    pub(crate) fn times<'a>(&self, block: &'a [u8], index: usize) -> Result<Column<'a>, StoreError> {
        let rows = (self.about.rows as usize).saturating_sub(index * TIMES).min(TIMES);
        Reader(block).column(rows).map_err(self.broken())
    }

    /// The number that the store has for a camera of this segment, and the other way round.
    pub(crate) fn camera(&self, place: u32) -> Option<u32> {
        self.cameras.get(place as usize).copied()
    }

    pub(crate) fn place_of(&self, camera: u32) -> Option<u32> {
        self.places.get(&camera).copied()
    }

    /// A whole row.
    pub(crate) fn row(
        &self,
        block: &RowBlock<'_>,
        at: usize,
        plate: PlateText,
        seen: i64,
    ) -> Result<Row, StoreError> {
        let get = || {
            let camera =
                self.camera(u32::try_from(block.camera.get(at)).map_err(|_| Broken)?).ok_or(Broken)?;
            let region = match usize::try_from(block.region.get(at)).map_err(|_| Broken)? {
                0 => 0,
                place => *self.regions.get(place - 1).ok_or(Broken)?,
            };
            Ok(Row {
                plate,
                id: block.id(at)?,
                camera,
                region,
                seen,
                received: seen.wrapping_add(block.received.get(at)),
                confidence: block.confidence.byte(at),
                vehicle: block.vehicle.byte(at),
                colour: block.colour.byte(at),
                brand: block.brand.byte(at),
                direction: block.direction.byte(at),
                hit: block.marks.byte(at) & 1 != 0,
                safelisted: block.marks.byte(at) & 2 != 0,
                extras: block.extras(at)?,
            })
        };
        get().map_err(self.broken())
    }

    /// A whole row, wherever its parts are.
    pub(crate) fn whole_row(&self, cache: &Cache, row: usize) -> Result<Row, StoreError> {
        let plate =
            self.plate_of(cache, u32::try_from(row).map_err(|_| self.damaged("a row is missing"))?)?;
        let seen = self.seen(cache, row)?;
        let block = self.block(cache, Kind::Rows, row / ROWS)?;
        self.row(&self.rows(&block, row / ROWS)?, row % ROWS, plate, seen)
    }

    /// The block of plates that holds a row, or in which a plate would stand.
    pub(crate) fn text_of(&self, before: impl Fn(&(u32, PlateText)) -> bool) -> Option<usize> {
        self.about.texts.partition_point(before).checked_sub(1)
    }

    /// Walks the plates of a block of them.
    pub(crate) fn plates<'a>(&self, block: &'a [u8], index: usize) -> Plates<'a> {
        Plates { text: block, row: self.about.texts.get(index).map_or(0, |(row, _)| *row) }
    }

    /// The plate of a row.
    pub(crate) fn plate_of(&self, cache: &Cache, row: u32) -> Result<PlateText, StoreError> {
        let missing = || self.damaged("a row has no plate");
        let index = self.text_of(|(start, _)| *start <= row).ok_or_else(missing)?;
        let block = self.block(cache, Kind::Text, index)?;
        let found = self.plates(&block, index).find(|(_, start, rows)| (*start..start + rows).contains(&row));
        found.and_then(|(plate, ..)| PlateText::from_bytes(plate)).ok_or_else(missing)
    }

    /// The rows of one plate.
    pub(crate) fn exact(&self, cache: &Cache, plate: &PlateText) -> Result<Option<Group>, StoreError> {
        let sorted = Sorted::of(plate);
        let Some(index) = self.text_of(|(_, first)| Sorted::of(first) <= sorted) else { return Ok(None) };
        let block = self.block(cache, Kind::Text, index)?;
        let found = self.plates(&block, index).find(|(each, ..)| *each == plate.as_bytes());
        Ok(found.map(|(_, start, rows)| Group { plate: *plate, start, rows }))
    }

    /// Bytes that it holds in memory all the time.
    pub(crate) fn memory_bytes(&self) -> usize {
        let about = &self.about;
        self.tags.starts.capacity() * 4
            + self.tags.tags.capacity() * 2
            + about.texts.capacity() * size_of::<(u32, PlateText)>()
            + about.ends.capacity() * size_of::<PlateText>()
            + about.cameras.capacity() * 100
            + about.blocks.iter().map(|blocks| blocks.starts.capacity() * 8).sum::<usize>()
    }

    /// Its file, which can be read although it may have lost its name.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }
}

/// Plates with their first row and the number of their rows.
pub(crate) struct Plates<'a> {
    pub(super) text: &'a [u8],
    pub(super) row: u32,
}

impl<'a> Iterator for Plates<'a> {
    type Item = (&'a [u8], u32, u32);
    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (plate, rows, rest) = take_plate(self.text)?;
        let start = self.row;
        self.row = self.row.wrapping_add(rows);
        self.text = rest;
        Some((plate, start, rows))
    }
}

/// The columns of a block of rows.
pub(crate) struct RowBlock<'a> {
    pub rows: usize,
    pub camera: Column<'a>,
    region: Column<'a>,
    received: Column<'a>,
    pub confidence: Column<'a>,
    pub vehicle: Column<'a>,
    pub colour: Column<'a>,
    brand: Column<'a>,
    direction: Column<'a>,
    pub marks: Column<'a>,
    ids: &'a [u8],
    lengths: Column<'a>,
    extras: &'a [u8],
}

impl<'a> RowBlock<'a> {
    fn parse(block: &'a [u8], rows: usize) -> Result<Self, Broken> {
        let mut reader = Reader(block);
        Ok(Self {
            rows,
            camera: reader.column(rows)?,
            region: reader.column(rows)?,
            received: reader.column(rows)?,
            confidence: reader.column(rows)?,
            vehicle: reader.column(rows)?,
            colour: reader.column(rows)?,
            brand: reader.column(rows)?,
            direction: reader.column(rows)?,
            marks: reader.column(rows)?,
            ids: reader.take(rows * 12)?,
            lengths: reader.column(rows)?,
            extras: reader.0,
        })
    }

    pub(crate) fn id(&self, at: usize) -> Result<ReadId, Broken> {
        let bytes = self.ids.get(at * 12..).and_then(|rest| rest.first_chunk()).ok_or(Broken)?;
        Ok(ReadId::from_bytes(*bytes))
    }

    fn extras(&self, at: usize) -> Result<Option<Box<[u8]>>, Broken> {
        if self.extras.is_empty() {
            return Ok(None);
        }
        let length = |at: usize| usize::try_from(self.lengths.get(at)).map_err(|_| Broken);
        let mut start = 0_usize;
        for before in 0..at {
            start = start.checked_add(length(before)?).ok_or(Broken)?;
        }
        match length(at)? {
            0 => Ok(None),
            length => {
                let end = start.checked_add(length).ok_or(Broken)?;
                Ok(Some(self.extras.get(start..end).ok_or(Broken)?.into()))
            }
        }
    }
}

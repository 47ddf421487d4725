//! Writes a segment from rows that come in order.

use std::{
    fs,
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
};

use canvass_plates::{PlateText, ReadId, StoreError};
use canvass_types::env::{Entropy, random};
use rustc_hash::FxHashMap;

use super::format::{
    BY_CAMERA, BY_ID, Blocks, CHUNK, Description, FOOT, HEAD, Kind, LISTED, MAGIC, MOST_ROWS, ROWS, TEXT,
    TIMES, bucket_bits, put_end, put_plate, tag_of,
};
use super::order::Sorted;
use crate::{
    crypt::{Cipher, SliceKey},
    disk::{create, failed, remove, sync_folder},
    pack::{put_column, put_packed, put_signed, put_varint, width_of},
    row::{Names, Row},
};

/// A segment that is on disk, durably.
pub(crate) struct Written {
    pub path: PathBuf,
}

struct Writer<'a> {
    out: BufWriter<fs::File>,
    at: u64,
    cipher: Cipher,
    names: &'a Names,
    blocks: [Blocks; 7],
    block: Vec<Row>,
    text: Vec<u8>,
    texts: Vec<(u32, PlateText)>,
    text_blocks: Vec<Vec<u8>>,
    ends: Vec<Sorted>,
    plates: u32,
    group: Option<(PlateText, u32)>,
    seen: Vec<i64>,
    cameras: Vec<u32>,
    ids: Vec<ReadId>,
    camera_numbers: FxHashMap<u32, u32>,
    camera_list: Vec<u32>,
    region_numbers: FxHashMap<u32, u32>,
    region_list: Vec<u32>,
}

/// Writes rows, in their order, as segment `number` of a folder.
pub(crate) fn write(
    folder: &Path,
    number: u64,
    slice: (u64, &SliceKey),
    rows: impl Iterator<Item = Result<Row, StoreError>>,
    replaces: &[u64],
    (names, entropy): (&Names, &dyn Entropy),
) -> Result<Written, StoreError> {
    let path = folder.join(format!("{number:012}.seg"));
    let unfinished = path.with_extension("tmp");
    let written = (|| {
        let id: [u8; 16] = random(entropy);
        let file = create(&unfinished).map_err(failed("segment"))?;
        let mut out = BufWriter::with_capacity(1 << 20, file);
        let head = [&MAGIC[..], &id, &slice.0.to_le_bytes()].concat();
        out.write_all(&head).map_err(failed("segment"))?;
        let cipher = slice.1.of_segment(&id).ok_or_else(broken)?;
        let mut writer = Writer::new(out, cipher, names);
        for row in rows {
            writer.row(row?)?;
        }
        let file = writer.finish(replaces)?;
        file.sync_all().map_err(failed("segment"))?;
        fs::rename(&unfinished, &path).map_err(failed("segment"))?;
        sync_folder(folder).map_err(failed("segment"))
    })();
    if let Err(error) = written {
        let _ = remove(&unfinished);
        return Err(error);
    }
    Ok(Written { path })
}

fn broken() -> StoreError {
    StoreError::Damaged("segment".to_owned(), "it can't be written from what is there")
}

impl<'a> Writer<'a> {
    fn new(out: BufWriter<fs::File>, cipher: Cipher, names: &'a Names) -> Self {
        Self {
            out,
            at: HEAD,
            cipher,
            names,
            blocks: Default::default(),
            block: Vec::with_capacity(ROWS),
            text: Vec::with_capacity(TEXT + 64),
            texts: Vec::new(),
            text_blocks: Vec::new(),
            ends: Vec::new(),
            plates: 0,
            group: None,
            seen: Vec::new(),
            cameras: Vec::new(),
            ids: Vec::new(),
            camera_numbers: FxHashMap::default(),
            camera_list: Vec::new(),
            region_numbers: FxHashMap::default(),
            region_list: Vec::new(),
        }
    }

    fn row(&mut self, row: Row) -> Result<(), StoreError> {
        let at = u32::try_from(self.seen.len()).map_err(|_| broken())?;
        if self.seen.len() >= MOST_ROWS {
            return Err(broken());
        }
        if self.group.is_none_or(|(plate, _)| plate != row.plate) {
            self.end_group(at)?;
            self.group = Some((row.plate, at));
        }
        let next = u32::try_from(self.camera_list.len()).map_err(|_| broken())?;
        let camera = *self.camera_numbers.entry(row.camera).or_insert(next);
        if camera == next {
            self.camera_list.push(row.camera);
        }
        if row.region != 0 {
            let next = u32::try_from(self.region_list.len()).map_err(|_| broken())? + 1;
            if *self.region_numbers.entry(row.region).or_insert(next) == next {
                self.region_list.push(row.region);
            }
        }
        self.seen.push(row.seen);
        self.cameras.push(camera);
        self.ids.push(row.id);
        self.block.push(row);
        if self.block.len() == ROWS { self.end_block() } else { Ok(()) }
    }

    /// Writes the plate whose rows have all come.
    fn end_group(&mut self, end: u32) -> Result<(), StoreError> {
        let Some((plate, start)) = self.group.take() else { return Ok(()) };
        let rows = u64::from(end - start);
        self.ends.push(Sorted::from_end(&plate));
        self.plates += 1;
        if self.text.is_empty() {
            self.texts.push((start, plate));
        }
        put_plate(&mut self.text, &plate, rows);
        if self.text.len() >= TEXT {
            self.text_blocks.push(std::mem::replace(&mut self.text, Vec::with_capacity(TEXT + 64)));
        }
        Ok(())
    }

    fn end_block(&mut self) -> Result<(), StoreError> {
        let rows = std::mem::take(&mut self.block);
        let mut bytes = Vec::with_capacity(rows.len() * 24);
        let number = |map: &FxHashMap<u32, u32>, of| i64::from(map.get(&of).copied().unwrap_or(0));
        let columns: [&dyn Fn(&Row) -> i64; 9] = [
            &|row| number(&self.camera_numbers, row.camera),
            &|row| number(&self.region_numbers, row.region),
            &|row| row.received.wrapping_sub(row.seen),
            &|row| i64::from(row.confidence),
            &|row| i64::from(row.vehicle),
            &|row| i64::from(row.colour),
            &|row| i64::from(row.brand),
            &|row| i64::from(row.direction),
            &|row| i64::from(row.marks()),
        ];
        let mut numbers = Vec::with_capacity(rows.len());
        for column in columns {
            numbers.clear();
            numbers.extend(rows.iter().map(column));
            put_column(&mut bytes, &numbers);
        }
        rows.iter().for_each(|row| bytes.extend_from_slice(row.id.as_bytes()));
        numbers.clear();
        numbers.extend(rows.iter().map(|row| row.extras.as_ref().map_or(0, |extras| extras.len() as i64)));
        put_column(&mut bytes, &numbers);
        rows.iter().filter_map(|row| row.extras.as_ref()).for_each(|extras| bytes.extend_from_slice(extras));
        self.put_block(Kind::Rows, bytes)?;
        self.block = rows;
        self.block.clear();
        Ok(())
    }

    fn put_block(&mut self, kind: Kind, mut bytes: Vec<u8>) -> Result<(), StoreError> {
        let blocks = self.blocks.get_mut(kind as usize).ok_or_else(broken)?;
        if blocks.starts.is_empty() {
            blocks.starts.push(self.at);
        }
        let index = blocks.len() as u64;
        self.cipher.seal(kind as u32, index, &[], &mut bytes, 0).ok_or_else(broken)?;
        self.out.write_all(&bytes).map_err(failed("segment"))?;
        self.at += bytes.len() as u64;
        blocks.starts.push(self.at);
        Ok(())
    }

    fn put_chunks(&mut self, kind: Kind, bytes: &[u8]) -> Result<(), StoreError> {
        bytes.chunks(CHUNK).try_for_each(|chunk| self.put_block(kind, chunk.to_vec()))
    }

    fn finish(mut self, replaces: &[u64]) -> Result<fs::File, StoreError> {
        let rows = u32::try_from(self.seen.len()).map_err(|_| broken())?;
        self.end_group(rows)?;
        if !self.block.is_empty() {
            self.end_block()?;
        }
        let seen = std::mem::take(&mut self.seen);
        for times in seen.chunks(TIMES) {
            let mut bytes = Vec::with_capacity(TIMES * 3);
            put_column(&mut bytes, times);
            self.put_block(Kind::Times, bytes)?;
        }
        let mut texts = std::mem::take(&mut self.text_blocks);
        texts.push(std::mem::take(&mut self.text));
        for text in texts.into_iter().filter(|text| !text.is_empty()) {
            self.put_block(Kind::Text, text)?;
        }
        let ends = self.by_end()?;
        let camera_starts = self.by_camera(&seen)?;
        self.by_id()?;
        let names = self.names.table();
        let regions = self.region_list.iter().filter_map(|region| names.region_of(*region)).collect();
        drop(names);
        let cameras = self.camera_list.iter().filter_map(|camera| self.names.camera_of(*camera)).collect();
        let description = Description {
            rows,
            plates: self.plates,
            seen: (seen.iter().copied().min().unwrap_or(0), seen.iter().copied().max().unwrap_or(0)),
            cameras,
            regions,
            camera_starts,
            texts: std::mem::take(&mut self.texts),
            ends,
            replaces: replaces.to_vec(),
            blocks: std::mem::take(&mut self.blocks),
        };
        debug_assert_eq!(LISTED.len(), description.blocks.len());
        let mut bytes = Vec::new();
        description.put(&mut bytes);
        self.cipher.seal(Kind::Description as u32, 0, &[], &mut bytes, 0).ok_or_else(broken)?;
        let length = u32::try_from(bytes.len()).map_err(|_| broken())?.to_le_bytes();
        let foot = [&length[..], MAGIC].concat();
        debug_assert_eq!(foot.len() as u64, FOOT);
        let finished = (|| -> io::Result<fs::File> {
            self.out.write_all(&bytes)?;
            self.out.write_all(&foot)?;
            self.out.into_inner().map_err(io::IntoInnerError::into_error)
        })();
        finished.map_err(failed("segment"))
    }

    /// Plates by their ends; the first of each block.
    fn by_end(&mut self) -> Result<Vec<PlateText>, StoreError> {
        let mut ends = std::mem::take(&mut self.ends);
        ends.sort_unstable();
        let (mut firsts, mut block) = (Vec::new(), Vec::with_capacity(TEXT + 64));
        let mut before: Option<PlateText> = None;
        for end in ends {
            let plate = end.characters().ok_or_else(broken)?;
            if block.is_empty() {
                firsts.push(plate);
                before = None;
            }
            put_end(&mut block, before.as_ref().map_or(&[], PlateText::as_bytes), plate.as_bytes());
            before = Some(plate);
            if block.len() >= TEXT {
                self.put_block(Kind::Ends, std::mem::replace(&mut block, Vec::with_capacity(TEXT + 64)))?;
            }
        }
        if !block.is_empty() {
            self.put_block(Kind::Ends, block)?;
        }
        Ok(firsts)
    }

    /// Rows by camera, each camera's newest first.
    fn by_camera(&mut self, seen: &[i64]) -> Result<Vec<u32>, StoreError> {
        let cameras = std::mem::take(&mut self.cameras);
        let mut order: Vec<(u32, std::cmp::Reverse<i64>, u32)> = cameras
            .iter()
            .zip(seen)
            .zip(0..)
            .map(|((camera, seen), row)| (*camera, std::cmp::Reverse(*seen), row))
            .collect();
        order.sort_unstable();
        let mut starts = vec![0; self.camera_list.len() + 1];
        for camera in &cameras {
            if let Some(count) = starts.get_mut(*camera as usize + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let width = width_of(cameras.len() as u64);
        for entries in order.chunks(BY_CAMERA) {
            let mut bytes = Vec::with_capacity(entries.len() * 5);
            let mut before = 0_i64;
            for (_, std::cmp::Reverse(seen), _) in entries {
                put_signed(&mut bytes, before.wrapping_sub(*seen));
                before = *seen;
            }
            put_packed(&mut bytes, entries.iter().map(|(.., row)| u64::from(*row)), width);
            self.put_block(Kind::ByCamera, bytes)?;
        }
        Ok(starts)
    }

    /// Sixteen bits of each id, in the order of ids, in buckets by the bits before; and the rows in that order.
    fn by_id(&mut self) -> Result<(), StoreError> {
        let ids = std::mem::take(&mut self.ids);
        let mut order: Vec<(ReadId, u32)> = ids.into_iter().zip(0..).collect();
        order.sort_unstable();
        let bits = bucket_bits(order.len());
        let mut counts = vec![0_u64; 1 << bits];
        let mut tags = Vec::with_capacity(order.len() * 2);
        for (id, _) in &order {
            let (bucket, tag) = tag_of(id.as_bytes(), bits);
            if let Some(count) = counts.get_mut(bucket) {
                *count += 1;
            }
            tags.extend_from_slice(&tag.to_le_bytes());
        }
        let mut bytes = Vec::with_capacity(tags.len() + counts.len());
        counts.iter().for_each(|count| put_varint(&mut bytes, *count));
        bytes.extend_from_slice(&tags);
        self.put_chunks(Kind::Tags, &bytes)?;
        let width = width_of(order.len() as u64);
        for entries in order.chunks(BY_ID) {
            let mut bytes = Vec::with_capacity(entries.len() * 3);
            put_packed(&mut bytes, entries.iter().map(|(_, row)| u64::from(*row)), width);
            self.put_block(Kind::ById, bytes)?;
        }
        Ok(())
    }
}

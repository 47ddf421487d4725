//! What writer and reader of segments share.

use canvass_types::CameraId;

use crate::{
    pack::{Broken, Reader, put_bytes, put_signed, put_varint},
    row::{camera_bytes, camera_from},
};
use canvass_plates::{PlateText, Region};

pub(crate) const MAGIC: &[u8; 8] = b"CVREADS2";
/// Magic, id of the file, number of the slice.
pub(crate) const HEAD: u64 = 32;
/// Length of the sealed description, magic.
pub(crate) const FOOT: u64 = 12;

/// Rows of a block of rows.
pub(crate) const ROWS: usize = 512;
/// Times of a block of times.
pub(crate) const TIMES: usize = 4_096;
/// Entries of a block of the order by camera.
pub(crate) const BY_CAMERA: usize = 2_048;
/// Entries of a block of the order by id.
pub(crate) const BY_ID: usize = 4_096;
/// Bytes at which a block of plates ends.
pub(crate) const TEXT: usize = 16 << 10;
/// Bytes of a block of the tags.
pub(crate) const CHUNK: usize = 256 << 10;
/// Ids that share a bucket of tags, about.
pub(crate) const BUCKET: u64 = 16;
/// Most rows of a segment.
pub(crate) const MOST_ROWS: usize = 1 << 23;

/// Kinds of blocks; each kind's blocks stand together, but for rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Rows = 0,
    Times = 1,
    Text = 2,
    Ends = 3,
    ByCamera = 4,
    Tags = 5,
    ById = 6,
    Description = 7,
}

/// Kinds of which there are lists of blocks.
pub(crate) const LISTED: [Kind; 7] =
    [Kind::Rows, Kind::Times, Kind::Text, Kind::Ends, Kind::ByCamera, Kind::Tags, Kind::ById];

/// Blocks of one kind: where each begins in the file, and the end of the last.
#[derive(Debug, Default, Clone)]
pub(crate) struct Blocks {
    pub starts: Vec<u64>,
}

impl Blocks {
    pub(crate) fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    pub(crate) fn span(&self, index: usize) -> Option<(u64, usize)> {
        let start = *self.starts.get(index)?;
        let end = *self.starts.get(index + 1)?;
        Some((start, usize::try_from(end.checked_sub(start)?).ok()?))
    }
}

/// The end of a segment: all that is needed to find the rest.
#[derive(Debug, Clone)]
pub(crate) struct Description {
    pub rows: u32,
    pub plates: u32,
    pub seen: (i64, i64),
    /// Cameras that occur; rows name them by their place here.
    pub cameras: Vec<CameraId>,
    /// Regions that occur, counted from 1.
    pub regions: Vec<Region>,
    /// Where each camera begins in the order by camera, and the end.
    pub camera_starts: Vec<u32>,
    /// First row of each block of plates, and its first plate.
    pub texts: Vec<(u32, PlateText)>,
    /// First plate of each block of the list by ends, from its end.
    pub ends: Vec<PlateText>,
    /// Numbers of the segments whose rows are in this one.
    pub replaces: Vec<u64>,
    pub blocks: [Blocks; 7],
}

impl Description {
    pub(crate) fn put(&self, to: &mut Vec<u8>) {
        put_varint(to, u64::from(self.rows));
        put_varint(to, u64::from(self.plates));
        put_signed(to, self.seen.0);
        put_signed(to, self.seen.1);
        put_varint(to, self.cameras.len() as u64);
        self.cameras.iter().for_each(|camera| to.extend_from_slice(&camera_bytes(camera)));
        put_varint(to, self.regions.len() as u64);
        self.regions.iter().for_each(|region| put_bytes(to, region.as_str().as_bytes()));
        put_steps(to, self.camera_starts.iter().map(|start| u64::from(*start)));
        put_steps(to, self.texts.iter().map(|(row, _)| u64::from(*row)));
        self.texts.iter().for_each(|(_, plate)| put_bytes(to, plate.as_bytes()));
        put_varint(to, self.ends.len() as u64);
        self.ends.iter().for_each(|plate| put_bytes(to, plate.as_bytes()));
        put_varint(to, self.replaces.len() as u64);
        self.replaces.iter().for_each(|number| put_varint(to, *number));
        self.blocks.iter().for_each(|blocks| put_steps(to, blocks.starts.iter().copied()));
    }

    pub(crate) fn take(bytes: &[u8]) -> Result<Self, Broken> {
        let mut reader = Reader(bytes);
        let small = |number: u64| u32::try_from(number).map_err(|_| Broken);
        let rows = small(reader.varint()?)?;
        let plates = small(reader.varint()?)?;
        let seen = (reader.signed()?, reader.signed()?);
        let count = reader.size()?;
        let cameras = (0..count).map(|_| camera_from(&reader.array()?)).collect::<Result<_, _>>()?;
        let count = reader.size()?;
        let region = |reader: &mut Reader<'_>| {
            let code = std::str::from_utf8(reader.bytes()?).map_err(|_| Broken)?;
            code.parse().map_err(|_| Broken)
        };
        let regions = (0..count).map(|_| region(&mut reader)).collect::<Result<_, _>>()?;
        let camera_starts = take_steps(&mut reader)?.into_iter().map(small).collect::<Result<_, _>>()?;
        let first: Vec<u32> = take_steps(&mut reader)?.into_iter().map(small).collect::<Result<_, _>>()?;
        let plate = |row| Ok((row, PlateText::from_bytes(reader.bytes()?).ok_or(Broken)?));
        let texts = first.into_iter().map(plate).collect::<Result<_, _>>()?;
        let count = reader.size()?;
        let ends = (0..count)
            .map(|_| PlateText::from_bytes(reader.bytes()?).ok_or(Broken))
            .collect::<Result<_, _>>()?;
        let count = reader.size()?;
        let replaces = (0..count).map(|_| reader.varint()).collect::<Result<_, _>>()?;
        let mut blocks: [Blocks; 7] = Default::default();
        for each in &mut blocks {
            each.starts = take_steps(&mut reader)?;
        }
        Ok(Self { rows, plates, seen, cameras, regions, camera_starts, texts, ends, replaces, blocks })
    }
}

/// Numbers that grow, as steps.
fn put_steps(to: &mut Vec<u8>, numbers: impl ExactSizeIterator<Item = u64>) {
    put_varint(to, numbers.len() as u64);
    let mut before = 0;
    for number in numbers {
        put_varint(to, number.wrapping_sub(before));
        before = number;
    }
}

fn take_steps(reader: &mut Reader<'_>) -> Result<Vec<u64>, Broken> {
    let count = reader.size()?;
    // Each takes a byte at least: no more is reserved than was written.
    let mut numbers = Vec::with_capacity(count.min(reader.0.len()));
    let mut before = 0_u64;
    for _ in 0..count {
        before = before.wrapping_add(reader.varint()?);
        numbers.push(before);
    }
    Ok(numbers)
}

/// How ids are spread: bits of the bucket, for so many rows.
pub(crate) fn bucket_bits(rows: usize) -> u32 {
    (rows as u64 / BUCKET).checked_ilog2().unwrap_or(0)
}

/// Bucket and tag of an id.
#[inline]
pub(crate) fn tag_of(id: &[u8; 12], bits: u32) -> (usize, u16) {
    let [a, b, c, d, e, f, g, h, ..] = *id;
    let top = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
    let bucket = if bits == 0 { 0 } else { top >> (64 - bits) };
    let tag = (top << bits) >> 48;
    (bucket as usize, tag as u16)
}

/// Appends a plate and how many rows it has: seven bits a byte, the high bit set, so that no byte of it is a character.
pub(crate) fn put_plate(to: &mut Vec<u8>, plate: &PlateText, rows: u64) {
    to.extend_from_slice(plate.as_bytes());
    let mut rest = rows.saturating_sub(1);
    loop {
        to.push(0x80 | (rest & 0x7f) as u8);
        rest >>= 7;
        if rest == 0 {
            break;
        }
    }
}

/// Reads a plate and its rows; what is left comes back.
#[inline]
pub(crate) fn take_plate(text: &[u8]) -> Option<(&[u8], u32, &[u8])> {
    let end = text.iter().take(17).position(|byte| *byte >= 0x80)?;
    let (plate, rest) = text.split_at_checked(end)?;
    let (mut rows, mut shift, mut used) = (0_u32, 0, 0);
    for byte in rest.iter().take_while(|byte| **byte >= 0x80).take(5) {
        rows |= u32::from(byte & 0x7f).checked_shl(shift)?;
        shift += 7;
        used += 1;
    }
    Some((plate, rows.checked_add(1)?, rest.get(used..)?))
}

/// Appends a plate from its end, without what it shares with the one before: how much that is, how much is its own, that.
/// Both are in order, so each has a character of its own at least.
pub(crate) fn put_end(to: &mut Vec<u8>, before: &[u8], plate: &[u8]) {
    let shared = before.iter().zip(plate).take_while(|(one, other)| one == other).count().min(15);
    let own = plate.get(shared..).unwrap_or_default();
    to.push((shared as u8) << 4 | (own.len().clamp(1, 16) - 1) as u8);
    to.extend_from_slice(own);
}

/// Reads a plate from its end into `held`, which has the one before; its length and what is left come back.
#[inline]
pub(crate) fn take_end<'a>(list: &'a [u8], held: &mut [u8; 16]) -> Option<(usize, &'a [u8])> {
    let (head, rest) = list.split_first()?;
    let (shared, own) = (usize::from(head >> 4), usize::from(head & 15) + 1);
    let (own, rest) = rest.split_at_checked(own)?;
    held.get_mut(shared..shared + own.len())?.copy_from_slice(own);
    Some((shared + own.len(), rest))
}

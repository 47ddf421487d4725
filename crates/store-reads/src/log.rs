//! Logs: where a read is durable first. Frames of many slices stand in one log, each sealed under its own slice's key,
//! so that one fsync serves all and a destroyed key still takes the slice's frames with it.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use canvass_plates::{SliceName, StoreError};
use canvass_types::env::{Entropy, random};
use rustc_hash::FxHashMap;

use crate::{
    crypt::{Cipher, SliceKey},
    disk::{create, failed, remove, sync_folder},
    pack::{Broken, Reader},
    row::{Names, Row},
};

const MAGIC: &[u8; 8] = b"CVREADL1";
const FRAME: &[u8; 4] = b"FRM1";
/// Bytes before the first frame.
const HEAD: u64 = 24;
/// Bytes of a frame before its rows: mark, checksum, length, then what is authenticated as well.
const FRAME_HEAD: usize = 4 + 4 + 4 + AUTHENTICATED;
/// Sequence, batch, slice, rows, flags.
const AUTHENTICATED: usize = 8 + 8 + 8 + 4 + 1;
const LAST: u8 = 1;
const KEPT: u8 = 2;

/// One log that is being written.
pub(crate) struct Log {
    pub number: u64,
    file: File,
    id: [u8; 16],
    length: u64,
    sequence: u64,
    /// Sequence of the first frame of the batch that is under way.
    batch: u64,
    ciphers: FxHashMap<u64, Cipher>,
    buffer: Vec<u8>,
}

/// Where a log lies.
pub(crate) fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:012}.log"))
}

/// Numbers of the logs in a folder, the oldest first.
pub(crate) fn numbers(folder: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number: Option<u64> =
            name.to_str().and_then(|name| name.strip_suffix(".log")).and_then(|name| name.parse().ok());
        numbers.extend(number);
    }
    numbers.sort_unstable();
    Ok(numbers)
}

impl Log {
    /// Begins a log.
    pub(crate) fn create(folder: &Path, number: u64, entropy: &dyn Entropy) -> Result<Self, StoreError> {
        let at = path(folder, number);
        let id: [u8; 16] = random(entropy);
        let made = (|| {
            let file = create(&at)?;
            file.write_all_at(&[&MAGIC[..], &id].concat(), 0)?;
            file.sync_all()?;
            sync_folder(folder)?;
            Ok(file)
        })();
        let file = made.map_err(|error| {
            let _ = remove(&at);
            failed("log")(error)
        })?;
        Ok(Self {
            number,
            file,
            id,
            length: HEAD,
            sequence: 0,
            batch: 0,
            ciphers: FxHashMap::default(),
            buffer: Vec::new(),
        })
    }

    /// Adds the rows of one slice to what is written next. All frames up to one that is `last` are one batch.
    pub(crate) fn frame(
        &mut self,
        slice: (u64, &SliceKey),
        rows: &[&Row],
        names: &Names,
        kept: bool,
        last: bool,
    ) -> Result<(), StoreError> {
        let start = self.buffer.len();
        self.buffer.resize(start + FRAME_HEAD, 0);
        let table = names.table();
        rows.iter().for_each(|row| row.put(&mut self.buffer, &table));
        drop(table);
        let mut head = Vec::with_capacity(AUTHENTICATED);
        head.extend(self.sequence.to_le_bytes());
        head.extend(self.batch.to_le_bytes());
        head.extend(slice.0.to_le_bytes());
        head.extend(u32::try_from(rows.len()).unwrap_or(u32::MAX).to_le_bytes());
        head.push(if last { LAST } else { 0 } | if kept { KEPT } else { 0 });
        let broken = || StoreError::Damaged("log".to_owned(), "a frame can't be sealed");
        let cipher = match self.ciphers.entry(slice.0) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(slice.1.of_log(&self.id).ok_or_else(broken)?)
            }
        };
        cipher.seal(0, self.sequence, &head, &mut self.buffer, start + FRAME_HEAD).ok_or_else(broken)?;
        self.sequence += 1;
        if last {
            self.batch = self.sequence;
        }
        let length = self.buffer.len() - start - FRAME_HEAD;
        let checked = [&u32::try_from(length).map_err(|_| broken())?.to_le_bytes()[..], &head].concat();
        let frame = self.buffer.get_mut(start..).ok_or_else(broken)?;
        let (to, body) = frame.split_at_mut_checked(FRAME_HEAD).ok_or_else(broken)?;
        let mut crc = crc32fast::Hasher::new();
        crc.update(&checked);
        crc.update(body);
        let head = [&FRAME[..], &crc.finalize().to_le_bytes(), &checked].concat();
        to.iter_mut().zip(head).for_each(|(to, from)| *to = from);
        Ok(())
    }

    /// Bytes that wait to be written.
    pub(crate) fn waiting(&self) -> u64 {
        self.buffer.len() as u64
    }

    /// Brings what waits to disk. When that fails, nothing of it stays, and the log must not be written again: a
    /// place that was written once is never sealed anew.
    pub(crate) fn write(&mut self) -> Result<(), StoreError> {
        let written = self.file.write_all_at(&self.buffer, self.length).and_then(|()| self.file.sync_data());
        let bytes = self.buffer.len() as u64;
        self.buffer.clear();
        if self.buffer.capacity() > 64 << 20 {
            self.buffer = Vec::new();
        }
        match written {
            Ok(()) => {
                self.length += bytes;
                Ok(())
            }
            Err(error) => {
                let _ = self.file.set_len(self.length).and_then(|()| self.file.sync_all());
                Err(failed("log")(error))
            }
        }
    }

    /// Drops what waits behind so many bytes: the frames of a batch that can't be finished.
    pub(crate) fn roll_back(&mut self, waiting: u64) {
        self.buffer.truncate(usize::try_from(waiting).unwrap_or(usize::MAX));
        self.batch = self.sequence;
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// A second handle, for a copy.
    pub(crate) fn handle(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Forgets the ciphers of slices.
    pub(crate) fn forget(&mut self, slices: &[u64]) {
        slices.iter().for_each(|slice| drop(self.ciphers.remove(slice)));
    }
}

/// Rows of one slice, as a log holds them.
pub(crate) struct Frame {
    pub slice: SliceName,
    pub kept: bool,
    pub rows: Vec<Row>,
}

/// What reading a log came to.
#[derive(Default)]
pub(crate) struct Replayed {
    /// Whether frames stand behind bytes that are none: no torn end, but damage.
    pub damaged: bool,
    /// Where the last whole frame ends.
    pub end: u64,
}

/// Reads a log. `key` knows slices by their numbers; `each` is given whole batches.
pub(crate) fn replay(
    at: &Path,
    key: &dyn Fn(u64) -> Option<(SliceName, SliceKey)>,
    names: &Names,
    each: &mut dyn FnMut(Vec<Frame>) -> Result<(), StoreError>,
) -> Result<Replayed, StoreError> {
    let bytes = fs::read(at).map_err(failed("log"))?;
    let mut reader = Reader(&bytes);
    let mut replayed = Replayed::default();
    let (Ok(magic), Ok(id)) = (reader.array::<8>(), reader.array::<16>()) else {
        // Torn before anything was acknowledged.
        return Ok(replayed);
    };
    if &magic != MAGIC {
        return Ok(Replayed { damaged: !bytes.iter().all(|byte| *byte == 0), end: 0 });
    }
    let mut ciphers: FxHashMap<u64, Option<(SliceName, Cipher)>> = FxHashMap::default();
    // The batch that is under way, if its first frame was there.
    let (mut batch, mut of, mut skipped) = (Vec::new(), None, false);
    while !reader.0.is_empty() {
        let Some(found) = frame_at(reader.0) else {
            // Not a frame: a torn end, unless there are frames behind it.
            let next = memchr::memmem::find(reader.0.get(1..).unwrap_or_default(), FRAME).map(|at| at + 1);
            let Some(rest) = next.and_then(|at| reader.0.get(at..)) else { break };
            reader = Reader(rest);
            (skipped, of) = (true, None);
            batch.clear();
            continue;
        };
        replayed.damaged |= skipped;
        if of != Some(found.batch) {
            batch.clear();
            of = (found.sequence == found.batch).then_some(found.batch);
        }
        let cipher = ciphers.entry(found.slice).or_insert_with(|| {
            let (name, key) = key(found.slice)?;
            Some((name, key.of_log(&id)?))
        });
        match cipher {
            // The slice is erased.
            None => {}
            Some((name, cipher)) => match opened(&found, cipher, names) {
                Ok(rows) => batch.push(Frame { slice: name.clone(), kept: found.flags & KEPT != 0, rows }),
                Err(Broken) => replayed.damaged = true,
            },
        }
        if found.flags & LAST != 0 {
            if of.take().is_some() {
                each(std::mem::take(&mut batch))?;
            }
            batch.clear();
        }
        reader = Reader(reader.0.get(FRAME_HEAD + found.body.len()..).unwrap_or_default());
        replayed.end = (bytes.len() - reader.0.len()) as u64;
    }
    Ok(replayed)
}

struct Found<'a> {
    sequence: u64,
    batch: u64,
    slice: u64,
    rows: u32,
    flags: u8,
    head: &'a [u8],
    body: &'a [u8],
}

fn frame_at(bytes: &[u8]) -> Option<Found<'_>> {
    let mut reader = Reader(bytes);
    if &reader.array::<4>().ok()? != FRAME {
        return None;
    }
    let crc = u32::from_le_bytes(reader.array().ok()?);
    let checked = reader.0;
    let length = u32::from_le_bytes(reader.array().ok()?) as usize;
    let head = reader.take(AUTHENTICATED).ok()?;
    let body = reader.take(length).ok()?;
    let whole = checked.get(..4 + AUTHENTICATED + length)?;
    if crc32fast::hash(whole) != crc {
        return None;
    }
    let mut fields = Reader(head);
    let number = |fields: &mut Reader<'_>| fields.array().ok().map(u64::from_le_bytes);
    Some(Found {
        sequence: number(&mut fields)?,
        batch: number(&mut fields)?,
        slice: number(&mut fields)?,
        rows: fields.array().ok().map(u32::from_le_bytes)?,
        flags: fields.byte().ok()?,
        head,
        body,
    })
}

fn opened(found: &Found<'_>, cipher: &Cipher, names: &Names) -> Result<Vec<Row>, Broken> {
    let mut plain = found.body.to_vec();
    cipher.open(0, found.sequence, found.head, &mut plain).ok_or(Broken)?;
    let mut reader = Reader(&plain);
    let rows: Vec<Row> = (0..found.rows).map(|_| Row::take(&mut reader, names)).collect::<Result<_, _>>()?;
    if reader.0.is_empty() { Ok(rows) } else { Err(Broken) }
}

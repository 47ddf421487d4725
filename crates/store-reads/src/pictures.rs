//! Packs of pictures: one file for many, in the folder of their slice and under its key, so that they go with it.
//!
//! A pack begins with a magic and 16 random bytes. Behind them stand frames: four bytes of length (big endian), the same
//! inverted, and sealed the id of the read and its picture. A pack only grows, and no longer once the store was closed; where a
//! picture stands is kept in its read's row, as `picture`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use canvass_plates::{Damage, MOST_PICTURE, Pictures, Read, ReadId, Short, SliceName, StoreError};
use canvass_types::env::random;

use crate::{
    append::slice_folder,
    crypt::{Cipher, SliceKey, TAG},
    disk::{create, failed, remove, sync_folder},
    state::{Shared, Slice, State, lock},
};

const MAGIC: &[u8; 8] = b"CVREADP1";
/// Bytes before the first frame.
const HEAD: u64 = 24;
/// Bytes of a frame before what is sealed.
const FRAME_HEAD: usize = 8;
/// Bytes of a read's id.
const ID: usize = 12;
/// The kind of block that a picture is.
const PICTURE: u32 = 1;
/// Bytes after which a new pack is begun.
const MOST_PACK: u64 = 256 << 20;
/// Packs that are open to be written.
const MOST_OPEN: usize = 64;
/// How the names of packs end.
pub(crate) const ENDING: &str = "pics";

/// Where a picture stands: which pack of the slice, where in it, and how many bytes its frame has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pack: u64,
    offset: u64,
    length: u32,
}

impl Place {
    fn name(self) -> Option<Short> {
        format!("{}.{}.{}", self.pack, self.offset, self.length).parse().ok()
    }

    /// None for a name that no store gave.
    fn of(name: &Short) -> Option<Self> {
        let mut parts = name.as_str().split('.');
        let mut next = || parts.next()?.parse::<u64>().ok();
        let (pack, offset, length) = (next()?, next()?, next()?);
        let length = u32::try_from(length)
            .ok()
            .filter(|length| *length as usize <= FRAME_HEAD + ID + MOST_PICTURE + TAG)?;
        parts.next().is_none().then_some(Self { pack, offset, length })
    }
}

/// A pack that is yet to be synced, and where in it pictures stand.
type Written = (Arc<File>, Vec<(ReadId, Place)>);

/// A pack that is being written.
struct Pack {
    number: u64,
    file: Arc<File>,
    cipher: Cipher,
    end: u64,
}

/// Packs that are being written, by the number of their slice.
#[derive(Default)]
pub(crate) struct Packs(Mutex<BTreeMap<u64, Pack>>);

impl Packs {
    /// Writes no more for these slices.
    pub(crate) fn forget(&self, slices: &[u64]) {
        lock(&self.0).retain(|slice, _| !slices.contains(slice));
    }
}

pub(crate) fn path_of(folder: &Path, slice: u64, pack: u64) -> PathBuf {
    folder.join(format!("{slice}-{pack}.{ENDING}"))
}

/// The numbers of slice and pack that the name of a pack has.
pub(crate) fn numbers(path: &Path) -> Option<(u64, u64)> {
    let name = path.file_name()?.to_str()?.strip_suffix(ENDING)?.strip_suffix('.')?;
    let (slice, pack) = name.split_once('-')?;
    Some((slice.parse().ok()?, pack.parse().ok()?))
}

/// Removes the packs of one slice from a folder that another slice of the same name uses now.
pub(crate) fn remove_packs(folder: &Path, slice: u64) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    for entry in entries {
        let path = entry?.path();
        if numbers(&path).is_some_and(|(of, _)| of == slice) {
            remove(&path)?;
        }
    }
    Ok(())
}

impl Pack {
    fn begin(shared: &Shared, folder: &Path, slice: (u64, &SliceKey)) -> Result<Self, StoreError> {
        let number = shared.file_number();
        let id: [u8; 16] = random(&*shared.entropy);
        let path = path_of(folder, slice.0, number);
        let begun = (|| {
            let file = create(&path)?;
            file.write_all_at(&[&MAGIC[..], &id].concat(), 0)?;
            sync_folder(folder)?;
            Ok(file)
        })();
        let file = begun.map_err(|error| {
            let _ = remove(&path);
            failed("pictures")(error)
        })?;
        let cipher = slice.1.of_pack(&id).ok_or(StoreError::RootKey)?;
        Ok(Self { number, file: Arc::new(file), cipher, end: HEAD })
    }

    /// Writes frames behind each other; they are durable after a sync.
    fn write(&mut self, pictures: &[(ReadId, &[u8])]) -> Result<Vec<(ReadId, Place)>, StoreError> {
        let mut bytes = Vec::new();
        let mut places = Vec::with_capacity(pictures.len());
        for (id, picture) in pictures {
            let (from, offset) = (bytes.len(), self.end + bytes.len() as u64);
            let sealed = u32::try_from(ID + picture.len() + TAG).map_err(|_| StoreError::Picture)?;
            bytes.extend_from_slice(&sealed.to_be_bytes());
            bytes.extend_from_slice(&(!sealed).to_be_bytes());
            let body = bytes.len();
            bytes.extend_from_slice(id.as_bytes());
            bytes.extend_from_slice(picture);
            self.cipher.seal(PICTURE, offset, &[], &mut bytes, body).ok_or(StoreError::Picture)?;
            let length = u32::try_from(bytes.len() - from).map_err(|_| StoreError::Picture)?;
            places.push((*id, Place { pack: self.number, offset, length }));
        }
        self.file.write_all_at(&bytes, self.end).map_err(failed("pictures"))?;
        self.end += bytes.len() as u64;
        Ok(places)
    }
}

/// The length of what is sealed, from a frame's head; none when its bytes were changed.
fn length_of(head: &[u8]) -> Option<usize> {
    let (length, inverted) = head.split_at_checked(4)?;
    let length = u32::from_be_bytes(length.try_into().ok()?);
    let fine = length == !u32::from_be_bytes(inverted.try_into().ok()?);
    usize::try_from(length).ok().filter(|length| fine && *length <= ID + MOST_PICTURE + TAG)
}

/// Opens a frame into the id of its read and the picture; none when it is not whole and unchanged.
fn opened(cipher: &Cipher, offset: u64, frame: &[u8]) -> Option<(ReadId, Vec<u8>)> {
    let (head, sealed) = frame.split_at_checked(FRAME_HEAD)?;
    if length_of(head)? != sealed.len() {
        return None;
    }
    let mut block = sealed.to_vec();
    cipher.open(PICTURE, offset, &[], &mut block)?;
    let (id, picture) = block.split_at_checked(ID)?;
    Some((ReadId::from_bytes(id.try_into().ok()?), picture.to_vec()))
}

fn cipher_of(file: &File, key: &SliceKey) -> Option<Cipher> {
    let mut head = [0; HEAD as usize];
    file.read_exact_at(&mut head, 0).ok()?;
    let (magic, id) = head.split_at_checked(MAGIC.len())?;
    if magic != MAGIC {
        return None;
    }
    key.of_pack(id.try_into().ok()?)
}

/// Whether a name is that of the picture of a stored read.
pub(crate) fn is_place(name: &Short) -> bool {
    Place::of(name).is_some()
}

impl Shared {
    /// Writes pictures into packs of these slices, durably, and says what their reads are to be told.
    pub(crate) fn write_pictures(
        &self,
        slices: &BTreeMap<SliceName, Vec<ReadId>>,
        pictures: &Pictures<'_>,
    ) -> Result<BTreeMap<ReadId, Short>, StoreError> {
        let mut names = BTreeMap::new();
        let mut written: BTreeSet<SliceName> = BTreeSet::new();
        let mut files = Vec::new();
        for (name, ids) in slices {
            let of_slice: Vec<(ReadId, &[u8])> =
                ids.iter().filter_map(|id| pictures.get(id).map(|bytes| (*id, *bytes))).collect();
            if of_slice.is_empty() {
                continue;
            }
            let Some(slice) = self.state().slices.get(name).cloned() else { continue };
            let (file, places) = self.put_into_pack(name, &slice, &of_slice)?;
            files.push(file);
            written.insert(name.clone());
            names.extend(places.into_iter().filter_map(|(id, place)| Some((id, place.name()?))));
        }
        files.iter().try_for_each(|file| file.sync_data()).map_err(failed("pictures"))?;
        Ok(names)
    }

    fn put_into_pack(
        &self,
        name: &SliceName,
        slice: &Slice,
        pictures: &[(ReadId, &[u8])],
    ) -> Result<Written, StoreError> {
        let mut packs = lock(&self.packs.0);
        if packs.get(&slice.number).is_none_or(|pack| pack.end > MOST_PACK) {
            let pack = Pack::begin(self, &slice_folder(self, name)?, (slice.number, &slice.key))?;
            packs.insert(slice.number, pack);
            if packs.len() > MOST_OPEN {
                // The slice that was begun first is done soonest.
                packs.pop_first();
            }
        }
        let Some(pack) = packs.get_mut(&slice.number) else { return Err(StoreError::Picture) };
        match pack.write(pictures) {
            Ok(places) => Ok((Arc::clone(&pack.file), places)),
            Err(error) => {
                // Space goes back; what is in it stays good, and the next picture begins a new pack.
                let _ = pack.file.set_len(pack.end);
                packs.remove(&slice.number);
                Err(error)
            }
        }
    }

    /// The picture of a read in one slice.
    pub(crate) fn read_picture(
        &self,
        name: &SliceName,
        slice: &Slice,
        read: &Read,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(place) = read.picture.as_ref().and_then(Place::of) else { return Ok(None) };
        let path = path_of(&self.slice_folder(name), slice.number, place.pack);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(failed("pictures"))?,
        };
        let mut frame = vec![0; place.length as usize];
        let damaged =
            || StoreError::Damaged(self.short(&path), "a picture in it was changed, or its end is missing");
        match file.read_exact_at(&mut frame, place.offset) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(damaged()),
            other => other.map_err(failed("pictures"))?,
        }
        let cipher = cipher_of(&file, &slice.key).ok_or_else(damaged)?;
        let found = opened(&cipher, place.offset, &frame).filter(|(id, _)| *id == read.id);
        found.map(|(_, picture)| Some(picture)).ok_or_else(damaged)
    }

    /// All packs of these slices, open to be copied: one that is erased meanwhile can still be read.
    pub(crate) fn open_packs(&self, state: &State) -> io::Result<Vec<(PathBuf, File)>> {
        let mut packs = Vec::new();
        for name in state.slices.keys() {
            for path in packs_in(&self.slice_folder(name))? {
                let file = File::open(&path)?;
                packs.push((path, file));
            }
        }
        Ok(packs)
    }

    /// Opens every picture of every pack. What a crash cut at a pack's end belongs to no read, so it is no damage.
    pub(crate) fn check_pictures(&self, found: &mut Vec<Damage>) -> Result<(), StoreError> {
        let slices: Vec<(SliceName, Slice)> =
            self.state().slices.iter().map(|(name, slice)| (name.clone(), slice.clone())).collect();
        for (name, slice) in slices {
            for path in packs_in(&self.slice_folder(&name)).map_err(failed("pictures"))? {
                let Ok(file) = File::open(&path) else { continue };
                let fine = check_pack(&file, &slice.key).map_err(failed("pictures"))?;
                if !fine && self.state().slices.get(&name).is_some_and(|each| each.number == slice.number) {
                    let what = "a picture in it was changed".to_owned();
                    found.push(Damage { slice: Some(name.clone()), file: self.short(&path), what });
                }
            }
        }
        Ok(())
    }
}

/// The packs of a folder, sorted.
pub(crate) fn packs_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if numbers(&path).is_some() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn check_pack(file: &File, key: &SliceKey) -> io::Result<bool> {
    let length = file.metadata()?.len();
    if length < HEAD {
        return Ok(true);
    }
    let Some(cipher) = cipher_of(file, key) else { return Ok(false) };
    let mut at = HEAD;
    while at + FRAME_HEAD as u64 <= length {
        let mut head = [0; FRAME_HEAD];
        file.read_exact_at(&mut head, at)?;
        // What a crash left of a write that was not acknowledged.
        if head.iter().all(|byte| *byte == 0) {
            break;
        }
        let Some(sealed) = length_of(&head) else { return Ok(false) };
        let whole = FRAME_HEAD + sealed;
        if at + whole as u64 > length {
            break;
        }
        let mut frame = vec![0; whole];
        file.read_exact_at(&mut frame, at)?;
        if opened(&cipher, at, &frame).is_none() {
            return Ok(false);
        }
        at += whole as u64;
    }
    Ok(true)
}

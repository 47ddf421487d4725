//! The file of keys: one key for each slice, all under the root key. A slice is erased when its key is gone from here.
//!
//! `keys` is replaced whole. The new text is durable as `keys.new` first; then `keys` becomes `keys.old` and `keys.new`
//! becomes `keys`; then `keys.old` is overwritten with zeros and removed. Whatever a crash leaves is finished at the next opening.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use canvass_plates::{ErasedSlice, SliceName, StoreError};
use canvass_types::env::{Entropy, random};
use zeroize::Zeroizing;

use crate::{
    crypt::{RootKey, SliceKey},
    disk::{create, failed, shred, sync_folder},
    pack::{Broken, Reader, put_bytes, put_signed, put_varint},
};

const MAGIC: &[u8; 8] = b"CVREADK1";

/// A slice's key, and the number that stands for the slice in logs. A number is never used twice.
#[derive(Clone)]
pub(crate) struct Entry {
    pub number: u64,
    pub key: SliceKey,
}

#[derive(Clone, Default)]
struct Table {
    next: u64,
    keys: BTreeMap<SliceName, Entry>,
    /// Slices whose keys are gone, until whoever erased them was told.
    erased: Vec<ErasedSlice>,
}

pub(crate) struct Keys {
    folder: PathBuf,
    root: RootKey,
    entropy: Arc<dyn Entropy>,
    table: Table,
}

impl Keys {
    /// Opens the keys of a folder, or begins an empty file of them.
    pub(crate) fn open(folder: &Path, root: RootKey, entropy: Arc<dyn Entropy>) -> Result<Self, StoreError> {
        let mut keys = Self { folder: folder.to_owned(), root, entropy, table: Table::default() };
        let [now, new, old] = keys.paths();
        let there = |path: &Path| path.try_exists().map_err(failed("keys"));
        if there(&now)? {
            // A crash before the change: what was meant to come was never acknowledged.
            shred(&new).map_err(failed("keys"))?;
        } else if there(&new)? && there(&old)? {
            fs::rename(&new, &now).map_err(failed("keys"))?;
            sync_folder(folder).map_err(failed("keys"))?;
        } else if there(&old)? {
            fs::rename(&old, &now).map_err(failed("keys"))?;
        }
        if there(&now)? {
            let bytes = Zeroizing::new(fs::read(&now).map_err(failed("keys"))?);
            keys.table = keys.unsealed(&bytes)?;
            shred(&old).map_err(failed("keys"))?;
        } else {
            shred(&new).map_err(failed("keys"))?;
            keys.write(&Table::default())?;
        }
        Ok(keys)
    }

    fn paths(&self) -> [PathBuf; 3] {
        ["keys", "keys.new", "keys.old"].map(|name| self.folder.join(name))
    }

    fn sealed(&self, table: &Table) -> Result<Vec<u8>, StoreError> {
        let mut plain = Zeroizing::new(Vec::new());
        put_table(&mut plain, table);
        let nonce: [u8; 12] = random(&*self.entropy);
        let mut bytes = Vec::with_capacity(plain.len() + 64);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&nonce);
        let from = bytes.len();
        bytes.extend_from_slice(&plain);
        let cipher = self.root.of_keys().ok_or(StoreError::RootKey)?;
        cipher.seal_with(&nonce, MAGIC, &mut bytes, from).ok_or(StoreError::RootKey)?;
        Ok(bytes)
    }

    fn unsealed(&self, bytes: &[u8]) -> Result<Table, StoreError> {
        let damaged = || StoreError::Damaged("keys".to_owned(), "not a file of keys");
        let mut reader = Reader(bytes);
        if reader.array::<8>().ok().as_ref() != Some(MAGIC) {
            return Err(damaged());
        }
        let nonce = reader.array().map_err(|_| damaged())?;
        let mut plain = Zeroizing::new(reader.0.to_vec());
        let cipher = self.root.of_keys().ok_or(StoreError::RootKey)?;
        cipher.open_with(&nonce, MAGIC, &mut plain).ok_or(StoreError::RootKey)?;
        take_table(&plain).map_err(|_| damaged())
    }

    /// Makes a table the one that holds, durably, and leaves nothing of the one before.
    fn write(&mut self, table: &Table) -> Result<(), StoreError> {
        let [now, new, old] = self.paths();
        let bytes = self.sealed(table)?;
        let written = (|| {
            let mut file = create(&new)?;
            file.write_all(&bytes)?;
            file.sync_all()
        })();
        if let Err(error) = written {
            let _ = shred(&new);
            return Err(failed("keys")(error));
        }
        let replaced = (|| {
            if now.try_exists()? {
                fs::rename(&now, &old)?;
            }
            fs::rename(&new, &now)?;
            sync_folder(&self.folder)
        })();
        replaced.map_err(failed("keys"))?;
        self.table = table.clone();
        shred(&old).and_then(|()| sync_folder(&self.folder)).map_err(failed("keys"))
    }

    pub(crate) fn get(&self, slice: &SliceName) -> Option<&Entry> {
        self.table.keys.get(slice)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (&SliceName, &Entry)> {
        self.table.keys.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.table.keys.len()
    }

    /// Makes keys for slices that have none.
    pub(crate) fn add(&mut self, slices: &[SliceName]) -> Result<(), StoreError> {
        let mut table = self.table.clone();
        for slice in slices {
            if !table.keys.contains_key(slice) {
                let key = SliceKey(Zeroizing::new(random(&*self.entropy)));
                table.keys.insert(slice.clone(), Entry { number: table.next, key });
                table.next += 1;
            }
        }
        self.write(&table)
    }

    /// Destroys the keys of slices, and remembers what they held.
    pub(crate) fn destroy(&mut self, erased: &[ErasedSlice]) -> Result<(), StoreError> {
        let mut table = self.table.clone();
        table.keys.retain(|slice, _| !erased.iter().any(|each| each.slice == *slice));
        table.erased.extend_from_slice(erased);
        self.write(&table)
    }

    /// Slices of which nobody was told yet that they are erased.
    pub(crate) fn untold(&self) -> &[ErasedSlice] {
        &self.table.erased
    }

    /// Forgets slices of which somebody is told now.
    pub(crate) fn told(&mut self, of: impl Fn(&ErasedSlice) -> bool) -> Result<(), StoreError> {
        let mut table = self.table.clone();
        table.erased.retain(|each| !of(each));
        self.write(&table)
    }

    /// The file as it would be written now, for a backup.
    pub(crate) fn copy(&self) -> Result<Vec<u8>, StoreError> {
        self.sealed(&self.table)
    }

    /// Whether the file on disk is what is held in memory.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let [now, ..] = self.paths();
        let table = self.unsealed(&fs::read(&now).map_err(failed("keys"))?)?;
        let same = table.keys.len() == self.table.keys.len()
            && table.keys.iter().all(|(slice, entry)| {
                self.table.keys.get(slice).is_some_and(|other| other.key.0 == entry.key.0)
            });
        if same {
            Ok(())
        } else {
            Err(StoreError::Damaged("keys".to_owned(), "not the keys that are in use"))
        }
    }
}

fn put_slice(to: &mut Vec<u8>, slice: &SliceName) {
    put_bytes(to, slice.class.as_str().as_bytes());
    put_signed(to, slice.start);
    put_varint(to, u64::from(slice.seconds));
}

fn take_slice(reader: &mut Reader<'_>) -> Result<SliceName, Broken> {
    let class = std::str::from_utf8(reader.bytes()?).map_err(|_| Broken)?;
    let class = class.parse().map_err(|_| Broken)?;
    let start = reader.signed()?;
    Ok(SliceName { class, start, seconds: u32::try_from(reader.varint()?).map_err(|_| Broken)? })
}

fn put_table(to: &mut Vec<u8>, table: &Table) {
    put_varint(to, table.next);
    put_varint(to, table.keys.len() as u64);
    for (slice, entry) in &table.keys {
        put_slice(to, slice);
        put_varint(to, entry.number);
        to.extend_from_slice(&*entry.key.0);
    }
    put_varint(to, table.erased.len() as u64);
    for each in &table.erased {
        put_slice(to, &each.slice);
        put_varint(to, each.reads);
    }
}

fn take_table(bytes: &[u8]) -> Result<Table, Broken> {
    let mut reader = Reader(bytes);
    let mut table = Table { next: reader.varint()?, ..Table::default() };
    for _ in 0..reader.size()? {
        let slice = take_slice(&mut reader)?;
        let number = reader.varint()?;
        let key = SliceKey(Zeroizing::new(reader.array()?));
        table.keys.insert(slice, Entry { number, key });
    }
    for _ in 0..reader.size()? {
        let slice = take_slice(&mut reader)?;
        table.erased.push(ErasedSlice { slice, reads: reader.varint()? });
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The next number, spread over the buffer: no two fills are the same.
    struct Counted(std::sync::atomic::AtomicU64);

    impl Entropy for Counted {
        fn fill(&self, buffer: &mut [u8]) {
            for chunk in buffer.chunks_mut(8) {
                let next = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, std::sync::atomic::Ordering::Relaxed);
                chunk.copy_from_slice(&next.to_le_bytes()[..chunk.len()]);
            }
        }
    }

    fn slice(start: i64) -> SliceName {
        SliceName { class: "hit".parse().unwrap(), start, seconds: 60 }
    }

    fn open(folder: &Path, root: u8) -> Result<Keys, StoreError> {
        Keys::open(folder, RootKey::new([root; 32]), Arc::new(Counted(7.into())))
    }

    #[test]
    fn a_destroyed_key_is_in_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut keys = open(folder.path(), 1).unwrap();
        keys.add(&[slice(0), slice(60)]).unwrap();
        let (gone, stays) = (keys.get(&slice(0)).unwrap().key.clone(), keys.get(&slice(60)).unwrap().number);
        keys.destroy(&[ErasedSlice { slice: slice(0), reads: 5 }]).unwrap();
        keys.check().unwrap();
        let mut again = open(folder.path(), 1).unwrap();
        assert!(again.get(&slice(0)).is_none());
        assert_eq!(again.get(&slice(60)).unwrap().number, stays);
        assert_eq!(again.untold().len(), 1);
        again.told(|_| true).unwrap();
        assert_eq!(again.untold(), []);
        let bytes = fs::read(folder.path().join("keys")).unwrap();
        let plain = again.unsealed(&bytes).unwrap();
        assert!(plain.keys.values().all(|entry| entry.key.0 != gone.0));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no other file of keys is left");
        again.add(&[slice(0)]).unwrap();
        assert!(again.get(&slice(0)).unwrap().number > stays, "a number is never used twice");
    }

    #[test]
    fn another_root_key_or_a_changed_byte_opens_nothing() {
        let folder = tempfile::tempdir().unwrap();
        open(folder.path(), 1).unwrap().add(&[slice(0)]).unwrap();
        assert!(matches!(open(folder.path(), 2), Err(StoreError::RootKey)));
        let path = folder.path().join("keys");
        let bytes = fs::read(&path).unwrap();
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 0x40;
            fs::write(&path, &bad).unwrap();
            assert!(open(folder.path(), 1).is_err());
        }
    }

    #[test]
    fn a_change_that_a_crash_cut_is_finished_or_undone() {
        let folder = tempfile::tempdir().unwrap();
        let [now, new, old] = ["keys", "keys.new", "keys.old"].map(|name| folder.path().join(name));
        open(folder.path(), 1).unwrap().add(&[slice(0)]).unwrap();
        let before = fs::read(&now).unwrap();
        open(folder.path(), 1).unwrap().destroy(&[ErasedSlice { slice: slice(0), reads: 1 }]).unwrap();
        let after = fs::read(&now).unwrap();
        let put = |there: [Option<&[u8]>; 3]| {
            for (path, bytes) in [&now, &new, &old].iter().zip(there) {
                match bytes {
                    Some(bytes) => fs::write(path, bytes).unwrap(),
                    None => drop(fs::remove_file(path)),
                }
            }
            let keys = open(folder.path(), 1).unwrap();
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
            keys.get(&slice(0)).is_some()
        };
        assert!(put([Some(&before), Some(&after[..20]), None]), "new text was torn");
        assert!(put([Some(&before), Some(&after), None]), "not yet changed");
        assert!(!put([None, Some(&after), Some(&before)]), "in the middle of the change");
        assert!(!put([Some(&after), None, Some(&before)]), "changed, the old text still there");
    }
}

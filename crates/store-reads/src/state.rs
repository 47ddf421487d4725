//! What the threads of a store share.

use std::{
    collections::BTreeMap,
    fs::File,
    path::PathBuf,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use canvass_plates::{Read, ReadId, SliceName, StoreError};
use canvass_types::Entropy;

use crate::{
    append::Queue,
    cache::Cache,
    crypt::SliceKey,
    keys::Keys,
    log::Log,
    mem::Mem,
    pictures::Packs,
    row::{Names, Row},
    segment::Segment,
    store::Options,
};

/// Everything of an open store. Locks are taken in the order of the fields.
pub(crate) struct Shared {
    pub folder: PathBuf,
    pub options: Options,
    pub entropy: Arc<dyn Entropy>,
    pub names: Names,
    pub cache: Cache,
    /// Held as long as the store is open.
    pub _lock: File,
    /// One flush, merge or backup at a time.
    pub upkeep: Mutex<()>,
    /// Whoever changes what is durable holds this.
    pub writing: Mutex<Writing>,
    pub state: RwLock<State>,
    pub packs: Packs,
    pub queue: Mutex<Queue>,
    pub answered: Condvar,
    pub wake: Mutex<Wake>,
    pub woken: Condvar,
    /// The number of the next file, and the uid of the next segment.
    pub next_file: AtomicU64,
    pub next_uid: AtomicU64,
}

pub(crate) struct Writing {
    pub keys: Keys,
    /// None before the first append, after a failure, and when the log's rows became a memory that is full.
    pub log: Option<Log>,
}

#[derive(Default)]
pub(crate) struct Wake {
    pub work: bool,
    pub stop: bool,
}

/// A log whose rows are in memory, and how far it reaches.
#[derive(Clone, Copy)]
pub(crate) struct OldLog {
    pub number: u64,
    pub length: u64,
}

/// Rows in memory, and the logs that they are in.
#[derive(Clone, Default)]
pub(crate) struct Part {
    pub mem: Arc<RwLock<Mem>>,
    /// But for the one that is being written.
    pub logs: Vec<OldLog>,
}

impl Part {
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Mem> {
        self.mem.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, Mem> {
        self.mem.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone)]
pub(crate) struct Slice {
    pub number: u64,
    pub key: SliceKey,
    pub segments: Vec<Arc<Segment>>,
    /// Files that could not be opened, and why.
    pub damaged: Vec<(String, String)>,
}

#[derive(Default)]
pub(crate) struct State {
    /// Counts changes of the segments.
    pub version: u64,
    pub active: Part,
    /// Full, waiting to become segments; the oldest first.
    pub frozen: Vec<Part>,
    pub slices: BTreeMap<SliceName, Slice>,
}

impl State {
    pub(crate) fn parts(&self) -> impl Iterator<Item = &Part> {
        std::iter::once(&self.active).chain(&self.frozen)
    }

    pub(crate) fn segments(&self) -> impl Iterator<Item = &Arc<Segment>> {
        self.slices.values().flat_map(|slice| &slice.segments)
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn logs(&self) -> PathBuf {
        self.folder.join("logs")
    }

    /// The folder of a slice.
    pub(crate) fn slice_folder(&self, slice: &SliceName) -> PathBuf {
        slice_folder(&self.folder, slice)
    }

    pub(crate) fn file_number(&self) -> u64 {
        self.next_file.fetch_add(1, Ordering::Relaxed)
    }

    /// A read, and the slice that it was found in.
    pub(crate) fn find(&self, id: &ReadId) -> Result<Option<(SliceName, Read)>, StoreError> {
        let (parts, segments) = {
            let state = self.state();
            (state.parts().cloned().collect::<Vec<Part>>(), state.segments().cloned().collect::<Vec<_>>())
        };
        let whole = |name: &SliceName, row: &Row| {
            let broken = |_| StoreError::Damaged("row".to_owned(), "a value is none");
            row.read(&self.names).map(|read| Some((name.clone(), read))).map_err(broken)
        };
        for part in &parts {
            if let Some((name, row)) = part.read().get(id) {
                return whole(name, row);
            }
        }
        for segment in segments {
            if let Some(row) = segment.find(&self.cache, id)? {
                return whole(&segment.slice, &segment.whole_row(&self.cache, row)?);
            }
        }
        Ok(None)
    }

    pub(crate) fn open_segment(
        &self,
        path: &std::path::Path,
        number: u64,
        slice: &SliceName,
        key: &SliceKey,
    ) -> Result<Segment, StoreError> {
        let uid = self.next_uid.fetch_add(1, Ordering::Relaxed);
        Segment::open(path, (uid, number), slice.clone(), key, &self.names)
    }

    pub(crate) fn wake_up(&self) {
        lock(&self.wake).work = true;
        self.woken.notify_all();
    }
}

pub(crate) fn slice_folder(folder: &std::path::Path, slice: &SliceName) -> PathBuf {
    folder.join("slices").join(slice.class.as_str()).join(format!("{}-{}", slice.start, slice.seconds))
}

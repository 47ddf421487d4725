//! Opens a folder, and finishes what a crash left half done.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, RwLock, atomic::AtomicU64},
};

use canvass_plates::{ReadId, SliceName, StoreError};
use canvass_types::Entropy;

use crate::{
    append::Queue,
    cache::Cache,
    crypt::RootKey,
    disk::{create, failed, make_folder, remove},
    keys::Keys,
    log::{self, Frame},
    pictures::{self, Packs},
    row::Names,
    segment::{Segment, slice_number},
    state::{OldLog, Shared, Slice, State, Wake, Writing},
    store::Options,
    upkeep::remove_slice,
};

/// Opens the store in a folder, which is made when it isn't there.
pub(crate) fn open(
    folder: &Path,
    root: RootKey,
    entropy: Arc<dyn Entropy>,
    options: Options,
) -> Result<Shared, StoreError> {
    for part in [folder.to_owned(), folder.join("logs"), folder.join("slices")] {
        make_folder(&part).map_err(failed("folder"))?;
    }
    let lock = create(&folder.join("lock")).map_err(failed("lock"))?;
    lock.try_lock().map_err(|_| StoreError::Locked)?;
    let keys = Keys::open(folder, root, Arc::clone(&entropy))?;
    let shared = Shared {
        folder: folder.to_owned(),
        cache: Cache::new(options.cache_bytes),
        options,
        entropy,
        names: Names::default(),
        _lock: lock,
        upkeep: Mutex::new(()),
        writing: Mutex::new(Writing { keys, log: None }),
        state: RwLock::new(State::default()),
        packs: Packs::default(),
        queue: Mutex::new(Queue::default()),
        answered: Condvar::new(),
        wake: Mutex::new(Wake { work: true, stop: false }),
        woken: Condvar::new(),
        next_file: AtomicU64::new(0),
        next_uid: AtomicU64::new(0),
    };
    shared.open_slices()?;
    shared.replay_logs()?;
    Ok(shared)
}

impl Shared {
    fn open_slices(&self) -> Result<(), StoreError> {
        let writing = crate::state::lock(&self.writing);
        let mut slices = BTreeMap::new();
        let mut next = 0;
        let mut known = BTreeSet::new();
        let live: BTreeSet<u64> = writing.keys.all().map(|(_, entry)| entry.number).collect();
        for (name, entry) in writing.keys.all() {
            let folder = self.slice_folder(name);
            known.insert(folder.clone());
            let mut slice = Slice {
                number: entry.number,
                key: entry.key.clone(),
                segments: Vec::new(),
                damaged: Vec::new(),
            };
            for (path, number) in files_of(&folder, &live)? {
                next = next.max(number + 1);
                match self.open_segment(&path, number, name, &entry.key) {
                    Ok(segment) => slice.segments.push(Arc::new(segment)),
                    Err(StoreError::Damaged(_, what)) => {
                        slice.damaged.push((self.short(&path), what.to_owned()));
                    }
                    Err(other) => return Err(other),
                }
            }
            for path in pictures::packs_in(&folder).map_err(failed("pictures"))? {
                next = next.max(pictures::numbers(&path).map_or(0, |(_, number)| number + 1));
            }
            drop_replaced(&mut slice)?;
            slices.insert(name.clone(), slice);
        }
        // Erased, but a crash came before the files went.
        for class in folders(&self.folder.join("slices")).map_err(failed("slices"))? {
            for folder in folders(&class).map_err(failed("slices"))? {
                if !known.contains(&folder) {
                    remove_slice(&folder).map_err(failed("slice"))?;
                }
            }
        }
        for number in log::numbers(&self.logs()).map_err(failed("log"))? {
            next = next.max(number + 1);
        }
        self.next_file.store(next, std::sync::atomic::Ordering::Relaxed);
        self.state_mut().slices = slices;
        Ok(())
    }

    /// A path from the store's folder.
    pub(crate) fn short(&self, path: &Path) -> String {
        path.strip_prefix(&self.folder).unwrap_or(path).display().to_string()
    }

    fn replay_logs(&self) -> Result<(), StoreError> {
        let numbers = log::numbers(&self.logs()).map_err(failed("log"))?;
        let keys: BTreeMap<u64, (SliceName, crate::crypt::SliceKey)> = {
            let state = self.state();
            let all = state.slices.iter();
            all.map(|(name, slice)| (slice.number, (name.clone(), slice.key.clone()))).collect()
        };
        for number in numbers {
            let path = log::path(&self.logs(), number);
            let replayed =
                log::replay(&path, &|slice| keys.get(&slice).cloned(), &self.names, &mut |frames| {
                    self.replay(frames)
                })?;
            if replayed.damaged {
                // What can be read is taken; the file stays for whoever has to find out, and `check` names it.
                let aside = path.with_extension("damaged");
                fs::copy(&path, &aside).map_err(failed("log"))?;
            }
            self.state_mut().active.logs.push(OldLog { number, length: replayed.end });
        }
        let mut writing = crate::state::lock(&self.writing);
        if self.state().active.read().rows() >= self.options.flush_rows {
            self.freeze(&mut writing);
        }
        Ok(())
    }

    /// Rows that were in a log; some are in segments already.
    fn replay(&self, frames: Vec<Frame>) -> Result<(), StoreError> {
        let state = self.state();
        let mut mem = state.active.write();
        for Frame { slice, kept, rows } in frames {
            let stored = |id: &ReadId, segments: &mut dyn Iterator<Item = &Arc<Segment>>| {
                for segment in segments {
                    if segment.candidates(id).next().is_some() && segment.find(&self.cache, id)?.is_some() {
                        return Ok(true);
                    }
                }
                Ok::<_, StoreError>(false)
            };
            for row in rows {
                let there = if kept {
                    let of_slice = state.slices.get(&slice);
                    mem.slice_contains(&slice, &row.id)
                        || stored(&row.id, &mut of_slice.iter().flat_map(|slice| &slice.segments))?
                } else {
                    mem.contains(&row.id) || stored(&row.id, &mut state.segments())?
                };
                if !there {
                    mem.insert(&slice, row);
                }
            }
        }
        Ok(())
    }
}

/// Segments of a slice's folder. What is unfinished, or of an erased slice of the same name, goes.
fn files_of(folder: &Path, live: &BTreeSet<u64>) -> Result<Vec<(PathBuf, u64)>, StoreError> {
    let mut found = Vec::new();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        other => other.map_err(failed("slice"))?,
    };
    for entry in entries {
        let path = entry.map_err(failed("slice"))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let number = name.strip_suffix(".seg").and_then(|name| name.parse().ok());
        let stale = match pictures::numbers(&path) {
            Some((of, _)) => !live.contains(&of),
            None => {
                path.extension().is_some_and(|end| end == "tmp")
                    || slice_number(&path).is_some_and(|of| !live.contains(&of))
            }
        };
        if stale {
            remove(&path).map_err(failed("slice"))?;
        } else if let Some(number) = number {
            found.push((path, number));
        }
    }
    found.sort_by_key(|(_, number)| *number);
    Ok(found)
}

/// Segments whose rows are in a newer one: a crash came before their files went.
fn drop_replaced(slice: &mut Slice) -> Result<(), StoreError> {
    let replaced: BTreeSet<u64> =
        slice.segments.iter().flat_map(|segment| segment.about.replaces.iter().copied()).collect();
    for segment in &slice.segments {
        if replaced.contains(&segment.number) {
            remove(&segment.path).map_err(failed("segment"))?;
        }
    }
    slice.segments.retain(|segment| !replaced.contains(&segment.number));
    Ok(())
}

fn folders(of: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(of)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

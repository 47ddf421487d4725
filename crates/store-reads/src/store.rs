//! The store as others see it.

use std::{fs, io::Write as _, path::Path, sync::Arc, thread::JoinHandle};

use canvass_plates::{
    Appended, ClassName, Damage, ErasedSlice, Kept, Page, Pictures, Read, ReadId, ReadQuery, ReadStore,
    RetentionClass, SliceName, Stats, StoreError,
};
use canvass_types::{Entropy, Time};

use crate::{
    append::{Job, start_of},
    crypt::RootKey,
    disk::{bytes_below, copy, create, failed, make_folder, sync_folder},
    log,
    open::open,
    row::Row,
    search::Search,
    segment::Segment,
    state::{Part, Shared, Slice, lock},
};

/// How a store behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Bytes of opened blocks that are held in memory.
    pub cache_bytes: usize,
    /// Reads in memory before they become segments.
    pub flush_rows: usize,
    /// Most slices, all classes together.
    pub most_slices: usize,
    /// Whether a thread makes segments and merges them; without it only `compact` does, and appends that outrun it.
    pub background: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { cache_bytes: 512 << 20, flush_rows: 256 << 10, most_slices: 20_000, background: true }
    }
}

/// Reads in one folder. One process may have it open.
pub struct SegmentStore {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl SegmentStore {
    /// Opens the store in a folder, which is made when it isn't there, and finishes what a crash left half done.
    ///
    /// # Errors
    /// [`StoreError`]: the disk, another root key, another process that has it open.
    pub fn open(
        folder: impl AsRef<Path>,
        root: RootKey,
        entropy: Arc<dyn Entropy>,
        options: Options,
    ) -> Result<Self, StoreError> {
        let background = options.background;
        let shared = Arc::new(open(folder.as_ref(), root, entropy, options)?);
        let thread = if background {
            let shared = Arc::clone(&shared);
            let named = std::thread::Builder::new().name("reads".to_owned());
            Some(named.spawn(move || shared.keep_up()).map_err(failed("thread"))?)
        } else {
            None
        };
        Ok(Self { shared, thread })
    }

    /// Forgets opened blocks, for measurements of a cold cache.
    pub fn forget_blocks(&self) {
        self.shared.cache.forget(|_| true);
    }

    /// The part of a store's state that a search needs: what is in memory, and the segments, the newest first.
    fn snapshot(&self, query: Option<&ReadQuery>) -> Result<(Vec<Part>, Vec<Arc<Segment>>), StoreError> {
        let state = self.shared.state();
        for (name, slice) in &state.slices {
            let wanted = query.is_none_or(|query| {
                name.start < query.until.as_second() && query.from.as_second() < name.end()
            });
            if wanted && !slice.damaged.is_empty() {
                return Err(StoreError::Damaged(name.to_string(), "a segment can't be opened"));
            }
        }
        let mut segments: Vec<Arc<Segment>> = state.segments().cloned().collect();
        segments.sort_by_key(|segment| std::cmp::Reverse(segment.about.seen.1));
        Ok((state.parts().cloned().collect(), segments))
    }

    fn check_logs(&self, found: &mut Vec<Damage>) -> Result<(), StoreError> {
        let shared = &self.shared;
        let writing = lock(&shared.writing);
        let mut logs: Vec<(u64, u64)> =
            shared.state().parts().flat_map(|part| &part.logs).map(|old| (old.number, old.length)).collect();
        logs.extend(writing.log.as_ref().map(|log| (log.number, log.length())));
        let keys: Vec<_> = writing.keys.all().map(|(name, entry)| (name.clone(), entry.clone())).collect();
        let key = |number| {
            let (name, entry) = keys.iter().find(|(_, entry)| entry.number == number)?;
            Some((name.clone(), entry.key.clone()))
        };
        for (number, length) in logs {
            let path = log::path(&shared.logs(), number);
            let replayed = log::replay(&path, &key, &shared.names, &mut |_| Ok(()));
            let what = match replayed {
                Ok(replayed) if replayed.damaged => "frames in it were changed".to_owned(),
                Ok(replayed) if replayed.end < length => "its end is missing".to_owned(),
                Ok(_) => continue,
                Err(error) => error.to_string(),
            };
            // A log that a flush removed while we looked was whole.
            if path.exists() {
                found.push(Damage { slice: None, file: shared.short(&path), what });
            }
        }
        drop(writing);
        for entry in fs::read_dir(shared.logs()).map_err(failed("log"))?.flatten() {
            if entry.path().extension().is_some_and(|end| end == "damaged") {
                let what =
                    "a log that was damaged when the store was opened; what could be read was taken from it";
                found.push(Damage { slice: None, file: shared.short(&entry.path()), what: what.to_owned() });
            }
        }
        Ok(())
    }

    fn copy_to(&self, folder: &Path) -> Result<(), StoreError> {
        let shared = &self.shared;
        // Files that are removed meanwhile can still be read: all are open.
        let upkeep = lock(&shared.upkeep);
        let writing = lock(&shared.writing);
        let keys = writing.keys.copy()?;
        let state = shared.state();
        let segments: Vec<Arc<Segment>> = state.segments().cloned().collect();
        let packs = shared.open_packs(&state).map_err(failed("backup"))?;
        let mut logs = Vec::new();
        for old in state.parts().flat_map(|part| &part.logs) {
            let file = fs::File::open(log::path(&shared.logs(), old.number)).map_err(failed("backup"))?;
            logs.push((old.number, file, old.length));
        }
        if let Some(log) = &writing.log {
            logs.push((log.number, log.handle().map_err(failed("backup"))?, log.length()));
        }
        drop((state, writing, upkeep));
        let to_logs = folder.join("logs");
        make_folder(&to_logs).map_err(failed("backup"))?;
        for (number, file, length) in logs {
            copy(&file, length, &log::path(&to_logs, number)).map_err(failed("backup"))?;
        }
        for segment in segments {
            let length = segment.file().metadata().map_err(failed("backup"))?.len();
            let to = crate::state::slice_folder(folder, &segment.slice);
            make_folder(&to).map_err(failed("backup"))?;
            let to = to.join(segment.path.file_name().unwrap_or_default());
            copy(segment.file(), length, &to).map_err(failed("backup"))?;
            to.parent().map_or(Ok(()), sync_folder).map_err(failed("backup"))?;
        }
        for (path, file) in packs {
            let to = folder.join(path.strip_prefix(&shared.folder).unwrap_or(&path));
            to.parent().map_or(Ok(()), make_folder).map_err(failed("backup"))?;
            let length = file.metadata().map_err(failed("backup"))?.len();
            copy(&file, length, &to).map_err(failed("backup"))?;
            to.parent().map_or(Ok(()), sync_folder).map_err(failed("backup"))?;
        }
        let mut file = create(&folder.join("keys")).map_err(failed("backup"))?;
        file.write_all(&keys).and_then(|()| file.sync_all()).map_err(failed("backup"))?;
        sync_folder(&to_logs).and_then(|()| sync_folder(folder)).map_err(failed("backup"))
    }
}

impl ReadStore for SegmentStore {
    fn append_with(
        &self,
        class: &RetentionClass,
        batch: &[Read],
        pictures: &Pictures<'_>,
    ) -> Result<Appended, StoreError> {
        let (stored, duplicates) = self.shared.append(class, batch, pictures)?;
        Ok(Appended { stored, duplicates })
    }

    fn search(&self, query: &ReadQuery) -> Result<Page, StoreError> {
        query.check()?;
        let (parts, segments) = self.snapshot(Some(query))?;
        let mut search = Search::new(query, &self.shared.names);
        for part in &parts {
            search.memory(&part.read());
        }
        search.segments(&segments, &self.shared.cache)?;
        search.page(&self.shared.names)
    }

    fn by_id(&self, id: &ReadId) -> Result<Option<Read>, StoreError> {
        Ok(self.shared.find(id)?.map(|(_, read)| read))
    }

    fn picture(&self, id: &ReadId) -> Result<Option<Vec<u8>>, StoreError> {
        let Some((name, read)) = self.shared.find(id)? else { return Ok(None) };
        let slice = self.shared.state().slices.get(&name).cloned();
        slice.map_or(Ok(None), |slice| self.shared.read_picture(&name, &slice, &read))
    }

    fn keep(&self, ids: &[ReadId], class: &RetentionClass) -> Result<Kept, StoreError> {
        if ids.len() > crate::append::MOST_BATCH {
            return Err(StoreError::Batch { most: crate::append::MOST_BATCH });
        }
        let mut kept = Kept::default();
        let mut reads = Vec::with_capacity(ids.len());
        for id in ids {
            if let Some(found) = self.shared.find(id)? {
                reads.push(found);
                kept.kept += 1;
            } else {
                kept.missing.push(*id);
            }
        }
        self.shared.copy_pictures(class, &mut reads)?;
        if !reads.is_empty() {
            let row = |(_, read): &(SliceName, Read)| {
                (start_of(class, read.kept_from().as_second()), Row::of(read, &self.shared.names))
            };
            self.shared.commit(Job::of(class, reads.iter().map(row), true))?;
        }
        Ok(kept)
    }

    fn erase(&self, class: &ClassName, before: Time) -> Result<Vec<ErasedSlice>, StoreError> {
        self.shared.erase(class, before)
    }

    fn slices(&self) -> Result<Vec<(SliceName, u64)>, StoreError> {
        let state = self.shared.state();
        let reads_of = |(name, slice): (&SliceName, &Slice)| {
            let stored: u64 = slice.segments.iter().map(|segment| u64::from(segment.about.rows)).sum();
            let in_memory: usize =
                state.parts().map(|part| part.read().slice(name).map_or(0, |slice| slice.rows.len())).sum();
            (name.clone(), stored + in_memory as u64)
        };
        Ok(state.slices.iter().map(reads_of).collect())
    }

    fn stats(&self) -> Result<Stats, StoreError> {
        let slices = self.slices()?;
        let state = self.shared.state();
        let mut memory = self.shared.cache.bytes() as u64;
        memory += state.segments().map(|segment| segment.memory_bytes() as u64).sum::<u64>();
        memory += state.parts().map(|part| part.read().bytes()).sum::<u64>();
        drop(state);
        let reads = slices.iter().map(|(_, reads)| reads).sum();
        Ok(Stats { reads, slices, disk_bytes: bytes_below(&self.shared.folder), memory_bytes: memory })
    }

    fn check(&self) -> Result<Vec<Damage>, StoreError> {
        let mut found = Vec::new();
        let segments: Vec<Arc<Segment>> = {
            let state = self.shared.state();
            for (name, slice) in &state.slices {
                for (file, what) in &slice.damaged {
                    found.push(Damage { slice: Some(name.clone()), file: file.clone(), what: what.clone() });
                }
            }
            state.segments().cloned().collect()
        };
        for segment in segments {
            // Blocks that were opened before don't show what lies on disk now.
            self.shared.cache.forget(|key| key.0 == segment.uid);
            if let Err(error) = segment.check(&self.shared.cache) {
                let what = match error {
                    StoreError::Damaged(_, what) => what.to_owned(),
                    other => other.to_string(),
                };
                // A slice that was erased while we looked is not damaged.
                if self.shared.state().segments().any(|each| each.uid == segment.uid) {
                    let file = self.shared.short(&segment.path);
                    found.push(Damage { slice: Some(segment.slice.clone()), file, what });
                }
            }
        }
        self.shared.check_pictures(&mut found)?;
        self.check_logs(&mut found)?;
        if let Err(error) = lock(&self.shared.writing).keys.check() {
            found.push(Damage { slice: None, file: "keys".to_owned(), what: error.to_string() });
        }
        Ok(found)
    }

    fn backup(&self, to: &Path) -> Result<(), StoreError> {
        let unfinished = to.with_extension("unfinished");
        let there = to.try_exists().map_err(failed("backup"))?;
        if there {
            let exists = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
            return Err(StoreError::Disk("backup", exists));
        }
        if unfinished.is_dir() {
            fs::remove_dir_all(&unfinished).map_err(failed("backup"))?;
        }
        make_folder(&unfinished).map_err(failed("backup"))?;
        let copied = self
            .copy_to(&unfinished)
            .and_then(|()| fs::rename(&unfinished, to).map_err(failed("backup")))
            .and_then(|()| to.parent().map_or(Ok(()), sync_folder).map_err(failed("backup")));
        if copied.is_err() {
            let _ = fs::remove_dir_all(&unfinished);
        }
        copied
    }

    fn compact(&self) -> Result<(), StoreError> {
        self.shared.compact()
    }
}

impl Drop for SegmentStore {
    fn drop(&mut self) {
        lock(&self.shared.wake).stop = true;
        self.shared.woken.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for SegmentStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SegmentStore(…)")
    }
}

//! What turns logs into segments, merges segments, and erases slices.

use std::{collections::BTreeMap, fs, io, sync::Arc, time::Duration};

use canvass_plates::{ClassName, ErasedSlice, SliceName, StoreError};
use canvass_types::Time;

use crate::{
    append::slice_folder,
    disk::{failed, remove, sync_folder},
    log,
    pictures::remove_packs,
    row::Row,
    segment::{MOST_ROWS, Segment, Sorted, merge, write},
    state::{Part, Shared, Slice, lock},
};

/// Segments of a slice that is still filled, before they are merged.
const MANY: usize = 16;
/// How long a failed upkeep waits.
const AGAIN: Duration = Duration::from_secs(2);

impl Shared {
    /// The thread of a store: works when woken, until told to stop.
    pub(crate) fn keep_up(&self) {
        loop {
            let mut wake = lock(&self.wake);
            while !wake.work && !wake.stop {
                wake = self.woken.wait(wake).unwrap_or_else(std::sync::PoisonError::into_inner);
            }
            if wake.stop {
                return;
            }
            wake.work = false;
            drop(wake);
            if self.work().is_err() {
                // A full disk, most likely. Appends tell of it; here it is tried again.
                let mut wake = lock(&self.wake);
                wake.work = true;
                if !wake.stop {
                    drop(self.woken.wait_timeout(wake, AGAIN));
                }
            }
        }
    }

    fn stopped(&self) -> bool {
        lock(&self.wake).stop
    }

    fn work(&self) -> Result<(), StoreError> {
        while !self.state().frozen.is_empty() {
            self.flush_one()?;
        }
        while let Some((name, slice, segments)) = self.due() {
            if self.stopped() {
                return Ok(());
            }
            self.merge(&name, &slice, &segments)?;
            while !self.state().frozen.is_empty() {
                self.flush_one()?;
            }
        }
        Ok(())
    }

    /// Makes segments of the memory that waits longest.
    pub(crate) fn flush_one(&self) -> Result<(), StoreError> {
        let upkeep = lock(&self.upkeep);
        let Some(part) = self.state().frozen.first().cloned() else { return Ok(()) };
        let slices: Vec<(SliceName, Vec<Row>)> =
            part.read().slices().map(|(name, slice)| (name.clone(), slice.rows.clone())).collect();
        let mut written: Vec<(SliceName, u64, Arc<Segment>)> = Vec::new();
        for (name, mut rows) in slices {
            let slice = self.state().slices.get(&name).cloned();
            // Erased meanwhile.
            let Some(slice) = slice else { continue };
            rows.sort_by_cached_key(|row| {
                (Sorted::of(&row.plate), std::cmp::Reverse(row.seen), std::cmp::Reverse(row.id))
            });
            let segment = self.write_segment(&name, &slice, rows.into_iter().map(Ok), &[])?;
            written.push((name, slice.number, segment));
        }
        let mut state = self.state_mut();
        let mut unwanted = Vec::new();
        for (name, number, segment) in written {
            match state.slices.get_mut(&name).filter(|slice| slice.number == number) {
                Some(slice) => slice.segments.push(segment),
                None => unwanted.push(segment),
            }
        }
        state.frozen.retain(|each| !Arc::ptr_eq(&each.mem, &part.mem));
        state.version += 1;
        drop(state);
        drop(upkeep);
        unwanted.iter().try_for_each(|segment| remove(&segment.path)).map_err(failed("segment"))?;
        self.remove_logs(&part)
    }

    fn remove_logs(&self, part: &Part) -> Result<(), StoreError> {
        part.logs
            .iter()
            .try_for_each(|old| remove(&log::path(&self.logs(), old.number)))
            .and_then(|()| sync_folder(&self.logs()))
            .map_err(failed("log"))
    }

    fn write_segment(
        &self,
        name: &SliceName,
        slice: &Slice,
        rows: impl Iterator<Item = Result<Row, StoreError>>,
        replaces: &[u64],
    ) -> Result<Arc<Segment>, StoreError> {
        let folder = slice_folder(self, name)?;
        let number = self.file_number();
        let context = (&self.names, &*self.entropy);
        let written = write(&folder, number, (slice.number, &slice.key), rows, replaces, context)?;
        Ok(Arc::new(self.open_segment(&written.path, number, name, &slice.key)?))
    }

    /// A slice whose segments should become one.
    fn due(&self) -> Option<(SliceName, Slice, Vec<Arc<Segment>>)> {
        let state = self.state();
        let mut newest: BTreeMap<&ClassName, i64> = BTreeMap::new();
        for (name, slice) in &state.slices {
            if !slice.segments.is_empty() {
                newest.insert(&name.class, name.start);
            }
        }
        state.slices.iter().find_map(|(name, slice)| {
            let open = newest.get(&name.class) == Some(&name.start);
            let segments = due_of(&slice.segments, open)?;
            Some((name.clone(), slice.clone(), segments))
        })
    }

    /// Merges segments of one slice into one.
    fn merge(&self, name: &SliceName, slice: &Slice, segments: &[Arc<Segment>]) -> Result<(), StoreError> {
        let upkeep = lock(&self.upkeep);
        let current = |state: &crate::state::State| {
            let there = state.slices.get(name).filter(|each| each.number == slice.number);
            there.is_some_and(|there| {
                segments.iter().all(|segment| there.segments.iter().any(|each| each.uid == segment.uid))
            })
        };
        if !current(&self.state()) {
            return Ok(());
        }
        let replaces: Vec<u64> = segments.iter().map(|segment| segment.number).collect();
        let merged = match self.write_segment(name, slice, merge(segments), &replaces) {
            // The slice was erased under our hands.
            Err(_) if !current(&self.state()) => return Ok(()),
            other => other?,
        };
        let mut state = self.state_mut();
        let fits = current(&state);
        if fits && let Some(there) = state.slices.get_mut(name) {
            there.segments.retain(|each| !segments.iter().any(|old| old.uid == each.uid));
            there.segments.push(Arc::clone(&merged));
            state.version += 1;
        }
        drop(state);
        drop(upkeep);
        if !fits {
            return remove(&merged.path).map_err(failed("segment"));
        }
        segments.iter().try_for_each(|old| remove(&old.path)).map_err(failed("segment"))?;
        self.cache.forget(|key| segments.iter().any(|old| old.uid == key.0));
        Ok(())
    }

    /// Everything into as few segments as can be.
    pub(crate) fn compact(&self) -> Result<(), StoreError> {
        self.freeze(&mut lock(&self.writing));
        while !self.state().frozen.is_empty() {
            self.flush_one()?;
        }
        let slices: Vec<(SliceName, Slice)> =
            self.state().slices.iter().map(|(name, slice)| (name.clone(), slice.clone())).collect();
        for (name, slice) in slices {
            let segments = small_enough(&slice.segments);
            if segments.len() > 1 {
                self.merge(&name, &slice, &segments)?;
            }
        }
        Ok(())
    }

    /// Erases slices: keys, memory, files.
    pub(crate) fn erase(&self, class: &ClassName, before: Time) -> Result<Vec<ErasedSlice>, StoreError> {
        let mut writing = lock(&self.writing);
        let gone: BTreeMap<SliceName, Slice> = {
            let state = self.state();
            let ended = state.slices.iter().filter(|(name, _)| name.class == *class && name.ended(before));
            ended.map(|(name, slice)| (name.clone(), slice.clone())).collect()
        };
        if !gone.is_empty() {
            self.destroy(&mut writing, &gone)?;
        }
        // Also folders of slices whose erasure a crash cut.
        let told: Vec<ErasedSlice> =
            writing.keys.untold().iter().filter(|each| each.slice.class == *class).cloned().collect();
        drop(writing);
        for each in &told {
            let again = self.state().slices.contains_key(&each.slice);
            if let Some(slice) = gone.get(&each.slice)
                && again
            {
                // The slice was begun anew meanwhile: only the old files go.
                slice.segments.iter().try_for_each(|old| remove(&old.path)).map_err(failed("slice"))?;
                remove_packs(&self.slice_folder(&each.slice), slice.number).map_err(failed("slice"))?;
            } else if !again {
                remove_slice(&self.slice_folder(&each.slice)).map_err(failed("slice"))?;
            }
        }
        let uids: Vec<u64> =
            gone.values().flat_map(|slice| &slice.segments).map(|segment| segment.uid).collect();
        if !uids.is_empty() {
            self.cache.forget(|key| uids.contains(&key.0));
        }
        if !told.is_empty() {
            lock(&self.writing).keys.told(|each| told.contains(each))?;
        }
        Ok(told)
    }

    fn destroy(
        &self,
        writing: &mut crate::state::Writing,
        gone: &BTreeMap<SliceName, Slice>,
    ) -> Result<(), StoreError> {
        let mut in_memory = 0;
        let erased: Vec<ErasedSlice> = {
            let state = self.state();
            let of_slice = |(name, slice): (&SliceName, &Slice)| {
                let memory: usize = state
                    .parts()
                    .map(|part| part.read().slice(name).map_or(0, |slice| slice.rows.len()))
                    .sum();
                in_memory += memory;
                let rows: u64 = slice.segments.iter().map(|segment| u64::from(segment.about.rows)).sum();
                ErasedSlice { slice: name.clone(), reads: rows + memory as u64 }
            };
            gone.iter().map(of_slice).collect()
        };
        writing.keys.destroy(&erased)?;
        let mut state = self.state_mut();
        state.slices.retain(|name, _| !gone.contains_key(name));
        state.version += 1;
        state.parts().for_each(|part| part.write().erase(|name| gone.contains_key(name)));
        drop(state);
        let numbers: Vec<u64> = gone.values().map(|slice| slice.number).collect();
        self.packs.forget(&numbers);
        writing.log.iter_mut().for_each(|log| log.forget(&numbers));
        if in_memory > 0 {
            // Their sealed frames go with the log, once the others are in segments.
            self.freeze(writing);
        }
        Ok(())
    }
}

fn small_enough(segments: &[Arc<Segment>]) -> Vec<Arc<Segment>> {
    let mut all: Vec<Arc<Segment>> = segments.to_vec();
    all.sort_by_key(|segment| segment.about.rows);
    let mut rows = 0;
    all.retain(|segment| {
        rows += segment.about.rows as usize;
        rows <= MOST_ROWS
    });
    all
}

fn due_of(segments: &[Arc<Segment>], open: bool) -> Option<Vec<Arc<Segment>>> {
    let all = small_enough(segments);
    let rows =
        |segments: &[Arc<Segment>]| segments.iter().map(|each| u64::from(each.about.rows)).sum::<u64>();
    let (biggest, rest) = all.split_last()?;
    if rest.is_empty() {
        return None;
    }
    if open {
        // The big one stays as it is until the slice is full.
        let small: Vec<Arc<Segment>> = all
            .iter()
            .filter(|each| each.about.rows < biggest.about.rows.max(2) / 2 || rest.len() >= MANY)
            .cloned()
            .collect();
        return (small.len() >= MANY).then_some(small);
    }
    let worth = rows(rest) >= u64::from(biggest.about.rows) / 8 || rest.len() >= MANY / 2;
    worth.then_some(all)
}

/// Removes the folder of a slice.
pub(crate) fn remove_slice(folder: &std::path::Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => folder.parent().map_or(Ok(()), sync_folder),
    }
}

//! Appends that come at the same time share one write and one fsync: whoever comes first leads, and takes along what
//! others have queued meanwhile.

use std::{collections::BTreeMap, sync::Arc};

use canvass_plates::{Pictures, Read, ReadId, RetentionClass, Short, SliceName, StoreError, check_pictures};
use rustc_hash::FxHashSet;

use crate::{
    disk::make_folder,
    log::Log,
    pictures::is_place,
    row::Row,
    segment::Segment,
    state::{OldLog, Part, Shared, Slice, Writing, lock},
};

/// Most reads of one batch.
pub(crate) const MOST_BATCH: usize = 100_000;
/// Bytes after which a group is written, whatever else waits.
const MOST_GROUP: u64 = 32 << 20;
/// Memories that may wait to become segments before appends help.
const MOST_FROZEN: usize = 3;

/// Pictures that are in memory at once while they are copied.
const COPIED: usize = 64;

/// Names that pictures were given, by read.
type Given = BTreeMap<ReadId, Short>;

/// Rows of one call.
pub(crate) struct Job {
    slices: Vec<(SliceName, Vec<Row>)>,
    kept: bool,
    duplicates: usize,
    /// The segments in which the rows were already looked for.
    version: Option<u64>,
}

/// Rows stored, and rows that were there.
type Answer = Result<(usize, usize), StoreError>;

/// Who asked, and what they are told.
type Answers = Vec<(u64, Answer)>;

#[derive(Default)]
pub(crate) struct Queue {
    waiting: Vec<(u64, Job)>,
    answers: BTreeMap<u64, Answer>,
    next: u64,
    led: bool,
}

impl Job {
    /// Rows of a batch, by slice.
    pub(crate) fn of(class: &RetentionClass, rows: impl Iterator<Item = (i64, Row)>, kept: bool) -> Self {
        let mut starts: BTreeMap<i64, Vec<Row>> = BTreeMap::new();
        let (mut ids, mut duplicates) = (FxHashSet::default(), 0);
        for (start, row) in rows {
            if ids.insert(row.id) {
                starts.entry(start).or_default().push(row);
            } else {
                duplicates += 1;
            }
        }
        let name = |start| SliceName { class: class.name().clone(), start, seconds: class.slice() };
        let slices = starts.into_iter().map(|(start, rows)| (name(start), rows)).collect();
        Self { slices, kept, duplicates, version: None }
    }

    fn retain(&mut self, mut stays: impl FnMut(&SliceName, &Row) -> bool) {
        for (name, rows) in &mut self.slices {
            let before = rows.len();
            rows.retain(|row| stays(name, row));
            self.duplicates += before - rows.len();
        }
        self.slices.retain(|(_, rows)| !rows.is_empty());
    }

    fn rows(&self) -> usize {
        self.slices.iter().map(|(_, rows)| rows.len()).sum()
    }
}

/// The start of the slice that a read falls in.
pub(crate) fn start_of(class: &RetentionClass, kept_from: i64) -> i64 {
    kept_from - kept_from.rem_euclid(i64::from(class.slice()))
}

impl Shared {
    /// Stores a batch; how many rows were stored, and how many were there.
    pub(crate) fn append(
        &self,
        class: &RetentionClass,
        batch: &[Read],
        pictures: &Pictures<'_>,
    ) -> Result<(usize, usize), StoreError> {
        if batch.len() > MOST_BATCH {
            return Err(StoreError::Batch { most: MOST_BATCH });
        }
        batch.iter().try_for_each(Read::check)?;
        check_pictures(pictures)?;
        let names =
            if pictures.is_empty() { Given::new() } else { self.store_pictures(class, batch, pictures)? };
        let rows = batch.iter().map(|read| {
            let row = match names.get(&read.id) {
                Some(name) => Row::of(&Read { picture: Some(name.clone()), ..read.clone() }, &self.names),
                None => Row::of(read, &self.names),
            };
            (start_of(class, read.kept_from().as_second()), row)
        });
        self.commit(Job::of(class, rows, false))
    }

    /// Brings the pictures of reads that are new to disk, before the reads that name them.
    fn store_pictures(
        &self,
        class: &RetentionClass,
        batch: &[Read],
        pictures: &Pictures<'_>,
    ) -> Result<Given, StoreError> {
        let (mut slices, mut seen) = (BTreeMap::<SliceName, Vec<ReadId>>::new(), FxHashSet::default());
        for read in batch.iter().filter(|read| pictures.contains_key(&read.id)) {
            if seen.insert(read.id) && self.find(&read.id)?.is_none() {
                slices.entry(class.slice_of(read)).or_default().push(read.id);
            }
        }
        self.make_keys(&mut lock(&self.writing), slices.keys())?;
        self.write_pictures(&slices, pictures)
    }

    /// Copies the pictures of reads into the slices of a class, and names them there.
    pub(crate) fn copy_pictures(
        &self,
        class: &RetentionClass,
        reads: &mut [(SliceName, Read)],
    ) -> Result<(), StoreError> {
        for some in reads.chunks_mut(COPIED) {
            let mut bytes: BTreeMap<ReadId, Vec<u8>> = BTreeMap::new();
            let mut slices = BTreeMap::<SliceName, Vec<ReadId>>::new();
            for (from, read) in some.iter() {
                let slice = self.state().slices.get(from).cloned();
                let to = class.slice_of(read);
                if let Some(slice) = slice.filter(|_| to != *from)
                    && let Some(picture) = self.read_picture(from, &slice, read)?
                {
                    bytes.insert(read.id, picture);
                    slices.entry(to).or_default().push(read.id);
                }
            }
            self.make_keys(&mut lock(&self.writing), slices.keys())?;
            let pictures = bytes.iter().map(|(id, bytes)| (*id, bytes.as_slice())).collect();
            let names = self.write_pictures(&slices, &pictures)?;
            for (_, read) in some.iter_mut().filter(|(_, read)| read.picture.as_ref().is_some_and(is_place)) {
                read.picture = names.get(&read.id).cloned();
            }
        }
        Ok(())
    }

    pub(crate) fn commit(&self, mut job: Job) -> Result<(usize, usize), StoreError> {
        self.make_room()?;
        if !job.kept {
            self.without_stored(&mut job)?;
        }
        let mut queue = lock(&self.queue);
        let ticket = queue.next;
        queue.next += 1;
        queue.waiting.push((ticket, job));
        loop {
            if let Some(answer) = queue.answers.remove(&ticket) {
                return answer;
            }
            if queue.led {
                queue = self.answered.wait(queue).unwrap_or_else(std::sync::PoisonError::into_inner);
                continue;
            }
            queue.led = true;
            let jobs = std::mem::take(&mut queue.waiting);
            drop(queue);
            let answers = self.write_group(jobs);
            queue = lock(&self.queue);
            queue.led = false;
            queue.answers.extend(answers);
            self.answered.notify_all();
        }
    }

    /// Appends that outrun the upkeep do some of it.
    fn make_room(&self) -> Result<(), StoreError> {
        while self.state().frozen.len() > MOST_FROZEN {
            self.flush_one()?;
        }
        Ok(())
    }

    /// Takes out what segments hold already.
    fn without_stored(&self, job: &mut Job) -> Result<(), StoreError> {
        let (version, segments) = {
            let state = self.state();
            (state.version, state.segments().cloned().collect::<Vec<Arc<Segment>>>())
        };
        if job.version == Some(version) {
            return Ok(());
        }
        let mut stored: FxHashSet<ReadId> = FxHashSet::default();
        for segment in &segments {
            for row in job.slices.iter().flat_map(|(_, rows)| rows) {
                if segment.candidates(&row.id).next().is_some()
                    && segment.find(&self.cache, &row.id)?.is_some()
                {
                    stored.insert(row.id);
                }
            }
        }
        if !stored.is_empty() {
            job.retain(|_, row| !stored.contains(&row.id));
        }
        job.version = Some(version);
        Ok(())
    }

    fn write_group(&self, jobs: Vec<(u64, Job)>) -> Answers {
        let mut writing = lock(&self.writing);
        let mut answers = Vec::new();
        let mut group: Vec<(u64, Job)> = Vec::new();
        let mut ids = FxHashSet::default();
        for (ticket, mut job) in jobs {
            // What is kept is looked for in slices, so what came before must be there.
            if job.kept || group.last().is_some_and(|(_, before)| before.kept) {
                self.bring_to_disk(&mut writing, std::mem::take(&mut group), &mut answers);
                ids.clear();
            }
            match self.ready(&mut writing, &mut job, &mut ids) {
                Ok(()) => group.push((ticket, job)),
                Err(error) => answers.push((ticket, Err(error))),
            }
            let waiting = writing.log.as_ref().map_or(0, Log::waiting);
            if waiting > MOST_GROUP {
                self.bring_to_disk(&mut writing, std::mem::take(&mut group), &mut answers);
                ids.clear();
            }
        }
        self.bring_to_disk(&mut writing, group, &mut answers);
        answers
    }

    /// Takes out what is there already, and puts the rest into the log's buffer.
    fn ready(
        &self,
        writing: &mut Writing,
        job: &mut Job,
        ids: &mut FxHashSet<ReadId>,
    ) -> Result<(), StoreError> {
        if job.kept {
            self.without_kept(job)?;
        } else {
            let state = loop {
                self.without_stored(job)?;
                // What moved from memory into a segment meanwhile was seen in neither.
                let state = self.state();
                if job.version == Some(state.version) {
                    break state;
                }
            };
            let parts: Vec<_> = state.parts().map(Part::read).collect();
            job.retain(|_, row| !parts.iter().any(|mem| mem.contains(&row.id)) && ids.insert(row.id));
        }
        if job.slices.is_empty() {
            return Ok(());
        }
        self.make_keys(writing, job.slices.iter().map(|(name, _)| name))?;
        if writing.log.is_none() {
            writing.log = Some(Log::create(&self.logs(), self.file_number(), &*self.entropy)?);
        }
        let Writing { keys, log } = writing;
        let Some(log) = log else { return Ok(()) };
        let (last, waiting) = (job.slices.len() - 1, log.waiting());
        let framed = job.slices.iter().enumerate().try_for_each(|(at, (name, rows))| {
            let entry = keys.get(name).ok_or(StoreError::RootKey)?;
            let rows: Vec<&Row> = rows.iter().collect();
            log.frame((entry.number, &entry.key), &rows, &self.names, job.kept, at == last)
        });
        if framed.is_err() {
            log.roll_back(waiting);
        }
        framed
    }

    /// Takes out what the slices themselves hold already.
    fn without_kept(&self, job: &mut Job) -> Result<(), StoreError> {
        let state = self.state();
        let parts: Vec<_> = state.parts().map(Part::read).collect();
        let mut failed = None;
        job.retain(|name, row| {
            let in_memory = parts.iter().any(|mem| mem.slice_contains(name, &row.id));
            let segments = state.slices.get(name).map(|slice| slice.segments.as_slice()).unwrap_or_default();
            let stored = segments.iter().any(|segment| match segment.find(&self.cache, &row.id) {
                Ok(found) => found.is_some(),
                Err(error) => {
                    failed = Some(error);
                    true
                }
            });
            !in_memory && !stored
        });
        failed.map_or(Ok(()), Err)
    }

    /// Keys, durably, for slices that are new.
    fn make_keys<'a>(
        &self,
        writing: &mut Writing,
        names: impl Iterator<Item = &'a SliceName>,
    ) -> Result<(), StoreError> {
        let new: Vec<SliceName> = names.filter(|name| writing.keys.get(name).is_none()).cloned().collect();
        if new.is_empty() {
            return Ok(());
        }
        if writing.keys.len() + new.len() > self.options.most_slices {
            return Err(StoreError::Slices { most: self.options.most_slices });
        }
        writing.keys.add(&new)?;
        let mut state = self.state_mut();
        for name in new {
            if let Some(entry) = writing.keys.get(&name) {
                let slice = Slice {
                    number: entry.number,
                    key: entry.key.clone(),
                    segments: Vec::new(),
                    damaged: Vec::new(),
                };
                state.slices.insert(name, slice);
            }
        }
        Ok(())
    }

    fn bring_to_disk(&self, writing: &mut Writing, group: Vec<(u64, Job)>, answers: &mut Answers) {
        let written = writing.log.as_mut().filter(|log| log.waiting() > 0).map_or(Ok(()), Log::write);
        if let Err(error) = written {
            // What is in it stays good; a new one is begun with the next append.
            self.end_log(writing);
            answers.extend(group.into_iter().map(|(ticket, _)| (ticket, Err(again(&error)))));
            return;
        }
        let active = self.state().active.clone();
        let mut mem = active.write();
        for (ticket, job) in group {
            answers.push((ticket, Ok((job.rows(), job.duplicates))));
            for (name, rows) in job.slices {
                rows.into_iter().for_each(|row| mem.insert(&name, row));
            }
        }
        let full = mem.rows() >= self.options.flush_rows;
        drop(mem);
        if full {
            self.freeze(writing);
        }
    }

    /// Writes no more into the log. Its rows are in the active memory.
    fn end_log(&self, writing: &mut Writing) {
        if let Some(log) = writing.log.take() {
            let old = OldLog { number: log.number, length: log.length() };
            self.state_mut().active.logs.push(old);
        }
    }

    /// Makes the active memory one that waits to become segments.
    pub(crate) fn freeze(&self, writing: &mut Writing) {
        self.end_log(writing);
        let mut state = self.state_mut();
        if state.active.logs.is_empty() {
            return;
        }
        let full = std::mem::take(&mut state.active);
        state.frozen.push(full);
        drop(state);
        self.wake_up();
    }
}

/// The same error for each who shared the write.
fn again(error: &StoreError) -> StoreError {
    match error {
        StoreError::Disk(what, error) => {
            StoreError::Disk(what, std::io::Error::new(error.kind(), error.to_string()))
        }
        _ => StoreError::Full,
    }
}

/// Makes the folder of a slice.
pub(crate) fn slice_folder(shared: &Shared, slice: &SliceName) -> Result<std::path::PathBuf, StoreError> {
    let folder = shared.slice_folder(slice);
    make_folder(&folder).map_err(crate::disk::failed("slice"))?;
    Ok(folder)
}

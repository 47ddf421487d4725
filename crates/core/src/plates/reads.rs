//! The one door to stored reads.

use std::sync::Arc;

use canvass_plates::{
    Appended, Cursor, Damage, ErasedSlice, Match, Page, Pictures, Read, ReadId, ReadQuery, ReadStore,
    SliceName, Stats, StoreError as Fault,
};

use super::{Batch, DueReads, Feed, Granted, Picture, PictureKind, PictureLeave};
use crate::{CoreError, access::SearchesPlates};

/// Reads that the store is asked for at a time, where all are wanted.
const PAGE_OF_ALL: usize = 1_000;

/// Why the store of reads did not do what was asked. Nothing here names a plate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadsError {
    /// No space.
    #[error("the disk for plate reads is full, and nothing of this was stored; make space and send it again")]
    Full,
    /// The question.
    #[error("{0}")]
    Query(String),
    /// More than is taken.
    #[error("{0}")]
    Much(String),
    /// What lies on disk is damaged.
    #[error("stored plate reads are damaged; run `canvass check`, then put them back from a backup")]
    Damaged,
    /// The disk, or another process.
    #[error("the store of plate reads does not answer: {0}")]
    Unavailable(String),
}

impl From<Fault> for ReadsError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Full => Self::Full,
            Fault::Query(error) => Self::Query(error.to_string()),
            Fault::Read(error) => Self::Query(error.to_string()),
            Fault::Class | Fault::Picture | Fault::Batch { .. } | Fault::Slices { .. } => {
                Self::Much(fault.to_string())
            }
            Fault::Damaged(..) => Self::Damaged,
            Fault::RootKey | Fault::Locked | Fault::Disk(..) | Fault::Database(_) => {
                Self::Unavailable(fault.to_string())
            }
        }
    }
}

fn told(fault: Fault) -> CoreError {
    CoreError::Reads(fault.into())
}

/// The one door to stored reads. Calls block: who is async hands them to a thread that may.
#[derive(Clone)]
pub struct Reads(Arc<dyn ReadStore>);

impl std::fmt::Debug for Reads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reads(…)")
    }
}

/// What a search found, with what it was granted for.
#[derive(Debug)]
pub struct Found<A> {
    pub(super) granted: Granted<A>,
    pub(super) page: Page,
}

impl Reads {
    /// A door to this store. Nobody else may hold the store: what goes around the door leaves no mark.
    #[must_use]
    pub fn over(store: Arc<dyn ReadStore>) -> Self {
        Self(store)
    }

    /// Stores the good rows of a batch, those that met a hotlist in the class of hits; durable when it returns. Rows that
    /// are there already are counted, not doubled.
    ///
    /// # Errors
    /// [`CoreError::Reads`]; then either nothing of the batch is stored or the hits alone, and it is to be sent again.
    pub fn add(&self, feed: &Feed, batch: &Batch) -> Result<Appended, CoreError> {
        let pictures: Pictures<'_> =
            batch.pictures.iter().map(|(id, bytes)| (*id, bytes.as_slice())).collect();
        if batch.hits.is_empty() {
            return self.append(feed, false, &batch.reads, &pictures);
        }
        let (hits, rest): (Vec<Read>, Vec<Read>) = batch.reads.iter().cloned().partition(|read| read.hit);
        let one = self.append(feed, true, &hits, &pictures)?;
        let other = self.append(feed, false, &rest, &pictures)?;
        Ok(Appended { stored: one.stored + other.stored, duplicates: one.duplicates + other.duplicates })
    }

    fn append(
        &self,
        feed: &Feed,
        hit: bool,
        reads: &[Read],
        pictures: &Pictures<'_>,
    ) -> Result<Appended, CoreError> {
        match feed.kept(hit) {
            Some(kept) if !reads.is_empty() => {
                self.0.append_with(kept.class(), reads, pictures).map_err(told)
            }
            _ => Ok(Appended::default()),
        }
    }

    /// Looks for what was granted, once.
    ///
    /// # Errors
    /// [`CoreError::Reads`].
    pub fn search<A: SearchesPlates>(&self, granted: Granted<A>) -> Result<Found<A>, CoreError> {
        let mut pages = Vec::with_capacity(granted.queries().len());
        for query in granted.queries() {
            pages.push(self.0.search(query).map_err(told)?);
        }
        let page = merged(pages, granted.limit());
        Ok(Found { granted, page })
    }

    /// The picture of a read; none when it is forgotten already.
    ///
    /// # Errors
    /// [`CoreError::Reads`].
    pub fn picture(&self, leave: &PictureLeave) -> Result<Option<Picture>, CoreError> {
        let found = self.0.picture(leave.read()).map_err(told)?;
        Ok(found.and_then(|bytes| PictureKind::of(&bytes).map(|kind| Picture { bytes, kind })))
    }

    /// The picture of a read that a search found just now.
    pub(super) fn picture_by_id(&self, id: &ReadId) -> Result<Option<Vec<u8>>, CoreError> {
        self.0.picture(id).map_err(told)
    }

    /// Gives all that a question meets, page by page; none when that is more than `most`, and then a part was given.
    pub(super) fn each(
        &self,
        query: &ReadQuery,
        most: usize,
        mut take: impl FnMut(Match),
    ) -> Result<Option<usize>, CoreError> {
        let mut query = ReadQuery { limit: PAGE_OF_ALL, cursor: None, ..query.clone() };
        let mut count = 0_usize;
        loop {
            let page = self.0.search(&query).map_err(told)?;
            count = count.saturating_add(page.matches.len());
            if count > most {
                return Ok(None);
            }
            page.matches.into_iter().for_each(&mut take);
            match page.next {
                Some(cursor) => query.cursor = Some(cursor),
                None => return Ok(Some(count)),
            }
        }
    }

    /// The slices that it holds, and the reads of each.
    ///
    /// # Errors
    /// [`CoreError::Reads`].
    pub fn slices(&self) -> Result<Vec<(SliceName, u64)>, CoreError> {
        self.0.slices().map_err(told)
    }

    /// Erases what is due: the keys of its slices, then their files.
    ///
    /// # Errors
    /// [`CoreError::Reads`]; call it again.
    pub fn erase(&self, due: &DueReads) -> Result<Vec<ErasedSlice>, CoreError> {
        let mut erased = Vec::new();
        for (class, before) in due.classes() {
            erased.extend(self.0.erase(class, *before).map_err(told)?);
        }
        Ok(erased)
    }

    /// What it holds, in numbers.
    ///
    /// # Errors
    /// [`CoreError::Reads`].
    pub fn stats(&self) -> Result<Stats, CoreError> {
        self.0.stats().map_err(told)
    }

    /// Reads everything and compares what belongs together; what is damaged is named by file.
    ///
    /// # Errors
    /// [`CoreError::Reads`].
    pub fn check(&self) -> Result<Vec<Damage>, CoreError> {
        self.0.check().map_err(told)
    }

    /// Writes a whole copy into a folder that doesn't exist yet.
    ///
    /// # Errors
    /// [`CoreError::Reads`].
    pub fn backup(&self, to: &std::path::Path) -> Result<(), CoreError> {
        self.0.backup(to).map_err(told)
    }
}

/// Pages of questions that have no read in common, as one.
fn merged(pages: Vec<Page>, limit: usize) -> Page {
    let more = pages.iter().any(|page| page.next.is_some());
    let mut matches: Vec<_> = pages.into_iter().flat_map(|page| page.matches).collect();
    matches.sort_by_key(|found| std::cmp::Reverse(Cursor::of(&found.read)));
    let cut = matches.len() > limit;
    matches.truncate(limit);
    let next = matches.last().filter(|_| more || cut).map(|last| Cursor::of(&last.read));
    Page { matches, next }
}

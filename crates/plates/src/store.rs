//! The seam behind which reads are stored.

use std::{collections::BTreeMap, fmt, path::Path, str::FromStr};

use canvass_types::Time;
use serde::{Deserialize, Serialize};

use crate::{Page, QueryError, Read, ReadError, ReadId, ReadQuery};

/// Why a store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The query.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// A read that can't be stored.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A class.
    #[error(
        "retention class: a name has 1 to 32 of a-z, 0-9, `-` and `_` and begins with a letter; a slice has 10 seconds to 400 days"
    )]
    Class,
    /// More than is taken at once.
    #[error("batch: at most {most} reads are taken at once; send them in parts")]
    Batch {
        /// Most reads of a batch.
        most: usize,
    },
    /// A picture that is none, or too large.
    #[error("picture: it has 1 to {MOST_PICTURE} bytes; send a smaller cut of the vehicle")]
    Picture,
    /// Too many slices.
    #[error("slices: there are {most} already; erase what is past its time, or choose longer slices")]
    Slices {
        /// Most slices of a store.
        most: usize,
    },
    /// No space.
    #[error("disk: it is full, and nothing of this was stored; make space and send it again")]
    Full,
    /// What lies on disk is damaged.
    #[error("{0}: it is damaged ({1}); run `check`, then put it back from a backup")]
    Damaged(String, &'static str),
    /// The key of the store.
    #[error("root key: it does not open this store's keys; give the one that it was made with")]
    RootKey,
    /// Somebody else has the store open.
    #[error("store: another process has it open; stop that one first")]
    Locked,
    /// The disk.
    #[error("{0}: {1}; look at the disk and the rights of this folder")]
    Disk(&'static str, #[source] std::io::Error),
    /// The database below a driver.
    #[error("database: {0}")]
    Database(String),
}

/// Name of a retention class: 1 to 32 of a-z, 0-9, `-`, `_`, a letter first.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^[a-z][a-z0-9_-]{0,31}$")]
pub struct ClassName(Box<str>);

impl ClassName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ClassName {
    type Err = StoreError;
    fn from_str(name: &str) -> Result<Self, StoreError> {
        let fine = (1..=32).contains(&name.len())
            && name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
        if fine { Ok(Self(name.into())) } else { Err(StoreError::Class) }
    }
}

impl TryFrom<String> for ClassName {
    type Error = StoreError;
    fn try_from(name: String) -> Result<Self, StoreError> {
        name.parse()
    }
}

impl From<ClassName> for String {
    fn from(name: ClassName) -> String {
        name.0.into()
    }
}

impl fmt::Debug for ClassName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ClassName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads that are kept equally long. How long is the caller's matter; the class says how finely they are sliced, since
/// a slice is erased whole: hits of a year in days, non-hits of three minutes in slices of one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RetentionClass {
    name: ClassName,
    slice: u32,
}

impl RetentionClass {
    /// Seconds of the shortest and of the longest slice.
    pub const SLICES: std::ops::RangeInclusive<u32> = 10..=400 * 86_400;

    /// A class of that name, with slices of so many seconds.
    ///
    /// # Errors
    /// [`StoreError::Class`].
    pub fn new(name: &str, slice: u32) -> Result<Self, StoreError> {
        if Self::SLICES.contains(&slice) {
            Ok(Self { name: name.parse()?, slice })
        } else {
            Err(StoreError::Class)
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &ClassName {
        &self.name
    }

    /// Seconds of one of its slices.
    #[must_use]
    pub fn slice(&self) -> u32 {
        self.slice
    }

    /// The slice that a read falls in.
    #[must_use]
    pub fn slice_of(&self, read: &Read) -> SliceName {
        let at = read.kept_from().as_second();
        let start = at - at.rem_euclid(i64::from(self.slice));
        SliceName { class: self.name.clone(), start, seconds: self.slice }
    }
}

/// Name of a slice: a class, and the time that it holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SliceName {
    /// The class.
    pub class: ClassName,
    /// Its first second since 1970.
    pub start: i64,
    /// How many seconds it has.
    pub seconds: u32,
}

impl SliceName {
    /// The first second after it.
    #[must_use]
    pub fn end(&self) -> i64 {
        self.start.saturating_add(i64::from(self.seconds))
    }

    /// Whether all of it is before a moment.
    #[must_use]
    pub fn ended(&self, before: Time) -> bool {
        self.end() <= before.as_second()
    }
}

impl fmt::Display for SliceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}-{}", self.class, self.start, self.seconds)
    }
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Appended {
    /// Reads that are stored now, durably.
    pub stored: usize,
    /// Reads whose id was there already.
    pub duplicates: usize,
}

/// What became of reads that are to be kept longer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// Reads that are in the class now, or were already.
    pub kept: usize,
    /// Ids that no slice holds: erased, or never stored.
    pub missing: Vec<ReadId>,
}

/// A slice that was erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasedSlice {
    /// Which.
    pub slice: SliceName,
    /// How many reads it held.
    pub reads: u64,
}

/// What a store holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Reads, a read in two classes counted twice.
    pub reads: u64,
    /// Slices, and the reads of each.
    pub slices: Vec<(SliceName, u64)>,
    /// Bytes on disk.
    pub disk_bytes: u64,
    /// Bytes that indexes and caches hold in memory, as far as they are counted.
    pub memory_bytes: u64,
}

/// Something that `check` found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The slice, where it is known.
    pub slice: Option<SliceName>,
    /// The file, from the store's folder.
    pub file: String,
    /// What is wrong with it.
    pub what: String,
}

/// Most bytes of a picture.
pub const MOST_PICTURE: usize = 256 * 1024;

/// Pictures that come along with reads, by the id of the read.
pub type Pictures<'a> = BTreeMap<ReadId, &'a [u8]>;

/// Checks the sizes of pictures.
///
/// # Errors
/// [`StoreError::Picture`].
pub fn check_pictures(pictures: &Pictures<'_>) -> Result<(), StoreError> {
    let fine = |bytes: &&[u8]| (1..=MOST_PICTURE).contains(&bytes.len());
    if pictures.values().all(fine) { Ok(()) } else { Err(StoreError::Picture) }
}

/// Stored reads. Calls block; whoever is async hands them to a thread that may.
pub trait ReadStore: Send + Sync {
    /// Stores reads in a class; durable when it returns. A read whose id is stored already, in whatever class, is
    /// left out and counted. All of the batch is stored, or nothing.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of the batch is stored.
    fn append(&self, class: &RetentionClass, batch: &[Read]) -> Result<Appended, StoreError> {
        self.append_with(class, batch, &Pictures::new())
    }

    /// [`Self::append`], with pictures of some of the reads, sealed and erased as the slice that the read is in. The store
    /// gives `Read::picture` of those a name of its own. The picture of a read that is there already is left out.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of the batch is stored.
    fn append_with(
        &self,
        class: &RetentionClass,
        batch: &[Read],
        pictures: &Pictures<'_>,
    ) -> Result<Appended, StoreError>;

    /// The picture of the read of that id; none when it came without one, or is erased.
    ///
    /// # Errors
    /// [`StoreError`].
    fn picture(&self, id: &ReadId) -> Result<Option<Vec<u8>>, StoreError>;

    /// A page of what a query asks for. A read that stands in several classes is found once.
    ///
    /// # Errors
    /// [`StoreError`]; a damaged slice in the way is an error, never a shorter answer.
    fn search(&self, query: &ReadQuery) -> Result<Page, StoreError>;

    /// The read of that id.
    ///
    /// # Errors
    /// [`StoreError`].
    fn by_id(&self, id: &ReadId) -> Result<Option<Read>, StoreError>;

    /// Puts reads, with their pictures, also into another class, because of a hold or a hit, so that they outlive the
    /// slice that they came into; durable when it returns.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was changed.
    fn keep(&self, ids: &[ReadId], class: &RetentionClass) -> Result<Kept, StoreError>;

    /// Erases all slices of a class that ended before a moment: first their keys, durably, then their files. After a
    /// crash the same call finishes the work; what is gone already is not reported again.
    ///
    /// # Errors
    /// [`StoreError`]; call it again.
    fn erase(&self, class: &ClassName, before: Time) -> Result<Vec<ErasedSlice>, StoreError>;

    /// What the store holds.
    ///
    /// # Errors
    /// [`StoreError`].
    fn stats(&self) -> Result<Stats, StoreError>;

    /// Its slices, and the reads of each: the part of [`Self::stats`] that costs no look at the disk.
    ///
    /// # Errors
    /// [`StoreError`].
    fn slices(&self) -> Result<Vec<(SliceName, u64)>, StoreError> {
        Ok(self.stats()?.slices)
    }

    /// Reads everything and compares what belongs together. Empty when all is well.
    ///
    /// # Errors
    /// [`StoreError`], when it couldn't look.
    fn check(&self) -> Result<Vec<Damage>, StoreError>;

    /// Writes a whole copy, as of one moment, into a folder that doesn't exist yet, while others read and append. What
    /// is erased later lives on in the copy until that is deleted: erase again after putting it back.
    ///
    /// # Errors
    /// [`StoreError`]; then the folder isn't there.
    fn backup(&self, to: &Path) -> Result<(), StoreError>;

    /// Brings what was appended into the form in which it is small and quick to search. Stores do so by themselves as
    /// well.
    ///
    /// # Errors
    /// [`StoreError`].
    fn compact(&self) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_has_a_plain_name_and_slices() {
        assert_eq!(RetentionClass::new("non-hit", 60).unwrap().slice(), 60);
        let long = "a".repeat(33);
        for wrong in ["", "Hit", "../x", "a/b", "-a", "é", long.as_str()] {
            assert!(matches!(RetentionClass::new(wrong, 60), Err(StoreError::Class)), "{wrong}");
        }
        assert!(RetentionClass::new("hit", 1).is_err());
        assert!(RetentionClass::new("hit", u32::MAX).is_err());
    }
}

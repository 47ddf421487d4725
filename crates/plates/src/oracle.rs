//! The naive store that drivers are compared with: a list, looked through from end to end.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use canvass_types::Time;

use crate::{
    Appended, ClassName, Cursor, Damage, ErasedSlice, Kept, Match, Page, Pictures, Read, ReadId, ReadQuery,
    ReadStore, RetentionClass, SliceName, Stats, StoreError, check_pictures,
};

type Slices = BTreeMap<SliceName, BTreeMap<ReadId, Stored>>;

/// A read, and the picture that came with it.
#[derive(Debug, Clone)]
struct Stored {
    read: Read,
    picture: Option<Vec<u8>>,
}

/// Reads in memory, for tests. Its `backup` writes nothing.
#[derive(Debug, Default)]
pub struct Oracle {
    slices: Mutex<Slices>,
}

impl Oracle {
    fn slices(&self) -> MutexGuard<'_, Slices> {
        self.slices.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn find<'a>(slices: &'a Slices, id: &ReadId) -> Option<&'a Stored> {
    slices.values().find_map(|reads| reads.get(id))
}

impl ReadStore for Oracle {
    fn append_with(
        &self,
        class: &RetentionClass,
        batch: &[Read],
        pictures: &Pictures<'_>,
    ) -> Result<Appended, StoreError> {
        batch.iter().try_for_each(Read::check)?;
        check_pictures(pictures)?;
        let mut slices = self.slices();
        let mut appended = Appended::default();
        for read in batch {
            if find(&slices, &read.id).is_some() {
                appended.duplicates += 1;
            } else {
                let picture = pictures.get(&read.id).map(|bytes| bytes.to_vec());
                let mut read = read.clone();
                if picture.is_some() {
                    read.picture = "kept".parse().ok();
                }
                let slice = class.slice_of(&read);
                slices.entry(slice).or_default().insert(read.id, Stored { read, picture });
                appended.stored += 1;
            }
        }
        Ok(appended)
    }

    fn search(&self, query: &ReadQuery) -> Result<Page, StoreError> {
        query.check()?;
        let slices = self.slices();
        let found: BTreeMap<Cursor, Match> = slices
            .values()
            .flat_map(BTreeMap::values)
            .filter_map(|Stored { read, .. }| {
                let (label, differences) = query.fits(read)?;
                Some((Cursor::of(read), Match { read: read.clone(), label, differences }))
            })
            .collect();
        let more = found.len() > query.limit;
        let matches: Vec<Match> = found.into_values().rev().take(query.limit).collect();
        let next = matches.last().filter(|_| more).map(|last| Cursor::of(&last.read));
        Ok(Page { matches, next })
    }

    fn by_id(&self, id: &ReadId) -> Result<Option<Read>, StoreError> {
        Ok(find(&self.slices(), id).map(|stored| stored.read.clone()))
    }

    fn picture(&self, id: &ReadId) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(find(&self.slices(), id).and_then(|stored| stored.picture.clone()))
    }

    fn keep(&self, ids: &[ReadId], class: &RetentionClass) -> Result<Kept, StoreError> {
        let mut slices = self.slices();
        let mut kept = Kept::default();
        for id in ids {
            if let Some(stored) = find(&slices, id).cloned() {
                slices.entry(class.slice_of(&stored.read)).or_default().insert(*id, stored);
                kept.kept += 1;
            } else {
                kept.missing.push(*id);
            }
        }
        Ok(kept)
    }

    fn erase(&self, class: &ClassName, before: Time) -> Result<Vec<ErasedSlice>, StoreError> {
        let mut erased = Vec::new();
        self.slices().retain(|slice, reads| {
            let stays = slice.class != *class || !slice.ended(before);
            if !stays {
                erased.push(ErasedSlice { slice: slice.clone(), reads: reads.len() as u64 });
            }
            stays
        });
        Ok(erased)
    }

    fn stats(&self) -> Result<Stats, StoreError> {
        let slices: Vec<(SliceName, u64)> =
            self.slices().iter().map(|(slice, reads)| (slice.clone(), reads.len() as u64)).collect();
        let reads = slices.iter().map(|(_, reads)| reads).sum();
        Ok(Stats { reads, slices, disk_bytes: 0, memory_bytes: 0 })
    }

    fn check(&self) -> Result<Vec<Damage>, StoreError> {
        Ok(Vec::new())
    }

    fn backup(&self, _to: &Path) -> Result<(), StoreError> {
        Ok(())
    }

    fn compact(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, MatchLabel, PlatePattern, PlateText};

    #[test]
    fn reads_are_found_kept_and_erased() {
        let store = Oracle::default();
        let camera: canvass_types::CameraId = "cam_aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap();
        let at = |second: i64| Time::from_second(1_800_000_000 + second);
        let read = |source: &str, plate: &str, second| {
            let plate = PlateText::normalise(plate).unwrap();
            Read::new(camera.clone(), source, plate, at(second), at(second + 1))
        };
        let minutes = RetentionClass::new("non-hit", 60).unwrap();
        let batch = [read("1", "ABC123", 0), read("2", "A8C123", 70), read("1", "ABC123", 0)];
        assert_eq!(store.append(&minutes, &batch).unwrap(), Appended { stored: 2, duplicates: 1 });
        let pattern = PlatePattern::tolerant("ABC123", &Limits::default()).unwrap();
        let mut query = ReadQuery::plate(pattern, at(0), at(100));
        query.limit = 1;
        let page = store.search(&query).unwrap();
        assert_eq!(page.matches[0].label, MatchLabel::MisreadEquivalent);
        query.cursor = page.next;
        let page = store.search(&query).unwrap();
        assert_eq!((page.matches[0].label, page.next), (MatchLabel::Exact, None));
        let held = RetentionClass::new("held", 86_400).unwrap();
        assert_eq!(store.keep(&[batch[0].id], &held).unwrap().kept, 1);
        let erased = store.erase(minutes.name(), at(60)).unwrap();
        assert_eq!(erased.iter().map(|each| each.reads).collect::<Vec<_>>(), [1]);
        assert_eq!(store.by_id(&batch[0].id).unwrap().as_ref(), Some(&batch[0]));
        query.pattern = None;
        assert!(matches!(store.search(&query), Err(StoreError::Query(_))));
    }
}

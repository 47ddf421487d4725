//! An index of hotlist entries that says within a fraction of a microsecond that a plate is on none of them.

use std::fmt;

use canvass_types::Time;

use crate::{MOST_CHARACTERS, MatchLabel, PlateText, confusables::Confusables};

/// A plate on a hotlist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The caller's number for it.
    pub id: u64,
    /// The plate.
    pub plate: PlateText,
    /// From when it holds.
    pub from: Time,
    /// The first moment at which it no longer holds.
    pub until: Time,
}

/// How near a plate must be to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tolerance {
    /// The same.
    Exact,
    /// The same but for characters that readers confuse.
    Misread,
    /// Also with one character wrong, missing or too many: some hundred look-ups.
    OneEdit,
}

/// An entry that a plate fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The entry's number.
    pub id: u64,
    /// How near it is.
    pub label: MatchLabel,
}

/// Entries by the folded form of their plates: a filter of two bytes for each, then buckets. About 60 bytes for an
/// entry in all. It is built once; a changed hotlist is a new index.
pub struct Index {
    confusables: Confusables,
    alphabet: Vec<u8>,
    filter: Vec<u64>,
    starts: Vec<u32>,
    rows: Vec<Row>,
}

#[derive(Clone, Copy)]
struct Row {
    folded: u128,
    entry: Entry,
}

fn packed(folded: &[u8; MOST_CHARACTERS]) -> u128 {
    u128::from_le_bytes(*folded)
}

/// Spreads a folded plate over 64 bits. Not secret, not cryptographic: who can choose plates can fill a bucket, and
/// gains slower look-ups of that one plate.
fn spread(folded: u128) -> u64 {
    let (low, high) = (folded as u64, (folded >> 64) as u64);
    let mixed = low.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ high.wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
    let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    mixed ^ (mixed >> 29)
}

impl Index {
    /// Builds an index. Entries may come in any order, and several may have one plate.
    #[must_use]
    pub fn build(entries: impl IntoIterator<Item = Entry>, confusables: &Confusables) -> Self {
        let mut rows: Vec<Row> = entries
            .into_iter()
            .map(|entry| Row { folded: packed(&folded(&entry.plate, confusables)), entry })
            .collect();
        let buckets = rows.len().next_power_of_two().max(2);
        let bucket = |row: &Row| usize::try_from(spread(row.folded) & (buckets as u64 - 1)).unwrap_or(0);
        rows.sort_by_key(|row| (bucket(row), row.folded, row.entry.id));
        let mut starts = vec![0_u32; buckets + 1];
        let mut filter = vec![0_u64; (buckets / 4).max(1)];
        for row in &rows {
            if let Some(count) = starts.get_mut(bucket(row) + 1) {
                *count += 1;
            }
            let (word, bits) = filter_of(spread(row.folded), filter.len());
            if let Some(word) = filter.get_mut(word) {
                *word |= bits;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut alphabet: Vec<u8> =
            (b'0'..=b'9').chain(b'A'..=b'Z').map(|byte| confusables.fold_byte(byte)).collect();
        alphabet.sort_unstable();
        alphabet.dedup();
        Self { confusables: confusables.clone(), alphabet, filter, starts, rows }
    }

    /// How many entries it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Bytes that it holds in memory.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.rows.capacity() * size_of::<Row>() + self.starts.capacity() * 4 + self.filter.capacity() * 8
    }

    /// Entries that hold at a moment and that a plate fits, nearest first. Allocates nothing when there are none.
    #[must_use]
    pub fn find(&self, plate: &PlateText, at: Time, tolerance: Tolerance) -> Vec<Found> {
        let mut found = Vec::new();
        let form = folded(plate, &self.confusables);
        self.same(&form, at, |entry| {
            let label = if entry.plate == *plate { MatchLabel::Exact } else { MatchLabel::MisreadEquivalent };
            if label == MatchLabel::Exact || tolerance != Tolerance::Exact {
                found.push(Found { id: entry.id, label });
            }
        });
        if tolerance == Tolerance::OneEdit {
            self.near(&form, plate.characters(), |neighbour| {
                self.same(neighbour, at, |entry| {
                    found.push(Found { id: entry.id, label: MatchLabel::Approximate });
                });
            });
        }
        found.sort_by_key(|each| (each.id, each.label));
        found.dedup_by_key(|each| each.id);
        found.sort_by_key(|each| (each.label, each.id));
        found
    }

    fn same(&self, form: &[u8; MOST_CHARACTERS], at: Time, mut each: impl FnMut(&Entry)) {
        let wanted = packed(form);
        let hash = spread(wanted);
        let (word, bits) = filter_of(hash, self.filter.len());
        if self.filter.get(word).is_none_or(|word| word & bits != bits) {
            return;
        }
        let bucket = usize::try_from(hash & (self.starts.len() as u64 - 2)).unwrap_or(0);
        let (Some(start), Some(end)) = (self.starts.get(bucket), self.starts.get(bucket + 1)) else { return };
        for row in self.rows.get(*start as usize..*end as usize).unwrap_or_default() {
            if row.folded == wanted && row.entry.from <= at && at < row.entry.until {
                each(&row.entry);
            }
        }
    }

    /// All folded forms one edit away, the form itself not among them.
    fn near(
        &self,
        form: &[u8; MOST_CHARACTERS],
        length: usize,
        mut each: impl FnMut(&[u8; MOST_CHARACTERS]),
    ) {
        let text = form.get(..length).unwrap_or_default();
        for at in 0..length {
            let mut other = *form;
            for byte in self.alphabet.iter().filter(|byte| form.get(at) != Some(byte)) {
                if let Some(place) = other.get_mut(at) {
                    *place = *byte;
                }
                each(&other);
            }
            if length > 1 && text.get(at) != text.get(at + 1) {
                let mut shorter = [0; MOST_CHARACTERS];
                let rest = text.iter().enumerate().filter(|(place, _)| *place != at);
                shorter.iter_mut().zip(rest).for_each(|(to, (_, from))| *to = *from);
                each(&shorter);
            }
        }
        for at in (0..=length).filter(|_| length < MOST_CHARACTERS) {
            // The same character before or behind its like is the same form: only the first counts.
            for byte in self.alphabet.iter().filter(|byte| at == 0 || text.get(at - 1) != Some(byte)) {
                let mut longer = [0; MOST_CHARACTERS];
                let (head, tail) = text.split_at(at);
                let all = head.iter().chain(std::iter::once(byte)).chain(tail);
                longer.iter_mut().zip(all).for_each(|(to, from)| *to = *from);
                each(&longer);
            }
        }
    }
}

fn folded(plate: &PlateText, confusables: &Confusables) -> [u8; MOST_CHARACTERS] {
    let mut form = [0; MOST_CHARACTERS];
    form.iter_mut().zip(plate.as_bytes()).for_each(|(to, from)| *to = confusables.fold_byte(*from));
    form
}

/// The word of the filter that a hash falls in, and the bits that must be set there.
fn filter_of(hash: u64, words: usize) -> (usize, u64) {
    let word = usize::try_from((hash >> 32).wrapping_mul(words as u64) >> 32).unwrap_or(0);
    let bits =
        1 << (hash & 63) | 1 << ((hash >> 6) & 63) | 1 << ((hash >> 12) & 63) | 1 << ((hash >> 18) & 63);
    (word, bits)
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Index({} entries)", self.rows.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, PlatePattern, compare, confusables::standard};
    use proptest::prelude::*;

    fn entry(id: u64, text: &str) -> Entry {
        let plate = PlateText::normalise(text).unwrap();
        Entry { id, plate, from: Time::from_second(100), until: Time::from_second(200) }
    }

    #[test]
    fn entries_are_found_while_they_hold() {
        let index = Index::build([entry(1, "ABC123"), entry(2, "A8C123"), entry(3, "XYZ999")], standard());
        let find = |text: &str, at, tolerance| {
            index.find(&PlateText::normalise(text).unwrap(), Time::from_second(at), tolerance)
        };
        assert_eq!(find("ABC123", 150, Tolerance::Exact), [Found { id: 1, label: MatchLabel::Exact }]);
        assert_eq!(
            find("ABC123", 150, Tolerance::Misread),
            [
                Found { id: 1, label: MatchLabel::Exact },
                Found { id: 2, label: MatchLabel::MisreadEquivalent }
            ]
        );
        assert_eq!(find("XYZ99", 150, Tolerance::Misread), []);
        assert_eq!(find("XYZ99", 150, Tolerance::OneEdit), [Found { id: 3, label: MatchLabel::Approximate }]);
        assert_eq!(find("XYZ999", 99, Tolerance::OneEdit), []);
        assert_eq!(find("XYZ999", 200, Tolerance::OneEdit), []);
        assert!(
            Index::build([], standard())
                .find(&entry(0, "A").plate, Time::from_second(0), Tolerance::OneEdit)
                .is_empty()
        );
        assert_eq!(format!("{index:?}"), "Index(3 entries)");
    }

    proptest! {
        #[test]
        fn the_index_agrees_with_the_plain_comparison(
            entries in proptest::collection::vec("[AB0O1IC]{3,7}", 0..40),
            asked in "[AB0O1IC]{3,7}",
        ) {
            let list: Vec<Entry> = entries.iter().zip(0..).map(|(text, id)| entry(id, text)).collect();
            let index = Index::build(list.clone(), standard());
            let plate = PlateText::normalise(&asked).unwrap();
            let found = index.find(&plate, Time::from_second(150), Tolerance::OneEdit);
            let pattern = PlatePattern::tolerant(&asked, &Limits::default()).unwrap();
            let mut expected: Vec<(MatchLabel, u64)> = list
                .iter()
                .filter_map(|entry| Some((compare(&pattern, &entry.plate, standard())?.0, entry.id)))
                .collect();
            expected.sort_unstable();
            prop_assert_eq!(found.iter().map(|each| (each.label, each.id)).collect::<Vec<_>>(), expected);
        }
    }
}

//! The laws of a store of reads: whatever is done to it, it answers as the naive oracle does.

use std::{collections::BTreeSet, path::Path};

use crate::support::*;
use canvass_plates::{
    Appended, Limits, Match, MatchLabel, Oracle, PlatePattern, Read, ReadId, ReadQuery, ReadStore, StoreError,
};
use proptest::prelude::*;

#[derive(Clone)]
enum Step {
    Append(usize, Vec<Read>),
    Keep(Vec<usize>, usize),
    Erase(usize, i64),
    Compact,
    Reopen,
}

/// Short enough to be read when a law is broken.
impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Append(class, reads) => {
                let reads =
                    reads.iter().map(|read| (read.id, read.plate.as_str(), read.seen.as_second() - START));
                write!(f, "Append({class}, {:?})", reads.collect::<Vec<_>>())
            }
            Self::Keep(ids, class) => write!(f, "Keep({ids:?}, {class})"),
            Self::Erase(class, before) => write!(f, "Erase({class}, {before})"),
            Self::Compact => f.write_str("Compact"),
            Self::Reopen => f.write_str("Reopen"),
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..3_usize, proptest::collection::vec(any_read(), 0..150)).prop_map(|(class, reads)| Step::Append(class, reads)),
        1 => (proptest::collection::vec(0..400_usize, 1..20), 0..3_usize).prop_map(|(ids, class)| Step::Keep(ids, class)),
        1 => (0..3_usize, 0..9_000_i64).prop_map(|(class, before)| Step::Erase(class, before)),
        1 => Just(Step::Compact),
        1 => Just(Step::Reopen),
    ]
}

/// A driver under test: opened anew whenever a step says so.
type Open<'a> = &'a dyn Fn(&Path) -> Box<dyn ReadStore>;

fn all_pages(store: &dyn ReadStore, query: &ReadQuery) -> Result<Vec<Match>, String> {
    let (mut query, mut all) = (query.clone(), Vec::new());
    for _ in 0..1_000 {
        let page = store.search(&query).map_err(|error| error.to_string())?;
        assert!(page.matches.len() <= query.limit);
        all.extend(page.matches.into_iter().map(|found| Match { read: same(found.read), ..found }));
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => return Ok(all),
        }
    }
    panic!("pages without an end");
}

fn holds(open: Open<'_>, steps: &[Step], queries: &[ReadQuery]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reads");
    let oracle = Oracle::default();
    let mut store = open(&path);
    let mut ids: Vec<ReadId> = Vec::new();
    for step in steps {
        match step {
            Step::Append(number, reads) => {
                ids.extend(reads.iter().map(|read| read.id));
                let class = class(*number);
                let along = pictures(reads);
                assert_eq!(
                    store.append_with(&class, reads, &lent(&along)).unwrap(),
                    oracle.append_with(&class, reads, &lent(&along)).unwrap()
                );
            }
            Step::Keep(places, number) => {
                let ids: Vec<ReadId> = places.iter().filter_map(|place| ids.get(*place).copied()).collect();
                assert_eq!(
                    store.keep(&ids, &class(*number)).unwrap(),
                    oracle.keep(&ids, &class(*number)).unwrap()
                );
            }
            Step::Erase(number, before) => {
                let class = class(*number);
                let mut erased = store.erase(class.name(), at(*before)).unwrap();
                let mut expected = oracle.erase(class.name(), at(*before)).unwrap();
                erased.sort_by(|one, other| one.slice.cmp(&other.slice));
                expected.sort_by(|one, other| one.slice.cmp(&other.slice));
                assert_eq!(erased, expected);
            }
            Step::Compact => store.compact().unwrap(),
            Step::Reopen => {
                drop(store);
                store = open(&path);
            }
        }
    }
    assert_eq!(store.check().unwrap(), []);
    for query in queries {
        let expected = all_pages(&oracle, query);
        assert_eq!(all_pages(&*store, query), expected, "{query:?}");
    }
    for id in &ids {
        assert_eq!(store.by_id(id).unwrap().map(same), oracle.by_id(id).unwrap());
        assert_eq!(store.picture(id).unwrap(), oracle.picture(id).unwrap());
    }
    let (found, expected) = (store.stats().unwrap(), oracle.stats().unwrap());
    assert_eq!(found.reads, expected.reads);
    let filled =
        |slices: Vec<(_, u64)>| slices.into_iter().filter(|(_, reads)| *reads > 0).collect::<BTreeSet<_>>();
    assert_eq!(filled(found.slices), filled(expected.slices));
    let copy = folder.path().join("copy");
    store.backup(&copy).unwrap();
    assert!(store.backup(&copy).is_err(), "a copy is never written over");
    drop(store);
    let copied = open(&copy);
    for query in queries.iter().take(3) {
        assert_eq!(all_pages(&*copied, query), all_pages(&oracle, query));
    }
    for id in &ids {
        assert_eq!(copied.picture(id).unwrap(), oracle.picture(id).unwrap());
    }
}

fn segments(path: &Path) -> Box<dyn ReadStore> {
    Box::new(open(path, options()))
}

#[cfg(feature = "baseline")]
fn sqlite(path: &Path) -> Box<dyn ReadStore> {
    Box::new(canvass_store_reads::SqliteSlices::open(path).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn segments_answer_as_the_oracle(
        steps in proptest::collection::vec(step(), 1..14),
        queries in proptest::collection::vec(any_query(), 30),
    ) {
        holds(&segments, &steps, &queries);
    }
}

#[cfg(feature = "baseline")]
proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn sqlite_answers_as_the_oracle(
        steps in proptest::collection::vec(step(), 1..8),
        queries in proptest::collection::vec(any_query(), 20),
    ) {
        holds(&sqlite, &steps, &queries);
    }
}

#[test]
fn many_segments_of_many_rows_answer_as_the_oracle() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), options());
    let oracle = Oracle::default();
    let mut reads = Vec::new();
    for number in 0..9_000_i64 {
        let text = format!("{}{}{:04}", ['A', 'B'][number as usize % 2], number % 7, number * 37 % 10_000);
        let mut read = read(&number.to_string(), &text, number / 3);
        read.camera = camera(number as usize % 9);
        read.id = ReadId::derive(&read.camera, &number.to_string());
        reads.push(read);
    }
    // One plate with more rows than one byte counts.
    reads.extend((0..300).map(|number| read(&format!("x{number}"), "MANY1", number * 5)));
    for batch in reads.chunks(700) {
        for store in [&store as &dyn ReadStore, &oracle] {
            assert_eq!(
                store.append(&class(1), batch).unwrap(),
                Appended { stored: batch.len(), duplicates: 0 }
            );
        }
    }
    for pass in 0..2 {
        for text in ["A3*", "*37*", "??0*1", "B?2?4?", "MANY1", "*NY*", "A*0*9"] {
            let pattern = PlatePattern::parse(text, &Limits::default()).unwrap();
            for (from, until) in [(0, 100_000), (900, 1_100)] {
                let mut query = ReadQuery::plate(pattern.clone(), at(from), at(until));
                query.limit = 57;
                assert_eq!(all_pages(&store, &query), all_pages(&oracle, &query), "{text}");
            }
        }
        for text in ["A30037", "B41234", "MAMY1", "A3003"] {
            let query =
                ReadQuery::plate(PlatePattern::tolerant(text, &Limits::default()).unwrap(), at(0), at(9_999));
            assert_eq!(all_pages(&store, &query), all_pages(&oracle, &query), "{text}");
        }
        let query = ReadQuery::cameras([camera(3), camera(5)].into(), at(100), at(2_000));
        assert_eq!(all_pages(&store, &query), all_pages(&oracle, &query));
        let again = store.append(&class(0), &reads[..3_000]).unwrap();
        assert_eq!(again, Appended { stored: 0, duplicates: 3_000 });
        if pass == 0 {
            store.compact().unwrap();
        }
    }
    assert_eq!(store.check().unwrap(), []);
}

#[test]
fn one_edit_is_found_over_many_blocks_of_a_slice() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), options());
    let oracle = Oracle::default();
    // Enough distinct plates of one slice for several blocks of plates and of their ends.
    let letters = b"ABCDKOQ0158SZ";
    let text = |number: usize| -> String {
        let at = |place: u32| char::from(letters[number / letters.len().pow(place) % letters.len()]);
        format!("{}{}{}{}{:03}", at(3), at(1), at(2), at(0), number * 7 % 1_000)
    };
    let reads: Vec<_> = (0..20_000).map(|number| read(&number.to_string(), &text(number), 0)).collect();
    for batch in reads.chunks(5_000) {
        for store in [&store as &dyn ReadStore, &oracle] {
            store.append(&class(0), batch).unwrap();
        }
    }
    store.compact().unwrap();
    let edited = |number: usize, how: usize| {
        let mut plate = text(number).into_bytes();
        match how % 4 {
            0 => plate[number % 7] = b'X',
            1 => drop(plate.remove(number % 7)),
            2 => plate.insert(number % 8, b'X'),
            _ => {}
        }
        String::from_utf8(plate).unwrap()
    };
    let mut found = 0;
    for how in 0..60 {
        let asked = edited(how * 331, how);
        let pattern = PlatePattern::tolerant(&asked, &Limits::default()).unwrap();
        let query = ReadQuery::plate(pattern, at(0), at(1_000));
        let ours = all_pages(&store, &query).unwrap();
        assert_eq!(ours, all_pages(&oracle, &query).unwrap(), "{asked}");
        found += ours.len();
    }
    assert!(found >= 60, "each is one edit from a plate that is there: {found}");
}

#[test]
fn a_page_says_how_near_each_read_is() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), options());
    store
        .append(&class(0), &[read("1", "ABC123", 0), read("2", "A8C123", 70), read("3", "ABX123", 140)])
        .unwrap();
    let pattern = PlatePattern::tolerant("ABC123", &Limits::default()).unwrap();
    let page = store.search(&ReadQuery::plate(pattern, at(0), at(1_000))).unwrap();
    let labels: Vec<MatchLabel> = page.matches.iter().map(|each| each.label).collect();
    assert_eq!(labels, [MatchLabel::Approximate, MatchLabel::MisreadEquivalent, MatchLabel::Exact]);
    assert_eq!(page.matches[0].differences[0].read, Some('X'));
}

#[test]
fn what_costs_too_much_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), options());
    let mut query = ReadQuery::cameras([camera(0)].into(), at(0), at(49 * 3_600));
    assert!(matches!(store.search(&query), Err(StoreError::Query(_))));
    query.until = at(3_600);
    assert_eq!(store.search(&query).unwrap().matches, []);
    let batch = vec![read("1", "ABC123", 0); 100_001];
    assert!(matches!(store.append(&class(0), &batch), Err(StoreError::Batch { .. })));
    let few = open(&folder.path().join("few"), canvass_store_reads::Options { most_slices: 3, ..options() });
    let spread: Vec<Read> = (0..4).map(|number| read(&number.to_string(), "ABC123", number * 60)).collect();
    assert!(matches!(few.append(&class(0), &spread), Err(StoreError::Slices { most: 3 })));
    assert_eq!(few.append(&class(0), &spread[..3]).unwrap().stored, 3);
    let one = [read("8", "ABC123", 0)];
    for bytes in [vec![], vec![0; canvass_plates::MOST_PICTURE + 1]] {
        let pictures = [(one[0].id, bytes.as_slice())].into();
        assert!(matches!(store.append_with(&class(0), &one, &pictures), Err(StoreError::Picture)));
    }
    let mut wrong = read("9", "ABC123", 0);
    wrong.characters = vec![wrong.confidence];
    assert!(matches!(store.append(&class(0), &[wrong]), Err(StoreError::Read(_))));
}

#[test]
fn one_process_has_a_store_and_its_key_opens_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), options());
    let again = |key| {
        canvass_store_reads::SegmentStore::open(
            folder.path(),
            canvass_store_reads::RootKey::new([key; 32]),
            Seeded::new(),
            options(),
        )
    };
    assert!(matches!(again(9), Err(StoreError::Locked)));
    drop(store);
    assert!(matches!(again(8), Err(StoreError::RootKey)));
    assert!(again(9).is_ok());
}

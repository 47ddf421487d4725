//! Changed bytes are found and named, and never read as something else.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::support::*;
use canvass_plates::{Limits, PlatePattern, Read, ReadQuery, ReadStore as _, StoreError};

fn reads() -> Vec<Read> {
    (0..1_500)
        .map(|number| read(&number.to_string(), &format!("D{:04}", number * 7 % 3_000), number % 50))
        .collect()
}

fn only(folder: &Path, end: &str) -> PathBuf {
    let mut stack = vec![folder.to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = stack.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() {
                stack.push(entry.path());
            } else if entry.path().extension().is_some_and(|each| each == end) {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found.pop().unwrap()
}

#[test]
fn every_changed_byte_of_a_segment_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), options());
    store.append(&class(0), &reads()).unwrap();
    store.compact().unwrap();
    drop(store);
    let path = only(folder.path(), "seg");
    let good = fs::read(&path).unwrap();
    let query =
        ReadQuery::plate(PlatePattern::parse("D*1*", &Limits { fixed: 1, runs: 4 }).unwrap(), at(0), at(60));
    let expected = open(folder.path(), options()).search(&query).unwrap();
    for at_byte in (0..good.len()).step_by(good.len() / 60 + 1).chain([good.len() - 1, good.len() - 10]) {
        // The number of the slice says to whom a file belongs: a file of an erased slice is removed.
        if (24..32).contains(&at_byte) {
            continue;
        }
        let mut bad = good.clone();
        bad[at_byte] ^= 0x10;
        fs::write(&path, &bad).unwrap();
        let store = open(folder.path(), options());
        let found = store.check().unwrap();
        assert_eq!(found.len(), 1, "byte {at_byte}");
        assert_eq!(found[0].slice, Some(class(0).slice_of(&reads()[0])));
        match store.search(&query) {
            Ok(page) => assert_eq!(page, expected, "what can be read is right"),
            Err(error) => assert!(matches!(error, StoreError::Damaged(..)), "{error}"),
        }
        let other = ReadQuery::plate(PlatePattern::Exact(plate("D0001")), at(500), at(600));
        assert!(store.search(&other).is_ok(), "other times can be searched");
    }
    for length in [0, 10, 40, good.len() / 2, good.len() - 1] {
        fs::write(&path, &good[..length]).unwrap();
        assert_eq!(open(folder.path(), options()).check().unwrap().len(), 1);
    }
    fs::write(&path, &good).unwrap();
    assert_eq!(open(folder.path(), options()).check().unwrap(), []);
}

#[test]
fn every_changed_byte_of_a_picture_is_found_and_a_torn_end_is_no_damage() {
    let folder = tempfile::tempdir().unwrap();
    let reads = &reads()[..30];
    let along = pictures(reads);
    open(folder.path(), options()).append_with(&class(0), reads, &lent(&along)).unwrap();
    let path = only(folder.path(), "pics");
    let good = fs::read(&path).unwrap();
    for at_byte in (0..good.len()).step_by(good.len() / 90 + 1).chain(0..70) {
        let mut bad = good.clone();
        bad[at_byte] ^= 0x10;
        fs::write(&path, &bad).unwrap();
        let store = open(folder.path(), options());
        let found = store.check().unwrap();
        assert_eq!(found.len(), 1, "byte {at_byte}");
        assert_eq!(found[0].slice, Some(class(0).slice_of(&reads[0])));
        let mut damaged = 0;
        for (id, bytes) in &along {
            match store.picture(id) {
                Ok(picture) => assert_eq!(picture.as_ref(), Some(bytes), "what can be read is right"),
                Err(StoreError::Damaged(..)) => damaged += 1,
                Err(other) => panic!("{other}"),
            }
        }
        assert!(damaged > 0, "byte {at_byte}");
    }
    for torn in [&[0; 9][..], &[0; 900], &good[24..60]] {
        fs::write(&path, [&good, torn].concat()).unwrap();
        assert_eq!(open(folder.path(), options()).check().unwrap(), []);
    }
}

#[test]
fn a_torn_end_of_a_log_is_no_damage_but_a_changed_frame_is() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), options());
    for batch in reads()[..60].chunks(20) {
        store.append(&class(0), batch).unwrap();
    }
    let path = only(folder.path(), "log");
    let good = fs::read(&path).unwrap();
    let third = (good.len() - 24) / 3;
    let mut bad = good.clone();
    bad[24 + third + 60] ^= 1;
    fs::write(&path, &bad).unwrap();
    assert_eq!(store.check().unwrap().len(), 1, "while it is open");
    fs::write(&path, &good[..good.len() - 5]).unwrap();
    assert_eq!(store.check().unwrap().len(), 1);
    drop(store);
    for (bytes, reads, damages) in [
        (&good[..], 60, 0),
        (&good[..good.len() - 5], 40, 0),
        (&good[..24 + third + 9], 20, 0),
        (&good[..12], 0, 0),
        (&bad[..], 40, 1),
    ] {
        let copy = tempfile::tempdir().unwrap();
        fs::create_dir(copy.path().join("logs")).unwrap();
        fs::copy(folder.path().join("keys"), copy.path().join("keys")).unwrap();
        fs::write(copy.path().join("logs").join(path.file_name().unwrap()), bytes).unwrap();
        let store = open(copy.path(), options());
        assert_eq!(store.stats().unwrap().reads, reads);
        let found = store.check().unwrap();
        assert!(found.len() >= damages && (damages > 0 || found.is_empty()), "{found:?}");
        // What comes after goes on as if nothing had been.
        store.append(&class(0), &[read("new", "NEW1", 3)]).unwrap();
        store.compact().unwrap();
        drop(store);
        let store = open(copy.path(), options());
        assert_eq!(store.stats().unwrap().reads, reads + 1);
        assert_eq!(store.check().unwrap().len(), damages, "a damaged log is kept aside and named");
    }
}

#[test]
fn any_bytes_in_place_of_files_are_refused_without_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), options());
    store.append(&class(0), &reads()[..300]).unwrap();
    store.compact().unwrap();
    store.append(&class(0), &reads()[300..320]).unwrap();
    drop(store);
    for end in ["seg", "log"] {
        let path = only(folder.path(), end);
        let good = fs::read(&path).unwrap();
        for junk in [vec![], vec![0; 5_000], vec![0xff; 5_000], good.repeat(2)] {
            fs::write(&path, junk).unwrap();
            let store = open(folder.path(), options());
            let _ = store.check().unwrap();
            drop(store);
            let _ = fs::remove_file(path.with_extension("damaged"));
            fs::write(&path, &good).unwrap();
        }
    }
    assert_eq!(open(folder.path(), options()).stats().unwrap().reads, 320);
}

//! What is erased is in no file, also when a crash came in between; what a case holds stays.

use std::{fs, path::Path};

use crate::support::*;
use canvass_plates::{ErasedSlice, Limits, PlatePattern, Read, ReadQuery, ReadStore as _};

/// All bytes of all files below a folder, by name.
fn raw(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(raw(&path));
        } else {
            all.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    all
}

fn holds(files: &[(String, Vec<u8>)], wanted: &[u8]) -> bool {
    files.iter().any(|(_, bytes)| bytes.windows(wanted.len()).any(|window| window == wanted))
}

fn reads(from: i64, letter: char) -> Vec<Read> {
    (0..500)
        .map(|number| {
            read(&format!("{letter}{number}"), &format!("{letter}QZ{number:04}"), from + number % 50)
        })
        .collect()
}

/// Any 64 bytes of one file that another held: ciphertext that came over.
fn shared(old: &[(String, Vec<u8>)], new: &[(String, Vec<u8>)]) -> bool {
    let windows: std::collections::BTreeSet<&[u8]> =
        old.iter().flat_map(|(_, bytes)| bytes.chunks_exact(64)).collect();
    new.iter().flat_map(|(_, bytes)| bytes.windows(64)).any(|window| windows.contains(window))
}

#[test]
fn nothing_of_an_erased_slice_is_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), options());
    let (gone, stays) = (reads(0, 'G'), reads(60, 'S'));
    for each in gone.chunks(90).zip(stays.chunks(90)) {
        for part in [each.0, each.1] {
            store.append_with(&class(0), part, &lent(&pictures(part))).unwrap();
        }
    }
    let along = pictures(&gone);
    assert!(along.len() > 100 && along.values().all(|bytes| !holds(&raw(folder.path()), bytes)));
    assert!(!holds(&raw(folder.path()), b"GQZ"), "no plate stands open in a file, ever");
    let held = gone.iter().find(|read| along.contains_key(&read.id)).unwrap().clone();
    assert_eq!(store.keep(&[held.id], &class(2)).unwrap().kept, 1);
    let of_slice = folder.path().join("slices/non-hit").join(format!("{START}-60"));
    store.compact().unwrap();
    let before = raw(&of_slice);
    assert!(!before.is_empty());
    let erased = store.erase(class(0).name(), at(60)).unwrap();
    let slice = class(0).slice_of(&gone[0]);
    assert_eq!(erased, [ErasedSlice { slice, reads: 500 }]);
    assert_eq!(store.erase(class(0).name(), at(60)).unwrap(), []);
    assert!(!of_slice.exists());
    let after = raw(folder.path());
    assert!(!shared(&before, &after), "no sealed block is left, not even an unreadable one");
    for read in [&gone[..], &stays[..]].concat() {
        for text in [read.plate.as_bytes(), &read.id.as_bytes()[..]] {
            assert!(!holds(&after, text));
        }
    }
    let search = |text: &str| {
        let query = ReadQuery::plate(PlatePattern::parse(text, &Limits::default()).unwrap(), at(0), at(500));
        store.search(&query).unwrap().matches.into_iter().map(|each| each.read).collect::<Vec<_>>()
    };
    for (id, bytes) in &along {
        let expected = (*id == held.id).then(|| bytes.clone());
        assert_eq!(
            store.picture(id).unwrap(),
            expected,
            "the picture goes with its read, and is held with it"
        );
    }
    let found: Vec<Read> = search("GQZ*").into_iter().map(same).collect();
    assert_eq!(found, [same(store.by_id(&held.id).unwrap().unwrap())], "only what the case holds");
    assert_eq!(search("SQZ*").len(), 100);
    drop(store);
    let store = open(folder.path(), options());
    assert_eq!(store.check().unwrap(), []);
    assert_eq!(store.stats().unwrap().reads, 501);
}

#[test]
fn reads_that_are_only_in_a_log_are_erased_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), options());
    store.append(&class(0), &reads(0, 'G')[..100]).unwrap();
    let before = raw(&folder.path().join("logs"));
    let copy = folder.path().join("copied.log");
    fs::copy(&before[0].0, &copy).unwrap();
    assert_eq!(store.erase(class(0).name(), at(60)).unwrap()[0].reads, 100);
    store.compact().unwrap();
    assert_eq!(raw(&folder.path().join("logs")), [], "the frames went with their log");
    drop(store);
    // Even whoever kept the log and has the root key reads nothing of it.
    fs::copy(&copy, folder.path().join("logs/000000000900.log")).unwrap();
    let store = open(folder.path(), options());
    assert_eq!(store.stats().unwrap().reads, 0);
}

#[test]
fn a_crash_in_the_middle_of_erasing_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    let (live, copy) = (folder.path().join("live"), folder.path().join("copy"));
    let store = open(&live, options());
    store.append(&class(0), &reads(0, 'G')).unwrap();
    store.compact().unwrap();
    store.backup(&copy).unwrap();
    store.erase(class(0).name(), at(60)).unwrap();
    drop(store);
    // The keys are gone, the files are not: they come from the copy.
    let from = copy.join("slices/non-hit").join(format!("{START}-60"));
    let to = live.join("slices/non-hit").join(format!("{START}-60"));
    fs::create_dir_all(&to).unwrap();
    for entry in fs::read_dir(&from).unwrap().flatten() {
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
    let store = open(&live, options());
    assert!(!to.exists(), "the next opening finishes the work");
    assert_eq!(store.stats().unwrap().reads, 0);
    // The slice can be begun anew, under a new key.
    store.append(&class(0), &reads(0, 'N')).unwrap();
    store.compact().unwrap();
    drop(store);
    for entry in fs::read_dir(&from).unwrap().flatten() {
        fs::copy(entry.path(), to.join("000000009999.seg")).unwrap();
    }
    let store = open(&live, options());
    assert_eq!(store.check().unwrap(), []);
    assert_eq!(store.stats().unwrap().reads, 500);
}

#[test]
fn three_minutes_are_workable() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), options());
    let non_hits = class(0);
    for minute in 0..30_i64 {
        let batch: Vec<Read> = (0..20)
            .map(|each| {
                read(&format!("{minute}-{each}"), &format!("N{minute:02}{each:02}"), minute * 60 + each)
            })
            .collect();
        store.append(&non_hits, &batch).unwrap();
        // The slice of the minute that ended three minutes ago.
        let erased = store.erase(non_hits.name(), at(minute * 60 - 120)).unwrap();
        assert_eq!(erased.len(), usize::from(minute >= 3));
        assert!(store.stats().unwrap().slices.len() <= 3);
    }
    assert_eq!(store.stats().unwrap().reads, 60);
    assert_eq!(store.check().unwrap(), []);
    store.compact().unwrap();
    assert_eq!(fs::read_dir(folder.path().join("slices/non-hit")).unwrap().count(), 3);
}

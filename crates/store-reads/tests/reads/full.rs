//! A full disk is a clear error, and nothing else.

use std::process::Command;

use crate::support::*;
use canvass_plates::{Limits, PlatePattern, Read, ReadQuery, ReadStore as _, StoreError};

const FOLDER: &str = "CANVASS_TEST_FULL_FOLDER";

/// Small enough that some packs fit.
fn along(reads: &[Read]) -> std::collections::BTreeMap<canvass_plates::ReadId, Vec<u8>> {
    let mut all = pictures(reads);
    all.values_mut().for_each(|bytes| bytes.truncate(100));
    all
}

fn batch(number: i64) -> Vec<Read> {
    (0..200)
        .map(|each| read(&format!("{number}-{each}"), &format!("F{number:02}{each:03}"), each % 50))
        .collect()
}

/// Not a test by itself: [`a_full_disk_loses_nothing`] runs it where no file may be longer than 64 KiB.
#[test]
#[ignore = "runs only inside another test"]
fn append_until_full() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let store = open(folder.as_ref(), canvass_store_reads::Options { flush_rows: 100_000, ..options() });
    let mut stored = 0;
    let mut full = 0;
    for number in 0..40 {
        let reads = batch(number);
        match store.append_with(&class(0), &reads, &lent(&along(&reads))) {
            Ok(appended) => stored += appended.stored as u64,
            Err(StoreError::Full) => full += 1,
            Err(other) => panic!("{other}"),
        }
        assert_eq!(store.stats().unwrap().reads, stored);
    }
    assert!(full > 0 && stored > 0, "{stored} stored, {full} times full");
    // No segment fits either; what waits stays in its logs and can be searched.
    assert!(matches!(store.compact(), Err(StoreError::Full)));
    let query = ReadQuery::plate(PlatePattern::parse("F00*", &Limits::default()).unwrap(), at(0), at(60));
    assert_eq!(store.search(&query).unwrap().matches.len(), 100);
    assert!(matches!(
        store.backup(&std::path::Path::new(&folder).with_extension("copy")),
        Ok(()) | Err(StoreError::Full)
    ));
    assert_eq!(store.check().unwrap(), []);
    std::fs::write(std::path::Path::new(&folder).with_extension("stored"), stored.to_string()).unwrap();
}

#[test]
fn a_full_disk_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reads");
    // Longer files fail as on a full disk, in the middle of a write too.
    let limited = "trap '' XFSZ; ulimit -f 64; exec \"$0\" full::append_until_full --exact --ignored";
    let done = Command::new("bash")
        .args(["-c", limited])
        .arg(std::env::current_exe().unwrap())
        .env(FOLDER, &path)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    let stored: u64 = std::fs::read_to_string(path.with_extension("stored")).unwrap().parse().unwrap();
    // Space again.
    let store = open(&path, options());
    assert_eq!(store.check().unwrap(), []);
    assert_eq!(store.stats().unwrap().reads, stored);
    let mut duplicates = 0;
    for number in 0..40 {
        let reads = batch(number);
        let along = along(&reads);
        duplicates += store.append_with(&class(0), &reads, &lent(&along)).unwrap().duplicates as u64;
        for (id, bytes) in &along {
            assert_eq!(store.picture(id).unwrap().as_ref(), Some(bytes));
        }
    }
    assert_eq!(duplicates, stored, "what was refused is stored now, the rest was there");
    store.compact().unwrap();
    assert_eq!(store.stats().unwrap().reads, 8_000);
    assert_eq!(store.check().unwrap(), []);
}

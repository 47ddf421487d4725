//! A copy from outside, made while the store is at work, holds all that was acknowledged before it, once.

use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};

use crate::support::*;
use canvass_plates::{Read, ReadStore as _, StoreError};
use canvass_store_reads::{Options, snapshot};

fn busy() -> Options {
    Options { flush_rows: 500, background: true, cache_bytes: 4 << 20, ..Options::default() }
}

fn batch(number: u64) -> Vec<Read> {
    let of = |each: u64| {
        read(&format!("{number}-{each}"), &format!("S{:05}", number * 40 + each), (number % 300) as i64)
    };
    (0..40).map(of).collect()
}

/// Ends the writer when a check fails as well; the scope would wait for it for ever.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_copy_of_a_store_at_work_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reads");
    let store = open(&path, busy());
    let (acknowledged, stop) = (Mutex::new(0_u64), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let _stop = Stop(&stop);
        scope.spawn(|| {
            for number in 0.. {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                let reads = batch(number);
                store.append_with(&class(0), &reads, &lent(&pictures(&reads))).unwrap();
                *acknowledged.lock().unwrap() = number + 1;
            }
        });
        for round in 0..6 {
            while *acknowledged.lock().unwrap() < 20 * (round + 1) {
                std::thread::yield_now();
            }
            let before = *acknowledged.lock().unwrap();
            let to = folder.path().join(format!("copy-{round}"));
            snapshot(&path, &to).unwrap();
            let copy = open(&to, Options { background: false, ..busy() });
            assert_eq!(copy.check().unwrap(), []);
            for number in 0..before {
                let reads = batch(number);
                let along = pictures(&reads);
                for read in [&reads[0], &reads[39]] {
                    let found = copy.by_id(&read.id).unwrap().map(|found| Read { picture: None, ..found });
                    assert_eq!(found.as_ref(), Some(read), "batch {number} of {before}");
                    assert_eq!(copy.picture(&read.id).unwrap().as_ref(), along.get(&read.id));
                }
            }
            copy.compact().unwrap();
            let reads = copy.stats().unwrap().reads;
            assert!(reads >= before * 40 && reads.is_multiple_of(40), "{reads}: whole batches, each once");
        }
    });
    // What was copied lies beside, and the store itself is as it was.
    assert_eq!(store.check().unwrap(), []);
    assert!(matches!(snapshot(&path, &folder.path().join("copy-0")), Err(StoreError::Disk(..))));
}

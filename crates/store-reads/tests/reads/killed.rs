//! A process that is killed while it appends loses nothing that it was told is stored, and stores nothing twice.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
    time::Duration,
};

use crate::support::*;
use canvass_plates::{Limits, PlatePattern, Read, ReadId, ReadQuery, ReadStore as _};
use canvass_store_reads::Options;

const FOLDER: &str = "CANVASS_TEST_KILLED_FOLDER";
const ROUND: &str = "CANVASS_TEST_KILLED_ROUND";
const THREADS: usize = 3;

fn busy() -> Options {
    Options { flush_rows: 3_000, background: true, cache_bytes: 4 << 20, ..Options::default() }
}

fn batch(round: u64, thread: usize, number: u64) -> Vec<Read> {
    (0..40)
        .map(|each| {
            let source = format!("{round}-{thread}-{number}-{each}");
            read(
                &source,
                &format!("K{round}{thread}{:04}", (number * 40 + each) % 10_000),
                (number % 300) as i64,
            )
        })
        .collect()
}

/// Not a test by itself: [`what_was_acknowledged_is_there_once`] runs it in a process of its own, and kills that.
#[test]
#[ignore = "runs only inside another test"]
fn append_until_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let round: u64 = std::env::var(ROUND).unwrap().parse().unwrap();
    let store = open(folder.as_ref(), busy());
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let store = &store;
            scope.spawn(move || {
                for number in 0.. {
                    let reads = batch(round, thread, number);
                    let along = pictures(&reads);
                    let appended = store.append_with(&class(thread), &reads, &lent(&along)).unwrap();
                    assert_eq!(appended.stored, 40);
                    let line = format!("stored {round} {thread} {number}\n");
                    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
                }
            });
        }
    });
}

#[test]
fn what_was_acknowledged_is_there_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reads");
    let mut acknowledged: BTreeSet<(u64, usize, u64)> = BTreeSet::new();
    for round in 0..5_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["killed::append_until_killed", "--exact", "--ignored", "--nocapture"])
            .env(FOLDER, &path)
            .env(ROUND, round.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let reading = std::thread::spawn(move || output.lines().map_while(Result::ok).collect::<Vec<_>>());
        std::thread::sleep(Duration::from_millis(300 + 170 * round));
        // SIGKILL: no destructor runs.
        child.kill().unwrap();
        child.wait().unwrap();
        for line in reading.join().unwrap() {
            let Some(rest) = line.rsplit_once("stored ").map(|(_, rest)| rest) else { continue };
            let numbers: Vec<u64> = rest.split(' ').filter_map(|number| number.parse().ok()).collect();
            // The last line may have been cut short.
            let &[round, thread, number] = numbers.as_slice() else { continue };
            acknowledged.insert((round, thread as usize, number));
        }
        let store = open(&path, busy());
        assert_eq!(store.check().unwrap(), []);
        for (round, thread, number) in &acknowledged {
            let reads = batch(*round, *thread, *number);
            let along = pictures(&reads);
            for read in [&reads[0], &reads[39]] {
                let found = store.by_id(&read.id).unwrap().unwrap();
                assert_eq!(Read { picture: None, ..found }, *read);
                assert_eq!(store.picture(&read.id).unwrap().as_ref(), along.get(&read.id));
            }
        }
    }
    assert!(acknowledged.len() > 50, "the child appended: {}", acknowledged.len());
    let store = open(&path, busy());
    store.compact().unwrap();
    // Whole batches, each read once.
    let mut ids: BTreeSet<ReadId> = BTreeSet::new();
    for round in 0..5 {
        let pattern = PlatePattern::parse(&format!("K{round}*"), &Limits::default()).unwrap();
        let mut query = ReadQuery::plate(pattern, at(0), at(1_000));
        query.limit = 1_000;
        loop {
            let page = store.search(&query).unwrap();
            for found in page.matches {
                assert!(ids.insert(found.read.id), "twice");
            }
            match page.next {
                Some(next) => query.cursor = Some(next),
                None => break,
            }
        }
    }
    let stats = store.stats().unwrap();
    assert_eq!(stats.reads, ids.len() as u64, "no read stands in two segments of a slice");
    assert_eq!(ids.len() % 40, 0, "a batch is stored whole or not at all");
    assert!(ids.len() >= acknowledged.len() * 40);
}

//! A process that is killed while it commits loses nothing that it was told is stored.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
    time::Duration,
};

use canvass_core::ports::{Changeset, Records as _, RecordsExt as _};
use canvass_core::records::Setting;
use canvass_store_sqlite::{Options, SqliteRecords};
use canvass_testkit::samples;
use canvass_types::leaf::Log;
use serde_json::json;

const FOLDER: &str = "CANVASS_TEST_KILLED_FOLDER";
const TASKS: u64 = 16;

/// Not a test by itself: [`what_was_acknowledged_is_there`] runs it in a process of its own, and kills that.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs only inside another test"]
async fn commit_until_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let path = std::path::Path::new(&folder).join("records.db");
    let store = SqliteRecords::open(path, Options::default()).await.unwrap();
    for task in 0..TASKS {
        let store = store.clone();
        tokio::spawn(async move {
            loop {
                let key = format!("setting-{task}");
                let before = store.get::<Setting>(&key).await.unwrap();
                let version = before.as_ref().map_or(1, |before| before.version + 1);
                let record = samples::setting(task, json!(version));
                let changes = match &before {
                    Some(before) => Changeset::unguarded().update(before, &record),
                    None => Changeset::unguarded().insert(&record),
                };
                let place = store
                    .commit(changes.leaf(Log::Requests, &json!([task, version])))
                    .await
                    .unwrap()
                    .leaf_indexes[0];
                let line = format!("stored {task} {version} {place}\n");
                std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
            }
        });
    }
    std::future::pending::<()>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged: BTreeMap<u64, u64> = BTreeMap::new();
    let mut places: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    for round in 0..4_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["commit_until_killed", "--exact", "--ignored", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let reading = std::thread::spawn(move || output.lines().map_while(Result::ok).collect::<Vec<_>>());
        tokio::time::sleep(Duration::from_millis(700 + 130 * round)).await;
        // SIGKILL: no destructor runs.
        child.kill().unwrap();
        child.wait().unwrap();
        for line in reading.join().unwrap() {
            let Some(rest) = line.rsplit_once("stored ").map(|(_, rest)| rest) else { continue };
            let numbers: Vec<u64> = rest.split(' ').filter_map(|number| number.parse().ok()).collect();
            // The last line may have been cut short.
            let &[task, version, place] = numbers.as_slice() else { continue };
            acknowledged.insert(task, version);
            places.insert(place, (task, version));
        }
        let store = SqliteRecords::open(folder.path().join("records.db"), Options::default()).await.unwrap();
        assert_eq!(store.check().await.unwrap(), []);
        let size = store.ledger_size(Log::Requests).await.unwrap();
        assert!(size >= places.len() as u64);
        let mut changes = 0;
        for (task, version) in &acknowledged {
            let found = store.get::<Setting>(&format!("setting-{task}")).await.unwrap().unwrap();
            assert!(found.version >= *version, "setting {task}: {} is older than {version}", found.version);
            assert_eq!(found.record.value, json!(found.version));
            changes += found.version;
        }
        if acknowledged.len() as u64 == TASKS {
            assert_eq!(size, changes, "each change has its entry, each entry its change");
        }
        for (place, (task, version)) in places.iter().rev().take(2_000) {
            let entry = store.ledger_entries(Log::Requests, *place, 1).await.unwrap().remove(0);
            assert_eq!(entry.entry, json!([task, version]).to_string().into_bytes());
        }
        store.close().await;
    }
    assert!(places.len() > 50, "the child committed: {}", places.len());
}

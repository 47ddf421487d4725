//! How many durable commits a second 64 committers get. Run it by name, with `--release`.

use std::time::Duration;

use canvass_core::ports::{Changeset, Records as _};
use canvass_store_sqlite::{Options, SqliteRecords};
use canvass_testkit::samples;
use canvass_types::leaf::Log;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn commits_of_one_record_and_one_entry() {
    const TASKS: u64 = 64;
    let folder =
        tempfile::tempdir_in(std::env::var("CANVASS_BENCH_FOLDER").unwrap_or_else(|_| ".".into())).unwrap();
    let store = SqliteRecords::open(folder.path().join("records.db"), Options::default()).await.unwrap();
    let mut tasks = Vec::new();
    for task in 0..TASKS {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            let mut done = 0_u64;
            let until = tokio::time::Instant::now() + Duration::from_secs(5);
            while tokio::time::Instant::now() < until {
                let record = samples::audit(task * 1_000_000 + done, Some(task), "look", samples::hour(1));
                let changes = Changeset::unguarded().insert(&record).leaf(Log::Oversight, &record.body);
                store.commit(changes).await.unwrap();
                done += 1;
            }
            done
        }));
    }
    let mut done = 0;
    for task in tasks {
        done += task.await.unwrap();
    }
    println!("{} durable commits a second, {TASKS} committers", done / 5);
    assert_eq!(store.ledger_size(Log::Oversight).await.unwrap(), done);
}

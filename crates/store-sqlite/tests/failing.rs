//! When SQLite itself fails: everyone is told, nothing is half stored, and the store goes on afterwards.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{path::Path, time::Duration};

use canvass_core::ports::{Changeset, Kind, Records as _, StoreError};
use canvass_store_sqlite::{Options, SqliteRecords};
use canvass_testkit::samples;
use canvass_types::leaf::Log;
use serde_json::json;
use sqlx::{ConnectOptions as _, SqliteConnection, sqlite::SqliteConnectOptions};

async fn raw(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).connect().await.unwrap()
}

async fn run(connection: &mut SqliteConnection, sql: &'static str) {
    sqlx::raw_sql(sql).execute(connection).await.unwrap();
}

fn change(n: u64) -> Changeset {
    Changeset::unguarded().insert(&samples::setting(n, json!("private words"))).leaf(Log::Requests, &n)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_another_process_holds_is_told_and_used_again_later() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records.db");
    let options = Options { busy_timeout: Duration::from_millis(50), ..Options::default() };
    let store = SqliteRecords::open(&path, options).await.unwrap();
    store.commit(change(0)).await.unwrap();
    let mut other = raw(&path).await;
    run(&mut other, "BEGIN IMMEDIATE").await;
    let held = store.commit(change(1)).await.unwrap_err();
    assert!(matches!(&held, StoreError::Unavailable(says) if says.contains("locked")), "{held}");
    assert!(store.swap_head(Log::Requests, None, "head").await.is_err());
    assert!(store.fetch(Kind::Setting, "setting-0").await.unwrap().is_some(), "reading goes on");
    run(&mut other, "ROLLBACK").await;
    assert_eq!(store.commit(change(1)).await.unwrap().leaf_indexes, [1]);
    store.swap_head(Log::Requests, None, "head").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_inside_a_group_stores_nothing_of_what_it_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records.db");
    let store = SqliteRecords::open(&path, Options::default()).await.unwrap();
    let mut other = raw(&path).await;
    run(
        &mut other,
        "CREATE TRIGGER full BEFORE INSERT ON ledger_entries WHEN CAST(new.entry AS TEXT) IN ('7', '20')
         BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END",
    )
    .await;
    let mut kept = std::collections::BTreeSet::new();
    for round in 0..4_u64 {
        let mut tasks = Vec::new();
        for n in 0..32_u64 {
            let store = store.clone();
            tasks.push(tokio::spawn(async move { (n, store.commit(change(n)).await) }));
        }
        for task in tasks {
            let (n, result) = task.await.unwrap();
            let stored = store.fetch(Kind::Setting, &format!("setting-{n}")).await.unwrap().is_some();
            match result {
                Ok(_) => assert!(stored && kept.insert(n)),
                Err(StoreError::Conflict { .. }) => assert!(stored && kept.contains(&n)),
                Err(error) => {
                    assert!(matches!(error, StoreError::Unavailable(_)));
                    assert!(!error.to_string().contains("private"), "{error}");
                    assert_eq!(stored, kept.contains(&n), "setting {n} was refused in round {round}");
                }
            }
        }
        assert_eq!(store.check().await.unwrap(), []);
    }
    run(&mut other, "DROP TRIGGER full").await;
    for n in 0..32 {
        let result = store.commit(change(n)).await;
        assert!(matches!(result, Ok(_) | Err(StoreError::Conflict { .. })), "{result:?}");
    }
    assert_eq!(store.ledger_size(Log::Requests).await.unwrap(), 32);
    assert_eq!(store.check().await.unwrap(), []);
}

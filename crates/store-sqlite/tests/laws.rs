//! The SQLite store keeps the laws of every store, and answers as the one in memory does.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use canvass_core::ports::{Changeset, Records as _, StoreError};
use canvass_store_sqlite::{HeadError, Options, SqliteHeads, SqliteRecords};
use canvass_testkit::{conformance, samples};
use canvass_types::leaf::Log;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use tempfile::TempDir;

async fn open(folder: &TempDir) -> SqliteRecords {
    SqliteRecords::open(folder.path().join("records.db"), Options::default()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_keeps_the_laws() {
    let parent = tempfile::tempdir().unwrap();
    conformance::records::all(async || {
        let folder = tempfile::tempdir_in(parent.path()).unwrap().keep();
        SqliteRecords::open(folder.join("records.db"), Options::default()).await.unwrap()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_stored_is_there_when_it_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    conformance::records::reopening(async || open(&folder).await).await;
    assert_eq!(open(&folder).await.check().await.unwrap(), []);
}

async fn agrees(steps: &[conformance::model::Step]) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    conformance::model::agrees(&store, steps).await;
    assert_eq!(store.check().await.unwrap(), []);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn known_lists_of_steps_are_answered_as_in_memory() {
    for steps in conformance::model::known() {
        agrees(&steps).await;
    }
}

#[test]
fn random_lists_of_steps_are_answered_as_in_memory() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases: 48, failure_persistence: None, ..Config::default() });
    runner
        .run(&conformance::model::steps(40), |steps| {
            runtime.block_on(agrees(&steps));
            Ok(())
        })
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_is_swapped_by_one_of_many_and_survives() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    assert_eq!(store.head(Log::Requests).await.unwrap(), None);
    store.swap_head(Log::Requests, None, "0").await.unwrap();
    for round in 0..10 {
        let before = round.to_string();
        let mut rivals = Vec::new();
        for _ in 0..8 {
            let (store, before, new) = (store.clone(), before.clone(), (round + 1).to_string());
            rivals
                .push(tokio::spawn(async move { store.swap_head(Log::Requests, Some(&before), &new).await }));
        }
        let mut won = 0;
        for rival in rivals {
            match rival.await.unwrap() {
                Ok(()) => won += 1,
                Err(HeadError::Lost { found }) => assert_eq!(found, Some((round + 1).to_string())),
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(won, 1);
    }
    let lost = store.swap_head(Log::Oversight, Some("0"), "1").await.unwrap_err();
    assert!(matches!(lost, HeadError::Lost { found: None }));
    store.close().await;
    assert!(matches!(store.head(Log::Requests).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.swap_head(Log::Requests, None, "x").await, Err(HeadError::Store(_))));
    assert_eq!(open(&folder).await.head(Log::Requests).await.unwrap(), Some("10".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_finds_its_head_here() {
    use canvass_ledger::store::{HeadStore as _, SwapError};
    let folder = tempfile::tempdir().unwrap();
    let requests = SqliteHeads { records: open(&folder).await, log: Log::Requests };
    conformance::tiles::heads(requests.clone()).await;
    requests.records.close().await;
    let heads = SqliteHeads { records: open(&folder).await, log: Log::Oversight };
    assert_eq!(heads.load().await.unwrap(), None);
    heads.swap(None, "first").await.unwrap();
    let lost = heads.swap(None, "second").await.unwrap_err();
    assert!(matches!(lost, SwapError::Lost { found: Some(head) } if head == "first"));
    heads.swap(Some("first"), "second").await.unwrap();
    assert_eq!(heads.load().await.unwrap().as_deref(), Some("second"));
    heads.records.close().await;
    assert!(matches!(heads.swap(None, "third").await, Err(SwapError::Store(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_closing_everything_is_refused_and_nothing_hangs() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let mut tasks = Vec::new();
    for n in 0..64 {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            let done = store.commit(Changeset::unguarded().insert(&samples::setting(n, json!(1)))).await;
            (n, done.is_ok())
        }));
    }
    store.close().await;
    store.close().await;
    let mut stored = Vec::new();
    for task in tasks {
        let (n, done) = task.await.unwrap();
        if done {
            stored.push(n);
        }
    }
    let again = open(&folder).await;
    for n in 0..64 {
        let found = again.fetch(canvass_core::ports::Kind::Setting, &format!("setting-{n}")).await.unwrap();
        assert_eq!(
            found.is_some(),
            stored.contains(&n),
            "setting {n} is there if and only if it was acknowledged"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_is_too_long_does_not_harm_its_neighbours() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let long = samples::setting(0, json!("x".repeat(17 << 20)));
    let (refused, stored) = tokio::join!(
        store.commit(Changeset::unguarded().insert(&long)),
        store.commit(Changeset::unguarded().insert(&samples::setting(1, json!(1)))),
    );
    let error = refused.unwrap_err().to_string();
    assert!(error.contains("16 MiB") && error.len() < 300, "{error}");
    stored.unwrap();
    assert!(store.commit(Changeset::unguarded().leaf(Log::Requests, &long)).await.is_err());
    assert_eq!(store.ledger_size(Log::Requests).await.unwrap(), 0);
}

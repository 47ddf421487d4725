//! Backup, check, repair, and who may read the files.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{os::unix::fs::PermissionsExt as _, path::Path};

use canvass_core::ports::{Changeset, Kind, Records as _, RecordsExt as _};
use canvass_core::records::Setting;
use canvass_store_sqlite::{BackupError, Defect, Options, RepairError, SqliteRecords};
use canvass_testkit::{conformance, samples};
use canvass_types::leaf::Log;
use serde_json::json;
use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};

async fn open(path: &Path) -> SqliteRecords {
    SqliteRecords::open(path, Options::default()).await.unwrap()
}

/// Does to the file what no store does.
async fn tamper(path: &Path, sql: &'static str) {
    let mut connection = SqliteConnectOptions::new().filename(path).connect().await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_taken_while_writing_is_one_moment() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("records.db")).await;
    let both = |n: u64| {
        Changeset::unguarded()
            .insert(&samples::setting(2 * n, json!(n)))
            .insert(&samples::setting(2 * n + 1, json!(n)))
    };
    store.commit(both(0).leaf(Log::Requests, &0)).await.unwrap();
    let writing = {
        let store = store.clone();
        tokio::spawn(async move {
            for n in 1..400_u64 {
                store.commit(both(n).leaf(Log::Requests, &n)).await.unwrap();
            }
        })
    };
    let mut sizes = Vec::new();
    for n in 0..4 {
        let target = folder.path().join(format!("backup-{n}.db"));
        store.backup_to(&target).await.unwrap();
        assert_eq!(mode(&target), 0o600);
        let copy = open(&target).await;
        assert_eq!(copy.check().await.unwrap(), []);
        let size = copy.ledger_size(Log::Requests).await.unwrap();
        let settings = copy.count_by(Kind::Hold, "active").await.unwrap();
        assert!(settings.is_empty());
        for place in 0..size {
            for key in [2 * place, 2 * place + 1] {
                assert!(copy.get::<Setting>(&format!("setting-{key}")).await.unwrap().is_some());
            }
        }
        let next = format!("setting-{}", 2 * size);
        assert!(copy.get::<Setting>(&next).await.unwrap().is_none(), "no half of a later change");
        sizes.push(size);
        copy.close().await;
    }
    writing.await.unwrap();
    assert!(sizes.is_sorted());
    let last = folder.path().join("last.db");
    store.backup_to(&last).await.unwrap();
    conformance::model::same(&store, &open(&last).await).await;
    let taken = store.backup_to(&last).await.unwrap_err();
    assert!(matches!(taken, BackupError::File { .. }), "{taken}");
    assert!(store.backup_to(folder.path().join("no/folder.db")).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_are_open_to_their_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records.db");
    std::fs::write(&path, "").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let store = open(&path).await;
    store.commit(Changeset::unguarded().insert(&samples::setting(1, json!(1)))).await.unwrap();
    for name in ["records.db", "records.db-wal", "records.db-shm"] {
        assert_eq!(mode(&folder.path().join(name)), 0o600, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_finds_what_is_wrong_and_repairs_what_is_derived() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records.db");
    let store = open(&path).await;
    let mut changes = Changeset::unguarded();
    for n in 0..450 {
        changes = changes.insert(&samples::hold(n, n % 3, "s", None)).leaf(Log::Oversight, &n);
    }
    for n in 0..4 {
        changes = changes.insert(&samples::setting(n, json!({"secret": "words"})));
    }
    store.commit(changes).await.unwrap();
    assert_eq!(store.check().await.unwrap(), []);
    tamper(
        &path,
        "UPDATE holds SET active = NULL WHERE sequence = 3;
         UPDATE holds SET agency = 'agy_x', subject = 't' WHERE sequence = 441;
         UPDATE settings SET body = 'secret' WHERE key = 'setting-0';
         UPDATE settings SET body = '{\"secret\": 1}' WHERE key = 'setting-1';
         UPDATE settings SET key = 'other' WHERE key = 'setting-2';
         UPDATE ledger_entries SET digest = zeroblob(32) WHERE idx = 444;
         UPDATE ledger_entries SET idx = idx + 10 WHERE idx = 449;",
    )
    .await;
    let defects = store.check().await.unwrap();
    let says: Vec<_> = defects.iter().map(ToString::to_string).collect();
    assert!(says.iter().all(|says| !says.contains("secret")), "{says:?}");
    assert_eq!(defects.len(), 7, "{says:?}");
    assert!(matches!(&defects[0], Defect::Column { kind: Kind::Hold, column: "active", .. }));
    assert!(matches!(&defects[1], Defect::Column { kind: Kind::Hold, column: "agency", .. }));
    assert!(matches!(&defects[2], Defect::Body { kind: Kind::Setting, key, .. } if key == "setting-0"));
    assert!(matches!(&defects[3], Defect::Body { kind: Kind::Setting, key, .. } if key == "setting-1"));
    assert!(matches!(&defects[4], Defect::Key { kind: Kind::Setting, key } if key == "other"));
    assert_eq!(defects[5], Defect::Digest { log: Log::Oversight, index: 444 });
    assert_eq!(defects[6], Defect::Gap { log: Log::Oversight, from: 449, to: 459 });
    for defect in &defects {
        match store.repair(defect).await {
            Ok(()) => assert!(defect.is_derived()),
            Err(RepairError::NotDerived) => assert!(!defect.is_derived()),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(store.check().await.unwrap(), [&defects[2..5], &defects[6..]].concat());
    let gone = Defect::Digest { log: Log::Requests, index: 7 };
    assert!(matches!(store.repair(&gone).await, Err(RepairError::Gone)));
    let hold = samples::hold(2, 2, "s", None);
    let versions = store.fetch(Kind::Hold, hold.id.as_str()).await.unwrap().unwrap().version;
    assert_eq!(versions, 1, "a repair is no change");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records.db");
    let store = open(&path).await;
    for n in 0..40 {
        store.commit(Changeset::unguarded().insert(&samples::hold(n, n, "s", None))).await.unwrap();
    }
    // An index that lacks a row: what a torn page looks like to a reader.
    tamper(
        &path,
        "PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = 'CREATE INDEX holds_by_agency ON holds (subject)' WHERE name = 'holds_by_agency';",
    )
    .await;
    store.close().await;
    let store = open(&path).await;
    let defects = store.check().await.unwrap();
    assert!(defects.iter().any(|defect| matches!(defect, Defect::File { .. })), "{defects:?}");
}

use canvass_core::ports::{Changeset, Kind, Records as _};
use canvass_testkit::samples;
use canvass_types::leaf::Log;
use sqlx::{ConnectOptions as _, Connection as _, Row as _, sqlite::SqliteConnectOptions};

use super::*;
use crate::{Options, SqliteRecords};

async fn raw(path: &std::path::Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.unwrap()
}

async fn shape(connection: &mut SqliteConnection) -> Vec<(String, String)> {
    let sql = "SELECT name, coalesce(sql, '') FROM sqlite_schema ORDER BY name";
    sqlx::query_as(sql).fetch_all(connection).await.unwrap()
}

#[tokio::test]
async fn the_schema_has_each_kind_with_its_columns_and_an_index_for_each() {
    let folder = tempfile::tempdir().unwrap();
    let mut connection = raw(&folder.path().join("a.db")).await;
    migrate(&mut connection, MIGRATIONS).await.unwrap();
    let mut tables = vec!["ledger_entries".to_owned(), "ledger_heads".into(), "sqlite_sequence".into()];
    for kind in Kind::ALL {
        tables.push(kind.table().to_owned());
        let info = sqlx::query("SELECT name, type FROM pragma_table_info(?1)").bind(kind.table());
        let found: Vec<(String, String)> = info
            .fetch_all(&mut connection)
            .await
            .unwrap()
            .iter()
            .map(|row| (row.get(0), row.get(1)))
            .collect();
        let mut due =
            vec![("sequence", "INTEGER"), ("key", "TEXT"), ("version", "INTEGER"), ("body", "TEXT")];
        due.extend(kind.columns().iter().map(|column| (*column, "TEXT")));
        let found: Vec<_> = found.iter().map(|(name, of)| (name.as_str(), of.as_str())).collect();
        assert_eq!(found, due, "{kind:?}");
        for column in kind.columns() {
            let sql = "SELECT count(*) FROM pragma_index_list(?1) AS list, pragma_index_info(list.name) AS of \
                       WHERE of.name = ?2 AND of.seqno = 0";
            let indexes: i64 = sqlx::query_scalar(sql)
                .bind(kind.table())
                .bind(*column)
                .fetch_one(&mut connection)
                .await
                .unwrap();
            assert_eq!(indexes, 1, "{kind:?} {column}");
        }
    }
    tables.sort();
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let found: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap();
    assert_eq!(found, tables);
}

#[tokio::test]
async fn an_old_store_with_rows_becomes_as_a_fresh_one_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    let mut old = raw(&path).await;
    migrate(&mut old, &MIGRATIONS[..1]).await.unwrap();
    let hold = samples::hold(1, 1, "s", None);
    let index = canvass_core::ports::Record::index(&hold);
    let sql =
        "INSERT INTO holds (key, version, body, agency, subject, active) VALUES (?1, 7, ?2, ?3, ?4, ?5)";
    sqlx::query(sql)
        .bind(hold.id.to_string())
        .bind(serde_json::to_string(&hold).unwrap())
        .bind(index[0].as_deref())
        .bind(index[1].as_deref())
        .bind(index[2].as_deref())
        .execute(&mut old)
        .await
        .unwrap();
    // The agency of who acted is taken from the record itself.
    let mut audit = samples::audit(1, Some(1), "plate.search", samples::hour(1));
    audit.body.actor_agency.clone_from(&audit.body.agency);
    let index = canvass_core::ports::Record::index(&audit);
    assert!(index[4].is_some());
    let sql = "INSERT INTO audit_records (key, version, body, agency, subject, action, at) \
               VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6)";
    sqlx::query(sql)
        .bind(audit.body.id.to_string())
        .bind(serde_json::to_string(&audit).unwrap())
        .bind(index[0].as_deref())
        .bind(index[1].as_deref())
        .bind(index[2].as_deref())
        .bind(index[3].as_deref())
        .execute(&mut old)
        .await
        .unwrap();
    old.close().await.unwrap();

    let store = SqliteRecords::open(&path, Options::default()).await.unwrap();
    let found = store.fetch(Kind::Hold, hold.id.as_str()).await.unwrap().unwrap();
    assert_eq!(found.version, 7);
    let actors = canvass_core::ports::Query::<canvass_core::records::AuditRecord>::new();
    let actors = actors.with("actor_agency", index[4].as_deref().unwrap());
    assert_eq!(canvass_core::ports::RecordsExt::list(&store, actors).await.unwrap().len(), 1);
    store.commit(Changeset::unguarded().leaf(Log::Requests, &1)).await.unwrap();
    assert_eq!(store.check().await.unwrap(), []);
    store.close().await;

    let mut fresh = raw(&folder.path().join("fresh.db")).await;
    migrate(&mut fresh, MIGRATIONS).await.unwrap();
    let mut upgraded = raw(&path).await;
    let before = shape(&mut upgraded).await;
    assert_eq!(before, shape(&mut fresh).await);
    assert_eq!(header(&mut upgraded).await.unwrap(), (APPLICATION, 14));
    migrate(&mut upgraded, MIGRATIONS).await.unwrap();
    assert_eq!(before, shape(&mut upgraded).await, "a second run changes nothing");
}

#[tokio::test]
async fn a_newer_or_foreign_file_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (newer, foreign) = (folder.path().join("newer.db"), folder.path().join("foreign.db"));
    let mut connection = raw(&newer).await;
    migrate(&mut connection, MIGRATIONS).await.unwrap();
    sqlx::raw_sql("PRAGMA user_version = 99").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let error = SqliteRecords::open(&newer, Options::default()).await.unwrap_err();
    assert!(matches!(error, OpenError::Newer { found: 99, known: 14 }), "{error}");
    assert!(error.to_string().contains("newer version"), "{error}");

    let mut connection = raw(&foreign).await;
    sqlx::raw_sql("CREATE TABLE songs (name TEXT)").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let error = SqliteRecords::open(&foreign, Options::default()).await.unwrap_err();
    assert!(matches!(error, OpenError::Foreign), "{error}");

    let text = folder.path().join("text.db");
    std::fs::write(&text, "no database at all, but long enough to look like one ".repeat(40)).unwrap();
    assert!(SqliteRecords::open(&text, Options::default()).await.is_err());
    assert!(SqliteRecords::open(folder.path().join("no/such/folder.db"), Options::default()).await.is_err());
}

#[tokio::test]
async fn a_failing_migration_leaves_the_store_as_it_was() {
    static BROKEN: &[Migration] = &[
        Migration { number: 1, sql: include_str!("../../migrations/0001_records.sql") },
        Migration { number: 2, sql: "CREATE TABLE half (a TEXT); CREATE TABLE half (a TEXT);" },
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut connection = raw(&folder.path().join("a.db")).await;
    let error = migrate(&mut connection, BROKEN).await.unwrap_err();
    assert!(matches!(error, OpenError::Migration { number: 2, .. }), "{error}");
    assert_eq!(header(&mut connection).await.unwrap().1, 1);
    assert!(!shape(&mut connection).await.iter().any(|(name, _)| name == "half"));
    migrate(&mut connection, MIGRATIONS).await.unwrap();
}

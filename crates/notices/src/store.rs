//! The file of subscriptions: small, apart from the records, and in no backup.

use std::{collections::BTreeSet, os::unix::fs::OpenOptionsExt as _, path::Path};

use sqlx::{
    ConnectOptions as _, Row as _, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous},
};

use crate::{NoticesError, wish::PushTarget};

const SCHEMA: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS subscriptions (
        id INTEGER PRIMARY KEY, channel TEXT NOT NULL, target TEXT NOT NULL, detail TEXT NOT NULL,
        regions TEXT NOT NULL, language TEXT NOT NULL, token TEXT NOT NULL UNIQUE, told TEXT NOT NULL,
        active INTEGER NOT NULL, begun INTEGER NOT NULL, until INTEGER NOT NULL, failures INTEGER NOT NULL DEFAULT 0,
        due INTEGER NOT NULL DEFAULT 0, not_before INTEGER NOT NULL DEFAULT 0, UNIQUE (target, active)) STRICT",
    "CREATE TABLE IF NOT EXISTS subscribed (
        region TEXT NOT NULL, subscription INTEGER NOT NULL REFERENCES subscriptions (id) ON DELETE CASCADE,
        PRIMARY KEY (region, subscription)) STRICT, WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS seen (region TEXT PRIMARY KEY, digest TEXT NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS subscriptions_due ON subscriptions (due, not_before) WHERE due = 1",
    "CREATE INDEX IF NOT EXISTS subscriptions_until ON subscriptions (until)",
];

/// After so many failures in a row a subscription ends.
const MOST_FAILURES: i64 = 12;

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Push(PushTarget),
    Mail(String),
}

impl Target {
    fn channel(&self) -> &'static str {
        match self {
            Self::Push(_) => "push",
            Self::Mail(_) => "mail",
        }
    }

    fn address(&self) -> &str {
        match self {
            Self::Push(target) => &target.endpoint,
            Self::Mail(address) => address,
        }
    }
}

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) id: i64,
    pub(crate) target: Target,
    pub(crate) regions: Vec<String>,
    pub(crate) language: String,
    pub(crate) token: String,
    /// Open requests that they know already.
    pub(crate) told: BTreeSet<String>,
    pub(crate) active: bool,
    pub(crate) begun: i64,
    pub(crate) until: i64,
    pub(crate) failures: i64,
}

pub(crate) struct Store {
    pool: SqlitePool,
}

impl Store {
    pub(crate) async fn open(path: &Path) -> Result<Self, NoticesError> {
        let made = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path);
        made.map_err(|source| NoticesError::File { path: path.to_owned(), source })?;
        let connect = SqliteConnectOptions::new()
            .filename(path)
            // A write-ahead log would keep what was deleted until it is overwritten; a rollback journal is emptied each time.
            .journal_mode(SqliteJournalMode::Truncate)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            // Who stops is forgotten, and not merely unlinked.
            .pragma("secure_delete", "ON")
            .disable_statement_logging();
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(connect).await?;
        for statement in SCHEMA {
            sqlx::query(*statement).execute(&pool).await?;
        }
        Ok(Self { pool })
    }

    /// Stores a subscription in place of an older one to the same address.
    pub(crate) async fn put(&self, row: &Row) -> Result<(), NoticesError> {
        self.insert(row).await.map(drop)
    }

    /// Stores one that waits for confirmation; gives back its token.
    pub(crate) async fn put_pending(&self, row: &Row) -> Result<String, NoticesError> {
        self.insert(row).await?;
        Ok(row.token.clone())
    }

    async fn insert(&self, row: &Row) -> Result<(), NoticesError> {
        let mut turn = self.pool.begin().await?;
        sqlx::query("DELETE FROM subscriptions WHERE target = ?1 AND active = ?2")
            .bind(row.target.address())
            .bind(row.active)
            .execute(&mut *turn)
            .await?;
        let detail = match &row.target {
            Target::Push(target) => json(target),
            Target::Mail(_) => "null".to_owned(),
        };
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO subscriptions (channel, target, detail, regions, language, token, told, active, begun, until)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) RETURNING id",
        )
        .bind(row.target.channel())
        .bind(row.target.address())
        .bind(detail)
        .bind(json(&row.regions))
        .bind(&row.language)
        .bind(&row.token)
        .bind(json(&row.told))
        .bind(row.active)
        .bind(row.begun)
        .bind(row.until)
        .fetch_one(&mut *turn)
        .await?;
        for region in &row.regions {
            sqlx::query("INSERT OR IGNORE INTO subscribed (region, subscription) VALUES (?1, ?2)")
                .bind(region)
                .bind(id)
                .execute(&mut *turn)
                .await?;
        }
        turn.commit().await?;
        Ok(())
    }

    /// Makes a waiting subscription count. Confirming twice changes nothing.
    pub(crate) async fn confirm(&self, token: &str, until: i64) -> Result<(), NoticesError> {
        let mut turn = self.pool.begin().await?;
        let target: Option<String> =
            sqlx::query_scalar("SELECT target FROM subscriptions WHERE token = ?1 AND active = 0")
                .bind(token)
                .fetch_optional(&mut *turn)
                .await?;
        let Some(target) = target else { return Ok(()) };
        sqlx::query("DELETE FROM subscriptions WHERE target = ?1 AND active = 1")
            .bind(&target)
            .execute(&mut *turn)
            .await?;
        sqlx::query("UPDATE subscriptions SET active = 1, until = ?2, due = 1 WHERE token = ?1")
            .bind(token)
            .bind(until)
            .execute(&mut *turn)
            .await?;
        turn.commit().await?;
        Ok(())
    }

    pub(crate) async fn stop(&self, token: &str) -> Result<(), NoticesError> {
        sqlx::query("DELETE FROM subscriptions WHERE token = ?1").bind(token).execute(&self.pool).await?;
        Ok(())
    }

    pub(crate) async fn stop_target(&self, target: &str) -> Result<(), NoticesError> {
        sqlx::query("DELETE FROM subscriptions WHERE target = ?1").bind(target).execute(&self.pool).await?;
        Ok(())
    }

    /// Whether an address was asked to confirm within a day.
    pub(crate) async fn asked_lately(&self, address: &str, now: i64) -> Result<bool, NoticesError> {
        let found: Option<i64> =
            sqlx::query_scalar("SELECT 1 FROM subscriptions WHERE target = ?1 AND active = 0 AND begun > ?2")
                .bind(address)
                .bind(now - 86_400)
                .fetch_optional(&self.pool)
                .await?;
        Ok(found.is_some())
    }

    pub(crate) async fn expire(&self, now: i64) -> Result<u64, NoticesError> {
        let done =
            sqlx::query("DELETE FROM subscriptions WHERE until <= ?1").bind(now).execute(&self.pool).await?;
        Ok(done.rows_affected())
    }

    /// Regions that somebody asked for, with the digest of the bundle that they were last told of.
    pub(crate) async fn regions(&self) -> Result<Vec<(String, String)>, NoticesError> {
        let rows = sqlx::query(
            "SELECT DISTINCT s.region AS region, coalesce(seen.digest, '') AS digest
             FROM subscribed s LEFT JOIN seen ON seen.region = s.region",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| Ok((row.try_get("region")?, row.try_get("digest")?))).collect()
    }

    /// Notes that a region's bundle changed: its subscribers are due.
    pub(crate) async fn mark(&self, region: &str, digest: &str) -> Result<(), NoticesError> {
        let mut turn = self.pool.begin().await?;
        sqlx::query(
            "UPDATE subscriptions SET due = 1
             WHERE active = 1 AND id IN (SELECT subscription FROM subscribed WHERE region = ?1)",
        )
        .bind(region)
        .execute(&mut *turn)
        .await?;
        sqlx::query(
            "INSERT INTO seen (region, digest) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET digest = ?2",
        )
        .bind(region)
        .bind(digest)
        .execute(&mut *turn)
        .await?;
        turn.commit().await?;
        Ok(())
    }

    pub(crate) async fn due(&self, now: i64, most: u32) -> Result<Vec<Row>, NoticesError> {
        let rows = sqlx::query(
            "SELECT * FROM subscriptions WHERE due = 1 AND active = 1 AND not_before <= ?1 ORDER BY not_before, id LIMIT ?2",
        )
        .bind(now)
        .bind(most)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(read).collect()
    }

    /// What they know now; nothing is due.
    pub(crate) async fn settle(&self, row: &Row) -> Result<(), NoticesError> {
        sqlx::query(
            "UPDATE subscriptions SET told = ?2, due = 0, failures = 0, not_before = 0 WHERE id = ?1",
        )
        .bind(row.id)
        .bind(json(&row.told))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Later, and later each time; after too many failures the subscription ends.
    pub(crate) async fn postpone(&self, row: &Row, now: i64) -> Result<(), NoticesError> {
        if row.failures + 1 >= MOST_FAILURES {
            return self.stop(&row.token).await;
        }
        let wait = 60_i64.saturating_mul(1 << row.failures.clamp(0, 10)).min(6 * 3_600);
        sqlx::query("UPDATE subscriptions SET failures = failures + 1, not_before = ?2 WHERE id = ?1")
            .bind(row.id)
            .bind(now + wait)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    pub(crate) async fn counts(&self) -> Result<Vec<(String, String, i64)>, NoticesError> {
        let rows = sqlx::query(
            "SELECT channel, CASE active WHEN 1 THEN 'active' ELSE 'waiting' END AS state, count(*) AS n
             FROM subscriptions GROUP BY 1, 2 ORDER BY 1, 2",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| Ok((row.try_get("channel")?, row.try_get("state")?, row.try_get("n")?)))
            .collect()
    }
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

fn read(row: &SqliteRow) -> Result<Row, NoticesError> {
    let text = |name: &str| row.try_get::<String, _>(name);
    let bad = |what: &'static str| sqlx::Error::Decode(what.into());
    let target = if text("channel")? == "push" {
        Target::Push(serde_json::from_str(&text("detail")?).map_err(|_| bad("detail"))?)
    } else {
        Target::Mail(text("target")?)
    };
    Ok(Row {
        id: row.try_get("id")?,
        target,
        regions: serde_json::from_str(&text("regions")?).map_err(|_| bad("regions"))?,
        language: text("language")?,
        token: text("token")?,
        told: serde_json::from_str(&text("told")?).map_err(|_| bad("told"))?,
        active: row.try_get("active")?,
        begun: row.try_get("begun")?,
        until: row.try_get("until")?,
        failures: row.try_get("failures")?,
    })
}

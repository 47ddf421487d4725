//! Reading, and handing changes to the writer.

use std::collections::BTreeMap;

use canvass_core::ports::{
    Changeset, Committed, Kind, LedgerEntry, RawQuery, RawRecord, Records, StoreError, Versioned,
};
use canvass_types::{Digest, leaf::Log};
use sqlx::{AssertSqlSafe, Row as _, sqlite::SqliteRow};
use tokio::sync::oneshot;

use crate::{
    SqliteRecords,
    error::{closed, unavailable},
    statements,
    writer::Job,
};

/// SQLite counts in 63 bits; beyond that lies nothing.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn record(row: &SqliteRow) -> Result<RawRecord, sqlx::Error> {
    Ok(Versioned {
        version: unsigned(row.try_get(0)?),
        sequence: unsigned(row.try_get(1)?),
        record: row.try_get(2)?,
    })
}

impl Records for SqliteRecords {
    async fn fetch(&self, kind: Kind, key: &str) -> Result<Option<RawRecord>, StoreError> {
        let sql = AssertSqlSafe(self.statements.of(kind).fetch.clone());
        let row = sqlx::query(sql).bind(key).fetch_optional(&self.pool).await.map_err(unavailable)?;
        row.as_ref().map(record).transpose().map_err(unavailable)
    }

    async fn select(&self, query: &RawQuery) -> Result<Vec<RawRecord>, StoreError> {
        let sql = statements::select(query)?;
        let start = if query.newest_first { i64::MAX } else { -1 };
        let after = query.after.map_or(start, signed);
        let mut select = sqlx::query(AssertSqlSafe(sql)).bind(after).bind(i64::from(query.limit));
        for condition in &query.conditions {
            select = select.bind(condition.text());
        }
        let rows = select.fetch_all(&self.pool).await.map_err(unavailable)?;
        rows.iter().map(record).collect::<Result<_, _>>().map_err(unavailable)
    }

    async fn count_by(&self, kind: Kind, column: &'static str) -> Result<BTreeMap<String, u64>, StoreError> {
        statements::known(kind, column)?;
        let sql = format!(
            "SELECT coalesce(\"{column}\", ''), count(*) FROM {} GROUP BY coalesce(\"{column}\", '')",
            kind.table()
        );
        let rows: Vec<(String, i64)> =
            sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&self.pool).await.map_err(unavailable)?;
        Ok(rows.into_iter().map(|(value, count)| (value, unsigned(count))).collect())
    }

    async fn commit(&self, changes: Changeset) -> Result<Committed, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Commit { changes, reply }).await?;
        answer.await.map_err(|_| closed())?
    }

    async fn ledger_entries(&self, log: Log, from: u64, limit: u32) -> Result<Vec<LedgerEntry>, StoreError> {
        let sql = "SELECT idx, entry FROM ledger_entries WHERE log = ?1 AND idx >= ?2 ORDER BY idx LIMIT ?3";
        let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(sql)
            .bind(log.as_str())
            .bind(signed(from))
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await
            .map_err(unavailable)?;
        Ok(rows.into_iter().map(|(index, entry)| LedgerEntry { index: unsigned(index), entry }).collect())
    }

    async fn ledger_index_of(&self, log: Log, entry: &[u8]) -> Result<Option<u64>, StoreError> {
        let sql = "SELECT min(idx) FROM ledger_entries WHERE log = ?1 AND digest = ?2 AND entry = ?3";
        let place: Option<i64> = sqlx::query_scalar(sql)
            .bind(log.as_str())
            .bind(Digest::of(entry).0.to_vec())
            .bind(entry.to_vec())
            .fetch_one(&self.pool)
            .await
            .map_err(unavailable)?;
        Ok(place.map(unsigned))
    }

    async fn ledger_size(&self, log: Log) -> Result<u64, StoreError> {
        let sql = "SELECT coalesce(max(idx) + 1, 0) FROM ledger_entries WHERE log = ?1";
        let size: i64 =
            sqlx::query_scalar(sql).bind(log.as_str()).fetch_one(&self.pool).await.map_err(unavailable)?;
        Ok(unsigned(size))
    }
}

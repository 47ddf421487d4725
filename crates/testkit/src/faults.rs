//! Stores that fail when told to.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use canvass_core::ports::{
    Changeset, Committed, Kind, LedgerEntry, RawQuery, RawRecord, Records, StoreError,
};
use canvass_types::leaf::Log;

/// How a commit fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Nothing is stored.
    BeforeStoring,
    /// All is stored, but the caller is told otherwise: the answer was lost.
    AfterStoring,
}

/// A store whose n-th commit fails.
#[derive(Debug)]
pub struct FailingRecords<R> {
    inner: R,
    at: u64,
    failure: Failure,
    commits: AtomicU64,
}

impl<R> FailingRecords<R> {
    /// Fails commit `at`, counted from 1 over all callers; all others go through.
    pub fn new(inner: R, at: u64, failure: Failure) -> Self {
        Self { inner, at, failure, commits: AtomicU64::new(0) }
    }

    /// The store behind it.
    pub fn inner(&self) -> &R {
        &self.inner
    }

    /// How many commits were tried.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::SeqCst)
    }
}

impl<R: Records> Records for FailingRecords<R> {
    async fn fetch(&self, kind: Kind, key: &str) -> Result<Option<RawRecord>, StoreError> {
        self.inner.fetch(kind, key).await
    }

    async fn select(&self, query: &RawQuery) -> Result<Vec<RawRecord>, StoreError> {
        self.inner.select(query).await
    }

    async fn count_by(&self, kind: Kind, column: &'static str) -> Result<BTreeMap<String, u64>, StoreError> {
        self.inner.count_by(kind, column).await
    }

    async fn commit(&self, changes: Changeset) -> Result<Committed, StoreError> {
        let failing = self.commits.fetch_add(1, Ordering::SeqCst) + 1 == self.at;
        if failing && self.failure == Failure::BeforeStoring {
            return Err(StoreError::Unavailable("a failure before storing was asked for".into()));
        }
        let committed = self.inner.commit(changes).await?;
        if failing {
            return Err(StoreError::Unavailable("a failure after storing was asked for".into()));
        }
        Ok(committed)
    }

    async fn ledger_entries(&self, log: Log, from: u64, limit: u32) -> Result<Vec<LedgerEntry>, StoreError> {
        self.inner.ledger_entries(log, from, limit).await
    }

    async fn ledger_index_of(&self, log: Log, entry: &[u8]) -> Result<Option<u64>, StoreError> {
        self.inner.ledger_index_of(log, entry).await
    }

    async fn ledger_size(&self, log: Log) -> Result<u64, StoreError> {
        self.inner.ledger_size(log).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemRecords, samples};

    #[tokio::test]
    async fn the_second_commit_fails_and_only_one_kind_is_stored() {
        for (failure, stored) in [(Failure::BeforeStoring, false), (Failure::AfterStoring, true)] {
            let store = FailingRecords::new(MemRecords::new(), 2, failure);
            for n in 1..=3 {
                let record = samples::setting(n, n.into());
                let result = store.commit(Changeset::unguarded().insert(&record)).await;
                assert_eq!(result.is_err(), n == 2);
            }
            assert_eq!(store.fetch(Kind::Setting, "setting-2").await.unwrap().is_some(), stored);
            assert!(store.fetch(Kind::Setting, "setting-3").await.unwrap().is_some());
            assert_eq!(store.commits(), 3);
        }
    }
}

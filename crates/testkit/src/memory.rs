//! A store of records in memory: the oracle that drivers are compared with. Nothing in it is clever.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use canvass_core::ports::{
    Changeset, Committed, Condition, Expect, Kind, LedgerEntry, Op, RawQuery, RawRecord, Records, StoreError,
    Versioned, Write,
};
use canvass_types::leaf::Log;

#[derive(Debug, Clone)]
struct Row {
    version: u64,
    sequence: u64,
    index: Vec<Option<String>>,
    body: String,
}

#[derive(Debug, Clone, Default)]
struct State {
    rows: BTreeMap<(Kind, String), Row>,
    last: u64,
    ledgers: BTreeMap<&'static str, Vec<Vec<u8>>>,
}

/// Records in memory. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct MemRecords {
    state: Arc<Mutex<State>>,
}

impl MemRecords {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A store that begins as this one is now and shares nothing with it.
    #[must_use]
    pub fn snapshot(&self) -> Self {
        Self { state: Arc::new(Mutex::new(self.state().clone())) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn place(kind: Kind, column: &str) -> Result<usize, StoreError> {
    kind.columns().iter().position(|name| *name == column).ok_or_else(|| StoreError::Corrupt {
        table: kind.table(),
        reason: format!("there is no column {column}; ask by one of Kind::columns"),
    })
}

fn meets(row: &Row, kind: Kind, conditions: &[Condition]) -> Result<bool, StoreError> {
    for condition in conditions {
        let met = match condition {
            Condition::Is(column, text) => row.index[place(kind, column)?].as_ref() == Some(text),
            Condition::UpTo(column, text) => {
                row.index[place(kind, column)?].as_ref().is_some_and(|at| !at.is_empty() && at <= text)
            }
            Condition::From(column, text) => {
                row.index[place(kind, column)?].as_ref().is_some_and(|at| !at.is_empty() && at >= text)
            }
        };
        if !met {
            return Ok(false);
        }
    }
    Ok(true)
}

impl State {
    fn expected(&self, write: &Write) -> Result<(), StoreError> {
        let found = self.rows.get(&(write.kind, write.key.clone())).map(|row| row.version);
        let met = match write.expect {
            Expect::Absent => found.is_none(),
            Expect::Version(version) => found == Some(version),
        };
        if met {
            return Ok(());
        }
        Err(StoreError::Conflict { table: write.kind.table(), key: write.key.clone() })
    }

    fn apply(&mut self, changes: &Changeset) -> Result<Committed, StoreError> {
        for write in changes.writes().iter().filter(|write| write.op == Op::Check) {
            self.expected(write)?;
        }
        for write in changes.writes() {
            let at = (write.kind, write.key.clone());
            match &write.op {
                Op::Check => {}
                Op::Delete => {
                    self.expected(write)?;
                    self.rows.remove(&at);
                }
                Op::Put { index, body } => {
                    if index.len() != write.kind.columns().len() {
                        let reason = "a record has not one value for each column".to_owned();
                        return Err(StoreError::Corrupt { table: write.kind.table(), reason });
                    }
                    self.expected(write)?;
                    let (version, sequence) = match self.rows.get(&at) {
                        Some(row) => (row.version + 1, row.sequence),
                        None => {
                            self.last += 1;
                            (1, self.last)
                        }
                    };
                    let row = Row { version, sequence, index: index.clone(), body: body.clone() };
                    self.rows.insert(at, row);
                }
            }
        }
        let mut committed = Committed::default();
        for leaf in changes.leaves() {
            let ledger = self.ledgers.entry(leaf.log.as_str()).or_default();
            committed.leaf_indexes.push(ledger.len() as u64);
            ledger.push(leaf.entry.clone());
        }
        Ok(committed)
    }
}

fn raw(row: &Row) -> RawRecord {
    Versioned { version: row.version, sequence: row.sequence, record: row.body.clone() }
}

impl Records for MemRecords {
    async fn fetch(&self, kind: Kind, key: &str) -> Result<Option<RawRecord>, StoreError> {
        Ok(self.state().rows.get(&(kind, key.to_owned())).map(raw))
    }

    async fn select(&self, query: &RawQuery) -> Result<Vec<RawRecord>, StoreError> {
        let state = self.state();
        let mut found = Vec::new();
        for condition in &query.conditions {
            place(query.kind, condition.column())?;
        }
        for ((kind, _), row) in &state.rows {
            if *kind == query.kind && meets(row, *kind, &query.conditions)? {
                found.push(raw(row));
            }
        }
        found.sort_by_key(|row| row.sequence);
        if query.newest_first {
            found.reverse();
        }
        if let Some(after) = query.after {
            found.retain(|row| if query.newest_first { row.sequence < after } else { row.sequence > after });
        }
        found.truncate(query.limit as usize);
        Ok(found)
    }

    async fn count_by(&self, kind: Kind, column: &'static str) -> Result<BTreeMap<String, u64>, StoreError> {
        let place = place(kind, column)?;
        let mut counts = BTreeMap::new();
        for ((of, _), row) in &self.state().rows {
            if *of == kind {
                *counts.entry(row.index[place].clone().unwrap_or_default()).or_default() += 1;
            }
        }
        Ok(counts)
    }

    async fn commit(&self, changes: Changeset) -> Result<Committed, StoreError> {
        let mut state = self.state();
        let mut next = state.clone();
        let committed = next.apply(&changes)?;
        *state = next;
        Ok(committed)
    }

    async fn ledger_entries(&self, log: Log, from: u64, limit: u32) -> Result<Vec<LedgerEntry>, StoreError> {
        let state = self.state();
        let entries = state.ledgers.get(log.as_str()).map_or(&[][..], Vec::as_slice);
        let numbered = (0..).zip(entries).skip_while(|(index, _)| *index < from).take(limit as usize);
        Ok(numbered.map(|(index, entry)| LedgerEntry { index, entry: entry.clone() }).collect())
    }

    async fn ledger_index_of(&self, log: Log, entry: &[u8]) -> Result<Option<u64>, StoreError> {
        let state = self.state();
        let place = state.ledgers.get(log.as_str()).and_then(|all| all.iter().position(|one| one == entry));
        Ok(place.map(|place| place as u64))
    }

    async fn ledger_size(&self, log: Log) -> Result<u64, StoreError> {
        Ok(self.state().ledgers.get(log.as_str()).map_or(0, Vec::len) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[tokio::test(flavor = "multi_thread")]
    async fn memory_keeps_the_laws() {
        conformance::records::all(async || MemRecords::new()).await;
    }
}

//! The SQL of each kind, put together once, so that SQLite prepares each text once.

use std::{fmt::Write as _, sync::Arc};

use canvass_core::ports::{Condition, Kind, RawQuery, StoreError};

/// The statements of one kind.
#[derive(Debug)]
pub(crate) struct OfKind {
    /// `?1` key, `?2` body, then the columns. Changes no row when the key is taken.
    pub insert: Arc<str>,
    /// `?1` key, `?2` version, `?3` body, then the columns.
    pub update: Arc<str>,
    /// `?1` key, `?2` version.
    pub delete: Arc<str>,
    /// `?1` key.
    pub version: Arc<str>,
    /// `?1` key.
    pub fetch: Arc<str>,
    /// `?1` sequence, `?2` limit: sequence, key, body, then the columns.
    pub scan: Arc<str>,
    /// `?1` key, then the columns.
    pub columns: Arc<str>,
}

#[derive(Debug)]
pub(crate) struct Statements {
    kinds: Vec<OfKind>,
    none: OfKind,
}

fn list(columns: &[&str], mut one: impl FnMut(usize, &str) -> String) -> String {
    columns.iter().enumerate().map(|(place, column)| one(place, column)).collect()
}

impl OfKind {
    fn new(kind: Kind) -> Self {
        let (table, columns) = (kind.table(), kind.columns());
        let names = list(columns, |_, column| format!(", \"{column}\""));
        let values = list(columns, |place, _| format!(", ?{}", place + 3));
        let sets = list(columns, |place, column| format!(", \"{column}\" = ?{}", place + 4));
        let anew = list(columns, |place, column| format!(", \"{column}\" = ?{}", place + 2));
        Self {
            insert: format!(
                "INSERT INTO {table} (key, version, body{names}) VALUES (?1, 1, ?2{values}) ON CONFLICT (key) DO NOTHING"
            )
            .into(),
            update: format!(
                "UPDATE {table} SET version = version + 1, body = ?3{sets} WHERE key = ?1 AND version = ?2"
            )
            .into(),
            delete: format!("DELETE FROM {table} WHERE key = ?1 AND version = ?2").into(),
            version: format!("SELECT version FROM {table} WHERE key = ?1").into(),
            fetch: format!("SELECT version, sequence, body FROM {table} WHERE key = ?1").into(),
            scan: format!(
                "SELECT sequence, key, body{names} FROM {table} WHERE sequence > ?1 ORDER BY sequence LIMIT ?2"
            )
            .into(),
            columns: format!("UPDATE {table} SET key = key{anew} WHERE key = ?1").into(),
        }
    }
}

impl Statements {
    pub(crate) fn new() -> Self {
        Self { kinds: Kind::ALL.into_iter().map(OfKind::new).collect(), none: OfKind::new(Kind::Setting) }
    }

    pub(crate) fn of(&self, kind: Kind) -> &OfKind {
        // `Kind::ALL` names every kind; a test says so.
        let place = Kind::ALL.iter().position(|one| *one == kind);
        place.and_then(|place| self.kinds.get(place)).unwrap_or(&self.none)
    }
}

/// Fails unless the kind has the column.
pub(crate) fn known(kind: Kind, column: &str) -> Result<(), StoreError> {
    if kind.columns().contains(&column) {
        return Ok(());
    }
    Err(StoreError::Corrupt {
        table: kind.table(),
        reason: format!("there is no column {column}; ask by one of Kind::columns"),
    })
}

/// The text of a query: `?1` place, `?2` limit, then one value for each condition.
pub(crate) fn select(query: &RawQuery) -> Result<String, StoreError> {
    let mut sql = format!("SELECT version, sequence, body FROM {} WHERE sequence", query.kind.table());
    sql.push_str(if query.newest_first { " < ?1" } else { " > ?1" });
    for (place, condition) in (3..).zip(&query.conditions) {
        let column = condition.column();
        known(query.kind, column)?;
        // Writing into a String can't fail.
        let _ = match condition {
            Condition::Is(..) => write!(sql, " AND \"{column}\" = ?{place}"),
            Condition::UpTo(..) => write!(sql, " AND \"{column}\" <= ?{place} AND \"{column}\" <> ''"),
            Condition::From(..) => write!(sql, " AND \"{column}\" >= ?{place} AND \"{column}\" <> ''"),
        };
    }
    sql.push_str(if query.newest_first { " ORDER BY sequence DESC" } else { " ORDER BY sequence" });
    sql.push_str(" LIMIT ?2");
    Ok(sql)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_statements() {
        let statements = Statements::new();
        for kind in Kind::ALL {
            let start = format!("INSERT INTO {} (key", kind.table());
            assert!(statements.of(kind).insert.starts_with(&start), "{kind:?}");
        }
    }
}

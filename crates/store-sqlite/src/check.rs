//! Reading everything and saying what is wrong; writing anew what can be derived.

use canvass_core::{
    ports::{Kind, Record, StoreError},
    records,
};
use canvass_types::{Digest, leaf::Log};
use sqlx::{AssertSqlSafe, Row as _, SqliteConnection, SqlitePool, sqlite::SqliteRow};

use crate::{
    error::unavailable,
    read::{signed, unsigned},
    statements::Statements,
};

/// Rows of one page.
const PAGE: i64 = 200;

/// Something wrong in the store. None holds a body or an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Defect {
    /// SQLite finds its file damaged. Restore a backup.
    File {
        /// What `PRAGMA integrity_check` or `foreign_key_check` says.
        says: String,
    },
    /// A body is no record of its kind.
    Body {
        /// The kind.
        kind: Kind,
        /// The record's key.
        key: String,
        /// What is wrong, and where in the body.
        reason: String,
    },
    /// A record stands under another key than its own.
    Key {
        /// The kind.
        kind: Kind,
        /// The key it stands under.
        key: String,
    },
    /// A column says something else than the body.
    Column {
        /// The kind.
        kind: Kind,
        /// The record's key.
        key: String,
        /// The first such column.
        column: &'static str,
    },
    /// A ledger lacks places.
    Gap {
        /// Which ledger.
        log: Log,
        /// The first place that is missing.
        from: u64,
        /// The next place that is there.
        to: u64,
    },
    /// A digest is not that of its entry.
    Digest {
        /// Which ledger.
        log: Log,
        /// At which place.
        index: u64,
    },
}

impl Defect {
    /// Most defects that one check lists.
    pub const MOST: usize = 10_000;

    /// Whether [`crate::SqliteRecords::repair`] can write it anew.
    #[must_use]
    pub fn is_derived(&self) -> bool {
        matches!(self, Self::Column { .. } | Self::Digest { .. })
    }
}

impl std::fmt::Display for Defect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File { says } => write!(f, "the file is damaged ({says}); restore a backup"),
            Self::Body { kind, key, reason } => {
                write!(f, "{} {key}: {reason}; restore it from a backup", kind.table())
            }
            Self::Key { kind, key } => {
                write!(f, "{} {key}: the record has another key; restore it from a backup", kind.table())
            }
            Self::Column { kind, key, column } => {
                write!(f, "{} {key}: {column} disagrees with the record; repair it", kind.table())
            }
            Self::Gap { log, from, to } => {
                let log = log.as_str();
                write!(f, "ledger {log}: places {from} to {to} are missing; restore a backup")
            }
            Self::Digest { log, index } => {
                let log = log.as_str();
                write!(
                    f,
                    "ledger {log}: the digest of place {index} is wrong; verify the ledger, then repair it"
                )
            }
        }
    }
}

/// Why a defect was not repaired.
#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    /// Nothing in the store says how it should be.
    #[error("only columns and digests can be written anew; restore the rest from a backup")]
    NotDerived,
    /// What it rests on is gone or damaged itself.
    #[error("what it would be derived from can't be read any more; run the check again")]
    Gone,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

struct Derived {
    key: String,
    index: Vec<Option<String>>,
}

fn of<R: Record>(body: &str) -> Result<Derived, String> {
    // The parser's own words may repeat parts of the body: only the place is told.
    let record: R = serde_json::from_str(body).map_err(|error| {
        let what = if error.is_data() { "the body is no such record" } else { "the body is not JSON" };
        format!("{what}, from line {} column {} on", error.line(), error.column())
    })?;
    Ok(Derived { key: record.key(), index: record.index() })
}

fn derive(kind: Kind, body: &str) -> Result<Derived, String> {
    match kind {
        Kind::Agency => of::<records::Agency>(body),
        Kind::Member => of::<records::Member>(body),
        Kind::Token => of::<records::Token>(body),
        Kind::Investigation => of::<records::Investigation>(body),
        Kind::Request => of::<records::Request>(body),
        Kind::Portal => of::<records::Portal>(body),
        Kind::RequestKey => of::<records::RequestKey>(body),
        Kind::Invitation => of::<records::Invitation>(body),
        Kind::Offer => of::<records::Offer>(body),
        Kind::Case => of::<records::Case>(body),
        Kind::Item => of::<records::Item>(body),
        Kind::CustodyEvent => of::<records::CustodyEvent>(body),
        Kind::Hold => of::<records::Hold>(body),
        Kind::Erasure => of::<records::Erasure>(body),
        Kind::Audit => of::<records::AuditRecord>(body),
        Kind::Setting => of::<records::Setting>(body),
        Kind::Passkey => of::<records::Passkey>(body),
        Kind::FederatedAccount => of::<records::FederatedAccount>(body),
        Kind::Session => of::<records::Session>(body),
        Kind::Enrolment => of::<records::Enrolment>(body),
        Kind::Lockout => of::<records::Lockout>(body),
        Kind::BreakGlass => of::<records::BreakGlass>(body),
        Kind::Proposal => of::<records::Proposal>(body),
        Kind::SharingRule => of::<records::SharingRule>(body),
        Kind::OversightNotice => of::<records::OversightNotice>(body),
        Kind::Finding => of::<records::Finding>(body),
        Kind::OwnVehicles => of::<records::OwnVehicles>(body),
        Kind::PolicyText => of::<records::PolicyText>(body),
        Kind::AskedMark => of::<records::AskedMark>(body),
        Kind::CourtSeal => of::<records::CourtSeal>(body),
        Kind::Camera => of::<records::Camera>(body),
        Kind::Hotlist => of::<records::Hotlist>(body),
        Kind::HotlistVersion => of::<records::HotlistVersion>(body),
        Kind::HotlistPart => of::<records::HotlistPart>(body),
        Kind::Alert => of::<records::Alert>(body),
        Kind::SearchApproval => of::<records::SearchApproval>(body),
        Kind::KeptReads => of::<records::KeptReads>(body),
        Kind::Webhook => of::<records::Webhook>(body),
        Kind::WebhookMessage => of::<records::WebhookMessage>(body),
        Kind::AlertPush => of::<records::AlertPush>(body),
        Kind::SafelistEntry => of::<records::SafelistEntry>(body),
        Kind::CameraSighting => of::<records::CameraSighting>(body),
        Kind::SightingPicture => of::<records::SightingPicture>(body),
        Kind::SealedSightings => of::<records::SealedSightings>(body),
    }
}

/// Reads all inside one transaction, so that it sees one moment.
pub(crate) async fn check(pool: &SqlitePool, statements: &Statements) -> Result<Vec<Defect>, StoreError> {
    let mut defects = Vec::new();
    let mut transaction = pool.begin().await.map_err(unavailable)?;
    collect(&mut transaction, statements, &mut defects).await.map_err(unavailable)?;
    transaction.rollback().await.map_err(unavailable)?;
    defects.truncate(Defect::MOST);
    Ok(defects)
}

async fn collect(
    connection: &mut SqliteConnection,
    statements: &Statements,
    defects: &mut Vec<Defect>,
) -> Result<(), sqlx::Error> {
    let says: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check").fetch_all(&mut *connection).await?;
    defects.extend(says.into_iter().filter(|says| says != "ok").map(|says| Defect::File { says }));
    for row in sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut *connection).await? {
        let table: String = row.try_get(0)?;
        defects.push(Defect::File { says: format!("a row of {table} points to nothing") });
    }
    for kind in Kind::ALL {
        check_kind(connection, statements, kind, defects).await?;
    }
    for log in Log::ALL {
        check_ledger(connection, log, defects).await?;
    }
    Ok(())
}

async fn check_kind(
    connection: &mut SqliteConnection,
    statements: &Statements,
    kind: Kind,
    defects: &mut Vec<Defect>,
) -> Result<(), sqlx::Error> {
    let mut after = -1_i64;
    while defects.len() < Defect::MOST {
        let scan = AssertSqlSafe(statements.of(kind).scan.clone());
        let rows = sqlx::query(scan).bind(after).bind(PAGE).fetch_all(&mut *connection).await?;
        let Some(last) = rows.last() else { break };
        after = last.try_get(0)?;
        for row in &rows {
            defects.extend(check_row(kind, row)?);
        }
    }
    Ok(())
}

fn check_row(kind: Kind, row: &SqliteRow) -> Result<Option<Defect>, sqlx::Error> {
    let (key, body): (String, String) = (row.try_get(1)?, row.try_get(2)?);
    let derived = match derive(kind, &body) {
        Ok(derived) => derived,
        Err(reason) => return Ok(Some(Defect::Body { kind, key, reason })),
    };
    if derived.key != key {
        return Ok(Some(Defect::Key { kind, key }));
    }
    for ((place, column), due) in (3_usize..).zip(kind.columns()).zip(derived.index) {
        if row.try_get::<Option<String>, _>(place)? != due {
            return Ok(Some(Defect::Column { kind, key, column }));
        }
    }
    Ok(None)
}

async fn check_ledger(
    connection: &mut SqliteConnection,
    log: Log,
    defects: &mut Vec<Defect>,
) -> Result<(), sqlx::Error> {
    let sql =
        "SELECT idx, entry, digest FROM ledger_entries WHERE log = ?1 AND idx >= ?2 ORDER BY idx LIMIT ?3";
    let mut due = 0;
    while defects.len() < Defect::MOST {
        let rows: Vec<(i64, Vec<u8>, Vec<u8>)> = sqlx::query_as(sql)
            .bind(log.as_str())
            .bind(signed(due))
            .bind(PAGE)
            .fetch_all(&mut *connection)
            .await?;
        if rows.is_empty() {
            break;
        }
        for (index, entry, digest) in rows {
            let index = unsigned(index);
            if index != due {
                defects.push(Defect::Gap { log, from: due, to: index });
            }
            if digest != Digest::of(&entry).0 {
                defects.push(Defect::Digest { log, index });
            }
            due = index + 1;
        }
    }
    Ok(())
}

/// Writes a column or digest anew, inside the writer's transaction.
pub(crate) async fn repair(
    connection: &mut SqliteConnection,
    statements: &Statements,
    defect: &Defect,
) -> Result<Result<(), RepairError>, sqlx::Error> {
    match defect {
        Defect::Column { kind, key, .. } => {
            let fetch = AssertSqlSafe(statements.of(*kind).fetch.clone());
            let row = sqlx::query(fetch).bind(key.as_str()).fetch_optional(&mut *connection).await?;
            let Some(row) = row else { return Ok(Err(RepairError::Gone)) };
            let body: String = row.try_get(2)?;
            let Ok(derived) = derive(*kind, &body) else { return Ok(Err(RepairError::Gone)) };
            if derived.key != *key {
                return Ok(Err(RepairError::Gone));
            }
            let update = sqlx::query(AssertSqlSafe(statements.of(*kind).columns.clone())).bind(key.as_str());
            derived
                .index
                .iter()
                .fold(update, |query, value| query.bind(value.as_deref()))
                .execute(connection)
                .await?;
        }
        Defect::Digest { log, index } => {
            let entry: Option<Vec<u8>> =
                sqlx::query_scalar("SELECT entry FROM ledger_entries WHERE log = ?1 AND idx = ?2")
                    .bind(log.as_str())
                    .bind(signed(*index))
                    .fetch_optional(&mut *connection)
                    .await?;
            let Some(entry) = entry else { return Ok(Err(RepairError::Gone)) };
            sqlx::query("UPDATE ledger_entries SET digest = ?3 WHERE log = ?1 AND idx = ?2")
                .bind(log.as_str())
                .bind(signed(*index))
                .bind(Digest::of(&entry).0.to_vec())
                .execute(connection)
                .await?;
        }
        _ => return Ok(Err(RepairError::NotDerived)),
    }
    Ok(Ok(()))
}

//! The one writer. It takes what waits, up to a limit, into one transaction, and answers all after one flush to disk.

use std::sync::Arc;

use canvass_core::ports::{Changeset, Committed, Expect, Op, StoreError, Write};
use canvass_types::{Digest, leaf::Log};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions,
};
use tokio::sync::{mpsc, oneshot};

use crate::{
    check::{self, Defect, RepairError},
    error::{HeadError, unavailable},
    read::{signed, unsigned},
    statements::Statements,
};

/// Most jobs of one transaction.
const GROUP: usize = 256;
/// Longest body or ledger entry, in bytes.
const LONGEST: usize = 16 << 20;

type Reply<T> = oneshot::Sender<T>;

/// What the writer is asked for.
#[derive(Debug)]
pub(crate) enum Job {
    Commit { changes: Changeset, reply: Reply<Result<Committed, StoreError>> },
    SwapHead { log: Log, expected: Option<String>, new: String, reply: Reply<Result<(), HeadError>> },
    Repair { defect: Defect, reply: Reply<Result<(), RepairError>> },
    Close { reply: Reply<()> },
}

/// An answer that waits for its transaction.
enum Answer {
    Commit(Reply<Result<Committed, StoreError>>, Result<Committed, StoreError>),
    SwapHead(Reply<Result<(), HeadError>>, Result<(), HeadError>),
    Repair(Reply<Result<(), RepairError>>, Result<(), RepairError>),
}

impl Answer {
    /// Sends it, or the failure of the transaction in its place. Whoever asked may have gone.
    fn send(self, failure: Option<&StoreError>) {
        match self {
            Self::Commit(reply, result) => {
                drop(reply.send(failure.map_or(result, |error| Err(error.clone()))));
            }
            Self::SwapHead(reply, result) => {
                drop(reply.send(failure.map_or(result, |error| Err(error.clone().into()))));
            }
            Self::Repair(reply, result) => {
                drop(reply.send(failure.map_or(result, |error| Err(error.clone().into()))));
            }
        }
    }
}

/// The next place of each ledger inside one transaction, once it was read.
#[derive(Debug, Clone, Copy, Default)]
struct Next {
    requests: Option<u64>,
    oversight: Option<u64>,
}

impl Next {
    fn of(&mut self, log: Log) -> &mut Option<u64> {
        match log {
            Log::Requests => &mut self.requests,
            Log::Oversight => &mut self.oversight,
        }
    }
}

/// Why a change was not applied.
enum Stop {
    /// It must not be; all others may go on.
    Refused(StoreError),
    /// SQLite failed, and the transaction with it.
    Failed(sqlx::Error),
}

impl From<sqlx::Error> for Stop {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error)
    }
}

pub(crate) struct Writer {
    connection: Option<SqliteConnection>,
    connect: SqliteConnectOptions,
    statements: Arc<Statements>,
}

impl Writer {
    pub(crate) fn new(
        connection: SqliteConnection,
        connect: SqliteConnectOptions,
        statements: Arc<Statements>,
    ) -> Self {
        Self { connection: Some(connection), connect, statements }
    }

    /// Works until it is told to close or nobody can ask any more.
    pub(crate) async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut group = Vec::with_capacity(GROUP);
        let mut closing = None;
        while closing.is_none() && jobs.recv_many(&mut group, GROUP).await > 0 {
            let mut work = Vec::with_capacity(group.len());
            for job in group.drain(..) {
                match job {
                    Job::Close { reply } => closing = Some(reply),
                    job => work.push(job),
                }
            }
            if !work.is_empty() {
                Box::pin(self.transaction(work)).await;
            }
        }
        // Dropping what still waits tells its callers that the store was closed.
        drop(jobs);
        if let Some(connection) = self.connection.take() {
            let _ = connection.close().await;
        }
        if let Some(reply) = closing {
            let _ = reply.send(());
        }
    }

    async fn transaction(&mut self, jobs: Vec<Job>) {
        let mut answers = Vec::with_capacity(jobs.len());
        let failure = match self.attempt(jobs, &mut answers).await {
            Ok(()) => None,
            Err(error) => {
                self.recover().await;
                Some(unavailable(error))
            }
        };
        for answer in answers {
            answer.send(failure.as_ref());
        }
    }

    /// Applies all jobs. Each has an answer in `answers` afterwards, however it went.
    async fn attempt(&mut self, jobs: Vec<Job>, answers: &mut Vec<Answer>) -> Result<(), sqlx::Error> {
        let mut failure = self.begin().await.err();
        let mut next = Next::default();
        for job in jobs {
            let Some(connection) = self.connection.as_mut().filter(|_| failure.is_none()) else {
                answers.push(unanswered(job));
                continue;
            };
            // Who asked for what failed is told so, as all others of the transaction are.
            answers.push(match job {
                Job::Commit { changes, reply } => {
                    let done = commit(connection, &self.statements, &changes, &mut next).await;
                    Answer::Commit(reply, kept(done, &mut failure))
                }
                Job::SwapHead { log, expected, new, reply } => {
                    let done = swap(connection, log, expected, &new).await;
                    Answer::SwapHead(reply, kept(done, &mut failure))
                }
                Job::Repair { defect, reply } => {
                    let done = check::repair(connection, &self.statements, &defect).await;
                    Answer::Repair(reply, kept(done, &mut failure))
                }
                Job::Close { .. } => continue,
            });
        }
        if let Some(error) = failure {
            return Err(error);
        }
        match self.connection.as_mut() {
            Some(connection) => run(connection, "COMMIT").await,
            None => Err(sqlx::Error::WorkerCrashed),
        }
    }

    async fn begin(&mut self) -> Result<(), sqlx::Error> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect.connect().await?,
        };
        run(self.connection.insert(connection), "BEGIN IMMEDIATE").await
    }

    /// Ends a failed transaction. A connection that can't even do that is replaced before the next one.
    async fn recover(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        // SQLite may have rolled back by itself; then this fails, and a new transaction can still begin.
        let _ = run(&mut connection, "ROLLBACK").await;
        let usable =
            run(&mut connection, "BEGIN").await.is_ok() && run(&mut connection, "ROLLBACK").await.is_ok();
        if usable {
            self.connection = Some(connection);
        } else {
            let _ = connection.close_hard().await;
        }
    }
}

fn failed() -> StoreError {
    StoreError::Unavailable("another change of the same transaction failed".into())
}

/// What was decided of a job, with SQLite's failure put aside: it is that of the whole transaction.
fn kept<T, E: From<StoreError>>(
    done: Result<Result<T, E>, sqlx::Error>,
    failure: &mut Option<sqlx::Error>,
) -> Result<T, E> {
    done.unwrap_or_else(|error| {
        *failure = Some(error);
        Err(failed().into())
    })
}

fn unanswered(job: Job) -> Answer {
    match job {
        Job::Commit { reply, .. } => Answer::Commit(reply, Err(failed())),
        Job::SwapHead { reply, .. } => Answer::SwapHead(reply, Err(failed().into())),
        Job::Repair { reply, .. } => Answer::Repair(reply, Err(failed().into())),
        // It holds no answer of a transaction; `run` keeps such jobs apart.
        Job::Close { reply } => {
            drop(reply);
            let (reply, _) = oneshot::channel();
            Answer::Commit(reply, Err(failed()))
        }
    }
}

async fn run(connection: &mut SqliteConnection, sql: &'static str) -> Result<(), sqlx::Error> {
    sqlx::query(sql).execute(connection).await.map(drop)
}

async fn commit(
    connection: &mut SqliteConnection,
    statements: &Statements,
    changes: &Changeset,
    next: &mut Next,
) -> Result<Result<Committed, StoreError>, sqlx::Error> {
    // One altering part leaves nothing behind when it is refused; only several need a place to go back to.
    let several = changes.writes().iter().filter(|write| write.op != Op::Check).count() > 1;
    if several {
        run(connection, "SAVEPOINT change").await?;
    }
    let before = *next;
    let result = match apply(connection, statements, changes, next).await {
        Ok(committed) => Ok(committed),
        Err(Stop::Failed(error)) => return Err(error),
        Err(Stop::Refused(error)) => {
            *next = before;
            if several {
                run(connection, "ROLLBACK TO change").await?;
            }
            Err(error)
        }
    };
    if several {
        run(connection, "RELEASE change").await?;
    }
    Ok(result)
}

async fn apply(
    connection: &mut SqliteConnection,
    statements: &Statements,
    changes: &Changeset,
    next: &mut Next,
) -> Result<Committed, Stop> {
    fits(changes).map_err(Stop::Refused)?;
    // Checks stand for the state before the change, wherever they are in it.
    for write in changes.writes().iter().filter(|write| write.op == Op::Check) {
        let sql = AssertSqlSafe(statements.of(write.kind).version.clone());
        let found: Option<i64> =
            sqlx::query_scalar(sql).bind(write.key.as_str()).fetch_optional(&mut *connection).await?;
        let met = match write.expect {
            Expect::Absent => found.is_none(),
            Expect::Version(version) => found.is_some_and(|found| unsigned(found) == version),
        };
        if !met {
            return Err(conflict(write));
        }
    }
    for write in changes.writes() {
        alter(connection, statements, write).await?;
    }
    let mut committed = Committed::default();
    for leaf in changes.leaves() {
        let place = match *next.of(leaf.log) {
            Some(place) => place,
            None => size(connection, leaf.log).await?,
        };
        sqlx::query("INSERT INTO ledger_entries (log, idx, entry, digest) VALUES (?1, ?2, ?3, ?4)")
            .bind(leaf.log.as_str())
            .bind(signed(place))
            .bind(leaf.entry.clone())
            .bind(Digest::of(&leaf.entry).0.to_vec())
            .execute(&mut *connection)
            .await?;
        *next.of(leaf.log) = Some(place + 1);
        committed.leaf_indexes.push(place);
    }
    Ok(committed)
}

async fn size(connection: &mut SqliteConnection, log: Log) -> Result<u64, sqlx::Error> {
    let sql = "SELECT coalesce(max(idx) + 1, 0) FROM ledger_entries WHERE log = ?1";
    let size: i64 = sqlx::query_scalar(sql).bind(log.as_str()).fetch_one(connection).await?;
    Ok(unsigned(size))
}

/// Looks at what SQLite would refuse, so that one change can't fail the transaction of others.
fn fits(changes: &Changeset) -> Result<(), StoreError> {
    let too_long = |what: &str| {
        let limit = LONGEST >> 20;
        Err(StoreError::Unavailable(format!("{what} is longer than {limit} MiB, which is not stored")))
    };
    for write in changes.writes() {
        let Op::Put { index, body } = &write.op else { continue };
        if index.len() != write.kind.columns().len() {
            let reason = "a record has not one value for each column".to_owned();
            return Err(StoreError::Corrupt { table: write.kind.table(), reason });
        }
        if body.len() > LONGEST {
            return too_long("a record");
        }
    }
    if changes.leaves().iter().any(|leaf| leaf.entry.len() > LONGEST) {
        return too_long("a ledger entry");
    }
    Ok(())
}

fn conflict(write: &Write) -> Stop {
    Stop::Refused(StoreError::Conflict { table: write.kind.table(), key: write.key.clone() })
}

async fn alter(
    connection: &mut SqliteConnection,
    statements: &Statements,
    write: &Write,
) -> Result<(), Stop> {
    let of = statements.of(write.kind);
    let version = match write.expect {
        Expect::Absent => None,
        // No record has a version beyond what SQLite can count.
        Expect::Version(version) => Some(i64::try_from(version).map_err(|_| conflict(write))?),
    };
    let query = match (&write.op, version) {
        (Op::Check, _) => return Ok(()),
        (Op::Put { index, body }, None) => {
            let insert = sqlx::query(AssertSqlSafe(of.insert.clone())).bind(write.key.as_str());
            index.iter().fold(insert.bind(body.as_str()), |query, value| query.bind(value.as_deref()))
        }
        (Op::Put { index, body }, Some(version)) => {
            let update = sqlx::query(AssertSqlSafe(of.update.clone())).bind(write.key.as_str());
            let update = update.bind(version).bind(body.as_str());
            index.iter().fold(update, |query, value| query.bind(value.as_deref()))
        }
        (Op::Delete, Some(version)) => {
            sqlx::query(AssertSqlSafe(of.delete.clone())).bind(write.key.as_str()).bind(version)
        }
        (Op::Delete, None) => {
            let sql = AssertSqlSafe(of.version.clone());
            let found: Option<i64> =
                sqlx::query_scalar(sql).bind(write.key.as_str()).fetch_optional(&mut *connection).await?;
            return if found.is_some() { Err(conflict(write)) } else { Ok(()) };
        }
    };
    if query.execute(&mut *connection).await?.rows_affected() == 1 { Ok(()) } else { Err(conflict(write)) }
}

async fn swap(
    connection: &mut SqliteConnection,
    log: Log,
    expected: Option<String>,
    new: &str,
) -> Result<Result<(), HeadError>, sqlx::Error> {
    let found: Option<String> = sqlx::query_scalar("SELECT head FROM ledger_heads WHERE log = ?1")
        .bind(log.as_str())
        .fetch_optional(&mut *connection)
        .await?;
    if found != expected {
        return Ok(Err(HeadError::Lost { found }));
    }
    sqlx::query(
        "INSERT INTO ledger_heads (log, head) VALUES (?1, ?2) ON CONFLICT (log) DO UPDATE SET head = ?2",
    )
    .bind(log.as_str())
    .bind(new)
    .execute(connection)
    .await?;
    Ok(Ok(()))
}

//! Records on SQLite: the embedded default, one file beside the executable.
//!
//! One connection writes, in groups: what arrives while a transaction is being flushed to disk shares the next one, so
//! that many committers pay for one `fsync`. A small pool reads. The file is open to its owner alone.

mod check;
mod error;
mod files;
mod heads;
mod read;
mod schema;
mod statements;
mod writer;

use std::{path::Path, sync::Arc, time::Duration};

use canvass_core::ports::StoreError;
use canvass_types::leaf::Log;
use sqlx::{
    ConnectOptions as _, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::{mpsc, oneshot};

pub use check::{Defect, RepairError};
pub use error::{BackupError, HeadError, OpenError};
pub use heads::SqliteHeads;

use statements::Statements;
use writer::{Job, Writer};

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long to wait for another process that holds the file, before [`StoreError::Unavailable`].
    pub busy_timeout: Duration,
    /// How many connections read at the same time; at least 1.
    pub readers: u32,
    /// How many changes may wait for the writer; further committers wait for a place.
    pub queue: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { busy_timeout: Duration::from_secs(10), readers: 4, queue: 1_024 }
    }
}

/// A store of records in one SQLite file. Clones share it; when the last is dropped, the file is closed.
#[derive(Debug, Clone)]
pub struct SqliteRecords {
    pool: SqlitePool,
    writer: mpsc::Sender<Job>,
    statements: Arc<Statements>,
    connect: SqliteConnectOptions,
}

impl SqliteRecords {
    /// Opens the file, makes it where it is missing, and brings its schema up to date.
    ///
    /// Must be called inside a Tokio runtime, which then runs the writer.
    ///
    /// # Errors
    /// When the file can't be made or opened, is no store of Canvass, or was written by a newer version.
    pub async fn open(path: impl AsRef<Path>, options: Options) -> Result<Self, OpenError> {
        let path = path.as_ref();
        files::prepare(path).await.map_err(|source| OpenError::File { path: path.to_owned(), source })?;
        let connect = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(options.busy_timeout)
            // What is deleted is overwritten, for a page that is free may stay in the file for years.
            .pragma("secure_delete", "ON")
            .statement_cache_capacity(256)
            .disable_statement_logging();
        let mut connection = connect.connect().await?;
        schema::migrate(&mut connection, schema::MIGRATIONS).await?;
        let pool = SqlitePoolOptions::new()
            .max_connections(options.readers.max(1))
            .acquire_timeout(options.busy_timeout.max(Duration::from_secs(1)))
            .connect_with(connect.clone().pragma("query_only", "ON"))
            .await?;
        let statements = Arc::new(Statements::new());
        let (writer, jobs) = mpsc::channel(options.queue.max(1));
        let actor = Writer::new(connection, connect.clone(), Arc::clone(&statements));
        tokio::spawn(actor.run(jobs));
        Ok(Self { pool, writer, statements, connect })
    }

    /// Waits for all changes that were handed in, and closes the file. Later calls answer
    /// [`StoreError::Unavailable`].
    pub async fn close(&self) {
        self.pool.close().await;
        let (reply, answer) = oneshot::channel();
        if self.writer.send(Job::Close { reply }).await.is_ok() {
            let _ = answer.await;
        }
    }

    /// The signed head of a ledger, if it has begun.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn head(&self, log: Log) -> Result<Option<String>, StoreError> {
        sqlx::query_scalar("SELECT head FROM ledger_heads WHERE log = ?1")
            .bind(log.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(error::unavailable)
    }

    /// Replaces the head of a ledger, durably, if it is exactly `expected`; `None` for a ledger that has not begun.
    ///
    /// # Errors
    /// [`HeadError::Lost`] when it is another one; then nothing is stored.
    pub async fn swap_head(&self, log: Log, expected: Option<&str>, new: &str) -> Result<(), HeadError> {
        let (reply, answer) = oneshot::channel();
        let (expected, new) = (expected.map(str::to_owned), new.to_owned());
        self.send(Job::SwapHead { log, expected, new, reply }).await?;
        answer.await.map_err(|_| error::closed())?
    }

    /// Writes a copy of the whole store, as it is at one moment, to a file that must not exist yet. Changes go on
    /// meanwhile. The copy is open to its owner alone and durable when this returns.
    ///
    /// # Errors
    /// When the file exists or can't be written; what was written of it is removed.
    pub async fn backup_to(&self, path: impl AsRef<Path>) -> Result<(), BackupError> {
        files::backup(&self.connect, path.as_ref()).await
    }

    /// Reads everything and lists what is wrong, at most [`Defect::MOST`]: damage of the file, bodies that are no
    /// record of their kind, columns that disagree with their body, gaps and wrong digests in the ledgers.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn check(&self) -> Result<Vec<Defect>, StoreError> {
        check::check(&self.pool, &self.statements).await
    }

    /// Writes anew what can be derived: columns from their body, digests from their entry. It never touches a body,
    /// an entry or a version.
    ///
    /// # Errors
    /// When the defect is of another sort, or the store does not answer.
    pub async fn repair(&self, defect: &Defect) -> Result<(), RepairError> {
        if !defect.is_derived() {
            return Err(RepairError::NotDerived);
        }
        let (reply, answer) = oneshot::channel();
        self.send(Job::Repair { defect: defect.clone(), reply }).await?;
        answer.await.map_err(|_| error::closed())?
    }

    async fn send(&self, job: Job) -> Result<(), StoreError> {
        self.writer.send(job).await.map_err(|_| error::closed())
    }
}

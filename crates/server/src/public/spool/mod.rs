//! The write-only spool: where sealed uploads and messages wait until intake (in the private role) takes them.
//!
//! Everything it knows is in files, so that a restart, or a power cut, loses nothing that was acknowledged:
//!
//! ```text
//! open/<id>/{info.json,data,expires,checking}   uploads still arriving; the offset is the length of `data`
//! done/<id>/{info.json,data}                    complete uploads, moved here by one rename
//! messages/<id>.json                            answers and withdrawals, each written whole by rename
//! wishes/<id>                                   sealed wishes for notices, each written whole by rename
//! tmp/                                          half-written folders and files, emptied at start
//! lock                                          held by the one process that writes
//! ```

mod disk;
mod id;
mod messages;
mod uploads;
mod wishes;
mod writer;

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use canvass_types::{Clock, Entropy};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

pub use self::id::UploadId;
pub(super) use self::messages::MAX_MESSAGE;
pub use self::messages::{Message, MessageKind, WaitingMessage};
pub use self::wishes::WaitingWish;
pub use self::writer::{Algorithm, Outcome, Writer};

/// Bytes gathered before they are written.
pub const WRITE_UNIT: usize = 1 << 20;

/// Where the spool is and how much it may hold.
pub struct SpoolConfig {
    /// The folder; made when absent, with mode 0700.
    pub root: PathBuf,
    /// Uploads that may be open at the same time.
    pub max_open_uploads: usize,
    /// Bytes that open and finished uploads may fill together.
    pub max_bytes: u64,
    /// Messages that may wait in all.
    pub max_messages: usize,
    /// Messages that may wait for one offer.
    pub max_messages_per_lookup: usize,
    /// The time now, for expiry.
    pub clock: Arc<dyn Clock>,
    /// Where ids come from: they must not be guessable.
    pub entropy: Arc<dyn Entropy>,
}

impl SpoolConfig {
    /// The defaults: 1,000 open uploads, 10,000 messages, 100 of them for one offer; as many bytes as `max_bytes`.
    #[must_use]
    pub fn new(
        root: impl Into<PathBuf>,
        max_bytes: u64,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            root: root.into(),
            max_open_uploads: 1_000,
            max_bytes,
            max_messages: 10_000,
            max_messages_per_lookup: 100,
            clock,
            entropy,
        }
    }
}

/// What the client said of an upload, beside its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadInfo {
    /// Bytes announced.
    pub length: u64,
    /// The client's metadata, decoded.
    pub metadata: BTreeMap<String, String>,
    /// What the admission noted, such as the Member who uploads; empty in the public role.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub notes: BTreeMap<String, String>,
    /// When the upload was created.
    pub created: Timestamp,
    /// Seconds without any arriving byte after which an unfinished upload expires.
    pub expires_after: u32,
}

/// An upload that waits for intake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoneUpload {
    /// Its id.
    pub id: UploadId,
    /// What the client said of it.
    pub info: UploadInfo,
    /// The file with its bytes: intake may read it, or move it away before [`Spool::take`].
    pub path: PathBuf,
}

/// Where an upload stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Bytes held durably.
    pub offset: u64,
    /// Bytes announced.
    pub length: u64,
    /// When it expires unless more arrives; absent once it is complete.
    pub expires: Option<Timestamp>,
    /// The client's metadata, as it was sent.
    pub metadata: BTreeMap<String, String>,
}

/// Why the spool refused, or could not do, something.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// Another process writes to this spool.
    #[error("another process holds the spool's lock; stop it, or give this one a folder of its own")]
    InUse,
    /// No such upload or message, or no longer.
    #[error("no such upload; start a new one")]
    Unknown,
    /// The upload expired before it was complete.
    #[error("the upload expired; start a new one")]
    Expired,
    /// Somebody else writes to this upload at this moment.
    #[error("another request is writing to this upload; ask for its offset again in a few seconds")]
    Busy,
    /// As many uploads are open as may be.
    #[error("{0} uploads are open already; try again later")]
    TooManyOpen(usize),
    /// The spool's limit of bytes is reached.
    #[error("the spool holds its limit of {0} bytes; try again after intake has taken some")]
    Full(u64),
    /// As many messages wait as may.
    #[error("{0} messages wait already; try again later")]
    TooManyMessages(usize),
    /// As many messages wait for this offer as may.
    #[error("{0} messages of this offer wait already; wait until they have been read")]
    TooManyForLookup(usize),
    /// The disk has no room left.
    #[error("the disk is full; the operator must free space under the spool folder")]
    DiskFull,
    /// A file in the spool is not what it should be.
    #[error("{file} in the spool is damaged: {why}; move its folder away and look at it by hand")]
    Damaged {
        /// The file's name inside its folder.
        file: &'static str,
        /// What is wrong.
        why: String,
    },
    /// The file system failed otherwise.
    #[error("{what} in the spool failed: {source}; check the folder's rights and the disk")]
    Io {
        /// What was tried.
        what: &'static str,
        /// The system's answer.
        source: io::Error,
    },
}

impl SpoolError {
    /// Says where, never what: the text of a parser's error can hold what a resident wrote.
    fn damaged(file: &'static str, error: &serde_json::Error) -> Self {
        Self::Damaged {
            file,
            why: format!("not as expected at line {} column {}", error.line(), error.column()),
        }
    }

    fn io(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            io::ErrorKind::NotFound => Self::Unknown,
            _ => Self::Io { what, source },
        }
    }
}

/// One claim on an upload: nobody else writes to it while it stands.
struct Claim {
    cancel: Arc<Notify>,
    active: Arc<AtomicI64>,
}

struct Inner {
    config: SpoolConfig,
    claims: Mutex<HashMap<UploadId, Claim>>,
    waiting: Mutex<messages::Waiting>,
    open: AtomicUsize,
    bytes: AtomicU64,
    /// Held while this process writes; the system lets it go when the process dies.
    _lock: Option<File>,
}

/// The spool. Clones share one state. One process writes ([`Spool::open`]); others take and drop ([`Spool::attach`]).
#[derive(Clone)]
pub struct Spool {
    inner: Arc<Inner>,
}

impl Spool {
    /// Opens the spool for writing: makes what is missing, clears half-written files and moves uploads that were
    /// complete when the last process died to `done`.
    ///
    /// # Errors
    /// Another process writes to it, or the folders can't be made or read.
    pub fn open(config: SpoolConfig) -> Result<Self, SpoolError> {
        disk::make_folder(&config.root).map_err(SpoolError::io("making the folder"))?;
        let lock = disk::lock(&config.root.join("lock")).map_err(SpoolError::io("locking the folder"))?;
        let lock = lock.ok_or(SpoolError::InUse)?;
        let tmp = config.root.join("tmp");
        if tmp.exists() {
            std::fs::remove_dir_all(&tmp).map_err(SpoolError::io("emptying tmp"))?;
        }
        for name in ["tmp", "open", "done", "messages", "wishes"] {
            disk::make_folder(&config.root.join(name)).map_err(SpoolError::io("making a folder"))?;
        }
        disk::sync_folder(&config.root).map_err(SpoolError::io("syncing the folder"))?;
        let spool = Self::over(config, Some(lock));
        spool.finish_complete()?;
        spool.recount()?;
        spool.refresh_messages()?;
        Ok(spool)
    }

    /// Looks into a spool that another process writes, for intake: [`Spool::done`], [`Spool::take`],
    /// [`Spool::messages`] and [`Spool::drop_message`]. Uploads must not be written through it.
    #[must_use]
    pub fn attach(config: SpoolConfig) -> Self {
        Self::over(config, None)
    }

    fn over(config: SpoolConfig, lock: Option<File>) -> Self {
        Self {
            inner: Arc::new(Inner {
                config,
                claims: Mutex::default(),
                waiting: Mutex::default(),
                open: AtomicUsize::new(0),
                bytes: AtomicU64::new(0),
                _lock: lock,
            }),
        }
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.inner.config.root.join(name)
    }

    fn upload_folder(&self, state: &str, id: &UploadId) -> PathBuf {
        self.folder(state).join(id.as_str())
    }

    fn now(&self) -> Timestamp {
        self.inner.config.clock.now()
    }

    fn claims(&self) -> MutexGuard<'_, HashMap<UploadId, Claim>> {
        self.inner.claims.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether anything is being written at this moment.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.claims().is_empty()
    }
}

/// Ids of a folder's entries, at most `limit` of them.
fn list(folder: &Path, limit: usize) -> Result<Vec<(UploadId, std::fs::DirEntry)>, SpoolError> {
    let entries = std::fs::read_dir(folder).map_err(SpoolError::io("listing a folder"))?;
    Ok(entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let name = entry.file_name();
            let name = name.to_str()?;
            Some((UploadId::parse(name.strip_suffix(".json").unwrap_or(name))?, entry))
        })
        .take(limit)
        .collect())
}

#[cfg(test)]
mod tests;

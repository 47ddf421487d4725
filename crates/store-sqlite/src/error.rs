//! Why the store did not do what it was asked. No message holds a record's body, key or an entry.

use std::path::PathBuf;

use canvass_core::ports::StoreError;

/// Why a store was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file can't be made, or not be kept from other users.
    #[error("{path}: the store's file can't be made ready ({source}); look at the folder and its owner")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is a database of something else.
    #[error("this database was not made by Canvass; name another file")]
    Foreign,
    /// A newer Canvass wrote the file.
    #[error(
        "the store has schema {found}, this Canvass knows up to {known}; run the newer version again, or restore a backup"
    )]
    Newer {
        /// Number of the file's last migration.
        found: i64,
        /// Number of the last migration known here.
        known: i64,
    },
    /// A migration failed; the store is as it was before it.
    #[error("migration {number} failed ({reason}); the store is unchanged: keep a copy and report it")]
    Migration {
        /// Its number.
        number: i64,
        /// What SQLite said.
        reason: String,
    },
    /// SQLite can't open it.
    #[error("the store can't be opened ({0}); look at the disk, then run `canvass check`")]
    Database(#[from] sqlx::Error),
}

/// Why a head was not swapped.
#[derive(Debug, thiserror::Error)]
pub enum HeadError {
    /// Another writer was first; nothing was stored.
    #[error("the head was moved by another writer: load it and try again")]
    Lost {
        /// The head as it is.
        found: Option<String>,
    },
    /// The store failed; the head may or may not have moved.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why no backup was written.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The target can't be made; a file that exists is never overwritten.
    #[error("{path}: the backup can't be written there ({source}); name a new file in a folder with space")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// SQLite can't copy.
    #[error("the backup failed ({0}); nothing is left of it: look at the disk and try again")]
    Database(#[from] sqlx::Error),
}

/// SQLite's `SQLITE_FULL`, <https://www.sqlite.org/rescode.html#full>.
const SQLITE_FULL: i32 = 13;

pub(crate) fn unavailable(error: sqlx::Error) -> StoreError {
    let code = error.as_database_error().and_then(|error| error.code());
    match code.and_then(|code| code.parse::<i32>().ok()) {
        // The lower byte is the code, what is above it tells more.
        Some(code) if code & 0xff == SQLITE_FULL => StoreError::Full,
        _ => StoreError::Unavailable(error.to_string()),
    }
}

pub(crate) fn closed() -> StoreError {
    StoreError::Unavailable("it was closed".into())
}

//! Why bytes were not stored or given.

use std::path::PathBuf;

/// Why a blob was not stored, given or removed.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The bytes are not those that were stored. Nothing that follows may be used.
    #[error(
        "blob {key}: the bytes are not those that were sealed; hold the offer and restore the blob from a backup"
    )]
    Integrity {
        /// Which blob.
        key: String,
    },
    /// There is no such blob.
    #[error("blob {key} is not there; it was destroyed, or the folder of blobs is another one")]
    Missing {
        /// Which blob.
        key: String,
    },
    /// Another blob has this key already.
    #[error("blob {key}: other bytes stand under this key; run `canvass check`")]
    Taken {
        /// Which blob.
        key: String,
    },
    /// The text is no key of a blob.
    #[error(
        "not a blob's key: `blobs/`, two and 64 hexadecimal digits, a hyphen, and an id of a-z, 0-9 and _"
    )]
    Key,
    /// The grant is for something that has no sealed bytes any more.
    #[error("the grant names no sealed bytes: they were destroyed")]
    Nothing,
    /// The range is empty or goes beyond the end.
    #[error("bytes {start} to {end} are asked for, and the blob has {bytes}; ask for a range inside it")]
    Range {
        /// First byte.
        start: u64,
        /// Behind the last byte.
        end: u64,
        /// How many there are.
        bytes: u64,
    },
    /// A local file can't be read or written.
    #[error(
        "{path}: can't be read or written ({source}); look at the disk, its space and the folder's owner"
    )]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The store does not answer, or not well.
    #[error("the store of blobs does not answer ({0}); look at the store, then try again")]
    Store(#[from] object_store::Error),
}

impl BlobError {
    pub(crate) fn file(path: &std::path::Path, source: std::io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }

    /// A failure of the store, with the one that callers decide by told apart.
    pub(crate) fn of(key: &str, error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::Missing { key: key.to_owned() },
            error => Self::Store(error),
        }
    }
}

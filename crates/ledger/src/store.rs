//! The whole storage of a log: immutable objects, and one head that is compared and swapped.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Why storage failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The path already holds other bytes. Objects never change.
    #[error("object {path} already holds other bytes: run `check`, two logs may share one store")]
    Changed {
        /// Path of the object.
        path: String,
    },
    /// The store did not answer, or not well. The write may or may not have happened.
    #[error("object {path} could not be read or written ({source}): check the store, then try again")]
    Failed {
        /// Path of the object, or `checkpoint` for the head.
        path: String,
        /// What the store said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl StoreError {
    /// A failure at a path.
    pub fn failed(path: &str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Failed { path: path.to_owned(), source: source.into() }
    }
}

/// Why the head was not swapped.
#[derive(Debug, thiserror::Error)]
pub enum SwapError {
    /// Another writer was first; nothing was written.
    #[error("the head was moved by another writer: load it and try again")]
    Lost {
        /// The head as it is.
        found: Option<String>,
    },
    /// The store failed; the head may or may not have moved.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Immutable objects by path.
///
/// `put` must be atomic, and must create: of two writers with different bytes one gets [`StoreError::Changed`]. An
/// object that `put` reported as written survives a crash.
pub trait TileStore: Send + Sync {
    /// Writes an object; writing the same bytes again is fine.
    fn put(&self, path: &str, bytes: Vec<u8>) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Reads an object.
    fn get(&self, path: &str) -> impl Future<Output = Result<Option<Vec<u8>>, StoreError>> + Send;
}

/// The one mutable thing: the signed checkpoint of one log.
pub trait HeadStore: Send + Sync {
    /// The head, if the log has begun.
    fn load(&self) -> impl Future<Output = Result<Option<String>, StoreError>> + Send;
    /// Replaces the head if it is exactly `expected`, durably and atomically.
    fn swap(&self, expected: Option<&str>, new: &str) -> impl Future<Output = Result<(), SwapError>> + Send;
}

/// What an auditor reads: the public files of a log, over HTTP, from a folder or from stores.
///
/// An implementation over a network must stop reading a file at [`crate::tile::MAX_BUNDLE`] bytes.
/// Paths are those of tlog-tiles: `checkpoint`, `tile/<L>/<N>[.p/<W>]`, `tile/entries/<N>[.p/<W>]`.
pub trait TileSource: Send + Sync {
    /// Reads a file; `None` where it does not exist.
    fn read(&self, path: &str) -> impl Future<Output = Result<Option<Vec<u8>>, StoreError>> + Send;
}

/// The stores of a log, read as its public would.
#[derive(Debug, Clone, Copy)]
pub struct Stored<'a, T, H> {
    /// Its objects.
    pub tiles: &'a T,
    /// Its head.
    pub heads: &'a H,
}

impl<T: TileStore, H: HeadStore> TileSource for Stored<'_, T, H> {
    async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        if path == "checkpoint" {
            return Ok(self.heads.load().await?.map(String::into_bytes));
        }
        self.tiles.get(path).await
    }
}

impl<T: TileStore> TileStore for Arc<T> {
    fn put(&self, path: &str, bytes: Vec<u8>) -> impl Future<Output = Result<(), StoreError>> + Send {
        (**self).put(path, bytes)
    }

    fn get(&self, path: &str) -> impl Future<Output = Result<Option<Vec<u8>>, StoreError>> + Send {
        (**self).get(path)
    }
}

impl<H: HeadStore> HeadStore for Arc<H> {
    fn load(&self) -> impl Future<Output = Result<Option<String>, StoreError>> + Send {
        (**self).load()
    }

    fn swap(&self, expected: Option<&str>, new: &str) -> impl Future<Output = Result<(), SwapError>> + Send {
        (**self).swap(expected, new)
    }
}

/// Both stores in memory, for tests and simulation.
#[derive(Debug, Default)]
pub struct MemStore {
    state: Mutex<MemState>,
}

#[derive(Debug, Default, Clone)]
struct MemState {
    objects: BTreeMap<String, Vec<u8>>,
    head: Option<String>,
}

impl MemStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, MemState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy as it is now.
    #[must_use]
    pub fn snapshot(&self) -> Self {
        Self { state: Mutex::new(self.state().clone()) }
    }

    /// Paths of all objects, in order.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        self.state().objects.keys().cloned().collect()
    }

    /// What no honest store does: replaces or removes an object.
    pub fn tamper(&self, path: &str, bytes: Option<Vec<u8>>) {
        let mut state = self.state();
        match bytes {
            Some(bytes) => state.objects.insert(path.to_owned(), bytes),
            None => state.objects.remove(path),
        };
    }

    /// What no honest store does: replaces the head unasked.
    pub fn tamper_head(&self, head: Option<String>) {
        self.state().head = head;
    }
}

impl TileStore for MemStore {
    async fn put(&self, path: &str, bytes: Vec<u8>) -> Result<(), StoreError> {
        let mut state = self.state();
        match state.objects.get(path) {
            Some(found) if *found != bytes => Err(StoreError::Changed { path: path.to_owned() }),
            Some(_) => Ok(()),
            None => {
                state.objects.insert(path.to_owned(), bytes);
                Ok(())
            }
        }
    }

    async fn get(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.state().objects.get(path).cloned())
    }
}

impl HeadStore for MemStore {
    async fn load(&self) -> Result<Option<String>, StoreError> {
        Ok(self.state().head.clone())
    }

    async fn swap(&self, expected: Option<&str>, new: &str) -> Result<(), SwapError> {
        let mut state = self.state();
        if state.head.as_deref() != expected {
            return Err(SwapError::Lost { found: state.head.clone() });
        }
        state.head = Some(new.to_owned());
        Ok(())
    }
}

impl TileSource for MemStore {
    async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Stored { tiles: self, heads: self }.read(path).await
    }
}

//! The head of one ledger, as the log writes it.

use canvass_ledger::store::{HeadStore, StoreError, SwapError};
use canvass_types::leaf::Log;

use crate::{HeadError, SqliteRecords};

/// The head of one ledger in the store of records, apart from the tiles.
#[derive(Debug, Clone)]
pub struct SqliteHeads {
    /// The store.
    pub records: SqliteRecords,
    /// Which ledger.
    pub log: Log,
}

const PATH: &str = "checkpoint";

impl HeadStore for SqliteHeads {
    async fn load(&self) -> Result<Option<String>, StoreError> {
        self.records.head(self.log).await.map_err(|error| StoreError::failed(PATH, error))
    }

    async fn swap(&self, expected: Option<&str>, new: &str) -> Result<(), SwapError> {
        match self.records.swap_head(self.log, expected, new).await {
            Ok(()) => Ok(()),
            Err(HeadError::Lost { found }) => Err(SwapError::Lost { found }),
            Err(HeadError::Store(error)) => Err(StoreError::failed(PATH, error).into()),
        }
    }
}

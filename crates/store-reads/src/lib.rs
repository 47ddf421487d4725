//! Plate reads in segments of our own: a fsynced log, then for each slice of time sealed files with the
//! plates from either end and columns. A slice is erased by destroying its key.
//!
//! `docs/ref/reads.md` describes the files, ADR 19 why they are ours.

mod append;
mod cache;
mod crypt;
mod disk;
mod keys;
mod log;
mod mem;
mod open;
mod pack;
mod pictures;
mod row;
mod search;
mod segment;
mod snapshot;
mod state;
mod store;
mod tolerant;
mod upkeep;

#[cfg(feature = "baseline")]
mod baseline;

#[cfg(feature = "baseline")]
pub use baseline::SqliteSlices;
pub use crypt::RootKey;
pub use snapshot::snapshot;
pub use store::{Options, SegmentStore};

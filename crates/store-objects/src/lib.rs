//! Bytes that are no records: sealed evidence, and the ledgers' public tiles. Local disk now; sealed bytes stand on
//! `object_store`, so that the same struct serves a bucket later.
//!
//! Evidence is read with a [`canvass_core::access::Grant`] and in no other way: reading without one does not compile.

mod adopt;
mod blobs;
mod disk;
mod error;
mod key;
mod stream;
mod tiles;

pub use blobs::{BlobStat, Blobs};
pub use error::BlobError;
pub use stream::{BlobStream, WITHHELD};
pub use tiles::Tiles;

#[cfg(test)]
mod tests;

//! Bytes that are no records: sealed evidence, and the ledgers' public tiles. Local disk now; sealed bytes stand on
//! `object_store`, so that the same struct serves a bucket later.
//!
//! Evidence is read with a [`canvass_core::access::Grant`] and in no other way: reading without one does not compile:
//!
//! ```compile_fail
//! # async fn it(blobs: canvass_store_objects::Blobs, blob: canvass_core::records::SealedBlob) {
//! let bytes = blobs.read_sealed(&blob, None, false).await;
//! # }
//! ```
//!
//! and neither does a grant for something else:
//!
//! ```compile_fail
//! # async fn it(blobs: canvass_store_objects::Blobs, grant: canvass_core::access::Grant<canvass_core::access::AgencyRead>) {
//! let bytes = blobs.read(&grant, None, false).await;
//! # }
//! ```
//!
//! while this does:
//!
//! ```
//! # async fn it(blobs: canvass_store_objects::Blobs, grant: canvass_core::access::Grant<canvass_core::access::ItemRead>) {
//! let bytes = blobs.read(&grant, None, false).await;
//! # }
//! ```

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
mod full;
#[cfg(test)]
mod tests;

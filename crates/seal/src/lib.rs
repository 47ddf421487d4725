//! Sealed envelopes: a `BagIt` 1.0 bag (RFC 8493) in tar, encrypted with age v1 to the one agency that asked, and the
//! small things around it: recipient groups, the resident's offer secret, receipts.
//!
//! Absences: this crate holds no key that opens (every identity is passed in), reads no clock, and does no I/O but
//! through the `Read` and `Write` of its caller. Paths on disk are touched in [`disk`] alone.
//!
//! The one source of chance that isn't passed in is inside the age crate, which draws its file keys from the operating
//! system and offers no other way.

pub mod bag;
pub mod crypt;
pub mod disk;
pub mod envelope;
pub mod group;
pub mod names;
pub mod offer;
pub mod receipt;

mod jcs;
mod pipe;

pub use crypt::{Identity, Recipient};

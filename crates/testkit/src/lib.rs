//! What tests of other crates stand on: a clock and chance that they move themselves, a store in memory, and the
//! conformance suites that hold every driver to the same laws. Only ever a dev-dependency.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the whole crate is test code: a broken law ends the test with its words"
)]

pub mod authenticator;
pub mod camera;
pub mod conformance;
pub mod drawn;
pub mod env;
pub mod faults;
mod films;
pub mod memory;
pub mod samples;

pub use authenticator::Authenticator;
pub use env::{ManualClock, SeededEntropy};
pub use films::ffmpeg;
pub use memory::MemRecords;

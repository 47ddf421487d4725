//! The receiving half of the domain on a store in memory: from a finished upload to a bundle for court, or to nothing.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "test code: a broken law ends the test"
)]

mod copies;
mod holds;
mod intake;
mod life;
mod operators;
mod oversight;
mod rows;
mod rules;
mod seen;
mod world;

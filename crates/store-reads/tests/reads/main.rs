//! Tests of the store of reads as others see it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the whole crate is test code: a broken law ends the test with its words"
)]

mod damaged;
mod erased;
mod full;
mod killed;
mod laws;
mod snapshot;
mod support;

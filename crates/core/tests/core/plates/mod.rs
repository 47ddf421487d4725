//! Plates in the domain: reads come in, are searched with a purpose under each owner's law, and are forgotten on time.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the whole crate is test code: a broken law ends the test with its words"
)]

mod approvals;
mod feed;
mod footage;
mod forget;
mod hotlists;
mod keep;
mod owners;
mod safelist;
mod search;
mod together;
mod told;
mod world;

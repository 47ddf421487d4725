//! The public role over real sockets: malformed uploads, stock clients, crashes, and what is never written down.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking"
)]

mod clients;
mod crash;
mod limits;
mod messages;
mod notices;
mod pages;
mod silence;
mod support;
mod vectors;

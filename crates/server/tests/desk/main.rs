//! The private role in process: a real server on this machine's own address, and a client that speaks HTTP to it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests and their helpers"
)]

mod asked;
mod authorization;
mod crash;
mod documents;
mod footage;
mod hotlists;
mod integrity;
mod jobs;
mod life;
mod makers;
mod pages;
mod plates;
mod readers;
mod sharing;
mod signin;
mod stock;
mod stopping;
mod support;
mod suspended;
mod texts;
mod told;
mod upkeep;
mod work;

//! Ids, places, times and wire structs that every other crate names. No I/O.

pub mod env;

pub use env::{Clock, Entropy};

//! The laws of storage. A driver runs them over stores of its own making; what breaks one fails its test.

pub mod blobs;
pub mod model;
pub mod records;
pub mod tiles;

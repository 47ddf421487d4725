//! Plates and their reads: normalised text, what a reader confuses, formats, patterns, hotlists, and the seam behind
//! which reads are stored.
//!
//! No I/O and no clock. [`ReadStore`] has drivers in other crates; [`Oracle`] is the naive one that they are compared
//! with. No `Debug` of this crate shows a plate, so that no log does.

pub mod confusables;
pub mod formats;
pub mod hotlist;
mod oracle;
mod pattern;
mod query;
mod read;
mod store;
mod text;
pub mod together;
mod vehicle;

pub use oracle::Oracle;
pub use pattern::{
    Compared, Difference, Limits, MatchLabel, PatternError, PlatePattern, Token, Wildcard, compare,
};
pub use query::{Cursor, DEFAULT_CONFIDENCE, Match, Page, QueryError, ReadQuery, ReadTest};
pub use read::{Confidence, Read, ReadError, ReadId, Short};
pub use store::{
    Appended, ClassName, Damage, ErasedSlice, Kept, MOST_PICTURE, Pictures, ReadStore, RetentionClass,
    SliceName, Stats, StoreError, check_pictures,
};
pub use text::{MOST_CHARACTERS, MOST_RAW, PlateError, PlateText, Region};
pub use vehicle::{Brand, Colour, Direction, VehicleType};

//! Segments: the rows of one slice, sorted by plate, in sealed blocks. `docs/ref/reads.md` describes the file.

mod format;
mod near;
mod order;
mod reader;
mod scan;
mod writer;

pub(crate) use format::{Kind, MOST_ROWS, ROWS, TIMES, take_plate};
pub(crate) use near::{Near, joined};
pub(crate) use order::{Sorted, Span};
pub(crate) use reader::{Group, RowBlock, Segment, slice_number};
pub(crate) use scan::merge;
pub(crate) use writer::write;

/// Blocks that are read with one access where many are wanted.
pub(crate) const BLOCKS_AHEAD: usize = 32;

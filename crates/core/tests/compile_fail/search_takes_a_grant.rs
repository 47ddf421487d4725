//! Stored reads can't be searched with a question alone, nor with leave for something else.
use canvass_core::{
    access::{Grant, ItemRead, PlateSearch},
    plates::Reads,
};
use canvass_plates::ReadQuery;

fn question(reads: &Reads, query: ReadQuery) {
    let _ = reads.search(query);
}

fn other(reads: &Reads, grant: Grant<ItemRead>) {
    let _ = reads.search(grant);
}

fn bare(reads: &Reads, grant: Grant<PlateSearch>) {
    let _ = reads.search(grant);
}

fn main() {}

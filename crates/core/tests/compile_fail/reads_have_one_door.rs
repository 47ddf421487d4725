//! The store of reads can't be reached around its door.
use canvass_core::plates::Reads;

fn around(reads: Reads) {
    let _ = reads.0;
}

fn main() {}

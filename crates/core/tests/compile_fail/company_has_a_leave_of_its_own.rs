//! Leave to look for company is no leave for a plain search, and neither is made of the other.
use canvass_core::{
    access::PlateConvoy,
    plates::{Granted, GrantedConvoy, GrantedPlaces, Reads},
};

fn plain(reads: &Reads, granted: Granted<PlateConvoy>) {
    let _ = reads.search(granted);
}

fn bare(reads: &Reads, granted: Granted<PlateConvoy>) {
    let _ = reads.convoy(granted);
}

fn other(reads: &Reads, granted: GrantedPlaces) {
    let _ = reads.convoy(granted);
}

fn by_hand(granted: Granted<PlateConvoy>) -> GrantedConvoy {
    GrantedConvoy { granted }
}

fn main() {}

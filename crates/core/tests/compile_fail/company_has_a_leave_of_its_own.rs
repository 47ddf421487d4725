//! Company is looked for with leave for company alone, which nobody makes by hand.
use canvass_core::{
    access::PlateConvoy,
    plates::{Granted, GrantedConvoy, GrantedPlaces, Reads},
};

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

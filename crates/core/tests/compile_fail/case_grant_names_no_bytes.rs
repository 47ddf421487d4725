//! Only grants that read evidence name sealed bytes.
use canvass_core::access::{CaseExport, Grant};

fn bytes(grant: &Grant<CaseExport>) {
    let _ = grant.blob();
}

fn main() {}

//! Leave to see a case is no leave to read its items.
use canvass_core::access::{CaseRead, Grant, ItemRead};

fn read(_: &Grant<ItemRead>) {}

fn other(grant: &Grant<CaseRead>) {
    read(grant);
}

fn main() {}

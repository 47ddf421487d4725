//! A grant is for once: it can't be cloned.
use canvass_core::access::{Grant, ItemRead};

fn again(grant: &Grant<ItemRead>) -> Grant<ItemRead> {
    grant.clone()
}

fn main() {}

//! A grant can't be made by hand, nor from nothing.
use canvass_core::access::{Grant, ItemRead};

fn main() {
    let _: Grant<ItemRead> = Grant { record: todo!(), blob: None, committed: todo!(), action: todo!() };
}

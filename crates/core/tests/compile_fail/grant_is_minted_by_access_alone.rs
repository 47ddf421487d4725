//! A grant can't be made by hand.
use canvass_core::access::{Grant, ItemRead};

fn anything<T>() -> T {
    loop {}
}

fn main() {
    let _: Grant<ItemRead> =
        Grant { record: anything(), blob: None, action: anything() };
}

//! An intent that is not committed opens nothing.
use canvass_core::access::{Grant, Intent, ItemRead};

fn read(_: &Grant<ItemRead>) {}

fn unrecorded(intent: &Intent<ItemRead>) {
    read(intent);
}

fn main() {}

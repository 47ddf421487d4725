//! Nor is there another way to an empty change.
use canvass_core::ports::Changeset;

fn default<T: Default>() -> T {
    T::default()
}

fn main() {
    let _ = Changeset::empty();
    let _: Changeset = default();
}

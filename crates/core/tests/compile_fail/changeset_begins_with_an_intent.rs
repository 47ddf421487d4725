//! A change that no record tells of can't be made.
use canvass_core::ports::Changeset;

fn main() {
    let _ = Changeset { writes: Vec::new(), leaves: Vec::new() };
}

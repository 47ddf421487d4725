//! The reviewed matrix of everyone's rights, and dry runs.
#![cfg(test)]

use std::{fs, path::PathBuf};

use canvass_policy::{PolicySet, matrix};

#[test]
fn the_matrix_is_the_reviewed_one() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../policies/matrix.txt");
    let made = matrix(&PolicySet::shipped().unwrap());
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let reviewed = fs::read_to_string(&path).unwrap();
    let lost: Vec<&str> = reviewed.lines().filter(|line| !made.contains(line)).collect();
    let new: Vec<&str> = made.lines().filter(|line| !reviewed.contains(line)).collect();
    assert!(
        reviewed == made,
        "rights changed; review, then UPDATE=1 cargo test -p canvass-policy\n- {lost:#?}\n+ {new:#?}"
    );
}

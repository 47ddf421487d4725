//! `BagIt` (RFC 8493): validate a bag in a directory or in a tar stream, write one into tar or into a directory.
//!
//! Read: versions 1.0, 0.97 and (under the rules of 0.97, with a warning) 0.96. Others are refused by name.
//! A tar stream is judged in one pass and in memory that grows with the number of files only, never with their size.

mod check;
mod defect;
mod dir;
mod hash;
mod manifest;
mod path;
mod tagfile;
pub(crate) mod tario;
mod write;

pub use check::{Limits, Report, SeenFile, Verdict};
pub use defect::{Defect, DefectKind, Severity};
pub use dir::validate_dir;
pub use hash::Algorithm;
pub use tario::{TarError, validate_tar};
pub use write::{BagDirWriter, BagInfo, BagSummary, BagTarWriter, TarOptions, WriteError};

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// The paths that a SHA-256 manifest lists.
pub(crate) fn listed_paths(manifest: &str) -> std::collections::BTreeSet<String> {
    let (rows, _) = manifest::parse(manifest, Algorithm::Sha256);
    rows.iter().map(|row| path::decode(&row.raw, true)).collect()
}

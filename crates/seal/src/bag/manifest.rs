//! Manifests: `digest path` lines (RFC 8493 sections 2.1.3 and 2.2.1).

use super::defect::DefectKind;
use super::hash::Algorithm;
use super::tagfile::{Problem, lines};

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) line: usize,
    pub(crate) digest: Vec<u8>,
    /// As it stands in the file, without a leading `*` or `./`.
    pub(crate) raw: String,
    /// A `*` stood before it.
    pub(crate) star: bool,
    /// A `./` stood before it.
    pub(crate) dot: bool,
}

/// Splits `manifest-sha256.txt` and `tagmanifest-sha256.txt`: is it a tag manifest, and the algorithm's text.
pub(crate) fn manifest_name(name: &str) -> Option<(bool, &str)> {
    let stem = name.strip_suffix(".txt")?;
    if let Some(algorithm) = stem.strip_prefix("tagmanifest-") {
        return Some((true, algorithm));
    }
    stem.strip_prefix("manifest-").map(|algorithm| (false, algorithm))
}

pub(crate) fn parse(text: &str, algorithm: Algorithm) -> (Vec<Row>, Vec<Problem>) {
    let mut rows = Vec::new();
    let mut problems = Vec::new();
    for (line, text) in lines(text) {
        if text.trim().is_empty() {
            continue;
        }
        match parse_line(line, text, algorithm) {
            Ok(row) => rows.push(row),
            Err(found) => problems.push((DefectKind::BadManifestLine, Some(line), found)),
        }
    }
    (rows, problems)
}

fn parse_line(line: usize, text: &str, algorithm: Algorithm) -> Result<Row, String> {
    let at = text.find([' ', '\t']).ok_or("the line has no path")?;
    let (digest, rest) = text.split_at(at);
    let digest = data_encoding::HEXLOWER_PERMISSIVE
        .decode(digest.as_bytes())
        .ok()
        .filter(|d| d.len() == algorithm.digest_len())
        .ok_or_else(|| format!("the digest isn't one of {}", algorithm.name()))?;
    let path = rest.trim_start_matches([' ', '\t']);
    let (star, path) = path.strip_prefix('*').map_or((false, path), |p| (true, p));
    let (dot, path) = path.strip_prefix("./").map_or((false, path), |p| (true, p));
    if path.is_empty() {
        return Err("the line has no path".to_owned());
    }
    Ok(Row { line, digest, raw: path.to_owned(), star, dot })
}

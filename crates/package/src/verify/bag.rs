//! The bag: every digest, in exactly the form in which bundles are written, and no file too many or too few.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use canvass_seal::bag::{Algorithm, Limits, validate_dir};
use canvass_types::Digest;

use super::{AGAIN, Bundle, read};
use crate::{layout, report::Report};

/// A file as it lies on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) bytes: u64,
    pub(super) sha256: Digest,
}

/// Files by path relative to the bundle.
pub(super) type Files = BTreeMap<String, Seen>;

/// Validates the bag; nothing when the folder can't be read.
pub(super) fn check(dir: &Path, report: &mut Report) -> Option<Files> {
    let bag = match validate_dir(dir, Limits::default()) {
        Ok(bag) => bag,
        Err(error) => {
            report.defect(
                dir.display().to_string(),
                format!("can't be read: {error}"),
                "give the folder of the bundle",
            );
            return None;
        }
    };
    for defect in &bag.defects {
        let line = defect.line.map(|line| format!("line {line}: ")).unwrap_or_default();
        report.defect(&defect.file, format!("{line}{}", defect.found), AGAIN);
    }
    let files: Files = bag
        .files
        .iter()
        .filter_map(|(path, file)| {
            let digest = file.digests.iter().find(|(algorithm, _)| *algorithm == Algorithm::Sha256);
            let sha256 = Digest(digest?.1.as_slice().try_into().ok()?);
            Some((path.clone(), Seen { bytes: file.size, sha256 }))
        })
        .collect();
    manifest(dir, "manifest-sha256.txt", |path| path.starts_with("data/"), &files, report);
    let listed = |path: &str| !path.starts_with("data/") && path != "tagmanifest-sha256.txt";
    manifest(dir, "tagmanifest-sha256.txt", listed, &files, report);
    Some(files)
}

/// RFC 8493 lets a manifest be written in several ways; a bundle has one, so that no byte of it can change unseen.
fn manifest(dir: &Path, name: &str, listed: impl Fn(&str) -> bool, files: &Files, report: &mut Report) {
    let Ok(bytes) = read(&dir.join(name)) else {
        report.defect(name, "is missing", AGAIN);
        return;
    };
    let expected: BTreeSet<String> = files
        .iter()
        .filter(|(path, _)| listed(path))
        .map(|(path, file)| format!("{}  {}", file.sha256, path.replace('%', "%25")))
        .collect();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.split('\n').collect();
    let ends = lines.last() == Some(&"");
    let found: BTreeSet<String> =
        lines.iter().filter(|line| !line.is_empty()).map(|line| (*line).to_owned()).collect();
    for line in expected.difference(&found) {
        let path = line.split_once("  ").map_or("", |(_, path)| path);
        report.defect(
            path,
            format!("its SHA-256 is not the one in {name}"),
            "the file was changed, or added, after the bundle was made",
        );
    }
    for line in found.difference(&expected) {
        let path = line.split_once("  ").map_or(line.as_str(), |(_, path)| path);
        report.defect(name, format!("lists {path} otherwise than it lies there"), AGAIN);
    }
    if !ends || lines.len() != found.len() + 1 {
        report.defect(name, "has an empty, repeated or unfinished line", AGAIN);
    }
}

/// Every file is one that the table of contents speaks of.
pub(super) fn nothing_extra(bundle: &Bundle, files: &Files, report: &mut Report) {
    let contents = &bundle.contents;
    let case = &contents.case;
    let mut expected: BTreeSet<String> = layout::BAG.iter().map(|path| (*path).to_owned()).collect();
    for path in [
        layout::CASE,
        layout::PDF,
        layout::JSONLD,
        layout::AUDIT,
        layout::POLICY,
        layout::PROOFS,
        layout::KEYS,
        layout::REQUESTS,
        layout::OVERSIGHT,
    ] {
        expected.insert(path.to_owned());
    }
    expected.extend(case.destinations.iter().map(|id| layout::destination(id)));
    let items = case.items.iter().map(|item| item.id.to_string());
    let items = items.chain(case.reads.iter().map(|kept| kept.id.to_string()));
    for subject in items.chain(case.offers.iter().map(|offer| offer.id.to_string())) {
        expected.insert(layout::custody(&subject, "json"));
        expected.insert(layout::custody(&subject, "csv"));
    }
    for item in case.items.iter().filter(|item| item.destroyed.is_none()) {
        expected.insert(layout::recording(item));
        expected.insert(layout::consent(item.offer.as_str()));
    }
    let kept = case.reads.iter().filter(|kept| kept.destroyed.is_none());
    expected.extend(kept.map(|kept| layout::reads(kept.id.as_str())));
    expected.extend(case.offers.iter().map(|offer| layout::receipt(offer.id.as_str())));
    for path in files.keys().filter(|path| !expected.contains(*path)) {
        report.defect(
            path,
            "does not belong to the bundle",
            "the table of contents does not name it; do not rely on it",
        );
    }
    for path in expected.iter().filter(|path| !files.contains_key(*path)) {
        report.defect(path, "is missing", "the table of contents names it; get the bundle again");
    }
}

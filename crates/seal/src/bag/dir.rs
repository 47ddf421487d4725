//! The validator of a bag in a directory.

use std::io;
use std::path::Path;

use super::check::{Collector, Limits, Report, SeenFile, is_judged_tag};
use super::defect::DefectKind;
use super::hash::{Algorithm, MultiHasher};
use super::manifest::manifest_name;
use crate::disk;

/// Deepest directory walked.
const MAX_DEPTH: usize = 64;

/// Validates the bag in a directory. Links are never followed.
///
/// # Errors
/// An I/O error when the directory can't be read at all; everything else is in the [`Report`].
pub fn validate_dir(root: &Path, limits: Limits) -> io::Result<Report> {
    let mut seen = Collector::default();
    let mut found = Vec::new();
    walk(root, "", 0, limits.entries, &mut seen, &mut found)?;
    let algorithms = algorithms(&found);
    let (mut payload, mut kept_bytes) = (0_u64, 0_u64);
    for path in found {
        if !seen.admit(&path) {
            continue;
        }
        let keep = is_judged_tag(&path);
        let mut kept = Vec::new();
        let mut hasher = MultiHasher::new(&algorithms);
        let limit = limits.tag_bytes.saturating_sub(kept_bytes);
        let mut over = false;
        let size = disk::read_through(&root.join(&path), &mut |bytes| {
            hasher.update(bytes);
            over |= keep && (kept.len() as u64).saturating_add(bytes.len() as u64) > limit;
            if keep && !over {
                kept.extend_from_slice(bytes);
            }
        })?;
        if over {
            seen.error(
                DefectKind::OverLimit,
                &path,
                format!("has {size} bytes and at most {limit} are read"),
            );
        } else if keep {
            kept_bytes = kept_bytes.saturating_add(size);
            seen.tags.insert(path.clone(), kept);
        }
        if path.starts_with("data/") {
            payload = payload.saturating_add(size);
        }
        seen.files.insert(path, SeenFile { size, digests: hasher.finish() });
    }
    if payload > limits.payload_bytes {
        seen.error(
            DefectKind::OverLimit,
            "data",
            format!("has {payload} bytes and at most {} are allowed", limits.payload_bytes),
        );
    }
    Ok(seen.judge())
}

/// Those of the manifests that are there.
fn algorithms(found: &[String]) -> Vec<Algorithm> {
    let named = found.iter().filter_map(|p| manifest_name(p)).filter_map(|(_, a)| Algorithm::from_name(a));
    let mut all: Vec<Algorithm> = named.collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn walk(
    root: &Path,
    below: &str,
    depth: usize,
    limit: usize,
    seen: &mut Collector,
    found: &mut Vec<String>,
) -> io::Result<()> {
    if depth > MAX_DEPTH {
        seen.error(
            DefectKind::OverLimit,
            below,
            format!("directories more than {MAX_DEPTH} deep aren't read"),
        );
        return Ok(());
    }
    for item in disk::list(&root.join(below))? {
        let prefix = if below.is_empty() { String::new() } else { format!("{below}/") };
        let Some(name) = item.name else {
            seen.error(DefectKind::BadEncoding, &prefix, "holds a file whose name isn't Unicode");
            continue;
        };
        let path = format!("{prefix}{name}");
        if found.len() >= limit {
            seen.error(DefectKind::OverLimit, &path, format!("more than {limit} files"));
            return Ok(());
        }
        match item.kind {
            disk::Kind::File => found.push(path),
            disk::Kind::Directory => {
                seen.has_payload |= path == "data";
                walk(root, &path, depth.saturating_add(1), limit, seen, found)?;
            }
            disk::Kind::Other => seen.error(DefectKind::NotAFile, &path, "is a link or a special file"),
        }
    }
    Ok(())
}

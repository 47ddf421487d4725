//! Plate reads that are kept in the case: each file is the one that its chain of custody says was kept.

use serde_json::{Value, json};

use super::{AGAIN, bag::Files, evidence::says, unique};
use crate::{layout, model::Contents, model::ReadsFile, report::Report};

pub(super) fn check(contents: &Contents, files: &Files, report: &mut Report) {
    unique(layout::CASE, &contents.case.reads, |kept| kept.id.to_string(), report);
    for kept in &contents.case.reads {
        began(contents, kept, report);
        file(contents, kept, files, report);
    }
}

/// Its chain begins with the event that kept it, and ends with its destruction if it was destroyed.
fn began(contents: &Contents, kept: &ReadsFile, report: &mut Report) {
    let path = layout::custody(kept.id.as_str(), "json");
    let Some(chain) = contents.chain(kept.id.as_str()) else { return };
    let Some(first) = chain.events.first() else { return };
    let fields = json!({
        "case": contents.case.case, "search": kept.search, "reads": kept.reads, "sha256": kept.sha256,
        "bytes": kept.bytes,
    });
    let same = first.event == "reads-kept" && says(first, &fields) && first.at == kept.added;
    if !same || first.by.as_ref() != Some(&kept.by) {
        report.defect(
            &path,
            "its first event is not the keeping of the file in data/case.json",
            "case, search, digest, length, member or time were altered in one of the two",
        );
    }
    let gone = chain.events.iter().any(|event| event.event == "destroyed");
    if gone != kept.destroyed.is_some() {
        report.defect(&path, "chain and data/case.json differ on whether the file was destroyed", AGAIN);
    }
}

/// The file is the one on record, and says of itself what the table of contents says of it.
fn file(contents: &Contents, kept: &ReadsFile, files: &Files, report: &mut Report) {
    if kept.destroyed.is_some() {
        report.note(format!("plate reads {} were destroyed; their file is not in the bundle", kept.id));
        return;
    }
    let path = layout::reads(kept.id.as_str());
    let Some(found) = files.get(&path) else { return };
    if found.sha256 != kept.sha256 || found.bytes != kept.bytes {
        report.defect(
            &path,
            format!("its SHA-256 is {} and {} is on record", found.sha256, kept.sha256),
            "these are not the reads that were kept",
        );
        return;
    }
    let bytes = contents.reads.iter().find(|(id, _)| *id == kept.id).map(|(_, bytes)| bytes);
    let value: Value = bytes.and_then(|bytes| serde_json::from_slice(bytes).ok()).unwrap_or_default();
    let told = |name: &str| value.get(name).and_then(Value::as_str);
    let reads = value.get("reads").and_then(Value::as_array).map_or(0, Vec::len);
    let same = told("id") == Some(kept.id.as_str())
        && told("case") == Some(contents.case.case.as_str())
        && told("search") == Some(kept.search.as_str())
        && reads == kept.reads as usize;
    if same {
        report.facts.reads += 1;
    } else {
        report.defect(&path, "it says of itself what data/case.json does not", AGAIN);
    }
}

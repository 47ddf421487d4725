//! Altered copies: each is traced to the item that it was made from, and none is left out.

use canvass_core::records::Alteration;
use canvass_types::ItemId;
use serde_json::json;

use super::{AGAIN, evidence::says};
use crate::{
    layout,
    model::{Contents, ItemFile},
    report::Report,
};

/// The copy is the one that its own chain and its original's chain say was made.
pub(super) fn check(
    contents: &Contents,
    item: &ItemFile,
    (original, how): (&ItemId, &Alteration),
    report: &mut Report,
) {
    let file = layout::custody(item.id.as_str(), "json");
    let Some(first) = contents.chain(item.id.as_str()).and_then(|chain| chain.events.first()) else { return };
    let Some(of) = contents.case.items.iter().find(|each| each.id == *original) else {
        report.defect(
            layout::CASE,
            format!("item {original}, of which {} is a copy, is missing", item.id),
            "a copy proves nothing without its original",
        );
        return;
    };
    let fields = json!({
        "copy_of": original, "kind": how.kind, "note": how.note, "tool": how.tool, "case": contents.case.case,
        "offer": item.offer, "clip": item.clip, "sha256": item.sha256, "bytes": item.bytes,
        "sealed_sha256": item.sealed_sha256, "original_sha256": of.sha256,
    });
    let moment = (first.at, first.by.as_ref()) == (how.at, Some(&how.by)) && how.at == item.added;
    if first.event != "copy-made" || !says(first, &fields) || !moment {
        report.defect(
            &file,
            "its first event is not the making of the copy in data/case.json",
            "original, kind, note, digest, length, maker or time were altered in one of the two",
        );
    }
    if (&of.offer, of.clip, &of.destination) != (&item.offer, item.clip, &item.destination)
        || of.sha256 == item.sha256
    {
        report.defect(
            layout::CASE,
            format!("item {} is not an altered copy of the clip that item {original} is", item.id),
            AGAIN,
        );
    }
    let file = layout::custody(original.as_str(), "json");
    let Some(chain) = contents.chain(original.as_str()) else { return };
    let fields = json!({ "copy": item.id, "kind": how.kind, "sha256": item.sha256, "bytes": item.bytes });
    let made = chain.events.iter().find(|event| event.event == "copied" && says(event, &fields));
    let head = made.map(|event| json!({ "length": event.number.saturating_add(1), "hash": event.hash }));
    if head.is_none() || first.detail.get("original_custody") != head.as_ref() {
        report.defect(
            &file,
            format!("no event makes copy {}, or the copy begins from another one", item.id),
            "the copy can't be traced to its original",
        );
    }
}

/// Every copy that an item's chain speaks of is in the table of contents, as a copy of that item.
pub(super) fn none_left_out(contents: &Contents, item: &ItemFile, report: &mut Report) {
    let events = contents.chain(item.id.as_str()).into_iter().flat_map(|chain| &chain.events);
    for event in events.filter(|event| event.event == "copied") {
        let told = event.detail.get("copy").and_then(|id| id.as_str()).unwrap_or_default();
        let there = contents
            .case
            .items
            .iter()
            .any(|each| each.id.as_str() == told && each.copy_of.as_ref() == Some(&item.id));
        if !there {
            report.defect(
                layout::CASE,
                format!("copy {told} of item {} is missing, or is not said to be its copy", item.id),
                "whoever sees one of the two must learn of the other; get the bundle again",
            );
        }
    }
}

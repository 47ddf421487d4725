//! What residents gave: originals, offers, receipts and consents, each held against the chains of custody.

use canvass_core::records::{AuditBody, CustodyEvent};
use canvass_types::leaf::Log;
use serde_json::{Value, json};

use super::{AGAIN, bag::Files, copies, ledger::Proven, ledger::opens, unique};
use crate::{
    layout,
    model::{Contents, ItemFile, OfferFile, ReceiptFile},
    report::Report,
};

pub(super) fn check(contents: &Contents, files: &Files, proven: &Proven, report: &mut Report) {
    unique(layout::CASE, &contents.case.items, |item| item.id.to_string(), report);
    unique(layout::CASE, &contents.case.offers, |offer| offer.id.to_string(), report);
    for item in &contents.case.items {
        recording(item, files, report);
        match (&item.copy_of, &item.alteration) {
            (None, None) => accepted(contents, item, report),
            (Some(original), Some(alteration)) => {
                copies::check(contents, item, (original, alteration), report);
            }
            _ => report.defect(
                layout::CASE,
                format!("item {} is said to be a copy and an original at once", item.id),
                AGAIN,
            ),
        }
        destroyed(contents, item, report);
        copies::none_left_out(contents, item, report);
    }
    for each in &contents.case.offers {
        offer(contents, each, report);
        match contents.receipts.iter().find(|receipt| receipt.offer == each.id) {
            Some(receipt) => self::receipt(contents, each, receipt, proven, report),
            None => report.defect(layout::receipt(each.id.as_str()), "is not of this offer", AGAIN),
        }
    }
    for (offer, bytes) in &contents.consents {
        consent(contents, offer.as_str(), bytes, report);
    }
}

fn recording(item: &ItemFile, files: &Files, report: &mut Report) {
    if item.destroyed.is_some() {
        let what = if item.copy_of.is_some() { "recording" } else { "original" };
        report.note(format!("item {} was destroyed; its {what} is not in the bundle", item.id));
        return;
    }
    let path = layout::recording(item);
    let Some(file) = files.get(&path) else { return };
    if file.sha256 != item.sha256 {
        report.defect(
            &path,
            format!("its SHA-256 is {} and {} is on record", file.sha256, item.sha256),
            if item.copy_of.is_some() {
                "this is not the copy that was made"
            } else {
                "this is not the recording that was accepted"
            },
        );
    } else if file.bytes != item.bytes {
        report.defect(&path, format!("it has {} bytes and {} are on record", file.bytes, item.bytes), AGAIN);
    } else if item.copy_of.is_some() {
        report.facts.copies += 1;
    } else {
        report.facts.originals += 1;
    }
}

fn destroyed(contents: &Contents, item: &ItemFile, report: &mut Report) {
    let Some(chain) = contents.chain(item.id.as_str()) else { return };
    let gone = chain.events.iter().any(|event| event.event == "destroyed");
    if gone != item.destroyed.is_some() {
        let file = layout::custody(item.id.as_str(), "json");
        report.defect(file, "chain and data/case.json differ on whether the item was destroyed", AGAIN);
    }
}

/// Whether an event's particulars have all these fields.
pub(super) fn says(event: &CustodyEvent, fields: &Value) -> bool {
    fields
        .as_object()
        .is_some_and(|all| all.iter().all(|(name, value)| event.detail.get(name) == Some(value)))
}

/// The item is the clip that its own chain and its offer's chain say was accepted.
fn accepted(contents: &Contents, item: &ItemFile, report: &mut Report) {
    let file = layout::custody(item.id.as_str(), "json");
    let Some(first) = contents.chain(item.id.as_str()).and_then(|chain| chain.events.first()) else { return };
    let fields = json!({
        "offer": item.offer, "clip": item.clip, "case": contents.case.case, "sha256": item.sha256, "bytes": item.bytes,
        "sealed_sha256": item.sealed_sha256,
    });
    if first.event != "accepted" || !says(first, &fields) || first.at != item.added {
        report.defect(
            &file,
            "its first event is not the acceptance of the item in data/case.json",
            "offer, clip, case, digest, length or time were altered in one of the two",
        );
    }
    let Some(offer) = contents.case.offers.iter().find(|offer| offer.id == item.offer) else {
        report.defect(layout::CASE, format!("the offer of item {} is missing", item.id), AGAIN);
        return;
    };
    if offer.destination != item.destination {
        report.defect(
            layout::CASE,
            format!("item {} and its offer answer different requests", item.id),
            AGAIN,
        );
    }
    let file = layout::custody(offer.id.as_str(), "json");
    let Some(chain) = contents.chain(offer.id.as_str()) else { return };
    let fields = json!({ "item": item.id, "clip": item.clip, "sha256": item.sha256 });
    if !chain.events.iter().any(|event| event.event == "accepted" && says(event, &fields)) {
        report.defect(
            &file,
            format!("no event accepts item {}", item.id),
            "the item can't be traced to what a resident sent",
        );
    }
    let anchor = first.detail.get("offer_custody");
    let known = chain.events.iter().any(|event| {
        anchor == Some(&json!({ "length": event.number.saturating_add(1), "hash": event.hash }))
    });
    if !known {
        report.defect(
            &file,
            format!("item {} begins from a head that this chain never had", item.id),
            "one of the two chains was written anew",
        );
    }
}

/// The offer is what its chain says was received.
fn offer(contents: &Contents, offer: &OfferFile, report: &mut Report) {
    if !contents.case.destinations.contains(&offer.destination) {
        report.defect(layout::CASE, format!("the request of offer {} is missing", offer.id), AGAIN);
    }
    let Some(first) = contents.chain(offer.id.as_str()).and_then(|chain| chain.events.first()) else {
        return;
    };
    let fields = json!({
        "destination": offer.destination, "ciphertext_sha256": offer.envelope_sha256,
        "ciphertext_bytes": offer.envelope_bytes,
    });
    if first.event != "received" || !says(first, &fields) || first.at != offer.received {
        let file = layout::custody(offer.id.as_str(), "json");
        report.defect(
            file,
            "its first event is not the receipt of the offer in data/case.json",
            "request, digest, length or time were altered in one of the two",
        );
    }
    for event in contents.chain(offer.id.as_str()).into_iter().flat_map(|chain| &chain.events) {
        if event.event == "differs" {
            report.note(format!(
                "offer {}: on {} the opened envelope differed from what was reported before",
                offer.id, event.at
            ));
        }
    }
}

fn receipt(
    contents: &Contents,
    offer: &OfferFile,
    receipt: &ReceiptFile,
    proven: &Proven,
    report: &mut Report,
) {
    let file = layout::receipt(offer.id.as_str());
    let mut wrong = |what: String| {
        report.defect(
            &file,
            what,
            "the resident's receipt would not open it; compare with the resident's copy",
        );
    };
    let body: AuditBody = match serde_json::from_value(receipt.record.clone()) {
        Ok(body) => body,
        Err(error) => return wrong(format!("its record has not its form: {error}")),
    };
    if serde_json::to_value(&body).ok().as_ref() != Some(&receipt.record) {
        wrong("its record has fields that don't belong there".into());
    }
    if let Err(reason) = opens(proven, &body, &receipt.salt) {
        wrong(reason);
    }
    if !proven.has(Log::Oversight, &receipt.leaf) {
        wrong("its ledger entry is not among the proven ones".into());
    }
    let first = contents.chain(offer.id.as_str()).and_then(|chain| chain.events.first());
    let expected = json!({
        "offer": offer.id, "destination": offer.destination,
        "ciphertext_sha256": offer.envelope_sha256, "ciphertext_bytes": offer.envelope_bytes,
        "custody": first.map(|event| json!({ "length": 1, "hash": event.hash })),
    });
    let told = expected
        .as_object()
        .is_some_and(|all| all.iter().all(|(name, value)| body.detail.get(name) == Some(value)));
    if !told
        || body.subject != offer.id.to_string()
        || body.at != offer.received
        || body.action != "offer.received"
    {
        wrong("its record is not of the offer in data/case.json".into());
    }
}

/// A consent names every item of its offer: by SHA-256 where it does, else by file name and length.
fn consent(contents: &Contents, offer: &str, bytes: &[u8], report: &mut Report) {
    let file = layout::consent(offer);
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else {
        report.defect(&file, "is not JSON", "look into the envelope for the consent as it was given");
        return;
    };
    let named = value.get("clips").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let names = |clip: &Value, item: &ItemFile| match clip.get("sha256").and_then(Value::as_str) {
        Some(digest) => digest == item.sha256.to_string(),
        None => {
            clip.get("name").and_then(Value::as_str) == Some(&item.name)
                && clip.get("bytes").and_then(Value::as_u64) == Some(item.bytes)
        }
    };
    // A copy is none of the clips that were given; its original is.
    let given = |item: &&ItemFile| item.offer.as_str() == offer && item.copy_of.is_none();
    for item in contents.case.items.iter().filter(given) {
        if !named.iter().any(|clip| names(clip, item)) {
            report.defect(
                &file,
                format!("does not name item {} by its SHA-256, or by name and length", item.id),
                "the resident may not have consented to give this recording",
            );
        }
    }
}

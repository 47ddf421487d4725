//! Records of actions and chains of custody: each record opens a commitment in the ledger, each chain's events are
//! anchored by records, and no ledger entry is left without its record.

use std::collections::{BTreeMap, BTreeSet};

use canvass_core::{
    custody::{CustodyView, verify_chain},
    records::{AuditRecord, CustodyEvent},
};
use canvass_types::{Digest, MemberId, Time};
use serde_json::Value;

use super::{AGAIN, ledger::Proven, ledger::opens, unique};
use crate::{layout, model::Contents, report::Report};

/// A head of a chain as a record of an action gives it.
struct Anchor {
    hash: Digest,
    at: Time,
    by: Option<MemberId>,
    /// Whether the ledger commits to the record.
    ledgered: bool,
    record: String,
}

/// Heads by chain and length.
pub(super) struct Anchors(BTreeMap<(String, u64), Vec<Anchor>>);

/// Opens every record's commitment; gives the heads that the records hold.
pub(super) fn records(contents: &Contents, proven: &Proven, report: &mut Report) -> Anchors {
    let mut anchors = Anchors(BTreeMap::new());
    let mut opened = BTreeSet::new();
    unique(layout::AUDIT, &contents.audit, |record| record.body.id.to_string(), report);
    for record in &contents.audit {
        let body = &record.body;
        if record.leaf.is_some() {
            match opens(proven, body, &record.salt) {
                Ok(index) => {
                    report.facts.records += 1;
                    opened.insert(index);
                }
                Err(reason) => report.defect(
                    layout::AUDIT,
                    format!("record {} ({} of {}): {reason}", body.id, body.action, body.subject),
                    "the record was altered, or its entry was never in the ledger",
                ),
            }
        }
        collect(record, &record.body.detail, None, 0, &mut anchors);
    }
    for receipt in &contents.receipts {
        if let Some((_, index)) = proven.texts.iter().find(|((_, leaf), _)| *leaf == receipt.leaf) {
            opened.insert(*index);
        }
    }
    for (index, leaf) in proven.oversight.values() {
        if !opened.contains(index) {
            report.defect(
                layout::AUDIT,
                format!(
                    "no record opens entry {index} of the oversight ledger ({} of {})",
                    leaf.kind, leaf.subject
                ),
                "a record was removed, or altered",
            );
        }
    }
    export_record(contents, report);
    anchors
}

/// The table of contents says of the export what the record of the export says.
fn export_record(contents: &Contents, report: &mut Report) {
    let case = &contents.case;
    let told = |record: &&AuditRecord| {
        let body = &record.body;
        body.action == "case.export"
            && record.leaf.is_some()
            && body.subject == case.case.to_string()
            && body.at == case.exported
            && body.actor.as_ref() == Some(&case.exported_by)
            && body.purpose.as_ref() == Some(&case.purpose)
            && body.agency.as_ref() == Some(&case.agency.id)
    };
    if !contents.audit.iter().any(|record| told(&record)) {
        report.defect(
            layout::CASE,
            "no record of an export has this case, purpose, time and member",
            "who exported it, when and why is not as the ledger has it",
        );
    }
}

/// Finds heads in the particulars of a record: `{length, hash}`, of the record's subject or of the one named beside.
fn collect(record: &AuditRecord, value: &Value, subject: Option<&str>, depth: usize, anchors: &mut Anchors) {
    if depth > 8 {
        return;
    }
    match value {
        Value::Array(all) => all.iter().for_each(|each| collect(record, each, None, depth + 1, anchors)),
        Value::Object(fields) => {
            let subject = fields.get("subject").and_then(Value::as_str).or(subject);
            let length = fields.get("length").and_then(Value::as_u64);
            let hash =
                fields.get("hash").and_then(Value::as_str).and_then(|text| text.parse::<Digest>().ok());
            if let (Some(length), Some(hash)) = (length, hash) {
                let body = &record.body;
                let anchor = Anchor {
                    hash,
                    at: body.at,
                    by: body.actor.clone(),
                    ledgered: record.leaf.is_some(),
                    record: body.id.to_string(),
                };
                let subject = subject.unwrap_or(&body.subject).to_owned();
                anchors.0.entry((subject, length)).or_default().push(anchor);
                return;
            }
            fields.values().for_each(|each| collect(record, each, None, depth + 1, anchors));
        }
        _ => {}
    }
}

/// Checks every chain by itself, against the table of contents, and against the records.
pub(super) fn check(contents: &Contents, anchors: &Anchors, report: &mut Report) {
    let items = contents.case.items.iter().map(|item| (item.id.to_string(), item.custody));
    let offers = contents.case.offers.iter().map(|offer| (offer.id.to_string(), offer.custody));
    let reads = contents.case.reads.iter().map(|kept| (kept.id.to_string(), kept.custody));
    for (subject, head) in items.chain(offers).chain(reads) {
        let Some(chain) = contents.chain(&subject) else { continue };
        let file = layout::custody(&subject, "json");
        report.facts.events += chain.events.len();
        match verify_chain(&chain.events) {
            Err(defect) => {
                report.defect(
                    &file,
                    format!("event {}: {}", defect.number, defect.reason),
                    "the chain of custody was altered",
                );
            }
            Ok(found) if found != chain.head || found != head => {
                report.defect(
                    &file,
                    "its last event is not the head that the bundle gives",
                    "events are missing, added or altered at the end",
                );
            }
            Ok(_) => anchored(&file, chain, anchors, report),
        }
    }
    strangers(contents, anchors, report);
}

/// A record that anchors a chain of this case must find that chain in the bundle, up to that length.
fn strangers(contents: &Contents, anchors: &Anchors, report: &mut Report) {
    for ((subject, length), all) in &anchors.0 {
        let short = contents.chain(subject).is_some_and(|chain| (chain.events.len() as u64) < *length);
        if short {
            let record = all.first().map_or("", |anchor| &anchor.record);
            report.defect(
                layout::custody(subject, "json"),
                format!(
                    "record {record} speaks of event {} and the chain ends before it",
                    length.saturating_sub(1)
                ),
                "events are missing at the end",
            );
        }
    }
}

fn anchored(file: &str, chain: &CustodyView, anchors: &Anchors, report: &mut Report) {
    let mut last_in_ledger = 0;
    for (at, event) in chain.events.iter().enumerate() {
        let length = event.number.saturating_add(1);
        let found = anchors.0.get(&(chain.subject.clone(), length));
        let Some(found) = found.filter(|all| !all.is_empty()) else {
            // One action may leave several events; its record holds the last of them.
            let same = |next: &CustodyEvent| next.at == event.at && next.by == event.by;
            if !chain.events.get(at + 1).is_some_and(same) {
                report.defect(
                    file,
                    format!("event {} ({}) is in no record of an action", event.number, event.event),
                    "it was added, or the record of the action was removed",
                );
            }
            continue;
        };
        for anchor in found {
            if anchor.hash != event.hash {
                report.defect(
                    file,
                    format!(
                        "event {} ({}) is not the one that record {} names",
                        event.number, event.event, anchor.record
                    ),
                    "the chain of custody was written anew",
                );
            } else if (anchor.at, &anchor.by) != (event.at, &event.by) {
                report.defect(
                    file,
                    format!(
                        "event {} ({}) and record {} differ in time or member",
                        event.number, event.event, anchor.record
                    ),
                    "one of the two was altered",
                );
            }
            if anchor.ledgered {
                last_in_ledger = length;
            }
        }
    }
    let length = chain.events.len() as u64;
    if last_in_ledger == 0 {
        report.defect(
            file,
            "no record in the ledger anchors this chain",
            "it could have been written anew at any time",
        );
    } else if last_in_ledger < length {
        report.note(format!(
            "{}: the last {} of {length} events are in records of actions that leave no ledger entry (notes, tags)",
            chain.subject,
            length - last_in_ledger
        ));
    }
    if chain.subject.is_empty() {
        report.defect(file, "is of nothing", AGAIN);
    }
}

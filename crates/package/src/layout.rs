//! Where each part of a bundle lies, relative to the bag.

use super::model::ItemFile;

/// The table of contents.
pub(super) const CASE: &str = "data/case.json";
/// The report for people.
pub(super) const PDF: &str = "data/custody.pdf";
/// The CASE/UCO graph.
pub(super) const JSONLD: &str = "data/case.jsonld";
/// Records of actions.
pub(super) const AUDIT: &str = "data/audit.json";
/// Limits and retentions.
pub(super) const POLICY: &str = "data/policy.json";
/// Proofs of ledger entries.
pub(super) const PROOFS: &str = "data/ledger/proofs.json";
/// The ledgers' keys.
pub(super) const KEYS: &str = "data/ledger/keys.json";
/// Head of the requests ledger.
pub(super) const REQUESTS: &str = "data/ledger/requests.checkpoint";
/// Head of the oversight ledger.
pub(super) const OVERSIGHT: &str = "data/ledger/oversight.checkpoint";
/// The word to the reader.
pub(super) const README: &str = "README.txt";

/// `bagit.txt` (RFC 8493, section 2.1.1).
pub(super) const DECLARATION: &str = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";

/// Files of the bag itself.
pub(super) const BAG: [&str; 5] =
    ["bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt", README];

fn original(item: &str, name: &str) -> String {
    format!("data/originals/{item}/{name}")
}

fn copy(item: &str, name: &str) -> String {
    format!("data/copies/{item}/{name}")
}

/// Where the bytes of an item lie: altered copies apart from what residents gave.
pub(super) fn recording(item: &ItemFile) -> String {
    let at = if item.copy_of.is_some() { copy } else { original };
    at(item.id.as_str(), &item.name)
}

pub(super) fn destination(id: &str) -> String {
    format!("data/requests/{id}.json")
}

pub(super) fn consent(offer: &str) -> String {
    format!("data/consent/{offer}.json")
}

pub(super) fn reads(id: &str) -> String {
    format!("data/reads/{id}.json")
}

pub(super) fn receipt(offer: &str) -> String {
    format!("data/receipts/{offer}.json")
}

pub(super) fn custody(subject: &str, extension: &str) -> String {
    format!("data/custody/{subject}.{extension}")
}

/// The head of a ledger.
pub(super) fn checkpoint(log: canvass_types::leaf::Log) -> &'static str {
    match log {
        canvass_types::leaf::Log::Requests => REQUESTS,
        canvass_types::leaf::Log::Oversight => OVERSIGHT,
    }
}

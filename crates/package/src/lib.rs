//! The court bundle: one case with its originals, in a `BagIt` 1.0 bag (RFC 8493) that anyone checks with one command
//! and without a network.
//!
//! ```text
//! README.txt                             what this is, and the one command
//! data/case.json                         the case, its items, offers, holds and people: the table of contents
//! data/originals/<item>/<clip>           what residents gave, byte for byte
//! data/copies/<item>/<clip>              altered copies of it: redacted, transcoded
//! data/reads/<id>.json                   plate reads that are kept in the case, with the search that found them
//! data/requests/<id>.json                the signed request or portal, the moderator's decision, ledger entries
//! data/consent/<offer>.json              the consent given, byte for byte as it stood in the envelope
//! data/custody/<subject>.{json,csv}      the chain of custody of each item, offer and file of plate reads
//! data/custody.pdf                       the same for people
//! data/case.jsonld                       the same in CASE/UCO
//! data/receipts/<offer>.json             the record that the resident's receipt opens
//! data/audit.json                        records of every action on the case, with the salts of their commitments
//! data/policy.json                       the limits and retentions in force
//! data/ledger/{requests,oversight}.checkpoint, proofs.json, keys.json
//! ```
//!
//! No part of this crate reaches a network, a clock or chance.

mod assemble;
mod csv;
mod disclosure;
mod jsonld;
mod layout;
mod model;
mod parts;
mod pdf;
mod readme;
mod report;
#[cfg(test)]
mod tests;
mod verify;
mod write;

pub use assemble::CourtExport;
pub use disclosure::{DisclosureFile, DisclosureReport, Shown, verify_disclosure};
pub use model::{
    CaseFile, Contents, DestinationFile, ItemFile, LedgerFiles, LedgerKeys, LedgerProof, ModelError,
    OfferFile, Person, ReadsFile, ReceiptFile, SignedBody,
};
pub use parts::{BundleConsent, BundleFile, BundleItem, BundleParts, parts};
pub use report::Report;
pub use verify::{verify, verify_pinned};
pub use write::{PackageError, Written, write};

/// Program and version that make bundles.
pub const MADE_WITH: &str = concat!("canvass ", env!("CARGO_PKG_VERSION"));

/// A number with its noun: `1 clip`, `3 clips`.
fn count(number: impl TryInto<u64>, one: &str, many: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    format!("{number} {}", if number == 1 { one } else { many })
}

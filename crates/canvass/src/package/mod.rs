//! The court bundle: one case with its originals, in a `BagIt` 1.0 bag (RFC 8493) that anyone checks with one command
//! and without a network.
//!
//! ```text
//! README.txt                             what this is, and the one command
//! data/case.json                         the case, its items, offers, holds and people: the table of contents
//! data/originals/<item>/<clip>           what residents gave, byte for byte
//! data/requests/<id>.json                the signed request or portal, the moderator's decision, ledger entries
//! data/consent/<offer>.json              the consent given, byte for byte as it stood in the envelope
//! data/custody/<subject>.{json,csv}      the chain of custody of each item and offer
//! data/custody.pdf                       the same for people
//! data/case.jsonld                       the same in CASE/UCO
//! data/receipts/<offer>.json             the record that the resident's receipt opens
//! data/audit.json                        records of every action on the case, with the salts of their commitments
//! data/policy.json                       the limits and retentions in force
//! data/ledger/{requests,oversight}.checkpoint, proofs.json, keys.json
//! ```
//!
//! No part of this module reaches a network, a clock or chance.

mod command;
mod csv;
mod jsonld;
mod layout;
mod model;
mod pdf;
mod readme;
mod report;
#[cfg(test)]
mod tests;
mod verify;
mod write;

pub use command::{VerifyPackage, run};
pub use model::{
    CaseFile, Contents, DestinationFile, ItemFile, LedgerFiles, LedgerKeys, LedgerProof, OfferFile, Person,
    ReceiptFile, SignedBody,
};
pub use verify::{verify, verify_pinned};
pub use write::{Written, write};

//! From what the desk exports to what a bundle holds.

use std::collections::BTreeSet;

use canvass_core::{
    cases::{ExportManifest, ItemView},
    custody::CustodyView,
    inbox::OfferView,
    plates::KeptReadsView,
};
use canvass_types::{MemberId, MemberView, OfferId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::model::{
    CaseFile, Contents, DestinationFile, ItemFile, LedgerFiles, LedgerProof, ModelError, OfferFile, Person,
    ReadsFile, ReceiptFile, SignedBody,
};

/// All that a bundle for court needs besides the items' bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CourtExport {
    /// The case.
    pub manifest: ExportManifest,
    /// Signed head of the requests ledger; all proofs of that ledger lead to it.
    pub requests_checkpoint: String,
    /// Signed head of the oversight ledger; all proofs of that ledger lead to it.
    pub oversight_checkpoint: String,
    /// Proofs of every entry that the manifest names.
    pub proofs: Vec<LedgerProof>,
    /// `/ledger/keys.json`.
    pub keys: Value,
}

fn item_file(item: &ItemView) -> ItemFile {
    ItemFile {
        id: item.id.clone(),
        offer: item.offer.clone(),
        clip: item.clip,
        name: item.name.clone(),
        bytes: item.bytes,
        sha256: item.sha256,
        sealed_sha256: item.sealed_sha256,
        destination: item.destination.clone(),
        added: item.added,
        destroyed: item.destroyed,
        custody: item.custody,
        copy_of: item.copy_of.clone(),
        alteration: item.alteration.clone(),
    }
}

fn offer_file(offer: &OfferView) -> OfferFile {
    OfferFile {
        id: offer.id.clone(),
        destination: offer.destination.clone(),
        state: offer.state,
        received: offer.received,
        envelope_sha256: offer.envelope_sha256,
        envelope_bytes: offer.envelope_bytes,
        custody: offer.custody,
    }
}

fn reads_file(kept: &KeptReadsView) -> ReadsFile {
    ReadsFile {
        id: kept.id.clone(),
        name: kept.name.clone(),
        reads: kept.reads,
        search: kept.search.clone(),
        bytes: kept.bytes,
        sha256: kept.sha256,
        by: kept.by.clone(),
        added: kept.added,
        destroyed: kept.destroyed,
        custody: kept.custody,
    }
}

/// Names of the members who did something that the bundle tells of; no others.
fn people(manifest: &ExportManifest, all: &[MemberView]) -> Vec<Person> {
    let events = manifest.items.iter().flat_map(|item| &item.custody);
    let events = events.chain(manifest.offers.iter().flat_map(|offer| &offer.custody));
    let events = events.chain(manifest.reads.iter().flat_map(|kept| &kept.custody));
    let mut ids: BTreeSet<&MemberId> = events.filter_map(|event| event.by.as_ref()).collect();
    ids.extend(manifest.audit.iter().filter_map(|record| record.body.actor.as_ref()));
    ids.extend(manifest.holds.iter().map(|hold| &hold.by));
    ids.insert(&manifest.by);
    let named = all.iter().filter(|member| ids.contains(&member.id));
    named.map(|member| Person { id: member.id.clone(), name: member.name.clone() }).collect()
}

fn case_file(manifest: &ExportManifest, members: &[MemberView]) -> CaseFile {
    CaseFile {
        v: 1,
        made_with: super::MADE_WITH.to_owned(),
        case: manifest.case.id.clone(),
        title: manifest.case.title.clone(),
        code: manifest.case.code.clone(),
        opened: manifest.case.opened,
        closed: manifest.case.closed,
        agency: manifest.agency.clone(),
        purpose: manifest.purpose.clone(),
        exported: manifest.at,
        exported_by: manifest.by.clone(),
        items: manifest.items.iter().map(|each| item_file(&each.item)).collect(),
        reads: manifest.reads.iter().map(|each| reads_file(&each.kept)).collect(),
        offers: manifest.offers.iter().map(|each| offer_file(&each.offer)).collect(),
        destinations: manifest.destinations.iter().map(|each| each.id.clone()).collect(),
        holds: manifest.holds.clone(),
        people: people(manifest, members),
    }
}

impl Contents {
    /// What the desk exported, in the form of a bundle. `members` are those of the agency; of them the bundle names those
    /// who did something that it tells of.
    ///
    /// # Errors
    /// [`ModelError::Unsigned`] when the case joins a draft.
    pub fn of(
        export: CourtExport,
        members: &[MemberView],
        consents: Vec<(OfferId, Vec<u8>)>,
    ) -> Result<Self, ModelError> {
        let manifest = export.manifest;
        let case = case_file(&manifest, members);
        let mut destinations = Vec::new();
        for each in manifest.destinations {
            let signed =
                each.request.map(SignedBody::Request).or_else(|| each.portal.map(SignedBody::Portal));
            let signed = signed.ok_or(ModelError::Unsigned { id: each.id })?;
            destinations.push(DestinationFile { signed, decision: each.decision, leaves: each.leaves });
        }
        let items = manifest.items.into_iter().map(|each| CustodyView {
            subject: each.item.id.to_string(),
            head: each.item.custody,
            events: each.custody,
        });
        let mut custody: Vec<CustodyView> = items.collect();
        let mut reads = Vec::new();
        for each in manifest.reads {
            custody.push(CustodyView {
                subject: each.kept.id.to_string(),
                head: each.kept.custody,
                events: each.custody,
            });
            reads.extend(each.content.map(|content| (each.kept.id, content.into_bytes())));
        }
        let mut receipts = Vec::new();
        for each in manifest.offers {
            let offer = each.offer;
            custody.push(CustodyView {
                subject: offer.id.to_string(),
                head: offer.custody,
                events: each.custody,
            });
            receipts.push(ReceiptFile {
                offer: offer.id,
                record: each.receipt.record,
                salt: each.receipt.salt,
                leaf: each.receipt.leaf,
            });
        }
        Ok(Self {
            case,
            destinations,
            consents,
            reads,
            custody,
            receipts,
            audit: manifest.audit,
            policy: manifest.policy,
            ledger: LedgerFiles {
                requests_checkpoint: export.requests_checkpoint,
                oversight_checkpoint: export.oversight_checkpoint,
                proofs: export.proofs,
                keys: export.keys,
            },
        })
    }
}

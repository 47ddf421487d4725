//! The bundle for court: everything that a stranger needs to check the evidence offline, but for its bytes.

use std::collections::BTreeSet;

use canvass_types::{
    CaseId, Decision, MemberId, Policy, PortalBody, PublicAgency, Purpose, RequestBody, RequestState, Signed,
    Time,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{CaseView, ItemView, Joined, load::every};
use crate::{
    App, CoreError,
    access::{Actor, CaseExport, Grant, Intent, Target},
    custody::{Change, anchors},
    inbox::OfferView,
    plates::KeptReadsView,
    ports::{Query, Records, Versioned},
    records::{AuditRecord, Case, CustodyEvent, Hold, Item, KeptReads, Offer},
};

/// Most records of actions about one thing that go into a bundle.
const MOST_AUDIT: usize = 20_000;

/// An item with its chain of custody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExportedItem {
    /// The item.
    pub item: ItemView,
    /// Its chain of custody, this export included.
    pub custody: Vec<CustodyEvent>,
}

/// Plate reads that are kept in the case, with their chain of custody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExportedReads {
    /// The file.
    pub kept: KeptReadsView,
    /// Its text, byte for byte; null once it is destroyed.
    pub content: Option<String>,
    /// Its chain of custody, this export included.
    pub custody: Vec<CustodyEvent>,
}

/// What opens the commitment in the ledger that the resident's receipt is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReceiptOpening {
    /// The record.
    pub record: Value,
    /// Salt of the commitment, base64.
    pub salt: String,
    /// Canonical JSON of the ledger entry.
    pub leaf: String,
}

/// An offer with its chain of custody and receipt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExportedOffer {
    /// The offer.
    pub offer: OfferView,
    /// Its receipt, without the resident's part.
    pub receipt: ReceiptOpening,
    /// Its chain of custody.
    pub custody: Vec<CustodyEvent>,
}

/// A request or portal that evidence answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExportedDestination {
    /// Its id.
    pub id: String,
    /// The signed request.
    pub request: Option<Signed<RequestBody>>,
    /// Where the request stands.
    pub state: Option<RequestState>,
    /// What the moderator decided.
    pub decision: Option<Decision>,
    /// The signed portal.
    pub portal: Option<Signed<PortalBody>>,
    /// Canonical JSON of its entries in the requests ledger, oldest first.
    pub leaves: Vec<String>,
}

/// Everything that a bundle for court holds, but for the bytes of the items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExportManifest {
    /// Version of this form: 1.
    pub v: u32,
    /// When it was made.
    pub at: Time,
    /// Who made it.
    pub by: MemberId,
    /// Whose case it is, with all its signing keys.
    pub agency: PublicAgency,
    /// Canonical JSON of the agency's entries in the requests ledger, oldest first: its standing and its keys.
    pub agency_leaves: Vec<String>,
    /// The case.
    pub case: CaseView,
    /// Its items, the destroyed ones too.
    pub items: Vec<ExportedItem>,
    /// Plate reads that are kept in it, the destroyed ones too.
    #[serde(default)]
    pub reads: Vec<ExportedReads>,
    /// The offers that belong to the case or that items came from.
    pub offers: Vec<ExportedOffer>,
    /// The requests and portals that they answer, and those that the case joins.
    pub destinations: Vec<ExportedDestination>,
    /// Holds on the case, its items and offers.
    pub holds: Vec<Hold>,
    /// Why it was exported.
    pub purpose: Purpose,
    /// Limits and retentions in force.
    pub policy: Policy,
    /// Records of all actions on the case, its items and offers, oldest first for each, with the salts that open the
    /// oversight ledger's commitments. The last one is of this export.
    pub audit: Vec<AuditRecord>,
}

impl<R: Records> App<R> {
    /// Gathers a case for court. Each item that still exists gets an event `exported` in its chain of custody.
    ///
    /// # Errors
    /// When there is none for the actor, or the purpose is missing.
    pub async fn export_case(
        &self,
        actor: &Actor,
        id: &CaseId,
        purpose: &Purpose,
    ) -> Result<(Grant<CaseExport>, ExportManifest), CoreError> {
        let before = self.load_case(id).await?;
        let case = &before.record;
        let target = Target::of(&case.agency, id).in_case(Some(id.clone()));
        let purpose = self.for_case(purpose, Some(id)).await?;
        let intent = self.allow::<CaseExport>(actor, target, Some(&purpose)).await?;
        let now = self.now();
        let found = self.items_of_case(id).await?;
        let offers = self.offers_of_case(case, &found).await?;
        let holds = self.holds_of_case(case, &found, &offers).await?;
        let mut subjects = vec![id.to_string()];
        subjects.extend(found.iter().map(|item| item.record.id.to_string()));
        subjects.extend(offers.iter().map(|offer| offer.record.id.to_string()));
        let reads = self.kept_of_case(id).await?;
        subjects.extend(reads.iter().map(|kept| kept.record.id.to_string()));
        let mut audit = self.audit_about(&subjects).await?;
        let (gone, kept): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|item| item.record.destroyed.is_some());
        let record = intent.record().id.clone();
        let mut changes = Vec::new();
        for item in kept {
            let mut change = Change::of(item);
            let particulars =
                json!({ "case": id, "record": record, "sealed_sha256": change.now.sealed.sha256 });
            change.event("exported", Some(&actor.member), now, particulars);
            changes.push(change);
        }
        let reads = self.exported_changes(actor, reads, &record, now);
        let heads = changes.iter().map(|item| (item.now.id.to_string(), &item.now.custody));
        let heads = heads.chain(
            reads
                .iter()
                .filter_map(|(kept, grown)| grown.as_ref().map(|_| (kept.id.to_string(), &kept.custody))),
        );
        let intent = intent
            .detail(json!({
                "items": changes.len(), "offers": offers.len(), "reads": reads.len(), "others": anchors(heads),
            }))
            .with(|all| all.depends_on(&before));
        let intent = changes.iter().fold(intent, Intent::keep);
        let intent = reads.iter().filter_map(|(_, grown)| grown.as_ref()).fold(intent, Intent::keep);
        audit.push(AuditRecord {
            body: intent.record().clone(),
            salt: intent.salt(),
            leaf: Some(intent.leaf()),
        });
        let agency = self.agency(&case.agency).await?.record;
        let destinations = self.exported_destinations(case, offers.iter().map(|offer| &offer.record)).await?;
        let grant = intent.commit(self.records()).await?;
        let all = gone.iter().map(|item| &item.record).chain(changes.iter().map(|change| &change.now));
        let manifest = ExportManifest {
            v: 1,
            at: now,
            by: actor.member.clone(),
            agency: PublicAgency::from(&agency),
            agency_leaves: agency.leaves,
            case: CaseView::from(case),
            items: self.exported_items(all).await?,
            reads: self.exported_reads(reads.iter().map(|(kept, _)| kept)).await?,
            offers: self.exported_offers(offers.iter().map(|offer| &offer.record)).await?,
            destinations,
            holds,
            purpose,
            policy: self.policy().clone(),
            audit,
        };
        Ok((grant, manifest))
    }

    async fn audit_about(&self, subjects: &[String]) -> Result<Vec<AuditRecord>, CoreError> {
        let mut audit = Vec::new();
        for subject in subjects {
            let query = Query::<AuditRecord>::new().with("subject", subject);
            audit.extend(every(self.records(), query, MOST_AUDIT).await?.into_iter().map(|it| it.record));
        }
        Ok(audit)
    }

    /// Kept reads as they are exported: those that still exist with an event in their chain.
    fn exported_changes(
        &self,
        actor: &Actor,
        reads: Vec<Versioned<KeptReads>>,
        record: &canvass_types::AuditId,
        now: Time,
    ) -> Vec<(KeptReads, Option<Change<KeptReads>>)> {
        let one = |before: Versioned<KeptReads>| {
            if before.record.destroyed.is_some() {
                return (before.record, None);
            }
            let mut change = Change::of(before);
            let kept = &change.now;
            let particulars = json!({ "case": kept.case, "record": record, "sha256": kept.sha256 });
            change.event("exported", Some(&actor.member), now, particulars);
            (change.now.clone(), Some(change))
        };
        reads.into_iter().map(one).collect()
    }

    async fn exported_reads(
        &self,
        reads: impl Iterator<Item = &KeptReads>,
    ) -> Result<Vec<ExportedReads>, CoreError> {
        let mut exported = Vec::new();
        for kept in reads {
            let mut custody = self.chain(kept.id.as_str()).await?;
            custody.truncate(usize::try_from(kept.custody.length).unwrap_or(usize::MAX));
            exported.push(ExportedReads { kept: kept.into(), content: kept.content.clone(), custody });
        }
        Ok(exported)
    }

    async fn exported_items(
        &self,
        items: impl Iterator<Item = &Item>,
    ) -> Result<Vec<ExportedItem>, CoreError> {
        let mut exported = Vec::new();
        for item in items {
            let mut custody = self.chain(item.id.as_str()).await?;
            // Someone may have read the item since; the bundle ends where its own event stands.
            custody.truncate(usize::try_from(item.custody.length).unwrap_or(usize::MAX));
            exported.push(ExportedItem { item: ItemView::from(item), custody });
        }
        Ok(exported)
    }

    async fn exported_offers(
        &self,
        offers: impl Iterator<Item = &Offer>,
    ) -> Result<Vec<ExportedOffer>, CoreError> {
        let mut exported = Vec::new();
        for offer in offers {
            let mut custody = self.chain(offer.id.as_str()).await?;
            custody.truncate(usize::try_from(offer.custody.length).unwrap_or(usize::MAX));
            let receipt = ReceiptOpening {
                record: offer.receipt_record.clone(),
                salt: offer.receipt_salt.clone(),
                leaf: offer.receipt_leaf.clone(),
            };
            exported.push(ExportedOffer { offer: OfferView::from(offer), receipt, custody });
        }
        Ok(exported)
    }

    async fn exported_destinations(
        &self,
        case: &Case,
        offers: impl Iterator<Item = &Offer>,
    ) -> Result<Vec<ExportedDestination>, CoreError> {
        let mut ids: BTreeSet<String> = case.destinations.iter().cloned().collect();
        ids.extend(offers.map(|offer| offer.destination.clone()));
        let mut destinations = Vec::new();
        for id in ids {
            destinations.push(match self.joined(&case.agency, &id).await? {
                Joined::Request(it) => ExportedDestination {
                    id,
                    request: it.record.signed,
                    state: Some(it.record.state),
                    decision: it.record.decision,
                    portal: None,
                    leaves: it.record.leaves,
                },
                Joined::Portal(it) => ExportedDestination {
                    id,
                    request: None,
                    state: None,
                    decision: None,
                    portal: Some(it.record.signed),
                    leaves: it.record.leaves,
                },
            });
        }
        Ok(destinations)
    }
}

//! One offer with all that a member looks at beside it: what was asked, the receipt, holds, and what was taken of it.

use canvass_types::{Digest, IncidentType, OfferId, RequestState, leaf::Log};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::OfferView;
use crate::{
    App, CoreError,
    access::{Actor, OfferList, Target},
    cases::{ItemView, Joined},
    ports::Records,
    records::{Hold, Offer},
};

/// What an offer answers, as the agency signed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AskedView {
    /// Id of the request or portal.
    pub id: String,
    /// `request` or `portal`.
    pub kind: String,
    /// Where the request stands; null for a portal.
    pub state: Option<RequestState>,
    /// Whether a portal takes offers; null for a request.
    pub open: Option<bool>,
    /// Investigation code.
    pub code: Option<String>,
    /// What happened.
    pub incident: Option<IncidentType>,
    /// What people were told.
    pub details: String,
    /// SHA-256 of the signed body's canonical JSON; null once the text is forgotten.
    pub digest: Option<Digest>,
    /// Short name of the agency's key that signed it.
    pub key: Option<String>,
}

/// Where the receipt of an offer stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReceiptView {
    /// Canonical JSON of its entry in the oversight ledger.
    pub leaf: String,
    /// Its place in the ledger; null while it waits for one.
    pub index: Option<u64>,
    /// Whether the signed head of the ledger covers it.
    pub signed: bool,
}

/// An offer with what belongs to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OfferDetail {
    /// The offer.
    #[serde(flatten)]
    pub offer: OfferView,
    /// What it answers.
    pub asked: Option<AskedView>,
    /// The resident's receipt.
    pub receipt: ReceiptView,
    /// Holds in force on it or on its case.
    pub holds: Vec<Hold>,
    /// What was taken of it, altered copies too.
    pub items: Vec<ItemView>,
}

impl<R: Records> App<R> {
    /// One offer with what belongs to it. `signed` is the number of entries that the oversight ledger's head covers.
    ///
    /// # Errors
    /// When there is none for the actor.
    pub async fn offer_detail(
        &self,
        actor: &Actor,
        id: &OfferId,
        signed: u64,
    ) -> Result<OfferDetail, CoreError> {
        let offer = self.load_offer(id).await?.record;
        self.gate().check::<OfferList>(actor, &Target::of(&offer.agency, id))?;
        let index = self.records().ledger_index_of(Log::Oversight, offer.receipt_leaf.as_bytes()).await?;
        let mut holds = Vec::new();
        for subject in std::iter::once(id.as_str()).chain(offer.case.as_ref().map(|case| case.as_str())) {
            holds.extend(self.holds_on(subject).await?.into_iter().filter(|hold| hold.released.is_none()));
        }
        let items = self.items_of_offer(id).await?;
        Ok(OfferDetail {
            asked: self.asked(&offer).await?,
            receipt: ReceiptView {
                leaf: offer.receipt_leaf.clone(),
                index,
                signed: index.is_some_and(|index| index < signed),
            },
            holds,
            items: items.iter().map(|item| ItemView::from(&item.record)).collect(),
            offer: OfferView::from(&offer),
        })
    }

    async fn asked(&self, offer: &Offer) -> Result<Option<AskedView>, CoreError> {
        let found = match self.joined(&offer.agency, &offer.destination).await {
            Ok(found) => found,
            // The request is forgotten; the offer is not yet.
            Err(CoreError::Invalid(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(Some(match found {
            Joined::Request(found) => {
                let request = found.record;
                AskedView {
                    id: request.id.to_string(),
                    kind: "request".into(),
                    state: Some(request.state),
                    open: None,
                    code: Some(request.draft.code),
                    incident: Some(request.draft.incident),
                    details: request.draft.details,
                    digest: request.signed.as_ref().map(|signed| signed.digest),
                    key: request.signed.map(|signed| signed.key),
                }
            }
            Joined::Portal(found) => {
                let portal = found.record;
                AskedView {
                    id: portal.id.to_string(),
                    kind: "portal".into(),
                    state: None,
                    open: Some(portal.open),
                    code: None,
                    incident: None,
                    details: portal.signed.body.details,
                    digest: Some(portal.signed.digest),
                    key: Some(portal.signed.key),
                }
            }
        }))
    }
}

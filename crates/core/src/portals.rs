//! An agency's standing portal: a public address for footage that nobody asked for.

use canvass_types::{
    Asker, Contact, Digest, PortalBody, PortalId, SignatureText, Signed, Time, canonical,
    leaf::{Log, RequestsLeaf},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    App, CoreError,
    access::{Actor, AgencyRead, PortalClose, PortalOpen, Target},
    agencies::leaf_text,
    error::{accept, check_text, problem},
    ports::{Query, Records, RecordsExt, Versioned},
    records::{Portal, RequestKey},
};

/// A portal, signed on the agency's side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPortal {
    /// What it is for, 40 to 2,000 characters.
    pub details: String,
    /// Whom to ask.
    pub contact: Contact,
    /// When it was drawn up.
    pub created: Time,
    /// Short name of the agency key.
    pub key: String,
    /// Signature over `canvass/portal/v1` and the canonical JSON of the body.
    pub signature: SignatureText,
}

/// A portal, as members see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PortalView {
    /// Its id.
    pub id: PortalId,
    /// Whether it takes offers.
    pub open: bool,
    /// What was signed.
    pub signed: Signed<PortalBody>,
}

fn view(portal: &Portal) -> PortalView {
    PortalView { id: portal.id.clone(), open: portal.open, signed: portal.signed.clone() }
}

fn leaf(portal: &Portal, at: Time) -> RequestsLeaf {
    RequestsLeaf::PortalState {
        portal: portal.id.clone(),
        agency: portal.agency.clone(),
        state: if portal.open { "open" } else { "closed" }.into(),
        digest: portal.signed.digest,
        key: portal.signed.key.clone(),
        at,
    }
}

impl<R: Records> App<R> {
    /// Opens the agency's portal. Its key must be stored first, under the same id.
    ///
    /// # Errors
    /// When the actor may not, a field is wrong, one is open already, or the signature does not hold.
    pub async fn open_portal(
        &self,
        actor: &Actor,
        id: &PortalId,
        new: NewPortal,
    ) -> Result<PortalView, CoreError> {
        let agency = actor.agency.clone().ok_or(CoreError::Hidden("agency"))?;
        let intent = self.allow::<PortalOpen>(actor, Target::of(&agency, id), None).await?;
        let mut problems = Vec::new();
        check_text(&mut problems, "details", &new.details, 40..=2_000);
        check_text(&mut problems, "contact.name", &new.contact.name, 2..=120);
        if new.contact.phone.is_none() && new.contact.email.is_none() {
            problems.push(problem(
                "contact",
                "missing",
                "nobody could be reached",
                "give a telephone number or an e-mail address",
            ));
        }
        accept(problems)?;
        let agency = self.agency(&agency).await?;
        if !self.policy().ask.classes.contains(&agency.record.class)
            || agency.record.state != canvass_types::AgencyState::Verified
        {
            return Err(CoreError::state(
                "this agency may not ask residents for footage",
                "only verified agencies of a class that the policy names may",
            ));
        }
        let open = Query::<Portal>::new().with("agency", &agency.record.id).with("state", "open");
        if self.records().first(open).await?.is_some() {
            return Err(CoreError::state("the agency has an open portal", "close it first"));
        }
        let key = self.records().get::<RequestKey>(id.as_str()).await?;
        let key = key.filter(|key| key.record.agency == agency.record.id && key.record.wrapped.is_some());
        let key = key.ok_or_else(|| {
            CoreError::state("the portal has no key yet", "make it with `canvass agency request-key`")
        })?;
        let body = PortalBody {
            v: 1,
            id: id.clone(),
            agency: Asker {
                id: agency.record.id.clone(),
                name: agency.record.name.clone(),
                class: agency.record.class,
            },
            details: new.details,
            contact: new.contact,
            recipient: key.record.recipient.clone(),
            created: new.created,
        };
        let signer = agency.record.keys.iter().find(|each| each.id == new.key && each.revoked.is_none());
        if !signer.is_some_and(|signer| signer.public.verifies(PortalBody::CONTEXT, &body, &new.signature)) {
            return Err(CoreError::field(
                "signature",
                "signature",
                "the signature is not by a key of the agency that counts",
                "sign the body's canonical JSON under canvass/portal/v1",
            ));
        }
        let digest = Digest::of(&canonical(&body).unwrap_or_default());
        let signed = Signed { body, digest, key: new.key, signature: new.signature };
        let mut portal = Portal {
            id: id.clone(),
            agency: agency.record.id.clone(),
            signed,
            open: true,
            leaves: Vec::new(),
            unpublished: true,
        };
        let leaf = leaf(&portal, self.now());
        portal.leaves.push(leaf_text(&leaf));
        intent
            .with(|changes| {
                changes.insert(&portal).depends_on(&agency).depends_on(&key).leaf(Log::Requests, &leaf)
            })
            .commit(self.records())
            .await?;
        Ok(view(&portal))
    }

    /// Closes the portal; what was offered stays.
    ///
    /// # Errors
    /// When the actor may not, or it is closed.
    pub async fn close_portal(&self, actor: &Actor, id: &PortalId) -> Result<PortalView, CoreError> {
        let before: Versioned<Portal> =
            self.records().get(id.as_str()).await?.ok_or(CoreError::Hidden("portal"))?;
        let intent = self.allow::<PortalClose>(actor, Target::of(&before.record.agency, id), None).await?;
        if !before.record.open {
            return Err(CoreError::state("the portal is closed already", "open a new one when you need one"));
        }
        let mut portal = before.record.clone();
        (portal.open, portal.unpublished) = (false, true);
        let leaf = leaf(&portal, self.now());
        portal.leaves.push(leaf_text(&leaf));
        intent
            .with(|changes| changes.update(&before, &portal).leaf(Log::Requests, &leaf))
            .commit(self.records())
            .await?;
        Ok(view(&portal))
    }

    /// Portals of the actor's agency, newest first.
    ///
    /// # Errors
    /// When the actor belongs to no agency.
    pub async fn portals(&self, actor: &Actor) -> Result<Vec<PortalView>, CoreError> {
        let agency = actor.agency.clone().ok_or(CoreError::Hidden("agency"))?;
        self.gate().check::<AgencyRead>(actor, &Target::of(&agency, &agency))?;
        let portals =
            self.records().list(Query::<Portal>::new().with("agency", &agency).newest_first()).await?;
        Ok(portals.iter().map(|portal| view(&portal.record)).collect())
    }
}

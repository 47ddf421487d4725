//! Private invitations: a link for one person to give to a published request or an open portal. What is asked stays
//! public; the link only says that this person was asked by name, and to which case it belongs.

use canvass_types::{
    AgencyId, CaseId, Digest, InvitationId, MemberId, OfferId, RequestState, Time, env::random,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    App, CoreError,
    access::{Actor, InvitationCreate, InvitationList, InvitationRevoke, Target},
    ports::{Query, Records, RecordsExt},
    records::{Case, Invitation, Portal, Request},
};

/// An invitation that is to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInvitation {
    /// Id of the published request or open portal.
    pub destination: String,
    /// Case that what comes belongs to.
    #[serde(default)]
    pub case: Option<CaseId>,
}

/// An invitation with its secret, shown this once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IssuedInvitation {
    /// The invitation.
    pub invitation: InvitationView,
    /// The secret for `canvass give --invitation`, or for the fragment of a link.
    pub secret: String,
}

/// An invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InvitationView {
    /// Its id.
    pub id: InvitationId,
    /// Whose.
    pub agency: AgencyId,
    /// Where it leads to.
    pub destination: String,
    /// Case that what comes belongs to.
    pub case: Option<CaseId>,
    /// Who invited.
    pub by: MemberId,
    /// When.
    pub made: Time,
    /// Until when it counts.
    pub expires: Time,
    /// The offer that used it.
    pub used: Option<OfferId>,
    /// When it was taken back.
    pub revoked: Option<Time>,
}

impl From<&Invitation> for InvitationView {
    fn from(invitation: &Invitation) -> Self {
        let Invitation { id, agency, destination, case, by, made, expires, used, revoked, .. } =
            invitation.clone();
        Self { id, agency, destination, case, by, made, expires, used, revoked }
    }
}

impl<R: Records> App<R> {
    /// Invites one person.
    ///
    /// # Errors
    /// When the actor may not, or the destination takes no offers.
    pub async fn invite(&self, actor: &Actor, new: NewInvitation) -> Result<IssuedInvitation, CoreError> {
        let request = self.records().get::<Request>(&new.destination).await?;
        let portal = self.records().get::<Portal>(&new.destination).await?;
        let (agency, open) = match (&request, &portal) {
            (Some(request), _) => (&request.record.agency, request.record.state == RequestState::Published),
            (None, Some(portal)) => (&portal.record.agency, portal.record.open),
            (None, None) => return Err(CoreError::Hidden("request or portal")),
        };
        let id = InvitationId::random(self.entropy());
        let intent = self
            .allow::<InvitationCreate>(actor, Target::of(agency, &id).in_case(new.case.clone()), None)
            .await?;
        if !open {
            return Err(CoreError::state(
                "the destination takes no offers",
                "invite to a published request or an open portal",
            ));
        }
        if let Some(case) = &new.case {
            let found = self.records().get::<Case>(case.as_str()).await?;
            if !found.is_some_and(|found| found.record.agency == *agency && found.record.open) {
                return Err(CoreError::Hidden("case"));
            }
        }
        let secret = data_encoding::BASE32_NOPAD.encode(&random::<20>(self.entropy())).to_ascii_lowercase();
        let now = self.now();
        let invitation = Invitation {
            id,
            agency: agency.clone(),
            destination: new.destination,
            secret_hash: Digest::of(secret.as_bytes()),
            case: new.case,
            by: actor.member.clone(),
            made: now,
            expires: now.plus_days(self.policy().give.invitation_days),
            used: None,
            revoked: None,
        };
        intent
            .detail(json!({ "destination": invitation.destination, "expires": invitation.expires }))
            .with(|changes| changes.insert(&invitation))
            .commit(self.records())
            .await?;
        Ok(IssuedInvitation { invitation: (&invitation).into(), secret })
    }

    /// Invitations of the actor's agency, or of all agencies for who may read those of any, newest first.
    ///
    /// # Errors
    /// When the actor may not.
    pub async fn invitations(&self, actor: &Actor) -> Result<Vec<InvitationView>, CoreError> {
        let agency = actor.agency.clone();
        let target = Target::maybe(agency.as_ref(), "invitations");
        self.gate().check::<InvitationList>(actor, &target)?;
        let mut query = Query::<Invitation>::new().newest_first();
        if let Some(agency) = agency {
            query = query.with("agency", agency);
        }
        let all = self.records().list(query).await?;
        Ok(all.iter().map(|each| (&each.record).into()).collect())
    }

    /// Takes an invitation back.
    ///
    /// # Errors
    /// When the actor may not, or there is none.
    pub async fn revoke_invitation(
        &self,
        actor: &Actor,
        id: &InvitationId,
    ) -> Result<InvitationView, CoreError> {
        let before =
            self.records().get::<Invitation>(id.as_str()).await?.ok_or(CoreError::Hidden("invitation"))?;
        let intent =
            self.allow::<InvitationRevoke>(actor, Target::of(&before.record.agency, id), None).await?;
        let mut invitation = before.record.clone();
        invitation.revoked = invitation.revoked.or(Some(self.now()));
        intent.with(|changes| changes.update(&before, &invitation)).commit(self.records()).await?;
        Ok((&invitation).into())
    }
}

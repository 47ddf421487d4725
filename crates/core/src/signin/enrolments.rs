//! Enrolments: an administrator or operator invites a member to register a passkey, or to bind an account at the agency's
//! provider, once, within 72 hours.

use canvass_signin::User;
use canvass_types::{AccountId, Digest, EnrolmentId, MemberId, PasskeyId, Time, env::random};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{Ceremony, ProviderView, limits, lockout::forgiven, minutes, over, refused};
use super::{ceremonies::Pending, handle, passkeys::PasskeyView};
use crate::{
    App, CoreError,
    access::{Actor, By, EnrolmentCreate, EnrolmentRevoke, PasskeyAdd, PasskeyList, Target},
    ports::{Query, Records, RecordsExt, Versioned},
    records::{Enrolment, Member},
};

/// An enrolment, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EnrolmentView {
    /// Its id.
    pub id: EnrolmentId,
    /// Who is invited.
    pub member: MemberId,
    /// Who invited.
    pub by: MemberId,
    /// When.
    pub made: Time,
    /// Until when it counts.
    pub expires: Time,
    /// The passkey that it brought.
    pub used: Option<PasskeyId>,
    /// The federated account that it brought.
    pub bound: Option<AccountId>,
    /// When it was taken back.
    pub revoked: Option<Time>,
}

impl From<&Enrolment> for EnrolmentView {
    fn from(it: &Enrolment) -> Self {
        let Enrolment { id, member, by, made, expires, used, bound, revoked, .. } = it.clone();
        Self { id, member, by, made, expires, used, bound, revoked }
    }
}

/// An enrolment with its secret, shown this once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IssuedEnrolment {
    /// The enrolment.
    pub enrolment: EnrolmentView,
    /// The secret; whoever has it registers a passkey as this member.
    pub secret: String,
    /// The page that takes it, with the secret in the fragment, which browsers send nowhere.
    pub link: String,
}

/// Opens an enrolment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenEnrolment {
    /// The secret of the link.
    pub secret: String,
}

/// For whom an enrolment is, and what the authenticator is to be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EnrolmentOffer {
    /// The member's name.
    pub name: String,
    /// Until when it counts.
    pub expires: Time,
    /// The providers of the member's agency, at which an account can be bound instead.
    pub providers: Vec<ProviderView>,
    /// The ceremony.
    #[serde(flatten)]
    pub ceremony: Ceremony,
}

/// The passkey that an enrolment brings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FinishEnrolment {
    /// The secret of the link.
    pub secret: String,
    /// The ceremony that this answers.
    pub ceremony: String,
    /// What to call the passkey, 1 to 80 characters.
    pub label: String,
    /// The browser's answer: `PublicKeyCredential.toJSON()`.
    #[schema(value_type = Object)]
    pub credential: Value,
}

/// What the secret of each enrolment begins with.
const PREFIX: &str = "cve_";

fn spent() -> CoreError {
    CoreError::field(
        "secret",
        "unknown",
        "this enrolment is unknown, used, taken back or older than 72 hours",
        "ask your administrator or operator for a new link",
    )
}

impl<R: Records> App<R> {
    /// Invites a member to register a passkey.
    ///
    /// # Errors
    /// When the actor may not, the member does not exist or was stopped, or passkeys can't be used at the desk's address.
    pub async fn enrol(&self, actor: &Actor, member: &MemberId) -> Result<IssuedEnrolment, CoreError> {
        let member = self.member(member).await?;
        let facts = self.about_people(actor, member.record.agency.as_ref()).await?;
        let target = Target::maybe(member.record.agency.as_ref(), &member.record.id).with(facts);
        let intent = self.allow::<EnrolmentCreate>(actor, target, None).await?;
        if !member.record.active {
            return Err(CoreError::state("the member was stopped", "readmit them first"));
        }
        let origin = self.party()?.origin().to_owned();
        let now = self.now();
        let open = self.enrolments_of(&member.record.id).await?;
        if open.iter().filter(|it| counts(&it.record, now)).count() >= limits::ENROLMENTS {
            return Err(CoreError::state(
                "the member has five open enrolments",
                "let them use one, or take one back",
            ));
        }
        let secret = format!("{PREFIX}{}", data_encoding::HEXLOWER.encode(&random::<32>(self.entropy())));
        let enrolment = Enrolment {
            id: EnrolmentId::random(self.entropy()),
            member: member.record.id.clone(),
            by: actor.member.clone(),
            secret_hash: Digest::of(secret.as_bytes()),
            made: now,
            expires: minutes(now, limits::ENROLMENT_HOURS * 60),
            used: None,
            bound: None,
            revoked: None,
        };
        intent
            .detail(json!({ "enrolment": enrolment.id, "expires": enrolment.expires }))
            .with(|changes| changes.insert(&enrolment).depends_on(&member))
            .commit(self.records())
            .await?;
        let link = format!("{origin}/desk/enrol#{secret}");
        Ok(IssuedEnrolment { enrolment: (&enrolment).into(), secret, link })
    }

    async fn enrolments_of(&self, member: &MemberId) -> Result<Vec<Versioned<Enrolment>>, CoreError> {
        Ok(self.records().list(Query::<Enrolment>::new().with("member", member).newest_first()).await?)
    }

    /// Whether a member can register a passkey by an enrolment that is still open.
    pub(super) async fn may_enrol(&self, member: &MemberId) -> Result<bool, CoreError> {
        let now = self.now();
        Ok(self.enrolments_of(member).await?.iter().any(|it| counts(&it.record, now)))
    }

    /// A member's enrolments, newest first.
    ///
    /// # Errors
    /// When the actor may not, or the member does not exist.
    pub async fn enrolments(
        &self,
        actor: &Actor,
        member: &MemberId,
    ) -> Result<Vec<EnrolmentView>, CoreError> {
        let member = self.member(member).await?.record;
        let target = Target::maybe(member.agency.as_ref(), &member.id);
        self.look::<PasskeyList>(actor, &target).await?;
        Ok(self.enrolments_of(&member.id).await?.iter().map(|it| (&it.record).into()).collect())
    }

    /// Takes an enrolment back.
    ///
    /// # Errors
    /// When the actor may not, or there is none.
    pub async fn revoke_enrolment(
        &self,
        actor: &Actor,
        id: &EnrolmentId,
    ) -> Result<EnrolmentView, CoreError> {
        let before =
            self.records().get::<Enrolment>(id.as_str()).await?.ok_or(CoreError::Hidden("enrolment"))?;
        let member = self.member(&before.record.member).await?.record;
        let target = Target::maybe(member.agency.as_ref(), id);
        let intent = self.allow::<EnrolmentRevoke>(actor, target, None).await?;
        let mut enrolment = before.record.clone();
        enrolment.revoked = enrolment.revoked.or(Some(self.now()));
        intent.with(|changes| changes.update(&before, &enrolment)).commit(self.records()).await?;
        Ok((&enrolment).into())
    }

    pub(super) async fn open(
        &self,
        secret: &str,
    ) -> Result<(Versioned<Enrolment>, Versioned<Member>), CoreError> {
        let hash = Digest::of(secret.as_bytes());
        let found = self.records().first(Query::<Enrolment>::new().with("secret_hash", hash)).await?;
        self.still_open(found).await
    }

    pub(super) async fn open_by_id(
        &self,
        id: &EnrolmentId,
    ) -> Result<(Versioned<Enrolment>, Versioned<Member>), CoreError> {
        let found = self.records().get::<Enrolment>(id.as_str()).await?;
        self.still_open(found).await
    }

    async fn still_open(
        &self,
        found: Option<Versioned<Enrolment>>,
    ) -> Result<(Versioned<Enrolment>, Versioned<Member>), CoreError> {
        let found = found.filter(|it| counts(&it.record, self.now())).ok_or_else(spent)?;
        let member = self.member(&found.record.member).await?;
        if member.record.active { Ok((found, member)) } else { Err(spent()) }
    }

    /// Begins to register the passkey of an enrolment.
    ///
    /// # Errors
    /// When the enrolment does not count, or was tried too often.
    pub async fn begin_enrolment(&self, open: &OpenEnrolment) -> Result<EnrolmentOffer, CoreError> {
        let (enrolment, member) = self.open(&open.secret).await?;
        self.not_locked_out(enrolment.record.id.as_str()).await?;
        let known = self.credentials_of(&member.record.id).await?;
        let user = User { handle: handle(&member.record.id), name: &member.record.name };
        let (state, options) =
            self.party()?.begin_registration(user, &known).map_err(|error| refused(&error))?;
        let pending = Pending::Enrol(enrolment.record.id.clone(), state);
        let ceremony = self.signing_in().put(self.entropy(), self.now(), pending);
        let ceremony = Ceremony { ceremony, options };
        let providers = self.providers_of(&member.record);
        Ok(EnrolmentOffer {
            name: member.record.name,
            expires: enrolment.record.expires,
            providers,
            ceremony,
        })
    }

    /// Registers the passkey of an enrolment, which is used up by it.
    ///
    /// # Errors
    /// When the enrolment or the ceremony does not count, or the answer is refused; five refusals lock the enrolment out.
    pub async fn finish_enrolment(&self, finish: &FinishEnrolment) -> Result<PasskeyView, CoreError> {
        let (before, member) = self.open(&finish.secret).await?;
        let failures = self.not_locked_out(before.record.id.as_str()).await?;
        let state = match self.signing_in().take(&finish.ceremony, self.now()) {
            Some(Pending::Enrol(id, state)) if id == before.record.id => state,
            _ => return Err(over()),
        };
        let credential = match state.finish(self.party()?, &finish.credential) {
            Ok(credential) => credential,
            Err(error) => {
                self.failed(before.record.id.as_str(), member.record.agency.as_ref()).await?;
                return Err(refused(&error));
            }
        };
        let by = By::Enrolment(before.record.id.clone());
        let actor = self.actor(&member.record, Vec::new(), by).await?;
        let passkey = self.new_passkey(&actor, &finish.label, credential).await?;
        let mut enrolment = before.record.clone();
        enrolment.used = Some(passkey.id.clone());
        self.own::<PasskeyAdd>(&actor, &passkey.id)
            .await?
            .detail(json!({ "enrolment": enrolment.id }))
            .with(|changes| {
                let changes = changes.insert(&passkey).update(&before, &enrolment).depends_on(&member);
                forgiven(changes, failures.as_ref())
            })
            .commit(self.records())
            .await?;
        Ok((&passkey).into())
    }
}

fn counts(enrolment: &Enrolment, now: Time) -> bool {
    enrolment.used.is_none()
        && enrolment.bound.is_none()
        && enrolment.revoked.is_none()
        && enrolment.expires > now
}

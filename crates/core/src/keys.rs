//! Wrapped private keys of requests and portals. They are made and opened on the agency's side alone; the server keeps
//! an armoured age file that none of its keys opens.

use canvass_types::{AgencyId, MemberId, RequestId, Time};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    App, CoreError,
    access::{Action, Actor, Intent, KeyDestroy, KeyPut, KeyRead, KeyRewrap, Target},
    agencies::is_recipient,
    error::{accept, problem},
    ports::{Query, Records, RecordsExt, Versioned},
    records::{Item, Member, Offer, OfferState, Portal, Request, RequestKey},
};

/// Longest wrapped key: room for some 300 members.
const MOST_BYTES: usize = 64 * 1024;

/// A wrapped key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WrappedKey {
    /// age recipient of the key.
    pub recipient: String,
    /// Armoured age file with the identity.
    pub wrapped: String,
    /// Members to whom it is wrapped.
    pub group: Vec<MemberId>,
    /// Whether it is wrapped to the agency's recovery recipient too.
    pub recovery: bool,
}

/// A wrapped key, as members see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyView {
    /// Id of the request or portal.
    pub destination: String,
    /// Whose.
    pub agency: AgencyId,
    /// age recipient of the key.
    pub recipient: String,
    /// Armoured age file with the identity; only when fetched, and gone once destroyed.
    pub wrapped: Option<String>,
    /// Members to whom it is wrapped.
    pub group: Vec<MemberId>,
    /// Whether the recovery identity opens it too.
    pub recovery: bool,
    /// When it was made.
    pub made: Time,
    /// When it was destroyed.
    pub destroyed: Option<Time>,
    /// Whether it is wrapped to whoever asks.
    #[serde(default)]
    pub mine: bool,
}

fn view(key: &RequestKey, actor: &Actor) -> KeyView {
    let RequestKey { destination, agency, recipient, wrapped, group, recovery, made, destroyed } =
        key.clone();
    let mine = wrapped.is_some() && group.contains(&actor.member);
    KeyView { destination, agency, recipient, wrapped, group, recovery, made, destroyed, mine }
}

fn check_wrapped(key: &WrappedKey) -> Result<(), CoreError> {
    let mut problems = Vec::new();
    if !is_recipient(&key.recipient) {
        problems.push(problem(
            "recipient",
            "age",
            "this is no age X25519 recipient",
            "send what `canvass agency request-key` made",
        ));
    }
    let armoured = key.wrapped.trim_start().starts_with("-----BEGIN AGE ENCRYPTED FILE-----");
    if key.wrapped.len() > MOST_BYTES || !armoured {
        problems.push(problem(
            "wrapped",
            "age",
            "this is no armoured age file of at most 64 KiB",
            "send what `canvass agency request-key` made",
        ));
    }
    if key.wrapped.contains("AGE-SECRET-KEY-") {
        problems.push(problem(
            "wrapped",
            "secret",
            "a private key must never be sent",
            "throw this key away and make another one",
        ));
    }
    if key.group.is_empty() {
        problems.push(problem(
            "group",
            "empty",
            "the key is wrapped to nobody",
            "wrap it to at least one member",
        ));
    }
    if !key.recovery {
        problems.push(problem(
            "recovery",
            "missing",
            "without the recovery identity a lost key would lose evidence",
            "name a recovery identity with `canvass agency recovery` and wrap to it too",
        ));
    }
    accept(problems)
}

impl<R: Records> App<R> {
    async fn request_key(&self, destination: &str) -> Result<Versioned<RequestKey>, CoreError> {
        self.records().get(destination).await?.ok_or(CoreError::Hidden("key"))
    }

    async fn key_deed<A: Action>(
        &self,
        actor: &Actor,
        destination: &str,
    ) -> Result<(Versioned<RequestKey>, RequestKey, Intent<A>), CoreError> {
        let before = self.request_key(destination).await?;
        let intent = self.allow::<A>(actor, Target::of(&before.record.agency, destination), None).await?;
        let key = before.record.clone();
        Ok((before, key, intent))
    }

    async fn check_group(&self, agency: &AgencyId, group: &[MemberId]) -> Result<(), CoreError> {
        for id in group {
            let member = self.records().get::<Member>(id.as_str()).await?;
            let fits = |member: &Versioned<Member>| {
                member.record.active
                    && member.record.recipient.is_some()
                    && member.record.agency.as_ref() == Some(agency)
            };
            if !member.as_ref().is_some_and(fits) {
                return Err(CoreError::field(
                    "group",
                    "member",
                    "one of the group is no active member of the agency with a recipient",
                    "list the members again and wrap to those who have one",
                ));
            }
        }
        Ok(())
    }

    /// Stores the wrapped key of a draft, or of a portal that is to be opened. A second one replaces the first as long
    /// as nothing is signed.
    ///
    /// # Errors
    /// When the actor may not, a field is wrong, or the request is signed.
    pub async fn put_key(
        &self,
        actor: &Actor,
        destination: &str,
        new: WrappedKey,
    ) -> Result<KeyView, CoreError> {
        let agency = match destination.parse::<RequestId>() {
            Ok(id) => {
                let request =
                    self.records().get::<Request>(id.as_str()).await?.ok_or(CoreError::Hidden("request"))?;
                if request.record.state != canvass_types::RequestState::Draft {
                    return Err(CoreError::state(
                        "the request is signed, its key can't change",
                        "rewrap the key to change who holds it",
                    ));
                }
                request.record.agency
            }
            Err(_) => {
                destination
                    .parse::<canvass_types::PortalId>()
                    .map_err(|_| CoreError::Hidden("request or portal"))?;
                if self.records().get::<Portal>(destination).await?.is_some() {
                    return Err(CoreError::state(
                        "the portal is open, its key can't change",
                        "rewrap the key to change who holds it",
                    ));
                }
                actor.agency.clone().ok_or(CoreError::Hidden("portal"))?
            }
        };
        let intent = self.allow::<KeyPut>(actor, Target::of(&agency, destination), None).await?;
        check_wrapped(&new)?;
        self.check_group(&agency, &new.group).await?;
        let before = self.records().get::<RequestKey>(destination).await?;
        if before.as_ref().is_some_and(|before| before.record.agency != agency) {
            return Err(CoreError::Hidden("portal"));
        }
        let key = RequestKey {
            destination: destination.to_owned(),
            agency,
            recipient: new.recipient,
            wrapped: Some(new.wrapped),
            group: new.group,
            recovery: new.recovery,
            made: self.now(),
            destroyed: None,
        };
        intent
            .detail(json!({ "recipient": key.recipient, "group": key.group.len(), "recovery": key.recovery }))
            .with(|changes| match &before {
                Some(before) => changes.update(before, &key),
                None => changes.insert(&key),
            })
            .commit(self.records())
            .await?;
        Ok(view(&key, actor))
    }

    /// Gives out a wrapped key. Only a member's own identity opens it.
    ///
    /// # Errors
    /// When the actor may not, or the key is destroyed.
    pub async fn read_key(&self, actor: &Actor, destination: &str) -> Result<KeyView, CoreError> {
        let (_, key, intent) = self.key_deed::<KeyRead>(actor, destination).await?;
        if key.wrapped.is_none() {
            return Err(CoreError::state(
                "this key is destroyed; what was sealed to it can't be opened any more",
                "see the oversight ledger for when it was destroyed",
            ));
        }
        intent.commit(self.records()).await?;
        Ok(view(&key, actor))
    }

    /// Keys of the actor's agency, without their wrapped form: for rewrapping when the group changes.
    ///
    /// # Errors
    /// When the actor may not.
    pub async fn keys(&self, actor: &Actor) -> Result<Vec<KeyView>, CoreError> {
        let agency = actor.agency.clone().ok_or(CoreError::Hidden("agency"))?;
        self.gate().check::<KeyRead>(actor, &Target::of(&agency, &agency))?;
        let keys = self.records().list(Query::<RequestKey>::new().with("agency", &agency)).await?;
        Ok(keys.iter().map(|key| KeyView { wrapped: None, ..view(&key.record, actor) }).collect())
    }

    /// Replaces the wrapped form after the group changed.
    ///
    /// # Errors
    /// When the actor may not, the recipient is another one, or the key is destroyed.
    pub async fn rewrap_key(
        &self,
        actor: &Actor,
        destination: &str,
        new: WrappedKey,
    ) -> Result<KeyView, CoreError> {
        let (before, mut key, intent) = self.key_deed::<KeyRewrap>(actor, destination).await?;
        check_wrapped(&new)?;
        if new.recipient != key.recipient {
            return Err(CoreError::field(
                "recipient",
                "differs",
                "this is another key",
                "rewrap the identity of the recipient that was published",
            ));
        }
        if key.wrapped.is_none() {
            return Err(CoreError::state("this key is destroyed", "it can't come back"));
        }
        self.check_group(&key.agency, &new.group).await?;
        (key.wrapped, key.group, key.recovery) = (Some(new.wrapped), new.group, new.recovery);
        intent
            .detail(json!({ "group": key.group.len(), "recovery": key.recovery }))
            .with(|changes| changes.update(&before, &key))
            .commit(self.records())
            .await?;
        Ok(view(&key, actor))
    }

    /// Destroys a wrapped key: what was sealed to it can never be opened again. Refused while evidence that is kept
    /// depends on it.
    ///
    /// # Errors
    /// When the actor may not, or the request still takes offers, or kept evidence is sealed to it.
    pub async fn destroy_key(&self, actor: &Actor, destination: &str) -> Result<KeyView, CoreError> {
        let (before, mut key, intent) = self.key_deed::<KeyDestroy>(actor, destination).await?;
        if let Some(request) = self.records().get::<Request>(destination).await?
            && matches!(
                request.record.state,
                canvass_types::RequestState::Published | canvass_types::RequestState::InModeration
            )
        {
            return Err(CoreError::state("the request still takes offers", "resolve it first"));
        }
        if self.records().get::<Portal>(destination).await?.is_some_and(|portal| portal.record.open) {
            return Err(CoreError::state("the portal still takes offers", "close it first"));
        }
        let offers = self.records().list(Query::<Offer>::new().with("destination", destination)).await?;
        for offer in &offers {
            let items = self.records().list(Query::<Item>::new().with("offer", &offer.record.id)).await?;
            let envelope = !matches!(offer.record.state, OfferState::Destroyed | OfferState::Withdrawn);
            if envelope || items.iter().any(|item| item.record.destroyed.is_none()) {
                return Err(CoreError::state(
                    "evidence that is kept is sealed to this key",
                    "wait until it is destroyed, or export it and let its retention end",
                ));
            }
        }
        key.wrapped = None;
        key.destroyed = key.destroyed.or(Some(self.now()));
        intent
            .detail(json!({ "recipient": key.recipient }))
            .with(|changes| changes.update(&before, &key))
            .commit(self.records())
            .await?;
        Ok(view(&key, actor))
    }
}

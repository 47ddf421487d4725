//! A member's passkeys: more than one, added and removed by the member, removed by the administrator.

use canvass_signin::{Credential, User};
use canvass_types::{MemberId, PasskeyId, Time};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{Ceremony, ceremonies::Pending, handle, limits, over, refused};
use crate::{
    App, CoreError,
    access::{Actor, By, PasskeyAdd, PasskeyList, PasskeyRemove, Target},
    error::{accept, check_text},
    ports::{Changeset, Query, Records, RecordsExt, Versioned},
    records::{Member, Opener, Passkey, Session, Token},
};

/// A passkey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PasskeyView {
    /// Its id.
    pub id: PasskeyId,
    /// Whose it is.
    pub member: MemberId,
    /// What the member calls it.
    pub label: String,
    /// When it was registered.
    pub created: Time,
    /// When it was last used.
    pub last_used: Option<Time>,
    /// When it was removed.
    pub stopped: Option<Time>,
}

impl From<&Passkey> for PasskeyView {
    fn from(it: &Passkey) -> Self {
        let Passkey { id, member, label, created, last_used, stopped, .. } = it.clone();
        Self { id, member, label, created, last_used, stopped }
    }
}

/// A passkey that a member adds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FinishPasskey {
    /// The ceremony that this answers.
    pub ceremony: String,
    /// What to call the passkey, 1 to 80 characters.
    pub label: String,
    /// The browser's answer: `PublicKeyCredential.toJSON()`.
    #[schema(value_type = Object)]
    pub credential: Value,
}

impl<R: Records> App<R> {
    pub(super) async fn passkeys_of(&self, member: &MemberId) -> Result<Vec<Versioned<Passkey>>, CoreError> {
        Ok(self.records().list(Query::<Passkey>::new().with("member", member)).await?)
    }

    pub(super) async fn credentials_of(&self, member: &MemberId) -> Result<Vec<Credential>, CoreError> {
        let mut keys = self.passkeys_of(member).await?;
        keys.retain(|key| key.record.stopped.is_none());
        Ok(keys.into_iter().map(|key| key.record.credential).collect())
    }

    /// A passkey under its id among authenticators.
    pub(super) async fn by_credential(&self, id: &str) -> Result<Option<Versioned<Passkey>>, CoreError> {
        Ok(self.records().first(Query::<Passkey>::new().with("credential", id)).await?)
    }

    pub(super) async fn new_passkey(
        &self,
        actor: &Actor,
        label: &str,
        credential: Credential,
    ) -> Result<Passkey, CoreError> {
        let mut problems = Vec::new();
        check_text(&mut problems, "label", label, 1..=80);
        accept(problems)?;
        // Also a removed one: its id must not lead to two records.
        if self.by_credential(&credential.id).await?.is_some() {
            return Err(CoreError::state(
                "this passkey is registered already, or was removed",
                "make a new one, or use another authenticator",
            ));
        }
        if self.credentials_of(&actor.member).await?.len() >= limits::PASSKEYS {
            return Err(CoreError::state("there are 20 passkeys", "remove one that you no longer use"));
        }
        let enrolment = match &actor.by {
            By::Enrolment(id) => Some(id.clone()),
            By::Token { .. } | By::Session { .. } => None,
        };
        Ok(Passkey {
            id: PasskeyId::random(self.entropy()),
            member: actor.member.clone(),
            label: label.trim().to_owned(),
            credential,
            enrolment,
            created: self.now(),
            last_used: None,
            stopped: None,
        })
    }

    /// The actor's own passkeys, oldest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn my_passkeys(&self, actor: &Actor) -> Result<Vec<PasskeyView>, CoreError> {
        Ok(self.passkeys_of(&actor.member).await?.iter().map(|key| (&key.record).into()).collect())
    }

    /// A member's passkeys, oldest first.
    ///
    /// # Errors
    /// When the actor may not, or the member does not exist.
    pub async fn passkeys(&self, actor: &Actor, member: &MemberId) -> Result<Vec<PasskeyView>, CoreError> {
        let member = self.member(member).await?.record;
        let target = Target::maybe(member.agency.as_ref(), &member.id);
        self.look::<PasskeyList>(actor, &target).await?;
        Ok(self.passkeys_of(&member.id).await?.iter().map(|key| (&key.record).into()).collect())
    }

    /// Begins to add a passkey of the actor's own.
    ///
    /// # Errors
    /// When the session is not fresh, a machine asks, or passkeys can't be used at the desk's address.
    pub async fn begin_passkey(&self, actor: &Actor) -> Result<Ceremony, CoreError> {
        self.gate().check_own::<PasskeyAdd>(actor)?;
        let member = self.member(&actor.member).await?.record;
        whole(actor, &member)?;
        let known = self.credentials_of(&member.id).await?;
        let user = User { handle: handle(&member.id), name: &member.name };
        let (state, options) =
            self.party()?.begin_registration(user, &known).map_err(|error| refused(&error))?;
        let pending = Pending::Add(member.id, state);
        Ok(Ceremony { ceremony: self.signing_in().put(self.entropy(), self.now(), pending), options })
    }

    /// Adds a passkey of the actor's own.
    ///
    /// # Errors
    /// When the session is not fresh, the ceremony does not count or the answer is refused.
    pub async fn add_passkey(&self, actor: &Actor, finish: &FinishPasskey) -> Result<PasskeyView, CoreError> {
        self.gate().check_own::<PasskeyAdd>(actor)?;
        let member = self.member(&actor.member).await?;
        whole(actor, &member.record)?;
        let state = match self.signing_in().take(&finish.ceremony, self.now()) {
            Some(Pending::Add(member, state)) if member == actor.member => state,
            _ => return Err(over()),
        };
        let credential = state.finish(self.party()?, &finish.credential).map_err(|error| refused(&error))?;
        let passkey = self.new_passkey(actor, &finish.label, credential).await?;
        self.own::<PasskeyAdd>(actor, &passkey.id)
            .await?
            .with(|changes| changes.insert(&passkey).depends_on(&member))
            .commit(self.records())
            .await?;
        Ok((&passkey).into())
    }

    /// Removes a passkey, one's own or a member's; sessions that it opened end at once.
    ///
    /// # Errors
    /// When the actor may not, there is none, or it is the actor's last way to sign in.
    pub async fn remove_passkey(&self, actor: &Actor, id: &PasskeyId) -> Result<PasskeyView, CoreError> {
        let before = self.records().get::<Passkey>(id.as_str()).await?.ok_or(CoreError::Hidden("passkey"))?;
        let member = self.member(&before.record.member).await?;
        let mine = actor.member == member.record.id;
        let intent = if mine {
            whole(actor, &member.record)?;
            self.own::<PasskeyRemove>(actor, id).await?
        } else {
            let target = Target::maybe(member.record.agency.as_ref(), id);
            self.allow::<PasskeyRemove>(actor, target, None).await?
        };
        let opener = Opener::Passkey(id.clone());
        if mine && before.record.stopped.is_none() && !self.other_way(&member.record.id, &opener).await? {
            return Err(CoreError::state(
                "it is your last way to sign in",
                "add another passkey first, then remove this one",
            ));
        }
        let now = self.now();
        let mut passkey = before.record.clone();
        passkey.stopped = passkey.stopped.or(Some(now));
        let sessions = self.opened_by(&passkey.member, &opener).await?;
        intent
            .detail(serde_json::json!({ "member": passkey.member, "sessions": sessions.len() }))
            .with(|changes| ended(changes.update(&before, &passkey).depends_on(&member), &sessions, now))
            .commit(self.records())
            .await?;
        Ok((&passkey).into())
    }

    /// Whether the member can sign in without this: by another passkey or account, by a person's token, or by an open
    /// enrolment.
    pub(super) async fn other_way(&self, member: &MemberId, without: &Opener) -> Result<bool, CoreError> {
        let keys = self.passkeys_of(member).await?.into_iter().map(|it| it.record);
        let keys = keys.filter(|it| it.stopped.is_none()).map(|it| Opener::Passkey(it.id));
        let accounts = self.accounts_of(member).await?.into_iter().map(|it| it.record);
        let accounts = accounts.filter(|it| it.stopped.is_none()).map(|it| Opener::Account(it.id));
        if keys.chain(accounts).any(|other| other != *without) || self.may_enrol(member).await? {
            return Ok(true);
        }
        let now = self.now();
        let tokens = self.records().list(Query::<Token>::new().with("member", member)).await?;
        let counts = |it: &Token| it.revoked.is_none() && it.expires > now && it.scope.is_none();
        Ok(tokens.iter().any(|token| counts(&token.record)))
    }
}

/// A passkey signs in with all of the member's roles, so who holds a token with some of them adds and removes none.
pub(super) fn whole(actor: &Actor, member: &Member) -> Result<(), CoreError> {
    if member.roles.iter().all(|role| actor.roles.contains(role)) {
        return Ok(());
    }
    Err(CoreError::state(
        "this token has only some of your roles, and a passkey has all of them",
        "sign in with a passkey or a token of all your roles, or ask your administrator for an enrolment link",
    ))
}

/// Ends sessions, as part of what removed that which opened them.
pub(super) fn ended(changes: Changeset, sessions: &[Versioned<Session>], now: Time) -> Changeset {
    sessions
        .iter()
        .fold(changes, |all, it| all.update(it, &Session { ended: Some(now), ..it.record.clone() }))
}

//! Sessions: opened by a passkey or a federated account in one browser, whose own key must sign to open, unlock or confirm them.

use canvass_signin::{Answer, Asserting};
use canvass_types::{Digest, MemberId, SessionId, Time, env::random};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    Ceremony, Device, ProviderView, ceremonies::Pending, device_name, handle, limits, lockout::forgiven,
    minutes, over, refused,
};
use crate::{
    App, CoreError,
    access::{Actor, By, Job, PasskeyList, SessionEnd, SessionOpen, Target},
    ports::{Changeset, Query, Records, RecordsExt, StoreError, Versioned},
    records::{Lockout, Member, Opener, Passkey, Session},
};

/// Where a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SessionState {
    /// There is none, or it ended.
    None,
    /// It acts.
    Open,
    /// A passkey unlocks it.
    Locked,
}

/// A session, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionView {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub member: MemberId,
    /// What the device is called.
    pub device: String,
    /// When it was opened.
    pub opened: Time,
    /// When it last acted, to the minute.
    pub last_seen: Time,
    /// When it ends at the latest.
    pub expires: Time,
    /// Where it stands.
    pub state: SessionState,
    /// Until when dangerous actions need no new confirmation.
    pub fresh_until: Time,
}

/// The answer to a sign-in, an unlocking or a confirmation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FinishSession {
    /// The ceremony that this answers.
    pub ceremony: String,
    /// The browser's answer: `PublicKeyCredential.toJSON()`.
    #[schema(value_type = Object)]
    pub credential: Value,
    /// The device with its signature over the ceremony.
    pub device: Device,
}

/// A session that was opened. The secret goes into a cookie that scripts can't read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedSession {
    /// The session.
    pub session: SessionView,
    /// Its secret, known this once.
    pub secret: String,
}

/// What the secret of each session begins with.
pub const SESSION_PREFIX: &str = "cvs_";

/// Seconds within which an act is not written down anew.
const TOUCH: i64 = 60;

impl<R: Records> App<R> {
    pub(crate) fn session_view(&self, it: &Session) -> SessionView {
        SessionView {
            id: it.id.clone(),
            member: it.member.clone(),
            device: it.device_name.clone(),
            opened: it.opened,
            last_seen: it.last_seen,
            expires: it.expires,
            state: stands(it, self.now()),
            fresh_until: it.fresh_until,
        }
    }

    async fn session_of(&self, secret: &str) -> Result<Option<Versioned<Session>>, CoreError> {
        if !secret.starts_with(SESSION_PREFIX) {
            return Ok(None);
        }
        let hash = Digest::of(secret.as_bytes());
        let found = self.records().first(Query::<Session>::new().with("secret_hash", hash)).await?;
        Ok(found.filter(|it| stands(&it.record, self.now()) != SessionState::None))
    }

    pub(super) async fn held(&self, secret: &str) -> Result<(Versioned<Session>, Member), CoreError> {
        let session = self.session_of(secret).await?.ok_or(CoreError::SignIn)?;
        let member = self.records().get::<Member>(session.record.member.as_str()).await?;
        let member = member.ok_or(CoreError::SignIn)?.record;
        if member.active { Ok((session, member)) } else { Err(CoreError::SignIn) }
    }

    pub(super) async fn session_state(
        &self,
        secret: Option<&str>,
    ) -> Result<(SessionState, Option<ProviderView>), CoreError> {
        let Some(secret) = secret else { return Ok((SessionState::None, None)) };
        match self.held(secret).await {
            Ok((session, _)) => {
                let at = self.unlocks(&session.record).await?;
                Ok((stands(&session.record, self.now()), at))
            }
            Err(CoreError::SignIn) => Ok((SessionState::None, None)),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn acting(&self, member: &Member, session: &Session) -> Result<Actor, CoreError> {
        let by = By::Session { id: session.id.clone(), fresh: true };
        self.actor(member, member.roles.clone(), by).await
    }

    /// Who a session's secret belongs to. It counts as an act: a session without one for 30 minutes is locked.
    ///
    /// # Errors
    /// [`CoreError::SignIn`] for a secret that does not count; [`CoreError::Locked`] for a session that is locked.
    pub async fn session_actor(&self, secret: &str) -> Result<Actor, CoreError> {
        let (session, member) = self.held(secret).await?;
        let (now, it) = (self.now(), &session.record);
        if stands(it, now) == SessionState::Locked {
            return Err(CoreError::Locked);
        }
        if it.last_seen.plus_seconds(TOUCH) <= now {
            let seen = Session { last_seen: now, ..it.clone() };
            let touch = self.system(Job::Housekeeping, Target::shared(&it.id));
            match touch.with(|changes| changes.update(&session, &seen)).commit(self.records()).await {
                // Another request of the same session was first: it wrote the same.
                Ok(_) | Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let by = By::Session { id: it.id.clone(), fresh: it.fresh_until > now };
        self.actor(&member, member.roles.clone(), by).await
    }

    /// Begins a sign-in: no name is asked for, the passkey says who it is.
    ///
    /// # Errors
    /// When passkeys can't be used at the desk's address.
    pub fn begin_sign_in(&self) -> Result<Ceremony, CoreError> {
        self.begin(Pending::SignIn)
    }

    fn begin(&self, pending: impl FnOnce(Asserting) -> Pending) -> Result<Ceremony, CoreError> {
        let (state, options) = self.party()?.begin_assertion().map_err(|error| refused(&error))?;
        let ceremony = self.signing_in().put(self.entropy(), self.now(), pending(state));
        Ok(Ceremony { ceremony, options })
    }

    /// Opens a session.
    ///
    /// # Errors
    /// When the ceremony does not count, the passkey is unknown, removed or refused, the device did not sign, or the member
    /// is locked out.
    pub async fn finish_sign_in(&self, finish: &FinishSession) -> Result<OpenedSession, CoreError> {
        let state = match self.signing_in().take(&finish.ceremony, self.now()) {
            Some(Pending::SignIn(state)) => state,
            _ => return Err(over()),
        };
        let proved = self.prove(state, finish, None).await?;
        let opener = Opener::Passkey(proved.used.id.clone());
        let fresh = minutes(self.now(), limits::FRESH_MINUTES);
        let (session, secret) = self.new_session(&proved.member.record, opener, &finish.device, fresh);
        let actor = self.acting(&proved.member.record, &session).await?;
        self.own::<SessionOpen>(&actor, &session.id)
            .await?
            .detail(json!({ "passkey": proved.used.id, "device": session.device_name }))
            .with(|changes| {
                let changes = changes.insert(&session).update(&proved.passkey, &proved.used);
                forgiven(changes.depends_on(&proved.member), proved.failures.as_ref())
            })
            .commit(self.records())
            .await?;
        Ok(OpenedSession { session: self.session_view(&session), secret })
    }

    /// A session that begins now, with its secret.
    pub(super) fn new_session(
        &self,
        member: &Member,
        opener: Opener,
        device: &Device,
        fresh_until: Time,
    ) -> (Session, String) {
        let now = self.now();
        let secret =
            format!("{SESSION_PREFIX}{}", data_encoding::HEXLOWER.encode(&random::<32>(self.entropy())));
        let session = Session {
            id: SessionId::random(self.entropy()),
            member: member.id.clone(),
            opener,
            secret_hash: Digest::of(secret.as_bytes()),
            device: device.key.clone(),
            device_name: device_name(&device.name),
            opened: now,
            last_seen: now,
            expires: minutes(now, limits::SESSION_HOURS * 60),
            locked: None,
            fresh_until,
            ended: None,
        };
        (session, secret)
    }

    /// The sessions that something opened and that have not ended.
    pub(super) async fn opened_by(
        &self,
        member: &MemberId,
        opener: &Opener,
    ) -> Result<Vec<Versioned<Session>>, CoreError> {
        let query = Query::<Session>::new().with("member", member).newest_first();
        let mut sessions = self.records().list(query).await?;
        sessions.retain(|it| it.record.opener == *opener && it.record.ended.is_none());
        Ok(sessions)
    }

    /// Begins to unlock or confirm a session.
    ///
    /// # Errors
    /// When the secret does not count, or passkeys can't be used at the desk's address.
    pub async fn begin_confirmation(&self, secret: &str) -> Result<Ceremony, CoreError> {
        let (session, _) = self.held(secret).await?;
        self.begin(|state| Pending::Confirm(session.record.id.clone(), state))
    }

    /// Unlocks a session, and makes it fresh for five minutes: the member's passkey and the session's device must answer.
    ///
    /// # Errors
    /// When the session ended, the ceremony does not count, passkey or device are others, or the member is locked out.
    pub async fn finish_confirmation(
        &self,
        secret: &str,
        finish: &FinishSession,
    ) -> Result<SessionView, CoreError> {
        let (before, _) = self.held(secret).await?;
        let state = match self.signing_in().take(&finish.ceremony, self.now()) {
            Some(Pending::Confirm(id, state)) if id == before.record.id => state,
            _ => return Err(over()),
        };
        let proved = self.prove(state, finish, Some(&before.record)).await?;
        let now = self.now();
        let session = Session {
            locked: None,
            last_seen: now,
            fresh_until: minutes(now, limits::FRESH_MINUTES),
            ..before.record.clone()
        };
        self.own::<SessionOpen>(&self.acting(&proved.member.record, &session).await?, &session.id)
            .await?
            .detail(json!({ "passkey": proved.used.id, "confirmed": true }))
            .with(|changes| {
                let changes = changes.update(&before, &session).update(&proved.passkey, &proved.used);
                forgiven(changes.depends_on(&proved.member), proved.failures.as_ref())
            })
            .commit(self.records())
            .await?;
        Ok(self.session_view(&session))
    }

    /// Checks passkey and device; a failure counts against the member whose key it names, or whose session it is.
    async fn prove(
        &self,
        state: Asserting,
        finish: &FinishSession,
        session: Option<&Session>,
    ) -> Result<Proved, CoreError> {
        let answer = Answer::read(&finish.credential).map_err(|error| refused(&error))?;
        // A key that was lost and removed must not shut its former owner out: only keys in use count failures.
        let found = self.by_credential(&answer.credential()).await?;
        let passkey = found.filter(|key| key.record.stopped.is_none()).ok_or_else(unknown)?;
        let member = self.member(&passkey.record.member).await?;
        let id = member.record.id.clone();
        let failures = self.not_locked_out(id.as_str()).await?;
        let outcome = if session.is_some_and(|it| it.member != id) {
            Err(other("credential", "the passkey is another member's", "use your own"))
        } else if session.is_some_and(|it| it.device != finish.device.key) {
            Err(other(
                "device",
                "the session was opened in another browser",
                "sign out and sign in again here",
            ))
        } else {
            let credential = &passkey.record.credential;
            let used = state.finish(self.party()?, &answer, handle(&id), credential);
            let used = used.map_err(|error| refused(&error));
            used.and_then(|used| self.check_device(&finish.device, &finish.ceremony).map(|()| used))
        };
        let credential = match outcome {
            Ok(credential) => credential,
            Err(error) => {
                self.failed(id.as_str(), member.record.agency.as_ref()).await?;
                return Err(error);
            }
        };
        if !member.record.active {
            return Err(CoreError::SignIn);
        }
        let used = Passkey { credential, last_used: Some(self.now()), ..passkey.record.clone() };
        Ok(Proved { passkey, used, member, failures })
    }

    /// Locks a session; its passkey unlocks it.
    ///
    /// # Errors
    /// When the secret does not count.
    pub async fn lock_session(&self, secret: &str) -> Result<SessionView, CoreError> {
        let (before, member) = self.held(secret).await?;
        let now = self.now();
        let locked = before.record.locked.or(Some(now));
        let session = Session { locked, fresh_until: now, ..before.record.clone() };
        self.own::<SessionOpen>(&self.acting(&member, &session).await?, &session.id)
            .await?
            .detail(json!({ "locked": true }))
            .with(|changes| changes.update(&before, &session))
            .commit(self.records())
            .await?;
        Ok(self.session_view(&session))
    }

    /// Signs out: ends the session of this secret. Doing it again changes nothing.
    ///
    /// # Errors
    /// The store's.
    pub async fn sign_out(&self, secret: &str) -> Result<(), CoreError> {
        let Some(before) = self.session_of(secret).await? else { return Ok(()) };
        let member = self.member(&before.record.member).await?.record;
        let session = Session { ended: Some(self.now()), ..before.record.clone() };
        let pushes = self.pushes_of_session(&session.id).await?;
        self.own::<SessionOpen>(&self.acting(&member, &session).await?, &session.id)
            .await?
            .detail(json!({ "ended": true }))
            .with(|changes| pushes.iter().fold(changes.update(&before, &session), Changeset::delete))
            .commit(self.records())
            .await?;
        Ok(())
    }

    /// The actor's own sessions that have not ended, newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn my_sessions(&self, actor: &Actor) -> Result<Vec<SessionView>, CoreError> {
        self.sessions_of(&actor.member).await
    }

    /// A member's sessions that have not ended, newest first.
    ///
    /// # Errors
    /// When the actor may not, or the member does not exist.
    pub async fn sessions(&self, actor: &Actor, member: &MemberId) -> Result<Vec<SessionView>, CoreError> {
        let member = self.member(member).await?.record;
        let target = Target::maybe(member.agency.as_ref(), &member.id);
        self.look::<PasskeyList>(actor, &target).await?;
        self.sessions_of(&member.id).await
    }

    async fn sessions_of(&self, member: &MemberId) -> Result<Vec<SessionView>, CoreError> {
        let now = self.now();
        let mut all =
            self.records().list(Query::<Session>::new().with("member", member).newest_first()).await?;
        all.retain(|it| stands(&it.record, now) != SessionState::None);
        Ok(all.iter().map(|it| self.session_view(&it.record)).collect())
    }

    /// Until when a member is locked out after failures to sign in; none when they are not.
    ///
    /// # Errors
    /// When the actor may not, or the member does not exist.
    pub async fn locked_out(&self, actor: &Actor, member: &MemberId) -> Result<Option<Time>, CoreError> {
        let member = self.member(member).await?.record;
        let target = Target::maybe(member.agency.as_ref(), &member.id);
        self.look::<PasskeyList>(actor, &target).await?;
        self.locked_out_until(member.id.as_str()).await
    }

    /// Ends a session, one's own or a member's.
    ///
    /// # Errors
    /// When the actor may not, or there is none.
    pub async fn end_session(&self, actor: &Actor, id: &SessionId) -> Result<SessionView, CoreError> {
        let before = self.records().get::<Session>(id.as_str()).await?.ok_or(CoreError::Hidden("session"))?;
        let member = self.member(&before.record.member).await?.record;
        let intent = if actor.member == member.id {
            self.own::<SessionEnd>(actor, id).await?
        } else {
            let target = Target::maybe(member.agency.as_ref(), id);
            self.allow::<SessionEnd>(actor, target, None).await?
        };
        let ended = before.record.ended.or(Some(self.now()));
        let session = Session { ended, ..before.record.clone() };
        let pushes = self.pushes_of_session(id).await?;
        intent
            .detail(json!({ "member": member.id }))
            .with(|changes| pushes.iter().fold(changes.update(&before, &session), Changeset::delete))
            .commit(self.records())
            .await?;
        Ok(self.session_view(&session))
    }
}

/// What a passkey and a device proved.
struct Proved {
    passkey: Versioned<Passkey>,
    used: Passkey,
    member: Versioned<Member>,
    failures: Option<Versioned<Lockout>>,
}

fn stands(it: &Session, now: Time) -> SessionState {
    if it.ended.is_some() || it.expires <= now {
        SessionState::None
    } else if it.locked.is_some() || minutes(it.last_seen, limits::IDLE_MINUTES) <= now {
        SessionState::Locked
    } else {
        SessionState::Open
    }
}

fn unknown() -> CoreError {
    other(
        "credential",
        "this passkey is not known here, or was removed",
        "use another, or ask your administrator for an enrolment",
    )
}

fn other(field: &str, message: &str, remedy: &str) -> CoreError {
    CoreError::field(field, "other", message, remedy)
}

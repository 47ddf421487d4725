//! Signing in at an agency's provider: the browser goes there and comes back with a code, which counts once, in that browser.
//!
//! A ceremony is bound to the browser that began it by the device's key: a code that somebody else obtained signs nobody in
//! here, and a copied one nobody elsewhere. Roles come from Canvass alone, never from a token.

use canvass_types::{AccountId, EnrolmentId, MemberId, SessionId, Time, env::random};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    AccountView, Device, OpenedSession, SessionState, SessionView,
    accounts::subject_hash,
    ceremonies::Pending,
    limits,
    lockout::forgiven,
    minutes, over,
    providers::{self, Asked, Identified, Provider, ProviderError, ProviderView, Providers, Returned},
};
use crate::{
    App, CoreError,
    access::{AccountBind, By, SessionOpen},
    ports::{Records, RecordsExt as _, Versioned},
    records::{Enrolment, FederatedAccount, Member, Opener, Session},
};

/// Begins to sign in at a provider, or to unlock or confirm the session there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BeginFederated {
    /// Which provider.
    pub provider: String,
    /// The device's public key, P-256, uncompressed point, base64url: only it can finish what it begins.
    pub device: String,
}

/// Begins to bind an account by an enrolment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BeginBinding {
    /// The secret of the link.
    pub secret: String,
    /// Which provider.
    pub provider: String,
    /// The device's public key, P-256, uncompressed point, base64url: only it can finish what it begins.
    pub device: String,
}

/// A sign-in at a provider that began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FederatedCeremony {
    /// Comes back as `state`; it counts once, for five minutes.
    pub ceremony: String,
    /// Where the browser is to go.
    pub address: String,
}

/// What the browser came back with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FinishFederated {
    /// The ceremony: what came back as `state`.
    pub ceremony: String,
    /// What came back as `code`.
    pub code: String,
    /// What came back as `iss`, if anything did.
    #[serde(default)]
    pub issuer: Option<String>,
    /// The device with its signature over the ceremony.
    pub device: Device,
}

/// A sign-in at a provider under way.
#[derive(Debug)]
pub(super) struct Federated {
    provider: String,
    device: String,
    asked: Asked,
    to: To,
}

/// What it will do.
#[derive(Debug, Clone, PartialEq, Eq)]
enum To {
    Bind(EnrolmentId),
    SignIn,
    Confirm(SessionId),
}

/// Longest code that is passed on, in bytes.
const LONGEST_CODE: usize = 4_096;
/// Longest key of a device, in bytes; one of P-256 has 87.
const LONGEST_KEY: usize = 200;
/// Seconds by which a provider's clock may be ahead.
const AHEAD: i64 = 60;

impl<R: Records> App<R> {
    /// Names the providers that members may sign in at. The first list stays.
    pub fn provided_by(&self, providers: Vec<Provider>) {
        let _ = self.signing_in().providers.set(providers);
    }

    pub(super) fn providers(&self) -> &[Provider] {
        self.signing_in().providers.get().map_or(&[], Vec::as_slice)
    }

    fn provider(&self, id: &str) -> Result<&Provider, CoreError> {
        self.providers().iter().find(|it| it.id == id).ok_or_else(|| {
            CoreError::field(
                "provider",
                "unknown",
                "there is no such provider here",
                "choose one that GET /api/v1/signin names, or use a passkey",
            )
        })
    }

    /// The providers of a member's agency.
    pub(super) fn providers_of(&self, member: &Member) -> Vec<ProviderView> {
        let theirs = |it: &&Provider| Some(&it.agency) == member.agency.as_ref();
        self.providers().iter().filter(theirs).map(Into::into).collect()
    }

    /// The provider at which a session can be unlocked: the one that opened it.
    pub(super) async fn unlocks(&self, session: &Session) -> Result<Option<ProviderView>, CoreError> {
        let Opener::Account(id) = &session.opener else { return Ok(None) };
        let account = self.account(id).await?;
        let name = account.as_ref().map(|it| it.record.provider.as_str());
        Ok(self.providers().iter().find(|it| Some(it.id.as_str()) == name).map(Into::into))
    }

    async fn account(&self, id: &AccountId) -> Result<Option<Versioned<FederatedAccount>>, CoreError> {
        Ok(self.records().get(id.as_str()).await?)
    }

    async fn send_there(
        &self,
        way: &impl Providers,
        begin: &BeginFederated,
        to: To,
    ) -> Result<FederatedCeremony, CoreError> {
        let provider = self.provider(&begin.provider)?;
        if begin.device.is_empty() || begin.device.len() > LONGEST_KEY {
            return Err(other_device());
        }
        let secret = || data_encoding::BASE64URL_NOPAD.encode(&random::<32>(self.entropy()));
        let asked = Asked {
            state: secret(),
            nonce: secret(),
            verifier: secret(),
            redirect: format!("{}/desk/signed-in", self.party()?.origin()),
            max_age: if to == To::SignIn { limits::SESSION_HOURS * 3_600 } else { 0 },
        };
        let address = way.address(provider, &asked).await;
        let address = address.map_err(|error| providers::failed(provider, &error))?;
        let ceremony = asked.state.clone();
        let pending = Federated { provider: provider.id.clone(), device: begin.device.clone(), asked, to };
        self.signing_in().put_as(ceremony.clone(), self.now(), Pending::Federated(Box::new(pending)));
        Ok(FederatedCeremony { ceremony, address })
    }

    /// Takes what began; it counts once, whatever becomes of it.
    fn back(&self, finish: &FinishFederated) -> Result<Federated, CoreError> {
        match self.signing_in().take(&finish.ceremony, self.now()) {
            Some(Pending::Federated(it)) => Ok(*it),
            _ => Err(over()),
        }
    }

    /// Who came back: the device that began it must sign, and the provider's token must hold.
    async fn identified(
        &self,
        way: &impl Providers,
        provider: &Provider,
        pending: &Federated,
        finish: &FinishFederated,
    ) -> Result<Identified, CoreError> {
        if pending.device != finish.device.key {
            return Err(other_device());
        }
        self.check_device(&finish.device, &finish.ceremony)?;
        if finish.code.is_empty() || finish.code.len() > LONGEST_CODE {
            let error = ProviderError::Refused("the code is missing or too long");
            return Err(providers::failed(provider, &error));
        }
        let returned = Returned { code: &finish.code, issuer: finish.issuer.as_deref() };
        let found = way.identify(provider, &pending.asked, returned).await;
        found.map_err(|error| providers::failed(provider, &error))
    }

    /// The account of whom the provider identified, in use and of a member of the provider's agency.
    async fn holder(&self, provider: &Provider, found: &Identified) -> Result<Held, CoreError> {
        let mut accounts = self.by_subject(subject_hash(provider, &found.subject)).await?;
        let (Some(account), true) = (accounts.pop(), accounts.is_empty()) else { return Err(unknown()) };
        let member = self.member(&account.record.member).await?;
        if member.record.agency.as_ref() != Some(&provider.agency) {
            return Err(unknown());
        }
        let used = FederatedAccount { last_used: Some(self.now()), ..account.record.clone() };
        Ok(Held { account, used, member })
    }

    /// Counts a failure against whom it names. A provider that does not answer is nobody's failure.
    async fn counted<T>(
        &self,
        subject: &str,
        provider: &Provider,
        outcome: Result<T, CoreError>,
    ) -> Result<T, CoreError> {
        if let Err(CoreError::Invalid(_)) = &outcome {
            self.failed(subject, Some(&provider.agency)).await?;
        }
        outcome
    }

    /// Begins to sign in at a provider.
    ///
    /// # Errors
    /// When there is no such provider, it does not answer, or the desk's address can't hold sessions.
    pub async fn begin_federated(
        &self,
        way: &impl Providers,
        begin: &BeginFederated,
    ) -> Result<FederatedCeremony, CoreError> {
        self.send_there(way, begin, To::SignIn).await
    }

    /// Opens a session for whom the provider identified.
    ///
    /// # Errors
    /// When the ceremony does not count, the device is another, the token is refused or not enough, the account is bound to
    /// nobody of the provider's agency, or the member is locked out or stopped.
    pub async fn finish_federated(
        &self,
        way: &impl Providers,
        finish: &FinishFederated,
    ) -> Result<OpenedSession, CoreError> {
        let pending = self.back(finish)?;
        if pending.to != To::SignIn {
            return Err(over());
        }
        let provider = self.provider(&pending.provider)?;
        let found = self.identified(way, provider, &pending, finish).await?;
        let Held { account, used, member } = self.holder(provider, &found).await?;
        let id = member.record.id.clone();
        let failures = self.not_locked_out(id.as_str()).await?;
        let now = self.now();
        self.counted(id.as_str(), provider, enough(provider, &found, pending.asked.max_age, false, now))
            .await?;
        if !member.record.active {
            return Err(CoreError::SignIn);
        }
        let fresh = fresh_until(provider, &found, now).unwrap_or(now);
        let opener = Opener::Account(account.record.id.clone());
        let (session, secret) = self.new_session(&member.record, opener, &finish.device, fresh);
        self.own::<SessionOpen>(&self.acting(&member.record, &session).await?, &session.id)
            .await?
            .detail(json!({ "account": used.id, "device": session.device_name }))
            .with(|changes| {
                let changes = changes.insert(&session).update(&account, &used);
                forgiven(changes.depends_on(&member), failures.as_ref())
            })
            .commit(self.records())
            .await?;
        Ok(OpenedSession { session: self.session_view(&session), secret })
    }

    /// Begins to unlock or confirm a session at a provider, which asks for the person anew.
    ///
    /// # Errors
    /// When the secret does not count, the provider does not answer, or only a passkey confirms here.
    pub async fn begin_federated_confirmation(
        &self,
        way: &impl Providers,
        secret: &str,
        begin: &BeginFederated,
    ) -> Result<FederatedCeremony, CoreError> {
        let (session, member) = self.held(secret).await?;
        let provider = self.provider(&begin.provider)?;
        if member.agency.as_ref() != Some(&provider.agency) {
            return Err(unknown());
        }
        if provider.passkey_for_step_up && self.session_view(&session.record).state == SessionState::Open {
            return Err(CoreError::state(
                "here only a passkey confirms dangerous actions",
                "confirm with your passkey; if you have none, ask your administrator for an enrolment link",
            ));
        }
        self.send_there(way, begin, To::Confirm(session.record.id.clone())).await
    }

    /// Unlocks a session by a fresh sign-in at the provider, and confirms dangerous actions where the operator lets it.
    ///
    /// # Errors
    /// When the session ended, the ceremony does not count, device or account are others, the sign-in there is older than
    /// five minutes or of unknown age, or the member is locked out.
    pub async fn finish_federated_confirmation(
        &self,
        way: &impl Providers,
        secret: &str,
        finish: &FinishFederated,
    ) -> Result<SessionView, CoreError> {
        let (before, owner) = self.held(secret).await?;
        let pending = self.back(finish)?;
        if pending.to != To::Confirm(before.record.id.clone()) {
            return Err(over());
        }
        let provider = self.provider(&pending.provider)?;
        let failures = self.not_locked_out(owner.id.as_str()).await?;
        let outcome = self.confirmed(way, provider, &pending, finish, &before.record).await;
        let (Held { account, used, member }, found) =
            self.counted(owner.id.as_str(), provider, outcome).await?;
        let now = self.now();
        let fresh = fresh_until(provider, &found, now).unwrap_or(before.record.fresh_until);
        let session = Session { locked: None, last_seen: now, fresh_until: fresh, ..before.record.clone() };
        self.own::<SessionOpen>(&self.acting(&member.record, &session).await?, &session.id)
            .await?
            .detail(json!({ "account": used.id, "confirmed": true }))
            .with(|changes| {
                let changes = changes.update(&before, &session).update(&account, &used);
                forgiven(changes.depends_on(&member), failures.as_ref())
            })
            .commit(self.records())
            .await?;
        Ok(self.session_view(&session))
    }

    async fn confirmed(
        &self,
        way: &impl Providers,
        provider: &Provider,
        pending: &Federated,
        finish: &FinishFederated,
        session: &Session,
    ) -> Result<(Held, Identified), CoreError> {
        if session.device != finish.device.key {
            return Err(other_device());
        }
        let found = self.identified(way, provider, pending, finish).await?;
        let held = self.holder(provider, &found).await?;
        if held.member.record.id != session.member {
            return Err(unknown());
        }
        enough(provider, &found, pending.asked.max_age, true, self.now())?;
        Ok((held, found))
    }

    /// Begins to bind an account at the provider of the member's agency, by an enrolment.
    ///
    /// # Errors
    /// When the enrolment does not count or was tried too often, or the provider is another agency's or does not answer.
    pub async fn begin_binding(
        &self,
        way: &impl Providers,
        begin: &BeginBinding,
    ) -> Result<FederatedCeremony, CoreError> {
        let (enrolment, member) = self.open(&begin.secret).await?;
        self.not_locked_out(enrolment.record.id.as_str()).await?;
        self.own_provider(&member.record, &begin.provider)?;
        let ask = BeginFederated { provider: begin.provider.clone(), device: begin.device.clone() };
        self.send_there(way, &ask, To::Bind(enrolment.record.id.clone())).await
    }

    fn own_provider(&self, member: &Member, id: &str) -> Result<&Provider, CoreError> {
        let provider = self.provider(id)?;
        if member.agency.as_ref() == Some(&provider.agency) {
            return Ok(provider);
        }
        Err(CoreError::field(
            "provider",
            "agency",
            "this provider is another agency's",
            "choose your own agency's, or register a passkey",
        ))
    }

    /// Binds the account that the provider identified to the enrolment's member, which uses the enrolment up.
    ///
    /// # Errors
    /// When the ceremony or the enrolment does not count, the token is refused or not enough, or the account is bound
    /// already; five refusals lock the enrolment out.
    pub async fn finish_binding(
        &self,
        way: &impl Providers,
        finish: &FinishFederated,
    ) -> Result<AccountView, CoreError> {
        let pending = self.back(finish)?;
        let To::Bind(id) = &pending.to else { return Err(over()) };
        let (before, member) = self.open_by_id(id).await?;
        let provider = self.own_provider(&member.record, &pending.provider)?;
        let failures = self.not_locked_out(id.as_str()).await?;
        let outcome = match self.identified(way, provider, &pending, finish).await {
            Ok(found) => {
                let asked = pending.asked.max_age;
                enough(provider, &found, asked, found.signed_in.is_some(), self.now()).map(|()| found)
            }
            Err(error) => Err(error),
        };
        let found = self.counted(id.as_str(), provider, outcome).await?;
        let account = self.new_account(provider, &found, &member.record.id, id).await?;
        let actor = self.actor(&member.record, Vec::new(), By::Enrolment(id.clone())).await?;
        let enrolment = Enrolment { bound: Some(account.id.clone()), ..before.record.clone() };
        self.own::<AccountBind>(&actor, &account.id)
            .await?
            .detail(json!({ "enrolment": enrolment.id, "provider": account.provider }))
            .with(|changes| {
                let changes = changes.insert(&account).update(&before, &enrolment).depends_on(&member);
                forgiven(changes, failures.as_ref())
            })
            .commit(self.records())
            .await?;
        Ok((&account).into())
    }

    async fn new_account(
        &self,
        provider: &Provider,
        found: &Identified,
        member: &MemberId,
        enrolment: &EnrolmentId,
    ) -> Result<FederatedAccount, CoreError> {
        let hash = subject_hash(provider, &found.subject);
        if !self.by_subject(hash).await?.is_empty() {
            return Err(CoreError::state(
                "this account is bound already, to you or to another member",
                "sign in with it, or let an administrator remove it where it is bound; then open this link again",
            ));
        }
        let open = self.accounts_of(member).await?.iter().filter(|it| it.record.stopped.is_none()).count();
        if open >= limits::ACCOUNTS {
            return Err(CoreError::state("there are 10 accounts", "remove one that you no longer use"));
        }
        Ok(FederatedAccount {
            id: AccountId::random(self.entropy()),
            member: member.clone(),
            provider: provider.id.clone(),
            name: provider.name.clone(),
            subject_hash: hash,
            enrolment: enrolment.clone(),
            created: self.now(),
            last_used: None,
            stopped: None,
        })
    }
}

/// Whose account it is.
struct Held {
    account: Versioned<FederatedAccount>,
    used: FederatedAccount,
    member: Versioned<Member>,
}

/// Whether what the token says of the sign-in is what the operator asks for, and young enough.
fn enough(
    provider: &Provider,
    found: &Identified,
    max_age: u32,
    must_tell: bool,
    now: Time,
) -> Result<(), CoreError> {
    let acr = provider.acr.is_empty() || found.acr.as_ref().is_some_and(|it| provider.acr.contains(it));
    if !acr || !provider.amr.iter().all(|each| found.amr.contains(each)) {
        return Err(other(
            "account",
            "strength",
            "the provider signed you in by weaker means than are asked for here",
            "sign in there with a second factor, or use a passkey",
        ));
    }
    let oldest = i64::from(max_age).max(i64::from(limits::FRESH_MINUTES) * 60);
    let young = match found.signed_in {
        Some(at) => at.plus_seconds(oldest) > now && at <= now.plus_seconds(AHEAD),
        None => !must_tell,
    };
    if young {
        return Ok(());
    }
    Err(other(
        "account",
        "stale",
        "the provider did not ask for you anew, or does not say when it did",
        "sign in there again with your password or key, or use a passkey",
    ))
}

/// Until when the sign-in confirms dangerous actions; none where a passkey alone does, or its age is not known.
fn fresh_until(provider: &Provider, found: &Identified, now: Time) -> Option<Time> {
    let at = found.signed_in.filter(|_| !provider.passkey_for_step_up)?;
    Some(minutes(at.min(now), limits::FRESH_MINUTES))
}

fn unknown() -> CoreError {
    other(
        "account",
        "unknown",
        "this account is bound to no member of the provider's agency",
        "open your enrolment link first; your administrator makes one",
    )
}

fn other_device() -> CoreError {
    other(
        "device",
        "other",
        "it was begun, or the session opened, in another browser",
        "begin again in this browser",
    )
}

fn other(field: &str, rule: &str, message: &str, remedy: &str) -> CoreError {
    CoreError::field(field, rule, message, remedy)
}

//! Signing in by passkey, or at the agency's own provider: enrolments that invite to bring either, ceremonies, sessions that
//! a device's key holds, and lock-outs. No password is known anywhere.
//!
//! ```text
//! enrolment ─► passkey ─► session (open) ─ 30 minutes without an act, or by hand ─► locked ─ passkey + device ─► open
//!                              └─ passkey + device ─► fresh for 5 minutes: the actions of policies/step-up.txt
//! ```
//! A ceremony that began lives in the memory of this process, a few minutes, and counts once.

mod accounts;
mod ceremonies;
mod enrolments;
mod federated;
mod lockout;
mod passkeys;
mod providers;
mod sessions;

use std::sync::{Mutex, OnceLock, PoisonError};

use canvass_signin::{AddressError, CeremonyError, RelyingParty, verify_device};
use canvass_types::{Entropy, MemberId, Time, env::random};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{App, CoreError, access::Actor, ports::Records};
use ceremonies::{Ceremonies, Pending};

pub use accounts::AccountView;
pub use enrolments::{EnrolmentOffer, EnrolmentView, FinishEnrolment, IssuedEnrolment, OpenEnrolment};
pub use federated::{BeginBinding, BeginFederated, FederatedCeremony, FinishFederated};
pub use passkeys::{FinishPasskey, PasskeyView};
pub use providers::{Asked, Identified, Provider, ProviderError, ProviderView, Providers, Returned};
pub use sessions::{FinishSession, OpenedSession, SessionState, SessionView};

/// What holds for signing in. Sources: OWASP ASVS 5.0 (2.5, 6.3, 7.3), NIST SP 800-63B-4 section 2.2.3.
pub mod limits {
    /// Hours that an enrolment counts.
    pub const ENROLMENT_HOURS: u32 = 72;
    /// Failures in a row that lock a member or an enrolment out.
    pub const FAILURES: u32 = 5;
    /// Minutes that a lock-out lasts, and after which an older failure no longer counts.
    pub const LOCKED_OUT_MINUTES: u32 = 15;
    /// Minutes without an act after which a session locks.
    pub const IDLE_MINUTES: u32 = 30;
    /// Hours after which a session ends, whatever happened.
    pub const SESSION_HOURS: u32 = 12;
    /// Minutes that a passkey's use stays fresh for dangerous actions.
    pub const FRESH_MINUTES: u32 = 5;
    /// Minutes that a ceremony may take.
    pub const CEREMONY_MINUTES: u32 = 5;
    /// Ceremonies under way at the same time; the oldest is given up for a new one.
    pub const CEREMONIES: usize = 2_000;
    /// Passkeys of one member.
    pub const PASSKEYS: usize = 20;
    /// Federated accounts of one member.
    pub const ACCOUNTS: usize = 10;
    /// Open enrolments of one member.
    pub const ENROLMENTS: usize = 5;
}

fn minutes(now: Time, minutes: u32) -> Time {
    now.plus_seconds(i64::from(minutes) * 60)
}

/// A ceremony that began: what the browser's authenticator is to be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Ceremony {
    /// Name it when the answer is there; it counts once, for five minutes.
    pub ceremony: String,
    /// For `PublicKeyCredential.parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON`.
    #[schema(value_type = Object)]
    pub options: Value,
}

/// The device in which a session is opened, unlocked or confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Its public key: P-256, uncompressed point, base64url. The private half can't leave the browser.
    pub key: String,
    /// ECDSA with SHA-256 over `canvass/device/v1`, the desk's origin and the ceremony, each on a line; base64url.
    pub signature: String,
    /// What the device is called, at most 80 characters: browser and system.
    #[serde(default)]
    pub name: String,
}

/// How one can sign in here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignInWays {
    /// Whether passkeys can be used at the desk's address.
    pub passkeys: bool,
    /// The one address at which they count; null when it is none that can carry them.
    pub address: Option<String>,
    /// Why they can't be used, and what to do; null when they can.
    pub reason: Option<String>,
    /// The providers at which members of their agencies may sign in.
    pub providers: Vec<ProviderView>,
    /// Where the session that this browser brought stands.
    pub session: SessionState,
    /// The provider that opened this session and unlocks it; null for a passkey's.
    pub unlocked_at: Option<ProviderView>,
}

/// All of how a member signs in, tokens aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignInOf {
    /// Passkeys, oldest first; removed ones too, for a while.
    pub passkeys: Vec<PasskeyView>,
    /// Federated accounts, oldest first; removed ones too, for a while.
    pub accounts: Vec<AccountView>,
    /// Sessions that have not ended, newest first.
    pub sessions: Vec<SessionView>,
    /// Enrolments, newest first.
    pub enrolments: Vec<EnrolmentView>,
    /// Until when the member is locked out after failures; null when they are not.
    pub locked_out_until: Option<Time>,
}

/// What signing in needs besides the records: the desk's address, providers, and ceremonies under way.
#[derive(Debug, Default)]
pub(crate) struct SigningIn {
    party: OnceLock<Result<RelyingParty, AddressError>>,
    providers: OnceLock<Vec<Provider>>,
    pending: Mutex<Ceremonies>,
}

impl SigningIn {
    fn put(&self, entropy: &dyn Entropy, now: Time, pending: Pending) -> String {
        let id = data_encoding::BASE64URL_NOPAD.encode(&random::<24>(entropy));
        self.put_as(id.clone(), now, pending);
        id
    }

    fn put_as(&self, id: String, now: Time, pending: Pending) {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).put(id, now, pending);
    }

    fn take(&self, id: &str, now: Time) -> Option<Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).take(id, now)
    }
}

/// The 16 bytes that name a member to authenticators: those of the id, which are random.
fn handle(member: &MemberId) -> [u8; 16] {
    let text = member.as_str().get(MemberId::PREFIX.len() + 1..).unwrap_or_default().to_ascii_uppercase();
    let bytes = data_encoding::BASE32_NOPAD.decode(text.as_bytes()).unwrap_or_default();
    bytes.try_into().unwrap_or_default()
}

fn over() -> CoreError {
    CoreError::field(
        "ceremony",
        "over",
        "it is unknown, used or older than five minutes",
        "begin again, and answer at once",
    )
}

fn refused(error: &CeremonyError) -> CoreError {
    let rule = match error {
        CeremonyError::Form(_) => "form",
        CeremonyError::Begin(_) => "begin",
        CeremonyError::Refused(_) => "refused",
        CeremonyError::Stored => "stored",
    };
    let remedy =
        "try again with a passkey that was registered at this address, unlocked by PIN, face or finger";
    CoreError::field("credential", rule, &error.to_string(), remedy)
}

/// The name of a device as it is kept.
fn device_name(text: &str) -> String {
    let plain: String = text.chars().filter(|each| !each.is_control()).take(80).collect();
    if plain.trim().is_empty() { "browser".into() } else { plain.trim().to_owned() }
}

impl<R: Records> App<R> {
    /// Names the address at which people open the desk: passkeys count there alone. The first one stays.
    ///
    /// # Errors
    /// When the address can't carry passkeys; then there is signing in by token alone.
    pub fn open_at(&self, address: &str) -> Result<(), AddressError> {
        let stands = self.signing_in().party.get_or_init(|| RelyingParty::at(address));
        stands.as_ref().map(|_| ()).map_err(|error| *error)
    }

    /// How one can sign in, and where the session stands whose secret the browser brought.
    ///
    /// # Errors
    /// The store's.
    pub async fn sign_in_ways(&self, secret: Option<&str>) -> Result<SignInWays, CoreError> {
        let (session, unlocked_at) = self.session_state(secret).await?;
        let (address, reason) = match self.signing_in().party.get() {
            Some(Ok(party)) => (Some(format!("{}/desk/", party.origin())), None),
            Some(Err(error)) => (None, Some(error.to_string())),
            None => (None, Some(AddressError::Address.to_string())),
        };
        let providers = match address {
            Some(_) => self.providers().iter().map(Into::into).collect(),
            None => Vec::new(),
        };
        Ok(SignInWays { passkeys: address.is_some(), address, reason, providers, session, unlocked_at })
    }

    /// How a member signs in by passkey.
    ///
    /// # Errors
    /// When the actor may not, or the member does not exist.
    pub async fn sign_in_of(&self, actor: &Actor, member: &MemberId) -> Result<SignInOf, CoreError> {
        Ok(SignInOf {
            passkeys: self.passkeys(actor, member).await?,
            accounts: self.accounts(actor, member).await?,
            sessions: self.sessions(actor, member).await?,
            enrolments: self.enrolments(actor, member).await?,
            locked_out_until: self.locked_out(actor, member).await?,
        })
    }

    /// How the actor signs in by passkey.
    ///
    /// # Errors
    /// The store's.
    pub async fn my_sign_in(&self, actor: &Actor) -> Result<SignInOf, CoreError> {
        Ok(SignInOf {
            passkeys: self.my_passkeys(actor).await?,
            accounts: self.my_accounts(actor).await?,
            sessions: self.my_sessions(actor).await?,
            enrolments: Vec::new(),
            locked_out_until: self.locked_out_until(actor.member.as_str()).await?,
        })
    }

    /// The desk's origin; none where passkeys can't be used.
    pub fn desk_origin(&self) -> Option<&str> {
        self.signing_in().party.get()?.as_ref().ok().map(RelyingParty::origin)
    }

    fn party(&self) -> Result<&RelyingParty, CoreError> {
        let reason = match self.signing_in().party.get() {
            Some(Ok(party)) => return Ok(party),
            Some(Err(error)) => *error,
            None => AddressError::Address,
        };
        Err(CoreError::state(
            format!("passkeys can't be used here: {reason}"),
            "sign in with a token meanwhile",
        ))
    }

    fn check_device(&self, device: &Device, ceremony: &str) -> Result<(), CoreError> {
        let origin = self.party()?.origin();
        verify_device(&device.key, &device.signature, origin, ceremony).map_err(|error| {
            let remedy = "sign out in this browser and sign in again, which makes a new device key";
            CoreError::field("device", "signature", &error.to_string(), remedy)
        })
    }
}

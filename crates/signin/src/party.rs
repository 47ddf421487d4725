//! The relying party: who asks for passkeys, and what it takes for an answer.

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::{Host, Url};
use webauthn_rp::{
    AuthenticatedCredential, DiscoverableAuthentication, DiscoverableAuthenticationServerState,
    DiscoverableCredentialRequestOptions, PublicKeyCredentialCreationOptions, Registration,
    RegistrationServerState,
    bin::{Decode as _, Encode as _},
    request::{
        AsciiDomain, PublicKeyCredentialDescriptor, RpId,
        auth::{AuthenticationVerificationOptions, SignatureCounterEnforcement},
        register::{
            CredProtect, PublicKeyCredentialUserEntity, RegistrationVerificationOptions, UserHandle,
            UserHandle16,
        },
    },
    response::{
        AuthTransports, CredentialId,
        register::{CompressedPubKey, DynamicState, StaticState},
    },
};

/// Why an address can't carry passkeys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is no address.
    #[error(
        "the address at which people open the desk is not known; start it with --desk-url https://desk.example.org"
    )]
    Address,
    /// Its host is an IP address, which WebAuthn does not take for a relying party (level 3, section 5.1.3).
    #[error(
        "passkeys need a name instead of an IP address; open http://localhost with the port, or give the desk a name"
    )]
    Number,
    /// It is neither TLS nor this machine's own name.
    #[error("passkeys need https; give the desk a certificate, or open http://localhost on this machine")]
    Plain,
}

/// Why a ceremony did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CeremonyError {
    /// The ceremony could not begin.
    #[error("the passkey could not be asked for: {0}")]
    Begin(String),
    /// The answer is not of the form that browsers give.
    #[error("the passkey's answer can't be read: {0}")]
    Form(String),
    /// The answer was read, and does not count.
    #[error("the passkey's answer does not count: {0}")]
    Refused(String),
    /// What is stored of the key can't be read.
    #[error("what is stored of this passkey can't be read; remove it and enrol another")]
    Stored,
}

/// A registered key: what is kept of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// Its id, base64url.
    pub id: String,
    /// The public key and what does not change, base64url.
    pub key: String,
    /// What changes with each use: the counter, whether it is backed up; base64url.
    pub state: String,
}

/// Whose key it is to be.
#[derive(Debug, Clone, Copy)]
pub struct User<'a> {
    /// 16 bytes that name them, without meaning to others.
    pub handle: [u8; 16],
    /// The name that the authenticator shows.
    pub name: &'a str,
}

type Stored = StaticState<CompressedPubKey<[u8; 32], [u8; 32], [u8; 48], Vec<u8>>>;

impl Credential {
    /// The signature counter; 0 for keys that have none, as those that are synchronised.
    #[must_use]
    pub fn counter(&self) -> u32 {
        self.dynamic().map_or(0, |state| state.sign_count)
    }

    fn dynamic(&self) -> Result<DynamicState, CeremonyError> {
        let bytes = BASE64URL_NOPAD.decode(self.state.as_bytes()).map_err(|_| CeremonyError::Stored)?;
        let bytes: [u8; 7] = bytes.try_into().map_err(|_| CeremonyError::Stored)?;
        DynamicState::decode(bytes).map_err(|_| CeremonyError::Stored)
    }

    fn fixed(&self) -> Result<Stored, CeremonyError> {
        let bytes = BASE64URL_NOPAD.decode(self.key.as_bytes()).map_err(|_| CeremonyError::Stored)?;
        Stored::decode(&bytes).map_err(|_| CeremonyError::Stored)
    }

    fn descriptor(&self) -> Option<PublicKeyCredentialDescriptor<Vec<u8>>> {
        let bytes = BASE64URL_NOPAD.decode(self.id.as_bytes()).ok()?;
        let id = CredentialId::<Vec<u8>>::decode(bytes).ok()?;
        Some(PublicKeyCredentialDescriptor { id, transports: AuthTransports::decode(0).ok()? })
    }
}

fn encode_state(state: DynamicState) -> String {
    match state.encode() {
        Ok(bytes) => BASE64URL_NOPAD.encode(&bytes),
        Err(never) => match never {},
    }
}

/// Who asks for passkeys: the desk under its one address.
#[derive(Debug)]
pub struct RelyingParty {
    rp_id: RpId,
    origin: String,
}

impl RelyingParty {
    /// The desk at an address, such as `https://desk.example.org` or `http://localhost:8420`.
    ///
    /// # Errors
    /// [`AddressError`] says why the address can't carry passkeys and what to do.
    pub fn at(address: &str) -> Result<Self, AddressError> {
        let url = Url::parse(address).map_err(|_| AddressError::Address)?;
        let Some(Host::Domain(domain)) = url.host() else {
            return Err(if url.host().is_some() { AddressError::Number } else { AddressError::Address });
        };
        match url.scheme() {
            "https" => {}
            "http" if domain == "localhost" || domain.ends_with(".localhost") => {}
            "http" => return Err(AddressError::Plain),
            _ => return Err(AddressError::Address),
        }
        let domain = AsciiDomain::try_from(domain.to_owned()).map_err(|_| AddressError::Address)?;
        Ok(Self { rp_id: RpId::Domain(domain), origin: url.origin().ascii_serialization() })
    }

    /// The origin from which answers are taken.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Asks for a new key, discoverable and with the user verified. `known` are those that the user has, so that no
    /// authenticator makes a second one. The value is what `PublicKeyCredential.parseCreationOptionsFromJSON` takes.
    ///
    /// # Errors
    /// [`CeremonyError::Begin`] when the name can't be shown.
    pub fn begin_registration(
        &self,
        user: User<'_>,
        known: &[Credential],
    ) -> Result<(Registering, Value), CeremonyError> {
        let begin = |error: &dyn std::fmt::Display| CeremonyError::Begin(error.to_string());
        let Ok(handle) = UserHandle16::decode(user.handle);
        let entity = PublicKeyCredentialUserEntity {
            name: "member".try_into().map_err(|error| begin(&error))?,
            id: &handle,
            display_name: None,
        };
        let known = known.iter().filter_map(Credential::descriptor).collect();
        let mut options = PublicKeyCredentialCreationOptions::passkey(&self.rp_id, entity, known);
        // Enforced, this extension of CTAP keeps out authenticators that do not know it: phones and password managers. We
        // ask for the user's verification each time, which is what it would ensure.
        options.extensions.cred_protect = CredProtect::None;
        let (state, client) = options.start_ceremony().map_err(|error| begin(&error))?;
        let mut shown = serde_json::to_value(&client).map_err(|error| begin(&error))?;
        // Canvass, not the name of a machine, is what a person should read there; and their own name, which is no user name
        // in the sense of RFC 8265, the only one that the library takes.
        for (place, text) in
            [("/rp/name", "Canvass"), ("/user/name", user.name), ("/user/displayName", user.name)]
        {
            if let Some(name) = shown.pointer_mut(place) {
                *name = Value::from(text);
            }
        }
        Ok((Registering(state), shown))
    }

    /// Asks for any key that was registered here, the user verified. The value is what
    /// `PublicKeyCredential.parseRequestOptionsFromJSON` takes.
    ///
    /// # Errors
    /// [`CeremonyError::Begin`], should the options not be writable.
    pub fn begin_assertion(&self) -> Result<(Asserting, Value), CeremonyError> {
        let begin = |error: &dyn std::fmt::Display| CeremonyError::Begin(error.to_string());
        let options = DiscoverableCredentialRequestOptions::passkey(&self.rp_id);
        let (state, client) = options.start_ceremony().map_err(|error| begin(&error))?;
        let shown = serde_json::to_value(&client).map_err(|error| begin(&error))?;
        Ok((Asserting(state), shown))
    }
}

/// A registration under way.
#[derive(Debug)]
pub struct Registering(RegistrationServerState<16>);

impl Registering {
    /// Takes the browser's answer, the JSON of `PublicKeyCredential.toJSON()`.
    ///
    /// # Errors
    /// [`CeremonyError`]; the ceremony is over then, too.
    pub fn finish(self, party: &RelyingParty, answer: &Value) -> Result<Credential, CeremonyError> {
        let text = answer.to_string();
        let read = Registration::from_json_relaxed(text.as_bytes())
            .map_err(|error| CeremonyError::Form(error.to_string()))?;
        let origins = [party.origin.as_str()];
        let options = RegistrationVerificationOptions::<'_, '_, &str, &str> {
            allowed_origins: &origins,
            error_on_unsolicited_extensions: false,
            ..RegistrationVerificationOptions::default()
        };
        let made = self
            .0
            .verify(&party.rp_id, &read, &options)
            .map_err(|error| CeremonyError::Refused(error.to_string()))?;
        let (id, _, _, fixed, state, _) = made.into_parts();
        let Ok(key) = fixed.encode();
        Ok(Credential {
            id: BASE64URL_NOPAD.encode(id.as_ref()),
            key: BASE64URL_NOPAD.encode(&key),
            state: encode_state(state),
        })
    }
}

/// What a browser answered to an assertion, read and not yet believed.
#[derive(Debug)]
pub struct Answer(DiscoverableAuthentication<16>);

impl Answer {
    /// Reads the JSON of `PublicKeyCredential.toJSON()`.
    ///
    /// # Errors
    /// [`CeremonyError::Form`].
    pub fn read(answer: &Value) -> Result<Self, CeremonyError> {
        DiscoverableAuthentication::from_json_relaxed(answer.to_string().as_bytes())
            .map(Self)
            .map_err(|error| CeremonyError::Form(error.to_string()))
    }

    /// Which key it says it is, base64url.
    #[must_use]
    pub fn credential(&self) -> String {
        BASE64URL_NOPAD.encode(self.0.raw_id().as_ref())
    }
}

/// An assertion under way.
pub struct Asserting(DiscoverableAuthenticationServerState);

impl std::fmt::Debug for Asserting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Asserting")
    }
}

impl Asserting {
    /// Takes an answer for the key of a user; gives the key as it is to be kept from now on.
    ///
    /// # Errors
    /// [`CeremonyError::Refused`] for another origin, relying party, challenge or user, without user verification, with a
    /// counter that went back, or a wrong signature; [`CeremonyError::Stored`] when the stored key can't be read.
    pub fn finish(
        self,
        party: &RelyingParty,
        answer: &Answer,
        user: [u8; 16],
        known: &Credential,
    ) -> Result<Credential, CeremonyError> {
        if answer.credential() != known.id {
            return Err(CeremonyError::Refused("it is of another key".into()));
        }
        let Ok(user) = UserHandle::<16>::decode(user);
        let mut credential =
            AuthenticatedCredential::new(answer.0.raw_id(), &user, known.fixed()?, known.dynamic()?)
                .map_err(|_| CeremonyError::Stored)?;
        let origins = [party.origin.as_str()];
        let options = AuthenticationVerificationOptions::<'_, '_, &str, &str> {
            allowed_origins: &origins,
            error_on_unsolicited_extensions: false,
            sig_counter_enforcement: SignatureCounterEnforcement::Fail,
            ..AuthenticationVerificationOptions::default()
        };
        self.0
            .verify(&party.rp_id, &answer.0, &mut credential, &options)
            .map_err(|error| CeremonyError::Refused(error.to_string()))?;
        Ok(Credential { state: encode_state(credential.dynamic_state()), ..known.clone() })
    }
}

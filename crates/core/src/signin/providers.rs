//! What the domain asks of a provider of sign-ins (OpenID Connect Core 1.0): where to send a browser, and who came back.
//! How that crosses the network is its driver's matter; what it counts for is decided here.

use std::future::Future;

use canvass_types::{AgencyId, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::CoreError;

/// A provider that an agency's members may sign in at, as the operator named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// What it is called in addresses and records, such as `concord`.
    pub id: String,
    /// The one agency whose members it may sign in.
    pub agency: AgencyId,
    /// What people read.
    pub name: String,
    /// The issuer, exactly as its tokens name it.
    pub issuer: String,
    /// Values of `acr` of which the token must have one; none asked for when empty.
    pub acr: Vec<String>,
    /// Values of `amr` that the token must have all.
    pub amr: Vec<String>,
    /// Whether only a passkey confirms dangerous actions.
    pub passkey_for_step_up: bool,
}

/// A provider, as pages show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProviderView {
    /// Its id.
    pub id: String,
    /// What people read.
    pub name: String,
    /// Whether a fresh sign-in there confirms dangerous actions; a passkey always does.
    pub confirms: bool,
}

impl From<&Provider> for ProviderView {
    fn from(it: &Provider) -> Self {
        Self { id: it.id.clone(), name: it.name.clone(), confirms: !it.passkey_for_step_up }
    }
}

/// What one sign-in at a provider is asked with. All of it counts once.
#[derive(Clone, PartialEq, Eq)]
pub struct Asked {
    /// Comes back with the browser: the ceremony.
    pub state: String,
    /// Stands in the token (OpenID Connect Core 1.0, section 3.1.2.1).
    pub nonce: String,
    /// The code's verifier (PKCE, RFC 7636 section 4.1).
    pub verifier: String,
    /// Where the browser comes back to.
    pub redirect: String,
    /// Seconds since the person last proved themselves to the provider; 0 asks for it anew, whoever is signed in there.
    pub max_age: u32,
}

impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Asked")
    }
}

/// What the browser brought back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Returned<'a> {
    /// The code, to be exchanged for a token.
    pub code: &'a str,
    /// The issuer, from providers that name it (RFC 9207).
    pub issuer: Option<&'a str>,
}

/// What a verified token says. Names, addresses and groups that it may hold are not taken along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identified {
    /// Who it is at the provider.
    pub subject: String,
    /// When they proved themselves there (`auth_time`).
    pub signed_in: Option<Time>,
    /// How (`acr`).
    pub acr: Option<String>,
    /// By which means (`amr`).
    pub amr: Vec<String>,
}

/// Why a provider identified nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// It does not answer, or not as a provider does.
    #[error("it does not answer as it should: {0}")]
    Down(&'static str),
    /// What came does not count.
    #[error("{0}")]
    Refused(&'static str),
}

/// The way to providers.
pub trait Providers: Send + Sync {
    /// The address at the provider to which the browser is sent.
    fn address(
        &self,
        provider: &Provider,
        asked: &Asked,
    ) -> impl Future<Output = Result<String, ProviderError>> + Send;

    /// Exchanges the code, and verifies the token: signature, issuer, audience, expiry, nonce.
    fn identify(
        &self,
        provider: &Provider,
        asked: &Asked,
        returned: Returned<'_>,
    ) -> impl Future<Output = Result<Identified, ProviderError>> + Send;
}

/// What a refusal of the provider is to people.
pub(super) fn failed(provider: &Provider, error: &ProviderError) -> CoreError {
    match error {
        ProviderError::Down(_) => {
            CoreError::ProviderDown { name: provider.name.clone(), reason: error.to_string() }
        }
        ProviderError::Refused(_) => CoreError::field(
            "code",
            "refused",
            &error.to_string(),
            "begin the sign-in again; if it repeats, tell your administrator, and use a passkey meanwhile",
        ),
    }
}

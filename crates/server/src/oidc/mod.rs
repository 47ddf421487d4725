//! OpenID Connect for agencies that have it: the driver of [`Providers`]. Authorization code flow with PKCE (RFC 7636); what a
//! provider publishes is fetched when it is needed and kept for an hour; tokens are verified by `openidconnect` and dropped.
//!
//! Nothing of a token but who, when and how it was signed in leaves this module, and nothing of it is logged.

mod config;
mod http;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use canvass_core::signin::{Asked, Identified, Provider, ProviderError, Providers, Returned};
use canvass_types::{Clock, Time};
use openidconnect::{
    AdditionalProviderMetadata, AuthType, AuthenticationContextClass, AuthenticationFlow, AuthorizationCode,
    ClaimsVerificationError, ClientId, ClientSecret, CsrfToken, DiscoveryError, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IssuerUrl, Nonce, PkceCodeChallenge,
    PkceCodeVerifier, ProviderMetadata, RedirectUrl, RequestTokenError, SignatureVerificationError,
    TokenResponse as _,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod,
        CoreErrorResponseType, CoreGrantType, CoreIdToken, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm,
        CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm as Alg, CoreResponseMode, CoreResponseType,
        CoreSubjectIdentifierType,
    },
};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

pub use config::{ProviderConfig, ProvidersError, read_providers};
use http::FetchError;

/// Seconds for which what a provider publishes is kept.
const KEPT: i64 = 3_600;
/// Seconds after which keys are fetched anew for a token whose key is not known.
const ROTATED: i64 = 60;
/// Seconds since a token was made, at most; a provider's clock may be behind.
const OLDEST: i64 = 600;
/// Seconds by which a provider's clock may be ahead.
const AHEAD: i64 = 60;
/// Sign-ins at providers that wait for an answer at the same time.
const AT_ONCE: usize = 32;
/// The signatures that count: none without a public key (RFC 8725, sections 3.1 and 3.2).
const ALGORITHMS: [Alg; 9] = [
    Alg::RsaSsaPkcs1V15Sha256,
    Alg::RsaSsaPkcs1V15Sha384,
    Alg::RsaSsaPkcs1V15Sha512,
    Alg::RsaSsaPssSha256,
    Alg::RsaSsaPssSha384,
    Alg::RsaSsaPssSha512,
    Alg::EcdsaP256Sha256,
    Alg::EcdsaP384Sha384,
    Alg::EdDsa,
];

/// What is read of a provider's metadata besides OpenID Connect Discovery 1.0.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Extra {
    /// RFC 9207, section 3.
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}
impl AdditionalProviderMetadata for Extra {}

type Metadata = ProviderMetadata<
    Extra,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// An answer on its way.
type Fetching = Pin<Box<dyn Future<Output = Result<HttpResponse, FetchError>> + Send>>;

/// What a provider published, and when it was fetched.
#[derive(Clone)]
struct Known {
    metadata: Arc<Metadata>,
    at: Time,
}

/// The configured providers.
pub struct Oidc {
    configs: HashMap<String, ProviderConfig>,
    clock: Arc<dyn Clock>,
    http: Option<reqwest::Client>,
    known: Mutex<HashMap<String, Known>>,
    places: Semaphore,
}

impl Oidc {
    /// Takes the configured providers; none of them is asked before somebody signs in.
    #[must_use]
    pub fn new(configs: Vec<ProviderConfig>, clock: Arc<dyn Clock>) -> Self {
        let configs = configs.into_iter().map(|it| (it.provider.id.clone(), it)).collect();
        Self {
            configs,
            clock,
            http: http::client(),
            known: Mutex::default(),
            places: Semaphore::new(AT_ONCE),
        }
    }

    fn now(&self) -> Time {
        Time::new(self.clock.now())
    }

    fn config(&self, provider: &Provider) -> Result<&ProviderConfig, ProviderError> {
        self.configs.get(&provider.id).ok_or(ProviderError::Down("it is not configured"))
    }

    /// What a provider publishes, not older than this many seconds.
    async fn known(&self, config: &ProviderConfig, oldest: i64) -> Result<Arc<Metadata>, ProviderError> {
        let (id, now) = (&config.provider.id, self.now());
        let kept = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        if let Some(known) = kept.filter(|known| known.at.plus_seconds(oldest) > now) {
            return Ok(known.metadata);
        }
        let issuer = IssuerUrl::new(config.provider.issuer.clone())
            .map_err(|_| ProviderError::Down("its issuer is no address"))?;
        let found = Metadata::discover_async(issuer, &self.way(config)).await.map_err(|error| {
            // The issuer and addresses are the operator's own words; what a stranger answered is not logged.
            tracing::warn!(provider = id, "a provider of sign-ins does not answer as it should");
            ProviderError::Down(match error {
                DiscoveryError::Request(error) => error.words(),
                DiscoveryError::Validation(_) => {
                    "it names another issuer; the operator must look at `issuer`"
                }
                _ => "what it publishes can't be read; the operator must look at `issuer`",
            })
        })?;
        let metadata = Arc::new(found);
        let known = Known { metadata: Arc::clone(&metadata), at: now };
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), known);
        Ok(metadata)
    }

    fn way(&self, config: &ProviderConfig) -> impl Fn(HttpRequest) -> Fetching + Send + Sync {
        let client = self.http.clone();
        let here = reqwest::Url::parse(&config.provider.issuer).is_ok_and(|url| config::is_here(&url));
        move |request| Box::pin(http::fetch(client.clone(), request, here))
    }

    fn client(config: &ProviderConfig, metadata: &Metadata, redirect: &str) -> Result<Client, ProviderError> {
        let secret = config.secret.as_ref().map(|text| ClientSecret::new(text.to_string()));
        let id = ClientId::new(config.client_id.clone());
        let redirect = RedirectUrl::new(redirect.to_owned())
            .map_err(|_| ProviderError::Down("the desk's address can't be named to it"))?;
        let client = CoreClient::from_provider_metadata(metadata.clone(), id, secret);
        let methods = metadata.token_endpoint_auth_methods_supported();
        let takes = |method: &CoreClientAuthMethod| methods.is_none_or(|all| all.contains(method));
        let in_body = !takes(&CoreClientAuthMethod::ClientSecretBasic)
            && takes(&CoreClientAuthMethod::ClientSecretPost);
        let how = if in_body { AuthType::RequestBody } else { AuthType::BasicAuth };
        Ok(client.set_redirect_uri(redirect).set_auth_type(how))
    }

    /// Exchanges the code for a token.
    async fn exchange(
        &self,
        config: &ProviderConfig,
        client: &Client,
        code: &str,
        verifier: &str,
    ) -> Result<CoreIdToken, ProviderError> {
        let way = self.way(config);
        let request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|_| ProviderError::Down("it has no token endpoint"))?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.to_owned()));
        let answer = request.request_async(&way).await.map_err(|error| match error {
            RequestTokenError::ServerResponse(said) => match said.error() {
                CoreErrorResponseType::InvalidGrant => ProviderError::Refused(
                    "the provider no longer takes the code: it was used, or is too old",
                ),
                CoreErrorResponseType::InvalidClient | CoreErrorResponseType::UnauthorizedClient => {
                    tracing::warn!(provider = config.provider.id, "a provider refuses client id or secret");
                    ProviderError::Down(
                        "it does not take this Canvass; the operator must look at `client_id`",
                    )
                }
                _ => ProviderError::Refused("the provider refuses the code"),
            },
            RequestTokenError::Request(error) => ProviderError::Down(error.words()),
            // A token that can't be read fails here, too.
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
                ProviderError::Refused("the provider's answer holds no token that can be read")
            }
        })?;
        answer.id_token().cloned().ok_or(ProviderError::Refused("the provider's answer holds no ID token"))
    }

    /// Verifies a token (OpenID Connect Core 1.0, section 3.1.3.7).
    fn verify(
        &self,
        client: &Client,
        client_id: &str,
        token: &CoreIdToken,
        nonce: &str,
    ) -> Result<Identified, ClaimsVerificationError> {
        let now = self.now().as_second();
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(now).unwrap_or(0));
        let verifier = client
            .id_token_verifier()
            .set_allowed_algs(ALGORITHMS)
            .set_time_fn(move || at.into())
            .set_issue_time_verifier_fn(move |made| {
                let made = made.timestamp();
                if made > now + AHEAD || made < now - OLDEST { Err("iat".into()) } else { Ok(()) }
            });
        let claims = token.claims(&verifier, &Nonce::new(nonce.to_owned()))?;
        if claims.authorized_party().is_some_and(|party| party.as_str() != client_id) {
            return Err(ClaimsVerificationError::InvalidAudience("azp".into()));
        }
        let subject = claims.subject().as_str();
        // OpenID Connect Core 1.0, section 2: at most 255 characters of ASCII.
        if subject.is_empty() || subject.len() > 255 || !subject.is_ascii() {
            return Err(ClaimsVerificationError::InvalidSubject("sub".into()));
        }
        let amr = claims.auth_method_refs().into_iter().flatten().map(|it| it.as_str().to_owned()).collect();
        Ok(Identified {
            subject: subject.to_owned(),
            signed_in: claims.auth_time().map(|at| Time::from_second(at.timestamp())),
            acr: claims.auth_context_ref().map(|it| it.as_str().to_owned()),
            amr,
        })
    }
}

/// Why a token does not count, without a word of what it says.
fn refused(error: &ClaimsVerificationError) -> ProviderError {
    ProviderError::Refused(match error {
        ClaimsVerificationError::Expired(_) => "the token is past its time, or not of now",
        ClaimsVerificationError::InvalidAudience(_) => "the token is for somebody else",
        ClaimsVerificationError::InvalidIssuer(_) => "the token is another issuer's",
        ClaimsVerificationError::InvalidNonce(_) => "the token answers another sign-in",
        ClaimsVerificationError::InvalidSubject(_) => "the token does not say who it is for",
        ClaimsVerificationError::SignatureVerification(_) => "the token's signature does not hold",
        _ => "the token is not of a form that counts",
    })
}

impl Providers for Oidc {
    async fn address(&self, provider: &Provider, asked: &Asked) -> Result<String, ProviderError> {
        let _place =
            self.places.try_acquire().map_err(|_| ProviderError::Down("too many sign in at this moment"))?;
        let config = self.config(provider)?;
        let metadata = self.known(config, KEPT).await?;
        let client = Self::client(config, &metadata, &asked.redirect)?;
        let verifier = PkceCodeVerifier::new(asked.verifier.clone());
        let (state, nonce) = (asked.state.clone(), asked.nonce.clone());
        let mut request = client
            .authorize_url(
                AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
                move || CsrfToken::new(state.clone()),
                move || Nonce::new(nonce.clone()),
            )
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .set_max_age(Duration::from_secs(asked.max_age.into()));
        if asked.max_age == 0 {
            request = request.add_prompt(CoreAuthPrompt::Login);
        }
        for acr in &provider.acr {
            request = request.add_auth_context_value(AuthenticationContextClass::new(acr.clone()));
        }
        let (url, _, _) = request.url();
        if !config::safe(&url, config::is_here(&url) && config.provider.issuer.starts_with("http://")) {
            return Err(ProviderError::Down(FetchError::Plain.words()));
        }
        Ok(url.into())
    }

    async fn identify(
        &self,
        provider: &Provider,
        asked: &Asked,
        returned: Returned<'_>,
    ) -> Result<Identified, ProviderError> {
        let _place =
            self.places.try_acquire().map_err(|_| ProviderError::Down("too many sign in at this moment"))?;
        let config = self.config(provider)?;
        let metadata = self.known(config, KEPT).await?;
        let promised = metadata.additional_metadata().authorization_response_iss_parameter_supported;
        if returned.issuer.map_or(promised, |issuer| issuer != provider.issuer) {
            return Err(ProviderError::Refused("the answer does not name this provider as its issuer"));
        }
        let client = Self::client(config, &metadata, &asked.redirect)?;
        let token = self.exchange(config, &client, returned.code, &asked.verifier).await?;
        let outcome = match self.verify(&client, &config.client_id, &token, &asked.nonce) {
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            )) => {
                let metadata = self.known(config, ROTATED).await?;
                let client = Self::client(config, &metadata, &asked.redirect)?;
                self.verify(&client, &config.client_id, &token, &asked.nonce)
            }
            other => other,
        };
        outcome.map_err(|error| refused(&error))
    }
}

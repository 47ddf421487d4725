//! The way to a provider: by TLS, without redirects, within limits of time and size.

use std::time::Duration;

use openidconnect::{HttpRequest, HttpResponse, http};
use reqwest::Url;

use super::config::safe;

/// Within which a provider answers one request whole.
const ANSWER: u64 = 8;
/// Largest answer, in bytes.
const LARGEST: usize = 256 * 1024;

/// Why nothing came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum FetchError {
    /// The address is not one for secrets.
    #[error("it names an address without TLS")]
    Plain,
    /// No connection, or none in time.
    #[error("it can't be reached, or takes too long")]
    Network,
    /// Too many bytes.
    #[error("its answer is too large")]
    Size,
    /// Not HTTP as it is spoken.
    #[error("its answer can't be read")]
    Form,
}

impl FetchError {
    /// The same in words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Plain => "it names an address without TLS",
            Self::Network => "it can't be reached, or takes too long",
            Self::Size => "its answer is too large",
            Self::Form => "its answer can't be read",
        }
    }
}

/// The client; none where TLS can't be set up, which then every fetch tells.
pub(super) fn client() -> Option<reqwest::Client> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(ANSWER))
        .connect_timeout(Duration::from_secs(4))
        .build()
        .ok()
}

/// Sends one request; `here` says whether the provider is on this machine.
pub(super) async fn fetch(
    client: Option<reqwest::Client>,
    request: HttpRequest,
    here: bool,
) -> Result<HttpResponse, FetchError> {
    let client = client.ok_or(FetchError::Network)?;
    let (parts, body) = request.into_parts();
    let url = Url::parse(&parts.uri.to_string()).map_err(|_| FetchError::Form)?;
    if !safe(&url, here) {
        return Err(FetchError::Plain);
    }
    let sent = client.request(parts.method, url).headers(parts.headers).body(body).send().await;
    let mut answer = sent.map_err(|_| FetchError::Network)?;
    let mut found = http::Response::builder().status(answer.status());
    if let Some(headers) = found.headers_mut() {
        *headers = answer.headers().clone();
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|_| FetchError::Network)? {
        if bytes.len() + chunk.len() > LARGEST {
            return Err(FetchError::Size);
        }
        bytes.extend_from_slice(&chunk);
    }
    found.body(bytes).map_err(|_| FetchError::Form)
}

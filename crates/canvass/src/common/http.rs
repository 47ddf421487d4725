//! One HTTP client: bounded in time, size and tries. It keeps no cookies, sends no name and follows no redirects.

use std::time::Duration;

use futures_util::StreamExt;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::Failure;

/// Largest answer that is read whole, in bytes.
pub const MAX_ANSWER: u64 = 64 * 1024 * 1024;
/// Largest refusal that is read, in bytes.
const MAX_PROBLEM: u64 = 64 * 1024;
/// Tries of a request that may be repeated.
const TRIES: u32 = 4;
/// Longest pause that a server can ask for, in seconds.
const MAX_PAUSE: u64 = 30;
const JSON: &str = "application/json";

/// The address of a Canvass: `https://`, or `http://` on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server(String);

impl Server {
    /// Reads an address.
    ///
    /// # Errors
    /// Says what an address looks like.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let wrong =
            |why: &str| Failure::usage(format!("server address: {why}; write it as https://canvass.example"));
        let url = reqwest::Url::parse(text.trim()).map_err(|_| wrong("it isn't an address"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("it has a user name in it"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("it has ? or # in it"));
        }
        let host = url.host_str().unwrap_or_default();
        let here = matches!(host, "localhost" | "[::1]") || host.starts_with("127.");
        match url.scheme() {
            "https" => {}
            "http" if here => {}
            "http" => return Err(wrong("plain http is for this machine alone")),
            _ => return Err(wrong("it starts with another word than https")),
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }

    /// The address, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Host and port, for a file name.
    pub fn file_name(&self) -> String {
        let rest = self.0.split_once("://").map_or(self.0.as_str(), |(_, rest)| rest);
        rest.chars()
            .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') { c } else { '_' })
            .collect()
    }

    fn tls(&self) -> bool {
        self.0.starts_with("https")
    }
}

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// No answer.
    #[error("{server} did not answer ({reason}); check the address and the network, then try again")]
    Silent {
        /// Whom.
        server: String,
        /// Why.
        reason: String,
    },
    /// A refusal.
    #[error("{0}")]
    Refused(Box<Refused>),
    /// An answer that isn't understood.
    #[error("{path}: the answer isn't understood ({reason}); is this a Canvass, and of the same version?")]
    Strange {
        /// What was asked for.
        path: String,
        /// Why.
        reason: String,
    },
    /// An answer that is too long.
    #[error("{path}: the answer is longer than {limit} bytes; is this a Canvass?")]
    TooLong {
        /// What was asked for.
        path: String,
        /// In bytes.
        limit: u64,
    },
}

impl HttpError {
    /// The status of a refusal.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused(refused) => Some(refused.status),
            _ => None,
        }
    }
}

/// A refusal: problem+json (RFC 9457) in words.
#[derive(Debug)]
pub struct Refused {
    /// HTTP status.
    pub status: StatusCode,
    /// What to show.
    pub text: String,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

#[derive(serde::Deserialize, Default)]
#[serde(default)]
struct Problem {
    title: String,
    detail: String,
    remedy: Option<String>,
    field: Option<String>,
    problems: Vec<canvass_types::FieldProblem>,
}

// What a server says goes to a terminal: no control characters.
fn plain(text: &str) -> String {
    text.chars().take(2_000).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

impl Refused {
    fn read(status: StatusCode, body: &[u8]) -> Self {
        let problem: Problem = serde_json::from_slice(body).unwrap_or_default();
        let title =
            if problem.title.is_empty() { "the server refused".to_owned() } else { plain(&problem.title) };
        let mut text = format!("{title} ({})", status.as_u16());
        if let Some(field) = problem.field.filter(|field| !field.is_empty()) {
            text = format!("{}: {text}", plain(&field));
        }
        if !problem.detail.is_empty() {
            text = format!("{text}: {}", plain(&problem.detail));
        }
        if let Some(remedy) = problem.remedy {
            text = format!("{text}; {}", plain(&remedy));
        }
        for found in problem.problems.iter().take(100) {
            let line = [&found.field, &found.message, &found.remedy].map(|part| plain(part));
            text = format!("{text}\n  {}", line.join(": "));
        }
        Self { status, text }
    }
}

/// The client.
#[derive(Debug, Clone)]
pub struct Http {
    client: reqwest::Client,
    server: Server,
    token: Option<Zeroizing<String>>,
}

impl Http {
    /// A client for one server; with a token for its private half.
    ///
    /// # Errors
    /// TLS can't be set up.
    pub fn new(server: Server, token: Option<Zeroizing<String>>) -> Result<Self, Failure> {
        let mut builder = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(20))
            .read_timeout(Duration::from_secs(60))
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(2);
        if server.tls() {
            builder = builder.https_only(true);
        } else {
            // Nothing is fetched over TLS, so no machine needs roots of trust for it; and no proxy stands between.
            builder = builder.tls_certs_only(Vec::new()).no_proxy();
        }
        let client = builder.build().map_err(|error| {
            Failure::from(error).context("the HTTP client can't start; install the system's CA certificates")
        })?;
        Ok(Self { client, server, token })
    }

    /// Whom it talks to.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// The full address of a path, or of an address that the same server gave.
    pub fn url(&self, path: &str) -> String {
        if path.starts_with("http://") || path.starts_with("https://") {
            return path.to_owned();
        }
        format!("{}{path}", self.server.as_str())
    }

    /// A request, with the token when there is one and the path is this server's own.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = self.url(path);
        let own = url
            .strip_prefix(self.server.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let request = self.client.request(method, url);
        let Some(token) = self.token.as_ref().filter(|_| own) else { return request };
        let mut headers = HeaderMap::new();
        if let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {}", token.as_str())) {
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        request.headers(headers)
    }

    /// Sends once; a refusal is an error with its words.
    ///
    /// # Errors
    /// [`HttpError`].
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, HttpError> {
        let response = request.send().await.map_err(|error| self.silent(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body = read_body(response, "refusal", MAX_PROBLEM).await.unwrap_or_default();
        Err(HttpError::Refused(Box::new(Refused::read(status, &body))))
    }

    fn silent(&self, error: &reqwest::Error) -> HttpError {
        let mut reason = if error.is_timeout() {
            "it took too long"
        } else if error.is_connect() {
            "no connection"
        } else {
            "the connection broke"
        }
        .to_owned();
        let mut source = std::error::Error::source(error);
        while let Some(inner) = source {
            reason = inner.to_string();
            source = inner.source();
        }
        HttpError::Silent { server: self.server.as_str().to_owned(), reason }
    }

    /// Sends a request that may be repeated, a bounded number of times.
    async fn send_again(&self, make: impl Fn() -> RequestBuilder) -> Result<Response, HttpError> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let response = make().send().await.map_err(|error| self.silent(&error));
            let pause = match &response {
                Ok(response) if retried(response.status()) => pause_of(response.headers(), attempt),
                Ok(_) => None,
                Err(_) => Some(backoff(attempt)),
            };
            let Some(pause) = pause.filter(|_| attempt < TRIES) else {
                let response = response?;
                let status = response.status();
                if status.is_success() {
                    return Ok(response);
                }
                let body = read_body(response, "refusal", MAX_PROBLEM).await.unwrap_or_default();
                return Err(HttpError::Refused(Box::new(Refused::read(status, &body))));
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Reads a file of at most `limit` bytes; `None` where nothing is.
    ///
    /// # Errors
    /// [`HttpError`].
    pub async fn get_optional(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, HttpError> {
        match self.send_again(|| self.request(Method::GET, path)).await {
            Ok(response) => read_body(response, path, limit).await.map(Some),
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads JSON.
    ///
    /// # Errors
    /// [`HttpError`].
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, HttpError> {
        let response = self.send_again(|| self.request(Method::GET, path)).await?;
        parse(path, &read_body(response, path, MAX_ANSWER).await?)
    }

    /// Reads JSON of evidence, with the purpose for which it is read.
    ///
    /// # Errors
    /// [`HttpError`].
    pub async fn get_for<T: DeserializeOwned>(
        &self,
        path: &str,
        purpose: HeaderValue,
    ) -> Result<T, HttpError> {
        let request = self.request(Method::GET, path).header("canvass-purpose", purpose);
        let response = self.send(request).await?;
        parse(path, &read_body(response, path, MAX_ANSWER).await?)
    }

    /// Sends JSON once and reads JSON; an empty answer reads as `null`.
    ///
    /// # Errors
    /// [`HttpError`].
    pub async fn call<B: Serialize + ?Sized, T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &B,
    ) -> Result<T, HttpError> {
        self.answered(self.request(method, path), path, body).await
    }

    /// Posts a question about protected things, with the purpose for which it is asked.
    ///
    /// # Errors
    /// [`HttpError`].
    pub async fn call_for<B: Serialize + ?Sized, T: DeserializeOwned>(
        &self,
        path: &str,
        purpose: HeaderValue,
        body: &B,
    ) -> Result<T, HttpError> {
        let request = self.request(Method::POST, path).header("canvass-purpose", purpose);
        self.answered(request, path, body).await
    }

    /// Posts a file and reads JSON.
    ///
    /// # Errors
    /// [`HttpError`].
    pub async fn call_bytes<T: DeserializeOwned>(
        &self,
        path: &str,
        kind: &'static str,
        bytes: Vec<u8>,
    ) -> Result<T, HttpError> {
        let request = self.request(Method::POST, path).header("content-type", kind).body(bytes);
        let response = self.send(request).await?;
        parse(path, &read_body(response, path, MAX_ANSWER).await?)
    }

    async fn answered<B: Serialize + ?Sized, T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
        path: &str,
        body: &B,
    ) -> Result<T, HttpError> {
        let bytes = serde_json::to_vec(body)
            .map_err(|error| HttpError::Strange { path: path.to_owned(), reason: error.to_string() })?;
        let response = self.send(request.header("content-type", JSON).body(bytes)).await?;
        let bytes = read_body(response, path, MAX_ANSWER).await?;
        parse(path, if bytes.is_empty() { b"null" } else { &bytes })
    }

    /// Sends a request without a body once (`DELETE`, or a `POST` that needs none) and reads JSON.
    ///
    /// # Errors
    /// [`HttpError`].
    pub async fn call_empty<T: DeserializeOwned>(&self, method: Method, path: &str) -> Result<T, HttpError> {
        let response = self.send(self.request(method, path)).await?;
        let bytes = read_body(response, path, MAX_ANSWER).await?;
        parse(path, if bytes.is_empty() { b"null" } else { &bytes })
    }
}

fn retried(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502 | 503 | 504)
}

fn backoff(attempt: u32) -> Duration {
    Duration::from_millis(250_u64.saturating_mul(1 << attempt.min(6)))
}

fn pause_of(headers: &HeaderMap, attempt: u32) -> Option<Duration> {
    let asked = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    match asked {
        Some(seconds) if seconds > MAX_PAUSE => None,
        Some(seconds) => Some(Duration::from_secs(seconds)),
        None => Some(backoff(attempt)),
    }
}

fn parse<T: DeserializeOwned>(path: &str, bytes: &[u8]) -> Result<T, HttpError> {
    serde_json::from_slice(bytes)
        .map_err(|error| HttpError::Strange { path: path.to_owned(), reason: plain(&error.to_string()) })
}

async fn read_body(response: Response, path: &str, limit: u64) -> Result<Vec<u8>, HttpError> {
    let mut bytes = Vec::new();
    let mut stream = response.bytes_stream();
    while let Some(part) = stream.next().await {
        let part = part.map_err(|error| HttpError::Strange {
            path: path.to_owned(),
            reason: if error.is_timeout() { "it came too slowly" } else { "the connection broke" }.to_owned(),
        })?;
        bytes.extend_from_slice(&part);
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit {
            return Err(HttpError::TooLong { path: path.to_owned(), limit });
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_https_or_on_this_machine() {
        for good in
            ["https://a.example", "https://a.example/", "http://127.0.0.1:8080", "http://localhost:1/base/"]
        {
            let server = Server::parse(good).unwrap();
            assert!(!server.as_str().ends_with('/'), "{good}");
        }
        for bad in
            ["", "a.example", "http://a.example", "ftp://a", "https://u:p@a.example", "https://a.example?x=1"]
        {
            assert_eq!(Server::parse(bad).unwrap_err().code(), 2, "{bad}");
        }
        assert_eq!(Server::parse("http://127.0.0.1:80/x").unwrap().file_name(), "127.0.0.1_x");
    }

    #[test]
    fn refusals_are_words_without_control_characters() {
        let body = br#"{"type":"urn:canvass:upload-expired","title":"Gone\u001b[2J","detail":"d","remedy":"start anew",
            "problems":[{"field":"area","rule":"r","message":"too large","remedy":"draw less"}]}"#;
        let refused = Refused::read(StatusCode::GONE, body);
        assert_eq!(refused.text, "Gone [2J (410): d; start anew\n  area: too large: draw less");
        assert_eq!(Refused::read(StatusCode::BAD_GATEWAY, b"<html>").text, "the server refused (502)");
    }
}

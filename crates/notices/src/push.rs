//! Web push: RFC 8030 (delivery), RFC 8291 (encryption), RFC 8292 (VAPID).

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::{StatusCode, Url, header};
use serde::Serialize;
use web_push_native::{Auth, encrypt, p256::PublicKey};

use crate::{NoticesError, Sent, keys::Keys, news::Open, store::Row, texts, wish::PushTarget};

/// How long a push service keeps a message for a device that sleeps.
const KEPT: u64 = 86_400;
/// The same for a message of alerts: later, the page itself tells.
const ALERT_KEPT: u64 = 3_600;
/// How long one token of RFC 8292 holds; 24 hours are allowed.
const TOKEN_HOLDS: i64 = 12 * 3_600;
/// Within which a push service has to answer.
const ANSWER: Duration = Duration::from_secs(20);
/// Push services of the browsers of today.
const SERVICES: &[&str] = &[
    "fcm.googleapis.com",
    "updates.push.services.mozilla.com",
    ".push.services.mozilla.com",
    ".push.apple.com",
    ".notify.windows.com",
];

/// How web push is sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PushConfig {
    /// Whom a push service may write to: `mailto:…` or `https://…`.
    pub contact: String,
    /// Services besides those of the known browsers: a host (`push.example`), its subdomains (`.push.example`), or a whole
    /// origin (`http://127.0.0.1:9000`). A server that sends wherever it is told to could be aimed at others.
    pub services: Vec<String>,
}

pub(crate) struct Pusher {
    contact: String,
    services: Vec<String>,
    key: EncodingKey,
    public: String,
    http: reqwest::Client,
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: String,
    exp: i64,
    sub: &'a str,
}

/// How a message is delivered (RFC 8030).
struct Delivery<'a> {
    /// How long a push service keeps it for a device that sleeps, seconds.
    kept: u64,
    urgency: &'static str,
    /// A later message of the same topic replaces one that was not delivered yet.
    topic: &'a str,
}

/// That alerts wait: words alone.
#[derive(Serialize)]
struct Alert<'a> {
    v: u32,
    kind: &'a str,
    title: &'a str,
    body: &'a str,
}

#[derive(Serialize)]
struct Payload<'a> {
    v: u32,
    /// Only the region: the device fetches the whole of it, as everyone does.
    region: &'a str,
    title: String,
    body: String,
}

impl Pusher {
    pub(crate) fn new(config: &PushConfig, keys: &Keys) -> Result<Self, NoticesError> {
        if !(config.contact.starts_with("mailto:") || config.contact.starts_with("https://")) {
            let reason = "write mailto: and an address, or https:// and a page, under which push services reach the operator";
            return Err(NoticesError::Setting { setting: "push contact", reason: reason.to_owned() });
        }
        let der = keys.vapid_der().ok_or(NoticesError::Message("the push key"))?;
        let http =
            reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(ANSWER).build();
        Ok(Self {
            contact: config.contact.clone(),
            services: SERVICES
                .iter()
                .map(|&one| one.to_owned())
                .chain(config.services.iter().cloned())
                .collect(),
            key: EncodingKey::from_ec_der(&der),
            public: keys.vapid_public(),
            http: http.map_err(|_| NoticesError::Message("the HTTP client"))?,
        })
    }

    /// Whether an address belongs to a push service that we know.
    pub(crate) fn admits(&self, endpoint: &str) -> bool {
        let Ok(url) = Url::parse(endpoint) else { return false };
        let origin = url.origin().ascii_serialization();
        let Some(host) = url.host_str() else { return false };
        let plain = url.username().is_empty() && url.password().is_none();
        plain
            && self.services.iter().any(|service| {
                if service.contains("://") {
                    return *service == origin;
                }
                let named = match service.strip_prefix('.') {
                    Some(_) => host.ends_with(service.as_str()),
                    None => host == service,
                };
                named && url.scheme() == "https" && url.port().is_none()
            })
    }

    pub(crate) async fn send(
        &self,
        target: &PushTarget,
        row: &Row,
        fresh: &[&Open],
        now: i64,
    ) -> Result<Sent, NoticesError> {
        let region = fresh.first().map_or("", |each| each.region.as_str());
        let text = texts::of(&row.language);
        let payload =
            Payload { v: 1, region, title: text.push_title(fresh.len()), body: text.push_body.to_owned() };
        let payload = serde_json::to_vec(&payload).map_err(|_| NoticesError::Message("the payload"))?;
        self.deliver(target, payload, &Delivery { kept: KEPT, urgency: "normal", topic: region }, now).await
    }

    /// Tells a member's browser that alerts wait for a comparison; nothing of them is said.
    pub(crate) async fn tell_of_alerts(
        &self,
        target: &PushTarget,
        language: &str,
        now: i64,
    ) -> Result<Sent, NoticesError> {
        let text = texts::of(language);
        let payload = Alert { v: 1, kind: "alert", title: text.alert_title, body: text.alert_body };
        let payload = serde_json::to_vec(&payload).map_err(|_| NoticesError::Message("the payload"))?;
        let delivery = Delivery { kept: ALERT_KEPT, urgency: "high", topic: "alerts" };
        self.deliver(target, payload, &delivery, now).await
    }

    async fn deliver(
        &self,
        target: &PushTarget,
        payload: Vec<u8>,
        delivery: &Delivery<'_>,
        now: i64,
    ) -> Result<Sent, NoticesError> {
        // A subscription with keys that aren't any can never be told.
        let Some(body) = seal(payload, target) else { return Ok(Sent::Gone) };
        let Ok(url) = Url::parse(&target.endpoint) else { return Ok(Sent::Gone) };
        let claims =
            Claims { aud: url.origin().ascii_serialization(), exp: now + TOKEN_HOLDS, sub: &self.contact };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::ES256), &claims, &self.key)
            .map_err(|_| NoticesError::Message("the token of RFC 8292"))?;
        let request = self
            .http
            .post(url)
            .header("TTL", delivery.kept)
            .header("Urgency", delivery.urgency)
            .header("Topic", delivery.topic)
            .header(header::CONTENT_ENCODING, "aes128gcm")
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header(header::AUTHORIZATION, format!("vapid t={token}, k={}", self.public))
            .body(body);
        Ok(match request.send().await {
            Ok(answer) if answer.status().is_success() => Sent::Done,
            Ok(answer) if matches!(answer.status(), StatusCode::NOT_FOUND | StatusCode::GONE) => Sent::Gone,
            Ok(answer) => {
                tracing::warn!(status = answer.status().as_u16(), "a push service did not take a notice");
                Sent::Later
            }
            Err(_) => {
                tracing::warn!("a push service could not be reached");
                Sent::Later
            }
        })
    }
}

fn seal(payload: Vec<u8>, target: &PushTarget) -> Option<Vec<u8>> {
    let decode = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok();
    let public = PublicKey::from_sec1_bytes(&decode(&target.keys.p256dh)?).ok()?;
    let auth = <[u8; 16]>::try_from(decode(&target.keys.auth)?).ok()?;
    encrypt(payload, &public, &Auth::from(auth)).ok()
}

#[cfg(test)]
mod tests {
    use canvass_testkit::SeededEntropy;

    use super::*;

    fn pusher(services: &[&str]) -> Pusher {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::open(folder.path(), &SeededEntropy::new(7)).unwrap();
        let services = services.iter().map(|&one| one.to_owned()).collect();
        Pusher::new(&PushConfig { contact: "mailto:ops@canvass.example".into(), services }, &keys).unwrap()
    }

    #[test]
    fn only_known_push_services_are_written_to() {
        let one = pusher(&["http://127.0.0.1:9000"]);
        for (address, fine) in [
            ("https://fcm.googleapis.com/fcm/send/abc", true),
            ("https://web.push.apple.com/abc", true),
            ("https://wns2-par02p.notify.windows.com/w/?token=x", true),
            ("http://127.0.0.1:9000/x", true),
            ("http://127.0.0.1:9001/x", false),
            ("http://fcm.googleapis.com/fcm/send/abc", false),
            ("https://fcm.googleapis.com:8443/fcm/send/abc", false),
            ("https://fcm.googleapis.com.evil.example/x", false),
            ("https://evilfcm.googleapis.com/x", false),
            ("https://user@fcm.googleapis.com/x", false),
            ("https://169.254.169.254/latest", false),
            ("file:///etc/passwd", false),
            ("", false),
        ] {
            assert_eq!(one.admits(address), fine, "{address}");
        }
    }

    #[test]
    fn a_contact_is_needed() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::open(folder.path(), &SeededEntropy::new(7)).unwrap();
        assert!(Pusher::new(&PushConfig::default(), &keys).is_err());
    }
}

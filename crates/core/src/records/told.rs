//! Whom alerts are told to besides the desk: webhooks with the messages to them, and members' browsers.

use canvass_types::{AgencyId, AlertId, Digest, MemberId, MessageId, PushId, SessionId, Time, WebhookId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::text;
use crate::ports::{Kind, Record};

/// What a webhook is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub enum WebhookEvent {
    /// A camera read a plate of a hotlist.
    #[serde(rename = "alert.raised")]
    Raised,
    /// A person compared plate and picture.
    #[serde(rename = "alert.compared")]
    Compared,
    /// Somebody tries the webhook out.
    #[serde(rename = "webhook.test")]
    Test,
}

impl WebhookEvent {
    /// Those that a webhook may ask for.
    pub const OFFERED: [Self; 2] = [Self::Raised, Self::Compared];

    /// The type as messages name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Raised => "alert.raised",
            Self::Compared => "alert.compared",
            Self::Test => "webhook.test",
        }
    }
}

/// A secret of a webhook. It is derived from the server's key and this salt; the secret itself is kept nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookSecret {
    /// What it is derived with.
    pub salt: Digest,
    /// When it was made.
    pub made: Time,
    /// From when on nothing is signed with it; none for the newest.
    pub ends: Option<Time>,
}

/// Why a webhook is off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WhyOff {
    /// It failed for days, and nothing came through.
    Failing,
    /// It answered that it is gone (410).
    Gone,
}

/// That a webhook was switched off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookOff {
    /// When.
    pub at: Time,
    /// Why.
    pub why: WhyOff,
}

/// An address to which an agency's alerts are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// Whose alerts.
    pub agency: AgencyId,
    /// What the agency calls it.
    pub name: String,
    /// Where messages go. Its path may be a secret of the receiver: records of actions and the ledger name the host alone.
    pub url: String,
    /// The host of it.
    pub host: String,
    /// What it is told of.
    pub events: Vec<WebhookEvent>,
    /// Its secrets, the newest first.
    pub secrets: Vec<WebhookSecret>,
    /// Who set it up.
    pub by: MemberId,
    /// When.
    pub made: Time,
    /// Since when nothing came through; none while the last message did.
    pub failing: Option<Time>,
    /// Messages that were not kept because too many waited.
    pub lost: u32,
    /// That it was switched off.
    pub off: Option<WebhookOff>,
}
record!(
    Webhook,
    Webhook,
    |it| it.id.to_string(),
    [text(&it.agency), text(if it.off.is_some() { "off" } else { "on" })]
);

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MessageState {
    /// It is tried, or tried again.
    Waiting,
    /// The receiver took it.
    Delivered,
    /// It is not tried any more.
    GivenUp,
}

impl MessageState {
    /// The state as it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::GivenUp => "given-up",
        }
    }
}

/// What became of one try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Attempt {
    /// The receiver answered with this status.
    Status(u16),
    /// It did not answer in time.
    TimedOut,
    /// It could not be reached, or TLS failed.
    Unreachable,
    /// The address is one that nothing is sent to.
    Forbidden,
}

/// A message to a webhook. It is stored together with what it tells of, and tried until the receiver took it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookMessage {
    /// Its id: `webhook-id`, the same at each try.
    pub id: MessageId,
    /// To which webhook.
    pub webhook: WebhookId,
    /// What it tells of.
    pub event: WebhookEvent,
    /// Of which alert.
    pub alert: Option<AlertId>,
    /// What is sent, byte for byte.
    pub body: String,
    /// When it was made.
    pub made: Time,
    /// Where it stands.
    pub state: MessageState,
    /// When it is tried next.
    pub due: Option<Time>,
    /// How often it was tried.
    pub tries: u32,
    /// When it was tried last, and what became of that.
    pub last: Option<(Time, Attempt)>,
    /// When it is forgotten.
    pub ends: Time,
}
record!(
    WebhookMessage,
    WebhookMessage,
    |it| it.id.to_string(),
    [text(&it.webhook), text(it.state.as_str()), it.due.map(|due| due.to_string()), text(it.ends)]
);

/// A push subscription, as browsers give it out (W3C Push API).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushAddress {
    /// Address of the push service.
    pub endpoint: String,
    /// Public key of the browser, base64url.
    pub p256dh: String,
    /// Its secret of 16 bytes, base64url.
    pub auth: String,
}

/// A browser of a member that is told when an alert waits for comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertPush {
    /// Its id.
    pub id: PushId,
    /// The member's agency.
    pub agency: AgencyId,
    /// Whose browser.
    pub member: MemberId,
    /// The session in which it was subscribed; it goes with it.
    pub session: Option<SessionId>,
    /// Where it is told.
    pub address: PushAddress,
    /// SHA-256 of the endpoint: one browser has one subscription.
    pub endpoint: Digest,
    /// In which language, `en` or `es`.
    pub language: String,
    /// When it was subscribed first.
    pub made: Time,
    /// The place of the newest alert that it was told of.
    pub told: u64,
    /// Tries that failed in a row.
    pub failures: u32,
    /// Not to be tried before.
    pub not_before: Option<Time>,
    /// When it ends, unless the desk's page renews it.
    pub ends: Time,
}
record!(
    AlertPush,
    AlertPush,
    |it| it.id.to_string(),
    [
        text(&it.agency),
        text(&it.member),
        it.session.as_ref().map(ToString::to_string),
        text(it.endpoint),
        text(it.ends),
    ]
);

//! Webhooks: an agency's administrator names addresses to which its alerts are told (Standard Webhooks 1.0).
//!
//! ```text
//! raise_alerts, confirm_alert ── told ──► WebhookMessage, in the same commit
//!                                              │ messages_due ──► Sending ── the server sends ──► message_tried
//!                                              ▼
//!                              delivered │ tried again, ever later │ given up
//! ```
//! A message names the alert, its list and its camera, and leads to the desk. It holds no plate and no position.

pub mod address;
mod outbox;
mod signature;

use canvass_types::{AgencyId, AlertId, Digest, MemberId, MessageId, Time, WebhookId, env::random};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

pub use address::{Inside, MOST_URL, is_public};
pub use outbox::{GIVE_UP_SECONDS, LONGEST_PAUSE, MOST_WAITING, NO_CAUSE, OFF_SECONDS, Sending, pause};

use crate::{
    App, CoreError,
    access::{Actor, Target, WebhookAdd, WebhookChange, WebhookList, WebhookRemove, WebhookTest},
    cases::{Page, load::every, load::page_of},
    error::{accept, check_text, problem},
    ports::{Query, Records, RecordsExt, Versioned},
    records::{Attempt, MessageState, Webhook, WebhookEvent, WebhookMessage, WebhookOff, WebhookSecret},
};

/// Most webhooks that one agency has.
pub const MOST_WEBHOOKS: usize = 5;
/// Hours for which the secret before the newest still signs, so that a receiver can change over.
pub const ROTATION_HOURS: i64 = 24;

/// A webhook that is to be set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    /// What the agency calls it, 2 to 80 characters.
    pub name: String,
    /// Where messages go: `https://…`, at most 500 bytes.
    pub url: String,
    /// What it is told of: `alert.raised`, `alert.compared`; both when left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<WebhookEvent>,
}

/// A secret of a webhook, as members see it: never the secret itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookSecretView {
    /// When it was made.
    pub made: Time,
    /// From when on it signs nothing; none for the newest.
    pub ends: Option<Time>,
}

/// A webhook, as members see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookView {
    /// Its id.
    pub id: WebhookId,
    /// Whose alerts it is told of.
    pub agency: AgencyId,
    /// What the agency calls it.
    pub name: String,
    /// The host that messages go to.
    pub host: String,
    /// The whole address, for those who may change it: its path may be a secret of the receiver.
    pub url: Option<String>,
    /// What it is told of.
    pub events: Vec<WebhookEvent>,
    /// The secrets that sign now, the newest first.
    pub secrets: Vec<WebhookSecretView>,
    /// Who set it up.
    pub by: MemberId,
    /// Their name.
    pub by_name: String,
    /// When.
    pub made: Time,
    /// Messages that wait.
    pub waiting: u32,
    /// Since when nothing came through.
    pub failing: Option<Time>,
    /// Messages that were not kept because too many waited.
    pub lost: u32,
    /// That it was switched off, and why.
    pub off: Option<WebhookOff>,
}

/// A webhook with its secret, which is shown this once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookSecretShown {
    /// The webhook.
    pub webhook: WebhookView,
    /// The secret, `whsec_…`: with it the receiver checks that a message is ours.
    pub secret: String,
}

/// A message to a webhook, as members see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookMessageView {
    /// Its id, which the receiver sees as `webhook-id`.
    pub id: MessageId,
    /// What it tells of.
    pub event: WebhookEvent,
    /// Of which alert.
    pub alert: Option<AlertId>,
    /// When it was made.
    pub made: Time,
    /// Where it stands.
    pub state: MessageState,
    /// When it is tried next.
    pub due: Option<Time>,
    /// How often it was tried.
    pub tries: u32,
    /// When it was tried last.
    pub tried: Option<Time>,
    /// What became of the last try: `{"status": 500}`, `timed-out`, `unreachable` or `forbidden`.
    #[schema(value_type = Option<serde_json::Value>)]
    pub result: Option<Attempt>,
}

impl From<WebhookMessage> for WebhookMessageView {
    fn from(it: WebhookMessage) -> Self {
        Self {
            id: it.id,
            event: it.event,
            alert: it.alert,
            made: it.made,
            state: it.state,
            due: it.due,
            tries: it.tries,
            tried: it.last.map(|(at, _)| at),
            result: it.last.map(|(_, result)| result),
        }
    }
}

/// The secrets that sign at a moment, the newest first.
fn in_use(webhook: &Webhook, now: Time) -> impl Iterator<Item = &WebhookSecret> {
    webhook.secrets.iter().filter(move |secret| secret.ends.is_none_or(|ends| now < ends))
}

/// With a new secret; the one before it signs on for a while.
fn rotated(webhook: &Webhook, salt: Digest, now: Time) -> Webhook {
    let ends = now.plus_seconds(ROTATION_HOURS * 3_600);
    let before =
        in_use(webhook, now).next().map(|secret| WebhookSecret { ends: Some(ends), ..secret.clone() });
    let secrets = std::iter::once(WebhookSecret { salt, made: now, ends: None }).chain(before).collect();
    Webhook { secrets, ..webhook.clone() }
}

impl<R: Records> App<R> {
    /// Says which addresses of their own network the operator lets webhooks reach. The first call counts.
    pub fn webhooks_inside(&self, inside: Inside) {
        self.set_inside(inside);
    }

    fn new_salt(&self) -> Digest {
        Digest(random(self.entropy()))
    }

    pub(super) fn webhook_secret(
        &self,
        webhook: &Webhook,
        secret: &WebhookSecret,
    ) -> Result<[u8; 32], CoreError> {
        self.derived(&format!("webhook/{}/{}", webhook.id, secret.salt))
    }

    async fn load_webhook(&self, id: &WebhookId) -> Result<Versioned<Webhook>, CoreError> {
        self.records().get(id.as_str()).await?.ok_or(CoreError::Hidden("webhook"))
    }

    /// Sets up a webhook of the actor's agency, and shows its secret this once.
    ///
    /// # Errors
    /// When the actor may not, the agency has [`MOST_WEBHOOKS`], or a field is wrong.
    pub async fn add_webhook(
        &self,
        actor: &Actor,
        wish: NewWebhook,
    ) -> Result<WebhookSecretShown, CoreError> {
        let id = WebhookId::random(self.entropy());
        let agency = actor.agency.clone().ok_or(CoreError::Hidden("agency"))?;
        let intent = self.allow::<WebhookAdd>(actor, Target::of(&agency, &id), None).await?;
        let mut problems = Vec::new();
        check_text(&mut problems, "name", &wish.name, 2..=80);
        let address = address::check(wish.url.trim(), self.inside()).map_err(|one| problems.push(*one)).ok();
        if wish.events.contains(&WebhookEvent::Test) {
            let remedy = "leave it out: a test is sent when somebody asks for it";
            problems.push(problem("events", "test", "webhook.test is no event of alerts", remedy));
        }
        accept(problems)?;
        let Some(address) = address else { return Err(CoreError::Hidden("webhook")) };
        let others =
            every(self.records(), Query::<Webhook>::new().with("agency", &agency), usize::MAX).await?;
        if others.len() >= MOST_WEBHOOKS {
            return Err(CoreError::state(
                format!("the agency has {MOST_WEBHOOKS} webhooks, and no more are kept"),
                "remove one that is no longer used",
            ));
        }
        let mut events = if wish.events.is_empty() { WebhookEvent::OFFERED.to_vec() } else { wish.events };
        events.sort_unstable();
        events.dedup();
        let now = self.now();
        let webhook = Webhook {
            id,
            agency,
            name: wish.name.trim().to_owned(),
            url: address.url.to_string(),
            host: address.host,
            events,
            secrets: vec![WebhookSecret { salt: self.new_salt(), made: now, ends: None }],
            by: actor.member.clone(),
            made: now,
            failing: None,
            lost: 0,
            off: None,
        };
        // Before it is stored: a server without its key must not set one up.
        let secret = self.newest_secret(&webhook)?;
        intent
            .detail(json!({ "host": webhook.host, "events": webhook.events }))
            .with(|changes| changes.insert(&webhook))
            .commit(self.records())
            .await?;
        Ok(WebhookSecretShown { webhook: self.webhook_view(actor, webhook).await?, secret })
    }

    fn newest_secret(&self, webhook: &Webhook) -> Result<String, CoreError> {
        let newest = webhook.secrets.first().ok_or(CoreError::Hidden("secret"))?;
        Ok(signature::secret_text(&self.webhook_secret(webhook, newest)?))
    }

    /// Gives a webhook a new secret and shows it this once; the one before signs as well for [`ROTATION_HOURS`].
    ///
    /// # Errors
    /// When the actor may not, or there is no such webhook.
    pub async fn rotate_webhook(
        &self,
        actor: &Actor,
        id: &WebhookId,
    ) -> Result<WebhookSecretShown, CoreError> {
        let before = self.load_webhook(id).await?;
        let target = Target::of(&before.record.agency, id);
        let intent = self.allow::<WebhookChange>(actor, target, None).await?;
        let webhook = rotated(&before.record, self.new_salt(), self.now());
        let secret = self.newest_secret(&webhook)?;
        intent
            .detail(json!({ "host": webhook.host, "secret": "rotated" }))
            .with(|changes| changes.update(&before, &webhook))
            .commit(self.records())
            .await?;
        Ok(WebhookSecretShown { webhook: self.webhook_view(actor, webhook).await?, secret })
    }

    /// Switches a webhook on again after it was switched off.
    ///
    /// # Errors
    /// When the actor may not, there is no such webhook, it is on, or its address is not allowed any more.
    pub async fn resume_webhook(&self, actor: &Actor, id: &WebhookId) -> Result<WebhookView, CoreError> {
        let before = self.load_webhook(id).await?;
        let target = Target::of(&before.record.agency, id);
        let intent = self.allow::<WebhookChange>(actor, target, None).await?;
        if before.record.off.is_none() {
            return Err(CoreError::state("the webhook is on already", "nothing is left to do"));
        }
        address::check(&before.record.url, self.inside()).map_err(|one| CoreError::Invalid(vec![*one]))?;
        let webhook = Webhook { off: None, failing: None, lost: 0, ..before.record.clone() };
        intent
            .detail(json!({ "host": webhook.host, "on": true }))
            .with(|changes| changes.update(&before, &webhook))
            .commit(self.records())
            .await?;
        self.webhook_view(actor, webhook).await
    }

    /// Removes a webhook: nothing is sent to it any more, not even what waits.
    ///
    /// # Errors
    /// When the actor may not, or there is no such webhook.
    pub async fn remove_webhook(&self, actor: &Actor, id: &WebhookId) -> Result<(), CoreError> {
        let before = self.load_webhook(id).await?;
        let target = Target::of(&before.record.agency, id);
        let intent = self.allow::<WebhookRemove>(actor, target, None).await?;
        intent
            .detail(json!({ "host": before.record.host }))
            .with(|changes| changes.delete(&before))
            .commit(self.records())
            .await?;
        Ok(())
    }

    /// Sends a message to a webhook that tells of nothing, so that the receiver can be tried out.
    ///
    /// # Errors
    /// When the actor may not, there is no such webhook, or it is off.
    pub async fn test_webhook(&self, actor: &Actor, id: &WebhookId) -> Result<WebhookMessageView, CoreError> {
        let before = self.load_webhook(id).await?;
        let target = Target::of(&before.record.agency, id);
        let intent = self.allow::<WebhookTest>(actor, target, None).await?;
        if before.record.off.is_some() {
            return Err(CoreError::state("the webhook is off", "switch it on first"));
        }
        let message = self.test_message(&before.record);
        intent
            .detail(json!({ "host": before.record.host }))
            .with(|changes| changes.depends_on(&before).insert(&message))
            .commit(self.records())
            .await?;
        Ok(message.into())
    }

    /// Webhooks of the actor's agency, oldest first; for overseers all.
    ///
    /// # Errors
    /// When the actor may not.
    pub async fn webhooks(&self, actor: &Actor) -> Result<Vec<WebhookView>, CoreError> {
        self.gate().check::<WebhookList>(actor, &Target::maybe(actor.agency.as_ref(), "webhooks"))?;
        let query = match &actor.agency {
            Some(own) => Query::<Webhook>::new().with("agency", own),
            None => Query::new(),
        };
        let mut views = Vec::new();
        for found in every(self.records(), query, usize::MAX).await? {
            views.push(self.webhook_view(actor, found.record).await?);
        }
        Ok(views)
    }

    /// Messages to a webhook, newest first.
    ///
    /// # Errors
    /// When the actor may not, or there is no such webhook.
    pub async fn webhook_messages(
        &self,
        actor: &Actor,
        id: &WebhookId,
        part: (Option<u64>, Option<u32>),
    ) -> Result<Page<WebhookMessageView>, CoreError> {
        let webhook = self.load_webhook(id).await?.record;
        self.gate().check::<WebhookList>(actor, &Target::of(&webhook.agency, id))?;
        let query = Query::<WebhookMessage>::new().with("webhook", id);
        let found = page_of(self.records(), query, part, |_| true).await?;
        let entries = found.entries.into_iter().map(|each| each.record.into()).collect();
        Ok(Page { entries, next: found.next })
    }

    async fn webhook_view(&self, actor: &Actor, webhook: Webhook) -> Result<WebhookView, CoreError> {
        let now = self.now();
        let may =
            self.gate().check::<WebhookChange>(actor, &Target::of(&webhook.agency, &webhook.id)).is_ok();
        let secrets =
            in_use(&webhook, now).map(|it| WebhookSecretView { made: it.made, ends: it.ends }).collect();
        Ok(WebhookView {
            waiting: u32::try_from(self.waiting(&webhook.id).await?).unwrap_or(u32::MAX),
            by_name: self.member_name(&webhook.by).await?,
            secrets,
            url: may.then_some(webhook.url),
            id: webhook.id,
            agency: webhook.agency,
            name: webhook.name,
            host: webhook.host,
            events: webhook.events,
            by: webhook.by,
            made: webhook.made,
            failing: webhook.failing,
            lost: webhook.lost,
            off: webhook.off,
        })
    }

    /// Messages to a webhook that wait, up to [`MOST_WAITING`].
    pub(super) async fn waiting(&self, id: &WebhookId) -> Result<usize, CoreError> {
        let query =
            Query::<WebhookMessage>::new().with("webhook", id).with("state", MessageState::Waiting.as_str());
        Ok(self.records().list(query.limit(MOST_WAITING)).await?.len())
    }
}

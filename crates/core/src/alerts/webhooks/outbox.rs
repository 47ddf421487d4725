//! The outbox: messages are stored with what they tell of, tried until the receiver took them, ever later, and given up
//! after three days. What was under way when the server stopped is tried again, under the same id.

use canvass_types::{MessageId, Time, WebhookId, env::random};
use serde_json::json;

use super::{address, in_use, signature};
use crate::{
    App, CoreError,
    access::{Job, Target},
    cases::load::{every, up_to},
    ports::{Changeset, Query, Records, RecordsExt, StoreError, Versioned},
    records::{
        Alert, AlertState, Attempt, Hotlist, MessageState, Webhook, WebhookEvent, WebhookMessage, WebhookOff,
        WhyOff,
    },
};

/// Seconds until the second try.
const FIRST_PAUSE: i64 = 5;
/// Most seconds between two tries.
pub const LONGEST_PAUSE: i64 = 12 * 3_600;
/// Seconds after which a message is given up.
pub const GIVE_UP_SECONDS: i64 = 3 * 86_400;
/// Seconds without anything that came through, after which a webhook is switched off.
pub const OFF_SECONDS: i64 = 5 * 86_400;
/// Seconds for which a message is kept after it was made, so that people can look what became of it.
const KEPT_SECONDS: i64 = 30 * 86_400;
/// Most messages that wait for one webhook while it fails; more are counted and not kept.
pub const MOST_WAITING: u32 = 1_000;
/// Messages that are sent at the same time, in all and to one webhook.
const AT_ONCE: (usize, u32) = (16, 4);
/// Messages that one round of forgetting removes.
const ROUND: usize = 200;
/// Times that a change is decided anew when somebody else was first.
const TRIES: usize = 5;

/// What every message about an alert says.
pub const NO_CAUSE: &str = "A match alone is no cause for a stop or a search. It stays unconfirmed until a person has compared the plate with the picture.";

/// A message on its way.
#[derive(Debug, Clone)]
pub struct Sending {
    /// Where it goes.
    pub address: address::Address,
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp`.
    pub timestamp: i64,
    /// `webhook-signature`.
    pub signature: String,
    /// The body.
    pub body: String,
    message: Versioned<WebhookMessage>,
}

/// Seconds until the next try, after so many; `chance` spreads those who would come back at once by a quarter either way.
#[must_use]
pub fn pause(tries: u32, chance: u16) -> i64 {
    let doubled = tries.saturating_sub(1).min(10);
    let whole = FIRST_PAUSE.saturating_mul(1 << (2 * doubled)).min(LONGEST_PAUSE);
    let spread = whole / 2 * i64::from(chance) / i64::from(u16::MAX);
    (whole - whole / 4 + spread).clamp(1, LONGEST_PAUSE)
}

/// When a message that failed is tried next: later each time, not before the receiver wants it, and once more at the end.
fn next(message: &WebhookMessage, now: Time, wanted: Option<i64>, chance: u16) -> Time {
    let wait = pause(message.tries, chance).max(wanted.unwrap_or(0).min(LONGEST_PAUSE));
    now.plus_seconds(wait).min(message.made.plus_seconds(GIVE_UP_SECONDS)).max(now.plus_seconds(1))
}

/// The message after a try.
fn tried(
    before: &WebhookMessage,
    now: Time,
    attempt: Attempt,
    wanted: Option<i64>,
    chance: u16,
) -> WebhookMessage {
    let mut after = before.clone();
    after.tries = before.tries.saturating_add(1);
    after.last = Some((now, attempt));
    after.due = None;
    if came_through(attempt) {
        after.state = MessageState::Delivered;
    } else if attempt == Attempt::Status(410) || now >= before.made.plus_seconds(GIVE_UP_SECONDS) {
        after.state = MessageState::GivenUp;
    } else {
        after.due = Some(next(&after, now, wanted, chance));
    }
    after
}

fn came_through(attempt: Attempt) -> bool {
    matches!(attempt, Attempt::Status(200..=299))
}

/// The webhook after a try.
fn stands(before: &Webhook, now: Time, attempt: Attempt) -> Webhook {
    let mut after = before.clone();
    if before.off.is_some() {
        return after;
    }
    if came_through(attempt) {
        after.failing = None;
        after.lost = 0;
        return after;
    }
    let since = before.failing.unwrap_or(now);
    after.failing = Some(since);
    let off = |why| Some(WebhookOff { at: now, why });
    if attempt == Attempt::Status(410) {
        after.off = off(WhyOff::Gone);
    } else if now >= since.plus_seconds(OFF_SECONDS) {
        after.off = off(WhyOff::Failing);
    }
    after
}

/// What is to be told of something, for the commit that makes it so.
#[derive(Default)]
pub(in crate::alerts) struct Outgoing {
    messages: Vec<WebhookMessage>,
    lost: Vec<(Versioned<Webhook>, Webhook)>,
}

impl Outgoing {
    pub(in crate::alerts) fn write(&self, changes: Changeset) -> Changeset {
        let changes = self.messages.iter().fold(changes, Changeset::insert);
        self.lost.iter().fold(changes, |changes, (before, after)| changes.update(before, after))
    }
}

impl<R: Records> App<R> {
    fn message_to(
        &self,
        webhook: &Webhook,
        event: WebhookEvent,
        alert: Option<&Alert>,
        body: String,
    ) -> WebhookMessage {
        let now = self.now();
        WebhookMessage {
            id: MessageId::random(self.entropy()),
            webhook: webhook.id.clone(),
            event,
            alert: alert.map(|alert| alert.id.clone()),
            body,
            made: now,
            state: MessageState::Waiting,
            due: Some(now),
            tries: 0,
            last: None,
            ends: now.plus_seconds(KEPT_SECONDS),
        }
    }

    pub(super) fn test_message(&self, webhook: &Webhook) -> WebhookMessage {
        let event = WebhookEvent::Test;
        let body = json!({ "type": event, "timestamp": self.now(), "data": { "webhook": webhook.id } });
        self.message_to(webhook, event, None, body.to_string())
    }

    /// The body of a message about an alert: ids and names, and where the rest is. No plate, no position, nobody's name.
    fn body_of(&self, event: WebhookEvent, alert: &Alert, list: &Hotlist) -> String {
        let mut data = json!({
            "alert": alert.id,
            "state": alert.state,
            "list": { "id": alert.list, "name": list.name },
            "basis": alert.basis,
            "camera": alert.camera,
            "first_seen": alert.first,
            "last_seen": alert.last,
            "raised": alert.raised,
            "compared": alert.compared.as_ref().map(|compared| compared.at),
            "link": format!("{}/desk/alerts/{}", self.desk_origin().unwrap_or_default(), alert.id),
        });
        if alert.state == AlertState::Unconfirmed
            && let Some(data) = data.as_object_mut()
        {
            data.insert("notice".to_owned(), NO_CAUSE.into());
        }
        let at = alert.compared.as_ref().map_or(alert.raised, |compared| compared.at);
        json!({ "type": event, "timestamp": at, "data": data }).to_string()
    }

    /// Messages about an alert, one for each webhook of its agency that wants to know.
    pub(in crate::alerts) async fn told(
        &self,
        event: WebhookEvent,
        alert: &Alert,
    ) -> Result<Outgoing, CoreError> {
        let mut outgoing = Outgoing::default();
        let query = Query::<Webhook>::new().with("agency", &alert.agency);
        let webhooks = self.records().list(query).await?;
        let wanting: Vec<_> = webhooks
            .into_iter()
            .filter(|webhook| webhook.record.off.is_none() && webhook.record.events.contains(&event))
            .collect();
        if wanting.is_empty() {
            return Ok(outgoing);
        }
        let list: Option<Versioned<Hotlist>> = self.records().get(alert.list.as_str()).await?;
        let Some(list) = list else { return Ok(outgoing) };
        let body = self.body_of(event, alert, &list.record);
        for webhook in wanting {
            // Only one that fails can have many that wait.
            if webhook.record.failing.is_some()
                && self.waiting(&webhook.record.id).await? >= MOST_WAITING as usize
            {
                let lost = webhook.record.lost.saturating_add(1);
                let after = Webhook { lost, ..webhook.record.clone() };
                outgoing.lost.push((webhook, after));
            } else {
                outgoing.messages.push(self.message_to(&webhook.record, event, Some(alert), body.clone()));
            }
        }
        Ok(outgoing)
    }

    /// Messages whose time has come, signed for this moment: a few, and of each webhook fewer.
    ///
    /// # Errors
    /// The store's; the next round goes on.
    pub async fn messages_due(&self) -> Result<Vec<Sending>, CoreError> {
        let due = Query::<WebhookMessage>::new().due("due", self.now());
        if self.records().first(due.clone()).await?.is_none() {
            return Ok(Vec::new());
        }
        let mut webhooks = every(self.records(), Query::<Webhook>::new(), usize::MAX).await?;
        // Not always the same ones first.
        let first = usize::from(u16::from_be_bytes(random(self.entropy())));
        let first = first.checked_rem(webhooks.len()).unwrap_or(0);
        webhooks.rotate_left(first);
        let mut sendings = Vec::new();
        let mut ended = 0;
        for Versioned { record: webhook, .. } in &webhooks {
            let mine = due.clone().with("webhook", &webhook.id).limit(AT_ONCE.1);
            for message in self.records().list(mine).await? {
                if webhook.off.is_some() {
                    self.give_up(&message).await?;
                    ended += 1;
                } else if let Some(sending) = self.sending(webhook, message).await? {
                    sendings.push(sending);
                }
            }
            if sendings.len() >= AT_ONCE.0 {
                return Ok(sendings);
            }
        }
        if sendings.is_empty() && ended == 0 {
            self.drop_orphans(&webhooks).await?;
        }
        Ok(sendings)
    }

    async fn sending(
        &self,
        webhook: &Webhook,
        message: Versioned<WebhookMessage>,
    ) -> Result<Option<Sending>, CoreError> {
        let now = self.now();
        // What the operator allows may have changed since it was set up.
        let Ok(address) = address::check(&webhook.url, self.inside()) else {
            self.settle(&message, &webhook.id, Attempt::Forbidden, None).await?;
            return Ok(None);
        };
        let secrets: Result<Vec<_>, _> =
            in_use(webhook, now).map(|secret| self.webhook_secret(webhook, secret)).collect();
        let (id, timestamp) = (message.record.id.to_string(), now.as_second());
        let signature = signature::sign(&secrets?, &id, timestamp, &message.record.body);
        Ok(Some(Sending { address, id, timestamp, signature, body: message.record.body.clone(), message }))
    }

    /// Records what became of a try; `wanted` are the seconds after which the receiver wants to be asked again.
    ///
    /// # Errors
    /// The store's: the message is then sent again, under the same id.
    pub async fn message_tried(
        &self,
        sending: &Sending,
        attempt: Attempt,
        wanted: Option<i64>,
    ) -> Result<(), CoreError> {
        self.settle(&sending.message, &sending.message.record.webhook, attempt, wanted).await
    }

    async fn settle(
        &self,
        message: &Versioned<WebhookMessage>,
        webhook: &WebhookId,
        attempt: Attempt,
        wanted: Option<i64>,
    ) -> Result<(), CoreError> {
        let chance = u16::from_be_bytes(random(self.entropy()));
        let after = tried(&message.record, self.now(), attempt, wanted, chance);
        self.store_message(message, &after).await?;
        for _ in 0..TRIES {
            let Some(before) = self.records().get::<Webhook>(webhook.as_str()).await? else { return Ok(()) };
            let after = stands(&before.record, self.now(), attempt);
            if after == before.record {
                return Ok(());
            }
            let target = Target::of(&after.agency, &after.id);
            let intent = match &after.off {
                Some(off) => {
                    let intent = self.system(Job::WebhookOff, target);
                    intent.detail(json!({ "host": after.host, "why": off.why }))
                }
                None => self.system(Job::Housekeeping, target),
            };
            match intent.with(|changes| changes.update(&before, &after)).commit(self.records()).await {
                Err(StoreError::Conflict { .. }) => {}
                other => return Ok(other.map(drop)?),
            }
        }
        // The next try says it again.
        Ok(())
    }

    async fn give_up(&self, message: &Versioned<WebhookMessage>) -> Result<(), CoreError> {
        let after = WebhookMessage { state: MessageState::GivenUp, due: None, ..message.record.clone() };
        self.store_message(message, &after).await
    }

    /// Whoever was first has looked at the same message.
    async fn store_message(
        &self,
        before: &Versioned<WebhookMessage>,
        after: &WebhookMessage,
    ) -> Result<(), CoreError> {
        let intent = self.system(Job::Housekeeping, Target::shared(&after.id));
        match intent.with(|changes| changes.update(before, after)).commit(self.records()).await {
            Ok(_) | Err(StoreError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Drops what waits for webhooks that were removed.
    async fn drop_orphans(&self, webhooks: &[Versioned<Webhook>]) -> Result<(), CoreError> {
        let due = Query::<WebhookMessage>::new().due("due", self.now());
        for message in up_to(self.records(), due, ROUND).await? {
            if !webhooks.iter().any(|webhook| webhook.record.id == message.record.webhook) {
                self.drop_message(&message).await?;
            }
        }
        Ok(())
    }

    async fn drop_message(&self, message: &Versioned<WebhookMessage>) -> Result<(), CoreError> {
        let intent = self.system(Job::Housekeeping, Target::shared(&message.record.id));
        match intent.with(|changes| changes.delete(message)).commit(self.records()).await {
            Ok(_) | Err(StoreError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Forgets messages that are long settled; says how many.
    ///
    /// # Errors
    /// The store's; the next round goes on.
    pub async fn forget_messages(&self) -> Result<usize, CoreError> {
        let old =
            up_to(self.records(), Query::<WebhookMessage>::new().due("ends", self.now()), ROUND).await?;
        for message in &old {
            self.drop_message(message).await?;
        }
        Ok(old.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message() -> WebhookMessage {
        WebhookMessage {
            id: "msg_aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap(),
            webhook: "whk_aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap(),
            event: WebhookEvent::Raised,
            alert: None,
            body: "{}".into(),
            made: Time::from_second(0),
            state: MessageState::Waiting,
            due: Some(Time::from_second(0)),
            tries: 0,
            last: None,
            ends: Time::from_second(KEPT_SECONDS),
        }
    }

    #[test]
    fn pauses_grow_to_half_a_day() {
        let middle: Vec<i64> = (1..=9).map(|tries| pause(tries, u16::MAX / 2)).collect();
        assert_eq!(middle[..5], [4, 19, 79, 319, 1_279]);
        assert!(middle[7] > LONGEST_PAUSE * 9 / 10 && middle[8] <= LONGEST_PAUSE, "{middle:?}");
    }

    #[test]
    fn a_receiver_says_when_and_that_it_is_gone() {
        let after = tried(&message(), Time::from_second(10), Attempt::Status(503), Some(600), 0);
        assert_eq!((after.state, after.due), (MessageState::Waiting, Some(Time::from_second(610))));
        let after = tried(&message(), Time::from_second(10), Attempt::Status(503), Some(i64::MAX), 0);
        assert_eq!(after.due, Some(Time::from_second(10 + LONGEST_PAUSE)));
        let after = tried(&message(), Time::from_second(10), Attempt::Status(410), None, 0);
        assert_eq!((after.state, after.due), (MessageState::GivenUp, None));
        for status in [199, 300, 302, 404, 500] {
            let after = tried(&message(), Time::from_second(10), Attempt::Status(status), None, 0);
            assert_eq!(after.state, MessageState::Waiting, "{status}");
        }
    }

    proptest! {
        #[test]
        fn a_pause_is_bounded_and_near_its_middle(tries in 1_u32..200, chance in any::<u16>()) {
            let wait = pause(tries, chance);
            prop_assert!((1..=LONGEST_PAUSE).contains(&wait));
            let whole = FIRST_PAUSE.saturating_mul(1 << (2 * (tries - 1).min(10))).min(LONGEST_PAUSE);
            prop_assert!(wait * 4 >= whole * 3 - 4 && wait * 4 <= whole * 5 + 4);
        }

        #[test]
        fn every_message_ends(chances in proptest::collection::vec((any::<u16>(), 0_i64..100_000), 400)) {
            let mut one = message();
            let mut now = one.made;
            let mut tries = 0;
            for (chance, wanted) in chances {
                one = tried(&one, now, Attempt::TimedOut, Some(wanted), chance);
                tries += 1;
                match one.due {
                    Some(due) => {
                        prop_assert!(due > now, "never at once again");
                        prop_assert!(due <= one.made.plus_seconds(GIVE_UP_SECONDS).max(now.plus_seconds(1)));
                        now = due;
                    }
                    None => break,
                }
            }
            prop_assert_eq!(one.state, MessageState::GivenUp);
            prop_assert_eq!(one.tries, tries);
            prop_assert!(now >= one.made.plus_seconds(GIVE_UP_SECONDS) && now <= one.made.plus_seconds(GIVE_UP_SECONDS + 1));
        }
    }
}

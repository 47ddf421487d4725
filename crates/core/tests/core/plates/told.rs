//! Alerts are told to webhooks and browsers: with the alert or not at all, without a plate, until they are taken or given up.

use canvass_core::{
    CoreError,
    alerts::{
        push::{MOST_BROWSERS, NewPush, PUSH_DAYS, PushKeys, Pushed, QUIET_SECONDS},
        webhooks::{
            GIVE_UP_SECONDS, Inside, MOST_WEBHOOKS, NO_CAUSE, NewWebhook, OFF_SECONDS, ROTATION_HOURS,
            Sending, WebhookMessageView, WebhookSecretShown, WebhookView,
        },
    },
    members::ChangeMember,
    ports::{Query, RecordsExt as _},
    records::{AlertPush, Attempt, MessageState, WebhookEvent, WebhookMessage, WhyOff},
};
use canvass_types::WebhookId;
use serde_json::Value;

use super::{hotlists::saw, world::*};

const URL: &str = "https://dispatch.example/hooks/very-secret-path";

fn hook(url: &str) -> NewWebhook {
    NewWebhook { name: "Dispatch".into(), url: url.into(), events: Vec::new() }
}

impl World {
    async fn hooked(&self) -> WebhookSecretShown {
        self.app.add_webhook(&self.who('a', 2).await, hook(URL)).await.unwrap()
    }

    async fn hooks(&self) -> Vec<WebhookView> {
        self.app.webhooks(&self.who('a', 2).await).await.unwrap()
    }

    async fn messages(&self, id: &WebhookId) -> Vec<WebhookMessageView> {
        self.app.webhook_messages(&self.who('a', 1).await, id, (None, None)).await.unwrap().entries
    }

    /// Tries all that is due; gives what was sent.
    async fn try_all(&self, attempt: Attempt) -> Vec<Sending> {
        let due = self.app.messages_due().await.unwrap();
        for sending in &due {
            self.app.message_tried(sending, attempt, None).await.unwrap();
        }
        due
    }

    async fn alerted(&self) -> canvass_types::CameraId {
        let camera = self.camera('a', "Elm and Main").await;
        self.watched('a', "plate\nABC123\nXYZ999\n").await;
        camera
    }
}

#[tokio::test]
async fn an_alert_and_its_comparison_are_told_without_the_plate() {
    let world = World::new().await;
    let camera = world.alerted().await;
    let made = world.hooked().await;
    assert!(made.secret.starts_with("whsec_"));
    assert_eq!((made.webhook.host.as_str(), made.webhook.url.as_deref()), ("dispatch.example", Some(URL)));
    world.pass('a', &camera, &[("ABC123", 5)]).await;
    let sent = world.try_all(Attempt::Status(204)).await;
    let [raised] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(raised.address.url.as_str(), URL);
    let body: Value = serde_json::from_str(&raised.body).unwrap();
    let alert = &world.alerts('a').await[0];
    assert_eq!((&body["type"], &body["data"]["state"]), (&"alert.raised".into(), &"unconfirmed".into()));
    assert_eq!(body["data"]["alert"], alert.id.as_str());
    assert_eq!(
        (&body["data"]["list"]["name"], &body["data"]["notice"]),
        (&"stolen agency".into(), &NO_CAUSE.into())
    );
    assert_eq!(body["data"]["link"], format!("/desk/alerts/{}", alert.id));

    world.compare('a', alert, saw("ABC123")).await.unwrap();
    let sent = world.try_all(Attempt::Status(200)).await;
    let body: Value = serde_json::from_str(&sent[0].body).unwrap();
    assert_eq!((&body["type"], &body["data"]["state"]), (&"alert.compared".into(), &"confirmed".into()));
    assert!(body["data"].get("notice").is_none());
    // Neither message, nor what is kept of it, nor the ledger names plate, camera's place or person.
    let stored = world.app.records().list(Query::<WebhookMessage>::new()).await.unwrap();
    assert_eq!(stored.len(), 2);
    for message in stored {
        let text = serde_json::to_string(&message.record).unwrap();
        assert!(!["ABC123", "mbr_", "Elm and Main", "-71."].iter().any(|word| text.contains(word)), "{text}");
    }
    let entries = world.entries("webhook.").await;
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].body.detail["host"], "dispatch.example");
    assert!(!serde_json::to_string(&entries[0]).unwrap().contains("secret-path"));
    let states: Vec<MessageState> =
        world.messages(&made.webhook.id).await.iter().map(|it| it.state).collect();
    assert_eq!(states, [MessageState::Delivered; 2]);
    // An agency is told of its own alerts alone.
    assert!(world.app.webhooks(&world.who('b', 2).await).await.unwrap().is_empty());
    let theirs = world.app.webhook_messages(&world.who('b', 2).await, &made.webhook.id, (None, None)).await;
    assert!(theirs.is_err());
}

#[tokio::test]
async fn only_an_administrator_sets_one_up_and_only_to_the_internet() {
    let world = World::new().await;
    let administrator = world.who('a', 2).await;
    for (url, rule) in [
        ("http://dispatch.example/", "url.https"),
        ("https://10.0.0.1/", "url.private"),
        ("https://localhost/", "url.private"),
        ("https://ann:word@dispatch.example/", "url.credentials"),
        ("nonsense", "url.form"),
    ] {
        let error = world.app.add_webhook(&administrator, hook(url)).await.unwrap_err();
        assert_eq!(rules(&error), [rule], "{url}");
        assert!(url.len() < 12 || !error.to_string().contains(url), "{error}");
    }
    let test = NewWebhook { events: vec![WebhookEvent::Test], ..hook(URL) };
    assert_eq!(rules(&world.app.add_webhook(&administrator, test).await.unwrap_err()), ["events.test"]);
    let supervisor = world.who('a', 1).await;
    assert!(matches!(world.app.add_webhook(&supervisor, hook(URL)).await, Err(CoreError::Denied(_))));
    for _ in 0..MOST_WEBHOOKS {
        world.app.add_webhook(&administrator, hook(URL)).await.unwrap();
    }
    assert!(matches!(world.app.add_webhook(&administrator, hook(URL)).await, Err(CoreError::State { .. })));
    // A supervisor sees hosts; the path may be a secret.
    let seen = world.app.webhooks(&supervisor).await.unwrap();
    assert!(seen.iter().all(|one| one.url.is_none() && one.host == "dispatch.example"));
    let id = &seen[0].id;
    assert!(matches!(world.app.remove_webhook(&supervisor, id).await, Err(CoreError::Denied(_))));
    assert!(matches!(
        world.app.rotate_webhook(&world.who('b', 2).await, id).await,
        Err(CoreError::Denied(_))
    ));
    world.app.remove_webhook(&administrator, id).await.unwrap();
    assert_eq!(world.entries("webhook.remove").await.len(), 1);
}

#[tokio::test]
async fn a_message_is_tried_ever_later_under_one_id_and_given_up() {
    let world = World::new().await;
    let camera = world.alerted().await;
    let made = world.hooked().await;
    world.pass('a', &camera, &[("ABC123", 5)]).await;
    let begun = world.clock.time();
    let (mut ids, mut tries) = (std::collections::BTreeSet::new(), 0);
    loop {
        // A server that stopped between sending and noting sends the same again.
        let twice = world.app.messages_due().await.unwrap();
        let sent = world.try_all(Attempt::TimedOut).await;
        assert_eq!((sent.len(), &twice[0].id, &twice[0].signature), (1, &sent[0].id, &sent[0].signature));
        ids.insert(sent[0].id.clone());
        tries += 1;
        let [message] = &world.messages(&made.webhook.id).await[..] else { panic!() };
        let Some(due) = message.due else { break };
        assert!(world.app.messages_due().await.unwrap().is_empty(), "not before its time");
        world.clock.advance(due.as_second() - world.clock.time().as_second());
    }
    let [message] = &world.messages(&made.webhook.id).await[..] else { panic!() };
    assert_eq!((message.state, message.tries, ids.len()), (MessageState::GivenUp, tries, 1));
    assert_eq!(world.clock.time(), begun.plus_seconds(GIVE_UP_SECONDS));
    assert!((10..20).contains(&tries), "{tries}");
    let hook = &world.hooks().await[0];
    assert_eq!((hook.failing, hook.waiting, hook.off.is_none()), (Some(begun), 0, true));
    world.clock.advance_days(31);
    assert_eq!(world.app.forget_messages().await.unwrap(), 1);
}

#[tokio::test]
async fn one_that_only_fails_is_switched_off_and_can_be_switched_on() {
    let world = World::new().await;
    let camera = world.alerted().await;
    let id = world.hooked().await.webhook.id;
    world.pass('a', &camera, &[("ABC123", 5)]).await;
    world.try_all(Attempt::Status(500)).await;
    world.clock.advance(OFF_SECONDS);
    world.app.test_webhook(&world.who('a', 2).await, &id).await.unwrap();
    world.try_all(Attempt::Unreachable).await;
    let hook = &world.hooks().await[0];
    assert_eq!(hook.off.as_ref().map(|off| off.why), Some(WhyOff::Failing));
    let entries = world.entries("webhook.off").await;
    assert_eq!((entries.len(), &entries[0].body.detail["host"]), (1, &"dispatch.example".into()));
    // Nothing is sent, and nothing is kept for later.
    world.pass('a', &camera, &[("XYZ999", 5)]).await;
    assert!(world.try_all(Attempt::Status(200)).await.is_empty());
    let waiting = world.messages(&id).await.iter().filter(|one| one.state == MessageState::Waiting).count();
    let tested = world.app.test_webhook(&world.who('a', 2).await, &id).await;
    assert!(matches!(tested, Err(CoreError::State { .. })));
    assert!(waiting <= 1);
    let administrator = world.who('a', 2).await;
    let on = world.app.resume_webhook(&administrator, &id).await.unwrap();
    assert!(on.off.is_none() && on.failing.is_none());
    assert!(matches!(world.app.resume_webhook(&administrator, &id).await, Err(CoreError::State { .. })));
    world.app.test_webhook(&administrator, &id).await.unwrap();
    world.try_all(Attempt::Status(410)).await;
    assert_eq!(world.hooks().await[0].off.as_ref().map(|off| off.why), Some(WhyOff::Gone));
}

#[tokio::test]
async fn a_new_secret_signs_beside_the_old_one_for_a_day() {
    let world = World::new().await;
    let administrator = world.who('a', 2).await;
    let first = world.hooked().await;
    let id = first.webhook.id.clone();
    let signatures = async || {
        world.app.test_webhook(&administrator, &id).await.unwrap();
        let sent = world.try_all(Attempt::Status(200)).await;
        sent[0].signature.split(' ').map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(signatures().await.len(), 1);
    let second = world.app.rotate_webhook(&administrator, &id).await.unwrap();
    assert_ne!(first.secret, second.secret);
    assert_eq!((signatures().await.len(), second.webhook.secrets.len()), (2, 2));
    let third = world.app.rotate_webhook(&administrator, &id).await.unwrap();
    assert_eq!((signatures().await.len(), third.webhook.secrets.len()), (2, 2), "never three");
    world.clock.advance(ROTATION_HOURS * 3_600);
    assert_eq!(signatures().await.len(), 1);
    // The records alone are no secret.
    let stored = world.app.records().list(Query::<canvass_core::records::Webhook>::new()).await.unwrap();
    let text = serde_json::to_string(&stored[0].record).unwrap();
    for shown in [first, second, third] {
        assert!(!text.contains(shown.secret.trim_start_matches("whsec_")));
    }
}

#[tokio::test]
async fn what_the_operator_takes_back_is_not_called() {
    let world = World::new().await;
    world.app.webhooks_inside(Inside::parse(&["dispatch.local".to_owned()]).unwrap());
    let administrator = world.who('a', 2).await;
    let id =
        world.app.add_webhook(&administrator, hook("https://dispatch.local/x")).await.unwrap().webhook.id;
    world.app.test_webhook(&administrator, &id).await.unwrap();
    assert!(world.app.messages_due().await.unwrap()[0].address.inside);
    // The same records under a server without the option.
    let other = World::new().await;
    let stored = world.app.records().list(Query::<canvass_core::records::Webhook>::new()).await.unwrap();
    let messages = world.app.records().list(Query::<WebhookMessage>::new()).await.unwrap();
    let changes = canvass_core::ports::Changeset::unguarded();
    let changes = changes.insert(&stored[0].record).insert(&messages[0].record);
    canvass_core::ports::Records::commit(other.app.records(), changes).await.unwrap();
    assert!(other.app.messages_due().await.unwrap().is_empty());
    let [message] = &other.messages(&id).await[..] else { panic!() };
    assert_eq!((message.result, message.tries), (Some(Attempt::Forbidden), 1));
}

#[tokio::test]
async fn what_waits_for_a_removed_webhook_goes() {
    let world = World::new().await;
    let camera = world.alerted().await;
    let id = world.hooked().await.webhook.id;
    world.pass('a', &camera, &[("ABC123", 5)]).await;
    world.app.remove_webhook(&world.who('a', 2).await, &id).await.unwrap();
    assert!(world.app.messages_due().await.unwrap().is_empty());
    assert!(world.app.records().list(Query::<WebhookMessage>::new()).await.unwrap().is_empty());
}

fn browser(number: usize) -> NewPush {
    NewPush {
        endpoint: format!("https://push.example/{number}"),
        keys: PushKeys { p256dh: "BA".into(), auth: "AA".into() },
        language: "es".into(),
    }
}

impl World {
    async fn subscribed(&self, member: usize, number: usize) -> canvass_core::alerts::push::PushView {
        let who = self.who('a', member).await;
        self.app.subscribe_push(&who, browser(number), |_| true).await.unwrap()
    }

    async fn pushes(&self) -> usize {
        self.app.records().list(Query::<AlertPush>::new()).await.unwrap().len()
    }
}

#[tokio::test]
async fn a_browser_is_told_once_of_all_that_waits_and_not_of_what_was_compared() {
    let world = World::new().await;
    let camera = world.alerted().await;
    let strange =
        world.app.subscribe_push(&world.who('a', 0).await, browser(1), |_| false).await.unwrap_err();
    assert_eq!(rules(&strange), ["endpoint.service"]);
    world.pass('a', &camera, &[("ABC123", 5)]).await;
    let view = world.subscribed(0, 1).await;
    assert_eq!(view.service, "push.example");
    assert!(world.app.pushes_due().await.unwrap().is_empty(), "what came before is on the page that is open");
    world.pass('a', &camera, &[("ABC123", 1_000), ("XYZ999", 5)]).await;
    let due = world.app.pushes_due().await.unwrap();
    assert_eq!((due.len(), due[0].language.as_str()), (1, "es"));
    world.app.push_tried(&due[0], Pushed::Later).await.unwrap();
    assert!(world.app.pushes_due().await.unwrap().is_empty(), "it is tried again later");
    world.clock.advance(120);
    let due = world.app.pushes_due().await.unwrap();
    world.app.push_tried(&due[0], Pushed::Done).await.unwrap();
    assert!(world.app.pushes_due().await.unwrap().is_empty());
    // Within the quiet time the next waits; compared meanwhile, it is not told at all.
    world.pass('a', &camera, &[("ABC123", 5)]).await;
    assert!(world.app.pushes_due().await.unwrap().is_empty());
    for alert in world.alerts('a').await {
        let plate = alert.entry.plate.as_str().to_owned();
        world.compare('a', &alert, saw(&plate)).await.unwrap();
    }
    world.clock.advance(QUIET_SECONDS);
    assert!(world.app.pushes_due().await.unwrap().is_empty());
    world.clock.advance(3_600);
    world.pass('a', &camera, &[("XYZ999", 1)]).await;
    let due = world.app.pushes_due().await.unwrap();
    world.app.push_tried(&due[0], Pushed::Gone).await.unwrap();
    assert_eq!(world.pushes().await, 0);
}

#[tokio::test]
async fn who_may_not_see_alerts_any_more_is_told_nothing() {
    let world = World::new().await;
    let camera = world.alerted().await;
    let custodian = world.app.subscribe_push(&world.who('a', 2).await, browser(9), |_| true).await;
    assert!(matches!(custodian, Err(CoreError::Denied(_))));
    world.subscribed(0, 1).await;
    world.subscribed(1, 2).await;
    let stopped = ChangeMember { active: Some(false), ..ChangeMember::default() };
    let investigator = world.who('a', 0).await.member;
    world.app.change_member(&world.who('a', 2).await, &investigator, stopped).await.unwrap();
    assert_eq!(world.pushes().await, 1, "at once");
    world.pass('a', &camera, &[("ABC123", 5)]).await;
    assert_eq!(world.app.pushes_due().await.unwrap().len(), 1);
    let roles = ChangeMember { roles: Some(vec![canvass_types::Role::Custodian]), ..ChangeMember::default() };
    let supervisor = world.who('a', 1).await.member;
    world.app.change_member(&world.who('a', 2).await, &supervisor, roles).await.unwrap();
    assert!(world.app.pushes_due().await.unwrap().is_empty());
    assert_eq!(world.pushes().await, 0);
}

#[tokio::test]
async fn browsers_are_few_renewed_and_forgotten() {
    let world = World::new().await;
    let first = world.subscribed(0, 0).await;
    for number in 1..MOST_BROWSERS {
        world.subscribed(0, number).await;
    }
    let more = world.app.subscribe_push(&world.who('a', 0).await, browser(99), |_| true).await;
    assert!(matches!(more, Err(CoreError::State { .. })));
    // Whoever uses the browser now is told there, and nobody who used it before.
    let taken = world.subscribed(1, 0).await;
    assert_eq!(taken.id, first.id);
    assert!(world.app.stop_push(&world.who('a', 0).await, &first.id).await.is_err());
    assert_eq!(world.app.my_pushes(&world.who('a', 0).await).await.unwrap().len(), MOST_BROWSERS - 1);
    world.app.stop_push(&world.who('a', 1).await, &first.id).await.unwrap();
    world.clock.advance_days(PUSH_DAYS - 1);
    world.subscribed(0, 1).await;
    world.clock.advance_days(1);
    world.app.forget_pushes().await.unwrap();
    assert_eq!(world.pushes().await, 1, "the one that was renewed");
    let mut wrong = browser(1);
    wrong.language = "xx".into();
    let error = world.app.subscribe_push(&world.who('a', 0).await, wrong, |_| true).await.unwrap_err();
    assert_eq!(rules(&error), ["language.known"]);
}

//! Signing in by passkey from the invitation to the lock-out, with an authenticator in software, on the memory store.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test's helpers fail the test by panicking"
)]

use std::sync::Arc;

use canvass_core::{
    App, CoreError,
    access::{Actor, Denied, Gate, IssuedToken, NewToken},
    members::{ChangeMember, NewMember},
    ports::{Query, Records as _, RecordsExt as _},
    records::{AuditRecord, Lockout, Session},
    signin::{Ceremony, FinishSession, OpenEnrolment, OpenedSession, PasskeyView, SessionState},
};
use canvass_testkit::{Authenticator, ManualClock, MemRecords, SeededEntropy};
use canvass_types::{MemberId, Policy, Role, leaf::Log};
use serde_json::{Value, json};

const ORIGIN: &str = "https://desk.example.org";

struct Desk {
    app: App<MemRecords>,
    clock: Arc<ManualClock>,
    operator: Actor,
    token: IssuedToken,
    member: MemberId,
}

async fn desk() -> Desk {
    let clock = Arc::new(ManualClock::default());
    let gate = Gate::shipped().unwrap();
    let app = App::new(
        MemRecords::default(),
        gate,
        Policy::default(),
        clock.clone(),
        Arc::new(SeededEntropy::new(5)),
    );
    app.open_at(ORIGIN).unwrap();
    let (_, token) = app.first_operator("Olga Operator", 30).await.unwrap();
    let operator = app.sign_in(&token.token).await.unwrap();
    let new = NewMember { agency: None, name: "Mo Moderator".into(), roles: vec![Role::Moderator] };
    let member = app.add_member(&operator, new).await.unwrap().id;
    Desk { app, clock, operator, token, member }
}

fn from<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn options(ceremony: &Ceremony) -> Value {
    serde_json::to_value(ceremony).unwrap()
}

fn rule(error: &CoreError) -> (&str, &str) {
    let CoreError::Invalid(problems) = error else { return ("", "") };
    (problems[0].field.as_str(), problems[0].rule.as_str())
}

impl Desk {
    async fn enrol(&self, member: &MemberId, seed: u8) -> (Authenticator, PasskeyView) {
        let issued = self.app.enrol(&self.operator, member).await.unwrap();
        let mut who = Authenticator::new(seed, ORIGIN, [0; 16]);
        let made = self.finish_enrolment(&issued.secret, &mut who).await.unwrap();
        (who, made)
    }

    async fn finish_enrolment(
        &self,
        secret: &str,
        who: &mut Authenticator,
    ) -> Result<PasskeyView, CoreError> {
        let offer = self.app.begin_enrolment(&OpenEnrolment { secret: secret.into() }).await?;
        who.meet(&offer.ceremony.options);
        let credential = who.register(&offer.ceremony.options);
        let finish = json!({
            "secret": secret, "ceremony": offer.ceremony.ceremony, "label": "laptop", "credential": credential,
        });
        self.app.finish_enrolment(&from(finish)).await
    }

    async fn sign_in(&self, who: &mut Authenticator) -> Result<OpenedSession, CoreError> {
        who.counter += 1;
        let begun = self.app.begin_sign_in().unwrap();
        self.app.finish_sign_in(&from(who.finish(&options(&begun)))).await
    }

    async fn confirm(&self, secret: &str, who: &mut Authenticator) -> Result<SessionState, CoreError> {
        who.counter += 1;
        let begun = self.app.begin_confirmation(secret).await?;
        let finish: FinishSession = from(who.finish(&options(&begun)));
        Ok(self.app.finish_confirmation(secret, &finish).await?.state)
    }

    async fn records_of(&self, action: &str) -> Vec<AuditRecord> {
        let query = Query::<AuditRecord>::new().with("action", action);
        self.app.records().list(query).await.unwrap().into_iter().map(|it| it.record).collect()
    }
}

#[tokio::test]
async fn an_enrolment_brings_one_passkey_which_opens_a_session_and_all_of_it_is_recorded() {
    let desk = desk().await;
    let issued = desk.app.enrol(&desk.operator, &desk.member).await.unwrap();
    assert_eq!(issued.link, format!("{ORIGIN}/desk/enrol#{}", issued.secret));
    let mut who = Authenticator::new(1, ORIGIN, [0; 16]);
    let key = desk.finish_enrolment(&issued.secret, &mut who).await.unwrap();
    assert_eq!((key.label.as_str(), &key.member), ("laptop", &desk.member));
    let again = desk.finish_enrolment(&issued.secret, &mut who).await.unwrap_err();
    assert_eq!(rule(&again), ("secret", "unknown"), "a link counts once");

    let opened = desk.sign_in(&mut who).await.unwrap();
    assert_eq!(opened.session.state, SessionState::Open);
    let actor = desk.app.session_actor(&opened.secret).await.unwrap();
    assert_eq!((&actor.member, &actor.roles), (&desk.member, &vec![Role::Moderator]));
    let me = desk.app.myself(&actor).await.unwrap();
    assert!(me.token.is_none() && me.session.is_some());
    let ways = desk.app.sign_in_ways(Some(&opened.secret)).await.unwrap();
    assert_eq!((ways.passkeys, ways.session), (true, SessionState::Open));

    for (action, ledgered) in [("enrolment.create", true), ("passkey.add", true), ("session.open", false)] {
        let found = desk.records_of(action).await;
        assert_eq!((found.len(), found[0].leaf.is_some()), (1, ledgered), "{action}");
        assert!(found[0].body.actor.is_some());
    }
    desk.app.sign_out(&opened.secret).await.unwrap();
    assert_eq!(desk.app.session_actor(&opened.secret).await.unwrap_err(), CoreError::SignIn);
    desk.app.sign_out(&opened.secret).await.unwrap();
    // Neither secret is stored.
    let kept = format!("{:?}", desk.app.records().list(Query::<Session>::new()).await.unwrap());
    assert!(!kept.contains(&opened.secret));
}

#[tokio::test]
async fn enrolments_end_after_72_hours_or_when_taken_back_and_are_for_those_who_may() {
    let desk = desk().await;
    let issued = desk.app.enrol(&desk.operator, &desk.member).await.unwrap();
    desk.clock.advance(3_600 * 72);
    let mut who = Authenticator::new(1, ORIGIN, [0; 16]);
    assert_eq!(rule(&desk.finish_enrolment(&issued.secret, &mut who).await.unwrap_err()).1, "unknown");
    let issued = desk.app.enrol(&desk.operator, &desk.member).await.unwrap();
    desk.app.revoke_enrolment(&desk.operator, &issued.enrolment.id).await.unwrap();
    assert_eq!(rule(&desk.finish_enrolment(&issued.secret, &mut who).await.unwrap_err()).1, "unknown");
    let (mut who, _) = desk.enrol(&desk.member, 1).await;
    let opened = desk.sign_in(&mut who).await.unwrap();
    let moderator = desk.app.session_actor(&opened.secret).await.unwrap();
    let denied = desk.app.enrol(&moderator, &desk.member).await.unwrap_err();
    assert!(matches!(denied, CoreError::Denied(Denied::Role { .. })));
    for _ in 0..5 {
        desk.app.enrol(&desk.operator, &desk.member).await.unwrap();
    }
    assert!(matches!(desk.app.enrol(&desk.operator, &desk.member).await, Err(CoreError::State { .. })));
}

#[tokio::test]
async fn a_session_locks_after_30_minutes_and_passkey_and_device_unlock_it() {
    let desk = desk().await;
    let (mut who, _) = desk.enrol(&desk.member, 1).await;
    let secret = desk.sign_in(&mut who).await.unwrap().secret;
    desk.clock.advance(60 * 29);
    desk.app.session_actor(&secret).await.unwrap();
    desk.clock.advance(60 * 30);
    assert_eq!(desk.app.session_actor(&secret).await.unwrap_err(), CoreError::Locked);
    assert_eq!(desk.app.sign_in_ways(Some(&secret)).await.unwrap().session, SessionState::Locked);

    // A stolen cookie in another browser, even with the passkey at hand.
    let device = who.device.clone();
    who.device = Authenticator::new(9, ORIGIN, [0; 16]).device;
    assert_eq!(rule(&desk.confirm(&secret, &mut who).await.unwrap_err()), ("device", "other"));
    // The device's public key, signed by another.
    let begun = desk.app.begin_confirmation(&secret).await.unwrap();
    who.counter += 1;
    let mut finish = who.finish(&options(&begun));
    let ours = Authenticator { device: device.clone(), ..Authenticator::new(1, ORIGIN, [0; 16]) };
    finish["device"]["key"] = ours.device(&begun.ceremony)["key"].clone();
    let error = desk.app.finish_confirmation(&secret, &from(finish)).await.unwrap_err();
    assert_eq!(rule(&error), ("device", "signature"));
    who.device = device;
    assert_eq!(desk.confirm(&secret, &mut who).await.unwrap(), SessionState::Open);
    desk.app.session_actor(&secret).await.unwrap();

    let locked = desk.app.lock_session(&secret).await.unwrap();
    assert_eq!(locked.state, SessionState::Locked);
    assert_eq!(desk.app.session_actor(&secret).await.unwrap_err(), CoreError::Locked);
    assert_eq!(desk.confirm(&secret, &mut who).await.unwrap(), SessionState::Open);
    // Another member's passkey opens a session of their own, and unlocks nobody's.
    let new = NewMember { agency: None, name: "Ove Overseer".into(), roles: vec![Role::Overseer] };
    let other = desk.app.add_member(&desk.operator, new).await.unwrap().id;
    let (mut stranger, _) = desk.enrol(&other, 2).await;
    stranger.device = who.device.clone();
    assert_eq!(rule(&desk.confirm(&secret, &mut stranger).await.unwrap_err()), ("credential", "other"));
    desk.clock.advance(3_600 * 12);
    assert_eq!(desk.app.session_actor(&secret).await.unwrap_err(), CoreError::SignIn);
}

#[tokio::test]
async fn dangerous_actions_take_a_passkey_of_the_last_five_minutes() {
    let desk = desk().await;
    let (mut who, _) = desk.enrol(&desk.operator.member, 1).await;
    let secret = desk.sign_in(&mut who).await.unwrap().secret;
    let stop = ChangeMember { active: Some(false), ..ChangeMember::default() };
    let actor = desk.app.session_actor(&secret).await.unwrap();
    desk.app.change_member(&actor, &desk.member, stop.clone()).await.unwrap();
    desk.clock.advance(60 * 5);
    let actor = desk.app.session_actor(&secret).await.unwrap();
    let wish = NewToken { label: "x".into(), roles: vec![], days: 1, scope: None };
    for denied in [
        desk.app.change_member(&actor, &desk.member, stop.clone()).await.unwrap_err(),
        desk.app.issue_token(&actor, &desk.member, wish).await.unwrap_err(),
        desk.app.begin_passkey(&actor).await.unwrap_err(),
    ] {
        assert!(matches!(denied, CoreError::Denied(Denied::StepUp { .. })), "{denied}");
    }
    desk.app.members(&actor, None).await.unwrap();
    desk.confirm(&secret, &mut who).await.unwrap();
    let actor = desk.app.session_actor(&secret).await.unwrap();
    desk.app.change_member(&actor, &desk.member, stop.clone()).await.unwrap();
    // A program's token is not asked.
    desk.app.change_member(&desk.operator, &desk.member, stop).await.unwrap();
}

#[tokio::test]
async fn five_failures_lock_out_for_a_quarter_of_an_hour_and_no_longer() {
    let desk = desk().await;
    let (mut who, _) = desk.enrol(&desk.member, 1).await;
    let open = desk.sign_in(&mut who).await.unwrap().secret;
    who.flags = 0b001;
    for _ in 0..5 {
        assert_eq!(rule(&desk.sign_in(&mut who).await.unwrap_err()), ("credential", "refused"));
    }
    who.flags = Authenticator::SEEN;
    let error = desk.sign_in(&mut who).await.unwrap_err();
    assert!(matches!(error, CoreError::LockedOut { .. }), "{error}");
    let found = desk.records_of("signin.locked").await;
    assert_eq!((found.len(), found[0].leaf.is_some()), (1, true));
    assert_eq!(found[0].body.subject, desk.member.to_string());
    assert!(desk.app.locked_out(&desk.operator, &desk.member).await.unwrap().is_some());
    desk.app.session_actor(&open).await.unwrap();
    desk.clock.advance(60 * 15);
    desk.sign_in(&mut who).await.unwrap();
    assert!(desk.app.records().list(Query::<Lockout>::new()).await.unwrap().is_empty(), "forgiven");
    // Failures far apart do not add up.
    who.flags = 0b001;
    for _ in 0..9 {
        desk.sign_in(&mut who).await.unwrap_err();
        desk.clock.advance(60 * 16);
    }
    who.flags = Authenticator::SEEN;
    desk.sign_in(&mut who).await.unwrap();
}

#[tokio::test]
async fn five_refused_registrations_lock_the_enrolment() {
    let desk = desk().await;
    let issued = desk.app.enrol(&desk.operator, &desk.member).await.unwrap();
    let mut who = Authenticator::new(1, "https://elsewhere.example.org", [0; 16]);
    for _ in 0..5 {
        assert_eq!(rule(&desk.finish_enrolment(&issued.secret, &mut who).await.unwrap_err()).1, "refused");
    }
    let error = desk.finish_enrolment(&issued.secret, &mut who).await.unwrap_err();
    assert!(matches!(error, CoreError::LockedOut { .. }), "{error}");
    assert_eq!(desk.records_of("signin.locked").await[0].body.subject, issued.enrolment.id.to_string());
}

#[tokio::test]
async fn keys_are_added_and_removed_but_never_the_last_way_in() {
    let desk = desk().await;
    let (mut first, key) = desk.enrol(&desk.member, 1).await;
    let secret = desk.sign_in(&mut first).await.unwrap().secret;
    let actor = desk.app.session_actor(&secret).await.unwrap();
    let error = desk.app.remove_passkey(&actor, &key.id).await.unwrap_err();
    assert!(error.to_string().contains("last way"), "{error}");

    let begun = desk.app.begin_passkey(&actor).await.unwrap();
    assert_eq!(begun.options["excludeCredentials"].as_array().unwrap().len(), 1);
    let mut second = Authenticator::new(2, ORIGIN, [0; 16]);
    second.meet(&begun.options);
    let finish = json!({
        "ceremony": begun.ceremony, "label": "phone", "credential": second.register(&begun.options),
    });
    desk.app.add_passkey(&actor, &from(finish.clone())).await.unwrap();
    let replay = desk.app.add_passkey(&actor, &from(finish)).await.unwrap_err();
    assert_eq!(rule(&replay), ("ceremony", "over"));
    let other = desk.sign_in(&mut second).await.unwrap().secret;

    desk.app.remove_passkey(&actor, &key.id).await.unwrap();
    assert_eq!(desk.app.session_actor(&secret).await.unwrap_err(), CoreError::SignIn, "its session ended");
    assert_eq!(rule(&desk.sign_in(&mut first).await.unwrap_err()), ("credential", "other"));
    let actor = desk.app.session_actor(&other).await.unwrap();
    assert_eq!(desk.app.my_passkeys(&actor).await.unwrap().len(), 2);
    // The operator takes the last one: it was lost.
    let last = desk.app.passkeys(&desk.operator, &desk.member).await.unwrap();
    let last = last.iter().find(|it| it.stopped.is_none()).unwrap();
    desk.app.remove_passkey(&desk.operator, &last.id).await.unwrap();
    assert_eq!(desk.records_of("passkey.remove").await.len(), 2);
    // With a token there is another way in.
    let (mut mine, key) = desk.enrol(&desk.operator.member, 3).await;
    let secret = desk.sign_in(&mut mine).await.unwrap().secret;
    let actor = desk.app.session_actor(&secret).await.unwrap();
    desk.app.remove_passkey(&actor, &key.id).await.unwrap();
    desk.app.sign_in(&desk.token.token).await.unwrap();
}

#[tokio::test]
async fn a_session_that_another_ends_and_a_member_who_is_stopped_are_out_at_once() {
    let desk = desk().await;
    let (mut who, _) = desk.enrol(&desk.member, 1).await;
    let one = desk.sign_in(&mut who).await.unwrap();
    let two = desk.sign_in(&mut who).await.unwrap();
    assert_eq!(desk.app.sessions(&desk.operator, &desk.member).await.unwrap().len(), 2);
    let before = desk.app.records().ledger_size(Log::Oversight).await.unwrap();
    desk.app.end_session(&desk.operator, &one.session.id).await.unwrap();
    assert_eq!(desk.app.records().ledger_size(Log::Oversight).await.unwrap(), before + 1);
    assert_eq!(desk.app.session_actor(&one.secret).await.unwrap_err(), CoreError::SignIn);
    desk.app.session_actor(&two.secret).await.unwrap();
    let stop = ChangeMember { active: Some(false), ..ChangeMember::default() };
    desk.app.change_member(&desk.operator, &desk.member, stop).await.unwrap();
    assert_eq!(desk.app.session_actor(&two.secret).await.unwrap_err(), CoreError::SignIn);
    assert_eq!(desk.sign_in(&mut who).await.unwrap_err(), CoreError::SignIn);
    assert!(desk.app.enrol(&desk.operator, &desk.member).await.is_err());
}

#[tokio::test]
async fn a_machines_token_has_no_keys_and_an_address_without_a_name_no_passkeys() {
    let desk = desk().await;
    let scope = Some("camera-7".to_owned());
    let wish = NewToken { label: "camera".into(), roles: vec![], days: 9, scope };
    let issued = desk.app.issue_token(&desk.operator, &desk.member, wish.clone()).await.unwrap();
    let machine = desk.app.sign_in(&issued.token).await.unwrap();
    let none = Err(CoreError::Denied(Denied::Machine { action: "passkey.add" }));
    assert_eq!(desk.app.begin_passkey(&machine).await, none);
    let mine = desk.app.revoke_token(&machine, &issued.id).await;
    assert_eq!(mine.unwrap_err(), CoreError::Denied(Denied::Machine { action: "token.revoke" }));
    assert!(desk.app.moderation_queue(&machine).await.is_err());
    let wrong = NewToken { scope: Some("a b".into()), ..wish };
    assert_eq!(
        rule(&desk.app.issue_token(&desk.operator, &desk.member, wrong).await.unwrap_err()).0,
        "scope"
    );

    let clock = Arc::new(ManualClock::default());
    let gate = Gate::shipped().unwrap();
    let entropy = Arc::new(SeededEntropy::new(5));
    let app = App::new(MemRecords::default(), gate, Policy::default(), clock, entropy);
    assert!(app.begin_sign_in().is_err());
    app.open_at("http://127.0.0.1:8420").unwrap_err();
    let error = app.begin_sign_in().unwrap_err().to_string();
    assert!(error.contains("IP address"), "{error}");
    let ways = app.sign_in_ways(None).await.unwrap();
    assert!(!ways.passkeys && ways.reason.is_some() && ways.session == SessionState::None);
}

#[tokio::test]
async fn a_token_of_some_roles_gains_no_passkey_which_would_have_all() {
    let desk = desk().await;
    let both = ChangeMember { roles: Some(vec![Role::Moderator, Role::Overseer]), ..ChangeMember::default() };
    desk.app.change_member(&desk.operator, &desk.member, both).await.unwrap();
    let token = async |roles: Vec<Role>| {
        let wish = NewToken { label: "laptop".into(), roles, days: 9, scope: None };
        let issued = desk.app.issue_token(&desk.operator, &desk.member, wish).await.unwrap();
        desk.app.sign_in(&issued.token).await.unwrap()
    };
    let (some, all) = (token(vec![Role::Overseer]).await, token(vec![]).await);
    let begun = desk.app.begin_passkey(&all).await.unwrap();
    let error = desk.app.begin_passkey(&some).await.unwrap_err();
    assert!(error.to_string().contains("some of your roles"), "{error}");
    let mut key = Authenticator::new(4, ORIGIN, [0; 16]);
    key.meet(&begun.options);
    let finish = json!({
        "ceremony": begun.ceremony, "label": "laptop", "credential": key.register(&begun.options),
    });
    desk.app.add_passkey(&some, &from(finish.clone())).await.unwrap_err();
    let added = desk.app.add_passkey(&all, &from(finish)).await.unwrap();
    desk.app.remove_passkey(&some, &added.id).await.unwrap_err();
    desk.app.remove_passkey(&all, &added.id).await.unwrap();
}

#[tokio::test]
async fn what_is_over_is_forgotten() {
    let desk = desk().await;
    let (mut who, _) = desk.enrol(&desk.member, 1).await;
    desk.sign_in(&mut who).await.unwrap();
    who.flags = 0b001;
    desk.sign_in(&mut who).await.unwrap_err();
    assert_eq!(desk.app.sweep(100).await.unwrap().sign_ins, 0);
    let days = desk.app.policy().retention.token_days;
    desk.clock.advance(3_600 * (24 * i64::from(days) + 80));
    assert_eq!(desk.app.sweep(100).await.unwrap().sign_ins, 3, "session, enrolment, failures");
    assert_eq!(desk.app.passkeys(&desk.operator, &desk.member).await.unwrap().len(), 1, "the key stays");
}

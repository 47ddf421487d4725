//! Signing in at an agency's provider, from the enrolment to the lock-out, with a provider that says what a test wants.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test's helpers fail the test by panicking"
)]

use std::sync::{Arc, Mutex};

use canvass_core::{
    App, CoreError,
    access::{Actor, Denied, Gate},
    agencies::NewAgency,
    breakglass::NewBreakGlass,
    members::{ChangeMember, NewMember},
    ports::{Query, RecordsExt as _},
    records::{AuditRecord, FederatedAccount},
    signin::{
        AccountView, Asked, BeginBinding, BeginFederated, FederatedCeremony, FinishFederated, Identified,
        OpenedSession, Provider, ProviderError, Providers, Returned, SessionState, SessionView,
    },
};
use canvass_testkit::{Authenticator, ManualClock, MemRecords, SeededEntropy};
use canvass_types::{AgencyClass, AgencyId, Area, MemberId, Policy, Role};
use serde_json::{Value, json};

const ORIGIN: &str = "https://desk.example.org";

/// A provider: whom it says it signed in, or what it refuses.
struct There(Mutex<Result<Identified, ProviderError>>);

impl Providers for There {
    async fn address(&self, provider: &Provider, asked: &Asked) -> Result<String, ProviderError> {
        assert_eq!(
            (asked.redirect.as_str(), asked.nonce.len()),
            ("https://desk.example.org/desk/signed-in", 43)
        );
        match &*self.0.lock().unwrap() {
            Err(ProviderError::Down(why)) => Err(ProviderError::Down(why)),
            _ => Ok(format!("{}/auth?max_age={}", provider.issuer, asked.max_age)),
        }
    }

    async fn identify(
        &self,
        _: &Provider,
        asked: &Asked,
        returned: Returned<'_>,
    ) -> Result<Identified, ProviderError> {
        assert!(asked.state != asked.nonce && asked.verifier.len() == 43 && !returned.code.is_empty());
        self.0.lock().unwrap().clone()
    }
}

struct Desk {
    app: App<MemRecords>,
    clock: Arc<ManualClock>,
    operator: Actor,
    member: MemberId,
    agency: AgencyId,
    there: There,
    who: Authenticator,
}

fn from<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn square() -> Area {
    let ring = [[-71.7, 43.1], [-71.3, 43.1], [-71.3, 43.5], [-71.7, 43.5], [-71.7, 43.1]];
    from(json!({ "type": "Polygon", "coordinates": [ring] }))
}

/// Providers `city`, `trusted` (it confirms, and asks for a second factor) and `county`, of another agency.
async fn desk() -> Desk {
    let clock = Arc::new(ManualClock::default());
    let gate = Gate::shipped().unwrap();
    let entropy = Arc::new(SeededEntropy::new(5));
    let app = App::new(MemRecords::default(), gate, Policy::default(), clock.clone(), entropy);
    app.open_at(ORIGIN).unwrap();
    let (_, token) = app.first_operator("Olga Operator", 30).await.unwrap();
    let operator = app.sign_in(&token.token).await.unwrap();
    let mut agencies = Vec::new();
    for name in ["Concord Police", "Merrimack Sheriff"] {
        let (class, subdivision) = (AgencyClass::Municipal, "US-NH".to_owned());
        let new = NewAgency { name: name.into(), class, subdivision, jurisdiction: square() };
        agencies.push(app.register_agency(&operator, new).await.unwrap().public.id);
    }
    let provider = |id: &str, agency: usize, passkey: bool| Provider {
        id: id.into(),
        agency: agencies[agency].clone(),
        name: format!("The {id}"),
        issuer: "https://login.example".into(),
        acr: Vec::new(),
        amr: if id == "trusted" { vec!["mfa".into()] } else { Vec::new() },
        passkey_for_step_up: passkey,
    };
    app.provided_by(vec![
        provider("city", 0, true),
        provider("trusted", 0, false),
        provider("county", 1, true),
    ]);
    let agency = Some(agencies[0].clone());
    let new = NewMember { agency, name: "Ann Administrator".into(), roles: vec![Role::Administrator] };
    let member = app.add_member(&operator, new).await.unwrap().id;
    let desk = Desk {
        app,
        clock,
        operator,
        member,
        agency: agencies[0].clone(),
        there: There(Mutex::new(Err(ProviderError::Refused("nothing yet")))),
        who: Authenticator::new(1, ORIGIN, [0; 16]),
    };
    desk.say("ann", 9);
    desk
}

fn rule(error: &CoreError) -> (&str, &str) {
    let CoreError::Invalid(problems) = error else { return ("", "") };
    (problems[0].field.as_str(), problems[0].rule.as_str())
}

impl Desk {
    /// The provider says who it is, signed in so many seconds ago.
    fn say(&self, subject: &str, ago: i64) {
        *self.there.0.lock().unwrap() = Ok(Identified {
            subject: subject.into(),
            signed_in: Some(self.clock.time().plus_seconds(-ago)),
            acr: None,
            amr: vec!["mfa".into()],
        });
    }

    fn change(&self, change: impl FnOnce(&mut Identified)) {
        change(self.there.0.lock().unwrap().as_mut().unwrap());
    }

    fn fail(&self, error: ProviderError) {
        *self.there.0.lock().unwrap() = Err(error);
    }

    fn key(&self) -> String {
        self.who.device("")["key"].as_str().unwrap().to_owned()
    }

    fn back(&self, begun: &FederatedCeremony) -> FinishFederated {
        from(json!({
            "ceremony": begun.ceremony, "code": "the code", "device": self.who.device(&begun.ceremony),
        }))
    }

    fn at(&self, provider: &str) -> BeginFederated {
        BeginFederated { provider: provider.into(), device: self.key() }
    }

    /// The agency has an administrator who can sign in: the operator changes its people with break-glass alone.
    async fn glass(&self) {
        let agency = self.agency.clone();
        let reason = "The agency asked for help with its sign-in".into();
        self.app.begin_break_glass(&self.operator, &NewBreakGlass { agency, reason }).await.unwrap();
    }

    async fn bind(&self, member: &MemberId, provider: &str) -> Result<AccountView, CoreError> {
        self.glass().await;
        let secret = self.app.enrol(&self.operator, member).await.unwrap().secret;
        let begin = BeginBinding { secret, provider: provider.into(), device: self.key() };
        let begun = self.app.begin_binding(&self.there, &begin).await?;
        assert!(begun.address.ends_with("max_age=0"), "whoever is signed in there is asked anew");
        self.app.finish_binding(&self.there, &self.back(&begun)).await
    }

    async fn sign_in(&self, provider: &str) -> Result<OpenedSession, CoreError> {
        let begun = self.app.begin_federated(&self.there, &self.at(provider)).await?;
        self.app.finish_federated(&self.there, &self.back(&begun)).await
    }

    async fn confirm(&self, secret: &str, provider: &str) -> Result<SessionView, CoreError> {
        let begun = self.app.begin_federated_confirmation(&self.there, secret, &self.at(provider)).await?;
        self.app.finish_federated_confirmation(&self.there, secret, &self.back(&begun)).await
    }

    async fn records_of(&self, action: &str) -> Vec<AuditRecord> {
        let query = Query::<AuditRecord>::new().with("action", action);
        self.app.records().list(query).await.unwrap().into_iter().map(|it| it.record).collect()
    }

    async fn dangerous(&self, secret: &str) -> Result<(), CoreError> {
        let actor = self.app.session_actor(secret).await.unwrap();
        let agency = actor.agency.clone();
        let new = NewMember { agency, name: "Ira Investigator".into(), roles: vec![Role::Investigator] };
        self.app.add_member(&actor, new).await.map(|_| ())
    }
}

#[tokio::test]
async fn an_enrolment_binds_an_account_that_signs_in_with_the_roles_of_canvass_and_nothing_of_it_is_kept() {
    let desk = desk().await;
    desk.say("ann@city.example", 9);
    let account = desk.bind(&desk.member, "city").await.unwrap();
    assert_eq!((account.name.as_str(), &account.member), ("The city", &desk.member));
    let opened = desk.sign_in("city").await.unwrap();
    let actor = desk.app.session_actor(&opened.secret).await.unwrap();
    assert_eq!((&actor.member, &actor.roles), (&desk.member, &vec![Role::Administrator]));
    let ways = desk.app.sign_in_ways(Some(&opened.secret)).await.unwrap();
    assert_eq!((ways.providers.len(), ways.unlocked_at.unwrap().id.as_str()), (3, "city"));
    let found = desk.records_of("account.bind").await;
    assert_eq!(
        (found.len(), found[0].leaf.is_some(), found[0].body.actor.as_ref()),
        (1, true, Some(&desk.member))
    );
    assert_eq!(desk.records_of("session.open").await[0].body.detail["account"], account.id.to_string());
    let kept = desk.app.records().list(Query::<FederatedAccount>::new()).await.unwrap();
    let kept = format!("{kept:?}{:?}", desk.records_of("account.bind").await);
    assert!(!kept.contains("city.example"), "{kept}");
    // What a session was before accounts is still read.
    let old = json!({
        "id": "ses_aaaaaaaaaaaaaaaaaaaaaaaaaa", "member": desk.member, "passkey": "psk_aaaaaaaaaaaaaaaaaaaaaaaaaa",
        "secret_hash": "0".repeat(64), "device": "", "device_name": "", "opened": "2026-11-24T06:30:00Z",
        "last_seen": "2026-11-24T06:30:00Z", "expires": "2026-11-24T06:30:00Z", "locked": null,
        "fresh_until": "2026-11-24T06:30:00Z", "ended": null,
    });
    let read: canvass_core::records::Session = from(old.clone());
    assert_eq!(serde_json::to_value(read).unwrap(), old);
}

#[tokio::test]
async fn what_began_counts_once_in_time_and_in_the_browser_that_began_it() {
    let mut desk = desk().await;
    desk.bind(&desk.member, "city").await.unwrap();
    let begin = desk.at("city");
    let begun = desk.app.begin_federated(&desk.there, &begin).await.unwrap();
    let finish = desk.back(&begun);
    desk.app.finish_federated(&desk.there, &finish).await.unwrap();
    let again = desk.app.finish_federated(&desk.there, &finish).await.unwrap_err();
    assert_eq!(rule(&again), ("ceremony", "over"));
    let begun = desk.app.begin_federated(&desk.there, &begin).await.unwrap();
    desk.clock.advance(300);
    let late = desk.app.finish_federated(&desk.there, &desk.back(&begun)).await.unwrap_err();
    assert_eq!(rule(&late), ("ceremony", "over"));
    // A code that somebody else got for themselves, and plants in another browser.
    let begun = desk.app.begin_federated(&desk.there, &begin).await.unwrap();
    let theirs = std::mem::replace(&mut desk.who, Authenticator::new(9, ORIGIN, [0; 16]));
    let planted = desk.app.finish_federated(&desk.there, &desk.back(&begun)).await.unwrap_err();
    assert_eq!(rule(&planted), ("device", "other"));
    // Its key is public; its signature is not to be had.
    desk.who = theirs;
    let begun = desk.app.begin_federated(&desk.there, &begin).await.unwrap();
    let mut finish = desk.back(&begun);
    finish.device.signature =
        desk.back(&FederatedCeremony { ceremony: "x".into(), ..begun }).device.signature;
    let forged = desk.app.finish_federated(&desk.there, &finish).await.unwrap_err();
    assert_eq!(rule(&forged), ("device", "signature"));
    // What was begun for one thing does not do another.
    let begun = desk.app.begin_federated(&desk.there, &begin).await.unwrap();
    let bound = desk.app.finish_binding(&desk.there, &desk.back(&begun)).await.unwrap_err();
    assert_eq!(rule(&bound), ("ceremony", "over"));
}

#[tokio::test]
async fn only_the_members_own_agency_vouches_for_them_and_an_account_has_one_member() {
    let desk = desk().await;
    let error = desk.bind(&desk.member, "county").await.unwrap_err();
    assert_eq!(rule(&error), ("provider", "agency"));
    assert_eq!(rule(&desk.bind(&desk.member, "nowhere").await.unwrap_err()), ("provider", "unknown"));
    let account = desk.bind(&desk.member, "city").await.unwrap();
    // The county's provider says the same of the same issuer: it is not the agency's.
    assert_eq!(rule(&desk.sign_in("county").await.unwrap_err()), ("account", "unknown"));
    desk.say("bob", 9);
    assert_eq!(rule(&desk.sign_in("city").await.unwrap_err()), ("account", "unknown"));
    desk.say("ann", 9);
    let agency = desk.app.session_actor(&desk.sign_in("city").await.unwrap().secret).await.unwrap().agency;
    let new = NewMember { agency, name: "Sue Supervisor".into(), roles: vec![Role::Supervisor] };
    desk.glass().await;
    let sue = desk.app.add_member(&desk.operator, new).await.unwrap().id;
    assert!(desk.bind(&sue, "city").await.unwrap_err().to_string().contains("bound already"));
    // Once removed, it can be bound anew: people change their roles and names.
    desk.app.remove_account(&desk.operator, &account.id).await.unwrap();
    assert_eq!(desk.bind(&sue, "city").await.unwrap().member, sue);
    let opened = desk.sign_in("city").await.unwrap();
    assert_eq!(opened.session.member, sue);
}

#[tokio::test]
async fn a_session_is_unlocked_by_a_fresh_sign_in_there_and_confirmed_only_where_the_operator_lets_it() {
    let desk = desk().await;
    desk.bind(&desk.member, "city").await.unwrap();
    let secret = desk.sign_in("city").await.unwrap().secret;
    let denied = desk.dangerous(&secret).await.unwrap_err();
    assert!(matches!(denied, CoreError::Denied(Denied::StepUp { .. })), "a passkey is asked for: {denied}");
    let only = desk.confirm(&secret, "city").await.unwrap_err();
    assert!(only.to_string().contains("only a passkey"), "{only}");
    desk.app.lock_session(&secret).await.unwrap();
    for (ago, none) in [(301, false), (-61, false), (0, true)] {
        desk.say("ann", ago);
        if none {
            desk.change(|it| it.signed_in = None);
        }
        assert_eq!(rule(&desk.confirm(&secret, "city").await.unwrap_err()), ("account", "stale"));
    }
    desk.say("bob", 1);
    assert_eq!(rule(&desk.confirm(&secret, "city").await.unwrap_err()), ("account", "unknown"));
    desk.say("ann", 1);
    assert_eq!(desk.confirm(&secret, "city").await.unwrap().state, SessionState::Open);
    assert!(desk.dangerous(&secret).await.is_err(), "unlocked is not confirmed");

    // The other provider is trusted with dangerous actions, for five minutes from when the person proved themselves.
    desk.say("ann", 200);
    let secret = desk.sign_in("trusted").await.unwrap().secret;
    desk.dangerous(&secret).await.unwrap();
    desk.clock.advance(100);
    assert!(desk.dangerous(&secret).await.is_err());
    desk.say("ann", 301);
    assert_eq!(rule(&desk.confirm(&secret, "trusted").await.unwrap_err()), ("account", "stale"));
    desk.say("ann", 1);
    desk.confirm(&secret, "trusted").await.unwrap();
    desk.dangerous(&secret).await.unwrap();
}

#[tokio::test]
async fn means_that_are_too_weak_and_sign_ins_of_yesterday_do_not_count() {
    let desk = desk().await;
    desk.change(|it| it.amr = vec!["pwd".into()]);
    assert_eq!(rule(&desk.bind(&desk.member, "trusted").await.unwrap_err()), ("account", "strength"));
    desk.say("ann", 301);
    assert_eq!(rule(&desk.bind(&desk.member, "trusted").await.unwrap_err()), ("account", "stale"));
    desk.say("ann", 1);
    desk.bind(&desk.member, "trusted").await.unwrap();
    desk.say("ann", 12 * 3_600);
    assert_eq!(rule(&desk.sign_in("trusted").await.unwrap_err()), ("account", "stale"));
    desk.change(|it| it.signed_in = None);
    let secret = desk.sign_in("trusted").await.unwrap().secret;
    assert!(desk.dangerous(&secret).await.is_err(), "of unknown age");
}

#[tokio::test]
async fn five_failures_that_name_a_member_lock_out_and_a_provider_that_is_down_is_nobodys() {
    let desk = desk().await;
    desk.bind(&desk.member, "trusted").await.unwrap();
    let open = desk.sign_in("trusted").await.unwrap().secret;
    desk.fail(ProviderError::Down("it can't be reached"));
    let down = desk.sign_in("trusted").await.unwrap_err();
    assert!(
        matches!(&down, CoreError::ProviderDown { .. }) && down.to_string().contains("passkey"),
        "{down}"
    );
    desk.say("ann", 1);
    for _ in 0..6 {
        let begun = desk.app.begin_federated(&desk.there, &desk.at("trusted")).await.unwrap();
        desk.fail(ProviderError::Down("it can't be reached"));
        desk.app.finish_federated(&desk.there, &desk.back(&begun)).await.unwrap_err();
        desk.say("ann", 1);
    }
    desk.change(|it| it.amr.clear());
    for _ in 0..5 {
        assert_eq!(rule(&desk.sign_in("trusted").await.unwrap_err()), ("account", "strength"));
    }
    desk.say("ann", 1);
    assert!(matches!(desk.sign_in("trusted").await.unwrap_err(), CoreError::LockedOut { .. }));
    assert_eq!(desk.records_of("signin.locked").await[0].body.subject, desk.member.to_string());
    desk.app.session_actor(&open).await.unwrap();
    desk.clock.advance(15 * 60);
    desk.say("ann", 1);
    desk.sign_in("trusted").await.unwrap();

    // An enrolment and a session are locked out as well.
    desk.glass().await;
    let secret = desk.app.enrol(&desk.operator, &desk.member).await.unwrap().secret;
    let begin = BeginBinding { secret, provider: "city".into(), device: desk.key() };
    for n in 0..6 {
        desk.say("new", 1);
        let begun = desk.app.begin_binding(&desk.there, &begin).await;
        if n == 5 {
            assert!(matches!(begun.unwrap_err(), CoreError::LockedOut { .. }));
            break;
        }
        desk.fail(ProviderError::Refused("the token answers another sign-in"));
        let error = desk.app.finish_binding(&desk.there, &desk.back(&begun.unwrap())).await.unwrap_err();
        assert_eq!(rule(&error), ("code", "refused"));
    }
}

#[tokio::test]
async fn an_account_is_seen_and_removed_as_a_passkey_is_and_a_stopped_member_is_out() {
    let desk = desk().await;
    let account = desk.bind(&desk.member, "trusted").await.unwrap();
    let secret = desk.sign_in("trusted").await.unwrap().secret;
    let actor = desk.app.session_actor(&secret).await.unwrap();
    let last = desk.app.remove_account(&actor, &account.id).await.unwrap_err();
    assert!(last.to_string().contains("last way"), "{last}");
    desk.say("ann at her other account", 1);
    let other = desk.bind(&desk.member, "city").await.unwrap();
    let mine = desk.app.my_sign_in(&actor).await.unwrap().accounts;
    assert_eq!(mine.iter().map(|it| &it.id).collect::<Vec<_>>(), [&account.id, &other.id]);
    desk.app.remove_account(&actor, &account.id).await.unwrap();
    assert_eq!(desk.app.session_actor(&secret).await.unwrap_err(), CoreError::SignIn, "its session ended");
    let removed = desk.records_of("account.remove").await;
    assert_eq!((removed.len(), removed[0].leaf.is_some()), (1, true));
    let secret = desk.sign_in("city").await.unwrap().secret;
    let stop = ChangeMember { active: Some(false), ..ChangeMember::default() };
    desk.app.change_member(&desk.operator, &desk.member, stop).await.unwrap();
    assert_eq!(desk.app.session_actor(&secret).await.unwrap_err(), CoreError::SignIn);
    assert_eq!(desk.sign_in("city").await.unwrap_err(), CoreError::SignIn);
}

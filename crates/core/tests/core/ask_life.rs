//! The life of a request, through the operations that the routes call, on the memory store.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test's helpers fail the test by panicking")]

use std::sync::Arc;

use canvass_core::{
    App, CoreError,
    access::{Actor, Gate, NewToken},
    agencies::{NewAgency, NewAgencyKey, NewRecipient, VerifyAgency},
    invitations::NewInvitation,
    keys::WrappedKey,
    members::{ChangeMember, NewMember},
    ports::{Query, Records, RecordsExt},
    records::{AuditRecord, Request},
    requests::{RequestFilter, Submission, Verdict, Withholding},
};
use canvass_testkit::{ManualClock, MemRecords, SeededEntropy};
use canvass_types::{
    AgencyClass, Area, Contact, Digest, IncidentType, KeyEndorsement, Policy, PublicKey, RequestBody,
    RequestDraft, RequestId, RequestState, Role, Time, canonical, leaf::Log, sign,
};
use ed25519_dalek::SigningKey;

const RECIPIENT: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

struct Town {
    app: App<MemRecords>,
    clock: Arc<ManualClock>,
    operator: Actor,
    moderator: Actor,
    officer: Actor,
    stranger: Actor,
    key: SigningKey,
}

fn square(longitude: f64, latitude: f64, side: f64) -> Area {
    let (east, north) = (longitude + side, latitude + side);
    Area::new(vec![
        [longitude, latitude],
        [east, latitude],
        [east, north],
        [longitude, north],
        [longitude, latitude],
    ])
    .unwrap()
}

fn draft(code: &str) -> RequestDraft {
    RequestDraft {
        code: code.into(),
        incident: IncidentType::Burglary,
        details: "A garage was broken into and two bicycles were taken. We look for a white van that left eastwards.".into(),
        contact: Contact { name: "Det. A. Example".into(), phone: Some("+1 603 555 0100".into()), email: None },
        area: square(-71.54, 43.2, 0.008),
        start: "2026-11-20T22:00".into(),
        end: "2026-11-21T02:00".into(),
        zone: "America/New_York".into(),
        languages: vec!["en".into()],
        active_days: 14,
        own_case: true,
    }
}

impl Town {
    async fn new(class: AgencyClass) -> Self {
        let clock = Arc::new(ManualClock::at("2026-11-24T12:00:00Z".parse::<Time>().unwrap()));
        let app = App::new(
            MemRecords::new(),
            Gate::shipped().unwrap(),
            Policy::default(),
            clock.clone(),
            Arc::new(SeededEntropy::new(1)),
        );
        let (_, token) = app.first_operator("Olive Operator", 30).await.unwrap();
        assert!(app.first_operator("Second Operator", 30).await.is_err());
        let operator = app.sign_in(&token.token).await.unwrap();
        let moderator = member(&app, &operator, None, Role::Moderator).await;
        let key = SigningKey::from_bytes(&[3; 32]);
        let new = |name: &str| NewAgency {
            name: name.into(),
            class,
            subdivision: "us-nh".into(),
            jurisdiction: square(-71.7, 43.1, 0.4),
        };
        let ours = app.register_agency(&operator, new("Concord Police")).await.unwrap().public.id;
        let theirs = app.register_agency(&operator, new("Elsewhere Police")).await.unwrap().public.id;
        app.verify_agency(&operator, &ours, VerifyAgency { public: PublicKey::of(&key) }).await.unwrap();
        let officer = member(&app, &operator, Some(&ours), Role::Investigator).await;
        app.set_recipient(&officer, NewRecipient { recipient: RECIPIENT.into() }).await.unwrap();
        let stranger = member(&app, &operator, Some(&theirs), Role::Supervisor).await;
        Self { app, clock, operator, moderator, officer, stranger, key }
    }

    async fn keyed(&self, id: &RequestId) {
        let key = WrappedKey {
            recipient: RECIPIENT.into(),
            wrapped: "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n".into(),
            group: vec![self.officer.member.clone()],
            recovery: true,
        };
        self.app.put_key(&self.officer, id.as_str(), key).await.unwrap();
    }

    fn submission(&self, body: &RequestBody) -> Submission {
        Submission {
            digest: Digest::of(&canonical(body).unwrap()),
            key: PublicKey::of(&self.key).id(),
            signature: sign(&self.key, RequestBody::CONTEXT, body).unwrap(),
        }
    }

    async fn submitted(&self, code: &str) -> Result<RequestId, CoreError> {
        let id = self.app.draft_request(&self.officer, draft(code)).await?.id;
        self.keyed(&id).await;
        let body = self.app.body_to_sign(&self.officer, &id).await?;
        self.app.submit_request(&self.officer, &id, self.submission(&body)).await?;
        Ok(id)
    }

    async fn published(&self, code: &str) -> RequestId {
        let id = self.submitted(code).await.unwrap();
        let verdict = Verdict { approved: true, rule: None, reason: "Clear, local and recent.".into() };
        self.app.moderate(&self.moderator, &id, verdict).await.unwrap();
        id
    }
}

async fn member(
    app: &App<MemRecords>,
    operator: &Actor,
    agency: Option<&canvass_types::AgencyId>,
    role: Role,
) -> Actor {
    let new = NewMember { agency: agency.cloned(), name: "Some Body".into(), roles: vec![role] };
    let member = app.add_member(operator, new).await.unwrap();
    let wish = NewToken { label: "test".into(), roles: vec![], days: 30, scope: None };
    let token = app.issue_token(operator, &member.id, wish).await.unwrap();
    app.sign_in(&token.token).await.unwrap()
}

fn rules(error: &CoreError) -> Vec<(&str, &str)> {
    match error {
        CoreError::Invalid(problems) => {
            problems.iter().map(|each| (each.field.as_str(), each.rule.as_str())).collect()
        }
        other => panic!("not a field's problem: {other:?}"),
    }
}

#[tokio::test]
async fn a_request_is_drafted_signed_moderated_published_and_then_never_changes() {
    let town = Town::new(AgencyClass::Municipal).await;
    let id = town.published("26-0042").await;
    let view = town.app.request_view(&town.officer, &id).await.unwrap();
    assert_eq!(view.state, RequestState::Published);
    assert_eq!(view.closes.unwrap(), town.clock.time().plus_days(14));
    assert!(matches!(
        town.app.change_draft(&town.officer, &id, draft("26-0042")).await,
        Err(CoreError::State { .. })
    ));
    assert!(matches!(town.app.drop_draft(&town.officer, &id).await, Err(CoreError::State { .. })));
    let leaves = town.app.records().ledger_entries(Log::Requests, 0, 100).await.unwrap();
    let text: Vec<String> =
        leaves.iter().map(|leaf| String::from_utf8(leaf.entry.clone()).unwrap()).collect();
    assert!(text.iter().any(|leaf| leaf.contains("request.published") && leaf.contains(id.as_str())));
    assert!(
        text.iter()
            .all(|leaf| !leaf.contains("Det.") && !leaf.contains("bicycles") && !leaf.contains("-71.5"))
    );
    town.app.resolve_request(&town.officer, &id).await.unwrap();
    let order = Withholding { basis: "Order of the superior court of 1 December".into() };
    let withheld = town.app.withhold_request(&town.operator, &id, order).await.unwrap();
    assert_eq!(withheld.state, RequestState::Withheld);
}

#[tokio::test]
async fn an_investigation_has_two_requests_and_a_refused_one_gives_its_place_back() {
    let town = Town::new(AgencyClass::County).await;
    town.published("26-1").await;
    let second = town.submitted("26-1").await.unwrap();
    assert_eq!(rules(&town.submitted("26-1").await.unwrap_err()), [("code", "used-up")]);
    let no = |rule: Option<&str>| Verdict {
        approved: false,
        rule: rule.map(Into::into),
        reason: "It is too wide for this.".into(),
    };
    for rule in [None, Some("made-up")] {
        assert_eq!(
            rules(&town.app.moderate(&town.moderator, &second, no(rule)).await.unwrap_err())[0].0,
            "rule"
        );
    }
    town.app.moderate(&town.moderator, &second, no(Some("scope"))).await.unwrap();
    town.submitted("26-1").await.unwrap();
    let refused = RequestFilter { state: Some(RequestState::Refused), ..RequestFilter::default() };
    assert_eq!(town.app.requests(&town.officer, &refused).await.unwrap().entries.len(), 1);
}

#[tokio::test]
async fn a_class_that_may_not_ask_is_told_so_by_class() {
    let town = Town::new(AgencyClass::State).await;
    let error = town.submitted("26-1").await.unwrap_err();
    assert!(rules(&error).contains(&("agency", "class")), "{error}");
    // No policy of a deployment lets a federal agency ask: a rule refuses even the draft.
    let town = Town::new(AgencyClass::Federal).await;
    let error = town.submitted("26-1").await.unwrap_err();
    let CoreError::Denied(denied) = error else { panic!("{error}") };
    assert_eq!(denied.rules(), ["never.federal-asks"]);
}

#[tokio::test]
async fn what_was_not_signed_as_it_stands_is_not_taken() {
    let town = Town::new(AgencyClass::Municipal).await;
    let id = town.app.draft_request(&town.officer, draft("26-7")).await.unwrap().id;
    assert!(
        matches!(town.app.body_to_sign(&town.officer, &id).await, Err(CoreError::State { .. })),
        "no key yet"
    );
    town.keyed(&id).await;
    let body = town.app.body_to_sign(&town.officer, &id).await.unwrap();
    let mut changed = draft("26-7");
    changed.details.push_str(" Please look closely.");
    town.app.change_draft(&town.officer, &id, changed).await.unwrap();
    let late = town.app.submit_request(&town.officer, &id, town.submission(&body)).await.unwrap_err();
    assert_eq!(rules(&late), [("digest", "differs")]);
    let body = town.app.body_to_sign(&town.officer, &id).await.unwrap();
    let forged = Submission {
        signature: sign(&town.key, "canvass/portal/v1", &body).unwrap(),
        ..town.submission(&body)
    };
    assert_eq!(
        rules(&town.app.submit_request(&town.officer, &id, forged).await.unwrap_err()),
        [("signature", "signature")]
    );
    town.app.submit_request(&town.officer, &id, town.submission(&body)).await.unwrap();
}

#[tokio::test]
async fn another_agency_sees_nothing_and_no_agency_moderates() {
    let town = Town::new(AgencyClass::Municipal).await;
    let id = town.submitted("26-9").await.unwrap();
    let hidden = town.app.request_view(&town.stranger, &id).await.unwrap_err();
    assert_eq!(hidden, CoreError::Denied(canvass_core::access::Denied::Hidden));
    assert!(town.app.read_key(&town.stranger, id.as_str()).await.is_err());
    assert!(town.app.requests(&town.stranger, &RequestFilter::default()).await.unwrap().entries.is_empty());
    let verdict = Verdict { approved: true, rule: None, reason: "Looks all right to me.".into() };
    for actor in [&town.officer, &town.stranger, &town.operator] {
        assert!(town.app.moderate(actor, &id, verdict.clone()).await.is_err());
    }
    assert_eq!(town.app.moderation_queue(&town.moderator).await.unwrap().len(), 1);
    assert!(town.app.moderation_queue(&town.officer).await.is_err());
}

#[tokio::test]
async fn keys_are_endorsed_by_keys_and_revoked_ones_sign_nothing_new() {
    let town = Town::new(AgencyClass::Municipal).await;
    let agency = town.officer.agency.clone().unwrap();
    let administrator = member(&town.app, &town.operator, Some(&agency), Role::Administrator).await;
    let next = SigningKey::from_bytes(&[4; 32]);
    let statement = KeyEndorsement { agency: agency.clone(), public: PublicKey::of(&next) };
    let new = |signer: &SigningKey| NewAgencyKey {
        public: PublicKey::of(&next),
        endorsed_by: PublicKey::of(&town.key).id(),
        endorsement: sign(signer, KeyEndorsement::CONTEXT, &statement).unwrap(),
    };
    assert!(
        town.app.add_agency_key(&administrator, &agency, new(&next)).await.is_err(),
        "it can't vouch for itself"
    );
    assert!(
        town.app.add_agency_key(&town.officer, &agency, new(&town.key)).await.is_err(),
        "investigators may not"
    );
    town.app.add_agency_key(&administrator, &agency, new(&town.key)).await.unwrap();
    let old = PublicKey::of(&town.key).id();
    town.app.revoke_agency_key(&administrator, &agency, &old).await.unwrap();
    assert_eq!(rules(&town.submitted("26-3").await.unwrap_err()), [("key", "unknown")]);
    let last = PublicKey::of(&next).id();
    assert!(matches!(
        town.app.revoke_agency_key(&administrator, &agency, &last).await,
        Err(CoreError::State { .. })
    ));
}

#[tokio::test]
async fn tokens_end_and_stopped_members_are_out_at_once() {
    let town = Town::new(AgencyClass::Municipal).await;
    let wish = NewToken { label: "desk".into(), roles: vec![Role::Moderator], days: 1, scope: None };
    let refused = town.app.issue_token(&town.operator, &town.officer.member, wish.clone()).await.unwrap_err();
    assert_eq!(rules(&refused), [("roles", "not-held")]);
    let wish = NewToken { roles: vec![], ..wish };
    let token = town.app.issue_token(&town.operator, &town.officer.member, wish.clone()).await.unwrap();
    town.app.sign_in(&token.token).await.unwrap();
    town.clock.advance_days(1);
    assert_eq!(town.app.sign_in(&token.token).await.unwrap_err(), CoreError::SignIn);
    let token = town.app.issue_token(&town.operator, &town.officer.member, wish).await.unwrap();
    let stop = ChangeMember { active: Some(false), ..ChangeMember::default() };
    town.app.change_member(&town.operator, &town.officer.member, stop).await.unwrap();
    assert_eq!(town.app.sign_in(&token.token).await.unwrap_err(), CoreError::SignIn);
    assert_eq!(town.app.sign_in("cvt_guess").await.unwrap_err(), CoreError::SignIn);
}

/// Found by a test that suspended and readmitted within a second: two entries were alike, and the feed stood still.
#[tokio::test]
async fn an_agency_that_comes_and_goes_within_a_second_has_no_entry_twice() {
    let town = Town::new(AgencyClass::Municipal).await;
    let agency = town.officer.agency.clone().unwrap();
    for _ in 0..3 {
        town.app.suspend_agency(&town.operator, &agency).await.unwrap();
        let word = VerifyAgency { public: PublicKey::of(&town.key) };
        town.app.verify_agency(&town.operator, &agency, word).await.unwrap();
    }
    let mut entries: Vec<_> = town.app.records().ledger_entries(Log::Requests, 0, 100).await.unwrap();
    let all = entries.len();
    entries.sort_by(|a, b| a.entry.cmp(&b.entry));
    entries.dedup_by(|a, b| a.entry == b.entry);
    assert_eq!(entries.len(), all);
}

/// Found by schemathesis: an operator could stop the last operator, themselves.
#[tokio::test]
async fn nobody_shuts_themselves_out() {
    let town = Town::new(AgencyClass::Municipal).await;
    let me = town.operator.member.clone();
    let stop = ChangeMember { active: Some(false), ..ChangeMember::default() };
    assert!(matches!(town.app.change_member(&town.operator, &me, stop).await, Err(CoreError::State { .. })));
    let step_down = ChangeMember { roles: Some(vec![Role::Overseer]), ..ChangeMember::default() };
    assert!(matches!(
        town.app.change_member(&town.operator, &me, step_down).await,
        Err(CoreError::State { .. })
    ));
    let more = ChangeMember { roles: Some(vec![Role::Operator, Role::Overseer]), ..ChangeMember::default() };
    town.app.change_member(&town.operator, &me, more).await.unwrap();
}

#[tokio::test]
async fn a_wrapped_key_needs_recovery_and_never_holds_a_secret() {
    let town = Town::new(AgencyClass::Municipal).await;
    let id = town.app.draft_request(&town.officer, draft("26-5")).await.unwrap().id;
    let sound = WrappedKey {
        recipient: RECIPIENT.into(),
        wrapped: "-----BEGIN AGE ENCRYPTED FILE-----\n".into(),
        group: vec![town.officer.member.clone()],
        recovery: true,
    };
    for (broken, field) in [
        (WrappedKey { recovery: false, ..sound.clone() }, "recovery"),
        (WrappedKey { recipient: "age1short".into(), ..sound.clone() }, "recipient"),
        (WrappedKey { group: vec![], ..sound.clone() }, "group"),
        (WrappedKey { group: vec![town.stranger.member.clone()], ..sound.clone() }, "group"),
        (WrappedKey { wrapped: "AGE-SECRET-KEY-1QQQ".into(), ..sound.clone() }, "wrapped"),
    ] {
        let error = town.app.put_key(&town.officer, id.as_str(), broken).await.unwrap_err();
        assert_eq!(rules(&error)[0].0, field);
    }
    town.app.put_key(&town.officer, id.as_str(), sound).await.unwrap();
    assert!(matches!(town.app.destroy_key(&town.officer, id.as_str()).await, Err(CoreError::Denied(_))));
}

#[tokio::test]
async fn invitations_lead_to_what_is_public_and_every_act_left_its_record() {
    let town = Town::new(AgencyClass::Municipal).await;
    let waiting = town.submitted("26-8").await.unwrap();
    let new = |id: &RequestId| NewInvitation { destination: id.to_string(), case: None };
    assert!(matches!(town.app.invite(&town.officer, new(&waiting)).await, Err(CoreError::State { .. })));
    let id = town.published("26-8").await;
    let issued = town.app.invite(&town.officer, new(&id)).await.unwrap();
    assert_eq!(issued.invitation.expires, town.clock.time().plus_days(10));
    let stored: Vec<_> = town
        .app
        .records()
        .list(Query::<AuditRecord>::new().with("action", "invitation.create"))
        .await
        .unwrap();
    assert_eq!(stored.len(), 1);
    assert!(!serde_json::to_string(&stored[0].record).unwrap().contains(&issued.secret));
    let requests: Vec<_> = town.app.records().list(Query::<Request>::new()).await.unwrap();
    for request in &requests {
        let records: Vec<_> = town
            .app
            .records()
            .list(Query::<AuditRecord>::new().with("subject", &request.record.id))
            .await
            .unwrap();
        assert!(records.len() >= 2, "a draft and a submission leave a record each");
    }
}

//! Sharing between agencies: two people on each side, one person to stop, and whom each scope reaches.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test's helpers fail the test by panicking"
)]

use std::sync::Arc;

use canvass_core::{
    App, CoreError,
    access::{Actor, By, Gate},
    cases::{CaseFilter, NewCase},
    ports::{Changeset, Query, Records as _, RecordsExt as _},
    records::{Agency, AuditRecord, Member, ProposalState},
    sharing::{NewSharing, NoticeFilter, Standing, Wanted},
};
use canvass_policy::SharingScope;
use canvass_testkit::{ManualClock, MemRecords, SeededEntropy};
use canvass_types::{AgencyId, CaseId, Policy, Role, SharingId, Time, leaf::Log};
use serde_json::{Value, json};

const REASON: &str = "joint work on the garages along the county line";

pub(super) struct World {
    pub(super) app: App<MemRecords>,
    clock: Arc<ManualClock>,
}

fn id(letter: char) -> AgencyId {
    format!("agy_{}a", letter.to_string().repeat(25)).parse().unwrap()
}

/// An agency whose jurisdiction is a square of a tenth of a degree around a longitude at 43° north.
fn agency(letter: char, class: &str, state: &str, longitude: f64) -> Agency {
    let (west, east) = (longitude - 0.05, longitude + 0.05);
    let ring = json!([[[west, 42.95], [east, 42.95], [east, 43.05], [west, 43.05], [west, 42.95]]]);
    serde_json::from_value(json!({
        "id": id(letter), "name": format!("Agency {letter}"), "class": class, "subdivision": state,
        "jurisdiction": { "type": "Polygon", "coordinates": ring }, "state": "verified", "keys": [], "recovery": null,
        "rehearsed": null, "registered": "2026-01-01T00:00:00Z", "leaves": [], "unpublished": false,
    }))
    .unwrap()
}

fn member(letter: char, number: usize, roles: &[Role]) -> Member {
    let text = format!("mbr_{}{}a", letter.to_string().repeat(24), ["b", "c"][number]);
    serde_json::from_value(json!({
        "id": text, "agency": id(letter), "name": format!("Person {letter}{number}"), "roles": roles, "recipient": null,
        "active": true, "added": "2026-01-01T00:00:00Z",
    }))
    .unwrap()
}

fn roles() -> Vec<Role> {
    vec![Role::Supervisor, Role::Investigator]
}

impl World {
    pub(super) async fn new() -> Self {
        let clock = Arc::new(ManualClock::default());
        let agencies = [
            agency('a', "municipal", "US-TX", -71.0),
            agency('b', "county", "US-TX", -71.5),
            agency('c', "municipal", "US-OK", -73.0),
            agency('d', "federal", "US-TX", -71.0),
        ];
        let mut changes = Changeset::unguarded();
        for agency in &agencies {
            changes = changes.insert(agency);
        }
        for letter in ['a', 'b', 'c', 'd'] {
            for number in 0..2 {
                changes = changes.insert(&member(letter, number, &roles()));
            }
        }
        let store = MemRecords::new();
        store.commit(changes).await.unwrap();
        let gate = Gate::shipped().unwrap();
        let app = App::new(store, gate, Policy::default(), clock.clone(), Arc::new(SeededEntropy::new(3)));
        Self { app, clock }
    }

    pub(super) async fn who(&self, letter: char, number: usize) -> Actor {
        let agency = self.app.records().get::<Agency>(id(letter).as_str()).await.unwrap().unwrap().record;
        let by = By::Token { id: "tok_aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap(), scope: None };
        Actor::new(&member(letter, number, &roles()), Some(&agency), roles(), by)
    }

    pub(super) fn wish(&self, what: Value, scope: SharingScope, named: &[char]) -> NewSharing {
        NewSharing {
            what: serde_json::from_value(what).unwrap(),
            scope,
            named: named.iter().map(|letter| id(*letter)).collect(),
            within_km: if scope == SharingScope::Distance { 50 } else { 0 },
            from: None,
            until: self.clock.time().plus_days(30),
            reason: REASON.into(),
        }
    }

    /// Offered by two of agency a.
    pub(super) async fn offered(&self, wish: NewSharing) -> SharingId {
        let proposal = self.app.offer_sharing(&self.who('a', 0).await, wish).await.unwrap();
        let two = self.who('a', 1).await;
        let rule = self.app.proposal(&two, &proposal.id).await.unwrap().sharing.unwrap().id;
        self.app.approve_proposal(&two, &proposal.id).await.unwrap();
        rule
    }

    pub(super) async fn accepted(&self, letter: char, rule: &SharingId) {
        let proposal = self.app.accept_sharing(&self.who(letter, 0).await, rule, REASON).await.unwrap();
        self.app.approve_proposal(&self.who(letter, 1).await, &proposal.id).await.unwrap();
    }

    async fn case(&self) -> CaseId {
        let wish = NewCase { title: "Garages".into(), code: None, destinations: Vec::new() };
        self.app.create_case(&self.who('a', 0).await, wish).await.unwrap().id
    }

    /// Whether the agency's investigator gets through the gate to a camera of agency a.
    async fn reaches(&self, letter: char, camera: &str) -> bool {
        let facts = self.app.sharing_facts(&id('a'), &id(letter), Wanted::Camera(camera)).await.unwrap();
        let Some(sharing) = facts else { return false };
        let policies = self.app.gate().policies();
        let agencies = [self.who('a', 0).await, self.who(letter, 0).await].map(|who| who.party.unwrap());
        let under = |mut party: canvass_policy::Party| {
            party.profile = policies.profile_for(&party.subdivision).unwrap().id.clone();
            party
        };
        let [owner, asking] = agencies.map(under);
        let question = canvass_policy::Question {
            subject: canvass_policy::Subject {
                id: "x".into(),
                roles: vec![Role::Investigator],
                agency: Some(asking),
            },
            action: "camera.read".into(),
            owner: Some(owner),
            facts: canvass_policy::Facts {
                purpose: "crime".into(),
                offence: "felony".into(),
                case_open: true,
                now: self.clock.time().as_second(),
                sharing: Some(sharing),
                ..Default::default()
            },
        };
        policies.decide(&question).allowed
    }

    pub(super) async fn kinds(&self) -> Vec<String> {
        let entries = self.app.records().ledger_entries(Log::Oversight, 0, 1_000).await.unwrap();
        let kind = |bytes: &[u8]| {
            serde_json::from_slice::<Value>(bytes).unwrap()["type"].as_str().unwrap().to_owned()
        };
        entries.iter().map(|entry| kind(&entry.entry)).collect()
    }
}

pub(super) fn fields(error: CoreError) -> Vec<String> {
    let CoreError::Invalid(problems) = error else { panic!("{error}") };
    problems.into_iter().map(|problem| problem.field).collect()
}

#[tokio::test]
async fn a_case_is_shared_by_two_and_two_and_seen_by_the_other_agency_alone() {
    let world = World::new().await;
    let case = world.case().await;
    let [a0, a1, b0, b1] =
        [world.who('a', 0).await, world.who('a', 1).await, world.who('b', 0).await, world.who('b', 1).await];
    let wish = world.wish(json!({ "kind": "case", "case": case }), SharingScope::Named, &['b']);
    let proposal = world.app.offer_sharing(&a0, wish).await.unwrap();
    let own = world.app.approve_proposal(&a0, &proposal.id).await.unwrap_err();
    assert!(own.to_string().contains("Sharing takes two people of the agency"), "{own}");
    assert!(
        matches!(world.app.approve_proposal(&b0, &proposal.id).await, Err(CoreError::Denied(_))),
        "another agency's"
    );
    assert_eq!(world.app.sharing(&b0).await.unwrap(), [], "nothing is offered yet");
    world.app.approve_proposal(&a1, &proposal.id).await.unwrap();

    let [offer] = world.app.sharing(&b0).await.unwrap().try_into().unwrap();
    assert_eq!(
        (offer.standing, offer.ours, offer.accepted, &offer.case_title),
        (Standing::InForce, false, false, &None)
    );
    let rule = offer.rule.id;
    assert!(world.app.case(&b0, &case).await.is_err(), "not before it is accepted");
    let proposal = world.app.accept_sharing(&b0, &rule, REASON).await.unwrap();
    assert!(world.app.approve_proposal(&b0, &proposal.id).await.is_err());
    assert!(world.app.approve_proposal(&a1, &proposal.id).await.is_err());
    world.app.approve_proposal(&b1, &proposal.id).await.unwrap();

    let detail = world.app.case(&b0, &case).await.unwrap();
    assert_eq!(detail.case.shared_by.as_deref(), Some("Agency a"));
    let listed = world.app.cases(&b1, &CaseFilter::default()).await.unwrap().entries;
    assert_eq!(listed.iter().map(|it| it.shared_by.as_deref()).collect::<Vec<_>>(), [Some("Agency a")]);
    assert!(world.app.cases(&a0, &CaseFilter::default()).await.unwrap().entries[0].shared_by.is_none());
    assert!(world.app.case(&world.who('c', 0).await, &case).await.is_err());
    assert!(world.app.close_case(&b0, &case).await.is_err(), "to change it stays with the owner");
    let looks = Query::<AuditRecord>::new().with("action", "case.read");
    assert_eq!(world.app.records().list(looks).await.unwrap().len(), 1, "the look is on record");

    // One person of the owner ends it at once.
    assert!(matches!(world.app.end_sharing(&a0, &rule, "short").await, Err(CoreError::Invalid(_))));
    let ended = world.app.end_sharing(&a0, &rule, "the joint work is done").await.unwrap();
    assert_eq!(ended.standing, Standing::Ended);
    assert!(world.app.case(&b0, &case).await.is_err());
    assert_eq!(world.app.cases(&b0, &CaseFilter::default()).await.unwrap().entries, []);
    let kinds = world.kinds().await;
    for kind in ["share.propose", "share.offer", "share.accept", "share.end"] {
        assert!(kinds.contains(&kind.to_owned()), "{kind}: {kinds:?}");
    }
    let overseer = Actor { agency: None, party: None, roles: vec![Role::Overseer], ..a0.clone() };
    let notices =
        world.app.notices(&overseer, &NoticeFilter { unseen: true, ..Default::default() }).await.unwrap();
    let what: Vec<&str> = notices.entries.iter().map(|notice| notice.what.as_str()).collect();
    assert_eq!(what, ["share.end", "share.accept", "share.offer"]);
    assert!(notices.entries.iter().all(|notice| notice.agency == Some(id('a'))));
}

#[tokio::test]
async fn each_scope_reaches_whom_it_says() {
    // b: same state, about 41 km; c: another state, about 163 km; d: federal, same place.
    for (scope, named, reached) in [
        (SharingScope::Named, &['b'][..], "b"),
        (SharingScope::Named, &['b', 'd'], "bd"),
        (SharingScope::State, &[], "b"),
        (SharingScope::State, &['d'], "bd"),
        (SharingScope::Distance, &[], "b"),
        (SharingScope::Compatible, &[], ""),
        (SharingScope::All, &[], "bc"),
        (SharingScope::All, &['d'], "bcd"),
    ] {
        let world = World::new().await;
        let rule = world.offered(world.wish(json!({ "kind": "cameras" }), scope, named)).await;
        for letter in ['b', 'c', 'd'] {
            assert!(!world.reaches(letter, "elm-1").await, "{scope:?} {letter}: not before it is accepted");
            let shown = !world.app.sharing(&world.who(letter, 0).await).await.unwrap().is_empty();
            assert_eq!(shown, reached.contains(letter), "{scope:?} {letter} is shown the offer");
            if shown {
                world.accepted(letter, &rule).await;
            } else {
                let refused = world.app.accept_sharing(&world.who(letter, 0).await, &rule, REASON).await;
                assert!(matches!(refused, Err(CoreError::Hidden(_))), "{scope:?} {letter}");
            }
            assert_eq!(world.reaches(letter, "elm-1").await, reached.contains(letter), "{scope:?} {letter}");
        }
    }
}

#[tokio::test]
async fn a_rule_holds_between_its_dates_for_its_cameras_and_not_for_the_suspended() {
    let world = World::new().await;
    let mut wish =
        world.wish(json!({ "kind": "cameras", "ids": ["elm-1"] }), SharingScope::Named, &['b', 'c']);
    let from = world.clock.time().plus_days(2);
    (wish.from, wish.until) = (Some(from), from.plus_days(10));
    let rule = world.offered(wish).await;
    world.accepted('b', &rule).await;
    assert!(!world.reaches('b', "elm-1").await, "two days early");
    world.clock.advance(2 * 86_400 - 1);
    assert!(!world.reaches('b', "elm-1").await, "a second early");
    world.clock.advance(1);
    assert!(world.reaches('b', "elm-1").await);
    assert!(!world.reaches('b', "elm-2").await, "another camera");
    assert!(!world.reaches('c', "elm-1").await, "named, but it has not accepted");
    for suspended in ['b', 'a'] {
        let before = world.app.records().get::<Agency>(id(suspended).as_str()).await.unwrap().unwrap();
        let mut agency = before.record.clone();
        agency.state = canvass_types::AgencyState::Suspended;
        world.app.records().commit(Changeset::unguarded().update(&before, &agency)).await.unwrap();
        assert!(!world.reaches('b', "elm-1").await, "{suspended} is suspended");
        let row = world.app.records().get::<Agency>(id(suspended).as_str()).await.unwrap().unwrap();
        world.app.records().commit(Changeset::unguarded().update(&row, &before.record)).await.unwrap();
    }
    assert!(world.reaches('b', "elm-1").await);
    world.clock.advance(10 * 86_400 - 1);
    assert!(world.reaches('b', "elm-1").await, "the last second");
    world.clock.advance(1);
    assert!(!world.reaches('b', "elm-1").await, "over");
    let over = world.app.sharing(&world.who('a', 0).await).await.unwrap();
    assert_eq!(over[0].standing, Standing::Over);
    assert!(world.app.accept_sharing(&world.who('c', 0).await, &rule, REASON).await.is_err());
}

#[tokio::test]
async fn the_other_agency_leaves_by_one_person_and_may_come_back_by_two() {
    let world = World::new().await;
    let rule = world.offered(world.wish(json!({ "kind": "cameras" }), SharingScope::All, &[])).await;
    for letter in ['b', 'c'] {
        world.accepted(letter, &rule).await;
    }
    let left = world
        .app
        .end_sharing(&world.who('b', 1).await, &rule, "we have cameras of our own now")
        .await
        .unwrap();
    assert_eq!((left.standing, left.accepted), (Standing::InForce, false));
    assert!(!world.reaches('b', "elm-1").await && world.reaches('c', "elm-1").await);
    world.accepted('b', &rule).await;
    assert!(world.reaches('b', "elm-1").await);
    let twice = world.app.accept_sharing(&world.who('b', 0).await, &rule, REASON).await.unwrap_err();
    assert!(twice.to_string().contains("accepted this already"), "{twice}");
}

#[tokio::test]
async fn what_cant_be_offered_is_said_by_field() {
    let world = World::new().await;
    let a0 = world.who('a', 0).await;
    let cameras = || json!({ "kind": "cameras" });
    let late = |days| -> Time { world.clock.time().plus_days(days) };
    let base = || world.wish(cameras(), SharingScope::All, &[]);
    for (wish, field) in [
        (NewSharing { until: late(366), ..base() }, "until"),
        (NewSharing { until: late(0), ..base() }, "until"),
        (NewSharing { from: Some(late(40)), ..base() }, "until"),
        (world.wish(cameras(), SharingScope::Named, &[]), "named"),
        (world.wish(cameras(), SharingScope::Named, &['a']), "named"),
        (world.wish(cameras(), SharingScope::Named, &['e']), "named"),
        (NewSharing { within_km: 9, ..base() }, "within_km"),
        (NewSharing { within_km: 0, ..world.wish(cameras(), SharingScope::Distance, &[]) }, "within_km"),
        (world.wish(json!({ "kind": "cameras", "ids": [] }), SharingScope::All, &[]), "what.ids"),
        (
            world.wish(
                json!({ "kind": "case", "case": "cas_aaaaaaaaaaaaaaaaaaaaaaaaaa" }),
                SharingScope::All,
                &[],
            ),
            "scope",
        ),
        (
            world.wish(
                json!({ "kind": "case", "case": "cas_aaaaaaaaaaaaaaaaaaaaaaaaaa" }),
                SharingScope::Named,
                &['b'],
            ),
            "what.case",
        ),
        (NewSharing { reason: "because".into(), ..base() }, "reason"),
    ] {
        let error = world.app.offer_sharing(&a0, wish).await.unwrap_err();
        assert_eq!(fields(error), [field]);
    }
    // Withdrawn before the second person looked.
    let proposal = world.app.offer_sharing(&a0, base()).await.unwrap();
    assert_eq!(world.app.withdraw_proposal(&a0, &proposal.id).await.unwrap().state, ProposalState::Withdrawn);
    assert!(world.app.approve_proposal(&world.who('a', 1).await, &proposal.id).await.is_err());
    assert_eq!(world.app.sharing(&a0).await.unwrap(), []);
    // Somebody alone in the agency is told so.
    let row = world.app.records().get::<Member>(member('a', 1, &roles()).id.as_str()).await.unwrap().unwrap();
    let mut stopped = row.record.clone();
    stopped.active = false;
    world.app.records().commit(Changeset::unguarded().update(&row, &stopped)).await.unwrap();
    let alone = world.app.offer_sharing(&a0, base()).await.unwrap_err().to_string();
    assert!(alone.contains("two people of the agency"), "{alone}");
}

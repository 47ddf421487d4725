//! What a decision leaves behind and who it is made for: salts, pseudonyms, standing, purposes, rights and tokens.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test's helpers fail the test by panicking"
)]

use std::{collections::BTreeSet, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use canvass_core::{
    App, CoreError,
    access::{Actor, By, CaseRead, Denied, Gate, ItemList, NewToken, OPERATOR_READ, Target},
    cases::NewCase,
    ports::{Changeset, Query, Records as _, RecordsExt as _},
    records::{Agency, AuditRecord, Member, Setting, Token},
};
use canvass_policy::Need;
use canvass_testkit::{ManualClock, MemRecords, SeededEntropy};
use canvass_types::{
    AgencyId, Policy, Role, Time,
    commitment::commitment,
    leaf::{Pseudonym, Veiled},
};
use serde_json::json;

struct World {
    app: App<MemRecords>,
    clock: Arc<ManualClock>,
}

fn agency_id(letter: char) -> AgencyId {
    format!("agy_{}a", letter.to_string().repeat(25)).parse().unwrap()
}

fn agency(letter: char, subdivision: &str) -> Agency {
    let ring = json!([[[-71.1, 42.9], [-71.0, 42.9], [-71.0, 43.0], [-71.1, 43.0], [-71.1, 42.9]]]);
    serde_json::from_value(json!({
        "id": agency_id(letter), "name": format!("Agency {letter}"), "class": "municipal", "subdivision": subdivision,
        "jurisdiction": { "type": "Polygon", "coordinates": ring }, "state": "verified", "keys": [], "recovery": null,
        "rehearsed": null, "registered": "2026-01-01T00:00:00Z", "leaves": [], "unpublished": false,
    }))
    .unwrap()
}

fn member(letter: char, number: usize, roles: &[Role]) -> Member {
    let text = format!("mbr_{}{}a", letter.to_string().repeat(24), ["b", "c"][number]);
    let of = (letter != 'o').then(|| agency_id(letter));
    serde_json::from_value(json!({
        "id": text, "agency": of, "name": format!("Person {letter}{number}"), "roles": roles, "recipient": null,
        "active": true, "added": "2026-01-01T00:00:00Z",
    }))
    .unwrap()
}

const OFFICER: [Role; 2] = [Role::Supervisor, Role::Investigator];

fn app(store: MemRecords, clock: &Arc<ManualClock>, seed: u64) -> App<MemRecords> {
    App::new(
        store,
        Gate::shipped().unwrap(),
        Policy::default(),
        clock.clone(),
        Arc::new(SeededEntropy::new(seed)),
    )
}

impl World {
    async fn new() -> Self {
        let clock = Arc::new(ManualClock::default());
        let store = MemRecords::new();
        let mut changes = Changeset::unguarded().insert(&member('o', 0, &[Role::Operator]));
        for (letter, state) in [('a', "US-NH"), ('b', "US-TX")] {
            changes = changes.insert(&agency(letter, state));
            for number in 0..2 {
                changes = changes.insert(&member(letter, number, &OFFICER));
            }
        }
        store.commit(changes).await.unwrap();
        Self { app: app(store, &clock, 3), clock }
    }

    async fn who(&self, letter: char, number: usize) -> Actor {
        let by = By::Token { id: "tok_aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap(), scope: None };
        if letter == 'o' {
            return Actor::new(&member('o', 0, &[Role::Operator]), None, vec![Role::Operator], by);
        }
        let agency = self.app.records().get::<Agency>(agency_id(letter).as_str()).await.unwrap().unwrap();
        Actor::new(&member(letter, number, &OFFICER), Some(&agency.record), OFFICER.to_vec(), by)
    }

    async fn begin_case(&self, who: &Actor) {
        let wish = NewCase { title: "Garages".into(), code: None, destinations: Vec::new() };
        self.app.create_case(who, wish).await.unwrap();
    }

    async fn entries(&self, action: &str) -> Vec<AuditRecord> {
        let all = self.app.records().list(Query::<AuditRecord>::new()).await.unwrap();
        let mut found: Vec<_> = all.into_iter().map(|one| one.record).collect();
        found.retain(|one| one.body.action == action);
        found
    }
}

fn token(label: &str, days: u32, scope: Option<&str>) -> NewToken {
    NewToken { label: label.into(), roles: Vec::new(), days, scope: scope.map(str::to_owned) }
}

#[tokio::test]
async fn each_entry_commits_to_its_record_under_a_salt_of_its_own() {
    let world = World::new().await;
    let who = world.who('a', 0).await;
    world.begin_case(&who).await;
    world.begin_case(&who).await;
    let made = world.entries("case.create").await;
    assert_eq!(made.len(), 2);
    let salts: Vec<[u8; 32]> =
        made.iter().map(|one| BASE64_STANDARD.decode(&one.salt).unwrap().try_into().unwrap()).collect();
    assert_ne!(salts[0], salts[1]);
    assert_ne!(salts[0], [0; 32]);
    for (at, one) in made.iter().enumerate() {
        let record = serde_json::to_value(&one.body).unwrap();
        let leaf = one.leaf.as_ref().unwrap();
        assert_eq!(leaf.commitment, commitment(&salts[at], &record));
        assert_ne!(leaf.commitment, commitment(&salts[1 - at], &record));
        assert_eq!(leaf.hour, one.body.at.hour());
    }
}

#[test]
fn a_refusal_says_what_is_missing_and_nothing_when_nothing_would_help() {
    let refused = |needs: Vec<Need>| {
        let because = vec!["It takes a judge.".to_owned()];
        Denied::Rule { action: "plates.search", rules: vec!["second-person.days".into()], because, needs }
            .to_string()
    };
    assert_eq!(refused(Vec::new()), "plates.search: It takes a judge.");
    let both = refused(vec![Need::Warrant, Need::SecondPerson]);
    let words = [Need::Warrant.as_str(), Need::SecondPerson.as_str()].join(", ");
    assert_eq!(both, format!("plates.search: It takes a judge. What is missing: {words}."));
}

#[tokio::test]
async fn pseudonyms_repeat_within_an_agency_and_can_not_be_compared_between_two() {
    let world = World::new().await;
    let (one, two) = (world.who('a', 0).await, world.who('a', 1).await);
    for who in [&one, &two, &one] {
        world.begin_case(who).await;
    }
    let entries = world.entries("case.create").await;
    let names: BTreeSet<Pseudonym> =
        entries.iter().map(|one| one.leaf.as_ref().unwrap().actor.clone().unwrap()).collect();
    assert_eq!((entries.len(), names.len()), (3, 2), "two people, three acts");
    let key = world.app.records().get::<Setting>(&format!("pseudonyms/{}", agency_id('a'))).await.unwrap();
    let key = key.unwrap().record;
    let bytes: [u8; 32] = BASE64_STANDARD.decode(key.value.as_str().unwrap()).unwrap().try_into().unwrap();
    assert!(names.contains(&Pseudonym::of(&bytes, Veiled::Member, one.member.as_str())));

    let ours = world.app.target_pseudonym(&agency_id('a'), "ABC123").await.unwrap();
    assert_eq!(ours, Pseudonym::of(&bytes, Veiled::Target, "ABC123"));
    assert_ne!(ours, world.app.target_pseudonym(&agency_id('a'), "ABC124").await.unwrap());
    assert_ne!(ours, world.app.target_pseudonym(&agency_id('b'), "ABC123").await.unwrap());
    // A member and a target of the same text have nothing in common.
    assert_ne!(ours, Pseudonym::of(&bytes, Veiled::Member, "ABC123"));

    // Started again, with other chance: the same names, from the key that was kept.
    let again = app(world.app.records().clone(), &world.clock, 99);
    assert_eq!(ours, again.target_pseudonym(&agency_id('a'), "ABC123").await.unwrap());

    // A key that is no key is told, and none is made in its place.
    let broken = app(world.app.records().snapshot(), &world.clock, 4);
    let stored = broken.records().get::<Setting>(&key.name).await.unwrap().unwrap();
    let short = Setting { value: "AAAA".into(), ..stored.record.clone() };
    broken.records().commit(Changeset::unguarded().update(&stored, &short)).await.unwrap();
    let told = broken.target_pseudonym(&agency_id('a'), "ABC123").await.unwrap_err().to_string();
    assert!(!told.contains("ABC123"), "{told}");
    let left = broken.records().get::<Setting>(&key.name).await.unwrap().unwrap();
    assert_eq!(left.record.value, json!("AAAA"));
}

#[tokio::test]
async fn purposes_and_rights_are_those_of_the_members_own_agency() {
    let world = World::new().await;
    let (hampshire, texas, operator) =
        (world.who('a', 0).await, world.who('b', 0).await, world.who('o', 0).await);
    let law = |who: &Actor| world.app.purposes(who).law;
    assert!(law(&hampshire).contains("New Hampshire"), "{}", law(&hampshire));
    assert_ne!(law(&hampshire), law(&texas));
    assert!(!law(&operator).is_empty());

    let gate = world.app.gate();
    let rights = gate.rights(&hampshire);
    assert!(rights.contains(&"case.create".to_owned()) && !rights.contains(&"system.backup".to_owned()));
    assert!(rights.is_sorted());
    let homeless = Actor { agency: None, party: None, ..hampshire };
    assert!(
        !gate.rights(&homeless).contains(&"case.create".to_owned()),
        "nothing is one's own without an agency"
    );
    assert!(gate.rights(&operator).contains(&"system.backup".to_owned()));
    let nobody = Actor { roles: Vec::new(), ..operator };
    assert_eq!(gate.rights(&nobody), Vec::<String>::new());
}

#[tokio::test]
async fn what_an_operator_looks_at_is_entered_before_it_is_given() {
    let world = World::new().await;
    let operator = world.who('o', 0).await;
    let person = member('a', 0, &OFFICER).id;
    world.app.tokens(&operator, &person).await.unwrap();
    let seen = world.entries(OPERATOR_READ).await;
    assert_eq!(seen.len(), 1);
    let leaf = seen[0].leaf.as_ref().unwrap();
    assert!(leaf.actor.is_some());
    assert!(!serde_json::to_string(leaf).unwrap().contains(person.as_str()), "the ledger names nobody");
}

#[tokio::test]
async fn a_token_says_what_it_is_for_how_long_and_for_which_camera() {
    let world = World::new().await;
    let operator = world.who('o', 0).await;
    let whose = member('a', 0, &OFFICER).id;
    let field = async |wish: NewToken| match world.app.issue_token(&operator, &whose, wish).await {
        Ok(_) => String::new(),
        Err(CoreError::Invalid(problems)) => problems[0].field.clone(),
        Err(other) => panic!("{other}"),
    };
    let eighty = "x".repeat(80);
    for (wish, wrong) in [
        (token("", 1, None), "label"),
        (token("  ", 1, None), "label"),
        (token(&format!("{eighty}x"), 1, None), "label"),
        (token(&eighty, 1, None), ""),
        (token("reader", 0, None), "days"),
        (token("reader", 366, None), "days"),
        (token("reader", 365, None), ""),
        (token("reader", 1, Some("")), "scope"),
        (token("reader", 1, Some(&format!("{eighty}x"))), "scope"),
        (token("reader", 1, Some(&eighty)), ""),
        (token("reader", 1, Some("cam 7")), "scope"),
        (token("reader", 1, Some("lot-7/gate_2.north:a")), ""),
        (NewToken { roles: vec![Role::Operator], ..token("reader", 1, None) }, "roles"),
        (NewToken { roles: vec![Role::Investigator], ..token("reader", 1, None) }, ""),
    ] {
        assert_eq!(field(wish.clone()).await, wrong, "{wish:?}");
    }
}

#[tokio::test]
async fn a_token_counts_until_its_end_or_its_revocation_and_a_machine_ends_none() {
    let world = World::new().await;
    let operator = world.who('o', 0).await;
    let whose = member('a', 0, &OFFICER).id;
    let issue = async |wish| world.app.issue_token(&operator, &whose, wish).await.unwrap();
    let person = issue(token("desk", 1, None)).await;
    let machine = issue(token("gate", 2, Some("cam_7"))).await;
    assert_eq!(person.expires, world.clock.time().plus_days(1));

    let signed_in = world.app.sign_in(&machine.token).await.unwrap();
    let gate = world.app.gate();
    let of = |subject: &str| Target::of(&agency_id('a'), subject);
    gate.check::<ItemList>(&signed_in, &of("cam_7")).unwrap();
    assert_eq!(gate.check::<ItemList>(&signed_in, &of("cam_8")).unwrap_err(), Denied::Hidden);
    assert_eq!(gate.check::<CaseRead>(&signed_in, &of("cas")).unwrap_err(), Denied::Hidden);
    assert!(
        world.app.revoke_token(&signed_in, &machine.id).await.is_err(),
        "a machine has nothing of its own"
    );

    let mine = world.app.sign_in(&person.token).await.unwrap();
    assert!(world.app.sign_in(&format!("{}0", person.token)).await.is_err());
    let ended = world.app.revoke_token(&mine, &machine.id).await.unwrap();
    assert_eq!(ended.revoked, Some(world.clock.time()));
    assert!(matches!(world.app.sign_in(&machine.token).await, Err(CoreError::SignIn)));
    // Said again it stays at its first moment.
    world.clock.advance(60);
    assert_eq!(world.app.revoke_token(&mine, &machine.id).await.unwrap().revoked, ended.revoked);

    let left = person.expires.as_second() - world.clock.time().as_second();
    world.clock.advance(left - 1);
    world.app.sign_in(&person.token).await.unwrap();
    world.clock.advance(1);
    assert!(
        matches!(world.app.sign_in(&person.token).await, Err(CoreError::SignIn)),
        "its end is not within it"
    );

    let kept: Vec<Token> = world
        .app
        .records()
        .list(Query::<Token>::new())
        .await
        .unwrap()
        .into_iter()
        .map(|one| one.record)
        .collect();
    assert!(kept.iter().all(|one| !serde_json::to_string(one).unwrap().contains(&person.token)));
    assert!(kept.iter().any(|one| one.expires > Time::from_second(0)));
}

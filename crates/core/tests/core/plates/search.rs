//! Searching one's own cameras: the mark, the purpose, the scope, the pages.

use canvass_core::{
    CoreError,
    misuse::FindingFilter,
    plates::{HistoryOfPlate, RESULT, SearchPlates},
    ports::{Changeset, Query, Records as _, RecordsExt as _},
    records::{Agency, AskedMark, AuditRecord, CameraUse},
};
use canvass_plates::MatchLabel;
use canvass_types::{AgencyState, Purpose};

use super::world::*;

#[tokio::test]
async fn the_entry_is_there_before_the_store_is_asked() {
    let world = World::new().await;
    let camera = world.camera('a', "Elm and Main").await;
    world.send('a', &camera, &[("ABC123", 60), ("A8C123", 50), ("ABC124", 40), ("ZZZ999", 30)]).await;
    let who = world.who('a', 0).await;
    let found = world.search(&who, &purpose(), &plate("abc-123")).await.unwrap();
    assert_eq!(plates(&found), ["ABC123"]);
    assert_eq!(*world.store.seen.lock().unwrap(), [1], "one entry, before the store was asked");
    let [entry] = &world.entries("plate.search").await[..] else { panic!() };
    let (body, leaf) = (&entry.body, entry.leaf.as_ref().unwrap());
    assert_eq!((body.subject.as_str(), body.actor.as_ref()), ("ABC123", Some(&who.member)));
    assert_eq!(body.purpose.as_ref(), Some(&purpose()));
    assert!(body.case.is_some(), "the case is named by its id");
    assert_eq!(body.detail["cameras"], 1);
    let public = serde_json::to_string(leaf).unwrap();
    assert!(!public.contains("ABC123") && !public.contains("26-77"), "{public}");

    let tolerant = SearchPlates { tolerant: true, ..plate("ABC123") };
    let found = world.search(&who, &purpose(), &tolerant).await.unwrap();
    let labels: Vec<(&str, MatchLabel)> =
        found.matches.iter().map(|one| (one.read.plate.as_str(), one.label)).collect();
    let expected = [
        ("ABC124", MatchLabel::Approximate),
        ("A8C123", MatchLabel::MisreadEquivalent),
        ("ABC123", MatchLabel::Exact),
    ];
    assert_eq!(labels, expected);
    assert_eq!(found.matches[0].differences.len(), 1);
    let found = world.search(&who, &purpose(), &plate("?BC12*")).await.unwrap();
    assert_eq!(plates(&found), ["ABC124", "ABC123"]);
    let history = HistoryOfPlate { plate: "ABC123".into(), ..HistoryOfPlate::default() };
    let granted = world.app.plate_history(&who, &purpose(), &history).await.unwrap();
    assert_eq!(plates(&world.look(granted).await.unwrap()), ["ABC123"]);
    assert_eq!(world.entries("plate.history").await.len(), 1);
}

#[tokio::test]
async fn without_purpose_case_and_role_nothing_is_looked_at_and_the_refusal_is_entered() {
    let world = World::new().await;
    let camera = world.camera('a', "Elm and Main").await;
    world.send('a', &camera, &[("ABC123", 60)]).await;
    let who = world.who('a', 0).await;
    let other = Purpose { case: Some("26-78".into()), ..purpose() };
    let none = Purpose { case: None, ..purpose() };
    let infraction = Purpose { offence: "infraction".into(), ..purpose() };
    let empty = Purpose { reason: "investigation".into(), ..purpose() };
    for (purpose, rule) in [
        (other, "caps.case"),
        (none, "caps.case"),
        (infraction, "caps.infraction"),
        (empty, "reason"),
        (Purpose { class: "none".into(), ..purpose() }, "caps.purpose"),
    ] {
        let refused = world.search(&who, &purpose, &plate("ABC123")).await.unwrap_err();
        assert!(rules(&refused)[0].starts_with(rule), "{rule}: {:?}", rules(&refused));
    }
    let custodian = world.who('a', 2).await;
    let refused = world.search(&custodian, &purpose(), &plate("ABC123")).await.unwrap_err();
    assert_eq!(rules(&refused), ["roles.none"]);
    // A case counts for whoever works on it: agency a's supervisor does, its other investigator does not.
    assert!(world.search(&world.who('a', 1).await, &purpose(), &plate("ABC123")).await.is_ok());
    assert!(world.search(&world.who('b', 0).await, &purpose(), &plate("ABC123")).await.is_err());
    let refusals = world.entries("access.refused").await;
    assert_eq!(refusals.len(), 6, "each with its rules");
    assert!(refusals.iter().all(|one| one.body.detail["action"] == "plate.search"));
    assert_eq!(world.store.seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn an_agency_that_is_not_verified_searches_nothing() {
    let world = World::new().await;
    let camera = world.camera('a', "Elm and Main").await;
    world.send('a', &camera, &[("ABC123", 60)]).await;
    let set = async |state: AgencyState| {
        let row = world.app.records().get::<Agency>(id('a').as_str()).await.unwrap().unwrap();
        let changed = Agency { state, ..row.record.clone() };
        world.app.records().commit(Changeset::unguarded().update(&row, &changed)).await.unwrap();
    };
    for (state, rule) in
        [(AgencyState::Suspended, "never.suspended"), (AgencyState::Registered, "never.unverified")]
    {
        set(state).await;
        let who = world.who('a', 0).await;
        let refused = world.search(&who, &purpose(), &plate("ABC123")).await.unwrap_err();
        assert!(rules(&refused).iter().any(|one| one == rule), "{:?}", rules(&refused));
        let whole = HistoryOfPlate { plate: "ABC123".into(), ..HistoryOfPlate::default() };
        let refused = world.app.plate_history(&who, &purpose(), &whole).await.unwrap_err();
        assert!(rules(&refused).iter().any(|one| one == rule), "{:?}", rules(&refused));
    }
    assert!(world.store.seen.lock().unwrap().is_empty(), "the store was not asked");
    set(AgencyState::Verified).await;
    let found = world.search(&world.who('a', 0).await, &purpose(), &plate("ABC123")).await.unwrap();
    assert_eq!(plates(&found), ["ABC123"]);
}

#[tokio::test]
async fn a_question_that_would_look_at_everybody_is_refused_with_a_reason() {
    let world = World::new().await;
    world.camera('a', "Elm and Main").await;
    let who = world.who('a', 0).await;
    for (wish, rule) in [
        (plate("*"), "plate.plate"),
        (plate("????????"), "plate.plate"),
        (plate("A*B*C*D*E*F"), "plate.plate"),
        (plate("\u{1f697}"), "plate.plate"),
        (plate(&"A".repeat(10_240)), "plate.plate"),
        (plate("ABCDEFGHIJKLM"), "plate.length"),
        (SearchPlates { tolerant: true, ..plate("AB") }, "plate.plate"),
        (SearchPlates::default(), "plate.wide"),
        (SearchPlates { limit: Some(0), ..plate("ABC") }, "limit.range"),
        (SearchPlates { confidence: Some(101), ..plate("ABC") }, "confidence.range"),
        (SearchPlates { from: Some(world.clock.time().plus_days(3)), ..plate("ABC") }, "from.order"),
        (SearchPlates { after: Some("x".into()), ..plate("ABC") }, "after.form"),
        (SearchPlates { cameras: Some(Vec::new()), ..plate("ABC") }, "cameras.none"),
    ] {
        let error = world.search(&who, &purpose(), &wish).await.unwrap_err();
        assert_eq!(rules(&error), [rule]);
        assert!(!error.to_string().contains("AAAA"));
    }
    assert!(world.entries("plate.").await.is_empty());
    let whole = HistoryOfPlate { plate: "AB?".into(), ..HistoryOfPlate::default() };
    let error = world.app.plate_history(&who, &purpose(), &whole).await.unwrap_err();
    assert_eq!(rules(&error), ["plate.whole"]);
}

#[tokio::test]
async fn the_offence_says_how_wide_a_search_may_be() {
    let world = World::new().await;
    let mut cameras = Vec::new();
    for number in 0..21 {
        cameras.push(world.camera('a', &format!("Camera {number}")).await);
    }
    let who = world.who('a', 0).await;
    let small = Purpose { offence: "misdemeanor".into(), ..purpose() };
    let refused = world.search(&who, &small, &plate("ABC123")).await.unwrap_err();
    assert_eq!(rules(&refused), ["caps.misdemeanor"], "21 cameras");
    let named = SearchPlates { cameras: Some(cameras[..20].to_vec()), ..plate("ABC123") };
    world.search(&who, &small, &named).await.unwrap();
    let long = SearchPlates {
        from: Some(world.clock.time().plus_days(0).plus_seconds(-8 * 86_400)),
        ..named.clone()
    };
    let refused = world.search(&who, &small, &long).await.unwrap_err();
    assert_eq!(rules(&refused), ["caps.misdemeanor"], "8 days and a bit");
    let far = SearchPlates { from: Some(world.clock.time().plus_seconds(-31 * 86_400)), ..plate("ABC123") };
    let refused = world.search(&who, &purpose(), &far).await.unwrap_err();
    assert_eq!(rules(&refused), ["second-person.days"]);
}

#[tokio::test]
async fn cameras_are_chosen_by_name_and_by_area_and_never_those_that_film() {
    let world = World::new().await;
    let near = world.camera_for('a', "Near", CameraUse::Plates, [-71.0, 43.0]).await;
    let far = world.camera_for('a', "Far", CameraUse::Plates, [-70.0, 43.0]).await;
    world.camera_for('a', "Porch", CameraUse::Footage, [-71.0, 43.0]).await;
    world.send('a', &near, &[("ABC123", 60)]).await;
    world.send('a', &far, &[("ABC123", 50), ("XYZ789", 40)]).await;
    let who = world.who('a', 0).await;
    let ring = vec![[-71.1, 42.9], [-70.9, 42.9], [-70.9, 43.1], [-71.1, 43.1], [-71.1, 42.9]];
    let area = canvass_types::Area::new(ring).unwrap();
    let here = SearchPlates { area: Some(area), ..plate("ABC123") };
    let found = world.search(&who, &purpose(), &here).await.unwrap();
    assert_eq!(found.matches.len(), 1);
    assert_eq!((found.matches[0].camera_name.as_str(), found.searched[0].cameras), ("Near", 1));
    // All that a camera saw, without a plate.
    let wish = SearchPlates {
        cameras: Some(vec![far.clone()]),
        from: Some(world.clock.time().plus_seconds(-3_600)),
        ..SearchPlates::default()
    };
    let found = world.search(&who, &purpose(), &wish).await.unwrap();
    assert_eq!(plates(&found), ["XYZ789", "ABC123"]);
    let entry = world.entries("plate.search").await.pop().unwrap();
    assert_eq!((entry.body.subject.as_str(), entry.body.detail["form"].as_str()), ("cameras", Some("none")));
}

#[tokio::test]
async fn each_page_leaves_an_entry_and_the_owner_of_the_plate_learns_of_one_search() {
    let world = World::new().await;
    let camera = world.camera('a', "Elm and Main").await;
    let reads: Vec<(&str, i64)> = (1..=5).map(|ago| ("ABC123", ago * 10)).collect();
    world.send('a', &camera, &reads).await;
    let who = world.who('a', 0).await;
    let mut wish = SearchPlates { limit: Some(2), ..plate("ABC123") };
    let mut seen = Vec::new();
    let mut pages = 0;
    let mut next = None;
    loop {
        let found = world.search(&who, &purpose(), &wish).await.unwrap();
        seen.extend(found.matches.iter().map(|one| one.read.seen));
        pages += 1;
        let Some(after) = found.next else { break };
        next = next.or(Some(after.clone()));
        wish.after = Some(after);
    }
    assert_eq!((pages, seen.len()), (3, 5));
    assert!(seen.is_sorted_by(|a, b| a > b));
    let entries = world.entries("plate.search").await;
    assert_eq!(entries.len(), 3);
    let first = entries[0].body.id.as_str();
    assert!(entries.iter().all(|one| one.body.detail["search"] == first));
    let marks = world.app.records().list(Query::<AskedMark>::new()).await.unwrap();
    assert_eq!(marks.len(), 1);
    assert_eq!(marks[0].record.search.as_str(), first);
    // How much was found stands beside, for those who look for searches that find nothing.
    let results = world.app.records().list(Query::<AuditRecord>::new().with("action", RESULT)).await.unwrap();
    let hits: Vec<u64> = results.iter().map(|one| one.record.body.detail["hits"].as_u64().unwrap()).collect();
    assert_eq!(hits, [2, 2, 1]);
    assert!(results.iter().all(|one| one.record.leaf.is_none()));

    // A page of another search, or of somebody else, is none.
    let other = SearchPlates { after: next.clone(), ..plate("ABC124") };
    assert_eq!(rules(&world.search(&who, &purpose(), &other).await.unwrap_err()), ["after.other"]);
    let wish = SearchPlates { after: next, ..plate("ABC123") };
    let theirs = world.search(&world.who('a', 1).await, &purpose(), &wish).await.unwrap_err();
    assert_eq!(rules(&theirs), ["after.other"]);
}

#[tokio::test]
async fn a_search_without_the_key_of_the_private_check_is_refused() {
    let world = World::new().await;
    world.camera('a', "Elm and Main").await;
    world.clock.advance_days(100);
    let who = world.who('a', 0).await;
    let error = world.search(&who, &purpose(), &plate("ABC123")).await.unwrap_err();
    assert!(matches!(&error, CoreError::State { what, .. } if what.contains("private check")), "{error}");
    assert!(world.entries("plate.search").await.is_empty());
    world.asked_key().await;
    world.search(&who, &purpose(), &plate("ABC123")).await.unwrap();
}

#[tokio::test]
async fn a_search_for_ones_own_car_is_found_by_misuse_detection() {
    let world = World::new().await;
    world.camera('a', "Elm and Main").await;
    let who = world.who('a', 0).await;
    let wish = canvass_core::misuse::ChangeVehicles { add: vec!["abc 123".into()], remove: Vec::new() };
    world.app.change_vehicles(&who, &who.member, &wish).await.unwrap();
    world.search(&who, &purpose(), &plate("ABC-123")).await.unwrap();
    while world.app.detect_misuse(100).await.unwrap().more {}
    let supervisor = world.who('a', 1).await;
    let found = world.app.findings(&supervisor, &FindingFilter::default()).await.unwrap();
    assert_eq!(found.entries.len(), 1);
    assert_eq!(found.entries[0].member, who.member);
}

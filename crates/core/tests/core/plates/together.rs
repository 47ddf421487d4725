//! Company and several places, through the one door.

use canvass_core::plates::{PlaceAsked, Question, SearchConvoy, SearchPlaces};
use canvass_plates::MatchLabel;

use super::{approvals::convoy, world::*};

#[tokio::test]
async fn company_is_who_passed_the_same_cameras_within_the_interval() {
    let world = World::new().await;
    let mut cameras = Vec::new();
    for name in ["Elm", "Oak", "Ash"] {
        cameras.push(world.camera('a', name).await);
    }
    for (camera, ago) in cameras.iter().zip([600_i64, 400, 200]) {
        let plates = [("ABC123", ago), ("ABC124", ago - 1), ("BBB222", ago - 20), ("CCC333", ago + 100)];
        world.send('a', camera, &plates).await;
    }
    world.send('a', &cameras[0], &[("DDD444", 590), ("DDD444", 595)]).await;
    world.send('a', &cameras[1], &[("CCC333", 410)]).await;
    let who = world.who('a', 0).await;
    let id = world.approved('a', Question::Convoy(convoy("abc 123"))).await;
    let found = world.run(&who, &id).await.unwrap().convoy.unwrap();
    assert_eq!(found.passes.len(), 3);
    let told: Vec<(&str, u32, u32, bool)> = found
        .companions
        .iter()
        .map(|one| (one.plate.as_str(), one.cameras, one.passes, one.perhaps_same))
        .collect();
    let expected = [("ABC124", 3, 3, true), ("BBB222", 3, 3, false), ("CCC333", 3, 3, false)];
    assert_eq!(told, expected, "D passed one camera alone");
    assert_eq!(found.companions[1].apart, 20);
    let met = &found.companions[1].meetings[0];
    assert_eq!((met.gap, met.read.camera_name.as_str()), (20, "Elm"));
    assert_eq!(met.own, found.passes[0].read.id);

    // A shorter interval, more cameras, and misreads of the plate that was asked for.
    let near = SearchConvoy { within: Some(30), least_cameras: Some(3), tolerant: true, ..convoy("ABC123") };
    let id = world.approved('a', Question::Convoy(near)).await;
    let found = world.run(&who, &id).await.unwrap().convoy.unwrap();
    let labels: Vec<MatchLabel> = found.passes.iter().map(|one| one.label).collect();
    assert_eq!(labels.iter().filter(|label| **label == MatchLabel::Exact).count(), 3);
    assert_eq!(labels.iter().filter(|label| **label == MatchLabel::Approximate).count(), 3);
    let plates: Vec<&str> = found.companions.iter().map(|one| one.plate.as_str()).collect();
    assert_eq!(plates, ["BBB222"], "a misread of the plate itself is no company");
    let nothing = SearchConvoy { from: Some(world.clock.time().plus_seconds(-100)), ..convoy("ABC123") };
    let id = world.approved('a', Question::Convoy(nothing)).await;
    let found = world.run(&who, &id).await.unwrap().convoy.unwrap();
    assert!(found.passes.is_empty() && found.companions.is_empty());
}

#[tokio::test]
async fn a_plate_that_stands_before_a_camera_is_an_error_and_no_shorter_answer() {
    let world = World::new().await;
    let camera = world.camera('a', "Elm").await;
    let parked: Vec<(String, i64)> = (0..501).map(|at| ("ABC123".to_owned(), 2 * at)).collect();
    let parked: Vec<(&str, i64)> = parked.iter().map(|(plate, ago)| (plate.as_str(), *ago)).collect();
    world.send('a', &camera, &parked).await;
    let id = world.approved('a', Question::Convoy(convoy("ABC123"))).await;
    let many = world.run(&world.who('a', 0).await, &id).await.unwrap_err();
    assert_eq!(rules(&many), ["from.many"]);
    assert!(many.to_string().contains("500"), "{many}");
    let short = SearchConvoy { from: Some(world.clock.time().plus_seconds(-100)), ..convoy("ABC123") };
    let id = world.approved('a', Question::Convoy(short)).await;
    assert_eq!(world.run(&world.who('a', 0).await, &id).await.unwrap().convoy.unwrap().passes.len(), 51);
}

#[tokio::test]
async fn visitors_of_several_places_are_found_with_the_reads_that_show_it() {
    let world = World::new().await;
    let (elm, oak) = (world.camera('a', "Elm").await, world.camera('a', "Oak").await);
    world.send('a', &elm, &[("ABC123", 7_000), ("BBB222", 6_900), ("ABC123", 6_800), ("CCC333", 100)]).await;
    world.send('a', &oak, &[("ABC123", 500), ("BBB222", 100_000), ("CCC333", 600)]).await;
    let now = world.clock.time();
    let place = |name: &str, camera: &canvass_types::CameraId, from: i64, until: i64| PlaceAsked {
        name: Some(name.into()),
        cameras: Some(vec![camera.clone()]),
        area: None,
        from: now.plus_seconds(-from),
        until: now.plus_seconds(-until),
    };
    let places = vec![place("Pharmacy", &elm, 7_200, 3_600), place("Gas station", &oak, 1_000, 0)];
    let wish = SearchPlaces { places: places.clone(), ..SearchPlaces::default() };
    let id = world.approved('a', Question::Places(wish.clone())).await;
    let who = world.who('a', 0).await;
    let found = world.run(&who, &id).await.unwrap().places.unwrap();
    assert_eq!(found.looked, [3, 2]);
    let [one] = &found.visitors[..] else { panic!() };
    assert_eq!((one.plate.as_str(), one.places, one.cameras), ("ABC123", 2, 2));
    assert_eq!(one.at.iter().map(|at| at.count).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(one.at[0].reads[0].camera_name, "Elm");
    assert!(one.at[0].reads[0].read.seen < one.at[0].reads[1].read.seen);
    let entry = world.entries("plate.multiplace").await.pop().unwrap();
    assert_eq!((entry.body.subject.as_str(), &entry.body.detail["form"]), ("places", &"places".into()));

    let mut three = places.clone();
    three.push(place("Depot", &elm, 200, 0));
    let some = SearchPlaces { places: three, least: Some(2), ..SearchPlaces::default() };
    let id = world.approved('a', Question::Places(some)).await;
    let found = world.run(&who, &id).await.unwrap().places.unwrap();
    let told: Vec<(&str, u32)> = found.visitors.iter().map(|one| (one.plate.as_str(), one.places)).collect();
    assert_eq!(told, [("ABC123", 2), ("CCC333", 2)]);
}

#[tokio::test]
async fn questions_out_of_their_limits_are_refused_by_field() {
    let world = World::new().await;
    let camera = world.camera('a', "Elm").await;
    let who = world.who('a', 0).await;
    let now = world.clock.time();
    let refused = async |question: Question| rules(&world.ask(&who, question).await.unwrap_err());
    for (wish, rule) in [
        (SearchConvoy { within: Some(9), ..convoy("ABC123") }, "within.range"),
        (SearchConvoy { within: Some(901), ..convoy("ABC123") }, "within.range"),
        (SearchConvoy { least_cameras: Some(1), ..convoy("ABC123") }, "least_cameras.range"),
        (SearchConvoy { limit: Some(51), ..convoy("ABC123") }, "limit.range"),
        (SearchConvoy { from: Some(now.plus_seconds(-32 * 86_400)), ..convoy("ABC123") }, "from.window"),
        (convoy("ABC12?"), "plate.whole"),
        (convoy(""), "plate.plate"),
    ] {
        assert_eq!(refused(Question::Convoy(wish)).await, [rule]);
    }
    let place = |hours: i64| PlaceAsked {
        name: None,
        cameras: Some(vec![camera.clone()]),
        area: None,
        from: now.plus_seconds(-hours * 3_600),
        until: now,
    };
    let nowhere = PlaceAsked { cameras: None, ..place(1) };
    for (places, least, rule) in [
        (vec![place(1)], None, "places.count"),
        (vec![place(1); 6], None, "places.count"),
        (vec![place(1), place(49)], None, "places.1.from.window"),
        (vec![place(1), place(0)], None, "places.1.from.window"),
        (vec![nowhere, place(1)], None, "places.0.cameras.missing"),
        (vec![place(1), place(1)], Some(3), "least.range"),
    ] {
        let wish = SearchPlaces { places, least, ..SearchPlaces::default() };
        assert_eq!(refused(Question::Places(wish)).await, [rule]);
    }
    assert!(world.entries("approval.ask").await.is_empty());
}

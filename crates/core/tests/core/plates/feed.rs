//! What a camera sends.

use canvass_core::{CoreError, access::Denied, plates::Row, records::CameraUse};
use serde_json::{Value, json};

use super::world::*;

#[tokio::test]
async fn good_rows_are_kept_once_and_bad_ones_named_by_number() {
    let world = World::new().await;
    let camera = world.camera('a', "Elm and Main").await;
    let feed = world.feed('a', &camera).await;
    let now = world.clock.time();
    let row = |id: &str, field: &str, value: Value| {
        let mut row = json!({ "id": id, "time": now, "plate": "SECRET1" });
        row[field] = value;
        serde_json::to_vec(&row).unwrap()
    };
    let rows = [
        row("1", "plate", json!("abc 123")),
        row("2", "time", json!("1970-01-01T00:00:03Z")),
        row("3", "time", json!("2099-06-01T00:00:00Z")),
        row("4", "plate", json!("\u{1f697}\u{1f4a8}")),
        row("5", "plate", json!("A".repeat(10_240))),
        b"{\"plate\":".to_vec(),
        b"\xff\xfe".to_vec(),
        row("8", "x", json!("y".repeat(400_000))),
        row("9", "time", json!(now.plus_seconds(100))),
        row("1", "plate", json!("abc 123")),
    ];
    let batch = feed.prepare(rows.iter().map(|row| Row::Text(row)), 1);
    let faults: Vec<(u64, &str)> = batch.problems.iter().map(|one| (one.row, one.rule.as_str())).collect();
    let expected = [
        (2, "clock.behind"),
        (3, "clock.ahead"),
        (4, "character"),
        (5, "length"),
        (6, "form"),
        (7, "form"),
        (8, "length"),
    ];
    assert_eq!(faults, expected);
    assert_eq!((batch.rows, batch.refused, batch.good()), (10, 7, 3));
    let told = serde_json::to_string(&batch.problems).unwrap();
    assert!(!told.contains("SECRET") && !told.contains("AAAA"), "{told}");
    let appended = world.reads.add(&feed, &batch).unwrap();
    assert_eq!((appended.stored, appended.duplicates), (2, 1));
    let again = world.reads.add(&feed, &batch).unwrap();
    assert_eq!((again.stored, again.duplicates), (0, 3));
    assert!(world.entries("read.").await.is_empty(), "reads leave no entry: they are no search");

    // Both clocks are kept.
    world.clock.advance(1);
    let found = world.search(&world.who('a', 0).await, &purpose(), &plate("SECRET1")).await.unwrap();
    let [one] = &found.matches[..] else { panic!() };
    assert_eq!((one.read.seen, one.read.received), (now.plus_seconds(100), now));
    assert_eq!(one.camera_name, "Elm and Main");
}

#[tokio::test]
async fn what_is_past_its_retention_on_arrival_is_not_stored() {
    let world = World::new().await;
    let camera = world.camera('n', "Route 3").await;
    let (batch, appended) = world.send('n', &camera, &[("NH1", 60), ("NH2", 181), ("NH3", 86_400)]).await;
    assert_eq!((appended.stored, batch.refused), (1, 2));
    assert_eq!(batch.problems[0].rule, "retention");
    let theirs = world.camera('a', "Elm and Main").await;
    let (batch, appended) = world.send('a', &theirs, &[("TX1", 86_400), ("TX2", 31 * 86_400)]).await;
    assert_eq!((appended.stored, batch.refused), (1, 1), "thirty days without a state law");
}

#[tokio::test]
async fn only_the_token_of_one_camera_that_reads_plates_sends_and_only_for_it() {
    let world = World::new().await;
    let camera = world.camera('a', "Elm and Main").await;
    let films = world.camera_for('a', "Porch", CameraUse::Footage, [-71.0, 43.0]).await;
    let state = |error: CoreError| match error {
        CoreError::State { what, .. } => what,
        other => panic!("{other}"),
    };
    let person = world.app.feed(&world.who('a', 2).await).await.unwrap_err();
    assert!(state(person).contains("one camera"));
    let wrong = world.app.feed(&world.machine('a', 2, films.as_str()).await).await.unwrap_err();
    assert!(state(wrong).contains("footage"));
    for (letter, number, scope) in
        [('b', 2, camera.as_str()), ('a', 2, "feed-7"), ('a', 2, "cam_aaaaaaaaaaaaaaaaaaaaaaaaaa")]
    {
        let error = world.app.feed(&world.machine(letter, number, scope).await).await.unwrap_err();
        assert!(matches!(error, CoreError::Denied(Denied::Hidden) | CoreError::Hidden(_)), "{error}");
    }
    let feed = world.feed('a', &camera).await;
    assert_eq!((feed.camera(), feed.agency()), (&camera, &id('a')));
    world.app.retire_camera(&world.who('a', 1).await, &camera).await.unwrap();
    let gone = world.app.feed(&world.machine('a', 2, camera.as_str()).await).await.unwrap_err();
    assert!(state(gone).contains("retired"));
    // A machine searches nothing.
    let machine = world.machine('a', 1, camera.as_str()).await;
    assert!(world.app.search_plates(&machine, &purpose(), &plate("ABC123")).await.is_err());
}

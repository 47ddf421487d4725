//! The private check for a plate's owner, against the public role: a real mark is found, another plate finds nothing, and days
//! that nobody can look through are told and hold up no others.

use canvass_blind::{
    Cameras, DayFile, DaysFile, Detail, Epoch, EpochKey, KeyFile, KeyOf, Mark, Plate, SUITE,
};
use canvass_types::leaf::RequestsLeaf;
use jiff::civil::{Date, date};
use serde_json::{Value, json};

use crate::support::*;

/// Publishes a day of the quarter with these marks.
fn day_file(world: &World, day: Date, marks: &[Mark]) {
    let mut marks: Vec<String> = marks.iter().map(|mark| mark.as_str().to_owned()).collect();
    marks.sort();
    let file = DayFile { v: 1, day: day.to_string(), epoch: Epoch::of(day), marks };
    world.put(&format!("asked/{day}.json"), serde_json::to_vec(&file).unwrap());
}

/// A world in which one search named ABC 1234 on 2 October; the last days of September are of a quarter without a key.
async fn searched_world() -> World {
    let mut world = World::new().await;
    let epoch = Epoch::of(date(2026, 10, 1));
    let key = EpochKey::make(epoch, &Machine).unwrap();
    world
        .append(RequestsLeaf::AskedKey {
            epoch: epoch.to_string(),
            public: key.public().to_string(),
            at: now(),
        })
        .await;
    world.publish().await;
    let proof = world.proofs(|leaf| matches!(leaf, RequestsLeaf::AskedKey { .. })).await.remove(0);
    let keys = KeyFile {
        v: 1,
        suite: SUITE.to_owned(),
        keys: vec![KeyOf { epoch, public: key.public().to_string(), proof }],
    };
    world.put("asked/keys.json", serde_json::to_vec(&keys).unwrap());
    let days = DaysFile {
        v: 1,
        delay_days: 30,
        keep_days: 365,
        first: Some("2026-09-29".into()),
        last: Some("2026-10-03".into()),
        sealed: 0,
    };
    world.put("asked/index.json", serde_json::to_vec(&days).unwrap());
    world.put("agencies/index.json", json!({ "v": 1, "agencies": [world.agency] }).to_string());
    let output = key.output(&Plate::read("ABC1234").unwrap()).unwrap();
    let detail =
        Detail { agency: world.agency.id.clone(), purpose: "case-work".into(), cameras: Cameras::of(5) };
    let searched = date(2026, 10, 2);
    day_file(&world, date(2026, 10, 1), &[]);
    day_file(&world, searched, &[Mark::seal(&output, searched, 7, &detail).unwrap()]);
    let folder = world.asked();
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("{epoch}.key")), key.to_secret_text().as_bytes()).unwrap();
    world
}

async fn searched(world: &World, street: &Street, plate: &str) -> Value {
    let said = ask(world, &["searched", plate, "--server", &street.url, "--json"]).await.ok();
    serde_json::from_str(&said.out).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_is_found_by_the_owner_of_the_plate_and_days_without_key_or_file_are_told() {
    let world = searched_world().await;
    let street = street(&world).await;
    let found = searched(&world, &street, "abc-1234").await;
    assert_eq!(
        found["found"],
        json!([{
            "day": "2026-10-02", "agency": world.agency.id, "name": "Concord Police", "purpose": "case-work",
            "cameras": "2-10",
        }])
    );
    // September's quarter has no key, 3 October no file.
    assert_eq!(
        (&found["looked"], &found["unread"]),
        (&json!(2), &json!(["2026-09-29", "2026-09-30", "2026-10-03"]))
    );
    assert_eq!(searched(&world, &street, "ABC1235").await["found"], json!([]));
    let said = ask(&world, &["searched", "ABC1234", "--server", &street.url]).await.ok();
    assert!(
        said.out.contains("1 search named this plate") && said.out.contains("3 public days could not"),
        "{}",
        said.out
    );
    ask(&world, &["searched", "AB?", "--server", &street.url]).await.refused(2, &[]);

    // A key that the server has lost: nothing is found, and it says so.
    std::fs::remove_dir_all(world.asked()).unwrap();
    let lost = searched(&world, &street, "ABC1234").await;
    assert_eq!((&lost["looked"], &lost["found"]), (&json!(0), &json!([])));
    assert_eq!(lost["unread"].as_array().unwrap().len(), 5);
    street.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_not_the_one_in_the_ledger_is_refused() {
    let world = searched_world().await;
    let street = street(&world).await;
    let other = EpochKey::make(Epoch::of(date(2026, 10, 1)), &Machine).unwrap();
    let path = world.public().join("asked/keys.json");
    let mut keys: KeyFile = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    keys.keys[0].public = other.public().to_string();
    world.put("asked/keys.json", serde_json::to_vec(&keys).unwrap());
    let said = ask(&world, &["searched", "ABC1234", "--server", &street.url]).await;
    said.refused(1, &["not the one in the requests ledger", "tell the overseers"]);
    street.close().await;
}

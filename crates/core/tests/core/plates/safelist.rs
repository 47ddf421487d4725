//! The safelist keeps residents' own plates out, unless a hotlist knows them; and nobody can read a plate from it.

use canvass_core::{
    CoreError,
    ports::{Query, RecordsExt as _},
    records::{SafelistEntry, SafelistMode},
    safelist::{MOST_AT_ONCE, NewSafePlates, RemoveSafePlate, SafePlatesAdded, SetSafelist},
};
use canvass_types::CameraId;
use proptest::prelude::*;

use super::world::*;

fn wish(plates: &[&str]) -> NewSafePlates {
    let plates = plates.iter().map(|&one| one.to_owned()).collect();
    NewSafePlates { plates, days: None, registration_seen: true }
}

impl World {
    async fn safe(&self, letter: char, plates: &[&str]) -> Result<SafePlatesAdded, CoreError> {
        self.app.add_safe_plates(&self.who(letter, 1).await, wish(plates)).await
    }

    async fn mode(&self, letter: char, mode: SafelistMode) {
        let wish = SetSafelist { mode, reason: "The council asked for it in November".into() };
        self.app.set_safelist(&self.who(letter, 2).await, wish).await.unwrap();
    }

    /// Sends as a camera; gives reads stored and reads that the safelist dropped, which are counted.
    async fn drive(&self, letter: char, camera: &CameraId, plates: &[(&str, i64)]) -> (usize, u64) {
        let (batch, appended) = self.send(letter, camera, plates).await;
        let feed = self.feed(letter, camera).await;
        self.app.count_safe(&feed, batch.safe);
        (appended.stored, batch.safe)
    }
}

#[tokio::test]
async fn a_read_of_a_safe_plate_is_marked_or_dropped_and_a_hotlist_wins() {
    let world = World::new().await;
    let camera = world.camera('a', "Elm and Main").await;
    world.watched('a', "plate\nHOT111\n").await;
    let done = world.safe('a', &["abc 123", "HOT 111", "ABC-123"]).await.unwrap();
    assert_eq!((done.added, done.renewed), (2, 0));
    assert_eq!(world.drive('a', &camera, &[("ABC123", 50)]).await, (1, 0), "nothing was chosen yet");
    world.mode('a', SafelistMode::Tag).await;
    assert_eq!(world.drive('a', &camera, &[("ABC123", 40), ("XYZ999", 40), ("HOT111", 40)]).await, (3, 0));
    world.mode('a', SafelistMode::Drop).await;
    // A misread is another plate for the safelist, and the same vehicle for a hotlist.
    let plates = [("ABC123", 30), ("A8C123", 30), ("HOT111", 30), ("H0T111", 29)];
    assert_eq!(world.drive('a', &camera, &plates).await, (3, 1));
    let who = world.who('a', 0).await;
    let found = world.search(&who, &purpose(), &plate("ABC123")).await.unwrap();
    assert_eq!(found.matches.len(), 2, "those before it was chosen, and the marked one");
    let marked: Vec<bool> = found.matches.iter().map(|found| found.read.safelisted).collect();
    assert_eq!(marked, [true, false], "newest first");
    let hot = world.search(&who, &purpose(), &plate("HOT111")).await.unwrap();
    assert!(hot.matches.iter().all(|found| found.read.hit && !found.read.safelisted));
    // Another agency's camera follows that agency's list.
    let other = world.camera('b', "Bridge").await;
    assert_eq!(world.drive('b', &other, &[("ABC123", 20)]).await, (1, 0));

    world.app.keep_safelists().await.unwrap();
    let view = world.app.safelist(&who).await.unwrap();
    assert_eq!((view.mode, view.plates, view.dropped), (SafelistMode::Drop, 2, 1));
    let public = world.app.transparency().await.unwrap();
    let [shown] = &public.safelists[..] else { panic!("{:?}", public.safelists) };
    assert_eq!((shown.plates, shown.dropped, shown.mode), (2, 1, SafelistMode::Drop));
    assert_eq!(shown.agency, id('a'));
}

#[tokio::test]
async fn nobody_reads_a_plate_from_it() {
    let world = World::new().await;
    world.safe('a', &["ABC123"]).await.unwrap();
    world.safe('b', &["ABC123"]).await.unwrap();
    let stored = world.app.records().list(Query::<SafelistEntry>::new()).await.unwrap();
    assert_eq!(stored.len(), 2);
    assert_ne!(stored[0].record.plate, stored[1].record.plate, "each agency has a key of its own");
    for entry in &stored {
        assert!(!serde_json::to_string(&entry.record).unwrap().contains("ABC123"));
        assert_ne!(entry.record.plate, canvass_types::Digest::of(b"ABC123"));
    }
    for entry in world.entries("safelist.").await {
        let text = serde_json::to_string(&entry).unwrap();
        assert!(!text.contains("ABC123"), "{text}");
    }
    let bad = world.safe('a', &["ABC123", "!!SECRET1!!"]).await.unwrap_err();
    assert!(!bad.to_string().contains("SECRET1"), "{bad}");
    assert!(rules(&bad)[0].starts_with("plates, number 2."), "{bad}");
}

#[tokio::test]
async fn a_plate_is_vouched_for_ends_is_renewed_and_taken_off() {
    let world = World::new().await;
    let camera = world.camera('a', "Elm and Main").await;
    let who = world.who('a', 1).await;
    let unseen = NewSafePlates { registration_seen: false, ..wish(&["ABC123"]) };
    let error = world.app.add_safe_plates(&who, unseen).await.unwrap_err();
    assert_eq!(rules(&error), ["registration_seen.vouched"]);
    let long = NewSafePlates { days: Some(366), ..wish(&["ABC123"]) };
    assert_eq!(rules(&world.app.add_safe_plates(&who, long).await.unwrap_err()), ["days.range"]);
    let many = NewSafePlates { plates: vec!["A1".into(); MOST_AT_ONCE + 1], ..wish(&[]) };
    assert_eq!(rules(&world.app.add_safe_plates(&who, many).await.unwrap_err()), ["plates.count"]);
    let investigator = Actorless::of(&world).await;
    assert!(matches!(investigator, Err(CoreError::Denied(_))));

    world.mode('a', SafelistMode::Drop).await;
    let month = NewSafePlates { days: Some(30), ..wish(&["ABC123"]) };
    world.app.add_safe_plates(&who, month.clone()).await.unwrap();
    world.clock.advance_days(29);
    assert_eq!(world.drive('a', &camera, &[("ABC123", 1)]).await, (0, 1));
    world.app.add_safe_plates(&who, month).await.unwrap();
    world.clock.advance_days(2);
    world.app.keep_safelists().await.unwrap();
    assert_eq!(world.drive('a', &camera, &[("ABC123", 1)]).await, (0, 1), "it was renewed");
    world.clock.advance_days(30);
    assert_eq!(world.drive('a', &camera, &[("ABC123", 1)]).await, (1, 0), "it ended");
    assert_eq!(world.app.keep_safelists().await.unwrap(), 1);

    world.safe('a', &["ABC123", "DEF456"]).await.unwrap();
    let by_plate = RemoveSafePlate { plate: Some("abc-123".into()), id: None };
    world.app.remove_safe_plate(&who, by_plate.clone()).await.unwrap();
    assert!(world.app.remove_safe_plate(&who, by_plate).await.is_err());
    let entries = world.app.safelist_entries(&who, (None, None)).await.unwrap().entries;
    assert_eq!((entries.len(), entries[0].by_name.as_str()), (1, "Person a1"));
    let by_id = RemoveSafePlate { plate: None, id: Some(entries[0].id.clone()) };
    assert!(world.app.remove_safe_plate(&world.who('b', 1).await, by_id.clone()).await.is_err());
    world.app.remove_safe_plate(&who, by_id).await.unwrap();
    let none = RemoveSafePlate { plate: None, id: None };
    assert_eq!(rules(&world.app.remove_safe_plate(&who, none).await.unwrap_err()), ["plate.one"]);
    assert_eq!(world.drive('a', &camera, &[("ABC123", 0), ("DEF456", 0)]).await, (2, 0));
    assert_eq!(world.entries("safelist.remove").await.len(), 2);
}

struct Actorless;

impl Actorless {
    /// An investigator and administrator may; an investigator alone may not.
    async fn of(world: &World) -> Result<SafePlatesAdded, CoreError> {
        let mut who = world.who('a', 0).await;
        who.roles.retain(|role| *role == canvass_types::Role::Investigator);
        world.app.add_safe_plates(&who, wish(&["ABC123"])).await
    }
}

#[tokio::test]
async fn a_new_start_brings_it_back_and_the_choice_is_an_entry() {
    let world = World::new().await;
    let camera = world.camera('a', "Elm and Main").await;
    world.safe('a', &["ABC123"]).await.unwrap();
    world.mode('a', SafelistMode::Drop).await;
    let again = SetSafelist { mode: SafelistMode::Drop, reason: "once more for good measure".into() };
    let same = world.app.set_safelist(&world.who('a', 2).await, again).await;
    assert!(matches!(same, Err(CoreError::State { .. })));
    let short = SetSafelist { mode: SafelistMode::Off, reason: "no".into() };
    assert_eq!(
        rules(&world.app.set_safelist(&world.who('a', 2).await, short).await.unwrap_err()),
        ["reason.length"]
    );
    let supervisor = SetSafelist { mode: SafelistMode::Off, reason: "not mine to choose".into() };
    let denied = world.app.set_safelist(&world.who('a', 1).await, supervisor).await;
    assert!(matches!(denied, Err(CoreError::Denied(_))));
    let entries = world.entries("safelist.set").await;
    assert_eq!((entries.len(), &entries[0].body.detail["mode"]), (1, &"drop".into()));
    world.app.load_safelists().await.unwrap();
    assert_eq!(world.drive('a', &camera, &[("ABC123", 1)]).await, (0, 1));
    assert!(world.app.key_is_needed().await.unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Of any plates, those on the list and on no hotlist are dropped, and no other.
    #[test]
    fn exactly_the_safe_ones_are_dropped(
        safe in proptest::collection::btree_set("[C-F]{2}[2-4]{2}", 1..12),
        seen in proptest::collection::btree_set("[C-F]{2}[2-4]{2}", 1..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let world = World::new().await;
            let camera = world.camera('a', "Elm and Main").await;
            world.mode('a', SafelistMode::Drop).await;
            let list: Vec<&str> = safe.iter().map(String::as_str).collect();
            world.safe('a', &list).await.unwrap();
            let rows: Vec<(&str, i64)> = seen.iter().map(|plate| (plate.as_str(), 5)).collect();
            let (stored, dropped) = world.drive('a', &camera, &rows).await;
            let both = seen.intersection(&safe).count();
            assert_eq!((stored, dropped), (seen.len() - both, both as u64));
        });
    }
}

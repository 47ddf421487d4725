//! Forgetting on time, in the ledger, also after a crash.

use canvass_core::plates::KeptWhat;

use super::world::*;

#[tokio::test]
async fn slices_go_when_their_oldest_read_is_due_and_the_ledger_says_so() {
    let world = World::new().await;
    let camera = world.camera('a', "Elm and Main").await;
    world.send('a', &camera, &[("OLD123", 3 * 86_400), ("NEW123", 60)]).await;
    assert_eq!(world.app.reads_due(&world.reads.slices().unwrap()).await.unwrap(), None);
    world.clock.advance_days(27);
    world.asked_key().await;
    let due = world.app.reads_due(&world.reads.slices().unwrap()).await.unwrap().unwrap();
    let erased = world.reads.erase(&due).unwrap();
    assert_eq!(erased.iter().map(|one| one.reads).sum::<u64>(), 1);
    assert_eq!(world.app.reads_erased(&world.reads.slices().unwrap()).await.unwrap(), 1);
    let [entry] = &world.entries("reads.erased").await[..] else { panic!() };
    assert_eq!((entry.body.subject.as_str(), &entry.body.detail["reads"]), ("default-seen", &1.into()));
    assert_eq!(world.app.reads_erased(&world.reads.slices().unwrap()).await.unwrap(), 0, "entered once");
    let slices = world.reads.slices().unwrap();
    let [seen, hits, sightings] = &world.app.reads_kept(&world.who('a', 1).await, &slices).await.unwrap()[..]
    else {
        panic!()
    };
    assert_eq!(
        (seen.class.as_str(), seen.what, seen.seconds, seen.count),
        ("default-seen", KeptWhat::Reads, 30 * 86_400, 1)
    );
    assert_eq!((hits.what, hits.count, hits.erased.len(), hits.next), (KeptWhat::Hits, 0, 0, None));
    assert_eq!((sightings.what, sightings.count, sightings.erased.len()), (KeptWhat::Sightings, 0, 0));
    let [gone] = &seen.erased[..] else { panic!() };
    assert_eq!((gone.count, &gone.entry), (1, &entry.body.id));
    assert_eq!(seen.next.unwrap(), seen.oldest.unwrap().plus_days(30));
    let strict = world.app.reads_kept(&world.who('n', 1).await, &slices).await.unwrap();
    assert_eq!((strict[0].seconds, strict[0].count), (180, 0));
    let found = world.search(&world.who('a', 1).await, &purpose(), &plate("?LD123")).await;
    assert!(found.unwrap().matches.is_empty());
    assert_eq!(world.reads.stats().unwrap().reads, 1);
}

#[tokio::test]
async fn a_crash_between_the_deed_and_its_entry_loses_no_entry() {
    let world = World::new().await;
    let camera = world.camera('a', "Elm and Main").await;
    world.send('a', &camera, &[("OLD123", 86_400)]).await;
    world.clock.advance_days(30);
    let due = world.app.reads_due(&world.reads.slices().unwrap()).await.unwrap().unwrap();
    // Noted, not yet destroyed: nothing is entered.
    assert_eq!(world.app.reads_erased(&world.reads.slices().unwrap()).await.unwrap(), 0);
    world.reads.erase(&due).unwrap();
    // The server dies here. The next round finds nothing due, and enters what is gone.
    assert_eq!(world.app.reads_due(&world.reads.slices().unwrap()).await.unwrap(), None);
    assert_eq!(world.app.reads_erased(&world.reads.slices().unwrap()).await.unwrap(), 1);
}

#[tokio::test]
async fn slices_of_seconds_are_gone_in_three_minutes_and_entered_hour_by_hour() {
    let world = World::new().await;
    let camera = world.camera('n', "Route 3").await;
    let mut erased = 0;
    for _ in 0..60 {
        world.send('n', &camera, &[("NH1", 1)]).await;
        let now = world.clock.time().as_second();
        if let Some(due) = world.app.reads_due(&world.reads.slices().unwrap()).await.unwrap() {
            erased += world.reads.erase(&due).unwrap().len();
        }
        world.app.reads_erased(&world.reads.slices().unwrap()).await.unwrap();
        let oldest = world.reads.slices().unwrap().into_iter().map(|(slice, _)| slice.start).min().unwrap();
        assert!(now - oldest < 180, "nothing is older than three minutes");
        world.clock.advance(60);
    }
    assert!(erased > 50, "{erased}");
    // An hour and a bit: what went in the hour before stands in one entry.
    let entries = world.entries("reads.erased").await;
    assert!((1..=2).contains(&entries.len()), "{}", entries.len());
    assert_eq!(entries[0].body.detail["class"], "us-nh-seen");
}

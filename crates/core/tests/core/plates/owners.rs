//! Cameras of other agencies: under the owner's law, with an entry of the owner's.

use canvass_core::plates::{SearchPlates, WhoseCameras};
use canvass_types::Purpose;

use super::world::*;

#[tokio::test]
async fn each_owner_gets_an_entry_and_none_is_searched_without_sharing() {
    let world = World::new().await;
    let ours = world.camera('a', "Ours").await;
    let theirs = world.camera('b', "Theirs").await;
    world.send('a', &ours, &[("ABC123", 60)]).await;
    world.send('b', &theirs, &[("ABC123", 50)]).await;
    let who = world.who('a', 0).await;
    let both = SearchPlates { whose: WhoseCameras::Shared, ..plate("ABC123") };
    let named = SearchPlates { cameras: Some(vec![theirs.clone()]), ..plate("ABC123") };
    let found = world.search(&who, &purpose(), &both).await.unwrap();
    assert_eq!((found.matches.len(), found.searched.len()), (1, 1), "nothing is shared yet");
    let hidden = world.search(&who, &purpose(), &named).await.unwrap_err();
    assert!(hidden.to_string().contains("none under this id"), "{hidden}");

    world.share('b', 'a').await;
    let before = world.entries("plate.search").await.len();
    let found = world.search(&who, &purpose(), &both).await.unwrap();
    let names: Vec<&str> = found.matches.iter().map(|one| one.camera_name.as_str()).collect();
    assert_eq!(names, ["Theirs", "Ours"]);
    let entries = world.entries("plate.search").await.split_off(before);
    assert_eq!(entries.len(), 2, "one with each owner");
    assert_eq!(
        *world.store.seen.lock().unwrap().last().unwrap(),
        before + 2,
        "both before the store was asked"
    );
    let owners: Vec<_> = entries.iter().map(|one| one.body.agency.clone().unwrap()).collect();
    assert_eq!(owners, [id('a'), id('b')]);
    assert!(entries.iter().all(|one| one.body.actor_agency == Some(id('a'))));
    let leaf = entries[1].leaf.as_ref().unwrap();
    assert_eq!(
        (leaf.agency.clone(), leaf.by.clone()),
        (Some(id('b')), Some(id('a'))),
        "who searched is in the owner's ledger"
    );
    assert_ne!(leaf.subject, entries[0].leaf.as_ref().unwrap().subject, "pseudonyms are each owner's own");
    let found = world.search(&who, &purpose(), &named).await.unwrap();
    assert_eq!(found.matches.len(), 1);
    assert_eq!(found.searched[0].agency, id('b'));
    // It goes one way alone.
    let back = world.search(&world.who('b', 1).await, &purpose(), &both).await;
    assert!(back.is_err() || back.unwrap().matches.iter().all(|one| one.camera_name == "Theirs"));
    // Two agencies count: without an offence only the own one may be searched.
    let plain = Purpose { offence: "none".into(), class: "case-work".into(), ..purpose() };
    let refused = world.search(&who, &plain, &both).await.unwrap_err();
    assert_eq!(rules(&refused), ["caps.other"]);
}

#[tokio::test]
async fn the_law_of_the_members_own_agency_binds_them_at_other_owners_too() {
    let world = World::new().await;
    let theirs = world.camera('a', "Theirs").await;
    world.share('a', 'n').await;
    world.send('a', &theirs, &[("ABC123", 50)]).await;
    let who = world.who('n', 0).await;
    let wish = SearchPlates { cameras: Some(vec![theirs]), ..plate("ABC123") };
    let said = Purpose { reason: format!("{} and to deport the driver", purpose().reason), ..purpose() };
    let refused = world.search(&who, &said, &wish).await.unwrap_err();
    assert_eq!(rules(&refused), ["us-nh.words"], "{refused}");

    let wide = Purpose { reason: format!("  {}\n", purpose().reason), ..purpose() };
    world.search(&who, &wide, &wish).await.unwrap();
    let entry = world.entries("plate.search").await.pop().unwrap();
    assert_eq!(entry.body.purpose.unwrap().reason, purpose().reason);
}

#[tokio::test]
async fn a_law_that_keeps_only_hits_lets_only_hits_be_searched() {
    let world = World::new().await;
    let (ours, theirs) = (world.camera('a', "Ours").await, world.camera('n', "Theirs").await);
    world.share('n', 'a').await;
    world.send('a', &ours, &[("ABC123", 60)]).await;
    world.send('n', &theirs, &[("ABC123", 50)]).await;
    let who = world.who('a', 0).await;
    let both = SearchPlates { whose: WhoseCameras::Shared, ..plate("ABC123") };
    let found = world.search(&who, &purpose(), &both).await.unwrap();
    let names: Vec<&str> = found.matches.iter().map(|one| one.camera_name.as_str()).collect();
    assert_eq!(names, ["Ours"], "what met no list is not searched in New Hampshire");
    let searched: Vec<(_, bool)> =
        found.searched.iter().map(|one| (one.agency.clone(), one.hits_only)).collect();
    assert_eq!(searched, [(id('a'), false), (id('n'), true)]);
    let entry = world.entries("plate.search").await.pop().unwrap();
    assert_eq!(entry.body.detail["hits_only"], true);
    // So it is for its own members.
    let found = world.search(&world.who('n', 0).await, &purpose(), &plate("ABC123")).await.unwrap();
    assert!(found.matches.is_empty() && found.searched[0].hits_only);
}

#[tokio::test]
async fn an_owner_whose_law_forbids_it_is_left_out_and_said_so() {
    let world = World::new().await;
    world.camera('c', "Ours").await;
    let theirs = world.camera('n', "Theirs").await;
    world.share('n', 'c').await;
    // A campus police: New Hampshire's readers are for local, county and state officers.
    let who = world.who('c', 0).await;
    let both = SearchPlates { whose: WhoseCameras::Shared, ..plate("ABC123") };
    let found = world.search(&who, &purpose(), &both).await.unwrap();
    assert_eq!(found.searched.len(), 1);
    assert_eq!(found.left_out.len(), 1);
    assert_eq!(found.left_out[0].agency, id('n'));
    assert!(found.left_out[0].why.contains("New Hampshire"), "{}", found.left_out[0].why);
    let named = SearchPlates { cameras: Some(vec![theirs]), ..plate("ABC123") };
    assert!(world.search(&who, &purpose(), &named).await.is_err(), "asked for by name it is refused");
    assert_eq!(world.entries("access.refused").await.len(), 1);
}

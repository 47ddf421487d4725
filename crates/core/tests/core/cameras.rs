//! Cameras: what an agency registers, changes and retires, and who of another agency sees it.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail the test by panicking")]

use canvass_core::{
    CoreError,
    access::Actor,
    cameras::{ChangeCamera, NewCamera},
    records::CameraUse,
};
use canvass_policy::SharingScope;
use canvass_types::{CameraId, Role};
use serde_json::json;

use crate::sharing::{World, fields};

fn new(name: &str) -> NewCamera {
    NewCamera { name: name.into(), of: CameraUse::Plates, position: [-71.5376, 43.2081], direction: None }
}

async fn names(world: &World, who: &Actor) -> Vec<String> {
    world.app.cameras(who).await.unwrap().into_iter().map(|camera| camera.name).collect()
}

#[tokio::test]
async fn a_camera_is_registered_changed_and_retired_and_each_is_in_the_ledger() {
    let world = World::new().await;
    let who = world.who('a', 0).await;
    let wish = NewCamera {
        direction: Some("  eastbound ".into()),
        position: [-71.537_600_04, -0.0],
        ..new(" Elm ")
    };
    let camera = world.app.add_camera(&who, wish).await.unwrap();
    assert_eq!(
        (camera.name.as_str(), camera.direction.as_deref(), camera.ours),
        ("Elm", Some("eastbound"), true)
    );
    assert_eq!(camera.position, [-71.5376, 0.0]);
    assert_eq!(camera.agency_name, "Agency a");

    let wish = ChangeCamera { name: Some("Elm Street".into()), direction: Some(" ".into()), position: None };
    let changed = world.app.change_camera(&who, &camera.id, wish).await.unwrap();
    assert_eq!(
        (changed.name.as_str(), changed.direction, changed.position),
        ("Elm Street", None, [-71.5376, 0.0])
    );
    let gone = world.app.retire_camera(&who, &camera.id).await.unwrap();
    assert_eq!(gone.retired, Some(world.app.now()));
    for late in [
        world.app.retire_camera(&who, &camera.id).await,
        world.app.change_camera(&who, &camera.id, ChangeCamera::default()).await,
    ] {
        assert!(matches!(late, Err(CoreError::State { .. })), "{late:?}");
    }
    assert_eq!(names(&world, &who).await, ["Elm Street"], "one that is retired stays on the list");
    let kinds = world.kinds().await;
    let kinds: Vec<&str> =
        kinds.iter().map(String::as_str).filter(|kind| kind.starts_with("camera.")).collect();
    assert_eq!(kinds, ["camera.add", "camera.change", "camera.retire"]);
}

#[tokio::test]
async fn a_name_is_one_cameras_alone_until_it_is_retired() {
    let world = World::new().await;
    let who = world.who('a', 0).await;
    let elm = world.app.add_camera(&who, new("Elm")).await.unwrap();
    let oak = world.app.add_camera(&who, new("Oak")).await.unwrap();
    world.app.add_camera(&world.who('b', 0).await, new("Elm")).await.unwrap();
    assert_eq!(fields(world.app.add_camera(&who, new("Elm ")).await.unwrap_err()), ["name"]);
    let rename = |name: &str| ChangeCamera { name: Some(name.into()), ..Default::default() };
    assert_eq!(fields(world.app.change_camera(&who, &oak.id, rename("Elm")).await.unwrap_err()), ["name"]);
    world.app.change_camera(&who, &elm.id, rename("Elm")).await.unwrap();
    world.app.retire_camera(&who, &elm.id).await.unwrap();
    world.app.change_camera(&who, &oak.id, rename("Elm")).await.unwrap();
}

#[tokio::test]
async fn what_is_wrong_with_a_camera_is_said_by_field() {
    let world = World::new().await;
    let who = world.who('a', 0).await;
    for (wish, wrong) in [
        (new("x"), &["name"][..]),
        (new(&"x".repeat(81)), &["name"]),
        (NewCamera { position: [181.0, 0.0], ..new("Elm") }, &["position"]),
        (NewCamera { position: [0.0, f64::NAN], ..new("Elm") }, &["position"]),
        (NewCamera { direction: Some("x".repeat(81)), ..new("Elm") }, &["direction"]),
        (
            NewCamera { direction: Some("x".repeat(81)), position: [0.0, 91.0], ..new("") },
            &["name", "position", "direction"],
        ),
    ] {
        assert_eq!(fields(world.app.add_camera(&who, wish.clone()).await.unwrap_err()), wrong, "{wish:?}");
    }
    assert_eq!(names(&world, &who).await, [""; 0]);
    assert!(!world.kinds().await.contains(&"camera.add".to_owned()), "what is refused by field is no act");
}

#[tokio::test]
async fn another_agency_sees_what_a_rule_shares_with_it_and_changes_nothing() {
    let world = World::new().await;
    let (a, b, c) = (world.who('a', 0).await, world.who('b', 0).await, world.who('c', 0).await);
    let elm = world.app.add_camera(&a, new("Elm")).await.unwrap();
    let oak = world.app.add_camera(&a, new("Oak")).await.unwrap();
    let hidden = |who: Actor, id: CameraId| {
        let world = &world;
        async move { matches!(world.app.camera(&who, &id).await, Err(CoreError::Hidden("camera"))) }
    };
    let what = json!({ "kind": "cameras", "ids": [elm.id] });
    let rule = world.offered(world.wish(what, SharingScope::Named, &['b', 'c'])).await;
    assert!(hidden(b.clone(), elm.id.clone()).await, "offered, not accepted");
    world.accepted('b', &rule).await;
    let seen = world.app.camera(&b, &elm.id).await.unwrap();
    assert_eq!((seen.ours, seen.agency_name.as_str()), (false, "Agency a"));
    assert_eq!((names(&world, &b).await, names(&world, &c).await), (vec!["Elm".into()], vec![]));
    assert!(hidden(b.clone(), oak.id.clone()).await, "another camera");
    assert!(hidden(c, elm.id.clone()).await, "named, but it has not accepted");
    for refused in [
        world.app.change_camera(&b, &elm.id, ChangeCamera::default()).await,
        world.app.retire_camera(&b, &elm.id).await,
    ] {
        assert!(matches!(refused, Err(CoreError::Denied(_))), "{refused:?}");
    }
    let overseer = Actor { agency: None, party: None, roles: vec![Role::Overseer], ..a.clone() };
    assert_eq!(names(&world, &overseer).await, ["Elm", "Oak"]);
    assert!(!world.app.camera(&overseer, &oak.id).await.unwrap().ours);

    world.app.retire_camera(&a, &elm.id).await.unwrap();
    assert_eq!(names(&world, &b).await, [""; 0], "one that is retired is shared with nobody's list");
    world.app.end_sharing(&a, &rule, "the joint work is done").await.unwrap();
    assert!(hidden(b, elm.id).await, "the rule has ended");
}

//! What a stranger finds out about a ledger in a folder: growth is fine; rollbacks, split views and tampering are named.

use crate::support::*;
use canvass_types::leaf::RequestsLeaf;
use canvass_types::{AgencyState, Digest, RequestState};
use serde_json::json;

async fn verify(world: &World) -> Said {
    let place = world.public().display().to_string();
    ask(world, &["verify", "ledger", &place, "--remember", "seen.json"]).await
}

fn resolved(world: &World) -> RequestsLeaf {
    RequestsLeaf::RequestState {
        request: world.request.id.clone(),
        agency: world.agency.id.clone(),
        state: RequestState::Resolved,
        basis: None,
        at: now(),
    }
}

#[tokio::test]
async fn an_honest_ledger_is_found_sound_as_it_grows() {
    let mut world = World::new().await;
    world.publish().await;
    let first = verify(&world).await.ok();
    assert!(first.out.contains("6 entries") && first.out.contains("not seen before"), "{}", first.out);
    assert!(first.err.contains("never seen before"), "{}", first.err);
    let leaf = resolved(&world);
    world.append(leaf).await;
    world.publish().await;
    let second = verify(&world).await.ok();
    assert!(second.out.contains("continues the checkpoint of 6 entries"), "{}", second.out);
    assert!(!second.err.contains("never seen before"), "{}", second.err);
    let json = ask(&world, &["verify", "ledger", "public", "--remember", "seen.json", "--json"]).await.ok();
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["ledgers"][0]["entries"], 7);
    assert_eq!(json["defects"], json!([]));
    assert_eq!(json["files_checked"], 3);
}

#[tokio::test]
async fn a_rollback_is_refused_and_both_checkpoints_kept() {
    let mut world = World::new().await;
    world.publish().await;
    let old = std::fs::read(world.public().join("ledger/requests/checkpoint")).unwrap();
    let leaf = resolved(&world);
    world.append(leaf).await;
    world.publish().await;
    verify(&world).await.ok();
    world.put("ledger/requests/checkpoint", old);
    let said = verify(&world).await.refused(1, &["rollback", "6 entries", "7 were seen before", "kept in"]);
    assert!(said.out.contains("DEFECT requests ledger"), "{}", said.out);
    let evidence = world.folder.path().join("seen.requests-6.evidence");
    assert!(std::fs::read_to_string(evidence).unwrap().contains("shown now"));
    // And it stays refused: nothing of the older ledger was remembered.
    verify(&world).await.refused(1, &["rollback"]);
}

#[tokio::test]
async fn a_split_view_is_refused() {
    let world = World::new().await;
    world.publish().await;
    verify(&world).await.ok();
    let mut other = World::seeded(2).await;
    let leaf = resolved(&other);
    other.append(leaf).await;
    other.publish().await;
    let place = other.public().display().to_string();
    let said = ask(&world, &["verify", "ledger", &place, "--remember", "seen.json"]).await;
    said.refused(1, &["split view", "first 6 entries", "kept in"]);
}

#[tokio::test]
async fn other_keys_than_before_are_refused() {
    let world = World::new().await;
    world.publish().await;
    verify(&world).await.ok();
    let strange = World::new().await;
    let mut keys = strange.keys();
    keys["receipts"]["public"] =
        json!(canvass_types::PublicKey::of(&ed25519_dalek::SigningKey::from_bytes(&[9; 32])));
    world.put("ledger/keys.json", keys.to_string());
    verify(&world).await.refused(1, &["keys are others than those known", "nothing is sent"]);
}

#[tokio::test]
async fn each_tampering_is_named() {
    let request = |world: &World| world.public().join(format!("requests/{}.json", world.request.id));
    let agency = |world: &World| world.public().join(format!("agencies/{}.json", world.agency.id));
    type Bend = Box<dyn Fn(&World)>;
    let cases: Vec<(&str, Bend)> = vec![
        (
            "its body is not the one whose digest",
            Box::new(move |w| {
                edit(&request(w), |v| {
                    v["request"]["body"]["details"] =
                        json!("Other words, of the same length or so, than those that were signed.")
                })
            }),
        ),
        (
            "its decision is not the one",
            Box::new(move |w| edit(&request(w), |v| v["decision"]["reason"] = json!("Another reason."))),
        ),
        ("its state is not that", Box::new(move |w| edit(&request(w), |v| v["state"] = json!("resolved")))),
        (
            "is not signed by the agency's key",
            Box::new(move |w| {
                edit(&request(w), |v| {
                    v["request"]["signature"] = json!(data_encoding::BASE64.encode(&[1; 64]))
                })
            }),
        ),
        (
            "its times are not those",
            Box::new(move |w| edit(&request(w), |v| v["closes"] = json!("2099-01-01T00:00:00Z"))),
        ),
        ("the proof of entry", Box::new(move |w| edit(&request(w), |v| v["proofs"][0]["index"] = json!(0)))),
        ("it has another form", Box::new(move |w| std::fs::write(request(w), "{").unwrap())),
        ("it is missing", Box::new(move |w| std::fs::remove_file(request(w)).unwrap())),
        (
            "name, subdivision or jurisdiction",
            Box::new(move |w| edit(&agency(w), |v| v["agency"]["name"] = json!("Concord PD"))),
        ),
        ("its keys are not those", Box::new(move |w| edit(&agency(w), |v| v["agency"]["keys"] = json!([])))),
        (
            "it is not the policy",
            Box::new(|w| edit(&w.public().join("policy.json"), |v| v["give"]["clips"] = json!(99))),
        ),
        (
            "is not the one in the tree",
            Box::new(|w| {
                let path = w.public().join("ledger/requests/tile/entries/000.p/6");
                let mut bytes = std::fs::read(&path).unwrap();
                let last = bytes.len() - 3;
                bytes[last] ^= 1;
                std::fs::write(path, bytes).unwrap();
            }),
        ),
        (
            "is missing",
            Box::new(|w| std::fs::remove_dir_all(w.public().join("ledger/requests/tile/entries")).unwrap()),
        ),
        (
            "does not verify",
            Box::new(|w| {
                let path = w.public().join("ledger/requests/checkpoint");
                let text = std::fs::read_to_string(&path).unwrap().replacen("\n6\n", "\n5\n", 1);
                std::fs::write(path, text).unwrap();
            }),
        ),
    ];
    for (words, bend) in cases {
        let world = World::new().await;
        world.publish().await;
        bend(&world);
        verify(&world).await.refused(1, &["DEFECT", words]);
    }
}

#[tokio::test]
async fn a_ledger_that_says_what_can_not_be_is_named() {
    let world = World::new().await;
    let (agency, request) = (world.agency.id.clone(), world.request.id.clone());
    let digest = Digest::of(b"x");
    let cases = [
        (
            "decided on twice",
            RequestsLeaf::RequestDecided {
                request: request.clone(),
                agency: agency.clone(),
                approved: true,
                digest,
                at: now(),
            },
        ),
        (
            "published before",
            RequestsLeaf::RequestPublished {
                request: request.clone(),
                agency: agency.clone(),
                digest,
                key: world.signed.key.clone(),
                at: now(),
                closes: now().plus_days(1),
            },
        ),
        (
            "a key that did not count",
            RequestsLeaf::RequestPublished {
                request: request.clone(),
                agency: agency.clone(),
                digest,
                key: "0".repeat(16),
                at: now(),
                closes: now().plus_days(1),
            },
        ),
        (
            "with no legal basis",
            RequestsLeaf::RequestState {
                request: request.clone(),
                agency: agency.clone(),
                state: RequestState::Withheld,
                basis: None,
                at: now(),
            },
        ),
        (
            "draft can't follow published",
            RequestsLeaf::RequestState {
                request,
                agency: agency.clone(),
                state: RequestState::Draft,
                basis: None,
                at: now(),
            },
        ),
        (
            "no key of the agency vouched for",
            RequestsLeaf::AgencyKeyAdded {
                agency,
                key: canvass_types::PublicKey::of(&ed25519_dalek::SigningKey::from_bytes(&[8; 32])).id(),
                public: canvass_types::PublicKey::of(&ed25519_dalek::SigningKey::from_bytes(&[8; 32])),
                endorsed_by: None,
                endorsement: None,
                at: now(),
            },
        ),
    ];
    for (words, leaf) in cases {
        let mut world = World::new().await;
        world.append(leaf).await;
        world.publish().await;
        verify(&world).await.refused(1, &["entry 6", words]);
    }
    let mut world = World::new().await;
    world.requests.append(&[b"{\"type\":\"hello\"}"], at()).await.unwrap();
    world.leaves.push(RequestsLeaf::PolicySet { digest, at: now() });
    world.publish().await;
    verify(&world).await.refused(1, &["it is no entry of a requests ledger"]);
    assert_eq!(world.agency.state, AgencyState::Verified);
}

#[tokio::test]
async fn witnesses_cosign_growth_and_nothing_else() {
    let mut world = World::new().await;
    world.publish().await;
    let made =
        ask(&world, &["witness", "keygen", "--name", "witness.example/1", "--out", "witness.key"]).await.ok();
    let vkey = made.out.trim().to_owned();
    let once = ["witness", "once", "public", "--key", "witness.key", "--state", "witness.json"];
    let first = ask(&world, &once).await.ok();
    assert!(first.out.starts_with("— witness.example/1 "), "{}", first.out);
    // Without the cosignature a quorum is not met; with it in the checkpoint, it is.
    let strict =
        ["verify", "ledger", "public", "--log", "requests", "--remember", "w.json", "--witness", &vkey];
    ask(&world, &strict).await.refused(1, &["cosigned by 0 known witnesses"]);
    let path = world.public().join("ledger/requests/checkpoint");
    let cosigned = std::fs::read_to_string(&path).unwrap() + &first.out;
    std::fs::write(&path, &cosigned).unwrap();
    let said = ask(&world, &strict).await.ok();
    assert!(said.out.contains("cosigned by witness.example/1"), "{}", said.out);
    let leaf = resolved(&world);
    world.append(leaf).await;
    world.publish().await;
    ask(&world, &once).await.ok();
    std::fs::write(&path, cosigned).unwrap();
    ask(&world, &once).await.refused(1, &["rollback"]);
    let other = World::seeded(2).await;
    other.publish().await;
    let place = other.public().display().to_string();
    let split = ["witness", "once", &place, "--key", "witness.key", "--state", "witness.json"];
    ask(&world, &split).await.refused(1, &["rollback"]);
}

//! From the feed to the receipt with the executable itself, on an honest server and on dishonest ones.

use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use crate::support::*;
use canvass_core::publishing::QuestionStatus;
use canvass_seal::envelope::{MemorySink, OpenOptions, open};
use canvass_seal::offer::{OfferSecret, open_text, seal_text};
use canvass_types::leaf::RequestsLeaf;
use canvass_types::{AgencyState, QuestionId, RequestState};
use serde_json::{Value, json};

fn read(path: PathBuf) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn seal_args<'a>(url: &'a str, id: &'a str, rest: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec!["seal", "--server", url, "--request", id, "--out", "porch", "--yes"];
    args.extend(rest);
    args
}

async fn try_seal(world: &World, url: &str, id: &str) -> Said {
    ask(world, &seal_args(url, id, &["a.mp4"])).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_goes_from_a_porch_to_the_agency_and_a_receipt_comes_back() {
    let mut world = World::new().await;
    world.publish().await;
    let street = street(&world).await;
    let id = world.request.id.to_string();

    let listed =
        ask(&world, &["requests", "list", "--server", &street.url, "--at", "43.203,-71.526"]).await.ok();
    assert!(listed.out.contains(&id) && listed.out.contains("Concord Police asks"), "{}", listed.out);
    let shown = ask(&world, &["requests", "show", &id, "--server", &street.url, "--region", &world.region()])
        .await
        .ok();
    assert!(shown.out.contains("white van") && shown.out.contains("corner 43.2"), "{}", shown.out);

    file(&world, "Elm Street 12.MP4", &vec![1; 3_000_000]);
    file(&world, "b.mkv", b"second");
    let sealed = ask(&world, &seal_args(&street.url, &id, &["Elm Street 12.MP4", "b.mkv"])).await.ok();
    assert!(sealed.err.contains("25 clips in one offer, 60.0 GB each"), "{}", sealed.err);
    assert!(sealed.out.contains("will not receive: your name"), "{}", sealed.out);
    assert!(sealed.out.contains("clip-01.mp4") && sealed.out.contains("mailbox"), "{}", sealed.out);

    // Nothing but the sealed bytes leaves, and the agency opens what was agreed to.
    let envelope = std::fs::read(world.folder.path().join("porch.age")).unwrap();
    let mut sink = MemorySink::default();
    let opened =
        open(&envelope[..], &[world.recipient.clone()], OpenOptions::with_limit(1 << 30), &mut sink).unwrap();
    let names: Vec<_> = opened.clips.iter().map(|clip| clip.name.as_str()).collect();
    assert_eq!(names, ["clip-01.mp4", "clip-02.mkv"]);
    let text = String::from_utf8_lossy(&envelope);
    assert!(!text.contains("Elm Street"), "the envelope holds a name in the clear");

    let question = {
        let secret =
            read(world.folder.path().join("porch.offer.json"))["secret"].as_str().unwrap().to_owned();
        let mailbox = OfferSecret::parse(&secret).unwrap().mailbox_recipient().unwrap();
        QuestionStatus {
            id: QuestionId::random(&Machine).to_string(),
            sealed: seal_text("Is the clock right?", &mailbox).unwrap(),
            asked: now(),
            answered: None,
        }
    };
    let mut give = canvass(&world);
    give.args(["give", "porch"]);
    let giving = tokio::spawn(run(give));
    let done = street.done().await;
    assert_eq!(std::fs::read(&done.path).unwrap(), envelope);
    let lookup = world.take_in(&done, vec![question.clone()]).await;
    let given = giving.await.unwrap().ok();
    assert!(given.out.contains("The receipt is in the ledger and checked"), "{}", given.out);

    let checked =
        ask(&world, &["verify", "receipt", "porch.receipt.json", "--envelope", "porch.age"]).await.ok();
    assert!(checked.out.contains("the envelope given is the one received"), "{}", checked.out);
    ask(&world, &["verify", "receipt", "porch.receipt.json", "--envelope", "b.mkv"])
        .await
        .refused(1, &["not the envelope"]);

    let status = ask(&world, &["offer", "status", "--offer", "porch.offer.json"]).await.ok();
    assert!(
        status.out.contains("not opened yet") && status.out.contains("1 question waits for your answer"),
        "{}",
        status.out
    );
    let asked = ask(&world, &["offer", "questions", "--offer", "porch.offer.json"]).await.ok();
    assert!(asked.out.contains("Is the clock right?"), "{}", asked.out);
    ask(&world, &["offer", "answer", "--offer", "porch.offer.json", "Four minutes fast."]).await.ok();
    ask(&world, &["offer", "withdraw", "--offer", "porch.offer.json", "--yes"]).await.ok();
    let messages = street.spool.messages(10).unwrap();
    assert_eq!(messages.len(), 2);
    assert!(messages.iter().all(|waiting| waiting.message.lookup == lookup));
    let answer = messages.iter().find_map(|waiting| waiting.message.body.split_once('\n')).unwrap();
    assert_eq!(answer.0, format!("question: {}", question.id));
    assert_eq!(open_text(answer.1, &world.recipient).unwrap().as_str(), "Four minutes fast.");
    // A second `give` sends nothing.
    ask(&world, &["give", "porch"]).await.ok();
    assert_eq!(street.spool.done(10).unwrap().len(), 1);
    street.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sealed_beyond_the_limits_or_the_time_or_without_consent() {
    let mut world = World::new().await;
    world.policy.give.clips = 2;
    world.policy.give.clip_bytes = 10;
    world.publish().await;
    let street = street(&world).await;
    let id = world.request.id.to_string();
    for name in ["a.mp4", "b.mp4", "c.mp4"] {
        file(&world, name, b"0123456789");
    }
    file(&world, "large.mp4", b"0123456789a");
    let seal = |rest: &[&str]| {
        let mut command = canvass(&world);
        command.args(seal_args(&street.url, &id, rest));
        run(command)
    };
    seal(&["a.mp4", "b.mp4", "c.mp4"]).await.refused(2, &["Limits: 2 clips", "at most 2"]);
    seal(&["large.mp4"]).await.refused(2, &["large.mp4", "more than the limit of 10 bytes"]);
    seal(&["none.mp4"]).await.refused(2, &["none.mp4", "check the path"]);
    let old = std::fs::File::options().write(true).open(world.folder.path().join("b.mp4")).unwrap();
    old.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(1_000_000_000)).unwrap();
    seal(&["a.mp4", "b.mp4"]).await.refused(
        2,
        &[
            "canvass: b.mp4 is outside the time asked for: 8 Sep 2001",
            "(America/New_York)",
            "--include-outside",
        ],
    );
    let args = ["seal", "--server", &street.url, "--request", &id, "--out", "porch", "a.mp4"];
    ask(&world, &args).await.refused(2, &["nobody can be asked", "--yes"]);
    assert!(!world.folder.path().join("porch.age").exists());
    seal(&["a.mp4", "b.mp4", "--include-outside"]).await.ok();
    seal(&["a.mp4"]).await.refused(2, &["exists already"]);
    street.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sealed_for_what_the_ledger_does_not_prove() {
    type Bend = Box<dyn Fn(&World)>;
    let request = |world: &World| world.public().join(format!("requests/{}.json", world.request.id));
    let agency = |world: &World| world.public().join(format!("agencies/{}.json", world.agency.id));
    let other =
        canvass_seal::Identity::from_secret_bytes(&[66; 32]).unwrap().recipient().unwrap().to_string();
    let cases: Vec<(&str, Bend)> = vec![
        (
            "its body is not the one",
            Box::new(move |w| edit(&request(w), |v| v["request"]["body"]["recipient"] = json!(other))),
        ),
        (
            "not signed by the agency's key",
            Box::new(move |w| {
                edit(&request(w), |v| {
                    v["request"]["signature"] = json!(data_encoding::BASE64.encode(&[1; 64]))
                })
            }),
        ),
        (
            "nobody decided on",
            Box::new(move |w| {
                edit(&request(w), |v| {
                    v["proofs"].as_array_mut().unwrap().remove(0);
                })
            }),
        ),
        ("Nothing is sealed", Box::new(move |w| edit(&agency(w), |v| v["proofs"] = json!([])))),
        (
            "hash",
            Box::new(move |w| {
                edit(&agency(w), |v| {
                    let leaf = v["proofs"][1]["leaf"].as_str().unwrap().replace("verified", "suspended");
                    v["proofs"][1]["leaf"] = json!(leaf);
                })
            }),
        ),
        (
            "does not verify",
            Box::new(|w| {
                let path = w.public().join("ledger/requests/checkpoint");
                let text = std::fs::read_to_string(&path).unwrap().replacen("\n6\n", "\n7\n", 1);
                std::fs::write(path, text).unwrap();
            }),
        ),
    ];
    for (words, bend) in cases {
        let world = World::new().await;
        world.publish().await;
        bend(&world);
        file(&world, "a.mp4", b"x");
        let street = street(&world).await;
        let said = ask(&world, &seal_args(&street.url, world.request.id.as_str(), &["a.mp4"])).await;
        let said = if words == "hash" { said.refused(1, &[]) } else { said.refused(1, &[words]) };
        assert!(!world.folder.path().join("porch.age").exists(), "{words}: {}", said.out);
        street.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ended_requests_suspended_agencies_rollbacks_and_split_views_are_refused() {
    let mut world = World::new().await;
    world.publish().await;
    file(&world, "a.mp4", b"x");
    let street = street(&world).await;
    let id = world.request.id.to_string();
    let list = ["requests", "list", "--server", &street.url, "--region", &world.region()].map(str::to_owned);
    let list: Vec<&str> = list.iter().map(String::as_str).collect();
    ask(&world, &list).await.ok();
    let old = std::fs::read(world.public().join("ledger/requests/checkpoint")).unwrap();
    let leaf = RequestsLeaf::RequestState {
        request: world.request.id.clone(),
        agency: world.agency.id.clone(),
        state: RequestState::Resolved,
        basis: None,
        at: now(),
    };
    world.append(leaf).await;
    world.publish().await;
    try_seal(&world, &street.url, &id).await.refused(1, &["resolved", "takes no more offers"]);
    world.put("ledger/requests/checkpoint", &old);
    // The server may keep a file for a second or two.
    tokio::time::sleep(Duration::from_secs(3)).await;
    try_seal(&world, &street.url, &id).await.refused(1, &["rollback"]);
    let lying = World::seeded(2).await;
    lying.publish().await;
    let elsewhere = street_at(&lying, "127.0.0.1:0").await;
    let memory =
        std::fs::read_dir(world.folder.path().join("state/seen")).unwrap().next().unwrap().unwrap().path();
    let theirs = elsewhere.url.trim_start_matches("http://").replace(':', "_");
    std::fs::copy(&memory, memory.with_file_name(format!("{theirs}.json"))).unwrap();
    let said = ask(&world, &seal_args(&elsewhere.url, lying.request.id.as_str(), &["a.mp4"])).await;
    said.refused(1, &["rollback"]);
    street.close().await;
    elsewhere.close().await;

    let mut world = World::new().await;
    let suspended = canvass_types::PublicAgency { state: AgencyState::Suspended, ..world.agency.clone() };
    let leaf = RequestsLeaf::AgencyState {
        agency: suspended.id.clone(),
        class: suspended.class,
        state: suspended.state,
        digest: canvass_core::agencies::identity_digest(&suspended),
        at: now(),
    };
    world.append(leaf).await;
    world.agency = suspended;
    world.publish().await;
    file(&world, "a.mp4", b"x");
    let street = crate::support::street(&world).await;
    let said = ask(&world, &seal_args(&street.url, world.request.id.as_str(), &["a.mp4"])).await;
    said.refused(1, &["suspended"]);
    street.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tampered_region_is_refused() {
    let world = World::new().await;
    world.publish().await;
    let path = format!("feed/{}.json", world.region());
    let honest = std::fs::read_to_string(world.public().join(&path)).unwrap();
    let swap = |from: &str, to: &str| honest.replacen(from, to, 1);
    for bent in [
        swap("white van", "black van"),
        swap("published", "withheld"),
        swap("Concord Police", "Concord Pol1ce"),
        swap("\"v\":1", "\"v\":2"),
        honest.replace(&world.region(), "832a32fffffffff"),
        format!("{honest} "),
        honest[..honest.len() / 2].to_owned(),
    ] {
        assert_ne!(bent, honest);
        world.put(&path, bent);
        let street = street(&world).await;
        let said =
            ask(&world, &["requests", "list", "--server", &street.url, "--region", &world.region()]).await;
        said.refused(1, &[&path]);
        street.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_of_either_side_costs_nothing() {
    let mut world = World::new().await;
    world.publish().await;
    let street = street(&world).await;
    let id = world.request.id.to_string();
    file(&world, "long.mp4", &vec![3; 150_000_000]);
    ask(&world, &seal_args(&street.url, &id, &["long.mp4"])).await.ok();
    let address = street.url.trim_start_matches("http://").to_owned();
    let incoming = |world: &World| {
        let mut most = 0;
        for entry in walk(&world.folder.path().join("spool")) {
            most = most.max(entry.metadata().map(|meta| meta.len()).unwrap_or(0));
        }
        most
    };
    // The resident's side dies in the middle.
    let mut child = canvass(&world).args(["give", "porch", "--wait", "60"]).spawn().unwrap();
    for _ in 0..4_000 {
        if incoming(&world) > 20_000_000 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let held = incoming(&world);
    assert!(held > 0, "it was killed before anything was sent");
    assert!(street.spool.done(10).unwrap().is_empty(), "it was killed too late");
    let upload = read(world.folder.path().join("porch.upload.json"))["location"].clone();
    // Then the server's side goes away while it goes on.
    let mut child = canvass(&world).args(["give", "porch", "--wait", "60"]).spawn().unwrap();
    tokio::time::sleep(Duration::from_millis(150)).await;
    street.close().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let street = street_at(&world, &address).await;
    let done = street.done().await;
    assert_eq!(read(world.folder.path().join("porch.upload.json"))["location"], upload, "it began anew");
    let mut sent = Vec::new();
    std::fs::File::open(&done.path).unwrap().read_to_end(&mut sent).unwrap();
    assert!(sent == std::fs::read(world.folder.path().join("porch.age")).unwrap(), "other bytes arrived");
    world.take_in(&done, Vec::new()).await;
    let status = tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
    assert!(status.success());
    assert!(world.folder.path().join("porch.receipt.json").exists());
    street.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_upload_starts_again_and_says_so() {
    let mut world = World::new().await;
    world.publish().await;
    let street = street(&world).await;
    file(&world, "a.mp4", b"x");
    ask(&world, &seal_args(&street.url, world.request.id.as_str(), &["a.mp4"])).await.ok();
    let gone = json!({"v": 1, "location": format!("{}/uploads/AAAAAAAAAAAAAAAAAAAAAAAAAA", street.url), "complete": false});
    file(&world, "porch.upload.json", gone.to_string().as_bytes());
    let mut give = canvass(&world);
    give.args(["give", "porch.age", "--wait", "60"]);
    let giving = tokio::spawn(run(give));
    let done = street.done().await;
    world.take_in(&done, Vec::new()).await;
    let said = giving.await.unwrap().ok();
    assert!(said.err.contains("starts again"), "{}", said.err);
    // Another server's address in the note is not followed.
    file(&world, "b.mp4", b"x");
    let mut args = seal_args(&street.url, world.request.id.as_str(), &["b.mp4"]);
    args[6] = "two";
    ask(&world, &args).await.ok();
    let strange = json!({"v": 1, "location": "http://127.0.0.1:1/uploads/x", "complete": false});
    file(&world, "two.upload.json", strange.to_string().as_bytes());
    ask(&world, &["give", "two"]).await.refused(1, &["names another server"]);
    street.close().await;
}

fn walk(folder: &std::path::Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() { found.extend(walk(&entry.path())) } else { found.push(entry.path()) }
    }
    found
}

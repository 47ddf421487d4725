//! From the agency's registration to the bundle for court, over HTTP alone.

use canvass_core::feed::verify_bundle;
use canvass_ledger::{Proof, Trust, VerifierKey, leaf_hash};
use canvass_seal::{
    envelope::{MemorySink, OpenOptions, open},
    group,
    offer::{open_text, seal_text},
    receipt::{ServerKey, SignedReceipt},
};
use canvass_types::Digest;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Agency, Canvass, Resident, sealed};

pub fn trust(keys: &Value, log: &str) -> Trust {
    let log = &keys["logs"][log];
    let key = VerifierKey::parse(log["vkey"].as_str().unwrap()).unwrap();
    Trust::new(log["origin"].as_str().unwrap(), key, vec![], 0).unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[expect(clippy::too_many_lines, reason = "one story, told from end to end")]
#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_asked_answered_triaged_and_exported() {
    let mut canvass = Canvass::start().await;
    let agency = Agency::new(&canvass).await;
    let (request, _) = agency.publish(&canvass, "26-1").await;
    let keys = canvass.public_file("/ledger/keys.json", |_| true).await;

    // Everyone can check the whole region offline.
    let index = canvass
        .public_file("/feed/index.json", |index| !index["regions"].as_array().unwrap().is_empty())
        .await;
    let region = text(&index["regions"][0]["region"]);
    let bundle = canvass.http.get(format!("{}/feed/{region}.json", canvass.public)).send().await.unwrap();
    let bundle = bundle.bytes().await.unwrap();
    let bundle = verify_bundle(&bundle, &trust(&keys, "requests")).unwrap();
    assert_eq!(bundle.requests[0].id.as_str(), request);

    // A resident gives two clips and holds a receipt that verifies offline.
    let public = canvass.public_file(&format!("/requests/{request}.json"), |_| true).await;
    let recipient = text(&public["request"]["body"]["recipient"]);
    let clips: [(&str, &[u8]); 2] = [("clip-01.mp4", &[5; 200_000]), ("clip-02.mp4", b"two")];
    let resident = Resident::new(&recipient, &clips);
    assert_eq!(resident.give(&canvass, &request).await.0, StatusCode::CREATED);
    let status = resident.status(&canvass, |status| !status["receipt"].is_null()).await;
    assert_eq!((&status["state"], &status["can_withdraw"]), (&json!("received"), &json!(true)));
    let receipt = SignedReceipt::parse(&status["receipt"].to_string()).unwrap();
    let oversight = trust(&keys, "oversight");
    let proven = |proof: &str, leaf: &[u8]| {
        let proof = Proof::parse(proof.as_bytes()).map_err(|error| error.to_string())?;
        proof.verify(&leaf_hash(leaf), &oversight).map(drop).map_err(|error| error.to_string())
    };
    receipt.verify(&ServerKey::parse(keys["receipts"]["vkey"].as_str().unwrap()).unwrap(), proven).unwrap();
    assert_eq!(receipt.receipt.ciphertext_sha256, Digest::of(&resident.envelope).to_string());

    // The agency opens it: without a purpose not, and then with a mark.
    let inbox = canvass.get(&agency.investigator, "/offers?state=received").await;
    let offer = text(&inbox["items"][0]["id"]);
    let bare = canvass.http.get(format!("{}/api/v1/offers/{offer}/envelope", canvass.desk));
    assert_eq!(bare.bearer_auth(&agency.investigator).send().await.unwrap().status(), 422);
    let path = format!("/offers/{offer}/envelope");
    let (code, whole) = canvass.bytes(&agency.investigator, &path, None).await;
    assert_eq!((code, &whole), (StatusCode::OK, &resident.envelope));
    let (code, part) = canvass.bytes(&agency.investigator, &path, Some("bytes=100-199")).await;
    assert_eq!((code, part), (StatusCode::PARTIAL_CONTENT, resident.envelope[100..200].to_vec()));
    assert_eq!(canvass.bytes(&agency.investigator, &path, Some("bytes=99999999-")).await.0, 416);
    let wrapped = text(&canvass.get(&agency.investigator, &format!("/keys/{request}")).await["wrapped"]);
    let key = group::unwrap(&wrapped, std::slice::from_ref(&agency.identity)).unwrap();
    let mut sink = MemorySink::default();
    let opened =
        open(whole.as_slice(), std::slice::from_ref(&key), OpenOptions::with_limit(1 << 30), &mut sink)
            .unwrap();
    let reported: Vec<Value> = opened
        .clips
        .iter()
        .map(|clip| json!({ "name": clip.name, "bytes": clip.size, "sha256": Digest(clip.sha256) }))
        .collect();
    let report = json!({
        "clips": reported, "mailbox": opened.mailbox.as_ref().unwrap().as_str(),
        "envelope_sha256": Digest::of(&whole), "defects": [],
    });
    canvass.post(&agency.investigator, &format!("/offers/{offer}/report"), &report).await;

    // A question and its answer, both sealed.
    let question = seal_text("Is the camera's clock right?", opened.mailbox.as_ref().unwrap()).unwrap();
    canvass
        .post(&agency.investigator, &format!("/offers/{offer}/questions"), &json!({ "sealed": question }))
        .await;
    let status = resident
        .status(&canvass, |status| status["questions"].as_array().is_some_and(|q| !q.is_empty()))
        .await;
    let asked = &status["questions"][0];
    let plain = open_text(asked["sealed"].as_str().unwrap(), &resident.secret.mailbox().unwrap()).unwrap();
    assert_eq!(&*plain, "Is the camera's clock right?");
    let body = format!(
        "question: {}\n{}",
        text(&asked["id"]),
        seal_text("yes", &recipient.parse().unwrap()).unwrap()
    );
    resident.tell(&canvass, "answer", &body).await;
    resident.status(&canvass, |status| !status["questions"][0]["answered"].is_null()).await;
    let view = canvass.get(&agency.investigator, &format!("/offers/{offer}")).await;
    assert_eq!(&*open_text(view["questions"][0]["answer"].as_str().unwrap(), &key).unwrap(), "yes");

    // Triage: one clip into a case, one declined.
    let case = canvass
        .post(
            &agency.investigator,
            "/cases",
            &json!({ "title": "Garage on Elm Street", "destinations": [request] }),
        )
        .await;
    let case = text(&case["id"]);
    let alone = sealed(&recipient, &clips[..1], None);
    let uploads = format!("{}/api/v1/uploads", canvass.desk);
    // Without a body: a server that refuses early closes the line on whoever still sends.
    assert_eq!(canvass.upload(&uploads, "", &[], Vec::new()).await.0, 401);
    let (code, upload) = canvass.upload(&uploads, &agency.investigator, &[], alone.clone()).await;
    assert_eq!(code, StatusCode::CREATED);
    let wish = json!({ "case": case, "upload": upload, "sha256": Digest::of(clips[0].1), "bytes": 200_000 });
    let item = canvass.post(&agency.investigator, &format!("/offers/{offer}/clips/1/accept"), &wish).await;
    let item = text(&item["id"]);
    let again = canvass
        .call(&agency.investigator, Method::POST, &format!("/offers/{offer}/clips/1/accept"), Some(&wish))
        .await;
    assert_eq!(again.0, 404, "an upload is used once");
    let reason = json!({ "reason": "shows another street" });
    canvass.post(&agency.investigator, &format!("/offers/{offer}/clips/2/decline"), &reason).await;
    canvass.act(&agency.investigator, &format!("/offers/{offer}/clips/2/undo")).await;
    canvass.post(&agency.investigator, &format!("/offers/{offer}/clips/2/decline"), &reason).await;
    resident.status(&canvass, |status| status["state"] == "triaged").await;
    let (code, content) = canvass.bytes(&agency.custodian, &format!("/items/{item}/content"), None).await;
    assert_eq!((code, content), (StatusCode::OK, alone));

    export(&canvass, &agency, &case, &keys).await;
    governance(&canvass, &agency).await;
    canvass.act(&agency.investigator, &format!("/requests/{request}/resolve")).await;
    canvass.public_file(&format!("/requests/{request}.json"), |file| file["state"] == "resolved").await;
    canvass.public_file("/feed/index.json", |index| index["regions"] == json!([])).await;
    let late = Resident::new(&recipient, &clips);
    assert_eq!(late.give(&canvass, &request).await.0, StatusCode::GONE);
    canvass.stop().await;
}

async fn export(canvass: &Canvass, agency: &Agency, case: &str, keys: &Value) {
    let bundle = canvass.get(&agency.custodian, &format!("/cases/{case}/export")).await;
    assert_eq!(&bundle["keys"], keys);
    let proofs = bundle["proofs"].as_array().unwrap();
    assert!(proofs.len() > 10, "{}", proofs.len());
    for proof in proofs {
        let trust = trust(keys, proof["log"].as_str().unwrap());
        let found = Proof::parse(proof["proof"].as_str().unwrap().as_bytes()).unwrap();
        found.verify(&leaf_hash(proof["leaf"].as_str().unwrap().as_bytes()), &trust).unwrap();
        let head = &bundle[format!("{}_checkpoint", text(&proof["log"]))];
        assert_eq!(found.checkpoint.to_string(), *head.as_str().unwrap());
    }
    let kinds =
        |word: &str| proofs.iter().filter(|proof| proof["leaf"].as_str().unwrap().contains(word)).count();
    for word in [
        "agency.key.added",
        "request.decided",
        "request.published",
        "policy.set",
        "offer.received",
        "case.export",
    ] {
        assert!(kinds(word) >= 1, "{word}");
    }
}

async fn governance(canvass: &Canvass, agency: &Agency) {
    let mut policy = canvass.get(&agency.overseer, "/policy").await;
    policy["ask"]["max_minutes"] = json!(600);
    let wish =
        json!({ "kind": "limits", "policy": policy, "reason": "The council asked for shorter windows." });
    let refused = canvass.call(&agency.supervisor, Method::POST, "/proposals", Some(&wish)).await;
    assert_eq!(refused.0, StatusCode::FORBIDDEN);
    let (alone, said) = canvass.call(&canvass.operator, Method::POST, "/proposals", Some(&wish)).await;
    assert_eq!(alone, StatusCode::CONFLICT);
    assert!(said["detail"].as_str().unwrap().contains("two operators"), "{said}");
    let second = canvass.member(None, "Otto", "operator").await;
    let proposal = text(&canvass.post(&canvass.operator, "/proposals", &wish).await["id"]);
    let approve = format!("/proposals/{proposal}/approve");
    let (own, said) = canvass.call(&canvass.operator, Method::POST, &approve, None).await;
    assert_eq!((own, &said["type"]), (StatusCode::FORBIDDEN, &json!("urn:canvass:problem:rule")));
    assert!(said["remedy"].as_str().unwrap().contains("somebody else"), "{said}");
    let shown = canvass.get(&second, &format!("/proposals/{proposal}")).await;
    assert!(shown["diff"].as_str().unwrap().contains("+    \"max_minutes\": 600"), "{shown}");
    assert_eq!(canvass.act(&second, &approve).await["state"], "approved");
    let notices = canvass.get(&agency.overseer, "/oversight/notices?unseen=true").await;
    assert_eq!(notices["items"][0]["what"], "policy.approve");
    let notice = text(&notices["items"][0]["id"]);
    canvass.act(&agency.overseer, &format!("/oversight/notices/{notice}/seen")).await;
    assert_eq!(canvass.get(&agency.overseer, "/oversight/notices?unseen=true").await["items"], json!([]));
    let rules = canvass.public_file("/rules.json", |_| true).await;
    assert!(rules["roles.txt"].as_str().unwrap().contains("policy.approve"));
    assert_eq!(canvass.get(&agency.overseer, "/policy").await["ask"]["max_minutes"], 600);
    canvass.public_file("/policy.json", |file| file["ask"]["max_minutes"] == 600).await;
    let system = canvass.get(&agency.overseer, "/system").await;
    assert!(system["ledgers"]["oversight"]["committed"].as_u64().unwrap() > 10, "{system}");
    let audit = canvass.get(&agency.overseer, "/audit?action=offer.open&limit=1").await;
    assert_eq!(audit["items"].as_array().unwrap().len(), 1);
    assert!(canvass.get(&agency.custodian, "/retention").await["items"].as_array().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unopened_offer_is_withdrawn_and_its_bytes_are_gone() {
    let mut canvass = Canvass::start().await;
    let agency = Agency::new(&canvass).await;
    let (request, key) = agency.publish(&canvass, "26-2").await;
    let recipient = key.recipient().unwrap();
    let resident = Resident::new(recipient.as_str(), &[("a.mp4", b"footage")]);
    resident.give(&canvass, &request).await;
    resident.status(&canvass, |status| status["state"] == "received").await;
    // A stranger's word changes nothing.
    let stranger = Resident::new(recipient.as_str(), &[("b.mp4", b"other")]);
    let forged = Resident { lookup: resident.lookup.clone(), ..stranger };
    forged.tell(&canvass, "withdraw", "").await;
    resident.tell(&canvass, "withdraw", "").await;
    resident.status(&canvass, |status| status["state"] == "destroyed").await;
    let blobs = walk(&canvass.data().join("blobs"));
    assert_eq!(blobs, 0);
    // The same key can't send another offer: its uploader reads why.
    let again = Resident {
        envelope: resident.envelope.clone(),
        lookup: resident.lookup.clone(),
        secret: resident.secret.clone(),
    };
    assert_eq!(again.give(&canvass, &request).await.0, StatusCode::CREATED);
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    resident.status(&canvass, |status| status["state"] == "destroyed").await;
    assert_eq!(walk(&canvass.data().join("blobs")), 0);
    canvass.stop().await;
}

pub fn walk(folder: &std::path::Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries.map(|entry| entry.unwrap().path()).map(|path| if path.is_dir() { walk(&path) } else { 1 }).sum()
}

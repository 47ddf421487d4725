//! What the jobs do when they are cut off, and what witnesses add.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, routing::post};
use canvass_ledger::{
    KeyKind, SignerKey, Trust, VerifierKey,
    witness::{MemWitnessState, Witness},
};
use canvass_server::{Witness as Named, keys::Keys};
use canvass_store_objects::Blobs;
use canvass_types::leaf::Log;
use reqwest::StatusCode;

use crate::{
    life::walk,
    support::{Agency, Canvass, Resident, clock, config, entropy},
};

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_whose_intake_was_cut_off_becomes_one_offer() {
    let mut canvass = Canvass::start().await;
    let agency = Agency::new(&canvass).await;
    let (request, key) = agency.publish(&canvass, "26-5").await;
    canvass.stop().await;
    let mut street = config(&canvass.data());
    street.role = canvass_server::Role::Public;
    canvass.run(street).await;
    let resident = Resident::new(key.recipient().unwrap().as_str(), &[("a.mp4", b"footage")]);
    let (status, upload) = resident.give(&canvass, &request).await;
    assert_eq!(status, StatusCode::CREATED);
    canvass.stop().await;
    // As if intake had died between adopting the bytes and making the offer.
    let data = canvass.data().join("spool/done").join(&upload).join("data");
    let blobs = Blobs::local(canvass.data()).unwrap();
    blobs.adopt_file(&data, &upload).await.unwrap();
    assert!(data.exists());
    canvass.run(config(&canvass.data())).await;
    resident.status(&canvass, |status| status["receipt"].is_object()).await;
    for _ in 0..100 {
        if walk(&canvass.data().join("spool/done")) == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!((walk(&canvass.data().join("spool/done")), walk(&canvass.data().join("blobs"))), (0, 1));
    let inbox = canvass.get(&agency.investigator, "/offers").await;
    assert_eq!(inbox["items"].as_array().unwrap().len(), 1);
    canvass.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn witnesses_cosign_and_one_that_is_gone_stops_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let origin = "127.0.0.1:8421";
    let keys = Keys::open(&folder.path().join("keys"), true, origin, entropy().as_ref()).unwrap();
    let signer = SignerKey::from_seed("witness.example", KeyKind::Cosigner, &[3; 32]).unwrap();
    let vkey = signer.verifier().clone();
    let logs = Log::ALL.iter().map(|log| {
        let key = keys.log(*log).verifier().clone();
        (key.name().to_owned(), vec![key])
    });
    let witness = Arc::new(Witness::new(vec![signer], logs.collect(), MemWitnessState::default()).unwrap());
    let calls = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&calls);
    let router = Router::new().route(
        "/add-checkpoint",
        post(move |body: Bytes| {
            let (witness, counted) = (Arc::clone(&witness), Arc::clone(&counted));
            async move {
                *counted.lock().unwrap() += 1;
                let at = u64::try_from(clock().now().as_second()).unwrap();
                let answer = witness.add_checkpoint(&body, at).await;
                (
                    axum::http::StatusCode::from_u16(answer.status()).unwrap(),
                    [("content-type", answer.content_type())],
                    answer.body(),
                )
            }
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let gone = SignerKey::from_seed("gone.example", KeyKind::Cosigner, &[4; 32]).unwrap().verifier().clone();
    let mut canvass = Canvass::start_with(|config| {
        let target = config.data.join("keys");
        std::fs::create_dir_all(&target).unwrap();
        for entry in std::fs::read_dir(folder.path().join("keys")).unwrap() {
            let from = entry.unwrap().path();
            std::fs::copy(&from, target.join(from.file_name().unwrap())).unwrap();
        }
        config.identity.witnesses =
            vec![Named { url, key: vkey.clone() }, Named { url: "http://127.0.0.1:9".into(), key: gone }];
        config.identity.quorum = 1;
    })
    .await;
    let agency = Agency::new(&canvass).await;
    let (request, _) = agency.publish(&canvass, "26-6").await;
    let key = VerifierKey::parse(&keys.log(Log::Requests).verifier().to_string()).unwrap();
    let trust = Trust::new(key.name().to_owned(), key, vec![vkey], 1).unwrap();
    let mut cosigned = false;
    for _ in 0..100 {
        let answer =
            canvass.http.get(format!("{}/ledger/requests/checkpoint", canvass.public)).send().await.unwrap();
        cosigned = trust.check(&answer.bytes().await.unwrap()).is_ok();
        if cosigned {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(cosigned && *calls.lock().unwrap() > 0);
    let figures =
        canvass.http.get(format!("{}/metrics", canvass.desk)).send().await.unwrap().text().await.unwrap();
    assert!(figures.contains("canvass_ledger_cosigned_timestamp_seconds{ledger=\"requests\"}"), "{figures}");
    canvass.public_file(&format!("/requests/{request}.json"), |file| file["state"] == "published").await;
    canvass.stop().await;
}

/// A server that counts who calls, and answers as told.
async fn counting(answer: axum::response::Response<()>) -> (String, Arc<Mutex<u32>>) {
    let calls = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&calls);
    let (parts, ()) = answer.into_parts();
    let router = Router::new().fallback(move || {
        *counted.lock().unwrap() += 1;
        let parts = parts.clone();
        async move { axum::response::Response::from_parts(parts, axum::body::Body::empty()) }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, calls)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_leads_elsewhere_is_not_followed() {
    let (elsewhere, reached) = counting(axum::response::Response::new(())).await;
    let mut there = axum::response::Response::new(());
    *there.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    there.headers_mut().insert("location", elsewhere.parse().unwrap());
    let (url, asked) = counting(there).await;
    let key = SignerKey::from_seed("led.example", KeyKind::Cosigner, &[5; 32]).unwrap().verifier().clone();
    let mut canvass = Canvass::start_with(|config| {
        config.identity.witnesses = vec![Named { url, key }];
        config.identity.quorum = 0;
    })
    .await;
    let agency = Agency::new(&canvass).await;
    let (request, _) = agency.publish(&canvass, "26-7").await;
    canvass.public_file(&format!("/requests/{request}.json"), |file| file["state"] == "published").await;
    for _ in 0..100 {
        if *asked.lock().unwrap() > 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    canvass.stop().await;
    assert!(*asked.lock().unwrap() > 0, "the witness was asked");
    assert_eq!(*reached.lock().unwrap(), 0, "and its word of another place was not followed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_cant_be_taken_is_destroyed_and_its_sender_reads_why() {
    let mut canvass = Canvass::start().await;
    let agency = Agency::new(&canvass).await;
    let (request, key) = agency.publish(&canvass, "26-9").await;
    let resident = Resident::new(key.recipient().unwrap().as_str(), &[("a.mp4", b"footage")]);
    assert_eq!(resident.give_by(&canvass, &request, Some("nobody-made-this")).await.0, StatusCode::CREATED);
    let status = resident.status(&canvass, |status| status["state"] == "refused").await;
    assert!(status["reason"].as_str().unwrap().contains("invitation"), "{status}");
    // The reason is written before the spool is cleared, so that a crash between them loses no answer.
    let left = || (walk(&canvass.data().join("spool/done")), walk(&canvass.data().join("blobs")));
    for _ in 0..200 {
        if left() == (0, 0) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    assert_eq!(left(), (0, 0));

    // With an invitation that counts, the same person gives with another key.
    let wish = serde_json::json!({ "destination": request });
    let invited = canvass.post(&agency.investigator, "/invitations", &wish).await;
    let other = Resident::new(key.recipient().unwrap().as_str(), &[("a.mp4", b"footage")]);
    other.give_by(&canvass, &request, invited["secret"].as_str()).await;
    other.status(&canvass, |status| status["receipt"].is_object()).await;
    let used = canvass.get(&agency.investigator, "/invitations").await;
    assert!(used["items"][0]["used"].is_string(), "{used}");
    canvass.stop().await;
}

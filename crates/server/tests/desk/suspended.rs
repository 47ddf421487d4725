//! A suspended agency: everyone can see it, and no offer reaches it until it is verified again.

use canvass_core::feed::verify_bundle;
use canvass_types::{AgencyState, PublicKey};
use serde_json::json;

use crate::{
    life::{trust, walk},
    support::{Agency, Canvass, Resident},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_suspension_is_public_and_stops_offers() {
    let mut canvass = Canvass::start().await;
    let agency = Agency::new(&canvass).await;
    let (request, key) = agency.publish(&canvass, "26-22").await;
    let recipient = key.recipient().unwrap().as_str().to_owned();
    canvass.act(&canvass.operator, &format!("/agencies/{}/suspend", agency.id)).await;
    let own = format!("/agencies/{}.json", agency.id);
    let shown = canvass.public_file(&own, |file| file["agency"]["state"] == "suspended").await;
    let last = shown["proofs"].as_array().unwrap().last().unwrap()["leaf"].as_str().unwrap();
    assert!(last.contains("suspended"), "{last}");
    canvass.public_file("/agencies/index.json", |file| file["agencies"][0]["state"] == "suspended").await;

    // The feed says it too, in a bundle that verifies offline.
    let keys = canvass.public_file("/ledger/keys.json", |_| true).await;
    let index = canvass.public_file("/feed/index.json", |file| !file["regions"][0].is_null()).await;
    let region = index["regions"][0]["region"].as_str().unwrap().to_owned();
    let path = format!("/feed/{region}.json");
    canvass.public_file(&path, |file| file["agencies"][0]["agency"]["state"] == "suspended").await;
    let bundle = canvass.http.get(format!("{}{path}", canvass.public)).send().await.unwrap();
    let bundle = verify_bundle(&bundle.bytes().await.unwrap(), &trust(&keys, "requests")).unwrap();
    assert_eq!(bundle.agencies[0].agency.state, AgencyState::Suspended);

    let resident = Resident::new(&recipient, &[("a.mp4", b"footage")]);
    let (given, said) = resident.give(&canvass, &request).await;
    assert_eq!(given, 201, "{said}");
    let status = resident.status(&canvass, |status| status["state"] == "refused").await;
    assert!(status["reason"].as_str().unwrap().contains("suspended"), "{status}");
    assert_eq!(walk(&canvass.data().join("blobs")), 0);

    let word = json!({ "public": PublicKey::of(&agency.signing) });
    canvass.post(&canvass.operator, &format!("/agencies/{}/verify", agency.id), &word).await;
    canvass.public_file(&own, |file| file["agency"]["state"] == "verified").await;
    let other = Resident::new(&recipient, &[("a.mp4", b"footage")]);
    let (given, said) = other.give(&canvass, &request).await;
    assert_eq!(given, 201, "{said}");
    other.status(&canvass, |status| status["receipt"].is_object()).await;
    canvass.stop().await;
}

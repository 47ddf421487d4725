//! Receipts, honest and not, checked with no network.

use std::collections::BTreeMap;

use crate::support::*;
use canvass_server::public::spool::UploadInfo;
use serde_json::{Value, json};

/// An honest receipt, as text.
async fn receipt(world: &mut World) -> Value {
    let spool = spool(world);
    let key = canvass_seal::offer::OfferSecret::new(&[8; 32].into()).public_key().unwrap().text();
    let metadata =
        BTreeMap::from([("destination".into(), world.request.id.to_string()), ("offer_key".into(), key)]);
    let info = UploadInfo {
        length: 3,
        metadata,
        notes: BTreeMap::new(),
        created: now().timestamp(),
        expires_after: 60,
    };
    let id = spool.create(&info).unwrap();
    let path = file(world, "porch.age", b"age");
    let done = canvass_server::public::spool::DoneUpload { id, info, path };
    let lookup = world.take_in(&done, Vec::new()).await;
    let status = std::fs::read(world.public().join(format!("offers/{lookup}.json"))).unwrap();
    serde_json::from_slice::<Value>(&status).unwrap()["receipt"].clone()
}

async fn check(world: &World, bytes: &[u8]) -> Said {
    file(world, "porch.receipt.json", bytes);
    file(world, "keys.json", world.keys().to_string().as_bytes());
    ask(world, &["verify", "receipt", "porch.receipt.json", "--keys", "keys.json", "--envelope", "porch.age"])
        .await
}

#[tokio::test]
async fn an_honest_receipt_holds_and_malformed_ones_are_named() {
    let mut world = World::new().await;
    world.publish().await;
    let honest = receipt(&mut world).await;
    check(&world, honest.to_string().as_bytes()).await.ok();
    ask(&world, &["verify", "receipt", "porch.receipt.json"]).await.refused(2, &["--keys FILE"]);

    type Bend = Box<dyn Fn(&mut Value)>;
    let bends: Vec<(&str, Bend)> = vec![
        ("signature", Box::new(|v| v["received_at"] = json!("2020-01-01T00:00:00Z"))),
        ("signature", Box::new(|v| v["offer"] = json!("off_aaaaaaaaaaaaaaaaaaaaaaaaaa"))),
        ("signature", Box::new(|v| v["ciphertext_len"] = json!(4))),
        ("signature", Box::new(|v| v["destination_id"] = json!("req_aaaaaaaaaaaaaaaaaaaaaaaaaa"))),
        ("signature", Box::new(|v| v["signature"] = json!(data_encoding::BASE64.encode(&[1; 64])))),
        ("signature", Box::new(|v| v["signature"] = json!("AA=="))),
        ("signature", Box::new(|v| v["record"]["detail"]["ciphertext_bytes"] = json!(9))),
        ("version", Box::new(|v| v["version"] = json!(2))),
        ("unknown field", Box::new(|v| v["more"] = json!(1))),
        (
            "missing field salt",
            Box::new(|v| {
                v.as_object_mut().unwrap().remove("salt");
            }),
        ),
        (
            "no signature",
            Box::new(|v| {
                v.as_object_mut().unwrap().remove("signature");
            }),
        ),
        ("key", Box::new(|v| v["key"] = json!("other.example"))),
    ];
    for (words, bend) in bends {
        let mut bent = honest.clone();
        bend(&mut bent);
        check(&world, bent.to_string().as_bytes()).await.refused(1, &[words]);
    }
    for text in ["", "{", "[]", "null", "\"receipt\"", "{\"signature\":1}"] {
        check(&world, text.as_bytes()).await.refused(1, &["receipt: not a receipt"]);
    }
    check(&world, &[0xff, 0xfe]).await.refused(1, &["it isn't text"]);
    check(&world, &vec![b' '; 300 * 1024]).await.refused(1, &["longer than"]);
    file(&world, "porch.age", b"agf");
    check(&world, honest.to_string().as_bytes()).await.refused(1, &["not the envelope"]);
}

#[tokio::test]
async fn a_receipt_that_the_server_signed_but_the_ledger_does_not_hold_is_refused() {
    let mut world = World::new().await;
    world.publish().await;
    let honest = receipt(&mut world).await;
    let again = |bend: &dyn Fn(&mut Value)| {
        let mut bent = honest.clone();
        bend(&mut bent);
        bent.as_object_mut().unwrap().remove("signature");
        let receipt: canvass_seal::receipt::Receipt = serde_json::from_value(bent).unwrap();
        receipt.sign(&world.receipts).map(|signed| serde_json::to_string(&signed).unwrap())
    };
    let other = again(&|v| v["ciphertext_sha256"] = json!("00".repeat(32))).unwrap();
    check(&world, other.as_bytes()).await.refused(1, &["another ciphertext_sha256"]);
    let other = again(&|v| v["offer"] = json!("off_aaaaaaaaaaaaaaaaaaaaaaaaaa")).unwrap();
    check(&world, other.as_bytes()).await.refused(1, &["of another offer"]);
    let proof = honest["proof"].as_str().unwrap().replacen("index 0", "index 1", 1);
    let other = again(&|v| v["proof"] = json!(proof)).unwrap();
    check(&world, other.as_bytes()).await.refused(1, &["proof"]);
    // The record is bound to its entry: even the server's key can't sign another into it.
    assert!(again(&|v| v["record"]["detail"]["destination"] = json!("x")).is_err());
}

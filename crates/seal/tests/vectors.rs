//! Vectors of names, offer secrets, messages, receipts and verifier keys: most of them malformed, each with its verdict.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use canvass_seal::names::check_name;
use canvass_seal::offer::{OfferSecret, SignedMessage, verify_message};
use canvass_seal::receipt::{ServerKey, SignedReceipt};
use common::vectors;
use serde_json::Value;

fn load(file: &str) -> Value {
    serde_json::from_str(&vectors(file)).unwrap()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap()
}

/// The name of an error's variant, as vectors have it.
fn variant(error: &impl std::fmt::Debug) -> String {
    format!("{error:?}").chars().take_while(char::is_ascii_alphanumeric).collect()
}

#[test]
fn names() {
    for vector in load("names.json").as_array().unwrap() {
        let found = check_name(1, text(vector, "name")).map_or_else(|e| variant(&e), |()| "valid".to_owned());
        assert_eq!(found, text(vector, "verdict"), "{vector}");
    }
}

#[test]
fn offers() {
    let file = load("offers.json");
    let secret = OfferSecret::parse(text(&file, "secret")).unwrap();
    let public = secret.public_key().unwrap();
    assert_eq!(
        (public.text().as_str(), public.lookup().as_str()),
        (text(&file, "public_key"), text(&file, "lookup"))
    );
    assert_eq!(secret.mailbox_recipient().unwrap().as_str(), text(&file, "mailbox"));
    for vector in file["vectors"].as_array().unwrap() {
        let found =
            OfferSecret::parse(text(vector, "text")).map_or_else(|e| variant(&e), |_| "valid".to_owned());
        assert!(text(vector, "verdict").split('|').any(|v| v == found), "{found}: {vector}");
    }
}

#[test]
fn messages() {
    for vector in load("messages.json").as_array().unwrap() {
        let found = match serde_json::from_value::<SignedMessage>(vector["message"].clone()) {
            Ok(message) => verify_message(&message, text(vector, "body").as_bytes())
                .map_or_else(|e| variant(&e), |_| "valid".to_owned()),
            Err(_) => "Json".to_owned(),
        };
        assert_eq!(found, text(vector, "verdict"), "{}", vector["name"]);
    }
}

#[test]
fn receipts() {
    let file = load("receipts.json");
    let server = ServerKey::parse(text(&file, "vkey")).unwrap();
    let proves = |proof: &str, _: &[u8]| {
        if proof.starts_with("c2sp.org/tlog-proof@v1") { Ok(()) } else { Err("not a proof".to_owned()) }
    };
    for vector in file["vectors"].as_array().unwrap() {
        let found = SignedReceipt::parse(text(vector, "text")).and_then(|r| r.verify(&server, proves));
        let found = found.map_or_else(|e| e.to_string(), |()| "valid".to_owned());
        assert!(found.starts_with(text(vector, "verdict")), "{}: {found}", vector["name"]);
    }
}

#[test]
fn a_receipt_survives_being_read_and_written() {
    let file = load("receipts.json");
    let receipt = SignedReceipt::parse(text(&file["vectors"][0], "text")).unwrap();
    assert_eq!(SignedReceipt::parse(&serde_json::to_string_pretty(&receipt).unwrap()).unwrap(), receipt);
}

#[test]
fn verifier_keys() {
    for vector in load("vkeys.json").as_array().unwrap() {
        let found =
            ServerKey::parse(text(vector, "text")).map_or_else(|e| e.to_string(), |_| "valid".to_owned());
        assert!(found.contains(text(vector, "verdict")), "{vector}: {found}");
    }
}

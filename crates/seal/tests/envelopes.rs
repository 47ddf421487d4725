//! Whole envelopes, made here, in a browser and by stock tools, most of them malformed: `vectors/seal/envelopes.json`.
//! The web pages read the same file.

mod common;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use canvass_seal::envelope::{MemorySink, OpenError, OpenOptions, open, seal};
use common::{identity, plan, vectors};
use serde_json::Value;
use sha2::{Digest, Sha256};

const LIMIT: u64 = 1024 * 1024;

/// The name of the error, and of the one inside it: `Tar(Link`.
fn verdict(error: &OpenError) -> String {
    let text = format!("{error:?}");
    let mut parts = text.split(['(', ' ', '{', ')', '[']).filter(|part| !part.is_empty());
    let (first, second) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if matches!(error, OpenError::Bag(_)) { first.to_owned() } else { format!("{first} {second}") }
}

#[test]
fn envelopes_of_all_makers_are_judged_alike() {
    let file: Value = serde_json::from_str(&vectors("envelopes.json")).unwrap();
    for vector in file["vectors"].as_array().unwrap() {
        let bytes = STANDARD.decode(vector["file"].as_str().unwrap()).unwrap();
        let mut sink = MemorySink::default();
        let opened = open(bytes.as_slice(), &[identity(1)], OpenOptions::with_limit(LIMIT), &mut sink);
        let found = opened.as_ref().map_or_else(verdict, |_| "valid".to_owned());
        assert!(found.starts_with(vector["verdict"].as_str().unwrap()), "{}: {found}", vector["name"]);
        let told = vector["clips"].as_object();
        assert_eq!(opened.is_ok(), told.is_some(), "{}", vector["name"]);
        for (name, sha256) in told.into_iter().flatten() {
            let found = data_encoding::HEXLOWER.encode(&Sha256::digest(sink.clips.get(name).unwrap()));
            assert_eq!(found, sha256.as_str().unwrap(), "{}: {name}", vector["name"]);
        }
    }
}

#[test]
#[ignore = "prints an envelope for vectors/seal/envelopes.json"]
fn print_an_envelope() {
    let clips =
        [("clip-01.mp4".to_owned(), vec![7; 70_000]), (format!("{}.mkv", "ñ".repeat(90)), vec![8; 10])];
    let mut out = Vec::new();
    seal(plan(&clips), &mut out, |_| {}).unwrap();
    println!("envelope {}", STANDARD.encode(out));
}

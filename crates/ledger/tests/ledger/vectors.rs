//! Every vector in `vectors/ledger`, against its verdict and reason.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use canvass_ledger::tile::decode_bundle;
use canvass_ledger::witness::{MemWitnessState, Witness};
use canvass_ledger::{Checkpoint, Note, Proof, SignerKey, TilePath, Trust, VerifierKey, leaf_hash};
use serde_json::Value;

use crate::common::wait;

fn load(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/ledger");
    serde_json::from_slice(&std::fs::read(folder.join(name).with_extension("json")).unwrap()).unwrap()
}

fn input(case: &Value) -> Vec<u8> {
    match case["base64"].as_str() {
        Some(encoded) => STANDARD.decode(encoded).unwrap(),
        None => case["input"].as_str().unwrap().as_bytes().to_vec(),
    }
}

fn judge(file: &str, cases: &Value, check: impl Fn(&Value, &[u8]) -> Result<(), String>) {
    let mut wrong = Vec::new();
    let cases = cases.as_array().unwrap();
    for case in cases {
        let name = &case["name"];
        let reason = case["reason"].as_str().unwrap();
        match (check(case, &input(case)), case["verdict"].as_str().unwrap()) {
            (Ok(()), "accept") => {}
            (Err(error), "refuse") if error.contains(reason) => {}
            (outcome, verdict) => wrong.push(format!("{file}, {name}: {verdict} ({reason}) but {outcome:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{file}: {} vectors", cases.len());
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn vkey(value: &Value) -> VerifierKey {
    VerifierKey::parse(value.as_str().unwrap()).unwrap()
}

fn vkeys(value: &Value) -> Vec<VerifierKey> {
    value.as_array().unwrap().iter().map(vkey).collect()
}

#[test]
fn keys() {
    judge("vkeys", &load("vkeys"), |_, bytes| {
        let key = VerifierKey::parse(text(bytes)).map_err(|e| e.to_string())?;
        assert_eq!(key.to_string(), text(bytes));
        Ok(())
    });
    judge("skeys", &load("skeys"), |case, bytes| {
        let key = SignerKey::parse(text(bytes)).map_err(|e| e.to_string())?;
        assert_eq!(*key.to_secret_text(), text(bytes));
        assert_eq!(key.verifier(), &vkey(&case["vkey"]));
        assert!(!format!("{key:?}").contains("SigningKey"));
        Ok(())
    });
}

#[test]
fn notes() {
    let file = load("notes");
    let keys = vkeys(&file["keys"]);
    judge("notes", &file["cases"], |_, bytes| {
        let note = Note::parse(bytes).map_err(|e| e.to_string())?;
        assert_eq!(note.to_string().as_bytes(), bytes);
        note.verify(&keys.iter().collect::<Vec<_>>()).map(drop).map_err(|e| e.to_string())
    });
}

#[test]
fn checkpoints() {
    judge("checkpoints", &load("checkpoints"), |_, bytes| {
        let checkpoint = Checkpoint::parse(text(bytes)).map_err(|e| e.to_string())?;
        assert_eq!(checkpoint.to_string(), text(bytes));
        Ok(())
    });
}

#[test]
fn proofs() {
    let file = load("proofs");
    let quorum = usize::try_from(file["quorum"].as_u64().unwrap()).unwrap();
    let origin = file["origin"].as_str().unwrap();
    let trust = Trust::new(origin, vkey(&file["log"]), vkeys(&file["witnesses"]), quorum).unwrap();
    judge("proofs", &file["cases"], |case, bytes| {
        let proof = Proof::parse(bytes).map_err(|e| e.to_string())?;
        assert_eq!(proof.to_string().as_bytes(), bytes);
        let leaf = leaf_hash(&STANDARD.decode(case["leaf"].as_str().unwrap()).unwrap());
        proof.verify(&leaf, &trust).map(drop).map_err(|e| e.to_string())
    });
}

#[test]
fn paths_and_bundles() {
    judge("paths", &load("paths"), |_, bytes| {
        let path: TilePath =
            text(bytes).parse().map_err(|e: canvass_ledger::tile::TileError| e.to_string())?;
        assert_eq!(path.to_string(), text(bytes));
        Ok(())
    });
    judge("bundles", &load("bundles"), |case, bytes| {
        let width = usize::try_from(case["width"].as_u64().unwrap()).unwrap();
        let entries = decode_bundle(bytes, width).map_err(|e| e.to_string())?;
        assert_eq!(canvass_ledger::tile::encode_bundle(&entries).unwrap(), bytes);
        Ok(())
    });
}

#[test]
fn witness_requests() {
    let file = load("witness");
    let log = vkey(&file["log"]);
    let key = SignerKey::parse(file["witness"].as_str().unwrap()).unwrap();
    let at = file["at"].as_u64().unwrap();
    let mut wrong = Vec::new();
    for case in file["cases"].as_array().unwrap() {
        let logs = BTreeMap::from([(log.name().to_owned(), vec![log.clone()])]);
        let witness = Witness::new(vec![key.clone()], logs, MemWitnessState::default()).unwrap();
        let answer = wait(async {
            let first = witness.add_checkpoint(file["first"].as_str().unwrap().as_bytes(), at).await;
            assert_eq!(first.status(), 200);
            witness.add_checkpoint(&input(case), at + 1).await
        });
        let expected = case["answer"].as_str().unwrap();
        if u64::from(answer.status()) != case["status"].as_u64().unwrap()
            || (!expected.is_empty() && answer.body() != expected)
        {
            wrong.push(format!("{}: {answer:?}", case["name"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn cut_and_garbled_vectors_never_panic() {
    for name in ["notes", "proofs"] {
        for case in load(name)["cases"].as_array().unwrap() {
            let bytes = input(case);
            for cut in 0..bytes.len() {
                let _ = Note::parse(&bytes[..cut]);
                let _ = Proof::parse(&bytes[..cut]);
                if cut > 200 && cut % 7 != 0 {
                    continue;
                }
                let mut garbled = bytes.clone();
                garbled[cut] ^= 0x81;
                let _ = Proof::parse(&garbled);
                let _ = Note::parse(&garbled).map(|note| Checkpoint::parse(&note.text));
            }
        }
    }
}

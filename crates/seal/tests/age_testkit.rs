//! Every vector of the age test kit (C2SP/CCTV) but the post-quantum ones, through our decrypting reader.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

mod common;

use std::io::Read;

use canvass_seal::Identity;
use canvass_seal::crypt::{DecryptError, DecryptReader, Wrapping};
use sha2::{Digest, Sha256};

struct Vector {
    fields: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Vector {
    fn read(bytes: &[u8]) -> Self {
        let split = bytes.windows(2).position(|w| w == b"\n\n").unwrap();
        let head = std::str::from_utf8(&bytes[..split]).unwrap();
        let fields = head
            .lines()
            .map(|l| l.split_once(": ").unwrap())
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect();
        Self { fields, body: bytes[split + 2..].to_vec() }
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.fields.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str())
    }

    fn all(&self, key: &str) -> Vec<&str> {
        self.fields.iter().filter(|(k, _)| k == key).map(|(_, v)| v.as_str()).collect()
    }
}

fn class(error: &DecryptError) -> &'static str {
    match error {
        DecryptError::NotAge | DecryptError::BadHeader => "header failure",
        DecryptError::BadArmor => "armor failure",
        DecryptError::HeaderAltered => "HMAC failure",
        DecryptError::NoMatch { .. } => "no match",
        _ => "payload failure",
    }
}

#[test]
fn every_vector_but_the_post_quantum_ones() {
    let Some(kit) = common::eval("age-testkit") else { return };
    let (mut run, mut wrong, mut skipped) = (0, Vec::new(), Vec::new());
    let mut files: Vec<_> = std::fs::read_dir(kit).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        let mut vector = Vector::read(&std::fs::read(&file).unwrap());
        if name.contains("hybrid") {
            skipped.push(name);
            continue;
        }
        if vector.get("compressed") == Some("zlib") {
            let mut plain = Vec::new();
            flate2::read::ZlibDecoder::new(vector.body.as_slice()).read_to_end(&mut plain).unwrap();
            vector.body = plain;
        }
        run += 1;
        if let Err(why) = check(&vector) {
            wrong.push(format!("{name}: {why}"));
        }
    }
    println!("skipped: post-quantum recipients aren't supported yet: {}", skipped.join(" "));
    println!("run: {run} vectors");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(run >= 120, "only {run} vectors");
}

fn check(vector: &Vector) -> Result<(), String> {
    let expect = vector.get("expect").unwrap();
    let mut identities: Vec<Identity> = vector
        .all("identity")
        .into_iter()
        .map(|t| Identity::parse(t).map_err(|e| e.to_string()))
        .collect::<Result<_, _>>()?;
    identities.extend(vector.all("passphrase").into_iter().map(Identity::from_passphrase));
    let wrapping = if vector.get("armored").is_some() { Wrapping::Armored } else { Wrapping::Binary };
    let mut released = Vec::new();
    let outcome = decrypt(&vector.body, &identities, wrapping, &mut released);
    let payload = data_encoding::HEXLOWER.encode(&Sha256::digest(&released));
    if vector.get("payload").is_some_and(|p| p != payload) {
        return Err(format!("released {} bytes that aren't the payload", released.len()));
    }
    match outcome {
        Ok(()) if expect == "success" => Ok(()),
        Ok(()) => Err(format!("opened, and {expect} is expected")),
        Err(e) if class(&e) == expect => Ok(()),
        Err(e) => Err(format!("{expect} expected, found {}: {e}", class(&e))),
    }
}

fn decrypt(
    body: &[u8],
    identities: &[Identity],
    wrapping: Wrapping,
    released: &mut Vec<u8>,
) -> Result<(), DecryptError> {
    let mut reader = DecryptReader::new(body, identities, wrapping, None)?;
    let mut buffer = [0; 4096];
    loop {
        match reader.read_some(&mut buffer)? {
            0 => return Ok(()),
            n => released.extend_from_slice(&buffer[..n]),
        }
    }
}

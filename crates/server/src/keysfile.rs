//! `/ledger/keys.json`: which keys this Canvass says are its own.

use canvass_types::leaf::Log;
use serde_json::{Value, json};

use crate::desk::Desk;

/// The file's content.
pub fn of(desk: &Desk) -> Value {
    let log = |log: Log| {
        let key = desk.keys.log(log).verifier();
        json!({ "origin": key.name(), "vkey": key.to_string() })
    };
    let receipts = desk.keys.receipts_public();
    let public = data_encoding::BASE64.encode(desk.keys.receipts.verifying_key().as_bytes());
    let witnesses: Vec<String> = desk.identity.witnesses.iter().map(|each| each.key.to_string()).collect();
    json!({
        "v": 1,
        "name": desk.identity.name,
        "public_url": desk.identity.public_url,
        "logs": { "requests": log(Log::Requests), "oversight": log(Log::Oversight) },
        "receipts": { "id": receipts.name, "public": public, "vkey": receipts.vkey() },
        "witnesses": witnesses,
        "quorum": desk.identity.quorum,
    })
}

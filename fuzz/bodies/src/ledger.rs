//! The formats of C2SP that a ledger is read in.

use canvass_ledger::tile::{decode_bundle, encode_bundle};
use canvass_ledger::witness::AddCheckpoint;
use canvass_ledger::{Checkpoint, KeyKind, Note, Proof, SignedCheckpoint, SignerKey, TilePath, VerifierKey};
use canvass_seal::Recipient;
use canvass_seal::offer::OfferKey;
use canvass_seal::receipt::ServerKey;

use crate::{steer, text};

/// A note (C2SP signed-note) of any bytes: what is accepted is written back unchanged.
pub fn note(bytes: &[u8]) {
    if let Ok(note) = Note::parse(bytes) {
        assert_eq!(note.to_string().as_bytes(), bytes);
    }
}

/// A signed checkpoint (C2SP tlog-checkpoint) of any bytes: its text has one form only.
pub fn checkpoint(bytes: &[u8]) {
    if let Ok(signed) = SignedCheckpoint::parse(bytes) {
        assert_eq!(signed.checkpoint.to_string(), signed.note.text);
        assert_eq!(signed.to_string().as_bytes(), bytes);
    }
    if let Some(text) = text(bytes)
        && let Ok(checkpoint) = Checkpoint::parse(text)
    {
        assert_eq!(checkpoint.to_string(), text);
    }
}

/// A proof (C2SP tlog-proof) of any bytes: what is accepted reads the same once written back.
pub fn proof(bytes: &[u8]) {
    if let Ok(proof) = Proof::parse(bytes) {
        let again = Proof::parse(proof.to_string().as_bytes());
        assert!(again.is_ok_and(|again| again == proof));
    }
}

/// The path of a tile (C2SP tlog-tiles): no two paths for one tile.
pub fn tile_path(bytes: &[u8]) {
    if let Some(text) = text(bytes)
        && let Ok(path) = text.parse::<TilePath>()
    {
        assert_eq!(path.to_string(), text);
    }
}

/// A bundle of entries (C2SP tlog-tiles) of any bytes and width (the first byte): one encoding only.
pub fn bundle(bytes: &[u8]) {
    let (width, bytes) = steer(bytes);
    if let Ok(entries) = decode_bundle(bytes, usize::from(width)) {
        assert!(encode_bundle(&entries).is_ok_and(|again| again == bytes));
    }
}

/// What a log sends to a witness (C2SP tlog-witness), of any bytes: what is accepted is written back unchanged.
pub fn witness_request(bytes: &[u8]) {
    if let Ok(request) = AddCheckpoint::parse(bytes) {
        assert_eq!(request.to_body().as_bytes(), bytes);
    }
}

/// Keys in text form: one form for each, and no key that one crate takes and the other does not.
pub fn keys(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Ok(key) = VerifierKey::parse(text) {
        assert_eq!(key.to_string(), text);
    }
    if let Ok(key) = SignerKey::parse(text) {
        assert_eq!(*key.to_secret_text(), text);
    }
    let of_log = VerifierKey::parse(text.trim()).ok().filter(|key| key.kind() == KeyKind::Log);
    let of_server = ServerKey::parse(text).ok();
    assert_eq!(of_server.is_some(), of_log.is_some(), "a vkey that seal and ledger judge differently");
    if let (Some(server), Some(log)) = (of_server, of_log) {
        assert_eq!(server.vkey(), log.to_string());
    }
    if let Ok(key) = text.parse::<Recipient>() {
        assert_eq!(key.as_str(), text.trim());
    }
    if let Ok(key) = OfferKey::parse(text) {
        assert_eq!(key.text(), text);
        assert!(canvass_seal::offer::is_lookup(&key.lookup()));
    }
}

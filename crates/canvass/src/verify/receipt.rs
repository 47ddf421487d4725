//! `canvass verify receipt`: what a resident holds, checked with no network.

use std::path::{Path, PathBuf};

use canvass_ledger::leaf_hash;
use canvass_seal::receipt::{MAX_RECEIPT_BYTES, SignedReceipt};
use canvass_types::leaf::{Log, OversightLeaf};
use clap::Args;
use serde_json::json;

use super::keys::{KeysFile, MAX_KEYS};
use crate::common::{Context, Failure, exists, hash_file, read_limited};

const EXAMPLES: &str = "\
Examples:
  canvass verify receipt porch.receipt.json --keys keys.json
  canvass verify receipt porch.receipt.json --keys keys.json --envelope porch.age

Without --keys, porch.keys.json beside porch.receipt.json is taken (`canvass give` puts it there).";

/// Check a receipt, with no network: its signature, its ledger entry and proof, and its envelope
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct VerifyReceipt {
    /// The receipt
    #[arg(value_name = "FILE")]
    receipt: PathBuf,
    /// The ledgers' keys
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// The sealed envelope that was sent
    #[arg(long, value_name = "FILE")]
    envelope: Option<PathBuf>,
}

/// Runs it.
///
/// # Errors
/// The first thing that does not hold.
pub fn run(command: &VerifyReceipt, context: &Context) -> Result<(), Failure> {
    let limit = u64::try_from(MAX_RECEIPT_BYTES).unwrap_or(u64::MAX);
    let receipt = read(&read_limited(&command.receipt, limit)?)?;
    let file = command.keys.clone().or_else(|| beside(&command.receipt));
    let file = file.ok_or_else(|| {
        Failure::usage("no keys: give --keys FILE with the keys.json of the Canvass that the receipt is from")
    })?;
    let keys = KeysFile::parse(&read_limited(&file, MAX_KEYS)?)?;
    check(&receipt, &keys)?;
    let envelope = match &command.envelope {
        Some(path) => {
            envelope_is(path, &receipt)?;
            true
        }
        None => false,
    };
    let told = &receipt.receipt;
    let console = context.console();
    console.line(format!("The receipt holds: signed by {}, its entry is in the oversight ledger.", told.key));
    console.line(format!("  offer       {}", told.offer));
    console.line(format!("  given to    {}", told.destination_id));
    console.line(format!("  received    {}", told.received_at));
    console.line(format!("  envelope    {} bytes, SHA-256 {}", told.ciphertext_len, told.ciphertext_sha256));
    if envelope {
        console.line("  the envelope given is the one received");
    }
    console.result(&json!({
        "holds": true, "offer": told.offer, "destination": told.destination_id, "received": told.received_at,
        "sha256": told.ciphertext_sha256, "bytes": told.ciphertext_len, "envelope_checked": envelope,
    }))
}

fn beside(receipt: &Path) -> Option<PathBuf> {
    let name = receipt.file_name()?.to_str()?.strip_suffix(".receipt.json")?;
    Some(receipt.with_file_name(format!("{name}.keys.json"))).filter(|path| exists(path))
}

/// Reads a receipt.
///
/// # Errors
/// It is none.
pub fn read(bytes: &[u8]) -> Result<SignedReceipt, Failure> {
    let text =
        std::str::from_utf8(bytes).map_err(|_| Failure::new("receipt: it isn't text; download it again"))?;
    Ok(SignedReceipt::parse(text)?)
}

/// Checks a receipt against keys: its signature, what its ledger entry commits to, and the proof of that entry.
///
/// # Errors
/// The first thing that does not hold.
pub fn check(receipt: &SignedReceipt, keys: &KeysFile) -> Result<(), Failure> {
    let server = keys.receipt_key()?;
    let trust = keys.trust_alone(Log::Oversight)?;
    receipt.verify(&server, |proof, leaf| {
        let proof = canvass_ledger::Proof::parse(proof.as_bytes()).map_err(|error| error.to_string())?;
        proof.verify(&leaf_hash(leaf), &trust).map(drop).map_err(|error| error.to_string())
    })?;
    let told = &receipt.receipt;
    let leaf: OversightLeaf = serde_json::from_slice(&told.leaf_bytes()?).map_err(|_| {
        Failure::new("receipt: its entry is no entry of an oversight ledger; tell an overseer")
    })?;
    if leaf.subject != told.offer {
        return Err(Failure::new(
            "receipt: its ledger entry is of another offer; keep it and tell an overseer",
        ));
    }
    record_agrees(receipt)
}

// The record is what the ledger commits to: it must say what the receipt says.
fn record_agrees(receipt: &SignedReceipt) -> Result<(), Failure> {
    let told = &receipt.receipt;
    let detail = told.record.get("detail").unwrap_or(&told.record);
    let expected = [
        ("offer", json!(told.offer)),
        ("destination", json!(told.destination_id)),
        ("ciphertext_sha256", json!(told.ciphertext_sha256)),
        ("ciphertext_bytes", json!(told.ciphertext_len)),
    ];
    for (name, value) in expected {
        if detail.get(name).is_some_and(|found| *found != value) {
            return Err(Failure::new(format!(
                "receipt: the record in the ledger has another {name} than the receipt; keep it and tell an overseer"
            )));
        }
    }
    let digest = detail.get("ciphertext_sha256").is_some();
    if digest {
        Ok(())
    } else {
        Err(Failure::new("receipt: its record doesn't name the envelope; tell an overseer"))
    }
}

/// Checks that a file is the envelope of a receipt.
///
/// # Errors
/// It is another.
pub fn envelope_is(path: &Path, receipt: &SignedReceipt) -> Result<(), Failure> {
    let (digest, bytes) = hash_file(path)?;
    let told = &receipt.receipt;
    if bytes == told.ciphertext_len && digest.to_string() == told.ciphertext_sha256 {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{}: it is not the envelope of this receipt; give the .age file that was sent",
        path.display()
    )))
}

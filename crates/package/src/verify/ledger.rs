//! The ledgers: signed heads, and for each entry that the bundle relies on a proof under exactly that head.

use std::collections::BTreeMap;

use canvass_ledger::{Checkpoint, Proof, Trust, VerifierKey, leaf_hash};
use canvass_types::{
    Digest, canonical,
    leaf::{Log, OversightLeaf, RequestsLeaf},
};

use crate::count;
use crate::{
    layout,
    model::{LedgerFiles, LedgerKeys, LogKey},
    report::Report,
};

/// Entries that are proven to stand in the ledgers.
#[derive(Default)]
pub(super) struct Proven {
    /// Of the requests ledger, in its order.
    pub(super) requests: BTreeMap<u64, RequestsLeaf>,
    /// Of the oversight ledger, by commitment.
    pub(super) oversight: BTreeMap<Digest, (u64, OversightLeaf)>,
    /// Canonical JSON of all of them, by ledger.
    pub(super) texts: BTreeMap<(Log, String), u64>,
}

impl Proven {
    pub(super) fn has(&self, log: Log, leaf: &str) -> bool {
        self.texts.contains_key(&(log, leaf.to_owned()))
    }
}

/// Checks heads and proofs; what does not hold is not among the proven.
pub(super) fn check(
    files: &LedgerFiles,
    own: Option<&LedgerKeys>,
    pinned: Option<&LedgerKeys>,
    report: &mut Report,
) -> Proven {
    if let (Some(own), Some(pinned)) = (own, pinned) {
        for log in Log::ALL {
            if key_of(own, log) != key_of(pinned, log) {
                report.defect(
                    layout::KEYS,
                    format!("the key of the {} ledger is not the one given", log.as_str()),
                    "the bundle is of another server, or its ledger is not the one that the public sees",
                );
            }
        }
    }
    let Some(keys) = pinned.or(own) else { return Proven::default() };
    let mut proven = Proven::default();
    for log in Log::ALL {
        let text = match log {
            Log::Requests => &files.requests_checkpoint,
            Log::Oversight => &files.oversight_checkpoint,
        };
        let Some((trust, head)) = head(log, text, keys, report) else { continue };
        prove(log, files, &trust, &head, &mut proven, report);
    }
    report.facts.proofs = proven.texts.len();
    proven
}

fn key_of(keys: &LedgerKeys, log: Log) -> &LogKey {
    match log {
        Log::Requests => &keys.logs.requests,
        Log::Oversight => &keys.logs.oversight,
    }
}

fn head(log: Log, text: &str, keys: &LedgerKeys, report: &mut Report) -> Option<(Trust, Checkpoint)> {
    let key = key_of(keys, log);
    let mut refuse = |reason: String| {
        report.defect(layout::KEYS, reason, "take keys.json from the server, or from someone who kept it");
        None
    };
    let log_key = match VerifierKey::parse(&key.vkey) {
        Ok(key) => key,
        Err(error) => return refuse(format!("{} ledger: {error}", log.as_str())),
    };
    let witnesses: Result<Vec<_>, _> = keys.witnesses.iter().map(|vkey| VerifierKey::parse(vkey)).collect();
    let witnesses = match witnesses {
        Ok(witnesses) => witnesses,
        Err(error) => return refuse(format!("witness: {error}")),
    };
    let fingerprint = Digest::of(log_key.public()).to_string();
    let trust = match Trust::new(key.origin.clone(), log_key, witnesses, keys.quorum) {
        Ok(trust) => trust,
        Err(error) => return refuse(format!("{} ledger: {error}", log.as_str())),
    };
    report.fingerprints.push((key.origin.clone(), fingerprint));
    match trust.check(text.as_bytes()) {
        Ok(trusted) => {
            let seen: Vec<String> = trusted.cosigned.iter().map(|(name, _)| name.clone()).collect();
            let by = if seen.is_empty() { "no witness".to_owned() } else { seen.join(", ") };
            let size = trusted.signed.checkpoint.size;
            report.facts.witnesses.push(format!(
                "{}: {}, cosigned by {by}",
                key.origin,
                count(size, "entry", "entries")
            ));
            Some((trust, trusted.signed.checkpoint))
        }
        Err(error) => {
            report.defect(
                layout::checkpoint(log),
                error.to_string(),
                "without a signed head no entry of this ledger is proven",
            );
            None
        }
    }
}

fn prove(
    log: Log,
    files: &LedgerFiles,
    trust: &Trust,
    head: &Checkpoint,
    proven: &mut Proven,
    report: &mut Report,
) {
    for (place, entry) in files.proofs.iter().enumerate().filter(|(_, entry)| entry.log == log) {
        let mut refuse = |what: String| {
            report.defect(
                layout::PROOFS,
                format!("proof {place} ({} entry {}): {what}", log.as_str(), entry.index),
                "this entry is not proven to stand in the ledger",
            );
        };
        let proof = match Proof::parse(entry.proof.as_bytes()) {
            Ok(proof) => proof,
            Err(error) => {
                refuse(error.to_string());
                continue;
            }
        };
        if proof.index != entry.index {
            refuse("the proof is for another index".into());
            continue;
        }
        if (&proof.checkpoint.checkpoint.root, proof.checkpoint.checkpoint.size) != (&head.root, head.size) {
            refuse(format!("the proof is not under the head in {}", layout::checkpoint(log)));
            continue;
        }
        if let Err(error) = proof.verify(&leaf_hash(entry.leaf.as_bytes()), trust) {
            refuse(error.to_string());
            continue;
        }
        if proven.texts.insert((log, entry.leaf.clone()), entry.index).is_some() {
            refuse("it is proven twice".into());
        }
        if let Err(what) = keep(log, entry.index, &entry.leaf, proven) {
            refuse(what);
        }
    }
}

/// Reads an entry. It must be in canonical form, or two readers might see two things in it.
fn keep(log: Log, index: u64, leaf: &str, proven: &mut Proven) -> Result<(), String> {
    let same = |bytes: Result<Vec<u8>, serde_json::Error>| bytes.is_ok_and(|bytes| bytes == leaf.as_bytes());
    match log {
        Log::Requests => {
            let parsed: RequestsLeaf =
                serde_json::from_str(leaf).map_err(|error| format!("no entry of this ledger: {error}"))?;
            if !same(canonical(&parsed)) {
                return Err("the entry is not canonical JSON".into());
            }
            proven.requests.insert(index, parsed);
        }
        Log::Oversight => {
            let parsed: OversightLeaf =
                serde_json::from_str(leaf).map_err(|error| format!("no entry of this ledger: {error}"))?;
            if !same(canonical(&parsed)) {
                return Err("the entry is not canonical JSON".into());
            }
            proven.oversight.insert(parsed.commitment, (index, parsed));
        }
    }
    Ok(())
}

/// The ledger entry that commits to a record, when it says what the record says.
pub(super) fn opens(
    proven: &Proven,
    body: &canvass_core::records::AuditBody,
    salt: &str,
) -> Result<u64, String> {
    let salt: [u8; 32] = data_encoding::BASE64
        .decode(salt.as_bytes())
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or("its salt is not 32 bytes of base64")?;
    let record = serde_json::to_value(body).map_err(|error| error.to_string())?;
    let commitment = canvass_types::commitment::commitment(&salt, &record);
    let (index, leaf) = proven
        .oversight
        .get(&commitment)
        .ok_or("no proven entry of the oversight ledger commits to this record")?;
    // A pseudonym stands for a subject that would tell who; the commitment binds it all the same.
    let subject = if leaf.subject.starts_with("psn_") { &leaf.subject } else { &body.subject };
    let told = (&body.action, &body.agency, subject, body.at.hour());
    if told != (&leaf.kind, &leaf.agency, &leaf.subject, leaf.hour.clone()) {
        return Err("its ledger entry speaks of another action, agency, subject or hour".into());
    }
    Ok(*index)
}

//! The file of a disclosure: opened fields of records, with a proof of each record's ledger entry; and its check, which asks
//! nobody.

use std::{collections::BTreeMap, fmt};

use canvass_core::disclosure::{Disclosed, Disclosure};
use canvass_ledger::{Proof, Trust, leaf_hash};
use canvass_types::{
    canonical,
    commitment::reopened,
    leaf::{Log, OversightLeaf},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{LedgerProof, count};

/// What `canvass disclose` writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DisclosureFile {
    /// Version of this form: 1.
    pub v: u32,
    /// Program and version that made it.
    pub made_with: String,
    /// The records, as far as they are opened.
    pub disclosure: Disclosure,
    /// A proof for each record's entry.
    pub proofs: Vec<LedgerProof>,
    /// `keys.json` of the server.
    pub keys: Value,
}

/// A record that holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shown {
    /// Place of its entry in the oversight ledger.
    pub index: u64,
    /// Its entry.
    pub leaf: OversightLeaf,
    /// What is opened of it.
    pub fields: BTreeMap<String, Value>,
}

/// What the check of a disclosure found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DisclosureReport {
    /// Who got it.
    pub to: String,
    /// By which right.
    pub basis: String,
    /// Records that hold, in the order of the file.
    pub records: Vec<Shown>,
    /// Everything that does not hold.
    pub defects: Vec<String>,
    /// Witnesses that cosigned every head that a proof leads to.
    pub witnesses: Vec<String>,
}

impl DisclosureReport {
    /// Whether everything holds.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.defects.is_empty()
    }
}

impl fmt::Display for DisclosureReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Disclosed to {}; basis: {}", self.to, self.basis)?;
        for shown in &self.records {
            writeln!(f, "entry {}  {}  {}", shown.index, shown.leaf.hour, shown.leaf.kind)?;
            for (path, value) in &shown.fields {
                writeln!(
                    f,
                    "  {path:<16} {}",
                    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
                )?;
            }
        }
        let by = if self.witnesses.is_empty() { "no witness".to_owned() } else { self.witnesses.join(", ") };
        writeln!(
            f,
            "{} in the oversight ledger, cosigned by {by}",
            count(self.records.len(), "record holds, its entry is", "records hold, their entries are")
        )?;
        for defect in &self.defects {
            writeln!(f, "DEFECT: {defect}")?;
        }
        Ok(())
    }
}

/// Checks a disclosure: each record's fields, opened and shut, lead to the commitment of its entry; what is opened says what
/// the entry says; and the entry is proven to stand in the ledger.
#[must_use]
pub fn verify_disclosure(file: &DisclosureFile, trust: &Trust) -> DisclosureReport {
    let told = &file.disclosure;
    let mut report = DisclosureReport {
        to: told.to.clone(),
        basis: told.basis.clone(),
        records: Vec::new(),
        defects: Vec::new(),
        witnesses: Vec::new(),
    };
    if file.v != 1 {
        report.defects.push(format!("version {} is not read here; use a newer canvass", file.v));
        return report;
    }
    let proofs: BTreeMap<&str, &LedgerProof> = file
        .proofs
        .iter()
        .filter(|proof| proof.log == Log::Oversight)
        .map(|proof| (proof.leaf.as_str(), proof))
        .collect();
    let mut cosigned: Option<Vec<String>> = None;
    for (place, record) in told.records.iter().enumerate() {
        let checked = agrees(record).and_then(|leaf| proven(&leaf, &proofs, trust));
        match checked {
            Ok((index, by)) => {
                let both = cosigned.map(|known| known.into_iter().filter(|name| by.contains(name)).collect());
                cosigned = Some(both.unwrap_or(by));
                let fields = record.opened.iter().map(|(path, field)| (path.clone(), field.value.clone()));
                report.records.push(Shown { index, leaf: record.leaf.clone(), fields: fields.collect() });
            }
            Err(reason) => report.defects.push(format!("record {}: {reason}", place + 1)),
        }
    }
    if let Err(reason) = own(told) {
        report.defects.push(reason);
    }
    report.witnesses = cosigned.unwrap_or_default();
    report
}

/// The entry as canonical JSON, when it and the record say the same.
fn agrees(record: &Disclosed) -> Result<String, String> {
    let leaf = &record.leaf;
    let commitment = reopened(&record.opened, &record.shut)
        .ok_or("a field is opened and shut at once, or a salt is damaged")?;
    if commitment != leaf.commitment {
        return Err(
            "its fields do not lead to the commitment of its entry: something was altered, added or left out"
                .into(),
        );
    }
    let says = |path: &str, expected: Option<&str>| match record.opened.get(path).map(|field| &field.value) {
        Some(value) if value.as_str() != expected => Err(format!("its {path} is not that of its entry")),
        _ => Ok(()),
    };
    says("action", Some(&leaf.kind))?;
    says("agency", leaf.agency.as_ref().map(|id| id.as_str()))?;
    if !leaf.subject.starts_with("psn_") {
        says("subject", Some(&leaf.subject))?;
    }
    if leaf.purpose.is_some() {
        says("purpose.class", leaf.purpose.as_deref())?;
    }
    let at = record.opened.get("at").and_then(|field| field.value.as_str());
    let hour = |text: &str| text.parse::<canvass_types::Time>().ok().map(|at| at.hour());
    if at.is_some_and(|at| hour(at).as_ref() != Some(&leaf.hour)) {
        return Err("its moment is not in the hour of its entry".into());
    }
    let bytes = canonical(leaf).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|_| "its entry is no text".into())
}

fn proven(
    leaf: &str,
    proofs: &BTreeMap<&str, &LedgerProof>,
    trust: &Trust,
) -> Result<(u64, Vec<String>), String> {
    let entry = proofs.get(leaf).ok_or("no proof of its entry is in the file")?;
    let proof = Proof::parse(entry.proof.as_bytes()).map_err(|error| error.to_string())?;
    if proof.index != entry.index {
        return Err("the proof is for another place".into());
    }
    let trusted = proof.verify(&leaf_hash(leaf.as_bytes()), trust).map_err(|error| error.to_string())?;
    Ok((entry.index, trusted.cosigned.iter().map(|(name, _)| name.clone()).collect()))
}

/// The last record is of this disclosure: it names who got what, and how many.
fn own(told: &Disclosure) -> Result<(), String> {
    let wrong = || {
        "the last record is not of this disclosure; who got it by which right is not as the ledger has it"
            .to_owned()
    };
    let last = told.records.last().ok_or_else(wrong)?;
    let says = |path: &str| last.opened.get(path).map(|field| &field.value);
    let listed = says("detail.records").and_then(Value::as_array).map(Vec::len);
    let same = says("action").and_then(Value::as_str) == Some("disclosure.make")
        && says("detail.to").and_then(Value::as_str) == Some(told.to.as_str())
        && says("detail.basis").and_then(Value::as_str) == Some(told.basis.as_str())
        && says("agency").and_then(Value::as_str) == Some(told.agency.as_str())
        && listed == told.records.len().checked_sub(1);
    if same { Ok(()) } else { Err(wrong()) }
}

//! Checking a bundle with nothing but its files, and the ledgers' keys where the verifier has them.

mod asked;
mod bag;
mod chains;
mod copies;
mod derived;
mod evidence;
mod ledger;
mod reads;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use canvass_core::{custody::CustodyView, records::AuditRecord};
use canvass_types::Policy;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    layout,
    model::{CaseFile, Contents, DestinationFile, LedgerFiles, LedgerKeys, LedgerProof, ReceiptFile},
    report::{KeySource, Report},
};

/// Longest file of records that is read.
const MOST_BYTES: u64 = 512 * 1024 * 1024;

const AGAIN: &str = "the bundle is damaged or was altered; get it again from whoever made it";

/// Checks a bundle with the keys that it holds itself; the report names their fingerprints.
#[must_use]
pub fn verify(dir: &Path) -> Report {
    run(dir, None)
}

/// Checks a bundle with the keys of the ledgers that the verifier has from elsewhere.
#[must_use]
pub fn verify_pinned(dir: &Path, keys: &LedgerKeys) -> Report {
    run(dir, Some(keys))
}

fn run(dir: &Path, pinned: Option<&LedgerKeys>) -> Report {
    let mut report = Report::new(if pinned.is_some() { KeySource::Pinned } else { KeySource::Bundle });
    let Some(files) = bag::check(dir, &mut report) else { return report.finish() };
    let Some(mut bundle) = Bundle::load(dir, &files, &mut report) else { return report.finish() };
    facts(&bundle.contents, &files, &mut report);
    bag::nothing_extra(&bundle, &files, &mut report);
    let keys = bundle.keys.take();
    let ledger = ledger::check(&bundle.contents.ledger, keys.as_ref(), pinned, &mut report);
    let records = chains::records(&bundle.contents, &ledger, &mut report);
    chains::check(&bundle.contents, &records, &mut report);
    evidence::check(&bundle.contents, &files, &ledger, &mut report);
    reads::check(&bundle.contents, &files, &mut report);
    asked::check(&bundle.contents, &ledger, &mut report);
    derived::check(&bundle, &mut report);
    report.finish()
}

fn facts(contents: &Contents, files: &bag::Files, report: &mut Report) {
    let case = &contents.case;
    let facts = &mut report.facts;
    facts.case = case.case.to_string();
    facts.title.clone_from(&case.title);
    facts.agency.clone_from(&case.agency.name);
    facts.exported = case.exported.to_string();
    facts.offers = case.offers.len();
    facts.destinations = contents.destinations.len();
    facts.bytes =
        files.iter().filter(|(path, _)| path.starts_with("data/")).map(|(_, file)| file.bytes).sum();
    if case.v != 1 {
        report.defect(layout::CASE, format!("version {} isn't read here", case.v), "use a newer verifier");
    }
}

/// A bundle that was read.
pub(super) struct Bundle {
    dir: PathBuf,
    contents: Contents,
    keys: Option<LedgerKeys>,
}

impl Bundle {
    /// Reads all records. What can't be read is a defect and is left out; without a table of contents nothing more
    /// can be said.
    fn load(dir: &Path, files: &bag::Files, report: &mut Report) -> Option<Self> {
        let mut reader = Reader { dir, report };
        let case: CaseFile = reader.json(layout::CASE)?;
        let mut subjects: Vec<String> = case.items.iter().map(|item| item.id.to_string()).collect();
        subjects.extend(case.offers.iter().map(|offer| offer.id.to_string()));
        subjects.extend(case.reads.iter().map(|kept| kept.id.to_string()));
        let custody: Vec<CustodyView> =
            subjects.iter().filter_map(|id| reader.json(&layout::custody(id, "json"))).collect();
        let destinations: Vec<DestinationFile> =
            case.destinations.iter().filter_map(|id| reader.json(&layout::destination(id))).collect();
        let receipts: Vec<ReceiptFile> =
            case.offers.iter().filter_map(|offer| reader.json(&layout::receipt(offer.id.as_str()))).collect();
        let consents = case.offers.iter().filter_map(|offer| {
            let path = layout::consent(offer.id.as_str());
            // Of an offer of which nothing was accepted there is no consent in a bundle.
            files.contains_key(&path).then(|| Some((offer.id.clone(), reader.bytes(&path)?))).flatten()
        });
        let consents: Vec<_> = consents.collect();
        let kept = case.reads.iter().filter(|kept| kept.destroyed.is_none());
        let kept =
            kept.filter_map(|kept| Some((kept.id.clone(), reader.bytes(&layout::reads(kept.id.as_str()))?)));
        let reads: Vec<_> = kept.collect();
        let audit: Vec<AuditRecord> = reader.json(layout::AUDIT).unwrap_or_default();
        let policy: Option<Policy> = reader.json(layout::POLICY);
        let proofs: Vec<LedgerProof> = reader.json(layout::PROOFS).unwrap_or_default();
        let key_text = reader.bytes(layout::KEYS);
        let keys_value: Value =
            key_text.as_ref().and_then(|bytes| serde_json::from_slice(bytes).ok()).unwrap_or_default();
        let ledger = LedgerFiles {
            requests_checkpoint: reader.text(layout::REQUESTS).unwrap_or_default(),
            oversight_checkpoint: reader.text(layout::OVERSIGHT).unwrap_or_default(),
            proofs,
            keys: keys_value,
        };
        let keys = key_text.and_then(|bytes| match LedgerKeys::parse(layout::KEYS, &bytes) {
            Ok(keys) => Some(keys),
            Err(error) => {
                report.defect(layout::KEYS, error.to_string(), AGAIN);
                None
            }
        });
        let policy = policy?;
        let contents =
            Contents { case, destinations, consents, reads, custody, receipts, audit, policy, ledger };
        Some(Self { dir: dir.to_owned(), contents, keys })
    }
}

struct Reader<'a> {
    dir: &'a Path,
    report: &'a mut Report,
}

impl Reader<'_> {
    fn bytes(&mut self, path: &str) -> Option<Vec<u8>> {
        match read(&self.dir.join(path)) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                let what = if error.kind() == std::io::ErrorKind::NotFound {
                    "is missing".into()
                } else {
                    format!("can't be read: {error}")
                };
                self.report.defect(path, what, AGAIN);
                None
            }
        }
    }

    fn text(&mut self, path: &str) -> Option<String> {
        let bytes = self.bytes(path)?;
        let text = String::from_utf8(bytes).ok();
        if text.is_none() {
            self.report.defect(path, "is not text", AGAIN);
        }
        text
    }

    /// JSON in exactly the form that it has: a field too many would be a place to hide something.
    fn json<T: DeserializeOwned + Serialize>(&mut self, path: &str) -> Option<T> {
        let bytes = self.bytes(path)?;
        let raw: Value = match serde_json::from_slice(&bytes) {
            Ok(raw) => raw,
            Err(error) => {
                self.report.defect(path, format!("is not JSON: {error}"), AGAIN);
                return None;
            }
        };
        let parsed: T = match serde_json::from_value(raw.clone()) {
            Ok(parsed) => parsed,
            Err(error) => {
                self.report.defect(path, format!("has not its form: {error}"), AGAIN);
                return None;
            }
        };
        if serde_json::to_value(&parsed).ok().as_ref() != Some(&raw) {
            self.report.defect(
                path,
                "has fields that don't belong there",
                "what is added proves nothing; get the bundle again",
            );
        }
        Some(parsed)
    }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if read as u64 > MOST_BYTES {
        return Err(std::io::Error::other("it has more than 512 MiB"));
    }
    Ok(bytes)
}

/// By key, the first of each; a second one is a defect.
fn unique<'a, T>(
    file: &str,
    all: &'a [T],
    key: impl Fn(&T) -> String,
    report: &mut Report,
) -> BTreeMap<String, &'a T> {
    let mut map = BTreeMap::new();
    for each in all {
        let key = key(each);
        if map.insert(key.clone(), each).is_some() {
            report.defect(file, format!("{key} stands there twice"), AGAIN);
        }
    }
    map
}

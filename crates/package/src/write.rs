//! Writing a bundle into a folder. Nothing is there under its own name before all of it is.

use std::io::Read;
use std::path::Path;

use canvass_seal::bag::{BagDirWriter, BagInfo, WriteError};
use serde::Serialize;

use super::{
    csv, jsonld, layout,
    model::{Contents, ItemFile, ModelError},
    pdf, readme,
};

/// Why a bundle can't be written. Nothing is left of it.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// The bag.
    #[error(transparent)]
    Bag(#[from] WriteError),
    /// What the desk exported.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A value without JSON.
    #[error("{file}: {source}; report this as a bug")]
    Json {
        /// Which file.
        file: String,
        /// What the writer said.
        source: serde_json::Error,
    },
    /// The original of an item.
    #[error("item {item}: {reason}; open the item again, and tell an administrator if it stays so")]
    Original {
        /// Which item.
        item: String,
        /// What is wrong.
        reason: String,
    },
}

/// A bundle that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Written {
    /// Files of payload.
    pub files: usize,
    /// Bytes of payload.
    pub bytes: u64,
    /// SHA-256 of the tag manifest: names the whole bundle.
    pub digest: String,
}

/// The JSON of a file in a bundle: indented, with a line end.
pub(super) fn json<T: Serialize>(file: &str, value: &T) -> Result<Vec<u8>, PackageError> {
    let failed = |source| PackageError::Json { file: file.to_owned(), source };
    let mut bytes = serde_json::to_vec_pretty(value).map_err(failed)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Every file but the recordings, with its path below `data/`.
pub(super) fn records(contents: &Contents) -> Result<Vec<(String, Vec<u8>)>, PackageError> {
    let mut files = Vec::new();
    let mut add = |path: String, bytes: Vec<u8>| files.push((path, bytes));
    for each in &contents.destinations {
        let path = layout::destination(each.id());
        add(path.clone(), json(&path, each)?);
    }
    for (offer, consent) in &contents.consents {
        add(layout::consent(offer.as_str()), consent.clone());
    }
    for (id, bytes) in &contents.reads {
        add(layout::reads(id.as_str()), bytes.clone());
    }
    for chain in &contents.custody {
        let path = layout::custody(&chain.subject, "json");
        add(path.clone(), json(&path, chain)?);
        add(layout::custody(&chain.subject, "csv"), csv::render(&contents.case, chain));
    }
    for receipt in &contents.receipts {
        let path = layout::receipt(receipt.offer.as_str());
        add(path.clone(), json(&path, receipt)?);
    }
    add(layout::CASE.into(), json(layout::CASE, &contents.case)?);
    add(layout::AUDIT.into(), json(layout::AUDIT, &contents.audit)?);
    add(layout::POLICY.into(), json(layout::POLICY, &contents.policy)?);
    add(layout::PROOFS.into(), json(layout::PROOFS, &contents.ledger.proofs)?);
    add(layout::KEYS.into(), json(layout::KEYS, &contents.ledger.keys)?);
    add(layout::REQUESTS.into(), contents.ledger.requests_checkpoint.clone().into_bytes());
    add(layout::OVERSIGHT.into(), contents.ledger.oversight_checkpoint.clone().into_bytes());
    add(layout::PDF.into(), pdf::render(contents));
    add(layout::JSONLD.into(), json(layout::JSONLD, &jsonld::graph(contents))?);
    Ok(files)
}

/// Writes a bundle into a new folder. `original` gives the bytes of an item, which are hashed once more on their way.
///
/// # Errors
/// See [`PackageError`].
pub fn write(
    dir: &Path,
    contents: &Contents,
    original: &mut dyn FnMut(&ItemFile) -> std::io::Result<Box<dyn Read>>,
) -> Result<Written, PackageError> {
    let mut bag = BagDirWriter::new(dir)?;
    for item in contents.case.items.iter().filter(|item| item.destroyed.is_none()) {
        let wrong = |reason: String| PackageError::Original { item: item.id.to_string(), reason };
        let mut source = original(item).map_err(|error| wrong(error.to_string()))?;
        let path = layout::recording(item);
        let found = bag.payload(below_data(&path), &mut source)?;
        if found != item.sha256.0 {
            return Err(wrong("its SHA-256 is not the one recorded".into()));
        }
    }
    for (path, bytes) in records(contents)? {
        bag.payload(below_data(&path), &mut bytes.as_slice())?;
    }
    bag.tag(layout::README, readme::render(&contents.case).as_bytes())?;
    let summary = bag.finish(&BagInfo {
        bagging_date: contents.case.exported.day(),
        software_agent: contents.case.made_with.clone(),
        external_identifier: Some(contents.case.case.to_string()),
        more: Vec::new(),
    })?;
    Ok(Written {
        files: summary.payload.len(),
        bytes: summary.payload.iter().fold(0, |sum, (_, bytes, _)| sum.saturating_add(*bytes)),
        digest: canvass_types::Digest(summary.tagmanifest_sha256).to_string(),
    })
}

fn below_data(path: &str) -> &str {
    path.strip_prefix("data/").unwrap_or(path)
}

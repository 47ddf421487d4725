//! Holds the published texts of policy against what is in force, and writes what everybody may know of how this Canvass is
//! set up: `/transparency.json`, the texts under `/texts/`, and the part of the page that is read without script.

use canvass_core::ports::Records as _;
use canvass_types::{Digest, canonical, leaf::Log};

use super::{JobError, Round};
use crate::{
    desk::Desk,
    files::{self, Copies},
    reading,
};

/// The summary.
const PATH: &str = "transparency.json";
/// The part of the page that is read without script.
pub(crate) const READING: &str = "transparency.html";

/// What all of the summary follows from: every change of a record that it counts leaves an entry in a ledger, and what
/// begins or ends by itself does so within a minute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    sizes: [u64; 2],
    minute: i64,
    /// What the texts' files follow from.
    texts: Digest,
}

/// One comparison, and new files where something changed.
///
/// # Errors
/// The store's or the disk's; the next round does it again.
pub async fn round(desk: &Desk) -> Result<Round, JobError> {
    let compared = desk.app.compare_texts().await?;
    if compared.raised + compared.cleared > 0 {
        desk.changed.notify_one();
        tracing::warn!(
            raised = compared.raised,
            cleared = compared.cleared,
            "published texts were held against the settings in force"
        );
    }
    let records = desk.app.records();
    let sizes = [records.ledger_size(Log::Requests).await?, records.ledger_size(Log::Oversight).await?];
    let minute = desk.clock.now().as_second().div_euclid(60);
    let mut held = desk.transparency.lock().await;
    if held.as_ref().is_none_or(|held| (held.sizes, held.minute) != (sizes, minute)) {
        let texts = write(desk, held.as_ref().map(|held| held.texts)).await?;
        *held = Some(Seen { sizes, minute, texts });
    }
    Ok(if compared.again { Round::Again } else { Round::Rest })
}

/// Writes the summary; the texts only when they, or what they are held against, are others than before: to look for hints in
/// all of them takes a while.
async fn write(desk: &Desk, before: Option<Digest>) -> Result<Digest, JobError> {
    let summary = desk.app.transparency().await?;
    let shown: Vec<_> = summary.agencies.iter().map(|each| (&each.id, &each.texts, &each.sharing)).collect();
    let of = canonical(&(&summary.policy, &summary.rules, &summary.deployment.texts, shown));
    let texts = Digest::of(&of.map_err(|error| JobError::Content(error.to_string()))?);
    if before != Some(texts) {
        for (owner, texts) in &desk.app.published_texts().await? {
            let path = desk.public(&format!("texts/{owner}.json"));
            files::write_json(path, &serde_json::json!({ "v": 1, "texts": texts })).await?;
        }
    }
    files::write(desk.public(READING), reading::transparency(&summary), Copies::Plain).await?;
    let bytes = canonical(&summary).map_err(|error| JobError::Content(error.to_string()))?;
    files::write(desk.public(PATH), bytes, Copies::Packed).await?;
    Ok(texts)
}

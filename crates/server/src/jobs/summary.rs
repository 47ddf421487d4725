//! Counts of the ledgers' entries by month, agency and type, for those who would rather look than read: `/ledger/summary.json`.
//! The counts go on from the file that is there; they are no proof, and anyone who counts the entries gets the same.

use std::collections::BTreeMap;

use canvass_types::leaf::Log;
use serde::{Deserialize, Serialize};

use super::{JobError, Round};
use crate::{
    desk::Desk,
    files::{self, Copies},
};

/// The file's version.
const VERSION: u32 = 1;
/// The file.
const PATH: &str = "ledger/summary.json";
/// Entries read at once.
const BATCH: u64 = 1_024;
/// Batches of one round, so that a first count of a long ledger lets other work through.
const BATCHES: u32 = 16;

/// Both ledgers' counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    v: u32,
    requests: Tally,
    oversight: Tally,
}

/// The counts of one ledger's first entries.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, from = "Counted", into = "Counted")]
struct Tally {
    size: u64,
    counts: BTreeMap<Kind, u64>,
}

/// What is counted together: month, agency, type.
type Kind = (String, Option<String>, String);

/// A tally as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Counted {
    size: u64,
    counts: Vec<Count>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Count {
    month: String,
    agency: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    n: u64,
}

impl From<Counted> for Tally {
    fn from(counted: Counted) -> Self {
        let counts =
            counted.counts.into_iter().map(|one| ((one.month, one.agency, one.kind), one.n)).collect();
        Self { size: counted.size, counts }
    }
}

impl From<Tally> for Counted {
    fn from(tally: Tally) -> Self {
        let count = |((month, agency, kind), n)| Count { month, agency, kind, n };
        Self { size: tally.size, counts: tally.counts.into_iter().map(count).collect() }
    }
}

/// What the entries of both ledgers have in common.
#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    kind: String,
    agency: Option<String>,
    at: Option<String>,
    hour: Option<String>,
}

impl Tally {
    fn take(&mut self, entries: &[Vec<u8>]) -> Result<(), JobError> {
        for entry in entries {
            let entry: Entry = serde_json::from_slice(entry)
                .map_err(|error| JobError::Content(format!("an entry of a ledger can't be read: {error}")))?;
            let when = entry.at.or(entry.hour).unwrap_or_default();
            // `2026-11` of `2026-11-24T06Z`, or of a whole moment.
            let month = when.get(..7).unwrap_or_default().to_owned();
            *self.counts.entry((month, entry.agency, entry.kind)).or_default() += 1;
            self.size += 1;
        }
        Ok(())
    }
}

impl Default for Summary {
    fn default() -> Self {
        Self { v: VERSION, requests: Tally::default(), oversight: Tally::default() }
    }
}

impl Summary {
    const fn of(&mut self, log: Log) -> &mut Tally {
        match log {
            Log::Requests => &mut self.requests,
            Log::Oversight => &mut self.oversight,
        }
    }
}

/// The counts that stand in the public folder, if they are of this form and not of a longer ledger than ours.
async fn known(desk: &Desk) -> Summary {
    let read = tokio::fs::read(desk.public(PATH)).await.ok();
    let mut known: Summary = read
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .filter(|one: &Summary| one.v == VERSION)
        .unwrap_or_default();
    for log in Log::ALL {
        let size = desk.ledgers.of(log).size().await;
        let tally = known.of(log);
        // After a restore of an older backup; or edited by hand.
        if tally.size > size || tally.counts.values().sum::<u64>() != tally.size {
            *tally = Tally::default();
        }
    }
    known
}

/// Counts what came since the last round.
///
/// # Errors
/// The ledger's or the disk's; the next round does it again.
pub(super) async fn round(desk: &Desk) -> Result<Round, JobError> {
    let mut held = desk.summary.lock().await;
    let first = held.is_none();
    let mut summary = match held.take() {
        Some(summary) => summary,
        None => known(desk).await,
    };
    let (mut grown, mut again) = (first, Round::Rest);
    for log in Log::ALL {
        let ledger = desk.ledgers.of(log);
        for _ in 0..BATCHES {
            let tally = summary.of(log);
            let until = ledger.size().await.min(tally.size.saturating_add(BATCH));
            if until <= tally.size {
                break;
            }
            let entries = ledger.entries(tally.size..until).await?;
            tally.take(&entries)?;
            grown = true;
        }
        if summary.of(log).size < ledger.size().await {
            again = Round::Again;
        }
    }
    if grown {
        let bytes =
            canvass_types::canonical(&summary).map_err(|error| JobError::Content(error.to_string()))?;
        files::write(desk.public(PATH), bytes, Copies::Packed).await?;
    }
    *held = Some(summary);
    Ok(again)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: &str, agency: Option<&str>, time: (&str, &str)) -> Vec<u8> {
        let mut entry = serde_json::json!({ "type": kind, "subject": "x" });
        entry[time.0] = time.1.into();
        if let Some(agency) = agency {
            entry["agency"] = agency.into();
        }
        entry.to_string().into_bytes()
    }

    #[test]
    fn a_count_in_parts_is_the_count_of_the_whole() {
        let entries: Vec<Vec<u8>> = (0..200)
            .map(|n| {
                let month = format!("2026-{:02}", 1 + n % 12);
                let agency = ["agy_a", "agy_b"].get(n % 3).copied();
                match n % 2 {
                    0 => entry("request.published", agency, ("at", &format!("{month}-24T06:30:00Z"))),
                    _ => entry("offer.open", agency, ("hour", &format!("{month}-24T06Z"))),
                }
            })
            .collect();
        let mut whole = Tally::default();
        whole.take(&entries).unwrap();
        for cut in [0, 1, 77, 200] {
            let mut parts = Tally::default();
            parts.take(&entries[..cut]).unwrap();
            // A restart in between: what was written is read again.
            let text = serde_json::to_string(&parts).unwrap();
            let mut parts: Tally = serde_json::from_str(&text).unwrap();
            parts.take(&entries[cut..]).unwrap();
            assert_eq!(parts, whole);
        }
        assert_eq!((whole.size, whole.counts.values().sum::<u64>()), (200, 200));
        let january = ("2026-01".to_owned(), Some("agy_a".to_owned()), "request.published".to_owned());
        assert!(whole.counts.contains_key(&january), "{whole:?}");
        assert!(Tally::default().take(&[b"no json".to_vec()]).is_err());
    }
}

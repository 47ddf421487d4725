//! Feeding the reads of a camera: from tables, and from other makers' readers. Each command signs in with the camera's
//! own token and can do nothing but send reads.

mod bridge;
mod import;
mod mqtt;
mod outbox;
mod poll;

pub use self::{bridge::BridgeCommand, bridge::run as bridge, import::ImportArgs, import::run as import};

use std::time::Duration;

use canvass_core::plates::RowProblem;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::desk::path;
use crate::common::{Http, HttpError};

/// Reads that are sent together.
const BATCH: usize = 500;
/// Problems of rows that are shown.
const MOST_SHOWN: usize = 100;

/// What became of rows.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Added {
    rows: u64,
    stored: u64,
    duplicates: u64,
    dropped: u64,
    refused: u64,
    problems: Vec<RowProblem>,
}

impl Added {
    /// Adds what became of other rows.
    fn join(&mut self, other: Self) {
        self.rows += other.rows;
        self.stored += other.stored;
        self.duplicates += other.duplicates;
        self.dropped += other.dropped;
        self.refused += other.refused;
        self.problems.extend(other.problems);
        self.problems.truncate(MOST_SHOWN);
    }
}

/// Sends rows; what is counted as stored or as there already is durable.
async fn send(http: &Http, rows: &[Value], bad: &'static str) -> Result<Added, HttpError> {
    let path = path("/reads", &[("bad", Some(bad.to_owned()))]);
    http.call(Method::POST, &path, &json!({ "reads": rows })).await
}

/// Whether sending the same again can't help.
fn lasting(error: &HttpError) -> bool {
    error
        .status()
        .is_some_and(|status| status.is_client_error() && ![408, 425, 429].contains(&status.as_u16()))
}

/// A pause that doubles up to a limit.
#[derive(Debug, Clone, Copy)]
struct Pause {
    next: u64,
    most: u64,
}

impl Pause {
    /// From a second up to so many.
    fn up_to(most: u64) -> Self {
        Self { next: 1, most }
    }

    async fn wait(&mut self) {
        tokio::time::sleep(Duration::from_secs(self.next)).await;
        self.next = self.next.saturating_mul(2).min(self.most);
    }

    fn reset(&mut self) {
        self.next = 1;
    }
}

//! What the private role does by itself. Each job goes round in small bounded batches, backs off when something fails,
//! shows by its beat that it lives, and finishes its batch when it is told to stop. All are safe to repeat: what they
//! did before a crash is found again, not done twice.

pub mod asked;
pub mod intake;
pub mod misuse;
pub mod notices;
pub mod publisher;
pub mod reads;
pub mod sequencer;
pub mod summary;
pub mod sweeper;
pub mod told;
pub mod transparency;

use std::{future::Future, time::Duration};

use canvass_core::{CoreError, ports::StoreError};
use canvass_ledger::LogError;
use canvass_store_objects::BlobError;
use tokio::{sync::Notify, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{desk::Desk, public::spool::SpoolError};

/// Why a round failed. The messages name kinds of things, never ids.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The domain.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// A ledger.
    #[error(transparent)]
    Ledger(#[from] LogError),
    /// A ledger's files.
    #[error(transparent)]
    Tiles(#[from] canvass_ledger::StoreError),
    /// Sealed bytes.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The spool.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// A public file.
    #[error("a public file can't be written ({0}); look at the disk and the public folder's owner")]
    File(#[from] std::io::Error),
    /// Notices.
    #[error(transparent)]
    Notices(#[from] canvass_notices::NoticesError),
    /// A public file's content.
    #[error("a public file can't be put together: {0}")]
    Content(String),
    /// An entry that a public file needs was queued while the round went on.
    #[error("an entry of a published request is not in the ledger yet; the next round has it")]
    NotYet,
}

impl JobError {
    /// A word for logs that holds no id and no content.
    fn kind(&self) -> &'static str {
        match self {
            Self::Store(_) => "store",
            Self::Core(_) => "domain",
            Self::Ledger(_) => "ledger",
            Self::Tiles(_) => "ledger files",
            Self::Blob(_) => "blobs",
            Self::Spool(_) => "spool",
            Self::Notices(_) => "notices",
            Self::File(_) => "public files",
            Self::Content(_) => "public content",
            Self::NotYet => "not in the ledger yet",
        }
    }
}

/// What a round says of the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// More waits.
    Again,
    /// Nothing more at this moment.
    Rest,
}

/// Longest rest after failures.
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);
/// Names of all jobs.
pub const NAMES: [&str; 10] = [
    "sequencer",
    "publisher",
    "intake",
    "sweeper",
    "notices",
    "misuse",
    "transparency",
    "reads",
    "webhooks",
    "browsers",
];

/// Starts all jobs; they stop, each at the end of its batch, when `stop` is cancelled.
pub fn start(desk: &Desk, pace: Duration, stop: &CancellationToken) -> JoinSet<()> {
    let mut jobs = JoinSet::new();
    // A witness that leads elsewhere is no witness.
    let http =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap_or_default();
    let spawn = |jobs: &mut JoinSet<()>, desk: &Desk| (jobs.len(), desk.clone(), stop.clone());
    let (_, one, token) = spawn(&mut jobs, desk);
    jobs.spawn(async move {
        go_round("sequencer", &one, pace, &one.changed, &token, async || sequencer::round(&one, &http).await)
            .await;
    });
    let (_, one, token) = spawn(&mut jobs, desk);
    jobs.spawn(async move {
        go_round("publisher", &one, pace, &one.grown, &token, async || publisher::round(&one).await).await;
    });
    let never = Notify::new();
    let (_, one, token) = spawn(&mut jobs, desk);
    jobs.spawn(async move {
        go_round("intake", &one, pace, &never, &token, async || intake::round(&one).await).await;
    });
    let never = Notify::new();
    let (_, one, token) = spawn(&mut jobs, desk);
    jobs.spawn(async move {
        go_round("sweeper", &one, pace.saturating_mul(20), &never, &token, async || {
            sweeper::round(&one).await
        })
        .await;
    });
    let never = Notify::new();
    let (_, one, token) = spawn(&mut jobs, desk);
    jobs.spawn(async move {
        go_round("notices", &one, pace.saturating_mul(8), &never, &token, async || {
            notices::round(&one).await
        })
        .await;
    });
    let never = Notify::new();
    let (_, one, token) = spawn(&mut jobs, desk);
    jobs.spawn(async move {
        go_round("misuse", &one, pace.saturating_mul(20), &never, &token, async || misuse::round(&one).await)
            .await;
    });
    let never = Notify::new();
    let (_, one, token) = spawn(&mut jobs, desk);
    jobs.spawn(async move {
        go_round("transparency", &one, pace.saturating_mul(8), &never, &token, async || {
            transparency::round(&one).await
        })
        .await;
    });
    let never = Notify::new();
    let (_, one, token) = spawn(&mut jobs, desk);
    jobs.spawn(async move {
        go_round("reads", &one, pace.saturating_mul(4), &never, &token, async || reads::round(&one).await)
            .await;
    });
    let (_, one, token) = spawn(&mut jobs, desk);
    jobs.spawn(async move {
        go_round("webhooks", &one, pace.saturating_mul(4), &one.told.webhooks, &token, async || {
            told::webhooks(&one).await
        })
        .await;
    });
    let (_, one, token) = spawn(&mut jobs, desk);
    jobs.spawn(async move {
        go_round("browsers", &one, pace.saturating_mul(4), &one.told.browsers, &token, async || {
            told::browsers(&one).await
        })
        .await;
    });
    jobs
}

async fn go_round<F>(
    name: &'static str,
    desk: &Desk,
    pace: Duration,
    wake: &Notify,
    stop: &CancellationToken,
    round: impl Fn() -> F,
) where
    F: Future<Output = Result<Round, JobError>> + Send,
{
    let mut backoff = pace;
    while !stop.is_cancelled() {
        // A stop waits for the round to end: it is never cut off in the middle.
        let rest = match round().await {
            Ok(Round::Again) => {
                backoff = pace;
                None
            }
            Ok(Round::Rest) => {
                backoff = pace;
                Some(pace)
            }
            Err(error) => {
                desk.metrics.fault(name);
                tracing::error!(
                    job = name,
                    kind = error.kind(),
                    wait_ms = backoff.as_millis(),
                    "a round failed"
                );
                tracing::debug!(job = name, %error, "why the round failed");
                let rest = backoff;
                backoff = backoff.saturating_mul(2).min(LONGEST_BACKOFF);
                Some(rest)
            }
        };
        desk.metrics.beat(name, desk.clock.now().as_second());
        let Some(rest) = rest else {
            tokio::task::yield_now().await;
            continue;
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = wake.notified() => {}
            () = tokio::time::sleep(rest) => {}
        }
    }
}

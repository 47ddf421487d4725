//! Whether the parts behind the desk work.

use canvass_core::ports::Records as _;
use canvass_types::leaf::Log;

use crate::{desk::Desk, jobs, routes::open::Readiness};

/// Seconds after which a job that did not go round counts as stuck.
const STUCK_SECONDS: i64 = 120;

/// Looks at the store, the disk and the jobs.
pub async fn readiness(desk: &Desk) -> Readiness {
    let store = desk.app.records().ledger_size(Log::Requests).await.is_ok();
    let probe = desk.folder.0.join(".writable");
    let disk = tokio::task::spawn_blocking(move || {
        std::fs::write(&probe, b"ok").is_ok() && std::fs::remove_file(&probe).is_ok()
    });
    let disk = disk.await.unwrap_or(false);
    let now = desk.clock.now().as_second();
    let jobs =
        jobs::NAMES.iter().all(|name| now.saturating_sub(desk.metrics.last_beat(name)) < STUCK_SECONDS);
    Readiness { ready: store && disk && jobs, store, disk, jobs }
}

//! Lets time do its work: what is past its retention is destroyed, requests end, abandoned uploads go.

use super::{JobError, Round};
use crate::desk::Desk;

/// Things of one round.
const BATCH: u32 = 100;
/// Seconds that a finished upload of a member waits to be used in an accepted clip.
const UNUSED_SECONDS: i64 = 7 * 86_400;

/// One batch.
///
/// # Errors
/// The store's; the next round goes on where this one ended.
pub async fn round(desk: &Desk) -> Result<Round, JobError> {
    let swept = desk.app.sweep(BATCH).await?;
    let due = desk.app.erasures_due(BATCH).await?;
    let erased = due.len();
    for erasure in due {
        desk.blobs.delete(&erasure.blob.blob).await?;
        desk.app.erased(&erasure.id).await?;
    }
    sweep_uploads(desk).await?;
    if erased > 0 || swept.any() {
        desk.changed.notify_one();
        return Ok(Round::Again);
    }
    Ok(Round::Rest)
}

async fn sweep_uploads(desk: &Desk) -> Result<(), JobError> {
    let (spool, now) = (desk.agency_spool.clone(), desk.clock.now());
    let work = move || -> Result<(), JobError> {
        spool.sweep(now)?;
        for upload in spool.done(1_000)? {
            if now.as_second().saturating_sub(upload.info.created.as_second()) > UNUSED_SECONDS {
                spool.take(&upload.id)?;
            }
        }
        Ok(())
    };
    tokio::task::spawn_blocking(work).await.unwrap_or(Ok(()))
}

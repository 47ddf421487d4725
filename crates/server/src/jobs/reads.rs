//! Forgets plate reads on time: destroys the keys of slices that are due, and enters it. Forgets alerts with their reads,
//! what is on hotlists that count no more, plates of safelists whose time is over, and sightings of cameras.

use super::{JobError, Round};
use crate::desk::Desk;

/// Looks at all slices once.
///
/// # Errors
/// The store's, or that of the reads; the next round goes on where this one ended.
pub async fn round(desk: &Desk) -> Result<Round, JobError> {
    let slices = reads(desk, canvass_core::plates::Reads::slices).await?;
    let due = desk.app.reads_due(&slices).await?;
    let slices = match due {
        Some(due) => {
            reads(desk, move |reads| reads.erase(&due)).await?;
            reads(desk, canvass_core::plates::Reads::slices).await?
        }
        None => slices,
    };
    if desk.app.reads_erased(&slices).await? > 0 {
        desk.changed.notify_one();
    }
    // What was approved or retired is in memory already, unless the store failed just then.
    desk.app.load_hotlists().await?;
    if desk.app.forget_hotlists().await? + desk.app.forget_alerts().await? > 0 {
        desk.changed.notify_one();
    }
    desk.app.keep_safelists().await?;
    if desk.app.forget_sightings().await? > 0 {
        desk.changed.notify_one();
    }
    Ok(Round::Rest)
}

async fn reads<T: Send + 'static>(
    desk: &Desk,
    call: impl FnOnce(&canvass_core::plates::Reads) -> Result<T, canvass_core::CoreError> + Send + 'static,
) -> Result<T, JobError> {
    let reads = desk.reads.clone();
    match tokio::task::spawn_blocking(move || call(&reads)).await {
        Ok(result) => Ok(result?),
        Err(error) => Err(JobError::Content(format!("a call of the store of reads was stopped ({error})"))),
    }
}

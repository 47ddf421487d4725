//! Looks through new records of acts for misuse. It has no switch.

use super::{JobError, Round};
use crate::desk::Desk;

/// New records of one round.
const BATCH: u32 = 500;

/// One batch.
///
/// # Errors
/// The store's; the next round begins where this one did.
pub async fn round(desk: &Desk) -> Result<Round, JobError> {
    let detected = desk.app.detect_misuse(BATCH).await?;
    if detected.raised > 0 {
        desk.changed.notify_one();
    }
    Ok(if detected.more { Round::Again } else { Round::Rest })
}

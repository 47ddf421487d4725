//! Takes wishes for notices out of the spool, and tells of new requests those who asked.

use super::{JobError, Round};
use crate::{desk::Desk, public::STOP};

/// Wishes of one round.
const BATCH: usize = 64;

/// One batch of wishes and one of messages.
///
/// # Errors
/// The file of subscriptions or the spool; the next round repeats it.
pub async fn round(desk: &Desk) -> Result<Round, JobError> {
    let Some(notices) = &desk.notices else { return Ok(Round::Rest) };
    let spool = desk.spool.clone();
    let wishes = tokio::task::spawn_blocking(move || spool.wishes(BATCH)).await;
    let wishes = wishes.unwrap_or_else(|_| Ok(Vec::new()))?;
    let full = wishes.len() == BATCH;
    for wish in wishes {
        match wish.text.strip_prefix(STOP) {
            Some(token) => notices.stop(token.trim()).await?,
            None => notices.take(&wish.text).await?,
        }
        let spool = desk.spool.clone();
        tokio::task::spawn_blocking(move || spool.drop_wish(&wish.id)).await.unwrap_or(Ok(()))?;
    }
    let told = notices.round().await?;
    if told.sent > 0 || told.ended > 0 {
        tracing::info!(sent = told.sent, ended = told.ended, later = told.later, "notices were sent");
    }
    Ok(if full || told.more { Round::Again } else { Round::Rest })
}

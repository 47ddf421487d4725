//! Tells of alerts beyond the desk: messages to agencies' webhooks, and to members' browsers that alerts wait.

use canvass_core::alerts::push::Pushed;
use canvass_notices::{PushKeys, PushTarget, Sent};
use futures_util::{StreamExt as _, stream};

use super::{JobError, Round};
use crate::desk::Desk;

/// Browsers that are told at the same time.
const AT_ONCE: usize = 16;

/// One batch of messages to webhooks.
///
/// # Errors
/// The store's; what was sent and not noted is sent again, under the same id.
pub async fn webhooks(desk: &Desk) -> Result<Round, JobError> {
    let due = desk.app.messages_due().await?;
    let sent = due.len();
    let each = due.into_iter().map(|sending| async move {
        let (attempt, wanted) = desk.outbound.send(&sending).await;
        desk.app.message_tried(&sending, attempt, wanted).await
    });
    // All of a batch at once: one that is slow holds up no other.
    for done in stream::iter(each).buffer_unordered(sent.max(1)).collect::<Vec<_>>().await {
        done?;
    }
    if sent > 0 {
        // A webhook that was switched off left an entry.
        desk.changed.notify_one();
    }
    desk.app.forget_messages().await?;
    Ok(if sent > 0 { Round::Again } else { Round::Rest })
}

/// One batch of messages to browsers.
///
/// # Errors
/// The store's; a browser that was told and not noted is told again.
pub async fn browsers(desk: &Desk) -> Result<Round, JobError> {
    desk.app.forget_pushes().await?;
    let Some(notices) = &desk.notices else { return Ok(Round::Rest) };
    let due = desk.app.pushes_due().await?;
    let each = due.into_iter().map(|push| async move {
        let (endpoint, keys) = (push.address.endpoint.clone(), &push.address);
        let keys = PushKeys { p256dh: keys.p256dh.clone(), auth: keys.auth.clone() };
        let sent = notices.tell_of_alerts(&PushTarget { endpoint, keys }, &push.language).await?;
        let pushed = match sent {
            Sent::Done => Pushed::Done,
            Sent::Gone => Pushed::Gone,
            Sent::Later => Pushed::Later,
        };
        desk.app.push_tried(&push, pushed).await?;
        Ok::<_, JobError>(usize::from(pushed != Pushed::Later))
    });
    let mut told = 0;
    for done in stream::iter(each).buffer_unordered(AT_ONCE).collect::<Vec<_>>().await {
        told += done?;
    }
    Ok(if told > 0 { Round::Again } else { Round::Rest })
}

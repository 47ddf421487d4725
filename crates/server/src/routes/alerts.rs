//! Alerts: a list, a live stream, and what a person saw when they compared plate and picture.

use std::{collections::VecDeque, convert::Infallible, pin::Pin, sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{
        Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use canvass_core::{
    access::Actor,
    alerts::{AlertFilter, AlertView, ConfirmAlert},
    records::AlertState,
};
use canvass_plates::ReadId;
use canvass_types::{AlertId, HotlistId};
use futures_util::{Stream, stream};
use serde::Deserialize;
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::Sleep,
};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, List, Refusals, answer, listed, plates};
use crate::{
    auth::Authenticated,
    desk::Desk,
    extract::{At, AtTwo, Input, Seek},
    problem::Problem,
};

/// Seconds after which a stream ends, so that who was stopped meanwhile does not listen on; the client comes back.
const MOST_STREAM: u64 = 600;
/// Seconds between signs of life of a stream.
const SIGN_OF_LIFE: u64 = 15;

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(follow))
        .routes(routes!(show))
        .routes(routes!(confirm))
        .routes(routes!(picture))
}

/// Which alerts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// In this state.
    #[param(inline)]
    state: Option<AlertState>,
    /// Of this hotlist.
    list: Option<HotlistId>,
    /// From behind this place on.
    after: Option<u64>,
    /// At most so many, 1 to 200.
    limit: Option<u32>,
}

/// Where a stream begins.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct From {
    /// Behind this place, where the header `Last-Event-ID` names none; at the newest alert when left out.
    after: Option<u64>,
}

/// Lists the alerts of your agency's hotlists, newest first. An unconfirmed one is no cause for anything.
#[utoipa::path(get, path = "/alerts", tag = "alerts", params(Which),
    responses((status = 200, body = List<AlertView>), Refusals))]
pub async fn list(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Seek(which): Seek<Which>,
) -> Answer<List<AlertView>> {
    let Which { state, list, after, limit } = which;
    listed(desk.app.alerts(&actor, &AlertFilter { state, list, after, limit }).await)
}

/// Shows an alert.
#[utoipa::path(get, path = "/alerts/{alert}", tag = "alerts", params(("alert" = AlertId, Path)),
    responses((status = 200, body = AlertView), Refusals))]
pub async fn show(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(alert): At<AlertId>,
) -> Answer<AlertView> {
    answer(|| desk.app.alert(&actor, &alert)).await
}

/// Records what you saw when you compared plate and picture: type the plate as it stands in the picture.
#[utoipa::path(post, path = "/alerts/{alert}/confirm", tag = "alerts", params(("alert" = AlertId, Path)),
    request_body = ConfirmAlert, responses((status = 200, body = AlertView), Refusals))]
pub async fn confirm(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(alert): At<AlertId>,
    Input(wish): Input<ConfirmAlert>,
) -> Answer<AlertView> {
    let confirmed = answer(|| desk.app.confirm_alert(&actor, &alert, wish.clone())).await;
    desk.changed.notify_one();
    desk.told.wake();
    confirmed
}

/// Shows the picture of a read of an alert.
#[utoipa::path(get, path = "/alerts/{alert}/pictures/{read}", tag = "alerts",
    params(("alert" = AlertId, Path), ("read" = ReadId, Path)),
    responses((status = 200, content_type = "image/jpeg", description = "The picture: JPEG, PNG or WebP"), Refusals))]
pub async fn picture(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    AtTwo(alert, read): AtTwo<AlertId, ReadId>,
) -> Result<Response, Problem> {
    let leave = desk.app.picture_of_alert(&actor, &alert, &read).await?;
    plates::shown(&desk, leave).await
}

/// New alerts as they come (server-sent events): `id` is the place to go on from with `Last-Event-ID`, `data` the alert as
/// JSON. A stream ends after ten minutes; come back with the last id, and nothing is missed.
#[utoipa::path(get, path = "/alerts/stream", tag = "alerts", params(From),
    responses((status = 200, body = String, content_type = "text/event-stream"), Refusals))]
pub async fn follow(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Seek(From { after }): Seek<From>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    // What comes while the place is looked up wakes the stream.
    let wake = desk.alerted.subscribe();
    let newest = desk.app.newest_alert(&actor).await?;
    let named = headers.get("last-event-id").and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let permit = Arc::clone(&desk.streams).try_acquire_owned().map_err(|_| too_many())?;
    let following = Following {
        place: named.or(after).unwrap_or(newest),
        desk,
        actor,
        ready: VecDeque::new(),
        wake,
        end: Box::pin(tokio::time::sleep(Duration::from_secs(MOST_STREAM))),
        _permit: permit,
    };
    let events = stream::unfold(following, |mut following| async move {
        let event = following.next().await?;
        Some((Ok(event), following))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(SIGN_OF_LIFE))))
}

fn too_many() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "Too many streams at this moment")
        .detail("as many streams of alerts are open as may be")
        .remedy("ask for the list of alerts, or try again in a minute")
        .retry_after(60)
}

struct Following {
    desk: Desk,
    actor: Actor,
    place: u64,
    ready: VecDeque<AlertView>,
    wake: watch::Receiver<u64>,
    end: Pin<Box<Sleep>>,
    _permit: OwnedSemaphorePermit,
}

impl Following {
    /// The next alert; none at the end of the stream.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(alert) = self.ready.pop_front() {
                self.place = alert.place;
                let event = Event::default().event("alert").id(alert.place.to_string());
                return event.json_data(&alert).ok();
            }
            self.wake.mark_unchanged();
            // What fails ends the stream: who comes back is told why.
            self.ready.extend(self.desk.app.alerts_after(&self.actor, self.place).await.ok()?);
            if !self.ready.is_empty() {
                continue;
            }
            tokio::select! {
                () = self.desk.closing.cancelled() => return None,
                () = &mut self.end => return None,
                woken = self.wake.changed() => woken.ok()?,
            }
        }
    }
}

//! Webhooks: addresses to which an agency's alerts are told.

use axum::{extract::State, http::StatusCode};
use canvass_core::alerts::webhooks::{NewWebhook, WebhookMessageView, WebhookSecretShown, WebhookView};
use canvass_types::WebhookId;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, Done, List, Made, Refusals, answer, listed, made, retried};
use crate::{
    auth::Authenticated,
    desk::Desk,
    extract::{At, Input, Seek},
};

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new()
        .routes(routes!(add, list))
        .routes(routes!(remove))
        .routes(routes!(rotate))
        .routes(routes!(resume))
        .routes(routes!(test))
        .routes(routes!(deliveries))
}

/// Which part.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Part {
    /// From behind this place on.
    after: Option<u64>,
    /// At most so many, 1 to 200.
    limit: Option<u32>,
}

/// Sets up a webhook of your agency (Standard Webhooks 1.0); its secret is shown this once.
#[utoipa::path(post, path = "/webhooks", tag = "webhooks", request_body = NewWebhook,
    responses((status = 201, body = WebhookSecretShown), Refusals))]
pub async fn add(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Input(wish): Input<NewWebhook>,
) -> Made<WebhookSecretShown> {
    let added = made(|| desk.app.add_webhook(&actor, wish.clone())).await;
    desk.changed.notify_one();
    added
}

/// Lists the webhooks of your agency, oldest first; for overseers all, by their hosts.
#[utoipa::path(get, path = "/webhooks", tag = "webhooks", responses((status = 200, body = List<WebhookView>), Refusals))]
pub async fn list(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
) -> Answer<List<WebhookView>> {
    listed(desk.app.webhooks(&actor).await)
}

/// Removes a webhook: nothing is sent to it any more, not even what waits.
#[utoipa::path(delete, path = "/webhooks/{webhook}", tag = "webhooks", params(("webhook" = WebhookId, Path)),
    responses((status = 204), Refusals))]
pub async fn remove(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(webhook): At<WebhookId>,
) -> Done {
    retried(|| desk.app.remove_webhook(&actor, &webhook)).await?;
    desk.changed.notify_one();
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a webhook a new secret, which is shown this once; the one before signs as well for a day.
#[utoipa::path(post, path = "/webhooks/{webhook}/rotate", tag = "webhooks", params(("webhook" = WebhookId, Path)),
    responses((status = 200, body = WebhookSecretShown), Refusals))]
pub async fn rotate(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(webhook): At<WebhookId>,
) -> Answer<WebhookSecretShown> {
    let rotated = answer(|| desk.app.rotate_webhook(&actor, &webhook)).await;
    desk.changed.notify_one();
    rotated
}

/// Switches a webhook on again that was switched off because it failed.
#[utoipa::path(post, path = "/webhooks/{webhook}/resume", tag = "webhooks", params(("webhook" = WebhookId, Path)),
    responses((status = 200, body = WebhookView), Refusals))]
pub async fn resume(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(webhook): At<WebhookId>,
) -> Answer<WebhookView> {
    let resumed = answer(|| desk.app.resume_webhook(&actor, &webhook)).await;
    desk.changed.notify_one();
    resumed
}

/// Sends a message that tells of nothing (`webhook.test`); what became of it is among the deliveries.
#[utoipa::path(post, path = "/webhooks/{webhook}/test", tag = "webhooks", params(("webhook" = WebhookId, Path)),
    responses((status = 201, body = WebhookMessageView), Refusals))]
pub async fn test(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(webhook): At<WebhookId>,
) -> Made<WebhookMessageView> {
    let sent = made(|| desk.app.test_webhook(&actor, &webhook)).await;
    desk.told.wake();
    sent
}

/// Lists the messages to a webhook, newest first, and what became of each.
#[utoipa::path(get, path = "/webhooks/{webhook}/deliveries", tag = "webhooks",
    params(("webhook" = WebhookId, Path), Part), responses((status = 200, body = List<WebhookMessageView>), Refusals))]
pub async fn deliveries(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(webhook): At<WebhookId>,
    Seek(Part { after, limit }): Seek<Part>,
) -> Answer<List<WebhookMessageView>> {
    listed(desk.app.webhook_messages(&actor, &webhook, (after, limit)).await)
}

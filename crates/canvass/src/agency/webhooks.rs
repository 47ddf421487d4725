//! Webhooks of alerts.

use canvass_core::{
    alerts::webhooks::{NewWebhook, WebhookMessageView, WebhookSecretShown, WebhookView},
    records::{Attempt, WebhookEvent},
};
use canvass_types::WebhookId;
use clap::Subcommand;
use reqwest::Method;

use super::desk::{Desk, moment, plain, spelled, word};
use crate::common::{Context, Failure, count};

/// Addresses to which the agency's alerts are told (Standard Webhooks). No message holds a plate.
#[derive(Debug, Subcommand)]
pub enum WebhookCommand {
    /// List them, and whether messages come through
    #[command(after_help = "Example:\n  canvass alert webhook list")]
    List,
    /// Set one up; its secret is shown this once
    #[command(
        after_help = "Example:\n  canvass alert webhook add 'Dispatch' --url https://dispatch.example/hooks/canvass"
    )]
    Add {
        /// What the agency calls it, 2 to 80 characters
        name: String,
        /// Where messages go, https://…
        #[arg(long)]
        url: String,
        /// What it is told of: alert.raised, alert.compared; may stand several times; both when left out
        #[arg(long = "event", value_parser = word::<WebhookEvent>)]
        events: Vec<WebhookEvent>,
    },
    /// Give one a new secret, shown this once; the one before signs as well for a day
    #[command(after_help = "Example:\n  canvass alert webhook rotate whk_…")]
    Rotate {
        /// Which
        webhook: WebhookId,
    },
    /// Send a message that tells of nothing
    #[command(after_help = "Example:\n  canvass alert webhook test whk_…")]
    Test {
        /// Which
        webhook: WebhookId,
    },
    /// Switch one on again that was switched off because it failed
    #[command(after_help = "Example:\n  canvass alert webhook resume whk_…")]
    Resume {
        /// Which
        webhook: WebhookId,
    },
    /// Remove one; what waits is not sent any more
    #[command(after_help = "Example:\n  canvass alert webhook remove whk_…")]
    Remove {
        /// Which
        webhook: WebhookId,
    },
    /// List the messages to one, newest first, and what became of each
    #[command(after_help = "Example:\n  canvass alert webhook deliveries whk_…")]
    Deliveries {
        /// Which
        webhook: WebhookId,
    },
}

fn lines(webhook: &WebhookView) -> Vec<String> {
    let state = match (&webhook.off, webhook.failing) {
        (Some(off), _) => format!("off since {} ({})", off.at, spelled(&off.why)),
        (None, Some(since)) => format!("fails since {since}"),
        (None, None) => "on".to_owned(),
    };
    let events: Vec<String> = webhook.events.iter().map(spelled).collect();
    let to = webhook.url.as_deref().unwrap_or(&webhook.host);
    let mut lines = vec![
        format!("{}  {state}  {}  {}", webhook.id, plain(&webhook.name), plain(to)),
        format!(
            "  {}; {}; secrets that count: {}",
            events.join(", "),
            count(webhook.waiting, "message waits", "messages wait"),
            webhook.secrets.len()
        ),
    ];
    if webhook.lost > 0 {
        lines.push(format!("  {} not kept: too many waited", count(webhook.lost, "message", "messages")));
    }
    lines
}

fn result(attempt: Option<Attempt>) -> String {
    match attempt {
        None => "not tried yet".to_owned(),
        Some(Attempt::Status(status)) => format!("answered {status}"),
        Some(other) => spelled(&other),
    }
}

fn message_line(message: &WebhookMessageView) -> String {
    let next = message.due.map(|due| format!("  next {due}")).unwrap_or_default();
    format!(
        "{}  {:<9}  {:<14}  {}  {}  {} at {}{next}  {}",
        message.id,
        spelled(&message.state),
        spelled(&message.event),
        message.made,
        count(message.tries, "try", "tries"),
        result(message.result),
        moment(message.tried),
        message.alert.as_ref().map(ToString::to_string).unwrap_or_default(),
    )
}

fn secret(desk: &Desk<'_>, shown: &WebhookSecretShown) -> Result<(), Failure> {
    let mut text = lines(&shown.webhook);
    text.push(shown.secret.clone());
    text.push("Give it to the receiver by a way that you trust; it is not shown again.".to_owned());
    desk.show(shown, &text)
}

/// Runs one of them.
///
/// # Errors
/// What the desk refuses.
pub async fn run(command: WebhookCommand, context: &Context) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    match command {
        WebhookCommand::List => {
            let all: Vec<WebhookView> = desk.all("/webhooks", &[]).await?;
            let mut text: Vec<String> = all.iter().flat_map(lines).collect();
            if text.is_empty() {
                text.push("no webhooks; set one up with `canvass alert webhook add`".to_owned());
            }
            desk.show(&all, &text)
        }
        WebhookCommand::Add { name, url, events } => {
            secret(&desk, &desk.post("/webhooks", &NewWebhook { name, url, events }).await?)
        }
        WebhookCommand::Rotate { webhook } => {
            secret(&desk, &desk.act(Method::POST, &format!("/webhooks/{webhook}/rotate")).await?)
        }
        WebhookCommand::Test { webhook } => {
            let sent: WebhookMessageView =
                desk.act(Method::POST, &format!("/webhooks/{webhook}/test")).await?;
            let look = format!("What became of it: canvass alert webhook deliveries {webhook}");
            desk.show(&sent, &[message_line(&sent), look])
        }
        WebhookCommand::Resume { webhook } => {
            let view: WebhookView = desk.act(Method::POST, &format!("/webhooks/{webhook}/resume")).await?;
            desk.show(&view, &lines(&view))
        }
        WebhookCommand::Remove { webhook } => {
            let _: serde_json::Value = desk.act(Method::DELETE, &format!("/webhooks/{webhook}")).await?;
            desk.show(&serde_json::json!({ "removed": webhook }), &[format!("{webhook}: removed")])
        }
        WebhookCommand::Deliveries { webhook } => {
            let all: Vec<WebhookMessageView> =
                desk.all(&format!("/webhooks/{webhook}/deliveries"), &[]).await?;
            let mut text: Vec<String> = all.iter().map(message_line).collect();
            if text.is_empty() {
                text.push("no messages in the last 30 days".to_owned());
            }
            desk.show(&all, &text)
        }
    }
}

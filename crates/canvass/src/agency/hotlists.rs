//! Hotlists and their alerts.

use std::path::PathBuf;

use canvass_core::{
    alerts::{AlertView, ConfirmAlert},
    hotlists::{
        BadRows, DiffLine, EntryChange, HotlistDiff, HotlistVersionView, HotlistView, ImportHow, NewHotlist,
        ProposedHotlist,
    },
    proposals::ProposalView,
    records::{AlertState, HotlistEntry, LegalBasis},
};
use canvass_types::{AlertId, HotlistId, HotlistVersionId, ProposalId};
use clap::{Args, Subcommand};
use reqwest::Method;

use super::desk::{Desk, Why, path, plain, purpose, spelled, word};
use crate::common::{Context, Failure, count};

/// Largest file that is imported, bytes: what the desk takes.
const MOST_FILE: u64 = 128 * 1024 * 1024;

/// Hotlists: plates that alert. What is on one takes two people.
#[derive(Debug, Subcommand)]
pub enum HotlistCommand {
    /// List the agency's hotlists, with what waits for a second person
    #[command(after_help = "Example:\n  canvass hotlist list")]
    List,
    /// Make one; nothing is on it yet
    #[command(after_help = "\
Example:
  canvass hotlist add 'Stolen vehicles' --source 'State police, file of stolen vehicles' --basis agency --for stolen --case-number 26-77 \\
    --purpose 'Vehicles stolen in Elm County since October'")]
    Add {
        /// What the agency calls it, 2 to 80 characters
        name: String,
        /// Where its plates come from; the public reads it
        #[arg(long)]
        source: String,
        /// What it stands on: judicial, administrative or agency
        #[arg(long, value_parser = word::<LegalBasis>)]
        basis: LegalBasis,
        #[command(flatten)]
        why: Why,
    },
    /// Propose what is on one, from a file of CSV (plate,region,reason,expires) or JSON
    #[command(
        after_help = "Example:\n  canvass hotlist import htl_… stolen.csv --reason 'Weekly file of the state police'"
    )]
    Import(ImportArgs),
    /// Show how a version differs from the one that was in force when it was proposed
    #[command(after_help = "Example:\n  canvass hotlist diff htl_… hlv_…")]
    Diff {
        /// Which list
        hotlist: HotlistId,
        /// Which version
        version: HotlistVersionId,
    },
    /// Approve a version that somebody else proposed; it alerts from then on
    #[command(after_help = "Example:\n  canvass hotlist approve prp_…")]
    Approve {
        /// The proposal, as `hotlist import` and `hotlist list` show it
        proposal: ProposalId,
    },
    /// Retire one: it alerts no more
    #[command(after_help = "Example:\n  canvass hotlist retire htl_…")]
    Retire {
        /// Which
        hotlist: HotlistId,
    },
}

/// An import.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Into which list
    hotlist: HotlistId,
    /// The file: .csv, or .json
    file: PathBuf,
    /// Why, 10 to 500 characters
    #[arg(long)]
    reason: String,
    /// whole: it is the whole list; add: it is added to the list
    #[arg(long, default_value = "whole", value_parser = word::<ImportHow>)]
    how: ImportHow,
    /// What becomes of the good rows when others are bad: refuse or keep
    #[arg(long, default_value = "refuse", value_parser = word::<BadRows>)]
    bad: BadRows,
}

/// Alerts of the agency's hotlists.
#[derive(Debug, Subcommand)]
pub enum AlertCommand {
    /// List alerts, newest first
    #[command(after_help = "Example:\n  canvass alert list --state unconfirmed")]
    List {
        /// In this state: unconfirmed, confirmed, misread or stale
        #[arg(long, value_parser = word::<AlertState>)]
        state: Option<AlertState>,
        /// Of this hotlist
        #[arg(long)]
        hotlist: Option<HotlistId>,
    },
    /// Save the pictures of an alert, to compare them with the plate
    #[command(after_help = "Example:\n  canvass alert pictures alr_… --folder compare")]
    Pictures {
        /// Which
        alert: AlertId,
        /// Where to; each is named by its read
        #[arg(long, default_value = ".")]
        folder: PathBuf,
    },
    /// Addresses to which alerts are told (Standard Webhooks)
    #[command(subcommand)]
    Webhook(super::webhooks::WebhookCommand),
    /// Say what you saw when you compared plate and picture
    #[command(
        after_help = "Example:\n  canvass alert confirm alr_… --plate 'ABC 1234' --listed --note 'Stopped on Elm Street'"
    )]
    Confirm {
        /// Which
        alert: AlertId,
        /// The plate as you see it in the picture
        #[arg(long)]
        plate: String,
        /// You confirmed by other means that it is still on the list
        #[arg(long)]
        listed: bool,
        /// confirmed, misread or stale; what follows from the plate when left out
        #[arg(long, value_parser = word::<AlertState>)]
        outcome: Option<AlertState>,
        /// What became of it
        #[arg(long)]
        note: Option<String>,
    },
}

fn version_line(version: &HotlistVersionView) -> String {
    format!(
        "  {}  {}  {}: {} new, {} gone, {} changed; proposal {}",
        version.id,
        spelled(&version.state),
        count(version.entries, "plate", "plates"),
        version.added,
        version.removed,
        version.changed,
        version.proposal,
    )
}

fn list_lines(list: &HotlistView) -> Vec<String> {
    let holds = match &list.in_force {
        Some(it) => format!("{} since {}", count(it.entries, "plate", "plates"), it.since),
        None => "alerts nobody".to_owned(),
    };
    let retired = list.retired.map(|at| format!("  retired {at}")).unwrap_or_default();
    let misread = list.alerts.misread_percent.map(|it| format!(", {it} % misread")).unwrap_or_default();
    let mut lines = vec![
        format!("{}  {}  {}  {holds}{retired}", list.id, spelled(&list.basis), plain(&list.name)),
        format!(
            "  {} ({}); alerts: {} unconfirmed, {} confirmed{misread}",
            plain(&list.source),
            list.purpose,
            list.alerts.unconfirmed,
            list.alerts.confirmed
        ),
    ];
    lines.extend(list.waiting.iter().map(version_line));
    lines
}

fn entry_words(entry: &HotlistEntry) -> String {
    let region = entry.region.map(|region| format!(" {region}")).unwrap_or_default();
    let until = entry.until.map(|until| format!(" until {until}")).unwrap_or_default();
    let reason = entry.reason.as_deref().map(|reason| format!("  {}", plain(reason))).unwrap_or_default();
    format!("{}{region}{until}{reason}", entry.plate.as_str())
}

fn diff_lines(diff: &HotlistDiff) -> Vec<String> {
    let line = |line: &DiffLine| {
        let sign = match line.what {
            EntryChange::Added => '+',
            EntryChange::Removed => '-',
            EntryChange::Changed => '~',
        };
        let entry = line.after.as_ref().or(line.before.as_ref()).map(entry_words).unwrap_or_default();
        format!("{sign} {entry}")
    };
    let mut lines = vec![version_line(&diff.version)];
    lines.extend(diff.lines.iter().map(line));
    if diff.more {
        lines.push("more than is shown".to_owned());
    }
    lines.extend(diff.stale.iter().map(|why| plain(why)));
    lines
}

fn proposed_lines(proposed: &ProposedHotlist) -> Vec<String> {
    let mut lines = vec![version_line(&proposed.version)];
    if proposed.refused > 0 {
        lines.push(format!("{} of {} rows were bad and left out:", proposed.refused, proposed.rows));
    }
    lines.extend(
        proposed
            .problems
            .iter()
            .map(|one| format!("  row {}, {}: {} ({})", one.row, one.field, plain(&one.message), one.remedy)),
    );
    lines.push(format!(
        "It alerts once a second person approved it: canvass hotlist approve {}",
        proposed.version.proposal
    ));
    lines
}

fn alert_line(alert: &AlertView) -> String {
    let read = alert
        .reads
        .last()
        .map(|read| format!("read {} ({} %)", read.plate.as_str(), read.confidence.percent()));
    format!(
        "{}  {:<11}  {}  {}  {}  {}  on {} for {}",
        alert.id,
        spelled(&alert.state),
        alert.last,
        alert.entry.plate.as_str(),
        read.unwrap_or_default(),
        plain(&alert.camera_name),
        plain(&alert.list_name),
        count(alert.entry_days, "day", "days"),
    )
}

async fn import(desk: &Desk<'_>, args: ImportArgs) -> Result<(), Failure> {
    let kind = match args.file.extension().and_then(|end| end.to_str()) {
        Some(end) if end.eq_ignore_ascii_case("csv") => "text/csv",
        Some(end) if end.eq_ignore_ascii_case("json") => "application/json",
        _ => return Err(Failure::usage("the file's name ends in neither .csv nor .json; name it so")),
    };
    let shown = args.file.display().to_string();
    let unreadable =
        |error: std::io::Error| Failure::new(format!("{shown}: it can't be read ({error}); check its name"));
    if std::fs::metadata(&args.file).map_err(unreadable)?.len() > MOST_FILE {
        return Err(Failure::usage("the file has more than 128 MiB; make several lists of it"));
    }
    let bytes = std::fs::read(&args.file).map_err(unreadable)?;
    let query =
        [("how", Some(spelled(&args.how))), ("bad", Some(spelled(&args.bad))), ("reason", Some(args.reason))];
    let path = path(&format!("/hotlists/{}/versions", args.hotlist), &query);
    let proposed: ProposedHotlist = desk.http.call_bytes(&path, kind, bytes).await?;
    desk.show(&proposed, &proposed_lines(&proposed))
}

/// Runs a command on hotlists.
///
/// # Errors
/// What the desk refuses.
pub async fn hotlist(command: HotlistCommand, context: &Context) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    match command {
        HotlistCommand::List => {
            let all: Vec<HotlistView> = desk.all("/hotlists", &[]).await?;
            let mut lines: Vec<String> = all.iter().flat_map(list_lines).collect();
            if lines.is_empty() {
                lines.push("no hotlists; make one with `canvass hotlist add`".to_owned());
            }
            desk.show(&all, &lines)
        }
        HotlistCommand::Add { name, source, basis, why } => {
            let wish = NewHotlist { name, source, basis };
            let list: HotlistView =
                desk.post_for("/hotlists", purpose(&why.purpose("stolen"))?, &wish).await?;
            desk.show(&list, &list_lines(&list))
        }
        HotlistCommand::Import(args) => import(&desk, args).await,
        HotlistCommand::Diff { hotlist, version } => {
            let diff: HotlistDiff = desk.get(&format!("/hotlists/{hotlist}/versions/{version}")).await?;
            desk.show(&diff, &diff_lines(&diff))
        }
        HotlistCommand::Approve { proposal } => {
            let view: ProposalView =
                desk.act(Method::POST, &format!("/proposals/{proposal}/approve")).await?;
            desk.show(&view, &[format!("{}  {}", view.id, spelled(&view.state))])
        }
        HotlistCommand::Retire { hotlist } => {
            let list: HotlistView = desk.act(Method::POST, &format!("/hotlists/{hotlist}/retire")).await?;
            desk.show(&list, &list_lines(&list))
        }
    }
}

/// Runs a command on alerts.
///
/// # Errors
/// What the desk refuses.
pub async fn alert(command: AlertCommand, context: &Context) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    match command {
        AlertCommand::List { state, hotlist } => {
            let query = [
                ("state", state.map(|state| spelled(&state))),
                ("list", hotlist.map(|hotlist| hotlist.to_string())),
            ];
            let all: Vec<AlertView> = desk.all("/alerts", &query).await?;
            let mut lines: Vec<String> = all.iter().map(alert_line).collect();
            let last = if lines.is_empty() {
                "no alerts"
            } else {
                "An unconfirmed alert is no cause: compare plate and picture."
            };
            lines.push(last.to_owned());
            desk.show(&all, &lines)
        }
        AlertCommand::Pictures { alert, folder } => {
            let view: AlertView = desk.get(&format!("/alerts/{alert}")).await?;
            let mut files = Vec::new();
            for read in view.reads.iter().filter(|read| read.picture) {
                let base = format!("/alerts/{alert}/pictures/{}", read.id);
                files.extend(desk.save_picture(&base, &folder, &read.id.to_string()).await?);
            }
            let mut lines: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
            if lines.is_empty() {
                lines.push(
                    "no picture came along, or they are forgotten; look at the camera's recording".to_owned(),
                );
            }
            desk.show(&files, &lines)
        }
        AlertCommand::Webhook(command) => super::webhooks::run(command, context).await,
        AlertCommand::Confirm { alert, plate, listed, outcome, note } => {
            let wish = ConfirmAlert { plate, listed, outcome, note };
            let view: AlertView = desk.post(&format!("/alerts/{alert}/confirm"), &wish).await?;
            desk.show(&view, &[alert_line(&view)])
        }
    }
}

//! The safelist: residents' own plates.

use std::path::PathBuf;

use canvass_core::{
    records::SafelistMode,
    safelist::{
        MOST_AT_ONCE, NewSafePlates, RemoveSafePlate, SafePlatesAdded, SafelistEntryView, SafelistView,
        SetSafelist,
    },
};
use canvass_types::SafelistId;
use clap::Subcommand;
use reqwest::Method;

use super::desk::{Desk, moment, plain, spelled, word};
use crate::common::{Context, Failure, count};

/// Largest file that is imported, bytes.
const MOST_FILE: u64 = 1024 * 1024;

/// Residents' own plates: reads of them are marked or never stored, unless they are on a hotlist.
#[derive(Debug, Subcommand)]
pub enum SafelistCommand {
    /// Show what becomes of reads, and the entries; nobody can tell a plate from one
    #[command(after_help = "Example:\n  canvass safelist list")]
    List,
    /// Choose what becomes of reads: off (stored as all others), tag (stored and marked) or drop (not stored)
    #[command(
        after_help = "Example:\n  canvass safelist set drop --reason 'The council asked that residents can keep their own plates out'"
    )]
    Set {
        /// off, tag or drop
        #[arg(value_parser = word::<SafelistMode>)]
        mode: SafelistMode,
        /// Why, 10 to 500 characters
        #[arg(long)]
        reason: String,
    },
    /// Enter a resident's plates, or renew them
    #[command(after_help = "Example:\n  canvass safelist add 'ABC 1234' --registration-seen")]
    Add {
        /// The plates
        #[arg(required = true)]
        plates: Vec<String>,
        /// You saw the registration of each vehicle, and its holder asked for it
        #[arg(long)]
        registration_seen: bool,
        /// For how many days, 1 to 365 [default: 365]
        #[arg(long)]
        days: Option<u32>,
    },
    /// Take a plate off
    #[command(after_help = "Example:\n  canvass safelist remove --plate 'ABC 1234'")]
    Remove {
        /// The plate
        #[arg(long, required_unless_present = "id", conflicts_with = "id")]
        plate: Option<String>,
        /// The entry, as `safelist list` shows it
        #[arg(long)]
        id: Option<SafelistId>,
    },
    /// Enter plates of a file, one a line
    #[command(after_help = "Example:\n  canvass safelist import staff.txt --registration-seen --days 180")]
    Import {
        /// The file; empty lines and lines that begin with # are left out
        file: PathBuf,
        /// You saw the registration of each vehicle, and its holder asked for it
        #[arg(long)]
        registration_seen: bool,
        /// For how many days, 1 to 365 [default: 365]
        #[arg(long)]
        days: Option<u32>,
    },
}

fn state_line(list: &SafelistView) -> String {
    format!(
        "{} since {}: {} on the safelist, {} dropped",
        spelled(&list.mode),
        moment(list.since),
        count(list.plates, "plate", "plates"),
        count(list.dropped, "read", "reads"),
    )
}

fn entry_line(entry: &SafelistEntryView) -> String {
    let renewed = entry.renewed.map(|at| format!("  renewed {at}")).unwrap_or_default();
    format!(
        "{}  until {}  entered {}{renewed}  by {}",
        entry.id,
        entry.ends,
        entry.made,
        plain(&entry.by_name)
    )
}

async fn add(
    desk: &Desk<'_>,
    plates: &[String],
    registration_seen: bool,
    days: Option<u32>,
) -> Result<(), Failure> {
    let mut all = SafePlatesAdded::default();
    for part in plates.chunks(MOST_AT_ONCE) {
        let wish = NewSafePlates { plates: part.to_vec(), days, registration_seen };
        let done: SafePlatesAdded = desk.post("/safelist/plates", &wish).await?;
        all.added += done.added;
        all.renewed += done.renewed;
        all.ends = done.ends;
    }
    let line = format!("{} added, {} renewed, until {}", all.added, all.renewed, moment(all.ends));
    desk.show(&all, &[line])
}

fn plates_of(file: &std::path::Path) -> Result<Vec<String>, Failure> {
    let shown = file.display().to_string();
    let unreadable =
        |error: std::io::Error| Failure::new(format!("{shown}: it can't be read ({error}); check its name"));
    if std::fs::metadata(file).map_err(unreadable)?.len() > MOST_FILE {
        return Err(Failure::usage("the file has more than 1 MiB; make several of it"));
    }
    let text = std::fs::read_to_string(file).map_err(unreadable)?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let plates: Vec<String> = lines.map(str::to_owned).collect();
    if plates.is_empty() {
        return Err(Failure::usage("the file has no plates; write one a line"));
    }
    Ok(plates)
}

/// Runs one of them.
///
/// # Errors
/// What the desk refuses.
pub async fn run(command: SafelistCommand, context: &Context) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    match command {
        SafelistCommand::List => {
            let list: SafelistView = desk.get("/safelist").await?;
            let entries: Vec<SafelistEntryView> = desk.all("/safelist/plates", &[]).await?;
            let lines: Vec<String> =
                std::iter::once(state_line(&list)).chain(entries.iter().map(entry_line)).collect();
            desk.show(&serde_json::json!({ "list": list, "entries": entries }), &lines)
        }
        SafelistCommand::Set { mode, reason } => {
            let list: SafelistView =
                desk.send(Method::PUT, "/safelist", &SetSafelist { mode, reason }).await?;
            desk.show(&list, &[state_line(&list)])
        }
        SafelistCommand::Add { plates, registration_seen, days } => {
            add(&desk, &plates, registration_seen, days).await
        }
        SafelistCommand::Remove { plate, id } => {
            let _: serde_json::Value =
                desk.post("/safelist/plates/remove", &RemoveSafePlate { plate, id }).await?;
            desk.show(&serde_json::json!({ "removed": 1 }), &["taken off the safelist".to_owned()])
        }
        SafelistCommand::Import { file, registration_seen, days } => {
            add(&desk, &plates_of(&file)?, registration_seen, days).await
        }
    }
}

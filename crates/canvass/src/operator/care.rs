//! Setting a Canvass up and looking after its data folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use canvass_server::{openapi as document, operator};
use clap::Args;
use serde_json::json;

use crate::common::{Context, Failure, OsEntropy, SystemClock, count};

/// Make the first operator of a new Canvass; prints the token once
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  canvass init --data ./data --operator 'Ann Lee' > operator.token")]
pub struct Init {
    /// The data folder
    #[arg(long, env = "CANVASS_DATA", value_name = "DIR")]
    data: PathBuf,
    /// Name of the operator
    #[arg(long, value_name = "NAME")]
    operator: String,
}

/// Check a data folder: records, sealed bytes, ledgers, custody chains, public files
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  canvass check --data ./data\n  canvass check --data ./data --repair\n\nExit status 1 when a defect is left."
)]
pub struct Check {
    /// The data folder
    #[arg(long, env = "CANVASS_DATA", value_name = "DIR")]
    data: PathBuf,
    /// Mend what can be derived from the rest; evidence and ledgers are never touched
    #[arg(long)]
    repair: bool,
}

/// Back a data folder up into a new folder, whether or not a server runs on it
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  canvass backup --data ./data --to /backup/2026-11-24")]
pub struct Backup {
    /// The data folder
    #[arg(long, env = "CANVASS_DATA", value_name = "DIR")]
    data: PathBuf,
    /// The folder to write; it must not exist
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Put the server's secret keys in too; keep such a backup in a safe
    #[arg(long)]
    with_keys: bool,
}

/// Restore a backup into a new data folder, after comparing every file with the backup's list
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  canvass restore --from /backup/2026-11-24 --data ./data\n\nKeys that were not in the backup must be put back into DIR/keys before the server starts."
)]
pub struct Restore {
    /// The backup
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// The data folder to make; it must not exist
    #[arg(long, env = "CANVASS_DATA", value_name = "DIR")]
    data: PathBuf,
}

/// Print the desk's OpenAPI 3.1 document
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  canvass openapi > openapi.json")]
pub struct Openapi {}

/// Makes the first operator.
///
/// # Errors
/// There is one, or the folder can't be used.
pub async fn init(command: Init, context: &Context) -> Result<(), Failure> {
    let token =
        operator::init(&command.data, &command.operator, Arc::new(SystemClock), Arc::new(OsEntropy)).await?;
    let console = context.console();
    console.note("This token is shown once. Keep it secret; it is the operator's:");
    console.line(&token);
    console.result(&json!({"token": token}))
}

/// Checks a data folder.
///
/// # Errors
/// A defect is left, or the folder can't be read.
pub async fn check(command: Check, context: &Context) -> Result<(), Failure> {
    note(&command.data, if command.repair { "check-repair" } else { "check" }, context).await;
    let report =
        operator::check(&command.data, command.repair, Arc::new(SystemClock), Arc::new(OsEntropy)).await?;
    let console = context.console();
    for found in &report.findings {
        let done = if found.repaired { "MENDED" } else { "DEFECT" };
        console.line(format!("{done} {}: {}; {}", found.area, found.defect, found.remedy));
    }
    let left = report.findings.iter().filter(|found| !found.repaired).count();
    console.result(&report)?;
    if left > 0 {
        let left = count(left, "defect is", "defects are");
        return Err(Failure::new(format!("{left} left; each is named with what to do about it")));
    }
    console.line("Everything is as it should be.");
    Ok(())
}

/// Backs up.
///
/// # Errors
/// It wasn't made.
pub async fn backup(command: Backup, context: &Context) -> Result<(), Failure> {
    note(&command.data, if command.with_keys { "backup-with-keys" } else { "backup" }, context).await;
    let made = operator::backup(&command.data, &command.to, command.with_keys).await?;
    let files = count(made.files, "file", "files");
    context.console().line(format!("{files}, {} bytes in {}", made.bytes, command.to.display()));
    if !command.with_keys {
        context.console().note("The server's secret keys are not in it; keep a copy of DIR/keys in a safe.");
    }
    context.console().result(&json!({"files": made.files, "bytes": made.bytes, "to": command.to}))
}

/// Restores.
///
/// # Errors
/// The backup is damaged, or the folder can't be made.
pub async fn restore(command: Restore, context: &Context) -> Result<(), Failure> {
    let (from, data) = (command.from, command.data.clone());
    let made = tokio::task::spawn_blocking(move || operator::restore(&from, &data)).await??;
    note(&command.data, "restore", context).await;
    let console = context.console();
    console.line(format!(
        "{}, {} bytes restored into {}",
        count(made.files, "file", "files"),
        made.bytes,
        command.data.display()
    ));
    console.note(format!("Now check it: canvass check --data {}", command.data.display()));
    console.result(&json!({"files": made.files, "bytes": made.bytes, "data": command.data}))
}

/// Enters the tool in the oversight ledger. Damaged records are no reason not to look at them: that it could not be entered is
/// said, and the tool goes on.
async fn note(data: &Path, tool: &str, context: &Context) {
    // A folder without records is refused by the tool itself, in its own words.
    if !data.join("records.sqlite").exists() {
        return;
    }
    if let Err(error) = operator::note_tool(data, tool, Arc::new(SystemClock), Arc::new(OsEntropy)).await {
        context
            .console()
            .note(format!("That {tool} was used could not be entered in the oversight ledger: {error}"));
    }
}

/// Prints the desk's OpenAPI document.
///
/// # Errors
/// It can't be written as JSON.
pub fn openapi(context: &Context) -> Result<(), Failure> {
    context.console().raw(serde_json::to_string_pretty(&document())?);
    Ok(())
}

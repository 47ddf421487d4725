//! The command line: what can be asked, and who answers.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::common::{Context, Failure};
use crate::{agency, footage, operator, resident, verify};

const EXAMPLES: &str = "\
Examples:
  canvass requests list --server https://canvass.example --at 43.2081,-71.5376
  canvass seal --server https://canvass.example --request req_… porch.mp4 --out porch
  canvass give porch
  canvass verify ledger https://canvass.example

Exit status: 0 done, 1 failed or a defect was found, 2 wrong usage.";

/// Open community evidence: ask in public, look unseen, give sealed.
#[derive(Debug, Parser)]
#[command(name = "canvass", version, about, after_help = EXAMPLES, max_term_width = 110)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command knows.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Global {
    /// Print JSON instead of text
    #[arg(long, global = true)]
    pub json: bool,
    /// Address of the Canvass to talk to
    #[arg(long, global = true, env = "CANVASS_SERVER", value_name = "URL")]
    pub server: Option<String>,
    /// File with a member's token (else CANVASS_TOKEN)
    #[arg(long, global = true, env = "CANVASS_TOKEN_FILE", value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Folder with a member's keys, which never leave it [default: ~/.config/canvass]
    #[arg(long, global = true, env = "CANVASS_KEYRING", value_name = "DIR")]
    pub keyring: Option<PathBuf>,
    /// Folder where checkpoints seen before are remembered [default: ~/.local/state/canvass]
    #[arg(
        id = "state_folder",
        long = "state-folder",
        global = true,
        env = "CANVASS_STATE",
        value_name = "DIR"
    )]
    pub state: Option<PathBuf>,
}

/// Every command.
#[derive(Debug, Subcommand)]
pub enum Command {
    #[command(flatten)]
    Resident(resident::Command),
    #[command(flatten)]
    Verify(verify::Command),
    #[command(flatten)]
    Agency(Box<agency::Command>),
    #[command(flatten)]
    Operator(operator::Command),
    #[command(flatten)]
    Footage(footage::Command),
}

/// Runs a command.
///
/// # Errors
/// What it failed with, to be shown as it is.
pub async fn run(command: Command, context: &Context) -> Result<(), Failure> {
    match command {
        Command::Resident(command) => Box::pin(resident::run(command, context)).await,
        Command::Verify(command) => Box::pin(verify::run(command, context)).await,
        Command::Agency(command) => Box::pin(agency::run(*command, context)).await,
        Command::Operator(command) => Box::pin(operator::run(command, context)).await,
        Command::Footage(command) => Box::pin(footage::run(command, context)).await,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }

    /// clap does not notice when a command's own argument has the name of one that every command knows.
    #[test]
    fn no_command_takes_a_name_that_every_command_knows() {
        fn walk(command: &clap::Command, known: &[String], path: &str, twice: &mut Vec<String>) {
            for sub in command.get_subcommands() {
                let path = format!("{path} {}", sub.get_name());
                let clash = sub.get_arguments().filter(|arg| known.contains(&arg.get_id().to_string()));
                twice.extend(clash.map(|arg| format!("{path}: {}", arg.get_id())));
                walk(sub, known, &path, twice);
            }
        }
        let root = super::Cli::command();
        let known: Vec<String> = root.get_arguments().map(|arg| arg.get_id().to_string()).collect();
        let mut twice = Vec::new();
        walk(&root, &known, "canvass", &mut twice);
        assert!(twice.is_empty(), "{twice:?}");
    }

    #[test]
    fn every_command_shows_examples() {
        fn walk(command: &clap::Command, path: &str, missing: &mut Vec<String>) {
            for sub in command.get_subcommands() {
                let path = format!("{path} {}", sub.get_name());
                let shown = sub.get_after_help().map(ToString::to_string).unwrap_or_default();
                if sub.get_subcommands().next().is_none() && !shown.contains("canvass ") {
                    missing.push(path.clone());
                }
                walk(sub, &path, missing);
            }
        }
        let mut missing = Vec::new();
        walk(&super::Cli::command(), "canvass", &mut missing);
        assert!(missing.is_empty(), "without an example in --help: {missing:?}");
    }
}

//! The operator's commands: run a Canvass, look after its data.

mod care;
mod serve;

use clap::Subcommand;

use crate::common::{Context, Failure};

/// The operator's commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    Serve(Box<serve::Serve>),
    Init(care::Init),
    Check(care::Check),
    Backup(care::Backup),
    Restore(care::Restore),
    Openapi(care::Openapi),
}

/// Runs one of the operator's commands.
///
/// # Errors
/// What it failed with.
pub async fn run(command: Command, context: &Context) -> Result<(), Failure> {
    match command {
        Command::Serve(command) => Box::pin(serve::run(*command, context)).await,
        Command::Init(command) => Box::pin(care::init(command, context)).await,
        Command::Check(command) => Box::pin(care::check(command, context)).await,
        Command::Backup(command) => Box::pin(care::backup(command, context)).await,
        Command::Restore(command) => Box::pin(care::restore(command, context)).await,
        Command::Openapi(_) => care::openapi(context),
    }
}

//! The resident's commands. What they send never depends on what matches on the resident's side.

mod clips;
mod destination;
mod files;
mod give;
mod keygen;
mod offer;
mod requests;
mod seal;
mod searched;
mod upload;

use clap::Subcommand;

use crate::common::{Context, Failure};

/// The resident's commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    #[command(subcommand)]
    Requests(requests::Requests),
    Seal(Box<seal::Seal>),
    Give(give::Give),
    Receipt(give::FetchReceipt),
    #[command(subcommand)]
    Offer(offer::OfferCommand),
    Searched(searched::Searched),
    Keygen(keygen::Keygen),
}

/// Runs one of the resident's commands.
///
/// # Errors
/// What it failed with.
pub async fn run(command: Command, context: &Context) -> Result<(), Failure> {
    match command {
        Command::Requests(command) => Box::pin(requests::run(command, context)).await,
        Command::Seal(command) => Box::pin(seal::run(*command, context)).await,
        Command::Give(command) => Box::pin(give::give(command, context)).await,
        Command::Receipt(command) => Box::pin(give::receipt(command, context)).await,
        Command::Offer(command) => Box::pin(offer::run(command, context)).await,
        Command::Searched(command) => Box::pin(searched::run(command, context)).await,
        Command::Keygen(command) => keygen::run(&command, context),
    }
}

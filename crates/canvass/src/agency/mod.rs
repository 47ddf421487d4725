//! The agency's commands.

use clap::Subcommand;

use crate::common::{Context, Failure};

/// The agency's commands.
#[derive(Debug, Subcommand)]
pub enum Command {}

/// Runs one of the agency's commands.
///
/// # Errors
/// What it failed with.
#[expect(clippy::unused_async, reason = "the other groups of commands wait for the network")]
pub async fn run(command: Command, _context: &Context) -> Result<(), Failure> {
    match command {}
}

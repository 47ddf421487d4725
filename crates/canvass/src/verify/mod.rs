//! The verify commands.

use clap::Subcommand;

use crate::common::{Context, Failure};

/// The verify commands.
#[derive(Debug, Subcommand)]
pub enum Command {}

pub async fn run(command: Command, _context: &Context) -> Result<(), Failure> {
    match command {}
}

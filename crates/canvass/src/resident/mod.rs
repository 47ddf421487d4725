//! The resident's commands. What they send never depends on what matches on the resident's side.

use clap::Subcommand;

use crate::common::{Context, Failure};

/// The resident's commands.
#[derive(Debug, Subcommand)]
pub enum Command {}

pub async fn run(command: Command, _context: &Context) -> Result<(), Failure> {
    match command {}
}

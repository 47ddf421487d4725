//! What anyone can check, trusting nobody: ledgers, receipts, packages; and how to be a witness.

mod disclosure;
pub mod keys;
pub mod ledger;
pub mod ledgers;
mod package;
pub mod receipt;
pub mod records;
pub mod replay;
pub mod source;
mod witness;

use clap::Subcommand;

use crate::common::{Context, Failure};

/// Commands of whoever trusts nobody.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check a ledger, a receipt, an export package or a disclosure, trusting nobody
    #[command(subcommand)]
    Verify(What),
    #[command(subcommand)]
    Witness(witness::WitnessCommand),
}

/// What to verify.
#[derive(Debug, Subcommand)]
pub enum What {
    Ledger(ledger::VerifyLedger),
    Receipt(receipt::VerifyReceipt),
    Package(package::VerifyPackage),
    Disclosure(disclosure::VerifyDisclosure),
}

/// Runs one of them.
///
/// # Errors
/// A defect was found, or it could not be checked.
pub async fn run(command: Command, context: &Context) -> Result<(), Failure> {
    match command {
        Command::Verify(What::Ledger(command)) => Box::pin(ledger::run(command, context)).await,
        Command::Verify(What::Receipt(command)) => receipt::run(&command, context),
        Command::Verify(What::Package(command)) => package::run(&command, context),
        Command::Verify(What::Disclosure(command)) => disclosure::run(&command, context),
        Command::Witness(command) => Box::pin(witness::run(command, context)).await,
    }
}

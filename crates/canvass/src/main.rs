//! The one executable. Its commands are grouped by who gives them: residents ([`resident`]), strangers who trust
//! nobody ([`verify`]), agencies ([`agency`], [`package`]), the operator ([`operator`]), and whoever has pictures and videos ([`footage`]).
//!
//! The machine's clock, chance, environment, terminal and file system are touched through [`common`] alone.

mod agency;
mod cli;
mod common;
mod footage;
mod operator;
mod resident;
mod verify;

use std::process::ExitCode;

use clap::Parser;

use crate::common::{Console, Context, Failure};

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are printed here too; their status is 0, and that of a usage error is 2.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let context = Context::new(&cli.global);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return report(context.console(), &Failure::from(error)),
    };
    let result = runtime.block_on(Box::pin(cli::run(cli.command, &context)));
    // A thread that reads from the terminal can't be interrupted; nothing waits for it.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => report(context.console(), &failure),
    }
}

fn report(console: Console, failure: &Failure) -> ExitCode {
    console.failure(failure);
    ExitCode::from(failure.code())
}

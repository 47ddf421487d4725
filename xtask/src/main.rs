//! `cargo xtask`: the one door to everything a person does with this repository.
//!
//! Nothing of the product lives here, and no crate of the product depends on it.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool for the terminal: printing is what it is for"
)]

mod bench;
mod demo;
mod fuzz;
mod models;
mod mutants;
mod setup;
mod shell;
mod steps;
mod suite;
mod tidy;
mod web;

use clap::{Parser, Subcommand};
use shell::{Fail, Workspace};
use std::process::{Command, ExitCode};

/// Tasks of the Canvass repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what the tests and the demo need; quick when it is already there
    Setup {
        /// What to prepare for
        #[arg(long = "for", value_enum, default_value_t = setup::Purpose::Test)]
        purpose: setup::Purpose,
    },
    /// Build Canvass and show it at work on this machine
    Demo(demo::Args),
    /// Format check, house rules, lints, tests and licences; a table at the end
    Test(suite::Args),
    /// What .ci/run calls: `test`, with the tools that take long to install
    Ci,
    /// Check the rules of the house
    Tidy,
    /// Format every crate
    Fmt,
    /// Write docs/ref/openapi.json again from the code
    Openapi,
    /// Build the pages of web/ for the executable; quick when nothing changed
    Web,
    /// Fetch the weights of models.toml and the library that runs them
    Models {
        /// Where to; left out: where `cargo xtask` keeps its tools
        #[arg(long)]
        folder: Option<std::path::PathBuf>,
    },
    /// Run the measurements under bench/
    Bench {
        /// One folder of bench/; all of them when left out
        name: Option<String>,
        /// What that measurement is told: `vision` takes the folder of its labelled pictures, --report, --minutes N
        #[arg(requires = "name", trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Change the code that decides who may do what, and tell which changes no test noticed; about an hour
    Mutants {
        /// Only changes whose names match this expression, such as `gate::decide`
        only: Option<String>,
    },
    /// Run every fuzz target for a while
    Fuzz {
        /// Seconds for each target
        #[arg(long, default_value_t = 30)]
        seconds: u32,
    },
}

fn main() -> ExitCode {
    match dispatch(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fail) => {
            if !fail.is_told() {
                eprintln!("xtask: {fail}");
            }
            ExitCode::FAILURE
        }
    }
}

fn dispatch(task: Task) -> Result<(), Fail> {
    let workspace = Workspace::find()?;
    match task {
        Task::Setup { purpose } => setup::run(&workspace, purpose),
        Task::Demo(args) => demo::run(&workspace, &args),
        Task::Test(args) => suite::test(&workspace, &args),
        Task::Ci => suite::ci(&workspace),
        Task::Tidy => tidy::run(&workspace),
        Task::Fmt => workspace.cargo(&["fmt", "--all"]),
        Task::Openapi => openapi(&workspace),
        Task::Web => web::build(&workspace),
        Task::Models { folder } => models::run(&workspace, folder.as_deref()),
        Task::Bench { name, arguments } => bench::run(&workspace, name.as_deref(), &arguments),
        Task::Mutants { only } => mutants::run(&workspace, only.as_deref()),
        Task::Fuzz { seconds } => fuzz::run(&workspace, seconds),
    }
}

/// Regenerates the API description. The file is written only when the whole output is there and is JSON.
fn openapi(workspace: &Workspace) -> Result<(), Fail> {
    let executable = suite::executable(workspace, false)?;
    let text = shell::output(Command::new(executable).arg("openapi"))?;
    serde_json::from_str::<serde_json::Value>(&text).map_err(|error| {
        Fail::new(format!(
            "`canvass openapi` did not print JSON ({error}); run it by hand and look at its output"
        ))
    })?;
    let path = workspace.path("docs/ref/openapi.json");
    shell::write(&path, &format!("{}\n", text.trim_end()))?;
    println!("wrote docs/ref/openapi.json");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::CommandFactory;

    #[test]
    fn command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}

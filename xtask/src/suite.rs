//! `test` and `ci`: every check of the repository, one after another.

use crate::fuzz;
use crate::setup::{self, Purpose};
use crate::shell::{self, Fail, Workspace};
use crate::steps::{Done, Steps};
use crate::tidy;
use crate::web;
use std::path::PathBuf;
use std::process::Command;

/// Seconds for each fuzz target in a long run.
const FUZZ_SECONDS: u32 = 10;

/// What `cargo xtask test` takes.
#[derive(clap::Args)]
pub struct Args {
    /// Also the suites that take minutes (sets CANVASS_LONG=1 for the tests)
    #[arg(long)]
    long: bool,
    /// Leave out the installing of tools; tests that miss one say so and are skipped
    #[arg(long)]
    no_setup: bool,
}

/// Every check, with the tools that install quickly.
pub fn test(workspace: &Workspace, args: &Args) -> Result<(), Fail> {
    let mut steps = Steps::default();
    if !args.no_setup {
        steps.run("setup", || passed(setup::run(workspace, Purpose::Test)));
    }
    checks(workspace, &mut steps, args.long, false);
    steps.finish()
}

/// Every check, with every tool, on exactly the dependencies in Cargo.lock.
pub fn ci(workspace: &Workspace) -> Result<(), Fail> {
    let mut steps = Steps::default();
    steps.run("setup", || passed(setup::run(workspace, Purpose::Ci)));
    checks(workspace, &mut steps, false, true);
    steps.finish()
}

fn checks(workspace: &Workspace, steps: &mut Steps, long: bool, locked: bool) {
    steps.run("format", || {
        workspace
            .cargo(&["fmt", "--all", "--check"])
            .map_err(|fail| Fail::new(format!("{fail}. Mend it with `cargo xtask fmt`")))
            .map(|()| Done::Passed)
    });
    steps.run("tidy", || passed(tidy::run(workspace)));
    // First of all what is built: the executable of the tests holds the pages.
    steps.run("web: build", || in_node(workspace, || web::build(workspace)));
    steps.run("web: types and lint", || in_node(workspace, || web::lint(workspace)));
    steps.run("web: unit", || in_node(workspace, || web::unit(workspace)));
    steps.run("clippy", || {
        let mut command = cargo(workspace, &["clippy", "--workspace", "--all-targets"], locked);
        passed(shell::run(command.args(["--", "-D", "warnings"])))
    });
    steps.run("tests", || {
        let mut command = if has_nextest(workspace) {
            cargo(workspace, &["nextest", "run", "--workspace", "--no-fail-fast", "--no-tests=pass"], locked)
        } else {
            println!("cargo-nextest isn't here; `cargo test` does the same, more slowly");
            cargo(workspace, &["test", "--workspace", "--all-targets", "--no-fail-fast"], locked)
        };
        passed(shell::run(with_length(&mut command, long)))
    });
    steps.run("examples in the docs", || {
        let mut command = cargo(workspace, &["test", "--workspace", "--doc", "--no-fail-fast"], locked);
        passed(shell::run(with_length(&mut command, long)))
    });
    steps.run("web: browser", || browser(workspace, long, locked));
    steps.run("licences and sources", || deny(workspace));
    // Every run of the tests has a brief look with the stable compiler (fuzz/bodies); this one takes minutes.
    if long {
        fuzz::all(workspace, steps, FUZZ_SECONDS);
    }
}

fn in_node(workspace: &Workspace, step: impl FnOnce() -> Result<(), Fail>) -> Result<Done, Fail> {
    if workspace.has("node") && workspace.has("npm") {
        return passed(step());
    }
    Ok(Done::Skipped("node and npm aren't here; `cargo xtask setup` installs them".into()))
}

/// Builds `canvass` as the tests do: of the whole workspace and with a test, so that features come out the same, and what
/// the tests built is used again.
pub fn executable(workspace: &Workspace, locked: bool) -> Result<PathBuf, Fail> {
    let whole = ["build", "--quiet", "--workspace", "--bin", "canvass", "--test", "docs"];
    shell::run(&mut cargo(workspace, &whole, locked))?;
    Ok(workspace.target()?.join("debug").join("canvass"))
}

/// What people do, in a real browser, against the executable that was just built.
fn browser(workspace: &Workspace, long: bool, locked: bool) -> Result<Done, Fail> {
    if !workspace.has("chromium") {
        return Ok(Done::Skipped("chromium isn't here; `cargo xtask setup` installs it".into()));
    }
    let executable = executable(workspace, locked)?;
    in_node(workspace, || web::browser(workspace, &executable, long))
}

/// Licences, banned crates and sources. Advisories need a database from the network, whose content
/// changes under an unchanged commit, so they are looked up by hand: `cargo deny check advisories`.
fn deny(workspace: &Workspace) -> Result<Done, Fail> {
    if !workspace.has("cargo-deny") {
        return Ok(Done::Skipped(
            "cargo-deny isn't here; `cargo xtask setup --for ci` builds it (some minutes)".into(),
        ));
    }
    println!("advisories are left out here; look them up with `cargo deny check advisories`");
    workspace.cargo(&["deny", "--all-features", "check", "licenses", "bans", "sources"])?;
    Ok(Done::Passed)
}

fn cargo(workspace: &Workspace, args: &[&str], locked: bool) -> Command {
    let mut command = workspace.command("cargo");
    command.args(args);
    if locked {
        command.arg("--locked");
    }
    command
}

fn with_length(command: &mut Command, long: bool) -> &mut Command {
    if long { command.env("CANVASS_LONG", "1") } else { command }
}

fn has_nextest(workspace: &Workspace) -> bool {
    shell::succeeds(workspace.command("cargo").args(["nextest", "--version"]))
}

fn passed(result: Result<(), Fail>) -> Result<Done, Fail> {
    result.map(|()| Done::Passed)
}

//! `mutants`: changes the code that decides who may do what, one small change at a time, and tells which of the changes no
//! test noticed.

use crate::setup::{self, Purpose};
use crate::shell::{self, Fail, Workspace};

/// The code that is changed.
const FILES: &str = "crates/core/src/access/*.rs";
/// The tests that should notice: those of the domain.
const TESTS: [&str; 2] = ["--lib", "--test=core"];
/// Seconds that the tests of one change may take: some changes loop for ever.
const TIMEOUT: &str = "180";
/// What cargo-mutants exits with when changes were missed, or took too long.
const MISSED: [i32; 2] = [2, 3];

/// Runs cargo-mutants over the gate, or over the part of it whose changes' names contain `only`.
pub fn run(workspace: &Workspace, only: Option<&str>) -> Result<(), Fail> {
    setup::run(workspace, Purpose::Mutants)?;
    let out = workspace.cache("mutants");
    shell::make_folder(&out)?;
    println!(
        "one change at a time, each built and tested: about an hour on 2 cores; {} keeps the list",
        out.display()
    );
    let mut command = workspace.command("cargo");
    command.args(["mutants", "--package=canvass-core", "--test-package=canvass-core", "--file", FILES]);
    command.args(["--timeout", TIMEOUT, "--no-shuffle", "--colors=never", "--output"]).arg(&out);
    if let Some(only) = only {
        command.args(["--re", only]);
    }
    command.arg("--").args(TESTS);
    let status =
        command.status().map_err(|error| Fail::new(format!("cargo mutants can't be started: {error}")))?;
    if status.success() {
        return Ok(());
    }
    if !status.code().is_some_and(|code| MISSED.contains(&code)) {
        return Err(Fail::new(format!("cargo mutants ended with {status}; its log is in {}", out.display())));
    }
    let missed = shell::read(&out.join("mutants.out/missed.txt"))?;
    Err(Fail::new(format!(
        "no test noticed these changes; write one that does, or say beside the code why none can:\n{missed}"
    )))
}

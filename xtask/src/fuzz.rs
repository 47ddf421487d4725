//! `fuzz`: runs every target of fuzz/ for a while.

use crate::shell::{self, Fail, Workspace};
use crate::steps::{Done, Steps};
use std::fs;
use std::path::Path;

/// Bytes of one input; parsers here take small things, and long inputs only slow the search.
const MAX_INPUT: &str = "-max_len=65536";

/// Runs each target for this many seconds. Says so and ends well where the tools aren't there.
pub fn run(workspace: &Workspace, seconds: u32) -> Result<(), Fail> {
    let targets = targets(&workspace.path("fuzz/fuzz_targets"));
    let mut steps = Steps::default();
    let missing = missing(workspace, &targets);
    if let Some(why) = missing {
        steps.run("fuzz", || Ok(Done::Skipped(why)));
        return steps.finish();
    }
    for target in targets {
        steps.run(&target, || {
            let mut command = workspace.command("cargo");
            command.args(["+nightly", "fuzz", "run", &target, "--"]);
            command.args([&format!("-max_total_time={seconds}"), MAX_INPUT]);
            shell::run(&mut command).map(|()| Done::Passed).map_err(|fail| {
                Fail::new(format!(
                    "{fail}. The input that broke it is below fuzz/artifacts/{target}; make it a vector"
                ))
            })
        });
    }
    steps.finish()
}

fn missing(workspace: &Workspace, targets: &[String]) -> Option<String> {
    if targets.is_empty() {
        return Some("no fuzz/fuzz_targets/*.rs here".into());
    }
    if !shell::succeeds(workspace.command("cargo").args(["+nightly", "--version"])) {
        return Some("no nightly toolchain; `rustup toolchain install nightly`".into());
    }
    if !shell::succeeds(workspace.command("cargo").args(["fuzz", "--version"])) {
        return Some("no cargo-fuzz; `cargo install --locked cargo-fuzz`".into());
    }
    None
}

fn targets(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".rs").map(str::to_owned))
        .collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::targets;
    use std::fs;

    #[test]
    fn targets_are_the_rust_files() {
        let folder = std::env::temp_dir().join(format!("canvass-xtask-fuzz-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for name in ["tile.rs", "note.rs", "README.md"] {
            fs::write(folder.join(name), "").unwrap();
        }
        assert_eq!(targets(&folder), ["note", "tile"]);
        fs::remove_dir_all(&folder).unwrap();
        assert!(targets(&folder).is_empty());
    }
}

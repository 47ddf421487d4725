//! `fuzz`: runs every target of fuzz/ for a while, from first inputs made of vectors/.

use crate::shell::{self, Fail, Workspace};
use crate::steps::{Done, Steps};
use std::fs;
use std::path::Path;

/// Bytes of one input; parsers here take small things, and long inputs only slow the search.
const MAX_INPUT: &str = "-max_len=65536";
/// Seconds that one input may take. What is read here should take milliseconds.
const TIMEOUT: &str = "-timeout=10";
/// What the targets do, and where their first inputs come from.
const BODIES: [&str; 4] = ["run", "--quiet", "--package=canvass-fuzz-bodies", "--"];

/// Runs each target for this many seconds: with cargo-fuzz and the nightly compiler where they are there, otherwise on
/// seeded mutations with the stable one.
pub fn run(workspace: &Workspace, seconds: u32) -> Result<(), Fail> {
    let mut steps = Steps::default();
    all(workspace, &mut steps, seconds);
    steps.finish()
}

/// A step for each target.
pub fn all(workspace: &Workspace, steps: &mut Steps, seconds: u32) {
    let targets = targets(&workspace.path("fuzz/fuzz_targets"));
    if let Some(why) = missing(workspace) {
        println!("{why}; seeded mutations with the stable compiler instead, which don't follow the code");
        for target in targets {
            steps.run(&format!("mutations of {target}"), || {
                let mut command = workspace.command("cargo");
                command.args(BODIES).args(["mutate", &seconds.to_string(), &target]);
                shell::run(&mut command).map(|()| Done::Passed)
            });
        }
        return;
    }
    steps.run("first inputs from vectors/", || {
        let mut command = workspace.command("cargo");
        command.args(BODIES).arg("corpus").arg(workspace.path("fuzz/corpus"));
        shell::run(&mut command).map(|()| Done::Passed)
    });
    for target in targets {
        steps.run(&format!("fuzz {target}"), || {
            let mut command = workspace.command("cargo");
            command.args(["+nightly", "fuzz", "run", &target, "--"]);
            command.args([&format!("-max_total_time={seconds}"), MAX_INPUT, TIMEOUT]);
            shell::run(&mut command).map(|()| Done::Passed).map_err(|fail| {
                Fail::new(format!(
                    "{fail}. The input that broke it is below fuzz/artifacts/{target}; make it a vector"
                ))
            })
        });
    }
}

fn missing(workspace: &Workspace) -> Option<String> {
    if !shell::succeeds(workspace.command("cargo").args(["+nightly", "--version"])) {
        return Some("no nightly toolchain (`rustup toolchain install nightly`)".into());
    }
    if !shell::succeeds(workspace.command("cargo").args(["fuzz", "--version"])) {
        return Some("no cargo-fuzz (`cargo xtask setup --for bench` builds it)".into());
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

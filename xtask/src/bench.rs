//! `bench`: runs the measurements. Each is a folder of bench/ with a `run.sh`.

use crate::setup::{self, Purpose};
use crate::shell::{self, Fail, Workspace};
use crate::steps::{Done, Steps};
use std::fs;
use std::path::{Path, PathBuf};

/// Runs one measurement, with arguments for it, or all of them in the order of their names.
pub fn run(workspace: &Workspace, name: Option<&str>, arguments: &[String]) -> Result<(), Fail> {
    let found = find(&workspace.path("bench"), name)?;
    let mut steps = Steps::default();
    steps.run("setup", || setup::run(workspace, Purpose::Bench).map(|()| Done::Passed));
    for (name, script) in found {
        let mut command = workspace.command("bash");
        command.arg(&script).args(arguments);
        steps.run(&name, || shell::run(&mut command).map(|()| Done::Passed));
    }
    steps.finish()
}

fn find(folder: &Path, only: Option<&str>) -> Result<Vec<(String, PathBuf)>, Fail> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let script = entry.path().join("run.sh");
        if script.is_file() {
            found.push((entry.file_name().to_string_lossy().into_owned(), script));
        }
    }
    found.sort();
    if found.is_empty() {
        return Err(Fail::new("no bench/*/run.sh here; a measurement is a folder of bench/ with a run.sh"));
    }
    let Some(only) = only else { return Ok(found) };
    let names: Vec<String> = found.iter().map(|(name, _)| name.clone()).collect();
    found.retain(|(name, _)| name == only);
    if found.is_empty() {
        return Err(Fail::new(format!("no measurement `{only}`; there are: {}", names.join(", "))));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::find;
    use std::fs;

    #[test]
    fn finds_by_name_and_lists_the_others() {
        let folder = std::env::temp_dir().join(format!("canvass-xtask-bench-{}", std::process::id()));
        for name in ["seal", "feed"] {
            fs::create_dir_all(folder.join(name)).unwrap();
            fs::write(folder.join(name).join("run.sh"), "true\n").unwrap();
        }
        fs::create_dir_all(folder.join("notes")).unwrap();
        let names = |only| {
            find(&folder, only).map(|found| found.into_iter().map(|(name, _)| name).collect::<Vec<_>>())
        };
        assert_eq!(names(None).unwrap(), ["feed", "seal"]);
        assert_eq!(names(Some("seal")).unwrap(), ["seal"]);
        let fail = names(Some("sea")).unwrap_err();
        assert!(fail.to_string().contains("feed, seal"), "{fail}");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn an_empty_folder_is_told() {
        assert!(find(std::path::Path::new("no/such/folder"), None).is_err());
    }
}

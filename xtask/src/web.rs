//! `web`: the pages, from `web/` into `web/dist`, from where the executable takes them; and their checks.

use crate::setup::{NODE, Stamp, at_least};
use crate::shell::{self, Fail, Workspace};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Installs the packages when their list changed, and builds when anything changed that the pages are made from.
pub fn build(workspace: &Workspace) -> Result<(), Fail> {
    install(workspace)?;
    let sources = sources(workspace)?;
    let parts: Vec<&[u8]> = sources.iter().map(Vec::as_slice).collect();
    // The build empties the folder, so a stamp in it is never older than what it speaks of.
    let stamp = Stamp::at(workspace.path("web/dist/.canvass-stamp"), &parts);
    if stamp.is_current() && workspace.path("web/dist/index.html").is_file() {
        println!("web/dist is what web/ makes");
        return Ok(());
    }
    shell::run(&mut npm(workspace, &["run", "--silent", "build"]))?;
    stamp.set()
}

/// The packages of web/package-lock.json, in web/node_modules.
pub fn install(workspace: &Workspace) -> Result<(), Fail> {
    let version = shell::output(workspace.command("node").arg("--version"))?;
    at_least("node", &version, NODE)?;
    let lock = shell::read(&workspace.path("web/package-lock.json"))?;
    let modules = workspace.path("web/node_modules");
    let stamp = Stamp::at(modules.join(".canvass-stamp"), &[lock.as_bytes()]);
    if stamp.is_current() {
        return Ok(());
    }
    if holds(&modules, &lock) {
        // Someone ran npm by hand, and nothing is missing.
        return stamp.set();
    }
    println!("installing the packages of web/package-lock.json");
    shell::run(&mut npm(
        workspace,
        &["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
    ))
    .map_err(|fail| {
        Fail::new(format!(
            "{fail}. Is the network there? Delete web/node_modules and run `cargo xtask web` again"
        ))
    })?;
    stamp.set()
}

/// Whether what npm says it installed is what the list asks for; packages for other machines may be missing.
fn holds(modules: &Path, lock: &str) -> bool {
    let Ok(installed) = shell::read(&modules.join(".package-lock.json")) else { return false };
    let parsed = |text: &str| serde_json::from_str::<Value>(text).ok();
    parsed(lock).zip(parsed(&installed)).is_some_and(|(lock, installed)| same(&lock, &installed))
}

fn same(lock: &Value, installed: &Value) -> bool {
    let packages =
        |value: &Value| value.get("packages").and_then(Value::as_object).cloned().unwrap_or_default();
    let (lock, installed) = (packages(lock), packages(installed));
    let version = |package: &Value| package.get("version").cloned();
    let extra = installed.iter().any(|(path, package)| lock.get(path).map(version) != Some(version(package)));
    let missing = lock.iter().any(|(path, package)| {
        let optional = package.get("optional").and_then(Value::as_bool).unwrap_or(false);
        !path.is_empty() && !optional && !installed.contains_key(path)
    });
    !lock.is_empty() && !extra && !missing
}

/// Names and bytes of everything that the pages are made from.
fn sources(workspace: &Workspace) -> Result<Vec<Vec<u8>>, Fail> {
    let list = shell::output(workspace.command("git").args([
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "-z",
        "--",
        "web",
        "docs/ref/openapi.json",
    ]))?;
    let mut paths: Vec<&str> = list.split('\0').filter(|path| !path.is_empty()).collect();
    paths.sort_unstable();
    paths.dedup();
    let mut sources = Vec::with_capacity(paths.len() * 2);
    for path in paths {
        // Deleted, and git has not been told yet.
        let Ok(bytes) = std::fs::read(workspace.path(path)) else { continue };
        sources.push(path.as_bytes().to_vec());
        sources.push(bytes);
    }
    Ok(sources)
}

/// Types, style and texts.
pub fn lint(workspace: &Workspace) -> Result<(), Fail> {
    install(workspace)?;
    shell::run(&mut npm(workspace, &["run", "--silent", "check"]))?;
    shell::run(&mut npm(workspace, &["run", "--silent", "lint"]))
        .map_err(|fail| Fail::new(format!("{fail}. `npm run format` in web/ mends the layout")))
}

/// Tests of the code alone.
pub fn unit(workspace: &Workspace) -> Result<(), Fail> {
    install(workspace)?;
    shell::run(&mut npm(workspace, &["run", "--silent", "test"]))
}

/// Tests in a browser, against the executable.
pub fn browser(workspace: &Workspace, executable: &Path, long: bool) -> Result<(), Fail> {
    install(workspace)?;
    let mut command = npm(workspace, &["run", "--silent", "browser"]);
    command.env("CANVASS_BIN", executable);
    if long {
        command.env("CANVASS_LONG", "1");
    }
    shell::run(&mut command)
}

fn npm(workspace: &Workspace, args: &[&str]) -> Command {
    let mut command = workspace.command("npm");
    command.current_dir(workspace.path("web")).args(args);
    command
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_installed_folder_is_taken_when_nothing_is_missing() {
        let lock = json!({"packages": {"": {"name": "x"}, "node_modules/a": {"version": "1.0.0"},
            "node_modules/b-other-machine": {"version": "1.0.0", "optional": true}}});
        let installed = |packages: Value| json!({ "packages": packages });
        assert!(same(&lock, &installed(json!({"node_modules/a": {"version": "1.0.0"}}))));
        for other in [
            json!({}),
            json!({"node_modules/a": {"version": "1.0.1"}}),
            json!({"node_modules/a": {"version": "1.0.0"}, "node_modules/c": {"version": "1.0.0"}}),
        ] {
            assert!(!same(&lock, &installed(other.clone())), "{other}");
        }
        assert!(!same(&json!({}), &json!({})));
    }
}

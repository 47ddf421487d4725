//! `setup`: what the tests, the demo and the measurements need besides Rust.
//!
//! Every part looks first whether it is already there, so a second run takes about a second.
//! Python and npm packages go below `.cache`, never into the system.

use crate::models;
use crate::shell::{self, Fail, Workspace};
use sha2::{Digest, Sha256};
use std::process::Command;

/// What a person is preparing for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, clap::ValueEnum)]
pub enum Purpose {
    /// The demo
    Demo,
    /// The tests
    Test,
    /// The tests as .ci/run runs them
    Ci,
    /// The measurements under bench/
    Bench,
    /// Changing the code of access to see whether a test notices
    Mutants,
}

/// A program, the Debian package that brings it, what needs it, and what for.
struct Program {
    name: &'static str,
    package: &'static str,
    needed_by: &'static [Purpose],
    why: &'static str,
}

const ALWAYS: &[Purpose] = &[Purpose::Demo, Purpose::Test, Purpose::Ci, Purpose::Bench];
const CHECKS: &[Purpose] = &[Purpose::Test, Purpose::Ci];
const MEASURES: &[Purpose] = &[Purpose::Bench];

const PROGRAMS: &[Program] = &[
    Program { name: "ffmpeg", package: "ffmpeg", needed_by: ALWAYS, why: "makes clips and viewing copies" },
    Program { name: "age", package: "age", needed_by: ALWAYS, why: "opens envelopes with a stock tool" },
    Program {
        name: "sqlite3",
        package: "sqlite3",
        needed_by: CHECKS,
        why: "looks into the store from outside",
    },
    Program { name: "pdftotext", package: "poppler-utils", needed_by: CHECKS, why: "reads the posters" },
    Program { name: "python3", package: "python3", needed_by: CHECKS, why: "runs the stock Python clients" },
    Program {
        name: "node",
        package: "nodejs",
        needed_by: ALWAYS,
        why: "builds the pages, runs the stock JavaScript clients",
    },
    Program { name: "npm", package: "npm", needed_by: ALWAYS, why: "installs what both need" },
    Program { name: "chromium", package: "chromium", needed_by: CHECKS, why: "opens the pages" },
    Program {
        name: "faketime",
        package: "faketime",
        needed_by: CHECKS,
        why: "starts a server some weeks ahead, when marks of searches are public",
    },
    Program {
        name: "mosquitto",
        package: "mosquitto",
        needed_by: CHECKS,
        why: "carries messages of cameras to the bridge",
    },
    Program {
        name: "nginx",
        package: "nginx-light",
        needed_by: MEASURES,
        why: "serves the public files under load",
    },
    Program { name: "wrk", package: "wrk", needed_by: MEASURES, why: "makes that load" },
];

/// A tool that cargo builds. These take minutes, so only `ci` and `bench` ask for them.
struct CargoTool {
    name: &'static str,
    version: &'static str,
    needed_by: &'static [Purpose],
    why: &'static str,
}

const CARGO_TOOLS: &[CargoTool] = &[
    CargoTool {
        name: "cargo-deny",
        version: "0.20.2",
        needed_by: &[Purpose::Ci],
        why: "checks licences and sources",
    },
    CargoTool {
        name: "rage",
        version: "0.12.1",
        needed_by: &[Purpose::Ci, Purpose::Bench],
        why: "opens envelopes with a second stock tool",
    },
    CargoTool {
        name: "cargo-fuzz",
        version: "0.13.2",
        needed_by: &[Purpose::Bench],
        why: "runs the fuzz targets, with a nightly compiler",
    },
    CargoTool {
        name: "cargo-mutants",
        version: "27.1.0",
        needed_by: &[Purpose::Mutants],
        why: "changes the code to see whether a test notices",
    },
];

/// The Python that Debian's bindings of GStreamer belong to.
const SYSTEM_PYTHON: &str = "/usr/bin/python3";
/// Fails where the stock camera of the tests can't be shown.
const IS_CAMERA: &str = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import Gst, GstRtspServer; \
                         Gst.init(None); assert Gst.ElementFactory.find('qtdemux') and Gst.ElementFactory.find('rtph264pay')";
/// Debian's packages that bring it.
const CAMERA: [&str; 3] = ["python3-gi", "gir1.2-gst-rtsp-server-1.0", "gstreamer1.0-plugins-good"];

/// Oldest Python that the pinned packages run on.
const PYTHON: (u32, u32) = (3, 11);
/// Oldest Node that the pinned packages run on.
pub const NODE: (u32, u32) = (20, 19);

/// Installs what `purpose` needs. Parts don't wait for each other: all failures are told at once.
pub fn run(workspace: &Workspace, purpose: Purpose) -> Result<(), Fail> {
    let mut results = vec![programs(workspace, purpose)];
    if CHECKS.contains(&purpose) {
        results.push(python(workspace));
        results.push(node(workspace));
        results.push(models::run(workspace, None));
    }
    for tool in CARGO_TOOLS.iter().filter(|tool| tool.needed_by.contains(&purpose)) {
        results.push(cargo_tool(workspace, tool));
    }
    let failures: Vec<String> =
        results.into_iter().filter_map(Result::err).map(|fail| fail.to_string()).collect();
    if failures.is_empty() { Ok(()) } else { Err(Fail::new(failures.join("\n"))) }
}

fn programs(workspace: &Workspace, purpose: Purpose) -> Result<(), Fail> {
    let mut packages = Vec::new();
    for program in PROGRAMS.iter().filter(|program| program.needed_by.contains(&purpose)) {
        if workspace.has(program.name) {
            println!("{:<11} there  ({})", program.name, program.why);
        } else {
            println!("{:<11} missing, package {}  ({})", program.name, program.package, program.why);
            packages.push(program.package);
        }
    }
    // Debian splits the module that makes virtual environments from Python itself.
    let makes_environments =
        || shell::succeeds(workspace.command("python3").args(["-c", "import venv, ensurepip"]));
    if CHECKS.contains(&purpose) && !packages.contains(&"python3") && !makes_environments() {
        println!("{:<11} missing, package python3-venv  (keeps Python packages out of the system)", "venv");
        packages.push("python3-venv");
    } else if packages.contains(&"python3") {
        packages.push("python3-venv");
    }
    if CHECKS.contains(&purpose) {
        let there = shell::succeeds(workspace.command(SYSTEM_PYTHON).args(["-c", IS_CAMERA]));
        let state = if there { "there" } else { "missing, packages of GStreamer" };
        println!("{:<11} {state}  (a stock camera for the tests)", "RTSP server");
        packages.extend(CAMERA.iter().filter(|_| !there));
    }
    if packages.is_empty() { Ok(()) } else { apt(workspace, &packages) }
}

fn apt(workspace: &Workspace, packages: &[&str]) -> Result<(), Fail> {
    let by_hand = format!("install by hand, then run this again: {}", packages.join(" "));
    if !workspace.has("apt-get") {
        return Err(Fail::new(format!("no apt-get on this system; {by_hand} (Debian's names)")));
    }
    let root = shell::output(workspace.command("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if !root && !shell::succeeds(workspace.command("sudo").args(["-n", "true"])) {
        return Err(Fail::new(format!("neither root nor a sudo that asks no password; {by_hand}")));
    }
    println!("installing with apt-get: {}", packages.join(" "));
    let install = ["install", "-y", "-q", "--no-install-recommends"];
    if shell::run(apt_get(workspace, root).args(install).args(packages)).is_ok() {
        return Ok(());
    }
    println!("the lists of packages may be old; fetching them again");
    shell::run(apt_get(workspace, root).args(["update", "-q"]))
        .and_then(|()| shell::run(apt_get(workspace, root).args(install).args(packages)))
        .map_err(|fail| Fail::new(format!("{fail}. Is the network there? Otherwise {by_hand}")))
}

fn apt_get(workspace: &Workspace, root: bool) -> Command {
    let mut command = if root {
        workspace.command("env")
    } else {
        let mut sudo = workspace.command("sudo");
        sudo.args(["-n", "env"]);
        sudo
    };
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
    command
}

fn python(workspace: &Workspace) -> Result<(), Fail> {
    let version = shell::output(workspace.command("python3").arg("--version"))?;
    at_least("python3", &version, PYTHON)?;
    let wanted = workspace.path("tools/requirements.txt");
    let stamp = Stamp::new(workspace, "venv", &[&version, &shell::read(&wanted)?]);
    if stamp.is_current() && workspace.cache("venv/bin/python").exists() {
        println!(
            "{:<11} there  (bagit, tuspy, case-utils, schemathesis, feedparser for the tests)",
            "Python pkgs"
        );
        return Ok(());
    }
    println!("installing the packages of tools/requirements.txt into {}", workspace.cache("venv").display());
    let retry = |fail: Fail| {
        Fail::new(format!(
            "{fail}. Is the network there? Delete {} and run `cargo xtask setup` again",
            workspace.cache("venv").display()
        ))
    };
    shell::run(workspace.command("python3").args(["-m", "venv", "--clear"]).arg(workspace.cache("venv")))
        .map_err(retry)?;
    shell::run(
        workspace
            .command(workspace.cache("venv/bin/python"))
            .args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "-r"])
            .arg(&wanted),
    )
    .map_err(retry)?;
    stamp.set()
}

fn node(workspace: &Workspace) -> Result<(), Fail> {
    let version = shell::output(workspace.command("node").arg("--version"))?;
    at_least("node", &version, NODE)?;
    let lock = shell::read(&workspace.path("tools/package-lock.json"))?;
    let stamp = Stamp::new(workspace, "node", &[&version, &lock]);
    if stamp.is_current() && workspace.cache("node/node_modules").is_dir() {
        println!("{:<11} there  (tus-js-client, age-encryption for the tests)", "npm pkgs");
        return Ok(());
    }
    println!("installing the packages of tools/package-lock.json into {}", workspace.cache("node").display());
    shell::write(&workspace.cache("node/package-lock.json"), &lock)?;
    for name in ["package.json", ".npmrc"] {
        let text = shell::read(&workspace.path("tools").join(name))?;
        shell::write(&workspace.cache("node").join(name), &text)?;
    }
    shell::run(workspace.command("npm").current_dir(workspace.cache("node")).args([
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ]))
    .map_err(|fail| {
        Fail::new(format!(
            "{fail}. Is the network there? Delete {} and run `cargo xtask setup` again",
            workspace.cache("node").display()
        ))
    })?;
    stamp.set()
}

fn cargo_tool(workspace: &Workspace, tool: &CargoTool) -> Result<(), Fail> {
    let installed = workspace.cache("cargo/bin").join(tool.name);
    if installed.is_file()
        && shell::output(workspace.command(&installed).arg("--version"))
            .is_ok_and(|text| text.contains(tool.version))
    {
        println!("{:<11} there  ({})", tool.name, tool.why);
        return Ok(());
    }
    println!("building {} {} with cargo, some minutes  ({})", tool.name, tool.version, tool.why);
    let mut command = workspace.command("cargo");
    command
        .env_remove("CARGO_TARGET_DIR")
        .args(["install", "--quiet", "--locked", "--force", "--root"])
        .arg(workspace.cache("cargo"))
        .arg(format!("{}@{}", tool.name, tool.version));
    shell::run(&mut command).map_err(|fail| {
        Fail::new(format!("{fail}. Is the network there? Is `cc` installed (package build-essential)?"))
    })
}

/// Compares the first two numbers of what `--version` prints.
pub fn at_least(program: &str, printed: &str, (major, minor): (u32, u32)) -> Result<(), Fail> {
    let digits = printed.trim_start_matches(|c: char| !c.is_ascii_digit());
    let mut numbers =
        digits.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse::<u32>().unwrap_or(0));
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if found >= (major, minor) {
        return Ok(());
    }
    Err(Fail::new(format!(
        "{program} says `{}`, but the test tools need {major}.{minor} or newer; put a newer {program} first on PATH and run this again",
        printed.trim()
    )))
}

/// Remembers from what an installed folder was made; written only after everything went well.
pub struct Stamp {
    path: std::path::PathBuf,
    digest: String,
}

impl Stamp {
    fn new(workspace: &Workspace, folder: &str, made_from: &[&str]) -> Self {
        let parts: Vec<&[u8]> = made_from.iter().map(|part| part.as_bytes()).collect();
        Self::at(workspace.cache(folder).join("canvass-stamp"), &parts)
    }

    /// A stamp in a file of its own.
    pub fn at(path: std::path::PathBuf, made_from: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in made_from {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        let digest = hex(&hash.finalize());
        Self { path, digest }
    }

    /// Whether it was made from the same.
    pub fn is_current(&self) -> bool {
        shell::read(&self.path).is_ok_and(|text| text.trim() == self.digest)
    }

    /// Says that it was.
    pub fn set(&self) -> Result<(), Fail> {
        shell::write(&self.path, &format!("{}\n", self.digest))
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(at_least("python3", "Python 3.11.7\n", PYTHON).is_ok());
        assert!(at_least("node", "v20.19.0\n", NODE).is_ok());
        let fail = at_least("python3", "Python 3.9.18\n", PYTHON).unwrap_err();
        assert!(fail.to_string().contains("3.11 or newer"), "{fail}");
        assert!(at_least("node", "v18.20.4\n", NODE).is_err());
        assert!(at_least("node", "", NODE).is_err());
    }

    #[test]
    fn the_demo_needs_clips_age_and_what_builds_pages() {
        let names: Vec<_> = PROGRAMS
            .iter()
            .filter(|program| program.needed_by.contains(&Purpose::Demo))
            .map(|program| program.name)
            .collect();
        assert_eq!(names, ["ffmpeg", "age", "node", "npm"]);
        assert!(!CARGO_TOOLS.iter().any(|tool| tool.needed_by.contains(&Purpose::Demo)));
    }

    #[test]
    fn slow_tools_are_left_to_ci_and_bench() {
        assert!(!CARGO_TOOLS.iter().any(|tool| tool.needed_by.contains(&Purpose::Test)));
    }

    #[test]
    fn hex_is_lower_case_and_padded() {
        assert_eq!(hex(&[0, 0xab, 0x0f]), "00ab0f");
    }
}

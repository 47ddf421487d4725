//! `tidy`: the rules of the house that neither the compiler nor clippy knows.
//!
//! Every rule is a function from what was read to its findings, with a test that shows it failing.

mod asvs;
mod direction;
mod docs;
mod habits;
mod migrations;
mod places;

use crate::shell::{self, Fail, Workspace};
use std::fmt;
use std::fs;

/// One breach: where it is, what it is and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    place: String,
    what: String,
}

impl Finding {
    fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into() }
    }

    fn at(file: &Source, line: usize, what: impl Into<String>) -> Self {
        Self::new(format!("{}:{line}", file.path), what)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.place, self.what)
    }
}

/// A text file of the repository; its path is relative to the root and uses `/`.
#[derive(Debug, Clone)]
pub struct Source {
    path: String,
    text: String,
}

impl Source {
    #[cfg(test)]
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.into(), text: text.into() }
    }

    fn is_code(&self) -> bool {
        [".rs", ".ts", ".svelte"].iter().any(|end| self.path.ends_with(end))
    }

    /// Lines with their numbers, from 1.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }
}

/// Checks every rule and prints every finding.
pub fn run(workspace: &Workspace) -> Result<(), Fail> {
    let sources = sources(workspace)?;
    let exists = |path: &str| workspace.path(path).exists();
    let digest = |path: &str| fs::read(workspace.path(path)).ok().map(|bytes| migrations::digest(&bytes));
    let rules: Vec<(&str, Vec<Finding>)> = vec![
        ("dependencies point one way", direction::one_way(&workspace.metadata()?)),
        ("absences hold all the way down", absences(workspace)?),
        ("files are at most 800 lines", habits::size(&sources)),
        ("nothing is left to do", habits::unfinished(&sources)),
        ("every crate takes the workspace's lints", habits::lints(&sources)),
        ("migrations are as listed", migrations::listed(&sources, &digest)),
        ("no registry hosts", places::registries(&sources)),
        ("no folders of one machine", places::machine_paths(&sources, &places::here(workspace.root()))),
        ("links lead somewhere", docs::links(&sources, &exists)),
        ("lines of pages are short", docs::lengths(&sources)),
        ("words of the glossary are in the code", docs::glossary(&sources)),
        ("the list of ASVS is whole", asvs::list(&sources, &exists)),
    ];
    let mut count = 0;
    for (rule, findings) in &rules {
        println!("{} {rule}", if findings.is_empty() { "ok  " } else { "FAIL" });
        for finding in findings {
            println!("       {finding}");
        }
        count += findings.len();
    }
    if count == 0 {
        Ok(())
    } else {
        Err(Fail::new(format!("{count} findings of tidy; each names its place above")))
    }
}

/// What is below each crate when it is built on its own, from `cargo tree`.
fn absences(workspace: &Workspace) -> Result<Vec<Finding>, Fail> {
    let mut findings = Vec::new();
    for absence in direction::ABSENCES {
        let folder = absence.package.trim_start_matches("canvass-");
        if !workspace.path("crates").join(folder).is_dir() {
            continue;
        }
        let tree = shell::output(workspace.command("cargo").args([
            "tree",
            "-p",
            absence.package,
            "-e",
            "normal",
            "--prefix",
            "none",
            "--no-dedupe",
            "-f",
            "{p}|{f}",
        ]))?;
        findings.extend(direction::absent(absence, &tree));
    }
    Ok(findings)
}

/// Every text file that git tracks or would take. Others (pictures, vectors in binary) are left out.
fn sources(workspace: &Workspace) -> Result<Vec<Source>, Fail> {
    let list = shell::output(workspace.command("git").args([
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "-z",
    ]))?;
    let mut paths: Vec<&str> = list.split('\0').filter(|path| !path.is_empty()).collect();
    paths.sort_unstable();
    paths.dedup();
    Ok(paths
        .into_iter()
        .filter_map(|path| {
            let text = fs::read_to_string(workspace.path(path)).ok()?;
            Some(Source { path: path.to_owned(), text })
        })
        .collect())
}

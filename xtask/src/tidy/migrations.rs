//! A migration that ran somewhere is never edited: its hash stands in SHA256SUMS beside it.

use super::{Finding, Source};
use crate::setup::hex;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// SHA-256, in hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Migrations that differ from `crates/*/migrations/SHA256SUMS`, aren't in it, or are gone.
/// `digest` gives the hash of a file of the repository, if it is there.
pub fn listed(sources: &[Source], digest: &dyn Fn(&str) -> Option<String>) -> Vec<Finding> {
    let mut folders: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for file in sources {
        if let Some((folder, name)) = file.path.rsplit_once('/')
            && folder.starts_with("crates/")
            && folder.ends_with("/migrations")
        {
            folders.entry(folder).or_default().insert(name);
        }
    }
    folders.iter().flat_map(|(folder, names)| of_folder(sources, folder, names, digest)).collect()
}

fn of_folder(
    sources: &[Source],
    folder: &str,
    names: &BTreeSet<&str>,
    digest: &dyn Fn(&str) -> Option<String>,
) -> Vec<Finding> {
    let path = format!("{folder}/SHA256SUMS");
    let sums = sources.iter().find(|file| file.path == path).map_or("", |file| file.text.as_str());
    let mut findings = Vec::new();
    let mut known: BTreeMap<&str, &str> = BTreeMap::new();
    for line in sums.lines().filter(|line| !line.trim().is_empty()) {
        match line.split_once(char::is_whitespace) {
            // `sha256sum` puts a star before the name of a file that it read as binary.
            Some((hash, name)) => drop(known.insert(name.trim().trim_start_matches('*'), hash)),
            None => findings.push(Finding::new(
                &path,
                format!("`{line}` is not a line that sha256sum prints; write the file again"),
            )),
        }
    }
    for name in names.iter().filter(|name| name.ends_with(".sql") && !known.contains_key(**name)) {
        findings.push(Finding::new(
            format!("{folder}/{name}"),
            format!(
                "is not in SHA256SUMS; once it is final: `cd {folder} && sha256sum {name} >> SHA256SUMS`"
            ),
        ));
    }
    for (name, hash) in known {
        let place = format!("{folder}/{name}");
        match digest(&place) {
            None => findings.push(Finding::new(
                place,
                "is in SHA256SUMS but gone; migrations are never taken back, restore it",
            )),
            Some(found) if found != hash => findings.push(Finding::new(
                place,
                "was edited; databases already ran it, so restore it and write the change as a new migration",
            )),
            Some(_) => {}
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOLDER: &str = "crates/store-sqlite/migrations";

    fn check(sums: &str, sql: &str) -> Vec<Finding> {
        let file = Source::new(&format!("{FOLDER}/0001_first.sql"), sql);
        let list = Source::new(&format!("{FOLDER}/SHA256SUMS"), sums);
        let sources = [file, list];
        let find = |path: &str| {
            sources.iter().find(|file| file.path == path).map(|file| digest(file.text.as_bytes()))
        };
        listed(&sources, &find)
    }

    #[test]
    fn the_hash_is_the_one_of_sha256sum() {
        assert_eq!(digest(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn an_edited_migration_is_found() {
        let sums = format!("{}  0001_first.sql\n", digest(b"create table a (b);\n"));
        assert_eq!(check(&sums, "create table a (b);\n"), []);
        let findings = check(&sums, "create table a (b, c);\n");
        assert!(findings[0].to_string().contains("was edited"), "{findings:?}");
    }

    #[test]
    fn an_unlisted_a_lost_and_a_garbled_one_are_found() {
        assert!(
            check("", "select 1;").iter().any(|finding| finding.to_string().contains("not in SHA256SUMS"))
        );
        let sums = format!("{}  0001_first.sql\nabc  0000_gone.sql\n", digest(b"select 1;"));
        assert!(check(&sums, "select 1;")[0].to_string().contains("gone"));
        assert!(
            check("nonsense\n", "select 1;").iter().any(|finding| finding.to_string().contains("nonsense"))
        );
    }

    #[test]
    fn a_folder_without_a_list_is_found() {
        let file = Source::new(&format!("{FOLDER}/0001_first.sql"), "select 1;");
        assert_eq!(listed(&[file], &|_| None).len(), 1);
    }
}

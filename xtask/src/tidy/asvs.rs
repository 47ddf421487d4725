//! The list of OWASP ASVS is whole, and what it points to is there.

use super::{Finding, Source};
use std::collections::BTreeMap;

const LIST: &str = "docs/ref/asvs.md";
const IDS: &str = "docs/ref/asvs-ids.txt";
/// What the third cell of a row may say.
const ANSWERS: [&str; 3] = ["met", "not applicable", "**not met**"];

/// How a path ends; other code is a name or a value.
const KINDS: [&str; 9] = ["cedar", "json", "lock", "md", "rs", "svelte", "toml", "ts", "txt"];

/// Requirements without exactly one row, rows that answer nothing, and references to files or tests that aren't there.
///
/// A reference is code in the last cell that begins with the path of a file: `path`, `path::name` for a test in Rust, or
/// `path: title` for one of the pages. `exists` answers for a path from the root.
pub fn list(sources: &[Source], exists: &dyn Fn(&str) -> bool) -> Vec<Finding> {
    let find = |path: &str| sources.iter().find(|file| file.path == path);
    let (Some(list), Some(ids)) = (find(LIST), find(IDS)) else {
        return vec![Finding::new(LIST, format!("or {IDS} is missing; both are committed"))];
    };
    let mut findings = Vec::new();
    let mut rows: BTreeMap<&str, u32> = ids
        .lines()
        .map(|(_, line)| line.trim())
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|id| (id, 0))
        .collect();
    for (number, line) in list.lines() {
        let Some((id, rest)) = row(line) else { continue };
        match rows.get_mut(id) {
            Some(count) => *count += 1,
            None => findings.push(Finding::at(list, number, format!("{id} is not in {IDS}; mend the id"))),
        }
        let mut cells = rest.splitn(3, " | ");
        let (_asks, answer, why) = (cells.next(), cells.next(), cells.next().unwrap_or_default());
        if !answer.is_some_and(|answer| ANSWERS.contains(&answer.trim())) {
            let ways = ANSWERS.join(", ");
            findings.push(Finding::at(list, number, format!("{id} answers nothing; write one of: {ways}")));
        }
        if why.trim_matches([' ', '|']).is_empty() {
            findings.push(Finding::at(list, number, format!("{id} has no test and no reason; name one")));
        }
        let wrong = why.split('`').skip(1).step_by(2).filter_map(|text| wrong(text, sources, exists));
        findings.extend(wrong.map(|what| Finding::at(list, number, what)));
    }
    for (id, count) in rows.iter().filter(|(_, count)| **count != 1) {
        findings.push(Finding::new(LIST, format!("{id} has {count} rows; it needs exactly one")));
    }
    findings
}

/// The id of a row, and what follows it.
fn row(line: &str) -> Option<(&str, &str)> {
    let (id, rest) = line.strip_prefix("| V")?.split_once(" | ")?;
    let id = line.get(2..id.len() + 3)?;
    Some((id, rest))
}

/// What is wrong with a reference; nothing when it is none.
fn wrong(text: &str, sources: &[Source], exists: &dyn Fn(&str) -> bool) -> Option<String> {
    let (path, test) = match (text.split_once("::"), text.split_once(": ")) {
        (Some((path, name)), _) => (path, Some(format!("fn {name}("))),
        (None, Some((path, title))) => (path, Some(title.to_owned())),
        (None, None) => (text, None),
    };
    let kind = path.rsplit_once('.').map_or("", |(_, kind)| kind);
    if !KINDS.contains(&kind) || path.contains(char::is_whitespace) || path.starts_with('/') {
        return None;
    }
    if !exists(path) {
        return Some(format!("names {path}, which doesn't exist; name where it is now"));
    }
    let test = test?;
    let file = sources.iter().find(|file| file.path == path)?;
    (!file.text.contains(&test)).then(|| {
        let name = test.trim_start_matches("fn ").trim_end_matches('(');
        format!("names a test `{name}` that is not in {path}; name the one that shows it, or say not met")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rows: &str) -> Vec<String> {
        let sources = [
            Source::new(IDS, "# ids\nV1.1.1\nV1.1.2\n"),
            Source::new(LIST, rows),
            Source::new("crates/a/src/lib.rs", "#[test]\nfn it_holds() {}"),
            Source::new("web/tests/a.spec.ts", "test(\"it opens\", () => {});"),
        ];
        let exists = |path: &str| sources.iter().any(|file| file.path == path);
        list(&sources, &exists).iter().map(ToString::to_string).collect()
    }

    const SOUND: &str = "| id | asks | here | why |\n| --- | --- | --- | --- |\n\
        | V1.1.1 | a | met | `crates/a/src/lib.rs::it_holds`, `web/tests/a.spec.ts: it opens` |\n\
        | V1.1.2 | b | **not met** | `Strict` in `crates/a/src/lib.rs` is missing, `/metrics` too |\n";

    #[test]
    fn a_whole_list_is_fine() {
        assert_eq!(check(SOUND), Vec::<String>::new());
    }

    #[test]
    fn every_breach_is_named() {
        for (from, to, says) in [
            ("| V1.1.2 |", "| V1.1.3 |", "V1.1.3 is not in"),
            ("| V1.1.2 |", "| V1.1.1 |", "V1.1.1 has 2 rows"),
            ("| V1.1.2 |", "| W1.1.2 |", "V1.1.2 has 0 rows"),
            ("**not met**", "nearly", "answers nothing"),
            ("it_holds`", "it_held`", "`it_held` that is not in"),
            ("it opens`", "it shuts`", "`it shuts` that is not in"),
            ("in `crates/a/src/lib.rs`", "in `crates/b/src/lib.rs`", "crates/b/src/lib.rs, which"),
            ("`Strict` in `crates/a/src/lib.rs` is missing, `/metrics` too", "", "no test and no reason"),
        ] {
            let found = check(&SOUND.replacen(from, to, 1));
            assert!(found.iter().any(|line| line.contains(says)), "{says}: {found:?}");
        }
        assert_eq!(list(&[], &|_| true).len(), 1);
    }
}

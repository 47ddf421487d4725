//! Links of the documents lead somewhere, and the glossary speaks of what is there.

use super::{Finding, Source};
use std::collections::BTreeSet;

/// Characters of a line of a page.
const LONGEST: usize = 160;

/// Links in Markdown to files that don't exist. `exists` answers for a path from the root.
pub fn links(sources: &[Source], exists: &dyn Fn(&str) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !sources.iter().any(|file| file.path == "README.md") {
        findings.push(Finding::new("README.md", "is missing; write what Canvass is and how to start it"));
    }
    for file in sources.iter().filter(|file| file.path.ends_with(".md")) {
        let mut fenced = false;
        for (number, line) in file.lines() {
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
            }
            if fenced {
                continue;
            }
            for target in targets(line) {
                match resolve(&file.path, target) {
                    Some(path) if !path.is_empty() && !exists(&path) => {
                        findings.push(Finding::at(
                            file,
                            number,
                            format!("links to {target}, which doesn't exist; mend or drop the link"),
                        ));
                    }
                    Some(_) => {}
                    None => findings.push(Finding::at(
                        file,
                        number,
                        format!("links to {target}, outside the repository"),
                    )),
                }
            }
        }
    }
    findings
}

/// Lines of pages that are longer than a reader's window.
pub fn lengths(sources: &[Source]) -> Vec<Finding> {
    let is_page = |path: &str| {
        let of_docs = ["docs/guide/", "docs/ref/"].iter().any(|folder| path.starts_with(folder));
        path == "README.md" || of_docs && path.ends_with(".md")
    };
    // A row of a table can't be broken.
    let is_long = |line: &str| !line.starts_with('|') && line.chars().count() > LONGEST;
    let mut findings = Vec::new();
    for file in sources.iter().filter(|file| is_page(&file.path)) {
        for (number, _) in file.lines().filter(|(_, line)| is_long(line)) {
            findings.push(Finding::at(file, number, format!("has over {LONGEST} characters; break it")));
        }
    }
    findings
}

/// Targets of `](target)` and `[name]: target` that are meant to be files.
fn targets(line: &str) -> Vec<&str> {
    let inline =
        without_code(line).into_iter().flat_map(|text| text.split("](").skip(1)).filter_map(|rest| {
            let end = rest.find([')', ' '])?;
            rest.get(..end)
        });
    let reference =
        line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")).map(|(_, target)| target.trim());
    inline
        .chain(reference)
        .map(|target| target.trim_start_matches('<').trim_end_matches('>'))
        .map(|target| target.split('#').next().unwrap_or_default())
        .filter(|target| !target.is_empty() && !target.contains(':'))
        .collect()
}

/// The parts of a line outside of `code`. A link whose text is code keeps its `](`.
fn without_code(line: &str) -> Vec<&str> {
    line.split('`').step_by(2).collect()
}

/// A link's path from the root; nothing when it leads out of the repository.
fn resolve(from: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = match target.starts_with('/') {
        true => Vec::new(),
        false => from.rsplit_once('/').map(|(folder, _)| folder.split('/').collect()).unwrap_or_default(),
    };
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// Says in an entry of the glossary that the code doesn't have the thing yet.
const NOT_YET: &str = "not built yet";

/// Nouns of GLOSSARY.md that no name in the code holds. A noun is what stands in bold at the start of
/// a line, an item of a list or a row of a table; an entry with "not built yet" waits.
pub fn glossary(sources: &[Source]) -> Vec<Finding> {
    let Some(glossary) = sources.iter().find(|file| file.path == "GLOSSARY.md") else {
        return vec![Finding::new("GLOSSARY.md", "is missing; it holds the one noun for each thing")];
    };
    let names: BTreeSet<String> = sources
        .iter()
        .filter(|file| file.is_code() && !file.path.starts_with("xtask/"))
        .flat_map(|file| file.text.split(|c: char| !c.is_alphanumeric() && c != '_'))
        .map(plain)
        .collect();
    let mut findings = Vec::new();
    for (number, line) in glossary.lines().filter(|(_, line)| !line.contains(NOT_YET)) {
        for noun in nouns(line) {
            let wanted = plain(noun);
            if !wanted.is_empty() && !names.iter().any(|name| name.contains(&wanted)) {
                findings.push(Finding::at(
                    glossary,
                    number,
                    format!("no name in the code holds `{noun}`; use the code's noun, or write \"{NOT_YET}\" in the entry"),
                ));
            }
        }
    }
    findings
}

fn nouns(line: &str) -> impl Iterator<Item = &str> {
    let start = line.trim_start_matches(['|', '-', '*', ' ']);
    // The stars of the bold text itself were trimmed too: they must have been there.
    let bold = line.get(..line.len() - start.len()).is_some_and(|marks| marks.ends_with("**"));
    let noun = start.split_once("**").map(|(noun, _)| noun).filter(|_| bold).unwrap_or_default();
    noun.split([',', '/']).map(str::trim)
}

fn plain(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, text: &str) -> Vec<Finding> {
        let readme = Source::new("README.md", "");
        links(&[readme, Source::new(path, text)], &|path| {
            matches!(path, "README.md" | "docs/guide" | "docs/guide/give.md")
        })
    }

    #[test]
    fn dead_links_are_found() {
        for text in [
            "see [a](gone.md)",
            "[a]: gone.md",
            "[`code`](gone.md)",
            "[a](guide/gone.md#part) and [b](../README.md)",
        ] {
            assert_eq!(check("docs/index.md", text).len(), 1, "{text}");
        }
        assert!(check("docs/index.md", "[a](../../x)")[0].to_string().contains("outside"));
    }

    #[test]
    fn live_links_and_those_to_elsewhere_are_fine() {
        for text in [
            "[a](guide/give.md#seal) [b](guide/) [c](../README.md) [d](/README.md)",
            "[a](https://example.org/x) [b](mailto:a@example.org) [c](#here)",
            "`[a](gone.md)`",
            "```\n[a](gone.md)\n```",
        ] {
            assert_eq!(check("docs/index.md", text), [], "{text}");
        }
    }

    #[test]
    fn long_lines_of_pages_are_found() {
        let long = "ä".repeat(161);
        let found = |path: &str, text: &str| lengths(&[Source::new(path, text)]);
        assert_eq!(found("docs/ref/a.md", &format!("short\n{long}"))[0].place, "docs/ref/a.md:2");
        assert_eq!(found("README.md", &long).len(), 1);
        let fine = [&*"ä".repeat(160), &format!("| {long} |")].join("\n");
        assert!(found("docs/guide/a.md", &fine).is_empty());
        assert!(found("docs/adr/0001.md", &long).is_empty(), "notes of decisions are no pages");
    }

    #[test]
    fn a_missing_readme_is_found() {
        assert_eq!(links(&[], &|_| true).len(), 1);
    }

    fn words(glossary: &str) -> Vec<Finding> {
        let code = Source::new("crates/core/src/lib.rs", "pub struct CustodyEvent; fn request_id() {}");
        glossary_of(&[code, Source::new("GLOSSARY.md", glossary)])
    }

    fn glossary_of(sources: &[Source]) -> Vec<Finding> {
        super::glossary(sources)
    }

    #[test]
    fn nouns_without_code_are_found() {
        for text in [
            "| **Witness** | who signs |",
            "- **Witness**: who signs",
            "**Witness** signs",
            "* **Request, Witness**: x",
        ] {
            let findings = words(text);
            assert_eq!(findings.len(), 1, "{text}");
            assert!(findings[0].to_string().contains("Witness"));
        }
        assert_eq!(glossary_of(&[]).len(), 1);
    }

    #[test]
    fn nouns_with_code_are_fine() {
        for text in [
            "| **Custody event** | x |",
            "- **Request**: y",
            "Text with a **Stress** inside",
            "- **Witness**: not built yet",
        ] {
            assert_eq!(words(text), [], "{text}");
        }
    }
}

//! Size, unfinished code, lints.

use super::{Finding, Source};

/// Most lines of one file of code.
const MOST_LINES: usize = 800;

/// Files that are longer. This list may only shrink.
const LONGER: &[&str] = &[];

/// Files of code that nobody can keep in mind.
pub fn size(sources: &[Source]) -> Vec<Finding> {
    let long = sources
        .iter()
        .filter(|file| file.is_code() && !LONGER.contains(&file.path.as_str()))
        .map(|file| (file, file.text.lines().count()))
        .filter(|(_, lines)| *lines > MOST_LINES)
        .map(|(file, lines)| {
            Finding::new(&file.path, format!("{lines} lines, at most {MOST_LINES}; split it by what it does"))
        });
    let gone = LONGER
        .iter()
        .filter(|path| {
            !sources.iter().any(|file| file.path == **path && file.text.lines().count() > MOST_LINES)
        })
        .map(|path| {
            Finding::new(*path, "is short enough or gone; take it out of LONGER in xtask/src/tidy/habits.rs")
        });
    long.chain(gone).collect()
}

/// Macros that stand for code which isn't there.
pub fn unfinished(sources: &[Source]) -> Vec<Finding> {
    const MACROS: [&str; 2] = [concat!("todo", "!("), concat!("unimplemented", "!(")];
    let mut findings = Vec::new();
    for file in sources.iter().filter(|file| file.path.ends_with(".rs")) {
        for (number, line) in file.lines() {
            for found in MACROS.iter().filter(|found| line.contains(**found)) {
                findings.push(Finding::at(
                    file,
                    number,
                    format!("`{found}…)`: finish it, or return an error that says what is missing"),
                ));
            }
        }
    }
    findings
}

/// Manifests of crates without `[lints] workspace = true`.
pub fn lints(sources: &[Source]) -> Vec<Finding> {
    sources
        .iter()
        .filter(|file| is_member(&file.path) && !takes_lints(&file.text))
        .map(|file| Finding::new(&file.path, "add `[lints]` with `workspace = true`"))
        .collect()
}

fn is_member(path: &str) -> bool {
    path == "xtask/Cargo.toml"
        || path
            .strip_prefix("crates/")
            .and_then(|rest| rest.strip_suffix("/Cargo.toml"))
            .is_some_and(|name| !name.contains('/'))
}

fn takes_lints(manifest: &str) -> bool {
    let mut inside = false;
    for line in manifest.lines() {
        let line = line.split('#').next().unwrap_or_default().replace(' ', "");
        if line.starts_with('[') {
            inside = line.trim() == "[lints]";
        }
        if line.trim() == "lints.workspace=true" || (inside && line.trim() == "workspace=true") {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_is_found() {
        let long = Source::new("crates/core/src/all.rs", &"x\n".repeat(801));
        assert_eq!(size(std::slice::from_ref(&long)).len(), 1);
        let fine = Source::new("crates/core/src/all.rs", &"x\n".repeat(800));
        let data = Source::new("vectors/many.txt", &"x\n".repeat(9000));
        let web = Source::new("web/src/Map.svelte", &"x\n".repeat(801));
        assert_eq!(size(&[fine, data]), []);
        assert_eq!(size(&[web]).len(), 1);
    }

    #[test]
    fn unfinished_code_is_found_with_its_line() {
        let text = format!("fn later() {{\n    {}!(\"x\")\n}}\n", "todo");
        let findings = unfinished(&[Source::new("a.rs", &text)]);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].to_string().starts_with("a.rs:2: "));
        let text = format!("{}!()", "unimplemented");
        assert_eq!(unfinished(&[Source::new("a.rs", &text)]).len(), 1);
        assert_eq!(unfinished(&[Source::new("notes.md", &text)]), []);
    }

    #[test]
    fn a_crate_without_the_lints_is_found() {
        let bad = [
            "[package]\nname = \"x\"\n",
            "[package]\nversion.workspace = true\n[lints]\n[dependencies]\nworkspace = true\n",
            "[lints]\n# workspace = true\n",
        ];
        for text in bad {
            assert_eq!(lints(&[Source::new("crates/x/Cargo.toml", text)]).len(), 1, "{text}");
        }
        for text in
            ["[lints]\nworkspace = true\n", "[lints]\nworkspace=true # all\n", "lints.workspace = true\n"]
        {
            assert_eq!(lints(&[Source::new("crates/x/Cargo.toml", text)]), [], "{text}");
        }
        assert_eq!(lints(&[Source::new("crates/x/tests/ui/Cargo.toml", "")]), []);
    }
}

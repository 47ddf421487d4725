//! The pages that say what is kept and what is limited, held against the code.
#![cfg(test)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use canvass_core::ports::Kind;
use canvass_types::Policy;
use serde_json::Value;

const RETENTION: &str = "docs/ref/data-retention.md";
const LIMITS: &str = "docs/ref/limits.md";

fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    fs::read_to_string(workspace().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The rows of all tables between a heading and the next one, without the head of each table.
fn rows(page: &str, heading: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        if line.starts_with("## ") {
            inside = line == heading;
        } else if inside && line.starts_with('|') {
            let cells = line.trim().trim_matches('|').split('|').map(|cell| cell.trim().to_owned());
            found.push(cells.collect::<Vec<_>>());
        }
    }
    let bodies = found.iter().position(|row| row[0].starts_with("---")).map_or(found.len(), |at| at + 1);
    assert!(bodies < found.len(), "{heading}: the page has no table there");
    found.split_off(bodies)
}

/// The text of a cell in backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// Values of the policy by field, as the page must write them.
fn defaults(part: &str) -> BTreeMap<String, String> {
    let policy = serde_json::to_value(Policy::default()).unwrap();
    let fields = policy[part].as_object().unwrap();
    let written = |value: &Value| match value {
        Value::Array(list) => list.iter().map(|it| it.as_str().unwrap()).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    };
    fields.iter().map(|(name, value)| (format!("{part}.{name}"), written(value))).collect()
}

fn on_page(page: &str, heading: &str) -> BTreeMap<String, String> {
    let rows = rows(page, heading);
    let fields: BTreeMap<_, _> =
        rows.iter().map(|row| (quoted(&row[0])[0].to_owned(), row[1].clone())).collect();
    assert_eq!(fields.len(), rows.len(), "{heading}: a field stands there twice");
    fields
}

#[test]
fn every_retention_stands_on_the_page_with_its_default() {
    let page = read(RETENTION);
    assert_eq!(on_page(&page, "## Times"), defaults("retention"));
    let known: BTreeSet<String> =
        ["retention", "give", "ask", "asked"].iter().flat_map(|part| defaults(part).into_keys()).collect();
    for word in quoted(&page) {
        if ["retention.", "give.", "ask.", "asked."].iter().any(|part| word.starts_with(part)) {
            assert!(known.contains(word), "{RETENTION}: `{word}` is no field of the policy");
        }
    }
}

#[test]
fn every_table_stands_on_the_page_and_no_other() {
    let page = read(RETENTION);
    let named: Vec<_> = rows(&page, "## Records").iter().map(|row| quoted(&row[0])[0].to_owned()).collect();
    let set: BTreeSet<_> = named.iter().cloned().collect();
    assert_eq!(set.len(), named.len(), "a table stands there twice");
    for kind in Kind::ALL {
        assert!(set.contains(kind.table()), "{RETENTION}: the table `{}` is missing", kind.table());
    }
    let mut made = BTreeSet::new();
    for file in fs::read_dir(workspace().join("crates/store-sqlite/migrations")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|end| end == "sql") {
            let text = fs::read_to_string(path).unwrap();
            made.extend(text.lines().filter_map(|line| {
                Some(line.strip_prefix("CREATE TABLE ")?.trim_end_matches(" (").to_owned())
            }));
        }
    }
    assert_eq!(set, made, "the tables of the page (left) and of the store (right)");
}

#[test]
fn every_limit_of_the_policy_stands_on_the_page_with_its_default() {
    let mut all = defaults("ask");
    all.extend(defaults("give"));
    all.extend(defaults("asked"));
    assert_eq!(on_page(&read(LIMITS), "## Limits of the policy"), all);
}

/// The value of a product, sum or shift of plain numbers.
fn value(expression: &str) -> Option<u128> {
    let number = |text: &str| {
        let text = text.trim().replace('_', "");
        text.strip_prefix("Duration::from_secs(")
            .map_or(&*text, |it| it.trim_end_matches(')'))
            .parse::<u128>()
            .ok()
    };
    if let Some((base, shift)) = expression.split_once("<<") {
        return Some(number(base)? << number(shift)?);
    }
    expression.split('*').try_fold(1, |product, factor| Some(product * number(factor)?))
}

/// A number as the page writes it: with a unit of bytes, or plain.
fn written(cell: &str) -> Option<u128> {
    let (number, unit) = cell.split_once(' ').unwrap_or((cell, ""));
    let unit = match unit {
        "" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    Some(number.replace(',', "").parse::<u128>().ok()? * unit)
}

#[test]
fn every_other_limit_on_the_page_is_that_of_the_code() {
    let page = read(LIMITS);
    let mut wrong = Vec::new();
    let headings = [
        "## Limits of the server",
        "## Limits of formats",
        "## Limits of the command line",
        "## Limits of the pages",
    ];
    for heading in headings {
        for row in rows(&page, heading) {
            let [path, name] = quoted(&row[2])[..] else { panic!("{}: name a file and a constant", row[0]) };
            let code = read(path);
            let found = code.lines().find_map(|line| {
                // `const NAME: u64 = 1;` in Rust, `const NAME = 1;` in TypeScript.
                let after = line.split_once(&format!("const {name}"))?.1;
                after.starts_with([':', ' ']).then_some(())?;
                value(after.split_once('=')?.1.trim().trim_end_matches(';'))
            });
            if found.is_none() || found != written(&row[1]) {
                wrong.push(format!("{}: {} on the page, {found:?} in {path} {name}", row[0], row[1]));
            }
        }
    }
    assert!(wrong.is_empty(), "{LIMITS}:\n{}", wrong.join("\n"));
}

#[test]
fn numbers_are_read_as_they_are_written() {
    assert_eq!(value("48 * 1024"), Some(49_152));
    assert_eq!(value("16 << 20"), Some(16 << 20));
    assert_eq!(value("60_000_000_000"), Some(60_000_000_000));
    assert_eq!(value("MAX + 1"), None);
    assert_eq!(written("4 KiB"), Some(4_096));
    assert_eq!(written("10,000"), Some(10_000));
    assert_eq!(written("4 parsecs"), None);
}

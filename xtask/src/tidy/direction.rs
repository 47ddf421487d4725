//! Which crate may know which, and what must not be below a crate at all.

use super::Finding;
use serde_json::Value;

/// Whom each crate may name, besides itself. A crate that isn't here may name nobody, until someone
/// adds it and so decides where it stands.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("canvass-types", &[]),
    ("canvass-pages", &[]),
    ("canvass-seal", &["canvass-types"]),
    ("canvass-ledger", &["canvass-types"]),
    ("canvass-matching", &["canvass-types"]),
    // The private check for a plate's owner: runs in the public role and in the resident's hands.
    ("canvass-blind", &["canvass-types"]),
    // What a plate is, and the seam behind which reads are stored: knows no file, no clock.
    ("canvass-plates", &["canvass-types"]),
    ("canvass-store-reads", &["canvass-types", "canvass-plates"]),
    // Rules and the answers that they give: knows no store, no clock, nobody's records.
    ("canvass-policy", &["canvass-types"]),
    // What is looked for in a history of acts: knows no store, no clock, no names.
    ("canvass-misuse", &["canvass-types"]),
    // What descriptions mean and which are refused: pure, so that core and a browser can have it too.
    ("canvass-footage", &["canvass-types", "canvass-plates"]),
    ("canvass-vision", &["canvass-types", "canvass-footage", "canvass-plates"]),
    // Messages to those who asked for them: knows the public feed, and nothing of the domain.
    ("canvass-notices", &["canvass-types", "canvass-seal"]),
    // Ceremonies of passkeys: needs nothing of ours, so that it can be tested alone.
    ("canvass-signin", &[]),
    (
        "canvass-core",
        &[
            "canvass-types",
            "canvass-blind",
            "canvass-footage",
            "canvass-seal",
            "canvass-ledger",
            "canvass-matching",
            "canvass-misuse",
            "canvass-plates",
            "canvass-policy",
            "canvass-signin",
        ],
    ),
    ("canvass-package", &["canvass-types", "canvass-seal", "canvass-ledger", "canvass-core"]),
    // What other makers' readers send, as rows of core: bytes in, rows out.
    ("canvass-adapters", &["canvass-types", "canvass-plates", "canvass-core"]),
    ("canvass-store-sqlite", STORE),
    ("canvass-store-postgres", STORE),
    ("canvass-store-cluster", STORE),
    ("canvass-store-objects", STORE),
    (
        "canvass-server",
        &[
            "canvass-types",
            "canvass-adapters",
            "canvass-blind",
            "canvass-seal",
            "canvass-ledger",
            "canvass-matching",
            "canvass-core",
            "canvass-package",
            "canvass-pages",
            "canvass-vision",
            "canvass-notices",
            "canvass-plates",
            "canvass-store-reads",
            "canvass-store-sqlite",
            "canvass-store-postgres",
            "canvass-store-cluster",
            "canvass-store-objects",
        ],
    ),
    ("canvass-home", &["canvass-types", "canvass-matching", "canvass-seal", "canvass-ledger"]),
    (
        "canvass",
        &[
            "canvass-types",
            "canvass-adapters",
            "canvass-blind",
            "canvass-seal",
            "canvass-ledger",
            "canvass-matching",
            "canvass-core",
            "canvass-package",
            "canvass-footage",
            "canvass-vision",
            "canvass-plates",
            "canvass-store-reads",
            "canvass-store-sqlite",
            "canvass-store-postgres",
            "canvass-store-cluster",
            "canvass-store-objects",
            "canvass-server",
            "canvass-home",
        ],
    ),
    (
        "canvass-testkit",
        &[
            "canvass-types",
            "canvass-blind",
            "canvass-seal",
            "canvass-ledger",
            "canvass-matching",
            "canvass-plates",
            "canvass-core",
        ],
    ),
    (
        "canvass-bench",
        &[
            "canvass-types",
            "canvass-blind",
            "canvass-seal",
            "canvass-ledger",
            "canvass-core",
            "canvass-plates",
            "canvass-store-reads",
            "canvass-store-sqlite",
            "canvass-store-objects",
        ],
    ),
    (
        "canvass-fuzz-bodies",
        &["canvass-types", "canvass-seal", "canvass-ledger", "canvass-policy", "canvass-core"],
    ),
    ("xtask", &[]),
];

const STORE: &[&str] = &["canvass-types", "canvass-seal", "canvass-ledger", "canvass-core"];

/// Dependencies between crates of the workspace, from `cargo metadata`. Tests may also name the test kit.
pub fn one_way(metadata: &Value) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in list(metadata, "packages") {
        let name = text(package, "name");
        let allowed = MAY_NAME.iter().find(|(known, _)| *known == name).map(|(_, allowed)| *allowed);
        if allowed.is_none() {
            findings.push(Finding::new(
                name,
                "this crate has no place yet; add it to MAY_NAME in xtask/src/tidy/direction.rs",
            ));
        }
        for dependency in
            list(package, "dependencies").filter(|one| !one.get("path").is_none_or(Value::is_null))
        {
            let target = text(dependency, "name");
            let for_tests = text(dependency, "kind") == "dev";
            let fine = target == name
                || allowed.unwrap_or_default().contains(&target)
                || (for_tests && target == "canvass-testkit");
            if !fine {
                findings.push(Finding::new(
                    name,
                    format!(
                        "must not depend on {target}; dependencies point one way (ARCHITECTURE.md, Layout)"
                    ),
                ));
            }
        }
    }
    findings
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// What must not be anywhere below a crate.
pub struct Absence {
    /// The crate.
    pub package: &'static str,
    /// Crates that must not be there.
    pub crates: &'static [&'static str],
    /// Features of a crate that must not be on, though the crate itself may be there.
    pub features: &'static [(&'static str, &'static str)],
    /// The rule, in words.
    pub rule: &'static str,
}

const RUNTIME_AND_NETWORK: &[&str] = &[
    "tokio",
    "async-std",
    "smol",
    "mio",
    "socket2",
    "axum",
    "hyper",
    "reqwest",
    "ureq",
    "rustls",
    "h2",
    "quinn",
    "sqlx",
    "rusqlite",
    "object_store",
    "openssl",
    "native-tls",
];

const DATABASES: &[&str] =
    &["sqlx", "sqlx-core", "rusqlite", "libsqlite3-sys", "tokio-postgres", "object_store", "axum", "reqwest"];

/// Checked on what `cargo tree` prints for the crate alone, without features that others turn on.
pub const ABSENCES: &[Absence] = &[
    Absence {
        package: "canvass-types",
        crates: RUNTIME_AND_NETWORK,
        features: &[],
        rule: "types does no input or output",
    },
    Absence {
        package: "canvass-seal",
        crates: RUNTIME_AND_NETWORK,
        features: &[],
        rule: "seal reads and writes only what it is handed",
    },
    Absence {
        package: "canvass-ledger",
        crates: RUNTIME_AND_NETWORK,
        features: &[],
        rule: "ledger does no input or output but its storage trait",
    },
    Absence {
        package: "canvass-matching",
        crates: RUNTIME_AND_NETWORK,
        features: &[],
        rule: "matching has no network",
    },
    Absence {
        package: "canvass-policy",
        crates: RUNTIME_AND_NETWORK,
        features: &[],
        rule: "policy decides on texts and facts, and does no input or output",
    },
    Absence {
        package: "canvass-misuse",
        crates: RUNTIME_AND_NETWORK,
        features: &[],
        rule: "misuse looks at the history that it is handed",
    },
    Absence {
        package: "canvass-plates",
        crates: RUNTIME_AND_NETWORK,
        features: &[],
        rule: "plates knows texts and a seam, and does no input or output",
    },
    Absence {
        package: "canvass-core",
        crates: &[
            "axum",
            "sqlx",
            "reqwest",
            "object_store",
            "hyper",
            "rusqlite",
            "libsqlite3-sys",
            "mio",
            "ureq",
        ],
        features: &[("tokio", "net")],
        rule: "core knows no HTTP, SQL or files",
    },
    Absence {
        package: "canvass-adapters",
        crates: &[
            "axum",
            "sqlx",
            "reqwest",
            "object_store",
            "hyper",
            "rusqlite",
            "libsqlite3-sys",
            "mio",
            "ureq",
            "rumqttc-v4-next",
        ],
        features: &[("tokio", "net")],
        rule: "adapters turn bytes into rows, and do no input or output",
    },
    Absence {
        package: "canvass-package",
        crates: RUNTIME_AND_NETWORK,
        features: &[],
        rule: "a bundle is made and checked with no network",
    },
    Absence { package: "canvass-vision", crates: DATABASES, features: &[], rule: "vision knows no database" },
    Absence {
        package: "canvass-home",
        crates: &["canvass-core", "canvass-server", "canvass-store-sqlite", "canvass-store-objects"],
        features: &[],
        rule: "home can't name agency code",
    },
];

/// Looks for what must be absent in lines of `name vX.Y.Z …|feature,feature`.
pub fn absent(absence: &Absence, tree: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for line in tree.lines() {
        let (package, features) = line.split_once('|').unwrap_or((line, ""));
        let name = package.split_whitespace().next().unwrap_or_default();
        if absence.crates.contains(&name) {
            findings.push(breach(absence, name.to_owned(), name));
        }
        for (of, feature) in absence.features {
            if name == *of && features.split(',').any(|on| on == *feature) {
                findings.push(breach(absence, format!("the feature {feature} of {of}"), name));
            }
        }
    }
    findings.dedup();
    findings.sort_by(|left, right| left.what.cmp(&right.what));
    findings.dedup();
    findings
}

fn breach(absence: &Absence, what: String, name: &str) -> Finding {
    let package = absence.package;
    Finding::new(
        package,
        format!(
            "has {what} below it, but {}; `cargo tree -p {package} -e normal -i {name}` shows the way",
            absence.rule
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn depends(name: &str, on: &str, kind: Value) -> Value {
        json!({"packages": [{"name": name, "dependencies": [
            {"name": on, "kind": kind, "path": "somewhere"},
            {"name": "serde", "kind": null},
        ]}]})
    }

    #[test]
    fn a_dependency_against_the_direction_is_found() {
        assert_eq!(one_way(&depends("canvass-core", "canvass-types", Value::Null)), []);
        for (name, on) in [
            ("canvass-types", "canvass-core"),
            ("canvass-seal", "canvass-ledger"),
            ("canvass-core", "canvass-store-sqlite"),
            ("canvass-store-sqlite", "canvass-server"),
            ("canvass-home", "canvass-core"),
            ("canvass-home", "canvass-server"),
            ("canvass-vision", "canvass-store-sqlite"),
            ("xtask", "canvass-types"),
        ] {
            let findings = one_way(&depends(name, on, Value::Null));
            assert_eq!(findings.len(), 1, "{name} on {on}");
            assert!(findings[0].to_string().contains(on));
        }
    }

    #[test]
    fn the_test_kit_is_for_tests_only() {
        assert_eq!(one_way(&depends("canvass-seal", "canvass-testkit", json!("dev"))), []);
        assert_eq!(one_way(&depends("canvass-seal", "canvass-testkit", Value::Null)).len(), 1);
        assert_eq!(one_way(&depends("canvass-seal", "canvass-testkit", json!("build"))).len(), 1);
    }

    #[test]
    fn a_new_crate_needs_a_place() {
        let findings = one_way(&json!({"packages": [{"name": "canvass-extra", "dependencies": []}]}));
        assert!(findings[0].to_string().contains("MAY_NAME"));
    }

    fn absence_of(package: &str) -> &'static Absence {
        ABSENCES.iter().find(|absence| absence.package == package).unwrap()
    }

    #[test]
    fn a_network_crate_far_below_is_found_once() {
        let tree = "canvass-seal v0.1.0 (here)|\nage v0.12.1|\ntokio v1.50.0|net,rt\nage v0.12.1|\ntokio v1.50.0|net,rt\n";
        let findings = absent(absence_of("canvass-seal"), tree);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].to_string().contains("tokio"));
        assert_eq!(
            absent(absence_of("canvass-seal"), "canvass-seal v0.1.0|\nage v0.12.1|\ntokio-ish v1.0.0|"),
            []
        );
    }

    #[test]
    fn core_may_wait_but_not_talk() {
        let core = absence_of("canvass-core");
        assert_eq!(absent(core, "tokio v1.50.0|sync,macros"), []);
        assert_eq!(absent(core, "tokio v1.50.0|net,sync").len(), 1);
        assert_eq!(absent(core, "sqlx v0.9.0|").len(), 1);
    }
}

//! Nothing in the repository says from where its packages came to one machine, or where it lay there.

use super::{Finding, Source};
use std::path::Path;

/// Where package managers download from. Which of them a machine uses is that machine's business.
const HOSTS: [&str; 5] = [
    concat!("registry.", "npmjs.org"),
    concat!("files.", "pythonhosted.org"),
    concat!("pypi.org", "/simple"),
    concat!("static.", "crates.io"),
    concat!("index.", "crates.io"),
];

/// The only source of crates.
const CRATES: &str = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";

/// Registry hosts in text, lock files or settings of package managers.
pub fn registries(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in sources {
        for (number, line) in file.lines() {
            for host in HOSTS.iter().filter(|host| line.contains(**host)) {
                findings.push(Finding::at(file, number, format!("names {host}; take the host out")));
            }
            if let Some(what) = of_manager(&file.path, line.trim()) {
                findings.push(Finding::at(file, number, what));
            }
        }
    }
    findings
}

fn of_manager(path: &str, line: &str) -> Option<&'static str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let starts = |starts: &[&str]| starts.iter().any(|start| line.starts_with(start));
    let found = match name {
        "package-lock.json" | "npm-shrinkwrap.json" => line.starts_with("\"resolved\": \"http"),
        "yarn.lock" => line.starts_with("resolved "),
        "pnpm-lock.yaml" => line.contains("tarball: http"),
        ".npmrc" => line.contains("registry=") && !line.starts_with("omit-lockfile-registry-resolved="),
        "Cargo.lock" => line.starts_with("source = ") && line != CRATES,
        "config.toml" if path.ends_with(".cargo/config.toml") => starts(&["[source", "[registr"]),
        _ if name.starts_with("requirements") => {
            starts(&["--index-url", "--extra-index-url", "--find-links", "-i ", "-f "])
        }
        _ => false,
    };
    found.then_some(match name {
        "Cargo.lock" => "a crate that isn't from crates.io; use a published one",
        "package-lock.json" => {
            "names a registry; write the file again with omit-lockfile-registry-resolved=true in .npmrc"
        }
        _ => "names a registry or index; leave that to each machine's own settings",
    })
}

/// The folders of the machine that this runs on: the checkout itself, and what lies beside it unless
/// it lies in a folder that every system has.
pub fn here(root: &Path) -> Vec<String> {
    const EVERYWHERE: [&str; 14] = [
        "bin", "build", "dev", "etc", "home", "mnt", "opt", "proc", "root", "srv", "src", "tmp", "usr", "var",
    ];
    let mut folders = vec![root.to_path_buf()];
    let first = root.components().nth(1).and_then(|part| part.as_os_str().to_str()).unwrap_or_default();
    if !EVERYWHERE.contains(&first)
        && let Some(entries) = root.parent().and_then(|parent| parent.read_dir().ok())
    {
        folders.extend(entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()));
    }
    folders
        .iter()
        .filter(|folder| folder.components().count() > 2)
        .filter_map(|folder| folder.to_str().map(str::to_owned))
        .collect()
}

/// Absolute paths below people's own folders, or below the `folders` given.
pub fn machine_paths(sources: &[Source], folders: &[String]) -> Vec<Finding> {
    let own: [&str; 3] = [concat!("/ro", "ot/"), concat!("/Us", "ers/"), concat!("/ho", "me/")];
    let mut findings = Vec::new();
    for file in sources {
        for (number, line) in file.lines() {
            let personal = own.iter().any(|start| has_path(line, start, !start.ends_with("ot/")));
            if personal || folders.iter().any(|folder| has_folder(line, folder)) {
                findings.push(Finding::at(
                    file,
                    number,
                    "a path of one machine; use one relative to the repository, or an environment variable",
                ));
            }
        }
    }
    findings
}

/// Whether `start` begins a path in the line; with `then_file`, only when a folder and a file follow
/// (so that a route such as the home page isn't taken for someone's folder).
fn has_path(line: &str, start: &str, then_file: bool) -> bool {
    line.match_indices(start).any(|(at, _)| {
        let (before, after) =
            (line.get(..at).unwrap_or_default(), line.get(at + start.len()..).unwrap_or_default());
        let user: String = after.chars().take_while(|c| is_part(*c)).collect();
        let rest = after.get(user.len()..).unwrap_or_default();
        begins_there(before) && !user.is_empty() && (!then_file || rest.starts_with('/'))
    })
}

fn has_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let after = line.get(at + folder.len()..).unwrap_or_default();
        begins_there(line.get(..at).unwrap_or_default()) && !after.starts_with(is_part)
    })
}

fn begins_there(before: &str) -> bool {
    !before.ends_with(|c: char| is_part(c) || matches!(c, '}' | ')' | '/' | '*' | '~' | '$'))
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(path: &str, line: &str) -> usize {
        registries(&[Source::new(path, line)]).len()
    }

    #[test]
    fn registry_hosts_are_found_anywhere() {
        for host in HOSTS {
            assert_eq!(one("docs/guide/install.md", &format!("see https://{host}/x")), 1, "{host}");
        }
        assert_eq!(one("README.md", "from crates.io and PyPI"), 0);
    }

    #[test]
    fn lock_files_and_settings_name_no_registry() {
        assert_eq!(one("tools/package-lock.json", "  \"resolved\": \"https://mirror.example/x.tgz\","), 1);
        assert_eq!(one("tools/package-lock.json", "  \"version\": \"1.0.0\","), 0);
        assert_eq!(one("tools/.npmrc", "registry=https://mirror.example/"), 1);
        assert_eq!(one("tools/.npmrc", "@a:registry=https://mirror.example/"), 1);
        assert_eq!(one("tools/.npmrc", "omit-lockfile-registry-resolved=true"), 0);
        assert_eq!(one("tools/requirements.txt", "--index-url https://mirror.example/"), 1);
        assert_eq!(one("tools/requirements.txt", "bagit==1.9.0"), 0);
        assert_eq!(one("Cargo.lock", CRATES), 0);
        assert_eq!(one("Cargo.lock", "source = \"git+https://git.example/x\""), 1);
        assert_eq!(one(".cargo/config.toml", "[source.mirror]"), 1);
        assert_eq!(one("web/yarn.lock", "  resolved \"https://mirror.example/x.tgz\""), 1);
    }

    fn paths(line: &str, folders: &[&str]) -> usize {
        let folders: Vec<String> = folders.iter().map(|folder| (*folder).to_owned()).collect();
        machine_paths(&[Source::new("a.md", line)], &folders).len()
    }

    #[test]
    fn folders_of_people_are_found() {
        for line in [
            format!("cd {}ann/canvass", concat!("/ho", "me/")),
            format!("\"{}ann/canvass\"", concat!("/Us", "ers/")),
            format!("in {}x", concat!("/ro", "ot/")),
        ] {
            assert_eq!(paths(&line, &[]), 1, "{line}");
        }
        let route = concat!("/ho", "me/");
        for line in [
            format!("GET {route}"),
            format!("the page {route}settings"),
            format!("https://a.example{route}ann/b"),
        ] {
            assert_eq!(paths(&line, &[]), 0, "{line}");
        }
    }

    #[test]
    fn the_folder_of_this_checkout_is_found() {
        let folder = "/data/canvass";
        assert_eq!(paths("cat /data/canvass/Cargo.toml", &[folder]), 1);
        assert_eq!(paths("(/data/canvass)", &[folder]), 1);
        assert_eq!(paths("{root}/data/canvass/x and /data/canvassing", &[folder]), 0);
        assert!(here(Path::new("/usr/src/canvass")).contains(&"/usr/src/canvass".to_owned()));
        assert_eq!(here(Path::new("/canvass")), Vec::<String>::new());
    }
}

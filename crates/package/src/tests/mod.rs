//! A sound bundle holds; every way of tampering is found and named; other tools agree.

mod copies;
mod fixture;
mod reads;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use canvass_core::custody::{hash_of, next};
use canvass_core::records::CustodyEvent;
use canvass_types::Digest;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;

use super::{LedgerKeys, verify, verify_pinned};
use fixture::{Town, town};

struct Bundle {
    _folder: tempfile::TempDir,
    dir: PathBuf,
    town: Town,
}

fn bundle() -> Bundle {
    bundle_of(town())
}

fn bundle_of(town: Town) -> Bundle {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("bundle");
    town.write(&dir);
    Bundle { _folder: folder, dir, town }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = vec![dir.to_owned()];
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { left.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// Writes the manifests anew, as whoever tampers would.
fn rebag(dir: &Path) {
    let line = |path: &Path| {
        let name = path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
        format!("{}  {name}\n", Digest::of(&fs::read(path).unwrap()))
    };
    let payload: Vec<PathBuf> = files(&dir.join("data"));
    fs::write(dir.join("manifest-sha256.txt"), payload.iter().map(|path| line(path)).collect::<String>())
        .unwrap();
    let info = fs::read_to_string(dir.join("bag-info.txt")).unwrap();
    let octets: u64 = payload.iter().map(|path| path.metadata().unwrap().len()).sum();
    let info: String = info
        .lines()
        .map(|line| {
            if line.starts_with("Payload-Oxum") {
                format!("Payload-Oxum: {octets}.{}\n", payload.len())
            } else {
                format!("{line}\n")
            }
        })
        .collect();
    fs::write(dir.join("bag-info.txt"), info).unwrap();
    let tags = ["README.txt", "bag-info.txt", "bagit.txt", "manifest-sha256.txt"];
    let text: String =
        tags.iter().filter(|name| dir.join(name).exists()).map(|name| line(&dir.join(name))).collect();
    fs::write(dir.join("tagmanifest-sha256.txt"), text).unwrap();
}

#[test]
fn a_sound_bundle_holds() {
    let bundle = bundle();
    let report = verify(&bundle.dir);
    assert!(report.is_sound(), "{report}");
    assert_eq!((report.facts.originals, report.facts.offers, report.facts.events), (2, 2, 12));
    assert_eq!(report.facts.proofs, bundle.town.contents.ledger.proofs.len());
    assert_eq!(report.facts.records, bundle.town.contents.audit.len());
    assert!(report.to_string().contains("taken from the bundle itself"));
    let keys: LedgerKeys = serde_json::from_value(bundle.town.contents.ledger.keys.clone()).unwrap();
    assert!(verify_pinned(&bundle.dir, &keys).is_sound());
    let mut other = keys;
    std::mem::swap(&mut other.logs.requests, &mut other.logs.oversight);
    assert!(!verify_pinned(&bundle.dir, &other).is_sound());
    // Manifests in another order of lines are still a sound bundle.
    rebag(&bundle.dir);
    assert!(verify(&bundle.dir).is_sound(), "{}", verify(&bundle.dir));
}

/// One way of tampering.
#[derive(Deserialize)]
struct Tampering {
    name: String,
    /// Which file; `{item}`, `{offer}`, `{request}` stand for the first of each.
    file: String,
    #[serde(flatten)]
    edit: Edit,
    /// Whether the manifests are written anew.
    rebag: bool,
    /// Words of one defect.
    expect: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", tag = "edit")]
enum Edit {
    Delete,
    Create {
        text: String,
    },
    Append {
        text: String,
    },
    Replace {
        from: String,
        to: String,
    },
    Set {
        pointer: String,
        value: Value,
    },
    Remove {
        pointer: String,
    },
    /// Changes an event and makes all hashes of the chain new, here and in the table of contents.
    Forge {
        number: usize,
        pointer: String,
        value: Value,
    },
    /// Drops the last events, and makes the heads fit.
    Shorten {
        events: usize,
    },
}

fn named(town: &Town, text: &str) -> String {
    let case = &town.contents.case;
    text.replace("{item}", case.items[0].id.as_str())
        .replace("{offer}", case.offers[0].id.as_str())
        .replace("{request}", &case.destinations[0])
}

fn change(path: &Path, edit: impl FnOnce(&mut Value)) {
    let mut value: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    edit(&mut value);
    fs::write(path, serde_json::to_vec_pretty(&value).unwrap()).unwrap();
}

fn put(value: &mut Value, pointer: &str, new: Value) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match value.pointer_mut(parent).unwrap() {
        Value::Object(fields) => {
            fields.insert(name.to_owned(), new);
        }
        Value::Array(all) => all[name.parse::<usize>().unwrap()] = new,
        _ => panic!("{pointer}"),
    }
}

fn take(value: &mut Value, pointer: &str) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match value.pointer_mut(parent).unwrap() {
        Value::Object(fields) => {
            fields.remove(name).unwrap();
        }
        Value::Array(all) => {
            all.remove(name.parse::<usize>().unwrap());
        }
        _ => panic!("{pointer}"),
    }
}

/// Gives a chain new hashes, and the table of contents the new head.
fn fit(dir: &Path, path: &Path, edit: impl FnOnce(&mut Vec<CustodyEvent>)) {
    let mut chain: canvass_core::custody::CustodyView =
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    edit(&mut chain.events);
    let mut head = None;
    for event in &mut chain.events {
        let (new, after) =
            next(head, &event.subject, &event.event, event.by.as_ref(), event.at, event.detail.clone());
        assert_eq!(new.hash, hash_of(&new));
        *event = new;
        head = Some(after);
    }
    chain.head = head.unwrap();
    fs::write(path, serde_json::to_vec_pretty(&chain).unwrap()).unwrap();
    change(&dir.join("data/case.json"), |case| {
        for list in ["items", "offers"] {
            for each in case[list].as_array_mut().unwrap() {
                if each["id"] == chain.subject.as_str() {
                    each["custody"] = serde_json::to_value(chain.head).unwrap();
                }
            }
        }
    });
}

fn tamper(bundle: &Bundle, tampering: &Tampering) {
    let path = bundle.dir.join(named(&bundle.town, &tampering.file));
    match &tampering.edit {
        Edit::Delete => fs::remove_file(&path).unwrap(),
        Edit::Create { text } => {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
        }
        Edit::Append { text } => {
            let mut bytes = fs::read(&path).unwrap();
            bytes.extend(text.as_bytes());
            fs::write(&path, bytes).unwrap();
        }
        Edit::Replace { from, to } => {
            let before = fs::read_to_string(&path).unwrap();
            let after = before.replacen(&named(&bundle.town, from), &named(&bundle.town, to), 1);
            assert_ne!(before, after, "{}", tampering.name);
            fs::write(&path, after).unwrap();
        }
        Edit::Set { pointer, value } => change(&path, |all| put(all, pointer, value.clone())),
        Edit::Remove { pointer } => change(&path, |all| take(all, pointer)),
        Edit::Forge { number, pointer, value } => fit(&bundle.dir, &path, |events| {
            let mut event = serde_json::to_value(&events[*number]).unwrap();
            put(&mut event, pointer, value.clone());
            events[*number] = serde_json::from_value(event).unwrap();
        }),
        Edit::Shorten { events: n } => fit(&bundle.dir, &path, |events| events.truncate(events.len() - n)),
    }
    if tampering.rebag {
        rebag(&bundle.dir);
    }
}

#[test]
fn every_tampering_is_found_and_named() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/export");
    let mut count = 0;
    let mut missed = Vec::new();
    for file in files(&folder) {
        let table: Vec<Tampering> = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        for tampering in &table {
            let bundle = bundle();
            tamper(&bundle, tampering);
            let report = verify(&bundle.dir);
            let words: Vec<String> = tampering.expect.iter().map(|word| named(&bundle.town, word)).collect();
            let found = report
                .defects
                .iter()
                .any(|defect| words.iter().all(|word| defect.to_string().contains(word)));
            if !found {
                missed.push(format!("{}: {report}", tampering.name));
            }
            count += 1;
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    assert!(count >= 25, "{count}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn any_changed_byte_is_found(file in any::<prop::sample::Index>(), place in any::<prop::sample::Index>(), flip in 1..=255_u8) {
        let bundle = bundle();
        let all = files(&bundle.dir);
        let path = &all[file.index(all.len())];
        let mut bytes = fs::read(path).unwrap();
        let place = place.index(bytes.len());
        bytes[place] ^= flip;
        fs::write(path, bytes).unwrap();
        let report = verify(&bundle.dir);
        prop_assert!(!report.is_sound(), "{} at {place} by {flip}", path.display());
    }
}

#[test]
fn a_folder_that_is_no_bundle_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(!verify(folder.path()).is_sound());
    assert!(!verify(&folder.path().join("absent")).is_sound());
}

#[test]
fn the_paper_reads_as_text() {
    let bundle = bundle();
    let Ok(output) =
        Command::new("pdftotext").arg("-layout").arg(bundle.dir.join("data/custody.pdf")).arg("-").output()
    else {
        println!("skipped: pdftotext is not installed");
        return;
    };
    let text = String::from_utf8(output.stdout).unwrap();
    let case = &bundle.town.contents.case;
    for words in [
        "Chain of custody",
        "canvass verify package",
        "Ana Ruiz",
        "page 1 of",
        "clip-01.mp4",
        case.items[0].id.as_str(),
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(text.contains(&case.items[0].sha256.to_string()));
}

fn python() -> Option<PathBuf> {
    let venv = std::env::var_os("CANVASS_PYTHON").map(PathBuf::from);
    if venv.is_none() {
        println!("skipped: CANVASS_PYTHON names no environment with case-utils and bagit");
    }
    venv
}

#[test]
fn other_tools_agree() {
    let Some(venv) = python() else { return };
    let bin = if venv.is_dir() { venv.join("bin") } else { venv.parent().unwrap().to_owned() };
    let bundle = bundle();
    let bagit = Command::new(bin.join("python"))
        .args(["-m", "bagit", "--validate"])
        .arg(&bundle.dir)
        .output()
        .unwrap();
    assert!(bagit.status.success(), "{}", String::from_utf8_lossy(&bagit.stderr));
    let graph = bundle.dir.join("data/case.jsonld");
    let case = Command::new(bin.join("case_validate")).arg(&graph).output().unwrap();
    assert!(
        case.status.success(),
        "{}{}",
        String::from_utf8_lossy(&case.stdout),
        String::from_utf8_lossy(&case.stderr)
    );
}

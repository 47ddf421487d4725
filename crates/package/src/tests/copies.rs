//! Altered copies in a bundle, and a bundle that a browser puts together from its parts.

use std::fs;
use std::path::Path;

use canvass_types::Digest;
use serde_json::{Value, json};

use super::fixture::{Town, town, town_with_a_copy};
use super::{Bundle, bundle_of, change, files, put, rebag, take};
use crate::{BundleParts, parts, verify};

fn with_a_copy() -> Bundle {
    bundle_of(town_with_a_copy())
}

#[test]
fn a_copy_lies_apart_and_is_traced_to_its_original() {
    let bundle = with_a_copy();
    let report = verify(&bundle.dir);
    assert!(report.is_sound(), "{report}");
    assert_eq!((report.facts.originals, report.facts.copies), (2, 1));
    assert!(report.to_string().contains("1 altered copy, each traced"));
    let copy = &bundle.town.contents.case.items[2];
    assert!(bundle.dir.join(format!("data/copies/{}/clip-01-redacted.mp4", copy.id)).exists());
    let graph = fs::read_to_string(bundle.dir.join("data/case.jsonld")).unwrap();
    assert!(graph.contains("ObservableRelationship") && graph.contains("A passer-by was made"));
}

#[test]
fn a_bundle_without_copies_says_nothing_of_them() {
    let bundle = bundle_of(town());
    let case = fs::read_to_string(bundle.dir.join("data/case.json")).unwrap();
    assert!(!case.contains("copy_of") && !case.contains("alteration"));
    assert!(!verify(&bundle.dir).to_string().contains("cop"));
}

fn tampered(edit: impl FnOnce(&Town, &Path)) -> String {
    let bundle = with_a_copy();
    edit(&bundle.town, &bundle.dir);
    rebag(&bundle.dir);
    let report = verify(&bundle.dir);
    assert!(!report.is_sound());
    report.to_string()
}

#[test]
fn no_tampering_makes_a_copy_an_original_or_hides_one_of_the_two() {
    let case = |edit: &dyn Fn(&mut Value)| tampered(|_, dir| change(&dir.join("data/case.json"), edit));
    let said = case(&|case| {
        take(case, "/items/2/copy_of");
        take(case, "/items/2/alteration");
    });
    assert!(said.contains("first event is not the acceptance"), "{said}");
    assert!(said.contains("is missing, or is not said to be its copy"), "{said}");
    let said = case(&|case| take(case, "/items/2/alteration"));
    assert!(said.contains("copy and an original at once"), "{said}");
    let said = case(&|case| put(case, "/items/2/alteration/note", json!("Nothing of weight.")));
    assert!(said.contains("first event is not the making of the copy"), "{said}");
    let said = case(&|case| put(case, "/items/2/alteration/kind", json!("transcode")));
    assert!(said.contains("first event is not the making of the copy"), "{said}");
    let said = case(&|case| put(case, "/items/2/copy_of", case["items"][1]["id"].clone()));
    assert!(said.contains("is not an altered copy of the clip"), "{said}");
    let said = case(&|case| take(case, "/items/2"));
    assert!(said.contains("is missing, or is not said to be its copy"), "{said}");
    let said = case(&|case| take(case, "/items/0"));
    assert!(said.contains("of which") && said.contains("is a copy, is missing"), "{said}");
    let said = tampered(|town, dir| {
        let (original, copy) = (&town.contents.case.items[0], &town.contents.case.items[2]);
        let to = dir.join(format!("data/copies/{}/{}", copy.id, copy.name));
        fs::copy(dir.join(format!("data/originals/{}/{}", original.id, original.name)), to).unwrap();
    });
    assert!(said.contains("this is not the copy that was made"), "{said}");
}

/// What a browser does with the parts.
fn put_together(parts: &BundleParts, town: &Town, dir: &Path) {
    let write = |path: &str, bytes: &[u8]| {
        let path = dir.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    for file in &parts.files {
        match (&file.text, &file.base64) {
            (Some(text), None) => write(&file.path, text.as_bytes()),
            (None, Some(base64)) => {
                write(&file.path, &data_encoding::BASE64.decode(base64.as_bytes()).unwrap());
            }
            other => panic!("{}: {other:?}", file.path),
        }
    }
    for item in &parts.items {
        assert_eq!(Digest::of(&town.clips[item.id.as_str()]), item.sha256);
        write(&item.path, &town.clips[item.id.as_str()]);
    }
    for consent in &parts.consents {
        let found = town.contents.consents.iter().find(|(offer, _)| *offer == consent.offer).unwrap();
        write(&consent.path, &found.1);
    }
    let payload = files(&dir.join("data"));
    let octets: u64 = payload.iter().map(|path| path.metadata().unwrap().len()).sum();
    let oxum = format!("{octets}.{}", payload.len());
    let line = |(name, value): &(String, String)| {
        format!("{name}: {}\n", if value.is_empty() { &oxum } else { value })
    };
    write("bag-info.txt", parts.bag_info.iter().map(line).collect::<String>().as_bytes());
    rebag(dir);
}

#[test]
fn what_a_browser_puts_together_is_the_bundle_that_is_written_here() {
    for town in [town(), town_with_a_copy()] {
        let written = bundle_of(town);
        let town = &written.town;
        let mut contents = town.contents.clone();
        contents.consents.clear();
        let sealed: Vec<_> = contents.case.items.iter().map(|item| (item.id.clone(), 950)).collect();
        let parts = parts::outline(&contents, &sealed).unwrap();
        let again: BundleParts = serde_json::from_str(&serde_json::to_string(&parts).unwrap()).unwrap();
        assert_eq!(again, parts);
        let folder = tempfile::tempdir().unwrap();
        put_together(&parts, town, folder.path());
        let report = verify(folder.path());
        assert!(report.is_sound(), "{report}");
        let names = |dir: &Path| -> Vec<_> {
            files(dir).iter().map(|path| path.strip_prefix(dir).unwrap().to_owned()).collect()
        };
        assert_eq!(names(folder.path()), names(&written.dir));
        for name in names(&written.dir) {
            let manifests = name.to_string_lossy().contains("manifest");
            let same =
                fs::read(folder.path().join(&name)).unwrap() == fs::read(written.dir.join(&name)).unwrap();
            assert!(same || manifests, "{}", name.display());
        }
    }
}

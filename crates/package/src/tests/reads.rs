//! Plate reads that are kept in a case, in its bundle.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::fixture::{Town, town, town_with_reads};
use super::{bundle_of, change, put, rebag, take};
use crate::verify;

#[test]
fn kept_reads_lie_in_the_bundle_as_they_were_kept() {
    let bundle = bundle_of(town_with_reads());
    let report = verify(&bundle.dir);
    assert!(report.is_sound(), "{report}");
    assert_eq!((report.facts.originals, report.facts.reads), (2, 1));
    assert!(report.to_string().contains("1 file of plate reads, each as it was kept"), "{report}");
    let kept = &bundle.town.contents.case.reads[0];
    assert!(bundle.dir.join(format!("data/reads/{}.json", kept.id)).exists());
    let graph = fs::read_to_string(bundle.dir.join("data/case.jsonld")).unwrap();
    assert!(graph.contains(kept.id.as_str()));
    let without = bundle_of(town());
    let case = fs::read_to_string(without.dir.join("data/case.json")).unwrap();
    assert!(!case.contains("\"reads\""));
}

fn tampered(edit: impl FnOnce(&Town, &Path)) -> String {
    let bundle = bundle_of(town_with_reads());
    edit(&bundle.town, &bundle.dir);
    rebag(&bundle.dir);
    let report = verify(&bundle.dir);
    assert!(!report.is_sound());
    report.to_string()
}

#[test]
fn no_tampering_changes_hides_or_adds_reads() {
    let case = |edit: &dyn Fn(&mut Value)| tampered(|_, dir| change(&dir.join("data/case.json"), edit));
    let file =
        |town: &Town, dir: &Path| dir.join(format!("data/reads/{}.json", town.contents.case.reads[0].id));
    let said =
        tampered(|town, dir| change(&file(town, dir), |it| put(it, "/reads/0/plate", json!("ABC124"))));
    assert!(said.contains("these are not the reads that were kept"), "{said}");
    let said = tampered(|town, dir| fs::remove_file(file(town, dir)).unwrap());
    assert!(said.contains("is missing"), "{said}");
    let said = case(&|case| take(case, "/reads/0"));
    assert!(said.contains("does not belong to the bundle"), "{said}");
    let said = case(&|case| put(case, "/reads/0/reads", json!(2)));
    assert!(said.contains("first event is not the keeping"), "{said}");
    let said = case(&|case| put(case, "/reads/0/destroyed", json!("2026-11-25T00:00:00Z")));
    assert!(said.contains("differ on whether the file was destroyed"), "{said}");
}

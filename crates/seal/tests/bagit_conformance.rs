//! The BagIt conformance suite: every bag of v0.97 and v1.0, read from its directory and from a tar of it.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use canvass_seal::bag::{
    Algorithm, DefectKind, Limits, Report, Severity, Verdict, validate_dir, validate_tar,
};

fn bags(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect();
    found.sort();
    found
}

fn tar_of(bag: &Path) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_dir_all("bag", bag).unwrap();
    builder.into_inner().unwrap()
}

fn both(bag: &Path) -> (Report, Report) {
    let dir = validate_dir(bag, Limits::default()).unwrap();
    let tar = validate_tar(tar_of(bag).as_slice(), &Algorithm::ALL, Limits::default()).unwrap();
    (dir, tar)
}

fn shown(report: &Report) -> String {
    report.defects.iter().map(|d| format!("\n    {:?} {:?} {d}", d.severity, d.kind)).collect()
}

/// The copy of one bag lacks `.DS_Store`, which its manifests list: put it back (it is empty) and judge that.
fn restored(bag: &Path, report: &Report) -> Option<tempfile::TempDir> {
    let absent: Vec<_> = report.defects.iter().filter(|d| d.severity == Severity::Error).collect();
    let only_missing =
        absent.iter().all(|d| matches!(d.kind, DefectKind::MissingFile | DefectKind::OxumMismatch));
    if bag.file_name()?.to_str()? != "special-system-files" || !only_missing {
        return None;
    }
    let copy = tempfile::tempdir().unwrap();
    fs::create_dir(copy.path().join("data")).unwrap();
    for sub in ["", "data"] {
        for entry in fs::read_dir(bag.join(sub)).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_file()) {
            fs::copy(&entry, copy.path().join(sub).join(entry.file_name().unwrap())).unwrap();
        }
    }
    for defect in absent.iter().filter(|d| d.kind == DefectKind::MissingFile) {
        let name = defect.found.split(" is listed").next().unwrap();
        println!(
            "restored: {} lacks {name} in this copy of the suite; judged with an empty one",
            bag.display()
        );
        fs::write(copy.path().join(name), b"").unwrap();
    }
    Some(copy)
}

#[test]
fn every_bag_gets_the_verdict_of_its_folder() {
    let Some(suite) = common::eval("bagit-conformance") else { return };
    let (mut judged, mut wrong) = (0, Vec::new());
    for version in ["v0.96", "v0.97", "v1.0"] {
        for (folder, expected) in [
            ("valid", &[Verdict::Valid, Verdict::Warning][..]),
            ("warning", &[Verdict::Warning][..]),
            ("invalid", &[Verdict::Invalid][..]),
            // A path that is dangerous on one system is refused on all, so that both folders are judged everywhere.
            ("linux-only", &[Verdict::Invalid][..]),
            ("windows-only", &[Verdict::Invalid][..]),
        ] {
            let folder = suite.join(version).join(folder);
            if !folder.is_dir() {
                println!("skipped: {} isn't part of the suite", folder.display());
                continue;
            }
            for bag in bags(&folder) {
                let (mut dir, mut tar) = both(&bag);
                if let Some(copy) = restored(&bag, &dir) {
                    (dir, tar) = both(copy.path());
                }
                judged += 1;
                for (how, report) in [("directory", dir), ("tar", tar)] {
                    if !expected.contains(&report.verdict()) {
                        wrong.push(format!(
                            "{} as {how}: {:?}{}",
                            bag.display(),
                            report.verdict(),
                            shown(&report)
                        ));
                    }
                }
            }
        }
    }
    println!("judged: {judged} bags, none skipped");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(judged >= 43, "only {judged} bags");
}

#[test]
fn older_versions_are_refused_by_name() {
    let Some(suite) = common::eval("bagit-conformance") else { return };
    for version in ["v0.93", "v0.94", "v0.95"] {
        for bag in bags(&suite.join(version).join("valid")) {
            let (report, _) = both(&bag);
            assert!(
                report.defects.iter().any(|d| d.kind == DefectKind::UnsupportedVersion),
                "{}",
                bag.display()
            );
        }
    }
}

#[test]
fn every_defect_names_its_file_and_a_remedy() {
    let Some(suite) = common::eval("bagit-conformance") else { return };
    for bag in bags(&suite.join("v0.97/invalid")) {
        for defect in both(&bag).0.defects {
            let text = defect.to_string();
            assert!(text.contains(&defect.file) && text.contains(defect.kind.remedy()), "{text}");
        }
    }
}

//! What several test files share.
#![expect(dead_code, reason = "each test file uses a part of it")]
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "test code")]

use std::path::{Path, PathBuf};
use std::process::Command;

use canvass_seal::envelope::{ClipSource, MetaFiles, SealPlan};
use canvass_seal::{Identity, Recipient};

/// The development data, or nothing where it is absent.
pub fn eval(folder: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let base = std::env::var_os("CANVASS_EVAL").map_or_else(|| root.join("../shared/eval"), PathBuf::from);
    let base = if base.is_relative() { root.join(base) } else { base };
    let path = base.join(folder);
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: {folder} isn't there; set CANVASS_EVAL to the folder that has it");
    None
}

pub fn vectors(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/seal").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

pub fn identity(seed: u8) -> Identity {
    Identity::from_secret_bytes(&[seed; 32]).unwrap()
}

pub fn recipient(seed: u8) -> Recipient {
    identity(seed).recipient().unwrap()
}

pub fn meta() -> MetaFiles {
    MetaFiles {
        request: br#"{"request":"r1"}"#.to_vec(),
        consent: br#"{"consent":"yes"}"#.to_vec(),
        contact: None,
        mailbox: Some(recipient(9)),
    }
}

pub fn plan<'a>(clips: &'a [(String, Vec<u8>)]) -> SealPlan<'a> {
    SealPlan {
        recipients: vec![recipient(1).to_string()],
        meta: meta(),
        clips: clips
            .iter()
            .map(|(name, bytes)| ClipSource {
                name: name.clone(),
                size: bytes.len() as u64,
                reader: Box::new(bytes.as_slice()),
            })
            .collect(),
        bagging_date: "2026-01-31".to_owned(),
        mtime: 1_769_817_600,
        software_agent: "canvass-seal test".to_owned(),
        external_identifier: Some("request-1".to_owned()),
        hash_ciphertext: true,
    }
}

/// Is a program there? Says "skipped" when it isn't.
pub fn have(program: &str, arguments: &[&str]) -> bool {
    let there = Command::new(program).args(arguments).output().is_ok_and(|o| o.status.success());
    if !there {
        println!("skipped: {program} {} doesn't run here", arguments.join(" "));
    }
    there
}

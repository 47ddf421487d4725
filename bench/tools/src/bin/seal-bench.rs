//! Seals a file as an envelope with one clip, or opens one, as a whole process, so that it can be timed against `rage`.
//!
//! `seal-bench seal RECIPIENT IN OUT` · `seal-bench open IDENTITY-FILE IN OUT-DIR`
#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use std::{
    error::Error,
    fs::{self, File},
    path::Path,
};

use canvass_seal::{
    envelope::{ClipSource, DirSink, MetaFiles, OpenOptions, SealPlan, open, seal},
    group::parse_identity_file,
};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["seal", recipient, from, to] => {
            let clip = File::open(from)?;
            let plan = SealPlan {
                recipients: vec![(*recipient).to_owned()],
                meta: MetaFiles {
                    request: b"{}".to_vec(),
                    consent: b"{}".to_vec(),
                    contact: None,
                    mailbox: None,
                },
                clips: vec![ClipSource {
                    name: "clip-01.mp4".into(),
                    size: clip.metadata()?.len(),
                    reader: Box::new(clip),
                }],
                bagging_date: "2026-11-24".into(),
                mtime: 0,
                software_agent: "canvass-bench".into(),
                external_identifier: None,
                hash_ciphertext: false,
            };
            let out = File::create(to)?;
            let sealed = seal(plan, &out, |_| ())?;
            println!("{} bytes sealed", sealed.ciphertext_len);
        }
        ["open", identity, from, to] => {
            let identities = parse_identity_file(&fs::read_to_string(identity)?)?;
            let mut sink = DirSink::new(Path::new(to))?;
            let opened = open(File::open(from)?, &identities, OpenOptions::with_limit(u64::MAX), &mut sink)?;
            println!("{} clips opened", opened.clips.len());
        }
        _ => return Err("seal RECIPIENT IN OUT, or open IDENTITY-FILE IN OUT-DIR".into()),
    }
    Ok(())
}

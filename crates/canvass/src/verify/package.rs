//! `canvass verify package`.

use std::path::PathBuf;

use canvass_package::{LedgerKeys, verify, verify_pinned};
use clap::Args;

use crate::common::{Context, Failure, read_limited};

/// Longest `keys.json`, in bytes.
const MOST_KEYS: u64 = 1024 * 1024;

/// Check a court bundle, with no network and trusting nobody
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  canvass verify package bundle\n  canvass verify package bundle --keys keys.json"
)]
pub struct VerifyPackage {
    /// The folder of the bundle
    dir: PathBuf,
    /// The ledgers' keys (`/ledger/keys.json`) as you have them from elsewhere; else the bundle's own are used and
    /// their fingerprints shown
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
}

/// Runs it.
///
/// # Errors
/// A defect was found, or the keys can't be read.
pub fn run(args: &VerifyPackage, context: &Context) -> Result<(), Failure> {
    if args.dir.is_file() {
        return Err(Failure::usage(format!(
            "{}: this is a file and the folder of a bundle is checked; unpack it first, for example with `tar -xf` or `unzip`",
            args.dir.display()
        )));
    }
    let report = match &args.keys {
        None => verify(&args.dir),
        Some(file) => {
            let keys = LedgerKeys::parse(&file.display().to_string(), &read_limited(file, MOST_KEYS)?)?;
            verify_pinned(&args.dir, &keys)
        }
    };
    for line in report.to_string().lines() {
        let plain: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        context.console().line(plain);
    }
    context.console().result(&report)?;
    if report.is_sound() { Ok(()) } else { Err(Failure::defects(report.defects.len())) }
}

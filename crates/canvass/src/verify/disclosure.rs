//! `canvass verify disclosure`.

use std::path::PathBuf;

use canvass_package::{DisclosureFile, verify_disclosure};
use canvass_types::leaf::Log;
use clap::Args;

use super::keys::{KeysFile, MAX_KEYS};
use crate::common::{Context, Failure, read_limited};

/// Longest file of a disclosure, in bytes.
const MOST: u64 = 64 * 1024 * 1024;

/// Check a disclosure of records, with no network and trusting nobody
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  canvass verify disclosure november.disclosure.json\n  canvass verify disclosure november.disclosure.json --keys keys.json --json"
)]
pub struct VerifyDisclosure {
    /// What `canvass disclose` wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The ledgers' keys (`/ledger/keys.json`) as you have them from elsewhere; else the file's own are used and their
    /// fingerprints shown
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
}

/// Runs it.
///
/// # Errors
/// A defect was found, or the file or the keys can't be read.
pub fn run(args: &VerifyDisclosure, context: &Context) -> Result<(), Failure> {
    let bytes = read_limited(&args.file, MOST)?;
    let file: DisclosureFile = serde_json::from_slice(&bytes).map_err(|error| {
        Failure::new(format!(
            "{}: not a disclosure ({error}); give what `canvass disclose` wrote",
            args.file.display()
        ))
    })?;
    let console = context.console();
    let keys = match &args.keys {
        Some(path) => KeysFile::parse(&read_limited(path, MAX_KEYS)?)?,
        None => {
            let own = serde_json::to_vec(&file.keys).map_err(|error| Failure::new(error.to_string()))?;
            let keys = KeysFile::parse(&own)?;
            console.note(format!(
                "The keys are the file's own: compare this with what you know of the server: {}",
                keys.log(Log::Oversight).vkey
            ));
            keys
        }
    };
    let report = verify_disclosure(&file, &keys.trust(Log::Oversight)?);
    for line in report.to_string().lines() {
        console.line(line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>());
    }
    console.result(&report)?;
    if report.is_sound() { Ok(()) } else { Err(Failure::defects(report.defects.len())) }
}

//! `canvass verify ledger`: audits whole ledgers, and the public files against them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use canvass_ledger::{Checkpoint, Trusted, audit};
use canvass_types::leaf::{Log, OversightLeaf};
use canvass_types::{Digest, Proof, canonical};
use clap::{Args, ValueEnum};
use futures_util::StreamExt;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ledgers::{Ledgers, Pins, memory_path};
use super::records::{self, AgencyFile, MAX_RECORD};
use super::replay::{Defect, Replay};
use super::source::Public;
use crate::common::{Context, Failure, count};

/// Files read at the same time.
const AT_ONCE: usize = 8;
/// Defects that are told one by one.
const MAX_TOLD: usize = 1_000;

const EXAMPLES: &str = "\
Examples:
  canvass verify ledger https://canvass.example
  canvass verify ledger ./copy-of-public-files --log requests --keys keys.json --remember seen.json
  canvass verify ledger https://canvass.example --witness 'witness.example+…' --quorum 1

Exit status 1 when anything is found that must not be.";

/// Which ledgers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Which {
    /// What the public is asked.
    Requests,
    /// What was done with what people gave.
    Oversight,
    /// Both.
    Both,
}

/// Audit a Canvass's ledgers from its public files, trusting nobody
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct VerifyLedger {
    /// Address of the Canvass, or a folder with a copy of its public files
    #[arg(value_name = "URL|DIR")]
    place: String,
    /// Which ledger
    #[arg(long, value_enum, default_value = "both")]
    log: Which,
    /// File where the checkpoints are remembered for the next time [default: in the folder --state]
    #[arg(long, value_name = "FILE")]
    remember: Option<PathBuf>,
    #[command(flatten)]
    keys: KeyFlags,
}

/// Whom to believe.
#[derive(Debug, Clone, Default, Args)]
pub struct KeyFlags {
    /// The ledgers' keys, got by another way than from the server itself
    #[arg(long, value_name = "FILE")]
    pub keys: Option<PathBuf>,
    /// A witness to trust instead of those that the server names; may stand several times
    #[arg(long, value_name = "VKEY")]
    pub witness: Vec<String>,
    /// How many witnesses must have cosigned [default: all that --witness names, else what the server asks for]
    #[arg(long, value_name = "N")]
    pub quorum: Option<usize>,
}

impl From<KeyFlags> for Pins {
    fn from(flags: KeyFlags) -> Self {
        Self { keys: flags.keys, witnesses: flags.witness, quorum: flags.quorum }
    }
}

#[derive(Debug, Serialize)]
struct Outcome {
    place: String,
    keys: Vec<String>,
    first_sight: bool,
    ledgers: Vec<Ledger>,
    files_checked: u64,
    defects: Vec<Defect>,
}

#[derive(Debug, Serialize)]
struct Ledger {
    log: &'static str,
    origin: String,
    size: u64,
    root: Digest,
    entries: u64,
    bytes: u64,
    kinds: BTreeMap<String, u64>,
    witnesses: Vec<String>,
    continues: Option<u64>,
}

/// Runs it.
///
/// # Errors
/// A defect was found, or nothing could be read.
pub async fn run(command: VerifyLedger, context: &Context) -> Result<(), Failure> {
    let public = Public::open(&command.place)?;
    let memory = match &command.remember {
        Some(file) => file.clone(),
        None => memory_path(context, &public)?,
    };
    let mut ledgers = Ledgers::open(public, &command.keys.into(), memory).await?;
    let mut outcome = Outcome {
        place: command.place,
        keys: ledgers.keys.fingerprints(),
        first_sight: ledgers.first_sight,
        ledgers: Vec::new(),
        files_checked: 0,
        defects: Vec::new(),
    };
    if command.log != Which::Oversight {
        Box::pin(requests(&mut ledgers, &mut outcome)).await?;
    }
    if command.log != Which::Requests {
        oversight(&mut ledgers, &mut outcome).await?;
    }
    if outcome.defects.is_empty() {
        ledgers.save()?;
    }
    print(&outcome, context)?;
    if outcome.defects.is_empty() { Ok(()) } else { Err(Failure::defects(outcome.defects.len())) }
}

async fn requests(ledgers: &mut Ledgers, outcome: &mut Outcome) -> Result<(), Failure> {
    let mut replay = Replay::default();
    let audited = audit_one(ledgers, Log::Requests, outcome, |index, entry| replay.entry(index, entry)).await;
    let Some(head) = audited? else { return Ok(()) };
    if let Some(ledger) = outcome.ledgers.last_mut() {
        ledger.kinds = std::mem::take(&mut replay.kinds);
    }
    outcome.defects.append(&mut replay.defects);
    if ledgers.public.whole() {
        let (checked, defects) = files(ledgers, &head, &replay).await?;
        outcome.files_checked = checked;
        outcome.defects.extend(defects);
    }
    Ok(())
}

async fn oversight(ledgers: &mut Ledgers, outcome: &mut Outcome) -> Result<(), Failure> {
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    let mut defects = Vec::new();
    let audited = audit_one(ledgers, Log::Oversight, outcome, |index, entry| {
        let mut defect = |what: &str| {
            defects.push(Defect { place: format!("oversight ledger, entry {index}"), what: what.into() })
        };
        let Ok(leaf) = serde_json::from_slice::<OversightLeaf>(entry) else {
            return defect("it is no entry of an oversight ledger");
        };
        if canonical(&leaf).ok().as_deref() != Some(entry) {
            defect("it is not in canonical form (RFC 8785)");
        }
        if !is_hour(&leaf.hour) {
            defect("its time is finer than an hour, or none");
        }
        *kinds.entry(leaf.kind).or_default() += 1;
    })
    .await?;
    if let Some(ledger) = outcome.ledgers.last_mut().filter(|_| audited.is_some()) {
        ledger.kinds = kinds;
    }
    outcome.defects.append(&mut defects);
    Ok(())
}

fn is_hour(text: &str) -> bool {
    let shape = text.len() == 14 && text.ends_with('Z') && text.as_bytes().get(10) == Some(&b'T');
    shape
        && text
            .strip_suffix('Z')
            .is_some_and(|hour| format!("{hour}:00:00Z").parse::<canvass_types::Time>().is_ok())
}

// Audits one ledger; what the audit itself refuses is a defect too.
async fn audit_one(
    ledgers: &mut Ledgers,
    log: Log,
    outcome: &mut Outcome,
    mut each: impl FnMut(u64, &[u8]) + Send,
) -> Result<Option<Checkpoint>, Failure> {
    let trust = ledgers.keys.trust(log)?;
    let remembered = ledgers.remembered(log)?;
    let shown = canvass_ledger::verify::fetch_checkpoint(&ledgers.public.log(log), &trust).await.ok();
    let report = audit(&ledgers.public.log(log), &trust, remembered.as_ref(), |index, entry| {
        each(index, entry);
        Ok(())
    })
    .await;
    let report = match report {
        Ok(report) => report,
        Err(error) => {
            let what = ledgers.convict(log, error, shown.as_ref()).to_string();
            outcome.defects.push(Defect { place: format!("{} ledger", log.as_str()), what });
            return Ok(None);
        }
    };
    let Trusted { signed, cosigned } = &report.trusted;
    outcome.ledgers.push(Ledger {
        log: log.as_str(),
        origin: signed.checkpoint.origin.clone(),
        size: signed.checkpoint.size,
        root: Digest(signed.checkpoint.root),
        entries: report.entries,
        bytes: report.bytes,
        kinds: BTreeMap::new(),
        witnesses: cosigned.iter().map(|(name, _)| name.clone()).collect(),
        continues: remembered.map(|before| before.size),
    });
    let head = signed.checkpoint.clone();
    ledgers.remember(log, &report.trusted);
    Ok(Some(head))
}

enum File<'a> {
    Agency(&'a canvass_types::AgencyId),
    Request(&'a canvass_types::RequestId),
    Portal(&'a canvass_types::PortalId),
    Policy,
    Rules,
}

async fn files(ledgers: &Ledgers, head: &Checkpoint, replay: &Replay) -> Result<(u64, Vec<Defect>), Failure> {
    let policy = replay.policy.iter().map(|_| File::Policy);
    let agencies = replay.agencies.keys().map(File::Agency);
    let all = policy
        .chain(replay.rules.iter().map(|_| File::Rules))
        .chain(agencies)
        .chain(replay.requests.keys().map(File::Request))
        .chain(replay.portals.keys().map(File::Portal));
    let mut checks = futures_util::stream::iter(all)
        .map(|file| async move { patient(ledgers, head, replay, &file).await })
        .buffered(AT_ONCE);
    let (mut checked, mut defects) = (0, Vec::new());
    while let Some(found) = checks.next().await {
        checked += 1;
        defects.extend(found?);
    }
    Ok((checked, defects))
}

// A server writes its files just after the ledger: what differs is read once more before it is called a defect.
async fn patient(
    ledgers: &Ledgers,
    head: &Checkpoint,
    replay: &Replay,
    file: &File<'_>,
) -> Result<Vec<Defect>, Failure> {
    let found = check_file(ledgers, head, replay, file).await?;
    if found.is_empty() || matches!(ledgers.public, Public::Folder { .. }) {
        return Ok(found);
    }
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    check_file(ledgers, head, replay, file).await
}

async fn check_file(
    ledgers: &Ledgers,
    head: &Checkpoint,
    replay: &Replay,
    file: &File<'_>,
) -> Result<Vec<Defect>, Failure> {
    let path = match file {
        File::Agency(id) => format!("agencies/{id}.json"),
        File::Request(id) => format!("requests/{id}.json"),
        File::Portal(id) => format!("portals/{id}.json"),
        File::Policy => "policy.json".to_owned(),
        File::Rules => "rules.json".to_owned(),
    };
    let defect = |what: String| Defect { place: path.clone(), what };
    let Some(bytes) = ledgers.public.read(&path, MAX_RECORD).await? else {
        return Ok(vec![defect("it is missing, though the ledger speaks of it".into())]);
    };
    let (found, proofs) = match file {
        File::Policy => (records::policy(&bytes, replay), Vec::new()),
        File::Rules => (records::rules(&bytes, replay), Vec::new()),
        File::Agency(id) => {
            judge(&bytes, |shown: AgencyFile| (records::agency(id, &shown.agency, replay), shown.proofs))
        }
        File::Request(id) => judge(&bytes, |shown: canvass_types::PublicRequest| {
            (records::request(id, &shown, replay), shown.proofs)
        }),
        File::Portal(id) => judge(&bytes, |shown: canvass_types::PublicPortal| {
            (records::portal(id, &shown, replay), shown.proofs)
        }),
    };
    let mut found: Vec<_> = found.into_iter().map(&defect).collect();
    for proof in &proofs {
        if let Err(failure) = ledgers.check_proof(Log::Requests, head, proof).await {
            found.push(defect(format!("the proof of entry {}: {failure}", proof.index)));
        }
    }
    Ok(found)
}

fn judge<T: DeserializeOwned>(
    bytes: &[u8],
    check: impl FnOnce(T) -> (Vec<String>, Vec<Proof>),
) -> (Vec<String>, Vec<Proof>) {
    match serde_json::from_slice(bytes) {
        Ok(shown) => check(shown),
        Err(error) => {
            let at = format!("line {} column {}", error.line(), error.column());
            (vec![format!("it has another form than is published ({at})")], Vec::new())
        }
    }
}

fn print(outcome: &Outcome, context: &Context) -> Result<(), Failure> {
    let console = context.console();
    if outcome.first_sight {
        console.note(
            "These keys were never seen before and come from the server itself; compare them with the operator's by \
             another way, or give --keys:",
        );
        outcome.keys.iter().for_each(|line| console.note(format!("  {line}")));
    }
    for ledger in &outcome.ledgers {
        console.line(format!("{} ledger, {}", ledger.log, ledger.origin));
        console.line(format!(
            "  {}, {} bytes, root {}",
            count(ledger.entries, "entry", "entries"),
            ledger.bytes,
            ledger.root
        ));
        match ledger.continues {
            Some(before) => console.line(format!(
                "  continues the checkpoint of {} seen before",
                count(before, "entry", "entries")
            )),
            None => console.line("  not seen before; its checkpoint is remembered from now on"),
        }
        match ledger.witnesses.as_slice() {
            [] => console.line("  no witness has cosigned it"),
            some => console.line(format!("  cosigned by {}", some.join(", "))),
        }
        for (kind, count) in &ledger.kinds {
            console.line(format!("  {count:>8} {kind}"));
        }
    }
    console.line(format!(
        "{} or named below",
        count(outcome.files_checked, "public file agrees or is", "public files agree or are")
    ));
    for defect in outcome.defects.iter().take(MAX_TOLD) {
        console.line(format!("DEFECT {defect}"));
    }
    if let Some(more) = outcome.defects.len().checked_sub(MAX_TOLD).filter(|more| *more > 0) {
        console.line(format!("and {more} more"));
    }
    if outcome.defects.is_empty() {
        console.line("No defect found.");
    }
    console.result(outcome)
}

#[cfg(test)]
mod tests {
    #[test]
    fn hours_are_coarse() {
        assert!(super::is_hour("2026-11-24T06Z"));
        for wrong in ["2026-11-24T06:30Z", "2026-11-24", "2026-13-24T06Z", "2026-11-24T25Z", ""] {
            assert!(!super::is_hour(wrong), "{wrong}");
        }
    }
}

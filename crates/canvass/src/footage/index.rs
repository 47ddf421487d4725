//! `canvass footage index`: looks through pictures and videos; the file that keeps what was seen.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

use canvass_footage::Sighting;
use canvass_types::{CaseId, Digest};
use canvass_vision::{Driver, Eyes, IndexOptions, Models, Objects, Towers, index_file};
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Engine;
use crate::agency::footage::{self, DeskWhy, Looker};
use crate::common::{Context, Failure, Step, count};

/// Longest line of an index, in bytes.
const MAX_LINE: u64 = 64 << 20;
/// Most characters of a version that the server takes.
const MAX_VERSION: usize = 64;
/// How colours are named: counts up when the same picture would get other names.
const COLOURS: &str = "1";

/// Which files are looked through, and how.
#[derive(Debug, Args)]
pub struct IndexArgs {
    /// JPEG and PNG pictures, videos of any container
    #[arg(required_unless_present = "case", conflicts_with = "case", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Look through the evidence of this case instead
    #[arg(long)]
    case: Option<CaseId>,
    #[command(flatten)]
    why: DeskWhy,
    /// The index
    #[arg(long, default_value = "canvass-footage.jsonl", value_name = "FILE")]
    index: PathBuf,
    /// Frames of a second of video that are looked at
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=30))]
    fps: u32,
    /// Look at files again that are in the index
    #[arg(long)]
    again: bool,
    #[command(flatten)]
    engine: Engine,
}

/// What the index says of one file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) file: String,
    /// Its length in bytes and its change in seconds since 1970, as they were when it was looked at.
    size: u64,
    changed: u64,
    /// Who looked: each model with its version. What others made is made again.
    #[serde(default)]
    pub(super) models: BTreeMap<String, String>,
    pub(super) sightings: Vec<Sighting>,
}

/// The models that look, and their versions.
pub(super) fn eyes(models: &Models, driver: &Driver) -> Result<(Eyes, BTreeMap<String, String>), Failure> {
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get().min(4));
    let files = models.files("objects")?;
    let mut made = BTreeMap::from([
        ("objects".to_owned(), files.version.clone()),
        ("colours".to_owned(), COLOURS.to_owned()),
    ]);
    let objects = Objects::new(driver, files.network, threads)?;
    let towers = towers(models, driver)?;
    made.extend(towers.iter().map(|towers| ("towers".to_owned(), towers.version().to_owned())));
    Ok((Eyes { objects, towers }, made))
}

/// The operator's towers; none where there are none.
pub(super) fn towers(models: &Models, driver: &Driver) -> Result<Option<Towers>, Failure> {
    if !models.all().any(|(name, _)| name == "towers") {
        return Ok(None);
    }
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get().min(4));
    Ok(Some(Towers::new(driver, &models.files("towers")?, threads)?))
}

/// Who looked, in one line that is short enough to stand beside what was seen.
pub(super) fn version_of(made: &BTreeMap<String, String>) -> String {
    let all = made.iter().map(|(model, version)| format!("{model} {version}")).collect::<Vec<_>>().join(", ");
    if all.chars().count() <= MAX_VERSION { all } else { Digest::of(all.as_bytes()).to_string() }
}

pub(super) async fn run(args: &IndexArgs, context: &Context) -> Result<(), Failure> {
    canvass_vision::steady_memory();
    let Some(case) = &args.case else { return tokio::task::block_in_place(|| files(args, context)) };
    let mut looker = tokio::task::block_in_place(|| {
        let models = args.engine.models()?;
        let (eyes, made) = eyes(&models, &args.engine.driver(&models))?;
        Ok::<_, Failure>(Looker { eyes, options: options(args), version: version_of(&made) })
    })?;
    footage::index_case(case, &args.why, &mut looker, context).await
}

fn options(args: &IndexArgs) -> IndexOptions {
    let mut options = IndexOptions::default();
    options.limits.frames_a_second = args.fps;
    options
}

fn files(args: &IndexArgs, context: &Context) -> Result<(), Failure> {
    let console = context.console();
    let models = args.engine.models()?;
    let (mut eyes, made) = eyes(&models, &args.engine.driver(&models))?;
    let mut entries = if args.index.exists() { load(&args.index)? } else { BTreeMap::new() };
    let options = options(args);
    let step = Step::new(args.files.len());
    let mut failed = 0;
    for path in &args.files {
        let file = path.display().to_string();
        step.next(&file);
        let (size, changed) = match facts(path) {
            Ok(facts) => facts,
            Err(failure) => {
                failed += 1;
                step.aside(|| console.failure(&failure));
                continue;
            }
        };
        let same = |entry: &&Entry| (entry.size, entry.changed, &entry.models) == (size, changed, &made);
        if !args.again && entries.get(&file).filter(same).is_some() {
            continue;
        }
        let looked = index_file(&mut eyes, path, &options, &mut |time| step.until(time));
        step.warn(console, options.limits.warnings.take());
        match looked {
            Ok(sightings) => {
                let seen = count(sightings.len(), "sighting", "sightings");
                step.aside(|| console.line(format!("{file}  {seen}")));
                let models = made.clone();
                entries.insert(file.clone(), Entry { file, size, changed, models, sightings });
                // After every file: what was looked at for an hour is not lost with the next one.
                save(&args.index, &entries)?;
            }
            Err(error) => {
                failed += 1;
                step.aside(|| console.failure(&Failure::from(error)));
            }
        }
    }
    step.done();
    let sightings: usize = entries.values().map(|entry| entry.sightings.len()).sum();
    let (files, seen) = (count(entries.len(), "file", "files"), count(sightings, "sighting", "sightings"));
    console.line(format!("{}: {seen} in {files}", args.index.display()));
    console.result(&json!({
        "index": args.index, "files": entries.len(), "sightings": sightings, "models": made,
    }))?;
    match failed {
        0 => Ok(()),
        _ => Err(Failure::new(format!("{} could not be looked through", count(failed, "file", "files")))),
    }
}

fn facts(path: &Path) -> Result<(u64, u64), Failure> {
    let facts = fs::metadata(path).map_err(|error| Failure::from(error).context(path.display()))?;
    let changed = facts.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    Ok((facts.len(), changed.map_or(0, |since| since.as_secs())))
}

pub(super) fn load(path: &Path) -> Result<BTreeMap<String, Entry>, Failure> {
    let fail = |reason: String| {
        Failure::new(format!("{}: {reason}; make it with `canvass footage index FILE…`", path.display()))
    };
    let file = fs::File::open(path).map_err(|error| fail(error.to_string()))?;
    let mut reader = BufReader::new(file);
    let mut entries = BTreeMap::new();
    let mut line = String::new();
    for number in 1.. {
        line.clear();
        let read = std::io::Read::take(&mut reader, MAX_LINE).read_line(&mut line);
        if read.map_err(|error| fail(format!("line {number}: {error}")))? == 0 {
            break;
        }
        let entry: Entry = serde_json::from_str(&line)
            .map_err(|error| fail(format!("line {number} is no entry ({error})")))?;
        entries.insert(entry.file.clone(), entry);
    }
    Ok(entries)
}

/// Written beside its place first: an index is whole or as it was.
fn save(path: &Path, entries: &BTreeMap<String, Entry>) -> Result<(), Failure> {
    let mut text = String::new();
    for entry in entries.values() {
        text.push_str(&serde_json::to_string(entry)?);
        text.push('\n');
    }
    let half = path.with_extension("half");
    let named = |error: std::io::Error| Failure::from(error).context(path.display());
    fs::write(&half, text).map_err(named)?;
    fs::rename(&half, path).map_err(named)
}

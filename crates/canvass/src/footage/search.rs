//! `canvass footage`: who and what is seen in one's own pictures and videos, and search of it by description; with `--case` in
//! the evidence of a case, and by the desk's cameras ([`crate::agency::footage`]).

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

use canvass_footage::{Moment, Refusal, Rules, Sighting, Words, search};
use canvass_types::CaseId;
use canvass_vision::{IndexOptions, Models, Objects, index_file};
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Engine;
use crate::agency::footage::{self, DeskSearch, DeskWhy, Looker};
use crate::common::{Context, Failure, Output, Step, count};

/// Longest line of an index, in bytes.
const MAX_LINE: u64 = 64 << 20;

/// Search of footage by description.
#[derive(Debug, Subcommand)]
pub enum FootageCommand {
    /// Look through pictures and videos, and keep who and what was seen in an index
    #[command(after_help = "\
Examples:
  canvass footage index porch.mp4 street/*.mkv
  canvass footage index --index street.jsonl --fps 5 street.mkv
  canvass footage index --case cas_… --purpose 'Look through the clips of the porch robbery'

With --case the videos and pictures of the case are opened one by one with your key, looked through here, and what was seen is
sealed again before it goes to the server; those that this model looked through are passed over.
A file that is in the index already and has not changed since is passed over; --again looks at it anew.")]
    Index(Box<IndexArgs>),
    /// Find the moments that fit a description, in English or Spanish
    #[command(after_help = "\
Examples:
  canvass footage search 'man in blue shirt and cowboy hat'
  canvass footage search 'coche rojo' --least 0.7 --json
  canvass footage search 'red car' --case 26-77 --offence felony --purpose 'Red car that left the pharmacy robbery'
  canvass footage search 'woman in red jacket' --ask --case 26-77 --offence felony --purpose 'Red jacket seen at the pharmacy'
  canvass footage search --like sgt_… --case 26-77 --offence felony --purpose 'Red car that left the pharmacy robbery'

With --case the server searches what its cameras saw, and the sealed sightings of the case's evidence are opened with your key and
searched here. A description of people takes a second person: --ask, then `canvass plate run apv_…`.
With --json each moment is one line: file, start and end (seconds), best, box, score (0 to 1), matched, missed and untold
words. Untold words are understood, but nothing that the models can tell. What may not be searched for is refused
with the rule's name; see canvass footage rules.")]
    Search(Box<SearchArgs>),
    /// Ask whether a description may be searched for
    #[command(after_help = "Example:\n  canvass footage allowed 'man in blue shirt'")]
    Allowed {
        /// The description
        text: String,
    },
    /// Find the faces, heads and plates that should be covered before a recording is shown, and write a covered copy
    #[command(after_help = "\
Examples:
  canvass footage blur porch.mp4 --json > porch.boxes.json
  canvass footage blur porch.mp4 --out porch.covered.mp4
  canvass footage blur porch.mp4 --boxes porch.boxes.json --out porch.covered.mp4 --keep-sound

The boxes are suggestions: load the file on the desk's page Redact, look at every box, add what is missing. No face is
recognised or compared, and nothing is kept of one but its box. The copy is made on this machine: pictures anew, no sound
unless --keep-sound, nothing of what the file said about time, place and camera.")]
    Blur(Box<super::blur::BlurArgs>),
    /// List what may not be searched for, and why
    #[command(after_help = "Example:\n  canvass footage rules --json")]
    Rules,
}

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

/// What is searched for, and where.
#[derive(Debug, Args)]
pub struct SearchArgs {
    /// The description
    #[arg(required_unless_present = "like", conflicts_with = "like")]
    text: Option<String>,
    #[command(flatten)]
    desk: DeskSearch,
    /// The index
    #[arg(long, default_value = "canvass-footage.jsonl", value_name = "FILE")]
    index: PathBuf,
    /// Leave out moments that fit less well (0 to 1)
    #[arg(long, default_value_t = 0.6, value_name = "P", value_parser = super::read::share)]
    least: f32,
    /// The most moments that are shown
    #[arg(long, default_value_t = 50, value_name = "N")]
    most: usize,
}

/// What the index says of one file.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry {
    file: String,
    /// Its length in bytes and its change in seconds since 1970, as they were when it was looked at.
    size: u64,
    changed: u64,
    /// The model that looked, by hash: another model looks again.
    model: String,
    sightings: Vec<Sighting>,
}

#[derive(Serialize)]
struct Found<'a> {
    file: &'a str,
    #[serde(flatten)]
    moment: Moment,
}

pub(super) async fn run(command: FootageCommand, context: &Context) -> Result<(), Failure> {
    match command {
        FootageCommand::Index(args) => match &args.case {
            Some(case) => {
                let mut looker = tokio::task::block_in_place(|| looker(&args))?;
                footage::index_case(case, &args.why, &mut looker, context).await
            }
            None => tokio::task::block_in_place(|| index(&args, context)),
        },
        FootageCommand::Search(args) if args.desk.wanted() => {
            let SearchArgs { text, desk, least, most, .. } = *args;
            footage::find(desk, text.as_deref(), (least, most), context).await
        }
        FootageCommand::Search(args) => find(&args, context),
        FootageCommand::Allowed { text } => allowed(&text, context),
        FootageCommand::Blur(args) => tokio::task::block_in_place(|| super::blur::run(&args, context)),
        FootageCommand::Rules => rules(context),
    }
}

/// The network that looks, and the hash by which its sightings are known: another model looks again.
fn looker(args: &IndexArgs) -> Result<Looker, Failure> {
    let models = args.engine.models()?;
    let version = version_of(&models);
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get().min(4));
    let objects = Objects::new(&args.engine.driver(&models), models.bytes(footage::MODEL)?, threads)?;
    let mut options = IndexOptions::default();
    options.limits.frames_a_second = args.fps;
    Ok(Looker { objects, options, version })
}

/// The hash of the model that sees people and vehicles, as long as a version may be.
pub(super) fn version_of(models: &Models) -> String {
    let model = models.all().find(|(name, _)| *name == footage::MODEL);
    model.map(|(_, model)| model.sha256.clone()).unwrap_or_default()
}

fn index(args: &IndexArgs, context: &Context) -> Result<(), Failure> {
    let console = context.console();
    let Looker { mut objects, options, version: model } = looker(args)?;
    let mut entries = if args.index.exists() { load(&args.index)? } else { BTreeMap::new() };
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
        let same = |entry: &&Entry| (entry.size, entry.changed, &entry.model) == (size, changed, &model);
        if !args.again && entries.get(&file).filter(same).is_some() {
            continue;
        }
        match index_file(&mut objects, path, &options, &mut |time| step.until(time)) {
            Ok(sightings) => {
                let seen = count(sightings.len(), "sighting", "sightings");
                step.aside(|| console.line(format!("{file}  {seen}")));
                let model = model.clone();
                entries.insert(file.clone(), Entry { file, size, changed, model, sightings });
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
    console.result(&json!({"index": args.index, "files": entries.len(), "sightings": sightings}))?;
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

fn load(path: &Path) -> Result<BTreeMap<String, Entry>, Failure> {
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

fn find(args: &SearchArgs, context: &Context) -> Result<(), Failure> {
    let console = context.console();
    let text = args.text.as_deref().unwrap_or_default();
    Rules::built_in()?.check(text).map_err(|refusal| refused(&refusal))?;
    let query = Words::built_in()?.query(text);
    if query.clauses.iter().all(|clause| clause.kinds.is_empty() && clause.wants.is_empty()) {
        return Err(Failure::usage(
            "nothing in this text is known here; describe a person or a vehicle, for example 'woman in red jacket' or 'coche blanco'",
        ));
    }
    if !query.ignored.is_empty() {
        console.note(format!("passed over, not known here: {}", query.ignored.join(", ")));
    }
    let entries = load(&args.index)?;
    let mut found: Vec<Found<'_>> = Vec::new();
    for entry in entries.values() {
        let moments = search(&query, &entry.sightings, args.least);
        found.extend(moments.into_iter().map(|moment| Found { file: &entry.file, moment }));
    }
    found.sort_by(|a, b| b.moment.score.total_cmp(&a.moment.score));
    found.truncate(args.most);
    for each in &found {
        let moment = &each.moment;
        if context.output == Output::Json {
            console.raw(serde_json::to_string(each)?);
            continue;
        }
        let mut line = format!(
            "{}  {:.1} to {:.1} s  {:.0} %  matched: {}",
            each.file,
            moment.start,
            moment.end,
            moment.score * 100.0,
            moment.matched.join(", ")
        );
        for (name, words) in [("missed", &moment.missed), ("can't be told", &moment.untold)] {
            if !words.is_empty() {
                line.push_str(&format!("; {name}: {}", words.join(", ")));
            }
        }
        console.line(line);
    }
    console.line(format!("{} in {}", count(found.len(), "moment", "moments"), args.index.display()));
    Ok(())
}

fn refused(refusal: &Refusal) -> Failure {
    let Refusal { rule, words, reason, reason_es, .. } = refusal;
    Failure::new(format!("refused by rule {rule:?} at {words:?}. {reason} / {reason_es}"))
}

fn allowed(text: &str, context: &Context) -> Result<(), Failure> {
    let console = context.console();
    match Rules::built_in()?.check(text) {
        Ok(()) => {
            console.line("allowed");
            console.result(&json!({"allowed": true}))
        }
        Err(refusal) => {
            console.result(&json!({"allowed": false, "refusal": refusal}))?;
            Err(refused(&refusal))
        }
    }
}

fn rules(context: &Context) -> Result<(), Failure> {
    let console = context.console();
    let rules = Rules::built_in()?;
    for rule in rules.all() {
        console.line(format!("{}: {} / {}", rule.id, rule.title_en, rule.title_es));
        console.line(format!("    {}\n    {}", rule.reason_en, rule.reason_es));
    }
    console.result(&rules.all())
}

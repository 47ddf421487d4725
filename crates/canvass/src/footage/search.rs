//! `canvass footage`: who and what is seen in one's own pictures and videos, and search of it by description; with `--case` in
//! the evidence of a case, and by the desk's cameras ([`crate::agency::footage`]).

use std::path::{Path, PathBuf};

use canvass_footage::{Moment, Refusal, Rules, Words, search};
use canvass_types::SightingId;
use canvass_vision::{Embedding, Towers};
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;

use super::{
    Engine,
    index::{self, Entry, IndexArgs},
    like,
};
use crate::agency::footage::{self, DeskSearch};
use crate::common::{Context, Failure, Output, count};

/// How much the towers' answer moves a moment among others.
const BY_LOOK: f32 = 0.5;

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
sealed again before it goes to the server; those that these models looked through are passed over.
A file that is in the index already, has not changed since and was looked at by the same models is passed over; --again looks at
it anew. Where towers were added (canvass models add towers) each sighting also gets the numbers that they tell.")]
    Index(Box<IndexArgs>),
    /// Find the moments that fit a description, in English or Spanish
    #[command(after_help = "\
Examples:
  canvass footage search 'man in blue shirt and cowboy hat'
  canvass footage search 'coche rojo' --least 0.7 --json
  canvass footage search --like van.jpg
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

/// What is searched for, and where.
#[derive(Debug, Args)]
pub struct SearchArgs {
    /// The description
    #[arg(required_unless_present = "like", conflicts_with = "like")]
    text: Option<String>,
    /// Find vehicles like the largest one in this picture; with --case, like one that a camera saw (sgt_…)
    #[arg(long, value_name = "PICTURE")]
    like: Option<PathBuf>,
    #[command(flatten)]
    desk: DeskSearch,
    /// The index
    #[arg(long, default_value = "canvass-footage.jsonl", value_name = "FILE")]
    pub(super) index: PathBuf,
    /// Leave out moments that fit less well (0 to 1)
    #[arg(long, default_value_t = 0.6, value_name = "P", value_parser = super::read::share)]
    pub(super) least: f32,
    /// The most moments that are shown
    #[arg(long, default_value_t = 50, value_name = "N")]
    pub(super) most: usize,
    #[command(flatten)]
    pub(super) engine: Engine,
}

#[derive(Serialize)]
struct Found<'a> {
    file: &'a str,
    #[serde(flatten)]
    moment: Moment,
    /// How near the towers see it to the text, -1 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    likeness: Option<f32>,
}

pub(super) async fn run(command: FootageCommand, context: &Context) -> Result<(), Failure> {
    match command {
        FootageCommand::Index(args) => index::run(&args, context).await,
        FootageCommand::Blur(args) => tokio::task::block_in_place(|| super::blur::run(&args, context)),
        FootageCommand::Search(args) if args.desk.wanted() => {
            let SearchArgs { text, like, desk, least, most, .. } = *args;
            let like = like.map(|like| sighting(&like)).transpose()?;
            footage::find(desk, (text.as_deref(), like), (least, most), context).await
        }
        FootageCommand::Search(args) => match &args.like {
            Some(picture) => like::run(&args, picture, context),
            None => find(&args, args.text.as_deref().unwrap_or_default(), context),
        },
        FootageCommand::Allowed { text } => allowed(&text, context),
        FootageCommand::Rules => rules(context),
    }
}

fn sighting(like: &Path) -> Result<SightingId, Failure> {
    let id = like.to_str().and_then(|like| like.parse().ok());
    id.ok_or_else(|| {
        Failure::usage(
            "--like: with --case, give the id of a sighting (sgt_…); pictures are for one's own footage",
        )
    })
}

fn find(args: &SearchArgs, text: &str, context: &Context) -> Result<(), Failure> {
    let console = context.console();
    Rules::built_in()?.check(text).map_err(|refusal| refused(&refusal))?;
    let words = Words::built_in()?;
    let query = words.query(text);
    if query.clauses.iter().all(|clause| clause.kinds.is_empty() && clause.wants.is_empty()) {
        return Err(Failure::usage(
            "nothing in this text is known here; describe a person or a vehicle, for example 'woman in red jacket' or 'coche blanco'",
        ));
    }
    if !query.ignored.is_empty() {
        console.note(format!("passed over, not known here: {}", query.ignored.join(", ")));
    }
    let entries = index::load(&args.index)?;
    let told = look(args, &words.english(text), entries.values(), context)?;
    let mut found: Vec<Found<'_>> = Vec::new();
    for entry in entries.values() {
        for moment in search(&query, &entry.sightings, args.least) {
            let likeness = told.as_ref().and_then(|told| likeness(told, entry, &moment));
            found.push(Found { file: &entry.file, moment, likeness });
        }
    }
    rank(&mut found);
    found.truncate(args.most);
    for each in &found {
        show(each, context)?;
    }
    let by = if told.is_some() { ", ranked by description and look" } else { "" };
    console.line(format!("{} in {}{by}", count(found.len(), "moment", "moments"), args.index.display()));
    Ok(())
}

/// What the towers make of the text, where they are the ones that looked at the footage.
fn look<'a>(
    args: &SearchArgs,
    text: &str,
    mut entries: impl Iterator<Item = &'a Entry>,
    context: &Context,
) -> Result<Option<Embedding>, Failure> {
    let Some(seen) = entries.find_map(|entry| entry.models.get("towers")) else { return Ok(None) };
    let models = args.engine.models()?;
    let Some(mut towers) = index::towers(&models, &args.engine.driver(&models))? else {
        context
            .console()
            .note("the towers that looked at this footage are not here: found by description alone");
        return Ok(None);
    };
    if towers.version() != seen {
        context.console().note(
            "other towers looked at this footage: found by description alone; index it again to compare looks too",
        );
        return Ok(None);
    }
    Ok(Some(Towers::text(&mut towers, text)?))
}

/// How near a moment's sighting is to the text.
fn likeness(told: &Embedding, entry: &Entry, moment: &Moment) -> Option<f32> {
    let here = |sighting: &&canvass_footage::Sighting| {
        sighting.rect == moment.rect && sighting.best.total_cmp(&moment.best).is_eq()
    };
    entry.sightings.iter().find(here)?.embedding.as_ref()?.cosine(told)
}

/// Best first. Cosines of texts and pictures all lie close together: they count by where they lie between the least and the
/// most of those found.
fn rank(found: &mut [Found<'_>]) {
    let known = || found.iter().filter_map(|each| each.likeness);
    let (least, most) = (known().fold(1.0, f32::min), known().fold(-1.0, f32::max));
    let span = most - least;
    let key = |each: &Found<'_>| match each.likeness {
        Some(likeness) if span > 0.0 => {
            (1.0 - BY_LOOK) * each.moment.score + BY_LOOK * (likeness - least) / span
        }
        Some(_) => each.moment.score,
        None => (1.0 - BY_LOOK) * each.moment.score,
    };
    found.sort_by(|a, b| key(b).total_cmp(&key(a)));
}

fn show(each: &Found<'_>, context: &Context) -> Result<(), Failure> {
    let console = context.console();
    if context.output == Output::Json {
        console.raw(serde_json::to_string(each)?);
        return Ok(());
    }
    let moment = &each.moment;
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
    if let Some(likeness) = each.likeness {
        line.push_str(&format!("; look {likeness:.2}"));
    }
    console.line(line);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn found(file: &str, score: f32, likeness: Option<f32>) -> Found<'_> {
        let moment = Moment {
            start: 0.0,
            end: 1.0,
            best: 0.5,
            rect: [0, 0, 10, 10],
            score,
            matched: Vec::new(),
            missed: Vec::new(),
            untold: Vec::new(),
        };
        Found { file, moment, likeness }
    }

    fn order(mut all: Vec<Found<'_>>) -> Vec<String> {
        rank(&mut all);
        all.iter().map(|each| each.file.to_owned()).collect()
    }

    #[test]
    fn looks_decide_between_moments_that_fit_alike() {
        let all = vec![
            found("fits", 0.8, Some(0.21)),
            found("fits and looks", 0.78, Some(0.29)),
            found("looks", 0.6, Some(0.3)),
        ];
        assert_eq!(order(all), ["fits and looks", "looks", "fits"]);
    }

    #[test]
    fn without_looks_the_description_decides() {
        assert_eq!(order(vec![found("a", 0.6, None), found("b", 0.8, None)]), ["b", "a"]);
        assert_eq!(order(vec![found("a", 0.6, Some(0.3)), found("b", 0.8, Some(0.3))]), ["b", "a"]);
        assert!(order(Vec::new()).is_empty());
    }
}

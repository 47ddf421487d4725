//! `canvass footage search --like`: vehicles that look like one in a picture. People are not looked for this way.

use std::path::Path;

use canvass_footage::{Alike, Sighting, alike};
use canvass_vision::{IndexOptions, index_file};
use serde::Serialize;

use super::{index, search::SearchArgs};
use crate::common::{Context, Failure, Output, count};

#[derive(Serialize)]
struct Found<'a> {
    file: &'a str,
    start: f64,
    end: f64,
    best: f64,
    #[serde(rename = "box")]
    rect: [i64; 4],
    kind: &'static str,
    score: f32,
    /// What was compared: `look` by the towers, or `kind and colours`.
    by: &'static str,
    colours: Vec<String>,
}

pub(super) fn run(args: &SearchArgs, picture: &Path, context: &Context) -> Result<(), Failure> {
    let console = context.console();
    let models = args.engine.models()?;
    let (mut eyes, _) = index::eyes(&models, &args.engine.driver(&models))?;
    let seen = index_file(&mut eyes, picture, &IndexOptions::default(), &mut |_| {})?;
    let wanted = largest(seen).ok_or_else(|| {
        Failure::new(format!(
            "{}: no vehicle was found in it; give a picture in which one is large. People are not looked for by picture",
            picture.display()
        ))
    })?;
    let entries = index::load(&args.index)?;
    let mut found: Vec<Found<'_>> = Vec::new();
    for entry in entries.values() {
        for sighting in &entry.sightings {
            let near = alike(&wanted, sighting).filter(|alike| alike.score >= args.least);
            found.extend(near.map(|near| told(&entry.file, sighting, near)));
        }
    }
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found.truncate(args.most);
    for each in &found {
        if context.output == Output::Json {
            console.raw(serde_json::to_string(each)?);
            continue;
        }
        let (file, start, end, percent) = (each.file, each.start, each.end, each.score * 100.0);
        let mut line =
            format!("{file}  {start:.1} to {end:.1} s  {percent:.0} %  {} by {}", each.kind, each.by);
        if !each.colours.is_empty() {
            line.push_str(&format!("; both {}", each.colours.join(", ")));
        }
        console.line(line);
    }
    let by_look = found.iter().filter(|each| each.by == LOOK).count();
    console.line(format!(
        "{} like the {} in {}; {by_look} compared by {LOOK}, {} by {ATTRIBUTES}",
        count(found.len(), "vehicle", "vehicles"),
        wanted.kind.as_str(),
        picture.display(),
        found.len() - by_look
    ));
    Ok(())
}

const LOOK: &str = "look";
const ATTRIBUTES: &str = "kind and colours";

fn largest(seen: Vec<Sighting>) -> Option<Sighting> {
    let area = |sighting: &Sighting| {
        let [_, _, w, h] = sighting.rect;
        w.saturating_mul(h)
    };
    seen.into_iter().filter(|sighting| sighting.kind.is_vehicle()).max_by_key(area)
}

fn told<'a>(file: &'a str, sighting: &Sighting, near: Alike) -> Found<'a> {
    Found {
        file,
        start: sighting.start,
        end: sighting.end,
        best: sighting.best,
        rect: sighting.rect,
        kind: sighting.kind.as_str(),
        score: near.score,
        by: if near.compared { LOOK } else { ATTRIBUTES },
        colours: near.colours.iter().map(|colour| format!("{colour:?}")).collect(),
    }
}

//! Accuracy on labelled pictures, how far confidence can be believed, and what each stage costs.

mod looks;
mod report;
mod searches;
mod stages;

pub use report::{Attribute, Known, Measured, Measuring, Named, Plates, Report, Search, measure};
pub use stages::{Soak, Speed, soak, speed};

use crate::{Finder, Picture, Rect, VisionError};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// One labelled plate.
#[derive(Debug, Clone)]
pub struct Label {
    /// The set it belongs to.
    pub set: String,
    /// The picture.
    pub file: PathBuf,
    /// Where the plate is; none where it fills the picture.
    pub rect: Option<Rect>,
    /// What it says.
    pub plate: String,
}

/// How well one set was read.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Score {
    /// Plates.
    pub plates: usize,
    /// Found at all.
    pub found: usize,
    /// Read as the label says.
    pub exact: usize,
    /// Read as the label says, O taken as 0 and I as 1.
    pub folded: usize,
    /// At most one character wrong, missing or too many, folded.
    pub one_edit: usize,
    /// Readings of no labelled plate with a confidence of at least one half.
    pub extra: usize,
}

/// What one stage costs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// How often it was measured.
    pub times: usize,
    /// The middle of the measured times, in milliseconds.
    pub median_ms: f64,
}

/// A whole run.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Bench {
    /// Which driver ran the networks.
    pub driver: String,
    /// By set.
    pub sets: BTreeMap<String, Score>,
    /// Readings by confidence, in tenths: how many, how many right (folded), and the sum of what they said.
    pub reliability: BTreeMap<u8, (usize, usize, f64)>,
    /// Cut-outs by the light that their names tell: how many, how many right (folded).
    pub lights: BTreeMap<String, (usize, usize)>,
    /// What was not read right: set, label, reading, confidence.
    pub wrong: Vec<(String, String, Option<String>, f64)>,
    /// Stages of a picture of 1280 × 720 pixels.
    pub stages: Vec<Stage>,
}

/// The labelled pictures below a folder like `plates-dev`: `labels.tsv` (set, file, x, y, w, h, plate) and
/// `ar-crops/labels.csv` (file, plate).
pub fn labels(folder: &Path) -> Result<Vec<Label>, VisionError> {
    let text = |path: PathBuf| std::fs::read_to_string(&path).map_err(|error| VisionError::io(&path, error));
    let mut labels = Vec::new();
    for line in text(folder.join("labels.tsv"))?.lines().skip(1) {
        if let &[set, file, x, y, w, h, plate] = line.split('\t').collect::<Vec<_>>().as_slice() {
            let number = |text: &str| text.parse::<f32>().unwrap_or(0.0);
            labels.push(Label {
                set: set.to_owned(),
                file: folder.join(set).join(file),
                rect: Some(Rect::new(number(x), number(y), number(w), number(h))),
                plate: plate.to_owned(),
            });
        }
    }
    for line in text(folder.join("ar-crops/labels.csv"))?.lines().skip(1) {
        if let Some((file, plate)) = line.trim().split_once(',') {
            let file = folder.join("ar-crops").join(file);
            labels.push(Label { set: "ar-crops".into(), file, rect: None, plate: plate.to_owned() });
        }
    }
    Ok(labels)
}

/// Reads all labelled pictures, and measures the stages with `now`, a clock that only moves forwards.
pub fn run(finder: &mut Finder, labels: &[Label], now: &dyn Fn() -> Duration) -> Result<Bench, VisionError> {
    let mut bench = Bench { driver: finder.detector().driver().to_owned(), ..Bench::default() };
    for label in labels {
        let picture = Picture::open(&label.file)?;
        let score = bench.sets.entry(label.set.clone()).or_default();
        score.plates += 1;
        let mut best = None;
        match label.rect {
            None => {
                let whole = Rect::new(0.0, 0.0, picture.width() as f32, picture.height() as f32);
                best = finder
                    .reader()
                    .read_part(&picture, &whole)?
                    .map(|guess| (String::from(guess.text), guess.confidence));
            }
            Some(truth) => {
                for plate in finder.find(&picture)? {
                    let here = plate.rect.inside(&truth) > 0.5;
                    if here && best.is_none() {
                        best = Some((String::from(plate.guess.text), plate.guess.confidence));
                    } else if !here && plate.guess.confidence >= 0.5 {
                        score.extra += 1;
                    }
                }
            }
        }
        let name = label.file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let light = ["morning", "night"].into_iter().find(|light| name.starts_with(light));
        let lit = best.as_ref().is_some_and(|(text, _)| fold(text) == fold(&label.plate));
        if let Some(light) = light.filter(|_| label.rect.is_none()) {
            let of = bench.lights.entry(light.to_owned()).or_default();
            of.0 += 1;
            of.1 += usize::from(lit);
        }
        let Some((text, confidence)) = best else {
            bench.wrong.push((label.set.clone(), label.plate.clone(), None, 0.0));
            continue;
        };
        let right = fold(&text) == fold(&label.plate);
        score.found += 1;
        score.exact += usize::from(text == label.plate);
        score.folded += usize::from(right);
        score.one_edit += usize::from(edits(&fold(&text), &fold(&label.plate)) <= 1);
        let tenth = bench.reliability.entry((confidence * 10.0).min(9.0) as u8).or_default();
        tenth.0 += 1;
        tenth.1 += usize::from(right);
        tenth.2 += f64::from(confidence);
        if !right {
            bench.wrong.push((label.set.clone(), label.plate.clone(), Some(text), f64::from(confidence)));
        }
    }
    bench.stages = stages::stages(finder, labels, now)?;
    Ok(bench)
}

/// A plate with the letters that are drawn as digits written as digits: O as 0, I as 1. The measure of accuracy, milder than
/// what searches take for the same.
pub(crate) fn fold(text: &str) -> String {
    text.replace('O', "0").replace('I', "1")
}

/// How many characters must be changed, added or taken away.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for (j, cb) in b.iter().enumerate() {
            let change = row.get(j).copied().unwrap_or(0) + usize::from(ca != *cb);
            let drop = row.get(j + 1).copied().unwrap_or(0) + 1;
            let add = next.last().copied().unwrap_or(0) + 1;
            next.push(change.min(drop).min(add));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

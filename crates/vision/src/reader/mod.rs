//! What a plate says: a small network, asked about several cut-outs of a plate. Which form of network it is is known here
//! alone.

mod own;
mod places;
mod slots;

#[cfg(test)]
pub(crate) use own::READER;

use crate::{Driver, Files, Found, Picture, PlateText, Quad, Rect, Region, VisionError, formats};
use own::Own;
use slots::Slots;
use std::collections::BTreeMap;

/// How many texts are kept of one cut-out.
const BEAM: usize = 8;
/// A text that no place issues counts this much less, where the network has learnt those places alone.
const STRANGE: f32 = 0.35;
/// A make-up or place that is less likely is none.
const LEAST_PLACE: f32 = 0.2;

/// What was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Guess {
    /// The plate's text.
    pub text: PlateText,
    /// How likely it is right, 0 to 1 (see the reliability table in `docs/ref/vision.md`).
    pub confidence: f32,
    /// The place that issued it, as far as text and make-up tell: a place of the formats, or its group (`US`, `EU`).
    pub region: Option<Region>,
    /// Other texts that it may be, likeliest first.
    pub others: Vec<(PlateText, f32)>,
}

/// What a network made of one cut-out.
struct Look {
    /// The likeliest texts.
    texts: Vec<(String, f32)>,
    /// What it counts beside others.
    weight: f32,
    /// Places, or groups of them, and how likely each issued it.
    places: Vec<(String, f32)>,
}

/// Reads plates.
pub struct Reader(Form);

enum Form {
    Own(Own),
    Slots(Slots),
}

impl Reader {
    /// A reader on the files of its model.
    pub fn new(driver: &Driver, files: &Files, threads: usize) -> Result<Self, VisionError> {
        Ok(Self(match files.format.as_str() {
            "fast-plate-ocr" => Form::Slots(Slots::new(driver, files, threads)?),
            _ => Form::Own(Own::new(driver, files.network.clone(), threads)?),
        }))
    }

    /// Which driver runs it.
    pub fn driver(&self) -> &'static str {
        match &self.0 {
            Form::Own(net) => net.driver(),
            Form::Slots(net) => net.driver(),
        }
    }

    /// Reads a plate that was found in a picture; none where nothing is written.
    pub fn read(&mut self, picture: &Picture, found: &Found) -> Result<Option<Guess>, VisionError> {
        match &mut self.0 {
            Form::Own(net) => {
                let first = found.quad.grown(1.15, 1.25);
                let others = [found.rect.corners().grown(1.1, 1.1), found.quad.grown(1.5, 1.5)];
                Ok(weigh(&net.looks(picture, first, &others)?, STRANGE))
            }
            Form::Slots(net) => {
                let others = [found.quad.grown(1.06, 1.1), found.rect.corners().grown(1.08, 1.12)];
                Ok(weigh(&net.looks(picture, found.rect.corners(), &others)?, 1.0))
            }
        }
    }

    /// Reads a plate that fills a box, as a person or another program drew it.
    pub fn read_part(&mut self, picture: &Picture, part: &Rect) -> Result<Option<Guess>, VisionError> {
        let quad = part.corners();
        let others: [Quad; 2] = [quad.grown(1.1, 1.1), quad.grown(0.94, 0.92)];
        match &mut self.0 {
            Form::Own(net) => Ok(weigh(&net.looks(picture, quad, &others)?, STRANGE)),
            Form::Slots(net) => Ok(weigh(&net.looks(picture, quad, &others)?, 1.0)),
        }
    }

    /// Looks at nothing once, so that what does not fit is told before it is put to use.
    pub(crate) fn try_out(&mut self) -> Result<(), VisionError> {
        match Picture::new(96, 32, vec![114; 96 * 32 * 3]) {
            Some(picture) => self.read_part(&picture, &Rect::new(0.0, 0.0, 96.0, 32.0)).map(drop),
            None => Ok(()),
        }
    }
}

/// What most of the looks agree on; a text that no place issues counts `strange` times as much.
fn weigh(looks: &[Look], strange: f32) -> Option<Guess> {
    let total: f32 = looks.iter().map(|look| look.weight).sum();
    let share = 1.0 / total.max(f32::EPSILON);
    let mut sums: BTreeMap<&str, f32> = BTreeMap::new();
    for (look, text, p) in
        looks.iter().flat_map(|look| look.texts.iter().map(move |(text, p)| (look, text, p)))
    {
        let factor = if formats::known(text) { 1.0 } else { strange };
        *sums.entry(text).or_default() += p * share * factor * look.weight;
    }
    let mut ranked: Vec<(String, f32)> = sums.into_iter().map(|(text, p)| (text.to_owned(), p)).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    ranked.truncate(BEAM);
    // Measured, these means are as often right as they say; they need no further bending.
    let mut ranked =
        ranked.into_iter().map(|(text, p)| (PlateText::from_bytes(text.as_bytes()), p.clamp(0.0, 1.0)));
    let (text, confidence) = ranked.next()?;
    let text = text.filter(|text| text.characters() > 1)?;
    let mut places: BTreeMap<&str, f32> = BTreeMap::new();
    for (look, place, p) in
        looks.iter().flat_map(|look| look.places.iter().map(move |(place, p)| (look, place, p)))
    {
        *places.entry(place).or_default() += p * share * look.weight;
    }
    Some(Guess {
        text,
        confidence,
        region: region(&text, places),
        others: ranked.filter_map(|(text, p)| Some((text?, p))).collect(),
    })
}

/// The likeliest place or group among those that issue such a text.
fn region(text: &PlateText, places: BTreeMap<&str, f32>) -> Option<Region> {
    let mut places: Vec<_> = places.into_iter().filter(|(_, p)| *p >= LEAST_PLACE).collect();
    places.sort_by(|a, b| b.1.total_cmp(&a.1));
    places.into_iter().find_map(|(place, _)| formats::place_in(place, text))
}

/// The likeliest texts of one answer: a row of likelihoods for each place, a sign for each of its numbers, none where it
/// stands for nothing.
fn likeliest(rows: impl Iterator<Item = Vec<f32>>, signs: &[Option<char>]) -> Vec<(String, f32)> {
    let mut beam: Vec<(String, f32)> = vec![(String::new(), 1.0)];
    for p in rows {
        let mut order: Vec<usize> = (0..signs.len()).collect();
        order.sort_by(|a, b| p.get(*b).unwrap_or(&0.0).total_cmp(p.get(*a).unwrap_or(&0.0)));
        let mut next: BTreeMap<String, f32> = BTreeMap::new();
        for (text, so_far) in &beam {
            for &class in order.iter().take(4) {
                let mut longer = text.clone();
                longer.extend(signs.get(class).copied().flatten());
                *next.entry(longer).or_default() += so_far * p.get(class).unwrap_or(&0.0);
            }
        }
        beam = next.into_iter().collect();
        beam.sort_by(|a, b| b.1.total_cmp(&a.1));
        beam.truncate(BEAM);
    }
    beam
}

fn softmax(values: &[f32]) -> Vec<f32> {
    let most = values.iter().copied().fold(f32::MIN, f32::max);
    let powers: Vec<f32> = values.iter().map(|value| (value - most).exp()).collect();
    let sum: f32 = powers.iter().sum::<f32>().max(f32::MIN_POSITIVE);
    powers.into_iter().map(|power| power / sum).collect()
}

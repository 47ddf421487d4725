//! Moments: where the sightings of one file fit a description.

use crate::{Query, Sighting};
use serde::Serialize;

/// Sightings this many seconds apart may be of one moment.
const NEAR: f64 = 1.0;

/// A stretch of one file that fits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Moment {
    /// Seconds from the start at which it begins.
    pub start: f64,
    /// Seconds from the start at which it ends.
    pub end: f64,
    /// Seconds from the start at which it is seen best.
    pub best: f64,
    /// Where it is then: left, upper edge, width, height, in pixels.
    #[serde(rename = "box")]
    pub rect: [i64; 4],
    /// How well it fits, 0 to 1.
    pub score: f32,
    /// Words that fit.
    pub matched: Vec<String>,
    /// Words that don't.
    pub missed: Vec<String>,
    /// Words that were understood, but that the models can't tell.
    pub untold: Vec<String>,
}

/// The moments of one file that fit at least so well, best first. Moments that overlap are one.
pub fn search(query: &Query, sightings: &[Sighting], least: f32) -> Vec<Moment> {
    let Some((main, others)) = query.clauses.split_first() else { return Vec::new() };
    let mut found: Vec<Moment> = Vec::new();
    for sighting in sightings {
        let Some(fit) = main.fit(sighting) else { continue };
        let mut moment = Moment {
            start: sighting.start,
            end: sighting.end,
            best: sighting.best,
            rect: sighting.rect,
            score: fit.score,
            matched: fit.matched,
            missed: fit.missed,
            untold: fit.untold,
        };
        let mut product = fit.score;
        for clause in others {
            let near = |other: &&Sighting| {
                !std::ptr::eq(*other, sighting)
                    && other.start <= sighting.end + NEAR
                    && sighting.start <= other.end + NEAR
            };
            let fits = sightings.iter().filter(near).filter_map(|other| clause.fit(other));
            match fits.max_by(|a, b| a.score.total_cmp(&b.score)) {
                Some(fit) => {
                    product *= fit.score;
                    moment.matched.extend(fit.matched);
                    moment.missed.extend(fit.missed);
                    moment.untold.extend(fit.untold);
                }
                None => {
                    product *= 0.05;
                    moment.missed.extend(clause.words.iter().cloned());
                }
            }
        }
        moment.score = product.powf(1.0 / query.clauses.len() as f32);
        if moment.score >= least {
            found.push(moment);
        }
    }
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Moment> = Vec::new();
    for moment in found {
        let same = |other: &&mut Moment| other.start <= moment.end && moment.start <= other.end;
        match kept.iter_mut().find(same) {
            Some(other) if moment.score >= other.score * 0.9 => {
                (other.start, other.end) = (other.start.min(moment.start), other.end.max(moment.end));
            }
            Some(_) => {}
            None => kept.push(moment),
        }
    }
    kept
}

//! What a description asks for, and how well a sighting fits it.

use crate::{Colour, Kind, Part, Sighting};
use serde::Serialize;

/// A share of a part from which on its colour is taken as certain. What is less counts by its square: a third of another
/// colour, or a colour's neighbour, is what most garments have in some light.
const ENOUGH: f32 = 0.5;
/// How sure a detector must be to count as certain.
const SURE: f32 = 0.55;
/// A thing that was seen in this share of the frames is certainly there; what was seen in fewer counts by its square, since
/// what the network takes for a bag in a quarter of the frames mostly is none.
const OFTEN: f32 = 0.6;
/// From here on a word counts as matched.
pub(crate) const MATCHED: f32 = 0.36;

/// A description: one clause for each person or vehicle in it, the one that is searched for first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Query {
    /// The clauses.
    pub clauses: Vec<Clause>,
    /// Words that mean nothing here and were passed over.
    pub ignored: Vec<String>,
}

/// One person or vehicle.
#[derive(Debug, Clone, PartialEq, Serialize, Default)]
pub struct Clause {
    /// What it may be.
    pub kinds: Vec<Kind>,
    /// The words that say so.
    pub words: Vec<String>,
    /// What else is asked of it.
    pub wants: Vec<Want>,
}

/// One thing that is asked of a sighting.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Want {
    /// The words that ask for it, as written.
    pub words: String,
    /// What it is.
    pub what: What,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum What {
    /// A colour of one of some parts.
    Colour {
        /// Where.
        parts: Vec<Part>,
        /// Which.
        colour: Colour,
    },
    /// One of these things with a person.
    With(Vec<Kind>),
    /// Understood, but nothing that the models can tell: a hat, a man. It neither helps nor hurts.
    Untold,
}

/// How well one sighting fits one clause.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fit {
    pub(crate) score: f32,
    pub(crate) matched: Vec<String>,
    pub(crate) missed: Vec<String>,
    pub(crate) untold: Vec<String>,
}

impl Clause {
    /// How well a sighting fits, 0 to 1; none where it is something else.
    pub(crate) fn fit(&self, sighting: &Sighting) -> Option<Fit> {
        if !self.kinds.is_empty() && !self.kinds.contains(&sighting.kind) {
            return None;
        }
        let sure = (sighting.score / SURE).min(1.0);
        let mut fit = Fit { score: 0.0, matched: Vec::new(), missed: Vec::new(), untold: Vec::new() };
        fit.matched.extend(self.words.iter().cloned());
        let (mut product, mut count, mut weakest) = (sure, 1.0, 1.0f32);
        for want in &self.wants {
            let Some(share) = want.what.in_sighting(sighting) else {
                fit.untold.push(want.words.clone());
                continue;
            };
            let list = if share >= MATCHED { &mut fit.matched } else { &mut fit.missed };
            list.push(want.words.clone());
            let share = share.max(0.01);
            product *= share;
            weakest = weakest.min(share);
            count += 1.0;
        }
        // The mean that one missing thing pulls down most; and what fits no better than that one thing by itself would: a
        // long description is not met by most of its words.
        fit.score = product.powf(1.0 / count).min(weakest.sqrt());
        Some(fit)
    }
}

impl What {
    /// How far a sighting has it, 0 to 1; none where that can't be told.
    fn in_sighting(&self, sighting: &Sighting) -> Option<f32> {
        match self {
            What::Untold => None,
            What::With(kinds) => {
                let most =
                    kinds.iter().filter_map(|kind| sighting.with.get(kind)).copied().fold(0.0, f32::max);
                Some((most / OFTEN).min(1.0).powi(2))
            }
            What::Colour { parts, colour } => {
                let shares = parts.iter().filter_map(|part| sighting.colour(*part, *colour));
                let most = shares.reduce(f32::max)?;
                Some((most / ENOUGH).min(1.0).powi(2))
            }
        }
    }
}

impl Query {
    /// How well a sighting fits the first clause, 0 to 1; 0 where it is something else.
    pub fn score(&self, sighting: &Sighting) -> f32 {
        self.clauses.first().and_then(|clause| clause.fit(sighting)).map_or(0.0, |fit| fit.score)
    }
}

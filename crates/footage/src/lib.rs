//! Search of footage by description: what may be asked, what a text means, how well a sighting fits it.
//!
//! [`Rules`] refuse what must not be searched for (names, faces, protected characteristics, assembly and protest, slurs) and
//! name the rule. [`Words`] turn an English or Spanish text into a [`Query`]; [`Query::score`] holds it against a
//! [`Sighting`]. Both are data (`data/`). Pure: no I/O, no clock, no models; what sees is `canvass-vision`.

mod alike;
mod embedding;
mod english;
mod parse;
mod query;
mod rules;
mod search;
mod sighting;
mod text;
mod words;

#[cfg(test)]
mod tests;

pub use alike::{Alike, alike};
pub use embedding::{Embedding, MOST_VALUES};
pub use query::{Clause, Query, Want, What};
pub use rules::{Refusal, Rule, Rules};
pub use search::{Moment, search};
pub use sighting::{Colour, Kind, Part, Shares, Sighting, is_tint, likeness};
pub use words::{Meaning, Words};

/// A file of words or rules that can't be used.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {reason}; put back the file that came with this version")]
pub struct DataError {
    /// Which file.
    pub file: &'static str,
    /// What is wrong.
    pub reason: String,
}

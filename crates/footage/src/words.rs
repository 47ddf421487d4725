//! Words and what they mean, as data: `data/words.toml`.

use crate::text::plain;
use crate::{Colour, DataError, Kind, Part};
use serde::Deserialize;
use std::collections::HashMap;

const BUILT_IN: &str = include_str!("../data/words.toml");
const FILE: &str = "words.toml";
/// Most words of a phrase.
pub(crate) const LONGEST: usize = 4;

/// What a word means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// A person or vehicle.
    Subject {
        /// What it may be.
        kinds: Vec<Kind>,
        /// What it rides.
        rides: Vec<Kind>,
        /// Whether it says more than the models can tell.
        untold: bool,
    },
    /// Something that a person carries or leads.
    With(Vec<Kind>),
    /// A garment, and the parts whose colour is its colour; none where that is not told.
    Garment(Vec<Part>),
    /// A colour.
    Colour(Colour),
    /// Something about the colour or thing beside it that is not told.
    Shade,
    /// What follows is worn.
    Binds,
    /// Nothing.
    Skip,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[serde(default)]
    kinds: Vec<Kind>,
    #[serde(default)]
    rides: Vec<Kind>,
    #[serde(default)]
    untold: bool,
    #[serde(default)]
    with: Vec<Kind>,
    part: Option<String>,
    colour: Option<Colour>,
    #[serde(default)]
    shade: bool,
    #[serde(default)]
    binds: bool,
    #[serde(default)]
    skip: bool,
    #[serde(default)]
    en: Vec<String>,
    #[serde(default)]
    es: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    word: Vec<Entry>,
}

/// The words of descriptions.
#[derive(Debug, Clone)]
pub struct Words {
    english: HashMap<String, Meaning>,
    spanish: HashMap<String, Meaning>,
}

impl Words {
    /// Those that come with this crate.
    ///
    /// # Errors
    /// The file in the program can't be used; a test keeps that from happening.
    pub fn built_in() -> Result<Self, DataError> {
        Self::parse(BUILT_IN)
    }

    /// Words from the text of a file like `data/words.toml`.
    ///
    /// # Errors
    /// It is no such file, or an entry means nothing or two things.
    pub fn parse(text: &str) -> Result<Self, DataError> {
        let bad = |reason: String| DataError { file: FILE, reason };
        let file: File = toml::from_str(text).map_err(|error| bad(error.to_string()))?;
        let mut words = Self { english: HashMap::new(), spanish: HashMap::new() };
        for entry in file.word {
            let meaning = entry.meaning().map_err(bad)?;
            for (list, to) in [(&entry.en, &mut words.english), (&entry.es, &mut words.spanish)] {
                for phrase in list {
                    let key: Vec<_> = phrase.split_whitespace().map(plain).collect();
                    if key.is_empty() || key.len() > LONGEST {
                        return Err(bad(format!("{phrase:?} must have 1 to {LONGEST} words")));
                    }
                    if to.insert(key.join(" "), meaning.clone()).is_some() {
                        return Err(bad(format!("{phrase:?} is there twice")));
                    }
                }
            }
        }
        Ok(words)
    }

    /// What a phrase means in English or, as the second, in Spanish.
    pub(crate) fn find(&self, phrase: &str) -> (Option<&Meaning>, Option<&Meaning>) {
        (self.english.get(phrase), self.spanish.get(phrase))
    }

    /// Whether a word by itself, in small letters and without accents, means anything.
    pub(crate) fn knows(&self, word: &str) -> bool {
        self.english.contains_key(word) || self.spanish.contains_key(word)
    }

    /// Whether a word by itself means something in Spanish alone.
    pub(crate) fn is_spanish(&self, word: &str) -> bool {
        self.spanish.contains_key(word) && !self.english.contains_key(word)
    }

    /// Whether a word by itself means something in English alone.
    pub(crate) fn is_english(&self, word: &str) -> bool {
        self.english.contains_key(word) && !self.spanish.contains_key(word)
    }
}

impl Entry {
    fn meaning(&self) -> Result<Meaning, String> {
        let name = self.en.first().or(self.es.first()).cloned().unwrap_or_default();
        let mut found = Vec::new();
        if !self.kinds.is_empty() {
            let (kinds, rides) = (self.kinds.clone(), self.rides.clone());
            found.push(Meaning::Subject { kinds, rides, untold: self.untold });
        }
        if !self.with.is_empty() {
            found.push(Meaning::With(self.with.clone()));
        }
        match self.part.as_deref() {
            None => {}
            Some("Upper") => found.push(Meaning::Garment(vec![Part::Upper])),
            Some("Lower") => found.push(Meaning::Garment(vec![Part::Lower])),
            Some("Both") => found.push(Meaning::Garment(vec![Part::Upper, Part::Lower])),
            Some("Untold") => found.push(Meaning::Garment(Vec::new())),
            Some(other) => return Err(format!("{name:?}: the part {other:?} is none")),
        }
        found.extend(self.colour.map(Meaning::Colour));
        let flags = [(self.shade, Meaning::Shade), (self.binds, Meaning::Binds), (self.skip, Meaning::Skip)];
        found.extend(flags.into_iter().filter(|(set, _)| *set).map(|(_, meaning)| meaning));
        match (found.pop(), found.is_empty()) {
            (Some(meaning), true) => Ok(meaning),
            _ => Err(format!("{name:?} must mean one thing")),
        }
    }
}

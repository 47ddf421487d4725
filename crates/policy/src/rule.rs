//! A rule: one Cedar policy with what its annotations say of it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a question lacks. Supplied, the same question is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// A purpose of `purposes.toml`.
    Purpose,
    /// An open case that the member works on.
    OpenCase,
    /// The class of offence.
    Offence,
    /// The approval of another person.
    SecondPerson,
    /// A warrant or court order, with its number.
    Warrant,
    /// A written declaration of lawful use, signed by the agency that asks.
    Declaration,
    /// A person's comparison of plate and picture, and what else the law wants confirmed.
    Comparison,
    /// A scope of reads that met a hotlist, and no others.
    HitsOnly,
    /// Break-glass, opened for the agency with a reason.
    BreakGlass,
}

impl Need {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Purpose,
        Self::OpenCase,
        Self::Offence,
        Self::SecondPerson,
        Self::Warrant,
        Self::Declaration,
        Self::Comparison,
        Self::HitsOnly,
        Self::BreakGlass,
    ];

    /// The word in an annotation `@needs("…")`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Purpose => "purpose",
            Self::OpenCase => "open-case",
            Self::Offence => "offence",
            Self::SecondPerson => "second-person",
            Self::Warrant => "warrant",
            Self::Declaration => "declaration",
            Self::Comparison => "comparison",
            Self::HitsOnly => "hits-only",
            Self::BreakGlass => "break-glass",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|need| need.as_str() == text)
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One rule, as its annotations tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its name: `@id`, beginning with the name of its file.
    pub id: String,
    /// Why it is there, for the person whom it stops: `@because`.
    pub because: String,
    /// The article of law that it carries out: `@law`. Rules of a state's profile have one.
    pub law: Option<String>,
    /// What would satisfy it: `@needs`. A prohibition without one is final.
    pub needs: Option<Need>,
    /// Whether it permits; otherwise it forbids.
    pub permits: bool,
    /// The file that holds it.
    pub file: String,
    /// The line of its annotation `@id`.
    pub line: usize,
}

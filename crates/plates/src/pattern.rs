//! What is asked of a plate, and how a plate compares to it. The comparison here is the plain one that every index has
//! to agree with.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{MOST_CHARACTERS, MOST_RAW, PlateError, PlateText, confusables::Confusables};

/// What a pattern may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Fewest characters that are neither `?` nor `*`.
    pub fixed: usize,
    /// Most `*`.
    pub runs: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { fixed: 2, runs: 4 }
    }
}

/// Why a pattern is refused. No message names what was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Its characters.
    #[error(transparent)]
    Plate(#[from] PlateError),
    /// It would look at nearly every plate.
    #[error(
        "pattern: it has {found} fixed characters, and a search needs at least {needed}; write more of the plate"
    )]
    Costly {
        /// Fixed characters found.
        found: usize,
        /// Fixed characters needed.
        needed: usize,
    },
    /// Too many runs.
    #[error("pattern: it has {found} `*`, at most {most} may stand in one; write `?` for single characters")]
    Runs {
        /// Runs found.
        found: usize,
        /// Most allowed.
        most: usize,
    },
}

/// A part of a wildcard.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Token {
    /// This character.
    Character(u8),
    /// `?`: any one character.
    One,
    /// `*`: any run of characters, also none.
    Run,
}

/// A pattern with `?` and `*`, never two `*` side by side.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Wildcard {
    tokens: Vec<Token>,
}

impl Wildcard {
    /// Its parts, in order.
    #[must_use]
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// The fixed characters that it begins with.
    #[must_use]
    pub fn prefix(&self) -> Vec<u8> {
        self.tokens
            .iter()
            .map_while(|token| if let Token::Character(byte) = token { Some(*byte) } else { None })
            .collect()
    }

    /// The longest run of fixed characters that stand side by side.
    #[must_use]
    pub fn longest(&self) -> Vec<u8> {
        let mut longest: Vec<u8> = Vec::new();
        let mut here = Vec::new();
        for token in &self.tokens {
            if let Token::Character(byte) = token {
                here.push(*byte);
            } else {
                here.clear();
            }
            if here.len() > longest.len() {
                longest.clone_from(&here);
            }
        }
        longest
    }

    /// Whether a plate fits.
    #[must_use]
    pub fn fits(&self, plate: &[u8]) -> bool {
        // Positions of the pattern that may come next, a bit each.
        let mut states = self.closed(1);
        for byte in plate {
            let mut next = 0_u64;
            for (at, token) in self.tokens.iter().enumerate() {
                if states & (1 << at) != 0 {
                    next |= match token {
                        Token::Character(fixed) if fixed != byte => 0,
                        Token::Character(_) | Token::One => 2 << at,
                        Token::Run => 1 << at,
                    };
                }
            }
            states = self.closed(next);
            if states == 0 {
                return false;
            }
        }
        states & (1 << self.tokens.len()) != 0
    }

    /// A run may be empty: who may stand before one may also stand behind it.
    fn closed(&self, mut states: u64) -> u64 {
        for (at, token) in self.tokens.iter().enumerate() {
            if *token == Token::Run && states & (1 << at) != 0 {
                states |= 2 << at;
            }
        }
        states
    }
}

/// What is asked of a plate.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum PlatePattern {
    /// This plate.
    Exact(PlateText),
    /// `?` and `*`, anywhere.
    Wildcard(Wildcard),
    /// This plate, or what a reader may have made of it: confusable characters count as the same, and one character
    /// may be wrong, missing or too many.
    Tolerant(PlateText),
}

impl PlatePattern {
    /// Reads what somebody typed: with `?` or `*` a wildcard, else the plate, exact.
    ///
    /// # Errors
    /// [`PatternError`].
    pub fn parse(text: &str, limits: &Limits) -> Result<Self, PatternError> {
        if text.len() > MOST_RAW * 4 || text.chars().count() > MOST_RAW {
            return Err(PlateError::Raw.into());
        }
        if !text.contains(['?', '*', '？', '＊']) {
            return Ok(Self::Exact(PlateText::normalise(text)?));
        }
        wildcard(text, limits).map(Self::Wildcard)
    }

    /// Reads what somebody typed, to be searched with tolerance.
    ///
    /// # Errors
    /// [`PatternError`]: the characters, or fewer of them than [`Limits::fixed`] asks for.
    pub fn tolerant(text: &str, limits: &Limits) -> Result<Self, PatternError> {
        let plate = PlateText::normalise(text)?;
        // One character may be missing, so one more is needed.
        let needed = limits.fixed + 1;
        if plate.characters() < needed {
            return Err(PatternError::Costly { found: plate.characters(), needed });
        }
        Ok(Self::Tolerant(plate))
    }
}

fn wildcard(text: &str, limits: &Limits) -> Result<Wildcard, PatternError> {
    let mut tokens: Vec<Token> = Vec::new();
    for (at, each) in text.chars().enumerate() {
        match each {
            '?' | '？' => tokens.push(Token::One),
            '*' | '＊' if tokens.last() == Some(&Token::Run) => {}
            '*' | '＊' => tokens.push(Token::Run),
            _ => match PlateText::normalise(each.encode_utf8(&mut [0; 4])) {
                Ok(plate) => tokens.extend(plate.as_bytes().iter().copied().map(Token::Character)),
                Err(PlateError::Empty) => {}
                Err(PlateError::Character(_)) => return Err(PlateError::Character(at + 1).into()),
                Err(other) => return Err(other.into()),
            },
        }
    }
    let count = |wanted: fn(&Token) -> bool| tokens.iter().filter(|token| wanted(token)).count();
    if count(|token| !matches!(token, Token::Run)) > MOST_CHARACTERS {
        return Err(PlateError::Long.into());
    }
    let fixed = count(|token| matches!(token, Token::Character(_)));
    if fixed < limits.fixed {
        return Err(PatternError::Costly { found: fixed, needed: limits.fixed });
    }
    let runs = count(|token| matches!(token, Token::Run));
    if runs > limits.runs {
        return Err(PatternError::Runs { found: runs, most: limits.runs });
    }
    Ok(Wildcard { tokens })
}

impl fmt::Debug for Wildcard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wildcard(…)")
    }
}

impl fmt::Debug for PlatePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exact(_) => "Exact(…)",
            Self::Wildcard(_) => "Wildcard(…)",
            Self::Tolerant(_) => "Tolerant(…)",
        })
    }
}

/// How near a plate is to what was asked, nearest first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum MatchLabel {
    /// What was asked.
    Exact,
    /// The same but for characters that readers confuse.
    MisreadEquivalent,
    /// One character is wrong, missing or too many.
    Approximate,
}

/// One place where a plate is not what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Difference {
    /// Place in what was asked, from 1; for a character too many, the place that it stands before.
    pub position: u8,
    /// The character asked for; nothing where the read has one too many.
    pub asked: Option<char>,
    /// The character read; nothing where it is missing.
    pub read: Option<char>,
}

/// A plate that fits, and how.
pub type Compared = (MatchLabel, Vec<Difference>);

/// Whether and how a plate fits a pattern.
#[must_use]
pub fn compare(pattern: &PlatePattern, plate: &PlateText, confusables: &Confusables) -> Option<Compared> {
    match pattern {
        PlatePattern::Exact(asked) => (asked == plate).then(|| (MatchLabel::Exact, Vec::new())),
        PlatePattern::Wildcard(wildcard) => {
            wildcard.fits(plate.as_bytes()).then(|| (MatchLabel::Exact, Vec::new()))
        }
        PlatePattern::Tolerant(asked) => tolerant(asked.as_bytes(), plate.as_bytes(), confusables),
    }
}

fn tolerant(asked: &[u8], read: &[u8], confusables: &Confusables) -> Option<Compared> {
    let same = |pair: (&u8, &u8)| confusables.same(*pair.0, *pair.1);
    let ahead = asked.iter().zip(read).take_while(|pair| same(*pair)).count();
    let (asked_rest, read_rest) = (asked.get(ahead..)?, read.get(ahead..)?);
    // What is left of each behind the one edit.
    let (asked_skip, read_skip) = match asked.len().checked_sub(read.len()) {
        Some(0) if asked_rest.is_empty() => (0, 0),
        Some(0) => (1, 1),
        Some(1) => (1, 0),
        None if read.len() == asked.len() + 1 => (0, 1),
        _ => return None,
    };
    let (asked_tail, read_tail) = (asked_rest.get(asked_skip..)?, read_rest.get(read_skip..)?);
    if !asked_tail.iter().zip(read_tail).all(same) {
        return None;
    }
    let mut differences = Vec::new();
    let place = |at: usize| u8::try_from(at + 1).unwrap_or(u8::MAX);
    let swapped = |from: usize, (at, (asked, read)): (usize, (&u8, &u8))| {
        (asked != read).then(|| Difference {
            position: place(from + at),
            asked: Some(char::from(*asked)),
            read: Some(char::from(*read)),
        })
    };
    let head = asked.iter().zip(read).take(ahead).enumerate();
    differences.extend(head.filter_map(|pair| swapped(0, pair)));
    if (asked_skip, read_skip) != (0, 0) {
        differences.push(Difference {
            position: place(ahead),
            asked: asked_rest.first().filter(|_| asked_skip == 1).map(|byte| char::from(*byte)),
            read: read_rest.first().filter(|_| read_skip == 1).map(|byte| char::from(*byte)),
        });
    }
    let tail = asked_tail.iter().zip(read_tail).enumerate();
    differences.extend(tail.filter_map(|pair| swapped(ahead + asked_skip, pair)));
    let label = match () {
        () if (asked_skip, read_skip) != (0, 0) => MatchLabel::Approximate,
        () if differences.is_empty() => MatchLabel::Exact,
        () => MatchLabel::MisreadEquivalent,
    };
    Some((label, differences))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::confusables::standard;
    use proptest::prelude::*;

    fn plate(text: &str) -> PlateText {
        PlateText::normalise(text).unwrap()
    }

    fn pattern(text: &str) -> Result<PlatePattern, PatternError> {
        PlatePattern::parse(text, &Limits::default())
    }

    #[test]
    fn wildcards_fit_anywhere() {
        for (asked, fits, not) in [
            ("A?C12*", &["ABC12", "AXC123", "a1c12999"][..], &["AC12", "ABC1", "BABC12"][..]),
            ("*C12*", &["C12", "ABC123", "XC12"], &["C1", "AC13"]),
            ("*89", &["7ABC89", "89"], &["890", "9"]),
            ("A*B*1", &["AB1", "AXXBYY1"], &["AB", "A1B"]),
            ("AB？", &["ABC"], &["AB", "ABCD"]),
            ("а-в *", &["AB", "ABX"], &["B"]),
        ] {
            let asked = pattern(asked).unwrap();
            for text in fits {
                assert!(compare(&asked, &plate(text), standard()).is_some(), "{text}");
            }
            for text in not {
                assert!(compare(&asked, &plate(text), standard()).is_none(), "{text}");
            }
        }
    }

    #[test]
    fn bombs_are_refused_with_what_to_do() {
        for bomb in ["*", "????????", "A*", "*?*?*", "?A?", "***1***"] {
            let error = pattern(bomb).unwrap_err();
            assert!(matches!(error, PatternError::Costly { needed: 2, .. }), "{bomb}");
            assert!(error.to_string().contains("write more"));
        }
        assert_eq!(pattern("A*B*C*D*E*F"), Err(PatternError::Runs { found: 5, most: 4 }));
        assert_eq!(pattern("A?????????????????B"), Err(PlateError::Long.into()));
        assert_eq!(pattern(&"*A".repeat(5_000)), Err(PlateError::Raw.into()));
        assert_eq!(pattern("A*😀"), Err(PlateError::Character(3).into()));
        assert_eq!(pattern(""), Err(PlateError::Empty.into()));
        let limits = Limits::default();
        assert_eq!(PlatePattern::tolerant("AB", &limits), Err(PatternError::Costly { found: 2, needed: 3 }));
    }

    #[test]
    fn a_tolerant_match_says_what_differs() {
        let asked = PlatePattern::tolerant("ABC1230", &Limits::default()).unwrap();
        let label = |text: &str| compare(&asked, &plate(text), standard());
        let difference = |position, asked, read| Difference { position, asked, read };
        assert_eq!(label("ABC1230"), Some((MatchLabel::Exact, vec![])));
        assert_eq!(
            label("A8C123O"),
            Some((
                MatchLabel::MisreadEquivalent,
                vec![difference(2, Some('B'), Some('8')), difference(7, Some('0'), Some('O'))]
            ))
        );
        assert_eq!(
            label("ABX1230"),
            Some((MatchLabel::Approximate, vec![difference(3, Some('C'), Some('X'))]))
        );
        assert_eq!(label("AB1230"), Some((MatchLabel::Approximate, vec![difference(3, Some('C'), None)])));
        assert_eq!(label("ABCX12E0"), None,);
        assert_eq!(
            label("ABCX123D"),
            Some((
                MatchLabel::Approximate,
                vec![difference(4, None, Some('X')), difference(7, Some('0'), Some('D'))]
            ))
        );
        assert_eq!(label("XBX1230"), None);
    }

    /// The textbook's edit distance over folded characters.
    fn distance(one: &[u8], other: &[u8]) -> usize {
        let mut row: Vec<usize> = (0..=other.len()).collect();
        for (i, a) in one.iter().enumerate() {
            let mut before = row[0];
            row[0] = i + 1;
            for (j, b) in other.iter().enumerate() {
                let swap = before + usize::from(!standard().same(*a, *b));
                before = row[j + 1];
                row[j + 1] = swap.min(before + 1).min(row[j] + 1);
            }
        }
        row[other.len()]
    }

    proptest! {
        #[test]
        fn tolerance_is_one_edit_of_folded_text(one in "[ABO0-2]{3,6}", other in "[ABO0-2]{1,7}") {
            let asked = PlatePattern::tolerant(&one, &Limits::default()).unwrap();
            let found = compare(&asked, &plate(&other), standard());
            prop_assert_eq!(found.is_some(), distance(one.as_bytes(), other.as_bytes()) <= 1);
            if let Some((label, differences)) = found {
                prop_assert_eq!(label == MatchLabel::Exact, one == other);
                prop_assert_eq!(differences.is_empty(), one == other);
            }
        }

        #[test]
        fn parsing_never_panics(text in "\\PC{0,70}") {
            let _ = PlatePattern::parse(&text, &Limits::default());
            let _ = PlatePattern::tolerant(&text, &Limits::default());
        }
    }
}

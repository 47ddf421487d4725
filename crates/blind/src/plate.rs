//! A plate's text, in the one form that searches and checks share.

use std::fmt;

use crate::BlindError;

/// Most characters of a plate.
const MOST: usize = 12;
/// Most bytes that are looked at.
const MOST_GIVEN: usize = 64;

/// A plate in capitals, without spaces, hyphens and dots. Its number alone: the state that issued it is no part of it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Plate(String);

impl Plate {
    /// Reads what somebody typed.
    ///
    /// # Errors
    /// [`BlindError::Lookalike`] for letters outside A-Z, [`BlindError::Plate`] for anything else that is no plate:
    /// empty, too long, or with the signs of a partial search.
    pub fn read(text: &str) -> Result<Self, BlindError> {
        if text.len() > MOST_GIVEN {
            return Err(BlindError::Plate);
        }
        let mut plate = String::new();
        for each in text.chars() {
            match each {
                'a'..='z' | 'A'..='Z' | '0'..='9' => plate.push(each.to_ascii_uppercase()),
                ' ' | '\t' | '\r' | '\n' | '-' | '.' => {}
                _ if each.is_ascii() => return Err(BlindError::Plate),
                _ => return Err(BlindError::Lookalike),
            }
        }
        if plate.is_empty() || plate.len() > MOST {
            return Err(BlindError::Plate);
        }
        Ok(Self(plate))
    }

    /// What the function is applied to.
    pub(crate) fn input(&self) -> Vec<u8> {
        [b"canvass/plate/v1/", self.0.as_bytes()].concat()
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Says nothing of the plate, so that no log does.
impl fmt::Debug for Plate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plate(…)")
    }
}

//! What a reader confuses, from `data/confusables.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::PlateText;

/// Classes of characters that are taken for each other.
#[derive(Debug, Clone)]
pub struct Confusables {
    folded: [u8; 256],
}

#[derive(Deserialize)]
struct File {
    class: Vec<Class>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Class {
    characters: String,
}

/// Why a file of classes can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfusablesError {
    /// Not the form.
    #[error("confusables: {0}")]
    Form(String),
    /// A character that is none of a plate, or in two classes.
    #[error("confusables: `{0}` is no A-Z or 0-9, or stands in two classes; take it out of one")]
    Character(char),
}

impl Confusables {
    /// Reads a file of classes.
    ///
    /// # Errors
    /// [`ConfusablesError`].
    pub fn parse(text: &str) -> Result<Self, ConfusablesError> {
        let file: File = toml::from_str(text).map_err(|error| ConfusablesError::Form(error.to_string()))?;
        let mut all = Self::none();
        let mut taken = Vec::new();
        for class in file.class {
            let first = class.characters.bytes().next().unwrap_or_default();
            for each in class.characters.chars() {
                let fine = (each.is_ascii_uppercase() || each.is_ascii_digit()) && !taken.contains(&each);
                let place = u8::try_from(each).ok().filter(|_| fine).map(usize::from);
                let Some(slot) = place.and_then(|place| all.folded.get_mut(place)) else {
                    return Err(ConfusablesError::Character(each));
                };
                *slot = first;
                taken.push(each);
            }
        }
        Ok(all)
    }

    /// No classes: every character stands for itself.
    #[must_use]
    pub fn none() -> Self {
        Self { folded: std::array::from_fn(|byte| u8::try_from(byte).unwrap_or_default()) }
    }

    /// The character that stands for the class of this one.
    #[must_use]
    #[inline]
    pub fn fold_byte(&self, byte: u8) -> u8 {
        self.folded.get(usize::from(byte)).copied().unwrap_or(byte)
    }

    /// The plate with each character replaced by the one that stands for its class.
    #[must_use]
    pub fn fold(&self, plate: &PlateText) -> PlateText {
        let mut bytes = [0; crate::MOST_CHARACTERS];
        bytes.iter_mut().zip(plate.as_bytes()).for_each(|(to, from)| *to = self.fold_byte(*from));
        bytes.get(..plate.characters()).and_then(PlateText::from_bytes).unwrap_or(*plate)
    }

    /// Whether two characters are the same to a reader.
    #[must_use]
    pub fn same(&self, one: u8, other: u8) -> bool {
        self.fold_byte(one) == self.fold_byte(other)
    }

    /// All characters of a plate that are in this one's class, itself among them.
    pub fn class(&self, byte: u8) -> impl Iterator<Item = u8> + '_ {
        (b'0'..=b'9').chain(b'A'..=b'Z').filter(move |each| self.same(*each, byte))
    }
}

/// The classes that Canvass comes with.
pub fn standard() -> &'static Confusables {
    static STANDARD: LazyLock<Confusables> = LazyLock::new(|| {
        // A test reads the file; no classes are what is left if it could be wrong all the same.
        Confusables::parse(include_str!("../data/confusables.toml")).unwrap_or_else(|_| Confusables::none())
    });
    &STANDARD
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_right_and_folds() {
        Confusables::parse(include_str!("../data/confusables.toml")).unwrap();
        let fold = |text: &str| standard().fold(&PlateText::normalise(text).unwrap());
        assert_eq!(fold("O0QD"), fold("0000"));
        assert_eq!(fold("B8I1LS5Z2G6"), fold("88111552266"));
        assert_ne!(fold("ABC"), fold("ABE"));
        assert_eq!(standard().class(b'O').collect::<Vec<_>>(), b"0DOQ");
        assert_eq!(standard().class(b'X').collect::<Vec<_>>(), b"X");
        for byte in 0..=255 {
            assert_eq!(standard().fold_byte(standard().fold_byte(byte)), standard().fold_byte(byte));
        }
    }

    #[test]
    fn a_wrong_file_is_refused() {
        assert!(matches!(Confusables::parse("x"), Err(ConfusablesError::Form(_))));
        let twice = "[[class]]\ncharacters = \"AB\"\n[[class]]\ncharacters = \"BC\"\n";
        assert_eq!(Confusables::parse(twice).unwrap_err(), ConfusablesError::Character('B'));
        let small = "[[class]]\ncharacters = \"ab\"\n";
        assert_eq!(Confusables::parse(small).unwrap_err(), ConfusablesError::Character('a'));
    }
}

//! A plate's text in the one form that reads, searches and hotlists share, and the region that issued it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

/// Most characters of a normalised plate.
pub const MOST_CHARACTERS: usize = 16;
/// Most characters of what a reader or a person gave.
pub const MOST_RAW: usize = 64;

/// Why a text is no plate. No message names what was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlateError {
    /// Nothing is left of it.
    #[error("plate: it has no letter and no digit; write what stands on the plate")]
    Empty,
    /// More than a plate can hold.
    #[error("plate: it has more than {MOST_CHARACTERS} letters and digits; write the plate's number alone")]
    Long,
    /// More than is looked at.
    #[error("plate: it has more than {MOST_RAW} characters; write the plate's number alone")]
    Raw,
    /// A sign that is no letter of a plate.
    #[error(
        "plate: character {0} is no letter or digit of a plate; write A-Z and 0-9, Latin in place of other letters"
    )]
    Character(usize),
    /// No region.
    #[error("region: it is no code; write ISO 3166, like `GB` for a country or `US-CA` for a state of one")]
    Region,
}

/// A plate: 1 to 16 of the letters A-Z and the digits 0-9.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^[A-Z0-9]{1,16}$")]
pub struct PlateText(Packed);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Packed {
    length: u8,
    bytes: [u8; MOST_CHARACTERS],
}

impl PlateText {
    /// Reads what a reader or a person gave: any width and case; accents, spaces and separators are dropped; Cyrillic
    /// and Greek letters that stand on plates become the Latin letters that they look like.
    ///
    /// # Errors
    /// [`PlateError`], with the first character that is in the way.
    pub fn normalise(raw: &str) -> Result<Self, PlateError> {
        // Four bytes are the most of one character: no need to count a megabyte.
        if raw.len() > MOST_RAW * 4 || raw.chars().count() > MOST_RAW {
            return Err(PlateError::Raw);
        }
        let mut plate = Self(Packed { length: 0, bytes: [0; MOST_CHARACTERS] });
        for (at, given) in raw.chars().enumerate() {
            for each in std::iter::once(given).nfkd().flat_map(char::to_uppercase) {
                match latin(each) {
                    Sign::Plate(byte) => plate.push(byte)?,
                    Sign::Nothing => {}
                    Sign::Other => return Err(PlateError::Character(at + 1)),
                }
            }
        }
        if plate.0.length == 0 { Err(PlateError::Empty) } else { Ok(plate) }
    }

    /// From bytes that are already normalised, as stores keep them.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let length = u8::try_from(bytes.len()).ok().filter(|length| (1..=16).contains(length))?;
        if !bytes.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()) {
            return None;
        }
        let mut all = [0; MOST_CHARACTERS];
        all.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(Self(Packed { length, bytes: all }))
    }

    fn push(&mut self, byte: u8) -> Result<(), PlateError> {
        *self.0.bytes.get_mut(usize::from(self.0.length)).ok_or(PlateError::Long)? = byte;
        self.0.length += 1;
        Ok(())
    }

    /// The characters, all of them ASCII.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.bytes.get(..usize::from(self.0.length)).unwrap_or_default()
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// How many characters it has.
    #[must_use]
    pub fn characters(&self) -> usize {
        usize::from(self.0.length)
    }
}

enum Sign {
    Plate(u8),
    Nothing,
    Other,
}

fn latin(each: char) -> Sign {
    let byte = match each {
        'A'..='Z' | '0'..='9' => each,
        ' ' | '-' | '.' | '_' | ',' | ':' | '/' | '|' | '\'' => {
            return Sign::Nothing;
        }
        // Dashes and spaces of all widths, dots in the middle, marks that nothing shows, accents taken off their letter.
        '\u{2010}'..='\u{2015}'
        | '\u{2212}'
        | '\u{00b7}'
        | '\u{2022}'
        | '\u{30fb}'
        | '\u{2219}'
        | '\u{200b}'..='\u{200f}'
        | '\u{feff}'
        | '\u{00ad}'
        | '\u{0300}'..='\u{036f}' => return Sign::Nothing,
        _ if each.is_whitespace() => return Sign::Nothing,
        'А' | 'Α' => 'A',
        'В' | 'Β' => 'B',
        'С' | 'Ϲ' => 'C',
        'Е' | 'Ε' => 'E',
        'Н' | 'Η' => 'H',
        'І' | 'Ι' => 'I',
        'Ј' => 'J',
        'К' | 'Κ' => 'K',
        'М' | 'Μ' => 'M',
        'Ν' => 'N',
        'О' | 'Ο' => 'O',
        'Р' | 'Ρ' => 'P',
        'Ѕ' => 'S',
        'Т' | 'Τ' => 'T',
        'У' | 'Υ' => 'Y',
        'Х' | 'Χ' => 'X',
        'Ζ' => 'Z',
        'Ł' => 'L',
        'Ø' => 'O',
        'Đ' => 'D',
        '\u{0660}'..='\u{0669}' => return digit(each, 0x0660),
        '\u{06f0}'..='\u{06f9}' => return digit(each, 0x06f0),
        _ => return Sign::Other,
    };
    Sign::Plate(u8::try_from(byte).unwrap_or(b'?'))
}

fn digit(each: char, zero: u32) -> Sign {
    Sign::Plate(b'0' + u8::try_from(u32::from(each) - zero).unwrap_or(0))
}

impl FromStr for PlateText {
    type Err = PlateError;
    fn from_str(text: &str) -> Result<Self, PlateError> {
        Self::normalise(text)
    }
}

impl TryFrom<String> for PlateText {
    type Error = PlateError;
    fn try_from(text: String) -> Result<Self, PlateError> {
        Self::normalise(&text)
    }
}

impl From<PlateText> for String {
    fn from(plate: PlateText) -> String {
        plate.as_str().to_owned()
    }
}

impl PartialOrd for PlateText {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PlateText {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl fmt::Debug for PlateText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlateText(…)")
    }
}

/// Who issued a plate: a country, `GB`, or a state of one, `US-CA` (ISO 3166-1 alpha-2 and 3166-2).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^[A-Z]{2}(-[A-Z0-9]{1,3})?$")]
pub struct Region([u8; 6]);

impl Region {
    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        self.0.get(..end).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }

    /// The country's code alone.
    #[must_use]
    pub fn country(&self) -> &str {
        self.as_str().get(..2).unwrap_or_default()
    }
}

impl FromStr for Region {
    type Err = PlateError;
    fn from_str(text: &str) -> Result<Self, PlateError> {
        let (country, state) =
            text.split_once('-').map_or((text, None), |(country, state)| (country, Some(state)));
        let fine = country.len() == 2
            && country.bytes().all(|byte| byte.is_ascii_uppercase())
            && state.is_none_or(|state| {
                (1..=3).contains(&state.len())
                    && state.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
            });
        let mut code = [0; 6];
        match code.get_mut(..text.len()) {
            Some(start) if fine => start.copy_from_slice(text.as_bytes()),
            _ => return Err(PlateError::Region),
        }
        Ok(Self(code))
    }
}

impl TryFrom<String> for Region {
    type Error = PlateError;
    fn try_from(text: String) -> Result<Self, PlateError> {
        text.parse()
    }
}

impl From<Region> for String {
    fn from(region: Region) -> String {
        region.as_str().to_owned()
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plate(raw: &str) -> Result<String, PlateError> {
        PlateText::normalise(raw).map(String::from)
    }

    #[test]
    fn what_stands_on_a_plate_has_one_form() {
        for (raw, normalised) in [
            ("7abc123", "7ABC123"),
            (" ab-12·cde ", "AB12CDE"),
            ("А123ВС 77", "A123BC77"),
            ("ΙΗΒ-1234", "IHB1234"),
            ("ＡＢ１２", "AB12"),
            ("TÜ AB 12", "TUAB12"),
            ("ß1", "SS1"),
            ("ł1ø", "L1O"),
            ("١٢٣", "123"),
        ] {
            assert_eq!(plate(raw).as_deref(), Ok(normalised), "{raw}");
        }
    }

    #[test]
    fn what_is_no_plate_is_refused_with_its_reason() {
        assert_eq!(plate(""), Err(PlateError::Empty));
        assert_eq!(plate(" - "), Err(PlateError::Empty));
        assert_eq!(plate("AB😀1"), Err(PlateError::Character(3)));
        assert_eq!(plate("A?C*"), Err(PlateError::Character(2)));
        assert_eq!(plate("京A12345"), Err(PlateError::Character(1)));
        assert_eq!(plate("ABCDEFGHIJKLMNOPQ"), Err(PlateError::Long));
        assert_eq!(plate(&"A".repeat(10_240)), Err(PlateError::Raw));
        assert_eq!(plate(&"😀".repeat(65)), Err(PlateError::Raw));
        assert!(!format!("{:?}", PlateText::normalise("ABC123")).contains("ABC"));
    }

    #[test]
    fn a_region_is_a_code() {
        for code in ["GB", "US-CA", "AU-NSW", "BR"] {
            assert_eq!(code.parse::<Region>().unwrap().as_str(), code);
        }
        assert_eq!("US-CA".parse::<Region>().unwrap().country(), "US");
        for wrong in ["", "gb", "GBR", "US-", "US-CALI", "U1", "US CA", "😀"] {
            assert_eq!(wrong.parse::<Region>(), Err(PlateError::Region), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn normalising_never_panics_and_is_stable(raw in "\\PC{0,80}") {
            if let Ok(once) = PlateText::normalise(&raw) {
                prop_assert_eq!(PlateText::normalise(once.as_str()), Ok(once));
                prop_assert_eq!(PlateText::from_bytes(once.as_bytes()), Some(once));
            }
        }
    }
}

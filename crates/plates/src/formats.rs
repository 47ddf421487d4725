//! What serials look like in the regions that issue them, from `data/formats.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::{MOST_CHARACTERS, PlateText, Region, confusables};

/// What may stand in one place of a serial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Letter,
    Digit,
    Either,
    Fixed(u8),
}

impl Place {
    fn holds(self, byte: u8) -> bool {
        match self {
            Self::Letter => byte.is_ascii_uppercase(),
            Self::Digit => byte.is_ascii_digit(),
            Self::Either => true,
            Self::Fixed(fixed) => fixed == byte,
        }
    }
}

/// A serial of one region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    /// Who issues it.
    pub region: Region,
    /// Its name within the region.
    pub name: String,
    places: Vec<Place>,
}

impl Format {
    /// Whether a plate has this form.
    #[must_use]
    pub fn fits(&self, plate: &PlateText) -> bool {
        self.places.len() == plate.characters()
            && self.places.iter().zip(plate.as_bytes()).all(|(place, byte)| place.holds(*byte))
    }

    /// The plate in this form, where only confusable characters stand in the way. The first character of a class that
    /// may stand in a place is taken.
    #[must_use]
    pub fn correct(&self, plate: &PlateText) -> Option<Corrected<'_>> {
        if self.places.len() != plate.characters() {
            return None;
        }
        let mut bytes = Vec::with_capacity(plate.characters());
        let (mut changed, mut ambiguous) = (0, false);
        for (place, byte) in self.places.iter().zip(plate.as_bytes()) {
            if place.holds(*byte) {
                bytes.push(*byte);
                continue;
            }
            let mut choices = confusables::standard().class(*byte).filter(|choice| place.holds(*choice));
            // Nearer in shape than what the alphabet has first: an O for a zero.
            let choice = choices.next()?;
            let more = choices.collect::<Vec<_>>();
            ambiguous |= !more.is_empty();
            bytes.push(if more.contains(&b'O') { b'O' } else { choice });
            changed += 1;
        }
        Some(Corrected { format: self, plate: PlateText::from_bytes(&bytes)?, changed, ambiguous })
    }
}

/// A plate brought into a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corrected<'a> {
    /// Which form.
    pub format: &'a Format,
    /// The plate in it.
    pub plate: PlateText,
    /// How many characters were changed.
    pub changed: usize,
    /// Whether another character of the same class could stand there as well.
    pub ambiguous: bool,
}

#[derive(Deserialize)]
struct File {
    format: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    region: Region,
    name: String,
    pattern: String,
}

/// Reads a file of formats.
///
/// # Errors
/// What is wrong with it, in words.
pub fn parse(text: &str) -> Result<Vec<Format>, String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    file.format
        .into_iter()
        .map(|row| {
            let places: Option<Vec<Place>> = row
                .pattern
                .bytes()
                .map(|byte| match byte {
                    b'L' => Some(Place::Letter),
                    b'D' => Some(Place::Digit),
                    b'X' => Some(Place::Either),
                    b'a'..=b'z' => Some(Place::Fixed(byte.to_ascii_uppercase())),
                    _ => None,
                })
                .collect();
            match places {
                Some(places) if (1..=MOST_CHARACTERS).contains(&places.len()) => {
                    Ok(Format { region: row.region, name: row.name, places })
                }
                _ => Err(format!(
                    "{} {}: a pattern has L, D, X and a-z, 1 to 16 of them",
                    row.region, row.name
                )),
            }
        })
        .collect()
}

/// The formats that Canvass comes with.
pub fn standard() -> &'static [Format] {
    static STANDARD: LazyLock<Vec<Format>> = LazyLock::new(|| {
        // A test reads the file; without formats nothing fits, which is no error anywhere.
        parse(include_str!("../data/formats.toml")).unwrap_or_default()
    });
    &STANDARD
}

fn of_region(region: Option<Region>) -> impl Iterator<Item = &'static Format> {
    standard().iter().filter(move |format| {
        region.is_none_or(|region| format.region == region || region.as_str() == format.region.country())
    })
}

/// The forms that a plate has, of one region (of a country, with all its states) or of all.
pub fn fits(plate: &PlateText, region: Option<Region>) -> impl Iterator<Item = &'static Format> + '_ {
    of_region(region).filter(|format| format.fits(plate))
}

/// The plate brought into forms that it almost has, fewest changes first.
#[must_use]
pub fn corrections(plate: &PlateText, region: Option<Region>) -> Vec<Corrected<'static>> {
    let mut all: Vec<_> = of_region(region).filter_map(|format| format.correct(plate)).collect();
    all.sort_by_key(|each| each.changed);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn plate(text: &str) -> PlateText {
        PlateText::normalise(text).unwrap()
    }

    #[test]
    fn the_file_is_right_and_has_the_regions() {
        let all = parse(include_str!("../data/formats.toml")).unwrap();
        assert_eq!(all, standard());
        let regions: BTreeSet<&str> = all.iter().map(|format| format.region.as_str()).collect();
        assert_eq!(regions.iter().filter(|region| region.starts_with("US-")).count(), 51);
        let union = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK";
        for region in union.split(' ').chain(["GB", "BR", "AR"]) {
            assert!(regions.contains(region), "{region}");
        }
        let rows: Vec<_> = all.iter().map(|format| (format.region, &format.places)).collect();
        for (at, row) in rows.iter().enumerate() {
            assert!(!rows[..at].contains(row), "twice: {}", row.0);
        }
    }

    #[test]
    fn a_plate_fits_its_region() {
        for (text, region) in [
            ("7ABC123", "US-CA"),
            ("ABC1D23", "BR"),
            ("ABC1234", "BR"),
            ("AB123CD", "AR"),
            ("AB12CDE", "GB"),
            ("B123XYZ", "RO"),
        ] {
            let region = region.parse().unwrap();
            assert!(fits(&plate(text), Some(region)).next().is_some(), "{text}");
        }
        assert_eq!(fits(&plate("A1B2C3D4E5"), None).count(), 0);
        assert!(fits(&plate("7ABC123"), "US".parse().ok()).any(|format| format.region.as_str() == "US-CA"));
    }

    #[test]
    fn confusable_characters_are_put_right_by_the_form() {
        let california = "US-CA".parse().ok();
        let found = corrections(&plate("7A8C12O"), california);
        assert_eq!((found[0].plate, found[0].changed, found[0].ambiguous), (plate("7ABC120"), 2, false));
        let found = corrections(&plate("7A0C123"), california);
        assert_eq!((found[0].plate, found[0].ambiguous), (plate("7AOC123"), true));
        assert_eq!(corrections(&plate("7AXCXX3"), california), []);
        for wrong in [
            "x",
            "[[format]]\nregion=\"BR\"\nname=\"\"\npattern=\"\"",
            "[[format]]\nregion=\"BR\"\nname=\"\"\npattern=\"9\"",
        ] {
            assert!(parse(wrong).is_err());
        }
    }
}

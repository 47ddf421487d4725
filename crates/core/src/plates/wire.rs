//! A read as a camera sends it: in plain words, or under the field names of ONVIF's metadata stream.

use canvass_plates::{Brand, Colour, Confidence, Direction, PlateError, PlateText, Region, VehicleType};
use canvass_types::Time;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::sources::{Fault, SourceId};

/// A word, or a word with how likely it is (ONVIF's `StringLikelihood`).
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Likely {
    /// The word alone.
    Plain(String),
    /// With its likelihood.
    Likelihood {
        /// The word.
        #[serde(alias = "$", alias = "_", alias = "#text", alias = "value")]
        #[serde(rename = "Value")]
        value: String,
        /// From 0 to 1.
        #[serde(rename = "Likelihood", alias = "@Likelihood")]
        likelihood: Option<f64>,
    },
}

impl Likely {
    fn parts(&self) -> (&str, Option<f64>) {
        match self {
            Self::Plain(word) => (word, None),
            Self::Likelihood { value, likelihood } => (value, *likelihood),
        }
    }
}

/// A plate, as ONVIF's metadata stream names it. Other members of it are left aside.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LicensePlateInfo {
    /// What stands on the plate.
    #[serde(rename = "PlateNumber")]
    pub plate_number: Likely,
    /// How likely that is, from 0 to 1.
    #[serde(rename = "Likelihood", default, skip_serializing_if = "Option::is_none")]
    pub likelihood: Option<f64>,
    /// The country (ISO 3166-1 alpha-2).
    #[serde(rename = "CountryCode", default, skip_serializing_if = "Option::is_none")]
    pub country_code: Option<Likely>,
    /// Who issued it: a state of the country, or a code of ISO 3166-2.
    #[serde(rename = "IssuingEntity", default, skip_serializing_if = "Option::is_none")]
    pub issuing_entity: Option<Likely>,
}

/// A vehicle, as ONVIF's metadata stream names it. Words that are not known here are left aside.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VehicleInfo {
    /// `Car`, `Truck`, `Bus`, `Motorcycle`, `Bicycle`, `Van`.
    #[serde(rename = "Type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Likely>,
    /// Make.
    #[serde(rename = "Brand", default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<Likely>,
    /// Colour of its body.
    #[serde(rename = "Color", alias = "Colour", default, skip_serializing_if = "Option::is_none")]
    pub colour: Option<Likely>,
}

/// One observation, as a camera sends it. Either `plate` and its neighbours, or `LicensePlateInfo` and `VehicleInfo`.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "id": "17-0042", "time": "2026-11-24T10:00:00Z", "plate": "ABC 1234", "confidence": 93, "region": "US-NH",
    "vehicle": "Car", "colour": "Blue", "direction": "N"
}))]
pub struct NewRead {
    /// The source's own id of this observation: sent again, it is stored once.
    #[serde(alias = "ObjectId", alias = "@ObjectId")]
    pub id: SourceId,
    /// When it was seen, by the camera's clock (RFC 3339).
    #[serde(alias = "UtcTime", alias = "@UtcTime")]
    pub time: String,
    /// What stands on the plate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plate: Option<String>,
    /// Who issued it (`US-NH`, `GB`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// How sure the reader is, in percent; 100 when it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// How sure of each character, in percent: as many as the plate has letters and digits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub characters: Vec<f64>,
    /// Kind of vehicle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vehicle: Option<String>,
    /// Colour of its body.
    #[serde(alias = "color", default, skip_serializing_if = "Option::is_none")]
    pub colour: Option<String>,
    /// Make.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// Which way it went.
    #[serde(alias = "Direction", default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<String>,
    /// A picture of the vehicle: Base64 of a JPEG, PNG or WebP of at most 256 KiB. It is kept as long as the read.
    #[serde(alias = "Image", default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    /// The plate, under ONVIF's names.
    #[serde(rename = "LicensePlateInfo", default, skip_serializing_if = "Option::is_none")]
    pub onvif_plate: Option<LicensePlateInfo>,
    /// The vehicle, under ONVIF's names.
    #[serde(rename = "VehicleInfo", default, skip_serializing_if = "Option::is_none")]
    pub onvif_vehicle: Option<VehicleInfo>,
}

/// The parts of a row that stand for themselves, checked.
pub(super) struct Parts {
    pub source: String,
    pub time: Time,
    pub plate: PlateText,
    pub raw: Option<String>,
    pub region: Option<Region>,
    pub confidence: Confidence,
    pub characters: Vec<Confidence>,
    pub vehicle: Option<VehicleType>,
    pub colour: Option<Colour>,
    pub brand: Option<Brand>,
    pub direction: Option<Direction>,
    pub picture: Option<Vec<u8>>,
}

fn fault(field: &'static str, rule: &'static str, what: &str, remedy: &'static str) -> Fault {
    (field, rule, what.to_owned(), remedy)
}

fn percent(field: &'static str, of: f64) -> Result<Confidence, Fault> {
    let rounded = of.round();
    // NaN and infinities are outside, too.
    if !(0.0..=100.0).contains(&rounded) {
        return Err(fault(field, "range", "a confidence is outside 0 to 100", "give percents, 0 to 100"));
    }
    Confidence::try_from(rounded as u8)
        .map_err(|_| fault(field, "range", "a confidence is outside 0 to 100", "give percents, 0 to 100"))
}

fn word<T: std::str::FromStr>(field: &'static str, given: Option<&String>) -> Result<Option<T>, Fault> {
    given
        .map(|text| text.parse().map_err(|_| fault(field, "word", "this word is not known here", WORDS)))
        .transpose()
}

const WORDS: &str = "take a word of /api/v1/openapi.json, or leave it out";

fn likely<T: std::str::FromStr>(given: Option<&Likely>) -> Option<T> {
    given.and_then(|likely| likely.parts().0.parse().ok())
}

impl NewRead {
    /// Checks the row's own words.
    pub(super) fn parts(&self) -> Result<Parts, Fault> {
        let source = self.id.checked("send the id that the camera counts its reads by")?;
        let time = self.time.parse().map_err(|_| {
            fault("time", "form", "this is no moment of RFC 3339", "write it like 2026-11-24T10:00:00Z")
        })?;
        let (text, region, confidence) = self.plate_words()?;
        let plate = PlateText::normalise(text).map_err(|error| plate_fault(&error))?;
        if plate.characters() > super::MOST_CHARACTERS {
            return Err(plate_fault(&PlateError::Long));
        }
        let characters: Vec<Confidence> = self
            .characters
            .iter()
            .take(canvass_plates::MOST_CHARACTERS + 1)
            .map(|of| percent("characters", *of))
            .collect::<Result<_, _>>()?;
        if !characters.is_empty() && characters.len() != plate.characters() {
            let what = "there are not as many confidences as the plate has letters and digits";
            return Err(fault("characters", "count", what, "give one for each, or none at all"));
        }
        let onvif = self.onvif_vehicle.as_ref();
        Ok(Parts {
            source,
            time,
            plate,
            raw: (text != plate.as_str())
                .then(|| text.to_owned())
                .filter(|raw| !raw.chars().any(char::is_control)),
            region,
            confidence,
            characters,
            vehicle: word("vehicle", self.vehicle.as_ref())?
                .or(onvif.and_then(|it| likely(it.kind.as_ref()))),
            colour: word("colour", self.colour.as_ref())?.or(onvif.and_then(|it| likely(it.colour.as_ref()))),
            brand: word("brand", self.brand.as_ref())?.or(onvif.and_then(|it| likely(it.brand.as_ref()))),
            direction: word("direction", self.direction.as_ref())?,
            picture: self.picture.as_deref().map(super::pictures::read).transpose()?,
        })
    }

    /// The plate's text, who issued it and how sure that is, from whichever form the row has.
    fn plate_words(&self) -> Result<(&str, Option<Region>, Confidence), Fault> {
        match (&self.plate, &self.onvif_plate) {
            (Some(text), None) => {
                let region = self.region.as_deref().map(str::parse).transpose().map_err(|_| {
                    fault(
                        "region",
                        "form",
                        "this is no code of ISO 3166",
                        "write it like US-NH or GB, or leave it out",
                    )
                })?;
                Ok((
                    text,
                    region,
                    self.confidence.map_or(Ok(Confidence::FULL), |of| percent("confidence", of))?,
                ))
            }
            (None, Some(info)) => {
                let (text, inner) = info.plate_number.parts();
                let likelihood = inner.or(info.likelihood).map_or(100.0, |of| of * 100.0);
                Ok((text, region_of(info), percent("LicensePlateInfo", likelihood)?))
            }
            (None, None) => {
                Err(fault("plate", "missing", "there is no plate", "send plate or LicensePlateInfo"))
            }
            (Some(_), Some(_)) => Err(fault(
                "plate",
                "twice",
                "the plate is there twice",
                "send plate or LicensePlateInfo, not both",
            )),
        }
    }
}

/// Who issued a plate, where ONVIF's fields say so in codes.
fn region_of(info: &LicensePlateInfo) -> Option<Region> {
    let text = |likely: &Option<Likely>| likely.as_ref().map(|likely| likely.parts().0.trim().to_uppercase());
    let (country, entity) = (text(&info.country_code), text(&info.issuing_entity));
    let joined = country.as_ref().zip(entity.as_ref()).map(|(country, entity)| format!("{country}-{entity}"));
    [entity.filter(|entity| entity.contains('-')), joined, country]
        .into_iter()
        .flatten()
        .find_map(|code| code.parse().ok())
}

pub(crate) fn plate_fault(error: &PlateError) -> Fault {
    let remedy = "send what stands on the plate, letters and digits";
    match error {
        PlateError::Empty => fault("plate", "empty", "it has no letter and no digit", remedy),
        PlateError::Long | PlateError::Raw => {
            fault("plate", "length", "it has more characters than any plate", remedy)
        }
        PlateError::Character(at) => {
            ("plate", "character", format!("character {at} stands on no plate"), remedy)
        }
        PlateError::Region => fault("region", "form", "this is no code of ISO 3166", remedy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parts(value: serde_json::Value) -> Result<Parts, Fault> {
        serde_json::from_value::<NewRead>(value).unwrap().parts()
    }

    #[test]
    fn plain_words_and_those_of_onvif_say_the_same() {
        let plain = parts(json!({
            "id": "7", "time": "2026-11-24T10:00:00Z", "plate": "abc 123", "confidence": 93, "region": "US-NH",
            "vehicle": "car", "color": "Blue", "brand": "Ford", "direction": "N",
        }))
        .unwrap();
        let onvif = parts(json!({
            "ObjectId": 7, "UtcTime": "2026-11-24T05:00:00.4-05:00", "Direction": "N",
            "LicensePlateInfo": {
                "PlateNumber": { "$": "abc 123", "Likelihood": 0.93 }, "PlateType": "Normal", "CountryCode": "us",
                "IssuingEntity": { "Value": "NH" },
            },
            "VehicleInfo": { "Type": "Car", "Color": "Blue", "Brand": "Ford", "Model": "Focus" },
        }))
        .unwrap();
        for each in [&plain, &onvif] {
            assert_eq!((each.source.as_str(), each.plate.as_str()), ("7", "ABC123"));
            assert_eq!(each.raw.as_deref(), Some("abc 123"));
            assert_eq!(each.region.unwrap().as_str(), "US-NH");
            assert_eq!(each.confidence.percent(), 93);
            assert_eq!((each.vehicle, each.colour), (Some(VehicleType::Car), Some(Colour::Blue)));
            assert_eq!((each.brand, each.direction), (Some(Brand::Ford), Some(Direction::North)));
            assert_eq!(each.time.to_string(), "2026-11-24T10:00:00Z");
        }
    }

    #[test]
    fn what_is_no_read_is_refused_by_field_and_never_repeated() {
        let base = json!({ "id": "1", "time": "2026-11-24T10:00:00Z", "plate": "SECRET1" });
        let with = |field: &str, value: serde_json::Value| {
            let mut row = base.clone();
            row[field] = value;
            parts(row).map(|_| ()).unwrap_err()
        };
        for (field, value, at, rule) in [
            ("id", json!(""), "id", "length"),
            ("id", json!("a\u{0}b"), "id", "length"),
            ("id", json!("x".repeat(65)), "id", "length"),
            ("time", json!("yesterday"), "time", "form"),
            ("plate", json!("\u{1f697}\u{1f697}"), "plate", "character"),
            ("plate", json!("A".repeat(10_240)), "plate", "length"),
            ("plate", json!("ABCDEFGHIJKLM"), "plate", "length"),
            ("plate", json!("--"), "plate", "empty"),
            ("region", json!("Atlantis"), "region", "form"),
            ("confidence", json!(140), "confidence", "range"),
            ("confidence", json!(-1), "confidence", "range"),
            ("characters", json!([90, 90]), "characters", "count"),
            ("vehicle", json!("Spaceship"), "vehicle", "word"),
            ("LicensePlateInfo", json!({ "PlateNumber": "ABC1" }), "plate", "twice"),
            ("picture", json!("SECRET1"), "picture", "form"),
            ("picture", json!("R0lGODlh"), "picture", "kind"),
        ] {
            let fault = with(field, value);
            assert_eq!((fault.0, fault.1), (at, rule));
            assert!(!fault.2.contains("SECRET1") && !fault.3.is_empty());
        }
        assert!(serde_json::from_value::<NewRead>(json!({ "id": 1, "time": "x", "plat": "A" })).is_err());
        let none = parts(json!({ "id": 1, "time": "2026-11-24T10:00:00Z" })).map(|_| ()).unwrap_err();
        assert_eq!(none.1, "missing");
    }
}

//! One observation of a plate.

use std::{fmt, str::FromStr};

use canvass_types::{CameraId, Time};
use data_encoding::{BASE32_NOPAD, Encoding};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{Brand, Colour, Direction, PlateText, Region, VehicleType};

/// Why something is no read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The id.
    #[error("read id: it must be `rea_` and 20 characters of a-z, 2-7; copy it again whole")]
    Id,
    /// A text that comes along.
    #[error(
        "text: a source's id, a raw read or a picture's name has 1 to 64 characters and no control character"
    )]
    Short,
    /// A confidence.
    #[error("confidence: it must be 0 to 100 (percent)")]
    Confidence,
    /// Confidences of single characters.
    #[error("characters: give one confidence, 0 to 100, for each character of the plate, or none at all")]
    Characters,
}

/// Id of a read: `rea_` and 96 bits in base32, the same whenever a source sends the same observation again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^rea_[a-z2-7]{20}$")]
pub struct ReadId([u8; 12]);

const BASE32: Encoding = BASE32_NOPAD;

impl ReadId {
    /// The three letters that begin such an id.
    pub const PREFIX: &'static str = "rea";

    /// Derived from the camera and the id that the source itself gave the observation.
    #[must_use]
    pub fn derive(camera: &CameraId, source: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"canvass/read/v1/");
        hash.update(camera.as_str().as_bytes());
        hash.update(b"/");
        hash.update(source.as_bytes());
        let mut id = [0; 12];
        id.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
        Self(id)
    }

    /// The bits.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 12] {
        &self.0
    }

    /// From the bits, as stores keep them.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 12]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for ReadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = BASE32.encode(&self.0);
        text.make_ascii_lowercase();
        write!(f, "rea_{text}")
    }
}

impl fmt::Debug for ReadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ReadId {
    type Err = ReadError;
    fn from_str(text: &str) -> Result<Self, ReadError> {
        let rest = text.strip_prefix("rea_").filter(|rest| rest.len() == 20).ok_or(ReadError::Id)?;
        if rest.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(ReadError::Id);
        }
        let bytes = BASE32.decode(rest.to_ascii_uppercase().as_bytes()).map_err(|_| ReadError::Id)?;
        bytes.try_into().map(Self).map_err(|_| ReadError::Id)
    }
}

impl TryFrom<String> for ReadId {
    type Error = ReadError;
    fn try_from(text: String) -> Result<Self, ReadError> {
        text.parse()
    }
}

impl From<ReadId> for String {
    fn from(id: ReadId) -> String {
        id.to_string()
    }
}

/// A short text that comes along with a read: 1 to 64 characters, none of them a control character.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 1, max_length = 64)]
pub struct Short(Box<str>);

impl Short {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Short {
    type Err = ReadError;
    fn from_str(text: &str) -> Result<Self, ReadError> {
        let fine = !text.is_empty()
            && text.len() <= crate::MOST_RAW * 4
            && text.chars().count() <= crate::MOST_RAW
            && !text.chars().any(char::is_control);
        if fine { Ok(Self(text.into())) } else { Err(ReadError::Short) }
    }
}

impl TryFrom<String> for Short {
    type Error = ReadError;
    fn try_from(text: String) -> Result<Self, ReadError> {
        text.parse()
    }
}

impl From<Short> for String {
    fn from(text: Short) -> String {
        text.0.into()
    }
}

/// It may be a raw read.
impl fmt::Debug for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Short(…)")
    }
}

/// How sure the reader was, in percent.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(try_from = "u8", into = "u8")]
#[schema(value_type = u8, maximum = 100)]
pub struct Confidence(u8);

impl Confidence {
    /// Entirely sure.
    pub const FULL: Self = Self(100);

    /// The percents.
    #[must_use]
    pub fn percent(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Confidence {
    type Error = ReadError;
    fn try_from(percent: u8) -> Result<Self, ReadError> {
        if percent <= 100 { Ok(Self(percent)) } else { Err(ReadError::Confidence) }
    }
}

impl From<Confidence> for u8 {
    fn from(confidence: Confidence) -> u8 {
        confidence.0
    }
}

/// One observation of a plate by a camera.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Read {
    /// Its id, [`ReadId::derive`]d from camera and source.
    pub id: ReadId,
    /// Where it was seen.
    pub camera: CameraId,
    /// The id that the source gave it, where that is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Short>,
    /// What the reader wrote, where that is not the normalised text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw: Option<Short>,
    /// The normalised plate.
    pub plate: PlateText,
    /// Who issued the plate, where the reader says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// How sure the reader was of the whole plate.
    pub confidence: Confidence,
    /// How sure of each character: none, or as many as the plate has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub characters: Vec<Confidence>,
    /// Kind of vehicle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vehicle: Option<VehicleType>,
    /// Its colour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub colour: Option<Colour>,
    /// Its make.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand: Option<Brand>,
    /// Which way it went.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// When, by the camera's clock.
    pub seen: Time,
    /// When it came, by ours.
    pub received: Time,
    /// Name of its picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<Short>,
    /// Whether a hotlist knew it when it came.
    pub hit: bool,
    /// Whether the plate was on the agency's safelist when it came, and on no hotlist.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub safelisted: bool,
}

/// A clock that is further behind ours than this is no clock: such a read is kept from when it came.
const BEHIND_AT_MOST: i64 = 400 * 86_400;

impl Read {
    /// A read with nothing but what each must have.
    #[must_use]
    pub fn new(camera: CameraId, source: &str, plate: PlateText, seen: Time, received: Time) -> Self {
        Self {
            id: ReadId::derive(&camera, source),
            camera,
            source: None,
            raw: None,
            plate,
            region: None,
            confidence: Confidence::FULL,
            characters: Vec::new(),
            vehicle: None,
            colour: None,
            brand: None,
            direction: None,
            seen,
            received,
            picture: None,
            hit: false,
            safelisted: false,
        }
    }

    /// From when its retention counts: when it was seen, but never later than it came (a camera in 2099), and when it
    /// came if the camera's clock is over 400 days behind (a camera in 1970).
    #[must_use]
    pub fn kept_from(&self) -> Time {
        let behind = self.received.as_second().saturating_sub(self.seen.as_second());
        if (0..=BEHIND_AT_MOST).contains(&behind) { self.seen } else { self.received }
    }

    /// Whether its parts fit each other.
    ///
    /// # Errors
    /// [`ReadError::Characters`].
    pub fn check(&self) -> Result<(), ReadError> {
        let fits = self.characters.is_empty() || self.characters.len() == self.plate.characters();
        if fits { Ok(()) } else { Err(ReadError::Characters) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(letter: char) -> CameraId {
        format!("cam_{}a", String::from(letter).repeat(25)).parse().unwrap()
    }

    #[test]
    fn an_id_is_the_same_for_the_same_observation() {
        let id = ReadId::derive(&camera('a'), "17");
        assert_eq!(id, ReadId::derive(&camera('a'), "17"));
        assert_ne!(id, ReadId::derive(&camera('a'), "18"));
        assert_eq!(id.to_string().parse(), Ok(id));
        for wrong in ["", "rea_", "rea_a", "REA_aaaaaaaaaaaaaaaaaaaa", "rea_AAAAAAAAAAAAAAAAAAAA"] {
            assert_eq!(wrong.parse::<ReadId>(), Err(ReadError::Id));
        }
    }

    #[test]
    fn retention_counts_from_a_clock_that_can_be_right() {
        let plate = PlateText::normalise("ABC123").unwrap();
        let came: Time = "2026-11-24T10:00:00Z".parse().unwrap();
        for (seen, from) in [
            ("2026-11-24T09:59:58Z", "2026-11-24T09:59:58Z"),
            ("2026-10-24T09:59:58Z", "2026-10-24T09:59:58Z"),
            ("2099-01-01T00:00:00Z", "2026-11-24T10:00:00Z"),
            ("1970-01-01T00:00:00Z", "2026-11-24T10:00:00Z"),
        ] {
            let read = Read::new(camera('a'), "1", plate, seen.parse().unwrap(), came);
            assert_eq!(read.kept_from().to_string(), from);
        }
    }

    #[test]
    fn what_comes_along_is_bounded() {
        assert!("a".repeat(64).parse::<Short>().is_ok());
        for wrong in [String::new(), "a".repeat(65), "a\u{0}".to_owned(), "\u{1f600}".repeat(100)] {
            assert_eq!(wrong.parse::<Short>(), Err(ReadError::Short));
        }
        assert_eq!(Confidence::try_from(101), Err(ReadError::Confidence));
        let plate = PlateText::normalise("ABC123").unwrap();
        let mut read = Read::new(camera('a'), "1", plate, Time::from_second(0), Time::from_second(0));
        read.characters = vec![Confidence::FULL];
        assert_eq!(read.check(), Err(ReadError::Characters));
    }

    #[test]
    fn a_read_is_the_same_after_json() {
        let plate = PlateText::normalise("ABC123").unwrap();
        let read = Read::new(camera('b'), "1", plate, Time::from_second(5), Time::from_second(9));
        let text = serde_json::to_string(&read).unwrap();
        assert_eq!(serde_json::from_str::<Read>(&text).unwrap(), read);
    }
}

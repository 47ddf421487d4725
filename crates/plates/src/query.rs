//! What is asked of a store of reads, and what it answers.

use std::{collections::BTreeSet, fmt, str::FromStr};

use canvass_types::{CameraId, Time};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

use crate::{
    Colour, Confidence, Difference, MatchLabel, PlatePattern, Read, ReadId, VehicleType, compare, confusables,
};

/// The confidence below which reads are left out, unless somebody asks for less.
pub const DEFAULT_CONFIDENCE: u8 = 75;
/// Most reads of one page.
const MOST_LIMIT: usize = 1_000;
/// Most cameras that can be named.
const MOST_CAMERAS: usize = 10_000;
/// The longest window, in seconds, that can be asked for without a pattern.
const LONGEST_WITHOUT_PATTERN: i64 = 48 * 3_600;

/// Why a query is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The window.
    #[error("window: it ends before it begins; swap its ends")]
    Window,
    /// Neither plate nor camera.
    #[error(
        "query: it names no plate, so it must name cameras and at most 48 hours; add a pattern, or narrow it"
    )]
    Wide,
    /// The limit.
    #[error("limit: a page has 1 to {MOST_LIMIT} reads; ask for the next page with the cursor")]
    Limit,
    /// The cameras.
    #[error("cameras: at most {MOST_CAMERAS} may be named; leave them out to search all, or narrow the area")]
    Cameras,
    /// The cursor.
    #[error("cursor: it is none that a page gave; begin again without it")]
    Cursor,
}

/// Where the next page begins: behind this read, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cursor {
    /// When the last read of the page was seen.
    pub seen: Time,
    /// Its id.
    pub id: ReadId,
}

impl Cursor {
    /// Where a read stands in the order of pages.
    #[must_use]
    pub fn of(read: &Read) -> Self {
        Self { seen: read.seen, id: read.id }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.seen.as_second().to_be_bytes()[..], self.id.as_bytes()].concat();
        f.write_str(&BASE64URL_NOPAD.encode(&bytes))
    }
}

impl FromStr for Cursor {
    type Err = QueryError;
    fn from_str(text: &str) -> Result<Self, QueryError> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| QueryError::Cursor)?;
        let (seen, id) = bytes.split_first_chunk::<8>().ok_or(QueryError::Cursor)?;
        let id = id.try_into().map_err(|_| QueryError::Cursor)?;
        Ok(Self { seen: Time::from_second(i64::from_be_bytes(*seen)), id: ReadId::from_bytes(id) })
    }
}

impl TryFrom<String> for Cursor {
    type Error = QueryError;
    fn try_from(text: String) -> Result<Self, QueryError> {
        text.parse()
    }
}

impl From<Cursor> for String {
    fn from(cursor: Cursor) -> String {
        cursor.to_string()
    }
}

/// A search. An area is turned into cameras by whoever asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadQuery {
    /// The plate; may be left out when cameras are named and the window is short.
    pub pattern: Option<PlatePattern>,
    /// Cameras; `None` is all of them, an empty set none.
    pub cameras: Option<BTreeSet<CameraId>>,
    /// First moment, by the cameras' clocks.
    pub from: Time,
    /// The moment after the last.
    pub until: Time,
    /// Least confidence.
    pub confidence: Confidence,
    /// Kind of vehicle.
    pub vehicle: Option<VehicleType>,
    /// Colour of vehicle.
    pub colour: Option<Colour>,
    /// Whether only reads are asked for that a hotlist knew when they came.
    pub hits_only: bool,
    /// Most reads of the page.
    pub limit: usize,
    /// Behind which read it begins.
    pub cursor: Option<Cursor>,
}

impl ReadQuery {
    /// For a plate, in all cameras, with the default confidence and a page of 100.
    #[must_use]
    pub fn plate(pattern: PlatePattern, from: Time, until: Time) -> Self {
        Self {
            pattern: Some(pattern),
            cameras: None,
            from,
            until,
            confidence: Confidence::try_from(DEFAULT_CONFIDENCE).unwrap_or(Confidence::FULL),
            vehicle: None,
            colour: None,
            hits_only: false,
            limit: 100,
            cursor: None,
        }
    }

    /// For all that some cameras saw.
    #[must_use]
    pub fn cameras(cameras: BTreeSet<CameraId>, from: Time, until: Time) -> Self {
        let confidence = Confidence::try_from(DEFAULT_CONFIDENCE).unwrap_or(Confidence::FULL);
        Self {
            pattern: None,
            cameras: Some(cameras),
            from,
            until,
            confidence,
            vehicle: None,
            colour: None,
            hits_only: false,
            limit: 100,
            cursor: None,
        }
    }

    /// Whether it can be answered at a bounded cost. Every store asks this first.
    ///
    /// # Errors
    /// [`QueryError`].
    pub fn check(&self) -> Result<(), QueryError> {
        if self.from > self.until {
            return Err(QueryError::Window);
        }
        if !(1..=MOST_LIMIT).contains(&self.limit) {
            return Err(QueryError::Limit);
        }
        if self.cameras.as_ref().is_some_and(|cameras| cameras.len() > MOST_CAMERAS) {
            return Err(QueryError::Cameras);
        }
        let length = self.until.as_second().saturating_sub(self.from.as_second());
        if self.pattern.is_none() && (self.cameras.is_none() || length > LONGEST_WITHOUT_PATTERN) {
            return Err(QueryError::Wide);
        }
        Ok(())
    }

    /// Whether a read is asked for, its plate and its place behind the cursor included, and how it fits.
    #[must_use]
    pub fn fits(&self, read: &Read) -> Option<(MatchLabel, Vec<Difference>)> {
        let test = ReadTest {
            seen: read.seen,
            confidence: read.confidence,
            vehicle: read.vehicle,
            colour: read.colour,
            hit: read.hit,
        };
        if !self.passes(&test)
            || self.cursor.is_some_and(|cursor| Cursor::of(read) >= cursor)
            || self.cameras.as_ref().is_some_and(|cameras| !cameras.contains(&read.camera))
        {
            return None;
        }
        match &self.pattern {
            Some(pattern) => compare(pattern, &read.plate, confusables::standard()),
            None => Some((MatchLabel::Exact, Vec::new())),
        }
    }

    /// The part of [`Self::fits`] that needs neither plate nor camera nor id.
    #[must_use]
    pub fn passes(&self, test: &ReadTest) -> bool {
        (self.from..self.until).contains(&test.seen)
            && test.confidence >= self.confidence
            && self.vehicle.is_none_or(|asked| test.vehicle == Some(asked))
            && self.colour.is_none_or(|asked| test.colour == Some(asked))
            && (test.hit || !self.hits_only)
    }
}

/// What [`ReadQuery::passes`] looks at.
#[derive(Debug, Clone, Copy)]
pub struct ReadTest {
    /// When it was seen.
    pub seen: Time,
    /// How sure the reader was.
    pub confidence: Confidence,
    /// Kind of vehicle.
    pub vehicle: Option<VehicleType>,
    /// Its colour.
    pub colour: Option<Colour>,
    /// Whether a hotlist knew it when it came.
    pub hit: bool,
}

/// A read that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Match {
    /// The read.
    pub read: Read,
    /// How near it is.
    pub label: MatchLabel,
    /// Where it differs from what was asked.
    pub differences: Vec<Difference>,
}

/// A page of matches, newest first; reads of one second are in the order of their ids, the greatest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Page {
    /// What was found.
    pub matches: Vec<Match>,
    /// Where the next page begins; nothing when this is the last.
    #[schema(value_type = Option<String>)]
    pub next: Option<Cursor>,
}

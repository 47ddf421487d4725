//! What has to be covered before a recording is shown to others: faces, the heads of people whose faces are too far away to be
//! found, and plates, each as a box through time in the form of the pages' box editor. A person looks through them: they are
//! suggestions. Nothing is kept of a face but the box.

mod copy;
mod follow;
mod look;
mod paint;

pub use copy::{CopyFacts, CopyOptions, cover_copy};
pub use look::{CoverOptions, Coverer, suggest_file};

use crate::VisionError;
use serde::{Deserialize, Serialize};

/// The longest file of suggestions, in bytes.
pub const MOST_SUGGESTIONS_BYTES: u64 = 64 << 20;
/// The most boxes of one recording.
pub const MOST_BOXES: usize = 10_000;

/// Why something should be covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// A face was found.
    Face,
    /// Where the head of a person is, by their box.
    Head,
    /// A number plate.
    Plate,
}

impl Reason {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Face => "face",
            Self::Head => "head",
            Self::Plate => "plate",
        }
    }
}

/// How a box hides what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Style {
    /// A few blocks of colour.
    Blur,
    /// Black: nothing is left.
    #[default]
    Cover,
}

/// Where a box is at a moment, in shares of the shown picture; between two of them it moves in a straight line.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CoverKey {
    /// Seconds of the recording.
    pub at: f64,
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

/// A box that hides part of the picture, from a moment until another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CoverBox {
    /// Its name within the recording.
    pub id: String,
    /// Why; none for a box that a person drew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// How it hides.
    #[serde(default)]
    pub style: Style,
    /// Seconds of the recording.
    pub from: f64,
    /// Seconds of the recording.
    pub until: f64,
    /// At least one, in the order of time.
    pub keys: Vec<CoverKey>,
}

/// What is suggested for one recording.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Suggestions {
    /// The file's name.
    pub file: String,
    /// Size of the shown picture in pixels.
    pub width: u32,
    /// Size of the shown picture in pixels.
    pub height: u32,
    /// Seconds; 0 for a picture.
    pub duration: f64,
    /// The boxes, by when they begin.
    pub boxes: Vec<CoverBox>,
}

impl Suggestions {
    /// Reads what `canvass footage blur --json` wrote, perhaps changed by a person.
    pub fn parse(text: &str) -> Result<Self, VisionError> {
        let bad = |reason: String| {
            VisionError::frames(
                "boxes",
                format!("{reason}; make them with `canvass footage blur FILE --json`"),
            )
        };
        let all: Self = serde_json::from_str(text).map_err(|error| bad(error.to_string()))?;
        if all.boxes.len() > MOST_BOXES {
            return Err(bad(format!("{} boxes are more than {MOST_BOXES}", all.boxes.len())));
        }
        for one in &all.boxes {
            let numbers = one.keys.iter().flat_map(|key| [key.at, key.x, key.y, key.width, key.height]);
            if !numbers.chain([one.from, one.until]).all(f64::is_finite) {
                return Err(bad(format!("box {:?} has a number that is none", one.id)));
            }
            if one.keys.is_empty() || !one.keys.is_sorted_by(|a, b| a.at <= b.at) {
                return Err(bad(format!("box {:?} has no keys, or not in the order of time", one.id)));
            }
        }
        Ok(all)
    }

    /// How many boxes have a reason.
    pub fn count(&self, reason: Reason) -> usize {
        self.boxes.iter().filter(|one| one.reason == Some(reason)).count()
    }
}

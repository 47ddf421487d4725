//! Frames to plates: pictures, videos and cameras in, readings of number plates out.
//!
//! Finds plates ([`Detector`]), straightens and reads them ([`Reader`]), weighs what was read against the formats that
//! places issue ([`Formats`]), follows plates through the frames of a video and lets the frames vote ([`Tracker`]). Models
//! run behind one seam ([`Inference`]) with two drivers. Foreign containers and cameras are decoded by a confined process
//! ([`frames`]). No database, no network but the camera's, no clock: time is what the pictures say.
//!
//! Nothing here looks at people. `docs/ref/vision.md` has the measured accuracy and costs.

mod bench;
mod colour;
mod detect;
mod error;
mod finder;
mod formats;
pub mod frames;
mod geometry;
mod infer;
mod models;
mod picture;
mod read;
mod reader;
mod track;

#[cfg(test)]
mod tests;

pub use bench::{Bench, Label, Score, Stage, labels, run as run_bench, speed as run_speed};
pub use colour::Colour;
pub use detect::{Detector, Found};
pub use error::VisionError;
pub use finder::{Finder, Plate, Settings};
pub use formats::{Format, Formats, fold};
pub use geometry::{Homography, Point, Quad, Rect};
pub use infer::{Contract, Driver, Inference, Tensor, open};
pub use models::{Model, Models, default_folder};
pub use picture::{MOST_PIXELS, Picture};
pub use read::{ReadOptions, Reading, read_file};
pub use reader::{Guess, Reader, Style};
pub use track::{Track, Tracker};

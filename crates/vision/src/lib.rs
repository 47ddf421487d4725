//! Frames to plates and vehicles: pictures, videos and cameras in, readings of number plates out.
//!
//! Finds plates ([`Detector`]), straightens and reads them ([`Reader`]), weighs what was read against the formats that
//! places issue (`canvass-plates`), follows plates through the frames of a video and lets the frames vote ([`Tracker`]), and tells what kind of vehicle
//! they are on and its colour ([`Objects`], [`Colour`]). Models
//! run behind one seam ([`Inference`]) with two drivers. Foreign containers and cameras are decoded by a confined process
//! ([`frames`]). No database, no network but the camera's, no clock: time is what the pictures say.
//!
//! What should be covered before others see a recording is suggested ([`Coverer`]): faces, heads, plates, as boxes through time.
//!
//! Nothing here tells who somebody is: of a face there is a box and no more. `docs/ref/vision.md` has the measured accuracy and costs.

mod ahead;
mod bench;
mod change;
mod colour;
mod cover;
mod detect;
mod error;
mod faces;
mod finder;
mod formats;
pub mod frames;
mod geometry;
mod index;
mod infer;
mod letterbox;
mod models;
mod objects;
mod picture;
mod read;
mod reader;
mod steady;
mod towers;
mod track;

#[cfg(test)]
mod tests;

pub use bench::{
    Attribute, Bench, Known, Label, Measured, Measuring, Named, Plates, Report, Score, Search, Soak, Speed,
    Stage, labels, measure, run as run_bench, soak as run_soak, speed as run_speed,
};
pub use canvass_footage::Embedding;
pub use canvass_plates::{Colour, PlateText, Region, VehicleType};
pub use cover::{
    CopyFacts, CopyOptions, CoverBox, CoverKey, CoverOptions, Coverer, MOST_BOXES, MOST_SUGGESTIONS_BYTES,
    Reason, Style as CoverStyle, Suggestions, cover_copy, suggest_file,
};
pub use detect::{Detector, Found};
pub use error::VisionError;
pub use faces::{Face, Faces};
pub use finder::{Finder, Plate, Settings};
pub use geometry::{Homography, Point, Quad, Rect};
pub use index::{Eyes, IndexOptions, Seen, Watch, index_file};
pub use infer::{Contract, Driver, Inference, Port, Ports, Signature, Tensor, open};
pub use models::{Files, Model, Models, NewModel, Part, default_folder};
pub use objects::{Kind, Objects, Thing};
pub use picture::{MOST_PIXELS, Picture, Scaling};
pub use read::{News, Pixels, ReadOptions, Reading, Video, read_file};
pub use reader::{Guess, Reader};
pub use steady::steady_memory;
pub use towers::Towers;
pub use track::{Track, Tracker};

//! Frames of videos and cameras: decoded by a confined ffmpeg, each with the time that the source gives it; and back into a file.

mod camera;
mod encode;
mod ffmpeg;
mod light;
mod mkv;
mod ppm;
mod queue;
mod sound;
mod warnings;

pub use camera::{Camera, Clock, Retry, State};
pub(crate) use encode::Encoder;
pub use ffmpeg::{Decoder, Limits, Source};
pub use queue::Queue;
pub(crate) use sound::Sound;
pub use warnings::Warnings;

use crate::Picture;
use std::time::Duration;

/// One frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Counted from 0 as they were decoded.
    pub number: u64,
    /// How long after the start of the file; of a camera, the time of the clock that it was given.
    pub time: Duration,
    /// Whether the source's own time stood still or ran backwards here, so that `time` was moved on by a millisecond.
    pub time_corrected: bool,
    /// What it shows, upright.
    pub picture: Picture,
}

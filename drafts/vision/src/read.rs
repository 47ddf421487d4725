//! Files in, readings out: what `canvass camera read` prints.

use crate::frames::{Decoder, Frame, Limits, Source};
use crate::track::join;
use crate::{Colour, Finder, Found, Picture, Rect, Track, Tracker, VisionError};
use serde::Serialize;
use std::path::Path;

/// One plate in one file, as one object of JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reading {
    /// The file, or the camera's address.
    pub file: String,
    /// Seconds from the start at which it was seen best; none for a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<f64>,
    /// Seconds from the start at which it was first seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<f64>,
    /// Seconds from the start at which it was last seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<f64>,
    /// Left edge of its box, in pixels.
    pub x: i64,
    /// Upper edge of its box, in pixels.
    pub y: i64,
    /// Width of its box, in pixels.
    pub w: i64,
    /// Height of its box, in pixels.
    pub h: i64,
    /// What it says: A–Z and 0–9.
    pub plate: String,
    /// The place that issued it, as far as can be told.
    pub region: Option<String>,
    /// How likely the reading is right, 0 to 1.
    pub confidence: f64,
    /// Kind of vehicle; always none for now.
    pub vehicle_type: Option<String>,
    /// Colour of the vehicle around the plate: an estimate.
    pub vehicle_colour: Option<Colour>,
    /// Frames in which it was found; 1 for a picture.
    pub frames: usize,
    /// The plate with some of what is around it.
    #[serde(skip)]
    pub crop: Option<Picture>,
}

/// How files are read.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadOptions {
    /// What decoding may take.
    pub limits: Limits,
    /// Readings below this confidence are left out.
    pub least_confidence: f32,
    /// The widths at which frames are searched, one after another in turn.
    pub widths: Vec<u32>,
    /// Frames that show the same as the one before are not searched again.
    pub skip_still: bool,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            least_confidence: 0.2,
            widths: vec![1280, 640, 960, 640],
            skip_still: true,
        }
    }
}

/// Reads the plates of a picture or video. Each reading is told as soon as it is settled; pictures are known by their
/// content, everything else is handed to the decoder.
pub fn read_file(
    finder: &mut Finder,
    path: &Path,
    options: &ReadOptions,
    tell: &mut dyn FnMut(Reading),
) -> Result<(), VisionError> {
    let file = path.display().to_string();
    if is_picture(path)? {
        let picture = Picture::open(path)?;
        for plate in finder.find(&picture)? {
            if plate.guess.confidence >= options.least_confidence {
                let b = plate.quad.bounds();
                let around = Rect::new(b.x - b.w * 0.35, b.y - b.h * 0.6, b.w * 1.7, b.h * 2.2);
                let confidence = plate.guess.confidence;
                let mut reading = reading(&file, &plate.rect, plate.guess.text, confidence, plate.colour);
                (reading.region, reading.crop) = (plate.guess.region, picture.part(&around));
                tell(reading);
            }
        }
        return Ok(());
    }
    let mut decoder = Decoder::open(Source::File(path.to_owned()), &options.limits)?;
    let mut video = Video::new(options.clone());
    while let Some(frame) = decoder.next_frame()? {
        video.see(finder, &frame)?;
        video.settled(false).into_iter().for_each(|track| tell(of_track(&file, track)));
    }
    video.settled(true).into_iter().for_each(|track| tell(of_track(&file, track)));
    Ok(())
}

/// The state of reading one video.
pub(crate) struct Video {
    options: ReadOptions,
    tracker: Tracker,
    waiting: Vec<Track>,
    seen: usize,
    last: Option<Picture>,
    /// Frames in which nothing had changed.
    pub(crate) still: u64,
}

impl Video {
    pub(crate) fn new(options: ReadOptions) -> Self {
        Self { options, tracker: Tracker::new(), waiting: Vec::new(), seen: 0, last: None, still: 0 }
    }

    /// Looks at one frame.
    pub(crate) fn see(&mut self, finder: &mut Finder, frame: &Frame) -> Result<(), VisionError> {
        let rounds = self.options.widths.len().max(1);
        // Every width has its turn before a still picture is passed over.
        if self.is_still(&frame.picture)? && self.seen >= rounds {
            self.still += 1;
            self.tracker.hold(frame.time);
            return Ok(());
        }
        let width = self.options.widths.get(self.seen % rounds).copied().unwrap_or(1280);
        self.seen += 1;
        let boxes: Vec<Found> = finder.boxes(&frame.picture, width)?;
        let tracks = self.tracker.assign(frame.time, &boxes);
        for (found, (id, wanted)) in boxes.iter().zip(tracks) {
            if wanted && let Some(plate) = finder.read(&frame.picture, found)? {
                self.tracker.vote(id, frame.time, &plate, &frame.picture);
            }
        }
        Ok(())
    }

    /// Whether a frame shows what the last searched one showed.
    fn is_still(&mut self, picture: &Picture) -> Result<bool, VisionError> {
        if !self.options.skip_still {
            return Ok(false);
        }
        let small = picture.scaled(96, 54)?;
        let still = self
            .last
            .as_ref()
            .is_some_and(|last| last.rgb().iter().zip(small.rgb()).all(|(a, b)| a.abs_diff(*b) <= 8));
        if !still {
            (self.last, self.seen) = (Some(small), if self.last.is_some() { self.seen } else { 0 });
        }
        Ok(still)
    }

    /// Tracks that have ended and will not be joined by a later one; all of them at the end.
    pub(crate) fn settled(&mut self, end: bool) -> Vec<Track> {
        let ended = if end { self.tracker.finish() } else { self.tracker.finished() };
        for track in ended {
            if let Some(new) = join(&mut self.waiting, track) {
                self.waiting.push(new);
            }
        }
        let keep = if end { 0 } else { 16 };
        let ready = self.waiting.len().saturating_sub(keep);
        let least = self.options.least_confidence;
        self.waiting.drain(..ready).filter(|track| track.confidence >= least).collect()
    }
}

fn of_track(file: &str, track: Track) -> Reading {
    let mut reading = reading(file, &track.rect, track.text, track.confidence, track.colour);
    reading.time = Some(track.best.as_secs_f64());
    reading.from = Some(track.first.as_secs_f64());
    reading.until = Some(track.last.as_secs_f64());
    (reading.region, reading.frames, reading.crop) = (track.region, track.frames, track.crop);
    reading
}

fn reading(file: &str, rect: &Rect, plate: String, confidence: f32, colour: Option<Colour>) -> Reading {
    Reading {
        file: file.to_owned(),
        time: None,
        from: None,
        until: None,
        x: rect.x.round() as i64,
        y: rect.y.round() as i64,
        w: rect.w.round() as i64,
        h: rect.h.round() as i64,
        plate,
        region: None,
        confidence: (f64::from(confidence) * 1000.0).round() / 1000.0,
        vehicle_type: None,
        vehicle_colour: colour,
        frames: 1,
        crop: None,
    }
}

/// Whether the file begins like a JPEG or a PNG.
fn is_picture(path: &Path) -> Result<bool, VisionError> {
    use std::io::Read;
    let mut start = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| VisionError::io(path, error))?;
    file.take(8).read_to_end(&mut start).map_err(|error| VisionError::io(path, error))?;
    Ok(start.starts_with(&[0xff, 0xd8, 0xff]) || start.starts_with(b"\x89PNG\r\n\x1a\n"))
}

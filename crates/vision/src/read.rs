//! Files in, readings out: what `canvass camera read` prints.

use crate::ahead::Searched;
use crate::change::{Kept, Look, Planner};
use crate::colour::Scene;
use crate::frames::{Decoder, Frame, Limits, Source};
use crate::track::join;
use crate::{
    Colour, Finder, Found, Picture, PlateText, Rect, Region, Track, Tracker, VehicleType, VisionError,
};
use serde::Serialize;
use std::path::Path;
use std::time::Duration;

/// A box in whole pixels of the picture or frame, from its upper left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Pixels {
    /// Left edge.
    pub x: i64,
    /// Upper edge.
    pub y: i64,
    /// Width.
    pub w: i64,
    /// Height.
    pub h: i64,
}

impl From<&Rect> for Pixels {
    fn from(rect: &Rect) -> Self {
        let whole = |side: f32| side.round() as i64;
        Self { x: whole(rect.x), y: whole(rect.y), w: whole(rect.w), h: whole(rect.h) }
    }
}

/// What is told while a file is read.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// A plate, settled.
    Plate(Box<Reading>),
    /// A video was looked at until this far from its start.
    Until(Duration),
}

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
    /// Where it was then.
    #[serde(rename = "box")]
    pub rect: Pixels,
    /// What it says: A–Z and 0–9.
    pub plate: PlateText,
    /// The place that issued it, as far as can be told.
    pub region: Option<Region>,
    /// How likely the reading is right, 0 to 1.
    pub confidence: f64,
    /// Kind of vehicle that it is on.
    pub vehicle_type: Option<VehicleType>,
    /// Colour of that vehicle: an estimate.
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
    /// Only what changed since it was last searched is searched again.
    pub only_changes: bool,
    /// A plate that stays in view is told after this long, and not again when it leaves; none: when it leaves.
    pub tell_after: Option<Duration>,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            least_confidence: 0.2,
            widths: vec![1280, 640, 960, 640],
            only_changes: true,
            tell_after: None,
        }
    }
}

/// Reads the plates of a picture or video. Each reading is told as soon as it is settled, and how far a video
/// was looked at; pictures are known by their
/// content, everything else is handed to the decoder.
pub fn read_file(
    finder: &mut Finder,
    path: &Path,
    options: &ReadOptions,
    tell: &mut dyn FnMut(News),
) -> Result<(), VisionError> {
    let file = path.display().to_string();
    if is_picture(path)? {
        let picture = Picture::open(path)?;
        for plate in finder.find(&picture)? {
            if plate.guess.confidence >= options.least_confidence {
                let b = plate.quad.bounds();
                let around = Rect::new(b.x - b.w * 0.35, b.y - b.h * 0.6, b.w * 1.7, b.h * 2.2);
                let confidence = plate.guess.confidence;
                let mut reading = reading(&file, &plate.rect, plate.guess.text, confidence);
                (reading.region, reading.crop) = (plate.guess.region, picture.part(&around));
                reading.vehicle_type = plate.vehicle.and_then(|vehicle| vehicle.kind.vehicle_type());
                reading.vehicle_colour = plate.colour;
                tell(News::Plate(Box::new(reading)));
            }
        }
        return Ok(());
    }
    let news = |reading| News::Plate(Box::new(reading));
    read_video(finder, path, options, &mut |readings, until| {
        readings.into_iter().map(news).for_each(&mut *tell);
        if let Some(until) = until {
            tell(News::Until(until));
        }
        true
    })
}

/// Reads a video with all the threads of the finder: `each` gets what has settled and how far it was looked at, which is left
/// out at the end, and says whether to go on.
pub(crate) fn read_video(
    finder: &mut Finder,
    path: &Path,
    options: &ReadOptions,
    each: &mut dyn FnMut(Vec<Reading>, Option<Duration>) -> bool,
) -> Result<(), VisionError> {
    let mut decoder = Decoder::open(Source::File(path.to_owned()), &options.limits)?;
    let mut video = Video::new(&path.display().to_string(), options.clone());
    let mut planner = Planner::new(&options.widths, options.only_changes);
    let mut go_on = true;
    finder.side_by_side(&mut decoder, &mut planner, &mut |finder, Searched { frame, found }| {
        let settled = video.take(finder, &frame, found)?;
        go_on = each(settled, Some(frame.time));
        Ok(go_on)
    })?;
    if go_on {
        each(video.end(), None);
    }
    Ok(())
}

/// A video or camera being read, frame by frame.
pub struct Video {
    file: String,
    options: ReadOptions,
    tracker: Tracker,
    waiting: Vec<Track>,
    planner: Planner,
    kept: Kept,
    /// Frames in which nothing had changed.
    pub(crate) still: u64,
}

impl Video {
    /// A video that has not begun; `file` is what its readings name.
    pub fn new(file: &str, options: ReadOptions) -> Self {
        Self {
            file: file.to_owned(),
            planner: Planner::new(&options.widths, options.only_changes),
            options,
            tracker: Tracker::new(),
            waiting: Vec::new(),
            kept: Kept::default(),
            still: 0,
        }
    }

    /// Looks at one frame; what comes back has settled.
    pub fn see(&mut self, finder: &mut Finder, frame: &Frame) -> Result<Vec<Reading>, VisionError> {
        let look = self.planner.next(&frame.picture, frame.time)?;
        let found = look.map(|look| finder.search(&frame.picture, look)).transpose()?;
        self.take(finder, frame, found)
    }

    /// Takes what was found in a frame, or that nothing changed.
    fn take(
        &mut self,
        finder: &mut Finder,
        frame: &Frame,
        found: Option<(Look, Vec<Found>)>,
    ) -> Result<Vec<Reading>, VisionError> {
        match found {
            Some((look, found)) => {
                let boxes = self.kept.with(&look, found);
                self.follow(finder, frame, &boxes)?;
            }
            None => {
                self.still += 1;
                self.tracker.hold(frame.time);
            }
        }
        Ok(self.settled(Some(frame.time)))
    }

    /// No frame came until now; what has left the view since comes back.
    pub fn until(&mut self, now: Duration) -> Vec<Reading> {
        self.settled(Some(now))
    }

    /// Nothing more comes: all that has not been told yet.
    pub fn end(mut self) -> Vec<Reading> {
        self.settled(None)
    }

    /// Follows plates into a frame, and reads those that are worth it.
    fn follow(&mut self, finder: &mut Finder, frame: &Frame, boxes: &[Found]) -> Result<(), VisionError> {
        let scene = Scene::new(&frame.picture);
        let tracks = self.tracker.assign(frame.time, boxes);
        for (found, (id, wanted)) in boxes.iter().zip(tracks) {
            if wanted && let Some(mut plate) = finder.read(&scene, found)? {
                if self.tracker.wants_vehicle(id, &plate) {
                    finder.look_at_vehicle(&scene, &mut plate)?;
                }
                self.tracker.vote(id, frame.time, &plate, &frame.picture);
            }
        }
        Ok(())
    }

    /// Tracks that have ended and that no later one can join any more; all of them at the end.
    fn settled(&mut self, now: Option<Duration>) -> Vec<Reading> {
        let ended = match now {
            Some(now) => {
                self.tracker.retire(now);
                self.waiting.extend(self.tracker.staying(self.options.tell_after));
                self.tracker.finished()
            }
            None => self.tracker.finish(),
        };
        for track in ended {
            if let Some(new) = join(&mut self.waiting, track) {
                self.waiting.push(new);
            }
        }
        let open = |track: &Track| now.is_some_and(|now| self.tracker.may_join(track, now));
        let (waiting, ready) = std::mem::take(&mut self.waiting).into_iter().partition(open);
        self.waiting = waiting;
        let least = self.options.least_confidence;
        let told = ready.into_iter().filter(|track: &Track| track.confidence >= least);
        told.map(|track| of_track(&self.file, track)).collect()
    }
}

fn of_track(file: &str, track: Track) -> Reading {
    let mut reading = reading(file, &track.rect, track.text, track.confidence);
    reading.time = Some(track.best.as_secs_f64());
    reading.from = Some(track.first.as_secs_f64());
    reading.until = Some(track.last.as_secs_f64());
    (reading.region, reading.frames, reading.crop) = (track.region, track.frames, track.crop);
    (reading.vehicle_type, reading.vehicle_colour) = (track.vehicle, track.colour);
    reading
}

fn reading(file: &str, rect: &Rect, plate: PlateText, confidence: f32) -> Reading {
    Reading {
        file: file.to_owned(),
        time: None,
        from: None,
        until: None,
        rect: Pixels::from(rect),
        plate,
        region: None,
        confidence: (f64::from(confidence) * 1000.0).round() / 1000.0,
        vehicle_type: None,
        vehicle_colour: None,
        frames: 1,
        crop: None,
    }
}

/// Whether the file begins like a JPEG or a PNG.
pub(crate) fn is_picture(path: &Path) -> Result<bool, VisionError> {
    use std::io::Read;
    let mut start = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| VisionError::io(path, error))?;
    file.take(8).read_to_end(&mut start).map_err(|error| VisionError::io(path, error))?;
    Ok(start.starts_with(&[0xff, 0xd8, 0xff]) || start.starts_with(b"\x89PNG\r\n\x1a\n"))
}

//! The covered copy: every frame decoded, painted over and encoded anew. What the file says beside its pictures is left behind.

use super::paint::hide;
use super::{CoverBox, Suggestions};
use crate::frames::{Decoder, Encoder, Frame, Limits, Sound, Source};
use crate::read::is_picture;
use crate::{Picture, VisionError};
use serde::Serialize;
use std::path::Path;
use std::time::Duration;

/// Quality of a covered picture as a JPEG.
const QUALITY: u8 = 90;
/// How long the only frame of a video is shown.
const ONE_FRAME: Duration = Duration::from_millis(100);

/// How a copy is made.
#[derive(Debug, Clone, PartialEq)]
pub struct CopyOptions {
    /// What decoding may take; every frame is taken, in its own size.
    pub limits: Limits,
    /// Whether the sound is kept.
    pub keep_sound: bool,
}

impl Default for CopyOptions {
    fn default() -> Self {
        let limits = Limits { frames_a_second: 0, most_width: 7680, ..Limits::default() };
        Self { limits, keep_sound: false }
    }
}

/// What a copy holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct CopyFacts {
    /// Frames; 1 for a picture.
    pub frames: u64,
    /// Frames in which something is covered.
    pub covered: u64,
    /// Whether it has sound.
    pub sound: bool,
}

/// Writes a copy in which the boxes are hidden: an MP4 of a video, a JPEG of a picture. `tell` hears how far it is.
pub fn cover_copy(
    path: &Path,
    target: &Path,
    boxes: &Suggestions,
    options: &CopyOptions,
    tell: &mut dyn FnMut(Duration),
) -> Result<CopyFacts, VisionError> {
    let picture = is_picture(path)?;
    named(target, if picture { &["jpg", "jpeg"] } else { &["mp4"] })?;
    if target.exists() {
        return Err(VisionError::frames(
            target.display().to_string(),
            "it is there already; name another file",
        ));
    }
    if picture {
        return cover_picture(path, target, &boxes.boxes);
    }
    let mut decoder = Decoder::open(Source::File(path.to_owned()), &options.limits)?;
    let Some(mut frame) = decoder.next_frame()? else {
        return Err(VisionError::frames(
            path.display().to_string(),
            "it has no pictures; give a recording with video",
        ));
    };
    let sound = if options.keep_sound { Sound::open(path, &options.limits)? } else { None };
    let size = (frame.picture.width(), frame.picture.height());
    let encoder = Encoder::create(target, size, sound.is_some(), decoder.is_mapped(), &options.limits)?;
    let facts = CopyFacts { sound: sound.is_some(), ..CopyFacts::default() };
    let mut copy = Copy { boxes: &boxes.boxes, sound, encoder, facts };
    let mut length = ONE_FRAME;
    while let Some(next) = decoder.next_frame()? {
        length = next.time.saturating_sub(frame.time);
        tell(frame.time);
        copy.add(frame, length)?;
        frame = next;
    }
    copy.add(frame, length)?;
    copy.encoder.finish()?;
    Ok(copy.facts)
}

struct Copy<'a> {
    boxes: &'a [CoverBox],
    sound: Option<Sound>,
    encoder: Encoder,
    facts: CopyFacts,
}

impl Copy<'_> {
    fn add(&mut self, mut frame: Frame, length: Duration) -> Result<(), VisionError> {
        let hidden = hide(&mut frame.picture, self.boxes, frame.time.as_secs_f64(), length.as_secs_f64());
        self.facts.frames += 1;
        self.facts.covered += u64::from(hidden > 0);
        self.encoder.frame(&frame.picture, frame.time, length)?;
        if let Some(sound) = &mut self.sound {
            let stopped =
                |error: std::io::Error| VisionError::frames("sound", format!("it stopped coming ({error})"));
            loop {
                let (first, samples) = sound.until(frame.time + length).map_err(stopped)?;
                if samples.is_empty() {
                    break;
                }
                self.encoder.samples(&samples, first)?;
            }
        }
        Ok(())
    }
}

fn named(target: &Path, endings: &[&str]) -> Result<(), VisionError> {
    let ending = target.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    if ending.is_some_and(|ending| endings.contains(&ending.as_str())) {
        return Ok(());
    }
    let wanted = endings.first().copied().unwrap_or_default();
    Err(VisionError::frames(target.display().to_string(), format!("the copy's name must end in .{wanted}")))
}

fn cover_picture(path: &Path, target: &Path, boxes: &[CoverBox]) -> Result<CopyFacts, VisionError> {
    let mut picture = Picture::open(path)?;
    let hidden = hide(&mut picture, boxes, 0.0, 0.0);
    std::fs::write(target, picture.jpeg(QUALITY)?).map_err(|error| VisionError::io(target, error))?;
    Ok(CopyFacts { frames: 1, covered: u64::from(hidden > 0), sound: false })
}

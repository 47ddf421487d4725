//! Looking for what has to be covered, frame by frame.

use super::follow::Ways;
use super::{CoverBox, Reason, Style, Suggestions};
use crate::colour::Scene;
use crate::faces::unique;
use crate::frames::{Decoder, Limits, Source};
use crate::index::look;
use crate::read::is_picture;
use crate::{Driver, Faces, Finder, Kind, Models, Picture, Rect, Settings, VisionError};
use std::path::Path;
use std::time::Duration;

/// Faces from this score on are covered: one too many is taken out by hand, one too few is seen by all.
const LEAST_FACE: f32 = 0.2;
/// People from this score on.
const LEAST_PERSON: f32 = 0.25;
/// Pictures narrower than this are scaled up for the search of faces, every other frame.
const SMALL: u32 = 1000;
/// To this width.
const SCALED_UP: u32 = 1280;
/// Wider ones are scaled down to this.
const MOST_WIDTH: u32 = 1920;
/// Widths at which plates are looked for, in turn.
const PLATE_WIDTHS: [u32; 2] = [1280, 640];

/// How a recording is looked through.
#[derive(Debug, Clone, PartialEq)]
pub struct CoverOptions {
    /// What decoding may take, and how many frames of a second are looked at.
    pub limits: Limits,
    /// How the boxes hide.
    pub style: Style,
}

impl Default for CoverOptions {
    fn default() -> Self {
        Self { limits: Limits { frames_a_second: 6, ..Limits::default() }, style: Style::default() }
    }
}

/// Something in one frame that should be covered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Seen {
    pub(crate) reason: Reason,
    pub(crate) rect: Rect,
    pub(crate) score: f32,
}

/// Finds what has to be covered.
pub struct Coverer {
    finder: Finder,
    faces: Faces,
}

impl Coverer {
    /// On the models of a folder, with the driver that is there.
    pub fn new(models: &Models, driver: &Driver, settings: Settings) -> Result<Self, VisionError> {
        let faces = Faces::new(driver, models.bytes("faces")?, settings.threads)?;
        Ok(Self { finder: Finder::new(models, driver, settings)?, faces })
    }

    /// What a picture shows that should be covered. A video's frames are looked at in `turn`, each at one of several scales;
    /// a picture at all of them.
    pub(crate) fn see(&mut self, picture: &Picture, turn: Option<usize>) -> Result<Vec<Seen>, VisionError> {
        let mut seen = self.heads(picture, turn)?;
        seen.extend(self.plates(picture, turn)?);
        Ok(seen)
    }

    /// Faces, and where the heads of people are: one box for a head whose face was found.
    fn heads(&mut self, picture: &Picture, turn: Option<usize>) -> Result<Vec<Seen>, VisionError> {
        let own = picture.width().min(MOST_WIDTH);
        let widths = if picture.width() < SMALL { vec![SCALED_UP, own] } else { vec![own, own / 2] };
        let mut faces = Vec::new();
        for width in in_turn(&widths, turn) {
            faces.extend(self.faces.at_width(picture, width, LEAST_FACE)?);
        }
        let faces = unique(faces);
        let mut heads: Vec<Seen> = Vec::new();
        for person in look(self.finder.objects(), picture)? {
            if person.kind == Kind::Person && person.score >= LEAST_PERSON {
                let rect = head_of(&person.rect).within(picture.width(), picture.height());
                heads.push(Seen { reason: Reason::Head, rect, score: person.score });
            }
        }
        for face in faces {
            // Of two people before each other, the face belongs to the head that it fills more of.
            let head = heads
                .iter_mut()
                .filter(|head| head.reason == Reason::Head && head.rect.inside(&face.rect) > 0.4)
                .max_by(|a, b| a.rect.overlap(&face.rect).total_cmp(&b.rect.overlap(&face.rect)));
            match head {
                Some(head) => {
                    let (rect, score) = (around(&head.rect, &face.rect), head.score.max(face.score));
                    *head = Seen { reason: Reason::Face, rect, score };
                }
                None => {
                    let rect = grown(&face.rect, 0.2);
                    heads.push(Seen { reason: Reason::Face, rect, score: face.score });
                }
            }
        }
        Ok(heads)
    }

    fn plates(&mut self, picture: &Picture, turn: Option<usize>) -> Result<Vec<Seen>, VisionError> {
        let mut found = Vec::new();
        let most = (picture.width() * 3 / 2).max(640);
        for width in in_turn(&PLATE_WIDTHS.map(|width| width.min(most)), turn) {
            found.extend(self.finder.boxes(picture, width)?);
        }
        let (least, scene) = (self.finder.settings().least_score, Scene::new(picture));
        let mut seen = Vec::new();
        for one in crate::detect::unique(found) {
            // What the detector doubts is a plate if something can be read on it; what it says is dropped.
            if one.score >= least || self.finder.read(&scene, &one)?.is_some() {
                let rect = around(&one.rect, &one.quad.bounds()).within(picture.width(), picture.height());
                seen.push(Seen { reason: Reason::Plate, rect, score: one.score });
            }
        }
        Ok(seen)
    }
}

fn in_turn(widths: &[u32], turn: Option<usize>) -> Vec<u32> {
    let mut all = widths.to_vec();
    all.dedup();
    match turn {
        Some(turn) => all.get(turn % all.len().max(1)).copied().into_iter().collect(),
        None => all,
    }
}

/// Where the head of a person is by their box: the upper fifth of who stands whole, more of who is cut off, sits or bends.
pub(crate) fn head_of(person: &Rect) -> Rect {
    let slender = person.h / person.w.max(1.0);
    let share = if slender >= 1.8 {
        0.22
    } else if slender >= 1.2 {
        0.34
    } else {
        0.5
    };
    let above = person.h * 0.04;
    Rect::new(person.x + person.w * 0.06, person.y - above, person.w * 0.88, person.h * share + above)
}

/// The box around both.
pub(crate) fn around(a: &Rect, b: &Rect) -> Rect {
    let (x, y) = (a.x.min(b.x), a.y.min(b.y));
    Rect::new(x, y, (a.x + a.w).max(b.x + b.w) - x, (a.y + a.h).max(b.y + b.h) - y)
}

/// Grown on each side by a share of its size.
pub(crate) fn grown(rect: &Rect, by: f32) -> Rect {
    let (dx, dy) = (rect.w * by, rect.h * by);
    Rect::new(rect.x - dx, rect.y - dy, rect.w + dx * 2.0, rect.h + dy * 2.0)
}

/// Finds what has to be covered in a picture or video; `tell` hears how far a video was looked at.
pub fn suggest_file(
    coverer: &mut Coverer,
    path: &Path,
    options: &CoverOptions,
    tell: &mut dyn FnMut(Duration),
) -> Result<Suggestions, VisionError> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if is_picture(path)? {
        let picture = Picture::open(path)?;
        let mut ways = Ways::default();
        ways.see(Duration::ZERO, &coverer.see(&picture, None)?);
        return Ok(suggestions(name, &picture, ways, Duration::ZERO, options));
    }
    let mut decoder = Decoder::open(Source::File(path.to_owned()), &options.limits)?;
    let (mut ways, mut last, mut before) = (Ways::default(), None, Duration::ZERO);
    let mut turn = 0;
    while let Some(frame) = decoder.next_frame()? {
        ways.see(frame.time, &coverer.see(&frame.picture, Some(turn))?);
        tell(frame.time);
        before = last.as_ref().map_or(Duration::ZERO, |(time, _)| *time);
        last = Some((frame.time, frame.picture));
        turn += 1;
    }
    let Some((time, picture)) = last else {
        return Err(VisionError::frames(name, "it has no pictures; give a recording with video"));
    };
    // The last frame that was looked at is shown about as long as the one before it.
    let end = time + time.saturating_sub(before);
    Ok(suggestions(name, &picture, ways, end, options))
}

fn suggestions(
    file: String,
    picture: &Picture,
    ways: Ways,
    end: Duration,
    options: &CoverOptions,
) -> Suggestions {
    let size = (picture.width(), picture.height());
    let boxes: Vec<CoverBox> = ways.finish(size, end, options.style);
    Suggestions {
        file,
        width: size.0,
        height: size.1,
        duration: super::follow::rounded(end.as_secs_f64()),
        boxes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_is_the_upper_part_of_a_person() {
        let standing = head_of(&Rect::new(100.0, 100.0, 50.0, 200.0));
        assert!(standing.y < 100.0 && standing.y + standing.h > 140.0 && standing.y + standing.h < 150.0);
        assert!(standing.x > 100.0 && standing.x + standing.w < 150.0);
        let cut_off = head_of(&Rect::new(100.0, 100.0, 100.0, 110.0));
        assert!(cut_off.h > 55.0, "{cut_off:?}");
    }

    #[test]
    fn scales_take_turns_in_a_video_and_all_come_for_a_picture() {
        assert_eq!(in_turn(&[1280, 768], Some(3)), [768]);
        assert_eq!(in_turn(&[1280, 768], None), [1280, 768]);
        assert_eq!(in_turn(&[640, 640], Some(1)), [640]);
    }
}

//! Where plates are: a small detector that gives boxes, run at the scales that it is asked for. Which form of network it is
//! is known here alone.

mod priors;
mod yolo;

#[cfg(test)]
pub(crate) use priors::DETECTOR;

use crate::{Driver, Files, Picture, Quad, Rect, VisionError};
use priors::Priors;
use yolo::Yolo;

/// Boxes that overlap more than this are the same plate.
const SAME: f32 = 0.4;
/// The most plates of one picture.
const MOST: usize = 64;

/// A plate that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// Its box.
    pub rect: Rect,
    /// Its corners; those of the box where the network tells no others.
    pub quad: Quad,
    /// How sure the detector is, 0 to 1.
    pub score: f32,
}

/// Finds plates.
pub struct Detector(Form);

enum Form {
    Priors(Priors),
    Yolo(Yolo),
}

impl Detector {
    /// A detector on the files of its model.
    pub fn new(driver: &Driver, files: &Files, threads: usize) -> Result<Self, VisionError> {
        Ok(Self(match files.format.as_str() {
            "yolo" => Form::Yolo(Yolo::new(driver, files, threads)?),
            _ => Form::Priors(Priors::new(driver, files.network.clone(), threads)?),
        }))
    }

    /// Which driver runs it.
    pub fn driver(&self) -> &'static str {
        match &self.0 {
            Form::Priors(net) => net.driver(),
            Form::Yolo(net) => net.driver(),
        }
    }

    /// The plates of a picture scaled to `width` pixels, surest first, in the picture's own pixels.
    pub fn at_width(&mut self, picture: &Picture, width: u32, least: f32) -> Result<Vec<Found>, VisionError> {
        self.within(picture, width, None, least)
    }

    /// The same of some parts of the picture, which are in its own pixels; plates that a part cuts off are left out. A network
    /// may look beyond them.
    pub fn within(
        &mut self,
        picture: &Picture,
        width: u32,
        parts: Option<&[Rect]>,
        least: f32,
    ) -> Result<Vec<Found>, VisionError> {
        let found = match &mut self.0 {
            Form::Priors(net) => net.within(picture, width, parts, least),
            Form::Yolo(net) => net.within(picture, width, parts, least),
        };
        found.map(unique)
    }

    /// The plates that are found at any of some widths.
    pub fn at_widths(
        &mut self,
        picture: &Picture,
        widths: &[u32],
        least: f32,
    ) -> Result<Vec<Found>, VisionError> {
        let mut all = Vec::new();
        for &width in widths {
            all.extend(self.at_width(picture, width, least)?);
        }
        Ok(unique(all))
    }

    /// Looks at nothing once, so that what does not fit is told before it is put to use.
    pub(crate) fn try_out(&mut self) -> Result<(), VisionError> {
        match Picture::new(64, 64, vec![114; 64 * 64 * 3]) {
            Some(picture) => self.at_width(&picture, 64, 0.5).map(drop),
            None => Ok(()),
        }
    }
}

/// Whether a box, in the pixels of a part, ends at an edge that the picture goes beyond.
fn cut_off(rect: &Rect, part: &Rect, picture: &Picture) -> bool {
    let near = 2.0;
    let (w, h) = (picture.width() as f32, picture.height() as f32);
    let left = part.x > 1.0 && rect.x < near;
    let top = part.y > 1.0 && rect.y < near;
    let right = part.x + part.w < w - 1.0 && rect.x + rect.w > part.w - near;
    let bottom = part.y + part.h < h - 1.0 && rect.y + rect.h > part.h - near;
    left || top || right || bottom
}

/// The surest of those that overlap.
pub(crate) fn unique(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Found> = Vec::new();
    for one in found {
        if kept.len() < MOST && kept.iter().all(|other| other.rect.overlap(&one.rect) < SAME) {
            kept.push(one);
        }
    }
    kept
}

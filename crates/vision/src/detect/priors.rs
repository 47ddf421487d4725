//! The detector that came with Canvass: boxes and corners, told as distances from prior boxes.

use super::{Found, cut_off};
use crate::{Contract, Driver, Inference, Picture, Point, Quad, Rect, Tensor, VisionError, open};

/// What the detector must take and give: places, how sure, corners, one row for each prior box.
pub(crate) const DETECTOR: Contract = Contract {
    model: "plate-detector",
    input: "image",
    shape: &[0, 3, 0, 0],
    outputs: &[("loc", &[1, 0, 4]), ("conf", &[1, 0, 2]), ("landms", &[1, 0, 8])],
};

/// What is taken from blue, green and red before the network sees them.
const MEANS: [f32; 3] = [104.0, 117.0, 123.0];
/// Step of the grid and sizes of the prior boxes at each of three levels.
const LEVELS: [(u32, [f32; 2]); 3] = [(8, [24.0, 48.0]), (16, [96.0, 192.0]), (32, [384.0, 768.0])];

/// Parts of a picture begin and end at multiples of this, where the grids of all levels do.
const STEP: f32 = 32.0;

pub(super) struct Priors {
    network: Box<dyn Inference>,
}

impl Priors {
    pub(super) fn new(driver: &Driver, model: Vec<u8>, threads: usize) -> Result<Self, VisionError> {
        Ok(Self { network: open(driver, DETECTOR, model, threads)? })
    }

    pub(super) fn driver(&self) -> &'static str {
        self.network.driver()
    }

    pub(super) fn within(
        &mut self,
        picture: &Picture,
        width: u32,
        parts: Option<&[Rect]>,
        least: f32,
    ) -> Result<Vec<Found>, VisionError> {
        let scale = width as f32 / picture.width() as f32;
        let height = ((picture.height() as f32 * scale).round() as u32).max(1);
        let scaled = if width == picture.width() { None } else { Some(picture.scaled(width, height)?) };
        let scaled = scaled.as_ref().unwrap_or(picture);
        let Some(parts) = parts else {
            return Ok(self
                .look(scaled, least)?
                .into_iter()
                .map(|one| placed(one, 0.0, 0.0, scale))
                .collect());
        };
        let mut found = Vec::new();
        for part in parts {
            let part = on_grid(part, scale, scaled);
            let Some(cut) = scaled.part(&part) else { continue };
            let whole = self.look(&cut, least)?.into_iter().filter(|one| !cut_off(&one.rect, &part, scaled));
            found.extend(whole.map(|one| placed(one, part.x, part.y, scale)));
        }
        Ok(found)
    }

    /// What is found in a picture as it is, in its pixels.
    fn look(&mut self, scaled: &Picture, least: f32) -> Result<Vec<Found>, VisionError> {
        let outputs = self.network.run(input(scaled)?)?;
        let [places, sure, corners] = outputs.as_slice() else {
            return Err(empty_detector());
        };
        let mut found = Vec::new();
        let rows = places
            .data()
            .chunks_exact(4)
            .zip(sure.data().chunks_exact(2))
            .zip(corners.data().chunks_exact(8));
        let mut count = 0usize;
        for (((x, y, side), ((place, sure), corners)), _) in
            priors(scaled.width(), scaled.height()).zip(rows).zip(0..)
        {
            count += 1;
            let score = sure.last().copied().unwrap_or(0.0);
            if score >= least {
                found.extend(plate(x, y, side, place, corners, score));
            }
        }
        if count * 4 != places.data().len() {
            return Err(VisionError::Shape {
                name: DETECTOR.model.to_owned(),
                what: format!("it answers {} boxes where {count} are looked at", places.data().len() / 4),
            });
        }
        Ok(found)
    }
}

fn empty_detector() -> VisionError {
    VisionError::Shape { name: DETECTOR.model.to_owned(), what: "it gave no three outputs".to_owned() }
}

/// Blue, green and red planes less their means.
fn input(picture: &Picture) -> Result<Tensor, VisionError> {
    let (w, h) = (picture.width() as usize, picture.height() as usize);
    let mut data = vec![0.0; w * h * 3];
    let (blue, rest) = data.split_at_mut(w * h);
    let (green, red) = rest.split_at_mut(w * h);
    let [of_blue, of_green, of_red] = MEANS;
    for (((rgb, b), g), r) in picture.rgb().chunks_exact(3).zip(blue).zip(green).zip(red) {
        if let &[red, green, blue] = rgb {
            (*b, *g, *r) = (f32::from(blue) - of_blue, f32::from(green) - of_green, f32::from(red) - of_red);
        }
    }
    Tensor::new(vec![1, 3, h, w], data).ok_or_else(empty_detector)
}

/// Middle and side of each prior box, in pixels, in the network's order.
fn priors(width: u32, height: u32) -> impl Iterator<Item = (f32, f32, f32)> {
    LEVELS.into_iter().flat_map(move |(step, sides)| {
        (0..height.div_ceil(step)).flat_map(move |row| {
            (0..width.div_ceil(step)).flat_map(move |column| {
                let at = move |i: u32| (i as f32 + 0.5) * step as f32;
                sides.into_iter().map(move |side| (at(column), at(row), side))
            })
        })
    })
}

/// A part of a picture in the pixels of the scaled one, grown to the grid.
fn on_grid(part: &Rect, scale: f32, scaled: &Picture) -> Rect {
    let from = |at: f32| (at * scale / STEP).floor() * STEP;
    let until = |at: f32| (at * scale / STEP).ceil() * STEP;
    let (x, y) = (from(part.x), from(part.y));
    let wide = Rect::new(x, y, until(part.x + part.w) - x, until(part.y + part.h) - y);
    wide.within(scaled.width(), scaled.height())
}

/// What was found in a part of a scaled picture, in the pixels of the picture.
fn placed(one: Found, left: f32, top: f32, scale: f32) -> Found {
    let rect = one.rect;
    let at = |x: f32, y: f32| Point::new((x + left) / scale, (y + top) / scale);
    let Point { x, y } = at(rect.x, rect.y);
    let rect = Rect::new(x, y, rect.w / scale, rect.h / scale);
    Found { rect, quad: Quad(one.quad.0.map(|point| at(point.x, point.y))), score: one.score }
}

fn plate(x: f32, y: f32, side: f32, place: &[f32], corners: &[f32], score: f32) -> Option<Found> {
    let &[dx, dy, dw, dh] = place else { return None };
    let (cx, cy) = (x + dx * 0.1 * side, y + dy * 0.1 * side);
    let (w, h) = (side * (dw * 0.2).exp(), side * (dh * 0.2).exp());
    let mut points = [Point::default(); 4];
    for (point, at) in points.iter_mut().zip(corners.chunks_exact(2)) {
        let &[dx, dy] = at else { return None };
        *point = Point::new(x + dx * 0.1 * side, y + dy * 0.1 * side);
    }
    let rect = Rect::new(cx - w / 2.0, cy - h / 2.0, w, h);
    let finite = rect.area().is_finite() && points.iter().all(|p| p.x.is_finite() && p.y.is_finite());
    finite.then(|| Found { rect, quad: Quad(points).ordered(), score })
}

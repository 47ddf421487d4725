//! People, vehicles and what people carry: NanoDet behind the seam, and what it finds in a picture or a part of one.

use crate::{Contract, Driver, Inference, Picture, Rect, Tensor, VisionError, open};
pub use canvass_footage::Kind;
use serde::Serialize;

/// Side of the network's input, in pixels.
const SIDE: usize = 416;
/// Kinds that the network tells apart.
const KINDS: usize = 80;
/// Weights of one side's reach.
const BINS: usize = 11;
/// Steps of the three grids, in pixels.
const STEPS: [usize; 3] = [8, 16, 32];

/// What the network must take and give.
pub(crate) const OBJECTS: Contract = Contract {
    model: "objects",
    input: "image",
    shape: &[1, 3, SIDE, SIDE],
    outputs: &[
        ("classes8", &[1, 2704, KINDS]),
        ("classes16", &[1, 676, KINDS]),
        ("classes32", &[1, 169, KINDS]),
        ("reach8", &[1, 2704, 4 * BINS]),
        ("reach16", &[1, 676, 4 * BINS]),
        ("reach32", &[1, 169, 4 * BINS]),
    ],
};

/// Taken from blue, green and red, and what the rest is divided by.
const MEANS: [f32; 3] = [103.53, 116.28, 123.675];
const SPREADS: [f32; 3] = [57.375, 57.12, 58.395];
/// Boxes of one kind that overlap more than this are one thing.
const SAME: f32 = 0.5;
/// Boxes of one kind, one of which lies this far within the other, are one thing.
const WITHIN: f32 = 0.85;
/// The number of cars among COCO's kinds.
const CAR: usize = 2;
/// A truck or bus that is a car with this share of its score is told as a car.
const DOUBT: f32 = 0.5;
/// The most things of one picture.
const MOST: usize = 64;

/// The kind at a place among COCO's; none for those that are not told.
fn kind_at(number: usize) -> Option<Kind> {
    Some(match number {
        0 => Kind::Person,
        1 => Kind::Bicycle,
        CAR => Kind::Car,
        3 => Kind::Motorcycle,
        5 => Kind::Bus,
        7 => Kind::Truck,
        16 => Kind::Dog,
        24 => Kind::Backpack,
        25 => Kind::Umbrella,
        26 => Kind::Handbag,
        28 => Kind::Suitcase,
        36 => Kind::Skateboard,
        39 => Kind::Bottle,
        67 => Kind::Phone,
        _ => return None,
    })
}

/// Something that was found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Thing {
    /// What it is.
    pub kind: Kind,
    /// Its box, in the picture's pixels.
    #[serde(skip)]
    pub rect: Rect,
    /// How sure the network is, 0 to 1.
    pub score: f32,
}

/// Finds people, vehicles and things.
pub struct Objects {
    network: Box<dyn Inference>,
}

impl Objects {
    /// On the bytes of its model.
    pub fn new(driver: &Driver, model: Vec<u8>, threads: usize) -> Result<Self, VisionError> {
        Ok(Self { network: open(driver, OBJECTS, model, threads)? })
    }

    /// What a picture shows, surest first, in its own pixels.
    pub fn find(&mut self, picture: &Picture, least: f32) -> Result<Vec<Thing>, VisionError> {
        let longest = picture.width().max(picture.height()) as f32;
        let scale = SIDE as f32 / longest;
        let fit = |side: u32| ((side as f32 * scale).round() as u32).clamp(1, SIDE as u32);
        let small = picture.scaled(fit(picture.width()), fit(picture.height()))?;
        let outputs = self.network.run(input(&small)?)?;
        let (classes, reaches) =
            outputs.split_at_checked(STEPS.len()).ok_or_else(|| wrong("too few outputs"))?;
        let mut found = Vec::new();
        for ((classes, reaches), step) in classes.iter().zip(reaches).zip(STEPS) {
            let rows = classes.data().chunks_exact(KINDS).zip(reaches.data().chunks_exact(4 * BINS));
            for (place, (sure, reach)) in rows.enumerate() {
                let Some((kind, score)) = likeliest(sure).filter(|(_, score)| *score >= least) else {
                    continue;
                };
                let side = SIDE / step;
                let middle = ((place % side) as f32 + 0.5, (place / side) as f32 + 0.5);
                let rect = reached(middle, reach, step as f32 / scale);
                let rect = rect.within(picture.width(), picture.height());
                if rect.area() >= 4.0 {
                    found.push(Thing { kind, rect, score });
                }
            }
        }
        Ok(unique(found))
    }

    /// What a part of a picture shows, in the whole picture's pixels. Small things are found in a part that are lost in
    /// the whole.
    pub fn find_in(&mut self, picture: &Picture, part: &Rect, least: f32) -> Result<Vec<Thing>, VisionError> {
        let inside = part.within(picture.width(), picture.height());
        let Some(cut) = picture.part(&inside) else { return Ok(Vec::new()) };
        let mut found = self.find(&cut, least)?;
        for thing in &mut found {
            thing.rect.x += inside.x.floor();
            thing.rect.y += inside.y.floor();
        }
        Ok(found)
    }

    /// The vehicle that a plate is on: the surest vehicle around it, seen from as near as a plate's width tells.
    pub fn vehicle_of(&mut self, picture: &Picture, plate: &Rect) -> Result<Option<Thing>, VisionError> {
        // A car is 3.5 European or 6 American plates wide: 10 plates hold it, and most buses.
        let side = plate.w * 10.0;
        let middle = plate.centre();
        let part = Rect::new(middle.x - side / 2.0, middle.y - side * 0.62, side, side);
        let fits = |thing: &Thing| {
            let b = thing.rect;
            let on = middle.x > b.x && middle.x < b.x + b.w && middle.y > b.y && middle.y < b.y + b.h * 1.05;
            thing.kind.is_vehicle() && thing.kind != Kind::Bicycle && on && b.w > plate.w * 1.5
        };
        let found = self.find_in(picture, &part, 0.25)?;
        Ok(found.into_iter().filter(fits).max_by(|a, b| a.score.total_cmp(&b.score)))
    }
}

/// The surest kind of one place, if it is one that is told. What may be a car is one: off-road vehicles and estates look
/// like trucks and buses to the network, and cars outnumber both many times.
fn likeliest(sure: &[f32]) -> Option<(Kind, f32)> {
    let best = sure.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    let (number, &score) = best?;
    let kind = kind_at(number)?;
    let car = sure.get(CAR).copied().unwrap_or(0.0);
    let doubtful = matches!(kind, Kind::Truck | Kind::Bus) && car >= score * DOUBT;
    Some((if doubtful { Kind::Car } else { kind }, score))
}

fn wrong(what: &str) -> VisionError {
    VisionError::Shape { name: OBJECTS.model.to_owned(), what: what.to_owned() }
}

/// The picture in the upper left corner of the network's input; the rest is the mean.
fn input(picture: &Picture) -> Result<Tensor, VisionError> {
    let (w, h) = (picture.width() as usize, picture.height() as usize);
    let mut data = Vec::with_capacity(3 * SIDE * SIDE);
    for ((channel, mean), spread) in [2usize, 1, 0].into_iter().zip(MEANS).zip(SPREADS) {
        let start = data.len();
        for row in picture.rgb().chunks_exact(w * 3).take(h) {
            let line = data.len();
            data.extend(row.iter().skip(channel).step_by(3).map(|&byte| (f32::from(byte) - mean) / spread));
            data.resize(line + SIDE, 0.0);
        }
        data.resize(start + SIDE * SIDE, 0.0);
    }
    Tensor::new(vec![1, 3, SIDE, SIDE], data).ok_or_else(|| wrong("its input can't be made"))
}

/// The box around a place: for each side the mean of what its weights say, in steps.
fn reached((x, y): (f32, f32), reach: &[f32], step: f32) -> Rect {
    let mut sides = [0.0f32; 4];
    for (side, weights) in sides.iter_mut().zip(reach.chunks_exact(BINS)) {
        let most = weights.iter().copied().fold(f32::MIN, f32::max);
        let (mut sum, mut total) = (0.0, 0.0);
        for (bin, weight) in weights.iter().enumerate() {
            let power = (weight - most).exp();
            sum += power * bin as f32;
            total += power;
        }
        *side = sum / f32::max(total, f32::MIN_POSITIVE);
    }
    let [left, top, right, bottom] = sides;
    Rect::new((x - left) * step, (y - top) * step, (left + right) * step, (top + bottom) * step)
}

/// The surest of those that are one thing. Vehicles that share a place are one, whatever kind each box says.
pub(crate) fn unique(mut found: Vec<Thing>) -> Vec<Thing> {
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Thing> = Vec::new();
    for one in found {
        let same = |other: &Thing| {
            let alike = other.kind == one.kind || other.kind.is_vehicle() && one.kind.is_vehicle();
            let much = other.rect.overlap(&one.rect) > SAME;
            let within = other.kind == one.kind && other.rect.inside(&one.rect) > WITHIN;
            alike && (much || within && other.rect.overlap(&one.rect) > SAME / 2.0)
        };
        if kept.len() < MOST && !kept.iter().any(same) {
            kept.push(one);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thing(kind: Kind, x: f32, score: f32) -> Thing {
        Thing { kind, rect: Rect::new(x, 0.0, 100.0, 100.0), score }
    }

    #[test]
    fn one_vehicle_is_not_a_car_and_a_truck() {
        let kept = unique(vec![
            thing(Kind::Truck, 0.0, 0.5),
            thing(Kind::Car, 5.0, 0.7),
            thing(Kind::Person, 5.0, 0.4),
            thing(Kind::Car, 300.0, 0.3),
        ]);
        let kinds: Vec<_> = kept.iter().map(|thing| thing.kind).collect();
        assert_eq!(kinds, [Kind::Car, Kind::Person, Kind::Car]);
    }

    #[test]
    fn a_reach_is_the_mean_of_its_weights() {
        let mut weights = [-40.0f32; 4 * BINS];
        for (side, bin) in [1usize, 2, 3, 4].into_iter().enumerate() {
            weights[side * BINS + bin] = 10.0;
        }
        let rect = reached((5.0, 5.0), &weights, 8.0);
        assert_eq!(
            (rect.x.round(), rect.y.round(), rect.w.round(), rect.h.round()),
            (32.0, 24.0, 32.0, 48.0)
        );
    }
}

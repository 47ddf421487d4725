//! Detectors of the YOLO family, as operators bring them. Three forms of answer are known: boxes that the network has sorted
//! out itself, `N × 7` (picture, left, top, right, bottom, kind, score; open-image-models) or `1 × N × 6` (left, top, right,
//! bottom, score, kind), and the raw `1 × (4 + kinds) × N` (middle, size, a score for each kind; YOLOv8 and later).

use super::{Found, cut_off};
use crate::infer::{Ports, Signature, open_chosen};
use crate::letterbox::Letterbox;
use crate::{Driver, Files, Inference, Picture, Rect, Tensor, VisionError};
use serde::Deserialize;

const NAME: &str = "plate-detector";
/// Side of the input where the network takes any: a multiple of this.
const STEP: u32 = 32;
/// Pictures wider than the input by more than this are looked at in parts.
const PARTS_FROM: f32 = 1.7;
/// How much of a part is in the next one too.
const SHARED: f32 = 0.25;
/// The most parts of one picture.
const MOST_PARTS: usize = 24;
/// Rows of the sorted form from which on it would be a raw one.
const MOST_SORTED: usize = 1000;
/// Grey around the picture.
const GREY: [u8; 3] = [114; 3];
/// The longest side of an input.
const MOST_SIDE: usize = 4096;

/// What an operator may say of such a detector, as `--config`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The kinds that are plates, by number; all of them where nothing is said.
    #[serde(default)]
    classes: Vec<usize>,
}

pub(super) struct Yolo {
    network: Box<dyn Inference>,
    /// Height and width of the input; none where it takes any.
    side: Option<(u32, u32)>,
    classes: Vec<usize>,
}

impl Yolo {
    pub(super) fn new(driver: &Driver, files: &Files, threads: usize) -> Result<Self, VisionError> {
        let config = match files.parts.get("config") {
            None => Config::default(),
            Some(bytes) => toml::from_str(&String::from_utf8_lossy(bytes))
                .map_err(|error| VisionError::given(NAME, "config", error.message()))?,
        };
        let (network, signature) = open_chosen(driver, NAME, files.network.clone(), threads, &choose)?;
        let side = signature.inputs.first().and_then(|input| match input.shape.as_slice() {
            &[_, _, Some(h), Some(w)] => Some((u32::try_from(h).ok()?, u32::try_from(w).ok()?)),
            _ => None,
        });
        Ok(Self { network, side, classes: config.classes })
    }

    pub(super) fn driver(&self) -> &'static str {
        self.network.driver()
    }

    /// The picture as it is at this width: whole, or in parts where the network's input is much smaller; of these only those that
    /// share something with `wanted`.
    pub(super) fn within(
        &mut self,
        picture: &Picture,
        width: u32,
        wanted: Option<&[Rect]>,
        least: f32,
    ) -> Result<Vec<Found>, VisionError> {
        let mut found = Vec::new();
        let is_wanted =
            |part: &Rect| wanted.is_none_or(|wanted| wanted.iter().any(|one| one.shared(part) > 0.0));
        for part in self.parts(picture, width) {
            let Some(part) = part else {
                found.extend(self.look(picture, width, least)?);
                continue;
            };
            if !is_wanted(&part) {
                continue;
            }
            let Some(cut) = picture.part(&part) else { continue };
            let (left, top) = (part.x.floor(), part.y.floor());
            for mut one in self.look(&cut, width, least)? {
                if cut_off(&one.rect, &part, picture) {
                    continue;
                }
                (one.rect.x, one.rect.y) = (one.rect.x + left, one.rect.y + top);
                one.quad = one.rect.corners();
                found.push(one);
            }
        }
        Ok(found)
    }

    /// The parts of a picture that are looked at; none stands for all of it.
    fn parts(&self, picture: &Picture, width: u32) -> Vec<Option<Rect>> {
        let (w, h) = (picture.width() as f32, picture.height() as f32);
        let whole = vec![None];
        let Some((side, _)) = self.side else { return whole };
        let side = side as f32;
        if width as f32 <= side * PARTS_FROM {
            return whole;
        }
        let side = side * w / width as f32;
        let starts = |length: f32| -> Vec<f32> {
            let more = ((length - side).max(0.0) / (side * (1.0 - SHARED))).ceil();
            let step = if more > 0.0 { (length - side) / more } else { 0.0 };
            (0..=more as usize).map(|i| i as f32 * step).collect()
        };
        let parts: Vec<_> = starts(h)
            .into_iter()
            .flat_map(|y| starts(w).into_iter().map(move |x| Some(Rect::new(x, y, side, side))))
            .collect();
        if parts.len() > MOST_PARTS { whole } else { parts }
    }

    fn look(&mut self, picture: &Picture, width: u32, least: f32) -> Result<Vec<Found>, VisionError> {
        let (h, w) = self.side.unwrap_or_else(|| {
            let height = u64::from(picture.height()) * u64::from(width) / u64::from(picture.width());
            (u32::try_from(height).unwrap_or(STEP).next_multiple_of(STEP), width.next_multiple_of(STEP))
        });
        let boxed = Letterbox::new(picture, w, h, crate::Scaling::Linear, GREY)?;
        let planes = boxed.picture.planes(|byte, _| f32::from(byte) / 255.0);
        let input = Tensor::new(vec![1, 3, h as usize, w as usize], planes)
            .ok_or_else(|| wrong("its input can't be made".to_owned()))?;
        let outputs = self.network.run(input)?;
        let answer = outputs.first().ok_or_else(|| wrong("it gave no output".to_owned()))?;
        let rows = rows(answer).ok_or_else(|| {
            wrong(format!(
                "its output has the shape {:?}; known are [boxes, 7], [1, boxes, 6] and [1, 4 + kinds, boxes]",
                answer.shape()
            ))
        })?;
        let wanted = |kind: usize| self.classes.is_empty() || self.classes.contains(&kind);
        let found = rows.into_iter().filter(|row| row.score >= least && wanted(row.kind)).filter_map(|row| {
            let rect = boxed.back(&row.rect).within(picture.width(), picture.height());
            let sound = rect.area().is_finite() && rect.area() >= 4.0;
            sound.then(|| Found { rect, quad: rect.corners(), score: row.score.min(1.0) })
        });
        Ok(found.collect())
    }
}

struct Row {
    rect: Rect,
    kind: usize,
    score: f32,
}

fn rows(answer: &Tensor) -> Option<Vec<Row>> {
    let data = answer.data();
    match *answer.shape() {
        [_, 7] => Some(data.chunks_exact(7).filter_map(sorted_by_picture).collect()),
        [1, n, 6] if n <= MOST_SORTED => Some(data.chunks_exact(6).filter_map(sorted).collect()),
        [1, fields, n] if fields >= 5 && n > fields => Some(raw(data, fields, n)),
        _ => None,
    }
}

fn sorted_by_picture(row: &[f32]) -> Option<Row> {
    let &[_, left, top, right, bottom, kind, score] = row else { return None };
    Some(Row { rect: between(left, top, right, bottom), kind: number(kind), score })
}

fn sorted(row: &[f32]) -> Option<Row> {
    let &[left, top, right, bottom, score, kind] = row else { return None };
    Some(Row { rect: between(left, top, right, bottom), kind: number(kind), score })
}

fn raw(data: &[f32], fields: usize, n: usize) -> Vec<Row> {
    let field = |field: usize, at: usize| data.get(field * n + at).copied().unwrap_or(0.0);
    (0..n)
        .map(|at| {
            let scores = (4..fields).map(|kind| (kind - 4, field(kind, at)));
            let (kind, score) = scores.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((0, 0.0));
            let (w, h) = (field(2, at), field(3, at));
            Row { rect: Rect::new(field(0, at) - w / 2.0, field(1, at) - h / 2.0, w, h), kind, score }
        })
        .collect()
}

fn between(left: f32, top: f32, right: f32, bottom: f32) -> Rect {
    Rect::new(left, top, right - left, bottom - top)
}

fn number(kind: f32) -> usize {
    kind.round().max(0.0) as usize
}

/// One input of pictures, and the first output.
fn choose(signature: &Signature) -> Result<Ports, String> {
    let [input] = signature.inputs.as_slice() else {
        return Err(format!("it has {} inputs, wanted is one", signature.inputs.len()));
    };
    let fits = match input.shape.as_slice() {
        &[one, three, h, w] => {
            let side =
                |side: Option<usize>| side.is_none_or(|side| (STEP as usize..=MOST_SIDE).contains(&side));
            one.unwrap_or(1) == 1 && three.unwrap_or(3) == 3 && side(h) && side(w)
        }
        _ => false,
    };
    if !fits {
        return Err(format!("its input is {}, wanted is [1, 3, height, width]", input.told()));
    }
    let output = signature.outputs.first().ok_or("it has no output")?;
    let known = match output.shape.as_slice() {
        &[_, last] => last.unwrap_or(7) == 7,
        &[one, _, _] => one.unwrap_or(1) == 1,
        [] => true,
        _ => false,
    };
    if !known {
        return Err(format!(
            "its output is {}; known are [boxes, 7], [1, boxes, 6] and [1, 4 + kinds, boxes]",
            output.told()
        ));
    }
    Ok(Ports { inputs: vec![input.name.clone()], outputs: vec![output.name.clone()] })
}

fn wrong(what: String) -> VisionError {
    VisionError::Shape { name: NAME.to_owned(), what }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_answer_is_read() {
        let answer = |shape: &[usize], data: Vec<f32>| rows(&Tensor::new(shape.to_vec(), data).unwrap());
        let told = |row: &Row| (row.rect.x, row.rect.y, row.rect.w, row.rect.h, row.kind, row.score);
        let by_picture = answer(&[1, 7], vec![0.0, 10.0, 20.0, 40.0, 30.0, 2.0, 0.9]).unwrap();
        assert_eq!(told(&by_picture[0]), (10.0, 20.0, 30.0, 10.0, 2, 0.9));
        let sorted = answer(&[1, 2, 6], [[10.0, 20.0, 40.0, 30.0, 0.9, 2.0], [0.0; 6]].concat()).unwrap();
        assert_eq!((sorted.len(), told(&sorted[0])), (2, (10.0, 20.0, 30.0, 10.0, 2, 0.9)));
        let mut data = vec![0.0; 6 * 8];
        for (field, value) in [25.0, 25.0, 30.0, 10.0, 0.2, 0.7].into_iter().enumerate() {
            data[field * 8 + 3] = value;
        }
        let raw = answer(&[1, 6, 8], data).unwrap();
        assert_eq!((raw.len(), told(&raw[3])), (8, (10.0, 20.0, 30.0, 10.0, 1, 0.7)));
        assert!(answer(&[1, 8400, 6], vec![0.0; 8400 * 6]).is_none(), "objectness, as YOLOv5 has it");
        assert!(answer(&[2, 3], vec![0.0; 6]).is_none());
    }
}

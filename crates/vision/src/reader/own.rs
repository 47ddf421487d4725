//! The reader that came with Canvass (`models/plate-reader`): letters, outline and make-up of one cut-out.

use super::{Look, likeliest, softmax};
use crate::{
    Contract, Driver, Homography, Inference, Picture, Point, Quad, Tensor, VisionError, formats, open,
};

const HEIGHT: usize = 64;
const WIDTH: usize = 192;
const PLACES: usize = 10;
const SIGNS: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const CLASSES: usize = SIGNS.len() + 1;
/// The make-ups that it tells apart, each by the group of places that has it.
const STYLES: [Option<&str>; 8] =
    [Some("US"), Some("EU"), Some("GB"), Some("BR"), Some("BR"), Some("AR"), Some("AR"), None];

/// What the reader must take and give.
pub(crate) const READER: Contract = Contract {
    model: "plate-reader",
    input: "plate",
    shape: &[0, 3, HEIGHT, WIDTH],
    outputs: &[("letters", &[0, PLACES, CLASSES]), ("outline", &[0, 8]), ("style", &[0, STYLES.len()])],
};

/// A first look this sure needs no second.
const SURE: f32 = 0.9;
/// A plate whose outline goes on this far beyond the cut-out may have lost a character.
const BEYOND: f32 = 0.04;
/// What such a look counts.
const CUT_OFF: f32 = 0.25;

pub(super) struct Own {
    network: Box<dyn Inference>,
    signs: Vec<Option<char>>,
}

/// One answer, and where it sees the plate's outline, in the cut-out's widths and heights.
struct Answer {
    look: Look,
    outline: Quad,
}

impl Answer {
    /// How far the plate goes on beyond the left or right edge of the cut-out, in its widths.
    fn beyond(&self) -> f32 {
        beyond(&self.outline)
    }
}

fn beyond(outline: &Quad) -> f32 {
    let [a, b, c, d] = outline.0;
    let left = (a.x + d.x) / -2.0;
    let right = (b.x + c.x) / 2.0 - 1.0;
    left.max(right).max(0.0)
}

impl Own {
    pub(super) fn new(driver: &Driver, model: Vec<u8>, threads: usize) -> Result<Self, VisionError> {
        let signs = SIGNS.iter().map(|&sign| Some(char::from(sign))).chain([None]).collect();
        Ok(Self { network: open(driver, READER, model, threads)?, signs })
    }

    pub(super) fn driver(&self) -> &'static str {
        self.network.driver()
    }

    /// Looks at one cut-out, and at others where that left doubts.
    pub(super) fn looks(
        &mut self,
        picture: &Picture,
        first: Quad,
        others: &[Quad],
    ) -> Result<Vec<Look>, VisionError> {
        let mut answers = self.look(picture, &[first])?;
        let clear = answers.first().filter(|answer| answer.beyond() < BEYOND);
        let sure = clear.and_then(|answer| answer.look.texts.first());
        let sure = sure.is_some_and(|(text, p)| *p >= SURE && formats::known(text));
        if !sure {
            let more = self.look(picture, others)?;
            // The widest view also says where the plate's outline is: look once more, just there.
            let nearer = more.last().zip(others.last()).and_then(|(answer, from)| {
                let map = Homography::of_unit(from)?;
                Some(Quad(answer.outline.0.map(|point| map.apply(point))).grown(1.06, 1.1))
            });
            answers.extend(more);
            if let Some(nearer) = nearer {
                answers.extend(self.look(picture, &[nearer])?);
            }
        }
        Ok(answers.into_iter().map(|answer| answer.look).collect())
    }

    fn look(&mut self, picture: &Picture, quads: &[Quad]) -> Result<Vec<Answer>, VisionError> {
        let mut data = Vec::with_capacity(quads.len() * 3 * HEIGHT * WIDTH);
        for quad in quads {
            picture.straighten(quad, WIDTH, HEIGHT, &mut data);
        }
        let wrong =
            || VisionError::Shape { name: READER.model.to_owned(), what: "it gave no three outputs".into() };
        let input = Tensor::new(vec![quads.len(), 3, HEIGHT, WIDTH], data).ok_or_else(wrong)?;
        let outputs = self.network.run(input)?;
        let [letters, outlines, styles] = outputs.as_slice() else { return Err(wrong()) };
        let answers = letters
            .data()
            .chunks_exact(PLACES * CLASSES)
            .zip(outlines.data().chunks_exact(8))
            .zip(styles.data().chunks_exact(STYLES.len()));
        Ok(answers.map(|((letters, outline), style)| self.answer(letters, outline, style)).collect())
    }

    fn answer(&self, letters: &[f32], outline: &[f32], style: &[f32]) -> Answer {
        let mut corners = [Point::default(); 4];
        for (corner, xy) in corners.iter_mut().zip(outline.chunks_exact(2)) {
            if let &[x, y] = xy {
                *corner = Point::new(x, y);
            }
        }
        let outline = Quad(corners);
        let weight = if beyond(&outline) > BEYOND * 1.5 { CUT_OFF } else { 1.0 };
        let styles = STYLES.iter().zip(softmax(style));
        let places = styles.filter_map(|(group, p)| Some(((*group)?.to_owned(), p))).collect();
        let rows = letters.chunks_exact(CLASSES).map(softmax);
        Answer { look: Look { texts: likeliest(rows, &self.signs), weight, places }, outline }
    }
}

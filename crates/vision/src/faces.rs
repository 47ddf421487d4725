//! Where faces are, so that they can be covered: CenterFace behind the seam. A face is a box and how sure the network is; the
//! network that is run has no other outputs (`models/faces/convert.py` cuts the rest off), and no face is compared with another.

use crate::{Contract, Driver, Inference, Picture, Rect, Tensor, VisionError, open};

/// What the network must take and give: for each place of a grid how sure it is of a face there, its size and its shift.
pub(crate) const FACES: Contract = Contract {
    model: "faces",
    input: "image",
    shape: &[1, 3, 0, 0],
    outputs: &[("heat", &[1, 1, 0, 0]), ("size", &[1, 2, 0, 0]), ("shift", &[1, 2, 0, 0])],
};

/// Step of the grid, in pixels.
const STEP: f32 = 4.0;
/// Sides of the input are multiples of this.
const UNIT: u32 = 32;
/// Boxes that overlap more than this are one face.
const SAME: f32 = 0.3;
/// The most faces of one picture.
const MOST: usize = 256;

/// A face that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Face {
    /// Its box, in the picture's pixels.
    pub rect: Rect,
    /// How sure the network is, 0 to 1.
    pub score: f32,
}

/// Finds faces.
pub struct Faces {
    network: Box<dyn Inference>,
}

impl Faces {
    /// On the bytes of its model.
    pub fn new(driver: &Driver, model: Vec<u8>, threads: usize) -> Result<Self, VisionError> {
        Ok(Self { network: open(driver, FACES, model, threads)? })
    }

    /// The faces of a picture scaled to `width` pixels, surest first, in the picture's own pixels.
    pub fn at_width(&mut self, picture: &Picture, width: u32, least: f32) -> Result<Vec<Face>, VisionError> {
        let scale = width as f32 / picture.width() as f32;
        let height = ((picture.height() as f32 * scale).round() as u32).max(1);
        let scaled = picture.scaled(width, height)?;
        let outputs = self.network.run(input(&scaled)?)?;
        let [heat, size, shift] = outputs.as_slice() else { return Err(wrong("it gave no three outputs")) };
        let mut found = decode(heat, size, shift, least)?;
        for face in &mut found {
            let r = face.rect;
            let whole = Rect::new(r.x / scale, r.y / scale, r.w / scale, r.h / scale);
            face.rect = whole.within(picture.width(), picture.height());
        }
        found.retain(|face| face.rect.area() >= 4.0);
        Ok(found)
    }
}

fn wrong(what: &str) -> VisionError {
    VisionError::Shape { name: FACES.model.to_owned(), what: what.to_owned() }
}

/// The picture in the upper left corner of planes of red, green and blue; the rest is black.
fn input(picture: &Picture) -> Result<Tensor, VisionError> {
    let (w, h) = (picture.width() as usize, picture.height() as usize);
    let (columns, rows) =
        (picture.width().next_multiple_of(UNIT) as usize, picture.height().next_multiple_of(UNIT) as usize);
    let mut data = Vec::with_capacity(3 * columns * rows);
    for channel in 0..3 {
        let start = data.len();
        for row in picture.rgb().chunks_exact(w * 3).take(h) {
            let line = data.len();
            data.extend(row.iter().skip(channel).step_by(3).map(|&byte| f32::from(byte)));
            data.resize(line + columns, 0.0);
        }
        data.resize(start + columns * rows, 0.0);
    }
    Tensor::new(vec![1, 3, rows, columns], data).ok_or_else(|| wrong("its input can't be made"))
}

/// Boxes, in the input's pixels, the surest of those that are one face.
fn decode(heat: &Tensor, size: &Tensor, shift: &Tensor, least: f32) -> Result<Vec<Face>, VisionError> {
    let &[_, _, rows, columns] = heat.shape() else { return Err(wrong("its heat has no four axes")) };
    let plane = rows * columns;
    if size.data().len() != plane * 2 || shift.data().len() != plane * 2 || heat.data().len() != plane {
        return Err(wrong("its outputs are of different sizes"));
    }
    // Down first, then across, in both.
    let ((heights, widths), (downs, acrosses)) = (size.data().split_at(plane), shift.data().split_at(plane));
    let places = heat.data().iter().zip(heights.iter().zip(widths)).zip(downs.iter().zip(acrosses));
    let mut found = Vec::new();
    for (place, ((&score, (h, w)), (down, across))) in places.enumerate() {
        if score < least {
            continue;
        }
        let (row, column) = ((place / columns) as f32, (place % columns) as f32);
        let (w, h) = (w.exp() * STEP, h.exp() * STEP);
        let (x, y) = ((column + across + 0.5) * STEP, (row + down + 0.5) * STEP);
        let rect = Rect::new(x - w / 2.0, y - h / 2.0, w, h);
        if rect.area().is_finite() && rect.x.is_finite() && rect.y.is_finite() {
            found.push(Face { rect, score });
        }
    }
    Ok(unique(found))
}

/// The surest of those that overlap.
pub(crate) fn unique(mut found: Vec<Face>) -> Vec<Face> {
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Face> = Vec::new();
    for one in found {
        if kept.len() < MOST && kept.iter().all(|other| other.rect.overlap(&one.rect) < SAME) {
            kept.push(one);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(channels: usize, data: Vec<f32>) -> Tensor {
        Tensor::new(vec![1, channels, 4, 6], data).unwrap()
    }

    #[test]
    fn boxes_are_where_the_heat_is() {
        let (mut heat, mut size, mut shift) = (vec![0.0; 24], vec![0.0; 48], vec![0.0; 48]);
        let place = 2 * 6 + 3;
        (heat[place], heat[place + 1]) = (0.9, 0.5);
        for at in [place, place + 1] {
            (size[at], size[24 + at]) = (5f32.ln(), 4f32.ln());
        }
        (shift[place], shift[24 + place]) = (0.25, -0.5);
        let found = decode(&tensor(1, heat), &tensor(2, size), &tensor(2, shift), 0.2).unwrap();
        assert_eq!(found.len(), 1, "the neighbour is the same face: {found:?}");
        let rect = found[0].rect;
        assert_eq!((rect.w.round(), rect.h.round()), (16.0, 20.0));
        assert_eq!((rect.centre().x, rect.centre().y), (12.0, 11.0));
    }

    #[test]
    fn outputs_that_do_not_fit_are_an_error() {
        let error =
            decode(&tensor(1, vec![1.0; 24]), &tensor(1, vec![0.0; 24]), &tensor(2, vec![0.0; 48]), 0.2);
        assert!(error.unwrap_err().to_string().contains("faces"));
        let endless = decode(
            &tensor(1, vec![1.0; 24]),
            &tensor(2, vec![f32::INFINITY; 48]),
            &tensor(2, vec![0.0; 48]),
            0.2,
        );
        assert!(endless.unwrap().is_empty());
    }

    #[test]
    fn a_picture_lies_in_the_corner_of_its_input() {
        let picture = Picture::new(2, 1, vec![10, 20, 30, 40, 50, 60]).unwrap();
        let input = input(&picture).unwrap();
        assert_eq!(input.shape(), [1, 3, 32, 32]);
        let at = |channel: usize, x: usize| input.data()[channel * 1024 + x];
        assert_eq!([at(0, 0), at(1, 0), at(2, 1), at(0, 2)], [10.0, 20.0, 60.0, 0.0]);
    }
}

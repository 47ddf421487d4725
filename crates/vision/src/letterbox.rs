//! A picture made to fit another shape as it is, with colour around it.

use crate::picture::Scaling;
use crate::{Picture, Rect, VisionError};

/// A picture in the middle of another one.
pub(crate) struct Letterbox {
    /// The whole.
    pub(crate) picture: Picture,
    scale: f32,
    left: f32,
    top: f32,
}

impl Letterbox {
    pub(crate) fn new(
        picture: &Picture,
        width: u32,
        height: u32,
        how: Scaling,
        around: [u8; 3],
    ) -> Result<Self, VisionError> {
        let scale = (width as f32 / picture.width() as f32).min(height as f32 / picture.height() as f32);
        let fit = |side: u32, most: u32| ((side as f32 * scale).round() as u32).clamp(1, most);
        let (w, h) = (fit(picture.width(), width), fit(picture.height(), height));
        let inner = picture.scaled_by(w, h, how)?;
        // The odd pixel is on the right and below.
        let (left, top) = ((width - w) / 2, (height - h) / 2);
        let mut rgb = around.repeat(width as usize * height as usize);
        let rows = rgb.chunks_exact_mut(width as usize * 3).skip(top as usize);
        for (row, from) in rows.zip(inner.rgb().chunks_exact(w as usize * 3)) {
            if let Some(to) = row.get_mut(left as usize * 3..(left + w) as usize * 3) {
                to.copy_from_slice(from);
            }
        }
        let whole = Picture::new(width, height, rgb).ok_or_else(|| VisionError::Picture {
            file: "picture".to_owned(),
            reason: "the size is out of range".to_owned(),
        })?;
        Ok(Self { picture: whole, scale, left: left as f32, top: top as f32 })
    }

    /// A box of the whole in the picture's own pixels.
    pub(crate) fn back(&self, rect: &Rect) -> Rect {
        let s = self.scale;
        Rect::new((rect.x - self.left) / s, (rect.y - self.top) / s, rect.w / s, rect.h / s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_is_in_the_middle_and_boxes_come_back() {
        let wide = Picture::new(40, 20, vec![200; 40 * 20 * 3]).unwrap();
        let boxed = Letterbox::new(&wide, 20, 20, Scaling::Linear, [114; 3]).unwrap();
        assert_eq!((boxed.picture.width(), boxed.picture.height()), (20, 20));
        assert_eq!((boxed.picture.pixel(0, 4), boxed.picture.pixel(0, 5)), ([114; 3], [200; 3]));
        assert_eq!((boxed.picture.pixel(19, 14), boxed.picture.pixel(19, 15)), ([200; 3], [114; 3]));
        assert_eq!(boxed.back(&Rect::new(5.0, 10.0, 10.0, 5.0)), Rect::new(10.0, 10.0, 20.0, 10.0));
    }
}

//! The colour of the body around a plate, named in CIELAB. An estimate: light, dirt and trim mislead it.

use crate::{Picture, Quad, Rect};

/// A colour's common name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Colour {
    /// Black.
    Black,
    /// Grey or silver.
    Grey,
    /// White.
    White,
    /// Red.
    Red,
    /// Orange or brown.
    Orange,
    /// Yellow or beige.
    Yellow,
    /// Green.
    Green,
    /// Blue.
    Blue,
    /// Purple or pink.
    Purple,
}

impl Colour {
    /// The colour above and beside a plate; none where the picture ends there.
    pub fn around(picture: &Picture, plate: &Quad) -> Option<Colour> {
        let b = plate.bounds();
        let places = [
            Rect::new(b.x, b.y - b.h * 1.3, b.w, b.h * 0.7),
            Rect::new(b.x - b.w * 0.55, b.y, b.w * 0.3, b.h),
            Rect::new(b.x + b.w * 1.25, b.y, b.w * 0.3, b.h),
        ];
        let mut seen = Vec::new();
        for place in places {
            let r = place.within(picture.width(), picture.height());
            for step in 0..144u8 {
                let (i, j) = (f32::from(step % 12), f32::from(step / 12));
                let (x, y) = (r.x + (i + 0.5) * r.w / 12.0, r.y + (j + 0.5) * r.h / 12.0);
                if r.area() >= 4.0 {
                    seen.push(lab(picture.pixel(x as i64, y as i64)));
                }
            }
        }
        let median = |of: fn(&[f32; 3]) -> f32| {
            let mut values: Vec<f32> = seen.iter().map(of).collect();
            values.sort_by(f32::total_cmp);
            values.get(values.len() / 2).copied()
        };
        Some(name(median(|c| c[0])?, median(|c| c[1])?, median(|c| c[2])?))
    }
}

fn name(l: f32, a: f32, b: f32) -> Colour {
    let chroma = a.hypot(b);
    if l < 18.0 && chroma < 14.0 {
        return Colour::Black;
    }
    if chroma < 11.0 {
        return match l {
            ..28.0 => Colour::Black,
            ..76.0 => Colour::Grey,
            _ => Colour::White,
        };
    }
    match b.atan2(a).to_degrees().rem_euclid(360.0) {
        ..42.0 | 345.0.. => Colour::Red,
        ..75.0 => Colour::Orange,
        ..105.0 => Colour::Yellow,
        ..190.0 => Colour::Green,
        ..300.0 => Colour::Blue,
        _ => Colour::Purple,
    }
}

/// sRGB to CIELAB (D65).
fn lab(rgb: [u8; 3]) -> [f32; 3] {
    let [r, g, b] = rgb.map(|v| {
        let v = f32::from(v) / 255.0;
        if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    });
    let f = |t: f32| if t > 0.008_856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
    let x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
    let y = f(0.2126 * r + 0.7152 * g + 0.0722 * b);
    let z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

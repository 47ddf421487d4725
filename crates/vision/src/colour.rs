//! Names of colours, told in CIELAB: of a vehicle's body, of a garment. Estimates: light, dirt and trim mislead them.

use crate::{Colour, Picture, Quad, Rect};
use canvass_footage::is_tint;

/// Places of a patch that are looked at, each way.
const GRID: u8 = 24;
/// A colour other than black, grey and white is named from this share of a patch on.
const TINTED: f32 = 0.34;

/// The colour of most of a patch, and which share of it has it; none where the patch is outside the picture.
pub(crate) fn of(picture: &Picture, patches: &[Rect]) -> Option<(Colour, f32)> {
    Shares::of(picture, patches)?.main()
}

/// The colour above and beside a plate; none where the picture ends there.
pub(crate) fn around(picture: &Picture, plate: &Quad) -> Option<Colour> {
    let b = plate.bounds();
    let places = [
        Rect::new(b.x, b.y - b.h * 1.3, b.w, b.h * 0.7),
        Rect::new(b.x - b.w * 0.55, b.y, b.w * 0.3, b.h),
        Rect::new(b.x + b.w * 1.25, b.y, b.w * 0.3, b.h),
    ];
    of(picture, &places).map(|(colour, _)| colour)
}

/// The colour of a vehicle's body: the lower two thirds of its box without the wheels' strip, the plate left out,
/// and what is around the plate once more.
pub(crate) fn of_vehicle(picture: &Picture, vehicle: &Rect, plate: Option<&Quad>) -> Option<Colour> {
    let v = vehicle;
    let mut patches = vec![
        Rect::new(v.x + v.w * 0.12, v.y + v.h * 0.38, v.w * 0.76, v.h * 0.2),
        Rect::new(v.x + v.w * 0.08, v.y + v.h * 0.58, v.w * 0.2, v.h * 0.2),
        Rect::new(v.x + v.w * 0.72, v.y + v.h * 0.58, v.w * 0.2, v.h * 0.2),
    ];
    if let Some(plate) = plate {
        let b = plate.bounds();
        patches.retain(|patch| patch.shared(&b) < patch.area() * 0.2);
        patches.push(Rect::new(b.x - b.w * 0.3, b.y - b.h * 1.6, b.w * 1.6, b.h * 1.1));
    }
    of(picture, &patches).map(|(colour, _)| colour)
}

/// Which share of a patch has which colour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Shares([f32; Colour::ALL.len()]);

impl Shares {
    /// Of some patches together; none where they are outside the picture.
    pub(crate) fn of(picture: &Picture, patches: &[Rect]) -> Option<Self> {
        let mut shares = [0.0f32; Colour::ALL.len()];
        let mut count = 0.0;
        for patch in patches {
            let r = patch.within(picture.width(), picture.height());
            if r.area() < 4.0 || r.area() < patch.area() * 0.3 {
                continue;
            }
            for step in 0..u16::from(GRID) * u16::from(GRID) {
                let (i, j) = (f32::from(step % u16::from(GRID)), f32::from(step / u16::from(GRID)));
                let (x, y) =
                    (r.x + (i + 0.5) * r.w / f32::from(GRID), r.y + (j + 0.5) * r.h / f32::from(GRID));
                let [l, a, b] = lab(picture.pixel(x as i64, y as i64));
                if let Some(share) = shares.get_mut(name(l, a, b) as usize) {
                    *share += 1.0;
                    count += 1.0;
                }
            }
        }
        (count > 0.0).then(|| Self(shares.map(|share| share / count)))
    }

    /// The share of one colour.
    pub(crate) fn share(&self, colour: Colour) -> f32 {
        self.0.get(colour as usize).copied().unwrap_or(0.0)
    }

    /// The colour that names it all: a tint from a third on, since shade and shine turn tints black, grey and white, and
    /// never the other way round; else the largest.
    pub(crate) fn main(&self) -> Option<(Colour, f32)> {
        let most = |tints: bool| {
            let each = Colour::ALL.iter().map(|colour| (*colour, self.share(*colour)));
            each.filter(|(colour, _)| is_tint(*colour) == tints).max_by(|a, b| a.1.total_cmp(&b.1))
        };
        let (tint, plain) = (most(true)?, most(false)?);
        Some(if tint.1 >= TINTED || tint.1 > plain.1 { tint } else { plain })
    }
}

/// The name of a colour of CIELAB: lightness 0 to 100, green to red, blue to yellow.
pub(crate) fn name(l: f32, a: f32, b: f32) -> Colour {
    let chroma = a.hypot(b);
    let dull = if l < 18.0 { 14.0 } else { 11.0 };
    if chroma < dull {
        return match l {
            ..28.0 => Colour::Black,
            ..76.0 => Colour::Grey,
            _ => Colour::White,
        };
    }
    match b.atan2(a).to_degrees().rem_euclid(360.0) {
        ..20.0 | 345.0.. if l > 62.0 => Colour::Pink,
        ..40.0 | 345.0.. if l > 20.0 || chroma > 20.0 => Colour::Red,
        ..40.0 | 345.0.. => Colour::Brown,
        ..75.0 if l < 48.0 => Colour::Brown,
        ..75.0 if chroma < 30.0 => Colour::Beige,
        ..75.0 => Colour::Orange,
        ..105.0 if chroma < 30.0 && l > 45.0 => Colour::Beige,
        ..105.0 if l < 40.0 => Colour::Brown,
        ..105.0 => Colour::Yellow,
        ..200.0 => Colour::Green,
        // The blue of screens is at 306.
        ..310.0 => Colour::Blue,
        ..330.0 => Colour::Purple,
        _ if l > 50.0 => Colour::Pink,
        _ => Colour::Purple,
    }
}

/// sRGB to CIELAB (D65).
pub(crate) fn lab(rgb: [u8; 3]) -> [f32; 3] {
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

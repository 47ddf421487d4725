//! Names of colours, told in CIELAB: of a vehicle's body, of a garment. Estimates: light, dirt and trim mislead them.

use crate::{Colour, Picture, Quad, Rect};
use canvass_footage::is_tint;
use std::cell::OnceCell;
use std::sync::LazyLock;

/// Places of a patch that are looked at, each way.
const GRID: u16 = 24;
/// Places of a vehicle's body that are looked at, each way.
const BODY_GRID: u16 = 40;
/// A colour other than black, grey and white is named from this share of a patch on.
const TINTED: f32 = 0.34;
/// Paint without a tint is lit from this lightness on: darker are glass, tyres, gaps and shade.
const LIT: f32 = 50.0;
/// A body of which this share is lit is light all over, whatever its glass and its bumper are.
const LIT_SHARE: f32 = 0.3;
/// Lit paint of this lightness is as likely white as grey; so far from it, it is certainly the one or the other.
const WHITE: f32 = 70.0;
const WHITE_SPAN: f32 = 20.0;
/// Paint that sends back less light than this share of what its own plate's ground does is not white.
const OF_PLATE: f32 = 0.7;

/// Pixels that the light of a picture is told from, about.
const LIGHT_PIXELS: f32 = 6000.0;
/// The brightest share of a picture, whose mean is taken as white.
const BRIGHTEST: f32 = 0.1;
/// How much light the brightest but three hundredths of a picture send back.
const BRIGHT: f32 = 0.8;
/// The most that a dim picture is brightened, and that one of red, green and blue is changed against the others.
const MOST_BRIGHTER: f32 = 4.0;
const MOST_TINT: f32 = 4.0;

/// Amounts of light, 0 to 1, of the bytes of sRGB.
static AMOUNTS: LazyLock<[f32; 256]> = LazyLock::new(|| {
    std::array::from_fn(|byte| {
        let v = byte as f32 / 255.0;
        if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    })
});

fn amounts(rgb: [u8; 3]) -> [f32; 3] {
    rgb.map(|byte| AMOUNTS.get(usize::from(byte)).copied().unwrap_or(0.0))
}

fn luminance([r, g, b]: [f32; 3]) -> f32 {
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// The light of a scene: what its red, green and blue are multiplied by, so that they are as in full daylight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Light([f32; 3]);

/// A picture, and its light once somebody asked for it.
pub(crate) struct Scene<'a> {
    pub(crate) picture: &'a Picture,
    light: OnceCell<Light>,
}

impl<'a> Scene<'a> {
    pub(crate) fn new(picture: &'a Picture) -> Self {
        Self { picture, light: OnceCell::new() }
    }

    pub(crate) fn light(&self) -> Light {
        *self.light.get_or_init(|| Light::of(self.picture))
    }
}

impl Light {
    /// Daylight: nothing is changed.
    pub(crate) const DAY: Self = Self([1.0; 3]);

    /// Told from what is brightest in a picture, which in most scenes is white or grey and tells how bright and of which
    /// tint the light is. A picture is brightened, never darkened: one that is too bright has lost its colours.
    pub(crate) fn of(picture: &Picture) -> Self {
        let pixels = picture.width() as f32 * picture.height() as f32;
        let step = (pixels / LIGHT_PIXELS).sqrt().max(1.0) as usize;
        let mut seen: Vec<(f32, [f32; 3])> = Vec::with_capacity(LIGHT_PIXELS as usize * 2);
        for y in (0..picture.height()).step_by(step) {
            for x in (0..picture.width()).step_by(step) {
                let light = amounts(picture.pixel(i64::from(x), i64::from(y)));
                seen.push((luminance(light), light));
            }
        }
        let at =
            |share: f32| ((seen.len() as f32 * (1.0 - share)) as usize).min(seen.len().saturating_sub(1));
        let (brightest, bright) = (at(BRIGHTEST), at(0.03));
        seen.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let most = seen.get(bright).map_or(0.0, |pixel| pixel.0);
        let gain = (BRIGHT / most.max(1e-3)).clamp(1.0, MOST_BRIGHTER);
        let mut sum = [0.0f32; 3];
        for (_, light) in seen.get(brightest..).unwrap_or_default() {
            for (sum, light) in sum.iter_mut().zip(light) {
                *sum += light;
            }
        }
        let mean = luminance(sum);
        if mean <= 0.0 {
            return Self::DAY;
        }
        Self(sum.map(|one| gain * (mean / one.max(1e-6)).clamp(1.0 / MOST_TINT, MOST_TINT)))
    }

    fn lab(self, rgb: [u8; 3]) -> [f32; 3] {
        let [r, g, b] = amounts(rgb);
        let [of_r, of_g, of_b] = self.0;
        to_lab([r * of_r, g * of_g, b * of_b].map(|light| light.min(1.0)))
    }
}

/// The colour of most of a patch, and which share of it has it; none where the patch is outside the picture.
pub(crate) fn of(picture: &Picture, light: Light, patches: &[Rect]) -> Option<(Colour, f32)> {
    Shares::of(picture, light, patches)?.main()
}

/// The colour above and beside a plate; none where the picture ends there.
pub(crate) fn around(picture: &Picture, light: Light, plate: &Quad) -> Option<Colour> {
    let b = plate.bounds();
    let places = [
        Rect::new(b.x, b.y - b.h * 1.3, b.w, b.h * 0.7),
        Rect::new(b.x - b.w * 0.55, b.y, b.w * 0.3, b.h),
        Rect::new(b.x + b.w * 1.25, b.y, b.w * 0.3, b.h),
    ];
    of(picture, light, &places).map(|(colour, _)| colour)
}

/// The colour of a vehicle's body.
pub(crate) fn of_vehicle(
    picture: &Picture,
    light: Light,
    vehicle: &Rect,
    plate: Option<&Quad>,
) -> Option<Colour> {
    Shares::of_body(picture, light, vehicle, plate)?.main().map(|(colour, _)| colour)
}

/// The places of a grid over what of a patch is in the picture.
fn places(r: Rect, grid: u16) -> impl Iterator<Item = (f32, f32)> {
    (0..grid * grid).map(move |step| {
        let (i, j) = (f32::from(step % grid), f32::from(step / grid));
        (r.x + (i + 0.5) * r.w / f32::from(grid), r.y + (j + 0.5) * r.h / f32::from(grid))
    })
}

/// Which share of a patch has which colour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Shares([f32; Colour::ALL.len()]);

impl Shares {
    /// Of some patches together; none where they are outside the picture.
    pub(crate) fn of(picture: &Picture, light: Light, patches: &[Rect]) -> Option<Self> {
        let mut shares = Self([0.0f32; Colour::ALL.len()]);
        let mut count = 0.0;
        for patch in patches {
            let r = patch.within(picture.width(), picture.height());
            if r.area() < 4.0 || r.area() < patch.area() * 0.3 {
                continue;
            }
            for (x, y) in places(r, GRID) {
                let [l, a, b] = light.lab(picture.pixel(x as i64, y as i64));
                shares.add(name(l, a, b), 1.0);
                count += 1.0;
            }
        }
        (count > 0.0).then(|| shares.scaled(1.0 / count))
    }

    /// Of a vehicle's body: its box without the roof, the wheels' strip, the edges and the plate. Where enough of it is
    /// lit and without a tint, that is the paint, and what is darker is not.
    pub(crate) fn of_body(
        picture: &Picture,
        light: Light,
        vehicle: &Rect,
        plate: Option<&Quad>,
    ) -> Option<Self> {
        let v = vehicle;
        let body = Rect::new(v.x + v.w * 0.1, v.y + v.h * 0.3, v.w * 0.8, v.h * 0.5);
        let body = body.within(picture.width(), picture.height());
        if body.area() < 16.0 {
            return None;
        }
        let hidden = plate.map(|plate| plate.grown(1.2, 1.3).bounds());
        let is_hidden =
            |x: f32, y: f32| hidden.is_some_and(|h| x > h.x && x < h.x + h.w && y > h.y && y < h.y + h.h);
        let mut shares = Self([0.0f32; Colour::ALL.len()]);
        let (mut count, mut lit) = (0.0f32, Vec::new());
        for (x, y) in places(body, BODY_GRID).filter(|(x, y)| !is_hidden(*x, *y)) {
            let [l, a, b] = light.lab(picture.pixel(x as i64, y as i64));
            let named = name(l, a, b);
            if l >= LIT && !is_tint(named) {
                lit.push(l);
            }
            shares.add(named, 1.0);
            count += 1.0;
        }
        if count < 1.0 {
            return None;
        }
        let shares = shares.scaled(1.0 / count);
        let tint = Colour::ALL.iter().filter(|colour| is_tint(**colour)).map(|colour| shares.share(*colour));
        let tint = tint.fold(0.0, f32::max);
        let lit_share = lit.len() as f32 / count;
        if lit_share < LIT_SHARE || tint >= TINTED || tint > lit_share {
            return Some(shares);
        }
        let middle = lit.len() / 2;
        let (_, paint, _) = lit.select_nth_unstable_by(middle, f32::total_cmp);
        let ground = plate.and_then(|plate| ground(picture, light, plate));
        Some(shares.painted(*paint, ground))
    }

    /// With everything that has no tint taken as paint of this lightness, next to a plate's ground of another one.
    fn painted(mut self, paint: f32, ground: Option<f32>) -> Self {
        let sent = |l: f32| ((l + 16.0) / 116.0).powi(3);
        let mut plain = 0.0;
        for colour in [Colour::Black, Colour::Grey, Colour::Silver, Colour::White] {
            if let Some(share) = self.0.get_mut(colour as usize) {
                plain += std::mem::take(share);
            }
        }
        let white = ((paint - WHITE) / WHITE_SPAN + 0.5).clamp(0.0, 1.0);
        let darker = ground.is_some_and(|ground| sent(paint) < OF_PLATE * sent(ground));
        self.add(if darker { Colour::Silver } else { Colour::White }, plain * white);
        self.add(Colour::Grey, plain * (1.0 - white));
        self
    }

    fn add(&mut self, colour: Colour, share: f32) {
        if let Some(sum) = self.0.get_mut(colour as usize) {
            *sum += share;
        }
    }

    fn scaled(self, by: f32) -> Self {
        Self(self.0.map(|share| share * by))
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

/// The lightness of a plate's ground: three quarters of the plate are darker, letters among them.
fn ground(picture: &Picture, light: Light, plate: &Quad) -> Option<f32> {
    let r = plate.bounds().within(picture.width(), picture.height());
    let mut all: Vec<f32> =
        places(r, GRID).map(|(x, y)| light.lab(picture.pixel(x as i64, y as i64))[0]).collect();
    let at = all.len() * 3 / 4;
    (r.area() >= 4.0).then(|| *all.select_nth_unstable_by(at, f32::total_cmp).1)
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

/// Amounts of red, green and blue light to CIELAB (D65).
fn to_lab([r, g, b]: [f32; 3]) -> [f32; 3] {
    let f = |t: f32| if t > 0.008_856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
    let x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
    let y = f(0.2126 * r + 0.7152 * g + 0.0722 * b);
    let z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A grey scene with a white wall, and a vehicle of one paint whose glass and bumper are black.
    fn street(paint: [u8; 3], light: [f32; 3]) -> Picture {
        let mut rgb = Vec::new();
        for y in 0..200 {
            for x in 0..300 {
                let inside = (100..200).contains(&x) && (60..160).contains(&y);
                let colour = match y {
                    _ if inside && (60..95).contains(&y) => [20, 22, 24],
                    _ if inside && (130..160).contains(&y) => [25, 25, 25],
                    _ if inside => paint,
                    0..40 => [235, 235, 235],
                    _ => [110, 110, 110],
                };
                rgb.extend(colour.iter().zip(light).map(|(byte, light)| (f32::from(*byte) * light) as u8));
            }
        }
        Picture::new(300, 200, rgb).unwrap()
    }

    const LIGHTS: [[f32; 3]; 4] = [[1.0; 3], [0.5; 3], [0.75, 0.6, 0.35], [0.7, 0.85, 1.0]];

    fn told(paint: [u8; 3], light: [f32; 3]) -> Option<Colour> {
        let picture = street(paint, light);
        of_vehicle(&picture, Light::of(&picture), &Rect::new(100.0, 60.0, 100.0, 100.0), None)
    }

    #[test]
    fn paint_is_told_by_what_is_white_in_the_scene() {
        for light in LIGHTS {
            assert_eq!(told([230, 230, 230], light), Some(Colour::White), "{light:?}");
            assert_eq!(told([130, 130, 130], light), Some(Colour::Grey), "{light:?}");
            assert_eq!(told([30, 30, 32], light), Some(Colour::Black), "{light:?}");
            assert_eq!(told([180, 25, 30], light), Some(Colour::Red), "{light:?}");
            assert_eq!(told([40, 70, 180], light), Some(Colour::Blue), "{light:?}");
        }
    }

    #[test]
    fn a_plate_that_is_much_lighter_makes_white_silver() {
        let plate = Rect::new(130.0, 105.0, 40.0, 12.0);
        let mut rgb = street([185, 186, 188], [1.0; 3]).rgb().to_vec();
        for y in 105..117 {
            rgb[(y * 300 + 130) * 3..][..40 * 3].fill(250);
        }
        let picture = Picture::new(300, 200, rgb).unwrap();
        let vehicle = Rect::new(100.0, 60.0, 100.0, 100.0);
        let told = |plate| of_vehicle(&picture, Light::DAY, &vehicle, plate);
        assert_eq!(told(None), Some(Colour::White));
        assert_eq!(told(Some(&plate.corners())), Some(Colour::Silver));
    }

    #[test]
    fn a_black_picture_has_no_light() {
        let black = Picture::new(20, 20, vec![0; 1200]).unwrap();
        assert_eq!(Light::of(&black), Light::DAY);
        let bright = Picture::new(20, 20, vec![250; 1200]).unwrap();
        let Light(gains) = Light::of(&bright);
        assert!(gains.iter().all(|gain| (gain - 1.0).abs() < 0.01), "never darkened: {gains:?}");
    }
}

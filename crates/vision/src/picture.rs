//! Pictures in memory: reading files within limits, scaling, cutting out.

use crate::{Homography, Point, Quad, Rect, VisionError};
use image::{DynamicImage, ImageDecoder, ImageReader, Limits};
use std::io::Cursor;
use std::path::Path;

/// The most pixels that a picture may have.
pub const MOST_PIXELS: u64 = 100_000_000;
/// The longest file of a picture, in bytes.
const MOST_BYTES: u64 = 64 << 20;

/// How a picture is scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scaling {
    /// Smoothly: every pixel counts, linear between them.
    #[default]
    Smooth,
    /// Smoothly, cubic between pixels: as the Python Imaging Library does.
    SmoothCubic,
    /// The nearest pixel.
    Nearest,
    /// Between the nearest four pixels, whatever the sizes: as OpenCV does.
    Linear,
    /// Between the nearest sixteen: as OpenCV does.
    Cubic,
    /// The mean of what a pixel covers.
    Area,
    /// Lanczos' window.
    Lanczos,
}

/// A picture: rows of red, green and blue bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

impl Picture {
    /// A picture of these bytes; none when their number isn't `width` × `height` × 3, or there are none.
    pub fn new(width: u32, height: u32, rgb: Vec<u8>) -> Option<Self> {
        let pixels = u64::from(width) * u64::from(height);
        let fits = pixels > 0 && pixels <= MOST_PIXELS && rgb.len() as u64 == pixels * 3;
        fits.then_some(Self { width, height, rgb })
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The bytes, row by row.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// Reads a JPEG or PNG file, turned upright as its EXIF says.
    pub fn open(path: &Path) -> Result<Self, VisionError> {
        let size = std::fs::metadata(path).map_err(|error| VisionError::io(path, error))?.len();
        if size > MOST_BYTES {
            return Err(bad(path, "the file is over 64 MiB; scale the picture down"));
        }
        let bytes = std::fs::read(path).map_err(|error| VisionError::io(path, error))?;
        Self::decode(&bytes, &path.display().to_string())
    }

    /// Reads a JPEG or PNG; `name` is for the error.
    pub fn decode(bytes: &[u8], name: &str) -> Result<Self, VisionError> {
        let fail = |error: image::ImageError| {
            bad(name, &format!("no readable JPEG or PNG picture ({error}); send the original file"))
        };
        let mut reader = ImageReader::new(Cursor::new(bytes))
            .with_guessed_format()
            .map_err(|error| bad(name, &error.to_string()))?;
        let mut limits = Limits::default();
        limits.max_image_width = Some(20_000);
        limits.max_image_height = Some(20_000);
        limits.max_alloc = Some(MOST_PIXELS * 4);
        reader.limits(limits);
        let mut decoder = reader.into_decoder().map_err(fail)?;
        let (w, h) = decoder.dimensions();
        if u64::from(w) * u64::from(h) > MOST_PIXELS {
            return Err(bad(name, &format!("{w}×{h} pixels are too many; scale the picture down")));
        }
        let turn = decoder.orientation().ok();
        let mut image = DynamicImage::from_decoder(decoder).map_err(fail)?;
        if let Some(turn) = turn {
            image.apply_orientation(turn);
        }
        let image = image.into_rgb8();
        let (width, height) = image.dimensions();
        Self::new(width, height, image.into_raw()).ok_or_else(|| bad(name, "the picture is empty"))
    }

    /// Paints over what lies between left, top, right and lower edge.
    pub(crate) fn fill(&mut self, (left, top, right, low): (u32, u32, u32, u32), colour: [u8; 3]) {
        let (from, until) = (left.min(self.width) as usize, right.min(self.width) as usize);
        let rows = self.rgb.chunks_exact_mut(self.width as usize * 3);
        for row in rows.take(low as usize).skip(top as usize) {
            for pixel in row.chunks_exact_mut(3).take(until).skip(from) {
                pixel.copy_from_slice(&colour);
            }
        }
    }

    /// The mean colour.
    pub(crate) fn mean(&self) -> [u8; 3] {
        let mut sums = [0u64; 3];
        for pixel in self.rgb.chunks_exact(3) {
            sums.iter_mut().zip(pixel).for_each(|(sum, byte)| *sum += u64::from(*byte));
        }
        let pixels = (self.rgb.len() as u64 / 3).max(1);
        sums.map(|sum| (sum / pixels) as u8)
    }

    /// The picture as a JPEG.
    pub fn jpeg(&self, quality: u8) -> Result<Vec<u8>, VisionError> {
        let mut out = Vec::new();
        image::codecs::jpeg::JpegEncoder::new_with_quality(&mut out, quality)
            .encode(&self.rgb, self.width, self.height, image::ExtendedColorType::Rgb8)
            .map_err(|error| bad("picture", &format!("can't be written as JPEG ({error})")))?;
        Ok(out)
    }

    /// The pixel at a place, the nearest one outside the picture's edges.
    pub fn pixel(&self, x: i64, y: i64) -> [u8; 3] {
        let x = x.clamp(0, i64::from(self.width) - 1) as usize;
        let y = y.clamp(0, i64::from(self.height) - 1) as usize;
        let at = (y * self.width as usize + x) * 3;
        match self.rgb.get(at..at + 3) {
            Some(&[r, g, b]) => [r, g, b],
            _ => [0; 3],
        }
    }

    /// The colour between pixels.
    pub fn sample(&self, at: Point) -> [f32; 3] {
        if !(at.x.is_finite() && at.y.is_finite()) {
            return [0.0; 3];
        }
        let (x, y) = (at.x - 0.5, at.y - 0.5);
        let (fx, fy) = (x.floor(), y.floor());
        let (ax, ay) = (x - fx, y - fy);
        let (ix, iy) = (fx as i64, fy as i64);
        let [a, b, c, d] =
            [self.pixel(ix, iy), self.pixel(ix + 1, iy), self.pixel(ix, iy + 1), self.pixel(ix + 1, iy + 1)];
        let mix = |a: u8, b: u8, c: u8, d: u8| {
            let top = f32::from(a) + (f32::from(b) - f32::from(a)) * ax;
            let low = f32::from(c) + (f32::from(d) - f32::from(c)) * ax;
            top + (low - top) * ay
        };
        [mix(a[0], b[0], c[0], d[0]), mix(a[1], b[1], c[1], d[1]), mix(a[2], b[2], c[2], d[2])]
    }

    /// What lies within four corners, straightened, as planes of red, green and blue from 0 to 1, appended to `out`.
    ///
    /// Each pixel is the mean of several samples where the picture has more pixels than the result.
    pub fn straighten(&self, quad: &Quad, width: usize, height: usize, out: &mut Vec<f32>) {
        let plane = width * height;
        let Some(map) = Homography::of_unit(quad) else {
            out.resize(out.len() + plane * 3, 0.0);
            return;
        };
        let (w, h) = quad.size();
        let times = |size: f32, to: usize| (size / to as f32).round().clamp(1.0, 6.0) as usize;
        let (nx, ny) = (times(w, width), times(h, height));
        let share = 1.0 / (255.0 * (nx * ny) as f32);
        let mut planes = [Vec::with_capacity(plane), Vec::with_capacity(plane), Vec::with_capacity(plane)];
        for row in 0..height {
            for column in 0..width {
                let mut sum = [0.0f32; 3];
                for j in 0..ny {
                    for i in 0..nx {
                        let u = (column as f32 + (i as f32 + 0.5) / nx as f32) / width as f32;
                        let v = (row as f32 + (j as f32 + 0.5) / ny as f32) / height as f32;
                        let c = self.sample(map.apply(Point::new(u, v)));
                        sum.iter_mut().zip(c).for_each(|(sum, c)| *sum += c);
                    }
                }
                planes.iter_mut().zip(sum).for_each(|(plane, sum)| plane.push(sum * share));
            }
        }
        planes.iter().for_each(|plane| out.extend_from_slice(plane));
    }

    /// The picture at another size.
    pub fn scaled(&self, width: u32, height: u32) -> Result<Picture, VisionError> {
        self.scaled_by(width, height, Scaling::Smooth)
    }

    /// The picture at another size, scaled in one of several ways.
    pub fn scaled_by(&self, width: u32, height: u32, how: Scaling) -> Result<Picture, VisionError> {
        use fast_image_resize::images::{TypedImage, TypedImageRef};
        use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer, pixels::U8x3};
        let fail = |error: &dyn std::fmt::Display| bad("picture", &format!("can't be scaled ({error})"));
        if (width, height) == (self.width, self.height) {
            return Ok(self.clone());
        }
        let (width, height) = (width.max(1), height.max(1));
        if u64::from(width) * u64::from(height) > MOST_PIXELS {
            return Err(fail(&"the size is out of range"));
        }
        // By its kind of pixel: the library's call for any kind takes minutes to compile.
        let from = TypedImageRef::<U8x3>::from_buffer(self.width, self.height, &self.rgb)
            .map_err(|error| fail(&error))?;
        let mut rgb = vec![0; width as usize * height as usize * 3];
        let mut to =
            TypedImage::<U8x3>::from_buffer(width, height, &mut rgb).map_err(|error| fail(&error))?;
        let how = ResizeOptions::new().resize_alg(match how {
            Scaling::Smooth => ResizeAlg::Convolution(FilterType::Bilinear),
            Scaling::SmoothCubic => ResizeAlg::Convolution(FilterType::CatmullRom),
            Scaling::Nearest => ResizeAlg::Nearest,
            Scaling::Linear => ResizeAlg::Interpolation(FilterType::Bilinear),
            Scaling::Cubic => ResizeAlg::Interpolation(FilterType::CatmullRom),
            Scaling::Area => ResizeAlg::Convolution(FilterType::Box),
            Scaling::Lanczos => ResizeAlg::Convolution(FilterType::Lanczos3),
        });
        Resizer::new().resize_typed(&from, &mut to, &how).map_err(|error| fail(&error))?;
        Picture::new(width, height, rgb).ok_or_else(|| fail(&"the size is out of range"))
    }

    /// What lies within four corners, straightened, as a picture; none where the corners lie on one line.
    pub(crate) fn flattened(&self, quad: &Quad, width: u32, height: u32) -> Option<Picture> {
        Homography::of_unit(quad)?;
        let mut planes = Vec::new();
        self.straighten(quad, width as usize, height as usize, &mut planes);
        let (red, rest) = planes.split_at_checked(width as usize * height as usize)?;
        let (green, blue) = rest.split_at_checked(red.len())?;
        let byte = |value: f32| (value * 255.0).round().clamp(0.0, 255.0) as u8;
        let pixels = red.iter().zip(green).zip(blue);
        Picture::new(width, height, pixels.flat_map(|((r, g), b)| [byte(*r), byte(*g), byte(*b)]).collect())
    }

    /// Planes of red, green and blue, each byte turned into a number; the second argument is the plane, 0 to 2.
    pub(crate) fn planes(&self, number: impl Fn(u8, usize) -> f32) -> Vec<f32> {
        let mut data = Vec::with_capacity(self.rgb.len());
        for plane in 0..3 {
            data.extend(self.rgb.iter().skip(plane).step_by(3).map(|&byte| number(byte, plane)));
        }
        data
    }

    /// The part within a box, cut to the picture's edges; none when nothing is left.
    pub fn part(&self, rect: &Rect) -> Option<Picture> {
        let r = rect.within(self.width, self.height);
        let (x, y) = (r.x.floor() as usize, r.y.floor() as usize);
        let (w, h) = (r.w.round() as usize, r.h.round() as usize);
        let w = w.min((self.width as usize).saturating_sub(x));
        let h = h.min((self.height as usize).saturating_sub(y));
        let mut rgb = Vec::with_capacity(w * h * 3);
        for row in self.rgb.chunks_exact(self.width as usize * 3).skip(y).take(h) {
            rgb.extend_from_slice(row.get(x * 3..(x + w) * 3)?);
        }
        Picture::new(w as u32, h as u32, rgb)
    }
}

fn bad(file: impl AsRef<Path>, reason: &str) -> VisionError {
    VisionError::Picture { file: file.as_ref().display().to_string(), reason: reason.to_owned() }
}

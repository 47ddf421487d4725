//! Points, boxes, corners, and the plane-to-plane maps between them.

/// A place in a picture, in pixels from its top left corner.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Point {
    /// To the right.
    pub x: f32,
    /// Downwards.
    pub y: f32,
}

impl Point {
    /// A point.
    pub fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    fn plus(self, by: Point, times: f32) -> Point {
        Point::new(self.x + by.x * times, self.y + by.y * times)
    }
}

/// An upright box.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rect {
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// Width.
    pub w: f32,
    /// Height.
    pub h: f32,
}

impl Rect {
    /// A box.
    pub fn new(x: f32, y: f32, w: f32, h: f32) -> Self {
        Self { x, y, w, h }
    }

    /// The area, 0 for a box turned inside out.
    pub fn area(&self) -> f32 {
        self.w.max(0.0) * self.h.max(0.0)
    }

    /// The middle.
    pub fn centre(&self) -> Point {
        Point::new(self.x + self.w / 2.0, self.y + self.h / 2.0)
    }

    /// The area that both cover.
    pub fn shared(&self, other: &Rect) -> f32 {
        let w = (self.x + self.w).min(other.x + other.w) - self.x.max(other.x);
        let h = (self.y + self.h).min(other.y + other.h) - self.y.max(other.y);
        w.max(0.0) * h.max(0.0)
    }

    /// Shared area over the area of both together.
    pub fn overlap(&self, other: &Rect) -> f32 {
        let shared = self.shared(other);
        shared / (self.area() + other.area() - shared).max(f32::EPSILON)
    }

    /// Shared area over the area of the smaller: 1 for a box inside the other.
    pub fn inside(&self, other: &Rect) -> f32 {
        self.shared(other) / self.area().min(other.area()).max(f32::EPSILON)
    }

    /// The box cut to a picture's edges.
    pub fn within(&self, width: u32, height: u32) -> Rect {
        let (w, h) = (width as f32, height as f32);
        let (x, y) = (self.x.clamp(0.0, w), self.y.clamp(0.0, h));
        Rect::new(x, y, (self.x + self.w).clamp(0.0, w) - x, (self.y + self.h).clamp(0.0, h) - y)
    }

    /// Its corners.
    pub fn corners(&self) -> Quad {
        let (r, b) = (self.x + self.w, self.y + self.h);
        Quad([Point::new(self.x, self.y), Point::new(r, self.y), Point::new(r, b), Point::new(self.x, b)])
    }
}

/// Four corners: top left, top right, bottom right, bottom left.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Quad(pub [Point; 4]);

impl Quad {
    /// The same corners in the order that this type promises, from whichever order.
    pub fn ordered(self) -> Quad {
        let c = self.centre();
        let mut points = self.0;
        points.sort_by(|a, b| f32::atan2(a.y - c.y, a.x - c.x).total_cmp(&f32::atan2(b.y - c.y, b.x - c.x)));
        Quad(points)
    }

    /// The mean of the corners.
    pub fn centre(&self) -> Point {
        let sum = self.0.iter().fold(Point::default(), |sum, p| sum.plus(*p, 1.0));
        Point::new(sum.x / 4.0, sum.y / 4.0)
    }

    /// The upright box around the corners.
    pub fn bounds(&self) -> Rect {
        let fold =
            |f: fn(f32, f32) -> f32, start: f32, of: fn(&Point) -> f32| self.0.iter().map(of).fold(start, f);
        let x = fold(f32::min, f32::MAX, |p| p.x);
        let y = fold(f32::min, f32::MAX, |p| p.y);
        let right = fold(f32::max, f32::MIN, |p| p.x);
        let bottom = fold(f32::max, f32::MIN, |p| p.y);
        Rect::new(x, y, right - x, bottom - y)
    }

    /// Grown about its middle, `fx` along its width and `fy` along its height.
    pub fn grown(&self, fx: f32, fy: f32) -> Quad {
        let [a, b, c, d] = self.0;
        let u = Point::new((b.x + c.x - a.x - d.x) / 4.0, (b.y + c.y - a.y - d.y) / 4.0);
        let v = Point::new((c.x + d.x - a.x - b.x) / 4.0, (c.y + d.y - a.y - b.y) / 4.0);
        let (kx, ky) = (fx - 1.0, fy - 1.0);
        Quad([
            a.plus(u, -kx).plus(v, -ky),
            b.plus(u, kx).plus(v, -ky),
            c.plus(u, kx).plus(v, ky),
            d.plus(u, -kx).plus(v, ky),
        ])
    }

    /// Length of the upper and the left edge.
    pub fn size(&self) -> (f32, f32) {
        let [a, b, _, d] = self.0;
        ((b.x - a.x).hypot(b.y - a.y), (d.x - a.x).hypot(d.y - a.y))
    }
}

/// A map of one plane onto another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Homography([f32; 9]);

impl Homography {
    /// The map that takes the unit square's corners to `quad`; none when the corners lie on one line.
    pub fn of_unit(quad: &Quad) -> Option<Self> {
        let [p0, p1, p2, p3] = quad.0;
        let (dx1, dy1) = (p1.x - p2.x, p1.y - p2.y);
        let (dx2, dy2) = (p3.x - p2.x, p3.y - p2.y);
        let (sx, sy) = (p0.x - p1.x + p2.x - p3.x, p0.y - p1.y + p2.y - p3.y);
        let det = dx1 * dy2 - dx2 * dy1;
        if !det.is_finite() || det.abs() < 1e-6 {
            return None;
        }
        let g = (sx * dy2 - dx2 * sy) / det;
        let h = (dx1 * sy - sx * dy1) / det;
        Some(Self([
            p1.x - p0.x + g * p1.x,
            p3.x - p0.x + h * p3.x,
            p0.x,
            p1.y - p0.y + g * p1.y,
            p3.y - p0.y + h * p3.y,
            p0.y,
            g,
            h,
            1.0,
        ]))
    }

    /// Where a point goes.
    pub fn apply(&self, p: Point) -> Point {
        let [a, b, c, d, e, f, g, h, i] = self.0;
        let w = g * p.x + h * p.y + i;
        let w = if w.abs() < 1e-9 { 1e-9 } else { w };
        Point::new((a * p.x + b * p.y + c) / w, (d * p.x + e * p.y + f) / w)
    }
}

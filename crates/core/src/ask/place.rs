//! The outline of an area: its size on the earth, whether it is one simple ring, and whether it lies inside another.
//!
//! An [`Area`] has seven decimals of a degree, so every corner is a whole number of 1e-7 degrees and all questions of
//! side and crossing are answered exactly, in integers.

use canvass_types::{Area, AskLimits, FieldProblem, Position};
use geo::{Coord, GeodesicArea as _, LineString, Polygon};

use super::problem;

/// Square metres in a square mile (international mile of 1609.344 m).
const SQUARE_MILE: f64 = 2_589_988.110_336;
/// Crossings that one answer names.
const MOST_NAMED: usize = 3;

/// A corner in half units of 1e-7 degree, so that the middle between two corners is whole too.
type Point = (i128, i128);

/// Size of an area on the WGS 84 ellipsoid in square miles (Karney's geodesic area; the winding does not matter).
pub fn area_sq_mi(area: &Area) -> f64 {
    let ring: LineString = area.ring().iter().map(|[x, y]| Coord { x: *x, y: *y }).collect();
    Polygon::new(ring, Vec::new()).geodesic_area_signed().abs() / SQUARE_MILE
}

/// Checks outline, size and place; gives the size in square miles when the outline is sound.
pub(super) fn check(
    area: &Area,
    jurisdiction: &Area,
    limits: &AskLimits,
    problems: &mut Vec<FieldProblem>,
) -> Option<f64> {
    if let Some(edge) = antimeridian(area.ring()) {
        problems.push(problem(
            "area",
            "antimeridian",
            format!("edge {edge} of the area crosses the 180th meridian or spans half the earth"),
            "ask in two requests, one on each side of the meridian",
        ));
        return None;
    }
    let points = points(area);
    let before = problems.len();
    outline(&points, problems);
    if problems.len() > before {
        return None;
    }
    let size = area_sq_mi(area);
    let rounded = (size * 10_000.0).round() / 10_000.0;
    if size < limits.min_area_sq_mi {
        problems.push(problem(
            "area",
            "too-small",
            format!("the area has {rounded} square miles; at least {} are needed", limits.min_area_sq_mi),
            "draw it wider, so that no single home is singled out",
        ));
    }
    if size > limits.max_area_sq_mi {
        problems.push(problem(
            "area",
            "too-large",
            format!("the area has {rounded} square miles; at most {} are allowed", limits.max_area_sq_mi),
            "draw it closer around the place of the incident",
        ));
    }
    if let Some(edge) = leaves(&points, &self::points(jurisdiction)) {
        problems.push(problem(
            "area",
            "outside-jurisdiction",
            format!("edge {edge} of the area lies outside your agency's jurisdiction, in whole or in part"),
            "draw the area inside the jurisdiction, or let the agency of that place ask",
        ));
    }
    Some(size)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a degree below 180 times 1e7 is far inside i64, and casts saturate"
)]
fn points(area: &Area) -> Vec<Point> {
    let whole = |degrees: f64| i128::from((degrees * 1e7).round() as i64) * 2;
    area.ring().iter().map(|[x, y]| (whole(*x), whole(*y))).collect()
}

fn antimeridian(ring: &[Position]) -> Option<usize> {
    let edges = ring.iter().zip(ring.iter().skip(1));
    edges.enumerate().find(|(_, (from, to))| (from[0] - to[0]).abs() >= 180.0).map(|(at, _)| at + 1)
}

// Twice the signed area of the triangle: positive when c lies left of a to b.
fn side(a: Point, b: Point, c: Point) -> i128 {
    (b.0 - a.0) * (c.1 - a.1) - (b.1 - a.1) * (c.0 - a.0)
}

fn dot(from: Point, a: Point, b: Point) -> i128 {
    (a.0 - from.0) * (b.0 - from.0) + (a.1 - from.1) * (b.1 - from.1)
}

fn on_segment(a: Point, b: Point, c: Point) -> bool {
    side(a, b, c) == 0 && dot(c, a, b) <= 0
}

fn cross_properly(a: Point, b: Point, c: Point, d: Point) -> bool {
    side(a, b, c).signum() * side(a, b, d).signum() < 0 && side(c, d, a).signum() * side(c, d, b).signum() < 0
}

fn meet(a: Point, b: Point, c: Point, d: Point) -> bool {
    cross_properly(a, b, c, d)
        || on_segment(a, b, c)
        || on_segment(a, b, d)
        || on_segment(c, d, a)
        || on_segment(c, d, b)
}

fn edges(ring: &[Point]) -> Vec<(Point, Point)> {
    ring.iter().copied().zip(ring.iter().skip(1).copied()).collect()
}

fn outline(ring: &[Point], problems: &mut Vec<FieldProblem>) {
    let edges = edges(ring);
    if let Some(at) = edges.iter().position(|(from, to)| from == to) {
        problems.push(problem(
            "area",
            "duplicate-corner",
            format!("corner {} of the area stands twice in a row", at + 1),
            "take one of the two corners out",
        ));
        return;
    }
    let next = edges.iter().cycle().skip(1);
    let spike =
        edges.iter().zip(next).position(|((a, b), (_, c))| side(*a, *b, *c) == 0 && dot(*b, *a, *c) > 0);
    if let Some(at) = spike {
        problems.push(problem(
            "area",
            "spike",
            format!(
                "the area has no width at corner {}: its outline runs back over itself",
                (at + 1) % edges.len() + 1
            ),
            "take that corner out",
        ));
        return;
    }
    let last = edges.len().saturating_sub(1);
    let mut named = Vec::new();
    for (first, (a, b)) in edges.iter().enumerate() {
        for (second, (c, d)) in edges.iter().enumerate().skip(first + 2) {
            let neighbours = first == 0 && second == last;
            if named.len() < MOST_NAMED && !neighbours && meet(*a, *b, *c, *d) {
                named.push(format!("{} and {}", first + 1, second + 1));
            }
        }
    }
    if !named.is_empty() {
        problems.push(problem(
            "area",
            "self-intersection",
            format!("the outline of the area crosses or touches itself: edges {}", named.join(", ")),
            "draw the corners in order around the area; edge 1 runs from the first corner to the second",
        ));
    }
}

// Inside or on the edge, by the even-odd rule.
fn covers(ring: &[(Point, Point)], point: Point) -> bool {
    let mut inside = false;
    for (a, b) in ring {
        if on_segment(*a, *b, point) {
            return true;
        }
        if (a.1 > point.1) != (b.1 > point.1) {
            let left = side(*a, *b, point) > 0;
            if left == (b.1 > a.1) {
                inside = !inside;
            }
        }
    }
    inside
}

// The first edge of `inner` (from 1) that is not wholly inside `outer`. An edge may run along the border or touch it.
fn leaves(inner: &[Point], outer: &[Point]) -> Option<usize> {
    let borders = edges(outer);
    let escapes = |(a, b): &(Point, Point)| {
        if borders.iter().any(|(c, d)| cross_properly(*a, *b, *c, *d)) {
            return true;
        }
        // Without a proper crossing the edge can only change sides at a corner of the border that lies on it.
        let mut stops: Vec<Point> =
            outer.iter().copied().filter(|corner| on_segment(*a, *b, *corner)).collect();
        stops.extend([*a, *b]);
        stops.sort_unstable();
        let middles = stops
            .iter()
            .zip(stops.iter().skip(1))
            .map(|(p, q)| (i128::midpoint(p.0, q.0), i128::midpoint(p.1, q.1)));
        !covers(&borders, *a)
            || !covers(&borders, *b)
            || middles.into_iter().any(|middle| !covers(&borders, middle))
    };
    edges(inner).iter().position(escapes).map(|at| at + 1)
}

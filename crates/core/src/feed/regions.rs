//! Which regions an area touches.

use std::collections::{BTreeSet, VecDeque};

use canvass_types::{Area, Position};
use h3o::{CellIndex, LatLng, Resolution};

/// The resolution of regions in H3.
pub const RESOLUTION: u8 = 3;
/// Cells of that resolution on the whole earth.
const ALL_CELLS: usize = 41_162;
/// A cell's edge is a line on H3's projection, an area's edge a line in degrees. Over an edge of some 70 km the two part by
/// less than this at every latitude where people live; a region too many costs nothing, one too few hides a request.
const MARGIN_DEGREES: f64 = 0.01;

/// Every H3 cell of resolution 3 that the area touches, or comes within about a kilometre of, as lower-case
/// hexadecimal, in order. Never empty.
pub fn regions(area: &Area) -> Vec<String> {
    let ring = area.ring();
    let mut known: BTreeSet<CellIndex> = BTreeSet::new();
    let mut queue = VecDeque::new();
    for [longitude, latitude] in ring {
        let Ok(place) = LatLng::new(*latitude, *longitude) else { continue };
        let cell = place.to_cell(Resolution::Three);
        if known.insert(cell) {
            queue.push_back(cell);
        }
    }
    // The cells that a connected area touches are connected: walk from the corners' cells to neighbours that touch.
    let mut refused = BTreeSet::new();
    while let Some(cell) = queue.pop_front().filter(|_| known.len() <= ALL_CELLS) {
        for neighbour in cell.grid_disk::<Vec<_>>(1) {
            if known.contains(&neighbour) || refused.contains(&neighbour) {
                continue;
            }
            if touches(ring, neighbour) {
                known.insert(neighbour);
                queue.push_back(neighbour);
            } else {
                refused.insert(neighbour);
            }
        }
    }
    known.into_iter().map(|cell| cell.to_string()).collect()
}

fn touches(ring: &[Position], cell: CellIndex) -> bool {
    let boundary = cell.boundary();
    let (Some(reference), Some(first)) = (ring.first(), boundary.first()) else { return false };
    // Longitudes are laid out around the area, so that a cell across the 180th meridian is whole.
    let near = |longitude: f64, middle: f64| middle + (longitude - middle + 180.0).rem_euclid(360.0) - 180.0;
    let middle = near(first.lng(), reference[0]);
    let shrink = first.lat().to_radians().cos().max(0.05);
    let mut outline: Vec<Position> =
        boundary.iter().map(|corner| [near(corner.lng(), middle) * shrink, corner.lat()]).collect();
    outline.extend(outline.first().copied());
    let ring: Vec<Position> = ring.iter().map(|[x, y]| [x * shrink, *y]).collect();
    let inside = ring.first().is_some_and(|corner| covers(&outline, *corner))
        || outline.first().is_some_and(|corner| covers(&ring, *corner));
    inside || edges(&ring).any(|one| edges(&outline).any(|other| distance(one, other) <= MARGIN_DEGREES))
}

type Edge = (Position, Position);

fn edges(ring: &[Position]) -> impl Iterator<Item = Edge> + '_ {
    ring.iter().copied().zip(ring.iter().skip(1).copied())
}

fn covers(ring: &[Position], [x, y]: Position) -> bool {
    let crossings = edges(ring)
        .filter(|([ax, ay], [bx, by])| (*ay > y) != (*by > y) && x < (bx - ax) * (y - ay) / (by - ay) + ax);
    crossings.count() % 2 == 1
}

fn side(a: Position, b: Position, c: Position) -> f64 {
    (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
}

fn to_segment(point: Position, (a, b): Edge) -> f64 {
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    let length = dx * dx + dy * dy;
    let share = if length > 0.0 { ((point[0] - a[0]) * dx + (point[1] - a[1]) * dy) / length } else { 0.0 };
    let share = share.clamp(0.0, 1.0);
    (point[0] - a[0] - share * dx).hypot(point[1] - a[1] - share * dy)
}

fn distance(one: Edge, other: Edge) -> f64 {
    let apart = |(a, b): Edge, (c, d): Edge| side(a, b, c) * side(a, b, d) < 0.0;
    if apart(one, other) && apart(other, one) {
        return 0.0;
    }
    let ends = [
        to_segment(one.0, other),
        to_segment(one.1, other),
        to_segment(other.0, one),
        to_segment(other.1, one),
    ];
    ends.into_iter().fold(f64::INFINITY, f64::min)
}

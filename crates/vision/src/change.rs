//! What changed in a view since it was last searched: a fixed camera shows the same street for hours, and only what moved in it
//! needs to be searched again.
//!
//! Frames are compared in blocks, for each width at which they are searched, with the frame that was last searched at that width:
//! what changes slowly adds up until it counts. What was found where nothing changed is still there.

use crate::{Found, Picture, Rect, VisionError};
use std::collections::BTreeMap;
use std::time::Duration;

/// Blocks across a frame: a plate that can be read covers several.
const ACROSS: u32 = 80;
/// A block has changed when the mean of a colour in it is further off than this, of 255.
const DIFFERENT: u8 = 8;
/// What is searched around blocks that changed, in pixels at the width of the search: what the network sees of a plate.
const MARGIN: f32 = 64.0;
/// From this share of the frame on all of it is searched.
const MOST_OF_IT: f32 = 0.7;
/// Parts of one frame; more are joined.
const MOST_PARTS: usize = 6;
/// Where something moves, the whole is searched this often all the same.
const AFRESH: Duration = Duration::from_secs(2);

/// What of a frame is to be searched.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Look {
    /// The width at which.
    pub(crate) width: u32,
    /// The parts of the frame, in its pixels; none: all of it.
    pub(crate) parts: Option<Vec<Rect>>,
    /// The blocks that changed.
    changed: Blocks,
    /// The size of a block in the frame's pixels.
    block: (f32, f32),
}

/// What was searched last at one width.
#[derive(Debug)]
struct Searched {
    small: Picture,
    whole: Duration,
    found: Vec<Found>,
}

/// What was searched of a view, by width.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    searched: BTreeMap<u32, Searched>,
}

impl Changes {
    /// What of a frame is to be searched at the first of these widths at which something changed; none where nothing did.
    ///
    /// What is searched then must be given to [`Changes::found`].
    pub(crate) fn next(
        &mut self,
        picture: &Picture,
        time: Duration,
        widths: impl Iterator<Item = u32>,
    ) -> Result<Option<(usize, Look)>, VisionError> {
        let down = (picture.height() * ACROSS).div_ceil(picture.width()).clamp(1, ACROSS * 4);
        let small = picture.scaled(ACROSS.min(picture.width()), down.min(picture.height()))?;
        let block =
            (picture.width() as f32 / small.width() as f32, picture.height() as f32 / small.height() as f32);
        for (turn, width) in widths.enumerate() {
            let before = self.searched.get(&width).filter(|before| same_size(&before.small, &small));
            let changed = Blocks::between(before.map(|before| &before.small), &small);
            if changed.is_none() {
                continue;
            }
            let fresh = before.is_some_and(|before| time.saturating_sub(before.whole) < AFRESH);
            let scale = width as f32 / picture.width() as f32;
            let parts = if fresh { parts(&changed, block, MARGIN / scale, picture) } else { None };
            let entry = self.searched.entry(width);
            let searched =
                entry.or_insert_with(|| Searched { small: small.clone(), whole: time, found: Vec::new() });
            searched.small = small;
            if parts.is_none() {
                (searched.whole, searched.found) = (time, Vec::new());
            }
            return Ok(Some((turn, Look { width, parts, changed, block })));
        }
        Ok(None)
    }

    /// Takes what a look found, and returns it with what was found before where nothing changed.
    pub(crate) fn found(&mut self, look: &Look, found: Vec<Found>) -> Vec<Found> {
        let Some(searched) = self.searched.get_mut(&look.width) else { return found };
        let still = searched.found.iter().filter(|one| !look.changed.touch(&one.rect, look.block));
        let all = crate::detect::unique(found.into_iter().chain(still.copied()).collect());
        searched.found.clone_from(&all);
        all
    }
}

fn same_size(a: &Picture, b: &Picture) -> bool {
    (a.width(), a.height()) == (b.width(), b.height())
}

/// The parts of a frame around what changed; none where they are nearly all of it.
fn parts(changed: &Blocks, block: (f32, f32), margin: f32, picture: &Picture) -> Option<Vec<Rect>> {
    let grown = |rect: Rect| {
        let wide = Rect::new(rect.x - margin, rect.y - margin, rect.w + margin * 2.0, rect.h + margin * 2.0);
        wide.within(picture.width(), picture.height())
    };
    let mut parts = joined(changed.areas(block).into_iter().map(grown).collect());
    if parts.len() > MOST_PARTS {
        let all = parts.iter().skip(1).fold(*parts.first()?, |all, part| around(&all, part));
        parts = vec![all];
    }
    let share = parts.iter().map(Rect::area).sum::<f32>() / (picture.width() * picture.height()) as f32;
    (share < MOST_OF_IT).then_some(parts)
}

/// Parts that share nothing: those that did become one.
fn joined(mut parts: Vec<Rect>) -> Vec<Rect> {
    let mut apart: Vec<Rect> = Vec::new();
    while let Some(mut part) = parts.pop() {
        let before = apart.len();
        apart.retain(|other| {
            let shares = part.shared(other) > 0.0;
            if shares {
                part = around(&part, other);
            }
            !shares
        });
        // Grown, it may reach others.
        if apart.len() == before { apart.push(part) } else { parts.push(part) }
    }
    apart
}

fn around(a: &Rect, b: &Rect) -> Rect {
    let (x, y) = (a.x.min(b.x), a.y.min(b.y));
    Rect::new(x, y, (a.x + a.w).max(b.x + b.w) - x, (a.y + a.h).max(b.y + b.h) - y)
}

/// Which blocks of a frame changed, row by row.
#[derive(Debug, Clone, PartialEq)]
struct Blocks {
    across: usize,
    changed: Vec<bool>,
}

impl Blocks {
    /// Those that differ; all of them where there is nothing to compare with.
    fn between(before: Option<&Picture>, now: &Picture) -> Self {
        let differ = |(a, b): (&[u8], &[u8])| a.iter().zip(b).any(|(a, b)| a.abs_diff(*b) > DIFFERENT);
        let changed = match before {
            Some(before) => before.rgb().chunks_exact(3).zip(now.rgb().chunks_exact(3)).map(differ).collect(),
            None => vec![true; now.rgb().len() / 3],
        };
        Self { across: now.width() as usize, changed }
    }

    fn is_none(&self) -> bool {
        !self.changed.contains(&true)
    }

    /// Whether one of them touches a box of the frame, or is next to it.
    fn touch(&self, rect: &Rect, (w, h): (f32, f32)) -> bool {
        let from = |at: f32, side: f32| ((at / side).floor() as i64 - 1).max(0) as usize;
        let until = |at: f32, side: f32| ((at / side).ceil() as i64 + 1).max(0) as usize;
        let rows = self.changed.chunks(self.across.max(1));
        rows.take(until(rect.y + rect.h, h)).skip(from(rect.y, h)).any(|row| {
            row.iter().take(until(rect.x + rect.w, w)).skip(from(rect.x, w)).any(|changed| *changed)
        })
    }

    /// The boxes around those that hang together, in the frame's pixels.
    fn areas(&self, (w, h): (f32, f32)) -> Vec<Rect> {
        let across = self.across.max(1);
        let mut left = self.changed.clone();
        let mut areas = Vec::new();
        while let Some(first) = left.iter().position(|changed| *changed) {
            let (mut x0, mut y0, mut x1, mut y1) = (usize::MAX, usize::MAX, 0, 0);
            let mut open = vec![first];
            while let Some(at) = open.pop() {
                let Some(changed @ true) = left.get_mut(at) else { continue };
                *changed = false;
                let (x, y) = (at % across, at / across);
                (x0, y0, x1, y1) = (x0.min(x), y0.min(y), x1.max(x + 1), y1.max(y + 1));
                for row in [at.checked_sub(across), Some(at), at.checked_add(across)].into_iter().flatten() {
                    let begins = if x > 0 { row - 1 } else { row };
                    open.extend(begins..=if x + 1 < across { row + 1 } else { row });
                }
            }
            let (x, y) = (x0 as f32 * w, y0 as f32 * h);
            areas.push(Rect::new(x, y, x1 as f32 * w - x, y1 as f32 * h - y));
        }
        areas
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Quad;
    use proptest::prelude::*;

    const WIDTHS: [u32; 3] = [1280, 640, 960];

    /// A street of 1280 × 720 with a grey square at a place.
    fn street(square: Option<(u32, u32)>) -> Picture {
        let mut picture = Picture::new(1280, 720, vec![60; 1280 * 720 * 3]).unwrap();
        if let Some((x, y)) = square {
            picture.fill((x, y, x + 64, y + 64), [160; 3]);
        }
        picture
    }

    fn at(x: f32, y: f32) -> Found {
        let rect = Rect::new(x, y, 60.0, 20.0);
        Found { rect, quad: Quad(rect.corners().0), score: 0.9 }
    }

    fn next(changes: &mut Changes, picture: &Picture, ms: u64) -> Option<(usize, Look)> {
        changes.next(picture, Duration::from_millis(ms), WIDTHS.into_iter()).unwrap()
    }

    #[test]
    fn every_width_searches_the_whole_first_and_then_nothing() {
        let mut changes = Changes::default();
        for (turn, width) in WIDTHS.into_iter().enumerate() {
            let (chosen, look) = next(&mut changes, &street(None), turn as u64).unwrap();
            assert_eq!((chosen, look.width, look.parts), (turn, width, None));
        }
        assert_eq!(next(&mut changes, &street(None), 9), None);
        assert_eq!(next(&mut changes, &street(None), 3_600_000), None, "however long it stays so");
    }

    #[test]
    fn what_moved_is_searched_where_it_was_and_where_it_is() {
        let mut changes = Changes::default();
        let one = [1280u32];
        let mut look = |square, ms| {
            let time = Duration::from_millis(ms);
            changes.next(&street(square), time, one.into_iter()).unwrap().map(|(_, look)| look)
        };
        look(Some((0, 0)), 0).unwrap();
        let parts = look(Some((640, 320)), 100).unwrap().parts.unwrap();
        assert_eq!(parts.len(), 2);
        for (x, y) in [(0.0, 0.0), (640.0, 320.0)] {
            let square = Rect::new(x, y, 64.0, 64.0);
            assert!(parts.iter().any(|part| square.inside(part) > 0.999), "{x}, {y}: {parts:?}");
        }
        assert!(parts.iter().map(Rect::area).sum::<f32>() < 200.0 * 200.0 * 2.0, "{parts:?}");
        assert_eq!(look(Some((700, 320)), 2100).unwrap().parts, None, "the whole, every two seconds");
    }

    #[test]
    fn what_was_found_stays_until_something_touches_it() {
        let mut changes = Changes::default();
        let (_, look) = next(&mut changes, &street(Some((0, 0))), 0).unwrap();
        assert_eq!(changes.found(&look, vec![at(20.0, 20.0), at(900.0, 500.0)]).len(), 2);
        let widths = || std::iter::once(1280);
        let (_, look) =
            changes.next(&street(Some((64, 0))), Duration::from_millis(100), widths()).unwrap().unwrap();
        assert_eq!(changes.found(&look, vec![at(84.0, 20.0)]), vec![at(84.0, 20.0), at(900.0, 500.0)]);
        let (_, look) = changes.next(&street(None), Duration::from_millis(200), widths()).unwrap().unwrap();
        assert_eq!(changes.found(&look, Vec::new()), vec![at(900.0, 500.0)], "it has gone");
    }

    #[test]
    fn light_that_changes_slowly_adds_up() {
        let grey = |value| Picture::new(640, 360, vec![value; 640 * 360 * 3]).unwrap();
        let mut changes = Changes::default();
        let mut searched = Vec::new();
        for step in 0..20u8 {
            let time = Duration::from_secs(step.into());
            if changes.next(&grey(100 + step), time, std::iter::once(640)).unwrap().is_some() {
                searched.push(step);
            }
        }
        assert_eq!(searched, [0, 9, 18]);
    }

    #[test]
    fn another_size_is_another_view() {
        let mut changes = Changes::default();
        let (_, look) = next(&mut changes, &street(None), 0).unwrap();
        changes.found(&look, vec![at(20.0, 20.0)]);
        let upright = Picture::new(720, 1280, vec![60; 1280 * 720 * 3]).unwrap();
        let (_, look) = next(&mut changes, &upright, 10).unwrap();
        assert_eq!((look.parts.as_ref(), changes.found(&look, Vec::new())), (None, Vec::new()));
        let sliver = Picture::new(3, 900, vec![60; 2700 * 3]).unwrap();
        assert!(next(&mut changes, &sliver, 20).is_some());
    }

    proptest! {
        #[test]
        fn parts_hold_all_that_changed_and_share_nothing(
            changed in proptest::collection::btree_set(0usize..80 * 45, 1..40),
        ) {
            let picture = street(None);
            let blocks = Blocks { across: 80, changed: (0..80 * 45).map(|at| changed.contains(&at)).collect() };
            if let Some(parts) = parts(&blocks, (16.0, 16.0), 64.0, &picture) {
                for at in changed {
                    let block = Rect::new((at % 80) as f32 * 16.0, (at / 80) as f32 * 16.0, 16.0, 16.0);
                    prop_assert!(parts.iter().any(|part| block.inside(part) > 0.999));
                    prop_assert!(blocks.touch(&block, (16.0, 16.0)));
                }
                for (i, part) in parts.iter().enumerate() {
                    prop_assert!(parts.iter().skip(i + 1).all(|other| part.shared(other) <= 0.0));
                }
            }
        }
    }
}

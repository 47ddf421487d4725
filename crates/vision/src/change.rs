//! What changed in a view since it was last searched: a fixed camera shows the same street for hours, and only what moved in it
//! needs to be searched again.
//!
//! Frames are compared in blocks, for each width at which they are searched, with the frame that was last searched at that width:
//! what changes slowly adds up until it counts. What was found where nothing changed is still there.

use crate::{Detector, Found, Picture, Rect, VisionError};
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
/// The width of searches where none is named.
const ANY_WIDTH: u32 = 1280;
/// Where something moves, the whole is searched this often all the same.
const AFRESH: Duration = Duration::from_secs(2);
/// And where nothing does, this often: for what came without a block that changed.
const AT_LEAST: Duration = Duration::from_secs(60);

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
struct Seen {
    small: Picture,
    /// When all of it was.
    whole: Duration,
}

/// Chooses what of each frame is searched; it knows pictures only, not what is found in them.
#[derive(Debug)]
pub(crate) struct Planner {
    widths: Vec<u32>,
    only_changes: bool,
    /// How many turns the widths had.
    turns: usize,
    seen: BTreeMap<u32, Seen>,
}

impl Planner {
    /// A planner that gives each of the widths its turn, and has all of every frame searched unless `only_changes`.
    pub(crate) fn new(widths: &[u32], only_changes: bool) -> Self {
        let widths = if widths.is_empty() { vec![ANY_WIDTH] } else { widths.to_vec() };
        Self { widths, only_changes, turns: 0, seen: BTreeMap::new() }
    }

    /// What of a frame is to be searched, at the next width at which something changed; none where nothing did.
    pub(crate) fn next(&mut self, picture: &Picture, time: Duration) -> Result<Option<Look>, VisionError> {
        let count = self.widths.len();
        let mut turns = self.widths.iter().copied().cycle().skip(self.turns % count).take(count);
        if !self.only_changes {
            self.turns += 1;
            return Ok(turns.next().map(Look::whole));
        }
        let down = picture.height().saturating_mul(ACROSS).div_ceil(picture.width()).clamp(1, ACROSS * 4);
        let small = picture.scaled(ACROSS.min(picture.width()), down.min(picture.height()))?;
        let side = |all: u32, blocks: u32| all as f32 / blocks as f32;
        let block = (side(picture.width(), small.width()), side(picture.height(), small.height()));
        let changed = turns.enumerate().find_map(|(turn, width)| {
            let counts = |before: &&Seen| {
                same_size(&before.small, &small) && time.saturating_sub(before.whole) < AT_LEAST
            };
            let before = self.seen.get(&width).filter(counts);
            let changed = Blocks::between(before.map(|before| &before.small), &small);
            (!changed.is_none()).then_some((turn, width, changed, before))
        });
        let Some((turn, width, changed, before)) = changed else { return Ok(None) };
        self.turns += turn + 1;
        let margin = MARGIN * picture.width() as f32 / width as f32;
        let recent = before.filter(|before| time.saturating_sub(before.whole) < AFRESH);
        let partly = recent.zip(parts(&changed, block, margin, picture));
        let (seen, parts) = match partly {
            Some((before, parts)) => {
                let seen = Seen { small: changed.of(&small, &before.small), whole: before.whole };
                (seen, Some(parts))
            }
            None => (Seen { small, whole: time }, None),
        };
        self.seen.insert(width, seen);
        Ok(Some(Look { width, parts, changed, block }))
    }
}

impl Look {
    /// All of a frame.
    fn whole(width: u32) -> Self {
        Self { width, parts: None, changed: Blocks { across: 0, changed: Vec::new() }, block: (1.0, 1.0) }
    }

    /// Searches what it says, for boxes from this score on.
    pub(crate) fn search(
        self,
        detector: &mut Detector,
        picture: &Picture,
        least: f32,
    ) -> Result<(Self, Vec<Found>), VisionError> {
        let found = detector.within(picture, self.width, self.parts.as_deref(), least)?;
        Ok((self, found))
    }

    /// Whether a part that is searched holds all of a box: a part that cuts a plate off does not find it.
    fn searched_all_of(&self, rect: &Rect) -> bool {
        let holds = |part: &Rect| part.shared(rect) > 0.999 * rect.area();
        self.parts.as_ref().is_none_or(|parts| parts.iter().any(holds))
    }
}

/// What was found of a view, by width.
#[derive(Debug, Default)]
pub(crate) struct Kept(BTreeMap<u32, Vec<Found>>);

impl Kept {
    /// Takes what a look found, and returns it with what was found before where nothing changed.
    pub(crate) fn with(&mut self, look: &Look, found: Vec<Found>) -> Vec<Found> {
        let kept = self.0.entry(look.width).or_default();
        if look.parts.is_none() {
            kept.clear();
        }
        let still = kept
            .iter()
            .filter(|one| !look.changed.touch(&one.rect, look.block) || !look.searched_all_of(&one.rect));
        let all = crate::detect::unique(found.into_iter().chain(still.copied()).collect());
        kept.clone_from(&all);
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

    /// A frame's blocks where they changed, those of the one before elsewhere.
    fn of(&self, now: &Picture, before: &Picture) -> Picture {
        let mut seen = before.clone();
        let (width, height) = (now.width(), now.height());
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        for ((x, y), _) in places.zip(&self.changed).filter(|(_, changed)| **changed) {
            seen.fill((x, y, x + 1, y + 1), now.pixel(x.into(), y.into()));
        }
        seen
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

    fn next(planner: &mut Planner, picture: &Picture, ms: u64) -> Option<Look> {
        planner.next(picture, Duration::from_millis(ms)).unwrap()
    }

    #[test]
    fn every_width_searches_the_whole_first_and_then_nothing() {
        let mut planner = Planner::new(&WIDTHS, true);
        for (turn, width) in WIDTHS.into_iter().enumerate() {
            let look = next(&mut planner, &street(None), turn as u64).unwrap();
            assert_eq!((look.width, look.parts), (width, None));
        }
        assert_eq!(next(&mut planner, &street(None), 9), None);
        assert_eq!(next(&mut planner, &street(None), 59_999), None);
        let again: Vec<_> = (60_002..60_006).map(|ms| next(&mut planner, &street(None), ms)).collect();
        assert!(again[..3].iter().flatten().all(|look| look.parts.is_none()));
        assert_eq!(again.iter().filter(|look| look.is_some()).count(), 3, "each once a minute");
    }

    #[test]
    fn a_width_that_saw_it_leaves_its_turn_to_one_that_did_not() {
        let mut planner = Planner::new(&[1280, 640, 960, 640], true);
        let widths: Vec<_> =
            (0..6).map(|i| next(&mut planner, &street(None), i).map(|look| look.width)).collect();
        assert_eq!(widths, [Some(1280), Some(640), Some(960), None, None, None]);
        let moved: Vec<_> =
            (6..10).filter_map(|i| next(&mut planner, &street(Some((400, 300))), i)).collect();
        assert_eq!(moved.iter().map(|look| look.width).collect::<Vec<_>>(), [640, 1280, 960]);
        assert!(moved.iter().all(|look| look.parts.is_some()));
    }

    #[test]
    fn all_of_every_frame_is_searched_where_that_is_wanted() {
        let mut planner = Planner::new(&WIDTHS, false);
        let mut kept = Kept::default();
        for turn in 0..6usize {
            let look = next(&mut planner, &street(None), turn as u64).unwrap();
            assert_eq!((look.width, &look.parts), (WIDTHS[turn % 3], &None));
            let found = if turn < 3 { vec![at(20.0, 20.0)] } else { Vec::new() };
            assert_eq!(kept.with(&look, found.clone()), found);
        }
        assert_eq!(next(&mut Planner::new(&[], true), &street(None), 0).unwrap().width, ANY_WIDTH);
    }

    #[test]
    fn what_moved_is_searched_where_it_was_and_where_it_is() {
        let mut planner = Planner::new(&[1280], true);
        next(&mut planner, &street(Some((0, 0))), 0).unwrap();
        let parts = next(&mut planner, &street(Some((640, 320))), 100).unwrap().parts.unwrap();
        assert_eq!(parts.len(), 2);
        for (x, y) in [(0.0, 0.0), (640.0, 320.0)] {
            let square = Rect::new(x, y, 64.0, 64.0);
            assert!(parts.iter().any(|part| square.inside(part) > 0.999), "{x}, {y}: {parts:?}");
        }
        assert!(parts.iter().map(Rect::area).sum::<f32>() < 200.0 * 200.0 * 2.0, "{parts:?}");
        let later = next(&mut planner, &street(Some((700, 320))), 2100).unwrap();
        assert_eq!(later.parts, None, "the whole, every two seconds");
    }

    #[test]
    fn what_was_found_stays_until_something_touches_it() {
        let (mut planner, mut kept) = (Planner::new(&[1280], true), Kept::default());
        let look = next(&mut planner, &street(Some((0, 0))), 0).unwrap();
        assert_eq!(kept.with(&look, vec![at(20.0, 20.0), at(900.0, 500.0)]).len(), 2);
        let look = next(&mut planner, &street(Some((64, 0))), 100).unwrap();
        assert_eq!(kept.with(&look, vec![at(84.0, 20.0)]), vec![at(84.0, 20.0), at(900.0, 500.0)]);
        let look = next(&mut planner, &street(None), 200).unwrap();
        assert_eq!(kept.with(&look, Vec::new()), vec![at(900.0, 500.0)], "it has gone");
    }

    #[test]
    fn what_a_part_cuts_off_stays_until_the_whole_is_searched() {
        let (mut planner, mut kept) = (Planner::new(&[1280], true), Kept::default());
        let look = next(&mut planner, &street(None), 0).unwrap();
        let mut near = at(300.0, 300.0);
        near.rect = Rect::new(300.0, 300.0, 400.0, 120.0);
        kept.with(&look, vec![near]);
        let mut picture = street(None);
        picture.fill((320, 304, 336, 320), [200; 3]);
        let look = next(&mut planner, &picture, 100).unwrap();
        assert_eq!(kept.with(&look, Vec::new()), vec![near], "a moth on a plate that is near");
        let look = next(&mut planner, &street(None), 2100).unwrap();
        assert_eq!(kept.with(&look, Vec::new()), Vec::new());
    }

    #[test]
    fn light_that_changes_slowly_adds_up() {
        let grey = |value| Picture::new(640, 360, vec![value; 640 * 360 * 3]).unwrap();
        let mut planner = Planner::new(&[640], true);
        let searched =
            (0..20u8).filter(|&step| next(&mut planner, &grey(100 + step), u64::from(step) * 1000).is_some());
        assert_eq!(searched.collect::<Vec<_>>(), [0, 9, 18]);
    }

    #[test]
    fn it_adds_up_where_something_else_moves() {
        let mut planner = Planner::new(&[1280], true);
        let parts = (0..20u8).map(|step| {
            let mut picture = street(Some((u32::from(step) * 16, 0)));
            picture.fill((1100, 600, 1280, 720), [60 + step; 3]);
            next(&mut planner, &picture, u64::from(step) * 50).unwrap().parts
        });
        let corner = Rect::new(1100.0, 600.0, 100.0, 100.0);
        let seen = |part: &Rect| corner.inside(part) > 0.9;
        let looked = parts.map(|parts| parts.is_none_or(|parts| parts.iter().any(seen)));
        let steps: Vec<_> = looked.enumerate().filter(|(_, looked)| *looked).map(|(step, _)| step).collect();
        assert_eq!(steps, [0, 9, 18]);
    }

    #[test]
    fn another_size_is_another_view() {
        let (mut planner, mut kept) = (Planner::new(&[1280], true), Kept::default());
        let look = next(&mut planner, &street(None), 0).unwrap();
        kept.with(&look, vec![at(20.0, 20.0)]);
        let upright = Picture::new(720, 1280, vec![60; 1280 * 720 * 3]).unwrap();
        let look = next(&mut planner, &upright, 10).unwrap();
        assert_eq!((look.parts.as_ref(), kept.with(&look, Vec::new())), (None, Vec::new()));
        let sliver = Picture::new(3, 900, vec![60; 2700 * 3]).unwrap();
        assert!(next(&mut planner, &sliver, 20).is_some());
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

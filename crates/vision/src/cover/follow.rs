//! From boxes of frames to boxes through time, grown in space and time so that nobody shows between frames.

use super::look::{Seen, around, grown};
use super::{CoverBox, CoverKey, MOST_BOXES, Reason, Style};
use crate::{Found, Point, Rect, Tracker};
use std::collections::BTreeMap;
use std::time::Duration;

/// A box hides this long before it was first and after it was last seen.
const MARGIN: Duration = Duration::from_millis(600);
/// Grown on each side by this share of its size, for what moves between frames.
const GROWTH: f32 = 0.18;
/// Grown on each side by at least this share of the picture's longer side.
const LEAST_GROWTH: f32 = 0.003;
/// A key is left out where the way without it is off by less than this share of the box's size.
const OFF: f32 = 0.07;
/// The most keys between two that stay.
const STRETCH: usize = 240;
/// Smallest side of a box, as a share of the picture: the editor's.
const LEAST_SIDE: f64 = 0.01;
/// What was seen in a single frame of a video, less surely than this, is left out.
const GLANCE: f32 = 0.32;

/// One thing's way through the recording.
#[derive(Debug, Clone, Default)]
struct Way {
    keys: Vec<(Duration, Rect)>,
    reasons: BTreeMap<Reason, usize>,
    score: f32,
}

/// The ways of all things.
#[derive(Debug, Default)]
pub(crate) struct Ways {
    heads: Tracker,
    plates: Tracker,
    /// By whether it is a plate, and by the tracker's number.
    ways: BTreeMap<(bool, u64), Way>,
    /// What came when as many were followed as can be: each is a box of its own.
    more: Vec<Way>,
    frames: usize,
}

impl Ways {
    /// What one frame shows.
    pub(crate) fn see(&mut self, time: Duration, seen: &[Seen]) {
        self.frames += 1;
        for plates in [false, true] {
            let these: Vec<&Seen> =
                seen.iter().filter(|one| (one.reason == Reason::Plate) == plates).collect();
            let found: Vec<Found> = these
                .iter()
                .map(|one| Found { rect: one.rect, quad: one.rect.corners(), score: one.score })
                .collect();
            let tracker = if plates { &mut self.plates } else { &mut self.heads };
            for (one, (id, _)) in these.into_iter().zip(tracker.assign(time, &found)) {
                let way = if id > 0 {
                    self.ways.entry((plates, id)).or_default()
                } else {
                    self.more.push(Way::default());
                    let Some(way) = self.more.last_mut() else { continue };
                    way
                };
                way.keys.push((time, one.rect));
                *way.reasons.entry(one.reason).or_default() += 1;
                way.score = way.score.max(one.score);
            }
            // No plate is read here, so that what ends has nothing to tell.
            tracker.finished();
        }
    }

    /// The boxes, by when they begin.
    pub(crate) fn finish(self, size: (u32, u32), end: Duration, style: Style) -> Vec<CoverBox> {
        let video = self.frames > 1;
        let believed = |way: &Way| !video || way.keys.len() > 1 || way.score >= GLANCE;
        let mut ways: Vec<Way> = self.ways.into_values().chain(self.more).filter(believed).collect();
        // Where there are too many, what was seen longest stays.
        ways.sort_by_key(|way| std::cmp::Reverse(way.keys.len()));
        ways.truncate(MOST_BOXES);
        ways.sort_by_key(|way| way.keys.first().map(|(time, _)| *time));
        let mut counts: BTreeMap<Reason, usize> = BTreeMap::new();
        ways.into_iter()
            .filter_map(|way| {
                let reason = way.reason()?;
                let number = counts.entry(reason).or_default();
                *number += 1;
                way.into_box(format!("{}-{number}", reason.as_str()), reason, size, end, style)
            })
            .collect()
    }
}

impl Way {
    /// A head with a face in any frame is a face.
    fn reason(&self) -> Option<Reason> {
        self.reasons.keys().next().copied()
    }

    fn into_box(
        self,
        id: String,
        reason: Reason,
        size: (u32, u32),
        end: Duration,
        style: Style,
    ) -> Option<CoverBox> {
        let least = size.0.max(size.1) as f32 * LEAST_GROWTH;
        let steady = steady(&self.keys);
        let keys: Vec<(Duration, Rect)> = steady
            .iter()
            .map(|(time, rect)| {
                let wide = grown(rect, GROWTH);
                let (x, y) = ((rect.x - least).min(wide.x), (rect.y - least).min(wide.y));
                let (right, low) = (
                    (rect.x + rect.w + least).max(wide.x + wide.w),
                    (rect.y + rect.h + least).max(wide.y + wide.h),
                );
                (*time, Rect::new(x, y, right - x, low - y))
            })
            .collect();
        let ((first, _), (last, _)) = (*keys.first()?, *keys.last()?);
        let (from, until) = (first.saturating_sub(MARGIN), (last + MARGIN).min(end.max(last)));
        let keys = with_ends(keys, from, until);
        let keys = thinned(&keys);
        Some(CoverBox {
            id,
            reason: Some(reason),
            style,
            from: rounded(from.as_secs_f64()),
            until: rounded(until.as_secs_f64()),
            keys: keys.iter().map(|(time, rect)| key(*time, rect, size)).collect(),
        })
    }
}

/// Each box as large as its neighbours in time: one frame in which less was found uncovers nothing.
fn steady(keys: &[(Duration, Rect)]) -> Vec<(Duration, Rect)> {
    let at = |i: Option<usize>| i.and_then(|i| keys.get(i)).map(|(_, rect)| *rect);
    keys.iter()
        .enumerate()
        .map(|(i, (time, rect))| {
            let sides = [at(i.checked_sub(1)), at(i.checked_add(1))].into_iter().flatten();
            let (w, h) = sides.fold((rect.w, rect.h), |(w, h), other| (w.max(other.w), h.max(other.h)));
            let c = rect.centre();
            (*time, Rect::new(c.x - w / 2.0, c.y - h / 2.0, w, h))
        })
        .collect()
}

/// The way with its two ends: where it may have come from and may have gone to, and where it was seen, both.
fn with_ends(mut keys: Vec<(Duration, Rect)>, from: Duration, until: Duration) -> Vec<(Duration, Rect)> {
    let speed = |a: &(Duration, Rect), b: &(Duration, Rect)| {
        let seconds = b.0.saturating_sub(a.0).as_secs_f32().max(1e-3);
        let (p, q) = (a.1.centre(), b.1.centre());
        Point::new((q.x - p.x) / seconds, (q.y - p.y) / seconds)
    };
    let moved = |rect: &Rect, by: Point, seconds: f32| {
        // No farther than its own size: what is shaky at its end does not fly off.
        let most = rect.w.max(rect.h);
        let (dx, dy) = ((by.x * seconds).clamp(-most, most), (by.y * seconds).clamp(-most, most));
        around(rect, &Rect { x: rect.x + dx, y: rect.y + dy, ..*rect })
    };
    let span = keys.len().min(4);
    let (Some(first), Some(last)) = (keys.first().copied(), keys.last().copied()) else { return keys };
    let start = keys.get(span.saturating_sub(1)).map_or(Point::default(), |later| speed(&first, later));
    let ending = keys.get(keys.len() - span).map_or(Point::default(), |earlier| speed(earlier, &last));
    if until > last.0 {
        keys.push((until, moved(&last.1, ending, (until - last.0).as_secs_f32())));
    }
    if from < first.0 {
        keys.insert(0, (from, moved(&first.1, start, -(first.0 - from).as_secs_f32())));
    }
    keys
}

/// The keys that are needed: between those that stay, the straight way is hardly off.
fn thinned(keys: &[(Duration, Rect)]) -> Vec<(Duration, Rect)> {
    let mut kept = Vec::new();
    let mut start = 0;
    while let Some(first) = keys.get(start) {
        kept.push(*first);
        let mut end = start + 1;
        while end + 1 < keys.len()
            && end - start < STRETCH
            && straight(keys.get(start..=end + 1).unwrap_or_default())
        {
            end += 1;
        }
        start = end;
    }
    kept
}

/// Whether the way from the first to the last of these passes near all between them.
fn straight(keys: &[(Duration, Rect)]) -> bool {
    let ([first, .., last], true) = (keys, keys.len() > 2) else { return true };
    let span = last.0.saturating_sub(first.0).as_secs_f32().max(1e-3);
    keys.iter().all(|(time, rect)| {
        let share = time.saturating_sub(first.0).as_secs_f32() / span;
        let mix = |a: f32, b: f32| a + (b - a) * share;
        let off = OFF * rect.w.min(rect.h);
        let near = |a: f32, b: f32, c: f32| (mix(a, b) - c).abs() <= off;
        let (a, b) = (&first.1, &last.1);
        near(a.x, b.x, rect.x)
            && near(a.y, b.y, rect.y)
            && near(a.x + a.w, b.x + b.w, rect.x + rect.w)
            && near(a.y + a.h, b.y + b.h, rect.y + rect.h)
    })
}

/// A rectangle as shares of the picture, within it and no smaller than the editor's smallest.
fn key(time: Duration, rect: &Rect, (width, height): (u32, u32)) -> CoverKey {
    let inside = rect.within(width, height);
    let share = |value: f32, of: u32| f64::from(value) / f64::from(of.max(1));
    let side = |value: f64| value.clamp(LEAST_SIDE, 1.0);
    let (w, h) = (side(share(inside.w, width)), side(share(inside.h, height)));
    CoverKey {
        at: rounded(time.as_secs_f64()),
        x: rounded(share(inside.x, width).clamp(0.0, 1.0 - w)),
        y: rounded(share(inside.y, height).clamp(0.0, 1.0 - h)),
        width: rounded(w),
        height: rounded(h),
    }
}

/// Four digits are enough for a pixel and a tenth of a millisecond.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (u32, u32) = (1000, 500);

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    fn head(x: f32, reason: Reason) -> Seen {
        Seen { reason, rect: Rect::new(x, 100.0, 40.0, 40.0), score: 0.6 }
    }

    /// Where a box is, as the editor reckons it.
    fn at(one: &CoverBox, time: f64) -> CoverKey {
        super::super::paint::place_at(one, time)
    }

    #[test]
    fn a_walker_is_one_box_that_always_covers_them() {
        let mut ways = Ways::default();
        for n in 0..30u64 {
            // Lost for three frames on the way.
            let seen = if (10..13).contains(&n) {
                vec![]
            } else {
                vec![head(100.0 + n as f32 * 12.0, Reason::Head)]
            };
            ways.see(ms(1000 + n * 150), &seen);
        }
        let boxes = ways.finish(SIZE, ms(8000), Style::Cover);
        assert_eq!(boxes.len(), 1, "{boxes:?}");
        let one = &boxes[0];
        assert_eq!((one.id.as_str(), one.reason), ("head-1", Some(Reason::Head)));
        assert!(one.keys.len() < 10, "a straight way needs few keys: {}", one.keys.len());
        assert!((one.from - 0.4).abs() < 0.01 && one.until > 5.9, "{} {}", one.from, one.until);
        for n in 0..290u64 {
            let (time, x) = (1.0 + n as f64 * 0.015, 100.0 + n as f64 * 1.2);
            let k = at(one, time);
            assert!(k.x * 1000.0 <= x && (k.x + k.width) * 1000.0 >= x + 40.0, "{time}: {k:?}");
        }
        // Before they were seen first they came from the left.
        let before = at(one, 0.5);
        assert!(before.x * 1000.0 < 70.0, "{before:?}");
    }

    #[test]
    fn a_face_on_a_head_names_the_box_and_a_plate_is_its_own() {
        let mut ways = Ways::default();
        for n in 0..6u64 {
            let reason = if n == 3 { Reason::Face } else { Reason::Head };
            ways.see(ms(n * 100), &[head(300.0, reason), head(300.0, Reason::Plate)]);
        }
        let boxes = ways.finish(SIZE, ms(600), Style::Blur);
        let ids: Vec<_> = boxes.iter().map(|one| one.id.as_str()).collect();
        assert_eq!(ids, ["face-1", "plate-1"]);
        assert!(boxes.iter().all(|one| one.style == Style::Blur && one.from == 0.0 && one.until == 0.6));
        assert!(boxes.iter().all(|one| one.keys.len() <= 2), "{boxes:?}");
    }

    #[test]
    fn a_glance_in_a_video_is_left_out_and_in_a_picture_kept() {
        let faint = Seen { score: 0.2, ..head(10.0, Reason::Face) };
        let mut video = Ways::default();
        video.see(ms(0), &[faint]);
        video.see(ms(2000), &[]);
        assert!(video.finish(SIZE, ms(4000), Style::Cover).is_empty());
        let mut picture = Ways::default();
        picture.see(ms(0), &[faint]);
        let boxes = picture.finish(SIZE, ms(0), Style::Cover);
        assert_eq!((boxes.len(), boxes[0].from, boxes[0].until, boxes[0].keys.len()), (1, 0.0, 0.0, 1));
    }

    #[test]
    fn boxes_stay_within_the_picture() {
        let mut ways = Ways::default();
        ways.see(
            ms(0),
            &[Seen { reason: Reason::Face, rect: Rect::new(-9.0, 495.0, 12.0, 9.0), score: 0.9 }],
        );
        let boxes = ways.finish(SIZE, ms(0), Style::Cover);
        let k = boxes[0].keys[0];
        assert!(k.x >= 0.0 && k.y >= 0.0 && k.x + k.width <= 1.0 && k.y + k.height <= 1.0, "{k:?}");
        assert!(k.width >= 0.01 && k.height >= 0.01);
    }

    #[test]
    fn more_than_can_be_followed_are_still_covered() {
        let crowd: Vec<Seen> = (0..200)
            .map(|n| Seen { rect: Rect::new(n as f32 * 5.0, 10.0, 4.0, 4.0), ..head(0.0, Reason::Face) })
            .collect();
        let mut ways = Ways::default();
        ways.see(ms(0), &crowd);
        assert_eq!(ways.finish(SIZE, ms(0), Style::Cover).len(), 200);
    }
}

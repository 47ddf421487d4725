//! Hiding boxes in a picture, by the rules of the pages' editor (`web/src/lib/media/boxes.ts`, `paint.ts`).

use super::{CoverBox, CoverKey, Style};
use crate::{Picture, Rect};

/// Two moments nearer than this (seconds) are the same frame.
const SAME_FRAME: f64 = 0.008;
/// Blocks along the shorter side of a blurred box: so few that nothing can be made out again.
const BLOCKS: f64 = 4.0;
/// Most blocks along the longer side.
const MOST_BLOCKS: f64 = 12.0;

/// Where a box would be at a moment, whether it hides anything then or not.
pub(crate) fn place_at(one: &CoverBox, time: f64) -> CoverKey {
    let before = one.keys.iter().rev().find(|key| key.at <= time);
    let after = one.keys.iter().find(|key| key.at >= time);
    match (before, after) {
        (Some(a), Some(b)) => {
            let span = b.at - a.at;
            let share = if span > 0.0 { (time - a.at) / span } else { 0.0 };
            let mix = |a: f64, b: f64| a + (b - a) * share;
            CoverKey {
                at: time,
                x: mix(a.x, b.x),
                y: mix(a.y, b.y),
                width: mix(a.width, b.width),
                height: mix(a.height, b.height),
            }
        }
        (Some(key), None) | (None, Some(key)) => CoverKey { at: time, ..*key },
        // A box that says nowhere hides all.
        (None, None) => CoverKey { at: time, x: 0.0, y: 0.0, width: 1.0, height: 1.0 },
    }
}

/// What has to be hidden in a frame that is shown from `time` for `length` seconds.
pub(crate) fn hidden_in(boxes: &[CoverBox], time: f64, length: f64) -> Vec<(CoverKey, Style)> {
    let end = time + length.max(0.0);
    let hides = |one: &&CoverBox| end >= one.from - SAME_FRAME && time <= one.until + SAME_FRAME;
    boxes
        .iter()
        .filter(hides)
        .map(|one| {
            let a = place_at(one, time.max(one.from));
            let b = place_at(one, end.min(one.until));
            let (x, y) = (a.x.min(b.x), a.y.min(b.y));
            let (right, low) = ((a.x + a.width).max(b.x + b.width), (a.y + a.height).max(b.y + b.height));
            (CoverKey { at: time, x, y, width: right - x, height: low - y }, one.style)
        })
        .collect()
}

/// Hides them in the picture; how many were hidden.
pub(crate) fn hide(picture: &mut Picture, boxes: &[CoverBox], time: f64, length: f64) -> usize {
    let hidden = hidden_in(boxes, time, length);
    let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
    for (place, style) in &hidden {
        let edge = |value: f64, of: f64| value.clamp(0.0, of) as u32;
        let left = edge((place.x * width).floor(), width - 1.0);
        let top = edge((place.y * height).floor(), height - 1.0);
        let right = edge(((place.x + place.width) * width).ceil(), width).max(left + 1);
        let low = edge(((place.y + place.height) * height).ceil(), height).max(top + 1);
        match style {
            Style::Cover => picture.fill((left, top, right, low), [0; 3]),
            Style::Blur => blur(picture, (left, top, right, low)),
        }
    }
    hidden.len()
}

/// A few blocks, each of the mean colour of what it hides.
fn blur(picture: &mut Picture, (left, top, right, low): (u32, u32, u32, u32)) {
    let (w, h) = (f64::from(right - left), f64::from(low - top));
    let along = |side: f64| (side / w.min(h).max(1.0) * BLOCKS).round().clamp(1.0, MOST_BLOCKS);
    let (across, down) = (along(w), along(h));
    for row in 0..down as u32 {
        for column in 0..across as u32 {
            let part =
                |n: u32, of: f64, side: f64, start: u32| start + (f64::from(n) * side / of).round() as u32;
            let rect = (
                part(column, across, w, left),
                part(row, down, h, top),
                part(column + 1, across, w, left),
                part(row + 1, down, h, top),
            );
            let (x, y) = (rect.0 as f32, rect.1 as f32);
            let wide = Rect::new(x, y, (rect.2 - rect.0) as f32, (rect.3 - rect.1) as f32);
            if let Some(mean) = picture.part(&wide).map(|part| part.mean()) {
                picture.fill(rect, mean);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moving(style: Style) -> CoverBox {
        let key = |at, x| CoverKey { at, x, y: 0.25, width: 0.25, height: 0.5 };
        CoverBox {
            id: "a".into(),
            reason: None,
            style,
            from: 1.0,
            until: 3.0,
            keys: vec![key(1.0, 0.0), key(3.0, 0.5)],
        }
    }

    fn noise() -> Picture {
        let rgb = (0..40 * 20 * 3u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        Picture::new(40, 20, rgb).unwrap()
    }

    #[test]
    fn a_box_moves_in_a_straight_line_and_hides_only_in_its_time() {
        let boxes = [moving(Style::Cover)];
        assert_eq!(place_at(&boxes[0], 2.0).x, 0.25);
        assert!(hidden_in(&boxes, 0.5, 0.1).is_empty() && hidden_in(&boxes, 3.1, 0.1).is_empty());
        // What it passes while the frame is shown is hidden too.
        let (place, _) = hidden_in(&boxes, 2.0, 0.4)[0];
        assert!((place.x - 0.25).abs() < 1e-9 && (place.width - 0.35).abs() < 1e-9, "{place:?}");
        assert_eq!(hidden_in(&boxes, 0.9, 0.2).len(), 1, "its time begins while the frame is shown");
    }

    #[test]
    fn covered_is_black_and_nothing_else_changes() {
        let (before, mut after) = (noise(), noise());
        assert_eq!(hide(&mut after, &[moving(Style::Cover)], 1.0, 0.0), 1);
        for y in 0..20 {
            for x in 0..40 {
                let inside = x < 10 && (5..15).contains(&y);
                let wanted = if inside { [0; 3] } else { before.pixel(x, y) };
                assert_eq!(after.pixel(x, y), wanted, "{x} {y}");
            }
        }
    }

    #[test]
    fn blurred_is_a_few_blocks() {
        let mut after = noise();
        hide(&mut after, &[moving(Style::Blur)], 1.0, 0.0);
        let mut colours: Vec<[u8; 3]> =
            (5..15).flat_map(|y| (0..10).map(move |x| (x, y))).map(|(x, y)| after.pixel(x, y)).collect();
        colours.sort_unstable();
        colours.dedup();
        assert!(colours.len() <= 16, "{}", colours.len());
        assert_eq!(after.pixel(11, 5), noise().pixel(11, 5));
    }
}

//! Following plates and voting.

use crate::{Found, Guess, Picture, Plate, Rect, Tracker};
use canvass_plates::PlateText;
use std::time::Duration;

fn found(x: f32, y: f32, w: f32) -> Found {
    let rect = Rect::new(x, y, w, w / 3.0);
    Found { rect, quad: rect.corners(), score: 0.9 }
}

fn plate(found: &Found, text: &str, confidence: f32) -> Plate {
    let guess =
        Guess { text: PlateText::normalise(text).unwrap(), confidence, region: None, others: Vec::new() };
    Plate { rect: found.rect, quad: found.quad, guess, score: found.score, vehicle: None, colour: None }
}

fn picture() -> Picture {
    Picture::new(640, 360, vec![90; 640 * 360 * 3]).unwrap()
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

#[test]
fn frames_vote_weighted_by_confidence() {
    let (mut tracker, picture) = (Tracker::new(), picture());
    let readings =
        [("ABC1238", 0.4), ("ABC123B", 0.95), ("ABC1238", 0.4), ("ABC123B", 0.9), ("ABC1238", 0.3)];
    for (i, (text, confidence)) in readings.into_iter().enumerate() {
        let at = found(100.0 + i as f32 * 30.0, 200.0, 60.0 + i as f32);
        let time = ms(i as u64 * 100);
        let (id, _) = tracker.assign(time, &[at])[0];
        tracker.vote(id, time, &plate(&at, text, confidence), &picture);
    }
    let tracks = tracker.finish();
    assert_eq!(tracks.len(), 1);
    assert_eq!((tracks[0].text.as_str(), tracks[0].frames, tracks[0].readings), ("ABC123B", 5, 5));
    assert_eq!((tracks[0].first, tracks[0].last), (ms(0), ms(400)));
    assert!(tracks[0].confidence > 0.5 && tracks[0].confidence < 0.95);
    assert!(tracks[0].crop.is_some());
}

#[test]
fn two_plates_that_pass_keep_their_names() {
    let (mut tracker, picture) = (Tracker::new(), picture());
    for i in 0..12u16 {
        let (a, b) =
            (found(40.0 + f32::from(i) * 40.0, 150.0, 60.0), found(520.0 - f32::from(i) * 40.0, 200.0, 60.0));
        let time = ms(u64::from(i) * 100);
        // The detector's order says nothing about which is which.
        let boxes = if i % 2 == 0 { [a, b] } else { [b, a] };
        let ids = tracker.assign(time, &boxes);
        for (at, (id, _)) in boxes.iter().zip(ids) {
            let text = if at.rect.y < 180.0 { "AAA111" } else { "BBB222" };
            tracker.vote(id, time, &plate(at, text, 0.9), &picture);
        }
    }
    let mut texts: Vec<_> = tracker
        .finish()
        .into_iter()
        .map(|track| (String::from(track.text), track.confidence > 0.89))
        .collect();
    texts.sort();
    assert_eq!(texts, [("AAA111".to_owned(), true), ("BBB222".to_owned(), true)]);
}

#[test]
fn a_plate_is_not_read_for_ever_and_ends_when_gone() {
    let (mut tracker, picture) = (Tracker::new(), picture());
    let at = found(100.0, 100.0, 80.0);
    let mut readings = 0;
    for i in 0..50 {
        let (id, wanted) = tracker.assign(ms(i * 100), &[at])[0];
        if wanted {
            readings += 1;
            tracker.vote(id, ms(i * 100), &plate(&at, "KHX204", 0.99), &picture);
        }
    }
    assert_eq!(readings, 3, "three sure readings of one text are enough");
    let nearer = found(100.0, 100.0, 110.0);
    assert!(tracker.assign(ms(5000), &[nearer])[0].1, "larger, it is worth another look");
    assert!(tracker.finished().is_empty());
    tracker.assign(ms(9000), &[]);
    assert_eq!(tracker.finished().len(), 1);
}

#[test]
fn what_was_never_read_is_no_track() {
    let mut tracker = Tracker::new();
    tracker.assign(ms(0), &[found(10.0, 10.0, 50.0)]);
    assert!(tracker.finish().is_empty());
}

#[test]
fn crowds_of_boxes_are_bounded() {
    let mut tracker = Tracker::new();
    let boxes: Vec<Found> =
        (0..500).map(|i| found((i % 25) as f32 * 200.0, (i / 25) as f32 * 200.0, 50.0)).collect();
    let ids = tracker.assign(ms(0), &boxes);
    assert_eq!(ids.len(), 500);
    assert!(ids.iter().filter(|(_, wanted)| *wanted).count() <= 128);
}

#[test]
fn standing_still_is_being_there() {
    let (mut tracker, picture) = (Tracker::new(), picture());
    let at = found(100.0, 100.0, 80.0);
    let (id, _) = tracker.assign(ms(0), &[at])[0];
    tracker.vote(id, ms(0), &plate(&at, "KHX204", 0.9), &picture);
    (1..100).for_each(|i| tracker.hold(ms(i * 100)));
    assert_eq!(tracker.assign(ms(10_000), &[at])[0].0, id);
}

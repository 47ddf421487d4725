//! Moments out of sightings.

use super::words;
use crate::{Colour, Kind, Part, Shares, Sighting, search};
use std::collections::BTreeMap;

fn seen(kind: Kind, start: f64, end: f64, colours: &[(Part, Colour, f32)], with: &[(Kind, f32)]) -> Sighting {
    let mut parts: BTreeMap<Part, Shares> = BTreeMap::new();
    for (part, colour, share) in colours {
        parts.entry(*part).or_default().insert(*colour, *share);
    }
    Sighting {
        kind,
        score: 0.7,
        start,
        end,
        best: f64::midpoint(start, end),
        rect: [10, 20, 30, 90],
        frames: 5,
        colours: parts,
        with: with.iter().copied().collect(),
        embedding: None,
    }
}

fn street() -> Vec<Sighting> {
    vec![
        seen(
            Kind::Person,
            0.0,
            4.0,
            &[(Part::Upper, Colour::Blue, 0.7), (Part::Lower, Colour::Black, 0.8)],
            &[],
        ),
        seen(
            Kind::Person,
            10.0,
            14.0,
            &[(Part::Upper, Colour::Red, 0.6), (Part::Lower, Colour::Blue, 0.6)],
            &[(Kind::Backpack, 0.5), (Kind::Bicycle, 0.1)],
        ),
        seen(Kind::Car, 9.0, 12.0, &[(Part::Body, Colour::Red, 0.5)], &[]),
        seen(Kind::Car, 20.0, 24.0, &[(Part::Body, Colour::White, 0.8)], &[]),
    ]
}

fn starts(text: &str, least: f32) -> Vec<f64> {
    search(&words().query(text), &street(), least).iter().map(|moment| moment.start).collect()
}

#[test]
fn the_moment_that_fits_comes_first() {
    assert_eq!(starts("man in blue shirt and cowboy hat", 0.6), [0.0]);
    assert_eq!(starts("persona con camisa roja y mochila", 0.6), [10.0]);
    assert_eq!(starts("person in blue jeans", 0.6), [10.0]);
    assert_eq!(starts("white car", 0.6), [20.0]);
    assert_eq!(starts("coche verde", 0.6), Vec::<f64>::new());
    assert_eq!(starts("vehicle", 0.6), [9.0, 20.0]);
    assert_eq!(starts("cyclist", 0.7), Vec::<f64>::new());
}

#[test]
fn two_subjects_must_be_there_together() {
    assert_eq!(starts("person near a red car", 0.6), [10.0]);
    assert_eq!(starts("person near a white car", 0.6), Vec::<f64>::new());
}

#[test]
fn a_moment_says_which_words_matched_and_which_can_not_be_told() {
    let found = search(&words().query("man in blue shirt, white trousers and cowboy hat"), &street(), 0.1);
    let first = &found[0];
    assert!(first.matched.contains(&"blue shirt".to_owned()), "{first:?}");
    assert!(first.missed.contains(&"white trousers".to_owned()), "{first:?}");
    assert!(first.untold.contains(&"cowboy hat".to_owned()), "{first:?}");
    let json = serde_json::to_value(first).unwrap();
    for field in ["start", "end", "box", "score", "matched", "missed", "untold"] {
        assert!(json.get(field).is_some(), "{field}");
    }
}

fn score(text: &str, sighting: &Sighting) -> f32 {
    words().query(text).score(sighting)
}

#[test]
fn a_neighbour_of_a_colour_is_not_that_colour() {
    let wears = |colour| seen(Kind::Person, 0.0, 1.0, &[(Part::Upper, colour, 0.9)], &[]);
    for (asked, worn) in [
        ("orange vest", Colour::Brown),
        ("red jacket", Colour::Brown),
        ("white shirt", Colour::Grey),
        ("black shirt", Colour::Grey),
        ("yellow jacket", Colour::Orange),
    ] {
        let found = score(&format!("person in {asked}"), &wears(worn));
        assert!(found > 0.3 && found < 0.6, "{asked}, {worn:?}: {found}");
    }
    let car = |colour| seen(Kind::Car, 0.0, 1.0, &[(Part::Body, colour, 0.9)], &[]);
    let (white, silver) = (score("white car", &car(Colour::White)), score("white car", &car(Colour::Silver)));
    assert!(white > 0.95 && silver > 0.6 && silver < 0.8, "{white} {silver}");
}

#[test]
fn a_quarter_of_a_colour_is_not_enough_and_a_third_is() {
    let wears = |share| {
        seen(
            Kind::Person,
            0.0,
            1.0,
            &[(Part::Upper, Colour::Red, share), (Part::Upper, Colour::Blue, 0.6)],
            &[],
        )
    };
    assert!(score("person in red jacket", &wears(0.24)) < 0.6);
    assert!(score("person in red jacket", &wears(0.36)) > 0.6);
}

#[test]
fn a_long_description_is_not_met_by_most_of_its_words() {
    let grey = [(Part::Upper, Colour::Grey, 0.9), (Part::Lower, Colour::Black, 0.9)];
    let person = seen(Kind::Person, 0.0, 1.0, &grey, &[(Kind::Backpack, 0.9)]);
    assert!(score("person in grey shirt with backpack", &person) > 0.95);
    assert!(score("person in grey shirt and blue jeans with backpack", &person) < 0.6);
}

#[test]
fn what_is_seen_with_somebody_now_and_then_is_not_theirs() {
    let with = |share| seen(Kind::Person, 0.0, 1.0, &[], &[(Kind::Backpack, share)]);
    assert!(score("person with backpack", &with(0.25)) < 0.6);
    assert!(score("person with backpack", &with(0.5)) > 0.6);
}

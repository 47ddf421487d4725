//! What pages must find as this crate does: `vectors/footage/searches.json`. `UPDATE=1` writes it.

use super::words;
use crate::{Colour, Kind, Part, Query, Shares, Sighting, What, likeness, search};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Descriptions, and from which score on moments count.
const CASES: [(&str, f32); 14] = [
    ("man in blue shirt and cowboy hat", 0.3),
    ("woman in red jacket", 0.5),
    ("red car", 0.6),
    ("coche blanco", 0.6),
    ("grey car", 0.2),
    ("person with backpack", 0.5),
    ("person with umbrella", 0.0),
    ("mujer con mochila y pantalon azul", 0.2),
    ("red car and person with backpack", 0.3),
    ("white van and bus", 0.05),
    ("someone in black", 0.4),
    ("hombre en bicicleta", 0.2),
    ("dog", 0.1),
    ("green truck", 0.0),
];

fn seen(
    (kind, score): (Kind, f32),
    (start, end): (f64, f64),
    colours: &[(Part, &[(Colour, f32)])],
    with: &[(Kind, f32)],
) -> Sighting {
    let shares = |shares: &[(Colour, f32)]| shares.iter().copied().collect::<Shares>();
    Sighting {
        kind,
        score,
        start,
        end,
        best: start + (end - start) / 4.0,
        rect: [start as i64 * 3, 40, 60, 150],
        frames: 5,
        colours: colours.iter().map(|(part, all)| (*part, shares(all))).collect(),
        with: with.iter().copied().collect(),
        embedding: None,
    }
}

/// A street: people and vehicles that fit well, half and not, some of them together.
fn street() -> Vec<Sighting> {
    use Colour::{Beige, Black, Blue, Brown, Green, Grey, Orange, Pink, Purple, Red, Silver, White, Yellow};
    use Kind::{Backpack, Bicycle, Bus, Car, Dog, Handbag, Person, Truck, Umbrella};
    use Part::{Body, Lower, Upper};
    vec![
        seen(
            (Person, 0.72),
            (0.0, 4.0),
            &[(Upper, &[(Blue, 0.7), (Grey, 0.2)]), (Lower, &[(Black, 0.8)])],
            &[],
        ),
        seen((Person, 0.41), (3.5, 6.25), &[(Upper, &[(Blue, 0.31), (Purple, 0.4)])], &[(Handbag, 0.2)]),
        seen(
            (Person, 0.66),
            (10.0, 14.0),
            &[(Upper, &[(Red, 0.6)]), (Lower, &[(Blue, 0.6)])],
            &[(Backpack, 0.5)],
        ),
        seen(
            (Person, 0.6),
            (14.5, 15.0),
            &[(Upper, &[(Pink, 0.5), (Orange, 0.3)]), (Lower, &[(Blue, 0.2)])],
            &[(Backpack, 0.12)],
        ),
        seen((Car, 0.81), (9.0, 12.0), &[(Body, &[(Red, 0.5), (Brown, 0.2)])], &[]),
        seen((Car, 0.55), (20.0, 24.0), &[(Body, &[(White, 0.8)])], &[]),
        seen((Car, 0.49), (23.0, 26.5), &[(Body, &[(Silver, 0.55), (Black, 0.25)])], &[]),
        seen((Truck, 0.5), (27.0, 30.0), &[(Body, &[(White, 0.4), (Beige, 0.3)])], &[]),
        seen((Bus, 0.9), (29.0, 31.0), &[(Body, &[(Yellow, 0.45), (Green, 0.2)])], &[]),
        seen(
            (Person, 0.5),
            (40.0, 48.0),
            &[(Upper, &[(Black, 0.9)]), (Lower, &[(Black, 0.4), (Grey, 0.4)])],
            &[(Umbrella, 0.9)],
        ),
        seen((Person, 0.7), (47.0, 50.0), &[], &[(Bicycle, 0.6)]),
        seen((Dog, 0.35), (47.5, 49.0), &[(Body, &[(Brown, 0.7)])], &[]),
        seen((Person, 0.3), (60.0, 60.0), &[(Lower, &[(Blue, 0.5)])], &[]),
    ]
}

/// As the server tells pages what it understood.
fn understood(query: &Query) -> Value {
    let want = |want: &crate::Want| match &want.what {
        What::Colour { parts, colour } => {
            json!({ "words": want.words, "colour": colour, "parts": parts, "untold": false })
        }
        What::With(kinds) => json!({ "words": want.words, "with": kinds, "untold": false }),
        What::Untold => json!({ "words": want.words, "untold": true }),
    };
    let clauses = query.clauses.iter().map(|clause| {
        let wants: Vec<Value> = clause.wants.iter().map(want).collect();
        json!({ "kinds": clause.kinds, "words": clause.words, "wants": wants })
    });
    json!({ "clauses": clauses.collect::<Vec<_>>() })
}

#[test]
fn pages_find_what_this_finds() {
    let sightings = street();
    let cases = CASES.map(|(text, least)| {
        let query = words().query(text);
        let scores: Vec<f32> = sightings.iter().map(|one| query.score(one)).collect();
        let moments = search(&query, &sightings, least);
        json!({ "text": text, "least": least, "understood": understood(&query), "scores": scores, "moments": moments })
    });
    let pairs = Colour::ALL.iter().flat_map(|one| Colour::ALL.iter().map(move |other| (one, other)));
    let alike: Vec<Value> = pairs.map(|(one, other)| json!([one, other, likeness(*one, *other)])).collect();
    let made = json!({ "likeness": alike, "sightings": sightings, "cases": cases });
    let text = format!("{}\n", serde_json::to_string_pretty(&made).unwrap());
    let found: BTreeMap<&str, bool> = cases
        .iter()
        .map(|case| (case["text"].as_str().unwrap(), !case["moments"].as_array().unwrap().is_empty()))
        .collect();
    // Vectors that find nothing, or everything, would hold nobody to anything.
    assert!(found.values().filter(|found| **found).count() > 8, "{found:?}");
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../vectors/footage/searches.json");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == text, "{} is of another version: run this test with UPDATE=1", path.display());
}

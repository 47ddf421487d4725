//! What texts ask for, in both languages.

use super::words;
use crate::{Colour, Kind, Part, Query, What, Words};

/// The colours that a clause asks for, by part.
fn colours(query: &Query, clause: usize) -> Vec<(Vec<Part>, Colour)> {
    let wants = query.clauses[clause].wants.iter();
    wants
        .filter_map(|want| match &want.what {
            What::Colour { parts, colour } => Some((parts.clone(), *colour)),
            _ => None,
        })
        .collect()
}

fn with(query: &Query, clause: usize) -> Vec<Kind> {
    let wants = query.clauses[clause].wants.iter();
    wants
        .flat_map(|want| if let What::With(kinds) = &want.what { kinds.clone() } else { Vec::new() })
        .collect()
}

const UPPER: &[Part] = &[Part::Upper];
const LOWER: &[Part] = &[Part::Lower];
const WORN: &[Part] = &[Part::Upper, Part::Lower];
const BODY: &[Part] = &[Part::Body];

/// A text, and the colours of its first clause by part.
type Case<'a> = (&'a str, &'a [(&'a [Part], Colour)]);

#[test]
fn colours_go_to_their_nouns_in_both_languages() {
    let cases: &[Case<'_>] = &[
        ("man in blue shirt and cowboy hat", &[(UPPER, Colour::Blue)]),
        ("hombre con camisa azul y sombrero vaquero", &[(UPPER, Colour::Blue)]),
        ("woman with a red jacket and black pants", &[(UPPER, Colour::Red), (LOWER, Colour::Black)]),
        ("mujer con chaqueta roja y pantalón negro", &[(UPPER, Colour::Red), (LOWER, Colour::Black)]),
        ("person in dark blue jeans", &[(LOWER, Colour::Blue)]),
        ("persona con vaqueros azul oscuro", &[(LOWER, Colour::Blue)]),
        ("someone dressed in black", &[(WORN, Colour::Black)]),
        ("alguien vestido de negro", &[(WORN, Colour::Black)]),
        ("person in a red and white shirt", &[(UPPER, Colour::Red), (UPPER, Colour::White)]),
        ("camiseta roja y blanca", &[(UPPER, Colour::Red), (UPPER, Colour::White)]),
        ("yellow dress", &[(WORN, Colour::Yellow)]),
        ("white pickup truck", &[(BODY, Colour::White)]),
        ("coche rojo", &[(BODY, Colour::Red)]),
        ("camioneta blanca", &[(BODY, Colour::White)]),
        ("red backpack", &[]),
    ];
    for (text, wanted) in cases {
        let query = words().query(text);
        let found = colours(&query, 0);
        let found: Vec<_> = found.iter().map(|(parts, colour)| (parts.as_slice(), *colour)).collect();
        assert_eq!(found, *wanted, "{text}: {query:?}");
        assert_eq!(query.ignored, Vec::<String>::new(), "{text}");
    }
}

#[test]
fn subjects_are_told() {
    let cases: &[(&str, &[Kind])] = &[
        ("a cyclist in green", &[Kind::Person]),
        ("blue shirt", &[Kind::Person]),
        ("mochila", &[Kind::Person]),
        ("SUV", &[Kind::Car, Kind::Truck]),
        ("moto negra", &[Kind::Motorcycle]),
        ("a bike", &[Kind::Bicycle]),
        ("something red", &[]),
    ];
    for (text, kinds) in cases {
        assert_eq!(words().query(text).clauses[0].kinds, *kinds, "{text}");
    }
    assert_eq!(with(&words().query("ciclista con mochila"), 0), [Kind::Bicycle, Kind::Backpack]);
    assert_eq!(with(&words().query("person riding a bicycle"), 0), [Kind::Bicycle]);
    assert_eq!(with(&words().query("hombre paseando un perro"), 0), [Kind::Dog]);
}

#[test]
fn two_subjects_are_two_clauses_each_with_its_own_colour() {
    let query = words().query("man in black near a red car");
    assert_eq!(query.clauses.len(), 2);
    assert_eq!(colours(&query, 0), [(WORN.to_vec(), Colour::Black)]);
    assert_eq!(colours(&query, 1), [(BODY.to_vec(), Colour::Red)]);
    let query = words().query("hombre de negro junto a un coche rojo");
    assert_eq!(colours(&query, 0), [(WORN.to_vec(), Colour::Black)]);
    assert_eq!(colours(&query, 1), [(BODY.to_vec(), Colour::Red)]);
}

#[test]
fn what_means_nothing_is_said() {
    let query = words().query("person with xylophone");
    assert_eq!(query.ignored, ["xylophone"]);
    assert_eq!(words().query("").clauses[0].kinds, []);
}

#[test]
fn bad_lists_are_told() {
    for text in [
        "[[word]]\nen = [\"a\"]",
        "[[word]]\nskip = true\nshade = true\nen = [\"a\"]",
        "[[word]]\nskip = true\nen = [\"a\", \"a\"]",
        "[[word]]\npart = \"Head\"\nen = [\"a\"]",
        "nothing",
    ] {
        assert!(Words::parse(text).is_err(), "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_fail(text in "\\PC{0,80}") {
        words().query(&text);
        let _ = super::rules().check(&text);
    }
}

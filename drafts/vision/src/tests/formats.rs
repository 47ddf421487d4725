//! Formats of plates as data.

use crate::{Formats, fold};

#[test]
fn plates_are_placed() {
    let formats = Formats::built_in().unwrap();
    let cases = [
        ("US", "7AHN739", Some("US")),
        ("US", "YG9X2G", Some("US-MO")),
        ("US", "AB123456", None),
        ("EU", "1234BCD", Some("ES")),
        ("EU", "RK248AH", Some("EU")),
        ("GB", "AB12CDE", Some("GB")),
        ("BR", "OKL1235", Some("BR")),
        ("BR", "ABC1D23", Some("BR")),
        ("AR", "AD054JI", Some("AR")),
        ("AR", "A035HFA", Some("AR")),
        ("AR", "OKL1235", None),
    ];
    for (group, text, place) in cases {
        assert_eq!(formats.place_in(group, text).as_deref(), place, "{group} {text}");
    }
}

#[test]
fn every_place_is_there_once() {
    let formats = Formats::built_in().unwrap();
    let mut codes: Vec<&str> = formats.all().iter().map(|format| format.code.as_str()).collect();
    let states = codes.iter().filter(|code| code.starts_with("US-")).count();
    assert_eq!(states, 51, "fifty states and the District of Columbia");
    for member in
        ["AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK", "GB BR AR"]
    {
        member.split(' ').for_each(|code| assert!(codes.contains(&code), "{code}"));
    }
    let all = codes.len();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), all);
    for format in formats.all() {
        let sample: String =
            format.patterns[0].chars().map(|kind| if kind == 'L' { 'K' } else { '7' }).collect();
        assert!(formats.fitting(&sample).any(|other| other.code == format.code), "{}", format.code);
    }
}

#[test]
fn bad_lists_are_told() {
    for text in [
        "",
        "[[region]]\ncode = \"X\"\nname = \"X\"\npatterns = [\"LXN\"]",
        "[[region]]\ncode = \"X\"\nname = \"X\"\npatterns = [\"\"]",
        "[[region]]\ncode = \"X\"\nname = \"X\"\npatterns = [\"LN\"]\nweight = 0",
        "[[region]]\ncode = \"X\"\nname = \"X\"\npatterns = [\"LN\"]\nother = 1",
    ] {
        assert!(Formats::parse(text).is_err(), "{text}");
    }
}

#[test]
fn o_and_i_fold_into_digits() {
    assert_eq!(fold("OIQ01"), "01Q01");
}

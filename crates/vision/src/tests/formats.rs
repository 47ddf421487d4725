//! What a text says of the place that issued it.

use crate::formats::{known, place_in};
use canvass_plates::PlateText;

#[test]
fn plates_are_placed() {
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
        let plate = PlateText::normalise(text).unwrap();
        assert_eq!(place_in(group, &plate).map(String::from).as_deref(), place, "{group} {text}");
        assert!(place.is_none() || known(text), "{text}");
    }
}

#[test]
fn what_the_network_has_not_learnt_is_not_known() {
    // India issues these; the reader was never shown one.
    assert!(!known("MH12AB1234"));
}

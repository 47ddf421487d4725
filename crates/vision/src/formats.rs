//! Where a text may have been issued: the formats of `canvass-plates`, in the groups that the reader's network tells apart.

use canvass_plates::{PlateText, Region, formats};

/// Countries whose plates the network knows as European.
const EUROPE: &str = "AT BE BG CH CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL NO PL PT RO SE SI SK";

/// The group of a place, as the network tells them apart by make-up; none where it has not learnt any of its plates.
fn group_of(region: Region) -> Option<&'static str> {
    match region.country() {
        "US" => Some("US"),
        "GB" => Some("GB"),
        "BR" => Some("BR"),
        "AR" => Some("AR"),
        country => EUROPE.split(' ').any(|each| each == country).then_some("EU"),
    }
}

/// Whether any place of the groups issues such a plate.
pub(crate) fn known(text: &str) -> bool {
    PlateText::from_bytes(text.as_bytes())
        .is_some_and(|plate| formats::fits(&plate, None).any(|format| group_of(format.region).is_some()))
}

/// The place within a group (`US`, `EU`) or country: the only one that fits, else the group. None where no place of it
/// issues such a plate; a country whose formats are not known here is believed.
pub(crate) fn place_in(group: &str, plate: &PlateText) -> Option<Region> {
    let within = |region: Region| match group {
        "EU" => group_of(region) == Some("EU"),
        _ => region.as_str() == group || region.country() == group,
    };
    if !formats::standard().iter().any(|format| within(format.region)) {
        return group.parse().ok();
    }
    let mut fitting = formats::fits(plate, None).map(|format| format.region).filter(|region| within(*region));
    let first = fitting.next()?;
    if fitting.all(|region| region == first) { Some(first) } else { group.parse().ok() }
}

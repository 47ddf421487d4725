//! Words of other readers in ours. A word that has no like here is left out: a vehicle without a colour is better than a
//! read that is refused for it.

use canvass_plates::{Brand, Colour, Direction, Region, VehicleType};

use crate::json::Node;

/// How sure a reader must be of a fact besides the plate, percent: what it rather doubts is not taken for known.
pub(crate) const LEAST: f64 = 50.0;

fn known<T: std::str::FromStr>(word: &str) -> bool {
    word.parse::<T>().is_ok()
}

fn apart(word: &str) -> String {
    word.trim().to_lowercase().replace(['_', '-'], " ")
}

/// Colour of the body.
pub(crate) fn colour(word: &str) -> Option<String> {
    let word = apart(word);
    let ours = match word.as_str() {
        "gray" => "Grey",
        "silver gray" | "silver grey" => "Silver",
        "gold beige" => "Gold",
        other => other,
    };
    known::<Colour>(ours).then(|| ours.to_owned())
}

/// Kind of vehicle: body types, and labels of objects.
pub(crate) fn vehicle(word: &str) -> Option<String> {
    let word = apart(word);
    let first = word.split(' ').next().unwrap_or_default();
    let ours = match word.as_str() {
        "pickup truck" | "big truck" | "tractor trailer" | "garbage truck" => "Truck",
        "school bus" => "Bus",
        _ => match first {
            "sedan" | "suv" | "hatchback" | "coupe" | "convertible" | "wagon" => "Car",
            "pickup" => "Truck",
            "minivan" => "Van",
            other => other,
        },
    };
    known::<VehicleType>(ours).then(|| ours.to_owned())
}

/// Make.
pub(crate) fn brand(word: &str) -> Option<String> {
    let word = word.trim().to_lowercase().replace('_', " ");
    let dashed = word.replace(' ', "-");
    let spaced = word.replace('-', " ");
    let other = |word: &String| word.eq_ignore_ascii_case("other");
    [word, dashed, spaced].into_iter().find(|word| known::<Brand>(word) && !other(word))
}

/// Who issued the plate: `us-mo`, `gb`, and `eu-de` for a country of Europe.
pub(crate) fn region(code: &str) -> Option<String> {
    let code = code.trim().to_uppercase();
    let code = code.strip_prefix("EU-").unwrap_or(&code);
    known::<Region>(code).then(|| code.to_owned())
}

/// Which way it went, as a table says it.
pub(crate) fn direction(word: &str) -> Option<String> {
    let word = word.trim();
    let ours = match word.to_lowercase().as_str() {
        "north" => "N",
        "north-east" | "northeast" => "NE",
        "east" => "E",
        "south-east" | "southeast" => "SE",
        "south" => "S",
        "south-west" | "southwest" => "SW",
        "west" => "W",
        "north-west" | "northwest" => "NW",
        _ => word,
    };
    known::<Direction>(ours).then(|| ours.to_owned())
}

/// The likeliest word of a list of candidates, where the reader is sure enough of it. `whole` is what counts as sure.
pub(crate) fn likeliest(
    of: Option<Node<'_>>,
    word: &str,
    score: &str,
    whole: f64,
    ours: fn(&str) -> Option<String>,
) -> Option<String> {
    let best = of?.likeliest(score)?;
    let sure = best.get(score)?.number().ok()? * 100.0 / whole >= LEAST;
    let text = best.get(word)?.text().ok().filter(|_| sure)?;
    ours(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_others_become_ours_or_nothing() {
        for (theirs, ours) in [
            ("silver-gray", Some("Silver")),
            ("gray", Some("Grey")),
            ("gold-beige", Some("Gold")),
            ("Blue", Some("blue")),
            ("chameleon", None),
        ] {
            assert_eq!(colour(theirs).as_deref(), ours, "{theirs}");
        }
        for (theirs, ours) in [
            ("sedan-compact", Some("Car")),
            ("SUV", Some("Car")),
            ("suv-crossover", Some("Car")),
            ("Big Truck", Some("Truck")),
            ("truck-standard", Some("truck")),
            ("tractor-trailer", Some("Truck")),
            ("van-full", Some("van")),
            ("school_bus", Some("Bus")),
            ("motorcycle", Some("motorcycle")),
            ("Unknown", None),
            ("license_plate", None),
            ("person", None),
        ] {
            assert_eq!(vehicle(theirs).as_deref(), ours, "{theirs}");
        }
        for (theirs, ours) in [
            ("ford", Some("ford")),
            ("land-rover", Some("land rover")),
            ("alfa_romeo", Some("alfa romeo")),
            ("Mercedes-Benz", Some("mercedes-benz")),
            ("generic", None),
            ("other", None),
        ] {
            assert_eq!(brand(theirs).as_deref(), ours, "{theirs}");
        }
        for (theirs, ours) in [
            ("us-mo", Some("US-MO")),
            ("gb", Some("GB")),
            ("eu-de", Some("DE")),
            ("", None),
            ("Atlantis", None),
        ] {
            assert_eq!(region(theirs).as_deref(), ours, "{theirs}");
        }
    }
}

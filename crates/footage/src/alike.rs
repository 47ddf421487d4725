//! Vehicles that look like one another: by kind, by the colours of their bodies, and by what a model sees where it told.

use crate::{Colour, Kind, Part, Shares, Sighting, likeness};

/// How much the attributes count where there are embeddings too.
const ATTRIBUTES: f32 = 0.4;
/// How far kinds that the network mixes up count as the same.
const MIXED_UP: f32 = 0.6;

/// How alike two vehicles are.
#[derive(Debug, Clone, PartialEq)]
pub struct Alike {
    /// 0 to 1.
    pub score: f32,
    /// Whether the kind is the same.
    pub kind: bool,
    /// Colours that both have, the largest share first.
    pub colours: Vec<Colour>,
    /// Whether a model compared how they look.
    pub compared: bool,
}

fn kinds(one: Kind, other: Kind) -> Option<f32> {
    match (one, other) {
        (one, other) if one == other => Some(1.0),
        // Pick-ups and vans look like trucks to the network at times.
        (Kind::Car, Kind::Truck) | (Kind::Truck, Kind::Car) => Some(MIXED_UP),
        (Kind::Bus, Kind::Truck) | (Kind::Truck, Kind::Bus) => Some(MIXED_UP),
        _ => None,
    }
}

/// How much of two bodies has the same colours, where neighbours count in part.
fn shared(one: &Shares, other: &Shares) -> f32 {
    let pairs = one.iter().flat_map(|(a, x)| other.iter().map(move |(b, y)| likeness(*a, *b) * x * y));
    pairs.sum()
}

/// How alike two vehicles are; none where one is no vehicle, or they are of different kinds.
#[must_use]
pub fn alike(one: &Sighting, other: &Sighting) -> Option<Alike> {
    if !one.kind.is_vehicle() || !other.kind.is_vehicle() {
        return None;
    }
    let kind = kinds(one.kind, other.kind)?;
    let none = Shares::new();
    let [a, b] = [one, other].map(|sighting| sighting.colours.get(&Part::Body).unwrap_or(&none));
    let lengths = (shared(a, a) * shared(b, b)).sqrt();
    let colour = if lengths > 0.0 { (shared(a, b) / lengths).clamp(0.0, 1.0) } else { 0.0 };
    let attributes = kind * colour;
    let look = one.embedding.as_ref().zip(other.embedding.as_ref());
    let look = look.and_then(|(one, other)| one.cosine(other)).map(|cosine| cosine.max(0.0));
    let mut both: Vec<(Colour, f32)> =
        a.iter().filter_map(|(colour, share)| Some((*colour, share.min(*b.get(colour)?)))).collect();
    both.retain(|(_, share)| *share >= 0.1);
    both.sort_by(|a, b| b.1.total_cmp(&a.1));
    Some(Alike {
        score: look.map_or(attributes, |look| ATTRIBUTES * attributes + (1.0 - ATTRIBUTES) * look),
        kind: one.kind == other.kind,
        colours: both.into_iter().map(|(colour, _)| colour).collect(),
        compared: look.is_some(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Embedding;
    use std::collections::BTreeMap;

    fn seen(kind: Kind, colours: &[(Colour, f32)]) -> Sighting {
        Sighting {
            kind,
            score: 0.8,
            start: 0.0,
            end: 2.0,
            best: 1.0,
            rect: [0, 0, 80, 40],
            frames: 6,
            colours: [(Part::Body, colours.iter().copied().collect())].into(),
            with: BTreeMap::new(),
            embedding: None,
        }
    }

    #[test]
    fn the_same_kind_and_colour_is_most_alike() {
        let red = seen(Kind::Car, &[(Colour::Red, 0.7), (Colour::Black, 0.2)]);
        let score = |other: &Sighting| alike(&red, other).map(|alike| alike.score);
        assert!(score(&red).unwrap() > 0.99);
        let near = score(&seen(Kind::Car, &[(Colour::Orange, 0.8)])).unwrap();
        let far = score(&seen(Kind::Car, &[(Colour::White, 0.8)])).unwrap();
        let truck = score(&seen(Kind::Truck, &[(Colour::Red, 0.7), (Colour::Black, 0.2)])).unwrap();
        assert!(near > far && far < 0.2 && truck > 0.5 && truck < 0.7, "{near} {far} {truck}");
        assert_eq!(score(&seen(Kind::Bus, &[(Colour::Red, 0.7)])), None);
        assert_eq!(alike(&red, &red).unwrap().colours, [Colour::Red, Colour::Black]);
    }

    #[test]
    fn nobody_is_like_anybody() {
        let person = seen(Kind::Person, &[]);
        assert_eq!(alike(&person, &person), None);
    }

    #[test]
    fn what_a_model_sees_counts_more_than_colours() {
        let with = |values: [f32; 2]| Sighting {
            embedding: Some(Embedding {
                model: "looks".into(),
                version: "1".into(),
                values: values.to_vec(),
            }),
            ..seen(Kind::Car, &[(Colour::Red, 0.8)])
        };
        let (same, other) = (with([1.0, 0.0]), with([0.0, 1.0]));
        let of = |one: &Sighting| alike(&same, one).unwrap();
        assert!(of(&same).score > 0.99 && of(&same).compared);
        assert!((of(&other).score - ATTRIBUTES).abs() < 1e-3);
    }
}

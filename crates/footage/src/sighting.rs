//! What was seen: a person or vehicle from when it came to when it went.

use crate::Embedding;
use canvass_plates::VehicleType;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub use canvass_plates::Colour;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$each])* $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// Its name, as it is serialized.
            pub fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => stringify!($variant),)*
                }
            }
        }
    };
}

words! {
    /// What a thing is.
    Kind {
        /// A person.
        Person,
        /// A bicycle.
        Bicycle,
        /// A car; vans too.
        Car,
        /// A motorcycle.
        Motorcycle,
        /// A bus.
        Bus,
        /// A truck; pick-ups and vans at times.
        Truck,
        /// A dog.
        Dog,
        /// A backpack.
        Backpack,
        /// An umbrella.
        Umbrella,
        /// A handbag.
        Handbag,
        /// A suitcase.
        Suitcase,
        /// A skateboard.
        Skateboard,
        /// A bottle.
        Bottle,
        /// A telephone in the hand.
        Phone,
    }
}

words! {
    /// Where a colour is.
    Part {
        /// What a person wears above the waist.
        Upper,
        /// What a person wears below the waist.
        Lower,
        /// A vehicle's body.
        Body,
    }
}

impl Kind {
    /// Whether it drives or is ridden.
    pub fn is_vehicle(self) -> bool {
        self.vehicle_type().is_some()
    }

    /// What a plate read calls it; none for what is no vehicle.
    #[must_use]
    pub fn vehicle_type(self) -> Option<VehicleType> {
        match self {
            Kind::Bicycle => Some(VehicleType::Bicycle),
            Kind::Car => Some(VehicleType::Car),
            Kind::Motorcycle => Some(VehicleType::Motorcycle),
            Kind::Bus => Some(VehicleType::Bus),
            Kind::Truck => Some(VehicleType::Truck),
            _ => None,
        }
    }

    /// Whether a person carries or leads it.
    pub fn is_carried(self) -> bool {
        !self.is_vehicle() && self != Kind::Person
    }
}

/// Whether a colour is none of black, grey and white.
#[must_use]
pub fn is_tint(colour: Colour) -> bool {
    !matches!(colour, Colour::Black | Colour::Grey | Colour::Silver | Colour::White)
}

/// How far one colour may be taken for another, 0 to 1: light and cameras move a colour to its neighbours.
#[must_use]
pub fn likeness(one: Colour, other: Colour) -> f32 {
    use Colour::{
        Beige, Black, Blue, Brown, Gold, Green, Grey, Orange, Pink, Purple, Red, Silver, White, Yellow,
    };
    let near = |pair| match pair {
        // Pictures tell silver from grey no better than people do.
        (Grey, Silver) => 0.8,
        // Light cars are both to many people; so are gold and beige ones.
        (Silver, White) | (Gold, Beige | Yellow) | (Blue, Purple) | (Purple, Pink) => 0.4,
        // All of the one is not yet some of the other.
        (Black, Grey | Brown)
        | (White, Grey | Beige)
        | (Red, Orange | Pink | Brown)
        | (Orange, Brown | Yellow)
        | (Brown, Beige | Gold)
        | (Beige, Yellow)
        | (Yellow, Green)
        | (Green, Blue) => 0.25,
        (Black, Blue) | (Grey, Beige | Blue | Brown) => 0.15,
        _ => 0.0f32,
    };
    if one == other { 1.0 } else { near((one, other)).max(near((other, one))) }
}

/// Which share of a part has which colour; together at most 1.
pub type Shares = BTreeMap<Colour, f32>;

/// A person or vehicle in one file, from when it came to when it went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sighting {
    /// What it is.
    pub kind: Kind,
    /// How sure that is, 0 to 1.
    pub score: f32,
    /// Seconds from the start at which it was first seen; 0 in a picture.
    pub start: f64,
    /// Seconds from the start at which it was last seen.
    pub end: f64,
    /// Seconds from the start at which it was seen best.
    pub best: f64,
    /// Its box then: left, upper edge, width, height, in pixels.
    #[serde(rename = "box")]
    pub rect: [i64; 4],
    /// Frames in which it was seen.
    pub frames: u32,
    /// Colours by part, over all frames.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub colours: BTreeMap<Part, Shares>,
    /// What a person carries, leads or rides, and in which share of the frames it was seen.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub with: BTreeMap<Kind, f32>,
    /// What it looks like in numbers, where a model told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedding: Option<Embedding>,
}

impl Sighting {
    /// How much of a part has a colour, or one that may be taken for it: 0 to 1; none where the part was not seen.
    pub fn colour(&self, part: Part, colour: Colour) -> Option<f32> {
        let shares = self.colours.get(&part)?;
        Some(
            shares.iter().map(|(other, share)| likeness(colour, *other) * share).sum::<f32>().clamp(0.0, 1.0),
        )
    }
}

//! What a reader says of a vehicle, in the words of ONVIF's `VehicleInfo` where it has one.

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
        )]
        pub enum $name {
            $($(#[$each])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// All of them; an index into this list is what stores keep.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// Place in [`Self::ALL`], counted from 1; 0 is for none.
            #[must_use]
            pub fn number(of: Option<Self>) -> u8 {
                of.map_or(0, |each| each as u8 + 1)
            }

            /// What [`Self::number`] numbered.
            #[must_use]
            pub fn numbered(number: u8) -> Option<Self> {
                Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
            }
        }

        impl std::str::FromStr for $name {
            type Err = ();
            fn from_str(word: &str) -> Result<Self, ()> {
                Self::ALL.iter().copied().find(|each| each.as_str().eq_ignore_ascii_case(word)).ok_or(())
            }
        }
    };
}

words! {
    /// Kind of vehicle (ONVIF `VehicleInfo/Type`).
    VehicleType {
        /// Car.
        Car = "Car",
        /// Truck.
        Truck = "Truck",
        /// Bus.
        Bus = "Bus",
        /// Motorcycle.
        Motorcycle = "Motorcycle",
        /// Bicycle.
        Bicycle = "Bicycle",
        /// Van; not among ONVIF's words, many readers say it.
        Van = "Van",
    }
}

words! {
    /// Colour of a vehicle's body.
    Colour {
        /// White.
        White = "White",
        /// Black.
        Black = "Black",
        /// Grey.
        Grey = "Grey",
        /// Silver.
        Silver = "Silver",
        /// Red.
        Red = "Red",
        /// Blue.
        Blue = "Blue",
        /// Green.
        Green = "Green",
        /// Yellow.
        Yellow = "Yellow",
        /// Orange.
        Orange = "Orange",
        /// Brown.
        Brown = "Brown",
        /// Beige.
        Beige = "Beige",
        /// Gold.
        Gold = "Gold",
        /// Purple.
        Purple = "Purple",
        /// Pink.
        Pink = "Pink",
    }
}

words! {
    /// Which way a vehicle went, by the camera or by the compass.
    Direction {
        /// Towards the camera.
        Approaching = "Approaching",
        /// Away from the camera.
        Receding = "Receding",
        /// North.
        North = "N",
        /// North-east.
        NorthEast = "NE",
        /// East.
        East = "E",
        /// South-east.
        SouthEast = "SE",
        /// South.
        South = "S",
        /// South-west.
        SouthWest = "SW",
        /// West.
        West = "W",
        /// North-west.
        NorthWest = "NW",
    }
}

words! {
    /// Make of a vehicle (ONVIF `VehicleInfo/Brand`).
    Brand {
        /// Acura.
        Acura = "Acura",
        /// Alfa Romeo.
        AlfaRomeo = "Alfa Romeo",
        /// Audi.
        Audi = "Audi",
        /// BMW.
        Bmw = "BMW",
        /// BYD.
        Byd = "BYD",
        /// Buick.
        Buick = "Buick",
        /// Cadillac.
        Cadillac = "Cadillac",
        /// Chevrolet.
        Chevrolet = "Chevrolet",
        /// Chrysler.
        Chrysler = "Chrysler",
        /// Citroen.
        Citroen = "Citroen",
        /// Cupra.
        Cupra = "Cupra",
        /// DAF.
        Daf = "DAF",
        /// Dacia.
        Dacia = "Dacia",
        /// Dodge.
        Dodge = "Dodge",
        /// DS.
        Ds = "DS",
        /// Ferrari.
        Ferrari = "Ferrari",
        /// Fiat.
        Fiat = "Fiat",
        /// Ford.
        Ford = "Ford",
        /// Freightliner.
        Freightliner = "Freightliner",
        /// GMC.
        Gmc = "GMC",
        /// Genesis.
        Genesis = "Genesis",
        /// Great Wall.
        GreatWall = "Great Wall",
        /// Honda.
        Honda = "Honda",
        /// Hyundai.
        Hyundai = "Hyundai",
        /// Infiniti.
        Infiniti = "Infiniti",
        /// International.
        International = "International",
        /// Isuzu.
        Isuzu = "Isuzu",
        /// Iveco.
        Iveco = "Iveco",
        /// Jaguar.
        Jaguar = "Jaguar",
        /// Jeep.
        Jeep = "Jeep",
        /// Kenworth.
        Kenworth = "Kenworth",
        /// Kia.
        Kia = "Kia",
        /// Lada.
        Lada = "Lada",
        /// Land Rover.
        LandRover = "Land Rover",
        /// Lexus.
        Lexus = "Lexus",
        /// Lincoln.
        Lincoln = "Lincoln",
        /// MAN.
        Man = "MAN",
        /// MG.
        Mg = "MG",
        /// Mack.
        Mack = "Mack",
        /// Maserati.
        Maserati = "Maserati",
        /// Mazda.
        Mazda = "Mazda",
        /// Mercedes-Benz.
        MercedesBenz = "Mercedes-Benz",
        /// Mini.
        Mini = "Mini",
        /// Mitsubishi.
        Mitsubishi = "Mitsubishi",
        /// Nissan.
        Nissan = "Nissan",
        /// Opel.
        Opel = "Opel",
        /// Peterbilt.
        Peterbilt = "Peterbilt",
        /// Peugeot.
        Peugeot = "Peugeot",
        /// Polestar.
        Polestar = "Polestar",
        /// Porsche.
        Porsche = "Porsche",
        /// Ram.
        Ram = "Ram",
        /// Renault.
        Renault = "Renault",
        /// Rivian.
        Rivian = "Rivian",
        /// SEAT.
        Seat = "SEAT",
        /// Saab.
        Saab = "Saab",
        /// Scania.
        Scania = "Scania",
        /// Skoda.
        Skoda = "Skoda",
        /// Smart.
        Smart = "Smart",
        /// Subaru.
        Subaru = "Subaru",
        /// Suzuki.
        Suzuki = "Suzuki",
        /// Tesla.
        Tesla = "Tesla",
        /// Toyota.
        Toyota = "Toyota",
        /// Vauxhall.
        Vauxhall = "Vauxhall",
        /// Volkswagen.
        Volkswagen = "Volkswagen",
        /// Volvo.
        Volvo = "Volvo",
        /// Harley-Davidson.
        HarleyDavidson = "Harley-Davidson",
        /// Yamaha.
        Yamaha = "Yamaha",
        /// Kawasaki.
        Kawasaki = "Kawasaki",
        /// Ducati.
        Ducati = "Ducati",
        /// KTM.
        Ktm = "KTM",
        /// Triumph.
        Triumph = "Triumph",
        /// Other.
        Other = "Other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_and_a_number_lead_back() {
        for each in Brand::ALL.iter().copied() {
            assert_eq!(each.as_str().parse(), Ok(each));
            assert_eq!(Brand::numbered(Brand::number(Some(each))), Some(each));
        }
        assert_eq!(Colour::numbered(0), None);
        assert_eq!(Colour::numbered(255), None);
        assert_eq!("car".parse(), Ok(VehicleType::Car));
        assert_eq!("spaceship".parse::<VehicleType>(), Err(()));
    }
}

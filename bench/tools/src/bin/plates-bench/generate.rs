//! Reads as a region's cameras would send them: few vehicles pass often, many seldom; plates by their states' formats;
//! more cars at eight and at five; a few misreads. Every number comes from a row's place and one seed, so that all stores
//! and all runs get the same.

use canvass_plates::{
    Colour, Confidence, PlateText, Read, VehicleType, confusables,
    hotlist::{Entry, Index},
};
use canvass_types::{CameraId, Entropy, Time};

use super::Failed;

const SEED: u64 = 0x0063_616e_7661_7373;
/// 24 November 2026, 00:00 UTC, less thirty days.
const START: i64 = 1_792_886_400;
/// Days that the reads are spread over, a slice each.
pub const DAYS: i64 = 30;
const DAY: i64 = 86_400;
const CAMERAS: usize = 1_000;
/// Entries of the hotlist.
const LISTED: u64 = 1_000_000;
/// Of them, vehicles that do pass.
const LISTED_HERE: u64 = 1_000;

/// Weight in percent, region, and serial: L a letter, D a digit.
const FORMATS: [(u64, &str, &str); 8] = [
    (30, "US-CA", "DLLLDDD"),
    (20, "US-TX", "LLLDDDD"),
    (12, "US-NY", "LLLDDDD"),
    (10, "US-NH", "DDDDDDD"),
    (10, "US-FL", "LLLDDL"),
    (8, "GB", "LLDDLLL"),
    (6, "BR", "LLLDLDD"),
    (4, "US-OR", "DDDLLL"),
];

/// A stream of numbers (splitmix64).
pub struct Chance(u64);

impl Chance {
    pub fn new(what: u64, number: u64) -> Self {
        let mut chance = Self(SEED ^ what.wrapping_mul(0xa076_1d64_78bd_642f) ^ number);
        chance.next();
        chance
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(limit)) >> 64) as u64
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Chance of ids, keys and nonces here: the same in each run.
pub struct Seeded(pub std::sync::Mutex<Chance>);

impl Entropy for Seeded {
    fn fill(&self, buffer: &mut [u8]) {
        let mut chance = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for part in buffer.chunks_mut(8) {
            let bytes = chance.next().to_le_bytes();
            part.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        }
    }
}

/// A region with its vehicles and cameras.
pub struct Town {
    rows: u64,
    vehicles: u64,
    pub cameras: Vec<CameraId>,
}

impl Town {
    pub fn new(rows: u64) -> Self {
        let entropy = Seeded(std::sync::Mutex::new(Chance::new(1, 0)));
        let cameras = (0..CAMERAS).map(|_| CameraId::random(&entropy)).collect();
        Self { rows, vehicles: (rows / 8).max(10_000), cameras }
    }

    /// The plate of a vehicle, and who issued it.
    pub fn plate(&self, vehicle: u64) -> Result<(PlateText, &'static str), Failed> {
        let mut chance = Chance::new(2, vehicle);
        let mut place = chance.below(100);
        let mut chosen = FORMATS[0];
        for format in FORMATS {
            chosen = format;
            if place < format.0 {
                break;
            }
            place -= format.0;
        }
        let text: Vec<u8> = chosen
            .2
            .bytes()
            .map(|kind| match kind {
                b'L' => b'A' + chance.below(26) as u8,
                _ => b'0' + chance.below(10) as u8,
            })
            .collect();
        Ok((PlateText::from_bytes(&text).ok_or("a format of the generator gives no plate")?, chosen.1))
    }

    /// A vehicle as traffic has them: a hundredth of all makes an eighth of the reads.
    fn vehicle(&self, chance: &mut Chance) -> u64 {
        (self.vehicles as f64 * chance.unit().powf(2.2)) as u64
    }

    /// When a row was seen: rows are in the order of time, thicker at the hours of rush.
    fn seen(&self, row: u64) -> i64 {
        let days = row as f64 * DAYS as f64 / self.rows as f64;
        let (day, part) = (days.floor(), days.fract());
        let rush = 0.06 * (4.0 * std::f64::consts::PI * (part - 0.1)).sin();
        let base = 0.06 * (4.0 * std::f64::consts::PI * -0.1_f64).sin();
        let second = ((part + rush - base) * DAY as f64) as i64;
        START + day as i64 * DAY + second.clamp(0, DAY - 1)
    }

    /// One read.
    pub fn read(&self, row: u64) -> Result<Read, Failed> {
        let mut chance = Chance::new(3, row);
        let (mut plate, region) = self.plate(self.vehicle(&mut chance))?;
        if chance.below(100) < 3 {
            plate = misread(&plate, &mut chance).unwrap_or(plate);
        }
        let camera = (CAMERAS as f64 * chance.unit().powf(1.5)) as usize;
        let camera = self.cameras.get(camera).ok_or("no such camera")?.clone();
        let seen = self.seen(row);
        let received = Time::from_second(seen + 1 + chance.below(4) as i64);
        let mut read = Read::new(camera, &row.to_string(), plate, Time::from_second(seen), received);
        read.region = region.parse().ok();
        read.confidence = Confidence::try_from(100 - (40.0 * chance.unit().powi(3)) as u8)?;
        read.vehicle = pick(VehicleType::ALL, &mut chance);
        read.colour = pick(Colour::ALL, &mut chance);
        Ok(read)
    }

    /// Rows from here on, as a batch.
    pub fn batch(&self, from: u64, count: u64) -> Result<Vec<Read>, Failed> {
        (from..(from + count).min(self.rows)).map(|row| self.read(row)).collect()
    }

    /// A hotlist, of whose vehicles few pass.
    pub fn hotlist(&self) -> Result<Index, Failed> {
        let mut entries = Vec::new();
        for number in 0..LISTED {
            let here = number < LISTED_HERE;
            let vehicle = if here { number * 7 } else { self.vehicles + number };
            let (from, until) = (Time::from_second(START), Time::from_second(START + 400 * DAY));
            entries.push(Entry { id: number, plate: self.plate(vehicle)?.0, from, until });
        }
        Ok(Index::build(entries, confusables::standard()))
    }

    /// A plate that somebody asks for, and the seven days that they ask about.
    pub fn asked(&self, number: u64) -> Result<(PlateText, Time, Time), Failed> {
        let mut chance = Chance::new(4, number);
        let vehicle = self.vehicle(&mut chance);
        let from = START + chance.below((DAYS - 7) as u64) as i64 * DAY;
        Ok((self.plate(vehicle)?.0, Time::from_second(from), Time::from_second(from + 7 * DAY)))
    }

    /// The end of the first day.
    pub fn first_day(&self) -> Time {
        Time::from_second(START + DAY)
    }
}

fn pick<T: Copy>(all: &[T], chance: &mut Chance) -> Option<T> {
    all.get((all.len() as f64 * chance.unit().powi(2)) as usize).copied()
}

/// One character taken for another: mostly one that readers confuse, sometimes any.
fn misread(plate: &PlateText, chance: &mut Chance) -> Option<PlateText> {
    let mut text = plate.as_bytes().to_vec();
    let place = chance.below(text.len() as u64) as usize;
    let slot = text.get_mut(place)?;
    let alike: Vec<u8> = confusables::standard().class(*slot).filter(|each| each != slot).collect();
    *slot = match alike.get(chance.below(alike.len().max(1) as u64) as usize) {
        Some(other) => *other,
        None => b'A' + chance.below(26) as u8,
    };
    PlateText::from_bytes(&text)
}

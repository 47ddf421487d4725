//! What the tests of the stores share: chance, cameras, reads with many likenesses, queries.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use canvass_plates::{
    Brand, Colour, Confidence, Direction, Limits, Pictures, PlatePattern, PlateText, Read, ReadId, ReadQuery,
    RetentionClass, VehicleType,
};
use canvass_store_reads::{Options, RootKey, SegmentStore};
use canvass_types::{CameraId, Entropy, Time};
use proptest::prelude::*;

/// Chance from a seed and the process, so that a process that was killed and comes back draws anew.
pub struct Seeded(AtomicU64);

impl Seeded {
    pub fn new() -> Arc<Self> {
        static RUNS: AtomicU64 = AtomicU64::new(1);
        let run = RUNS.fetch_add(1, Ordering::Relaxed);
        Arc::new(Self(AtomicU64::new(u64::from(std::process::id()) << 32 | run << 20)))
    }
}

impl Entropy for Seeded {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            let mut next = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            next = (next ^ next >> 31).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            chunk.copy_from_slice(&(next ^ next >> 29).to_le_bytes()[..chunk.len()]);
        }
    }
}

pub const START: i64 = 1_800_000_000;

pub fn at(second: i64) -> Time {
    Time::from_second(START + second)
}

pub fn camera(number: usize) -> CameraId {
    let letter = char::from(b'b' + u8::try_from(number % 20).unwrap());
    format!("cam_{}a", String::from(letter).repeat(25)).parse().unwrap()
}

pub fn plate(text: &str) -> PlateText {
    PlateText::normalise(text).unwrap()
}

pub fn read(source: &str, text: &str, second: i64) -> Read {
    Read::new(camera(0), source, plate(text), at(second), at(second + 2))
}

/// Three classes: slices of a minute, an hour, a day.
pub fn class(number: usize) -> RetentionClass {
    let (name, slice) = [("non-hit", 60), ("hit", 3_600), ("held", 86_400)][number % 3];
    RetentionClass::new(name, slice).unwrap()
}

pub fn options() -> Options {
    Options { flush_rows: 200, background: false, cache_bytes: 1 << 20, ..Options::default() }
}

pub fn open(folder: &Path, options: Options) -> SegmentStore {
    SegmentStore::open(folder, RootKey::new([9; 32]), Seeded::new(), options).unwrap()
}

fn opt<T: std::fmt::Debug + Copy + 'static>(all: &'static [T]) -> impl Strategy<Value = Option<T>> {
    proptest::option::of(proptest::sample::select(all))
}

fn second() -> impl Strategy<Value = i64> {
    prop_oneof![
        8 => 0..7_200_i64,
        // A camera in 1970, one in 2099.
        1 => Just(-START),
        1 => Just(4_070_908_800 - START),
    ]
}

/// Reads whose sources, plates and times meet often.
pub fn any_read() -> impl Strategy<Value = Read> {
    let vehicle = (opt(VehicleType::ALL), opt(&Colour::ALL[..3]), opt(Brand::ALL), opt(Direction::ALL));
    let along = (
        proptest::option::of("[a-z]{1,9}"),
        proptest::option::of("[ -~]{1,20}"),
        any::<bool>(),
        any::<bool>(),
    );
    (0..6_usize, 0..90_u32, "[AB8][0OC1][0-2]{1,4}", second(), 60..=100_u8, vehicle, along).prop_map(
        |(
            number,
            source,
            text,
            second,
            confidence,
            (vehicle, colour, brand, direction),
            (picture, raw, hit, each),
        )| {
            let source = source.to_string();
            let mut read =
                Read::new(camera(number), &source, plate(&text), at(second), at(second.clamp(0, 7_200) + 3));
            read.confidence = Confidence::try_from(confidence).unwrap();
            (read.vehicle, read.colour, read.brand, read.direction, read.hit) =
                (vehicle, colour, brand, direction, hit);
            read.region = ["US-CA".parse().ok(), "BR".parse().ok(), None][number % 3];
            read.picture = picture.and_then(|text| text.parse().ok());
            read.raw = raw.and_then(|text| text.parse().ok());
            if each {
                read.characters = vec![read.confidence; read.plate.characters()];
            }
            read
        },
    )
}

pub fn any_query() -> impl Strategy<Value = ReadQuery> {
    let limits = Limits::default();
    let pattern = prop_oneof![
        "[AB8][0OC1][0-2]{1,4}".prop_map(|text| Some(PlatePattern::Exact(plate(&text)))),
        "[AB8][0OC1][0-2]{1,4}".prop_map(move |text| PlatePattern::tolerant(&text, &limits).ok()),
        "[AB*?][0C?*][0-2*?]{1,3}[0-2*]".prop_map(move |text| PlatePattern::parse(&text, &limits).ok()),
        "\\*[01C][0-2]\\*".prop_map(move |text| PlatePattern::parse(&text, &limits).ok()),
        Just(None),
    ];
    let cameras = proptest::option::of(proptest::collection::btree_set((0..8_usize).prop_map(camera), 0..5));
    let window =
        prop_oneof![Just((-START, 1 << 33)), (0..7_000_i64).prop_flat_map(|from| (Just(from), from..7_300))];
    let filters = (
        prop_oneof![Just(0), Just(75), 60..=100_u8],
        opt(VehicleType::ALL),
        opt(&Colour::ALL[..3]),
        any::<[bool; 3]>(),
    );
    (pattern, cameras, window, filters, 1..40_usize).prop_map(
        |(pattern, cameras, (from, until), (confidence, vehicle, colour, on), limit)| ReadQuery {
            pattern,
            cameras,
            from: at(from),
            until: at(until),
            confidence: Confidence::try_from(confidence).unwrap(),
            vehicle: vehicle.filter(|_| on[0]),
            colour: colour.filter(|_| on[1]),
            hits_only: on[2],
            limit,
            cursor: None,
        },
    )
}

/// Pictures of a third of these reads, by their ids.
pub fn pictures(reads: &[Read]) -> BTreeMap<ReadId, Vec<u8>> {
    let of = |read: &Read| {
        let bytes = read.id.as_bytes();
        (read.id, bytes.repeat(1 + usize::from(bytes[1])))
    };
    reads.iter().filter(|read| read.id.as_bytes()[0] % 3 == 0).map(of).collect()
}

/// The same, borrowed.
pub fn lent(pictures: &BTreeMap<ReadId, Vec<u8>>) -> Pictures<'_> {
    pictures.iter().map(|(id, bytes)| (*id, bytes.as_slice())).collect()
}

/// The read, with the name that a store gave its picture as the oracle has it.
pub fn same(mut read: Read) -> Read {
    if read.picture.as_ref().is_some_and(|name| name.as_str().contains('.')) {
        read.picture = "kept".parse().ok();
    }
    read
}

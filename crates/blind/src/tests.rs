use std::sync::atomic::{AtomicU64, Ordering};

use canvass_types::Entropy;
use data_encoding::HEXLOWER_PERMISSIVE;
use jiff::civil::{Date, date};
use serde::Deserialize;
use voprf::{BlindedElement, EvaluationElement, Proof, Ristretto255, VoprfClient, VoprfServer};

use super::*;
use crate::oprf::Chance;

/// Different each time, and the same in each run.
#[derive(Default)]
struct Counted(AtomicU64);

impl Entropy for Counted {
    fn fill(&self, buffer: &mut [u8]) {
        use sha2::{Digest as _, Sha256};
        for part in buffer.chunks_mut(32) {
            let hash = Sha256::digest(self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes());
            part.copy_from_slice(&hash[..part.len()]);
        }
    }
}

/// Gives one scalar: what the RFC's vectors call ProofRandomScalar.
struct Fixed(Vec<u8>);

impl Entropy for Fixed {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(0);
        let n = self.0.len().min(buffer.len());
        buffer[..n].copy_from_slice(&self.0[..n]);
    }
}

fn hex(text: &str) -> Vec<u8> {
    HEXLOWER_PERMISSIVE.decode(text.as_bytes()).unwrap()
}

#[derive(Deserialize)]
struct Rfc {
    seed: String,
    info: String,
    public: String,
    secret: String,
    vectors: Vec<RfcCase>,
}

#[derive(Deserialize)]
struct RfcCase {
    inputs: Vec<String>,
    blinds: Vec<String>,
    blinded: Vec<String>,
    evaluated: Vec<String>,
    proof: String,
    random: String,
    outputs: Vec<String>,
}

#[test]
fn the_vectors_of_rfc_9497_hold() {
    let rfc: Rfc = serde_json::from_str(include_str!("../../../vectors/asked/rfc9497.json")).unwrap();
    let server = VoprfServer::<Ristretto255>::new_from_seed(&hex(&rfc.seed), &hex(&rfc.info)).unwrap();
    let same = VoprfServer::<Ristretto255>::new_with_key(&hex(&rfc.secret)).unwrap();
    assert_eq!(server.get_public_key(), same.get_public_key());
    let public = <Ristretto255 as voprf::Group>::serialize_elem(server.get_public_key());
    assert_eq!(public.to_vec(), hex(&rfc.public));
    assert_eq!(rfc.vectors.len(), 3);
    for case in &rfc.vectors {
        let blinded: Vec<_> = case
            .blinded
            .iter()
            .map(|text| BlindedElement::<Ristretto255>::deserialize(&hex(text)).unwrap())
            .collect();
        let random = Fixed(hex(&case.random));
        let answer = server.batch_blind_evaluate(&mut Chance(&random), &blinded).unwrap();
        let evaluated: Vec<_> = answer.messages.iter().map(|each| each.serialize().to_vec()).collect();
        assert_eq!(evaluated, case.evaluated.iter().map(|text| hex(text)).collect::<Vec<_>>());
        assert_eq!(answer.proof.serialize().to_vec(), hex(&case.proof));
        let inputs: Vec<_> = case.inputs.iter().map(|text| hex(text)).collect();
        // The state of a client is its blind and its element.
        let clients: Vec<_> = case
            .blinds
            .iter()
            .zip(&case.blinded)
            .map(|(blind, element)| {
                VoprfClient::<Ristretto255>::deserialize(&[hex(blind), hex(element)].concat()).unwrap()
            })
            .collect();
        let messages: Vec<_> = evaluated
            .iter()
            .map(|bytes| EvaluationElement::<Ristretto255>::deserialize(bytes).unwrap())
            .collect();
        let proof = Proof::<Ristretto255>::deserialize(&hex(&case.proof)).unwrap();
        let outputs: Vec<_> =
            VoprfClient::batch_finalize(&inputs, &clients, &messages, &proof, server.get_public_key())
                .unwrap()
                .map(|output| output.unwrap().to_vec())
                .collect();
        assert_eq!(outputs, case.outputs.iter().map(|text| hex(text)).collect::<Vec<_>>());
        for (input, output) in inputs.iter().zip(&outputs) {
            assert_eq!(&server.evaluate(input).unwrap().to_vec(), output);
        }
    }
}

const DAY: Date = date(2026, 10, 27);

fn key(text: &str) -> EpochKey {
    EpochKey::parse(text).unwrap()
}

fn detail(purpose: &str) -> Detail {
    Detail {
        agency: "agy_aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap(),
        purpose: purpose.to_owned(),
        cameras: Cameras::Many,
    }
}

#[test]
fn plates_have_one_form_and_look_alikes_are_refused() {
    for text in ["abc1234", " ABC 1234 ", "a-b.c 12-34", "ABC\t1234"] {
        assert_eq!(Plate::read(text).unwrap().as_str(), "ABC1234");
    }
    for text in ["", " - ", "ABC?234", "AB*", "ABCDEFGHIJKLM", &"A".repeat(100), "A\0B", "A/B"] {
        assert_eq!(Plate::read(text).unwrap_err(), BlindError::Plate, "{text}");
    }
    // Cyrillic, Greek, full width, a dotless i, a hyphen that does not break, a letter with an accent.
    for text in ["\u{410}BC123", "\u{391}BC", "\u{ff21}BC", "\u{131}23", "AB\u{2011}12", "\u{c9}TE 1"] {
        assert_eq!(Plate::read(text).unwrap_err(), BlindError::Lookalike, "{text}");
    }
    assert_eq!(format!("{:?}", Plate::read("ABC1234").unwrap()), "Plate(…)");
}

#[test]
fn epochs_are_quarters() {
    let named = |day: Date| Epoch::of(day).to_string();
    assert_eq!(named(date(2026, 1, 1)), "2026-Q1");
    assert_eq!(named(date(2026, 3, 31)), "2026-Q1");
    assert_eq!(named(date(2026, 12, 31)), "2026-Q4");
    assert_eq!(Epoch::of(date(2028, 2, 29)).last_day(), date(2028, 3, 31));
    assert_eq!("2026-Q4".parse::<Epoch>().unwrap(), Epoch::of(DAY));
    for text in ["2026-Q5", "2026-Q0", "2026Q4", "26-Q4", "2026-Q44", "+026-Q1", ""] {
        assert_eq!(text.parse::<Epoch>().unwrap_err(), BlindError::Epoch, "{text}");
    }
}

#[test]
fn who_asks_gets_the_output_that_the_server_computes_and_no_other_key_passes() {
    let chance = Counted::default();
    let key = EpochKey::make(Epoch::of(DAY), &chance).unwrap();
    let again = super::EpochKey::parse(&key.to_secret_text()).unwrap();
    assert_eq!(again.public(), key.public());
    let plate = Plate::read("ABC 1234").unwrap();
    let blinded = Blinded::new(key.epoch(), &plate, &chance).unwrap();
    let answer = key.evaluate(&blinded.asks(), &chance).unwrap();
    let output = blinded.finish(&answer, &key.public()).unwrap();
    assert_eq!(*output.0, *key.output(&plate).unwrap().0);
    // Twice the same plate: another element, the same output.
    let second = Blinded::new(key.epoch(), &plate, &chance).unwrap();
    assert_ne!(second.asks().elements, blinded.asks().elements);
    let other = EpochKey::make(key.epoch(), &chance).unwrap();
    let forged = other.evaluate(&blinded.asks(), &chance).unwrap();
    assert_eq!(blinded.finish(&forged, &key.public()).unwrap_err(), BlindError::Proof);
    assert_eq!(second.finish(&answer, &key.public()).unwrap_err(), BlindError::Proof);
    let mut next = blinded.asks();
    next.epoch = "2027-Q1".parse().unwrap();
    assert_eq!(key.evaluate(&next, &chance).unwrap_err(), BlindError::Epoch);
    assert_eq!(key.server().get_public_key(), again.server().get_public_key());
}

#[test]
fn malformed_elements_and_keys_are_refused() {
    let chance = Counted::default();
    let key = EpochKey::make(Epoch::of(DAY), &chance).unwrap();
    let good = Blinded::new(key.epoch(), &Plate::read("A1").unwrap(), &chance).unwrap().asks();
    let element = good.elements[0].clone();
    let ask = |elements: Vec<String>| {
        key.evaluate(&Evaluate { epoch: key.epoch(), elements }, &chance).map(|answer| answer.elements.len())
    };
    assert_eq!(ask(vec![element.clone(); 4]).unwrap(), 4);
    assert_eq!(ask(vec![element.clone(); 5]).unwrap_err(), BlindError::Count);
    assert_eq!(ask(vec![]).unwrap_err(), BlindError::Count);
    let b64 = |bytes: &[u8]| data_encoding::BASE64URL_NOPAD.encode(bytes);
    let mut negative = [0; 32];
    negative[0] = 1;
    for bad in [
        b64(&[0; 32]),    // the identity
        b64(&[0xff; 32]), // no field element
        b64(&negative),   // negative, RFC 9496, A.3
        b64(&[0; 31]),    // too short
        b64(&[0; 33]),    // too long
        format!("{element}="),
        "*".repeat(43),
        String::new(),
        "A".repeat(100_000),
    ] {
        assert_eq!(ask(vec![bad]).unwrap_err(), BlindError::Element);
    }
    for bad in ["", "CANVASS-ASKED-KEY", "CANVASS-ASKED-KEY 2026-Q4 AAAA", "OTHER 2026-Q4 AAAA x"] {
        assert_eq!(EpochKey::parse(bad).unwrap_err(), BlindError::Key);
    }
    assert!(b64(&[0; 32]).parse::<PublicKey>().is_err());
}

#[test]
fn a_mark_is_found_by_its_plate_on_its_day_alone_and_marks_can_not_be_joined() {
    let chance = Counted::default();
    let key = EpochKey::make(Epoch::of(DAY), &chance).unwrap();
    let of = |text: &str| key.output(&Plate::read(text).unwrap()).unwrap();
    let ours = of("ABC1234");
    let mut marks: Vec<Mark> = (0..20).map(|n| filler(&key, DAY, n)).collect();
    assert_eq!(marks[3], filler(&key, DAY, 3));
    // A sealed search between two others hides none of them.
    for counter in [0, 7, 63] {
        marks.push(Mark::seal(&ours, DAY, counter, &detail("stolen-vehicle")).unwrap());
    }
    marks.push(Mark::seal(&of("XYZ1"), DAY, 0, &detail("case-work")).unwrap());
    marks.sort();
    assert!(marks.iter().all(|mark| mark.as_str().len() == marks[0].as_str().len()));
    assert_eq!(find(&ours, DAY, &marks), vec![detail("stolen-vehicle"); 3]);
    assert_eq!(find(&of("XYZ1"), DAY, &marks).len(), 1);
    assert!(find(&of("ABC1235"), DAY, &marks).is_empty());
    assert!(find(&ours, date(2026, 10, 28), &marks).is_empty());
    // A mark that somebody altered counts for nothing.
    let text = Mark::seal(&ours, DAY, 1, &detail("case-work")).unwrap().as_str().to_owned();
    let end = if text.ends_with('A') { "E" } else { "A" };
    let altered = Mark::read(&format!("{}{end}{}", &text[..100], &text[101..])).unwrap();
    let altered =
        if altered.as_str() == text { Mark::read(&text.replace('b', "c")).unwrap() } else { altered };
    assert!(find(&ours, DAY, &[altered]).is_empty());
    assert_eq!(Mark::read("AAAA").unwrap_err(), BlindError::Form);
    assert_eq!(Mark::seal(&ours, DAY, 0, &detail(&"x".repeat(80))).unwrap_err(), BlindError::Detail);
}

#[derive(Deserialize, serde::Serialize)]
struct Shared {
    key: String,
    public: String,
    plates: Vec<(String, String)>,
    refused: Vec<String>,
    day: String,
    detail: Detail,
    plate: String,
    tags: Vec<(u32, String)>,
    mark: String,
    counter: u32,
}

#[test]
fn the_vectors_that_the_pages_share_hold() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/asked/marks.json");
    let mut shared: Shared = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let key = key(&shared.key);
    if std::env::var_os("UPDATE").is_some() {
        let day: Date = shared.day.parse().unwrap();
        let output = key.output(&Plate::read(&shared.plate).unwrap()).unwrap();
        shared.public = key.public().to_string();
        shared.tags.iter_mut().for_each(|(n, tag)| *tag = Mark::tag_of(&output, day, *n));
        shared.mark = Mark::seal(&output, day, shared.counter, &shared.detail).unwrap().as_str().to_owned();
        std::fs::write(path, serde_json::to_string_pretty(&shared).unwrap() + "\n").unwrap();
    }
    assert_eq!(key.public().to_string(), shared.public);
    for (typed, form) in &shared.plates {
        assert_eq!(Plate::read(typed).unwrap().as_str(), form);
    }
    for typed in &shared.refused {
        assert!(Plate::read(typed).is_err(), "{typed}");
    }
    let day: Date = shared.day.parse().unwrap();
    let output = key.output(&Plate::read(&shared.plate).unwrap()).unwrap();
    for (counter, tag) in &shared.tags {
        assert_eq!(&Mark::tag_of(&output, day, *counter), tag);
    }
    assert_eq!(Mark::seal(&output, day, shared.counter, &shared.detail).unwrap().as_str(), shared.mark);
}

proptest::proptest! {
    #[test]
    fn nothing_panics(text in ".{0,80}") {
        let _ = Plate::read(&text);
        let _ = text.parse::<Epoch>();
        let _ = Mark::read(&text);
        let _ = EpochKey::parse(&text);
        let _ = text.parse::<PublicKey>();
    }
}

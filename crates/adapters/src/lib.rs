//! What plate readers of other makers send, as reads of Canvass: OpenALPR, Plate Recognizer, Frigate, and tables of CSV.
//!
//! It reads bytes that others wrote and returns rows as `POST /reads` takes them; it knows no network, no file and no
//! clock. Of a payload it takes the plate, when and how surely it was read, and facts of the vehicle. Faces, names,
//! pictures, zones, speeds and paths are never looked at, so they can't get any further.
//!
//! A row's source id follows from the payload alone. Sent again, by the maker's own retries or by ours, it is stored once.

mod facts;
mod fault;
pub mod frigate;
mod json;
pub mod openalpr;
pub mod plate_recognizer;
pub mod table;

pub use fault::Fault;

use canvass_core::plates::{NewRead, SourceId};
use sha2::{Digest as _, Sha256};

/// Rows of one payload: each a read, or what is wrong with it.
pub type Rows = Vec<Result<NewRead, Fault>>;

/// Longest source id that `POST /reads` takes, characters.
const MOST_ID: usize = 64;

/// The id of an observation from what makes it one: as it is where that fits, else its hash.
fn source_id(parts: &[&str]) -> SourceId {
    let text = parts.join("/");
    let fits = text.chars().count() <= MOST_ID && !text.chars().any(char::is_control);
    SourceId::Text(if fits && !text.is_empty() { text } else { hashed(parts) })
}

/// 128 bits that follow from the parts; their lengths count, so that no two lists of parts look alike.
fn hashed<P: AsRef<[u8]>>(parts: &[P]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        let part = part.as_ref();
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    data_encoding::HEXLOWER.encode(digest.get(..16).unwrap_or_default())
}

/// A read with nothing but what each must have.
fn read(id: SourceId, time: String, plate: &str) -> NewRead {
    NewRead {
        id,
        time,
        plate: Some(plate.to_owned()),
        region: None,
        confidence: None,
        characters: Vec::new(),
        vehicle: None,
        colour: None,
        brand: None,
        direction: None,
        picture: None,
        onvif_plate: None,
        onvif_vehicle: None,
    }
}

/// A score, where `whole` is certain, in percent; two places behind the point are more than any reader knows.
fn percent(score: f64, whole: f64) -> f64 {
    (score * 10_000.0 / whole).round() / 100.0
}

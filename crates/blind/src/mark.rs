//! The mark that a search leaves for the owner of the plate that it named.

use aes_gcm::{
    Aes256Gcm, KeyInit as _, Nonce,
    aead::{Aead as _, Payload},
};
use canvass_types::AgencyId;
use data_encoding::BASE64URL_NOPAD;
use hkdf::Hkdf;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{BlindError, EpochKey, Output, oprf::decode};

/// Bytes of a tag.
pub const TAG_BYTES: usize = 16;
/// Bytes of the details before they are sealed, padding included.
pub const DETAIL_BYTES: usize = 128;
/// Bytes of a mark: tag, sealed details, their authenticator.
pub const MARK_BYTES: usize = TAG_BYTES + DETAIL_BYTES + 16;
/// Most marks that one plate has on one day; who checks tries so many tags, whatever is found.
pub const COUNTERS: u32 = 64;

const KEY_BYTES: usize = 32;

/// How many cameras a search went through, in steps of ten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub enum Cameras {
    /// One.
    #[serde(rename = "1")]
    One,
    /// 2 to 10.
    #[serde(rename = "2-10")]
    Few,
    /// 11 to 100.
    #[serde(rename = "11-100")]
    Many,
    /// 101 to 1,000.
    #[serde(rename = "101-1000")]
    Hundreds,
    /// More.
    #[serde(rename = "1001+")]
    Thousands,
}

impl Cameras {
    /// The step that a number falls in.
    #[must_use]
    pub fn of(count: u64) -> Self {
        match count {
            0 | 1 => Self::One,
            2..=10 => Self::Few,
            11..=100 => Self::Many,
            101..=1_000 => Self::Hundreds,
            _ => Self::Thousands,
        }
    }

    /// The step as it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::One => "1",
            Self::Few => "2-10",
            Self::Many => "11-100",
            Self::Hundreds => "101-1000",
            Self::Thousands => "1001+",
        }
    }
}

/// What the owner of a plate learns of a search that named it. The day is that of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Detail {
    /// Who searched.
    pub agency: AgencyId,
    /// For which class of purpose.
    pub purpose: String,
    /// How many cameras, in steps.
    pub cameras: Cameras,
}

impl Detail {
    fn padded(&self) -> Result<Vec<u8>, BlindError> {
        let mut bytes = serde_json::to_vec(self).map_err(|_| BlindError::Detail)?;
        if bytes.len() > DETAIL_BYTES {
            return Err(BlindError::Detail);
        }
        // JSON may be followed by spaces, so nothing has to be taken off.
        bytes.resize(DETAIL_BYTES, b' ');
        Ok(bytes)
    }
}

/// A tag and sealed details, base64url. Marks of one plate can't be told to be of one plate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    text: String,
}

fn context(day: Date, counter: u32) -> String {
    format!("canvass/asked/v1|{day}|{counter}")
}

fn derive(output: &Output, day: Date, counter: u32) -> Zeroizing<[u8; TAG_BYTES + KEY_BYTES]> {
    let mut out = Zeroizing::new([0; TAG_BYTES + KEY_BYTES]);
    // 48 bytes are always within what the function gives.
    let _ = Hkdf::<Sha256>::new(None, &output.0).expand(context(day, counter).as_bytes(), out.as_mut_slice());
    out
}

impl Mark {
    /// Seals the details of the search that has this number among those that named the plate that day.
    ///
    /// # Errors
    /// [`BlindError::Detail`] when the details are too long.
    pub fn seal(output: &Output, day: Date, counter: u32, detail: &Detail) -> Result<Self, BlindError> {
        let derived = derive(output, day, counter);
        let (tag, key) = derived.split_at(TAG_BYTES);
        let cipher = Aes256Gcm::new_from_slice(key).map_err(|_| BlindError::Key)?;
        let plain = detail.padded()?;
        let aad = context(day, counter);
        // The key seals this one message, so that its nonce may be fixed.
        let sealed = cipher
            .encrypt(Nonce::from_slice(&[0; 12]), Payload { msg: &plain, aad: aad.as_bytes() })
            .map_err(|_| BlindError::Detail)?;
        Ok(Self { text: BASE64URL_NOPAD.encode(&[tag, &sealed].concat()) })
    }

    /// The tag of the search with this number, base64url.
    #[must_use]
    pub fn tag_of(output: &Output, day: Date, counter: u32) -> String {
        let derived = derive(output, day, counter);
        BASE64URL_NOPAD.encode(derived.get(..TAG_BYTES).unwrap_or_default())
    }

    /// Reads a mark.
    ///
    /// # Errors
    /// [`BlindError::Form`] when it has another length or is not base64url.
    pub fn read(text: &str) -> Result<Self, BlindError> {
        decode::<MARK_BYTES>(text).ok_or(BlindError::Form)?;
        Ok(Self { text: text.to_owned() })
    }

    /// The mark as it is published.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its tag, base64url.
    #[must_use]
    pub fn tag(&self) -> String {
        let bytes = decode::<MARK_BYTES>(&self.text).unwrap_or([0; MARK_BYTES]);
        BASE64URL_NOPAD.encode(bytes.get(..TAG_BYTES).unwrap_or_default())
    }

    fn open(&self, output: &Output, day: Date, counter: u32) -> Option<Detail> {
        let bytes = decode::<MARK_BYTES>(&self.text)?;
        let derived = derive(output, day, counter);
        let cipher = Aes256Gcm::new_from_slice(derived.get(TAG_BYTES..)?).ok()?;
        let aad = context(day, counter);
        let sealed = Payload { msg: bytes.get(TAG_BYTES..)?, aad: aad.as_bytes() };
        serde_json::from_slice(&cipher.decrypt(Nonce::from_slice(&[0; 12]), sealed).ok()?).ok()
    }
}

/// What a day's marks hold for a plate. All tags are tried, whatever is found; a mark that does not open is left out.
#[must_use]
pub fn find(output: &Output, day: Date, marks: &[Mark]) -> Vec<Detail> {
    let by_tag: std::collections::HashMap<String, &Mark> =
        marks.iter().map(|mark| (mark.tag(), mark)).collect();
    let each = |counter| by_tag.get(&Mark::tag_of(output, day, counter))?.open(output, day, counter);
    (0..COUNTERS).filter_map(each).collect()
}

/// A mark that marks nothing: the same each time, so that a day's file does not change, and not to be told from a
/// true one without the server's key.
#[must_use]
pub fn filler(key: &EpochKey, day: Date, number: u32) -> Mark {
    let secret = key.derive("canvass/asked/filler/v1");
    let mut bytes = [0; MARK_BYTES];
    // 160 bytes are always within what the function gives.
    let _ = Hkdf::<Sha256>::new(None, secret.as_slice()).expand(context(day, number).as_bytes(), &mut bytes);
    Mark { text: BASE64URL_NOPAD.encode(&bytes) }
}

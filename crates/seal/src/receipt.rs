//! Receipts: what a resident holds after giving. Signed by the server, and with everything that proves offline that
//! the offer is in the ledger.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use canvass_types::commitment::commitment;

use crate::jcs;
use crate::offer::is_lookup;

/// The version that is written and read.
pub const VERSION: u32 = 1;
/// Longest receipt read, in bytes.
pub const MAX_RECEIPT_BYTES: usize = 256 * 1024;
/// Longest ledger entry, in bytes (C2SP tlog-tiles).
const MAX_LEAF_BYTES: usize = 65_535;

/// Why a receipt is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// Longer than [`MAX_RECEIPT_BYTES`].
    #[error("receipt: {0} bytes and at most {MAX_RECEIPT_BYTES} are read; give the receipt file alone")]
    TooLong(usize),
    /// Not the JSON of a receipt.
    #[error("receipt: not a receipt ({0}); give the file that was offered for download after sending")]
    Json(String),
    /// Another version.
    #[error("version: {0} isn't read here, only {VERSION}; use a newer verifier")]
    Version(u32),
    /// A field that doesn't have its form.
    #[error("{field}: {reason}; the receipt is damaged, download it again")]
    Field {
        /// Which.
        field: &'static str,
        /// What doesn't hold.
        reason: &'static str,
    },
    /// Not a verifier key.
    #[error("verifier key: {0}; copy the line name+hash+key from the server's transparency page")]
    VerifierKey(&'static str),
    /// Signed by another key.
    #[error(
        "key: the receipt is signed by {found:?} and the key given is {given:?}; give the key of that server"
    )]
    OtherKey {
        /// Name in the receipt.
        found: String,
        /// Name of the key given.
        given: String,
    },
    /// The signature doesn't hold.
    #[error(
        "signature: doesn't hold; the receipt was altered or isn't from this server, keep it and tell an overseer"
    )]
    Signature,
    /// The leaf commits to something else.
    #[error(
        "leaf: its commitment isn't that of this record; the ledger has another record, keep the receipt and tell an overseer"
    )]
    Commitment,
    /// The leaf isn't in the ledger.
    #[error("proof: {0}; fetch the receipt again later, and tell an overseer if it stays")]
    Proof(String),
}

/// A receipt, without its signature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// [`VERSION`].
    pub version: u32,
    /// Id of the offer.
    pub offer: String,
    /// Lookup id of the offer; see [`crate::offer::OfferKey::lookup`].
    pub lookup: String,
    /// Id of what was answered: a request, an invitation, a portal.
    pub destination_id: String,
    /// Its digest, SHA-256 in lower-case hexadecimal.
    pub destination_digest: String,
    /// SHA-256 of the ciphertext, lower-case hexadecimal.
    pub ciphertext_sha256: String,
    /// Its length in bytes.
    pub ciphertext_len: u64,
    /// When it was complete, RFC 3339.
    pub received_at: String,
    /// 32 bytes of salt of the commitment, base64.
    pub salt: String,
    /// The record committed to.
    pub record: Value,
    /// The ledger entry, base64 of its bytes: JSON with a field `commitment`.
    pub leaf: String,
    /// Inclusion proof, the text of C2SP tlog-proof.
    pub proof: String,
    /// Name of the key that signs.
    pub key: String,
}

/// A receipt as it is handed out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Value")]
pub struct SignedReceipt {
    /// What it says.
    #[serde(flatten)]
    pub receipt: Receipt,
    /// Ed25519 over canonical JSON (RFC 8785) of all other fields; base64.
    pub signature: String,
}

/// A verifier key of C2SP signed-note: `name+hash+base64(0x01 || key)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerKey {
    /// Its name.
    pub name: String,
    key: VerifyingKey,
}

impl ServerKey {
    /// Reads a vkey line.
    ///
    /// # Errors
    /// [`ReceiptError::VerifierKey`].
    pub fn parse(vkey: &str) -> Result<Self, ReceiptError> {
        let bad = ReceiptError::VerifierKey;
        let (name, rest) = vkey.trim().split_once('+').ok_or(bad("it has no +"))?;
        let (hash, key) = rest.split_once('+').ok_or(bad("it has only one +"))?;
        if !plain_name(name) {
            return Err(bad("its name is empty or has white space"));
        }
        let typed = STANDARD.decode(key).map_err(|_| bad("its key isn't base64"))?;
        let (Some(1), Some(bytes)) = (typed.first(), typed.get(1..)) else {
            return Err(bad("its key isn't of type Ed25519"));
        };
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| bad("its key isn't 32 bytes long"))?;
        let digest = Sha256::new().chain_update(name).chain_update(b"\n").chain_update(&typed).finalize();
        if crate::bag::hex(digest.get(..4).unwrap_or_default()) != hash {
            return Err(bad("its hash isn't that of its name and key"));
        }
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| bad("its key isn't a point"))?;
        if key.is_weak() {
            return Err(bad("its key is weak"));
        }
        Ok(Self { name: name.to_owned(), key })
    }

    /// The key of a signing key under this name.
    #[must_use]
    pub fn of(name: &str, key: &SigningKey) -> Self {
        Self { name: name.to_owned(), key: key.verifying_key() }
    }

    /// The vkey line.
    #[must_use]
    pub fn vkey(&self) -> String {
        let mut typed = vec![1];
        typed.extend_from_slice(self.key.as_bytes());
        let digest =
            Sha256::new().chain_update(&self.name).chain_update(b"\n").chain_update(&typed).finalize();
        let hash = crate::bag::hex(digest.get(..4).unwrap_or_default());
        format!("{}+{hash}+{}", self.name, STANDARD.encode(typed))
    }
}

fn plain_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 256
        && !name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

fn field(field: &'static str, reason: &'static str) -> ReceiptError {
    ReceiptError::Field { field, reason }
}

impl Receipt {
    /// Signs the receipt, after checking all that a verifier checks but the proof.
    ///
    /// # Errors
    /// See [`ReceiptError`].
    pub fn sign(self, key: &SigningKey) -> Result<SignedReceipt, ReceiptError> {
        self.check()?;
        let bytes = self.signed_bytes()?;
        let signature = STANDARD.encode(key.sign(&bytes).to_bytes());
        Ok(SignedReceipt { receipt: self, signature })
    }

    fn signed_bytes(&self) -> Result<Vec<u8>, ReceiptError> {
        jcs::canonical(self).map_err(|_| field("record", "it has no canonical form"))
    }

    /// The bytes of the ledger entry.
    ///
    /// # Errors
    /// [`ReceiptError::Field`].
    pub fn leaf_bytes(&self) -> Result<Vec<u8>, ReceiptError> {
        let bytes = STANDARD.decode(&self.leaf).map_err(|_| field("leaf", "it isn't base64"))?;
        if bytes.is_empty() || bytes.len() > MAX_LEAF_BYTES {
            return Err(field("leaf", "it is empty or longer than a ledger entry"));
        }
        Ok(bytes)
    }

    /// Every form, and that the leaf commits to the record.
    fn check(&self) -> Result<(), ReceiptError> {
        if self.version != VERSION {
            return Err(ReceiptError::Version(self.version));
        }
        let id = |s: &str| !s.is_empty() && s.len() <= 256 && !s.chars().any(char::is_control);
        if !id(&self.offer) {
            return Err(field("offer", "it isn't an id"));
        }
        if !is_lookup(&self.lookup) {
            return Err(field("lookup", "it isn't 32 characters of a-z and 2-7"));
        }
        if !id(&self.destination_id) {
            return Err(field("destination_id", "it isn't an id"));
        }
        if !is_digest(&self.destination_digest) {
            return Err(field("destination_digest", "it isn't a SHA-256 in lower-case hexadecimal"));
        }
        if !is_digest(&self.ciphertext_sha256) {
            return Err(field("ciphertext_sha256", "it isn't a SHA-256 in lower-case hexadecimal"));
        }
        // Canonical JSON has IEEE doubles, which hold whole numbers up to 2^53 (RFC 8785 section 3.2.2.3).
        if self.ciphertext_len == 0 || self.ciphertext_len > 1 << 53 {
            return Err(field("ciphertext_len", "it isn't a length in bytes"));
        }
        if self.received_at.len() > 40 || self.received_at.parse::<jiff::Timestamp>().is_err() {
            return Err(field("received_at", "it isn't an RFC 3339 time"));
        }
        if !plain_name(&self.key) {
            return Err(field("key", "it isn't the name of a key"));
        }
        self.check_commitment()
    }

    fn check_commitment(&self) -> Result<(), ReceiptError> {
        let salt = STANDARD.decode(&self.salt).map_err(|_| field("salt", "it isn't base64"))?;
        let salt: [u8; 32] =
            salt.as_slice().try_into().map_err(|_| field("salt", "it isn't 32 bytes long"))?;
        let leaf: Value =
            serde_json::from_slice(&self.leaf_bytes()?).map_err(|_| field("leaf", "it isn't JSON"))?;
        let found = leaf
            .get("commitment")
            .and_then(Value::as_str)
            .ok_or(field("leaf", "it has no field commitment"))?;
        let found = decode_digest(found)
            .ok_or(field("leaf", "its commitment isn't 32 bytes in base64 or hexadecimal"))?;
        if commitment(&salt, &self.record).0 == found { Ok(()) } else { Err(ReceiptError::Commitment) }
    }
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn decode_digest(text: &str) -> Option<[u8; 32]> {
    let bytes = if text.len() == 64 {
        data_encoding::HEXLOWER.decode(text.as_bytes()).ok()?
    } else {
        let forms = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD];
        forms.iter().find_map(|f| f.decode(text).ok())?
    };
    bytes.as_slice().try_into().ok()
}

impl SignedReceipt {
    /// Reads a receipt file. Forms are checked by [`SignedReceipt::verify`].
    ///
    /// # Errors
    /// [`ReceiptError::TooLong`] or [`ReceiptError::Json`].
    pub fn parse(json: &str) -> Result<Self, ReceiptError> {
        if json.len() > MAX_RECEIPT_BYTES {
            return Err(ReceiptError::TooLong(json.len()));
        }
        let value: Value = serde_json::from_str(json).map_err(|e| json_error(&e))?;
        Self::try_from(value)
    }

    /// Verifies offline: forms, signature, commitment, and with `verify_proof(proof, leaf)` that the leaf is in the
    /// ledger.
    ///
    /// # Errors
    /// The first [`ReceiptError`].
    pub fn verify(
        &self,
        server: &ServerKey,
        verify_proof: impl Fn(&str, &[u8]) -> Result<(), String>,
    ) -> Result<(), ReceiptError> {
        if self.receipt.version != VERSION {
            return Err(ReceiptError::Version(self.receipt.version));
        }
        if self.receipt.key != server.name {
            return Err(ReceiptError::OtherKey {
                found: self.receipt.key.clone(),
                given: server.name.clone(),
            });
        }
        let signature = STANDARD.decode(&self.signature).map_err(|_| ReceiptError::Signature)?;
        let signature = Signature::from_slice(&signature).map_err(|_| ReceiptError::Signature)?;
        let bytes = self.receipt.signed_bytes()?;
        server.key.verify_strict(&bytes, &signature).map_err(|_| ReceiptError::Signature)?;
        self.receipt.check()?;
        verify_proof(&self.receipt.proof, &self.receipt.leaf_bytes()?).map_err(ReceiptError::Proof)
    }
}

impl TryFrom<Value> for SignedReceipt {
    type Error = ReceiptError;

    /// Unknown fields are refused, which `flatten` alone would let pass.
    fn try_from(mut value: Value) -> Result<Self, ReceiptError> {
        let map = value.as_object_mut().ok_or_else(|| ReceiptError::Json("it isn't an object".to_owned()))?;
        let Some(Value::String(signature)) = map.remove("signature") else {
            return Err(ReceiptError::Json("there is no signature".to_owned()));
        };
        let receipt = serde_json::from_value(value).map_err(|e| json_error(&e))?;
        Ok(Self { receipt, signature })
    }
}

/// Position only: the text of serde's own message may repeat a value.
fn json_error(error: &serde_json::Error) -> ReceiptError {
    let text = error.to_string();
    let known = ["missing field", "unknown field", "duplicate field", "invalid type"];
    let what = known.iter().find(|k| text.starts_with(**k));
    let named = text.split('`').nth(1).filter(|_| text.starts_with("missing field"));
    let what = match (what, named) {
        (Some(what), Some(name)) => format!("{what} {name}"),
        (Some(what), None) => (*what).to_owned(),
        (None, _) => "malformed JSON".to_owned(),
    };
    ReceiptError::Json(format!("{what}, line {} column {}", error.line(), error.column()))
}

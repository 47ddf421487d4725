//! SHA-256 digests, canonical JSON (RFC 8785) and Ed25519 public keys, as they stand in files and on the wire.

use data_encoding::{BASE64, HEXLOWER};
use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Why a text is not a digest, key or signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodingError {
    /// Not 64 hexadecimal digits.
    #[error("not a SHA-256 digest: 64 lower-case hexadecimal digits are expected")]
    Digest,
    /// Not 32 bytes of base64, or not a point of the curve.
    #[error("not an Ed25519 public key: 32 bytes in base64 are expected")]
    Key,
    /// Not 64 bytes of base64.
    #[error("not an Ed25519 signature: 64 bytes in base64 are expected")]
    Signature,
}

/// A SHA-256 digest, written as 64 lower-case hexadecimal digits.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^[0-9a-f]{64}$")]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl std::str::FromStr for Digest {
    type Err = EncodingError;
    fn from_str(text: &str) -> Result<Self, EncodingError> {
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| EncodingError::Digest)?;
        bytes.try_into().map(Self).map_err(|_| EncodingError::Digest)
    }
}

impl TryFrom<String> for Digest {
    type Error = EncodingError;
    fn try_from(text: String) -> Result<Self, EncodingError> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.to_string()
    }
}

/// The canonical JSON of a value (RFC 8785): the bytes that are signed, hashed and put in a ledger.
///
/// # Errors
/// When the value has a map key that is no string, or a number that is not finite.
pub fn canonical<T: Serialize>(value: &T) -> Result<Vec<u8>, serde_json::Error> {
    serde_json_canonicalizer::to_vec(value)
}

/// An Ed25519 public key (RFC 8032), written as base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// The key that belongs to a signing key.
    pub fn of(key: &SigningKey) -> Self {
        Self(key.verifying_key())
    }

    /// The 32 bytes of the key.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// A short name for the key: the first 16 hexadecimal digits of its SHA-256.
    pub fn id(&self) -> String {
        let mut text = Digest::of(self.as_bytes()).to_string();
        text.truncate(16);
        text
    }

    /// Whether the signature is this key's over `context` and the canonical JSON of the value.
    pub fn verifies<T: Serialize>(&self, context: &str, value: &T, signature: &SignatureText) -> bool {
        signed_bytes(context, value)
            .is_ok_and(|bytes| self.0.verify(&bytes, &Signature::from_bytes(&signature.0)).is_ok())
    }
}

impl std::str::FromStr for PublicKey {
    type Err = EncodingError;
    fn from_str(text: &str) -> Result<Self, EncodingError> {
        let bytes = base64(text).ok_or(EncodingError::Key)?;
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| EncodingError::Key)?;
        VerifyingKey::from_bytes(&bytes).map(Self).map_err(|_| EncodingError::Key)
    }
}

impl TryFrom<String> for PublicKey {
    type Error = EncodingError;
    fn try_from(text: String) -> Result<Self, EncodingError> {
        text.parse()
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> String {
        BASE64.encode(key.as_bytes())
    }
}

/// An Ed25519 signature, written as base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String)]
pub struct SignatureText(pub [u8; 64]);

impl TryFrom<String> for SignatureText {
    type Error = EncodingError;
    fn try_from(text: String) -> Result<Self, EncodingError> {
        let bytes = base64(&text).ok_or(EncodingError::Signature)?;
        bytes.try_into().map(Self).map_err(|_| EncodingError::Signature)
    }
}

impl From<SignatureText> for String {
    fn from(signature: SignatureText) -> String {
        BASE64.encode(&signature.0)
    }
}

// Decoders of padded base64 also take several texts in a row; a key or signature must have one form only.
fn base64(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text.as_bytes()).ok().filter(|bytes| BASE64.encode(bytes) == text)
}

fn signed_bytes<T: Serialize>(context: &str, value: &T) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = format!("{context}\n").into_bytes();
    bytes.extend(canonical(value)?);
    Ok(bytes)
}

/// Signs `context`, a line end and the canonical JSON of the value. The context (for example `canvass/request/v1`)
/// keeps a signature for one purpose from being used for another.
///
/// # Errors
/// As [`canonical`].
pub fn sign<T: Serialize>(
    key: &SigningKey,
    context: &str,
    value: &T,
) -> Result<SignatureText, serde_json::Error> {
    Ok(SignatureText(key.sign(&signed_bytes(context, value)?).to_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_context_and_value_only() {
        let key = SigningKey::from_bytes(&[9; 32]);
        let public = PublicKey::of(&key);
        let signature = sign(&key, "a/v1", &serde_json::json!({"b": 1, "a": 2})).unwrap();
        assert!(public.verifies("a/v1", &serde_json::json!({"a": 2, "b": 1}), &signature));
        assert!(!public.verifies("b/v1", &serde_json::json!({"a": 2, "b": 1}), &signature));
        assert!(!public.verifies("a/v1", &serde_json::json!({"a": 2, "b": 2}), &signature));
        let text: String = public.into();
        assert_eq!(text.parse::<PublicKey>().unwrap(), public);
        // Two base64 texts in a row, each with its padding.
        let two = format!("{}{}", BASE64.encode(&signature.0[..32]), BASE64.encode(&signature.0[32..]));
        assert_eq!(BASE64.decode(two.as_bytes()).unwrap(), signature.0);
        assert_eq!(SignatureText::try_from(two), Err(EncodingError::Signature));
        let key = public.as_bytes();
        let two = format!("{}{}", BASE64.encode(&key[..2]), BASE64.encode(&key[2..]));
        assert_eq!(two.parse::<PublicKey>(), Err(EncodingError::Key));
        assert!("AAAA".parse::<PublicKey>().is_err());
        assert!("ABC".parse::<Digest>().is_err());
    }
}

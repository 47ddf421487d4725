//! What a leaf says: canonical JSON (RFC 8785), and salted commitments for what must not be public.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::merkle::Hash;

/// Domain separation of [`commitment`].
pub const COMMITMENT_LABEL: &[u8] = b"canvass/commitment/v1\n";

/// The value has no canonical JSON form.
#[derive(Debug, thiserror::Error)]
#[error("leaf has no canonical JSON form ({0}): use only strings, finite numbers and maps with text keys")]
pub struct CanonicalError(#[from] serde_json::Error);

/// The value as canonical JSON (RFC 8785): the same bytes on every machine.
///
/// # Errors
/// [`CanonicalError`] where the value can't be JSON (a map with keys that are not text).
pub fn canonical<T: Serialize>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    Ok(serde_json_canonicalizer::to_vec(value)?)
}

/// SHA-256 over the label, a 32-byte random salt and canonical bytes. Whoever holds salt and content can show
/// what a public leaf committed to; whoever doesn't learns nothing, even from a small set of guesses.
#[must_use]
pub fn commitment(salt: &[u8; 32], canonical: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(COMMITMENT_LABEL);
    hasher.update(salt);
    hasher.update(canonical);
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_and_numbers_shortest() {
        let value = serde_json::json!({"b": 1.0, "a": "é\n", "c": [true, null]});
        assert_eq!(canonical(&value).unwrap(), "{\"a\":\"é\\n\",\"b\":1,\"c\":[true,null]}".as_bytes());
    }

    #[test]
    fn the_salt_changes_the_commitment() {
        assert_ne!(commitment(&[0; 32], b"{}"), commitment(&[1; 32], b"{}"));
        assert_ne!(commitment(&[0; 32], b"{}"), commitment(&[0; 32], b"[]"));
    }
}

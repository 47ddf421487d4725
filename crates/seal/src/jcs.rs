//! Canonical JSON (RFC 8785), the bytes that are signed and committed to.

use serde::Serialize;

/// The canonical bytes of a value; the text is the reason when it has none (a number that isn't finite).
pub(crate) fn canonical<T: Serialize>(value: &T) -> Result<Vec<u8>, String> {
    serde_json_canonicalizer::to_vec(value).map_err(|e| e.to_string())
}

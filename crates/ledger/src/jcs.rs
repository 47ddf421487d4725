//! What a leaf says: canonical JSON (RFC 8785).

use serde::Serialize;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_and_numbers_shortest() {
        let value = serde_json::json!({"b": 1.0, "a": "é\n", "c": [true, null]});
        assert_eq!(canonical(&value).unwrap(), "{\"a\":\"é\\n\",\"b\":1,\"c\":[true,null]}".as_bytes());
    }
}

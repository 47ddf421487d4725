//! The key of a blob: `blobs/<2 hex>/<sha256 hex>-<id>`. The id keeps equal bytes of two offers apart, so that
//! destroying one leaves the other.

use canvass_types::Digest;
use object_store::path::Path;

use crate::BlobError;

/// The folder of all blobs.
pub(crate) const FOLDER: &str = "blobs";
const LONGEST_ID: usize = 64;

fn is_id(id: &str) -> bool {
    (1..=LONGEST_ID).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// The key of bytes with this digest, for this id.
pub(crate) fn of(sha256: Digest, id: &str) -> Result<String, BlobError> {
    if !is_id(id) {
        return Err(BlobError::Key);
    }
    let hex = sha256.to_string();
    let shelf = hex.get(..2).unwrap_or_default();
    Ok(format!("{FOLDER}/{shelf}/{hex}-{id}"))
}

/// The digest that a key names; fails on every other text.
pub(crate) fn digest(key: &str) -> Result<Digest, BlobError> {
    let (shelf, name) = key
        .strip_prefix(FOLDER)
        .and_then(|rest| rest.strip_prefix('/'))
        .and_then(|rest| rest.split_once('/'))
        .ok_or(BlobError::Key)?;
    let (hex, id) = name.split_once('-').ok_or(BlobError::Key)?;
    let digest: Digest = hex.parse().map_err(|_| BlobError::Key)?;
    if shelf.len() == 2 && hex.starts_with(shelf) && is_id(id) { Ok(digest) } else { Err(BlobError::Key) }
}

/// A key as the store takes it.
pub(crate) fn location(key: &str) -> Result<Path, BlobError> {
    digest(key)?;
    Path::parse(key).map_err(|_| BlobError::Key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_key_names_its_digest_and_nothing_else_is_a_key() {
        let sha256 = Digest::of(b"a");
        let key = of(sha256, "off_abc234").unwrap();
        assert_eq!(digest(&key).unwrap(), sha256);
        assert!(location(&key).is_ok());
        for id in ["", "a/b", "A", "a-b", "..", "é", &"a".repeat(65)] {
            assert!(of(sha256, id).is_err(), "{id}");
        }
        let other = key.replacen("blobs/ca", "blobs/cb", 1);
        let upper = key.to_uppercase();
        for bad in ["", "blobs", "blobs/", "/", &other, &upper, &format!("/{key}"), &format!("{key}/../x")] {
            assert!(matches!(digest(bad), Err(BlobError::Key)), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC*", id in "[a-z0-9_]{1,64}", bytes: [u8; 32]) {
            let _ = digest(&text);
            let _ = location(&text);
            prop_assert_eq!(digest(&of(Digest(bytes), &id).unwrap()).unwrap(), Digest(bytes));
        }
    }
}

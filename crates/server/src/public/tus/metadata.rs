//! Headers of the upload protocol, read strictly.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, StatusCode};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::problem::Problem;
use crate::public::headers;
use crate::public::spool::Algorithm;

/// Bytes of the largest `Upload-Metadata` header.
const MAX_METADATA: usize = 4 * 1024;
/// Keys in it.
const MAX_KEYS: usize = 16;

/// A header that is not what the protocol asks for.
fn bad(field: &'static str, detail: impl Into<String>, remedy: &'static str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "bad-header", "A header is missing or malformed")
        .field(field)
        .detail(detail)
        .remedy(remedy)
}

/// Reads a header that holds a number of bytes.
pub(super) fn number(map: &HeaderMap, name: &'static str) -> Result<Option<u64>, Problem> {
    let mut values = map.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse::<u64>() {
        Ok(number) if digits && values.next().is_none() => Ok(Some(number)),
        _ => Err(bad(name, "it is not one whole number of bytes", "send one non-negative decimal number")),
    }
}

/// Reads a header that holds a number of bytes and must be there.
pub(super) fn required(map: &HeaderMap, name: &'static str) -> Result<u64, Problem> {
    number(map, name)?.ok_or_else(|| bad(name, "it is missing", "send it with the number of bytes"))
}

/// Reads `Upload-Metadata`: pairs of a key and a base64 value, separated by commas (tus 1.0.0, creation extension).
pub(super) fn metadata(map: &HeaderMap) -> Result<BTreeMap<String, String>, Problem> {
    const NAME: &str = "upload-metadata";
    let mut found = BTreeMap::new();
    let Some(value) = map.get(NAME) else { return Ok(found) };
    let remedy = "send pairs of a key and a base64 value, separated by commas";
    if map.get_all(NAME).iter().count() > 1 {
        return Err(bad(NAME, "it is there twice", "send all pairs in one header"));
    }
    let text = value.to_str().map_err(|_| bad(NAME, "it is not plain ASCII", remedy))?;
    if text.len() > MAX_METADATA {
        return Err(bad(
            NAME,
            format!("it is longer than {MAX_METADATA} bytes"),
            "send fewer or shorter values",
        ));
    }
    if text.trim().is_empty() {
        return Ok(found);
    }
    for pair in text.split(',') {
        let (key, encoded) = pair.trim().split_once(' ').unwrap_or((pair.trim(), ""));
        if key.is_empty() || key.len() > 64 || !key.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(bad(NAME, "a key is empty, too long or not plain ASCII", remedy));
        }
        let value = BASE64_STANDARD
            .decode(encoded)
            .map_err(|_| bad(NAME, format!("the value of {key} is not base64"), remedy))?;
        let value = String::from_utf8(value)
            .map_err(|_| bad(NAME, format!("the value of {key} is not UTF-8 text"), remedy))?;
        if found.insert(key.to_owned(), value).is_some() {
            return Err(bad(NAME, format!("the key {key} is there twice"), "send each key once"));
        }
        if found.len() > MAX_KEYS {
            return Err(bad(NAME, format!("it has more than {MAX_KEYS} keys"), "send fewer keys"));
        }
    }
    Ok(found)
}

/// Metadata as a client would send it.
pub(super) fn encoded(metadata: &BTreeMap<String, String>) -> String {
    let pairs = metadata.iter().map(|(key, value)| match value.as_str() {
        "" => key.clone(),
        value => format!("{key} {}", BASE64_STANDARD.encode(value)),
    });
    pairs.collect::<Vec<_>>().join(",")
}

/// Reads `Upload-Checksum` (tus 1.0.0, checksum extension).
pub(super) fn checksum(map: &HeaderMap) -> Result<Option<(Algorithm, Vec<u8>)>, Problem> {
    const NAME: &str = "upload-checksum";
    if !map.contains_key(NAME) {
        return Ok(None);
    }
    let remedy = "send `sha256 <base64>` or `sha1 <base64>` of this part";
    let text = headers::text(map, axum::http::HeaderName::from_static(NAME)).unwrap_or_default();
    let (name, encoded) = text.split_once(' ').unwrap_or((text, ""));
    let (algorithm, len) = match name {
        "sha1" => (Algorithm::Sha1, 20),
        "sha256" => (Algorithm::Sha256, 32),
        _ => return Err(bad(NAME, "the algorithm is not one that this server knows", remedy)),
    };
    match BASE64_STANDARD.decode(encoded) {
        Ok(sum) if sum.len() == len => Ok(Some((algorithm, sum))),
        _ => Err(bad(NAME, format!("the sum is not base64 of {len} bytes"), remedy)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn map(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(
            axum::http::HeaderName::from_static(name),
            HeaderValue::from_str(value).unwrap(),
        )])
    }

    #[test]
    fn metadata_is_read() {
        let found = metadata(&map("upload-metadata", "destination cjE=, empty,  note w6k=")).unwrap();
        assert_eq!(found["destination"], "r1");
        assert_eq!(found["empty"], "");
        assert_eq!(found["note"], "\u{e9}");
        assert_eq!(metadata(&map("upload-metadata", &encoded(&found))).unwrap(), found);
        assert!(metadata(&HeaderMap::new()).unwrap().is_empty());
    }

    proptest::proptest! {
        #[test]
        fn no_header_panics(text in "[ -~]{0,80}") {
            let _ = metadata(&map("upload-metadata", &text));
            let _ = checksum(&map("upload-checksum", &text));
            let _ = number(&map("upload-length", &text), "upload-length");
        }
    }
}

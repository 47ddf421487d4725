//! Salted commitments of the oversight ledger, made so that chosen fields of a record can be opened and the others stay
//! shut.
//!
//! A record is taken apart into fields: each member of the record, and each member of a member that is an object
//! (`purpose.class`, `detail.items`). Each field is hashed with a salt of its own, which HKDF-Expand (RFC 5869 section 2.3)
//! makes from the record's 32 random bytes; the commitment is the hash of all these hashes. Whoever is given the salt of one
//! field can check that field; the hashes of the others tell nothing, even where few values are likely. The scheme is that of
//! SD-JWT's salted digests, over canonical JSON (RFC 8785).

use std::collections::BTreeMap;

use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::Sha256;

use crate::{Digest, canonical};

const COMMITMENT: &str = "canvass/commitment/v2";
const FIELD: &str = "canvass/field/v2";

/// A record as the ledger commits to it: its fields by path.
pub type Fields = BTreeMap<String, Value>;

/// One field, opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Opened {
    /// Salt of the field, 32 bytes of base64.
    pub salt: String,
    /// What it says.
    pub value: Value,
}

/// Takes a record apart. An object without members, and anything that is no object, is one field.
pub fn fields(record: &Value) -> Fields {
    let Value::Object(members) = record else { return Fields::from([(String::new(), record.clone())]) };
    let mut fields = Fields::new();
    for (name, value) in members {
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                fields.extend(inner.iter().map(|(each, value)| (format!("{name}.{each}"), value.clone())));
            }
            other => {
                fields.insert(name.clone(), other.clone());
            }
        }
    }
    fields
}

/// The salt of one field.
pub fn field_salt(salt: &[u8; 32], path: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    expand(salt, &format!("{FIELD}\n{path}"), &mut bytes);
    bytes
}

/// HKDF-Expand with SHA-256. 32 random bytes are a key already, so the extract step has nothing to do; neither their length
/// nor one block of output can fail.
pub(crate) fn expand(key: &[u8; 32], info: &str, bytes: &mut [u8]) {
    if let Ok(key) = Hkdf::<Sha256>::from_prk(key) {
        let _ = key.expand(info.as_bytes(), bytes);
    }
}

/// What stands for one field in the commitment.
pub fn field_digest(salt: &[u8; 32], path: &str, value: &Value) -> Digest {
    let mut bytes = format!("{FIELD}\n").into_bytes();
    bytes.extend_from_slice(salt);
    // A value of JSON can always be written.
    bytes.extend_from_slice(&canonical(&(path, value)).unwrap_or_default());
    Digest::of(&bytes)
}

/// The commitment over what stands for each field.
pub fn commitment_of(digests: &BTreeMap<String, Digest>) -> Digest {
    let mut bytes = format!("{COMMITMENT}\n").into_bytes();
    bytes.extend_from_slice(&canonical(digests).unwrap_or_default());
    Digest::of(&bytes)
}

/// The commitment to a whole record.
pub fn commitment(salt: &[u8; 32], record: &Value) -> Digest {
    let digest = |(path, value): (String, Value)| {
        let digest = field_digest(&field_salt(salt, &path), &path, &value);
        (path, digest)
    };
    commitment_of(&fields(record).into_iter().map(digest).collect())
}

/// Opens the fields whose path `wanted` names, itself or by the member that holds it (`purpose` names `purpose.class`);
/// of the others, only what stands for them.
pub fn open(
    salt: &[u8; 32],
    record: &Value,
    wanted: impl Fn(&str) -> bool,
) -> (BTreeMap<String, Opened>, BTreeMap<String, Digest>) {
    let (mut opened, mut shut) = (BTreeMap::new(), BTreeMap::new());
    for (path, value) in fields(record) {
        let own = field_salt(salt, &path);
        let outer = path.split_once('.').map(|(outer, _)| outer);
        if wanted(&path) || outer.is_some_and(&wanted) {
            let salt = data_encoding::BASE64.encode(&own);
            opened.insert(path, Opened { salt, value });
        } else {
            let digest = field_digest(&own, &path, &value);
            shut.insert(path, digest);
        }
    }
    (opened, shut)
}

/// The commitment that opened and shut fields lead to; none when a field is both, or a salt is not 32 bytes of base64.
pub fn reopened(opened: &BTreeMap<String, Opened>, shut: &BTreeMap<String, Digest>) -> Option<Digest> {
    let mut digests = shut.clone();
    for (path, field) in opened {
        let salt: [u8; 32] = data_encoding::BASE64.decode(field.salt.as_bytes()).ok()?.try_into().ok()?;
        if digests.insert(path.clone(), field_digest(&salt, path, &field.value)).is_some() {
            return None;
        }
    }
    Some(commitment_of(&digests))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record() -> Value {
        json!({ "v": 2, "actor": "mbr_x", "purpose": { "class": "crime", "reason": "stolen bicycles" }, "detail": {} })
    }

    #[test]
    fn a_record_is_taken_apart_one_level_deep() {
        let paths: Vec<String> = fields(&record()).into_keys().collect();
        assert_eq!(paths, ["actor", "detail", "purpose.class", "purpose.reason", "v"]);
    }

    #[test]
    fn what_is_opened_leads_to_the_same_commitment_and_a_change_does_not() {
        let salt = [7; 32];
        let whole = commitment(&salt, &record());
        let (mut opened, shut) = open(&salt, &record(), |path| path == "purpose.class" || path == "v");
        assert_eq!(opened.keys().collect::<Vec<_>>(), ["purpose.class", "v"]);
        assert_eq!(reopened(&opened, &shut), Some(whole));
        opened.get_mut("v").unwrap().value = json!(3);
        assert_ne!(reopened(&opened, &shut), Some(whole));
        let (all, none) = open(&salt, &record(), |path| ["v", "actor", "purpose", "detail"].contains(&path));
        assert!(none.is_empty());
        assert_eq!(reopened(&all, &none), Some(whole));
        // A field can't be opened and shut at once, and one that is left out is missed.
        assert_eq!(reopened(&all, &shut), None);
        assert_ne!(reopened(&BTreeMap::new(), &shut), Some(whole));
    }

    #[test]
    fn equal_values_look_different_in_each_field_and_record() {
        let twice = json!({ "a": "yes", "b": "yes" });
        let (_, shut) = open(&[1; 32], &twice, |_| false);
        let (_, other) = open(&[2; 32], &twice, |_| false);
        assert_ne!(shut["a"], shut["b"]);
        assert_ne!(shut["a"], other["a"]);
    }
}

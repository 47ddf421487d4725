//! First inputs of each target, taken from `vectors/` whenever they are needed, so that a new vector is fuzzed at once.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::Target;

/// What to take of a file of vectors.
#[derive(Clone, Copy, Debug)]
pub enum Take {
    /// All of it.
    Whole,
    /// The texts under this key, at any depth.
    Texts(&'static str),
    /// The objects under this key, at any depth, as JSON, with the text of a `body` beside them after a zero byte.
    Objects(&'static str),
    /// The elements of the lists under this key, as JSON.
    Elements(&'static str),
    /// `base64` behind the byte `width`.
    Widths,
    /// `vectors/requests/base.json` changed by each `set` (JSON pointers and values).
    Patches,
    /// The third column of each line.
    Columns,
}

/// The folder of vectors.
#[must_use]
pub fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors")
}

/// The first inputs of a target; never empty.
///
/// # Errors
/// When a file of vectors can't be read, is no JSON, or holds nothing of what is to be taken.
pub fn of(target: &Target) -> io::Result<Vec<Vec<u8>>> {
    let mut found = (target.made)();
    for (file, take) in target.vectors {
        let path = vectors().join(file);
        let named = |what: String| io::Error::other(format!("{}: {what}", path.display()));
        let bytes = fs::read(&path).map_err(|error| named(error.to_string()))?;
        let before = found.len();
        match take {
            Take::Whole => found.push(bytes.trim_ascii_end().to_vec()),
            Take::Columns => {
                let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.starts_with(b"#"));
                found.extend(
                    lines.filter_map(|line| Some(line.split(|byte| *byte == b'\t').nth(2)?.to_vec())),
                );
            }
            _ => {
                let value = serde_json::from_slice(&bytes).map_err(|error| named(error.to_string()))?;
                let base = match take {
                    Take::Patches => {
                        serde_json::from_slice(&fs::read(vectors().join("requests/base.json"))?)?
                    }
                    _ => Value::Null,
                };
                walk(&value, *take, &base, &mut found);
            }
        }
        if found.len() == before {
            return Err(named(format!(
                "nothing in it for {take:?}; name another key in fuzz/bodies/src/lib.rs"
            )));
        }
    }
    Ok(found)
}

fn walk(value: &Value, take: Take, base: &Value, found: &mut Vec<Vec<u8>>) {
    match value {
        Value::Array(list) => list.iter().for_each(|each| walk(each, take, base, found)),
        Value::Object(map) => {
            match take {
                Take::Texts(key) => {
                    found.extend(map.get(key).and_then(Value::as_str).map(|text| text.as_bytes().to_vec()));
                }
                Take::Objects(key) => {
                    let body = map.get("body").and_then(Value::as_str).map(|body| format!("\0{body}"));
                    let one = map.get(key).filter(|one| one.is_object());
                    found.extend(one.map(|one| format!("{one}{}", body.unwrap_or_default()).into_bytes()));
                }
                Take::Elements(key) => {
                    let list = map.get(key).and_then(Value::as_array).into_iter().flatten();
                    found.extend(list.map(|each| each.to_string().into_bytes()));
                }
                Take::Widths => {
                    let text = map.get("base64").and_then(Value::as_str);
                    let bytes = text.and_then(|text| STANDARD.decode(text).ok());
                    let width = map.get("width").and_then(Value::as_u64).and_then(|n| u8::try_from(n).ok());
                    found
                        .extend(width.zip(bytes).map(|(width, bytes)| [&[width], bytes.as_slice()].concat()));
                }
                Take::Patches => {
                    let set = map.get("set").and_then(Value::as_object);
                    found.extend(set.map(|set| patched(base, set).to_string().into_bytes()));
                }
                Take::Whole | Take::Columns => {}
            }
            map.values().for_each(|each| walk(each, take, base, found));
        }
        _ => {}
    }
}

fn patched(base: &Value, set: &serde_json::Map<String, Value>) -> Value {
    let mut value = base.clone();
    for (pointer, new) in set {
        let (parent, key) = pointer.rsplit_once('/').unwrap_or(("", pointer));
        if let Some(place) = value.pointer_mut(pointer) {
            *place = new.clone();
        } else if let Some(map) = value.pointer_mut(parent).and_then(Value::as_object_mut) {
            map.insert(key.to_owned(), new.clone());
        }
    }
    value
}

/// Writes the first inputs of every target into a folder of its name below `folder`, where libFuzzer looks for them.
///
/// # Errors
/// As [`of`], and when the folder can't be written.
pub fn write(folder: &Path) -> io::Result<()> {
    for target in crate::TARGETS {
        let folder = folder.join(target.name);
        fs::create_dir_all(&folder)?;
        for (number, bytes) in of(target)?.iter().enumerate() {
            fs::write(folder.join(format!("vector-{number:03}")), bytes)?;
        }
    }
    Ok(())
}

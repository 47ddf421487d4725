//! The files that a resident keeps: `<name>.age`, `<name>.offer.json`, `<name>.upload.json`, `<name>.receipt.json`,
//! `<name>.answers.json`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use canvass_seal::offer::OfferSecret;
use canvass_types::{Digest, Time};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::common::{Failure, exists, read_limited, write_secret};

/// Largest of these files that is read, in bytes.
const MAX_FILE: u64 = 256 * 1024;

/// `<name>.offer.json`: whoever has it holds the offer.
#[derive(Clone, Serialize, Deserialize)]
pub struct OfferFile {
    /// Version of this form: 1.
    pub v: u32,
    /// The secret, `canvass-offer-1…`.
    pub secret: String,
    /// The request or portal.
    pub destination: String,
    /// Digest of its signed body.
    pub destination_digest: Digest,
    /// Its age recipient, checked when the offer was sealed; answers are sealed to it.
    pub recipient: String,
    /// Name of the agency.
    pub agency: String,
    /// Address of the Canvass.
    pub server: String,
    /// SHA-256 of the envelope; known once it was read to be given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Digest>,
    /// Its length.
    pub bytes: u64,
    /// When it was sealed.
    pub sealed: Time,
}

impl OfferFile {
    /// The secret.
    ///
    /// # Errors
    /// The file's text is none.
    pub fn secret(&self) -> Result<OfferSecret, Failure> {
        Ok(OfferSecret::parse(&self.secret)?)
    }

    /// Under which name the server publishes what became of it.
    ///
    /// # Errors
    /// As [`Self::secret`].
    pub fn lookup(&self) -> Result<String, Failure> {
        Ok(self.secret()?.public_key()?.lookup())
    }
}

/// `<name>.upload.json`: where an upload stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UploadFile {
    /// Version of this form: 1.
    pub v: u32,
    /// Address of the upload.
    pub location: String,
    /// Whether the server has it whole.
    pub complete: bool,
    /// The invitation that it goes by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<String>,
}

/// The paths that belong to one name.
#[derive(Debug, Clone)]
pub struct Files {
    base: PathBuf,
}

impl Files {
    /// From a name, or from any of its files.
    pub fn of(path: &Path) -> Self {
        let text = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let known = [".age", ".offer.json", ".upload.json", ".receipt.json", ".keys.json", ".answers.json"];
        let base = known.iter().find_map(|suffix| text.strip_suffix(suffix)).filter(|base| !base.is_empty());
        Self { base: path.with_file_name(base.unwrap_or(&text)) }
    }

    fn with(&self, suffix: &str) -> PathBuf {
        let mut name = self.base.file_name().unwrap_or_default().to_os_string();
        name.push(suffix);
        self.base.with_file_name(name)
    }

    /// The name as it was given.
    pub fn name(&self) -> String {
        self.base.display().to_string()
    }

    /// The sealed envelope.
    pub fn envelope(&self) -> PathBuf {
        self.with(".age")
    }

    /// The envelope while it is sealed.
    pub fn part(&self) -> PathBuf {
        self.with(".age.part")
    }

    /// The offer's secret.
    pub fn offer(&self) -> PathBuf {
        self.with(".offer.json")
    }

    /// Where its upload stands.
    pub fn upload(&self) -> PathBuf {
        self.with(".upload.json")
    }

    /// The receipt.
    pub fn receipt(&self) -> PathBuf {
        self.with(".receipt.json")
    }

    /// The keys that the receipt was checked with.
    pub fn keys(&self) -> PathBuf {
        self.with(".keys.json")
    }

    /// The questions that were answered from here.
    pub fn answers(&self) -> PathBuf {
        self.with(".answers.json")
    }

    /// Which questions were answered from here; the server's word on them comes later.
    pub fn read_answers(&self) -> BTreeMap<String, Time> {
        let bytes = read_limited(&self.answers(), MAX_FILE).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// Notes that a question was answered.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn answered(&self, question: &str, at: Time) -> Result<(), Failure> {
        let mut known = self.read_answers();
        known.insert(question.to_owned(), at);
        write_secret(&self.answers(), &serde_json::to_vec_pretty(&known)?)
    }

    /// Writes what the resident keeps of an offer, for them alone.
    ///
    /// # Errors
    /// The folder can't be written.
    pub fn write_offer(&self, offer: &OfferFile) -> Result<(), Failure> {
        let text = Zeroizing::new(serde_json::to_vec_pretty(offer)?);
        write_secret(&self.offer(), &text)
    }

    /// Reads the offer file.
    ///
    /// # Errors
    /// It is missing or damaged.
    pub fn read_offer(&self) -> Result<OfferFile, Failure> {
        let path = self.offer();
        if !exists(&path) {
            return Err(Failure::usage(format!(
                "{}: it isn't there; seal first, or give the name of an offer",
                path.display()
            )));
        }
        // What is wrong is told by its place alone: the file holds a secret.
        let offer: OfferFile = serde_json::from_slice(&read_limited(&path, MAX_FILE)?).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            Failure::new(format!(
                "{}: damaged at line {line} column {column}; restore it from a copy",
                path.display()
            ))
        })?;
        if offer.v != 1 {
            return Err(Failure::new(format!(
                "{}: version {} isn't read here; use a newer canvass",
                path.display(),
                offer.v
            )));
        }
        Ok(offer)
    }

    /// Reads where the upload stands, if it began.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn read_upload(&self) -> Result<Option<UploadFile>, Failure> {
        let path = self.upload();
        if !exists(&path) {
            return Ok(None);
        }
        // A damaged note costs a new upload, no more.
        Ok(serde_json::from_slice(&read_limited(&path, MAX_FILE)?).ok())
    }

    /// Notes where the upload stands.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn write_upload(&self, upload: &UploadFile) -> Result<(), Failure> {
        write_secret(&self.upload(), &serde_json::to_vec_pretty(upload)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_leads_to_the_name() {
        for path in ["a/porch", "a/porch.age", "a/porch.offer.json", "a/porch.receipt.json"] {
            let files = Files::of(Path::new(path));
            assert_eq!(files.offer(), Path::new("a/porch.offer.json"), "{path}");
            assert_eq!(files.envelope(), Path::new("a/porch.age"), "{path}");
        }
        assert_eq!(Files::of(Path::new("2026.11.24")).envelope(), Path::new("2026.11.24.age"));
    }
}

//! The server's own keys: one for each ledger, one for receipts. Made once, at the first start.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use canvass_ledger::{KeyKind, SignerKey};
use canvass_seal::receipt::ServerKey;
use canvass_store_reads::RootKey;
use canvass_types::{Entropy, env::random, leaf::Log};
use data_encoding::BASE64;
use ed25519_dalek::SigningKey;
use zeroize::Zeroizing;

/// Why the keys can't be used.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// A key is gone although it has signed.
    #[error(
        "{path}: the key is missing although what rests on it exists; put it back from where you keep the keys, never make a new one"
    )]
    Missing {
        /// Which file.
        path: PathBuf,
    },
    /// A file holds something else.
    #[error("{path}: this is no key of Canvass; put it back from where you keep the keys")]
    Form {
        /// Which file.
        path: PathBuf,
    },
    /// The file can't be read or written.
    #[error("{path}: the key can't be read or written ({source}); look at the folder and its owner")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The keys.
pub struct Keys {
    requests: SignerKey,
    oversight: SignerKey,
    /// Signs receipts.
    pub receipts: SigningKey,
    receipts_name: String,
}

impl Keys {
    /// Reads the keys; makes them where none is and nothing has been signed yet (`fresh`).
    ///
    /// # Errors
    /// [`KeysError`] names the file.
    pub fn open(folder: &Path, fresh: bool, origin: &str, entropy: &dyn Entropy) -> Result<Self, KeysError> {
        let told = |source| KeysError::File { path: folder.to_owned(), source };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(told)?;
        let log = |log: Log| -> Result<SignerKey, KeysError> {
            let path = folder.join(format!("{}.key", log.as_str()));
            let text = read_or_make(&path, fresh, || {
                let seed = Zeroizing::new(random::<32>(entropy));
                let key = SignerKey::from_seed(&format!("{origin}/{}", log.as_str()), KeyKind::Log, &seed);
                key.ok().map(|key| key.to_secret_text())
            })?;
            SignerKey::parse(text.trim()).map_err(|_| KeysError::Form { path })
        };
        let (requests, oversight) = (log(Log::Requests)?, log(Log::Oversight)?);
        let path = folder.join("receipts.key");
        let text = read_or_make(&path, fresh, || {
            let seed = Zeroizing::new(random::<32>(entropy));
            Some(Zeroizing::new(format!(
                "CANVASS-RECEIPTS-KEY {origin}/receipts {}",
                BASE64.encode(seed.as_slice())
            )))
        })?;
        let mut words = text.split_whitespace();
        let (word, name, seed) = (words.next(), words.next(), words.next());
        let seed = seed.and_then(|seed| BASE64.decode(seed.as_bytes()).ok()).map(Zeroizing::new);
        let seed = seed.and_then(|seed| Some(Zeroizing::new(<[u8; 32]>::try_from(seed.as_slice()).ok()?)));
        match (word, name, seed) {
            (Some("CANVASS-RECEIPTS-KEY"), Some(name), Some(seed)) => Ok(Self {
                requests,
                oversight,
                receipts: SigningKey::from_bytes(&seed),
                receipts_name: name.to_owned(),
            }),
            _ => Err(KeysError::Form { path }),
        }
    }

    /// The key of a ledger. Its name is also the ledger's origin.
    #[must_use]
    pub fn log(&self, log: Log) -> &SignerKey {
        match log {
            Log::Requests => &self.requests,
            Log::Oversight => &self.oversight,
        }
    }

    /// The public half of the key that signs receipts.
    #[must_use]
    pub fn receipts_public(&self) -> ServerKey {
        ServerKey::of(&self.receipts_name, &self.receipts)
    }
}

/// The root key of plate reads: made where there are none yet.
///
/// # Errors
/// [`KeysError`] names the file.
pub(crate) fn reads_key(folder: &Path, fresh: bool, entropy: &dyn Entropy) -> Result<RootKey, KeysError> {
    let told = |source| KeysError::File { path: folder.to_owned(), source };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(told)?;
    let path = folder.join("reads.key");
    let text = read_or_make(&path, fresh, || {
        let key = Zeroizing::new(random::<32>(entropy));
        Some(Zeroizing::new(format!("{READS_KEY} {}", BASE64.encode(key.as_slice()))))
    })?;
    let key = text.trim().strip_prefix(READS_KEY).and_then(|key| BASE64.decode(key.trim().as_bytes()).ok());
    let key = key.map(Zeroizing::new).and_then(|key| <[u8; 32]>::try_from(key.as_slice()).ok());
    key.map(RootKey::new).ok_or(KeysError::Form { path })
}

/// The key from which secrets of webhooks and keys of safelists are derived: made where nothing rests on it yet.
///
/// # Errors
/// [`KeysError`] names the file.
pub(crate) fn derive_key(folder: &Path, fresh: bool, entropy: &dyn Entropy) -> Result<[u8; 32], KeysError> {
    let path = folder.join("derive.key");
    let text = read_or_make(&path, fresh, || {
        let key = Zeroizing::new(random::<32>(entropy));
        Some(Zeroizing::new(format!("{DERIVE_KEY} {}", BASE64.encode(key.as_slice()))))
    })?;
    let key = text.trim().strip_prefix(DERIVE_KEY).and_then(|key| BASE64.decode(key.trim().as_bytes()).ok());
    key.and_then(|key| key.try_into().ok()).ok_or(KeysError::Form { path })
}

/// What the file of that key begins with.
const DERIVE_KEY: &str = "CANVASS-DERIVE-KEY";
/// What the file of that key begins with.
const READS_KEY: &str = "CANVASS-READS-KEY";

pub(crate) fn read_or_make(
    path: &Path,
    fresh: bool,
    make: impl FnOnce() -> Option<Zeroizing<String>>,
) -> Result<Zeroizing<String>, KeysError> {
    let told = |source| KeysError::File { path: path.to_owned(), source };
    match fs::read_to_string(path) {
        Ok(text) => return Ok(Zeroizing::new(text)),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(told(error)),
        Err(_) if !fresh => return Err(KeysError::Missing { path: path.to_owned() }),
        Err(_) => {}
    }
    let text = make().ok_or_else(|| KeysError::Form { path: path.to_owned() })?;
    let tmp = path.with_extension("new");
    let write = || {
        let _ = fs::remove_file(&tmp);
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&tmp)?;
        writeln!(file, "{}", *text)?;
        file.sync_all()?;
        fs::rename(&tmp, path)?;
        fs::File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(told)?;
    Ok(text)
}

/// The name under which keys and ledgers of a Canvass are known: its public address without the scheme.
#[must_use]
pub fn origin(public_url: &str) -> String {
    let bare = public_url.split_once("://").map_or(public_url, |(_, rest)| rest);
    bare.chars().map(|each| if each.is_ascii_graphic() && each != '+' { each } else { '-' }).collect()
}

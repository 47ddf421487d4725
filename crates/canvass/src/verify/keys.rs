//! `keys.json`: which keys a Canvass says are its own.

use canvass_ledger::{KeyKind, Trust, VerifierKey};
use canvass_seal::receipt::ServerKey;
use canvass_types::PublicKey;
use canvass_types::leaf::Log;
use serde::{Deserialize, Serialize};

use crate::common::Failure;

/// Largest `keys.json` that is read, in bytes.
pub const MAX_KEYS: u64 = 256 * 1024;
/// Most witnesses that are taken from one file.
const MAX_WITNESSES: usize = 64;

/// `/ledger/keys.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysFile {
    /// Version of this form: 1.
    pub v: u32,
    /// Name of the deployment.
    #[serde(default)]
    pub name: String,
    /// Address of its public half.
    #[serde(default)]
    pub public_url: String,
    /// The two ledgers.
    pub logs: LogKeys,
    /// The key that signs receipts.
    pub receipts: ReceiptKey,
    /// vkeys of witnesses.
    #[serde(default)]
    pub witnesses: Vec<String>,
    /// How many of them must have cosigned.
    #[serde(default)]
    pub quorum: usize,
}

/// The keys of the two ledgers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogKeys {
    /// Of the requests ledger.
    pub requests: LogKey,
    /// Of the oversight ledger.
    pub oversight: LogKey,
}

/// One ledger's origin and key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogKey {
    /// Its origin (C2SP tlog-checkpoint).
    pub origin: String,
    /// Its verifier key (C2SP signed-note).
    pub vkey: String,
}

/// The key that signs receipts: a vkey, or its two parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ReceiptKey {
    /// A vkey line.
    Vkey(String),
    /// A vkey in an object.
    Named {
        /// The vkey line.
        vkey: String,
    },
    /// Name and key.
    Parts {
        /// Name of the key.
        id: String,
        /// The key.
        public: PublicKey,
    },
}

impl KeysFile {
    /// Reads a file, whose keys must all be sound.
    ///
    /// # Errors
    /// Names the member at fault.
    pub fn parse(bytes: &[u8]) -> Result<Self, Failure> {
        let keys: Self = serde_json::from_slice(bytes).map_err(|error| {
            Failure::new(format!(
                "keys.json: not the keys of a Canvass ({error}); give the file served at /ledger/keys.json"
            ))
        })?;
        if keys.v != 1 {
            return Err(Failure::new(format!(
                "keys.json: version {} isn't read here; use a newer canvass",
                keys.v
            )));
        }
        if keys.witnesses.len() > MAX_WITNESSES {
            return Err(Failure::new(format!("keys.json: more than {MAX_WITNESSES} witnesses; name fewer")));
        }
        keys.receipt_key()?;
        for log in Log::ALL {
            keys.trust(log)?;
        }
        Ok(keys)
    }

    /// The key of one ledger.
    pub fn log(&self, log: Log) -> &LogKey {
        match log {
            Log::Requests => &self.logs.requests,
            Log::Oversight => &self.logs.oversight,
        }
    }

    /// Whom to believe about a ledger: its key and a quorum of the witnesses.
    ///
    /// # Errors
    /// Names the key at fault.
    pub fn trust(&self, log: Log) -> Result<Trust, Failure> {
        self.trust_of(log, self.quorum)
    }

    /// The same without witnesses, for proofs whose checkpoint is compared with a cosigned one.
    ///
    /// # Errors
    /// Names the key at fault.
    pub fn trust_alone(&self, log: Log) -> Result<Trust, Failure> {
        self.trust_of(log, 0)
    }

    fn trust_of(&self, log: Log, quorum: usize) -> Result<Trust, Failure> {
        let LogKey { origin, vkey } = self.log(log);
        let at = format!("keys.json: logs.{}", log.as_str());
        let key = VerifierKey::parse(vkey).map_err(|error| Failure::from(error).context(&at))?;
        let witnesses: Result<Vec<_>, _> =
            self.witnesses.iter().map(|vkey| VerifierKey::parse(vkey)).collect();
        let witnesses = witnesses.map_err(|error| Failure::from(error).context("keys.json: witnesses"))?;
        Trust::new(origin.clone(), key, witnesses, quorum).map_err(|error| Failure::from(error).context(&at))
    }

    /// The key that signs receipts.
    ///
    /// # Errors
    /// It is no Ed25519 key with a plain name.
    pub fn receipt_key(&self) -> Result<ServerKey, Failure> {
        let at = |error: Failure| error.context("keys.json: receipts");
        let vkey = match &self.receipts {
            ReceiptKey::Vkey(vkey) | ReceiptKey::Named { vkey } => vkey.clone(),
            ReceiptKey::Parts { id, public } => VerifierKey::new(id, KeyKind::Log, public.as_bytes())
                .map_err(|error| at(error.into()))?
                .to_string(),
        };
        ServerKey::parse(&vkey).map_err(|error| at(error.into()))
    }

    /// The same keys with other witnesses.
    #[must_use]
    pub fn witnessed_by(mut self, witnesses: &[String], quorum: Option<usize>) -> Self {
        if !witnesses.is_empty() {
            self.witnesses = witnesses.to_vec();
            self.quorum = quorum.unwrap_or(witnesses.len());
        } else if let Some(quorum) = quorum {
            self.quorum = quorum;
        }
        self
    }

    /// Whether another file names the same keys, whatever else it says.
    pub fn same_keys(&self, other: &Self) -> bool {
        let receipts = |keys: &Self| keys.receipt_key().ok();
        self.logs == other.logs && receipts(self) == receipts(other)
    }

    /// What to compare by telephone: one line a key.
    pub fn fingerprints(&self) -> Vec<String> {
        let receipts = self.receipt_key().map(|key| key.vkey()).unwrap_or_default();
        [
            ("requests", self.logs.requests.vkey.as_str()),
            ("oversight", self.logs.oversight.vkey.as_str()),
            ("receipts", receipts.as_str()),
        ]
        .map(|(name, vkey)| format!("{name} {vkey}"))
        .to_vec()
    }
}

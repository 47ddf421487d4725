//! The ledgers of one Canvass, and what was seen of them before: whoever shows an older or another ledger is found out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use canvass_ledger::verify::{check_growth, fetch_checkpoint};
use canvass_ledger::{AuditError, Checkpoint, SignedCheckpoint, Trusted, leaf_hash};
use canvass_types::Proof;
use canvass_types::leaf::Log;
use serde::{Deserialize, Serialize};

use super::keys::{KeysFile, MAX_KEYS};
use super::source::Public;
use crate::common::{Context, Failure, exists, read_limited, write_public, write_secret};

/// Largest file of what is remembered, in bytes.
const MAX_MEMORY: u64 = 2 * 1024 * 1024;
/// How often a checkpoint that lags behind its proofs is read again, a second apart.
const CATCH_UP: u32 = 6;

/// What is remembered of one Canvass.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Memory {
    /// Version of this form: 1.
    pub v: u32,
    /// Its keys, as they were first seen.
    pub keys: KeysFile,
    /// The newest checkpoint of each ledger that was found sound.
    pub checkpoints: BTreeMap<String, String>,
}

/// The ledgers of one Canvass.
#[derive(Debug)]
pub struct Ledgers {
    /// Its public files.
    pub public: Public,
    /// The keys that count.
    pub keys: KeysFile,
    memory: PathBuf,
    // Also written while proofs are checked side by side.
    seen: Mutex<BTreeMap<String, String>>,
    /// Whether the keys were never seen before and no file vouched for them.
    pub first_sight: bool,
}

/// Where a Canvass's checkpoints are remembered, unless a file is named.
///
/// # Errors
/// There is no home folder.
pub fn memory_path(context: &Context, public: &Public) -> Result<PathBuf, Failure> {
    Ok(context.state()?.join("seen").join(format!("{}.json", public.file_name())))
}

fn recall(path: &Path) -> Result<Option<Memory>, Failure> {
    if !exists(path) {
        return Ok(None);
    }
    let bytes = read_limited(path, MAX_MEMORY)?;
    let damaged = |why: String| {
        Failure::new(format!(
            "{}: what was seen before can't be read ({why}); restore the file, or delete it to begin anew knowing that a \
             rollback up to now can't be found any more",
            path.display()
        ))
    };
    let memory: Memory = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
    if memory.v == 1 { Ok(Some(memory)) } else { Err(damaged(format!("version {}", memory.v))) }
}

/// How keys are chosen.
#[derive(Debug, Clone, Default)]
pub struct Pins {
    /// A `keys.json` got by another way.
    pub keys: Option<PathBuf>,
    /// vkeys of witnesses that are trusted instead of those named by the server.
    pub witnesses: Vec<String>,
    /// How many must have cosigned.
    pub quorum: Option<usize>,
}

impl Ledgers {
    /// Reads the keys, and what is remembered. Keys from a file count before those remembered, and those before the ones
    /// that the server shows, which must be the same.
    ///
    /// # Errors
    /// The keys changed since they were seen, or can't be read.
    pub async fn open(public: Public, pins: &Pins, memory: PathBuf) -> Result<Self, Failure> {
        let known = recall(&memory)?;
        let pinned = match &pins.keys {
            Some(file) => Some(KeysFile::parse(&read_limited(file, MAX_KEYS)?)?),
            None => None,
        };
        let path = public.keys_path();
        let shown = match public.read(&path, MAX_KEYS).await? {
            Some(bytes) => Some(KeysFile::parse(&bytes)?),
            None => None,
        };
        if let (Some(pinned), Some(known)) = (&pinned, &known)
            && !pinned.same_keys(&known.keys)
        {
            return Err(changed("the keys in the file given are others than those remembered", &memory));
        }
        let expected = pinned.as_ref().or(known.as_ref().map(|known| &known.keys));
        if let (Some(expected), Some(shown)) = (expected, &shown)
            && !expected.same_keys(shown)
        {
            return Err(changed("its ledgers' keys are others than those known", &memory));
        }
        let first_sight = expected.is_none();
        // Witnesses may come and go; the keys that sign may not.
        let chosen = pinned.or(shown).or(known.as_ref().map(|known| known.keys.clone()));
        let keys = chosen.ok_or_else(|| {
            Failure::new(format!(
                "{path}: it isn't served; give --keys FILE with the keys got by another way"
            ))
        })?;
        let keys = keys.witnessed_by(&pins.witnesses, pins.quorum);
        let seen = Mutex::new(known.map(|known| known.checkpoints).unwrap_or_default());
        Ok(Self { public, keys, memory, seen, first_sight })
    }

    fn seen(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The checkpoint of a ledger that was seen before.
    pub fn remembered(&self, log: Log) -> Result<Option<Checkpoint>, Failure> {
        let Some(text) = self.seen().get(log.as_str()).cloned() else { return Ok(None) };
        let read = SignedCheckpoint::parse(text.as_bytes());
        Ok(Some(read.map_err(|error| Failure::from(error).context(self.memory.display()))?.checkpoint))
    }

    /// The ledger's present checkpoint: signed, cosigned by the quorum, and a continuation of the one remembered.
    ///
    /// # Errors
    /// It is not; a rollback or split view is kept as evidence.
    pub async fn head(&mut self, log: Log) -> Result<Trusted, Failure> {
        let trust = self.keys.trust(log)?;
        let files = self.public.log(log);
        let trusted = fetch_checkpoint(&files, &trust).await.map_err(|error| named(log, error))?;
        if let Some(before) = self.remembered(log)? {
            let grown = check_growth(&files, &before, &trusted.signed.checkpoint).await;
            if let Err(error) = grown {
                return Err(self.convict(log, error, Some(&trusted)));
            }
        }
        self.remember(log, &trusted);
        Ok(trusted)
    }

    /// Remembers a checkpoint that was found sound; written by [`Self::save`].
    pub fn remember(&self, log: Log, trusted: &Trusted) {
        self.seen().insert(log.as_str().to_owned(), trusted.signed.to_string());
    }

    /// Turns what an audit found into words, keeping both checkpoints where the ledger contradicts itself.
    pub fn convict(&self, log: Log, error: AuditError, shown: Option<&Trusted>) -> Failure {
        let lie = matches!(error, AuditError::Rollback { .. } | AuditError::SplitView { .. });
        let failure = named(log, error);
        let (Some(seen), Some(shown)) = (self.seen().get(log.as_str()).cloned(), shown.filter(|_| lie))
        else {
            return failure;
        };
        let size = shown.signed.checkpoint.size;
        let evidence = self.memory.with_extension(format!("{}-{size}.evidence", log.as_str()));
        let text = format!("seen before:\n\n{seen}\nshown now:\n\n{}", shown.signed);
        match write_public(&evidence, text.as_bytes()) {
            Ok(()) => Failure::new(format!("{failure}\nboth are kept in {}", evidence.display())),
            Err(_) => failure,
        }
    }

    /// Checks that an entry stands where a proof says, in a tree that the trusted checkpoint continues; gives the entry.
    ///
    /// # Errors
    /// It does not.
    pub async fn check_proof(&self, log: Log, head: &Checkpoint, proof: &Proof) -> Result<(), Failure> {
        let read = canvass_ledger::Proof::parse(proof.proof.as_bytes())?;
        if read.index != proof.index {
            return Err(Failure::new(format!(
                "the proof of entry {} is of entry {}",
                proof.index, read.index
            )));
        }
        let trusted = read.verify(&leaf_hash(proof.leaf.as_bytes()), &self.keys.trust_alone(log)?)?;
        self.lies_on_the_line(log, head, &trusted.signed.checkpoint).await
    }

    /// Checks that a checkpoint signed by the log lies on the way to a trusted one.
    ///
    /// # Errors
    /// It lies on another, or is newer than what the witnesses have seen.
    pub async fn lies_on_the_line(
        &self,
        log: Log,
        head: &Checkpoint,
        other: &Checkpoint,
    ) -> Result<(), Failure> {
        if other == head {
            return Ok(());
        }
        let files = self.public.log(log);
        if other.size <= head.size {
            return check_growth(&files, other, head).await.map_err(|error| named(log, error));
        }
        // Files and checkpoint are served by caches of different age: the checkpoint catches up within seconds.
        for _ in 0..CATCH_UP {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let now =
                fetch_checkpoint(&files, &self.keys.trust(log)?).await.map_err(|error| named(log, error))?;
            let shown = &now.signed.checkpoint;
            if other.size <= shown.size {
                check_growth(&files, head, shown).await.map_err(|error| named(log, error))?;
                check_growth(&files, other, shown).await.map_err(|error| named(log, error))?;
                self.remember(log, &now);
                return self.save();
            }
        }
        Err(Failure::new("a proof is newer than the ledger's checkpoint; try again in a minute"))
    }

    /// Writes what is remembered.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn save(&self) -> Result<(), Failure> {
        let memory = Memory { v: 1, keys: self.keys.clone(), checkpoints: self.seen().clone() };
        write_secret(&self.memory, &serde_json::to_vec_pretty(&memory)?)
    }
}

fn changed(what: &str, memory: &Path) -> Failure {
    Failure::new(format!(
        "{what}; somebody may stand between, so nothing is sent. Ask the operator by another way; if the change is announced, \
         delete {} and begin anew",
        memory.display()
    ))
}

/// An audit's error with its ledger's name before it.
pub fn named(log: Log, error: AuditError) -> Failure {
    Failure::from(error).context(format!("{} ledger", log.as_str()))
}

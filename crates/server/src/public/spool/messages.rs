//! Answers and withdrawals that wait for intake.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::uploads::blocking;
use super::{Spool, SpoolError, UploadId, disk, list};
use std::sync::{MutexGuard, PoisonError};

/// Bytes of the largest message kept.
pub(in crate::public) const MAX_MESSAGE: u64 = 64 * 1024;

/// What the resident wants of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MessageKind {
    /// An answer to a follow-up question, sealed to the Agency.
    Answer,
    /// The withdrawal of the offer.
    Withdraw,
}

/// A message about an offer, as its sender signed it. Only its shape has been checked: who may send it is for intake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Under which the offer is looked up.
    pub lookup: String,
    /// The offer's public key (Ed25519, 32 bytes, base64url without padding).
    pub offer_key: String,
    /// What is wanted.
    pub kind: MessageKind,
    /// When the sender signed it (RFC 3339).
    pub at: String,
    /// The sealed text, or nothing.
    #[serde(default)]
    pub body: String,
    /// Over the message, by the offer's key (64 bytes, base64url without padding).
    pub signature: String,
}

/// A message in the spool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingMessage {
    /// Its id, for [`Spool::drop_message`].
    pub id: UploadId,
    /// What was sent.
    pub message: Message,
}

/// Which messages wait, and for whom.
#[derive(Default)]
pub(super) struct Waiting {
    lookups: HashMap<UploadId, Box<str>>,
    looked: i64,
}

impl Waiting {
    fn of(&self, lookup: &str) -> usize {
        self.lookups.values().filter(|found| ***found == *lookup).count()
    }
}

impl Spool {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.inner.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a message; it is durable when this returns.
    ///
    /// # Errors
    /// Too many wait, or the disk failed.
    pub async fn put_message(&self, message: Message) -> Result<UploadId, SpoolError> {
        let spool = self.clone();
        blocking(move || spool.keep(&message)).await
    }

    fn keep(&self, message: &Message) -> Result<UploadId, SpoolError> {
        let id = UploadId::random(&*self.inner.config.entropy);
        if let Err(full) = self.reserve(&id, message) {
            // Intake, perhaps in another process, may have dropped some since we counted.
            if !self.refresh_if_old()? {
                return Err(full);
            }
            self.reserve(&id, message)?;
        }
        let name = format!("{}.json", id.as_str());
        let (tmp, kept) = (self.folder("tmp").join(&name), self.folder("messages").join(&name));
        let write = || {
            disk::write_new(&tmp, &serde_json::to_vec(message)?)?;
            std::fs::rename(&tmp, &kept)?;
            disk::sync_folder(&self.folder("messages"))
        };
        write().map_err(|error| {
            self.waiting().lookups.remove(&id);
            let _ = std::fs::remove_file(&tmp);
            SpoolError::io("keeping a message")(error)
        })?;
        Ok(id)
    }

    fn reserve(&self, id: &UploadId, message: &Message) -> Result<(), SpoolError> {
        let config = &self.inner.config;
        let mut waiting = self.waiting();
        if waiting.lookups.len() >= config.max_messages {
            return Err(SpoolError::TooManyMessages(config.max_messages));
        }
        if waiting.of(&message.lookup) >= config.max_messages_per_lookup {
            return Err(SpoolError::TooManyForLookup(config.max_messages_per_lookup));
        }
        waiting.lookups.insert(id.clone(), message.lookup.as_str().into());
        Ok(())
    }

    /// Counts again unless that was done within the last second.
    fn refresh_if_old(&self) -> Result<bool, SpoolError> {
        let old = self.now().as_millisecond().saturating_sub(self.waiting().looked) >= 1_000;
        if old {
            self.refresh_messages()?;
        }
        Ok(old)
    }

    /// Compares what is counted with what is on disk.
    pub(super) fn refresh_messages(&self) -> Result<(), SpoolError> {
        // Held throughout, so that a message being kept is not miscounted as gone.
        let mut waiting = self.waiting();
        let limit = self.inner.config.max_messages.saturating_mul(2);
        let mut lookups = HashMap::new();
        for (id, entry) in list(&self.folder("messages"), limit)? {
            let lookup = match waiting.lookups.get(&id) {
                Some(known) => known.clone(),
                None => read(&entry.path()).map(|found| found.lookup.into()).unwrap_or_default(),
            };
            lookups.insert(id, lookup);
        }
        waiting.lookups = lookups;
        waiting.looked = self.now().as_millisecond();
        Ok(())
    }

    /// Messages that wait, oldest first, at most `limit`.
    ///
    /// # Errors
    /// The folder can't be listed.
    pub fn messages(&self, limit: usize) -> Result<Vec<WaitingMessage>, SpoolError> {
        let bound = self.inner.config.max_messages.saturating_mul(2);
        let mut found: Vec<_> = list(&self.folder("messages"), bound)?
            .into_iter()
            .filter_map(|(id, entry)| Some((entry.metadata().ok()?.modified().ok()?, id, entry.path())))
            .collect();
        found.sort_unstable();
        let parse = |(_, id, path): (_, UploadId, std::path::PathBuf)| match read(&path) {
            Ok(message) => Some(WaitingMessage { id, message }),
            Err(error) => {
                tracing::error!(%error, "a waiting message can't be read");
                None
            }
        };
        Ok(found.into_iter().filter_map(parse).take(limit).collect())
    }

    /// Removes a message, once intake has acted on it.
    ///
    /// # Errors
    /// It is unknown, or the disk failed.
    pub fn drop_message(&self, id: &UploadId) -> Result<(), SpoolError> {
        let folder = self.folder("messages");
        let remove = || {
            std::fs::remove_file(folder.join(format!("{}.json", id.as_str())))?;
            disk::sync_folder(&folder)
        };
        remove().map_err(SpoolError::io("dropping a message"))?;
        self.waiting().lookups.remove(id);
        Ok(())
    }
}

fn read(path: &std::path::Path) -> Result<Message, SpoolError> {
    let bytes = disk::read_small(path, MAX_MESSAGE * 2).map_err(SpoolError::io("reading a message"))?;
    serde_json::from_slice(&bytes).map_err(|why| SpoolError::damaged("a message", &why))
}

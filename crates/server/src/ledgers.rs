//! The two ledgers, open for appending and proving, and the witnesses that cosign them.

use std::{collections::BTreeMap, io, ops::Range, path::Path};

use canvass_core::ports::Records;
use canvass_ledger::{
    Log as Chain, LogConfig, LogError, NoteSignature,
    witness::{AddCheckpoint, Outcome, read_answer},
};
use canvass_store_objects::Tiles;
use canvass_store_sqlite::{SqliteHeads, SqliteRecords};
use canvass_types::{Proof, leaf::Log};
use tokio::sync::Mutex;

use crate::{config::Witness, jobs::JobError, keys::Keys};

/// Entries of one append.
const BATCH: u32 = 1_024;
/// Most bytes of a witness's answer.
const MOST_ANSWER: usize = 64 * 1024;
/// Seconds that a witness has to answer.
const WITNESS_SECONDS: u64 = 5;
/// Seconds that a witness is left alone after its first failure; each further one doubles them.
const WITNESS_REST: u64 = 1;
/// Most seconds that a witness is left alone.
const MOST_WITNESS_REST: u64 = 30;

/// One ledger, with what its witnesses know of it.
pub struct Ledger {
    log: Log,
    chain: Mutex<Chain<Tiles, SqliteHeads>>,
    rounds: Mutex<Rounds>,
}

/// What is remembered of the calls to witnesses, by their URL.
#[derive(Default)]
struct Rounds {
    known: BTreeMap<String, u64>,
    resting: BTreeMap<String, Rest>,
}

/// A witness that is left alone since it failed.
struct Rest {
    /// How long, in seconds.
    length: u64,
    /// Until when, in seconds since 1970.
    until: u64,
}

impl Rest {
    /// The one that follows another failure at `at`.
    fn after(before: Option<&Self>, at: u64) -> Self {
        let length = before.map_or(WITNESS_REST, |rest| rest.length.saturating_mul(2).min(MOST_WITNESS_REST));
        Self { length, until: at.saturating_add(length) }
    }
}

/// Both.
pub struct Ledgers {
    requests: Ledger,
    oversight: Ledger,
}

/// What a round of calls to the witnesses brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Witnessed {
    /// Cosignatures attached.
    pub added: usize,
    /// Witnesses that did not cosign.
    pub failed: usize,
}

impl Ledgers {
    /// Opens both, or starts them where nothing is.
    ///
    /// # Errors
    /// When the tiles and the head do not belong together, or the disk fails.
    pub async fn open(
        records: &SqliteRecords,
        public: &Path,
        keys: &Keys,
        at: u64,
    ) -> Result<Self, LedgersError> {
        let open = async |log: Log| -> Result<Ledger, LedgersError> {
            let signer = keys.log(log).clone();
            let origin = signer.verifier().name().to_owned();
            let config = LogConfig { origin, signer, cosigners: Vec::new() };
            let tiles = Tiles::local(public, log)?;
            let heads = SqliteHeads { records: records.clone(), log };
            let chain = Chain::open_or_create(config, tiles, heads, at).await?;
            Ok(Ledger { log, chain: Mutex::new(chain), rounds: Mutex::default() })
        };
        Ok(Self { requests: open(Log::Requests).await?, oversight: open(Log::Oversight).await? })
    }

    /// One of them.
    #[must_use]
    pub fn of(&self, log: Log) -> &Ledger {
        match log {
            Log::Requests => &self.requests,
            Log::Oversight => &self.oversight,
        }
    }
}

/// Why the ledgers can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum LedgersError {
    /// The folder of the tiles.
    #[error("the folder of the ledgers can't be made ({0}); look at the data folder and its owner")]
    Folder(#[from] io::Error),
    /// The log itself.
    #[error("ledger: {0}")]
    Log(#[from] LogError),
}

impl Ledger {
    /// Entries that are signed for.
    pub async fn size(&self) -> u64 {
        self.chain.lock().await.size()
    }

    /// The signed head as text.
    pub async fn checkpoint(&self) -> String {
        self.chain.lock().await.checkpoint().to_string()
    }

    /// Appends what waits in the queue, at most one batch; says how many entries that were. Entries have their places
    /// from the moment of the commit, so a repeat after a crash adds nothing twice.
    ///
    /// # Errors
    /// The store's or the log's.
    pub async fn sequence(&self, records: &SqliteRecords, at: u64) -> Result<usize, JobError> {
        let mut chain = self.chain.lock().await;
        let from = chain.size();
        let waiting = records.ledger_entries(self.log, from, BATCH).await?;
        if waiting.is_empty() {
            return Ok(0);
        }
        let entries: Vec<Vec<u8>> = waiting.into_iter().map(|entry| entry.entry).collect();
        chain.append_at(from, &entries, at).await?;
        Ok(entries.len())
    }

    /// Removes what the log kept for repeating appends that are signed for by now.
    ///
    /// # Errors
    /// The disk's.
    pub async fn prune(&self, public: &Path) -> Result<(), JobError> {
        let size = self.size().await;
        let folder = public.join("ledger").join(self.log.as_str()).join("staging");
        let work = move || -> io::Result<()> {
            let entries = match std::fs::read_dir(&folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                other => other?,
            };
            for entry in entries.take(BATCH as usize) {
                let entry = entry?;
                let place = entry.file_name().to_str().and_then(|name| name.parse::<u64>().ok());
                if place.is_some_and(|place| place < size) {
                    std::fs::remove_file(entry.path())?;
                }
            }
            Ok(())
        };
        tokio::task::spawn_blocking(work).await.map_err(io::Error::other)??;
        Ok(())
    }

    /// Puts the signed head where readers fetch it.
    ///
    /// # Errors
    /// The disk's.
    pub async fn publish_checkpoint(&self) -> Result<(), JobError> {
        let chain = self.chain.lock().await;
        chain.tiles().publish_checkpoint(chain.checkpoint().to_string()).await?;
        Ok(())
    }

    /// Entries of a range that is signed for; the log limits its length.
    ///
    /// # Errors
    /// The log's own.
    pub async fn entries(&self, range: Range<u64>) -> Result<Vec<Vec<u8>>, JobError> {
        Ok(self.chain.lock().await.entries(range).await?)
    }

    /// Proofs of entries, all against one head; none while one of them is not in the ledger yet.
    ///
    /// # Errors
    /// The store's or the log's.
    pub async fn prove(
        &self,
        records: &SqliteRecords,
        leaves: &[String],
    ) -> Result<Option<(String, Vec<Proof>)>, JobError> {
        let chain = self.chain.lock().await;
        let mut proofs = Vec::with_capacity(leaves.len());
        for leaf in leaves {
            let found = records.ledger_index_of(self.log, leaf.as_bytes()).await?;
            let Some(index) = found.filter(|index| *index < chain.size()) else { return Ok(None) };
            let proof = chain.proof(index, None).await?.to_string();
            proofs.push(Proof { leaf: leaf.clone(), index, proof });
        }
        Ok(Some((chain.checkpoint().to_string(), proofs)))
    }

    /// Asks each witness to cosign the present head, unless it has done so. Failures are counted, never passed on: a
    /// ledger goes on without its witnesses, and readers see that it does.
    ///
    /// # Errors
    /// The log's own.
    pub async fn witness(
        &self,
        http: &reqwest::Client,
        witnesses: &[Witness],
        at: u64,
    ) -> Result<Witnessed, JobError> {
        let mut outcome = Witnessed::default();
        let mut rounds = self.rounds.lock().await;
        for witness in witnesses {
            if rounds.resting.get(&witness.url).is_some_and(|rest| rest.until > at) {
                outcome.failed += 1;
                continue;
            }
            match self.ask(http, witness, &mut rounds).await {
                Ok(signatures) => {
                    rounds.resting.remove(&witness.url);
                    if !signatures.is_empty() {
                        let mut chain = self.chain.lock().await;
                        match chain.attach_cosignatures(&signatures, std::slice::from_ref(&witness.key)).await
                        {
                            Ok(added) => outcome.added += added,
                            // The head moved on; the next round asks for the new one.
                            Err(LogError::Busy | LogError::Cosignature(_)) => {}
                            Err(error) => return Err(error.into()),
                        }
                    }
                }
                Err(reason) => {
                    outcome.failed += 1;
                    let rest = Rest::after(rounds.resting.get(&witness.url), at);
                    rounds.resting.insert(witness.url.clone(), rest);
                    tracing::warn!(
                        ledger = self.log.as_str(),
                        reason,
                        "a witness did not cosign; it is asked again later"
                    );
                }
            }
        }
        Ok(outcome)
    }

    async fn ask(
        &self,
        http: &reqwest::Client,
        witness: &Witness,
        rounds: &mut Rounds,
    ) -> Result<Vec<NoteSignature>, &'static str> {
        for _ in 0..3 {
            let (body, text, size) = {
                let chain = self.chain.lock().await;
                let head = chain.checkpoint().clone();
                if head.note.signatures.iter().any(|signature| witness.key.claims(signature)) {
                    return Ok(Vec::new());
                }
                let old = rounds.known.get(&witness.url).copied().unwrap_or(0);
                let size = head.checkpoint.size;
                if old > size {
                    return Err("it knows a larger ledger than this one: was an old backup restored?");
                }
                let proof = chain.consistency_proof(old, size).await.map_err(|_| "no proof could be made")?;
                let text = head.note.text.clone();
                (AddCheckpoint { old, proof, checkpoint: head }.to_body(), text, size)
            };
            let url = format!("{}/add-checkpoint", witness.url.trim_end_matches('/'));
            let request = http.post(url).timeout(std::time::Duration::from_secs(WITNESS_SECONDS)).body(body);
            let answer = request.send().await.map_err(|_| "it can't be reached")?;
            let status = answer.status().as_u16();
            let bytes = limited(answer).await?;
            match read_answer(status, &bytes, &text, std::slice::from_ref(&witness.key)) {
                Ok(Outcome::Cosigned(signatures)) => {
                    rounds.known.insert(witness.url.clone(), size);
                    return Ok(signatures);
                }
                Ok(Outcome::Conflict(known)) => {
                    rounds.known.insert(witness.url.clone(), known);
                }
                Err(_) => return Err("it refused, or its answer is malformed"),
            }
        }
        Err("it names another size each time")
    }
}

async fn limited(mut answer: reqwest::Response) -> Result<Vec<u8>, &'static str> {
    let mut bytes = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(|_| "its answer broke off")? {
        if bytes.len() + part.len() > MOST_ANSWER {
            return Err("its answer is too long");
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_witness_that_keeps_failing_is_asked_less_and_less_often_but_always_again() {
        let mut rest = Rest::after(None, 100);
        let mut lengths = vec![rest.length];
        for _ in 0..6 {
            rest = Rest::after(Some(&rest), rest.until);
            lengths.push(rest.length);
        }
        assert_eq!(lengths, [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(rest.until, 100 + 1 + 2 + 4 + 8 + 16 + 30 + 30);
    }
}

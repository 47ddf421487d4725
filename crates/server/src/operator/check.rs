//! Reading everything, naming each defect with its remedy, and mending what can be derived: index columns, digests,
//! ledger tiles, public files, bytes that should be gone. It never touches a record's content, an entry or a key.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use canvass_core::{
    App, CoreError,
    access::{Gate, RulesError},
    custody::verify_chain_to,
    feed::RegionEntry,
    ports::{Query, Record, Records as _, RecordsExt as _, StoreError, Versioned},
    publishing::Publishable,
    records::{Agency, AuditRecord, CustodyEvent, CustodyHead, Item, Offer, Portal, Request, SealedBlob},
    retention::status_over,
};
use canvass_ledger::{
    KeyKind, Log as Chain, LogConfig, LogError, MemStore, SignedCheckpoint, SignerKey, store::TileStore as _,
};
use canvass_plates::{Damage, ReadStore as _};
use canvass_store_objects::{BlobError, Blobs, Tiles};
use canvass_store_reads::SegmentStore;
use canvass_store_sqlite::{OpenError, Options, SqliteRecords};
use canvass_types::{
    Clock, Digest, Entropy, Policy,
    leaf::{Log, OversightLeaf},
};
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};

use crate::{
    config::DataFolder,
    keys,
    public::spool::{Spool, SpoolConfig},
};

/// Most defects that are listed.
const MOST: usize = 10_000;
/// Entries read at a time.
const STEP: u32 = 1_024;
/// How long a server at work has a file that is half-written, at most.
const A_MOMENT: std::time::Duration = std::time::Duration::from_secs(1);

/// Why the check itself could not be done.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The records can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The domain.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// The blobs can't be listed.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The rules of who may do what.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// The ledger could not be put together for comparing.
    #[error(transparent)]
    Ledger(#[from] LogError),
    /// A folder can't be read or written.
    #[error("the data folder can't be read or written ({0}); look at the disk and the folder's owner")]
    File(#[from] io::Error),
}

/// One defect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Where: `records`, `blobs`, `ledger`, `custody`, `reads`, `hotlists` or `public`.
    pub area: String,
    /// What is wrong.
    pub defect: String,
    /// What to do about it.
    pub remedy: String,
    /// Whether it was mended.
    pub repaired: bool,
}

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The defects, at most 10,000.
    pub findings: Vec<Finding>,
    /// Sealed files that were read and compared with their digest.
    pub blobs: u64,
    /// Ledger entries that were compared.
    pub entries: u64,
    /// Chains of custody that were verified.
    pub chains: u64,
    /// Plate reads that were opened and compared.
    #[serde(default)]
    pub reads: u64,
}

impl Report {
    /// Whether nothing is wrong, or all was mended.
    #[must_use]
    pub fn clean(&self) -> bool {
        self.findings.iter().all(|finding| finding.repaired)
    }

    fn add(&mut self, area: &str, defect: impl Into<String>, remedy: &str, repaired: bool) {
        if self.findings.len() < MOST {
            let (area, remedy) = (area.to_owned(), remedy.to_owned());
            self.findings.push(Finding { area, defect: defect.into(), remedy, repaired });
        }
    }
}

/// A name for a folder that is gone in a moment.
fn random_name(app: &App<SqliteRecords>) -> String {
    data_encoding::HEXLOWER.encode(&canvass_types::env::random::<8>(app.entropy()))
}

/// How many reads a copy of the store holds, and what is damaged in it.
fn look_at_reads(
    folder: &DataFolder,
    copy: &Path,
    entropy: Arc<dyn Entropy>,
) -> Result<(u64, Vec<Damage>), String> {
    let words = |error: &dyn std::error::Error| error.to_string();
    let key = keys::reads_key(&folder.keys(), false, entropy.as_ref()).map_err(|error| words(&error))?;
    canvass_store_reads::snapshot(&folder.reads(), copy).map_err(|error| words(&error))?;
    let options = canvass_store_reads::Options { background: false, ..Default::default() };
    let store = SegmentStore::open(copy, key, entropy, options).map_err(|error| words(&error))?;
    let reads = store.slices().map_err(|error| words(&error))?.iter().map(|(_, reads)| reads).sum();
    Ok((reads, store.check().map_err(|error| words(&error))?))
}

struct Checker {
    app: App<SqliteRecords>,
    entropy: Arc<dyn Entropy>,
    blobs: Blobs,
    folder: DataFolder,
    repair: bool,
    /// Whether no server runs: only then may bytes be removed that nothing refers to.
    stopped: bool,
    report: Report,
}

/// Checks a data folder, whether or not a server runs on it; with `repair` mends what can be derived. Public files are
/// written anew by the server's publisher: the repair asks for it.
///
/// # Errors
/// When the folder can't be read at all.
pub async fn check(
    data: &Path,
    repair: bool,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
) -> Result<Report, CheckError> {
    let folder = DataFolder(data.to_owned());
    if !folder.records().exists() {
        return Err(CheckError::File(io::Error::new(io::ErrorKind::NotFound, "it holds no records.sqlite")));
    }
    // A running server holds this lock; while the check holds it, none can start.
    let spool = SpoolConfig::new(folder.agency_spool(), u64::MAX, Arc::clone(&clock), Arc::clone(&entropy));
    let held = if repair { Spool::open(spool).ok() } else { None };
    let records = SqliteRecords::open(folder.records(), Options::default()).await?;
    let app = App::new(records, Gate::shipped()?, Policy::default(), clock, Arc::clone(&entropy));
    let blobs = Blobs::local(data)?;
    let mut checker =
        Checker { app, entropy, blobs, folder, repair, stopped: held.is_some(), report: Report::default() };
    let done = checker.all().await;
    drop(held);
    checker.app.records().close().await;
    done.map(|()| checker.report)
}

impl Checker {
    async fn all(&mut self) -> Result<(), CheckError> {
        self.records().await?;
        for log in Log::ALL {
            self.ledger(log).await?;
        }
        self.deeds().await?;
        self.evidence().await?;
        self.reads().await?;
        self.hotlists().await?;
        self.public().await
    }

    async fn records(&mut self) -> Result<(), CheckError> {
        for defect in self.app.records().check().await? {
            let mended =
                self.repair && defect.is_derived() && self.app.records().repair(&defect).await.is_ok();
            let remedy = if defect.is_derived() { "run the check with --repair" } else { "restore a backup" };
            self.report.add("records", defect.to_string(), remedy, mended);
        }
        Ok(())
    }

    /// The queue, the signed head and the tiles must tell the same story.
    async fn ledger(&mut self, log: Log) -> Result<(), CheckError> {
        let records = self.app.records().clone();
        let name = log.as_str();
        let Some(text) = records.head(log).await? else {
            if records.ledger_size(log).await? > 0 {
                self.report.add(
                    "ledger",
                    format!("{name}: entries wait and nothing was ever signed"),
                    "start the server",
                    false,
                );
            }
            return Ok(());
        };
        let Ok(head) = SignedCheckpoint::parse(text.as_bytes()) else {
            self.report.add(
                "ledger",
                format!("{name}: the signed head can't be read"),
                "restore a backup",
                false,
            );
            return Ok(());
        };
        let size = head.checkpoint.size;
        // Any key will do: tiles do not depend on it.
        let signer = SignerKey::from_seed("check", KeyKind::Log, &[1; 32])
            .map_err(|_| LogError::Settings("no key"))?;
        let config = LogConfig { origin: "check".into(), signer, cosigners: Vec::new() };
        let expected = Arc::new(MemStore::new());
        let mut chain = Chain::create(config, Arc::clone(&expected), Arc::clone(&expected), 1).await?;
        while chain.size() < size {
            let left = u32::try_from(size - chain.size()).unwrap_or(STEP).min(STEP);
            let part = records.ledger_entries(log, chain.size(), left).await?;
            if part.is_empty() {
                let defect =
                    format!("{name}: the head covers {size} entries, the records hold {}", chain.size());
                self.report.add("ledger", defect, "restore a newer backup of the records", false);
                return Ok(());
            }
            let entries: Vec<Vec<u8>> = part.into_iter().map(|entry| entry.entry).collect();
            chain.append(&entries, 1).await?;
        }
        self.report.entries += size;
        if chain.checkpoint().checkpoint.root != head.checkpoint.root {
            self.report.add(
                "ledger",
                format!("{name}: the records' entries do not lead to the signed head"),
                "restore a backup of records and public files made at one time",
                false,
            );
            return Ok(());
        }
        self.tiles(log, size, &expected).await?;
        self.checkpoint(log, &text).await
    }

    async fn tiles(&mut self, log: Log, size: u64, expected: &MemStore) -> Result<(), CheckError> {
        let tiles = Tiles::local(self.folder.public(), log)?;
        let folder = self.folder.public().join("ledger").join(log.as_str());
        for path in expected.paths() {
            if !path.starts_with("tile/") || is_outgrown(&path, size) {
                continue;
            }
            let Ok(Some(due)) = expected.get(&path).await else { continue };
            let found = tiles.get(&path).await.ok().flatten();
            if found.as_ref() == Some(&due) {
                continue;
            }
            let mut mended = false;
            if self.repair {
                crate::files::remove(folder.join(&path)).await?;
                mended = tiles.put(&path, due).await.is_ok();
            }
            let state = if found.is_some() { "differs from the entries" } else { "is missing" };
            self.report.add(
                "ledger",
                format!("{}/{path} {state}", log.as_str()),
                "run the check with --repair",
                mended,
            );
        }
        Ok(())
    }

    async fn checkpoint(&mut self, log: Log, head: &str) -> Result<(), CheckError> {
        let path = self.folder.public().join("ledger").join(log.as_str()).join("checkpoint");
        let found = tokio::fs::read_to_string(&path).await.ok();
        let sound = found.as_deref().and_then(|text| SignedCheckpoint::parse(text.as_bytes()).ok());
        let parsed = |text: &str| SignedCheckpoint::parse(text.as_bytes()).ok();
        let mut ours = parsed(head);
        let ahead =
            |found: &SignedCheckpoint, ours: &SignedCheckpoint| found.checkpoint.size > ours.checkpoint.size;
        if sound.as_ref().zip(ours.as_ref()).is_some_and(|(found, ours)| ahead(found, ours)) {
            // It went on while the entries were looked through.
            ours = self.app.records().head(log).await?.as_deref().and_then(parsed);
        }
        // A running server publishes a moment after it signs: an older head of the same ledger is no defect.
        let behind = |found: &SignedCheckpoint, ours: &SignedCheckpoint| {
            found.checkpoint.origin == ours.checkpoint.origin && found.checkpoint.size <= ours.checkpoint.size
        };
        if sound.zip(ours).is_some_and(|(found, ours)| behind(&found, &ours)) {
            return Ok(());
        }
        let tiles = Tiles::local(self.folder.public(), log)?;
        let mended = self.repair && tiles.publish_checkpoint(head.to_owned()).await.is_ok();
        self.report.add(
            "ledger",
            format!("{}/checkpoint is missing or not this ledger's", log.as_str()),
            "run the check with --repair",
            mended,
        );
        Ok(())
    }

    /// Each record of an action says what its ledger entry commits to, and none is gone. The oldest go when their time is
    /// over; one that is missing among younger ones was taken out.
    async fn deeds(&mut self) -> Result<(), CheckError> {
        let mut entries = self.commitments().await?;
        let mut oldest: Option<String> = None;
        let mut after = None;
        loop {
            let part = self.page::<AuditRecord>(after).await?;
            let Some(last) = part.last() else { break };
            after = Some(last.sequence);
            for Versioned { record, .. } in part {
                let Some(leaf) = &record.leaf else { continue };
                let defect = match entries.remove(&leaf.commitment) {
                    None => "no entry of the oversight ledger commits to this record of an action",
                    Some(_) if !record.is_whole() => {
                        "this record of an action is not as the ledger commits to it"
                    }
                    Some(hour) => {
                        oldest = Some(oldest.map_or(hour.clone(), |known| known.min(hour)));
                        continue;
                    }
                };
                let defect = format!("{}: {defect}", record.body.id);
                self.report.add("records", defect, "restore a backup; somebody altered it", false);
            }
        }
        let oldest = oldest.unwrap_or_default();
        for (commitment, _) in entries.iter().filter(|(_, hour)| **hour > oldest) {
            let defect = format!("the record of an action that entry {commitment} commits to is gone");
            self.report.add("records", defect, "restore a backup; somebody removed it", false);
        }
        Ok(())
    }

    /// The hour of each entry of the oversight ledger, by its commitment.
    async fn commitments(&self) -> Result<BTreeMap<Digest, String>, CheckError> {
        let records = self.app.records();
        let (mut entries, mut from) = (BTreeMap::new(), 0);
        loop {
            let part = records.ledger_entries(Log::Oversight, from, STEP).await?;
            let Some(last) = part.last() else { return Ok(entries) };
            from = last.index + 1;
            let leaves =
                part.iter().filter_map(|entry| serde_json::from_slice::<OversightLeaf>(&entry.entry).ok());
            entries.extend(leaves.map(|leaf| (leaf.commitment, leaf.hour)));
        }
    }

    /// Plate reads, in a copy that is made for it: a server may be at work on them.
    async fn reads(&mut self) -> Result<(), CheckError> {
        if !self.folder.reads().exists() {
            return Ok(());
        }
        let entropy = Arc::clone(&self.entropy);
        let (folder, copy) =
            (self.folder.clone(), self.folder.0.join(format!(".reads-{}", random_name(&self.app))));
        let work = move || {
            let looked = look_at_reads(&folder, &copy, entropy);
            let removed = std::fs::remove_dir_all(&copy);
            looked.map(|found| (found, removed.is_ok()))
        };
        let looked = tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?;
        match looked {
            Ok(((reads, damages), _)) => {
                self.report.reads = reads;
                for damage in damages {
                    let defect = format!("reads/{}: {}", damage.file, damage.what);
                    self.report.add("reads", defect, "restore a backup of the folder `reads`", false);
                }
            }
            Err(fault) => self.report.add(
                "reads",
                fault,
                "put the folder `reads` and its key back from a backup",
                false,
            ),
        }
        Ok(())
    }

    /// What is on the hotlists in force.
    async fn hotlists(&mut self) -> Result<(), CheckError> {
        for (list, what) in self.app.damaged_hotlists().await? {
            let remedy = "import the list again, or restore a backup";
            self.report.add("hotlists", format!("{list}: {what}"), remedy, false);
        }
        Ok(())
    }

    /// Sealed bytes and chains of custody.
    async fn evidence(&mut self) -> Result<(), CheckError> {
        let mut kept = BTreeSet::new();
        let mut after = None;
        loop {
            let part = self.page::<Offer>(after).await?;
            let Some(last) = part.last() else { break };
            after = Some(last.sequence);
            for Versioned { record: offer, .. } in part {
                self.custody(offer.id.as_str(), &offer.custody).await?;
                self.bytes(offer.id.as_str(), &offer.envelope, offer.destroyed.is_some(), &mut kept).await?;
            }
        }
        let mut after = None;
        loop {
            let part = self.page::<Item>(after).await?;
            let Some(last) = part.last() else { break };
            after = Some(last.sequence);
            for Versioned { record: item, .. } in part {
                self.custody(item.id.as_str(), &item.custody).await?;
                self.bytes(item.id.as_str(), &item.sealed, item.destroyed.is_some(), &mut kept).await?;
            }
        }
        let mut all = self.blobs.list();
        while let Some(blob) = all.next().await {
            let blob = blob?;
            if !kept.contains(&blob.key) {
                // Intake may be about to use it; when it is a leftover, nothing leads to it.
                let waits = self.upload_waits(&blob.key);
                if !waits {
                    let mended = self.stopped && self.blobs.delete(&blob.key).await.is_ok();
                    self.report.add(
                        "blobs",
                        format!("{}: nothing refers to these bytes", blob.key),
                        "stop the server and run the check with --repair, which removes them",
                        mended,
                    );
                }
            }
        }
        Ok(())
    }

    fn upload_waits(&self, key: &str) -> bool {
        let id = key.rsplit_once('-').map(|(_, id)| id).unwrap_or_default();
        self.folder.spool().join("done").join(id).exists()
    }

    async fn page<R: Record>(&self, after: Option<u64>) -> Result<Vec<Versioned<R>>, CheckError> {
        Ok(self.app.records().list(Query::<R>::new().after(after).limit(500)).await?)
    }

    async fn bytes(
        &mut self,
        subject: &str,
        blob: &SealedBlob,
        destroyed: bool,
        kept: &mut BTreeSet<String>,
    ) -> Result<(), CheckError> {
        kept.insert(blob.blob.clone());
        if destroyed {
            if self.blobs.stat(&blob.blob).await?.is_some() {
                let mended = self.repair && self.blobs.delete(&blob.blob).await.is_ok();
                self.report.add(
                    "blobs",
                    format!("{subject}: its bytes are recorded as destroyed and are still there"),
                    "run the check with --repair, which removes them",
                    mended,
                );
            }
            return Ok(());
        }
        self.report.blobs += 1;
        match self.blobs.verify(&blob.blob, &blob.sha256).await {
            Ok(()) => {}
            Err(BlobError::Missing { .. }) => {
                self.report.add(
                    "blobs",
                    format!("{subject}: its sealed bytes are missing"),
                    "restore the blob from a backup",
                    false,
                );
            }
            Err(BlobError::Integrity { .. }) => {
                self.report.add(
                    "blobs",
                    format!("{subject}: its sealed bytes differ from their digest"),
                    "place a hold, then restore the blob from a backup",
                    false,
                );
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    async fn custody(&mut self, subject: &str, head: &CustodyHead) -> Result<(), CheckError> {
        let mut events: Vec<CustodyEvent> = Vec::new();
        let mut after = None;
        loop {
            let query = Query::<CustodyEvent>::new().with("subject", subject).after(after);
            let part = self.app.records().list(query).await?;
            let Some(last) = part.last() else { break };
            after = Some(last.sequence);
            events.extend(part.into_iter().map(|event| event.record));
        }
        self.report.chains += 1;
        if let Err(defect) = verify_chain_to(&events, head) {
            self.report.add(
                "custody",
                format!("{subject}: {defect}"),
                "compare it with a backup or bundle made earlier",
                false,
            );
        }
        Ok(())
    }

    /// Public files that a published record must have.
    async fn public(&mut self) -> Result<(), CheckError> {
        self.files_of::<Agency>("agencies", |agency| Some(agency.id.to_string())).await?;
        self.files_of::<Request>("requests", |request| {
            request.decision.as_ref().map(|_| request.id.to_string())
        })
        .await?;
        self.files_of::<Portal>("portals", |portal| Some(portal.id.to_string())).await?;
        self.files_of::<Offer>("offers", |offer| (!status_over(offer)).then(|| offer.lookup.clone())).await?;
        self.feed().await?;
        let mut half = Vec::new();
        half_written(&self.folder.public(), 0, &mut half)?;
        if !half.is_empty() && !self.stopped {
            // A server at work has such files for a moment; what a crash left stays.
            tokio::time::sleep(A_MOMENT).await;
            let mut still = Vec::new();
            half_written(&self.folder.public(), 0, &mut still)?;
            half.retain(|path| still.contains(path));
        }
        for path in half {
            let shown = path.strip_prefix(&self.folder.0).unwrap_or(&path).display().to_string();
            let mended = self.repair && fs::remove_file(&path).is_ok();
            self.report.add(
                "public",
                format!("{shown} is half-written"),
                "run the check with --repair, which removes it",
                mended,
            );
        }
        Ok(())
    }

    async fn files_of<P: Publishable + MaybePublic>(
        &mut self,
        folder: &str,
        name: impl Fn(&P) -> Option<String>,
    ) -> Result<(), CheckError> {
        let mut after = None;
        loop {
            let part = self.page::<P>(after).await?;
            let Some(last) = part.last() else { return Ok(()) };
            after = Some(last.sequence);
            for found in part {
                if found.record.lags() {
                    continue;
                }
                let Some(name) = name(&found.record) else { continue };
                let path = self.folder.public().join(folder).join(format!("{name}.json"));
                let bytes = tokio::fs::read(&path).await.ok();
                let value = bytes.and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
                if value.is_some_and(|value| found.record.is_shown_by(&value)) {
                    continue;
                }
                let mended = self.repair && self.app.publish_again(&found).await?;
                self.report.add(
                    "public",
                    format!("{folder}/{name}.json is missing, or does not show the record as it is"),
                    "run the check with --repair; the running server then writes it",
                    mended,
                );
            }
        }
    }

    async fn feed(&mut self) -> Result<(), CheckError> {
        #[derive(Deserialize)]
        struct Index {
            regions: Vec<RegionEntry>,
        }
        let folder = self.folder.public().join("feed");
        let Ok(bytes) = tokio::fs::read(folder.join("index.json")).await else { return Ok(()) };
        let index = serde_json::from_slice::<Index>(&bytes).map(|index| index.regions);
        let mut wrong = index.is_err();
        for entry in index.unwrap_or_default() {
            let bundle = tokio::fs::read(folder.join(format!("{}.json", entry.region))).await.ok();
            wrong |= bundle.is_none_or(|bundle| Digest::of(&bundle) != entry.digest);
        }
        if wrong {
            if self.repair {
                crate::files::remove(folder.join("index.json")).await?;
            }
            self.report.add(
                "public",
                "feed: a region's file differs from the list of regions",
                "run the check with --repair; the running server then builds the feed anew",
                self.repair,
            );
        }
        Ok(())
    }
}

/// What of a record a public file must show.
trait MaybePublic {
    /// Whether the public files are known to lag behind.
    fn lags(&self) -> bool;
    /// Whether a file shows it as it is.
    fn is_shown_by(&self, file: &serde_json::Value) -> bool;
}

fn says(file: &serde_json::Value, pointer: &str, text: &str) -> bool {
    file.pointer(pointer).and_then(|value| value.as_str()) == Some(text)
}

impl MaybePublic for Agency {
    fn lags(&self) -> bool {
        self.unpublished
    }
    fn is_shown_by(&self, file: &serde_json::Value) -> bool {
        let shown = file.get("agency").cloned().and_then(|shown| serde_json::from_value(shown).ok());
        shown == Some(canvass_types::PublicAgency::from(self))
    }
}

impl MaybePublic for Request {
    fn lags(&self) -> bool {
        self.unpublished
    }
    fn is_shown_by(&self, file: &serde_json::Value) -> bool {
        let proofs = file.get("proofs").and_then(|proofs| proofs.as_array()).map_or(0, Vec::len);
        says(file, "/state", self.state.as_str()) && proofs == self.leaves.len()
    }
}

impl MaybePublic for Portal {
    fn lags(&self) -> bool {
        self.unpublished
    }
    fn is_shown_by(&self, file: &serde_json::Value) -> bool {
        says(file, "/state", if self.open { "open" } else { "closed" })
    }
}

impl MaybePublic for Offer {
    fn lags(&self) -> bool {
        self.unpublished
    }
    fn is_shown_by(&self, file: &serde_json::Value) -> bool {
        says(file, "/state", self.state.as_str())
            && file.get("receipt").is_some_and(|receipt| !receipt.is_null())
    }
}

/// Whether a partial tile belongs to an earlier size of the ledger; such tiles may be gone.
fn is_outgrown(path: &str, size: u64) -> bool {
    let Some((full, width)) = path.rsplit_once(".p/") else { return false };
    let mut parts = full.trim_start_matches("tile/").split('/');
    let level = match parts.next() {
        Some("entries") => 0,
        Some(level) => level.parse::<u32>().unwrap_or(0),
        None => 0,
    };
    let at = size.checked_shr(level.saturating_mul(8)).unwrap_or(0);
    width.parse::<u64>().is_ok_and(|width| width != at % 256)
}

fn half_written(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> io::Result<()> {
    if depth > 10 || !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_str().unwrap_or_default();
        if entry.file_type()?.is_dir() {
            if !name.starts_with('.') {
                half_written(&entry.path(), depth + 1, found)?;
            }
        } else if name.starts_with('.') && name.ends_with(".new") {
            found.push(entry.path());
        }
    }
    Ok(())
}

//! Creating, claiming, finishing, expiring and handing over uploads.

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use super::{Claim, DoneUpload, Progress, Spool, SpoolError, UploadId, UploadInfo, disk, list};

/// Entries of a folder looked at in one go.
const MAX_LISTED: usize = 200_000;
/// Bytes of the largest `info.json` read back.
const MAX_INFO: u64 = 64 * 1024;
/// A writer that has received nothing for this many milliseconds gives way to whoever asks.
pub(super) const STALLED_MS: i64 = 5_000;

/// The right to write to one upload; given back when dropped.
pub(super) struct Claimed {
    pub(super) spool: Spool,
    pub(super) id: UploadId,
    pub(super) cancel: Arc<Notify>,
    active: Arc<AtomicI64>,
}

impl Claimed {
    /// Notes that bytes are arriving.
    pub(super) fn touch(&self) {
        self.active.store(self.spool.now().as_millisecond(), Ordering::Relaxed);
    }
}

impl Drop for Claimed {
    fn drop(&mut self) {
        self.spool.claims().remove(&self.id);
    }
}

impl Spool {
    /// Starts an upload. It is durable when this returns.
    ///
    /// # Errors
    /// Too many are open, the announced bytes don't fit, or the disk failed.
    pub fn create(&self, info: &UploadInfo) -> Result<UploadId, SpoolError> {
        let limit = self.inner.config.max_open_uploads;
        if self.inner.open.fetch_add(1, Ordering::AcqRel) >= limit {
            self.inner.open.fetch_sub(1, Ordering::AcqRel);
            return Err(SpoolError::TooManyOpen(limit));
        }
        let made = self.make(info);
        if made.is_err() {
            self.inner.open.fetch_sub(1, Ordering::AcqRel);
        }
        made
    }

    fn make(&self, info: &UploadInfo) -> Result<UploadId, SpoolError> {
        if self.room() < info.length {
            return Err(SpoolError::Full(self.inner.config.max_bytes));
        }
        let id = UploadId::random(&*self.inner.config.entropy);
        let json = serde_json::to_vec(info).map_err(|why| SpoolError::damaged("info.json", &why))?;
        // Made whole in tmp, so that an upload is either there with all its files or not there.
        let tmp = self.upload_folder("tmp", &id);
        let make = || {
            disk::make_folder(&tmp)?;
            disk::write_new(&tmp.join("info.json"), &json)?;
            disk::create(&tmp.join("data"))?.sync_all()?;
            disk::sync_folder(&tmp)?;
            std::fs::rename(&tmp, self.upload_folder("open", &id))?;
            disk::sync_folder(&self.folder("open"))
        };
        make().map_err(|error| {
            let _ = std::fs::remove_dir_all(&tmp);
            SpoolError::io("creating an upload")(error)
        })?;
        if info.length == 0 {
            self.finish(&id)?;
        }
        Ok(id)
    }

    /// Bytes that still fit.
    pub(super) fn room(&self) -> u64 {
        self.inner.config.max_bytes.saturating_sub(self.inner.bytes.load(Ordering::Acquire))
    }

    /// Where an upload stands. A complete one is known until intake takes it.
    ///
    /// # Errors
    /// It is unknown or expired, somebody writes to it, or the disk failed.
    pub async fn progress(&self, id: &UploadId) -> Result<Progress, SpoolError> {
        let claimed = match self.claim(id).await {
            Err(SpoolError::Unknown) => return self.done_progress(id),
            other => other?,
        };
        blocking(move || {
            let (info, offset) = claimed.spool.settled(&claimed.id)?;
            let expires = claimed.spool.unexpired(&claimed.id, &info)?;
            if offset == info.length {
                claimed.spool.finish(&claimed.id)?;
                return Ok(Progress { offset, length: info.length, expires: None, metadata: info.metadata });
            }
            Ok(Progress { offset, length: info.length, expires: Some(expires), metadata: info.metadata })
        })
        .await
    }

    fn done_progress(&self, id: &UploadId) -> Result<Progress, SpoolError> {
        let info = read_info(&self.upload_folder("done", id))?;
        Ok(Progress { offset: info.length, length: info.length, expires: None, metadata: info.metadata })
    }

    /// Removes an unfinished upload and its bytes.
    ///
    /// # Errors
    /// It is unknown or complete, somebody writes to it, or the disk failed.
    pub async fn terminate(&self, id: &UploadId) -> Result<(), SpoolError> {
        let claimed = self.claim(id).await?;
        blocking(move || claimed.spool.remove_open(&claimed.id)).await
    }

    fn remove_open(&self, id: &UploadId) -> Result<(), SpoolError> {
        let folder = self.upload_folder("open", id);
        let held = folder.join("data").metadata().map_or(0, |found| found.len());
        // Out of sight first: a half-removed upload must not be resumed after a crash.
        let tmp = self.upload_folder("tmp", id);
        std::fs::rename(&folder, &tmp).map_err(SpoolError::io("removing an upload"))?;
        let removed = std::fs::remove_dir_all(&tmp);
        self.closed(held);
        removed
            .and_then(|()| disk::sync_folder(&self.folder("open")))
            .map_err(SpoolError::io("removing an upload"))
    }

    fn closed(&self, bytes: u64) {
        let less = |n: usize| Some(n.saturating_sub(1));
        let _ = self.inner.open.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
        self.give_back(bytes);
    }

    pub(super) fn give_back(&self, bytes: u64) {
        let less = |n: u64| Some(n.saturating_sub(bytes));
        let _ = self.inner.bytes.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
    }

    /// Claims an open upload. A writer that stalled is told to stop and waited for; one that is busy is not.
    pub(super) async fn claim(&self, id: &UploadId) -> Result<Claimed, SpoolError> {
        if !self.upload_folder("open", id).is_dir() {
            return Err(SpoolError::Unknown);
        }
        for _ in 0..40 {
            if let Some(claimed) = self.try_claim(id)? {
                // The last writer may have finished the upload since we looked.
                return if self.upload_folder("open", id).is_dir() {
                    Ok(claimed)
                } else {
                    Err(SpoolError::Unknown)
                };
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(SpoolError::Busy)
    }

    fn try_claim(&self, id: &UploadId) -> Result<Option<Claimed>, SpoolError> {
        let now = self.now().as_millisecond();
        let mut claims: MutexGuard<'_, _> = self.claims();
        if let Some(other) = claims.get(id) {
            if now.saturating_sub(other.active.load(Ordering::Relaxed)) < STALLED_MS {
                return Err(SpoolError::Busy);
            }
            other.cancel.notify_one();
            return Ok(None);
        }
        let (cancel, active) = (Arc::new(Notify::new()), Arc::new(AtomicI64::new(now)));
        claims.insert(id.clone(), Claim { cancel: Arc::clone(&cancel), active: Arc::clone(&active) });
        Ok(Some(Claimed { spool: self.clone(), id: id.clone(), cancel, active }))
    }

    /// What is known of a claimed upload: bytes of a part whose checksum was never confirmed are cut off first.
    pub(super) fn settled(&self, id: &UploadId) -> Result<(UploadInfo, u64), SpoolError> {
        let folder = self.upload_folder("open", id);
        let info = read_info(&folder)?;
        let path = folder.join("data");
        let mut offset = path.metadata().map_err(SpoolError::io("reading an upload"))?.len();
        let checking = folder.join("checking");
        if let Ok(text) = disk::read_small(&checking, 32) {
            let kept = String::from_utf8_lossy(&text).trim().parse::<u64>().unwrap_or(0).min(offset);
            let cut = || {
                let file = std::fs::OpenOptions::new().write(true).open(&path)?;
                file.set_len(kept)?;
                file.sync_all()?;
                disk::remove_file(&checking)
            };
            cut().map_err(SpoolError::io("cutting an unconfirmed part"))?;
            self.give_back(offset - kept);
            offset = kept;
        }
        if offset > info.length {
            return Err(SpoolError::Damaged { file: "data", why: "longer than announced".into() });
        }
        Ok((info, offset))
    }

    /// When the upload expires; an error once it has.
    pub(super) fn unexpired(&self, id: &UploadId, info: &UploadInfo) -> Result<Timestamp, SpoolError> {
        let expires = expiry(&self.upload_folder("open", id), info);
        if expires <= self.now() { Err(SpoolError::Expired) } else { Ok(expires) }
    }

    /// Moves the expiry on, for bytes have arrived. Not synced: after a power cut the older one stands.
    pub(super) fn prolong(&self, id: &UploadId, info: &UploadInfo) -> Timestamp {
        let expires = later(self.now(), info.expires_after);
        let path = self.upload_folder("open", id).join("expires");
        if let Err(error) = disk::overwrite(&path, expires.to_string().as_bytes()) {
            tracing::warn!(kind = ?error.kind(), "an upload's expiry could not be moved on");
        }
        expires
    }

    /// Moves a complete upload to `done`. Its bytes are synced before.
    pub(super) fn finish(&self, id: &UploadId) -> Result<(), SpoolError> {
        let from = self.upload_folder("open", id);
        let finish = || {
            disk::remove_file(&from.join("expires"))?;
            disk::remove_file(&from.join("checking"))?;
            // A new name sets the folder's time, by which `done` orders.
            disk::overwrite(&from.join("complete"), b"")?;
            std::fs::rename(&from, self.upload_folder("done", id))?;
            disk::sync_folder(&self.folder("done"))?;
            disk::sync_folder(&self.folder("open"))
        };
        finish().map_err(SpoolError::io("finishing an upload"))?;
        self.closed(0);
        tracing::info!("a sealed upload is complete and waits for intake");
        Ok(())
    }

    /// After a restart: whatever was complete but not moved yet is moved now.
    pub(super) fn finish_complete(&self) -> Result<(), SpoolError> {
        for (id, entry) in list(&self.folder("open"), MAX_LISTED)? {
            let _ = disk::remove_file(&entry.path().join("complete"));
            let Ok((info, offset)) = self.settled(&id) else { continue };
            if offset == info.length {
                let data = std::fs::File::open(entry.path().join("data"));
                data.and_then(|file| file.sync_all()).map_err(SpoolError::io("syncing an upload"))?;
                self.finish(&id)?;
            }
        }
        Ok(())
    }

    /// Counts again what is open and how much is held, for another process may have taken some.
    pub(super) fn recount(&self) -> Result<(), SpoolError> {
        let mut bytes = 0u64;
        let open = list(&self.folder("open"), MAX_LISTED)?;
        let done = list(&self.folder("done"), MAX_LISTED)?;
        for (_, entry) in open.iter().chain(&done) {
            bytes = bytes.saturating_add(entry.path().join("data").metadata().map_or(0, |found| found.len()));
        }
        self.inner.open.store(open.len(), Ordering::Release);
        self.inner.bytes.store(bytes, Ordering::Release);
        Ok(())
    }

    /// Removes open uploads that expired before `now`, and counts again. Returns how many were removed.
    ///
    /// # Errors
    /// A folder can't be listed.
    pub fn sweep(&self, now: Timestamp) -> Result<usize, SpoolError> {
        let mut removed = 0;
        for (id, entry) in list(&self.folder("open"), MAX_LISTED)? {
            let Ok(info) = read_info(&entry.path()) else { continue };
            if expiry(&entry.path(), &info) > now {
                continue;
            }
            let Ok(Some(claimed)) = self.try_claim(&id) else { continue };
            if claimed.spool.remove_open(&id).is_ok() {
                removed += 1;
            }
        }
        self.recount()?;
        self.refresh_messages()?;
        Ok(removed)
    }

    /// Complete uploads that wait for intake, oldest first, at most `limit`.
    ///
    /// # Errors
    /// The folder can't be listed.
    pub fn done(&self, limit: usize) -> Result<Vec<DoneUpload>, SpoolError> {
        let folder = self.folder("done");
        let mut found: Vec<_> = list(&folder, MAX_LISTED)?
            .into_iter()
            .filter_map(|(id, entry)| Some((entry.metadata().ok()?.modified().ok()?, id)))
            .collect();
        found.sort_unstable();
        let read = |(_, id): (_, UploadId)| {
            let at = folder.join(id.as_str());
            match read_info(&at) {
                Ok(info) => Some(DoneUpload { info, path: at.join("data"), id }),
                Err(error) => {
                    tracing::error!(%error, "a complete upload can't be read");
                    None
                }
            }
        };
        Ok(found.into_iter().filter_map(read).take(limit).collect())
    }

    /// Removes a complete upload, once intake has adopted it (read it, or moved its file away).
    ///
    /// # Errors
    /// It is unknown, or the disk failed.
    pub fn take(&self, id: &UploadId) -> Result<(), SpoolError> {
        let folder = self.upload_folder("done", id);
        let held = folder.join("data").metadata().map_or(0, |found| found.len());
        let remove = || {
            std::fs::remove_dir_all(&folder)?;
            disk::sync_folder(&self.folder("done"))
        };
        remove().map_err(SpoolError::io("taking an upload"))?;
        self.give_back(held);
        Ok(())
    }
}

fn read_info(folder: &Path) -> Result<UploadInfo, SpoolError> {
    let bytes =
        disk::read_small(&folder.join("info.json"), MAX_INFO).map_err(SpoolError::io("reading info.json"))?;
    serde_json::from_slice(&bytes).map_err(|why| SpoolError::damaged("info.json", &why))
}

fn expiry(folder: &Path, info: &UploadInfo) -> Timestamp {
    let first = later(info.created, info.expires_after);
    let moved = disk::read_small(&folder.join("expires"), 64).ok();
    let moved = moved.and_then(|text| String::from_utf8(text).ok()).and_then(|text| text.parse().ok());
    moved.map_or(first, |moved: Timestamp| moved.max(first))
}

fn later(from: Timestamp, seconds: u32) -> Timestamp {
    from.checked_add(SignedDuration::from_secs(i64::from(seconds))).unwrap_or(Timestamp::MAX)
}

/// Runs disk work off the threads that answer requests.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SpoolError> + Send + 'static,
) -> Result<T, SpoolError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        Err(SpoolError::Io { what: "a disk task", source: std::io::Error::other("it was stopped") })
    })
}

//! One writer of one upload: bytes go through a short queue to a thread that writes whole units and syncs at the end.

use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

use super::uploads::{Claimed, blocking};
use super::{Spool, SpoolError, UploadId, UploadInfo, WRITE_UNIT, disk};

/// Units between the network and the disk: 4 MiB an upload.
const QUEUE: usize = 4;

/// Bytes after which the disk is asked to begin, so that little is left to wait for at the end.
const FLUSH_EVERY: u64 = 32 * 1024 * 1024;

/// Bytes from which a received buffer is handed on as it is; smaller ones are copied together.
const WORTH_KEEPING: usize = 16 * 1024;

/// A checksum a client may send with a part (tus 1.0.0, checksum extension).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// SHA-1: the one that the protocol obliges servers to take. It guards against a bad line, nothing else.
    Sha1,
    /// SHA-256.
    Sha256,
}

enum Running {
    Sha1(Box<Sha1>),
    Sha256(Box<Sha256>),
}

impl Running {
    fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha1 => Self::Sha1(Box::default()),
            Algorithm::Sha256 => Self::Sha256(Box::default()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(hash) => hash.update(bytes),
            Self::Sha256(hash) => hash.update(bytes),
        }
    }

    fn is(self, expected: &[u8]) -> bool {
        match self {
            Self::Sha1(hash) => hash.finalize().as_slice() == expected,
            Self::Sha256(hash) => hash.finalize().as_slice() == expected,
        }
    }
}

/// How a part ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The bytes are on disk; the upload goes on until `expires`.
    More {
        /// Bytes held now.
        offset: u64,
        /// When it expires unless more arrives.
        expires: Timestamp,
    },
    /// The upload is complete and waits for intake.
    Complete {
        /// Bytes held: the announced length.
        offset: u64,
    },
    /// The checksum did not match; nothing of the part was kept.
    Mismatch,
    /// More bytes came than were announced; nothing of the part was kept.
    TooLong,
}

enum Piece {
    /// About one [`WRITE_UNIT`], as it came from the network.
    Unit(Vec<Bytes>),
    /// The whole body has arrived.
    End,
}

/// The open end of an upload. Dropped without [`Writer::end`], it keeps what arrived (or, with a checksum, nothing).
pub struct Writer {
    offset: u64,
    length: u64,
    gathered: Vec<Bytes>,
    small: BytesMut,
    pending: usize,
    queue: mpsc::Sender<Piece>,
    thread: JoinHandle<Result<Outcome, SpoolError>>,
    touch: Box<dyn Fn() + Send + Sync>,
    cancel: Arc<Notify>,
}

impl Spool {
    /// Opens an upload for writing at its present offset.
    ///
    /// # Errors
    /// It is unknown, expired or being written to, or the disk failed.
    pub async fn write(
        &self,
        id: &UploadId,
        checksum: Option<(Algorithm, Vec<u8>)>,
    ) -> Result<Writer, SpoolError> {
        let claimed = self.claim(id).await?;
        let (claimed, info, offset) = blocking(move || {
            let (info, offset) = claimed.spool.settled(&claimed.id)?;
            claimed.spool.unexpired(&claimed.id, &info)?;
            Ok((claimed, info, offset))
        })
        .await?;
        let claimed = Arc::new(claimed);
        let toucher = Arc::downgrade(&claimed);
        let (queue, pieces) = mpsc::channel(QUEUE);
        let (length, cancel) = (info.length, Arc::clone(&claimed.cancel));
        let part = Part { claimed, info, start: offset, offset, checksum };
        let thread = tokio::task::spawn_blocking(move || part.run(pieces));
        let touch = Box::new(move || {
            if let Some(claimed) = toucher.upgrade() {
                claimed.touch();
            }
        });
        Ok(Writer {
            offset,
            length,
            gathered: Vec::new(),
            small: BytesMut::new(),
            pending: 0,
            queue,
            thread,
            touch,
            cancel,
        })
    }
}

impl Writer {
    /// Bytes held when the writer was opened.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes announced for the whole upload.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Resolves when another request wants to go on with this upload because this one stalled.
    #[must_use]
    pub fn cancelled(&self) -> Arc<Notify> {
        Arc::clone(&self.cancel)
    }

    /// Takes some bytes; waits while the disk is behind. `false`: the disk side has ended, see [`Writer::end`].
    pub async fn push(&mut self, bytes: Bytes) -> bool {
        (self.touch)();
        self.pending += bytes.len();
        if bytes.len() >= WORTH_KEEPING {
            self.seal_small();
            self.gathered.push(bytes);
        } else {
            // A client that sends crumbs must not make us hold a buffer for each.
            self.small.extend_from_slice(&bytes);
        }
        self.pending < WRITE_UNIT || self.flush().await
    }

    fn seal_small(&mut self) {
        if !self.small.is_empty() {
            self.gathered.push(self.small.split().freeze());
        }
    }

    async fn flush(&mut self) -> bool {
        self.seal_small();
        self.pending = 0;
        let unit = std::mem::take(&mut self.gathered);
        unit.is_empty() || self.queue.send(Piece::Unit(unit)).await.is_ok()
    }

    /// Writes what is left and waits until the disk has everything. `whole` says that the body ended as announced;
    /// otherwise the line broke, and a checksum that was to be compared drops the part.
    ///
    /// # Errors
    /// The disk is full or failed, or the spool's limit is reached; what was written before is kept.
    pub async fn end(mut self, whole: bool) -> Result<Outcome, SpoolError> {
        self.flush().await;
        if whole {
            let _ = self.queue.send(Piece::End).await;
        }
        drop(self.queue);
        self.thread.await.unwrap_or_else(|_| {
            Err(SpoolError::Io { what: "the writing thread", source: io::Error::other("it was stopped") })
        })
    }
}

/// The disk side of a writer.
struct Part {
    claimed: Arc<Claimed>,
    info: UploadInfo,
    start: u64,
    offset: u64,
    checksum: Option<(Algorithm, Vec<u8>)>,
}

impl Part {
    fn run(mut self, mut pieces: mpsc::Receiver<Piece>) -> Result<Outcome, SpoolError> {
        let folder = self.claimed.spool.upload_folder("open", &self.claimed.id);
        let mut file = OpenOptions::new()
            .append(true)
            .open(folder.join("data"))
            .map_err(SpoolError::io("opening an upload"))?;
        let checking = folder.join("checking");
        if self.checksum.is_some() {
            // Until the sum is confirmed a crash must cut the part off again.
            let mark = || {
                disk::write_new(&checking, self.start.to_string().as_bytes())?;
                disk::sync_folder(&folder)
            };
            mark().map_err(SpoolError::io("marking a part"))?;
        }
        let mut running = self.checksum.as_ref().map(|(algorithm, _)| Running::new(*algorithm));
        let ahead = Ahead::of(&file).map_err(SpoolError::io("opening an upload"))?;
        let received = self.receive(&mut file, &ahead, &mut running, &mut pieces);
        drop((pieces, ahead));
        let confirmed = match (&received, running, self.checksum.take()) {
            (Ok(Received::Whole), Some(running), Some((_, expected))) => running.is(&expected),
            (_, Some(_), _) => false,
            (Ok(Received::TooLong), ..) => false,
            _ => true,
        };
        if !confirmed {
            file.set_len(self.start).map_err(SpoolError::io("cutting a part"))?;
            self.claimed.spool.give_back(self.offset - self.start);
            self.offset = self.start;
        }
        file.sync_all().map_err(SpoolError::io("syncing an upload"))?;
        disk::remove_file(&checking).map_err(SpoolError::io("unmarking a part"))?;
        match received? {
            Received::TooLong => Ok(Outcome::TooLong),
            Received::Whole if !confirmed => Ok(Outcome::Mismatch),
            _ if self.offset == self.info.length => {
                self.claimed.spool.finish(&self.claimed.id)?;
                Ok(Outcome::Complete { offset: self.offset })
            }
            _ => {
                let expires = self.claimed.spool.prolong(&self.claimed.id, &self.info);
                Ok(Outcome::More { offset: self.offset, expires })
            }
        }
    }

    fn receive(
        &mut self,
        file: &mut File,
        ahead: &Ahead,
        running: &mut Option<Running>,
        pieces: &mut mpsc::Receiver<Piece>,
    ) -> Result<Received, SpoolError> {
        let spool = self.claimed.spool.clone();
        let mut flushed = self.offset;
        while let Some(piece) = pieces.blocking_recv() {
            let Piece::Unit(unit) = piece else { return Ok(Received::Whole) };
            let count = unit.iter().map(|bytes| bytes.len() as u64).sum();
            if self.info.length - self.offset < count {
                return Ok(Received::TooLong);
            }
            if spool.room() < count {
                return Err(SpoolError::Full(spool.inner.config.max_bytes));
            }
            if let Err(error) = write_whole(file, &unit) {
                // A part of the unit may have been written: it counts, the length of the file decides.
                let held = file.metadata().map_or(self.offset, |found| found.len());
                spool.inner.bytes.fetch_add(held.saturating_sub(self.offset), Ordering::AcqRel);
                self.offset = held.max(self.offset);
                return Err(SpoolError::io("writing an upload")(error));
            }
            if let Some(running) = running {
                unit.iter().for_each(|bytes| running.update(bytes));
            }
            self.offset += count;
            spool.inner.bytes.fetch_add(count, Ordering::AcqRel);
            if self.offset - flushed >= FLUSH_EVERY {
                flushed = self.offset;
                ahead.flush();
            }
        }
        Ok(Received::Broken)
    }
}

/// Brings what is written to disk while more arrives. Nothing rests on it: the end of a part syncs for itself, and
/// meets the same error if there is one.
struct Ahead(std::sync::mpsc::SyncSender<()>);

impl Ahead {
    fn of(file: &File) -> io::Result<Self> {
        let file = file.try_clone()?;
        let (wake, woken) = std::sync::mpsc::sync_channel(1);
        std::thread::Builder::new().name("spool-flush".into()).spawn(move || {
            while woken.recv().is_ok() {
                let _ = file.sync_data();
            }
        })?;
        Ok(Self(wake))
    }

    fn flush(&self) {
        // One that is still busy will be asked again.
        let _ = self.0.try_send(());
    }
}

/// Writes several buffers with as few calls as the system allows.
fn write_whole(file: &mut File, unit: &[Bytes]) -> io::Result<()> {
    let mut slices: Vec<IoSlice<'_>> = unit.iter().map(|bytes| IoSlice::new(bytes)).collect();
    let mut rest = slices.as_mut_slice();
    IoSlice::advance_slices(&mut rest, 0);
    while !rest.is_empty() {
        match file.write_vectored(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut rest, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Received {
    Whole,
    Broken,
    TooLong,
}

//! Where opened clips go.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use crate::disk::Staged;

/// Takes clips as they are opened. Nothing that it got may count before [`EnvelopeSink::commit`]: until then neither
/// the digests nor the end of the envelope have been verified.
pub trait EnvelopeSink {
    /// A clip starts. The name is checked already: one plain, portable file name.
    ///
    /// # Errors
    /// An I/O error stops the opening.
    fn begin(&mut self, name: &str, size: u64) -> io::Result<()>;
    /// Its next bytes.
    ///
    /// # Errors
    /// An I/O error stops the opening.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// The clip is complete.
    ///
    /// # Errors
    /// An I/O error stops the opening.
    fn end(&mut self) -> io::Result<()>;
    /// Everything held: keep what came.
    ///
    /// # Errors
    /// An I/O error: nothing is kept.
    fn commit(&mut self) -> io::Result<()>;
    /// Something didn't hold: keep nothing.
    fn discard(&mut self);
}

/// Writes clips into a new directory: as `<dir>.part` first, under its own name once every digest held. Overwrites
/// nothing, and leaves nothing where the opening fails.
pub struct DirSink {
    staged: Staged,
    file: Option<File>,
}

impl DirSink {
    /// Makes `<dir>.part`; neither it nor `dir` may exist.
    ///
    /// # Errors
    /// An I/O error, also of kind `AlreadyExists`.
    pub fn new(dir: &Path) -> io::Result<Self> {
        Ok(Self { staged: Staged::create(dir)?, file: None })
    }
}

impl EnvelopeSink for DirSink {
    fn begin(&mut self, name: &str, _size: u64) -> io::Result<()> {
        self.file = Some(self.staged.file(name)?);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), |f| f.write_all(bytes))
    }

    fn end(&mut self) -> io::Result<()> {
        self.file.take().map_or(Ok(()), |f| f.sync_all())
    }

    fn commit(&mut self) -> io::Result<()> {
        self.staged.commit()
    }

    fn discard(&mut self) {
        self.file = None;
        self.staged.discard();
    }
}

/// Keeps clips in memory, for tests and small envelopes.
#[derive(Debug, Default)]
pub struct MemorySink {
    /// Clips by name; empty until committed.
    pub clips: BTreeMap<String, Vec<u8>>,
    pending: BTreeMap<String, Vec<u8>>,
    current: Option<String>,
}

impl EnvelopeSink for MemorySink {
    fn begin(&mut self, name: &str, _size: u64) -> io::Result<()> {
        self.current = Some(name.to_owned());
        self.pending.insert(name.to_owned(), Vec::new());
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(clip) = self.current.as_ref().and_then(|n| self.pending.get_mut(n)) {
            clip.extend_from_slice(bytes);
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        self.current = None;
        Ok(())
    }

    fn commit(&mut self) -> io::Result<()> {
        self.clips = std::mem::take(&mut self.pending);
        Ok(())
    }

    fn discard(&mut self) {
        self.pending.clear();
        self.clips.clear();
    }
}

/// Keeps nothing: verifies only.
#[derive(Debug, Default)]
pub struct NullSink;

impl EnvelopeSink for NullSink {
    fn begin(&mut self, _name: &str, _size: u64) -> io::Result<()> {
        Ok(())
    }
    fn write(&mut self, _bytes: &[u8]) -> io::Result<()> {
        Ok(())
    }
    fn end(&mut self) -> io::Result<()> {
        Ok(())
    }
    fn commit(&mut self) -> io::Result<()> {
        Ok(())
    }
    fn discard(&mut self) {}
}

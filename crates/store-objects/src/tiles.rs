//! The public files of a ledger in a folder of this machine.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use canvass_ledger::store::{StoreError, TileStore};
use canvass_types::leaf::Log;

use crate::disk::{self, PUBLIC};

/// Longest object: a full bundle of the longest entries.
const LONGEST: u64 = 32 << 20;
const LONGEST_PATH: usize = 512;
/// Beside the ledgers and not below one, so that it is never served as a tile.
const STAGING: &str = ".staging";

/// Objects of one ledger, in `ledger/<log>/` below the public folder. Everyone may read them; none ever changes.
#[derive(Debug, Clone)]
pub struct Tiles {
    folder: Arc<Path>,
    staging: Arc<Path>,
}

impl Tiles {
    /// Objects of a ledger below the folder that the public role serves; it is made where it is missing.
    ///
    /// # Errors
    /// When the folder can't be made.
    pub fn local(public: impl AsRef<Path>, log: Log) -> io::Result<Self> {
        let ledgers = public.as_ref().join("ledger");
        let (folder, staging) = (ledgers.join(log.as_str()), ledgers.join(STAGING));
        disk::make_folder(&folder, PUBLIC)?;
        disk::make_folder(&staging, PUBLIC)?;
        Ok(Self { folder: folder.into(), staging: staging.into() })
    }

    /// Replaces the one public file that changes, `checkpoint`: readers see the old one or the new one, whole.
    ///
    /// # Errors
    /// When the disk fails; the old one then stays, or the new one is in place but may not survive a crash.
    pub async fn publish_checkpoint(&self, note: impl Into<Vec<u8>>) -> Result<(), StoreError> {
        let (staging, path, note) = (Arc::clone(&self.staging), self.folder.join(CHECKPOINT), note.into());
        disk::blocking(move || disk::replace(&staging, &path, PUBLIC, &note))
            .await
            .map_err(|error| StoreError::failed(CHECKPOINT, error))
    }

    fn place(&self, path: &str) -> Result<PathBuf, StoreError> {
        let plain = |segment: &str| {
            !segment.is_empty()
                && !segment.starts_with('.')
                && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        };
        if path.len() <= LONGEST_PATH && path != CHECKPOINT && path.split('/').all(plain) {
            return Ok(self.folder.join(path));
        }
        Err(StoreError::failed(path, "not the path of an object: plain names between single slashes"))
    }
}

const CHECKPOINT: &str = "checkpoint";

enum Put {
    Stored,
    Differs,
}

fn put(staging: &Path, to: &Path, bytes: &[u8]) -> io::Result<Put> {
    if bytes.len() as u64 > LONGEST {
        return Err(io::Error::new(ErrorKind::FileTooLarge, "the object is longer than 32 MiB"));
    }
    // Most repeats come after a crash, when the object is there: that is told without writing.
    if !to.try_exists()? {
        let staged = disk::stage(staging, PUBLIC, |file| file.write_all(bytes))?;
        let linked = disk::link(&staged, to, PUBLIC);
        fs::remove_file(&staged)?;
        if linked? {
            return Ok(Put::Stored);
        }
    }
    if read(to)?.as_deref() != Some(bytes) {
        return Ok(Put::Differs);
    }
    // Whoever wrote it may not have come to flushing.
    File::open(to)?.sync_all()?;
    disk::sync_folder(to.parent().unwrap_or(Path::new(".")))?;
    Ok(Put::Stored)
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    if file.metadata()?.is_dir() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err(io::Error::new(ErrorKind::FileTooLarge, "the object is longer than 32 MiB"));
    }
    Ok(Some(bytes))
}

impl TileStore for Tiles {
    async fn put(&self, path: &str, bytes: Vec<u8>) -> Result<(), StoreError> {
        let (to, staging) = (self.place(path)?, Arc::clone(&self.staging));
        match disk::blocking(move || put(&staging, &to, &bytes)).await {
            Ok(Put::Stored) => Ok(()),
            Ok(Put::Differs) => Err(StoreError::Changed { path: path.to_owned() }),
            Err(error) => Err(StoreError::failed(path, error)),
        }
    }

    async fn get(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let from = self.place(path)?;
        disk::blocking(move || read(&from)).await.map_err(|error| StoreError::failed(path, error))
    }
}

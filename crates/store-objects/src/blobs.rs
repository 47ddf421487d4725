//! The store of sealed bytes.

use std::{
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use canvass_core::{
    access::{Grant, ReadsEvidence},
    records::SealedBlob,
};
use canvass_types::Digest;
use futures_util::{StreamExt as _, stream::BoxStream};
use object_store::{
    GetOptions, GetRange, ObjectStore, ObjectStoreExt as _, WriteMultipart, local::LocalFileSystem,
};
use sha2::{Digest as _, Sha256};

use crate::{
    BlobError, BlobStream,
    adopt::{self, Sealed, Target},
    disk::{self, PRIVATE},
    key, stream as sending,
    stream::Source,
};

/// Parts of an upload to a remote store; buckets take none below 5 MiB but the last.
const PART: usize = 8 << 20;
const PARTS_AT_ONCE: usize = 4;

/// A blob as it lies in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobStat {
    /// Its key.
    pub key: String,
    /// Its length.
    pub bytes: u64,
}

/// Sealed bytes by key. Clones share the store.
#[derive(Debug, Clone)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    folder: Option<Arc<Path>>,
}

impl Blobs {
    /// Blobs in a folder of this machine, which is made where it is missing and open to its owner alone. Only one
    /// process may have it open: what an earlier one left half written is removed.
    ///
    /// # Errors
    /// When the folder can't be made or read.
    pub fn local(root: impl AsRef<Path>) -> Result<Self, BlobError> {
        let root = root.as_ref();
        let ready = || -> io::Result<PathBuf> {
            disk::make_folder(&root.join(key::FOLDER), PRIVATE)?;
            let root = root.canonicalize()?;
            match fs::remove_dir_all(root.join(STAGING)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => disk::make_folder(&root.join(STAGING), PRIVATE)?,
            }
            Ok(root)
        };
        let root = ready().map_err(|source| BlobError::file(root, source))?;
        let store = LocalFileSystem::new_with_prefix(&root)?.with_fsync(true);
        Ok(Self { store: Arc::new(store), folder: Some(root.into()) })
    }

    /// Blobs in any other store. It must be durable when it answers.
    #[must_use]
    pub fn remote(store: Arc<dyn ObjectStore>) -> Self {
        Self { store, folder: None }
    }

    /// Takes a finished upload, durably: nobody may write to the file any more. `id` (a-z, 0-9, `_`) keeps equal
    /// bytes of two offers apart; give the offer's id.
    ///
    /// The file stays under its old name too (as a further link where that can be), so that nothing is lost when the
    /// process is killed before the offer is recorded: remove it after that, and simply adopt it again otherwise.
    ///
    /// # Errors
    /// [`BlobError::Taken`] when other bytes stand under the key; otherwise when the file or store fails.
    pub async fn adopt_file(&self, path: impl AsRef<Path>, id: &str) -> Result<SealedBlob, BlobError> {
        key::of(Digest::of(b""), id)?;
        let source = path.as_ref().to_owned();
        let Sealed { sha256, bytes, linkable } = on_thread({
            let source = source.clone();
            move || adopt::seal(&source)
        })
        .await?;
        let blob = SealedBlob { blob: key::of(sha256, id)?, sha256, bytes };
        match &self.folder {
            Some(folder) => {
                let (folder, key) = (Arc::clone(folder), blob.blob.clone());
                let place = move || {
                    let path = folder.join(&key);
                    let target = Target { key: &key, path, staging: folder.join(STAGING), sha256 };
                    adopt::place(&source, linkable, &target)
                };
                on_thread(place).await?;
            }
            None => self.send(&source, &blob).await?,
        }
        Ok(blob)
    }

    async fn send(&self, source: &Path, blob: &SealedBlob) -> Result<(), BlobError> {
        let location = key::location(&blob.blob)?;
        if self.stat(&blob.blob).await?.is_some() {
            return match self.verify(&blob.blob, &blob.sha256).await {
                Err(BlobError::Integrity { key }) => Err(BlobError::Taken { key }),
                other => other,
            };
        }
        let path = source.to_owned();
        let file = disk::blocking(move || adopt::open(&path)).await;
        let mut file = Source::File(Some(file.map_err(|error| BlobError::file(source, error))?));
        let mut upload =
            WriteMultipart::new_with_chunk_size(self.store.put_multipart(&location).await?, PART);
        let mut hash = Sha256::new();
        let sent = loop {
            match file.next(&blob.blob).await {
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
                Ok(Some(part)) => {
                    if let Err(error) = upload.wait_for_capacity(PARTS_AT_ONCE).await {
                        break Err(error.into());
                    }
                    hash.update(&part);
                    upload.put(part);
                }
            }
        };
        let found: [u8; 32] = hash.finalize().into();
        let whole = sent.and_then(|()| {
            // Someone wrote to the upload after it was hashed.
            let changed = || BlobError::Integrity { key: blob.blob.clone() };
            if found == blob.sha256.0 { Ok(()) } else { Err(changed()) }
        });
        match whole {
            Ok(()) => upload.finish().await.map(drop).map_err(Into::into),
            Err(error) => {
                let _ = upload.abort().await;
                Err(error)
            }
        }
    }

    /// The sealed bytes that the grant is for, whole or the bytes of a range (the end is not included).
    ///
    /// Whole blobs are hashed again on the way: the last [`crate::WITHHELD`] bytes follow only if the digest is the
    /// sealed one, else the stream ends in [`BlobError::Integrity`]. For a range the whole blob is hashed first when
    /// `verify` is set.
    ///
    /// # Errors
    /// When the grant has no bytes, the range is not inside them, or the store fails.
    pub async fn read<A: ReadsEvidence>(
        &self,
        grant: &Grant<A>,
        range: Option<Range<u64>>,
        verify: bool,
    ) -> Result<BlobStream, BlobError> {
        self.read_sealed(grant.blob().ok_or(BlobError::Nothing)?, range, verify).await
    }

    pub(crate) async fn read_sealed(
        &self,
        blob: &SealedBlob,
        range: Option<Range<u64>>,
        verify: bool,
    ) -> Result<BlobStream, BlobError> {
        let location = key::location(&blob.blob)?;
        let told = |error| BlobError::of(&blob.blob, error);
        let Some(range) = range else {
            let result = self.store.get(&location).await.map_err(told)?;
            return Ok(sending::whole(Source::of(result, &blob.blob).await?, blob.clone()));
        };
        if range.start >= range.end || range.end > blob.bytes {
            return Err(BlobError::Range { start: range.start, end: range.end, bytes: blob.bytes });
        }
        // A blob that was cut short can't even give the range.
        if self.stat(&blob.blob).await?.is_some_and(|stat| stat.bytes != blob.bytes) {
            return Err(BlobError::Integrity { key: blob.blob.clone() });
        }
        if verify {
            self.verify(&blob.blob, &blob.sha256).await?;
        }
        let options = GetOptions { range: Some(GetRange::Bounded(range.clone())), ..GetOptions::default() };
        let result = self.store.get_opts(&location, options).await.map_err(told)?;
        Ok(sending::part(Source::of(result, &blob.blob).await?, blob.blob.clone(), &range))
    }

    /// Destroys a blob, durably. One that is gone already is fine, so that a retry ends well.
    ///
    /// # Errors
    /// When the text is no key or the store fails.
    pub async fn delete(&self, key: &str) -> Result<(), BlobError> {
        let location = key::location(key)?;
        let Some(folder) = &self.folder else {
            return match self.store.delete(&location).await {
                Err(object_store::Error::NotFound { .. }) => Ok(()),
                other => other.map_err(Into::into),
            };
        };
        let path = folder.join(key);
        on_thread(move || disk::remove(&path).map_err(|source| BlobError::file(&path, source))).await
    }

    /// Whether a blob is there, and how long it is.
    ///
    /// # Errors
    /// When the text is no key or the store fails.
    pub async fn stat(&self, key: &str) -> Result<Option<BlobStat>, BlobError> {
        match self.store.head(&key::location(key)?).await {
            Ok(meta) => Ok(Some(BlobStat { key: key.to_owned(), bytes: meta.size })),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Everything in the folder of blobs, in no order; also what has no key of a blob.
    #[must_use]
    pub fn list(&self) -> BoxStream<'static, Result<BlobStat, BlobError>> {
        let folder = object_store::path::Path::from(key::FOLDER);
        let found = self.store.list(Some(&folder));
        found
            .map(|meta| {
                let meta = meta?;
                Ok(BlobStat { key: meta.location.to_string(), bytes: meta.size })
            })
            .boxed()
    }

    /// Reads a whole blob and compares its digest.
    ///
    /// # Errors
    /// [`BlobError::Integrity`] when it is another, [`BlobError::Missing`] when there is no such blob.
    pub async fn verify(&self, key: &str, sha256: &Digest) -> Result<(), BlobError> {
        let found = self.digest(key).await?;
        if found == *sha256 { Ok(()) } else { Err(BlobError::Integrity { key: key.to_owned() }) }
    }

    /// SHA-256 of a blob as it lies in the store now, for the record of a failed integrity.
    ///
    /// # Errors
    /// [`BlobError::Missing`] when there is no such blob, or the store fails.
    pub async fn digest(&self, key: &str) -> Result<Digest, BlobError> {
        let result = self.store.get(&key::location(key)?).await.map_err(|error| BlobError::of(key, error))?;
        let mut source = Source::of(result, key).await?;
        let mut hash = Sha256::new();
        while let Some(part) = source.next(key).await? {
            hash.update(&part);
        }
        Ok(Digest(hash.finalize().into()))
    }
}

const STAGING: &str = "staging";

async fn on_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
) -> Result<T, BlobError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(BlobError::file(Path::new(key::FOLDER), io::Error::other(error))),
    }
}

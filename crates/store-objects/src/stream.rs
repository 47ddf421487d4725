//! Sending sealed bytes and hashing them again on the way.

use std::{collections::VecDeque, fs::File, io::Read as _, ops::Range};

use bytes::{Bytes, BytesMut};
use canvass_core::records::SealedBlob;
use futures_util::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use object_store::{GetResult, GetResultPayload};
use sha2::{Digest as _, Sha256};

use crate::{BlobError, disk};

/// Sealed bytes in parts. After an error nothing follows.
pub type BlobStream = BoxStream<'static, Result<Bytes, BlobError>>;

/// At most so many bytes at the end of a whole blob are held back until its digest was compared, so that whoever
/// receives changed bytes also sees the transfer break off.
pub const WITHHELD: usize = 64 << 10;
const PART: usize = 256 << 10;

/// Where parts come from.
pub(crate) enum Source {
    File(Option<File>),
    Stream(BoxStream<'static, object_store::Result<Bytes>>),
}

impl Source {
    /// What a store gave: the whole, or the range that was asked for.
    pub(crate) async fn of(result: GetResult, key: &str) -> Result<Self, BlobError> {
        let start = result.range.start;
        match result.payload {
            GetResultPayload::Stream(stream) => Ok(Self::Stream(stream)),
            GetResultPayload::File(mut file, path) => {
                let seek = disk::blocking(move || {
                    use std::io::Seek as _;
                    file.seek(std::io::SeekFrom::Start(start)).map(|_| file)
                });
                let file = seek.await.map_err(|error| failed(key, &path, error))?;
                Ok(Self::File(Some(file)))
            }
        }
    }

    /// The next part; none at the end.
    pub(crate) async fn next(&mut self, key: &str) -> Result<Option<Bytes>, BlobError> {
        match self {
            Self::Stream(stream) => {
                stream.next().await.transpose().map_err(|error| BlobError::of(key, error))
            }
            Self::File(slot) => {
                let Some(mut file) = slot.take() else { return Ok(None) };
                let read = disk::blocking(move || {
                    let mut part = BytesMut::zeroed(PART);
                    let read = file.read(&mut part)?;
                    part.truncate(read);
                    Ok((file, part.freeze()))
                });
                let (file, part) =
                    read.await.map_err(|error| failed(key, std::path::Path::new(key), error))?;
                if part.is_empty() {
                    return Ok(None);
                }
                *slot = Some(file);
                Ok(Some(part))
            }
        }
    }
}

fn failed(key: &str, path: &std::path::Path, source: std::io::Error) -> BlobError {
    if source.kind() == std::io::ErrorKind::NotFound {
        return BlobError::Missing { key: key.to_owned() };
    }
    BlobError::file(path, source)
}

struct Whole {
    source: Source,
    blob: SealedBlob,
    hash: Sha256,
    read: u64,
    held: VecDeque<Bytes>,
    holding: usize,
    ended: bool,
}

impl Whole {
    async fn next(&mut self) -> Result<Option<Bytes>, BlobError> {
        loop {
            if self.ended {
                return Ok(self.held.pop_front());
            }
            if let Some(part) = self.release() {
                return Ok(Some(part));
            }
            match self.source.next(&self.blob.blob).await? {
                Some(part) => self.take(part)?,
                None => self.end()?,
            }
        }
    }

    /// What is no longer among the last bytes.
    fn release(&mut self) -> Option<Bytes> {
        let free = self.holding.checked_sub(WITHHELD).filter(|free| *free > 0)?;
        let front = self.held.front_mut()?;
        let part = front.split_to(free.min(front.len()));
        if front.is_empty() {
            self.held.pop_front();
        }
        self.holding -= part.len();
        Some(part)
    }

    fn take(&mut self, part: Bytes) -> Result<(), BlobError> {
        self.read += part.len() as u64;
        if self.read > self.blob.bytes {
            return Err(self.broken());
        }
        self.hash.update(&part);
        self.holding += part.len();
        self.held.push_back(part);
        Ok(())
    }

    fn end(&mut self) -> Result<(), BlobError> {
        let found: [u8; 32] = std::mem::take(&mut self.hash).finalize().into();
        if self.read != self.blob.bytes || found != self.blob.sha256.0 {
            return Err(self.broken());
        }
        self.ended = true;
        Ok(())
    }

    fn broken(&self) -> BlobError {
        BlobError::Integrity { key: self.blob.blob.clone() }
    }
}

/// A whole blob; ends in [`BlobError::Integrity`] when its bytes are not those that were sealed.
pub(crate) fn whole(source: Source, blob: SealedBlob) -> BlobStream {
    let hash = Sha256::new();
    let state = Whole { source, blob, hash, read: 0, held: VecDeque::new(), holding: 0, ended: false };
    stream::unfold(Some(state), |state| async move {
        let mut state = state?;
        match state.next().await {
            Ok(Some(part)) => Some((Ok(part), Some(state))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    })
    .boxed()
}

/// A part of a blob, exactly as long as the range.
pub(crate) fn part(source: Source, key: String, range: &Range<u64>) -> BlobStream {
    let left = range.end.saturating_sub(range.start);
    stream::unfold(Some((source, key, left)), |state| async move {
        let (mut source, key, left) = state?;
        if left == 0 {
            return None;
        }
        match source.next(&key).await {
            Ok(Some(mut part)) => {
                part.truncate(usize::try_from(left).unwrap_or(usize::MAX));
                let left = left - part.len() as u64;
                Some((Ok(part), Some((source, key, left))))
            }
            Ok(None) => Some((Err(BlobError::Integrity { key }), None)),
            Err(error) => Some((Err(error), None)),
        }
    })
    .boxed()
}

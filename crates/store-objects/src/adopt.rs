//! Taking a finished upload into the store of blobs.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, ErrorKind, Read, Write},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use canvass_types::Digest;
use sha2::{Digest as _, Sha256};

use crate::{
    BlobError,
    disk::{self, PRIVATE},
};

const CHUNK: usize = 1 << 20;

/// Opens what must be a plain file: a link, pipe or folder in the spool is no upload.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "not a plain file"));
    }
    OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW).open(path)
}

/// Reads to the end; gives the digest and the length, and each part to `each`.
pub(crate) fn digest(
    file: &mut impl Read,
    mut each: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<(Digest, u64)> {
    let mut hash = Sha256::new();
    let mut bytes = 0_u64;
    let mut buffer = vec![0; CHUNK];
    loop {
        let read = match file.read(&mut buffer) {
            Ok(0) => return Ok((Digest(hash.finalize().into()), bytes)),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let part = buffer.get(..read).unwrap_or_default();
        hash.update(part);
        each(part)?;
        bytes += read as u64;
    }
}

/// The digest and length of a file.
pub(crate) fn digest_of(path: &Path) -> io::Result<(Digest, u64)> {
    digest(&mut open(path)?, |_| Ok(()))
}

/// An upload that was hashed.
pub(crate) struct Sealed {
    pub sha256: Digest,
    pub bytes: u64,
    /// Whether it is closed to others and flushed, so that it may get a further name; else it must be copied.
    pub linkable: bool,
}

/// Hashes a file, closes it to others and flushes it.
pub(crate) fn seal(source: &Path) -> Result<Sealed, BlobError> {
    let told = |error| BlobError::file(source, error);
    let mut file = open(source).map_err(told)?;
    let (sha256, bytes) = digest(&mut file, |_| Ok(())).map_err(told)?;
    // Only its owner may close it: where another user writes the spool, it is copied.
    let linkable = file.set_permissions(Permissions::from_mode(PRIVATE.file)).is_ok();
    file.sync_all().map_err(told)?;
    Ok(Sealed { sha256, bytes, linkable })
}

/// Where a local blob goes, and what it must be.
pub(crate) struct Target<'a> {
    pub key: &'a str,
    pub path: PathBuf,
    pub staging: PathBuf,
    pub sha256: Digest,
}

/// Gives the sealed file its name among the blobs: a further link where that can be, else a flushed copy.
pub(crate) fn place(source: &Path, linkable: bool, target: &Target<'_>) -> Result<(), BlobError> {
    let told = |error| BlobError::file(&target.path, error);
    let linked = linkable.then(|| disk::link(source, &target.path, PRIVATE));
    let placed = match linked {
        None => copy(source, target)?,
        // Other file systems, and those that know no links.
        Some(Err(error)) if elsewhere(&error) => copy(source, target)?,
        Some(other) => other.map_err(told)?,
    };
    if placed {
        return Ok(());
    }
    // A try before this one came so far; or it is something else, which is never overwritten.
    let (found, _) = digest_of(&target.path).map_err(told)?;
    if found == target.sha256 { Ok(()) } else { Err(BlobError::Taken { key: target.key.to_owned() }) }
}

fn elsewhere(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::CrossesDevices
            | ErrorKind::Unsupported
            | ErrorKind::PermissionDenied
            | ErrorKind::TooManyLinks
    )
}

fn copy(source: &Path, target: &Target<'_>) -> Result<bool, BlobError> {
    let told = |error| BlobError::file(&target.path, error);
    let mut file = open(source).map_err(|error| BlobError::file(source, error))?;
    let mut copied = None;
    let staged = disk::stage(&target.staging, PRIVATE, |staged| {
        copied = Some(digest(&mut file, |part| staged.write_all(part))?.0);
        Ok(())
    })
    .map_err(told)?;
    let placed = if copied == Some(target.sha256) {
        disk::link(&staged, &target.path, PRIVATE).map_err(told)
    } else {
        // Someone wrote to the upload after it was hashed.
        Err(BlobError::Integrity { key: target.key.to_owned() })
    };
    fs::remove_file(&staged).map_err(told)?;
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_not_be_linked_is_copied_and_a_changed_upload_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("upload");
        fs::write(&source, b"sealed").unwrap();
        let sealed = seal(&source).unwrap();
        let target = |sha256| Target {
            key: "key",
            path: folder.path().join("blobs/a"),
            staging: folder.path().join("staging"),
            sha256,
        };
        fs::write(&source, b"changed after it was hashed").unwrap();
        let changed = place(&source, false, &target(sealed.sha256)).unwrap_err();
        assert!(matches!(changed, BlobError::Integrity { .. }), "{changed}");
        assert!(!folder.path().join("blobs/a").exists());
        fs::write(&source, b"sealed").unwrap();
        for _ in 0..2 {
            place(&source, false, &target(sealed.sha256)).unwrap();
        }
        fs::write(&source, b"other").unwrap();
        assert_eq!(fs::read(folder.path().join("blobs/a")).unwrap(), b"sealed", "a copy, not a link");
        let taken = place(&source, false, &target(digest_of(&source).unwrap().0)).unwrap_err();
        assert!(matches!(taken, BlobError::Taken { .. }), "{taken}");
        assert_eq!(fs::read_dir(folder.path().join("staging")).unwrap().count(), 0);
    }
}

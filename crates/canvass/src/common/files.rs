//! Files are written whole or not at all, and secrets for their owner alone.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use canvass_types::Digest;
use sha2::Digest as _;

use super::Failure;

fn at(path: &Path) -> impl Fn(io::Error) -> Failure + '_ {
    move |error| {
        Failure::new(format!(
            "{}: {error}; check the path, its permissions and the free space",
            path.display()
        ))
    }
}

fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn write(path: &Path, bytes: &[u8], secret: bool) -> Result<(), Failure> {
    let folder = parent(path);
    std::fs::create_dir_all(&folder).map_err(at(&folder))?;
    // A temporary file is for its owner alone from the first byte on.
    let mut file = tempfile::NamedTempFile::new_in(&folder).map_err(at(path))?;
    file.write_all(bytes).map_err(at(path))?;
    if !secret {
        open_to_all(file.as_file()).map_err(at(path))?;
    }
    file.as_file().sync_all().map_err(at(path))?;
    file.persist(path).map_err(|error| at(path)(error.error))?;
    // The new name survives a crash once its folder is on disk.
    File::open(&folder).and_then(|folder| folder.sync_all()).map_err(at(&folder))
}

#[cfg(unix)]
fn open_to_all(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn open_to_all(_file: &File) -> io::Result<()> {
    Ok(())
}

/// Writes a file that others may read, replacing it in one step.
///
/// # Errors
/// Names the path.
pub fn write_public(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    write(path, bytes, false)
}

/// Writes a file for its owner alone (mode 0600), replacing it in one step.
///
/// # Errors
/// Names the path.
pub fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    write(path, bytes, true)
}

/// Creates a file for its owner alone (mode 0600), and never overwrites one.
///
/// # Errors
/// It exists, or can't be created; names the path.
pub fn create_new(path: &Path) -> Result<File, Failure> {
    let folder = parent(path);
    std::fs::create_dir_all(&folder).map_err(at(&folder))?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            Failure::usage(format!("{}: it exists already; choose another name", path.display()))
        }
        _ => at(path)(error),
    })
}

/// Reads a whole file of at most `limit` bytes.
///
/// # Errors
/// It can't be read, or is longer; names the path.
pub fn read_limited(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    let file = File::open(path).map_err(at(path))?;
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(at(path))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit {
        return Err(Failure::new(format!(
            "{}: longer than {limit} bytes; is it the right file?",
            path.display()
        )));
    }
    Ok(bytes)
}

/// Whether something is at a path, a dangling link included.
pub fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// SHA-256 and length of a file, in constant memory.
///
/// # Errors
/// It can't be read.
pub fn hash_file(path: &Path) -> Result<(Digest, u64), Failure> {
    let at = |error: io::Error| Failure::from(error).context(path.display());
    let mut file = File::open(path).map_err(at)?;
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0_u8; 1024 * 1024];
    let mut bytes = 0_u64;
    loop {
        let read = file.read(&mut buffer).map_err(at)?;
        if read == 0 {
            return Ok((Digest(hasher.finalize().into()), bytes));
        }
        hasher.update(buffer.get(..read).unwrap_or_default());
        bytes = bytes.saturating_add(u64::try_from(read).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_whole_and_secrets_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/er/secret.json");
        write_secret(&path, b"one").unwrap();
        write_secret(&path, b"two").unwrap();
        assert_eq!(read_limited(&path, 3).unwrap(), b"two");
        assert!(read_limited(&path, 2).unwrap_err().to_string().contains("longer than 2"));
        assert_eq!(create_new(&path).unwrap_err().code(), 2);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}

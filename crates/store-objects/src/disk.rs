//! Files that survive a crash: written aside, flushed, linked to their name, and the folder flushed.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

/// Permissions of what is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Modes {
    pub file: u32,
    pub folder: u32,
}

/// Sealed evidence: the owner alone.
pub(crate) const PRIVATE: Modes = Modes { file: 0o600, folder: 0o700 };
/// Public files: everyone reads.
pub(crate) const PUBLIC: Modes = Modes { file: 0o644, folder: 0o755 };

/// Runs blocking work on a thread that may block.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// Flushes a folder, so that names in it survive a crash.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Makes a folder and all above it, durably; those that are there stay as they are.
pub(crate) fn make_folder(folder: &Path, modes: Modes) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        make_folder(parent, modes)?;
    }
    match DirBuilder::new().mode(modes.folder).create(folder) {
        // The mask of the process may have taken bits away.
        Ok(()) => fs::set_permissions(folder, Permissions::from_mode(modes.folder))?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    sync_folder(parent.unwrap_or(Path::new(".")))
}

static STAGED: AtomicU64 = AtomicU64::new(0);
const TRIES: u32 = 1_000;

/// Creates a file under a name that nobody else has, and lets `fill` write it. What was not written whole and flushed
/// is removed again. Gives back the file's path.
pub(crate) fn stage(
    folder: &Path,
    modes: Modes,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<std::path::PathBuf> {
    make_folder(folder, modes)?;
    let (path, mut file) = create(folder, modes)?;
    let written = fill(&mut file).and_then(|()| file.sync_all());
    if let Err(error) = written {
        let _ = fs::remove_file(&path);
        return Err(error);
    }
    Ok(path)
}

fn create(folder: &Path, modes: Modes) -> io::Result<(std::path::PathBuf, File)> {
    for _ in 0..TRIES {
        let path = folder.join(format!("{}-{}", std::process::id(), STAGED.fetch_add(1, Ordering::Relaxed)));
        match OpenOptions::new().write(true).create_new(true).mode(modes.file).open(&path) {
            Ok(file) => {
                file.set_permissions(Permissions::from_mode(modes.file))?;
                return Ok((path, file));
            }
            // A file of a process that had our number and was killed.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(ErrorKind::AlreadyExists, "no free name; empty the folder"))
}

/// Gives a flushed file a further name, durably. `false` when the name is taken; a rename would overwrite.
pub(crate) fn link(from: &Path, to: &Path, modes: Modes) -> io::Result<bool> {
    let folder = to.parent().unwrap_or(Path::new("."));
    make_folder(folder, modes)?;
    match fs::hard_link(from, to) {
        Ok(()) => sync_folder(folder).map(|()| true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Replaces a file, durably: readers see the old bytes or the new ones.
pub(crate) fn replace(staging: &Path, to: &Path, modes: Modes, bytes: &[u8]) -> io::Result<()> {
    let folder = to.parent().unwrap_or(Path::new("."));
    make_folder(folder, modes)?;
    let staged = stage(staging, modes, |file| file.write_all(bytes))?;
    if let Err(error) = fs::rename(&staged, to) {
        let _ = fs::remove_file(&staged);
        return Err(error);
    }
    sync_folder(folder)
}

/// Removes a file, durably. One that is gone already is fine.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Ok(()) => sync_folder(path.parent().unwrap_or(Path::new("."))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let staging = folder.path().join("staging");
        let error = stage(&staging, PRIVATE, |file| {
            file.write_all(b"half of")?;
            Err(ErrorKind::StorageFull.into())
        })
        .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
        assert_eq!(fs::read_dir(&staging).unwrap().count(), 0);
    }

    #[test]
    fn a_name_is_given_once() {
        let folder = tempfile::tempdir().unwrap();
        let (staging, to) = (folder.path().join("staging"), folder.path().join("a/b/c"));
        let one = stage(&staging, PUBLIC, |file| file.write_all(b"1")).unwrap();
        let two = stage(&staging, PUBLIC, |file| file.write_all(b"2")).unwrap();
        assert!(link(&one, &to, PUBLIC).unwrap());
        assert!(!link(&two, &to, PUBLIC).unwrap());
        assert_eq!(fs::read(&to).unwrap(), b"1");
        assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o644);
        assert_eq!(fs::metadata(folder.path().join("a/b")).unwrap().permissions().mode() & 0o777, 0o755);
        remove(&to).unwrap();
        remove(&to).unwrap();
        replace(&staging, &to, PUBLIC, b"3").unwrap();
        replace(&staging, &to, PUBLIC, b"4").unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"4");
    }
}

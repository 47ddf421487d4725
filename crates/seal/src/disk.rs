//! The only module that touches paths on disk.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

const BUFFER_BYTES: usize = 256 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Directory,
    Other,
}

pub(crate) struct Item {
    /// Nothing when it isn't Unicode.
    pub(crate) name: Option<String>,
    pub(crate) kind: Kind,
}

/// What stands in a directory, sorted by name; links aren't followed.
pub(crate) fn list(dir: &Path) -> io::Result<Vec<Item>> {
    let mut items = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let kind = match (kind.is_file(), kind.is_dir()) {
            (true, _) => Kind::File,
            (_, true) => Kind::Directory,
            _ => Kind::Other,
        };
        items.push(Item { name: entry.file_name().into_string().ok(), kind });
    }
    items.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(items)
}

/// Passes a file's bytes on; answers how many there were.
pub(crate) fn read_through(path: &Path, each: &mut dyn FnMut(&[u8])) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut total = 0_u64;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(total),
            Ok(n) => {
                each(buffer.get(..n).unwrap_or_default());
                total = total.saturating_add(n as u64);
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

/// A directory that is filled under the name `<dir>.part` and only gets its own once everything holds. Dropped before
/// that, it takes everything back.
pub(crate) struct Staged {
    target: PathBuf,
    part: PathBuf,
    live: bool,
}

impl Staged {
    /// Refuses when the directory, or a `.part` left by a run that was killed, is there already.
    pub(crate) fn create(target: &Path) -> io::Result<Self> {
        let exists = |path: &Path, what: &str| {
            let text = format!("{} exists already; {what}", path.display());
            io::Error::new(io::ErrorKind::AlreadyExists, text)
        };
        if fs::symlink_metadata(target).is_ok() {
            return Err(exists(target, "choose another directory, nothing is overwritten"));
        }
        let mut name = target.file_name().map(std::ffi::OsStr::to_os_string).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                "the directory has no name; give a path that ends in one",
            )
        })?;
        name.push(".part");
        let part = target.with_file_name(name);
        match fs::create_dir(&part) {
            Ok(()) => Ok(Self { target: target.to_owned(), part, live: true }),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                Err(exists(&part, "an earlier run was interrupted: delete it, then start again"))
            }
            Err(e) => Err(e),
        }
    }

    /// A new file below the directory; parents are made.
    pub(crate) fn file(&self, relative: &str) -> io::Result<File> {
        let path = self.part.join(relative);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        OpenOptions::new().write(true).create_new(true).open(path)
    }

    pub(crate) fn write(&self, relative: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.file(relative)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    pub(crate) fn directory(&self, relative: &str) -> io::Result<()> {
        fs::create_dir_all(self.part.join(relative))
    }

    /// Gives the directory its own name.
    pub(crate) fn commit(&mut self) -> io::Result<()> {
        if fs::symlink_metadata(&self.target).is_ok() {
            let text = format!("{} appeared meanwhile; choose another directory", self.target.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
        }
        fs::rename(&self.part, &self.target)?;
        self.live = false;
        Ok(())
    }

    /// Takes everything back.
    pub(crate) fn discard(&mut self) {
        if std::mem::take(&mut self.live) {
            // Nothing more can be done where even this fails; the name `.part` tells what it is.
            let _ = fs::remove_dir_all(&self.part);
        }
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        self.discard();
    }
}

//! A copy of a store's folder made from outside, whether or not a process has the store open.
//!
//! Logs come first, then segments, the keys last: what a flush moves meanwhile is in both and counts once, and a slice
//! that was begun meanwhile has its key. Segments are linked until two listings in a row say the same; each round links
//! only what is new, so a busy store does not put the end off.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use canvass_plates::StoreError;

use crate::disk::{create, failed, make_folder, sync_folder};

/// Times that segments are listed while files come and go.
const LISTINGS: usize = 1_000;

/// Copies the store of a folder into one that doesn't exist yet. Segments, which never change, are hard links where the
/// file system has them. Opened with the root key, the copy holds what was durable when the copying began, but for what
/// was erased meanwhile.
///
/// # Errors
/// [`StoreError`]: the disk, or a store that is never at rest; then the new folder isn't there.
pub fn snapshot(folder: &Path, to: &Path) -> Result<(), StoreError> {
    if to.try_exists().map_err(failed("snapshot"))? {
        let exists = io::Error::from(io::ErrorKind::AlreadyExists);
        return Err(StoreError::Disk("snapshot", exists));
    }
    let copied = copy_parts(folder, to);
    if copied.is_err() {
        let _ = fs::remove_dir_all(to);
    }
    copied.map_err(failed("snapshot"))
}

fn copy_parts(folder: &Path, to: &Path) -> io::Result<()> {
    for part in [to.to_owned(), to.join("logs"), to.join("slices")] {
        make_folder(&part)?;
    }
    let logs = files(&folder.join("logs"), 0)?;
    for path in logs.iter().filter(|path| path.extension().is_some_and(|end| end == "log")) {
        // A log that went since it was listed is in segments, which come next.
        unless_gone(copied(folder, path, to))?;
    }
    let segments = link_segments(folder, to)?;
    copied(folder, &folder.join("keys"), to)?;
    let mut folders: BTreeSet<&Path> = segments.iter().filter_map(|path| path.parent()).collect();
    let classes: Vec<&Path> = folders.iter().filter_map(|path| path.parent()).collect();
    folders.extend(classes);
    for made in folders {
        sync_folder(&target(folder, made, to)?)?;
    }
    [to.join("slices"), to.join("logs"), to.to_owned()].iter().try_for_each(|made| sync_folder(made))
}

/// Links the segments until nothing came or went between two listings. A single listing might miss a merge's result and
/// its parts, the one as too new, the others as gone already.
fn link_segments(folder: &Path, to: &Path) -> io::Result<Vec<PathBuf>> {
    let listed = || -> io::Result<Vec<PathBuf>> {
        let mut found = files(&folder.join("slices"), 2)?;
        // A pack grows while it is linked: what came after the logs were copied belongs to no read of the copy.
        found.retain(|path| {
            path.extension().is_some_and(|end| end == "seg" || end == crate::pictures::ENDING)
        });
        Ok(found)
    };
    let mut linked_ones = BTreeSet::new();
    let mut segments = listed()?;
    for _ in 0..LISTINGS {
        for path in &segments {
            if !linked_ones.contains(path) && unless_gone(linked(folder, path, to))? {
                linked_ones.insert(path.clone());
            }
        }
        let now = listed()?;
        if now == segments && now.iter().all(|path| linked_ones.contains(path)) {
            // What was merged or erased meanwhile has no place in the copy.
            for gone in linked_ones.iter().filter(|path| segments.binary_search(path).is_err()) {
                fs::remove_file(target(folder, gone, to)?)?;
            }
            return Ok(segments);
        }
        segments = now;
        std::thread::yield_now();
    }
    Err(io::Error::other("files came and went all the time"))
}

/// Whether it was there.
fn unless_gone(done: io::Result<()>) -> io::Result<bool> {
    match done {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Files so many folders below this one, sorted.
fn files(folder: &Path, depth: usize) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries = match fs::read_dir(folder) {
        // A store that was put back from a backup without logs or slices, or a slice that was erased since it was listed.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        other => other?,
    };
    for entry in entries {
        let (entry, kind) = entry.and_then(|entry| entry.file_type().map(|kind| (entry, kind)))?;
        if kind.is_dir() && depth > 0 {
            found.extend(files(&entry.path(), depth - 1)?);
        } else if kind.is_file() && depth == 0 {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

fn target(folder: &Path, path: &Path, to: &Path) -> io::Result<PathBuf> {
    Ok(to.join(path.strip_prefix(folder).map_err(io::Error::other)?))
}

fn copied(folder: &Path, path: &Path, to: &Path) -> io::Result<()> {
    let mut from = fs::File::open(path)?;
    let target = target(folder, path, to)?;
    target.parent().map_or(Ok(()), make_folder)?;
    let mut file = create(&target)?;
    io::copy(&mut from, &mut file)?;
    file.sync_all()
}

fn linked(folder: &Path, path: &Path, to: &Path) -> io::Result<()> {
    let target = target(folder, path, to)?;
    target.parent().map_or(Ok(()), make_folder)?;
    match fs::hard_link(path, &target) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => copied(folder, path, to),
        done => done,
    }
}

//! Writing public files: whole or not at all, readable by everybody, gone from view only on purpose.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde::Serialize;

/// Which compressed copies stand beside a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copies {
    /// None.
    Plain,
    /// `.gz` and `.br`.
    Packed,
}

/// Replaces a file; `modified` is its time of modification, where it must not be the present. Gives that time.
fn replace(path: &Path, bytes: &[u8], modified: Option<SystemTime>) -> io::Result<SystemTime> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let name = path.file_name().and_then(|name| name.to_str()).ok_or(io::ErrorKind::InvalidInput)?;
    fs::DirBuilder::new().recursive(true).mode(0o755).create(folder)?;
    let tmp = folder.join(format!(".{name}.new"));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(&tmp)?;
    file.write_all(bytes)?;
    if let Some(modified) = modified {
        file.set_modified(modified)?;
    }
    file.sync_all()?;
    let modified = file.metadata()?.modified()?;
    fs::rename(&tmp, path)?;
    File::open(folder)?.sync_all()?;
    Ok(modified)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Writes the compressed copies; gives the time of modification of the older one.
fn pack(path: &Path, bytes: &[u8]) -> io::Result<SystemTime> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(9));
    gzip.write_all(bytes)?;
    let mut brotli = Vec::new();
    let quality = brotli::enc::BrotliEncoderParams { quality: 9, lgwin: 22, ..Default::default() };
    brotli::BrotliCompress(&mut io::Cursor::new(bytes), &mut brotli, &quality)?;
    // The copies first: whoever sees the new file must not be given an old copy of it.
    let first = replace(&beside(path, ".gz"), &gzip.finish()?, None)?;
    Ok(first.min(replace(&beside(path, ".br"), &brotli, None)?))
}

/// Writes a file, unless it holds these bytes already; says whether it did.
///
/// # Errors
/// The disk's.
pub async fn write(path: PathBuf, bytes: Vec<u8>, copies: Copies) -> io::Result<bool> {
    let work = move || {
        if fs::read(&path).is_ok_and(|found| found == bytes)
            && (copies == Copies::Plain || beside(&path, ".br").exists())
        {
            return Ok(false);
        }
        // A copy older than its file passes for one of the version before and is not served, so the file, written last,
        // takes the time of its copies.
        let modified = if copies == Copies::Packed { Some(pack(&path, &bytes)?) } else { None };
        replace(&path, &bytes, modified)?;
        Ok(true)
    };
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// Writes a value as canonical JSON (RFC 8785).
///
/// # Errors
/// The disk's, or a value that has no JSON.
pub async fn write_json<T: Serialize>(path: PathBuf, value: &T) -> io::Result<bool> {
    let bytes = canvass_types::canonical(value).map_err(io::Error::other)?;
    write(path, bytes, Copies::Plain).await
}

/// Removes a file that may be gone already.
///
/// # Errors
/// The disk's.
pub async fn remove(path: PathBuf) -> io::Result<()> {
    let work = move || match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_copy_is_older_than_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feed/a.json");
        for (n, wrote) in [(1, true), (1, false), (2, true)] {
            assert_eq!(write(path.clone(), vec![n; 300_000], Copies::Packed).await.unwrap(), wrote);
            let time = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
            for ending in [".gz", ".br"] {
                assert!(time(&beside(&path, ending)) >= time(&path), "{ending}");
            }
            assert_eq!(fs::read(&path).unwrap(), vec![n; 300_000]);
        }
    }
}

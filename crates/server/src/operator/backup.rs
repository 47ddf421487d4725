//! Backups: the whole data folder as it is at one moment of the records, with a list of digests, while the server runs.
//!
//! The records are copied first. What they name (sealed bytes, public files) is copied after: blobs and tiles never
//! change, so they may be hard links, and what came later than the copy of the records is at worst an orphan.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use canvass_store_sqlite::{BackupError as StoreBackup, OpenError, Options, SqliteRecords};
use canvass_types::{Digest, leaf::Log};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::config::DataFolder;

const MANIFEST: &str = "manifest.json";
const RECORDS: &str = "records.sqlite";
const READS: &str = "reads";
/// Most files of a backup.
const MOST_FILES: usize = 20_000_000;
/// Longest manifest that is read, bytes.
const MOST_MANIFEST: u64 = 4 << 30;

/// Why a backup was not made or not restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The target exists.
    #[error("{0}: the folder is not empty; name a new one")]
    NotEmpty(PathBuf),
    /// A file.
    #[error(
        "{path}: can't be read or written ({source}); look at the disk, its space and the folder's owner"
    )]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The records can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The plate reads can't be copied.
    #[error("plate reads: {0}")]
    Reads(#[from] canvass_plates::StoreError),
    /// The records can't be copied.
    #[error(transparent)]
    Records(#[from] StoreBackup),
    /// The list of digests.
    #[error("manifest.json: {0}; this is no whole backup, take another one")]
    Manifest(String),
    /// A file differs from the list.
    #[error("{0}: the file is missing or differs from the backup's manifest; take another backup")]
    Differs(String),
}

impl BackupError {
    fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }
}

/// One file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestFile {
    /// Path in the data folder.
    pub path: String,
    /// Length.
    pub bytes: u64,
    /// SHA-256.
    pub sha256: Digest,
}

/// The list of a backup's files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this form: 1.
    pub v: u32,
    /// Whether the server's secret keys are in it.
    pub keys: bool,
    /// The files, by path.
    pub files: Vec<ManifestFile>,
}

/// What a backup or restore moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Files.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
}

/// Backs a data folder up into a new folder, whether or not a server runs on it. Without `keys` the server's secret
/// keys stay out: keep a copy of them in a safe.
///
/// # Errors
/// [`BackupError`]; what was written of it stays for looking at, without a manifest.
pub async fn backup(data: &Path, to: &Path, keys: bool) -> Result<Summary, BackupError> {
    let folder = DataFolder(data.to_owned());
    let records = SqliteRecords::open(folder.records(), Options::default()).await?;
    let made = backup_of(&records, &folder, to, keys).await;
    records.close().await;
    made
}

/// As [`backup`], through the open store of a running server.
///
/// # Errors
/// As [`backup`].
pub async fn backup_of(
    records: &SqliteRecords,
    folder: &DataFolder,
    to: &Path,
    keys: bool,
) -> Result<Summary, BackupError> {
    make_empty(to)?;
    // The heads as the copied records know them, not as the server publishes them a moment later.
    let mut heads = Vec::new();
    for log in Log::ALL {
        if let Some(head) =
            records.head(log).await.map_err(|error| BackupError::Manifest(error.to_string()))?
        {
            heads.push((format!("public/ledger/{}/checkpoint", log.as_str()), head));
        }
    }
    records.backup_to(to.join(RECORDS)).await?;
    let (folder, to) = (folder.clone(), to.to_owned());
    let work = move || copy_rest(&folder, &to, &heads, keys);
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(BackupError::Manifest(format!("the copying was stopped ({error})"))))
}

fn make_empty(to: &Path) -> Result<(), BackupError> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(to).map_err(BackupError::file(to))?;
    let mut entries = fs::read_dir(to).map_err(BackupError::file(to))?;
    if entries.next().is_some() { Err(BackupError::NotEmpty(to.to_owned())) } else { Ok(()) }
}

fn copy_rest(
    folder: &DataFolder,
    to: &Path,
    heads: &[(String, String)],
    keys: bool,
) -> Result<Summary, BackupError> {
    let (mut paths, mut copied) = (Vec::new(), Vec::new());
    let mut folders = vec!["blobs", "public"];
    if keys {
        folders.extend(["keys", "asked"]);
    }
    for name in folders {
        walk(&folder.0, Path::new(name), &mut paths)?;
    }
    if folder.policy().exists() {
        paths.push("policy.json".into());
    }
    if folder.reads().exists() {
        // Sealed under a key of the folder `keys`; segments never change, so they are hard links where they can be.
        canvass_store_reads::snapshot(&folder.reads(), &to.join(READS))?;
        walk(to, Path::new(READS), &mut copied)?;
    }
    let is_head = |path: &PathBuf| heads.iter().any(|(head, _)| Path::new(head) == path);
    paths.retain(|path| !is_head(path));
    for path in &paths {
        let (from, target) = (folder.0.join(path), to.join(path));
        copy(
            &from,
            &target,
            path.starts_with("blobs") || path.components().any(|part| part.as_os_str() == "tile"),
        )?;
    }
    for (path, head) in heads {
        let target = to.join(path);
        let folder = target.parent().unwrap_or(to);
        let write = || {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            fs::write(&target, head)?;
            fs::File::open(&target)?.sync_all()
        };
        write().map_err(BackupError::file(&target))?;
        paths.push(path.into());
    }
    let mut files = vec![listed(to, Path::new(RECORDS))?];
    for path in paths.iter().chain(&copied) {
        // A public file that was replaced or removed meanwhile is left out.
        if to.join(path).exists() {
            files.push(listed(to, path)?);
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let summary = Summary { files: files.len(), bytes: files.iter().map(|file| file.bytes).sum() };
    let manifest = Manifest { v: 1, keys, files };
    let text =
        serde_json::to_vec_pretty(&manifest).map_err(|error| BackupError::Manifest(error.to_string()))?;
    let path = to.join(MANIFEST);
    let write = || {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        io::Write::write_all(&mut file, &text)?;
        file.sync_all()?;
        fs::File::open(to)?.sync_all()
    };
    write().map_err(BackupError::file(&path))?;
    Ok(summary)
}

/// Plain files below a folder, without those that begin with a dot.
fn walk(root: &Path, below: &Path, paths: &mut Vec<PathBuf>) -> Result<(), BackupError> {
    let at = root.join(below);
    let entries = match fs::read_dir(&at) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(BackupError::file(&at))?,
    };
    for entry in entries {
        let entry = entry.map_err(BackupError::file(&at))?;
        let name = entry.file_name();
        if name.to_str().is_none_or(|name| name.starts_with('.')) {
            continue;
        }
        let (path, kind) = (below.join(&name), entry.file_type().map_err(BackupError::file(&at))?);
        if kind.is_dir() {
            walk(root, &path, paths)?;
        } else if kind.is_file() {
            if paths.len() >= MOST_FILES {
                return Err(BackupError::Manifest(format!("more than {MOST_FILES} files")));
            }
            paths.push(path);
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path, immutable: bool) -> Result<(), BackupError> {
    if let Some(parent) = to.parent() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(parent)
            .map_err(BackupError::file(parent))?;
    }
    if immutable && fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    let copied = fs::copy(from, to).and_then(|_| fs::File::open(to)?.sync_all());
    match copied {
        // It was destroyed or replaced since the folder was listed.
        Err(error) if error.kind() == io::ErrorKind::NotFound && !from.exists() => Ok(()),
        other => other.map_err(BackupError::file(to)),
    }
}

fn listed(root: &Path, path: &Path) -> Result<ManifestFile, BackupError> {
    let at = root.join(path);
    let hash = || -> io::Result<(u64, Digest)> {
        let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 20]);
        let mut file = fs::File::open(&at)?;
        loop {
            let read = match io::Read::read(&mut file, &mut buffer) {
                Ok(0) => return Ok((bytes, Digest(hash.finalize().into()))),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            hash.update(buffer.get(..read).unwrap_or_default());
            bytes += read as u64;
        }
    };
    let (bytes, sha256) = hash().map_err(BackupError::file(&at))?;
    Ok(ManifestFile { path: path.to_string_lossy().into_owned(), bytes, sha256 })
}

/// Restores a backup into a new data folder, after every file was compared with the list. Keys that were not in the
/// backup must be put back into `keys` before the server starts.
///
/// # Errors
/// [`BackupError`]; the target is left as it is then, without its records.
pub fn restore(from: &Path, data: &Path) -> Result<Summary, BackupError> {
    make_empty(data)?;
    let path = from.join(MANIFEST);
    let length = fs::metadata(&path).map_err(BackupError::file(&path))?.len();
    if length > MOST_MANIFEST {
        return Err(BackupError::Manifest("it is too long".into()));
    }
    let text = fs::read(&path).map_err(BackupError::file(&path))?;
    let manifest: Manifest =
        serde_json::from_slice(&text).map_err(|error| BackupError::Manifest(error.to_string()))?;
    if manifest.v != 1 {
        return Err(BackupError::Manifest(format!("version {} is not read here", manifest.v)));
    }
    for file in &manifest.files {
        let plain = !file.path.is_empty()
            && Path::new(&file.path).components().all(|part| matches!(part, std::path::Component::Normal(_)));
        if !plain {
            return Err(BackupError::Manifest("it names a file outside the folder".into()));
        }
        let found =
            listed(from, Path::new(&file.path)).map_err(|_| BackupError::Differs(file.path.clone()))?;
        if found != *file {
            return Err(BackupError::Differs(file.path.clone()));
        }
    }
    // The records last: without them nothing starts on a half-restored folder.
    let (records, rest): (Vec<_>, Vec<_>) = manifest.files.iter().partition(|file| file.path == RECORDS);
    if records.len() != 1 {
        return Err(BackupError::Manifest("it holds no records".into()));
    }
    for file in rest.iter().chain(&records) {
        let target = data.join(&file.path);
        copy(&from.join(&file.path), &target, false)?;
        if listed(data, Path::new(&file.path))? != **file {
            return Err(BackupError::Differs(file.path.clone()));
        }
    }
    let public = data.join("public");
    open_to_all(&public).map_err(BackupError::file(&public))?;
    fs::File::open(data).and_then(|folder| folder.sync_all()).map_err(BackupError::file(data))?;
    Ok(Summary { files: manifest.files.len(), bytes: manifest.files.iter().map(|file| file.bytes).sum() })
}

/// The public role may run as another user: folders of public files are open to all.
fn open_to_all(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    if !folder.is_dir() {
        return Ok(());
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            open_to_all(&entry.path())?;
        }
    }
    Ok(())
}

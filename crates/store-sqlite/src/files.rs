//! The store's files: who may read them, and when they are on disk.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};

use crate::error::BackupError;

const OWNER_ONLY: u32 = 0o600;

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// Makes an empty file where none is. SQLite gives its write-ahead log the same permissions.
pub(crate) async fn prepare(path: &Path) -> io::Result<()> {
    let path = path.to_owned();
    blocking(move || {
        OpenOptions::new().append(true).create(true).mode(OWNER_ONLY).open(&path)?;
        fs::set_permissions(&path, Permissions::from_mode(OWNER_ONLY))?;
        sync_folder(&path)
    })
    .await
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Copies the database as it is at one moment.
pub(crate) async fn backup(connect: &SqliteConnectOptions, path: &Path) -> Result<(), BackupError> {
    let told = |source| BackupError::File { path: path.to_owned(), source };
    let target = path.to_str().map(str::to_owned).ok_or_else(|| {
        told(io::Error::new(io::ErrorKind::InvalidInput, "the name is not UTF-8; choose another one"))
    })?;
    let create: PathBuf = path.to_owned();
    blocking(move || OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(create))
        .await
        .map_err(told)?;
    let copied = copy(connect, target).await;
    let done: PathBuf = path.to_owned();
    if let Err(error) = copied {
        let _ = blocking(move || fs::remove_file(done)).await;
        return Err(error.into());
    }
    blocking(move || {
        File::open(&done)?.sync_all()?;
        sync_folder(&done)
    })
    .await
    .map_err(told)
}

async fn copy(connect: &SqliteConnectOptions, target: String) -> Result<(), sqlx::Error> {
    let mut connection = connect.connect().await?;
    // SQLite writes into a file that exists only when it is empty.
    sqlx::query("VACUUM INTO ?1").bind(target).execute(&mut connection).await?;
    connection.close().await
}

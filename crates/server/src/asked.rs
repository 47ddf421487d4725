//! Keys of the private check for plate owners: one file for each quarter, made by chance before the quarter begins,
//! removed when nobody can check its days any more.

use std::{collections::BTreeSet, fs, io, path::Path};

use canvass_blind::{BlindError, Epoch, EpochKey, day_of};
use canvass_core::{App, CoreError};
use canvass_store_sqlite::SqliteRecords;
use canvass_types::Entropy;
use jiff::ToSpan as _;

use crate::keys::{KeysError, read_or_make};

/// Days before a quarter begins in which its key is made.
const AHEAD_DAYS: u32 = 7;

/// Why the keys can't be kept.
#[derive(Debug, thiserror::Error)]
pub enum AskedError {
    /// A file.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// What a file holds.
    #[error(transparent)]
    Blind(#[from] BlindError),
    /// The domain.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// The folder.
    #[error("the folder `asked` can't be made or changed ({0}); look at the data folder and its owner")]
    Folder(#[from] io::Error),
}

/// Takes the keys of the folder into use, makes that of this quarter and, in its last days, that of the next, and
/// removes those whose days are not public any more. Gives the quarters whose key is noted and gone: their searches are
/// refused and their days are not published until it is put back.
///
/// # Errors
/// [`AskedError`] names the file.
pub async fn keep(
    app: &App<SqliteRecords>,
    folder: &Path,
    entropy: &dyn Entropy,
) -> Result<Vec<Epoch>, AskedError> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let now = app.now();
    let mut wanted: BTreeSet<Epoch> =
        [now, now.plus_days(AHEAD_DAYS)].into_iter().map(|at| Epoch::of(day_of(at))).collect();
    let noted = app.asked_keys_noted().await?;
    let keep_days = i64::from(app.policy().asked.keep_days).saturating_add(2);
    for key in noted.iter().filter(|key| !key.destroyed) {
        let end = key.epoch.last_day().checked_add(keep_days.days()).unwrap_or(jiff::civil::Date::MAX);
        if end < day_of(now) {
            remove(&folder.join(format!("{}.key", key.epoch)))?;
            app.asked_key_destroyed(key.epoch).await?;
        } else {
            wanted.insert(key.epoch);
        }
    }
    let mut missing = Vec::new();
    for epoch in wanted {
        if app.asked_key(epoch).is_some() {
            continue;
        }
        let path = folder.join(format!("{epoch}.key"));
        let fresh = !noted.iter().any(|key| key.epoch == epoch);
        let made = read_or_make(&path, fresh, || {
            EpochKey::make(epoch, entropy).ok().map(|key| key.to_secret_text())
        });
        let text = match made {
            Err(KeysError::Missing { .. }) => {
                missing.push(epoch);
                continue;
            }
            other => other?,
        };
        let key = EpochKey::parse(&text).map_err(|_| KeysError::Form { path: path.clone() })?;
        if key.epoch() != epoch {
            return Err(KeysError::Form { path }.into());
        }
        app.use_asked_key(key).await?;
    }
    Ok(missing)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

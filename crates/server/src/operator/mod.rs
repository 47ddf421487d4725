//! What an operator does by hand, beside or without a running server: set up, check and repair, back up and restore.

mod backup;
mod check;

use std::{path::Path, sync::Arc};

use canvass_core::{App, CoreError, access::Gate};
use canvass_store_sqlite::{Options, SqliteRecords};
use canvass_types::{Clock, Entropy, Policy};

pub use backup::{BackupError, Manifest, ManifestFile, Summary, backup, backup_of, restore};
pub use check::{CheckError, Finding, Report, check};

use crate::{
    config::DataFolder,
    serve::{ServeError, make_folder},
};

/// Days that the first operator's token counts.
const FIRST_TOKEN_DAYS: u32 = 30;

/// Makes the first operator of a new Canvass in a data folder; gives the token, which can't be shown again.
///
/// # Errors
/// When there is an operator already, or the folder can't be used.
pub async fn init(
    data: &Path,
    name: &str,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
) -> Result<String, ServeError> {
    make_folder(data, 0o700)?;
    let folder = DataFolder(data.to_owned());
    let records = SqliteRecords::open(folder.records(), Options::default()).await?;
    let app = App::new(records, Gate::shipped()?, Policy::default(), clock, entropy);
    let made = app.first_operator(name, FIRST_TOKEN_DAYS).await;
    app.records().close().await;
    let (_, token) = made.map_err(|error: CoreError| error)?;
    Ok(token.token)
}

/// Enters in the oversight ledger of a data folder that a tool works on it directly. A running server, or the next one, signs
/// the entry.
///
/// # Errors
/// When the records can't be opened or written.
pub async fn note_tool(
    data: &Path,
    tool: &str,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
) -> Result<(), ServeError> {
    let records = SqliteRecords::open(DataFolder(data.to_owned()).records(), Options::default()).await?;
    let app = App::new(records, Gate::shipped()?, Policy::default(), clock, entropy);
    let noted = app.note_tool(tool).await;
    app.records().close().await;
    noted.map_err(|error: CoreError| error.into())
}

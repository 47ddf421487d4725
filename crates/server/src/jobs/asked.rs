//! Writes what owners of plates read: `/asked/keys.json`, `/asked/index.json`, and a file of marks for each day that is
//! public. A day without a search has a file like any other.

use std::{collections::BTreeSet, io, path::PathBuf};

use canvass_blind::{KeyFile, KeyOf, SUITE};
use canvass_core::asked::{NotedKey, PublicDays};
use canvass_types::leaf::Log;
use jiff::civil::Date;

use super::{JobError, Round};
use crate::{
    asked,
    desk::Desk,
    files::{self, Copies},
};

/// Files that one round writes.
const BATCH: usize = 50;

fn path_of(desk: &Desk, day: Date) -> PathBuf {
    desk.public(&format!("asked/{day}.json"))
}

/// One batch.
///
/// # Errors
/// The store's, the ledger's or the disk's; the next round does it again.
pub async fn round(desk: &Desk) -> Result<Round, JobError> {
    asked::keep(&desk.app, &desk.folder.asked(), desk.entropy.as_ref())
        .await
        .map_err(|error| JobError::Content(error.to_string()))?;
    if !keys(desk).await? {
        // The ledger wakes this job when it has grown.
        return Ok(Round::Rest);
    }
    let mut again = Round::Rest;
    if let Some(days) = desk.app.asked_days().await? {
        if days_of(desk, days).await? == BATCH {
            again = Round::Again;
        }
        forget(desk, days).await?;
    }
    // Last, so that it names no day whose file is not there.
    if again == Round::Rest {
        files::write_json(desk.public("asked/index.json"), &desk.app.asked_index().await?).await?;
    }
    Ok(again)
}

/// Writes the keys with their proofs; `false` when the ledger does not hold them all yet.
async fn keys(desk: &Desk) -> Result<bool, JobError> {
    let noted: Vec<_> = desk.app.asked_keys_noted().await?.into_iter().filter(|key| !key.destroyed).collect();
    let path = desk.public("asked/keys.json");
    // A proof is of the ledger's newest head: made anew only when the keys are others, so that a copy stays good.
    let known = tokio::fs::read(&path).await.ok();
    let known = known.and_then(|bytes| serde_json::from_slice::<KeyFile>(&bytes).ok());
    let names = |key: &NotedKey| (key.epoch, key.public.clone());
    let same = known.is_some_and(|file| {
        file.keys.iter().map(|key| (key.epoch, key.public.clone())).eq(noted.iter().map(names))
    });
    if same {
        return Ok(true);
    }
    let leaves: Vec<String> = noted.iter().map(|key| key.leaf.clone()).collect();
    let proven = desk.ledgers.of(Log::Requests).prove(desk.app.records(), &leaves).await?;
    let Some((_, proofs)) = proven else { return Ok(false) };
    let keys = noted
        .into_iter()
        .zip(proofs)
        .map(|(key, proof)| KeyOf { epoch: key.epoch, public: key.public, proof })
        .collect();
    files::write_json(path, &KeyFile { v: 1, suite: SUITE.to_owned(), keys }).await?;
    Ok(true)
}

/// Writes the files of days that lack one or lack marks; gives how many.
async fn days_of(desk: &Desk, days: PublicDays) -> Result<usize, JobError> {
    let mut due: BTreeSet<Date> = desk.app.asked_lacking(days, BATCH).await?.into_iter().collect();
    let missing: Vec<Date> = days.all().filter(|day| !path_of(desk, *day).exists()).collect();
    due.extend(missing);
    let mut written = 0;
    // Days without their quarter's key are passed over: they must not keep the others from their turn.
    for day in due {
        if written == BATCH {
            break;
        }
        let file = match desk.app.asked_day(day).await {
            Ok(file) => file,
            // Its quarter's key is gone, which the start has told to the log.
            Err(canvass_core::CoreError::State { .. }) => continue,
            Err(error) => return Err(error.into()),
        };
        let bytes = canvass_types::canonical(&file).map_err(io::Error::other)?;
        files::write(path_of(desk, day), bytes, Copies::Packed).await?;
        desk.app.asked_day_written(day).await?;
        written += 1;
    }
    Ok(written)
}

/// Removes the files of days that are not public any more.
async fn forget(desk: &Desk, days: PublicDays) -> Result<(), JobError> {
    let folder = desk.public("asked");
    let work = move || -> io::Result<()> {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let day = name.get(..10).and_then(|day| day.parse::<Date>().ok());
            if day.is_some_and(|day| day < days.first) {
                std::fs::remove_file(&path)?;
            }
        }
        Ok(())
    };
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)??;
    Ok(())
}

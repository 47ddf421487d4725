//! The keys of the quarters: held in memory, their public halves noted in the requests ledger.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use canvass_blind::{Epoch, EpochKey};
use canvass_types::{
    Time,
    leaf::{Log, RequestsLeaf},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    App, CoreError,
    access::{Job, Target},
    agencies::leaf_text,
    ports::{Records, RecordsExt, StoreError, Versioned},
    records::Setting,
};

/// Name of the setting that holds what is noted of keys.
const SETTING: &str = "asked-keys";

/// The secret keys that this process can search with.
#[derive(Debug, Default)]
pub(crate) struct AskedKeys(RwLock<BTreeMap<Epoch, Arc<EpochKey>>>);

impl AskedKeys {
    pub fn get(&self, epoch: Epoch) -> Option<Arc<EpochKey>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&epoch).cloned()
    }

    fn put(&self, key: Arc<EpochKey>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(key.epoch(), key);
    }

    fn drop(&self, epoch: Epoch) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(&epoch);
    }
}

/// A key as the requests ledger has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotedKey {
    /// Of which quarter.
    pub epoch: Epoch,
    /// Its public half, base64url.
    pub public: String,
    /// When it was noted.
    pub at: Time,
    /// Canonical JSON of its ledger entry.
    pub leaf: String,
    /// Whether the key is destroyed.
    pub destroyed: bool,
}

impl<R: Records> App<R> {
    async fn noted(&self) -> Result<(Option<Versioned<Setting>>, Vec<NotedKey>), CoreError> {
        let Some(found) = self.records().get::<Setting>(SETTING).await? else {
            return Ok((None, Vec::new()));
        };
        let keys = serde_json::from_value(found.record.value.clone()).map_err(|error| {
            let reason = format!("line {}, column {}", error.line(), error.column());
            StoreError::Corrupt { table: "settings", reason }
        })?;
        Ok((Some(found), keys))
    }

    /// What is noted of keys, oldest first.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn asked_keys_noted(&self) -> Result<Vec<NotedKey>, CoreError> {
        Ok(self.noted().await?.1)
    }

    /// The secret key of a quarter, when this process has it.
    pub fn asked_key(&self, epoch: Epoch) -> Option<Arc<EpochKey>> {
        self.asked_keys().get(epoch)
    }

    /// Takes a key into use. Its public half is noted in the requests ledger first, so that a quarter has one key for all.
    ///
    /// # Errors
    /// When another key is noted for the quarter, or the store does not answer.
    pub async fn use_asked_key(&self, key: EpochKey) -> Result<(), CoreError> {
        let (before, mut keys) = self.noted().await?;
        let public = key.public().to_string();
        match keys.iter().find(|noted| noted.epoch == key.epoch()) {
            Some(noted) if noted.public == public => {}
            Some(_) => {
                return Err(CoreError::state(
                    format!("the key of {} is not the one in the requests ledger", key.epoch()),
                    "put the first one back into the folder `asked` from where you keep the keys",
                ));
            }
            None => {
                let at = self.now();
                let epoch = key.epoch();
                let leaf = RequestsLeaf::AskedKey { epoch: epoch.to_string(), public: public.clone(), at };
                keys.push(NotedKey { epoch, public, at, leaf: leaf_text(&leaf), destroyed: false });
                keys.sort_by_key(|noted| noted.epoch);
                self.note(before, &keys, epoch, Some(leaf)).await?;
            }
        }
        self.asked_keys().put(Arc::new(key));
        Ok(())
    }

    /// Notes that the key of a quarter is destroyed: nobody can check its days any more.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn asked_key_destroyed(&self, epoch: Epoch) -> Result<(), CoreError> {
        self.asked_keys().drop(epoch);
        let (before, mut keys) = self.noted().await?;
        for key in keys.iter_mut().filter(|key| key.epoch == epoch) {
            key.destroyed = true;
        }
        self.note(before, &keys, epoch, None).await
    }

    async fn note(
        &self,
        before: Option<Versioned<Setting>>,
        keys: &[NotedKey],
        epoch: Epoch,
        leaf: Option<RequestsLeaf>,
    ) -> Result<(), CoreError> {
        let setting =
            Setting { name: SETTING.to_owned(), value: serde_json::to_value(keys).unwrap_or_default() };
        let job = if leaf.is_some() { Job::SetUp } else { Job::Housekeeping };
        self.system(job, Target::shared(SETTING))
            .detail(json!({ "epoch": epoch }))
            .with(|changes| {
                let changes = match &before {
                    Some(before) => changes.update(before, &setting),
                    None => changes.insert(&setting),
                };
                leaf.iter().fold(changes, |all, leaf| all.leaf(Log::Requests, leaf))
            })
            .commit(self.records())
            .await?;
        Ok(())
    }
}

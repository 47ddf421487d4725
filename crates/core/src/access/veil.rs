//! Pseudonyms: what the oversight ledger says in place of members and targets. Each agency has a key of its own, so that
//! repeats can be seen within an agency and nothing can be compared between two. The key is kept with the records; when it
//! is destroyed, nobody can tell any more whom a pseudonym stood for.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use canvass_types::{
    AgencyId,
    env::random,
    leaf::{Pseudonym, Veiled},
};

use super::{Actor, Job, Target, Veil};
use crate::{
    App, CoreError,
    ports::{Records, RecordsExt, StoreError},
    records::Setting,
};

/// The keys that were used since the start, by agency.
#[derive(Debug, Default)]
pub(crate) struct VeilKeys(RwLock<HashMap<String, [u8; 32]>>);

/// Whose key it is where no agency is concerned: operators, moderators and overseers.
const NOBODY: &str = "none";

impl<R: Records> App<R> {
    /// What the ledger is to say in place of who acts, and of what it is done to where that would tell who.
    pub(crate) async fn veil(&self, actor: Option<&Actor>, target: &Target) -> Result<Veil, CoreError> {
        let actor = match actor {
            Some(actor) => {
                let key = self.veil_key(actor.agency.as_ref()).await?;
                Some(Pseudonym::of(&key, Veiled::Member, actor.member.as_str()))
            }
            None => None,
        };
        let subject = if target.veiled {
            let kind = if target.subject.starts_with("mbr_") { Veiled::Member } else { Veiled::Target };
            Some(Pseudonym::of(&self.veil_key(target.agency.as_ref()).await?, kind, &target.subject))
        } else {
            None
        };
        Ok(Veil { actor, subject })
    }

    /// The pseudonym of a target, such as a plate, under an agency's key.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn target_pseudonym(&self, agency: &AgencyId, text: &str) -> Result<Pseudonym, CoreError> {
        Ok(Pseudonym::of(&self.veil_key(Some(agency)).await?, Veiled::Target, text))
    }

    /// The key of an agency's pseudonyms, made by chance when it is first needed.
    async fn veil_key(&self, agency: Option<&AgencyId>) -> Result<[u8; 32], CoreError> {
        let whose = agency.map_or(NOBODY, AgencyId::as_str);
        let known = self.veil_keys().0.read().unwrap_or_else(PoisonError::into_inner).get(whose).copied();
        if let Some(key) = known {
            return Ok(key);
        }
        let name = format!("pseudonyms/{whose}");
        let key = loop {
            if let Some(stored) = self.records().get::<Setting>(&name).await? {
                break read(&stored.record)?;
            }
            let key: [u8; 32] = random(self.entropy());
            let setting = Setting { name: name.clone(), value: BASE64_STANDARD.encode(key).into() };
            let intent = self.system(Job::Housekeeping, Target::shared(&name));
            match intent.with(|changes| changes.insert(&setting)).commit(self.records()).await {
                Ok(_) => break key,
                // Somebody else made it at the same moment: theirs counts.
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        };
        self.veil_keys().0.write().unwrap_or_else(PoisonError::into_inner).insert(whose.to_owned(), key);
        Ok(key)
    }
}

fn read(setting: &Setting) -> Result<[u8; 32], StoreError> {
    let bytes = setting.value.as_str().and_then(|text| BASE64_STANDARD.decode(text).ok());
    bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| StoreError::Corrupt {
        table: "settings",
        reason: "the key of an agency's pseudonyms is not 32 bytes of base64".into(),
    })
}

//! What is new, read from the public feed alone: a notice can't say more than everybody can read.

use std::{collections::BTreeSet, path::PathBuf};

use canvass_types::{RequestBody, Signed};
use serde::Deserialize;

use crate::{NoticesError, wish::is_region};

/// An open request, as the feed has it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Open {
    pub(crate) id: String,
    pub(crate) body: RequestBody,
    pub(crate) region: String,
    pub(crate) closes: Option<String>,
}

#[derive(Deserialize)]
struct Index {
    regions: Vec<IndexEntry>,
}

#[derive(Deserialize)]
struct IndexEntry {
    region: String,
    digest: String,
}

#[derive(Deserialize)]
struct Bundle {
    requests: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    id: String,
    state: String,
    request: Option<Signed<RequestBody>>,
    closes: Option<String>,
}

pub(crate) struct News {
    public: PathBuf,
}

impl News {
    pub(crate) fn new(public: PathBuf) -> Self {
        Self { public }
    }

    /// Those of `known` (region, digest last seen) whose bundle is another one now, with its digest.
    pub(crate) async fn changed(
        &self,
        known: &[(String, String)],
    ) -> Result<Vec<(String, String)>, NoticesError> {
        if known.is_empty() {
            return Ok(Vec::new());
        }
        let Some(index) = self.read::<Index>("index").await? else { return Ok(Vec::new()) };
        let find = |region: &str| index.regions.iter().find(|each| each.region == region);
        let changed = known.iter().filter_map(|(region, digest)| {
            let now = find(region)?;
            (now.digest != *digest).then(|| (region.clone(), now.digest.clone()))
        });
        Ok(changed.collect())
    }

    /// Open requests of these regions, each once.
    pub(crate) async fn open(&self, regions: &[String]) -> Result<Vec<Open>, NoticesError> {
        let mut seen = BTreeSet::new();
        let mut open = Vec::new();
        for region in regions.iter().filter(|region| is_region(region)) {
            let Some(bundle) = self.read::<Bundle>(region).await? else { continue };
            for entry in bundle.requests {
                let Some(request) = entry.request else { continue };
                if entry.state == "published" && seen.insert(entry.id.clone()) {
                    let region = region.clone();
                    open.push(Open { id: entry.id, body: request.body, region, closes: entry.closes });
                }
            }
        }
        Ok(open)
    }

    async fn read<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<Option<T>, NoticesError> {
        let path = self.public.join("feed").join(format!("{name}.json"));
        match tokio::fs::read(&path).await {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|_| NoticesError::Feed),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(NoticesError::File { path, source }),
        }
    }
}

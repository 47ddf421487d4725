//! One region's requests with their proofs, in bytes that are the same for everybody.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use canvass_ledger::{CheckpointError, Hash, ProofError, SignedCheckpoint};
use canvass_types::leaf::RequestsLeaf;
use canvass_types::{
    Decision, Digest, Proof, PublicAgency, PublicRequest, RequestBody, RequestId, RequestState, Signed, Time,
    canonical,
};
use serde::{Deserialize, Serialize};

use super::tree::Tree;

/// Version of the bundle's form.
pub const FORM: u32 = 1;
/// Largest bundle in bytes that is read.
pub const MAX_BUNDLE: usize = 32 * 1024 * 1024;

/// One ledger entry with the hashes from it to a checkpoint's root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The entry's canonical JSON, as text.
    pub leaf: String,
    /// Its place in the ledger.
    pub index: u64,
    /// Siblings from the leaf to the root (RFC 6962 section 2.1.1).
    pub path: Vec<Hash>,
}

/// A ledger entry as it stands in a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BundleLeaf {
    /// Its place in the ledger.
    pub index: u64,
    /// The entry's canonical JSON, as text. Left out for a request's first entry (`request.decided`) and second
    /// (`request.published`) where they are just what the request shown here says: see [`BundleRequest::told`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaf: Option<String>,
}

/// An agency with the entries that speak of its standing and keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BundleAgency {
    /// The agency.
    pub agency: PublicAgency,
    /// Its entries, oldest first.
    pub entries: Vec<BundleLeaf>,
}

/// A [`PublicRequest`] as it stands in a bundle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BundleRequest {
    /// Its id.
    pub id: RequestId,
    /// Where it stands.
    pub state: RequestState,
    /// The signed body; absent once withheld.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Signed<RequestBody>>,
    /// What the moderator decided.
    pub decision: Decision,
    /// When it was published.
    pub at: Time,
    /// Until when offers are taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes: Option<Time>,
    /// Its entries, oldest first.
    pub entries: Vec<BundleLeaf>,
}

/// All that is asked in one region, with everything needed to check it against one checkpoint of the requests ledger.
///
/// All entries have one proof together: `hashes` are the roots of those subtrees of the ledger's tree (RFC 6962 section 2.1)
/// that hold none of them, in the order of a walk from the root, left before right.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegionBundle {
    /// Version of this form: 1.
    pub v: u32,
    /// The region: an H3 cell of resolution 3.
    pub region: String,
    /// Time of the newest ledger entry shown, so that equal content gives equal bytes.
    pub generated: Time,
    /// The signed checkpoint that all proofs lead to (C2SP tlog-checkpoint).
    pub checkpoint: String,
    /// The common proof of all entries, in base64.
    pub hashes: Vec<String>,
    /// The agencies that ask, by id.
    pub agencies: Vec<BundleAgency>,
    /// What they ask, in the order of the ledger.
    pub requests: Vec<BundleRequest>,
}

/// Why a bundle or a proof can't be put together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// A proof in C2SP form is malformed.
    #[error("proof of entry {index}: {error}")]
    Proof {
        /// Its place in the ledger.
        index: u64,
        /// What is wrong.
        error: ProofError,
    },
    /// A proof and its record disagree.
    #[error("proof of entry {index} says it is entry {found}: build it again")]
    Index {
        /// The place in the record.
        index: u64,
        /// The place in the proof.
        found: u64,
    },
    /// The checkpoint of a proof is another than the bundle's.
    #[error(
        "proof of entry {index} leads to another checkpoint than the bundle's: build all proofs for one checkpoint"
    )]
    Checkpoint {
        /// Its place in the ledger.
        index: u64,
    },
    /// The bundle's own checkpoint is malformed.
    #[error("bundle: {0}")]
    Head(#[from] CheckpointError),
    /// A path that is not one of this tree, or an entry that stands twice.
    #[error(
        "proof of entry {index} does not fit a tree of {size} entries, or the entry stands twice: build it again"
    )]
    Path {
        /// The entry's place in the ledger.
        index: u64,
        /// Entries in the tree.
        size: u64,
    },
    /// The common proof does not fit.
    #[error("the hashes are not the common proof of the entries: fetch the bundle again")]
    Common,
    /// An entry is left out that can't be told from the request.
    #[error("entry {index} is left out: fetch the bundle again")]
    Missing {
        /// The entry's place in the ledger.
        index: u64,
    },
    /// Not JSON.
    #[error("bundle can't be written as canonical JSON: {0}")]
    Json(String),
}

impl Entry {
    /// Reads a full proof; gives the entry and its checkpoint.
    ///
    /// # Errors
    /// [`BundleError`] when the proof is malformed or names another index.
    pub fn parse(proof: &Proof) -> Result<(Self, SignedCheckpoint), BundleError> {
        let index = proof.index;
        let read = canvass_ledger::Proof::parse(proof.proof.as_bytes());
        let read = read.map_err(|error| BundleError::Proof { index, error })?;
        if read.index != index {
            return Err(BundleError::Index { index, found: read.index });
        }
        Ok((Self { leaf: proof.leaf.clone(), index, path: read.hashes }, read.checkpoint))
    }

    fn parse_for(proof: &Proof, checkpoint: &str) -> Result<Self, BundleError> {
        let (entry, found) = Self::parse(proof)?;
        if found.to_string() != checkpoint {
            return Err(BundleError::Checkpoint { index: proof.index });
        }
        Ok(entry)
    }
}

impl BundleRequest {
    /// The entries `request.decided` and `request.published` as this record tells them; `None` when the body is withheld,
    /// or nothing says until when offers are taken.
    pub fn told(&self) -> Option<[String; 2]> {
        let signed = self.request.as_ref()?;
        let (request, agency) = (self.id.clone(), signed.body.agency.id.clone());
        let digest = Digest::of(&canonical(&self.decision).ok()?);
        let (approved, at) = (self.decision.approved, self.decision.at);
        let decided = RequestsLeaf::RequestDecided { request, agency, approved, digest, at };
        let (request, agency, key) = (self.id.clone(), signed.body.agency.id.clone(), signed.key.clone());
        let (digest, at, closes) = (signed.digest, self.at, self.closes?);
        let published = RequestsLeaf::RequestPublished { request, agency, digest, key, at, closes };
        let text = |leaf| String::from_utf8(canonical(&leaf).ok()?).ok();
        Some([text(decided)?, text(published)?])
    }

    /// Its entries with their text, told ones included.
    ///
    /// # Errors
    /// [`BundleError::Missing`].
    pub fn leaves(&self) -> Result<Vec<(u64, String)>, BundleError> {
        let told = self.told();
        let leaf = |(at, entry): (usize, &BundleLeaf)| {
            let told = || told.as_ref().and_then(|told| told.get(at)).cloned();
            let leaf = entry.leaf.clone().or_else(told).ok_or(BundleError::Missing { index: entry.index })?;
            Ok((entry.index, leaf))
        };
        self.entries.iter().enumerate().map(leaf).collect()
    }

    // Leaves out what the record tells.
    pub(super) fn shorten(&mut self) {
        let told = self.told().map_or(Vec::new(), Vec::from);
        for (entry, told) in self.entries.iter_mut().zip(told) {
            if entry.leaf.as_ref() == Some(&told) {
                entry.leaf = None;
            }
        }
    }
}

impl BundleAgency {
    /// Its entries with their text.
    ///
    /// # Errors
    /// [`BundleError::Missing`].
    pub fn leaves(&self) -> Result<Vec<(u64, String)>, BundleError> {
        let leaf = |entry: &BundleLeaf| {
            Ok((entry.index, entry.leaf.clone().ok_or(BundleError::Missing { index: entry.index })?))
        };
        self.entries.iter().map(leaf).collect()
    }
}

// Learns the paths and gives the entries in the order of the ledger.
fn settle(tree: &mut Tree, size: u64, mut entries: Vec<Entry>) -> Result<Vec<BundleLeaf>, BundleError> {
    entries.sort_by_key(|entry| entry.index);
    let mut leaves = Vec::with_capacity(entries.len());
    for Entry { leaf, index, path } in entries {
        tree.learn(index, &path).ok_or(BundleError::Path { index, size })?;
        leaves.push(BundleLeaf { index, leaf: Some(leaf) });
    }
    Ok(leaves)
}

impl RegionBundle {
    /// Puts a bundle together. The order of what is given does not matter; a request's own full proofs are left aside
    /// in favour of its entries, which must all lead to `checkpoint`.
    ///
    /// # Errors
    /// [`BundleError`] when the checkpoint is malformed, or a path is not one of its tree.
    pub fn new(
        region: String,
        generated: Time,
        checkpoint: String,
        mut agencies: Vec<(PublicAgency, Vec<Entry>)>,
        mut requests: Vec<(PublicRequest, Vec<Entry>)>,
    ) -> Result<Self, BundleError> {
        let size = SignedCheckpoint::parse(checkpoint.as_bytes())?.checkpoint.size;
        agencies.sort_by(|(a, _), (b, _)| a.id.cmp(&b.id));
        let first = |entries: &[Entry]| entries.iter().map(|entry| entry.index).min();
        requests.sort_by(|(a, x), (b, y)| (first(x), &a.id).cmp(&(first(y), &b.id)));
        let mut tree = Tree::new(size);
        let mut bundle = Self {
            v: FORM,
            region,
            generated,
            checkpoint,
            hashes: vec![],
            agencies: vec![],
            requests: vec![],
        };
        for (agency, entries) in agencies {
            bundle.agencies.push(BundleAgency { agency, entries: settle(&mut tree, size, entries)? });
        }
        for (request, entries) in requests {
            let PublicRequest { id, state, request, decision, at, closes, proofs: _ } = request;
            let entries = settle(&mut tree, size, entries)?;
            let mut request = BundleRequest { id, state, request, decision, at, closes, entries };
            request.shorten();
            bundle.requests.push(request);
        }
        let places = bundle.places()?;
        let hashes = tree.common(&places).ok_or(BundleError::Common)?;
        bundle.hashes = hashes.into_iter().map(|hash| STANDARD.encode(hash)).collect();
        Ok(bundle)
    }

    // Places of all entries, in order, none twice.
    fn places(&self) -> Result<Vec<u64>, BundleError> {
        let agencies = self.agencies.iter().flat_map(|agency| &agency.entries);
        let entries = agencies.chain(self.requests.iter().flat_map(|request| &request.entries));
        let mut places: Vec<_> = entries.map(|entry| entry.index).collect();
        places.sort_unstable();
        match places.iter().zip(places.iter().skip(1)).find(|(one, next)| one == next) {
            Some((index, _)) => Err(BundleError::Path { index: *index, size: 0 }),
            None => Ok(places),
        }
    }

    /// Opens the common proof: the tree known by it, and its root.
    pub(super) fn open(&self, size: u64) -> Result<(Tree, Hash), BundleError> {
        self.places()?;
        let mut entries = Vec::new();
        for agency in &self.agencies {
            entries.extend(agency.leaves()?);
        }
        for request in &self.requests {
            entries.extend(request.leaves()?);
        }
        entries.sort_unstable_by_key(|(index, _)| *index);
        let entries: Vec<_> = entries.iter().map(|(index, leaf)| (*index, leaf.as_str())).collect();
        let hash = |text: &String| -> Option<Hash> { STANDARD.decode(text).ok()?.try_into().ok() };
        let hashes = self.hashes.iter().map(hash).collect::<Option<Vec<_>>>().ok_or(BundleError::Common)?;
        Tree::open(size, &entries, &hashes).ok_or(BundleError::Common)
    }

    /// As [`RegionBundle::new`], from full proofs that all hold the same checkpoint.
    ///
    /// # Errors
    /// [`BundleError`] naming the entry whose proof is malformed or leads elsewhere.
    pub fn from_proofs(
        region: String,
        generated: Time,
        checkpoint: String,
        agencies: Vec<(PublicAgency, Vec<Proof>)>,
        requests: Vec<PublicRequest>,
    ) -> Result<Self, BundleError> {
        let entries = |proofs: &[Proof]| -> Result<Vec<Entry>, BundleError> {
            proofs.iter().map(|proof| Entry::parse_for(proof, &checkpoint)).collect()
        };
        let agencies = agencies
            .into_iter()
            .map(|(agency, proofs)| Ok((agency, entries(&proofs)?)))
            .collect::<Result<_, BundleError>>()?;
        let requests = requests
            .into_iter()
            .map(|request| {
                let entries = entries(&request.proofs)?;
                Ok((request, entries))
            })
            .collect::<Result<_, BundleError>>()?;
        Self::new(region, generated, checkpoint, agencies, requests)
    }

    /// The bytes that are published (RFC 8785).
    ///
    /// # Errors
    /// [`BundleError::Json`]; places and times of an [`canvass_types::Area`] are always finite, so it does not happen.
    pub fn to_bytes(&self) -> Result<Vec<u8>, BundleError> {
        canonical(self).map_err(|error| BundleError::Json(error.to_string()))
    }

    /// Agencies and requests with full proofs (C2SP tlog-proof with the bundle's checkpoint), as they stand in
    /// `/requests/<id>.json`: the inverse of [`RegionBundle::from_proofs`]. This verifies nothing.
    ///
    /// # Errors
    /// [`BundleError`] when the checkpoint is malformed, an entry is missing or the common proof does not fit.
    pub fn expand(&self) -> Result<Expanded, BundleError> {
        let checkpoint = SignedCheckpoint::parse(self.checkpoint.as_bytes())?;
        if self.agencies.is_empty() && self.requests.is_empty() {
            return Ok(Expanded::default());
        }
        let (tree, _) = self.open(checkpoint.checkpoint.size)?;
        let full = |(index, leaf): (u64, String)| {
            let hashes = tree.path(index).ok_or(BundleError::Common)?;
            let proof = canvass_ledger::Proof { extra: None, index, hashes, checkpoint: checkpoint.clone() };
            Ok(Proof { leaf, index, proof: proof.to_string() })
        };
        let mut expanded = Expanded::default();
        for shown in &self.agencies {
            let proofs = shown.leaves()?.into_iter().map(full).collect::<Result<_, BundleError>>()?;
            expanded.agencies.push((shown.agency.clone(), proofs));
        }
        for shown in &self.requests {
            let proofs = shown.leaves()?.into_iter().map(full).collect::<Result<_, BundleError>>()?;
            let BundleRequest { id, state, request, decision, at, closes, entries: _ } = shown.clone();
            expanded.requests.push(PublicRequest { id, state, request, decision, at, closes, proofs });
        }
        Ok(expanded)
    }
}

/// A bundle's content with full proofs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Expanded {
    /// Agencies, each with the proofs of its entries.
    pub agencies: Vec<(PublicAgency, Vec<Proof>)>,
    /// Requests, with their proofs.
    pub requests: Vec<PublicRequest>,
}

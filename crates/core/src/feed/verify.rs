//! How a reader checks a bundle without trusting whoever sent it.

use std::collections::BTreeMap;

use canvass_ledger::{Trust, TrustError};
use canvass_types::leaf::RequestsLeaf;
use canvass_types::{
    AgencyId, AgencyState, Digest, KeyEndorsement, PublicAgency, PublicKey, RequestBody, RequestState, Time,
    canonical,
};

use super::bundle::{BundleAgency, BundleError, BundleLeaf, BundleRequest, FORM, MAX_BUNDLE, RegionBundle};
use super::regions::regions;
use crate::agencies::identity_digest;

/// Why a bundle is not to be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// Too large.
    #[error("bundle has {0} bytes, more than are read: fetch it again")]
    Size(usize),
    /// Not JSON of the expected form.
    #[error("bundle is not of the expected form ({0}): fetch it again, or update this program")]
    Form(String),
    /// Not the canonical bytes, or not in the order that everybody gets.
    #[error("bundle is not in canonical form and order, so others may have got other bytes: report it")]
    NotCanonical,
    /// The checkpoint.
    #[error("bundle: {0}")]
    Checkpoint(#[from] TrustError),
    /// A proof that can't be read.
    #[error("bundle: {0}")]
    Bundle(#[from] BundleError),
    /// The entries shown are not in the ledger.
    #[error(
        "the entries shown do not lead to the checkpoint's root, so one was altered; do not rely on this bundle"
    )]
    Root,
    /// An entry is no entry of ours.
    #[error(
        "ledger entry {index} is not an entry of the requests ledger: {what}; do not rely on this bundle"
    )]
    Leaf {
        /// Its place in the ledger.
        index: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// What is shown of an agency is not what the ledger says.
    #[error("agency {agency}: {what}; do not rely on this bundle")]
    Agency {
        /// Which.
        agency: AgencyId,
        /// What differs.
        what: &'static str,
    },
    /// What is shown of a request is not what the ledger says.
    #[error("request {request}: {what}; do not answer it, and report it")]
    Request {
        /// Which.
        request: String,
        /// What differs.
        what: &'static str,
    },
}

#[derive(Debug)]
struct Key {
    public: PublicKey,
    added: Time,
    revoked: Option<Time>,
}

type Keys = BTreeMap<String, Key>;

/// Checks a bundle in full: its bytes are canonical; its checkpoint is trusted; every entry shown stands in that
/// checkpoint; agencies and their keys are what the entries say; each request's body has the digest of its entry, is signed
/// by a key of its agency that was in force, was approved by the decision shown, and is in the state of its newest entry.
///
/// # Errors
/// [`VerifyError`] naming what does not fit, the first one found.
pub fn verify_bundle(bytes: &[u8], trust: &Trust) -> Result<RegionBundle, VerifyError> {
    if bytes.len() > MAX_BUNDLE {
        return Err(VerifyError::Size(bytes.len()));
    }
    // The message of serde_json could quote the bundle: only its kind and place are kept.
    let bundle: RegionBundle = serde_json::from_slice(bytes).map_err(|error| {
        VerifyError::Form(format!(
            "{:?} error in line {}, column {}",
            error.classify(),
            error.line(),
            error.column()
        ))
    })?;
    if bundle.v != FORM {
        return Err(VerifyError::Form(format!("version {} is not known", bundle.v)));
    }
    if bundle.to_bytes()? != bytes || !ordered(&bundle) {
        return Err(VerifyError::NotCanonical);
    }
    let head = trust.check(bundle.checkpoint.as_bytes())?.signed.checkpoint;
    let empty = bundle.agencies.is_empty() && bundle.requests.is_empty();
    if empty {
        return if bundle.hashes.is_empty() { Ok(bundle) } else { Err(VerifyError::NotCanonical) };
    }
    if bundle.open(head.size)?.1 != head.root {
        return Err(VerifyError::Root);
    }
    let mut newest = Time::from_second(i64::MIN);
    let mut agencies = BTreeMap::new();
    for shown in &bundle.agencies {
        let leaves = leaves(&shown.leaves()?)?;
        newest = newest.max(latest(&leaves));
        agencies.insert(&shown.agency.id, (&shown.agency, agency(shown, &leaves)?));
    }
    for shown in &bundle.requests {
        let leaves = leaves(&shown.leaves()?)?;
        newest = newest.max(latest(&leaves));
        let fault = |what| VerifyError::Request { request: shown.id.to_string(), what };
        let published = request(shown, &leaves, &bundle.region).map_err(fault)?;
        let asker = agencies.get(published.agency).ok_or(fault("its agency is not in the bundle"))?;
        signature(shown, &published, asker).map_err(fault)?;
    }
    if newest != bundle.generated {
        return Err(VerifyError::NotCanonical);
    }
    Ok(bundle)
}

fn ordered(bundle: &RegionBundle) -> bool {
    let first = |entries: &[BundleLeaf]| entries.iter().map(|entry| entry.index).min();
    let short = |shown: &BundleRequest| {
        let mut again = shown.clone();
        again.shorten();
        again == *shown
    };
    bundle.agencies.is_sorted_by(|a, b| a.agency.id < b.agency.id)
        && bundle.requests.is_sorted_by(|a, b| (first(&a.entries), &a.id) < (first(&b.entries), &b.id))
        && bundle.requests.iter().all(short)
}

fn leaves(entries: &[(u64, String)]) -> Result<Vec<RequestsLeaf>, VerifyError> {
    let mut leaves = Vec::with_capacity(entries.len());
    let mut before = None;
    for (index, text) in entries {
        let index = *index;
        if before.is_some_and(|before| before >= index) {
            return Err(VerifyError::Leaf { index, what: "its entries are not in the order of the ledger" });
        }
        before = Some(index);
        let leaf = serde_json::from_str(text);
        leaves.push(leaf.map_err(|_| VerifyError::Leaf { index, what: "its form is not known" })?);
    }
    Ok(leaves)
}

fn latest(leaves: &[RequestsLeaf]) -> Time {
    leaves.iter().map(moment).max().unwrap_or(Time::from_second(i64::MIN))
}

pub(super) fn moment(leaf: &RequestsLeaf) -> Time {
    match leaf {
        RequestsLeaf::PolicySet { at, .. }
        | RequestsLeaf::RulesSet { at, .. }
        | RequestsLeaf::AskedKey { at, .. }
        | RequestsLeaf::AgencyState { at, .. }
        | RequestsLeaf::AgencyKeyAdded { at, .. }
        | RequestsLeaf::AgencyKeyRevoked { at, .. }
        | RequestsLeaf::RequestDecided { at, .. }
        | RequestsLeaf::RequestPublished { at, .. }
        | RequestsLeaf::RequestState { at, .. }
        | RequestsLeaf::PortalState { at, .. } => *at,
    }
}

fn agency(shown: &BundleAgency, leaves: &[RequestsLeaf]) -> Result<Keys, VerifyError> {
    let id = &shown.agency.id;
    let fault = |what| VerifyError::Agency { agency: id.clone(), what };
    let mut keys = Keys::new();
    let mut standing = None;
    for leaf in leaves {
        match leaf {
            RequestsLeaf::AgencyState { agency, class, state, digest, .. } if agency == id => {
                standing = Some((*class, *state, *digest));
            }
            RequestsLeaf::AgencyKeyAdded { agency, key, public, endorsed_by, endorsement, at }
                if agency == id =>
            {
                let endorsed = match (endorsed_by, endorsement) {
                    (None, None) => keys.is_empty(),
                    (Some(by), Some(signature)) => keys.get(by).is_some_and(|by: &Key| {
                        let body = KeyEndorsement { agency: id.clone(), public: *public };
                        by.revoked.is_none() && by.public.verifies(KeyEndorsement::CONTEXT, &body, signature)
                    }),
                    _ => false,
                };
                if !endorsed {
                    return Err(fault("a later key is not endorsed by a key in force"));
                }
                if *key != public.id() || keys.contains_key(key) {
                    return Err(fault("a key's short name is not the key's, or stands twice"));
                }
                keys.insert(key.clone(), Key { public: *public, added: *at, revoked: None });
            }
            RequestsLeaf::AgencyKeyRevoked { agency, key, at } if agency == id => {
                let revoked = keys.get_mut(key).filter(|key| key.revoked.is_none());
                revoked.ok_or(fault("a key is revoked that was not in force"))?.revoked = Some(*at);
            }
            _ => return Err(fault("one of its entries speaks of something else")),
        }
    }
    let (class, state, digest) = standing.ok_or(fault("no entry tells its standing"))?;
    if class != shown.agency.class || state != shown.agency.state {
        return Err(fault("its class or standing is not that of its newest entry"));
    }
    if digest != identity_digest(&shown.agency) {
        return Err(fault("its name, class, subdivision or jurisdiction is not that of its newest entry"));
    }
    let agrees = |key: &canvass_types::AgencyKey| {
        keys.get(&key.id).is_some_and(|known| {
            known.public == key.public && known.added == key.added && known.revoked == key.revoked
        })
    };
    if shown.agency.keys.len() != keys.len() || !shown.agency.keys.iter().all(agrees) {
        return Err(fault("its keys are not those of its entries"));
    }
    Ok(keys)
}

struct Published<'a> {
    agency: &'a AgencyId,
    digest: Digest,
    key: &'a str,
    at: Time,
}

fn request<'a>(
    shown: &BundleRequest,
    leaves: &'a [RequestsLeaf],
    region: &str,
) -> Result<Published<'a>, &'static str> {
    let decision =
        canonical(&shown.decision).map_err(|_| "its decision can't be written as canonical JSON")?;
    let decision = Digest::of(&decision);
    let (mut decided, mut published, mut state) = (None, None, None);
    for leaf in leaves {
        match leaf {
            RequestsLeaf::RequestDecided { request, agency, approved, digest, .. }
                if *request == shown.id =>
            {
                if decided.replace(agency).is_some() {
                    return Err("it was decided twice");
                }
                if !approved
                    || !shown.decision.approved
                    || shown.decision.request != shown.id
                    || *digest != decision
                {
                    return Err("the decision shown is not the approval in the ledger");
                }
            }
            RequestsLeaf::RequestPublished { request, agency, digest, key, at, closes }
                if *request == shown.id =>
            {
                let entry = Published { agency, digest: *digest, key, at: *at };
                if state.replace(RequestState::Published).is_some() || published.replace(entry).is_some() {
                    return Err("it was published twice");
                }
                if shown.at != *at || shown.closes != Some(*closes) {
                    return Err("its times are not those of its entry");
                }
            }
            RequestsLeaf::RequestState { request, agency, state: new, .. } if *request == shown.id => {
                if published.as_ref().is_none_or(|published| published.agency != agency) {
                    return Err("its state changed before it was published, or for another agency");
                }
                state = Some(*new);
            }
            _ => return Err("one of its entries speaks of something else"),
        }
    }
    let published = published.ok_or("no entry says that it was published")?;
    if decided != Some(published.agency) {
        return Err("no entry says that a moderator approved it for this agency");
    }
    if state != Some(shown.state) {
        return Err("its state is not that of its newest entry");
    }
    match (&shown.request, shown.state) {
        (None, RequestState::Withheld) => Ok(published),
        (Some(_), RequestState::Withheld) => Err("its body is shown though it is withheld by law"),
        (None, _) => Err("its body is left out though it is not withheld"),
        (Some(signed), _) if regions(&signed.body.area).iter().any(|touched| touched == region) => {
            Ok(published)
        }
        (Some(_), _) => Err("its area does not touch this region"),
    }
}

fn signature(
    shown: &BundleRequest,
    published: &Published<'_>,
    (agency, keys): &(&PublicAgency, Keys),
) -> Result<(), &'static str> {
    let Some(signed) = &shown.request else { return Ok(()) };
    let body = &signed.body;
    let digest = canonical(body).map_err(|_| "its body can't be written as canonical JSON")?;
    if Digest::of(&digest) != signed.digest || signed.digest != published.digest {
        return Err("its body is not the one in the ledger");
    }
    if body.id != shown.id || body.agency.id != *published.agency || signed.key != published.key {
        return Err("its body names another request, agency or key than its entry");
    }
    if body.agency.class != agency.class || agency.state == AgencyState::Registered {
        return Err("its agency is of another class, or was never verified");
    }
    let key = keys.get(&signed.key).ok_or("no entry brings in the key that signed it")?;
    if key.added > published.at || key.revoked.is_some_and(|revoked| revoked <= published.at) {
        return Err("the key that signed it was not in force when it was published");
    }
    if !key.public.verifies(RequestBody::CONTEXT, body, &signed.signature) {
        return Err("its signature is not by its agency's key");
    }
    Ok(())
}

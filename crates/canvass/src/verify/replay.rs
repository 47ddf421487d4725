//! Reads the requests ledger from its first entry and says what holds now, and what never could have been.

use std::collections::BTreeMap;

use canvass_types::leaf::RequestsLeaf;
use canvass_types::{
    AgencyClass, AgencyId, AgencyState, Digest, KeyEndorsement, PortalId, PublicKey, RequestId, RequestState,
    Time, canonical,
};

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Defect {
    /// What it was found in: a ledger's entry, or a file.
    pub place: String,
    /// What is wrong.
    pub what: String,
}

impl std::fmt::Display for Defect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// A signing key in the ledger.
#[derive(Debug, Clone)]
pub struct Key {
    /// The key.
    pub public: PublicKey,
    /// Since when.
    pub added: Time,
    /// Until when.
    pub revoked: Option<Time>,
}

/// An agency in the ledger.
#[derive(Debug, Clone, Default)]
pub struct Agency {
    /// Its newest standing: class, state, digest of who it is.
    pub standing: Option<(AgencyClass, AgencyState, Digest)>,
    /// Its keys by short name.
    pub keys: BTreeMap<String, Key>,
}

impl Agency {
    /// The key of that name, if it counted at a time.
    pub fn key_at(&self, name: &str, at: Time) -> Option<&Key> {
        self.keys.get(name).filter(|key| key.added <= at && key.revoked.is_none_or(|revoked| revoked >= at))
    }
}

/// A request in the ledger.
#[derive(Debug, Clone)]
pub struct Request {
    /// Whose.
    pub agency: AgencyId,
    /// Digest of the decision, and whether it approves.
    pub decision: (Digest, bool),
    /// When it was published, with which body, key and end.
    pub published: Option<Published>,
    /// Its present state.
    pub state: RequestState,
    /// Its newest entry.
    pub newest: u64,
}

/// The publication of a request.
#[derive(Debug, Clone)]
pub struct Published {
    /// Digest of the body.
    pub digest: Digest,
    /// The key that signed it.
    pub key: String,
    /// When.
    pub at: Time,
    /// Until when offers are taken.
    pub closes: Time,
    /// In which entry.
    pub index: u64,
}

/// A portal in the ledger.
#[derive(Debug, Clone)]
pub struct Portal {
    /// Whose.
    pub agency: AgencyId,
    /// Whether it is open.
    pub open: bool,
    /// Digest of the body.
    pub digest: Digest,
    /// The key that signed it.
    pub key: String,
    /// When it opened.
    pub opened: Time,
}

/// What the requests ledger says.
#[derive(Debug, Default)]
pub struct Replay {
    /// Agencies.
    pub agencies: BTreeMap<AgencyId, Agency>,
    /// Requests.
    pub requests: BTreeMap<RequestId, Request>,
    /// Portals.
    pub portals: BTreeMap<PortalId, Portal>,
    /// The newest policy and its entry.
    pub policy: Option<(Digest, u64)>,
    /// Digest of the rules in force, with the place of their entry.
    pub rules: Option<(Digest, u64)>,
    /// Public keys of the private check for plate owners, by quarter.
    pub asked: BTreeMap<String, String>,
    /// Entries by type.
    pub kinds: BTreeMap<String, u64>,
    /// What was found wrong.
    pub defects: Vec<Defect>,
}

impl Replay {
    fn defect(&mut self, index: u64, what: impl Into<String>) {
        self.defects.push(Defect { place: format!("requests ledger, entry {index}"), what: what.into() });
    }

    /// Takes the next entry in.
    pub fn entry(&mut self, index: u64, bytes: &[u8]) {
        let leaf: RequestsLeaf = match serde_json::from_slice(bytes) {
            Ok(leaf) => leaf,
            Err(_) => return self.defect(index, "it is no entry of a requests ledger"),
        };
        if canonical(&leaf).ok().as_deref() != Some(bytes) {
            self.defect(index, "it is not in canonical form (RFC 8785)");
        }
        let value = serde_json::from_slice::<serde_json::Value>(bytes).unwrap_or_default();
        let kind = value.get("type").and_then(|kind| kind.as_str()).unwrap_or_default().to_owned();
        *self.kinds.entry(kind).or_default() += 1;
        if let Err(what) = self.apply(index, leaf) {
            self.defect(index, what);
        }
    }

    fn apply(&mut self, index: u64, leaf: RequestsLeaf) -> Result<(), String> {
        match leaf {
            RequestsLeaf::PolicySet { digest, .. } => self.policy = Some((digest, index)),
            RequestsLeaf::RulesSet { digest, .. } => self.rules = Some((digest, index)),
            RequestsLeaf::AskedKey { epoch, public, .. } => {
                if self.asked.insert(epoch, public).is_some() {
                    return Err("a second key for one quarter of the private check for plate owners".into());
                }
            }
            RequestsLeaf::AgencyState { agency, class, state, digest, .. } => {
                self.agencies.entry(agency).or_default().standing = Some((class, state, digest));
            }
            RequestsLeaf::AgencyKeyAdded { agency, key, public, endorsed_by, endorsement, at } => {
                let endorsed = endorsed_by.zip(endorsement);
                let known =
                    self.agencies.get_mut(&agency).ok_or("a key of an agency that was never registered")?;
                add_key(known, &agency, key, Key { public, added: at, revoked: None }, endorsed)?;
            }
            RequestsLeaf::AgencyKeyRevoked { agency, key, at } => {
                let known = self.agencies.get_mut(&agency).and_then(|agency| agency.keys.get_mut(&key));
                let known = known.filter(|key| key.revoked.is_none());
                known.ok_or("a key is revoked that did not count")?.revoked = Some(at);
            }
            RequestsLeaf::RequestDecided { request, agency, approved, digest, .. } => {
                let state = if approved { RequestState::InModeration } else { RequestState::Refused };
                let decided =
                    Request { agency, decision: (digest, approved), published: None, state, newest: index };
                if self.requests.insert(request, decided).is_some() {
                    return Err("a request is decided on twice".into());
                }
            }
            RequestsLeaf::RequestPublished { request, agency, digest, key, at, closes } => {
                let published = Published { digest, key, at, closes, index };
                self.publish(&request, &agency, published)?;
            }
            RequestsLeaf::RequestState { request, agency, state, at: _, basis } => {
                self.end(index, &request, &agency, state, basis)?;
            }
            RequestsLeaf::PortalState { portal, agency, state, digest, key, at } => {
                self.portal(portal, agency, &state, digest, key, at)?;
            }
        }
        Ok(())
    }

    fn publish(&mut self, id: &RequestId, agency: &AgencyId, published: Published) -> Result<(), String> {
        let known = self.agencies.get(agency).ok_or("a request of an agency that was never registered")?;
        if !matches!(known.standing, Some((_, AgencyState::Verified, _))) {
            return Err("a request of an agency that was not verified at that time".into());
        }
        if known.key_at(&published.key, published.at).is_none() {
            return Err("it is published under a key that did not count".into());
        }
        if published.closes <= published.at {
            return Err("it closes before it opens".into());
        }
        let request = self.requests.get_mut(id).ok_or("a request is published that nobody decided on")?;
        if request.agency != *agency {
            return Err("a request is published for another agency than it was decided for".into());
        }
        if request.state != RequestState::InModeration {
            return Err("a request is published that was refused, or published before".into());
        }
        (request.state, request.newest) = (RequestState::Published, published.index);
        request.published = Some(published);
        Ok(())
    }

    fn end(
        &mut self,
        index: u64,
        id: &RequestId,
        agency: &AgencyId,
        state: RequestState,
        basis: Option<Digest>,
    ) -> Result<(), String> {
        let request = self.requests.get_mut(id).ok_or("the state of a request that nobody decided on")?;
        if request.agency != *agency {
            return Err("the state of another agency's request".into());
        }
        let follows = match state {
            RequestState::Resolved | RequestState::Expired => request.state == RequestState::Published,
            RequestState::Withheld => matches!(
                request.state,
                RequestState::Published | RequestState::Resolved | RequestState::Expired
            ),
            _ => false,
        };
        if !follows {
            return Err(format!("{} can't follow {}", state.as_str(), request.state.as_str()));
        }
        (request.state, request.newest) = (state, index);
        if state == RequestState::Withheld && basis.is_none() {
            return Err("a request is withheld with no legal basis".into());
        }
        Ok(())
    }

    fn portal(
        &mut self,
        id: PortalId,
        agency: AgencyId,
        state: &str,
        digest: Digest,
        key: String,
        at: Time,
    ) -> Result<(), String> {
        let known = self.agencies.get(&agency).ok_or("a portal of an agency that was never registered")?;
        match (self.portals.get_mut(&id), state) {
            (None, "open") => {
                if known.key_at(&key, at).is_none() {
                    return Err("a portal is opened under a key that did not count".into());
                }
                self.portals.insert(id, Portal { agency, open: true, digest, key, opened: at });
                Ok(())
            }
            (Some(portal), "closed") if portal.open && portal.agency == agency && portal.digest == digest => {
                portal.open = false;
                Ok(())
            }
            _ => Err(format!("a portal can't become {state:?} here")),
        }
    }
}

fn add_key(
    agency: &mut Agency,
    id: &AgencyId,
    name: String,
    key: Key,
    endorsed: Option<(String, canvass_types::SignatureText)>,
) -> Result<(), String> {
    if name != key.public.id() || agency.keys.contains_key(&name) {
        return Err("a key's short name is not the key's, or stands twice".into());
    }
    match endorsed {
        None if agency.keys.is_empty() => {}
        None => return Err("a later key that no key of the agency vouched for".into()),
        Some((by, signature)) => {
            let body = KeyEndorsement { agency: id.clone(), public: key.public };
            let by = agency.key_at(&by, key.added).filter(|by| by.revoked.is_none());
            if !by.is_some_and(|by| by.public.verifies(KeyEndorsement::CONTEXT, &body, &signature)) {
                return Err("a key whose endorsement does not hold".into());
            }
        }
    }
    agency.keys.insert(name, key);
    Ok(())
}

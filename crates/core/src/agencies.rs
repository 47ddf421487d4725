//! Agencies: who they are, which keys sign for them, and how they would get their keys back.

use canvass_types::{
    AgencyClass, AgencyId, AgencyKey, AgencyState, Area, Digest, KeyEndorsement, PublicAgency, PublicKey,
    SignatureText, Time, canonical,
    leaf::{Log, RequestsLeaf},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    App, CoreError,
    access::{
        Action, Actor, AgencyKeyAdd, AgencyKeyRevoke, AgencyRead, AgencyRecoveryRehearse, AgencyRecoverySet,
        AgencyRegister, AgencySuspend, AgencyVerify, Intent, Target,
    },
    error::{accept, check_text, problem},
    ports::{Query, Records, RecordsExt, Versioned},
    records::Agency,
};

/// An agency that is to be registered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAgency {
    /// Its name, 3 to 120 characters.
    pub name: String,
    /// Its class.
    pub class: AgencyClass,
    /// ISO 3166-2 code of its state, for example `US-NH`.
    pub subdivision: String,
    /// Where it may ask.
    pub jurisdiction: Area,
}

/// The operator's word that an agency is who it says, with its first signing key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyAgency {
    /// The first public key, made on the agency's side.
    pub public: PublicKey,
}

/// The next signing key, vouched for by one that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAgencyKey {
    /// The new public key.
    pub public: PublicKey,
    /// Short name of the key that vouches.
    pub endorsed_by: String,
    /// Its signature over `canvass/agency-key/v1` and the canonical JSON of agency and public key.
    pub endorsement: SignatureText,
}

/// The recovery identity's public half.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRecipient {
    /// An age X25519 recipient (`age1…`).
    pub recipient: String,
}

/// An agency, as its members and the operator see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AgencyView {
    /// What everyone may know.
    #[serde(flatten)]
    pub public: PublicAgency,
    /// Recipient of its recovery identity.
    pub recovery: Option<String>,
    /// When the recovery was last rehearsed.
    pub rehearsed: Option<Time>,
    /// When it was registered.
    pub registered: Time,
}

impl From<&Agency> for PublicAgency {
    fn from(agency: &Agency) -> Self {
        Self {
            id: agency.id.clone(),
            name: agency.name.clone(),
            class: agency.class,
            subdivision: agency.subdivision.clone(),
            jurisdiction: agency.jurisdiction.clone(),
            state: agency.state,
            keys: agency.keys.clone(),
        }
    }
}

impl From<&Agency> for AgencyView {
    fn from(agency: &Agency) -> Self {
        Self {
            public: agency.into(),
            recovery: agency.recovery.clone(),
            rehearsed: agency.rehearsed,
            registered: agency.registered,
        }
    }
}

/// The digest by which a ledger entry names who an agency is: SHA-256 of the canonical JSON of its id, name, class,
/// subdivision and jurisdiction.
pub fn identity_digest(agency: &PublicAgency) -> Digest {
    let identity = json!({
        "id": agency.id,
        "name": agency.name,
        "class": agency.class,
        "subdivision": agency.subdivision,
        "jurisdiction": agency.jurisdiction,
    });
    Digest::of(&canonical(&identity).unwrap_or_default())
}

/// Whether a text can be an age X25519 recipient (`age1` and 58 characters of Bech32).
pub fn is_recipient(text: &str) -> bool {
    text.len() == 62
        && text
            .strip_prefix("age1")
            .is_some_and(|rest| rest.bytes().all(|byte| b"qpzry9x8gf2tvdw0s3jn54khce6mua7l".contains(&byte)))
}

fn state_leaf(agency: &Agency, at: Time) -> RequestsLeaf {
    RequestsLeaf::AgencyState {
        agency: agency.id.clone(),
        class: agency.class,
        state: agency.state,
        digest: identity_digest(&agency.into()),
        at,
    }
}

fn key_leaf(agency: &AgencyId, key: &AgencyKey) -> RequestsLeaf {
    RequestsLeaf::AgencyKeyAdded {
        agency: agency.clone(),
        key: key.id.clone(),
        public: key.public,
        endorsed_by: key.endorsed_by.clone(),
        endorsement: key.endorsement,
        at: key.added,
    }
}

/// The entry of an agency's standing, unlike all that it has: a ledger finds an entry by its bytes, and whoever is stopped
/// and readmitted within a second would have one entry twice.
fn next_state_leaf(agency: &Agency, now: Time) -> RequestsLeaf {
    let mut leaf = state_leaf(agency, now);
    for later in 1..=agency.leaves.len() {
        if !agency.leaves.contains(&leaf_text(&leaf)) {
            break;
        }
        leaf = state_leaf(agency, now.plus_seconds(i64::try_from(later).unwrap_or(i64::MAX)));
    }
    leaf
}

/// Canonical JSON of a leaf, as text.
pub(crate) fn leaf_text(leaf: &RequestsLeaf) -> String {
    canonical(leaf).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

impl<R: Records> App<R> {
    /// Registers an agency; it can ask for nothing until it is verified.
    ///
    /// # Errors
    /// When the actor may not, or a field is wrong.
    pub async fn register_agency(&self, actor: &Actor, new: NewAgency) -> Result<AgencyView, CoreError> {
        let mut problems = Vec::new();
        check_text(&mut problems, "name", &new.name, 3..=120);
        let code = new.subdivision.trim().to_ascii_uppercase();
        let sound = code.split_once('-').is_some_and(|(country, rest)| {
            country.len() == 2
                && (1..=3).contains(&rest.len())
                && country.bytes().all(|byte| byte.is_ascii_uppercase())
                && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
        if !sound {
            problems.push(problem(
                "subdivision",
                "iso-3166-2",
                "this is no ISO 3166-2 code",
                "write country and state, for example US-NH",
            ));
        }
        accept(problems)?;
        let now = self.now();
        let mut agency = Agency {
            id: AgencyId::random(self.entropy()),
            name: new.name.trim().to_owned(),
            class: new.class,
            subdivision: code,
            jurisdiction: new.jurisdiction,
            state: AgencyState::Registered,
            keys: Vec::new(),
            recovery: None,
            rehearsed: None,
            registered: now,
            leaves: Vec::new(),
            unpublished: true,
        };
        let leaf = state_leaf(&agency, now);
        agency.leaves.push(leaf_text(&leaf));
        self.allow::<AgencyRegister>(actor, Target::shared(&agency.id), None)
            .await?
            .with(|changes| changes.insert(&agency).leaf(Log::Requests, &leaf))
            .commit(self.records())
            .await?;
        Ok((&agency).into())
    }

    /// All agencies, oldest first, from behind `after` on.
    ///
    /// # Errors
    /// When the actor may not.
    pub async fn agencies(&self, actor: &Actor) -> Result<Vec<AgencyView>, CoreError> {
        let all = self.records().list(Query::<Agency>::new()).await?;
        let may = |agency: &&Versioned<Agency>| {
            self.gate().check::<AgencyRead>(actor, &Target::of(&agency.record.id, &agency.record.id)).is_ok()
        };
        Ok(all.iter().filter(may).map(|agency| (&agency.record).into()).collect())
    }

    /// One agency.
    ///
    /// # Errors
    /// When there is none that the actor may see.
    pub async fn agency_view(&self, actor: &Actor, id: &AgencyId) -> Result<AgencyView, CoreError> {
        self.gate().check::<AgencyRead>(actor, &Target::of(id, id))?;
        Ok((&self.agency(id).await?.record).into())
    }

    /// Takes the operator's word that an agency is who it says, with its first key; or lets a suspended one ask again.
    ///
    /// # Errors
    /// When the actor may not, or the agency is verified already.
    pub async fn verify_agency(
        &self,
        actor: &Actor,
        id: &AgencyId,
        word: VerifyAgency,
    ) -> Result<AgencyView, CoreError> {
        let (before, mut agency, intent) = self.agency_deed::<AgencyVerify>(actor, id).await?;
        if agency.state == AgencyState::Verified {
            return Err(CoreError::state(
                "the agency is verified already",
                "further keys are endorsed by the one it has",
            ));
        }
        let now = self.now();
        agency.state = AgencyState::Verified;
        let mut leaves = vec![next_state_leaf(&agency, now)];
        if !agency.keys.iter().any(|key| key.public == word.public && key.revoked.is_none()) {
            let key = AgencyKey {
                id: word.public.id(),
                public: word.public,
                added: now,
                revoked: None,
                endorsed_by: None,
                endorsement: None,
            };
            if agency.keys.iter().any(|each| each.id == key.id) {
                return Err(CoreError::field(
                    "public",
                    "revoked",
                    "this key was revoked",
                    "make a new one with `canvass agency key`",
                ));
            }
            leaves.push(key_leaf(&agency.id, &key));
            agency.keys.push(key);
        }
        self.finish_agency(before, agency, intent, leaves).await
    }

    /// Stops an agency from asking.
    ///
    /// # Errors
    /// When the actor may not.
    pub async fn suspend_agency(&self, actor: &Actor, id: &AgencyId) -> Result<AgencyView, CoreError> {
        let (before, mut agency, intent) = self.agency_deed::<AgencySuspend>(actor, id).await?;
        agency.state = AgencyState::Suspended;
        let leaves = vec![next_state_leaf(&agency, self.now())];
        self.finish_agency(before, agency, intent, leaves).await
    }

    /// Brings in the next signing key.
    ///
    /// # Errors
    /// When the actor may not, or the endorsement is not by a key that counts.
    pub async fn add_agency_key(
        &self,
        actor: &Actor,
        id: &AgencyId,
        new: NewAgencyKey,
    ) -> Result<AgencyView, CoreError> {
        let (before, mut agency, intent) = self.agency_deed::<AgencyKeyAdd>(actor, id).await?;
        let endorser = agency.keys.iter().find(|key| key.id == new.endorsed_by && key.revoked.is_none());
        let Some(endorser) = endorser else {
            return Err(CoreError::field(
                "endorsed_by",
                "unknown",
                "the agency has no such key that counts",
                "endorse with a key that is not revoked",
            ));
        };
        let statement = KeyEndorsement { agency: agency.id.clone(), public: new.public };
        if !endorser.public.verifies(KeyEndorsement::CONTEXT, &statement, &new.endorsement) {
            return Err(CoreError::field(
                "endorsement",
                "signature",
                "the signature does not hold",
                "sign agency and new key with the key that you name",
            ));
        }
        if agency.keys.iter().any(|key| key.public == new.public) {
            return Err(CoreError::field(
                "public",
                "known",
                "the agency has this key already",
                "make a new one with `canvass agency key`",
            ));
        }
        let key = AgencyKey {
            id: new.public.id(),
            public: new.public,
            added: self.now(),
            revoked: None,
            endorsed_by: Some(new.endorsed_by),
            endorsement: Some(new.endorsement),
        };
        let leaves = vec![key_leaf(&agency.id, &key)];
        agency.keys.push(key);
        self.finish_agency(before, agency, intent, leaves).await
    }

    /// Revokes a signing key. What it signed before stays valid; it signs nothing new.
    ///
    /// # Errors
    /// When the actor may not, there is no such key, or it is the last one that counts.
    pub async fn revoke_agency_key(
        &self,
        actor: &Actor,
        id: &AgencyId,
        key: &str,
    ) -> Result<AgencyView, CoreError> {
        let (before, mut agency, intent) = self.agency_deed::<AgencyKeyRevoke>(actor, id).await?;
        let now = self.now();
        let counting = agency.keys.iter().filter(|each| each.revoked.is_none()).count();
        let by_operator = actor.agency.is_none();
        let found = agency.keys.iter_mut().find(|each| each.id == key && each.revoked.is_none());
        let found = found.ok_or(CoreError::Hidden("key"))?;
        if counting == 1 && !by_operator {
            return Err(CoreError::state(
                "this is the last key that counts",
                "bring in the next one first, or ask the operator",
            ));
        }
        found.revoked = Some(now);
        let leaves =
            vec![RequestsLeaf::AgencyKeyRevoked { agency: agency.id.clone(), key: key.to_owned(), at: now }];
        self.finish_agency(before, agency, intent, leaves).await
    }

    /// Names the recovery identity to which every request key is wrapped besides the members.
    ///
    /// # Errors
    /// When the actor may not, or the text is no recipient.
    pub async fn set_recovery(
        &self,
        actor: &Actor,
        id: &AgencyId,
        new: NewRecipient,
    ) -> Result<AgencyView, CoreError> {
        let (before, mut agency, intent) = self.agency_deed::<AgencyRecoverySet>(actor, id).await?;
        if !is_recipient(&new.recipient) {
            return Err(CoreError::field(
                "recipient",
                "age",
                "this is no age X25519 recipient",
                "make one with `canvass keygen`, or with age-keygen",
            ));
        }
        agency.recovery = Some(new.recipient);
        agency.rehearsed = None;
        self.finish_agency(before, agency, intent, Vec::new()).await
    }

    /// Notes that the recovery identity opened a wrapped key in a rehearsal.
    ///
    /// # Errors
    /// When the actor may not, or no recovery identity is named.
    pub async fn recovery_rehearsed(&self, actor: &Actor, id: &AgencyId) -> Result<AgencyView, CoreError> {
        let (before, mut agency, intent) = self.agency_deed::<AgencyRecoveryRehearse>(actor, id).await?;
        if agency.recovery.is_none() {
            return Err(CoreError::state(
                "no recovery identity is named",
                "name one with `canvass agency recovery`",
            ));
        }
        agency.rehearsed = Some(self.now());
        self.finish_agency(before, agency, intent, Vec::new()).await
    }

    async fn agency_deed<A: Action>(
        &self,
        actor: &Actor,
        id: &AgencyId,
    ) -> Result<(Versioned<Agency>, Agency, Intent<A>), CoreError> {
        let intent = self.allow::<A>(actor, Target::of(id, id), None).await?;
        let before = self.agency(id).await?;
        let agency = before.record.clone();
        Ok((before, agency, intent))
    }

    async fn finish_agency<A>(
        &self,
        before: Versioned<Agency>,
        mut agency: Agency,
        intent: Intent<A>,
        leaves: Vec<RequestsLeaf>,
    ) -> Result<AgencyView, CoreError> {
        agency.leaves.extend(leaves.iter().map(leaf_text));
        agency.unpublished = true;
        intent
            .with(|changes| {
                leaves
                    .iter()
                    .fold(changes.update(&before, &agency), |all, leaf| all.leaf(Log::Requests, leaf))
            })
            .commit(self.records())
            .await?;
        Ok((&agency).into())
    }
}

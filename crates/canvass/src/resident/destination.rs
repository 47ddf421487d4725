//! Whom something would be sealed to: a request or portal, believed only as far as the ledger proves it.

use std::collections::BTreeMap;

use canvass_ledger::Checkpoint;
use canvass_types::leaf::Log;
use canvass_types::{
    AgencyState, Asker, Contact, Digest, GiveLimits, Policy, PortalId, Proof, PublicPortal, PublicRequest,
    RequestId, RequestState, Time, TimeFrame, canonical,
};

use crate::common::{Context, Failure};
use crate::verify::ledger::KeyFlags;
use crate::verify::ledgers::{Ledgers, memory_path};
use crate::verify::records::{self, AgencyFile, MAX_RECORD};
use crate::verify::replay::Replay;
use crate::verify::source::Public;

/// A request or portal whose every claim was checked.
#[derive(Debug, Clone)]
pub struct Destination {
    /// Its id.
    pub id: String,
    /// Who asks.
    pub agency: Asker,
    /// The age recipient.
    pub recipient: String,
    /// Digest of its signed body.
    pub digest: Digest,
    /// The signed body, as it goes into the envelope.
    pub signed: Vec<u8>,
    /// The investigation's code; none for a portal.
    pub code: Option<String>,
    /// What is asked.
    pub details: String,
    /// Whom to ask about it.
    pub contact: Contact,
    /// When footage is asked for; a portal takes any.
    pub time_frame: Option<TimeFrame>,
    /// Until when offers are taken.
    pub closes: Option<Time>,
}

impl Destination {
    /// The zone of the place; a portal has none, so its moments are told in UTC.
    pub fn zone(&self) -> &str {
        self.time_frame.as_ref().map_or("UTC", |frame| &frame.zone)
    }
}

/// Opens the ledgers of the server that the command names.
///
/// # Errors
/// No server, no keys, or other keys than before.
pub async fn ledgers(context: &Context, flags: KeyFlags) -> Result<Ledgers, Failure> {
    let public = Public::of(context)?;
    let memory = memory_path(context, &public)?;
    let ledgers = Ledgers::open(public, &flags.into(), memory).await?;
    if ledgers.first_sight {
        let console = context.console();
        console.note("The keys of this Canvass are seen for the first time and remembered from now on. Compare them by \
                      another way (a poster, the agency's page), or give --keys FILE:");
        ledgers.keys.fingerprints().iter().for_each(|line| console.note(format!("  {line}")));
    }
    Ok(ledgers)
}

/// The limits that the server states, or the default ones.
///
/// # Errors
/// What it states isn't read.
pub async fn limits(ledgers: &Ledgers) -> Result<GiveLimits, Failure> {
    let Some(bytes) = ledgers.public.read("policy.json", MAX_RECORD).await? else {
        return Ok(GiveLimits::default());
    };
    let policy: Policy = serde_json::from_slice(&bytes).map_err(|error| {
        Failure::new(format!("policy.json: it isn't understood ({error}); use a newer canvass"))
    })?;
    Ok(policy.give)
}

/// Fetches a request or portal and checks it: the checkpoint is signed, cosigned and continues what was seen before; its
/// entries are in that ledger; the agency is verified, its key is in the ledger and signed the body; it is open.
///
/// # Errors
/// The first thing that does not hold.
pub async fn destination(ledgers: &mut Ledgers, id: &str, now: Time) -> Result<Destination, Failure> {
    let head = ledgers.head(Log::Requests).await?.signed.checkpoint;
    // What was seen is remembered whatever becomes of the rest: nobody can show less afterwards.
    ledgers.save()?;
    if let Ok(id) = id.parse::<RequestId>() {
        request(ledgers, &head, &id, now).await
    } else if let Ok(id) = id.parse::<PortalId>() {
        portal(ledgers, &head, &id).await
    } else {
        Err(Failure::usage(
            "id: it must be the id of a request (req_…) or portal (por_…); copy it again whole",
        ))
    }
}

async fn read<T: serde::de::DeserializeOwned>(ledgers: &Ledgers, path: &str) -> Result<T, Failure> {
    let bytes = ledgers.public.must_read(path, MAX_RECORD).await?;
    serde_json::from_slice(&bytes).map_err(|error| {
        Failure::new(format!(
            "{path}: it isn't understood (line {}); is this a Canvass, and of the same version?",
            error.line()
        ))
    })
}

// The ledger's entries about one agency and one destination, each proven.
async fn replay(
    ledgers: &Ledgers,
    head: &Checkpoint,
    agency: &Asker,
    proofs: &[Proof],
) -> Result<Replay, Failure> {
    let path = format!("agencies/{}.json", agency.id);
    let shown: AgencyFile = read(ledgers, &path).await?;
    let mut entries = BTreeMap::new();
    for proof in shown.proofs.iter().chain(proofs) {
        ledgers.check_proof(Log::Requests, head, proof).await?;
        entries.insert(proof.index, proof.leaf.as_str());
    }
    let mut replay = Replay::default();
    entries.iter().for_each(|(index, leaf)| replay.entry(*index, leaf.as_bytes()));
    if let Some(defect) = replay.defects.first() {
        return Err(refused(defect));
    }
    if let Some(what) = records::agency(&agency.id, &shown.agency, &replay).first() {
        return Err(refused(format!("{path}: {what}")));
    }
    if shown.agency.state != AgencyState::Verified {
        return Err(refused("the agency is not verified, or was suspended"));
    }
    if shown.agency.name != agency.name || shown.agency.class != agency.class {
        return Err(refused("the agency is named otherwise than in the ledger"));
    }
    Ok(replay)
}

fn refused(what: impl std::fmt::Display) -> Failure {
    Failure::new(format!("{what}. Nothing is sealed for it; report it to the operator"))
}

async fn request(
    ledgers: &Ledgers,
    head: &Checkpoint,
    id: &RequestId,
    now: Time,
) -> Result<Destination, Failure> {
    let path = format!("requests/{id}.json");
    let shown: PublicRequest = read(ledgers, &path).await?;
    let Some(signed) = &shown.request else {
        return Err(Failure::new(format!("the request is {}; it takes no offers", shown.state.as_str())));
    };
    let replay = replay(ledgers, head, &signed.body.agency, &shown.proofs).await?;
    if let Some(what) = records::request(id, &shown, &replay).first() {
        return Err(refused(format!("{path}: {what}")));
    }
    let closed = shown.closes.is_none_or(|closes| closes <= now);
    if shown.state != RequestState::Published || closed {
        let state = if closed { "closed" } else { shown.state.as_str() };
        return Err(Failure::new(format!(
            "the request is {state} and takes no more offers; its contact can say whether footage is still wanted"
        )));
    }
    let body = &signed.body;
    Ok(Destination {
        id: id.to_string(),
        agency: body.agency.clone(),
        recipient: body.recipient.clone(),
        digest: signed.digest,
        signed: canonical(signed)?,
        code: Some(body.code.clone()),
        details: body.details.clone(),
        contact: body.contact.clone(),
        time_frame: Some(body.time_frame.clone()),
        closes: shown.closes,
    })
}

async fn portal(ledgers: &Ledgers, head: &Checkpoint, id: &PortalId) -> Result<Destination, Failure> {
    let path = format!("portals/{id}.json");
    let shown: PublicPortal = read(ledgers, &path).await?;
    let body = &shown.portal.body;
    let replay = replay(ledgers, head, &body.agency, &shown.proofs).await?;
    if let Some(what) = records::portal(id, &shown, &replay).first() {
        return Err(refused(format!("{path}: {what}")));
    }
    if shown.state != "open" {
        return Err(Failure::new("the portal is closed; ask the agency for a new one"));
    }
    Ok(Destination {
        id: id.to_string(),
        agency: body.agency.clone(),
        recipient: body.recipient.clone(),
        digest: shown.portal.digest,
        signed: canonical(&shown.portal)?,
        code: None,
        details: body.details.clone(),
        contact: body.contact.clone(),
        time_frame: None,
        closes: None,
    })
}

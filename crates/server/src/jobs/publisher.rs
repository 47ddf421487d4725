//! Writes what the public may read: agencies, requests, portals, the status of offers with their receipts, and the feed
//! of each region that something changed in.
//!
//! A record is marked as published only after all its files are written, and only in the version that they show. So a
//! crash, or a change meanwhile, leads to writing them again, never to a file that stays behind.

use std::collections::{BTreeMap, BTreeSet};

use canvass_core::{
    feed::{self, RegionBundle, RegionEntry},
    ports::{Query, RecordsExt as _, Versioned},
    publishing::OfferStatus,
    records::{Agency, Offer, Portal, Request},
    retention::status_over,
};
use canvass_seal::receipt::{Receipt, VERSION};
use canvass_types::{
    AgencyId, Digest, Proof, PublicAgency, PublicPortal, PublicRequest, RequestState, Time, leaf::Log,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{JobError, Round, asked, summary};
use crate::{
    desk::Desk,
    files::{self, Copies},
    reading,
};

/// Records of one kind in one round.
const BATCH: u32 = 100;
/// Most published requests that the feed holds.
const MOST_REQUESTS: usize = 50_000;

/// One batch of each kind.
///
/// # Errors
/// The store's, the ledger's or the disk's; the next round does it again.
pub async fn round(desk: &Desk) -> Result<Round, JobError> {
    files::write_json(desk.public("policy.json"), desk.app.policy()).await?;
    files::write_json(desk.public("rules.json"), &desk.app.rules().await?).await?;
    let mut touched = BTreeSet::new();
    let agencies = agencies(desk, &mut touched).await?;
    let requests = requests(desk, &mut touched).await?;
    portals(desk).await?;
    // A resident's receipt waits for nobody else's matter.
    let offers = offers(desk).await?;
    let counted = summary::round(desk).await?;
    let searched = asked::round(desk).await?;
    let all = ["feed/index.json", "feed/index.html"].iter().any(|name| !desk.public(name).exists());
    if all || !touched.is_empty() {
        match rebuild(desk, &touched, all, newest(&requests)).await {
            // The ledger wakes this job when it has grown; what was touched is still unpublished then.
            Err(JobError::NotYet) => return Ok(Round::Rest),
            built => built?,
        }
    }
    for shown in &agencies {
        desk.app.published(shown).await?;
    }
    for shown in &requests {
        desk.app.published(shown).await?;
    }
    let full = BATCH as usize;
    let again = agencies.len() == full || requests.len() == full || offers == full;
    Ok(if again || counted == Round::Again || searched == Round::Again { Round::Again } else { Round::Rest })
}

async fn agencies(desk: &Desk, touched: &mut BTreeSet<String>) -> Result<Vec<Versioned<Agency>>, JobError> {
    let mut shown = Vec::new();
    for agency in desk.app.unpublished::<Agency>(None, BATCH).await? {
        let records = desk.app.records();
        let proven = desk.ledgers.of(Log::Requests).prove(records, &agency.record.leaves).await?;
        let Some((_, proofs)) = proven else { continue };
        let public = PublicAgency::from(&agency.record);
        let path = desk.public(&format!("agencies/{}.json", public.id));
        files::write_json(path, &json!({ "agency": public, "proofs": proofs })).await?;
        let asking = Query::<Request>::new().with("agency", &public.id).with("state", "published");
        for request in records.list(asking).await? {
            touched.extend(regions_of(&request.record));
        }
        shown.push(agency);
    }
    if !shown.is_empty() || !desk.public("agencies/index.json").exists() {
        let mut all: Vec<PublicAgency> = Vec::new();
        let mut after = None;
        loop {
            let part = desk.app.records().list(Query::<Agency>::new().after(after)).await?;
            let Some(last) = part.last() else { break };
            after = Some(last.sequence);
            all.extend(part.iter().map(|each| PublicAgency::from(&each.record)));
        }
        all.sort_by(|a, b| a.id.cmp(&b.id));
        files::write_json(desk.public("agencies/index.json"), &json!({ "v": 1, "agencies": all })).await?;
    }
    Ok(shown)
}

fn regions_of(request: &Request) -> Vec<String> {
    request.signed.as_ref().map(|signed| feed::regions(&signed.body.area)).unwrap_or_default()
}

/// A request as the public may read it, without its proofs; none before it was decided on.
fn public_request(request: &Request) -> Option<PublicRequest> {
    let hidden = matches!(request.state, RequestState::Withheld | RequestState::Refused);
    Some(PublicRequest {
        id: request.id.clone(),
        state: request.state,
        request: request.signed.clone().filter(|_| !hidden),
        decision: request.decision.clone()?,
        at: request.decided?,
        closes: request.closes,
        proofs: Vec::new(),
    })
}

async fn requests(desk: &Desk, touched: &mut BTreeSet<String>) -> Result<Vec<Versioned<Request>>, JobError> {
    let mut shown = Vec::new();
    for request in desk.app.unpublished::<Request>(None, BATCH).await? {
        let Some(mut public) = public_request(&request.record) else { continue };
        let leaves = &request.record.leaves;
        let proven = desk.ledgers.of(Log::Requests).prove(desk.app.records(), leaves).await?;
        let Some((_, proofs)) = proven else { continue };
        public.proofs = proofs;
        files::write_json(desk.public(&format!("requests/{}.json", public.id)), &public).await?;
        if public.state != RequestState::Refused {
            touched.extend(regions_of(&request.record));
        }
        shown.push(request);
    }
    Ok(shown)
}

async fn portals(desk: &Desk) -> Result<(), JobError> {
    for portal in desk.app.unpublished::<Portal>(None, BATCH).await? {
        let leaves = &portal.record.leaves;
        let proven = desk.ledgers.of(Log::Requests).prove(desk.app.records(), leaves).await?;
        let Some((_, proofs)) = proven else { continue };
        let public = PublicPortal {
            id: portal.record.id.clone(),
            state: if portal.record.open { "open" } else { "closed" }.to_owned(),
            portal: portal.record.signed.clone(),
            proofs,
        };
        files::write_json(desk.public(&format!("portals/{}.json", public.id)), &public).await?;
        desk.app.published(&portal).await?;
    }
    Ok(())
}

async fn offers(desk: &Desk) -> Result<usize, JobError> {
    let mut written = 0;
    for offer in desk.app.unpublished::<Offer>(None, BATCH).await? {
        let path = desk.public(&format!("offers/{}.json", offer.record.lookup));
        if status_over(&offer.record) {
            files::remove(path).await?;
        } else {
            let leaf = std::slice::from_ref(&offer.record.receipt_leaf);
            let proven = desk.ledgers.of(Log::Oversight).prove(desk.app.records(), leaf).await?;
            let proof = proven.and_then(|(_, mut proofs)| proofs.pop());
            let Some(proof) = proof else { continue };
            let receipt = match receipt(desk, &offer.record, proof).await {
                Ok(receipt) => receipt,
                Err(JobError::Content(reason)) => {
                    tracing::error!(reason, "a receipt can't be made; run `canvass check`");
                    continue;
                }
                Err(error) => return Err(error),
            };
            files::write_json(path, &OfferStatus::of(&offer.record, desk.app.now(), Some(receipt))).await?;
        }
        desk.app.published(&offer).await?;
        written += 1;
    }
    Ok(written)
}

async fn receipt(desk: &Desk, offer: &Offer, proof: Proof) -> Result<Value, JobError> {
    let records = desk.app.records();
    let request = records.get::<Request>(&offer.destination).await?;
    let portal = records.get::<Portal>(&offer.destination).await?;
    let digest = match (&request, &portal) {
        (Some(request), _) => request.record.signed.as_ref().map(|signed| signed.digest),
        (None, Some(portal)) => Some(portal.record.signed.digest),
        (None, None) => None,
    };
    let digest =
        digest.ok_or_else(|| JobError::Content("an offer's destination has no signed body".into()))?;
    let receipt = Receipt {
        version: VERSION,
        offer: offer.id.to_string(),
        lookup: offer.lookup.clone(),
        destination_id: offer.destination.clone(),
        destination_digest: digest.to_string(),
        ciphertext_sha256: offer.envelope.sha256.to_string(),
        ciphertext_len: offer.envelope.bytes,
        received_at: offer.received.to_string(),
        salt: offer.receipt_salt.clone(),
        record: offer.receipt_record.clone(),
        leaf: data_encoding::BASE64.encode(offer.receipt_leaf.as_bytes()),
        proof: proof.proof,
        key: desk.keys.receipts_public().name,
    };
    let signed = receipt.sign(&desk.keys.receipts).map_err(|error| JobError::Content(error.to_string()))?;
    serde_json::to_value(signed).map_err(|error| JobError::Content(error.to_string()))
}

/// When a ledger entry was made.
fn moment(leaf: &str) -> Option<Time> {
    #[derive(Deserialize)]
    struct At {
        at: Time,
    }
    serde_json::from_str::<At>(leaf).ok().map(|leaf| leaf.at)
}

fn newest(requests: &[Versioned<Request>]) -> Option<Time> {
    requests.iter().flat_map(|request| &request.record.leaves).filter_map(|leaf| moment(leaf)).max()
}

#[derive(Deserialize)]
struct Index {
    regions: Vec<RegionEntry>,
}

/// Builds the touched regions anew (or all), and the list of regions last.
async fn rebuild(
    desk: &Desk,
    touched: &BTreeSet<String>,
    all: bool,
    changed: Option<Time>,
) -> Result<(), JobError> {
    let mut by_region: BTreeMap<String, Vec<Request>> = BTreeMap::new();
    // Who asks in each region, for the list that is read without script.
    let mut askers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let (mut after, mut count) = (None, 0);
    loop {
        let query = Query::<Request>::new().with("state", "published").after(after);
        let part = desk.app.records().list(query).await?;
        let Some(last) = part.last() else { break };
        after = Some(last.sequence);
        count += part.len();
        if count > MOST_REQUESTS {
            return Err(JobError::Content(format!(
                "more than {MOST_REQUESTS} requests are published at once"
            )));
        }
        for request in part {
            for region in regions_of(&request.record) {
                let name = request.record.signed.iter().map(|signed| signed.body.agency.name.clone());
                askers.entry(region.clone()).or_default().extend(name);
                if all || touched.contains(&region) {
                    by_region.entry(region).or_default().push(request.record.clone());
                }
            }
        }
    }
    for region in touched {
        by_region.entry(region.clone()).or_default();
    }
    let path = desk.public("feed/index.json");
    let known =
        tokio::fs::read(&path).await.ok().and_then(|bytes| serde_json::from_slice::<Index>(&bytes).ok());
    let known = known.map(|index| index.regions).unwrap_or_default();
    let mut entries: BTreeMap<String, RegionEntry> =
        known.into_iter().filter(|_| !all).map(|entry| (entry.region.clone(), entry)).collect();
    for (region, requests) in by_region {
        match build(desk, &region, &requests, changed).await? {
            Some(entry) if entry.requests > 0 => entries.insert(region, entry),
            _ => entries.remove(&region),
        };
    }
    let entries: Vec<RegionEntry> = entries.into_values().collect();
    files::write(desk.public("feed/index.html"), reading::index(&entries, &askers), Copies::Plain).await?;
    files::write(path, feed::index(&entries).map_err(content)?, Copies::Packed).await?;
    Ok(())
}

fn content(error: impl std::fmt::Display) -> JobError {
    JobError::Content(error.to_string())
}

async fn build(
    desk: &Desk,
    region: &str,
    requests: &[Request],
    changed: Option<Time>,
) -> Result<Option<RegionEntry>, JobError> {
    let records = desk.app.records();
    let mut agencies: BTreeMap<AgencyId, Agency> = BTreeMap::new();
    for request in requests {
        if !agencies.contains_key(&request.agency)
            && let Some(agency) = records.get::<Agency>(request.agency.as_str()).await?
        {
            agencies.insert(request.agency.clone(), agency.record);
        }
    }
    // One head for all proofs of a bundle, so they are made in one go.
    let leaves: Vec<String> = agencies
        .values()
        .flat_map(|agency| &agency.leaves)
        .chain(requests.iter().flat_map(|request| &request.leaves))
        .cloned()
        .collect();
    let Some((checkpoint, proofs)) = desk.ledgers.of(Log::Requests).prove(records, &leaves).await? else {
        return Err(JobError::NotYet);
    };
    let by_leaf: BTreeMap<&str, &Proof> = proofs.iter().map(|proof| (proof.leaf.as_str(), proof)).collect();
    let proven = |leaves: &[String]| -> Vec<Proof> {
        leaves.iter().filter_map(|leaf| by_leaf.get(leaf.as_str()).copied().cloned()).collect()
    };
    let newest = leaves.iter().filter_map(|leaf| moment(leaf)).max().or(changed);
    let generated = newest.unwrap_or_else(|| Time::from_second(0));
    let shown: Vec<PublicRequest> = requests
        .iter()
        .filter_map(|request| {
            Some(PublicRequest { proofs: proven(&request.leaves), ..public_request(request)? })
        })
        .collect();
    let askers =
        agencies.values().map(|agency| (PublicAgency::from(agency), proven(&agency.leaves))).collect();
    let url = &desk.identity.public_url;
    let geojson = feed::geojson(&shown, url).map_err(content)?;
    let atom = feed::atom(&shown, url, region, generated);
    let read = reading::region(region, &shown);
    let requests = u32::try_from(shown.len()).unwrap_or(u32::MAX);
    let bundle = RegionBundle::from_proofs(region.to_owned(), generated, checkpoint, askers, shown)
        .map_err(content)?;
    let bytes = bundle.to_bytes().map_err(content)?;
    let entry = RegionEntry {
        region: region.to_owned(),
        requests,
        generated,
        bytes: bytes.len() as u64,
        digest: Digest::of(&bytes),
    };
    files::write(desk.public(&format!("feed/{region}.geojson")), geojson, Copies::Packed).await?;
    files::write(desk.public(&format!("feed/{region}.atom")), atom, Copies::Packed).await?;
    files::write(desk.public(&format!("feed/{region}.html")), read, Copies::Plain).await?;
    files::write(desk.public(&format!("feed/{region}.json")), bytes, Copies::Packed).await?;
    Ok(Some(entry))
}

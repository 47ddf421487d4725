//! What a decision with its ledger entry costs, and a ledger large enough to measure its verification.
//!
//! `authority-bench asks FOLDER SECONDS` reads evidence 200 times a second through the domain: the policies decide, record
//! and ledger entry are committed, the grant is had. Beside it, at the same pace on a store of its own, the same records are
//! stored without a decision and without an entry. Both print the 50th and 99th percentile of one such act.
//!
//! `authority-bench ledger FOLDER ENTRIES` writes an oversight ledger of so many entries, with keys, as a server publishes it.
#![expect(clippy::print_stdout, reason = "a program for the terminal")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::{
    error::Error,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use canvass_core::{
    App,
    access::{Actor, By, Gate, Party},
    ports::{Changeset, Records},
    records::{Annotations, AuditRecord, Item, Setting},
};
use canvass_ledger::{Log as Ledger, LogConfig, MemStore, SignerKey, note::KeyKind};
use canvass_store_objects::Tiles;
use canvass_store_sqlite::{Options, SqliteRecords};
use canvass_types::{
    AgencyClass, AgencyId, Clock, Digest, Entropy, ItemId, MemberId, Policy, Purpose, Role, TokenId,
    leaf::{Log, OversightLeaf, Pseudonym, Veiled},
};
use serde_json::json;
use tokio::task::JoinSet;

type Failed = Box<dyn Error + Send + Sync>;

/// Acts a second.
const RATE: u32 = 200;
const ITEMS: u64 = 500;

struct Machine;

impl Clock for Machine {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
}

impl Entropy for Machine {
    fn fill(&self, buffer: &mut [u8]) {
        // A machine without chance measures nothing: the zeros would collide at the second act.
        let _ = getrandom::fill(buffer);
    }
}

fn actor(agency: &AgencyId) -> Actor {
    Actor {
        member: MemberId::random(&Machine),
        agency: Some(agency.clone()),
        party: Some(Party::new(agency.as_str(), AgencyClass::Municipal, "US-NH", "")),
        roles: vec![Role::Investigator],
        by: By::Token { id: TokenId::random(&Machine), scope: None },
    }
}

/// Items of one case, and their ids.
async fn furnish(records: &SqliteRecords, agency: &AgencyId) -> Result<Vec<ItemId>, Failed> {
    let case = canvass_types::CaseId::random(&Machine);
    let opened = "2026-11-01T00:00:00Z";
    let member = MemberId::random(&Machine);
    let case_record: canvass_core::records::Case = serde_json::from_value(json!({
        "id": case, "agency": agency, "title": "26-cr-77", "code": "26-cr-77", "destinations": [], "open": true,
        "by": member, "opened": opened, "closed": null, "annotations": Annotations::default(),
    }))?;
    records.commit(Changeset::unguarded().insert(&case_record)).await?;
    let mut ids = Vec::new();
    for n in 0..ITEMS {
        let id = ItemId::random(&Machine);
        let digest = Digest::of(&n.to_be_bytes());
        let sealed = json!({ "blob": format!("blobs/{n}"), "sha256": digest, "bytes": 1_000 });
        let item: Item = serde_json::from_value(json!({
            "id": id, "agency": agency, "case": case, "offer": canvass_types::OfferId::random(&Machine),
            "clip": 1, "destination": "req_aaaaaaaaaaaaaaaaaaaaaaaaaa", "name": "clip.mp4", "sha256": digest,
            "bytes": 500, "sealed": sealed, "added": opened, "due": null, "destroyed": null,
            "custody": { "length": 0, "hash": digest }, "annotations": Annotations::default(), "copy_of": null, "alteration": null,
        }))?;
        records.commit(Changeset::unguarded().insert(&item)).await?;
        ids.push(id);
    }
    Ok(ids)
}

fn percentile(times: &mut [Duration], of: f64) -> f64 {
    times.sort_unstable();
    let place = ((times.len() as f64 - 1.0) * of).round() as usize;
    times.get(place).map_or(0.0, |time| time.as_secs_f64() * 1_000.0)
}

/// Runs acts at the pace, whether or not earlier ones are done; gives the time that each took.
async fn paced<F, R>(seconds: u32, act: F) -> Result<Vec<Duration>, Failed>
where
    F: Fn(u32) -> R,
    R: Future<Output = Result<(), Failed>> + Send + 'static,
{
    let mut tick = tokio::time::interval(Duration::from_secs(1) / RATE);
    let mut all = JoinSet::new();
    for n in 0..RATE.saturating_mul(seconds) {
        tick.tick().await;
        let one = act(n);
        all.spawn(async move {
            let begin = Instant::now();
            one.await.map(|()| begin.elapsed())
        });
    }
    let mut times = Vec::new();
    while let Some(done) = all.join_next().await {
        times.push(done??);
    }
    Ok(times)
}

async fn asks(folder: &Path, seconds: u32) -> Result<(), Failed> {
    std::fs::create_dir_all(folder)?;
    let agency = AgencyId::random(&Machine);
    let who = Arc::new(actor(&agency));
    let purpose =
        Arc::new(Purpose::new("case-work", "compare the porch clips of Elm Street with the report"));
    let records = SqliteRecords::open(folder.join("ours.sqlite"), Options::default()).await?;
    let items = Arc::new(furnish(&records, &agency).await?);
    let gate = Gate::shipped()?;
    let app = Arc::new(App::new(records, gate, Policy::default(), Arc::new(Machine), Arc::new(Machine)));
    let one = |n: u32| {
        let (app, who, purpose, items) = (app.clone(), who.clone(), purpose.clone(), items.clone());
        async move {
            let item = items.get(n as usize % items.len()).ok_or("no items")?;
            app.read_item(&who, item, &purpose).await?;
            Ok(())
        }
    };
    paced(2, one).await?;
    let mut ours = paced(seconds, one).await?;
    let written: Vec<AuditRecord> = {
        use canvass_core::ports::{Query, RecordsExt as _};
        app.records()
            .list(Query::<AuditRecord>::new().newest_first().limit(1))
            .await?
            .into_iter()
            .map(|it| it.record)
            .collect()
    };
    let body = serde_json::to_value(written.first().ok_or("no record")?)?;
    let bare = SqliteRecords::open(folder.join("peer.sqlite"), Options::default()).await?;
    furnish(&bare, &agency).await?;
    let plain = |n: u32| {
        let (bare, body) = (bare.clone(), body.clone());
        async move {
            // As many rows of the same size: record and custody event.
            let row = |kind: &str| Setting { name: format!("{kind}-{n}"), value: body.clone() };
            bare.commit(Changeset::unguarded().insert(&row("record")).insert(&row("event"))).await?;
            Ok(())
        }
    };
    let mut peer = paced(seconds, plain).await?;
    let (p50, p99) = (percentile(&mut ours, 0.5), percentile(&mut ours, 0.99));
    let (q50, q99) = (percentile(&mut peer, 0.5), percentile(&mut peer, 0.99));
    println!(
        "asks: {RATE}/s, decision with record and entry: p50 {p50:.2} ms, p99 {p99:.2} ms; the same rows without decision and \
         entry: p50 {q50:.2} ms, p99 {q99:.2} ms; added: p50 {:.2} ms, p99 {:.2} ms; ratio of p99: {:.2}",
        p50 - q50,
        p99 - q99,
        p99 / q99
    );
    Ok(())
}

fn leaf(n: u64) -> OversightLeaf {
    OversightLeaf {
        kind: "item.read".into(),
        agency: Some(AgencyId::random(&Numbered(n % 50))),
        subject: ItemId::random(&Numbered(n)).to_string(),
        actor: Some(Pseudonym::of(&[7; 32], Veiled::Member, &(n % 500).to_string())),
        by: None,
        purpose: Some("case-work".into()),
        refused: None,
        hour: "2026-11-24T06Z".into(),
        commitment: Digest::of(&n.to_be_bytes()),
    }
}

/// Chance that is none: the same ids in every run.
struct Numbered(u64);

impl Entropy for Numbered {
    fn fill(&self, buffer: &mut [u8]) {
        let digest = Digest::of(&self.0.to_be_bytes());
        buffer.iter_mut().zip(digest.0).for_each(|(to, from)| *to = from);
    }
}

async fn ledger(folder: &Path, entries: u64) -> Result<(), Failed> {
    const ORIGIN: &str = "bench.example/oversight";
    std::fs::create_dir_all(folder)?;
    let signer = SignerKey::from_seed(ORIGIN, KeyKind::Log, &[7; 32])?;
    let requests = SignerKey::from_seed("bench.example/requests", KeyKind::Log, &[8; 32])?;
    let receipts = SignerKey::from_seed("bench.example/receipts", KeyKind::Log, &[9; 32])?;
    let keys = json!({
        "v": 1, "name": "bench", "public_url": "",
        "logs": {
            "requests": { "origin": "bench.example/requests", "vkey": requests.verifier().to_string() },
            "oversight": { "origin": ORIGIN, "vkey": signer.verifier().to_string() },
        },
        "receipts": { "vkey": receipts.verifier().to_string() }, "witnesses": [], "quorum": 0,
    });
    std::fs::write(folder.join("keys.json"), keys.to_string())?;
    let config = LogConfig { origin: ORIGIN.into(), signer, cosigners: Vec::new() };
    let tiles = Arc::new(Tiles::local(folder.join("public"), Log::Oversight)?);
    let mut log = Ledger::open_or_create(config, Arc::clone(&tiles), Arc::new(MemStore::new()), 1).await?;
    let mut at = 0;
    while at < entries {
        let end = entries.min(at + 4_096);
        let part: Result<Vec<Vec<u8>>, _> = (at..end).map(|n| canvass_types::canonical(&leaf(n))).collect();
        log.append(&part?, 1).await?;
        at = end;
    }
    tiles.publish_checkpoint(log.checkpoint().to_string()).await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["asks", folder, seconds] => asks(Path::new(folder), seconds.parse()?).await,
        ["ledger", folder, entries] => ledger(Path::new(folder), entries.parse()?).await,
        _ => Err("asks FOLDER SECONDS | ledger FOLDER ENTRIES".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records gain fields; a measurement that no longer runs is found here.
    #[tokio::test]
    async fn both_measurements_run() {
        let folder = tempfile::tempdir().unwrap();
        asks(&folder.path().join("asks"), 1).await.unwrap();
        ledger(&folder.path().join("ledger"), 10).await.unwrap();
    }
}

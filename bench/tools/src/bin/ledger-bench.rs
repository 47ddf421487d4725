//! Durable appends with proofs: changes with one leaf each go through the store of records (group commit, one fsync a
//! group), a sequencer builds tiles and signs checkpoints, and every entry's inclusion proof is made and verified.
//! The peer writes the same leaves to a file, one `fsync` for each group of 64, and proves nothing.
//!
//! `ledger-bench FOLDER APPENDS`
#![expect(clippy::print_stdout, reason = "a program for the terminal")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::{error::Error, fs::File, io::Write, path::Path, sync::Arc, time::Instant};

use canvass_core::{
    ports::{Changeset, Records},
    records::Setting,
};
use canvass_ledger::{Log as Ledger, LogConfig, SignerKey, Trust, note::KeyKind};
use canvass_store_objects::Tiles;
use canvass_store_sqlite::{Options, SqliteHeads, SqliteRecords};
use canvass_types::{
    Digest,
    leaf::{Log, OversightLeaf, Pseudonym, Veiled},
};
use tokio::task::JoinSet;

const COMMITTERS: u64 = 64;
const BATCH: u32 = 1_024;
const ORIGIN: &str = "bench.example/oversight";

fn leaf(n: u64) -> OversightLeaf {
    OversightLeaf {
        kind: "offer.open".into(),
        agency: None,
        subject: format!("off_{n:026}"),
        actor: Some(Pseudonym::of(&[7; 32], Veiled::Member, &(n % 500).to_string())),
        by: None,
        purpose: Some("case-work".into()),
        refused: None,
        hour: "2026-11-24T06Z".into(),
        commitment: Digest::of(&n.to_be_bytes()),
    }
}

async fn commit_all(records: &SqliteRecords, appends: u64) -> Result<(), Box<dyn Error>> {
    let mut tasks = JoinSet::new();
    for committer in 0..COMMITTERS {
        let records = records.clone();
        tasks.spawn(async move {
            let mut n = committer;
            while n < appends {
                let setting = Setting { name: format!("bench-{n}"), value: n.into() };
                let changes = Changeset::unguarded().insert(&setting).leaf(Log::Oversight, &leaf(n));
                records.commit(changes).await?;
                n += COMMITTERS;
            }
            Ok::<_, canvass_core::ports::StoreError>(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}

async fn ours(folder: &Path, appends: u64) -> Result<f64, Box<dyn Error>> {
    let records = SqliteRecords::open(&folder.join("records.sqlite"), Options::default()).await?;
    let signer = SignerKey::from_seed(ORIGIN, KeyKind::Log, &[7; 32])?;
    let trust = Trust::new(ORIGIN, signer.verifier().clone(), Vec::new(), 0)?;
    let config = LogConfig { origin: ORIGIN.into(), signer, cosigners: Vec::new() };
    let tiles = Arc::new(Tiles::local(folder.join("public"), Log::Oversight)?);
    let heads = Arc::new(SqliteHeads { records: records.clone(), log: Log::Oversight });
    let mut ledger = Ledger::open_or_create(config, tiles, heads, 0).await?;
    let start = Instant::now();
    let (filler, to_fill) = (records.clone(), appends);
    let filling =
        tokio::spawn(async move { commit_all(&filler, to_fill).await.map_err(|error| error.to_string()) });
    let (mut done, mut at) = (0_u64, 0_u64);
    while done < appends {
        let entries = records.ledger_entries(Log::Oversight, done, BATCH).await?;
        if entries.is_empty() {
            tokio::task::yield_now().await;
            continue;
        }
        at += 1;
        let bytes: Vec<&[u8]> = entries.iter().map(|entry| entry.entry.as_slice()).collect();
        ledger.append(&bytes, at).await?;
        for entry in &entries {
            let proof = ledger.proof(entry.index, None).await?;
            proof.verify(&canvass_ledger::leaf_hash(&entry.entry), &trust)?;
        }
        done += entries.len() as u64;
    }
    filling.await??;
    let rate = appends as f64 / start.elapsed().as_secs_f64();
    records.close().await;
    Ok(rate)
}

fn peer(folder: &Path, appends: u64) -> Result<f64, Box<dyn Error>> {
    let mut file = File::create(folder.join("raw"))?;
    let start = Instant::now();
    for n in 0..appends {
        file.write_all(&canvass_types::canonical(&leaf(n))?)?;
        if n % COMMITTERS == COMMITTERS - 1 {
            file.sync_data()?;
        }
    }
    file.sync_data()?;
    Ok(appends as f64 / start.elapsed().as_secs_f64())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, appends] = arguments.as_slice() else { return Err("FOLDER APPENDS".into()) };
    let appends = appends.parse()?;
    let (mut rates, mut ratios) = (Vec::new(), Vec::new());
    for run in 0..3 {
        let folder = Path::new(folder).join(run.to_string());
        std::fs::create_dir_all(&folder)?;
        let (a, b) = (ours(&folder, appends).await?, peer(&folder, appends)?);
        rates.push(a);
        ratios.push(a / b);
    }
    rates.sort_by(f64::total_cmp);
    ratios.sort_by(f64::total_cmp);
    let median = |values: &[f64]| values.get(values.len() / 2).copied().unwrap_or_default();
    println!(
        "ledger: {:.0} durable appends/s, each with a verified proof; ratio to a file with one fsync per {COMMITTERS} leaves, unproved: {:.2} (median of {} runs)",
        median(&rates),
        median(&ratios),
        rates.len()
    );
    Ok(())
}

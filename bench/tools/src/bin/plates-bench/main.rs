//! What plate reads cost: durable reads a second with a hotlist on, bytes a row, searches warm and cold, a day erased.
//!
//! `plates-bench run segments|sqlite|fjall FOLDER ROWS` measures a store in this process and prints a line of JSON.
//! `plates-bench again segments|sqlite FOLDER ROWS` asks once more in the folder that such a run left.
//! `plates-bench sql ROWS` and `plates-bench questions ROWS` print the same reads and questions for PostgreSQL.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

#[cfg(feature = "fjall")]
mod fjall;
mod generate;
mod postgres;
mod questions;

use std::{
    error::Error,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Instant,
};

use canvass_plates::{Read, ReadStore, RetentionClass, hotlist::Tolerance};
use canvass_store_reads::{Options, RootKey, SegmentStore, SqliteSlices};
use generate::{Chance, Seeded, Town};
use questions::{KINDS, Kind, Question};
use serde_json::{Value, json};

type Failed = Box<dyn Error + Send + Sync>;

/// Reads of one durable append.
const BATCH: u64 = 5_000;
/// Questions of each kind, warm and cold.
const WARM: u64 = 300;
const COLD: u64 = 300;
/// Where cold questions begin, so that none was asked warm.
const COLD_FROM: u64 = 1_000_000;

/// What is measured of a store.
trait Bench {
    /// Stores a batch durably.
    fn append(&mut self, batch: &[Read]) -> Result<(), Failed>;
    /// Brings it into its resting form.
    fn settle(&mut self) -> Result<(), Failed>;
    /// Answers one question with how many reads; none when the store has no way to.
    fn ask(&mut self, question: &Question) -> Result<Option<usize>, Failed>;
    /// Forgets everything that it holds in memory of what lies on disk.
    fn forget(&mut self) -> Result<(), Failed>;
    /// Bytes on disk.
    fn disk_bytes(&self) -> Result<u64, Failed>;
    /// Erases the first day; how many reads that were, or none when the store has no slices.
    fn erase_day(&mut self, town: &Town) -> Result<Option<u64>, Failed>;
}

fn class() -> Result<RetentionClass, Failed> {
    Ok(RetentionClass::new("non-hit", 86_400)?)
}

enum Kept {
    Segments(SegmentStore),
    Sqlite(PathBuf, Option<Box<SqliteSlices>>),
}

impl Kept {
    fn store(&self) -> Result<&dyn ReadStore, Failed> {
        match self {
            Self::Segments(store) => Ok(store),
            Self::Sqlite(_, Some(store)) => Ok(&**store),
            Self::Sqlite(_, None) => Err("the store is closed".into()),
        }
    }
}

impl Bench for Kept {
    fn append(&mut self, batch: &[Read]) -> Result<(), Failed> {
        let stored = self.store()?.append(&class()?, batch)?.stored;
        if stored == batch.len() { Ok(()) } else { Err(format!("{stored} of {} stored", batch.len()).into()) }
    }

    fn settle(&mut self) -> Result<(), Failed> {
        Ok(self.store()?.compact()?)
    }

    fn ask(&mut self, question: &Question) -> Result<Option<usize>, Failed> {
        Ok(Some(self.store()?.search(&question.query()?)?.matches.len()))
    }

    fn forget(&mut self) -> Result<(), Failed> {
        match self {
            Self::Segments(store) => store.forget_blocks(),
            Self::Sqlite(folder, store) => {
                drop(store.take());
                *store = Some(Box::new(SqliteSlices::open(&*folder)?));
            }
        }
        Ok(())
    }

    fn disk_bytes(&self) -> Result<u64, Failed> {
        Ok(self.store()?.stats()?.disk_bytes)
    }

    fn erase_day(&mut self, town: &Town) -> Result<Option<u64>, Failed> {
        let erased = self.store()?.erase(class()?.name(), town.first_day())?;
        Ok(Some(erased.iter().map(|slice| slice.reads).sum()))
    }
}

fn open(kind: &str, folder: &Path) -> Result<Box<dyn Bench>, Failed> {
    match kind {
        "segments" => {
            let entropy = Arc::new(Seeded(Mutex::new(Chance::new(9, 0))));
            let store = SegmentStore::open(folder, RootKey::new([7; 32]), entropy, Options::default())?;
            Ok(Box::new(Kept::Segments(store)))
        }
        "sqlite" => {
            Ok(Box::new(Kept::Sqlite(folder.to_owned(), Some(Box::new(SqliteSlices::open(folder)?)))))
        }
        #[cfg(feature = "fjall")]
        "fjall" => Ok(Box::new(fjall::Pairs::open(folder)?)),
        #[cfg(not(feature = "fjall"))]
        "fjall" => Err("build it with `--features fjall`".into()),
        other => Err(format!("`{other}` is no store; there are segments, sqlite, fjall").into()),
    }
}

/// Drops what the system holds of files; false where that is not allowed, and cold is then cold in the process alone.
fn drop_file_cache() -> bool {
    let synced = std::process::Command::new("sync").status().is_ok_and(|status| status.success());
    synced && std::fs::write("/proc/sys/vm/drop_caches", "1").is_ok()
}

fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1_024)
}

/// 50th and 99th percentile, milliseconds.
fn percentiles(mut times: Vec<f64>) -> [f64; 2] {
    times.sort_by(f64::total_cmp);
    [0.5, 0.99].map(|part| {
        let place = ((times.len() as f64 * part).ceil() as usize).saturating_sub(1);
        times.get(place).copied().unwrap_or_default()
    })
}

struct Ingest {
    rate: f64,
    wall_rate: f64,
    ack_ms: [f64; 2],
    hits: u64,
}

/// Appends all rows. Making reads is not counted in the rate, and is in the rate of the wall clock.
fn ingest(store: &mut dyn Bench, town: &Town, rows: u64) -> Result<Ingest, Failed> {
    let hotlist = town.hotlist()?;
    let (mut busy, mut acks, mut hits) = (0.0, Vec::new(), 0);
    let wall = Instant::now();
    let mut row = 0;
    while row < rows {
        let mut batch = town.batch(row, BATCH)?;
        let start = Instant::now();
        for read in &mut batch {
            read.hit = !hotlist.find(&read.plate, read.seen, Tolerance::Misread).is_empty();
            hits += u64::from(read.hit);
        }
        store.append(&batch)?;
        let took = start.elapsed().as_secs_f64();
        busy += took;
        acks.push(took * 1e3);
        row += batch.len() as u64;
        if row.is_multiple_of(BATCH * 1_000) {
            eprintln!("{row} of {rows} rows");
        }
    }
    let wall_rate = rows as f64 / wall.elapsed().as_secs_f64();
    Ok(Ingest { rate: rows as f64 / busy, wall_rate, ack_ms: percentiles(acks), hits })
}

fn ask(store: &mut dyn Bench, town: &Town, kind: Kind, cold: bool) -> Result<Value, Failed> {
    let (from, count) = if cold { (COLD_FROM, COLD) } else { (0, WARM) };
    let (mut times, mut found, mut dropped) = (Vec::new(), 0, true);
    for number in from..from + count {
        let question = Question::new(town, kind, number)?;
        if cold {
            store.forget()?;
            dropped &= drop_file_cache();
        } else {
            // Warm is the second time.
            store.ask(&question)?;
        }
        let start = Instant::now();
        let Some(reads) = store.ask(&question)? else { return Ok(Value::Null) };
        times.push(start.elapsed().as_secs_f64() * 1e3);
        found += reads;
    }
    let [p50, p99] = percentiles(times);
    Ok(json!({ "p50_ms": p50, "p99_ms": p99, "found": found, "file_cache_dropped": cold && dropped }))
}

/// Each kind of question, warm and cold.
fn ask_all(store: &mut dyn Bench, town: &Town) -> Result<[Value; 2], Failed> {
    let (mut warm, mut cold) = (serde_json::Map::new(), serde_json::Map::new());
    for kind in KINDS {
        warm.insert(kind.name().to_owned(), ask(store, town, kind, false)?);
        cold.insert(kind.name().to_owned(), ask(store, town, kind, true)?);
    }
    Ok([warm.into(), cold.into()])
}

fn again(kind: &str, folder: &Path, rows: u64) -> Result<(), Failed> {
    if !folder.exists() {
        return Err(format!("{} is not there; `run` makes it", folder.display()).into());
    }
    let [warm, cold] = ask_all(&mut *open(kind, folder)?, &Town::new(rows))?;
    println!(
        "{}",
        json!({ "store": kind, "rows": rows, "again": true, "peak_mib": peak_mib(), "warm": warm, "cold": cold })
    );
    Ok(())
}

fn run(kind: &str, folder: &Path, rows: u64) -> Result<(), Failed> {
    if folder.exists() {
        return Err(format!("{} is there already; give a folder that is not", folder.display()).into());
    }
    let town = Town::new(rows);
    let mut store = open(kind, folder)?;
    let ingest = ingest(&mut *store, &town, rows)?;
    let start = Instant::now();
    store.settle()?;
    let settled = start.elapsed().as_secs_f64();
    let bytes = store.disk_bytes()? as f64 / rows as f64;
    let [warm, cold] = ask_all(&mut *store, &town)?;
    let start = Instant::now();
    let erased = store.erase_day(&town)?;
    let erasing = start.elapsed().as_secs_f64();
    let line = json!({
        "store": kind, "rows": rows, "reads_per_s": ingest.rate, "wall_reads_per_s": ingest.wall_rate,
        "batch_ms_p50_p99": ingest.ack_ms, "hits": ingest.hits, "settle_s": settled, "bytes_per_row": bytes,
        "peak_mib": peak_mib(), "warm": warm, "cold": cold, "erased": erased, "erase_s": erasing,
    });
    println!("{line}");
    Ok(())
}

fn main() -> Result<(), Failed> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["run", kind, folder, rows] => run(kind, Path::new(folder), rows.parse()?),
        ["again", kind, folder, rows] => again(kind, Path::new(folder), rows.parse()?),
        ["sql", rows] => postgres::rows(rows.parse()?),
        ["questions", rows] => postgres::questions(rows.parse()?),
        _ => Err("run segments|sqlite|fjall FOLDER ROWS, or again segments|sqlite FOLDER ROWS, or sql ROWS, or questions ROWS".into()),
    }
}

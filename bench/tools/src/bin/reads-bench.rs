//! What it costs to send plate reads over HTTP, as many cameras do: reads a second, how long an acknowledgement takes at a
//! given rate, and how long it takes from a read to its alert at somebody who listens.
//!
//! `reads-bench flood SERVER TOKENS SECONDS` and `reads-bench paced SERVER TOKENS SECONDS RATE LISTENER PLATES`; TOKENS is a
//! file with the token of one camera a line, LISTENER the file of a member's token, PLATES says how many plates `HOT0000` and
//! on are on a hotlist. Each prints a line of JSON.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::{
    collections::HashMap,
    error::Error,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::StreamExt as _;
use serde_json::{Value, json};

type Failed = Box<dyn Error + Send + Sync>;

/// Reads of one request when as much is sent as is taken.
const FLOOD_ROWS: u64 = 1_000;
/// Requests under way at the same time.
const AT_ONCE: usize = 8;
/// Requests of a second when a rate is kept.
const REQUESTS: u64 = 77;
/// One read in so many is of a plate on the hotlist.
const HOT: u64 = 500;

#[derive(Clone)]
struct Sender {
    http: reqwest::Client,
    url: String,
    tokens: Arc<Vec<String>>,
}

impl Sender {
    fn new(server: &str, tokens: &str) -> Result<Self, Failed> {
        let tokens = std::fs::read_to_string(tokens)?.lines().map(str::to_owned).collect();
        let url = format!("{server}/api/v1/reads");
        Ok(Self { http: reqwest::Client::new(), url, tokens: Arc::new(tokens) })
    }

    /// Sends rows of a camera; how many were stored. A camera that is told to wait has sent nothing.
    async fn send(&self, camera: usize, rows: String) -> Result<u64, Failed> {
        let token = self.tokens.get(camera % self.tokens.len()).ok_or("no token")?;
        let request =
            self.http.post(&self.url).bearer_auth(token).header("content-type", "application/x-ndjson");
        let answer = request.body(rows).send().await?;
        if answer.status() == reqwest::StatusCode::TOO_MANY_REQUESTS {
            return Ok(0);
        }
        let answer: Value = answer.error_for_status()?.json().await?;
        if answer.get("refused").and_then(Value::as_u64) != Some(0) {
            return Err(format!("rows were refused: {answer}").into());
        }
        Ok(answer.get("stored").and_then(Value::as_u64).unwrap_or(0))
    }
}

/// A row as cameras send it; plates are spread as a street's are, most of them seen once.
fn row(number: u64, plate: &str) -> String {
    let now = jiff::Timestamp::now();
    format!(
        "{{\"id\":{number},\"time\":\"{now}\",\"plate\":\"{plate}\",\"confidence\":{},\"vehicle\":\"Car\",\"region\":\"US-NH\"}}\n",
        60 + number % 40
    )
}

fn plate(number: u64) -> String {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    let letter = |shift: u64| char::from(b'A' + u8::try_from((mixed >> shift) % 26).unwrap_or(0));
    format!("{}{}{}{:04}", letter(0), letter(8), letter(16), (mixed >> 24) % 10_000)
}

async fn flood(sender: Sender, seconds: u64) -> Result<Value, Failed> {
    let (stored, next) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let begun = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..AT_ONCE {
        let (sender, stored, next) = (sender.clone(), Arc::clone(&stored), Arc::clone(&next));
        tasks.push(tokio::spawn(async move {
            while begun.elapsed() < Duration::from_secs(seconds) {
                let request = next.fetch_add(1, Ordering::Relaxed);
                let from = request * FLOOD_ROWS;
                let rows: String = (from..from + FLOOD_ROWS).map(|at| row(at, &plate(at))).collect();
                let camera = usize::try_from(request)?;
                stored.fetch_add(sender.send(camera, rows).await?, Ordering::Relaxed);
            }
            Ok::<(), Failed>(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    let each_second = stored.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64();
    Ok(json!({ "what": "flood", "reads_a_second": each_second.round() }))
}

fn quantiles(mut all: Vec<Duration>) -> Value {
    all.sort_unstable();
    let at = |part: f64| {
        let index = ((all.len().max(1) - 1) as f64 * part).round() as usize;
        all.get(index).map(|time| (time.as_secs_f64() * 1e4).round() / 10.0)
    };
    json!({ "n": all.len(), "p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": at(1.0) })
}

/// When each read of a plate on the hotlist was due to be sent, by plate and camera.
type Due = Arc<Mutex<HashMap<String, Instant>>>;

/// Listens to alerts, and notes how long each took.
async fn listen(
    server: String,
    token: String,
    due: Due,
    took: Arc<Mutex<Vec<Duration>>>,
) -> Result<(), Failed> {
    let request = reqwest::Client::new().get(format!("{server}/api/v1/alerts/stream")).bearer_auth(token);
    let mut parts = request.send().await?.error_for_status()?.bytes_stream();
    let mut text = String::new();
    while let Some(part) = parts.next().await {
        text.push_str(std::str::from_utf8(&part?)?);
        while let Some((event, rest)) = text.split_once("\n\n") {
            let data = event.lines().find_map(|line| line.strip_prefix("data: "));
            if let Some(data) = data {
                let alert: Value = serde_json::from_str(data)?;
                let plate = alert.pointer("/entry/plate").and_then(Value::as_str).unwrap_or_default();
                let since = due.lock().unwrap_or_else(PoisonError::into_inner).remove(plate);
                took.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .extend(since.map(|since| since.elapsed()));
            }
            text = rest.to_owned();
        }
    }
    Ok(())
}

async fn paced(sender: Sender, server: &str, args: &[String]) -> Result<Value, Failed> {
    let [seconds, rate, listener, plates] = args else {
        return Err("paced: SECONDS RATE LISTENER PLATES".into());
    };
    let (seconds, rate, plates): (u64, u64, u64) = (seconds.parse()?, rate.parse()?, plates.parse()?);
    let (due, alerts) = (Due::default(), Arc::new(Mutex::new(Vec::new())));
    let token = std::fs::read_to_string(listener)?.trim().to_owned();
    let listening = tokio::spawn(listen(server.to_owned(), token, Arc::clone(&due), Arc::clone(&alerts)));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let took = Arc::new(Mutex::new(Vec::new()));
    let (begun, each) = (Instant::now(), rate / REQUESTS);
    let (mut number, mut hot, mut tasks) = (1_u64 << 40, 0_u64, Vec::new());
    for request in 0..seconds * REQUESTS {
        // Sent by the clock, whether or not those before were answered: who waits is counted as waiting.
        let when = begun + Duration::from_secs_f64(request as f64 / REQUESTS as f64);
        tokio::time::sleep_until(when.into()).await;
        let mut rows = String::new();
        for _ in 0..each {
            number += 1;
            if number.is_multiple_of(HOT) && hot < plates {
                let plate = format!("HOT{hot:04}");
                rows.push_str(&row(number, &plate));
                due.lock().unwrap_or_else(PoisonError::into_inner).insert(plate, when);
                hot += 1;
            } else {
                rows.push_str(&row(number, &plate(number)));
            }
        }
        let (sender, took, camera) = (sender.clone(), Arc::clone(&took), usize::try_from(request)?);
        tasks.push(tokio::spawn(async move {
            let stored = sender.send(camera, rows).await?;
            took.lock().unwrap_or_else(PoisonError::into_inner).push(when.elapsed());
            Ok::<u64, Failed>(stored)
        }));
    }
    let mut stored = 0;
    for task in tasks {
        stored += task.await??;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    listening.abort();
    let missing = due.lock().unwrap_or_else(PoisonError::into_inner).len();
    let taken = |times: &Mutex<Vec<Duration>>| {
        std::mem::take(&mut *times.lock().unwrap_or_else(PoisonError::into_inner))
    };
    Ok(json!({
        "what": "paced", "sent": seconds * REQUESTS * each, "stored": stored, "rate": REQUESTS * each,
        "acknowledged": quantiles(taken(&took)), "read_to_alert": quantiles(taken(&alerts)), "alerts_missing": missing,
    }))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failed> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let usage = "reads-bench flood SERVER TOKENS SECONDS | reads-bench paced SERVER TOKENS SECONDS RATE LISTENER PLATES";
    let (Some(what), Some(server), Some(tokens), Some(rest)) =
        (args.first(), args.get(1), args.get(2), args.get(3..))
    else {
        eprintln!("{usage}");
        std::process::exit(2);
    };
    let sender = Sender::new(server, tokens)?;
    let line = match (what.as_str(), rest) {
        ("flood", [seconds]) => flood(sender, seconds.parse()?).await?,
        ("paced", rest) => paced(sender, server, rest).await?,
        _ => return Err(usage.into()),
    };
    println!("{line}");
    Ok(())
}

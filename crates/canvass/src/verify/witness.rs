//! A witness: cosigns a ledger's checkpoints that continue what it saw, and remembers. Two ledgers in one name can't both
//! get its cosignature.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use axum::routing::post;
use canvass_ledger::reader::prove_consistency;
use canvass_ledger::store::{StoreError, SwapError};
use canvass_ledger::verify::fetch_checkpoint;
use canvass_ledger::witness::{AddCheckpoint, Answer, MAX_BODY, Witness, WitnessState};
use canvass_ledger::{KeyKind, SignedCheckpoint, SignerKey, Trust, VerifierKey};
use canvass_types::leaf::Log;
use clap::{Args, Subcommand};
use serde_json::json;
use tokio::sync::{Mutex, Semaphore};
use zeroize::Zeroizing;

use super::keys::{KeysFile, MAX_KEYS};
use super::source::Public;
use crate::common::{Context, Failure, create_new, exists, now, read_limited, write_secret};

/// Largest file of a witness's memory, in bytes.
const MAX_STATE: u64 = 16 * 1024 * 1024;
/// Longest key file, in bytes.
const MAX_KEY: u64 = 4 * 1024;
/// Requests answered at the same time.
const MAX_REQUESTS: usize = 64;
/// Within which a body must have arrived and been answered.
const WITHIN: Duration = Duration::from_secs(15);

/// Cosign ledgers that only grow (C2SP tlog-witness)
#[derive(Debug, Subcommand)]
pub enum WitnessCommand {
    Serve(ServeWitness),
    Keygen(KeygenWitness),
    Once(OnceWitness),
}

/// Answer add-checkpoint requests of known ledgers
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canvass witness serve --listen 127.0.0.1:7380 --key witness.key --state witness.json \\
    --log 'canvass.example/requests=canvass.example/requests+1a2b3c4d+…'

Plain HTTP: put it behind a proxy with TLS when ledgers elsewhere push to it.")]
pub struct ServeWitness {
    /// Address and port to listen on
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7380")]
    listen: SocketAddr,
    /// The witness's secret key, from `canvass witness keygen`
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// A ledger that is cosigned: its origin and its key; may stand several times
    #[arg(long = "log", value_name = "ORIGIN=VKEY", required = true)]
    logs: Vec<String>,
    /// Where the newest checkpoint of each ledger is remembered; never lose it
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
}

/// Make a witness's key; prints the vkey to hand out
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  canvass witness keygen --name witness.example/1 --out witness.key")]
pub struct KeygenWitness {
    /// Name of the witness, a domain it has a say over, with a path
    #[arg(long)]
    name: String,
    /// File for the secret key
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Cosign a ledger's present checkpoint once and print the cosignature
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canvass witness once https://canvass.example --key witness.key --state witness.json --keys keys.json")]
pub struct OnceWitness {
    /// Address of the Canvass, or a folder with a copy of its public files
    #[arg(value_name = "URL|DIR")]
    place: String,
    /// Which ledger
    #[arg(long, default_value = "requests")]
    log: Log,
    /// The witness's secret key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Where the newest checkpoint of each ledger is remembered
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
    /// The ledgers' keys, got by another way than from the server itself
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
}

/// Runs it.
///
/// # Errors
/// What it failed with.
pub async fn run(command: WitnessCommand, context: &Context) -> Result<(), Failure> {
    match command {
        WitnessCommand::Serve(command) => serve(command, context).await,
        WitnessCommand::Keygen(command) => keygen(&command, context),
        WitnessCommand::Once(command) => once(command, context).await,
    }
}

fn keygen(command: &KeygenWitness, context: &Context) -> Result<(), Failure> {
    let seed = Zeroizing::new(canvass_types::env::random::<32>(&context.entropy()));
    let key = SignerKey::from_seed(&command.name, KeyKind::Cosigner, &seed)
        .map_err(|error| Failure::usage(format!("--name: {error}")))?;
    let mut file = create_new(&command.out)?;
    let text = Zeroizing::new(format!("{}\n", key.to_secret_text().as_str()));
    std::io::Write::write_all(&mut file, text.as_bytes())?;
    file.sync_all()?;
    context.console().line(key.verifier().to_string());
    context.console().result(&json!({"vkey": key.verifier().to_string(), "file": command.out}))
}

fn read_key(path: &Path) -> Result<SignerKey, Failure> {
    let bytes = Zeroizing::new(read_limited(path, MAX_KEY)?);
    let text = std::str::from_utf8(&bytes).unwrap_or_default().trim();
    SignerKey::parse(text).map_err(|error| Failure::from(error).context(path.display()))
}

/// A witness's memory in one file, replaced in one step at each checkpoint.
#[derive(Debug)]
struct FileState {
    path: PathBuf,
    known: Mutex<BTreeMap<String, String>>,
    // Kept while the file is in use: two witnesses with one memory would contradict each other.
    _lock: std::fs::File,
}

impl FileState {
    fn open(path: &Path) -> Result<Self, Failure> {
        let lock = path.with_extension("lock");
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)?;
        }
        let file = std::fs::OpenOptions::new().create(true).truncate(false).write(true).open(&lock)?;
        if file.try_lock().is_err() {
            return Err(Failure::new(format!(
                "{}: another witness uses this memory; stop it first",
                path.display()
            )));
        }
        let known = if exists(path) {
            serde_json::from_slice(&read_limited(path, MAX_STATE)?).map_err(|error| {
                Failure::new(format!(
                    "{}: the memory is damaged ({error}); restore it, never begin anew",
                    path.display()
                ))
            })?
        } else {
            BTreeMap::new()
        };
        Ok(Self { path: path.to_owned(), known: Mutex::new(known), _lock: file })
    }
}

impl WitnessState for FileState {
    async fn latest(&self, origin: &str) -> Result<Option<String>, StoreError> {
        Ok(self.known.lock().await.get(origin).cloned())
    }

    async fn swap(&self, origin: &str, expected: Option<&str>, new: &str) -> Result<(), SwapError> {
        let mut known = self.known.lock().await;
        let found = known.get(origin).cloned();
        if found.as_deref() != expected {
            return Err(SwapError::Lost { found });
        }
        let mut next = known.clone();
        next.insert(origin.to_owned(), new.to_owned());
        let failed = |error: String| SwapError::Store(StoreError::failed(origin, error));
        let bytes = serde_json::to_vec_pretty(&next).map_err(|error| failed(error.to_string()))?;
        write_secret(&self.path, &bytes).map_err(|error| failed(error.to_string()))?;
        *known = next;
        Ok(())
    }
}

fn known_logs(logs: &[String]) -> Result<BTreeMap<String, Vec<VerifierKey>>, Failure> {
    let mut known: BTreeMap<String, Vec<VerifierKey>> = BTreeMap::new();
    for text in logs {
        let (origin, vkey) = text.split_once('=').ok_or_else(|| {
            Failure::usage("--log: write it as ORIGIN=VKEY, both stand in the ledger's keys.json")
        })?;
        let key = VerifierKey::parse(vkey).map_err(|error| Failure::usage(format!("--log: {error}")))?;
        known.entry(origin.to_owned()).or_default().push(key);
    }
    Ok(known)
}

struct Desk {
    witness: Witness<FileState>,
    places: Semaphore,
}

async fn serve(command: ServeWitness, context: &Context) -> Result<(), Failure> {
    let logs = known_logs(&command.logs)?;
    let key = read_key(&command.key)?;
    let vkey = key.verifier().to_string();
    let witness = Witness::new(vec![key], logs, FileState::open(&command.state)?)?;
    let desk = Arc::new(Desk { witness, places: Semaphore::new(MAX_REQUESTS) });
    let router = Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(desk);
    let listener = tokio::net::TcpListener::bind(command.listen).await?;
    let address = listener.local_addr()?;
    context.console().line(format!("witness {vkey}"));
    context.console().line(format!("listening on http://{address}/add-checkpoint"));
    context.console().result(&json!({"vkey": vkey, "address": address}))?;
    axum::serve(listener, router).with_graceful_shutdown(crate::common::stop_signal()).await?;
    Ok(())
}

fn answer(status: u16, kind: &'static str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response
}

async fn add_checkpoint(State(desk): State<Arc<Desk>>, body: Bytes) -> Response {
    let Ok(_place) = desk.places.try_acquire() else {
        return answer(503, "text/plain; charset=utf-8", "busy: try again in a few seconds\n".into());
    };
    let at = u64::try_from(now().as_second()).unwrap_or(0);
    match tokio::time::timeout(WITHIN, desk.witness.add_checkpoint(&body, at)).await {
        Ok(found) => answer(found.status(), found.content_type(), found.body()),
        Err(_) => answer(503, "text/plain; charset=utf-8", "the disk is slow: try again\n".into()),
    }
}

async fn once(command: OnceWitness, context: &Context) -> Result<(), Failure> {
    let key = read_key(&command.key)?;
    let public = Public::open(&command.place)?;
    let keys = match &command.keys {
        Some(file) => read_limited(file, MAX_KEYS)?,
        None => public.must_read(&public.keys_path(), MAX_KEYS).await?,
    };
    let keys = KeysFile::parse(&keys)?;
    let state = FileState::open(&command.state)?;
    let known = state.latest(&keys.log(command.log).origin).await?;
    let log = VerifierKey::parse(&keys.log(command.log).vkey)?;
    let origin = keys.log(command.log).origin.clone();
    let trust = Trust::new(origin.clone(), log.clone(), Vec::new(), 0)?;
    let files = public.log(command.log);
    let head = fetch_checkpoint(&files, &trust).await?.signed;
    let old = match &known {
        Some(text) => SignedCheckpoint::parse(text.as_bytes())?.checkpoint.size,
        None => 0,
    };
    if old > head.checkpoint.size {
        return Err(Failure::new(format!(
            "rollback: the ledger has {} entries and {old} were cosigned before; publish both checkpoints",
            head.checkpoint.size
        )));
    }
    let proof = prove_consistency(&files, old, head.checkpoint.size).await?;
    let body = AddCheckpoint { old, proof, checkpoint: head.clone() }.to_body();
    let vkey = key.verifier().to_string();
    let witness = Witness::new(vec![key], BTreeMap::from([(origin, vec![log])]), state)?;
    let at = u64::try_from(context.now().as_second()).unwrap_or(0);
    match witness.add_checkpoint(body.as_bytes(), at).await {
        Answer::Cosigned(lines) => {
            context.console().line(lines.trim_end());
            context.console().result(&json!({
                "origin": head.checkpoint.origin, "size": head.checkpoint.size, "cosignature": lines.trim_end(),
                "vkey": vkey,
            }))
        }
        Answer::Conflict(size) => Err(Failure::new(format!(
            "the witness's memory says {size} entries and not {old}; another process changed it, run it again"
        ))),
        Answer::Refused(refusal) => {
            Err(Failure::new(format!("not cosigned: {}; publish both checkpoints", refusal.reason)))
        }
    }
}

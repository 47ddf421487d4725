//! kill -9 of the whole server while members commit and residents upload: what was acknowledged is there after a start,
//! the check finds nothing wrong, and the ledgers only grew.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use canvass_ledger::{Checkpoint, StoreError, TileSource, audit};
use canvass_server::{operator::check, serve};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    life::trust,
    support::{Agency, Canvass, Resident, clock, config, entropy},
};

const FOLDER: &str = "CANVASS_TEST_WHOLE_SERVER";
const ROUNDS: usize = 3;
const LOGS: [&str; 2] = ["requests", "oversight"];

/// Not a test of its own: the process that the other test kills.
#[tokio::test(flavor = "multi_thread")]
async fn child_serves_until_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let folder = PathBuf::from(folder);
    let config = config(&folder.join("data"));
    let running = Box::pin(serve(config, clock(), entropy(), std::future::pending())).await.unwrap();
    let told = format!("http://{} http://{}", running.private_addr.unwrap(), running.public_addr.unwrap());
    std::fs::write(folder.join("told.tmp"), told).unwrap();
    std::fs::rename(folder.join("told.tmp"), folder.join("told")).unwrap();
    tokio::time::sleep(Duration::from_secs(120)).await;
}

/// A child that goes with the test, however the test ends.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // SIGKILL: no destructor runs in there.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn start(canvass: &mut Canvass) -> Server {
    let told = canvass.folder.path().join("told");
    let _ = std::fs::remove_file(&told);
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child_serves_until_killed"])
        .env(FOLDER, canvass.folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let server = Server(child);
    for _ in 0..800 {
        if let Ok(text) = std::fs::read_to_string(&told) {
            let (desk, public) = text.split_once(' ').unwrap();
            (canvass.desk, canvass.public) = (desk.to_owned(), public.to_owned());
            // Connections to the one before are of no use.
            canvass.http = reqwest::Client::new();
            return server;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the server did not start");
}

/// What was answered with a success, so that it has to be there.
#[derive(Default)]
struct Acknowledged {
    cases: Vec<String>,
    drafts: Vec<String>,
    uploads: Vec<Resident>,
}

type Ledger = Arc<Mutex<Acknowledged>>;

/// Does one thing after another until the server is gone.
async fn until_gone(work: impl AsyncFn(usize) -> Option<()>) {
    for n in 0.. {
        if work(n).await.is_none() {
            return;
        }
    }
}

async fn post(canvass: &Canvass, token: &str, path: &str, body: &Value) -> Option<String> {
    let url = format!("{}/api/v1{path}", canvass.desk);
    let answer = canvass.http.post(url).bearer_auth(token).json(body).send().await.ok()?;
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
    let made: Value = answer.json().await.ok()?;
    Some(made["id"].as_str().unwrap().to_owned())
}

async fn give(canvass: &Canvass, request: &str, resident: &Resident) -> Option<StatusCode> {
    let key = resident.secret.public_key().unwrap().text();
    let base64 = |text: &str| data_encoding::BASE64.encode(text.as_bytes());
    let metadata = format!("destination {},offer_key {}", base64(request), base64(&key));
    let sent = canvass
        .http
        .post(format!("{}/uploads", canvass.public))
        .header("tus-resumable", "1.0.0")
        .header("upload-length", resident.envelope.len())
        .header("content-type", "application/offset+octet-stream")
        .header("upload-metadata", metadata)
        .body(resident.envelope.clone());
    Some(sent.send().await.ok()?.status())
}

async fn load(canvass: &Canvass, agency: &Agency, request: &str, recipient: &str, known: &Ledger) {
    let desk = &agency.investigator;
    let cases = until_gone(async |n| {
        let id = post(canvass, desk, "/cases", &json!({ "title": format!("Garage {n}") })).await?;
        known.lock().unwrap().cases.push(id);
        Some(())
    });
    let drafts = until_gone(async |n| {
        let id = post(canvass, desk, "/requests", &Agency::draft(&format!("26-{n}"))).await?;
        known.lock().unwrap().drafts.push(id);
        Some(())
    });
    let uploads = async || {
        until_gone(async |n| {
            let clip = vec![u8::try_from(n % 200).unwrap(); 60_000 + n];
            let resident = Resident::new(recipient, &[("a.mp4", &clip)]);
            match give(canvass, request, &resident).await? {
                StatusCode::CREATED => known.lock().unwrap().uploads.push(resident),
                // So many in an hour from one address, or the spool is busy: later.
                StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                other => panic!("an upload got {other}"),
            }
            Some(())
        })
        .await;
    };
    tokio::join!(cases, drafts, uploads(), uploads(), uploads());
}

struct Files(PathBuf);

impl TileSource for Files {
    async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match std::fs::read(self.0.join(path)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::failed(path, error)),
        }
    }
}

/// Reads both ledgers whole from the public files; each continues what was remembered.
async fn grown(data: &Path, remembered: &mut [Option<Checkpoint>; 2]) {
    let keys = std::fs::read(data.join("public/ledger/keys.json")).unwrap();
    let keys: Value = serde_json::from_slice(&keys).unwrap();
    for (log, remembered) in LOGS.iter().zip(remembered) {
        let files = Files(data.join("public/ledger").join(log));
        let report = audit(&files, &trust(&keys, log), remembered.as_ref(), |_, _| Ok(())).await.unwrap();
        *remembered = Some(report.trusted.signed.checkpoint);
    }
}

async fn all_there(canvass: &Canvass, agency: &Agency, known: &Ledger) {
    let (cases, drafts, lookups) = {
        let known = known.lock().unwrap();
        let lookups: Vec<String> = known.uploads.iter().map(|each| each.lookup.clone()).collect();
        (known.cases.clone(), known.drafts.clone(), lookups)
    };
    for id in cases {
        canvass.get(&agency.investigator, &format!("/cases/{id}")).await;
    }
    for id in drafts {
        canvass.get(&agency.investigator, &format!("/requests/{id}")).await;
    }
    for lookup in lookups {
        let path = format!("/offers/{lookup}.json");
        canvass.public_file(&path, |status| status["receipt"].is_object()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_by_kill_9() {
    let mut canvass = Canvass::start().await;
    let agency = Agency::new(&canvass).await;
    let (request, key) = agency.publish(&canvass, "26-41").await;
    let recipient = key.recipient().unwrap().as_str().to_owned();
    canvass.stop().await;
    let (known, mut remembered) = (Ledger::default(), [None, None]);
    let mut before = (0, 0, 0);
    for round in 0..ROUNDS {
        let server = start(&mut canvass).await;
        all_there(&canvass, &agency, &known).await;
        grown(&canvass.data(), &mut remembered).await;
        let killing = async {
            tokio::time::sleep(Duration::from_millis(1_100 + 370 * round as u64)).await;
            tokio::task::block_in_place(|| drop(server));
        };
        tokio::join!(load(&canvass, &agency, &request, &recipient, &known), killing);
        let now = {
            let known = known.lock().unwrap();
            (known.cases.len(), known.drafts.len(), known.uploads.len())
        };
        println!("round {round}: {now:?} cases, drafts and uploads acknowledged");
        assert!(now.0 > before.0 && now.1 > before.1 && now.2 > before.2, "no load in round {round}");
        before = now;
        grown(&canvass.data(), &mut remembered).await;
        let report = check(&canvass.data(), true, clock(), entropy()).await.unwrap();
        assert!(report.clean(), "round {round}: {:?}", report.findings);
    }
    let server = start(&mut canvass).await;
    all_there(&canvass, &agency, &known).await;
    drop(server);
    grown(&canvass.data(), &mut remembered).await;
    let report = check(&canvass.data(), false, clock(), entropy()).await.unwrap();
    assert!(report.clean(), "{:?}", report.findings);
    let offers = remembered[1].as_ref().unwrap().size;
    assert!(offers > before.2 as u64, "each offer has its entry");
}

//! A running public role, and a client that says exactly what it is told to.

use std::collections::HashMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use canvass_server::pages::{Pages, Part};
use canvass_server::public::spool::{Spool, SpoolConfig};
use canvass_server::public::{Limits, PublicConfig, serve};
use canvass_types::{Clock, Entropy};
use tokio::sync::oneshot;

pub struct Machine;

impl Clock for Machine {
    #[expect(clippy::disallowed_methods, reason = "these tests run against real time")]
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
}

/// Distinct ids, the same in every run of one process.
#[derive(Default)]
pub struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, buffer: &mut [u8]) {
        use sha2::Digest;
        let n = self.0.fetch_add(1, Ordering::Relaxed);
        let digest =
            sha2::Sha256::digest([n.to_be_bytes(), u64::from(std::process::id()).to_be_bytes()].concat());
        buffer.iter_mut().zip(digest.iter().cycle()).for_each(|(to, from)| *to = *from);
    }
}

/// Everything logged by this process, at every level.
pub fn logs() -> &'static Mutex<Vec<u8>> {
    static LOGS: OnceLock<Mutex<Vec<u8>>> = OnceLock::new();
    struct Sink;
    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            LOGS.get().unwrap().lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut first = false;
    let logs = LOGS.get_or_init(|| {
        first = true;
        Mutex::default()
    });
    if first {
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(|| Sink).init();
    }
    logs
}

pub struct World {
    pub folder: PathBuf,
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
    _keep: Option<tempfile::TempDir>,
}

/// The folder with one published request, `r1`, that stays open.
pub fn publish(folder: &Path) {
    let public = folder.join("public");
    for name in ["feed", "requests", "offers", "ledger/requests/tile/0"] {
        fs::create_dir_all(public.join(name)).unwrap();
    }
    fs::write(public.join("feed/a.json"), "{\"entries\":[]}").unwrap();
    fs::write(public.join("ledger/requests/tile/0/000"), [7; 8192]).unwrap();
    fs::write(public.join("requests/r1.json"), r#"{"state":"published","closes":"2999-01-01T00:00:00Z"}"#)
        .unwrap();
}

pub fn world() -> World {
    world_with(Limits::default())
}

pub fn world_with(limits: Limits) -> World {
    let keep = tempfile::tempdir().unwrap();
    publish(keep.path());
    let mut world = start(keep.path(), limits);
    world._keep = Some(keep);
    world
}

pub fn start(folder: &Path, limits: Limits) -> World {
    logs();
    let folder = folder.to_owned();
    let (stop, stopped) = oneshot::channel();
    let (told, address) = std::sync::mpsc::channel();
    let at = folder.clone();
    let server = std::thread::spawn(move || {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async move {
            let spool = SpoolConfig::new(
                at.join("spool"),
                8 << 30,
                Arc::new(Machine),
                Arc::new(Counting(AtomicU64::new(1))),
            );
            let mut config =
                PublicConfig::new(at.join("public"), Spool::open(spool).unwrap(), Arc::new(Machine));
            config.limits = limits;
            config.files.pages = Pages::of(Part::Resident, crate::pages::FILES);
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            told.send(listener.local_addr().unwrap()).unwrap();
            serve(listener, config, async {
                let _ = stopped.await;
            })
            .await
            .unwrap();
        });
    });
    World { folder, address: address.recv().unwrap(), stop: Some(stop), server: Some(server), _keep: None }
}

impl World {
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Stops the server and waits for it.
    pub fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(server) = self.server.take() {
            server.join().unwrap();
        }
    }

    pub fn spool(&self) -> PathBuf {
        self.folder.join("spool")
    }

    pub fn connect(&self) -> TcpStream {
        connect(self.address)
    }

    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        ask(self.address, method, path, headers, body)
    }

    /// Creates an upload to `r1` and returns its path.
    pub fn create(&self, length: u64) -> String {
        create(self.address, length)
    }

    pub fn patch(&self, path: &str, offset: u64, body: &[u8]) -> Answer {
        patch(self.address, path, offset, body)
    }

    /// The offset, once nobody writes any more.
    pub fn offset(&self, path: &str) -> u64 {
        offset(self.address, path)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        drop(self.stop.take());
    }
}

pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

pub fn head(method: &str, path: &str, headers: &[(&str, &str)]) -> String {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: test\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    text
}

pub fn ask(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut stream = connect(address);
    let length = body.len().to_string();
    let mut all = headers.to_vec();
    all.push(("connection", "close"));
    if !headers.iter().any(|(name, _)| matches!(*name, "content-length" | "transfer-encoding")) {
        all.push(("content-length", &length));
    }
    stream.write_all(head(method, path, &all).as_bytes()).unwrap();
    let _ = stream.write_all(body);
    read_answer(&mut stream, method == "HEAD").expect("an answer")
}

/// Reads one answer; `None` when the line ends first.
pub fn read_answer(stream: &mut TcpStream, no_body: bool) -> Option<Answer> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => bytes.push(byte[0]),
            _ => return None,
        }
    }
    let text = String::from_utf8(bytes).unwrap();
    let mut lines = text.split("\r\n");
    let status: u16 = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: HashMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length = headers.get("content-length").map_or(0, |n| n.parse().unwrap());
    let mut body = vec![0; if no_body || status == 304 { 0 } else { length }];
    stream.read_exact(&mut body).ok()?;
    Some(Answer { status, headers, body })
}

pub fn create(address: SocketAddr, length: u64) -> String {
    let length = length.to_string();
    let headers = [("tus-resumable", "1.0.0"), ("upload-length", &length), ("upload-metadata", &metadata())];
    let answer = ask(address, "POST", "/uploads", &headers, b"");
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.headers["location"].clone()
}

/// Metadata that is let in: the request `r1` and a key of 32 bytes.
pub fn metadata() -> String {
    // base64("AAAA…" as base64url of 32 zero bytes)
    format!("destination cjE=,offer_key {}", base64_of(&"A".repeat(43)))
}

pub fn base64_of(text: &str) -> String {
    use base64::Engine;
    base64::prelude::BASE64_STANDARD.encode(text)
}

pub fn patch_headers(offset: u64) -> Vec<(&'static str, String)> {
    vec![
        ("tus-resumable", "1.0.0".into()),
        ("content-type", "application/offset+octet-stream".into()),
        ("upload-offset", offset.to_string()),
    ]
}

pub fn patch(address: SocketAddr, path: &str, offset: u64, body: &[u8]) -> Answer {
    let headers = patch_headers(offset);
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    ask(address, "PATCH", path, &headers, body)
}

pub fn offset(address: SocketAddr, path: &str) -> u64 {
    for _ in 0..200 {
        let answer = ask(address, "HEAD", path, &[("tus-resumable", "1.0.0")], b"");
        if answer.status == 423 {
            std::thread::sleep(Duration::from_millis(25));
            continue;
        }
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["cache-control"], "no-store");
        return answer.headers["upload-offset"].parse().unwrap();
    }
    panic!("the upload stayed busy");
}

/// Bytes without a short period.
pub fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        })
        .collect()
}

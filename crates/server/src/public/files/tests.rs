use std::fs;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::body::to_bytes;

use super::*;

struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

struct World {
    folder: tempfile::TempDir,
    clock: Arc<Hand>,
    files: Files,
}

fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    for sub in ["feed", "ledger/requests/tile/0", "requests"] {
        fs::create_dir_all(folder.path().join(sub)).unwrap();
    }
    let clock = Arc::new(Hand(AtomicI64::new(1_000_000)));
    let mut config = FilesConfig::new(folder.path(), Arc::clone(&clock) as Arc<dyn Clock>);
    config.memory = 64 << 10;
    config.memory_file = 16 << 10;
    World { folder, clock, files: Files::new(config) }
}

impl World {
    fn write(&self, name: &str, bytes: &[u8]) {
        let tmp = self.folder.path().join(".tmp");
        fs::write(&tmp, bytes).unwrap();
        fs::rename(tmp, self.folder.path().join(name)).unwrap();
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        pairs: &[(&str, &str)],
    ) -> (StatusCode, HeaderMap, Vec<u8>) {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.insert(
                axum::http::HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        let (parts, body) = self.files.respond(&method, path, &map).await.into_parts();
        (parts.status, parts.headers, to_bytes(body, 1 << 24).await.unwrap().to_vec())
    }
}

#[tokio::test]
async fn a_file_is_served_then_unchanged_then_replaced() {
    let w = world();
    w.write("feed/a.json", b"{\"v\":1}");
    let (status, headers, body) = w.ask(Method::GET, "/feed/a.json", &[]).await;
    assert_eq!((status, body.as_slice()), (StatusCode::OK, b"{\"v\":1}".as_slice()));
    for (name, value) in [
        ("content-type", "application/json"),
        ("cache-control", "public, max-age=10"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("access-control-allow-origin", "*"),
        ("vary", "accept-encoding"),
    ] {
        assert_eq!(headers[name], value);
    }
    assert!(headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    assert!(!headers.contains_key("set-cookie") && !headers.contains_key("server"));
    let tag = headers["etag"].to_str().unwrap().to_owned();
    let (status, headers, body) = w.ask(Method::GET, "/feed/a.json", &[("if-none-match", &tag)]).await;
    assert_eq!((status, body.len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(headers["etag"], tag.as_str());
    w.write("feed/a.json", b"{\"v\":2}");
    let (_, _, body) = w.ask(Method::GET, "/feed/a.json", &[]).await;
    assert_eq!(body, b"{\"v\":1}", "not looked at again within 250 ms");
    w.clock.0.fetch_add(250, Ordering::Relaxed);
    let (status, headers, body) = w.ask(Method::GET, "/feed/a.json", &[("if-none-match", &tag)]).await;
    assert_eq!((status, body.as_slice()), (StatusCode::OK, b"{\"v\":2}".as_slice()));
    assert_ne!(headers["etag"], tag.as_str());
    fs::remove_file(w.folder.path().join("feed/a.json")).unwrap();
    w.clock.0.fetch_add(250, Ordering::Relaxed);
    assert_eq!(w.ask(Method::GET, "/feed/a.json", &[]).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn head_and_ranges_in_memory_and_from_disk() {
    let w = world();
    let large: Vec<u8> = (0..100_000u32).map(|n| (n % 251) as u8).collect();
    w.write("feed/large.json", &large);
    w.write("feed/small.json", &large[..1000]);
    for (path, whole) in [("/feed/large.json", &large[..]), ("/feed/small.json", &large[..1000])] {
        let (status, headers, body) = w.ask(Method::GET, path, &[]).await;
        assert_eq!((status, body.as_slice()), (StatusCode::OK, whole));
        let tag = headers["etag"].to_str().unwrap().to_owned();
        let (status, headers, body) = w.ask(Method::HEAD, path, &[]).await;
        assert_eq!((status, body.len()), (StatusCode::OK, 0));
        assert_eq!(headers["content-length"], whole.len().to_string().as_str());
        let (status, headers, body) = w.ask(Method::GET, path, &[("range", "bytes=10-19")]).await;
        assert_eq!((status, body.as_slice()), (StatusCode::PARTIAL_CONTENT, &whole[10..20]));
        assert_eq!(headers["content-range"], format!("bytes 10-19/{}", whole.len()).as_str());
        let (status, _, body) =
            w.ask(Method::GET, path, &[("range", "bytes=-5"), ("if-range", tag.as_str())]).await;
        assert_eq!((status, body.as_slice()), (StatusCode::PARTIAL_CONTENT, &whole[whole.len() - 5..]));
        let (status, _, body) =
            w.ask(Method::GET, path, &[("range", "bytes=0-1"), ("if-range", "\"x\"")]).await;
        assert_eq!((status, body.len()), (StatusCode::OK, whole.len()));
        let (status, headers, _) = w.ask(Method::GET, path, &[("range", "bytes=900000-")]).await;
        assert_eq!(status, StatusCode::RANGE_NOT_SATISFIABLE);
        assert_eq!(headers["content-range"], format!("bytes */{}", whole.len()).as_str());
    }
}

#[tokio::test]
async fn compressed_siblings_by_what_is_accepted_and_only_when_fresh() {
    let w = world();
    w.write("feed/a.json", b"plain");
    w.write("feed/a.json.gz", b"gzipped");
    w.write("feed/a.json.br", b"brotli");
    let (_, headers, body) = w.ask(Method::GET, "/feed/a.json", &[("accept-encoding", "gzip, br")]).await;
    assert_eq!(
        (headers["content-encoding"].to_str().unwrap(), body.as_slice()),
        ("br", b"brotli".as_slice())
    );
    let br = headers["etag"].clone();
    let (_, headers, body) = w.ask(Method::GET, "/feed/a.json", &[("accept-encoding", "gzip, br;q=0")]).await;
    assert_eq!(
        (headers["content-encoding"].to_str().unwrap(), body.as_slice()),
        ("gzip", b"gzipped".as_slice())
    );
    assert_ne!(headers["etag"], br);
    let (_, headers, body) = w.ask(Method::GET, "/feed/a.json", &[]).await;
    assert_eq!((headers.get("content-encoding"), body.as_slice()), (None, b"plain".as_slice()));
    // A new version whose siblings are still the old ones.
    std::thread::sleep(std::time::Duration::from_millis(20));
    w.write("feed/a.json", b"newer");
    w.clock.0.fetch_add(250, Ordering::Relaxed);
    let (_, headers, body) = w.ask(Method::GET, "/feed/a.json", &[("accept-encoding", "gzip, br")]).await;
    assert_eq!((headers.get("content-encoding"), body.as_slice()), (None, b"newer".as_slice()));
}

#[tokio::test]
async fn links_folders_and_dot_files_are_nothing() {
    let w = world();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret.json"), b"secret").unwrap();
    std::os::unix::fs::symlink(outside.path(), w.folder.path().join("feed/linked")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret.json"), w.folder.path().join("feed/link.json"))
        .unwrap();
    fs::create_dir(w.folder.path().join("feed/folder.json")).unwrap();
    fs::write(w.folder.path().join("feed/.dot.json"), b"dot").unwrap();
    for path in [
        "/feed/linked/secret.json",
        "/feed/link.json",
        "/feed/folder.json",
        "/feed/.dot.json",
        "/feed/x.json",
    ] {
        let (status, headers, body) = w.ask(Method::GET, path, &[]).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(headers["content-type"], "application/problem+json");
        assert!(!String::from_utf8_lossy(&body).contains("feed"), "a refusal repeats no address");
    }
    let (status, headers, _) = w.ask(Method::POST, "/feed/x.json", &[]).await;
    assert_eq!(
        (status, headers["allow"].to_str().unwrap()),
        (StatusCode::METHOD_NOT_ALLOWED, "GET, HEAD, OPTIONS")
    );
    assert_eq!(w.ask(Method::OPTIONS, "/feed/x.json", &[]).await.0, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn memory_stays_bounded() {
    let w = world();
    for n in 0..40 {
        w.write(&format!("feed/{n}.json"), &vec![b'x'; 8 << 10]);
        assert_eq!(w.ask(Method::GET, &format!("/feed/{n}.json"), &[]).await.0, StatusCode::OK);
        assert!(w.files.cache.weight() <= 64 << 10);
    }
}

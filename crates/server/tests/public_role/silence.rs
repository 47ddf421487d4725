//! Looking is invisible: after ten thousand marked reads, nothing the server wrote or logged holds a mark.

use std::fs;
use std::io::Write;
use std::path::Path;

use crate::support::{base64_of, head, logs, metadata, patch_headers, read_answer, world};

const MARKS: [&str; 6] =
    ["198.51.100.", "marked-agent", "marked-path", "marked-query", "marked-cookie", "marked-referer"];

#[test]
fn ten_thousand_marked_reads_leave_no_trace() {
    let mut w = world();
    let mut stream = w.connect();
    for n in 0..10_000 {
        let path = match n % 5 {
            0 => format!("/feed/a.json?marked-query-{n}"),
            1 => format!("/feed/marked-path-{n}.json"),
            2 => format!("/offers/marked-path-{n}.json"),
            3 => "/ledger/requests/tile/0/000".to_owned(),
            _ => format!("/../marked-path-{n}"),
        };
        let address = format!("198.51.100.{}", n % 256);
        let headers = [
            ("x-forwarded-for", address.as_str()),
            ("forwarded", "for=198.51.100.7"),
            ("user-agent", "marked-agent/1"),
            ("cookie", "id=marked-cookie"),
            ("referer", "http://marked-referer/"),
        ];
        stream.write_all(head("GET", &path, &headers).as_bytes()).unwrap();
        let answer = read_answer(&mut stream, false).expect("an answer");
        assert_eq!(answer.status, if matches!(n % 5, 0 | 3) { 200 } else { 404 }, "{path}");
        assert!(!answer.headers.contains_key("set-cookie") && !answer.headers.contains_key("server"));
        assert_eq!(answer.headers["referrer-policy"], "no-referrer");
    }
    marked_writes(&w);
    w.stop();
    let mut files = 0;
    search(&w.folder, &mut files);
    assert!(files >= 6, "only {files} files were searched");
    let logged = String::from_utf8_lossy(&logs().lock().unwrap()).into_owned();
    assert!(logged.contains("the public role listens"), "logs are captured");
    for mark in MARKS.iter().chain(&["/uploads/", "/feed/", "127.0.0.1"]) {
        assert!(!logged.contains(mark), "{mark} was logged");
    }
}

/// Writes that succeed, fail and break, with the same marks.
fn marked_writes(w: &crate::support::World) {
    let marks = [("user-agent", "marked-agent/1"), ("x-forwarded-for", "198.51.100.9")];
    let metadata = metadata();
    let with = |more: &[(&'static str, String)]| -> Vec<(&'static str, String)> {
        let marked = marks.iter().map(|(n, v)| (*n, (*v).to_owned()));
        marked.chain(more.iter().cloned()).collect()
    };
    let borrowed = |headers: &[(&'static str, String)]| -> Vec<(&'static str, String)> { headers.to_vec() };
    let ask = |method: &str, path: &str, headers: &[(&'static str, String)], body: &[u8]| {
        let held = borrowed(headers);
        let headers: Vec<_> = held.iter().map(|(n, v)| (*n, v.as_str())).collect();
        w.ask(method, path, &headers, body)
    };
    let new = with(&[
        ("tus-resumable", "1.0.0".into()),
        ("upload-length", "6".into()),
        ("upload-metadata", metadata.clone()),
    ]);
    let whole = ask("POST", "/uploads", &new, b"").headers["location"].clone();
    assert_eq!(ask("PATCH", &whole, &with(&patch_headers(0)), b"abcdef").status, 204);
    let half = ask("POST", "/uploads", &new, b"").headers["location"].clone();
    assert_eq!(ask("PATCH", &half, &with(&patch_headers(0)), b"abc").status, 204);
    assert_eq!(ask("PATCH", &half, &with(&patch_headers(0)), b"abc").status, 409);
    let refused = with(&[
        ("tus-resumable", "1.0.0".into()),
        ("upload-length", "6".into()),
        ("upload-metadata", format!("{metadata},marked-path {}", base64_of("marked-path"))),
    ]);
    assert_eq!(ask("POST", "/uploads", &refused, b"").status, 400);
    let message = crate::messages::message("answer", "sealed");
    let json = with(&[("content-type", "application/json".into())]);
    assert_eq!(ask("POST", "/messages?marked-query", &json, message.as_bytes()).status, 202);
    assert_eq!(ask("POST", "/messages", &json, b"{\"marked-path\":1}").status, 400);
    let mut broken = w.connect();
    broken.write_all(b"GET /marked-path HTTP/9.9\r\nmarked-agent\r\n\r\n").unwrap();
}

fn search(folder: &Path, files: &mut usize) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        assert!(MARKS.iter().all(|mark| !name.contains(mark)), "{name}");
        if entry.file_type().unwrap().is_dir() {
            search(&entry.path(), files);
            continue;
        }
        *files += 1;
        let text = String::from_utf8_lossy(&fs::read(entry.path()).unwrap()).into_owned();
        for mark in MARKS.iter().chain(&["127.0.0.1"]) {
            assert!(!text.contains(mark), "{mark} stands in {name}");
        }
    }
}

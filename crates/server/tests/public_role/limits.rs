//! Slow and broken clients, and a server that is told to stop.

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

use canvass_server::public::spool::{Spool, SpoolConfig};
use canvass_server::public::{Limits, MAX_OFFER_BYTES, PublicConfig};
use canvass_types::Policy;

use crate::support::{Counting, Machine, head, noise, patch_headers, read_answer, start, world, world_with};

fn quick() -> Limits {
    Limits {
        header: Duration::from_millis(300),
        body: Duration::from_millis(400),
        grace: Duration::from_millis(300),
        ..Limits::default()
    }
}

/// Sends the head of a PATCH that announces `length` bytes.
fn begin(stream: &mut std::net::TcpStream, path: &str, offset: u64, length: usize) {
    let mut headers = patch_headers(offset);
    headers.push(("content-length", length.to_string()));
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    stream.write_all(head("PATCH", path, &headers).as_bytes()).unwrap();
}

#[test]
fn a_head_that_never_ends_is_cut() {
    let w = world_with(quick());
    for opening in ["", "GET /feed/a.json HTTP/1.1\r\nHost: test\r\nX-Slow: "] {
        let mut stream = w.connect();
        stream.write_all(opening.as_bytes()).unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&rest));
    }
    // Too many, and too long.
    let many: Vec<(String, String)> = (0..200).map(|n| (format!("x-{n}"), "1".into())).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(w.ask("GET", "/feed/a.json", &many, b"").status, 431);
}

#[test]
fn a_body_that_stalls_is_answered_and_kept() {
    let w = world_with(quick());
    let upload = w.create(1000);
    let mut stream = w.connect();
    begin(&mut stream, &upload, 0, 1000);
    stream.write_all(b"abc").unwrap();
    let answer = read_answer(&mut stream, false).unwrap();
    assert_eq!(answer.status, 408, "{}", answer.text());
    assert_eq!(w.offset(&upload), 3);
    let mut stream = w.connect();
    stream
        .write_all(
            head("POST", "/messages", &[("content-type", "application/json"), ("content-length", "9")])
                .as_bytes(),
        )
        .unwrap();
    assert_eq!(read_answer(&mut stream, false).unwrap().status, 408);
}

#[test]
fn a_broken_connection_keeps_what_arrived() {
    let w = world();
    let bytes = noise(5_000_000);
    let upload = w.create(bytes.len() as u64);
    let mut stream = w.connect();
    begin(&mut stream, &upload, 0, bytes.len());
    stream.write_all(&bytes[..3_333_333]).unwrap();
    let data = w.spool().join("open").join(upload.rsplit('/').next().unwrap()).join("data");
    for _ in 0..400 {
        if std::fs::metadata(&data).unwrap().len() > 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    // While it is under way nobody else may write.
    let busy = w.patch(&upload, 0, b"x");
    assert_eq!(busy.status, 423, "{}", busy.text());
    drop(stream);
    assert_eq!(w.offset(&upload), 3_333_333);
    assert_eq!(w.patch(&upload, 3_333_333, &bytes[3_333_333..]).status, 204);
    let id = upload.rsplit('/').next().unwrap();
    assert_eq!(std::fs::read(w.spool().join("done").join(id).join("data")).unwrap(), bytes);
}

#[test]
fn told_to_stop_it_keeps_what_arrived_and_goes_on_later() {
    // Only being cut ends the body: no window closes before.
    let mut w = world_with(Limits { grace: Duration::from_millis(100), ..Limits::default() });
    let bytes = noise(2_000_000);
    let upload = w.create(bytes.len() as u64);
    let mut stream = w.connect();
    begin(&mut stream, &upload, 0, bytes.len());
    stream.write_all(&bytes[..1_500_000]).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    w.stop();
    let again = start(&w.folder, quick());
    let held = again.offset(&upload);
    assert_eq!(held, 1_500_000);
    assert_eq!(again.patch(&upload, held, &bytes[1_500_000..]).status, 204);
}

/// Figures: `cargo test -p canvass-server --test public_role -- --ignored --nocapture throughput`.
#[test]
#[ignore = "measures; writes two gigabytes"]
#[expect(clippy::disallowed_methods, reason = "it measures real time")]
fn throughput_against_a_plain_write() {
    use std::time::Instant;
    const UNIT: usize = 1 << 20;
    let total = std::env::var("CANVASS_MEASURE_MIB").ok().and_then(|n| n.parse().ok()).unwrap_or(1024usize);
    let w = world();
    let unit = noise(UNIT);
    let mut ratios = Vec::new();
    for round in 0..3 {
        let plain = w.folder.join("plain");
        let begun = Instant::now();
        let mut file = std::fs::File::create(&plain).unwrap();
        for _ in 0..total {
            file.write_all(&unit).unwrap();
        }
        file.sync_all().unwrap();
        let raw = begun.elapsed().as_secs_f64();
        std::fs::remove_file(plain).unwrap();
        let upload = w.create((total * UNIT) as u64);
        let begun = Instant::now();
        let mut stream = w.connect();
        begin(&mut stream, &upload, 0, total * UNIT);
        for _ in 0..total {
            stream.write_all(&unit).unwrap();
        }
        let answer = read_answer(&mut stream, false).unwrap();
        let ours = begun.elapsed().as_secs_f64();
        assert_eq!(answer.status, 204);
        let id = upload.rsplit('/').next().unwrap();
        std::fs::remove_dir_all(w.spool().join("done").join(id)).unwrap();
        println!(
            "round {round}: plain {:.0} MiB/s, upload {:.0} MiB/s, ratio {:.2}",
            total as f64 / raw,
            total as f64 / ours,
            raw / ours
        );
        ratios.push(raw / ours);
    }
}

/// Figures: `cargo test -p canvass-server --test public_role -- --ignored --nocapture reads`.
#[test]
#[ignore = "measures"]
#[expect(clippy::disallowed_methods, reason = "it measures real time")]
fn reads_of_the_feed() {
    use std::time::Instant;
    let w = world();
    std::fs::write(w.folder.join("public/feed/b.json"), noise(4096)).unwrap();
    let request = head("GET", "/feed/b.json", &[]);
    let begun = Instant::now();
    let (threads, each) = (16u32, 10_000u32);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut stream = w.connect();
                let mut buffer = vec![0; 16 << 10];
                let mut expected = 0;
                for _ in 0..each {
                    stream.write_all(request.as_bytes()).unwrap();
                    let mut got = 0;
                    loop {
                        got += stream.read(&mut buffer[got..]).unwrap();
                        if expected == 0 {
                            let end = buffer[..got].windows(4).position(|four| four == b"\r\n\r\n");
                            expected = end.map_or(0, |end| end + 4 + 4096);
                        }
                        if got == expected {
                            break;
                        }
                    }
                }
            });
        }
    });
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "{:.0} reads a second over {threads} connections, 4 KiB each",
        f64::from(threads * each) / seconds
    );
}

#[test]
fn the_published_policy_says_how_large_an_upload_may_be_and_how_long_it_is_kept() {
    let w = world();
    let told = |w: &crate::support::World| {
        w.ask("OPTIONS", "/uploads", &[], b"").headers.get("tus-max-size").cloned()
    };
    assert_eq!(told(&w), Some(MAX_OFFER_BYTES.to_string()));
    let mut policy = Policy::default();
    (policy.give.clips, policy.give.upload_hours) = (3, 5);
    let public = w.folder.join("public");
    std::fs::write(public.join("policy.json"), serde_json::to_string(&policy).unwrap()).unwrap();
    assert_eq!(told(&w), Some(policy.give.envelope_bytes().to_string()));

    let kept = |root: &std::path::Path| {
        let at = tempfile::tempdir().unwrap();
        let spool = SpoolConfig::new(at.path(), 1 << 30, Arc::new(Machine), Arc::new(Counting::default()));
        PublicConfig::new(root, Spool::open(spool).unwrap(), Arc::new(Machine)).expires_after
    };
    assert_eq!(kept(&public), Duration::from_secs(5 * 3_600));
    assert_eq!(kept(&w.folder.join("spool")), Duration::from_secs(48 * 3_600), "as the default policy");
}

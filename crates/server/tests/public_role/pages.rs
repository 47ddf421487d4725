//! The pages over real sockets: which addresses have one, what their headers say, and that a region's reading page stands
//! in its shell.

use std::fs;

use canvass_server::pages::File;

use crate::support::{Answer, World, world};

const SHELL: &[u8] = b"<!doctype html><title>Canvass</title><div id=\"app\"><!--reading--></div>";

/// What a build of the pages looks like.
pub const FILES: &[File] = &[
    file("/assets/index-1.css", b"body{}"),
    File {
        path: "/assets/index-1.js",
        plain: b"export{};export{};",
        br: Some(b"in brotli"),
        gzip: Some(b"gzipped"),
    },
    file("/assets/text-1.woff2", b"font"),
    file("/desk.html", b"<!doctype html><title>desk</title>"),
    file("/icon.svg", b"<svg/>"),
    file("/index.html", SHELL),
    file("/manifest.webmanifest", b"{}"),
    file("/sw.js", b"//"),
];

const fn file(path: &'static str, plain: &'static [u8]) -> File {
    File { path, plain, br: None, gzip: None }
}

const REGION: &str = "/r/832a36fffffffff";

fn get(w: &World, path: &str, headers: &[(&str, &str)]) -> Answer {
    w.ask("GET", path, headers, b"")
}

fn publish(w: &World, name: &str, text: &str) {
    let folder = w.folder.join("public");
    fs::write(folder.join(".new"), text).unwrap();
    fs::rename(folder.join(".new"), folder.join(name)).unwrap();
    // Files that are held are looked at again after a quarter of a second.
    std::thread::sleep(std::time::Duration::from_millis(300));
}

#[test]
fn each_address_of_a_page_answers_with_the_shell() {
    let w = world();
    for path in [
        "/",
        "/offer",
        "/ledger",
        "/check",
        "/notify",
        "/footage/rules",
        "/footage/error-rates",
        REGION,
        "/r/832830fffffffff",
        "/?utm=1",
    ] {
        let page = get(&w, path, &[]);
        assert_eq!((page.status, page.body.as_slice()), (200, SHELL), "{path}");
        for (name, value) in [
            ("content-type", "text/html; charset=utf-8"),
            ("cache-control", "no-cache"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("vary", "accept-encoding"),
        ] {
            assert_eq!(page.headers[name], value, "{path}");
        }
        assert!(page.headers["permissions-policy"].contains("geolocation=()"));
        assert!(page.headers["permissions-policy"].contains("camera=()"));
        for absent in ["set-cookie", "server", "access-control-allow-origin"] {
            assert!(!page.headers.contains_key(absent), "{absent}");
        }
        let again = get(&w, path, &[("if-none-match", &page.headers["etag"])]);
        assert_eq!((again.status, again.body.len()), (304, 0), "{path}");
        assert_eq!(again.headers["content-security-policy"], page.headers["content-security-policy"]);
        let head = w.ask("HEAD", path, &[], b"");
        assert_eq!((head.status, head.body.len()), (200, 0));
        assert_eq!(head.headers["content-length"], SHELL.len().to_string());
        assert_eq!(w.ask("POST", path, &[], b"").status, 405, "{path}");
    }
}

#[test]
fn nothing_else_is_a_page() {
    let w = world();
    for path in [
        "/index.html",
        "/desk",
        "/desk/",
        "/desk.html",
        "/offer/",
        "/ledger/",
        "/r/",
        "/r/832a36ffffffff",
        "/r/832A36FFFFFFFFF",
        "/r/832a36fffffffff/",
        "/r/../feed/a.json",
        "/r/832a36fffffffff/../../policy.json",
        "/assets/",
        "/assets/../index.html",
        "/assets/%2e%2e/index.html",
        "/assets/index-1.js.br",
        "/assets//index-1.js",
        "/site",
    ] {
        assert_eq!(get(&w, path, &[]).status, 404, "{path}");
    }
    // The files keep their addresses.
    assert_eq!(get(&w, "/feed/a.json", &[]).text(), "{\"entries\":[]}");
    assert_eq!(get(&w, "/ledger/requests/tile/0/000", &[]).body.len(), 8192);
}

#[test]
fn what_pages_load_is_kept_as_long_as_its_name_says() {
    let w = world();
    for (path, kind, kept) in [
        ("/assets/index-1.css", "text/css; charset=utf-8", "public, max-age=31536000, immutable"),
        ("/assets/index-1.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        ("/assets/text-1.woff2", "font/woff2", "public, max-age=31536000, immutable"),
        ("/icon.svg", "image/svg+xml", "public, max-age=3600"),
        ("/manifest.webmanifest", "application/manifest+json", "public, max-age=3600"),
        ("/sw.js", "text/javascript; charset=utf-8", "no-cache"),
    ] {
        let found = get(&w, path, &[]);
        assert_eq!(found.status, 200, "{path}");
        assert_eq!(
            (found.headers["content-type"].as_str(), found.headers["cache-control"].as_str()),
            (kind, kept)
        );
        assert_eq!(found.headers["x-content-type-options"], "nosniff");
    }
    let br = get(&w, "/assets/index-1.js", &[("accept-encoding", "gzip, br")]);
    assert_eq!(
        (br.headers["content-encoding"].as_str(), br.body.as_slice()),
        ("br", b"in brotli".as_slice())
    );
    let gzip = get(&w, "/assets/index-1.js", &[("accept-encoding", "gzip")]);
    assert_eq!(
        (gzip.headers["content-encoding"].as_str(), gzip.body.as_slice()),
        ("gzip", b"gzipped".as_slice())
    );
    assert_ne!(br.headers["etag"], gzip.headers["etag"]);
    let same =
        get(&w, "/assets/index-1.js", &[("accept-encoding", "br"), ("if-none-match", &br.headers["etag"])]);
    assert_eq!(same.status, 304);
}

#[test]
fn a_page_may_load_from_here_alone() {
    let w = world();
    let policy = get(&w, "/", &[]).headers["content-security-policy"].clone();
    for part in [
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types default svelte-trusted-html",
    ] {
        assert!(policy.split(';').any(|one| one.trim() == part), "{part} in {policy}");
    }
    assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"));
    // A worker is bound by the policy of its own script.
    assert_eq!(get(&w, "/assets/index-1.js", &[]).headers["content-security-policy"], policy);
    assert_eq!(get(&w, "/sw.js", &[]).headers["content-security-policy"], policy);
    assert!(get(&w, "/icon.svg", &[]).headers["content-security-policy"].starts_with("default-src 'none'"));
}

#[test]
fn the_operators_map_is_let_in_and_nothing_besides() {
    let w = world();
    let own = get(&w, "/", &[]).headers["content-security-policy"].clone();
    let tiles = r#"{"base_map":{"kind":"raster","url":"https://tiles.example:8443/{z}/{x}/{y}.png?k=1"}}"#;
    publish(&w, "site.json", tiles);
    let policy = get(&w, REGION, &[]).headers["content-security-policy"].clone();
    assert_eq!(policy.matches("https://tiles.example:8443").count(), 2, "{policy}");
    assert!(policy.contains("img-src 'self' data: blob: https://tiles.example:8443;"), "{policy}");
    assert!(policy.contains("connect-src 'self' https://tiles.example:8443;"), "{policy}");
    assert_eq!(get(&w, "/", &[]).headers["content-security-policy"], policy, "held pages follow");
    for odd in [
        "not json",
        r#"{"base_map":{"url":"/maps/town.pmtiles"}}"#,
        r#"{"base_map":{"url":"data:text/html,x; script-src *"}}"#,
        r#"{"base_map":{"kind":"shipped"}}"#,
    ] {
        publish(&w, "site.json", odd);
        assert_eq!(get(&w, "/", &[]).headers["content-security-policy"], own, "{odd}");
    }
    let sly = r#"{"base_map":{"url":"https://a.example;script-src *\r\nx: y/"}}"#;
    publish(&w, "site.json", sly);
    let policy = get(&w, "/", &[]).headers["content-security-policy"].clone();
    assert!(!policy.contains("script-src *") && !policy.contains("x: y"), "{policy}");
}

#[test]
fn a_map_of_the_operators_own_is_read_in_ranges() {
    let w = world();
    fs::create_dir(w.folder.join("public/maps")).unwrap();
    let map: Vec<u8> = (0..6_000_000u32).map(|n| (n % 251) as u8).collect();
    fs::write(w.folder.join("public/maps/town.pmtiles"), &map).unwrap();
    let part = get(&w, "/maps/town.pmtiles", &[("range", "bytes=5000000-5000009")]);
    assert_eq!((part.status, part.body.as_slice()), (206, &map[5_000_000..5_000_010]));
    assert_eq!(part.headers["content-range"], "bytes 5000000-5000009/6000000");
    assert_eq!(part.headers["content-type"], "application/vnd.pmtiles");
    let same = [("range", "bytes=0-6"), ("if-range", part.headers["etag"].as_str())];
    assert_eq!(get(&w, "/maps/town.pmtiles", &same).status, 206);
    fs::write(w.folder.join("public/.new"), &map[1..]).unwrap();
    fs::rename(w.folder.join("public/.new"), w.folder.join("public/maps/town.pmtiles")).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    let new = get(&w, "/maps/town.pmtiles", &same);
    assert_eq!((new.status, new.body.len()), (200, 5_999_999), "another map is given whole");
    assert_ne!(new.headers["etag"], part.headers["etag"]);
}

#[test]
fn a_reading_page_stands_in_its_shell_and_is_replaced_with_it() {
    let w = world();
    let bare = get(&w, REGION, &[]);
    let long = "<p>Garage burglary on Elm Street</p>".repeat(100);
    publish(&w, "feed/832a36fffffffff.html", &long);
    let page = get(&w, REGION, &[]);
    assert_eq!(page.text(), String::from_utf8_lossy(SHELL).replace("<!--reading-->", &long));
    assert_ne!(page.headers["etag"], bare.headers["etag"]);
    assert_eq!(get(&w, REGION, &[("if-none-match", &bare.headers["etag"])]).status, 200);
    for encoding in ["br", "gzip"] {
        let packed = get(&w, REGION, &[("accept-encoding", encoding)]);
        assert_eq!(packed.headers["content-encoding"], encoding);
        assert!(packed.body.len() < 400, "{} bytes", packed.body.len());
    }
    // Other addresses are as they were; the fragment by itself is none.
    assert_eq!(get(&w, "/", &[]).body, SHELL);
    assert_eq!(get(&w, "/r/832830fffffffff", &[]).body, SHELL);
    assert_eq!(get(&w, "/feed/832a36fffffffff.html", &[]).status, 404);
    publish(&w, "feed/index.html", "<p>regions</p>");
    assert!(get(&w, "/", &[]).text().contains("<p>regions</p>"));
    fs::remove_file(w.folder.join("public/feed/832a36fffffffff.html")).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(get(&w, REGION, &[]).body, SHELL);
}

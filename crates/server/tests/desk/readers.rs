//! The feed, read by stock readers as they come: PyPI's feedparser for Atom, Python's own JSON for GeoJSON.

use serde_json::Value;

use crate::support::{Agency, Canvass};

/// The Python with the stock clients, if it has this module.
pub fn python_with(module: &str) -> Option<String> {
    let python = std::env::var("CANVASS_PYTHON").unwrap_or_else(|_| "python3".into());
    let probe = std::process::Command::new(&python).args(["-c", &format!("import {module}")]).output();
    if probe.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    println!("skipped: no Python with {module} (CANVASS_PYTHON; `cargo xtask setup` makes one)");
    None
}

const SCRIPT: &str = r#"
import gzip, json, sys, urllib.error, urllib.request
import feedparser

base, region, request = sys.argv[1:4]

def get(path, **headers):
    return urllib.request.urlopen(urllib.request.Request(base + path, headers=headers))

# Atom, through feedparser's own fetching.
url = f"{base}/feed/{region}.atom"
feed = feedparser.parse(url)
assert not feed.bozo, feed.bozo_exception
assert feed.status == 200 and feed.version == "atom10", (feed.status, feed.version)
assert feed.feed.title and feed.feed.id and feed.feed.updated_parsed, feed.feed
assert len(feed.entries) == 1, len(feed.entries)
entry = feed.entries[0]
assert request in entry.id + entry.link and entry.title and entry.updated_parsed, entry
assert feed.etag
again = feedparser.parse(url, etag=feed.etag)
assert again.status == 304 and not again.entries, again.status

# GeoJSON (RFC 7946).
answer = get(f"/feed/{region}.geojson")
assert answer.headers.get_content_type() == "application/geo+json", answer.headers
collection = json.load(answer)
assert collection["type"] == "FeatureCollection" and "crs" not in collection
assert len(collection["features"]) == 1
for feature in collection["features"]:
    assert feature["type"] == "Feature" and isinstance(feature["properties"], dict)
    assert isinstance(feature["id"], str) and request in feature["id"]
    assert feature["geometry"]["type"] == "Polygon"
    for at, ring in enumerate(feature["geometry"]["coordinates"]):
        assert len(ring) >= 4 and ring[0] == ring[-1]
        assert all(-180 <= x <= 180 and -90 <= y <= 90 for x, y in ring)
        turn = sum((b[0] - a[0]) * (b[1] + a[1]) for a, b in zip(ring, ring[1:]))
        assert (turn < 0) == (at == 0), "outer rings are counterclockwise (section 3.1.6)"

# Compressed siblings, and what a client holds already.
for kind in ("json", "geojson", "atom"):
    path = f"/feed/{region}.{kind}"
    plain = get(path)
    assert plain.headers["Content-Encoding"] is None and "accept-encoding" in plain.headers["Vary"].lower()
    packed = get(path, **{"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip", packed.headers
    assert packed.headers["ETag"] != plain.headers["ETag"]
    assert gzip.decompress(packed.read()) == plain.read()
    assert get(path, **{"Accept-Encoding": "br, gzip"}).headers["Content-Encoding"] == "br"
    for held, asks in ((plain, {}), (packed, {"Accept-Encoding": "gzip"})):
        try:
            get(path, **asks, **{"If-None-Match": held.headers["ETag"]})
            raise AssertionError("no 304")
        except urllib.error.HTTPError as answer:
            assert answer.code == 304 and answer.read() == b"", answer.code
            assert answer.headers["ETag"] == held.headers["ETag"]
    assert get(path, **{"If-None-Match": '"other"'}).status == 200
"#;

#[tokio::test(flavor = "multi_thread")]
async fn stock_readers_take_the_feed_as_it_is_served() {
    let Some(python) = python_with("feedparser") else { return };
    let mut canvass = Canvass::start().await;
    let agency = Agency::new(&canvass).await;
    let (request, _) = agency.publish(&canvass, "26-23").await;
    let index = canvass.public_file("/feed/index.json", |file: &Value| !file["regions"][0].is_null()).await;
    let region = index["regions"][0]["region"].as_str().unwrap().to_owned();
    let script = canvass.folder.path().join("read.py");
    std::fs::write(&script, SCRIPT).unwrap();
    let mut command = std::process::Command::new(python);
    command.arg(script).args([&canvass.public, &region, &request]);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    canvass.stop().await;
}

//! Stock clients, as residents' tools may use them. Skipped where they are not installed: `CANVASS_PYTHON` names a
//! Python with tuspy, `CANVASS_NODE_MODULES` a folder with tus-js-client.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{World, noise, world};

const PYTHON: &str = r#"
import sys
from tusclient import client
url, path = sys.argv[1], sys.argv[2]
metadata = {"destination": "r1", "offer_key": "A" * 43}
first = client.TusClient(url).uploader(path, chunk_size=1_000_000, metadata=metadata)
first.upload(stop_at=1_500_000)
held = first.offset
assert 0 < held < 3_000_000, held
second = client.TusClient(url).uploader(path, chunk_size=1_000_000, url=first.url, upload_checksum=True)
assert second.offset == held, (second.offset, held)
second.upload()
print(second.url)
"#;

const NODE: &str = r#"
const tus = require("tus-js-client");
const fs = require("fs");
const [url, path] = process.argv.slice(2);
const options = {
  endpoint: url, chunkSize: 1000000, retryDelays: [0, 200],
  metadata: { destination: "r1", offer_key: "A".repeat(43) },
  onError(error) { console.error(String(error)); process.exit(1); },
};
const first = new tus.Upload(fs.readFileSync(path), { ...options,
  onChunkComplete(size, accepted) {
    if (accepted < 1000000) return;
    first.abort().then(() => {
      const second = new tus.Upload(fs.readFileSync(path), { ...options, uploadUrl: first.url,
        onSuccess() { console.log(second.url); process.exit(0); } });
      second.start();
    });
  },
});
first.start();
"#;

fn run(w: &World, mut command: Command, script: &Path, bytes: &[u8]) {
    let path = w.folder.join("offer.bin");
    fs::write(&path, bytes).unwrap();
    let output = command.arg(script).arg(w.url("/uploads")).arg(&path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let url = String::from_utf8(output.stdout).unwrap();
    let id = url.trim().rsplit('/').next().unwrap();
    assert_eq!(fs::read(w.spool().join("done").join(id).join("data")).unwrap(), bytes);
}

#[test]
fn tuspy_uploads_and_resumes() {
    let python = std::env::var("CANVASS_PYTHON").unwrap_or_else(|_| "python3".into());
    let there = Command::new(&python).args(["-c", "import tusclient"]).output();
    if !there.is_ok_and(|output| output.status.success()) {
        println!("skipped: no Python with tuspy (CANVASS_PYTHON)");
        return;
    }
    let w = world();
    let script = w.folder.join("client.py");
    fs::write(&script, PYTHON).unwrap();
    run(&w, Command::new(python), &script, &noise(3_000_000));
}

#[test]
fn tus_js_client_uploads_and_resumes() {
    let modules = std::env::var("CANVASS_NODE_MODULES").unwrap_or_default();
    if !Path::new(&modules).join("tus-js-client").is_dir() {
        println!("skipped: no folder with tus-js-client (CANVASS_NODE_MODULES)");
        return;
    }
    let w = world();
    let script = w.folder.join("client.cjs");
    fs::write(&script, NODE).unwrap();
    let mut command = Command::new("node");
    command.env("NODE_PATH", modules);
    run(&w, command, &script, &noise(3_000_000));
}

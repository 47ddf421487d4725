//! The vectors under `vectors/tus`: most are malformed, each with the status it must get.

use serde::Deserialize;

use crate::support::{metadata, world};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    name: String,
    method: String,
    /// `{upload}` is an upload of ten bytes of which `abcd` has arrived.
    path: String,
    headers: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    body: String,
    status: u16,
    /// A word that the answer must hold, such as the field at fault.
    #[serde(default)]
    says: String,
    /// Where the upload must stand afterwards.
    offset: Option<u64>,
}

#[test]
fn every_vector_gets_its_status() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/tus");
    let mut run = 0;
    let w = world();
    for file in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if file.extension().is_none_or(|kind| kind != "json") {
            continue;
        }
        let vectors: Vec<Vector> = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        for vector in vectors {
            let upload = w.create(10);
            assert_eq!(w.patch(&upload, 0, b"abcd").status, 204);
            let headers: Vec<(&str, String)> = vector
                .headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.replace("{metadata}", &metadata())))
                .collect();
            let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
            let path = vector.path.replace("{upload}", &upload);
            let answer = w.ask(&vector.method, &path, &headers, vector.body.as_bytes());
            let name = format!("{}: {}", file.file_name().unwrap().display(), vector.name);
            assert_eq!(answer.status, vector.status, "{name}: {}", answer.text());
            assert_eq!(answer.headers["tus-resumable"], "1.0.0", "{name}");
            assert_eq!(answer.headers["access-control-allow-origin"], "*", "{name}");
            if answer.status >= 400 && vector.method != "HEAD" {
                assert_eq!(answer.headers["content-type"], "application/problem+json", "{name}");
                assert!(answer.text().contains("\"remedy\""), "{name}");
            }
            let whole = format!("{:?}{}", answer.headers, answer.text());
            assert!(whole.contains(&vector.says), "{name}: {whole}");
            if let Some(offset) = vector.offset {
                assert_eq!(w.offset(&upload), offset, "{name}");
            }
            w.ask("DELETE", &upload, &[("tus-resumable", "1.0.0")], b"");
            run += 1;
        }
    }
    assert!(run >= 40, "only {run} vectors");
}

//! Which offers the public role lets in: those to a published Request or an open portal, known from the static files
//! alone.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use axum::http::StatusCode;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use canvass_types::{Clock, GiveLimits};
use jiff::Timestamp;
use serde::Deserialize;

use super::files::open_plain;
use super::tus::{Admission, Announced};
use crate::problem::Problem;

/// Bytes of the largest Clip file (60 GB), while no policy is published.
pub const MAX_CLIP_BYTES: u64 = 60_000_000_000;
/// Clips of one Offer, while no policy is published.
pub const MAX_CLIPS: u64 = 25;
/// Bytes of the largest sealed Offer while no policy is published: its Clips, and a thousandth more for the seal (16 bytes in 64 KiB), the archive
/// and its manifests.
pub const MAX_OFFER_BYTES: u64 = MAX_CLIPS * MAX_CLIP_BYTES / 1000 * 1001;

/// Characters of the longest invitation.
const MAX_INVITATION: usize = 200;
/// The published policy, in the folder that is served.
const POLICY: &str = "policy.json";
/// Bytes of the largest policy file read.
const MAX_POLICY_FILE: u64 = 64 << 10;
/// Bytes of the largest request or portal file read.
const MAX_DESTINATION_FILE: u64 = 1 << 20;

/// What an Offer says of itself in the clear, in `Upload-Metadata`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferMetadata {
    /// The Request or portal it answers.
    pub destination: String,
    /// The Offer's public key (Ed25519).
    pub offer_key: [u8; 32],
    /// The private invitation it comes by.
    pub invitation: Option<String>,
}

impl OfferMetadata {
    /// Reads decoded metadata; a key that is not known is refused by name.
    ///
    /// # Errors
    /// The problem names the key at fault.
    pub fn parse(metadata: &BTreeMap<String, String>) -> Result<Self, Problem> {
        let known = ["destination", "offer_key", "invitation"];
        if let Some(other) = metadata.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(bad(
                other,
                "the key is not known",
                "send destination, offer_key and perhaps invitation",
            ));
        }
        let destination = metadata.get("destination").filter(|id| is_id(id)).ok_or_else(|| {
            bad("destination", "it is missing or no id", "send the id of the request or portal")
        })?;
        let offer_key = metadata
            .get("offer_key")
            .and_then(|key| BASE64_URL_SAFE_NO_PAD.decode(key).ok())
            .and_then(|key| <[u8; 32]>::try_from(key).ok())
            .ok_or_else(|| {
                bad(
                    "offer_key",
                    "it is missing or not 32 bytes",
                    "send the Ed25519 public key in base64url, unpadded",
                )
            })?;
        let invitation = metadata.get("invitation").cloned();
        if invitation.as_ref().is_some_and(|text| text.chars().count() > MAX_INVITATION) {
            return Err(bad(
                "invitation",
                "it is longer than 200 characters",
                "send it as it stands in the link",
            ));
        }
        Ok(Self { destination: destination.clone(), offer_key, invitation })
    }
}

fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

fn bad(key: &str, detail: &str, remedy: &str) -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "bad-metadata",
        "The upload's metadata is not complete or not known",
    )
    .field(format!("Upload-Metadata {key}"))
    .detail(detail)
    .remedy(remedy)
}

/// Lets in Offers to what is published in the public folder at this moment.
pub struct PublishedDestinations {
    root: PathBuf,
    clock: Arc<dyn Clock>,
    limit: Mutex<Option<Limit>>,
}

/// What `policy.json` said when it was last read.
#[derive(Clone, Copy)]
struct Limit {
    /// Which file it was: when it was changed, and its length.
    file: (SystemTime, u64),
    bytes: u64,
}

/// The part of the published policy that decides.
#[derive(Deserialize)]
struct PublishedPolicy {
    give: GiveLimits,
}

/// What an offer may hold, as `policy.json` in the folder that is served says; none when it is absent or not readable.
pub(super) fn published_limits(root: &Path) -> Option<GiveLimits> {
    let file = open_plain(&root.join(POLICY)).ok()?;
    let mut bytes = Vec::new();
    file.take(MAX_POLICY_FILE).read_to_end(&mut bytes).ok()?;
    match serde_json::from_slice::<PublishedPolicy>(&bytes) {
        Ok(policy) => Some(policy.give),
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            tracing::error!(line, column, "the published policy is not readable; start the private role");
            None
        }
    }
}

/// The members of a request or portal file that decide.
#[derive(Deserialize)]
struct Destination {
    state: String,
    #[serde(default)]
    closes: Option<Timestamp>,
}

impl PublishedDestinations {
    /// Reads `requests/<id>.json`, `portals/<id>.json` and `policy.json` below `root`, the folder that is served. Offers
    /// may have as many bytes as the policy says; [`MAX_OFFER_BYTES`] while none is published.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>, clock: Arc<dyn Clock>) -> Self {
        Self { root: root.into(), clock, limit: Mutex::new(None) }
    }

    /// Bytes of the largest offer by the published policy, which is read again when its file changed. One that can't be
    /// read leaves the last one in force.
    fn limit(&self) -> u64 {
        let mut known = self.limit.lock().unwrap_or_else(PoisonError::into_inner);
        let last = known.map_or(MAX_OFFER_BYTES, |limit| limit.bytes);
        let stat = std::fs::symlink_metadata(self.root.join(POLICY));
        let file = match stat.and_then(|stat| Ok((stat.modified()?, stat.len()))) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                *known = None;
                return MAX_OFFER_BYTES;
            }
            Err(_) => return last,
        };
        if known.is_none_or(|limit| limit.file != file) {
            let bytes = published_limits(&self.root).map_or(last, |give| give.envelope_bytes());
            *known = Some(Limit { file, bytes });
            return bytes;
        }
        last
    }

    fn read(&self, folder: &str, id: &str) -> Result<Option<Destination>, Problem> {
        let opened = open_plain(&self.root.join(folder).join(format!("{id}.json")));
        let Ok(file) = opened else { return Ok(None) };
        let mut bytes = Vec::new();
        if file.take(MAX_DESTINATION_FILE).read_to_end(&mut bytes).is_err() {
            return Ok(None);
        }
        serde_json::from_slice(&bytes).map(Some).map_err(|_| {
            tracing::error!(folder, "a published destination is not readable JSON; publish it again");
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "destination-unreadable",
                "The destination is not readable",
            )
            .detail("its published file can't be read at this moment")
            .remedy("try again in a moment")
            .retry_after(30)
        })
    }
}

impl Admission for PublishedDestinations {
    fn admit(&self, announced: &Announced<'_>) -> Result<BTreeMap<String, String>, Problem> {
        let offer = OfferMetadata::parse(announced.metadata)?;
        let limit = self.limit();
        if announced.length > limit {
            return Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "offer-too-large",
                "The offer is too large",
            )
            .field("Upload-Length")
            .detail(format!("the limit is {limit} bytes, sealed"))
            .remedy("send fewer or shorter clips, or split them over two offers"));
        }
        if announced.length == 0 {
            return Err(bad("Upload-Length", "an offer can't be empty", "seal at least one clip"));
        }
        let (found, open) = match self.read("requests", &offer.destination)? {
            Some(request) => (Some(request), "published"),
            None => (self.read("portals", &offer.destination)?, "open"),
        };
        let destination = found.ok_or_else(|| {
            Problem::new(
                StatusCode::NOT_FOUND,
                "destination-unknown",
                "No such request or portal is published",
            )
            .field("Upload-Metadata destination")
            .detail("nothing is published under this id")
            .remedy("open the request again from the map or the link")
        })?;
        if destination.state != open || destination.closes.is_some_and(|closes| closes <= self.clock.now()) {
            return Err(Problem::new(
                StatusCode::GONE,
                "destination-closed",
                "This request or portal takes no more offers",
            )
            .field("Upload-Metadata destination")
            .detail("it is resolved, expired, withheld or closed")
            .remedy("read it again; its contact can say whether footage is still wanted"));
        }
        Ok(BTreeMap::new())
    }

    fn max_size(&self) -> Option<u64> {
        Some(self.limit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;

    impl Clock for Fixed {
        fn now(&self) -> Timestamp {
            "2026-06-01T12:00:00Z".parse().unwrap()
        }
    }

    fn ask(root: &std::path::Path, length: u64, pairs: &[(&str, &str)]) -> Result<(), (u16, String)> {
        let key = BASE64_URL_SAFE_NO_PAD.encode([7; 32]);
        let mut metadata = BTreeMap::from([("offer_key".to_owned(), key)]);
        metadata.extend(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
        let extensions = axum::http::Extensions::new();
        let announced = Announced { length, metadata: &metadata, extensions: &extensions };
        let admitted = PublishedDestinations::new(root, Arc::new(Fixed)).admit(&announced);
        admitted.map(drop).map_err(|problem| (problem.status().as_u16(), problem.to_json()))
    }

    #[test]
    fn the_limit_is_that_of_the_published_policy() {
        let folder = tempfile::tempdir().unwrap();
        let admission = PublishedDestinations::new(folder.path(), Arc::new(Fixed));
        let publish = |text: &str| {
            std::fs::write(folder.path().join("new"), text).unwrap();
            std::fs::rename(folder.path().join("new"), folder.path().join("policy.json")).unwrap();
        };
        assert_eq!(admission.max_size(), Some(MAX_OFFER_BYTES));
        let mut policy = canvass_types::Policy::default();
        (policy.give.clips, policy.give.clip_bytes) = (100, 100_000_000_000);
        publish(&serde_json::to_string(&policy).unwrap());
        let large = policy.give.envelope_bytes();
        assert!(large > MAX_OFFER_BYTES);
        assert_eq!(admission.max_size(), Some(large));
        // One that can't be read leaves the last in force.
        publish("{");
        assert_eq!(admission.max_size(), Some(large));
        (policy.give.clips, policy.give.clip_bytes) = (1, 1_000);
        publish(&serde_json::to_string(&policy).unwrap());
        let small = policy.give.envelope_bytes();
        assert_eq!((admission.max_size(), admission.limit()), (Some(small), small));
        let metadata = BTreeMap::from([
            ("offer_key".to_owned(), BASE64_URL_SAFE_NO_PAD.encode([7; 32])),
            ("destination".to_owned(), "open".to_owned()),
        ]);
        let extensions = axum::http::Extensions::new();
        let status = |length| {
            let announced = Announced { length, metadata: &metadata, extensions: &extensions };
            admission.admit(&announced).unwrap_err().status().as_u16()
        };
        assert_eq!((status(small + 1), status(small)), (413, 404));
        std::fs::remove_file(folder.path().join("policy.json")).unwrap();
        assert_eq!(admission.max_size(), Some(MAX_OFFER_BYTES));
    }

    #[test]
    fn only_open_destinations_take_offers() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("requests/open.json", r#"{"state":"published","closes":"2026-06-02T00:00:00Z","more":[1]}"#),
            ("requests/over.json", r#"{"state":"published","closes":"2026-06-01T00:00:00Z"}"#),
            ("requests/done.json", r#"{"state":"resolved","closes":"2026-06-02T00:00:00Z"}"#),
            ("requests/odd.json", "{"),
            ("portals/door.json", r#"{"state":"open"}"#),
            ("portals/shut.json", r#"{"state":"closed"}"#),
        ] {
            std::fs::create_dir_all(folder.path().join(name).parent().unwrap()).unwrap();
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let status = |id| ask(folder.path(), 10, &[("destination", id)]).map_err(|(status, _)| status);
        assert_eq!(status("open"), Ok(()));
        assert_eq!(status("door"), Ok(()));
        assert_eq!(status("over"), Err(410));
        assert_eq!(status("done"), Err(410));
        assert_eq!(status("shut"), Err(410));
        assert_eq!(status("none"), Err(404));
        assert_eq!(status("odd"), Err(503));
        for odd in ["", "../requests/open", "open.json", &"a".repeat(65)] {
            assert_eq!(status(odd), Err(400), "{odd}");
        }
        let refused = |length, more: &[(&str, &str)]| {
            let pairs: Vec<_> = [("destination", "open")].iter().chain(more).copied().collect();
            ask(folder.path(), length, &pairs).unwrap_err()
        };
        let (code, text) = refused(10, &[("filename", "x")]);
        assert!(code == 400 && text.contains("filename"), "{text}");
        assert_eq!(refused(10, &[("offer_key", "AAAA")]).0, 400);
        assert_eq!(refused(10, &[("invitation", &"i".repeat(201))]).0, 400);
        assert_eq!(refused(0, &[]).0, 400);
        let (code, text) = refused(MAX_OFFER_BYTES + 1, &[]);
        assert!(code == 413 && text.contains("1501500000000"), "{text}");
        assert_eq!(
            ask(folder.path(), MAX_OFFER_BYTES, &[("destination", "open"), ("invitation", "i")]),
            Ok(())
        );
    }
}

//! The laws over both drivers, and what a disk does to them.

use std::{
    fs,
    ops::Range,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use canvass_core::{
    access::{Actor, Gate, ItemRead, Party, Target},
    records::SealedBlob,
};
use canvass_ledger::store::TileStore as _;
use canvass_testkit::{
    ManualClock, MemRecords, SeededEntropy,
    conformance::{
        self,
        blobs::{Driver, Failure},
    },
};
use canvass_types::{Digest, Entropy as _, Role, leaf::Log};
use futures_util::StreamExt as _;
use object_store::{ObjectStore, ObjectStoreExt as _, memory::InMemory};
use tempfile::TempDir;

use crate::{BlobError, BlobStream, Blobs, Tiles, WITHHELD, full::Full};

async fn collect(mut stream: BlobStream) -> Result<Vec<u8>, Failure> {
    let mut sent = Vec::new();
    while let Some(part) = stream.next().await {
        match part {
            Ok(part) => sent.extend(part),
            Err(BlobError::Integrity { .. }) => {
                assert!(stream.next().await.is_none(), "nothing follows an error");
                return Err(Failure::Integrity { sent });
            }
            Err(error) => return Err(failure(error)),
        }
    }
    Ok(sent)
}

fn failure(error: BlobError) -> Failure {
    match error {
        BlobError::Integrity { .. } => Failure::Integrity { sent: vec![] },
        BlobError::Missing { .. } => Failure::Missing,
        BlobError::Range { .. } => Failure::Range,
        BlobError::Taken { .. } => Failure::Taken,
        BlobError::Key => Failure::Key,
        other => Failure::Other(other.to_string()),
    }
}

struct Harness {
    blobs: Blobs,
    folder: TempDir,
    remote: Option<Arc<InMemory>>,
    uploads: AtomicU64,
}

impl Harness {
    fn local() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::local(folder.path().join("sealed")).unwrap();
        Self { blobs, folder, remote: None, uploads: AtomicU64::new(0) }
    }

    fn remote() -> Self {
        let store = Arc::new(InMemory::new());
        let blobs = Blobs::remote(Arc::clone(&store) as Arc<dyn ObjectStore>);
        Self { blobs, folder: tempfile::tempdir().unwrap(), remote: Some(store), uploads: AtomicU64::new(0) }
    }
}

impl Driver for Harness {
    async fn adopt(&self, bytes: &[u8], id: &str) -> Result<SealedBlob, Failure> {
        let number = self.uploads.fetch_add(1, Ordering::Relaxed);
        let upload = self.folder.path().join(format!("upload-{number}"));
        fs::write(&upload, bytes).unwrap();
        let adopted = self.blobs.adopt_file(&upload, id).await.map_err(failure);
        fs::remove_file(&upload).unwrap();
        adopted
    }

    async fn read(&self, blob: &SealedBlob, range: Option<Range<u64>>) -> Result<Vec<u8>, Failure> {
        collect(self.blobs.read_sealed(blob, range, true).await.map_err(failure)?).await
    }

    async fn delete(&self, key: &str) -> Result<(), Failure> {
        self.blobs.delete(key).await.map_err(failure)
    }

    async fn stat(&self, key: &str) -> Result<Option<u64>, Failure> {
        Ok(self.blobs.stat(key).await.map_err(failure)?.map(|stat| stat.bytes))
    }

    async fn list(&self) -> Vec<String> {
        self.blobs.list().map(|stat| stat.unwrap().key).collect().await
    }

    async fn verify(&self, key: &str, sha256: &Digest) -> Result<(), Failure> {
        self.blobs.verify(key, sha256).await.map_err(failure)
    }

    async fn tamper(&self, key: &str, bytes: &[u8]) {
        match &self.remote {
            Some(store) => drop(store.put(&key.into(), bytes.to_vec().into()).await.unwrap()),
            None => fs::write(self.folder.path().join("sealed").join(key), bytes).unwrap(),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn local_blobs_keep_the_laws() {
    conformance::blobs::all(async || Harness::local()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn remote_blobs_keep_the_laws() {
    conformance::blobs::all(async || Harness::remote()).await;
}

#[test]
fn the_suite_and_the_driver_mean_the_same_end() {
    assert_eq!(WITHHELD, conformance::blobs::WITHHELD);
}

#[tokio::test]
async fn evidence_is_read_with_a_grant() {
    let harness = Harness::local();
    let blob = harness.adopt(b"sealed clip", "itm_a").await.unwrap();
    let entropy = SeededEntropy::new(1);
    let agency = canvass_types::AgencyId::random(&entropy);
    let actor = Actor {
        member: canvass_types::MemberId::random(&entropy),
        agency: Some(agency.clone()),
        party: Some(Party::new(agency.as_str(), canvass_types::AgencyClass::Municipal, "US-NH", "")),
        roles: vec![Role::Investigator],
        by: canvass_core::access::By::Token { id: canvass_types::TokenId::random(&entropy), scope: None },
    };
    let (gate, now) = (Gate::shipped().unwrap(), ManualClock::default().time());
    let purpose = canvass_types::Purpose {
        case: Some("26-cr-77".into()),
        ..canvass_types::Purpose::new("case-work", "compare the clip of Elm Street with the report")
    };
    let allow = || {
        let target = Target::of(&agency, "itm_a");
        gate.allow::<ItemRead>(&actor, target, Some(&purpose), now, &entropy).unwrap()
    };
    let records = MemRecords::new();
    let grant = allow().for_blob(&blob).commit(&records).await.unwrap();
    let whole = harness.blobs.read(&grant, None, false).await.unwrap();
    assert_eq!(collect(whole).await.unwrap(), b"sealed clip");
    let part = harness.blobs.read(&grant, Some(7..11), true).await.unwrap();
    assert_eq!(collect(part).await.unwrap(), b"clip");
    let empty = allow().commit(&records).await.unwrap();
    assert!(matches!(harness.blobs.read(&empty, None, false).await, Err(BlobError::Nothing)));
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn an_upload_stays_until_it_is_removed_and_is_closed_to_others() {
    let harness = Harness::local();
    let upload = harness.folder.path().join("upload");
    fs::write(&upload, b"sealed").unwrap();
    fs::set_permissions(&upload, fs::Permissions::from_mode(0o644)).unwrap();
    let blob = harness.blobs.adopt_file(&upload, "off_a").await.unwrap();
    assert!(upload.exists(), "until the offer is recorded, the upload can be adopted again");
    let path = harness.folder.path().join("sealed").join(&blob.blob);
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    fs::remove_file(&upload).unwrap();
    assert_eq!(harness.read(&blob, None).await.unwrap(), b"sealed");
    let missing = harness.blobs.adopt_file(&upload, "off_a").await.unwrap_err();
    assert!(matches!(missing, BlobError::File { .. }));
    std::os::unix::fs::symlink("/etc/hostname", &upload).unwrap();
    assert!(harness.blobs.adopt_file(&upload, "off_a").await.is_err(), "a link is no upload");
    assert!(harness.blobs.adopt_file(harness.folder.path(), "off_a").await.is_err());
}

#[tokio::test]
async fn an_upload_of_another_file_system_is_copied() {
    use std::os::unix::fs::MetadataExt as _;
    let harness = Harness::local();
    let device = |path: &Path| fs::metadata(path).map(|meta| meta.dev()).ok();
    let Ok(other) = tempfile::tempdir_in("/dev/shm") else {
        return println!("skipped: no second file system");
    };
    if device(other.path()) == device(harness.folder.path()) {
        return println!("skipped: no second file system");
    }
    let upload = other.path().join("upload");
    fs::write(&upload, vec![5; 3_000_000]).unwrap();
    for _ in 0..2 {
        let blob = harness.blobs.adopt_file(&upload, "off_a").await.unwrap();
        assert_eq!(harness.read(&blob, None).await.unwrap(), vec![5; 3_000_000]);
    }
    assert_eq!(fs::read_dir(harness.folder.path().join("sealed/staging")).unwrap().count(), 0);
}

#[tokio::test]
async fn what_a_crash_left_half_written_is_no_blob_and_goes() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("sealed");
    drop(Blobs::local(&root).unwrap());
    fs::write(root.join("staging/77-1"), b"half of a cl").unwrap();
    let blobs = Blobs::local(&root).unwrap();
    assert_eq!(fs::read_dir(root.join("staging")).unwrap().count(), 0);
    assert_eq!(blobs.list().count().await, 0);
    // A file that is no blob is shown to a check, and not read.
    fs::write(root.join("blobs/strange"), b"?").unwrap();
    let found: Vec<_> = blobs.list().map(|stat| stat.unwrap().key).collect().await;
    assert_eq!(found, ["blobs/strange"]);
    assert!(matches!(blobs.verify("blobs/strange", &Digest::of(b"?")).await, Err(BlobError::Key)));
}

#[tokio::test(flavor = "multi_thread")]
async fn tiles_keep_the_laws() {
    let parent = tempfile::tempdir().unwrap();
    conformance::tiles::all(async || {
        let public = tempfile::tempdir_in(parent.path()).unwrap().keep();
        Tiles::local(public, Log::Requests).unwrap()
    })
    .await;
}

#[tokio::test]
async fn tiles_are_for_everyone_and_logs_are_apart() {
    let public = tempfile::tempdir().unwrap();
    let requests = Tiles::local(public.path(), Log::Requests).unwrap();
    let oversight = Tiles::local(public.path(), Log::Oversight).unwrap();
    requests.put("tile/0/x001/234", b"a".to_vec()).await.unwrap();
    oversight.put("tile/0/x001/234", b"b".to_vec()).await.unwrap();
    let path = public.path().join("ledger/requests/tile/0/x001/234");
    assert_eq!(fs::read(&path).unwrap(), b"a");
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o644, 0o755));
    assert_eq!(mode(&public.path().join("ledger/requests")), 0o755);

    for note in ["one\n", "two\n"] {
        requests.publish_checkpoint(note).await.unwrap();
        let path = public.path().join("ledger/requests/checkpoint");
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), mode(&path)), (note, 0o644));
    }
    assert!(requests.put("checkpoint", vec![]).await.is_err(), "the head is no object");
    assert!(requests.put("tile/0/000", vec![0; (32 << 20) + 1]).await.is_err());
    assert_eq!(fs::read_dir(public.path().join("ledger/.staging")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_torn_write_aside_is_no_tile() {
    let public = tempfile::tempdir().unwrap();
    let tiles = Tiles::local(public.path(), Log::Requests).unwrap();
    // Killed between writing aside and linking: the name is free, and the same number may come again.
    for number in 0..50 {
        let name = format!("{}-{number}", std::process::id());
        fs::write(public.path().join("ledger/.staging").join(name), b"to").unwrap();
    }
    assert_eq!(tiles.get("tile/0/000").await.unwrap(), None);
    tiles.put("tile/0/000", b"torn".to_vec()).await.unwrap();
    assert_eq!(tiles.get("tile/0/000").await.unwrap().unwrap(), b"torn");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_adopt_the_same_upload_at_once() {
    let harness = Harness::local();
    let upload = harness.folder.path().join("upload");
    let mut bytes = vec![0; 200_000];
    SeededEntropy::new(3).fill(&mut bytes);
    fs::write(&upload, &bytes).unwrap();
    let mut tasks = Vec::new();
    for _ in 0..16 {
        let (blobs, upload) = (harness.blobs.clone(), upload.clone());
        tasks.push(tokio::spawn(async move { blobs.adopt_file(upload, "off_a").await.unwrap() }));
    }
    for task in tasks {
        let blob = task.await.unwrap();
        assert!(harness.read(&blob, None).await.unwrap() == bytes);
    }
    assert_eq!(harness.list().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_runs_full_keeps_no_part_and_takes_it_later() {
    let folder = tempfile::tempdir().unwrap();
    let upload = folder.path().join("upload");
    fs::write(&upload, vec![3; 20_000_000]).unwrap();
    // Full at once, in the middle, and at the last part.
    for room in [0, 9_000_000, 19_999_999] {
        let store = Arc::new(Full::with(room));
        let blobs = Blobs::remote(Arc::clone(&store) as Arc<dyn ObjectStore>);
        let error = blobs.adopt_file(&upload, "off_a").await.unwrap_err();
        assert!(error.to_string().contains("no space"), "{error}");
        assert_eq!(blobs.list().count().await, 0);
        assert!(upload.exists());
        store.room(20_000_000);
        let blob = blobs.adopt_file(&upload, "off_a").await.unwrap();
        blobs.verify(&blob.blob, &blob.sha256).await.unwrap();
        let sent = collect(blobs.read_sealed(&blob, None, false).await.unwrap()).await.unwrap();
        assert_eq!(sent.len(), 20_000_000);
    }
}

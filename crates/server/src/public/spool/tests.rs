use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::Ordering;

use super::*;

struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, buffer: &mut [u8]) {
        let n = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        buffer.iter_mut().zip(n.iter().cycle()).for_each(|(to, from)| *to = *from);
    }
}

struct World {
    folder: tempfile::TempDir,
    clock: Arc<Hand>,
    entropy: Arc<Counting>,
}

fn world() -> World {
    World {
        folder: tempfile::tempdir().unwrap(),
        clock: Arc::new(Hand(AtomicI64::new(1_700_000_000_000))),
        entropy: Arc::new(Counting(AtomicU64::new(1))),
    }
}

impl World {
    fn config(&self) -> SpoolConfig {
        let root = self.folder.path().join("spool");
        SpoolConfig::new(root, 1 << 30, Arc::clone(&self.clock) as _, Arc::clone(&self.entropy) as _)
    }

    fn spool(&self) -> Spool {
        Spool::open(self.config()).unwrap()
    }

    /// As another process sees it.
    fn attached(&self) -> Spool {
        Spool::attach(self.config())
    }

    fn info(&self, length: u64) -> UploadInfo {
        let metadata = BTreeMap::from([("destination".to_owned(), "r1".to_owned())]);
        UploadInfo {
            length,
            metadata,
            notes: BTreeMap::new(),
            created: self.clock.now(),
            expires_after: 3600,
        }
    }
}

async fn send(spool: &Spool, id: &UploadId, bytes: &[u8], whole: bool) -> Result<Outcome, SpoolError> {
    let mut writer = spool.write(id, None).await?;
    writer.push(bytes::Bytes::copy_from_slice(bytes)).await;
    writer.end(whole).await
}

fn message(lookup: &str) -> Message {
    Message {
        lookup: lookup.into(),
        offer_key: "k".into(),
        kind: MessageKind::Withdraw,
        at: "2026-01-01T00:00:00Z".into(),
        body: String::new(),
        signature: "s".into(),
    }
}

#[tokio::test]
async fn an_upload_is_kept_across_restarts_and_handed_over() {
    let w = world();
    let id = w.spool().create(&w.info(6)).unwrap();
    assert!(matches!(send(&w.spool(), &id, b"abc", false).await, Ok(Outcome::More { offset: 3, .. })));
    let spool = w.spool();
    assert_eq!(spool.progress(&id).await.unwrap().offset, 3);
    assert_eq!(spool.done(10).unwrap(), vec![]);
    assert_eq!(send(&spool, &id, b"def", true).await.unwrap(), Outcome::Complete { offset: 6 });
    let done = w.attached().done(10).unwrap();
    assert_eq!(
        (done.len(), &done[0].info, fs::read(&done[0].path).unwrap()),
        (1, &w.info(6), b"abcdef".to_vec())
    );
    assert_eq!(spool.progress(&id).await.unwrap().offset, 6, "known until taken");
    assert!(matches!(spool.terminate(&id).await, Err(SpoolError::Unknown)), "complete uploads are intake's");
    spool.take(&id).unwrap();
    assert!(matches!(spool.progress(&id).await, Err(SpoolError::Unknown)));
    assert_eq!(spool.room(), 1 << 30);
}

#[tokio::test]
async fn only_this_user_may_enter_or_read() {
    let w = world();
    let spool = w.spool();
    let id = spool.create(&w.info(6)).unwrap();
    send(&spool, &id, b"abc", false).await.unwrap();
    spool.put_message(message("l")).await.unwrap();
    let mut folders = vec![w.folder.path().join("spool")];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                files += 1;
                let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
                assert_eq!(mode, 0o600, "{:?}", entry.path());
            }
        }
    }
    assert!(files >= 3);
}

#[tokio::test]
async fn a_part_whose_sum_was_never_confirmed_is_cut_off_after_a_crash() {
    let w = world();
    let spool = w.spool();
    let id = spool.create(&w.info(100)).unwrap();
    send(&spool, &id, b"good", true).await.unwrap();
    let folder = w.folder.path().join("spool/open").join(id.as_str());
    fs::write(folder.join("checking"), "4").unwrap();
    fs::write(folder.join("data"), b"goodunconfirmed").unwrap();
    drop(spool);
    let spool = w.spool();
    assert_eq!(spool.progress(&id).await.unwrap().offset, 4);
    assert_eq!(fs::read(folder.join("data")).unwrap(), b"good");
    assert!(!folder.join("checking").exists());
    let mut writer = spool.write(&id, Some((Algorithm::Sha256, vec![0; 32]))).await.unwrap();
    writer.push(bytes::Bytes::from_static(b"bad")).await;
    assert_eq!(writer.end(true).await.unwrap(), Outcome::Mismatch);
    assert_eq!(spool.progress(&id).await.unwrap().offset, 4);
}

#[tokio::test]
async fn a_complete_upload_that_was_not_moved_is_moved_at_start() {
    let w = world();
    let id = w.spool().create(&w.info(4)).unwrap();
    fs::write(w.folder.path().join("spool/open").join(id.as_str()).join("data"), b"full").unwrap();
    fs::create_dir_all(w.folder.path().join("spool/tmp/half")).unwrap();
    let spool = w.spool();
    assert_eq!(spool.done(1).unwrap()[0].id, id);
    assert!(fs::read_dir(w.folder.path().join("spool/tmp")).unwrap().next().is_none());
}

#[tokio::test]
async fn limits_hold() {
    let w = world();
    let mut config = w.config();
    (config.max_open_uploads, config.max_bytes) = (2, 10);
    let spool = Spool::open(config).unwrap();
    assert!(matches!(spool.create(&w.info(11)), Err(SpoolError::Full(10))));
    let (one, two) = (spool.create(&w.info(8)).unwrap(), spool.create(&w.info(8)).unwrap());
    assert!(matches!(spool.create(&w.info(1)), Err(SpoolError::TooManyOpen(2))));
    assert!(matches!(send(&spool, &one, &[1; 8], true).await, Ok(Outcome::Complete { .. })));
    assert!(matches!(send(&spool, &two, &[1; 8], true).await, Err(SpoolError::Full(10))));
    assert!(matches!(send(&spool, &two, &[1; 9], true).await, Ok(Outcome::TooLong)));
    spool.take(&one).unwrap();
    assert!(matches!(send(&spool, &two, &[1; 8], true).await, Ok(Outcome::Complete { .. })));
    spool.create(&w.info(2)).unwrap();
}

#[tokio::test]
async fn one_writer_and_a_stalled_one_gives_way() {
    let w = world();
    let spool = w.spool();
    let id = spool.create(&w.info(100)).unwrap();
    let mut first = spool.write(&id, None).await.unwrap();
    first.push(bytes::Bytes::from_static(b"one")).await;
    assert!(matches!(spool.write(&id, None).await, Err(SpoolError::Busy)));
    assert!(matches!(spool.terminate(&id).await, Err(SpoolError::Busy)));
    assert!(matches!(spool.progress(&id).await, Err(SpoolError::Busy)));
    assert!(!spool.is_idle());
    w.clock.0.fetch_add(uploads::STALLED_MS, Ordering::Relaxed);
    let cancelled = first.cancelled();
    let stalled = tokio::spawn(async move {
        cancelled.notified().await;
        first.end(false).await
    });
    let second = spool.write(&id, None).await.unwrap();
    assert_eq!(second.offset(), 3);
    assert!(matches!(stalled.await.unwrap(), Ok(Outcome::More { offset: 3, .. })));
    second.end(false).await.unwrap();
    assert!(spool.is_idle());
    spool.terminate(&id).await.unwrap();
    assert!(matches!(spool.write(&id, None).await, Err(SpoolError::Unknown)));
}

#[tokio::test]
async fn expired_uploads_are_refused_then_swept() {
    let w = world();
    let spool = w.spool();
    let (old, young) = (spool.create(&w.info(100)).unwrap(), spool.create(&w.info(100)).unwrap());
    w.clock.0.fetch_add(3_000_000, Ordering::Relaxed);
    send(&spool, &young, b"more", true).await.unwrap();
    assert_eq!(spool.sweep(w.clock.now()).unwrap(), 0);
    w.clock.0.fetch_add(700_000, Ordering::Relaxed);
    assert!(matches!(spool.progress(&old).await, Err(SpoolError::Expired)));
    assert_eq!(spool.sweep(w.clock.now()).unwrap(), 1);
    assert!(matches!(spool.progress(&old).await, Err(SpoolError::Unknown)));
    assert_eq!(spool.progress(&young).await.unwrap().offset, 4);
}

#[tokio::test]
async fn messages_are_bounded_kept_and_dropped() {
    let w = world();
    let mut config = w.config();
    (config.max_messages, config.max_messages_per_lookup) = (5, 3);
    let spool = Spool::open(config).unwrap();
    for _ in 0..3 {
        spool.put_message(message("a")).await.unwrap();
    }
    assert!(matches!(spool.put_message(message("a")).await, Err(SpoolError::TooManyForLookup(3))));
    spool.put_message(message("b")).await.unwrap();
    spool.put_message(message("b")).await.unwrap();
    assert!(matches!(spool.put_message(message("c")).await, Err(SpoolError::TooManyMessages(5))));
    assert!(matches!(Spool::open(w.config()), Err(SpoolError::InUse)), "one process writes");
    let waiting = w.attached().messages(10).unwrap();
    assert_eq!((waiting.len(), &waiting[0].message), (5, &message("a")));
    // Another process drops one; the limit is counted again before it refuses.
    w.attached().drop_message(&waiting[0].id).unwrap();
    w.clock.0.fetch_add(1_000, Ordering::Relaxed);
    spool.put_message(message("c")).await.unwrap();
    assert!(matches!(spool.drop_message(&waiting[0].id), Err(SpoolError::Unknown)));
}

proptest::proptest! {
    #[test]
    fn only_ids_are_ids(text in "[0-9a-fA-F./]{0,40}") {
        let plain = text.len() == 32 && !text.contains(['.', '/']) && text == text.to_lowercase();
        proptest::prop_assert_eq!(UploadId::parse(&text).is_some(), plain);
    }
}

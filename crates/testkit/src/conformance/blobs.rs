//! The laws of a store of sealed bytes. A driver is put behind [`Driver`] by its own tests.

use std::ops::Range;

use canvass_core::records::SealedBlob;
use canvass_types::{Digest, Entropy as _};

use crate::SeededEntropy;

/// How a read or a verification ended other than well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The bytes are not those that were sealed. What came before is `sent`.
    Integrity {
        /// Bytes that were given out before.
        sent: Vec<u8>,
    },
    /// There is no such blob.
    Missing,
    /// The range is not inside the blob.
    Range,
    /// The key is taken by other bytes.
    Taken,
    /// The text is no key.
    Key,
    /// Anything else.
    Other(String),
}

/// A store of sealed bytes, as the suite needs it.
#[expect(async_fn_in_trait, reason = "tests drive it from one task")]
pub trait Driver {
    /// Writes the bytes to a file of its own and adopts that.
    async fn adopt(&self, bytes: &[u8], id: &str) -> Result<SealedBlob, Failure>;
    /// Reads all, or a range with the whole verified first.
    async fn read(&self, blob: &SealedBlob, range: Option<Range<u64>>) -> Result<Vec<u8>, Failure>;
    /// Destroys.
    async fn delete(&self, key: &str) -> Result<(), Failure>;
    /// Length, if it is there.
    async fn stat(&self, key: &str) -> Result<Option<u64>, Failure>;
    /// All keys, in any order.
    async fn list(&self) -> Vec<String>;
    /// Compares the digest.
    async fn verify(&self, key: &str, sha256: &Digest) -> Result<(), Failure>;
    /// What no honest store does: puts other bytes under a key.
    async fn tamper(&self, key: &str, bytes: &[u8]);
}

/// Lengths around the limits of parts and of what is withheld.
const LENGTHS: [usize; 12] =
    [0, 1, 100, 65_535, 65_536, 65_537, 131_072, 262_143, 262_144, 262_145, 1_048_577, 9_000_001];

/// At most so many bytes at the end may be held back from a reader until the digest was compared.
pub const WITHHELD: usize = 65_536;

fn bytes(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    let short = length.min(4_096);
    SeededEntropy::new(length as u64).fill(&mut bytes[..short]);
    for place in short..length {
        bytes[place] = bytes[place - short].wrapping_add(1);
    }
    bytes
}

/// All laws, each over a fresh store.
pub async fn all<D: Driver>(make: impl AsyncFn() -> D) {
    what_is_adopted_comes_back(&make().await).await;
    equal_bytes_of_two_offers_are_two_blobs(&make().await).await;
    adopting_again_changes_nothing(&make().await).await;
    ranges_are_exact(&make().await).await;
    changed_bytes_are_never_given_whole(&make().await).await;
    what_is_destroyed_is_gone(&make().await).await;
    odd_keys_are_refused(&make().await).await;
}

/// Any length comes back as it was, under a key made of its digest and the id.
pub async fn what_is_adopted_comes_back(store: &impl Driver) {
    let mut keys = Vec::new();
    for length in LENGTHS {
        let bytes = bytes(length);
        let blob = store.adopt(&bytes, "off_a").await.unwrap();
        assert_eq!((blob.bytes, blob.sha256), (length as u64, Digest::of(&bytes)));
        let hex = blob.sha256.to_string();
        assert_eq!(blob.blob, format!("blobs/{}/{hex}-off_a", &hex[..2]));
        assert!(store.read(&blob, None).await.unwrap() == bytes, "{length} bytes");
        assert_eq!(store.stat(&blob.blob).await, Ok(Some(length as u64)));
        assert_eq!(store.verify(&blob.blob, &blob.sha256).await, Ok(()));
        keys.push(blob.blob);
    }
    let mut listed = store.list().await;
    listed.sort();
    keys.sort();
    assert_eq!(listed, keys);
}

/// Destroying what one resident gave leaves the other's.
pub async fn equal_bytes_of_two_offers_are_two_blobs(store: &impl Driver) {
    let one = store.adopt(b"the same", "off_a").await.unwrap();
    let two = store.adopt(b"the same", "off_b").await.unwrap();
    assert_ne!(one.blob, two.blob);
    store.delete(&one.blob).await.unwrap();
    assert_eq!(store.read(&one, None).await, Err(Failure::Missing));
    assert_eq!(store.read(&two, None).await, Ok(b"the same".to_vec()));
}

/// A retry after a crash ends as the first try would have; other bytes under the key are never overwritten.
pub async fn adopting_again_changes_nothing(store: &impl Driver) {
    let blob = store.adopt(b"sealed", "off_a").await.unwrap();
    assert_eq!(store.adopt(b"sealed", "off_a").await.unwrap(), blob);
    assert_eq!(store.list().await.len(), 1);
    store.tamper(&blob.blob, b"torn").await;
    assert_eq!(store.adopt(b"sealed", "off_a").await, Err(Failure::Taken));
    assert_eq!(store.stat(&blob.blob).await, Ok(Some(4)));
}

/// A range gives exactly its bytes; one outside the blob is refused.
pub async fn ranges_are_exact(store: &impl Driver) {
    let bytes = bytes(300_000);
    let blob = store.adopt(&bytes, "off_a").await.unwrap();
    for range in [0..1, 0..300_000, 5..262_150, 299_999..300_000, 65_536..131_072] {
        let found = store.read(&blob, Some(range.start as u64..range.end as u64)).await.unwrap();
        assert!(found == bytes[range.clone()], "{range:?}");
    }
    #[expect(clippy::reversed_empty_ranges, reason = "such a range must be refused")]
    for range in [0..0, 5..4, 0..300_001, 300_000..300_001, 0..u64::MAX] {
        assert_eq!(store.read(&blob, Some(range)).await, Err(Failure::Range));
    }
}

/// A changed byte, a missing end or an added one breaks a whole read off before its end, and every verified range.
pub async fn changed_bytes_are_never_given_whole(store: &impl Driver) {
    for length in LENGTHS.into_iter().filter(|length| *length > 0) {
        let whole = bytes(length);
        let blob = store.adopt(&whole, "off_a").await.unwrap();
        let mut wrong = vec![whole[..length - 1].to_vec(), [&whole[..], b"x"].concat(), vec![]];
        for place in [0, length / 2, length - 1] {
            let mut flipped = whole.clone();
            flipped[place] ^= 1;
            wrong.push(flipped);
        }
        for wrong in wrong {
            store.tamper(&blob.blob, &wrong).await;
            match store.read(&blob, None).await {
                Err(Failure::Integrity { sent }) => {
                    assert!(sent.len() <= length.saturating_sub(WITHHELD), "{} of {length} sent", sent.len());
                }
                other => panic!("integrity, not {:?}", other.map(|sent| sent.len())),
            }
            let range = store.read(&blob, Some(0..1)).await;
            assert!(matches!(&range, Err(Failure::Integrity { sent }) if sent.is_empty()), "{range:?}");
            let verified = store.verify(&blob.blob, &blob.sha256).await;
            assert!(matches!(verified, Err(Failure::Integrity { .. })), "{verified:?}");
        }
        store.delete(&blob.blob).await.unwrap();
    }
}

/// Destroying takes effect at once and may be repeated.
pub async fn what_is_destroyed_is_gone(store: &impl Driver) {
    let blob = store.adopt(b"gone", "off_a").await.unwrap();
    for _ in 0..2 {
        store.delete(&blob.blob).await.unwrap();
        assert_eq!(store.stat(&blob.blob).await, Ok(None));
        assert_eq!(store.read(&blob, None).await, Err(Failure::Missing));
        assert_eq!(store.read(&blob, Some(0..1)).await, Err(Failure::Missing));
        assert_eq!(store.verify(&blob.blob, &blob.sha256).await, Err(Failure::Missing));
        assert!(store.list().await.is_empty());
    }
    assert_eq!(store.adopt(b"gone", "off_a").await.unwrap(), blob);
    assert_eq!(store.read(&blob, None).await, Ok(b"gone".to_vec()));
}

/// A text that is no key reaches no file.
pub async fn odd_keys_are_refused(store: &impl Driver) {
    let blob = store.adopt(b"a", "off_a").await.unwrap();
    let up = format!("{}/../../../x", blob.blob);
    for key in ["", "/etc/passwd", "../x", "blobs", "blobs/", "blobs/../x", up.as_str(), "blobs/ca/\u{0}"] {
        assert_eq!(store.delete(key).await, Err(Failure::Key), "{key}");
        assert_eq!(store.stat(key).await, Err(Failure::Key), "{key}");
        assert_eq!(store.verify(key, &blob.sha256).await, Err(Failure::Key), "{key}");
        let odd = SealedBlob { blob: key.to_owned(), ..blob.clone() };
        assert_eq!(store.read(&odd, None).await, Err(Failure::Key), "{key}");
    }
    for id in ["", "A", "a/b", "..", "a-b"] {
        assert_eq!(store.adopt(b"a", id).await, Err(Failure::Key), "{id}");
    }
    assert_eq!(store.list().await.len(), 1);
}

//! Ids of uploads and messages: 128 random bits in lower-case hexadecimal.

use std::fmt::{self, Write};

use canvass_types::Entropy;

/// The id of an upload. Whoever knows it may go on with the upload, so it is never logged.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UploadId(Box<str>);

impl UploadId {
    /// A new id; random, so that it tells nothing of the order of arrival.
    #[must_use]
    pub fn random(entropy: &dyn Entropy) -> Self {
        let bytes: [u8; 16] = canvass_types::env::random(entropy);
        let mut text = String::with_capacity(32);
        for byte in bytes {
            let _ = write!(text, "{byte:02x}");
        }
        Self(text.into())
    }

    /// Reads an id; anything but 32 lower-case hexadecimal digits is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let valid = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        valid.then(|| Self(text.into()))
    }

    /// The id as it stands in addresses and file names.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Shows nothing of the id, so that no log line can leak one.
impl fmt::Debug for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UploadId(…)")
    }
}

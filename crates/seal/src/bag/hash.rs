//! The digests that manifests name.

use sha2::digest::DynDigest;

/// A digest algorithm of a manifest (RFC 8493 section 2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// MD5: detects accidents only.
    Md5,
    /// SHA-1: detects accidents only.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256: what envelopes use.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// All that are known, weakest first.
    pub const ALL: [Self; 6] =
        [Self::Md5, Self::Sha1, Self::Sha224, Self::Sha256, Self::Sha384, Self::Sha512];

    /// As it stands in a file name: `manifest-<name>.txt`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha224 => "sha224",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// From a file name: lower-cased, without punctuation (RFC 8493 section 2.4).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let plain: String =
            name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
        Self::ALL.into_iter().find(|a| a.name() == plain)
    }

    /// Length of a digest in bytes.
    #[must_use]
    pub fn digest_len(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    fn hasher(self) -> Box<dyn DynDigest + Send> {
        match self {
            Self::Md5 => Box::new(md5::Md5::default()),
            Self::Sha1 => Box::new(sha1::Sha1::default()),
            Self::Sha224 => Box::new(sha2::Sha224::default()),
            Self::Sha256 => Box::new(sha2::Sha256::default()),
            Self::Sha384 => Box::new(sha2::Sha384::default()),
            Self::Sha512 => Box::new(sha2::Sha512::default()),
        }
    }
}

/// Several digests of the same bytes.
pub(crate) struct MultiHasher(Vec<(Algorithm, Box<dyn DynDigest + Send>)>);

impl MultiHasher {
    pub(crate) fn new(algorithms: &[Algorithm]) -> Self {
        Self(algorithms.iter().map(|a| (*a, a.hasher())).collect())
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        for (_, hasher) in &mut self.0 {
            hasher.update(bytes);
        }
    }

    pub(crate) fn finish(self) -> Vec<(Algorithm, Vec<u8>)> {
        self.0.into_iter().map(|(a, h)| (a, h.finalize().into_vec())).collect()
    }
}

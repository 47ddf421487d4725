//! Keys that are derived from one key of the server, which lies in its keys folder and never with the records: who has the
//! records alone can forge no message to a webhook, and can't try plates against a safelist.

use std::{fmt, sync::OnceLock};

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::{App, CoreError, ports::Records};

/// The server's key, once it was handed in.
#[derive(Default)]
pub(crate) struct RootKey(OnceLock<[u8; 32]>);

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey")
    }
}

/// HMAC-SHA-256 (RFC 2104).
pub(crate) fn hmac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

impl<R: Records> App<R> {
    /// Hands in the key that others are derived from. The first one counts.
    pub fn derive_from(&self, key: [u8; 32]) {
        let _ = self.root_key().0.set(key);
    }

    /// The key for one use (HKDF-SHA-256, RFC 5869); `what` names use and owner.
    pub(crate) fn derived(&self, what: &str) -> Result<[u8; 32], CoreError> {
        let root = self.root_key().0.get().ok_or_else(|| {
            CoreError::state(
                "this server was started without its key",
                "tell the operator: `keys/derive.key`",
            )
        })?;
        let mut key = [0; 32];
        // 32 bytes are far below the most that HKDF gives.
        let _ = Hkdf::<Sha256>::new(Some(b"canvass/derive/v1"), root).expand(what.as_bytes(), &mut key);
        Ok(key)
    }
}

//! The device's key: ECDSA on P-256 with SHA-256, made by the browser's WebCrypto so that it can't be exported.

use p256::ecdsa::{Signature, VerifyingKey, signature::Verifier as _};

/// What a device's signature begins with, so that it can't be taken for another.
pub const DEVICE_CONTEXT: &str = "canvass/device/v1";

/// Why a device's signature does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// The key is none.
    #[error("the device's key is no point of P-256 in base64url (65 bytes, uncompressed)")]
    Key,
    /// The signature is none, or of another key or text.
    #[error("the signature is not the device's over this ceremony")]
    Signature,
}

/// What the device signs: the context, the desk's origin and the one-use ceremony, each on a line.
#[must_use]
pub fn device_message(origin: &str, ceremony: &str) -> String {
    format!("{DEVICE_CONTEXT}\n{origin}\n{ceremony}")
}

/// Checks that a device signed a ceremony. `key` is the uncompressed point (SEC 1, 65 bytes) and `signature` is `r || s`
/// (IEEE P1363, 64 bytes), as WebCrypto gives them, both in base64url without padding.
///
/// # Errors
/// [`DeviceError`] says which of the two is wrong.
pub fn verify_device(key: &str, signature: &str, origin: &str, ceremony: &str) -> Result<(), DeviceError> {
    let decode = |text: &str| data_encoding::BASE64URL_NOPAD.decode(text.as_bytes());
    let key = decode(key).map_err(|_| DeviceError::Key)?;
    if key.len() != 65 {
        return Err(DeviceError::Key);
    }
    let key = VerifyingKey::from_sec1_bytes(&key).map_err(|_| DeviceError::Key)?;
    let signature = decode(signature).map_err(|_| DeviceError::Signature)?;
    let signature = Signature::from_slice(&signature).map_err(|_| DeviceError::Signature)?;
    key.verify(device_message(origin, ceremony).as_bytes(), &signature).map_err(|_| DeviceError::Signature)
}

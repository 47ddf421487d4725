//! Two keys of the private side: an age identity that opens wishes, and the P-256 key that signs for push services.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use canvass_seal::{Identity, offer::open_text};
use canvass_types::{Entropy, env::random};
use p256::{
    SecretKey,
    elliptic_curve::sec1::ToEncodedPoint as _,
    pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, LineEnding},
};
use zeroize::Zeroizing;

use crate::{
    NoticesError,
    wish::{Wish, WishError},
};

pub(crate) struct Keys {
    wishes: Identity,
    recipient: String,
    vapid: SecretKey,
}

impl Keys {
    pub(crate) fn open(folder: &Path, entropy: &dyn Entropy) -> Result<Self, NoticesError> {
        let told = |source| NoticesError::File { path: folder.to_owned(), source };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(told)?;
        let path = folder.join("notices.key");
        let text = read_or_make(&path, || {
            Identity::from_secret_bytes(&Zeroizing::new(random::<32>(entropy))).ok()?.secret_text()
        })?;
        let wishes = Identity::parse(text.trim()).map_err(|_| NoticesError::Key(path.clone()))?;
        let recipient = wishes.recipient().ok_or(NoticesError::Key(path))?.to_string();
        let path = folder.join("push.key");
        let text = read_or_make(&path, || {
            // Not every 32 bytes are a scalar of the curve; nearly all are.
            let made = (0..8).find_map(|_| SecretKey::from_slice(&random::<32>(entropy)).ok())?;
            made.to_pkcs8_pem(LineEnding::LF).ok()
        })?;
        let vapid = SecretKey::from_pkcs8_pem(text.trim()).map_err(|_| NoticesError::Key(path))?;
        Ok(Self { wishes, recipient, vapid })
    }

    pub(crate) fn recipient(&self) -> String {
        self.recipient.clone()
    }

    pub(crate) fn vapid_public(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.vapid.public_key().to_encoded_point(false).as_bytes())
    }

    /// PKCS #8 of the signing key, for the token of RFC 8292.
    pub(crate) fn vapid_der(&self) -> Option<Zeroizing<Vec<u8>>> {
        self.vapid.to_pkcs8_der().ok().map(|made| Zeroizing::new(made.as_bytes().to_vec()))
    }

    pub(crate) fn open_wish(&self, sealed: &str) -> Result<Wish, WishError> {
        if sealed.len() > crate::MAX_SEALED {
            return Err(WishError::Length);
        }
        let text = open_text(sealed, &self.wishes).map_err(|_| WishError::Sealed)?;
        Wish::parse(&text)
    }
}

fn read_or_make(
    path: &Path,
    make: impl FnOnce() -> Option<Zeroizing<String>>,
) -> Result<Zeroizing<String>, NoticesError> {
    let told = |source| NoticesError::File { path: path.to_owned(), source };
    match fs::read_to_string(path) {
        Ok(text) => return Ok(Zeroizing::new(text)),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(told(error)),
        Err(_) => {}
    }
    let text = make().ok_or_else(|| NoticesError::Key(path.to_owned()))?;
    let tmp = path.with_extension("new");
    let write = || {
        let _ = fs::remove_file(&tmp);
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&tmp)?;
        writeln!(file, "{}", text.trim_end())?;
        file.sync_all()?;
        fs::rename(&tmp, path)?;
        fs::File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(told)?;
    Ok(text)
}

//! The resident's secret for one offer: 32 bytes, from which the key that signs, the mailbox that opens answers, and
//! the public lookup id all follow. Who holds the text holds the offer; nobody else can link the three.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bech32::{Bech32, Hrp};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use crate::bag::hex;
use crate::crypt::{
    DecryptError, EncryptError, Identity, KeyError, Recipient, decrypt_armored, encrypt_armored,
};
use crate::jcs;

/// Human-readable part of the secret's text.
pub const SECRET_PREFIX: &str = "canvass-offer-";
/// Largest text in a mailbox, in bytes.
pub const MAX_TEXT_BYTES: usize = 32 * 1024;
/// Largest body of a signed message, in bytes.
pub const MAX_BODY_BYTES: usize = 48 * 1024;
const MAX_KIND_BYTES: usize = 64;
const SIGN_INFO: &[u8] = b"canvass/offer/sign/v1";
const MAILBOX_INFO: &[u8] = b"canvass/offer/mailbox/v1";
const LOOKUP_DOMAIN: &[u8] = b"canvass/offer/lookup/v1\n";

/// Why a secret, lookup id or message is refused.
#[derive(Debug, thiserror::Error)]
pub enum OfferError {
    /// Not the text of a secret.
    #[error("offer secret: it starts with canvass-offer-1; copy it whole from the receipt page")]
    NotASecret,
    /// Upper and lower case mixed, or a character that can't be.
    #[error("offer secret: the text has a character that can't stand in it; copy it again")]
    Characters,
    /// A typing error.
    #[error("offer secret: the checksum doesn't hold, a character is wrong; compare it with the original")]
    Checksum,
    /// Cut short or run together.
    #[error("offer secret: it holds {0} bytes and not 32; copy it whole")]
    Length(usize),
    /// Deriving failed, which 32 bytes never do.
    #[error("offer secret: a key can't be derived from it; start a new offer")]
    Derive,
    /// Not an Ed25519 public key.
    #[error("offer_key: not an Ed25519 public key in base64url; send the 32 bytes of the offer's key")]
    PublicKey,
    /// A kind that isn't a short word.
    #[error("kind: it has 1 to 64 characters of a-z, 0-9, - . _ /; use one of the known kinds")]
    Kind,
    /// Not a time.
    #[error("at: not an RFC 3339 time; write it as 2026-01-31T12:00:00Z")]
    Time,
    /// A body that is too large.
    #[error("body: {0} bytes and at most {MAX_BODY_BYTES} fit; shorten it")]
    BodyTooLarge(usize),
    /// The lookup id isn't that of the key.
    #[error("lookup: not the id of this offer_key; send the id derived from the key")]
    OtherLookup,
    /// The body isn't the one signed.
    #[error("body_sha256: not the SHA-256 of the body; sign the body that is sent")]
    OtherBody,
    /// The signature doesn't hold.
    #[error("signature: doesn't hold for this message and key; sign it again with the offer's secret")]
    Signature,
    /// The message has no canonical form.
    #[error("message: {0}; report this as a bug")]
    Canonical(String),
    /// A text that is too large for a mailbox.
    #[error("text: {0} bytes and at most {MAX_TEXT_BYTES} fit; shorten it")]
    TextTooLarge(usize),
    /// What was sealed isn't text.
    #[error("mailbox: what was sealed isn't UTF-8 text; ask the sender to write again")]
    NotText,
    /// A key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Sealing a text.
    #[error(transparent)]
    Encrypt(#[from] EncryptError),
    /// Opening a text.
    #[error("mailbox: {0}")]
    Decrypt(#[from] DecryptError),
}

/// The secret of one offer. No `Debug`, no `Display`, wiped when dropped.
#[derive(Clone)]
pub struct OfferSecret(Zeroizing<[u8; 32]>);

impl OfferSecret {
    /// From 32 bytes of entropy.
    #[must_use]
    pub fn new(entropy: &Zeroizing<[u8; 32]>) -> Self {
        Self(entropy.clone())
    }

    /// Reads the text form; white space around it doesn't matter.
    ///
    /// # Errors
    /// An [`OfferError`] that tells a typing error from another text.
    pub fn parse(text: &str) -> Result<Self, OfferError> {
        let text = text.trim();
        let prefixed = text.get(..SECRET_PREFIX.len()).is_some_and(|p| p.eq_ignore_ascii_case(SECRET_PREFIX));
        if !prefixed {
            return Err(OfferError::NotASecret);
        }
        let checked = bech32::primitives::decode::CheckedHrpstring::new::<Bech32>(text).map_err(|e| {
            use bech32::primitives::decode::CheckedHrpstringError as E;
            match e {
                E::Checksum(_) => OfferError::Checksum,
                E::Parse(_) => OfferError::Characters,
                _ => OfferError::Characters,
            }
        })?;
        if !checked.hrp().to_lowercase().eq(SECRET_PREFIX) {
            return Err(OfferError::NotASecret);
        }
        let bytes = Zeroizing::new(checked.byte_iter().take(64).collect::<Vec<u8>>());
        let array: [u8; 32] = bytes.as_slice().try_into().map_err(|_| OfferError::Length(bytes.len()))?;
        Ok(Self(Zeroizing::new(array)))
    }

    /// The text form, `canvass-offer-1…`, wiped when dropped.
    ///
    /// # Errors
    /// [`OfferError::Derive`], which 32 bytes never give.
    pub fn text(&self) -> Result<Zeroizing<String>, OfferError> {
        let hrp = Hrp::parse(SECRET_PREFIX).map_err(|_| OfferError::Derive)?;
        bech32::encode_lower::<Bech32>(hrp, self.0.as_slice())
            .map(Zeroizing::new)
            .map_err(|_| OfferError::Derive)
    }

    fn derive(&self, info: &[u8]) -> Result<Zeroizing<[u8; 32]>, OfferError> {
        let mut out = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(None, self.0.as_slice())
            .expand(info, out.as_mut_slice())
            .map_err(|_| OfferError::Derive)?;
        Ok(out)
    }

    fn signing_key(&self) -> Result<SigningKey, OfferError> {
        Ok(SigningKey::from_bytes(&*self.derive(SIGN_INFO)?))
    }

    /// The public half of the key that signs.
    ///
    /// # Errors
    /// [`OfferError::Derive`], which 32 bytes never give.
    pub fn public_key(&self) -> Result<OfferKey, OfferError> {
        Ok(OfferKey(self.signing_key()?.verifying_key()))
    }

    /// The identity that opens what is sealed to the mailbox.
    ///
    /// # Errors
    /// [`OfferError::Derive`], which 32 bytes never give.
    pub fn mailbox(&self) -> Result<Identity, OfferError> {
        Ok(Identity::from_secret_bytes(&*self.derive(MAILBOX_INFO)?)?)
    }

    /// The recipient of the mailbox.
    ///
    /// # Errors
    /// [`OfferError::Derive`], which 32 bytes never give.
    pub fn mailbox_recipient(&self) -> Result<Recipient, OfferError> {
        self.mailbox()?.recipient().ok_or(OfferError::Derive)
    }

    /// Signs a message of the resident. `at` is RFC 3339.
    ///
    /// # Errors
    /// See [`OfferError`].
    pub fn sign_message(&self, kind: &str, body: &[u8], at: &str) -> Result<SignedMessage, OfferError> {
        let key = self.signing_key()?;
        let public = OfferKey(key.verifying_key());
        let statement = Statement {
            kind: kind.to_owned(),
            lookup: public.lookup(),
            at: at.to_owned(),
            body_sha256: hex(&Sha256::digest(body)),
        };
        statement.check(body)?;
        let signature = key.sign(&jcs::canonical(&statement).map_err(OfferError::Canonical)?);
        Ok(SignedMessage {
            lookup: statement.lookup,
            offer_key: public.text(),
            kind: statement.kind,
            at: statement.at,
            body_sha256: statement.body_sha256,
            signature: URL_SAFE_NO_PAD.encode(signature.to_bytes()),
        })
    }
}

/// The Ed25519 public key of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfferKey(VerifyingKey);

impl OfferKey {
    /// From the 32 bytes of the key. Weak keys, under which anything verifies, are refused.
    ///
    /// # Errors
    /// [`OfferError::PublicKey`].
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, OfferError> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| OfferError::PublicKey)?;
        if key.is_weak() { Err(OfferError::PublicKey) } else { Ok(Self(key)) }
    }

    /// From base64url without padding.
    ///
    /// # Errors
    /// [`OfferError::PublicKey`].
    pub fn parse(text: &str) -> Result<Self, OfferError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| OfferError::PublicKey)?;
        Self::from_bytes(&bytes.as_slice().try_into().map_err(|_| OfferError::PublicKey)?)
    }

    /// The 32 bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// In base64url without padding.
    #[must_use]
    pub fn text(self) -> String {
        URL_SAFE_NO_PAD.encode(self.to_bytes())
    }

    /// The lookup id: base32 (lower case, no padding) of the first 20 bytes of
    /// SHA-256("canvass/offer/lookup/v1\n" || key).
    #[must_use]
    pub fn lookup(self) -> String {
        let digest = Sha256::new().chain_update(LOOKUP_DOMAIN).chain_update(self.to_bytes()).finalize();
        let mut text = data_encoding::BASE32_NOPAD.encode(digest.get(..20).unwrap_or_default());
        text.make_ascii_lowercase();
        text
    }
}

/// Is this the shape of a lookup id: 32 characters of a-z and 2-7?
#[must_use]
pub fn is_lookup(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b))
}

/// What is signed, as canonical JSON (RFC 8785).
#[derive(Serialize)]
struct Statement {
    kind: String,
    lookup: String,
    at: String,
    body_sha256: String,
}

impl Statement {
    fn check(&self, body: &[u8]) -> Result<(), OfferError> {
        let word =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.' | b'_' | b'/');
        if self.kind.is_empty() || self.kind.len() > MAX_KIND_BYTES || !self.kind.bytes().all(word) {
            return Err(OfferError::Kind);
        }
        if self.at.len() > 40 || self.at.parse::<jiff::Timestamp>().is_err() {
            return Err(OfferError::Time);
        }
        if body.len() > MAX_BODY_BYTES {
            return Err(OfferError::BodyTooLarge(body.len()));
        }
        Ok(())
    }
}

/// A signed message of the resident, without its body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedMessage {
    /// Lookup id of the offer.
    pub lookup: String,
    /// The offer's public key, base64url.
    pub offer_key: String,
    /// What it is: `answer`, `withdraw`.
    pub kind: String,
    /// When it was signed, RFC 3339.
    pub at: String,
    /// SHA-256 of the body, lower-case hexadecimal.
    pub body_sha256: String,
    /// Ed25519 signature over canonical JSON of kind, lookup, at and `body_sha256`; base64url.
    pub signature: String,
}

/// Verifies a message against its body, and that the lookup id is that of the key.
///
/// # Errors
/// The first [`OfferError`].
pub fn verify_message(message: &SignedMessage, body: &[u8]) -> Result<OfferKey, OfferError> {
    let key = OfferKey::parse(&message.offer_key)?;
    let statement = Statement {
        kind: message.kind.clone(),
        lookup: message.lookup.clone(),
        at: message.at.clone(),
        body_sha256: message.body_sha256.clone(),
    };
    statement.check(body)?;
    if key.lookup() != message.lookup {
        return Err(OfferError::OtherLookup);
    }
    if hex(&Sha256::digest(body)) != message.body_sha256 {
        return Err(OfferError::OtherBody);
    }
    let signature = URL_SAFE_NO_PAD.decode(&message.signature).map_err(|_| OfferError::Signature)?;
    let signature = Signature::from_slice(&signature).map_err(|_| OfferError::Signature)?;
    let signed = jcs::canonical(&statement).map_err(OfferError::Canonical)?;
    key.0.verify_strict(&signed, &signature).map_err(|_| OfferError::Signature)?;
    Ok(key)
}

/// Seals a small text to a mailbox, or to a request's recipient, as armored age.
///
/// # Errors
/// [`OfferError::TextTooLarge`], or why age refused.
pub fn seal_text(text: &str, recipient: &Recipient) -> Result<String, OfferError> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(OfferError::TextTooLarge(text.len()));
    }
    Ok(encrypt_armored(text.as_bytes(), std::slice::from_ref(recipient))?)
}

/// Opens a small text; it is wiped when dropped.
///
/// # Errors
/// See [`OfferError`].
pub fn open_text(armored: &str, identity: &Identity) -> Result<Zeroizing<String>, OfferError> {
    let mut bytes = decrypt_armored(armored, std::slice::from_ref(identity), MAX_TEXT_BYTES as u64)?;
    match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(e) => {
            e.into_bytes().zeroize();
            Err(OfferError::NotText)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secret(seed: u8) -> OfferSecret {
        OfferSecret::new(&Zeroizing::new([seed; 32]))
    }

    #[test]
    fn the_three_derivations_are_fixed() {
        let secret = secret(7);
        assert!(secret.text().unwrap().starts_with("canvass-offer-1"));
        let public = secret.public_key().unwrap();
        assert!(is_lookup(&public.lookup()));
        assert_eq!(OfferKey::parse(&public.text()).unwrap(), public);
        let again = OfferSecret::parse(&secret.text().unwrap()).unwrap();
        assert_eq!(again.public_key().unwrap(), public);
        assert_eq!(again.mailbox_recipient().unwrap(), secret.mailbox_recipient().unwrap());
    }

    #[test]
    fn a_mailbox_text_comes_back() {
        let secret = secret(1);
        let sealed = seal_text("¿Puede decirnos la hora?", &secret.mailbox_recipient().unwrap()).unwrap();
        assert!(sealed.starts_with("-----BEGIN AGE ENCRYPTED FILE-----"));
        assert_eq!(
            open_text(&sealed, &secret.mailbox().unwrap()).unwrap().as_str(),
            "¿Puede decirnos la hora?"
        );
        assert!(open_text(&sealed, &self::secret(2).mailbox().unwrap()).is_err());
        assert!(matches!(
            seal_text(&"x".repeat(MAX_TEXT_BYTES + 1), &secret.mailbox_recipient().unwrap()),
            Err(OfferError::TextTooLarge(_))
        ));
    }

    #[test]
    fn a_message_holds_only_as_signed() {
        let good = secret(1).sign_message("withdraw", b"body", "2026-01-31T12:00:00Z").unwrap();
        verify_message(&good, b"body").unwrap();
        let long = secret(1).sign_message("answer", &vec![0; MAX_BODY_BYTES + 1], "2026-01-31T12:00:00Z");
        assert!(matches!(long, Err(OfferError::BodyTooLarge(_))));
        assert!(matches!(verify_message(&good, b"other"), Err(OfferError::OtherBody)));
        let other_kind = SignedMessage { kind: "answer".to_owned(), ..good.clone() };
        assert!(matches!(verify_message(&other_kind, b"body"), Err(OfferError::Signature)));
        let other_time = SignedMessage { at: "2026-01-31T12:00:01Z".to_owned(), ..good.clone() };
        assert!(matches!(verify_message(&other_time, b"body"), Err(OfferError::Signature)));
        let key = secret(2).public_key().unwrap();
        let other_key = SignedMessage { offer_key: key.text(), ..good.clone() };
        assert!(matches!(verify_message(&other_key, b"body"), Err(OfferError::OtherLookup)));
        let both = SignedMessage { offer_key: key.text(), lookup: key.lookup(), ..good };
        assert!(matches!(verify_message(&both, b"body"), Err(OfferError::Signature)));
    }

    proptest! {
        #[test]
        fn any_wrong_character_is_noticed(seed in any::<u8>(), at in 15_usize..70, with in "[a-z0-9]") {
            let text = secret(seed).text().unwrap();
            let mut changed = text.to_string();
            prop_assume!(at < changed.len() && changed.get(at..at + 1) != Some(with.as_str()));
            changed.replace_range(at..at + 1, &with);
            prop_assert!(OfferSecret::parse(&changed).is_err());
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            prop_assert!(OfferSecret::parse(&text).is_err());
        }
    }
}

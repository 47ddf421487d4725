//! A passkey in software, for tests: what a browser and its authenticator answer to the options of a ceremony, and the
//! mistakes that a test chooses. Keys come from a number, so that each run is the same.

use data_encoding::BASE64URL_NOPAD as B64;
use p256::ecdsa::{Signature, SigningKey, signature::Signer as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// An authenticator with one key for one user at one relying party.
pub struct Authenticator {
    /// The passkey's private key.
    pub key: SigningKey,
    /// The passkey's id.
    pub id: [u8; 32],
    /// The relying party's id: the host of the origin.
    pub rp: String,
    /// The origin that the browser says.
    pub origin: String,
    /// The signature counter.
    pub counter: u32,
    /// Flags of the authenticator data; [`Self::SEEN`] at first.
    pub flags: u8,
    /// The user handle.
    pub user: [u8; 16],
    /// The browser's own key, which binds sessions to it.
    pub device: SigningKey,
}

const ATTESTED: u8 = 0b100_0000;

impl Authenticator {
    /// Flags: user present, user verified (WebAuthn level 3, section 6.1).
    pub const SEEN: u8 = 0b101;

    /// Authenticator `seed` of a user, in a browser at this origin.
    ///
    /// # Panics
    /// For seed 0, which is no key.
    #[must_use]
    pub fn new(seed: u8, origin: &str, user: [u8; 16]) -> Self {
        let host = origin.split_once("://").map_or(origin, |(_, rest)| rest);
        Self {
            key: SigningKey::from_slice(&[seed; 32]).expect("a number above 0"),
            id: [seed; 32],
            rp: host.split(':').next().unwrap_or_default().to_owned(),
            origin: origin.to_owned(),
            counter: 1,
            flags: Self::SEEN,
            user,
            device: SigningKey::from_slice(&[seed ^ 0x55; 32]).expect("a number above 0"),
        }
    }

    /// Takes the user handle that the options of a registration bring.
    pub fn meet(&mut self, options: &Value) {
        let handle = options["user"]["id"].as_str().unwrap_or_default();
        let handle = B64.decode(handle.as_bytes()).unwrap_or_default();
        self.user = handle.try_into().unwrap_or_default();
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let challenge = options["challenge"].as_str().unwrap_or_default();
        format!(
            r#"{{"type":"webauthn.{kind}","challenge":"{challenge}","origin":"{}","crossOrigin":false}}"#,
            self.origin
        )
        .into_bytes()
    }

    fn head(&self, more: u8) -> Vec<u8> {
        let mut data = Sha256::digest(self.rp.as_bytes()).to_vec();
        data.push(self.flags | more);
        data.extend(self.counter.to_be_bytes());
        data
    }

    fn auth_data(&self) -> Vec<u8> {
        let mut data = self.head(ATTESTED);
        data.extend([0; 16]);
        data.extend(32_u16.to_be_bytes());
        data.extend(self.id);
        let point = self.key.verifying_key().to_encoded_point(false);
        // COSE_Key (RFC 9053 section 7.1.1): kty EC2, alg ES256, crv P-256, x, y.
        data.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend(point.x().unwrap());
        data.extend([0x22, 0x58, 0x20]);
        data.extend(point.y().unwrap());
        data
    }

    /// The answer to the options of a registration.
    #[must_use]
    pub fn register(&self, options: &Value) -> Value {
        self.registration(options, |bytes| bytes)
    }

    /// The same, its attestation object changed.
    #[must_use]
    pub fn registration(&self, options: &Value, change: impl Fn(Vec<u8>) -> Vec<u8>) -> Value {
        let data = self.auth_data();
        // {"fmt": "none", "attStmt": {}, "authData": bytes}
        let mut object = vec![0xa3, 0x63];
        object.extend(b"fmt\x64none\x67attStmt\xa0\x68authData\x58");
        object.push(u8::try_from(data.len()).unwrap());
        object.extend(&data);
        json!({
            "id": B64.encode(&self.id), "rawId": B64.encode(&self.id), "type": "public-key",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": B64.encode(&self.client_data("create", options)),
                "attestationObject": B64.encode(&change(object)),
                "transports": ["internal"],
            },
        })
    }

    /// The answer to the options of an assertion.
    #[must_use]
    pub fn assert(&self, options: &Value) -> Value {
        let data = self.head(0);
        let client = self.client_data("get", options);
        let mut signed = data.clone();
        signed.extend(Sha256::digest(&client));
        let signature: Signature = self.key.sign(&signed);
        json!({
            "id": B64.encode(&self.id), "rawId": B64.encode(&self.id), "type": "public-key",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": B64.encode(&client), "authenticatorData": B64.encode(&data),
                "signature": B64.encode(signature.to_der().as_bytes()),
                "userHandle": B64.encode(&self.user),
            },
        })
    }

    /// The device with its signature over a ceremony, as `FinishSession` has it.
    #[must_use]
    pub fn device(&self, ceremony: &str) -> Value {
        let text = format!("canvass/device/v1\n{}\n{ceremony}", self.origin);
        let signature: Signature = self.device.sign(text.as_bytes());
        let point = self.device.verifying_key().to_encoded_point(false);
        json!({
            "key": B64.encode(point.as_bytes()), "signature": B64.encode(&signature.to_bytes()),
            "name": "a test",
        })
    }

    /// The answer to a sign-in, unlocking or confirmation that began.
    #[must_use]
    pub fn finish(&self, begun: &Value) -> Value {
        let ceremony = begun["ceremony"].as_str().unwrap_or_default();
        json!({
            "ceremony": ceremony, "credential": self.assert(&begun["options"]),
            "device": self.device(ceremony),
        })
    }
}

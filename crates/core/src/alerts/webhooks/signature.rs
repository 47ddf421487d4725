//! Signatures of messages (Standard Webhooks 1.0, symmetric): `v1,` and HMAC-SHA-256 of `id.timestamp.body`, for each secret
//! that counts.

use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::derived::hmac;

/// What a secret begins with, as people see it.
const PREFIX: &str = "whsec_";

/// A secret, as it is shown once.
pub(super) fn secret_text(secret: &[u8; 32]) -> String {
    format!("{PREFIX}{}", BASE64_STANDARD.encode(secret))
}

/// The value of `webhook-signature`.
pub(super) fn sign(secrets: &[[u8; 32]], id: &str, timestamp: i64, body: &str) -> String {
    let timestamp = timestamp.to_string();
    let parts: [&[u8]; 5] = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body.as_bytes()];
    let signed = |secret: &[u8; 32]| format!("v1,{}", BASE64_STANDARD.encode(hmac(secret, &parts)));
    secrets.iter().map(signed).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_other_libraries_make() {
        // Made with `standardwebhooks` 1.1.0 of PyPI: Webhook(secret).sign(id, timestamp, body).
        let secret = *b"canvass webhook secret, 32 bytes";
        assert_eq!(secret_text(&secret), "whsec_Y2FudmFzcyB3ZWJob29rIHNlY3JldCwgMzIgYnl0ZXM=");
        let signed =
            sign(&[secret], "msg_aaaaaaaaaaaaaaaaaaaaaaaaaa", 1_790_000_000, r#"{"type":"alert.raised"}"#);
        assert_eq!(signed, "v1,amyq7WHJltKOKfVhjxu2TucwBkU26wLh/LgXw+7/2rc=");
        let both = sign(
            &[secret, [7; 32]],
            "msg_aaaaaaaaaaaaaaaaaaaaaaaaaa",
            1_790_000_000,
            r#"{"type":"alert.raised"}"#,
        );
        assert_eq!(both.split(' ').next(), Some(signed.as_str()));
        assert_eq!(both.split(' ').count(), 2);
    }
}

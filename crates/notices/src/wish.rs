//! What a resident's device asks for: JSON, padded to one length and sealed to this server, so that the public role can tell
//! neither what it is nor which kind.

use serde::Deserialize;

/// Regions that one subscription may name.
pub const MOST_REGIONS: usize = 12;

/// A wish.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Wish {
    v: u32,
    /// What is wished.
    #[serde(flatten)]
    pub(crate) act: Act,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case")]
pub(crate) enum Act {
    /// Notices by web push.
    Push { regions: Vec<String>, language: String, subscription: PushTarget },
    /// Notices by e-mail, once the address is confirmed.
    Mail { regions: Vec<String>, language: String, address: String },
    /// The address is the subscriber's.
    Confirm { token: String },
    /// No notices any more.
    Stop { token: String },
    /// No notices to this push address any more; who knows it owns it.
    StopPush { endpoint: String },
}

/// A push subscription as browsers give it out (W3C Push API).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, serde::Serialize)]
pub struct PushTarget {
    /// Address of the push service.
    pub endpoint: String,
    /// Keys of the browser.
    pub keys: PushKeys,
}

/// Keys of a push subscription, in base64url.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, serde::Serialize)]
pub struct PushKeys {
    /// Public key, an uncompressed point on P-256.
    pub p256dh: String,
    /// Secret of 16 bytes.
    pub auth: String,
}

/// Why a wish is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WishError {
    /// It is not sealed to this server, or damaged.
    #[error("it can't be opened")]
    Sealed,
    /// It is no wish.
    #[error("it has another form")]
    Form,
    /// Another version.
    #[error("its version is another one than 1")]
    Version,
    /// Too many, none, or something else than regions.
    #[error("its regions are none, too many, or no H3 cells of resolution 3")]
    Regions,
    /// A language without texts.
    #[error("its language is another one than en and es")]
    Language,
    /// Something too long.
    #[error("a text is longer than allowed")]
    Length,
}

impl Wish {
    /// Reads what was sealed.
    ///
    /// # Errors
    /// [`WishError`]; the text itself is never repeated.
    pub fn parse(text: &str) -> Result<Self, WishError> {
        let wish: Self = serde_json::from_str(text).map_err(|_| WishError::Form)?;
        if wish.v != 1 {
            return Err(WishError::Version);
        }
        match &wish.act {
            Act::Push { regions, language, subscription } => {
                check(regions, language)?;
                let keys = &subscription.keys;
                fits(&[&subscription.endpoint, &keys.p256dh, &keys.auth], 1_000)?;
            }
            Act::Mail { regions, language, address } => {
                check(regions, language)?;
                fits(&[address], 254)?;
            }
            Act::Confirm { token } | Act::Stop { token } => fits(&[token], 64)?,
            Act::StopPush { endpoint } => fits(&[endpoint], 1_000)?,
        }
        Ok(wish)
    }
}

fn fits(texts: &[&String], most: usize) -> Result<(), WishError> {
    if texts.iter().all(|text| !text.is_empty() && text.len() <= most) {
        Ok(())
    } else {
        Err(WishError::Length)
    }
}

fn check(regions: &[String], language: &str) -> Result<(), WishError> {
    if !matches!(language, "en" | "es") {
        return Err(WishError::Language);
    }
    let sound =
        !regions.is_empty() && regions.len() <= MOST_REGIONS && regions.iter().all(|one| is_region(one));
    if sound { Ok(()) } else { Err(WishError::Regions) }
}

/// Whether a text has the form of an H3 cell of resolution 3; it then is also safe as the name of a file.
pub(crate) fn is_region(text: &str) -> bool {
    text.len() == 15
        && text.starts_with("83")
        && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_read_with_their_padding() {
        let text = r#"{"v":1,"act":"mail","regions":["832a36fffffffff"],"language":"es","address":"a@b.example","pad":"   "}"#;
        assert!(matches!(Wish::parse(text).unwrap().act, Act::Mail { language, .. } if language == "es"));
        assert!(matches!(Wish::parse(r#"{"v":1,"act":"stop","token":"x"}"#).unwrap().act, Act::Stop { .. }));
    }

    #[test]
    fn malformed_wishes_are_refused_by_name() {
        let mail = |regions: &str, language: &str| {
            format!(
                r#"{{"v":1,"act":"mail","regions":{regions},"language":"{language}","address":"a@b.example"}}"#
            )
        };
        let many = format!("[{}]", vec![r#""832a36fffffffff""#; MOST_REGIONS + 1].join(","));
        for (text, error) in [
            ("".to_owned(), WishError::Form),
            ("[]".to_owned(), WishError::Form),
            (r#"{"v":1,"act":"tell-all"}"#.to_owned(), WishError::Form),
            (r#"{"v":2,"act":"stop","token":"x"}"#.to_owned(), WishError::Version),
            (r#"{"v":1,"act":"stop","token":""}"#.to_owned(), WishError::Length),
            (format!(r#"{{"v":1,"act":"stop","token":"{}"}}"#, "x".repeat(65)), WishError::Length),
            (mail("[]", "en"), WishError::Regions),
            (mail(&many, "en"), WishError::Regions),
            (mail(r#"["../../etc/passw"]"#, "en"), WishError::Regions),
            (mail(r#"["842a36fffffffff"]"#, "en"), WishError::Regions),
            (mail(r#"["832a36fffffffff"]"#, "fr"), WishError::Language),
        ] {
            assert_eq!(Wish::parse(&text).unwrap_err(), error, "{text}");
        }
    }
}

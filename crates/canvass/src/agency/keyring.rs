//! The member's keys, which never leave their own machine: the age identity that opens, and the agency's signing key.

use std::path::{Path, PathBuf};

use canvass_seal::{
    Identity, Recipient,
    group::{identity_file, parse_identity_file},
};
use canvass_types::{PublicKey, env::random};
use data_encoding::BASE64;
use ed25519_dalek::SigningKey;
use zeroize::Zeroizing;

use crate::common::{Context, Failure, create_new, exists, read_limited};

/// Longest key file, in bytes.
const MOST_BYTES: u64 = 64 * 1024;
/// DER before the seed in a PKCS #8 file of Ed25519 (RFC 8410 section 7).
const PKCS8: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

/// The member's age identity.
pub fn identity_path(context: &Context) -> Result<PathBuf, Failure> {
    Ok(context.keyring()?.join("identity.txt"))
}

/// The agency's signing key.
pub fn signing_path(context: &Context) -> Result<PathBuf, Failure> {
    Ok(context.keyring()?.join("agency-signing.key"))
}

/// Reads a file of age identities.
pub fn identities(path: &Path) -> Result<Vec<Identity>, Failure> {
    let bytes = Zeroizing::new(read_limited(path, MOST_BYTES)?);
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Failure::usage(format!("{}: not text; give an identity file", path.display())))?;
    parse_identity_file(text).map_err(|error| Failure::from(error).context(path.display()))
}

/// The member's age identities.
pub fn own(context: &Context) -> Result<Vec<Identity>, Failure> {
    let path = identity_path(context)?;
    if !exists(&path) {
        return Err(Failure::usage(format!(
            "{}: you have no identity; make one with `canvass keygen --out {}` and register it with `canvass member recipient`",
            path.display(),
            path.display()
        )));
    }
    identities(&path)
}

/// The public half of the first identity of a file.
pub fn recipient(identities: &[Identity]) -> Result<Recipient, Failure> {
    identities
        .first()
        .and_then(Identity::recipient)
        .ok_or_else(|| Failure::usage("the identity file holds no X25519 identity"))
}

/// Writes a new age identity into a file that must not exist.
pub fn new_identity(context: &Context, path: &Path) -> Result<Recipient, Failure> {
    let secret = Zeroizing::new(random::<32>(&context.entropy()));
    let identity = Identity::from_secret_bytes(&secret)?;
    let text = identity_file(&identity, &context.now().to_string())?;
    write_new(path, text.as_bytes())?;
    identity.recipient().ok_or_else(|| Failure::new("the identity has no public half; report this as a bug"))
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    use std::io::Write as _;
    let mut file = create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(())
}

/// Makes a signing key in a file that must not exist.
pub fn new_signing_key(context: &Context, path: &Path) -> Result<PublicKey, Failure> {
    let seed = Zeroizing::new(random::<32>(&context.entropy()));
    let key = SigningKey::from_bytes(&seed);
    let public = PublicKey::of(&key);
    let text = Zeroizing::new(format!(
        "# Signing key of an agency (Ed25519 seed). Keep it secret.\n# public key: {}\n{}\n",
        String::from(public),
        BASE64.encode(seed.as_slice())
    ));
    write_new(path, text.as_bytes())?;
    Ok(public)
}

/// Reads a signing key: a seed in base64, or PKCS #8 in PEM as OpenSSL writes it.
pub fn signing_key(path: &Path) -> Result<SigningKey, Failure> {
    if !exists(path) {
        return Err(Failure::usage(format!(
            "{}: no signing key is there; make one with `canvass agency key new`",
            path.display()
        )));
    }
    let bytes = Zeroizing::new(read_limited(path, MOST_BYTES)?);
    parse_signing_key(&bytes).ok_or_else(|| {
        Failure::usage(format!(
            "{}: no Ed25519 key; give 32 bytes of base64, or PKCS #8 in PEM",
            path.display()
        ))
    })
}

fn parse_signing_key(bytes: &[u8]) -> Option<SigningKey> {
    let text = std::str::from_utf8(bytes).ok()?;
    let lines =
        text.lines().map(str::trim).filter(|line| !line.starts_with('#') && !line.starts_with("-----"));
    let joined = Zeroizing::new(lines.collect::<String>());
    let decoded = Zeroizing::new(BASE64.decode(joined.as_bytes()).ok()?);
    let seed = decoded.strip_prefix(&PKCS8).unwrap_or(&decoded);
    let seed = Zeroizing::new(<[u8; 32]>::try_from(seed).ok()?);
    Some(SigningKey::from_bytes(&seed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_and_pem_are_read_and_others_refused() {
        let seed = [7; 32];
        let plain = format!("# comment\n{}\n", BASE64.encode(&seed));
        let mut der = PKCS8.to_vec();
        der.extend(seed);
        let pem =
            format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", BASE64.encode(&der));
        for text in [plain, pem] {
            assert_eq!(parse_signing_key(text.as_bytes()).unwrap().to_bytes(), seed);
        }
        for bad in ["", "AAAA", "not base64!", &BASE64.encode(&[1; 33])] {
            assert!(parse_signing_key(bad.as_bytes()).is_none(), "{bad}");
        }
    }
}

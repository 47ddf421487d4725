//! Recipient groups: a request's own key, wrapped to the members of an agency and to their recovery key, so that no
//! single lost key loses a case.

use zeroize::Zeroizing;

use crate::crypt::{
    DecryptError, EncryptError, Identity, KeyError, MAX_RECIPIENTS, Recipient, decrypt_armored,
    encrypt_armored,
};

/// Longest identity file, in lines.
const MAX_LINES: usize = 1_000;
/// Longest plaintext of a wrapped key, in bytes.
const MAX_WRAPPED_BYTES: u64 = 4 * 1024;

/// Why a group's key can't be wrapped, unwrapped or rehearsed.
#[derive(Debug, thiserror::Error)]
pub enum GroupError {
    /// A key in text form.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Wrapping.
    #[error(transparent)]
    Encrypt(#[from] EncryptError),
    /// Unwrapping.
    #[error("wrapped request key: {0}")]
    Decrypt(#[from] DecryptError),
    /// A group of nobody.
    #[error("members: none given; name at least one member's age1… recipient")]
    NoMembers,
    /// A group that is too large.
    #[error("members: {0} given and at most {max} fit beside the recovery key; make two groups", max = MAX_RECIPIENTS - 1)]
    TooManyMembers(usize),
    /// The recovery key is one of the members'.
    #[error("recovery: the recovery recipient is also a member; keep a separate key, offline, for recovery")]
    RecoveryIsMember,
    /// A member twice.
    #[error("member {index}: named twice; name each member once")]
    RepeatedMember {
        /// Which, counted from 1.
        index: usize,
    },
    /// A passphrase where a key is needed.
    #[error("request key: a passphrase can't be wrapped; give an X25519 identity")]
    NotX25519,
    /// Something else was inside.
    #[error("wrapped request key: what it holds isn't an age identity; restore it from the backup")]
    NotAKey,
    /// Another key than the one that the request names.
    #[error(
        "wrapped request key: holds the key of {found} and the request names {expected}; take the wrapped key of this request"
    )]
    OtherKey {
        /// The recipient of what was inside.
        found: Recipient,
        /// The recipient that the request names.
        expected: Recipient,
    },
}

/// A request's key pair.
pub struct RequestKey {
    /// What opens; wrap it at once.
    pub identity: Identity,
    /// What the request names.
    pub recipient: Recipient,
}

/// Makes a request's key from 32 bytes of entropy.
///
/// # Errors
/// [`GroupError::Key`] should the encoding fail, which 32 bytes never do.
pub fn new_request_key(entropy: &Zeroizing<[u8; 32]>) -> Result<RequestKey, GroupError> {
    let identity = Identity::from_secret_bytes(entropy)?;
    let recipient = identity.recipient().ok_or(GroupError::NotX25519)?;
    Ok(RequestKey { identity, recipient })
}

/// Wraps a key to the members and to recovery: armored age around its `AGE-SECRET-KEY-1…` line, which stock tools open.
///
/// # Errors
/// See [`GroupError`].
pub fn wrap(identity: &Identity, members: &[Recipient], recovery: &Recipient) -> Result<String, GroupError> {
    if members.is_empty() {
        return Err(GroupError::NoMembers);
    }
    if members.len() >= MAX_RECIPIENTS {
        return Err(GroupError::TooManyMembers(members.len()));
    }
    if members.contains(recovery) {
        return Err(GroupError::RecoveryIsMember);
    }
    let repeated =
        members.iter().enumerate().find(|(at, m)| members.iter().take(*at).any(|other| other == *m));
    if let Some((at, _)) = repeated {
        return Err(GroupError::RepeatedMember { index: at.saturating_add(1) });
    }
    let secret = identity.secret_text().ok_or(GroupError::NotX25519)?;
    let line = Zeroizing::new(format!("{}\n", secret.as_str()));
    let mut all = members.to_vec();
    all.push(recovery.clone());
    Ok(encrypt_armored(line.as_bytes(), &all)?)
}

/// Unwraps a key with the identity of a member or of recovery.
///
/// # Errors
/// See [`GroupError`].
pub fn unwrap(wrapped: &str, identities: &[Identity]) -> Result<Identity, GroupError> {
    let plain = decrypt_armored(wrapped, identities, MAX_WRAPPED_BYTES)?;
    let text = std::str::from_utf8(&plain).map_err(|_| GroupError::NotAKey)?;
    let mut keys = parse_identity_file(text).map_err(|_| GroupError::NotAKey)?;
    match (keys.pop(), keys.is_empty()) {
        (Some(key), true) => Ok(key),
        _ => Err(GroupError::NotAKey),
    }
}

/// Unwraps a key and wraps it to another list of members.
///
/// Who could open it before, and kept a copy, still can: a member who left calls for new requests under new keys.
///
/// # Errors
/// See [`GroupError`].
pub fn rewrap(
    wrapped: &str,
    identities: &[Identity],
    members: &[Recipient],
    recovery: &Recipient,
) -> Result<String, GroupError> {
    wrap(&unwrap(wrapped, identities)?, members, recovery)
}

/// Proves that the recovery identity opens the wrapped key, and that the key inside is the one the request names.
///
/// # Errors
/// [`GroupError::OtherKey`] when it is another, or why it doesn't open.
pub fn rehearse(wrapped: &str, recovery: &Identity, expected: &Recipient) -> Result<(), GroupError> {
    let found = unwrap(wrapped, std::slice::from_ref(recovery))?.recipient().ok_or(GroupError::NotX25519)?;
    if found == *expected { Ok(()) } else { Err(GroupError::OtherKey { found, expected: expected.clone() }) }
}

/// Reads an identity file as age-keygen writes it: `#` comments, blank lines, `AGE-SECRET-KEY-1…` lines.
///
/// # Errors
/// The first [`KeyError`], with its line.
pub fn parse_identity_file(text: &str) -> Result<Vec<Identity>, KeyError> {
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if at >= MAX_LINES {
            return Err(KeyError::TooLong(MAX_LINES));
        }
        let line = line.trim();
        if !line.is_empty() && !line.starts_with('#') {
            found.push(Identity::parse_line(at.saturating_add(1), line)?);
        }
    }
    if found.is_empty() { Err(KeyError::NoIdentity) } else { Ok(found) }
}

/// A file as age-keygen writes it, wiped when dropped; `created` goes into the comment.
///
/// # Errors
/// [`GroupError::NotX25519`] for a passphrase.
pub fn identity_file(identity: &Identity, created: &str) -> Result<Zeroizing<String>, GroupError> {
    let (Some(secret), Some(public)) = (identity.secret_text(), identity.recipient()) else {
        return Err(GroupError::NotX25519);
    };
    let created: String = created.chars().filter(|c| !c.is_control()).collect();
    Ok(Zeroizing::new(format!("# created: {created}\n# public key: {public}\n{}\n", secret.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u8) -> RequestKey {
        new_request_key(&Zeroizing::new([seed; 32])).unwrap()
    }

    #[test]
    fn each_member_and_recovery_open_and_strangers_do_not() {
        let (request, ana, ben, recovery, stranger) = (key(1), key(2), key(3), key(4), key(5));
        let members = [ana.recipient.clone(), ben.recipient.clone()];
        let wrapped = wrap(&request.identity, &members, &recovery.recipient).unwrap();
        for who in [&ana, &ben, &recovery] {
            let back = unwrap(&wrapped, std::slice::from_ref(&who.identity)).unwrap();
            assert_eq!(back.recipient(), Some(request.recipient.clone()));
        }
        let refused = unwrap(&wrapped, &[stranger.identity]);
        assert!(matches!(refused, Err(GroupError::Decrypt(DecryptError::NoMatch { identities: 1 }))));
    }

    #[test]
    fn a_rehearsal_proves_the_key_and_not_just_any() {
        let (request, other, ana, recovery) = (key(1), key(2), key(3), key(4));
        let wrapped =
            wrap(&request.identity, std::slice::from_ref(&ana.recipient), &recovery.recipient).unwrap();
        rehearse(&wrapped, &recovery.identity, &request.recipient).unwrap();
        assert!(matches!(
            rehearse(&wrapped, &recovery.identity, &other.recipient),
            Err(GroupError::OtherKey { .. })
        ));
        let without =
            wrap(&request.identity, std::slice::from_ref(&ana.recipient), &other.recipient).unwrap();
        assert!(matches!(
            rehearse(&without, &recovery.identity, &request.recipient),
            Err(GroupError::Decrypt(_))
        ));
    }

    #[test]
    fn rewrapping_changes_who_opens() {
        let (request, ana, ben, recovery) = (key(1), key(2), key(3), key(4));
        let old = wrap(&request.identity, std::slice::from_ref(&ana.recipient), &recovery.recipient).unwrap();
        let new = rewrap(
            &old,
            std::slice::from_ref(&recovery.identity),
            std::slice::from_ref(&ben.recipient),
            &recovery.recipient,
        )
        .unwrap();
        assert!(unwrap(&new, &[ana.identity]).is_err());
        assert_eq!(unwrap(&new, &[ben.identity]).unwrap().recipient(), Some(request.recipient));
    }

    #[test]
    fn groups_that_make_no_sense_are_refused() {
        let (request, ana) = (key(1), key(2));
        assert!(matches!(wrap(&request.identity, &[], &ana.recipient), Err(GroupError::NoMembers)));
        let members = [ana.recipient.clone()];
        assert!(matches!(
            wrap(&request.identity, &members, &ana.recipient),
            Err(GroupError::RecoveryIsMember)
        ));
        let twice = [ana.recipient.clone(), ana.recipient.clone()];
        assert!(matches!(
            wrap(&request.identity, &twice, &request.recipient),
            Err(GroupError::RepeatedMember { index: 2 })
        ));
    }

    #[test]
    fn identity_files_read_back_and_name_the_bad_line() {
        let request = key(1);
        let file = identity_file(&request.identity, "2026-01-01T00:00:00Z").unwrap();
        assert_eq!(parse_identity_file(&file).unwrap().len(), 1);
        let named = |text: &str| parse_identity_file(text).err();
        assert_eq!(named("# only a comment\n"), Some(KeyError::NoIdentity));
        assert_eq!(named(&format!("# x\n\n{}\n", request.recipient)), Some(KeyError::PublicHalf { line: 3 }));
        assert_eq!(named("hello"), Some(KeyError::NotIdentity { line: 1 }));
        assert!(matches!(named("AGE-SECRET-KEY-1QQQQ"), Some(KeyError::DamagedIdentity { line: 1, .. })));
        assert_eq!(named("AGE-SECRET-KEY-PQ-1XYZ"), Some(KeyError::Unsupported { line: 1 }));
    }
}

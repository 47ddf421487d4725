//! Records of signing in: passkeys and federated accounts, the sessions that they open, invitations to bring one, and
//! lock-outs.

use canvass_signin::Credential;
use canvass_types::{AccountId, AgencyId, Digest, EnrolmentId, MemberId, PasskeyId, SessionId, Time};
use serde::{Deserialize, Serialize};

use super::text;
use crate::ports::{Kind, Record};

/// A member's passkey: its public half.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkey {
    /// Its id.
    pub id: PasskeyId,
    /// Whose it is.
    pub member: MemberId,
    /// What the member calls it.
    pub label: String,
    /// The public key, with its signature counter.
    pub credential: Credential,
    /// The invitation that it came by; none when the member added it.
    pub enrolment: Option<EnrolmentId>,
    /// When it was registered.
    pub created: Time,
    /// When it last signed in, unlocked or confirmed.
    pub last_used: Option<Time>,
    /// When it was removed.
    pub stopped: Option<Time>,
}
record!(
    Passkey,
    Passkey,
    |it| it.id.to_string(),
    [text(&it.member), text(&it.credential.id), it.stopped.map(|time| time.to_string())]
);

/// A member's account at their agency's provider of sign-ins (OpenID Connect). Who the account is there is kept as a digest
/// alone; no name, address or token of the provider's is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FederatedAccount {
    /// Its id.
    pub id: AccountId,
    /// Whose it is.
    pub member: MemberId,
    /// The provider, as the operator's file calls it.
    pub provider: String,
    /// What the provider was called when the account was bound.
    pub name: String,
    /// SHA-256 of issuer and subject.
    pub subject_hash: Digest,
    /// The invitation that it came by.
    pub enrolment: EnrolmentId,
    /// When it was bound.
    pub created: Time,
    /// When it last signed in, unlocked or confirmed.
    pub last_used: Option<Time>,
    /// When it was removed.
    pub stopped: Option<Time>,
}
record!(
    FederatedAccount,
    FederatedAccount,
    |it| it.id.to_string(),
    [text(&it.member), text(it.subject_hash), it.stopped.map(|time| time.to_string())]
);

/// What opened a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Opener {
    /// A passkey.
    Passkey(PasskeyId),
    /// A federated account.
    Account(AccountId),
}

/// A session of the desk in one browser. Only the SHA-256 of its secret is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub member: MemberId,
    /// The passkey or the account that opened it, under its own name.
    #[serde(flatten)]
    pub opener: Opener,
    /// SHA-256 of the secret.
    pub secret_hash: Digest,
    /// The device's public key (P-256, SEC 1, base64url), whose signature unlocks it.
    pub device: String,
    /// What the device is called.
    pub device_name: String,
    /// When it was opened.
    pub opened: Time,
    /// When it last acted, to the minute.
    pub last_seen: Time,
    /// When it ends at the latest.
    pub expires: Time,
    /// When it was locked; none while it is open.
    pub locked: Option<Time>,
    /// Until when dangerous actions need no new confirmation.
    pub fresh_until: Time,
    /// When it was ended.
    pub ended: Option<Time>,
}
record!(
    Session,
    Session,
    |it| it.id.to_string(),
    [text(&it.member), text(it.secret_hash), text(it.ended.map_or(it.expires, |at| at.min(it.expires)))]
);

/// An invitation for one member to register a passkey or bind a federated account, once. Only the SHA-256 of its secret is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolment {
    /// Its id.
    pub id: EnrolmentId,
    /// Who is invited.
    pub member: MemberId,
    /// Who invited.
    pub by: MemberId,
    /// SHA-256 of the secret.
    pub secret_hash: Digest,
    /// When it was made.
    pub made: Time,
    /// Until when it counts.
    pub expires: Time,
    /// The passkey that it brought.
    pub used: Option<PasskeyId>,
    /// The federated account that it brought.
    #[serde(default)]
    pub bound: Option<AccountId>,
    /// When it was taken back.
    pub revoked: Option<Time>,
}
record!(
    Enrolment,
    Enrolment,
    |it| it.id.to_string(),
    [text(&it.member), text(it.secret_hash), text(it.revoked.map_or(it.expires, |at| at.min(it.expires)))]
);

/// Failures to sign in as one member, or by one enrolment, and the lock-out that they led to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lockout {
    /// Id of the member or enrolment.
    pub subject: String,
    /// The member's agency.
    pub agency: Option<AgencyId>,
    /// Failures that follow each other.
    pub failures: u32,
    /// When the last of them was.
    pub last: Time,
    /// Until when nothing is tried.
    pub until: Option<Time>,
}
record!(
    Lockout,
    Lockout,
    |it| it.subject.clone(),
    [text(it.until.map_or(it.last, |until| until.max(it.last)))]
);

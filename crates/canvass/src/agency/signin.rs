//! Members' passkeys: enrolment links, and what an administrator sees and ends.

use canvass_core::signin::{AccountView, EnrolmentView, IssuedEnrolment, PasskeyView, SessionView, SignInOf};
use canvass_types::{AccountId, EnrolmentId, MemberId, PasskeyId, SessionId};
use clap::Args;
use qrcode::{QrCode, render::unicode::Dense1x2};
use reqwest::Method;

use super::desk::{Desk, moment, plain, spelled};
use crate::common::Failure;

/// `canvass member passkeys`.
#[derive(Debug, Args)]
pub struct PasskeysArgs {
    /// Whose
    member: MemberId,
    /// Remove this passkey; sessions that it opened end at once
    #[arg(long, value_name = "PASSKEY")]
    remove: Option<PasskeyId>,
    /// Remove this account at the agency's own sign-in; sessions that it opened end at once
    #[arg(long, value_name = "ACCOUNT")]
    unbind: Option<AccountId>,
    /// End this session
    #[arg(long, value_name = "SESSION")]
    end: Option<SessionId>,
    /// Take this enrolment back
    #[arg(long, value_name = "ENROLMENT")]
    revoke: Option<EnrolmentId>,
}

/// Invites a member to register a passkey.
///
/// # Errors
/// What the desk refuses.
pub async fn enrol(desk: &Desk<'_>, member: &MemberId, with_code: bool) -> Result<(), Failure> {
    let issued: IssuedEnrolment = desk.act(Method::POST, &format!("/members/{member}/enrolments")).await?;
    let mut lines = vec![issued.link.clone()];
    if let (true, Ok(code)) = (with_code, QrCode::new(issued.link.as_bytes())) {
        lines.push(code.render::<Dense1x2>().quiet_zone(true).build());
    }
    lines.push(format!(
        "{} counts once, until {}; whoever opens it registers a passkey as this member",
        issued.enrolment.id, issued.enrolment.expires
    ));
    desk.show(&issued, &lines)
}

/// Shows how a member signs in, after what is to be ended was.
///
/// # Errors
/// What the desk refuses.
pub async fn passkeys(desk: &Desk<'_>, args: PasskeysArgs) -> Result<(), Failure> {
    if let Some(passkey) = args.remove {
        let _: PasskeyView = desk.act(Method::DELETE, &format!("/passkeys/{passkey}")).await?;
    }
    if let Some(account) = args.unbind {
        let _: AccountView = desk.act(Method::DELETE, &format!("/accounts/{account}")).await?;
    }
    if let Some(session) = args.end {
        let _: SessionView = desk.act(Method::DELETE, &format!("/sessions/{session}")).await?;
    }
    if let Some(enrolment) = args.revoke {
        let _: EnrolmentView = desk.act(Method::DELETE, &format!("/enrolments/{enrolment}")).await?;
    }
    let of: SignInOf = desk.get(&format!("/members/{}/sign-in", args.member)).await?;
    let mut lines = Vec::new();
    for key in &of.passkeys {
        let (used, stopped) = (moment(key.last_used), moment(key.stopped));
        lines.push(format!("{}  {}  used {used}  removed {stopped}", key.id, plain(&key.label)));
    }
    for it in &of.accounts {
        let (used, stopped) = (moment(it.last_used), moment(it.stopped));
        lines.push(format!("{}  at {}  used {used}  removed {stopped}", it.id, plain(&it.name)));
    }
    for it in &of.sessions {
        let (device, state) = (plain(&it.device), spelled(&it.state));
        lines.push(format!("{}  {device}  {state}  last seen {}", it.id, it.last_seen));
    }
    for it in
        of.enrolments.iter().filter(|it| it.used.is_none() && it.bound.is_none() && it.revoked.is_none())
    {
        lines.push(format!("{}  open until {}", it.id, it.expires));
    }
    if let Some(until) = of.locked_out_until {
        lines.push(format!("locked out until {until}, after failures to sign in"));
    }
    if lines.is_empty() {
        lines.push("no passkey yet: invite with `canvass member enrol`".to_owned());
    }
    desk.show(&of, &lines)
}

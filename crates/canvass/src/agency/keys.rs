//! Keys of requests and portals: made here, wrapped to the members and to recovery, and opened here.

use canvass_core::{
    agencies::AgencyView,
    keys::{KeyView, WrappedKey},
};
use canvass_seal::{
    Identity, Recipient,
    group::{new_request_key, rehearse, unwrap, wrap},
};
use canvass_types::{AgencyId, MemberId, MemberView, env::random};
use reqwest::Method;
use serde_json::json;
use zeroize::Zeroizing;

use super::{
    agencies::{RecoverArgs, RewrapArgs},
    desk::Desk,
    keyring,
};
use crate::common::{Failure, count};

/// To whom keys are wrapped at present.
pub struct Group {
    members: Vec<Recipient>,
    ids: Vec<MemberId>,
    recovery: Recipient,
}

impl Group {
    /// All active members of an agency that have a recipient, and its recovery.
    pub async fn of(desk: &Desk<'_>, agency: &AgencyId) -> Result<Self, Failure> {
        let view: AgencyView = desk.get(&format!("/agencies/{agency}")).await?;
        let recovery = view.recovery.ok_or_else(|| {
            Failure::usage("the agency has no recovery recipient; name one with `canvass agency recovery set` first, so that no lost key loses evidence")
        })?;
        let all: Vec<MemberView> = desk.all("/members", &[("agency", Some(agency.to_string()))]).await?;
        let mut group = Self { members: Vec::new(), ids: Vec::new(), recovery: recovery.parse()? };
        for member in all.into_iter().filter(|member| member.active) {
            let Some(recipient) = member.recipient else { continue };
            let recipient: Recipient = recipient.parse()?;
            // Two members may share one device; wrapping once is enough for both.
            if !group.members.contains(&recipient) {
                group.members.push(recipient);
            }
            group.ids.push(member.id);
        }
        if group.members.is_empty() {
            return Err(Failure::usage(
                "no active member has a recipient; register yours with `canvass member recipient`",
            ));
        }
        Ok(group)
    }

    fn wrap(&self, identity: &Identity) -> Result<WrappedKey, Failure> {
        let recipient = identity.recipient().ok_or_else(|| Failure::new("the key is no X25519 identity"))?;
        Ok(WrappedKey {
            recipient: recipient.to_string(),
            wrapped: wrap(identity, &self.members, &self.recovery)?,
            group: self.ids.clone(),
            recovery: true,
        })
    }
}

/// Makes the key of a draft or portal and hands it in, wrapped.
pub async fn make(desk: &Desk<'_>, destination: &str) -> Result<KeyView, Failure> {
    let agency = desk.agency(None).await?;
    let group = Group::of(desk, &agency).await?;
    let key = new_request_key(&Zeroizing::new(random::<32>(&desk.context.entropy())))?;
    desk.send(Method::PUT, &format!("/keys/{destination}"), &group.wrap(&key.identity)?).await
}

/// To how many members a key is wrapped.
pub fn members(key: &KeyView) -> String {
    count(key.group.len(), "member", "members")
}

fn unwrapped(key: &KeyView, identities: &[Identity]) -> Result<Identity, Failure> {
    let wrapped = key.wrapped.as_deref().ok_or_else(|| {
        Failure::new(format!(
            "the key of {} is destroyed; what was sealed to it can't be opened any more",
            key.destination
        ))
    })?;
    let identity = unwrap(wrapped, identities).map_err(|error| {
        Failure::from(error).context(format!(
            "key of {}: ask a colleague for `canvass agency rewrap`, or see `canvass agency recover`",
            key.destination
        ))
    })?;
    let found = identity.recipient().map(|recipient| recipient.to_string());
    if found.as_deref() != Some(&key.recipient) {
        return Err(Failure::new(format!(
            "the wrapped key of {} is of another recipient than the one published; do not rely on this server and tell the operator",
            key.destination
        )));
    }
    Ok(identity)
}

/// Fetches the key of a request or portal and opens it with the member's identity.
pub async fn open(desk: &Desk<'_>, destination: &str) -> Result<Identity, Failure> {
    let own = keyring::own(desk.context)?;
    let key: KeyView = desk.get(&format!("/keys/{destination}")).await?;
    unwrapped(&key, &own)
}

/// Which keys: one, or all that are left.
async fn chosen(desk: &Desk<'_>, one: Option<&String>, all: bool) -> Result<Vec<String>, Failure> {
    match (one, all) {
        (Some(one), false) => Ok(vec![one.clone()]),
        (None, true) => {
            let keys: Vec<KeyView> = desk.all("/keys", &[]).await?;
            Ok(keys.into_iter().filter(|key| key.destroyed.is_none()).map(|key| key.destination).collect())
        }
        _ => Err(Failure::usage("name one request or portal, or give --all")),
    }
}

/// Wraps keys to the present group.
pub async fn rewrap(desk: &Desk<'_>, args: &RewrapArgs) -> Result<(), Failure> {
    let own = keyring::own(desk.context)?;
    let agency = desk.agency(None).await?;
    let group = Group::of(desk, &agency).await?;
    let mut done = Vec::new();
    let mut failed = Vec::new();
    for destination in chosen(desk, args.destination.as_ref(), args.all).await? {
        match rewrap_one(desk, &destination, &own, &group).await {
            Ok(key) => done.push(key),
            Err(error) => failed.push(format!("{destination}: {error}")),
        }
    }
    let mut lines: Vec<String> = done
        .iter()
        .map(|key| format!("{}: wrapped to {} and recovery", key.destination, members(key)))
        .collect();
    lines.extend(failed.iter().cloned());
    desk.show(&json!({ "rewrapped": done, "failed": failed }), &lines)?;
    if failed.is_empty() {
        Ok(())
    } else {
        Err(Failure::new(format!(
            "{} not rewrapped; each is named above with what to do",
            count(failed.len(), "key was", "keys were")
        )))
    }
}

async fn rewrap_one(
    desk: &Desk<'_>,
    destination: &str,
    with: &[Identity],
    group: &Group,
) -> Result<KeyView, Failure> {
    let key: KeyView = desk.get(&format!("/keys/{destination}")).await?;
    let wrapped = group.wrap(&unwrapped(&key, with)?)?;
    desk.post(&format!("/keys/{destination}/rewrap"), &wrapped).await
}

/// Rehearses the recovery, or carries it out.
pub async fn recover(desk: &Desk<'_>, args: &RecoverArgs) -> Result<(), Failure> {
    let recovery = keyring::identities(&args.recovery)?;
    let public = keyring::recipient(&recovery)?;
    let agency = desk.agency(None).await?;
    let view: AgencyView = desk.get(&format!("/agencies/{agency}")).await?;
    if view.recovery.as_deref() != Some(public.as_str()) {
        return Err(Failure::new(format!(
            "this identity is {public} and the agency's recovery is {}; take the file from the safe that belongs to it",
            view.recovery.unwrap_or_else(|| "not set".into())
        )));
    }
    if args.rehearse {
        rehearsal(desk, args, &recovery, &agency).await
    } else {
        carry_out(desk, args, &recovery, &agency).await
    }
}

async fn rehearsal(
    desk: &Desk<'_>,
    args: &RecoverArgs,
    recovery: &[Identity],
    agency: &AgencyId,
) -> Result<(), Failure> {
    let all = args.all || args.destination.is_none();
    let mut opened = Vec::new();
    for destination in chosen(desk, args.destination.as_ref(), all).await? {
        let key: KeyView = desk.get(&format!("/keys/{destination}")).await?;
        let Some(wrapped) = &key.wrapped else { continue };
        let identity = recovery.first().ok_or_else(|| Failure::usage("the file holds no identity"))?;
        rehearse(wrapped, identity, &key.recipient.parse()?).map_err(|error| {
            Failure::from(error).context(format!("{destination} would be lost with the members' keys"))
        })?;
        opened.push(destination);
    }
    if opened.is_empty() {
        return Err(Failure::new("there is no key to rehearse with; publish a request or portal first"));
    }
    let view: AgencyView = desk.act(Method::POST, &format!("/agencies/{agency}/rehearsals")).await?;
    let lines: Vec<String> =
        opened.iter().map(|id| format!("{id}: opens, and is the key that was published")).collect();
    desk.show(&json!({ "opened": opened, "rehearsed": view.rehearsed }), &lines)
}

/// After a lost key: everything is wrapped anew, opened by the recovery identity, to the members as they are now. The
/// one named with `--to` must be among them.
async fn carry_out(
    desk: &Desk<'_>,
    args: &RecoverArgs,
    recovery: &[Identity],
    agency: &AgencyId,
) -> Result<(), Failure> {
    let to =
        args.to.as_ref().ok_or_else(|| Failure::usage("give --rehearse, or --to RECIPIENT to recover"))?;
    let to: Recipient = to.parse()?;
    let group = Group::of(desk, agency).await?;
    if !group.members.contains(&to) {
        return Err(Failure::usage(format!(
            "{to} is the recipient of no active member; let them register it with `canvass member recipient` first"
        )));
    }
    let all = args.all || args.destination.is_none();
    let mut done = Vec::new();
    for destination in chosen(desk, args.destination.as_ref(), all).await? {
        rewrap_one(desk, &destination, recovery, &group).await?;
        desk.context.console().note(format!("{destination}: recovered"));
        done.push(destination);
    }
    let lines = [format!(
        "{} recovered; put the recovery identity back into the safe",
        count(done.len(), "key", "keys")
    )];
    desk.show(&json!({ "recovered": done }), &lines)
}

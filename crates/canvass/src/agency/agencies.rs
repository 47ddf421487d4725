//! Agencies, their keys and recovery; members and tokens.

use std::path::PathBuf;

use canvass_core::{
    access::{IssuedToken, NewToken, TokenView},
    agencies::{AgencyView, NewAgency, NewAgencyKey, NewRecipient, VerifyAgency},
    keys::KeyView,
    members::{ChangeMember, NewMember},
};
use canvass_types::{
    AgencyClass, AgencyId, Area, KeyEndorsement, MemberId, MemberView, PublicKey, Role, TokenId, sign,
};
use clap::{Args, Subcommand};
use reqwest::Method;

use super::{
    desk::{Desk, destination, moment, show, spelled, word},
    findings, keyring, keys,
    signin::{self, PasskeysArgs},
};
use crate::common::{Context, Failure, read_limited};

/// Longest file with an area, in bytes.
const MOST_AREA: u64 = 256 * 1024;

/// Agencies and their keys.
#[derive(Debug, Subcommand)]
pub enum AgencyCommand {
    /// Register an agency (operator)
    #[command(
        after_help = "Example:\n  canvass agency register --name 'Concord Police' --class municipal --subdivision US-NH --area concord.geojson"
    )]
    Register(RegisterArgs),
    /// List agencies
    #[command(after_help = "Example:\n  canvass agency list --json")]
    List,
    /// Show an agency with its keys
    #[command(after_help = "Example:\n  canvass agency show agy_…")]
    Show {
        /// Which; your own when left out
        agency: Option<AgencyId>,
    },
    /// Confirm who an agency is, with its first signing key (operator)
    #[command(after_help = "Example:\n  canvass agency verify agy_… --public BASE64")]
    Verify {
        /// Which
        agency: AgencyId,
        /// Its first public key, as `canvass agency key new` printed it
        #[arg(long)]
        public: PublicKey,
    },
    /// Stop an agency from asking (operator)
    #[command(after_help = "Example:\n  canvass agency suspend agy_…")]
    Suspend {
        /// Which
        agency: AgencyId,
    },
    /// Signing keys
    #[command(subcommand)]
    Key(KeyCommand),
    /// The recovery identity, kept in a safe
    #[command(subcommand)]
    Recovery(RecoveryCommand),
    /// Make the key of a draft or portal, wrapped to all members and recovery
    #[command(after_help = "Example:\n  canvass agency request-key req_…")]
    RequestKey {
        /// The draft, or a portal that is to be opened
        #[arg(value_parser = destination)]
        destination: String,
    },
    /// Wrap keys to the present members, after someone came or left
    #[command(after_help = "Example:\n  canvass agency rewrap --all")]
    Rewrap(RewrapArgs),
    /// Rehearse the recovery, or recover after a lost key
    #[command(
        after_help = "Examples:\n  canvass agency recover --rehearse --recovery safe.txt --all\n  canvass agency recover --recovery safe.txt --to age1…"
    )]
    Recover(RecoverArgs),
    /// Destroy a key: what was sealed to it can never be opened again
    #[command(after_help = "Example:\n  canvass agency close-key req_… --yes")]
    CloseKey {
        /// Whose key
        #[arg(value_parser = destination)]
        destination: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// A new agency.
#[derive(Debug, Args)]
pub struct RegisterArgs {
    /// Its name
    #[arg(long)]
    name: String,
    /// municipal, county, state, federal, campus, tribal or other
    #[arg(long, value_parser = word::<AgencyClass>)]
    class: AgencyClass,
    /// ISO 3166-2 code of its state, for example US-NH
    #[arg(long)]
    subdivision: String,
    /// `GeoJSON` file with one polygon: where it may ask
    #[arg(long, value_name = "FILE")]
    area: PathBuf,
}

/// Which keys to rewrap.
#[derive(Debug, Args)]
pub struct RewrapArgs {
    /// One request or portal
    #[arg(value_parser = destination)]
    pub destination: Option<String>,
    /// All keys that are left
    #[arg(long)]
    pub all: bool,
}

/// Which keys to recover.
#[derive(Debug, Args)]
pub struct RecoverArgs {
    /// Only prove that the recovery identity opens the keys
    #[arg(long)]
    pub rehearse: bool,
    /// The recovery identity, from the safe
    #[arg(long, value_name = "FILE")]
    pub recovery: PathBuf,
    /// Recipient of a member who must be able to open from now on
    #[arg(long, value_name = "RECIPIENT", conflicts_with = "rehearse")]
    pub to: Option<String>,
    /// One request or portal; all when left out
    #[arg(value_parser = destination)]
    pub destination: Option<String>,
    /// All keys
    #[arg(long, conflicts_with = "destination")]
    pub all: bool,
}

/// Signing keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a signing key in the keyring and print its public half
    #[command(after_help = "Example:\n  canvass agency key new --keyring ~/.config/canvass")]
    New {
        /// Another file than agency-signing.key in the keyring
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Bring in the next signing key, vouched for by the present one
    #[command(after_help = "Example:\n  canvass agency key add --public BASE64")]
    Add {
        /// The new public key
        #[arg(long)]
        public: PublicKey,
        /// The present key, when not in the keyring
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
    /// Revoke a signing key
    #[command(after_help = "Example:\n  canvass agency key revoke 0123456789abcdef")]
    Revoke {
        /// Its short name
        key: String,
        /// Whose; your own agency's when left out
        #[arg(long)]
        agency: Option<AgencyId>,
    },
}

/// The recovery identity.
#[derive(Debug, Subcommand)]
pub enum RecoveryCommand {
    /// Make a recovery identity in a file, for the safe
    #[command(after_help = "Example:\n  canvass agency recovery new --out /media/usb/recovery.txt")]
    New {
        /// Where to write it; it must not exist
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Name the recovery recipient to which every key is wrapped
    #[command(after_help = "Example:\n  canvass agency recovery set age1…")]
    Set {
        /// The public half
        recipient: String,
    },
}

/// Runs one of them.
pub async fn run(command: AgencyCommand, context: &Context) -> Result<(), Failure> {
    match command {
        AgencyCommand::Key(KeyCommand::New { out }) => return new_key(context, out),
        AgencyCommand::Recovery(RecoveryCommand::New { out }) => return new_recovery(context, &out),
        _ => {}
    }
    let desk = Desk::new(context)?;
    match command {
        AgencyCommand::Register(args) => {
            let area: Area = area(&args.area)?;
            let new = NewAgency {
                name: args.name,
                class: args.class,
                subdivision: args.subdivision,
                jurisdiction: area,
            };
            print(&desk, &desk.post("/agencies", &new).await?)
        }
        AgencyCommand::List => {
            let all: Vec<AgencyView> = desk.all("/agencies", &[]).await?;
            let lines: Vec<String> = all.iter().map(line).collect();
            desk.show(&all, &lines)
        }
        AgencyCommand::Show { agency } => {
            let id = desk.agency(agency.as_ref()).await?;
            print(&desk, &desk.get(&format!("/agencies/{id}")).await?)
        }
        AgencyCommand::Verify { agency, public } => {
            print(&desk, &desk.post(&format!("/agencies/{agency}/verify"), &VerifyAgency { public }).await?)
        }
        AgencyCommand::Suspend { agency } => {
            print(&desk, &desk.act(Method::POST, &format!("/agencies/{agency}/suspend")).await?)
        }
        AgencyCommand::Key(command) => key(&desk, command).await,
        AgencyCommand::Recovery(RecoveryCommand::Set { recipient }) => {
            let id = desk.agency(None).await?;
            let new = NewRecipient { recipient };
            print(&desk, &desk.send(Method::PUT, &format!("/agencies/{id}/recovery"), &new).await?)
        }
        AgencyCommand::Recovery(RecoveryCommand::New { out }) => new_recovery(context, &out),
        AgencyCommand::RequestKey { destination } => {
            let key = keys::make(&desk, &destination).await?;
            let lines = [format!(
                "{}: {}, wrapped to {} and recovery",
                key.destination,
                key.recipient,
                keys::members(&key)
            )];
            desk.show(&key, &lines)
        }
        AgencyCommand::Rewrap(args) => keys::rewrap(&desk, &args).await,
        AgencyCommand::Recover(args) => keys::recover(&desk, &args).await,
        AgencyCommand::CloseKey { destination, yes } => {
            let question =
                format!("Destroy the key of {destination}? What was sealed to it can never be opened again.");
            confirm(context, yes, &question)?;
            let key: KeyView = desk.act(Method::DELETE, &format!("/keys/{destination}")).await?;
            desk.show(&key, &[format!("{destination}: destroyed on {}", moment(key.destroyed))])
        }
    }
}

/// Asks before what can't be undone.
pub fn confirm(context: &Context, yes: bool, question: &str) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !context.console().can_ask() {
        return Err(Failure::usage("nobody can be asked here; add --yes if you are sure"));
    }
    if context.console().agree(question)? { Ok(()) } else { Err(Failure::new("nothing was done")) }
}

/// Reads an area from a `GeoJSON` file: a polygon, a feature, or a collection with one feature.
pub fn area(path: &std::path::Path) -> Result<Area, Failure> {
    let bytes = read_limited(path, MOST_AREA)?;
    let wrong = |error: serde_json::Error| {
        Failure::usage(format!("{}: {error}; give GeoJSON with one polygon", path.display()))
    };
    let mut value: serde_json::Value = serde_json::from_slice(&bytes).map_err(wrong)?;
    if let Some([only]) = value.get("features").and_then(|features| features.as_array()).map(Vec::as_slice) {
        value = only.clone();
    }
    if let Some(geometry) = value.get("geometry") {
        value = geometry.clone();
    }
    serde_json::from_value(value).map_err(wrong)
}

fn new_key(context: &Context, out: Option<PathBuf>) -> Result<(), Failure> {
    let path = match out {
        Some(path) => path,
        None => keyring::signing_path(context)?,
    };
    let public = keyring::new_signing_key(context, &path)?;
    let value = serde_json::json!({ "file": path, "public": public, "key": public.id() });
    let text = String::from(public);
    show(
        context,
        &value,
        &[
            format!("{}: written, keep it secret", path.display()),
            format!("public key: {text}"),
            format!("short name: {}", public.id()),
        ],
    )
}

fn new_recovery(context: &Context, out: &std::path::Path) -> Result<(), Failure> {
    let recipient = keyring::new_identity(context, out)?;
    let value = serde_json::json!({ "file": out, "recipient": recipient.as_str() });
    show(
        context,
        &value,
        &[
            format!(
                "{}: written; put it into a safe, on paper or a stick, and keep no copy here",
                out.display()
            ),
            format!("recipient: {recipient}"),
            format!("next: canvass agency recovery set {recipient}"),
        ],
    )
}

async fn key(desk: &Desk<'_>, command: KeyCommand) -> Result<(), Failure> {
    match command {
        KeyCommand::New { out } => new_key(desk.context, out),
        KeyCommand::Add { public, key } => {
            let agency = desk.agency(None).await?;
            let path = match key {
                Some(path) => path,
                None => keyring::signing_path(desk.context)?,
            };
            let present = keyring::signing_key(&path)?;
            let statement = KeyEndorsement { agency: agency.clone(), public };
            let endorsement = sign(&present, KeyEndorsement::CONTEXT, &statement)?;
            let new = NewAgencyKey { public, endorsed_by: PublicKey::of(&present).id(), endorsement };
            print(desk, &desk.post(&format!("/agencies/{agency}/keys"), &new).await?)
        }
        KeyCommand::Revoke { key, agency } => {
            if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(Failure::usage(
                    "a key's short name is 16 hexadecimal digits; see `canvass agency show`",
                ));
            }
            let agency = desk.agency(agency.as_ref()).await?;
            print(desk, &desk.act(Method::DELETE, &format!("/agencies/{agency}/keys/{key}")).await?)
        }
    }
}

fn line(agency: &AgencyView) -> String {
    let public = &agency.public;
    format!(
        "{}  {}  {}  {}  {}",
        public.id,
        public.class.as_str(),
        spelled(&public.state),
        public.subdivision,
        public.name
    )
}

fn print(desk: &Desk<'_>, agency: &AgencyView) -> Result<(), Failure> {
    let mut lines = vec![line(agency)];
    for key in &agency.public.keys {
        let by = key.endorsed_by.as_deref().unwrap_or("the operator");
        let until = key.revoked.map_or_else(String::new, |at| format!(", revoked {at}"));
        lines.push(format!("  key {}: added {}, vouched for by {by}{until}", key.id, key.added));
    }
    let recovery = agency.recovery.as_deref().unwrap_or("none: name one before the first request");
    lines.push(format!("  recovery: {recovery}, rehearsed: {}", moment(agency.rehearsed)));
    desk.show(agency, &lines)
}

/// Members.
#[derive(Debug, Subcommand)]
pub enum MemberCommand {
    /// Add a member
    #[command(
        after_help = "Example:\n  canvass member add --name 'Ana Ruiz' --role investigator --role custodian"
    )]
    Add {
        /// Their name
        #[arg(long)]
        name: String,
        /// What they are trusted with; may be repeated
        #[arg(long, required = true, value_parser = word::<Role>)]
        role: Vec<Role>,
        /// Their agency; your own when left out
        #[arg(long, conflicts_with = "no_agency")]
        agency: Option<AgencyId>,
        /// They belong to no agency (operator, moderator, overseer)
        #[arg(long)]
        no_agency: bool,
    },
    /// List members
    #[command(after_help = "Example:\n  canvass member list")]
    List {
        /// Of this agency; your own when left out
        #[arg(long)]
        agency: Option<AgencyId>,
    },
    /// Change a member's roles, or stop or readmit them
    #[command(after_help = "Example:\n  canvass member change mbr_… --active false")]
    Change {
        /// Who
        member: MemberId,
        /// New roles
        #[arg(long, value_parser = word::<Role>)]
        role: Vec<Role>,
        /// Whether they may act
        #[arg(long)]
        active: Option<bool>,
    },
    /// Their own vehicles, which misuse detection watches searches for
    #[command(subcommand)]
    Vehicle(findings::VehicleCommand),
    /// Issue a token to a member, shown once
    #[command(after_help = "Example:\n  canvass member token mbr_… --label laptop --days 90")]
    Token {
        /// To whom
        member: MemberId,
        /// What it is for
        #[arg(long)]
        label: String,
        /// How many days it counts
        #[arg(long, default_value_t = 90)]
        days: u32,
        /// Only these roles; all of the member's when left out
        #[arg(long, value_parser = word::<Role>)]
        role: Vec<Role>,
        /// For a machine: the one camera or feed that it acts for
        #[arg(long, value_name = "ID")]
        scope: Option<String>,
    },
    /// Invite a member to register a passkey: a link and its QR code, which count once, for 72 hours
    #[command(after_help = "Examples:\n  canvass member enrol mbr_…\n  canvass member enrol mbr_… --no-qr")]
    Enrol {
        /// Whom
        member: MemberId,
        /// Only the link
        #[arg(long)]
        no_qr: bool,
    },
    /// Show how a member signs in by passkey; remove a lost passkey, end a session, take an enrolment back
    #[command(
        after_help = "Examples:\n  canvass member passkeys mbr_…\n  canvass member passkeys mbr_… --remove psk_…\n  canvass member passkeys mbr_… --end ses_…"
    )]
    Passkeys(PasskeysArgs),
    /// List a member's tokens
    #[command(after_help = "Example:\n  canvass member tokens mbr_…")]
    Tokens {
        /// Whose
        member: MemberId,
    },
    /// Register the public half of identity.txt in your keyring
    #[command(after_help = "Example:\n  canvass member recipient --keyring ~/.config/canvass")]
    Recipient,
}

/// Tokens.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Revoke a token at once
    #[command(after_help = "Example:\n  canvass token revoke tok_…")]
    Revoke {
        /// Which
        token: TokenId,
    },
}

fn member_line(member: &MemberView) -> String {
    let roles: Vec<&str> = member.roles.iter().map(|role| role.as_str()).collect();
    let key = if member.recipient.is_some() { "has a recipient" } else { "no recipient" };
    let active = if member.active { "active" } else { "stopped" };
    format!("{}  {}  {}  {active}  {key}", member.id, member.name, roles.join(","))
}

/// Runs one of them.
pub async fn member(command: MemberCommand, context: &Context) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    let one = |member: &MemberView| desk.show(member, &[member_line(member)]);
    match command {
        MemberCommand::Add { name, role, agency, no_agency } => {
            let agency = if no_agency { None } else { Some(desk.agency(agency.as_ref()).await?) };
            one(&desk.post("/members", &NewMember { agency, name, roles: role }).await?)
        }
        MemberCommand::List { agency } => {
            let agency = match agency {
                Some(agency) => Some(agency),
                None => desk.me().await?.agency,
            };
            let all: Vec<MemberView> =
                desk.all("/members", &[("agency", agency.map(|id| id.to_string()))]).await?;
            let lines: Vec<String> = all.iter().map(member_line).collect();
            desk.show(&all, &lines)
        }
        MemberCommand::Change { member, role, active } => {
            let roles = if role.is_empty() { None } else { Some(role) };
            one(&desk
                .send(Method::PATCH, &format!("/members/{member}"), &ChangeMember { roles, active })
                .await?)
        }
        MemberCommand::Vehicle(command) => findings::vehicle(&desk, command).await,
        MemberCommand::Token { member, label, days, role, scope } => {
            let token: IssuedToken = desk
                .post(&format!("/members/{member}/tokens"), &NewToken { label, roles: role, days, scope })
                .await?;
            let lines = [
                token.token.clone(),
                format!("{} counts until {}; it can't be shown again", token.id, token.expires),
            ];
            desk.show(&token, &lines)
        }
        MemberCommand::Enrol { member, no_qr } => signin::enrol(&desk, &member, !no_qr).await,
        MemberCommand::Passkeys(args) => signin::passkeys(&desk, args).await,
        MemberCommand::Tokens { member } => {
            let all: Vec<TokenView> = desk.all(&format!("/members/{member}/tokens"), &[]).await?;
            let lines: Vec<String> = all
                .iter()
                .map(|token| {
                    format!(
                        "{}  {}  until {}  revoked {}",
                        token.id,
                        token.label,
                        token.expires,
                        moment(token.revoked)
                    )
                })
                .collect();
            desk.show(&all, &lines)
        }
        MemberCommand::Recipient => {
            let recipient = keyring::recipient(&keyring::own(context)?)?.to_string();
            one(&desk.send(Method::PUT, "/me/recipient", &NewRecipient { recipient }).await?)
        }
    }
}

/// Runs one of them.
pub async fn token(command: TokenCommand, context: &Context) -> Result<(), Failure> {
    let TokenCommand::Revoke { token } = command;
    let desk = Desk::new(context)?;
    let token: TokenView = desk.act(Method::DELETE, &format!("/tokens/{token}")).await?;
    desk.show(&token, &[format!("{}: revoked {}", token.id, moment(token.revoked))])
}

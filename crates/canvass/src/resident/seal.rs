//! `canvass seal`: from clips to one envelope that only the agency can open, with the resident's word on it.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use canvass_seal::envelope::{ClipSource, MetaFiles, SealPlan, Sealed};
use canvass_seal::offer::OfferSecret;
use canvass_types::{Digest, Time, env::random};
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zeroize::Zeroizing;

use super::clips::{self, Clip, Known, limits_text, size};
use super::destination::{Destination, destination, ledgers, limits};
use super::files::{Files, OfferFile};
use super::give;
use super::requests::plain;
use crate::common::{
    Console, Context, Failure, Progress, count, create_new, day, exists, frame as asked_frame, moment_in,
    read_limited,
};
use crate::verify::ledger::KeyFlags;

/// Longest contact file, in bytes.
const MAX_CONTACT: u64 = 16 * 1024;
const AGENT: &str = concat!("canvass ", env!("CARGO_PKG_VERSION"));

const EXAMPLES: &str = "\
Examples:
  canvass seal --server https://canvass.example --request req_… porch.mp4 drive.mkv --out porch
  canvass seal --server https://canvass.example --portal por_… clip.mp4 --out clip --name 'Ann Lee' --phone '+1 603 555 0100'

Writes porch.age (the envelope) and porch.offer.json (keep it: with it you follow, answer and withdraw). Nothing is sent
before `canvass give porch`, unless --send is given. Limits stated by the server: usually 25 clips of 60 GB each.";

/// Seal clips to the agency that asked; nobody else can open them, the operator neither
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Seal {
    /// The request that is answered
    #[arg(long, value_name = "ID", required_unless_present = "portal", conflicts_with = "portal")]
    request: Option<String>,
    /// The agency's standing portal
    #[arg(long, value_name = "ID")]
    portal: Option<String>,
    /// The clips
    #[arg(value_name = "CLIP", required = true)]
    clips: Vec<PathBuf>,
    /// Name of the files to write, without an ending
    #[arg(long, value_name = "NAME")]
    out: PathBuf,
    /// Give clips outside the time that is asked for, or of unknown time, too
    #[arg(long)]
    include_outside: bool,
    /// Keep the clips' file names; else they become clip-01.mp4, …
    #[arg(long)]
    keep_names: bool,
    #[command(flatten)]
    identity: Identity,
    /// Agree to what is printed without being asked
    #[arg(long)]
    yes: bool,
    /// Send it at once, as `canvass give` does
    #[arg(long)]
    send: bool,
    /// The invitation that this answers, with --send
    #[arg(long, value_name = "SECRET", requires = "send")]
    invitation: Option<String>,
    #[command(flatten)]
    keys: KeyFlags,
}

/// What the agency learns of the resident: nothing, unless something is given here.
#[derive(Debug, Args)]
#[command(next_help_heading = "Who you are (anonymous unless given)")]
struct Identity {
    /// JSON file with name, phone, email
    #[arg(long, value_name = "FILE", conflicts_with_all = ["name", "phone", "email"])]
    contact: Option<PathBuf>,
    /// Your name
    #[arg(long)]
    name: Option<String>,
    /// Your telephone number
    #[arg(long)]
    phone: Option<String>,
    /// Your e-mail address
    #[arg(long)]
    email: Option<String>,
    /// Leave out the mailbox, through which the agency could ask you without knowing who you are
    #[arg(long)]
    no_mailbox: bool,
}

/// `contact.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ContactFile {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
}

/// `consent.json`: what was agreed to, word for word.
#[derive(Debug, Serialize)]
struct Consent<'a> {
    v: u32,
    destination: &'a str,
    destination_digest: Digest,
    agency: &'a canvass_types::Asker,
    agreed: Time,
    asked: bool,
    text: &'a [String],
    clips: Vec<ConsentClip<'a>>,
}

#[derive(Debug, Serialize)]
struct ConsentClip<'a> {
    name: &'a str,
    bytes: u64,
    from: Option<Time>,
    until: Option<Time>,
    known: Known,
    outside_time_frame: bool,
}

impl Identity {
    fn contact(&self) -> Result<Option<ContactFile>, Failure> {
        let contact = match &self.contact {
            Some(path) => serde_json::from_slice(&read_limited(path, MAX_CONTACT)?).map_err(|error| {
                let (line, column) = (error.line(), error.column());
                Failure::usage(format!(
                    "{}: line {line} column {column}: write it as {{\"name\": …, \"phone\": …, \"email\": …}}",
                    path.display()
                ))
            })?,
            None => ContactFile { name: self.name.clone(), phone: self.phone.clone(), email: self.email.clone() },
        };
        let some = [&contact.name, &contact.phone, &contact.email]
            .into_iter()
            .flatten()
            .any(|text| !text.trim().is_empty());
        Ok(some.then_some(contact))
    }
}

/// Runs it.
///
/// # Errors
/// Nothing was sealed, and why.
pub async fn run(command: Seal, context: &Context) -> Result<(), Failure> {
    let (console, files) = (context.console(), Files::of(&command.out));
    for path in [files.envelope(), files.offer(), files.receipt()] {
        if exists(&path) {
            return Err(Failure::usage(format!(
                "{}: it exists already; choose another --out",
                path.display()
            )));
        }
    }
    let contact = command.identity.contact()?;
    let mut ledgers = ledgers(context, command.keys).await?;
    let limits = limits(&ledgers).await?;
    console.note(limits_text(&limits));
    let mut clips = clips::measure(&command.clips, &limits, command.keep_names)?;
    let id = command.request.or(command.portal).unwrap_or_default();
    let to = destination(&mut ledgers, &id, context.now()).await?;
    if !clips::date(&mut clips).await {
        console.note("ffprobe is not installed; the clips' times are judged by their files' own time.");
    }
    refuse_outside(&clips, &to, command.include_outside)?;
    console.note(format!("The agency asks: {}", plain(&to.details)));
    let reach = [&to.contact.phone, &to.contact.email].into_iter().flatten().map(|text| plain(text));
    console.note(format!("Contact: {} {}", plain(&to.contact.name), reach.collect::<Vec<_>>().join(", ")));
    let text = consent_text(&to, &clips, contact.as_ref(), !command.identity.no_mailbox);
    agree(console, &text, command.yes)?;
    let consent = consent(&to, &clips, &text, !command.yes, context.now())?;
    let secret = OfferSecret::new(&Zeroizing::new(random::<32>(&context.entropy())));
    let mailbox = if command.identity.no_mailbox { None } else { Some(secret.mailbox_recipient()?) };
    let contact = contact.map(|contact| serde_json::to_vec_pretty(&contact)).transpose()?;
    let meta = MetaFiles { request: to.signed.clone(), consent, contact, mailbox };
    let plan = plan(&to, &clips, meta)?;
    let sealed = write(plan, &files, &clips).await?;
    let server = context.server()?.as_str().to_owned();
    finish(&files, &to, server, &secret, &sealed, &text, context)?;
    if command.send {
        return give::send(&files, command.invitation, give::DEFAULT_WAIT, context).await;
    }
    Ok(())
}

/// What the agency will receive and what not is always told: as a part of the result to who agreed beforehand, and in
/// front of the question to who is asked.
fn agree(console: Console, text: &[String], agreed: bool) -> Result<(), Failure> {
    if agreed {
        text.iter().for_each(|line| console.line(line));
        return Ok(());
    }
    text.iter().for_each(|line| console.note(line));
    if !console.can_ask() {
        return Err(Failure::usage(
            "nobody can be asked here; read what is printed, and agree to it with --yes",
        ));
    }
    if console.agree("Do you agree?")? { Ok(()) } else { Err(Failure::new("nothing was sealed")) }
}

fn refuse_outside(clips: &[Clip], to: &Destination, include: bool) -> Result<(), Failure> {
    let frame = to.time_frame.as_ref();
    let outside: Vec<_> = clips.iter().filter(|clip| clip.outside(frame)).collect();
    let (Some(frame), false) = (frame, outside.is_empty() || include) else { return Ok(()) };
    let lines: Vec<_> = outside
        .iter()
        .map(|clip| {
            format!("{} is outside the time asked for: {}", clip.path.display(), clip.when(&frame.zone))
        })
        .collect();
    let them = if outside.len() == 1 { "it" } else { "them" };
    Err(Failure::usage(format!(
        "{}\nFootage of {} is asked for. Leave {them} out, or give --include-outside to give {them} all the same.",
        lines.join("\n"),
        asked_frame(frame)
    )))
}

fn consent_text(
    to: &Destination,
    clips: &[Clip],
    contact: Option<&ContactFile>,
    mailbox: bool,
) -> Vec<String> {
    let mut text =
        vec![format!("You give to: {} ({}), {}", plain(&to.agency.name), to.agency.class.as_str(), to.id)];
    if let Some(code) = &to.code {
        text.push(format!("For its case: {}", plain(code)));
    }
    let zone = to.zone();
    text.push("The agency will receive:".to_owned());
    for clip in clips {
        let outside = if clip.outside(to.time_frame.as_ref()) { ", OUTSIDE the time asked for" } else { "" };
        text.push(format!("  {} ({}; {}{outside})", clip.name, size(clip.bytes), clip.when(zone)));
    }
    text.push("  everything in these files: picture, sound, and what your camera wrote into them (often time, model, place)".into());
    text.push("  this text, the request, and the day of sealing".into());
    if mailbox {
        text.push("  a mailbox: it can ask you questions without knowing who you are".into());
    }
    match contact {
        Some(contact) => {
            let told = [&contact.name, &contact.phone, &contact.email].into_iter().flatten();
            text.push(format!(
                "  who you are: {}",
                told.map(|part| plain(part)).collect::<Vec<_>>().join(", ")
            ));
        }
        None => text.push("It will not receive: your name, telephone number, e-mail or address".into()),
    }
    text.push("It will not receive: the clips' file names and places on your machine, your other recordings, your account or network address".into());
    text.push("Only the agency can open it; the operator of this Canvass can't. It may keep what it accepts as evidence and show it in court.".into());
    text.push("You can withdraw it; once it is opened, the agency decides.".into());
    text
}

fn consent(
    to: &Destination,
    clips: &[Clip],
    text: &[String],
    asked: bool,
    now: Time,
) -> Result<Vec<u8>, Failure> {
    let clips = clips.iter().map(|clip| ConsentClip {
        name: &clip.name,
        bytes: clip.bytes,
        from: clip.span.map(|(from, _)| from),
        until: clip.span.map(|(_, until)| until),
        known: clip.known,
        outside_time_frame: clip.outside(to.time_frame.as_ref()),
    });
    let consent = Consent {
        v: 1,
        destination: &to.id,
        destination_digest: to.digest,
        agency: &to.agency,
        agreed: now,
        asked,
        text,
        clips: clips.collect(),
    };
    Ok(serde_json::to_vec_pretty(&consent)?)
}

fn plan(to: &Destination, clips: &[Clip], meta: MetaFiles) -> Result<SealPlan<'static>, Failure> {
    let mut sources = Vec::with_capacity(clips.len());
    for clip in clips {
        let file =
            File::open(&clip.path).map_err(|error| Failure::from(error).context(clip.path.display()))?;
        sources.push(ClipSource { name: clip.name.clone(), size: clip.bytes, reader: Box::new(file) });
    }
    let mtime = day();
    Ok(SealPlan {
        recipients: vec![to.recipient.clone()],
        meta,
        clips: sources,
        bagging_date: Time::from_second(i64::try_from(mtime).unwrap_or(0)).day(),
        mtime,
        software_agent: AGENT.to_owned(),
        external_identifier: Some(to.id.clone()),
        hash_ciphertext: false,
    })
}

// Written beside, then renamed: a file that ends in .age is whole.
async fn write(plan: SealPlan<'static>, files: &Files, clips: &[Clip]) -> Result<Sealed, Failure> {
    let part = files.part();
    if exists(&part) {
        // What an interrupted run left; it is of no use.
        std::fs::remove_file(&part)?;
    }
    let file = create_new(&part)?;
    let total = clips.iter().map(|clip| clip.bytes).sum();
    let bar = Progress::bytes("sealing", total);
    let moving = bar.clone();
    let sealing = tokio::task::spawn_blocking(move || -> Result<Sealed, Failure> {
        let mut out = BufWriter::with_capacity(1024 * 1024, &file);
        let sealed = canvass_seal::envelope::seal(plan, &mut out, |bytes| moving.set(bytes))?;
        out.flush()?;
        drop(out);
        file.sync_all()?;
        Ok(sealed)
    });
    let sealed = sealing.await?;
    bar.done();
    if sealed.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    sealed
}

fn finish(
    files: &Files,
    to: &Destination,
    server: String,
    secret: &OfferSecret,
    sealed: &Sealed,
    consent: &[String],
    context: &Context,
) -> Result<(), Failure> {
    let offer = OfferFile {
        v: 1,
        secret: secret.text()?.as_str().to_owned(),
        destination: to.id.clone(),
        destination_digest: to.digest,
        recipient: to.recipient.clone(),
        agency: to.agency.name.clone(),
        server,
        sha256: None,
        bytes: sealed.ciphertext_len,
        sealed: context.now(),
    };
    // The secret first: an envelope without it could never be followed or withdrawn.
    files.write_offer(&offer)?;
    std::fs::rename(files.part(), files.envelope())?;
    let console = context.console();
    console.line(format!(
        "Sealed {} to {}.",
        count(sealed.clips.len(), "clip", "clips"),
        plain(&to.agency.name)
    ));
    console.line(format!("  {}  {} bytes", files.envelope().display(), offer.bytes));
    console.line(format!("  {}  keep it: with it you follow, answer and withdraw", files.offer().display()));
    if let Some(closes) = to.closes {
        let until = moment_in(closes, to.zone());
        console.line(format!("Give it before {until}: canvass give {}", files.name()));
    }
    console.result(&json!({
        "envelope": files.envelope(), "offer": files.offer(), "bytes": offer.bytes,
        "destination": to.id, "consent": consent, "clips": sealed.clips.iter().map(|clip| json!({
            "name": clip.name, "bytes": clip.size, "sha256": Digest(clip.sha256),
        })).collect::<Vec<_>>(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_named_unless_they_say_so() {
        let identity = |contact: Option<PathBuf>, name: Option<&str>| Identity {
            contact,
            name: name.map(Into::into),
            phone: None,
            email: None,
            no_mailbox: false,
        };
        assert!(identity(None, None).contact().unwrap().is_none());
        assert!(identity(None, Some("  ")).contact().unwrap().is_none());
        assert!(identity(None, Some("Ann")).contact().unwrap().is_some());
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("contact.json");
        std::fs::write(&file, br#"{"nmae":"Ann"}"#).unwrap();
        assert_eq!(identity(Some(file), None).contact().unwrap_err().code(), 2);
    }
}

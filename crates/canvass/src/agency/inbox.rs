//! The inbox: list, open, triage, ask.

use std::path::{Path, PathBuf};

use canvass_core::{
    cases::ItemView,
    inbox::{Annotate, AnswerWithdrawal, OfferView, OpenedReport, ReportedClip},
    keys::KeyView,
    records::{ClipState, OfferState},
};
use canvass_seal::{
    Identity, Recipient,
    envelope::{ClipSource, DirSink, MetaFiles, OpenOptions, Opened, SealPlan, open as open_envelope, seal},
    offer::{open_text, seal_text},
};
use canvass_types::{CaseId, Digest, MemberId, OfferId, RequestId, Time};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    desk::{Desk, Why, assignee, destination, moment, plain, word},
    keys, transfer,
};
use crate::common::{Context, Failure, count, day, exists, hash_file, read_limited, write_secret};

/// Folder beside the clips with what else was in the envelope.
pub const BESIDE: &str = "_envelope";
/// Largest file of it, in bytes.
const MOST_BESIDE: u64 = 1024 * 1024;

/// Which offers.
#[derive(Debug, Args)]
pub struct InboxArgs {
    /// received, opened, triaged, withdrawn or destroyed
    #[arg(long, value_parser = word::<OfferState>)]
    state: Option<OfferState>,
    /// To this request or portal
    #[arg(long, value_parser = destination)]
    destination: Option<String>,
    /// Of this case
    #[arg(long)]
    case: Option<CaseId>,
    /// On which this member works; `me`, or `none` for nobody
    #[arg(long, value_parser = assignee)]
    assignee: Option<String>,
    /// With this tag
    #[arg(long)]
    tag: Option<String>,
    /// Only those whose reminder has come
    #[arg(long)]
    reminder_due: bool,
    /// Only those in which the resident wants something back or has answered last
    #[arg(long)]
    waiting: bool,
}

/// What to open, and where to.
#[derive(Debug, Args)]
pub struct OpenArgs {
    /// Which offer
    offer: OfferId,
    /// The case that it belongs to
    #[arg(long)]
    case: Option<CaseId>,
    #[command(flatten)]
    why: Why,
    /// A new folder for the clips
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Most bytes of clips that are written
    #[arg(long, default_value_t = 1_500_000_000_000)]
    limit: u64,
    /// A malware scanner that is run on the folder, for example 'clamscan -r'; its words are split at spaces
    #[arg(long, value_name = "COMMAND")]
    scan: Option<String>,
}

/// Triage.
#[derive(Debug, Args)]
pub struct TriageArgs {
    /// Which offer
    offer: OfferId,
    #[command(subcommand)]
    command: TriageCommand,
}

/// What becomes of clips.
#[derive(Debug, Subcommand)]
pub enum TriageCommand {
    /// Take clips into a case, each sealed by itself
    #[command(after_help = "Example:\n  canvass triage off_… accept 1 3 --case cas_… --dir opened")]
    Accept {
        /// Numbers of the clips, from 1
        #[arg(required = true)]
        clips: Vec<u32>,
        /// Into which case
        #[arg(long)]
        case: CaseId,
        /// The folder into which the offer was opened
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
    },
    /// Decline clips; they are destroyed with their envelope
    #[command(after_help = "Example:\n  canvass triage off_… decline 2 --reason 'Shows another street'")]
    Decline {
        /// Numbers of the clips, from 1
        #[arg(required = true)]
        clips: Vec<u32>,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Take back that a clip was declined
    #[command(after_help = "Example:\n  canvass triage off_… undo 2")]
    Undo {
        /// Its number, from 1
        clip: u32,
    },
}

/// A change of notes, tags, assignment or reminder.
#[derive(Debug, Args)]
pub struct AnnotateArgs {
    /// An offer, case or item
    subject: String,
    /// A note
    #[arg(long)]
    note: Option<String>,
    /// A tag to add; may be repeated
    #[arg(long)]
    tag: Vec<String>,
    /// A tag to remove; may be repeated
    #[arg(long)]
    untag: Vec<String>,
    /// Who works on it from now on
    #[arg(long)]
    assign: Option<MemberId>,
    /// Nobody works on it from now on
    #[arg(long)]
    unassign: bool,
    /// When to look at it again, RFC 3339
    #[arg(long)]
    remind: Option<Time>,
    /// No reminder from now on
    #[arg(long)]
    no_reminder: bool,
}

/// An answer to a wish to withdraw.
#[derive(Debug, Args)]
pub struct WithdrawalArgs {
    /// Which offer
    offer: OfferId,
    /// `grant` or `refuse`
    #[arg(value_parser = ["grant", "refuse"])]
    answer: String,
    /// Why; the resident reads it
    #[arg(long)]
    reason: String,
}

fn line(offer: &OfferView) -> String {
    let wish =
        offer.withdrawal.as_ref().filter(|wish| wish.granted.is_none()).map_or("", |_| "  WANTS IT BACK");
    format!(
        "{}  {}  {}  {}  {}  {} bytes{wish}",
        offer.id,
        offer.state.as_str(),
        offer.received,
        offer.destination,
        count(offer.clips.len(), "clip", "clips"),
        offer.envelope_bytes
    )
}

fn detail_lines(offer: &OfferView) -> Vec<String> {
    let mut lines = vec![line(offer)];
    lines.push(format!("  envelope SHA-256 {}", offer.envelope_sha256));
    lines.push(format!(
        "  opened {}, destroyed on {}, case {}",
        moment(offer.opened),
        moment(offer.due),
        offer.case.as_ref().map_or("-", |case| case.as_str())
    ));
    for clip in &offer.clips {
        let state = match &clip.state {
            ClipState::Pending => "pending".to_owned(),
            ClipState::Accepted { item } => format!("accepted as {item}"),
            ClipState::Declined { at } => format!("declined {at}"),
        };
        lines.push(format!(
            "  clip {}: {} ({} bytes, SHA-256 {}): {state}",
            clip.number, clip.name, clip.bytes, clip.sha256
        ));
    }
    let asked = offer.questions.len();
    let answered = offer.questions.iter().filter(|question| question.answer.is_some()).count();
    lines.push(match &offer.mailbox {
        Some(_) => format!(
            "  mailbox: {}, {}; read them with `canvass answers {}`",
            count(asked, "question", "questions"),
            count(answered, "answer", "answers"),
            offer.id
        ),
        None => "  no mailbox, or not opened yet".into(),
    });
    lines.extend(
        offer
            .annotations
            .notes
            .iter()
            .map(|note| format!("  note of {} {}: {}", note.by, note.at, note.text)),
    );
    if !offer.annotations.tags.is_empty() {
        lines.push(format!("  tags: {}", offer.annotations.tags.join(", ")));
    }
    lines
}

/// Lists offers.
pub async fn inbox(args: InboxArgs, context: &Context) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    let query = [
        ("state", args.state.map(|state| state.as_str().to_owned())),
        ("destination", args.destination),
        ("case", args.case.map(|id| id.to_string())),
        ("assignee", args.assignee),
        ("tag", args.tag),
        ("reminder_due", args.reminder_due.then(|| "true".to_owned())),
        ("waiting", args.waiting.then(|| "true".to_owned())),
    ];
    let all: Vec<OfferView> = desk.all("/offers", &query).await?;
    let lines: Vec<String> = all.iter().map(line).collect();
    desk.show(&all, &lines)
}

/// Shows one offer.
pub async fn show(offer: &OfferId, context: &Context) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    let view: OfferView = desk.get(&format!("/offers/{offer}")).await?;
    desk.show(&view, &detail_lines(&view))
}

/// Opens a sealed file into a new folder, with what else was in it beside the clips.
pub fn open_into(
    sealed: &Path,
    identity: Identity,
    out: &Path,
    sha256: Digest,
    bytes: u64,
    limit: u64,
) -> Result<Opened, Failure> {
    let file = std::fs::File::open(sealed)?;
    let options =
        OpenOptions { max_payload_bytes: limit, expected_len: Some(bytes), expected_sha256: Some(sha256.0) };
    let mut sink = DirSink::new(out)?;
    let opened = tokio::task::block_in_place(|| open_envelope(file, &[identity], options, &mut sink))?;
    let beside = out.join(BESIDE);
    write_secret(&beside.join("request.json"), &opened.request)?;
    write_secret(&beside.join("consent.json"), &opened.consent)?;
    if let Some(contact) = &opened.contact {
        write_secret(&beside.join("contact.json"), contact)?;
    }
    if let Some(mailbox) = &opened.mailbox {
        write_secret(&beside.join("mailbox.txt"), format!("{mailbox}\n").as_bytes())?;
    }
    Ok(opened)
}

/// The same name with something behind it.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().map(std::ffi::OsStr::to_os_string).unwrap_or_default();
    name.push(suffix);
    path.with_file_name(name)
}

/// Whether the envelope answers what the agency asked: a remark when it does not.
async fn asked_otherwise(desk: &Desk<'_>, offer: &OfferView, request: &[u8]) -> Option<String> {
    let id: RequestId = offer.destination.parse().ok()?;
    let known: Value = desk.get(&format!("/requests/{id}")).await.ok()?;
    let told: Value = serde_json::from_slice(request).ok()?;
    let digest = |value: &Value| value.get("digest").and_then(Value::as_str).map(str::to_owned);
    let ours = digest(known.get("signed")?);
    // Either the signed request itself, or the public file around it.
    let theirs = digest(&told).or_else(|| digest(told.get("request")?));
    (ours != theirs)
        .then(|| "the envelope answers another text than the one that the agency signed".to_owned())
}

/// Downloads, verifies and opens an offer.
pub async fn open(args: OpenArgs, context: &Context) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    if exists(&args.out) {
        return Err(Failure::usage(format!(
            "{}: it exists already; choose a new folder",
            args.out.display()
        )));
    }
    let offer = args.offer;
    let mut view: OfferView = desk.get(&format!("/offers/{offer}")).await?;
    let identity = keys::open(&desk, &view.destination).await?;
    if let Some(case) = args.case.filter(|case| view.case.as_ref() != Some(case)) {
        view = desk.send(Method::PUT, &format!("/offers/{offer}/case"), &json!({ "case": case })).await?;
    }
    let sealed = beside(&args.out, ".age.part");
    let base = format!("/offers/{offer}/envelope");
    let why = args.why.purpose(if view.case.is_some() { "case-work" } else { "triage" });
    transfer::download(&desk, &base, &why, &sealed, view.envelope_bytes, view.envelope_sha256).await?;
    let opened =
        open_into(&sealed, identity, &args.out, view.envelope_sha256, view.envelope_bytes, args.limit);
    let opened = match opened {
        Ok(opened) => opened,
        Err(error) => {
            let report = OpenedReport {
                clips: Vec::new(),
                mailbox: None,
                envelope_sha256: view.envelope_sha256,
                defects: vec![error.to_string().chars().filter(|c| !c.is_control()).take(500).collect()],
            };
            let _: OfferView = desk.post(&format!("/offers/{offer}/report"), &report).await?;
            return Err(error.context("the envelope can't be opened, which is now on record"));
        }
    };
    std::fs::remove_file(&sealed)?;
    let mut remarks: Vec<String> = opened.defects.iter().take(49).map(ToString::to_string).collect();
    remarks.extend(asked_otherwise(&desk, &view, &opened.request).await);
    let report = OpenedReport {
        clips: opened
            .clips
            .iter()
            .map(|clip| ReportedClip {
                name: clip.name.clone(),
                bytes: clip.size,
                sha256: Digest(clip.sha256),
            })
            .collect(),
        mailbox: opened.mailbox.as_ref().map(ToString::to_string),
        envelope_sha256: Digest(opened.ciphertext_sha256),
        defects: remarks
            .iter()
            .map(|text| text.chars().filter(|c| !c.is_control()).take(500).collect())
            .collect(),
    };
    let view: OfferView = desk.post(&format!("/offers/{offer}/report"), &report).await?;
    let scan = match &args.scan {
        Some(command) => Some(scan(command, &args.out).await?),
        None => None,
    };
    let mut lines = vec![format!("opened into {}", args.out.display())];
    lines.extend(detail_lines(&view));
    lines.extend(remarks.iter().map(|remark| format!("  remark: {remark}")));
    desk.show(&json!({ "offer": view, "out": args.out, "remarks": remarks, "scan_status": scan }), &lines)?;
    match scan {
        Some(status) if status != 0 => Err(Failure::new(format!(
            "the scanner ended with status {status}; do not play anything in {} before you have looked into it",
            args.out.display()
        ))),
        _ => Ok(()),
    }
}

/// Runs a scanner on a folder; no shell is involved.
async fn scan(command: &str, folder: &Path) -> Result<i32, Failure> {
    let mut words = command.split_whitespace();
    let program = words.next().ok_or_else(|| Failure::usage("--scan: name a program"))?;
    let status = tokio::process::Command::new(program)
        .args(words)
        .arg(folder)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .status()
        .await
        .map_err(|error| Failure::from(error).context(format!("--scan {program}")))?;
    Ok(status.code().unwrap_or(-1))
}

/// Decides on clips.
pub async fn triage(args: TriageArgs, context: &Context) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    let offer = args.offer;
    match args.command {
        TriageCommand::Accept { clips, case, dir } => accept(&desk, &offer, &clips, &case, &dir).await,
        TriageCommand::Decline { clips, reason } => {
            for number in clips {
                let base = format!("/offers/{offer}/clips/{number}/decline");
                let _: OfferView = desk.post(&base, &json!({ "reason": reason })).await?;
            }
            show(&offer, context).await
        }
        TriageCommand::Undo { clip } => {
            let view: OfferView =
                desk.act(Method::POST, &format!("/offers/{offer}/clips/{clip}/undo")).await?;
            desk.show(&view, &detail_lines(&view))
        }
    }
}

/// What else was in the envelope that was opened into a folder.
pub fn meta(dir: &Path) -> Result<MetaFiles, Failure> {
    let read = |name: &str| read_limited(&dir.join(BESIDE).join(name), MOST_BESIDE);
    let optional =
        |name: &str| if exists(&dir.join(BESIDE).join(name)) { read(name).map(Some) } else { Ok(None) };
    let mailbox: Option<Recipient> = match optional("mailbox.txt")? {
        Some(bytes) => Some(String::from_utf8_lossy(&bytes).trim().parse()?),
        None => None,
    };
    Ok(MetaFiles {
        request: read("request.json")?,
        consent: read("consent.json")?,
        contact: optional("contact.json")?,
        mailbox,
    })
}

async fn accept(
    desk: &Desk<'_>,
    offer: &OfferId,
    clips: &[u32],
    case: &CaseId,
    dir: &Path,
) -> Result<(), Failure> {
    let view: OfferView = desk.get(&format!("/offers/{offer}")).await?;
    let key: KeyView = desk.get(&format!("/keys/{}", view.destination)).await?;
    let mut items = Vec::new();
    for number in clips {
        let clip = view.clips.iter().find(|clip| clip.number == *number).ok_or_else(|| {
            Failure::usage(format!(
                "the offer has no clip {number}; open it first, then see `canvass offer-show {offer}`"
            ))
        })?;
        let file = dir.join(&clip.name);
        let (found, bytes) = hash_file(&file)?;
        if found != clip.sha256 {
            return Err(Failure::new(format!(
                "{}: it is not the clip that was opened any more; open the offer again",
                file.display()
            )));
        }
        let sealed = tempfile::NamedTempFile::new_in(dir)?;
        let plan = SealPlan {
            recipients: vec![key.recipient.clone()],
            meta: meta(dir)?,
            clips: vec![ClipSource {
                name: clip.name.clone(),
                size: bytes,
                reader: Box::new(std::fs::File::open(&file)?),
            }],
            bagging_date: desk.context.now().day(),
            mtime: day(),
            software_agent: concat!("canvass ", env!("CARGO_PKG_VERSION")).to_owned(),
            // Where the clip came from, in the bag itself.
            external_identifier: Some(format!("{offer} clip {number} of envelope {}", view.envelope_sha256)),
            hash_ciphertext: false,
        };
        let mut out = sealed.as_file();
        tokio::task::block_in_place(|| seal(plan, &mut out, |_| {}))?;
        sealed.as_file().sync_all()?;
        let upload = transfer::upload(desk, sealed.path()).await?;
        let body = json!({ "case": case, "upload": upload, "sha256": found, "bytes": bytes });
        let item: ItemView = desk.post(&format!("/offers/{offer}/clips/{number}/accept"), &body).await?;
        desk.context.console().note(format!("clip {number}: item {}", item.id));
        items.push(item);
    }
    let lines: Vec<String> =
        items.iter().map(|item| format!("{}  {}  SHA-256 {}", item.id, item.name, item.sha256)).collect();
    desk.show(&items, &lines)
}

/// Puts a question to the resident, sealed to their mailbox.
pub async fn ask(offer: &OfferId, text: &str, context: &Context) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    let view: OfferView = desk.get(&format!("/offers/{offer}")).await?;
    let mailbox = view.mailbox.ok_or_else(|| {
        Failure::new("the resident left no mailbox, or the offer is not opened yet; an anonymous resident can't be asked")
    })?;
    let sealed = seal_text(text, &mailbox.parse()?)?;
    let view: OfferView =
        desk.post(&format!("/offers/{offer}/questions"), &json!({ "sealed": sealed })).await?;
    let id = view.questions.last().map(|question| question.id.to_string()).unwrap_or_default();
    desk.show(&view, &[format!("{id}: asked; the resident sees it with `canvass offer questions`")])
}

/// Reads the answers.
pub async fn answers(offer: &OfferId, context: &Context) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    let view: OfferView = desk.get(&format!("/offers/{offer}")).await?;
    let identity = keys::open(&desk, &view.destination).await?;
    let mut shown = Vec::new();
    let mut lines = Vec::new();
    for question in &view.questions {
        let answer = match &question.answer {
            Some(sealed) => Some(open_text(sealed, &identity)?.to_string()),
            None => None,
        };
        // The question itself is sealed to the resident: only they can read it again.
        lines.push(format!("{}  asked {} by {}", question.id, question.asked, question.by));
        lines.push(match (&answer, question.answered) {
            (Some(text), Some(at)) => format!("  answered {at}: {}", plain(text)),
            (Some(text), None) => format!("  answered: {}", plain(text)),
            _ => "  no answer yet".into(),
        });
        shown.push(json!({ "id": question.id, "asked": question.asked, "by": question.by, "answered": question.answered, "answer": answer }));
    }
    desk.show(&shown, &lines)
}

/// Changes notes, tags, assignment or reminder of an offer, case or item.
pub async fn annotate(args: AnnotateArgs, context: &Context) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    let base = if args.subject.parse::<OfferId>().is_ok() {
        format!("/offers/{}/annotations", args.subject)
    } else if args.subject.parse::<CaseId>().is_ok() {
        format!("/cases/{}/annotations", args.subject)
    } else if args.subject.parse::<canvass_types::ItemId>().is_ok() {
        format!("/items/{}/annotations", args.subject)
    } else {
        return Err(Failure::usage("give the id of an offer (off_…), case (cas_…) or item (itm_…)"));
    };
    let change = Annotate {
        note: args.note,
        add_tags: args.tag,
        remove_tags: args.untag,
        assignee: args.assign,
        unassign: args.unassign,
        remind: args.remind,
        no_reminder: args.no_reminder,
    };
    let view: Value = desk.post(&base, &change).await?;
    desk.show(&view, &[format!("{}: done", args.subject)])
}

/// Answers a wish to withdraw.
pub async fn withdrawal(args: WithdrawalArgs, context: &Context) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    let answer = AnswerWithdrawal { granted: args.answer == "grant", reason: args.reason };
    let view: OfferView = desk.post(&format!("/offers/{}/withdrawal", args.offer), &answer).await?;
    desk.show(&view, &detail_lines(&view))
}

//! Cases, holds, items, retention and records of actions.

use std::path::PathBuf;

use canvass_core::{
    cases::{CaseDetail, CaseView, ChangeCase, ItemDetail, ItemView, NewCase, NewHold, Timeline},
    custody::{CustodyView, verify_chain_to},
    plates::{ClassKept, KeptWhat},
    records::Hold,
    retention::Due,
};
use canvass_types::{CaseId, HoldId, ItemId, OfferId, Purpose};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::Value;

use super::{
    copies::{self, CopyArgs},
    desk::{Desk, Why, assignee, destination, moment, path, purpose},
    inbox::{beside, open_into},
    keys, transfer,
};
use crate::common::{Context, Failure, count, exists};

/// Cases.
#[derive(Debug, Subcommand)]
pub enum CaseCommand {
    /// Open a case
    #[command(
        after_help = "Example:\n  canvass case create --title '2026-0412 burglary' --code 2026-0412 --destination req_…"
    )]
    Create {
        /// The agency's number or name for it
        #[arg(long)]
        title: String,
        /// Investigation code
        #[arg(long)]
        code: Option<String>,
        /// A request or portal to join; may be repeated
        #[arg(long, value_parser = destination)]
        destination: Vec<String>,
    },
    /// List cases
    #[command(after_help = "Example:\n  canvass case list --state open")]
    List {
        /// open or closed
        #[arg(long, value_parser = ["open", "closed"])]
        state: Option<String>,
        /// With this investigation code
        #[arg(long)]
        code: Option<String>,
        /// With this text in the title or code
        #[arg(long)]
        text: Option<String>,
        /// On which this member works; `me`, or `none` for nobody
        #[arg(long, value_parser = assignee)]
        assignee: Option<String>,
        /// With this tag
        #[arg(long)]
        tag: Option<String>,
    },
    /// Show a case with items, offers and holds
    #[command(after_help = "Example:\n  canvass case show cas_…")]
    Show {
        /// Which
        case: CaseId,
    },
    /// Tell what happened in a case, oldest first
    #[command(after_help = "Example:\n  canvass case timeline cas_…")]
    Timeline {
        /// Which
        case: CaseId,
        /// At most so many of the newest events, up to 2,000
        #[arg(long, default_value_t = 500)]
        limit: u32,
    },
    /// Change what a case is called and joins
    #[command(after_help = "Example:\n  canvass case change cas_… --add req_…")]
    Change {
        /// Which
        case: CaseId,
        /// New title
        #[arg(long)]
        title: Option<String>,
        /// A request or portal to join; may be repeated
        #[arg(long, value_parser = destination)]
        add: Vec<String>,
        /// A request or portal to part with; may be repeated
        #[arg(long, value_parser = destination)]
        remove: Vec<String>,
    },
    /// Close a case: the retention of its items begins
    #[command(after_help = "Example:\n  canvass case close cas_…")]
    Close {
        /// Which
        case: CaseId,
    },
    /// Open a closed case again
    #[command(after_help = "Example:\n  canvass case reopen cas_…")]
    Reopen {
        /// Which
        case: CaseId,
    },
}

fn case_line(case: &CaseView) -> String {
    let state = if case.open { "open".to_owned() } else { format!("closed {}", moment(case.closed)) };
    format!("{}  {state}  {}  {}", case.id, case.code.as_deref().unwrap_or("-"), case.title)
}

pub fn item_line(item: &ItemView) -> String {
    let gone = item.destroyed.map_or_else(String::new, |at| format!("  destroyed {at}"));
    let from = match (&item.copy_of, &item.alteration) {
        (Some(original), Some(how)) => format!("ALTERED COPY ({}) of {original}", how.kind.as_str()),
        _ => format!("from {} clip {}", item.offer, item.clip),
    };
    format!("{}  {}  {} bytes  SHA-256 {}  {from}{gone}", item.id, item.name, item.bytes, item.sha256)
}

fn hold_line(hold: &Hold) -> String {
    let until = hold.released.map_or_else(|| "in force".to_owned(), |at| format!("released {at}"));
    format!("{}  on {}  since {}  {until}  {}", hold.id, hold.subject, hold.placed, hold.basis)
}

/// Runs one of them.
pub async fn case(command: CaseCommand, context: &Context) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    let one = |case: &CaseView| desk.show(case, &[case_line(case)]);
    match command {
        CaseCommand::Create { title, code, destination } => {
            one(&desk.post("/cases", &NewCase { title, code, destinations: destination }).await?)
        }
        CaseCommand::List { state, code, text, assignee, tag } => {
            let query = [("state", state), ("code", code), ("q", text), ("assignee", assignee), ("tag", tag)];
            let all: Vec<CaseView> = desk.all("/cases", &query).await?;
            let lines: Vec<String> = all.iter().map(case_line).collect();
            desk.show(&all, &lines)
        }
        CaseCommand::Show { case } => show_case(&desk, &case).await,
        CaseCommand::Timeline { case, limit } => timeline(&desk, &case, limit).await,
        CaseCommand::Change { case, title, add, remove } => {
            let change = ChangeCase { title, add_destinations: add, remove_destinations: remove };
            one(&desk.send(Method::PATCH, &format!("/cases/{case}"), &change).await?)
        }
        CaseCommand::Close { case } => one(&desk.act(Method::POST, &format!("/cases/{case}/close")).await?),
        CaseCommand::Reopen { case } => {
            one(&desk.act(Method::POST, &format!("/cases/{case}/reopen")).await?)
        }
    }
}

async fn show_case(desk: &Desk<'_>, case: &CaseId) -> Result<(), Failure> {
    let detail: CaseDetail = desk.get(&format!("/cases/{case}")).await?;
    let mut lines = vec![case_line(&detail.case)];
    lines.extend(detail.case.destinations.iter().map(|id| format!("  joins {id}")));
    lines.extend(detail.items.iter().map(|item| format!("  {}", item_line(item))));
    lines.extend(detail.offers.iter().map(|offer| {
        format!("  {}  {}  {}", offer.id, offer.state.as_str(), count(offer.clips.len(), "clip", "clips"))
    }));
    lines.extend(detail.holds.iter().map(|hold| format!("  {}", hold_line(hold))));
    let notes = &detail.case.annotations.notes;
    lines.extend(notes.iter().map(|note| format!("  note of {} {}: {}", note.by, note.at, note.text)));
    desk.show(&detail, &lines)
}

async fn timeline(desk: &Desk<'_>, case: &CaseId, limit: u32) -> Result<(), Failure> {
    let base = path(&format!("/cases/{case}/timeline"), &[("limit", Some(limit.to_string()))]);
    let told: Timeline = desk.http.get(&base).await?;
    let mut lines = Vec::new();
    if told.earlier > 0 {
        lines.push(format!("{} left out", count(told.earlier, "earlier event", "earlier events")));
    }
    lines.extend(told.events.iter().map(|event| {
        let by = event.by_name.as_deref().unwrap_or("resident, moderator or server");
        let name = event.subject_name.as_deref().unwrap_or_default();
        format!("{}  {}  {} {name}  {by}", event.at, event.kind, event.subject)
    }));
    desk.show(&told, &lines)
}

/// Holds.
#[derive(Debug, Subcommand)]
pub enum HoldCommand {
    /// Place a hold: nothing under it is destroyed
    #[command(after_help = "Example:\n  canvass hold place cas_… --basis 'Order 26-cr-77 of 2026-11-24'")]
    Place {
        /// A case, offer or item
        subject: String,
        /// The legal basis
        #[arg(long)]
        basis: String,
    },
    /// Release a hold
    #[command(after_help = "Example:\n  canvass hold release hld_… --reason 'The appeal is over'")]
    Release {
        /// Which
        hold: HoldId,
        /// Why, 10 to 500 characters
        #[arg(long)]
        reason: String,
    },
    /// List holds
    #[command(after_help = "Example:\n  canvass hold list --active")]
    List {
        /// Only those in force
        #[arg(long)]
        active: bool,
        /// On this case, offer or item
        #[arg(long)]
        subject: Option<String>,
    },
}

/// Runs one of them.
pub async fn hold(command: HoldCommand, context: &Context) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    match command {
        HoldCommand::Place { subject, basis } => {
            let hold: Hold = desk.post("/holds", &NewHold { subject, basis }).await?;
            desk.show(&hold, &[hold_line(&hold)])
        }
        HoldCommand::Release { hold, reason } => {
            let request = desk.http.request(Method::DELETE, &path(&format!("/holds/{hold}"), &[]));
            let answer = desk
                .http
                .send(request.header("canvass-purpose", purpose(&Purpose::reason(&reason))?))
                .await?;
            let hold: Hold = answer.json().await?;
            desk.show(&hold, &[hold_line(&hold)])
        }
        HoldCommand::List { active, subject } => {
            let query = [("active", active.then(|| "true".to_owned())), ("subject", subject)];
            let all: Vec<Hold> = desk.all("/holds", &query).await?;
            let lines: Vec<String> = all.iter().map(hold_line).collect();
            desk.show(&all, &lines)
        }
    }
}

/// Items.
#[derive(Debug, Subcommand)]
pub enum ItemCommand {
    /// Show an item
    #[command(after_help = "Example:\n  canvass item show itm_…")]
    Show {
        /// Which
        item: ItemId,
    },
    /// List items of your agency
    #[command(after_help = "Example:\n  canvass item list --case cas_… --assignee me")]
    List {
        /// Of this case
        #[arg(long)]
        case: Option<CaseId>,
        /// From this offer
        #[arg(long)]
        offer: Option<OfferId>,
        /// Altered copies of this item
        #[arg(long)]
        copy_of: Option<ItemId>,
        /// On which this member works; `me`, or `none` for nobody
        #[arg(long, value_parser = assignee)]
        assignee: Option<String>,
        /// With this tag
        #[arg(long)]
        tag: Option<String>,
    },
    /// Add an altered copy of an item: redacted, or in another form; the original stays as it is
    #[command(
        after_help = "Example:\n  canvass item copy itm_… porch-redacted.mp4 --note 'Face of a passer-by blurred' --for disclosure --purpose 'Blur the passer-by at the Elm Street porch'"
    )]
    Copy(CopyArgs),
    /// Decrypt an item's original into a file and hash it once more
    #[command(
        after_help = "Example:\n  canvass item read itm_… --purpose 'Compare the porch clip with the burglar\'s red jacket' --out porch.mp4"
    )]
    Read(ReadArgs),
    /// Show and check the chain of custody of an item or offer
    #[command(after_help = "Example:\n  canvass item custody itm_…")]
    Custody {
        /// An item (itm_…) or offer (off_…)
        subject: String,
    },
}

/// What to read.
#[derive(Debug, Args)]
pub struct ReadArgs {
    /// Which item
    item: ItemId,
    #[command(flatten)]
    why: Why,
    /// A new file for the original
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs one of them.
pub async fn item(command: ItemCommand, context: &Context) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    match command {
        ItemCommand::Show { item } => {
            let detail: ItemDetail = desk.get(&format!("/items/{item}")).await?;
            let view = &detail.item;
            let mut lines = vec![item_line(view)];
            lines.push(format!(
                "  case {}, added {}, destroyed on {}",
                view.case,
                view.added,
                moment(view.due)
            ));
            if let Some(how) = &view.alteration {
                lines.push(format!("  altered on {} by {} with {}: {}", how.at, how.by, how.tool, how.note));
            }
            lines.extend(detail.copies.iter().map(|copy| format!("  {}", item_line(copy))));
            lines.extend(detail.holds.iter().map(|hold| format!("  {}", hold_line(hold))));
            lines.extend(
                view.annotations
                    .notes
                    .iter()
                    .map(|note| format!("  note of {} {}: {}", note.by, note.at, note.text)),
            );
            desk.show(&detail, &lines)
        }
        ItemCommand::List { case, offer, copy_of, assignee, tag } => {
            let query = [
                ("case", case.map(|id| id.to_string())),
                ("offer", offer.map(|id| id.to_string())),
                ("copy_of", copy_of.map(|id| id.to_string())),
                ("assignee", assignee),
                ("tag", tag),
            ];
            let all: Vec<ItemView> = desk.all("/items", &query).await?;
            let lines: Vec<String> = all.iter().map(item_line).collect();
            desk.show(&all, &lines)
        }
        ItemCommand::Copy(args) => copies::copy(&desk, args).await,
        ItemCommand::Read(args) => read(&desk, args).await,
        ItemCommand::Custody { subject } => custody(&desk, &subject).await,
    }
}

async fn read(desk: &Desk<'_>, args: ReadArgs) -> Result<(), Failure> {
    if exists(&args.out) {
        return Err(Failure::usage(format!(
            "{}: it exists already; choose another name",
            args.out.display()
        )));
    }
    let view: ItemView = desk.get(&format!("/items/{}", args.item)).await?;
    let folder = beside(&args.out, ".part");
    unpack(desk, &view, &args.why.purpose("case-work"), &folder).await?;
    std::fs::rename(folder.join(&view.name), &args.out)?;
    std::fs::remove_dir_all(&folder)?;
    let line = format!("{}: {} bytes, SHA-256 {} as on record", args.out.display(), view.bytes, view.sha256);
    desk.show(&serde_json::json!({ "item": view, "out": args.out }), &[line])
}

/// Downloads an item's bag, opens it into a new folder and checks that it holds the one clip on record.
pub async fn unpack(
    desk: &Desk<'_>,
    item: &ItemView,
    why: &Purpose,
    folder: &std::path::Path,
) -> Result<(), Failure> {
    let identity = keys::open(desk, &item.destination).await?;
    let sealed = beside(folder, ".age.part");
    let base = format!("/items/{}/content", item.id);
    transfer::download(desk, &base, why, &sealed, item.sealed_bytes, item.sealed_sha256).await?;
    let limit = item.bytes.saturating_add(1);
    let opened = open_into(&sealed, identity, folder, item.sealed_sha256, item.sealed_bytes, limit)?;
    std::fs::remove_file(&sealed)?;
    let same = |clip: &canvass_seal::envelope::Clip| {
        clip.sha256 == item.sha256.0 && clip.size == item.bytes && clip.name == item.name
    };
    if opened.clips.len() != 1 || !opened.clips.iter().all(same) {
        return Err(Failure::new(format!(
            "{}: what was sealed is not the clip on record; nothing here may be relied on, tell the operator",
            item.id
        )));
    }
    Ok(())
}

async fn custody(desk: &Desk<'_>, subject: &str) -> Result<(), Failure> {
    let base = if subject.parse::<ItemId>().is_ok() {
        format!("/items/{subject}/custody")
    } else if subject.parse::<OfferId>().is_ok() {
        format!("/offers/{subject}/custody")
    } else {
        return Err(Failure::usage("give the id of an item (itm_…) or offer (off_…)"));
    };
    let chain: CustodyView = desk.get(&base).await?;
    let mut lines: Vec<String> = chain
        .events
        .iter()
        .map(|event| {
            let by = event.by.as_ref().map_or_else(|| "resident or server".to_owned(), ToString::to_string);
            format!("{}  {}  {}  {by}  {}", event.number, event.at, event.event, event.detail)
        })
        .collect();
    let sound = verify_chain_to(&chain.events, &chain.head);
    lines.push(match &sound {
        Ok(()) => format!("the chain holds; its head is {}", chain.head.hash),
        Err(defect) => defect.to_string(),
    });
    desk.show(&chain, &lines)?;
    sound.map_err(Failure::from)
}

/// Shows what will be destroyed when.
pub async fn retention(context: &Context) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    let all: Vec<Due> = desk.all("/retention", &[]).await?;
    let line = |due: &Due| {
        let rule = due.rule.as_ref().map_or_else(String::new, |rule| format!(" ({} days)", rule.days));
        let kept = match &due.hold {
            Some(hold) => format!("  KEPT by {} on {}: {}", hold.id, hold.subject, hold.basis),
            None if due.held => "  KEPT by a hold".to_owned(),
            None => String::new(),
        };
        let name = due.name.as_deref().unwrap_or_default();
        format!("{}  {} of {} {name}  {}{rule}{kept}", due.due, due.what, due.subject, due.reason)
    };
    let lines: Vec<String> = all.iter().map(line).collect();
    desk.show(&all, &lines)
}

/// Shows how long plate reads and sightings are kept, and what was forgotten.
pub async fn reads_kept(context: &Context) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    let all: Vec<ClassKept> = desk.all("/retention/reads", &[]).await?;
    let mut lines = Vec::new();
    for kept in &all {
        let (what, one, more) = match kept.what {
            KeptWhat::Hits => ("reads that met a hotlist", "read", "reads"),
            KeptWhat::Reads => ("reads that met none", "read", "reads"),
            KeptWhat::Sightings => ("people and vehicles that cameras saw", "sighting", "sightings"),
        };
        let long = match kept.seconds {
            0..7_200 => format!("{} minutes", kept.seconds / 60),
            _ if kept.seconds < 172_800 => format!("{} hours", kept.seconds / 3_600),
            _ => format!("{} days", kept.seconds / 86_400),
        };
        let next = kept.next.map(|next| format!("; the oldest go {next}")).unwrap_or_default();
        lines.push(format!("{what}: {long} ({}); {} now{next}", kept.law, kept.count));
        lines.extend(kept.erased.iter().map(|gone| {
            format!("  {}  {} forgotten; entry {}", gone.at, count(gone.count, one, more), gone.entry)
        }));
    }
    desk.show(&all, &lines)
}

/// Which records.
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// About this offer, item, case, member …
    #[arg(long)]
    subject: Option<String>,
    /// Of this action, for example offer.open
    #[arg(long)]
    action: Option<String>,
}

/// Shows records of actions.
pub async fn audit(args: AuditArgs, context: &Context) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    let all: Vec<Value> = desk.all("/audit", &[("subject", args.subject), ("action", args.action)]).await?;
    let lines: Vec<String> = all.iter().map(|record| row(record.get("body").unwrap_or(record))).collect();
    desk.show(&all, &lines)
}

/// One line of the plain fields of an object.
fn row(value: &Value) -> String {
    let Some(fields) = value.as_object() else { return value.to_string() };
    let plain = fields.iter().filter_map(|(name, value)| match value {
        Value::String(text) => Some(format!("{name} {text}")),
        Value::Bool(_) | Value::Number(_) => Some(format!("{name} {value}")),
        Value::Object(_) if name == "purpose" => {
            let purpose: Purpose = serde_json::from_value(value.clone()).unwrap_or_default();
            Some(format!("{name} {}", purpose.line()))
        }
        _ => None,
    });
    plain.collect::<Vec<_>>().join("  ")
}

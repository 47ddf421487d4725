//! Searching plate reads.

use std::path::{Path, PathBuf};

use canvass_core::{
    plates::{
        FoundRead, HistoryOfPlate, KeepReads, KeptFile, KeptReadsDetail, KeptReadsView, PlatesFound,
        Question, SearchPlates, WhoseCameras,
    },
    records::ApprovalState,
};
use canvass_plates::{Colour, MatchLabel, ReadId, VehicleType};
use canvass_types::{ApprovalId, CameraId, KeptReadsId, Time};
use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    approvals::{self, ConvoyArgs, PlacesArgs},
    desk::{Desk, Why, plain, purpose, spelled, word},
};
use crate::common::{Context, Failure, count};

/// Searching plate reads.
#[derive(Debug, Subcommand)]
pub enum PlateCommand {
    /// Search the reads of cameras
    #[command(after_help = "\
Examples:
  canvass plate search 'ABC 1234' --case-number 26-77 --for crime --offence felony --purpose 'Grey pickup at the pharmacy on Elm Street'
  canvass plate search 'A?C12*' --days 3 --whose shared --case-number 26-77 --for crime --offence felony --purpose 'Grey pickup at the pharmacy'
  canvass plate search ABC1234 --tolerant --camera cam_… --pictures found --case-number 26-77 --for crime --offence felony --purpose 'Grey pickup at the pharmacy'
  canvass plate search 'ABC 1234' --days 45 --ask --case-number 26-77 --for crime --offence felony --purpose 'Grey pickup at the pharmacy on Elm Street'
  canvass plate search 'ABC 1234' --keep all --note 'Seen twice' --case-number 26-77 --for crime --offence felony --purpose 'Grey pickup at the pharmacy'")]
    Search(SearchArgs),
    /// Show where one plate was seen
    #[command(after_help = "\
Example:
  canvass plate history 'ABC 1234' --days 7 --case-number 26-77 --for crime --offence felony --purpose 'Grey pickup at the pharmacy on Elm Street'")]
    History {
        /// The plate, whole
        plate: String,
        #[command(flatten)]
        wide: Wide,
        #[command(flatten)]
        more: More,
        #[command(flatten)]
        why: Why,
    },
    /// Ask for a second person's approval to search which plates travelled with one
    #[command(after_help = "\
Examples:
  canvass plate convoy 'ABC 1234' --days 3 --within 120 --case-number 26-77 --for crime --offence felony --purpose 'Two cars left the pharmacy together'
  canvass plate convoy 'ABC 1234' --plan --case-number 26-77 --for crime --offence felony --purpose 'Two cars left the pharmacy together'")]
    Convoy(ConvoyArgs),
    /// Ask for a second person's approval to search which plates were at several places
    #[command(after_help = "\
Example:
  canvass plate places --place 'name=Pharmacy,from=2026-11-20T20:00:00Z,until=2026-11-20T21:00:00Z,camera=cam_…' \
    --place 'name=Gas station,from=2026-11-22T20:00:00Z,until=2026-11-22T21:00:00Z,camera=cam_…' \
    --case-number 26-77 --for crime --offence felony --purpose 'The same crew at the pharmacy and the gas station'")]
    Places(PlacesArgs),
    /// List searches that wait for a second person, or have an approval
    #[command(after_help = "Example:\n  canvass plate approvals --state open")]
    Approvals {
        /// In this state: open, approved, refused, withdrawn, expired
        #[arg(long, value_parser = approvals::state)]
        state: Option<ApprovalState>,
    },
    /// Show such a search: what it asks, why, and what it would touch
    #[command(after_help = "Example:\n  canvass plate approval apv_…")]
    Approval {
        /// Which
        approval: ApprovalId,
    },
    /// Approve a search that somebody else asks for (supervisor)
    #[command(after_help = "Example:\n  canvass plate approve apv_…")]
    Approve {
        /// Which
        approval: ApprovalId,
    },
    /// Refuse a search that somebody else asks for (supervisor)
    #[command(
        after_help = "Example:\n  canvass plate refuse apv_… --reason 'Two days around the robbery are enough'"
    )]
    Refuse {
        /// Which
        approval: ApprovalId,
        /// Why, 10 to 500 characters
        #[arg(long)]
        reason: String,
    },
    /// Take back a search that you asked for
    #[command(after_help = "Example:\n  canvass plate withdraw apv_…")]
    Withdraw {
        /// Which
        approval: ApprovalId,
    },
    /// Run a search that was approved, within a day
    #[command(after_help = "\
Examples:
  canvass plate run apv_…
  canvass plate run apv_… --keep rea_… --keep rea_… --note 'Behind the pickup at both cameras'")]
    Run {
        /// Which
        approval: ApprovalId,
        /// The following part: what the one before showed as next
        #[arg(long)]
        after: Option<String>,
        #[command(flatten)]
        keep: Keep,
    },
    /// Show plate reads that are kept in a case; with a purpose, the reads themselves
    #[command(after_help = "\
Examples:
  canvass plate kept krd_…
  canvass plate kept krd_… --out reads.json --for case-work --purpose 'Comparing the reads of the pickup with the clips'")]
    Kept {
        /// Which
        kept: KeptReadsId,
        /// Write the reads into this new file; it takes a purpose
        #[arg(long, requires = "purpose")]
        out: Option<PathBuf>,
        #[command(flatten)]
        why: MaybeWhy,
    },
}

/// A purpose, where reads are fetched.
#[derive(Debug, Args)]
pub struct MaybeWhy {
    /// Why, in words
    #[arg(long)]
    purpose: Option<String>,
    /// Class of the purpose
    #[arg(long = "for", value_name = "CLASS", default_value = "case-work")]
    class: String,
}

/// Whether a search is only asked for, and what of it is kept.
#[derive(Debug, Args)]
pub struct More {
    /// Ask for a second person's approval instead of searching
    #[arg(long)]
    ask: bool,
    /// Only tell what it would touch and what it takes
    #[arg(long, conflicts_with = "ask")]
    plan: bool,
    #[command(flatten)]
    keep: Keep,
}

/// What of a search is kept in its case.
#[derive(Debug, Args)]
pub struct Keep {
    /// Keep this read in the case of the purpose; may stand several times; `all` keeps what is shown
    #[arg(long = "keep", value_name = "READ")]
    keep: Vec<String>,
    /// A note to what is kept
    #[arg(long, requires = "keep")]
    pub note: Option<String>,
}

impl Keep {
    /// Whether anything is kept.
    pub fn wanted(&self) -> bool {
        !self.keep.is_empty()
    }

    /// The reads that are kept, of those that are shown.
    pub fn chosen(&self, shown: &[ReadId]) -> Result<Vec<ReadId>, Failure> {
        let mut chosen: Vec<ReadId> = if self.keep.iter().any(|one| one == "all") {
            shown.to_vec()
        } else {
            let one = |text: &String| {
                text.parse::<ReadId>().map_err(|_| {
                    Failure::usage("--keep: give the id of a read (rea_…), as the search shows it, or `all`")
                })
            };
            self.keep.iter().map(one).collect::<Result<_, _>>()?
        };
        chosen.sort();
        chosen.dedup();
        Ok(chosen)
    }
}

/// What was kept, for people.
pub fn kept_lines(kept: &KeptReadsView) -> Vec<String> {
    let gone = kept.destroyed.map(|at| format!("; destroyed on {at}")).unwrap_or_default();
    vec![
        format!("kept: {}  {} in {}{gone}", kept.id, count(kept.reads, "read", "reads"), kept.case),
        format!("  {}  {}  SHA-256 {}", plain(&kept.name), count(kept.bytes, "byte", "bytes"), kept.sha256),
    ]
}

/// A search.
#[derive(Debug, Args)]
pub struct SearchArgs {
    /// The plate; `?` is one character, `*` any number. Left out, name cameras and at most 48 hours
    plate: Option<String>,
    /// Kind of vehicle: Car, Truck, Bus, Motorcycle, Bicycle, Van
    #[arg(long, value_parser = word::<VehicleType>)]
    vehicle: Option<VehicleType>,
    /// Colour of its body: White, Black, Grey, Silver, Red, Blue, …
    #[arg(long, value_parser = word::<Colour>)]
    colour: Option<Colour>,
    #[command(flatten)]
    wide: Wide,
    #[command(flatten)]
    more: More,
    #[command(flatten)]
    why: Why,
}

/// How wide.
#[derive(Debug, Args)]
pub struct Wide {
    /// Count misreads too: characters that readers confuse, and one that is wrong, missing or too many
    #[arg(long)]
    pub tolerant: bool,
    /// Only this camera; may stand several times
    #[arg(long = "camera", value_name = "CAMERA")]
    cameras: Vec<CameraId>,
    /// Whose cameras, when none are named: own or shared
    #[arg(long, default_value = "own", value_parser = word::<WhoseCameras>)]
    pub whose: WhoseCameras,
    /// How many days back
    #[arg(long, default_value_t = 7, conflicts_with = "from")]
    days: u32,
    /// The first moment
    #[arg(long, value_name = "MOMENT")]
    from: Option<Time>,
    /// The moment after the last; now when left out
    #[arg(long, value_name = "MOMENT")]
    pub until: Option<Time>,
    /// Least confidence, percent
    #[arg(long, default_value_t = 75)]
    pub confidence: u8,
    /// Only reads that met a hotlist
    #[arg(long)]
    pub hits_only: bool,
    /// Most reads, 1 to 200
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// The following part of a search: what the one before showed as next
    #[arg(long)]
    after: Option<String>,
    /// Save the pictures of what is found in this folder, each under the id of its read
    #[arg(long, value_name = "FOLDER")]
    pictures: Option<PathBuf>,
}

impl Wide {
    /// Whole hours, so that the following parts ask the same question.
    pub fn from(&self, context: &Context) -> Time {
        let second = context.now().as_second();
        let hour = Time::from_second(second - second.rem_euclid(3_600));
        self.from.unwrap_or_else(|| hour.plus_seconds(-86_400 * i64::from(self.days)))
    }

    /// The cameras, where some are named.
    pub fn named(&self) -> Option<Vec<CameraId>> {
        (!self.cameras.is_empty()).then(|| self.cameras.clone())
    }
}

/// A read in one line.
pub fn line(found: &FoundRead) -> String {
    let label = match found.label {
        MatchLabel::Exact => "exact",
        MatchLabel::MisreadEquivalent => "misread?",
        MatchLabel::Approximate => "near",
    };
    let read = &found.read;
    let place = found.position.map(|[x, y]| format!("  ({x:.5}, {y:.5})")).unwrap_or_default();
    let seen = read.vehicle.map(|vehicle| format!("  {}", spelled(&vehicle))).unwrap_or_default();
    format!(
        "{}  {:<10}  {label:<8}  {:>3} %  {}{place}{seen}  {}",
        read.seen,
        read.plate.as_str(),
        read.confidence.percent(),
        plain(&found.camera_name),
        read.id,
    )
}

/// What a search found, for people.
pub fn lines(found: &PlatesFound) -> Vec<String> {
    let mut lines: Vec<String> = found.matches.iter().map(line).collect();
    if lines.is_empty() {
        lines.push("nothing was found".to_owned());
    } else {
        lines.push("A match is no cause by itself: compare plate and picture.".to_owned());
    }
    for owner in &found.searched {
        let hits = if owner.hits_only { ", hits only" } else { "" };
        let cameras = count(owner.cameras, "camera", "cameras");
        lines.push(format!("searched: {cameras} of {}{hits}; entry {}", plain(&owner.name), owner.entry));
    }
    lines.extend(
        found.left_out.iter().map(|one| format!("left out: {}: {}", plain(&one.name), plain(&one.why))),
    );
    lines.extend(found.next.iter().map(|next| format!("more: --after {next}")));
    lines
}

/// Saves the pictures of what was found, and says what came of it.
async fn save_pictures(desk: &Desk<'_>, found: &PlatesFound, folder: &Path) -> Result<String, Failure> {
    let Some(entry) = found.searched.first().map(|owner| &owner.entry) else {
        return Ok("no pictures".to_owned());
    };
    let (mut saved, mut gone) = (0_u32, 0_u32);
    for each in found.matches.iter().filter(|each| each.picture) {
        let base = format!("/plates/pictures/{entry}/{}", each.read.id);
        let file = desk.save_picture(&base, folder, &each.read.id.to_string()).await?;
        *if file.is_some() { &mut saved } else { &mut gone } += 1;
    }
    let forgotten = if gone > 0 { format!("; {gone} forgotten meanwhile") } else { String::new() };
    Ok(format!("{} in {}{forgotten}", count(saved, "picture", "pictures"), folder.display()))
}

/// Searches, or asks for it, and keeps what was chosen.
async fn ask(
    desk: &Desk<'_>,
    question: Question,
    (why, pictures): (&Why, Option<&Path>),
    more: More,
) -> Result<(), Failure> {
    if more.ask || more.plan {
        return approvals::ask(desk, question, why, more.plan).await;
    }
    let header = || purpose(&why.purpose("crime"));
    let found: PlatesFound = match &question {
        Question::History(wish) => desk.post_for("/plates/history", header()?, wish).await?,
        Question::Search(wish) => desk.post_for("/plates/search", header()?, wish).await?,
        Question::Convoy(_) | Question::Places(_) | Question::Footage(_) => {
            return Err(Failure::usage("this search takes a second person; ask for it"));
        }
    };
    let mut all = lines(&found);
    if let Some(folder) = pictures {
        all.push(save_pictures(desk, &found, folder).await?);
    }
    if !more.keep.wanted() {
        return desk.show(&found, &all);
    }
    let ids: Vec<ReadId> = found.matches.iter().map(|one| one.read.id).collect();
    let reads = more.keep.chosen(&ids)?;
    let wish = KeepReads { search: found.search.clone(), question, reads, note: more.keep.note };
    let kept: KeptReadsView = desk.post_for("/plates/keep", header()?, &wish).await?;
    all.extend(kept_lines(&kept));
    desk.show(&json!({ "found": found, "kept": kept }), &all)
}

/// Shows kept reads, or writes them into a file.
async fn kept(desk: &Desk<'_>, id: &KeptReadsId, out: Option<PathBuf>, why: MaybeWhy) -> Result<(), Failure> {
    let detail: KeptReadsDetail = desk.get(&format!("/kept-reads/{id}")).await?;
    let mut lines = kept_lines(&detail.kept);
    lines.extend(detail.events.iter().map(|event| format!("  {}  {}", event.at, plain(&event.event))));
    let Some(reason) = why.purpose else { return desk.show(&detail, &lines) };
    let why = canvass_types::Purpose::new(&why.class, reason.trim());
    let file: KeptFile = desk.get_for(&format!("/kept-reads/{id}/content"), purpose(&why)?).await?;
    let text = serde_json::to_string_pretty(&file).map_err(|error| Failure::new(error.to_string()))? + "\n";
    if canvass_types::Digest::of(text.as_bytes()) != detail.kept.sha256 {
        return Err(Failure::new(
            "what came is not the file that was kept: its SHA-256 differs; tell an administrator",
        ));
    }
    lines.extend(file.reads.iter().map(|kept| line(&kept.found)));
    if let Some(out) = out {
        let mut new = std::fs::OpenOptions::new().write(true).create_new(true).open(&out)?;
        std::io::Write::write_all(&mut new, text.as_bytes())?;
        new.sync_all()?;
        lines.push(format!("written: {}", out.display()));
    }
    desk.show(&file, &lines)
}

/// Runs a search.
///
/// # Errors
/// What the desk refuses.
pub async fn run(command: PlateCommand, context: &Context) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    match command {
        PlateCommand::Search(SearchArgs { plate, vehicle, colour, wide, more, why }) => {
            let wish = SearchPlates {
                plate,
                tolerant: wide.tolerant,
                cameras: wide.named(),
                area: None,
                whose: wide.whose,
                from: Some(wide.from(context)),
                until: wide.until,
                confidence: Some(wide.confidence),
                vehicle,
                colour,
                hits_only: wide.hits_only,
                limit: Some(wide.limit),
                after: wide.after,
            };
            let pictures = wide.pictures.as_deref();
            ask(&desk, Question::Search(wish), (&why, pictures), more).await
        }
        PlateCommand::History { plate, wide, more, why } => {
            let wish = HistoryOfPlate {
                plate,
                tolerant: wide.tolerant,
                cameras: wide.named(),
                area: None,
                whose: wide.whose,
                from: Some(wide.from(context)),
                until: wide.until,
                confidence: Some(wide.confidence),
                hits_only: wide.hits_only,
                limit: Some(wide.limit),
                after: wide.after,
            };
            let pictures = wide.pictures.as_deref();
            ask(&desk, Question::History(wish), (&why, pictures), more).await
        }
        PlateCommand::Convoy(args) => approvals::convoy(&desk, args).await,
        PlateCommand::Places(args) => approvals::places(&desk, args).await,
        PlateCommand::Approvals { state } => approvals::list(&desk, state).await,
        PlateCommand::Approval { approval } => approvals::show(&desk, &approval).await,
        PlateCommand::Approve { approval } => approvals::decide(&desk, &approval, "approve").await,
        PlateCommand::Refuse { approval, reason } => approvals::refuse(&desk, &approval, &reason).await,
        PlateCommand::Withdraw { approval } => approvals::decide(&desk, &approval, "withdraw").await,
        PlateCommand::Run { approval, after, keep } => approvals::run(&desk, &approval, after, keep).await,
        PlateCommand::Kept { kept: id, out, why } => kept(&desk, &id, out, why).await,
    }
}

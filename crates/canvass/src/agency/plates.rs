//! Searching plate reads.

use std::path::{Path, PathBuf};

use canvass_core::plates::{FoundRead, HistoryOfPlate, PlatesFound, SearchPlates, WhoseCameras};
use canvass_plates::{Colour, MatchLabel, VehicleType};
use canvass_types::{CameraId, Time};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::desk::{Desk, Why, plain, purpose, spelled, word};
use crate::common::{Context, Failure, count};

/// Searching plate reads.
#[derive(Debug, Subcommand)]
pub enum PlateCommand {
    /// Search the reads of cameras
    #[command(after_help = "\
Examples:
  canvass plate search 'ABC 1234' --case-number 26-77 --for crime --offence felony --purpose 'Grey pickup at the pharmacy on Elm Street'
  canvass plate search 'A?C12*' --days 3 --whose shared --case-number 26-77 --for crime --offence felony --purpose 'Grey pickup at the pharmacy'
  canvass plate search ABC1234 --tolerant --camera cam_… --pictures found --case-number 26-77 --for crime --offence felony --purpose 'Grey pickup at the pharmacy'")]
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
        why: Why,
    },
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
    why: Why,
}

/// How wide.
#[derive(Debug, Args)]
pub struct Wide {
    /// Count misreads too: characters that readers confuse, and one that is wrong, missing or too many
    #[arg(long)]
    tolerant: bool,
    /// Only this camera; may stand several times
    #[arg(long = "camera", value_name = "CAMERA")]
    cameras: Vec<CameraId>,
    /// Whose cameras, when none are named: own or shared
    #[arg(long, default_value = "own", value_parser = word::<WhoseCameras>)]
    whose: WhoseCameras,
    /// How many days back
    #[arg(long, default_value_t = 7, conflicts_with = "from")]
    days: u32,
    /// The first moment
    #[arg(long, value_name = "MOMENT")]
    from: Option<Time>,
    /// The moment after the last; now when left out
    #[arg(long, value_name = "MOMENT")]
    until: Option<Time>,
    /// Least confidence, percent
    #[arg(long, default_value_t = 75)]
    confidence: u8,
    /// Only reads that met a hotlist
    #[arg(long)]
    hits_only: bool,
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
    fn from(&self, context: &Context) -> Time {
        let second = context.now().as_second();
        let hour = Time::from_second(second - second.rem_euclid(3_600));
        self.from.unwrap_or_else(|| hour.plus_seconds(-86_400 * i64::from(self.days)))
    }
}

fn line(found: &FoundRead) -> String {
    let label = match found.label {
        MatchLabel::Exact => "exact",
        MatchLabel::MisreadEquivalent => "misread?",
        MatchLabel::Approximate => "near",
    };
    let read = &found.read;
    let place = found.position.map(|[x, y]| format!("  ({x:.5}, {y:.5})")).unwrap_or_default();
    let seen = read.vehicle.map(|vehicle| format!("  {}", spelled(&vehicle))).unwrap_or_default();
    format!(
        "{}  {:<10}  {label:<8}  {:>3} %  {}{place}{seen}",
        read.seen,
        read.plate.as_str(),
        read.confidence.percent(),
        plain(&found.camera_name),
    )
}

fn lines(found: &PlatesFound) -> Vec<String> {
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

async fn ask<B: Serialize>(
    desk: &Desk<'_>,
    base: &str,
    (why, pictures): (&Why, Option<&Path>),
    wish: &B,
) -> Result<(), Failure> {
    let found: PlatesFound = desk.post_for(base, purpose(&why.purpose("crime"))?, wish).await?;
    let mut lines = lines(&found);
    if let Some(folder) = pictures {
        lines.push(save_pictures(desk, &found, folder).await?);
    }
    desk.show(&found, &lines)
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

/// Runs a search.
///
/// # Errors
/// What the desk refuses.
pub async fn run(command: PlateCommand, context: &Context) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    let named = |cameras: &[CameraId]| (!cameras.is_empty()).then(|| cameras.to_vec());
    match command {
        PlateCommand::Search(SearchArgs { plate, vehicle, colour, wide, why }) => {
            let wish = SearchPlates {
                plate,
                tolerant: wide.tolerant,
                cameras: named(&wide.cameras),
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
            ask(&desk, "/plates/search", (&why, wide.pictures.as_deref()), &wish).await
        }
        PlateCommand::History { plate, wide, why } => {
            let wish = HistoryOfPlate {
                plate,
                tolerant: wide.tolerant,
                cameras: named(&wide.cameras),
                area: None,
                whose: wide.whose,
                from: Some(wide.from(context)),
                until: wide.until,
                confidence: Some(wide.confidence),
                hits_only: wide.hits_only,
                limit: Some(wide.limit),
                after: wide.after,
            };
            ask(&desk, "/plates/history", (&why, wide.pictures.as_deref()), &wish).await
        }
    }
}

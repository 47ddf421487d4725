//! Cameras and plate readers of the agency.

use canvass_core::{
    access::{IssuedToken, NewToken},
    cameras::{CameraView, ChangeCamera, NewCamera},
    records::CameraUse,
};
use canvass_types::{CameraId, MemberId};
use clap::Subcommand;
use reqwest::Method;

use super::{
    desk::{Desk, plain, spelled, word},
    feeding::{self, BridgeCommand, ImportArgs},
};
use crate::common::{Context, Failure};

/// Cameras and plate readers.
#[derive(Debug, Subcommand)]
pub enum CameraCommand {
    /// List the agency's cameras, then those that others share with it
    #[command(after_help = "Example:\n  canvass camera list")]
    List,
    /// Register one
    #[command(after_help = "\
Example:
  canvass camera add 'Elm Street, eastbound' --use plates --at -71.5376,43.2081 --direction east
  canvass camera add 'Depot gate' --use plates-and-footage --at -71.5376,43.2081")]
    Add {
        /// What people call it, 2 to 80 characters
        name: String,
        /// What it is for: plates, footage or plates-and-footage
        #[arg(long = "use", value_name = "USE", value_parser = word::<CameraUse>)]
        of: CameraUse,
        /// Where it stands: longitude and latitude in degrees, with a comma between
        #[arg(long, value_name = "LON,LAT", value_parser = position, allow_hyphen_values = true)]
        at: Place,
        /// Which way it looks or which lane it reads, in words
        #[arg(long)]
        direction: Option<String>,
    },
    /// Change what is known of one
    #[command(
        after_help = "Example:\n  canvass camera change cam_… --name 'Elm Street, westbound' --direction west"
    )]
    Change {
        /// Which
        camera: CameraId,
        /// What people call it, 2 to 80 characters
        #[arg(long)]
        name: Option<String>,
        /// Where it stands: longitude and latitude in degrees, with a comma between
        #[arg(long, value_name = "LON,LAT", value_parser = position, allow_hyphen_values = true)]
        at: Option<Place>,
        /// Which way it looks, in words; empty for nothing
        #[arg(long)]
        direction: Option<String>,
    },
    /// Retire one: nothing is taken from it any more
    #[command(after_help = "Example:\n  canvass camera retire cam_…")]
    Retire {
        /// Which
        camera: CameraId,
    },
    /// Issue the token with which one machine sends what this camera reads, and does nothing else
    #[command(after_help = "Example:\n  canvass camera token cam_… --member mbr_… --days 365")]
    Token {
        /// For which camera
        camera: CameraId,
        /// Who answers for the machine: a member with a role that may send reads
        #[arg(long)]
        member: MemberId,
        /// How many days it counts, 1 to 365
        #[arg(long, default_value_t = 365)]
        days: u32,
    },
    /// Send the reads of a table (CSV), with the camera's token; sent again, nothing is stored twice
    #[command(after_help = "\
Moments without an offset need --time-zone. A row without an id of its own gets one from its fields.

Examples:
  canvass camera import reads.csv --map plate=LicensePlate,time=Timestamp --time-zone America/New_York --token-file elm.token
  canvass camera import reads.csv --map plate=plate,time=timestamp,confidence=score --out-of 1 --bad refuse --token-file elm.token
  canvass camera import old.csv --map 'plate=Tag,time=Read At,source=ID' --time-format '%m/%d/%Y %I:%M:%S %p' --time-zone UTC")]
    Import(ImportArgs),
    /// Follow another maker's reader until stopped, with the camera's token
    #[command(subcommand)]
    Bridge(BridgeCommand),
}

/// Longitude and latitude in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place([f64; 2]);

fn position(text: &str) -> Result<Place, String> {
    let wrong =
        || "give longitude and latitude in degrees with a comma between, as -71.5376,43.2081".to_owned();
    let (longitude, latitude) = text.split_once(',').ok_or_else(wrong)?;
    let read = |part: &str| part.trim().parse::<f64>().map_err(|_| wrong());
    Ok(Place([read(longitude)?, read(latitude)?]))
}

fn line(camera: &CameraView) -> String {
    let [longitude, latitude] = camera.position;
    let direction =
        camera.direction.as_deref().map(|words| format!(", {}", plain(words))).unwrap_or_default();
    let mut line = format!(
        "{}  {:<7}  {}{direction}  ({longitude:.5}, {latitude:.5})",
        camera.id,
        spelled(&camera.of),
        plain(&camera.name),
    );
    if !camera.ours {
        line.push_str(&format!("  of {}", plain(&camera.agency_name)));
    }
    if let Some(at) = camera.retired {
        line.push_str(&format!("  retired {at}"));
    }
    line
}

/// Runs one of them.
///
/// # Errors
/// What the desk refuses.
pub async fn run(command: CameraCommand, context: &Context) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    let shown = |camera: &CameraView| desk.show(camera, &[line(camera)]);
    match command {
        CameraCommand::List => {
            let all: Vec<CameraView> = desk.all("/cameras", &[]).await?;
            let mut lines: Vec<String> = all.iter().map(line).collect();
            if lines.is_empty() {
                lines.push("no cameras; register one with `canvass camera add`".to_owned());
            }
            desk.show(&all, &lines)
        }
        CameraCommand::Add { name, of, at: Place(position), direction } => {
            shown(&desk.post("/cameras", &NewCamera { name, of, position, direction }).await?)
        }
        CameraCommand::Change { camera, name, at, direction } => {
            let wish = ChangeCamera { name, position: at.map(|Place(position)| position), direction };
            shown(&desk.send(Method::PATCH, &format!("/cameras/{camera}"), &wish).await?)
        }
        CameraCommand::Retire { camera } => {
            shown(&desk.act(Method::POST, &format!("/cameras/{camera}/retire")).await?)
        }
        CameraCommand::Import(args) => Box::pin(feeding::import(args, context)).await,
        CameraCommand::Bridge(command) => Box::pin(feeding::bridge(command, context)).await,
        CameraCommand::Token { camera, member, days } => {
            let known: CameraView = desk.get(&format!("/cameras/{camera}")).await?;
            let label: String = known.name.chars().take(80).collect();
            let wish = NewToken { label, roles: Vec::new(), days, scope: Some(camera.to_string()) };
            let token: IssuedToken = desk.post(&format!("/members/{member}/tokens"), &wish).await?;
            desk.show(
                &token,
                &[
                    format!("{}  until {}", token.id, token.expires),
                    token.token.clone(),
                    "Keep it where only the machine reads it; it is not shown again.".to_owned(),
                ],
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, position};

    #[test]
    fn a_place_is_two_numbers() {
        assert_eq!(position("-71.5376, 43.2081"), Ok(Place([-71.5376, 43.2081])));
        for wrong in ["", "43.2", "a,b", "1,", "1;2"] {
            assert!(position(wrong).unwrap_err().contains("longitude"), "{wrong}");
        }
    }
}

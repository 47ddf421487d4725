//! `canvass requests`: everything that is asked in a region, downloaded whole, and looked at here.

use canvass_core::feed::{BundleRequest, MAX_BUNDLE, RESOLUTION, RegionBundle, verify_bundle};
use canvass_ledger::SignedCheckpoint;
use canvass_types::leaf::Log;
use canvass_types::{RequestId, RequestState, Time};
use clap::{Args, Subcommand};
use h3o::{CellIndex, LatLng, Resolution};
use serde_json::json;

use super::destination::ledgers;
use crate::common::{Console, Context, Failure, count, frame, moment_in};
use crate::verify::ledger::KeyFlags;
use crate::verify::ledgers::Ledgers;

/// See what is asked near a place, without saying which request is looked at
#[derive(Debug, Subcommand)]
pub enum Requests {
    List(List),
    Show(Show),
}

/// List what is asked in a region
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canvass requests list --server https://canvass.example --at 43.2081,-71.5376
  canvass requests list --server https://canvass.example --region 832a30fffffffff --all

The whole region (about 12,400 km²) is downloaded, the same bytes for everybody; the place itself is never sent.")]
pub struct List {
    #[command(flatten)]
    place: Place,
    /// Show ended requests too
    #[arg(long)]
    all: bool,
}

/// Show one request of a region
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canvass requests show req_… --server https://canvass.example --at 43.2081,-71.5376")]
pub struct Show {
    /// Its id
    #[arg(value_name = "REQUEST")]
    id: RequestId,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
struct Place {
    /// The region: an H3 cell of resolution 3
    #[arg(long, value_name = "CELL", conflicts_with = "at", required_unless_present = "at")]
    region: Option<String>,
    /// A place in the region, in degrees; it stays on this machine
    #[arg(long, value_name = "LAT,LON", allow_hyphen_values = true)]
    at: Option<String>,
    #[command(flatten)]
    keys: KeyFlags,
}

impl Place {
    fn region(&self) -> Result<String, Failure> {
        let resolution = Resolution::try_from(RESOLUTION)?;
        let cell = match (&self.region, &self.at) {
            (Some(text), _) => text.parse::<CellIndex>().ok().filter(|cell| cell.resolution() == resolution),
            (None, Some(text)) => text.split_once(',').and_then(|(lat, lon)| {
                let place = LatLng::new(lat.trim().parse().ok()?, lon.trim().parse().ok()?).ok()?;
                let on_earth = place.lat().abs() <= 90.0 && place.lng().abs() <= 180.0;
                on_earth.then(|| place.to_cell(resolution))
            }),
            (None, None) => None,
        };
        let cell = cell.ok_or_else(|| {
            Failure::usage("place: give --at LAT,LON in degrees, or --region with an H3 cell of resolution 3")
        })?;
        Ok(cell.to_string())
    }
}

/// Runs one of them.
///
/// # Errors
/// The region can't be read, or does not hold up.
pub async fn run(command: Requests, context: &Context) -> Result<(), Failure> {
    match command {
        Requests::List(command) => list(command, context).await,
        Requests::Show(command) => show(command, context).await,
    }
}

async fn fetch(place: &Place, context: &Context) -> Result<Option<RegionBundle>, Failure> {
    let region = place.region()?;
    let mut ledgers = ledgers(context, place.keys.clone()).await?;
    let head = ledgers.head(Log::Requests).await?.signed.checkpoint;
    ledgers.save()?;
    let path = format!("feed/{region}.json");
    let limit = u64::try_from(MAX_BUNDLE).unwrap_or(u64::MAX);
    let Some(bytes) = ledgers.public.read(&path, limit).await? else { return Ok(None) };
    check(&ledgers, &head, &region, &bytes).await.map(Some).map_err(|failure| failure.context(&path))
}

async fn check(
    ledgers: &Ledgers,
    head: &canvass_ledger::Checkpoint,
    region: &str,
    bytes: &[u8],
) -> Result<RegionBundle, Failure> {
    let bundle = verify_bundle(bytes, &ledgers.keys.trust_alone(Log::Requests)?)?;
    if bundle.region != region {
        return Err(Failure::new("it is the bundle of another region; report it to the operator"));
    }
    let shown = SignedCheckpoint::parse(bundle.checkpoint.as_bytes())?.checkpoint;
    ledgers.lies_on_the_line(Log::Requests, head, &shown).await?;
    Ok(bundle)
}

fn open(request: &BundleRequest, now: Time) -> bool {
    request.state == RequestState::Published && request.closes.is_some_and(|closes| closes > now)
}

async fn list(command: List, context: &Context) -> Result<(), Failure> {
    let (console, now) = (context.console(), context.now());
    let bundle = fetch(&command.place, context).await?;
    let requests: Vec<_> = bundle.map(|bundle| bundle.requests).unwrap_or_default();
    let shown: Vec<_> = requests.iter().filter(|request| command.all || open(request, now)).collect();
    if shown.is_empty() {
        console.line("Nothing is asked in this region.");
    }
    for request in &shown {
        print(console, request, now, false);
    }
    if !shown.is_empty() {
        console.line(format!(
            "{} checked: each is in the ledger, approved, and signed by its agency.",
            count(shown.len(), "request", "requests")
        ));
    }
    console.result(&json!({ "region": command.place.region()?, "requests": shown }))
}

async fn show(command: Show, context: &Context) -> Result<(), Failure> {
    let bundle = fetch(&command.place, context).await?;
    let requests = bundle.map(|bundle| bundle.requests).unwrap_or_default();
    let request = requests.into_iter().find(|request| request.id == command.id);
    let request = request.ok_or_else(|| {
        Failure::new(
            "this region has no such request; check the id, and give a place inside the request's area",
        )
    })?;
    print(context.console(), &request, context.now(), true);
    context.console().result(&request)
}

fn print(console: Console, request: &BundleRequest, now: Time, whole: bool) {
    let state = if open(request, now) { "open" } else { request.state.as_str() };
    console.line(format!("{}  {state}", request.id));
    let Some(body) = request.request.as_ref().map(|signed| &signed.body) else { return };
    let incident = serde_json::to_value(body.incident).ok();
    let incident = incident.as_ref().and_then(|name| name.as_str()).unwrap_or_default().to_owned();
    console.line(format!("  {} asks, case {}: {incident}", plain(&body.agency.name), plain(&body.code)));
    console.line(format!("  footage of {}", frame(&body.time_frame)));
    let details = plain(&body.details);
    let short: String = details.chars().take(if whole { 4_000 } else { 160 }).collect();
    let cut = if short.len() < details.len() { "…" } else { "" };
    console.line(format!("  {short}{cut}"));
    if whole {
        for [longitude, latitude] in body.area.ring() {
            console.line(format!("    corner {latitude}, {longitude}"));
        }
        let reach = [&body.contact.phone, &body.contact.email].into_iter().flatten().map(|text| plain(text));
        console.line(format!("  ask {} {}", plain(&body.contact.name), reach.collect::<Vec<_>>().join(", ")));
        console.line(format!("  moderator: {}", plain(&request.decision.reason)));
    }
    if let Some(closes) = request.closes {
        let until = moment_in(closes, &body.time_frame.zone);
        console.line(format!("  offers are taken until {until}"));
    }
}

/// Others' text for the terminal: no control characters, no line breaks.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

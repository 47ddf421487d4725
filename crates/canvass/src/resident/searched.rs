//! `canvass searched`: whether a search named a plate, without telling the server which.
//!
//! Whatever the plate and whatever is found, the same files are fetched and the same number of bytes is sent.

use std::collections::BTreeMap;

use canvass_blind::{BlindError, Blinded, DayFile, DaysFile, Epoch, Evaluated, KeyFile, Output, Plate, find};
use canvass_types::{AgencyId, PublicAgency, leaf::Log};
use clap::Args;
use reqwest::Method;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

use super::destination::ledgers;
use crate::common::{Context, Failure, HttpError, count};
use crate::verify::ledger::KeyFlags;
use crate::verify::ledgers::Ledgers;

/// Largest file of one day, in bytes.
const MAX_DAY: u64 = 64 * 1024 * 1024;
/// Largest other file, in bytes.
const MAX_FILE: u64 = 16 * 1024 * 1024;

/// Check in private whether a search named a license plate
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canvass searched 'ABC 1234' --server https://canvass.example
  canvass searched ABC1234 --server https://canvass.example --json

The plate never leaves this machine: the server evaluates it blinded (RFC 9497) and can't tell what was found. Searches
for a part of a plate name nobody, and are not shown.")]
pub struct Searched {
    /// The whole plate: letters A-Z and digits
    #[arg(value_name = "PLATE")]
    plate: String,
    #[command(flatten)]
    keys: KeyFlags,
}

#[derive(Deserialize)]
struct Agencies {
    agencies: Vec<PublicAgency>,
}

impl Agencies {
    /// The name of an agency; its id where it is not listed.
    fn name<'a>(&'a self, id: &'a AgencyId) -> &'a str {
        self.agencies.iter().find(|each| &each.id == id).map_or(id.as_str(), |each| each.name.as_str())
    }
}

async fn read<T: DeserializeOwned>(ledgers: &Ledgers, path: &str, limit: u64) -> Result<T, Failure> {
    parse(path, &ledgers.public.must_read(path, limit).await?)
}

fn parse<T: DeserializeOwned>(path: &str, bytes: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(bytes).map_err(|error| {
        Failure::new(format!("{path}: it isn't understood (line {}); use a newer canvass", error.line()))
    })
}

/// The output of the plate in each quarter that the server has a key of, each proven to be of the key in the ledger.
async fn outputs(
    context: &Context,
    ledgers: &mut Ledgers,
    plate: &Plate,
    epochs: &[Epoch],
) -> Result<BTreeMap<Epoch, Output>, Failure> {
    let keys: KeyFile = read(ledgers, "asked/keys.json", MAX_FILE).await?;
    let head = ledgers.head(Log::Requests).await?.signed.checkpoint;
    ledgers.save()?;
    let http = context.public_http()?;
    let mut outputs = BTreeMap::new();
    for epoch in epochs {
        let (noted, key) = match keys.of(*epoch) {
            Err(BlindError::Key) => continue,
            found => found?,
        };
        ledgers.check_proof(Log::Requests, &head, &noted.proof).await?;
        let leaf: serde_json::Value = serde_json::from_str(&noted.proof.leaf)?;
        let field = |name: &str| leaf.get(name).and_then(|value| value.as_str()).unwrap_or_default();
        let same = field("type") == "asked.key"
            && field("epoch") == epoch.to_string()
            && field("public") == noted.public;
        if !same {
            return Err(Failure::new(
                "asked/keys.json: a key is not the one in the requests ledger; rely on nothing here, and tell the overseers",
            ));
        }
        let blinded = Blinded::new(*epoch, plate, &context.entropy())?;
        let answer: Evaluated = match http.call(Method::POST, "/asked/evaluate", &blinded.asks()).await {
            Err(HttpError::Refused(refused)) if refused.status == 404 => continue,
            answer => answer?,
        };
        outputs.insert(*epoch, blinded.finish(&answer, &key)?);
    }
    Ok(outputs)
}

/// Runs the command.
///
/// # Errors
/// The plate is none, a file is missing, or something does not hold.
pub async fn run(command: Searched, context: &Context) -> Result<(), Failure> {
    let plate = Plate::read(&command.plate).map_err(|error| Failure::usage(error.to_string()))?;
    let mut ledgers = ledgers(context, command.keys).await?;
    let index: DaysFile = read(&ledgers, "asked/index.json", MAX_FILE).await?;
    let days = index.days()?;
    let mut epochs: Vec<Epoch> = days.iter().map(|day| Epoch::of(*day)).collect();
    epochs.dedup();
    let agencies: Agencies = read(&ledgers, "agencies/index.json", MAX_FILE).await?;
    let outputs = outputs(context, &mut ledgers, &plate, &epochs).await?;
    let (mut found, mut unread) = (Vec::new(), Vec::new());
    for day in &days {
        let path = format!("asked/{day}.json");
        let file = match outputs.get(&Epoch::of(*day)) {
            Some(output) => ledgers.public.read(&path, MAX_DAY).await?.map(|bytes| (output, bytes)),
            None => None,
        };
        let Some((output, bytes)) = file else {
            unread.push(*day);
            continue;
        };
        let marks = parse::<DayFile>(&path, &bytes)?.read(*day)?;
        found.extend(find(output, *day, &marks).into_iter().map(|detail| (*day, detail)));
    }
    let console = context.console();
    console.result(&json!({
        "looked": days.len() - unread.len(),
        "unread": unread.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "days": index,
        "found": found.iter().map(|(day, detail)| json!({
            "day": day.to_string(),
            "agency": detail.agency,
            "name": agencies.name(&detail.agency),
            "purpose": detail.purpose,
            "cameras": detail.cameras,
        })).collect::<Vec<_>>(),
    }))?;
    if found.is_empty() {
        console.line("No search that named this plate is public yet.");
    } else {
        console.line(format!("{} named this plate:", count(found.len(), "search", "searches")));
    }
    for (day, detail) in found.iter().rev() {
        let cameras = detail.cameras.as_str();
        console.line(format!(
            "  {day}  {}  {}  cameras: {cameras}",
            agencies.name(&detail.agency),
            detail.purpose
        ));
    }
    console.line(format!(
        "{} looked through. Not shown: searches of the last {}, those that courts have sealed ({} now), those older than {}, \
         and those for a part of a plate.",
        count(days.len() - unread.len(), "day was", "days were"),
        count(index.delay_days, "day", "days"),
        index.sealed,
        count(index.keep_days, "day", "days"),
    ));
    if let (Some(first), Some(last)) = (unread.first(), unread.last()) {
        console.line(format!(
            "{} could not be looked through ({first} to {last}): the server gives no key or no file for them. Ask its \
             operator why.",
            count(unread.len(), "public day", "public days"),
        ));
    }
    Ok(())
}

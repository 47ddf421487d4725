//! OpenALPR, now Rekor Scout: what its agent posts to the address in `upload_address`.
//!
//! Forms: "JSON Group Results" and "JSON Plate Results" in the maker's manual
//! (`docs.rekor.ai/scout/application-integration`; sources in the repository `openalpr/doc`,
//! `source/app_integration.include`). How it is sent: the open agent (`openalpr/openalpr`, `src/daemon.cpp`) posts
//! `application/json` with libcurl, knows an address and no headers, and keeps a payload until it was taken.
//!
//! | member of `alpr_group` | becomes |
//! | --- | --- |
//! | `best_uuid`, `best_plate.plate_index` | id |
//! | the milliseconds at the end of `best_uuid`, else `epoch_start` | time |
//! | `best_plate_number`, `best_confidence` | plate, confidence |
//! | `best_region` if `best_region_confidence` is 50 or more | region |
//! | `vehicle.color`, `.make`, `.body_type`, the likeliest if 50 or more | colour, brand, vehicle |
//! | `vehicle_crop_jpeg`, unless it is larger than a picture may be | picture |
//!
//! A group is one vehicle that passed; an `alpr_results` is one frame of it, up to fifty for a vehicle. Groups are taken
//! unless the results are asked for. Left out: other pictures (`*_jpeg`), positions, paths, candidates, the vehicle's
//! signature, `travel_direction` (degrees in the picture, none of the compass), previews of groups, heartbeats, alerts.

use canvass_core::plates::{NewRead, is_picture};
use jiff::Timestamp;

use crate::{
    Fault, Rows, facts,
    json::{self, Node},
    read, source_id,
};

/// Most characters of a vehicle's picture in Base64; one that is longer is left out, and its read is taken.
const MOST_CROP: usize = canvass_plates::MOST_PICTURE / 3 * 4;

/// Which of the agent's two kinds of results are taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Take {
    /// One read for each vehicle, some seconds after it passed.
    #[default]
    Groups,
    /// One read for each frame, at once.
    Results,
}

/// The reads of a payload. With `camera`, those of another camera of the agent are refused.
///
/// # Errors
/// The payload is none of OpenALPR's.
pub fn reads(payload: &[u8], take: Take, camera: Option<&str>) -> Result<Rows, Fault> {
    let value = json::parsed(payload)?;
    let root = Node::root(&value);
    let kind = root.need("data_type")?.text()?;
    match (kind, take) {
        ("alpr_group", Take::Groups) if !root.get("is_preview").is_some_and(|it| it.is_true()) => {
            Ok(vec![of_camera(&root, camera).and_then(|()| group(&root))])
        }
        ("alpr_results", Take::Results) => match of_camera(&root, camera) {
            Ok(()) => results(&root),
            Err(fault) => Ok(vec![Err(fault)]),
        },
        _ => Ok(Rows::new()),
    }
}

fn of_camera(root: &Node<'_>, camera: Option<&str>) -> Result<(), Fault> {
    let Some(wanted) = camera else { return Ok(()) };
    if root.need("camera_id")?.word()? == wanted {
        return Ok(());
    }
    let what = "this is another camera than the address names";
    Err(Fault::new("camera_id", "camera", what, "give each camera an agent and a token of its own"))
}

fn group(root: &Node<'_>) -> Result<NewRead, Fault> {
    let uuid = root.need("best_uuid")?.text()?;
    let plate = root.need("best_plate_number")?.text()?;
    let (from, until) = (root.need("epoch_start")?.millis()?, root.get("epoch_end"));
    let until = until.map(|node| node.millis()).transpose()?.unwrap_or(from);
    let index = root.get("best_plate").and_then(|best| best.get("plate_index"));
    let index = index.map(|node| node.word()).transpose()?.unwrap_or_else(|| "0".to_owned());
    let seen = frame(uuid).filter(|seen| (from..=until).contains(seen)).unwrap_or(from);
    let mut read = read(source_id(&[uuid, &index]), seen.to_string(), plate);
    read.confidence = root.get("best_confidence").map(|node| node.number()).transpose()?;
    read.region = region(root, "best_region", "best_region_confidence");
    let vehicle = root.get("vehicle");
    let of = |name: &str| vehicle.as_ref().and_then(|vehicle| vehicle.get(name));
    read.colour = facts::likeliest(of("color"), "name", "confidence", 100.0, facts::colour);
    read.brand = facts::likeliest(of("make"), "name", "confidence", 100.0, facts::brand);
    read.vehicle = facts::likeliest(of("body_type"), "name", "confidence", 100.0, facts::vehicle);
    let crop = root.get("vehicle_crop_jpeg");
    let crop = crop.and_then(|node| node.long_text(MOST_CROP)).filter(|text| is_picture(text));
    read.picture = crop.map(str::to_owned);
    Ok(read)
}

/// The moment of a frame: its uuid ends in it.
fn frame(uuid: &str) -> Option<Timestamp> {
    let (_, millis) = uuid.rsplit_once('-')?;
    Timestamp::from_millisecond(millis.parse().ok()?).ok()
}

fn region(of: &Node<'_>, code: &str, confidence: &str) -> Option<String> {
    let sure = of.get(confidence).and_then(|node| node.number().ok()).is_none_or(|it| it >= facts::LEAST);
    facts::region(of.get(code)?.text().ok().filter(|_| sure)?)
}

fn results(root: &Node<'_>) -> Result<Rows, Fault> {
    let uuid = root.need("uuid")?.text()?;
    let seen = root.need("epoch_time")?.millis()?.to_string();
    let one = |(at, result): (usize, Node<'_>)| {
        let index = result.get("plate_index").map(|node| node.word()).transpose()?;
        let index = index.unwrap_or_else(|| at.to_string());
        let plate = result.need("plate")?.text()?;
        let mut read = read(source_id(&[uuid, &index]), seen.clone(), plate);
        read.confidence = result.get("confidence").map(|node| node.number()).transpose()?;
        read.region = region(&result, "region", "region_confidence");
        Ok(read)
    };
    Ok(root.need("results")?.list()?.into_iter().enumerate().map(one).collect())
}

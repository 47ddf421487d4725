//! Plate Recognizer: what Stream and Snapshot send to a webhook, and the answer of Snapshot itself.
//!
//! Forms: "Webhooks and Outputs" and "Webhooks for Snapshot" in the maker's guides
//! (`guides.platerecognizer.com/docs/stream/results`, `…/docs/snapshot/results`), and the types in its repository
//! `parkpow/deep-license-plate-recognition` (`webhooks/webhook_preview/types/webhook.ts`). Stream sends
//! `multipart/form-data` with a part `json`, or a form with a field `json` where no picture goes along; Snapshot sends
//! JSON or multipart. Stream can send a header of one's choice (`webhook_header`); other webhooks know an address alone.
//!
//! | member | becomes |
//! | --- | --- |
//! | `data.camera_id`, `.filename`, `.timestamp`, place in the list, plate | id, as a hash |
//! | `data.timestamp_camera`, else `data.timestamp` (UTC where it has no offset) | time |
//! | `results[].plate`, `.score` (0 to 1) | plate, confidence |
//! | `results[].region.code` if its score is 0.5 or more | region |
//! | `results[].vehicle.type`, `.model_make`, `.color`, the likeliest if 0.5 or more | vehicle, brand, colour |
//!
//! Where vehicles are detected first (`detection_mode = vehicle`), plate and vehicle are objects with `props`; both forms
//! are read, and a vehicle without a plate is left out. Left out besides: pictures, videos, boxes, candidates, direction
//! (degrees in the picture), speed, `user_data`.

use canvass_core::plates::NewRead;

use crate::{
    Fault, Rows, facts, hashed,
    json::{self, Node},
    percent, read,
};

/// What all results of a payload share.
struct Frame {
    camera: String,
    file: String,
    stamp: String,
    seen: String,
}

/// The reads of a payload. With `camera`, those of another camera are refused.
///
/// # Errors
/// The payload is none of Plate Recognizer's.
pub fn reads(payload: &[u8], camera: Option<&str>) -> Result<Rows, Fault> {
    let value = json::parsed(payload)?;
    let root = Node::root(&value);
    let (hook, data) = match root.get("data") {
        Some(data) => (root.get("hook").is_some(), data),
        None => (false, root),
    };
    // Webhooks of other events, as when a camera comes or goes, have no results.
    let results = match data.get("results") {
        None if hook => return Ok(Rows::new()),
        Some(results) => results.list()?,
        None => data.need("results")?.list()?,
    };
    let word = |name: &str| data.get(name).map(|node| node.word()).transpose().map(Option::unwrap_or_default);
    let stamp = data.need("timestamp")?;
    let seen = match data.get("timestamp_camera") {
        Some(own) => own.moment()?,
        None => stamp.moment()?,
    };
    let frame = Frame {
        camera: word("camera_id")?,
        file: word("filename")?,
        stamp: stamp.text()?.to_owned(),
        seen: seen.to_string(),
    };
    if camera.is_some_and(|wanted| wanted != frame.camera) {
        let what = "this is another camera than the address names";
        let remedy = "give each camera an address and a token of its own";
        return Ok(vec![Err(Fault::new("camera_id", "camera", what, remedy))]);
    }
    let one = |(at, result): (usize, Node<'_>)| row(&frame, at, &result).transpose();
    Ok(results.into_iter().enumerate().filter_map(one).collect())
}

/// A result with a plate.
fn row(frame: &Frame, at: usize, result: &Node<'_>) -> Result<Option<NewRead>, Fault> {
    if !result.is_object() {
        result.need("plate")?;
    }
    let Some(plate) = result.get("plate") else { return Ok(None) };
    let parts = if plate.is_object() { apart(&plate, result)? } else { together(&plate, result)? };
    let Some(Parts { text, score, region, vehicle, colour, brand }) = parts else { return Ok(None) };
    let (camera, file, stamp) = (frame.camera.as_str(), frame.file.as_str(), frame.stamp.as_str());
    let id = hashed(&["plate-recognizer", camera, file, stamp, at.to_string().as_str(), text.as_str()]);
    let mut read = read(canvass_core::plates::SourceId::Text(id), frame.seen.clone(), &text);
    read.confidence = score.map(|score| percent(score, 1.0));
    (read.region, read.vehicle, read.colour, read.brand) = (region, vehicle, colour, brand);
    Ok(Some(read))
}

struct Parts {
    text: String,
    score: Option<f64>,
    region: Option<String>,
    vehicle: Option<String>,
    colour: Option<String>,
    brand: Option<String>,
}

fn score(of: &Node<'_>) -> Result<Option<f64>, Fault> {
    of.get("score").map(|node| node.number()).transpose()
}

fn sure(of: &Node<'_>) -> bool {
    score(of).ok().flatten().is_some_and(|score| score * 100.0 >= facts::LEAST)
}

fn kind(vehicle: Option<&Node<'_>>) -> Option<String> {
    let vehicle = vehicle.filter(|vehicle| sure(vehicle))?;
    facts::vehicle(vehicle.get("type")?.text().ok()?)
}

/// The plate is a text, and what belongs to it stands beside.
fn together(plate: &Node<'_>, result: &Node<'_>) -> Result<Option<Parts>, Fault> {
    let text = plate.text()?;
    if text.is_empty() {
        return Ok(None);
    }
    let region = result.get("region").filter(sure).and_then(|region| region.get("code"));
    Ok(Some(Parts {
        text: text.to_owned(),
        score: score(result)?,
        region: region.and_then(|code| facts::region(code.text().ok()?)),
        vehicle: kind(result.get("vehicle").as_ref()),
        colour: facts::likeliest(result.get("color"), "color", "score", 1.0, facts::colour),
        brand: facts::likeliest(result.get("model_make"), "make", "score", 1.0, facts::brand),
    }))
}

/// Plate and vehicle are objects of their own.
fn apart(plate: &Node<'_>, result: &Node<'_>) -> Result<Option<Parts>, Fault> {
    let props = plate.need("props")?;
    let Some(best) = props.need("plate")?.likeliest("score") else { return Ok(None) };
    let vehicle = result.get("vehicle");
    let of = |name: &str| vehicle.as_ref()?.get("props")?.get(name);
    Ok(Some(Parts {
        text: best.need("value")?.text()?.to_owned(),
        score: score(&best)?,
        region: facts::likeliest(props.get("region"), "value", "score", 1.0, facts::region),
        vehicle: kind(vehicle.as_ref()),
        colour: facts::likeliest(of("color"), "value", "score", 1.0, facts::colour),
        brand: facts::likeliest(of("make_model"), "make", "score", 1.0, facts::brand),
    }))
}

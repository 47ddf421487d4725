//! Frigate: events over MQTT, and the same from its HTTP API.
//!
//! Forms: "MQTT" in its manual (`docs.frigate.video/integrations/mqtt`), held against its sources (repository
//! `blakeblackshear/frigate`: `frigate/track/tracked_object.py`, `frigate/data_processing/common/license_plate/mixin.py`,
//! `frigate/api/event.py`). The manual shows `recognized_license_plate` as a text with a score beside; the sources also
//! send the two as a list. Both are read.
//!
//! | where | plate | confidence |
//! | --- | --- | --- |
//! | `frigate/events`, member `after` | `recognized_license_plate` | its score, or `recognized_license_plate_score` |
//! | `frigate/tracked_object_update`, type `lpr` | `plate` | `score` |
//! | `GET /api/events`, member `data` of each | `recognized_license_plate` | `recognized_license_plate_score` |
//!
//! Frigate refines a plate while it follows a vehicle. Each text that it settles on is one read: its id is the tracked
//! object's and the text, its time is when Frigate began to follow the object (the number that the object's id begins
//! with). So the three places say the same, and whichever comes first counts.
//!
//! `label` becomes the kind of vehicle. `sub_label` and `name` are what people called the plate or whom Frigate believes to
//! see ("John's car"): they are not looked at. Only where somebody's own tool writes plates into `sub_label` can it be
//! asked for, and then it counts for vehicles alone. Left out besides: faces, pictures, zones, boxes, speeds, paths,
//! descriptions.

use canvass_core::plates::NewRead;
use jiff::Timestamp;

use crate::{
    Fault, facts,
    json::{self, Node},
    percent, read, source_id,
};

/// What is followed.
#[derive(Debug, Clone)]
pub struct Follow {
    /// Frigate's name of the camera; nothing of others is taken.
    pub camera: String,
    /// Whether a vehicle's `sub_label` is its plate, where there is no recognised plate.
    pub sub_label: bool,
}

/// An event of the list.
pub struct Listed {
    /// When it began, in seconds since 1970: where the next list can begin.
    pub start: f64,
    /// Whether Frigate still follows the object, so that a plate may yet come.
    pub open: bool,
    /// Its read, if it has a plate.
    pub read: Result<Option<NewRead>, Fault>,
}

/// The read of a message of `frigate/events`, if it is of this camera and has a plate.
///
/// # Errors
/// The message has another form.
pub fn event(payload: &[u8], follow: &Follow) -> Result<Option<NewRead>, Fault> {
    let value = json::parsed(payload)?;
    let after = Node::root(&value).need("after")?;
    if after.need("camera")?.text()? != follow.camera
        || after.get("false_positive").is_some_and(|it| it.is_true())
    {
        return Ok(None);
    }
    observed(&after, &after, follow)
}

/// The read of a message of `frigate/tracked_object_update`, if it is a plate of this camera.
///
/// # Errors
/// The message has another form.
pub fn update(payload: &[u8], follow: &Follow) -> Result<Option<NewRead>, Fault> {
    let value = json::parsed(payload)?;
    let root = Node::root(&value);
    if root.need("type")?.text()? != "lpr" || root.need("camera")?.text()? != follow.camera {
        return Ok(None);
    }
    let Some(plate) = root.get("plate") else { return Ok(None) };
    let score = root.get("score").map(|node| node.number()).transpose()?;
    made(&root, plate.text()?, score, "timestamp")
}

/// The events of an answer of `GET /api/events`.
///
/// # Errors
/// The answer has another form.
pub fn list(payload: &[u8], follow: &Follow) -> Result<Vec<Listed>, Fault> {
    let value = json::parsed(payload)?;
    let one = |event: Node<'_>| {
        let start = event.need("start_time")?.number()?;
        let read = listed(&event, follow);
        Ok(Listed { start, open: event.get("end_time").is_none(), read })
    };
    Node::root(&value).list()?.into_iter().map(one).collect()
}

fn listed(event: &Node<'_>, follow: &Follow) -> Result<Option<NewRead>, Fault> {
    if event.need("camera")?.text()? != follow.camera {
        return Ok(None);
    }
    let data = event.get("data").unwrap_or_else(|| event.clone());
    observed(event, &data, follow)
}

/// The read of an object, whose plate stands in `data`.
fn observed(object: &Node<'_>, data: &Node<'_>, follow: &Follow) -> Result<Option<NewRead>, Fault> {
    let kind = object.get("label").and_then(|label| facts::vehicle(label.text().ok()?));
    let beside = |name: &str| data.get(name).map(|node| node.number()).transpose();
    let (plate, score) = match data.get("recognized_license_plate") {
        Some(plate) => pair(&plate, beside("recognized_license_plate_score")?)?,
        None => match object.get("sub_label").filter(|_| follow.sub_label && kind.is_some()) {
            Some(plate) => pair(&plate, beside("sub_label_score")?)?,
            None => return Ok(None),
        },
    };
    let read = made(object, plate, score, "start_time")?;
    Ok(read.map(|read| NewRead { vehicle: kind, ..read }))
}

/// A text and its score: as a list, or with the score beside.
fn pair<'a>(plate: &Node<'a>, beside: Option<f64>) -> Result<(&'a str, Option<f64>), Fault> {
    if !plate.is_list() {
        return Ok((plate.text()?, beside));
    }
    let mut parts = plate.list()?.into_iter();
    let text = parts.next().map(|node| node.text()).transpose()?.unwrap_or_default();
    let score = parts.next().map(|node| node.number()).transpose()?;
    Ok((text, score.or(beside)))
}

fn made(object: &Node<'_>, plate: &str, score: Option<f64>, time: &str) -> Result<Option<NewRead>, Fault> {
    if plate.trim().is_empty() {
        return Ok(None);
    }
    let id = object.need("id")?.text()?;
    let seen = match begun(id) {
        Some(seen) => seen,
        None => object.need(time)?.seconds()?,
    };
    let letters: String = plate.chars().filter(|c| c.is_alphanumeric()).collect();
    let mut read = read(source_id(&[id, &letters]), seen.to_string(), plate);
    read.confidence = score.map(|score| percent(score, 1.0));
    Ok(Some(read))
}

/// When Frigate began to follow an object: its id is that moment in seconds, a dash, and chance.
fn begun(id: &str) -> Option<Timestamp> {
    let (seconds, _) = id.split_once('-')?;
    let micros = seconds.parse::<f64>().ok().filter(|seconds| *seconds > 0.0)? * 1_000_000.0;
    Timestamp::from_microsecond(micros.round() as i64).ok()
}

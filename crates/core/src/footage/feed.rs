//! What cameras send of people and vehicles that they saw, row by row: checked, dated by two clocks, stored once.

use std::collections::{BTreeMap, BTreeSet};

use canvass_footage::{Colour, Embedding, Kind, MOST_VALUES, Part, Shares, Sighting};
use canvass_types::{AgencyId, CameraId, SightingId, Time};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::{
    App, CoreError,
    access::{Actor, Job, SightingAdd, Target},
    plates::{PictureKind, kept_seconds},
    ports::{Records, RecordsExt},
    records::{CameraSighting, CameraUse, SightingPicture},
    sources::{Fault, RowProblem, SourceId, Wanted, clock},
};

/// Most rows of one batch of sightings.
pub const MOST_SIGHTINGS: usize = 500;
/// Most bytes of the cut of a sighting.
pub const MOST_CUT: usize = 64 * 1024;
/// Longest time in view, seconds: what stands for longer is sent in parts.
const LONGEST: i64 = 3_600;
/// Most pixels of a side of a picture.
const MOST_SIDE: i64 = 100_000;
/// Most frames of one sighting.
const MOST_FRAMES: u32 = 1_000_000;
/// Most characters of a model's name or version.
const MOST_NAME: usize = 64;

/// A person or vehicle that a camera saw, from when it came to when it went.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "id": "17-0042", "start": "2026-11-24T10:00:00Z", "end": "2026-11-24T10:00:06Z", "kind": "Car", "score": 0.81,
    "box": [120, 80, 240, 130], "frames": 18, "colours": { "Body": { "Red": 0.7 } }, "model": "objects", "version": "1"
}))]
pub struct NewSighting {
    /// The source's own id of it: sent again, it is stored once.
    pub id: SourceId,
    /// When it came, by the camera's clock (RFC 3339).
    pub start: String,
    /// When it went, at most an hour later.
    pub end: String,
    /// When it was seen best; `start` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<String>,
    /// What it is: `Person`, `Bicycle`, `Car`, `Motorcycle`, `Bus`, `Truck`, `Dog` and so on.
    pub kind: String,
    /// How sure that is, 0 to 1.
    pub score: f64,
    /// Where it was when it was seen best: left, upper edge, width, height, in pixels.
    #[serde(rename = "box")]
    #[schema(value_type = Vec<i64>, min_items = 4, max_items = 4)]
    pub rect: [i64; 4],
    /// Frames in which it was seen.
    pub frames: u32,
    /// Colours by part (`Upper`, `Lower`, `Body`), each with its share, 0 to 1.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub colours: BTreeMap<String, BTreeMap<String, f64>>,
    /// What a person carries, leads or rides, and in which share of the frames it was seen.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub with: BTreeMap<String, f64>,
    /// What a vehicle looks like in numbers, at most 512 of them, of the model named. Of people there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedding: Option<NewEmbedding>,
    /// Name of the model that saw it, 1 to 64 characters.
    pub model: String,
    /// Version of that model, 1 to 64 characters.
    pub version: String,
    /// A small cut of the picture: Base64 of a JPEG of at most 64 KiB. It is kept as long as the sighting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
}

/// What a vehicle looks like in numbers.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEmbedding {
    /// Name of the model that made them.
    pub model: String,
    /// Its version.
    pub version: String,
    /// The numbers.
    pub values: Vec<f32>,
}

/// What became of the rows. Rows that are counted here as stored or as duplicates are durable.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AddedSightings {
    /// Rows that were sent.
    pub rows: u64,
    /// Sightings that are stored now.
    pub stored: u64,
    /// Sightings that were stored already, by the ids that the camera gave them.
    pub duplicates: u64,
    /// Good rows that the law keeps not even for a moment.
    pub dropped: u64,
    /// Rows that were refused.
    pub refused: u64,
    /// Which, the first 100.
    pub problems: Vec<RowProblem>,
}

/// One camera that sends, and what holds for its sightings now.
#[derive(Debug)]
pub struct SightingFeed {
    camera: CameraId,
    agency: AgencyId,
    law: String,
    kept: i64,
    received: Time,
}

struct Taken {
    sighting: CameraSighting,
    picture: Option<SightingPicture>,
}

fn fault(field: &'static str, rule: &'static str, what: &str, remedy: &'static str) -> Fault {
    (field, rule, what.to_owned(), remedy)
}

fn share(field: &'static str, of: f64) -> Result<f32, Fault> {
    // NaN and infinities are outside, too.
    if (0.0..=1.0).contains(&of) {
        return Ok(of as f32);
    }
    Err(fault(field, "range", "a share is outside 0 to 1", "give shares, 0 to 1"))
}

const WORDS: &str = "take a word of docs/ref/vision.md, or leave it out";

fn kind(field: &'static str, word: &str) -> Result<Kind, Fault> {
    let found = Kind::ALL.iter().copied().find(|kind| kind.as_str() == word);
    found.ok_or_else(|| fault(field, "word", "this word is not known here", WORDS))
}

fn moment(field: &'static str, text: &str) -> Result<Time, Fault> {
    let form = || fault(field, "form", "this is no moment of RFC 3339", "write it like 2026-11-24T10:00:00Z");
    text.parse().map_err(|_| form())
}

fn name(field: &'static str, text: &str) -> Result<String, Fault> {
    let fine = (1..=MOST_NAME).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    let what = "it has 1 to 64 characters and no control character";
    if fine { Ok(text.to_owned()) } else { Err(fault(field, "length", what, "name the model shortly")) }
}

/// The cut as it is kept: the Base64 of a JPEG.
fn cut(text: &str) -> Result<String, Fault> {
    let remedy = "send a smaller cut, as a JPEG of less quality, or none";
    // Said before it is decoded: what is too long is not looked at.
    let long = text.len() > MOST_CUT.div_ceil(3) * 4;
    let bytes = if long { None } else { BASE64.decode(text.as_bytes()).ok() };
    let Some(bytes) = bytes.filter(|bytes| bytes.len() <= MOST_CUT) else {
        let what = format!("the picture is no Base64 of at most {} KiB", MOST_CUT / 1_024);
        return Err(("picture", "form", what, remedy));
    };
    if PictureKind::of(&bytes) != Some(PictureKind::Jpeg) {
        return Err(fault("picture", "kind", "the picture is no JPEG", remedy));
    }
    Ok(text.to_owned())
}

/// The same for the same camera and source's id, whenever it comes.
fn id_of(camera: &CameraId, source: &str) -> SightingId {
    let hash = Sha256::digest(format!("canvass/sighting/v1/{camera}/{source}"));
    let mut bits = [0; 16];
    bits.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
    SightingId::from_bytes(&bits)
}

impl NewSighting {
    fn colours(&self) -> Result<BTreeMap<Part, Shares>, Fault> {
        let mut all = BTreeMap::new();
        for (part, shares) in &self.colours {
            let part = Part::ALL.iter().copied().find(|known| known.as_str() == part);
            let part = part.ok_or_else(|| fault("colours", "word", "this part is not known here", WORDS))?;
            let mut known = Shares::new();
            for (colour, of) in shares {
                let colour = Colour::ALL.iter().copied().find(|known| known.as_str() == colour);
                let colour =
                    colour.ok_or_else(|| fault("colours", "word", "this colour is not known here", WORDS))?;
                known.insert(colour, share("colours", *of)?);
            }
            if known.values().sum::<f32>() > 1.01 {
                let what = "the shares of a part are more than the whole";
                return Err(fault("colours", "sum", what, "give shares that sum up to 1 at most"));
            }
            all.insert(part, known);
        }
        Ok(all)
    }

    fn looks(&self, kind: Kind) -> Result<Option<Embedding>, Fault> {
        let Some(given) = &self.embedding else { return Ok(None) };
        if !kind.is_vehicle() {
            let what = "it is of no vehicle: nobody is recognised here";
            return Err(fault("embedding", "person", what, "leave it out"));
        }
        let (model, version) = (name("embedding", &given.model)?, name("embedding", &given.version)?);
        let embedding = Embedding { model, version, values: given.values.clone() };
        if embedding.is_sound() {
            return Ok(Some(embedding));
        }
        let what = format!("it has 1 to {MOST_VALUES} numbers, not all of them 0");
        Err(("embedding", "values", what, "send the model's numbers, or leave it out"))
    }

    fn sighting(&self) -> Result<(Sighting, Time), Fault> {
        let (start, end) = (moment("start", &self.start)?, moment("end", &self.end)?);
        let best = self.best.as_deref().map_or(Ok(start), |best| moment("best", best))?;
        let long = end.as_second().saturating_sub(start.as_second());
        if !(0..=LONGEST).contains(&long) || best < start || best > end {
            let what =
                format!("it ends before it starts, lasts over {LONGEST} seconds, or was seen best outside");
            return Err((
                "end",
                "order",
                what,
                "send start, best and end in order; what stays longer in parts",
            ));
        }
        let whole = self.rect.iter().all(|side| (-MOST_SIDE..=MOST_SIDE).contains(side));
        if !whole || self.rect.iter().skip(2).any(|side| *side < 1) {
            return Err(fault(
                "box",
                "range",
                "this is no box in a picture",
                "give left, top, width, height in pixels",
            ));
        }
        if !(1..=MOST_FRAMES).contains(&self.frames) {
            return Err(fault(
                "frames",
                "range",
                "it was seen in no frame, or in too many",
                "count the frames",
            ));
        }
        let kind = kind("kind", &self.kind)?;
        if kind.is_carried() && kind != Kind::Dog {
            return Err(fault(
                "kind",
                "word",
                "a thing by itself is no sighting",
                "send who carries it, `with` it",
            ));
        }
        let seconds = |time: Time| time.as_second() as f64;
        let mut with = BTreeMap::new();
        for (word, of) in &self.with {
            with.insert(self::kind("with", word)?, share("with", *of)?);
        }
        let sighting = Sighting {
            kind,
            score: share("score", self.score)?,
            start: seconds(start),
            end: seconds(end),
            best: seconds(best),
            rect: self.rect,
            frames: self.frames,
            colours: self.colours()?,
            with,
            embedding: self.looks(kind)?,
        };
        Ok((sighting, end))
    }
}

impl SightingFeed {
    /// The camera.
    #[must_use]
    pub fn camera(&self) -> &CameraId {
        &self.camera
    }

    fn row(&self, row: &Value) -> Result<Option<Taken>, Fault> {
        // The parser's own words may quote what was sent, so they are not told.
        let row = NewSighting::deserialize(row).map_err(|_| {
            fault("row", "form", "the row is no sighting", "see NewSighting in /api/v1/openapi.json")
        })?;
        let source = row.id.checked("send the id that the camera counts its sightings by")?;
        let (sighting, seen) = row.sighting()?;
        clock("end", seen, self.received)?;
        let (model, version) = (name("model", &row.model)?, name("version", &row.version)?);
        let jpeg = row.picture.as_deref().map(cut).transpose()?;
        if self.kept <= 0 {
            return Ok(None);
        }
        if seen.plus_seconds(self.kept) <= self.received {
            let what = format!("it is past the {} seconds that the law keeps sightings", self.kept);
            return Err(("end", "retention", what, "send sightings sooner, or set the camera's clock"));
        }
        let id = id_of(&self.camera, &source);
        let picture =
            jpeg.map(|jpeg| SightingPicture { sighting: id.clone(), camera: self.camera.clone(), jpeg });
        let sighting = CameraSighting {
            id,
            camera: self.camera.clone(),
            law: self.law.clone(),
            seen,
            received: self.received,
            sighting,
            model,
            version,
            pictured: picture.is_some(),
        };
        Ok(Some(Taken { sighting, picture }))
    }
}

/// What a camera that sends sightings is registered for.
const SIGHTINGS: Wanted = Wanted {
    rows: "sightings",
    fits: CameraUse::films,
    wrong: "the camera is registered for plates alone",
    remedy: "register it as one for footage, or for plates and footage",
};

impl<R: Records> App<R> {
    /// Begins to take sightings of the camera that a machine's token acts for.
    ///
    /// # Errors
    /// When the token is none of a camera, its member may not, the camera is unknown, retired or reads plates alone, or its
    /// agency is suspended.
    pub async fn sighting_feed(&self, actor: &Actor) -> Result<SightingFeed, CoreError> {
        let (camera, agency) = self.source::<SightingAdd>(actor, &SIGHTINGS).await?;
        let policies = self.gate().policies();
        let profile = policies.profile_for(&agency.subdivision);
        let law = profile.map_or_else(|| canvass_policy::DEFAULT.to_owned(), |profile| profile.id.clone());
        let kept = profile.map_or(0, |profile| kept_seconds(profile, false));
        let kept = i64::try_from(kept).unwrap_or(i64::MAX);
        Ok(SightingFeed { camera, agency: agency.id, law, kept, received: self.now() })
    }

    /// Stores the good rows of a batch, and names the bad ones; durable when it returns. Sent again, a sighting is stored once.
    ///
    /// # Errors
    /// When there are too many rows, or the store does not answer: then nothing of the batch is stored.
    pub async fn add_sightings(
        &self,
        feed: &SightingFeed,
        rows: &[Value],
    ) -> Result<AddedSightings, CoreError> {
        if rows.len() > MOST_SIGHTINGS {
            let message = format!("a batch has at most {MOST_SIGHTINGS} sightings");
            return Err(CoreError::field("sightings", "most", &message, "send them in parts"));
        }
        let mut added = AddedSightings { rows: rows.len() as u64, ..AddedSightings::default() };
        let mut new: Vec<Taken> = Vec::new();
        let mut ids: BTreeSet<SightingId> = BTreeSet::new();
        for (number, row) in (1..).zip(rows) {
            match feed.row(row) {
                Ok(None) => added.dropped += 1,
                Ok(Some(taken)) => {
                    let id = &taken.sighting.id;
                    let known = self.records().get::<CameraSighting>(id.as_str()).await?.is_some();
                    if known || !ids.insert(id.clone()) {
                        added.duplicates += 1;
                    } else {
                        new.push(taken);
                    }
                }
                Err(fault) => {
                    added.refused += 1;
                    RowProblem::note(&mut added.problems, number, fault);
                }
            }
        }
        if new.is_empty() {
            return Ok(added);
        }
        added.stored = new.len() as u64;
        let mut intent = self.system(Job::Housekeeping, Target::of(&feed.agency, &feed.camera));
        for taken in &new {
            intent = intent.with(|changes| {
                let changes = changes.insert(&taken.sighting);
                taken.picture.iter().fold(changes, |all, picture| all.insert(picture))
            });
        }
        intent.commit(self.records()).await?;
        Ok(added)
    }
}

//! What a camera sends, row by row: checked, put into the one form, dated by two clocks.

use std::{collections::BTreeMap, sync::Arc};

use canvass_plates::{Read, ReadId, Short, hotlist::Found};
use canvass_types::{AgencyId, CameraId, Time};
use serde::Deserialize;
use serde_json::Value;

use super::{KeptFor, ReadsError, wire::NewRead};
use crate::{
    App, CoreError,
    access::{Actor, ReadAdd},
    hotlists::Watched,
    ports::Records,
    records::{CameraUse, SafelistMode},
    safelist::Safe,
    sources::{Fault, MOST_PROBLEMS, RowProblem, Wanted, clock},
};

/// Most rows of one batch.
pub const MOST_ROWS: usize = 5_000;
/// Most bytes of one row: those of a picture in Base64, and some.
const MOST_ROW_BYTES: usize = 384 * 1024;

/// One row as it came.
#[derive(Clone, Copy)]
pub enum Row<'a> {
    /// A line of JSON.
    Text(&'a [u8]),
    /// An element of a JSON array.
    Json(&'a Value),
}

impl Row<'_> {
    /// The row as a read. The parser's own words may quote what was sent, so they are not told; the place says enough.
    fn parsed(self) -> Result<NewRead, Fault> {
        let form = |what: String| ("row", "form", what, "see NewRead in /api/v1/openapi.json");
        match self {
            Self::Text(text) if text.len() > MOST_ROW_BYTES => {
                let what = format!("the row has more than {MOST_ROW_BYTES} bytes");
                Err(("row", "length", what, "send a smaller picture, or the read alone"))
            }
            Self::Text(text) => serde_json::from_slice(text)
                .map_err(|error| form(format!("the row is no read: column {}", error.column()))),
            Self::Json(value) => {
                NewRead::deserialize(value).map_err(|_| form("the row is no read".to_owned()))
            }
        }
    }
}

/// One camera that sends, and what holds for its reads now.
#[derive(Debug)]
pub struct Feed {
    camera: CameraId,
    agency: AgencyId,
    kept: Option<KeptFor>,
    hits: Option<KeptFor>,
    lists: Vec<Arc<Watched>>,
    safe: Option<Arc<Safe>>,
    received: Time,
}

/// A read that met hotlists: each with the numbers of the entries that it fits, nearest first.
#[derive(Debug, Clone)]
pub struct Hit {
    pub(crate) read: Read,
    pub(crate) pictured: bool,
    pub(crate) lists: Vec<(Arc<Watched>, Vec<Found>)>,
}

/// Rows of a camera, ready to be stored.
#[derive(Debug, Default)]
pub struct Batch {
    /// The reads of good rows.
    pub(super) reads: Vec<Read>,
    /// Pictures that came with them.
    pub(super) pictures: BTreeMap<ReadId, Vec<u8>>,
    /// Those of them that met a hotlist.
    pub hits: Vec<Hit>,
    /// Rows that were looked at.
    pub rows: u64,
    /// Good rows that the law keeps not even for a moment, or that the safelist has dropped.
    pub dropped: u64,
    /// Those of them that the safelist has dropped.
    pub safe: u64,
    /// How many rows were wrong.
    pub refused: u64,
    /// Which, the first [`MOST_PROBLEMS`] of them.
    pub problems: Vec<RowProblem>,
}

impl Batch {
    /// Adds what came of another part of the same sending.
    pub fn join(&mut self, other: Self) {
        self.reads.extend(other.reads);
        self.pictures.extend(other.pictures);
        self.hits.extend(other.hits);
        self.rows += other.rows;
        self.dropped += other.dropped;
        self.safe += other.safe;
        self.refused += other.refused;
        self.problems.extend(other.problems);
        self.problems.truncate(MOST_PROBLEMS);
    }

    /// Good rows.
    #[must_use]
    pub fn good(&self) -> usize {
        self.reads.len()
    }

    fn refuse(&mut self, row: u64, fault: Fault) {
        self.refused += 1;
        RowProblem::note(&mut self.problems, row, fault);
    }
}

/// What becomes of a good row.
enum Taken {
    /// It is stored; its picture and the hotlists that it met come along.
    Stored(Box<Read>, Option<Vec<u8>>, Vec<(Arc<Watched>, Vec<Found>)>),
    /// The law keeps such reads not even for a moment.
    Dropped,
    /// The plate is on the safelist.
    Safe,
}

impl Feed {
    /// The camera.
    #[must_use]
    pub fn camera(&self) -> &CameraId {
        &self.camera
    }

    /// Whose it is.
    #[must_use]
    pub fn agency(&self) -> &AgencyId {
        &self.agency
    }

    /// How long reads are kept that met a hotlist, or met none.
    pub(crate) fn kept(&self, hit: bool) -> Option<&KeptFor> {
        if hit { self.hits.as_ref() } else { self.kept.as_ref() }
    }

    /// Hotlists that a plate is on now, as its reader saw it or but for what readers confuse.
    fn met(&self, read: &Read) -> Vec<(Arc<Watched>, Vec<Found>)> {
        let found = |list: &Arc<Watched>| {
            let found = list.find(&read.plate, self.received);
            (!found.is_empty()).then(|| (Arc::clone(list), found))
        };
        self.lists.iter().filter_map(found).collect()
    }

    /// Checks rows, each a [`NewRead`]; `first` is the number of the first, from 1.
    pub fn prepare<'a>(&self, rows: impl IntoIterator<Item = Row<'a>>, first: u64) -> Batch {
        let mut batch = Batch::default();
        for row in rows {
            let number = first + batch.rows;
            batch.rows += 1;
            match self.row(row) {
                Ok(Taken::Stored(read, picture, lists)) => {
                    if !lists.is_empty() {
                        let pictured = picture.is_some();
                        batch.hits.push(Hit { read: (*read).clone(), pictured, lists });
                    }
                    batch.pictures.extend(picture.map(|bytes| (read.id, bytes)));
                    batch.reads.push(*read);
                }
                Ok(Taken::Dropped) => batch.dropped += 1,
                Ok(Taken::Safe) => {
                    batch.dropped += 1;
                    batch.safe += 1;
                }
                Err(fault) => batch.refuse(number, fault),
            }
        }
        batch
    }

    fn row(&self, row: Row<'_>) -> Result<Taken, Fault> {
        let parts = row.parsed()?.parts()?;
        clock("time", parts.time, self.received)?;
        let mut read = Read::new(self.camera.clone(), &parts.source, parts.plate, parts.time, self.received);
        read.raw = parts.raw.and_then(|raw| raw.parse::<Short>().ok());
        read.region = parts.region;
        read.confidence = parts.confidence;
        read.characters = parts.characters;
        read.vehicle = parts.vehicle;
        read.colour = parts.colour;
        read.brand = parts.brand;
        read.direction = parts.direction;
        let lists = self.met(&read);
        read.hit = !lists.is_empty();
        // What met a hotlist is kept and alerts, whatever the safelist says.
        let safe = self.safe.as_ref().filter(|_| !read.hit);
        match safe.map_or(SafelistMode::Off, |safe| safe.mode_of(&read.plate, self.received)) {
            SafelistMode::Drop => return Ok(Taken::Safe),
            SafelistMode::Tag => read.safelisted = true,
            SafelistMode::Off => {}
        }
        let Some(kept) = self.kept(read.hit) else { return Ok(Taken::Dropped) };
        if kept.due(&kept.class().slice_of(&read), self.received) {
            let what = format!("it is past the {} seconds that the law keeps such reads", kept.seconds());
            return Err(("time", "retention", what, "send reads sooner, or set the camera's clock"));
        }
        Ok(Taken::Stored(Box::new(read), parts.picture, lists))
    }
}

/// What a camera that sends reads is registered for.
const READS: Wanted = Wanted {
    rows: "reads",
    fits: CameraUse::reads_plates,
    wrong: "the camera is registered for footage and reads no plates",
    remedy: "register it as one that reads plates",
};

impl<R: Records> App<R> {
    /// Begins to take reads of the camera that a machine's token acts for.
    ///
    /// # Errors
    /// When the token is none of a camera, its member may not, the camera is unknown, retired or reads no plates, or its
    /// agency is suspended.
    pub async fn feed(&self, actor: &Actor) -> Result<Feed, CoreError> {
        let (id, agency) = self.source::<ReadAdd>(actor, &READS).await?;
        let policies = self.gate().policies();
        let profile = policies.profile_for(&agency.subdivision);
        let kept = |hit: bool| match profile {
            Some(profile) => KeptFor::under(profile, hit).map_err(ReadsError::from),
            None => Ok(None),
        };
        let (kept, hits) = (kept(false)?, kept(true)?);
        let lists = self.lists_that_alert(&agency, &id).await?;
        let safe = self.safelists().of(&agency.id);
        Ok(Feed { camera: id, agency: agency.id, kept, hits, lists, safe, received: self.now() })
    }
}

//! Searching: an entry for each owner is durable before the first sighting is looked at.

use std::collections::HashSet;

use canvass_footage::{Alike, Moment, Query as Description, Sighting, alike, search};
use canvass_types::{
    AgencyId, AuditId, CameraId, CaseId, Digest, ItemId, Position, Purpose, SightingId, Time,
};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ask::{FootageTerms, Look, SearchFootage, Understood};
use crate::{
    App, CoreError,
    access::{Actor, Denied, FootageSearch, Target},
    cases::load::every,
    plates::{Approved, Granted, LeftOut, Picture, PictureKind, SearchedOwner},
    ports::{Query, Records, RecordsExt, Versioned},
    records::{CameraSighting, SealedSightings, SightingPicture},
};

/// Sightings that one search looks at; the newest first.
const MOST_LOOKED: usize = 200_000;
/// Sightings read at a time.
const STEP: u32 = 1_000;
/// Sightings of one camera that are held at a time.
const HELD: usize = 10_000;
/// Seconds of the first stretch of time that is looked through, the newest; those before it are as long as is worth it.
const SPAN: i64 = 86_400;
/// Sightings of one stretch that are so few that the next one is twice as long, or so many that it is half as long.
const FEW_AND_MANY: (usize, usize) = (2_000, 20_000);
/// Sightings of one camera that are held against a description together.
const TOGETHER: usize = 1_000;
/// Seconds without anybody in view that part one stretch of a camera from the next.
const APART: f64 = 2.0;

/// Leave to search footage once, with the entries that it left: there is no other way to stored sightings.
#[derive(Debug)]
pub struct GrantedFootage {
    pub(crate) granted: Granted<FootageSearch>,
    terms: FootageTerms,
}

/// A moment of a camera that fits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FootageMoment {
    /// The sighting that fits best.
    pub sighting: SightingId,
    /// Which camera.
    pub camera: CameraId,
    /// Its name.
    pub camera_name: String,
    /// Where it stands: longitude, latitude.
    #[schema(value_type = Option<Vec<f64>>, min_items = 2, max_items = 2)]
    pub position: Option<Position>,
    /// Whose camera it is.
    pub agency: Option<AgencyId>,
    /// What was seen: `Person`, `Car` and so on.
    pub kind: String,
    /// When it came.
    pub start: Time,
    /// When it went.
    pub end: Time,
    /// When it was seen best.
    pub best: Time,
    /// Where it was then: left, upper edge, width, height, in pixels.
    #[serde(rename = "box")]
    #[schema(value_type = Vec<i64>, min_items = 4, max_items = 4)]
    pub rect: [i64; 4],
    /// How well it fits, 0 to 1: no likelihood of anything.
    pub score: f32,
    /// Words that fit; of a vehicle that is like another, its kind and the colours that both have.
    pub matched: Vec<String>,
    /// Words that don't.
    pub missed: Vec<String>,
    /// Words that were understood, but that the models can't tell.
    pub untold: Vec<String>,
    /// Name and version of the model that saw it.
    pub model: String,
    /// Whether it has a picture: `/footage/pictures/{search}/{sighting}`, for a quarter of an hour.
    pub picture: bool,
}

/// Sealed sightings of an item of the case. Who holds the key of its destination searches them on their own device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SealedEvidence {
    /// Of which item.
    pub item: ItemId,
    /// The item's file name.
    pub name: String,
    /// The request or portal whose key opens it.
    pub destination: String,
    /// Name of the model that looked.
    pub model: String,
    /// Its version.
    pub version: String,
    /// Where the sealed bytes are, below `/api/v1`: for who searched, for a quarter of an hour.
    pub path: String,
    /// How many bytes.
    pub bytes: u64,
    /// Their SHA-256.
    pub sha256: Digest,
}

/// What a search of footage found. A moment that fits is no cause for anything by itself: look at it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FootageFound {
    /// What was understood of the description; null when it was for vehicles like another.
    pub understood: Option<Understood>,
    /// Moments of cameras, best first.
    pub moments: Vec<FootageMoment>,
    /// Sightings that were looked at.
    pub looked: u64,
    /// Whether there are more than one search looks at: then it was not all, and a shorter window finds more.
    pub cut: bool,
    /// Sealed sightings of the items of the case.
    pub evidence: Vec<SealedEvidence>,
    /// Items of the case that nobody looked through yet: `canvass footage index --case`.
    pub unindexed: Vec<ItemId>,
    /// The search's first entry in the oversight ledger.
    pub search: AuditId,
    /// Owners whose cameras were searched.
    pub searched: Vec<SearchedOwner>,
    /// Owners whose cameras were asked for and not searched.
    pub left_out: Vec<LeftOut>,
}

/// Sealed bytes of what was seen in an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedIndex {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Their SHA-256.
    pub sha256: Digest,
}

/// What of one search was found so far.
#[derive(Default)]
struct Sum {
    moments: Vec<FootageMoment>,
    looked: usize,
    cut: bool,
}

impl Sum {
    /// Adds the moments of some sightings of one camera, and keeps not many more than will be told.
    fn add(
        &mut self,
        granted: &Granted<FootageSearch>,
        (terms, like): (&FootageTerms, Option<&CameraSighting>),
        mut seen: Vec<CameraSighting>,
    ) {
        seen.sort_by(|a, b| a.sighting.start.total_cmp(&b.sighting.start));
        let found = match (&terms.look, like) {
            (Look::Words(query), _) => fitting(query, &seen, terms.least),
            (Look::Like(_), Some(like)) => looking_like(like, &seen, terms.least),
            (Look::Like(_), None) => Vec::new(),
        };
        self.moments.extend(found.into_iter().map(|(at, moment)| moment_of(granted, at, moment)));
        if self.moments.len() > terms.limit.saturating_mul(8) {
            best_first(&mut self.moments, terms.limit);
        }
    }
}

impl<R: Records> App<R> {
    /// Asks for leave to search footage: what may not be searched for is refused, then the gate decides for each owner of a camera
    /// in scope, and an entry is durable with each when this returns.
    ///
    /// # Errors
    /// When the actor may not under one owner's law, the purpose says too little, the description is refused by a rule or takes
    /// a second person, or a field is wrong.
    pub async fn search_footage(
        &self,
        actor: &Actor,
        purpose: &Purpose,
        wish: &SearchFootage,
    ) -> Result<GrantedFootage, CoreError> {
        self.may_search::<FootageSearch>(actor).await?;
        self.grant_footage(actor, purpose, wish, None).await
    }

    /// The same, under an approval if there is one. The rules of this version count, whenever it was approved.
    pub(crate) async fn grant_footage(
        &self,
        actor: &Actor,
        purpose: &Purpose,
        wish: &SearchFootage,
        under: Option<&Approved>,
    ) -> Result<GrantedFootage, CoreError> {
        self.footage_allowed(actor, purpose, wish).await?;
        let (asked, terms) = wish.check(self.now())?;
        let granted = self.grant::<FootageSearch>(actor, purpose, &asked, under).await?;
        Ok(GrantedFootage { granted, terms })
    }

    /// Looks for what was granted, once, and puts on record how much was found.
    ///
    /// # Errors
    /// When the store does not answer, or the vehicle that others are to be like is of no camera that was searched.
    pub async fn footage_found(&self, granted: GrantedFootage) -> Result<FootageFound, CoreError> {
        let GrantedFootage { granted, terms } = granted;
        let mut sum = Sum::default();
        let like = match &terms.look {
            Look::Words(_) => None,
            Look::Like(id) => Some(self.like_of(&granted, id).await?),
        };
        // Where a law lets only hits of hotlists be searched, nothing that was seen is one.
        let cameras: Vec<CameraId> = granted.sets.get(&false).into_iter().flatten().cloned().collect();
        let (mut until, mut span) = (terms.until, SPAN);
        // Stretch after stretch, the newest first and each of all cameras: what is left out where there are too many is the oldest.
        while until > terms.from && !sum.cut {
            let from = until.plus_seconds(span.saturating_neg()).max(terms.from);
            let before = sum.looked;
            for camera in &cameras {
                self.look_through(camera, (from, until), (&terms, like.as_ref()), &granted, &mut sum).await?;
            }
            let looked = sum.looked - before;
            if looked < FEW_AND_MANY.0 {
                span = span.saturating_mul(2);
            } else if looked > FEW_AND_MANY.1 {
                span = (span / 2).max(1);
            }
            until = from;
        }
        best_first(&mut sum.moments, terms.limit);
        let (evidence, unindexed) =
            if terms.evidence { self.evidence_of(&granted).await? } else { (Vec::new(), Vec::new()) };
        self.note_result(&granted, sum.moments.len()).await?;
        self.note_shown(&granted, &sum.moments, &evidence);
        let (searched, left_out) = granted.owners();
        Ok(FootageFound {
            understood: match &terms.look {
                Look::Words(query) => Some(Understood::of(query)),
                Look::Like(_) => None,
            },
            moments: sum.moments,
            looked: sum.looked as u64,
            cut: sum.cut,
            evidence,
            unindexed,
            search: granted.first.clone(),
            searched,
            left_out,
        })
    }

    /// The vehicle that others are to be like: of a camera that is searched now.
    async fn like_of(
        &self,
        granted: &Granted<FootageSearch>,
        id: &SightingId,
    ) -> Result<CameraSighting, CoreError> {
        let found: Option<Versioned<CameraSighting>> = self.records().get(id.as_str()).await?;
        let searched = granted.sets.get(&false);
        let ours = |one: &CameraSighting| searched.is_some_and(|cameras| cameras.contains(&one.camera));
        let found = found.map(|found| found.record).filter(ours).ok_or(CoreError::Hidden("sighting"))?;
        if !found.sighting.kind.is_vehicle() {
            let remedy = "describe what the person wears, with a second person's approval";
            return Err(CoreError::field("like", "person", "only vehicles are searched by likeness", remedy));
        }
        Ok(found)
    }

    /// Looks through what one camera saw from a moment on until before another, holding so much at a time.
    async fn look_through(
        &self,
        camera: &CameraId,
        (from, until): (Time, Time),
        wanted: (&FootageTerms, Option<&CameraSighting>),
        granted: &Granted<FootageSearch>,
        sum: &mut Sum,
    ) -> Result<(), CoreError> {
        let mut held: Vec<CameraSighting> = Vec::new();
        let mut after = None;
        while !sum.cut {
            let left = MOST_LOOKED.saturating_sub(sum.looked);
            let query = Query::<CameraSighting>::new()
                .with("camera", camera)
                .since("seen", from)
                .due("seen", until.plus_seconds(-1))
                .newest_first()
                .after(after)
                .limit(STEP);
            let part = self.records().list(query).await?;
            let end = part.len() < STEP as usize;
            sum.cut |= part.len() > left;
            after = part.last().map(|last| last.sequence);
            sum.looked += part.len().min(left);
            held.extend(part.into_iter().take(left).map(|found| found.record));
            if end || sum.cut || held.len() >= HELD {
                sum.add(granted, wanted, std::mem::take(&mut held));
            }
            if end {
                break;
            }
        }
        Ok(())
    }

    /// What was seen in the items of the case, sealed, and the items that nobody looked through.
    async fn evidence_of(
        &self,
        granted: &Granted<FootageSearch>,
    ) -> Result<(Vec<SealedEvidence>, Vec<ItemId>), CoreError> {
        let case: Option<CaseId> = granted.entries().find_map(|entry| entry.case.clone());
        let Some(case) = case else { return Ok((Vec::new(), Vec::new())) };
        let sealed = Query::<SealedSightings>::new().with("case_id", &case);
        let sealed = every(self.records(), sealed, usize::MAX).await?;
        let (mut evidence, mut unindexed) = (Vec::new(), Vec::new());
        for item in self.items_of_case(&case).await? {
            let item = item.record;
            if item.destroyed.is_some() {
                continue;
            }
            match sealed.iter().find(|one| one.record.item == item.id) {
                Some(Versioned { record, .. }) => evidence.push(SealedEvidence {
                    path: format!("/footage/indexes/{}/{}", granted.first, item.id),
                    item: item.id,
                    name: item.name,
                    destination: item.destination,
                    model: record.model.clone(),
                    version: record.version.clone(),
                    bytes: record.bytes,
                    sha256: record.sha256,
                }),
                None => unindexed.push(item.id),
            }
        }
        Ok((evidence, unindexed))
    }

    /// Lets who searched fetch the pictures and sealed sightings of this answer for a while.
    fn note_shown(
        &self,
        granted: &Granted<FootageSearch>,
        moments: &[FootageMoment],
        evidence: &[SealedEvidence],
    ) {
        let pictures =
            moments.iter().filter(|moment| moment.picture).map(|moment| moment.sighting.to_string());
        let found: HashSet<String> =
            pictures.chain(evidence.iter().map(|sealed| sealed.item.to_string())).collect();
        self.footage_shown().note(&granted.first, &granted.actor.member, found, self.now());
    }

    fn may_fetch(
        &self,
        actor: &Actor,
        entry: &AuditId,
        id: &str,
        what: &'static str,
    ) -> Result<(), CoreError> {
        let own = actor.agency.clone().ok_or(CoreError::Hidden("agency"))?;
        // Who lost the role meanwhile sees no more; the purpose was looked at when the search was made.
        let asked = self.gate().check_at::<FootageSearch>(actor, &Target::of(&own, "footage"), self.now());
        if let Err(denied @ (Denied::Role { .. } | Denied::Hidden)) = asked {
            return Err(denied.into());
        }
        let may = self.footage_shown().may(entry, &actor.member, &id.to_owned(), self.now());
        if may { Ok(()) } else { Err(CoreError::Hidden(what)) }
    }

    /// The picture of a sighting that a search of the actor's found within the last quarter of an hour.
    ///
    /// # Errors
    /// When the actor may not search, no such search found it, it is forgotten, or the server was started anew since.
    pub async fn sighting_picture(
        &self,
        actor: &Actor,
        entry: &AuditId,
        sighting: &SightingId,
    ) -> Result<Picture, CoreError> {
        self.may_fetch(actor, entry, sighting.as_str(), "picture")?;
        let found: Option<Versioned<SightingPicture>> = self.records().get(sighting.as_str()).await?;
        let bytes = found.and_then(|found| BASE64.decode(found.record.jpeg.as_bytes()).ok());
        let bytes = bytes.ok_or(CoreError::Hidden("picture"))?;
        let kind = PictureKind::of(&bytes).ok_or(CoreError::Hidden("picture"))?;
        Ok(Picture { bytes, kind })
    }

    /// The sealed sightings of an item that a search of the actor's named within the last quarter of an hour.
    ///
    /// # Errors
    /// When the actor may not search, no such search named it, it is destroyed, or the server was started anew since.
    pub async fn sealed_index(
        &self,
        actor: &Actor,
        entry: &AuditId,
        item: &ItemId,
    ) -> Result<SealedIndex, CoreError> {
        self.may_fetch(actor, entry, item.as_str(), "sealed sightings")?;
        let found: Option<Versioned<SealedSightings>> = self.records().get(item.as_str()).await?;
        let found = found.ok_or(CoreError::Hidden("sealed sightings"))?.record;
        let bytes = BASE64.decode(found.sealed.as_bytes());
        let bytes = bytes.map_err(|_| CoreError::Hidden("sealed sightings"))?;
        Ok(SealedIndex { bytes, sha256: found.sha256 })
    }
}

fn best_first(moments: &mut Vec<FootageMoment>, limit: usize) {
    moments.sort_by(|a, b| b.score.total_cmp(&a.score).then(b.best.cmp(&a.best)));
    moments.truncate(limit);
}

/// Stretches of a camera's sightings that can't share a moment, each short enough to be compared with itself.
fn stretches(seen: &[CameraSighting]) -> Vec<&[CameraSighting]> {
    let mut parts = Vec::new();
    let (mut from, mut last) = (0, f64::MIN);
    for (at, one) in seen.iter().enumerate() {
        if at > from && (one.sighting.start > last + APART || at - from >= TOGETHER) {
            parts.extend(seen.get(from..at));
            from = at;
        }
        last = last.max(one.sighting.end);
    }
    parts.extend(seen.get(from..).filter(|part| !part.is_empty()));
    parts
}

fn fitting<'a>(
    query: &Description,
    seen: &'a [CameraSighting],
    least: f32,
) -> Vec<(&'a CameraSighting, Moment)> {
    let mut all = Vec::new();
    for part in stretches(seen) {
        let sightings: Vec<Sighting> = part.iter().map(|one| one.sighting.clone()).collect();
        all.extend(search(query, &sightings, least).into_iter().filter_map(|moment| {
            let best = |one: &&CameraSighting| {
                one.sighting.best.total_cmp(&moment.best).is_eq() && one.sighting.rect == moment.rect
            };
            part.iter().find(best).map(|one| (one, moment))
        }));
    }
    all
}

fn looking_like<'a>(
    like: &CameraSighting,
    seen: &'a [CameraSighting],
    least: f32,
) -> Vec<(&'a CameraSighting, Moment)> {
    let moment = |one: &Sighting, alike: Alike| Moment {
        start: one.start,
        end: one.end,
        best: one.best,
        rect: one.rect,
        score: alike.score,
        matched: alike
            .kind
            .then(|| one.kind.as_str().to_owned())
            .into_iter()
            .chain(alike.colours.iter().map(|colour| colour.as_str().to_owned()))
            .collect(),
        missed: (!alike.kind).then(|| like.sighting.kind.as_str().to_owned()).into_iter().collect(),
        untold: Vec::new(),
    };
    seen.iter()
        .filter(|one| one.id != like.id)
        .filter_map(|one| Some((one, alike(&like.sighting, &one.sighting)?)))
        .filter(|(_, alike)| alike.score >= least)
        .map(|(one, alike)| (one, moment(&one.sighting, alike)))
        .collect()
}

fn moment_of(granted: &Granted<FootageSearch>, one: &CameraSighting, moment: Moment) -> FootageMoment {
    let camera = granted.cameras.get(&one.camera);
    let time = |seconds: f64| Time::from_second(seconds.floor() as i64);
    FootageMoment {
        sighting: one.id.clone(),
        camera: one.camera.clone(),
        camera_name: camera.map(|camera| camera.name.clone()).unwrap_or_default(),
        position: camera.map(|camera| camera.position),
        agency: camera.map(|camera| camera.agency.clone()),
        kind: one.sighting.kind.as_str().to_owned(),
        start: time(moment.start),
        end: time(moment.end),
        best: time(moment.best),
        rect: moment.rect,
        score: (moment.score * 1_000.0).round() / 1_000.0,
        matched: moment.matched,
        missed: moment.missed,
        untold: moment.untold,
        model: format!("{} {}", one.model, one.version),
        picture: one.pictured,
    }
}

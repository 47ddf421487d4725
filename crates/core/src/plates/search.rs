//! Searching: an entry for each owner is durable before the first read is looked at.

use std::collections::{BTreeMap, BTreeSet};

use canvass_blind::Plate;
use canvass_plates::{
    Colour, Confidence, Cursor, DEFAULT_CONFIDENCE, Difference, Limits, Match, MatchLabel, PatternError,
    PlatePattern, PlateText, Read, ReadQuery, Token, VehicleType,
};
use canvass_policy::Method;
use canvass_types::{AgencyId, Area, AuditId, CameraId, Digest, Position, Purpose, Time, canonical};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    Found, MOST_CHARACTERS,
    approvals::Approved,
    question::few_cameras,
    scope::{Bearing, LeftOut, Scope, ScopeOfSearch, WhoseCameras},
};
use crate::{
    App, CoreError,
    access::{
        Action, Actor, Facts, Grant, Intent, PlateHistory, PlateSearch, SearchesCameras, SearchesPlates,
        Target,
    },
    asked::Named,
    cases::load::up_to,
    error::{accept, problem},
    ports::{Query, Records, RecordsExt, Versioned},
    records::{AuditBody, AuditRecord, Camera, Case},
};

/// Name of the record of how much a search found.
pub const RESULT: &str = "plate.result";
/// Reads of a page, unless asked for otherwise; and at most.
const PAGE: (u32, u32) = (50, 200);
/// Days that a search goes back, unless it says so.
pub(crate) const DAYS: i64 = 7;
/// Seconds into the future in which reads of clocks that are a little ahead lie.
pub(crate) const AHEAD: i64 = 300;
/// The form of a search by description.
pub(crate) const FOOTAGE: &str = "footage";
/// Most open cases of an agency that are looked through for a code.
const MOST_CASES: usize = 5_000;

/// A search of plate reads.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({
    "plate": "ABC 1234", "tolerant": true, "from": "2026-11-20T00:00:00Z", "confidence": 75
}))]
pub struct SearchPlates {
    /// The plate; `?` stands for one character and `*` for any number of them. Without it, name cameras or an area and at
    /// most 48 hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plate: Option<String>,
    /// Whether misreads count: characters that readers confuse, and one that is wrong, missing or too many.
    pub tolerant: bool,
    /// These cameras alone, at most 500. Without cameras and area: all of one's own agency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cameras: Option<Vec<CameraId>>,
    /// Only cameras inside this outline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub area: Option<Area>,
    /// Whose cameras, when none are named.
    pub whose: WhoseCameras,
    /// The first moment, by the cameras' clocks; 7 days before now when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Time>,
    /// The moment after the last; now when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// Least confidence in percent; 75 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<u8>,
    /// Kind of vehicle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vehicle: Option<VehicleType>,
    /// Colour of vehicle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub colour: Option<Colour>,
    /// Only reads that met a hotlist.
    pub hits_only: bool,
    /// Reads of a page, 1 to 200; 50 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next` of the page before, with everything else as it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// Where one plate was seen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({ "plate": "ABC 1234", "from": "2026-11-20T00:00:00Z" }))]
pub struct HistoryOfPlate {
    /// The plate, whole.
    pub plate: String,
    /// Whether misreads count.
    pub tolerant: bool,
    /// These cameras alone, at most 500. Without cameras and area: all of one's own agency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cameras: Option<Vec<CameraId>>,
    /// Only cameras inside this outline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub area: Option<Area>,
    /// Whose cameras, when none are named.
    pub whose: WhoseCameras,
    /// The first moment; 7 days before now when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Time>,
    /// The moment after the last; now when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// Least confidence in percent; 75 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<u8>,
    /// Only reads that met a hotlist.
    pub hits_only: bool,
    /// Reads of a page, 1 to 200; 50 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `next` of the page before, with everything else as it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

impl HistoryOfPlate {
    /// The search that it is, of one plate.
    pub(super) fn as_search(&self) -> Result<SearchPlates, CoreError> {
        if self.plate.contains(['?', '*', '？', '＊']) {
            let remedy = "write the whole plate, or search for the part";
            return Err(CoreError::field("plate", "whole", "a history is of one plate", remedy));
        }
        let wish = self.clone();
        Ok(SearchPlates {
            plate: Some(wish.plate),
            tolerant: wish.tolerant,
            cameras: wish.cameras,
            area: wish.area,
            whose: wish.whose,
            from: wish.from,
            until: wish.until,
            confidence: wish.confidence,
            vehicle: None,
            colour: None,
            hits_only: wish.hits_only,
            limit: wish.limit,
            after: wish.after,
        })
    }
}

/// Leave to search once, with the entries that it left: there is no other way to stored reads.
#[derive(Debug)]
pub struct Granted<A> {
    grants: Vec<Grant<A>>,
    queries: Vec<ReadQuery>,
    limit: usize,
    pub(crate) first: AuditId,
    pub(crate) actor: Actor,
    owners: Vec<SearchedOwner>,
    left_out: Vec<LeftOut>,
    pub(crate) cameras: BTreeMap<CameraId, Camera>,
    /// Of each place that was asked for the cameras that may be looked at.
    pub(super) wishes: Vec<BTreeSet<CameraId>>,
    /// Cameras of which only hits may be looked at, and those of which all reads may.
    pub(crate) sets: BTreeMap<bool, BTreeSet<CameraId>>,
}

impl<A> Granted<A> {
    pub(super) fn queries(&self) -> &[ReadQuery] {
        &self.queries
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// Owners whose cameras are searched, and those who were left out.
    pub(crate) fn owners(&self) -> (Vec<SearchedOwner>, Vec<LeftOut>) {
        (self.owners.clone(), self.left_out.clone())
    }

    /// The entries that it left.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &AuditBody> {
        self.grants.iter().map(Grant::record)
    }

    /// A match with what is known of its camera.
    pub(super) fn found(&self, mut found: Match) -> FoundRead {
        let camera = self.cameras.get(&found.read.camera);
        FoundRead {
            // The store's own name for it is of no use to anybody else.
            picture: found.read.picture.take().is_some(),
            camera_name: camera.map(|camera| camera.name.clone()).unwrap_or_default(),
            position: camera.map(|camera| camera.position),
            agency: camera.map(|camera| camera.agency.clone()),
            read: found.read,
            label: found.label,
            differences: found.differences,
        }
    }
}

/// An owner whose cameras were searched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SearchedOwner {
    /// The owner.
    pub agency: AgencyId,
    /// Its name.
    pub name: String,
    /// How many of its cameras.
    pub cameras: u32,
    /// Whether its law let only hits be searched, or only they were asked for.
    pub hits_only: bool,
    /// The entry that the search left with it.
    pub entry: AuditId,
}

/// A read that was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FoundRead {
    /// The read.
    pub read: Read,
    /// How near it is to what was asked.
    pub label: MatchLabel,
    /// Where it differs.
    pub differences: Vec<Difference>,
    /// Name of the camera.
    pub camera_name: String,
    /// Where the camera stands: longitude, latitude.
    #[schema(value_type = Option<Vec<f64>>, min_items = 2, max_items = 2)]
    pub position: Option<Position>,
    /// Whose camera it is.
    pub agency: Option<AgencyId>,
    /// Whether it has a picture: `/plates/pictures/{entry}/{read}`, with the entry of the first owner searched, for a quarter of
    /// an hour.
    pub picture: bool,
}

/// What a search found. A match is no cause for anything by itself: compare plate and picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PlatesFound {
    /// Reads, newest first.
    pub matches: Vec<FoundRead>,
    /// Give this as `after` for the following page, which leaves an entry too; null at the end.
    pub next: Option<String>,
    /// The search's first entry: by it what was found can be kept in the case.
    pub search: AuditId,
    /// Owners whose cameras were searched.
    pub searched: Vec<SearchedOwner>,
    /// Owners whose cameras were asked for and not searched.
    pub left_out: Vec<LeftOut>,
}

/// A search, checked.
pub(crate) struct Asked {
    pub pattern: Option<PlatePattern>,
    /// The plate or pattern as the records have it; what is searched when there is none.
    pub subject: String,
    pub named: Option<Plate>,
    pub method: Method,
    /// What kind of question it is, for the record.
    pub form: &'static str,
    pub from: Time,
    pub until: Time,
    pub confidence: Confidence,
    pub vehicle: Option<VehicleType>,
    pub colour: Option<Colour>,
    pub hits_only: bool,
    pub limit: u32,
    /// The first entry of the search that it goes on with, and behind which read.
    pub after: Option<(AuditId, Option<Cursor>)>,
    pub digest: Digest,
    /// Where it looks: one place, or several.
    pub wishes: Vec<ScopeOfSearch>,
}

fn plate_problem(error: &PatternError) -> canvass_types::FieldProblem {
    let text = error.to_string();
    let (message, remedy) = text.split_once("; ").unwrap_or((&text, "write letters and digits"));
    problem("plate", "plate", message.rsplit_once(": ").map_or(message, |(_, rest)| rest), remedy)
}

/// The pattern in the one form that records have.
fn pattern_text(pattern: &PlatePattern) -> String {
    match pattern {
        PlatePattern::Exact(plate) | PlatePattern::Tolerant(plate) => plate.as_str().to_owned(),
        PlatePattern::Wildcard(wildcard) => {
            let sign = |token: &Token| match token {
                Token::Character(byte) => char::from(*byte),
                Token::One => '?',
                Token::Run => '*',
            };
            wildcard.tokens().iter().map(sign).collect()
        }
    }
}

fn digest_of(wish: &SearchPlates) -> Digest {
    let same = SearchPlates { limit: None, after: None, ..wish.clone() };
    // A plain struct: its canonical JSON can always be written.
    Digest::of(&canonical(&same).unwrap_or_default())
}

impl SearchPlates {
    fn scope(&self) -> ScopeOfSearch {
        ScopeOfSearch {
            cameras: self.cameras.clone(),
            area: self.area.clone(),
            whose: self.whose,
            footage: false,
        }
    }

    /// What is searched for; none where no plate is named.
    fn pattern(&self) -> Result<Option<PlatePattern>, PatternError> {
        let limits = Limits::default();
        let read = |text: &str| {
            if self.tolerant && !text.contains(['?', '*']) {
                PlatePattern::tolerant(text, &limits)
            } else {
                PlatePattern::parse(text, &limits)
            }
        };
        self.plate.as_deref().map(str::trim).map(read).transpose()
    }

    /// The same page of the same search, whatever is on it by now.
    pub(super) fn digest(&self) -> Digest {
        digest_of(self)
    }

    pub(super) fn check(&self, now: Time) -> Result<Asked, CoreError> {
        let mut problems = Vec::new();
        let pattern = self.pattern().unwrap_or_else(|error| {
            problems.push(plate_problem(&error));
            None
        });
        let whole = match &pattern {
            Some(PlatePattern::Exact(plate) | PlatePattern::Tolerant(plate)) => Some(*plate),
            _ => None,
        };
        if whole.is_some_and(|plate: PlateText| plate.characters() > MOST_CHARACTERS) {
            let message = format!("no plate has more than {MOST_CHARACTERS} letters and digits");
            problems.push(problem("plate", "length", &message, "write the plate's number alone"));
        }
        let named = whole.and_then(|plate| Plate::read(plate.as_str()).ok());
        let until = self.until.unwrap_or_else(|| now.plus_seconds(AHEAD));
        let from = self.from.unwrap_or_else(|| now.plus_seconds(-DAYS * 86_400));
        if from >= until {
            problems.push(problem(
                "from",
                "order",
                "the window ends before it begins",
                "swap from and until",
            ));
        }
        let confidence = Confidence::try_from(self.confidence.unwrap_or(DEFAULT_CONFIDENCE));
        if confidence.is_err() {
            problems.push(problem(
                "confidence",
                "range",
                "a confidence is 0 to 100",
                "give percents, 0 to 100",
            ));
        }
        let limit = self.limit.unwrap_or(PAGE.0);
        if !(1..=PAGE.1).contains(&limit) {
            let message = format!("a page has 1 to {} reads", PAGE.1);
            problems.push(problem("limit", "range", &message, "ask for the next page with `after`"));
        }
        let narrow = self.cameras.is_some() || self.area.is_some();
        if self.plate.is_none() && (!narrow || until.as_second() - from.as_second() > 48 * 3_600) {
            problems.push(problem(
                "plate",
                "wide",
                "without a plate a search would look at everybody",
                "write a plate or a part of one, or name cameras or an area and at most 48 hours",
            ));
        }
        let parts = |text: &str| {
            text.split_once('.').and_then(|(id, at)| Some((id.parse().ok()?, Some(at.parse().ok()?))))
        };
        let after = self.after.as_deref().and_then(parts);
        if self.after.is_some() && after.is_none() {
            let message = "this is no `next` of a page";
            problems.push(problem("after", "form", message, "begin again without it"));
        }
        let method = match &pattern {
            None => Method::Vehicle,
            Some(PlatePattern::Wildcard(_)) => Method::Partial,
            Some(_) => Method::Plate,
        };
        accept(problems)?;
        Ok(Asked {
            subject: pattern.as_ref().map_or_else(|| "cameras".to_owned(), pattern_text),
            form: form_of(pattern.as_ref()),
            pattern,
            named,
            method,
            from,
            until,
            confidence: confidence.unwrap_or(Confidence::FULL),
            vehicle: self.vehicle,
            colour: self.colour,
            hits_only: self.hits_only,
            limit,
            after,
            digest: self.digest(),
            wishes: vec![self.scope()],
        })
    }
}

fn form_of(pattern: Option<&PlatePattern>) -> &'static str {
    match pattern {
        None => "none",
        Some(PlatePattern::Exact(_)) => "exact",
        Some(PlatePattern::Wildcard(_)) => "pattern",
        Some(PlatePattern::Tolerant(_)) => "tolerant",
    }
}

impl Asked {
    pub(super) fn days(&self, now: Time) -> u32 {
        let back = now.as_second().saturating_sub(self.from.as_second()).max(1);
        u32::try_from((back + 86_399) / 86_400).unwrap_or(u32::MAX)
    }

    /// What bears on it of every owner alike.
    pub(super) fn bearing(&self, now: Time, case: Option<&Case>, approvals: u32) -> Bearing<'_> {
        let facts = Facts {
            case_open: case.is_some(),
            days: self.days(now),
            method: self.method,
            hits_only: self.hits_only,
            approvals,
            ..Facts::default()
        };
        let case = case.map(|case| case.id.clone());
        // What is written of a plate or a person stands in the ledger as a pseudonym.
        let veiled = self.pattern.is_some() || self.form == FOOTAGE;
        Bearing { subject: &self.subject, veiled, facts, case }
    }

    fn query(&self, cameras: BTreeSet<CameraId>, hits_only: bool) -> ReadQuery {
        ReadQuery {
            pattern: self.pattern.clone(),
            cameras: Some(cameras),
            from: self.from,
            until: self.until,
            confidence: self.confidence,
            vehicle: self.vehicle,
            colour: self.colour,
            hits_only,
            limit: self.limit as usize,
            cursor: self.after.as_ref().and_then(|(_, cursor)| *cursor),
        }
    }
}

impl<R: Records> App<R> {
    /// Asks for leave to search plates: the gate decides for each owner of a camera in scope, and an entry is durable with
    /// each when this returns.
    ///
    /// # Errors
    /// When the actor may not under one owner's law, the purpose says too little, a field is wrong, or there is no key of
    /// the private check of plate owners.
    pub async fn search_plates(
        &self,
        actor: &Actor,
        purpose: &Purpose,
        wish: &SearchPlates,
    ) -> Result<Granted<PlateSearch>, CoreError> {
        self.grant_search(actor, purpose, wish).await
    }

    /// Asks for leave to see where one plate was.
    ///
    /// # Errors
    /// As [`App::search_plates`]; when the plate is not whole.
    pub async fn plate_history(
        &self,
        actor: &Actor,
        purpose: &Purpose,
        wish: &HistoryOfPlate,
    ) -> Result<Granted<PlateHistory>, CoreError> {
        self.grant_search(actor, purpose, &wish.as_search()?).await
    }

    async fn grant_search<A: SearchesPlates>(
        &self,
        actor: &Actor,
        purpose: &Purpose,
        wish: &SearchPlates,
    ) -> Result<Granted<A>, CoreError> {
        // Who may not at all is told so, and what is wrong with the fields only to who may.
        self.may_search::<A>(actor).await?;
        self.grant(actor, purpose, &wish.check(self.now())?, None).await
    }

    /// Leave to look for what is asked, with an entry at each owner; under an approval, if there is one.
    pub(crate) async fn grant<A: SearchesCameras>(
        &self,
        actor: &Actor,
        purpose: &Purpose,
        asked: &Asked,
        under: Option<&Approved>,
    ) -> Result<Granted<A>, CoreError> {
        let own = actor.agency.clone().ok_or(CoreError::Hidden("agency"))?;
        let case = self.case_worked_on(actor, &own, purpose).await?;
        let bearing = asked.bearing(self.now(), case.as_ref(), u32::from(under.is_some()));
        let first = self.continued::<A>(actor, asked).await?;
        let scope = self.scope_of::<A>(actor, &own, &asked.wishes, &bearing, purpose).await?;
        if asked.form == "convoy" {
            few_cameras(&scope.cameras.keys().cloned().collect())?;
        }
        let intents = self.intents::<A>((actor, purpose), asked, &scope, first.as_ref(), under).await?;
        self.entered(actor, asked, scope, intents, first).await
    }

    /// Refuses, with an entry, whoever has no role for it.
    pub(crate) async fn may_search<A: Action>(&self, actor: &Actor) -> Result<(), CoreError> {
        use crate::access::Denied;
        let own = actor.agency.clone().ok_or(CoreError::Hidden("agency"))?;
        match self.gate().check_at::<A>(actor, &Target::of(&own, "plates"), self.now()) {
            Err(Denied::Role { .. } | Denied::Hidden) => {
                self.allow::<A>(actor, Target::of(&own, "plates"), None).await.map(|_| ())
            }
            _ => Ok(()),
        }
    }

    /// The open case that a purpose names, if the actor works on it: who opened it, who has it assigned, a supervisor.
    pub(crate) async fn case_worked_on(
        &self,
        actor: &Actor,
        own: &AgencyId,
        purpose: &Purpose,
    ) -> Result<Option<Case>, CoreError> {
        let Some(named) = purpose.case.as_deref().map(str::trim).filter(|named| !named.is_empty()) else {
            return Ok(None);
        };
        let open = Query::<Case>::new().with("agency", own).with("state", "open");
        let works = |case: &Case| {
            case.by == actor.member
                || case.annotations.assignee.as_ref() == Some(&actor.member)
                || actor.roles.contains(&canvass_types::Role::Supervisor)
        };
        let cases = up_to(self.records(), open, MOST_CASES).await?;
        let mut cases = cases.into_iter().map(|found| found.record);
        Ok(cases.find(|case| {
            let names = [Some(case.id.as_str()), case.code.as_deref(), Some(case.title.as_str())];
            names.contains(&Some(named)) && works(case)
        }))
    }

    /// The first entry of the search that a page belongs to, after checking that it is the same search of the same member.
    async fn continued<A: Action>(&self, actor: &Actor, asked: &Asked) -> Result<Option<AuditId>, CoreError> {
        let Some((id, _)) = &asked.after else { return Ok(None) };
        let found: Option<Versioned<AuditRecord>> = self.records().get(id.as_str()).await?;
        let same = found.is_some_and(|found| {
            let body = &found.record.body;
            body.action == A::NAME
                && body.actor.as_ref() == Some(&actor.member)
                && body.detail.get("query").and_then(|it| it.as_str())
                    == Some(asked.digest.to_string().as_str())
        });
        if same {
            return Ok(Some(id.clone()));
        }
        let remedy = "send `after` with the very search that gave it, or begin again without it";
        Err(CoreError::field("after", "other", "this page is of another search", remedy))
    }

    async fn intents<A: SearchesCameras>(
        &self,
        (actor, purpose): (&Actor, &Purpose),
        asked: &Asked,
        scope: &Scope,
        first: Option<&AuditId>,
        under: Option<&Approved>,
    ) -> Result<Vec<Intent<A>>, CoreError> {
        let count = |of: usize| u32::try_from(of).unwrap_or(u32::MAX);
        let (cameras, agencies) = (count(scope.cameras.len()), count(scope.owners()));
        let mut intents: Vec<Intent<A>> = Vec::with_capacity(scope.parts.len());
        for part in &scope.parts {
            let mut target = part.target.clone();
            (target.facts.cameras, target.facts.agencies) = (cameras, agencies);
            let intent = self.allow::<A>(actor, target, Some(purpose)).await?;
            let search = first.cloned().or_else(|| intents.first().map(|one| one.record().id.clone()));
            let search = search.unwrap_or_else(|| intent.record().id.clone());
            let mut detail = json!({
                "search": search, "continues": first.is_some(), "query": asked.digest, "form": asked.form,
                "from": asked.from, "until": asked.until, "confidence": asked.confidence.percent(),
                "cameras": part.cameras.len(), "all_cameras": cameras, "agencies": agencies,
                "hits_only": part.hits_only,
            });
            if let (Some(fields), Some(under)) = (detail.as_object_mut(), under) {
                fields.insert("approval".into(), json!(under.id()));
                fields.insert("approved_by".into(), json!(under.by()));
            }
            let intent = intent.detail(detail);
            // What was decided on the approval must still be so when the entry is made.
            intents.push(match under {
                Some(under) => intent.with(|changes| under.guard(changes)),
                None => intent,
            });
        }
        // Whose plate was named learns of one search, however many pages and owners it has.
        if let Some(plate) = asked.named.clone().filter(|_| first.is_none())
            && !intents.is_empty()
        {
            let intent = intents.remove(0);
            let plates = [plate];
            let named = Named { plates: &plates, cameras: cameras.into() };
            intents.insert(0, self.mark_asked(intent, &named).await?);
        }
        Ok(intents)
    }

    /// Commits every entry, then gives leave.
    async fn entered<A: SearchesCameras>(
        &self,
        actor: &Actor,
        asked: &Asked,
        scope: Scope,
        intents: Vec<Intent<A>>,
        first: Option<AuditId>,
    ) -> Result<Granted<A>, CoreError> {
        let (mut grants, mut owners) = (Vec::with_capacity(intents.len()), Vec::new());
        let mut sets: BTreeMap<bool, BTreeSet<CameraId>> = BTreeMap::new();
        for (intent, part) in intents.into_iter().zip(scope.parts) {
            let grant = intent.commit(self.records()).await?;
            owners.push(SearchedOwner {
                agency: part.owner,
                name: part.name,
                cameras: u32::try_from(part.cameras.len()).unwrap_or(u32::MAX),
                hits_only: part.hits_only,
                entry: grant.record().id.clone(),
            });
            grants.push(grant);
            sets.entry(part.hits_only).or_default().extend(part.cameras);
        }
        let begun = grants.first().map(|grant: &Grant<A>| grant.record().id.clone());
        let first = first.or(begun).ok_or_else(|| {
            CoreError::state(
                "no owner of these cameras lets them be searched",
                "read `left_out`, or name others",
            )
        })?;
        let queries =
            sets.iter().map(|(hits_only, cameras)| asked.query(cameras.clone(), *hits_only)).collect();
        Ok(Granted {
            grants,
            queries,
            limit: asked.limit as usize,
            first,
            actor: actor.clone(),
            owners,
            left_out: scope.left_out,
            cameras: scope.cameras,
            wishes: scope.wishes,
            sets,
        })
    }

    /// What was found, for people; and the record of how much it was, by which searches that find nothing show.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn plates_found<A: SearchesPlates>(&self, found: Found<A>) -> Result<PlatesFound, CoreError> {
        let Found { granted, page } = found;
        self.note_result(&granted, page.matches.len()).await?;
        self.note_pictures(&granted, page.matches.iter().map(|found| &found.read));
        let (searched, left_out) = granted.owners();
        Ok(PlatesFound {
            next: page.next.map(|cursor| format!("{}.{cursor}", granted.first)),
            matches: page.matches.into_iter().map(|found| granted.found(found)).collect(),
            search: granted.first.clone(),
            searched,
            left_out,
        })
    }

    /// Lets who searched see the pictures of these reads for a while.
    pub(super) fn note_pictures<'a, A>(
        &self,
        granted: &Granted<A>,
        reads: impl Iterator<Item = &'a canvass_plates::Read>,
    ) {
        let pictured = reads.filter(|read| read.picture.is_some()).map(|read| read.id).collect();
        if let Some(owner) = granted.owners.first() {
            self.shown().note(&owner.entry, &granted.actor.member, pictured, self.now());
        }
    }

    /// Puts on record how much a search found.
    pub(crate) async fn note_result<A: SearchesCameras>(
        &self,
        granted: &Granted<A>,
        hits: usize,
    ) -> Result<(), CoreError> {
        let Some(grant) = granted.grants.first() else { return Ok(()) };
        let body = grant.record();
        let mut target = Target::maybe(body.agency.as_ref(), &body.subject);
        target.case.clone_from(&body.case);
        let intent = self.gate().result(RESULT, &granted.actor, target, self.now(), self.entropy());
        intent.detail(json!({ "search": granted.first, "hits": hits })).commit(self.records()).await?;
        Ok(())
    }
}

/// How much each search found, by the id of its first entry, from records of [`RESULT`].
#[must_use]
pub fn hits_of_results<'a>(bodies: impl IntoIterator<Item = &'a AuditBody>) -> BTreeMap<String, u64> {
    let mut hits: BTreeMap<String, u64> = BTreeMap::new();
    for body in bodies.into_iter().filter(|body| body.action == RESULT) {
        let search = body.detail.get("search").and_then(|it| it.as_str());
        let found = body.detail.get("hits").and_then(serde_json::Value::as_u64);
        if let Some((search, found)) = search.zip(found) {
            *hits.entry(search.to_owned()).or_default() += found;
        }
    }
    hits
}

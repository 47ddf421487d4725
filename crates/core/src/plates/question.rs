//! What can be asked of stored reads with a second person's approval, checked.

use std::{borrow::Cow, collections::BTreeSet};

use canvass_plates::{Colour, Confidence, DEFAULT_CONFIDENCE, PlatePattern, VehicleType};
use canvass_policy::Method;
use canvass_types::{Area, CameraId, Digest, Time, canonical};
use serde::{Deserialize, Serialize};
use utoipa::{
    ToSchema,
    openapi::{ObjectBuilder, OneOfBuilder, RefOr, Schema, schema::Type},
};

use super::{
    HistoryOfPlate, SearchPlates, WhoseCameras,
    scope::ScopeOfSearch,
    search::{AHEAD, Asked, DAYS},
};
use crate::{
    CoreError,
    error::{accept, check_text, problem},
    footage::SearchFootage,
};

/// Seconds between two plates at a camera, at least and at most, and when not given.
const WITHIN: (u32, u32, u32) = (10, 900, 120);
/// Cameras at which another plate must have passed, at least and at most.
const LEAST_CAMERAS: (u32, u32) = (2, 20);
/// Most days of a search for company.
const CONVOY_DAYS: i64 = 31;
/// Most cameras that a search for company goes through.
pub(super) const CONVOY_CAMERAS: usize = 200;
/// Plates of an answer when no number is asked for, and at most.
const PLATES: (u32, u32) = (20, 50);
/// Places of a search for several places.
const PLACES: std::ops::RangeInclusive<usize> = 2..=5;
/// Most hours of one place.
const PLACE_HOURS: i64 = 48;
/// Most characters of a place's name.
const PLACE_NAME: std::ops::RangeInclusive<usize> = 1..=60;

/// Which plates travelled with one: passed the same cameras shortly before or after it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({
    "plate": "ABC 1234", "from": "2026-11-20T00:00:00Z", "until": "2026-11-24T00:00:00Z", "within": 120
}))]
pub struct SearchConvoy {
    /// The plate, whole.
    pub plate: String,
    /// Whether misreads of it count, each labelled. Other plates are taken as they were read.
    pub tolerant: bool,
    /// These cameras alone, at most 200. Without cameras and area: all of one's own agency.
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
    /// The moment after the last; now when left out. At most 31 days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// Seconds before or after the plate, 10 to 900; 120 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<u32>,
    /// At how many different cameras at least, 2 to 20; 2 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least_cameras: Option<u32>,
    /// Least confidence in percent; 75 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<u8>,
    /// Only reads that met a hotlist.
    pub hits_only: bool,
    /// Plates of the answer, 1 to 50; 20 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A place at a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceAsked {
    /// What people call it, at most 60 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// These cameras.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cameras: Option<Vec<CameraId>>,
    /// Cameras inside this outline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<Area>,
    /// The first moment.
    pub from: Time,
    /// The moment after the last, at most 48 hours later.
    pub until: Time,
}

/// Which plates were at several places.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({ "places": [
    { "name": "Pharmacy", "cameras": ["cam_aaaaaaaaaaaaaaaaaaaaaaaaaa"], "from": "2026-11-20T20:00:00Z", "until": "2026-11-20T21:00:00Z" },
    { "name": "Gas station", "cameras": ["cam_bbbbbbbbbbbbbbbbbbbbbbbbba"], "from": "2026-11-22T20:00:00Z", "until": "2026-11-22T21:00:00Z" }
] }))]
pub struct SearchPlaces {
    /// The places, 2 to 5.
    pub places: Vec<PlaceAsked>,
    /// At how many of them at least; at all of them when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least: Option<u32>,
    /// Whose cameras, where a place names none.
    pub whose: WhoseCameras,
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
    /// Plates of the answer, 1 to 50; 20 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// What is asked of stored reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Question {
    /// Reads by plate, camera and time.
    Search(SearchPlates),
    /// Where one plate was.
    History(HistoryOfPlate),
    /// Which plates travelled with one.
    Convoy(SearchConvoy),
    /// Which plates were at several places.
    Places(SearchPlaces),
    /// Who and what cameras and evidence show, by description.
    Footage(SearchFootage),
}

/// Each form with its `kind` inside: as two schemas beside each other, the one would forbid what the other asks for.
impl utoipa::PartialSchema for Question {
    fn schema() -> RefOr<Schema> {
        let forms = [
            ("search", SearchPlates::schema()),
            ("history", HistoryOfPlate::schema()),
            ("convoy", SearchConvoy::schema()),
            ("places", SearchPlaces::schema()),
            ("footage", SearchFootage::schema()),
        ];
        let mut all = OneOfBuilder::new().description(Some("What is asked of stored reads."));
        for (kind, form) in forms {
            let RefOr::T(Schema::Object(mut form)) = form else { continue };
            let word = ObjectBuilder::new().schema_type(Type::String).enum_values(Some([kind]));
            form.properties.insert("kind".to_owned(), word.into());
            form.required.push("kind".to_owned());
            // An example of the form alone lacks the kind.
            (form.example, form.examples) = (None, Vec::new());
            all = all.item(form);
        }
        all.into()
    }
}

impl ToSchema for Question {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("PlateQuestion")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        SearchPlates::schemas(schemas);
        HistoryOfPlate::schemas(schemas);
        SearchConvoy::schemas(schemas);
        SearchPlaces::schemas(schemas);
        SearchFootage::schemas(schemas);
    }
}

/// What kind of question it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum QuestionKind {
    /// Reads by plate, camera and time.
    Search,
    /// Where one plate was.
    History,
    /// Which plates travelled with one.
    Convoy,
    /// Which plates were at several places.
    Places,
    /// Who and what cameras and evidence show, by description.
    Footage,
}

/// What a search for company looks for, besides its scope.
#[derive(Debug, Clone, Copy)]
pub(super) struct ConvoyTerms {
    pub within: i64,
    pub least: usize,
    pub limit: usize,
}

/// What a search for several places looks for, besides its scope.
#[derive(Debug, Clone)]
pub(super) struct PlacesTerms {
    pub places: Vec<PlaceAsked>,
    pub least: usize,
    pub limit: usize,
}

impl Question {
    /// What kind it is.
    #[must_use]
    pub fn kind(&self) -> QuestionKind {
        match self {
            Self::Search(_) => QuestionKind::Search,
            Self::History(_) => QuestionKind::History,
            Self::Convoy(_) => QuestionKind::Convoy,
            Self::Places(_) => QuestionKind::Places,
            Self::Footage(_) => QuestionKind::Footage,
        }
    }

    /// SHA-256 of its canonical JSON.
    #[must_use]
    pub fn digest(&self) -> Digest {
        // A plain struct: its canonical JSON can always be written.
        Digest::of(&canonical(self).unwrap_or_default())
    }

    /// The same with fixed moments, and from its first page on: what somebody else approves can't move.
    #[must_use]
    pub(super) fn fixed(&self, now: Time) -> Self {
        let from = |given: Option<Time>| Some(given.unwrap_or_else(|| now.plus_seconds(-DAYS * 86_400)));
        let until = |given: Option<Time>| Some(given.unwrap_or_else(|| now.plus_seconds(AHEAD)));
        match self.clone() {
            Self::Search(wish) => Self::Search(SearchPlates {
                from: from(wish.from),
                until: until(wish.until),
                after: None,
                ..wish
            }),
            Self::History(wish) => Self::History(HistoryOfPlate {
                from: from(wish.from),
                until: until(wish.until),
                after: None,
                ..wish
            }),
            Self::Convoy(wish) => {
                Self::Convoy(SearchConvoy { from: from(wish.from), until: until(wish.until), ..wish })
            }
            places @ Self::Places(_) => places,
            Self::Footage(wish) => {
                Self::Footage(SearchFootage { from: from(wish.from), until: until(wish.until), ..wish })
            }
        }
    }

    /// What it asks, checked.
    pub(super) fn check(&self, now: Time) -> Result<Asked, CoreError> {
        match self {
            Self::Search(wish) => wish.check(now),
            Self::History(wish) => wish.as_search()?.check(now),
            Self::Convoy(wish) => wish.check(now).map(|(asked, _)| asked),
            Self::Places(wish) => wish.check().map(|(asked, _)| asked),
            Self::Footage(wish) => wish.check(now).map(|(asked, _)| asked),
        }
    }
}

/// A number within limits, or what is wrong with it.
fn within(
    problems: &mut Vec<canvass_types::FieldProblem>,
    field: &str,
    given: Option<u32>,
    (least, most, usual): (u32, u32, u32),
) -> u32 {
    let number = given.unwrap_or(usual);
    if !(least..=most).contains(&number) {
        let message = format!("it is {number}, and may be {least} to {most}");
        problems.push(problem(field, "range", &message, "take a number within these limits"));
    }
    number
}

impl SearchConvoy {
    pub(super) fn check(&self, now: Time) -> Result<(Asked, ConvoyTerms), CoreError> {
        let mut problems = Vec::new();
        let seconds = within(&mut problems, "within", self.within, WITHIN);
        let (least, most) = LEAST_CAMERAS;
        let cameras = within(&mut problems, "least_cameras", self.least_cameras, (least, most, least));
        let limit = within(&mut problems, "limit", self.limit, (1, PLATES.1, PLATES.0));
        let history = HistoryOfPlate {
            plate: self.plate.clone(),
            tolerant: self.tolerant,
            cameras: self.cameras.clone(),
            area: self.area.clone(),
            whose: self.whose,
            from: self.from,
            until: self.until,
            confidence: self.confidence,
            hits_only: self.hits_only,
            limit: None,
            after: None,
        };
        let mut asked = history.as_search()?.check(now)?;
        let long = asked.until.as_second().saturating_sub(asked.from.as_second());
        if long > CONVOY_DAYS * 86_400 + AHEAD {
            let message = format!("the window is longer than {CONVOY_DAYS} days");
            problems.push(problem("from", "window", &message, "ask for a part of it, and then for the next"));
        }
        accept(problems)?;
        asked.form = "convoy";
        asked.digest = Question::Convoy(self.clone()).digest();
        let terms = ConvoyTerms { within: seconds.into(), least: cameras as usize, limit: limit as usize };
        Ok((asked, terms))
    }
}

impl PlaceAsked {
    fn check(&self, at: usize, problems: &mut Vec<canvass_types::FieldProblem>) {
        let field = |name: &str| format!("places.{at}.{name}");
        if let Some(name) = &self.name {
            check_text(problems, &field("name"), name, PLACE_NAME);
        }
        if self.cameras.is_none() && self.area.is_none() {
            let message = "it names no camera and no area";
            problems.push(problem(&field("cameras"), "missing", message, "name cameras, or draw an area"));
        }
        let long = self.until.as_second().saturating_sub(self.from.as_second());
        if !(1..=PLACE_HOURS * 3_600).contains(&long) {
            let message = format!("its window is not between a second and {PLACE_HOURS} hours long");
            problems.push(problem(&field("from"), "window", &message, "give `from`, and a later `until`"));
        }
    }
}

impl SearchPlaces {
    pub(super) fn check(&self) -> Result<(Asked, PlacesTerms), CoreError> {
        let mut problems = Vec::new();
        let count = self.places.len();
        if !PLACES.contains(&count) {
            let message =
                format!("there are {count} places, and may be {} to {}", PLACES.start(), PLACES.end());
            problems.push(problem("places", "count", &message, "name as many places"));
        }
        for (at, place) in self.places.iter().enumerate().take(*PLACES.end()) {
            place.check(at, &mut problems);
        }
        let all = u32::try_from(count.clamp(*PLACES.start(), *PLACES.end())).unwrap_or(2);
        let least = within(&mut problems, "least", self.least, (2, all, all));
        let limit = within(&mut problems, "limit", self.limit, (1, PLATES.1, PLATES.0));
        let confidence = Confidence::try_from(self.confidence.unwrap_or(DEFAULT_CONFIDENCE));
        if confidence.is_err() {
            let message = "a confidence is 0 to 100";
            problems.push(problem("confidence", "range", message, "give percents, 0 to 100"));
        }
        accept(problems)?;
        let zero = Time::from_second(0);
        let wish = |place: &PlaceAsked| ScopeOfSearch {
            cameras: place.cameras.clone(),
            area: place.area.clone(),
            whose: self.whose,
            footage: false,
        };
        let asked = Asked {
            pattern: None,
            subject: "places".to_owned(),
            named: None,
            method: Method::Vehicle,
            form: "places",
            from: self.places.iter().map(|place| place.from).min().unwrap_or(zero),
            until: self.places.iter().map(|place| place.until).max().unwrap_or(zero),
            confidence: confidence.unwrap_or(Confidence::FULL),
            vehicle: self.vehicle,
            colour: self.colour,
            hits_only: self.hits_only,
            limit,
            after: None,
            digest: Question::Places(self.clone()).digest(),
            wishes: self.places.iter().map(wish).collect(),
        };
        let terms = PlacesTerms { places: self.places.clone(), least: least as usize, limit: limit as usize };
        Ok((asked, terms))
    }
}

/// Refuses more cameras than a search for company goes through.
pub(super) fn few_cameras(cameras: &BTreeSet<CameraId>) -> Result<(), CoreError> {
    if cameras.len() <= CONVOY_CAMERAS {
        return Ok(());
    }
    let message =
        format!("{} cameras are in scope, and a search for company takes {CONVOY_CAMERAS}", cameras.len());
    Err(CoreError::field("cameras", "most", &message, "name cameras, or an area"))
}

/// Whether a plate may be a misread of one that was asked for.
pub(super) fn perhaps_same(asked: &PlatePattern, plate: &canvass_plates::PlateText) -> bool {
    let (PlatePattern::Exact(asked) | PlatePattern::Tolerant(asked)) = asked else { return false };
    let tolerant = PlatePattern::Tolerant(*asked);
    canvass_plates::compare(&tolerant, plate, canvass_plates::confusables::standard()).is_some()
}

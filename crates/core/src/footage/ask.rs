//! What is asked of footage: a description or a vehicle that was found before, checked, and held against what may not be
//! searched for.

use canvass_footage::{Kind, Query, What};
use canvass_plates::Confidence;
use canvass_policy::Method;
use canvass_types::{Area, CameraId, Digest, Purpose, SightingId, Time, canonical, commitment::commitment};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::rules::data;
use crate::{
    App, CoreError,
    access::{Actor, Target},
    error::{accept, check_text, problem},
    plates::{AHEAD, Asked, DAYS, FOOTAGE, ScopeOfSearch, WhoseCameras},
    ports::Records,
};

/// Name of the entry that a description was refused for what it asks.
pub const FOOTAGE_REFUSED: &str = "footage.refused";
/// Lengths of a description, in characters.
const TEXT: std::ops::RangeInclusive<usize> = 3..=300;
/// Moments of an answer, unless asked for otherwise; and at most.
const MOMENTS: (u32, u32) = (50, 200);
/// How well a moment fits at least, in percent, unless asked for otherwise.
const LEAST: u8 = 60;

/// A search of footage: in words, or for vehicles like one that was found before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({ "text": "red car", "from": "2026-11-20T00:00:00Z", "whose": "shared" }))]
pub struct SearchFootage {
    /// The description, in English or Spanish, 3 to 300 characters. One that speaks of people takes a second person's approval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Instead of a description: a vehicle that a camera saw, of one of the cameras that are searched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub like: Option<SightingId>,
    /// These cameras alone, at most 500; an empty list for the case's evidence alone. Without cameras and area: all of one's own
    /// agency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cameras: Option<Vec<CameraId>>,
    /// Only cameras inside this outline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub area: Option<Area>,
    /// Whose cameras, when none are named.
    pub whose: WhoseCameras,
    /// The first moment, by the cameras' clocks; 7 days before now when left out. Evidence is searched whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Time>,
    /// The moment after the last; now when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// How well a moment fits at least, in percent; 60 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least: Option<u8>,
    /// Moments of the answer, 1 to 200; 50 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Whether the sealed sightings of the items of the purpose's case are named too, for who holds the key.
    pub evidence: bool,
}

impl Default for SearchFootage {
    fn default() -> Self {
        Self {
            text: None,
            like: None,
            cameras: None,
            area: None,
            whose: WhoseCameras::Own,
            from: None,
            until: None,
            least: None,
            limit: None,
            evidence: true,
        }
    }
}

/// What is looked for.
#[derive(Debug, Clone)]
pub(crate) enum Look {
    /// What a text asks for.
    Words(Query),
    /// Vehicles like this one.
    Like(SightingId),
}

/// What a search looks for, besides its scope.
#[derive(Debug, Clone)]
pub(crate) struct FootageTerms {
    pub look: Look,
    pub from: Time,
    pub until: Time,
    pub least: f32,
    pub limit: usize,
    pub evidence: bool,
}

/// What was understood of a description.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Understood {
    /// One for each person or vehicle in it, the one that is searched for first.
    pub clauses: Vec<UnderstoodClause>,
    /// Words that mean nothing here and were passed over.
    pub ignored: Vec<String>,
}

/// One person or vehicle of a description.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnderstoodClause {
    /// What it may be: `Person`, `Car` and so on; empty for anything.
    pub kinds: Vec<String>,
    /// The words that say so.
    pub words: Vec<String>,
    /// What else is asked of it.
    pub wants: Vec<UnderstoodWant>,
}

/// One thing that is asked of a person or vehicle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnderstoodWant {
    /// The words that ask for it.
    pub words: String,
    /// The colour that is looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colour: Option<String>,
    /// Where it is looked for: `Upper`, `Lower`, `Body`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<String>,
    /// One of these things with a person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<String>,
    /// Whether it is understood, but nothing that the models can tell: it neither helps nor hurts.
    pub untold: bool,
}

impl Understood {
    pub(super) fn of(query: &Query) -> Self {
        let names =
            |kinds: &[Kind]| -> Vec<String> { kinds.iter().map(|kind| kind.as_str().to_owned()).collect() };
        let want = |want: &canvass_footage::Want| {
            let mut told = UnderstoodWant {
                words: want.words.clone(),
                colour: None,
                parts: Vec::new(),
                with: Vec::new(),
                untold: matches!(want.what, What::Untold),
            };
            match &want.what {
                What::Colour { parts, colour } => {
                    told.colour = Some(colour.as_str().to_owned());
                    told.parts = parts.iter().map(|part| part.as_str().to_owned()).collect();
                }
                What::With(kinds) => told.with = names(kinds),
                What::Untold => {}
            }
            told
        };
        let clause = |clause: &canvass_footage::Clause| UnderstoodClause {
            kinds: names(&clause.kinds),
            words: clause.words.clone(),
            wants: clause.wants.iter().map(want).collect(),
        };
        Self { clauses: query.clauses.iter().map(clause).collect(), ignored: query.ignored.clone() }
    }
}

/// What kind of question it is for the policies: one that speaks of vehicles alone is about no person.
fn method(query: &Query) -> Method {
    let vehicle = |clause: &canvass_footage::Clause| {
        !clause.kinds.is_empty()
            && clause.kinds.iter().all(|kind| kind.is_vehicle() && *kind != Kind::Bicycle)
    };
    if query.clauses.iter().all(vehicle) { Method::Vehicle } else { Method::Description }
}

impl SearchFootage {
    fn look(
        &self,
        problems: &mut Vec<canvass_types::FieldProblem>,
    ) -> Result<Option<(Look, Method)>, CoreError> {
        let words = match (&self.text, &self.like) {
            (Some(text), None) => text,
            (None, Some(like)) => return Ok(Some((Look::Like(like.clone()), Method::LookAlike))),
            _ => {
                let message = "a search has a description, or a vehicle that others are to be like";
                problems.push(problem("text", "one", message, "give `text`, or `like`, and not both"));
                return Ok(None);
            }
        };
        check_text(problems, "text", words, TEXT);
        let query = data()?.1.query(words);
        if query.clauses.iter().all(|clause| clause.kinds.is_empty() && clause.wants.is_empty()) {
            let message = "nothing in this text is known here";
            let remedy =
                "describe a person or a vehicle, for example `woman in red jacket` or `coche blanco`";
            problems.push(problem("text", "unknown", message, remedy));
        }
        let method = method(&query);
        Ok(Some((Look::Words(query), method)))
    }

    /// Checks it.
    pub(crate) fn check(&self, now: Time) -> Result<(Asked, FootageTerms), CoreError> {
        let mut problems = Vec::new();
        let look = self.look(&mut problems)?;
        let until = self.until.unwrap_or_else(|| now.plus_seconds(AHEAD));
        let from = self.from.unwrap_or_else(|| now.plus_seconds(-DAYS * 86_400));
        if from >= until {
            let message = "the window ends before it begins";
            problems.push(problem("from", "order", message, "swap from and until"));
        }
        let least = self.least.unwrap_or(LEAST);
        if least > 100 {
            problems.push(problem("least", "range", "it is over 100", "give percents, 0 to 100"));
        }
        let limit = self.limit.unwrap_or(MOMENTS.0);
        if !(1..=MOMENTS.1).contains(&limit) {
            let message = format!("an answer has 1 to {} moments", MOMENTS.1);
            problems.push(problem("limit", "range", &message, "ask for fewer, or for a shorter window"));
        }
        accept(problems)?;
        let Some((look, method)) = look else { return Err(CoreError::Hidden("description")) };
        let subject = match (&self.text, &self.like) {
            (Some(text), _) => text.trim().to_owned(),
            (None, like) => like.as_ref().map(ToString::to_string).unwrap_or_default(),
        };
        let asked = Asked {
            pattern: None,
            subject,
            named: None,
            method,
            form: FOOTAGE,
            from,
            until,
            confidence: Confidence::FULL,
            vehicle: None,
            colour: None,
            hits_only: false,
            limit,
            after: None,
            // A plain struct: its canonical JSON can always be written.
            digest: Digest::of(&canonical(self).unwrap_or_default()),
            wishes: vec![ScopeOfSearch {
                cameras: self.cameras.clone(),
                area: self.area.clone(),
                whose: self.whose,
                footage: true,
            }],
        };
        let least = f32::from(least) / 100.0;
        let evidence = self.evidence;
        Ok((asked, FootageTerms { look, from, until, least, limit: limit as usize, evidence }))
    }
}

impl<R: Records> App<R> {
    /// Refuses a description of what may not be searched for. The refusal stands in the ledger with its rule and a salted
    /// commitment to the words, which are kept nowhere: they may name somebody.
    ///
    /// # Errors
    /// 422 in the words of the rule.
    pub(crate) async fn footage_allowed(
        &self,
        actor: &Actor,
        purpose: &Purpose,
        wish: &SearchFootage,
    ) -> Result<(), CoreError> {
        let Some(text) = &wish.text else { return Ok(()) };
        let Err(refusal) = data()?.0.check(text) else { return Ok(()) };
        let own = actor.agency.clone().ok_or(CoreError::Hidden("agency"))?;
        let case = self.case_worked_on(actor, &own, purpose).await?;
        let target = Target::of(&own, &refusal.rule).in_case(case.map(|case| case.id));
        let veil = self.veil(Some(actor), &target).await?;
        let (now, entropy) = (self.now(), self.entropy());
        let intent = self.gate().seen(FOOTAGE_REFUSED, actor, target, now, entropy).veiled(veil);
        let words = commitment(intent.raw_salt(), &json!({ "text": text }));
        intent.detail(json!({ "rule": refusal.rule, "text": words })).commit(self.records()).await?;
        let mut one = problem("text", &refusal.rule, &refusal.title, &refusal.reason);
        one.matched = Some(refusal.words);
        Err(CoreError::Invalid(vec![one]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Result<(Asked, FootageTerms), CoreError> {
        let wish = SearchFootage { text: Some(text.into()), ..SearchFootage::default() };
        wish.check(Time::from_second(1_000_000))
    }

    #[test]
    fn who_speaks_of_people_needs_a_second_person_and_who_speaks_of_vehicles_does_not() {
        for text in ["red car", "coche blanco", "grey pickup and white van"] {
            assert_eq!(asked(text).unwrap().0.method, Method::Vehicle, "{text}");
        }
        for text in ["man in blue shirt", "mujer con chaqueta roja", "red", "red car and woman with backpack"]
        {
            assert_eq!(asked(text).unwrap().0.method, Method::Description, "{text}");
        }
    }

    #[test]
    fn what_is_understood_is_told_word_for_word() {
        let Look::Words(query) = asked("man in blue shirt and cowboy hat").unwrap().1.look else { panic!() };
        let told = Understood::of(&query);
        let [man] = &told.clauses[..] else { panic!("{told:?}") };
        assert_eq!(man.kinds, ["Person"]);
        assert!(
            man.wants.iter().any(|want| want.colour.as_deref() == Some("Blue") && want.parts == ["Upper"])
        );
        assert!(man.wants.iter().any(|want| want.untold), "{told:?}");
    }

    #[test]
    fn a_search_is_one_thing_within_limits() {
        let both = SearchFootage {
            text: Some("red car".into()),
            like: Some(SightingId::from_bytes(&[1; 16])),
            ..SearchFootage::default()
        };
        let wrong = [
            both,
            SearchFootage::default(),
            SearchFootage { text: Some("xyzzy plugh".into()), ..SearchFootage::default() },
            SearchFootage { text: Some("red car".into()), limit: Some(0), ..SearchFootage::default() },
            SearchFootage { text: Some("red car".into()), least: Some(101), ..SearchFootage::default() },
        ];
        for wish in wrong {
            assert!(matches!(wish.check(Time::from_second(0)), Err(CoreError::Invalid(_))), "{wish:?}");
        }
    }
}

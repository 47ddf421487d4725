//! A draft as it is being typed: any field may be missing, empty or half written.

use canvass_types::{Area, Contact, FieldProblem, IncidentType, RequestDraft};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::problem;
use crate::{CoreError, requests::DraftCheck};

/// Whom to ask, as it is being typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ContactForm {
    /// Name, with rank if they like.
    pub name: Option<String>,
    /// Telephone.
    pub phone: Option<String>,
    /// E-mail.
    pub email: Option<String>,
}

/// A draft as it is being typed. What is missing, null or blank is named in the answer, and the rest is judged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DraftForm {
    /// The agency's own code for the investigation.
    pub code: Option<String>,
    /// What happened, a word of the list of incidents.
    pub incident: Option<String>,
    /// What people should know, plain text.
    pub details: Option<String>,
    /// Whom to ask.
    pub contact: Option<ContactForm>,
    /// Where footage is asked for: a GeoJSON polygon, also an unfinished one.
    pub area: Option<Value>,
    /// From when.
    pub start: Option<String>,
    /// Until when.
    pub end: Option<String>,
    /// IANA time zone of the place.
    pub zone: Option<String>,
    /// Languages of the details, BCP 47.
    pub languages: Option<Vec<String>>,
    /// For how many days after publication offers are taken.
    pub active_days: Option<u32>,
    /// Confirms that this is the agency's own case and not asked for another body.
    pub own_case: Option<bool>,
}

/// A form with something in each place, and what was put there.
pub(crate) struct Filled {
    pub draft: RequestDraft,
    missing: Vec<&'static str>,
    problems: Vec<FieldProblem>,
    /// Whether the area is the asker's own.
    drawn: bool,
}

fn blank(text: Option<&String>) -> bool {
    text.is_none_or(|text| text.trim().is_empty())
}

fn given(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty()).cloned()
}

/// The smallest box around an area, which stands in for one that is not drawn yet.
fn around(area: &Area) -> Area {
    let mut low = [f64::INFINITY; 2];
    let mut high = [f64::NEG_INFINITY; 2];
    for [x, y] in area.ring() {
        low = [low[0].min(*x), low[1].min(*y)];
        high = [high[0].max(*x), high[1].max(*y)];
    }
    let ring = vec![low, [high[0], low[1]], high, [low[0], high[1]], low];
    Area::new(ring).unwrap_or_else(|_| area.clone())
}

fn unfinished(area: &Value) -> bool {
    let corners = area.pointer("/coordinates/0").and_then(Value::as_array);
    area.is_null() || corners.is_none_or(Vec::is_empty)
}

impl DraftForm {
    /// Puts something in each empty place, so that the rest can be judged.
    pub(crate) fn filled(&self, jurisdiction: &Area) -> Result<Filled, CoreError> {
        let contact = self.contact.clone().unwrap_or_default();
        let (mut missing, mut problems) = (Vec::new(), Vec::new());
        for (field, text) in [
            ("code", self.code.as_ref()),
            ("incident", self.incident.as_ref()),
            ("details", self.details.as_ref()),
            ("contact.name", contact.name.as_ref()),
            ("start", self.start.as_ref()),
            ("end", self.end.as_ref()),
            ("zone", self.zone.as_ref()),
        ] {
            if blank(text) {
                missing.push(field);
            }
        }
        if blank(contact.phone.as_ref()) && blank(contact.email.as_ref()) {
            missing.push("contact");
        }
        let word = given(self.incident.as_ref()).map(Value::String);
        let incident = word.clone().and_then(|word| serde_json::from_value::<IncidentType>(word).ok());
        if incident.is_none() {
            let message = if word.is_some() { "there is no such incident" } else { "no incident is chosen" };
            problems.push(problem("incident", "missing", message, "choose what happened"));
        }
        let area = match self.area.as_ref().filter(|area| !unfinished(area)) {
            None => {
                missing.push("area");
                problems.push(problem(
                    "area",
                    "missing",
                    "no area is drawn",
                    "draw where footage is asked for",
                ));
                None
            }
            Some(area) => match serde_json::from_value::<Area>(area.clone()) {
                Ok(area) => Some(area),
                Err(error) => {
                    problems.push(problem(
                        "area",
                        "outline",
                        error.to_string(),
                        "draw the outline to its end",
                    ));
                    None
                }
            },
        };
        let drawn = area.is_some();
        let draft = RequestDraft {
            code: self.code.clone().unwrap_or_default(),
            incident: incident.unwrap_or(IncidentType::Other),
            details: self.details.clone().unwrap_or_default(),
            contact: Contact {
                name: contact.name.clone().unwrap_or_default(),
                phone: given(contact.phone.as_ref()),
                email: given(contact.email.as_ref()),
            },
            area: area.unwrap_or_else(|| around(jurisdiction)),
            start: self.start.clone().unwrap_or_default(),
            end: self.end.clone().unwrap_or_default(),
            zone: self.zone.clone().unwrap_or_default(),
            languages: self.languages.clone().unwrap_or_else(|| vec!["en".into()]),
            active_days: self.active_days.unwrap_or(14),
            own_case: self.own_case.unwrap_or(false),
        };
        crate::requests::bounded(&draft)?;
        Ok(Filled { draft, missing, problems, drawn })
    }
}

impl Filled {
    /// The judgement without what was only put there.
    pub fn judged(self, mut check: DraftCheck) -> DraftCheck {
        if !self.drawn {
            check.area_sq_mi = None;
            check.problems.retain(|each| each.field != "area");
        }
        check.problems.extend(self.problems);
        check.missing = self.missing.into_iter().map(str::to_owned).collect();
        check
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn jurisdiction() -> Area {
        Area::new(vec![[-71.7, 43.1], [-71.4, 43.1], [-71.4, 43.3], [-71.7, 43.1]]).unwrap()
    }

    #[test]
    fn an_empty_form_misses_everything_and_fails_nowhere() {
        for empty in [
            json!({}),
            json!({ "code": null, "incident": "", "details": " ", "contact": null, "area": null }),
            json!({ "area": {}, "contact": { "name": "", "phone": "", "email": "" }, "languages": null }),
            json!({ "area": { "type": "Polygon", "coordinates": [] }, "active_days": null, "own_case": null }),
        ] {
            let form: DraftForm = serde_json::from_value(empty).unwrap();
            let filled = form.filled(&jurisdiction()).unwrap();
            let all =
                ["code", "incident", "details", "contact.name", "start", "end", "zone", "contact", "area"];
            assert_eq!(filled.missing, all);
            assert!(!filled.drawn && filled.draft.contact.phone.is_none());
        }
    }

    #[test]
    fn an_unfinished_outline_is_a_problem_of_the_area_alone() {
        let area = json!({ "type": "Polygon", "coordinates": [[[-71.5, 43.2], [-71.49, 43.2]]] });
        let form = DraftForm { area: Some(area), incident: Some("burglary".into()), ..DraftForm::default() };
        let filled = form.filled(&jurisdiction()).unwrap();
        assert!(!filled.missing.contains(&"area"));
        assert_eq!(filled.problems.len(), 1);
        assert_eq!(
            (filled.problems[0].field.as_str(), filled.problems[0].rule.as_str()),
            ("area", "outline")
        );
    }
}

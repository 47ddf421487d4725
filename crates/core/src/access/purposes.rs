//! Purposes: those that a member may choose from, and what is known of them already: the case that what is opened belongs to.

use canvass_policy::{DEFAULT, PolicySet, is_code};
use canvass_types::{CaseId, Purpose, RequestId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Actor;
use crate::{App, CoreError, ports::Records};

/// What a member may say as a purpose, for a form that asks for one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PurposeChoices {
    /// The state law that decides, for people: that of the member's agency.
    pub law: String,
    /// The classes that it allows.
    pub classes: Vec<ClassChoice>,
    /// The classes of offences, from the gravest.
    pub offences: Vec<OffenceChoice>,
    /// What a reason must be.
    pub reason: ReasonLimits,
}

/// A class of purposes that may be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClassChoice {
    /// Its name, as the header `Canvass-Purpose` takes it.
    pub id: String,
    /// In English.
    pub en: String,
    /// In Spanish.
    pub es: String,
    /// Whether it needs an offence other than `none`.
    pub offence: bool,
    /// Whether it needs a case. What belongs to a case or request brings its own.
    pub case: bool,
    /// Whether it needs the number of a warrant.
    pub warrant: bool,
}

/// A class of offences.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OffenceChoice {
    /// Its name.
    pub id: String,
    /// In English.
    pub en: String,
    /// In Spanish.
    pub es: String,
}

/// What a reason must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReasonLimits {
    /// Characters at least.
    pub least: usize,
    /// Characters at most.
    pub most: usize,
    /// Different words that say something, at least.
    pub words: usize,
}

/// What members under the law of this profile may choose from; an unknown profile counts as the default one.
fn choices(policies: &PolicySet, subdivision: Option<&str>) -> PurposeChoices {
    let profile = match subdivision {
        Some(subdivision) => policies.profile_for(subdivision),
        None => policies.profile(DEFAULT),
    };
    let allows = |id: &str| profile.is_none_or(|profile| profile.allows_purpose(id));
    let purposes = policies.purposes();
    let classes = purposes.classes().iter().filter(|class| !class.refused && allows(&class.id));
    let (least, most) = purposes.reason_characters();
    PurposeChoices {
        law: profile.map(|profile| profile.title.clone()).unwrap_or_default(),
        classes: classes
            .map(|class| ClassChoice {
                id: class.id.clone(),
                en: class.en.clone(),
                es: class.es.clone(),
                offence: class.offence,
                case: class.case,
                warrant: class.warrant,
            })
            .collect(),
        offences: purposes
            .offences()
            .iter()
            .map(|one| OffenceChoice { id: one.id.clone(), en: one.en.clone(), es: one.es.clone() })
            .collect(),
        reason: ReasonLimits { least, most, words: purposes.reason_words() },
    }
}

impl<R: Records> App<R> {
    /// The purposes that the member may choose from, under the law of their agency; the default one without an agency.
    pub fn purposes(&self, actor: &Actor) -> PurposeChoices {
        let subdivision = actor.party.as_ref().map(|party| party.subdivision.as_str());
        choices(&self.gate().policies(), subdivision)
    }

    /// The purpose with the code of this case, where it names none.
    pub(crate) async fn for_case(
        &self,
        purpose: &Purpose,
        case: Option<&CaseId>,
    ) -> Result<Purpose, CoreError> {
        let Some(case) = case.filter(|_| names_no_case(purpose)) else { return Ok(purpose.clone()) };
        let known = self.load_case(case).await?.record;
        let codes = [known.code, Some(known.title)].into_iter().flatten();
        let code = codes.into_iter().find(|code| is_code(code)).unwrap_or_else(|| case.to_string());
        Ok(Purpose { case: Some(code), ..purpose.clone() })
    }
}

/// The purpose with the request that was asked, where it names no case. An offer through a portal has none.
pub(crate) fn for_destination(purpose: &Purpose, destination: &str) -> Purpose {
    let case =
        (names_no_case(purpose) && destination.parse::<RequestId>().is_ok()).then(|| destination.to_owned());
    Purpose { case: case.or_else(|| purpose.case.clone()), ..purpose.clone() }
}

fn names_no_case(purpose: &Purpose) -> bool {
    purpose.case.as_ref().is_none_or(|case| case.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_chosen_follows_the_law_and_never_holds_what_nobody_may_do() {
        let policies = PolicySet::shipped().unwrap();
        let known: Vec<&str> = policies.profiles().into_iter().map(|profile| profile.id.as_str()).collect();
        assert!(known.contains(&"us-nh"));
        for subdivision in [None, Some("US-NH"), Some("US-VA"), Some("US-IL"), Some("XX-none")] {
            let offered = choices(&policies, subdivision);
            let profile = policies.profile_for(subdivision.unwrap_or_default()).unwrap();
            assert_eq!(offered.law, profile.title);
            assert!(!offered.classes.is_empty());
            for class in &offered.classes {
                assert!(profile.allows_purpose(&class.id), "{subdivision:?}: {}", class.id);
                assert!(!["protected-activity", "health-care"].contains(&class.id.as_str()));
            }
            assert_eq!(offered.offences.last().map(|one| one.id.as_str()), Some("none"));
            assert_eq!(offered.reason, ReasonLimits { least: 20, most: 500, words: 3 });
        }
        let of = |subdivision| choices(&policies, Some(subdivision)).classes.len();
        assert!(of("US-VA") < policies.purposes().classes().len(), "Virginia's law names the purposes");
    }
}

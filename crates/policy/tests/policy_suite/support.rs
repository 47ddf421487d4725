//! What the tests of policies share: a case in a line of text.

use std::path::PathBuf;

use canvass_policy::{Facts, Method, Party, PolicySet, Question, SharingFacts, SharingScope, Subject};
use canvass_types::{AgencyClass, AgencyState, Role};

pub const NOW: i64 = 1_790_000_000;
const DAY: i64 = 86_400;

pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../policies")
}

fn class(word: &str) -> AgencyClass {
    let all = [
        AgencyClass::Municipal,
        AgencyClass::County,
        AgencyClass::State,
        AgencyClass::Federal,
        AgencyClass::Campus,
        AgencyClass::Tribal,
        AgencyClass::Other,
    ];
    all.into_iter().find(|class| class.as_str() == word).unwrap_or_else(|| panic!("{word} is no class"))
}

pub fn party(set: &PolicySet, id: &str, of: &str, subdivision: &str) -> Party {
    let profile = set.profile_for(subdivision).unwrap().id.clone();
    Party::new(id, class(of), subdivision, profile)
}

/// `role class state action whose facts…`, as policies/tests/default.txt explains.
pub fn question(set: &PolicySet, line: &str) -> Question {
    let mut words = line.split_whitespace();
    let mut next = || words.next().unwrap_or_else(|| panic!("{line}: too short"));
    let (roles, of, state, action, whose) = (next(), next(), next(), next(), next());
    let roles = roles.split('+').map(|word| {
        Role::ALL
            .into_iter()
            .find(|role| role.as_str() == word)
            .unwrap_or_else(|| panic!("{word} is no role"))
    });
    let agency = (of != "-").then(|| party(set, "ours", of, state));
    let owner = match whose {
        "own" => agency.clone(),
        "nobody's" => None,
        other => {
            let (of, state) = other.strip_prefix("of:").and_then(|rest| rest.split_once(':')).unwrap();
            Some(party(set, "theirs", of, state))
        }
    };
    let subject = Subject { id: "mbr".into(), roles: roles.collect(), agency };
    let facts = Facts {
        purpose: "crime".into(),
        offence: "felony".into(),
        case_open: true,
        cameras: 10,
        days: 7,
        agencies: 1,
        now: NOW,
        basis: "agency".into(),
        ..Facts::default()
    };
    let mut question = Question { subject, action: action.into(), owner, facts };
    for word in words {
        fact(&mut question, word);
    }
    question
}

fn sharing(facts: &mut Facts) -> &mut SharingFacts {
    facts.sharing.as_mut().expect("say share= first")
}

fn fact(question: &mut Question, word: &str) {
    let facts = &mut question.facts;
    let number = |value: &str| value.parse::<u32>().unwrap_or_else(|_| panic!("{value} is no number"));
    match word.split_once('=').unwrap_or((word, "")) {
        ("purpose", value) => facts.purpose = value.into(),
        ("offence", value) => facts.offence = value.into(),
        ("basis", value) => facts.basis = value.into(),
        ("days", value) => facts.days = number(value),
        ("cameras", value) => facts.cameras = number(value),
        ("agencies", value) => facts.agencies = number(value),
        ("approvals", value) => facts.approvals = number(value),
        ("method", value) => {
            facts.method = Method::ALL.into_iter().find(|one| one.as_str() == value).unwrap()
        }
        ("share", value) => {
            facts.sharing = Some(SharingFacts {
                scope: SharingScope::ALL.into_iter().find(|scope| scope.as_str() == value).unwrap(),
                named: false,
                accepted: true,
                from: NOW - DAY,
                until: NOW + DAY,
                distance_km: None,
                within_km: 0,
            });
        }
        ("km", value) => {
            let (distance, reach) = value.split_once('/').unwrap();
            let sharing = sharing(facts);
            (sharing.distance_km, sharing.within_km) = (Some(number(distance)), number(reach));
        }
        ("by-name", _) => sharing(facts).named = true,
        ("not-accepted", _) => sharing(facts).accepted = false,
        ("early", _) => sharing(facts).from = NOW + 1,
        ("expired", _) => sharing(facts).until = NOW,
        ("no-case", _) => facts.case_open = false,
        ("warrant", _) => facts.warrant = true,
        ("hits", _) => facts.hits_only = true,
        ("compared", _) => facts.compared = true,
        ("listed", _) => facts.listed = true,
        ("break-glass", _) => facts.break_glass = true,
        ("declared", _) => facts.declared = true,
        ("others-proposal", _) => facts.others_proposal = true,
        (standing @ ("suspended" | "registered"), _) => {
            let standing =
                if standing == "suspended" { AgencyState::Suspended } else { AgencyState::Registered };
            for party in [question.subject.agency.as_mut(), question.owner.as_mut()].into_iter().flatten() {
                party.standing = standing;
            }
        }
        _ => panic!("{word} is no fact"),
    }
}

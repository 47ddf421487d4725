//! Reasons: a table of real ones, and properties of any.

use std::fs;

use crate::support::folder;
use canvass_policy::{PolicySet, Purpose};
use proptest::prelude::*;

fn purpose(class: &str, offence: &str, reason: &str) -> Purpose {
    Purpose {
        class: class.into(),
        offence: offence.into(),
        case: Some("26-01234".into()),
        reason: reason.into(),
        warrant: Some("S-2026-118".into()),
    }
}

fn rules(set: &PolicySet, purpose: &Purpose, profile: &str) -> Vec<String> {
    let problems = set.check_purpose(purpose, profile).err().unwrap_or_default();
    problems.into_iter().map(|problem| problem.rule).collect()
}

#[test]
fn reasons_are_taken_and_refused_as_the_table_says() {
    let set = PolicySet::shipped().unwrap();
    let text = fs::read_to_string(folder().join("tests/purposes.txt")).unwrap();
    let mut wrong = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        let (case, reason) = line.split_once(" | ").unwrap();
        let (what, wanted) = case.split_once('→').unwrap();
        let mut what = what.split_whitespace();
        let asked = purpose(what.next().unwrap(), what.next().unwrap(), reason);
        let found = rules(&set, &asked, "default");
        let got = if found.is_empty() { "accept".to_owned() } else { format!("refuse {}", found.join(" ")) };
        if got != wanted.trim() {
            wrong
                .push(format!("{reason}\n    got {got}; content {:?}", set.purposes().content_words(&asked)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_field_is_checked_and_every_problem_told_at_once() {
    let set = PolicySet::shipped().unwrap();
    let good = "Armed robbery of the pharmacy on Elm Street, silver Tacoma leaving north";
    let bad = Purpose {
        class: "fun".into(),
        offence: "fun".into(),
        case: Some("x".into()),
        reason: "inv".into(),
        warrant: None,
    };
    assert_eq!(
        rules(&set, &bad, "default"),
        ["class.unknown", "offence.unknown", "case.form", "reason.boilerplate"]
    );
    let problems = set.check_purpose(&bad, "default").unwrap_err();
    assert!(problems.iter().all(|problem| !problem.message.is_empty() && !problem.remedy.is_empty()));
    assert_eq!(problems[3].field, "purpose.reason");
    for (change, rule) in [
        (Purpose { case: None, ..purpose("crime", "felony", good) }, "case.missing"),
        (Purpose { case: Some("0000".into()), ..purpose("crime", "felony", good) }, "case.form"),
        (Purpose { case: Some("7".repeat(65)), ..purpose("crime", "felony", good) }, "case.form"),
        (Purpose { warrant: None, ..purpose("wanted", "none", good) }, "warrant.missing"),
        (Purpose { warrant: Some("yes".into()), ..purpose("wanted", "none", good) }, "warrant.form"),
        (purpose("crime", "none", good), "offence.missing"),
        (purpose("protected-activity", "none", good), "class.refused"),
        (purpose("crime", "felony", &"word ".repeat(200)), "reason.long"),
    ] {
        assert_eq!(rules(&set, &change, "default"), [rule], "{change:?}");
    }
    assert_eq!(rules(&set, &purpose("immigration", "none", good), "us-wa"), ["us-wa.purposes"]);
    assert_eq!(rules(&set, &purpose("crime", "felony", good), "nowhere"), ["profile.unknown"]);
}

const EMPTY: &[&str] = &[
    "investigation",
    "invest",
    "inv",
    "case",
    "police",
    "business",
    "law",
    "enforcement",
    "see",
    "report",
    "the",
    "of",
    "for",
    "12345",
    "26-01234",
    "investigación",
    "caso",
    "policía",
    "ver",
    "informe",
    "xxxx",
    "...",
    "n/a",
    "test",
    "vehicle",
    "suspicious",
    "official",
    "per",
    "request",
];

proptest! {
    #[test]
    fn boilerplate_stays_boilerplate_in_any_order_case_and_number(
        picks in proptest::collection::vec((0..EMPTY.len(), 0..3), 0..40), separator in prop_oneof![Just(" "), Just(", "), Just(" - "), Just("/")],
    ) {
        let set = shipped();
        let words: Vec<String> = picks.iter().map(|(at, case)| match case {
            0 => EMPTY[*at].to_owned(),
            1 => EMPTY[*at].to_uppercase(),
            _ => format!("«{}»", EMPTY[*at]),
        }).collect();
        let reason: String = words.join(separator).chars().take(490).collect();
        // A word that was cut may say something; the rest does not make up for it.
        let content = set.purposes().content_words(&purpose("crime", "felony", &reason));
        prop_assert!(content.len() <= 1, "{reason}: {content:?}");
    }

    #[test]
    fn padding_a_reason_never_makes_it_say_more(text in "[a-zA-ZñáéíóúÑ0-9 ,.]{0,80}", picks in proptest::collection::vec(0..EMPTY.len(), 0..10)) {
        let set = shipped();
        let plain = set.purposes().content_words(&purpose("crime", "felony", &text));
        let padding: Vec<&str> = picks.iter().map(|at| EMPTY[*at]).collect();
        let padded = set.purposes().content_words(&purpose("crime", "felony", &format!("{text} . {}", padding.join(" "))));
        prop_assert!(padded.len() <= plain.len(), "{plain:?} → {padded:?}");
    }

    #[test]
    fn any_text_is_answered_and_what_is_accepted_has_content(class in ".{0,20}", offence in ".{0,20}", case in proptest::option::of(".{0,80}"), reason in "\\PC{0,600}") {
        let set = shipped();
        let asked = Purpose { class, offence, case, reason: reason.clone(), warrant: None };
        for profile in set.profiles() {
            prop_assert!(set.check_purpose(&asked, &profile.id).is_err(), "the class is random");
        }
        let asked = purpose("crime", "felony", &reason);
        if set.check_purpose(&asked, "default").is_ok() {
            prop_assert!(set.purposes().content_words(&asked).len() >= 3);
        }
    }
}

fn shipped() -> &'static PolicySet {
    static SET: std::sync::OnceLock<PolicySet> = std::sync::OnceLock::new();
    SET.get_or_init(|| PolicySet::shipped().unwrap())
}

//! Tables of cases, each under the article of law that it carries out: policies/tests/.

use std::{collections::BTreeSet, fs};

use crate::support::{folder, question};
use canvass_policy::{LogField, Period, PolicySet, Purpose};

/// What a line of `words "REASON" → …` comes to.
fn words(set: &PolicySet, profile: &str, line: &str) -> Option<String> {
    let (reason, wanted) = line.strip_prefix("words \"").unwrap().rsplit_once("\" → ").unwrap();
    let purpose = Purpose {
        class: "crime".into(),
        offence: "felony".into(),
        case: Some("26-01234".into()),
        reason: reason.into(),
        warrant: None,
    };
    let got = match set.check_purpose(&purpose, profile) {
        Ok(()) => "accept".to_owned(),
        Err(problems) => {
            let rules: Vec<&str> = problems.iter().map(|problem| problem.rule.as_str()).collect();
            format!("refuse {}", rules.join(" "))
        }
    };
    (got != wanted.trim()).then(|| format!("{line}\n    got: {got}"))
}

fn decided(set: &PolicySet, line: &str, covered: &mut BTreeSet<(String, bool)>) -> Option<String> {
    let (case, wanted) = line.split_once(" → ").unwrap_or_else(|| panic!("{line}: no →"));
    let question = question(set, case);
    if let Err(error) = set.conforms(&question) {
        return Some(format!("{line}\n    does not conform: {error}"));
    }
    let decision = set.decide(&question);
    assert_eq!(decision.by.len(), decision.because.len());
    let mut got = format!("{} {}", if decision.allowed { "allow" } else { "deny" }, decision.by.join(" "));
    if !decision.needs.is_empty() {
        let needs: Vec<&str> = decision.needs.iter().map(|need| need.as_str()).collect();
        got = format!("{got} needs {}", needs.join(" "));
    }
    covered.extend(decision.by.iter().map(|id| (id.clone(), decision.allowed)));
    (got != wanted.trim()).then(|| format!("{line}\n    got: {got}"))
}

fn stated(set: &PolicySet, id: &str, line: &str) -> Option<bool> {
    let profile = set.profile(id).unwrap();
    if let Some(fields) = line.strip_prefix("log ") {
        let field = |word: &str| match word {
            "time" => LogField::Time,
            "query" => LogField::Query,
            "member" => LogField::Member,
            "agency" => LogField::Agency,
            "purpose" => LogField::Purpose,
            "case" => LogField::Case,
            other => panic!("{other} is no field"),
        };
        return Some(profile.log.fields == fields.split_whitespace().map(field).collect::<Vec<_>>());
    }
    if let Some(seconds) = line.strip_prefix("retention non_hit_seconds=") {
        return Some(profile.retention.non_hit_seconds == seconds.trim().parse::<u64>().unwrap());
    }
    let (every, days) = line.strip_prefix("report ")?.split_once(' ')?;
    let every = match every {
        "month" => Period::Month,
        "quarter" => Period::Quarter,
        "year" => Period::Year,
        other => panic!("{other} is no period"),
    };
    let days: u32 = days.trim().parse().unwrap();
    Some(profile.report.iter().any(|report| report.every == every && report.public_within_days == days))
}

#[test]
fn every_case_is_decided_as_the_tables_say() {
    let set = PolicySet::shipped().unwrap();
    let mut wrong = Vec::new();
    let mut covered = BTreeSet::new();
    for profile in set.profiles() {
        let text = fs::read_to_string(folder().join(format!("tests/{}.txt", profile.id))).unwrap();
        let mut articles = BTreeSet::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some(article) = line.strip_prefix('[') {
                articles.insert(article.trim_end_matches(']').to_owned());
                continue;
            }
            assert!(!articles.is_empty(), "{}: name the article before the first case", profile.id);
            if line.starts_with("words ") {
                wrong.extend(words(&set, &profile.id, line));
            } else if let Some(holds) = stated(&set, &profile.id, line) {
                if !holds {
                    wrong.push(format!("{}: {line}", profile.id));
                }
            } else {
                wrong.extend(decided(&set, line, &mut covered));
            }
        }
        let tested: BTreeSet<&str> = profile.law.iter().map(|law| law.cite.as_str()).collect();
        let carried =
            set.rules().into_iter().filter(|rule| rule.file == format!("profiles/{}.cedar", profile.id));
        for law in carried.filter_map(|rule| rule.law.as_deref()) {
            assert!(articles.contains(law), "{}: no case under [{law}]", profile.id);
        }
        for article in articles.iter().filter(|article| !article.starts_with("Canvass:")) {
            assert!(
                tested.contains(article.as_str()),
                "{}: [{article}] is no article of the profile",
                profile.id
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let untested: Vec<&str> = set
        .rules()
        .into_iter()
        .filter(|rule| !rule.id.starts_with("roles.") && !covered.contains(&(rule.id.clone(), rule.permits)))
        .map(|rule| rule.id.as_str())
        .collect();
    assert!(untested.is_empty(), "no case in policies/tests is decided by {untested:?}");
}

#[test]
fn what_a_profile_says_of_purposes_and_sharing_its_rules_do() {
    let set = PolicySet::shipped().unwrap();
    for profile in set.profiles() {
        let state = profile.subdivisions.first().map_or("US-TX", String::as_str);
        for class in set.purposes().classes() {
            let offence = if class.offence { "felony" } else { "none" };
            let line = format!(
                "investigator municipal {state} plate.search own hits warrant approvals=1 days=1 purpose={} offence={offence}",
                class.id
            );
            let decision = set.decide(&question(&set, &line));
            let may = profile.allows_purpose(&class.id) && !class.refused;
            assert_eq!(decision.allowed, may, "{}: {} {decision:?}", profile.id, class.id);
        }
        for (who, may) in
            [("county US-ZZ", profile.sharing.out_of_state), ("federal US-ZZ", profile.sharing.federal)]
        {
            let line = format!("investigator {who} plate.search of:municipal:{state} hits share=all by-name");
            let decision = set.decide(&question(&set, &line));
            let declared = set.decide(&question(&set, &format!("{line} declared")));
            assert_eq!(declared.allowed, may, "{}: {who} {declared:?}", profile.id);
            assert_eq!(
                decision.allowed,
                may && !profile.sharing.declaration,
                "{}: {who} {decision:?}",
                profile.id
            );
        }
    }
}

#[test]
fn a_list_without_a_judge_counts_for_immigration_only_where_a_profile_says_so() {
    let shipped = PolicySet::shipped().unwrap();
    assert!(shipped.profiles().iter().all(|profile| !profile.hotlists.administrative_immigration));
    let mut texts = canvass_policy::shipped_texts();
    let text = texts.get_mut("profiles/default.toml").unwrap();
    text.push_str("\n[hotlists]\nadministrative_immigration = true\n");
    let allows = PolicySet::load(&texts).unwrap_or_else(|errors| panic!("{errors}"));
    for (line, wanted) in [
        ("investigator municipal US-TX hotlist.add own", true),
        ("supervisor municipal US-TX hotlist.approve own others-proposal", true),
        ("investigator municipal US-TX hotlist.alert own", true),
        // The owner of the camera decides, whatever the law of the list's agency says.
        ("investigator municipal US-TX hotlist.alert of:municipal:US-IL share=all declared", false),
        ("investigator municipal US-NH hotlist.add own", false),
    ] {
        let line = format!("{line} purpose=immigration offence=none basis=administrative");
        assert!(!shipped.decide(&question(&shipped, &line)).allowed, "{line}");
        assert_eq!(allows.decide(&question(&allows, &line)).allowed, wanted, "{line}");
    }
}

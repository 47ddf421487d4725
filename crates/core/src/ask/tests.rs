use canvass_types::{AgencyClass, Area, AskLimits, RequestDraft, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZoneDatabase};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const NOW: &str = "2026-11-24T06:30:00Z";

fn vectors() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/requests")
}

fn base() -> Value {
    serde_json::from_slice(&std::fs::read(vectors().join("base.json")).unwrap()).unwrap()
}

fn draft(value: &Value) -> RequestDraft {
    serde_json::from_value(value.clone()).unwrap()
}

fn town() -> Area {
    serde_json::from_slice(&std::fs::read(vectors().join("jurisdiction.json")).unwrap()).unwrap()
}

fn judge_at(draft: &RequestDraft, class: AgencyClass, recipient: Option<&str>, now: &str) -> Checked {
    let now: Time = now.parse().unwrap();
    let limits = AskLimits::default();
    check(&AskInput { draft, class, jurisdiction: &town(), recipient, limits: &limits, now })
}

fn judge(value: &Value) -> Checked {
    judge_at(&draft(value), AgencyClass::Municipal, None, NOW)
}

fn words(problems: &[FieldProblem]) -> Vec<String> {
    problems.iter().map(|p| format!("{}:{}", p.field, p.rule)).collect()
}

#[test]
fn a_sound_draft_has_no_problems() {
    let checked = judge(&base());
    assert_eq!(checked.problems, []);
    assert_eq!(checked.findings, []);
    assert_eq!(checked.code.as_deref(), Some("26-004512"));
    assert_eq!(checked.minutes, Some(90));
    let frame = checked.frame.unwrap();
    assert_eq!(frame.start.to_string(), "2026-11-20T02:30:00Z");
    assert_eq!(frame.zone, "America/New_York");
    let size = checked.area_sq_mi.unwrap();
    assert!((0.2..0.3).contains(&size), "{size}");
}

/// Each file holds cases `{name, set: {pointer: value}, class?, recipient?, now?, problems: [field:rule], findings?}`
/// over `base.json`, or `{name, set, refused: word}` for drafts that can't even be read.
#[test]
fn vectors_give_exactly_the_expected_problems() {
    let mut cases = 0;
    for file in ["form.json", "place.json", "time.json"] {
        let list: Vec<Value> = serde_json::from_slice(&std::fs::read(vectors().join(file)).unwrap()).unwrap();
        for case in list {
            let name = format!("{file}: {}", case["name"].as_str().unwrap());
            let mut value = base();
            for (pointer, new) in case["set"].as_object().unwrap() {
                let (parent, key) = pointer.rsplit_once('/').unwrap();
                let parent = value.pointer_mut(parent).unwrap().as_object_mut().unwrap();
                parent.insert(key.into(), new.clone());
            }
            cases += 1;
            if let Some(word) = case["refused"].as_str() {
                let error = serde_json::from_value::<RequestDraft>(value).unwrap_err().to_string();
                assert!(error.contains(word), "{name}: {error}");
                continue;
            }
            let class = case
                .get("class")
                .map_or(AgencyClass::Municipal, |c| serde_json::from_value(c.clone()).unwrap());
            let now = case["now"].as_str().unwrap_or(NOW);
            let checked = judge_at(&draft(&value), class, case["recipient"].as_str(), now);
            let expected: Vec<String> = serde_json::from_value(case["problems"].clone()).unwrap();
            assert_eq!(words(&checked.problems), expected, "{name}: {:#?}", checked.problems);
            for part in case["says"].as_array().into_iter().flatten() {
                let said = format!("{:?}", checked.problems);
                assert!(said.contains(part.as_str().unwrap()), "{name}: {said}");
            }
            assert!(checked.problems.iter().all(|p| !p.message.is_empty() && !p.remedy.is_empty()), "{name}");
        }
    }
    assert!(cases >= 60, "{cases}");
}

#[test]
fn the_content_table_holds() {
    let table = std::fs::read_to_string(vectors().join("content.tsv")).unwrap();
    let (mut wrong, mut count) = (Vec::new(), 0);
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let [rule, incident, details] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let mut value = base();
        value["incident"] = json!(incident);
        value["details"] = json!(details);
        let found = content::content(&draft(&value)).unwrap();
        let expected = if rule == "-" { found.is_empty() } else { found.iter().any(|f| f.rule == rule) };
        let quoted = found
            .iter()
            .all(|f| f.matched.as_ref().is_some_and(|m| !m.is_empty() && details.contains(m.as_str())));
        if !expected || !quoted {
            let found: Vec<_> = found.iter().map(|f| (f.rule.as_str(), f.matched.as_deref())).collect();
            wrong.push(format!("{rule}: {details}\n    {found:?}"));
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{} of {count} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= 60);
}

#[test]
fn every_rule_has_a_title_and_examples() {
    let table = std::fs::read_to_string(vectors().join("content.tsv")).unwrap();
    let ids: Vec<_> = rules().iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "assembly",
            "announcement",
            "race-only",
            "victim-identity",
            "pressure",
            "immigration",
            "reproductive-care"
        ]
    );
    for rule in rules() {
        assert!(rule.title.len() > 10);
        assert!(
            table.lines().filter(|line| line.starts_with(&format!("{}\t", rule.id))).count() >= 5,
            "{}",
            rule.id
        );
    }
    assert_eq!(content::digest().to_string().len(), 64);
}

#[test]
fn the_contacts_name_is_read_too() {
    let mut value = base();
    value["contact"]["name"] = json!("ICE Task Force");
    let findings = judge(&value).findings;
    assert_eq!(words(&findings), ["contact.name:immigration"]);
    assert_eq!(findings[0].matched.as_deref(), Some("ICE"));
}

/// Every clock change of six zones in 2024 to 2027: a local time in the gap or fold is refused with both readings, each
/// reading is then accepted, and a frame across the change counts elapsed minutes.
#[test]
fn every_clock_change_is_read_rightly() {
    let zones = [
        ("America/New_York", -71.5),
        ("America/Los_Angeles", -118.0),
        ("Europe/Dublin", -6.3),
        ("Australia/Lord_Howe", 159.0),
        ("America/Santiago", -70.6),
        ("Africa/Casablanca", -7.6),
    ];
    let mut changes = 0;
    for (name, longitude) in zones {
        let zone = TimeZoneDatabase::bundled().get(name).unwrap();
        let first: jiff::Timestamp = "2024-01-01T00:00:00Z".parse().unwrap();
        let last: jiff::Timestamp = "2028-01-01T00:00:00Z".parse().unwrap();
        for change in zone.following(first).take_while(|change| change.timestamp() < last) {
            let at = change.timestamp();
            let (old, new) =
                (zone.to_offset(jiff::Timestamp::from_second(at.as_second() - 1).unwrap()), change.offset());
            let step = new.seconds() - old.seconds();
            if step == 0 {
                continue;
            }
            changes += 1;
            // The middle of the skipped or repeated stretch of local time.
            let middle = Offset::from_seconds(old.seconds() + step / 2).unwrap().to_datetime(at);
            let now = Time::new(at).plus_days(2).to_string();
            let ring = json!([
                [longitude, 1.0],
                [longitude + 0.01, 1.0],
                [longitude + 0.01, 1.005],
                [longitude, 1.0]
            ]);
            let judge = |start: &str, end: &str| {
                let mut value = base();
                value["zone"] = json!(name);
                value["area"]["coordinates"] = json!([ring]);
                (value["start"], value["end"]) = (json!(start), json!(end));
                let mut checked = judge_at(&draft(&value), AgencyClass::County, None, &now);
                checked.problems.retain(|p| p.field != "area");
                checked
            };
            let late = Time::new(at).plus_seconds(3 * 3_600).to_string();
            let checked = judge(&middle.to_string(), &late);
            let rule = if step > 0 { "start:gap" } else { "start:fold" };
            assert_eq!(words(&checked.problems), [rule], "{name} {middle}");
            let remedy = &checked.problems[0].remedy;
            let readings: Vec<_> = remedy.split([' ', ',']).filter(|part| part.contains('T')).collect();
            assert_eq!(readings.len(), 2, "{remedy}");
            let mut instants = Vec::new();
            for reading in readings {
                let checked = judge(reading, &late);
                assert_eq!(checked.problems, [], "{name} {reading}");
                instants.push(checked.frame.unwrap().start.as_second());
            }
            assert_eq!(instants[1] - instants[0], i64::from(step.abs()), "{name} {middle}");
            assert!(matches!(
                (step > 0, zone.to_ambiguous_timestamp(middle).offset()),
                (true, AmbiguousOffset::Gap { .. }) | (false, AmbiguousOffset::Fold { .. })
            ));
            // Four hours on the clock around the change.
            let two_hours = 7_200;
            let local = |second: i64| {
                let moment = jiff::Timestamp::from_second(second).unwrap();
                zone.to_offset(moment).to_datetime(moment).to_string()
            };
            let checked = judge(&local(at.as_second() - two_hours), &local(at.as_second() + two_hours));
            if checked.problems.is_empty() {
                assert_eq!(checked.minutes, Some(240), "{name} {middle}");
            } else {
                panic!("{name}: {:?}", checked.problems);
            }
        }
    }
    assert!(changes >= 40, "{changes}");
}

#[test]
fn known_sizes_on_the_ellipsoid() {
    let area = |text: &str| serde_json::from_str::<Area>(text).unwrap();
    // One degree at the equator: 12308.778 km2 (GeographicLib's Planimeter).
    let degree = area(r#"{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1],[0,0]]]}"#);
    assert!((area_sq_mi(&degree) * 2.589_988_110_336 - 12_308.778).abs() < 0.01, "{}", area_sq_mi(&degree));
    let turned = area(r#"{"type":"Polygon","coordinates":[[[0,0],[0,1],[1,1],[1,0],[0,0]]]}"#);
    assert!((area_sq_mi(&degree) - area_sq_mi(&turned)).abs() < 1e-9);
}

fn corner() -> impl Strategy<Value = [f64; 2]> {
    let hostile = prop_oneof![
        Just(0.0),
        Just(-0.0),
        Just(180.0),
        Just(-180.0),
        Just(90.0),
        Just(-90.0),
        Just(1e-7),
        Just(-1e-7),
        Just(5e-324),
        Just(1e-300),
        Just(179.999_999_9),
        Just(89.999_999_9),
    ];
    prop_oneof![
        4 => (-180.0..180.0f64, -90.0..90.0f64).prop_map(|(x, y)| [x, y]),
        4 => (-71.6..-71.4f64, 43.1..43.3f64).prop_map(|(x, y)| [x, y]),
        4 => (0..6i32, 0..6i32).prop_map(|(x, y)| [-71.5 + f64::from(x) * 1e-3, 43.2 + f64::from(y) * 1e-3]),
        1 => (hostile.clone(), hostile).prop_map(|(x, y): (f64, f64)| [x, y.clamp(-90.0, 90.0)]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_polygon_panics_and_what_passes_is_sound(mut ring in prop::collection::vec(corner(), 3..30)) {
        ring.push(ring[0]);
        let Ok(area) = Area::new(ring) else { return Ok(()) };
        let mut value = draft(&base());
        value.area = area;
        let checked = judge_at(&value, AgencyClass::Municipal, None, NOW);
        if !checked.problems.iter().any(|p| p.field == "area") {
            let size = checked.area_sq_mi.unwrap();
            prop_assert!((0.025..=0.5).contains(&size));
        }
    }

    #[test]
    fn no_text_panics(
        code in any::<String>(), details in any::<String>(), name in any::<String>(), phone in any::<String>(),
        email in "\\PC{0,20}@?\\PC{0,20}", start in "[0-9TZ:+. -]{0,30}|\\PC*", zone in "[A-Za-z/_]{0,20}|\\PC*",
        language in any::<String>(), recipient in "(age1)?\\PC{0,60}",
    ) {
        let mut value = draft(&base());
        (value.code, value.details, value.contact.name) = (code, details, name);
        (value.contact.phone, value.contact.email) = (Some(phone), Some(email));
        (value.start, value.zone, value.languages) = (start, zone, vec![language]);
        let checked = judge_at(&value, AgencyClass::Municipal, Some(&recipient), NOW);
        prop_assert!(checked.frame.is_some() || !checked.problems.is_empty());
    }

    #[test]
    fn any_moment_is_read_or_named(year in 1i16..9999, month in 1i8..=12, day in 1i8..=28, hour in 0i8..24, minute in 0i8..60,
        offset in prop_oneof![Just(""), Just("Z"), Just("-05:00"), Just("+18:00"), Just("-18:00"), Just("-00:00"), Just("+5")]) {
        let mut value = draft(&base());
        value.start = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}{offset}");
        let checked = judge_at(&value, AgencyClass::Municipal, None, NOW);
        prop_assert!(checked.frame.is_some() || checked.problems.iter().any(|p| p.field == "start"));
    }
}

proptest! {
    /// Ranges count as JavaScript counts: whatever stands around the words, they lead to exactly these words.
    #[test]
    fn places_of_findings_lead_to_the_words_that_matched(
        parts in proptest::collection::vec(prop::sample::select(vec![
            "protest", "Protest", "🚙", "é", " ", "\n", "e\u{301}", "𝔭", ". ", "a white van ", "marched ", "p r o t e s t",
        ]), 0..40)
    ) {
        let mut value = base();
        value["details"] = parts.join(" ").into();
        let draft = draft(&value);
        let units: Vec<u16> = draft.details.encode_utf16().collect();
        for finding in content::content(&draft).unwrap() {
            prop_assert!(!finding.ranges.is_empty() && finding.ranges.len() <= 50);
            prop_assert!(finding.ranges.is_sorted_by(|one, two| one < two));
            for (start, end) in finding.ranges {
                let words = String::from_utf16(&units[start as usize..end as usize]).unwrap();
                prop_assert_eq!(words.chars().take(120).collect::<String>(), finding.matched.clone().unwrap());
            }
        }
    }
}

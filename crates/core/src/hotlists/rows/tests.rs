use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn member() -> MemberId {
    "mbr_aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap()
}

fn now() -> Time {
    "2026-11-24T10:00:00Z".parse().unwrap()
}

fn csv(text: &str) -> Imported {
    read_rows(ImportForm::Csv, text.as_bytes(), &member(), now()).unwrap()
}

fn json(text: &str) -> Result<Imported, CoreError> {
    read_rows(ImportForm::Json, text.as_bytes(), &member(), now())
}

#[test]
fn csv_and_json_of_the_same_rows_are_the_same() {
    let one = csv(
        "\u{feff}Plate,region,reason,expires\r\nabc 123,US-NH,\"stolen, blue\",2026-12-31\r\nXYZ-9,,,\r\n",
    );
    let other = json(
        r#"{"made":"today","entries":[{"plate":"XYZ9","region":null},
            {"plate":"ABC-123","region":"us-nh","reason":"stolen, blue","expires":"2027-01-01T00:00:00Z"}]}"#,
    )
    .unwrap();
    assert_eq!(one, other);
    let [first, second] = &one.entries[..] else { panic!() };
    assert_eq!((first.plate.as_str(), second.plate.as_str()), ("ABC123", "XYZ9"));
    assert_eq!(first.until.unwrap().to_string(), "2027-01-01T00:00:00Z");
    assert_eq!((second.region, &second.reason, second.until), (None, &None, None));
    assert_eq!((one.rows, one.refused), (2, 0));
}

#[test]
fn bad_rows_are_named_by_number_and_field_and_never_repeated() {
    let long = "x".repeat(MOST_REASON + 1);
    let read = csv(&format!(
        "plate,region,reason,expires\nSECRET1,,,\n,,,\nSECRET\u{1f697},,,\nSECRET1,,again,\nSECRET2,Atlantis,,\n\
         SECRET3,,{long},\nSECRET4,,,someday\nSECRET5,,,2026-11-23\nSECRET6,,\nSECRETSECRET7,,,\n"
    ));
    let faults: Vec<(u64, &str, &str)> =
        read.problems.iter().map(|one| (one.row, one.field.as_str(), one.rule.as_str())).collect();
    assert_eq!(
        faults,
        [
            (2, "plate", "missing"),
            (3, "plate", "character"),
            (4, "plate", "twice"),
            (5, "region", "form"),
            (6, "reason", "length"),
            (7, "expires", "form"),
            (8, "expires", "past"),
            (9, "row", "fields"),
            (10, "plate", "length"),
        ]
    );
    assert_eq!((read.rows, read.refused, read.entries.len()), (10, 9, 1));
    let error = read.clone().accept(BadRows::Refuse).unwrap_err().to_string();
    assert!(error.contains("row 4, plate") && !error.contains("SECRET"), "{error}");
    assert_eq!(read.accept(BadRows::Keep).unwrap().0.len(), 1);

    let read = json(r#"[7, {"plate":1}, {"plat":"SECRET"}, {"plate":"SECRET"}]"#).unwrap();
    let faults: Vec<(u64, &str)> = read.problems.iter().map(|one| (one.row, one.rule.as_str())).collect();
    assert_eq!(faults, [(1, "form"), (2, "form"), (3, "field")]);
}

#[test]
fn what_is_no_list_is_refused_as_a_whole() {
    let refused = |form, bytes: &[u8]| match read_rows(form, bytes, &member(), now()) {
        Err(CoreError::Invalid(problems)) => (problems[0].field.clone(), problems[0].rule.clone()),
        other => panic!("{other:?}"),
    };
    let pair = |field: &str, rule: &str| (field.to_owned(), rule.to_owned());
    assert_eq!(refused(ImportForm::Csv, b""), pair("header", "plate"));
    assert_eq!(refused(ImportForm::Csv, b"number,why\nABC,x\n"), pair("header", "plate"));
    assert_eq!(refused(ImportForm::Csv, b"plate,owner\nABC,x\n"), pair("header", "columns"));
    assert_eq!(refused(ImportForm::Csv, b"plate,plate\nABC,x\n"), pair("header", "columns"));
    for text in ["", "{", "7", "{}", r#"{"entries":"ABC"}"#, r#"[{"plate":"SECRET"},"#] {
        assert_eq!(refused(ImportForm::Json, text.as_bytes()), pair("rows", "form"), "{text}");
        assert!(!json(text).unwrap_err().to_string().contains("SECRET"));
    }
    assert_eq!(csv("plate\nA\u{0}B\n").refused, 1);
    let bytes = b"plate\nABC1\n\xff\xfe\n";
    assert_eq!(read_rows(ImportForm::Csv, bytes, &member(), now()).unwrap().problems[0].rule, "utf-8");
}

#[test]
fn more_than_a_million_rows_are_too_many() {
    let mut text = String::from("plate\n");
    for each in 0..=MOST_ENTRIES {
        text.push_str(&format!("A{each}\n"));
    }
    let error = read_rows(ImportForm::Csv, text.as_bytes(), &member(), now()).unwrap_err();
    assert!(error.to_string().contains("more than 1000000 rows"), "{error}");
}

fn list() -> impl Strategy<Value = Vec<HotlistEntry>> {
    let entry = ("[AB]{1,3}", proptest::option::of("[xy]"), proptest::option::of(1_i64..3));
    proptest::collection::vec(entry, 0..12).prop_map(|rows| {
        let rows: BTreeMap<String, HotlistEntry> = rows
            .into_iter()
            .map(|(plate, reason, until)| {
                let entry = HotlistEntry {
                    plate: plate.parse().unwrap(),
                    region: None,
                    reason,
                    until: until.map(|days| now().plus_seconds(days * 86_400)),
                    by: member(),
                    since: now(),
                };
                (plate, entry)
            })
            .collect();
        let mut rows: Vec<HotlistEntry> = rows.into_values().collect();
        rows.sort_by_key(key);
        rows
    })
}

proptest! {
    #[test]
    fn reading_never_panics(text in "\\PC{0,200}", head in "(plate|plate,reason)?") {
        let _ = read_rows(ImportForm::Csv, format!("{head}\n{text}").as_bytes(), &member(), now());
        let _ = read_rows(ImportForm::Json, text.as_bytes(), &member(), now());
    }

    #[test]
    fn a_comparison_says_all_that_leads_from_one_list_to_the_other(before in list(), after in list()) {
        let found = compare(&before, &after, usize::MAX);
        let mut made: BTreeMap<_, HotlistEntry> = before.iter().map(|one| (key(one), one.clone())).collect();
        for line in &found.lines {
            match (&line.before, &line.after) {
                (_, Some(after)) => made.insert(key(after), after.clone()),
                (Some(before), None) => made.remove(&key(before)),
                (None, None) => unreachable!(),
            };
        }
        let made: Vec<HotlistEntry> = made.into_values().collect();
        prop_assert_eq!(digest_of(&made), digest_of(&after));
        prop_assert_eq!(found.all() as usize, found.lines.len());
        prop_assert_eq!(found.all() == 0, digest_of(&before) == digest_of(&after));
    }

    #[test]
    fn an_import_keeps_who_entered_what_stays(before in list(), rows in list(), whole in any::<bool>()) {
        let later = now().plus_days(1);
        let rows: Vec<HotlistEntry> =
            rows.into_iter().map(|row| HotlistEntry { since: later, ..row }).collect();
        let how = if whole { ImportHow::Whole } else { ImportHow::Add };
        let after = after_import(&before, rows.clone(), how);
        prop_assert!(after.is_sorted_by_key(key));
        let found = compare(&before, &after, usize::MAX);
        prop_assert!(whole || found.removed == 0);
        if whole {
            prop_assert_eq!(digest_of(&after), digest_of(&rows));
        }
        let new = after.iter().filter(|entry| entry.since == later).count();
        prop_assert_eq!(new, (found.added + found.changed) as usize);
    }
}

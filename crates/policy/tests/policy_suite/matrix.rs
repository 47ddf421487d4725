//! The reviewed matrix of everyone's rights, and what a change does to them.

use std::fs;

use canvass_policy::{
    Outcome, PolicySet, RightChange, Subject, Texts, Who, dry_run, matrix, roles_cedar, shipped_texts,
    summary,
};
use canvass_types::Role;

use crate::support::{folder, party};

#[test]
fn the_matrix_is_the_reviewed_one() {
    let path = folder().join("matrix.txt");
    let made = matrix(&PolicySet::shipped().unwrap());
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let reviewed = fs::read_to_string(&path).unwrap();
    let lost: Vec<&str> = reviewed.lines().filter(|line| !made.contains(line)).collect();
    let new: Vec<&str> = made.lines().filter(|line| !reviewed.contains(line)).collect();
    assert!(
        reviewed == made,
        "rights changed; review, then UPDATE=1 cargo test -p canvass-policy\n- {lost:#?}\n+ {new:#?}"
    );
}

fn changed(change: impl FnOnce(&mut Texts)) -> PolicySet {
    let mut texts = shipped_texts();
    change(&mut texts);
    let table = canvass_policy::Table::read(&texts).unwrap();
    texts.insert("roles.cedar".into(), roles_cedar(&table));
    PolicySet::load(&texts).unwrap_or_else(|errors| panic!("{errors}"))
}

fn replace(texts: &mut Texts, file: &str, from: &str, to: &str) {
    let text = texts.get_mut(file).unwrap();
    assert!(text.contains(from), "{file} has no {from}");
    *text = text.replacen(from, to, 1);
}

fn members(set: &PolicySet) -> Vec<Subject> {
    let of = |id: &str, role, state| Subject {
        id: id.into(),
        roles: vec![role],
        agency: Some(party(set, "ours", "municipal", state)),
    };
    vec![
        of("mbr_anna", Role::Investigator, "US-NH"),
        of("mbr_ben", Role::Custodian, "US-NH"),
        of("mbr_cleo", Role::Investigator, "US-WA"),
    ]
}

fn names(changes: &[RightChange]) -> Vec<&str> {
    let mut names: Vec<&str> = changes
        .iter()
        .filter_map(|change| match &change.who {
            Who::Member { id } => Some(id.as_str()),
            Who::Everyone { .. } => None,
        })
        .collect();
    names.dedup();
    names
}

#[test]
fn words_alone_change_nobodys_rights() {
    let old = PolicySet::shipped().unwrap();
    let new = changed(|texts| {
        replace(
            texts,
            "caps.cedar",
            "A search belongs to an open case",
            "Every search belongs to an open case",
        );
        replace(texts, "never.cedar", "// What nobody may do", "// What no one may do");
    });
    assert_ne!(old.digest(), new.digest());
    assert_eq!(dry_run(&old, &new, &members(&old)), []);
}

#[test]
fn a_role_that_loses_an_action_loses_it_in_every_class_and_by_name() {
    let old = PolicySet::shipped().unwrap();
    let new = changed(|texts| {
        replace(
            texts,
            "roles.txt",
            "plate.history            * -        -         -        own",
            "plate.history            * -        -         -        -  ",
        );
    });
    let changes = dry_run(&old, &new, &members(&old));
    assert!(!changes.is_empty());
    assert!(changes.iter().all(|change| change.action == "plate.history" && change.lost()), "{changes:#?}");
    assert_eq!(names(&changes), ["mbr_anna", "mbr_cleo"]);
    let roles = changes.iter().filter_map(|change| match &change.who {
        Who::Everyone { role, .. } => Some(*role),
        Who::Member { .. } => None,
    });
    assert!(roles.into_iter().all(|role| role == Role::Investigator));
    let text = summary(&new, &changes);
    assert!(text.contains("lost own: yes → no | plate.history | investigator | all"), "{text}");
    assert!(text.lines().count() < 120, "{text}");
    let back = dry_run(&new, &old, &[]);
    assert!(back.iter().all(RightChange::gained));
}

#[test]
fn a_cap_that_moves_shows_at_the_scope_where_it_moves() {
    let old = PolicySet::shipped().unwrap();
    let new = changed(|texts| {
        replace(
            texts,
            "caps.cedar",
            "context.days > 60 || context.cameras > 200",
            "context.days > 90 || context.cameras > 200",
        )
    });
    let changes = dry_run(&old, &new, &members(&old));
    assert_eq!(names(&changes), Vec::<&str>::new(), "an ordinary search of seven days stays as it was");
    assert!(changes.iter().all(|change| change.gained()), "{changes:#?}");
    let scopes: Vec<&str> = changes.iter().filter_map(|change| change.scope.as_deref()).collect();
    assert_eq!(scopes.len(), changes.len());
    assert!(scopes.contains(&"felony, 90 days, approved, with a warrant"), "{scopes:?}");
    assert!(
        changes.iter().all(|change| change.profile != "us-wa" || change.action == "footage.search"),
        "the law of Washington keeps to 21 days"
    );
}

#[test]
fn a_new_need_and_a_new_law_are_changes() {
    let old = PolicySet::shipped().unwrap();
    let new = changed(|texts| {
        texts.get_mut("second-person.cedar").unwrap().push_str(
            "\n@id(\"second-person.export\")\n@because(\"Two people export.\")\n@needs(\"second-person\")\nforbid (principal, action == \
             Action::\"case.export\", resource)\nwhen { context.approvals < 1 };\n",
        );
    });
    let changes = dry_run(&old, &new, &members(&old));
    assert_eq!(names(&changes), ["mbr_anna", "mbr_ben", "mbr_cleo"]);
    assert!(changes.iter().all(|change| change.action == "case.export" && change.lost()));
    assert!(
        changes.iter().any(|change| change.to == Outcome::Needs(vec![canvass_policy::Need::SecondPerson]))
    );
    let state = changed(|texts| {
        let text = texts["profiles/default.toml"]
            .replace("\"default\"", "\"us-vt\"")
            .replace("subdivisions = []", "subdivisions = [\"US-VT\"]");
        texts.insert("profiles/us-vt.toml".into(), text);
    });
    let changes = dry_run(&old, &state, &[]);
    assert!(
        changes.iter().all(|change| change.profile == "us-vt" && change.gained()),
        "a profile that was not there refused all"
    );
    assert_eq!(state.profile_for("US-VT").unwrap().id, "us-vt");
}

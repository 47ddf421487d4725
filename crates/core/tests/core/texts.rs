//! Published texts on the memory store: contradictions come and go with the settings and the texts, each with its entry.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test's helpers fail the test by panicking"
)]

use std::sync::Arc;

use canvass_core::{
    App, CoreError,
    access::{Actor, Gate, NewToken},
    agencies::NewAgency,
    members::NewMember,
    ports::{Query, Records as _, RecordsExt as _},
    records::{AuditRecord, Claim, Language},
    sharing::SharingScope,
    transparency::{Compared, LiveSetting, NewPolicyText, SettingValue},
};
use canvass_testkit::{ManualClock, MemRecords, SeededEntropy};
use canvass_types::{AgencyClass, AgencyId, Area, Policy, Role, leaf::Log};

struct World {
    app: App<MemRecords>,
    clock: Arc<ManualClock>,
    agency: AgencyId,
    operator: Actor,
    administrator: Actor,
}

async fn agency(app: &App<MemRecords>, operator: &Actor, name: &str, class: AgencyClass) -> AgencyId {
    let square = vec![[-71.6, 43.1], [-71.4, 43.1], [-71.4, 43.3], [-71.6, 43.3], [-71.6, 43.1]];
    let (subdivision, jurisdiction) = ("US-NH".into(), Area::new(square).unwrap());
    let new = NewAgency { name: name.into(), class, subdivision, jurisdiction };
    app.register_agency(operator, new).await.unwrap().public.id
}

async fn member(app: &App<MemRecords>, operator: &Actor, agency: Option<&AgencyId>, role: Role) -> Actor {
    let new = NewMember { agency: agency.cloned(), name: "Some Body".into(), roles: vec![role] };
    let id = app.add_member(operator, new).await.unwrap().id;
    let wish = NewToken { label: "test".into(), roles: Vec::new(), days: 300, scope: None };
    app.sign_in(&app.issue_token(operator, &id, wish).await.unwrap().token).await.unwrap()
}

async fn world() -> World {
    let (clock, chance) = (Arc::new(ManualClock::default()), Arc::new(SeededEntropy::new(8)));
    let gate = Gate::shipped().unwrap();
    let app = App::new(MemRecords::default(), gate, Policy::default(), clock.clone(), chance);
    let (_, token) = app.first_operator("Olga Operator", 30).await.unwrap();
    let operator = app.sign_in(&token.token).await.unwrap();
    let agency = agency(&app, &operator, "Concord Police", AgencyClass::Municipal).await;
    let administrator = member(&app, &operator, Some(&agency), Role::Administrator).await;
    World { app, clock, agency, operator, administrator }
}

fn text(language: Language, claims: Vec<(LiveSetting, SettingValue)>) -> NewPolicyText {
    let claims = claims.into_iter().map(|(setting, value)| Claim { setting, value }).collect();
    NewPolicyText { language, markdown: "What we keep, and for how long.".into(), claims }
}

/// Types and subjects of the entries about contradictions, in order.
async fn entries(app: &App<MemRecords>) -> Vec<(String, String)> {
    let all = app.records().ledger_entries(Log::Oversight, 0, 1_000).await.unwrap();
    let all = all.iter().map(|entry| serde_json::from_slice::<serde_json::Value>(&entry.entry).unwrap());
    let word = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    all.map(|leaf| (word(&leaf["type"]), word(&leaf["subject"])))
        .filter(|(kind, _)| kind.starts_with("contradiction."))
        .collect()
}

fn pair(kind: &str, subject: &str) -> (String, String) {
    (format!("contradiction.{kind}"), subject.to_owned())
}

#[tokio::test]
async fn a_contradiction_is_raised_once_kept_and_cleared_once() {
    let world = world().await;
    let (app, agency) = (&world.app, Some(&world.agency));
    let claim = |days| vec![(LiveSetting::UntriagedDays, SettingValue::Count(days))];
    app.set_policy_text(&world.administrator, agency, text(Language::En, claim(90))).await.unwrap();
    assert_eq!(app.compare_texts().await.unwrap(), Compared::default());
    let at_first = app.set_policy_text(&world.administrator, agency, text(Language::En, claim(30))).await;
    let since = at_first.unwrap().texts[0].contradictions[0].since;
    assert_eq!(app.compare_texts().await.unwrap().raised, 1);
    assert_eq!(app.compare_texts().await.unwrap(), Compared::default());
    // Another text that is as wrong, a day later: the alarm goes on, and is as old as it was.
    world.clock.advance(86_400);
    let texts =
        app.set_policy_text(&world.administrator, agency, text(Language::En, claim(31))).await.unwrap();
    assert_eq!(app.compare_texts().await.unwrap(), Compared::default());
    assert_eq!(texts.texts[0].contradictions[0].since, since);
    assert_eq!(
        app.policy_texts(agency).await.unwrap().texts[0].contradictions[0].claimed,
        SettingValue::Count(31)
    );
    app.set_policy_text(&world.operator, agency, text(Language::En, claim(90))).await.unwrap();
    assert_eq!(app.compare_texts().await.unwrap().cleared, 1);
    let due = [pair("raised", "retention.untriaged_days"), pair("cleared", "retention.untriaged_days")];
    assert_eq!(entries(app).await, due);
    // Each entry has a record with both values, and no words of the text.
    let records =
        app.records().list(Query::<AuditRecord>::new().with("action", "contradiction.raised")).await.unwrap();
    let [record] = &records[..] else { panic!("{records:?}") };
    assert!(record.record.is_whole() && record.record.body.actor.is_none());
    let detail = &record.record.body.detail;
    assert_eq!((&detail["claimed"], &detail["live"]), (&30.into(), &90.into()));
    assert!(!detail.to_string().contains("how long"));
}

#[tokio::test]
async fn each_language_and_the_deployment_are_compared_by_themselves() {
    let world = world().await;
    let (app, agency) = (&world.app, Some(&world.agency));
    let word = |text: &str| SettingValue::Word(text.into());
    let claims = vec![(LiveSetting::LawProfile, word("us-ca")), (LiveSetting::SharingOutside, word("none"))];
    app.set_policy_text(&world.administrator, agency, text(Language::Es, claims)).await.unwrap();
    let claims = vec![(LiveSetting::Moderated, SettingValue::Flag(false))];
    app.set_policy_text(&world.operator, None, text(Language::En, claims)).await.unwrap();
    assert_eq!(app.compare_texts().await.unwrap().raised, 2);
    assert_eq!(entries(app).await, [pair("raised", "law.profile"), pair("raised", "ask.moderated")]);
    let published = app.transparency().await.unwrap();
    assert_eq!(published.deployment.contradictions.len(), 1);
    assert_eq!(published.agencies[0].contradictions[0].live, word("us-nh"));
    let files = app.published_texts().await.unwrap();
    assert_eq!(files.keys().collect::<Vec<_>>(), [world.agency.as_str(), "deployment"]);
    // The state as everybody may see it has the whole deployment's settings but no one state's law.
    let all = app.policy_texts(None).await.unwrap().settings;
    assert!(all.iter().all(|it| it.setting != LiveSetting::LawProfile) && all.len() > 15);
}

#[tokio::test]
async fn a_rule_of_sharing_contradicts_a_text_while_it_is_in_force() {
    let world = world().await;
    let (app, owner) = (&world.app, Some(&world.agency));
    let bureau = agency(app, &world.operator, "Bureau", AgencyClass::Federal).await;
    let none = SettingValue::Word("none".into());
    let claims = vec![(LiveSetting::SharingFederal, none.clone()), (LiveSetting::SharingOutside, none)];
    app.set_policy_text(&world.administrator, owner, text(Language::En, claims)).await.unwrap();
    let rule: canvass_core::records::SharingRule = serde_json::from_value(serde_json::json!({
        "id": "shr_aaaaaaaaaaaaaaaaaaaaaaaaaa", "owner": world.agency, "what": { "kind": "cameras" },
        "scope": SharingScope::Named, "named": [bureau], "within_km": 0, "from": app.now(),
        "until": app.now().plus_days(1), "offered": app.now(), "accepted": [], "ended": null,
    }))
    .unwrap();
    app.records().commit(canvass_core::ports::Changeset::unguarded().insert(&rule)).await.unwrap();
    assert_eq!(app.compare_texts().await.unwrap().raised, 2);
    let shown = app.transparency().await.unwrap();
    let ours = shown.agencies.iter().find(|agency| agency.id == world.agency).unwrap();
    assert_eq!((ours.sharing.len(), ours.contradictions.len()), (1, 2));
    assert!(!serde_json::to_string(&shown).unwrap().contains("shr_"));
    world.clock.advance(86_400);
    assert_eq!(app.compare_texts().await.unwrap().cleared, 2, "its time is over");
}

#[tokio::test]
async fn only_an_administrator_of_the_agency_and_operators_set_texts() {
    let world = world().await;
    let (app, agency) = (&world.app, Some(&world.agency));
    let plain = || text(Language::En, Vec::new());
    for (role, of) in [(Role::Investigator, agency), (Role::Supervisor, agency), (Role::Overseer, None)] {
        // Once an agency has its administrator, operators leave its people alone.
        let adds = if of.is_some() { &world.administrator } else { &world.operator };
        let who = member(app, adds, of, role).await;
        assert!(
            matches!(app.set_policy_text(&who, agency, plain()).await, Err(CoreError::Denied(_))),
            "{role:?}"
        );
    }
    assert!(matches!(
        app.set_policy_text(&world.administrator, None, plain()).await,
        Err(CoreError::Denied(_))
    ));
    let twice = vec![
        (LiveSetting::AuditDays, SettingValue::Count(1)),
        (LiveSetting::AuditDays, SettingValue::Flag(true)),
    ];
    let wrong = app.set_policy_text(&world.administrator, agency, text(Language::En, twice)).await;
    let Err(CoreError::Invalid(problems)) = wrong else { panic!("{wrong:?}") };
    let fields: Vec<&str> = problems.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(fields, ["claims[1].setting", "claims[1].value"]);
    assert!(app.policy_texts(agency).await.unwrap().texts.is_empty());
}

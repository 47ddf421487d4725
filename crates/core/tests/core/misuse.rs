//! Findings of misuse detection on the memory store: from records of acts to an answer, and who may see what.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail the test by panicking")]

use std::sync::Arc;

use canvass_core::{
    App, CoreError,
    access::{Actor, Gate, NewToken},
    agencies::NewAgency,
    members::NewMember,
    misuse::{ChangeVehicles, FindingFilter, HandleFinding},
    ports::{Changeset, Query, Records as _, RecordsExt as _},
    records::{AuditBody, AuditRecord, Finding, FindingState},
};
use canvass_testkit::{ManualClock, MemRecords, SeededEntropy};
use canvass_types::{AgencyClass, AgencyId, Area, AuditId, MemberId, Policy, Purpose, Role, Time, leaf::Log};
use serde_json::json;

struct World {
    app: App<MemRecords>,
    agency: AgencyId,
    operator: Actor,
}

async fn world() -> World {
    let (clock, chance) = (Arc::new(ManualClock::default()), Arc::new(SeededEntropy::new(8)));
    let app = App::new(MemRecords::default(), Gate::shipped().unwrap(), Policy::default(), clock, chance);
    let (_, token) = app.first_operator("Olga Operator", 30).await.unwrap();
    let operator = app.sign_in(&token.token).await.unwrap();
    let square = vec![[-71.6, 43.1], [-71.4, 43.1], [-71.4, 43.3], [-71.6, 43.3], [-71.6, 43.1]];
    let new = NewAgency {
        name: "Concord Police".into(),
        class: AgencyClass::Municipal,
        subdivision: "US-NH".into(),
        jurisdiction: Area::new(square).unwrap(),
    };
    let agency = app.register_agency(&operator, new).await.unwrap().public.id;
    World { app, agency, operator }
}

impl World {
    async fn member(&self, agency: Option<&AgencyId>, role: Role) -> Actor {
        let new = NewMember { agency: agency.cloned(), name: "Some Body".into(), roles: vec![role] };
        let id = self.app.add_member(&self.operator, new).await.unwrap().id;
        let wish = NewToken { label: "test".into(), roles: Vec::new(), days: 300, scope: None };
        let token = self.app.issue_token(&self.operator, &id, wish).await.unwrap();
        self.app.sign_in(&token.token).await.unwrap()
    }

    /// A search as it will be recorded once there are plates.
    async fn search(&self, number: u64, who: &Actor, plate: &str, days_ago: i64) {
        let at = self.app.now().plus_seconds(-86_400 * days_ago);
        self.record(&self.agency, (number, number), who, plate, at).await;
    }

    /// The record of a search that the owner of a camera gets: its own number, and that of the search's first record.
    async fn record(
        &self,
        owner: &AgencyId,
        (number, first): (u64, u64),
        who: &Actor,
        plate: &str,
        at: Time,
    ) {
        let id = |number| AuditId::random(&SeededEntropy::new(1_000 + number));
        let body = AuditBody {
            v: 2,
            id: id(number),
            action: "plate.search".into(),
            agency: Some(owner.clone()),
            subject: plate.into(),
            actor: Some(who.member.clone()),
            actor_agency: who.agency.clone(),
            case: None,
            purpose: Some(Purpose::new("stolen", "seen near the depot by a caller")),
            detail: json!({ "hits": 1, "search": id(first) }),
            at,
        };
        let record = AuditRecord { body, salt: String::new(), leaf: None };
        self.app.records().commit(Changeset::unguarded().insert(&record)).await.unwrap();
    }

    async fn all(&self, who: &Actor) -> Vec<Finding> {
        self.app.findings(who, &FindingFilter::default()).await.unwrap().entries
    }

    async fn detect(&self) -> u32 {
        let mut raised = 0;
        loop {
            let round = self.app.detect_misuse(3).await.unwrap();
            raised += round.raised;
            if !round.more {
                return raised;
            }
        }
    }
}

#[tokio::test]
async fn a_repeated_target_is_found_once_and_never_shown_to_whom_it_concerns() {
    let world = world().await;
    let supervisor = world.member(Some(&world.agency), Role::Supervisor).await;
    let colleague = world.member(Some(&world.agency), Role::Supervisor).await;
    let overseer = world.member(None, Role::Overseer).await;
    for (number, days) in [(1, 9), (2, 6), (3, 2)] {
        world.search(number, &supervisor, "abc 1234", days).await;
    }
    assert_eq!(world.detect().await, 1);
    assert_eq!(world.detect().await, 0);
    let found = world.all(&overseer).await;
    assert_eq!(found.len(), 1);
    let finding = found.first().unwrap();
    assert_eq!((finding.member.clone(), finding.audits.len()), (supervisor.member.clone(), 3));
    // A supervisor is not shown what concerns them, and can't answer for it.
    assert!(world.all(&supervisor).await.is_empty());
    let hidden = world.app.finding(&supervisor, &finding.id).await.unwrap_err();
    assert_eq!(hidden, CoreError::Hidden("finding"));
    let wish = HandleFinding { state: FindingState::Explained, answer: "a stolen car of the depot".into() };
    let own = world.app.handle_finding(&supervisor, &finding.id, wish.clone()).await.unwrap_err();
    assert_eq!(own, CoreError::Hidden("finding"));
    assert_eq!(world.app.finding(&colleague, &finding.id).await.unwrap().acts.len(), 3);
    let short = HandleFinding { answer: "ok".into(), ..wish.clone() };
    assert!(matches!(
        world.app.handle_finding(&colleague, &finding.id, short).await,
        Err(CoreError::Invalid(problems)) if problems.iter().any(|problem| problem.field == "answer")
    ));
    let done = world.app.handle_finding(&colleague, &finding.id, wish.clone()).await.unwrap();
    assert_eq!(done.state, FindingState::Explained);
    assert!(matches!(
        world.app.handle_finding(&colleague, &finding.id, wish.clone()).await,
        Err(CoreError::State { .. })
    ));
    let anew = HandleFinding { state: FindingState::Confirmed, ..wish };
    world.app.handle_finding(&overseer, &finding.id, anew).await.unwrap();
    assert_eq!(world.app.finding_counts().await.unwrap()["repeat"]["confirmed"], 1);
    // What was answered stays so, whatever the job sees later.
    world.search(4, &supervisor, "ABC-1234", 1).await;
    assert_eq!(world.detect().await, 0);
}

#[tokio::test]
async fn searches_of_other_agencies_cameras_count_and_one_search_of_two_owners_counts_once() {
    let world = world().await;
    let member = world.member(Some(&world.agency), Role::Investigator).await;
    let overseer = world.member(None, Role::Overseer).await;
    let theirs: [AgencyId; 2] = [1, 2].map(|seed| AgencyId::random(&SeededEntropy::new(seed)));
    // Two searches, each with a record for both owners that a moment lies between, are no pattern; a third is, and it is found
    // for the searcher's own agency.
    let ago = |days: i64, seconds: i64| world.app.now().plus_seconds(seconds - 86_400 * days);
    for (first, days) in [(10, 9), (20, 6)] {
        world.record(&theirs[0], (first, first), &member, "abc 1234", ago(days, 0)).await;
        world.record(&theirs[1], (first + 1, first), &member, "abc 1234", ago(days, 2)).await;
    }
    assert_eq!(world.detect().await, 0);
    world.record(&theirs[0], (30, 30), &member, "abc 1234", ago(2, 0)).await;
    assert_eq!(world.detect().await, 1);
    let found = world.all(&overseer).await;
    let found = found.first().unwrap();
    assert_eq!((&found.agency, &found.member, found.audits.len()), (&world.agency, &member.member, 3));
}

#[tokio::test]
async fn own_vehicles_are_kept_as_pseudonyms_and_a_search_for_one_is_found() {
    let world = world().await;
    let investigator = world.member(Some(&world.agency), Role::Investigator).await;
    let other = world.member(Some(&world.agency), Role::Investigator).await;
    let overseer = world.member(None, Role::Overseer).await;
    let wish = ChangeVehicles { add: vec!["ZZQ 9876".into()], remove: Vec::new() };
    let id: &MemberId = &investigator.member;
    assert!(world.app.change_vehicles(&other, id, &wish).await.is_err());
    assert_eq!(world.app.change_vehicles(&investigator, id, &wish).await.unwrap().len(), 1);
    world.search(1, &investigator, "zzq-9876", 1).await;
    world.search(2, &other, "zzq-9876", 1).await;
    assert_eq!(world.detect().await, 1);
    let found = world.all(&overseer).await;
    assert_eq!(found.first().unwrap().member, investigator.member);
    // Neither the plate nor the member stands in the ledger's entry, nor the plate in any record of ours.
    let entries = world.app.records().ledger_entries(Log::Oversight, 0, 1_000).await.unwrap();
    let texts: Vec<String> =
        entries.iter().map(|it| String::from_utf8_lossy(&it.entry).into_owned()).collect();
    assert!(texts.iter().any(|text| text.contains("finding.raised")));
    assert!(texts.iter().all(|text| !text.contains("ZZQ") && !text.contains(id.as_str())));
    let records =
        world.app.records().list(Query::<AuditRecord>::new().with("action", "member.vehicle")).await;
    assert!(!format!("{:?}", records.unwrap()).contains("9876"));
    let gone = ChangeVehicles { add: Vec::new(), remove: vec!["ZZQ9876".into()] };
    assert!(world.app.change_vehicles(&investigator, id, &gone).await.unwrap().is_empty());
}

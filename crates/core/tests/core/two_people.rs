//! Changes that take two people: limits and rules, from the proposal to the ledger, and what stands in their way.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test's helpers fail the test by panicking"
)]

use std::{collections::BTreeMap, sync::Arc};

use canvass_core::{
    App, CoreError,
    access::{Actor, By, Denied, Gate},
    ports::{Changeset, Query, Records, RecordsExt as _},
    proposals::{NewLimits, NewRules, ProposalFilter, ProposalView, RulesFault},
    records::{AuditRecord, Member, OversightNotice, ProposalState, Setting},
};
use canvass_policy::shipped_texts;
use canvass_testkit::{
    ManualClock, MemRecords, SeededEntropy,
    faults::{FailingRecords, Failure},
};
use canvass_types::{Digest, Policy, Role, canonical, leaf::Log};
use serde_json::{Value, json};

const REASON: &str = "the council asked for shorter windows";

struct Desk<R: Records = MemRecords> {
    app: App<R>,
    clock: Arc<ManualClock>,
    one: Actor,
    two: Actor,
    overseer: Actor,
}

fn person(letter: char, role: Role) -> (Member, Actor) {
    let member: Member = serde_json::from_value(json!({
        "id": format!("mbr_{}a", letter.to_string().repeat(25)), "agency": null, "name": format!("Person {letter}"),
        "roles": [role], "recipient": null, "active": true, "added": "2026-01-01T00:00:00Z",
    }))
    .unwrap();
    let by = By::Token { id: "tok_aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap(), scope: None };
    let actor = Actor::new(&member, None, member.roles.clone(), by);
    (member, actor)
}

fn app<R: Records>(records: R, clock: &Arc<ManualClock>, seed: u64) -> App<R> {
    let entropy = Arc::new(SeededEntropy::new(seed));
    App::new(records, Gate::shipped().unwrap(), Policy::default(), clock.clone(), entropy)
}

async fn people(store: &MemRecords) -> (Actor, Actor, Actor) {
    let (first, one) = person('c', Role::Operator);
    let (second, two) = person('d', Role::Operator);
    let (third, overseer) = person('e', Role::Overseer);
    let changes = Changeset::unguarded().insert(&first).insert(&second).insert(&third);
    store.commit(changes).await.unwrap();
    (one, two, overseer)
}

async fn desk() -> Desk {
    let (store, clock) = (MemRecords::new(), Arc::new(ManualClock::default()));
    let (one, two, overseer) = people(&store).await;
    let app = app(store, &clock, 5);
    app.set_up_policy(Policy::default()).await.unwrap();
    app.note_rules().await.unwrap();
    Desk { app, clock, one, two, overseer }
}

fn limits(minutes: u32) -> NewLimits {
    let mut policy = Policy::default();
    policy.ask.max_minutes = minutes;
    NewLimits { policy, reason: REASON.into() }
}

fn files(path: &str, text: String) -> NewRules {
    NewRules {
        files: BTreeMap::from([(path.to_owned(), text)]),
        reason: REASON.into(),
        ..NewRules::default()
    }
}

/// The shipped rules without the overseers' right to read records of actions.
fn fewer_rights() -> NewRules {
    let text = shipped_texts()["roles.txt"].clone();
    let row = text.lines().find(|line| line.starts_with("audit.read")).unwrap();
    let mut words: Vec<&str> = row.split_whitespace().collect();
    *words.iter_mut().rev().nth(4).unwrap() = "-";
    let changed = text.replace(row, &words.join(" "));
    assert_ne!(text, changed);
    files("roles.txt", changed)
}

fn denied(error: &CoreError) -> Vec<String> {
    let CoreError::Denied(denied) = error else { panic!("{error}") };
    denied.rules()
}

impl<R: Records> Desk<R> {
    async fn entries(&self, log: Log) -> Vec<Value> {
        let entries = self.app.records().ledger_entries(log, 0, 1_000).await.unwrap();
        entries.iter().map(|entry| serde_json::from_slice(&entry.entry).unwrap()).collect()
    }

    async fn kinds(&self, log: Log) -> Vec<String> {
        self.entries(log).await.iter().map(|entry| entry["type"].as_str().unwrap().to_owned()).collect()
    }

    async fn count(&self, log: Log, kind: &str) -> usize {
        self.kinds(log).await.iter().filter(|each| *each == kind).count()
    }

    async fn state(&self, proposal: &ProposalView) -> ProposalState {
        self.app.proposal(&self.one, &proposal.id).await.unwrap().proposal.state
    }
}

#[tokio::test]
async fn limits_take_two_operators_and_stand_in_both_ledgers() {
    let desk = desk().await;
    let proposal = desk.app.propose_limits(&desk.one, limits(600)).await.unwrap();
    assert_eq!(desk.app.policy().ask.max_minutes, 720, "nothing changes yet");
    let detail = desk.app.proposal(&desk.two, &proposal.id).await.unwrap();
    assert!(detail.diff.contains("-    \"max_minutes\": 720"), "{}", detail.diff);
    assert!(detail.diff.contains("+    \"max_minutes\": 600") && detail.stale.is_none());
    assert_eq!(detail.proposal.by_name, "Person c");

    let own = desk.app.approve_proposal(&desk.one, &proposal.id).await.unwrap_err();
    assert_eq!(denied(&own), ["second-person.own-proposal"]);
    assert!(own.to_string().contains("Nobody approves what they proposed themselves"), "{own}");
    let overseer = desk.app.approve_proposal(&desk.overseer, &proposal.id).await.unwrap_err();
    assert!(matches!(overseer, CoreError::Denied(Denied::Role { .. } | Denied::Rule { .. })), "{overseer}");
    assert_eq!(desk.app.policy().ask.max_minutes, 720);

    let done = desk.app.approve_proposal(&desk.two, &proposal.id).await.unwrap();
    assert_eq!(done.state, ProposalState::Approved);
    assert_eq!(done.decided.unwrap().by.as_ref(), Some(&desk.two.member));
    assert_eq!(desk.app.policy().ask.max_minutes, 600);
    let requests = desk.entries(Log::Requests).await;
    let newest = requests.last().unwrap();
    assert_eq!((newest["type"].as_str(), &newest["digest"]), (Some("policy.set"), &json!(proposal.digest)));
    let oversight = desk.kinds(Log::Oversight).await;
    for kind in ["policy.propose", "policy.approve"] {
        assert!(oversight.contains(&kind.to_owned()), "{oversight:?}");
    }
    assert_eq!(desk.count(Log::Oversight, "access.refused").await, 2);
    let again = desk.app.approve_proposal(&desk.two, &proposal.id).await.unwrap_err();
    assert!(again.to_string().contains("approved already"), "{again}");

    // The overseers are told, and one of them marks it.
    let notices = desk.app.notices(&desk.overseer, &Default::default()).await.unwrap().entries;
    let [notice]: [OversightNotice; 1] = notices.try_into().unwrap();
    assert_eq!((notice.what.as_str(), notice.subject.as_str()), ("policy.approve", proposal.id.as_str()));
    let seen = desk.app.notice_seen(&desk.overseer, &notice.id).await.unwrap();
    assert_eq!(seen.seen.as_ref(), Some(&desk.overseer.member));
    assert!(desk.app.notices(&desk.one, &Default::default()).await.is_err());
}

#[tokio::test]
async fn one_operator_alone_is_told_to_bring_a_second() {
    let (store, clock) = (MemRecords::new(), Arc::new(ManualClock::default()));
    let (first, one) = person('c', Role::Operator);
    let (mut second, _) = person('d', Role::Operator);
    second.active = false;
    store.commit(Changeset::unguarded().insert(&first).insert(&second)).await.unwrap();
    let app = app(store, &clock, 5);
    for error in [
        app.propose_limits(&one, limits(600)).await.unwrap_err(),
        app.propose_rules(&one, fewer_rights()).await.unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(text.contains("two operators") && text.contains("canvass member add"), "{text}");
    }
}

#[tokio::test]
async fn a_proposal_is_checked_when_it_is_made() {
    let desk = desk().await;
    let Err(CoreError::Invalid(same)) = desk.app.propose_limits(&desk.one, limits(720)).await else {
        panic!()
    };
    assert_eq!((same[0].field.as_str(), same[0].rule.as_str()), ("policy", "same"));
    let Err(CoreError::Invalid(range)) = desk.app.propose_limits(&desk.one, limits(1)).await else {
        panic!()
    };
    assert_eq!(range[0].field, "ask.max_minutes");
    let short = NewLimits { reason: "because".into(), ..limits(600) };
    let Err(CoreError::Invalid(short)) = desk.app.propose_limits(&desk.one, short).await else { panic!() };
    assert_eq!(short[0].field, "reason");
    assert_eq!(desk.app.proposals(&desk.one, &ProposalFilter::default()).await.unwrap().entries, []);
    assert!(desk.app.propose_limits(&desk.overseer, limits(600)).await.is_err());
}

#[tokio::test]
async fn what_rests_on_an_older_policy_is_stale() {
    let desk = desk().await;
    let first = desk.app.propose_limits(&desk.one, limits(600)).await.unwrap();
    let second = desk.app.propose_limits(&desk.one, limits(500)).await.unwrap();
    desk.app.approve_proposal(&desk.two, &first.id).await.unwrap();
    let detail = desk.app.proposal(&desk.two, &second.id).await.unwrap();
    assert!(detail.stale.unwrap().contains("the policy changed since"));
    let stale = desk.app.approve_proposal(&desk.two, &second.id).await.unwrap_err().to_string();
    assert!(stale.contains("the policy changed since") && stale.contains("propose anew"), "{stale}");
    assert_eq!(desk.app.policy().ask.max_minutes, 600);
    assert_eq!(desk.state(&second).await, ProposalState::Open);

    let rules = desk.app.propose_rules(&desk.one, fewer_rights()).await.unwrap();
    let mut other = fewer_rights();
    other.files.values_mut().for_each(|text| text.push_str("# a remark\n"));
    let other = desk.app.propose_rules(&desk.two, other).await.unwrap();
    desk.app.approve_proposal(&desk.one, &other.id).await.unwrap();
    let stale = desk.app.approve_proposal(&desk.two, &rules.id).await.unwrap_err().to_string();
    assert!(stale.contains("the rules changed since"), "{stale}");
}

#[tokio::test]
async fn proposals_are_refused_withdrawn_and_expire() {
    let desk = desk().await;
    let one = desk.app.propose_limits(&desk.one, limits(600)).await.unwrap();
    let own = desk.app.refuse_proposal(&desk.one, &one.id, REASON).await.unwrap_err().to_string();
    assert!(own.contains("withdraw it instead"), "{own}");
    assert!(
        desk.app.withdraw_proposal(&desk.two, &one.id).await.unwrap_err().to_string().contains("refuse it")
    );
    assert!(matches!(desk.app.refuse_proposal(&desk.two, &one.id, "no").await, Err(CoreError::Invalid(_))));
    let refused = desk.app.refuse_proposal(&desk.two, &one.id, "too short for night shifts").await.unwrap();
    assert_eq!(refused.state, ProposalState::Refused);
    let two = desk.app.propose_limits(&desk.one, limits(500)).await.unwrap();
    assert_eq!(desk.app.withdraw_proposal(&desk.one, &two.id).await.unwrap().state, ProposalState::Withdrawn);
    let three = desk.app.propose_limits(&desk.one, limits(400)).await.unwrap();
    desk.clock.advance(14 * 86_400 - 1);
    assert_eq!(desk.app.sweep(10).await.unwrap().proposals, 0);
    desk.clock.advance(1);
    assert_eq!(desk.state(&three).await, ProposalState::Expired);
    for error in [
        desk.app.approve_proposal(&desk.two, &three.id).await.unwrap_err(),
        desk.app.refuse_proposal(&desk.two, &three.id, REASON).await.unwrap_err(),
        desk.app.withdraw_proposal(&desk.one, &three.id).await.unwrap_err(),
    ] {
        assert!(error.to_string().contains("expired on"), "{error}");
    }
    assert_eq!(desk.app.sweep(10).await.unwrap().proposals, 1);
    assert_eq!(desk.app.sweep(10).await.unwrap().proposals, 0);
    let kinds = desk.kinds(Log::Oversight).await;
    for kind in ["proposal.refuse", "proposal.withdraw", "proposal.expired"] {
        assert!(kinds.contains(&kind.to_owned()), "{kind}");
    }
    assert_eq!(desk.count(Log::Requests, "policy.set").await, 1, "only the first set-up");
    let days = i64::from(desk.app.policy().retention.audit_days);
    desk.clock.advance(days * 86_400 + 1);
    assert_eq!(desk.app.sweep(10).await.unwrap().governance, 3, "decided proposals are forgotten");
}

#[tokio::test]
async fn rules_take_two_operators_and_the_dry_run_names_who_loses_what() {
    let desk = desk().await;
    let before = desk.app.gate().policies().digest();
    let proposal = desk.app.propose_rules(&desk.one, fewer_rights()).await.unwrap();
    let detail = desk.app.proposal(&desk.two, &proposal.id).await.unwrap();
    assert!(
        detail.diff.contains("--- a/roles.txt") && detail.diff.contains("--- a/roles.cedar"),
        "{}",
        detail.diff
    );
    let lost: Vec<_> = detail.dry_run.iter().filter(|right| right.action == "audit.read").collect();
    let person = lost.iter().find(|right| right.name.is_some()).unwrap();
    assert_eq!((person.name.as_deref(), person.effect.as_str()), (Some("Person e"), "lost"));
    assert!(lost.iter().any(|right| right.who == "overseer") && detail.summary.contains("lost"));
    assert_eq!(detail.dry_run.len(), lost.len(), "nothing else changes");

    assert!(desk.app.audit(&desk.overseer, &Default::default()).await.is_ok());
    desk.app.approve_proposal(&desk.two, &proposal.id).await.unwrap();
    assert!(
        desk.app.audit(&desk.overseer, &Default::default()).await.is_err(),
        "the gate asks the new rules"
    );
    let newest = desk.entries(Log::Requests).await.pop().unwrap();
    assert_eq!((newest["type"].as_str(), &newest["digest"]), (Some("rules.set"), &json!(proposal.digest)));
    assert_ne!(before, proposal.digest);
    let rules = desk.app.rules().await.unwrap();
    assert_eq!(
        Digest::of(&canonical(&rules).unwrap()),
        proposal.digest,
        "what is published is what the ledger names"
    );

    // A new start finds them, and enters nothing twice.
    let again = app(MemRecords::clone(desk.app.records()), &desk.clock, 6);
    again.load_rules(None).await.unwrap();
    again.note_rules().await.unwrap();
    assert_eq!(again.gate().policies().digest(), proposal.digest);
    assert_eq!(desk.count(Log::Requests, "rules.set").await, 2, "at the first start, and now");

    // Back to what ships.
    let wish = NewRules { shipped: true, reason: REASON.into(), ..NewRules::default() };
    let back = desk.app.propose_rules(&desk.two, wish).await.unwrap();
    assert_eq!(back.digest, before);
    desk.app.approve_proposal(&desk.one, &back.id).await.unwrap();
    assert!(desk.app.audit(&desk.overseer, &Default::default()).await.is_ok());
}

#[tokio::test]
async fn rules_that_cant_be_used_are_refused_with_file_and_line() {
    let desk = desk().await;
    let refused = async |wish: NewRules| match desk.app.propose_rules(&desk.one, wish).await {
        Err(CoreError::Invalid(problems)) => problems,
        other => panic!("{other:?}"),
    };
    let broken = shipped_texts()["caps.cedar"].replacen("permit", "forbid", 0) + "\nforbid (principal,";
    let problems = refused(files("caps.cedar", broken)).await;
    assert!(problems[0].field.starts_with("files.caps.cedar"), "{problems:?}");
    let unknown = shipped_texts()["caps.cedar"].clone()
        + "\n@id(\"caps.x\")\n@because(\"x\")\nforbid (principal, action, resource)\nwhen { context.nothing > 3 };\n";
    let problems = refused(files("caps.cedar", unknown)).await;
    assert!(problems[0].field.starts_with("files.caps.cedar:"), "the line is named: {problems:?}");
    let problems = refused(files("songs.txt", "la".into())).await;
    assert_eq!(problems[0].field, "files.songs.txt");
    let problems = refused(NewRules { remove: vec!["songs.txt".into()], ..fewer_rights() }).await;
    assert_eq!(problems[0].field, "remove");
    let row =
        |text: &str, action: &str| text.lines().find(|line| line.starts_with(action)).unwrap().to_owned();
    let roles = shipped_texts()["roles.txt"].clone();
    let shut = row(&roles, "policy.approve");
    let nobody = roles.replace(&shut, &shut.replace("any", "-"));
    let problems = refused(files("roles.txt", nobody)).await;
    assert!(problems[0].message.contains("nobody could change the rules again"), "{problems:?}");
    let problems = refused(files("roles.txt", roles.clone())).await;
    assert_eq!(problems[0].rule, "same");
    let problems = refused(files("never.cedar", "x".repeat(1_000_001))).await;
    assert_eq!(problems[0].rule, "size");
}

#[tokio::test]
async fn stored_rules_that_this_version_cant_use_stop_the_start_until_they_are_mended() {
    let desk = desk().await;
    let proposal = desk.app.propose_rules(&desk.one, fewer_rights()).await.unwrap();
    desk.app.approve_proposal(&desk.two, &proposal.id).await.unwrap();
    let store = MemRecords::clone(desk.app.records());
    let row = store.get::<Setting>("rules-texts").await.unwrap().unwrap();
    let mut texts: BTreeMap<String, String> = serde_json::from_value(row.record.value.clone()).unwrap();
    let roles = texts["roles.txt"].clone();
    let older: String = roles
        .lines()
        .filter(|line| !line.starts_with("notice.read"))
        .map(|line| format!("{line}\n"))
        .collect();
    texts.insert("roles.txt".into(), older);
    let table = canvass_policy::Table::read(&texts).unwrap();
    texts.insert("roles.cedar".into(), canvass_policy::roles_cedar(&table));
    let setting = Setting { name: "rules-texts".into(), value: json!(texts) };
    store.commit(Changeset::unguarded().update(&row, &setting)).await.unwrap();

    let later = app(store, &desk.clock, 8);
    let Err(RulesFault::Unusable(errors)) = later.load_rules(None).await else { panic!() };
    let text = RulesFault::Unusable(errors).to_string();
    assert!(text.contains("roles.txt") && text.contains("notice.read"), "{text}");
    let repair = BTreeMap::from([("roles.txt".to_owned(), roles)]);
    later.load_rules(Some(&repair)).await.unwrap();
    later.note_rules().await.unwrap();
    assert_eq!(later.gate().policies().digest(), proposal.digest);
    assert!(later.load_rules(None).await.is_ok(), "the mended ones are stored");
}

#[tokio::test]
async fn a_lost_answer_leaves_the_stored_policy_in_force_and_the_proposal_decided_or_open() {
    for failure in [Failure::BeforeStoring, Failure::AfterStoring] {
        for rules in [false, true] {
            let (store, clock) = (MemRecords::new(), Arc::new(ManualClock::default()));
            let (one, two, overseer) = people(&store).await;
            let sound = app(store.clone(), &clock, 5);
            sound.set_up_policy(Policy::default()).await.unwrap();
            let proposal = match rules {
                false => sound.propose_limits(&one, limits(600)).await.unwrap(),
                true => sound.propose_rules(&one, fewer_rights()).await.unwrap(),
            };
            let failing = app(FailingRecords::new(store, 1, failure), &clock, 9);
            failing.load_policy().await.unwrap();
            let desk = Desk { app: failing, clock, one, two, overseer };
            desk.app.approve_proposal(&desk.two, &proposal.id).await.unwrap_err();
            let stored = failure == Failure::AfterStoring;
            let digest = match rules {
                false => Digest::of(&canonical(desk.app.policy()).unwrap()),
                true => desk.app.gate().policies().digest(),
            };
            assert_eq!(digest == proposal.digest, stored, "{failure:?} {rules}");
            let state = desk.state(&proposal).await;
            assert_eq!(state, if stored { ProposalState::Approved } else { ProposalState::Open });
            let kind = if rules { "rules.set" } else { "policy.set" };
            let entered = desk.count(Log::Requests, kind).await;
            assert_eq!(entered, usize::from(stored) + usize::from(!rules), "all or nothing");
            let audit: Vec<_> = desk
                .app
                .records()
                .list(Query::<AuditRecord>::new().with("action", "policy.approve"))
                .await
                .unwrap();
            assert_eq!(audit.len(), usize::from(stored));
            if !stored {
                desk.app.approve_proposal(&desk.two, &proposal.id).await.unwrap();
            }
            assert_eq!(desk.state(&proposal).await, ProposalState::Approved);
        }
    }
}

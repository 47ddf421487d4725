//! Searches that take a second person: asked for, approved by another, run as asked, and over in time.

use canvass_core::{
    CoreError,
    access::Actor,
    plates::{
        APPROVED_HOURS, Answered, ApprovalDetail, ApprovalFilter, AskedQuestion, HistoryOfPlate, Question,
        RunApproved, SearchConvoy, SearchPlates, WAITS_HOURS, WhoseCameras,
    },
    records::ApprovalState,
};
use canvass_types::{ApprovalId, Purpose};

use super::world::*;

impl World {
    pub async fn ask(&self, who: &Actor, question: Question) -> Result<ApprovalDetail, CoreError> {
        self.app.ask_approval(who, &purpose(), &AskedQuestion { question }).await
    }

    pub async fn run(&self, who: &Actor, id: &ApprovalId) -> Result<Answered, CoreError> {
        let granted = self.app.run_approved(who, id, &RunApproved::default()).await?;
        self.app.question_found(self.reads.run(granted)?).await
    }

    /// Asks as the investigator and approves as the supervisor of an agency.
    pub async fn approved(&self, letter: char, question: Question) -> ApprovalId {
        let asked = self.ask(&self.who(letter, 0).await, question).await.unwrap().approval.id;
        let done = self.app.approve_search(&self.who(letter, 1).await, &asked).await.unwrap();
        assert_eq!(done.approval.state, ApprovalState::Approved);
        asked
    }
}

pub fn convoy(plate: &str) -> SearchConvoy {
    SearchConvoy { plate: plate.into(), ..SearchConvoy::default() }
}

fn wide(world: &World) -> SearchPlates {
    SearchPlates { from: Some(world.clock.time().plus_seconds(-40 * 86_400)), ..plate("ABC123") }
}

#[tokio::test]
async fn a_wide_search_is_told_to_take_a_second_person_and_runs_as_it_was_asked() {
    let world = World::new().await;
    let camera = world.camera('a', "Elm and Main").await;
    world.send('a', &camera, &[("ABC123", 60), ("ZZZ999", 30)]).await;
    let (ines, sam) = (world.who('a', 0).await, world.who('a', 1).await);
    let question = Question::Search(wide(&world));
    let wish = AskedQuestion { question: question.clone() };
    let plan = world.app.plan_search(&ines, &purpose(), &wish).await.unwrap();
    assert!(!plan.allowed && plan.second_person);
    assert_eq!((plan.needs.as_slice(), plan.cameras, plan.days), (&["second-person".to_owned()][..], 1, 40));
    assert!(plan.because[0].contains("30 days"), "{:?}", plan.because);
    assert!(world.entries("access.refused").await.is_empty(), "a plan leaves no entry");
    assert!(world.search(&ines, &purpose(), &wide(&world)).await.is_err());
    let narrow = AskedQuestion { question: Question::Search(plate("ABC123")) };
    assert!(world.app.plan_search(&ines, &purpose(), &narrow).await.unwrap().allowed);
    let needless = world.ask(&ines, narrow.question).await.unwrap_err();
    assert!(needless.to_string().contains("takes no second person"), "{needless}");

    let asked = world.ask(&ines, question).await.unwrap();
    let id = asked.approval.id.clone();
    assert!(asked.approval.mine && !asked.approval.decides);
    let [entry] = &world.entries("approval.ask").await[..] else { panic!() };
    let public = serde_json::to_string(entry.leaf.as_ref().unwrap()).unwrap();
    assert!(!public.contains("ABC123"), "{public}");
    assert!(!entry.body.detail.to_string().contains("ABC123"), "its record names no plate either");
    let early = world.run(&ines, &id).await.unwrap_err();
    assert!(early.to_string().contains("nobody approved"), "{early}");

    let seen = world.app.approval(&sam, &id).await.unwrap();
    assert!(seen.approval.decides && !seen.approval.mine);
    assert_eq!(seen.plan.as_ref().map(|plan| (plan.cameras, plan.days)), Some((1, 40)));
    let Question::Search(fixed) = &seen.question else { panic!() };
    assert!(fixed.from.is_some() && fixed.until.is_some(), "what is approved can't move");
    world.app.approve_search(&sam, &id).await.unwrap();
    let answer = world.run(&ines, &id).await.unwrap();
    let found = answer.reads.unwrap();
    assert_eq!(plates(&found), ["ABC123"]);
    let entries = world.entries("plate.search").await;
    let detail = &entries.last().unwrap().body.detail;
    assert_eq!(detail["approval"], id.to_string());
    assert_eq!(detail["approved_by"], sam.member.to_string());
    assert_eq!(entries.last().unwrap().body.actor.as_ref(), Some(&ines.member));
    // Another run is another entry; nobody else runs it.
    world.run(&ines, &id).await.unwrap();
    assert_eq!(world.entries("plate.search").await.len(), entries.len() + 1);
    assert!(world.run(&sam, &id).await.unwrap_err().to_string().contains("somebody else asked"));
    assert_eq!(world.entries("approval.give").await.len(), 1);
}

#[tokio::test]
async fn nobody_approves_their_own_and_who_has_no_business_with_it_sees_nothing() {
    let world = World::new().await;
    let camera = world.camera('a', "Elm and Main").await;
    world.send('a', &camera, &[("ABC123", 60)]).await;
    let (ines, sam) = (world.who('a', 0).await, world.who('a', 1).await);
    let id = world.ask(&ines, Question::Convoy(convoy("ABC123"))).await.unwrap().approval.id;
    let refused = world.app.approve_search(&ines, &id).await.unwrap_err();
    assert_eq!(rules(&refused), ["roles.none"]);
    // A supervisor's own: the one supervisor has nobody to ask.
    let alone = world.ask(&sam, Question::Convoy(convoy("ABC123"))).await.unwrap_err();
    assert!(alone.to_string().contains("two people"), "{alone}");
    let custodian = world.who('a', 2).await;
    assert!(world.app.approval(&custodian, &id).await.is_err());
    for stranger in [world.who('b', 0).await, world.who('b', 1).await] {
        let hidden = world.app.approval(&stranger, &id).await.unwrap_err();
        assert!(matches!(hidden, CoreError::Denied(canvass_core::access::Denied::Hidden)), "{hidden}");
        assert!(world.app.approve_search(&stranger, &id).await.is_err());
        assert!(world.app.approvals(&stranger, &ApprovalFilter::default()).await.unwrap().entries.is_empty());
    }
    let listed = world.app.approvals(&sam, &ApprovalFilter::default()).await.unwrap().entries;
    assert_eq!((listed.len(), listed[0].decides), (1, true));
    let short = world.app.refuse_search(&sam, &id, "no").await.unwrap_err();
    assert_eq!(rules(&short), ["reason.length"]);
    let told = world.app.refuse_search(&sam, &id, "Two days around it are enough").await.unwrap();
    assert_eq!(told.approval.state, ApprovalState::Refused);
    assert!(world.run(&ines, &id).await.unwrap_err().to_string().contains("refused"));
    assert!(world.app.approve_search(&sam, &id).await.is_err(), "it is decided");
    assert_eq!(world.entries("approval.refuse").await.len(), 1);
}

#[tokio::test]
async fn an_approval_is_over_in_a_day_and_a_wish_in_three_and_what_is_withdrawn_runs_no_more() {
    let world = World::new().await;
    let camera = world.camera('a', "Elm and Main").await;
    world.send('a', &camera, &[("ABC123", 60)]).await;
    let (ines, sam) = (world.who('a', 0).await, world.who('a', 1).await);
    let question = || Question::Convoy(convoy("ABC123"));
    let id = world.approved('a', question()).await;
    world.run(&ines, &id).await.unwrap();
    assert_eq!(world.entries("plate.convoy").await.len(), 1);
    world.clock.advance(APPROVED_HOURS * 3_600);
    let over = world.run(&ines, &id).await.unwrap_err();
    assert!(over.to_string().contains("over"), "{over}");
    assert_eq!(world.app.approval(&sam, &id).await.unwrap().approval.state, ApprovalState::Expired);

    let id = world.ask(&ines, question()).await.unwrap().approval.id;
    world.clock.advance(WAITS_HOURS * 3_600);
    assert!(world.app.approve_search(&sam, &id).await.unwrap_err().to_string().contains("over"));

    let id = world.approved('a', question()).await;
    assert!(world.app.withdraw_search(&sam, &id).await.is_err());
    world.app.withdraw_search(&ines, &id).await.unwrap();
    assert!(world.run(&ines, &id).await.unwrap_err().to_string().contains("took this back"));
    assert_eq!(world.entries("plate.convoy").await.len(), 1);
    // Long after, question and all are dropped.
    let days = world.app.policy().retention.audit_days + 1;
    world.clock.advance(i64::from(days) * 86_400);
    assert!(world.app.sweep(100).await.unwrap().governance >= 3);
    assert!(world.app.approvals(&sam, &ApprovalFilter::default()).await.unwrap().entries.is_empty());
}

#[tokio::test]
async fn what_the_rules_forbid_with_an_approval_too_is_refused_when_it_is_asked_and_when_it_is_run() {
    let world = World::new().await;
    let camera = world.camera('a', "Elm and Main").await;
    world.send('a', &camera, &[("ABC123", 60)]).await;
    let (ines, sam) = (world.who('a', 0).await, world.who('a', 1).await);
    let wish = AskedQuestion { question: Question::Convoy(convoy("ABC123")) };
    let other = Purpose { case: Some("26-78".into()), ..purpose() };
    let plan = world.app.plan_search(&ines, &other, &wish).await.unwrap();
    assert!(!plan.allowed && !plan.second_person);
    assert_eq!(plan.needs, ["open-case", "second-person"]);
    let refused = world.app.ask_approval(&ines, &other, &wish).await.unwrap_err();
    assert_eq!(rules(&refused), ["caps.case"]);
    assert_eq!(world.entries("access.refused").await.len(), 1);
    let empty = Purpose { reason: "investigation".into(), ..purpose() };
    assert!(world.app.ask_approval(&ines, &empty, &wish).await.is_err(), "the approver reads the reason");
    let far = SearchPlates { from: Some(world.clock.time().plus_seconds(-61 * 86_400)), ..plate("ABC123") };
    let refused = world.ask(&ines, Question::Search(far)).await.unwrap_err();
    assert!(rules(&refused).contains(&"caps.felony".to_owned()), "{refused}");

    // The case is closed after the approval: the rules count when it is run.
    let id = world.approved('a', wish.question).await;
    let case = world.app.cases(&sam, &Default::default()).await.unwrap().entries[0].id.clone();
    world.app.close_case(&sam, &case).await.unwrap();
    let refused = world.run(&ines, &id).await.unwrap_err();
    assert_eq!(rules(&refused), ["caps.case"]);
    assert!(world.entries("plate.convoy").await.is_empty());
}

#[tokio::test]
async fn each_owner_gets_an_entry_of_an_approved_search_and_its_law_counts() {
    let world = World::new().await;
    let (ours, theirs, hits) =
        (world.camera('a', "Ours").await, world.camera('b', "Theirs").await, world.camera('n', "Hits").await);
    world.share('b', 'a').await;
    world.share('n', 'a').await;
    for (letter, camera) in [('a', &ours), ('b', &theirs), ('n', &hits)] {
        world.send(letter, camera, &[("ABC123", 60), ("BBB222", 50)]).await;
    }
    let wish = SearchConvoy { whose: WhoseCameras::Shared, ..convoy("ABC123") };
    let id = world.approved('a', Question::Convoy(wish)).await;
    let found = world.run(&world.who('a', 0).await, &id).await.unwrap().convoy.unwrap();
    let searched: Vec<_> = found.searched.iter().map(|one| (one.agency.clone(), one.hits_only)).collect();
    assert_eq!(searched, [(id_('a'), false), (id_('b'), false), (id_('n'), true)]);
    // New Hampshire's readers give out hits alone: neither plate met a list there.
    assert_eq!(found.passes.len(), 2);
    let [one] = &found.companions[..] else { panic!("{:?}", found.companions.len()) };
    assert_eq!((one.plate.as_str(), one.cameras), ("BBB222", 2));
    let entries = world.entries("plate.convoy").await;
    assert_eq!(entries.len(), 3, "one with each owner");
    assert!(entries.iter().all(|entry| entry.body.detail["approval"] == id.to_string()));
}

fn id_(letter: char) -> canvass_types::AgencyId {
    super::world::id(letter)
}

#[tokio::test]
async fn a_history_of_one_plate_can_be_approved_too() {
    let world = World::new().await;
    let camera = world.camera('a', "Elm and Main").await;
    world.send('a', &camera, &[("ABC123", 60)]).await;
    let from = Some(world.clock.time().plus_seconds(-50 * 86_400));
    let wish = HistoryOfPlate { plate: "ABC123".into(), from, ..HistoryOfPlate::default() };
    let id = world.approved('a', Question::History(wish)).await;
    let found = world.run(&world.who('a', 0).await, &id).await.unwrap().reads.unwrap();
    assert_eq!(plates(&found), ["ABC123"]);
    assert_eq!(world.entries("plate.history").await.len(), 1);
}

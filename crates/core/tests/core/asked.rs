//! The private check for a plate's owner, from a search to its mark's end, on the memory store.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test's helpers fail the test by panicking"
)]

use std::sync::Arc;

use canvass_blind::{Blinded, COUNTERS, DayFile, Detail, Epoch, EpochKey, Plate, day_of, find};
use canvass_core::{
    App, CoreError,
    access::{Actor, By, Gate, ItemRead, Party, Target},
    asked::{Named, NewSeal, SealFilter},
    ports::{Query, Records as _, RecordsExt as _},
    records::{AskedMark, AuditRecord, CourtSealState},
};
use canvass_testkit::{ManualClock, MemRecords, SeededEntropy};
use canvass_types::{AgencyClass, AuditId, Clock as _, Policy, Purpose, Role, Time, leaf::Log};
use jiff::civil::Date;

const OURS: &str = "agy_aaaaaaaaaaaaaaaaaaaaaaaaaa";

struct World {
    app: App<MemRecords>,
    clock: Arc<ManualClock>,
    chance: SeededEntropy,
}

fn member(letter: &str, roles: &[Role]) -> Actor {
    Actor {
        member: format!("mbr_{}a", letter.repeat(25)).parse().unwrap(),
        agency: Some(OURS.parse().unwrap()),
        party: Some(Party::new(OURS, AgencyClass::Municipal, "US-NH", "")),
        roles: roles.to_vec(),
        by: By::Token { id: "tok_aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap(), scope: None },
    }
}

fn plate(text: &str) -> Plate {
    Plate::read(text).unwrap()
}

impl World {
    async fn new() -> Self {
        let clock = Arc::new(ManualClock::default());
        let gate = Gate::shipped().unwrap();
        let entropy = Arc::new(SeededEntropy::new(7));
        let app = App::new(MemRecords::default(), gate, Policy::default(), clock.clone(), entropy);
        let world = Self { app, clock, chance: SeededEntropy::new(8) };
        world.keys().await;
        world
    }

    fn today(&self) -> Date {
        day_of(Time::new(self.clock.now()))
    }

    async fn keys(&self) -> Epoch {
        let epoch = Epoch::of(self.today());
        if self.app.asked_key(epoch).is_none() {
            self.app.use_asked_key(EpochKey::make(epoch, &self.chance).unwrap()).await.unwrap();
        }
        epoch
    }

    /// A search, as the search of plates will make it.
    async fn search(&self, plates: &[Plate]) -> AuditId {
        let actor = member("c", &[Role::Investigator]);
        let purpose = Purpose {
            case: Some("26-cr-77".into()),
            ..Purpose::new("case-work", "compare the grey car of Elm Street with the report")
        };
        let target = Target::of(&OURS.parse().unwrap(), "reads");
        let now = Time::new(self.clock.now());
        let gate = self.app.gate();
        let intent = gate.allow::<ItemRead>(&actor, target, Some(&purpose), now, &self.chance).unwrap();
        let named = Named { plates, cameras: 40 };
        let intent = self.app.mark_asked(intent, &named).await.unwrap();
        let id = intent.record().id.clone();
        intent.commit(self.app.records()).await.unwrap();
        id
    }

    /// What the owner of a plate finds on a day.
    async fn found(&self, text: &str, day: Date) -> Vec<Detail> {
        let key = self.app.asked_key(Epoch::of(day)).unwrap();
        let blinded = Blinded::new(key.epoch(), &plate(text), &self.chance).unwrap();
        let answer = key.evaluate(&blinded.asks(), &self.chance).unwrap();
        let output = blinded.finish(&answer, &key.public()).unwrap();
        let file = self.app.asked_day(day).await.unwrap();
        assert!(file.marks.is_sorted() && file.marks.len().is_multiple_of(DayFile::STEP));
        find(&output, day, &file.read(day).unwrap())
    }

    async fn days(&self, days: u32) {
        self.clock.advance_days(days);
    }
}

fn rule(error: &CoreError) -> String {
    match error {
        CoreError::Invalid(problems) => problems[0].field.clone(),
        other => other.to_string(),
    }
}

#[tokio::test]
async fn the_owner_learns_of_a_search_after_the_delay_and_nobody_joins_two_of_them() {
    let world = World::new().await;
    let day = world.today();
    world.search(&[plate("ABC 1234"), plate("abc-1234"), plate("XYZ1")]).await;
    world.search(&[plate("ABC1234")]).await;
    assert_eq!(world.app.asked_days().await.unwrap(), None);
    world.days(30).await;
    assert_eq!(world.app.asked_days().await.unwrap(), None, "the day and thirty whole days must be over");
    world.days(1).await;
    let days = world.app.asked_days().await.unwrap().unwrap();
    assert_eq!((days.first, days.last), (day, day));
    assert_eq!(world.app.asked_lacking(days, 9).await.unwrap(), vec![day]);
    let found = world.found("ABC1234", day).await;
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].agency.as_str(), found[0].purpose.as_str()), (OURS, "case-work"));
    assert_eq!(found[0].cameras.as_str(), "11-100");
    assert_eq!(world.found("XYZ1", day).await.len(), 1);
    assert!(world.found("ABC1235", day).await.is_empty());
    world.app.asked_day_written(day).await.unwrap();
    assert!(world.app.asked_lacking(days, 9).await.unwrap().is_empty());
    // Written again, the file is the same.
    let again = world.app.asked_day(day).await.unwrap();
    assert_eq!(again, world.app.asked_day(day).await.unwrap());
    let index = world.app.asked_index().await.unwrap();
    assert_eq!(index.days().unwrap(), vec![day]);
    // The store holds no plate, and nothing that two marks of one plate share.
    let marks = world.app.records().list(Query::<AskedMark>::new()).await.unwrap();
    let text = serde_json::to_string(&marks.iter().map(|mark| &mark.record).collect::<Vec<_>>()).unwrap();
    assert!(!text.contains("ABC1234") && !text.contains("XYZ1"));
    assert_eq!(marks.len(), 3);
}

#[tokio::test]
async fn each_quarter_has_one_key_and_a_search_without_it_is_refused() {
    let world = World::new().await;
    let first = world.keys().await;
    let other = EpochKey::make(first, &world.chance).unwrap();
    assert!(rule(&world.app.use_asked_key(other).await.unwrap_err()).contains("requests ledger"));
    assert_eq!(world.app.asked_keys_noted().await.unwrap().len(), 1);
    let entries = world.app.records().ledger_entries(Log::Requests, 0, 9).await.unwrap();
    assert!(String::from_utf8(entries[0].entry.clone()).unwrap().contains("asked.key"));
    let day = world.today();
    world.search(&[plate("A1")]).await;
    world.days(100).await;
    let actor = member("c", &[Role::Investigator]);
    let purpose = Purpose {
        case: Some("26-cr-77".into()),
        ..Purpose::new("case-work", "compare the grey car of Elm Street with the report")
    };
    let target = Target::of(&OURS.parse().unwrap(), "reads");
    let now = Time::new(world.clock.now());
    let gate = world.app.gate();
    let intent = gate.allow::<ItemRead>(&actor, target, Some(&purpose), now, &world.chance).unwrap();
    let refused = world.app.mark_asked(intent, &Named { plates: &[plate("A1")], cameras: 1 }).await;
    assert!(rule(&refused.unwrap_err()).contains("no key of this quarter"));
    let second = world.keys().await;
    assert!(second > first);
    let later = world.today();
    world.search(&[plate("A1")]).await;
    world.days(31).await;
    assert_eq!((world.found("A1", day).await.len(), world.found("A1", later).await.len()), (1, 1));
    world.app.asked_key_destroyed(first).await.unwrap();
    assert!(world.app.asked_key(first).is_none());
    assert!(world.app.asked_keys_noted().await.unwrap()[0].destroyed);
    assert!(world.app.asked_day(day).await.is_err());
}

#[tokio::test]
async fn a_court_seals_a_search_by_two_people_until_its_end_and_no_longer() {
    let world = World::new().await;
    let day = world.today();
    let search = world.search(&[plate("ABC1234"), plate("XYZ1")]).await;
    world.search(&[plate("ABC1234")]).await;
    let (one, two) = (member("d", &[Role::Supervisor]), member("e", &[Role::Custodian]));
    let until = Time::new(world.clock.now()).plus_days(60);
    let wish = NewSeal { search, court: "Superior Court".into(), order: "26-77".into(), until };
    let junior = member("c", &[Role::Investigator]);
    assert!(matches!(world.app.propose_seal(&junior, &wish).await, Err(CoreError::Denied(_))));
    for (field, bad) in [
        ("court", NewSeal { court: " ".into(), ..wish.clone() }),
        ("until", NewSeal { until: Time::new(world.clock.now()), ..wish.clone() }),
        ("until", NewSeal { until: until.plus_days(300), ..wish.clone() }),
    ] {
        assert_eq!(rule(&world.app.propose_seal(&one, &bad).await.unwrap_err()), field);
    }
    let seal = world.app.propose_seal(&one, &wish).await.unwrap();
    assert!(rule(&world.app.confirm_seal(&one, &seal.id).await.unwrap_err()).contains("two people"));
    assert_eq!(world.app.asked_index().await.unwrap().sealed, 0);
    let confirmed = world.app.confirm_seal(&two, &seal.id).await.unwrap();
    assert_eq!(confirmed.state, CourtSealState::InForce);
    assert!(world.app.confirm_seal(&two, &seal.id).await.is_err());
    assert_eq!(world.app.asked_index().await.unwrap().sealed, 1);
    world.days(40).await;
    assert_eq!(world.found("ABC1234", day).await.len(), 1, "the other search is not held back");
    assert!(world.found("XYZ1", day).await.is_empty());
    world.app.asked_day_written(day).await.unwrap();
    world.days(20).await;
    let swept = world.app.sweep(100).await.unwrap();
    assert_eq!(swept.seals, 1);
    let days = world.app.asked_days().await.unwrap().unwrap();
    assert_eq!(world.app.asked_lacking(days, 9).await.unwrap(), vec![day]);
    assert_eq!(world.found("ABC1234", day).await.len(), 2);
    assert_eq!(world.found("XYZ1", day).await.len(), 1);
    assert_eq!(world.app.asked_index().await.unwrap().sealed, 0);
    let filter = SealFilter::default();
    assert_eq!(world.app.seals(&one, &filter).await.unwrap().entries[0].state, CourtSealState::Ended);
    let operator = Actor { agency: None, party: None, ..member("f", &[Role::Operator]) };
    let look = SealFilter { agency: Some(OURS.parse().unwrap()), ..filter };
    assert_eq!(world.app.seals(&operator, &look).await.unwrap().entries.len(), 1);
    let audit = world.app.records().list(Query::<AuditRecord>::new()).await.unwrap();
    let done: Vec<&str> = audit.iter().map(|each| each.record.body.action.as_str()).collect();
    for action in ["asked.seal", "asked.released", "access.refused", "operator.read"] {
        assert!(done.contains(&action), "{action}");
    }
}

#[tokio::test]
async fn what_is_public_can_not_be_sealed_and_what_was_kept_long_enough_is_deleted() {
    let world = World::new().await;
    let search = world.search(&[plate("ABC1234")]).await;
    let day = world.today();
    let (one, two) = (member("d", &[Role::Supervisor]), member("e", &[Role::Custodian]));
    let until = Time::new(world.clock.now()).plus_days(60);
    let wish = NewSeal { search, court: "Superior Court".into(), order: "26-77".into(), until };
    let seal = world.app.propose_seal(&one, &wish).await.unwrap();
    world.days(31).await;
    // The file is being written: from here on nothing is held back.
    world.app.asked_day(day).await.unwrap();
    assert!(rule(&world.app.confirm_seal(&two, &seal.id).await.unwrap_err()).contains("public already"));
    assert!(rule(&world.app.propose_seal(&one, &wish).await.unwrap_err()).contains("public already"));
    world.days(30).await;
    assert_eq!(world.app.sweep(100).await.unwrap().seals, 0, "a proposal lapses without an entry");
    world.days(304).await;
    assert_eq!(world.app.sweep(100).await.unwrap().asked, 0);
    world.days(2).await;
    assert_eq!(world.app.sweep(100).await.unwrap().asked, 1);
    assert!(world.app.records().list(Query::<AskedMark>::new()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_plate_has_a_limit_of_marks_a_day() {
    let world = World::new().await;
    let day = world.today();
    for _ in 0..COUNTERS + 2 {
        world.search(&[plate("ABC1234")]).await;
    }
    world.days(31).await;
    assert_eq!(world.found("ABC1234", day).await.len(), COUNTERS as usize);
}

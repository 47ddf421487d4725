//! Footage: sightings come in, are searched by description under the law and sharing of each owner, and are forgotten on time.

use canvass_core::{
    CoreError,
    access::{Actor, Denied},
    footage::{AddedSightings, FOOTAGE_REFUSED, FootageFound, SearchFootage},
    plates::{AskedQuestion, ClassKept, KeptWhat, Question, RESULT, WhoseCameras},
    ports::{Query, RecordsExt as _},
    records::{AuditRecord, CameraSighting, CameraUse, SightingPicture},
};
use canvass_types::{CameraId, Purpose};
use serde_json::{Value, json};

use super::world::*;

/// The shortest JPEG that a picture may be, Base64.
const JPEG: &str = "/9j/4AAQ";

impl World {
    async fn films(&self, letter: char, name: &str) -> CameraId {
        self.camera_for(letter, name, CameraUse::Footage, [-71.0, 43.0]).await
    }

    fn seen(&self, id: &str, kind: &str, colours: Value, ago: i64) -> Value {
        let end = self.clock.time().plus_seconds(-ago);
        json!({
            "id": id, "start": end.plus_seconds(-4), "end": end, "kind": kind, "score": 0.8, "box": [10, 20, 80, 60],
            "frames": 9, "colours": colours, "model": "objects", "version": "1", "picture": JPEG,
        })
    }

    async fn saw(&self, letter: char, camera: &CameraId, rows: &[Value]) -> AddedSightings {
        let machine = self.machine(letter, 2, camera.as_str()).await;
        let feed = self.app.sighting_feed(&machine).await.unwrap();
        self.app.add_sightings(&feed, rows).await.unwrap()
    }

    async fn footage(
        &self,
        who: &Actor,
        purpose: &Purpose,
        wish: &SearchFootage,
    ) -> Result<FootageFound, CoreError> {
        let granted = self.app.search_footage(who, purpose, wish).await?;
        self.app.footage_found(granted).await
    }

    async fn sightings(&self) -> Vec<CameraSighting> {
        let all = self.app.records().list(Query::<CameraSighting>::new()).await.unwrap();
        all.into_iter().map(|found| found.record).collect()
    }

    /// The figures of what cameras of an agency saw.
    async fn sightings_kept(&self, agency: char) -> ClassKept {
        let all = self.app.reads_kept(&self.who(agency, 1).await, &[]).await.unwrap();
        all.into_iter().find(|kept| kept.what == KeptWhat::Sightings).unwrap()
    }
}

fn red() -> Value {
    json!({ "Body": { "Red": 0.8 } })
}

fn text(text: &str) -> SearchFootage {
    SearchFootage { text: Some(text.into()), ..SearchFootage::default() }
}

#[tokio::test]
async fn a_search_leaves_its_entry_first_and_the_ledger_has_no_word_of_it() {
    let world = World::new().await;
    let camera = world.films('a', "Porch").await;
    let rows = [
        world.seen("1", "Car", red(), 600),
        world.seen("2", "Car", json!({ "Body": { "White": 0.9 } }), 300),
        world.seen("3", "Person", json!({ "Upper": { "Red": 0.9 } }), 200),
    ];
    assert_eq!(world.saw('a', &camera, &rows).await.stored, 3);
    let who = world.who('a', 0).await;
    let granted = world.app.search_footage(&who, &purpose(), &text("red car")).await.unwrap();
    let [entry] = &world.entries("footage.search").await[..] else { panic!() };
    let (body, leaf) = (&entry.body, entry.leaf.as_ref().unwrap());
    assert_eq!((body.subject.as_str(), body.actor.as_ref()), ("red car", Some(&who.member)));
    assert_eq!((&body.detail["cameras"], body.case.is_some()), (&json!(1), true));
    let public = serde_json::to_string(leaf).unwrap();
    assert!(!public.contains("red") && !public.contains("car") && !public.contains("26-77"), "{public}");
    assert!(entry.is_whole(), "with its salt, the record opens the entry");

    let found = world.app.footage_found(granted).await.unwrap();
    let [moment] = &found.moments[..] else { panic!("{found:?}") };
    assert_eq!((moment.kind.as_str(), moment.camera_name.as_str(), found.looked), ("Car", "Porch", 3));
    assert_eq!((moment.matched.join(" "), moment.missed.len()), ("car red".into(), 0));
    assert_eq!(moment.end, world.clock.time().plus_seconds(-600));
    assert_eq!(found.search, entry.body.id);
    let clause = &found.understood.as_ref().unwrap().clauses[0];
    assert_eq!(clause.kinds, ["Car"]);
    let results = world.app.records().list(Query::<AuditRecord>::new().with("action", RESULT)).await.unwrap();
    assert_eq!(results[0].record.body.detail["hits"], 1);

    // The picture is for who searched, for what the search found, for a quarter of an hour.
    let picture = world.app.sighting_picture(&who, &found.search, &moment.sighting).await.unwrap();
    assert_eq!(picture.kind.media_type(), "image/jpeg");
    let other = world.sightings().await.into_iter().find(|one| one.id != moment.sighting).unwrap();
    assert!(world.app.sighting_picture(&who, &found.search, &other.id).await.is_err());
    assert!(
        world.app.sighting_picture(&world.who('a', 1).await, &found.search, &moment.sighting).await.is_err()
    );
    world.clock.advance(901);
    assert!(world.app.sighting_picture(&who, &found.search, &moment.sighting).await.is_err());
}

#[tokio::test]
async fn every_sighting_of_a_window_is_looked_at_once_stretch_after_stretch() {
    let world = World::new().await;
    let cameras = [world.films('a', "Porch").await, world.films('a', "Yard").await];
    let now = world.clock.time();
    // At the edges of days, and many within an hour.
    let edges = (1..29).flat_map(|day| [-1, 0, 1].map(|off| day * 86_400 + off));
    let ages: Vec<i64> = edges.chain((0..1_100).map(|n| 3 * 3_600 + n * 5)).collect();
    for camera in &cameras {
        for (part, some) in ages.chunks(400).enumerate() {
            let row = |(at, age): (usize, &i64)| world.seen(&format!("{part}-{at}"), "Car", red(), *age);
            let rows: Vec<Value> = some.iter().enumerate().map(row).collect();
            assert_eq!(world.saw('a', camera, &rows).await.stored, some.len() as u64);
        }
    }
    let who = world.who('a', 0).await;
    let window = |from: i64, until: i64| SearchFootage {
        from: Some(now.plus_seconds(-from)),
        until: Some(now.plus_seconds(-until)),
        limit: Some(200),
        ..text("red car")
    };
    let looked = |from: i64, until: i64| ages.iter().filter(|age| **age <= from && **age > until).count() * 2;
    for (from, until) in [(29 * 86_400, 0), (86_400, 86_399), (20 * 86_400, 86_400), (30 * 86_400, 0)] {
        let found = world.footage(&who, &purpose(), &window(from, until)).await.unwrap();
        assert_eq!((found.looked, found.cut), (looked(from, until) as u64, false), "{from} {until}");
        assert!(found.looked > 0 && found.moments.len() <= 200);
        assert!(found.moments.windows(2).all(|two| two[0].score >= two[1].score));
    }
    // Where more fit equally well than are told, the newest of them are.
    let found = world.footage(&who, &purpose(), &window(29 * 86_400, 0)).await.unwrap();
    let newest = now.plus_seconds(-3 * 3_600 - 200 * 5);
    assert!(found.moments.len() == 200 && found.moments.iter().all(|moment| moment.end > newest));
}

#[tokio::test]
async fn what_may_not_be_searched_for_is_refused_with_its_rule_and_kept_nowhere() {
    let world = World::new().await;
    world.films('a', "Porch").await;
    let who = world.who('a', 0).await;
    for (words, rule) in
        [("Maria Lopez in a red car", "names"), ("black man", "race"), ("people at the protest", "assembly")]
    {
        let refused = world.footage(&who, &purpose(), &text(words)).await.unwrap_err();
        let CoreError::Invalid(problems) = &refused else { panic!("{refused}") };
        assert_eq!((problems[0].field.as_str(), problems[0].rule.as_str()), ("text", rule));
        assert!(!problems[0].remedy.is_empty());
        let question = AskedQuestion { question: Question::Footage(text(words)) };
        assert!(world.app.plan_search(&who, &purpose(), &question).await.is_err());
        assert!(world.app.ask_approval(&who, &purpose(), &question).await.is_err());
    }
    assert!(world.entries("footage.search").await.is_empty());
    let refusals = world.entries(FOOTAGE_REFUSED).await;
    assert_eq!(refusals.len(), 9, "however it is asked");
    for entry in &refusals {
        let (record, leaf) = (serde_json::to_string(entry).unwrap(), entry.leaf.as_ref().unwrap());
        assert!(
            !record.contains("Maria") && !record.contains("black") && !record.contains("protest"),
            "{record}"
        );
        assert!(entry.is_whole() && entry.body.detail["text"].is_string());
        assert_eq!(leaf.subject, entry.body.detail["rule"].as_str().unwrap());
    }
    // Who has no role learns nothing of rules, and leaves no such entry.
    let custodian = world.who('a', 2).await;
    let refused = world.footage(&custodian, &purpose(), &text("black man")).await.unwrap_err();
    assert_eq!(rules(&refused), ["roles.none"]);
    assert_eq!(world.entries(FOOTAGE_REFUSED).await.len(), 9);
}

#[tokio::test]
async fn people_are_searched_by_description_with_a_second_persons_approval_alone() {
    let world = World::new().await;
    let camera = world.films('a', "Porch").await;
    let with = json!({ "Backpack": 0.7 });
    let mut row = world.seen("1", "Person", json!({ "Upper": { "Blue": 0.8 } }), 60);
    row["with"] = with;
    world.saw('a', &camera, &[row]).await;
    let (ines, sam) = (world.who('a', 0).await, world.who('a', 1).await);
    let wish = text("person in blue shirt with a backpack");
    let refused = world.footage(&ines, &purpose(), &wish).await.unwrap_err();
    assert_eq!(rules(&refused), ["second-person.description"]);
    let asked = world.ask(&ines, Question::Footage(wish.clone())).await.unwrap();
    let [entry] = &world.entries("approval.ask").await[..] else { panic!() };
    assert!(!entry.body.detail.to_string().contains("blue"), "its record has no word of it either");
    let plan = asked.plan.unwrap();
    assert!(!plan.allowed && plan.second_person, "{plan:?}");
    let id = asked.approval.id;
    world.app.approve_search(&sam, &id).await.unwrap();
    let found = world.run(&ines, &id).await.unwrap().footage.unwrap();
    assert_eq!((found.moments.len(), found.moments[0].kind.as_str()), (1, "Person"));
    let [entry] = &world.entries("footage.search").await[..] else { panic!() };
    assert_eq!(entry.body.detail["approved_by"], sam.member.to_string());
    let public = serde_json::to_string(entry.leaf.as_ref().unwrap()).unwrap();
    assert!(!public.contains("blue"), "{public}");
}

#[tokio::test]
async fn without_purpose_and_case_nothing_is_looked_at_and_the_refusal_is_entered() {
    let world = World::new().await;
    let camera = world.films('a', "Porch").await;
    world.saw('a', &camera, &[world.seen("1", "Car", red(), 60)]).await;
    let who = world.who('a', 0).await;
    let none = Purpose { case: None, ..purpose() };
    let infraction = Purpose { offence: "infraction".into(), ..purpose() };
    for (purpose, rule) in [(none, "caps.case"), (infraction, "caps.infraction")] {
        let refused = world.footage(&who, &purpose, &text("red car")).await.unwrap_err();
        assert_eq!(rules(&refused), [rule]);
    }
    let refusals = world.entries("access.refused").await;
    assert!(refusals.iter().all(|one| one.body.detail["action"] == "footage.search") && refusals.len() == 2);
    // A refusal has no word of the description either.
    let leaves: Vec<String> =
        refusals.iter().map(|one| serde_json::to_string(one.leaf.as_ref().unwrap()).unwrap()).collect();
    assert!(leaves.iter().all(|leaf| !leaf.contains("red car")), "{leaves:?}");
}

#[tokio::test]
async fn another_agencys_cameras_are_searched_as_it_shares_them() {
    let world = World::new().await;
    let (ours, theirs) = (world.films('a', "Porch").await, world.films('b', "Depot").await);
    world.saw('a', &ours, &[world.seen("1", "Car", red(), 60)]).await;
    world.saw('b', &theirs, &[world.seen("1", "Truck", red(), 50)]).await;
    let who = world.who('a', 0).await;
    let both = SearchFootage { whose: WhoseCameras::Shared, ..text("red vehicle") };
    let named = SearchFootage { cameras: Some(vec![theirs.clone()]), ..text("red truck") };
    assert_eq!(world.footage(&who, &purpose(), &both).await.unwrap().moments.len(), 1);
    let hidden = world.footage(&who, &purpose(), &named).await.unwrap_err();
    assert!(matches!(hidden, CoreError::Hidden("camera")), "{hidden}");
    world.share('b', 'a').await;
    let found = world.footage(&who, &purpose(), &both).await.unwrap();
    assert_eq!((found.moments.len(), found.searched.len()), (2, 2));
    assert_eq!(world.footage(&who, &purpose(), &named).await.unwrap().moments[0].camera, theirs);
    let entries = world.entries("footage.search").await;
    let with_b = entries.iter().filter(|one| one.body.agency == Some(id('b')));
    assert_eq!(with_b.count(), 2, "the owner's ledger has an entry of each");
}

#[tokio::test]
async fn vehicles_like_one_that_was_found_are_found_and_nobody_is_like_anybody() {
    let world = World::new().await;
    let camera = world.films('a', "Porch").await;
    let rows = [
        world.seen("1", "Car", red(), 600),
        world.seen("2", "Car", json!({ "Body": { "Red": 0.7, "Black": 0.2 } }), 300),
        world.seen("3", "Car", json!({ "Body": { "White": 0.9 } }), 200),
        world.seen("4", "Person", json!({ "Upper": { "Red": 0.9 } }), 100),
    ];
    world.saw('a', &camera, &rows).await;
    let all = world.sightings().await;
    let who = world.who('a', 0).await;
    let like = |at: usize| SearchFootage { like: Some(all[at].id.clone()), ..SearchFootage::default() };
    let found = world.footage(&who, &purpose(), &like(0)).await.unwrap();
    let [moment] = &found.moments[..] else { panic!("{found:?}") };
    assert_eq!(
        (&moment.sighting, moment.matched.as_slice()),
        (&all[1].id, &["Car".to_owned(), "Red".into()][..])
    );
    assert!(found.understood.is_none());
    let person = world.footage(&who, &purpose(), &like(3)).await.unwrap_err();
    assert_eq!(rules(&person), ["like.person"]);
    let elsewhere = SearchFootage { cameras: Some(vec![world.films('a', "Depot").await]), ..like(0) };
    let hidden = world.footage(&who, &purpose(), &elsewhere).await.unwrap_err();
    assert!(matches!(hidden, CoreError::Hidden("sighting")), "{hidden}");
}

#[tokio::test]
async fn a_sighting_sent_again_is_stored_once_and_bad_rows_are_named_by_number() {
    let world = World::new().await;
    let camera = world.films('a', "Porch").await;
    let good = world.seen("1", "Car", red(), 60);
    let added = world.saw('a', &camera, &[good.clone(), good.clone()]).await;
    assert_eq!((added.rows, added.stored, added.duplicates), (2, 1, 1));
    assert_eq!(world.saw('a', &camera, std::slice::from_ref(&good)).await.duplicates, 1);
    // The same number of another camera's is another sighting.
    let second = world.films('a', "Depot").await;
    assert_eq!(world.saw('a', &second, std::slice::from_ref(&good)).await.stored, 1);
    let with = |field: &str, value: Value| {
        let mut row = world.seen("2", "Car", red(), 60);
        row[field] = value;
        row
    };
    let embedding = json!({ "model": "looks", "version": "1", "values": [1.0] });
    let mut person = with("kind", json!("Person"));
    person["embedding"] = embedding.clone();
    let rows = [
        (with("kind", json!("Spaceship")), "kind.word"),
        (with("score", json!(1.5)), "score.range"),
        (with("colours", json!({ "Body": { "Mauve": 0.5 } })), "colours.word"),
        (with("colours", json!({ "Body": { "Red": 0.8, "Blue": 0.8 } })), "colours.sum"),
        (with("end", json!("yesterday")), "end.form"),
        (with("start", json!(world.clock.time())), "end.order"),
        (with("end", json!(world.clock.time().plus_seconds(3_000))), "end.clock.ahead"),
        (with("box", json!([0, 0, 0, 0])), "box.range"),
        (with("id", json!("")), "id.length"),
        (with("picture", json!("aGVsbG8=")), "picture.kind"),
        (with("picture", json!("/9j/".repeat(30_000))), "picture.form"),
        (with("embedding", json!({ "model": "looks", "version": "1", "values": [] })), "embedding.values"),
        (with("face", json!("somebody")), "row.form"),
        (json!(7), "row.form"),
        (person, "embedding.person"),
        (world.seen("9", "Car", red(), 31 * 86_400), "end.retention"),
        (with("embedding", embedding), ""),
    ];
    let added = world.saw('a', &camera, &rows.iter().map(|(row, _)| row.clone()).collect::<Vec<_>>()).await;
    assert_eq!((added.stored, added.refused as usize), (1, rows.len() - 1), "{:?}", added.problems);
    for (problem, (at, (_, rule))) in added.problems.iter().zip((1..).zip(&rows)) {
        assert_eq!((problem.row, format!("{}.{}", problem.field, problem.rule).as_str()), (at, *rule));
        assert!(!problem.message.contains("somebody") && !problem.message.contains("Spaceship"));
    }
    let many = vec![json!({}); 501];
    let machine = world.machine('a', 2, camera.as_str()).await;
    let feed = world.app.sighting_feed(&machine).await.unwrap();
    assert_eq!(rules(&world.app.add_sightings(&feed, &many).await.unwrap_err()), ["sightings.most"]);
}

#[tokio::test]
async fn only_the_token_of_one_camera_that_films_sends() {
    let world = World::new().await;
    let camera = world.films('a', "Porch").await;
    let both = world.camera_for('a', "Gate", CameraUse::PlatesAndFootage, [-71.0, 43.0]).await;
    let reader = world.camera('a', "Elm and Main").await;
    let state = |error: CoreError| match error {
        CoreError::State { what, .. } => what,
        other => panic!("{other}"),
    };
    assert!(
        state(world.app.sighting_feed(&world.who('a', 2).await).await.unwrap_err()).contains("one camera")
    );
    let wrong = world.app.sighting_feed(&world.machine('a', 2, reader.as_str()).await).await.unwrap_err();
    assert!(state(wrong).contains("plates alone"));
    // A camera for both sends both.
    world.saw('a', &both, &[world.seen("1", "Car", red(), 60)]).await;
    world.send('a', &both, &[("ABC123", 60)]).await;
    let found = world.search(&world.who('a', 0).await, &purpose(), &plate("ABC123")).await.unwrap();
    assert_eq!(plates(&found), ["ABC123"]);
    for scope in ["cam_aaaaaaaaaaaaaaaaaaaaaaaaaa", camera.as_str()] {
        let error = world.app.sighting_feed(&world.machine('b', 2, scope).await).await.unwrap_err();
        assert!(matches!(error, CoreError::Denied(Denied::Hidden) | CoreError::Hidden(_)), "{error}");
    }
}

#[tokio::test]
async fn sightings_go_with_their_pictures_when_the_law_says_so_and_the_ledger_says_that_they_went() {
    let world = World::new().await;
    let (texas, hampshire) = (world.films('a', "Porch").await, world.films('n', "Route 3").await);
    let rows = [world.seen("2", "Car", red(), 60), world.seen("1", "Car", red(), 86_400)];
    world.saw('a', &texas, &rows).await;
    world.saw('n', &hampshire, &rows[..1]).await;
    assert_eq!(world.app.forget_sightings().await.unwrap(), 0);
    world.clock.advance(180);
    assert_eq!(world.app.forget_sightings().await.unwrap(), 1, "three minutes in New Hampshire");
    assert!(world.sightings().await.iter().all(|one| one.camera == texas));
    assert!(world.entries("sightings.erased").await.is_empty(), "entered hour by hour");
    world.clock.advance(3_600);
    assert_eq!(world.app.forget_sightings().await.unwrap(), 0);
    let [entry] = &world.entries("sightings.erased").await[..] else { panic!() };
    assert_eq!((entry.body.subject.as_str(), &entry.body.detail["sightings"]), ("us-nh", &json!(1)));
    let strict = world.sightings_kept('n').await;
    assert_eq!(
        (strict.class.as_str(), strict.law.as_str(), strict.seconds),
        ("us-nh-sightings", "us-nh", 180)
    );
    assert_eq!((strict.count, strict.oldest, strict.next), (0, None, None));
    let [gone] = &strict.erased[..] else { panic!() };
    assert_eq!((gone.count, &gone.entry, gone.from), (1, &entry.body.id, gone.until));
    // The older of the two was stored after the other, and is told all the same.
    let kept = world.sightings_kept('a').await;
    let first = world.sightings().await.iter().map(|one| one.seen).min();
    assert_eq!((kept.class.as_str(), kept.count, kept.oldest), ("default-sightings", 2, first));
    assert_eq!((kept.next, kept.erased.len()), (first.map(|seen| seen.plus_days(30)), 0));
    assert!(kept.next.unwrap() > kept.oldest.unwrap() && kept.slice_seconds == 0);
    world.clock.advance_days(29);
    assert_eq!(world.app.forget_sightings().await.unwrap(), 1, "thirty days without a state law");
    let entries = world.entries("sightings.erased").await;
    let kept = world.sightings_kept('a').await;
    assert_eq!((kept.count, kept.erased.len(), &kept.erased[0].entry), (1, 1, &entries[1].body.id));
    assert_eq!((entries.len(), entries[1].body.subject.as_str()), (2, "default"));
    assert_eq!(world.app.forget_sightings().await.unwrap(), 0);
    assert_eq!(world.entries("sightings.erased").await.len(), 2, "entered once");
    world.clock.advance_days(2);
    assert_eq!(world.app.forget_sightings().await.unwrap(), 1);
    let pictures = world.app.records().list(Query::<SightingPicture>::new()).await.unwrap();
    assert!(world.sightings().await.is_empty() && pictures.is_empty());
}

//! What a search found stays in its case, while the store forgets.

use canvass_core::{
    cases::NewHold,
    custody::verify_chain_to,
    plates::{KeepApproved, KeepReads, KeptReadsView, Question, Row},
};
use canvass_plates::ReadId;
use canvass_types::{AuditId, CaseId, Purpose};

use super::{approvals::convoy, world::*};
use canvass_core::{CoreError, access::Actor};

impl World {
    async fn keep(
        &self,
        who: &Actor,
        question: Question,
        search: &AuditId,
        reads: &[ReadId],
    ) -> Result<KeptReadsView, CoreError> {
        let note = Some("Twice that night".to_owned());
        let wish = KeepReads { search: search.clone(), question, reads: reads.to_vec(), note };
        let granted = self.app.keep_granted(who, &purpose(), &wish).await?;
        self.app.keep_reads(self.reads.pick(granted)?).await
    }

    async fn case(&self) -> CaseId {
        let who = self.who('a', 1).await;
        self.app.cases(&who, &Default::default()).await.unwrap().entries[0].id.clone()
    }
}

#[tokio::test]
async fn chosen_reads_become_a_file_of_the_case_with_custody() {
    let world = World::new().await;
    let camera = world.camera('a', "Elm and Main").await;
    world.send('a', &camera, &[("ABC123", 60), ("ABC123", 50), ("ZZZ999", 40)]).await;
    let who = world.who('a', 0).await;
    let found = world.search(&who, &purpose(), &plate("ABC123")).await.unwrap();
    let id = found.matches[1].read.id;
    let question = || Question::Search(plate("ABC123"));
    let kept = world.keep(&who, question(), &found.search, &[id]).await.unwrap();
    assert_eq!((kept.reads, kept.search.clone()), (1, found.search.clone()));
    let entries = world.entries("plate.search").await;
    assert_eq!(entries.len(), 2, "the look for keeping leaves its entry");
    assert_eq!(entries[1].body.detail["continues"], true);
    assert_eq!(entries[1].body.detail["search"], found.search.to_string());
    let entry = world.entries("plate.keep").await.pop().unwrap();
    assert_eq!(entry.body.subject, kept.id.to_string());
    assert!(!entry.body.detail.to_string().contains("ABC123"));

    let case = world.app.case(&who, &world.case().await).await.unwrap();
    assert_eq!(case.reads, std::slice::from_ref(&kept));
    let reason = Purpose::new("case-work", "compare the reads of the pickup with the clips of Elm Street");
    let (_, text) = world.app.read_kept(&who, &kept.id, &reason).await.unwrap();
    assert_eq!(canvass_types::Digest::of(text.as_bytes()), kept.sha256);
    let file: canvass_core::plates::KeptFile = serde_json::from_str(&text).unwrap();
    let [one] = &file.reads[..] else { panic!() };
    assert_eq!((one.found.read.id, one.image.as_deref()), (id, None));
    assert_eq!(
        (one.found.camera_name.as_str(), file.note.as_deref()),
        ("Elm and Main", Some("Twice that night"))
    );
    let detail = world.app.kept_reads(&who, &kept.id).await.unwrap();
    let names: Vec<&str> = detail.events.iter().map(|event| event.event.as_str()).collect();
    assert_eq!(names, ["reads-kept", "read"]);
    verify_chain_to(&detail.events, &detail.kept.custody).unwrap();
    let told = world.app.timeline(&who, &case.case.id, 0, None).await.unwrap();
    assert!(told.events.iter().any(|event| event.kind == "item.reads-kept"));
    // Without a purpose, or by somebody of another agency, nothing is read.
    assert!(world.app.read_kept(&who, &kept.id, &Purpose::new("none", "")).await.is_err());
    assert!(world.app.kept_reads(&world.who('b', 0).await, &kept.id).await.is_err());
}

#[tokio::test]
async fn only_what_ones_own_search_finds_for_its_case_is_kept() {
    let world = World::new().await;
    let camera = world.camera('a', "Elm and Main").await;
    world.send('a', &camera, &[("ABC123", 60), ("ZZZ999", 40)]).await;
    let (who, sam) = (world.who('a', 0).await, world.who('a', 1).await);
    let found = world.search(&who, &purpose(), &plate("ABC123")).await.unwrap();
    let other = world.search(&who, &purpose(), &plate("ZZZ999")).await.unwrap();
    let (ours, theirs) = (found.matches[0].read.id, other.matches[0].read.id);
    let question = || Question::Search(plate("ABC123"));
    let refused = world.keep(&who, question(), &found.search, &[theirs]).await.unwrap_err();
    assert_eq!(rules(&refused), ["reads.missing"]);
    let refused = world.keep(&who, question(), &other.search, &[ours]).await.unwrap_err();
    assert_eq!(rules(&refused), ["after.other"], "the entry is of another search");
    let refused = world.keep(&sam, question(), &found.search, &[ours]).await.unwrap_err();
    assert_eq!(rules(&refused), ["after.other"], "and of another member");
    let refused = world.keep(&who, question(), &found.search, &[]).await.unwrap_err();
    assert_eq!(rules(&refused), ["reads.count"]);
    let custodian = world.who('a', 2).await;
    assert!(world.keep(&custodian, question(), &found.search, &[ours]).await.is_err());
    // A search for a missing person before there is a case keeps nothing.
    let missing = Purpose { case: None, ..Purpose::new("missing", REASON) };
    let found = world.search(&who, &missing, &plate("ABC123")).await.unwrap();
    let wish = KeepReads { search: found.search, question: question(), reads: vec![ours], note: None };
    let refused = world.app.keep_granted(&who, &missing, &wish).await.unwrap_err();
    assert_eq!(rules(&refused), ["search.case"]);
    assert!(world.entries("plate.keep").await.is_empty());
    // Once the store forgot them there is nothing to keep.
    let found = world.search(&who, &purpose(), &plate("ABC123")).await.unwrap();
    world.clock.advance(800 * 86_400);
    world.asked_key().await;
    let due = world.app.reads_due(&world.reads.slices().unwrap()).await.unwrap().unwrap();
    assert!(!world.reads.erase(&due).unwrap().is_empty());
    assert!(world.keep(&who, question(), &found.search, &[ours]).await.is_err());
}

#[tokio::test]
async fn reads_of_an_approved_search_are_kept_while_it_holds_and_go_with_the_case() {
    let world = World::new().await;
    for name in ["Elm", "Oak"] {
        let camera = world.camera('a', name).await;
        world.send('a', &camera, &[("ABC123", 60), ("BBB222", 50)]).await;
    }
    let (who, sam) = (world.who('a', 0).await, world.who('a', 1).await);
    let approval = world.approved('a', Question::Convoy(convoy("ABC123"))).await;
    let found = world.run(&who, &approval).await.unwrap().convoy.unwrap();
    let reads = vec![found.passes[0].read.id, found.companions[0].meetings[0].read.read.id];
    let wish = KeepApproved { search: found.search.clone(), reads, note: None };
    let granted = world.app.keep_approved(&who, &approval, &wish).await.unwrap();
    let kept = world.app.keep_reads(world.reads.pick(granted).unwrap()).await.unwrap();
    assert_eq!((kept.reads, kept.approval.as_ref()), (2, Some(&approval)));

    let case = world.case().await;
    let reason = Purpose::new("disclosure", "counsel of the defence asked for the file of the pharmacy case");
    let custodian = world.who('a', 2).await;
    let (_, manifest) = world.app.export_case(&custodian, &case, &reason).await.unwrap();
    let [exported] = &manifest.reads[..] else { panic!() };
    assert_eq!(canvass_types::Digest::of(exported.content.as_ref().unwrap().as_bytes()), kept.sha256);
    assert_eq!(exported.custody.last().unwrap().event, "exported");
    verify_chain_to(&exported.custody, &exported.kept.custody).unwrap();

    let hold = NewHold { subject: case.to_string(), basis: "Order of the superior court, 26-cr-77".into() };
    let hold = world.app.place_hold(&sam, &hold).await.unwrap();
    world.app.close_case(&sam, &case).await.unwrap();
    let days = world.app.policy().retention.closed_case_days;
    world.clock.advance(i64::from(days) * 86_400 + 1);
    assert_eq!(world.app.sweep(100).await.unwrap().reads, 0, "a hold on the case keeps it");
    world.app.release_hold(&sam, &hold.id, "The court released it on 3 May").await.unwrap();
    assert_eq!(world.app.sweep(100).await.unwrap().reads, 1);
    let gone = world.app.kept_reads(&who, &kept.id).await.unwrap();
    assert!(gone.kept.destroyed.is_some());
    let events: Vec<&str> = gone.events.iter().map(|event| event.event.as_str()).collect();
    assert_eq!(events, ["reads-kept", "exported", "case-closed", "destroyed"]);
    verify_chain_to(&gone.events, &gone.kept.custody).unwrap();
    let refused = world.app.read_kept(&who, &kept.id, &reason).await.unwrap_err();
    assert!(refused.to_string().contains("destroyed"), "{refused}");
    // With the case its rows go, too.
    world.clock.advance(i64::from(world.app.policy().retention.record_days + 1) * 86_400);
    assert_eq!(world.app.sweep(100).await.unwrap().cases, 1);
    assert!(world.app.kept_reads(&who, &kept.id).await.is_err());
}

#[tokio::test]
async fn a_read_is_kept_with_its_picture_which_outlives_the_read() {
    let world = World::new().await;
    let camera = world.camera('a', "Elm and Main").await;
    let mut row = world.row("ABC123", 60);
    row["picture"] = serde_json::json!("/9j/4AAQSkZJRg==");
    let feed = world.feed('a', &camera).await;
    let batch = feed.prepare([Row::Json(&row)], 1);
    assert_eq!(world.reads.add(&feed, &batch).unwrap().stored, 1);
    let who = world.who('a', 0).await;
    let found = world.search(&who, &purpose(), &plate("ABC123")).await.unwrap();
    assert!(found.matches[0].picture);
    let id = found.matches[0].read.id;
    let kept = world.keep(&who, Question::Search(plate("ABC123")), &found.search, &[id]).await.unwrap();
    world.clock.advance_days(31);
    world.asked_key().await;
    let due = world.app.reads_due(&world.reads.slices().unwrap()).await.unwrap().unwrap();
    world.reads.erase(&due).unwrap();
    let reason = Purpose::new("case-work", "compare the reads of the pickup with the clips of Elm Street");
    let (_, text) = world.app.read_kept(&world.who('a', 0).await, &kept.id, &reason).await.unwrap();
    let file: canvass_core::plates::KeptFile = serde_json::from_str(&text).unwrap();
    assert_eq!(file.reads[0].image.as_deref(), Some("/9j/4AAQSkZJRg=="));
}

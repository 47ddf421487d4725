//! Hotlists take two people, alert as their reads come, and forget; an alert counts only after a comparison.

use canvass_core::{
    CoreError,
    alerts::{AlertFilter, AlertView, ConfirmAlert},
    hotlists::{BadRows, HotlistView, ImportForm, ImportHow, NewHotlist, ProposedHotlist, read_rows},
    ports::{Query, RecordsExt as _},
    records::{AlertState, HotlistPart, LegalBasis, ProposalState, VersionState},
};
use canvass_types::{CameraId, HotlistId, Purpose};

use super::world::*;

const WHY: &str = "plates of pickups stolen in Elm County this autumn";

fn stolen() -> Purpose {
    Purpose { case: Some("26-77".into()), ..Purpose::new("stolen", WHY) }
}

impl World {
    pub async fn list(
        &self,
        letter: char,
        purpose: &Purpose,
        basis: LegalBasis,
    ) -> Result<HotlistView, CoreError> {
        let name = format!("{} {}", purpose.class, basis.as_str());
        let wish = NewHotlist { name, source: "State police".into(), basis };
        self.app.add_hotlist(&self.who(letter, 0).await, purpose, wish).await
    }

    pub async fn propose(
        &self,
        letter: char,
        list: &HotlistId,
        csv: &str,
    ) -> Result<ProposedHotlist, CoreError> {
        let who = self.who(letter, 0).await;
        let importing = self.app.begin_import(&who, list).await?;
        let rows = read_rows(ImportForm::Csv, csv.as_bytes(), &who.member, self.clock.time())?;
        let how = (ImportHow::Whole, BadRows::Refuse);
        self.app.propose_hotlist(&who, &importing, rows, how, REASON).await
    }

    pub async fn in_force(&self, letter: char, list: &HotlistId, csv: &str) {
        let proposed = self.propose(letter, list, csv).await.unwrap();
        let supervisor = self.who(letter, 1).await;
        self.app.approve_proposal(&supervisor, &proposed.version.proposal).await.unwrap();
    }

    /// A list of stolen vehicles in force.
    pub async fn watched(&self, letter: char, csv: &str) -> HotlistId {
        let list = self.list(letter, &stolen(), LegalBasis::Agency).await.unwrap().id;
        self.in_force(letter, &list, csv).await;
        list
    }

    /// Sends plates as [`World::send`], and raises what they meet; says how many alerts are new.
    pub async fn pass(&self, letter: char, camera: &CameraId, plates: &[(&str, i64)]) -> u32 {
        let (batch, _) = self.send(letter, camera, plates).await;
        let feed = self.feed(letter, camera).await;
        self.app.raise_alerts(&feed, &batch.hits).await.unwrap()
    }

    pub async fn alerts(&self, letter: char) -> Vec<AlertView> {
        self.app.alerts(&self.who(letter, 0).await, &AlertFilter::default()).await.unwrap().entries
    }

    pub async fn compare(
        &self,
        letter: char,
        alert: &AlertView,
        wish: ConfirmAlert,
    ) -> Result<AlertView, CoreError> {
        self.app.confirm_alert(&self.who(letter, 0).await, &alert.id, wish).await
    }

    pub async fn parts(&self) -> usize {
        self.app.records().list(Query::<HotlistPart>::new()).await.unwrap().len()
    }
}

pub fn saw(plate: &str) -> ConfirmAlert {
    ConfirmAlert { plate: plate.into(), listed: true, outcome: None, note: None }
}

#[tokio::test]
async fn a_list_alerts_only_once_a_second_person_approved_it_and_says_how_it_changed() {
    let world = World::new().await;
    let camera = world.camera('a', "Elm and Main").await;
    let list = world.list('a', &stolen(), LegalBasis::Agency).await.unwrap().id;
    let proposed = world.propose('a', &list, "plate,reason\nABC123,blue\nXYZ999,red\n").await.unwrap();
    assert_eq!((proposed.version.entries, proposed.version.added), (2, 2));
    assert_eq!(world.pass('a', &camera, &[("ABC123", 5)]).await, 0, "nobody approved it yet");

    let own = world.app.approve_proposal(&world.who('a', 0).await, &proposed.version.proposal).await;
    assert!(matches!(own, Err(CoreError::Denied(_))), "{own:?}");
    let supervisor = world.who('a', 1).await;
    let shown = world.app.proposal(&supervisor, &proposed.version.proposal).await.unwrap();
    assert_eq!(shown.hotlist.unwrap().version.entries, 2);
    assert!(shown.stale.is_none() && shown.diff.is_empty());
    let diff = world.app.hotlist_diff(&supervisor, &list, &proposed.version.id).await.unwrap();
    assert_eq!(diff.lines.len(), 2);
    world.app.approve_proposal(&supervisor, &proposed.version.proposal).await.unwrap();
    assert_eq!(world.pass('a', &camera, &[("ABC123", 4)]).await, 1);

    // Two imports rest on the same version: the second approval finds that its ground is gone.
    let one = world.propose('a', &list, "plate,reason\nABC123,green\nNEW111,\n").await.unwrap();
    assert_eq!((one.version.added, one.version.removed, one.version.changed), (1, 1, 1));
    let other = world.propose('a', &list, "plate\nOTHER1\n").await.unwrap();
    world.app.approve_proposal(&supervisor, &one.version.proposal).await.unwrap();
    let stale = world.app.approve_proposal(&supervisor, &other.version.proposal).await.unwrap_err();
    assert!(stale.to_string().contains("changed since this was proposed"), "{stale}");
    let same = world.propose('a', &list, "plate,reason\nNEW111,\nABC123,green\n").await.unwrap_err();
    assert_eq!(rules(&same), ["rows.same"]);
    let bad = world.propose('a', &list, "plate,region\nNEW111,Atlantis\n").await.unwrap_err();
    assert_eq!(rules(&bad), ["row 1, region.form"]);

    // Each step is in the ledger, and nothing there names a plate.
    for (action, count) in [("hotlist.add", 4), ("hotlist.approve", 2), ("alert.raised", 1)] {
        let entries = world.entries(action).await;
        assert_eq!(entries.len(), count, "{action}");
        for entry in entries {
            let written = serde_json::to_string(&entry).unwrap();
            assert!(!["ABC123", "NEW111", "XYZ999"].iter().any(|plate| written.contains(plate)), "{written}");
        }
    }
    let refused = world.entries("access.refused").await;
    assert!(refused.iter().any(|one| one.body.detail["action"] == "hotlist.approve"));
}

#[tokio::test]
async fn a_hit_is_kept_as_one_and_repeated_reads_are_one_alert() {
    let world = World::new().await;
    let (camera, second) = (world.camera('a', "Elm and Main").await, world.camera('a', "Mill").await);
    world.watched('a', "plate,region,reason\nABC123,US-TX,stolen\nO0Q111,,\n").await;
    let rows = [("ABC123", 100), ("A8C123", 90), ("ABC124", 80), ("ABC123", 10)];
    assert_eq!(world.pass('a', &camera, &rows).await, 1, "a misread is the same vehicle");
    assert_eq!(world.pass('a', &camera, &rows).await, 0, "sent again, nothing is new");
    assert_eq!(world.pass('a', &second, &[("ABC123", 5)]).await, 1, "another camera is another place");
    assert_eq!(world.pass('a', &camera, &[("ABC123", 3_600)]).await, 1, "an hour before is another time");

    let alerts = world.alerts('a').await;
    assert_eq!(alerts.len(), 3);
    let first = &alerts[2];
    assert_eq!((first.count, first.reads.len(), first.state), (3, 3, AlertState::Unconfirmed));
    assert_eq!((first.list_name.as_str(), first.camera_name.as_str()), ("stolen agency", "Elm and Main"));
    assert_eq!((first.entry.plate.as_str(), first.entry_days, first.other_region), ("ABC123", 0, false));
    assert_eq!(first.last, world.clock.time().plus_seconds(-10));
    let labels: Vec<&str> = first.reads.iter().map(|read| read.plate.as_str()).collect();
    assert_eq!(labels, ["ABC123", "A8C123", "ABC123"], "as the camera saw them");

    let slices = world.reads.slices().unwrap();
    let held = |suffix: &str| -> u64 {
        let of = slices.iter().filter(|(slice, _)| slice.class.as_str().ends_with(suffix));
        of.map(|(_, reads)| reads).sum()
    };
    assert_eq!((held("-hits"), held("-seen")), (5, 1));
    let wish = canvass_core::plates::SearchPlates { hits_only: true, ..plate("ABC123") };
    let found = world.search(&world.who('a', 0).await, &purpose(), &wish).await.unwrap();
    assert!(found.matches.iter().all(|found| found.read.hit) && found.matches.len() == 4);
}

#[tokio::test]
async fn in_new_hampshire_a_hit_outlives_three_minutes_and_a_confirmation_needs_more_than_a_match() {
    let world = World::new().await;
    let camera = world.camera('n', "Route 3").await;
    world.watched('n', "plate\nABC123\n").await;
    assert_eq!(world.pass('n', &camera, &[("ABC123", 600), ("DEF456", 600)]).await, 1);
    let slices = world.reads.slices().unwrap();
    let [(slice, 1)] = &slices[..] else { panic!("{slices:?}") };
    assert_eq!(slice.class.as_str(), "us-nh-hits");
    let alert = &world.alerts('n').await[0];
    let unlisted = ConfirmAlert { listed: false, ..saw("ABC123") };
    let error = world.compare('n', alert, unlisted).await.unwrap_err();
    assert!(rules(&error).contains(&"us-nh.match-alone".to_owned()), "{error}");
    let seen = world.compare('n', alert, saw("abc 123")).await.unwrap();
    assert_eq!(seen.state, AlertState::Confirmed);
}

#[tokio::test]
async fn who_looks_at_alerts_is_entered_before_they_see_one() {
    let world = World::new().await;
    let camera = world.camera('a', "Elm and Main").await;
    world.watched('a', "plate\nABC123\n").await;
    world.pass('a', &camera, &[("ABC123", 30)]).await;
    assert!(world.entries("alert.list").await.is_empty());
    let seen = world.alerts('a').await;
    let who = world.who('a', 0).await;
    world.app.alerts_after(&who, 0).await.unwrap();
    world.app.alert(&who, &seen[0].id).await.unwrap();
    let entries = world.entries("alert.list").await;
    assert_eq!(entries.len(), 1, "once an hour");
    assert_eq!(entries[0].body.actor, Some(who.member.clone()));
    assert!(entries[0].leaf.is_some(), "in the public ledger, too");
    world.clock.advance(3_600);
    world.app.alert(&who, &seen[0].id).await.unwrap();
    assert_eq!(world.entries("alert.list").await.len(), 2);
}

#[tokio::test]
async fn what_a_person_typed_decides_and_who_and_when_is_recorded() {
    let world = World::new().await;
    let camera = world.camera('a', "Elm and Main").await;
    let list = world.watched('a', "plate,expires\nABC123,\nXYZ999,2030-01-01\nSTALE1,\n").await;
    world.pass('a', &camera, &[("ABC123", 30), ("XYZ999", 20), ("STALE1", 10)]).await;
    let alerts = world.alerts('a').await;
    let of = |plate: &str| alerts.iter().find(|alert| alert.entry.plate.as_str() == plate).unwrap();

    let wrong = ConfirmAlert { outcome: Some(AlertState::Confirmed), ..saw("A8C123") };
    let error = world.compare('a', of("ABC123"), wrong).await.unwrap_err();
    assert_eq!(rules(&error), ["outcome.misread"]);
    assert!(!error.to_string().contains("C123"), "{error}");
    assert_eq!(rules(&world.compare('a', of("ABC123"), saw("")).await.unwrap_err()), ["plate.empty"]);
    let seen = world.compare('a', of("ABC123"), saw("A8C123")).await.unwrap();
    assert_eq!(seen.state, AlertState::Misread);
    let compared = seen.compared.unwrap();
    assert_eq!((compared.by, compared.at), (world.who('a', 0).await.member, world.clock.time()));
    assert_eq!(seen.compared_by.as_deref(), Some("Person a0"));
    let again = world.compare('a', of("ABC123"), saw("ABC123")).await.unwrap_err();
    assert!(matches!(again, CoreError::State { .. }), "{again}");

    assert_eq!(world.compare('a', of("XYZ999"), saw("XYZ999")).await.unwrap().state, AlertState::Confirmed);
    // The list holds it no more: the same plate is stale, whatever is chosen.
    world.in_force('a', &list, "plate\nABC123\n").await;
    let chosen = ConfirmAlert { outcome: Some(AlertState::Confirmed), ..saw("STALE1") };
    assert_eq!(rules(&world.compare('a', of("STALE1"), chosen).await.unwrap_err()), ["outcome.stale"]);
    assert_eq!(world.compare('a', of("STALE1"), saw("STALE1")).await.unwrap().state, AlertState::Stale);

    let view = world.app.hotlist(&world.who('a', 0).await, &list).await.unwrap();
    assert_eq!((view.alerts.confirmed, view.alerts.misread, view.alerts.stale), (1, 1, 1));
    assert_eq!(view.alerts.misread_percent, Some(33));
    let public = world.app.transparency().await.unwrap();
    let [shown] = &public.hotlists[..] else { panic!() };
    assert_eq!((shown.alerts.misread_percent, shown.entries), (Some(33), 1));
    assert!(shown.cameras.is_empty(), "three alerts say nothing of a camera");
    assert_eq!(
        (world.entries("alert.confirm").await.len(), world.entries("alert.dismiss").await.len()),
        (1, 2)
    );
}

#[tokio::test]
async fn expired_entries_and_retired_lists_alert_nobody() {
    let world = World::new().await;
    let camera = world.camera('a', "Elm and Main").await;
    let soon = world.clock.time().plus_seconds(3_600);
    let list = world.watched('a', &format!("plate,expires\nSOON11,{soon}\nLATE11,\n")).await;
    assert_eq!(world.pass('a', &camera, &[("SOON11", 1), ("LATE11", 1)]).await, 2);
    world.clock.advance(3_600);
    assert_eq!(world.pass('a', &camera, &[("SOON11", 1), ("LATE11", 1)]).await, 1);
    let retired = world.app.retire_hotlist(&world.who('a', 1).await, &list).await.unwrap();
    assert!(retired.retired.is_some() && retired.in_force.is_none());
    world.clock.advance(3_600);
    assert_eq!(world.pass('a', &camera, &[("LATE11", 1)]).await, 0);
    let denied = world.app.retire_hotlist(&world.who('a', 0).await, &list).await;
    assert!(matches!(denied, Err(CoreError::Denied(_))), "an investigator retires nothing");
    assert!(matches!(world.propose('a', &list, "plate\nA1\n").await, Err(CoreError::State { .. })));
    // A new start brings the same into memory.
    world.app.load_hotlists().await.unwrap();
    assert_eq!(world.pass('a', &camera, &[("LATE11", 1)]).await, 0);
}

#[tokio::test]
async fn the_law_says_which_lists_there_may_be_and_whom_they_alert() {
    let world = World::new().await;
    let immigration = |warrant: Option<&str>| Purpose {
        case: Some("26-77".into()),
        warrant: warrant.map(str::to_owned),
        ..Purpose::new("immigration", "removal order of a person held in Concord county")
    };
    let refused = |error: CoreError| rules(&error);
    let administrative = world.list('a', &immigration(Some("26-WR-0117")), LegalBasis::Administrative).await;
    assert_eq!(refused(administrative.unwrap_err()), ["hotlists.immigration"]);
    let unnamed = world.list('a', &immigration(None), LegalBasis::Judicial).await.unwrap_err();
    assert!(refused(unnamed).contains(&"hotlists.judicial".to_owned()));
    let texas = world.list('a', &immigration(Some("26-WR-0117")), LegalBasis::Judicial).await.unwrap();
    let strict = world.list('n', &immigration(Some("26-WR-0117")), LegalBasis::Judicial).await.unwrap_err();
    assert!(refused(strict).iter().any(|rule| rule.starts_with("us-nh.")));
    let no_case = Purpose { case: Some("26-99".into()), ..purpose() };
    assert_eq!(refused(world.list('a', &no_case, LegalBasis::Agency).await.unwrap_err()), ["hotlists.case"]);
    let second = world.app.begin_import(&world.who('a', 1).await, &texas.id).await.unwrap_err();
    assert!(second.to_string().contains("two people"), "{second}");

    // Shared cameras alert whom they are shared with, under the law of their owner.
    let (open, strict) = (world.camera('b', "Bridge").await, world.camera('n', "Route 3").await);
    world.in_force('a', &texas.id, "plate\nICE111\n").await;
    world.watched('a', "plate\nABC123\n").await;
    assert_eq!(world.pass('b', &open, &[("ABC123", 1)]).await, 0, "nothing is shared");
    world.share('b', 'a').await;
    world.share('n', 'a').await;
    let plates = [("ABC123", 2), ("ICE111", 2)];
    assert_eq!(world.pass('b', &open, &plates).await, 2);
    assert_eq!(world.pass('n', &strict, &plates).await, 1, "New Hampshire's law knows no such purpose");
    assert_eq!((world.alerts('a').await.len(), world.alerts('b').await.len()), (3, 0));
    let theirs = &world.alerts('a').await[0];
    let hidden = world.app.alert(&world.who('b', 0).await, &theirs.id).await;
    assert!(hidden.is_err(), "the owner of the camera learns of no other agency's list");
}

#[tokio::test]
async fn what_counts_no_more_is_forgotten() {
    let world = World::new().await;
    let camera = world.camera('a', "Elm and Main").await;
    let list = world.watched('a', "plate\nABC123\n").await;
    world.pass('a', &camera, &[("ABC123", 1)]).await;
    let waits = world.propose('a', &list, "plate\nDEF456\n").await.unwrap();
    world.in_force('a', &list, "plate\nXYZ999\n").await;
    assert_eq!(world.parts().await, 3);
    assert_eq!(world.app.forget_hotlists().await.unwrap(), 0, "reads that just came may ask for it yet");
    world.clock.advance(700);
    assert_eq!(world.app.forget_hotlists().await.unwrap(), 1);
    assert_eq!(world.parts().await, 2);
    let supervisor = world.who('a', 1).await;
    world.app.refuse_proposal(&supervisor, &waits.version.proposal, REASON).await.unwrap();
    world.app.forget_hotlists().await.unwrap();
    world.clock.advance(700);
    assert_eq!(world.app.forget_hotlists().await.unwrap(), 1);
    assert_eq!((world.parts().await, world.entries("hotlist.erased").await.len()), (1, 2));
    let diff = world.app.hotlist_diff(&supervisor, &list, &waits.version.id).await.unwrap();
    assert_eq!((diff.version.state, diff.lines.len(), diff.more), (VersionState::Forgotten, 0, true));
    let states = world.app.proposals(&supervisor, &Default::default()).await.unwrap().entries;
    assert!(states.iter().any(|one| one.state == ProposalState::Refused));

    assert_eq!(world.app.forget_alerts().await.unwrap(), 0);
    world.clock.advance_days(366);
    assert_eq!(world.app.forget_alerts().await.unwrap(), 1);
    assert!(world.alerts('a').await.is_empty());
    assert_eq!(world.entries("alerts.erased").await.len(), 1);
}

#[tokio::test]
async fn a_list_of_many_parts_is_whole_in_memory_and_page_by_page() {
    let world = World::new().await;
    let camera = world.camera('a', "Elm and Main").await;
    let mut csv = String::from("plate\n");
    for each in 0..12_001 {
        csv.push_str(&format!("P{each:05}\n"));
    }
    let list = world.watched('a', &csv).await;
    assert_eq!(world.parts().await, 3);
    let who = world.who('a', 0).await;
    let (mut seen, mut after) = (0, None);
    loop {
        let page = world.app.hotlist_entries(&who, &list, after).await.unwrap();
        seen += page.items.len();
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, 12_001);
    assert_eq!(world.pass('a', &camera, &[("P12000", 1), ("P04999", 1), ("P99999", 1)]).await, 2);
    let plates: Vec<String> =
        world.alerts('a').await.iter().map(|alert| alert.entry.plate.as_str().to_owned()).collect();
    assert!(plates.contains(&"P12000".to_owned()) && plates.contains(&"P04999".to_owned()));
    let added = world.propose('a', &list, "plate\nONE111\n").await.unwrap();
    assert_eq!((added.version.added, added.version.removed), (1, 12_001));
}

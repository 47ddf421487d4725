//! Agencies with cameras, a store of reads that knows whether the mark was there first, and people who search.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use canvass_blind::{Epoch, EpochKey, day_of};
use canvass_core::{
    App, CoreError,
    access::{Actor, By, Gate},
    cameras::NewCamera,
    cases::NewCase,
    plates::{Batch, Feed, Granted, PlatesFound, Reads, Row, SearchPlates},
    ports::{Changeset, Query, Records as _, RecordsExt as _},
    records::{Agency, AuditRecord, CameraUse, Member},
    sharing::NewSharing,
};
use canvass_plates::{
    Appended, ClassName, Damage, ErasedSlice, Kept, Oracle, Page, Pictures, Read, ReadId, ReadQuery,
    ReadStore, RetentionClass, Stats, StoreError,
};
use canvass_policy::SharingScope;
use canvass_testkit::{ManualClock, MemRecords, SeededEntropy};
use canvass_types::{AgencyId, CameraId, Policy, Purpose, Role, Time};
use serde_json::{Value, json};

pub const REASON: &str = "follow the grey pickup seen at the pharmacy robbery on Elm Street";

/// The naive store, which writes down how many entries of searches there were whenever it is asked.
#[derive(Default)]
pub struct Watched {
    store: Oracle,
    entries: Arc<AtomicUsize>,
    pub seen: Mutex<Vec<usize>>,
}

impl ReadStore for Watched {
    fn append_with(
        &self,
        class: &RetentionClass,
        batch: &[Read],
        pictures: &Pictures<'_>,
    ) -> Result<Appended, StoreError> {
        self.store.append_with(class, batch, pictures)
    }
    fn picture(&self, id: &ReadId) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.picture(id)
    }
    fn search(&self, query: &ReadQuery) -> Result<Page, StoreError> {
        self.seen.lock().unwrap().push(self.entries.load(Ordering::SeqCst));
        self.store.search(query)
    }
    fn by_id(&self, id: &ReadId) -> Result<Option<Read>, StoreError> {
        self.store.by_id(id)
    }
    fn keep(&self, ids: &[ReadId], class: &RetentionClass) -> Result<Kept, StoreError> {
        self.store.keep(ids, class)
    }
    fn erase(&self, class: &ClassName, before: Time) -> Result<Vec<ErasedSlice>, StoreError> {
        self.store.erase(class, before)
    }
    fn stats(&self) -> Result<Stats, StoreError> {
        self.store.stats()
    }
    fn check(&self) -> Result<Vec<Damage>, StoreError> {
        self.store.check()
    }
    fn backup(&self, to: &Path) -> Result<(), StoreError> {
        self.store.backup(to)
    }
    fn compact(&self) -> Result<(), StoreError> {
        self.store.compact()
    }
}

pub struct World {
    pub app: App<MemRecords>,
    pub clock: Arc<ManualClock>,
    pub store: Arc<Watched>,
    pub reads: Reads,
}

pub fn id(letter: char) -> AgencyId {
    format!("agy_{}a", letter.to_string().repeat(25)).parse().unwrap()
}

fn agency(letter: char, class: &str, state: &str) -> Agency {
    let ring = json!([[[-71.05, 42.95], [-70.95, 42.95], [-70.95, 43.05], [-71.05, 43.05], [-71.05, 42.95]]]);
    serde_json::from_value(json!({
        "id": id(letter), "name": format!("Agency {letter}"), "class": class, "subdivision": state,
        "jurisdiction": { "type": "Polygon", "coordinates": ring }, "state": "verified", "keys": [], "recovery": null,
        "rehearsed": null, "registered": "2026-01-01T00:00:00Z", "leaves": [], "unpublished": false,
    }))
    .unwrap()
}

const ROLES: [[Role; 2]; 3] = [
    [Role::Investigator, Role::Administrator],
    [Role::Supervisor, Role::Investigator],
    [Role::Custodian, Role::Administrator],
];

fn member(letter: char, number: usize) -> Member {
    let text = format!("mbr_{}{}a", letter.to_string().repeat(24), ["b", "c", "d"][number]);
    serde_json::from_value(json!({
        "id": text, "agency": id(letter), "name": format!("Person {letter}{number}"), "roles": ROLES[number],
        "recipient": null, "active": true, "added": "2026-01-01T00:00:00Z",
    }))
    .unwrap()
}

impl World {
    /// Agencies `a` and `b` without a state law, `c` a campus police, `n` in New Hampshire; their members 0 (investigator), 1 (supervisor) and 2
    /// (custodian); a case of `a` with the code 26-77 that its member 0 opened.
    pub async fn new() -> Self {
        let clock = Arc::new(ManualClock::default());
        let records = MemRecords::new();
        let mut changes = Changeset::unguarded();
        for (letter, class, state) in [
            ('a', "municipal", "US-TX"),
            ('b', "municipal", "US-TX"),
            ('c', "campus", "US-TX"),
            ('n', "municipal", "US-NH"),
        ] {
            changes = changes.insert(&agency(letter, class, state));
            for number in 0..ROLES.len() {
                changes = changes.insert(&member(letter, number));
            }
        }
        records.commit(changes).await.unwrap();
        let gate = Gate::shipped().unwrap();
        let app = App::new(records, gate, Policy::default(), clock.clone(), Arc::new(SeededEntropy::new(3)));
        app.derive_from([7; 32]);
        let store = Arc::new(Watched::default());
        let world = Self { app, clock, reads: Reads::over(store.clone()), store };
        world.asked_key().await;
        for letter in ['a', 'c', 'n'] {
            let wish =
                NewCase { title: "Pharmacy".into(), code: Some("26-77".into()), destinations: Vec::new() };
            world.app.create_case(&world.who(letter, 0).await, wish).await.unwrap();
        }
        world
    }

    pub async fn asked_key(&self) {
        let epoch = Epoch::of(day_of(self.clock.time()));
        if self.app.asked_key(epoch).is_none() {
            self.app.use_asked_key(EpochKey::make(epoch, &SeededEntropy::new(8)).unwrap()).await.unwrap();
        }
    }

    pub async fn who(&self, letter: char, number: usize) -> Actor {
        let by = By::Token { id: "tok_aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap(), scope: None };
        self.signed_in(letter, number, by).await
    }

    async fn signed_in(&self, letter: char, number: usize, by: By) -> Actor {
        let agency = self.app.records().get::<Agency>(id(letter).as_str()).await.unwrap().unwrap().record;
        Actor::new(&member(letter, number), Some(&agency), ROLES[number].to_vec(), by)
    }

    pub async fn camera(&self, letter: char, name: &str) -> CameraId {
        self.camera_for(letter, name, CameraUse::Plates, [-71.0, 43.0]).await
    }

    pub async fn camera_for(&self, letter: char, name: &str, of: CameraUse, position: [f64; 2]) -> CameraId {
        let wish = NewCamera { name: name.into(), of, position, direction: None };
        self.app.add_camera(&self.who(letter, 1).await, wish).await.unwrap().id
    }

    pub async fn machine(&self, letter: char, number: usize, scope: &str) -> Actor {
        let id = "tok_baaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap();
        self.signed_in(letter, number, By::Token { id, scope: Some(scope.to_owned()) }).await
    }

    pub async fn feed(&self, letter: char, camera: &CameraId) -> Feed {
        let machine = self.machine(letter, 2, camera.as_str()).await;
        self.app.feed(&machine).await.unwrap()
    }

    /// Sends plates, each seen so many seconds ago; the source's id is plate and seconds.
    pub async fn send(&self, letter: char, camera: &CameraId, plates: &[(&str, i64)]) -> (Batch, Appended) {
        let feed = self.feed(letter, camera).await;
        let rows: Vec<Value> = plates.iter().map(|(plate, ago)| self.row(plate, *ago)).collect();
        let rows: Vec<Vec<u8>> = rows.iter().map(|row| serde_json::to_vec(row).unwrap()).collect();
        let batch = feed.prepare(rows.iter().map(|row| Row::Text(row)), 1);
        let appended = self.reads.add(&feed, &batch).unwrap();
        (batch, appended)
    }

    pub fn row(&self, plate: &str, ago: i64) -> Value {
        let seen = self.clock.time().plus_seconds(-ago);
        json!({ "id": format!("{plate}/{}", seen.as_second()), "time": seen, "plate": plate })
    }

    /// Searches and gives what a route would.
    pub async fn search(
        &self,
        who: &Actor,
        purpose: &Purpose,
        wish: &SearchPlates,
    ) -> Result<PlatesFound, CoreError> {
        let granted = self.app.search_plates(who, purpose, wish).await?;
        self.look(granted).await
    }

    pub async fn look<A: canvass_core::access::SearchesPlates>(
        &self,
        granted: Granted<A>,
    ) -> Result<PlatesFound, CoreError> {
        self.store.entries.store(self.entries("plate.").await.len(), Ordering::SeqCst);
        self.app.plates_found(self.reads.search(granted)?).await
    }

    /// Entries of the ledger whose action begins so, oldest first.
    pub async fn entries(&self, action: &str) -> Vec<AuditRecord> {
        let all = self.app.records().list(Query::<AuditRecord>::new()).await.unwrap();
        let all = all.into_iter().map(|found| found.record);
        all.filter(|one| one.body.action.starts_with(action) && one.leaf.is_some()).collect()
    }

    /// Agency `owner` shares all of its cameras with `with`, by name, and that one accepts.
    pub async fn share(&self, owner: char, with: char) {
        let wish = NewSharing {
            what: serde_json::from_value(json!({ "kind": "cameras", "ids": null })).unwrap(),
            scope: SharingScope::Named,
            named: [id(with)].into(),
            within_km: 0,
            from: None,
            until: self.clock.time().plus_days(30),
            reason: REASON.into(),
        };
        let one = self.app.offer_sharing(&self.who(owner, 1).await, wish).await.unwrap();
        let two = self.who(owner, 2).await;
        let rule = self.app.proposal(&two, &one.id).await.unwrap().sharing.unwrap().id;
        self.app.approve_proposal(&two, &one.id).await.unwrap();
        let taken = self.app.accept_sharing(&self.who(with, 1).await, &rule, REASON).await.unwrap();
        self.app.approve_proposal(&self.who(with, 2).await, &taken.id).await.unwrap();
    }
}

pub fn purpose() -> Purpose {
    Purpose { case: Some("26-77".into()), offence: "felony".into(), ..Purpose::new("crime", REASON) }
}

pub fn plate(text: &str) -> SearchPlates {
    SearchPlates { plate: Some(text.into()), ..SearchPlates::default() }
}

/// Plates of what was found, in order.
pub fn plates(found: &PlatesFound) -> Vec<&str> {
    found.matches.iter().map(|found| found.read.plate.as_str()).collect()
}

/// The rules that refused.
pub fn rules(error: &CoreError) -> Vec<String> {
    match error {
        CoreError::Denied(denied) => denied.rules(),
        CoreError::Invalid(problems) => {
            problems.iter().map(|one| format!("{}.{}", one.field, one.rule)).collect()
        }
        other => vec![other.to_string()],
    }
}

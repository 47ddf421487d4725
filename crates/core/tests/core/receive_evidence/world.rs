//! Two agencies, their people, a request and a portal, and short words for what they do.

use std::sync::{Arc, LazyLock};

use canvass_core::{
    App,
    access::{Actor, By, Gate, Party},
    cases::{ItemView, NewCase, NewHold},
    inbox::{AcceptClip, OpenedReport, ReportedClip},
    intake::ReceivedUpload,
    ports::{Changeset, Query, Record, Records, RecordsExt},
    records::{
        Agency, AuditRecord, CustodyEvent, Invitation, Item, Member, Offer, Portal, Request, SealedBlob,
    },
};
use canvass_testkit::{ManualClock, MemRecords, SeededEntropy};
use canvass_types::{
    AgencyClass, CaseId, Clock, Digest, Entropy, InvitationId, OfferId, Policy, PublicKey, Purpose,
    RequestState, Role, Time,
    commitment::commitment,
    leaf::{Log, OversightLeaf},
};
use ed25519_dalek::SigningKey;
use jiff::Timestamp;
use serde_json::{Value, json};

pub const OURS: &str = "agy_aaaaaaaaaaaaaaaaaaaaaaaaaa";
pub const THEIRS: &str = "agy_bbbbbbbbbbbbbbbbbbbbbbbbba";
pub const REQUEST: &str = "req_aaaaaaaaaaaaaaaaaaaaaaaaaa";
pub const PORTAL: &str = "por_aaaaaaaaaaaaaaaaaaaaaaaaaa";
pub static PURPOSE: LazyLock<Purpose> =
    LazyLock::new(|| Purpose::new("case-work", "compare the porch clips of Elm Street with the report"));
pub const SEALED: &str = "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n";

pub struct World {
    pub app: App<MemRecords>,
    pub store: MemRecords,
    pub clock: Arc<ManualClock>,
    pub entropy: Arc<SeededEntropy>,
    /// Investigator, supervisor and custodian of our agency.
    pub us: Actor,
    /// An investigator alone.
    pub junior: Actor,
    /// All roles, of another agency.
    pub them: Actor,
}

fn agency(id: &str) -> Agency {
    let ring = json!([[[-71.5, 43.2], [-71.49, 43.2], [-71.49, 43.21], [-71.5, 43.2]]]);
    serde_json::from_value(json!({
        "id": id, "name": "Elm Police", "class": "municipal", "subdivision": "US-NH",
        "jurisdiction": { "type": "Polygon", "coordinates": ring }, "state": "verified", "keys": [],
        "recovery": null, "rehearsed": null, "registered": "2026-01-01T00:00:00Z", "leaves": [], "unpublished": false,
    }))
    .unwrap()
}

pub fn request(id: &str, agency: &str, state: RequestState, at: Time) -> Request {
    let ring = json!([[[-71.5, 43.2], [-71.49, 43.2], [-71.49, 43.21], [-71.5, 43.2]]]);
    let state: Value = serde_json::to_value(state).unwrap();
    serde_json::from_value(json!({
        "id": id, "agency": agency, "author": "mbr_aaaaaaaaaaaaaaaaaaaaaaaaaa",
        "draft": {
            "code": "26-1", "incident": "robbery", "details": "x", "contact": { "name": "n" },
            "area": { "type": "Polygon", "coordinates": ring },
            "start": "2026-11-20T10:00:00Z", "end": "2026-11-20T11:00:00Z", "zone": "America/New_York",
        },
        "signed": null, "state": state, "decision": null, "moderator": null, "created": at,
        "decided": at, "closes": at.plus_days(14), "ended": null, "end_note": null,
        "leaves": ["{}"], "unpublished": false,
    }))
    .unwrap()
}

fn portal() -> Portal {
    let key = SigningKey::from_bytes(&[3; 32]);
    let body = json!({
        "v": 1, "id": PORTAL, "agency": { "id": OURS, "name": "Elm Police", "class": "municipal" },
        "details": "x", "contact": { "name": "n" }, "recipient": "age1x", "created": "2026-01-01T00:00:00Z",
    });
    let signature = canvass_types::sign(&key, "canvass/portal/v1", &body).unwrap();
    serde_json::from_value(json!({
        "id": PORTAL, "agency": OURS, "open": true, "leaves": ["{}"], "unpublished": false,
        "signed": { "body": body, "digest": Digest::of(b"x"), "key": "k", "signature": signature },
    }))
    .unwrap()
}

fn person(n: char, agency: &str, roles: &[Role]) -> (Member, Actor) {
    let id = format!("mbr_{}", n.to_string().repeat(25)) + "a";
    let member: Member = serde_json::from_value(json!({
        "id": id, "agency": agency, "name": "n", "roles": roles, "recipient": null, "active": true,
        "added": "2026-01-01T00:00:00Z",
    }))
    .unwrap();
    let by = By::Token { id: "tok_aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap(), scope: None };
    let actor = Actor {
        member: member.id.clone(),
        agency: member.agency.clone(),
        party: Some(Party::new(agency, AgencyClass::Municipal, "US-NH", "")),
        roles: roles.to_vec(),
        by,
    };
    (member, actor)
}

pub fn blob(name: &str) -> SealedBlob {
    SealedBlob { blob: format!("blobs/{name}"), sha256: Digest::of(name.as_bytes()), bytes: 1_000 }
}

/// A clock on which no two readings are of the same second.
struct Restless(Arc<ManualClock>);

impl Clock for Restless {
    fn now(&self) -> Timestamp {
        self.0.advance(1);
        self.0.now()
    }
}

impl World {
    pub async fn new() -> Self {
        Self::with(Policy::default()).await
    }

    /// A world in which a second passes at every look at the clock.
    pub async fn restless() -> Self {
        let w = Self::new().await;
        let gate = Gate::shipped().unwrap();
        let clock = Arc::new(Restless(w.clock.clone()));
        let app = App::new(w.store.clone(), gate, Policy::default(), clock, w.entropy.clone());
        Self { app, ..w }
    }

    pub async fn with(policy: Policy) -> Self {
        let (store, clock, entropy) =
            (MemRecords::new(), Arc::new(ManualClock::default()), Arc::new(SeededEntropy::new(7)));
        let all = [Role::Investigator, Role::Supervisor, Role::Custodian];
        let (one, us) = person('c', OURS, &all);
        let (two, junior) = person('d', OURS, &[Role::Investigator]);
        let (three, them) = person('e', THEIRS, &all);
        let changes = Changeset::unguarded()
            .insert(&agency(OURS))
            .insert(&agency(THEIRS))
            .insert(&one)
            .insert(&two)
            .insert(&three)
            .insert(&request(REQUEST, OURS, RequestState::Published, clock.time()))
            .insert(&portal());
        store.commit(changes).await.unwrap();
        let gate = Gate::shipped().unwrap();
        let app = App::new(store.clone(), gate, policy, clock.clone(), entropy.clone());
        Self { app, store, clock, entropy, us, junior, them }
    }

    pub async fn insert<T: Record>(&self, record: &T) {
        self.store.commit(Changeset::unguarded().insert(record)).await.unwrap();
    }

    pub async fn change<T: Record>(&self, key: &str, change: impl FnOnce(&mut T)) {
        let before = self.store.get::<T>(key).await.unwrap().unwrap();
        let mut after = before.record.clone();
        change(&mut after);
        self.store.commit(Changeset::unguarded().update(&before, &after)).await.unwrap();
    }

    pub fn upload(&self, n: u8) -> ReceivedUpload {
        ReceivedUpload {
            upload: format!("upload-{n}"),
            destination: REQUEST.into(),
            offer_key: PublicKey::of(&SigningKey::from_bytes(&[n; 32])),
            lookup: format!("lookup-{n}"),
            invitation: None,
            begun: self.clock.time(),
            sealed: blob(&format!("envelope-{n}")),
        }
    }

    pub async fn receive(&self, n: u8) -> OfferId {
        self.app.receive(self.upload(n)).await.unwrap()
    }

    pub fn report(&self, n: u8, clips: u32) -> OpenedReport {
        let clip = |number| ReportedClip {
            name: format!("clip-{n}-{number}.mp4"),
            bytes: 500,
            sha256: Digest::of(format!("clip-{n}-{number}").as_bytes()),
        };
        OpenedReport {
            clips: (1..=clips).map(clip).collect(),
            mailbox: Some("age1mailbox".into()),
            envelope_sha256: blob(&format!("envelope-{n}")).sha256,
            defects: Vec::new(),
        }
    }

    /// Receives, opens and reports an offer.
    pub async fn opened(&self, n: u8, clips: u32) -> OfferId {
        let id = self.receive(n).await;
        self.app.open_offer(&self.us, &id, &PURPOSE).await.unwrap();
        self.app.report_offer(&self.us, &id, &self.report(n, clips)).await.unwrap();
        id
    }

    pub async fn case(&self) -> CaseId {
        let wish =
            NewCase { title: "26-1 Elm Street".into(), code: None, destinations: vec![REQUEST.into()] };
        self.app.create_case(&self.us, wish).await.unwrap().id
    }

    pub fn acceptance(&self, n: u8, number: u32, case: &CaseId) -> AcceptClip {
        AcceptClip {
            case: case.clone(),
            sealed: blob(&format!("item-{n}-{number}")),
            sha256: Digest::of(format!("clip-{n}-{number}").as_bytes()),
            bytes: 500,
        }
    }

    pub async fn accept(&self, id: &OfferId, n: u8, number: u32, case: &CaseId) -> ItemView {
        self.app.accept_clip(&self.us, id, number, &self.acceptance(n, number, case)).await.unwrap()
    }

    pub async fn hold(&self, subject: impl ToString) -> canvass_core::records::Hold {
        let wish = NewHold { subject: subject.to_string(), basis: "court order 26-77".into() };
        self.app.place_hold(&self.us, &wish).await.unwrap()
    }

    /// Sweeps, and carries out what it ordered; gives what was destroyed.
    pub async fn forget(&self) -> Vec<String> {
        self.app.sweep(1_000).await.unwrap();
        let mut gone = Vec::new();
        for erasure in self.app.erasures_due(1_000).await.unwrap() {
            self.app.erased(&erasure.id).await.unwrap();
            gone.push(format!("{} {}", erasure.subject, erasure.reason));
        }
        gone
    }

    pub async fn stored(&self, id: &OfferId) -> Offer {
        self.store.get(id.as_str()).await.unwrap().unwrap().record
    }

    pub fn secret(&self, destination: &str, expires: Time) -> (Invitation, String) {
        let mut bytes = [0; 8];
        self.entropy.fill(&mut bytes);
        let secret = format!("secret-{}", u64::from_le_bytes(bytes));
        let invitation = Invitation {
            id: InvitationId::random(self.entropy.as_ref()),
            agency: OURS.parse().unwrap(),
            destination: destination.into(),
            secret_hash: Digest::of(secret.as_bytes()),
            case: None,
            by: self.us.member.clone(),
            made: self.clock.time(),
            expires,
            used: None,
            revoked: None,
        };
        (invitation, secret)
    }

    /// Checks what must hold whatever happened: chains are whole, their heads stand in a committed record, and each
    /// ledgered record has its entry.
    pub async fn check(&self) {
        let audit: Vec<AuditRecord> = self.all().await;
        let size = self.store.ledger_size(Log::Oversight).await.unwrap();
        let entries = self.store.ledger_entries(Log::Oversight, 0, 100_000).await.unwrap();
        assert_eq!(size, audit.iter().filter(|each| each.leaf.is_some()).count() as u64);
        let leaves: Vec<OversightLeaf> =
            entries.iter().map(|entry| serde_json::from_slice(&entry.entry).unwrap()).collect();
        for record in audit.iter().filter(|each| each.leaf.is_some()) {
            let salt = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, &record.salt).unwrap();
            let opens = commitment(&salt.try_into().unwrap(), &serde_json::to_value(&record.body).unwrap());
            let leaf = record.leaf.as_ref().unwrap();
            assert!(leaf.commitment == opens && leaves.contains(leaf), "{}", record.body.action);
        }
        let details: String = audit.iter().map(|each| each.body.detail.to_string()).collect();
        let offers = self.all::<Offer>().await.into_iter().map(|it| (it.id.to_string(), it.custody));
        let items = self.all::<Item>().await.into_iter().map(|it| (it.id.to_string(), it.custody));
        for (subject, head) in offers.chain(items).collect::<Vec<_>>() {
            let events: Vec<CustodyEvent> = self.events(&subject).await;
            canvass_core::custody::verify_chain_to(&events, &head).unwrap();
            for event in &events {
                // An event and the record that names it are of one moment and one member.
                let hash = format!("\"{}\"", event.hash);
                for record in audit.iter().filter(|each| each.body.detail.to_string().contains(&hash)) {
                    let (at, by) = (record.body.at, &record.body.actor);
                    assert_eq!((event.at, &event.by), (at, by), "{} of {}", event.event, record.body.action);
                }
            }
            let dropped = events.last().unwrap().event == "mailbox-dropped";
            assert!(dropped || details.contains(&head.hash.to_string()), "{subject}: {:?}", events.last());
        }
    }

    pub async fn all<T: Record>(&self) -> Vec<T> {
        let found = self.store.list(Query::<T>::new()).await.unwrap();
        found.into_iter().map(|each| each.record).collect()
    }

    pub async fn events(&self, subject: &str) -> Vec<CustodyEvent> {
        let query = Query::<CustodyEvent>::new().with("subject", subject);
        self.store.list(query).await.unwrap().into_iter().map(|each| each.record).collect()
    }

    pub async fn story(&self, subject: impl ToString) -> String {
        let events = self.events(&subject.to_string()).await;
        events.iter().map(|each| each.event.as_str()).collect::<Vec<_>>().join(" ")
    }
}

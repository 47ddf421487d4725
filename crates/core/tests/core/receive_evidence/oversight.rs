//! What the oversight ledger says of acts and refusals, what can be opened of it, and that nothing protected is given out
//! before it stands there.

use std::{collections::BTreeMap, sync::Arc};

use canvass_core::{
    App, CoreError,
    access::{Actor, Denied, Gate, Grant, REFUSED, ReadsEvidence},
    disclosure::{Disclosed, NewDisclosure},
    ports::Records,
    records::AuditRecord,
};
use canvass_testkit::{
    MemRecords, SeededEntropy,
    faults::{FailingRecords, Failure},
};
use canvass_types::{
    OfferId, Policy, Purpose, Role,
    commitment::reopened,
    leaf::{Log, OversightLeaf},
};
use proptest::prelude::*;

use super::world::{PURPOSE, World};

async fn leaves(store: &MemRecords) -> Vec<OversightLeaf> {
    let entries = store.ledger_entries(Log::Oversight, 0, 100_000).await.unwrap();
    entries.iter().map(|entry| serde_json::from_slice(&entry.entry).unwrap()).collect()
}

#[tokio::test]
async fn a_refusal_is_entered_without_names_and_repeats_can_be_linked() {
    let w = World::new().await;
    let id = w.receive(1).await;
    let idle = Purpose::new("triage", "ongoing investigation");
    for _ in 0..2 {
        let refused = w.app.open_offer(&w.junior, &id, &idle).await.unwrap_err();
        assert!(matches!(refused, CoreError::Denied(Denied::Purpose { .. })), "{refused}");
    }
    assert!(matches!(w.app.open_offer(&w.them, &id, &PURPOSE).await, Err(CoreError::Denied(Denied::Hidden))));
    w.app.open_offer(&w.junior, &id, &PURPOSE).await.unwrap();
    let all = leaves(&w.store).await;
    let refused: Vec<&OversightLeaf> = all.iter().filter(|leaf| leaf.kind == REFUSED).collect();
    assert_eq!(refused.len(), 3);
    assert!(refused.iter().all(|leaf| leaf.refused.as_deref() == Some("offer.open")));
    assert!(refused[0].actor.is_some() && refused[0].actor == refused[1].actor);
    // Whose member it was is told where it was another agency's.
    assert_eq!((refused[0].by.clone(), refused[2].by.clone()), (None, w.them.agency.clone()));
    let opened = all.iter().find(|leaf| leaf.kind == "offer.open").unwrap();
    assert_eq!(
        (opened.actor.clone(), opened.purpose.as_deref()),
        (refused[0].actor.clone(), Some("case-work"))
    );
    let text = serde_json::to_string(&all).unwrap();
    for told in [w.junior.member.as_str(), w.them.member.as_str(), "investigation", "Elm Street"] {
        assert!(!text.contains(told), "{told} stands in the ledger");
    }
    let records: Vec<AuditRecord> = w.all().await;
    let rules: Vec<String> = records
        .iter()
        .filter(|record| record.body.action == REFUSED)
        .map(|record| record.body.detail["rules"].to_string())
        .collect();
    assert_eq!(rules, [r#"["reason.boilerplate"]"#, r#"["reason.boilerplate"]"#, r#"["roles.hidden"]"#]);
    w.check().await;
}

#[tokio::test]
async fn what_is_not_opened_to_an_auditor_stays_shut() {
    let w = World::new().await;
    let id = w.receive(1).await;
    w.app.open_offer(&w.junior, &id, &PURPOSE).await.unwrap();
    w.app.open_offer(&w.us, &id, &PURPOSE).await.unwrap();
    let wish = NewDisclosure {
        action: Some("offer.open".into()),
        fields: vec!["at".into(), "purpose.class".into()],
        to: "City council".into(),
        basis: "Council order 26-14 of November".into(),
        ..NewDisclosure::default()
    };
    assert!(matches!(w.app.disclose(&w.junior, &wish).await, Err(CoreError::Denied(Denied::Role { .. }))));
    let made = w.app.disclose(&w.us, &wish).await.unwrap();
    assert_eq!(made.records.len(), 3, "two records, and that of the disclosure itself");
    let all = leaves(&w.store).await;
    let (own, rest) = made.records.split_last().unwrap();
    for record in rest {
        assert_eq!(record.opened.keys().collect::<Vec<_>>(), ["at", "purpose.class"]);
        assert_eq!(reopened(&record.opened, &record.shut), Some(record.leaf.commitment));
        assert!(all.contains(&record.leaf));
    }
    assert!(own.shut.is_empty() && own.opened["action"].value == "disclosure.make");
    assert_eq!(reopened(&own.opened, &own.shut), Some(own.leaf.commitment));
    assert!(all.contains(&own.leaf));
    let told = |records: &[Disclosed]| serde_json::to_string(records).unwrap();
    assert!(!told(rest).contains(w.junior.member.as_str()) && !told(rest).contains("Elm Street"));
    // Another agency has nothing of ours to open, and ids of what is not there are refused.
    let none = w.app.disclose(&w.them, &wish).await.unwrap_err();
    assert!(matches!(none, CoreError::Invalid(_)), "{none}");
    let record = made.records[0].clone();
    let mut altered = record.opened.clone();
    altered.get_mut("at").unwrap().value = "2026-01-01T00:00:00Z".into();
    assert_ne!(reopened(&altered, &record.shut), Some(record.leaf.commitment));
    w.check().await;
}

/// One thing that somebody tries.
#[derive(Debug, Clone)]
enum Try {
    Receive(u8),
    Open(u8, usize, usize),
    Read(usize, usize),
    Export(usize, usize),
    Withdraw(u8),
    Days(u32),
}

fn tries() -> impl Strategy<Value = Vec<Try>> {
    let offer = 1..4_u8;
    let one = prop_oneof![
        offer.clone().prop_map(Try::Receive),
        (offer.clone(), 0..4_usize, 0..3_usize).prop_map(|(n, who, why)| Try::Open(n, who, why)),
        (0..4_usize, 0..3_usize).prop_map(|(who, why)| Try::Read(who, why)),
        (0..4_usize, 0..3_usize).prop_map(|(who, why)| Try::Export(who, why)),
        offer.prop_map(Try::Withdraw),
        (1..120_u32).prop_map(Try::Days),
    ];
    proptest::collection::vec(one, 1..16)
}

type Flaky = App<FailingRecords<MemRecords>>;

struct Stage {
    w: World,
    app: Flaky,
    people: [Actor; 4],
    offers: BTreeMap<u8, OfferId>,
}

impl Stage {
    /// The same store, under a domain whose n-th commit is lost: before it was stored, or after.
    async fn new(at: u64, failure: Failure) -> Self {
        let w = World::new().await;
        let operator = Actor { agency: None, party: None, roles: vec![Role::Operator], ..w.us.clone() };
        let people = [w.us.clone(), w.junior.clone(), w.them.clone(), operator];
        let records = FailingRecords::new(w.store.clone(), at, failure);
        let chance = Arc::new(SeededEntropy::new(11));
        let app = App::new(records, Gate::shipped().unwrap(), Policy::default(), w.clock.clone(), chance);
        let mut stage = Self { w, app, people, offers: BTreeMap::new() };
        // One offer is triaged before anything fails, so that there is something to read and export.
        let case = stage.w.case().await;
        let id = stage.w.opened(1, 1).await;
        stage.w.accept(&id, 1, 1, &case).await;
        stage.offers.insert(1, id);
        stage
    }

    /// A grant may be had only when its record and ledger entry can be read by everybody else already.
    async fn holds<A: ReadsEvidence>(&self, grant: &Grant<A>) {
        self.stands(grant.record().id.as_str()).await;
        assert!(grant.blob().is_some());
    }

    async fn stands(&self, id: &str) {
        use canvass_core::ports::RecordsExt as _;
        let record = self.w.store.get::<AuditRecord>(id).await.unwrap().expect("the record is stored").record;
        let leaf = record.leaf.clone().expect("it has an entry");
        assert!(record.is_whole() && leaves(&self.w.store).await.contains(&leaf));
        assert!(record.body.purpose.is_some() && leaf.purpose.is_some());
    }

    async fn attempt(&mut self, what: &Try) {
        let purposes = [
            PURPOSE.clone(),
            Purpose::new("case-work", "case"),
            Purpose::new("immigration", "look into it again"),
        ];
        match what {
            Try::Receive(n) => {
                if let Ok(id) = self.app.receive(self.w.upload(*n)).await {
                    self.offers.insert(*n, id);
                }
            }
            Try::Open(n, who, why) => {
                let Some(id) = self.offers.get(n).cloned() else { return };
                if let Ok(grant) = self.app.open_offer(&self.people[*who], &id, &purposes[*why]).await {
                    assert!(*who < 2 && *why == 0, "somebody opened who may not");
                    self.holds(&grant).await;
                }
            }
            Try::Read(who, why) => {
                let items: Vec<canvass_core::records::Item> = self.w.all().await;
                let Some(item) = items.first() else { return };
                if let Ok(grant) = self.app.read_item(&self.people[*who], &item.id, &purposes[*why]).await {
                    assert!(*who < 2 && *why == 0, "somebody read who may not");
                    self.holds(&grant).await;
                }
            }
            Try::Export(who, why) => {
                let cases: Vec<canvass_core::records::Case> = self.w.all().await;
                let Some(case) = cases.first() else { return };
                let made = self.app.export_case(&self.people[*who], &case.id, &purposes[*why]).await;
                if let Ok((grant, _)) = made {
                    assert!(*who < 2 && *why == 0, "somebody exported who may not");
                    self.stands(grant.record().id.as_str()).await;
                }
            }
            Try::Withdraw(n) => {
                let _ = self.app.withdraw(&format!("lookup-{n}")).await;
            }
            Try::Days(days) => {
                self.w.clock.advance_days(*days);
                let _ = self.app.sweep(1_000).await;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn nothing_protected_is_given_out_before_its_entry_stands(
        tries in tries(), at in 1..20_u64, lost in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let failure = if lost { Failure::AfterStoring } else { Failure::BeforeStoring };
            let mut stage = Stage::new(at, failure).await;
            for each in &tries {
                stage.attempt(each).await;
            }
            stage.w.check().await;
        });
    }
}

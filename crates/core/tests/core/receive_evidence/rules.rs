//! Laws that hold over any order of acts, and over acts at the same moment.

use std::sync::Arc;

use canvass_core::{
    App, CoreError,
    access::Gate,
    inbox::AnswerWithdrawal,
    records::{ClipState, Erasure, Item, Offer},
};
use canvass_testkit::{MemRecords, SeededEntropy};
use canvass_types::Policy;

use super::world::{PURPOSE, SEALED, World};

fn is_send<T: Send>(it: T) -> T {
    it
}

#[tokio::test]
async fn the_server_can_run_every_call_on_any_thread() {
    let w = World::new().await;
    let id = w.opened(1, 1).await;
    let case = w.case().await;
    is_send(w.app.receive(w.upload(2))).await.unwrap();
    is_send(w.app.open_offer(&w.us, &id, &PURPOSE)).await.unwrap();
    let item = is_send(w.app.accept_clip(&w.us, &id, 1, &w.acceptance(1, 1, &case))).await.unwrap();
    is_send(w.app.read_item(&w.us, &item.id, &PURPOSE)).await.unwrap();
    is_send(w.app.decline_clip(&w.us, &id, 1, "x")).await.unwrap_err();
    is_send(w.app.reconsider_clip(&w.us, &id, 1)).await.unwrap_err();
    is_send(w.app.export_case(&w.us, &case, &PURPOSE)).await.unwrap();
    is_send(w.app.offers(&w.us, &Default::default())).await.unwrap();
    is_send(w.app.items(&w.us, &Default::default())).await.unwrap();
    is_send(w.app.cases(&w.us, &Default::default())).await.unwrap();
    is_send(w.app.holds(&w.us, &Default::default())).await.unwrap();
    is_send(w.app.schedule(&w.us, &Default::default())).await.unwrap();
    is_send(w.app.withdraw("lookup-2")).await.unwrap();
    is_send(w.app.sweep(10)).await.unwrap();
    is_send(w.app.erasures_due(10)).await.unwrap();
    is_send(w.app.custody(&w.us, id.as_str())).await.unwrap();
}

/// A hold and a sweep that both read before either wrote: whoever is second meets a conflict.
#[tokio::test]
async fn a_hold_and_an_order_at_the_same_moment_do_not_both_succeed() {
    let w = World::new().await;
    let (case, id) = (w.case().await, w.opened(1, 1).await);
    let item = w.accept(&id, 1, 1, &case).await;
    w.app.close_case(&w.us, &case).await.unwrap();
    w.clock.advance_days(1_000);
    // The sweep on a store that places a hold on the case between reading and committing.
    for subject in [case.to_string(), id.to_string(), item.id.to_string()] {
        let store = w.store.snapshot();
        let racing = Racing {
            inner: store.clone(),
            subject: subject.clone(),
            clock: w.clock.clone(),
            us: w.us.clone(),
        };
        let gate = Gate::shipped().unwrap();
        let app = App::new(
            racing,
            Gate::shipped().unwrap(),
            Policy::default(),
            w.clock.clone(),
            Arc::new(SeededEntropy::new(5)),
        );
        let swept = app.sweep(100).await.unwrap();
        assert!(swept.conflicts > 0, "{subject}: {swept:?}");
        let calm = App::new(store, gate, Policy::default(), w.clock.clone(), Arc::new(SeededEntropy::new(6)));
        let free = calm.erasures_due(100).await.unwrap();
        let covered = |each: &Erasure| {
            each.subject == item.id.as_str() || (subject != item.id.as_str() && each.subject == id.as_str())
        };
        assert!(!free.iter().any(covered), "{subject}: {free:?}");
    }
}

struct Racing {
    inner: MemRecords,
    subject: String,
    clock: Arc<canvass_testkit::ManualClock>,
    us: canvass_core::access::Actor,
}

use canvass_core::ports::{
    Changeset, Committed, Kind, LedgerEntry, RawQuery, RawRecord, Records, StoreError,
};
use canvass_types::leaf::Log;

impl Records for Racing {
    async fn fetch(&self, kind: Kind, key: &str) -> Result<Option<RawRecord>, StoreError> {
        self.inner.fetch(kind, key).await
    }
    async fn select(&self, query: &RawQuery) -> Result<Vec<RawRecord>, StoreError> {
        self.inner.select(query).await
    }
    async fn count_by(
        &self,
        kind: Kind,
        column: &'static str,
    ) -> Result<std::collections::BTreeMap<String, u64>, StoreError> {
        self.inner.count_by(kind, column).await
    }
    async fn commit(&self, changes: Changeset) -> Result<Committed, StoreError> {
        // At the moment when a decision that rests on the subject is committed.
        if changes.writes().iter().any(|write| write.key == self.subject) {
            let gate = Gate::shipped().unwrap();
            let chance = Arc::new(SeededEntropy::new(1));
            let other = App::new(self.inner.clone(), gate, Policy::default(), self.clock.clone(), chance);
            let wish =
                canvass_core::cases::NewHold { subject: self.subject.clone(), basis: "court order".into() };
            // From the second time on the seed repeats and the hold is there already.
            drop(other.place_hold(&self.us, &wish).await);
        }
        self.inner.commit(changes).await
    }
    async fn ledger_entries(&self, log: Log, from: u64, limit: u32) -> Result<Vec<LedgerEntry>, StoreError> {
        self.inner.ledger_entries(log, from, limit).await
    }
    async fn ledger_index_of(&self, log: Log, entry: &[u8]) -> Result<Option<u64>, StoreError> {
        self.inner.ledger_index_of(log, entry).await
    }
    async fn ledger_size(&self, log: Log) -> Result<u64, StoreError> {
        self.inner.ledger_size(log).await
    }
}

/// Many acts in an order that a seed chooses; refusals are fine, broken laws are not.
#[tokio::test]
async fn whatever_the_order_chains_hold_and_what_is_held_stays() {
    let (mut destroyed, mut kept, mut refused) = (0, 0, 0);
    for seed in 0..12 {
        let w = World::new().await;
        let chance = SeededEntropy::new(seed);
        let cases = [w.case().await, w.case().await];
        for n in 1..=4 {
            w.receive(n).await;
        }
        for _ in 0..120 {
            let offers = w.all::<Offer>().await;
            let items = w.all::<Item>().await;
            let n = chance.below(4) as u8 + 1;
            let offer = offers.iter().find(|it| it.upload == format!("upload-{n}")).unwrap();
            let case = &cases[chance.below(2) as usize];
            let number = chance.below(2) as u32 + 1;
            let done: Result<(), CoreError> = match chance.below(15) {
                0 | 1 => w.app.open_offer(&w.us, &offer.id, &PURPOSE).await.map(drop),
                2 => w.app.report_offer(&w.us, &offer.id, &w.report(n, 2)).await.map(drop),
                3 | 4 => w
                    .app
                    .accept_clip(&w.us, &offer.id, number, &w.acceptance(n, number, case))
                    .await
                    .map(drop),
                5 => w.app.decline_clip(&w.us, &offer.id, number, "dark").await.map(drop),
                6 => w.app.reconsider_clip(&w.us, &offer.id, number).await.map(drop),
                7 => w.app.withdraw(&offer.lookup).await.map(drop),
                8 => {
                    let answer =
                        AnswerWithdrawal { granted: chance.below(2) == 0, reason: "as we agreed".into() };
                    w.app.answer_withdrawal(&w.us, &offer.id, &answer).await.map(drop)
                }
                9 => {
                    let mut subjects = vec![offer.id.to_string(), case.to_string()];
                    subjects.extend(items.iter().map(|it| it.id.to_string()));
                    let subject = subjects[chance.below(subjects.len() as u64) as usize].clone();
                    let wish =
                        canvass_core::cases::NewHold { subject, basis: "an order of the court".into() };
                    w.app.place_hold(&w.us, &wish).await.map(drop)
                }
                10 => {
                    match w.all::<canvass_core::records::Hold>().await.iter().find(|it| it.released.is_none())
                    {
                        Some(hold) => {
                            w.app.release_hold(&w.us, &hold.id, "the order was lifted").await.map(drop)
                        }
                        None => Ok(()),
                    }
                }
                11 => w.app.close_case(&w.us, case).await.map(drop),
                12 => w.app.reopen_case(&w.us, case).await.map(drop),
                13 => w.app.ask(&w.us, &offer.id, SEALED).await.map(drop),
                _ => {
                    w.clock.advance_days(chance.below(200) as u32);
                    let held = held(&w).await;
                    let gone = w.forget().await;
                    destroyed += gone.len();
                    kept += held.len();
                    assert!(
                        !gone.iter().any(|gone| held.iter().any(|held| gone.starts_with(held.as_str()))),
                        "{seed}"
                    );
                    assert_eq!(
                        w.forget().await,
                        Vec::<String>::new(),
                        "seed {seed}: a second pass found more"
                    );
                    Ok(())
                }
            };
            refused += usize::from(done.is_err());
            assert!(!matches!(done, Err(CoreError::Store(_))), "seed {seed}: {done:?}");
        }
        laws(&w).await;
        w.check().await;
    }
    assert!(destroyed > 20 && kept > 20 && refused < 12 * 110, "{destroyed} {kept} {refused}");
    println!("destroyed {destroyed}, held at a sweep {kept}, acts refused {refused} of {}", 12 * 120);
}

/// What an active hold covers, told from the records alone.
async fn held(w: &World) -> Vec<String> {
    let holds = w.all::<canvass_core::records::Hold>().await;
    let on = |subject: &str| holds.iter().any(|it| it.released.is_none() && it.subject == subject);
    let (offers, items) = (w.all::<Offer>().await, w.all::<Item>().await);
    let mut held = Vec::new();
    for item in &items {
        if on(item.id.as_str()) || on(item.case.as_str()) || on(item.offer.as_str()) {
            held.push(item.id.to_string());
        }
    }
    for offer in &offers {
        let by_item = items.iter().any(|it| it.offer == offer.id && on(it.case.as_str()));
        let by_case = offer.case.as_ref().is_some_and(|case| on(case.as_str()));
        if on(offer.id.as_str()) || by_case || by_item {
            held.push(offer.id.to_string());
        }
    }
    held
}

async fn laws(w: &World) {
    let (offers, items) = (w.all::<Offer>().await, w.all::<Item>().await);
    for offer in &offers {
        for clip in &offer.clips {
            if let ClipState::Accepted { item } = &clip.state {
                assert_eq!(items.iter().filter(|it| it.id == *item && it.sha256 == clip.sha256).count(), 1);
            }
        }
    }
    let erasures = w.all::<Erasure>().await;
    let mut blobs: Vec<_> = erasures.iter().map(|it| &it.blob.blob).collect();
    blobs.sort();
    blobs.dedup();
    assert_eq!(blobs.len(), erasures.len(), "one order for each blob");
    for erasure in erasures.iter().filter(|it| it.done.is_some()) {
        let offer = offers.iter().find(|it| it.id.as_str() == erasure.subject).map(|it| it.destroyed);
        let item = items.iter().find(|it| it.id.as_str() == erasure.subject).map(|it| it.destroyed);
        assert!(offer.or(item).flatten().is_some());
    }
}

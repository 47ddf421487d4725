//! A hold beats every retention.

use canvass_core::{
    inbox::AnswerWithdrawal,
    records::{Hold, OfferState},
    retention::ScheduleFilter,
};
use canvass_types::OfferId;

use super::world::{PURPOSE, World};

/// Everything is far past its time; nothing goes until the hold is released, then all that was due does.
async fn held_then_free(w: &World, hold: &Hold, due: usize) {
    w.clock.advance_days(1_000);
    assert!(w.forget().await.is_empty(), "{hold:?}");
    let schedule = w.app.schedule(&w.us, &ScheduleFilter::default()).await.unwrap();
    assert_eq!(schedule.len(), due, "{schedule:?}");
    assert!(schedule.iter().all(|each| each.held));
    w.app.release_hold(&w.us, &hold.id, "the order was lifted").await.unwrap();
    let gone = w.forget().await;
    assert_eq!(gone.len(), due, "{gone:?}");
    w.check().await;
}

async fn triaged(w: &World) -> (canvass_types::CaseId, OfferId, canvass_types::ItemId) {
    let (case, id) = (w.case().await, w.opened(1, 2).await);
    let item = w.accept(&id, 1, 1, &case).await;
    w.app.decline_clip(&w.us, &id, 2, "dark").await.unwrap();
    w.app.close_case(&w.us, &case).await.unwrap();
    (case, id, item.id)
}

#[tokio::test]
async fn on_an_untriaged_offer() {
    let w = World::new().await;
    let id = w.receive(1).await;
    let hold = w.hold(&id).await;
    held_then_free(&w, &hold, 1).await;
}

#[tokio::test]
async fn on_an_offer_with_items() {
    let w = World::new().await;
    let (_, id, _) = triaged(&w).await;
    let hold = w.hold(&id).await;
    held_then_free(&w, &hold, 2).await;
}

#[tokio::test]
async fn on_a_case() {
    let w = World::new().await;
    let (case, ..) = triaged(&w).await;
    let hold = w.hold(&case).await;
    held_then_free(&w, &hold, 2).await;
}

#[tokio::test]
async fn on_an_item_alone() {
    let w = World::new().await;
    let (_, id, item) = triaged(&w).await;
    let hold = w.hold(&item).await;
    w.clock.advance_days(1_000);
    assert_eq!(w.forget().await, [format!("{id} declined")]);
    w.app.read_item(&w.us, &item, &PURPOSE).await.unwrap();
    w.app.release_hold(&w.us, &hold.id, "the order was lifted").await.unwrap();
    assert_eq!(w.forget().await, [format!("{item} closed-case")]);
    assert!(
        w.app
            .place_hold(
                &w.us,
                &canvass_core::cases::NewHold { subject: item.to_string(), basis: "late".into() }
            )
            .await
            .is_err()
    );
}

#[tokio::test]
async fn on_a_withdrawn_offer() {
    let w = World::new().await;
    let id = w.receive(1).await;
    let hold = w.hold(&id).await;
    w.app.withdraw("lookup-1").await.unwrap();
    assert_eq!(w.stored(&id).await.state, OfferState::Withdrawn);
    w.clock.advance_days(1_000);
    assert!(w.forget().await.is_empty());
    assert!(w.stored(&id).await.mailbox_due.is_some(), "the mailbox is held too");
    w.app.release_hold(&w.us, &hold.id, "the order was lifted").await.unwrap();
    assert_eq!(w.forget().await.len(), 1);
    let offer = w.stored(&id).await;
    assert!(offer.state == OfferState::Destroyed && canvass_core::retention::status_over(&offer));
}

#[tokio::test]
async fn placed_between_order_and_destruction() {
    let w = World::new().await;
    let id = w.opened(1, 1).await;
    w.clock.advance_days(90);
    assert_eq!(w.app.sweep(10).await.unwrap().envelopes, 1);
    assert!(w.app.open_offer(&w.us, &id, &PURPOSE).await.unwrap_err().to_string().contains("ordered"));
    let hold = w.hold(&id).await;
    assert!(w.app.erasures_due(10).await.unwrap().is_empty());
    w.app.open_offer(&w.us, &id, &PURPOSE).await.unwrap();
    w.app.release_hold(&w.us, &hold.id, "the order was lifted").await.unwrap();
    assert_eq!(w.forget().await.len(), 1);
    w.check().await;
}

#[tokio::test]
async fn two_holds_are_two() {
    let w = World::new().await;
    let (case, id, _) = triaged(&w).await;
    let (one, two) = (w.hold(&case).await, w.hold(&id).await);
    w.clock.advance_days(1_000);
    w.app.release_hold(&w.us, &one.id, "lifted: the order is over").await.unwrap();
    assert!(w.app.release_hold(&w.us, &one.id, "lifted: the order is over").await.is_err());
    assert!(w.forget().await.is_empty());
    w.app.release_hold(&w.us, &two.id, "lifted: the order is over").await.unwrap();
    assert_eq!(w.forget().await.len(), 2);
}

#[tokio::test]
async fn a_granted_withdrawal_is_refused_while_the_case_is_held() {
    let w = World::new().await;
    let (case, id) = (w.case().await, w.opened(1, 1).await);
    w.accept(&id, 1, 1, &case).await;
    w.app.withdraw("lookup-1").await.unwrap();
    let hold = w.hold(&case).await;
    let yes = AnswerWithdrawal { granted: true, reason: "no longer needed".into() };
    assert!(
        w.app.answer_withdrawal(&w.us, &id, &yes).await.unwrap_err().to_string().contains(hold.id.as_str())
    );
    assert!(w.forget().await.is_empty());
}

#[tokio::test]
async fn a_reopened_case_keeps_its_items() {
    let w = World::new().await;
    let (case, _, item) = triaged(&w).await;
    w.clock.advance_days(300);
    w.app.reopen_case(&w.us, &case).await.unwrap();
    w.clock.advance_days(300);
    assert!(!w.forget().await.iter().any(|gone| gone.starts_with(item.as_str())));
    w.app.close_case(&w.us, &case).await.unwrap();
    w.clock.advance_days(365);
    assert_eq!(w.forget().await, [format!("{item} closed-case")]);
    w.check().await;
}

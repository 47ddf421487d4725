//! Whole lives of offers.

use canvass_core::{
    CoreError,
    access::{Actor, Denied},
    cases::{CaseFilter, ChangeCase, ItemFilter},
    custody::verify_chain_to,
    inbox::{Annotate, AnswerWithdrawal, Assignee, OfferFilter, WorkFilter},
    intake::Withdrawn,
    records::{ClipState, Erasure, Offer, OfferState, Request},
    retention::ScheduleFilter,
};
use canvass_types::{Digest, RequestState, leaf::Log};

use super::world::{PORTAL, PURPOSE, REQUEST, SEALED, World, blob, request};

#[tokio::test]
async fn an_offer_from_upload_to_bundle_to_nothing() {
    let w = World::new().await;
    let case = w.case().await;
    let id = w.receive(1).await;
    let offer = w.stored(&id).await;
    assert_eq!((offer.state, offer.unpublished), (OfferState::Received, true));
    assert_eq!(offer.due, Some(w.clock.time().plus_days(90)));

    let grant = w.app.open_offer(&w.junior, &id, &PURPOSE).await.unwrap();
    assert_eq!(grant.blob(), Some(&blob("envelope-1")));
    w.app.report_offer(&w.us, &id, &w.report(1, 2)).await.unwrap();
    let item = w.accept(&id, 1, 1, &case).await;
    assert_eq!(w.stored(&id).await.state, OfferState::Opened);
    let view = w.app.decline_clip(&w.us, &id, 2, "shows only a cat").await.unwrap();
    assert_eq!((view.state, view.due), (OfferState::Triaged, Some(w.clock.time().plus_days(30))));
    assert_eq!(view.case, Some(case.clone()));
    w.app.open_offer(&w.us, &id, &PURPOSE).await.unwrap();
    assert_eq!(w.story(&id).await, "received opened reported accepted declined read");

    let grant = w.app.read_item(&w.us, &item.id, &PURPOSE).await.unwrap();
    assert_eq!(grant.blob(), Some(&blob("item-1-1")));
    let (_, bundle) = w.app.export_case(&w.us, &case, &PURPOSE).await.unwrap();
    assert_eq!((bundle.items.len(), bundle.offers.len(), bundle.destinations.len()), (1, 1, 1));
    verify_chain_to(&bundle.items[0].custody, &bundle.items[0].item.custody).unwrap();
    verify_chain_to(&bundle.offers[0].custody, &bundle.offers[0].offer.custody).unwrap();
    let actions: Vec<_> = bundle.audit.iter().map(|each| each.body.action.as_str()).collect();
    for action in ["offer.received", "offer.open", "offer.triage", "item.read", "case.create"] {
        assert!(actions.contains(&action), "{action} is not in {actions:?}");
    }
    assert_eq!(actions.last(), Some(&"case.export"));
    let text = serde_json::to_string(&bundle.offers[0].offer).unwrap();
    assert!(!text.contains("receipt") && !text.contains("offer_key") && !text.contains("lookup"));

    w.clock.advance_days(30);
    assert_eq!(w.forget().await, [format!("{id} declined")]);
    assert_eq!(w.stored(&id).await.state, OfferState::Destroyed);
    w.app.close_case(&w.us, &case).await.unwrap();
    w.clock.advance_days(364);
    assert!(w.forget().await.is_empty());
    w.clock.advance_days(1);
    assert_eq!(w.forget().await, [format!("{} closed-case", item.id)]);
    assert_eq!(w.story(&item.id).await, "accepted read exported case-closed erasure-ordered destroyed");
    let refused = w.app.read_item(&w.us, &item.id, &PURPOSE).await.unwrap_err();
    assert!(refused.to_string().contains("destroyed"), "{refused}");
    assert!(w.forget().await.is_empty());
    w.check().await;
}

/// Found by a bundle that failed its own check: the event and its record had been a second apart.
#[tokio::test]
async fn an_event_and_its_record_are_of_one_moment_however_busy_the_second() {
    let w = World::restless().await;
    let case = w.case().await;
    let id = w.opened(1, 2).await;
    let item = w.accept(&id, 1, 1, &case).await;
    w.app.decline_clip(&w.us, &id, 2, "shows only a cat").await.unwrap();
    w.app.reconsider_clip(&w.us, &id, 2).await.unwrap();
    w.app.link_offer(&w.us, &id, Some(&case)).await.unwrap();
    let note = Annotate { note: Some("look at 00:41".into()), ..Annotate::default() };
    w.app.annotate_offer(&w.us, &id, &note).await.unwrap();
    w.app.annotate_item(&w.us, &item.id, &note).await.unwrap();
    w.app.ask(&w.us, &id, SEALED).await.unwrap();
    let question = w.stored(&id).await.questions[0].id.clone();
    w.app.answer("lookup-1", &question, SEALED).await.unwrap();
    let hold = w.hold(&item.id).await;
    w.app.release_hold(&w.us, &hold.id, "the order was lifted today").await.unwrap();
    w.app.read_item(&w.us, &item.id, &PURPOSE).await.unwrap();
    w.app.export_case(&w.us, &case, &PURPOSE).await.unwrap();
    w.app.integrity_failed(item.id.as_str(), &Digest::of(b"other bytes")).await.unwrap();
    w.app.close_case(&w.us, &case).await.unwrap();
    w.app.reopen_case(&w.us, &case).await.unwrap();
    w.app.withdraw("lookup-1").await.unwrap();
    let answer = AnswerWithdrawal { granted: true, reason: "nothing of it was used".into() };
    w.app.answer_withdrawal(&w.us, &id, &answer).await.unwrap();
    let second = w.receive(2).await;
    w.app.withdraw("lookup-2").await.unwrap();
    w.forget().await;
    assert_eq!(w.stored(&second).await.state, OfferState::Destroyed);
    w.check().await;
}

#[tokio::test]
async fn another_agency_sees_nothing_and_a_junior_no_more_than_a_junior() {
    let w = World::new().await;
    let (case, id) = (w.case().await, w.opened(1, 2).await);
    let item = w.accept(&id, 1, 1, &case).await;
    let hold = w.hold(&case).await;
    let them = &w.them;
    let hidden = |error: CoreError| {
        assert!(matches!(error, CoreError::Hidden(_) | CoreError::Denied(Denied::Hidden)), "{error:?}");
    };
    hidden(w.app.offer(them, &id).await.unwrap_err());
    hidden(w.app.open_offer(them, &id, &PURPOSE).await.unwrap_err());
    hidden(w.app.report_offer(them, &id, &w.report(1, 2)).await.unwrap_err());
    hidden(w.app.accept_clip(them, &id, 2, &w.acceptance(1, 2, &case)).await.unwrap_err());
    hidden(w.app.decline_clip(them, &id, 2, "no").await.unwrap_err());
    hidden(w.app.ask(them, &id, SEALED).await.unwrap_err());
    hidden(w.app.link_offer(them, &id, None).await.unwrap_err());
    hidden(w.app.custody(them, id.as_str()).await.unwrap_err());
    hidden(w.app.custody(them, item.id.as_str()).await.unwrap_err());
    hidden(w.app.case(them, &case).await.unwrap_err());
    hidden(w.app.close_case(them, &case).await.unwrap_err());
    hidden(w.app.export_case(them, &case, &PURPOSE).await.unwrap_err());
    hidden(w.app.read_item(them, &item.id, &PURPOSE).await.unwrap_err());
    hidden(w.app.item(them, &item.id).await.unwrap_err());
    hidden(w.app.release_hold(them, &hold.id, "the order is over").await.unwrap_err());
    let filter = ScheduleFilter { agency: w.us.agency.clone(), ..ScheduleFilter::default() };
    hidden(w.app.schedule(them, &filter).await.unwrap_err());
    assert!(w.app.offers(them, &OfferFilter::default()).await.unwrap().entries.is_empty());
    assert!(w.app.cases(them, &CaseFilter::default()).await.unwrap().entries.is_empty());
    assert!(w.app.items(them, &ItemFilter::default()).await.unwrap().entries.is_empty());
    for refused in [
        w.app.close_case(&w.junior, &case).await.unwrap_err(),
        w.app.release_hold(&w.junior, &hold.id, "the order is over").await.unwrap_err(),
    ] {
        assert!(matches!(refused, CoreError::Denied(Denied::Role { .. })), "{refused:?}");
    }
    let operator = Actor { agency: None, roles: vec![canvass_types::Role::Operator], ..w.us.clone() };
    assert!(w.app.offers(&operator, &OfferFilter::default()).await.is_err());
    assert!(w.app.open_offer(&operator, &id, &PURPOSE).await.is_err());
    assert!(
        w.app.open_offer(&w.us, &id, &canvass_types::Purpose::new("case-work", "because")).await.is_err()
    );
    // A case of ours is none for their offers, nor theirs for ours.
    let theirs = canvass_core::cases::NewCase { title: "x".into(), code: None, destinations: vec![] };
    let theirs = w.app.create_case(them, theirs).await.unwrap().id;
    hidden(w.app.accept_clip(&w.us, &id, 2, &w.acceptance(1, 2, &theirs)).await.unwrap_err());
    let join = ChangeCase { add_destinations: vec![REQUEST.into()], ..ChangeCase::default() };
    assert!(w.app.change_case(them, &theirs, join).await.is_err());
    w.check().await;
}

#[tokio::test]
async fn withdrawn_before_it_was_opened_it_is_gone_without_anyone_asked() {
    let w = World::new().await;
    let id = w.receive(1).await;
    assert_eq!(w.app.withdraw("lookup-1").await.unwrap(), Withdrawn::Ordered);
    assert_eq!(w.app.withdraw("lookup-1").await.unwrap(), Withdrawn::Already);
    assert!(w.app.open_offer(&w.us, &id, &PURPOSE).await.unwrap_err().to_string().contains("withdrew"));
    assert_eq!(w.forget().await, [format!("{id} withdrawn")]);
    let offer = w.stored(&id).await;
    assert_eq!(
        (offer.state, offer.mailbox_due),
        (OfferState::Destroyed, Some(w.clock.time().plus_days(180)))
    );
    assert_eq!(w.story(&id).await, "received withdrawn destroyed");
    assert!(matches!(w.app.withdraw("nobody").await, Err(CoreError::Hidden(_))));
    w.check().await;
}

#[tokio::test]
async fn withdrawn_after_it_was_opened_the_agency_answers() {
    let w = World::new().await;
    let (case, id) = (w.case().await, w.opened(1, 2).await);
    let item = w.accept(&id, 1, 1, &case).await;
    assert_eq!(w.app.withdraw("lookup-1").await.unwrap(), Withdrawn::Asked);
    assert_eq!(w.app.withdraw("lookup-1").await.unwrap(), Withdrawn::Already);
    assert!(w.app.accept_clip(&w.us, &id, 2, &w.acceptance(1, 2, &case)).await.is_err());
    let yes = AnswerWithdrawal { granted: true, reason: "no longer needed".into() };
    assert!(w.app.answer_withdrawal(&w.junior, &id, &yes).await.is_err());
    let hold = w.hold(&item.id).await;
    let refused = w.app.answer_withdrawal(&w.us, &id, &yes).await.unwrap_err();
    assert!(refused.to_string().contains(hold.id.as_str()), "{refused}");
    w.app.release_hold(&w.us, &hold.id, "case dismissed").await.unwrap();
    let view = w.app.answer_withdrawal(&w.us, &id, &yes).await.unwrap();
    assert_eq!(view.withdrawal.unwrap().granted, Some(true));
    assert!(w.app.answer_withdrawal(&w.us, &id, &yes).await.is_err());
    assert!(w.app.read_item(&w.us, &item.id, &PURPOSE).await.is_err());
    assert_eq!(w.forget().await.len(), 2);
    assert!(
        w.all::<Erasure>()
            .await
            .iter()
            .all(|each| each.reason == "withdrawal-granted" && each.done.is_some())
    );

    let other = w.opened(2, 1).await;
    w.app.withdraw("lookup-2").await.unwrap();
    let no = AnswerWithdrawal { granted: false, reason: "needed for the trial".into() };
    w.app.answer_withdrawal(&w.us, &other, &no).await.unwrap();
    w.accept(&other, 2, 1, &case).await;
    assert!(w.forget().await.is_empty());
    w.check().await;
}

#[tokio::test]
async fn question_and_answer_through_the_mailbox_until_it_is_dropped() {
    let w = World::new().await;
    let id = w.opened(1, 1).await;
    assert!(w.app.ask(&w.us, &id, "which way did they run?").await.is_err());
    let question = w.app.ask(&w.us, &id, SEALED).await.unwrap().questions[0].id.clone();
    assert!(w.app.answer("lookup-1", &question, "that way").await.is_err());
    w.app.answer("lookup-1", &question, SEALED).await.unwrap();
    w.app.answer("lookup-1", &question, SEALED).await.unwrap();
    assert!(w.app.answer("lookup-1", &question, &format!("{SEALED}x")).await.is_err());
    assert!(
        w.app.answer("lookup-1", &"qst_aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap(), SEALED).await.is_err()
    );
    assert_eq!(w.story(&id).await, "received opened reported asked answered");
    w.clock.advance_days(90);
    assert_eq!(w.forget().await, [format!("{id} untriaged")]);
    w.clock.advance_days(179);
    w.forget().await;
    assert_eq!(w.stored(&id).await.questions.len(), 1);
    w.clock.advance_days(1);
    assert_eq!(w.app.sweep(10).await.unwrap().mailboxes, 1);
    let offer = w.stored(&id).await;
    assert!(offer.questions.is_empty() && offer.mailbox.is_none() && offer.unpublished);
    assert!(canvass_core::retention::status_over(&offer));
    w.check().await;
}

#[tokio::test]
async fn a_decision_can_be_reconsidered_while_the_envelope_exists() {
    let w = World::new().await;
    let (case, id) = (w.case().await, w.opened(1, 2).await);
    w.accept(&id, 1, 1, &case).await;
    w.app.decline_clip(&w.us, &id, 2, "dark").await.unwrap();
    assert!(w.app.decline_clip(&w.us, &id, 2, "dark").await.is_err());
    assert!(w.app.reconsider_clip(&w.us, &id, 1).await.is_err());
    w.clock.advance_days(29);
    let view = w.app.reconsider_clip(&w.us, &id, 2).await.unwrap();
    assert_eq!((view.state, view.clips[1].state.clone()), (OfferState::Opened, ClipState::Pending));
    assert_eq!(view.due, Some(w.stored(&id).await.received.plus_days(90)));
    w.accept(&id, 1, 2, &case).await;
    w.clock.advance_days(30);
    assert_eq!(w.forget().await, [format!("{id} declined")]);
    assert!(w.app.reconsider_clip(&w.us, &id, 2).await.is_err());
    w.check().await;
}

#[tokio::test]
async fn a_case_joins_links_and_parts() {
    let w = World::new().await;
    let case = w.case().await;
    w.insert(&request(
        "req_bbbbbbbbbbbbbbbbbbbbbbbbba",
        super::world::THEIRS,
        RequestState::Published,
        w.clock.time(),
    ))
    .await;
    let mut upload = w.upload(1);
    upload.destination = PORTAL.into();
    let id = w.app.receive(upload).await.unwrap();
    w.app.link_offer(&w.us, &id, Some(&case)).await.unwrap();
    let detail = w.app.case(&w.us, &case).await.unwrap();
    assert_eq!(detail.offers.len(), 1);
    assert_eq!(detail.case.destinations, [REQUEST, PORTAL]);
    let part = ChangeCase { remove_destinations: vec![PORTAL.into()], ..ChangeCase::default() };
    assert!(w.app.change_case(&w.us, &case, part.clone()).await.is_err());
    let hold = w.hold(&case).await;
    let refused = w.app.link_offer(&w.us, &id, None).await.unwrap_err();
    assert!(refused.to_string().contains(hold.id.as_str()), "{refused}");
    w.app.release_hold(&w.us, &hold.id, "the order is over").await.unwrap();
    w.app.link_offer(&w.us, &id, None).await.unwrap();
    w.app.change_case(&w.us, &case, part).await.unwrap();
    let foreign = ChangeCase {
        add_destinations: vec!["req_bbbbbbbbbbbbbbbbbbbbbbbbba".into()],
        ..ChangeCase::default()
    };
    assert!(w.app.change_case(&w.us, &case, foreign).await.is_err());
    w.app.close_case(&w.us, &case).await.unwrap();
    assert!(w.app.close_case(&w.us, &case).await.is_err());
    assert!(w.app.link_offer(&w.us, &id, Some(&case)).await.is_err());
    assert!(w.app.reopen_case(&w.us, &case).await.unwrap().open);
    w.check().await;
}

#[tokio::test]
async fn lists_are_filtered_and_come_in_parts() {
    let w = World::new().await;
    for n in 1..=7 {
        let id = w.receive(n).await;
        if n % 2 == 0 {
            let tag = Annotate {
                add_tags: vec!["even".into()],
                assignee: Some(w.junior.member.clone()),
                ..Annotate::default()
            };
            w.app.annotate_offer(&w.us, &id, &tag).await.unwrap();
        }
    }
    let mut filter = OfferFilter { limit: Some(3), ..OfferFilter::default() };
    let mut seen = Vec::new();
    loop {
        let page = w.app.offers(&w.us, &filter).await.unwrap();
        assert!(page.entries.len() <= 3);
        seen.extend(page.entries.into_iter().map(|each| each.id));
        filter.after = page.next;
        if filter.after.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 7);
    let even = OfferFilter {
        work: WorkFilter {
            tag: Some("even".into()),
            assignee: Some(Assignee::Member(w.junior.member.clone())),
            ..WorkFilter::default()
        },
        limit: Some(2),
        ..OfferFilter::default()
    };
    let page = w.app.offers(&w.us, &even).await.unwrap();
    assert_eq!(page.entries.len(), 2);
    let rest = w.app.offers(&w.us, &OfferFilter { after: page.next, ..even }).await.unwrap();
    assert_eq!((rest.entries.len(), rest.next), (1, None));
    let opened = OfferFilter { state: Some(OfferState::Opened), ..OfferFilter::default() };
    assert!(w.app.offers(&w.us, &opened).await.unwrap().entries.is_empty());
    let foreign = Annotate { assignee: Some(w.them.member.clone()), ..Annotate::default() };
    assert!(w.app.annotate_offer(&w.us, &seen[0], &foreign).await.is_err());
}

#[tokio::test]
async fn reports_and_digests_must_agree() {
    let w = World::new().await;
    let (case, id) = (w.case().await, w.receive(1).await);
    assert!(w.app.report_offer(&w.us, &id, &w.report(1, 2)).await.is_err(), "not opened yet");
    w.app.open_offer(&w.us, &id, &PURPOSE).await.unwrap();
    w.app.report_offer(&w.us, &id, &w.report(1, 2)).await.unwrap();
    w.app.report_offer(&w.us, &id, &w.report(1, 2)).await.unwrap();
    let mut other = w.report(1, 2);
    other.clips[1].sha256 = Digest::of(b"another");
    assert!(w.app.report_offer(&w.us, &id, &other).await.unwrap_err().to_string().contains("clips"));
    let mut other = w.report(1, 2);
    other.envelope_sha256 = Digest::of(b"another");
    assert!(w.app.report_offer(&w.us, &id, &other).await.is_err());
    assert!(w.app.report_offer(&w.us, &id, &w.report(1, 26)).await.is_err());
    assert_eq!(w.story(&id).await, "received opened reported reported differs differs");
    let mut wish = w.acceptance(1, 1, &case);
    wish.sha256 = Digest::of(b"another");
    assert!(w.app.accept_clip(&w.us, &id, 1, &wish).await.is_err());
    let mut wish = w.acceptance(1, 1, &case);
    wish.sealed = blob("envelope-1");
    assert!(w.app.accept_clip(&w.us, &id, 1, &wish).await.is_err());
    w.accept(&id, 1, 1, &case).await;
    assert!(w.app.accept_clip(&w.us, &id, 1, &w.acceptance(1, 1, &case)).await.is_err());
    let mut wish = w.acceptance(1, 2, &case);
    wish.sealed = blob("item-1-1");
    assert!(w.app.accept_clip(&w.us, &id, 2, &wish).await.is_err(), "bytes of another item");
    assert!(w.app.accept_clip(&w.us, &id, 3, &w.acceptance(1, 3, &case)).await.is_err(), "no such clip");
    w.app.integrity_failed(id.as_str(), &Digest::of(b"rot")).await.unwrap();
    w.app.integrity_failed(id.as_str(), &Digest::of(b"rot")).await.unwrap();
    assert!(w.story(&id).await.ends_with("accepted integrity-failed"));
    w.check().await;
}

#[tokio::test]
async fn requests_end_and_drafts_and_records_are_dropped_in_time() {
    let w = World::new().await;
    let draft = "req_ccccccccccccccccccccccccca";
    w.insert(&request(draft, super::world::OURS, RequestState::Draft, w.clock.time())).await;
    let id = w.receive(1).await;
    w.clock.advance_days(14);
    let swept = w.app.sweep(10).await.unwrap();
    assert_eq!((swept.requests, swept.drafts), (1, 0));
    let requests = w.all::<Request>().await;
    let ended = requests.iter().find(|each| each.id.as_str() == REQUEST).unwrap();
    assert_eq!((ended.state, ended.unpublished, ended.leaves.len()), (RequestState::Expired, true, 2));
    use canvass_core::ports::Records;
    let entries = w.store.ledger_entries(Log::Requests, 0, 10).await.unwrap();
    assert_eq!(entries[0].entry, ended.leaves[1].as_bytes());
    w.clock.advance_days(76);
    let swept = w.app.sweep(10).await.unwrap();
    assert_eq!((swept.requests, swept.drafts, swept.envelopes), (0, 1, 1));
    assert_eq!(w.all::<Request>().await.len(), 1);
    w.check().await;
    w.clock.advance_days(3_650);
    let hold = w.hold(&id).await;
    assert_eq!(
        w.app.sweep(1_000).await.unwrap().audit,
        1,
        "the end of the request alone: what is held stays"
    );
    w.app.release_hold(&w.us, &hold.id, "the order is over").await.unwrap();
    w.clock.advance(1);
    assert!(w.app.sweep(1_000).await.unwrap().audit > 0);
    assert_eq!(w.all::<Offer>().await.len(), 1);
}

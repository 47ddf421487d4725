//! What is taken in, once, and what is not.

use std::sync::Arc;

use canvass_core::{
    App, CoreError,
    access::Gate,
    records::{Agency, Invitation, Offer, Portal, Request},
};
use canvass_testkit::{
    SeededEntropy,
    faults::{FailingRecords, Failure},
};
use canvass_types::{
    AgencyState, Policy, RequestState, Time,
    commitment::commitment,
    leaf::{OversightLeaf, RequestsLeaf},
};

use super::world::{OURS, PORTAL, REQUEST, THEIRS, World, request};

#[tokio::test]
async fn the_same_upload_is_one_offer_and_a_key_gives_once() {
    let w = World::new().await;
    let id = w.receive(1).await;
    w.clock.advance_days(1);
    assert_eq!(w.receive(1).await, id);
    let mut again = w.upload(2);
    again.lookup = "lookup-1".into();
    assert!(w.app.receive(again).await.unwrap_err().to_string().contains("lookup"));
    assert_eq!(w.all::<Offer>().await.len(), 1);
    assert_eq!(w.app.offer_key("lookup-1").await.unwrap(), Some(w.upload(1).offer_key));
    assert_eq!(w.app.offer_key("lookup-9").await.unwrap(), None);
    w.check().await;
}

#[tokio::test]
async fn the_receipt_opens_the_ledgers_commitment() {
    let w = World::new().await;
    let offer = w.stored(&w.receive(1).await).await;
    let leaf: OversightLeaf = serde_json::from_str(&offer.receipt_leaf).unwrap();
    let salt = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, &offer.receipt_salt).unwrap();
    assert_eq!(leaf.commitment, commitment(&salt.try_into().unwrap(), &offer.receipt_record));
    assert_eq!((leaf.kind.as_str(), leaf.subject.as_str()), ("offer.received", offer.id.as_str()));
    let detail = &offer.receipt_record["detail"];
    assert_eq!(detail["ciphertext_sha256"], serde_json::json!(offer.envelope.sha256));
    assert_eq!(detail["custody"]["hash"], serde_json::json!(offer.custody.hash));
    use canvass_core::ports::Records;
    let log = canvass_types::leaf::Log::Oversight;
    assert_eq!(w.store.ledger_index_of(log, offer.receipt_leaf.as_bytes()).await.unwrap(), Some(0));
}

#[tokio::test]
async fn a_failed_commit_leaves_nothing_or_all_and_the_next_try_ends_well() {
    for (failure, stored) in [(Failure::BeforeStoring, 0), (Failure::AfterStoring, 1)] {
        let w = World::new().await;
        let failing = FailingRecords::new(w.store.clone(), 1, failure);
        let gate = Gate::shipped().unwrap();
        let app =
            App::new(failing, gate, Policy::default(), w.clock.clone(), Arc::new(SeededEntropy::new(9)));
        assert!(matches!(app.receive(w.upload(1)).await, Err(CoreError::Store(_))));
        assert_eq!(w.all::<Offer>().await.len(), stored);
        let id = app.receive(w.upload(1)).await.unwrap();
        assert_eq!(w.all::<Offer>().await.len(), 1);
        assert_eq!(w.receive(1).await, id);
        w.check().await;
    }
}

#[tokio::test]
async fn only_open_destinations_and_uploads_that_were_under_way() {
    let w = World::new().await;
    for (n, state) in
        [RequestState::Draft, RequestState::InModeration, RequestState::Refused].into_iter().enumerate()
    {
        let id = format!("req_{}a", "ghi".get(n..=n).unwrap().repeat(25));
        w.insert(&request(&id, OURS, state, w.clock.time())).await;
        let mut upload = w.upload(1);
        upload.destination = id;
        assert!(matches!(w.app.receive(upload).await, Err(CoreError::Hidden(_))), "{state:?}");
    }
    for id in ["req_zzzzzzzzzzzzzzzzzzzzzzzzza", "por_zzzzzzzzzzzzzzzzzzzzzzzzza", "nonsense", ""] {
        let mut upload = w.upload(1);
        upload.destination = id.into();
        assert!(w.app.receive(upload).await.is_err());
    }
    let before = w.upload(1);
    w.clock.advance_days(14);
    let after = w.upload(2);
    w.app.sweep(10).await.unwrap();
    w.clock.advance(47 * 3_600);
    assert!(matches!(w.app.receive(after.clone()).await, Err(CoreError::State { .. })));
    w.app.receive(before.clone()).await.unwrap();
    w.clock.advance(3_601);
    let mut late = before;
    (late.upload, late.lookup) = ("upload-3".into(), "lookup-3".into());
    assert!(w.app.receive(late).await.is_err());
}

#[tokio::test]
async fn a_suspended_agency_gets_nothing_until_it_is_verified_again() {
    let w = World::new().await;
    let known = w.receive(1).await;
    w.change::<Agency>(OURS, |it| it.state = AgencyState::Suspended).await;
    let mut portal = w.upload(3);
    portal.destination = PORTAL.into();
    for upload in [w.upload(2), portal.clone()] {
        let error = w.app.receive(upload).await.unwrap_err();
        assert!(
            matches!(&error, CoreError::State { .. }) && error.to_string().contains("suspended"),
            "{error}"
        );
    }
    assert_eq!(w.receive(1).await, known, "what was taken before stays taken");
    assert_eq!(w.all::<Offer>().await.len(), 1);
    w.change::<Agency>(OURS, |it| it.state = AgencyState::Verified).await;
    w.app.receive(portal).await.unwrap();
    w.check().await;
}

#[tokio::test]
async fn an_early_end_and_a_closed_portal_count_from_their_moment() {
    let w = World::new().await;
    let (one, mut two) = (w.upload(1), w.upload(2));
    two.destination = PORTAL.into();
    w.clock.advance(60);
    let at = w.clock.time();
    w.change::<Request>(REQUEST, |it| (it.state, it.ended) = (RequestState::Resolved, Some(at))).await;
    let leaf = RequestsLeaf::PortalState {
        portal: PORTAL.parse().unwrap(),
        agency: OURS.parse().unwrap(),
        state: "closed".into(),
        digest: canvass_types::Digest::of(b""),
        key: "k".into(),
        at,
    };
    w.change::<Portal>(PORTAL, |it| {
        (it.open, it.leaves) = (false, vec![serde_json::to_string(&leaf).unwrap()])
    })
    .await;
    w.clock.advance(3_600);
    let (mut late, mut later) = (w.upload(3), w.upload(4));
    later.destination = PORTAL.into();
    late.begun = at;
    assert!(w.app.receive(late).await.is_err());
    assert!(w.app.receive(later).await.is_err());
    w.app.receive(one).await.unwrap();
    w.app.receive(two).await.unwrap();
}

#[tokio::test]
async fn an_invitation_is_for_one_offer_one_place_and_its_time() {
    let w = World::new().await;
    let case = w.case().await;
    let in_time = w.clock.time().plus_days(10);
    let try_with = async |n: u8, change: &dyn Fn(&mut Invitation), begun: Option<Time>| {
        let (mut invitation, secret) = w.secret(REQUEST, in_time);
        change(&mut invitation);
        w.insert(&invitation).await;
        let mut upload = w.upload(n);
        upload.invitation = Some(secret.clone());
        upload.begun = begun.unwrap_or(upload.begun);
        (w.app.receive(upload).await, invitation.id, secret)
    };
    let (taken, id, secret) = try_with(1, &|it| it.case = Some(case.clone()), None).await;
    let offer = w.stored(&taken.unwrap()).await;
    assert_eq!((offer.case, offer.invitation), (Some(case.clone()), Some(id.clone())));
    let used = w.all::<Invitation>().await.into_iter().find(|it| it.id == id).unwrap();
    assert_eq!(used.used, Some(offer.id));
    assert_eq!(w.app.case(&w.us, &case).await.unwrap().offers.len(), 1);
    let mut again = w.upload(2);
    again.invitation = Some(secret);
    assert!(w.app.receive(again).await.unwrap_err().to_string().contains("used"));

    let now = w.clock.time();
    let elsewhere = |it: &mut Invitation| it.destination = PORTAL.into();
    for (n, word, change) in [
        (3, "another", &elsewhere as &dyn Fn(&mut Invitation)),
        (4, "taken back", &|it: &mut Invitation| it.revoked = Some(now)),
        (5, "time is over", &|it: &mut Invitation| it.expires = now),
    ] {
        let refused = try_with(n, change, None).await.0.unwrap_err();
        assert!(refused.to_string().contains(word), "{refused}");
    }
    let mut unknown = w.upload(6);
    unknown.invitation = Some("guess".into());
    assert!(w.app.receive(unknown).await.is_err());
    // Begun in time, finished after: the hours of uploads count here too.
    assert!(try_with(7, &|it| it.expires = now, Some(now.plus_seconds(-1))).await.0.is_ok());
    assert_eq!(w.all::<Offer>().await.len(), 2);
    w.check().await;
}

#[tokio::test]
async fn malformed_uploads_are_refused() {
    let w = World::new().await;
    let most = Policy::default().give.envelope_bytes();
    for (name, bad) in [
        (
            "too large",
            &(|it: &mut canvass_core::intake::ReceivedUpload| it.sealed.bytes = most + 1) as &dyn Fn(&mut _),
        ),
        ("empty", &|it: &mut canvass_core::intake::ReceivedUpload| it.sealed.bytes = 0),
        ("path", &|it: &mut canvass_core::intake::ReceivedUpload| it.lookup = "../../etc".into()),
        ("nameless", &|it: &mut canvass_core::intake::ReceivedUpload| it.upload = String::new()),
        ("future", &|it: &mut canvass_core::intake::ReceivedUpload| it.begun = it.begun.plus_seconds(1)),
    ] {
        let mut upload = w.upload(1);
        bad(&mut upload);
        assert!(matches!(w.app.receive(upload).await, Err(CoreError::Invalid(_))), "{name}");
    }
    let mut largest = w.upload(1);
    largest.sealed.bytes = most;
    w.app.receive(largest).await.unwrap();
    assert_ne!(OURS, THEIRS);
}

//! What is on record ends too: texts, tokens, invitations, cases, offers, names.

use canvass_core::{
    access::Actor,
    members::ChangeMember,
    records::{
        AuditRecord, Case, CustodyEvent, Hold, Invitation, Item, Member, Offer, Request, RequestKey, Token,
    },
    retention::{ScheduleFilter, Swept},
};
use canvass_types::{CaseId, Digest, OfferId, RequestState, Role, Time};
use ed25519_dalek::SigningKey;
use serde_json::json;

use super::world::{OURS, REQUEST, World, request};

const TEXT: &str = "req_ccccccccccccccccccccccccca";

fn signed(at: Time, state: RequestState) -> Request {
    let key = SigningKey::from_bytes(&[3; 32]);
    let mut request = request(TEXT, OURS, state, at);
    let body = json!({
        "v": 1, "id": TEXT, "agency": { "id": OURS, "name": "Elm Police", "class": "municipal" },
        "code": "26-1", "incident": "robbery", "details": "a red bicycle", "contact": { "name": "Ada Elm" },
        "area": request.draft.area, "recipient": "age1x", "languages": ["en"], "active_days": 14, "created": at,
        "time_frame": { "start": at, "end": at.plus_seconds(3_600), "zone": "UTC" },
    });
    let signature = canvass_types::sign(&key, "canvass/request/v1", &body).unwrap();
    let signed = json!({ "body": body, "digest": Digest::of(b"x"), "key": "k", "signature": signature });
    request.signed = Some(serde_json::from_value(signed).unwrap());
    request.draft.details = "a red bicycle".into();
    request.draft.contact.name = "Ada Elm".into();
    request.ended = (state != RequestState::Published).then_some(at);
    request
}

impl World {
    async fn sweep(&self) -> Swept {
        self.app.sweep(1_000).await.unwrap()
    }

    /// As the publisher does.
    async fn publish(&self) {
        for offer in self.app.unpublished::<Offer>(None, 1_000).await.unwrap() {
            assert!(self.app.published(&offer).await.unwrap());
        }
    }

    /// Lets time pass in years, with everything that happens by itself in it.
    async fn years(&self, years: u32) {
        for _ in 0..years {
            self.clock.advance_days(365);
            self.forget().await;
            self.publish().await;
        }
    }

    /// A closed case with one accepted and one declined clip.
    async fn closed(&self, n: u8) -> (CaseId, OfferId, canvass_types::ItemId) {
        let (case, id) = (self.case().await, self.opened(n, 2).await);
        let item = self.accept(&id, n, 1, &case).await;
        self.app.decline_clip(&self.us, &id, 2, "dark").await.unwrap();
        self.app.close_case(&self.us, &case).await.unwrap();
        (case, id, item.id)
    }

    async fn actions(&self, action: &str) -> Vec<AuditRecord> {
        let all: Vec<AuditRecord> = self.all().await;
        all.into_iter().filter(|each| each.body.action == action).collect()
    }

    async fn text(&self) -> Request {
        self.all::<Request>().await.into_iter().find(|each| each.id.as_str() == TEXT).unwrap()
    }
}

#[tokio::test]
async fn a_refused_requests_text_and_key_go_and_the_decision_stays() {
    let w = World::new().await;
    let before = signed(w.clock.time(), RequestState::Refused);
    w.insert(&before).await;
    let key: RequestKey = serde_json::from_value(json!({
        "destination": TEXT, "agency": OURS, "recipient": "age1x", "wrapped": "w", "group": [], "recovery": false,
        "made": w.clock.time(), "destroyed": null,
    }))
    .unwrap();
    w.insert(&key).await;
    let filter = ScheduleFilter::default();
    let due = w.app.schedule(&w.us, &filter).await.unwrap();
    assert_eq!((due.len(), due[0].what.as_str(), due[0].reason.as_str()), (1, "text", "refused"));
    assert_eq!(due[0].due, w.clock.time().plus_days(90));
    w.clock.advance_days(89);
    assert_eq!(w.sweep().await.texts, 0);
    w.clock.advance_days(2);
    assert_eq!(w.sweep().await.texts, 1);
    let after = w.text().await;
    let told = serde_json::to_string(&after).unwrap();
    assert!(!told.contains("bicycle") && !told.contains("Ada") && !told.contains("43.2"), "{told}");
    assert_eq!((&after.id, &after.agency, &after.leaves), (&before.id, &before.agency, &before.leaves));
    assert_eq!((after.state, after.decided), (RequestState::Refused, before.decided));
    assert!(after.signed.is_none() && !after.unpublished && w.all::<RequestKey>().await.is_empty());
    assert!(!w.sweep().await.any(), "once is enough");
    assert!(w.app.schedule(&w.us, &filter).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_withheld_requests_text_stays_while_an_offer_or_a_case_needs_it() {
    let w = World::new().await;
    w.insert(&signed(w.clock.time(), RequestState::Published)).await;
    let mut upload = w.upload(1);
    upload.destination = TEXT.into();
    let id = w.app.receive(upload).await.unwrap();
    w.change::<Request>(TEXT, |it| {
        (it.state, it.ended) = (RequestState::Withheld, Some(w.clock.time()));
    })
    .await;
    w.years(1).await;
    assert!(w.text().await.signed.is_some(), "the receipt names its digest");
    assert!(w.stored(&id).await.destroyed.is_some());
    w.years(4).await;
    assert!(w.all::<Offer>().await.is_empty());
    assert!(w.text().await.signed.is_none());

    let w = World::new().await;
    w.insert(&signed(w.clock.time(), RequestState::Withheld)).await;
    let case = w.case().await;
    w.change::<Case>(case.as_str(), |it| it.destinations.push(TEXT.into())).await;
    w.years(1).await;
    assert!(w.text().await.signed.is_some(), "the case may be exported");
    w.change::<Case>(case.as_str(), |it| it.destinations.retain(|each| each == REQUEST)).await;
    assert_eq!(w.sweep().await.texts, 1);
    w.check().await;
}

#[tokio::test]
async fn a_request_that_the_public_files_lag_behind_keeps_its_text() {
    let w = World::new().await;
    let mut lagging = signed(w.clock.time(), RequestState::Withheld);
    lagging.unpublished = true;
    w.insert(&lagging).await;
    w.years(1).await;
    assert!(w.text().await.signed.is_some());
}

#[tokio::test]
async fn tokens_go_after_they_expired_or_were_revoked() {
    let w = World::new().await;
    let now = w.clock.time();
    let token = |n: char, expires: Time, revoked: Option<Time>| Token {
        id: format!("tok_{}a", n.to_string().repeat(25)).parse().unwrap(),
        member: w.us.member.clone(),
        label: "desk".into(),
        secret_hash: Digest::of(n.to_string().as_bytes()),
        roles: vec![Role::Supervisor],
        issued: now,
        expires,
        revoked,
        scope: None,
    };
    w.insert(&token('a', now.plus_days(10), None)).await;
    w.insert(&token('b', now.plus_days(300), Some(now))).await;
    w.insert(&token('c', now.plus_days(365), None)).await;
    w.clock.advance_days(29);
    assert_eq!(w.sweep().await.tokens, 0);
    w.clock.advance_days(2);
    assert_eq!(w.sweep().await.tokens, 1);
    w.clock.advance_days(10);
    assert_eq!(w.sweep().await.tokens, 1);
    let left: Vec<Token> = w.all().await;
    assert_eq!(left.iter().map(|it| it.secret_hash).collect::<Vec<_>>(), [Digest::of(b"c")]);
}

#[tokio::test]
async fn invitations_go_after_they_ended() {
    let w = World::new().await;
    let (one, _) = w.secret(REQUEST, w.clock.time().plus_days(10));
    let (mut two, _) = w.secret(REQUEST, w.clock.time().plus_days(10));
    two.revoked = Some(w.clock.time());
    w.insert(&one).await;
    w.insert(&two).await;
    w.clock.advance_days(181);
    assert_eq!(w.sweep().await.invitations, 1);
    assert_eq!(w.all::<Invitation>().await, [one]);
    w.clock.advance_days(10);
    assert_eq!(w.sweep().await.invitations, 1);
}

#[tokio::test]
async fn what_an_invitation_to_a_forgotten_case_brings_is_taken_without_it() {
    let w = World::new().await;
    let (mut invitation, secret) = w.secret(REQUEST, w.clock.time().plus_days(10));
    invitation.case = Some("cas_ccccccccccccccccccccccccca".parse().unwrap());
    w.insert(&invitation).await;
    let mut upload = w.upload(1);
    upload.invitation = Some(secret);
    let id = w.app.receive(upload).await.unwrap();
    assert_eq!(w.stored(&id).await.case, None);
}

#[tokio::test]
async fn a_closed_case_goes_with_all_that_is_in_it_and_the_ledger_keeps_the_heads() {
    let w = World::new().await;
    let (case, id, item) = w.closed(1).await;
    let hold = w.hold(&item).await;
    w.app.release_hold(&w.us, &hold.id, "the order was lifted").await.unwrap();
    w.years(3).await;
    assert_eq!(w.all::<Item>().await.len(), 1, "the bytes went a year after the case was closed");
    let destroyed = w.all::<Item>().await[0].destroyed.unwrap();
    let due = w.app.schedule(&w.us, &ScheduleFilter::default()).await.unwrap();
    assert_eq!(
        due.iter().map(|it| (it.what.as_str(), it.due)).collect::<Vec<_>>(),
        [("record", destroyed.plus_days(1_095))]
    );
    let heads = [w.stored(&id).await.custody.hash, w.all::<Item>().await[0].custody.hash];
    w.years(1).await;
    assert!(w.all::<Case>().await.is_empty() && w.all::<Item>().await.is_empty());
    assert!(w.all::<Offer>().await.is_empty() && w.all::<CustodyEvent>().await.is_empty());
    assert!(w.all::<Hold>().await.is_empty());
    let forgotten = w.actions("record.forgotten").await;
    assert!(forgotten.iter().all(|each| each.leaf.is_some() && each.body.case.as_ref() == Some(&case)));
    let subjects: Vec<_> = forgotten.iter().map(|each| each.body.subject.clone()).collect();
    for subject in [case.to_string(), id.to_string(), item.to_string()] {
        assert!(subjects.contains(&subject), "{subject}");
    }
    let details: String = forgotten.iter().map(|each| each.body.detail.to_string()).collect();
    assert!(heads.iter().all(|head| details.contains(&head.to_string())), "{details}");
    assert!(!w.sweep().await.any());
    w.check().await;
}

#[tokio::test]
async fn a_hold_on_the_case_an_item_or_an_offer_keeps_the_rows() {
    for which in 0..3 {
        let w = World::new().await;
        let (case, id, item) = w.closed(1).await;
        w.years(2).await;
        // Only a case can still be held once the bytes are gone; the others stand for a hold from before.
        let subject = [case.to_string(), id.to_string(), item.to_string()][which].clone();
        let hold = if which == 0 {
            w.hold(&subject).await
        } else {
            let hold = Hold {
                id: "hld_aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap(),
                agency: OURS.parse().unwrap(),
                subject,
                basis: "court order".into(),
                by: w.us.member.clone(),
                placed: w.clock.time(),
                released: None,
            };
            w.insert(&hold).await;
            hold
        };
        w.years(3).await;
        assert_eq!(w.all::<Case>().await.len(), 1, "{which}");
        assert_eq!((w.all::<Item>().await.len(), w.all::<Offer>().await.len()), (1, 1));
        assert!(w.sweep().await.held > 0);
        let due = w.app.schedule(&w.us, &ScheduleFilter::default()).await.unwrap();
        assert!(due.len() == 1 && due[0].held, "{due:?}");
        w.app.release_hold(&w.us, &hold.id, "the order was lifted").await.unwrap();
        assert_eq!(w.sweep().await.cases, u32::from(which != 1));
        // The release is an event of the offer, whose status file is written once more.
        w.publish().await;
        w.sweep().await;
        assert!(w.all::<Case>().await.is_empty() && w.all::<Hold>().await.is_empty(), "{which}");
    }
}

#[tokio::test]
async fn an_open_case_and_bytes_that_are_left_keep_the_rows() {
    let w = World::new().await;
    let (case, ..) = w.closed(1).await;
    w.years(2).await;
    w.app.reopen_case(&w.us, &case).await.unwrap();
    w.years(5).await;
    assert_eq!(w.all::<Item>().await.len(), 1);
    w.app.close_case(&w.us, &case).await.unwrap();
    w.years(2).await;
    assert_eq!(w.all::<Case>().await.len(), 1);
    w.years(2).await;
    assert!(w.all::<Case>().await.is_empty());
}

#[tokio::test]
async fn an_offer_that_another_case_has_items_of_stays_with_it() {
    let w = World::new().await;
    let (one, two, id) = (w.case().await, w.case().await, w.opened(1, 2).await);
    w.accept(&id, 1, 1, &one).await;
    let kept = w.accept(&id, 1, 2, &two).await;
    assert_eq!(w.stored(&id).await.case.as_ref(), Some(&one));
    w.app.close_case(&w.us, &one).await.unwrap();
    w.years(4).await;
    assert_eq!(w.all::<Case>().await.iter().map(|it| &it.id).collect::<Vec<_>>(), [&two]);
    assert_eq!(w.all::<Item>().await.iter().map(|it| &it.id).collect::<Vec<_>>(), [&kept.id]);
    assert_eq!(w.stored(&id).await.case, None);
    assert!(w.story(&id).await.ends_with("case-forgotten"));
    w.app.read_item(&w.us, &kept.id, &super::world::PURPOSE).await.unwrap();
    w.check().await;
    w.app.close_case(&w.us, &two).await.unwrap();
    w.years(5).await;
    assert!(w.all::<Offer>().await.is_empty() && w.all::<CustodyEvent>().await.is_empty());
    w.check().await;
}

#[tokio::test]
async fn an_offer_of_no_case_goes_after_it_ended() {
    let w = World::new().await;
    let (id, held) = (w.opened(1, 1).await, w.receive(2).await);
    w.app.decline_clip(&w.us, &id, 1, "dark").await.unwrap();
    w.years(1).await;
    w.years(2).await;
    assert_eq!(w.all::<Offer>().await.len(), 2);
    let hold = Hold {
        id: "hld_aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap(),
        agency: OURS.parse().unwrap(),
        subject: held.to_string(),
        basis: "court order".into(),
        by: w.us.member.clone(),
        placed: w.clock.time(),
        released: None,
    };
    w.insert(&hold).await;
    w.years(2).await;
    assert_eq!(w.all::<Offer>().await.iter().map(|it| &it.id).collect::<Vec<_>>(), [&held]);
    let events: Vec<CustodyEvent> = w.all().await;
    assert!(events.iter().all(|each| each.subject == held.to_string()));
    w.app.release_hold(&w.us, &hold.id, "the order was lifted").await.unwrap();
    w.publish().await;
    assert_eq!(w.sweep().await.offers, 1);
    assert!(w.all::<CustodyEvent>().await.is_empty());
    w.check().await;
}

#[tokio::test]
async fn a_stopped_members_name_goes_and_a_readmitted_ones_stays() {
    let w = World::new().await;
    let operator = Actor { agency: None, roles: vec![Role::Operator], ..w.us.clone() };
    let change = |active| ChangeMember { roles: None, active: Some(active) };
    w.app.change_member(&operator, &w.junior.member, change(false)).await.unwrap();
    w.app.change_member(&operator, &w.them.member, change(false)).await.unwrap();
    w.clock.advance_days(100);
    // Stopping again begins no new time.
    w.app.change_member(&operator, &w.junior.member, change(false)).await.unwrap();
    w.app.change_member(&operator, &w.them.member, change(true)).await.unwrap();
    w.clock.advance_days(994);
    assert_eq!(w.sweep().await.members, 0);
    w.clock.advance_days(2);
    assert_eq!(w.sweep().await.members, 1);
    let names: Vec<_> = w.all::<Member>().await.into_iter().map(|it| (it.id, it.name)).collect();
    for (id, name) in names {
        assert_eq!(name == Member::FORMER, id == w.junior.member, "{id} {name}");
    }
    assert_eq!(w.sweep().await.members, 0);
}

#[tokio::test]
async fn batches_are_bounded_and_add_up() {
    let w = World::new().await;
    for n in 1..6 {
        w.receive(n).await;
    }
    w.years(1).await;
    w.years(2).await;
    w.clock.advance_days(365);
    for left in [3, 1, 0] {
        let swept = w.app.sweep(2).await.unwrap();
        assert!(swept.offers <= 2);
        assert_eq!(w.all::<Offer>().await.len(), left);
    }
    w.check().await;
}

//! Altered copies: items of their own that are never taken for the original.

use canvass_core::{
    CoreError,
    access::Denied,
    cases::NewCopy,
    custody::verify_chain_to,
    inbox::AnswerWithdrawal,
    records::{AlterationKind, AuditRecord, Item},
};
use canvass_types::Digest;
use serde_json::json;

use super::world::{PURPOSE, World, blob};

pub fn redaction(n: u8) -> NewCopy {
    NewCopy {
        sealed: blob(&format!("copy-{n}")),
        kind: AlterationKind::Redaction,
        note: " Faces of two passers-by blurred; they have no part in it ".into(),
        tool: "canvass-web 0.1.0".into(),
        name: format!("clip-1-1-redacted-{n}.mp4"),
        sha256: Digest::of(format!("copy-{n}").as_bytes()),
        bytes: 480,
    }
}

#[tokio::test]
async fn a_copy_is_an_item_of_its_own_and_both_chains_say_so() {
    let w = World::restless().await;
    let (case, id) = (w.case().await, w.opened(1, 2).await);
    let item = w.accept(&id, 1, 1, &case).await;
    let copy = w.app.copy_item(&w.junior, &item.id, &redaction(1)).await.unwrap();
    assert_eq!(copy.copy_of, Some(item.id.clone()));
    let how = copy.alteration.clone().unwrap();
    assert_eq!((how.kind, how.by, how.at), (AlterationKind::Redaction, w.junior.member.clone(), copy.added));
    assert_eq!(how.note, "Faces of two passers-by blurred; they have no part in it");
    assert_eq!((&copy.offer, copy.clip, &copy.destination), (&item.offer, item.clip, &item.destination));
    assert_eq!(
        (w.story(&item.id).await, w.story(&copy.id).await),
        ("accepted copied".into(), "copy-made".into())
    );
    let (of, made) = (w.events(item.id.as_str()).await, w.events(copy.id.as_str()).await);
    assert_eq!(of[1].detail["copy"], json!(copy.id));
    assert_eq!(made[0].detail["original_custody"], json!({ "length": 2, "hash": of[1].hash }));
    assert_eq!(made[0].detail["original_sha256"], json!(item.sha256));
    let again = w.app.item(&w.us, &item.id).await.unwrap();
    assert_eq!(
        (again.sha256, again.name, again.copy_of, again.alteration),
        (item.sha256, item.name, None, None)
    );
    let transcode = NewCopy { kind: AlterationKind::Transcode, ..redaction(2) };
    let second = w.app.copy_item(&w.us, &copy.id, &transcode).await.unwrap();
    assert_eq!(second.copy_of, Some(copy.id.clone()));
    let audit: Vec<AuditRecord> = w.all().await;
    let made = audit.iter().filter(|each| each.body.action == "item.copy" && each.leaf.is_some());
    assert_eq!(made.count(), 2);
    let grant = w.app.read_item(&w.us, &copy.id, &PURPOSE).await.unwrap();
    assert_eq!(grant.blob(), Some(&blob("copy-1")));
    let (_, bundle) = w.app.export_case(&w.us, &case, &PURPOSE).await.unwrap();
    assert_eq!(bundle.items.len(), 3);
    for each in &bundle.items {
        verify_chain_to(&each.custody, &each.item.custody).unwrap();
    }
    w.check().await;
}

#[tokio::test]
async fn a_copy_that_could_be_taken_for_the_original_is_refused() {
    let w = World::new().await;
    let (case, id) = (w.case().await, w.opened(1, 2).await);
    let item = w.accept(&id, 1, 1, &case).await;
    let sound = redaction(1);
    for (wish, field) in [
        (NewCopy { name: "CLIP-1-1.MP4".into(), ..sound.clone() }, "name"),
        (NewCopy { name: "x/clip.mp4".into(), ..sound.clone() }, "name"),
        (NewCopy { sha256: item.sha256, ..sound.clone() }, "sha256"),
        (NewCopy { bytes: 0, ..sound.clone() }, "bytes"),
        (NewCopy { note: "x ".into(), ..sound.clone() }, "note"),
        (NewCopy { tool: String::new(), ..sound.clone() }, "tool"),
        (NewCopy { sealed: blob("item-1-1"), ..sound.clone() }, "sealed"),
        (NewCopy { sealed: w.acceptance(1, 2, &case).sealed, ..sound.clone() }, "sealed"),
    ] {
        if field == "sealed" && wish.sealed != blob("item-1-1") {
            w.accept(&id, 1, 2, &case).await;
        }
        let Err(CoreError::Invalid(problems)) = w.app.copy_item(&w.us, &item.id, &wish).await else {
            panic!("{wish:?}")
        };
        assert_eq!(problems[0].field, field);
    }
    let hidden = w.app.copy_item(&w.them, &item.id, &sound).await.unwrap_err();
    assert!(matches!(hidden, CoreError::Denied(Denied::Hidden)), "{hidden:?}");
    w.app.close_case(&w.us, &case).await.unwrap();
    let closed = w.app.copy_item(&w.us, &item.id, &sound).await.unwrap_err();
    assert!(closed.to_string().contains("closed"), "{closed}");
    assert_eq!(w.all::<Item>().await.len(), 2);
    w.check().await;
}

#[tokio::test]
async fn a_copy_lives_and_dies_with_its_case() {
    let w = World::new().await;
    let (case, id) = (w.case().await, w.opened(1, 1).await);
    let item = w.accept(&id, 1, 1, &case).await;
    let copy = w.app.copy_item(&w.us, &item.id, &redaction(1)).await.unwrap();
    w.app.close_case(&w.us, &case).await.unwrap();
    let due = w.app.item(&w.us, &copy.id).await.unwrap().due;
    assert!(due.is_some() && due == w.app.item(&w.us, &item.id).await.unwrap().due);
    let hold = w.hold(&copy.id).await;
    w.clock.advance_days(365);
    let gone = w.forget().await;
    assert!(
        gone.contains(&format!("{} closed-case", item.id))
            && !gone.iter().any(|it| it.contains(copy.id.as_str()))
    );
    w.app.release_hold(&w.us, &hold.id, "the order was lifted today").await.unwrap();
    assert_eq!(w.forget().await, [format!("{} closed-case", copy.id)]);
    w.check().await;
}

#[tokio::test]
async fn a_granted_withdrawal_takes_the_copies_too_and_one_that_waits_stops_new_ones() {
    let w = World::new().await;
    let (case, id) = (w.case().await, w.opened(1, 1).await);
    let item = w.accept(&id, 1, 1, &case).await;
    let copy = w.app.copy_item(&w.us, &item.id, &redaction(1)).await.unwrap();
    w.app.withdraw("lookup-1").await.unwrap();
    let refused = w.app.copy_item(&w.us, &item.id, &redaction(2)).await.unwrap_err();
    assert!(refused.to_string().contains("take this offer back"), "{refused}");
    let answer = AnswerWithdrawal { granted: true, reason: "nothing of it was used".into() };
    w.app.answer_withdrawal(&w.us, &id, &answer).await.unwrap();
    let gone = w.forget().await;
    for subject in [item.id.to_string(), copy.id.to_string()] {
        assert!(gone.contains(&format!("{subject} withdrawal-granted")), "{gone:?}");
    }
    w.check().await;
}

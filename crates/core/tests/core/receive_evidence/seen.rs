//! What was seen in evidence: sealed on the agency's device, kept with the item, named by searches for its case.

use canvass_core::{
    CoreError,
    footage::{PutSightings, SearchFootage},
    records::{AuditRecord, SealedSightings},
};
use canvass_types::{Purpose, Role};
use data_encoding::BASE64;

use super::world::{PURPOSE, World};

fn put(version: &str) -> PutSightings {
    let sealed = BASE64.encode(format!("age-encryption.org/v1\n-> X25519 {version}").as_bytes());
    PutSightings { model: "objects".into(), version: version.into(), sealed }
}

#[tokio::test]
async fn sealed_sightings_are_kept_with_their_item_and_go_with_it() {
    let w = World::new().await;
    let (case, id) = (w.case().await, w.opened(1, 2).await);
    let (item, other) = (w.accept(&id, 1, 1, &case).await, w.accept(&id, 1, 2, &case).await);
    assert!(matches!(w.app.sightings_of(&w.us, &item.id).await, Err(CoreError::Hidden(_))));
    let first = w.app.put_sightings(&w.junior, &item.id, &put("1")).await.unwrap();
    assert_eq!((first.version.as_str(), &first.by), ("1", &w.junior.member));
    w.app.put_sightings(&w.us, &item.id, &put("2")).await.unwrap();
    assert_eq!(w.app.sightings_of(&w.us, &item.id).await.unwrap().version, "2");
    assert_eq!(w.story(&item.id).await, "accepted indexed indexed");
    w.check().await;
    assert!(w.app.put_sightings(&w.them, &item.id, &put("3")).await.is_err());
    assert!(w.app.sightings_of(&w.them, &item.id).await.is_err());

    // A search names them, and who searched fetches them for a while.
    let purpose = Purpose { case: Some(case.to_string()), offence: "felony".into(), ..PURPOSE.clone() };
    let wish = SearchFootage { text: Some("red car".into()), ..SearchFootage::default() };
    let granted = w.app.search_footage(&w.us, &purpose, &wish).await.unwrap();
    let found = w.app.footage_found(granted).await.unwrap();
    let [sealed] = &found.evidence[..] else { panic!("{found:?}") };
    assert_eq!(
        (&sealed.item, sealed.version.as_str(), &found.unindexed),
        (&item.id, "2", &vec![other.id.clone()])
    );
    assert_eq!(sealed.path, format!("/footage/indexes/{}/{}", found.search, item.id));
    let index = w.app.sealed_index(&w.us, &found.search, &item.id).await.unwrap();
    assert!(index.bytes.starts_with(b"age-encryption.org/v1\n") && index.sha256 == sealed.sha256);
    assert!(w.app.sealed_index(&w.us, &found.search, &other.id).await.is_err());
    assert!(w.app.sealed_index(&w.junior, &found.search, &item.id).await.is_err());
    w.clock.advance(901);
    assert!(w.app.sealed_index(&w.us, &found.search, &item.id).await.is_err());

    w.app.close_case(&w.us, &case).await.unwrap();
    w.clock.advance_days(365);
    assert_eq!(w.forget().await.len(), 3, "two items and the envelope");
    assert!(w.all::<SealedSightings>().await.is_empty());
    let gone = w.app.put_sightings(&w.us, &item.id, &put("4")).await.unwrap_err();
    assert!(gone.to_string().contains("destroyed"), "{gone}");
    let audit: Vec<AuditRecord> = w.all().await;
    assert_eq!(
        audit.iter().filter(|one| one.body.action == "footage.index" && one.leaf.is_some()).count(),
        2
    );
}

#[tokio::test]
async fn what_is_not_sealed_is_not_taken() {
    let w = World::new().await;
    let (case, id) = (w.case().await, w.opened(1, 1).await);
    let item = w.accept(&id, 1, 1, &case).await;
    let with = |sealed: String| PutSightings { sealed, ..put("1") };
    for (wrong, rule) in [
        (with(BASE64.encode(br#"{"kind":"Person"}"#)), "sealed"),
        (with("no base64".into()), "form"),
        (with(BASE64.encode(&vec![0; 1024 * 1024 + 1])), "form"),
        (PutSightings { model: String::new(), ..put("1") }, "length"),
    ] {
        let refused = w.app.put_sightings(&w.us, &item.id, &wrong).await.unwrap_err();
        let CoreError::Invalid(problems) = refused else { panic!("{refused}") };
        assert_eq!(problems[0].rule, rule);
    }
    let mut custodian = w.us.clone();
    custodian.roles = vec![Role::Administrator];
    assert!(w.app.put_sightings(&custodian, &item.id, &put("1")).await.is_err());
    assert_eq!(w.story(&item.id).await, "accepted");
}

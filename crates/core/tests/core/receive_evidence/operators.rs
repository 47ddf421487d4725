//! Who runs the machine: what they may change of an agency's people, and what is entered of what they see.

use canvass_core::{
    CoreError,
    access::{Actor, Denied, NewToken, OPERATOR_READ},
    breakglass::NewBreakGlass,
    members::{ChangeMember, NewMember},
    ports::Records,
};
use canvass_types::{
    MemberId, Role,
    leaf::{Log, OversightLeaf},
};

use super::world::{OURS, World};

fn operator(w: &World) -> Actor {
    let member: MemberId = "mbr_zzzzzzzzzzzzzzzzzzzzzzzzza".parse().unwrap();
    Actor { member, agency: None, party: None, roles: vec![Role::Operator], ..w.us.clone() }
}

fn somebody(role: Role) -> NewMember {
    NewMember { agency: Some(OURS.parse().unwrap()), name: "Some Body".into(), roles: vec![role] }
}

async fn entries(w: &World, kind: &str) -> Vec<OversightLeaf> {
    let all = w.store.ledger_entries(Log::Oversight, 0, 10_000).await.unwrap();
    let leaves = all.iter().map(|entry| serde_json::from_slice::<OversightLeaf>(&entry.entry).unwrap());
    leaves.filter(|leaf| leaf.kind == kind).collect()
}

#[tokio::test]
async fn an_agencys_people_are_its_own_once_it_has_an_administrator() {
    let w = World::new().await;
    let operator = operator(&w);
    let shut = |error: CoreError| match error {
        CoreError::Denied(denied @ Denied::Rule { .. }) => {
            assert_eq!(denied.rules(), ["second-person.break-glass"]);
            assert!(denied.to_string().contains("break-glass"), "{denied}");
        }
        other => panic!("{other}"),
    };
    let add = || w.app.add_member(&operator, somebody(Role::Investigator));
    add().await.unwrap();
    let ada = w.app.add_member(&operator, somebody(Role::Administrator)).await.unwrap();
    // The first administrator has nothing to sign in with before the operator gives it.
    let token = NewToken { label: "first".into(), roles: vec![], days: 3, scope: None };
    w.app.issue_token(&operator, &ada.id, token.clone()).await.unwrap();
    shut(w.app.issue_token(&operator, &ada.id, token).await.map(drop).unwrap_err());
    shut(add().await.unwrap_err());
    let wish = |reason: &str| NewBreakGlass { agency: OURS.parse().unwrap(), reason: reason.into() };
    let short = w.app.begin_break_glass(&operator, &wish("because")).await.unwrap_err();
    assert!(matches!(short, CoreError::Invalid(_)), "{short}");
    let why = "Their only administrator left; the chief asked in writing";
    assert!(w.app.begin_break_glass(&w.us, &wish(why)).await.is_err());
    let glass = w.app.begin_break_glass(&operator, &wish(why)).await.unwrap();
    add().await.unwrap();
    // Everybody of the agency sees it and why; nobody of another does.
    assert_eq!(w.app.break_glass(&w.junior).await.unwrap(), std::slice::from_ref(&glass));
    assert!(w.app.break_glass(&w.them).await.unwrap().is_empty());
    assert!(w.app.end_break_glass(&w.them, &glass.id).await.is_err());
    assert!(w.app.end_break_glass(&w.junior, &glass.id).await.is_err());
    w.app.end_break_glass(&w.us, &glass.id).await.unwrap();
    shut(add().await.unwrap_err());
    assert!(matches!(w.app.end_break_glass(&w.us, &glass.id).await, Err(CoreError::State { .. })));
    w.app.begin_break_glass(&operator, &wish(why)).await.unwrap();
    w.clock.advance(3_600);
    shut(add().await.unwrap_err());
    // An administrator who was stopped can't act, so the agency has nobody.
    let stopped = ChangeMember { active: Some(false), roles: None };
    shut(w.app.change_member(&operator, &ada.id, stopped.clone()).await.unwrap_err());
    w.app.begin_break_glass(&operator, &wish(why)).await.unwrap();
    w.app.change_member(&operator, &ada.id, stopped).await.unwrap();
    w.clock.advance(3_600);
    add().await.unwrap();
    assert_eq!(entries(&w, "breakglass.begin").await.len(), 3);
    assert_eq!(entries(&w, "breakglass.end").await.len(), 1);
    w.check().await;
}

#[tokio::test]
async fn what_an_operator_sees_is_entered_once_an_hour_and_names_nobody() {
    let w = World::new().await;
    let operator = operator(&w);
    let ours = OURS.parse().unwrap();
    for _ in 0..3 {
        w.app.members(&operator, Some(&ours)).await.unwrap();
    }
    w.app.members(&w.us, Some(&ours)).await.unwrap();
    assert_eq!(entries(&w, OPERATOR_READ).await.len(), 1);
    w.clock.advance(3_600);
    w.app.members(&operator, Some(&ours)).await.unwrap();
    w.app.passkeys(&operator, &w.junior.member).await.unwrap();
    let seen = entries(&w, OPERATOR_READ).await;
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(|leaf| leaf.actor.is_some() && leaf.actor == seen[0].actor));
    let text = serde_json::to_string(&seen).unwrap();
    assert!(!text.contains(operator.member.as_str()) && !text.contains(w.junior.member.as_str()));
    w.app.note_tool("backup").await.unwrap();
    assert_eq!(entries(&w, "operator.tool").await[0].subject, "backup");
    w.check().await;
}

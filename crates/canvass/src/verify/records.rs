//! Compares public files with what the requests ledger says of them.

use canvass_core::agencies::identity_digest;
use canvass_types::{
    AgencyId, Digest, PortalBody, PortalId, Proof, PublicAgency, PublicPortal, PublicRequest, RequestBody,
    RequestId, RequestState, canonical,
};
use serde::{Deserialize, Serialize};

use super::replay::Replay;

/// Largest public file of one record, in bytes.
pub const MAX_RECORD: u64 = 4 * 1024 * 1024;

/// `/agencies/<id>.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AgencyFile {
    /// The agency.
    pub agency: PublicAgency,
    /// Proofs of its ledger entries.
    pub proofs: Vec<Proof>,
}

fn digest_of<T: Serialize>(value: &T) -> Option<Digest> {
    canonical(value).ok().map(|bytes| Digest::of(&bytes))
}

/// What does not fit between a request's file and the ledger.
pub fn request(id: &RequestId, shown: &PublicRequest, ledger: &Replay) -> Vec<String> {
    let mut found = Vec::new();
    let mut must = |holds: bool, what: &str| {
        if !holds {
            found.push(what.to_owned());
        }
    };
    must(shown.id == *id && shown.decision.request == *id, "it is the file of another request");
    let Some(known) = ledger.requests.get(id) else {
        return vec!["the ledger has no entry of this request".to_owned()];
    };
    must(shown.state == known.state, "its state is not that of its newest ledger entry");
    let decision = digest_of(&shown.decision);
    must(
        decision == Some(known.decision.0) && shown.decision.approved == known.decision.1,
        "its decision is not the one in the ledger",
    );
    let Some(published) = &known.published else {
        must(shown.request.is_none(), "its body is shown though it was refused");
        return found;
    };
    must(
        shown.at == published.at && shown.closes == Some(published.closes),
        "its times are not those in the ledger",
    );
    match (&shown.request, shown.state) {
        (None, RequestState::Withheld) => {}
        (None, _) => must(false, "its body is left out though it is not withheld"),
        (Some(_), RequestState::Withheld) => must(false, "its body is shown though it is withheld by law"),
        (Some(signed), _) => {
            let body = &signed.body;
            must(
                signed.digest == published.digest && digest_of(body) == Some(published.digest),
                "its body is not the one whose digest is in the ledger",
            );
            must(signed.key == published.key, "it names another signing key than the ledger");
            must(
                body.id == *id && body.agency.id == known.agency,
                "its body names another request or agency",
            );
            let agency = ledger.agencies.get(&known.agency);
            let class = agency.and_then(|agency| agency.standing).map(|(class, _, _)| class);
            must(class == Some(body.agency.class), "its body names another class of agency than the ledger");
            let key = agency.and_then(|agency| agency.key_at(&published.key, published.at));
            must(
                key.is_some_and(|key| key.public.verifies(RequestBody::CONTEXT, body, &signed.signature)),
                "its body is not signed by the agency's key in the ledger",
            );
        }
    }
    found
}

/// What does not fit between an agency's file and the ledger.
pub fn agency(id: &AgencyId, shown: &PublicAgency, ledger: &Replay) -> Vec<String> {
    let Some(known) = ledger.agencies.get(id) else {
        return vec!["the ledger has no entry of this agency".to_owned()];
    };
    let mut found = Vec::new();
    let mut must = |holds: bool, what: &str| {
        if !holds {
            found.push(what.to_owned());
        }
    };
    must(shown.id == *id, "it is the file of another agency");
    must(
        known.standing == Some((shown.class, shown.state, identity_digest(shown))),
        "its class, standing, name, subdivision or jurisdiction is not that of the ledger",
    );
    let same = shown.keys.iter().all(|key| {
        known.keys.get(&key.id).is_some_and(|known| {
            known.public == key.public && known.added == key.added && known.revoked == key.revoked
        })
    });
    must(same && shown.keys.len() == known.keys.len(), "its keys are not those in the ledger");
    found
}

/// What does not fit between a portal's file and the ledger.
pub fn portal(id: &PortalId, shown: &PublicPortal, ledger: &Replay) -> Vec<String> {
    let Some(known) = ledger.portals.get(id) else {
        return vec!["the ledger has no entry of this portal".to_owned()];
    };
    let mut found = Vec::new();
    let mut must = |holds: bool, what: &str| {
        if !holds {
            found.push(what.to_owned());
        }
    };
    let signed = &shown.portal;
    must(shown.id == *id && signed.body.id == *id, "it is the file of another portal");
    must(shown.state == if known.open { "open" } else { "closed" }, "its state is not that of the ledger");
    must(
        signed.digest == known.digest && digest_of(&signed.body) == Some(known.digest),
        "its body is not the one whose digest is in the ledger",
    );
    let key = ledger.agencies.get(&known.agency).and_then(|agency| agency.key_at(&known.key, known.opened));
    must(
        signed.body.agency.id == known.agency
            && signed.key == known.key
            && key
                .is_some_and(|key| key.public.verifies(PortalBody::CONTEXT, &signed.body, &signed.signature)),
        "its body is not signed by the agency's key in the ledger",
    );
    found
}

/// What does not fit between `/policy.json` and the ledger.
pub fn policy(bytes: &[u8], ledger: &Replay) -> Vec<String> {
    named(bytes, ledger.policy, "policy")
}

/// What does not fit between `/rules.json` and the ledger.
pub fn rules(bytes: &[u8], ledger: &Replay) -> Vec<String> {
    named(bytes, ledger.rules, "set of rules")
}

fn named(bytes: &[u8], entry: Option<(Digest, u64)>, what: &str) -> Vec<String> {
    let Some((digest, _)) = entry else {
        return vec![format!("the ledger has no entry of a {what}")];
    };
    let value: Result<serde_json::Value, _> = serde_json::from_slice(bytes);
    match value.ok().and_then(|value| digest_of(&value)) {
        Some(found) if found == digest => Vec::new(),
        _ => vec![format!("it is not the {what} whose digest is in the ledger")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_are_those_whose_digest_is_in_the_ledger() {
        let texts = std::collections::BTreeMap::from([("roles.txt", "a"), ("caps.cedar", "b\n")]);
        let mut ledger = Replay::default();
        let shown = serde_json::to_vec_pretty(&texts).unwrap();
        assert_eq!(rules(&shown, &ledger), ["the ledger has no entry of a set of rules"]);
        ledger.rules = digest_of(&texts).map(|digest| (digest, 4));
        assert!(rules(&shown, &ledger).is_empty(), "the form does not matter");
        for other in [&b"{}"[..], br#"{"roles.txt":"a","caps.cedar":"c"}"#, b"{"] {
            assert_eq!(rules(other, &ledger), ["it is not the set of rules whose digest is in the ledger"]);
        }
    }
}

//! What residents were asked: signed requests and portals, decisions, the agency and its keys, the policy.

use canvass_core::agencies::identity_digest;
use canvass_types::{
    Digest, KeyEndorsement, PortalBody, PublicKey, RequestBody, SignatureText, Signed, Time, canonical,
    leaf::{Log, RequestsLeaf},
};
use serde::Serialize;

use super::{AGAIN, ledger::Proven, unique};
use crate::{
    layout,
    model::{Contents, DestinationFile, SignedBody},
    report::Report,
};

fn digest_of<T: Serialize>(value: &T) -> Option<Digest> {
    canonical(value).ok().map(|bytes| Digest::of(&bytes))
}

pub(super) fn check(contents: &Contents, proven: &Proven, report: &mut Report) {
    agency(contents, proven, report);
    policy(contents, proven, report);
    unique(layout::CASE, &contents.case.destinations, Clone::clone, report);
    for id in &contents.case.destinations {
        let Some(each) = contents.destinations.iter().find(|each| each.id() == id) else {
            report.defect(layout::destination(id), "is not the request or portal of its name", AGAIN);
            continue;
        };
        destination(contents, each, proven, report);
    }
}

fn policy(contents: &Contents, proven: &Proven, report: &mut Report) {
    let set = proven.requests.values().rev().find_map(|leaf| match leaf {
        RequestsLeaf::PolicySet { digest, .. } => Some(*digest),
        _ => None,
    });
    let Some(set) = set else {
        report.defect(
            layout::POLICY,
            "no proven ledger entry has its digest",
            "which limits and retentions were in force is not proven",
        );
        return;
    };
    if digest_of(&contents.policy) != Some(set) {
        report.defect(
            layout::POLICY,
            "its SHA-256 is not the one in the ledger",
            "these are not the limits and retentions that were in force",
        );
    }
}

/// A key of the agency that stands in the ledger.
struct Key {
    public: PublicKey,
    revoked: Option<Time>,
}

/// The key under a short name: added in the ledger, and vouched for by one that was.
fn key(contents: &Contents, id: &str, proven: &Proven) -> Result<Key, &'static str> {
    let agency = &contents.case.agency.id;
    let added =
        |wanted: &str| {
            proven.requests.values().find_map(|leaf| match leaf {
                RequestsLeaf::AgencyKeyAdded {
                    agency: of, key, public, endorsed_by, endorsement, ..
                } if of == agency && key == wanted => Some((*public, endorsed_by.clone(), *endorsement)),
                _ => None,
            })
        };
    let (public, endorsed_by, endorsement) =
        added(id).ok_or("no proven ledger entry brings in the agency's key")?;
    if public.id() != id {
        return Err("the key in the ledger has another short name");
    }
    if let Some(by) = endorsed_by {
        let (voucher, ..) =
            added(&by).ok_or("no proven ledger entry brings in the key that vouches for the agency's key")?;
        let statement = KeyEndorsement { agency: agency.clone(), public };
        if !endorsement
            .is_some_and(|signature| voucher.verifies(KeyEndorsement::CONTEXT, &statement, &signature))
        {
            return Err("the agency's key is not vouched for by the key that it names");
        }
    }
    let revoked = proven.requests.values().find_map(|leaf| match leaf {
        RequestsLeaf::AgencyKeyRevoked { agency: of, key, at } if of == agency && key == id => Some(*at),
        _ => None,
    });
    Ok(Key { public, revoked })
}

fn agency(contents: &Contents, proven: &Proven, report: &mut Report) {
    let agency = &contents.case.agency;
    let standing = proven.requests.values().rev().find_map(|leaf| match leaf {
        RequestsLeaf::AgencyState { agency: of, digest, .. } if *of == agency.id => Some(*digest),
        _ => None,
    });
    match standing {
        None => report
            .note("no proven ledger entry says who the agency is; its keys are proven where they signed"),
        Some(digest) if digest != identity_digest(agency) => {
            report.defect(
                layout::CASE,
                "the agency is not the one in the ledger",
                "name, class, state or jurisdiction were altered",
            );
        }
        Some(_) => {}
    }
    for each in &agency.keys {
        if let Ok(found) = key(contents, &each.id, proven)
            && found.public != each.public
        {
            report.defect(
                layout::CASE,
                format!("the agency's key {} is not the one in the ledger", each.id),
                AGAIN,
            );
        }
    }
}

fn destination(contents: &Contents, each: &DestinationFile, proven: &Proven, report: &mut Report) {
    let file = layout::destination(each.id());
    for leaf in each.leaves.iter().filter(|leaf| !proven.has(Log::Requests, leaf)) {
        let kind =
            leaf.split("\"type\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or("of no kind");
        report.defect(
            &file,
            format!("its ledger entry {kind} is not proven"),
            "the ledger may say otherwise",
        );
    }
    match &each.signed {
        SignedBody::Request(signed) => {
            let asker = &signed.body.agency;
            signature(contents, &file, RequestBody::CONTEXT, signed, proven, report);
            belongs(contents, &file, (asker.id.as_str(), &asker.name, asker.class), report);
            published(&file, signed, contents, proven, report);
            decided(&file, each, signed, proven, report);
        }
        SignedBody::Portal(signed) => {
            let asker = &signed.body.agency;
            signature(contents, &file, PortalBody::CONTEXT, signed, proven, report);
            belongs(contents, &file, (asker.id.as_str(), &asker.name, asker.class), report);
            let stands = |leaf: &RequestsLeaf| {
                matches!(leaf, RequestsLeaf::PortalState { portal, agency, digest, key, .. }
                    if *portal == signed.body.id && *agency == asker.id && *digest == signed.digest && *key == signed.key)
            };
            if !proven.requests.values().any(stands) {
                report.defect(
                    &file,
                    "no proven ledger entry opens this portal",
                    "residents were shown another portal, or none",
                );
            }
            if each.decision.is_some() {
                report.defect(&file, "a portal has no decision", AGAIN);
            }
        }
    }
}

fn belongs(
    contents: &Contents,
    file: &str,
    asker: (&str, &str, canvass_types::AgencyClass),
    report: &mut Report,
) {
    let agency = &contents.case.agency;
    if asker.0 != agency.id.as_str() {
        report.defect(file, "is of another agency", AGAIN);
    } else if asker.1 != agency.name || asker.2 != agency.class {
        report.note(format!("{file}: the agency went by another name or class when it asked"));
    }
}

fn signature<T: Serialize>(
    contents: &Contents,
    file: &str,
    context: &str,
    signed: &Signed<T>,
    proven: &Proven,
    report: &mut Report,
) {
    if digest_of(&signed.body) != Some(signed.digest) {
        report.defect(file, "its digest is not that of its body", "the body was altered after it was signed");
    }
    let key = match key(contents, &signed.key, proven) {
        Ok(key) => key,
        Err(reason) => {
            return report.defect(
                file,
                format!("key {}: {reason}", signed.key),
                "who signed it is not proven",
            );
        }
    };
    let signature: &SignatureText = &signed.signature;
    if !key.public.verifies(context, &signed.body, signature) {
        report.defect(
            file,
            "the agency's signature does not hold",
            "the body was altered, or the agency never signed it",
        );
    }
}

fn published(
    file: &str,
    signed: &Signed<RequestBody>,
    contents: &Contents,
    proven: &Proven,
    report: &mut Report,
) {
    let at = proven.requests.values().find_map(|leaf| match leaf {
        RequestsLeaf::RequestPublished { request, agency, digest, key, at, .. }
            if *request == signed.body.id
                && *agency == signed.body.agency.id
                && *digest == signed.digest
                && *key == signed.key =>
        {
            Some(*at)
        }
        _ => None,
    });
    let Some(at) = at else {
        report.defect(
            file,
            "no proven ledger entry publishes this request with this digest and key",
            "residents were shown another request, or none",
        );
        return;
    };
    if let Ok(Key { revoked: Some(revoked), .. }) = key(contents, &signed.key, proven)
        && revoked < at
    {
        report.defect(
            file,
            "the agency's key was revoked before the request was published",
            "the agency may not have asked this",
        );
    }
}

fn decided(
    file: &str,
    each: &DestinationFile,
    signed: &Signed<RequestBody>,
    proven: &Proven,
    report: &mut Report,
) {
    let Some(decision) = &each.decision else {
        report.defect(file, "the moderator's decision is missing", AGAIN);
        return;
    };
    if decision.request != signed.body.id {
        report.defect(file, "the decision is on another request", AGAIN);
    }
    let digest = digest_of(decision);
    let stands = |leaf: &RequestsLeaf| {
        matches!(leaf, RequestsLeaf::RequestDecided { request, approved, digest: found, .. }
            if *request == signed.body.id && *approved == decision.approved && Some(*found) == digest)
    };
    if !proven.requests.values().any(stands) {
        report.defect(
            file,
            "no proven ledger entry has the digest of this decision",
            "rule, reason or verdict were altered",
        );
    }
}

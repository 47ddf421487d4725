//! The case in CASE/UCO JSON-LD (ontologies CASE 1.4 and UCO 1.4): investigation, files with hashes, provenance
//! records, and every event of custody as an investigative action.

use canvass_core::{custody::CustodyView, records::CustodyEvent};
use canvass_types::Digest;
use serde_json::{Value, json};

use super::{
    layout,
    model::{Contents, ItemFile, OfferFile, ReadsFile},
};

/// An identifier in the graph: a name and a UUID of the text it stands for, formed as version 5 (RFC 9562) from SHA-256.
fn node(kind: &str, text: &str) -> String {
    let hex = Digest::of(format!("canvass/case/{kind}/{text}").as_bytes()).to_string();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("kb:{kind}-{}-{}-5{}-a{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}

fn reference(id: String) -> Value {
    json!({ "@id": id })
}

fn time(at: canvass_types::Time) -> Value {
    json!({ "@type": "xsd:dateTime", "@value": at.to_string() })
}

fn context() -> Value {
    const UCO: &str = "https://ontology.unifiedcyberontology.org/uco";
    json!({
        "kb": "https://canvass.invalid/kb/",
        "case-investigation": "https://ontology.caseontology.org/case/investigation/",
        "uco-action": format!("{UCO}/action/"),
        "uco-core": format!("{UCO}/core/"),
        "uco-identity": format!("{UCO}/identity/"),
        "uco-observable": format!("{UCO}/observable/"),
        "uco-tool": format!("{UCO}/tool/"),
        "uco-types": format!("{UCO}/types/"),
        "xsd": "http://www.w3.org/2001/XMLSchema#",
    })
}

fn file(id: &str, kind: &str, name: &str, path: Option<String>, bytes: u64, sha256: Digest) -> Value {
    let size = json!({ "@type": "xsd:integer", "@value": bytes.to_string() });
    let mut facet = json!({
        "@id": node("file-facet", id), "@type": "uco-observable:FileFacet",
        "uco-observable:fileName": name, "uco-observable:sizeInBytes": size,
    });
    if let (Some(path), Some(fields)) = (path, facet.as_object_mut()) {
        fields.insert("uco-observable:filePath".into(), path.into());
    }
    json!({
        "@id": node(kind, id), "@type": "uco-observable:File",
        "uco-core:name": id,
        "uco-core:hasFacet": [facet, {
            "@id": node("content-facet", id), "@type": "uco-observable:ContentDataFacet",
            "uco-observable:sizeInBytes": size,
            "uco-observable:hash": [{
                "@id": node("hash", id), "@type": "uco-types:Hash",
                "uco-types:hashMethod": "SHA256",
                "uco-types:hashValue": { "@type": "xsd:hexBinary", "@value": sha256.to_string() },
            }],
        }],
    })
}

fn item(item: &ItemFile) -> Vec<Value> {
    let path = item.destroyed.is_none().then(|| layout::recording(item));
    let provenance = json!({
        "@id": node("provenance", item.id.as_str()),
        "@type": "case-investigation:ProvenanceRecord",
        "uco-core:description": origin(item),
        "case-investigation:exhibitNumber": item.id.to_string(),
        "uco-core:object": [
            reference(node("file", item.id.as_str())), reference(node("envelope", item.offer.as_str()))
        ],
    });
    let mut nodes =
        vec![file(item.id.as_str(), "file", &item.name, path, item.bytes, item.sha256), provenance];
    if let (Some(original), Some(how)) = (&item.copy_of, &item.alteration) {
        nodes.push(json!({
            "@id": node("copy", item.id.as_str()), "@type": "uco-observable:ObservableRelationship",
            "uco-core:name": how.kind.as_str(),
            "uco-core:description": format!("{} (made with {})", how.note, how.tool),
            "uco-core:source": reference(node("file", item.id.as_str())),
            "uco-core:target": reference(node("file", original.as_str())),
            "uco-core:kindOfRelationship": "Derived_From",
            "uco-core:isDirectional": true,
        }));
    }
    nodes
}

fn origin(item: &ItemFile) -> String {
    match (&item.copy_of, &item.alteration) {
        (Some(original), Some(how)) => {
            format!(
                "Altered copy ({}) of item {original}, made on {}: {}",
                how.kind.as_str(),
                how.at,
                how.note
            )
        }
        _ => format!("Clip {} of offer {}, accepted on {}", item.clip, item.offer, item.added),
    }
}

fn offer(offer: &OfferFile) -> Value {
    let name = format!("{}.age", offer.id);
    file(offer.id.as_str(), "envelope", &name, None, offer.envelope_bytes, offer.envelope_sha256)
}

fn kept(kept: &ReadsFile) -> Value {
    let path = kept.destroyed.is_none().then(|| layout::reads(kept.id.as_str()));
    file(kept.id.as_str(), "file", &kept.name, path, kept.bytes, kept.sha256)
}

fn action(contents: &Contents, chain: &CustodyView, event: &CustodyEvent) -> Value {
    let is_item = contents.case.items.iter().any(|item| item.id.as_str() == chain.subject);
    let is_reads = contents.case.reads.iter().any(|kept| kept.id.as_str() == chain.subject);
    let subject = node(if is_item || is_reads { "file" } else { "envelope" }, &chain.subject);
    let performer = match &event.by {
        Some(member) => node("member", member.as_str()),
        None => node("tool", &contents.case.made_with),
    };
    let mut action = json!({
        "@id": node("action", event.hash.to_string().as_str()),
        "@type": "case-investigation:InvestigativeAction",
        "uco-core:name": event.event,
        "uco-core:description": format!(
            "Event {} of the chain of custody of {}: {}; SHA-256 {}", event.number, chain.subject, event.detail, event.hash
        ),
        "uco-action:startTime": time(event.at),
        "uco-action:endTime": time(event.at),
        "uco-action:performer": reference(performer),
        "uco-action:object": [reference(subject)],
    });
    let made = is_item && event.number == 0;
    if let (true, Some(fields)) = (made, action.as_object_mut()) {
        fields.insert("uco-action:result".into(), json!([reference(node("provenance", &chain.subject))]));
    }
    action
}

/// The whole graph.
pub(super) fn graph(contents: &Contents) -> Value {
    let case = &contents.case;
    let mut nodes = vec![json!({
        "@id": node("organization", case.agency.id.as_str()), "@type": "uco-identity:Organization",
        "uco-core:name": case.agency.name,
    })];
    nodes.push(json!({
        "@id": node("tool", &case.made_with), "@type": "uco-tool:Tool", "uco-core:name": case.made_with,
    }));
    let mut members: Vec<_> =
        contents.custody.iter().flat_map(|chain| &chain.events).filter_map(|e| e.by.as_ref()).collect();
    members.push(&case.exported_by);
    members.sort();
    members.dedup();
    nodes.extend(members.iter().map(|member| {
        json!({
            "@id": node("member", member.as_str()), "@type": "uco-identity:Person",
            "uco-core:name": case.who(Some(member)),
        })
    }));
    nodes.extend(case.offers.iter().map(offer));
    nodes.extend(case.items.iter().flat_map(item));
    nodes.extend(case.reads.iter().map(kept));
    for chain in contents.chains() {
        nodes.extend(chain.events.iter().map(|event| action(contents, chain, event)));
    }
    let objects: Vec<Value> =
        nodes.iter().filter_map(|node| node.get("@id")).map(|id| json!({ "@id": id })).collect();
    let mut investigation = json!({
        "@id": node("investigation", case.case.as_str()), "@type": "case-investigation:Investigation",
        "uco-core:name": case.title,
        "uco-core:description": format!("Case {} of {}, exported on {} for: {}", case.case, case.agency.name, case.exported, case.purpose.line()),
        "uco-core:object": objects,
    });
    if let (Some(code), Some(fields)) = (&case.code, investigation.as_object_mut()) {
        fields.insert("uco-core:tag".into(), json!([code]));
    }
    nodes.insert(0, investigation);
    json!({ "@context": context(), "@graph": nodes })
}

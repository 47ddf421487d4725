//! A case with two items of two offers, and two ledgers that prove it.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use canvass_core::{
    agencies::identity_digest,
    custody::{CustodyView, next},
    records::{Alteration, AlterationKind, AuditBody, AuditRecord, CustodyHead, OfferState},
};
use canvass_ledger::{KeyKind, Log as LedgerLog, LogConfig, MemStore, SignerKey};
use canvass_testkit::SeededEntropy;
use canvass_types::{
    AgencyClass, AgencyId, AgencyKey, AgencyState, Area, Asker, AuditId, CaseId, Contact, Decision, Digest,
    IncidentType, ItemId, KeptReadsId, MemberId, OfferId, Policy, PublicAgency, PublicKey, Purpose,
    RequestBody, RequestId, Signed, Time, TimeFrame, canonical,
    commitment::commitment,
    env::random,
    leaf::{Log, OversightLeaf, RequestsLeaf},
    sign,
};
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};

use crate::{
    CaseFile, Contents, DestinationFile, ItemFile, LedgerFiles, LedgerProof, OfferFile, Person, ReadsFile,
    ReceiptFile, SignedBody, write,
};

pub struct Town {
    pub contents: Contents,
    pub clips: BTreeMap<String, Vec<u8>>,
}

fn at(hour: i64) -> Time {
    Time::from_second(1_795_500_000 + hour * 3_600)
}

fn text<T: serde::Serialize>(value: &T) -> String {
    String::from_utf8(canonical(value).unwrap()).unwrap()
}

struct Build {
    chance: SeededEntropy,
    agency: AgencyId,
    case: CaseId,
    member: MemberId,
    audit: Vec<AuditRecord>,
    leaves: Vec<String>,
}

impl Build {
    fn record(
        &mut self,
        action: &str,
        subject: &str,
        by: bool,
        when: Time,
        purpose: Option<&str>,
        detail: Value,
    ) -> usize {
        let body = AuditBody {
            v: 2,
            id: AuditId::random(&self.chance),
            action: action.into(),
            agency: Some(self.agency.clone()),
            subject: subject.into(),
            actor: by.then(|| self.member.clone()),
            actor_agency: by.then(|| self.agency.clone()),
            case: Some(self.case.clone()),
            purpose: purpose.map(|reason| Purpose::new("disclosure", reason)),
            detail,
            at: when,
        };
        let salt: [u8; 32] = random(&self.chance);
        let leaf = OversightLeaf {
            kind: action.into(),
            agency: Some(self.agency.clone()),
            subject: subject.into(),
            actor: None,
            by: None,
            purpose: None,
            refused: None,
            hour: when.hour(),
            commitment: commitment(&salt, &serde_json::to_value(&body).unwrap()),
        };
        self.leaves.push(text(&leaf));
        self.audit.push(AuditRecord { body, salt: data_encoding::BASE64.encode(&salt), leaf: Some(leaf) });
        self.audit.len() - 1
    }

    fn event(&self, chain: &mut CustodyView, event: &str, by: bool, when: Time, detail: Value) -> Value {
        let head = (!chain.events.is_empty()).then_some(chain.head);
        let by = by.then_some(&self.member);
        let (event, head) = next(head, &chain.subject, event, by, when, detail);
        chain.events.push(event);
        chain.head = head;
        json!({ "length": head.length, "hash": head.hash })
    }
}

fn empty(subject: String) -> CustodyView {
    CustodyView { subject, head: CustodyHead { length: 0, hash: Digest([0; 32]) }, events: Vec::new() }
}

fn proofs(
    log: Log,
    name: &str,
    leaves: &[String],
    chance: &SeededEntropy,
) -> (String, Vec<LedgerProof>, String) {
    let seed: [u8; 32] = random(chance);
    let signer = SignerKey::from_seed(name, KeyKind::Log, &seed).unwrap();
    let vkey = signer.verifier().to_string();
    let config = LogConfig { origin: name.to_owned(), signer, cosigners: Vec::new() };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let store = std::sync::Arc::new(MemStore::new());
        let mut ledger = LedgerLog::create(config, store.clone(), store, 1_795_500_000).await.unwrap();
        let entries: Vec<&[u8]> = leaves.iter().map(String::as_bytes).collect();
        ledger.append(&entries, 1_795_500_000).await.unwrap();
        let mut proofs = Vec::new();
        for (index, leaf) in (0..).zip(leaves) {
            let proof = ledger.proof(index, None).await.unwrap().to_string();
            proofs.push(LedgerProof { log, index, leaf: leaf.clone(), proof });
        }
        (ledger.checkpoint().to_string(), proofs, vkey)
    })
}

/// The case without altered copies.
pub fn town() -> Town {
    tell(false, false)
}

/// The same case with a redacted copy of its first item.
pub fn town_with_a_copy() -> Town {
    tell(true, false)
}

/// The same case with plate reads that are kept in it.
pub fn town_with_reads() -> Town {
    tell(false, true)
}

#[expect(clippy::too_many_lines, reason = "one story, told in order")]
fn tell(with_a_copy: bool, with_reads: bool) -> Town {
    let chance = SeededEntropy::new(7);
    let key = SigningKey::from_bytes(&random(&chance));
    let public = PublicKey::of(&key);
    let mut build = Build {
        agency: AgencyId::random(&chance),
        case: CaseId::random(&chance),
        member: MemberId::random(&chance),
        chance,
        audit: Vec::new(),
        leaves: Vec::new(),
    };
    let ring = vec![[-71.5, 43.2], [-71.49, 43.2], [-71.49, 43.21], [-71.5, 43.2]];
    let agency = PublicAgency {
        id: build.agency.clone(),
        name: "Concord Police".into(),
        class: AgencyClass::Municipal,
        subdivision: "US-NH".into(),
        jurisdiction: Area::new(ring.clone()).unwrap(),
        state: AgencyState::Verified,
        keys: vec![AgencyKey {
            id: public.id(),
            public,
            added: at(0),
            revoked: None,
            endorsed_by: None,
            endorsement: None,
        }],
    };
    let body = RequestBody {
        v: 1,
        id: RequestId::random(&build.chance),
        agency: Asker { id: agency.id.clone(), name: agency.name.clone(), class: agency.class },
        code: "2026-0412".into(),
        incident: IncidentType::Burglary,
        details: "A garage on Elm Street was broken into. We look for recordings of the street.".into(),
        contact: Contact { name: "Det. Ruiz".into(), phone: Some("603-555-0100".into()), email: None },
        area: Area::new(ring).unwrap(),
        time_frame: TimeFrame { start: at(-9), end: at(-5), zone: "America/New_York".into() },
        recipient: "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p".into(),
        languages: vec!["en".into()],
        active_days: 14,
        created: at(0),
    };
    let request = body.id.to_string();
    let digest = Digest::of(&canonical(&body).unwrap());
    let decision = Decision {
        request: body.id.clone(),
        approved: true,
        rule: None,
        reason: "Asks about a place and a time only.".into(),
        at: at(1),
    };
    let decided = RequestsLeaf::RequestDecided {
        request: body.id.clone(),
        agency: agency.id.clone(),
        approved: true,
        digest: Digest::of(&canonical(&decision).unwrap()),
        at: at(1),
    };
    let published = RequestsLeaf::RequestPublished {
        request: body.id.clone(),
        agency: agency.id.clone(),
        digest,
        key: public.id(),
        at: at(1),
        closes: at(1).plus_days(14),
    };
    let policy = Policy::default();
    let requests = [
        text(&RequestsLeaf::PolicySet { digest: Digest::of(&canonical(&policy).unwrap()), at: at(0) }),
        text(&RequestsLeaf::AgencyState {
            agency: agency.id.clone(),
            class: agency.class,
            state: agency.state,
            digest: identity_digest(&agency),
            at: at(0),
        }),
        text(&RequestsLeaf::AgencyKeyAdded {
            agency: agency.id.clone(),
            key: public.id(),
            public,
            endorsed_by: None,
            endorsement: None,
            at: at(0),
        }),
        text(&decided),
        text(&published),
    ];
    let signature = sign(&key, RequestBody::CONTEXT, &body).unwrap();
    let signed = Signed { body, digest, key: public.id(), signature };
    let mut clips = BTreeMap::new();
    let (mut items, mut offers, mut custody, mut receipts, mut consents) =
        (vec![], vec![], vec![], vec![], vec![]);
    let mut pending = Vec::new();
    for number in 0..2_i64 {
        let offer = OfferId::random(&build.chance);
        let mut chain = empty(offer.to_string());
        let envelope = Digest::of(offer.as_str().as_bytes());
        let received = at(2 + number);
        let told = json!({ "destination": request, "ciphertext_sha256": envelope, "ciphertext_bytes": 900 });
        let head = build.event(&mut chain, "received", false, received, told);
        let detail = json!({ "offer": offer, "destination": request, "ciphertext_sha256": envelope, "ciphertext_bytes": 900, "custody": head });
        let record = build.record("offer.received", offer.as_str(), false, received, None, detail);
        receipts.push(ReceiptFile {
            offer: offer.clone(),
            record: serde_json::to_value(&build.audit[record].body).unwrap(),
            salt: build.audit[record].salt.clone(),
            leaf: build.leaves[record].clone(),
        });
        let head = build.event(&mut chain, "opened", true, at(5), json!({}));
        build.record(
            "offer.open",
            offer.as_str(),
            true,
            at(5),
            Some("Burglary on Elm Street"),
            json!({ "custody": head }),
        );
        let clip: Vec<u8> = (0..4_000_u32).map(|n| (n % 251) as u8 ^ number as u8).collect();
        let sha256 = Digest::of(&clip);
        let item = ItemId::random(&build.chance);
        let when = at(6 + number);
        let head = build.event(
            &mut chain,
            "accepted",
            true,
            when,
            json!({ "clip": 1, "item": item, "case": build.case, "sha256": sha256 }),
        );
        let mut own = empty(item.to_string());
        let sealed = Digest::of(item.as_str().as_bytes());
        let first = build.event(
            &mut own,
            "accepted",
            true,
            when,
            json!({
                "offer": offer, "clip": 1, "case": build.case, "sha256": sha256, "bytes": clip.len(),
                "sealed_sha256": sealed, "sealed_bytes": 950, "offer_custody": head,
            }),
        );
        let detail = json!({ "clip": 1, "item": item, "custody": head, "others": [{ "subject": item, "length": first["length"], "hash": first["hash"] }] });
        build.record("offer.triage", offer.as_str(), true, when, None, detail);
        let head = build.event(&mut own, "read", true, at(9), json!({}));
        build.record(
            "item.read",
            item.as_str(),
            true,
            at(9),
            Some("Review for the hearing"),
            json!({ "custody": head }),
        );
        consents.push((offer.clone(), serde_json::to_vec_pretty(&json!({
            "text": "I give these recordings to the agency.", "clips": [{ "name": "clip-01.mp4", "sha256": sha256 }],
        })).unwrap()));
        clips.insert(item.to_string(), clip.clone());
        offers.push(OfferFile {
            id: offer.clone(),
            destination: request.clone(),
            state: OfferState::Triaged,
            received,
            envelope_sha256: envelope,
            envelope_bytes: 900,
            custody: chain.head,
        });
        custody.push(chain);
        pending.push((
            own,
            ItemFile {
                id: item,
                offer,
                clip: 1,
                name: "clip-01.mp4".into(),
                bytes: clip.len() as u64,
                sha256,
                sealed_sha256: sealed,
                destination: request.clone(),
                added: when,
                destroyed: None,
                custody: CustodyHead { length: 0, hash: Digest([0; 32]) },
                copy_of: None,
                alteration: None,
            },
        ));
    }
    if with_a_copy {
        let made = redacted(&mut build, &mut pending[0], &mut clips);
        pending.push(made);
    }
    let exported = at(24);
    let mut others = Vec::new();
    let (mut kept, mut kept_texts) = (vec![], vec![]);
    if with_reads {
        let (mut chain, mut file, text) = plate_reads(&mut build);
        let head = build.event(&mut chain, "exported", true, exported, json!({ "case": build.case }));
        others.push(json!({ "subject": file.id, "length": head["length"], "hash": head["hash"] }));
        file.custody = chain.head;
        kept_texts.push((file.id.clone(), text));
        custody.push(chain);
        kept.push(file);
    }
    for (mut own, mut item) in pending {
        let head = build.event(&mut own, "exported", true, exported, json!({ "case": build.case }));
        others.push(json!({ "subject": item.id, "length": head["length"], "hash": head["hash"] }));
        item.custody = own.head;
        custody.push(own);
        items.push(item);
    }
    let case = build.case.clone();
    build.record(
        "case.export",
        case.as_str(),
        true,
        exported,
        Some("Discovery in 26-cr-77"),
        json!({ "others": others }),
    );
    let (requests_checkpoint, mut all, requests_vkey) =
        proofs(Log::Requests, "canvass.example/requests", &requests, &build.chance);
    let (oversight_checkpoint, more, oversight_vkey) =
        proofs(Log::Oversight, "canvass.example/oversight", &build.leaves, &build.chance);
    all.extend(more);
    let contents = Contents {
        case: CaseFile {
            v: 1,
            made_with: concat!("canvass ", env!("CARGO_PKG_VERSION")).into(),
            case,
            title: "Elm Street".into(),
            code: Some("2026-0412".into()),
            opened: at(2),
            closed: None,
            agency,
            purpose: Purpose::new("disclosure", "Discovery in 26-cr-77"),
            exported,
            exported_by: build.member.clone(),
            items,
            reads: kept,
            offers,
            destinations: vec![request],
            holds: vec![],
            people: vec![Person { id: build.member.clone(), name: "Ana Ruiz".into() }],
        },
        destinations: vec![DestinationFile {
            signed: SignedBody::Request(signed),
            decision: Some(decision),
            leaves: requests[3..].to_vec(),
        }],
        consents,
        reads: kept_texts,
        custody,
        receipts,
        audit: build.audit,
        policy,
        ledger: LedgerFiles {
            requests_checkpoint,
            oversight_checkpoint,
            proofs: all,
            keys: json!({
                "v": 1, "name": "Canvass", "public_url": "https://canvass.example",
                "logs": {
                    "requests": { "origin": "canvass.example/requests", "vkey": requests_vkey },
                    "oversight": { "origin": "canvass.example/oversight", "vkey": oversight_vkey },
                },
                "witnesses": [], "quorum": 0,
            }),
        },
    };
    Town { contents, clips }
}

/// A file of plate reads, with the beginning of its chain and the record of its keeping.
fn plate_reads(build: &mut Build) -> (CustodyView, ReadsFile, Vec<u8>) {
    let (id, search) = (KeptReadsId::random(&build.chance), AuditId::random(&build.chance));
    let when = at(14);
    let file =
        json!({ "v": 1, "id": id, "case": build.case, "search": search, "reads": [{ "plate": "ABC123" }] });
    let text = serde_json::to_vec_pretty(&file).unwrap();
    let sha256 = Digest::of(&text);
    let told = json!({
        "case": build.case, "search": search, "approval": null, "reads": 1, "sha256": sha256, "bytes": text.len(),
    });
    let mut chain = empty(id.to_string());
    let head = build.event(&mut chain, "reads-kept", true, when, told.clone());
    let mut detail = told;
    detail["custody"] = head;
    build.record("plate.keep", id.as_str(), true, when, None, detail);
    let kept = ReadsFile {
        id,
        name: "plate-reads-2026-11-24.json".into(),
        reads: 1,
        search,
        bytes: text.len() as u64,
        sha256,
        by: build.member.clone(),
        added: when,
        destroyed: None,
        custody: chain.head,
    };
    (chain, kept, text)
}

/// A redacted copy of an item, with what both chains and the record of it say.
fn redacted(
    build: &mut Build,
    (chain, original): &mut (CustodyView, ItemFile),
    clips: &mut BTreeMap<String, Vec<u8>>,
) -> (CustodyView, ItemFile) {
    let bytes: Vec<u8> = clips[original.id.as_str()].iter().map(|byte| byte ^ 0x55).collect();
    let (item, sha256, when) = (ItemId::random(&build.chance), Digest::of(&bytes), at(12));
    let sealed = Digest::of(item.as_str().as_bytes());
    let told = json!({ "copy": item, "kind": "redaction", "sha256": sha256, "bytes": bytes.len() });
    let head = build.event(chain, "copied", true, when, told);
    let (note, tool) = ("A passer-by was made unrecognisable.", "canvass-web 0.1.0");
    let mut own = empty(item.to_string());
    let told = json!({
        "copy_of": original.id, "kind": "redaction", "note": note, "tool": tool, "offer": original.offer,
        "clip": 1, "case": build.case, "sha256": sha256, "bytes": bytes.len(), "sealed_sha256": sealed,
        "sealed_bytes": 960, "original_sha256": original.sha256, "original_custody": head,
    });
    let first = build.event(&mut own, "copy-made", true, when, told);
    let others = json!([{ "subject": item, "length": first["length"], "hash": first["hash"] }]);
    let detail = json!({ "copy": item, "custody": head, "others": others });
    build.record("item.copy", original.id.as_str(), true, when, None, detail);
    clips.insert(item.to_string(), bytes.clone());
    let file = ItemFile {
        id: item,
        name: "clip-01-redacted.mp4".into(),
        bytes: bytes.len() as u64,
        sha256,
        sealed_sha256: sealed,
        added: when,
        copy_of: Some(original.id.clone()),
        alteration: Some(Alteration {
            kind: AlterationKind::Redaction,
            note: note.into(),
            by: build.member.clone(),
            at: when,
            tool: tool.into(),
        }),
        ..original.clone()
    };
    (own, file)
}

impl Town {
    pub fn write(&self, dir: &Path) {
        let mut original = |item: &ItemFile| -> std::io::Result<Box<dyn Read>> {
            Ok(Box::new(std::io::Cursor::new(self.clips[item.id.as_str()].clone())))
        };
        write(dir, &self.contents, &mut original).unwrap();
    }
}

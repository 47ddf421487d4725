//! The court bundle: fetched, decrypted, written, and checked before it is handed out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use canvass_core::{
    cases::{ExportManifest, ItemView},
    custody::CustodyView,
    inbox::OfferView,
};
use canvass_types::{CaseId, MemberId, MemberView, OfferId};
use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    cases::unpack,
    desk::{Desk, path},
    inbox::{BESIDE, beside},
};
use crate::{
    common::{Context, Failure, count, exists, read_limited},
    package::{
        self, CaseFile, Contents, DestinationFile, ItemFile, LedgerFiles, LedgerProof, OfferFile, Person,
        ReceiptFile, SignedBody,
    },
};

/// Largest consent, in bytes.
const MOST_CONSENT: u64 = 1024 * 1024;

/// What to export.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Which case
    case: CaseId,
    /// Why, 10 to 500 characters; kept with the record and in the bundle
    #[arg(long)]
    purpose: String,
    /// A new folder for the bundle
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// What the desk answers.
#[derive(Debug, Deserialize)]
struct Answer {
    manifest: ExportManifest,
    requests_checkpoint: String,
    oversight_checkpoint: String,
    proofs: Vec<LedgerProof>,
    keys: Value,
}

/// Exports a case.
pub async fn run(args: ExportArgs, context: &Context) -> Result<(), Failure> {
    let desk = Desk::new(context)?;
    if exists(&args.out) {
        return Err(Failure::usage(format!(
            "{}: it exists already; choose a new folder",
            args.out.display()
        )));
    }
    let answer: Answer =
        desk.http.get_for(&path(&format!("/cases/{}/export", args.case), &[]), &args.purpose).await?;
    let people: Vec<MemberView> =
        desk.all("/members", &[("agency", Some(answer.manifest.agency.id.to_string()))]).await?;
    let work = beside(&args.out, ".work");
    std::fs::create_dir(&work).map_err(|error| {
        Failure::from(error)
            .context(format!("{}: delete it if an earlier export was interrupted", work.display()))
    })?;
    let result = assemble(&desk, &args, answer, &people, &work).await;
    let _ = std::fs::remove_dir_all(&work);
    let written = result?;
    let report = tokio::task::block_in_place(|| package::verify(&args.out));
    let mut lines = vec![format!(
        "{}: {}, {} bytes; SHA-256 of its tag manifest {}",
        args.out.display(),
        count(written.files, "file", "files"),
        written.bytes,
        written.digest
    )];
    lines.extend(report.to_string().lines().map(str::to_owned));
    desk.show(&json!({ "out": args.out, "written": written, "report": report }), &lines)?;
    if report.is_sound() { Ok(()) } else { Err(Failure::defects(report.defects.len())) }
}

async fn assemble(
    desk: &Desk<'_>,
    args: &ExportArgs,
    answer: Answer,
    people: &[MemberView],
    work: &Path,
) -> Result<package::Written, Failure> {
    let mut files: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut consents: BTreeMap<OfferId, Vec<u8>> = BTreeMap::new();
    for exported in answer.manifest.items.iter().filter(|exported| exported.item.destroyed.is_none()) {
        let item = &exported.item;
        desk.context.console().note(format!("{}: {}", item.id, super::desk::plain(&item.name)));
        let folder = work.join(item.id.as_str());
        unpack(desk, item, &args.purpose, &folder).await?;
        let consent = read_limited(&folder.join(BESIDE).join("consent.json"), MOST_CONSENT)?;
        let known = consents.entry(item.offer.clone()).or_insert_with(|| consent.clone());
        if *known != consent {
            return Err(Failure::new(format!(
                "{}: two items of this offer hold different consents; open the offer again and tell an administrator",
                item.offer
            )));
        }
        files.insert(item.id.to_string(), folder.join(&item.name));
    }
    let contents = contents(args, answer, people, consents)?;
    let mut original = |item: &ItemFile| -> std::io::Result<Box<dyn std::io::Read>> {
        let file = files.get(item.id.as_str()).ok_or_else(|| std::io::Error::other("it was not fetched"))?;
        Ok(Box::new(std::fs::File::open(file)?))
    };
    Ok(tokio::task::block_in_place(|| package::write(&args.out, &contents, &mut original))?)
}

fn item_file(item: &ItemView) -> ItemFile {
    ItemFile {
        id: item.id.clone(),
        offer: item.offer.clone(),
        clip: item.clip,
        name: item.name.clone(),
        bytes: item.bytes,
        sha256: item.sha256,
        sealed_sha256: item.sealed_sha256,
        destination: item.destination.clone(),
        added: item.added,
        destroyed: item.destroyed,
        custody: item.custody,
    }
}

fn offer_file(offer: &OfferView) -> OfferFile {
    OfferFile {
        id: offer.id.clone(),
        destination: offer.destination.clone(),
        state: offer.state,
        received: offer.received,
        envelope_sha256: offer.envelope_sha256,
        envelope_bytes: offer.envelope_bytes,
        custody: offer.custody,
    }
}

/// Names of the members who did something that the bundle tells of; no others.
fn people(manifest: &ExportManifest, all: &[MemberView]) -> Vec<Person> {
    let events = manifest.items.iter().flat_map(|item| &item.custody);
    let events = events.chain(manifest.offers.iter().flat_map(|offer| &offer.custody));
    let mut ids: BTreeSet<&MemberId> = events.filter_map(|event| event.by.as_ref()).collect();
    ids.extend(manifest.audit.iter().filter_map(|record| record.body.actor.as_ref()));
    ids.extend(manifest.holds.iter().map(|hold| &hold.by));
    ids.insert(&manifest.by);
    let named = all.iter().filter(|member| ids.contains(&member.id));
    named.map(|member| Person { id: member.id.clone(), name: member.name.clone() }).collect()
}

/// What the desk answered, in the form of a bundle.
fn contents(
    args: &ExportArgs,
    answer: Answer,
    members: &[MemberView],
    consents: BTreeMap<OfferId, Vec<u8>>,
) -> Result<Contents, Failure> {
    let manifest = answer.manifest;
    let case = CaseFile {
        v: 1,
        made_with: concat!("canvass ", env!("CARGO_PKG_VERSION")).to_owned(),
        case: manifest.case.id.clone(),
        title: manifest.case.title.clone(),
        code: manifest.case.code.clone(),
        opened: manifest.case.opened,
        closed: manifest.case.closed,
        agency: manifest.agency.clone(),
        purpose: args.purpose.trim().to_owned(),
        exported: manifest.at,
        exported_by: manifest.by.clone(),
        items: manifest.items.iter().map(|each| item_file(&each.item)).collect(),
        offers: manifest.offers.iter().map(|each| offer_file(&each.offer)).collect(),
        destinations: manifest.destinations.iter().map(|each| each.id.clone()).collect(),
        holds: manifest.holds.clone(),
        people: people(&manifest, members),
    };
    let mut destinations = Vec::new();
    for each in manifest.destinations {
        let signed = each.request.map(SignedBody::Request).or_else(|| each.portal.map(SignedBody::Portal));
        let signed = signed.ok_or_else(|| Failure::new(format!("{}: the case joins a request that is not signed yet; part with it by `canvass case change --remove`", each.id)))?;
        destinations.push(DestinationFile { signed, decision: each.decision, leaves: each.leaves });
    }
    let items = manifest.items.into_iter().map(|each| CustodyView {
        subject: each.item.id.to_string(),
        head: each.item.custody,
        events: each.custody,
    });
    let mut custody: Vec<CustodyView> = items.collect();
    let mut receipts = Vec::new();
    for each in manifest.offers {
        let offer = each.offer;
        custody.push(CustodyView {
            subject: offer.id.to_string(),
            head: offer.custody,
            events: each.custody,
        });
        receipts.push(ReceiptFile {
            offer: offer.id,
            record: each.receipt.record,
            salt: each.receipt.salt,
            leaf: each.receipt.leaf,
        });
    }
    Ok(Contents {
        case,
        destinations,
        consents: consents.into_iter().collect(),
        custody,
        receipts,
        audit: manifest.audit,
        policy: manifest.policy,
        ledger: LedgerFiles {
            requests_checkpoint: answer.requests_checkpoint,
            oversight_checkpoint: answer.oversight_checkpoint,
            proofs: answer.proofs,
            keys: answer.keys,
        },
    })
}

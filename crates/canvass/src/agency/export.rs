//! The court bundle: fetched, decrypted, written, and checked before it is handed out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use canvass_package::{self as package, Contents, CourtExport, ItemFile};
use canvass_types::{CaseId, MemberView, OfferId};
use clap::Args;
use serde_json::json;

use super::{
    cases::unpack,
    desk::{Desk, Why, path, purpose},
    inbox::{BESIDE, beside},
};
use crate::common::{Context, Failure, count, exists, read_limited};

/// Largest consent, in bytes.
const MOST_CONSENT: u64 = 1024 * 1024;

/// What to export.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Which case
    case: CaseId,
    #[command(flatten)]
    why: Why,
    /// A new folder for the bundle
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
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
    let answer: CourtExport = desk
        .http
        .get_for(
            &path(&format!("/cases/{}/export", args.case), &[]),
            purpose(&args.why.purpose("disclosure"))?,
        )
        .await?;
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
    answer: CourtExport,
    people: &[MemberView],
    work: &Path,
) -> Result<package::Written, Failure> {
    let mut files: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut consents: BTreeMap<OfferId, Vec<u8>> = BTreeMap::new();
    for exported in answer.manifest.items.iter().filter(|exported| exported.item.destroyed.is_none()) {
        let item = &exported.item;
        desk.context.console().note(format!("{}: {}", item.id, super::desk::plain(&item.name)));
        let folder = work.join(item.id.as_str());
        unpack(desk, item, &args.why.purpose("disclosure"), &folder).await?;
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
    let contents = Contents::of(answer, people, consents.into_iter().collect())?;
    let mut original = |item: &ItemFile| -> std::io::Result<Box<dyn std::io::Read>> {
        let file = files.get(item.id.as_str()).ok_or_else(|| std::io::Error::other("it was not fetched"))?;
        Ok(Box::new(std::fs::File::open(file)?))
    };
    Ok(tokio::task::block_in_place(|| package::write(&args.out, &contents, &mut original))?)
}

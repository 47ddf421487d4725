//! Altered copies of items: sealed on this side like the original, and never in its place.

use std::path::PathBuf;

use canvass_core::{cases::ItemView, keys::KeyView, records::AlterationKind};
use canvass_seal::envelope::{ClipSource, SealPlan, seal};
use canvass_types::ItemId;
use clap::Args;
use serde_json::json;

use super::{
    cases::{item_line, unpack},
    desk::{Desk, Why, word},
    inbox::meta,
    transfer,
};
use crate::common::{Failure, day, hash_file};

/// A copy that is to be added.
#[derive(Debug, Args)]
pub struct CopyArgs {
    /// Of which item
    item: ItemId,
    /// The altered recording; its file name must differ from the original's
    file: PathBuf,
    /// redaction or transcode
    #[arg(long, default_value = "redaction", value_parser = word::<AlterationKind>)]
    kind: AlterationKind,
    /// What was altered and why, 3 to 500 characters
    #[arg(long)]
    note: String,
    /// Program and version that altered it
    #[arg(long, default_value = "not told")]
    tool: String,
    #[command(flatten)]
    why: Why,
}

/// Seals a copy with the consent of its original, and adds it to the case.
pub async fn copy(desk: &Desk<'_>, args: CopyArgs) -> Result<(), Failure> {
    let (sha256, bytes) = hash_file(&args.file)?;
    let name = args.file.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Failure::usage("the file has no name that can be written"))?.to_owned();
    let original: ItemView = desk.get(&format!("/items/{}", args.item)).await?;
    if sha256 == original.sha256 {
        return Err(Failure::usage("the file is the original, byte for byte; give the altered recording"));
    }
    let key: KeyView = desk.get(&format!("/keys/{}", original.destination)).await?;
    let beside = args.file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let work = tempfile::tempdir_in(beside.unwrap_or_else(|| std::path::Path::new(".")))?;
    let opened = work.path().join("original");
    unpack(desk, &original, &args.why.purpose("case-work"), &opened).await?;
    let sealed = tempfile::NamedTempFile::new_in(work.path())?;
    let plan = SealPlan {
        recipients: vec![key.recipient],
        meta: meta(&opened)?,
        clips: vec![ClipSource {
            name: name.clone(),
            size: bytes,
            reader: Box::new(std::fs::File::open(&args.file)?),
        }],
        bagging_date: desk.context.now().day(),
        mtime: day(),
        software_agent: concat!("canvass ", env!("CARGO_PKG_VERSION")).to_owned(),
        external_identifier: Some(format!("{} of {}", args.kind.as_str(), original.id)),
        hash_ciphertext: false,
    };
    let mut out = sealed.as_file();
    tokio::task::block_in_place(|| seal(plan, &mut out, |_| {}))?;
    sealed.as_file().sync_all()?;
    let upload = transfer::upload(desk, sealed.path()).await?;
    let body = json!({
        "upload": upload, "kind": args.kind, "note": args.note, "tool": args.tool, "name": name,
        "sha256": sha256, "bytes": bytes,
    });
    let item: ItemView = desk.post(&format!("/items/{}/copies", args.item), &body).await?;
    desk.show(&item, &[item_line(&item)])
}

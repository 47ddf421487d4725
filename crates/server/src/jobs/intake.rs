//! Takes finished uploads and messages out of the write-only spool into the domain.
//!
//! ```text
//! spool/done/<id> ─ adopt (a further link, flushed) ─► blobs ─ App::receive ─► offer ─ take ─► the spool forgets it
//! ```
//! A crash between any two steps leaves the upload in the spool; the next round repeats them, and each finds what it
//! did before: the blob's name is derived from the upload, and the offer is looked up by the upload.

use canvass_core::{CoreError, intake::ReceivedUpload, ports::StoreError, publishing::OfferStatus};
use canvass_seal::offer::{OfferKey, SignedMessage, verify_message};
use canvass_types::{Digest, PublicKey, QuestionId, Time};

use super::{JobError, Round};
use crate::{
    desk::Desk,
    files,
    public::{
        OfferMetadata,
        spool::{DoneUpload, Message, MessageKind},
    },
};

/// Uploads or messages of one round.
const BATCH: usize = 32;

/// One batch of uploads and one of messages.
///
/// # Errors
/// The store's; nothing is lost, the next round repeats it.
pub async fn round(desk: &Desk) -> Result<Round, JobError> {
    let spool = desk.spool.clone();
    let read = tokio::task::spawn_blocking(move || (spool.done(BATCH), spool.messages(BATCH)));
    let Ok((uploads, messages)) = read.await else { return Ok(Round::Rest) };
    let (uploads, messages) = (uploads?, messages?);
    desk.metrics.queue("uploads", uploads.len());
    desk.metrics.queue("messages", messages.len());
    let full = uploads.len() == BATCH || messages.len() == BATCH;
    let any = !uploads.is_empty() || !messages.is_empty();
    // One that fails keeps nobody else waiting; it stays in the spool for the next round.
    let mut failed = None;
    for upload in uploads {
        failed = take_upload(desk, &upload).await.err().or(failed);
    }
    for waiting in messages {
        match take_message(desk, &waiting.message).await {
            Ok(()) => drop_message(desk.spool.clone(), waiting.id).await?,
            Err(error) => failed = Some(error),
        }
    }
    if any {
        desk.changed.notify_one();
        desk.grown.notify_one();
    }
    match failed {
        Some(error) => Err(error),
        None => Ok(if full { Round::Again } else { Round::Rest }),
    }
}

async fn drop_message(
    spool: crate::public::spool::Spool,
    id: crate::public::spool::UploadId,
) -> Result<(), JobError> {
    tokio::task::spawn_blocking(move || spool.drop_message(&id)).await.unwrap_or(Ok(()))?;
    Ok(())
}

/// Whether an error means that a repeat can succeed.
fn passes(error: &CoreError) -> bool {
    matches!(
        error,
        CoreError::Store(
            StoreError::Conflict { .. }
                | StoreError::Unavailable(_)
                | StoreError::Full
                | StoreError::Corrupt { .. }
        )
    )
}

async fn take_upload(desk: &Desk, upload: &DoneUpload) -> Result<(), JobError> {
    let Ok(said) = OfferMetadata::parse(&upload.info.metadata) else {
        return forget(desk, upload).await;
    };
    let (Ok(key), Ok(public)) = (OfferKey::from_bytes(&said.offer_key), public_key(&said.offer_key)) else {
        return forget(desk, upload).await;
    };
    let lookup = key.lookup();
    let sealed = desk.blobs.adopt_file(&upload.path, upload.id.as_str()).await?;
    let blob = sealed.blob.clone();
    let received = desk.app.receive(ReceivedUpload {
        upload: upload.id.as_str().to_owned(),
        destination: said.destination,
        offer_key: public,
        lookup: lookup.clone(),
        invitation: said.invitation,
        begun: Time::new(upload.info.created),
        sealed,
    });
    match received.await {
        Ok(_) => {}
        Err(error) if passes(&error) => return Err(error.into()),
        Err(error) => {
            desk.blobs.delete(&blob).await?;
            refuse(desk, &lookup, &error).await?;
        }
    }
    forget(desk, upload).await
}

fn public_key(bytes: &[u8; 32]) -> Result<PublicKey, canvass_types::EncodingError> {
    data_encoding::BASE64.encode(bytes).parse()
}

/// Tells the resident why an upload can't be taken. A status that exists belongs to an offer and stays.
async fn refuse(desk: &Desk, lookup: &str, error: &CoreError) -> Result<(), JobError> {
    if desk.app.offer_key(lookup).await?.is_some() {
        return Ok(());
    }
    let reason = match error {
        CoreError::Denied(_) | CoreError::SignIn => "the upload can't be taken".to_owned(),
        other => other.to_string(),
    };
    let status = OfferStatus::refused(lookup, reason, desk.app.now());
    files::write_json(desk.public(&format!("offers/{lookup}.json")), &status).await?;
    tracing::info!("an upload was refused and destroyed");
    Ok(())
}

async fn forget(desk: &Desk, upload: &DoneUpload) -> Result<(), JobError> {
    let (spool, id) = (desk.spool.clone(), upload.id.clone());
    tokio::task::spawn_blocking(move || spool.take(&id)).await.unwrap_or(Ok(()))?;
    Ok(())
}

/// Carries a resident's message out. One that is not theirs, or that no longer fits, changes nothing.
async fn take_message(desk: &Desk, message: &Message) -> Result<(), JobError> {
    let Some(key) = desk.app.offer_key(&message.lookup).await? else { return Ok(()) };
    let kind = match message.kind {
        MessageKind::Answer => "answer",
        MessageKind::Withdraw => "withdraw",
    };
    let signed = SignedMessage {
        lookup: message.lookup.clone(),
        offer_key: message.offer_key.clone(),
        kind: kind.to_owned(),
        at: message.at.clone(),
        body_sha256: Digest::of(message.body.as_bytes()).to_string(),
        signature: message.signature.clone(),
    };
    match verify_message(&signed, message.body.as_bytes()) {
        Ok(signer) if signer.to_bytes() == *key.as_bytes() => {}
        _ => {
            tracing::info!("a message without a sound signature was dropped");
            return Ok(());
        }
    }
    let done = match message.kind {
        MessageKind::Withdraw => desk.app.withdraw(&message.lookup).await.map(drop),
        MessageKind::Answer => answer(desk, message).await,
    };
    match done {
        Err(error) if passes(&error) => Err(error.into()),
        _ => Ok(()),
    }
}

/// An answer's body names its question in the first line, for the signature covers the body alone:
/// `question: qst_…`, a line end, and the armoured text.
async fn answer(desk: &Desk, message: &Message) -> Result<(), CoreError> {
    let Some((first, sealed)) = message.body.split_once('\n') else { return Ok(()) };
    let id = first.trim().strip_prefix("question:").and_then(|id| id.trim().parse::<QuestionId>().ok());
    let Some(id) = id else { return Ok(()) };
    desk.app.answer(&message.lookup, &id, sealed).await
}

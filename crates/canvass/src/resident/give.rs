//! `canvass give` and `canvass receipt`: the envelope goes, and a receipt that can be checked by anyone comes back.

use std::path::PathBuf;
use std::time::Duration;

use canvass_core::publishing::OfferStatus;
use canvass_ledger::Proof;
use canvass_seal::receipt::SignedReceipt;
use canvass_types::leaf::Log;
use clap::Args;
use serde_json::json;

use super::files::{Files, OfferFile};
use super::requests::plain;
use super::upload::upload;
use crate::common::{Context, Failure, Http, Server, exists, hash_file, write_public, write_secret};
use crate::verify::ledgers::{Ledgers, Pins, memory_path};
use crate::verify::receipt::check;
use crate::verify::source::Public;

/// Seconds that a receipt is waited for.
pub const DEFAULT_WAIT: u64 = 120;
/// Largest status file that is read, in bytes.
pub const MAX_STATUS: u64 = 4 * 1024 * 1024;

/// Send a sealed envelope, going on where it stood, and fetch the receipt
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  canvass give porch
  canvass give porch.age --invitation cvi_…

Interrupted? Run the same command again.")]
pub struct Give {
    /// Name of the offer, or its envelope
    #[arg(value_name = "NAME|ENVELOPE")]
    name: PathBuf,
    /// The invitation that this answers
    #[arg(long, value_name = "SECRET")]
    invitation: Option<String>,
    /// Seconds to wait for the receipt
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_WAIT)]
    wait: u64,
}

/// Fetch and check the receipt of an offer that was sent
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  canvass receipt porch --wait 600")]
pub struct FetchReceipt {
    /// Name of the offer
    #[arg(value_name = "NAME")]
    name: PathBuf,
    /// Seconds to wait for it
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_WAIT)]
    wait: u64,
}

/// Runs `give`.
///
/// # Errors
/// It isn't there yet; run it again.
pub async fn give(command: Give, context: &Context) -> Result<(), Failure> {
    send(&Files::of(&command.name), command.invitation, command.wait, context).await
}

/// Runs `receipt`.
///
/// # Errors
/// There is none yet, or it does not hold.
pub async fn receipt(command: FetchReceipt, context: &Context) -> Result<(), Failure> {
    let files = Files::of(&command.name);
    let mut offer = files.read_offer()?;
    if offer.sha256.is_none() {
        whole(&files, &mut offer).await?;
    }
    fetch(&files, &offer, command.wait, context).await
}

/// The offer's server, which is where it was sealed for.
///
/// # Errors
/// The offer file names none.
pub fn server(offer: &OfferFile) -> Result<Http, Failure> {
    Http::new(Server::parse(&offer.server)?, None)
}

/// Sends an envelope and waits for its receipt.
///
/// # Errors
/// See [`give`].
pub async fn send(
    files: &Files,
    invitation: Option<String>,
    wait: u64,
    context: &Context,
) -> Result<(), Failure> {
    let mut offer = files.read_offer()?;
    if exists(&files.receipt()) {
        context.console().line(format!("It was given before; the receipt is {}.", files.receipt().display()));
        return context.console().result(&json!({"given": true, "receipt": files.receipt()}));
    }
    let begun = files.read_upload()?;
    if begun.is_none() || offer.sha256.is_none() {
        whole(files, &mut offer).await?;
    }
    // The keys must be those known before anything is sent.
    let ledgers = open(&offer, context).await?;
    let http = server(&offer)?;
    let invitation = invitation.or(begun.and_then(|upload| upload.invitation));
    upload(&http, files, &offer, invitation.as_deref(), context.console()).await?;
    context.console().note("The envelope is with the server, sealed. Waiting for the receipt.");
    wait_for(files, &offer, ledgers, wait, context).await
}

/// Reads the envelope through: the first time its digest is kept for the receipt, later it must be the same.
async fn whole(files: &Files, offer: &mut OfferFile) -> Result<(), Failure> {
    let path = files.envelope();
    let (digest, bytes) = tokio::task::spawn_blocking(move || hash_file(&path)).await??;
    if bytes == offer.bytes && offer.sha256.is_none_or(|known| known == digest) {
        if offer.sha256.replace(digest).is_none() {
            files.write_offer(offer)?;
        }
        return Ok(());
    }
    Err(Failure::new(format!(
        "{}: it is not the envelope that was sealed; seal again",
        files.envelope().display()
    )))
}

async fn open(offer: &OfferFile, context: &Context) -> Result<Ledgers, Failure> {
    let public = Public::Http(server(offer)?);
    let memory = memory_path(context, &public)?;
    Ledgers::open(public, &Pins::default(), memory).await
}

async fn fetch(files: &Files, offer: &OfferFile, wait: u64, context: &Context) -> Result<(), Failure> {
    let ledgers = open(offer, context).await?;
    wait_for(files, offer, ledgers, wait, context).await
}

/// Reads what the server publishes about an offer; nothing while it is not taken in yet.
///
/// # Errors
/// It isn't understood, or is of another offer.
pub async fn status(http: &Http, offer: &OfferFile) -> Result<Option<OfferStatus>, Failure> {
    let lookup = offer.lookup()?;
    let path = format!("/offers/{lookup}.json");
    let Some(bytes) = http.get_optional(&path, MAX_STATUS).await? else { return Ok(None) };
    let status: OfferStatus = serde_json::from_slice(&bytes).map_err(|error| {
        Failure::new(format!("the offer's status isn't understood ({error}); use a newer canvass"))
    })?;
    if status.lookup == lookup {
        return Ok(Some(status));
    }
    Err(Failure::new("the server shows the status of another offer; tell its operator"))
}

async fn wait_for(
    files: &Files,
    offer: &OfferFile,
    mut ledgers: Ledgers,
    wait: u64,
    context: &Context,
) -> Result<(), Failure> {
    let http = server(offer)?;
    let begun = context.now().as_second();
    let mut pause = 1;
    loop {
        if let Some(status) = status(&http, offer).await? {
            if status.state == "refused" {
                let why = status.reason.unwrap_or_else(|| "no reason was given".into());
                return Err(Failure::new(format!("the offer was refused and is destroyed: {}", plain(&why))));
            }
            if let Some(value) = status.receipt {
                let receipt = SignedReceipt::try_from(value)?;
                verify(&receipt, offer, &mut ledgers).await?;
                return keep(files, &receipt, &ledgers, context);
            }
        }
        let waited = context.now().as_second().saturating_sub(begun);
        if waited >= i64::try_from(wait).unwrap_or(i64::MAX) {
            return Err(Failure::new(format!(
                "no receipt yet; the envelope stays with the server. Fetch it later: canvass receipt {}",
                files.name()
            )));
        }
        tokio::time::sleep(Duration::from_secs(pause)).await;
        pause = (pause + 1).min(15);
    }
}

// The receipt is for this envelope and this destination, and its entry is in the ledger that everybody sees.
async fn verify(receipt: &SignedReceipt, offer: &OfferFile, ledgers: &mut Ledgers) -> Result<(), Failure> {
    check(receipt, &ledgers.keys)?;
    let told = &receipt.receipt;
    let ours = told.lookup == offer.lookup()?
        && offer.sha256.is_some_and(|known| told.ciphertext_sha256 == known.to_string())
        && told.ciphertext_len == offer.bytes
        && told.destination_id == offer.destination
        && told.destination_digest == offer.destination_digest.to_string();
    if !ours {
        return Err(Failure::new(
            "the receipt is of another envelope or destination; keep the envelope and tell an overseer",
        ));
    }
    let head = ledgers.head(Log::Oversight).await?.signed.checkpoint;
    ledgers.save()?;
    let shown = Proof::parse(told.proof.as_bytes())?.checkpoint.checkpoint;
    ledgers.lies_on_the_line(Log::Oversight, &head, &shown).await
}

fn keep(files: &Files, receipt: &SignedReceipt, ledgers: &Ledgers, context: &Context) -> Result<(), Failure> {
    write_public(&files.keys(), &serde_json::to_vec_pretty(&ledgers.keys)?)?;
    write_secret(&files.receipt(), &serde_json::to_vec_pretty(receipt)?)?;
    let (console, told) = (context.console(), &receipt.receipt);
    console.line(format!(
        "Given and received at {}. The receipt is in the ledger and checked.",
        told.received_at
    ));
    console.line(format!("  {}", files.receipt().display()));
    console.line(format!("Follow it: canvass offer status --offer {}", files.offer().display()));
    console.result(&json!({"given": true, "received": told.received_at, "offer": told.offer, "receipt": files.receipt()}))
}

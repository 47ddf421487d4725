//! Sending an envelope with tus 1.0: in parts with a checksum each, going on where it stood whoever was interrupted.

use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use reqwest::header::HeaderMap;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::files::{Files, OfferFile, UploadFile};
use crate::common::{Console, Failure, Http, HttpError, Progress};

/// Bytes of one part: what is lost at most when a connection breaks, and what is held in memory.
const PART: u64 = 8 * 1024 * 1024;
/// Tries in a row that bring nothing forward, before giving up for now.
const MAX_STALLS: u32 = 12;
/// Longest pause between two tries.
const MAX_PAUSE: Duration = Duration::from_secs(30);
/// How often an upload that the server no longer knows is begun anew.
const MAX_STARTS: u32 = 3;
const TUS: (&str, &str) = ("tus-resumable", "1.0.0");

enum Stand {
    /// The server holds so many bytes.
    At(u64),
    /// The server does not know it (any more).
    Gone,
}

enum Step {
    Forward(u64),
    Gone,
    Again(HttpError),
}

/// Sends the envelope whole.
///
/// # Errors
/// The server refuses it, or it could not be brought there now; run the same command again to go on.
pub async fn upload(
    http: &Http,
    files: &Files,
    offer: &OfferFile,
    invitation: Option<&str>,
    console: Console,
) -> Result<(), Failure> {
    let bar = Progress::bytes("sending", offer.bytes);
    let mut starts = 0;
    loop {
        let state = match files.read_upload()? {
            Some(state) if state.complete => return Ok(()),
            Some(state) => state,
            None => {
                starts += 1;
                if starts > MAX_STARTS {
                    return Err(Failure::new("the server loses the upload again and again; try again later"));
                }
                create(http, files, offer, invitation).await?
            }
        };
        if send(http, files, &state, offer, &bar).await? {
            bar.done();
            files.write_upload(&UploadFile { complete: true, ..state })?;
            return Ok(());
        }
        // It may be gone because it arrived: then its status says so, and another upload would be wrong.
        if arrived(http, offer).await? {
            return files.write_upload(&UploadFile { complete: true, ..state });
        }
        console.note("The upload has expired on the server; it starts again from the beginning.");
        std::fs::remove_file(files.upload())?;
    }
}

async fn arrived(http: &Http, offer: &OfferFile) -> Result<bool, Failure> {
    let path = format!("/offers/{}.json", offer.lookup()?);
    for _ in 0..5 {
        if http.get_optional(&path, 1024 * 1024).await?.is_some() {
            return Ok(true);
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    Ok(false)
}

fn pair(name: &str, value: &str) -> String {
    format!("{name} {}", STANDARD.encode(value))
}

async fn create(
    http: &Http,
    files: &Files,
    offer: &OfferFile,
    invitation: Option<&str>,
) -> Result<UploadFile, Failure> {
    let key = offer.secret()?.public_key()?.text();
    let mut metadata = vec![pair("destination", &offer.destination), pair("offer_key", &key)];
    metadata.extend(invitation.map(|invitation| pair("invitation", invitation)));
    let request = http
        .request(Method::POST, "/uploads")
        .header(TUS.0, TUS.1)
        .header("upload-length", offer.bytes)
        .header("upload-metadata", metadata.join(","));
    let response = http.send(request).await?;
    let location =
        response.headers().get("location").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let location = own(http, location)?;
    let state = UploadFile { v: 1, location, complete: false, invitation: invitation.map(Into::into) };
    files.write_upload(&state)?;
    Ok(state)
}

// An address of the same server: a sealed envelope is sent nowhere else.
fn own(http: &Http, location: &str) -> Result<String, Failure> {
    let base = format!("{}/", http.server().as_str());
    let whole = if location.starts_with('/') && !location.starts_with("//") {
        http.url(location)
    } else {
        location.to_owned()
    };
    if whole.starts_with(&base) {
        return Ok(whole);
    }
    Err(Failure::new(
        "the server's answer names another server for the upload; nothing was sent, tell its operator",
    ))
}

async fn stand(http: &Http, location: &str) -> Result<Stand, HttpError> {
    let request = http.request(Method::HEAD, location).header(TUS.0, TUS.1);
    match http.send(request).await {
        Ok(response) => match offset(response.headers()) {
            Some(offset) => Ok(Stand::At(offset)),
            None => Err(HttpError::Strange { path: "/uploads".into(), reason: "no Upload-Offset".into() }),
        },
        Err(error) if matches!(error.status().map(|s| s.as_u16()), Some(404 | 410)) => Ok(Stand::Gone),
        Err(error) => Err(error),
    }
}

fn offset(headers: &HeaderMap) -> Option<u64> {
    headers.get("upload-offset")?.to_str().ok()?.parse().ok()
}

// Whether a refusal may be another moment's yes: busy, slow, at another offset, a broken part, locked.
fn passing(error: &HttpError) -> bool {
    match error {
        HttpError::Refused(refused) => {
            matches!(refused.status.as_u16(), 400 | 408 | 409 | 423 | 429 | 460 | 502..=504)
        }
        _ => true,
    }
}

/// Gives whether the server has all of it; not when the server no longer knows the upload.
async fn send(
    http: &Http,
    files: &Files,
    state: &UploadFile,
    offer: &OfferFile,
    bar: &Progress,
) -> Result<bool, Failure> {
    let location = own(http, &state.location)?;
    let (mut stalls, mut at) = (0_u32, None);
    loop {
        let step = match at {
            Some(at) if at == offer.bytes => return Ok(true),
            Some(at) if at > offer.bytes => {
                return Err(Failure::new(
                    "the server holds more bytes than the envelope has; tell its operator",
                ));
            }
            Some(at) => part(http, &location, &files.envelope(), at, offer.bytes).await?,
            None => match stand(http, &location).await {
                Ok(Stand::At(found)) => {
                    bar.set(found);
                    at = Some(found);
                    continue;
                }
                Ok(Stand::Gone) => Step::Gone,
                Err(error) => Step::Again(error),
            },
        };
        match step {
            Step::Forward(now) => {
                stalls = 0;
                bar.set(now);
                at = Some(now);
            }
            Step::Gone => return Ok(false),
            Step::Again(error) => {
                stalls += 1;
                if stalls > MAX_STALLS || !passing(&error) {
                    let again = format!("run `canvass give {}` again to go on from there", files.name());
                    return Err(Failure::from(error).context(format!("not sent whole yet; {again}")));
                }
                at = None;
                tokio::time::sleep(Duration::from_millis(250 << stalls.min(7)).min(MAX_PAUSE)).await;
            }
        }
    }
}

async fn part(http: &Http, location: &str, envelope: &Path, at: u64, total: u64) -> Result<Step, Failure> {
    let bytes = read_part(envelope, at, PART.min(total.saturating_sub(at))).await?;
    let next = at.saturating_add(u64::try_from(bytes.len()).unwrap_or_default());
    let request = http
        .request(Method::PATCH, location)
        .header(TUS.0, TUS.1)
        .header("content-type", "application/offset+octet-stream")
        .header("upload-offset", at)
        .header("upload-checksum", format!("sha256 {}", STANDARD.encode(Sha256::digest(&bytes))))
        .body(bytes);
    Ok(match http.send(request).await {
        Ok(response) => Step::Forward(offset(response.headers()).unwrap_or(next)),
        Err(error) if matches!(error.status().map(|s| s.as_u16()), Some(404 | 410)) => Step::Gone,
        Err(error) => Step::Again(error),
    })
}

async fn read_part(envelope: &Path, at: u64, length: u64) -> Result<Vec<u8>, Failure> {
    let wrong = |error: std::io::Error| Failure::from(error).context(envelope.display());
    let mut file = tokio::fs::File::open(envelope).await.map_err(wrong)?;
    file.seek(std::io::SeekFrom::Start(at)).await.map_err(wrong)?;
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    file.take(length).read_to_end(&mut bytes).await.map_err(wrong)?;
    if u64::try_from(bytes.len()).unwrap_or_default() == length {
        return Ok(bytes);
    }
    Err(Failure::new(format!("{}: it is shorter than when it was sealed; seal again", envelope.display())))
}

//! Moving sealed bytes: downloads that go on where they broke off, uploads by tus 1.0.

use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use canvass_types::{Digest, Purpose};
use futures_util::StreamExt as _;
use reqwest::{Method, StatusCode};

use super::desk::{Desk, path, purpose};
use crate::common::{Failure, HttpError, Progress, hash_file};

/// Tries of a transfer that makes no progress.
const TRIES: u32 = 5;
/// Bytes of one part of an upload.
const PART: usize = 8 * 1024 * 1024;

/// Downloads sealed bytes into a file and checks them. A file that is there already is gone on with; once it is whole
/// and wrong it is removed.
pub async fn download(
    desk: &Desk<'_>,
    base: &str,
    why: &Purpose,
    to: &Path,
    bytes: u64,
    sha256: Digest,
) -> Result<(), Failure> {
    let why = purpose(why)?;
    let bar = Progress::bytes("download", bytes);
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(to)
        .map_err(|error| Failure::from(error).context(to.display()))?;
    let mut tries = 0;
    loop {
        let have = file.metadata()?.len();
        if have >= bytes {
            break;
        }
        let mut request =
            desk.http.request(Method::GET, &path(base, &[])).header("canvass-purpose", why.clone());
        if have > 0 {
            request = request.header("range", format!("bytes={have}-"));
        }
        let response = match desk.http.send(request).await {
            Ok(response) => response,
            Err(error @ HttpError::Silent { .. }) if tries < TRIES => {
                tries += 1;
                desk.context.console().note(format!("{error}; trying again"));
                tokio::time::sleep(std::time::Duration::from_secs(u64::from(tries))).await;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        if have > 0 && response.status() != StatusCode::PARTIAL_CONTENT {
            file.set_len(0)?;
        }
        let mut done = file.metadata()?.len();
        let before = done;
        let mut stream = response.bytes_stream();
        while let Some(Ok(part)) = stream.next().await {
            file.write_all(&part)?;
            done = done.saturating_add(part.len() as u64);
            bar.set(done);
            if done > bytes {
                break;
            }
        }
        tries = if done > before { 0 } else { tries + 1 };
        if tries >= TRIES {
            return Err(Failure::new(format!(
                "the download stopped at {done} of {bytes} bytes; run the command again to go on"
            )));
        }
    }
    file.sync_all()?;
    bar.done();
    let (found, length) = hash_file(to)?;
    if found != sha256 || length != bytes {
        std::fs::remove_file(to)?;
        return Err(Failure::new(format!(
            "what was downloaded has SHA-256 {found} and {sha256} is on record; it was removed, try again, and tell the operator if it differs again"
        )));
    }
    Ok(())
}

/// Uploads a sealed file by tus; gives the id of the finished upload.
pub async fn upload(desk: &Desk<'_>, from: &Path) -> Result<String, Failure> {
    let mut file = std::fs::File::open(from)?;
    let total = file.metadata()?.len();
    let create = desk
        .http
        .request(Method::POST, &path("/uploads", &[]))
        .header("tus-resumable", "1.0.0")
        .header("upload-length", total.to_string());
    let created = desk.http.send(create).await?;
    let location = created.headers().get("location").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let location =
        location.ok_or_else(|| Failure::new("the server gave the upload no address; is this a Canvass?"))?;
    let id = location.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
    let address = path(&format!("/uploads/{id}"), &[]);
    let bar = Progress::bytes("upload", total);
    let (mut offset, mut tries) = (0_u64, 0);
    while offset < total || total == 0 {
        file.seek(SeekFrom::Start(offset))?;
        let mut part = vec![0; PART];
        let n = read_full(&mut file, &mut part)?;
        part.truncate(n);
        let patch = desk
            .http
            .request(Method::PATCH, &address)
            .header("tus-resumable", "1.0.0")
            .header("upload-offset", offset.to_string())
            .header("content-type", "application/offset+octet-stream")
            .body(part);
        let answer = match desk.http.send(patch).await {
            Ok(answer) => answer,
            Err(error) if tries < TRIES => {
                tries += 1;
                desk.context.console().note(format!("{error}; going on"));
                tokio::time::sleep(std::time::Duration::from_secs(u64::from(tries))).await;
                let head = desk.http.request(Method::HEAD, &address).header("tus-resumable", "1.0.0");
                desk.http.send(head).await?
            }
            Err(error) => return Err(error.into()),
        };
        let told =
            answer.headers().get("upload-offset").and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        let told = told
            .filter(|told| *told <= total)
            .ok_or_else(|| Failure::new("the server lost the upload's place; run the command again"))?;
        if told > offset {
            tries = 0;
        }
        offset = told;
        bar.set(offset);
        if total == 0 {
            break;
        }
    }
    bar.done();
    Ok(id)
}

fn read_full(file: &mut std::fs::File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest)? {
            0 => break,
            n => filled = filled.saturating_add(n),
        }
    }
    Ok(filled)
}

//! Sealed bytes on their way out: only with a grant, whole or from a place on.

use std::ops::Range;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use canvass_core::{
    access::{Grant, ReadsEvidence},
    records::SealedBlob,
};
use canvass_store_objects::BlobError;
use futures_util::StreamExt as _;
use serde::Deserialize;
use utoipa::IntoParams;

use super::retried;
use crate::{desk::Desk, problem::Problem, refusal};

/// Headers of a reading of evidence.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct Headers {
    /// Why, as JSON: `{"class":"case-work","offence":"none","reason":"…"}`, with `case` and `warrant` where there are such.
    #[serde(rename = "Canvass-Purpose")]
    #[expect(dead_code, reason = "it is here for the documentation; the route has an extractor for it")]
    purpose: String,
    /// One range of bytes.
    #[serde(rename = "Range")]
    #[expect(dead_code, reason = "it is here for the documentation")]
    range: Option<String>,
}

/// One range (RFC 9110 section 14.1.2): `bytes=a-b`, `bytes=a-`, `bytes=-n`. Anything else asks for the whole.
fn range(headers: &HeaderMap, bytes: u64) -> Option<Range<u64>> {
    let text = headers.get(header::RANGE)?.to_str().ok()?.strip_prefix("bytes=")?.trim();
    let (first, last) = text.split_once('-')?;
    let number = |text: &str| -> Option<u64> {
        (text.len() <= 19 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
    };
    match (first, last) {
        ("", last) => Some(bytes.saturating_sub(number(last)?)..bytes),
        (first, "") => Some(number(first)?..bytes),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then(|| first..last.saturating_add(1).min(bytes))
        }
    }
}

/// Puts on record that sealed bytes are not those that were stored: in the chain of custody, and in the oversight ledger.
async fn note_broken(desk: Desk, subject: String, blob: SealedBlob) {
    let found = match desk.blobs.digest(&blob.blob).await {
        Ok(found) if found != blob.sha256 => found,
        // Whole again, or gone: `canvass check` tells which.
        _ => return tracing::error!("sealed bytes could not be read twice; run `canvass check`"),
    };
    match retried(|| desk.app.integrity_failed(&subject, &found)).await {
        Ok(()) => {
            tracing::error!("sealed bytes differ from their digest; it is on record; run `canvass check`");
            desk.changed.notify_one();
        }
        Err(_) => tracing::error!("sealed bytes differ from their digest, which could not be put on record"),
    }
}

/// Sends what the grant opens. The bytes are compared with their digest on the way; a stream that differs breaks off,
/// and that it did is put on record.
pub(super) async fn send<A: ReadsEvidence>(
    desk: &Desk,
    grant: &Grant<A>,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let blob = grant.blob().ok_or_else(|| refusal::broken("the grant names no sealed bytes"))?.clone();
    let range = range(headers, blob.bytes);
    // In a task of its own, for who reads may be gone before it is done.
    let note = {
        let (desk, subject, blob) = (desk.clone(), grant.record().subject.clone(), blob.clone());
        move || note_broken(desk.clone(), subject.clone(), blob.clone())
    };
    let stream = match desk.blobs.read(grant, range.clone(), range.is_some()).await {
        Err(error @ BlobError::Integrity { .. }) => {
            tokio::spawn(note());
            return Err(error.into());
        }
        other => other?,
    };
    let watched = stream.inspect(move |part| {
        if matches!(part, Err(BlobError::Integrity { .. })) {
            tokio::spawn(note());
        }
    });
    let mut response = Response::new(Body::from_stream(watched));
    let length = range.as_ref().map_or(blob.bytes, |range| range.end.saturating_sub(range.start));
    if range.is_some() {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    let map = response.headers_mut();
    map.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    map.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    map.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    let text =
        |text: String| HeaderValue::from_str(&text).map_err(|_| refusal::broken("a header can't be written"));
    map.insert("canvass-sha256", text(blob.sha256.to_string())?);
    if let Some(range) = range {
        let last = range.end.saturating_sub(1);
        map.insert(header::CONTENT_RANGE, text(format!("bytes {}-{last}/{}", range.start, blob.bytes))?);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_or_left_aside() {
        for (text, expected) in [
            ("bytes=0-3", Some(0..4)),
            ("bytes=5-", Some(5..10)),
            ("bytes=-3", Some(7..10)),
            ("bytes=-30", Some(0..10)),
            ("bytes=8-99", Some(8..10)),
            ("bytes=20-", Some(Range { start: 20, end: 10 })),
            ("bytes=4-3", None),
            ("bytes=a-3", None),
            ("bytes=0-1,3-4", None),
            ("lines=0-1", None),
        ] {
            let headers = HeaderMap::from_iter([(header::RANGE, HeaderValue::from_static(text))]);
            assert_eq!(range(&headers, 10), expected, "{text}");
        }
    }
}

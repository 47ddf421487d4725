//! Taking the bytes of one request, at whatever pace they come, and saying what went wrong.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use http_body_util::BodyExt;

use super::{MIN_PROGRESS, Tus};
use crate::problem::Problem;
use crate::public::spool::{Outcome, SpoolError, Writer};

/// Why no more bytes came.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// The body ended as announced.
    Whole,
    /// The line broke, or the client sent no valid body.
    Broken,
    /// Too few bytes came for too long.
    Slow,
    /// Another request goes on with this upload.
    Replaced,
    /// The disk side ended first.
    Disk,
}

impl Tus {
    /// Streams a body into a writer. It runs in a task of its own, for a broken connection drops the request's future
    /// and what has arrived must still reach the disk.
    pub(super) async fn receive(&self, writer: Writer, body: Body) -> Result<Outcome, Problem> {
        let Ok(slot) = Arc::clone(&self.writers).try_acquire_owned() else {
            writer.end(false).await?;
            return Err(too_many_writers(self.config.max_writers));
        };
        let window = self.config.body_window;
        let task = tokio::spawn(async move {
            let result = ingest(writer, body, window).await;
            drop(slot);
            result
        });
        let (stop, outcome) = task.await.map_err(|_| stopped())?;
        let outcome = outcome?;
        match (stop, outcome) {
            (Stop::Whole | Stop::Disk, _) | (_, Outcome::Complete { .. } | Outcome::TooLong) => Ok(outcome),
            (Stop::Slow, _) => Err(too_slow(window)),
            (Stop::Replaced, _) => Err(SpoolError::Busy.into()),
            (Stop::Broken, _) => Err(broken()),
        }
    }
}

async fn ingest(mut writer: Writer, mut body: Body, window: Duration) -> (Stop, Result<Outcome, SpoolError>) {
    let cancelled = writer.cancelled();
    let mut until = std::pin::pin!(tokio::time::sleep(window));
    let mut arrived = 0u64;
    let stop = loop {
        let frame = tokio::select! {
            biased;
            () = cancelled.notified() => break Stop::Replaced,
            frame = body.frame() => frame,
            () = &mut until => {
                if arrived < MIN_PROGRESS {
                    break Stop::Slow;
                }
                arrived = 0;
                until.as_mut().reset(tokio::time::Instant::now() + window);
                continue;
            }
        };
        match frame {
            None => break Stop::Whole,
            Some(Err(_)) => break Stop::Broken,
            Some(Ok(frame)) => {
                let Ok(bytes) = frame.into_data() else { continue };
                arrived = arrived.saturating_add(bytes.len() as u64);
                if !writer.push(bytes).await {
                    break Stop::Disk;
                }
            }
        }
    };
    (stop, writer.end(stop == Stop::Whole).await)
}

/// A checksum that did not match has a status of its own (tus 1.0.0, checksum extension).
pub(super) fn mismatch() -> Problem {
    let status = StatusCode::from_u16(460).unwrap_or(StatusCode::BAD_REQUEST);
    Problem::new(status, "checksum-mismatch", "The bytes are not those the checksum was made of")
        .field("Upload-Checksum")
        .detail("nothing of this part was kept")
        .remedy("send the part again")
}

pub(super) fn stopped() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", "The server is stopping")
        .detail("the request could not be finished")
        .remedy("ask for the offset with HEAD in a moment and go on from there")
        .retry_after(5)
}

fn too_many_writers(limit: usize) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "Too many uploads are running")
        .detail(format!("{limit} requests are sending bytes at this moment"))
        .remedy("go on with this upload in a few seconds")
        .retry_after(5)
}

fn too_slow(window: Duration) -> Problem {
    let seconds = window.as_secs();
    Problem::new(StatusCode::REQUEST_TIMEOUT, "too-slow", "Too few bytes arrived for too long")
        .detail(format!("fewer than {MIN_PROGRESS} bytes came within {seconds} seconds; what came is kept"))
        .remedy("ask for the offset with HEAD and go on from there")
}

fn broken() -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "body-broken", "The body ended early")
        .detail("the connection broke or the body was malformed; what came is kept")
        .remedy("ask for the offset with HEAD and go on from there")
}

impl From<SpoolError> for Problem {
    fn from(error: SpoolError) -> Self {
        let unavailable = |kind, title| Self::new(StatusCode::SERVICE_UNAVAILABLE, kind, title);
        let problem = match &error {
            SpoolError::Unknown => return Self::not_found(),
            SpoolError::Expired => Self::new(StatusCode::GONE, "upload-expired", "The upload has expired")
                .remedy("start a new upload"),
            SpoolError::Busy => {
                Self::new(StatusCode::LOCKED, "upload-busy", "The upload is being written to")
                    .remedy("ask for the offset with HEAD in a few seconds")
                    .retry_after(3)
            }
            SpoolError::TooManyOpen(_) => unavailable("too-many-uploads", "Too many uploads are open")
                .remedy("try again in some minutes; nothing of yours was lost")
                .retry_after(120),
            SpoolError::Full(_) => unavailable("spool-full", "The upload does not fit at this moment")
                .remedy("try again in some minutes; what was sent is kept")
                .retry_after(300),
            SpoolError::TooManyMessages(_) => unavailable("too-many-messages", "Too many messages wait")
                .remedy("send it again in some minutes")
                .retry_after(300),
            SpoolError::TooManyForLookup(_) => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-messages",
                "Too many messages of this offer wait",
            )
            .field("lookup")
            .remedy("wait until those have been read")
            .retry_after(300),
            SpoolError::DiskFull => {
                tracing::error!("the disk of the spool is full; free space or grow it");
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "disk-full", "The server's disk is full")
                    .remedy("keep your files and try again later; the operator has been told to free space")
                    .retry_after(600)
            }
            SpoolError::InUse | SpoolError::Damaged { .. } | SpoolError::Io { .. } => {
                tracing::error!(%error, "the spool failed");
                return Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "spool",
                    "The server could not keep this",
                )
                .detail("its spool failed; the operator has been told")
                .remedy("ask for the offset with HEAD later and go on from there");
            }
        };
        problem.detail(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_of_the_spool_has_a_status_and_a_remedy() {
        for (error, status) in [
            (SpoolError::Unknown, 404),
            (SpoolError::Expired, 410),
            (SpoolError::Busy, 423),
            (SpoolError::TooManyOpen(1), 503),
            (SpoolError::Full(1), 503),
            (SpoolError::TooManyMessages(1), 503),
            (SpoolError::TooManyForLookup(1), 429),
            (SpoolError::DiskFull, 507),
            (SpoolError::InUse, 500),
            (SpoolError::Damaged { file: "data", why: "odd".into() }, 500),
        ] {
            let problem = Problem::from(error);
            assert_eq!(problem.status().as_u16(), status);
            assert!(problem.to_json().contains("remedy"), "{problem}");
        }
    }
}

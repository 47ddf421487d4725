//! Plate reads of cameras, on their way in.

use std::sync::Arc;

use axum::{
    Json,
    body::{Body, BodyDataStream},
    extract::{FromRequest, Request, State},
    http::{StatusCode, header},
};
use bytes::{Bytes, BytesMut};
use canvass_adapters::Rows;
use canvass_core::{
    CoreError,
    plates::{Batch, Feed, MOST_PROBLEMS, MOST_ROWS, NewRead, Row, RowProblem},
    problem,
};
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, Refusals};
use crate::{
    auth::Authenticated,
    desk::Desk,
    extract::{Input, Seek},
    problem::Problem,
};

/// Most bytes of a batch in JSON.
const MOST_JSON: usize = 8 * 1024 * 1024;
/// Most bytes of a stream of lines.
const MOST_STREAM: usize = 64 * 1024 * 1024;
/// Most bytes of a stream that is taken whole or not at all.
const MOST_WHOLE: usize = 16 * 1024 * 1024;
/// Most lines of a stream: what a camera may send at once.
const MOST_LINES: u64 = 20_000;
/// Bytes of a stream that are stored together.
const PART: usize = 512 * 1024;
/// Most bytes without an end of line: a read with its picture.
const MOST_LINE: usize = 512 * 1024;

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new().routes(routes!(add))
}

/// What becomes of the good rows when others are bad.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnBadRow {
    /// They are stored, and the bad ones are named.
    #[default]
    Keep,
    /// Nothing is stored.
    Refuse,
}

/// How rows are taken.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct How {
    /// What becomes of the good rows when others are bad: `keep` (when left out) or `refuse`.
    #[serde(default)]
    #[param(inline)]
    bad: OnBadRow,
}

/// Reads of one camera.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddReads {
    /// At most 5,000.
    #[schema(max_items = 5_000)]
    pub reads: Vec<NewRead>,
}

/// The same, row by row, so that one bad row spoils no other.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Loose {
    reads: Vec<Value>,
}

/// What became of the rows. Rows that are counted here as stored or as duplicates are durable.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AddedReads {
    /// Rows that were sent.
    pub rows: u64,
    /// Reads that are stored now.
    pub stored: u64,
    /// Reads that were stored already, by the ids that the camera gave them.
    pub duplicates: u64,
    /// Good rows that the law keeps not even for a moment, or that the agency's safelist has dropped.
    pub dropped: u64,
    /// Rows that were refused.
    pub refused: u64,
    /// Which, the first 100.
    pub problems: Vec<RowProblem>,
}

/// Takes reads of the camera that the token acts for: JSON, or NDJSON with one read a line. It answers once they are
/// durable; sent again, a read is stored once. Field names of ONVIF's metadata stream are understood.
#[utoipa::path(post, path = "/reads", tag = "reads", params(How),
    request_body(content((AddReads = "application/json"), (String = "application/x-ndjson"))),
    responses((status = 200, body = AddedReads), Refusals))]
pub async fn add(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Seek(How { bad }): Seek<How>,
    request: Request,
) -> Answer<AddedReads> {
    let feed = desk.app.feed(&actor).await?;
    let _under_way = desk.reads_pace.begin(feed.camera(), millisecond(&desk))?;
    let lines = request.headers().get(header::CONTENT_TYPE).is_some_and(|value| {
        let kind = value.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        kind.eq_ignore_ascii_case(b"application/x-ndjson") || kind.eq_ignore_ascii_case(b"application/ndjson")
    });
    if lines {
        stream(&desk, feed, request.into_body(), bad).await
    } else {
        batch(&desk, feed, request, bad).await
    }
}

pub(super) fn millisecond(desk: &Desk) -> i64 {
    desk.clock.now().as_millisecond()
}

async fn batch(desk: &Desk, feed: Feed, request: Request, bad: OnBadRow) -> Answer<AddedReads> {
    let Input(Loose { reads }) =
        <Input<Loose, MOST_JSON> as FromRequest<()>>::from_request(request, &()).await.map_err(quiet)?;
    if reads.len() > MOST_ROWS {
        let message = format!("a batch has at most {MOST_ROWS} reads");
        return Err(CoreError::field("reads", "most", &message, "send them in parts, or as NDJSON").into());
    }
    desk.reads_pace.take(feed.camera(), reads.len(), millisecond(desk))?;
    let mut added = AddedReads::default();
    added.store(desk, &Arc::new(feed), Part::Rows(reads), bad).await?;
    Ok(Json(added))
}

/// Stores what another maker's reader sent, each row as it could be understood. What can't be taken is named in the
/// answer and not refused with it: a reader would send it again for ever, and nothing after it.
pub(super) async fn translated(desk: &Desk, feed: Feed, rows: Rows) -> Answer<AddedReads> {
    desk.reads_pace.take(feed.camera(), rows.len(), millisecond(desk))?;
    let (mut good, mut places, mut bad) = (Vec::new(), Vec::new(), Vec::new());
    for (row, read) in (1..).zip(rows) {
        match read.map(|read| serde_json::to_value(&read)) {
            Ok(Ok(value)) => {
                good.push(value);
                places.push(row);
            }
            Ok(Err(_)) => {
                bad.push(problem_of(row, "row", "form", "the row has no JSON", "report this defect"))
            }
            Err(fault) => bad.push(problem_of(row, &fault.field, fault.rule, &fault.what, fault.remedy)),
        }
    }
    let mut added = AddedReads::default();
    added.store(desk, &Arc::new(feed), Part::Rows(good), OnBadRow::Keep).await?;
    for problem in &mut added.problems {
        let place = usize::try_from(problem.row).unwrap_or(0).checked_sub(1).and_then(|at| places.get(at));
        problem.row = place.copied().unwrap_or(problem.row);
    }
    added.rows += bad.len() as u64;
    added.refused += bad.len() as u64;
    added.problems.extend(bad);
    added.problems.sort_by_key(|problem| problem.row);
    added.problems.truncate(MOST_PROBLEMS);
    Ok(Json(added))
}

fn problem_of(row: u64, field: &str, rule: &str, message: &str, remedy: &str) -> RowProblem {
    let [field, rule, message, remedy] = [field, rule, message, remedy].map(str::to_owned);
    RowProblem { row, field, rule, message, remedy }
}

/// Lines are stored part by part while they come; the answer counts them all.
async fn stream(desk: &Desk, feed: Feed, body: Body, bad: OnBadRow) -> Answer<AddedReads> {
    let (feed, mut added) = (Arc::new(feed), AddedReads::default());
    let most = if bad == OnBadRow::Refuse { MOST_WHOLE } else { MOST_STREAM };
    let (mut open, mut bytes) = (BytesMut::new(), 0);
    let mut parts: BodyDataStream = body.into_data_stream();
    while let Some(part) = parts.next().await {
        let part = part.map_err(|_| broken_off())?;
        bytes += part.len();
        if bytes > most {
            return Err(too_large(most));
        }
        open.extend_from_slice(&part);
        if bad == OnBadRow::Keep && open.len() >= PART {
            let end = open.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            if open.len() - end > MOST_LINE {
                return Err(long_line());
            }
            added.lines(desk, &feed, open.split_to(end).freeze(), bad).await?;
        }
    }
    added.lines(desk, &feed, open.freeze(), bad).await?;
    Ok(Json(added))
}

fn broken_off() -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "body-broken", "The body ended early")
        .detail("the connection broke or the body was malformed")
        .remedy("send it again: what is stored already is not stored twice")
}

fn too_large(most: usize) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large")
        .detail(format!("the limit is {most} bytes"))
        .remedy("send it in parts: what is stored already is not stored twice")
}

fn long_line() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "line-too-long", "A line is too long")
        .detail(format!("the limit is {MOST_LINE} bytes"))
        .remedy("end each read with a line feed")
}

/// A part of what was sent.
enum Part {
    Rows(Vec<Value>),
    Lines(Bytes),
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty())
}

impl AddedReads {
    async fn lines(
        &mut self,
        desk: &Desk,
        feed: &Arc<Feed>,
        text: Bytes,
        bad: OnBadRow,
    ) -> Result<(), Problem> {
        let count = lines(&text).count();
        if count == 0 {
            return Ok(());
        }
        if self.rows + count as u64 > MOST_LINES {
            return Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too-many-rows",
                "There are too many rows",
            )
            .detail(format!("at most {MOST_LINES} lines are taken at once"))
            .remedy("send them in parts: what is stored already is not stored twice"));
        }
        desk.reads_pace.take_of_stream(feed.camera(), count, millisecond(desk))?;
        self.store(desk, feed, Part::Lines(text), bad).await
    }

    /// Raises what the stored reads met. When it fails the camera sends them again, and nothing is raised twice.
    async fn alert(&self, desk: &Desk, feed: &Feed, batch: &Batch) -> Result<(), Problem> {
        if batch.hits.is_empty() {
            return Ok(());
        }
        if desk.app.raise_alerts(feed, &batch.hits).await? > 0 {
            desk.alerted.send_modify(|count| *count += 1);
            desk.told.wake();
            desk.changed.notify_one();
        }
        Ok(())
    }

    /// Checks rows and stores the good ones.
    async fn store(
        &mut self,
        desk: &Desk,
        feed: &Arc<Feed>,
        part: Part,
        bad: OnBadRow,
    ) -> Result<(), Problem> {
        let (taken, first) = (Arc::clone(feed), self.rows + 1);
        let done = desk.with_reads(move |reads| {
            let batch = match &part {
                Part::Rows(rows) => taken.prepare(rows.iter().map(Row::Json), first),
                Part::Lines(text) => taken.prepare(lines(text).map(Row::Text), first),
            };
            if bad == OnBadRow::Refuse && batch.refused > 0 {
                return Ok((batch, None));
            }
            let appended = reads.add(&taken, &batch)?;
            Ok((batch, Some(appended)))
        });
        let (batch, appended) = done.await?;
        let Some(appended) = appended else { return Err(whole_refused(batch)) };
        self.alert(desk, feed, &batch).await?;
        self.rows += batch.rows;
        self.stored += appended.stored as u64;
        self.duplicates += appended.duplicates as u64;
        self.dropped += batch.dropped;
        desk.app.count_safe(feed, batch.safe);
        self.refused += batch.refused;
        self.problems.extend(batch.problems);
        self.problems.truncate(MOST_PROBLEMS);
        Ok(())
    }
}

fn whole_refused(batch: Batch) -> Problem {
    let problems = batch.problems.into_iter().map(|row| {
        let field = format!("row {}, {}", row.row, row.field);
        problem(&field, &row.rule, &row.message, &row.remedy)
    });
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "rows", "Some rows can't be accepted")
        .detail(format!("{} of {} rows are wrong, and nothing was stored", batch.refused, batch.rows))
        .remedy("mend the rows named and send all again, or send `bad=keep` for the good ones")
        .problems(problems.collect())
}

/// The parser's own words may quote what was sent: they are not told.
fn quiet(problem: Problem) -> Problem {
    if problem.kind() != "body" {
        return problem;
    }
    Problem::new(problem.status(), "body", "The body has another form")
        .detail("it is no JSON with a member `reads`, a list")
        .remedy("see /api/v1/openapi.json for the form, mend it and send it again")
}

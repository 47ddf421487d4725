//! `POST /asked/evaluate`: blind evaluations for owners of plates (RFC 9497). This role sees elements that tell nothing,
//! answers all of them alike, keeps and logs none, and never learns whether a plate was found.
//!
//! Two buckets limit the pace, both in memory: one for everybody, one that lives and dies with a connection. No address is
//! looked at.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};
use canvass_blind::{BlindError, Epoch, EpochKey, Evaluate, Evaluated};
use canvass_types::{Clock, Entropy};
use http_body_util::{BodyExt as _, Limited};

use super::headers;
use crate::problem::Problem;

/// Bytes of the longest body.
const MAX_BODY: usize = 1_024;
/// Elements that are evaluated at the same time.
const AT_ONCE: usize = 4;
/// Elements a second for everybody together, and how many may come at once.
const ALL: (f64, f64) = (50.0, 500.0);
/// Elements a second for one connection, and how many may come at once: five years of quarters.
const EACH: (f64, f64) = (1.0, 20.0);

/// What blind evaluations need.
#[derive(Clone)]
pub struct AskedConfig {
    /// The folder with the quarters' keys, and nothing else.
    pub folder: PathBuf,
    /// Chance, for proofs.
    pub entropy: Arc<dyn Entropy>,
}

/// A bucket that fills with time and empties with elements.
#[derive(Debug, Default)]
struct Bucket(Option<(f64, i64)>);

impl Bucket {
    /// Takes so many, or says after how many seconds they would be there.
    fn take(&mut self, count: f64, (rate, most): (f64, f64), now_ms: i64) -> Result<(), u32> {
        let (left, at) = self.0.unwrap_or((most, now_ms));
        let passed = u32::try_from(now_ms.saturating_sub(at).clamp(0, 3_600_000)).unwrap_or(0);
        let left = (left + f64::from(passed) / 1_000.0 * rate).min(most);
        let enough = left >= count;
        self.0 = Some((if enough { left - count } else { left }, now_ms.max(at)));
        if enough {
            return Ok(());
        }
        let wait = (1..=3_600).find(|second| left + f64::from(*second) * rate >= count);
        Err(wait.unwrap_or(3_600))
    }
}

/// What one connection has left.
#[derive(Debug, Clone, Default)]
pub struct Pace(Arc<Mutex<Bucket>>);

#[derive(Clone)]
struct Evaluations {
    config: Option<AskedConfig>,
    keys: Arc<Mutex<BTreeMap<Epoch, Arc<EpochKey>>>>,
    all: Arc<Mutex<Bucket>>,
    slots: Arc<tokio::sync::Semaphore>,
    clock: Arc<dyn Clock>,
    within: Duration,
}

/// The route, joined by [`super::router`]. A body must have arrived within `within`.
pub(super) fn router(config: Option<AskedConfig>, clock: Arc<dyn Clock>, within: Duration) -> Router {
    let slots = Arc::new(tokio::sync::Semaphore::new(AT_ONCE));
    let state = Evaluations { config, keys: Arc::default(), all: Arc::default(), slots, clock, within };
    Router::new().route("/asked/evaluate", any(post)).with_state(state)
}

async fn post(State(state): State<Evaluations>, request: Request) -> Response {
    let answer = match *request.method() {
        Method::POST => accept(&state, request).await,
        _ => Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", "This method is not served here")
            .detail("blinded elements are sent")
            .remedy("use POST")
            .header(header::ALLOW, HeaderValue::from_static("POST"))),
    };
    let mut response = answer.unwrap_or_else(IntoResponse::into_response);
    headers::secure(response.headers_mut());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn shape(field: &str, detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "bad-evaluation", "This can't be evaluated")
        .field(field)
        .detail(detail)
        .remedy("use the page Was I searched?, or `canvass searched`; docs/ref/asked.md has the format")
}

fn too_often(wait: u32) -> Problem {
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-often", "Too many checks at this moment")
        .detail("so many checks are answered in a second, whoever asks")
        .remedy(format!("try again in {wait} seconds"))
        .retry_after(wait)
}

async fn accept(state: &Evaluations, request: Request) -> Result<Response, Problem> {
    let Some(config) = state.config.clone() else { return Err(Problem::not_found()) };
    let (parts, body) = request.into_parts();
    let kind = headers::text(&parts.headers, header::CONTENT_TYPE).unwrap_or_default();
    if !kind.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case("application/json")) {
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "type", "The body has another type")
            .field("Content-Type")
            .detail("what is evaluated comes as JSON")
            .remedy("send Content-Type: application/json"));
    }
    let asked = read(state, body).await?;
    let pace = parts.extensions.get::<Pace>().cloned().unwrap_or_default();
    admit(state, &pace, asked.elements.len())?;
    let slot = tokio::time::timeout(state.within, Arc::clone(&state.slots).acquire_owned()).await;
    let _slot = slot.map_err(|_| too_often(5))?.map_err(|_| too_often(5))?;
    let keys = Arc::clone(&state.keys);
    let work = move || evaluate(&config, &keys, &asked);
    let evaluated = tokio::task::spawn_blocking(work).await.map_err(|_| too_often(5))??;
    let bytes = serde_json::to_vec(&evaluated).unwrap_or_default();
    let mut response = Response::new(Body::from(bytes));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

fn admit(state: &Evaluations, pace: &Pace, elements: usize) -> Result<(), Problem> {
    let now = state.clock.now().as_millisecond();
    let count = f64::from(u32::try_from(elements.max(1)).unwrap_or(u32::MAX));
    let take = |bucket: &Mutex<Bucket>, limits| {
        bucket.lock().unwrap_or_else(PoisonError::into_inner).take(count, limits, now).map_err(too_often)
    };
    take(&pace.0, EACH)?;
    take(&state.all, ALL)
}

async fn read(state: &Evaluations, body: Body) -> Result<Evaluate, Problem> {
    let read = tokio::time::timeout(state.within, Limited::new(body, MAX_BODY).collect()).await;
    let read = read.map_err(|_| {
        Problem::new(StatusCode::REQUEST_TIMEOUT, "too-slow", "The body did not arrive in time")
            .detail("the connection was too slow")
            .remedy("send it again")
    })?;
    let bytes = read.map_err(|_| shape("body", "it broke off, or is longer than 1,024 bytes"))?.to_bytes();
    serde_json::from_slice(&bytes)
        .map_err(|error| shape("body", format!("line {}, column {}", error.line(), error.column())))
}

fn evaluate(
    config: &AskedConfig,
    keys: &Mutex<BTreeMap<Epoch, Arc<EpochKey>>>,
    asked: &Evaluate,
) -> Result<Evaluated, Problem> {
    let gone = || {
        Problem::new(StatusCode::NOT_FOUND, "asked-epoch", "There is no key of this quarter")
            .field("epoch")
            .detail("the quarter is not public any more, or not yet")
            .remedy("read /asked/keys.json again and ask for a quarter that it names")
    };
    let path = config.folder.join(format!("{}.key", asked.epoch));
    let known = || keys.lock().unwrap_or_else(PoisonError::into_inner);
    // Its file is looked at each time: a key that was destroyed must not live on in memory.
    if !path.exists() {
        known().remove(&asked.epoch);
        return Err(gone());
    }
    let held = known().get(&asked.epoch).cloned();
    let key = match held {
        Some(key) => key,
        None => {
            let text = std::fs::read_to_string(&path).map(zeroize::Zeroizing::new).map_err(|_| gone())?;
            let key = Arc::new(EpochKey::parse(&text).map_err(|_| gone())?);
            known().insert(asked.epoch, Arc::clone(&key));
            key
        }
    };
    key.evaluate(asked, config.entropy.as_ref()).map_err(|error| match error {
        BlindError::Epoch | BlindError::Key => gone(),
        other => shape("elements", other.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_what_it_has_and_says_when_it_has_more() {
        let mut bucket = Bucket::default();
        let limits = (2.0, 10.0);
        assert!(bucket.take(10.0, limits, 0).is_ok());
        assert_eq!(bucket.take(4.0, limits, 0), Err(2));
        assert_eq!(bucket.take(4.0, limits, 1_000), Err(1));
        assert!(bucket.take(4.0, limits, 2_000).is_ok());
        // A clock that goes back gives nothing away, and a long rest no more than a full bucket.
        assert!(bucket.take(1.0, limits, 0).is_err());
        assert!(bucket.take(10.0, limits, 9_000_000).is_ok());
        assert!(bucket.take(1.0, limits, 9_000_000).is_err());
        assert_eq!(bucket.take(1e9, limits, 9_000_000), Err(3_600));
    }
}

//! What an operator sees: logs as JSON lines on standard error, and figures for Prometheus.
//!
//! Neither names a person, an offer, an address, a token or a client: routes stand as their templates, and counts have
//! no label that could single anyone out.

use std::sync::{Mutex, PoisonError};

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use tracing_subscriber::{EnvFilter, util::SubscriberInitExt as _};

use crate::desk::Desk;

/// Writes logs as JSON lines to standard error, at the levels of `filter` (`info`, `canvass_server=debug`, …).
///
/// # Errors
/// When the filter can't be read, or logging was set up before.
pub fn init(filter: &str) -> Result<(), String> {
    let filter = EnvFilter::try_new(filter)
        .map_err(|_| "log filter: write a level (error, warn, info, debug) or module=level".to_owned())?;
    tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // Standard error may be a file on a disk that is full: to tell of that there would end whoever logs.
        .log_internal_errors(false)
        .finish()
        .try_init()
        .map_err(|error| error.to_string())
}

/// Labels of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    method: String,
    route: String,
    status: u16,
}

/// Label of a route.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

/// Label of a job.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Job {
    job: &'static str,
}

/// Label of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ledger {
    ledger: &'static str,
}

/// Label of a queue.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Queue {
    queue: &'static str,
}

/// Upper bounds of the answer times, seconds.
const BOUNDS: [f64; 10] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

fn histogram() -> Histogram {
    Histogram::new(BOUNDS)
}

/// All figures.
pub struct Metrics {
    registry: Mutex<Registry>,
    answers: Family<Answer, Counter>,
    times: Family<Route, Histogram, fn() -> Histogram>,
    beats: Family<Job, Gauge>,
    faults: Family<Job, Counter>,
    sizes: Family<Ledger, Gauge>,
    cosigned: Family<Ledger, Gauge>,
    queues: Family<Queue, Gauge>,
}

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            registry: Mutex::default(),
            answers: Family::default(),
            times: Family::new_with_constructor(histogram as fn() -> Histogram),
            beats: Family::default(),
            faults: Family::default(),
            sizes: Family::default(),
            cosigned: Family::default(),
            queues: Family::default(),
        };
        let mut registry = Registry::with_prefix("canvass");
        registry.register("answers", "Answers of the agency desk", metrics.answers.clone());
        registry.register("answer_seconds", "Time until an answer begins", metrics.times.clone());
        registry.register("job_beat_timestamp_seconds", "When a job last went round", metrics.beats.clone());
        registry.register("job_faults", "Rounds of a job that failed", metrics.faults.clone());
        registry.register("ledger_entries", "Entries that the signed head covers", metrics.sizes.clone());
        registry.register(
            "ledger_cosigned_timestamp_seconds",
            "When a witness last cosigned the ledger; its age is what to watch",
            metrics.cosigned.clone(),
        );
        registry.register("queue_length", "What waits", metrics.queues.clone());
        *metrics.registry.lock().unwrap_or_else(PoisonError::into_inner) = registry;
        metrics
    }
}

impl Metrics {
    /// All figures in the text form of OpenMetrics.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing into a text does not fail.
        let _ = encode(&mut text, &registry);
        text
    }

    /// A job went round.
    pub fn beat(&self, job: &'static str, at: i64) {
        self.beats.get_or_create(&Job { job }).set(at);
    }

    /// When a job last went round; 0 when it never did.
    #[must_use]
    pub fn last_beat(&self, job: &'static str) -> i64 {
        self.beats.get_or_create(&Job { job }).get()
    }

    /// A round of a job failed.
    pub fn fault(&self, job: &'static str) {
        self.faults.get_or_create(&Job { job }).inc();
    }

    /// A ledger has so many entries.
    pub fn ledger(&self, ledger: &'static str, entries: u64) {
        self.sizes.get_or_create(&Ledger { ledger }).set(i64::try_from(entries).unwrap_or(i64::MAX));
    }

    /// A witness cosigned.
    pub fn cosigned(&self, ledger: &'static str, at: u64) {
        self.cosigned.get_or_create(&Ledger { ledger }).set(i64::try_from(at).unwrap_or(i64::MAX));
    }

    /// When a witness last cosigned; 0 when none did since the start.
    #[must_use]
    pub fn last_cosigned(&self, ledger: &'static str) -> i64 {
        self.cosigned.get_or_create(&Ledger { ledger }).get()
    }

    /// So many things wait.
    pub fn queue(&self, queue: &'static str, length: usize) {
        self.queues.get_or_create(&Queue { queue }).set(i64::try_from(length).unwrap_or(i64::MAX));
    }

    /// How many things wait.
    #[must_use]
    pub fn queued(&self, queue: &'static str) -> i64 {
        self.queues.get_or_create(&Queue { queue }).get()
    }
}

/// Counts and logs each answer, by the route's template. After a change the sequencer is woken.
pub(crate) async fn observe(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    let template = |path: &MatchedPath| path.as_str().to_owned();
    let route = request.extensions().get::<MatchedPath>().map_or_else(|| "unknown".to_owned(), template);
    let method = request.method().as_str().to_owned();
    let begun = desk.clock.now();
    let response = next.run(request).await;
    let took = desk.clock.now().duration_since(begun);
    let status = response.status().as_u16();
    desk.changed.notify_one();
    let milliseconds = took.as_millis();
    if status >= 500 {
        tracing::error!(route, method, status, milliseconds, "answered");
    } else {
        tracing::info!(route, method, status, milliseconds, "answered");
    }
    desk.metrics.times.get_or_create(&Route { route: route.clone() }).observe(took.as_secs_f64());
    desk.metrics.answers.get_or_create(&Answer { method, route, status }).inc();
    response
}

//! The public role: serves the static files that the private role publishes, and takes sealed uploads and messages
//! into a write-only spool.
//!
//! What it is not: it holds no database credentials and no key but that of blind evaluations, sets no cookie, stores no address, and nothing that it
//! logs, at any level, names a client (no remote address, no user agent, no path of a single request).
//!
//! | path | what |
//! | --- | --- |
//! | `/feed/**` `/requests/**` `/agencies/**` `/portals/**` `/ledger/**` `/offers/*` `/maps/*` `/policy.json` `/rules.json` `/site.json` `/footage/*.json` | static files, [`files`] |
//! | `/uploads` | resumable uploads, [`tus`] |
//! | `/messages` | answers and withdrawals, [`messages`] |
//! | `/notices` `/notices/stop/<token>` | sealed wishes for notices |
//! | `/` `/r/<region>` `/assets/**` and so on | pages, [`crate::pages`] |
//! | `/asked/*.json` | static files of the private check for plate owners |
//! | `/asked/evaluate` | its blind evaluations |
//! | `/healthz` | 200 while the process answers |

mod admission;
mod asked;
pub mod files;
pub(crate) mod headers;
mod io;
pub mod messages;
mod notices;
mod serve;
pub mod spool;
pub mod tus;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use axum::routing::any;
use canvass_types::Clock;

pub use self::admission::{MAX_CLIP_BYTES, MAX_CLIPS, MAX_OFFER_BYTES, OfferMetadata, PublishedDestinations};
pub use self::asked::AskedConfig;
use self::files::{Files, FilesConfig};
pub(crate) use self::notices::STOP;
pub use self::serve::serve;
use self::spool::Spool;
use self::tus::{Admission, TusConfig};

/// Where uploads stand in the public role.
pub const UPLOADS: &str = "/uploads";

/// How the public role runs.
pub struct PublicConfig {
    /// The static files.
    pub files: FilesConfig,
    /// Where uploads and messages go.
    pub spool: Spool,
    /// Who may upload.
    pub admission: Arc<dyn Admission>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How long an unfinished upload is kept after its last bytes.
    pub expires_after: Duration,
    /// What is allowed to a connection.
    pub limits: Limits,
    /// Blind evaluations for plate owners; none answers 404.
    pub asked: Option<AskedConfig>,
    /// Whether people come by TLS: then browsers are told to keep to it.
    pub by_tls: bool,
}

/// Limits on connections and their pace.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections open at the same time; more wait in the system's queue.
    pub connections: usize,
    /// Within which a request's headers must have arrived, and after which an idle connection is closed.
    pub header: Duration,
    /// Within which some bytes of a body must arrive, a message must be whole, and an answer must move on.
    pub body: Duration,
    /// Requests that may send bytes of uploads at the same time.
    pub writers: usize,
    /// How long running requests may go on once the server is told to stop.
    pub grace: Duration,
    /// How often expired uploads are removed.
    pub sweep: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4_096,
            header: Duration::from_secs(10),
            body: Duration::from_secs(30),
            writers: 128,
            grace: Duration::from_secs(20),
            sweep: Duration::from_secs(60),
        }
    }
}

impl PublicConfig {
    /// The defaults: files of `root`, offers to whatever is published there, unfinished uploads kept as long as the policy
    /// that is published there now says, or else the default policy.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>, spool: Spool, clock: Arc<dyn Clock>) -> Self {
        let root = root.into();
        let give = admission::published_limits(&root).unwrap_or_default();
        Self {
            admission: Arc::new(PublishedDestinations::new(&root, Arc::clone(&clock))),
            files: FilesConfig::new(root, Arc::clone(&clock)),
            spool,
            clock,
            expires_after: Duration::from_secs(u64::from(give.upload_hours) * 3_600),
            limits: Limits::default(),
            asked: None,
            by_tls: false,
        }
    }
}

/// All routes of the public role. [`serve`] adds the limits on connections.
pub fn router(config: PublicConfig) -> Router {
    assemble(config).0
}

fn assemble(config: PublicConfig) -> (Router, Arc<Files>) {
    let files = Arc::new(Files::new(config.files));
    let evaluating = asked::router(config.asked, Arc::clone(&config.clock), config.limits.body);
    let mut tus =
        TusConfig::new(config.spool.clone(), UPLOADS, MAX_OFFER_BYTES, config.admission, config.clock);
    tus.expires_after = config.expires_after;
    tus.body_window = config.limits.body;
    tus.max_writers = config.limits.writers;
    let router = Router::new()
        .merge(tus::router(tus))
        .merge(evaluating)
        .merge(notices::router(config.spool.clone(), config.limits.body))
        .merge(messages::router(config.spool, config.limits.body))
        .route("/healthz", any(healthy))
        .fallback(any(static_file).with_state(Arc::clone(&files)));
    (router, files)
}

async fn healthy() -> Response {
    let mut response = Response::new(axum::body::Body::from("ok\n"));
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    headers::secure(response.headers_mut());
    response
}

async fn static_file(State(files): State<Arc<Files>>, request: Request) -> Response {
    files.respond(request.method(), request.uri().path(), request.headers()).await
}

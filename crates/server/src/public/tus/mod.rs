//! A tus 1.0.0 server (<https://tus.io/protocols/resumable-upload>): core, creation, creation-with-upload, termination,
//! checksum and expiration. It writes into a [`Spool`] and never reads an upload back.

mod metadata;
mod receive;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use canvass_types::Clock;
use http_body::Body as _;
use jiff::Timestamp;
use tokio::sync::Semaphore;

use super::headers;
use super::spool::{Outcome, Progress, Spool, SpoolError, UploadId, UploadInfo};
use crate::problem::Problem;

/// The protocol's version.
const VERSION: HeaderValue = HeaderValue::from_static("1.0.0");
const EXTENSIONS: HeaderValue =
    HeaderValue::from_static("creation,creation-with-upload,termination,checksum,expiration");
const ALGORITHMS: HeaderValue = HeaderValue::from_static("sha1,sha256");
const OFFSET_STREAM: &str = "application/offset+octet-stream";

const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const TUS_VERSION: HeaderName = HeaderName::from_static("tus-version");
const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
const UPLOAD_EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const METHOD_OVERRIDE: HeaderName = HeaderName::from_static("x-http-method-override");

/// What is known of an upload before any of its bytes.
pub struct Announced<'a> {
    /// Bytes announced.
    pub length: u64,
    /// The client's metadata, decoded.
    pub metadata: &'a BTreeMap<String, String>,
    /// What layers before the router noted about the request, such as the Member in the private role.
    pub extensions: &'a Extensions,
}

/// Decides whether an upload may start. Called off the threads that answer requests, so it may read files.
pub trait Admission: Send + Sync {
    /// Lets the upload start, with notes to keep beside it, or says why not.
    ///
    /// # Errors
    /// The problem that the client is answered.
    fn admit(&self, announced: &Announced<'_>) -> Result<BTreeMap<String, String>, Problem>;

    /// Bytes of the largest upload at this moment, when that is for the admission to say; it comes before
    /// [`TusConfig::max_size`] then. Called on the threads that answer requests: at most a small file may be read.
    fn max_size(&self) -> Option<u64> {
        None
    }
}

/// How a router of uploads behaves.
pub struct TusConfig {
    /// Where uploads go. How many may be open, and how many bytes they may fill, is the spool's to say.
    pub spool: Spool,
    /// The path under which the router's routes stand, without a slash at the end (`/uploads`). Join it with
    /// `Router::merge`, not `nest`.
    pub prefix: String,
    /// Bytes of the largest upload, when the admission does not say; told in `Tus-Max-Size`.
    pub max_size: u64,
    /// How long an unfinished upload is kept after its last bytes.
    pub expires_after: Duration,
    /// Who may upload what.
    pub admission: Arc<dyn Admission>,
    /// The time of creation.
    pub clock: Arc<dyn Clock>,
    /// Requests that may send bytes at the same time.
    pub max_writers: usize,
    /// In each span of this length at least [`MIN_PROGRESS`] bytes must arrive.
    pub body_window: Duration,
}

impl TusConfig {
    /// The defaults beside what must be said: 128 writers, bytes within any 30 seconds, kept for 3 days.
    #[must_use]
    pub fn new(
        spool: Spool,
        prefix: impl Into<String>,
        max_size: u64,
        admission: Arc<dyn Admission>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            spool,
            prefix: prefix.into(),
            max_size,
            expires_after: Duration::from_secs(3 * 24 * 3600),
            admission,
            clock,
            max_writers: 128,
            body_window: Duration::from_secs(30),
        }
    }
}

/// Bytes that must arrive within each [`TusConfig::body_window`]; a slower client is asked to come back.
pub const MIN_PROGRESS: u64 = 4 * 1024;

struct Tus {
    config: TusConfig,
    writers: Arc<Semaphore>,
}

/// Routes for uploads: `POST prefix`, and `HEAD`, `PATCH` and `DELETE` on what it answers as `Location`.
pub fn router(config: TusConfig) -> Router {
    let (prefix, writers) = (config.prefix.clone(), Arc::new(Semaphore::new(config.max_writers)));
    let state = Arc::new(Tus { config, writers });
    Router::new()
        .route(&prefix, any(collection))
        .route(&format!("{prefix}/"), any(collection))
        .route(&format!("{prefix}/{{id}}"), any(item))
        .with_state(state)
}

async fn collection(State(tus): State<Arc<Tus>>, request: Request) -> Response {
    let answer = match checked(&request) {
        Ok(Method::OPTIONS) => Ok(tus.options()),
        Ok(Method::POST) => tus.create(request).await,
        Ok(_) => Err(not_allowed("POST, OPTIONS")),
        Err(problem) => Err(problem),
    };
    dressed(answer)
}

async fn item(State(tus): State<Arc<Tus>>, request: Request) -> Response {
    let id = request.uri().path().rsplit('/').next().and_then(UploadId::parse);
    let answer = match (checked(&request), id) {
        (Ok(Method::OPTIONS), _) => Ok(tus.options()),
        (Err(problem), _) => Err(problem),
        (Ok(Method::HEAD | Method::PATCH | Method::DELETE), None) => Err(Problem::not_found()),
        (Ok(Method::HEAD), Some(id)) => tus.head(&id).await,
        (Ok(Method::PATCH), Some(id)) => tus.patch(&id, request).await,
        (Ok(Method::DELETE), Some(id)) => tus.terminate(&id).await,
        (Ok(_), _) => Err(not_allowed("HEAD, PATCH, DELETE, OPTIONS")),
    };
    dressed(answer)
}

/// The method meant, once the protocol's version is right.
fn checked(request: &Request) -> Result<Method, Problem> {
    let method = match request.headers().get(METHOD_OVERRIDE) {
        Some(meant) => Method::from_bytes(meant.as_bytes()).unwrap_or_else(|_| request.method().clone()),
        None => request.method().clone(),
    };
    let version = request.headers().get(TUS_RESUMABLE);
    if method != Method::OPTIONS && version != Some(&VERSION) {
        return Err(Problem::new(
            StatusCode::PRECONDITION_FAILED,
            "tus-version",
            "This version of the upload protocol is not spoken here",
        )
        .field("Tus-Resumable")
        .detail("the header is missing or names another version")
        .remedy("send Tus-Resumable: 1.0.0")
        .header(TUS_VERSION, VERSION));
    }
    Ok(method)
}

fn dressed(answer: Result<Response, Problem>) -> Response {
    let mut response = answer.unwrap_or_else(IntoResponse::into_response);
    let map = response.headers_mut();
    map.insert(TUS_RESUMABLE, VERSION);
    map.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    map.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static(
            "location, retry-after, tus-checksum-algorithm, tus-extension, tus-max-size, tus-resumable, tus-version, \
             upload-expires, upload-length, upload-metadata, upload-offset",
        ),
    );
    headers::secure(map);
    response
}

impl Tus {
    fn max_size(&self) -> u64 {
        self.config.admission.max_size().unwrap_or(self.config.max_size)
    }

    fn options(&self) -> Response {
        let mut response = StatusCode::NO_CONTENT.into_response();
        let map = response.headers_mut();
        map.insert(TUS_VERSION, VERSION);
        map.insert("tus-extension", EXTENSIONS);
        map.insert("tus-checksum-algorithm", ALGORITHMS);
        map.insert("tus-max-size", HeaderValue::from(self.max_size()));
        map.insert(
            header::ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("POST, HEAD, PATCH, DELETE, OPTIONS"),
        );
        map.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static(
                "content-type, tus-resumable, upload-checksum, upload-length, upload-metadata, upload-offset, \
                 x-http-method-override, x-requested-with",
            ),
        );
        map.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
        response
    }

    async fn create(&self, request: Request) -> Result<Response, Problem> {
        let (parts, body) = request.into_parts();
        if parts.headers.contains_key("upload-defer-length") {
            return Err(deferred());
        }
        let length = metadata::required(&parts.headers, "upload-length")?;
        let most = self.max_size();
        if length > most {
            return Err(too_large(length, most));
        }
        let metadata = metadata::metadata(&parts.headers)?;
        let checksum = metadata::checksum(&parts.headers)?;
        let with_bytes = !body.is_end_stream();
        if with_bytes {
            offset_stream(&parts.headers)?;
            fits(&parts.headers, 0, length)?;
        }
        let spool = self.config.spool.clone();
        let admission = Arc::clone(&self.config.admission);
        let (created, expires_after) =
            (self.config.clock.now(), u32::try_from(self.config.expires_after.as_secs()).unwrap_or(u32::MAX));
        let made = tokio::task::spawn_blocking(move || {
            let announced = Announced { length, metadata: &metadata, extensions: &parts.extensions };
            let notes = admission.admit(&announced)?;
            let info = UploadInfo { length, metadata, notes, created, expires_after };
            spool.create(&info).map_err(Problem::from)
        });
        let id = made.await.map_err(|_| receive::stopped())??;
        let mut response = StatusCode::CREATED.into_response();
        if with_bytes {
            let writer = self.config.spool.write(&id, checksum).await?;
            let outcome = self.receive(writer, body).await?;
            report(response.headers_mut(), outcome)?;
        } else {
            progress(response.headers_mut(), &self.config.spool.progress(&id).await?);
            response.headers_mut().remove(UPLOAD_LENGTH);
        }
        let location = format!("{}/{}", self.config.prefix, id.as_str());
        let location = HeaderValue::from_str(&location).map_err(|_| receive::stopped())?;
        response.headers_mut().insert(header::LOCATION, location);
        Ok(response)
    }

    async fn head(&self, id: &UploadId) -> Result<Response, Problem> {
        let mut response = StatusCode::OK.into_response();
        let found = self.config.spool.progress(id).await?;
        progress(response.headers_mut(), &found);
        // The creation extension obliges us to say it again to whoever knows the upload's address.
        if let Ok(value) = HeaderValue::from_str(&metadata::encoded(&found.metadata)) {
            response.headers_mut().insert("upload-metadata", value);
        }
        Ok(response)
    }

    async fn patch(&self, id: &UploadId, request: Request) -> Result<Response, Problem> {
        let (parts, body) = request.into_parts();
        offset_stream(&parts.headers)?;
        let offset = metadata::required(&parts.headers, "upload-offset")?;
        let checksum = metadata::checksum(&parts.headers)?;
        let writer = match self.config.spool.write(id, checksum).await {
            // Complete already: where it stands decides which refusal is right.
            Err(SpoolError::Unknown) => {
                let found = self.config.spool.progress(id).await?;
                return Err(at_other_offset(offset, found.offset));
            }
            other => other?,
        };
        let refused = if writer.offset() == offset {
            fits(&parts.headers, offset, writer.length()).err()
        } else {
            Some(at_other_offset(offset, writer.offset()))
        };
        if let Some(problem) = refused {
            writer.end(false).await?;
            return Err(problem);
        }
        let outcome = self.receive(writer, body).await?;
        let mut response = StatusCode::NO_CONTENT.into_response();
        report(response.headers_mut(), outcome)?;
        Ok(response)
    }

    async fn terminate(&self, id: &UploadId) -> Result<Response, Problem> {
        self.config.spool.terminate(id).await?;
        Ok(StatusCode::NO_CONTENT.into_response())
    }
}

fn progress(map: &mut HeaderMap, found: &Progress) {
    map.insert(UPLOAD_OFFSET, HeaderValue::from(found.offset));
    map.insert(UPLOAD_LENGTH, HeaderValue::from(found.length));
    if let Some(expires) = found.expires {
        insert_expires(map, expires);
    }
}

fn report(map: &mut HeaderMap, outcome: Outcome) -> Result<(), Problem> {
    match outcome {
        Outcome::More { offset, expires } => {
            map.insert(UPLOAD_OFFSET, HeaderValue::from(offset));
            insert_expires(map, expires);
        }
        Outcome::Complete { offset } => {
            map.insert(UPLOAD_OFFSET, HeaderValue::from(offset));
        }
        Outcome::Mismatch => return Err(receive::mismatch()),
        Outcome::TooLong => return Err(longer_than_announced()),
    }
    Ok(())
}

/// `Upload-Expires` is an HTTP date (RFC 9110 section 5.6.7).
fn insert_expires(map: &mut HeaderMap, expires: Timestamp) {
    let text = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&expires);
    if let Some(value) = text.ok().and_then(|text| HeaderValue::from_str(&text).ok()) {
        map.insert(UPLOAD_EXPIRES, value);
    }
}

fn offset_stream(map: &HeaderMap) -> Result<(), Problem> {
    if headers::text(map, header::CONTENT_TYPE).is_some_and(|found| found.eq_ignore_ascii_case(OFFSET_STREAM))
    {
        return Ok(());
    }
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "upload-content-type", "The body has another type")
        .field("Content-Type")
        .detail("bytes of an upload come in a type of their own")
        .remedy("send Content-Type: application/offset+octet-stream"))
}

fn fits(map: &HeaderMap, offset: u64, length: u64) -> Result<(), Problem> {
    match metadata::number(map, "content-length")? {
        Some(part) if part > length.saturating_sub(offset) => Err(longer_than_announced()),
        _ => Ok(()),
    }
}

fn deferred() -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "bad-header", "A header is missing or malformed")
        .field("Upload-Defer-Length")
        .detail("the length of an upload must be known when it starts")
        .remedy("seal first, then send Upload-Length")
}

fn too_large(length: u64, limit: u64) -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "upload-too-large",
        "The upload is larger than this server takes",
    )
    .field("Upload-Length")
    .detail(format!("{length} bytes were announced; the limit is {limit} bytes"))
    .remedy("send fewer or shorter clips, or split them over two offers")
}

fn longer_than_announced() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "upload-overrun", "More bytes were sent than announced")
        .field("Content-Length")
        .detail("the part goes beyond Upload-Length; nothing of it was kept")
        .remedy("ask for the offset with HEAD and send only what is missing")
}

fn at_other_offset(sent: u64, held: u64) -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "upload-offset",
        "The part starts at another offset than the upload stands at",
    )
    .field("Upload-Offset")
    .detail(format!("{sent} was sent; {held} bytes are held"))
    .remedy("ask for the offset with HEAD and go on from there")
    .header(UPLOAD_OFFSET, HeaderValue::from(held))
}

fn not_allowed(allow: &'static str) -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", "This method is not served here")
        .detail("uploads are created, continued, asked about and removed; they are never read back")
        .remedy(format!("use one of {allow}"))
        .header(header::ALLOW, HeaderValue::from_static(allow))
}

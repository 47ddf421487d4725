//! Static files from one folder, which the private role writes (each file by rename, compressed siblings after it).
//!
//! Beside them stand the pages that the executable holds ([`crate::pages`]).
//!
//! What a client asks for is never written down. Everything that is not a published file answers 404 alike.

mod cache;
mod negotiate;
mod path;

use std::io::{Read as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use canvass_types::Clock;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio::sync::Semaphore;
use tokio_util::io::ReaderStream;

pub(super) use self::cache::open_plain;
use self::cache::{Cache, Entry, Look, Stamp, Stored, Variant};
use self::negotiate::Slice;
use super::headers;
use crate::pages::{self, Pages, Part, Route};
use crate::problem::Problem;

/// Bytes read at once from a file too large for memory.
const CHUNK: usize = 256 * 1024;
/// Files read from disk at the same time; the others wait their turn.
const LOADS: usize = 4;

/// Where the cache holds the page of all regions that have no reading page; no address begins without a slash.
const NO_READING: &str = "regions";
/// Bytes of the largest file that becomes part of a page.
const MAX_READING: u64 = 4 << 20;

/// Which folder is served, and with how much memory.
pub struct FilesConfig {
    /// The folder that the private role publishes into.
    pub root: PathBuf,
    /// Bytes of file content held in memory.
    pub memory: usize,
    /// A file longer than this many bytes is read from disk for each answer.
    pub memory_file: u64,
    /// Decides when a held file is looked at again.
    pub clock: Arc<dyn Clock>,
    /// The pages that are served beside the files.
    pub pages: Pages,
}

impl FilesConfig {
    /// The defaults: 64 MiB held, files up to 4 MiB each, the pages for residents.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>, clock: Arc<dyn Clock>) -> Self {
        let pages = Pages::embedded(Part::Resident);
        Self { root: root.into(), memory: 64 << 20, memory_file: 4 << 20, clock, pages }
    }
}

/// The files of one folder.
pub struct Files {
    config: FilesConfig,
    cache: Cache,
    loads: Semaphore,
}

impl Files {
    /// Serves a folder. The folder may still be empty; files appear as they are published.
    #[must_use]
    pub fn new(config: FilesConfig) -> Self {
        Self { cache: Cache::new(config.memory), loads: Semaphore::new(LOADS), config }
    }

    /// Answers one request. Anything but a published file is 404; anything but GET, HEAD and OPTIONS is 405.
    pub async fn respond(&self, method: &Method, path: &str, request: &HeaderMap) -> Response {
        let head = match *method {
            Method::GET => false,
            Method::HEAD => true,
            Method::OPTIONS => return preflight(),
            _ => return method_not_allowed(),
        };
        let now = self.config.clock.now().as_millisecond();
        let entry = match self.cache.get(path, now) {
            Some(entry) => entry,
            None => match self.load(path, now).await {
                Ok(entry) => entry,
                Err(problem) => return refuse(problem),
            },
        };
        let variant = choose(&entry, request);
        if request.contains_key(header::IF_NONE_MATCH) && unchanged(variant, request) {
            let mut response = StatusCode::NOT_MODIFIED.into_response();
            *response.headers_mut() = variant.unchanged.clone();
            return response;
        }
        let slice = wanted(variant, request);
        if !head
            && slice == Slice::Whole
            && let Stored::Memory(bytes) = &variant.stored
        {
            let mut response = Response::new(Body::from(bytes.clone()));
            *response.headers_mut() = variant.headers.clone();
            return response;
        }
        part(variant, slice, head).await.unwrap_or_else(refuse)
    }

    /// Whether the address names a page, or may name a file.
    pub fn serves(&self, path: &str) -> bool {
        self.config.pages.route(path).is_some() || path::target(path).is_some()
    }

    async fn load(&self, path: &str, now: i64) -> Result<Arc<Entry>, Problem> {
        if let Some(route) = self.config.pages.route(path) {
            return self.page(route, path, now).await;
        }
        if path::target(path).is_none() {
            return Err(Problem::not_found());
        }
        let _turn = self.loads.acquire().await.map_err(|_| unreadable())?;
        if let Some(entry) = self.cache.get(path, now) {
            return Ok(entry);
        }
        let (root, memory, owned) = (self.config.root.clone(), self.config.memory_file, path.to_owned());
        let loaded = tokio::task::spawn_blocking(move || {
            path::target(&owned).map_or(Ok(None), |target| Entry::load(&root, target, memory, now))
        });
        match loaded.await {
            Ok(Ok(Some(entry))) => {
                let entry = Arc::new(entry);
                self.cache.put(path, Arc::clone(&entry));
                Ok(entry)
            }
            Ok(Ok(None)) => Err(Problem::not_found()),
            Ok(Err(error)) => {
                tracing::warn!(kind = ?error.kind(), "a published file can't be read; check the folder's rights");
                Err(unreadable())
            }
            Err(_) => Err(unreadable()),
        }
    }
}

impl Files {
    /// Puts a page together. What is read from the folder for it is watched like a file.
    async fn page(&self, route: Route, path: &str, now: i64) -> Result<Arc<Entry>, Problem> {
        let _turn = self.loads.acquire().await.map_err(|_| unreadable())?;
        let site = self.config.root.join(pages::SITE);
        let reading = route.reading.map(|name| self.config.root.join(name));
        // Any address of a region has a page; those without a reading page share one entry, or else they would fill the memory.
        let stamp = reading.as_deref().and_then(Stamp::look);
        let key = if stamp.is_none() && route.region { NO_READING } else { path };
        if let Some(entry) = self.cache.get(key, now) {
            return Ok(entry);
        }
        let made = tokio::task::spawn_blocking(move || {
            let mut watched = vec![(site.clone(), Stamp::look(&site))];
            watched.extend(
                reading.clone().filter(|_| stamp.is_some() || !route.region).map(|path| (path, stamp)),
            );
            let policy = route.kind.may_run().then(|| pages::policy(&read(&site))).transpose()?;
            let look = Look {
                content_type: route.kind.content_type(),
                cache_control: route.cache_control,
                policy,
                vast: false,
            };
            let reading = reading.map(|path| read(&path)).unwrap_or_default();
            Ok::<_, Problem>(Entry::held(&look, pages::page(route.file, &reading), watched, now))
        });
        let entry = Arc::new(made.await.map_err(|_| unreadable())??);
        self.cache.put(key, Arc::clone(&entry));
        Ok(entry)
    }
}

/// A file of moderate size, or nothing.
fn read(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = open_plain(path).and_then(|file| file.take(MAX_READING + 1).read_to_end(&mut bytes));
    if read.is_err() || bytes.len() as u64 > MAX_READING { Vec::new() } else { bytes }
}

fn choose<'a>(entry: &'a Entry, request: &HeaderMap) -> &'a Variant {
    // A range counts bytes of the file itself.
    if (entry.br.is_none() && entry.gzip.is_none()) || request.contains_key(header::RANGE) {
        return &entry.plain;
    }
    let accepted =
        headers::text(request, header::ACCEPT_ENCODING).map(negotiate::encodings).unwrap_or_default();
    match (&entry.br, &entry.gzip) {
        (Some(br), _) if accepted.br => br,
        (_, Some(gzip)) if accepted.gzip => gzip,
        _ => &entry.plain,
    }
}

fn unchanged(variant: &Variant, request: &HeaderMap) -> bool {
    request
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .any(|value| value.to_str().is_ok_and(|value| negotiate::none_match(value, &variant.etag)))
}

fn wanted(variant: &Variant, request: &HeaderMap) -> Slice {
    let Some(range) = headers::text(request, header::RANGE) else { return Slice::Whole };
    // If-Range with another version of the file: the whole new one (RFC 9110 section 13.1.5).
    match request.get(header::IF_RANGE) {
        Some(tag) if tag.as_bytes() != variant.etag.as_bytes() => Slice::Whole,
        _ => negotiate::slice(range, variant.len),
    }
}

async fn part(variant: &Variant, slice: Slice, head: bool) -> Result<Response, Problem> {
    let (start, len) = match slice {
        Slice::Whole => (0, variant.len),
        Slice::Part { start, len } => (start, len),
        Slice::Outside => return Err(outside(variant.len)),
    };
    let body = if head { Body::empty() } else { body(variant, start, len).await? };
    let mut response = Response::new(body);
    let mut map = variant.headers.clone();
    if let Slice::Part { .. } = slice {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        map.insert(header::CONTENT_LENGTH, HeaderValue::from(len));
        let described = format!("bytes {start}-{}/{}", start + len.saturating_sub(1), variant.len);
        map.insert(header::CONTENT_RANGE, HeaderValue::from_str(&described).map_err(|_| unreadable())?);
    }
    *response.headers_mut() = map;
    Ok(response)
}

async fn body(variant: &Variant, start: u64, len: u64) -> Result<Body, Problem> {
    match &variant.stored {
        Stored::Memory(bytes) => {
            let from = usize::try_from(start).unwrap_or(usize::MAX).min(bytes.len());
            let to = from.saturating_add(usize::try_from(len).unwrap_or(0)).min(bytes.len());
            Ok(Body::from(bytes.slice(from..to)))
        }
        Stored::Disk { path, stamp } => {
            let path = path.clone();
            let opened = tokio::task::spawn_blocking(move || cache::open_plain(&path)).await;
            let mut file =
                tokio::fs::File::from_std(opened.map_err(|_| unreadable())?.map_err(|_| unreadable())?);
            let now = file.metadata().await.map_err(|_| unreadable())?;
            if Stamp::of(&now) != *stamp {
                return Err(unreadable());
            }
            file.seek(SeekFrom::Start(start)).await.map_err(|_| unreadable())?;
            Ok(Body::from_stream(ReaderStream::with_capacity(file.take(len), CHUNK)))
        }
    }
}

fn refuse(problem: Problem) -> Response {
    let mut response = problem.into_response();
    headers::secure(response.headers_mut());
    response
}

fn outside(len: u64) -> Problem {
    let problem =
        Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "range-outside", "The range lies outside the file")
            .detail(format!("the file has {len} bytes"))
            .field("Range")
            .remedy("ask for a range inside the file, or for the whole file");
    match HeaderValue::from_str(&format!("bytes */{len}")) {
        Ok(value) => problem.header(header::CONTENT_RANGE, value),
        Err(_) => problem,
    }
}

fn unreadable() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "file-changing", "The file is not readable at this moment")
        .detail("the file was being replaced or could not be read")
        .remedy("ask again in a moment")
        .retry_after(1)
}

fn method_not_allowed() -> Response {
    refuse(
        Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", "This method is not served here")
            .detail("published files are only read")
            .remedy("use GET or HEAD")
            .header(header::ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS")),
    )
}

fn preflight() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let map = response.headers_mut();
    headers::secure(map);
    map.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS"));
    map.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD"));
    map.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("if-none-match, if-range, range"),
    );
    map.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    response
}

#[cfg(test)]
mod tests;

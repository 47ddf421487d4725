//! The pages in the executable, and at which addresses they stand. Each role serves its own part; both serve the same
//! bytes to everyone, set no cookie, and say in the content policy that nothing of another origin runs.
//!
//! | address | part | what |
//! | --- | --- | --- |
//! | `/` `/offer` `/ledger` `/check` `/notify` `/searched` | public | the resident's shell; `/` with the list of regions, `/ledger` with the settings |
//! | `/footage/rules` `/footage/error-rates` | public | the same shell with what search of footage refuses, and how often seeing is wrong |
//! | `/r/<region>` | public | the same shell with the region's reading page |
//! | `/desk` `/desk/**` | desk | the desk's shell |
//! | `/assets/**`, and what stands beside the shells | both | scripts, styles, fonts, data |

use std::{collections::HashMap, io, sync::Arc};

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use canvass_notices::Notices;
pub use canvass_pages::File;
use canvass_pages::{ASSETS, DESK, FILES, READING, RESIDENT};
use serde::{Deserialize, Serialize};

use crate::{
    config::{BaseMap, ServeConfig, names_a_host},
    jobs::transparency,
    problem::Problem,
    public::headers::POLICY,
    reading::footage,
};

/// Settings that pages read; in the public folder.
pub(crate) const SITE: &str = "site.json";

/// Whose pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Of the public role.
    Resident,
    /// Of the agency's side.
    Desk,
}

/// The pages of one part.
#[derive(Debug, Clone)]
pub struct Pages {
    part: Part,
    files: Arc<HashMap<&'static str, &'static File>>,
}

/// What an address leads to.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    /// The file.
    pub(crate) file: &'static File,
    /// What kind of file it is.
    pub(crate) kind: Kind,
    /// How long it may be kept.
    pub(crate) cache_control: &'static str,
    /// The reading page that goes into it: its path in the public folder.
    pub(crate) reading: Option<String>,
    /// Whether it is a region's, of which there are more than anyone could hold.
    pub(crate) region: bool,
}

/// Kinds of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind(&'static str);

impl Kind {
    fn of(path: &str) -> Self {
        Self(match path.rsplit_once('.').map_or("", |(_, end)| end) {
            "html" => "text/html; charset=utf-8",
            "js" | "mjs" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "json" => "application/json",
            "geojson" => "application/geo+json",
            "webmanifest" => "application/manifest+json",
            "svg" => "image/svg+xml",
            "png" => "image/png",
            "webp" => "image/webp",
            "ico" => "image/x-icon",
            "woff2" => "font/woff2",
            "wasm" => "application/wasm",
            "txt" => "text/plain; charset=utf-8",
            _ => "application/octet-stream",
        })
    }

    pub(crate) const fn content_type(self) -> &'static str {
        self.0
    }

    /// Whether the policy in its headers binds what it does: pages, and scripts that may become workers.
    pub(crate) fn may_run(self) -> bool {
        self.0.starts_with("text/html") || self.0.starts_with("text/javascript")
    }
}

/// A page is asked for each time, and answered 304 while it is the same.
const EACH_TIME: &str = "no-cache";
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const FOR_AN_HOUR: &str = "public, max-age=3600";

impl Pages {
    /// Those that the executable holds.
    #[must_use]
    pub fn embedded(part: Part) -> Self {
        Self::of(part, FILES)
    }

    /// Others, for tests.
    #[must_use]
    pub fn of(part: Part, files: &'static [File]) -> Self {
        Self { part, files: Arc::new(files.iter().map(|file| (file.path, file)).collect()) }
    }

    /// What an address leads to, if it is one of a page or of what pages load.
    pub(crate) fn route(&self, path: &str) -> Option<Route> {
        if let Some((shell, reading, region)) = self.shell(path) {
            let file = self.files.get(shell).copied().unwrap_or(&NOT_BUILT);
            let kind = Kind::of(file.path);
            return Some(Route { file, kind, cache_control: EACH_TIME, reading, region });
        }
        let file = *self.files.get(path).filter(|_| path != RESIDENT && path != DESK)?;
        let cache_control = match path {
            _ if path.starts_with(ASSETS) => FOR_EVER,
            // A service worker decides what the next visit sees.
            "/sw.js" | "/desk-sw.js" => EACH_TIME,
            _ => FOR_AN_HOUR,
        };
        Some(Route { file, kind: Kind::of(path), cache_control, reading: None, region: false })
    }

    fn shell(&self, path: &str) -> Option<(&'static str, Option<String>, bool)> {
        match (self.part, path) {
            (Part::Desk, "/desk") => Some((DESK, None, false)),
            (Part::Desk, _) => path.starts_with("/desk/").then_some((DESK, None, false)),
            (Part::Resident, "/") => Some((RESIDENT, Some("feed/index.html".to_owned()), false)),
            (Part::Resident, "/ledger") => Some((RESIDENT, Some(transparency::READING.to_owned()), false)),
            (Part::Resident, "/footage/rules") => Some((RESIDENT, Some(footage::RULES.to_owned()), false)),
            (Part::Resident, "/footage/error-rates") => {
                Some((RESIDENT, Some(footage::RATES.to_owned()), false))
            }
            (Part::Resident, "/offer" | "/check" | "/notify" | "/searched") => Some((RESIDENT, None, false)),
            (Part::Resident, _) => {
                let region = path.strip_prefix("/r/").filter(|region| is_region(region))?;
                Some((RESIDENT, Some(format!("feed/{region}.html")), true))
            }
        }
    }
}

/// A cell of H3, as addresses write it.
fn is_region(text: &str) -> bool {
    text.len() == 15 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Stands where a shell would.
static NOT_BUILT: File = File {
    path: "/not-built.txt",
    plain: b"The pages are not in this executable: run `cargo xtask web`, then build it again.\n",
    br: None,
    gzip: None,
};

/// The bytes of an answer.
pub(crate) struct Page {
    /// As they are.
    pub(crate) plain: Bytes,
    /// In Brotli.
    pub(crate) br: Option<Bytes>,
    /// In gzip.
    pub(crate) gzip: Option<Bytes>,
    /// Whether they were made here and not by the build.
    pub(crate) made: bool,
}

impl Page {
    pub(crate) fn weight(&self) -> usize {
        [Some(&self.plain), self.br.as_ref(), self.gzip.as_ref()].into_iter().flatten().map(Bytes::len).sum()
    }
}

/// The file's bytes, with the reading page where the file has a place for one.
pub(crate) fn page(file: &'static File, reading: &[u8]) -> Page {
    let place = READING.as_bytes();
    let at = file.plain.windows(place.len()).position(|found| found == place).filter(|_| !reading.is_empty());
    let parts = at.and_then(|at| Some((file.plain.get(..at)?, file.plain.get(at + place.len()..)?)));
    let Some((before, after)) = parts else {
        let held = |bytes: &'static [u8]| Bytes::from_static(bytes);
        return Page {
            plain: held(file.plain),
            br: file.br.map(held),
            gzip: file.gzip.map(held),
            made: false,
        };
    };
    let plain = [before, reading, after].concat();
    let (br, gzip) = (brotli(&plain).ok().map(Bytes::from), gzip(&plain).ok().map(Bytes::from));
    Page { plain: Bytes::from(plain), br, gzip, made: true }
}

/// Once for each version of a region, so quick matters more than the last percent.
fn brotli(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams { quality: 5, lgwin: 22, ..Default::default() };
    brotli::BrotliCompress(&mut io::Cursor::new(bytes), &mut out, &parameters)?;
    Ok(out)
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    use io::Write as _;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    gzip.write_all(bytes)?;
    gzip.finish()
}

/// What pages must know of this Canvass before anything else: `/site.json`. The private role writes it when it starts.
#[derive(Debug, Serialize)]
pub(crate) struct Site<'a> {
    v: u32,
    name: &'a str,
    public_url: &'a str,
    base_map: &'a BaseMap,
    /// The key that a browser subscribes with (VAPID); none while nothing is pushed.
    push_key: Option<String>,
    /// Whether notices go out by mail.
    mail: bool,
    /// Whither wishes for notices are sealed; none where notices are off.
    notices: Option<Sealing>,
}

#[derive(Debug, Serialize)]
struct Sealing {
    recipient: String,
}

impl<'a> Site<'a> {
    pub(crate) fn of(config: &'a ServeConfig, notices: Option<&Notices>) -> Self {
        let identity = &config.identity;
        let (name, public_url) = (identity.name.as_str(), identity.public_url.as_str());
        Self {
            v: 1,
            name,
            public_url,
            base_map: &config.base_map,
            push_key: notices.and_then(Notices::push_key),
            mail: notices.is_some_and(Notices::sends_mail),
            notices: notices.map(|notices| Sealing { recipient: notices.recipient() }),
        }
    }
}

/// The part of it that decides from where a page may load.
#[derive(Default, Deserialize)]
struct Sources {
    #[serde(default)]
    base_map: Source,
}

#[derive(Default, Deserialize)]
struct Source {
    url: Option<String>,
}

/// What pages may load and run (Content Security Policy level 3): all from here, besides map tiles of the operator's choice.
///
/// # Errors
/// Never, as an origin has no character that a header can't hold.
pub(crate) fn policy(site: &[u8]) -> Result<HeaderValue, Problem> {
    let sources: Sources = serde_json::from_slice(site).unwrap_or_default();
    let tiles = sources
        .base_map
        .url
        .and_then(|url| outside_origin(&url))
        .map_or(String::new(), |origin| format!(" {origin}"));
    let text = format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self' data: blob:{tiles}; media-src 'self' blob:; worker-src 'self' blob:; font-src 'self'; \
         connect-src 'self'{tiles}; manifest-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types default svelte-trusted-html"
    );
    HeaderValue::from_str(&text).map_err(|_| Problem::not_found())
}

/// The origin of an address beyond this server, as a policy names it.
fn outside_origin(url: &str) -> Option<String> {
    let url = reqwest::Url::parse(url).ok()?;
    if !matches!(url.scheme(), "https" | "http") || !names_a_host(&url) {
        return None;
    }
    Some(url.origin().ascii_serialization())
}

/// Leads from the desk's plain address to its page.
pub(crate) fn to_desk() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, HeaderValue::from_static("/desk/"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    response
}

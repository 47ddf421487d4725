//! The same requests for stock readers: GeoJSON (RFC 7946), Atom (RFC 4287), and the list of regions.

use std::fmt::Write as _;

use canvass_types::leaf::RequestsLeaf;
use canvass_types::{Digest, PublicRequest, RequestState, Time, canonical};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::bundle::BundleError;
use super::verify::moment;

/// Characters of the details that make a title.
const TITLE_CHARACTERS: usize = 80;

/// One region in the list of regions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegionEntry {
    /// The region: an H3 cell of resolution 3.
    pub region: String,
    /// Requests in its bundle.
    pub requests: u32,
    /// Time of the newest ledger entry that its bundle shows.
    pub generated: Time,
    /// Size of the bundle in bytes.
    pub bytes: u64,
    /// SHA-256 of the bundle.
    pub digest: Digest,
}

/// The list of regions that hold requests, ordered, as canonical JSON. A region that is not listed has none.
///
/// # Errors
/// [`BundleError::Json`]; it does not happen with these types.
pub fn index(regions: &[RegionEntry]) -> Result<Vec<u8>, BundleError> {
    let mut regions = regions.to_vec();
    regions.sort_by(|a, b| a.region.cmp(&b.region));
    let list = json!({ "v": 1, "resolution": super::RESOLUTION, "regions": regions });
    canonical(&list).map_err(|error| BundleError::Json(error.to_string()))
}

fn page(base_url: &str, request: &PublicRequest) -> String {
    format!("{}/requests/{}", base_url.trim_end_matches('/'), request.id)
}

/// Newest first, then by id: the same order for everybody.
fn ordered(requests: &[PublicRequest]) -> Vec<&PublicRequest> {
    let mut ordered: Vec<_> = requests.iter().collect();
    ordered.sort_by(|a, b| (b.at, &a.id).cmp(&(a.at, &b.id)));
    ordered
}

/// A FeatureCollection with one Polygon for each request whose body is public (RFC 7946), as canonical JSON.
///
/// # Errors
/// [`BundleError::Json`]; it does not happen with these types.
pub fn geojson(requests: &[PublicRequest], base_url: &str) -> Result<Vec<u8>, BundleError> {
    let features: Vec<Value> = ordered(requests)
        .into_iter()
        .filter_map(|request| {
            let body = &request.request.as_ref()?.body;
            Some(json!({
                "type": "Feature",
                "id": request.id,
                "geometry": { "type": "Polygon", "coordinates": [counter_clockwise(body.area.ring())] },
                "properties": {
                    "agency": body.agency.name,
                    "agency_id": body.agency.id,
                    "code": body.code,
                    "incident": body.incident,
                    "details": body.details,
                    "languages": body.languages,
                    "start": body.time_frame.start,
                    "end": body.time_frame.end,
                    "zone": body.time_frame.zone,
                    "state": request.state,
                    "published": request.at,
                    "closes": request.closes,
                    "url": page(base_url, request),
                },
            }))
        })
        .collect();
    let collection = json!({ "type": "FeatureCollection", "features": features });
    canonical(&collection).map_err(|error| BundleError::Json(error.to_string()))
}

// RFC 7946 section 3.1.6: the outer ring is counter-clockwise.
fn counter_clockwise(ring: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let twice: f64 = ring.iter().zip(ring.iter().skip(1)).map(|(a, b)| a[0] * b[1] - b[0] * a[1]).sum();
    let mut ring = ring.to_vec();
    if twice < 0.0 {
        ring.reverse();
    }
    ring
}

/// Text for XML 1.0: markup escaped, characters that XML can't hold left out.
fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(character),
            '\u{fffe}' | '\u{ffff}' => {}
            other if other.is_control() => {}
            other => escaped.push(other),
        }
    }
    escaped
}

fn title(request: &PublicRequest) -> String {
    let Some(signed) = &request.request else { return "Request withheld by law".into() };
    let (body, state) = (&signed.body, request.state);
    let first = body.details.lines().next().unwrap_or_default();
    let mut short: String = first.chars().take(TITLE_CHARACTERS).collect();
    if short.len() < first.len() {
        short.push('…');
    }
    let mark =
        if state == RequestState::Published { String::new() } else { format!("[{}] ", state.as_str()) };
    format!("{mark}{}: {short}", body.agency.name)
}

/// A region's requests as an Atom feed (RFC 4287), newest first, with the area as GeoRSS Simple. `updated` is the time of
/// the newest change shown, so that equal content gives equal bytes. The result is UTF-8.
pub fn atom(requests: &[PublicRequest], base_url: &str, region: &str, updated: Time) -> Vec<u8> {
    let base = base_url.trim_end_matches('/');
    let own = xml(&format!("{base}/feed/{region}.atom"));
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
    out.push_str(
        "<feed xmlns=\"http://www.w3.org/2005/Atom\" xmlns:georss=\"http://www.georss.org/georss\">\n",
    );
    let region = xml(region);
    let _ = writeln!(out, " <id>{own}</id>\n <title>Requests for footage in region {region}</title>");
    let _ = writeln!(out, " <updated>{updated}</updated>\n <author><name>Canvass</name></author>");
    let _ = writeln!(out, " <link rel=\"self\" type=\"application/atom+xml\" href=\"{own}\"/>");
    let _ = writeln!(out, " <link rel=\"alternate\" type=\"text/html\" href=\"{}/\"/>", xml(base));
    for request in ordered(requests) {
        entry(&mut out, request, base);
    }
    out.push_str("</feed>\n");
    out.into_bytes()
}

// The newest of a request's ledger entries: its body never changes, only its state does.
fn changed(request: &PublicRequest) -> Time {
    let leaves =
        request.proofs.iter().filter_map(|proof| serde_json::from_str::<RequestsLeaf>(&proof.leaf).ok());
    leaves.map(|leaf| moment(&leaf)).fold(request.at, Time::max)
}

fn entry(out: &mut String, request: &PublicRequest, base: &str) {
    let page = xml(&page(base, request));
    let changed = changed(request);
    let _ = writeln!(out, " <entry>\n  <id>{page}</id>\n  <title>{}</title>", xml(&title(request)));
    let _ = writeln!(out, "  <updated>{changed}</updated>\n  <published>{}</published>", request.at);
    let _ = writeln!(out, "  <link rel=\"alternate\" type=\"text/html\" href=\"{page}\"/>");
    let _ = writeln!(out, "  <link rel=\"related\" type=\"application/json\" href=\"{page}.json\"/>");
    match request.request.as_ref().map(|signed| &signed.body) {
        None => {
            out.push_str("  <author><name>Canvass</name></author>\n");
            out.push_str("  <summary type=\"text\">The body of this request is withheld by law. That it existed stays.</summary>\n");
        }
        Some(body) => {
            let frame = &body.time_frame;
            let incident = json!(body.incident);
            let incident = incident.as_str().unwrap_or("other");
            let lang =
                body.languages.first().map(|tag| format!(" xml:lang=\"{}\"", xml(tag))).unwrap_or_default();
            let _ = writeln!(out, "  <author><name>{}</name></author>", xml(&body.agency.name));
            let _ = writeln!(
                out,
                "  <category term=\"{}\"/>\n  <category term=\"{}\"/>",
                xml(incident),
                request.state.as_str()
            );
            let _ = writeln!(
                out,
                "  <content type=\"text\"{lang}>{}\n\nFootage from {} to {} ({}).{}</content>",
                xml(&body.details),
                frame.start,
                frame.end,
                xml(&frame.zone),
                request.closes.map(|closes| format!(" Offers are taken until {closes}.")).unwrap_or_default(),
            );
            // GeoRSS Simple writes latitude first.
            let corners: Vec<_> = body.area.ring().iter().map(|[x, y]| format!("{y} {x}")).collect();
            let _ = writeln!(out, "  <georss:polygon>{}</georss:polygon>", corners.join(" "));
        }
    }
    out.push_str(" </entry>\n");
}

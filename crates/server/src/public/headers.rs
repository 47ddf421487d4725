//! The header values that every public answer carries.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;

/// What a page of another origin may read of a static answer: the files are public data and no answer depends on
/// credentials, so every origin may.
pub(super) const EXPOSED: HeaderValue = HeaderValue::from_static("etag, content-range");

/// Nothing served here is a document that may load or run anything.
pub(crate) const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// Where people come by TLS, browsers are told to come by it alone, for a year, to this name and those below it (RFC 6797).
pub(crate) fn keep_to_tls(by_tls: bool, mut response: Response) -> Response {
    if by_tls {
        let year = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    response
}

/// Adds what every answer of the public role carries, whatever it is.
pub(super) fn secure(headers: &mut HeaderMap) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
}

/// Adds what a page and its scripts carry. (A worker is bound by what its own script came with, so scripts carry all of it.)
pub(super) fn page(headers: &mut HeaderMap, policy: HeaderValue) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    for (name, value) in PAGE {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
}

/// No sensor of the reader's device, no page of another origin beside this one, none that reads it.
const PAGE: [(&str, &str); 3] = [
    (
        "permissions-policy",
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=()",
    ),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// A header as text, or nothing when absent or not visible ASCII.
pub(super) fn text(headers: &HeaderMap, name: impl Into<HeaderName>) -> Option<&str> {
    headers.get(name.into()).and_then(|value| value.to_str().ok())
}

//! Every refusal as problem+json (RFC 9457), with two members of our own: the field at fault and what to do next.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use canvass_types::FieldProblem;
use serde::Serialize;

/// The media type of a [`Problem`] (RFC 9457 section 3).
pub const PROBLEM_JSON: &str = "application/problem+json";

/// A refusal that says what was wrong, where, and what to do next. It never carries personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Parts {
    kind: &'static str,
    title: &'static str,
    status: StatusCode,
    detail: String,
    field: Option<String>,
    remedy: Option<String>,
    problems: Vec<FieldProblem>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// The members of a problem document as they are written (RFC 9457 section 3.1).
#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'a str>,
    #[serde(skip_serializing_if = "<[FieldProblem]>::is_empty")]
    problems: &'a [FieldProblem],
}

impl Problem {
    /// A problem of one kind. `kind` is a short stable slug (`upload-too-large`) that programs may compare; `title` is
    /// the same sentence for every occurrence of the kind.
    #[must_use]
    pub fn new(status: StatusCode, kind: &'static str, title: &'static str) -> Self {
        let (detail, headers, problems) = (String::new(), Vec::new(), Vec::new());
        Self(Box::new(Parts { kind, title, status, detail, field: None, remedy: None, problems, headers }))
    }

    /// Anything that does not exist, or that the caller may not know exists.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "Nothing is here")
            .detail("there is nothing under this address")
            .remedy("check the address, or start again from the map")
    }

    /// What happened this time.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = detail.into();
        self
    }

    /// The header, metadata key or JSON member at fault.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.0.field = Some(field.into());
        self
    }

    /// What the caller can do next.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.0.remedy = Some(remedy.into());
        self
    }

    /// Everything that is wrong with the input, each beside its field.
    #[must_use]
    pub fn problems(mut self, problems: Vec<FieldProblem>) -> Self {
        self.0.problems = problems;
        self
    }

    /// A header to send along, such as `Allow` or `Tus-Version`.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// After how many seconds a repeat may succeed (`Retry-After`, RFC 9110 section 10.2.3).
    #[must_use]
    pub fn retry_after(self, seconds: u32) -> Self {
        self.header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// The status it is answered with.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The stable slug of its kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.0.kind
    }

    /// The document, as JSON text.
    #[must_use]
    pub fn to_json(&self) -> String {
        let document = Document {
            r#type: format!("urn:canvass:problem:{}", self.0.kind),
            title: self.0.title,
            status: self.0.status.as_u16(),
            detail: &self.0.detail,
            field: self.0.field.as_deref(),
            remedy: self.0.remedy.as_deref(),
            problems: &self.0.problems,
        };
        serde_json::to_string(&document).unwrap_or_default()
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.0.title, self.0.detail)?;
        self.0.remedy.as_ref().map_or(Ok(()), |remedy| write!(f, "; {remedy}"))
    }
}

impl std::error::Error for Problem {}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.0.status, self.to_json()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value) in self.0.headers {
            headers.insert(name, value);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_names_field_and_remedy() {
        let problem = Problem::new(StatusCode::BAD_REQUEST, "bad-thing", "A thing is bad")
            .detail("it is \"odd\"")
            .field("Thing")
            .remedy("send another");
        assert_eq!(
            problem.to_json(),
            r#"{"type":"urn:canvass:problem:bad-thing","title":"A thing is bad","status":400,"detail":"it is \"odd\"","field":"Thing","remedy":"send another"}"#
        );
        let response = problem.retry_after(7).into_response();
        assert_eq!(response.headers()[header::CONTENT_TYPE], PROBLEM_JSON);
        assert_eq!(response.headers()[header::RETRY_AFTER], "7");
    }
}

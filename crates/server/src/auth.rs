//! Who asks: a bearer token, or the session whose secret this browser holds in a cookie that no script can read.
//!
//! A cookie goes along by itself, so what comes with one must also show that the desk's own page sent it: a header that no
//! form or link of another site can set, and, where the browser names the origin, that it is the desk's.

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, HeaderValue, Method, header, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use base64::Engine as _;
use canvass_core::{access::Actor, signin::limits};

use crate::{desk::Desk, problem::Problem, refusal};

/// The member who asks.
pub struct Authenticated(pub Actor);

/// The machine of a camera that asks: as everybody, or with its token as the password of HTTP Basic (RFC 7617), because
/// readers of some makers know an address and no headers.
pub struct Machine(pub Actor);

/// The secret of the session that asks, locked or not.
pub struct InSession(pub String);

/// The secret of the session that asks, if there is one.
pub struct PerhapsInSession(pub Option<String>);

/// The longest secret that is looked at.
const LONGEST: usize = 200;
/// The header that the desk's pages send.
pub const FROM_DESK: &str = "canvass-desk";

/// The cookie's name: with TLS one that other hosts and paths can't set (RFC 6265bis, section 4.1.3.2).
fn cookie_name(desk: &Desk) -> &'static str {
    if desk.app.desk_origin().is_some_and(|origin| origin.starts_with("https://")) {
        "__Host-canvass"
    } else {
        "canvass"
    }
}

/// The cookie that holds a secret; none takes it away.
pub(crate) fn cookie(desk: &Desk, secret: Option<&str>) -> String {
    let name = cookie_name(desk);
    let secure = if name.starts_with("__Host-") { "; Secure" } else { "" };
    let age = if secret.is_some() { limits::SESSION_HOURS * 3_600 } else { 0 };
    format!("{name}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age}{secure}", secret.unwrap_or_default())
}

fn brought(desk: &Desk, headers: &HeaderMap) -> Option<String> {
    let name = cookie_name(desk);
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, value)| *key == name && !value.is_empty() && value.len() <= LONGEST)
        .map(|(_, value)| value.to_owned())
}

/// Whether the desk's own page sent it.
fn from_desk(desk: &Desk, method: &Method, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
    let origin = desk.app.desk_origin().map(str::as_bytes);
    let named = match text("origin") {
        Some(found) => origin == Some(found),
        None => method.is_safe(),
    };
    let same_site = text("sec-fetch-site").is_none_or(|site| site == b"same-origin");
    headers.contains_key(FROM_DESK) && named && same_site
}

fn session(desk: &Desk, method: &Method, headers: &HeaderMap) -> Result<String, Problem> {
    let secret = brought(desk, headers).ok_or_else(refusal::sign_in)?;
    if from_desk(desk, method, headers) { Ok(secret) } else { Err(refusal::not_from_desk()) }
}

async fn actor(desk: &Desk, method: &Method, headers: &HeaderMap) -> Result<Actor, Problem> {
    let Some(text) = headers.get(header::AUTHORIZATION) else {
        return Ok(desk.app.session_actor(&session(desk, method, headers)?).await?);
    };
    let secret = text.to_str().ok().and_then(|text| {
        let (scheme, secret) = text.split_once(' ')?;
        let secret = secret.trim();
        (scheme.eq_ignore_ascii_case("bearer") && secret.len() <= LONGEST).then_some(secret)
    });
    let secret = secret.ok_or_else(refusal::sign_in)?;
    Ok(desk.app.sign_in(secret).await?)
}

/// The password of HTTP Basic, if that is what came. The user's name says nothing.
fn password(headers: &HeaderMap) -> Option<String> {
    let (scheme, given) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") || given.len() > 2 * LONGEST {
        return None;
    }
    let pair = base64::engine::general_purpose::STANDARD.decode(given.trim()).ok()?;
    let (_, password) = std::str::from_utf8(&pair).ok()?.split_once(':')?;
    (password.len() <= LONGEST).then(|| password.to_owned())
}

impl FromRequestParts<Desk> for Machine {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Problem> {
        match password(&parts.headers) {
            Some(secret) => Ok(Self(desk.app.sign_in(&secret).await?)),
            None => actor(desk, &parts.method, &parts.headers).await.map(Self),
        }
    }
}

impl FromRequestParts<Desk> for InSession {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Problem> {
        session(desk, &parts.method, &parts.headers).map(Self)
    }
}

impl FromRequestParts<Desk> for PerhapsInSession {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Problem> {
        Ok(Self(session(desk, &parts.method, &parts.headers).ok()))
    }
}

impl FromRequestParts<Desk> for Authenticated {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Problem> {
        actor(desk, &parts.method, &parts.headers).await.map(Self)
    }
}

/// Lets only members through, and notes who it is for what lies behind: the uploads.
pub(crate) async fn members_only(State(desk): State<Desk>, mut request: Request, next: Next) -> Response {
    match actor(&desk, request.method(), request.headers()).await {
        Ok(actor) => {
            request.extensions_mut().insert(actor);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

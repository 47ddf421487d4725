//! Who asks. Today a bearer token; the extractor is the one seam where other sign-ins will join.

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, header, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use canvass_core::access::Actor;

use crate::{desk::Desk, problem::Problem, refusal};

/// The member who asks.
pub struct Authenticated(pub Actor);

/// The longest bearer secret that is looked at.
const LONGEST: usize = 200;

async fn actor(desk: &Desk, headers: &HeaderMap) -> Result<Actor, Problem> {
    let text = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let secret = text.and_then(|text| {
        let (scheme, secret) = text.split_once(' ')?;
        let secret = secret.trim();
        (scheme.eq_ignore_ascii_case("bearer") && secret.len() <= LONGEST).then_some(secret)
    });
    let secret = secret.ok_or_else(refusal::sign_in)?;
    Ok(desk.app.sign_in(secret).await?)
}

impl FromRequestParts<Desk> for Authenticated {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Problem> {
        actor(desk, &parts.headers).await.map(Self)
    }
}

/// Lets only members through, and notes who it is for what lies behind: the uploads.
pub(crate) async fn members_only(State(desk): State<Desk>, mut request: Request, next: Next) -> Response {
    match actor(&desk, request.headers()).await {
        Ok(actor) => {
            request.extensions_mut().insert(actor);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

//! Signing in by passkey: ceremonies, the session of this browser, passkeys and enrolments.

use axum::{
    Json,
    extract::{ConnectInfo, State},
    http::{HeaderName, StatusCode, header},
};
use canvass_core::signin::{
    Ceremony, EnrolmentOffer, EnrolmentView, FinishEnrolment, FinishPasskey, FinishSession, IssuedEnrolment,
    OpenEnrolment, PasskeyView, SessionView, SignInOf, SignInWays,
};
use canvass_types::{EnrolmentId, MemberId, PasskeyId, SessionId};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, Made, Refusals, answer, made};
use crate::{
    auth::{self, Authenticated, InSession, PerhapsInSession},
    desk::Desk,
    extract::{At, Input},
    problem::Problem,
    serve::Peer,
};

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new()
        .routes(routes!(ways))
        .routes(routes!(begin))
        .routes(routes!(finish))
        .routes(routes!(begin_enrolment))
        .routes(routes!(finish_enrolment))
        .routes(routes!(begin_confirmation))
        .routes(routes!(finish_confirmation))
        .routes(routes!(lock))
        .routes(routes!(sign_out))
        .routes(routes!(mine))
        .routes(routes!(begin_passkey))
        .routes(routes!(add_passkey))
        .routes(routes!(remove_passkey))
        .routes(routes!(end_session))
        .routes(routes!(of_member))
        .routes(routes!(enrol))
        .routes(routes!(revoke_enrolment))
}

/// An answer that sets the session's cookie, or takes it away.
pub(super) type WithCookie<T> = Result<(StatusCode, [(HeaderName, String); 1], T), Problem>;

/// Most bytes of what a stranger sends: an attestation with its certificates is smaller.
const MOST: usize = 64 * 1024;

/// How one can sign in here, and where this browser's session stands.
#[utoipa::path(get, path = "/signin", tag = "signin", responses((status = 200, body = SignInWays), Refusals))]
pub async fn ways(
    State(desk): State<Desk>,
    PerhapsInSession(secret): PerhapsInSession,
) -> Answer<SignInWays> {
    answer(|| desk.app.sign_in_ways(secret.as_deref())).await
}

/// Begins to sign in; no name is asked for.
#[utoipa::path(post, path = "/signin/begin", tag = "signin", responses((status = 200, body = Ceremony), Refusals))]
pub async fn begin(State(desk): State<Desk>, ConnectInfo(peer): ConnectInfo<Peer>) -> Answer<Ceremony> {
    desk.pace.admit(peer, desk.seconds())?;
    Ok(Json(desk.app.begin_sign_in()?))
}

/// Signs in: the answer sets the session's cookie.
#[utoipa::path(post, path = "/signin/finish", tag = "signin", request_body = FinishSession,
    responses((status = 201, body = SessionView), Refusals))]
pub async fn finish(
    State(desk): State<Desk>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Input(finish): Input<FinishSession, MOST>,
) -> WithCookie<Json<SessionView>> {
    desk.pace.admit(peer, desk.seconds())?;
    let opened = desk.app.finish_sign_in(&finish).await?;
    let cookie = auth::cookie(&desk, Some(&opened.secret));
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, cookie)], Json(opened.session)))
}

/// Opens an enrolment, and begins to register its passkey.
#[utoipa::path(post, path = "/enrolment/begin", tag = "signin", request_body = OpenEnrolment,
    responses((status = 200, body = EnrolmentOffer), Refusals))]
pub async fn begin_enrolment(
    State(desk): State<Desk>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Input(open): Input<OpenEnrolment, MOST>,
) -> Answer<EnrolmentOffer> {
    desk.pace.admit(peer, desk.seconds())?;
    answer(|| desk.app.begin_enrolment(&open)).await
}

/// Registers the passkey of an enrolment, which is used up by it.
#[utoipa::path(post, path = "/enrolment/finish", tag = "signin", request_body = FinishEnrolment,
    responses((status = 201, body = PasskeyView), Refusals))]
pub async fn finish_enrolment(
    State(desk): State<Desk>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Input(finish): Input<FinishEnrolment, MOST>,
) -> Made<PasskeyView> {
    desk.pace.admit(peer, desk.seconds())?;
    Ok((StatusCode::CREATED, Json(desk.app.finish_enrolment(&finish).await?)))
}

/// Begins to unlock the session, or to confirm a dangerous action.
#[utoipa::path(post, path = "/session/begin", tag = "signin", responses((status = 200, body = Ceremony), Refusals))]
pub async fn begin_confirmation(
    State(desk): State<Desk>,
    InSession(secret): InSession,
    ConnectInfo(peer): ConnectInfo<Peer>,
) -> Answer<Ceremony> {
    desk.pace.admit(peer, desk.seconds())?;
    answer(|| desk.app.begin_confirmation(&secret)).await
}

/// Unlocks the session; for five minutes dangerous actions are taken.
#[utoipa::path(post, path = "/session/finish", tag = "signin", request_body = FinishSession,
    responses((status = 200, body = SessionView), Refusals))]
pub async fn finish_confirmation(
    State(desk): State<Desk>,
    InSession(secret): InSession,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Input(finish): Input<FinishSession, MOST>,
) -> Answer<SessionView> {
    desk.pace.admit(peer, desk.seconds())?;
    Ok(Json(desk.app.finish_confirmation(&secret, &finish).await?))
}

/// Locks the session.
#[utoipa::path(post, path = "/session/lock", tag = "signin", responses((status = 200, body = SessionView), Refusals))]
pub async fn lock(State(desk): State<Desk>, InSession(secret): InSession) -> Answer<SessionView> {
    answer(|| desk.app.lock_session(&secret)).await
}

/// Signs out: ends the session and takes the cookie away.
#[utoipa::path(delete, path = "/session", tag = "signin", responses((status = 204), Refusals))]
pub async fn sign_out(State(desk): State<Desk>, InSession(secret): InSession) -> WithCookie<()> {
    super::retried(|| desk.app.sign_out(&secret)).await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, auth::cookie(&desk, None))], ()))
}

/// Your passkeys and sessions.
#[utoipa::path(get, path = "/me/sign-in", tag = "signin", responses((status = 200, body = SignInOf), Refusals))]
pub async fn mine(State(desk): State<Desk>, Authenticated(actor): Authenticated) -> Answer<SignInOf> {
    answer(|| desk.app.my_sign_in(&actor)).await
}

/// Begins to add a passkey of yours.
#[utoipa::path(post, path = "/me/passkeys/begin", tag = "signin", responses((status = 200, body = Ceremony), Refusals))]
pub async fn begin_passkey(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
) -> Answer<Ceremony> {
    answer(|| desk.app.begin_passkey(&actor)).await
}

/// Adds a passkey of yours.
#[utoipa::path(post, path = "/me/passkeys", tag = "signin", request_body = FinishPasskey,
    responses((status = 201, body = PasskeyView), Refusals))]
pub async fn add_passkey(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Input(finish): Input<FinishPasskey, MOST>,
) -> Made<PasskeyView> {
    Ok((StatusCode::CREATED, Json(desk.app.add_passkey(&actor, &finish).await?)))
}

/// Removes a passkey, yours or a member's; sessions that it opened end at once.
#[utoipa::path(delete, path = "/passkeys/{passkey}", tag = "signin", params(("passkey" = PasskeyId, Path)),
    responses((status = 200, body = PasskeyView), Refusals))]
pub async fn remove_passkey(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(passkey): At<PasskeyId>,
) -> Answer<PasskeyView> {
    answer(|| desk.app.remove_passkey(&actor, &passkey)).await
}

/// Ends a session, yours or a member's.
#[utoipa::path(delete, path = "/sessions/{session}", tag = "signin", params(("session" = SessionId, Path)),
    responses((status = 200, body = SessionView), Refusals))]
pub async fn end_session(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(session): At<SessionId>,
) -> Answer<SessionView> {
    answer(|| desk.app.end_session(&actor, &session)).await
}

/// How a member signs in by passkey.
#[utoipa::path(get, path = "/members/{member}/sign-in", tag = "signin", params(("member" = MemberId, Path)),
    responses((status = 200, body = SignInOf), Refusals))]
pub async fn of_member(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(member): At<MemberId>,
) -> Answer<SignInOf> {
    answer(|| desk.app.sign_in_of(&actor, &member)).await
}

/// Invites a member to register a passkey; the link is shown this once.
#[utoipa::path(post, path = "/members/{member}/enrolments", tag = "signin", params(("member" = MemberId, Path)),
    responses((status = 201, body = IssuedEnrolment), Refusals))]
pub async fn enrol(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(member): At<MemberId>,
) -> Made<IssuedEnrolment> {
    made(|| desk.app.enrol(&actor, &member)).await
}

/// Takes an enrolment back.
#[utoipa::path(delete, path = "/enrolments/{enrolment}", tag = "signin", params(("enrolment" = EnrolmentId, Path)),
    responses((status = 200, body = EnrolmentView), Refusals))]
pub async fn revoke_enrolment(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(enrolment): At<EnrolmentId>,
) -> Answer<EnrolmentView> {
    answer(|| desk.app.revoke_enrolment(&actor, &enrolment)).await
}

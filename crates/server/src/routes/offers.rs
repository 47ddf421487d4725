//! The inbox: what residents sent, sealed.

use axum::{extract::State, http::HeaderMap, response::Response};
use canvass_core::{
    custody::CustodyView,
    inbox::{
        Annotate, AnswerWithdrawal, Assignee, OfferDetail, OfferFilter, OfferView, OpenedReport, WorkFilter,
    },
    records::OfferState,
};
use canvass_types::{CaseId, OfferId, leaf::Log};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, List, Made, Refusals, answer, evidence, listed, made, retried};
use crate::{
    auth::Authenticated,
    desk::Desk,
    extract::{At, Input, Purpose, Seek},
    problem::Problem,
};

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(envelope))
        .routes(routes!(report))
        .routes(routes!(ask))
        .routes(routes!(annotate))
        .routes(routes!(withdrawal))
        .routes(routes!(link))
        .routes(routes!(custody))
}

/// Which offers.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// In this state.
    state: Option<OfferState>,
    /// To this request or portal.
    destination: Option<String>,
    /// Of this case.
    case: Option<CaseId>,
    /// On which this member works; `me` and `none` are words for whoever asks and for nobody.
    #[param(value_type = Option<String>)]
    assignee: Option<Assignee>,
    /// With this tag.
    tag: Option<String>,
    /// With notes (true), or without (false).
    noted: Option<bool>,
    /// Whose reminder has come (true), or all others (false).
    reminder_due: Option<bool>,
    /// In which something waits for the agency (true), or nothing (false): a wish to take it back, or the resident's answer.
    waiting: Option<bool>,
    /// From behind this place on.
    after: Option<u64>,
    /// At most so many, 1 to 200.
    limit: Option<u32>,
}

/// A question to the resident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// The question, sealed to the mailbox: an armoured age file of at most 48 KiB.
    pub sealed: String,
}

/// The case that an offer belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The case; null takes the offer out of its case.
    pub case: Option<CaseId>,
}

/// Lists offers to your agency, newest first.
#[utoipa::path(get, path = "/offers", tag = "offers", params(Which),
    responses((status = 200, body = List<OfferView>), Refusals))]
pub async fn list(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Seek(which): Seek<Which>,
) -> Answer<List<OfferView>> {
    let Which { state, destination, case, assignee, tag, noted, reminder_due, waiting, after, limit } = which;
    let work = WorkFilter { assignee, tag, noted, reminder_due };
    listed(
        desk.app.offers(&actor, &OfferFilter { state, destination, case, work, waiting, after, limit }).await,
    )
}

/// Shows an offer with what it answers, its receipt, holds and items.
#[utoipa::path(get, path = "/offers/{offer}", tag = "offers", params(("offer" = OfferId, Path)),
    responses((status = 200, body = OfferDetail), Refusals))]
pub async fn show(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(offer): At<OfferId>,
) -> Answer<OfferDetail> {
    let signed = desk.ledgers.of(Log::Oversight).size().await;
    answer(|| desk.app.offer_detail(&actor, &offer, signed)).await
}

/// Gives out the sealed envelope, once its opening stands in the record. `Range` goes on where a download broke off.
#[utoipa::path(get, path = "/offers/{offer}/envelope", tag = "offers",
    params(("offer" = OfferId, Path), evidence::Headers),
    responses(
        (status = 200, content_type = "application/octet-stream", description = "The sealed bytes",
            headers(("Canvass-Sha256" = String, description = "SHA-256 of the whole"))),
        (status = 206, content_type = "application/octet-stream", description = "The range asked for"),
        (status = 416, body = super::ProblemDocument, content_type = "application/problem+json", description = "The range is not inside"),
        Refusals))]
pub async fn envelope(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(offer): At<OfferId>,
    Purpose(purpose): Purpose,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let grant = retried(|| desk.app.open_offer(&actor, &offer, &purpose)).await?;
    evidence::send(&desk, &grant, &headers).await
}

/// Says what the opened envelope held.
#[utoipa::path(post, path = "/offers/{offer}/report", tag = "offers", params(("offer" = OfferId, Path)),
    request_body = OpenedReport, responses((status = 200, body = OfferView), Refusals))]
pub async fn report(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(offer): At<OfferId>,
    Input(report): Input<OpenedReport>,
) -> Answer<OfferView> {
    answer(|| desk.app.report_offer(&actor, &offer, &report)).await
}

/// Puts a question to the resident, sealed to their mailbox.
#[utoipa::path(post, path = "/offers/{offer}/questions", tag = "offers", params(("offer" = OfferId, Path)),
    request_body = Ask, responses((status = 201, body = OfferView), Refusals))]
pub async fn ask(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(offer): At<OfferId>,
    Input(ask): Input<Ask>,
) -> Made<OfferView> {
    made(|| desk.app.ask(&actor, &offer, &ask.sealed)).await
}

/// Changes notes, tags, assignment and reminder.
#[utoipa::path(post, path = "/offers/{offer}/annotations", tag = "offers", params(("offer" = OfferId, Path)),
    request_body = Annotate, responses((status = 200, body = OfferView), Refusals))]
pub async fn annotate(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(offer): At<OfferId>,
    Input(change): Input<Annotate>,
) -> Answer<OfferView> {
    answer(|| desk.app.annotate_offer(&actor, &offer, &change)).await
}

/// Answers the resident's wish to take an opened offer back.
#[utoipa::path(post, path = "/offers/{offer}/withdrawal", tag = "offers", params(("offer" = OfferId, Path)),
    request_body = AnswerWithdrawal, responses((status = 200, body = OfferView), Refusals))]
pub async fn withdrawal(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(offer): At<OfferId>,
    Input(word): Input<AnswerWithdrawal>,
) -> Answer<OfferView> {
    answer(|| desk.app.answer_withdrawal(&actor, &offer, &word)).await
}

/// Puts an offer into a case, or takes it out.
#[utoipa::path(put, path = "/offers/{offer}/case", tag = "offers", params(("offer" = OfferId, Path)),
    request_body = Link, responses((status = 200, body = OfferView), Refusals))]
pub async fn link(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(offer): At<OfferId>,
    Input(link): Input<Link>,
) -> Answer<OfferView> {
    answer(|| desk.app.link_offer(&actor, &offer, link.case.as_ref())).await
}

/// Shows an offer's chain of custody.
#[utoipa::path(get, path = "/offers/{offer}/custody", tag = "offers", params(("offer" = OfferId, Path)),
    responses((status = 200, body = CustodyView), Refusals))]
pub async fn custody(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(offer): At<OfferId>,
) -> Answer<CustodyView> {
    answer(|| desk.app.custody(&actor, offer.as_str())).await
}

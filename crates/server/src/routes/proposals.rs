//! Changes that take two people: proposals, and what becomes of them.

use std::collections::BTreeMap;

use axum::extract::State;
use canvass_core::{
    proposals::{NewLimits, NewRules, ProposalDetail, ProposalFilter, ProposalView},
    records::ProposalState,
};
use canvass_types::{Policy, ProposalId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, List, Made, Refusals, answer, listed, made};
use crate::{
    auth::Authenticated,
    desk::Desk,
    extract::{At, Input, Seek},
};

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new()
        .routes(routes!(propose, list))
        .routes(routes!(show))
        .routes(routes!(approve))
        .routes(routes!(refuse))
        .routes(routes!(withdraw))
}

/// Largest body of a proposal: a whole set of rules, as JSON.
const MOST: usize = 2 * 1024 * 1024;

/// What is proposed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum NewProposal {
    /// Other limits and retentions.
    Limits {
        /// The whole policy as it shall be.
        policy: Policy,
        /// Why, in words, 10 to 500 characters.
        reason: String,
    },
    /// Other rules of who may do what.
    Rules {
        /// Files that shall change or come, by path below `policies/`, such as `caps.cedar`. `roles.cedar` is generated when
        /// it is not given.
        #[serde(default)]
        files: BTreeMap<String, String>,
        /// Paths of files that shall go.
        #[serde(default)]
        remove: Vec<String>,
        /// Whether to begin with the set that ships with this version, instead of the one in force.
        #[serde(default)]
        shipped: bool,
        /// Why, in words, 10 to 500 characters.
        reason: String,
    },
}

/// Why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Because {
    /// In words, 10 to 500 characters.
    pub reason: String,
}

/// Which proposals.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// In this state.
    state: Option<ProposalState>,
    /// From behind this place on.
    after: Option<u64>,
    /// At most so many, 1 to 200.
    limit: Option<u32>,
}

/// Proposes other limits or rules. Nothing changes until another operator approves.
#[utoipa::path(post, path = "/proposals", tag = "proposals", request_body = NewProposal,
    responses((status = 201, body = ProposalView), Refusals))]
pub async fn propose(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Input(wish): Input<NewProposal, MOST>,
) -> Made<ProposalView> {
    match wish {
        NewProposal::Limits { policy, reason } => {
            let wish = NewLimits { policy, reason };
            made(|| desk.app.propose_limits(&actor, wish.clone())).await
        }
        NewProposal::Rules { files, remove, shipped, reason } => {
            let wish = NewRules { files, remove, shipped, reason };
            made(|| desk.app.propose_rules(&actor, wish.clone())).await
        }
    }
}

/// Lists proposals, newest first: of the own agency, or all for operators and overseers.
#[utoipa::path(get, path = "/proposals", tag = "proposals", params(Which),
    responses((status = 200, body = List<ProposalView>), Refusals))]
pub async fn list(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Seek(which): Seek<Which>,
) -> Answer<List<ProposalView>> {
    let Which { state, after, limit } = which;
    listed(desk.app.proposals(&actor, &ProposalFilter { state, after, limit }).await)
}

/// Shows a proposal with what it would change: as a text, and whose rights.
#[utoipa::path(get, path = "/proposals/{proposal}", tag = "proposals", params(("proposal" = ProposalId, Path)),
    responses((status = 200, body = ProposalDetail), Refusals))]
pub async fn show(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(proposal): At<ProposalId>,
) -> Answer<ProposalDetail> {
    answer(|| desk.app.proposal(&actor, &proposal)).await
}

/// Approves what somebody else proposed; it is in force from then on.
#[utoipa::path(post, path = "/proposals/{proposal}/approve", tag = "proposals", params(("proposal" = ProposalId, Path)),
    responses((status = 200, body = ProposalView), Refusals))]
pub async fn approve(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(proposal): At<ProposalId>,
) -> Answer<ProposalView> {
    answer(|| desk.app.approve_proposal(&actor, &proposal)).await
}

/// Refuses what somebody else proposed.
#[utoipa::path(post, path = "/proposals/{proposal}/refuse", tag = "proposals", params(("proposal" = ProposalId, Path)),
    request_body = Because, responses((status = 200, body = ProposalView), Refusals))]
pub async fn refuse(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(proposal): At<ProposalId>,
    Input(because): Input<Because>,
) -> Answer<ProposalView> {
    answer(|| desk.app.refuse_proposal(&actor, &proposal, &because.reason)).await
}

/// Takes back what one proposed oneself.
#[utoipa::path(post, path = "/proposals/{proposal}/withdraw", tag = "proposals", params(("proposal" = ProposalId, Path)),
    responses((status = 200, body = ProposalView), Refusals))]
pub async fn withdraw(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(proposal): At<ProposalId>,
) -> Answer<ProposalView> {
    answer(|| desk.app.withdraw_proposal(&actor, &proposal)).await
}

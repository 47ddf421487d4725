//! What is kept and why: retention, records of actions, the policy, backups, and the state of the server.

use std::collections::BTreeMap;

use axum::{Json, extract::State, http::StatusCode};
use canvass_core::{
    CoreError,
    access::{PurposeChoices, SystemBackup, SystemRead, Target},
    plates::ClassKept,
    ports::{Kind, Records as _},
    publishing::AuditFilter,
    records::AuditRecord,
    retention::{Due, ScheduleFilter},
};
use canvass_types::{AgencyId, CaseId, MemberId, Policy, Time, leaf::Log};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, List, Made, Refusals, listed};
use crate::{
    auth::Authenticated,
    desk::Desk,
    extract::{Input, Seek},
    operator,
    problem::Problem,
};

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new()
        .routes(routes!(retention))
        .routes(routes!(reads_kept))
        .routes(routes!(audit))
        .routes(routes!(policy))
        .routes(routes!(purposes))
        .routes(routes!(backup))
        .routes(routes!(system))
}

/// What of the schedule.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Upcoming {
    /// Of this agency.
    agency: Option<AgencyId>,
    /// Due until then.
    by: Option<Time>,
    /// Only this kind: `envelope`, `item`, `mailbox`, `text`, `record` or `erasure`.
    what: Option<String>,
    /// Only what a hold keeps (true), or what none does (false).
    held: Option<bool>,
    /// At most so many.
    limit: Option<u32>,
}

/// Lists what will be destroyed when, and what a hold keeps.
#[utoipa::path(get, path = "/retention", tag = "governance", params(Upcoming),
    responses((status = 200, body = List<Due>), Refusals))]
pub async fn retention(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Seek(what): Seek<Upcoming>,
) -> Answer<List<Due>> {
    let Upcoming { agency, by, what, held, limit } = what;
    listed(desk.app.schedule(&actor, &ScheduleFilter { agency, by, what, held, limit }).await)
}

/// Says how long plate reads and sightings of cameras are kept under your agency's law, how many there are, and what was forgotten
/// last: reads that met no hotlist, reads that met one, and people and vehicles that cameras saw.
#[utoipa::path(get, path = "/retention/reads", tag = "governance",
    responses((status = 200, body = List<ClassKept>), Refusals))]
pub async fn reads_kept(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
) -> Answer<List<ClassKept>> {
    let slices = desk.with_reads(canvass_core::plates::Reads::slices).await?;
    listed(desk.app.reads_kept(&actor, &slices).await)
}

/// Which records.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Done to this.
    subject: Option<String>,
    /// Of this name.
    action: Option<String>,
    /// For this case.
    case: Option<CaseId>,
    /// Done by this member.
    actor: Option<MemberId>,
    /// From behind this place on.
    after: Option<u64>,
    /// At most so many, 1 to 200.
    limit: Option<u32>,
}

/// Lists records of actions, newest first. Reading them leaves a record, too.
#[utoipa::path(get, path = "/audit", tag = "governance", params(Which),
    responses((status = 200, body = List<AuditRecord>), Refusals))]
pub async fn audit(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Seek(which): Seek<Which>,
) -> Answer<List<AuditRecord>> {
    let Which { subject, action, case, actor: by, after, limit } = which;
    listed(desk.app.audit(&actor, &AuditFilter { subject, action, after, case, actor: by, limit }).await)
}

/// Shows the policy in force.
#[utoipa::path(get, path = "/policy", tag = "governance", responses((status = 200, body = Policy), Refusals))]
pub async fn policy(State(desk): State<Desk>, Authenticated(_member): Authenticated) -> Answer<Policy> {
    Ok(Json(desk.app.policy().clone()))
}

/// Lists the purposes, offences and limits of a reason from which the member may choose: for the header Canvass-Purpose.
#[utoipa::path(get, path = "/purposes", tag = "governance",
    responses((status = 200, body = PurposeChoices), Refusals))]
pub async fn purposes(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
) -> Answer<PurposeChoices> {
    Ok(Json(desk.app.purposes(&actor)))
}

/// A backup that is to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBackup {
    /// Name of its folder below `backups`: 1 to 64 characters of a-z, 0-9 and -.
    pub name: String,
}

/// A backup that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackupView {
    /// Name of its folder.
    pub name: String,
    /// Files in it.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
}

/// Makes a backup in the data folder while everything goes on. Keys of the server are not in it.
#[utoipa::path(post, path = "/backups", tag = "governance", request_body = NewBackup,
    responses((status = 201, body = BackupView), Refusals))]
pub async fn backup(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Input(wish): Input<NewBackup>,
) -> Made<BackupView> {
    desk.app.note_deed::<SystemBackup>(&actor, "backup").await?;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !(1..=64).contains(&wish.name.len()) || !wish.name.bytes().all(plain) {
        return Err(CoreError::field(
            "name",
            "form",
            "it is no plain name",
            "use 1 to 64 characters of a-z, 0-9 and -",
        )
        .into());
    }
    let to = desk.folder.backups().join(&wish.name);
    let made = operator::backup_of(desk.app.records(), &desk.folder, &to, false).await.map_err(|error| {
        tracing::error!(%error, "a backup failed");
        Problem::new(StatusCode::CONFLICT, "backup", "The backup could not be made")
            .detail("the folder exists, or the disk failed; see the server's log")
            .remedy("choose another name, look at the disk, and try again")
    })?;
    Ok((StatusCode::CREATED, Json(BackupView { name: wish.name, files: made.files, bytes: made.bytes })))
}

/// The state of one ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LedgerState {
    /// Entries that the signed head covers.
    pub signed: u64,
    /// Entries committed in all.
    pub committed: u64,
    /// When a witness last cosigned, since the start of the server.
    pub cosigned: Option<Time>,
}

/// The state of the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SystemState {
    /// The version that runs.
    pub version: String,
    /// Both ledgers.
    pub ledgers: BTreeMap<String, LedgerState>,
    /// How many agencies, requests, offers and cases are in each state.
    pub counts: BTreeMap<String, BTreeMap<String, u64>>,
    /// What waits for intake.
    pub queues: BTreeMap<String, i64>,
    /// When each job last went round.
    pub jobs: BTreeMap<String, Time>,
}

/// Shows the state of the server.
#[utoipa::path(get, path = "/system", tag = "governance", responses((status = 200, body = SystemState), Refusals))]
pub async fn system(State(desk): State<Desk>, Authenticated(actor): Authenticated) -> Answer<SystemState> {
    desk.app.look::<SystemRead>(&actor, &Target::shared("system")).await?;
    let records = desk.app.records();
    let mut ledgers = BTreeMap::new();
    for log in Log::ALL {
        let cosigned = desk.metrics.last_cosigned(log.as_str());
        let state = LedgerState {
            signed: desk.ledgers.of(log).size().await,
            committed: records.ledger_size(log).await?,
            cosigned: (cosigned > 0).then(|| Time::from_second(cosigned)),
        };
        ledgers.insert(log.as_str().to_owned(), state);
    }
    let mut counts = BTreeMap::new();
    for kind in [Kind::Agency, Kind::Request, Kind::Portal, Kind::Offer, Kind::Case, Kind::Erasure] {
        counts.insert(kind.table().to_owned(), records.count_by(kind, "state").await?);
    }
    let queues = ["uploads", "messages"].iter().map(|name| ((*name).to_owned(), desk.metrics.queued(name)));
    let beat = |name: &&'static str| ((*name).to_owned(), Time::from_second(desk.metrics.last_beat(name)));
    Ok(Json(SystemState {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ledgers,
        counts,
        queues: queues.collect(),
        jobs: crate::jobs::NAMES.iter().map(beat).collect(),
    }))
}

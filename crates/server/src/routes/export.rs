//! A case for court: everything but the bytes, with proofs of each ledger entry that it names.

use axum::{Json, extract::State};
use canvass_core::{CoreError, access::Actor, records::AuditRecord};
use canvass_package::{BundleParts, CourtExport, LedgerProof, ModelError, PackageError, parts};
use canvass_types::{CaseId, canonical, leaf::Log};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, Refusals, retried};
use crate::{
    auth::Authenticated,
    desk::Desk,
    extract::{At, Purpose},
    keysfile,
    problem::Problem,
    refusal,
};

/// Rounds that an export waits for cosignatures, and the pause between them.
const WITNESS_ROUNDS: usize = 30;
const WITNESS_PAUSE: std::time::Duration = std::time::Duration::from_millis(100);

/// Rounds that an export waits for its own entries to be in the ledger.
const ROUNDS: usize = 64;

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new().routes(routes!(export)).routes(routes!(bundle))
}

/// The header of an export.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct Reason {
    /// Why, as JSON: `{"class":"case-work","offence":"none","reason":"…"}`, with `case` and `warrant` where there are such.
    #[serde(rename = "Canvass-Purpose")]
    #[expect(dead_code, reason = "it is here for the documentation; the route has an extractor for it")]
    purpose: String,
}

/// Gathers a case for court.
#[utoipa::path(get, path = "/cases/{case}/export", tag = "cases", params(("case" = CaseId, Path), Reason),
    responses((status = 200, body = CourtExport), Refusals))]
pub async fn export(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(case): At<CaseId>,
    Purpose(purpose): Purpose,
) -> Answer<CourtExport> {
    Ok(Json(gathered(&desk, &actor, &case, &purpose).await?))
}

/// Gathers a case for court as files: all of a bundle but what is sealed, for a browser that opens the items itself.
#[utoipa::path(get, path = "/cases/{case}/bundle", tag = "cases", params(("case" = CaseId, Path), Reason),
    responses((status = 200, body = BundleParts), Refusals))]
pub async fn bundle(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(case): At<CaseId>,
    Purpose(purpose): Purpose,
) -> Answer<BundleParts> {
    let export = gathered(&desk, &actor, &case, &purpose).await?;
    let members = desk.app.members(&actor, Some(&export.manifest.agency.id)).await?;
    // Laying out the paper takes a moment.
    let made = tokio::task::spawn_blocking(move || parts(export, &members)).await;
    match made.map_err(|_| refusal::broken("a task was stopped"))? {
        Ok(parts) => Ok(Json(parts)),
        Err(PackageError::Model(error @ ModelError::Unsigned { .. })) => Err(CoreError::state(
            error.to_string(),
            "take the draft out of the case, or have it signed and decided",
        )
        .into()),
        Err(error) => {
            tracing::error!(%error, "a bundle could not be laid out");
            Err(refusal::broken("the files of the bundle can't be made"))
        }
    }
}

/// The case with its proofs, once its export stands in the record.
async fn gathered(
    desk: &Desk,
    actor: &Actor,
    case: &CaseId,
    purpose: &canvass_types::Purpose,
) -> Result<CourtExport, Problem> {
    let (_, manifest) = retried(|| desk.app.export_case(actor, case, purpose)).await?;
    let agency = desk.app.agency_leaves(&manifest.agency.id).await?;
    let mut requests: Vec<String> = agency;
    requests.extend(manifest.destinations.iter().flat_map(|each| each.leaves.iter().cloned()));
    requests.extend(desk.app.policy_leaf().await?);
    let mut oversight: Vec<String> = manifest.offers.iter().map(|offer| offer.receipt.leaf.clone()).collect();
    oversight.extend(manifest.audit.iter().filter_map(leaf_of));
    for list in [&mut requests, &mut oversight] {
        list.sort_unstable();
        list.dedup();
    }
    let mut proofs = Vec::new();
    let requests_checkpoint = prove(desk, Log::Requests, &requests, &mut proofs).await?;
    let oversight_checkpoint = prove(desk, Log::Oversight, &oversight, &mut proofs).await?;
    let keys = keysfile::of(desk);
    Ok(CourtExport { manifest, requests_checkpoint, oversight_checkpoint, proofs, keys })
}

/// The ledger entry that commits to a record, as canonical JSON.
fn leaf_of(record: &AuditRecord) -> Option<String> {
    String::from_utf8(canonical(record.leaf.as_ref()?).ok()?).ok()
}

/// Proofs against a head that the witnesses have cosigned. A bundle is read for years, so it is worth a moment's wait;
/// a witness that does not answer stops no export, for the verifier tells how many cosigned.
async fn cosigned(
    desk: &Desk,
    log: Log,
    leaves: &[String],
    mut proven: (String, Vec<canvass_types::Proof>),
) -> Result<(String, Vec<canvass_types::Proof>), crate::jobs::JobError> {
    let (ledger, witnesses) = (desk.ledgers.of(log), &desk.identity.witnesses);
    let wanted = desk.identity.quorum.clamp(usize::from(!witnesses.is_empty()), witnesses.len());
    let by = |checkpoint: &str| {
        let signs =
            |line: &&str| witnesses.iter().any(|each| line.starts_with(&format!("— {} ", each.key.name())));
        checkpoint.lines().filter(signs).count()
    };
    let http = reqwest::Client::new();
    for _ in 0..WITNESS_ROUNDS {
        if by(&proven.0) >= wanted {
            break;
        }
        // The head may grow in between, then the new one is asked for.
        let asked = ledger.witness(&http, witnesses, desk.seconds()).await?;
        if let Some(again) = ledger.prove(desk.app.records(), leaves).await? {
            proven = again;
        }
        if asked.failed == witnesses.len() {
            break;
        }
        tokio::time::sleep(WITNESS_PAUSE).await;
    }
    Ok(proven)
}

pub(super) async fn prove(
    desk: &Desk,
    log: Log,
    leaves: &[String],
    proofs: &mut Vec<LedgerProof>,
) -> Result<String, Problem> {
    let (ledger, records) = (desk.ledgers.of(log), desk.app.records());
    let failed = |error: crate::jobs::JobError| {
        tracing::error!(%error, "an export could not be proven");
        refusal::broken("the ledger's proofs can't be made")
    };
    let mut idle = 0;
    for _ in 0..ROUNDS {
        if let Some(first) = ledger.prove(records, leaves).await.map_err(failed)? {
            let (checkpoint, found) = cosigned(desk, log, leaves, first).await.map_err(failed)?;
            proofs.extend(found.into_iter().map(|each| {
                let canvass_types::Proof { leaf, index, proof } = each;
                LedgerProof { log, index, leaf, proof }
            }));
            return Ok(checkpoint);
        }
        // The sequencer may have been faster: only a second look at a queue that is empty says that an entry is missing.
        let appended = ledger.sequence(records, desk.seconds()).await.map_err(failed)?;
        idle = if appended == 0 { idle + 1 } else { 0 };
        if idle > 1 {
            tracing::error!(
                ledger = log.as_str(),
                "an entry that a record names is not in the ledger's queue"
            );
            return Err(refusal::broken("an entry is missing in the ledger"));
        }
    }
    Err(Problem::new(axum::http::StatusCode::SERVICE_UNAVAILABLE, "ledger-behind", "The ledger is behind")
        .detail("the entries are not in the signed ledger yet")
        .remedy("try again in a moment")
        .retry_after(5))
}

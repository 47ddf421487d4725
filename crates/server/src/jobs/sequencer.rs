//! Brings what was committed into the ledgers, has witnesses cosign, and publishes the signed heads.

use canvass_types::leaf::Log;

use super::{JobError, Round};
use crate::desk::Desk;

/// One batch of each ledger.
///
/// # Errors
/// The store's or the ledger's; the next round goes on where this one ended.
pub async fn round(desk: &Desk, http: &reqwest::Client) -> Result<Round, JobError> {
    let mut more = Round::Rest;
    for log in Log::ALL {
        let ledger = desk.ledgers.of(log);
        let appended = ledger.sequence(desk.app.records(), desk.seconds()).await?;
        let size = ledger.size().await;
        desk.metrics.ledger(log.as_str(), size);
        let witnesses = &desk.identity.witnesses;
        let witnessed = if size > 0 && !witnesses.is_empty() {
            ledger.witness(http, witnesses, desk.seconds()).await?
        } else {
            Default::default()
        };
        if witnessed.added > 0 {
            desk.metrics.cosigned(log.as_str(), desk.seconds());
        }
        if appended > 0
            || witnessed.added > 0
            || !desk.public(&format!("ledger/{}/checkpoint", log.as_str())).exists()
        {
            ledger.publish_checkpoint().await?;
            desk.grown.notify_one();
        }
        if appended > 0 {
            ledger.prune(&desk.folder.public()).await?;
            more = Round::Again;
        }
    }
    Ok(more)
}

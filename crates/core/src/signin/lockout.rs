//! Failures to sign in, and what follows from five of them: a quarter of an hour in which nothing is tried. A stranger
//! who knows a member's key by its public id can bring that about, so it ends by itself, never touches open sessions or
//! tokens, and is told: it stands in the ledger, and the administrator sees it beside the member.

use canvass_types::{AgencyId, Time};
use serde_json::json;

use super::{limits, minutes};
use crate::{
    App, CoreError,
    access::{Job, Target},
    ports::{Changeset, Records, RecordsExt, StoreError, Versioned},
    records::Lockout,
};

impl<R: Records> App<R> {
    /// Refuses while a member or enrolment is locked out; gives the failures so far, to be forgotten on success.
    pub(super) async fn not_locked_out(
        &self,
        subject: &str,
    ) -> Result<Option<Versioned<Lockout>>, CoreError> {
        let found = self.records().get::<Lockout>(subject).await?;
        match found.as_ref().and_then(|found| found.record.until) {
            Some(until) if until > self.now() => Err(CoreError::LockedOut { until }),
            _ => Ok(found),
        }
    }

    /// Until when a member is locked out.
    pub(super) async fn locked_out_until(&self, subject: &str) -> Result<Option<Time>, CoreError> {
        let found = self.records().get::<Lockout>(subject).await?;
        Ok(found.and_then(|found| found.record.until).filter(|until| *until > self.now()))
    }

    /// Counts a failure; the fifth in a row locks out, with a ledger entry.
    pub(super) async fn failed(&self, subject: &str, agency: Option<&AgencyId>) -> Result<(), CoreError> {
        // Failures that come at the same moment are counted one after the other.
        for _ in 0..8 {
            match self.count_failure(subject, agency).await {
                Err(CoreError::Store(StoreError::Conflict { .. })) => {}
                other => return other,
            }
        }
        Ok(())
    }

    async fn count_failure(&self, subject: &str, agency: Option<&AgencyId>) -> Result<(), CoreError> {
        let now = self.now();
        let before = self.records().get::<Lockout>(subject).await?;
        let recent = |it: &Lockout| minutes(it.last, limits::LOCKED_OUT_MINUTES) > now && it.until.is_none();
        let earlier =
            before.as_ref().map(|it| &it.record).filter(|it| recent(it)).map_or(0, |it| it.failures);
        let failures = earlier.saturating_add(1);
        let until = (failures >= limits::FAILURES).then(|| minutes(now, limits::LOCKED_OUT_MINUTES));
        let lockout =
            Lockout { subject: subject.to_owned(), agency: agency.cloned(), failures, last: now, until };
        let job = if until.is_some() { Job::SignInLocked } else { Job::Housekeeping };
        let target = Target::maybe(agency, subject);
        let veil = self.veil(None, &target).await?;
        self.system(job, target)
            .veiled(veil)
            .detail(json!({ "failures": failures, "until": until }))
            .with(|changes| match &before {
                Some(before) => changes.update(before, &lockout),
                None => changes.insert(&lockout),
            })
            .commit(self.records())
            .await?;
        Ok(())
    }
}

/// Forgets the failures, as part of what succeeded.
pub(super) fn forgiven(changes: Changeset, failures: Option<&Versioned<Lockout>>) -> Changeset {
    match failures {
        Some(failures) => changes.delete(failures),
        None => changes,
    }
}

//! Notices to overseers: who looks after an owner's data hears of each change of sharing and of the policy.

use canvass_types::{AgencyId, NoticeId};
use serde::{Deserialize, Serialize};

use crate::{
    App, CoreError,
    access::{Action, Actor, NoticeRead, Target},
    cases::{Page, load::page},
    ports::{Query, Records, RecordsExt},
    records::OversightNotice,
};

/// Which notices to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeFilter {
    /// Only those that no overseer marked as seen.
    pub unseen: bool,
    /// From behind this place, as the part before said.
    pub after: Option<u64>,
    /// At most so many, 1 to 200; 50 when not given.
    pub limit: Option<u32>,
}

impl<R: Records> App<R> {
    /// A notice of what happens now.
    pub(crate) fn notice<A: Action>(
        &self,
        agency: Option<&AgencyId>,
        other: Option<&AgencyId>,
        subject: impl ToString,
    ) -> OversightNotice {
        OversightNotice {
            id: NoticeId::random(self.entropy()),
            what: A::NAME.to_owned(),
            agency: agency.cloned(),
            other: other.cloned(),
            subject: subject.to_string(),
            at: self.now(),
            seen: None,
        }
    }

    /// Notices to overseers, newest first.
    ///
    /// # Errors
    /// When the actor may not.
    pub async fn notices(
        &self,
        actor: &Actor,
        filter: &NoticeFilter,
    ) -> Result<Page<OversightNotice>, CoreError> {
        self.gate().check::<NoticeRead>(actor, &Target::shared("notices"))?;
        let query = match filter.unseen {
            true => Query::new().with("unseen", "yes"),
            false => Query::new(),
        };
        page(self.records(), query, (filter.after, filter.limit), |_| true).await
    }

    /// Marks a notice as seen; the first overseer who does is named.
    ///
    /// # Errors
    /// When the actor may not, or there is none under this id.
    pub async fn notice_seen(&self, actor: &Actor, id: &NoticeId) -> Result<OversightNotice, CoreError> {
        let intent = self.allow::<NoticeRead>(actor, Target::shared(id), None).await?;
        let before =
            self.records().get::<OversightNotice>(id.as_str()).await?.ok_or(CoreError::Hidden("notice"))?;
        if before.record.seen.is_some() {
            return Ok(before.record);
        }
        let after = OversightNotice { seen: Some(actor.member.clone()), ..before.record.clone() };
        intent.with(|changes| changes.update(&before, &after)).commit(self.records()).await?;
        Ok(after)
    }
}

//! Sharing between agencies: an owner's two people let others reach cameras or a case, the other's two people accept, and
//! one person of either side ends it at once. Nothing is shared without a rule.

mod notices;
mod offers;
mod reach;

use canvass_types::{AgencyId, CaseId, SharingId, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use canvass_policy::SharingScope;
pub use notices::NoticeFilter;
pub use offers::NewSharing;
pub use reach::Wanted;

use crate::{
    App, CoreError,
    access::{Actor, CaseRead, Facts, ItemList, ShareRead, Target, party_of},
    cases::{CaseDetail, CaseView, ItemView, load::up_to},
    ports::{Query, Records, RecordsExt, Versioned},
    records::{Agency, Annotations, Case, Item, Shared, SharingRule},
};

/// Most rules of sharing of one agency, and most that one list looks at.
const MOST_RULES: usize = 10_000;

/// How a rule of sharing stands today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// In force.
    InForce,
    /// Not yet in force.
    Future,
    /// Past its time.
    Over,
    /// Ended before its time.
    Ended,
}

/// A rule of sharing as one side sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SharingView {
    /// The rule.
    pub rule: SharingRule,
    /// Name of the owner.
    pub owner_name: String,
    /// Names of the agencies that it names, in the rule's order.
    pub names: Vec<String>,
    /// Title of the case that it shares, for the owner and who accepted it.
    pub case_title: Option<String>,
    /// How it stands today.
    pub standing: Standing,
    /// Whether it is the asking agency's own.
    pub ours: bool,
    /// Whether the asking agency accepted it.
    pub accepted: bool,
}

pub(crate) fn standing(rule: &SharingRule, now: Time) -> Standing {
    if rule.ended.is_some() {
        Standing::Ended
    } else if now < rule.from {
        Standing::Future
    } else if now < rule.until {
        Standing::InForce
    } else {
        Standing::Over
    }
}

impl<R: Records> App<R> {
    pub(crate) async fn load_sharing(&self, id: &SharingId) -> Result<Versioned<SharingRule>, CoreError> {
        self.records().get(id.as_str()).await?.ok_or(CoreError::Hidden("sharing rule"))
    }

    /// Rules of sharing, oldest first: the actor's agency's own, and those of others that reach it or would once
    /// accepted; for overseers all.
    ///
    /// # Errors
    /// When the actor may not.
    pub async fn sharing(&self, actor: &Actor) -> Result<Vec<SharingView>, CoreError> {
        self.gate().check::<ShareRead>(actor, &Target::maybe(actor.agency.as_ref(), "sharing"))?;
        let mut rules: Vec<SharingRule> = Vec::new();
        match &actor.agency {
            None => rules.extend(self.rules_of(Query::new()).await?),
            Some(own) => {
                rules.extend(self.rules_of(Query::new().with("owner", own)).await?);
                for rule in self.rules_of(Query::new().with("state", "active")).await? {
                    if rule.owner != *own && self.concerns(&rule, own).await? {
                        rules.push(rule);
                    }
                }
            }
        }
        let mut views = Vec::new();
        for rule in rules {
            views.push(self.sharing_view(actor.agency.as_ref(), rule).await?);
        }
        Ok(views)
    }

    /// One rule of sharing.
    ///
    /// # Errors
    /// When there is none for the actor.
    pub async fn sharing_rule(&self, actor: &Actor, id: &SharingId) -> Result<SharingView, CoreError> {
        self.gate().check::<ShareRead>(actor, &Target::maybe(actor.agency.as_ref(), "sharing"))?;
        let rule = self.load_sharing(id).await?.record;
        if let Some(own) = &actor.agency
            && rule.owner != *own
            && !self.concerns(&rule, own).await?
        {
            return Err(CoreError::Hidden("sharing rule"));
        }
        self.sharing_view(actor.agency.as_ref(), rule).await
    }

    pub(crate) async fn rules_of(&self, query: Query<SharingRule>) -> Result<Vec<SharingRule>, CoreError> {
        let found = up_to(self.records(), query, MOST_RULES).await?;
        Ok(found.into_iter().map(|found| found.record).collect())
    }

    pub(crate) async fn sharing_view(
        &self,
        own: Option<&AgencyId>,
        rule: SharingRule,
    ) -> Result<SharingView, CoreError> {
        let mut names = Vec::new();
        for id in &rule.named {
            names.push(self.name_of(id).await?);
        }
        let ours = own == Some(&rule.owner);
        let accepted = rule.accepted.iter().any(|each| own == Some(&each.agency));
        let case: Option<&CaseId> = match &rule.what {
            Shared::Case { case } if ours || accepted => Some(case),
            _ => None,
        };
        let case_title = match case {
            Some(case) => {
                let found: Option<Versioned<Case>> = self.records().get(case.as_str()).await?;
                found.map(|found| found.record.title)
            }
            None => None,
        };
        let standing = standing(&rule, self.now());
        let owner_name = self.name_of(&rule.owner).await?;
        Ok(SharingView { rule, owner_name, names, case_title, standing, ours, accepted })
    }

    pub(crate) async fn name_of(&self, agency: &AgencyId) -> Result<String, CoreError> {
        let found: Option<Versioned<Agency>> = self.records().get(agency.as_str()).await?;
        Ok(found.map_or_else(|| agency.to_string(), |found| found.record.name))
    }

    /// The target of a case, with what bears on it when its owner shares it with the actor's agency.
    pub(crate) async fn case_target(&self, actor: &Actor, case: &Case) -> Result<Target, CoreError> {
        let target = Target::of(&case.agency, &case.id).in_case(Some(case.id.clone()));
        let Some(asking) = actor.agency.as_ref().filter(|asking| **asking != case.agency) else {
            return Ok(target);
        };
        let Some(sharing) = self.sharing_facts(&case.agency, asking, Wanted::Case(&case.id)).await? else {
            return Ok(target);
        };
        let owner = self.agency(&case.agency).await?.record;
        let facts = Facts { sharing: Some(sharing), ..Facts::default() };
        Ok(target.owned(party_of(&owner)).with(facts))
    }

    /// A shared case as the other agency sees it: without the owner's notes.
    pub(crate) async fn shared_view(&self, case: &Case) -> Result<CaseView, CoreError> {
        let owner = self.name_of(&case.agency).await?;
        Ok(CaseView { annotations: Annotations::default(), shared_by: Some(owner), ..CaseView::from(case) })
    }

    /// A shared case with its items; to open them stays with the owner.
    pub(crate) async fn shared_case(&self, actor: &Actor, case: &Case) -> Result<CaseDetail, CoreError> {
        let target = self.case_target(actor, case).await?;
        self.gate().check_at::<ItemList>(actor, &target, self.now())?;
        let intent = self.allow::<CaseRead>(actor, target, None).await?;
        let bare = |item: &Versioned<Item>| ItemView {
            annotations: Annotations::default(),
            ..ItemView::from(&item.record)
        };
        let items = self.items_of_case(&case.id).await?.iter().map(bare).collect();
        let case = self.shared_view(case).await?;
        intent.detail(serde_json::json!({ "shared": true })).commit(self.records()).await?;
        Ok(CaseDetail { case, items, offers: Vec::new(), reads: Vec::new(), holds: Vec::new() })
    }

    /// Cases that other agencies share with this one, as far as its members may see them today.
    pub(crate) async fn shared_cases(&self, actor: &Actor) -> Result<Vec<Case>, CoreError> {
        let Some(own) = &actor.agency else { return Ok(Vec::new()) };
        let query = Query::new().with("partner", own).with("state", "active");
        let mut cases: Vec<Case> = Vec::new();
        for rule in self.rules_of(query).await? {
            let Shared::Case { case } = &rule.what else { continue };
            if cases.iter().any(|known| known.id == *case) {
                continue;
            }
            let found: Option<Versioned<Case>> = self.records().get(case.as_str()).await?;
            let Some(found) = found else { continue };
            let target = self.case_target(actor, &found.record).await?;
            if self.gate().check_at::<CaseRead>(actor, &target, self.now()).is_ok() {
                cases.push(found.record);
            }
        }
        Ok(cases)
    }
}

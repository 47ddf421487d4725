//! Cases: what belongs together, its items, the holds on it, and the bundle for court.

mod copies;
mod export;
mod holds;
mod items;
pub(crate) mod load;
mod timeline;

use canvass_types::{AgencyId, CaseId, MemberId, PortalId, RequestId, Time};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

pub use copies::NewCopy;
pub use export::{
    ExportManifest, ExportedDestination, ExportedItem, ExportedOffer, ExportedReads, ReceiptOpening,
};
pub use holds::{HoldFilter, NewHold};
pub use items::{ItemDetail, ItemFilter, ItemView};
pub use load::Page;
pub use timeline::{Timeline, TimelineEvent};

use crate::{
    App, CoreError,
    access::{Actor, CaseAnnotate, CaseChange, CaseClose, CaseCreate, CaseRead, Intent, Target},
    custody::{Change, anchors},
    error::{accept, check_text, problem},
    inbox::{Annotate, OfferView, WorkFilter, own_target},
    plates::KeptReadsView,
    ports::{Query, Records, RecordsExt, Versioned},
    records::{Annotations, Case, Hold, Item, KeptReads, Portal, Request},
};

const TITLE: std::ops::RangeInclusive<usize> = 1..=200;
const CODE: std::ops::RangeInclusive<usize> = 1..=64;
/// Most requests and portals that a case joins.
const MOST_DESTINATIONS: usize = 100;

/// A case, as the agency sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CaseView {
    /// Its id.
    pub id: CaseId,
    /// Whose.
    pub agency: AgencyId,
    /// The agency's number or name for it.
    pub title: String,
    /// Investigation code, when it has requests.
    pub code: Option<String>,
    /// Requests and portals that it joins.
    pub destinations: Vec<String>,
    /// Whether it is worked on.
    pub open: bool,
    /// Who opened it.
    pub by: MemberId,
    /// When.
    pub opened: Time,
    /// When it was closed.
    pub closed: Option<Time>,
    /// Members' notes, tags and so on.
    pub annotations: Annotations,
    /// Name of the agency that shares it with the asking one; absent for an own case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared_by: Option<String>,
}

impl From<&Case> for CaseView {
    fn from(case: &Case) -> Self {
        Self {
            id: case.id.clone(),
            agency: case.agency.clone(),
            title: case.title.clone(),
            code: case.code.clone(),
            destinations: case.destinations.clone(),
            open: case.open,
            by: case.by.clone(),
            opened: case.opened,
            closed: case.closed,
            annotations: case.annotations.clone(),
            shared_by: None,
        }
    }
}

/// A case with all that is in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CaseDetail {
    /// The case.
    pub case: CaseView,
    /// Its items.
    pub items: Vec<ItemView>,
    /// Offers that belong to it, or that its items came from.
    pub offers: Vec<OfferView>,
    /// Plate reads that are kept in it.
    #[serde(default)]
    pub reads: Vec<KeptReadsView>,
    /// Holds on the case, its items and offers, the released ones too.
    pub holds: Vec<Hold>,
}

/// A case to be opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCase {
    /// The agency's number or name for it, 1 to 200 characters.
    pub title: String,
    /// Investigation code, when it has requests.
    #[serde(default)]
    pub code: Option<String>,
    /// Requests and portals that it joins.
    #[serde(default)]
    pub destinations: Vec<String>,
}

/// A change of a case; what is not given stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChangeCase {
    /// The agency's number or name for it, 1 to 200 characters.
    pub title: Option<String>,
    /// Requests and portals to join.
    pub add_destinations: Vec<String>,
    /// Requests and portals to part with; none of their offers may belong to the case.
    pub remove_destinations: Vec<String>,
}

/// Which cases to list; what is not given does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CaseFilter {
    /// Open ones, or closed ones.
    pub open: Option<bool>,
    /// With this investigation code.
    pub code: Option<String>,
    /// With this text in the title or the code.
    pub q: Option<String>,
    /// Who works on it, tags, notes, reminders.
    pub work: WorkFilter,
    /// From behind this place, as the part before said.
    pub after: Option<u64>,
    /// At most so many, 1 to 200; 50 when not given.
    pub limit: Option<u32>,
}

/// A request or portal that a case joins.
pub(crate) enum Joined {
    Request(Box<Versioned<Request>>),
    Portal(Box<Versioned<Portal>>),
}

impl<R: Records> App<R> {
    /// The request or portal, when it is of this agency.
    pub(crate) async fn joined(&self, agency: &AgencyId, id: &str) -> Result<Joined, CoreError> {
        let hidden = || {
            CoreError::field(
                "destinations",
                "unknown",
                "the agency has no such request or portal",
                "check its id",
            )
        };
        if id.parse::<RequestId>().is_ok() {
            let found: Option<Versioned<Request>> = self.records().get(id).await?;
            return found
                .filter(|it| it.record.agency == *agency)
                .map(|it| Joined::Request(Box::new(it)))
                .ok_or_else(hidden);
        }
        let id: PortalId = id.parse().map_err(|_| hidden())?;
        let found: Option<Versioned<Portal>> = self.records().get(id.as_str()).await?;
        found
            .filter(|it| it.record.agency == *agency)
            .map(|it| Joined::Portal(Box::new(it)))
            .ok_or_else(hidden)
    }

    pub(crate) async fn open_case_of(
        &self,
        agency: &AgencyId,
        id: &CaseId,
    ) -> Result<Versioned<Case>, CoreError> {
        let case = self.case_of(agency, id).await?;
        if case.record.open {
            return Ok(case);
        }
        Err(CoreError::state("the case is closed", "open it again first, or use another case"))
    }

    /// Opens a case of the actor's agency.
    ///
    /// # Errors
    /// When the actor may not, a field is out of limits, or a destination is not the agency's.
    pub async fn create_case(&self, actor: &Actor, wish: NewCase) -> Result<CaseView, CoreError> {
        let id = CaseId::random(self.entropy());
        let mut target = own_target(actor, id.as_str());
        target.case = Some(id.clone());
        let intent = self.allow::<CaseCreate>(actor, target, None).await?;
        let agency = actor.agency.clone().ok_or(CoreError::Hidden("agency"))?;
        let mut problems = Vec::new();
        check_text(&mut problems, "title", &wish.title, TITLE);
        if let Some(code) = &wish.code {
            check_text(&mut problems, "code", code, CODE);
        }
        accept(problems)?;
        let case = Case {
            id,
            agency,
            title: wish.title.trim().to_owned(),
            code: wish.code.map(|code| code.trim().to_owned()),
            destinations: Vec::new(),
            open: true,
            by: actor.member.clone(),
            opened: self.now(),
            closed: None,
            annotations: Annotations::default(),
        };
        let case = self.with_destinations(case, &wish.destinations).await?;
        intent
            .detail(json!({ "destinations": case.destinations }))
            .with(|changes| changes.insert(&case))
            .commit(self.records())
            .await?;
        Ok(CaseView::from(&case))
    }

    async fn with_destinations(&self, mut case: Case, add: &[String]) -> Result<Case, CoreError> {
        if case.destinations.len().saturating_add(add.len()) > MOST_DESTINATIONS {
            return Err(CoreError::field(
                "destinations",
                "count",
                "a case joins at most 100 requests and portals",
                "open another case for the rest",
            ));
        }
        for id in add {
            self.joined(&case.agency, id).await?;
            if !case.destinations.contains(id) {
                case.destinations.push(id.clone());
            }
        }
        Ok(case)
    }

    /// Cases of the actor's agency, newest first; before the first part those that other agencies share with it.
    ///
    /// # Errors
    /// When the actor may not.
    pub async fn cases(&self, actor: &Actor, filter: &CaseFilter) -> Result<Page<CaseView>, CoreError> {
        let target = own_target(actor, "cases");
        self.gate().check::<CaseRead>(actor, &target)?;
        let mut query = Query::<Case>::new().with("agency", target.agency.ok_or(CoreError::Hidden("cases"))?);
        if let Some(open) = filter.open {
            query = query.with("state", if open { "open" } else { "closed" });
        }
        let now = self.now();
        let keep = |case: &Case| {
            let texts = [Some(case.title.as_str()), case.code.as_deref()];
            (filter.code.is_none() || case.code == filter.code)
                && filter
                    .q
                    .as_deref()
                    .is_none_or(|wanted| load::has_text(wanted, texts.into_iter().flatten()))
                && filter.work.meets(&case.annotations, &actor.member, now)
        };
        let found = load::page(self.records(), query, (filter.after, filter.limit), keep).await?;
        let mut entries = Vec::new();
        if filter.after.is_none() {
            for case in self.shared_cases(actor).await? {
                if filter.open.is_none_or(|open| open == case.open) && keep(&case) {
                    entries.push(self.shared_view(&case).await?);
                }
            }
        }
        entries.extend(found.entries.iter().map(CaseView::from));
        Ok(Page { entries, next: found.next })
    }

    /// One case with its items, offers and holds. Of a case that another agency shares, only that it is there and what
    /// items it has; the look is on record.
    ///
    /// # Errors
    /// When there is none for the actor.
    pub async fn case(&self, actor: &Actor, id: &CaseId) -> Result<CaseDetail, CoreError> {
        let case = self.load_case(id).await?.record;
        if actor.agency.as_ref().is_some_and(|own| *own != case.agency) {
            return self.shared_case(actor, &case).await;
        }
        self.gate().check::<CaseRead>(actor, &Target::of(&case.agency, id))?;
        let items = self.items_of_case(id).await?;
        let offers = self.offers_of_case(&case, &items).await?;
        let holds = self.holds_of_case(&case, &items, &offers).await?;
        Ok(CaseDetail {
            case: CaseView::from(&case),
            items: items.iter().map(|item| ItemView::from(&item.record)).collect(),
            offers: offers.iter().map(|offer| OfferView::from(&offer.record)).collect(),
            reads: self
                .kept_of_case(id)
                .await?
                .iter()
                .map(|kept| KeptReadsView::from(&kept.record))
                .collect(),
            holds,
        })
    }

    /// Changes a case's title and what it joins.
    ///
    /// # Errors
    /// When there is none for the actor, it is closed, or a destination is not the agency's or still has offers in it.
    pub async fn change_case(
        &self,
        actor: &Actor,
        id: &CaseId,
        wish: ChangeCase,
    ) -> Result<CaseView, CoreError> {
        let before = self.load_case(id).await?;
        let target = Target::of(&before.record.agency, id).in_case(Some(id.clone()));
        let intent = self.allow::<CaseChange>(actor, target, None).await?;
        if !before.record.open {
            return Err(CoreError::state("the case is closed", "open it again first"));
        }
        let mut case = self.with_destinations(before.record.clone(), &wish.add_destinations).await?;
        if let Some(title) = &wish.title {
            let mut problems = Vec::new();
            check_text(&mut problems, "title", title, TITLE);
            accept(problems)?;
            title.trim().clone_into(&mut case.title);
        }
        if !wish.remove_destinations.is_empty() {
            let offers = self.offers_of_case(&before.record, &[]).await?;
            let used = |id: &&String| offers.iter().any(|offer| offer.record.destination == **id);
            if let Some(id) = wish.remove_destinations.iter().find(used) {
                let message = format!("offers to {id} belong to the case");
                return Err(CoreError::Invalid(vec![problem(
                    "remove_destinations",
                    "used",
                    &message,
                    "take its offers out of the case first",
                )]));
            }
            case.destinations.retain(|each| !wish.remove_destinations.contains(each));
        }
        intent
            .detail(json!({ "destinations": case.destinations, "retitled": wish.title.is_some() }))
            .with(|changes| changes.update(&before, &case))
            .commit(self.records())
            .await?;
        Ok(CaseView::from(&case))
    }

    /// Closes a case: from now on the time of its items runs.
    ///
    /// # Errors
    /// When there is none for the actor, or it is closed.
    pub async fn close_case(&self, actor: &Actor, id: &CaseId) -> Result<CaseView, CoreError> {
        let before = self.load_case(id).await?;
        let target = Target::of(&before.record.agency, id).in_case(Some(id.clone()));
        let intent = self.allow::<CaseClose>(actor, target, None).await?;
        if !before.record.open {
            return Err(CoreError::state(
                "the case is closed already",
                "open it again if there is more to do",
            ));
        }
        let now = self.now();
        let mut case = before.record.clone();
        case.open = false;
        case.closed = Some(now);
        let due = now.plus_days(self.policy().retention.closed_case_days);
        let items = self.set_due(actor, id, Some(due), "case-closed").await?;
        let reads = self.set_reads_due(actor, id, Some(due), "case-closed").await?;
        let intent = intent
            .detail(json!({ "due": due, "others": heads(&items, &reads) }))
            .with(|changes| changes.update(&before, &case));
        let intent = reads.iter().fold(intent, Intent::keep);
        items.iter().fold(intent, Intent::keep).commit(self.records()).await?;
        Ok(CaseView::from(&case))
    }

    /// Opens a closed case again: its items stay until it is closed anew.
    ///
    /// # Errors
    /// When there is none for the actor, or it is open.
    pub async fn reopen_case(&self, actor: &Actor, id: &CaseId) -> Result<CaseView, CoreError> {
        let before = self.load_case(id).await?;
        let target = Target::of(&before.record.agency, id).in_case(Some(id.clone()));
        let intent = self.allow::<CaseChange>(actor, target, None).await?;
        if before.record.open {
            return Err(CoreError::state("the case is open", "go on working in it"));
        }
        let mut case = before.record.clone();
        case.open = true;
        case.closed = None;
        let items = self.set_due(actor, id, None, "case-reopened").await?;
        let reads = self.set_reads_due(actor, id, None, "case-reopened").await?;
        let intent = intent
            .detail(json!({ "reopened": true, "others": heads(&items, &reads) }))
            .with(|changes| changes.update(&before, &case));
        let intent = reads.iter().fold(intent, Intent::keep);
        items.iter().fold(intent, Intent::keep).commit(self.records()).await?;
        Ok(CaseView::from(&case))
    }

    /// Sets when the items of a case go, but for those that are gone or on their way.
    async fn set_due(
        &self,
        actor: &Actor,
        case: &CaseId,
        due: Option<Time>,
        event: &str,
    ) -> Result<Vec<Change<Item>>, CoreError> {
        let now = self.now();
        let mut changes = Vec::new();
        for item in self.items_of_case(case).await? {
            let gone = item.record.destroyed.is_some();
            if gone || self.ordered(&item.record.sealed).await?.is_some() {
                continue;
            }
            let mut change = Change::of(item);
            change.now.due = due;
            change.event(event, Some(&actor.member), now, json!({ "due": due }));
            changes.push(change);
        }
        Ok(changes)
    }

    /// Sets when the plate reads that a case keeps go, but for those that are gone.
    async fn set_reads_due(
        &self,
        actor: &Actor,
        case: &CaseId,
        due: Option<Time>,
        event: &str,
    ) -> Result<Vec<Change<KeptReads>>, CoreError> {
        let now = self.now();
        let mut changes = Vec::new();
        for kept in self.kept_of_case(case).await? {
            if kept.record.destroyed.is_none() {
                let mut change = Change::of(kept);
                change.now.due = due;
                change.event(event, Some(&actor.member), now, json!({ "due": due }));
                changes.push(change);
            }
        }
        Ok(changes)
    }

    /// Changes notes, tags, assignment and reminder of a case.
    ///
    /// # Errors
    /// When there is none for the actor, or the change is out of limits.
    pub async fn annotate_case(
        &self,
        actor: &Actor,
        id: &CaseId,
        wish: &Annotate,
    ) -> Result<CaseView, CoreError> {
        let before = self.load_case(id).await?;
        let target = Target::of(&before.record.agency, id).in_case(Some(id.clone()));
        let intent = self.allow::<CaseAnnotate>(actor, target, None).await?;
        let mut case = before.record.clone();
        let (after, detail) = self.annotated(actor, &case.agency, &case.annotations, wish).await?;
        case.annotations = after;
        intent.detail(detail).with(|changes| changes.update(&before, &case)).commit(self.records()).await?;
        Ok(CaseView::from(&case))
    }
}

fn heads(items: &[Change<Item>], reads: &[Change<KeptReads>]) -> serde_json::Value {
    let items = items.iter().map(|item| (item.now.id.to_string(), &item.now.custody));
    anchors(items.chain(reads.iter().map(|kept| (kept.now.id.to_string(), &kept.now.custody))))
}

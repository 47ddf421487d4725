//! Orders of courts that keep a search from the owners of the plates that it named: proposed by one member, confirmed by
//! another, over at the end that the order names.

use canvass_types::{AgencyId, AuditId, CourtSealId, FieldProblem, Time};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    App, CoreError,
    access::{Actor, AskedSeal, AskedSealList, Job, Target},
    cases::{Page, load::page},
    error::{accept, check_text, problem},
    ports::{Query, Records, RecordsExt, Versioned},
    records::{AskedMark, AuditRecord, CourtSeal, CourtSealState, MarkState},
    retention::Outcome,
};

const COURT: std::ops::RangeInclusive<usize> = 3..=200;
const ORDER: std::ops::RangeInclusive<usize> = 1..=100;
/// Days for which the owner of a plate can still look after an order ended.
const LOOK_DAYS: u32 = 30;

/// A court's order over a search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSeal {
    /// The record of the search.
    pub search: AuditId,
    /// Which court, 3 to 200 characters.
    pub court: String,
    /// The order's number, 1 to 100 characters.
    pub order: String,
    /// Until when it holds.
    pub until: Time,
}

/// Which orders to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SealFilter {
    /// Of this agency; the actor's own when not given.
    pub agency: Option<AgencyId>,
    /// From behind this place, as the part before said.
    pub after: Option<u64>,
    /// At most so many, 1 to 200; 50 when not given.
    pub limit: Option<u32>,
}

fn public_already() -> CoreError {
    CoreError::state(
        "the search is public already, or names no plate",
        "a seal holds back what is not public yet; propose and confirm it within the policy's delay",
    )
}

impl<R: Records> App<R> {
    async fn marks_of(&self, search: &AuditId) -> Result<Vec<Versioned<AskedMark>>, CoreError> {
        self.all_marks(&Query::new().with("search", search)).await
    }

    /// Marks of a search of which none is public.
    async fn marks_to_seal(&self, search: &AuditId) -> Result<Vec<Versioned<AskedMark>>, CoreError> {
        let marks = self.marks_of(search).await?;
        let free =
            |mark: &Versioned<AskedMark>| matches!(mark.record.state, MarkState::Waiting | MarkState::Sealed);
        if marks.is_empty() || !marks.iter().all(free) { Err(public_already()) } else { Ok(marks) }
    }

    /// Proposes a seal; it holds nothing back until another member confirms it.
    ///
    /// # Errors
    /// When there is no such search of the actor's agency, it is public, or a field is wrong.
    pub async fn propose_seal(&self, actor: &Actor, wish: &NewSeal) -> Result<CourtSeal, CoreError> {
        let hidden = CoreError::Hidden("record of a search");
        let search = self.records().get::<AuditRecord>(wish.search.as_str()).await?.ok_or(hidden.clone())?;
        let body = &search.record.body;
        let agency = body.actor_agency.clone().or_else(|| body.agency.clone()).ok_or(hidden)?;
        let id = CourtSealId::random(self.entropy());
        let intent = self.allow::<AskedSeal>(actor, Target::of(&agency, &id), None).await?;
        let now = self.now();
        let mut problems: Vec<FieldProblem> = Vec::new();
        check_text(&mut problems, "court", &wish.court, COURT);
        check_text(&mut problems, "order", &wish.order, ORDER);
        let most = body.at.plus_days(self.policy().asked.keep_days.saturating_sub(LOOK_DAYS));
        if wish.until <= now || wish.until > most {
            problems.push(problem(
                "until",
                "range",
                "it is over, or so late that the plate's owner could not look any more",
                &format!("give a moment up to {most}, or ask your operator to lengthen asked.keep_days"),
            ));
        }
        accept(problems)?;
        self.marks_to_seal(&wish.search).await?;
        let seal = CourtSeal {
            id,
            agency,
            search: wish.search.clone(),
            court: wish.court.trim().to_owned(),
            order: wish.order.trim().to_owned(),
            until: wish.until,
            by: actor.member.clone(),
            proposed: now,
            confirmed_by: None,
            confirmed: None,
            ended: None,
            state: CourtSealState::Proposed,
        };
        intent
            .detail(json!({ "step": "proposed", "search": seal.search, "until": seal.until }))
            .with(|changes| changes.insert(&seal))
            .commit(self.records())
            .await?;
        Ok(seal)
    }

    /// Confirms a seal that another member proposed: from now on the search is held back until the order's end.
    ///
    /// # Errors
    /// When there is none for the actor, they proposed it themselves, it is not open, or the search became public.
    pub async fn confirm_seal(&self, actor: &Actor, id: &CourtSealId) -> Result<CourtSeal, CoreError> {
        let hidden = CoreError::Hidden("seal");
        let before = self.records().get::<CourtSeal>(id.as_str()).await?.ok_or(hidden)?;
        let target = Target::of(&before.record.agency, id);
        let intent = self.allow::<AskedSeal>(actor, target, None).await?;
        let now = self.now();
        if before.record.state != CourtSealState::Proposed || before.record.until <= now {
            return Err(CoreError::state("the seal is not open any more", "look at the list of seals"));
        }
        if before.record.by == actor.member {
            return Err(CoreError::state(
                "a seal takes two people, and you proposed this one",
                "ask another supervisor or custodian of your agency to confirm it",
            ));
        }
        let marks = self.marks_to_seal(&before.record.search).await?;
        let sealed: Vec<_> =
            marks.iter().map(|it| AskedMark { state: MarkState::Sealed, ..it.record.clone() }).collect();
        let seal = CourtSeal {
            state: CourtSealState::InForce,
            confirmed_by: Some(actor.member.clone()),
            confirmed: Some(now),
            ..before.record.clone()
        };
        intent
            .detail(json!({ "step": "confirmed", "search": seal.search, "until": seal.until }))
            .with(|changes| {
                let changes = changes.update(&before, &seal);
                marks.iter().zip(&sealed).fold(changes, |all, (before, mark)| all.update(before, mark))
            })
            .commit(self.records())
            .await?;
        Ok(seal)
    }

    /// Seals, newest first. An operator's look leaves an entry in the ledger.
    ///
    /// # Errors
    /// When the actor may not.
    pub async fn seals(&self, actor: &Actor, filter: &SealFilter) -> Result<Page<CourtSeal>, CoreError> {
        let agency = filter.agency.clone().or_else(|| actor.agency.clone());
        self.look::<AskedSealList>(actor, &Target::maybe(agency.as_ref(), "seals")).await?;
        let mut query = Query::<CourtSeal>::new();
        if let Some(agency) = agency {
            query = query.with("agency", agency);
        }
        page(self.records(), query, (filter.after, filter.limit), |_| true).await
    }

    /// Ends a seal whose time is over; what no other seal holds back becomes public. One that nobody confirmed lapses.
    pub(crate) async fn end_seal(
        &self,
        before: Versioned<CourtSeal>,
        now: Time,
    ) -> Result<Outcome, CoreError> {
        let seal = CourtSeal { state: CourtSealState::Ended, ended: Some(now), ..before.record.clone() };
        let target = Target::of(&seal.agency, &seal.id);
        if before.record.state != CourtSealState::InForce {
            let lapsed = self.system(Job::Housekeeping, target);
            lapsed.with(|changes| changes.update(&before, &seal)).commit(self.records()).await?;
            return Ok(Outcome::Left);
        }
        let query = Query::<CourtSeal>::new().with("search", &seal.search);
        let others = self.records().list(query.with("state", CourtSealState::InForce.as_str())).await?;
        let kept = others.iter().any(|other| other.record.id != seal.id);
        let marks = if kept { Vec::new() } else { self.marks_of(&seal.search).await? };
        let freed: Vec<_> =
            marks.iter().map(|it| AskedMark { state: MarkState::Waiting, ..it.record.clone() }).collect();
        self.system(Job::AskedReleased, target)
            .detail(json!({ "search": seal.search }))
            .with(|changes| {
                let changes = changes.update(&before, &seal);
                marks.iter().zip(&freed).fold(changes, |all, (before, mark)| all.update(before, mark))
            })
            .commit(self.records())
            .await?;
        Ok(Outcome::Done)
    }
}

//! Searches that take a second person: one member asks, another approves, the first runs exactly what was asked.
//!
//! ```text
//! ask_approval ──► open ── approve_search (another member) ──► approved, for a day ── run_approved ──► GrantedQuestion
//!                   └─ refuse_search, withdraw_search, or nobody in three days ──► over
//! ```

use canvass_types::{ApprovalId, AuditId, CaseId, MemberId, Purpose, Time};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    GrantedConvoy, GrantedPlaces, LeftOut,
    answered::GrantedQuestion,
    question::{Question, QuestionKind, few_cameras},
    scope::Scope,
    search::Asked,
};
use crate::{
    App, CoreError,
    access::{
        Actor, ApprovalAsk, ApprovalGive, ApprovalRead, ApprovalRefuse, ApprovalWithdraw, Denied, Facts,
        FootageSearch, Need, PlateConvoy, PlateHistory, PlateMultiplace, PlateSearch, SearchesCameras,
        Target,
    },
    cases::{Page, load::page},
    error::{accept, check_text},
    ports::{Changeset, Query, Records, RecordsExt, Versioned},
    records::{ApprovalState, Case, Decided, Member, SearchApproval},
};

/// Hours within which a search that was asked for can be approved.
pub const WAITS_HOURS: i64 = 72;
/// Hours within which an approved search can be run.
pub const APPROVED_HOURS: i64 = 24;
/// Lengths of a reason to refuse, in characters.
const REASON: std::ops::RangeInclusive<usize> = 10..=500;

/// An approval that holds now, for the member who asked for it.
pub(crate) struct Approved(Versioned<SearchApproval>);

impl Approved {
    pub(super) fn id(&self) -> &ApprovalId {
        &self.0.record.id
    }

    /// Who approved.
    pub(super) fn by(&self) -> Option<&MemberId> {
        self.0.record.decided.as_ref().and_then(|decided| decided.by.as_ref())
    }

    pub(super) fn record(&self) -> &SearchApproval {
        &self.0.record
    }

    /// Makes a change depend on it.
    pub(super) fn guard(&self, changes: Changeset) -> Changeset {
        changes.depends_on(&self.0)
    }
}

/// Cameras of one owner that a search would go through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnerPlanned {
    /// The owner.
    pub agency: canvass_types::AgencyId,
    /// Its name.
    pub name: String,
    /// How many of its cameras.
    pub cameras: u32,
    /// Whether only hits would be searched.
    pub hits_only: bool,
}

/// What a search would touch, and what it takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SearchPlan {
    /// Cameras in scope.
    pub cameras: u32,
    /// How far back it reaches, begun days.
    pub days: u32,
    /// Owners whose cameras would be searched.
    pub owners: Vec<OwnerPlanned>,
    /// Owners whose cameras would be left out, and why.
    pub left_out: Vec<LeftOut>,
    /// Whether it can be run as it is.
    pub allowed: bool,
    /// Whether a second person's approval is what is missing, and enough.
    pub second_person: bool,
    /// What is missing, in one word each: `second-person`, `open-case`, `warrant` and so on.
    pub needs: Vec<String>,
    /// What the rules say, in words.
    pub because: Vec<String>,
}

/// A search to plan, or to ask approval of. The purpose goes with it as a header.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskedQuestion {
    /// What is asked.
    pub question: Question,
}

/// Which part of an approved search to run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RunApproved {
    /// `next` of the page before; for reads and histories alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// Why a search is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefuseApproval {
    /// In words, 10 to 500 characters.
    pub reason: String,
}

/// Which approvals to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalFilter {
    /// In this state.
    pub state: Option<ApprovalState>,
    /// From behind this place, as the part before said.
    pub after: Option<u64>,
    /// At most so many, 1 to 200; 50 when not given.
    pub limit: Option<u32>,
}

/// A search that takes a second person, as a list shows it: no plate is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApprovalView {
    /// Its id.
    pub id: ApprovalId,
    /// What kind of search.
    pub kind: QuestionKind,
    /// For which case.
    pub case: Option<CaseId>,
    /// The agency's number or name for the case.
    pub case_title: Option<String>,
    /// Class of the purpose.
    pub purpose: String,
    /// Who asks.
    pub by: MemberId,
    /// Their name.
    pub by_name: String,
    /// When they asked.
    pub at: Time,
    /// Where it stands.
    pub state: ApprovalState,
    /// Who decided, when, and why they refused.
    pub decided: Option<Decided>,
    /// Name of who decided.
    pub decided_by: Option<String>,
    /// While it is open: until when it waits. Once approved: until when it can be run.
    pub ends: Time,
    /// Whether the asking member asked for it: they run it, or take it back.
    pub mine: bool,
    /// Whether the asking member may approve or refuse it.
    pub decides: bool,
}

/// A search that takes a second person, with all that it asks and what it would touch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ApprovalDetail {
    /// It, as a list shows it.
    pub approval: ApprovalView,
    /// What is asked, with fixed moments.
    pub question: Question,
    /// Why.
    pub purpose: Purpose,
    /// What it would touch now, with the approval; null when it is over, or can't be told any more.
    pub plan: Option<SearchPlan>,
}

/// Where it stands at a moment.
fn stands(approval: &SearchApproval, now: Time) -> ApprovalState {
    match approval.state {
        ApprovalState::Open | ApprovalState::Approved if now >= approval.ends => ApprovalState::Expired,
        state => state,
    }
}

fn still_open(approval: &SearchApproval, now: Time) -> Result<(), CoreError> {
    let what = match stands(approval, now) {
        ApprovalState::Open => return Ok(()),
        ApprovalState::Expired => format!("its time was over on {}", approval.ends),
        decided => format!("it is {} already", decided.as_str()),
    };
    Err(CoreError::state(what, "ask for the search anew if it is still wanted"))
}

/// What of an approval its records say: nothing of a plate.
fn particulars(approval: &SearchApproval) -> serde_json::Value {
    json!({ "approval": approval.id, "kind": approval.question.kind(), "digest": approval.digest, "ends": approval.ends })
}

impl<R: Records> App<R> {
    /// Tells what a search would touch and what it takes. It looks at no read and leaves no entry.
    ///
    /// # Errors
    /// When the actor may not search plates, or a field is wrong.
    pub async fn plan_search(
        &self,
        actor: &Actor,
        purpose: &Purpose,
        wish: &AskedQuestion,
    ) -> Result<SearchPlan, CoreError> {
        let own = actor.agency.clone().ok_or(CoreError::Hidden("agency"))?;
        self.may_ask(actor, wish.question.kind()).await?;
        self.may_be_asked(actor, purpose, &wish.question).await?;
        let asked = wish.question.check(self.now())?;
        let case = self.case_worked_on(actor, &own, purpose).await?;
        self.planned(actor, purpose, (wish.question.kind(), &asked), case.as_ref()).await
    }

    /// Refuses, with an entry, whoever has no role for such a search.
    async fn may_ask(&self, actor: &Actor, kind: QuestionKind) -> Result<(), CoreError> {
        match kind {
            QuestionKind::Search => self.may_search::<PlateSearch>(actor).await,
            QuestionKind::History => self.may_search::<PlateHistory>(actor).await,
            QuestionKind::Convoy => self.may_search::<PlateConvoy>(actor).await,
            QuestionKind::Places => self.may_search::<PlateMultiplace>(actor).await,
            QuestionKind::Footage => self.may_search::<FootageSearch>(actor).await,
        }
    }

    /// Refuses, with an entry, a description of what may not be searched for.
    async fn may_be_asked(
        &self,
        actor: &Actor,
        purpose: &Purpose,
        question: &Question,
    ) -> Result<(), CoreError> {
        match question {
            Question::Footage(wish) => self.footage_allowed(actor, purpose, wish).await,
            _ => Ok(()),
        }
    }

    async fn planned(
        &self,
        actor: &Actor,
        purpose: &Purpose,
        (kind, asked): (QuestionKind, &Asked),
        case: Option<&Case>,
    ) -> Result<SearchPlan, CoreError> {
        match kind {
            QuestionKind::Search => self.plan::<PlateSearch>(actor, purpose, asked, case).await,
            QuestionKind::History => self.plan::<PlateHistory>(actor, purpose, asked, case).await,
            QuestionKind::Convoy => self.plan::<PlateConvoy>(actor, purpose, asked, case).await,
            QuestionKind::Places => self.plan::<PlateMultiplace>(actor, purpose, asked, case).await,
            QuestionKind::Footage => self.plan::<FootageSearch>(actor, purpose, asked, case).await,
        }
    }

    async fn scope_with<A: SearchesCameras>(
        &self,
        actor: &Actor,
        purpose: &Purpose,
        asked: &Asked,
        case: Option<&Case>,
    ) -> Result<Scope, CoreError> {
        let own = actor.agency.clone().ok_or(CoreError::Hidden("agency"))?;
        let bearing = asked.bearing(self.now(), case, 1);
        let mut scope = self.scope_of::<A>(actor, &own, &asked.wishes, &bearing, purpose).await?;
        if asked.form == "convoy" {
            few_cameras(&scope.cameras.keys().cloned().collect())?;
        }
        let (cameras, agencies) = (count(scope.cameras.len()), count(scope.owners()));
        for part in &mut scope.parts {
            (part.target.facts.cameras, part.target.facts.agencies) = (cameras, agencies);
        }
        Ok(scope)
    }

    async fn plan<A: SearchesCameras>(
        &self,
        actor: &Actor,
        purpose: &Purpose,
        asked: &Asked,
        case: Option<&Case>,
    ) -> Result<SearchPlan, CoreError> {
        let scope = self.scope_with::<A>(actor, purpose, asked, case).await?;
        let now = self.now();
        let (mut needs, mut because): (Vec<Need>, Vec<String>) = (Vec::new(), Vec::new());
        let (mut allowed, mut approved) = (!scope.parts.is_empty(), !scope.parts.is_empty());
        for part in &scope.parts {
            let with = |approvals: u32| {
                let mut facts = part.target.facts.clone();
                facts.purpose.clone_from(&purpose.class);
                facts.offence.clone_from(&purpose.offence);
                facts.warrant = purpose.warrant.as_ref().is_some_and(|number| !number.trim().is_empty());
                facts.approvals = approvals;
                part.target.clone().with(facts)
            };
            approved &= self.gate().check_at::<A>(actor, &with(1), now).is_ok();
            let Err(denied) = self.gate().check_at::<A>(actor, &with(0), now) else { continue };
            allowed = false;
            because.extend(self.gate().because::<A>(actor, &with(0), now));
            if let Denied::Rule { needs: missing, .. } = denied {
                needs.extend(missing);
            }
        }
        needs.sort_by_key(|need| need.as_str());
        needs.dedup();
        because.sort();
        because.dedup();
        let owner = |part: &super::scope::OwnersPart| OwnerPlanned {
            agency: part.owner.clone(),
            name: part.name.clone(),
            cameras: count(part.cameras.len()),
            hits_only: part.hits_only,
        };
        Ok(SearchPlan {
            cameras: count(scope.cameras.len()),
            days: asked.days(now),
            owners: scope.parts.iter().map(owner).collect(),
            left_out: scope.left_out,
            allowed,
            second_person: !allowed && approved,
            needs: needs.iter().map(|need| need.as_str().to_owned()).collect(),
            because,
        })
    }

    /// Asks for a second person's approval of a search, whose question is fixed from now on.
    ///
    /// # Errors
    /// When the actor may not, a field is wrong, it needs no approval, the rules forbid it even with one, or nobody else
    /// of the agency could approve it.
    pub async fn ask_approval(
        &self,
        actor: &Actor,
        purpose: &Purpose,
        wish: &AskedQuestion,
    ) -> Result<ApprovalDetail, CoreError> {
        let own = actor.agency.clone().ok_or(CoreError::Hidden("agency"))?;
        self.may_ask(actor, wish.question.kind()).await?;
        self.may_be_asked(actor, purpose, &wish.question).await?;
        let now = self.now();
        let question = wish.question.fixed(now);
        let asked = question.check(now)?;
        let case = self.case_worked_on(actor, &own, purpose).await?;
        let kind = question.kind();
        let plan = self.planned(actor, purpose, (kind, &asked), case.as_ref()).await?;
        if plan.allowed {
            return Err(CoreError::state("this search takes no second person", "run it"));
        }
        let purpose = self.allowed_with_approval(actor, purpose, (kind, &asked), case.as_ref()).await?;
        self.needs_a_second::<ApprovalGive>(actor).await?;
        let id = ApprovalId::random(self.entropy());
        let target = Target::of(&own, &id).in_case(case.as_ref().map(|case| case.id.clone()));
        let intent = self.allow::<ApprovalAsk>(actor, target, Some(&purpose)).await?;
        let approval = SearchApproval {
            id,
            agency: own,
            digest: question.digest(),
            question,
            purpose,
            case: case.map(|case| case.id),
            by: actor.member.clone(),
            at: now,
            state: ApprovalState::Open,
            decided: None,
            ends: now.plus_seconds(WAITS_HOURS * 3_600),
        };
        let mut detail = particulars(&approval);
        if let Some(fields) = detail.as_object_mut() {
            fields.insert("cameras".into(), json!(plan.cameras));
            fields.insert("agencies".into(), json!(plan.owners.len()));
            fields.insert("days".into(), json!(plan.days));
        }
        intent.detail(detail).with(|changes| changes.insert(&approval)).commit(self.records()).await?;
        self.approval_detail(actor, &approval).await
    }

    /// The purpose as it counts, when the rules would let the search be run with an approval; a refusal leaves its entry.
    async fn allowed_with_approval(
        &self,
        actor: &Actor,
        purpose: &Purpose,
        (kind, asked): (QuestionKind, &Asked),
        case: Option<&Case>,
    ) -> Result<Purpose, CoreError> {
        match kind {
            QuestionKind::Search => self.allowed_as::<PlateSearch>(actor, purpose, asked, case).await,
            QuestionKind::History => self.allowed_as::<PlateHistory>(actor, purpose, asked, case).await,
            QuestionKind::Convoy => self.allowed_as::<PlateConvoy>(actor, purpose, asked, case).await,
            QuestionKind::Places => self.allowed_as::<PlateMultiplace>(actor, purpose, asked, case).await,
            QuestionKind::Footage => self.allowed_as::<FootageSearch>(actor, purpose, asked, case).await,
        }
    }

    async fn allowed_as<A: SearchesCameras>(
        &self,
        actor: &Actor,
        purpose: &Purpose,
        asked: &Asked,
        case: Option<&Case>,
    ) -> Result<Purpose, CoreError> {
        let scope = self.scope_with::<A>(actor, purpose, asked, case).await?;
        let mut counts = purpose.clone();
        for part in scope.parts {
            // An intent that is not committed changes nothing.
            let intent = self.allow::<A>(actor, part.target, Some(purpose)).await?;
            counts = intent.record().purpose.clone().unwrap_or(counts);
        }
        Ok(counts)
    }

    async fn load_approval(&self, id: &ApprovalId) -> Result<Versioned<SearchApproval>, CoreError> {
        self.records().get(id.as_str()).await?.ok_or(CoreError::Hidden("approval"))
    }

    /// The approval, when it is of the actor's agency and for them to see: their own, or one that they may decide.
    async fn approval_seen(
        &self,
        actor: &Actor,
        id: &ApprovalId,
    ) -> Result<Versioned<SearchApproval>, CoreError> {
        let found = self.load_approval(id).await?;
        let target = Target::of(&found.record.agency, id);
        self.gate().check::<ApprovalRead>(actor, &target)?;
        if found.record.by == actor.member || self.decides(actor, &found.record.agency) {
            return Ok(found);
        }
        Err(CoreError::Hidden("approval"))
    }

    /// Whether the actor may decide on what others of an agency ask for.
    fn decides(&self, actor: &Actor, agency: &canvass_types::AgencyId) -> bool {
        let facts = Facts { others_proposal: true, approvals: 1, ..Facts::default() };
        let target = Target::of(agency, "approvals").with(facts);
        self.gate().check::<ApprovalGive>(actor, &target).is_ok()
    }

    async fn name(&self, member: &MemberId) -> Result<String, CoreError> {
        let found: Option<Versioned<Member>> = self.records().get(member.as_str()).await?;
        Ok(found.map_or_else(|| Member::FORMER.to_owned(), |found| found.record.name))
    }

    async fn approval_view(
        &self,
        actor: &Actor,
        approval: &SearchApproval,
    ) -> Result<ApprovalView, CoreError> {
        let mine = approval.by == actor.member;
        let state = stands(approval, self.now());
        let case: Option<Versioned<Case>> = match &approval.case {
            Some(id) => self.records().get(id.as_str()).await?,
            None => None,
        };
        let decided_by = match approval.decided.as_ref().and_then(|decided| decided.by.as_ref()) {
            Some(by) => Some(self.name(by).await?),
            None => None,
        };
        Ok(ApprovalView {
            id: approval.id.clone(),
            kind: approval.question.kind(),
            case: approval.case.clone(),
            case_title: case.map(|case| case.record.code.unwrap_or(case.record.title)),
            purpose: approval.purpose.class.clone(),
            by: approval.by.clone(),
            by_name: self.name(&approval.by).await?,
            at: approval.at,
            state,
            decided: approval.decided.clone(),
            decided_by,
            ends: approval.ends,
            mine,
            decides: !mine && state == ApprovalState::Open && self.decides(actor, &approval.agency),
        })
    }

    async fn approval_detail(
        &self,
        actor: &Actor,
        approval: &SearchApproval,
    ) -> Result<ApprovalDetail, CoreError> {
        let view = self.approval_view(actor, approval).await?;
        let live = matches!(view.state, ApprovalState::Open | ApprovalState::Approved);
        let plan = if live {
            let case: Option<Versioned<Case>> = match &approval.case {
                Some(id) => self.records().get(id.as_str()).await?,
                None => None,
            };
            let case = case.map(|case| case.record).filter(|case| case.open);
            let asked = approval.question.check(self.now())?;
            let kind = approval.question.kind();
            // Cameras may be gone since: then there is nothing to tell, and running it says why.
            match self.planned(actor, &approval.purpose, (kind, &asked), case.as_ref()).await {
                Err(error @ CoreError::Store(_)) => return Err(error),
                planned => planned.ok(),
            }
        } else {
            None
        };
        Ok(ApprovalDetail {
            approval: view,
            question: approval.question.clone(),
            purpose: approval.purpose.clone(),
            plan,
        })
    }

    /// Searches that take a second person, newest first: those that the actor asked for; of the whole agency for who may
    /// decide on them.
    ///
    /// # Errors
    /// When the actor may not.
    pub async fn approvals(
        &self,
        actor: &Actor,
        filter: &ApprovalFilter,
    ) -> Result<Page<ApprovalView>, CoreError> {
        let own = actor.agency.clone().ok_or(CoreError::Hidden("agency"))?;
        self.gate().check::<ApprovalRead>(actor, &Target::of(&own, "approvals"))?;
        let all = self.decides(actor, &own);
        let now = self.now();
        let keep = |approval: &SearchApproval| {
            (all || approval.by == actor.member)
                && filter.state.is_none_or(|wanted| wanted == stands(approval, now))
        };
        let query = Query::<SearchApproval>::new().with("agency", &own);
        let found = page(self.records(), query, (filter.after, filter.limit), keep).await?;
        let mut entries = Vec::with_capacity(found.entries.len());
        for approval in &found.entries {
            entries.push(self.approval_view(actor, approval).await?);
        }
        Ok(Page { entries, next: found.next })
    }

    /// One such search, with what it asks and would touch.
    ///
    /// # Errors
    /// When there is none for the actor.
    pub async fn approval(&self, actor: &Actor, id: &ApprovalId) -> Result<ApprovalDetail, CoreError> {
        let found = self.approval_seen(actor, id).await?;
        self.approval_detail(actor, &found.record).await
    }

    /// Approves a search that somebody else asks for: for a day they may run exactly that.
    ///
    /// # Errors
    /// When the actor may not or asked for it themselves, or it is decided or over.
    pub async fn approve_search(&self, actor: &Actor, id: &ApprovalId) -> Result<ApprovalDetail, CoreError> {
        let before = self.load_approval(id).await?;
        let others = before.record.by != actor.member;
        let facts = Facts { others_proposal: others, approvals: u32::from(others), ..Facts::default() };
        let target = Target::of(&before.record.agency, id).in_case(before.record.case.clone()).with(facts);
        let intent = self.allow::<ApprovalGive>(actor, target, None).await?;
        let now = self.now();
        still_open(&before.record, now)?;
        let mut after = before.record.clone();
        after.state = ApprovalState::Approved;
        after.decided = Some(Decided { by: Some(actor.member.clone()), at: now, reason: None });
        after.ends = now.plus_seconds(APPROVED_HOURS * 3_600);
        intent
            .detail(particulars(&after))
            .with(|changes| changes.update(&before, &after))
            .commit(self.records())
            .await?;
        self.approval_detail(actor, &after).await
    }

    /// Refuses a search that somebody else asks for.
    ///
    /// # Errors
    /// When the actor may not or asked for it themselves, the reason is too short, or it is decided or over.
    pub async fn refuse_search(
        &self,
        actor: &Actor,
        id: &ApprovalId,
        reason: &str,
    ) -> Result<ApprovalDetail, CoreError> {
        let before = self.load_approval(id).await?;
        let target = Target::of(&before.record.agency, id).in_case(before.record.case.clone());
        let intent = self.allow::<ApprovalRefuse>(actor, target, None).await?;
        let now = self.now();
        still_open(&before.record, now)?;
        if before.record.by == actor.member {
            return Err(CoreError::state("you asked for this yourself", "take it back instead"));
        }
        let mut problems = Vec::new();
        check_text(&mut problems, "reason", reason, REASON);
        accept(problems)?;
        let reason = Some(reason.trim().to_owned());
        let mut after = before.record.clone();
        after.state = ApprovalState::Refused;
        after.decided = Some(Decided { by: Some(actor.member.clone()), at: now, reason });
        after.ends = now;
        intent
            .detail(particulars(&after))
            .with(|changes| changes.update(&before, &after))
            .commit(self.records())
            .await?;
        self.approval_detail(actor, &after).await
    }

    /// Takes back a search that the actor asked for, approved or not.
    ///
    /// # Errors
    /// When the actor may not, somebody else asked for it, or it is over.
    pub async fn withdraw_search(&self, actor: &Actor, id: &ApprovalId) -> Result<ApprovalDetail, CoreError> {
        let before = self.approval_seen(actor, id).await?;
        let target = Target::of(&before.record.agency, id).in_case(before.record.case.clone());
        let intent = self.allow::<ApprovalWithdraw>(actor, target, None).await?;
        if before.record.by != actor.member {
            return Err(CoreError::state("somebody else asked for this", "refuse it instead, with a reason"));
        }
        let now = self.now();
        if stands(&before.record, now) != ApprovalState::Approved {
            still_open(&before.record, now)?;
        }
        let mut after = before.record.clone();
        after.state = ApprovalState::Withdrawn;
        after.ends = now;
        intent
            .detail(particulars(&after))
            .with(|changes| changes.update(&before, &after))
            .commit(self.records())
            .await?;
        self.approval_detail(actor, &after).await
    }

    /// The actor's approval, when it holds now.
    pub(super) async fn approved(&self, actor: &Actor, id: &ApprovalId) -> Result<Approved, CoreError> {
        let found = self.approval_seen(actor, id).await?;
        if found.record.by != actor.member {
            return Err(CoreError::state("somebody else asked for this", "only who asked can run it"));
        }
        let (what, remedy) = match stands(&found.record, self.now()) {
            ApprovalState::Approved => return Ok(Approved(found)),
            ApprovalState::Open => ("nobody approved this yet", "wait until a second person did"),
            ApprovalState::Expired => ("its time is over", "ask for the search anew"),
            ApprovalState::Refused => ("a second person refused this", "read the reason, and ask for less"),
            ApprovalState::Withdrawn => ("you took this back", "ask for the search anew"),
        };
        Err(CoreError::state(what, remedy))
    }

    /// Leave to run what was approved, once: exactly the question that was asked, with entries that name the approval.
    ///
    /// # Errors
    /// When it is not the actor's, not approved, or over; and as [`App::search_plates`].
    pub async fn run_approved(
        &self,
        actor: &Actor,
        id: &ApprovalId,
        part: &RunApproved,
    ) -> Result<GrantedQuestion, CoreError> {
        let under = self.approved(actor, id).await?;
        let mut question = under.record().question.clone();
        match &mut question {
            Question::Search(wish) => wish.after.clone_from(&part.after),
            Question::History(wish) => wish.after.clone_from(&part.after),
            Question::Convoy(_) | Question::Places(_) | Question::Footage(_) if part.after.is_some() => {
                let message = "this search has one page";
                return Err(CoreError::field("after", "none", message, "leave it out"));
            }
            Question::Convoy(_) | Question::Places(_) | Question::Footage(_) => {}
        }
        let purpose = under.record().purpose.clone();
        self.grant_question(actor, &purpose, &question, None, Some(&under)).await
    }

    /// Leave for a question of any kind; going on from the entry of an earlier search, if one is named.
    pub(super) async fn grant_question(
        &self,
        actor: &Actor,
        purpose: &Purpose,
        question: &Question,
        of: Option<&AuditId>,
        under: Option<&Approved>,
    ) -> Result<GrantedQuestion, CoreError> {
        let now = self.now();
        let mut asked = question.check(now)?;
        if let Some(first) = of {
            asked.after = Some((first.clone(), None));
        }
        Ok(match question {
            Question::Search(_) => GrantedQuestion::Search(self.grant(actor, purpose, &asked, under).await?),
            Question::History(_) => {
                GrantedQuestion::History(self.grant(actor, purpose, &asked, under).await?)
            }
            Question::Convoy(wish) => {
                let (_, terms) = wish.check(now)?;
                let Some(pattern) = asked.pattern.clone() else { return Err(CoreError::Hidden("plate")) };
                let granted = self.grant(actor, purpose, &asked, under).await?;
                GrantedQuestion::Convoy(GrantedConvoy { granted, terms, pattern })
            }
            Question::Places(wish) => {
                let (_, terms) = wish.check()?;
                let granted = self.grant(actor, purpose, &asked, under).await?;
                let (confidence, vehicle, colour) = (asked.confidence, asked.vehicle, asked.colour);
                GrantedQuestion::Places(GrantedPlaces { granted, terms, confidence, vehicle, colour })
            }
            Question::Footage(wish) => {
                GrantedQuestion::Footage(self.grant_footage(actor, purpose, wish, under).await?)
            }
        })
    }
}

fn count(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}

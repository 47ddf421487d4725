//! Break-glass: an operator changes who an agency's people are only for an hour, for a reason, and for all to see. And what an
//! operator looks at stands in the ledger, too.

use std::{
    collections::HashSet,
    marker::PhantomData,
    sync::{Mutex, PoisonError},
};

use canvass_types::{AgencyId, BreakGlassId, MemberId, Role, Time};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    App, CoreError,
    access::{Action, Actor, BreakGlassBegin, BreakGlassEnd, BreakGlassRead, Facts, OPERATOR_READ, Target},
    error::{accept, check_text},
    ports::{Query, Records, RecordsExt},
    records::{BreakGlass, FederatedAccount, Member, Passkey, Token},
};

/// How long it is open, seconds.
const OPEN: i64 = 3_600;

/// Break-glass that is to be opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBreakGlass {
    /// For which agency.
    pub agency: AgencyId,
    /// Why, 20 to 500 characters.
    pub reason: String,
}

/// Leave to show what an action shows: the gate let the actor, and the entry of this hour is durable. Only
/// [`App::look_entered`] gives one.
#[derive(Debug)]
pub(crate) struct Looked<A>(PhantomData<A>);

/// What operators looked at within the present hour.
#[derive(Debug, Default)]
pub(crate) struct LookedNow(Mutex<(String, HashSet<String>)>);

impl LookedNow {
    fn knows(&self, hour: &str, what: &str) -> bool {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.0 == hour && seen.1.contains(what)
    }

    fn note(&self, hour: &str, what: String) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.0 != hour {
            *seen = (hour.to_owned(), HashSet::new());
        }
        seen.1.insert(what);
    }
}

impl<R: Records> App<R> {
    /// Opens break-glass for an agency, for an hour.
    ///
    /// # Errors
    /// When the actor may not, the agency does not exist, or the reason is missing.
    pub async fn begin_break_glass(
        &self,
        actor: &Actor,
        wish: &NewBreakGlass,
    ) -> Result<BreakGlass, CoreError> {
        let intent =
            self.allow::<BreakGlassBegin>(actor, Target::of(&wish.agency, &wish.agency), None).await?;
        let agency = self.agency(&wish.agency).await?;
        let mut problems = Vec::new();
        check_text(&mut problems, "reason", &wish.reason, 20..=500);
        accept(problems)?;
        let now = self.now();
        let glass = BreakGlass {
            id: BreakGlassId::random(self.entropy()),
            agency: wish.agency.clone(),
            by: actor.member.clone(),
            reason: wish.reason.trim().to_owned(),
            begun: now,
            until: now.plus_seconds(OPEN),
            ended: None,
            ended_by: None,
        };
        intent
            .detail(json!({ "break_glass": glass.id, "reason": glass.reason, "until": glass.until }))
            .with(|changes| changes.insert(&glass).depends_on(&agency))
            .commit(self.records())
            .await?;
        Ok(glass)
    }

    /// Ends break-glass at once.
    ///
    /// # Errors
    /// When the actor may not, or there is none.
    pub async fn end_break_glass(&self, actor: &Actor, id: &BreakGlassId) -> Result<BreakGlass, CoreError> {
        let found = self.records().get::<BreakGlass>(id.as_str()).await?;
        let before = found.ok_or(CoreError::Hidden("break-glass"))?;
        let target = Target::of(&before.record.agency, &before.record.agency);
        let intent = self.allow::<BreakGlassEnd>(actor, target, None).await?;
        let now = self.now();
        if !before.record.is_open(now) {
            return Err(CoreError::state("it is over already", "look at the list of when it was open"));
        }
        let after =
            BreakGlass { ended: Some(now), ended_by: Some(actor.member.clone()), ..before.record.clone() };
        intent
            .detail(json!({ "break_glass": id }))
            .with(|changes| changes.update(&before, &after))
            .commit(self.records())
            .await?;
        Ok(after)
    }

    /// When break-glass was open, newest first: of the actor's agency, or of all for who has none.
    ///
    /// # Errors
    /// When the actor may not.
    pub async fn break_glass(&self, actor: &Actor) -> Result<Vec<BreakGlass>, CoreError> {
        let target = Target::maybe(actor.agency.as_ref(), "break-glass");
        self.gate().check::<BreakGlassRead>(actor, &target)?;
        let mut query = Query::<BreakGlass>::new().newest_first().limit(200);
        if let Some(agency) = &actor.agency {
            query = query.with("agency", agency);
        }
        Ok(self.records().list(query).await?.into_iter().map(|each| each.record).collect())
    }

    /// What bears on changing an agency's people: whether break-glass is open, or the agency has nobody yet to do it.
    pub(crate) async fn about_people(
        &self,
        actor: &Actor,
        agency: Option<&AgencyId>,
    ) -> Result<Facts, CoreError> {
        let mut facts = Facts::default();
        if let Some(agency) = agency.filter(|_| actor.roles.contains(&Role::Operator)) {
            facts.break_glass = !self.is_administered(agency).await? || self.is_glass_open(agency).await?;
        }
        Ok(facts)
    }

    async fn is_administered(&self, agency: &AgencyId) -> Result<bool, CoreError> {
        let members = self.records().list(Query::<Member>::new().with("agency", agency)).await?;
        let may = |it: &Member| it.active && it.roles.contains(&Role::Administrator);
        for member in members.iter().map(|it| &it.record).filter(|it| may(it)) {
            if self.can_sign_in(&member.id).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a member has what signs them in: a first administrator has nothing yet.
    async fn can_sign_in(&self, member: &MemberId) -> Result<bool, CoreError> {
        let now = self.now();
        let tokens = self.records().list(Query::<Token>::new().with("member", member)).await?;
        if tokens.iter().any(|it| it.record.revoked.is_none() && it.record.expires > now) {
            return Ok(true);
        }
        let passkeys = self.records().list(Query::<Passkey>::new().with("member", member)).await?;
        let accounts = self.records().list(Query::<FederatedAccount>::new().with("member", member)).await?;
        Ok(passkeys.iter().any(|it| it.record.stopped.is_none())
            || accounts.iter().any(|it| it.record.stopped.is_none()))
    }

    async fn is_glass_open(&self, agency: &AgencyId) -> Result<bool, CoreError> {
        let query = Query::<BreakGlass>::new().with("agency", agency).newest_first().limit(50);
        let now: Time = self.now();
        Ok(self.records().list(query).await?.iter().any(|it| it.record.is_open(now)))
    }

    /// Asks whether the actor may see this. What an operator looks at is entered in the ledger before they see it, once an
    /// hour for the same thing.
    ///
    /// # Errors
    /// When the actor may not, or the entry can't be made.
    pub async fn look<A: Action>(&self, actor: &Actor, target: &Target) -> Result<(), CoreError> {
        self.gate().check::<A>(actor, target)?;
        if !actor.roles.contains(&Role::Operator) || (actor.agency.is_some() && actor.agency == target.agency)
        {
            return Ok(());
        }
        self.seen_once::<A>(actor, target, OPERATOR_READ).await
    }

    /// Asks whether the actor may see this, and enters under the action's own name that they do, before they see it, once
    /// an hour for the same thing.
    ///
    /// # Errors
    /// When the actor may not, or the entry can't be made.
    pub(crate) async fn look_entered<A: Action>(
        &self,
        actor: &Actor,
        target: &Target,
    ) -> Result<Looked<A>, CoreError> {
        self.gate().check::<A>(actor, target)?;
        self.seen_once::<A>(actor, target, A::NAME).await?;
        Ok(Looked(PhantomData))
    }

    async fn seen_once<A: Action>(
        &self,
        actor: &Actor,
        target: &Target,
        name: &'static str,
    ) -> Result<(), CoreError> {
        let hour = self.now().hour();
        let agency = target.agency.as_ref().map(ToString::to_string).unwrap_or_default();
        let what = format!("{} {} {agency} {}", actor.member, A::NAME, target.subject);
        if self.looked().knows(&hour, &what) {
            return Ok(());
        }
        let veil = self.veil(Some(actor), target).await?;
        let seen = self.gate().seen(name, actor, target.clone(), self.now(), self.entropy());
        seen.veiled(veil).detail(json!({ "action": A::NAME })).commit(self.records()).await?;
        self.looked().note(&hour, what);
        Ok(())
    }

    /// Enters in the ledger that a tool of the executable worked on the records directly.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn note_tool(&self, tool: &str) -> Result<(), CoreError> {
        let intent = self.system(crate::access::Job::OperatorTool, Target::shared(tool));
        intent.commit(self.records()).await?;
        Ok(())
    }
}

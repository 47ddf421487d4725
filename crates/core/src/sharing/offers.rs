//! Offering, accepting and ending.

use std::collections::BTreeSet;

use canvass_policy::SharingScope;
use canvass_types::{AgencyId, AgencyState, Digest, FieldProblem, SharingId, Time, canonical};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{SharingView, Standing, standing};
use crate::{
    App, CoreError,
    access::{Actor, Facts, ShareAccept, ShareEnd, ShareOffer, SharePropose, Target},
    error::{accept, check_text, problem},
    ports::{Records, RecordsExt, Versioned},
    proposals::{ProposalView, decided, particulars, second, stale},
    records::{Acceptance, Agency, Case, Ended, Proposal, ProposalBody, ProposalState, Shared, SharingRule},
};

/// Longest time of a rule, days.
const MOST_DAYS: u32 = 365;
/// Most agencies that a rule names, and most cameras.
const MOST_NAMED: usize = 100;
/// Widest reach, km.
const MOST_KM: u32 = 5_000;
/// Lengths of the reason of an end, in characters.
const REASON: std::ops::RangeInclusive<usize> = 10..=500;

/// A rule of sharing that is to be offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSharing {
    /// What is shared.
    pub what: Shared,
    /// With whom: `named`, `state`, `distance`, `compatible` or `all`; a case with one named agency only.
    #[schema(value_type = String)]
    pub scope: SharingScope,
    /// Agencies named, at most 100. A federal agency is reached only here, however wide the scope.
    #[serde(default)]
    pub named: BTreeSet<AgencyId>,
    /// How far the scope `distance` reaches between the middles of the jurisdictions, 1 to 5000 km.
    #[serde(default)]
    pub within_km: u32,
    /// First moment in force; from the approval on when not given.
    #[serde(default)]
    pub from: Option<Time>,
    /// First moment no longer in force, at most 365 days after the first.
    pub until: Time,
    /// Why, in words, 10 to 500 characters.
    pub reason: String,
}

fn check(wish: &NewSharing, own: &AgencyId, now: Time) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    let mut must = |holds: bool, field: &str, message: &str, remedy: &str| {
        if !holds {
            problems.push(problem(field, "sharing", message, remedy));
        }
    };
    let from = wish.from.map_or(now, |from| from.max(now));
    must(wish.until > from, "until", "it ends before it begins", "give a moment in the future");
    must(
        wish.until <= from.plus_days(MOST_DAYS),
        "until",
        "it lasts more than 365 days",
        "give an earlier end; renew it later",
    );
    must(!wish.named.contains(own), "named", "the agency can't share with itself", "name other agencies");
    must(
        wish.named.len() <= MOST_NAMED,
        "named",
        "more than 100 agencies are named",
        "choose a wider scope, or offer a second rule",
    );
    must(
        wish.scope != SharingScope::Named || !wish.named.is_empty(),
        "named",
        "nobody is named",
        "name at least one agency, or choose another scope",
    );
    let near = wish.scope == SharingScope::Distance;
    must(
        !near || (1..=MOST_KM).contains(&wish.within_km),
        "within_km",
        "it is out of range",
        "give 1 to 5000 km",
    );
    must(near || wish.within_km == 0, "within_km", "only the scope `distance` has one", "leave it out");
    match &wish.what {
        Shared::Case { .. } => must(
            wish.scope == SharingScope::Named && wish.named.len() == 1,
            "scope",
            "a case is shared with one agency by its name",
            "give the scope `named` and one agency; offer a second rule for another",
        ),
        Shared::Cameras { ids: Some(ids) } => {
            let plain = |id: &String| (1..=128).contains(&id.len()) && !id.chars().any(char::is_control);
            must(
                !ids.is_empty() && ids.len() <= MOST_NAMED && ids.iter().all(plain),
                "what.ids",
                "these are no ids of cameras",
                "give 1 to 100 ids of up to 128 characters, or leave them out for all cameras",
            );
        }
        Shared::Cameras { ids: None } => {}
    }
    problems
}

impl<R: Records> App<R> {
    /// Proposes that the actor's agency shares. Nothing is shared until a second person of it approves, and another
    /// agency accepts.
    ///
    /// # Errors
    /// When the actor may not, nobody else of the agency could approve, the agency is not verified, or a field is wrong.
    pub async fn offer_sharing(&self, actor: &Actor, wish: NewSharing) -> Result<ProposalView, CoreError> {
        let id = SharingId::random(self.entropy());
        let target = Target::maybe(actor.agency.as_ref(), &id);
        let intent = self.allow::<SharePropose>(actor, target, None).await?;
        let own = actor.agency.clone().ok_or(CoreError::Hidden("agency"))?;
        self.needs_a_second::<ShareOffer>(actor).await?;
        self.verified(&own).await?;
        let now = self.now();
        accept(check(&wish, &own, now))?;
        for id in &wish.named {
            if self.records().get::<Agency>(id.as_str()).await?.is_none() {
                let message = format!("{id} is no agency of this Canvass");
                return Err(CoreError::Invalid(vec![problem("named", "unknown", &message, "check its id")]));
            }
        }
        if let Shared::Case { case } = &wish.what {
            let found: Option<Versioned<Case>> = self.records().get(case.as_str()).await?;
            if found.is_none_or(|found| found.record.agency != own) {
                return Err(CoreError::field(
                    "what.case",
                    "unknown",
                    "the agency has no such case",
                    "check its id",
                ));
            }
        }
        let rule = SharingRule {
            id,
            owner: own.clone(),
            what: wish.what,
            scope: wish.scope,
            named: wish.named,
            within_km: wish.within_km,
            from: wish.from.map_or(now, |from| from.max(now)),
            until: wish.until,
            offered: now,
            accepted: Vec::new(),
            ended: None,
        };
        let digest = Digest::of(&canonical(&rule).unwrap_or_default());
        let body = ProposalBody::SharingOffer { rule: Box::new(rule) };
        let proposal = self.new_proposal(actor, Some(own), body, digest, &wish.reason)?;
        let intent = intent.detail(particulars(&proposal)).with(|changes| changes.insert(&proposal));
        intent.commit(self.records()).await?;
        self.proposal_view(&proposal).await
    }

    async fn verified(&self, agency: &AgencyId) -> Result<(), CoreError> {
        if self.agency(agency).await?.record.state == AgencyState::Verified {
            return Ok(());
        }
        Err(CoreError::state("the agency is not verified, or is suspended", "ask the operator to verify it"))
    }

    /// Asks whether the actor is the second person of the proposal's agency.
    async fn second_person<A: crate::access::Action>(
        &self,
        actor: &Actor,
        proposal: &Proposal,
        rule: &SharingId,
    ) -> Result<crate::access::Intent<A>, CoreError> {
        let facts: Facts = second(actor, proposal);
        let target = Target::maybe(proposal.agency.as_ref(), rule).with(facts);
        let intent = self.allow::<A>(actor, target, None).await?;
        crate::proposals::still_open(proposal, self.now())?;
        Ok(intent)
    }

    pub(crate) async fn approve_offer(
        &self,
        actor: &Actor,
        before: &Versioned<Proposal>,
        rule: &SharingRule,
    ) -> Result<(), CoreError> {
        let intent = self.second_person::<ShareOffer>(actor, &before.record, &rule.id).await?;
        self.verified(&rule.owner).await?;
        let now = self.now();
        if now >= rule.until {
            return Err(CoreError::state(
                "the time of this rule is over",
                "refuse it, and propose a later end",
            ));
        }
        let offered = SharingRule { offered: now, ..rule.clone() };
        let approved = decided(&before.record, ProposalState::Approved, Some(&actor.member), now, None);
        let notice = self.notice::<ShareOffer>(Some(&rule.owner), None, &rule.id);
        intent
            .detail(particulars(&approved))
            .with(|changes| changes.update(before, &approved).insert(&offered).insert(&notice))
            .commit(self.records())
            .await?;
        Ok(())
    }

    /// Proposes that the actor's agency accepts what another shares.
    ///
    /// # Errors
    /// When the actor may not, the rule does not reach the agency, is over or accepted already, or nobody else could approve.
    pub async fn accept_sharing(
        &self,
        actor: &Actor,
        id: &SharingId,
        reason: &str,
    ) -> Result<ProposalView, CoreError> {
        let intent =
            self.allow::<SharePropose>(actor, Target::maybe(actor.agency.as_ref(), id), None).await?;
        let own = actor.agency.clone().ok_or(CoreError::Hidden("agency"))?;
        let rule = self.acceptable(&own, id).await?.record;
        self.needs_a_second::<ShareAccept>(actor).await?;
        let digest = Digest::of(&canonical(&json!({ "accept": rule.id, "agency": own })).unwrap_or_default());
        let body = ProposalBody::SharingAcceptance { rule: rule.id };
        let proposal = self.new_proposal(actor, Some(own), body, digest, reason)?;
        let intent = intent.detail(particulars(&proposal)).with(|changes| changes.insert(&proposal));
        intent.commit(self.records()).await?;
        self.proposal_view(&proposal).await
    }

    /// The rule, when this agency could accept it today.
    async fn acceptable(&self, own: &AgencyId, id: &SharingId) -> Result<Versioned<SharingRule>, CoreError> {
        let rule = self.load_sharing(id).await?;
        if rule.record.owner == *own {
            return Err(CoreError::state("this is your own agency's rule", "the other agency accepts it"));
        }
        if !self.concerns(&rule.record, own).await? {
            return Err(CoreError::Hidden("sharing rule"));
        }
        self.verified(own).await?;
        if matches!(standing(&rule.record, self.now()), Standing::Ended | Standing::Over) {
            return Err(CoreError::state("this sharing is over", "ask the owner to offer it again"));
        }
        if rule.record.accepted.iter().any(|each| each.agency == *own) {
            return Err(CoreError::state("your agency accepted this already", "use it, or end it"));
        }
        Ok(rule)
    }

    pub(crate) async fn approve_acceptance(
        &self,
        actor: &Actor,
        before: &Versioned<Proposal>,
        id: &SharingId,
    ) -> Result<(), CoreError> {
        let intent = self.second_person::<ShareAccept>(actor, &before.record, id).await?;
        let own = before.record.agency.clone().ok_or(CoreError::Hidden("agency"))?;
        let rule = self.acceptable(&own, id).await.map_err(|error| match error {
            CoreError::Hidden(_) => stale("what is shared"),
            other => other,
        })?;
        let now = self.now();
        let mut accepted = rule.record.clone();
        accepted.accepted.push(Acceptance { agency: own.clone(), by: actor.member.clone(), at: now });
        let approved = decided(&before.record, ProposalState::Approved, Some(&actor.member), now, None);
        let notice = self.notice::<ShareAccept>(Some(&rule.record.owner), Some(&own), id);
        intent
            .detail(particulars(&approved))
            .with(|changes| changes.update(before, &approved).update(&rule, &accepted).insert(&notice))
            .commit(self.records())
            .await?;
        Ok(())
    }

    /// Ends a rule of the actor's agency at once, or the agency's part in another's: one person is enough to stop.
    ///
    /// # Errors
    /// When the actor may not, the rule is not theirs to end, it is over, or the reason is too short.
    pub async fn end_sharing(
        &self,
        actor: &Actor,
        id: &SharingId,
        reason: &str,
    ) -> Result<SharingView, CoreError> {
        let intent = self.allow::<ShareEnd>(actor, Target::maybe(actor.agency.as_ref(), id), None).await?;
        let own = actor.agency.clone().ok_or(CoreError::Hidden("agency"))?;
        let before = self.load_sharing(id).await?;
        let ours = before.record.owner == own;
        let part = before.record.accepted.iter().any(|each| each.agency == own);
        if !ours && !part {
            return Err(CoreError::Hidden("sharing rule"));
        }
        if before.record.ended.is_some() {
            return Err(CoreError::state("this sharing has ended already", "nothing is left to end"));
        }
        let mut problems = Vec::new();
        check_text(&mut problems, "reason", reason, REASON);
        accept(problems)?;
        let mut after = before.record.clone();
        if ours {
            let reason = reason.trim().to_owned();
            after.ended = Some(Ended { by: actor.member.clone(), at: self.now(), reason });
        } else {
            after.accepted.retain(|each| each.agency != own);
        }
        let other = (!ours).then_some(&own);
        let notice = self.notice::<ShareEnd>(Some(&after.owner), other, id);
        intent
            .detail(json!({ "rule": id, "owner": after.owner, "whole": ours }))
            .with(|changes| changes.update(&before, &after).insert(&notice))
            .commit(self.records())
            .await?;
        self.sharing_view(Some(&own), after).await
    }
}

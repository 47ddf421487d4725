//! Misuse detection: what is found in the records of acts, who sees it, and who answers for it. It runs on every deployment.
//!
//! A finding goes to supervisors of the member's agency and to overseers, never to the member whom it concerns, whatever
//! their roles. The oversight ledger has that one was raised (`finding.raised`) and answered (`finding.handle`).

mod detect;
mod vehicles;

use std::collections::BTreeMap;

use canvass_types::{AgencyId, FindingId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

pub use detect::Detected;
pub use vehicles::{ChangeVehicles, plate_form};

use crate::{
    App, CoreError,
    access::{Actor, FindingHandle, FindingRead, Target},
    cases::{Page, load::page},
    error::{accept, check_text, problem},
    ports::{Kind, Query, Records, RecordsExt},
    records::{AuditBody, AuditRecord, Finding, FindingState, Handling},
};

/// Which findings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FindingFilter {
    /// Of members of this agency; the actor's own, or all for an overseer, when not given.
    pub agency: Option<AgencyId>,
    /// In this state.
    pub state: Option<FindingState>,
    /// From behind this place on.
    pub after: Option<u64>,
    /// At most so many.
    pub limit: Option<u32>,
}

/// A finding with the acts that it is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FindingView {
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
    /// Records of the acts, oldest first; those past their retention are gone.
    pub acts: Vec<AuditBody>,
}

/// An answer to a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HandleFinding {
    /// `explained` or `confirmed`.
    pub state: FindingState,
    /// Why, 10 to 500 characters.
    pub answer: String,
}

impl<R: Records> App<R> {
    /// Findings, newest first, without those about the actor.
    ///
    /// # Errors
    /// When the actor may not.
    pub async fn findings(&self, actor: &Actor, filter: &FindingFilter) -> Result<Page<Finding>, CoreError> {
        let agency = filter.agency.clone().or_else(|| actor.agency.clone());
        self.gate().check::<FindingRead>(actor, &Target::maybe(agency.as_ref(), "findings"))?;
        let mut query = Query::<Finding>::new();
        if let Some(agency) = &agency {
            query = query.with("agency", agency);
        }
        if let Some(state) = filter.state {
            query = query.with("state", state.as_str());
        }
        let others = |finding: &Finding| finding.member != actor.member;
        page(self.records(), query, (filter.after, filter.limit), others).await
    }

    /// One finding, with its acts.
    ///
    /// # Errors
    /// When the actor may not, or there is none, or it is about the actor.
    pub async fn finding(&self, actor: &Actor, id: &FindingId) -> Result<FindingView, CoreError> {
        let finding = self.others_finding(actor, id).await?.record;
        self.gate().check::<FindingRead>(actor, &Target::of(&finding.agency, id))?;
        let mut acts = Vec::new();
        for audit in &finding.audits {
            let found = self.records().get::<AuditRecord>(audit.as_str()).await?;
            acts.extend(found.map(|record| record.record.body));
        }
        Ok(FindingView { finding, acts })
    }

    /// Answers for a finding: it was explained, or confirmed. Overseers may answer anew.
    ///
    /// # Errors
    /// When the actor may not, it is about the actor, it is answered already, or the answer says too little.
    pub async fn handle_finding(
        &self,
        actor: &Actor,
        id: &FindingId,
        wish: HandleFinding,
    ) -> Result<Finding, CoreError> {
        let before = self.others_finding(actor, id).await?;
        let intent = self.allow::<FindingHandle>(actor, Target::of(&before.record.agency, id), None).await?;
        let mut problems = Vec::new();
        check_text(&mut problems, "answer", &wish.answer, 10..=500);
        if wish.state == FindingState::Open {
            let remedy = "write explained or confirmed";
            problems.push(problem("state", "open", "a finding can't be answered with open", remedy));
        }
        accept(problems)?;
        if before.record.state != FindingState::Open && actor.agency.is_some() {
            return Err(CoreError::state(
                format!("the finding is {} already", before.record.state.as_str()),
                "an overseer may answer anew",
            ));
        }
        let mut finding = before.record.clone();
        finding.state = wish.state;
        let answer = wish.answer.trim().to_owned();
        finding.handled = Some(Handling { by: actor.member.clone(), at: self.now(), answer });
        intent
            .detail(json!({ "rule": finding.rule, "state": finding.state }))
            .with(|changes| changes.update(&before, &finding))
            .commit(self.records())
            .await?;
        Ok(finding)
    }

    /// How many findings of each rule are in each state, for the public: no agency and no member is in it.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn finding_counts(&self) -> Result<BTreeMap<String, BTreeMap<String, u64>>, CoreError> {
        let mut counts: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        for rule in canvass_misuse::Rule::ALL {
            counts.entry(rule.as_str().to_owned()).or_default();
        }
        for (standing, count) in self.records().count_by(Kind::Finding, "standing").await? {
            if let Some((rule, state)) = standing.split_once('/') {
                counts.entry(rule.to_owned()).or_default().insert(state.to_owned(), count);
            }
        }
        Ok(counts)
    }

    /// A finding about somebody else: to the member whom it concerns there is none.
    async fn others_finding(
        &self,
        actor: &Actor,
        id: &FindingId,
    ) -> Result<crate::ports::Versioned<Finding>, CoreError> {
        let found = self.records().get::<Finding>(id.as_str()).await?;
        found.filter(|found| found.record.member != actor.member).ok_or(CoreError::Hidden("finding"))
    }
}

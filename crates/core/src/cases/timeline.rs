//! What happened in a case, in one row: custody of its items and offers, holds, requests, and the case itself.

use std::collections::BTreeMap;

use canvass_types::{CaseId, MemberId, Time};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::Joined;
use crate::{
    App, CoreError,
    access::{Actor, CaseRead, Target},
    ports::{Query, Record, Records, RecordsExt},
    records::{AuditRecord, Case, CustodyEvent, Hold, Item, KeptReads, Member, Offer},
};

/// Newest events of one chain, and newest records of actions on the case, that are told.
const MOST_OF_ONE: u32 = 500;
/// Events when no number is asked for, and the most that are given.
const PART: (u32, u32) = (500, 2_000);
/// Events of an item that the case tells once for all of them.
const TOLD_BY_CASE: [&str; 3] = ["exported", "case-closed", "case-reopened"];

/// Something that happened in a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TimelineEvent {
    /// When.
    pub at: Time,
    /// What: `case.opened`, `case.changed`, `case.closed`, `case.reopened`, `case.exported`, `case.annotated`,
    /// `request.published`, `request.refused` and so on, `hold.placed`, `hold.released`, and `offer.` or `item.` with the
    /// name of an event of custody.
    pub kind: String,
    /// Id of the case, request, offer or item; for a hold, of what it is on.
    pub subject: String,
    /// File name of an item, code of a request.
    pub subject_name: Option<String>,
    /// Who did it; null for a resident, a moderator, or a job of the server.
    pub by: Option<MemberId>,
    /// Their name.
    pub by_name: Option<String>,
    /// Particulars.
    pub detail: Value,
}

/// What happened in a case, or the newest part of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Timeline {
    /// Events, oldest first. Of one item or offer the newest 500 are among them.
    pub events: Vec<TimelineEvent>,
    /// How many there are.
    pub total: u64,
    /// How many older ones were left out: ask again and skip more.
    pub earlier: u64,
}

/// Collects events, with what they have in common.
struct Row {
    events: Vec<TimelineEvent>,
    names: BTreeMap<MemberId, String>,
}

impl Row {
    fn add(
        &mut self,
        at: Time,
        kind: String,
        (subject, name): (&str, Option<&str>),
        by: Option<&MemberId>,
        detail: Value,
    ) {
        self.events.push(TimelineEvent {
            at,
            kind,
            subject: subject.to_owned(),
            subject_name: name.map(str::to_owned),
            by: by.cloned(),
            by_name: by.and_then(|by| self.names.get(by)).cloned(),
            detail,
        });
    }
}

/// How an action on a case is told; none for what is told otherwise.
fn told(action: &str, detail: &Value) -> Option<&'static str> {
    match action {
        "case.create" => Some("case.opened"),
        "case.change" if detail.get("reopened").is_some() => Some("case.reopened"),
        "case.change" => Some("case.changed"),
        "case.close" => Some("case.closed"),
        "case.export" => Some("case.exported"),
        "case.annotate" => Some("case.annotated"),
        "hold.place" => Some("hold.placed"),
        "hold.release" => Some("hold.released"),
        _ => None,
    }
}

/// Particulars without the heads of chains, which say nothing to a reader.
fn plain(detail: &Value) -> Value {
    let mut detail = detail.clone();
    if let Some(fields) = detail.as_object_mut() {
        fields.remove("custody");
        fields.remove("others");
    }
    detail
}

/// Particulars of a hold with its basis.
fn with_basis(detail: &Value, holds: &[Hold]) -> Value {
    let id = detail.get("hold").and_then(Value::as_str).unwrap_or_default();
    let basis = holds.iter().find(|hold| hold.id.as_str() == id).map(|hold| hold.basis.as_str());
    json!({ "hold": id, "basis": basis })
}

impl<R: Records> App<R> {
    /// What happened in a case, oldest first; of a long one the newest `limit` events (500 when not given, 2,000 at most)
    /// before the newest `skip`.
    ///
    /// # Errors
    /// When there is none for the actor.
    pub async fn timeline(
        &self,
        actor: &Actor,
        id: &CaseId,
        skip: u64,
        limit: Option<u32>,
    ) -> Result<Timeline, CoreError> {
        let case = self.load_case(id).await?.record;
        self.gate().check::<CaseRead>(actor, &Target::of(&case.agency, id))?;
        let members = self.records().list(Query::<Member>::new().with("agency", &case.agency)).await?;
        let names = members.into_iter().map(|member| (member.record.id, member.record.name)).collect();
        let mut row = Row { events: Vec::new(), names };
        let items = self.items_of_case(id).await?;
        let offers = self.offers_of_case(&case, &items).await?;
        let holds = self.holds_of_case(&case, &items, &offers).await?;
        self.case_events(&case, &holds, &mut row).await?;
        self.request_events(&case, &mut row).await?;
        for offer in &offers {
            let offer: &Offer = &offer.record;
            self.chain_events("offer", (offer.id.as_str(), None), &holds, &mut row).await?;
        }
        for item in &items {
            let item: &Item = &item.record;
            self.chain_events("item", (item.id.as_str(), Some(&item.name)), &holds, &mut row).await?;
        }
        for kept in &self.kept_of_case(id).await? {
            let kept: &KeptReads = &kept.record;
            self.chain_events("item", (kept.id.as_str(), Some(&kept.name)), &holds, &mut row).await?;
        }
        // Within a second an offer's event comes before what it led to, as it was added.
        row.events.sort_by_key(|event| event.at);
        let total = row.events.len();
        let end = total.saturating_sub(usize::try_from(skip).unwrap_or(usize::MAX));
        let begin = end.saturating_sub(limit.unwrap_or(PART.0).clamp(1, PART.1) as usize);
        row.events.truncate(end);
        let events = row.events.split_off(begin);
        Ok(Timeline { events, total: total as u64, earlier: begin as u64 })
    }

    async fn newest<T: Record>(&self, subject: &str) -> Result<Vec<T>, CoreError> {
        let query = Query::<T>::new().with("subject", subject).newest_first().limit(MOST_OF_ONE);
        let mut found = self.records().list(query).await?;
        found.reverse();
        Ok(found.into_iter().map(|each| each.record).collect())
    }

    async fn case_events(&self, case: &Case, holds: &[Hold], row: &mut Row) -> Result<(), CoreError> {
        let audit: Vec<AuditRecord> = self.newest(case.id.as_str()).await?;
        let subject = (case.id.as_str(), None);
        // The record of a case's opening may be forgotten before the case is.
        if !audit.iter().any(|each| each.body.action == "case.create") {
            row.add(case.opened, "case.opened".into(), subject, Some(&case.by), json!({}));
        }
        for AuditRecord { body, .. } in &audit {
            let Some(kind) = told(&body.action, &body.detail) else { continue };
            let detail =
                if kind.starts_with("hold.") { with_basis(&body.detail, holds) } else { plain(&body.detail) };
            row.add(body.at, kind.into(), subject, body.actor.as_ref(), detail);
        }
        Ok(())
    }

    async fn request_events(&self, case: &Case, row: &mut Row) -> Result<(), CoreError> {
        for id in &case.destinations {
            let found = match self.joined(&case.agency, id).await {
                Ok(Joined::Request(found)) => found,
                Ok(Joined::Portal(_)) | Err(CoreError::Invalid(_)) => continue,
                Err(error) => return Err(error),
            };
            let request = &found.record;
            let subject = (id.as_str(), Some(request.draft.code.as_str()));
            row.add(request.created, "request.drafted".into(), subject, Some(&request.author), json!({}));
            if let (Some(decision), Some(at)) = (&request.decision, request.decided) {
                let kind = if decision.approved { "request.published" } else { "request.refused" };
                let detail = json!({ "reason": decision.reason, "rule": decision.rule });
                row.add(at, kind.into(), subject, None, detail);
            }
            if let Some(at) = request.ended {
                let detail = json!({ "basis": request.end_note });
                row.add(at, format!("request.{}", request.state.as_str()), subject, None, detail);
            }
        }
        Ok(())
    }

    async fn chain_events(
        &self,
        of: &str,
        subject: (&str, Option<&str>),
        holds: &[Hold],
        row: &mut Row,
    ) -> Result<(), CoreError> {
        let events: Vec<CustodyEvent> = self.newest(subject.0).await?;
        for event in events {
            if of == "item" && TOLD_BY_CASE.contains(&event.event.as_str()) {
                continue;
            }
            let (kind, detail) = match event.event.as_str() {
                "held" => ("hold.placed".to_owned(), with_basis(&event.detail, holds)),
                "hold-released" => ("hold.released".to_owned(), with_basis(&event.detail, holds)),
                name => (format!("{of}.{name}"), event.detail.clone()),
            };
            row.add(event.at, kind, subject, event.by.as_ref(), detail);
        }
        Ok(())
    }
}

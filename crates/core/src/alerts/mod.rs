//! Alerts: a camera read a plate of a hotlist. One is no cause for anything until a person has compared plate and picture.
//!
//! ```text
//! Batch.hits ── raise_alerts ──► Alert (unconfirmed) ── confirm_alert ──► confirmed | misread | stale
//!                                  └─► stream of the desk · webhooks · web push
//! ```

pub mod push;
mod raise;
mod rates;
mod verdict;
pub mod webhooks;

use canvass_plates::{Difference, Limits, PlatePattern, PlateText, compare, confusables::standard};
use canvass_types::{AgencyId, AlertId, CameraId, HotlistId, MemberId, Position, Time};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

pub use raise::JOIN_SECONDS;
pub use rates::{AlertCounts, AllCounts, LEAST_PUBLISHED};
pub use verdict::{Seen, verdict};

use crate::{
    App, CoreError,
    access::{Actor, AlertConfirm, AlertDismiss, AlertList, Facts, Intent, Job, Target},
    breakglass::Looked,
    cases::{Page, load::page_of, load::up_to},
    error::{accept, check_text},
    plates::plate_fault,
    ports::{Query, Records, RecordsExt, Versioned},
    records::{
        Alert, AlertRead, AlertState, Camera, Compared, Hotlist, HotlistEntry, LegalBasis, Member,
        WebhookEvent,
    },
};

/// Alerts that one round of forgetting removes.
const ROUND: usize = 200;
/// Alerts that a stream gives at once.
const STREAMED: u32 = 100;

/// What a person saw when they compared plate and picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "plate": "ABC 1234", "listed": true }))]
pub struct ConfirmAlert {
    /// The plate as they see it in the picture, typed by them.
    pub plate: String,
    /// Whether they confirmed by other means (the source itself, a dispatcher) that it is still on the list. Some laws ask it.
    #[serde(default)]
    pub listed: bool,
    /// `confirmed`, `misread` or `stale`; what follows from the plate when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<AlertState>,
    /// What became of it, 2 to 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Which alerts to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertFilter {
    /// In this state.
    pub state: Option<AlertState>,
    /// Of this list.
    pub list: Option<HotlistId>,
    /// From behind this place, as the part before said.
    pub after: Option<u64>,
    /// At most so many, 1 to 200; 50 when not given.
    pub limit: Option<u32>,
}

/// An alert, as members of the list's agency see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AlertView {
    /// Its id.
    pub id: AlertId,
    /// Where it stands in the order of alerts: a stream goes on from here.
    pub place: u64,
    /// Where it stands.
    pub state: AlertState,
    /// Which list.
    pub list: HotlistId,
    /// Its name.
    pub list_name: String,
    /// Where the list's plates come from.
    pub source: String,
    /// What the list stands on.
    pub basis: LegalBasis,
    /// Class of its purpose.
    pub purpose: String,
    /// The entry as it was.
    pub entry: HotlistEntry,
    /// Days since the entry was made or changed, when the alert was raised.
    pub entry_days: u32,
    /// Which camera.
    pub camera: CameraId,
    /// Its name.
    pub camera_name: String,
    /// Where it stands: longitude, latitude.
    #[schema(value_type = Option<Vec<f64>>, min_items = 2, max_items = 2)]
    pub position: Option<Position>,
    /// Whose camera it is.
    pub owner: AgencyId,
    /// The newest reads.
    pub reads: Vec<AlertRead>,
    /// How many there were in all.
    pub count: u32,
    /// Where the newest read differs from the entry.
    pub differences: Vec<Difference>,
    /// Whether the newest read names another region than the entry.
    pub other_region: bool,
    /// When the first was seen.
    pub first: Time,
    /// When the last was seen.
    pub last: Time,
    /// When it was raised.
    pub raised: Time,
    /// Who compared plate and picture, and what they saw.
    pub compared: Option<Compared>,
    /// Their name.
    pub compared_by: Option<String>,
    /// When it is forgotten.
    pub ends: Time,
}

fn differences(alert: &Alert) -> Vec<Difference> {
    let Some(read) = alert.reads.last() else { return Vec::new() };
    let pattern = PlatePattern::tolerant(alert.entry.plate.as_str(), &Limits { fixed: 0, runs: 0 });
    let found = pattern.ok().and_then(|pattern| compare(&pattern, &read.plate, standard()));
    found.map(|(_, differences)| differences).unwrap_or_default()
}

/// The plate that a person typed.
fn typed(text: &str) -> Result<PlateText, CoreError> {
    PlateText::normalise(text).map_err(|error| {
        let (field, rule, message, remedy) = plate_fault(&error);
        CoreError::field(field, rule, &message, remedy)
    })
}

impl<R: Records> App<R> {
    async fn load_alert(
        &self,
        actor: &Actor,
        id: &AlertId,
    ) -> Result<(Looked<AlertList>, Versioned<Alert>), CoreError> {
        let alert: Option<Versioned<Alert>> = self.records().get(id.as_str()).await?;
        let alert = alert.ok_or(CoreError::Hidden("alert"))?;
        let target = Target::of(&alert.record.agency, "alerts");
        Ok((self.look_entered::<AlertList>(actor, &target).await?, alert))
    }

    /// Alerts of the actor's agency, newest first.
    ///
    /// # Errors
    /// When the actor may not.
    pub async fn alerts(&self, actor: &Actor, filter: &AlertFilter) -> Result<Page<AlertView>, CoreError> {
        let leave =
            self.look_entered::<AlertList>(actor, &Target::maybe(actor.agency.as_ref(), "alerts")).await?;
        let own = actor.agency.clone().ok_or(CoreError::Hidden("agency"))?;
        let mut query = Query::<Alert>::new().with("agency", own);
        if let Some(state) = filter.state {
            query = query.with("state", state.as_str());
        }
        let keep = |alert: &Alert| filter.list.as_ref().is_none_or(|list| *list == alert.list);
        let found = page_of(self.records(), query, (filter.after, filter.limit), keep).await?;
        Ok(Page { entries: self.alert_views(&leave, found.entries).await?, next: found.next })
    }

    /// Alerts of the actor's agency that came after a place, oldest first: what a stream gives next.
    ///
    /// # Errors
    /// When the actor may not.
    pub async fn alerts_after(&self, actor: &Actor, place: u64) -> Result<Vec<AlertView>, CoreError> {
        let leave =
            self.look_entered::<AlertList>(actor, &Target::maybe(actor.agency.as_ref(), "alerts")).await?;
        let own = actor.agency.clone().ok_or(CoreError::Hidden("agency"))?;
        let query = Query::<Alert>::new().with("agency", own).after(Some(place)).limit(STREAMED);
        let found = self.records().list(query).await?;
        self.alert_views(&leave, found).await
    }

    /// The place of the newest alert of the actor's agency: where a stream begins that asks for nothing older.
    ///
    /// # Errors
    /// When the actor may not.
    pub async fn newest_alert(&self, actor: &Actor) -> Result<u64, CoreError> {
        self.gate().check::<AlertList>(actor, &Target::maybe(actor.agency.as_ref(), "alerts"))?;
        let own = actor.agency.clone().ok_or(CoreError::Hidden("agency"))?;
        let query = Query::<Alert>::new().with("agency", own).newest_first();
        Ok(self.records().first(query).await?.map_or(0, |found| found.sequence))
    }

    /// One alert.
    ///
    /// # Errors
    /// When there is none for the actor.
    pub async fn alert(&self, actor: &Actor, id: &AlertId) -> Result<AlertView, CoreError> {
        let (leave, alert) = self.load_alert(actor, id).await?;
        self.alert_view(&leave, alert).await
    }

    /// Records what a person saw when they compared plate and picture. Only then an alert can be acted on.
    ///
    /// # Errors
    /// When there is no such alert for the actor, somebody compared it already, the outcome does not fit what was typed, or
    /// the law asks for more.
    pub async fn confirm_alert(
        &self,
        actor: &Actor,
        id: &AlertId,
        wish: ConfirmAlert,
    ) -> Result<AlertView, CoreError> {
        let (_, before) = self.load_alert(actor, id).await?;
        let alert = &before.record;
        if alert.state != AlertState::Unconfirmed {
            let what = format!("somebody compared it already: it is {}", alert.state.as_str());
            return Err(CoreError::state(what, "read what they saw"));
        }
        let plate = typed(&wish.plate)?;
        let mut problems = Vec::new();
        if let Some(note) = &wish.note {
            check_text(&mut problems, "note", note, 2..=500);
        }
        let seen =
            Seen { same: plate == alert.entry.plate, held: self.still_held(alert), chosen: wish.outcome };
        let outcome = verdict(seen).map_err(|problem| problems.push(*problem)).ok();
        accept(problems)?;
        let Some(state) = outcome else { return Err(CoreError::Hidden("alert")) };
        let mut after = alert.clone();
        after.state = state;
        after.compared = Some(Compared {
            by: actor.member.clone(),
            at: self.now(),
            typed: plate,
            listed: wish.listed,
            note: wish.note.map(|note| note.trim().to_owned()),
        });
        let facts = Facts { compared: true, listed: wish.listed, ..Facts::default() };
        let target = Target::of(&alert.agency, id).with(facts);
        if state == AlertState::Confirmed {
            let intent = self.allow::<AlertConfirm>(actor, target, None).await?;
            self.compared(intent, &before, &after).await?;
        } else {
            let intent = self.allow::<AlertDismiss>(actor, target, None).await?;
            self.compared(intent, &before, &after).await?;
        }
        self.alert(actor, id).await
    }

    async fn compared<A>(
        &self,
        intent: Intent<A>,
        before: &Versioned<Alert>,
        after: &Alert,
    ) -> Result<(), CoreError> {
        let listed = after.compared.as_ref().is_some_and(|compared| compared.listed);
        let detail =
            json!({ "outcome": after.state, "list": after.list, "camera": after.camera, "listed": listed });
        let told = self.told(WebhookEvent::Compared, after).await?;
        let changed = |changes| told.write(changes).update(before, after);
        intent.detail(detail).with(changed).commit(self.records()).await?;
        Ok(())
    }

    /// Whether the list, as we know it, holds the entry's plate at this moment.
    fn still_held(&self, alert: &Alert) -> bool {
        let lists = self.watch().in_force();
        let list = lists.iter().find(|watched| watched.list().id == alert.list);
        list.is_some_and(|list| list.holds(&alert.entry.plate, self.now()))
    }

    /// Removes alerts whose reads are past their retention, and enters it; says how many.
    ///
    /// # Errors
    /// The store's; the next round goes on.
    pub async fn forget_alerts(&self) -> Result<u32, CoreError> {
        let due = up_to(self.records(), Query::<Alert>::new().due("ends", self.now()), ROUND).await?;
        let mut removed = 0;
        let mut rest = due;
        while let Some(first) = rest.first() {
            let agency = first.record.agency.clone();
            let (ours, others): (Vec<_>, Vec<_>) =
                rest.into_iter().partition(|alert| alert.record.agency == agency);
            let lists: std::collections::BTreeSet<&HotlistId> =
                ours.iter().map(|alert| &alert.record.list).collect();
            let intent = self.system(Job::AlertsErased, Target::of(&agency, "alerts"));
            let mut intent = intent.detail(json!({ "alerts": ours.len(), "lists": lists }));
            for alert in &ours {
                intent = intent.with(|changes| changes.delete(alert));
            }
            intent.commit(self.records()).await?;
            removed += u32::try_from(ours.len()).unwrap_or(u32::MAX);
            rest = others;
        }
        Ok(removed)
    }

    async fn alert_views(
        &self,
        leave: &Looked<AlertList>,
        alerts: Vec<Versioned<Alert>>,
    ) -> Result<Vec<AlertView>, CoreError> {
        let mut views = Vec::with_capacity(alerts.len());
        for alert in alerts {
            views.push(self.alert_view(leave, alert).await?);
        }
        Ok(views)
    }

    pub(crate) async fn member_name(&self, id: &MemberId) -> Result<String, CoreError> {
        let found: Option<Versioned<Member>> = self.records().get(id.as_str()).await?;
        Ok(found.map_or_else(|| Member::FORMER.to_owned(), |found| found.record.name))
    }

    async fn alert_view(
        &self,
        _leave: &Looked<AlertList>,
        found: Versioned<Alert>,
    ) -> Result<AlertView, CoreError> {
        let Versioned { sequence, record: alert, .. } = found;
        let list: Option<Versioned<Hotlist>> = self.records().get(alert.list.as_str()).await?;
        let list = list.map(|found| found.record);
        let camera: Option<Versioned<Camera>> = self.records().get(alert.camera.as_str()).await?;
        let camera = camera.map(|found| found.record);
        let compared_by = match &alert.compared {
            Some(compared) => Some(self.member_name(&compared.by).await?),
            None => None,
        };
        let read_region = alert.reads.last().and_then(|read| read.region);
        let days = alert.raised.as_second().saturating_sub(alert.entry.since.as_second()) / 86_400;
        let text = |of: fn(&Hotlist) -> &str| list.as_ref().map(of).unwrap_or_default().to_owned();
        Ok(AlertView {
            place: sequence,
            list_name: text(|list| &list.name),
            source: text(|list| &list.source),
            purpose: text(|list| &list.purpose.class),
            entry_days: u32::try_from(days).unwrap_or(0),
            camera_name: camera.as_ref().map(|camera| camera.name.clone()).unwrap_or_default(),
            position: camera.map(|camera| camera.position),
            differences: differences(&alert),
            other_region: alert.entry.region.zip(read_region).is_some_and(|(one, other)| one != other),
            compared_by,
            id: alert.id,
            state: alert.state,
            list: alert.list,
            basis: alert.basis,
            entry: alert.entry,
            camera: alert.camera,
            owner: alert.owner,
            reads: alert.reads,
            count: alert.count,
            first: alert.first,
            last: alert.last,
            raised: alert.raised,
            compared: alert.compared,
            ends: alert.ends,
        })
    }
}

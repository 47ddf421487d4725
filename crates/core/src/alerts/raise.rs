//! Raising alerts: reads that met a hotlist become an alert, or join the one that is there for the same plate at the same
//! camera. Sent again, a read raises nothing anew.

use std::collections::{BTreeMap, HashMap};

use canvass_plates::{Read, hotlist::Found};
use canvass_types::{AgencyId, AlertId, CameraId, Digest, HotlistVersionId, Time};
use serde_json::json;

use crate::{
    App, CoreError,
    access::{Job, Target},
    hotlists::{Watched, place_of},
    plates::{Feed, Hit},
    ports::{Query, Records, RecordsExt, StoreError, Versioned},
    records::{Alert, AlertRead, AlertState, HotlistEntry, WebhookEvent},
};

/// Seconds within which another read of the same plate at the same camera joins an alert.
pub const JOIN_SECONDS: i64 = 300;
/// Reads that an alert names; how many there were is told besides.
const MOST_READS: usize = 20;
/// Alerts of the same plate at the same camera that are looked through for a read that was sent before.
const MOST_SAME: u32 = 20;
/// Entries of one list that a read is held against: those of one plate in several regions.
const MOST_FOUND: usize = 8;
/// Times that an alert is decided anew when somebody else changed it at the same moment.
const TRIES: usize = 5;

/// Reads of one camera that fit one entry.
struct Group<'a> {
    list: &'a Watched,
    entry: HotlistEntry,
    reads: Vec<AlertRead>,
    ends: Time,
}

/// Parts of lists that were read for this batch.
type Parts = HashMap<(HotlistVersionId, u32), Vec<HotlistEntry>>;

fn alert_read(read: &Read, found: &Found, picture: bool) -> AlertRead {
    AlertRead {
        id: read.id,
        seen: read.seen,
        received: read.received,
        plate: read.plate,
        region: read.region,
        confidence: read.confidence,
        label: found.label,
        picture,
    }
}

/// By what repeated reads find their alert.
fn same(list: &Watched, entry: &HotlistEntry, camera: &CameraId) -> Digest {
    let region = entry.region.map(|region| region.to_string()).unwrap_or_default();
    let text = format!("{}|{}|{region}|{camera}", list.list().id, entry.plate.as_str());
    Digest::of(text.as_bytes())
}

/// Whether a read belongs to an alert: it came at most some minutes before its first or after its last.
fn joins(alert: &Alert, read: &AlertRead) -> bool {
    let (first, last) = (alert.first.plus_seconds(-JOIN_SECONDS), alert.last.plus_seconds(JOIN_SECONDS));
    (first..=last).contains(&read.seen)
}

fn knows(alert: &Alert, read: &AlertRead) -> bool {
    alert.reads.iter().any(|known| known.id == read.id)
}

fn join(alert: &mut Alert, read: AlertRead) {
    alert.first = alert.first.min(read.seen);
    alert.last = alert.last.max(read.seen);
    alert.count = alert.count.saturating_add(1);
    alert.reads.push(read);
    if alert.reads.len() > MOST_READS {
        alert.reads.remove(0);
    }
}

impl<R: Records> App<R> {
    /// Raises alerts for reads that met a hotlist, once they are stored; says how many are new.
    ///
    /// # Errors
    /// The store's: then the batch is to be sent again, and what was raised is not raised twice.
    pub async fn raise_alerts(&self, feed: &Feed, hits: &[Hit]) -> Result<u32, CoreError> {
        let Some(kept) = feed.kept(true) else { return Ok(0) };
        let mut parts = Parts::new();
        let mut groups: BTreeMap<Digest, Group<'_>> = BTreeMap::new();
        for hit in hits {
            let ends = hit.read.kept_from().plus_seconds(i64::try_from(kept.seconds()).unwrap_or(i64::MAX));
            for (list, found) in &hit.lists {
                let Some((entry, found)) = self.best(&mut parts, list, &hit.read, found).await? else {
                    continue;
                };
                let group = groups.entry(same(list, &entry, feed.camera())).or_insert_with(|| Group {
                    list,
                    entry,
                    reads: Vec::new(),
                    ends,
                });
                group.reads.push(alert_read(&hit.read, &found, hit.pictured));
                group.ends = group.ends.max(ends);
            }
        }
        let mut raised = 0;
        for (same, group) in groups {
            raised += self.raise_group(same, group, (feed.camera(), feed.agency())).await?;
        }
        Ok(raised)
    }

    /// The entry of a list that a read fits best: the nearest, then the one of the read's own region. None when the list was
    /// replaced a while ago.
    async fn best(
        &self,
        parts: &mut Parts,
        list: &Watched,
        read: &Read,
        found: &[Found],
    ) -> Result<Option<(HotlistEntry, Found)>, CoreError> {
        let mut fitting = Vec::new();
        for each in found.iter().take(MOST_FOUND) {
            let (number, at) = place_of(each.id);
            let place = (list.version().clone(), number);
            if !parts.contains_key(&place) {
                let part = self.part_of(list.version(), number).await?;
                parts.insert(place.clone(), part.map(|part| part.entries).unwrap_or_default());
            }
            let entry = parts.get(&place).and_then(|entries| entries.get(at));
            fitting.extend(entry.map(|entry| (entry.clone(), *each)));
        }
        let other_region = |entry: &HotlistEntry| entry.region.is_none() || entry.region != read.region;
        Ok(fitting.into_iter().min_by_key(|(entry, found)| (found.label, other_region(entry), found.id)))
    }

    async fn raise_group(
        &self,
        same: Digest,
        mut group: Group<'_>,
        whose: (&CameraId, &AgencyId),
    ) -> Result<u32, CoreError> {
        group.reads.sort_by_key(|read| (read.seen, read.id));
        let mut raised = 0;
        for read in &group.reads {
            for attempt in 1..=TRIES {
                match self.raise_one(same, &group, read, whose).await {
                    Err(CoreError::Store(StoreError::Conflict { .. })) if attempt < TRIES => {}
                    other => {
                        raised += u32::from(other?);
                        break;
                    }
                }
            }
        }
        Ok(raised)
    }

    /// Joins a read to its alert, or raises one; says whether it is new.
    async fn raise_one(
        &self,
        same: Digest,
        group: &Group<'_>,
        read: &AlertRead,
        (camera, owner): (&CameraId, &AgencyId),
    ) -> Result<bool, CoreError> {
        let query = Query::<Alert>::new().with("same", same).newest_first().limit(MOST_SAME);
        let known: Vec<Versioned<Alert>> = self.records().list(query).await?;
        if known.iter().any(|found| knows(&found.record, read)) {
            return Ok(false);
        }
        if let Some(before) = known.iter().find(|found| joins(&found.record, read)) {
            let mut after = before.record.clone();
            after.ends = after.ends.max(group.ends);
            join(&mut after, read.clone());
            // Raising it left its entry: that it was seen again is no news of its own.
            let intent = self.system(Job::Housekeeping, Target::shared("alert"));
            intent.with(|changes| changes.update(before, &after)).commit(self.records()).await?;
            return Ok(false);
        }
        let list = group.list.list();
        let alert = Alert {
            id: AlertId::random(self.entropy()),
            list: list.id.clone(),
            version: group.list.version().clone(),
            agency: list.agency.clone(),
            camera: camera.clone(),
            owner: owner.clone(),
            basis: list.basis,
            entry: group.entry.clone(),
            reads: vec![read.clone()],
            count: 1,
            first: read.seen,
            last: read.seen,
            raised: self.now(),
            state: AlertState::Unconfirmed,
            compared: None,
            same,
            ends: group.ends,
        };
        if alert.owner != alert.agency {
            // Whose camera it is hears that it alerted another agency, and under what claim; not for which plate.
            let detail = json!({ "agency": alert.agency, "basis": alert.basis, "camera": alert.camera });
            let intent = self.system(Job::AlertRaised, Target::of(&alert.owner, &alert.id));
            intent.detail(detail).commit(self.records()).await?;
        }
        let told = self.told(WebhookEvent::Raised, &alert).await?;
        self.system(Job::AlertRaised, Target::of(&alert.agency, &alert.id))
            .detail(json!({
                "list": alert.list, "version": alert.version, "basis": alert.basis, "camera": alert.camera,
                "owner": alert.owner, "read": read.id, "label": read.label,
                "confidence": read.confidence.percent(),
            }))
            .with(|changes| told.write(changes.insert(&alert)))
            .commit(self.records())
            .await?;
        Ok(true)
    }
}

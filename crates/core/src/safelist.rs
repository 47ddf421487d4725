//! Safelists: residents register plates of their own with an agency, and reads of them are marked, or never stored.
//!
//! ```text
//! resident at the counter ── registration seen ──► SafelistEntry (keyed hash, at most a year)
//! Feed::prepare: on a hotlist? ── yes ──► stored and alerted, whatever the safelist says
//!                    └ no ── on the safelist? ── drop: not stored │ tag: stored and marked
//! ```
//! A plate is kept as HMAC-SHA-256 under a key of the agency that is derived from the server's: who has the records alone
//! can't try plates against the list; who has the server's key as well can, for there are few plates.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use canvass_plates::PlateText;
use canvass_types::{AgencyId, Digest, FieldProblem, MemberId, SafelistId, Time};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    App, CoreError,
    access::{Actor, Job, SafelistAdd, SafelistRead, SafelistRemove, SafelistSet, Target},
    cases::{
        Page,
        load::{every, page_of, up_to},
    },
    derived::hmac,
    error::{accept, check_text, problem},
    plates::{Feed, plate_fault},
    ports::{Changeset, Expect, Kind, Query, Records, RecordsExt, StoreError, Versioned},
    records::{Agency, SafelistEntry, SafelistMode, Setting},
};

/// Most plates on one agency's safelist.
pub const MOST_PLATES: usize = 20_000;
/// Most plates that are entered at once.
pub const MOST_AT_ONCE: usize = 500;
/// Most days for which a plate counts; then its owner comes again.
pub const MOST_DAYS: u32 = 365;
/// Entries that one round of forgetting removes.
const ROUND: usize = 200;

/// An agency's safelist in memory, so that a read is compared as it comes.
#[derive(Clone)]
pub(crate) struct Safe {
    mode: SafelistMode,
    key: [u8; 32],
    plates: HashMap<[u8; 32], Time>,
}

/// It shows no plate and no key.
impl fmt::Debug for Safe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Safe({:?}, {} plates)", self.mode, self.plates.len())
    }
}

impl Safe {
    fn hash(&self, plate: &PlateText) -> [u8; 32] {
        hmac(&self.key, &[b"plate/", plate.as_bytes()])
    }

    /// What becomes of a read of this plate.
    pub(crate) fn mode_of(&self, plate: &PlateText, at: Time) -> SafelistMode {
        if self.mode == SafelistMode::Off || self.plates.is_empty() {
            return SafelistMode::Off;
        }
        let counts = self.plates.get(&self.hash(plate)).is_some_and(|ends| at < *ends);
        if counts { self.mode } else { SafelistMode::Off }
    }
}

/// All safelists, and how many reads were dropped since that was last written down.
#[derive(Debug, Default)]
pub(crate) struct Safelists {
    lists: RwLock<HashMap<AgencyId, Arc<Safe>>>,
    dropped: Mutex<BTreeMap<AgencyId, u64>>,
}

impl Safelists {
    pub(crate) fn of(&self, agency: &AgencyId) -> Option<Arc<Safe>> {
        self.lists.read().unwrap_or_else(PoisonError::into_inner).get(agency).cloned()
    }

    fn put(&self, agency: &AgencyId, safe: Safe) {
        self.lists.write().unwrap_or_else(PoisonError::into_inner).insert(agency.clone(), Arc::new(safe));
    }

    fn change(&self, agency: &AgencyId, change: impl FnOnce(&mut Safe)) {
        let mut lists = self.lists.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(safe) = lists.get_mut(agency) {
            change(Arc::make_mut(safe));
        }
    }

    fn count(&self, agency: &AgencyId, reads: u64) {
        if reads > 0 {
            *self
                .dropped
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(agency.clone())
                .or_default() += reads;
        }
    }

    fn take_counts(&self) -> BTreeMap<AgencyId, u64> {
        std::mem::take(&mut *self.dropped.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What is stored of an agency's choice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Chosen {
    mode: SafelistMode,
    since: Option<Time>,
}

/// What becomes of reads of plates on the safelist from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetSafelist {
    /// `off`, `tag` or `drop`.
    pub mode: SafelistMode,
    /// Why, 10 to 500 characters; kept with the record.
    pub reason: String,
}

/// Plates that are to be on the safelist.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSafePlates {
    /// The plates, 1 to 500. A plate that is on the list already is renewed.
    pub plates: Vec<String>,
    /// For how many days, 1 to 365; 365 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// That you saw the registration of each vehicle, and that its holder asked for it.
    pub registration_seen: bool,
}

/// Which plate is to be taken off the safelist.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveSafePlate {
    /// The plate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plate: Option<String>,
    /// Or the id of its entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<SafelistId>,
}

/// What became of plates that were to be on the safelist.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SafePlatesAdded {
    /// Plates that are new on the list.
    pub added: u32,
    /// Plates that were renewed.
    pub renewed: u32,
    /// Until when they count.
    pub ends: Option<Time>,
}

/// An agency's safelist, as members see it: numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SafelistView {
    /// What becomes of reads.
    pub mode: SafelistMode,
    /// Since when; none when nobody chose yet.
    pub since: Option<Time>,
    /// Plates that count now.
    pub plates: u64,
    /// Reads that were dropped, in all.
    pub dropped: u64,
}

/// An entry of a safelist, as members see it. Nobody can tell its plate from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SafelistEntryView {
    /// Its id.
    pub id: SafelistId,
    /// Who saw the registration, at first or at the last renewal.
    pub by: MemberId,
    /// Their name.
    pub by_name: String,
    /// When it was entered.
    pub made: Time,
    /// When it was renewed last.
    pub renewed: Option<Time>,
    /// The first moment at which it counts no more.
    pub ends: Time,
}

/// A safelist, as everybody may know of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SafelistShown {
    /// Whose it is.
    pub agency: AgencyId,
    /// What becomes of reads.
    pub mode: SafelistMode,
    /// Plates that count.
    pub plates: u64,
    /// Reads that were dropped, in all.
    pub dropped: u64,
}

fn choice_name(agency: &AgencyId) -> String {
    format!("safelist/{agency}")
}

fn count_name(agency: &AgencyId) -> String {
    format!("safelist-dropped/{agency}")
}

/// A plate as it was typed; the fault names its place and never repeats it.
fn typed(text: &str, field: &str) -> Result<PlateText, Box<FieldProblem>> {
    PlateText::normalise(text).map_err(|error| {
        let (_, rule, message, remedy) = plate_fault(&error);
        Box::new(problem(field, rule, &message, remedy))
    })
}

impl<R: Records> App<R> {
    fn safe_key(&self, agency: &AgencyId) -> Result<[u8; 32], CoreError> {
        self.derived(&format!("safelist/{agency}"))
    }

    async fn chosen(&self, agency: &AgencyId) -> Result<(Chosen, Expect), CoreError> {
        let found: Option<Versioned<Setting>> = self.records().get(&choice_name(agency)).await?;
        Ok(match found {
            Some(found) => (
                serde_json::from_value(found.record.value).unwrap_or_default(),
                Expect::Version(found.version),
            ),
            None => (Chosen::default(), Expect::Absent),
        })
    }

    async fn dropped(&self, agency: &AgencyId) -> Result<(u64, Expect), CoreError> {
        let found: Option<Versioned<Setting>> = self.records().get(&count_name(agency)).await?;
        Ok(found.map_or((0, Expect::Absent), |found| {
            (found.record.value.as_u64().unwrap_or(0), Expect::Version(found.version))
        }))
    }

    /// Brings all safelists into memory, before the first camera is listened to.
    ///
    /// # Errors
    /// The store's, or that the server's key is missing although there are entries.
    pub async fn load_safelists(&self) -> Result<(), CoreError> {
        for found in every(self.records(), Query::<Agency>::new(), usize::MAX).await? {
            let agency = found.record.id;
            let query = Query::<SafelistEntry>::new().with("agency", &agency);
            let entries = every(self.records(), query, usize::MAX).await?;
            let (chosen, _) = self.chosen(&agency).await?;
            if entries.is_empty() && chosen.mode == SafelistMode::Off {
                continue;
            }
            let plates = entries.iter().map(|entry| (entry.record.plate.0, entry.record.ends)).collect();
            self.safelists().put(&agency, Safe { mode: chosen.mode, key: self.safe_key(&agency)?, plates });
        }
        Ok(())
    }

    /// The list in memory; an empty one where there was none yet.
    async fn safe(&self, agency: &AgencyId) -> Result<Arc<Safe>, CoreError> {
        if let Some(safe) = self.safelists().of(agency) {
            return Ok(safe);
        }
        let (chosen, _) = self.chosen(agency).await?;
        let safe = Safe { mode: chosen.mode, key: self.safe_key(agency)?, plates: HashMap::new() };
        self.safelists().put(agency, safe.clone());
        Ok(Arc::new(safe))
    }

    /// Chooses what becomes of reads of plates on the safelist of the actor's agency.
    ///
    /// # Errors
    /// When the actor may not, the reason is missing, or it is so already.
    pub async fn set_safelist(&self, actor: &Actor, wish: SetSafelist) -> Result<SafelistView, CoreError> {
        let agency = actor.agency.clone().ok_or(CoreError::Hidden("agency"))?;
        let intent = self.allow::<SafelistSet>(actor, Target::of(&agency, "safelist"), None).await?;
        let mut problems = Vec::new();
        check_text(&mut problems, "reason", &wish.reason, 10..=500);
        accept(problems)?;
        self.safe(&agency).await?;
        let (before, expect) = self.chosen(&agency).await?;
        if before.mode == wish.mode {
            return Err(CoreError::state("it is so already", "nothing is left to do"));
        }
        let after = Chosen { mode: wish.mode, since: Some(self.now()) };
        let setting = Setting { name: choice_name(&agency), value: json!(after) };
        intent
            .detail(json!({ "mode": wish.mode, "before": before.mode, "reason": wish.reason.trim() }))
            .with(|changes| changes.put(&setting, expect))
            .commit(self.records())
            .await?;
        self.safelists().change(&agency, |safe| safe.mode = wish.mode);
        self.safelist(actor).await
    }

    /// Enters plates on the safelist of the actor's agency, or renews them: all or none.
    ///
    /// # Errors
    /// When the actor may not, a plate is none, the registration was not seen, or the list is full.
    pub async fn add_safe_plates(
        &self,
        actor: &Actor,
        wish: NewSafePlates,
    ) -> Result<SafePlatesAdded, CoreError> {
        let agency = actor.agency.clone().ok_or(CoreError::Hidden("agency"))?;
        let intent = self.allow::<SafelistAdd>(actor, Target::of(&agency, "safelist"), None).await?;
        let mut problems = Vec::new();
        let days = wish.days.unwrap_or(MOST_DAYS);
        check_wish(&mut problems, &wish, days);
        let mut plates = Vec::with_capacity(wish.plates.len().min(MOST_AT_ONCE));
        for (text, number) in wish.plates.iter().take(MOST_AT_ONCE).zip(1..) {
            match typed(text, &format!("plates, number {number}")) {
                Ok(plate) => plates.push(plate),
                Err(fault) => problems.push(*fault),
            }
        }
        accept(problems)?;
        plates.sort_unstable();
        plates.dedup();
        let safe = self.safe(&agency).await?;
        let now = self.now();
        let ends = now.plus_days(days);
        let mut done = SafePlatesAdded { ends: Some(ends), ..SafePlatesAdded::default() };
        let mut changes: Vec<(SafelistEntry, Option<Versioned<SafelistEntry>>)> = Vec::new();
        for plate in &plates {
            let hash = Digest(safe.hash(plate));
            let known = self.safe_entry(&agency, hash).await?;
            let by = actor.member.clone();
            let entry = match &known {
                Some(before) => {
                    done.renewed += 1;
                    SafelistEntry { by, renewed: Some(now), ends, ..before.record.clone() }
                }
                None => {
                    done.added += 1;
                    let id = SafelistId::random(self.entropy());
                    SafelistEntry {
                        id,
                        agency: agency.clone(),
                        plate: hash,
                        by,
                        made: now,
                        renewed: None,
                        ends,
                    }
                }
            };
            changes.push((entry, known));
        }
        if safe.plates.len() + done.added as usize > MOST_PLATES {
            return Err(CoreError::state(
                format!("the safelist has room for {MOST_PLATES} plates, and these are more"),
                "take plates off that are no longer asked for",
            ));
        }
        let write = |all: Changeset| {
            changes.iter().fold(all, |all, (entry, before)| match before {
                Some(before) => all.update(before, entry),
                None => all.insert(entry),
            })
        };
        let detail =
            json!({ "added": done.added, "renewed": done.renewed, "days": days, "registration_seen": true });
        intent.detail(detail).with(write).commit(self.records()).await?;
        self.safelists().change(&agency, |safe| {
            safe.plates.extend(changes.iter().map(|(entry, _)| (entry.plate.0, entry.ends)));
        });
        Ok(done)
    }

    async fn safe_entry(
        &self,
        agency: &AgencyId,
        hash: Digest,
    ) -> Result<Option<Versioned<SafelistEntry>>, CoreError> {
        let query = Query::<SafelistEntry>::new().with("plate", hash).with("agency", agency);
        Ok(self.records().first(query).await?)
    }

    /// Takes a plate off the safelist of the actor's agency.
    ///
    /// # Errors
    /// When the actor may not, or it is not on the list.
    pub async fn remove_safe_plate(&self, actor: &Actor, wish: RemoveSafePlate) -> Result<(), CoreError> {
        let agency = actor.agency.clone().ok_or(CoreError::Hidden("agency"))?;
        let intent = self.allow::<SafelistRemove>(actor, Target::of(&agency, "safelist"), None).await?;
        let found = match (&wish.plate, &wish.id) {
            (Some(text), None) => {
                let plate = typed(text, "plate").map_err(|fault| CoreError::Invalid(vec![*fault]))?;
                let hash = Digest(self.safe(&agency).await?.hash(&plate));
                self.safe_entry(&agency, hash).await?
            }
            (None, Some(id)) => {
                let found: Option<Versioned<SafelistEntry>> = self.records().get(id.as_str()).await?;
                found.filter(|found| found.record.agency == agency)
            }
            _ => {
                let message = "which plate is not clear";
                return Err(CoreError::field(
                    "plate",
                    "one",
                    message,
                    "give the plate, or the id of its entry",
                ));
            }
        };
        let before = found.ok_or(CoreError::Hidden("plate on the safelist"))?;
        intent
            .detail(json!({ "removed": 1 }))
            .with(|changes| changes.delete(&before))
            .commit(self.records())
            .await?;
        self.safelists().change(&agency, |safe| {
            safe.plates.remove(&before.record.plate.0);
        });
        Ok(())
    }

    /// The safelist of the actor's agency, in numbers.
    ///
    /// # Errors
    /// When the actor may not.
    pub async fn safelist(&self, actor: &Actor) -> Result<SafelistView, CoreError> {
        self.gate().check::<SafelistRead>(actor, &Target::maybe(actor.agency.as_ref(), "safelist"))?;
        let agency = actor.agency.clone().ok_or(CoreError::Hidden("agency"))?;
        let (chosen, _) = self.chosen(&agency).await?;
        let shown = self.safelist_shown(&agency).await?;
        Ok(SafelistView {
            mode: chosen.mode,
            since: chosen.since,
            plates: shown.plates,
            dropped: shown.dropped,
        })
    }

    async fn safelist_shown(&self, agency: &AgencyId) -> Result<SafelistShown, CoreError> {
        let (chosen, _) = self.chosen(agency).await?;
        let now = self.now();
        let plates = self
            .safelists()
            .of(agency)
            .map_or(0, |safe| safe.plates.values().filter(|ends| now < **ends).count() as u64);
        Ok(SafelistShown {
            agency: agency.clone(),
            mode: chosen.mode,
            plates,
            dropped: self.dropped(agency).await?.0,
        })
    }

    /// Safelists as everybody may know of them, by agency.
    pub(crate) async fn safelists_shown(&self) -> Result<Vec<SafelistShown>, CoreError> {
        let mut shown = Vec::new();
        for found in every(self.records(), Query::<Agency>::new(), usize::MAX).await? {
            let one = self.safelist_shown(&found.record.id).await?;
            if one.mode != SafelistMode::Off || one.plates > 0 || one.dropped > 0 {
                shown.push(one);
            }
        }
        shown.sort_by(|one, other| one.agency.cmp(&other.agency));
        Ok(shown)
    }

    /// Entries of the safelist of the actor's agency, newest first.
    ///
    /// # Errors
    /// When the actor may not.
    pub async fn safelist_entries(
        &self,
        actor: &Actor,
        part: (Option<u64>, Option<u32>),
    ) -> Result<Page<SafelistEntryView>, CoreError> {
        self.gate().check::<SafelistRead>(actor, &Target::maybe(actor.agency.as_ref(), "safelist"))?;
        let agency = actor.agency.clone().ok_or(CoreError::Hidden("agency"))?;
        let query = Query::<SafelistEntry>::new().with("agency", agency);
        let found = page_of(self.records(), query, part, |_| true).await?;
        let mut entries = Vec::with_capacity(found.entries.len());
        for Versioned { record: it, .. } in found.entries {
            let by_name = self.member_name(&it.by).await?;
            let (id, by, made, renewed, ends) = (it.id, it.by, it.made, it.renewed, it.ends);
            entries.push(SafelistEntryView { id, by, by_name, made, renewed, ends });
        }
        Ok(Page { entries, next: found.next })
    }

    /// Counts reads that were not stored because of the safelist; [`App::keep_safelists`] writes it down.
    pub fn count_safe(&self, feed: &Feed, reads: u64) {
        self.safelists().count(feed.agency(), reads);
    }

    /// Writes down how many reads were dropped, and forgets entries that ended; says how many.
    ///
    /// # Errors
    /// The store's; what was not written down is counted again in the next round.
    pub async fn keep_safelists(&self) -> Result<usize, CoreError> {
        for (agency, reads) in self.safelists().take_counts() {
            if let Err(error) = self.add_dropped(&agency, reads).await {
                self.safelists().count(&agency, reads);
                return Err(error);
            }
        }
        let old = up_to(self.records(), Query::<SafelistEntry>::new().due("ends", self.now()), ROUND).await?;
        for entry in &old {
            let intent = self.system(Job::Housekeeping, Target::shared(&entry.record.id));
            match intent.with(|changes| changes.delete(entry)).commit(self.records()).await {
                Ok(_) => self.safelists().change(&entry.record.agency, |safe| {
                    safe.plates.remove(&entry.record.plate.0);
                }),
                // It was renewed just now.
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(old.len())
    }

    async fn add_dropped(&self, agency: &AgencyId, reads: u64) -> Result<(), CoreError> {
        let (before, expect) = self.dropped(agency).await?;
        let setting = Setting { name: count_name(agency), value: before.saturating_add(reads).into() };
        let intent = self.system(Job::Housekeeping, Target::shared(&setting.name));
        intent.with(|changes| changes.put(&setting, expect)).commit(self.records()).await?;
        Ok(())
    }

    /// Whether records rest on the server's key: then it must not be made anew.
    ///
    /// # Errors
    /// The store's.
    pub async fn key_is_needed(&self) -> Result<bool, CoreError> {
        for kind in [Kind::Webhook, Kind::SafelistEntry] {
            if !self.records().count_by(kind, "agency").await?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn check_wish(problems: &mut Vec<FieldProblem>, wish: &NewSafePlates, days: u32) {
    if wish.plates.is_empty() || wish.plates.len() > MOST_AT_ONCE {
        let message = format!("{} plates are outside 1 to {MOST_AT_ONCE}", wish.plates.len());
        problems.push(problem("plates", "count", &message, "send them in parts"));
    }
    if !(1..=MOST_DAYS).contains(&days) {
        let message = format!("{days} days are outside 1 to {MOST_DAYS}");
        problems.push(problem("days", "range", &message, "give fewer: the holder can renew it"));
    }
    if !wish.registration_seen {
        problems.push(problem(
            "registration_seen",
            "vouched",
            "nobody saw the registration of the vehicle",
            "look at it, and at who asks; then say so",
        ));
    }
}

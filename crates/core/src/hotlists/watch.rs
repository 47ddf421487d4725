//! What is on the hotlists in force, in memory, so that a read is compared as it comes.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use canvass_plates::{
    PlateText,
    confusables::standard,
    hotlist::{Entry, Found, Index, Tolerance},
};
use canvass_policy::{Party, SharingFacts};
use canvass_types::{AgencyId, CameraId, HotlistVersionId, Time};

use super::{facts_of, import::PART};
use crate::{
    App, CoreError,
    access::party_of,
    ports::{Query, Records, RecordsExt, Versioned},
    records::{Agency, Hotlist, HotlistEntry},
    sharing::Wanted,
};

/// A hotlist in force with the index of what is on it.
pub struct Watched {
    list: Hotlist,
    version: HotlistVersionId,
    index: Index,
}

/// It shows no plate.
impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Watched({}, {:?})", self.list.id, self.index)
    }
}

impl Watched {
    /// The list.
    #[must_use]
    pub fn list(&self) -> &Hotlist {
        &self.list
    }

    pub(crate) fn version(&self) -> &HotlistVersionId {
        &self.version
    }

    /// Entries that hold at a moment and that a read plate fits, exactly or but for what readers confuse.
    #[must_use]
    pub fn find(&self, plate: &PlateText, at: Time) -> Vec<Found> {
        self.index.find(plate, at, Tolerance::Misread)
    }

    /// Whether an entry of this very plate holds at a moment.
    pub(crate) fn holds(&self, plate: &PlateText, at: Time) -> bool {
        !self.index.find(plate, at, Tolerance::Exact).is_empty()
    }
}

/// The agency of a list, and what of an owner's sharing bears on it.
type Bearing = (Party, Option<SharingFacts>);

/// All hotlists in force. Who looks holds what was in force at that moment.
#[derive(Debug, Default)]
pub(crate) struct Hotlists(RwLock<Arc<Vec<Arc<Watched>>>>);

impl Hotlists {
    pub fn in_force(&self) -> Arc<Vec<Arc<Watched>>> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn replace(&self, lists: Vec<Arc<Watched>>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(lists);
    }
}

/// Where an entry lies: the number of its part, and its place in it.
pub(crate) fn place_of(id: u64) -> (u32, usize) {
    let part = PART as u64;
    (u32::try_from(id / part).unwrap_or(u32::MAX), usize::try_from(id % part).unwrap_or(usize::MAX))
}

fn index_of(entries: &[HotlistEntry]) -> Index {
    let from = Time::from_second(i64::MIN);
    let rows = entries.iter().zip(0..).map(|(entry, id)| Entry {
        id,
        plate: entry.plate,
        from,
        until: entry.until.unwrap_or(Time::from_second(i64::MAX)),
    });
    Index::build(rows, standard())
}

impl<R: Records> App<R> {
    /// Brings into memory what is on the hotlists in force: at the start, and whenever that changes. A version that is there
    /// already is not read again.
    ///
    /// # Errors
    /// The store's; then what was in force stays so in memory.
    pub async fn load_hotlists(&self) -> Result<(), CoreError> {
        let known = self.watch().in_force();
        let query = Query::<Hotlist>::new().with("state", "active");
        let mut lists = Vec::new();
        for Versioned { record: list, .. } in
            crate::cases::load::every(self.records(), query, usize::MAX).await?
        {
            let Some(version) = list.in_force.as_ref().map(|it| it.version.clone()) else { continue };
            if let Some(same) = known.iter().find(|one| one.version == version) {
                lists.push(Arc::clone(same));
                continue;
            }
            let parts = self.load_version(&version).await?.record.parts;
            let index = index_of(&self.entries_of(&version, parts).await?);
            lists.push(Arc::new(Watched { list, version, index }));
        }
        self.watch().replace(lists);
        Ok(())
    }

    /// The hotlists that may alert on what a camera of this owner reads: the owner's, and those of agencies that its sharing
    /// of the camera reaches, as the owner's law lets them.
    pub(crate) async fn lists_that_alert(
        &self,
        owner: &Agency,
        camera: &CameraId,
    ) -> Result<Vec<Arc<Watched>>, CoreError> {
        let all = self.watch().in_force();
        let mut alerting = Vec::new();
        let mut asked: Vec<(AgencyId, Option<Bearing>)> = Vec::new();
        for watched in all.iter() {
            let agency = &watched.list.agency;
            if !asked.iter().any(|(known, _)| known == agency) {
                asked.push((agency.clone(), self.bearing_of(owner, agency, camera).await?));
            }
            let bearing = asked.iter().find(|(known, _)| known == agency);
            let Some((party, sharing)) = bearing.and_then(|(_, bearing)| bearing.as_ref()) else { continue };
            let facts = canvass_policy::Facts { sharing: sharing.clone(), ..facts_of(&watched.list) };
            if self.gate().may_alert(party, &party_of(owner), facts, self.now()) {
                alerting.push(Arc::clone(watched));
            }
        }
        Ok(alerting)
    }

    /// The agency of a list, and what of the owner's sharing bears on it; none when nothing is shared with it.
    async fn bearing_of(
        &self,
        owner: &Agency,
        agency: &AgencyId,
        camera: &CameraId,
    ) -> Result<Option<Bearing>, CoreError> {
        if *agency == owner.id {
            return Ok(Some((party_of(owner), None)));
        }
        let wanted = Wanted::Camera(camera.as_str());
        let Some(sharing) = self.sharing_facts(&owner.id, agency, wanted).await? else { return Ok(None) };
        let found: Option<Versioned<Agency>> = self.records().get(agency.as_str()).await?;
        Ok(found.map(|found| (party_of(&found.record), Some(sharing))))
    }
}

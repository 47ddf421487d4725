//! Hotlists that alert, as everybody may know of them: what they stand on and how often they are wrong; no plate, no name,
//! no alert by itself.

use canvass_types::{AgencyId, CameraId, HotlistId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    App, CoreError,
    alerts::{AlertCounts, AllCounts},
    cases::load::every,
    ports::{Query, Records, Versioned},
    records::{Hotlist, LegalBasis},
};

/// A hotlist in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HotlistShown {
    /// Its id.
    pub id: HotlistId,
    /// Whose it is.
    pub agency: AgencyId,
    /// Where its plates come from.
    pub source: String,
    /// What it stands on.
    pub basis: LegalBasis,
    /// Class of its purpose.
    pub purpose: String,
    /// How many entries.
    pub entries: u32,
    /// The day since which this version is in force.
    pub since: String,
    /// Whether the law in force lets it alert on what its agency's cameras read.
    pub allowed: bool,
    /// How many of its alerts stand where, as long as they are kept.
    pub alerts: AlertCounts,
    /// Cameras with 20 or more compared alerts, and how often each is wrong.
    pub cameras: Vec<CameraRate>,
}

/// How often a camera is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CameraRate {
    /// Which.
    pub camera: CameraId,
    /// Alerts of which a person compared plate and picture.
    pub compared: u64,
    /// Misreads among them, in percent.
    pub misread_percent: Option<u8>,
}

fn shown(list: Hotlist, allowed: bool, counts: &AllCounts) -> Option<HotlistShown> {
    let in_force = list.in_force?;
    let cameras = counts.cameras(&list.id).map(|(camera, counts)| CameraRate {
        camera: camera.clone(),
        compared: counts.compared(),
        misread_percent: counts.misread_percent,
    });
    Some(HotlistShown {
        allowed,
        alerts: counts.of_list(&list.id),
        cameras: cameras.collect(),
        id: list.id,
        agency: list.agency,
        source: list.source,
        basis: list.basis,
        purpose: list.purpose.class,
        entries: in_force.entries,
        since: in_force.since.day(),
    })
}

impl<R: Records> App<R> {
    /// Hotlists in force, by id.
    pub(super) async fn hotlists_shown(&self) -> Result<Vec<HotlistShown>, CoreError> {
        let counts = self.alert_counts().await?;
        let active =
            every(self.records(), Query::<Hotlist>::new().with("state", "active"), usize::MAX).await?;
        let mut lists = Vec::new();
        for Versioned { record: list, .. } in active {
            let allowed = self.list_allowed(&list).await?;
            lists.extend(shown(list, allowed, &counts));
        }
        lists.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(lists)
    }
}

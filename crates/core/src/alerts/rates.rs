//! How often hotlists and cameras are wrong: counted from what people saw when they compared plate and picture.

use std::collections::BTreeMap;

use canvass_types::{CameraId, HotlistId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    App, CoreError,
    ports::{Kind, Records},
    records::AlertState,
};

/// Compared alerts of a camera from which on its rate is published: below, a rate says more of one alert than of the camera.
pub const LEAST_PUBLISHED: u64 = 20;

/// How many alerts stand where, as long as they are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertCounts {
    /// Nobody compared plate and picture yet.
    pub unconfirmed: u64,
    /// A person saw the plate of the list.
    pub confirmed: u64,
    /// A person saw another plate.
    pub misread: u64,
    /// The list was out of date.
    pub stale: u64,
    /// Misreads among those that were compared, in percent, rounded; null when none was.
    pub misread_percent: Option<u8>,
}

impl AlertCounts {
    /// Alerts of which a person compared plate and picture.
    #[must_use]
    pub fn compared(&self) -> u64 {
        self.confirmed + self.misread + self.stale
    }

    fn add(&mut self, state: AlertState, count: u64) {
        let place = match state {
            AlertState::Unconfirmed => &mut self.unconfirmed,
            AlertState::Confirmed => &mut self.confirmed,
            AlertState::Misread => &mut self.misread,
            AlertState::Stale => &mut self.stale,
        };
        *place += count;
        self.misread_percent = percent(self.misread, self.compared());
    }
}

fn percent(part: u64, whole: u64) -> Option<u8> {
    let doubled = part.checked_mul(200)?.checked_add(whole)?;
    u8::try_from(doubled.checked_div(whole.checked_mul(2)?)?).ok()
}

/// Counts of all alerts, by list and camera.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllCounts(BTreeMap<HotlistId, BTreeMap<CameraId, AlertCounts>>);

impl AllCounts {
    /// From counts by [`crate::records::Alert::tally`]; what is no tally is left out.
    #[must_use]
    pub fn of(tallies: &BTreeMap<String, u64>) -> Self {
        let mut all = Self::default();
        for (tally, count) in tallies {
            let mut words = tally.split('|');
            let list = words.next().and_then(|word| word.parse::<HotlistId>().ok());
            let camera = words.next().and_then(|word| word.parse::<CameraId>().ok());
            let state = words.next();
            let state = AlertState::ALL.into_iter().find(|each| Some(each.as_str()) == state);
            if let (Some(list), Some(camera), Some(state)) = (list, camera, state) {
                all.0.entry(list).or_default().entry(camera).or_default().add(state, *count);
            }
        }
        all
    }

    /// Of one list, all cameras together.
    #[must_use]
    pub fn of_list(&self, list: &HotlistId) -> AlertCounts {
        let mut sum = AlertCounts::default();
        for counts in self.0.get(list).into_iter().flat_map(BTreeMap::values) {
            sum.add(AlertState::Unconfirmed, counts.unconfirmed);
            sum.add(AlertState::Confirmed, counts.confirmed);
            sum.add(AlertState::Misread, counts.misread);
            sum.add(AlertState::Stale, counts.stale);
        }
        sum
    }

    /// Of one list, the cameras with enough compared alerts for a rate.
    pub fn cameras(&self, list: &HotlistId) -> impl Iterator<Item = (&CameraId, &AlertCounts)> {
        let cameras = self.0.get(list).into_iter().flatten();
        cameras.filter(|(_, counts)| counts.compared() >= LEAST_PUBLISHED)
    }
}

impl<R: Records> App<R> {
    /// Counts of all alerts that are kept.
    ///
    /// # Errors
    /// The store's.
    pub async fn alert_counts(&self) -> Result<AllCounts, CoreError> {
        Ok(AllCounts::of(&self.records().count_by(Kind::Alert, "tally").await?))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rates_are_of_what_was_compared() {
        let list = "htl_aaaaaaaaaaaaaaaaaaaaaaaaaa";
        let cameras = ["cam_aaaaaaaaaaaaaaaaaaaaaaaaaa", "cam_baaaaaaaaaaaaaaaaaaaaaaaaa"];
        let tally =
            |camera: usize, state: &str, count: u64| (format!("{list}|{}|{state}", cameras[camera]), count);
        let all = AllCounts::of(&BTreeMap::from([
            tally(0, "unconfirmed", 40),
            tally(0, "misread", 5),
            tally(0, "confirmed", 15),
            tally(1, "misread", 1),
            tally(1, "stale", 1),
            tally(1, "odd", 9),
            ("nothing".to_owned(), 9),
        ]));
        let id = list.parse().unwrap();
        let sum = all.of_list(&id);
        assert_eq!((sum.unconfirmed, sum.confirmed, sum.misread, sum.stale), (40, 15, 6, 1));
        assert_eq!(sum.misread_percent, Some(27));
        let shown: Vec<(&str, Option<u8>)> =
            all.cameras(&id).map(|(camera, counts)| (camera.as_str(), counts.misread_percent)).collect();
        assert_eq!(shown, [(cameras[0], Some(25))], "two alerts are no rate");
        assert_eq!(AllCounts::default().of_list(&id), AlertCounts::default());
    }

    proptest! {
        #[test]
        fn a_percentage_is_the_nearest_whole_one(part in 0_u64..1_000, rest in 0_u64..1_000) {
            let whole = part + rest;
            match percent(part, whole) {
                None => prop_assert_eq!(whole, 0),
                Some(found) => {
                    let exact = part as f64 * 100.0 / whole as f64;
                    prop_assert!((f64::from(found) - exact).abs() <= 0.5);
                }
            }
        }
    }
}

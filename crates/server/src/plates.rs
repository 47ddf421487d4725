//! The store of plate reads as the server has it: opened once, called on threads that may block, with a limit for each
//! camera.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::http::StatusCode;
use canvass_core::{CoreError, plates::Reads};
use canvass_store_reads::{Options, SegmentStore};
use canvass_types::{CameraId, Entropy};

use crate::{config::DataFolder, desk::Desk, keys, problem::Problem, refusal, serve::ServeError};

/// Reads that a camera may send in a second, all the time.
const EACH_SECOND: u64 = 200;
/// Reads that it may send at once after a rest: what it kept while the line was down.
const AT_ONCE: u64 = 20_000;
/// Requests of one camera that are under way at the same time.
const UNDER_WAY: u32 = 4;
/// Cameras that are remembered; those at rest are forgotten first.
const MOST_CAMERAS: usize = 200_000;

/// Opens the store in a data folder, and makes both it and its key where there is none.
///
/// # Errors
/// When the folder, the key or the store can't be used.
pub(crate) async fn open(folder: &DataFolder, entropy: &Arc<dyn Entropy>) -> Result<Reads, ServeError> {
    let fresh = !folder.reads().join("keys").exists() && !folder.reads().join("keys.old").exists();
    let key = keys::reads_key(&folder.keys(), fresh, entropy.as_ref())?;
    let (path, entropy) = (folder.reads(), Arc::clone(entropy));
    let opened =
        tokio::task::spawn_blocking(move || SegmentStore::open(path, key, entropy, Options::default()));
    let store = opened.await.map_err(|error| ServeError::Reads(stopped(&error)))?;
    Ok(Reads::over(Arc::new(store.map_err(ServeError::Reads)?)))
}

fn stopped(error: &tokio::task::JoinError) -> canvass_plates::StoreError {
    canvass_plates::StoreError::Disk("reads", std::io::Error::other(error.to_string()))
}

impl Desk {
    /// Calls the store of reads on a thread that may block.
    ///
    /// # Errors
    /// What the call says; a problem of this side when the thread was stopped.
    pub(crate) async fn with_reads<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Reads) -> Result<T, CoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        let reads = self.reads.clone();
        match tokio::task::spawn_blocking(move || call(&reads)).await {
            Ok(result) => Ok(result?),
            Err(_) => Err(refusal::broken("a call of the store of plate reads was stopped")),
        }
    }
}

/// How many reads each camera may send. A camera that floods is told to wait; nobody else notices.
#[derive(Debug, Default)]
pub struct ReadsPace(Mutex<HashMap<CameraId, Budget>>);

#[derive(Debug, Clone, Copy)]
struct Budget {
    /// Thousandths of a read that may be sent now.
    left: u64,
    /// When that was counted, milliseconds since 1970.
    at: i64,
    under_way: u32,
}

impl Budget {
    fn full(at: i64) -> Self {
        Self { left: AT_ONCE * 1_000, at, under_way: 0 }
    }

    /// What came since it was counted last. A clock that goes backwards brings nothing.
    fn counted(&mut self, now: i64) {
        let passed = u64::try_from(now.saturating_sub(self.at)).unwrap_or(0);
        self.left = self.left.saturating_add(passed.saturating_mul(EACH_SECOND)).min(AT_ONCE * 1_000);
        self.at = now;
    }

    fn at_rest(&self) -> bool {
        self.under_way == 0 && self.left >= AT_ONCE * 1_000
    }
}

/// A request of a camera that is under way.
pub(crate) struct UnderWay<'a> {
    pace: &'a ReadsPace,
    camera: CameraId,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if let Some(budget) = self.pace.lock().get_mut(&self.camera) {
            budget.under_way = budget.under_way.saturating_sub(1);
        }
    }
}

fn too_many(detail: &'static str, seconds: u64) -> Problem {
    let seconds = u32::try_from(seconds).unwrap_or(u32::MAX).max(1);
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "camera-pace", "The camera sends more than is taken")
        .detail(detail)
        .remedy(format!("wait {seconds} seconds, then send what was not acknowledged again"))
        .retry_after(seconds)
}

impl ReadsPace {
    fn lock(&self) -> MutexGuard<'_, HashMap<CameraId, Budget>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a request of a camera in.
    ///
    /// # Errors
    /// 429 when the camera has too many under way, or nothing left to send.
    pub(crate) fn begin(&self, camera: &CameraId, now: i64) -> Result<UnderWay<'_>, Problem> {
        let mut budgets = self.lock();
        if budgets.len() >= MOST_CAMERAS && !budgets.contains_key(camera) {
            budgets.retain(|_, budget| {
                budget.counted(now);
                !budget.at_rest()
            });
        }
        let budget = budgets.entry(camera.clone()).or_insert_with(|| Budget::full(now));
        budget.counted(now);
        if budget.under_way >= UNDER_WAY {
            return Err(too_many("so many of its requests are under way as may be", 1));
        }
        if budget.left < 1_000 {
            return Err(too_many("it sent as many rows as it may", 1));
        }
        budget.under_way += 1;
        Ok(UnderWay { pace: self, camera: camera.clone() })
    }

    /// Takes so many reads off what a camera may send.
    ///
    /// # Errors
    /// 429 with the seconds after which they may be sent; then nothing is taken off.
    pub(crate) fn take(&self, camera: &CameraId, reads: usize, now: i64) -> Result<(), Problem> {
        self.take_or(camera, reads, reads, now)
    }

    /// The same for a part of a stream: who has to wait, waits until a whole stream may be sent, for it begins anew.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub(crate) fn take_of_stream(&self, camera: &CameraId, reads: usize, now: i64) -> Result<(), Problem> {
        self.take_or(camera, reads, usize::try_from(AT_ONCE).unwrap_or(usize::MAX), now)
    }

    fn take_or(&self, camera: &CameraId, reads: usize, wait_for: usize, now: i64) -> Result<(), Problem> {
        let thousandths = |reads: usize| (reads as u64).saturating_mul(1_000);
        let mut budgets = self.lock();
        let budget = budgets.entry(camera.clone()).or_insert_with(|| Budget::full(now));
        budget.counted(now);
        let wanted = thousandths(reads);
        if budget.left < wanted {
            let seconds = thousandths(wait_for).saturating_sub(budget.left).div_ceil(EACH_SECOND * 1_000);
            return Err(too_many("it sent as many rows as it may", seconds));
        }
        budget.left -= wanted;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(letter: char) -> CameraId {
        format!("cam_{}a", letter.to_string().repeat(25)).parse().unwrap()
    }

    #[test]
    fn a_camera_that_floods_waits_and_nobody_else() {
        let pace = ReadsPace::default();
        let (one, two) = (camera('a'), camera('b'));
        pace.take(&one, 20_000, 0).unwrap();
        let problem = pace.take(&one, 1_000, 0).unwrap_err();
        assert_eq!(problem.status(), StatusCode::TOO_MANY_REQUESTS);
        assert!(problem.to_json().contains("wait 5 seconds"), "{}", problem.to_json());
        assert!(pace.begin(&one, 0).is_err());
        pace.take(&two, 20_000, 0).unwrap();
        pace.take(&one, 1_000, 5_000).unwrap();
        assert!(pace.take(&one, 1, 5_000).is_err());
        assert!(pace.take(&one, 1, 0).is_err(), "a clock that goes backwards brings nothing");
    }

    #[test]
    fn a_camera_has_few_requests_under_way() {
        let pace = ReadsPace::default();
        let one = camera('a');
        let held: Vec<_> = (0..UNDER_WAY).map(|_| pace.begin(&one, 0).unwrap()).collect();
        assert!(pace.begin(&one, 0).is_err());
        assert!(pace.begin(&camera('b'), 0).is_ok());
        drop(held);
        assert!(pace.begin(&one, 0).is_ok());
    }
}

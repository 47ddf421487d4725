//! What the private role works with: the domain, the stores behind it, and the two ledgers.

use std::{ops::Deref, path::PathBuf, sync::Arc};

use canvass_core::{App, plates::Reads};
use canvass_notices::Notices;
use canvass_store_objects::Blobs;
use canvass_store_sqlite::SqliteRecords;
use canvass_types::{Clock, Entropy};
use tokio::sync::{Mutex, Notify, Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    config::{DataFolder, Identity},
    jobs::{summary::Summary, transparency::Seen},
    keys::Keys,
    ledgers::Ledgers,
    oidc::Oidc,
    outbound::Outbound,
    pace::Pace,
    plates::ReadsPace,
    public::spool::Spool,
    telemetry::Metrics,
};

/// The domain on the embedded store.
pub type Domain = App<SqliteRecords>;

/// Everything that routes and jobs share; clones are one.
#[derive(Clone)]
pub struct Desk(Arc<Parts>);

/// See [`Desk`].
pub struct Parts {
    /// The domain.
    pub app: Domain,
    /// Sealed bytes.
    pub blobs: Blobs,
    /// Plate reads, behind their one door.
    pub reads: Reads,
    /// How many reads a camera may send.
    pub reads_pace: ReadsPace,
    /// How many sightings a camera may send.
    pub sightings_pace: ReadsPace,
    /// The two ledgers.
    pub ledgers: Ledgers,
    /// What residents sent, written by the public role.
    pub spool: Spool,
    /// What members send: clips sealed anew.
    pub agency_spool: Spool,
    /// Where everything is.
    pub folder: DataFolder,
    /// Who this Canvass is in public.
    pub identity: Identity,
    /// Who asked to be told of new requests; none where notices are off.
    pub notices: Option<Notices>,
    /// Keys that sign receipts and ledgers.
    pub keys: Keys,
    /// Figures.
    pub metrics: Metrics,
    /// Providers at which members sign in.
    pub providers: Oidc,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// What was counted of the ledgers so far.
    pub summary: Mutex<Option<Summary>>,
    /// What the files of transparency were last made of.
    pub transparency: Mutex<Option<Seen>>,
    /// Wakes the sequencer after a change.
    pub changed: Notify,
    /// How often strangers may try to sign in.
    pub pace: Pace,
    /// Wakes the publisher after the ledgers grew.
    pub grown: Notify,
    /// Grows with each alert, which wakes the streams of them.
    pub alerted: watch::Sender<u64>,
    /// Wakes the jobs that tell of alerts beyond the desk.
    pub told: Told,
    /// The way to agencies' webhooks.
    pub outbound: Outbound,
    /// Places for streams of alerts.
    pub streams: Arc<Semaphore>,
    /// Ends what would stay open by itself when the server stops.
    pub closing: CancellationToken,
}

/// Wakes the jobs that tell of alerts beyond the desk: each has a bell of its own, for a bell wakes one.
#[derive(Default)]
pub struct Told {
    /// Of messages to webhooks.
    pub webhooks: Notify,
    /// Of messages to browsers.
    pub browsers: Notify,
}

impl Told {
    /// There is something to tell.
    pub fn wake(&self) {
        self.webhooks.notify_one();
        self.browsers.notify_one();
    }
}

impl Desk {
    /// Puts it together.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The time in POSIX seconds, for checkpoints.
    pub fn seconds(&self) -> u64 {
        u64::try_from(self.clock.now().as_second()).unwrap_or(0)
    }

    /// A file of the public folder.
    pub fn public(&self, path: &str) -> PathBuf {
        self.folder.public().join(path)
    }
}

impl Deref for Desk {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

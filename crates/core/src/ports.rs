//! What the domain needs from a store of records: read by key, list by index, commit a whole [`Changeset`] or nothing.
//!
//! Core decides, stores apply. A store holds no rule: it compares versions, writes rows, appends ledger entries to their
//! queues, all in one transaction, and says which version stood in the way when one did.

use std::{collections::BTreeMap, future::Future, marker::PhantomData};

use canvass_types::{Time, leaf::Log};
use serde::{Serialize, de::DeserializeOwned};

/// The kinds of record. Each has a table of its own with columns for what is asked by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// [`crate::records::Agency`]
    Agency,
    /// [`crate::records::Member`]
    Member,
    /// [`crate::records::Token`]
    Token,
    /// [`crate::records::Investigation`]
    Investigation,
    /// [`crate::records::Request`]
    Request,
    /// [`crate::records::Portal`]
    Portal,
    /// [`crate::records::RequestKey`]
    RequestKey,
    /// [`crate::records::Invitation`]
    Invitation,
    /// [`crate::records::Offer`]
    Offer,
    /// [`crate::records::Case`]
    Case,
    /// [`crate::records::Item`]
    Item,
    /// [`crate::records::CustodyEvent`]
    CustodyEvent,
    /// [`crate::records::Hold`]
    Hold,
    /// [`crate::records::Erasure`]
    Erasure,
    /// [`crate::records::AuditRecord`]
    Audit,
    /// [`crate::records::Setting`]
    Setting,
    /// [`crate::records::Passkey`]
    Passkey,
    /// [`crate::records::Session`]
    Session,
    /// [`crate::records::Enrolment`]
    Enrolment,
    /// [`crate::records::Lockout`]
    Lockout,
    /// [`crate::records::BreakGlass`]
    BreakGlass,
    /// [`crate::records::FederatedAccount`]
    FederatedAccount,
    /// [`crate::records::Proposal`]
    Proposal,
    /// [`crate::records::SharingRule`]
    SharingRule,
    /// [`crate::records::OversightNotice`]
    OversightNotice,
    /// [`crate::records::Finding`]
    Finding,
    /// [`crate::records::OwnVehicles`]
    OwnVehicles,
    /// [`crate::records::PolicyText`]
    PolicyText,
    /// [`crate::records::AskedMark`]
    AskedMark,
    /// [`crate::records::CourtSeal`]
    CourtSeal,
    /// [`crate::records::Camera`]
    Camera,
    /// [`crate::records::Hotlist`]
    Hotlist,
    /// [`crate::records::HotlistVersion`]
    HotlistVersion,
    /// [`crate::records::HotlistPart`]
    HotlistPart,
    /// [`crate::records::Alert`]
    Alert,
    /// [`crate::records::SearchApproval`]
    SearchApproval,
    /// [`crate::records::KeptReads`]
    KeptReads,
    /// [`crate::records::Webhook`]
    Webhook,
    /// [`crate::records::WebhookMessage`]
    WebhookMessage,
    /// [`crate::records::AlertPush`]
    AlertPush,
    /// [`crate::records::SafelistEntry`]
    SafelistEntry,
    /// [`crate::records::CameraSighting`]
    CameraSighting,
    /// [`crate::records::SightingPicture`]
    SightingPicture,
    /// [`crate::records::SealedSightings`]
    SealedSightings,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 44] = [
        Self::Agency,
        Self::Member,
        Self::Token,
        Self::Investigation,
        Self::Request,
        Self::Portal,
        Self::RequestKey,
        Self::Invitation,
        Self::Offer,
        Self::Case,
        Self::Item,
        Self::CustodyEvent,
        Self::Hold,
        Self::Erasure,
        Self::Audit,
        Self::Setting,
        Self::Passkey,
        Self::Session,
        Self::Enrolment,
        Self::Lockout,
        Self::BreakGlass,
        Self::FederatedAccount,
        Self::Proposal,
        Self::SharingRule,
        Self::OversightNotice,
        Self::Finding,
        Self::OwnVehicles,
        Self::PolicyText,
        Self::AskedMark,
        Self::CourtSeal,
        Self::Camera,
        Self::Hotlist,
        Self::HotlistVersion,
        Self::HotlistPart,
        Self::Alert,
        Self::SearchApproval,
        Self::KeptReads,
        Self::Webhook,
        Self::WebhookMessage,
        Self::AlertPush,
        Self::SafelistEntry,
        Self::CameraSighting,
        Self::SightingPicture,
        Self::SealedSightings,
    ];

    /// The table that holds such records.
    pub fn table(self) -> &'static str {
        match self {
            Self::Agency => "agencies",
            Self::Member => "members",
            Self::Token => "tokens",
            Self::Investigation => "investigations",
            Self::Request => "requests",
            Self::Portal => "portals",
            Self::RequestKey => "request_keys",
            Self::Invitation => "invitations",
            Self::Offer => "offers",
            Self::Case => "cases",
            Self::Item => "items",
            Self::CustodyEvent => "custody_events",
            Self::Hold => "holds",
            Self::Erasure => "erasures",
            Self::Audit => "audit_records",
            Self::Setting => "settings",
            Self::Passkey => "passkeys",
            Self::Session => "sessions",
            Self::Enrolment => "enrolments",
            Self::Lockout => "lockouts",
            Self::BreakGlass => "break_glass",
            Self::FederatedAccount => "federated_accounts",
            Self::Proposal => "proposals",
            Self::SharingRule => "sharing_rules",
            Self::OversightNotice => "oversight_notices",
            Self::Finding => "findings",
            Self::OwnVehicles => "own_vehicles",
            Self::PolicyText => "policy_texts",
            Self::AskedMark => "asked_marks",
            Self::CourtSeal => "court_seals",
            Self::Camera => "cameras",
            Self::Hotlist => "hotlists",
            Self::HotlistVersion => "hotlist_versions",
            Self::HotlistPart => "hotlist_parts",
            Self::Alert => "alerts",
            Self::SearchApproval => "search_approvals",
            Self::KeptReads => "kept_reads",
            Self::Webhook => "webhooks",
            Self::WebhookMessage => "webhook_messages",
            Self::AlertPush => "alert_pushes",
            Self::SafelistEntry => "safelist_entries",
            Self::CameraSighting => "camera_sightings",
            Self::SightingPicture => "sighting_pictures",
            Self::SealedSightings => "sealed_sightings",
        }
    }

    /// The columns that such records can be listed by, besides their key. All are text; moments are RFC 3339 in UTC.
    pub fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Agency => &["state", "unpublished"],
            Self::Member => &["agency", "stopped"],
            Self::Token => &["member", "secret_hash", "ends"],
            Self::Investigation => &["agency"],
            Self::Request => &["agency", "state", "due", "unpublished"],
            Self::Portal => &["agency", "state", "unpublished"],
            Self::RequestKey => &["agency"],
            Self::Invitation => &["agency", "destination", "secret_hash", "ends"],
            Self::Offer => &[
                "agency",
                "destination",
                "state",
                "lookup",
                "due",
                "upload",
                "mailbox_due",
                "unpublished",
                "ended",
            ],
            Self::Case => &["agency", "state", "closed"],
            Self::Item => &["agency", "case_id", "offer", "due", "blob"],
            Self::CustodyEvent => &["subject"],
            Self::Hold => &["agency", "subject", "active"],
            Self::Erasure => &["agency", "state", "blob"],
            Self::Audit => &["agency", "subject", "action", "at", "actor_agency"],
            Self::Setting => &[],
            Self::Passkey => &["member", "credential", "ends"],
            Self::Session => &["member", "secret_hash", "ends"],
            Self::Enrolment => &["member", "secret_hash", "ends"],
            Self::Lockout => &["ends"],
            Self::BreakGlass => &["agency", "ends"],
            Self::FederatedAccount => &["member", "subject_hash", "ends"],
            Self::Proposal => &["agency", "state", "ends"],
            Self::SharingRule => &["owner", "state", "case_id", "partner", "ends"],
            Self::OversightNotice => &["unseen", "at"],
            Self::Finding => &["agency", "member", "state", "standing", "ends"],
            Self::OwnVehicles | Self::PolicyText => &["agency"],
            Self::AskedMark => &["search", "day", "state"],
            Self::CourtSeal => &["agency", "search", "state", "due", "ended"],
            Self::Camera | Self::Hotlist => &["agency", "state"],
            Self::HotlistVersion => &["list", "state"],
            Self::HotlistPart => &["version_id"],
            Self::Alert => &["agency", "state", "same", "ends", "tally"],
            Self::SearchApproval => &["agency", "state", "ends"],
            Self::KeptReads => &["agency", "case_id", "due"],
            Self::Webhook => &["agency", "state"],
            Self::WebhookMessage => &["webhook", "state", "due", "ends"],
            Self::AlertPush => &["agency", "member", "session", "endpoint", "ends"],
            Self::SafelistEntry => &["agency", "plate", "ends"],
            Self::CameraSighting => &["camera", "law", "seen"],
            Self::SightingPicture => &["camera"],
            Self::SealedSightings => &["agency", "case_id"],
        }
    }
}

/// A record: a value with a key, stored as JSON beside the columns it is listed by.
pub trait Record: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// Its kind.
    const KIND: Kind;
    /// Its key, unique in its kind.
    fn key(&self) -> String;
    /// The values of [`Kind::columns`], in that order.
    fn index(&self) -> Vec<Option<String>>;
}

/// A record as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Versioned<R> {
    /// Grows by one with each change; 1 when new.
    pub version: u64,
    /// In which order records of the kind came to be.
    pub sequence: u64,
    /// The value.
    pub record: R,
}

/// A record before its type is known; what a driver gives back.
pub type RawRecord = Versioned<String>;

/// A comparison of one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Equal to the text.
    Is(&'static str, String),
    /// Not empty and, as text, not after the given one; for moments.
    UpTo(&'static str, String),
    /// Not empty and, as text, not before the given one; for moments.
    From(&'static str, String),
}

/// Which records of one kind, in which order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawQuery {
    /// Their kind.
    pub kind: Kind,
    /// All must hold.
    pub conditions: Vec<Condition>,
    /// Newest first instead of oldest first.
    pub newest_first: bool,
    /// Only records that follow this [`Versioned::sequence`] in the order asked for.
    pub after: Option<u64>,
    /// At most so many.
    pub limit: u32,
}

/// A typed [`RawQuery`].
#[derive(Debug, Clone)]
pub struct Query<R> {
    raw: RawQuery,
    kind: PhantomData<fn() -> R>,
}

impl Condition {
    /// The column that is compared.
    #[must_use]
    pub fn column(&self) -> &'static str {
        let (Self::Is(column, _) | Self::UpTo(column, _) | Self::From(column, _)) = self;
        column
    }

    /// What it is compared with.
    #[must_use]
    pub fn text(&self) -> &str {
        let (Self::Is(_, text) | Self::UpTo(_, text) | Self::From(_, text)) = self;
        text
    }
}

impl<R: Record> Default for Query<R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R: Record> Query<R> {
    /// Most records that one query gives.
    pub const MOST: u32 = 1_000;

    /// All records of the kind, oldest first, up to [`Self::MOST`].
    pub fn new() -> Self {
        let raw = RawQuery {
            kind: R::KIND,
            conditions: Vec::new(),
            newest_first: false,
            after: None,
            limit: Self::MOST,
        };
        Self { raw, kind: PhantomData }
    }

    /// Only those whose column is exactly this.
    #[must_use]
    pub fn with(mut self, column: &'static str, value: impl ToString) -> Self {
        self.raw.conditions.push(Condition::Is(column, value.to_string()));
        self
    }

    /// Only those whose column holds a moment that has come.
    #[must_use]
    pub fn due(mut self, column: &'static str, by: Time) -> Self {
        self.raw.conditions.push(Condition::UpTo(column, by.to_string()));
        self
    }

    /// Only those whose column holds a moment that is no earlier.
    #[must_use]
    pub fn since(mut self, column: &'static str, from: Time) -> Self {
        self.raw.conditions.push(Condition::From(column, from.to_string()));
        self
    }

    /// Newest first.
    #[must_use]
    pub fn newest_first(mut self) -> Self {
        self.raw.newest_first = true;
        self
    }

    /// From behind this place on.
    #[must_use]
    pub fn after(mut self, sequence: Option<u64>) -> Self {
        self.raw.after = sequence;
        self
    }

    /// At most so many.
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.raw.limit = limit.clamp(1, Self::MOST);
        self
    }
}

/// What a writer must find for its change to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// No record under this key.
    Absent,
    /// The record in exactly this version.
    Version(u64),
}

/// What becomes of one record.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// It is stored so.
    Put {
        /// Values of the kind's columns.
        index: Vec<Option<String>>,
        /// The record's JSON.
        body: String,
    },
    /// It is removed.
    Delete,
    /// It is only compared, so that a decision that rests on it does not outlive it.
    Check,
}

/// One record's part of a change.
#[derive(Debug, Clone, PartialEq)]
pub struct Write {
    /// Its kind.
    pub kind: Kind,
    /// Its key.
    pub key: String,
    /// What must be found.
    pub expect: Expect,
    /// What becomes of it.
    pub op: Op,
}

/// An entry on its way into a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedLeaf {
    /// Which ledger.
    pub log: Log,
    /// Canonical JSON.
    pub entry: Vec<u8>,
}

/// Everything that one decision changes; it is committed whole or not at all.
///
/// One can't be made outside `access`: it begins with an [`crate::access::Intent`], so that no change goes unrecorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Changeset {
    writes: Vec<Write>,
    leaves: Vec<QueuedLeaf>,
}

impl Changeset {
    pub(crate) fn empty() -> Self {
        Self { writes: Vec::new(), leaves: Vec::new() }
    }

    /// A change without an intent behind it, for the conformance suite of stores alone.
    #[cfg(feature = "conformance")]
    pub fn unguarded() -> Self {
        Self::empty()
    }

    /// Stores a new record.
    #[must_use]
    pub fn insert<R: Record>(self, record: &R) -> Self {
        self.put(record, Expect::Absent)
    }

    /// Stores a record in place of the version that was read.
    #[must_use]
    pub fn update<R: Record>(self, before: &Versioned<R>, record: &R) -> Self {
        self.put(record, Expect::Version(before.version))
    }

    /// Stores a record under an expectation.
    #[must_use]
    pub fn put<R: Record>(mut self, record: &R, expect: Expect) -> Self {
        // Our records are plain structs with text keys: their JSON can always be written.
        let body = serde_json::to_string(record).unwrap_or_default();
        self.writes.push(Write {
            kind: R::KIND,
            key: record.key(),
            expect,
            op: Op::Put { index: record.index(), body },
        });
        self
    }

    /// Removes the version that was read.
    #[must_use]
    pub fn delete<R: Record>(mut self, before: &Versioned<R>) -> Self {
        self.writes.push(Write {
            kind: R::KIND,
            key: before.record.key(),
            expect: Expect::Version(before.version),
            op: Op::Delete,
        });
        self
    }

    /// Makes the change depend on a record that it does not alter.
    #[must_use]
    pub fn depends_on<R: Record>(mut self, before: &Versioned<R>) -> Self {
        self.writes.push(Write {
            kind: R::KIND,
            key: before.record.key(),
            expect: Expect::Version(before.version),
            op: Op::Check,
        });
        self
    }

    /// Appends an entry to a ledger.
    #[must_use]
    pub fn leaf<T: Serialize>(mut self, log: Log, leaf: &T) -> Self {
        // Leaves are plain structs: their canonical JSON can always be written.
        let entry = canvass_types::canonical(leaf).unwrap_or_default();
        self.leaves.push(QueuedLeaf { log, entry });
        self
    }

    /// The records' parts, in order. Two parts may name the same record only when one of them is a check.
    pub fn writes(&self) -> &[Write] {
        &self.writes
    }

    /// The ledger entries, in order.
    pub fn leaves(&self) -> &[QueuedLeaf] {
        &self.leaves
    }
}

/// What a committed change left behind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Committed {
    /// Place of each of the changeset's leaves in its ledger, in order.
    pub leaf_indexes: Vec<u64>,
}

/// Why a store did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Someone else changed a record first; nothing was stored. Read again and decide anew.
    #[error("{table}: the record was changed by someone else at the same time; read it again and repeat")]
    Conflict {
        /// The kind's table.
        table: &'static str,
        /// The record's key.
        key: String,
    },
    /// The store can't be reached or written; nothing is known to be stored.
    #[error("the store of records does not answer: {0}; look at the disk and the server's log")]
    Unavailable(String),
    /// The disk has no space; nothing of the change was stored, and what was stored before is as it was.
    #[error("the disk for records is full, nothing of this was stored; make space and repeat it")]
    Full,
    /// A stored record can't be read.
    #[error("{table}: a stored record can't be read ({reason}); run `canvass check`")]
    Corrupt {
        /// The kind's table.
        table: &'static str,
        /// What was wrong.
        reason: String,
    },
}

/// An entry in a ledger's queue, with the place it has in the ledger for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// Its place.
    pub index: u64,
    /// Canonical JSON.
    pub entry: Vec<u8>,
}

/// A store of records. Drivers: SQLite, memory (for tests), later PostgreSQL; one conformance suite holds them together.
pub trait Records: Send + Sync + 'static {
    /// One record.
    fn fetch(
        &self,
        kind: Kind,
        key: &str,
    ) -> impl Future<Output = Result<Option<RawRecord>, StoreError>> + Send;

    /// Several records; never more than asked for.
    fn select(&self, query: &RawQuery) -> impl Future<Output = Result<Vec<RawRecord>, StoreError>> + Send;

    /// How many records meet the conditions, for each value of a column (`None` counts under the empty text).
    fn count_by(
        &self,
        kind: Kind,
        column: &'static str,
    ) -> impl Future<Output = Result<BTreeMap<String, u64>, StoreError>> + Send;

    /// Stores a whole change, durably, or nothing. Ledger entries get the next places of their ledgers, without gaps.
    fn commit(&self, changes: Changeset) -> impl Future<Output = Result<Committed, StoreError>> + Send;

    /// Entries of a ledger from a place on, oldest first.
    fn ledger_entries(
        &self,
        log: Log,
        from: u64,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<LedgerEntry>, StoreError>> + Send;

    /// The place of an entry that is exactly these bytes; the first, if there are several.
    fn ledger_index_of(
        &self,
        log: Log,
        entry: &[u8],
    ) -> impl Future<Output = Result<Option<u64>, StoreError>> + Send;

    /// How many entries a ledger's queue holds in all.
    fn ledger_size(&self, log: Log) -> impl Future<Output = Result<u64, StoreError>> + Send;
}

/// Typed reading on top of [`Records`].
pub trait RecordsExt: Records {
    /// One record.
    fn get<R: Record>(
        &self,
        key: &str,
    ) -> impl Future<Output = Result<Option<Versioned<R>>, StoreError>> + Send {
        async move { self.fetch(R::KIND, key).await?.map(typed).transpose() }
    }

    /// Several records.
    fn list<R: Record>(
        &self,
        query: Query<R>,
    ) -> impl Future<Output = Result<Vec<Versioned<R>>, StoreError>> + Send {
        async move { self.select(&query.raw).await?.into_iter().map(typed).collect() }
    }

    /// The first record that the query meets.
    fn first<R: Record>(
        &self,
        query: Query<R>,
    ) -> impl Future<Output = Result<Option<Versioned<R>>, StoreError>> + Send {
        async move { Ok(self.list(query.limit(1)).await?.into_iter().next()) }
    }
}

impl<T: Records> RecordsExt for T {}

fn typed<R: Record>(raw: RawRecord) -> Result<Versioned<R>, StoreError> {
    // The parser's own words may quote what stands there; its place says enough.
    let record = serde_json::from_str(&raw.record).map_err(|error| StoreError::Corrupt {
        table: R::KIND.table(),
        reason: format!("line {}, column {}", error.line(), error.column()),
    })?;
    Ok(Versioned { version: raw.version, sequence: raw.sequence, record })
}

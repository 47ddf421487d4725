//! Hotlists: plates that alert, with where they come from and on which legal basis.
//!
//! ```text
//! rows ── read_rows ──► Imported ── propose_hotlist ──► HotlistVersion + Proposal
//!                                                            │ a second person approves
//! Feed::prepare ◄── Watch (in memory) ◄── in force ◄─────────┘
//! ```
//! What is on a list lies in parts of records, written before the version that names them; a version without its
//! proposal counts nothing.

mod forget;
mod import;
mod rows;
mod watch;

use canvass_policy::Facts;
use canvass_types::{AgencyId, CaseId, Digest, HotlistId, HotlistVersionId, MemberId, ProposalId, Time};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

pub use import::{HotlistDiff, HotlistEntries, Importing, ProposedHotlist};
pub use rows::{
    BadRows, DiffLine, Differences, EntryChange, ImportForm, ImportHow, Imported, MOST_ENTRIES, MOST_REASON,
    after_import, compare, digest_of, read_rows,
};
pub use watch::Watched;
pub(crate) use watch::{Hotlists, place_of};

use crate::{
    App, CoreError,
    access::{Actor, HotlistAdd, HotlistRead, HotlistRetire, Intent, Target, party_of},
    alerts::AlertCounts,
    cases::load::every,
    error::{accept, check_text},
    ports::{Query, Records, RecordsExt, Versioned},
    records::{Hotlist, HotlistVersion, InForce, LegalBasis, Member, VersionState},
};

/// Most hotlists that one agency has in use.
pub const MOST_LISTS: usize = 200;

/// A hotlist that is to be made. For what and why stands in the purpose that comes along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Stolen vehicles", "source": "State police, stolen vehicle file", "basis": "agency" }))]
pub struct NewHotlist {
    /// What the agency calls it, 2 to 80 characters.
    pub name: String,
    /// Where its plates come from, 2 to 200 characters. The public reads it.
    pub source: String,
    /// What it stands on: `judicial`, `administrative` or `agency`.
    pub basis: LegalBasis,
}

/// A hotlist, as members see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HotlistView {
    /// Its id.
    pub id: HotlistId,
    /// Whose it is.
    pub agency: AgencyId,
    /// What the agency calls it.
    pub name: String,
    /// Where its plates come from.
    pub source: String,
    /// What it stands on.
    pub basis: LegalBasis,
    /// Class of its purpose.
    pub purpose: String,
    /// Why it was made, in words.
    pub reason: String,
    /// The agency's code of the case that it belongs to.
    pub case: Option<String>,
    /// Number of the order that it stands on.
    pub warrant: Option<String>,
    /// Who made it.
    pub by: MemberId,
    /// Their name.
    pub by_name: String,
    /// When.
    pub made: Time,
    /// The version that alerts now.
    pub in_force: Option<InForce>,
    /// Whether the law in force lets it alert on what the agency's own cameras read.
    pub allowed: bool,
    /// Versions that wait for a second person.
    pub waiting: Vec<HotlistVersionView>,
    /// When it was retired.
    pub retired: Option<Time>,
    /// How many of its alerts stand where.
    pub alerts: AlertCounts,
}

/// A version of a hotlist, as members see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HotlistVersionView {
    /// Its id.
    pub id: HotlistVersionId,
    /// The proposal by which a second person decides on it.
    pub proposal: ProposalId,
    /// Where it stands.
    pub state: VersionState,
    /// How many entries.
    pub entries: u32,
    /// Entries that the version in force had not.
    pub added: u32,
    /// Entries that only that one had.
    pub removed: u32,
    /// Entries of both that differ.
    pub changed: u32,
    /// SHA-256 of what its entries say.
    pub digest: Digest,
    /// Who imported it.
    pub by: MemberId,
    /// When.
    pub at: Time,
}

impl From<&HotlistVersion> for HotlistVersionView {
    fn from(version: &HotlistVersion) -> Self {
        Self {
            id: version.id.clone(),
            proposal: version.proposal.clone(),
            state: version.state,
            entries: version.entries,
            added: version.added,
            removed: version.removed,
            changed: version.changed,
            digest: version.digest,
            by: version.by.clone(),
            at: version.at,
        }
    }
}

/// What a list is for, as the policies are asked.
pub(crate) fn facts_of(list: &Hotlist) -> Facts {
    Facts {
        purpose: list.purpose.class.clone(),
        offence: list.purpose.offence.clone(),
        warrant: list.purpose.warrant.as_ref().is_some_and(|number| !number.trim().is_empty()),
        basis: list.basis.as_str().to_owned(),
        ..Facts::default()
    }
}

impl<R: Records> App<R> {
    pub(crate) async fn load_hotlist(&self, id: &HotlistId) -> Result<Versioned<Hotlist>, CoreError> {
        self.records().get(id.as_str()).await?.ok_or(CoreError::Hidden("hotlist"))
    }

    /// The list, when it is of the actor's agency and they may see what is on it.
    async fn readable(&self, actor: &Actor, id: &HotlistId) -> Result<Versioned<Hotlist>, CoreError> {
        let list = self.load_hotlist(id).await?;
        self.gate().check::<HotlistRead>(actor, &Target::of(&list.record.agency, id))?;
        Ok(list)
    }

    /// Asks whether the actor may put something on this list.
    async fn may_add(&self, actor: &Actor, list: &Hotlist) -> Result<Intent<HotlistAdd>, CoreError> {
        let case = self.case_worked_on(actor, &list.agency, &list.purpose).await?;
        let case: Option<CaseId> = case.map(|case| case.id);
        let facts = Facts { case_open: case.is_some(), ..facts_of(list) };
        let target = Target::of(&list.agency, &list.id).in_case(case).with(facts);
        self.allow::<HotlistAdd>(actor, target, Some(&list.purpose)).await
    }

    /// Whether the law in force lets the list alert on what its agency's own cameras read.
    pub(crate) async fn list_allowed(&self, list: &Hotlist) -> Result<bool, CoreError> {
        let agency = party_of(&self.agency(&list.agency).await?.record);
        Ok(self.gate().may_alert(&agency, &agency, facts_of(list), self.now()))
    }

    async fn lists_of(&self, agency: &AgencyId) -> Result<Vec<Hotlist>, CoreError> {
        let query = Query::<Hotlist>::new().with("agency", agency);
        Ok(every(self.records(), query, usize::MAX).await?.into_iter().map(|found| found.record).collect())
    }

    /// Makes a hotlist of the actor's agency. Nothing is on it yet.
    ///
    /// # Errors
    /// When the actor may not, the purpose says too little or is one that the law forbids for such a list, the agency has
    /// [`MOST_LISTS`], the name is taken, or a field is wrong.
    pub async fn add_hotlist(
        &self,
        actor: &Actor,
        purpose: &canvass_types::Purpose,
        wish: NewHotlist,
    ) -> Result<HotlistView, CoreError> {
        let list = Hotlist {
            id: HotlistId::random(self.entropy()),
            agency: actor.agency.clone().ok_or(CoreError::Hidden("agency"))?,
            name: wish.name.trim().to_owned(),
            source: wish.source.trim().to_owned(),
            basis: wish.basis,
            purpose: canvass_types::Purpose { reason: purpose.reason.trim().to_owned(), ..purpose.clone() },
            by: actor.member.clone(),
            made: self.now(),
            in_force: None,
            retired: None,
        };
        let intent = self.may_add(actor, &list).await?;
        let mut problems = Vec::new();
        check_text(&mut problems, "name", &wish.name, 2..=80);
        check_text(&mut problems, "source", &wish.source, 2..=200);
        accept(problems)?;
        let others = self.lists_of(&list.agency).await?;
        let used = others.iter().filter(|other| other.retired.is_none());
        if used.clone().any(|other| other.name == list.name) {
            let (message, remedy) = ("another hotlist of the agency has this name", "give it one of its own");
            return Err(CoreError::field("name", "taken", message, remedy));
        }
        if used.count() >= MOST_LISTS {
            let what = format!("the agency has {MOST_LISTS} hotlists in use, and no more are kept");
            return Err(CoreError::state(what, "retire one that is no longer used"));
        }
        intent
            .detail(json!({ "basis": list.basis, "name": list.name, "source": list.source }))
            .with(|changes| changes.insert(&list))
            .commit(self.records())
            .await?;
        self.hotlist_view(list, &AlertCounts::default()).await
    }

    /// Hotlists of the actor's agency, oldest first.
    ///
    /// # Errors
    /// When the actor may not.
    pub async fn hotlists(&self, actor: &Actor) -> Result<Vec<HotlistView>, CoreError> {
        let target = Target::maybe(actor.agency.as_ref(), "hotlists");
        self.gate().check::<HotlistRead>(actor, &target)?;
        let own = actor.agency.clone().ok_or(CoreError::Hidden("agency"))?;
        let counts = self.alert_counts().await?;
        let mut views = Vec::new();
        for list in self.lists_of(&own).await? {
            let counts = counts.of_list(&list.id);
            views.push(self.hotlist_view(list, &counts).await?);
        }
        Ok(views)
    }

    /// One hotlist.
    ///
    /// # Errors
    /// When there is none for the actor.
    pub async fn hotlist(&self, actor: &Actor, id: &HotlistId) -> Result<HotlistView, CoreError> {
        let list = self.readable(actor, id).await?.record;
        let counts = self.alert_counts().await?.of_list(id);
        self.hotlist_view(list, &counts).await
    }

    /// Retires a hotlist: it alerts no more, and what is on it is forgotten. One person is enough to stop.
    ///
    /// # Errors
    /// When the actor may not, there is no such list, or it is retired.
    pub async fn retire_hotlist(&self, actor: &Actor, id: &HotlistId) -> Result<HotlistView, CoreError> {
        let before = self.load_hotlist(id).await?;
        let target = Target::of(&before.record.agency, id);
        let intent = self.allow::<HotlistRetire>(actor, target, None).await?;
        if before.record.retired.is_some() {
            return Err(CoreError::state("the hotlist is retired already", "nothing is left to do"));
        }
        let now = self.now();
        let after = Hotlist { retired: Some(now), in_force: None, ..before.record.clone() };
        let mut intent =
            intent.detail(json!({ "name": after.name })).with(|changes| changes.update(&before, &after));
        if let Some(version) = self.version_in_force(&before.record).await? {
            let over = ended(&version.record, now);
            intent = intent.with(|changes| changes.update(&version, &over));
        }
        let notice = self.notice::<HotlistRetire>(Some(&after.agency), None, id);
        intent.with(|changes| changes.insert(&notice)).commit(self.records()).await?;
        self.load_hotlists().await?;
        let counts = self.alert_counts().await?.of_list(id);
        self.hotlist_view(after, &counts).await
    }

    async fn version_in_force(&self, list: &Hotlist) -> Result<Option<Versioned<HotlistVersion>>, CoreError> {
        match &list.in_force {
            Some(in_force) => Ok(self.records().get(in_force.version.as_str()).await?),
            None => Ok(None),
        }
    }

    async fn hotlist_view(&self, list: Hotlist, counts: &AlertCounts) -> Result<HotlistView, CoreError> {
        let by: Option<Versioned<Member>> = self.records().get(list.by.as_str()).await?;
        let waiting = Query::<HotlistVersion>::new().with("list", &list.id).with("state", "proposed");
        let waiting = every(self.records(), waiting, usize::MAX).await?;
        let allowed = self.list_allowed(&list).await?;
        Ok(HotlistView {
            allowed,
            waiting: waiting.iter().map(|found| (&found.record).into()).collect(),
            id: list.id,
            agency: list.agency,
            name: list.name,
            source: list.source,
            basis: list.basis,
            purpose: list.purpose.class,
            reason: list.purpose.reason,
            case: list.purpose.case,
            warrant: list.purpose.warrant,
            by: list.by,
            by_name: by.map_or_else(|| Member::FORMER.to_owned(), |by| by.record.name),
            made: list.made,
            in_force: list.in_force,
            retired: list.retired,
            alerts: counts.clone(),
        })
    }
}

/// A version that counts no more.
pub(crate) fn ended(version: &HotlistVersion, now: Time) -> HotlistVersion {
    HotlistVersion { state: VersionState::Over, ended: Some(now), ..version.clone() }
}

//! What a search found, kept in its case: chosen reads as a file with a chain of custody. The store of reads forgets on
//! time; what a case holds stays as long as the case.

use std::collections::{BTreeMap, BTreeSet};

use canvass_plates::{Match, ReadId};
use canvass_types::{ApprovalId, AuditId, CaseId, Digest, KeptReadsId, MemberId, Purpose, Time};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{FoundQuestion, FoundRead, Granted, GrantedQuestion, Reads, SearchedOwner, question::Question};
use crate::{
    App, CoreError,
    access::{Actor, Grant, ItemList, ItemRead, Job, PlateKeep, SearchesCameras, SearchesPlates, Target},
    cases::load::every,
    custody::{self, Change, anchor},
    error::{accept, check_text, problem},
    ports::{Query, Records, RecordsExt, Versioned},
    records::{Case, CustodyEvent, CustodyHead, KeptReads},
};

/// Most reads that are kept at once.
pub const MOST_KEPT: usize = 200;
/// Most files of reads that one case has.
const MOST_FILES: usize = 500;
/// Most reads of a search that are looked through for those that were chosen.
const MOST_LOOKED: usize = 20_000;
/// Most bytes that the pictures of one file have together.
const MOST_PICTURES: usize = 8 << 20;
/// Lengths of a note, in characters.
const NOTE: std::ops::RangeInclusive<usize> = 1..=500;

/// Reads of a search that are to be kept in its case. The purpose goes with it as a header, as with the search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeepReads {
    /// The search's first entry, as its answer named it.
    pub search: AuditId,
    /// What was searched, as it was sent.
    pub question: Question,
    /// Which of the reads that it found, 1 to 200.
    #[schema(value_type = Vec<String>)]
    pub reads: Vec<ReadId>,
    /// A note, at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Reads of an approved search that are to be kept in its case, while the approval holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeepApproved {
    /// The search's first entry, as its answer named it.
    pub search: AuditId,
    /// Which of the reads that it showed, 1 to 200.
    #[schema(value_type = Vec<String>)]
    pub reads: Vec<ReadId>,
    /// A note, at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Leave to look once more for what a search found, so as to keep it.
#[derive(Debug)]
pub struct GrantedKeep {
    granted: GrantedQuestion,
    wanted: BTreeSet<ReadId>,
    rest: Rest,
}

/// What of a wish is needed after the look.
#[derive(Debug)]
struct Rest {
    actor: Actor,
    case: Versioned<Case>,
    search: AuditId,
    approval: Option<ApprovalId>,
    purpose: Purpose,
    note: Option<String>,
}

/// Chosen reads as they were found again.
#[derive(Debug)]
pub struct FoundKeep {
    reads: Vec<FoundRead>,
    searched: Vec<SearchedOwner>,
    pictures: BTreeMap<ReadId, Vec<u8>>,
    wanted: BTreeSet<ReadId>,
    rest: Rest,
}

/// Plate reads that are kept in a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeptReadsView {
    /// Its id.
    pub id: KeptReadsId,
    /// In which case.
    pub case: CaseId,
    /// File name.
    pub name: String,
    /// How many reads.
    pub reads: u32,
    /// First entry of the search that found them.
    pub search: AuditId,
    /// The approval that the search had, where it took one.
    pub approval: Option<ApprovalId>,
    /// What a member noted.
    pub note: Option<String>,
    /// Length of the file.
    pub bytes: u64,
    /// SHA-256 of the file.
    pub sha256: Digest,
    /// Who kept them.
    pub by: MemberId,
    /// When.
    pub added: Time,
    /// When the file is to be destroyed, unless a hold forbids it; null while the case is open.
    pub due: Option<Time>,
    /// When it was destroyed.
    pub destroyed: Option<Time>,
    /// Its chain of custody.
    pub custody: CustodyHead,
}

impl From<&KeptReads> for KeptReadsView {
    fn from(kept: &KeptReads) -> Self {
        Self {
            id: kept.id.clone(),
            case: kept.case.clone(),
            name: kept.name.clone(),
            reads: kept.reads,
            search: kept.search.clone(),
            approval: kept.approval.clone(),
            note: kept.note.clone(),
            bytes: kept.bytes,
            sha256: kept.sha256,
            by: kept.by.clone(),
            added: kept.added,
            due: kept.due,
            destroyed: kept.destroyed,
            custody: kept.custody,
        }
    }
}

/// Kept reads with their chain of custody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct KeptReadsDetail {
    /// The file.
    #[serde(flatten)]
    pub kept: KeptReadsView,
    /// Its chain of custody, oldest first.
    pub events: Vec<CustodyEvent>,
}

/// The file itself, as it stands in the case: JSON of this form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct KeptFile {
    /// Version of this form: 1.
    pub v: u32,
    /// Which file.
    pub id: KeptReadsId,
    /// In which case.
    pub case: CaseId,
    /// First entry of the search that found them.
    pub search: AuditId,
    /// The approval that the search had, where it took one.
    pub approval: Option<ApprovalId>,
    /// Owners whose cameras were searched when they were kept, with the entry at each.
    pub searched: Vec<SearchedOwner>,
    /// Why.
    pub purpose: Purpose,
    /// What a member noted.
    pub note: Option<String>,
    /// Who kept them.
    pub by: MemberId,
    /// When.
    pub at: Time,
    /// The reads, oldest first, each with its camera's name and place and how near it was to what was asked.
    pub reads: Vec<KeptRead>,
}

/// A read that is kept, with its picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct KeptRead {
    /// The read.
    #[serde(flatten)]
    pub found: FoundRead,
    /// Its picture, Base64 of a JPEG, PNG or WebP; null when it came without one.
    pub image: Option<String>,
}

impl Reads {
    /// Looks once more for the reads that were chosen.
    ///
    /// # Errors
    /// As the search's.
    pub fn pick(&self, keep: GrantedKeep) -> Result<FoundKeep, CoreError> {
        let GrantedKeep { granted, wanted, rest } = keep;
        let (reads, searched) = match granted {
            GrantedQuestion::Search(granted) => self.picked(&granted, &wanted)?,
            GrantedQuestion::History(granted) => self.picked(&granted, &wanted)?,
            other => chosen(self.run(other)?, &wanted),
        };
        let pictures = self.pictures_of(&reads)?;
        Ok(FoundKeep { reads, searched, pictures, wanted, rest })
    }

    /// The pictures of reads that were found: an id that was only asked for shows nothing.
    fn pictures_of(&self, reads: &[FoundRead]) -> Result<BTreeMap<ReadId, Vec<u8>>, CoreError> {
        let (mut pictures, mut bytes) = (BTreeMap::new(), 0);
        for id in reads.iter().filter(|one| one.picture).map(|one| &one.read.id) {
            let Some(picture) = self.picture_by_id(id)? else { continue };
            bytes += picture.len();
            if bytes > MOST_PICTURES {
                let message = format!("their pictures have more than {} MiB together", MOST_PICTURES >> 20);
                return Err(CoreError::field("reads", "pictures", &message, "keep them in several parts"));
            }
            pictures.insert(*id, picture);
        }
        Ok(pictures)
    }

    fn picked<A: SearchesPlates>(
        &self,
        granted: &Granted<A>,
        wanted: &BTreeSet<ReadId>,
    ) -> Result<(Vec<FoundRead>, Vec<SearchedOwner>), CoreError> {
        let mut found: Vec<Match> = Vec::with_capacity(wanted.len());
        for query in granted.queries() {
            if found.len() < wanted.len() {
                let take = |one: Match| {
                    if wanted.contains(&one.read.id) {
                        found.push(one);
                    }
                };
                self.each(query, MOST_LOOKED, take)?;
            }
        }
        let reads = found.into_iter().map(|one| granted.found(one)).collect();
        Ok((reads, granted.owners().0))
    }
}

/// The chosen reads of an answer. How much was found is on record already.
fn chosen(answer: FoundQuestion, wanted: &BTreeSet<ReadId>) -> (Vec<FoundRead>, Vec<SearchedOwner>) {
    let wanted = |one: &&FoundRead| wanted.contains(&one.read.id);
    match answer {
        FoundQuestion::Convoy(found) => {
            let told = found.told();
            (told.reads().filter(wanted).cloned().collect(), told.searched)
        }
        FoundQuestion::Places(found) => {
            let told = found.told();
            (told.reads().filter(wanted).cloned().collect(), told.searched)
        }
        FoundQuestion::Search(_) | FoundQuestion::History(_) | FoundQuestion::Footage(_) => {
            (Vec::new(), Vec::new())
        }
    }
}

fn missing() -> CoreError {
    CoreError::field(
        "reads",
        "missing",
        "some of them are not among what the search finds now",
        "search again, and choose among what it shows",
    )
}

impl<R: Records> App<R> {
    /// Leave to look once more for what a search found, which leaves its entries anew. The search must be the actor's own,
    /// for an open case that they work on.
    ///
    /// # Errors
    /// When the actor may not, the search is another's or was for another case, or as the search's.
    pub async fn keep_granted(
        &self,
        actor: &Actor,
        purpose: &Purpose,
        wish: &KeepReads,
    ) -> Result<GrantedKeep, CoreError> {
        self.may_keep(actor, &wish.reads, wish.note.as_deref())?;
        let granted = self.grant_question(actor, purpose, &wish.question, Some(&wish.search), None).await?;
        let chosen = (&wish.search, &wish.reads[..], wish.note.as_deref());
        self.to_keep(actor, granted, purpose.clone(), chosen, None).await
    }

    /// The same for a search that had an approval, while that holds.
    ///
    /// # Errors
    /// As [`App::keep_granted`], and when the approval is not the actor's or over.
    pub async fn keep_approved(
        &self,
        actor: &Actor,
        id: &ApprovalId,
        wish: &KeepApproved,
    ) -> Result<GrantedKeep, CoreError> {
        self.may_keep(actor, &wish.reads, wish.note.as_deref())?;
        let under = self.approved(actor, id).await?;
        let (question, purpose) = (under.record().question.clone(), under.record().purpose.clone());
        let granted =
            self.grant_question(actor, &purpose, &question, Some(&wish.search), Some(&under)).await?;
        let chosen = (&wish.search, &wish.reads[..], wish.note.as_deref());
        self.to_keep(actor, granted, purpose, chosen, Some(id.clone())).await
    }

    fn may_keep(&self, actor: &Actor, reads: &[ReadId], note: Option<&str>) -> Result<(), CoreError> {
        let own = actor.agency.clone().ok_or(CoreError::Hidden("agency"))?;
        self.gate().check::<PlateKeep>(actor, &Target::of(&own, "plates"))?;
        let mut problems = Vec::new();
        if !(1..=MOST_KEPT).contains(&reads.len()) {
            let message = format!("{} reads are chosen, and may be 1 to {MOST_KEPT}", reads.len());
            problems.push(problem("reads", "count", &message, "choose among what the search found"));
        }
        if let Some(note) = note {
            check_text(&mut problems, "note", note, NOTE);
        }
        accept(problems)
    }

    async fn to_keep(
        &self,
        actor: &Actor,
        granted: GrantedQuestion,
        purpose: Purpose,
        (search, reads, note): (&AuditId, &[ReadId], Option<&str>),
        approval: Option<ApprovalId>,
    ) -> Result<GrantedKeep, CoreError> {
        let case = self.case_to_keep_in(actor, &granted, search).await?;
        let rest = Rest {
            actor: actor.clone(),
            case,
            search: search.clone(),
            approval,
            purpose,
            note: note.map(|note| note.trim().to_owned()),
        };
        Ok(GrantedKeep { granted, wanted: reads.iter().copied().collect(), rest })
    }

    /// The open case that the search was for, which is the one that this look is for.
    async fn case_to_keep_in(
        &self,
        actor: &Actor,
        granted: &GrantedQuestion,
        search: &AuditId,
    ) -> Result<Versioned<Case>, CoreError> {
        fn case_of<A: SearchesCameras>(granted: &Granted<A>) -> Option<CaseId> {
            granted.entries().find_map(|entry| entry.case.clone())
        }
        let now = match granted {
            GrantedQuestion::Search(granted) => case_of(granted),
            GrantedQuestion::History(granted) => case_of(granted),
            GrantedQuestion::Convoy(granted) => case_of(&granted.granted),
            GrantedQuestion::Places(granted) => case_of(&granted.granted),
            GrantedQuestion::Footage(granted) => case_of(&granted.granted),
        };
        let first: Option<Versioned<crate::records::AuditRecord>> =
            self.records().get(search.as_str()).await?;
        let then = first.and_then(|first| first.record.body.case);
        let Some(id) = now.filter(|now| Some(now) == then.as_ref()) else {
            let message = "the search was not for the open case that the purpose names";
            let remedy = "search anew with the case in the purpose";
            return Err(CoreError::field("search", "case", message, remedy));
        };
        let own = actor.agency.clone().ok_or(CoreError::Hidden("agency"))?;
        let case = self.open_case_of(&own, &id).await?;
        if self.kept_of_case(&id).await?.len() >= MOST_FILES {
            let what = format!("the case has {MOST_FILES} files of plate reads");
            return Err(CoreError::state(what, "choose more reads at once, or open another case"));
        }
        Ok(case)
    }

    /// Keeps reads in the case: a file with its digest and the first event of its chain of custody.
    ///
    /// # Errors
    /// When some of the chosen reads are not among what the search finds.
    pub async fn keep_reads(&self, found: FoundKeep) -> Result<KeptReadsView, CoreError> {
        let FoundKeep { mut reads, searched, mut pictures, wanted, rest } = found;
        reads.sort_by_key(|one| (one.read.seen, one.read.id));
        reads.dedup_by_key(|one| one.read.id);
        if reads.len() != wanted.len() {
            return Err(missing());
        }
        let Rest { actor, case, search, approval, purpose, note } = rest;
        let (id, now) = (KeptReadsId::random(self.entropy()), self.now());
        let agency = case.record.agency.clone();
        let target = Target::of(&agency, &id).in_case(Some(case.record.id.clone()));
        let intent = self.allow::<PlateKeep>(&actor, target, None).await?;
        let count = u32::try_from(reads.len()).unwrap_or(u32::MAX);
        let file = KeptFile {
            v: 1,
            id: id.clone(),
            case: case.record.id.clone(),
            search: search.clone(),
            approval: approval.clone(),
            searched,
            purpose,
            note: note.clone(),
            by: actor.member.clone(),
            at: now,
            reads: reads
                .into_iter()
                .map(|found| {
                    let image = pictures.remove(&found.read.id).map(|bytes| BASE64.encode(&bytes));
                    KeptRead { found, image }
                })
                .collect(),
        };
        // Plain structs: their JSON can always be written.
        let content = serde_json::to_string_pretty(&file).unwrap_or_default() + "\n";
        let (sha256, bytes) = (Digest::of(content.as_bytes()), content.len() as u64);
        let particulars = json!({
            "case": case.record.id, "search": search, "approval": approval, "reads": count,
            "sha256": sha256, "bytes": bytes,
        });
        let by = Some(&actor.member);
        let (first, head) = custody::next(None, id.as_str(), "reads-kept", by, now, particulars.clone());
        let kept = KeptReads {
            name: format!("plate-reads-{}.json", now.day()),
            id,
            agency,
            case: case.record.id.clone(),
            reads: count,
            search,
            approval,
            note,
            content: Some(content),
            bytes,
            sha256,
            by: actor.member.clone(),
            added: now,
            due: None,
            destroyed: None,
            custody: head,
        };
        let mut detail = particulars;
        if let Some(fields) = detail.as_object_mut() {
            fields.insert("custody".into(), anchor(&head));
        }
        intent
            .detail(detail)
            .at(now)
            .with(|changes| changes.insert(&kept).insert(&first).depends_on(&case))
            .commit(self.records())
            .await?;
        Ok(KeptReadsView::from(&kept))
    }

    pub(crate) async fn kept_of_case(&self, case: &CaseId) -> Result<Vec<Versioned<KeptReads>>, CoreError> {
        every(self.records(), Query::<KeptReads>::new().with("case_id", case), MOST_FILES * 2).await
    }

    async fn load_kept(&self, id: &KeptReadsId) -> Result<Versioned<KeptReads>, CoreError> {
        self.records().get(id.as_str()).await?.ok_or(CoreError::Hidden("plate reads"))
    }

    /// Kept reads with their chain of custody; the reads themselves take a purpose.
    ///
    /// # Errors
    /// When there are none for the actor.
    pub async fn kept_reads(&self, actor: &Actor, id: &KeptReadsId) -> Result<KeptReadsDetail, CoreError> {
        let kept = self.load_kept(id).await?.record;
        self.gate().check::<ItemList>(actor, &Target::of(&kept.agency, id))?;
        Ok(KeptReadsDetail { events: self.chain(id.as_str()).await?, kept: KeptReadsView::from(&kept) })
    }

    /// Gives the file out, byte for byte, once the reading is on record: JSON of the form of [`KeptFile`].
    ///
    /// # Errors
    /// When there is none for the actor, the purpose is missing, or it is destroyed.
    pub async fn read_kept(
        &self,
        actor: &Actor,
        id: &KeptReadsId,
        purpose: &Purpose,
    ) -> Result<(Grant<ItemRead>, String), CoreError> {
        let before = self.load_kept(id).await?;
        let target = Target::of(&before.record.agency, id).in_case(Some(before.record.case.clone()));
        let purpose = self.for_case(purpose, Some(&before.record.case)).await?;
        let intent = self.allow::<ItemRead>(actor, target, Some(&purpose)).await?;
        let file = whole(&before.record)?;
        let mut change = Change::of(before);
        let particulars = json!({ "sha256": change.now.sha256 });
        change.event("read", Some(&actor.member), self.now(), particulars);
        let detail = json!({ "sha256": change.now.sha256, "custody": anchor(&change.now.custody) });
        let grant = intent.detail(detail).keep(&change).commit(self.records()).await?;
        Ok((grant, file))
    }

    /// Destroys a file of reads whose case is closed long enough, unless a hold on the case keeps it.
    pub(crate) async fn erase_kept(&self, before: Versioned<KeptReads>) -> Result<bool, CoreError> {
        let case = self.load_case(&before.record.case).await?;
        if self.active_hold(case.record.id.as_str()).await?.is_some() {
            return Ok(false);
        }
        let target =
            Target::of(&before.record.agency, &before.record.id).in_case(Some(before.record.case.clone()));
        let now = self.now();
        let mut change = Change::of(before);
        change.now.content = None;
        change.now.due = None;
        change.now.destroyed = Some(now);
        let particulars = json!({ "reason": "closed-case", "sha256": change.now.sha256 });
        change.event("destroyed", None, now, particulars);
        let head = anchor(&change.now.custody);
        self.system(Job::ErasureDone, target)
            .detail(json!({ "reason": "closed-case", "sha256": change.now.sha256, "custody": head }))
            .with(|changes| changes.depends_on(&case))
            .keep(&change)
            .commit(self.records())
            .await?;
        Ok(true)
    }
}

/// The file, after comparing it with its digest.
fn whole(kept: &KeptReads) -> Result<String, CoreError> {
    let Some(content) = &kept.content else {
        return Err(CoreError::state("these reads are destroyed", "look at their custody for when and why"));
    };
    if Digest::of(content.as_bytes()) == kept.sha256 {
        return Ok(content.clone());
    }
    Err(CoreError::state(
        "the stored file is not the one that was kept",
        "tell an administrator: put it back from a backup",
    ))
}

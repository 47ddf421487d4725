//! The agency's side of an offer: list, open, look through, decide, ask, answer.

mod annotate;
mod detail;
mod talk;
mod triage;

use canvass_types::{AgencyId, CaseId, Digest, InvitationId, MemberId, OfferId, Purpose, Time};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

pub use annotate::{Annotate, Assignee, MOST_NOTES, MOST_TAGS, WorkFilter};
pub use detail::{AskedView, OfferDetail, ReceiptView};
pub use talk::{AnswerWithdrawal, check_sealed_text};
pub use triage::{AcceptClip, OpenedReport, ReportedClip};

use crate::{
    App, CoreError,
    access::{Action, Actor, Grant, Intent, OfferList, OfferOpen, OfferTriage, Target, for_destination},
    cases::load::{Page, page},
    custody::{Change, anchor},
    intake::join,
    ports::{Query, Records},
    records::{Annotations, Clip, CustodyHead, Offer, OfferState, Question, SealedBlob, WithdrawalRequest},
};

/// An offer, as the agency sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OfferView {
    /// Its id.
    pub id: OfferId,
    /// To whom.
    pub agency: AgencyId,
    /// Id of the request or portal that it answers.
    pub destination: String,
    /// The invitation that it used.
    pub invitation: Option<InvitationId>,
    /// Where it stands.
    pub state: OfferState,
    /// SHA-256 of the envelope.
    pub envelope_sha256: Digest,
    /// Length of the envelope.
    pub envelope_bytes: u64,
    /// When it came.
    pub received: Time,
    /// When the agency first opened it.
    pub opened: Option<Time>,
    /// Its clips, known once it was opened.
    pub clips: Vec<Clip>,
    /// Whether the resident can be asked.
    pub mailbox: Option<String>,
    /// Questions and answers, sealed.
    pub questions: Vec<Question>,
    /// A wish to take it back after it was opened.
    pub withdrawal: Option<WithdrawalRequest>,
    /// The case it belongs to.
    pub case: Option<CaseId>,
    /// Members' notes, tags and so on.
    pub annotations: Annotations,
    /// Its chain of custody.
    pub custody: CustodyHead,
    /// When the envelope is to be destroyed, unless a hold forbids it.
    pub due: Option<Time>,
    /// When the envelope was destroyed.
    pub destroyed: Option<Time>,
}

impl From<&Offer> for OfferView {
    fn from(offer: &Offer) -> Self {
        Self {
            id: offer.id.clone(),
            agency: offer.agency.clone(),
            destination: offer.destination.clone(),
            invitation: offer.invitation.clone(),
            state: offer.state,
            envelope_sha256: offer.envelope.sha256,
            envelope_bytes: offer.envelope.bytes,
            received: offer.received,
            opened: offer.opened,
            clips: offer.clips.clone(),
            mailbox: offer.mailbox.clone(),
            questions: offer.questions.clone(),
            withdrawal: offer.withdrawal.clone(),
            case: offer.case.clone(),
            annotations: offer.annotations.clone(),
            custody: offer.custody,
            due: offer.due,
            destroyed: offer.destroyed,
        }
    }
}

/// Which offers to list; what is not given does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OfferFilter {
    /// In this state.
    pub state: Option<OfferState>,
    /// To this request or portal.
    pub destination: Option<String>,
    /// Of this case.
    pub case: Option<CaseId>,
    /// Who works on it, tags, notes, reminders.
    pub work: WorkFilter,
    /// In which something waits for the agency, or nothing: a wish to take it back that is not answered, or an answer
    /// that is the last word of the talk with the resident.
    pub waiting: Option<bool>,
    /// From behind this place, as the part before said.
    pub after: Option<u64>,
    /// At most so many, 1 to 200; 50 when not given.
    pub limit: Option<u32>,
}

impl OfferFilter {
    fn keeps(&self, offer: &Offer, me: &MemberId, now: Time) -> bool {
        let same_case = self.case.is_none() || offer.case == self.case;
        let waits = || {
            offer.withdrawal.as_ref().is_some_and(|wish| wish.granted.is_none())
                || offer.questions.last().is_some_and(|last| last.answered.is_some())
        };
        same_case
            && self.waiting.is_none_or(|wanted| waits() == wanted)
            && self.work.meets(&offer.annotations, me, now)
    }
}

/// What a case or offer of nobody is to be seen as: the actor's own agency, or none.
pub(crate) fn own_target(actor: &Actor, subject: &str) -> Target {
    Target::maybe(actor.agency.as_ref(), subject)
}

impl<R: Records> App<R> {
    /// Offers to the actor's agency, newest first.
    ///
    /// # Errors
    /// When the actor may not.
    pub async fn offers(&self, actor: &Actor, filter: &OfferFilter) -> Result<Page<OfferView>, CoreError> {
        let target = own_target(actor, "offers");
        self.gate().check::<OfferList>(actor, &target)?;
        let agency = target.agency.ok_or(CoreError::Hidden("inbox"))?;
        let mut query = Query::<Offer>::new().with("agency", agency);
        if let Some(state) = filter.state {
            query = query.with("state", state.as_str());
        }
        if let Some(destination) = &filter.destination {
            query = query.with("destination", destination);
        }
        let now = self.now();
        let keep = |offer: &Offer| filter.keeps(offer, &actor.member, now);
        let found = page(self.records(), query, (filter.after, filter.limit), keep).await?;
        Ok(Page { entries: found.entries.iter().map(OfferView::from).collect(), next: found.next })
    }

    /// One offer, without what belongs to it.
    ///
    /// # Errors
    /// When there is none for the actor.
    pub async fn offer(&self, actor: &Actor, id: &OfferId) -> Result<OfferView, CoreError> {
        let offer = self.load_offer(id).await?.record;
        self.gate().check::<OfferList>(actor, &Target::of(&offer.agency, id))?;
        Ok(OfferView::from(&offer))
    }

    /// Gives the sealed envelope out, once its opening is on record.
    ///
    /// # Errors
    /// When there is none for the actor, the purpose is missing, or the offer is withdrawn, destroyed or about to be.
    pub async fn open_offer(
        &self,
        actor: &Actor,
        id: &OfferId,
        purpose: &Purpose,
    ) -> Result<Grant<OfferOpen>, CoreError> {
        let before = self.load_offer(id).await?;
        let target = Target::of(&before.record.agency, id).in_case(before.record.case.clone());
        let purpose = match &before.record.case {
            Some(case) => self.for_case(purpose, Some(case)).await?,
            None => for_destination(purpose, &before.record.destination),
        };
        let intent = self.allow::<OfferOpen>(actor, target, Some(&purpose)).await?;
        self.still_there(&before.record).await?;
        let now = self.now();
        let mut change = Change::of(before);
        let first = change.now.opened.is_none();
        if first {
            change.now.opened = Some(now);
            change.now.state = OfferState::Opened;
        }
        let envelope = change.now.envelope.clone();
        let name = if first { "opened" } else { "read" };
        change.event(name, Some(&actor.member), now, json!({ "envelope_sha256": envelope.sha256 }));
        let intent = intent.for_blob(&envelope);
        let detail = json!({ "first": first, "envelope_sha256": envelope.sha256 });
        Ok(self.commit_offer(intent, &change, detail).await?.0)
    }

    /// Puts an offer into a case, or takes it out.
    ///
    /// # Errors
    /// When there is none for the actor, the case is closed or another agency's, or a hold on the present case covers it.
    pub async fn link_offer(
        &self,
        actor: &Actor,
        id: &OfferId,
        case: Option<&CaseId>,
    ) -> Result<OfferView, CoreError> {
        let before = self.load_offer(id).await?;
        let target = Target::of(&before.record.agency, id).in_case(case.cloned());
        let intent = self.allow::<OfferTriage>(actor, target, None).await?;
        if before.record.case.as_ref() == case {
            return Ok(OfferView::from(&before.record));
        }
        let present = match &before.record.case {
            Some(present) => Some(self.load_case(present).await?),
            None => None,
        };
        if let Some(present) = &present
            && let Some(hold) = self.active_hold(present.record.id.as_str()).await?
        {
            return Err(CoreError::state(
                format!("case: hold {} on its present case covers this offer", hold.id),
                "release the hold first, or leave the offer where it is",
            ));
        }
        let new = match case {
            Some(case) => Some(self.open_case_of(&before.record.agency, case).await?),
            None => None,
        };
        let joined = new.as_ref().and_then(|new| join(&new.record, &before.record.destination));
        let mut change = Change::of(before);
        change.now.case = case.cloned();
        change.event("linked", Some(&actor.member), self.now(), json!({ "case": case }));
        let intent = intent.with(|changes| {
            let changes = present.iter().fold(changes, |all, present| all.depends_on(present));
            match (&new, &joined) {
                (Some(new), Some(joined)) => changes.update(new, joined),
                (Some(new), None) => changes.depends_on(new),
                _ => changes,
            }
        });
        Ok(self.commit_offer(intent, &change, json!({ "case": case })).await?.1)
    }

    /// Refuses what is withdrawn, destroyed, or about to be and not held.
    pub(crate) async fn still_there(&self, offer: &Offer) -> Result<(), CoreError> {
        match offer.state {
            OfferState::Withdrawn => Err(CoreError::state(
                "the resident withdrew this offer",
                "ask for the footage in another way, or not at all",
            )),
            OfferState::Destroyed => Err(CoreError::state(
                "the envelope is destroyed",
                "look at its custody for when and why; accepted clips are in their cases",
            )),
            _ => self.not_ordered(&offer.envelope, || self.offer_hold(offer)).await,
        }
    }

    /// Refuses bytes whose destruction is ordered, unless a hold keeps them.
    pub(crate) async fn not_ordered<F>(
        &self,
        blob: &SealedBlob,
        hold: impl FnOnce() -> F + Send,
    ) -> Result<(), CoreError>
    where
        F: Future<Output = Result<Option<crate::records::Hold>, CoreError>> + Send,
    {
        let Some(erasure) = self.ordered(blob).await? else { return Ok(()) };
        if hold().await?.is_some() {
            return Ok(());
        }
        Err(CoreError::state(
            format!("its destruction is ordered ({})", erasure.record.reason),
            "place a hold at once if the law requires that it is kept",
        ))
    }

    /// Commits a change of an offer with its chain's head in the record.
    pub(crate) async fn commit_offer<A: Action>(
        &self,
        intent: Intent<A>,
        change: &Change<Offer>,
        mut detail: Value,
    ) -> Result<(Grant<A>, OfferView), CoreError> {
        if let Some(fields) = detail.as_object_mut() {
            fields.insert("custody".into(), anchor(&change.now.custody));
        }
        let intent = intent.detail(detail).keep(change);
        let grant = intent.commit(self.records()).await?;
        Ok((grant, OfferView::from(&change.now)))
    }
}

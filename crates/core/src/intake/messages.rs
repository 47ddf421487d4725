//! What residents say about their offers: answers and withdrawals. The caller has checked the message's signature
//! against [`App::offer_key`].

use canvass_types::{PublicKey, QuestionId, Time};
use serde_json::json;

use crate::{
    App, CoreError,
    access::{Job, Target},
    custody::{Change, anchor},
    inbox::check_sealed_text,
    ports::{Query, Records, RecordsExt, Versioned},
    records::{Offer, OfferState, WithdrawalRequest},
    retention::end_mailbox,
};

/// What became of a resident's wish to take an offer back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withdrawn {
    /// It was not opened yet: its destruction is ordered.
    Ordered,
    /// It was opened: the agency is asked.
    Asked,
    /// It was withdrawn, asked for or destroyed before; nothing changed.
    Already,
}

/// What a withdrawal does to an offer.
fn decide(offer: &Offer) -> Withdrawn {
    match offer.state {
        OfferState::Withdrawn | OfferState::Destroyed => Withdrawn::Already,
        _ if offer.withdrawal.is_some() => Withdrawn::Already,
        OfferState::Received => Withdrawn::Ordered,
        OfferState::Opened | OfferState::Triaged => Withdrawn::Asked,
    }
}

impl<R: Records> App<R> {
    pub(crate) async fn offer_by_lookup(&self, lookup: &str) -> Result<Option<Versioned<Offer>>, CoreError> {
        Ok(self.records().first(Query::<Offer>::new().with("lookup", lookup)).await?)
    }

    /// The key that messages about an offer are signed with; none when there is no such offer.
    ///
    /// # Errors
    /// The store's.
    pub async fn offer_key(&self, lookup: &str) -> Result<Option<PublicKey>, CoreError> {
        Ok(self.offer_by_lookup(lookup).await?.map(|offer| offer.record.offer_key))
    }

    /// Takes a resident's answer in. The same answer again changes nothing.
    ///
    /// # Errors
    /// When there is no such question, it has another answer, or the text is no sealed one of at most 48 KiB.
    pub async fn answer(&self, lookup: &str, question: &QuestionId, sealed: &str) -> Result<(), CoreError> {
        check_sealed_text("sealed", sealed)?;
        let before = self.offer_by_lookup(lookup).await?.ok_or(CoreError::Hidden("offer"))?;
        let now = self.now();
        let mut change = Change::of(before);
        let offer = &mut change.now;
        if offer.state == OfferState::Withdrawn {
            return Err(CoreError::state("the offer is withdrawn", "nothing more needs to be answered"));
        }
        let asked = offer.questions.iter_mut().find(|each| each.id == *question);
        let asked = asked.ok_or(CoreError::Hidden("question"))?;
        match &asked.answer {
            Some(known) if known == sealed => return Ok(()),
            Some(_) => {
                return Err(CoreError::state(
                    "this question is answered",
                    "wait for the agency's next question",
                ));
            }
            None => {}
        }
        asked.answer = Some(sealed.to_owned());
        asked.answered = Some(now);
        change.event("answered", None, now, json!({ "question": question }));
        self.message(Job::MailboxAnswer, change, json!({ "question": question })).await
    }

    /// Carries out a resident's withdrawal while nobody has opened the offer, and passes it on to the agency after that.
    /// A hold delays the destruction.
    ///
    /// # Errors
    /// When there is no such offer.
    pub async fn withdraw(&self, lookup: &str) -> Result<Withdrawn, CoreError> {
        let before = self.offer_by_lookup(lookup).await?.ok_or(CoreError::Hidden("offer"))?;
        let outcome = decide(&before.record);
        let now = self.now();
        match outcome {
            Withdrawn::Already => {}
            Withdrawn::Ordered => self.withdraw_unopened(before, now).await?,
            Withdrawn::Asked => {
                let mut change = Change::of(before);
                change.now.withdrawal =
                    Some(WithdrawalRequest { at: now, granted: None, reason: None, answered: None });
                change.event("withdrawal-asked", None, now, json!({}));
                self.message(Job::OfferWithdrawn, change, json!({ "opened": true })).await?;
            }
        }
        Ok(outcome)
    }

    async fn withdraw_unopened(&self, before: Versioned<Offer>, now: Time) -> Result<(), CoreError> {
        let ordered = self.ordered(&before.record.envelope).await?.is_none();
        let mut change = Change::of(before);
        change.now.state = OfferState::Withdrawn;
        change.now.due = None;
        end_mailbox(&mut change.now, now, self.policy());
        let offer = &change.now;
        let erasure = ordered
            .then(|| self.new_erasure(&offer.agency, offer.id.as_str(), &offer.envelope, "withdrawn", now));
        let id = erasure.as_ref().map(|erasure| erasure.id.clone());
        change.event("withdrawn", None, now, json!({ "erasure": id }));
        let target = Target::of(&change.now.agency, &change.now.id).in_case(change.now.case.clone());
        self.system(Job::OfferWithdrawn, target)
            .detail(json!({ "opened": false, "erasure": id, "custody": anchor(&change.now.custody) }))
            .with(|changes| erasure.iter().fold(changes, |all, each| all.insert(each)))
            .keep(&change)
            .commit(self.records())
            .await?;
        Ok(())
    }

    async fn message(
        &self,
        job: Job,
        change: Change<Offer>,
        mut detail: serde_json::Value,
    ) -> Result<(), CoreError> {
        if let Some(fields) = detail.as_object_mut() {
            fields.insert("custody".into(), anchor(&change.now.custody));
        }
        let target = Target::of(&change.now.agency, &change.now.id).in_case(change.now.case.clone());
        self.system(job, target).detail(detail).keep(&change).commit(self.records()).await?;
        Ok(())
    }
}

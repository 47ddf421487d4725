//! Talking with the resident: questions through the sealed mailbox, and the answer to a withdrawal.

use canvass_types::{OfferId, QuestionId, Time};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::OfferView;
use crate::{
    App, CoreError,
    access::{Actor, Intent, OfferAsk, OfferWithdrawal, Target},
    custody::{Change, anchors},
    error::{accept, check_text},
    ports::{Records, Versioned},
    records::{Erasure, Item, Offer, OfferState, Question},
    retention::end_mailbox,
};

/// Largest sealed text, bytes.
pub const SEALED_TEXT_BYTES: usize = 48 * 1024;
/// Most questions about one offer.
const MOST_QUESTIONS: usize = 50;
const REASON: std::ops::RangeInclusive<usize> = 10..=1_000;
/// First line of an armoured age file.
const ARMOUR: &str = "-----BEGIN AGE ENCRYPTED FILE-----";

/// The agency's answer to a resident who wants to take an opened offer back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerWithdrawal {
    /// Whether envelope and items are destroyed.
    pub granted: bool,
    /// Why, 10 to 1,000 characters; the resident reads it.
    pub reason: String,
}

/// Refuses a text that is not an armoured age file of at most [`SEALED_TEXT_BYTES`]: no readable word may reach a
/// public file by mistake.
///
/// # Errors
/// [`CoreError::Invalid`], naming the field.
pub fn check_sealed_text(field: &str, text: &str) -> Result<(), CoreError> {
    if text.len() > SEALED_TEXT_BYTES {
        return Err(CoreError::field(
            field,
            "size",
            "it is larger than 48 KiB",
            "shorten the text and seal it again",
        ));
    }
    if !text.trim_start().starts_with(ARMOUR) || !text.is_ascii() {
        return Err(CoreError::field(
            field,
            "sealed",
            "it is no armoured age file",
            "seal the text before you send it",
        ));
    }
    Ok(())
}

/// Why a question can't be put; none when it can.
fn unaskable(offer: &Offer) -> Option<CoreError> {
    if offer.state == OfferState::Withdrawn {
        return Some(CoreError::state("the resident withdrew this offer", "respect it"));
    }
    if offer.mailbox.is_none() {
        let what = "the resident left no mailbox, or the offer is not opened and reported";
        return Some(CoreError::state(
            what,
            "open and report the offer; an anonymous resident can't be asked",
        ));
    }
    (offer.questions.len() >= MOST_QUESTIONS).then(|| {
        CoreError::state("there are 50 questions about this offer", "agree on another way with the resident")
    })
}

impl<R: Records> App<R> {
    /// Puts a question to the resident, sealed to their mailbox on the agency's device.
    ///
    /// # Errors
    /// When there is none for the actor, the resident can't be asked, or the text is no sealed one of at most 48 KiB.
    pub async fn ask(&self, actor: &Actor, id: &OfferId, sealed: &str) -> Result<OfferView, CoreError> {
        let before = self.load_offer(id).await?;
        let target = Target::of(&before.record.agency, id).in_case(before.record.case.clone());
        let intent = self.allow::<OfferAsk>(actor, target, None).await?;
        check_sealed_text("sealed", sealed)?;
        if let Some(refusal) = unaskable(&before.record) {
            return Err(refusal);
        }
        let now = self.now();
        let question = QuestionId::random(self.entropy());
        let mut change = Change::of(before);
        change.now.questions.push(Question {
            id: question.clone(),
            sealed: sealed.to_owned(),
            by: actor.member.clone(),
            asked: now,
            answer: None,
            answered: None,
        });
        change.event("asked", Some(&actor.member), now, json!({ "question": question }));
        Ok(self.commit_offer(intent, &change, json!({ "question": question })).await?.1)
    }

    /// Answers a resident who wants to take an opened offer back. When granted, envelope and items are destroyed.
    ///
    /// # Errors
    /// When there is none for the actor, nothing was asked, it is answered, or a hold covers what would be destroyed.
    pub async fn answer_withdrawal(
        &self,
        actor: &Actor,
        id: &OfferId,
        answer: &AnswerWithdrawal,
    ) -> Result<OfferView, CoreError> {
        let before = self.load_offer(id).await?;
        let target = Target::of(&before.record.agency, id).in_case(before.record.case.clone());
        let intent = self.allow::<OfferWithdrawal>(actor, target, None).await?;
        let mut problems = Vec::new();
        check_text(&mut problems, "reason", &answer.reason, REASON);
        accept(problems)?;
        let now = self.now();
        let cover = self.offer_cover(&before.record).await?;
        let (items, erasures) = if answer.granted {
            self.grant_withdrawal(actor, &before, now).await?
        } else {
            Default::default()
        };
        let mut change = Change::of(before);
        let wish = change.now.withdrawal.as_mut().filter(|wish| wish.granted.is_none());
        let wish = wish.ok_or_else(|| {
            CoreError::state(
                "no withdrawal waits for an answer",
                "look at the offer; it may be answered already",
            )
        })?;
        wish.granted = Some(answer.granted);
        wish.reason = Some(answer.reason.trim().to_owned());
        wish.answered = Some(now);
        if answer.granted {
            change.now.due = None;
            if change.now.state != OfferState::Destroyed {
                change.now.state = OfferState::Withdrawn;
            }
            end_mailbox(&mut change.now, now, self.policy());
        }
        let ids: Vec<_> = erasures.iter().map(|erasure| &erasure.id).collect();
        let detail = json!({
            "granted": answer.granted, "erasures": ids,
            "others": anchors(items.iter().map(|item| (item.now.id.to_string(), &item.now.custody))),
        });
        let name = if answer.granted { "withdrawal-granted" } else { "withdrawal-refused" };
        change.event(name, Some(&actor.member), now, json!({ "erasures": ids }));
        let intent = intent.with(|changes| {
            let changes = erasures.iter().fold(changes, |all, erasure| all.insert(erasure));
            cover.guard(changes)
        });
        let intent = items.iter().fold(intent, Intent::keep);
        Ok(self.commit_offer(intent, &change, detail).await?.1)
    }

    /// What is destroyed when a withdrawal is granted.
    async fn grant_withdrawal(
        &self,
        actor: &Actor,
        before: &Versioned<Offer>,
        now: Time,
    ) -> Result<(Vec<Change<Item>>, Vec<Erasure>), CoreError> {
        let offer = &before.record;
        let refuse = |hold: crate::records::Hold| {
            CoreError::state(
                format!("hold {} covers what would be destroyed", hold.id),
                "release it first, or refuse the withdrawal and say why",
            )
        };
        if let Some(hold) = self.offer_hold(offer).await? {
            return Err(refuse(hold));
        }
        let mut erasures = Vec::new();
        if offer.destroyed.is_none() && self.ordered(&offer.envelope).await?.is_none() {
            erasures.push(self.new_erasure(
                &offer.agency,
                offer.id.as_str(),
                &offer.envelope,
                "withdrawal-granted",
                now,
            ));
        }
        let mut items = Vec::new();
        for item in self.items_of_offer(&offer.id).await? {
            if let Some(hold) = self.item_hold(&item.record).await? {
                return Err(refuse(hold));
            }
            if item.record.destroyed.is_some() || self.ordered(&item.record.sealed).await?.is_some() {
                continue;
            }
            let kept = &item.record;
            let erasure =
                self.new_erasure(&kept.agency, kept.id.as_str(), &kept.sealed, "withdrawal-granted", now);
            let mut change = Change::of(item);
            change.now.due = None;
            let particulars = json!({ "erasure": erasure.id, "reason": erasure.reason });
            change.event("erasure-ordered", Some(&actor.member), now, particulars);
            erasures.push(erasure);
            items.push(change);
        }
        Ok((items, erasures))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sealed_texts_of_limited_size_pass() {
        let sealed = format!("{ARMOUR}\nYWdl\n-----END AGE ENCRYPTED FILE-----\n");
        check_sealed_text("sealed", &sealed).unwrap();
        for bad in ["", "when was it?", &format!("{ARMOUR}é"), &format!("{ARMOUR}{}", "a".repeat(48 * 1024))]
        {
            assert!(check_sealed_text("sealed", bad).is_err());
        }
    }
}

//! Looking through an opened offer: what it holds, and what becomes of each clip.

use canvass_types::{CaseId, Digest, GiveLimits, ItemId, MemberId, OfferId, Policy, Time};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::OfferView;
use crate::{
    App, CoreError,
    access::{Actor, OfferReport, OfferTriage, Target},
    cases::{ItemView, load::MOST_ITEMS},
    custody::{self, Change, anchor, anchors},
    error::{accept, check_text, problem},
    intake::join,
    ports::{Query, Records, RecordsExt, Versioned},
    records::{Annotations, Case, Clip, ClipState, Item, Offer, OfferState, SealedBlob},
};

/// Most defects that a report names.
const MOST_DEFECTS: usize = 50;
const DEFECT: std::ops::RangeInclusive<usize> = 1..=500;
const NAME: std::ops::RangeInclusive<usize> = 1..=255;
const REASON: std::ops::RangeInclusive<usize> = 1..=500;
const MAILBOX: std::ops::RangeInclusive<usize> = 1..=4_000;

/// A clip as the opened envelope holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportedClip {
    /// File name.
    pub name: String,
    /// Length.
    pub bytes: u64,
    /// SHA-256.
    pub sha256: Digest,
}

/// What the agency's device found when it opened an envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenedReport {
    /// The clips, in the order of the bag's manifest.
    pub clips: Vec<ReportedClip>,
    /// The resident's mailbox, an age recipient, when they can be asked.
    #[serde(default)]
    pub mailbox: Option<String>,
    /// SHA-256 of the sealed bytes that were opened.
    pub envelope_sha256: Digest,
    /// What was wrong with the bag, in words.
    #[serde(default)]
    pub defects: Vec<String>,
}

/// A clip to be taken into a case, sealed by itself on the agency's device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptClip {
    /// Into which case.
    pub case: CaseId,
    /// The bag with this clip alone, already in the store of blobs.
    pub sealed: SealedBlob,
    /// SHA-256 of the original.
    pub sha256: Digest,
    /// Length of the original.
    pub bytes: u64,
}

fn check_report(report: &OpenedReport, limits: &GiveLimits) -> Result<(), CoreError> {
    let mut problems = Vec::new();
    if report.clips.len() > limits.clips as usize {
        let message = format!("{} clips are more than the {} of an offer", report.clips.len(), limits.clips);
        problems.push(problem("clips", "count", &message, "report the envelope as defective, without clips"));
    }
    for clip in report.clips.iter().take(limits.clips as usize) {
        check_text(&mut problems, "clips.name", &clip.name, NAME);
        if clip.bytes > limits.clip_bytes {
            let message = format!("{} bytes are more than the {} of a clip", clip.bytes, limits.clip_bytes);
            problems.push(problem("clips.bytes", "size", &message, "report the envelope as defective"));
        }
    }
    if let Some(mailbox) = &report.mailbox {
        check_text(&mut problems, "mailbox", mailbox, MAILBOX);
        if !mailbox.starts_with("age1") {
            problems.push(problem("mailbox", "form", "it is no age recipient", "send it as the bag has it"));
        }
    }
    if report.defects.len() > MOST_DEFECTS {
        problems.push(problem("defects", "count", "there are more than 50", "name the first ones"));
    }
    for defect in report.defects.iter().take(MOST_DEFECTS) {
        check_text(&mut problems, "defects", defect, DEFECT);
    }
    accept(problems)
}

fn clips_of(report: &OpenedReport) -> Vec<Clip> {
    let one = |(number, clip): (u32, &ReportedClip)| Clip {
        number,
        name: clip.name.clone(),
        bytes: clip.bytes,
        sha256: clip.sha256,
        state: ClipState::Pending,
    };
    (1..).zip(&report.clips).map(one).collect()
}

/// In what a report differs from what is known; none when it agrees.
fn difference(offer: &Offer, report: &OpenedReport) -> Option<&'static str> {
    if report.envelope_sha256 != offer.envelope.sha256 {
        return Some("envelope_sha256");
    }
    if offer.clips.is_empty() {
        return None;
    }
    let same = |(known, told): (&Clip, &ReportedClip)| {
        (&known.name, known.bytes, known.sha256) == (&told.name, told.bytes, told.sha256)
    };
    if offer.clips.len() != report.clips.len() || !offer.clips.iter().zip(&report.clips).all(same) {
        return Some("clips");
    }
    (offer.mailbox != report.mailbox).then_some("mailbox")
}

/// Sets one clip's state; a wholly decided offer is triaged, and its envelope goes after the time of declined clips.
fn decide(
    offer: &mut Offer,
    number: u32,
    state: ClipState,
    now: Time,
    policy: &Policy,
) -> Result<(), CoreError> {
    let clip = offer.clips.iter_mut().find(|clip| clip.number == number).ok_or(CoreError::Hidden("clip"))?;
    clip.state = state;
    let pending = offer.clips.iter().any(|clip| clip.state == ClipState::Pending);
    if !pending {
        offer.state = OfferState::Triaged;
        offer.due = Some(now.plus_days(policy.retention.declined_days));
    } else if offer.state == OfferState::Triaged {
        offer.state = OfferState::Opened;
        let untriaged = offer.received.plus_days(policy.retention.untriaged_days);
        // Whoever looks again has at least the time that the decision had left.
        offer.due = Some(offer.due.map_or(untriaged, |due| due.max(untriaged)));
    }
    Ok(())
}

/// The clip, when it waits for a decision.
fn pending(offer: &Offer, number: u32) -> Result<&Clip, CoreError> {
    let clip = offer.clips.iter().find(|clip| clip.number == number).ok_or(CoreError::Hidden("clip"))?;
    match &clip.state {
        ClipState::Pending => Ok(clip),
        ClipState::Accepted { item } => Err(CoreError::state(
            format!("clip {number} is accepted already, as {item}"),
            "look at the item; an accepted clip stays in its case",
        )),
        ClipState::Declined { .. } => {
            Err(CoreError::state(format!("clip {number} is declined"), "reconsider it first"))
        }
    }
}

fn matches(clip: &Clip, wish: &AcceptClip, envelope: &SealedBlob) -> Result<(), CoreError> {
    let mut problems = Vec::new();
    if wish.sha256 != clip.sha256 {
        problems.push(problem(
            "sha256",
            "differs",
            "it is not the digest that was reported",
            "open the envelope again and seal the clip anew",
        ));
    }
    if wish.bytes != clip.bytes {
        problems.push(problem(
            "bytes",
            "differs",
            "it is not the length that was reported",
            "open the envelope again and seal the clip anew",
        ));
    }
    if wish.sealed.blob.is_empty() || wish.sealed.bytes == 0 || wish.sealed.blob == envelope.blob {
        problems.push(problem(
            "sealed",
            "blob",
            "it is no bag of its own",
            "seal the clip by itself and upload it",
        ));
    }
    accept(problems)
}

impl Offer {
    /// Refuses while the resident's wish to take it back waits for an answer.
    pub(crate) fn not_wanted_back(&self) -> Result<(), CoreError> {
        if self.withdrawal.as_ref().is_some_and(|wish| wish.granted.is_none()) {
            return Err(CoreError::state(
                "the resident asks to take this offer back",
                "let a supervisor or custodian answer the withdrawal first",
            ));
        }
        Ok(())
    }
}

impl<R: Records> App<R> {
    /// Notes what an opened envelope holds. The first report fills the clips in; later ones must agree.
    ///
    /// # Errors
    /// When there is none for the actor, it was not opened, or the report is out of limits or differs; a difference
    /// stays in the chain of custody.
    pub async fn report_offer(
        &self,
        actor: &Actor,
        id: &OfferId,
        report: &OpenedReport,
    ) -> Result<OfferView, CoreError> {
        let before = self.load_offer(id).await?;
        let target = Target::of(&before.record.agency, id).in_case(before.record.case.clone());
        let intent = self.allow::<OfferReport>(actor, target, None).await?;
        if before.record.opened.is_none() {
            return Err(CoreError::state("the offer is not opened", "open it first, with a purpose"));
        }
        check_report(report, &self.policy().give)?;
        let now = self.now();
        let differs = difference(&before.record, report);
        let mut change = Change::of(before);
        let detail = json!({
            "clips": report.clips.len(), "envelope_sha256": report.envelope_sha256,
            "defects": report.defects, "differs": differs,
        });
        if differs.is_none() && change.now.clips.is_empty() {
            change.now.clips = clips_of(report);
            change.now.mailbox.clone_from(&report.mailbox);
        }
        let manifest = Digest::of(&canvass_types::canonical(report).unwrap_or_default());
        let name = if differs.is_some() { "differs" } else { "reported" };
        let particulars = json!({
            "report_sha256": manifest, "clips": report.clips.len(), "defects": report.defects.len(),
            "differs": differs, "envelope_sha256": report.envelope_sha256,
        });
        change.event(name, Some(&actor.member), now, particulars);
        let (_, view) = self.commit_offer(intent, &change, detail).await?;
        match differs {
            None => Ok(view),
            Some(field) => Err(CoreError::field(
                field,
                "differs",
                "it is not what is known of this offer; the difference is on record",
                "fetch the envelope anew and open it again; tell an administrator if it differs again",
            )),
        }
    }

    /// Takes a clip into a case as an item. The item's chain of custody begins with the head of the offer's.
    ///
    /// # Errors
    /// When there is none for the actor, it is decided already, digests differ, the case is closed or full, or the
    /// resident's wish to withdraw waits for an answer.
    pub async fn accept_clip(
        &self,
        actor: &Actor,
        id: &OfferId,
        number: u32,
        wish: &AcceptClip,
    ) -> Result<ItemView, CoreError> {
        let before = self.load_offer(id).await?;
        let target = Target::of(&before.record.agency, id).in_case(Some(wish.case.clone()));
        let intent = self.allow::<OfferTriage>(actor, target, None).await?;
        self.still_there(&before.record).await?;
        before.record.not_wanted_back()?;
        matches(pending(&before.record, number)?, wish, &before.record.envelope)?;
        let case = self.open_case_of(&before.record.agency, &wish.case).await?;
        self.room_for(&case, &wish.sealed).await?;
        let (change, item, first) = self.accepted(before, number, wish, actor)?;
        let joined = if change.now.case.as_ref() == Some(&wish.case) {
            join(&case.record, &change.now.destination)
        } else {
            None
        };
        let detail = json!({
            "clip": number, "item": item.id, "case": wish.case, "sha256": item.sha256,
            "others": anchors([(item.id.to_string(), &item.custody)]),
        });
        let intent = intent.with(|changes| {
            let changes = changes.insert(&item).insert(&first);
            match &joined {
                Some(joined) => changes.update(&case, joined),
                None => changes.depends_on(&case),
            }
        });
        self.commit_offer(intent, &change, detail).await?;
        Ok(ItemView::from(&item))
    }

    /// Whether one more item fits into the case, and these sealed bytes are nobody else's.
    pub(crate) async fn room_for(
        &self,
        case: &Versioned<Case>,
        sealed: &SealedBlob,
    ) -> Result<(), CoreError> {
        if self.items_of_case(&case.record.id).await?.len() >= MOST_ITEMS {
            return Err(CoreError::state(
                format!("the case has {MOST_ITEMS} items, and no more fit"),
                "open another case for the rest",
            ));
        }
        if self.records().first(Query::<Item>::new().with("blob", &sealed.blob)).await?.is_some() {
            return Err(CoreError::field(
                "sealed",
                "used",
                "these sealed bytes are an item already",
                "seal the clip by itself and upload it",
            ));
        }
        Ok(())
    }

    fn accepted(
        &self,
        before: Versioned<Offer>,
        number: u32,
        wish: &AcceptClip,
        actor: &Actor,
    ) -> Result<(Change<Offer>, Item, crate::records::CustodyEvent), CoreError> {
        let now = self.now();
        let clip = pending(&before.record, number)?.clone();
        let item = ItemId::random(self.entropy());
        let mut change = Change::of(before);
        decide(&mut change.now, number, ClipState::Accepted { item: item.clone() }, now, self.policy())?;
        change.now.case = change.now.case.take().or_else(|| Some(wish.case.clone()));
        let particulars = json!({ "clip": number, "item": item, "case": wish.case, "sha256": clip.sha256 });
        change.event("accepted", Some(&actor.member), now, particulars);
        let offer = &change.now;
        let particulars = json!({
            "offer": offer.id, "clip": number, "case": wish.case, "sha256": clip.sha256, "bytes": clip.bytes,
            "sealed_sha256": wish.sealed.sha256, "sealed_bytes": wish.sealed.bytes,
            "offer_custody": anchor(&offer.custody),
        });
        let (first, custody) =
            custody::next(None, item.as_str(), "accepted", Some(&actor.member), now, particulars);
        let item = Item {
            id: item,
            agency: offer.agency.clone(),
            case: wish.case.clone(),
            offer: offer.id.clone(),
            clip: number,
            name: clip.name,
            bytes: clip.bytes,
            sha256: clip.sha256,
            sealed: wish.sealed.clone(),
            destination: offer.destination.clone(),
            added: now,
            due: None,
            destroyed: None,
            annotations: Annotations::default(),
            custody,
            copy_of: None,
            alteration: None,
        };
        Ok((change, item, first))
    }

    /// Declines a clip; it goes with the envelope, and can be reconsidered until then.
    ///
    /// # Errors
    /// When there is none for the actor, it is decided already, or the reason is too long.
    pub async fn decline_clip(
        &self,
        actor: &Actor,
        id: &OfferId,
        number: u32,
        reason: &str,
    ) -> Result<OfferView, CoreError> {
        let mut problems = Vec::new();
        check_text(&mut problems, "reason", reason, REASON);
        let reason = reason.trim();
        self.redecide(
            actor,
            id,
            number,
            ("declined", json!({ "clip": number, "reason": reason })),
            |offer, now| {
                accept(problems)?;
                pending(offer, number)?;
                Ok(ClipState::Declined { at: now })
            },
        )
        .await
    }

    /// Takes back that a clip was declined, while the envelope still exists.
    ///
    /// # Errors
    /// When there is none for the actor, it is not declined, or the envelope is gone.
    pub async fn reconsider_clip(
        &self,
        actor: &Actor,
        id: &OfferId,
        number: u32,
    ) -> Result<OfferView, CoreError> {
        self.redecide(actor, id, number, ("reconsidered", json!({ "clip": number })), |offer, _| {
            let clip =
                offer.clips.iter().find(|clip| clip.number == number).ok_or(CoreError::Hidden("clip"))?;
            match clip.state {
                ClipState::Declined { .. } => Ok(ClipState::Pending),
                _ => Err(CoreError::state(
                    format!("clip {number} is not declined"),
                    "reconsider only declined clips; an accepted one stays in its case",
                )),
            }
        })
        .await
    }

    async fn redecide(
        &self,
        actor: &Actor,
        id: &OfferId,
        number: u32,
        (event, particulars): (&str, Value),
        state: impl FnOnce(&Offer, Time) -> Result<ClipState, CoreError> + Send,
    ) -> Result<OfferView, CoreError> {
        let before = self.load_offer(id).await?;
        let target = Target::of(&before.record.agency, id).in_case(before.record.case.clone());
        let intent = self.allow::<OfferTriage>(actor, target, None).await?;
        self.still_there(&before.record).await?;
        let now = self.now();
        let state = state(&before.record, now)?;
        let mut change = Change::of(before);
        decide(&mut change.now, number, state, now, self.policy())?;
        let by: Option<&MemberId> = Some(&actor.member);
        change.event(event, by, now, particulars.clone());
        Ok(self.commit_offer(intent, &change, particulars).await?.1)
    }
}

//! The chain of custody: one list of events for each offer and item, where every event holds the hash of the one before.
//!
//! The head of a chain goes into the record that the oversight ledger commits to, so that a chain can't be written anew
//! in secret: whoever changes an event must also change a ledger that witnesses have signed.

use canvass_types::{Digest, ItemId, MemberId, OfferId, Time, canonical};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{
    App, CoreError,
    access::{Actor, ItemList, OfferList, Target},
    cases::load::every,
    ports::{Changeset, Query, Record, Records, Versioned},
    records::{CustodyEvent, CustodyHead, Item, KeptReads, Offer},
};

/// First bytes of what an event's hash is taken of.
pub const CONTEXT: &str = "canvass/custody/v1\n";

/// Most events of one chain that are read.
pub(crate) const MOST_EVENTS: usize = 100_000;

/// Previous hash of a chain's first event.
const NOTHING: Digest = Digest([0; 32]);

/// All fields of an event but its hash.
#[derive(Serialize)]
struct Hashed<'a> {
    subject: &'a str,
    number: u64,
    previous: Digest,
    event: &'a str,
    by: Option<&'a MemberId>,
    at: Time,
    detail: &'a Value,
}

impl<'a> From<&'a CustodyEvent> for Hashed<'a> {
    fn from(event: &'a CustodyEvent) -> Self {
        Self {
            subject: &event.subject,
            number: event.number,
            previous: event.previous,
            event: &event.event,
            by: event.by.as_ref(),
            at: event.at,
            detail: &event.detail,
        }
    }
}

/// The hash that an event must have: SHA-256 of [`CONTEXT`] and the canonical JSON (RFC 8785) of all its other fields.
pub fn hash_of(event: &CustodyEvent) -> Digest {
    let mut bytes = CONTEXT.as_bytes().to_vec();
    // Texts, numbers and JSON values: their canonical form can always be written.
    bytes.extend(canonical(&Hashed::from(event)).unwrap_or_default());
    Digest::of(&bytes)
}

/// The event that follows a head (none for the first), and the head after it.
pub fn next(
    head: Option<CustodyHead>,
    subject: &str,
    event: &str,
    by: Option<&MemberId>,
    at: Time,
    detail: Value,
) -> (CustodyEvent, CustodyHead) {
    let mut event = CustodyEvent {
        subject: subject.to_owned(),
        number: head.map_or(0, |head| head.length),
        previous: head.map_or(NOTHING, |head| head.hash),
        event: event.to_owned(),
        by: by.cloned(),
        at,
        detail,
        hash: NOTHING,
    };
    event.hash = hash_of(&event);
    let head = CustodyHead { length: event.number.saturating_add(1), hash: event.hash };
    (event, head)
}

/// Where a chain does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "custody event {number}: {reason}; the chain was altered, compare it with a bundle or backup made earlier"
)]
pub struct ChainDefect {
    /// Which event, from 0, by its place in the list.
    pub number: u64,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// Checks a whole chain and gives its head. A chain that lost its last events is whole by itself: see
/// [`verify_chain_to`].
///
/// # Errors
/// The first event that does not hold.
pub fn verify_chain(events: &[CustodyEvent]) -> Result<CustodyHead, ChainDefect> {
    let Some(first) = events.first() else {
        return Err(ChainDefect { number: 0, reason: "the chain has no event" });
    };
    let mut head = CustodyHead { length: 0, hash: NOTHING };
    for event in events {
        let defect = |reason| Err(ChainDefect { number: head.length, reason });
        if event.subject != first.subject {
            return defect("it is of another offer or item");
        }
        if event.number != head.length {
            return defect("its number is not the next one");
        }
        if event.previous != head.hash {
            return defect("it does not follow the event before");
        }
        if event.hash != hash_of(event) {
            return defect("its hash is not that of its content");
        }
        head = CustodyHead { length: head.length.saturating_add(1), hash: event.hash };
    }
    Ok(head)
}

/// Checks a whole chain against the head that a record or the ledger gives.
///
/// # Errors
/// The first event that does not hold, or the end where events are missing or too many.
pub fn verify_chain_to(events: &[CustodyEvent], expected: &CustodyHead) -> Result<(), ChainDefect> {
    let head = verify_chain(events)?;
    if head.length != expected.length {
        return Err(ChainDefect {
            number: head.length.min(expected.length),
            reason: "the chain ends elsewhere than its head says",
        });
    }
    if head.hash != expected.hash {
        return Err(ChainDefect {
            number: head.length.saturating_sub(1),
            reason: "the last event is not the one that the head names",
        });
    }
    Ok(())
}

/// A chain with its head, as members see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CustodyView {
    /// Id of the offer or item.
    pub subject: String,
    /// Its head, as the offer or item has it.
    pub head: CustodyHead,
    /// Its events, oldest first.
    pub events: Vec<CustodyEvent>,
}

/// What has a chain of custody.
pub(crate) trait Kept: Record {
    fn head(&mut self) -> &mut CustodyHead;
    /// Marks what depends on the record as behind.
    fn touch(&mut self) {}
}

impl Kept for Offer {
    fn head(&mut self) -> &mut CustodyHead {
        &mut self.custody
    }
    fn touch(&mut self) {
        self.unpublished = true;
    }
}

impl Kept for KeptReads {
    fn head(&mut self) -> &mut CustodyHead {
        &mut self.custody
    }
}

impl Kept for Item {
    fn head(&mut self) -> &mut CustodyHead {
        &mut self.custody
    }
}

/// A change of an offer or item with the events that it leaves; the only way in which this crate changes one.
pub(crate) struct Change<T> {
    before: Versioned<T>,
    /// As it will be.
    pub now: T,
    events: Vec<CustodyEvent>,
}

impl<T: Kept> Change<T> {
    pub fn of(before: Versioned<T>) -> Self {
        let now = before.record.clone();
        Self { before, now, events: Vec::new() }
    }

    pub fn event(&mut self, event: &str, by: Option<&MemberId>, at: Time, detail: Value) {
        let subject = self.now.key();
        let (event, head) = next(Some(*self.now.head()), &subject, event, by, at, detail);
        *self.now.head() = head;
        self.events.push(event);
        self.now.touch();
    }

    /// When its newest event happened; none while it has none.
    pub fn moment(&self) -> Option<Time> {
        self.events.last().map(|event| event.at)
    }

    /// Only [`Intent::keep`](crate::access::Intent::keep) calls this.
    pub fn write(&self, changes: Changeset) -> Changeset {
        self.events.iter().fold(changes.update(&self.before, &self.now), Changeset::insert)
    }
}

/// A head as it stands in the particulars of an action.
pub(crate) fn anchor(head: &CustodyHead) -> Value {
    json!({ "length": head.length, "hash": head.hash })
}

/// Heads of other chains that the same action grew.
pub(crate) fn anchors<'a>(heads: impl IntoIterator<Item = (String, &'a CustodyHead)>) -> Value {
    let one = |(subject, head): (String, &CustodyHead)| json!({ "subject": subject, "length": head.length, "hash": head.hash });
    heads.into_iter().map(one).collect()
}

impl<R: Records> App<R> {
    /// The chain of custody of an offer or item.
    ///
    /// # Errors
    /// When there is none under this id for the actor.
    pub async fn custody(&self, actor: &Actor, subject: &str) -> Result<CustodyView, CoreError> {
        let head = if let Ok(id) = subject.parse::<OfferId>() {
            let offer = self.load_offer(&id).await?.record;
            self.gate().check::<OfferList>(actor, &Target::of(&offer.agency, &id))?;
            offer.custody
        } else {
            let id: ItemId = subject.parse().map_err(|_| CoreError::Hidden("offer or item"))?;
            let item = self.load_item(&id).await?.record;
            self.gate().check::<ItemList>(actor, &Target::of(&item.agency, &id))?;
            item.custody
        };
        Ok(CustodyView { subject: subject.to_owned(), head, events: self.chain(subject).await? })
    }

    pub(crate) async fn chain(&self, subject: &str) -> Result<Vec<CustodyEvent>, CoreError> {
        let query = Query::<CustodyEvent>::new().with("subject", subject);
        let events = every(self.records(), query, MOST_EVENTS).await?;
        Ok(events.into_iter().map(|event| event.record).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chain(details: &[(u8, String)]) -> Vec<CustodyEvent> {
        let mut head = None;
        let mut events = Vec::new();
        for (at, (kind, text)) in (0_i64..).zip(details) {
            let by = (kind % 2 == 0).then(|| "mbr_aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap());
            let names = ["received", "opened", "read", "accepted", "declined"];
            let name = names[usize::from(*kind) % names.len()];
            let (event, after) =
                next(head, "off_a", name, by.as_ref(), Time::from_second(at), json!({ "text": text }));
            events.push(event);
            head = Some(after);
        }
        events
    }

    fn some_chain() -> impl Strategy<Value = Vec<CustodyEvent>> {
        proptest::collection::vec((any::<u8>(), ".{0,12}"), 1..12).prop_map(|details| chain(&details))
    }

    #[test]
    fn the_hash_is_the_documented_one() {
        let (event, head) =
            next(None, "off_a", "received", None, Time::from_second(0), json!({"b": 1, "a": "é"}));
        let text = format!(
            "canvass/custody/v1\n{{\"at\":\"1970-01-01T00:00:00Z\",\"by\":null,\"detail\":{{\"a\":\"é\",\"b\":1}},\
             \"event\":\"received\",\"number\":0,\"previous\":\"{}\",\"subject\":\"off_a\"}}",
            "0".repeat(64)
        );
        assert_eq!(event.hash, Digest::of(text.as_bytes()));
        assert_eq!(head, CustodyHead { length: 1, hash: event.hash });
    }

    #[test]
    fn an_empty_chain_is_none() {
        assert_eq!(verify_chain(&[]).unwrap_err().number, 0);
    }

    proptest! {
        #[test]
        fn a_chain_holds_and_survives_json(events in some_chain()) {
            let head = verify_chain(&events).unwrap();
            prop_assert_eq!(head.length, events.len() as u64);
            let again: Vec<CustodyEvent> = serde_json::from_str(&serde_json::to_string(&events).unwrap()).unwrap();
            verify_chain_to(&again, &head).unwrap();
        }

        #[test]
        fn any_edit_is_found_at_its_place(mut events in some_chain(), at in any::<prop::sample::Index>(), field in 0..8_u8) {
            let head = verify_chain(&events).unwrap();
            let place = at.index(events.len());
            let event = &mut events[place];
            match field {
                0 => event.subject.push('x'),
                1 => event.number += 1,
                2 => event.previous.0[3] ^= 1,
                3 => event.event.push('x'),
                4 => event.by = match event.by { None => Some("mbr_bbbbbbbbbbbbbbbbbbbbbbbbba".parse().unwrap()), Some(_) => None },
                5 => event.at = event.at.plus_seconds(1),
                6 => event.detail = json!({ "text": "another", "more": 1 }),
                _ => event.hash.0[31] ^= 128,
            }
            let defect = verify_chain_to(&events, &head).unwrap_err();
            // A changed first subject shows where the others differ from it; with one event alone, in its hash.
            prop_assert!(defect.number == place as u64 || field == 0);
        }

        #[test]
        fn an_edit_with_a_new_hash_is_found_by_the_head(mut events in some_chain(), at in any::<prop::sample::Index>()) {
            let head = verify_chain(&events).unwrap();
            let place = at.index(events.len());
            events[place].detail = json!("rewritten");
            let mut before = (place > 0).then(|| CustodyHead { length: place as u64, hash: events[place - 1].hash });
            for event in &mut events[place..] {
                let (new, after) = next(before, &event.subject, &event.event, event.by.as_ref(), event.at, event.detail.clone());
                *event = new;
                before = Some(after);
            }
            verify_chain(&events).unwrap();
            prop_assert!(verify_chain_to(&events, &head).is_err());
        }

        #[test]
        fn a_removed_event_is_found(mut events in some_chain(), at in any::<prop::sample::Index>()) {
            let head = verify_chain(&events).unwrap();
            events.remove(at.index(events.len()));
            prop_assert!(verify_chain_to(&events, &head).is_err());
        }

        #[test]
        fn a_repeated_or_swapped_event_is_found(events in some_chain(), one in any::<prop::sample::Index>(), two in any::<prop::sample::Index>()) {
            let head = verify_chain(&events).unwrap();
            let (one, two) = (one.index(events.len()), two.index(events.len()));
            let mut repeated = events.clone();
            repeated.insert(one, events[two].clone());
            prop_assert!(verify_chain_to(&repeated, &head).is_err());
            if one != two {
                let mut swapped = events;
                swapped.swap(one, two);
                prop_assert!(verify_chain_to(&swapped, &head).is_err());
            }
        }
    }
}

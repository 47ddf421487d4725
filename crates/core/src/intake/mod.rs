//! Taking in what residents send: finished uploads become offers. No member acts here, and nothing here can open one.

mod messages;

use canvass_types::{
    AgencyId, AgencyState, Digest, InvitationId, OfferId, PortalId, PublicKey, RequestId, RequestState, Time,
    canonical, leaf::RequestsLeaf,
};
use serde_json::json;

pub use messages::Withdrawn;

use crate::{
    App, CoreError,
    access::{Job, Target},
    custody::{self, anchor},
    error::{accept, problem},
    ports::{Query, Records, RecordsExt, StoreError, Versioned},
    records::{Annotations, Case, Invitation, Offer, OfferState, Portal, Request, SealedBlob, Setting},
};

/// A finished upload, as the spool gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedUpload {
    /// Id of the upload.
    pub upload: String,
    /// Id of the request or portal that it answers.
    pub destination: String,
    /// The resident's key for messages about it.
    pub offer_key: PublicKey,
    /// Name of its public status file, derived from the offer key.
    pub lookup: String,
    /// Secret of a private invitation, when it came by one.
    pub invitation: Option<String>,
    /// When the upload began.
    pub begun: Time,
    /// The envelope, already in the store of blobs.
    pub sealed: SealedBlob,
}

/// Whom an offer goes to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Destination {
    pub agency: AgencyId,
    /// When it began to take no more; none while it takes offers.
    pub closed: Option<Time>,
}

/// Whether what began at `begun` is still taken by what closed at `closed`.
fn takes(closed: Option<Time>, begun: Time, now: Time, upload_hours: u32) -> bool {
    closed.is_none_or(|closed| {
        begun < closed && now <= closed.plus_seconds(i64::from(upload_hours).saturating_mul(3_600))
    })
}

/// When a request began to take no more offers: the outer none when it never took any.
fn request_closed(request: &Request, now: Time) -> Option<Option<Time>> {
    let ended = [request.closes, request.ended].into_iter().flatten().min();
    match request.state {
        RequestState::Published => Some(ended.filter(|ended| *ended <= now)),
        RequestState::Resolved | RequestState::Expired | RequestState::Withheld => Some(Some(ended?)),
        RequestState::Draft | RequestState::InModeration | RequestState::Refused => None,
    }
}

/// When a portal closed; the moment stands in its last ledger entry.
fn portal_closed(portal: &Portal, now: Time) -> Option<Time> {
    if portal.open {
        return None;
    }
    let leaf = portal.leaves.last().and_then(|leaf| serde_json::from_str(leaf).ok());
    match leaf {
        Some(RequestsLeaf::PortalState { at, .. }) => Some(at.min(now)),
        _ => Some(Time::from_second(0)),
    }
}

fn is_name(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

impl<R: Records> App<R> {
    /// Makes an offer of a finished upload, with the record that its receipt opens. The same upload gives the same offer
    /// however often it is handed in. A suspended agency gets none, also of uploads that began before.
    ///
    /// # Errors
    /// [`CoreError::Store`] when it is worth trying again; any other means that the upload can never be taken.
    pub async fn receive(&self, upload: ReceivedUpload) -> Result<OfferId, CoreError> {
        if let Some(known) = self.received(&upload).await? {
            return Ok(known);
        }
        let now = self.now();
        self.check_upload(&upload, now)?;
        let destination = self.destination(&upload.destination, now).await?;
        if !takes(destination.closed, upload.begun, now, self.policy().give.upload_hours) {
            return Err(CoreError::state(
                "destination: this request or portal takes no more offers",
                "look for an open request of the agency, or ask it for an invitation",
            ));
        }
        if self.agency(&destination.agency).await?.record.state == AgencyState::Suspended {
            return Err(CoreError::state(
                "destination: its agency is suspended and takes no offers",
                "keep your recording; look again when the agency may ask once more",
            ));
        }
        let invitation = match &upload.invitation {
            Some(secret) => Some(self.invitation(secret, &upload, now).await?),
            None => None,
        };
        match self.take_in(&upload, destination.agency, invitation, now).await {
            // Two workers had it in hand at the same time; one of them was first.
            Err(CoreError::Store(StoreError::Conflict { table, key })) => {
                let known = self.received(&upload).await?;
                known.ok_or(CoreError::Store(StoreError::Conflict { table, key }))
            }
            other => other,
        }
    }

    /// The offer that this upload became before.
    async fn received(&self, upload: &ReceivedUpload) -> Result<Option<OfferId>, CoreError> {
        let same = self.records().first(Query::<Offer>::new().with("upload", &upload.upload)).await?;
        if let Some(offer) = same {
            return Ok(Some(offer.record.id));
        }
        if self.records().get::<Setting>(&claim(&upload.lookup)).await?.is_some() {
            return Err(CoreError::field(
                "lookup",
                "used",
                "this offer key has already sent an offer",
                "make a new key for each offer",
            ));
        }
        Ok(None)
    }

    fn check_upload(&self, upload: &ReceivedUpload, now: Time) -> Result<(), CoreError> {
        let mut problems = Vec::new();
        for (field, text) in [("upload", &upload.upload), ("lookup", &upload.lookup)] {
            if !is_name(text) {
                problems.push(problem(
                    field,
                    "form",
                    "it has other characters than a-z, A-Z, 0-9, - and _, or not 1 to 128 of them",
                    "send it as the client made it",
                ));
            }
        }
        let most = self.policy().give.envelope_bytes();
        if upload.sealed.bytes == 0 || upload.sealed.bytes > most {
            let message = format!("an envelope of {} bytes is outside 1 to {most}", upload.sealed.bytes);
            problems.push(problem("sealed", "size", &message, "send fewer or shorter clips"));
        }
        if upload.begun > now {
            problems.push(problem(
                "begun",
                "future",
                "it begins in the future",
                "set the server's clock right",
            ));
        }
        accept(problems)
    }

    /// The request or portal under an id, when it takes offers or did so once.
    pub(crate) async fn destination(&self, id: &str, now: Time) -> Result<Destination, CoreError> {
        let hidden = || CoreError::Hidden("destination");
        if id.parse::<RequestId>().is_ok() {
            let request = self.records().get::<Request>(id).await?.ok_or_else(hidden)?.record;
            let closed = request_closed(&request, now).ok_or_else(hidden)?;
            return Ok(Destination { agency: request.agency, closed });
        }
        let id: PortalId = id.parse().map_err(|_| hidden())?;
        let portal = self.records().get::<Portal>(id.as_str()).await?.ok_or_else(hidden)?.record;
        let closed = portal_closed(&portal, now);
        Ok(Destination { agency: portal.agency, closed })
    }

    async fn invitation(
        &self,
        secret: &str,
        upload: &ReceivedUpload,
        now: Time,
    ) -> Result<Versioned<Invitation>, CoreError> {
        let hash = Digest::of(secret.as_bytes());
        let found = self.records().first(Query::<Invitation>::new().with("secret_hash", hash)).await?;
        let refuse = |rule: &str, message: &str| {
            CoreError::field("invitation", rule, message, "ask the agency for a new invitation")
        };
        let found = found.ok_or_else(|| refuse("unknown", "there is no such invitation"))?;
        let invitation = &found.record;
        if invitation.destination != upload.destination {
            return Err(refuse("destination", "it is for another request or portal"));
        }
        if invitation.revoked.is_some() {
            return Err(refuse("revoked", "it was taken back"));
        }
        if invitation.used.is_some() {
            return Err(refuse("used", "it was used already"));
        }
        if !takes(Some(invitation.expires), upload.begun, now, self.policy().give.upload_hours) {
            return Err(refuse("expired", "its time is over"));
        }
        Ok(found)
    }

    async fn take_in(
        &self,
        upload: &ReceivedUpload,
        agency: AgencyId,
        invitation: Option<Versioned<Invitation>>,
        now: Time,
    ) -> Result<OfferId, CoreError> {
        let id = OfferId::random(self.entropy());
        let case = match invitation.as_ref().and_then(|invitation| invitation.record.case.as_ref()) {
            // A case that is forgotten by now takes nothing.
            Some(case) => match self.case_of(&agency, case).await {
                Err(CoreError::Hidden(_)) => None,
                found => Some(found?),
            },
            None => None,
        };
        let (sealed, case_id) = (&upload.sealed, case.as_ref().map(|case| case.record.id.clone()));
        let particulars = json!({
            "destination": upload.destination, "ciphertext_sha256": sealed.sha256, "ciphertext_bytes": sealed.bytes,
        });
        let (event, head) = custody::next(None, id.as_str(), "received", None, now, particulars);
        let target = Target::of(&agency, &id).in_case(case_id.clone());
        let intent = self.system(Job::OfferReceived, target).at(now).detail(json!({
            "offer": id, "destination": upload.destination,
            "ciphertext_sha256": sealed.sha256, "ciphertext_bytes": sealed.bytes,
            "custody": anchor(&head),
        }));
        let offer = Offer {
            id: id.clone(),
            agency,
            destination: upload.destination.clone(),
            lookup: upload.lookup.clone(),
            offer_key: upload.offer_key,
            upload: upload.upload.clone(),
            invitation: invitation.as_ref().map(|each| -> InvitationId { each.record.id.clone() }),
            state: OfferState::Received,
            envelope: sealed.clone(),
            received: now,
            opened: None,
            clips: Vec::new(),
            mailbox: None,
            questions: Vec::new(),
            withdrawal: None,
            case: case_id,
            annotations: Annotations::default(),
            custody: head,
            due: Some(now.plus_days(self.policy().retention.untriaged_days)),
            destroyed: None,
            mailbox_due: None,
            receipt_salt: intent.salt(),
            // Plain structs: both texts can always be written.
            receipt_record: serde_json::to_value(intent.record()).unwrap_or_default(),
            receipt_leaf: canonical(&intent.leaf())
                .ok()
                .and_then(|it| String::from_utf8(it).ok())
                .unwrap_or_default(),
            unpublished: true,
        };
        let claimed = Setting { name: claim(&upload.lookup), value: json!(id) };
        let used = invitation.map(|before| {
            let mut after = before.record.clone();
            after.used = Some(id.clone());
            (before, after)
        });
        let joined =
            case.and_then(|before| join(&before.record, &upload.destination).map(|after| (before, after)));
        let intent = intent.with(|changes| {
            let changes = changes.insert(&offer).insert(&event).insert(&claimed);
            let changes = used.iter().fold(changes, |all, (before, after)| all.update(before, after));
            joined.iter().fold(changes, |all, (before, after)| all.update(before, after))
        });
        intent.commit(self.records()).await?;
        Ok(id)
    }
}

/// The case with one more destination; none when it has it.
pub(crate) fn join(case: &Case, destination: &str) -> Option<Case> {
    (!case.destinations.iter().any(|each| each == destination)).then(|| {
        let mut case = case.clone();
        case.destinations.push(destination.to_owned());
        case
    })
}

/// Name of the mark that an offer key was used; it goes with the offer's mailbox.
pub(crate) fn claim(lookup: &str) -> String {
    format!("lookup/{lookup}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_under_way_is_taken_after_the_end_for_the_hours_of_the_policy() {
        let at = Time::from_second;
        let closed = Some(at(10_000));
        assert!(takes(None, at(1), at(i64::MAX / 4), 48));
        assert!(takes(closed, at(9_999), at(10_000 + 48 * 3_600), 48));
        assert!(!takes(closed, at(9_999), at(10_001 + 48 * 3_600), 48));
        assert!(!takes(closed, at(10_000), at(10_000), 48));
        assert!(!takes(closed, at(9_999), at(10_001), 0));
    }

    #[test]
    fn names_of_files_hold_nothing_else() {
        for (text, good) in [("a-Z_9", true), ("", false), ("a/b", false), ("..", false), ("é", false)] {
            assert_eq!(is_name(text), good, "{text}");
        }
        assert!(!is_name(&"a".repeat(129)));
    }
}

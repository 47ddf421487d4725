//! Pictures of reads: which may come, and who may see one.
//!
//! ```text
//! an alert that one may see ───────────────┐
//! a search's results, for a quarter hour ──┴─► PictureLeave ──► Reads::picture
//! ```

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
};

use canvass_plates::{MOST_PICTURE, ReadId};
use canvass_types::{AlertId, AuditId, MemberId, Time};
use data_encoding::BASE64;

use crate::{
    App, CoreError,
    access::{Actor, Denied, PlateSearch, Target},
    ports::Records,
    sources::Fault,
};

/// Seconds during which a search's pictures can be seen.
pub const SHOWN_SECONDS: i64 = 900;
/// Searches whose pictures can be seen at a time; the oldest go first.
pub const MOST_SHOWN: usize = 2_000;

/// The form of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureKind {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    Webp,
}

impl PictureKind {
    /// What the first bytes say; none for anything else.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(b"\xff\xd8\xff") {
            Some(Self::Jpeg)
        } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
            Some(Self::Webp)
        } else {
            None
        }
    }

    /// Its media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }
}

/// Reads a picture as a row has it: Base64 (RFC 4648) of a JPEG, PNG or WebP.
pub(super) fn read(text: &str) -> Result<Vec<u8>, Fault> {
    let fault = |rule: &'static str, what: String, remedy: &'static str| ("picture", rule, what, remedy);
    // Said before it is decoded: what is too long is not looked at.
    if text.len() > MOST_PICTURE.div_ceil(3) * 4 {
        let what = format!("the picture has more than {} KiB", MOST_PICTURE / 1_024);
        return Err(fault("length", what, "send a cut of the vehicle, smaller or as a JPEG of less quality"));
    }
    let bytes = BASE64.decode(text.as_bytes()).map_err(|_| {
        fault(
            "form",
            "the picture is no Base64".to_owned(),
            "encode it by RFC 4648, with padding and without line ends",
        )
    })?;
    if PictureKind::of(&bytes).is_none() || bytes.len() > MOST_PICTURE {
        let what = "the picture is no JPEG, PNG or WebP".to_owned();
        return Err(fault("kind", what, "send one of these, or leave the picture out"));
    }
    Ok(bytes)
}

/// Whether a row may have this text as its picture.
#[must_use]
pub fn is_picture(text: &str) -> bool {
    read(text).is_ok()
}

/// A picture of a read.
pub struct Picture {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its form.
    pub kind: PictureKind,
}

/// It shows where somebody was.
impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({:?}, {} bytes)", self.kind, self.bytes.len())
    }
}

/// Leave to see the picture of one read: of an alert or of a search's result that was entered before.
#[derive(Debug)]
pub struct PictureLeave(ReadId);

impl PictureLeave {
    pub(super) fn read(&self) -> &ReadId {
        &self.0
    }
}

/// What searches found that has a picture or more to fetch, and who may see it until when.
#[derive(Debug)]
pub(crate) struct Shown<I = ReadId>(Mutex<HashMap<AuditId, ShownOf<I>>>);

#[derive(Debug)]
struct ShownOf<I> {
    member: MemberId,
    until: Time,
    found: HashSet<I>,
}

impl<I> Default for Shown<I> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<I: Eq + Hash> Shown<I> {
    fn all(&self) -> MutexGuard<'_, HashMap<AuditId, ShownOf<I>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what a search found, by the entry that it left.
    pub(crate) fn note(&self, entry: &AuditId, member: &MemberId, found: HashSet<I>, now: Time) {
        if found.is_empty() {
            return;
        }
        let mut all = self.all();
        all.retain(|_, shown| shown.until > now);
        if all.len() >= MOST_SHOWN
            && let Some(oldest) = all.iter().min_by_key(|(_, shown)| shown.until).map(|(id, _)| id.clone())
        {
            all.remove(&oldest);
        }
        let until = now.plus_seconds(SHOWN_SECONDS);
        all.insert(entry.clone(), ShownOf { member: member.clone(), until, found });
    }

    pub(crate) fn may(&self, entry: &AuditId, member: &MemberId, one: &I, now: Time) -> bool {
        self.all()
            .get(entry)
            .is_some_and(|shown| shown.member == *member && shown.until > now && shown.found.contains(one))
    }
}

impl<R: Records> App<R> {
    /// Leave to see the picture of a read that a search of the actor's found within the last quarter of an hour; `entry` is the
    /// first that the search left.
    ///
    /// # Errors
    /// When the actor may not search, no such search found that read, it is over, or the server was started anew since: search again.
    pub fn picture_of_search(
        &self,
        actor: &Actor,
        entry: &AuditId,
        read: &ReadId,
    ) -> Result<PictureLeave, CoreError> {
        let own = actor.agency.clone().ok_or(CoreError::Hidden("agency"))?;
        // Who lost the role meanwhile sees no more; the purpose was looked at when the search was made.
        let asked = self.gate().check_at::<PlateSearch>(actor, &Target::of(&own, "plates"), self.now());
        if let Err(denied @ (Denied::Role { .. } | Denied::Hidden)) = asked {
            return Err(denied.into());
        }
        let may = self.shown().may(entry, &actor.member, read, self.now());
        if may { Ok(PictureLeave(*read)) } else { Err(CoreError::Hidden("picture")) }
    }

    /// Leave to see the picture of a read of an alert.
    ///
    /// # Errors
    /// When there is no such alert for the actor, or the read is none of its.
    pub async fn picture_of_alert(
        &self,
        actor: &Actor,
        alert: &AlertId,
        read: &ReadId,
    ) -> Result<PictureLeave, CoreError> {
        let alert = self.alert(actor, alert).await?;
        let one = alert.reads.iter().find(|known| known.id == *read && known.picture);
        one.map(|read| PictureLeave(read.id)).ok_or(CoreError::Hidden("picture"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_told_by_its_first_bytes() {
        for (bytes, kind) in [
            (&b"\xff\xd8\xff\xe0rest"[..], Some(PictureKind::Jpeg)),
            (b"\x89PNG\r\n\x1a\nrest", Some(PictureKind::Png)),
            (b"RIFF\0\0\0\0WEBPrest", Some(PictureKind::Webp)),
            (b"RIFF\0\0\0\0WAVE", None),
            (b"<svg/>", None),
            (b"GIF89a", None),
            (b"", None),
        ] {
            assert_eq!(PictureKind::of(bytes), kind);
            let sent = read(&BASE64.encode(bytes));
            assert_eq!(sent.is_ok(), kind.is_some());
            assert!(sent.is_err() || sent.unwrap() == bytes);
        }
        assert_eq!(read("no base64!").unwrap_err().1, "form");
        assert_eq!(read(&"A".repeat(MOST_PICTURE * 2)).unwrap_err().1, "length");
        let most = [&b"\xff\xd8\xff"[..], &vec![0; MOST_PICTURE - 3]].concat();
        assert_eq!(read(&BASE64.encode(&most)).unwrap().len(), MOST_PICTURE);
        assert!(read(&BASE64.encode(&[&most[..], &[0]].concat())).is_err());
    }

    #[test]
    fn a_search_shows_its_own_pictures_to_who_made_it_for_a_while() {
        let shown = Shown::<ReadId>::default();
        let id = |letter: &str| letter.repeat(26);
        let entry: AuditId = format!("{}_{}", AuditId::PREFIX, id("a")).parse().unwrap();
        let [one, other]: [MemberId; 2] =
            ["a", "b"].map(|letter| format!("{}_{}a", MemberId::PREFIX, letter.repeat(25)).parse().unwrap());
        let read = |byte| ReadId::from_bytes([byte; 12]);
        let now = Time::from_second(1_000);
        shown.note(&entry, &one, [read(1), read(2)].into(), now);
        assert!(shown.may(&entry, &one, &read(1), now));
        assert!(!shown.may(&entry, &other, &read(1), now), "another's search");
        assert!(!shown.may(&entry, &one, &read(3), now), "a read that it did not find");
        assert!(shown.may(&entry, &one, &read(2), now.plus_seconds(SHOWN_SECONDS - 1)));
        assert!(!shown.may(&entry, &one, &read(2), now.plus_seconds(SHOWN_SECONDS)));
    }
}

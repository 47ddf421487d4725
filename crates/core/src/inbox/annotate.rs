//! Notes, tags, assignment and reminders: what members attach to offers, cases and items.

use canvass_types::{AgencyId, FieldProblem, MemberId, NoteId, OfferId, Time};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::OfferView;
use crate::{
    App, CoreError,
    access::{Actor, OfferAnnotate, Target},
    custody::Change,
    error::{accept, check_text, problem},
    ports::Records,
    records::{Annotations, Note},
};

/// Most notes on one thing.
pub const MOST_NOTES: usize = 1_000;
/// Most tags on one thing.
pub const MOST_TAGS: usize = 32;
const NOTE: std::ops::RangeInclusive<usize> = 1..=4_000;
const TAG: std::ops::RangeInclusive<usize> = 1..=40;

/// A change of what is attached; what is not given stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Annotate {
    /// A new note, 1 to 4,000 characters.
    pub note: Option<String>,
    /// Tags to add, 1 to 40 characters each.
    pub add_tags: Vec<String>,
    /// Tags to remove.
    pub remove_tags: Vec<String>,
    /// Who works on it from now on.
    pub assignee: Option<MemberId>,
    /// Nobody works on it from now on.
    pub unassign: bool,
    /// When to look at it again.
    pub remind: Option<Time>,
    /// No reminder from now on.
    pub no_reminder: bool,
}

fn contradictions(change: &Annotate, problems: &mut Vec<FieldProblem>) {
    for (field, both) in [
        ("assignee", change.assignee.is_some() && change.unassign),
        ("remind", change.remind.is_some() && change.no_reminder),
        ("add_tags", change.add_tags.iter().any(|tag| change.remove_tags.contains(tag))),
    ] {
        if both {
            problems.push(problem(
                field,
                "contradiction",
                "it is set and cleared at once",
                "send one of the two",
            ));
        }
    }
    if *change == Annotate::default() {
        problems.push(problem(
            "note",
            "nothing",
            "nothing is to be changed",
            "give a note, tags, an assignee or a reminder",
        ));
    }
}

impl Annotations {
    /// The annotations after a change. Tags are sorted and unique.
    ///
    /// # Errors
    /// All fields that are out of limits or contradict each other.
    pub fn apply(&self, change: &Annotate, id: NoteId, by: &MemberId, at: Time) -> Result<Self, CoreError> {
        let mut problems = Vec::new();
        contradictions(change, &mut problems);
        let mut after = self.clone();
        if let Some(text) = &change.note {
            check_text(&mut problems, "note", text, NOTE);
            after.notes.push(Note { id, by: by.clone(), at, text: text.trim().to_owned() });
        }
        for tag in &change.add_tags {
            check_text(&mut problems, "add_tags", tag, TAG);
            after.tags.push(tag.trim().to_owned());
        }
        after.tags.retain(|tag| !change.remove_tags.iter().any(|gone| gone.trim() == tag));
        after.tags.sort();
        after.tags.dedup();
        if after.tags.len() > MOST_TAGS {
            problems.push(problem(
                "add_tags",
                "count",
                "there would be more than 32 tags",
                "remove some first",
            ));
        }
        if after.notes.len() > MOST_NOTES {
            problems.push(problem(
                "note",
                "count",
                "there are 1,000 notes",
                "keep longer texts as a document of the case",
            ));
        }
        accept(problems)?;
        if change.assignee.is_some() || change.unassign {
            after.assignee.clone_from(&change.assignee);
        }
        if change.remind.is_some() || change.no_reminder {
            after.remind = change.remind;
        }
        Ok(after)
    }
}

/// Who works on something, as a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Assignee {
    /// Whoever asks.
    Me,
    /// Nobody.
    Nobody,
    /// This member.
    Member(MemberId),
}

impl TryFrom<String> for Assignee {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "me" => Ok(Self::Me),
            "none" => Ok(Self::Nobody),
            id => id.parse().map(Self::Member).map_err(|_| "assignee: give the id of a member, me or none"),
        }
    }
}

impl From<Assignee> for String {
    fn from(assignee: Assignee) -> Self {
        match assignee {
            Assignee::Me => "me".into(),
            Assignee::Nobody => "none".into(),
            Assignee::Member(id) => id.to_string(),
        }
    }
}

/// Which of the things that members work on; what is not given does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WorkFilter {
    /// Who works on it: a member's id, `me`, or `none`.
    #[schema(value_type = Option<String>)]
    pub assignee: Option<Assignee>,
    /// With this tag.
    pub tag: Option<String>,
    /// With notes, or without.
    pub noted: Option<bool>,
    /// Whose reminder has come, or all others.
    pub reminder_due: Option<bool>,
}

impl WorkFilter {
    /// Whether annotations meet it, for this member at this moment.
    pub(crate) fn meets(&self, annotations: &Annotations, me: &MemberId, now: Time) -> bool {
        let works = |wanted: &Assignee| match wanted {
            Assignee::Me => annotations.assignee.as_ref() == Some(me),
            Assignee::Nobody => annotations.assignee.is_none(),
            Assignee::Member(id) => annotations.assignee.as_ref() == Some(id),
        };
        self.assignee.as_ref().is_none_or(works)
            && self.tag.as_ref().is_none_or(|wanted| annotations.tags.contains(wanted))
            && self.noted.is_none_or(|wanted| annotations.notes.is_empty() != wanted)
            && self.reminder_due.is_none_or(|wanted| annotations.remind.is_some_and(|at| at <= now) == wanted)
    }
}

impl<R: Records> App<R> {
    /// Annotations after a change by a member, with particulars that hold nobody's words.
    pub(crate) async fn annotated(
        &self,
        actor: &Actor,
        agency: &AgencyId,
        annotations: &Annotations,
        change: &Annotate,
    ) -> Result<(Annotations, Value), CoreError> {
        let id = NoteId::random(self.entropy());
        let after = annotations.apply(change, id.clone(), &actor.member, self.now())?;
        if let Some(assignee) = &change.assignee {
            let known = match self.member(assignee).await {
                Ok(member) => member.record.active && member.record.agency.as_ref() == Some(agency),
                Err(CoreError::Hidden(_)) => false,
                Err(error) => return Err(error),
            };
            if !known {
                return Err(CoreError::field(
                    "assignee",
                    "unknown",
                    "there is no such active member of the agency",
                    "choose one of the agency's members",
                ));
            }
        }
        let detail = json!({
            "note": change.note.is_some().then_some(id),
            "tags_added": change.add_tags.len(), "tags_removed": change.remove_tags.len(),
            "assignee": after.assignee, "remind": after.remind,
        });
        Ok((after, detail))
    }

    /// Changes notes, tags, assignment and reminder of an offer.
    ///
    /// # Errors
    /// When there is none for the actor, or the change is out of limits.
    pub async fn annotate_offer(
        &self,
        actor: &Actor,
        id: &OfferId,
        wish: &Annotate,
    ) -> Result<OfferView, CoreError> {
        let before = self.load_offer(id).await?;
        let target = Target::of(&before.record.agency, id).in_case(before.record.case.clone());
        let intent = self.allow::<OfferAnnotate>(actor, target, None).await?;
        let (after, detail) =
            self.annotated(actor, &before.record.agency, &before.record.annotations, wish).await?;
        let mut change = Change::of(before);
        change.now.annotations = after;
        change.event("annotated", Some(&actor.member), self.now(), json!({}));
        Ok(self.commit_offer(intent, &change, detail).await?.1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn note() -> NoteId {
        "nte_aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap()
    }

    fn member() -> MemberId {
        "mbr_aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap()
    }

    fn apply(to: &Annotations, change: &Annotate) -> Result<Annotations, CoreError> {
        to.apply(change, note(), &member(), Time::from_second(9))
    }

    #[test]
    fn what_is_not_given_stays() {
        let first = Annotate {
            note: Some(" seen ".into()),
            add_tags: vec!["b".into(), "a".into(), "b".into()],
            assignee: Some(member()),
            remind: Some(Time::from_second(99)),
            ..Annotate::default()
        };
        let one = apply(&Annotations::default(), &first).unwrap();
        assert_eq!((one.notes[0].text.as_str(), one.tags.join("")), ("seen", "ab".to_owned()));
        let second = Annotate { remove_tags: vec!["a".into()], unassign: true, ..Annotate::default() };
        let two = apply(&one, &second).unwrap();
        assert_eq!((two.tags.join(""), two.assignee.clone(), two.remind), ("b".into(), None, one.remind));
        assert_eq!(two.notes, one.notes);
        let (me, now) = (member(), Time::from_second(100));
        let with = |text: &str| -> WorkFilter { serde_json::from_str(text).unwrap() };
        for (filter, first, second) in [
            (with("{}"), true, true),
            (with(r#"{"tag":"b"}"#), true, true),
            (with(r#"{"tag":"a"}"#), true, false),
            (with(r#"{"assignee":"me"}"#), true, false),
            (with(r#"{"assignee":"none"}"#), false, true),
            (with(r#"{"assignee":"mbr_aaaaaaaaaaaaaaaaaaaaaaaaaa"}"#), true, false),
            (with(r#"{"noted":true}"#), true, true),
            (with(r#"{"noted":false}"#), false, false),
            (with(r#"{"reminder_due":true}"#), true, true),
            (with(r#"{"reminder_due":false}"#), false, false),
        ] {
            assert_eq!(
                (filter.meets(&one, &me, now), filter.meets(&two, &me, now)),
                (first, second),
                "{filter:?}"
            );
            assert_eq!(with(&serde_json::to_string(&filter).unwrap()), filter);
        }
        assert!(!with(r#"{"reminder_due":true}"#).meets(&one, &me, Time::from_second(98)));
        assert!(serde_json::from_str::<WorkFilter>(r#"{"assignee":"you"}"#).is_err());
    }

    #[test]
    fn limits_and_contradictions_are_named() {
        let none = Annotations::default();
        let long = Annotate { note: Some("x".repeat(4_001)), ..Annotate::default() };
        let both = Annotate { assignee: Some(member()), unassign: true, ..Annotate::default() };
        let tags = Annotate { add_tags: (0..33).map(|n| n.to_string()).collect(), ..Annotate::default() };
        let control = Annotate { add_tags: vec!["a\u{7}".into()], ..Annotate::default() };
        for (change, field) in [
            (long, "note"),
            (both, "assignee"),
            (tags, "add_tags"),
            (control, "add_tags"),
            (Annotate::default(), "note"),
        ] {
            let Err(CoreError::Invalid(problems)) = apply(&none, &change) else { panic!("{change:?}") };
            assert_eq!(problems[0].field, field);
        }
    }

    proptest! {
        #[test]
        fn tags_are_sorted_unique_and_within_limits(
            had in proptest::collection::vec("[a-d]{1,2}", 0..8),
            add in proptest::collection::vec("[a-d]{1,2}", 1..8),
            remove in proptest::collection::vec("[e-h]{1,2}", 0..8),
        ) {
            let start = apply(&Annotations::default(), &Annotate { add_tags: had, note: Some("n".into()), ..Annotate::default() }).unwrap();
            let after = apply(&start, &Annotate { add_tags: add.clone(), remove_tags: remove, ..Annotate::default() }).unwrap();
            prop_assert!(after.tags.is_sorted_by(|a, b| a < b));
            prop_assert!(add.iter().all(|tag| after.tags.contains(tag)));
            prop_assert!(after.tags.len() <= MOST_TAGS);
        }
    }
}

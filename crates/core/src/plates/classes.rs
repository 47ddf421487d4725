//! Retention classes of reads: what the law of an agency keeps equally long is sliced and forgotten together.

use canvass_plates::{ClassName, RetentionClass, SliceName, StoreError};
use canvass_policy::{DEFAULT, PolicySet, Profile};
use canvass_types::Time;

/// Suffix of the class of reads that met no hotlist.
pub const SEEN: &str = "seen";
/// Suffix of the class of reads that met one.
pub const HITS: &str = "hits";

/// Lengths of slices, seconds. One is chosen so that at least [`PARTS`] of them make up the retention: a slice goes as
/// soon as its oldest read is due, so its newest read is forgotten early by the length of one slice at most.
const SLICES: [u32; 10] = [86_400, 21_600, 3_600, 1_800, 900, 600, 300, 60, 30, 10];
/// Slices that one retention has at least.
const PARTS: u64 = 18;

/// A retention class and how long what is in it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptFor {
    class: RetentionClass,
    seconds: u64,
}

impl KeptFor {
    /// Where the law of a profile puts reads; none when it keeps them so shortly that nothing is stored at all.
    ///
    /// # Errors
    /// [`StoreError::Class`] when the profile's id is no name of a class.
    pub fn under(profile: &Profile, hit: bool) -> Result<Option<Self>, StoreError> {
        let seconds = kept_seconds(profile, hit);
        let Some(slice) = SLICES.into_iter().find(|slice| u64::from(*slice) * PARTS <= seconds) else {
            return Ok(None);
        };
        let suffix = if hit { HITS } else { SEEN };
        let class = RetentionClass::new(&format!("{}-{suffix}", profile.id), slice)?;
        Ok(Some(Self { class, seconds }))
    }

    /// The class.
    #[must_use]
    pub fn class(&self) -> &RetentionClass {
        &self.class
    }

    /// How long its reads are kept at most, seconds from when they were seen.
    #[must_use]
    pub fn seconds(&self) -> u64 {
        self.seconds
    }

    /// Whether a slice is due at a moment.
    pub(super) fn due(&self, slice: &SliceName, now: Time) -> bool {
        is_due(slice, self.seconds, now)
    }
}

/// How long reads are kept under a profile, seconds from when they were seen.
pub(crate) fn kept_seconds(profile: &Profile, hit: bool) -> u64 {
    if hit { u64::from(profile.retention.hit_days) * 86_400 } else { profile.retention.non_hit_seconds }
}

/// Whether the first read that a slice can hold is past its retention.
fn is_due(slice: &SliceName, seconds: u64, now: Time) -> bool {
    let kept = i64::try_from(seconds).unwrap_or(i64::MAX);
    slice.start.saturating_add(kept) <= now.as_second()
}

/// How long what is in a class is kept under the rules in force. A class whose profile is gone is kept as the default
/// profile keeps such reads, so that nothing stays for ever because nobody names it any more; one that is none of ours
/// is left alone.
pub(super) fn retention_of(policies: &PolicySet, class: &ClassName) -> Option<u64> {
    let (profile, suffix) = class.as_str().rsplit_once('-')?;
    let hit = match suffix {
        SEEN => false,
        HITS => true,
        _ => return None,
    };
    let profile = policies.profile(profile).or_else(|| policies.profile(DEFAULT))?;
    Some(kept_seconds(profile, hit))
}

/// Whether a slice of a class is due under the rules in force.
pub(super) fn due(policies: &PolicySet, slice: &SliceName, now: Time) -> bool {
    retention_of(policies, &slice.class).is_some_and(|seconds| is_due(slice, seconds, now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_law_keeps_reads_as_long_as_it_says_in_slices_that_are_short_beside_it() {
        let policies = PolicySet::shipped().unwrap();
        for profile in policies.profiles() {
            for hit in [false, true] {
                let kept = KeptFor::under(profile, hit).unwrap().unwrap();
                let slice = u64::from(kept.class().slice());
                assert!(slice * PARTS <= kept.seconds(), "{}", profile.id);
                assert_eq!(retention_of(&policies, kept.class().name()), Some(kept.seconds()));
            }
        }
        let strict = policies.profile("us-nh").unwrap();
        let kept = KeptFor::under(strict, false).unwrap().unwrap();
        assert_eq!((kept.seconds(), kept.class().slice()), (180, 10));
        assert_eq!(kept.class().name().as_str(), "us-nh-seen");
        let slice = SliceName { class: kept.class().name().clone(), start: 1_000, seconds: 10 };
        assert!(!kept.due(&slice, Time::from_second(1_179)) && kept.due(&slice, Time::from_second(1_180)));
        assert!(due(&policies, &slice, Time::from_second(1_180)));
    }

    #[test]
    fn a_class_of_a_profile_that_is_gone_is_still_forgotten_and_a_strange_one_left_alone() {
        let policies = PolicySet::shipped().unwrap();
        let of = |name: &str| retention_of(&policies, &name.parse().unwrap());
        assert_eq!(of("us-zz-seen"), of("default-seen"));
        assert_eq!((of("held"), of("us-nh-held")), (None, None));
    }

    #[test]
    fn a_law_that_keeps_nothing_stores_nothing() {
        let policies = PolicySet::shipped().unwrap();
        let mut strict = policies.profile("us-nh").unwrap().clone();
        strict.retention.non_hit_seconds = 0;
        assert_eq!(KeptFor::under(&strict, false).unwrap(), None);
    }
}

//! Reasons as sets of shingles, so that copies are known by what they say and not by their spaces, numbers and capitals.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use unicode_normalization::UnicodeNormalization;

/// Words of a reason: compatibility forms folded, lower case, every number the same word, no punctuation.
pub(crate) fn words(text: &str) -> Vec<String> {
    let folded: String = text.nfkc().flat_map(char::to_lowercase).collect();
    folded
        .split(|each: char| !each.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(
            |word| {
                if word.chars().any(|each| each.is_ascii_digit()) { "#".to_owned() } else { word.to_owned() }
            },
        )
        .collect()
}

/// Runs of `size` words; a shorter text is one shingle (Broder 1997, On the resemblance and containment of documents).
pub(crate) fn shingles(words: &[String], size: usize) -> BTreeSet<String> {
    if words.is_empty() {
        return BTreeSet::new();
    }
    if words.len() <= size {
        return BTreeSet::from([words.join(" ")]);
    }
    words.windows(size.max(1)).map(|run| run.join(" ")).collect()
}

/// Which shingles are a form of the agency: written by so many of its members.
pub(crate) fn forms<'a>(
    written: impl Iterator<Item = (&'a str, &'a BTreeSet<String>)>,
    share: u32,
) -> BTreeSet<String> {
    let mut by: HashMap<&str, BTreeSet<&str>> = HashMap::new();
    let mut members: BTreeSet<&str> = BTreeSet::new();
    for (member, shingles) in written {
        members.insert(member);
        for shingle in shingles {
            by.entry(shingle).or_default().insert(member);
        }
    }
    let limit = (members.len() * share as usize).div_ceil(100).max(3);
    by.into_iter().filter(|(_, who)| who.len() >= limit).map(|(shingle, _)| shingle.to_owned()).collect()
}

/// How alike two sets are, percent: the Jaccard index of all shingles or that of those which are no form of the agency,
/// whichever is less. So neither a shared form nor a shared remainder alone makes two reasons the same.
pub(crate) fn similarity(left: &BTreeSet<String>, right: &BTreeSet<String>, forms: &BTreeSet<String>) -> u32 {
    let own = |shingle: &&String| !forms.contains(*shingle);
    let remainder =
        percent(left.intersection(right).filter(own).count(), left.union(right).filter(own).count());
    remainder.min(percent(left.intersection(right).count(), left.union(right).count()))
}

/// Share of a reason that is no form of the agency, percent.
pub(crate) fn own_share(shingles: &BTreeSet<String>, forms: &BTreeSet<String>) -> u32 {
    percent(shingles.iter().filter(|shingle| !forms.contains(*shingle)).count(), shingles.len())
}

pub(crate) fn percent(part: usize, whole: usize) -> u32 {
    u32::try_from((part * 100).checked_div(whole).unwrap_or(0)).unwrap_or(100)
}

/// Groups reasons that are nearly the same: each joins the group whose first member it is like, or begins one.
/// Indexes of the given reasons, by group. At most [`MOST_GROUPS`] groups are begun.
pub(crate) fn groups(
    reasons: &[&BTreeSet<String>],
    forms: &BTreeSet<String>,
    similar: u32,
) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    // The same set again is the usual copy: no comparison needed.
    let mut known: BTreeMap<&BTreeSet<String>, usize> = BTreeMap::new();
    for (index, reason) in reasons.iter().enumerate() {
        let like = |group: &Vec<usize>| {
            group
                .first()
                .and_then(|first| reasons.get(*first))
                .is_some_and(|first| similarity(first, reason, forms) >= similar)
        };
        let place = known.get(*reason).copied().or_else(|| groups.iter().position(like));
        let place = match place {
            Some(place) => place,
            None if groups.len() < MOST_GROUPS => {
                groups.push(Vec::new());
                groups.len() - 1
            }
            None => continue,
        };
        known.insert(reason, place);
        if let Some(group) = groups.get_mut(place) {
            group.push(index);
        }
    }
    groups
}

/// Most different reasons of one member that are compared in one period.
pub(crate) const MOST_GROUPS: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> BTreeSet<String> {
        shingles(&words(text), 3)
    }

    #[test]
    fn numbers_spaces_and_capitals_hide_no_copy() {
        let left = set("Check  vehicle near Elm St, case 24-118");
        assert_eq!(left, set("check vehicle near ELM st. case 25–9"));
        assert_eq!(
            similarity(&left, &set("stolen bicycle of the school on Oak Avenue"), &BTreeSet::new()),
            0
        );
        assert_eq!(set("suspicious"), BTreeSet::from(["suspicious".to_owned()]));
        assert!(set(" … ").is_empty());
        assert_eq!(similarity(&set(""), &set(""), &BTreeSet::new()), 0);
    }

    #[test]
    fn what_everybody_writes_weighs_nothing() {
        let texts: Vec<BTreeSet<String>> = ["one of a kind", "two of them here", "three on Elm Street"]
            .iter()
            .map(|rest| set(&format!("reviewed footage for the burglary unit {rest}")))
            .collect();
        let members = ["a", "b", "c"];
        let forms = forms(members.into_iter().zip(&texts), 20);
        assert!(forms.contains("footage for the"));
        assert!(similarity(&texts[0], &texts[1], &forms) < 10);
        assert_eq!(similarity(&texts[2], &texts[2], &forms), 100);
        assert_eq!(own_share(&set("reviewed footage for the burglary unit"), &forms), 0);
    }
}

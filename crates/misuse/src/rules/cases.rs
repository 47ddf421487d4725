//! Which cases have something in common.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::Act;

/// What each case was used for, and by whom.
#[derive(Debug, Default)]
pub(super) struct Cases<'a> {
    targets: HashMap<&'a str, BTreeMap<&'a str, HashSet<&'a str>>>,
}

impl<'a> Cases<'a> {
    pub fn of(acts: &[&'a Act]) -> Self {
        let mut targets: HashMap<&str, BTreeMap<&str, HashSet<&str>>> = HashMap::new();
        for act in acts {
            if let Some(case) = act.case() {
                targets.entry(case).or_default().entry(&act.target).or_default().insert(&act.member);
            }
        }
        Self { targets }
    }

    /// Whether two cases belong together, apart from this target: somebody else looked for one other target under both, or
    /// the member did for so many. The member's own acts count less: they could be made to join any two cases.
    fn together(&self, left: &str, right: &str, member: &str, target: &str, own: u32) -> bool {
        let (Some(left), Some(right)) = (self.targets.get(left), self.targets.get(right)) else {
            return false;
        };
        let mut alone = 0;
        for (shared, who) in left.iter().filter(|(name, _)| **name != target) {
            let Some(others) = right.get(shared) else { continue };
            if who.iter().chain(others).any(|each| *each != member) {
                return true;
            }
            alone += 1;
        }
        alone >= own
    }

    /// Joins cases that belong together, for one member and target. Each group is sorted.
    pub fn components(
        &self,
        cases: &BTreeSet<&'a str>,
        (member, target): (&str, &str),
        own: u32,
    ) -> Vec<BTreeSet<&'a str>> {
        let mut groups: Vec<BTreeSet<&'a str>> = Vec::new();
        for case in cases.iter().copied() {
            let (joined, mut apart): (Vec<_>, Vec<_>) = groups
                .into_iter()
                .partition(|group| group.iter().any(|other| self.together(case, other, member, target, own)));
            let mut group: BTreeSet<&str> = joined.into_iter().flatten().collect();
            group.insert(case);
            apart.push(group);
            groups = apart;
        }
        groups
    }
}

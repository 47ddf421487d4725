//! Sharing between agencies: the owner's rule, and how it bears on one agency that asks.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::question::Party;

/// With whom an owner shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SharingScope {
    /// With agencies that the rule names.
    Named,
    /// With agencies of the owner's state.
    State,
    /// With agencies within a distance.
    Distance,
    /// With agencies whose profile of law is compatible with the owner's.
    Compatible,
    /// With all agencies.
    All,
}

impl SharingScope {
    /// All of them, from the narrowest.
    pub const ALL: [Self; 5] = [Self::Named, Self::State, Self::Distance, Self::Compatible, Self::All];

    /// The word in a policy's `context.sharing.scope`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Named => "named",
            Self::State => "state",
            Self::Distance => "distance",
            Self::Compatible => "compatible",
            Self::All => "all",
        }
    }
}

/// An owner's rule: whom it lets search its cameras or see a case, and until when. No rule means nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharingRule {
    /// With whom.
    pub scope: SharingScope,
    /// Ids of agencies named. A federal agency is reached only here, however wide the scope.
    #[serde(default)]
    pub named: BTreeSet<String>,
    /// How far the scope `distance` reaches, km.
    #[serde(default)]
    pub within_km: u32,
    /// First moment in force, seconds since 1970.
    pub from: i64,
    /// First moment no longer in force, seconds since 1970.
    pub until: i64,
    /// Ids of agencies that accepted it.
    #[serde(default)]
    pub accepted: BTreeSet<String>,
}

impl SharingRule {
    /// How the rule bears on an agency.
    ///
    /// `distance_km` is the distance between the agency and the owner, none when it is not known.
    pub fn facts(&self, asking: &Party, distance_km: Option<u32>) -> SharingFacts {
        SharingFacts {
            scope: self.scope,
            named: self.named.contains(&asking.id),
            accepted: self.accepted.contains(&asking.id),
            from: self.from,
            until: self.until,
            distance_km,
            within_km: self.within_km,
        }
    }
}

/// A sharing rule as it bears on one agency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharingFacts {
    /// With whom the owner shares.
    pub scope: SharingScope,
    /// Whether the rule names the agency.
    pub named: bool,
    /// Whether the agency accepted it.
    pub accepted: bool,
    /// First moment in force, seconds since 1970.
    pub from: i64,
    /// First moment no longer in force, seconds since 1970.
    pub until: i64,
    /// Between the agency and the owner, km.
    pub distance_km: Option<u32>,
    /// How far the rule reaches, km.
    pub within_km: u32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use canvass_types::AgencyClass;

    #[test]
    fn a_rule_bears_on_those_it_names_and_who_accepted() {
        let rule: SharingRule = toml::from_str(
            "scope = \"distance\"\nnamed = [\"agy_a\"]\nwithin_km = 40\nfrom = 10\nuntil = 20\naccepted = [\"agy_a\", \"agy_b\"]\n",
        )
        .unwrap();
        let party = |id: &str| Party::new(id, AgencyClass::County, "US-NH", "us-nh");
        let named = rule.facts(&party("agy_a"), Some(12));
        assert_eq!(
            (named.named, named.accepted, named.distance_km, named.within_km),
            (true, true, Some(12), 40)
        );
        assert_eq!((named.scope, named.from, named.until), (SharingScope::Distance, 10, 20));
        let other = rule.facts(&party("agy_b"), None);
        assert_eq!((other.named, other.accepted, other.distance_km), (false, true, None));
        assert!(!rule.facts(&party("agy_c"), None).accepted);
        assert!(toml::from_str::<SharingRule>("scope = \"everyone\"\nfrom = 0\nuntil = 1\n").is_err());
    }
}

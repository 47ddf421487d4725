//! Whom a rule of sharing reaches: what of it bears on one agency that asks.

use canvass_policy::{SharingFacts, SharingRule as Bearing};
use canvass_types::{AgencyId, AgencyState, Area, CaseId};
use geo::{Centroid as _, Coord, Distance as _, Haversine, LineString, Point, Polygon};

use crate::{
    App, CoreError,
    access::{Action as _, CaseRead, party_of},
    ports::{Query, Records, RecordsExt, Versioned},
    records::{Agency, Shared, SharingRule},
};

/// What an agency asks to reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// A camera, by its id.
    Camera(&'a str),
    /// A case.
    Case(&'a CaseId),
}

impl Wanted<'_> {
    fn covered_by(self, rule: &SharingRule) -> bool {
        match (&rule.what, self) {
            (Shared::Cameras { ids: None }, Wanted::Camera(_)) => true,
            (Shared::Cameras { ids: Some(ids) }, Wanted::Camera(camera)) => ids.contains(camera),
            (Shared::Case { case }, Wanted::Case(wanted)) => case == wanted,
            _ => false,
        }
    }

    /// The action by which the gate is asked whether a rule lets an agency in.
    fn action(self) -> &'static str {
        match self {
            // The domain has no cameras yet; the policies know how they are read.
            Wanted::Camera(_) => "camera.read",
            Wanted::Case(_) => CaseRead::NAME,
        }
    }
}

fn centroid(area: &Area) -> Option<Point> {
    let ring: LineString = area.ring().iter().map(|[x, y]| Coord { x: *x, y: *y }).collect();
    Polygon::new(ring, Vec::new()).centroid()
}

/// Distance between the middles of two jurisdictions in begun kilometres, along the great circle of a sphere of the
/// earth's mean radius (`geo::Haversine`).
pub(super) fn distance_km(one: &Area, other: &Area) -> Option<u32> {
    let metres = Haversine.distance(centroid(one)?, centroid(other)?);
    let km = (metres / 1_000.0).ceil();
    // A distance on the earth is below 20,100 km.
    (0.0..=30_000.0).contains(&km).then_some(km as u32)
}

fn bearing(rule: &SharingRule, accepted: bool, asking: &AgencyId) -> Bearing {
    let mut agencies: std::collections::BTreeSet<String> =
        rule.accepted.iter().map(|each| each.agency.to_string()).collect();
    if accepted {
        agencies.insert(asking.to_string());
    }
    Bearing {
        scope: rule.scope,
        named: rule.named.iter().map(ToString::to_string).collect(),
        within_km: rule.within_km,
        from: rule.from.as_second(),
        until: rule.until.as_second(),
        accepted: agencies,
    }
}

impl<R: Records> App<R> {
    /// What of the owner's sharing bears on an agency that asks for a camera or case: the rule that lets it in, where one
    /// does; otherwise one that does not, so that the refusal can say why. None when nothing covers it, or when one of the
    /// two agencies is suspended.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn sharing_facts(
        &self,
        owner: &AgencyId,
        asking: &AgencyId,
        wanted: Wanted<'_>,
    ) -> Result<Option<SharingFacts>, CoreError> {
        let query = match wanted {
            Wanted::Case(case) => Query::<SharingRule>::new().with("case_id", case),
            Wanted::Camera(_) => Query::new().with("owner", owner),
        };
        let rules = self.rules_of(query.with("state", "active")).await?;
        let covering: Vec<&SharingRule> =
            rules.iter().filter(|rule| rule.owner == *owner && wanted.covered_by(rule)).collect();
        let Some((ours, theirs)) = self.two(owner, asking).await?.filter(|_| !covering.is_empty()) else {
            return Ok(None);
        };
        let distance = distance_km(&ours.jurisdiction, &theirs.jurisdiction);
        let gate = self.gate();
        let (owner, party) = (gate.under_law(party_of(&ours)), gate.under_law(party_of(&theirs)));
        let mut facts: Vec<SharingFacts> = Vec::new();
        for rule in covering {
            let one = bearing(rule, false, asking).facts(&party, distance);
            if gate.lets_in(wanted.action(), &party, &owner, &one, self.now()) {
                return Ok(Some(one));
            }
            facts.push(one);
        }
        facts.sort_by_key(|one| !one.accepted);
        Ok(facts.into_iter().next())
    }

    /// Whether a rule reaches an agency, or would if the agency accepted it, at any moment of its time.
    pub(crate) async fn concerns(&self, rule: &SharingRule, asking: &AgencyId) -> Result<bool, CoreError> {
        if rule.named.contains(asking) || rule.accepted.iter().any(|each| each.agency == *asking) {
            return Ok(true);
        }
        let Some((ours, theirs)) = self.two(&rule.owner, asking).await? else { return Ok(false) };
        let distance = distance_km(&ours.jurisdiction, &theirs.jurisdiction);
        let gate = self.gate();
        let (owner, party) = (gate.under_law(party_of(&ours)), gate.under_law(party_of(&theirs)));
        let facts = bearing(rule, true, asking).facts(&party, distance);
        let action = match &rule.what {
            Shared::Cameras { .. } => Wanted::Camera("").action(),
            Shared::Case { case } => Wanted::Case(case).action(),
        };
        Ok(gate.lets_in(action, &party, &owner, &facts, rule.from))
    }

    /// Owner and asking agency, unless one of them is unknown or suspended.
    async fn two(&self, owner: &AgencyId, asking: &AgencyId) -> Result<Option<(Agency, Agency)>, CoreError> {
        let mut found = Vec::new();
        for id in [owner, asking] {
            let agency: Option<Versioned<Agency>> = self.records().get(id.as_str()).await?;
            found.extend(agency.map(|it| it.record).filter(|it| it.state != AgencyState::Suspended));
        }
        let mut found = found.into_iter();
        Ok(found.next().zip(found.next()))
    }
}

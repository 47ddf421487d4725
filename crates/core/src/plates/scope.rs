//! How wide a search is: which cameras of which owners, and what each owner's law and sharing let of it.

use std::collections::{BTreeMap, BTreeSet};

use canvass_types::{AgencyId, Area, CameraId, Position, Purpose};
use geo::{Contains as _, Coord, LineString, Point, Polygon};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    App, CoreError,
    access::{Action, Actor, CameraList, Denied, Facts, Need, Target, party_of},
    cameras::covers,
    error::problem,
    ports::{Query, Records},
    records::{Camera, SharingRule},
    sharing::Wanted,
};

/// Most cameras that one search may name.
const MOST_NAMED: usize = 500;

/// Whose cameras are searched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WhoseCameras {
    /// The agency's own.
    #[default]
    Own,
    /// Also those that other agencies share with it.
    Shared,
}

/// Where a search looks. Without anything: all cameras of one's own agency.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ScopeOfSearch {
    pub cameras: Option<Vec<CameraId>>,
    pub area: Option<Area>,
    pub whose: WhoseCameras,
    /// Whether sightings of people and vehicles are looked for, and no plates.
    pub footage: bool,
}

/// An owner whose cameras were asked for and not searched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeftOut {
    /// The owner.
    pub agency: AgencyId,
    /// Its name.
    pub name: String,
    /// What its law or its sharing says.
    pub why: String,
}

/// What bears on a search of every owner alike.
pub(crate) struct Bearing<'a> {
    pub subject: &'a str,
    pub veiled: bool,
    pub facts: Facts,
    pub case: Option<canvass_types::CaseId>,
}

/// The cameras of one owner, and the question that the gate is asked about them.
pub(crate) struct OwnersPart {
    pub owner: AgencyId,
    pub name: String,
    pub cameras: BTreeSet<CameraId>,
    pub target: Target,
    pub hits_only: bool,
}

/// All that a search goes through.
pub(crate) struct Scope {
    pub cameras: BTreeMap<CameraId, Camera>,
    pub parts: Vec<OwnersPart>,
    pub left_out: Vec<LeftOut>,
    /// Of each wish the cameras that are gone through.
    pub wishes: Vec<BTreeSet<CameraId>>,
}

impl Scope {
    /// How many owners it touches.
    pub fn owners(&self) -> usize {
        self.parts.iter().map(|part| &part.owner).collect::<BTreeSet<_>>().len()
    }
}

fn inside(area: &Area, [longitude, latitude]: Position) -> bool {
    let ring: LineString = area.ring().iter().map(|[x, y]| Coord { x: *x, y: *y }).collect();
    Polygon::new(ring, Vec::new()).contains(&Point::new(longitude, latitude))
}

/// Whether a refusal says that only hits may be searched.
fn hits_needed(denied: &Denied) -> bool {
    matches!(denied, Denied::Rule { needs, .. } if needs.contains(&Need::HitsOnly))
}

impl<R: Records> App<R> {
    /// The cameras of a search by owner, those of the actor's own agency first. Owners who would refuse whatever the
    /// purpose are left out when their cameras were not named; whether the rest may be searched is for the gate.
    pub(super) async fn scope_of<A: Action>(
        &self,
        actor: &Actor,
        own: &AgencyId,
        wishes: &[ScopeOfSearch],
        bearing: &Bearing<'_>,
        purpose: &Purpose,
    ) -> Result<Scope, CoreError> {
        self.gate().check::<CameraList>(actor, &Target::of(own, "cameras"))?;
        let rules = self.cameras_shared_with(own).await?;
        let (mut cameras, mut sets) = (BTreeMap::new(), Vec::with_capacity(wishes.len()));
        for wish in wishes {
            let found = self.cameras_in(own, wish, &rules).await?;
            sets.push(found.keys().cloned().collect::<BTreeSet<CameraId>>());
            cameras.extend(found);
        }
        let named = wishes.iter().any(|wish| wish.cameras.is_some());
        let mut by_owner: BTreeMap<AgencyId, BTreeSet<CameraId>> = BTreeMap::new();
        for camera in cameras.values() {
            by_owner.entry(camera.agency.clone()).or_default().insert(camera.id.clone());
        }
        let (mut parts, mut left_out) = (Vec::new(), Vec::new());
        // Evidence of one's own cases is searched too, so that the own agency has an entry even where it has no camera.
        let evidence = wishes.iter().any(|wish| wish.footage).then(BTreeSet::new);
        let mine = by_owner.remove(own).or(evidence);
        if let Some(ids) = mine {
            let target = Target::of(own, bearing.subject);
            parts.push(self.part::<A>(actor, own, ids, target, bearing, purpose).await?.0);
        }
        for (owner, ids) in by_owner {
            for (ids, target) in self.shared_parts(own, &owner, ids, &cameras, &rules, bearing).await? {
                let (part, why) = self.part::<A>(actor, &owner, ids, target, bearing, purpose).await?;
                match why.filter(|_| !named) {
                    Some(why) => left_out.push(LeftOut { agency: owner.clone(), name: part.name, why }),
                    None => parts.push(part),
                }
            }
        }
        let kept: BTreeSet<CameraId> = parts.iter().flat_map(|part| part.cameras.iter().cloned()).collect();
        cameras.retain(|id, _| kept.contains(id));
        sets.iter_mut().for_each(|set| set.retain(|id| kept.contains(id)));
        Ok(Scope { cameras, parts: joined(parts), left_out, wishes: sets })
    }

    /// Cameras that see what the wish looks for and that it names, by id.
    async fn cameras_in(
        &self,
        own: &AgencyId,
        wish: &ScopeOfSearch,
        rules: &[SharingRule],
    ) -> Result<BTreeMap<CameraId, Camera>, CoreError> {
        let mut found: BTreeMap<CameraId, Camera> = BTreeMap::new();
        if let Some(ids) = &wish.cameras {
            if ids.len() > MOST_NAMED {
                let message = format!("more than {MOST_NAMED} cameras are named");
                return Err(CoreError::Invalid(vec![problem(
                    "cameras",
                    "most",
                    &message,
                    "name an area instead",
                )]));
            }
            for id in ids {
                let camera = self.camera_record(id).await?.record;
                if camera.agency != *own && !rules.iter().any(|rule| covers(rule, &camera)) {
                    return Err(CoreError::Hidden("camera"));
                }
                found.insert(id.clone(), camera);
            }
        } else {
            let mut all = self.cameras_of(Query::new().with("agency", own)).await?;
            if wish.whose == WhoseCameras::Shared {
                let owners: BTreeSet<&AgencyId> = rules.iter().map(|rule| &rule.owner).collect();
                for owner in owners {
                    let theirs = self.cameras_of(Query::new().with("agency", owner)).await?;
                    all.extend(
                        theirs.into_iter().filter(|camera| rules.iter().any(|rule| covers(rule, camera))),
                    );
                }
            }
            found.extend(all.into_iter().map(|camera| (camera.id.clone(), camera)));
        }
        found.retain(|_, camera| {
            (if wish.footage { camera.of.films() } else { camera.of.reads_plates() })
                && wish.area.as_ref().is_none_or(|area| inside(area, camera.position))
        });
        let (named, what) = match (&wish.cameras, wish.footage) {
            (_, false) => (true, "no camera that reads plates is in scope"),
            // Without cameras there is the evidence of the case.
            (named, true) => {
                (named.as_ref().is_some_and(|ids| !ids.is_empty()), "none of these cameras films")
            }
        };
        if found.is_empty() && named {
            let remedy = "name others, a wider area, or those that other agencies share (`whose`)";
            return Err(CoreError::field("cameras", "none", what, remedy));
        }
        Ok(found)
    }

    /// Another owner's cameras, apart where other rules of sharing bear on them.
    async fn shared_parts(
        &self,
        own: &AgencyId,
        owner: &AgencyId,
        ids: BTreeSet<CameraId>,
        cameras: &BTreeMap<CameraId, Camera>,
        rules: &[SharingRule],
        bearing: &Bearing<'_>,
    ) -> Result<Vec<(BTreeSet<CameraId>, Target)>, CoreError> {
        let mut groups: BTreeMap<Vec<usize>, BTreeSet<CameraId>> = BTreeMap::new();
        for id in ids {
            let of = |camera: &Camera| {
                let all = rules.iter().enumerate().filter(|(_, rule)| covers(rule, camera));
                all.map(|(at, _)| at).collect::<Vec<_>>()
            };
            let key = cameras.get(&id).map(of).unwrap_or_default();
            groups.entry(key).or_default().insert(id);
        }
        let party = party_of(&self.agency(owner).await?.record);
        let mut parts = Vec::with_capacity(groups.len());
        for ids in groups.into_values() {
            let Some(one) = ids.first() else { continue };
            let sharing = self.sharing_facts(owner, own, Wanted::Camera(one.as_str())).await?;
            let facts = Facts { sharing, ..Facts::default() };
            parts.push((ids, Target::of(owner, bearing.subject).owned(party.clone()).with(facts)));
        }
        Ok(parts)
    }

    /// The question about one owner's cameras, and why even the narrowest such search is refused, if nothing that the searcher
    /// could supply would change it.
    async fn part<A: Action>(
        &self,
        actor: &Actor,
        owner: &AgencyId,
        cameras: BTreeSet<CameraId>,
        target: Target,
        bearing: &Bearing<'_>,
        purpose: &Purpose,
    ) -> Result<(OwnersPart, Option<String>), CoreError> {
        let sharing = target.facts.sharing.clone();
        let narrow = |hits_only: bool| {
            let mut facts =
                Facts { sharing: sharing.clone(), cameras: 1, agencies: 1, ..bearing.facts.clone() };
            facts.hits_only = hits_only;
            facts.purpose.clone_from(&purpose.class);
            facts.offence.clone_from(&purpose.offence);
            facts.warrant = purpose.warrant.as_ref().is_some_and(|number| !number.trim().is_empty());
            facts
        };
        let ask = |hits_only: bool| {
            self.gate().check_at::<A>(actor, &target.clone().with(narrow(hits_only)), self.now())
        };
        let mut hits_only = bearing.facts.hits_only;
        let mut answer = ask(hits_only);
        if !hits_only && answer.as_ref().is_err_and(hits_needed) {
            hits_only = true;
            answer = ask(true);
        }
        let why = answer.is_err_and(|denied| lasting(&denied)).then(|| {
            let asked = target.clone().with(narrow(hits_only));
            self.gate().because::<A>(actor, &asked, self.now()).join(" ")
        });
        let mut target = target.in_case(bearing.case.clone());
        target.facts = Facts { hits_only, sharing: sharing.clone(), ..bearing.facts.clone() };
        if bearing.veiled {
            target = target.veiled();
        }
        let name = self.name_of(owner).await?;
        Ok((OwnersPart { owner: owner.clone(), name, cameras, target, hits_only }, why))
    }
}

/// Whether a refusal stands whatever the searcher supplies.
fn lasting(denied: &Denied) -> bool {
    match denied {
        Denied::Rule { needs, .. } => needs.is_empty(),
        _ => true,
    }
}

/// Parts of one owner as one where they ask the same question.
fn joined(parts: Vec<OwnersPart>) -> Vec<OwnersPart> {
    let mut all: Vec<OwnersPart> = Vec::with_capacity(parts.len());
    for part in parts {
        match all.iter_mut().find(|one| one.owner == part.owner && one.target.facts == part.target.facts) {
            Some(one) => one.cameras.extend(part.cameras),
            None => all.push(part),
        }
    }
    all
}

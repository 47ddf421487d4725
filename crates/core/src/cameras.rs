//! Cameras and plate readers: an agency registers them, machines send what they read under a token of their own, and a
//! rule of sharing lets other agencies reach them.

use std::collections::{BTreeMap, BTreeSet};

use canvass_types::{AgencyId, CameraId, FieldProblem, Position, Time};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    App, CoreError,
    access::{Actor, CameraAdd, CameraChange, CameraList, CameraRetire, Target},
    cases::load::every,
    error::{accept, check_text, problem},
    ports::{Query, Records, RecordsExt, Versioned},
    records::{Camera, CameraUse, Shared, SharingRule},
    sharing::{Standing, standing},
};

/// Most cameras that one agency has in use; retired ones are not counted.
pub const MOST_CAMERAS: usize = 10_000;

/// A camera that is to be registered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCamera {
    /// What people call it, 2 to 80 characters.
    pub name: String,
    /// What it is for: `plates`, `footage` (people and vehicles, by description) or `plates-and-footage`.
    #[serde(rename = "use")]
    pub of: CameraUse,
    /// Longitude, latitude in degrees (WGS 84).
    #[schema(value_type = Vec<f64>, min_items = 2, max_items = 2)]
    pub position: Position,
    /// Which way it looks or which lane it reads, in words, up to 80 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<String>,
}

/// What is to be different of a camera; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeCamera {
    /// What people call it, 2 to 80 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Longitude, latitude in degrees (WGS 84).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<f64>>, min_items = 2, max_items = 2)]
    pub position: Option<Position>,
    /// Which way it looks, in words; empty for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<String>,
}

/// A camera, as members see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CameraView {
    /// Its id.
    pub id: CameraId,
    /// Whose it is.
    pub agency: AgencyId,
    /// Name of that agency.
    pub agency_name: String,
    /// What people call it.
    pub name: String,
    /// What it is for.
    #[serde(rename = "use")]
    pub of: CameraUse,
    /// Longitude, latitude in degrees.
    #[schema(value_type = Vec<f64>, min_items = 2, max_items = 2)]
    pub position: Position,
    /// Which way it looks, in words.
    pub direction: Option<String>,
    /// When it was registered.
    pub added: Time,
    /// When it was retired.
    pub retired: Option<Time>,
    /// Whether it is the asking agency's own; otherwise another agency shares it.
    pub ours: bool,
}

fn position(problems: &mut Vec<FieldProblem>, [longitude, latitude]: Position) -> Position {
    if !(longitude.abs() <= 180.0 && latitude.abs() <= 90.0) {
        problems.push(problem(
            "position",
            "range",
            "this is no place on the earth",
            "give longitude -180 to 180, then latitude -90 to 90, in degrees",
        ));
    }
    // Six decimals are about ten centimetres; `+ 0.0` turns a negative zero into a plain one.
    [longitude, latitude].map(|degrees| (degrees * 1e6).round() / 1e6 + 0.0)
}

fn direction(problems: &mut Vec<FieldProblem>, words: Option<String>) -> Option<String> {
    let words = words.map(|words| words.trim().to_owned()).filter(|words| !words.is_empty())?;
    check_text(problems, "direction", &words, 1..=80);
    Some(words)
}

impl<R: Records> App<R> {
    pub(crate) async fn camera_record(&self, id: &CameraId) -> Result<Versioned<Camera>, CoreError> {
        self.records().get(id.as_str()).await?.ok_or(CoreError::Hidden("camera"))
    }

    /// Makes sure that no other camera in use of the same agency has the name; says how many those are.
    async fn named_alone(&self, camera: &Camera) -> Result<usize, CoreError> {
        let others = self.active_cameras(&camera.agency).await?;
        if others.iter().any(|other| other.id != camera.id && other.name == camera.name) {
            return Err(CoreError::field(
                "name",
                "taken",
                "another camera of the agency has this name",
                "give it a name of its own: people tell cameras apart by it",
            ));
        }
        Ok(others.len())
    }

    /// Registers a camera of the actor's agency.
    ///
    /// # Errors
    /// When the actor may not, the agency is not verified or has [`MOST_CAMERAS`], the name is taken, or a field is wrong.
    pub async fn add_camera(&self, actor: &Actor, wish: NewCamera) -> Result<CameraView, CoreError> {
        let id = CameraId::random(self.entropy());
        let agency = actor.agency.clone().ok_or(CoreError::Hidden("agency"))?;
        let intent = self.allow::<CameraAdd>(actor, Target::of(&agency, &id), None).await?;
        let mut problems = Vec::new();
        check_text(&mut problems, "name", &wish.name, 2..=80);
        let camera = Camera {
            id,
            agency: agency.clone(),
            name: wish.name.trim().to_owned(),
            of: wish.of,
            position: position(&mut problems, wish.position),
            direction: direction(&mut problems, wish.direction),
            added: self.now(),
            retired: None,
        };
        accept(problems)?;
        if self.named_alone(&camera).await? >= MOST_CAMERAS {
            return Err(CoreError::state(
                format!("the agency has {MOST_CAMERAS} cameras in use, and no more are kept"),
                "retire one that is no longer used",
            ));
        }
        intent
            .detail(json!({ "use": camera.of, "name": camera.name }))
            .with(|changes| changes.insert(&camera))
            .commit(self.records())
            .await?;
        self.camera_view(actor, camera).await
    }

    /// Changes what is known of a camera.
    ///
    /// # Errors
    /// When the actor may not, there is no such camera, it is retired, the new name is taken, or a field is wrong.
    pub async fn change_camera(
        &self,
        actor: &Actor,
        id: &CameraId,
        wish: ChangeCamera,
    ) -> Result<CameraView, CoreError> {
        let before = self.camera_record(id).await?;
        let target = Target::of(&before.record.agency, id);
        let intent = self.allow::<CameraChange>(actor, target, None).await?;
        if before.record.retired.is_some() {
            return Err(CoreError::state("the camera is retired", "register it anew when it comes back"));
        }
        let mut problems = Vec::new();
        let mut camera = before.record.clone();
        if let Some(name) = wish.name {
            check_text(&mut problems, "name", &name, 2..=80);
            name.trim().clone_into(&mut camera.name);
        }
        if let Some(place) = wish.position {
            camera.position = position(&mut problems, place);
        }
        if let Some(words) = wish.direction {
            camera.direction = direction(&mut problems, Some(words));
        }
        accept(problems)?;
        if camera.name != before.record.name {
            self.named_alone(&camera).await?;
        }
        intent
            .detail(
                json!({ "name": camera.name, "position": camera.position, "direction": camera.direction }),
            )
            .with(|changes| changes.update(&before, &camera))
            .commit(self.records())
            .await?;
        self.camera_view(actor, camera).await
    }

    /// Retires a camera: it sends nothing any more, and what it read stays as long as its class says.
    ///
    /// # Errors
    /// When the actor may not, there is no such camera, or it is retired.
    pub async fn retire_camera(&self, actor: &Actor, id: &CameraId) -> Result<CameraView, CoreError> {
        let before = self.camera_record(id).await?;
        let target = Target::of(&before.record.agency, id);
        let intent = self.allow::<CameraRetire>(actor, target, None).await?;
        if before.record.retired.is_some() {
            return Err(CoreError::state("the camera is retired already", "nothing is left to do"));
        }
        let camera = Camera { retired: Some(self.now()), ..before.record.clone() };
        intent.with(|changes| changes.update(&before, &camera)).commit(self.records()).await?;
        self.camera_view(actor, camera).await
    }

    /// One camera: of the actor's agency, or shared with it.
    ///
    /// # Errors
    /// When there is none for the actor.
    pub async fn camera(&self, actor: &Actor, id: &CameraId) -> Result<CameraView, CoreError> {
        let camera = self.camera_record(id).await?.record;
        self.gate().check::<CameraList>(actor, &Target::maybe(actor.agency.as_ref(), "cameras"))?;
        if let Some(own) = &actor.agency
            && camera.agency != *own
            && !self.cameras_shared_with(own).await?.iter().any(|rule| covers(rule, &camera))
        {
            return Err(CoreError::Hidden("camera"));
        }
        self.camera_view(actor, camera).await
    }

    /// Cameras of the actor's agency, then those that other agencies share with it today; for overseers all.
    ///
    /// # Errors
    /// When the actor may not.
    pub async fn cameras(&self, actor: &Actor) -> Result<Vec<CameraView>, CoreError> {
        self.gate().check::<CameraList>(actor, &Target::maybe(actor.agency.as_ref(), "cameras"))?;
        let Some(own) = &actor.agency else {
            let all = self.cameras_of(Query::new()).await?;
            return self.camera_views(actor, all).await;
        };
        let mut cameras = self.cameras_of(Query::new().with("agency", own)).await?;
        let rules = self.cameras_shared_with(own).await?;
        let owners: BTreeSet<&AgencyId> = rules.iter().map(|rule| &rule.owner).collect();
        for owner in owners {
            let theirs = self.active_cameras(owner).await?.into_iter();
            cameras.extend(theirs.filter(|camera| rules.iter().any(|rule| covers(rule, camera))));
        }
        self.camera_views(actor, cameras).await
    }

    async fn active_cameras(&self, agency: &AgencyId) -> Result<Vec<Camera>, CoreError> {
        self.cameras_of(Query::new().with("agency", agency).with("state", "active")).await
    }

    pub(crate) async fn cameras_of(&self, query: Query<Camera>) -> Result<Vec<Camera>, CoreError> {
        let found = every(self.records(), query, usize::MAX).await?;
        Ok(found.into_iter().map(|found| found.record).collect())
    }

    /// Rules of other agencies that let this one reach cameras today.
    pub(crate) async fn cameras_shared_with(&self, own: &AgencyId) -> Result<Vec<SharingRule>, CoreError> {
        let mut rules = Vec::new();
        for rule in self.rules_of(Query::new().with("state", "active")).await? {
            let cameras = matches!(rule.what, Shared::Cameras { .. });
            let taken = rule.accepted.iter().any(|each| each.agency == *own);
            let now = standing(&rule, self.now()) == Standing::InForce;
            if rule.owner != *own && cameras && taken && now && self.concerns(&rule, own).await? {
                rules.push(rule);
            }
        }
        Ok(rules)
    }

    async fn camera_views(&self, actor: &Actor, cameras: Vec<Camera>) -> Result<Vec<CameraView>, CoreError> {
        let mut names: BTreeMap<AgencyId, String> = BTreeMap::new();
        let mut views = Vec::with_capacity(cameras.len());
        for camera in cameras {
            let name = match names.get(&camera.agency) {
                Some(name) => name.clone(),
                None => self.name_of(&camera.agency).await?,
            };
            names.entry(camera.agency.clone()).or_insert_with(|| name.clone());
            views.push(view(actor, camera, name));
        }
        Ok(views)
    }

    async fn camera_view(&self, actor: &Actor, camera: Camera) -> Result<CameraView, CoreError> {
        let name = self.name_of(&camera.agency).await?;
        Ok(view(actor, camera, name))
    }
}

fn view(actor: &Actor, camera: Camera, agency_name: String) -> CameraView {
    CameraView {
        ours: actor.agency.as_ref() == Some(&camera.agency),
        agency_name,
        id: camera.id,
        agency: camera.agency,
        name: camera.name,
        of: camera.of,
        position: camera.position,
        direction: camera.direction,
        added: camera.added,
        retired: camera.retired,
    }
}

/// Whether a rule of sharing names this camera.
pub(crate) fn covers(rule: &SharingRule, camera: &Camera) -> bool {
    rule.owner == camera.agency
        && match &rule.what {
            Shared::Cameras { ids: None } => true,
            Shared::Cameras { ids: Some(ids) } => ids.contains(camera.id.as_str()),
            Shared::Case { .. } => false,
        }
}

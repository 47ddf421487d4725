//! A question in Cedar's terms: request and entities.

use std::collections::{HashMap, HashSet};

use canvass_types::{AgencyState, Role};
use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request, RestrictedExpression, Schema,
};

use crate::{
    question::{Facts, Party, Question},
    sharing::SharingFacts,
};

/// Names that every question uses, made once.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    agency: EntityTypeName,
    member: EntityTypeName,
    target: EntityUid,
    roles: Vec<(Role, EntityUid)>,
}

/// What the owner's law says that rules ask of an agency.
#[derive(Debug, Clone)]
pub(crate) struct OfLaw {
    pub compatible: RestrictedExpression,
    pub administrative_lists: bool,
}

impl OfLaw {
    fn nothing() -> Self {
        Self { compatible: RestrictedExpression::new_set([]), administrative_lists: false }
    }
}

/// Why a question can't be put; never happens with the schema that was checked at load.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct FrameError(String);

fn bad(error: impl std::fmt::Display) -> FrameError {
    FrameError(error.to_string())
}

impl Names {
    pub fn new() -> Result<Self, FrameError> {
        let name = |text: &str| text.parse::<EntityTypeName>().map_err(bad);
        let role = name("Role")?;
        let uid = |role_name: &EntityTypeName, id: &str| {
            EntityUid::from_type_name_and_id(role_name.clone(), EntityId::new(id))
        };
        Ok(Self {
            agency: name("Agency")?,
            member: name("Member")?,
            target: uid(&name("Target")?, "target"),
            roles: Role::ALL.into_iter().map(|each| (each, uid(&role, each.as_str()))).collect(),
        })
    }

    /// The request and its entities. `action` is the action's own entity, with its groups.
    pub fn frame(
        &self,
        question: &Question,
        action: &Entity,
        of_owner: &OfLaw,
        schema: Option<&Schema>,
    ) -> Result<(Request, Entities), FrameError> {
        let none = OfLaw::nothing();
        let mut entities = vec![action.clone()];
        let mut member = HashMap::new();
        let mut target = HashMap::new();
        let owner = question.owner.as_ref();
        if let Some(owner) = owner {
            let (uid, entity) = self.party(owner, of_owner)?;
            entities.push(entity);
            target.insert("owner".to_owned(), RestrictedExpression::new_entity_uid(uid));
        }
        if let Some(party) = &question.subject.agency {
            let (uid, entity) = self.party(party, &none)?;
            if owner.is_none_or(|owner| owner.id != party.id) {
                entities.push(entity);
            }
            member.insert("agency".to_owned(), RestrictedExpression::new_entity_uid(uid));
        }
        let roles = question.subject.roles.iter();
        let parents: HashSet<EntityUid> = roles
            .filter_map(|role| self.roles.iter().find(|(each, _)| each == role))
            .map(|(_, uid)| uid.clone())
            .collect();
        let principal =
            EntityUid::from_type_name_and_id(self.member.clone(), EntityId::new(&question.subject.id));
        entities.push(Entity::new(principal.clone(), member, parents).map_err(bad)?);
        entities.push(Entity::new(self.target.clone(), target, HashSet::new()).map_err(bad)?);
        let context = Context::from_pairs(facts(&question.facts)).map_err(bad)?;
        let request =
            Request::new(principal, action.uid(), self.target.clone(), context, schema).map_err(bad)?;
        let entities = Entities::from_entities(entities, schema).map_err(bad)?;
        Ok((request, entities))
    }

    fn party(&self, party: &Party, law: &OfLaw) -> Result<(EntityUid, Entity), FrameError> {
        let uid = EntityUid::from_type_name_and_id(self.agency.clone(), EntityId::new(&party.id));
        let standing = match party.standing {
            AgencyState::Registered => "registered",
            AgencyState::Verified => "verified",
            AgencyState::Suspended => "suspended",
        };
        let attributes = HashMap::from([
            ("class".to_owned(), string(party.class.as_str())),
            ("subdivision".to_owned(), string(&party.subdivision)),
            ("profile".to_owned(), string(&party.profile)),
            ("standing".to_owned(), string(standing)),
            ("compatible".to_owned(), law.compatible.clone()),
            ("administrativeLists".to_owned(), RestrictedExpression::new_bool(law.administrative_lists)),
        ]);
        let entity = Entity::new(uid.clone(), attributes, HashSet::new()).map_err(bad)?;
        Ok((uid, entity))
    }
}

fn string(text: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(text.to_owned())
}

fn facts(facts: &Facts) -> Vec<(String, RestrictedExpression)> {
    let text = |name: &str, value: &str| (name.to_owned(), string(value));
    let yes = |name: &str, value: bool| (name.to_owned(), RestrictedExpression::new_bool(value));
    let count = |name: &str, value: i64| (name.to_owned(), RestrictedExpression::new_long(value));
    let mut pairs = vec![
        text("purpose", &facts.purpose),
        text("offence", &facts.offence),
        yes("caseOpen", facts.case_open),
        yes("warrant", facts.warrant),
        count("approvals", facts.approvals.into()),
        yes("othersProposal", facts.others_proposal),
        count("cameras", facts.cameras.into()),
        count("days", facts.days.into()),
        count("agencies", facts.agencies.into()),
        text("method", facts.method.as_str()),
        yes("hitsOnly", facts.hits_only),
        yes("compared", facts.compared),
        yes("listed", facts.listed),
        yes("declared", facts.declared),
        text("basis", &facts.basis),
        yes("breakGlass", facts.break_glass),
        count("now", facts.now),
    ];
    // Record keys are distinct, so the record can be made.
    if let Some(Ok(sharing)) = facts.sharing.as_ref().map(sharing) {
        pairs.push(("sharing".to_owned(), sharing));
    }
    pairs
}

fn sharing(
    sharing: &SharingFacts,
) -> Result<RestrictedExpression, cedar_policy::ExpressionConstructionError> {
    let distance = sharing.distance_km.map_or(-1, i64::from);
    RestrictedExpression::new_record([
        ("scope".to_owned(), string(sharing.scope.as_str())),
        ("named".to_owned(), RestrictedExpression::new_bool(sharing.named)),
        ("accepted".to_owned(), RestrictedExpression::new_bool(sharing.accepted)),
        ("from".to_owned(), RestrictedExpression::new_long(sharing.from)),
        ("until".to_owned(), RestrictedExpression::new_long(sharing.until)),
        ("distanceKm".to_owned(), RestrictedExpression::new_long(distance)),
        ("withinKm".to_owned(), RestrictedExpression::new_long(sharing.within_km.into())),
    ])
}

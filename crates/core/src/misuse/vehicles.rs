//! Members' own vehicles, kept as pseudonyms of their plates.

use canvass_types::{AgencyId, MemberId, leaf::Pseudonym};
use serde::{Deserialize, Serialize};
use serde_json::json;
use unicode_normalization::UnicodeNormalization;
use utoipa::ToSchema;

use crate::{
    App, CoreError,
    access::{Actor, Intent, MemberVehicle, Target},
    error::{accept, problem},
    ports::{Expect, Records, RecordsExt},
    records::{OwnVehicle, OwnVehicles},
};

/// Most vehicles of one member.
const MOST_VEHICLES: usize = 10;

/// What changes about a member's vehicles.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeVehicles {
    /// Plates to register. They are not kept: only a pseudonym under the agency's key is.
    #[serde(default)]
    pub add: Vec<String>,
    /// Vehicles to remove, by plate or by the pseudonym that the list shows.
    #[serde(default)]
    pub remove: Vec<String>,
}

/// A plate as it is compared: capitals and digits alone. None when that leaves fewer than 2 or more than 12 characters.
pub fn plate_form(text: &str) -> Option<String> {
    let folded = text.nfkc().filter(|each| each.is_alphanumeric());
    let plate: String = folded.flat_map(char::to_uppercase).collect();
    (2..=12).contains(&plate.chars().count()).then_some(plate)
}

impl<R: Records> App<R> {
    /// What stands for a plate in an agency's findings: searches and registered vehicles are compared by it.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn plate_target(&self, agency: &AgencyId, plate: &str) -> Result<Pseudonym, CoreError> {
        let form = plate_form(plate).unwrap_or_else(|| plate.trim().to_owned());
        self.target_pseudonym(agency, &form).await
    }

    /// A member's registered vehicles.
    ///
    /// # Errors
    /// When the actor is neither the member nor may register for them.
    pub async fn vehicles(&self, actor: &Actor, id: &MemberId) -> Result<Vec<OwnVehicle>, CoreError> {
        let agency = self.vehicle_agency(id).await?;
        if actor.member == *id {
            self.gate().check_own::<MemberVehicle>(actor)?;
        } else {
            self.gate().check::<MemberVehicle>(actor, &Target::of(&agency, id))?;
        }
        let found = self.records().get::<OwnVehicles>(id.as_str()).await?;
        Ok(found.map(|found| found.record.vehicles).unwrap_or_default())
    }

    /// Registers and removes vehicles of a member: one's own, or as a supervisor or administrator.
    ///
    /// # Errors
    /// When the actor may not, a plate is none, or there are too many.
    pub async fn change_vehicles(
        &self,
        actor: &Actor,
        id: &MemberId,
        wish: &ChangeVehicles,
    ) -> Result<Vec<OwnVehicle>, CoreError> {
        let agency = self.vehicle_agency(id).await?;
        let intent: Intent<MemberVehicle> = if actor.member == *id {
            self.own(actor, id).await?
        } else {
            self.allow(actor, Target::of(&agency, id), None).await?
        };
        let before = self.records().get::<OwnVehicles>(id.as_str()).await?;
        let mut vehicles = before.as_ref().map(|found| found.record.vehicles.clone()).unwrap_or_default();
        let had = vehicles.len();
        for text in &wish.remove {
            let plate = self.plate_target(&agency, text).await?;
            vehicles.retain(|one| one.plate != plate && one.plate.as_str() != text.trim());
        }
        let removed = had - vehicles.len();
        let mut problems = Vec::new();
        for (index, text) in wish.add.iter().enumerate() {
            if plate_form(text).is_none() {
                let field = format!("add[{index}]");
                let remedy = "write the plate as it stands on the vehicle, without the state";
                problems.push(problem(
                    &field,
                    "plate",
                    "this is no plate of 2 to 12 letters and digits",
                    remedy,
                ));
                continue;
            }
            let plate = self.plate_target(&agency, text).await?;
            if vehicles.iter().all(|one| one.plate != plate) {
                vehicles.push(OwnVehicle { plate, added: self.now(), by: actor.member.clone() });
            }
        }
        if vehicles.len() > MOST_VEHICLES {
            let message = format!("a member has at most {MOST_VEHICLES} vehicles");
            problems.push(problem("add", "most", &message, "remove those that are sold"));
        }
        accept(problems)?;
        let after = OwnVehicles { member: id.clone(), agency, vehicles };
        let expect = before.map_or(Expect::Absent, |found| Expect::Version(found.version));
        let detail = json!({ "added": after.vehicles.len() + removed - had, "removed": removed });
        intent.detail(detail).with(|changes| changes.put(&after, expect)).commit(self.records()).await?;
        Ok(after.vehicles)
    }

    async fn vehicle_agency(&self, id: &MemberId) -> Result<AgencyId, CoreError> {
        let member = self.member(id).await?.record;
        member.agency.ok_or_else(|| {
            CoreError::state(
                "this member belongs to no agency",
                "vehicles are registered for members of agencies alone",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::plate_form;

    #[test]
    fn a_plate_is_the_same_however_it_is_written() {
        assert_eq!(plate_form(" abc-1 234").as_deref(), Some("ABC1234"));
        assert_eq!(plate_form("ＡＢＣ１２３４").as_deref(), Some("ABC1234"));
        assert_eq!(plate_form("--7"), None);
        assert_eq!(plate_form("ABCDEFGHIJKLM"), None);
    }
}

//! Disclosures: chosen fields of chosen records, opened to an auditor, who checks them against the oversight ledger
//! without asking anyone. What is not opened stays shut: of it the auditor gets hashes under salts that they don't have.

use std::collections::BTreeMap;

use canvass_types::{
    AgencyId, AuditId, CaseId, Digest, MemberId, Time,
    commitment::{self, Opened},
    leaf::OversightLeaf,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    App, CoreError,
    access::{Actor, DisclosureMake, Intent, Target},
    error::{accept, check_text, problem},
    ports::{Query, Records, RecordsExt},
    records::{AuditBody, AuditRecord},
};

/// Members of a record, as [`NewDisclosure::fields`] names them. Those of `purpose` and `detail` can be named one by one:
/// `purpose.class`.
pub const FIELDS: [&str; 11] =
    ["v", "id", "action", "agency", "subject", "actor", "actor_agency", "case", "purpose", "detail", "at"];

/// Most records of one disclosure.
pub const MOST: usize = 1_000;

/// Which records are disclosed, what of them, and to whom.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDisclosure {
    /// These records alone; all that the other conditions meet when it is empty.
    #[serde(default)]
    pub records: Vec<AuditId>,
    /// Done to this.
    #[serde(default)]
    pub subject: Option<String>,
    /// Of this action.
    #[serde(default)]
    pub action: Option<String>,
    /// Done by this member.
    #[serde(default)]
    pub actor: Option<MemberId>,
    /// For this case.
    #[serde(default)]
    pub case: Option<CaseId>,
    /// Not before.
    #[serde(default)]
    pub from: Option<Time>,
    /// Before.
    #[serde(default)]
    pub until: Option<Time>,
    /// What is opened of each: `at`, `purpose.class`, `purpose` with all that it holds.
    pub fields: Vec<String>,
    /// Who gets it, 3 to 200 characters.
    pub to: String,
    /// By which right, 10 to 500 characters.
    pub basis: String,
}

/// One record, as far as it is opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Disclosed {
    /// Its entry in the oversight ledger.
    pub leaf: OversightLeaf,
    /// The fields that are opened, by path.
    pub opened: BTreeMap<String, Opened>,
    /// What stands for the others.
    pub shut: BTreeMap<String, Digest>,
}

/// Records, as far as they are opened to somebody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Disclosure {
    /// Whose records.
    pub agency: AgencyId,
    /// Who gets them.
    pub to: String,
    /// By which right.
    pub basis: String,
    /// When it was made.
    pub at: Time,
    /// The records, oldest first. The last one is of this disclosure itself, opened whole.
    pub records: Vec<Disclosed>,
}

fn check(wish: &NewDisclosure) -> Result<(), CoreError> {
    let mut problems = Vec::new();
    check_text(&mut problems, "to", &wish.to, 3..=200);
    check_text(&mut problems, "basis", &wish.basis, 10..=500);
    let known = |path: &String| {
        let (outer, inner) = path.split_once('.').unwrap_or((path, "x"));
        FIELDS.contains(&outer)
            && !inner.is_empty()
            && (!path.contains('.') || ["purpose", "detail"].contains(&outer))
    };
    if wish.fields.is_empty() || wish.fields.len() > 64 || !wish.fields.iter().all(known) {
        let remedy =
            format!("name 1 to 64 of: {}; or a part of purpose or detail: purpose.class", FIELDS.join(", "));
        problems.push(problem("fields", "unknown", "these are no fields of a record", &remedy));
    }
    if wish.records.len() > MOST {
        let message = format!("at most {MOST} records go into one disclosure");
        problems.push(problem("records", "many", &message, "make several"));
    }
    if wish.from.zip(wish.until).is_some_and(|(from, until)| from >= until) {
        problems.push(problem("until", "order", "it ends before it begins", "give a later end"));
    }
    accept(problems)
}

impl NewDisclosure {
    fn meets(&self, body: &AuditBody) -> bool {
        (self.records.is_empty() || self.records.contains(&body.id))
            && self.subject.as_ref().is_none_or(|subject| *subject == body.subject)
            && self.action.as_ref().is_none_or(|action| *action == body.action)
            && (self.actor.is_none() || self.actor == body.actor)
            && (self.case.is_none() || self.case == body.case)
            && self.from.is_none_or(|from| body.at >= from)
            && self.until.is_none_or(|until| body.at < until)
    }
}

fn disclosed(
    body: &AuditBody,
    salt: &[u8; 32],
    leaf: &OversightLeaf,
    wanted: impl Fn(&str) -> bool,
) -> Disclosed {
    // The body is a plain struct: it can always be written.
    let record = serde_json::to_value(body).unwrap_or_default();
    let (opened, shut) = commitment::open(salt, &record, wanted);
    Disclosed { leaf: leaf.clone(), opened, shut }
}

impl<R: Records> App<R> {
    /// Opens chosen fields of chosen records of the actor's agency to somebody. That it was done is a record and a ledger
    /// entry itself.
    ///
    /// # Errors
    /// When the actor may not, a field is wrong, or nothing or too much meets the conditions.
    pub async fn disclose(&self, actor: &Actor, wish: &NewDisclosure) -> Result<Disclosure, CoreError> {
        let agency = actor.agency.clone().ok_or(CoreError::Hidden("record"))?;
        let intent = self.allow::<DisclosureMake>(actor, Target::of(&agency, "disclosure"), None).await?;
        check(wish)?;
        let found = self.records_to_disclose(&agency, wish).await?;
        if found.is_empty() || (!wish.records.is_empty() && found.len() < wish.records.len()) {
            let message =
                "no record of your agency that stands in the ledger meets this, or not each that you named";
            return Err(CoreError::field(
                "records",
                "none",
                message,
                "look at `canvass audit` for what there is",
            ));
        }
        let ids: Vec<&AuditId> = found.iter().map(|record| &record.body.id).collect();
        let detail = json!({ "records": ids, "fields": wish.fields, "to": wish.to.trim(), "basis": wish.basis.trim() });
        let intent = intent.detail(detail);
        let wanted = |path: &str| wish.fields.iter().any(|field| field == path);
        let mut records = Vec::new();
        for record in &found {
            if let Some((salt, leaf)) = record.salted().zip(record.leaf.as_ref()) {
                records.push(disclosed(&record.body, &salt, leaf, wanted));
            }
        }
        records.push(own(&intent));
        let at = intent.record().at;
        intent.commit(self.records()).await?;
        let (to, basis) = (wish.to.trim().to_owned(), wish.basis.trim().to_owned());
        Ok(Disclosure { agency, to, basis, at, records })
    }

    async fn records_to_disclose(
        &self,
        agency: &AgencyId,
        wish: &NewDisclosure,
    ) -> Result<Vec<AuditRecord>, CoreError> {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let mut query = Query::<AuditRecord>::new().with("agency", agency).after(after);
            if let Some(subject) = &wish.subject {
                query = query.with("subject", subject);
            }
            if let Some(action) = &wish.action {
                query = query.with("action", action);
            }
            let part = self.records().list(query).await?;
            let Some(last) = part.last() else { return Ok(found) };
            after = Some(last.sequence);
            let kept = part.into_iter().map(|each| each.record);
            found.extend(kept.filter(|record| record.leaf.is_some() && wish.meets(&record.body)));
            if found.len() > MOST {
                let message = format!("more than {MOST} records meet this");
                return Err(CoreError::field(
                    "records",
                    "many",
                    &message,
                    "narrow it, and make several disclosures",
                ));
            }
        }
    }
}

fn own(intent: &Intent<DisclosureMake>) -> Disclosed {
    disclosed(intent.record(), intent.raw_salt(), &intent.leaf(), |_| true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_named_and_conditions_are_in_order() {
        let wish = |fields: &[&str]| NewDisclosure {
            fields: fields.iter().map(|&field| field.to_owned()).collect(),
            to: "City council".into(),
            basis: "Council order 26-14 of November".into(),
            ..NewDisclosure::default()
        };
        check(&wish(&["at", "purpose", "purpose.class", "detail.hits"])).unwrap();
        for wrong in [&[][..], &["salt"], &["at.hour"], &["purpose."], &[""]] {
            assert!(check(&wish(wrong)).is_err(), "{wrong:?}");
        }
        let mut late = wish(&["at"]);
        (late.from, late.until) = (Some(Time::from_second(9)), Some(Time::from_second(9)));
        assert!(check(&late).is_err());
        assert!(check(&NewDisclosure { basis: "because".into(), ..wish(&["at"]) }).is_err());
    }
}

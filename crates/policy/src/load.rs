//! Reading a set of policies: every file is parsed and checked, and everything that is wrong is told at once.

use std::collections::{BTreeMap, HashMap};

use cedar_policy::{ActionConstraint, Effect, Entities, EntityUid, PolicyId, RestrictedExpression, Schema};

use crate::{
    bundle::{PURPOSES, ROLES_CEDAR, SCHEMA, Texts, digest, shipped_texts},
    check,
    decide::{Law, PolicySet, Rules},
    error::{PolicyError, PolicyErrors, line_at, line_of, said},
    frame::{Names, OfLaw},
    profile::{DEFAULT, Profile, stem},
    purpose::Purposes,
    rule::{Need, Rule},
    table::{self, Table},
};

/// Parts of a set, as far as they could be read.
pub(crate) struct Parts<'a> {
    pub texts: &'a Texts,
    pub schema: Schema,
    pub actions: Entities,
    pub table: Table,
    pub policies: Vec<(Rule, cedar_policy::Policy)>,
    pub profiles: BTreeMap<String, Profile>,
    pub purposes: Purposes,
}

impl PolicySet {
    /// Reads and checks a set: path below `policies/` to text.
    ///
    /// # Errors
    /// Everything that is wrong, each with file, line and remedy.
    pub fn load(texts: &Texts) -> Result<Self, PolicyErrors> {
        let parts = read(texts).map_err(PolicyErrors)?;
        let errors = check::check(&parts);
        if !errors.is_empty() {
            return Err(PolicyErrors(errors));
        }
        index(parts).map_err(|error| PolicyErrors(vec![error]))
    }

    /// The set that ships with Canvass.
    ///
    /// # Errors
    /// As [`PolicySet::load`]; a test keeps it from happening.
    pub fn shipped() -> Result<Self, PolicyErrors> {
        Self::load(&shipped_texts())
    }
}

fn keep<T>(errors: &mut Vec<PolicyError>, read: Result<T, Vec<PolicyError>>) -> Option<T> {
    read.map_err(|found| errors.extend(found)).ok()
}

fn read(texts: &Texts) -> Result<Parts<'_>, Vec<PolicyError>> {
    let mut errors = Vec::new();
    let schema = keep(&mut errors, read_schema(texts));
    let table = keep(&mut errors, Table::read(texts));
    if let Some(table) = &table {
        errors.extend(table::compare(table, texts));
    }
    let purposes = match texts.get(PURPOSES) {
        Some(text) => keep(&mut errors, Purposes::read(text)),
        None => {
            errors.push(PolicyError::new(PURPOSES, None, "is missing", "add the purposes"));
            None
        }
    };
    let mut policies = Vec::new();
    let mut profiles = BTreeMap::new();
    for (path, text) in texts {
        if path.ends_with(".cedar") {
            policies.extend(keep(&mut errors, read_policies(path, text)).unwrap_or_default());
        } else if path.starts_with("profiles/") && path.ends_with(".toml") {
            let profile = keep(&mut errors, Profile::read(path, text));
            profiles.extend(profile.map(|profile| (profile.id.clone(), profile)));
        } else if !is_read_elsewhere(path) {
            let remedy = "a set holds canvass.cedarschema, *.cedar, roles*.txt, purposes.toml and profiles/*.cedar, *.toml";
            errors.push(PolicyError::new(path, None, "is no file of a set of policies", remedy));
        }
    }
    match (schema, table, purposes) {
        (Some((schema, actions)), Some(table), Some(purposes)) if errors.is_empty() => {
            Ok(Parts { texts, schema, actions, table, policies, profiles, purposes })
        }
        _ => Err(errors),
    }
}

fn is_read_elsewhere(path: &str) -> bool {
    [SCHEMA, PURPOSES].contains(&path) || (path.starts_with("roles") && path.ends_with(".txt"))
}

fn read_schema(texts: &Texts) -> Result<(Schema, Entities), Vec<PolicyError>> {
    let remedy = "see docs/ref/policy.md, and the Cedar schema's own documentation";
    let fail = |line, message: String| vec![PolicyError::new(SCHEMA, line, message, remedy)];
    let text = texts.get(SCHEMA).ok_or_else(|| fail(None, "is missing".into()))?;
    let (schema, warnings) =
        Schema::from_cedarschema_str(text).map_err(|error| fail(line_of(&error, text), said(&error)))?;
    let warnings: Vec<String> = warnings.map(|warning| warning.to_string()).collect();
    if !warnings.is_empty() {
        return Err(fail(None, warnings.join("; ")));
    }
    let actions = schema.action_entities().map_err(|error| fail(None, said(&error)))?;
    Ok((schema, actions))
}

fn read_policies(path: &str, text: &str) -> Result<Vec<(Rule, cedar_policy::Policy)>, Vec<PolicyError>> {
    let parsed: cedar_policy::PolicySet = text.parse().map_err(|errors: cedar_policy::ParseErrors| {
        errors
            .iter()
            .map(|error| {
                PolicyError::new(path, line_of(error, text), said(error), "mend the policy as Cedar has it")
            })
            .collect::<Vec<_>>()
    })?;
    let mut errors = Vec::new();
    if parsed.num_of_templates() > 0 {
        errors.push(PolicyError::new(
            path,
            None,
            "holds a template",
            "write policies without ?principal and ?resource",
        ));
    }
    let mut found = Vec::new();
    for policy in parsed.policies() {
        match read_rule(path, text, policy) {
            Ok(rule) => {
                let renamed = policy.new_id(PolicyId::new(&rule.id));
                found.push((rule, renamed));
            }
            Err(error) => errors.push(error),
        }
    }
    found.sort_by_key(|(rule, _)| rule.line);
    if errors.is_empty() { Ok(found) } else { Err(errors) }
}

fn read_rule(path: &str, text: &str, policy: &cedar_policy::Policy) -> Result<Rule, PolicyError> {
    let annotation = |name: &str| policy.annotation(name).map(str::trim).filter(|value| !value.is_empty());
    // Cedar numbers the policies of a text from the first; the number finds one that has no @id.
    let number =
        policy.id().to_string().trim_start_matches("policy").parse::<usize>().unwrap_or_default() + 1;
    let fail = |line, message: String, remedy: String| Err(PolicyError::new(path, line, message, remedy));
    let Some(id) = annotation("id") else {
        let remedy = format!("write @id(\"{}.…\") before it", stem(path));
        return fail(None, format!("policy {number} of the file has no @id"), remedy);
    };
    let at = text.find(&format!("\"{id}\""));
    let line = at.map(|at| line_at(text, at));
    let prefix = format!("{}.", stem(path));
    if !id.starts_with(&prefix) {
        return fail(line, format!("the id {id} does not name its file"), format!("begin it with {prefix}"));
    }
    let Some(because) = annotation("because") else {
        return fail(line, format!("{id} has no @because"), "say to the person whom it stops why".into());
    };
    let needs = match annotation("needs") {
        None => None,
        Some(word) => match Need::parse(word) {
            Some(need) => Some(need),
            None => {
                let words = Need::ALL.map(Need::as_str).join(", ");
                return fail(
                    line,
                    format!("{id} needs an unknown `{word}`"),
                    format!("write one of {words}"),
                );
            }
        },
    };
    let permits = policy.effect() == Effect::Permit;
    if permits && needs.is_some() {
        return fail(line, format!("{id} permits and has @needs"), "put @needs on what forbids".into());
    }
    let law = annotation("law").map(str::to_owned);
    Ok(Rule {
        id: id.to_owned(),
        because: because.to_owned(),
        law,
        needs,
        permits,
        file: path.to_owned(),
        line: line.unwrap_or(1),
    })
}

/// For each profile and action the policies that can bear on it, so that a decision reads no other.
fn index(parts: Parts<'_>) -> Result<PolicySet, PolicyError> {
    let fail = |message: String| PolicyError::new(SCHEMA, None, message, "see docs/ref/policy.md");
    let mut laws = HashMap::new();
    let mut policies = Vec::new();
    for (rule, policy) in &parts.policies {
        policies.push((rule, policy, without_action(policy).map_err(fail)?));
    }
    for (id, profile) in parts.profiles {
        let mut rules = HashMap::new();
        for (name, _) in parts.table.rows() {
            let action =
                action_uid(&parts.actions, name).ok_or_else(|| fail(format!("{name} is no action")))?;
            let entity =
                parts.actions.get(&action).ok_or_else(|| fail(format!("{name} is no action")))?.clone();
            let mut bearing = Rules::of(entity);
            for (rule, policy, bare) in &policies {
                if in_force(rule, &id) && bears_on(policy, &action, &parts.actions) {
                    bearing.add(rule, policy, bare).map_err(fail)?;
                }
            }
            rules.insert(name.to_owned(), bearing);
        }
        let words = profile.sharing.compatible.iter().cloned().map(RestrictedExpression::new_string);
        let compatible = RestrictedExpression::new_set(words);
        let administrative_lists = profile.hotlists.administrative_immigration;
        let of_owner = OfLaw { compatible, administrative_lists };
        laws.insert(id, Law { profile, rules, of_owner });
    }
    let names = Names::new().map_err(|error| fail(error.to_string()))?;
    let rules = parts.policies.into_iter().map(|(rule, _)| (rule.id.clone(), rule)).collect();
    Ok(PolicySet::new(digest(parts.texts), parts.schema, parts.table, parts.purposes, laws, rules, names))
}

/// Rules beside the folder of profiles bind everywhere; those of a profile bind under it.
pub(crate) fn in_force(rule: &Rule, profile: &str) -> bool {
    !rule.file.starts_with("profiles/") || stem(&rule.file) == profile
}

/// The policy for any action: which actions it is for was settled by [`bears_on`], and a long list of them is costly to
/// compare with in each decision.
fn without_action(policy: &cedar_policy::Policy) -> Result<cedar_policy::Policy, String> {
    let mut json = policy.to_json().map_err(|error| error.to_string())?;
    let scope = json.get_mut("action").ok_or("a policy has no action in its scope")?;
    *scope = serde_json::json!({ "op": "All" });
    cedar_policy::Policy::from_json(Some(policy.id().clone()), json).map_err(|error| error.to_string())
}

fn bears_on(policy: &cedar_policy::Policy, action: &EntityUid, actions: &Entities) -> bool {
    let within = |group: &EntityUid| group == action || actions.is_ancestor_of(group, action);
    match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::In(groups) => groups.iter().any(within),
        ActionConstraint::Eq(one) => one == *action,
    }
}

/// The action of a name in the schema.
pub(crate) fn action_uid(actions: &Entities, name: &str) -> Option<EntityUid> {
    actions.iter().map(cedar_policy::Entity::uid).find(|uid| uid.id().unescaped() == name)
}

/// Whether a set has the profile and the generated file that every set needs.
pub(crate) fn missing(profiles: &BTreeMap<String, Profile>, texts: &Texts) -> Vec<PolicyError> {
    let mut errors = Vec::new();
    if !profiles.contains_key(DEFAULT) {
        errors.push(PolicyError::new("profiles/default.toml", None, "is missing", "add the default profile"));
    }
    if !texts.contains_key(ROLES_CEDAR) {
        errors.push(PolicyError::new(
            ROLES_CEDAR,
            None,
            "is missing",
            "generate it from the tables of roles",
        ));
    }
    errors
}

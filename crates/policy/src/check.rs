//! What must hold between the files of a set: Cedar's own validation, and names that must meet.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{PolicySet as CedarSet, ValidationMode, Validator};

use crate::{
    bundle::SCHEMA,
    error::{PolicyError, line_at, line_of, said},
    load::{Parts, missing},
    profile::{Profile, stem},
    purpose::PATTERN_REMEDY,
    rule::Rule,
    words::Pattern,
};

/// Everything that is wrong between files that are well-formed each.
pub(crate) fn check(parts: &Parts<'_>) -> Vec<PolicyError> {
    let mut errors = missing(&parts.profiles, parts.texts);
    errors.extend(twice(parts));
    errors.extend(actions(parts));
    // Cedar repeats for each policy what is said here once.
    if errors.is_empty() {
        errors.extend(validate(parts));
    }
    errors.extend(parts.profiles.values().flat_map(|profile| profile_names(parts, profile)));
    for (rule, _) in &parts.policies {
        errors.extend(profile_rule(parts, rule));
    }
    errors
}

fn twice(parts: &Parts<'_>) -> Vec<PolicyError> {
    let mut seen: BTreeMap<&str, &Rule> = BTreeMap::new();
    let mut errors = Vec::new();
    for (rule, _) in &parts.policies {
        if let Some(first) = seen.insert(&rule.id, rule) {
            let message = format!("the id {} stands already at {}:{}", rule.id, first.file, first.line);
            errors.push(PolicyError::new(&rule.file, Some(rule.line), message, "give it another"));
        }
    }
    errors
}

/// Cedar's strict validation against the schema; a warning (a policy that never applies) counts as an error.
fn validate(parts: &Parts<'_>) -> Vec<PolicyError> {
    let mut set = CedarSet::new();
    let mut rules = BTreeMap::new();
    for (rule, policy) in &parts.policies {
        rules.insert(rule.id.as_str(), rule);
        if let Err(error) = set.add(policy.clone()) {
            return vec![PolicyError::new(&rule.file, Some(rule.line), said(&error), "give it another id")];
        }
    }
    let result = Validator::new(parts.schema.clone()).validate(&set, ValidationMode::Strict);
    let found = |id: &cedar_policy::PolicyId, diagnostic: &dyn miette::Diagnostic| {
        let id = id.to_string();
        let rule = rules.get(id.as_str());
        let file = rule.map_or(SCHEMA, |rule| rule.file.as_str());
        let text = parts.texts.get(file).map_or("", String::as_str);
        let line = line_of(diagnostic, text).or(rule.map(|rule| rule.line));
        PolicyError::new(file, line, said(diagnostic), "write it as the schema (canvass.cedarschema) has it")
    };
    let errors = result.validation_errors().map(|error| found(error.policy_id(), error));
    let warnings = result.validation_warnings().map(|warning| found(warning.policy_id(), warning));
    errors.chain(warnings).collect()
}

/// The tables of roles and the schema name the same actions.
fn actions(parts: &Parts<'_>) -> Vec<PolicyError> {
    let declared: BTreeSet<String> =
        parts.schema.actions().map(|action| action.id().unescaped().to_owned()).collect();
    let groups: BTreeSet<String> =
        parts.schema.action_groups().map(|group| group.id().unescaped().to_owned()).collect();
    let mut errors = Vec::new();
    for (action, row) in parts.table.rows() {
        if !declared.contains(action) || groups.contains(action) {
            let (file, line) = &row.at;
            let message = format!("{action} is no action of the schema");
            errors.push(PolicyError::new(file, Some(*line), message, "declare it in canvass.cedarschema"));
        }
    }
    let schema = parts.texts.get(SCHEMA).map_or("", String::as_str);
    let in_table: BTreeSet<&str> = parts.table.rows().map(|(action, _)| action).collect();
    for action in
        declared.iter().filter(|action| !groups.contains(*action) && !in_table.contains(action.as_str()))
    {
        let line = schema.find(&format!("\"{action}\"")).map(|at| line_at(schema, at));
        let message = format!("the action {action} has no row in the tables of roles");
        errors.push(PolicyError::new(SCHEMA, line, message, "add its row to roles.txt"));
    }
    errors
}

/// Profiles name purposes and profiles that exist, and no state twice.
fn profile_names(parts: &Parts<'_>, profile: &Profile) -> Vec<PolicyError> {
    let path = format!("profiles/{}.toml", profile.id);
    let text = parts.texts.get(&path).map_or("", String::as_str);
    let mut errors = Vec::new();
    let mut fail = |needle: &str, message: String, remedy: &str| {
        let line = text.find(&format!("\"{needle}\"")).map(|at| line_at(text, at));
        errors.push(PolicyError::new(&path, line, message, remedy));
    };
    let known: BTreeSet<&str> = parts.purposes.classes().iter().map(|class| class.id.as_str()).collect();
    for purpose in profile.purposes.only.iter().chain(&profile.purposes.forbidden) {
        if !known.contains(purpose.as_str()) {
            fail(
                purpose,
                format!("{purpose} is no purpose of purposes.toml"),
                "correct its name, or add it there",
            );
        }
    }
    for other in &profile.sharing.compatible {
        if !parts.profiles.contains_key(other) {
            fail(other, format!("{other} is no profile"), "correct its name, or add its file");
        }
    }
    for text in profile.purposes.words.iter().flat_map(|rule| &rule.words) {
        if Pattern::parse(text).is_none() {
            fail(text, format!("`{text}` is no pattern of words"), PATTERN_REMEDY);
        }
    }
    for subdivision in &profile.subdivisions {
        let claims = |other: &&Profile| other.id < profile.id && other.subdivisions.contains(subdivision);
        if let Some(other) = parts.profiles.values().find(claims) {
            fail(
                subdivision,
                format!("{subdivision} belongs to the profile {} already", other.id),
                "keep it in one",
            );
        }
    }
    errors
}

/// A rule of a profile cites the article that the profile lists for it, and a profile's rules have their profile.
fn profile_rule(parts: &Parts<'_>, rule: &Rule) -> Option<PolicyError> {
    if !rule.file.starts_with("profiles/") {
        return None;
    }
    let fail = |message: String, remedy: String| {
        Some(PolicyError::new(&rule.file, Some(rule.line), message, remedy))
    };
    let id = stem(&rule.file);
    let Some(profile) = parts.profiles.get(id) else {
        return fail(format!("there is no profiles/{id}.toml"), "add the profile".into());
    };
    if rule.permits {
        return fail(
            format!("{} permits", rule.id),
            "a state's law only forbids; rights stand in roles.txt and sharing.cedar".into(),
        );
    }
    let law = profile.law.iter().find(|law| law.rule == rule.id);
    match (law, &rule.law) {
        (Some(law), Some(cite)) if law.cite == *cite => None,
        (Some(law), _) => {
            fail(format!("{} does not cite its article", rule.id), format!("write @law(\"{}\")", law.cite))
        }
        (None, _) => fail(
            format!("{} has no [[law]] in profiles/{id}.toml", rule.id),
            "add one that cites the article and says how far it was checked".into(),
        ),
    }
}

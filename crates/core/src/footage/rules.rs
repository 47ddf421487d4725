//! What may not be searched for: public, for everybody to read.

use std::sync::LazyLock;

use canvass_footage::{Rules, Words};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{CoreError, ports::StoreError};

/// The rules and words of this version, read once.
static DATA: LazyLock<Result<(Rules, Words), String>> = LazyLock::new(|| {
    let words = Words::built_in().map_err(|error| error.to_string())?;
    Ok((Rules::built_in().map_err(|error| error.to_string())?, words))
});

pub(super) fn data() -> Result<&'static (Rules, Words), CoreError> {
    // A test of the crate that holds these files keeps this from happening.
    DATA.as_ref().map_err(|reason| StoreError::Unavailable(reason.clone()).into())
}

/// One thing that footage may not be searched for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FootageRule {
    /// Its short name, as refusals and the oversight ledger have it.
    pub id: String,
    /// What it refuses, in English.
    pub title_en: String,
    /// What it refuses, in Spanish.
    pub title_es: String,
    /// Why, and what to do instead, in English.
    pub reason_en: String,
    /// Why, and what to do instead, in Spanish.
    pub reason_es: String,
}

/// All that footage may not be searched for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FootageRules {
    /// The rules.
    pub rules: Vec<FootageRule>,
}

/// The rules of what footage may not be searched for. The words that they look for are not among them: who reads the list
/// learns what is refused, not how to write around it.
///
/// # Errors
/// A file in the program can't be used; a test keeps that from happening.
pub fn footage_rules() -> Result<FootageRules, CoreError> {
    let rules = data()?.0.all().iter().map(|rule| FootageRule {
        id: rule.id.clone(),
        title_en: rule.title_en.clone(),
        title_es: rule.title_es.clone(),
        reason_en: rule.reason_en.clone(),
        reason_es: rule.reason_es.clone(),
    });
    Ok(FootageRules { rules: rules.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_can_read_each_rule_in_two_languages() {
        let rules = footage_rules().unwrap().rules;
        assert!(rules.iter().any(|rule| rule.id == "names") && rules.len() >= 10);
        for rule in rules {
            let texts = [&rule.title_en, &rule.title_es, &rule.reason_en, &rule.reason_es];
            assert!(texts.iter().all(|text| !text.trim().is_empty()), "{}", rule.id);
        }
    }
}

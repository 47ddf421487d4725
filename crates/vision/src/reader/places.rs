//! Names of countries, as readers of plates are trained with them, as codes.

use crate::Region;

/// English names and the codes of ISO 3166.
const NAMES: &[(&str, &str)] = &[
    ("albania", "AL"),
    ("andorra", "AD"),
    ("argentina", "AR"),
    ("armenia", "AM"),
    ("australia", "AU"),
    ("austria", "AT"),
    ("azerbaijan", "AZ"),
    ("belarus", "BY"),
    ("belgium", "BE"),
    ("bolivia", "BO"),
    ("bosnia and herzegovina", "BA"),
    ("brazil", "BR"),
    ("bulgaria", "BG"),
    ("canada", "CA"),
    ("chile", "CL"),
    ("china", "CN"),
    ("colombia", "CO"),
    ("costa rica", "CR"),
    ("croatia", "HR"),
    ("cyprus", "CY"),
    ("czech republic", "CZ"),
    ("czechia", "CZ"),
    ("denmark", "DK"),
    ("ecuador", "EC"),
    ("estonia", "EE"),
    ("finland", "FI"),
    ("france", "FR"),
    ("georgia", "GE"),
    ("germany", "DE"),
    ("gibraltar", "GI"),
    ("greece", "GR"),
    ("guatemala", "GT"),
    ("hungary", "HU"),
    ("iceland", "IS"),
    ("india", "IN"),
    ("ireland", "IE"),
    ("israel", "IL"),
    ("italy", "IT"),
    ("japan", "JP"),
    ("kazakhstan", "KZ"),
    ("kosovo", "XK"),
    ("latvia", "LV"),
    ("liechtenstein", "LI"),
    ("lithuania", "LT"),
    ("luxembourg", "LU"),
    ("malaysia", "MY"),
    ("malta", "MT"),
    ("mexico", "MX"),
    ("moldova", "MD"),
    ("monaco", "MC"),
    ("montenegro", "ME"),
    ("morocco", "MA"),
    ("netherlands", "NL"),
    ("new zealand", "NZ"),
    ("north macedonia", "MK"),
    ("norway", "NO"),
    ("panama", "PA"),
    ("paraguay", "PY"),
    ("peru", "PE"),
    ("poland", "PL"),
    ("portugal", "PT"),
    ("romania", "RO"),
    ("russia", "RU"),
    ("san marino", "SM"),
    ("serbia", "RS"),
    ("singapore", "SG"),
    ("slovakia", "SK"),
    ("slovenia", "SI"),
    ("south africa", "ZA"),
    ("spain", "ES"),
    ("sweden", "SE"),
    ("switzerland", "CH"),
    ("thailand", "TH"),
    ("turkey", "TR"),
    ("ukraine", "UA"),
    ("united arab emirates", "AE"),
    ("united kingdom", "GB"),
    ("united states", "US"),
    ("united states of america", "US"),
    ("uruguay", "UY"),
    ("usa", "US"),
    ("venezuela", "VE"),
];

/// The code that a label stands for: a code as it is, or the English name of a country; none where it is neither.
pub(super) fn code(label: &str) -> Option<String> {
    let label = label.trim();
    let name = label.to_lowercase().replace(['_', '-'], " ");
    if let Some((_, code)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Some((*code).to_owned());
    }
    let upper = label.to_uppercase();
    upper.parse::<Region>().ok().map(|_| upper)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_become_codes() {
        let codes: Vec<_> = ["Argentina", "united_states", "US-MO", "de", "Unknown", ""].map(code).into();
        let wanted = [Some("AR"), Some("US"), Some("US-MO"), Some("DE"), None, None];
        assert_eq!(codes, wanted.map(|code| code.map(str::to_owned)));
    }
}

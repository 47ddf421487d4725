//! A chain of custody as comma-separated values (RFC 4180), for spreadsheets.

use canvass_core::custody::CustodyView;

use super::model::CaseFile;

/// One row for each event, under a row of names.
pub(super) fn render(case: &CaseFile, chain: &CustodyView) -> Vec<u8> {
    let mut text = String::from("number,at,event,by,name,detail,previous,hash\r\n");
    for event in &chain.events {
        let by = event.by.as_ref().map(ToString::to_string).unwrap_or_default();
        let name =
            case.people.iter().find(|person| person.id.as_str() == by).map_or("", |person| &person.name);
        let fields = [
            event.number.to_string(),
            event.at.to_string(),
            event.event.clone(),
            by.clone(),
            name.to_owned(),
            event.detail.to_string(),
            event.previous.to_string(),
            event.hash.to_string(),
        ];
        let quoted: Vec<String> = fields.iter().map(|field| quote(field)).collect();
        text.push_str(&quoted.join(","));
        text.push_str("\r\n");
    }
    text.into_bytes()
}

/// Quotes a field where RFC 4180 asks for it. A field that a spreadsheet would run as a formula gets a quote before it.
fn quote(field: &str) -> String {
    let formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let field = if formula { format!("'{field}") } else { field.to_owned() };
    if field.contains([',', '"', '\r', '\n']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_and_formulas_disarmed() {
        for (field, expected) in
            [("a", "a"), ("a,b", "\"a,b\""), ("say \"x\"", "\"say \"\"x\"\"\""), ("=1+1", "'=1+1"), ("", "")]
        {
            assert_eq!(quote(field), expected);
        }
    }
}

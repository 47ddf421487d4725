//! What can be read without script of search of footage: what it refuses, and how often seeing is wrong. Both are of this version
//! of the program; the private role writes them when it starts.

use std::fmt::{self, Display, Write as _};

use canvass_core::footage::{FootageRule, footage_rules};
use serde::Deserialize;

use super::{Both, Html};
use crate::files::Copies;

/// The part of the page of rules that is read without script.
pub(crate) const RULES: &str = "footage/rules.html";
/// The part of the page of error rates that is read without script.
pub(crate) const RATES: &str = "footage/error-rates.html";
/// The rules themselves, as the desk's `GET /api/v1/footage/rules` tells them.
const LIST: &str = "footage/rules.json";
/// The measurements themselves.
const REPORT: &str = "footage/error-rates.json";

/// What `cargo xtask bench vision` measured last.
const MEASURED: &str = include_str!("../../../../docs/measured/vision.json");

/// Measurements of the models that see.
#[derive(Debug, Deserialize)]
struct Report {
    date: String,
    models: Vec<Model>,
    data: Vec<Data>,
    plates: Vec<Plates>,
    reliability: Vec<Reliability>,
    attributes: Vec<Attribute>,
    search: Vec<Search>,
}

#[derive(Debug, Deserialize)]
struct Model {
    name: String,
    #[serde(default)]
    version: String,
    sha256: String,
    licence: String,
}

#[derive(Debug, Deserialize)]
struct Data {
    name: String,
    what: String,
}

#[derive(Debug, Deserialize)]
struct Plates {
    set: String,
    plates: u64,
    found: u64,
    exact: u64,
    folded: u64,
    one_edit: u64,
    false_alarms: u64,
}

#[derive(Debug, Deserialize)]
struct Reliability {
    from: f64,
    until: f64,
    plates: u64,
    said: f64,
    right: f64,
}

#[derive(Debug, Deserialize)]
struct Attribute {
    group: String,
    value: String,
    cases: u64,
    right: u64,
}

#[derive(Debug, Deserialize)]
struct Search {
    query: String,
    language: String,
    /// Where it was searched.
    #[serde(default)]
    clip: String,
    passed: bool,
    found: u64,
    expected: u64,
    false_alarms: u64,
}

/// The files of the public folder, with their copies.
pub(crate) fn files() -> Vec<(&'static str, Vec<u8>, Copies)> {
    let mut files = Vec::new();
    // A test holds both to their form: this version has them, or it is not built.
    if let Ok(all) = footage_rules() {
        files.push((RULES, rules(&all.rules), Copies::Plain));
        files.push((LIST, serde_json::to_vec(&all).unwrap_or_default(), Copies::Packed));
    }
    if let Ok(report) = serde_json::from_str::<Report>(MEASURED) {
        files.push((RATES, rates(&report), Copies::Plain));
        files.push((REPORT, MEASURED.as_bytes().to_vec(), Copies::Packed));
    }
    files
}

/// A share with the counts that it is of.
struct Of(u64, u64);

impl Display for Of {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            0 => out.write_str("–"),
            all => write!(out, "{:.0} % ({} / {all})", self.0 as f64 * 100.0 / all as f64, self.0),
        }
    }
}

fn rules(rules: &[FootageRule]) -> Vec<u8> {
    let mut out = String::from("<main class=\"page narrow\" id=\"main\">\n");
    let title = Both("What footage is not searched for", "Lo que no se busca en las grabaciones");
    let _ = writeln!(out, "<h1>{title}</h1>");
    for text in [
        Both(
            "Police can search footage by description: clothes, things, vehicles. These descriptions are refused before anything is looked at, in English and in Spanish, spelling tricks included.",
            "La policía puede buscar en las grabaciones por descripción: ropa, cosas, vehículos. Estas descripciones se rechazan antes de mirar nada, en inglés y en español, aunque se escriban con trucos.",
        ),
        Both(
            "Every search and every refusal stands in the oversight ledger, with the rule and without the words.",
            "Cada búsqueda y cada rechazo constan en el registro de supervisión, con la regla y sin las palabras.",
        ),
    ] {
        let _ = writeln!(out, "<p>{text}</p>");
    }
    for rule in rules {
        let (en, es) = (Html(&rule.title_en), Html(&rule.title_es));
        let _ = writeln!(out, "<h2>{en} <span lang=\"es\">· {es}</span></h2>");
        let _ =
            writeln!(out, "<p>{}</p>\n<p lang=\"es\">{}</p>", Html(&rule.reason_en), Html(&rule.reason_es));
        let name = Both("Name in the ledger", "Nombre en el registro");
        let _ = writeln!(out, "<p><small>{name}: <code>{}</code></small></p>", Html(&rule.id));
    }
    let try_it = Both("Try a description with the program:", "Pruebe una descripción con el programa:");
    let _ = writeln!(out, "<p>{try_it} <code>canvass footage allowed 'man in blue shirt'</code></p>");
    let rates = Both("How often it is wrong", "Con qué frecuencia se equivoca");
    let ledger = Both("Transparency", "Transparencia");
    let _ = writeln!(
        out,
        "<p><a href=\"/footage/error-rates\">{rates}</a></p>\n<p><a href=\"/ledger\">{ledger}</a></p>\n</main>"
    );
    out.into_bytes()
}

/// A table with a caption; the first column names the row.
fn table(out: &mut String, caption: &Both, head: &[Both], rows: &[Vec<String>]) {
    let _ = writeln!(out, "<div class=\"scroll-x\"><table>\n<caption>{caption}</caption>\n<thead><tr>");
    for name in head {
        let _ = writeln!(out, "<th scope=\"col\">{name}</th>");
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for (at, cell) in row.iter().enumerate() {
            let cell = Html(cell);
            let _ = if at == 0 {
                write!(out, "<th scope=\"row\">{cell}</th>")
            } else {
                write!(out, "<td>{cell}</td>")
            };
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
    if rows.is_empty() {
        let none = Both("Not measured yet.", "Todavía sin medir.");
        let _ = writeln!(out, "<p>{none}</p>");
    }
}

fn rates(report: &Report) -> Vec<u8> {
    let mut out = String::from("<main class=\"page\" id=\"main\">\n");
    let title = Both("How often seeing is wrong", "Con qué frecuencia se equivoca la visión");
    let _ = writeln!(out, "<h1>{title}</h1>");
    let measured = Both("Measured on", "Medido el");
    let _ = writeln!(out, "<p>{measured} {}.</p>", Html(&report.date));
    for text in [
        Both(
            "A reading or a moment that fits is a hint and no proof: a person compares it with the picture.",
            "Una lectura o un momento que encaja es un indicio y no una prueba: una persona lo compara con la imagen.",
        ),
        Both(
            "The sets are small: in a set of 10, one mistake is 10 points. Other cameras, light and weather give other figures.",
            "Los conjuntos son pequeños: en uno de 10, un error son 10 puntos. Otras cámaras, luz y tiempo dan otras cifras.",
        ),
    ] {
        let _ = writeln!(out, "<p>{text}</p>");
    }
    plates(&mut out, report);
    seen(&mut out, report);
    let data = report.data.iter().map(|one| vec![one.name.clone(), one.what.clone()]).collect::<Vec<_>>();
    let head = [Both("Set", "Conjunto"), Both("What it is", "Qué es")];
    table(&mut out, &Both("What was measured on", "Con qué se midió"), &head, &data);
    let models = report
        .models
        .iter()
        .map(|one| vec![one.name.clone(), one.version.clone(), one.licence.clone(), one.sha256.clone()]);
    let head = [
        Both("Model", "Modelo"),
        Both("Version", "Versión"),
        Both("Licence", "Licencia"),
        Both("SHA-256", "SHA-256"),
    ];
    table(&mut out, &Both("The models", "Los modelos"), &head, &models.collect::<Vec<_>>());
    let file = Both("All of it as a file", "Todo esto como archivo");
    let rules = Both("What is not searched for", "Lo que no se busca");
    let _ = writeln!(
        out,
        "<p><a href=\"/{REPORT}\">{file}</a></p>\n<p><a href=\"/footage/rules\">{rules}</a></p>\n</main>"
    );
    out.into_bytes()
}

fn plates(out: &mut String, report: &Report) {
    let rows = report.plates.iter().map(|one| {
        let shares = [one.found, one.exact, one.folded, one.one_edit].map(|n| Of(n, one.plates).to_string());
        let mut row = vec![one.set.clone(), one.plates.to_string()];
        row.extend(shares);
        row.push(one.false_alarms.to_string());
        row
    });
    let head = [
        Both("Set", "Conjunto"),
        Both("Plates", "Matrículas"),
        Both("Found", "Encontradas"),
        Both("Read exactly", "Leídas exactas"),
        Both("Exactly, O as 0 and I as 1", "Exactas, O como 0 e I como 1"),
        Both("At most one character off", "Con un carácter de diferencia como mucho"),
        Both("Plates that are none", "Matrículas que no lo son"),
    ];
    table(out, &Both("Number plates", "Matrículas"), &head, &rows.collect::<Vec<_>>());
    let rows = report.reliability.iter().map(|one| {
        let percent = |share: f64| format!("{:.0} %", share * 100.0);
        let from_until = format!("{} – {}", percent(one.from), percent(one.until));
        vec![from_until, one.plates.to_string(), percent(one.said), percent(one.right)]
    });
    let head = [
        Both("Confidence", "Confianza"),
        Both("Readings", "Lecturas"),
        Both("Said, on average", "Dicho, de media"),
        Both("Right", "Acertadas"),
    ];
    let caption = Both("Whether a confidence means what it says", "Si una confianza significa lo que dice");
    table(out, &caption, &head, &rows.collect::<Vec<_>>());
}

fn seen(out: &mut String, report: &Report) {
    let rows = report
        .attributes
        .iter()
        .map(|one| vec![format!("{}: {}", one.group, one.value), Of(one.right, one.cases).to_string()]);
    let head = [Both("What", "Qué"), Both("Right", "Acertadas")];
    let caption = Both("People, vehicles and colours", "Personas, vehículos y colores");
    table(out, &caption, &head, &rows.collect::<Vec<_>>());
    let rows = report.search.iter().map(|one| {
        let passed = if one.passed { "✓" } else { "✗" };
        let found = Of(one.found, one.expected).to_string();
        let query =
            if one.clip.is_empty() { one.query.clone() } else { format!("{} · {}", one.query, one.clip) };
        vec![query, one.language.clone(), found, one.false_alarms.to_string(), passed.to_owned()]
    });
    let head = [
        Both("Description", "Descripción"),
        Both("Language", "Idioma"),
        Both("Found", "Encontradas"),
        Both("False alarms", "Falsas alarmas"),
        Both("Passed", "Superada"),
    ];
    table(
        out,
        &Both("Searches by description", "Búsquedas por descripción"),
        &head,
        &rows.collect::<Vec<_>>(),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str) -> String {
        let (_, bytes, _) = files().into_iter().find(|(each, ..)| *each == name).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn each_rule_is_read_in_both_languages() {
        let page = text(RULES);
        let all = footage_rules().unwrap().rules;
        assert_eq!(page.matches("<h2>").count(), all.len());
        for rule in all {
            for part in [&rule.title_en, &rule.title_es, &rule.reason_en, &rule.reason_es] {
                assert!(page.contains(&Html(part).to_string()), "{}: {part}", rule.id);
            }
        }
        assert!(page.contains("canvass footage allowed") && page.contains("oversight ledger"));
    }

    #[test]
    fn what_was_measured_is_told_with_its_counts() {
        let page = text(RATES);
        let report: Report = serde_json::from_str(&text(REPORT)).unwrap();
        assert!(!report.plates.is_empty() && page.matches("<caption>").count() == 6);
        for set in &report.plates {
            assert!(page.contains(&Of(set.folded, set.plates).to_string()), "{}", set.set);
        }
        assert!(page.contains("The sets are small"));
    }

    #[test]
    fn shares_come_with_their_counts() {
        assert_eq!(Of(142, 147).to_string(), "97 % (142 / 147)");
        assert_eq!(Of(0, 0).to_string(), "–");
    }

    #[test]
    fn no_text_of_a_report_becomes_markup() {
        let mut report: Report = serde_json::from_str(MEASURED).unwrap();
        let hostile = "<script>\"'&".to_owned();
        let before = String::from_utf8(rates(&report)).unwrap().matches('<').count();
        for set in &mut report.plates {
            set.set.clone_from(&hostile);
        }
        for one in &mut report.data {
            one.what.clone_from(&hostile);
        }
        report.date = hostile;
        assert_eq!(String::from_utf8(rates(&report)).unwrap().matches('<').count(), before);
    }
}

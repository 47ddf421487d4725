//! What can be read of a region, or of the settings, without script: a fragment of HTML that the public role puts into the resident's page.
//!
//! It holds what the bundle holds, in both languages side by side where words are ours; what an agency wrote stands as it
//! wrote it, escaped. Equal content gives equal bytes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Display, Write as _},
};

use canvass_core::feed::RegionEntry;
use canvass_types::{IncidentType, PublicRequest, RequestBody, Time};

pub(crate) mod footage;
mod transparency;

pub(crate) use transparency::transparency;

/// Requests of one page; the bundle has all.
const MOST: usize = 200;
/// Metres of one degree of latitude.
const METRES_A_DEGREE: f64 = 111_320.0;
/// Metres of a mile.
const METRES_A_MILE: f64 = 1_609.344;

/// Text that is somebody's own, escaped for HTML; characters that no text has are left out.
struct Html<'a>(&'a str);

impl Display for Html<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => out.write_str("&amp;")?,
                '<' => out.write_str("&lt;")?,
                '>' => out.write_str("&gt;")?,
                '"' => out.write_str("&quot;")?,
                '\'' => out.write_str("&#39;")?,
                '\n' | '\t' => out.write_char(character)?,
                other if other.is_control() => {}
                other => out.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// Our words in both languages.
struct Both(&'static str, &'static str);

impl Display for Both {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} <span lang=\"es\">· {}</span>", self.0, self.1)
    }
}

/// The reading page of a region, of the requests that its bundle shows.
pub(crate) fn region(region: &str, requests: &[PublicRequest]) -> Vec<u8> {
    let mut ordered: Vec<&PublicRequest> = requests.iter().collect();
    ordered.sort_by(|a, b| (b.at, &a.id).cmp(&(a.at, &b.id)));
    let mut out = String::from("<main class=\"page narrow\" id=\"main\">\n");
    let title = Both("Requests for footage", "Solicitudes de grabaciones");
    let _ = writeln!(out, "<h1>{title}</h1>");
    let none = Both("No request is open here now.", "Ahora no hay ninguna solicitud abierta aquí.");
    if ordered.is_empty() {
        let _ = writeln!(out, "<p>{none}</p>");
    }
    // Giving seals on the reader's device, which takes a program.
    let give = Both("To give footage, turn JavaScript on.", "Para dar grabaciones, active JavaScript.");
    let _ = writeln!(out, "<noscript><p>{give}</p></noscript>\n<div class=\"stack\">");
    for request in ordered.iter().take(MOST) {
        article(&mut out, request);
    }
    out.push_str("</div>\n");
    let file = format!("/feed/{}.json", Html(region));
    let all =
        Both("All requests of this region, with proofs", "Todas las solicitudes de esta región, con pruebas");
    let _ = writeln!(out, "<p><a href=\"{file}\">{all}</a> ({})</p>", ordered.len());
    let home = Both("All regions", "Todas las regiones");
    let _ = writeln!(out, "<p><a href=\"/\">{home}</a></p>\n</main>");
    out.into_bytes()
}

fn article(out: &mut String, request: &PublicRequest) {
    let id = &request.id;
    let _ = writeln!(out, "<article class=\"card\" id=\"{id}\">");
    let Some(signed) = &request.request else {
        let withheld = Both("Withheld by law", "Retenida por ley");
        let _ = writeln!(out, "<h2>{withheld}</h2>\n</article>");
        return;
    };
    let body = &signed.body;
    let _ = writeln!(out, "<h2>{}</h2>\n<p>{}</p>", Html(&body.agency.name), incident(body.incident));
    let lang = body.languages.first().map_or("und", String::as_str);
    for paragraph in body.details.lines().filter(|line| !line.trim().is_empty()) {
        let _ = writeln!(out, "<p lang=\"{}\">{}</p>", Html(lang), Html(paragraph));
    }
    out.push_str("<dl class=\"facts\">\n");
    let zone = &body.time_frame.zone;
    let frame = format!(
        "{} – {} ({})",
        moment(body.time_frame.start, zone),
        moment(body.time_frame.end, zone),
        Html(zone)
    );
    fact(out, &Both("When", "Cuándo"), &frame);
    fact(out, &Both("Where", "Dónde"), &place(body));
    if let Some(closes) = request.closes {
        fact(out, &Both("Open until", "Abierta hasta"), &moment(closes, zone));
    }
    fact(out, &Both("Contact", "Contacto"), &contact(body));
    fact(out, &Both("Code", "Código"), &Html(&body.code));
    fact(out, &Both("Digest", "Huella"), &format_args!("<code>{}</code>", Html(&signed.digest.to_string())));
    let proof = Both("Request with its proofs", "Solicitud con sus pruebas");
    fact(out, &Both("Proof", "Prueba"), &format_args!("<a href=\"/requests/{id}.json\">{proof}</a>"));
    out.push_str("</dl>\n</article>\n");
}

fn fact(out: &mut String, name: &Both, value: &dyn Display) {
    let _ = writeln!(out, "<dt>{name}</dt><dd>{value}</dd>");
}

/// The place's own time, with the zone's name at that moment.
fn moment(at: Time, zone: &str) -> String {
    let local = at.timestamp().in_tz(zone).map(|zoned| zoned.strftime("%Y-%m-%d %H:%M %Z").to_string());
    let shown = local.unwrap_or_else(|_| at.to_string());
    format!("<time datetime=\"{at}\">{}</time>", Html(&shown))
}

/// The middle of the area and how far it reaches.
fn place(body: &RequestBody) -> String {
    let ring = body.area.ring();
    let span = |axis: fn(&[f64; 2]) -> f64| {
        let values = ring.iter().map(axis);
        values
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
    };
    let (west, east) = span(|[longitude, _]| *longitude);
    let (south, north) = span(|[_, latitude]| *latitude);
    let (longitude, latitude) = (f64::midpoint(west, east), f64::midpoint(south, north));
    let wide = (east - west) * METRES_A_DEGREE * latitude.to_radians().cos();
    let high = (north - south) * METRES_A_DEGREE;
    let around = Both("around", "alrededor de");
    format!(
        "{around} {latitude:.4}, {longitude:.4}; {wide:.0} m × {high:.0} m ({:.2} mi × {:.2} mi)",
        wide / METRES_A_MILE,
        high / METRES_A_MILE
    )
}

fn contact(body: &RequestBody) -> String {
    let contact = &body.contact;
    let parts = [Some(&contact.name), contact.phone.as_ref(), contact.email.as_ref()];
    let parts: Vec<String> = parts.into_iter().flatten().map(|part| Html(part).to_string()).collect();
    parts.join(", ")
}

const fn incident(incident: IncidentType) -> Both {
    match incident {
        IncidentType::Homicide => Both("Homicide", "Homicidio"),
        IncidentType::Assault => Both("Assault", "Agresión"),
        IncidentType::Robbery => Both("Robbery", "Robo con violencia"),
        IncidentType::Burglary => Both("Burglary", "Robo en un edificio"),
        IncidentType::Theft => Both("Theft", "Hurto"),
        IncidentType::VehicleTheft => Both("Vehicle theft", "Robo de vehículo"),
        IncidentType::Collision => Both("Collision", "Choque"),
        IncidentType::Vandalism => Both("Damage to property", "Daños a la propiedad"),
        IncidentType::Arson => Both("Arson", "Incendio provocado"),
        IncidentType::Shooting => Both("Shooting", "Disparos"),
        IncidentType::MissingPerson => Both("Missing person", "Persona desaparecida"),
        IncidentType::Abduction => Both("Abduction", "Secuestro"),
        IncidentType::Other => Both("Other", "Otro"),
    }
}

/// The list of regions that hold requests, each with who asks there.
pub(crate) fn index(regions: &[RegionEntry], askers: &BTreeMap<String, BTreeSet<String>>) -> Vec<u8> {
    let mut out = String::from("<main class=\"page narrow\" id=\"main\">\n");
    let title = Both("Requests for footage", "Solicitudes de grabaciones");
    let _ = writeln!(out, "<h1>{title}</h1>");
    if regions.is_empty() {
        let none = Both("No request is open now.", "Ahora no hay ninguna solicitud abierta.");
        let _ = writeln!(out, "<p>{none}</p>");
    } else {
        out.push_str("<ul>\n");
    }
    for entry in regions {
        let names: Vec<String> =
            askers.get(&entry.region).into_iter().flatten().map(|name| Html(name).to_string()).collect();
        let region = Html(&entry.region);
        let count = match entry.requests {
            1 => Both("request", "solicitud"),
            _ => Both("requests", "solicitudes"),
        };
        let _ = writeln!(
            out,
            "<li><a href=\"/r/{region}\">{}</a>: {} {count} <small>({region})</small></li>",
            names.join(", "),
            entry.requests
        );
    }
    if !regions.is_empty() {
        out.push_str("</ul>\n");
    }
    out.push_str("</main>\n");
    out.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use canvass_core::feed::RegionBundle;

    fn requests() -> Vec<PublicRequest> {
        let bytes = include_bytes!("../../../vectors/requests/feed-bundle.json");
        serde_json::from_slice::<RegionBundle>(bytes).unwrap().expand().unwrap().requests
    }

    fn text(requests: &[PublicRequest]) -> String {
        String::from_utf8(region("832a36fffffffff", requests)).unwrap()
    }

    #[test]
    fn a_region_reads_as_a_list_of_notices() {
        let requests = requests();
        let page = text(&requests);
        assert_eq!(page.matches("<h1>").count(), 1);
        assert_eq!(page.matches("<article").count(), requests.len());
        for request in &requests {
            assert!(page.contains(&format!("id=\"{}\"", request.id)));
            if let Some(signed) = &request.request {
                assert!(page.contains(&signed.digest.to_string()));
                assert!(page.contains(&Html(&signed.body.contact.name).to_string()));
                assert!(page.contains(&Html(&signed.body.code).to_string()));
            }
        }
        let mut turned = requests;
        turned.reverse();
        assert_eq!(text(&turned), page, "the order of a query does not show");
        assert!(text(&[]).contains("No request is open here now."));
        let entry = RegionEntry {
            region: "832a36fffffffff".into(),
            requests: 1,
            generated: Time::from_second(0),
            bytes: 1,
            digest: canvass_types::Digest::of(b""),
        };
        let asker = BTreeSet::from(["Town & <Sons>".to_owned()]);
        let askers = BTreeMap::from([(entry.region.clone(), asker)]);
        let list = String::from_utf8(index(std::slice::from_ref(&entry), &askers)).unwrap();
        let link = "<a href=\"/r/832a36fffffffff\">Town &amp; &lt;Sons&gt;</a>: 1 request ";
        assert!(list.contains(link), "{list}");
    }

    #[test]
    fn times_are_the_places_own() {
        let shown = moment("2026-11-24T06:30:00Z".parse().unwrap(), "America/New_York");
        assert_eq!(shown, "<time datetime=\"2026-11-24T06:30:00Z\">2026-11-24 01:30 EST</time>");
        assert!(moment(Time::from_second(0), "Nowhere/<b>").contains("1970-01-01T00:00:00Z</time>"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_becomes_markup(hostile in "[<>&\"'a-z/= \\x00-\\x1f]{0,60}") {
            let mut requests = requests();
            let request = requests.iter_mut().find(|request| request.request.is_some()).unwrap();
            let body = &mut request.request.as_mut().unwrap().body;
            let tags = |page: &str| page.matches('<').count();
            body.details = "plain".into();
            let before = tags(&text(std::slice::from_ref(request)));
            let body = &mut request.request.as_mut().unwrap().body;
            body.agency.name.clone_from(&hostile);
            body.code.clone_from(&hostile);
            body.contact.name.clone_from(&hostile);
            body.languages = vec![hostile.clone()];
            body.time_frame.zone.clone_from(&hostile);
            body.details = format!("x{}", hostile.replace(['\n', '\r'], " "));
            let page = text(std::slice::from_ref(request));
            proptest::prop_assert_eq!(tags(&page), before);
            proptest::prop_assert!(!page.contains(char::from(0)));
        }
    }
}

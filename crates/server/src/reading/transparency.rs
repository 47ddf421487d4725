//! What can be read of the transparency page without script: the settings. Counts come from the ledgers, which a reader
//! verifies, and that takes a program.

use std::fmt::Write as _;

use canvass_core::{
    records::{LegalBasis, SafelistMode},
    transparency::{
        AgencyTransparency, LiveSetting, OpenContradiction, RoleCount, SharingShown, TextShown, Transparency,
    },
};
use canvass_types::{AgencyState, Role};

use super::{Both, Html};

/// Agencies of one page; `/transparency.json` has all.
const MOST: usize = 500;

/// The reading page of the settings.
pub(crate) fn transparency(summary: &Transparency) -> Vec<u8> {
    let mut out = String::from("<main class=\"page narrow\" id=\"main\">\n");
    let title = Both("Transparency", "Transparencia");
    let _ = writeln!(out, "<h1>{title}</h1>");
    let about = Both(
        "This is what is set now, computed from the settings. Counts of what was done come from the ledgers, which your browser checks: turn JavaScript on for them.",
        "Esto es lo que está fijado ahora, calculado a partir de los ajustes. Las cuentas de lo que se hizo salen de los registros, que su navegador comprueba: para verlas, active JavaScript.",
    );
    let _ = writeln!(out, "<p>{about}</p>");
    let alarms = summary.deployment.contradictions.iter().map(|one| (None, one));
    let of_agencies = summary
        .agencies
        .iter()
        .flat_map(|agency| agency.contradictions.iter().map(|one| (Some(agency.name.as_str()), one)));
    for (whose, one) in alarms.chain(of_agencies) {
        alarm(&mut out, whose, one);
    }
    kept(&mut out, summary);
    let nobody = Both("Belongs to no agency", "No pertenece a ninguna agencia");
    let _ = writeln!(out, "<h2>{nobody}</h2>\n<dl class=\"facts\">");
    people(&mut out, &summary.deployment.members);
    texts(&mut out, "deployment", &summary.deployment.texts);
    out.push_str("</dl>\n");
    for agency in summary.agencies.iter().take(MOST) {
        section(&mut out, agency, summary.plates);
    }
    let plates = Both(
        "Number plates are not read; there is no hotlist.",
        "No se leen matrículas; no hay listas de búsqueda.",
    );
    if !summary.plates {
        let _ = writeln!(out, "<p>{plates}</p>");
    }
    hotlists(&mut out, summary);
    safelists(&mut out, summary);
    let all = Both("All of it as a file", "Todo esto como archivo");
    let _ = writeln!(out, "<p><a href=\"/transparency.json\">{all}</a></p>\n</main>");
    out.into_bytes()
}

fn hotlists(out: &mut String, summary: &Transparency) {
    if summary.hotlists.is_empty() {
        return;
    }
    let title = Both("Hotlists in force", "Listas en vigor");
    let _ = writeln!(out, "<h2>{title}</h2>\n<dl class=\"facts\">");
    for list in summary.hotlists.iter().take(MOST) {
        let agency = summary.agencies.iter().find(|agency| agency.id == list.agency);
        let basis = match list.basis {
            LegalBasis::Judicial => Both("judge’s order", "orden judicial"),
            LegalBasis::Administrative => Both("authority, no judge", "autoridad, sin juez"),
            LegalBasis::Agency => Both("the agency itself", "la propia agencia"),
        };
        let plates = Both("plates", "matrículas");
        let misread = match list.alerts.misread_percent {
            Some(percent) => format!("; {percent} % {}", Both("misread", "lecturas erróneas")),
            None => String::new(),
        };
        let off = if list.allowed {
            String::new()
        } else {
            format!("; {}", Both("off: the law in force forbids it", "apagada: la ley en vigor la prohíbe"))
        };
        let _ = writeln!(
            out,
            "<dt>{}: {}</dt><dd>{basis}; {} {plates}{misread}{off}</dd>",
            Html(agency.map_or("", |agency| agency.name.as_str())),
            Html(&list.source),
            list.entries,
        );
    }
    out.push_str("</dl>\n");
}

fn safelists(out: &mut String, summary: &Transparency) {
    if summary.safelists.is_empty() {
        return;
    }
    let title = Both("Safelists: residents’ own plates", "Listas seguras: matrículas de residentes");
    let _ = writeln!(out, "<h2>{title}</h2>\n<dl class=\"facts\">");
    for list in summary.safelists.iter().take(MOST) {
        let agency = summary.agencies.iter().find(|agency| agency.id == list.agency);
        let mode = match list.mode {
            SafelistMode::Off => {
                Both("reads are stored as all others", "las lecturas se guardan como las demás")
            }
            SafelistMode::Tag => Both("reads are stored and marked", "las lecturas se guardan y se marcan"),
            SafelistMode::Drop => Both("reads are not stored", "las lecturas no se guardan"),
        };
        let (plates, dropped) = (Both("plates", "matrículas"), Both("reads dropped", "lecturas descartadas"));
        let _ = writeln!(
            out,
            "<dt>{}</dt><dd>{mode}; {} {plates}; {} {dropped}</dd>",
            Html(agency.map_or("", |agency| agency.name.as_str())),
            list.plates,
            list.dropped,
        );
    }
    out.push_str("</dl>\n");
}

fn alarm(out: &mut String, whose: Option<&str>, one: &OpenContradiction) {
    let who = match whose {
        Some(name) => Html(name).to_string(),
        None => Both("The operator", "El operador").to_string(),
    };
    let title =
        Both("The published policy is not what is set", "La política publicada no es lo que está fijado");
    let (says, is, since) = (Both("Text", "Texto"), Both("In force", "En vigor"), Both("Since", "Desde"));
    let _ = writeln!(
        out,
        "<section class=\"card\" role=\"alert\">\n<h2>{title}</h2>\n<p>{who}: {} <code>{}</code></p>\n\
         <p>{says}: <strong>{}</strong> ({}). {is}: <strong>{}</strong>. {since}: {}.</p>\n</section>",
        label(one.setting),
        one.setting,
        Html(&one.claimed.to_string()),
        one.language.as_str(),
        Html(&one.live.to_string()),
        Html(&one.since)
    );
}

fn kept(out: &mut String, summary: &Transparency) {
    let title = Both("What is kept, and for how long", "Qué se guarda y cuánto tiempo");
    let _ = writeln!(out, "<h2>{title}</h2>\n<dl class=\"facts\">");
    for kept in &summary.kept {
        let time = match kept.days {
            Some(days) => format!("{days} {}", Both("days", "días")),
            None => Both("for ever", "para siempre").to_string(),
        };
        let _ = writeln!(out, "<dt>{}</dt><dd>{time}</dd>", class(&kept.class));
    }
    out.push_str("</dl>\n");
}

fn people(out: &mut String, members: &[RoleCount]) {
    for one in members {
        let since = Both("since", "desde");
        let _ =
            writeln!(out, "<dt>{}</dt><dd>{} ({since} {})</dd>", role(one.role), one.count, Html(&one.since));
    }
}

fn texts(out: &mut String, owner: &str, texts: &[TextShown]) {
    for text in texts {
        let title = Both("Published policy", "Política publicada");
        let since = Both("since", "desde");
        let _ = writeln!(
            out,
            "<dt>{title}</dt><dd><a href=\"/texts/{}.json\">{}</a> ({since} {})</dd>",
            Html(owner),
            text.language.as_str(),
            Html(&text.since)
        );
    }
}

/// A stretch of time, in days where it is whole ones.
fn time(seconds: u64) -> String {
    if seconds >= 86_400 && seconds.is_multiple_of(86_400) {
        return format!("{} {}", seconds / 86_400, Both("days", "días"));
    }
    format!("{} {}", seconds.div_ceil(60), Both("minutes", "minutos"))
}

fn section(out: &mut String, agency: &AgencyTransparency, plates: bool) {
    let law = if agency.law.title.is_empty() { &agency.law.profile } else { &agency.law.title };
    let _ = writeln!(out, "<h2>{}</h2>\n<dl class=\"facts\">", Html(&agency.name));
    let standing = match agency.state {
        AgencyState::Registered => Both("registered", "registrada"),
        AgencyState::Verified => Both("verified", "verificada"),
        AgencyState::Suspended => Both("suspended", "suspendida"),
    };
    let of = Both("Class, state, standing", "Clase, estado, situación");
    let _ = writeln!(
        out,
        "<dt>{of}</dt><dd>{}, {}, {standing}</dd>",
        agency.class.as_str(),
        Html(&agency.subdivision)
    );
    let _ = writeln!(out, "<dt>{}</dt><dd>{}</dd>", Both("State law", "Ley estatal"), Html(law));
    if plates {
        let kept = Both("Plate reads without a hit, with one", "Lecturas sin acierto, con acierto");
        let reads = agency.law.reads;
        let _ = writeln!(
            out,
            "<dt>{kept}</dt><dd>{}; {}</dd>",
            time(reads.seen_seconds),
            time(reads.hit_seconds)
        );
    }
    people(out, &agency.members);
    let numbers =
        Both("Signing keys, open portals, open requests", "Claves, portales abiertos, solicitudes abiertas");
    let _ = writeln!(
        out,
        "<dt>{numbers}</dt><dd>{}, {}, {}</dd>",
        agency.keys.count, agency.portals, agency.requests
    );
    let shares = Both("Shares with others", "Comparte con otros");
    if agency.sharing.is_empty() {
        let _ = writeln!(out, "<dt>{shares}</dt><dd>{}</dd>", Both("nothing", "nada"));
    }
    for rule in &agency.sharing {
        let _ = writeln!(out, "<dt>{shares}</dt><dd>{}</dd>", sharing(rule));
    }
    texts(out, agency.id.as_str(), &agency.texts);
    out.push_str("</dl>\n");
}

fn sharing(rule: &SharingShown) -> String {
    let what = match rule.what.as_str() {
        "case" => Both("one case", "un caso"),
        _ => Both("cameras", "cámaras"),
    };
    let until = Both("until", "hasta");
    format!("{what}; {}; {until} {}", rule.scope.as_str(), Html(&rule.until))
}

fn class(name: &str) -> Both {
    match name {
        "untriaged-offer" => Both("Footage that nobody has reviewed", "Grabaciones que nadie ha revisado"),
        "declined-clip" => Both("Clips that were declined", "Grabaciones rechazadas"),
        "case-item" => Both("Evidence, after its case is closed", "Pruebas, tras cerrarse el caso"),
        "draft" => Both("Drafts and refused requests", "Borradores y solicitudes denegadas"),
        "mailbox" => Both("Mailbox of an offer, after its end", "Buzón de una entrega, tras su fin"),
        "action-record" => Both("Full record of an action", "Registro completo de una acción"),
        "sign-in" => Both("Ended sign-ins", "Inicios de sesión terminados"),
        "case-record" => Both("What is on record of a closed case", "Lo que consta de un caso cerrado"),
        "search-mark" => {
            Both("Marks of searches, for owners of plates", "Marcas de búsquedas, para dueños de placas")
        }
        "published-request" => Both("Published requests", "Solicitudes publicadas"),
        "ledger-entry" => Both("Entries of the ledgers", "Anotaciones de los registros"),
        _ => Both("Other", "Otros"),
    }
}

const fn role(role: Role) -> Both {
    match role {
        Role::Operator => Both("Operators", "Operadores"),
        Role::Moderator => Both("Moderators", "Moderadores"),
        Role::Overseer => Both("Overseers", "Supervisores públicos"),
        Role::Investigator => Both("Investigators", "Investigadores"),
        Role::Supervisor => Both("Supervisors", "Supervisores"),
        Role::Custodian => Both("Custodians", "Custodios"),
        Role::Administrator => Both("Administrators", "Administradores"),
    }
}

const fn label(setting: LiveSetting) -> Both {
    match setting {
        LiveSetting::UntriagedDays => Both("Unreviewed footage, days", "Grabaciones sin revisar, días"),
        LiveSetting::DeclinedDays => Both("Declined clips, days", "Grabaciones rechazadas, días"),
        LiveSetting::ClosedCaseDays => Both("Evidence after the case, days", "Pruebas tras el caso, días"),
        LiveSetting::DraftDays => Both("Drafts, days", "Borradores, días"),
        LiveSetting::MailboxDays => Both("Mailboxes, days", "Buzones, días"),
        LiveSetting::AuditDays => Both("Records of actions, days", "Registros de acciones, días"),
        LiveSetting::TokenDays => Both("Ended sign-ins, days", "Inicios de sesión terminados, días"),
        LiveSetting::RecordDays => {
            Both("Records of closed cases, days", "Constancia de casos cerrados, días")
        }
        LiveSetting::AskClasses => Both("Who may ask", "Quién puede pedir"),
        LiveSetting::RequestsPerInvestigation => {
            Both("Requests for each investigation", "Solicitudes por investigación")
        }
        LiveSetting::MaxMinutes => Both("Longest time frame, minutes", "Franja más larga, minutos"),
        LiveSetting::LookBackDays => Both("How far back, days", "Hasta cuándo atrás, días"),
        LiveSetting::ActiveDays => Both("Requests are open, days", "Solicitudes abiertas, días"),
        LiveSetting::MaxArea => Both("Largest area, square miles", "Área más grande, millas cuadradas"),
        LiveSetting::Moderated => {
            Both("A moderator decides on every request", "Un moderador decide cada solicitud")
        }
        LiveSetting::InvitationDays => Both("Invitations, days", "Invitaciones, días"),
        LiveSetting::AskedDelayDays => Both(
            "Searches are shown to the plate's owner after, days",
            "Búsquedas visibles al dueño de la placa tras, días",
        ),
        LiveSetting::AskedKeepDays => Both("Marks of searches, days", "Marcas de búsquedas, días"),
        LiveSetting::SharingFederal => {
            Both("Sharing with federal agencies", "Compartir con agencias federales")
        }
        LiveSetting::SharingOutside => Both("Sharing with other agencies", "Compartir con otras agencias"),
        LiveSetting::LawProfile => Both("State law", "Ley estatal"),
        LiveSetting::PlatesRead => Both("Number plates are read", "Se leen matrículas"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn summary(name: &str) -> Transparency {
        let digest = canvass_types::Digest::of(b"");
        serde_json::from_value(json!({
            "v": 1, "policy": digest, "rules": digest, "plates": false, "hotlists": [], "safelists": [], "findings": {},
            "kept": [{ "class": "untriaged-offer", "setting": "retention.untriaged_days", "days": 90 },
                     { "class": "ledger-entry", "setting": null, "days": null }],
            "deployment": { "members": [{ "role": "overseer", "count": 2, "since": "2026-11-24" }],
                            "texts": [], "contradictions": [] },
            "agencies": [{
                "id": "agy_aaaaaaaaaaaaaaaaaaaaaaaaaa", "name": name, "class": "municipal", "subdivision": "US-NH",
                "state": "verified", "law": { "profile": "us-nh", "title": "New Hampshire",
                         "reads": { "seen_seconds": 180, "hit_seconds": 86400 } }, "members": [],
                "keys": { "count": 1, "since": "2026-11-01" }, "portals": 0, "requests": 3,
                "sharing": [{ "what": "cameras", "cameras": 2, "scope": "state", "within_km": null, "named": [],
                              "accepted": [], "from": "2026-11-01", "until": "2027-11-01" }],
                "texts": [{ "language": "en", "since": "2026-11-20", "digest": digest, "claims": [] }],
                "contradictions": [{ "language": "en", "setting": "law.profile", "claimed": name, "live": "us-nh",
                                     "since": "2026-11-21" }],
            }],
        }))
        .unwrap()
    }

    #[test]
    fn the_settings_read_as_facts_and_a_contradiction_stands_first() {
        let page = String::from_utf8(transparency(&summary("Concord Police"))).unwrap();
        assert_eq!(page.matches("<h1>").count(), 1);
        let (alarm, kept) = (page.find("role=\"alert\"").unwrap(), page.find("90 days").unwrap());
        assert!(alarm < kept, "{page}");
        for part in
            ["law.profile", "2026-11-21", "New Hampshire", "/texts/agy_aaaaaaaaaaaaaaaaaaaaaaaaaa.json"]
        {
            assert!(page.contains(part), "{part}");
        }
        assert!(page.contains("for ever") && page.contains("/transparency.json"));
        for setting in LiveSetting::ALL {
            assert!(!label(setting).0.is_empty() && !label(setting).1.is_empty());
        }
    }

    proptest::proptest! {
        #[test]
        fn no_name_becomes_markup(hostile in "[<>&\"'a-z/= \\x00-\\x1f]{0,60}") {
            let tags = |name: &str| String::from_utf8(transparency(&summary(name))).unwrap().matches('<').count();
            proptest::prop_assert_eq!(tags(&hostile), tags("plain"));
        }
    }
}

//! The words of notices, in the languages of the pages.

/// Texts of one language.
pub(crate) struct Texts {
    one: &'static str,
    many: &'static str,
    pub(crate) push_body: &'static str,
    pub(crate) alert_title: &'static str,
    pub(crate) alert_body: &'static str,
    pub(crate) intro: &'static str,
    pub(crate) open: &'static str,
    pub(crate) until: &'static str,
    pub(crate) why: &'static str,
    pub(crate) stop: &'static str,
    pub(crate) confirm_subject: &'static str,
    pub(crate) confirm: &'static str,
    pub(crate) ignore: &'static str,
}

const EN: Texts = Texts {
    one: "1 new request near you",
    many: "{n} new requests near you",
    push_body: "Open to see what is asked, and where. Nobody is told that you look.",
    alert_title: "An alert waits for comparison",
    alert_body: "Compare plate and picture at the desk. A match alone is no cause for anything.",
    intro: "New in a region that you chose:",
    open: "See the whole region",
    until: "open until",
    why: "You get this because this address was confirmed for notices of this region. Nothing else about you is kept. The subscription ends by itself on",
    stop: "Stop these notices now",
    confirm_subject: "Confirm notices of requests near you",
    confirm: "Somebody, probably you, asked for notices of new requests for footage. To begin them, open this within 48 hours:",
    ignore: "If it wasn't you, do nothing: the address is forgotten after 48 hours.",
};

const ES: Texts = Texts {
    one: "1 solicitud nueva cerca de usted",
    many: "{n} solicitudes nuevas cerca de usted",
    push_body: "Abra para ver qué se pide y dónde. A nadie se le dice que usted mira.",
    alert_title: "Una alerta espera la comparación",
    alert_body: "Compare la placa con la imagen en el escritorio. Una coincidencia por sí sola no es motivo de nada.",
    intro: "Nuevo en una región que usted eligió:",
    open: "Ver toda la región",
    until: "abierta hasta",
    why: "Recibe esto porque esta dirección se confirmó para avisos de esta región. No se guarda nada más sobre usted. La suscripción termina sola el",
    stop: "Detener estos avisos ahora",
    confirm_subject: "Confirme los avisos de solicitudes cerca de usted",
    confirm: "Alguien, probablemente usted, pidió avisos de nuevas solicitudes de grabaciones. Para empezarlos, abra esto en las próximas 48 horas:",
    ignore: "Si no fue usted, no haga nada: la dirección se olvida a las 48 horas.",
};

/// Texts of a language; English for one that has none.
pub(crate) fn of(language: &str) -> &'static Texts {
    if language == "es" { &ES } else { &EN }
}

impl Texts {
    pub(crate) fn push_title(&self, n: usize) -> String {
        if n == 1 { self.one.to_owned() } else { self.many.replace("{n}", &n.to_string()) }
    }
}

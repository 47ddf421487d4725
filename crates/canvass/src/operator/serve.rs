//! `canvass serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use canvass_ledger::VerifierKey;
use canvass_server::{BaseMap, Identity, MailConfig, PushConfig, Role, ServeConfig, Tls, Witness, telemetry};
use clap::Args;
use serde_json::json;

use crate::common::{Context, Failure, OsEntropy, Server, SystemClock, stop_signal};

const EXAMPLES: &str = "\
Examples:
  canvass serve --data ./data
  canvass serve --data ./data --role public --public-listen 127.0.0.1:8421
  canvass serve --data /var/lib/canvass --name 'Canvass Concord' --public-url https://canvass.example \\
    --desk-url https://desk.canvass.example \\
    --listen 0.0.0.0:8420 --tls-cert desk.pem --tls-key desk.key \\
    --public-listen 0.0.0.0:443 --public-tls-cert public.pem --public-tls-key public.key

SIGTERM stops it; requests under way may finish. Logs are JSON on standard error and name no client (CANVASS_LOG sets
their level).";

/// Run a Canvass
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Serve {
    /// The data folder
    #[arg(long, env = "CANVASS_DATA", value_name = "DIR")]
    data: PathBuf,
    /// Which part: all, public (files and uploads, no keys) or private (the desk and the jobs)
    #[arg(long, env = "CANVASS_ROLE", default_value = "all")]
    role: Role,
    /// Where the agency's desk listens [default: 127.0.0.1:8420]
    #[arg(long, env = "CANVASS_LISTEN", value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Where the public role listens [default: 127.0.0.1:8421]
    #[arg(long, env = "CANVASS_PUBLIC_LISTEN", value_name = "ADDRESS:PORT")]
    public_listen: Option<SocketAddr>,
    /// Address at which people open the desk, where alone passkeys count [default without TLS: http://localhost:PORT]
    #[arg(long, env = "CANVASS_DESK_URL", value_name = "URL")]
    desk_url: Option<String>,
    /// File of providers at which members of their agencies sign in, TOML with a table [[oidc]] each (docs/ref/oidc.md)
    #[arg(long, env = "CANVASS_OIDC", value_name = "FILE")]
    oidc: Option<PathBuf>,
    /// Address of the public role, as people open it
    #[arg(long, env = "CANVASS_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// Name of this Canvass
    #[arg(long, env = "CANVASS_NAME")]
    name: Option<String>,
    /// A witness that cosigns the ledgers; may stand several times
    #[arg(long = "witness", env = "CANVASS_WITNESSES", value_delimiter = ',', value_name = "URL=VKEY")]
    witnesses: Vec<String>,
    /// How many witnesses a reader should ask for
    #[arg(long, env = "CANVASS_QUORUM", default_value_t = 0, value_name = "N")]
    quorum: usize,
    /// Base map of the pages: an archive of vector tiles, https://… or /maps/NAME.pmtiles in the public folder
    #[arg(
        long,
        env = "CANVASS_BASE_MAP_PMTILES",
        value_name = "URL",
        requires = "base_map_attribution",
        conflicts_with = "base_map_tiles"
    )]
    base_map_pmtiles: Option<String>,
    /// Base map of the pages: pictures of tiles, https://…/{z}/{x}/{y}.png
    #[arg(long, env = "CANVASS_BASE_MAP_TILES", value_name = "URL", requires = "base_map_attribution")]
    base_map_tiles: Option<String>,
    /// Whose data the base map is, as the map says it
    #[arg(long, env = "CANVASS_BASE_MAP_ATTRIBUTION", value_name = "TEXT")]
    base_map_attribution: Option<String>,
    /// Turns web push on: whom push services may write to, mailto:… or https://…
    #[arg(long, env = "CANVASS_PUSH_CONTACT", value_name = "URL")]
    push_contact: Option<String>,
    /// A push service besides those of the known browsers: a host, .domain, or a whole origin; may stand several times
    #[arg(
        long = "push-service",
        env = "CANVASS_PUSH_SERVICES",
        value_delimiter = ',',
        requires = "push_contact"
    )]
    push_services: Vec<String>,
    /// A host or origin of this network that agencies' webhooks may reach, the latter also by plain HTTP; may stand several times
    #[arg(
        long = "webhook-inside",
        env = "CANVASS_WEBHOOK_INSIDE",
        value_delimiter = ',',
        value_name = "HOST"
    )]
    webhooks_inside: Vec<String>,
    /// Turns e-mail on: smtps://USER@HOST:465, or smtp://USER@HOST:587?tls=required
    #[arg(long, env = "CANVASS_MAIL_SMTP", value_name = "URL", requires = "mail_from")]
    mail_smtp: Option<String>,
    /// File with the password of that user
    #[arg(long, env = "CANVASS_MAIL_PASSWORD_FILE", value_name = "FILE", requires = "mail_smtp")]
    mail_password_file: Option<PathBuf>,
    /// Sender of letters, 'Canvass <notices@canvass.example>'
    #[arg(long, env = "CANVASS_MAIL_FROM", value_name = "SENDER", requires = "mail_smtp")]
    mail_from: Option<String>,
    /// Certificate chain of the desk, PEM
    #[arg(long, env = "CANVASS_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its key, PEM
    #[arg(long, env = "CANVASS_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Certificate chain of the public role, PEM
    #[arg(long, env = "CANVASS_PUBLIC_TLS_CERT", value_name = "FILE", requires = "public_tls_key")]
    public_tls_cert: Option<PathBuf>,
    /// Its key, PEM
    #[arg(long, env = "CANVASS_PUBLIC_TLS_KEY", value_name = "FILE", requires = "public_tls_cert")]
    public_tls_key: Option<PathBuf>,
    /// Plain HTTP beyond this machine, because a proxy in front speaks TLS
    #[arg(long, env = "CANVASS_INSECURE_HTTP")]
    insecure_http: bool,
    /// Bytes that residents' uploads may fill before they are taken in [default: 2 TB]
    #[arg(long, env = "CANVASS_SPOOL_BYTES", value_name = "BYTES")]
    spool_bytes: Option<u64>,
    /// What is logged
    #[arg(long, env = "CANVASS_LOG", default_value = "info", value_name = "LEVEL")]
    log: String,
}

fn tls(cert: Option<PathBuf>, key: Option<PathBuf>) -> Option<Tls> {
    Some(Tls { cert: cert?, key: key? })
}

fn mail(
    smtp: Option<String>,
    from: Option<String>,
    password: Option<PathBuf>,
) -> Result<Option<MailConfig>, Failure> {
    let (Some(smtp), Some(from)) = (smtp, from) else { return Ok(None) };
    let password = match password {
        Some(path) => {
            let text = std::fs::read_to_string(&path);
            let text = text.map_err(|error| {
                Failure::usage(format!("--mail-password-file: {}: {error}", path.display()))
            })?;
            Some(text.trim_end().to_owned())
        }
        None => None,
    };
    Ok(Some(MailConfig { smtp, password, from }))
}

fn witness(text: &str) -> Result<Witness, Failure> {
    // The address may hold `=` too; a vkey ends in base64, and has a `+` before that.
    let (url, vkey) = text.split_once('=').ok_or_else(|| {
        Failure::usage("--witness: write it as URL=VKEY, the vkey as `canvass witness keygen` prints it")
    })?;
    let address = Server::parse(url).map_err(|error| error.context("--witness"))?;
    let key = VerifierKey::parse(vkey).map_err(|error| Failure::usage(format!("--witness: {error}")))?;
    Ok(Witness { url: address.as_str().to_owned(), key })
}

impl Serve {
    fn config(self) -> Result<ServeConfig, Failure> {
        let mut config = ServeConfig::new(self.data);
        config.role = self.role;
        config.listen = self.listen.unwrap_or(config.listen);
        config.public_listen = self.public_listen.unwrap_or(config.public_listen);
        config.desk_url = self.desk_url.map(|url| url.trim_end_matches('/').to_owned());
        if let Some(file) = &self.oidc {
            config.providers =
                canvass_server::read_providers(file).map_err(|error| Failure::usage(error.to_string()))?;
        }
        let here = format!("http://{}", config.public_listen);
        config.identity = Identity {
            name: self.name.unwrap_or(config.identity.name),
            public_url: self.public_url.unwrap_or(here).trim_end_matches('/').to_owned(),
            witnesses: self.witnesses.iter().map(|text| witness(text)).collect::<Result<_, _>>()?,
            quorum: self.quorum,
        };
        let attribution = self.base_map_attribution.unwrap_or_default();
        config.base_map = match (self.base_map_pmtiles, self.base_map_tiles) {
            (Some(url), _) => BaseMap::Pmtiles { url, attribution },
            (None, Some(url)) => BaseMap::Raster { url, attribution },
            (None, None) => BaseMap::Shipped,
        };
        config.push = self.push_contact.map(|contact| PushConfig { contact, services: self.push_services });
        config.webhooks_inside = self.webhooks_inside;
        config.mail = mail(self.mail_smtp, self.mail_from, self.mail_password_file)?;
        config.tls = tls(self.tls_cert, self.tls_key);
        config.public_tls = tls(self.public_tls_cert, self.public_tls_key);
        config.insecure_http = self.insecure_http;
        config.spool_bytes = self.spool_bytes.unwrap_or(config.spool_bytes);
        config.check().map_err(|error| Failure::usage(error.to_string()))?;
        Ok(config)
    }
}

/// Runs it until it is told to stop.
///
/// # Errors
/// It can't start.
pub async fn run(command: Serve, context: &Context) -> Result<(), Failure> {
    telemetry::init(&command.log).map_err(Failure::usage)?;
    let config = command.config()?;
    let (desk, public) = (config.tls.is_some(), config.public_tls.is_some());
    let running =
        Box::pin(canvass_server::serve(config, Arc::new(SystemClock), Arc::new(OsEntropy), stop_signal()))
            .await?;
    let console = context.console();
    let address = |at: SocketAddr, tls: bool| format!("{}://{at}", if tls { "https" } else { "http" });
    let desk = running.private_addr.map(|at| address(at, desk));
    let public = running.public_addr.map(|at| address(at, public));
    if let Some(desk) = &desk {
        console.line(format!("desk    {desk}"));
        console.line(match &running.passkeys_at {
            Some(at) => format!("passkeys count at {at}"),
            None => "passkeys count nowhere: give the desk a name with --desk-url https://…".to_owned(),
        });
    }
    if let Some(public) = &public {
        console.line(format!("public  {public}"));
    }
    console.result(&json!({"desk": desk, "public": public, "passkeys": running.passkeys_at}))?;
    running.finished().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn witnesses_are_an_address_and_a_key() {
        assert_eq!(super::witness("https://w.example").unwrap_err().code(), 2);
        assert_eq!(super::witness("https://w.example=w+00+AAAA").unwrap_err().code(), 2);
        let key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        assert_eq!(
            super::witness(&format!("https://w.example/a/={key}")).unwrap().url,
            "https://w.example/a"
        );
        assert!(super::witness(&format!("http://127.0.0.1:9={key}")).is_ok());
        let refused = super::witness(&format!("http://w.example={key}")).unwrap_err();
        assert_eq!(refused.code(), 2, "its answers would cross the network in the clear");
    }
}

//! How a Canvass runs: which roles, where it listens, where its data is, and what it is called in public.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use canvass_core::alerts::webhooks::Inside;
use canvass_ledger::VerifierKey;
use canvass_notices::{MailConfig, NoticesConfig, PushConfig};
use canvass_pages::{FILES, File};
use serde::Serialize;

use crate::oidc::ProviderConfig;

/// Which part of Canvass a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    /// Both in one process.
    #[default]
    All,
    /// Faces the street: static files and the write-only spool, and nothing else.
    Public,
    /// The agency desk and the jobs.
    Private,
}

impl std::str::FromStr for Role {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => Ok(Self::All),
            "public" => Ok(Self::Public),
            "private" => Ok(Self::Private),
            _ => Err("not a role: write `all`, `public` or `private`".into()),
        }
    }
}

/// Certificate and key of a listener, in PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The certificate chain, the server's own first.
    pub cert: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// A witness that cosigns checkpoints (C2SP tlog-witness).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// Address under which `add-checkpoint` stands.
    pub url: String,
    /// Its key.
    pub key: VerifierKey,
}

/// What a Canvass is called in public; all of it stands in `/ledger/keys.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its name, for people.
    pub name: String,
    /// Address of the public role, without a slash at the end.
    pub public_url: String,
    /// Who cosigns.
    pub witnesses: Vec<Witness>,
    /// How many of them a reader should ask for.
    pub quorum: usize,
}

/// From where pages take the map that lies under everything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum BaseMap {
    /// The outlines that the pages bring along.
    #[default]
    Shipped,
    /// One archive of vector tiles (PMTiles 3).
    Pmtiles {
        /// `https://…`, or `/maps/NAME.pmtiles` for a file in the public folder.
        url: String,
        /// Whose data it is, as the map says it.
        attribution: String,
    },
    /// Pictures of tiles.
    Raster {
        /// `https://…/{z}/{x}/{y}.png`.
        url: String,
        /// Whose data it is, as the map says it.
        attribution: String,
    },
}

impl BaseMap {
    fn check(&self) -> Result<(), ConfigError> {
        let (url, attribution, kind) = match self {
            Self::Shipped => return Ok(()),
            Self::Pmtiles { url, attribution } => (url, attribution, ".pmtiles"),
            Self::Raster { url, attribution } => (url, attribution, "{z}"),
        };
        let words = attribution.trim();
        if words.is_empty() || words.chars().count() > 200 || words.chars().any(char::is_control) {
            return Err(ConfigError::Attribution);
        }
        let ours = url.strip_prefix("/maps/").and_then(|name| name.strip_suffix(kind));
        if kind == ".pmtiles"
            && ours.is_some_and(|name| {
                !name.is_empty()
                    && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
            })
        {
            return Ok(());
        }
        let outside = reqwest::Url::parse(url).ok().filter(|url| {
            // A page that came by TLS may load nothing without; this machine's own address is for trying out.
            let safe = url.scheme() == "https" || (url.scheme() == "http" && is_own(url));
            safe && names_a_host(url)
                && url.username().is_empty()
                && url.password().is_none()
                && url.fragment().is_none()
        });
        let tiles = kind != "{z}" || ["{z}", "{x}", "{y}"].iter().all(|part| url.matches(part).count() == 1);
        let clean =
            url.len() <= 500 && url.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'<' | b'>'));
        match outside {
            Some(_) if tiles && clean => Ok(()),
            _ if kind == "{z}" => Err(ConfigError::Tiles),
            _ => Err(ConfigError::Pmtiles),
        }
    }
}

/// Whether a policy can name the host; the parser also takes `{z}` for one.
pub(crate) fn names_a_host(url: &reqwest::Url) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']');
    url.host_str().is_some_and(|host| host.bytes().all(fits))
}

fn is_own(url: &reqwest::Url) -> bool {
    matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"))
}

/// Everything about running a Canvass.
#[derive(Debug, Clone)]
pub struct ServeConfig {
    /// The data folder.
    pub data: PathBuf,
    /// Which part this process is.
    pub role: Role,
    /// Where the agency desk listens.
    pub listen: SocketAddr,
    /// Where the public role listens.
    pub public_listen: SocketAddr,
    /// Address at which people open the desk; passkeys count there alone. `http://localhost` with the desk's port when not
    /// given and the desk listens on this machine only.
    pub desk_url: Option<String>,
    /// Providers at which members of their agencies sign in (OpenID Connect).
    pub providers: Vec<ProviderConfig>,
    /// What it is called.
    pub identity: Identity,
    /// The map below everything.
    pub base_map: BaseMap,
    /// Notices by web push, if they are on.
    pub push: Option<PushConfig>,
    /// Notices by e-mail, if they are on.
    pub mail: Option<MailConfig>,
    /// Addresses of this network that agencies' webhooks may reach: a host, or a whole origin, then also by plain HTTP.
    pub webhooks_inside: Vec<String>,
    /// TLS of the agency desk.
    pub tls: Option<Tls>,
    /// TLS of the public role.
    pub public_tls: Option<Tls>,
    /// Plain HTTP on other addresses than this machine's own, because a proxy in front speaks TLS.
    pub insecure_http: bool,
    /// Bytes that residents' uploads may fill before intake takes them.
    pub spool_bytes: u64,
    /// How often jobs look for work when nobody wakes them.
    pub pace: Duration,
    /// The pages; those that were built into the executable, unless a test has its own.
    pub pages: &'static [File],
}

impl ServeConfig {
    /// The defaults for a data folder: both roles on this machine's own address, ports 8420 (desk) and 8421 (public),
    /// 2 TB of spool.
    #[must_use]
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            role: Role::All,
            listen: SocketAddr::from(([127, 0, 0, 1], 8420)),
            public_listen: SocketAddr::from(([127, 0, 0, 1], 8421)),
            desk_url: None,
            providers: Vec::new(),
            identity: Identity {
                name: "Canvass".into(),
                public_url: "http://127.0.0.1:8421".into(),
                witnesses: Vec::new(),
                quorum: 0,
            },
            base_map: BaseMap::Shipped,
            push: None,
            mail: None,
            webhooks_inside: Vec::new(),
            tls: None,
            public_tls: None,
            insecure_http: false,
            spool_bytes: 2_000_000_000_000,
            pace: Duration::from_millis(250),
            pages: FILES,
        }
    }

    /// Where people open the desk that listens at this address; none when it has to be said.
    #[must_use]
    pub fn desk_address(&self, at: SocketAddr) -> Option<String> {
        let here = || {
            let local = self.tls.is_none() && !self.insecure_http && at.ip().is_loopback();
            local.then(|| format!("http://localhost:{}", at.port()))
        };
        self.desk_url.clone().or_else(here)
    }

    /// Whether people come to the desk by TLS: its own, or a proxy's in front.
    #[must_use]
    pub fn desk_by_tls(&self) -> bool {
        self.tls.is_some() || self.desk_url.as_ref().is_some_and(|url| url.starts_with("https://"))
    }

    /// Whether people come to the public role by TLS.
    #[must_use]
    pub fn public_by_tls(&self) -> bool {
        self.public_tls.is_some() || self.identity.public_url.starts_with("https://")
    }

    /// How notices are sent; none where both ways are off.
    #[must_use]
    pub fn notices(&self) -> Option<NoticesConfig> {
        let folder = DataFolder(self.data.clone());
        (self.push.is_some() || self.mail.is_some()).then(|| NoticesConfig {
            database: folder.notices(),
            keys: folder.keys(),
            public: folder.public(),
            public_url: self.identity.public_url.clone(),
            name: self.identity.name.clone(),
            push: self.push.clone(),
            mail: self.mail.clone(),
        })
    }

    /// Refuses what would be unsafe or can't work.
    ///
    /// # Errors
    /// Says which setting is wrong and what to do.
    pub fn check(&self) -> Result<(), ConfigError> {
        let url = &self.identity.public_url;
        if !(url.starts_with("http://") || url.starts_with("https://"))
            || url.ends_with('/')
            || url.len() > 200
        {
            return Err(ConfigError::PublicUrl);
        }
        let desk =
            |url: &String| reqwest::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if self.desk_url.as_ref().is_some_and(|url| !desk(url)) {
            return Err(ConfigError::DeskUrl);
        }
        let name = self.identity.name.trim();
        if name.is_empty() || name.chars().count() > 80 || name.chars().any(char::is_control) {
            return Err(ConfigError::Name);
        }
        self.base_map.check()?;
        Inside::parse(&self.webhooks_inside).map_err(ConfigError::Inside)?;
        if self.identity.quorum > self.identity.witnesses.len() {
            return Err(ConfigError::Quorum);
        }
        let plain = |tls: &Option<Tls>, at: SocketAddr| {
            tls.is_none() && !self.insecure_http && !at.ip().is_loopback()
        };
        if self.role != Role::Public && plain(&self.tls, self.listen) {
            return Err(ConfigError::PlainHttp { at: self.listen, flags: "--tls-cert and --tls-key" });
        }
        if self.role != Role::Private && plain(&self.public_tls, self.public_listen) {
            return Err(ConfigError::PlainHttp {
                at: self.public_listen,
                flags: "--public-tls-cert and --public-tls-key",
            });
        }
        Ok(())
    }
}

/// Why a configuration can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Not an address for people to open.
    #[error("public URL: write http:// or https:// and the host, without a slash at the end")]
    PublicUrl,
    /// The desk's address.
    #[error("desk url: write the address at which people open the desk, https://desk.example.org")]
    DeskUrl,
    /// No name.
    #[error("name: give this Canvass a name of 1 to 80 characters")]
    Name,
    /// More witnesses asked for than named.
    #[error("quorum: it is larger than the number of witnesses; name more witnesses or lower it")]
    Quorum,
    /// A base map without its source.
    #[error(
        "--base-map-attribution: say whose data the map is, in 1 to 200 characters (for example `© OpenStreetMap contributors`)"
    )]
    Attribution,
    /// Not an archive of tiles that pages can load.
    #[error(
        "--base-map-pmtiles: write https:// and the address of the archive, or /maps/NAME.pmtiles for a file in `public/maps` of the data folder"
    )]
    Pmtiles,
    /// Not an address of tiles.
    #[error("--base-map-tiles: write https:// and an address that holds {{z}}, {{x}} and {{y}} once each")]
    Tiles,
    /// Not an address of a network.
    #[error(
        "--webhook-inside: `{0}` is no host and no origin; write dispatch.example or http://127.0.0.1:9000, without a path"
    )]
    Inside(String),
    /// Tokens and envelopes would cross the network in the clear.
    #[error(
        "{at}: plain HTTP is for this machine alone; give {flags}, listen on 127.0.0.1, or say --insecure-http when a proxy in front speaks TLS"
    )]
    PlainHttp {
        /// Which address.
        at: SocketAddr,
        /// The flags that give TLS.
        flags: &'static str,
    },
}

/// Where everything is in the data folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFolder(pub PathBuf);

impl DataFolder {
    /// The SQLite file.
    #[must_use]
    pub fn records(&self) -> PathBuf {
        self.0.join("records.sqlite")
    }
    /// Subscriptions to notices.
    #[must_use]
    pub fn notices(&self) -> PathBuf {
        self.0.join("notices.db")
    }
    /// Secret keys of the server.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }
    /// Secret keys of the private check for plate owners; the public role reads this folder and no other of keys.
    #[must_use]
    pub fn asked(&self) -> PathBuf {
        self.0.join("asked")
    }
    /// Sealed bytes.
    #[must_use]
    pub fn blobs(&self) -> PathBuf {
        self.0.join("blobs")
    }
    /// Plate reads, sealed slice by slice.
    #[must_use]
    pub fn reads(&self) -> PathBuf {
        self.0.join("reads")
    }
    /// What the public role serves.
    #[must_use]
    pub fn public(&self) -> PathBuf {
        self.0.join("public")
    }
    /// What residents send.
    #[must_use]
    pub fn spool(&self) -> PathBuf {
        self.0.join("spool")
    }
    /// What members send.
    #[must_use]
    pub fn agency_spool(&self) -> PathBuf {
        self.0.join("agency-spool")
    }
    /// Backups made over the API.
    #[must_use]
    pub fn backups(&self) -> PathBuf {
        self.0.join("backups")
    }
    /// The policy to begin with, when there is such a file.
    #[must_use]
    pub fn policy(&self) -> PathBuf {
        self.0.join("policy.json")
    }

    /// Files of rules that take the place of stored ones which a new version can't use.
    pub fn rules_repair(&self) -> PathBuf {
        self.0.join("rules-repair")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_maps_are_addresses_that_a_page_can_load() {
        let attribution = || "© OpenStreetMap contributors".to_owned();
        let pmtiles = |url: &str| BaseMap::Pmtiles { url: url.into(), attribution: attribution() }.check();
        let raster = |url: &str| BaseMap::Raster { url: url.into(), attribution: attribution() }.check();
        for good in
            ["https://maps.example/town.pmtiles?v=2", "/maps/new-hampshire_1.pmtiles", "http://127.0.0.1:9/a"]
        {
            assert_eq!(pmtiles(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "maps.example/town.pmtiles",
            "http://maps.example/town.pmtiles",
            "/maps/.pmtiles",
            "/maps/../keys.pmtiles",
            "/town.pmtiles",
            "https://ann:word@maps.example/a.pmtiles",
            "https://maps.example/a b.pmtiles",
        ] {
            assert_eq!(pmtiles(bad), Err(ConfigError::Pmtiles), "{bad}");
        }
        assert_eq!(raster("https://tiles.example/{z}/{x}/{y}.png?key=1"), Ok(()));
        for bad in [
            "https://tiles.example/{z}/{x}.png",
            "/maps/{z}/{x}/{y}",
            "https://{z}/{x}/{y}",
            "ftp://a/{z}/{x}/{y}",
        ] {
            assert_eq!(raster(bad), Err(ConfigError::Tiles), "{bad}");
        }
        let unnamed =
            BaseMap::Raster { url: "https://tiles.example/{z}/{x}/{y}".into(), attribution: " ".into() };
        assert_eq!(unnamed.check(), Err(ConfigError::Attribution));
    }

    #[test]
    fn plain_http_stays_on_this_machine_unless_a_proxy_is_named() {
        let mut config = ServeConfig::new("/nowhere");
        config.check().unwrap();
        config.listen = "0.0.0.0:8420".parse().unwrap();
        let refused = config.check().unwrap_err().to_string();
        assert!(refused.contains("--insecure-http") && refused.contains("--tls-cert"), "{refused}");
        config.role = Role::Public;
        config.check().unwrap();
        config.role = Role::All;
        config.insecure_http = true;
        config.check().unwrap();
        config.identity.public_url = "example.org".into();
        assert_eq!(config.check(), Err(ConfigError::PublicUrl));
        config.identity.public_url = "https://example.org".into();
        config.identity.quorum = 1;
        assert_eq!(config.check(), Err(ConfigError::Quorum));
    }
}

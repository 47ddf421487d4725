//! How a Canvass runs: which roles, where it listens, where its data is, and what it is called in public.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use canvass_ledger::VerifierKey;
use canvass_pages::{FILES, File};

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
    /// What it is called.
    pub identity: Identity,
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
            identity: Identity {
                name: "Canvass".into(),
                public_url: "http://127.0.0.1:8421".into(),
                witnesses: Vec::new(),
                quorum: 0,
            },
            tls: None,
            public_tls: None,
            insecure_http: false,
            spool_bytes: 2_000_000_000_000,
            pace: Duration::from_millis(250),
            pages: FILES,
        }
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
        let name = self.identity.name.trim();
        if name.is_empty() || name.chars().count() > 80 || name.chars().any(char::is_control) {
            return Err(ConfigError::Name);
        }
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
    /// No name.
    #[error("name: give this Canvass a name of 1 to 80 characters")]
    Name,
    /// More witnesses asked for than named.
    #[error("quorum: it is larger than the number of witnesses; name more witnesses or lower it")]
    Quorum,
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
    /// Secret keys of the server.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }
    /// Sealed bytes.
    #[must_use]
    pub fn blobs(&self) -> PathBuf {
        self.0.join("blobs")
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
}

#[cfg(test)]
mod tests {
    use super::*;

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
